"""Every page of the site in Chromium: wide, narrow, dark and printed."""

import html
import re
from pathlib import Path

import numpy as np
import pytest
import report
from built import pages_in
from fontTools.ttLib import TTFont
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import WHOLE, elsewhere, needs_chromium, visit

ROOT = Path(__file__).resolve().parent.parent
AXE = (ROOT / "tests" / "axe" / "axe.min.js").read_text(encoding="utf-8")
SCREENSHOTS = ROOT / "tests" / "screenshots"
pytestmark = [pytest.mark.slow, needs_chromium]

MODES = {
    "desktop": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "print": {"viewport": {"width": 794, "height": 1123}, "color_scheme": "light"},
}
# What depends on nothing but the text is asked once; colors and sizes in each mode.
RULES = {
    "desktop": {},
    "phone": {"runOnly": ["target-size", "scrollable-region-focusable"]},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
    "print": {"runOnly": ["color-contrast"]},
}
SEEN = """() => ({
    sideways: document.documentElement.scrollWidth - window.innerWidth,
    formulas: document.querySelectorAll(".math").length,
    typeset: [...document.querySelectorAll(".math > math")].filter(
        (formula) => formula.checkVisibility() === formula.parentElement.checkVisibility()
            && !formula.querySelector("merror") && !/\\\\/.test(formula.textContent)).length,
    cut: [...document.querySelectorAll("span.math")].filter((formula) => {
        const text = formula.closest("p, li, dd, td, th, figcaption") ?? formula.parentElement;
        return getComputedStyle(formula).overflow !== "visible"
            || formula.getBoundingClientRect().right > text.getBoundingClientRect().right + 1;
    }).length,
})"""
# A page has thousands of colored words of code and parts of formulas, all made by one rule of style
# a kind. One of each kind is enough to judge them, and the rest would take minutes.
SHORTENED = """() => {
    const seen = new Set();
    for (const block of document.querySelectorAll("article pre")) {
        const kinds = [...block.querySelectorAll("*")].map((part) => part.className);
        const news = kinds.some((kind) => !seen.has(kind)) || !seen.has("pre");
        [...kinds, "pre"].forEach((kind) => seen.add(kind));
        if (!news) block.textContent = "…";
    }
    const parts = [...document.querySelectorAll("article math")].slice(5);
    parts.forEach((formula) => formula.replaceChildren());
    const plain = [...document.querySelectorAll("article section > p:not([class], [id])")];
    plain.slice(20).filter((text) => !text.firstElementChild).forEach((text) => text.remove());
    document.querySelectorAll("article svg g ~ g").forEach((frame) => frame.remove());
}"""
AXE_RUN = """async (options) => {
    const always = { resultTypes: ["violations"], preload: false };
    const found = await axe.run(document, { ...always, ...options });
    return found.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes[0].html.slice(0, 200)}`);
}"""
SHIFT = """() => new Promise((done) => {
    let sum = 0;
    const add = (list) => { for (const entry of list.getEntries()) sum += entry.value; };
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 200);
})"""


def complaints(page: Page, address: str, mode: str) -> list[str]:
    """What is wrong with a page as it is read from a disk."""
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    visit(page, address)
    if mode == "print":
        page.emulate_media(media="print")
    page.add_style_tag(content=WHOLE)
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestIdleCallback(done)))"
    )
    seen = page.evaluate(SEEN)
    page.evaluate(SHORTENED)
    page.evaluate(AXE)
    found = page.evaluate(AXE_RUN, RULES[mode])
    found += errors + elsewhere(asked)
    if seen["sideways"] > 0:
        found.append(f"scrolls sideways by {seen['sideways']} pixels")
    if seen["typeset"] < seen["formulas"]:
        found.append(f"{seen['formulas'] - seen['typeset']} formulas are not typeset")
    if seen["cut"] > 0:
        found.append(f"{seen['cut']} formulas of the text are cut off")
    return found


@pytest.mark.parametrize("mode", MODES)
def test_every_page_is_sound(browser: Browser, site: Path, mode: str) -> None:
    """No violation of axe's rules, no error, no request to elsewhere, all formulas, no overflow."""
    context = browser.new_context(**MODES[mode])
    wrong = {}
    for path in pages_in(site):
        page = context.new_page()
        if found := complaints(page, path.as_uri(), mode):
            wrong[path.name] = found
        page.close()
    context.close()
    assert wrong == {}


def test_a_page_with_faults_is_complained_about(browser: Browser, tmp_path: Path) -> None:
    place = tmp_path / "faults.html"
    place.write_text(
        '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1>'
        '<p style="width: 3000px; color: #eee; background: #fff">wide and pale</p>'
        '<span class="math">\\(x\\)</span><script>null.x</script><img src="x.png">'
        '<p><span class="math" style="overflow: hidden"><math><mi>x</mi></math></span></p>',
        encoding="utf-8",
    )
    context = browser.new_context(**MODES["desktop"])
    found = " ".join(complaints(context.new_page(), place.as_uri(), "desktop"))
    context.close()
    faults = "image-alt", "color-contrast", "Cannot read", "sideways", "not typeset", "cut off"
    for fault in faults:
        assert fault in found


