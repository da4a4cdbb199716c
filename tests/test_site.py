"""The website: built with warnings as errors, whole, and silent towards other hosts."""

import html
import re
import runpy
from collections.abc import Iterable
from pathlib import Path

import nbformat
import pytest
from built import pages_in
from sentences import claims

from tests import site_checks

ROOT = Path(__file__).resolve().parent.parent
OWN_FOLDERS = (ROOT / "site" / "assets", ROOT / "seqdec_lib" / "book")
OWN_SCRIPTS = tuple(path.name for folder in OWN_FOLDERS for path in folder.glob("*.js"))


def test_every_link_and_anchor_leads_somewhere(site: Path) -> None:
    assert len(pages_in(site)) > 2
    assert site_checks.dead_links(site) == []


def test_every_claim_of_a_chapter_is_linked_from_the_page_of_claims(site: Path) -> None:
    links = site_checks.read_page(site / "claims.html").links
    linked = [link for link in links if link.startswith("chapters/") and "#claim-" in link]
    notebooks = [nbformat.read(path, as_version=4) for path in ROOT.glob("chapters/*.ipynb")]
    assert len(set(linked)) == len(linked) == sum(len(claims(nb)) for nb in notebooks) > 0


def test_every_image_script_and_style_sheet_exists(site: Path) -> None:
    assert site_checks.missing_files(site) == []


def test_no_page_sends_a_request_to_another_host(site: Path) -> None:
    assert site_checks.outside_requests(site) == []
    assert {"figures.js", "repair.js"} < set(OWN_SCRIPTS)
    for folder in OWN_FOLDERS:
        assert site_checks.outside_requests(folder, OWN_SCRIPTS) == []


def test_page_sources_are_not_published(site: Path) -> None:
    assert not (site / "_sources").exists()


def test_only_the_readers_notebooks_can_be_downloaded(site: Path) -> None:
    chapters = {path.name for path in (ROOT / "chapters").glob("*.ipynb")}
    downloads = set(site.rglob("*.ipynb"))
    assert {path.name for path in downloads} == chapters
    assert downloads == set((site / "_downloads").rglob("*.ipynb"))
    for path in downloads:
        assert path.read_bytes() == (ROOT / "_build" / "notebooks" / path.name).read_bytes()


def test_every_image_in_a_page_says_what_it_shows(site: Path) -> None:
    for path in pages_in(site):
        text = path.read_text(encoding="utf-8")
        assert 'alt="_images' not in text and 'alt="../_images' not in text, path.name


def test_every_image_in_a_page_says_how_large_it_is(site: Path) -> None:
    """So nothing moves when it comes."""
    for path in pages_in(site):
        images = re.findall(r"<img\b[^>]*>", path.read_text(encoding="utf-8"))
        assert all(' width="' in i and ' height="' in i for i in images), path.name


def test_the_landing_page_shows_the_figure_that_chapter_1_draws() -> None:
    script = runpy.run_path(str(ROOT / "site" / "figures.py"))
    assert script["LANDING"].read_text(encoding="utf-8") == script["landing_figure"]()


SECRET = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.DOTALL)


def sources_of(notebooks: Iterable[Path]) -> list[str]:
    """The sources of all cells of some notebooks."""
    cells = (cell for path in notebooks for cell in nbformat.read(path, as_version=4).cells)
    return [cell.source for cell in cells]


def secrets_of_the_coursework() -> str:
    """Everything that is taken out of an assignment before students get it, and the rubrics."""
    sources = sources_of((ROOT / "coursework" / "source").glob("*/*.ipynb"))
    rubrics = [p.read_text(encoding="utf-8") for p in (ROOT / "coursework/rubrics").glob("*.md")]
    return "\n".join([match[2] for text in sources for match in SECRET.finditer(text)] + rubrics)


def words(text: str) -> set[str]:
    """The words of a text, as long as a name that somebody made up."""
    return set(re.findall(r"[a-z_]{6,}", text.lower()))


def squeezed(text: str) -> str:
    """A text without white space."""
    return re.sub(r"\s+", "", text)


def test_no_solution_and_no_hidden_test_is_in_the_site(site: Path) -> None:
    """Neither in pages nor in the search index, which keeps words."""
    public = [*ROOT.glob("*.md"), *ROOT.glob("*.bib"), ROOT / "coursework" / "README.md"]
    public += ROOT.glob("seqdec_lib/*/*.py")  # the pages of the API show it
    texts = [path.read_text(encoding="utf-8") for path in public if path.parent.name != "checks"]
    known = "\n".join(texts + sources_of(ROOT.glob("chapters/*.ipynb")))
    secret = secrets_of_the_coursework()
    index = words((site / "searchindex.js").read_text(encoding="utf-8"))
    assert "returns_to_go" in index, "the index keeps names as they are"
    telling = {word for word in words(secret) - words(known) if "_" in word}
    assert len(telling) > 10 and not telling & index
    known = squeezed(known)
    lines = {squeezed(line) for line in secret.splitlines()}
    lines = {line for line in lines if len(line) > 25 and line not in known}
    assert len(lines) > 200
    for path in pages_in(site):
        page = re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8"))
        text = squeezed(html.unescape(page))
        assert not [line for line in lines if line in text], path.name
    assert not list(site.rglob("a[0-9].*"))


