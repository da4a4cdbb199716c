"""Checks of a built website: pure functions from a folder to a list of complaints.

An empty list means that the folder passes. Each complaint names the file and what is wrong.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from built import pages_in

# `link` elements with these relations are read by machines or followed by hand, never fetched
# by a browser that shows the page.
LINKS_NOT_FETCHED = {"alternate", "author", "canonical", "help", "index", "license", "next", "prev"}
LINKS_NOT_FETCHED |= {"search", "bookmark", "me", "up"}

# (element, attribute) pairs that make a browser send a request.
FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("frame", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("source", "src"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("track", "src"),
    ("input", "src"),
    ("image", "href"),
    ("image", "xlink:href"),
    ("use", "href"),
    ("use", "xlink:href"),
    ("body", "background"),
    ("form", "action"),
}

# Names of XML vocabularies look like addresses but are never fetched.
NAMESPACE = re.compile(r"https?://www\.w3\.org/(\d{4}/|TR/|XML/)")
REMOTE = re.compile(r"^\s*(?:(?:https?|wss?|ftp):)?//[^/\s]", re.IGNORECASE)
CSS_URL = re.compile(r"url\(\s*(['\"]?)(.*?)\1\s*\)|@import\s+(['\"])(.*?)\3", re.DOTALL)
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
JS_STRING = re.compile(r"""(["'`])((?:https?:|wss?:)?//[A-Za-z0-9\[][^"'`\s]*)\1""")
JS_TEMPLATE = re.compile(r"`(?:https?:|wss?:)?//[A-Za-z0-9\[$]")
# In other people's scripts only a string that is plainly loaded counts; they name their own
# websites in messages.
JS_LOAD = re.compile(
    r"""(?:\bfetch\(|\bimport\(|\bimportScripts\(|\brequire\(|new\s+(?:Shared)?Worker\(|"""
    r"""new\s+(?:WebSocket|EventSource)\(|sendBeacon\(|\.open\(\s*["'`][A-Z]+["'`]\s*,|"""
    r"""\.(?:src|srcset)\s*=|\.setAttribute\(\s*["'`]src["'`]\s*,|"""
    r"""\bfrom\b|\bimport\b)\s*["'`]((?:https?:|wss?:)?//[^"'`\s]+)"""
)


@dataclass
class Page:
    """What the checks need to know about one HTML file."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        page, attributes = self.page, {name: value or "" for name, value in attrs}
        page.anchors.update(attributes[name] for name in ("id", "name") if attributes.get(name))
        if tag in ("a", "area") and "href" in attributes:
            page.links.append(attributes["href"])
        if tag == "link" and "href" in attributes:
            if not set(attributes.get("rel", "").lower().split()) & LINKS_NOT_FETCHED:
                page.fetched.append(attributes["href"])
        if tag == "base" and "href" in attributes:
            page.fetched.append(attributes["href"])
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            page.fetched.append(attributes.get("content", "").partition("=")[2].strip(" '\""))
        page.fetched += [value for name, value in attributes.items() if (tag, name) in FETCHED]
        for name in ("srcset", "imagesrcset"):
            # Candidates are separated by a comma and a space; a data: address has a bare comma.
            page.fetched += [c.split()[0] for c in re.split(r",\s+", attributes.get(name, "")) if c]
        if "style" in attributes:
            page.styles.append(attributes["style"])
        page.scripts += [value for name, value in attributes.items() if name.startswith("on")]
        self.inside = tag if tag in ("script", "style") else ""
        if attributes.get("type") == "application/ld+json":
            self.inside = ""  # data about the page, which no browser runs

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.page.scripts.append(data)
        elif self.inside == "style":
            self.page.styles.append(data)


@cache
def _read(path: Path, modified: int) -> Page:
    page = Page(path)
    _Reader(page).feed(path.read_text(encoding="utf-8"))
    return page


def read_page(path: Path) -> Page:
    """Return the parsed page at `path`; parsed again only when the file has changed."""
    return _read(path, path.stat().st_mtime_ns)


def _local_target(site: Path, page: Path, address: str) -> Path:
    path = unquote(urlsplit(address).path)
    target = site / path.lstrip("/") if path.startswith("/") else page.parent / path
    return target.resolve() if path else page.resolve()


def _is_local(address: str) -> bool:
    return not REMOTE.match(address) and not re.match(r"^\s*[A-Za-z][A-Za-z0-9+.-]*:", address)


def dead_links(site: Path) -> list[str]:
    """Return a complaint for each link whose page or anchor does not exist in `site`."""
    complaints = []
    for path in pages_in(site):
        for address in read_page(path).links:
            if not _is_local(address):
                continue
            target, anchor = _local_target(site, path, address), unquote(urlsplit(address).fragment)
            if target.is_dir():
                target = target / "index.html"
            where = path.relative_to(site).as_posix()
            if not target.is_file() or not target.is_relative_to(site.resolve()):
                complaints.append(f"{where}: dead link {address}")
            elif anchor not in ("", "top") and target.suffix == ".html":
                if anchor not in read_page(target).anchors:
                    complaints.append(f"{where}: dead anchor {address}")
    return complaints


def missing_files(site: Path) -> list[str]:
    """Return a complaint for each image, script or style sheet that a page names in vain."""
    complaints = []
    for path in pages_in(site):
        for address in read_page(path).fetched:
            if _is_local(address) and not _local_target(site, path, address).is_file():
                complaints.append(f"{path.relative_to(site).as_posix()}: missing file {address}")
    return complaints


def remote_in_css(text: str) -> list[str]:
    """Return the addresses on other hosts that a style sheet makes a browser fetch."""
    found = [m[1] or m[3] for m in CSS_URL.findall(CSS_COMMENT.sub("", text))]
    return [address for address in found if REMOTE.match(address)]


def remote_in_script(text: str, own: bool) -> list[str]:
    """Return the addresses on other hosts in a script.

    In our `own` scripts, and those inside pages, every string that is such an address counts;
    in others only one that is passed to something that loads.
    """
    if not own:
        return [address for address in JS_LOAD.findall(text) if not NAMESPACE.match(address)]
    found = [address for _, address in JS_STRING.findall(text) if not NAMESPACE.match(address)]
    return found + (JS_TEMPLATE.findall(text) if not found else [])


def outside_requests(site: Path, own_scripts: tuple[str, ...] = ()) -> list[str]:
    """Return a complaint for each request that showing a page of `site` would send elsewhere.

    Args:
        site: folder of the built website.
        own_scripts: file names of the scripts we wrote, which are read more strictly.
    """
    complaints = []
    for path in pages_in(site):
        page = read_page(path)
        found = [address for address in page.fetched if REMOTE.match(address)]
        found += [a for text in page.styles for a in remote_in_css(text)]
        found += [a for text in page.scripts for a in remote_in_script(text, own=True)]
        complaints += [f"{path.relative_to(site).as_posix()}: fetches {a}" for a in found]
    for path in sorted(site.rglob("*")):
        if path.suffix not in (".css", ".js", ".mjs", ".svg") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".svg":
            page = read_page(path)
            found = [address for address in page.fetched if REMOTE.match(address)]
            found += [a for style in page.styles for a in remote_in_css(style)]
        elif path.suffix == ".css":
            found = remote_in_css(text)
        else:
            found = remote_in_script(text, own=path.name in own_scripts)
        complaints += [f"{path.relative_to(site).as_posix()}: fetches {a}" for a in found]
    return complaints
