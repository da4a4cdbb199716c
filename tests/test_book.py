"""A chapter's first cell, its records, its claims and its leaderboard."""

import ast
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
import torch
from IPython.core.formatters import PlainTextFormatter

from seqdec_lib import book
from seqdec_lib.book import boards, records


@pytest.fixture(autouse=True)
def own_rows_and_style(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("SEQDEC_SEED", raising=False)
    monkeypatch.setattr(records, "someone_watches", lambda: False)
    threads = torch.get_num_threads()
    with matplotlib.rc_context():
        yield
    torch.set_num_threads(threads)
    records.recorded_here.clear()
    boards.seconds_here.clear()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What was displayed: (data, metadata)."""
    calls: list[tuple] = []

    def display(data: dict, raw: bool, metadata: dict) -> None:
        assert raw
        calls.append((data, metadata))

    monkeypatch.setattr(records, "display", display)
    return calls


def write_chapter(path: Path, shown: list[tuple]) -> None:
    """A notebook whose only cell displayed all this; then forget it."""
    cell = nbformat.v4.new_code_cell("...")
    cell.outputs = [
        nbformat.v4.new_output("display_data", data=data, metadata=metadata)
        for data, metadata in shown
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    shown.clear()


# -- start


def draws() -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(()))]  # noqa: NPY002


def test_start_seeds_everything(shown: list, monkeypatch: pytest.MonkeyPatch) -> None:
    assert book.start(budget=20) == 0
    first = draws()
    assert book.start(budget=20) == 0
    assert draws() == first
    assert book.start(budget=20, seed=1) == 1
    assert not set(draws()) & set(first)
    assert torch.get_num_threads() == 1
    assert shown[0][1]["scrapbook"]["name"] == "cpu_budget"


def test_the_environment_shifts_the_seed(shown: list, monkeypatch: pytest.MonkeyPatch) -> None:
    book.start(budget=20, seed=7)
    expected = draws()
    monkeypatch.setenv("SEQDEC_SEED", "5")
    assert book.start(budget=20, seed=2) == 7
    assert draws() == expected


@pytest.mark.parametrize("text", ["", "one", "-1", "1.5"])
def test_an_odd_seed_in_the_environment_is_refused(
    text: str, shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQDEC_SEED", text)
    with pytest.raises(ValueError, match="SEQDEC_SEED must be a whole number .* came; set"):
        book.start(budget=20)


@pytest.mark.parametrize("budget", [0, -1, 90.1, float("nan"), float("inf"), True, "20", None])
def test_odd_budgets_are_refused(budget: object, shown: list) -> None:
    with pytest.raises(ValueError, match=r"CPU seconds in \(0, 90\].* came"):
        book.start(budget)
    assert not shown


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_odd_seeds_are_refused(seed: object, shown: list) -> None:
    with pytest.raises(ValueError, match="seed must be a whole number"):
        book.start(20, seed)


# -- record


@pytest.mark.parametrize("value", [0.1, -3, 1e-30, 3**40, True, "text", "it's", "lines\nof it", ""])
def test_a_record_is_what_glue_writes(
    value: object, shown: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    glue = pytest.importorskip("myst_nb.ext.glue")
    monkeypatch.setattr(glue, "ipy_display", records.display)
    monkeypatch.setattr(  # the one of a running IPython, which there is none of here
        glue.IPython.core.formatters,
        "format_display_data",
        lambda value: ({"text/plain": PlainTextFormatter()(value)}, {}),
    )
    book.record("key", value)
    glue.glue("key", value, display=False)
    ours, theirs = shown
    assert ours == theirs


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.float64(0.1), 0.1), (np.float32(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True)],
)
def test_scalars_of_numpy_are_recorded_as_pythons(
    value: object, plain: object, shown: list
) -> None:
    book.record("key", value)
    book.record("key", plain)
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        np.float64("-inf"),
        None,
        [1.0],
        np.ones(1),
        torch.ones(()),
        1j,
        np.datetime64("2020-01-01"),
    ],
)
def test_what_no_prose_can_show_is_refused(value: object, shown: list) -> None:
    with pytest.raises(ValueError, match=r"finite number or a string.* came; .*\.item\(\)"):
        book.record("key", value)
    assert not shown


@pytest.mark.parametrize("key", ["", "  ", None, 3])
def test_a_record_needs_a_name(key: object, shown: list) -> None:
    with pytest.raises(ValueError, match="a record needs a name"):
        book.record(key, 1)


def test_what_was_recorded_can_be_read_back(shown: list, tmp_path: Path) -> None:
    values = {"float": 0.1 + 0.2, "int": 3**40, "bool": False, "text": 'it\'s\n"so"'}
    for key, value in values.items():
        book.record(key, value)
    shown.append(({"text/plain": "something else"}, {}))
    write_chapter(tmp_path / "01_x.ipynb", shown)
    read = book.recorded(tmp_path / "01_x.ipynb")
    assert read == values
    assert [type(value) for value in read.values()] == [float, int, bool, str]


def test_a_record_is_shown_to_whoever_watches_and_to_nobody_else(
    shown: list, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def all_kinds() -> str:
        book.record("share", np.float64(0.25))
        book.claim("All is well.", True)
        book.add_to_leaderboard("mine", 0.5)
        return capsys.readouterr().out

    assert all_kinds() == ""
    recorded = list(shown)
    monkeypatch.setattr(records, "someone_watches", lambda: True)
    assert all_kinds() == "share = 0.25\ntrue: All is well.\n"
    assert shown == 2 * recorded


# -- claim


def test_a_claim_is_recorded_under_its_words(shown: list, tmp_path: Path) -> None:
    book.claim("None of the nine fails.", True)
    book.claim("It's “so”.", np.bool_(True))
    write_chapter(tmp_path / "01_x.ipynb", shown)
    read = book.recorded(tmp_path / "01_x.ipynb")
    assert read == {"claim: None of the nine fails.": True, "claim: It's “so”.": True}


@pytest.mark.parametrize("condition", [False, np.bool_(False)])
def test_a_false_claim_raises_and_quotes_the_sentence(condition: object, shown: list) -> None:
    with pytest.raises(AssertionError, match='the chapter says "None of the nine fails."'):
        book.claim("None of the nine fails.", condition)
    assert shown[0][0] == {"application/papermill.record/text/plain": "False"}


@pytest.mark.parametrize(
    "condition", [1, 0, 0.5, "yes", None, np.array(True), np.array([True]), torch.tensor(True), []]
)
def test_a_claim_is_decided_by_a_bool_alone(condition: object, shown: list) -> None:
    with pytest.raises(ValueError, match=r"takes True or False, but .* came"):
        book.claim("None of the nine fails.", condition)
    assert not shown


@pytest.mark.parametrize("words", ["", " \n", None, True])
def test_a_claim_needs_words(words: object, shown: list) -> None:
    with pytest.raises(ValueError, match="needs words of the chapter"):
        book.claim(words, True)
    assert not shown


# -- leaderboard


def methods(table: object) -> list[str]:
    return [line.split("|")[1].strip() for line in table.data.splitlines()[2:]]


def test_the_leaderboard_has_the_rows_of_all_chapters_so_far_best_first(
    shown: list, tmp_path: Path
) -> None:
    for chapter, rows in {1: {"random": 1.0, "optimal": 0.0}, 2: {"learner": 0.2}}.items():
        book.start(budget=1)
        for method, regret in rows.items():
            book.add_to_leaderboard(method, regret)
        write_chapter(tmp_path / f"{chapter:02}_x.ipynb", shown)
    book.start(budget=1)
    book.add_to_leaderboard(
        "cloner", np.float64(0.1), needs=("expert", "model"), trajectories=np.int64(1000), steps=5
    )
    assert methods(book.leaderboard(3, tmp_path)) == ["optimal", "cloner", "learner", "random"]
    assert methods(book.leaderboard(1, tmp_path)) == ["cloner"]
    (line,) = [line for line in book.leaderboard(3, tmp_path).data.splitlines() if "cloner" in line]
    assert line == "| cloner | 0.100 | model, expert | 1,000 | 5 | 3 |"
    data, metadata = shown[-1]
    assert metadata["scrapbook"]["name"] == "leaderboard: cloner"
    assert (
        json.loads(ast.literal_eval(data["application/papermill.record/text/plain"]))["regret"]
        == 0.1
    )


def test_a_row_added_twice_stands_once(shown: list, tmp_path: Path) -> None:
    book.add_to_leaderboard("mine", 0.5)
    book.add_to_leaderboard("mine", 0.4)
    assert methods(book.leaderboard(1, tmp_path)) == ["mine"]
    book.start(budget=1)
    assert methods(book.leaderboard(1, tmp_path)) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"regret": float("nan")},
        {"regret": 0.1, "while_learning": float("inf")},
        {"regret": 0.1, "needs": ("luck",)},
        {"regret": 0.1, "trajectories": -1},
        {"regret": 0.1, "steps": 0.5},
    ],
)
def test_odd_rows_are_refused(arguments: dict, shown: list) -> None:
    with pytest.raises(ValueError, match="must be .* came"):
        book.add_to_leaderboard("mine", **arguments)
    assert not shown


def test_the_rows_of_a_chapter_and_its_copy_count_once(shown: list, tmp_path: Path) -> None:
    """JupyterLab names a copy 01_x-Copy1.ipynb, which is read for chapter 1 too."""
    for name, regret in {"01_x-Copy1.ipynb": 0.9, "01_x.ipynb": 0.1}.items():
        book.start(budget=1)
        book.add_to_leaderboard("learner", regret)
        write_chapter(tmp_path / name, shown)
    book.start(budget=1)  # chapter 2 has no rows of its own
    (row,) = book.rows(book.LEADERBOARD, 2, tmp_path)
    assert row["regret"] == 0.1


def test_a_lap_time_has_a_board_of_its_own(shown: list, tmp_path: Path) -> None:
    book.add_to_leaderboard("mine", 0.5)
    book.add_lap_time("driver", np.float64(12.346), crashes=np.int64(1200), steps=5)
    book.add_lap_time("expert", 9, needs=("model",), crashes_a_lap=np.float64(0.0625))
    assert methods(book.leaderboard(1, tmp_path)) == ["mine"]
    assert methods(book.lap_times(1, tmp_path)) == ["expert", "driver"]
    table = book.lap_times(1, tmp_path).data
    assert "| driver | 12.35 |  | - | 0 | 5 | 1,200 |  |" in table
    assert "| expert | 9.00 | 0.062 | model |" in table
    infinite = {"lap_time": 1, "crashes_a_lap": float("inf")}
    for odd in ({"lap_time": float("nan")}, {"lap_time": 1, "crashes": -1}, infinite):
        with pytest.raises(ValueError, match="must be .* came"):
            book.add_lap_time("odd", **odd)


def test_what_a_method_cost_is_shown_where_it_is_asked_for(shown: list, tmp_path: Path) -> None:
    for _ in range(2):
        with book.stopwatch("learner", runs=10):
            begin = time.process_time()
            while time.process_time() < begin + 0.1:
                pass
    book.add_to_leaderboard("learner", 0.25, steps=6, while_learning=0.5)
    (row,) = book.rows(book.LEADERBOARD, 1)
    assert 0.02 <= row["cpu_seconds"] < 0.1  # twice a tenth of a tenth
    write_chapter(tmp_path / "01_x.ipynb", shown)
    book.start(budget=1)
    assert book.rows(book.LEADERBOARD, 2, tmp_path) == [row]
    line = f"| learner | 0.250 | nothing | 0 | 6 | 0.50 | {row['cpu_seconds']:.2g} | 1 |"
    assert line in book.leaderboard(2, tmp_path, costs=True).data
    assert "0.50" not in book.leaderboard(2, tmp_path).data
