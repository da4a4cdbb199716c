"""The desk: what a reader wrote is never touched, and what they did not write is never old."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import desk
import freshness
import nbformat
import pytest
from desk import Desk, Stop, digest, names_beside, writing
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
from start_here import START_HERE

from seqdec_lib.book import recorded

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
        self.orphans: set[str] = set()  # written before an interruption, and in no ledger
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
        if (self.folder / name).exists() and name not in Desk(self.folder).given:
            self.orphans.add(name)  # it might be the reader's, so it stays

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
        most = len(self.edition) + 2 * len(self.kept) + len(self.orphans)
        assert len(self.there()) <= most, "nothing piles up"
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
                Desk(self.folder).lay(
                    self.edition, sorted(again & set(self.edition) - self.deleted)
                )
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


def test_what_an_interruption_left_out_of_the_ledger_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_OF_THE_STORY", str(tmp_path / "desk"))
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for step in range(26):
        story = Story()
        story.begin()
        story.interrupt(step, set(NAMES))
        story.withdraw(NAMES[-1])
        story.lay()
        story.nothing_is_half_written()


def test_any_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_OF_THE_STORY", str(tmp_path / "책상 desk"))
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no power fails here
    run_state_machine_as_test(
        Story, settings=settings(max_examples=60, stateful_step_count=20, deadline=None)
    )


# -- from the book to the desk


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The folder of a book of two chapters whose notebooks are current."""
    folder = tmp_path / "the book 책"
    shutil.copytree(ROOT / "site", folder / "site", ignore=lambda *_: ["assets", "__pycache__"])
    notebooks = folder / "_build" / "notebooks"
    notebooks.mkdir(parents=True)
    chapters = sorted((ROOT / "chapters").glob("0[12]*.ipynb"))
    for path in chapters:
        shutil.copy(path, notebooks)
    shutil.copy(ROOT / "_toc.yml", folder)
    freshness.stamp(folder, notebooks)
    return folder


def run(book: Path, *options: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Run the book's own site/desk.py without opening JupyterLab."""
    home = book.parent / "home 집"
    home.mkdir(exist_ok=True)
    places = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    return subprocess.run(
        [*before, sys.executable, str(book / "site" / "desk.py"), "--closed", *options],
        env=os.environ | places | {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=book.parent,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_the_desk_is_laid_in_the_book_s_folder(book: Path) -> None:
    for _ in range(2):
        result = run(book)
        assert result.returncode == 0, result.stderr
        assert result.stderr == "" and str(book / "desk") in result.stdout
    names = {path.name for path in (book / "_build" / "notebooks").glob("*.ipynb")}
    assert set(contents(book / "desk")) == names | {START_HERE} and len(names) == 2


def test_start_here_maps_the_chapters(book: Path) -> None:
    assert run(book).returncode == 0
    notebook = nbformat.read(book / "desk" / START_HERE, as_version=4)
    nbformat.validate(notebook)
    text = "\n".join(cell.source for cell in notebook.cells)
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| (\d+) min \| (\d+) s \| (\d+) \|$", text, re.M)
    assert len(rows) == 2
    for title, link, minutes, seconds, exercises in rows:
        path = book / "desk" / unquote(link)
        first = nbformat.read(path, as_version=4).cells[0].source
        assert first.startswith(f"# {title}\n")
        assert float(seconds) == recorded(path)["cpu_budget"]
        assert 5 <= int(minutes) <= 120 and 3 <= int(exercises) <= 12
    assert "{" not in text.replace("{}", ""), "every blank is filled in"


def read_only(*folders: Path) -> tuple[str, ...]:
    """What a command begins with that can't write to some folders; root can write anywhere else."""
    if os.name == "nt" or os.geteuid() != 0:
        for folder in folders:
            folder.chmod(0o555)
        return ()
    if not shutil.which("bwrap"):
        pytest.skip("root can write anywhere, and bubblewrap is not installed")
    binds = [word for folder in folders for word in ("--ro-bind", str(folder), str(folder))]
    return ("bwrap", "--dev-bind", "/", "/", *binds, "--")


def test_without_permission_the_desk_is_at_home_and_that_is_said(book: Path) -> None:
    result = run(book, before=read_only(book))
    book.chmod(0o755)
    assert result.returncode == 0, result.stderr
    place = book.parent / "home 집" / desk.AT_HOME
    assert str(place) in result.stdout and not (book / "desk").exists()
    assert START_HERE in contents(place) and len(contents(place)) == 3


def test_without_any_place_one_sentence_says_so(book: Path) -> None:
    home = book.parent / "home 집"
    home.mkdir()
    result = run(book, before=read_only(book, home))
    for folder in (book, home):
        folder.chmod(0o755)
    assert result.returncode == 1 and result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert str(book / "desk") in line and str(home / desk.AT_HOME) in line


@pytest.mark.parametrize("options", [["--again", "7"], ["gone.ipynb"]])
def test_what_is_not_there_is_named(book: Path, options: list[str]) -> None:
    result = run(book, *options)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert options[-1] in line


@pytest.mark.parametrize("word", ["1", "01", "01_the_tree.ipynb"])
def test_a_reader_names_a_chapter_by_its_number_or_its_file(word: str) -> None:
    assert desk.chosen({name: b"" for name in [*NAMES, "11_x.ipynb"]}, [word]) == [NAMES[0]]


def test_notebooks_are_made_when_the_sources_have_changed(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def build(root: Path, out: Path) -> None:
        made.append(out)
        freshness.stamp(root, out)

    monkeypatch.setitem(sys.modules, "notebooks", SimpleNamespace(build=build))
    out = book / "_build" / "notebooks"

    def times_made() -> int:
        made.clear()
        assert desk.notebooks_of(book, book / "desk") == out
        return len(made)

    assert times_made() == 0
    (book / "chapters").mkdir()
    (book / "chapters" / "01_the_tree.ipynb").write_bytes(notebook("a"))
    assert times_made() == 1 and times_made() == 0
    (out / "02_the_bellman_equation.ipynb").unlink()
    assert times_made() == 1 and times_made() == 0
    (book / "site" / "desk.py").write_text("")
    assert times_made() == 1 and times_made() == 0


def test_a_folder_without_notebooks_leaves_the_desk_alone(book: Path) -> None:
    with pytest.raises(Stop, match="no notebooks"):
        desk.edition_of(book, book / "site")


def test_git_does_not_see_the_desk(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout

    git("init", "--quiet")
    shutil.copy(ROOT / ".gitignore", tmp_path)
    git("add", ".")
    git("commit", "--quiet", "-m", "the book")
    (tmp_path / "desk").mkdir()
    lay(tmp_path / "desk", {name: notebook("a") for name in NAMES})
    (tmp_path / "desk" / "notes.py").write_text("1\n")
    assert git("status", "--porcelain") == b""


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_hands_on_paths_as_they_are() -> None:
    # Under `make test` the environment holds what that make was told; this one starts afresh.
    of_make = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
    clean = {name: value for name, value in os.environ.items() if name not in of_make}

    def shown(*words: str) -> str:
        words = ("make", "--old-file=env", "lab", *words)
        run = subprocess.run(words, cwd=ROOT, env=clean, check=True, capture_output=True, text=True)
        return run.stdout

    path = '/tmp/a b/한글\'s "$HOME" 1.ipynb'
    # make doubles its own sign; the shell must find the name in one piece.
    file = f"FILE={path}".replace("$", "$$")
    assert shown("IN_ENV=printf '%s\\n'", file).splitlines() == ["site/desk.py", path]
    assert shown("IN_ENV=echo", "AGAIN=1 2") == "site/desk.py --again 1 2\n"
