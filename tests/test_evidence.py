"""Evidence: what a fingerprint sees, making it again, and showing it in a chapter."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evidence import chapters, keeping
from evidence import fingerprint as prints
from evidence.fingerprint import essence, fingerprint, imports
from seqdec_lib.book import evidence
from seqdec_lib.experience import mean_interval, share_interval

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def read_once() -> Iterator[None]:
    """Most tables are made by the same modules, each of which is read and judged once."""
    whole = cache(essence)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prints, "ast", SimpleNamespace(**vars(ast) | {"parse": cache(ast.parse)}))
        patch.setattr(prints, "imports", cache(lambda tree: tuple(imports(tree))))
        patch.setattr(
            prints, "essence", lambda n: (whole if isinstance(n, ast.Module) else essence)(n)
        )
        yield


@pytest.mark.usefixtures("read_once")
@pytest.mark.parametrize("name", keeping.names())
def test_each_table_is_complete_and_made_by_the_code_as_it_is(name: str) -> None:
    assert keeping.complaints(name) == []


# -- what a fingerprint sees


SCRIPT = "from seqdec_lib.room import walk\nfrom seqdec_lib import other\n\nother.used(walk())\n"
FILES = {
    "script.py": SCRIPT,
    "seqdec_lib/__init__.py": "",
    "seqdec_lib/room/__init__.py": "from seqdec_lib.room.legs import walk\n"
    "from seqdec_lib.room.wings import fly\n",
    "seqdec_lib/room/legs.py": "from seqdec_lib.ground import STEP\ndef walk():\n    return STEP\n",
    "seqdec_lib/room/wings.py": "def fly():\n    return 2\n",
    "seqdec_lib/other/__init__.py": "from seqdec_lib.other.a import used\n"
    "from seqdec_lib.other.b import unused\n",
    "seqdec_lib/other/a.py": "def used(x):\n    return x\n",
    "seqdec_lib/other/b.py": "def unused(x):\n    return x\n",
    "seqdec_lib/ground.py": "STEP = 1\n",
    "seqdec_lib/book.py": "",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A library of two rooms, a script and a notebook that use it."""
    for name, text in FILES.items():
        tmp_path.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath(name).write_text(text)
    cells = [new_markdown_cell("Prose."), new_code_cell("from seqdec_lib.room import fly\nfly()")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "page.ipynb")
    return tmp_path


def print_of(house: Path, *reads: str) -> str:
    return fingerprint(house / "script.py", reads, root=house)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("script.py", "walk())", "walk(), 1)"),
        ("seqdec_lib/room/legs.py", "return STEP", "return -STEP"),
        ("seqdec_lib/ground.py", "1", "2"),
        ("seqdec_lib/other/a.py", "return x", "return x + 1"),
        ("seqdec_lib/room/__init__.py", "legs import walk", "wings import fly as walk"),
    ],
)
def test_a_change_that_the_script_can_meet_changes_the_fingerprint(
    house: Path, name: str, old: str, new: str
) -> None:
    before = print_of(house)
    text = house.joinpath(name).read_text()
    assert old in text
    house.joinpath(name).write_text(text.replace(old, new))
    assert print_of(house) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("seqdec_lib/room/wings.py", "2", "3"),
        ("seqdec_lib/other/b.py", "return x", "return None"),
        ("seqdec_lib/ground.py", "STEP = 1", '"""Doc."""\n\nSTEP = 1  # one'),
        ("seqdec_lib/room/legs.py", "    return", '    "Walk."\n    assert STEP\n    return'),
        ("script.py", "other.used(walk())", "other.used(\n    walk()\n)\nclaim('x', True)"),
    ],
)
def test_a_change_that_changes_no_number_leaves_the_fingerprint(
    house: Path, name: str, old: str, new: str
) -> None:
    before = print_of(house)
    text = house.joinpath(name).read_text()
    assert old in text
    house.joinpath(name).write_text(text.replace(old, new))
    assert print_of(house) == before


def test_a_module_that_moves_leaves_the_fingerprint(house: Path) -> None:
    before = print_of(house)
    house.joinpath("seqdec_lib/room/legs.py").rename(house / "seqdec_lib/room/feet.py")
    front = house / "seqdec_lib/room/__init__.py"
    front.write_text(front.read_text().replace("legs", "feet"))
    assert print_of(house) == before


def test_of_a_notebook_its_code_counts_and_what_it_imports(house: Path) -> None:
    page, before = house / "page.ipynb", print_of(house, "page.ipynb")
    assert before != print_of(house)

    def rewritten(old: str, new: str) -> str:
        page.write_text(page.read_text().replace(old, new))
        return print_of(house, "page.ipynb")

    assert rewritten("Prose.", "Better prose.") == before
    assert rewritten("fly()", "fly() + 1") != before
    assert rewritten("fly() + 1", "fly()") == before
    house.joinpath("seqdec_lib/room/wings.py").write_text("def fly():\n    return 3\n")
    assert print_of(house, "page.ipynb") != before


# -- making it


