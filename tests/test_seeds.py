"""Measuring a chapter with several seeds, and the table that shows it."""

import json

import nbformat
import pytest

from seqdec_lib.book import seeds

SOURCE = """
from seqdec_lib import book
from seqdec_lib.book import record

seed = book.start(budget=5)
record("twice", 2.0 * seed)
record("word", "not a number")
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "99_tiny.ipynb"
    cell = nbformat.v4.new_code_cell(SOURCE)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def test_each_seed_gives_its_own_number_and_all_are_kept(notebook, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(seeds, "FILE", tmp_path / "seeds.json")
    (tmp_path / "seeds.json").write_text('{"other": {"a": [1.0]}}')
    before = notebook.read_bytes()
    seeds.main([str(notebook), "--seeds", "3"])
    assert notebook.read_bytes() == before
    kept = json.loads((tmp_path / "seeds.json").read_text())
    assert kept == {"other": {"a": [1.0]}, "99_tiny": {"twice": [0.0, 2.0, 4.0]}}
    assert "twice" in capsys.readouterr().out
    lines = seeds.table("99_tiny", {"twice": "two times", "none": "unknown"}).data.splitlines()
    assert len(lines) == 3 and lines[2].startswith("| two times | 2.000 | -2.968 | 6.968 | 3 |")


def test_a_single_seed_has_no_interval(tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "FILE", tmp_path / "seeds.json")
    (tmp_path / "seeds.json").write_text('{"x": {"a": [0.25]}}')
    assert seeds.table("x", {"a": "one"}).data.splitlines()[2] == "| one | 0.250 | | | 1 |"


def test_what_was_never_measured_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "FILE", tmp_path / "none.json")
    assert len(seeds.table("x", {"a": "one"}).data.splitlines()) == 2


def test_a_number_of_seeds_is_needed(notebook):
    with pytest.raises(ValueError, match="seeds"):
        seeds.measure(notebook, 0)
