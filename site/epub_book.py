"""Make the EPUB of the whole book, with Sphinx's own builder.

    python site/epub_book.py

This file is also the extension of Sphinx that mends what that builder leaves behind: an EPUB is
XML, holds no scripts and nothing that no page names, and says which of its pages hold what.
"""

import posixpath
import re
import shutil
from base64 import b64decode
from pathlib import Path
from urllib.parse import unquote, urlsplit

import take_along
from bs4 import BeautifulSoup
from cards import cover
from figures import landing_figure
from imprint import FILE, read_imprint
from run_sphinx import run_sphinx
from sphinx.application import Sphinx
from sphinx.builders._epub_base import MEDIA_TYPES
from sphinx.builders.epub3 import Epub3Builder
from sphinx.config import Config

ROOT = Path(__file__).resolve().parent.parent
STYLES = [ROOT / "site" / "epub.css", *ROOT.glob("seqdec_lib/book/*.css")]
MATH_FONT = ROOT / "site" / "assets" / "fonts" / "math.woff2"
PICTURE, SHEETS = "_static/cover.png", ("_static/pygments.css", "_static/book.css")
# The parser of HTML spells all names in small letters, which browsers put right and XML does not.
SPELLING = {
    name.lower(): name
    for name in (
        "viewBox preserveAspectRatio clipPath clipPathUnits linearGradient radialGradient "
        "gradientUnits gradientTransform patternUnits textPath textLength lengthAdjust "
        "markerWidth markerHeight markerUnits refX refY pathLength foreignObject"
    ).split()
}
LEFT_OUT = (
    "script, noscript, form, button, meta[http-equiv], link[rel=stylesheet], summary svg, "
    "summary .expanded, [hidden], .figure-fallback, svg g[display=none]"
)
ITEM = re.compile(r'(<item [^>]*href="([^"]+\.xhtml)"[^>]*) />')
NAMESPACES = {"svg": "http://www.w3.org/2000/svg", "math": "http://www.w3.org/1998/Math/MathML"}


class BookEpubBuilder(Epub3Builder):
    """Sphinx's EPUB, its pages mended before they are listed and packed."""

    media_types = MEDIA_TYPES | {".woff2": "font/woff2"}

    def copy_static_files(self) -> None:
        """Give the EPUB its style sheets, a font for formulas, and a cover; no other file."""
        static = Path(self.outdir, "_static")
        static.mkdir(exist_ok=True)
        styles = (style.read_text(encoding="utf-8") for style in STYLES)
        Path(self.outdir, SHEETS[1]).write_text("\n".join(styles), encoding="utf-8")
        shutil.copyfile(MATH_FONT, static / MATH_FONT.name)
        imprint = read_imprint(Path(self.srcdir))
        picture = cover(imprint.title, imprint.byline, b64decode(landing_figure("image/png")))
        Path(self.outdir, PICTURE).write_bytes(picture)
        self.create_pygments_style_file()

    def build_content(self) -> None:
        """Mend all pages, and write `content.opf`, the list of what the EPUB holds."""
        out = Path(self.outdir)
        pages = {path.relative_to(out).as_posix(): path for path in out.rglob("*.xhtml")}
        pages.pop("nav.xhtml", None)
        for name, path in pages.items():
            text = path.read_text(encoding="utf-8")
            path.write_text(mended(text, name, out), encoding="utf-8")
        super().build_content()
        listed = out / "content.opf"
        text = ITEM.sub(lambda item: with_properties(item, out), listed.read_text(encoding="utf-8"))
        listed.write_text(text, encoding="utf-8")


def mended(text: str, name: str, out: Path) -> str:
    """Return the page `name` of the EPUB in the folder `out` as sound XML."""
    soup = BeautifulSoup(text, "html.parser")
    for element in soup.select(LEFT_OUT):
        element.decompose()
    for sheet in SHEETS:
        path = posixpath.relpath(sheet, posixpath.dirname(name) or ".")
        soup.head.append(soup.new_tag("link", rel="stylesheet", type="text/css", href=path))
    for notebook in soup.select("p:has(> code.download)"):
        notebook.decompose()
    for style in soup.body.find_all("style"):
        soup.head.append(style.extract())
    for paragraph in soup.select("summary p"):
        paragraph.name = "span"
    used: set[str] = set()
    for element in soup.body.find_all(True):
        mend(element, used)
    for link in soup.find_all("a", href=True):
        parts = urlsplit(link["href"])
        file = posixpath.join(posixpath.dirname(name), unquote(parts.path))
        if not parts.scheme and parts.path and not (out / file).is_file():
            link.unwrap()
    return str(soup)


def mend(element, used: set[str]) -> None:
    """Spell an element and its attributes as XML wants them, its name on the page only once."""
    element.name = SPELLING.get(element.name, element.name)
    for name in list(element.attrs):
        if name in SPELLING:
            element[SPELLING[name]] = element.attrs.pop(name)
    if element.name in NAMESPACES:
        element["xmlns"] = NAMESPACES[element.name]
    if element.get("role") in ("doc-biblioentry", "doc-biblioref"):
        del element["role"]
    if element.name != "mstyle":
        element.attrs.pop("scriptlevel", None)
    if element.get("id") in used:
        del element["id"]
    used.add(element.get("id"))


def with_properties(item: re.Match[str], out: Path) -> str:
    """Return the line of a page in `content.opf`; it says whether MathML or SVG is on the page."""
    text = (out / item[2]).read_text(encoding="utf-8")
    found = [name for tag, name in (("<math", "mathml"), ("<svg", "svg")) if tag in text]
    return f'{item[1]} properties="{" ".join(found)}" />' if found else item[0]


def name_the_book(app: Sphinx, config: Config) -> None:
    """Fill in what an EPUB says about itself."""
    imprint = read_imprint(Path(app.srcdir))
    config.epub_title, config.epub_basename = imprint.title, FILE
    config.epub_author = config.epub_contributor = config.epub_publisher = imprint.byline
    config.epub_description = imprint.abstract
    config.epub_uid = config.epub_identifier = f"{FILE}-{imprint.version}"
    config.epub_tocdepth, config.epub_tocdup, config.epub_tocscope = 2, False, "includehidden"
    config.epub_show_urls, config.epub_cover = "no", (PICTURE, "")
    config.version = imprint.version


def make(root: Path, out: Path) -> None:
    """Write the EPUB of the built book in `root` into `out`.

    Raises
    ------
    RuntimeError
        Sphinx failed or warned; stderr says why.
    """
    folder = root / "_build" / "epub"
    shutil.rmtree(folder, ignore_errors=True)
    if not run_sphinx(root, "epub", folder, after="html"):
        raise RuntimeError("the EPUB was not made: mend what the lines above name")
    shutil.copyfile(folder / f"{FILE}.epub", out)


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.add_builder(BookEpubBuilder, override=True)
    app.connect("config-inited", name_the_book, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    take_along.main(make, ".epub", ROOT)
