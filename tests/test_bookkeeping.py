"""site/bookkeeping.py: a cell goes only where nobody misses it."""

import pytest
from bookkeeping import dispensable
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output


def teaching(source: str) -> NotebookNode:
    return new_code_cell(source)


def bookkeeping(source: str, *records: str) -> NotebookNode:
    """A cell out of sight, with the outputs of what it recorded."""
    outputs = [
        new_output("display_data", metadata={"scrapbook": {"name": name}}) for name in records
    ]
    return new_code_cell(source, metadata={"tags": ["remove-cell"]}, outputs=outputs)


CLAIM = 'claim("it is one", x == 1)'


def test_claims_go_and_everything_else_stays() -> None:
    cells = [
        new_markdown_cell("text"),
        teaching("x = 1"),
        bookkeeping(CLAIM, "claim: it is one"),
        bookkeeping('record("x", x)', "x"),
        bookkeeping("assert x == 1"),
        teaching("x + 1"),
    ]
    assert dispensable(cells) == [2, 4]


def test_a_cell_that_records_stays_with_its_claims() -> None:
    cell = bookkeeping(f'record("x", x)\n{CLAIM}', "x", "claim: it is one")
    assert dispensable([teaching("x = 1"), cell]) == []


@pytest.mark.parametrize(
    "later",
    [
        "print(worst)",
        "worst += 1",
        "worst = worst + 1",
        "def f():\n    return worst",
        "[worst for _ in range(3)]",
        "best = 1\nprint(worst)",
        "for i in range(3):\n    print(worst)",
    ],
)
def test_a_name_that_a_later_cell_needs_is_an_error_that_names_it(later: str) -> None:
    cells = [teaching("best = 2"), bookkeeping("worst = best\n" + CLAIM), teaching(later)]
    with pytest.raises(ValueError, match="`worst`"):
        dispensable(cells)


@pytest.mark.parametrize(
    "later",
    [
        "print(best)",
        "worst = 1\nprint(worst)",
        "for worst in range(3):\n    print(worst)",
        "def f(worst):\n    return worst",
        "[worst for worst in range(3)]",
        "with open('x') as worst:\n    worst.read()",
        "%time best",
    ],
)
def test_a_name_that_later_cells_make_themselves_is_none_that_they_need(later: str) -> None:
    cells = [teaching("best = 2"), bookkeeping("worst = best\n" + CLAIM), teaching(later)]
    assert dispensable(cells) == [1]


@pytest.mark.parametrize(
    "source",
    ["model.fit(trips)", "values[0] = 1", "x += 1", "print(x)", "del x", "for i in x:\n    f(i)"],
)
def test_a_cell_that_does_more_than_keep_accounts_may_not_be_out_of_sight(source: str) -> None:
    with pytest.raises(ValueError, match="more than record and claim"):
        dispensable([bookkeeping(f"{source}\n{CLAIM}")])
