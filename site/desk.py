"""Lay the reader's notebooks on a desk of the reader's own, and open JupyterLab there.

    python site/desk.py                    renew the desk and open it
    python site/desk.py --again 01 07      and put clean copies of chapters 1 and 7 there
    python site/desk.py --closed           renew the desk only, for VS Code or a hub
    python site/desk.py path/a1.ipynb      open a notebook where it is

Further options, as `--no-browser`, are handed on to JupyterLab.

The desk is the folder `desk` of the book, or where that can't be written one in the home folder.
It is the reader's. What they have not changed is renewed. What they have changed is never written
to: a newer edition of it is put beside it, as "01 the tree problem (new).ipynb". What they have
deleted stays away. To change means to write: a cell's text, its type, its place. Running a notebook
changes its outputs and counts, and is no change, because running the renewed one makes them again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from itertools import chain, count, takewhile
from pathlib import Path

from freshness import is_current
from start_here import START_HERE, start_here

ROOT = Path(__file__).resolve().parent.parent
AT_HOME = "Sequential Decision-Making"  # the desk of whoever can't write to the book's folder
LEDGER = ".desk.json"
UNFINISHED = ".unfinished-"


class Stop(Exception):
    """The desk can't be laid or opened; the message is one sentence that says what to do."""


# -- what counts as the reader's


def digest(content: bytes) -> str:
    """A hash of all bytes of a file."""
    return hashlib.sha256(content).hexdigest()


def writing(content: bytes) -> str:
    """A hash of what somebody wrote: of a notebook, all but its outputs, counts and metadata.

    Empty cells don't count, since running the last cell adds one. What is no notebook is hashed as
    it is.
    """
    try:
        cells = [
            [cell["cell_type"], "".join(cell["source"]), cell.get("attachments") or {}]
            for cell in json.loads(content)["cells"]
        ]
        written = [cell for cell in cells if cell[1].strip() or cell[2]]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return digest(content)
    return digest(json.dumps(written, sort_keys=True).encode())


def names_beside(name: str, kind: str = "new") -> Iterator[str]:
    """Names for another version of a file: "01 the tree problem (new).ipynb", "... (new 2)", ...

    They don't begin as a chapter's name does, since the leaderboard reads every `01_*.ipynb`.
    """
    stem, suffix = os.path.splitext(name.replace("_", " "))
    return (f"{stem} ({text}){suffix}" for text in chain([kind], (f"{kind} {n}" for n in count(2))))


# -- the desk


