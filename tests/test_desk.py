"""The desk: what a reader wrote is never touched, and what they did not write is never old."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import desk
from desk import Desk, Stop, digest, names_beside, writing
from start_here import START_HERE, start_here

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["01_the_tree.ipynb", "02_the_equation.ipynb", "START HERE.ipynb"]


def markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str, count: int | None = None, result: str = "") -> dict:
    shown = [{"output_type": "stream", "name": "stdout", "text": result}] if result else []
    return markdown(text) | {"cell_type": "code", "execution_count": count, "outputs": shown}


def notebook(text: str, result: str = "1") -> bytes:
    """A notebook of the book with some text, and a cell whose result is committed."""
    content = {"cells": [markdown(text), code("print(1)", 1, result)], "metadata": {}}
    return json.dumps(content | {"nbformat": 4, "nbformat_minor": 4}).encode()


def ran(content: bytes) -> bytes:
    """What a front end saves when a notebook was opened, run to its last cell and closed."""
    changed = json.loads(content)
    changed["nbformat_minor"] = 5
    changed["metadata"]["language_info"] = {"name": "python", "version": "3.13.0"}
    for number, cell in enumerate(changed["cells"]):
        source = "".join(cell["source"]).splitlines(keepends=True)
        cell |= {"id": f"new-{number}", "metadata": {"collapsed": True}, "source": source}
        if cell["cell_type"] == "code":
            cell |= code("", 7, "another") | {"source": source}
    changed["cells"].append(code("") | {"id": "last"})
    return json.dumps(changed, indent=1).encode()


def written_in(content: bytes, text: str) -> bytes:
    """What is saved when a reader wrote something into a notebook, and ran it too."""
    changed = json.loads(content)
    changed["cells"].append(markdown(text))
    return ran(json.dumps(changed).encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty desk, in a path with a space and Hangul."""
    path = tmp_path / "내 책상 desk"
    path.mkdir()
    return path


def lay(folder: Path, edition: dict[str, bytes], again: tuple[str, ...] = ()) -> list[str]:
    """Lay a desk as a new process does, which knows nothing but the folder."""
    return Desk(folder).lay(edition, again)


