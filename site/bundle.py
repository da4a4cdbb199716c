"""One style sheet, one script and one font of icons for all pages, made of what the theme ships.

The theme and its extensions come with half a megabyte of style sheets, with 1.5 megabytes of icons,
and with scripts for things that this book does not have. Here the style sheets are joined and cut
down to what the finished pages need, the scripts that pages need are joined, and the icons become a
font of the few that occur. The originals, and whatever else no page asks for, are removed.
"""

import hashlib
import logging
import posixpath
import re
from pathlib import Path

from built import pages_in
from fontTools import subset
from sphinx.application import Sphinx
from stylesheet import trimmed

# The theme's templates would name these, which no list of Sphinx does.
THEME_STYLES = ("_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css")
THEME_SCRIPTS = ("_static/scripts/bootstrap.js", "_static/scripts/pydata-sphinx-theme.js")
OPTIONS = "_static/documentation_options.js"
# The search of Sphinx builds on these; all other scripts run when the text has been drawn.
AT_ONCE = ("_static/doctools.js", "_static/sphinx_highlight.js")
LATER = "function useThePage() {%s\n}\nrequestAnimationFrame(() => setTimeout(useThePage));"
LEFT_OUT = "_static/design-tabs.js"  # for tabs, which the book does not have
# The theme measures each box that might scroll, and so lays out what nobody has come to yet;
# `repair.js` measures a box when it comes into view.
ONE_BY_ONE = re.compile(r'document\.querySelectorAll\(\["pre",.*?\?0:-1\}\)')
# Bootstrap knows a hundred components, and the theme uses its tooltips.
TOOLTIPS = {"tooltip", "tooltip-inner", "tooltip-arrow", "bs-tooltip-auto", "fade", "show"}
SEARCH = "_static/searchtools.js"  # which the page of the search loads besides
ICON = re.compile("[\ue000-\uf8ff]")
FACE = re.compile(r"@font-face\{[^}]*url\(vendor/fontawesome/webfonts/([\w-]+)\.woff2[^}]*\}")
VERSION = re.compile(r"(_static/page\.(?:css|js))\?v=\w*")


def write_bundle(app: Sphinx, exception: Exception | None) -> None:
    """Write the bundle, name its edition in all pages, and clear away what it replaces."""
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    if not site.joinpath(THEME_STYLES[0]).is_file():
        return  # no page has changed, and the bundle of the last build stands
    texts = {path: path.read_text(encoding="utf-8") for path in pages_in(site)}
    scripts = scripts_of_all_pages(site, app.builder._js_files)
    sheets = [*THEME_STYLES, *(file.filename for file in app.builder._css_files)]
    names = set().union(TOOLTIPS, *map(names_in_page, texts.values()))
    words = [text for name, text in scripts.items() if name != THEME_SCRIPTS[0]]
    names |= names_in_scripts([*words, site.joinpath(SEARCH).read_text(encoding="utf-8")])
    css = trimmed("\n".join(sheet(site, name) for name in sheets), names)
    static = site / "_static"
    static.joinpath("page.css").write_text(with_few_icons(css, static), encoding="utf-8")
    static.joinpath("page.js").write_text(joined(scripts), encoding="utf-8")
    edition = hashlib.sha256()
    for name in ("page.css", "page.js"):
        edition.update(static.joinpath(name).read_bytes())
    for path, text in texts.items():
        stamped = VERSION.sub(rf"\1?v={edition.hexdigest()[:8]}", text)
        if stamped != text:
            path.write_text(stamped, encoding="utf-8")
    remove_what_nobody_asks_for(static, "".join(texts.values()))


def scripts_of_all_pages(site: Path, files: list) -> dict[str, str]:
    """The scripts of all pages by name: Sphinx's options, what only sets a variable, the others."""
    ordered = sorted(files, key=lambda file: file.priority)
    settings = {body: body for file in ordered if (body := file.attributes.get("body"))}
    names = [file.filename for file in ordered if file.filename and file.filename != LEFT_OUT]
    found = {name: site.joinpath(name).read_text("utf-8") for name in (*names, *THEME_SCRIPTS)}
    found[THEME_SCRIPTS[1]], cut = ONE_BY_ONE.subn("0", found[THEME_SCRIPTS[1]])
    if cut != 1:
        raise RuntimeError(f"the theme's loop over what scrolls was found {cut} times, not once")
    options = {OPTIONS: found[OPTIONS]}
    return {n: re.sub("//# source.*", "", t) for n, t in (options | settings | found).items()}


def joined(scripts: dict[str, str]) -> str:
    """The scripts as one, which comes after the text: a page is read before it is used."""
    later = [name for name in scripts if name.endswith(".js") and name not in (OPTIONS, *AT_ONCE)]
    at_once = [text for name, text in scripts.items() if name not in later]
    return ";\n".join([*at_once, LATER % ";\n".join(scripts[name] for name in later)])


def sheet(site: Path, name: str) -> str:
    """A style sheet with those that it imports, and addresses that hold in the folder `_static`."""
    folder = posixpath.dirname(name)

    def moved(match: re.Match) -> str:
        place = posixpath.normpath(posixpath.join(folder, match[2]))
        return f"url({match[1]}{place.removeprefix('_static/')}"

    def imported(match: re.Match) -> str:
        return sheet(site, posixpath.normpath(posixpath.join(folder, match[1])))

    text = site.joinpath(name).read_text(encoding="utf-8")
    text = re.sub(r"""url\((["']?)(?!data:|#|["'])([^)"']+)""", moved, text)
    return re.sub(r"""@import\s*["']([^"']+)["'];?""", imported, text)


def names_in_page(html: str) -> set[str]:
    """The elements, classes and identifiers of a page."""
    values = re.findall(r'\b(?:class|id)="([^"]*)"', html)
    return {name for value in values for name in value.split()} | set(
        re.findall(r"<([a-z][\w-]*)", html)
    )


def names_in_scripts(texts: list[str]) -> set[str]:
    """Every word of some scripts: they may give it to an element as its class."""
    return {word for text in texts for word in re.findall(r"[A-Za-z][\w-]*", text)}


def with_few_icons(css: str, static: Path) -> str:
    """The style sheet with fonts of the icons that it mentions instead of the whole ones."""
    logging.getLogger(subset.__name__).setLevel(logging.WARNING)
    wanted = [ord(icon) for icon in ICON.findall(css)]

    def with_small_font(match: re.Match) -> str:
        options = subset.Options(flavor="woff", layout_features=[], notdef_outline=False)
        whole = static / "vendor" / "fontawesome" / "webfonts" / f"{match[1]}.ttf"
        font = subset.load_font(whole, options)
        if not set(wanted) & font.getBestCmap().keys():
            return ""
        maker = subset.Subsetter(options)
        maker.populate(unicodes=wanted)
        maker.subset(font)
        subset.save_font(font, static / f"{match[1]}.woff", options)
        return re.sub(r"src:[^;}]*", f'src:url({match[1]}.woff) format("woff")', match[0])

    return FACE.sub(with_small_font, css)


def remove_what_nobody_asks_for(static: Path, pages: str) -> None:
    """Clear away every file of `_static` that neither a page nor the style sheet names."""
    asked = set(re.findall(r"_static/([^\"'?#)\s]+)", pages))
    asked |= set(
        re.findall(r"url\([\"']?([^)\"'?#]+)", static.joinpath("page.css").read_text("utf-8"))
    )
    asked |= {"page.css", "page.js"}
    for path in sorted(static.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(static).as_posix() not in asked and "LICENSE" not in path.name:
            path.unlink()
