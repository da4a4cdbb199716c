"""Make the fonts of the site, in `site/assets/fonts/`, out of open ones from the npm registry.

    python site/fonts.py        needs a network, a built site, and `pip install brotli`

Each font is cut down to what the book needs. The text faces and the formulas keep whole alphabets,
so that they seldom have to be made again; of Hangul and of rare signs only those are kept that
occur on the pages. A test fails when a page shows a sign that no font of the book has.
"""

import base64
import hashlib
import html
import io
import re
import tarfile
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from built import pages_in
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "site" / "assets" / "fonts"
REGISTRY = "https://registry.npmjs.org"
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2027), 0x2032, 0x2212]
ITALICS = [*range(0x1D434, 0x1D468), *range(0x1D6A4, 0x1D6DC), 0x210E]
OTHER_LETTERS = [*range(0x1D49C, 0x1D4D0), *range(0x1D538, 0x1D552), *range(0x2100, 0x2140)]
OPERATORS = [*range(0x2190, 0x2194), *range(0x21D0, 0x21D5), *range(0x2200, 0x22A6), 0x22C5, 0x22EF]
FENCES = [*range(0x2308, 0x230C), 0x23DE, 0x23DF, 0x27E8, 0x27E9, 0x27F9]
GREEK = [*range(0x391, 0x3CA), 0x3D1, 0x3D5, 0x3D6, 0x3F1, 0x3F5]
ACCENTS = [0x2C6, 0x2C7, *range(0x2D8, 0x2DE), 0x203E, 0x20D7]


@dataclass(frozen=True)
class Source:
    """A package of the registry. integrity : SHA-512 of its archive, as the registry states it."""

    package: str
    version: str
    integrity: str

    def files(self) -> dict[str, bytes]:
        """What is in the package, by name.

        Raises:
            ValueError: the archive is not the one that was looked at when this was written.
        """
        name = self.package.rpartition("/")[2]
        url = f"{REGISTRY}/{self.package}/-/{name}-{self.version}.tgz"
        with urllib.request.urlopen(url, timeout=120) as response:
            archive = response.read()
        found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
        if found != self.integrity:
            raise ValueError(f"{url} should have the hash {self.integrity}, but has {found}")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            members = [member for member in tar if member.isfile()]
            return {m.name.removeprefix("package/"): tar.extractfile(m).read() for m in members}


SERIF = Source(
    "@fontsource-variable/source-serif-4",
    "5.3.1",
    "4Rtay22SC4lMvw11r/+9kxANB6P3M0X8s1NudBC2v0J1KU2y3DcMoNcT3lBoZ/CqLirzf+StlO6UlJilyrvaUg==",
)
MONO = Source(
    "@fontsource-variable/source-code-pro",
    "5.3.1",
    "N0nZDizh8CQ19+AHHA8Ssb1i/aQf4N2lpRl3qZVH4/9f1yNgWzTkBFpc26v+QQr2hm4By4aiv597BCoEg2SDQg==",
)
MATH = Source(
    "@fontsource/stix-two-math",
    "5.3.0",
    "negoeozw6VSXjZMozwKRSm/dhCQT62csZcuea9I8KYqPaZq/8KbbBBrA02ZHF7AyuR5mVML/p+q0bwFuSIf2GQ==",
)
HANGUL = Source(
    "@fontsource/gowun-batang",
    "5.3.0",
    "wWDwzFKhKbk7l94OFQjZTH6x9PjqErCXBsXQ+h/SopIOosN2LjAN5W22Zua4unCmOIK2hc1fI6jNrB4OqYh6Qg==",
)


def small(content: bytes, codes: Iterable[int], weights: tuple[int, int] | None = None) -> bytes:
    """A font with the characters that are asked for, where it has them, as WOFF2."""
    font = TTFont(io.BytesIO(content))
    options = subset.Options(flavor="woff2", hinting=False, notdef_outline=True)
    options.layout_features += ["lnum", "tnum", "ss04", "ssty", "dtls"]
    maker = subset.Subsetter(options)
    maker.populate(unicodes=codes)
    maker.subset(font)
    font = TTFont(io.BytesIO(written(font)))
    if weights:
        font = instancer.instantiateVariableFont(font, {"wght": weights})
    font.flavor = "woff2"
    return written(font)


def written(font: TTFont) -> bytes:
    """A font as the bytes of its file."""
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


def characters(site: Path) -> set[int]:
    """The characters that stand on the pages of the site."""
    pages = pages_in(site)
    if not pages:
        raise ValueError(f"there is no page in {site}: build the site first")
    texts = (re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8")) for path in pages)
    return {ord(character) for text in texts for character in html.unescape(text)}


def make(site: Path) -> dict[str, bytes]:
    """The fonts and their licenses, by the names of their files."""
    seen = characters(site)
    hangul = {code for code in seen if 0x1100 <= code < 0x1200 or 0xAC00 <= code < 0xD7B0}
    formulas = [
        *LATIN,
        *ITALICS,
        *OTHER_LETTERS,
        *OPERATORS,
        *FENCES,
        *GREEK,
        *ACCENTS,
        *(seen - hangul),
    ]
    serif, mono, mathematics, korean = (s.files() for s in (SERIF, MONO, MATH, HANGUL))
    text, code = (
        "files/source-serif-4-latin-wght-{}.woff2",
        "files/source-code-pro-latin-wght-{}.woff2",
    )
    return {
        "serif.woff2": small(serif[text.format("normal")], LATIN, (400, 700)),
        "serif-italic.woff2": small(serif[text.format("italic")], LATIN, (400, 700)),
        "mono.woff2": small(mono[code.format("normal")], LATIN, (400, 700)),
        "math.woff2": small(mathematics["files/stix-two-math-latin-400-normal.woff2"], formulas),
        "hangul.woff2": small(korean["files/gowun-batang-korean-400-normal.woff2"], hangul),
        "LICENSE-source-serif-4.txt": serif["LICENSE"],
        "LICENSE-source-code-pro.txt": mono["LICENSE"],
        "LICENSE-stix-two-math.txt": mathematics["LICENSE"],
        "LICENSE-gowun-batang.txt": korean["LICENSE"],
    }


if __name__ == "__main__":
    FONTS.mkdir(exist_ok=True)
    for name, content in make(ROOT / "_build" / "html").items():
        (FONTS / name).write_bytes(content)
        print(f"{name}\t{len(content):,} bytes".expandtabs(32))
