"""The desk in JupyterLab, in a real browser: what a reader sees, runs and solves."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from desk import Desk, digest, edition_of, lab_command, trust, writing
from playwright.sync_api import Page
from start_here import START_HERE

from seqdec_lib.book import recorded
from seqdec_lib.book.records import CLAIM
from seqdec_lib.checks import OF_CHAPTERS
from tests.browser import needs_chromium, opened
from tests.reading import shortest
from tests.test_solutions import solution_blocks

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.name for path in (ROOT / "chapters").glob("*.ipynb"))
pytestmark = needs_chromium
QUIET = ["background-networking", "component-update", "sync", "quic"]
WAIT = 240  # seconds; what never comes ends here, what is slow on a busy machine does not
BARS = "bars.ipynb"
# Each cell is attached to the page, wherever the page is scrolled to.
TRACKER = {"windowingMode": "none", "recordTiming": False}


@pytest.fixture(scope="module")
def folder(notebooks: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk as it was just laid, in a path with a space and Hangul."""
    folder = tmp_path_factory.mktemp("책상 desk")
    Desk(folder).lay(edition_of(ROOT, notebooks[0].parent))
    begin = "import time\nfrom seqdec_lib.progress import show_cell_bars\nshow_cell_bars()"
    cells = [
        nbformat.v4.new_code_cell(begin),
        nbformat.v4.new_code_cell("time.sleep(4)", metadata={"seqdec": {"seconds": 30}}),
    ]
    metadata = nbformat.read(folder / START_HERE, as_version=4).metadata  # the kernel, above all
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / BARS)
    return folder


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that runs as `make lab` runs it, with settings of its own."""
    home = tmp_path_factory.mktemp("home")
    places = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"IPYTHONDIR": str(home / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(home)}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    settings = home / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(TRACKER))
    options = ["--no-browser", "--allow-root", "--LabApp.expose_app_in_browser=True"]
    with (home / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        for name, value in places.items():
            patch.setenv(name, value)
        trust(folder.glob("*.ipynb"))
        command = lab_command(folder / START_HERE, options)
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield address(server, home)
        finally:
            server.terminate()
            server.wait()


def address(server: subprocess.Popen, home: Path) -> str:
    """Where a server listens, as soon as it does."""
    for _ in range(10 * WAIT):
        assert server.poll() is None, (home / "log").read_text()
        for path in (home / "RUNTIME").glob("jpserver-*.json"):
            if text := path.read_text():
                said = json.loads(text)
                return f"{said['url']}lab/tree/{START_HERE}?token={said['token']}"
        time.sleep(0.1)
    raise TimeoutError((home / "log").read_text())


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Page]:
    """JupyterLab in the browser, once START HERE is there. It may ask no other host."""
    flags = [f"--disable-{each}" for each in QUIET] + ["--no-first-run"]
    with opened(1300, 1000, *flags) as (page, asked):
        page.set_default_timeout(1000 * WAIT)
        page.goto(lab)
        page.get_by_role("heading", name="Start here").wait_for()
        yield page
    hosts = {urlsplit(url).hostname for url in asked}
    assert hosts - {None, ""} == {urlsplit(lab).hostname}


OPEN = """async ([path, run]) => {
    const kernel = run ? {} : {shouldStart: false, canStart: false, autoStartDefault: false};
    const panel = await window.jupyterapp.commands.execute(
        "docmanager:open", {path, factory: "Notebook", kernelPreference: kernel});
    await panel.context.ready;
    await panel.revealed;
    if (run) await panel.sessionContext.ready;
    await Promise.all(panel.content.widgets.map(cell => cell.ready));
    panel.node.dataset.open = path;
}"""
CLOSE = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.save();
    await panel.sessionContext.shutdown();
    panel.dispose();
}"""
# What is in each cell: its text without formulas and code, whether it has a figure that is drawn.
SEEN = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = panel.content.widgets.map(cell => {
        const rendered = cell.node.querySelector(".jp-MarkdownOutput");
        const text = (rendered || cell.node).cloneNode(true);
        text.querySelectorAll("mjx-container, code, pre").forEach(node => node.remove());
        const image = cell.node.querySelector(".jp-OutputArea-output :is(img, svg)");
        const outputs = cell.model.type === "code" ? cell.model.outputs.toJSON() : [];
        return {
            kind: cell.model.type,
            text: rendered ? text.textContent.trim() : "",
            isFigure: outputs.some(output => output.data && output.data["image/png"]),
            isDrawn: image !== null && image.getBoundingClientRect().height > 50,
        };
    });
    const count = selector => panel.node.querySelectorAll(selector).length;
    const [formulas, faults] = [count("mjx-container"), count("mjx-merror")];
    return {cells, formulas, faults, still: count(".figure-fallback")};
}"""
UNTYPESET = re.compile(r"\$|\\[a-zA-Z]{2,}")
MARKUP = re.compile(r"\{[a-z][\w:+-]*\}|:::|`{3}|^\([a-z][\w-]*\)=", re.MULTILINE)


def look(page: Page, name: str) -> dict:
    """What a reader sees of a chapter, once its formulas are typeset and its figures drawn."""
    page.evaluate(OPEN, [name, False])
    seen, before = page.evaluate(SEEN), None
    for _ in range(5 * WAIT):
        texts = "".join(cell["text"] for cell in seen["cells"])
        drawn = all(cell["isDrawn"] for cell in seen["cells"] if cell["isFigure"])
        if seen == before and drawn and not seen["still"] and not UNTYPESET.search(texts):
            break
        time.sleep(0.2)
        before, seen = seen, page.evaluate(SEEN)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.dispose()")
    return seen


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_reads_like_the_page(page: Page, folder: Path, name: str) -> None:
    seen = look(page, name)
    texts = [cell["text"] for cell in seen["cells"] if cell["kind"] == "markdown"]
    laid = nbformat.read(folder / name, as_version=4).cells
    assert len(texts) == sum(cell.cell_type == "markdown" for cell in laid) and all(texts)
    assert [found for text in texts for found in MARKUP.findall(text)] == []
    assert [found for text in texts for found in UNTYPESET.findall(text)] == []
    numbered = (folder / name).read_text(encoding="utf-8").count("\\\\tag{")
    assert seen["formulas"] > numbered > 0 and seen["faults"] == 0
    assert seen["still"] == 0, "an interactive figure moves before its cell was run"
    figures = [
        (cell, after["text"])
        for cell, after in zip(seen["cells"], seen["cells"][1:], strict=False)
        if cell["isFigure"]
    ]
    assert figures and all(cell["isDrawn"] for cell, _ in figures)
    label = name.partition("_")[0].lstrip("0")  # a number, or an appendix's letter
    for number, (_, words) in enumerate(figures, start=1):
        assert re.match(rf"Figure {label}\.{number}\. \S", words), "its own caption"


def test_there_is_no_button_that_calls_work_right_that_it_has_not_tried(page: Page) -> None:
    """nbgrader's Validate sees no hidden test, so it is content with everything."""
    plugins = page.evaluate("() => window.jupyterapp.listPlugins()")
    assert "@jupyterlab/notebook-extension:tracker" in plugins
    assert [plugin for plugin in plugins if "nbgrader" in plugin] == []


