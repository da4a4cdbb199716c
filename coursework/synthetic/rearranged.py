"""The students whose notebooks' cells are not those that were handed out."""

from __future__ import annotations

import copy
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

from coursework.synthetic.people import Person, filled_in


def _cells(change: Callable[[list[NotebookNode]], list[NotebookNode]]) -> Callable:
    def work(notebook: NotebookNode) -> NotebookNode:
        notebook = copy.deepcopy(notebook)
        notebook.cells = change(notebook.cells)
        return notebook

    return work


def _renamed(cells: list[NotebookNode]) -> list[NotebookNode]:
    for cell in cells:
        cell.metadata.nbgrader.grade_id = f"my-{cell.metadata.nbgrader.grade_id}"
    return cells


def _split(cells: list[NotebookNode]) -> list[NotebookNode]:
    """As JupyterLab copies and splits cells: all parts keep the name."""
    parts = []
    for cell in cells:
        function, _, check = cell.source.partition("\n\n\n")
        if cell.cell_type == "code" and cell.metadata.nbgrader.solution:
            head = function.partition("\n    return")[0]
            stub = f"{head}\n    # YOUR CODE HERE\n    raise NotImplementedError\n\n\n{check}"
            for source in (function, check, stub):
                parts.append(copy.deepcopy(cell))
                parts[-1].source = source
        else:
            parts.append(cell)
    return parts


def _answered_beside(cells: list[NotebookNode]) -> list[NotebookNode]:
    cells[-1].source = "YOUR ANSWER HERE"
    return [*cells, nbformat.v4.new_markdown_cell("Because it is a geometric series.")]


def _tampered(notebook: NotebookNode) -> NotebookNode:
    nothing = "# all is well\n1000000"
    notebook = filled_in(
        notebook, {"return": "pass", "return-test": nothing, "nodes-test": nothing, "start": "pass"}
    )
    for cell in notebook.cells:
        if "points" in cell.metadata.nbgrader:
            cell.metadata.nbgrader.update(points=1000, locked=False, solution=True, checksum="0")
    return notebook


def rearranged() -> list[Person]:
    """Notebooks whose cells are not those that were handed out."""
    return [
        Person(
            "deleted-cells",
            2,
            _cells(
                lambda cells: [c for c in cells if "return" not in c.metadata.nbgrader.grade_id]
            ),
            "was missing",
        ),
        Person(
            "duplicated-cells",
            5,
            _cells(lambda cells: [copy.deepcopy(c) for c in cells for _ in range(2)]),
            "more than once",
        ),
        Person("split-cells", 5, _cells(_split), "more than once"),
        Person("answer-beside", 5, _cells(_answered_beside), "a person reads"),
        Person("renamed-cells", 5, _cells(_renamed), "another name"),
        Person("reordered-cells", 5, _cells(lambda cells: cells[::-1]), "changed their order"),
        Person("tampered-tests", 2, _tampered, "had been changed"),
    ]