# The checkers themselves, on folders with one fault each


def write(folder: Path, **files: str) -> Path:
    """Write files named like `index_html` into `folder`."""
    for name, text in files.items():
        folder.joinpath(name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def test_a_sound_folder_passes(tmp_path: Path) -> None:
    write(
        tmp_path,
        index_html='<h1 id="top of">x</h1><a href="next.html#here">n</a><a href="#top%20of">t</a>'
        '<a href="https://example.org/">out</a><img src="a.svg" alt=""><a href="mailto:a@b">m</a>'
        '<svg xmlns="http://www.w3.org/2000/svg"></svg><link rel="license" href="https://e.org/">',
        next_html='<p id="here"></p><script>const space = "http://www.w3.org/2000/svg";</script>',
        a_svg='<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
        a_css="/* url(https://example.org/a.png) */ a { background: url(data:image/png;base64,) }",
        a_js='const help = "see https://example.org/ for more";',
    )
    assert site_checks.dead_links(tmp_path) == []
    assert site_checks.missing_files(tmp_path) == []
    assert site_checks.outside_requests(tmp_path, ("a.js",)) == []


def test_a_dead_link_is_caught(tmp_path: Path) -> None:
    write(tmp_path, index_html='<a href="chapter.html">x</a>')
    assert site_checks.dead_links(tmp_path) == ["index.html: dead link chapter.html"]


def test_a_dead_anchor_is_caught(tmp_path: Path) -> None:
    write(tmp_path, index_html='<a href="b.html#gone">x</a><a href="#none">', b_html="<p id=here>")
    assert site_checks.dead_links(tmp_path) == [
        "index.html: dead anchor b.html#gone",
        "index.html: dead anchor #none",
    ]


def test_a_missing_image_is_caught(tmp_path: Path) -> None:
    write(tmp_path, index_html='<img src="gone.png">')
    assert site_checks.missing_files(tmp_path) == ["index.html: missing file gone.png"]


@pytest.mark.parametrize(
    "fault",
    [
        '<script src="https://cdn.example.org/x.js"></script>',
        '<script src="//cdn.example.org/x.js"></script>',
        '<script>load("https://cdn.example.org/x.js")</script>',
        '<script>window.MathJax = {loader: {paths: {a: "https://cdn.example.org"}}}</script>',
        "<script>import(`https://cdn.example.org/${name}.js`)</script>",
        '<link rel="stylesheet" href="https://fonts.example.org/f.css">',
        '<link rel="preconnect" href="https://fonts.example.org">',
        '<link rel="dns-prefetch" href="//fonts.example.org">',
        '<img src="http://example.org/a.png">',
        '<img srcset="a.png 1x, https://example.org/b.png 2x">',
        '<picture><source srcset="https://example.org/b.webp"></picture>',
        '<iframe src="https://example.org/"></iframe>',
        '<video poster="https://example.org/p.png"></video>',
        '<object data="https://example.org/p.svg"></object>',
        "<p style=\"background: url('https://example.org/p.png')\">",
        '<style>@import "https://example.org/a.css";</style>',
        "<style>@font-face { src: url(https://example.org/a.woff2) }</style>",
        '<meta http-equiv="refresh" content="0; url=https://example.org/">',
        "<p onclick=\"fetch('https://example.org/')\">",
    ],
)
def test_an_outside_request_in_a_page_is_caught(tmp_path: Path, fault: str) -> None:
    write(tmp_path, index_html=f"<html><body>{fault}</body></html>")
    assert len(site_checks.outside_requests(tmp_path)) == 1


@pytest.mark.parametrize(
    "files",
    [
        {"a_css": "@import url(//example.org/a.css);"},
        {"a_css": "@font-face { src: url('https://example.org/a.woff2') }"},
        {"own_js": 'const host = "https://example.org/x.js";'},
        {"other_js": 'fetch("https://example.org/x.json")'},
        {"other_js": 's=document.createElement("script");s.src="https://example.org/x.js"'},
        {"other_js": 'r.open("GET", "https://example.org/x.json")'},
        {"a_svg": '<svg><image href="https://example.org/a.png"/></svg>'},
    ],
)
def test_an_outside_request_in_an_asset_is_caught(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, **files)
    assert len(site_checks.outside_requests(tmp_path, ("own.js",))) == 1