class Desk:
    """A folder of the reader's, and a ledger of what was laid there.

    The ledger holds the hashes of all files that ever came from the book (`laid`: from all bytes to
    what is written in them), and which of them was last laid under which name (`given`). A hash is
    entered before its file is written and a name after it. So an interruption, wherever it comes,
    lets a file of the book still be known as the book's, and one of the reader's as the reader's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.news: list[str] = []
        self.written: list[Path] = []
        self.laid: dict[str, str] = {}
        self.given: dict[str, str] = {}
        try:
            ledger = json.loads((folder / LEDGER).read_bytes())
            self.laid, self.given = dict(ledger["laid"]), dict(ledger["given"])
        except (OSError, ValueError, TypeError, LookupError):
            pass  # without a ledger everything that lies there is the reader's

    def lay(self, edition: dict[str, bytes], again: Iterable[str] = ()) -> list[str]:
        """Renew the desk; return what the reader should know, a sentence each.

        Parameters
        ----------
        edition : the files of the book, by name.
        again : names of those of which the reader wants a clean copy.
        """
        self.news, self.written = [], []
        for left_over in self.folder.glob(f"{UNFINISHED}*"):
            left_over.unlink()
        self.laid |= {digest(content): writing(content) for content in edition.values()}
        self._save()
        for name in again:
            self._clear(name)
        current = {here for name, content in edition.items() for here in self._place(name, content)}
        for name in sorted(set(self.given) - current):
            self._withdraw(name)
        return self.news

    def is_the_readers(self, name: str) -> bool:
        """Whether what lies under a name was written, or put there, by the reader."""
        path = self.folder / name
        if not path.is_file():
            return os.path.lexists(path)
        content = path.read_bytes()
        return digest(content) not in self.laid and writing(content) not in self.laid.values()

    def _place(self, name: str, content: bytes) -> list[str]:
        """Bring a file of the edition to its name, or beside it; return the names in use."""
        beside, names = names_beside(name), [name]
        while self.is_the_readers(names[-1]) and self._is_news(names[-1], content):
            names.append(next(beside))
        here = names[-1]
        if self.is_the_readers(here):
            return names
        if os.path.lexists(self.folder / here):
            self._renew(here, content)
        elif here not in self.given or (here != name and self._is_news(here, content)):
            self._write(here, content)
            if here != name:
                self.news.append(f"You have changed {name}; the new one is beside it: {here}")
        else:  # the reader deleted it, and nothing that lies beside
            names += takewhile(self.given.__contains__, beside)
        return names

    def _is_news(self, name: str, content: bytes) -> bool:
        """Whether something else is written in `content` than in what was laid there before."""
        return self.laid.get(self.given.get(name)) != writing(content)

    def _renew(self, name: str, content: bytes) -> None:
        """Replace a file of the book by its present edition, unless the reader only ran that."""
        old = (self.folder / name).read_bytes()
        was_run = digest(old) not in self.laid
        if old == content or (was_run and writing(old) == writing(content)):
            self._note(name, content)
        else:
            self._write(name, content)
            self.news.append(f"Renewed: {name}")

    def _clear(self, name: str) -> None:
        """Make room for a clean copy; what the reader has written is kept under another name."""
        # First the ledger: what is missing and not in it comes back after an interruption.
        self.given.pop(name, None)
        self._save()
        path = self.folder / name
        if self.is_the_readers(name):
            free = next(n for n in names_beside(name, "mine") if not self._exists(n))
            path.rename(self.folder / free)
            self.news.append(f"Your {name} is now called {free}")
        else:
            path.unlink(missing_ok=True)

    def _withdraw(self, name: str) -> None:
        """Take away what the book no longer has, unless the reader has changed it."""
        if self.is_the_readers(name):
            self.news.append(f"No longer in the book, and yours: {name}")
        elif self._exists(name):
            (self.folder / name).unlink()
            self.news.append(f"No longer needed: {name}")
        del self.given[name]
        self._save()

    def _exists(self, name: str) -> bool:
        return os.path.lexists(self.folder / name)

    def _write(self, name: str, content: bytes) -> None:
        write_whole(self.folder / name, content)
        self.written.append(self.folder / name)
        self._note(name, content)

    def _note(self, name: str, content: bytes) -> None:
        """Enter what lies under a name now."""
        if self.given.get(name) != digest(content):
            self.given[name] = digest(content)
            self._save()

    def _save(self) -> None:
        ledger = {"laid": self.laid, "given": self.given}
        write_whole(self.folder / LEDGER, json.dumps(ledger, indent=1).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that at any moment there is the old one or the new one, and never half."""
    unfinished = path.with_name(UNFINISHED + uuid.uuid4().hex)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


# -- from the book to the desk


def folder_for_desk(root: Path) -> Path:
    """The first of the places for a desk that can be written to, made if it is not there.

    Raises
    ------
    Stop
        There is none.
    """
    places = [root / "desk", Path.home() / AT_HOME]
    for place in places:
        try:
            place.mkdir(exist_ok=True)
            write_whole(place / f"{UNFINISHED}probe", b"")
            (place / f"{UNFINISHED}probe").unlink()
            return place
        except OSError:
            continue
    raise Stop(f"The desk needs a folder, and neither {places[0]} nor {places[1]} can be written.")