TABLE = """
from pathlib import Path

SEEDS, CASES, AGREEMENT = range(2), ("a", "b"), 0.1


def run(case, seed):
    with Path("log").open("a") as log:
        print(case, seed, file=log)
    if (case, seed) == ("b", 1) and not Path("repaired").exists():
        raise OSError("no luck")
    return {"number": 10.0 * seed + 1.0}
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A copy of the machinery with a table of its own."""
    shutil.copytree(ROOT / "evidence", tmp_path / "evidence")
    for path in (tmp_path / "evidence" / "tables").iterdir():
        path.unlink() if path.is_file() else shutil.rmtree(path)
    tmp_path.joinpath("evidence/tables/__init__.py").touch()
    tmp_path.joinpath("evidence/tables/tiny.py").write_text(TABLE)
    return tmp_path


def command(workshop: Path, *arguments: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(workshop), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "evidence", *arguments],
        cwd=workshop,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def runs_of(workshop: Path) -> list[str]:
    log = workshop / "log"
    lines = sorted(log.read_text().splitlines()) if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


@pytest.mark.slow
def test_evidence_is_made_once_gone_on_with_and_accepted_if_it_agrees(workshop: Path) -> None:
    kept = workshop / "evidence/tables/tiny.json"
    assert "tiny lacks b, seed 1" in command(workshop, "status").stdout
    failed = command(workshop, "make")
    assert failed.returncode == 1 and "tiny, b, seed 1: no luck" in failed.stdout
    assert runs_of(workshop) == ["a 0", "a 1", "b 0", "b 1"] and not kept.exists()
    workshop.joinpath("repaired").touch()
    assert command(workshop, "make", "tiny").returncode == 0
    assert runs_of(workshop) == ["b 1"]
    numbers = {"0": {"number": 1.0}, "1": {"number": 11.0}}
    assert json.loads(kept.read_text())["results"] == {"a": numbers, "b": numbers}
    assert command(workshop, "make").returncode == 0 and runs_of(workshop) == []
    assert sorted(p.name for p in kept.parent.glob("*.json")) == ["tiny.json"]

    rewrite = workshop / "evidence/tables/tiny.py"
    rewrite.write_text(TABLE.replace("10.0 * seed + 1.0", "10.0 * seed + 2.0"))
    assert "was made by other code" in command(workshop, "status").stdout
    refused = command(workshop, "accept", "tiny", "--because", "nothing changed")
    assert refused.returncode == 1 and "a, seed 0, number: was 1, is 2" in refused.stdout
    assert runs_of(workshop) == ["a 0", "b 0"]
    rewrite.write_text(TABLE.replace("10.0 * seed + 1.0", "1.05 + 10.0 * seed"))
    assert command(workshop, "accept", "tiny", "--because", "other sums").returncode == 0
    assert command(workshop, "status").returncode == 0
    content = json.loads(kept.read_text())
    assert content["results"]["a"] == numbers
    assert [note["because"] for note in content["accepted"]] == ["other sums"]


@pytest.mark.slow
def test_a_chapter_is_measured_without_what_shows_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
from seqdec_lib import book

seed = book.start(budget=5)
book.record("twice", 2.0 * seed)
book.record("word", "not a number")
book.claim("It is 3.", seed == 3)
with book.stopwatch("mine"):
    book.add_to_leaderboard("mine", 0.5)
"""
    cells = [new_code_cell(source), new_code_cell('book.evidence("not yet").table({})')]
    nbformat.write(new_notebook(cells=cells), tmp_path / "99_tiny.ipynb")
    monkeypatch.setattr(chapters, "ROOT", tmp_path)
    assert chapters.measure("99_tiny.ipynb", seed=3) == {"twice": 6.0}


# -- showing it


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved = (2, 0, 10, 1, 3)  # as runs side by side happen to end
    runs = {str(s): {"loss": s / 10, "won": s > 0, "odd": 0.5} for s in saved}
    content = {"results": {"plain": runs, "other": {"0": {"loss": 7.0}, "1": {"loss": 9.0}}}}
    (tmp_path / "tiny.json").write_text(json.dumps(content))
    return tmp_path


def test_a_table_shows_means_with_intervals_over_seeds(folder: Path) -> None:
    tiny, losses = evidence("tiny", folder), np.array([0, 1, 2, 3, 10]) / 10
    assert (tiny.values("loss") == losses).all()  # in the order of the seeds
    found = mean_interval(losses)
    assert tiny.estimate("loss") == found
    assert tiny.estimate("loss", "other").mean == 8
    assert tiny.share("won") == share_interval(4, 5)
    line = f"| the loss | 0.320 | {found.low:.3f} | {found.high:.3f} | 5 |"
    assert tiny.table({"loss": "the loss"}).data.splitlines()[2] == line


def test_what_was_not_measured_is_refused(folder: Path) -> None:
    tiny = evidence("tiny", folder)
    for key, case in (("gain", None), ("loss", "gone"), ("won", "other")):
        with pytest.raises(ValueError, match="was not measured with each seed"):
            tiny.values(key, case)
    with pytest.raises(ValueError, match="must be 0 or 1"):
        tiny.share("odd")
    with pytest.raises(ValueError, match="which is not there"):
        evidence("gone", folder)