@pytest.mark.parametrize("word", ["regret", "Gumbel", "서울"])
def test_the_search_finds(browser: Browser, site: Path, word: str) -> None:
    """Typed into the dialog of a chapter, as a reader would, from a disk."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    visit(page, (site / "chapters" / "01_the_tree_problem.html").as_uri())
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill(word)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("search.html"))
    page.locator("#search-results li a").first.wait_for()
    assert page.locator("#search-results li").count() > 0 and errors == []
    page.close()


def test_a_reader_chooses_light_or_dark_and_it_stays(browser: Browser, site: Path) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    visit(page, (site / "index.html").as_uri())
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "light"
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        if page.evaluate(theme) == "dark":
            break
    assert page.evaluate(theme) == "dark"
    page.goto((site / "references.html").as_uri())
    assert page.evaluate(theme) == "dark"
    context.close()


ASKED_AHEAD = """() => performance.getEntriesByType("resource")
    .filter((file) => file.initiatorType === "link").map((file) => file.name.split("/").at(-1))"""


def test_the_first_view_of_every_chapter_is_light(browser: Browser, site: Path) -> None:
    """At most 600 kilobytes and 20 requests, no font twice; and nothing moves when they come.

    The faces of the frame around each text are asked for before the style sheet names them: while
    one is missing, the browser looks for others on the machine, at every size anew.
    """
    with report.served(site) as host:
        for path in sorted(site.glob("chapters/*.html")):
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            page = context.new_page()
            files = report.first_view(page, f"{host}/chapters/{path.name}", site)
            assert sum(file.sent for file in files) <= 600_000, path.name
            assert len(files) <= 20, path.name
            fonts = [file.name for file in files if file.kind == "font"]
            assert len(set(fonts)) == len(fonts)
            faces = {"fa-solid-900.woff", "mono.woff2", "serif.woff2"}
            assert faces <= set(page.evaluate(ASKED_AHEAD)), path.name
            assert page.evaluate(SHIFT) < 0.1, path.name
            context.close()


@pytest.mark.parametrize(
    ("body", "has_text"),
    [
        ("<main><p>a text</p></main>", True),
        ("<p>beside it</p><main></main>", True),
        ('<main><img alt="" src="dot.svg" width="300" height="300"></main>', False),
        ("", False),
    ],
)
def test_weighing_a_page_ends(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, has_text: bool
) -> None:
    """With a time where there is text, in no face of the book either, and else with an error."""
    monkeypatch.setattr(report, "PATIENCE", 1000)
    monkeypatch.setattr(report, "ROUNDS", 1)
    (tmp_path / "dot.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="9"/></svg>'
    )
    (tmp_path / "a.html").write_text(f"<!doctype html><title>x</title>{body}", encoding="utf-8")
    with report.served(tmp_path) as host:
        if has_text:
            assert report.milliseconds_to_text(browser, f"{host}/a.html") > 0
        else:
            with pytest.raises(RuntimeError, match="a.html shows no text"):
                report.milliseconds_to_text(browser, f"{host}/a.html")


EARLY = """addEventListener("DOMContentLoaded", () => {
    window.early = "ClipboardJS" in window;
});"""


def test_the_text_of_every_chapter_comes_before_its_scripts(browser: Browser, site: Path) -> None:
    """And a page has few parts, since each of them costs a slow processor time."""
    context = browser.new_context()
    context.add_init_script(EARLY)
    page = context.new_page()
    for path in sorted(site.glob("chapters/*.html")):
        visit(page, path.as_uri())
        assert page.evaluate("() => [early, 'ClipboardJS' in window]") == [False, True], path.name
        assert page.locator("*").count() < 9_000, path.name
    context.close()


def test_nothing_stands_between_a_reader_and_the_text(site: Path) -> None:
    """One style sheet and no script is waited for, and none may run that the page did not name."""
    for path in pages_in(site):
        text = path.read_text(encoding="utf-8")
        scripts = re.findall(r"<script\b[^>]*\bsrc=[^>]*>", text)
        assert [script for script in scripts if "defer" not in script] == []
        assert len(re.findall(r'rel="stylesheet"', text)) <= 2, path.name
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
        sources = re.search(r"script-src ([^;]*)", html.unescape(policy))[1].split()
        assert all(s == "'self'" or s.startswith("'sha256-") for s in sources), path.name


def test_the_fonts_of_the_book_have_every_sign_on_its_pages(site: Path) -> None:
    have = {"️", "⁡"}  # how the sign before is drawn; what stands before is applied to what follows
    for path in (ROOT / "site" / "assets" / "fonts").glob("*.woff2"):
        have |= set(map(chr, TTFont(path).getBestCmap()))
    for path in pages_in(site):
        text = re.sub(
            r"<(script|style|svg)\b.*?</\1>|<[^>]*>", "", path.read_text("utf-8"), flags=re.DOTALL
        )
        missing = {sign for sign in html.unescape(text) if sign.isprintable()} - have
        assert missing == set(), f"{path.name}: run site/fonts.py again, or choose other signs"


@pytest.mark.parametrize("name", ["index", "chapters/02_the_bellman_equation"])
@pytest.mark.parametrize("mode", ["desktop", "dark"])
def test_pages_look_as_they_did(browser: Browser, site: Path, name: str, mode: str) -> None:
    """At half their size; three pixels of a hundred may differ, as between versions of Chromium."""
    file = f"{name.rpartition('/')[2]}-{mode}.png"
    context = browser.new_context(**MODES[mode], device_scale_factor=0.5)
    page = context.new_page()
    page.goto((site / f"{name}.html").as_uri(), wait_until="networkidle")
    page.evaluate("() => document.fonts.ready")
    new = ROOT / "_build" / "screenshots" / file
    page.screenshot(path=new)
    context.close()
    hint = f"look at {new}; if that is how it should look, copy it to {SCREENSHOTS}"
    assert (SCREENSHOTS / file).is_file(), hint
    before, now = (np.asarray(Image.open(p).convert("L"), int) for p in (SCREENSHOTS / file, new))
    assert before.shape == now.shape and np.mean(abs(before - now) > 40) < 0.03, hint