def edition_of(root: Path, notebooks: Path) -> dict[str, bytes]:
    """The files that belong on a desk: START HERE, and the reader's notebooks of a folder."""
    chapters = {path.name: path.read_bytes() for path in sorted(notebooks.glob("*.ipynb"))}
    if not chapters:
        raise Stop(f"There are no notebooks in {notebooks}: delete that folder and try again.")
    return {START_HERE: start_here(chapters, root)} | chapters


def notebooks_of(root: Path, desk: Path) -> Path:
    """The folder of the reader's notebooks; they are made if the sources have changed since.

    Where the book's folder can't be written they are made in a hidden folder of the desk.
    """
    places = [root / "_build" / "notebooks"]
    if desk.parent != root:
        places.append(desk / ".book" / "notebooks")
    for place in places:
        if is_current(root, place):
            return place
    from notebooks import build  # Sphinx takes seconds to come

    print("Making the notebooks from the sources (about half a minute) ...", flush=True)
    build(root, places[-1])
    return places[-1]


def chosen(edition: dict[str, bytes], asked: Iterable[str]) -> list[str]:
    """The names of an edition that a reader means by "1", "01" or "01_the_tree_problem.ipynb"."""
    names = []
    for word in asked:
        start = f"{int(word):02}_" if word.isdecimal() else Path(word).name
        found = [name for name in edition if name.startswith(start)]
        if not found:
            raise Stop(f"The book has no {word!r}; it has {', '.join(edition)}.")
        names += found
    return names


def trust(notebooks: Iterable[Path]) -> None:
    """Tell Jupyter that these notebooks may show what they were committed with, scripts too.

    Otherwise interactive figures stay still until their cells are run.
    """
    if not (notebooks := list(notebooks)):
        return
    import nbformat  # takes seconds
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in notebooks:
        notary.sign(nbformat.read(path, as_version=4))


def lay_desk(root: Path, asked: Iterable[str] = ()) -> Path:
    """Build what is missing, lay the desk, tell what happened; return where START HERE is."""
    folder = folder_for_desk(root)
    edition = edition_of(root, notebooks_of(root, folder))
    desk = Desk(folder)
    for sentence in desk.lay(edition, chosen(edition, asked)):
        print(sentence)
    trust(desk.written)
    where = "" if folder.parent == root else ", because the book's own folder can't be written to"
    print(f"Your desk is {folder}{where}. It is yours: an update changes nothing that you wrote.")
    return folder / START_HERE


def lab_command(path: Path, options: Iterable[str] = ()) -> list[str]:
    """The command that runs JupyterLab in the folder of a notebook, with that notebook open.

    Its settings differ a little from JupyterLab's own: it doesn't ask about news, and leaves away
    the tools for writing assignments. What readers have set themselves comes first.
    """
    settings = f"--LabApp.app_settings_dir={ROOT / 'site' / 'lab'}"
    return [sys.executable, "-m", "jupyterlab", str(path), settings, *options]


def open_lab(path: Path, options: Iterable[str]) -> int:
    """Run JupyterLab until it is stopped; return its exit code."""
    lab = subprocess.Popen(lab_command(path, options))
    while True:
        try:
            return lab.wait()
        except KeyboardInterrupt:  # JupyterLab has got it too, and asks what is meant
            continue


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Do what the command line says; return 0, or 1 after one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # any path can be shown anywhere
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("file", nargs="?", type=Path, help="a notebook to be opened where it is")
    parser.add_argument("--again", nargs="+", default=[], metavar="NN", help="clean copies, please")
    parser.add_argument("--closed", action="store_true", help="renew the desk and open nothing")
    asked, options = parser.parse_known_args(arguments)
    try:
        path = asked.file and asked.file.expanduser().absolute()
        if path and not path.is_file():
            raise Stop(f"There is no notebook {path}.")
        path = path or lay_desk(root, asked.again)
    except (Stop, RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if asked.closed else open_lab(path, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