DONE = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets
        .filter(cell => cell.model.type === "code" && cell.model.sharedModel.source.trim());
    const failed = cell => cell.node.querySelector("[data-mime-type$='error']");
    return cells.some(failed) || cells.every(cell => cell.model.executionCount !== null);
}"""


def run_all(page: Page, name: str) -> None:
    """Open a notebook, forget its outputs, choose "Run All Cells" in the menu, wait for the end."""
    page.evaluate(OPEN, [name, True])
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.locator(".lm-MenuBar-itemLabel").get_by_text("Run", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(DONE)


def test_a_chapter_runs_from_top_to_bottom_and_an_exercise_can_be_solved(
    page: Page, folder: Path
) -> None:
    name = shortest(ROOT.glob("chapters/*.ipynb")).name
    laid = (folder / name).read_bytes()
    run_all(page, name)
    assert page.locator("[data-mime-type$='stderr'], [data-mime-type$='error']").count() == 0
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
    saved = (folder / name).read_bytes()
    assert digest(saved) != digest(laid) and writing(saved) == writing(laid), "it was only run"
    wanted, found = (
        {key for key in recorded(place / name) if not key.startswith(CLAIM)}
        for place in (ROOT / "chapters", folder)
    )
    assert wanted == found, "later chapters find what it recorded"
    lay_again = Desk(folder).lay(edition_of(ROOT, ROOT / "_build" / "notebooks"))
    assert lay_again == [] and (folder / name).read_bytes() == saved

    exercise, solution = next(
        (exercise, block)
        for block in solution_blocks()
        for exercise in OF_CHAPTERS
        if f"def {exercise}(" in block and f'check(\\"{exercise}\\"'.encode() in laid
    )
    cell = page.locator(".jp-CodeCell").filter(has_text=f'check("{exercise}"')
    assert "not filled in yet" in cell.locator(".jp-OutputArea-output").inner_text()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f'{solution}\ncheck("{exercise}", {exercise})')
    page.keyboard.press("Control+Enter")
    cell.get_by_text(f"{exercise}: right").wait_for()
    page.evaluate(CLOSE)
    assert Desk(folder).is_the_readers(name)


def test_a_bar_shows_while_a_cell_runs_and_is_gone_afterwards(page: Page, folder: Path) -> None:
    page.evaluate(
        """() => {
            window.bars = [];
            window.watcher = new MutationObserver(() => {
                const bar = document.querySelector(".jp-OutputArea-output progress");
                if (bar) window.bars.push(bar.parentElement.textContent);
            });
            window.watcher.observe(document.body, {childList: true, subtree: true});
        }"""
    )
    run_all(page, BARS)
    texts = page.evaluate("() => { window.watcher.disconnect(); return window.bars; }")
    assert any(re.search(r"[123] s of about 30 s", text) for text in texts)
    assert page.locator("progress").count() == 0
    outputs = page.locator(".jp-OutputArea-output:visible").all()
    assert [output.bounding_box()["height"] for output in outputs if output.inner_text()] == []
    page.evaluate(CLOSE)
    cells = nbformat.read(folder / BARS, as_version=4).cells
    assert all(output.data == {} for cell in cells for output in cell.outputs)
