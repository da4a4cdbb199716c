"""site/elsewhere.py: what a notebook says where the library is missing, and where it can run."""

import importlib.util
from types import SimpleNamespace
from typing import Any

import pytest
from elsewhere import add_launch_buttons, install_cell, repository
from IPython.core.inputtransformer2 import TransformerManager

URL = "https://github.com/somebody/a-book"


def app(url: str = "") -> Any:
    """What these functions read of Sphinx: the settings that come of `repository:`."""
    options = {"repository_url": url} if url else {}
    return SimpleNamespace(config=SimpleNamespace(html_theme_options=options))


def run(url: str, monkeypatch: pytest.MonkeyPatch, installed: bool, answer: str = "") -> list[str]:
    """Run the first cell; return what it asked and what it told pip."""
    said: list[str] = []
    found = object() if installed else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    monkeypatch.setattr("builtins.input", lambda question: said.append(question) or answer)
    names: dict[str, Any] = {}

    def magic(name: str, line: str) -> None:
        said.append(f"%{name} {line.format_map(names)}")

    names["get_ipython"] = lambda: SimpleNamespace(run_line_magic=magic)
    exec(TransformerManager().transform_cell(install_cell(app(url)).source), names)
    return said


@pytest.mark.parametrize("url", ["", URL])
def test_inside_the_books_environment_the_first_cell_is_silent(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(url, monkeypatch, installed=True) == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("url", ["", URL])
def test_elsewhere_it_says_in_one_line_what_to_install(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(url, monkeypatch, installed=False)
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 1 and "%pip install" in told[0] and url in told[0]


@pytest.mark.parametrize(("answer", "installs"), [("y", True), (" Yes", True), ("n", False)])
def test_it_installs_what_it_named_only_if_it_may(
    answer: str, installs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, *told_pip = run(URL, monkeypatch, installed=False, answer=answer)
    assert bool(told_pip) == installs
    assert all("%pip install" in line and f"git+{URL}" in line for line in told_pip)


@pytest.mark.parametrize("end", ["", "/", ".git"])
def test_the_repository_is_the_owner_and_the_name_of_its_address(end: str) -> None:
    assert repository(app(URL + end)) == "somebody/a-book"


def test_an_address_that_is_no_repository_is_an_error() -> None:
    with pytest.raises(ValueError, match="must look like"):
        repository(app("https://example.org/book"))


def buttons(url: str, page: str, doctree: object = object()) -> list[str]:
    context: dict[str, Any] = {"header_buttons": []}
    add_launch_buttons(app(url), page, "page.html", context, doctree)
    return [button["url"] for group in context["header_buttons"] for button in group["buttons"]]


def test_a_chapter_can_be_run_elsewhere_as_its_readers_notebook() -> None:
    colab, binder = buttons(URL, "chapters/01_x")
    assert colab.endswith("/github/somebody/a-book/blob/notebooks/01_x.ipynb")
    assert binder.endswith("/gh/somebody/a-book/notebooks?urlpath=lab/tree/01_x.ipynb")


def test_without_a_repository_and_outside_chapters_there_are_no_such_links() -> None:
    assert buttons("", "chapters/01_x") == []
    assert buttons(URL, "index") == buttons(URL, "search", None) == []