def contents(folder: Path) -> dict[str, bytes]:
    """What a reader sees on a desk."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


# -- what counts as written


def test_running_is_no_writing() -> None:
    assert writing(ran(notebook("a"))) == writing(notebook("a", "2"))


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: cells.reverse(),
        lambda cells: cells.pop(),
        lambda cells: cells.append(code("2")),
        lambda cells: cells[0].update(source="a "),
        lambda cells: cells[0].update(cell_type="raw"),
        lambda cells: cells[0].update(attachments={"a.png": {"image/png": ""}}),
    ],
)
def test_every_change_of_a_cell_is_writing(change: object) -> None:
    changed = json.loads(notebook("a"))
    change(changed["cells"])
    assert writing(json.dumps(changed).encode()) != writing(notebook("a"))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": 1}', b'{"cells": [1]}', b'{"cells": [{}]}', b"\xff"]
)
def test_what_is_no_notebook_counts_as_it_is(content: bytes) -> None:
    assert writing(content) == digest(content) != writing(content + b" ")


def test_no_name_beside_looks_like_a_chapter() -> None:
    """The leaderboard reads `01_*.ipynb`, so a second one would show each of its rows twice."""
    names = names_beside("01_the_tree.ipynb")
    first = [next(names) for _ in range(3)]
    assert first[:2] == ["01 the tree (new).ipynb", "01 the tree (new 2).ipynb"]
    assert not any(Path(name).match("01_*.ipynb") for name in first)


# -- what happens to a file


def test_what_was_not_changed_is_renewed(folder: Path) -> None:
    assert lay(folder, {NAMES[0]: notebook("a")}) == []
    assert contents(folder) == {NAMES[0]: notebook("a")}
    for newer in (notebook("b"), notebook("b", "2")):
        assert lay(folder, {NAMES[0]: newer}) == [f"Renewed: {NAMES[0]}"]
        assert contents(folder) == {NAMES[0]: newer}
    assert lay(folder, {NAMES[0]: newer}) == []


def test_what_was_only_run_is_renewed_when_the_text_is_new(folder: Path) -> None:
    lay(folder, {NAMES[0]: notebook("a")})
    (folder / NAMES[0]).write_bytes(ran(notebook("a")))
    lay(folder, {NAMES[0]: notebook("a", "2")})
    assert contents(folder) == {NAMES[0]: ran(notebook("a"))}, "the text is the same"
    lay(folder, {NAMES[0]: notebook("b")})
    assert contents(folder) == {NAMES[0]: notebook("b")}


def test_what_was_changed_stays_and_the_new_one_is_put_beside_and_named(folder: Path) -> None:
    lay(folder, {NAMES[0]: notebook("a")})
    mine = written_in(notebook("a"), "mine")
    (folder / NAMES[0]).write_bytes(mine)
    assert lay(folder, {NAMES[0]: notebook("a")}) == [], "there is nothing new"
    (news,) = lay(folder, {NAMES[0]: notebook("b")})
    beside = "01 the tree (new).ipynb"
    assert NAMES[0] in news and beside in news
    assert contents(folder) == {NAMES[0]: mine, beside: notebook("b")}
    assert lay(folder, {NAMES[0]: notebook("b")}) == []


def test_editions_do_not_pile_up_beside_a_changed_file(folder: Path) -> None:
    lay(folder, {NAMES[0]: notebook("a")})
    mine = written_in(notebook("a"), "mine")
    (folder / NAMES[0]).write_bytes(mine)
    for text in "bcdefg":
        lay(folder, {NAMES[0]: notebook(text)})
        (folder / "01 the tree (new).ipynb").write_bytes(ran(notebook(text)))
    lay(folder, {NAMES[0]: notebook("z")})
    assert contents(folder) == {NAMES[0]: mine, "01 the tree (new).ipynb": notebook("z")}


def test_a_changed_new_one_stays_too(folder: Path) -> None:
    lay(folder, {NAMES[0]: notebook("a")})
    for text, name in zip("bc", [NAMES[0], "01 the tree (new).ipynb"], strict=True):
        (folder / name).write_bytes(written_in((folder / name).read_bytes(), "mine"))
        before = contents(folder)
        lay(folder, {NAMES[0]: notebook(text)})
        assert before.items() <= contents(folder).items()
    assert contents(folder)["01 the tree (new 2).ipynb"] == notebook("c")


def test_a_deleted_new_one_comes_back_with_the_next_edition_only(folder: Path) -> None:
    lay(folder, {NAMES[0]: notebook("a")})
    (folder / NAMES[0]).write_bytes(written_in(notebook("a"), "mine"))
    lay(folder, {NAMES[0]: notebook("b")})
    beside = folder / "01 the tree (new).ipynb"
    beside.unlink()
    lay(folder, {NAMES[0]: notebook("b", "2")})
    assert not beside.exists()
    lay(folder, {NAMES[0]: notebook("c")})
    assert beside.read_bytes() == notebook("c")


def test_a_new_one_goes_when_the_reader_has_taken_it_over(folder: Path) -> None:
    lay(folder, {NAMES[0]: notebook("a")})
    (folder / NAMES[0]).write_bytes(written_in(notebook("a"), "mine"))
    lay(folder, {NAMES[0]: notebook("b")})
    shutil.copy(folder / "01 the tree (new).ipynb", folder / NAMES[0])
    lay(folder, {NAMES[0]: notebook("c")})
    assert contents(folder) == {NAMES[0]: notebook("c")}


def test_what_was_deleted_comes_back_on_request_only(folder: Path) -> None:
    lay(folder, {name: notebook("a") for name in NAMES})
    (folder / NAMES[1]).unlink()
    edition = {name: notebook("b") for name in NAMES}
    lay(folder, edition)
    assert NAMES[1] not in contents(folder)
    lay(folder, edition, again=(NAMES[1],))
    assert contents(folder) == edition


def test_a_clean_copy_keeps_what_was_written(folder: Path) -> None:
    edition = {NAMES[0]: notebook("a")}
    lay(folder, edition)
    mine = [written_in(notebook("a"), text) for text in "xyz"]
    for content in mine:
        (folder / NAMES[0]).write_bytes(content)
        (news,) = lay(folder, edition, again=(NAMES[0],))
        assert "(mine" in news
    kept = contents(folder)
    assert kept.pop(NAMES[0]) == notebook("a")
    assert sorted(kept.values()) == sorted(mine)
    (folder / NAMES[0]).write_bytes(ran(notebook("a")))
    assert lay(folder, edition, again=(NAMES[0],)) == []
    assert contents(folder) == {NAMES[0]: notebook("a")} | kept


def test_a_chapter_that_left_the_book_leaves_the_desk_unless_it_was_changed(folder: Path) -> None:
    lay(folder, {name: notebook("a") for name in NAMES})
    (folder / NAMES[0]).write_bytes(ran(notebook("a")))
    (folder / NAMES[1]).write_bytes(written_in(notebook("a"), "mine"))
    edition = {NAMES[2]: notebook("a")}
    news = lay(folder, edition)
    assert len(news) == 2 and NAMES[0] in news[0] and NAMES[1] in news[1]
    assert set(contents(folder)) == {NAMES[1], NAMES[2]}
    assert lay(folder, edition) == [], "it is said once"


def test_what_lay_there_before_is_the_readers(folder: Path) -> None:
    (folder / NAMES[0]).write_bytes(b"homework")
    (folder / NAMES[1]).mkdir()
    lay(folder, {name: notebook("a") for name in NAMES})
    assert (folder / NAMES[0]).read_bytes() == b"homework" and (folder / NAMES[1]).is_dir()
    assert (folder / "01 the tree (new).ipynb").read_bytes() == notebook("a")
    assert (folder / "02 the equation (new).ipynb").read_bytes() == notebook("a")


@pytest.mark.parametrize("ledger", [None, b"", b"{", b"[1]", b'{"laid": 1, "given": {}}'])
def test_without_its_ledger_the_desk_is_the_readers(folder: Path, ledger: bytes | None) -> None:
    edition = {name: notebook("a") for name in NAMES}
    lay(folder, edition)
    mine = written_in(notebook("a"), "mine")
    (folder / NAMES[0]).write_bytes(mine)
    (folder / desk.LEDGER).unlink()
    if ledger is not None:
        (folder / desk.LEDGER).write_bytes(ledger)
    lay(folder, edition)
    beside = {"01 the tree (new).ipynb": notebook("a")}
    assert contents(folder) == edition | {NAMES[0]: mine} | beside


# -- any story at all


class Interrupted(BaseException):
    """The power fails: nothing is cleaned up that the program does not clean up at once."""


class Story(RuleBasedStateMachine):
    """A reader, a book that changes, and laying that is interrupted anywhere.

    `kept` is all that the reader has written and not thrown away themselves.
    """

    names = st.sampled_from(NAMES)
    texts = st.text("abc", min_size=1, max_size=2)

    @initialize()
    def begin(self) -> None:
        self.folder = Path(os.environ["DESK_OF_THE_STORY"])
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.edition = {name: notebook("first") for name in NAMES}
        self.kept: list[bytes] = []
        self.deleted: set[str] = set()
        self.number = 0
        self.lay()

    def there(self) -> list[str]:
        return sorted(contents(self.folder))

    @rule(data=st.data())
    def run(self, data: st.DataObject) -> None:
        """The reader runs something."""
        if there := self.there():
            path = self.folder / data.draw(st.sampled_from(there))
            old, new = path.read_bytes(), ran(path.read_bytes())
            self.kept = [new if content == old else content for content in self.kept]
            path.write_bytes(new)

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """The reader writes something that nobody wrote before."""
        if there := self.there():
            path = self.folder / data.draw(st.sampled_from(there))
            self.forget(path)
            self.number += 1
            path.write_bytes(written_in(path.read_bytes(), f"mine {self.number}"))
            self.kept.append(path.read_bytes())

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """The reader throws something away."""
        if there := self.there():
            path = self.folder / data.draw(st.sampled_from(there))
            self.forget(path)
            path.unlink()
            # An interruption just after a file was written leaves it out of the ledger, so that it
            # comes back once.
            self.deleted |= {path.name} & set(NAMES) & set(Desk(self.folder).given)

    def forget(self, path: Path) -> None:
        if path.read_bytes() in self.kept:
            self.kept.remove(path.read_bytes())

    @rule(name=names, text=texts, result=texts)
    def change_the_book(self, name: str, text: str, result: str) -> None:
        """A chapter gets another text or other outputs; one that was gone comes back."""
        self.edition[name] = notebook(text, result)

    @precondition(lambda self: len(self.edition) > 1)
    @rule(name=names)
    def withdraw(self, name: str) -> None:
        """A chapter leaves the book."""
        self.edition.pop(name, None)

    @rule(again=st.sets(names))
    def lay(self, again: frozenset[str] = frozenset()) -> None:
        """The desk is laid, to the end."""
        wanted = again & set(self.edition)
        Desk(self.folder).lay(self.edition, sorted(wanted))
        self.deleted = (self.deleted - wanted) & set(self.edition)
        for name, content in self.edition.items():
            path = self.folder / name
            if name in self.deleted:
                assert not path.exists(), "it comes back on request only"
            elif path.read_bytes() not in self.kept:
                assert writing(path.read_bytes()) == writing(content), "it is not old"
        assert len(self.there()) <= len(self.edition) + 2 * len(self.kept), "nothing piles up"
        assert not list(self.folder.glob(f"{desk.UNFINISHED}*"))

    @rule(step=st.integers(0, 25), again=st.sets(names))
    def interrupt(self, step: int, again: frozenset[str]) -> None:
        """The desk is laid, and after some step of the file system everything stops."""
        left = iter(range(step))

        def stops(function: object) -> object:
            def wrapped(*arguments: object, **options: object) -> object:
                if next(left, None) is None:
                    raise Interrupted
                return function(*arguments, **options)

            return wrapped

        with pytest.MonkeyPatch.context() as patch:
            for name in ("replace", "fsync"):
                patch.setattr(os, name, stops(getattr(os, name)))
            for name in ("unlink", "rename", "open"):
                patch.setattr(Path, name, stops(getattr(Path, name)))
            try:
                # Of what was deleted nobody could say whether it is back now.
                Desk(self.folder).lay(self.edition, sorted(again & set(self.edition) - self.deleted))
            except Interrupted:
                pass

    @invariant()
    def nothing_of_the_readers_is_lost(self) -> None:
        if hasattr(self, "kept"):
            there = list(contents(self.folder).values())
            assert all(content in there for content in self.kept)

    @invariant()
    def nothing_is_half_written(self) -> None:
        if hasattr(self, "kept"):
            for content in contents(self.folder).values():
                assert json.loads(content)["cells"]


def test_any_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_OF_THE_STORY", str(tmp_path / "책상 desk"))
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no power fails here
    run_state_machine_as_test(
        Story, settings=settings(max_examples=60, stateful_step_count=20, deadline=None)
    )
