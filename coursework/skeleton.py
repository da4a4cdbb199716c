"""A notebook to begin an assignment of your own with: a problem to program and one to write.

It is a whole assignment already, so that it can be released, solved and graded before a word of it
is changed.
"""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

TITLE = """\
# Assignment {name}

Replace this text, and the problems below, by your own. Whoever hands this in gets **5** points at
most."""
START = "import numpy as np\n\nfrom seqdec_lib.checks import check, examples"
TASK = """\
## 1. The mean step (3 points)

Write a function that returns the mean length of the steps of a walk: how far it is from each
position to the next, on average."""
SOLUTION = '''\
def mean_step(positions):
    """Mean of the absolute differences of neighbors."""
    ### BEGIN SOLUTION
    return np.abs(np.diff(positions)).mean()
    ### END SOLUTION


# What students see: cases that you choose, small ones first, with the answers.
check(
    "mean_step",
    mean_step,
    examples(
        (([0, 1],), 1),
        (([0, 3, 1],), 2.5),
        (([2, 2, -1, 2],), 2),
        hint="a step to the left is as long as one to the right.",
    ),
)'''
TEST = """\
# 3 points for mean_step: the grader tries hidden cases here.
### BEGIN HIDDEN TESTS
import numpy as np

from seqdec_lib.checks import Exercise, grade


def answer(positions):
    steps = [abs(b - a) for a, b in zip(positions, positions[1:])]
    return sum(steps) / len(steps)


def draw(rng, size):
    return (rng.integers(-9, 10, size=size + 1).tolist(),)


grade("mean_step", mean_step, Exercise(answer, draw, hint="a step to the left counts too."))
### END HIDDEN TESTS"""
QUESTION = """\
## 2. Why not the displacement? (2 points)

The walk ends where it began. Say in two sentences what the mean of the *signed* steps is, and
why."""
ANSWER = """\
### BEGIN SOLUTION
The signed steps add up to the last position minus the first one, which is 0. So their mean is 0,
however long the walk was.
### END SOLUTION"""


def notebook(name: str) -> NotebookNode:
    """The source notebook of a new assignment."""
    cells = [
        cell("markdown", TITLE.format(name=name), f"{name}-title", locked=True),
        cell("code", START, f"{name}-start", locked=True),
        cell("markdown", TASK, f"{name}-step-task", locked=True),
        cell("code", SOLUTION, f"{name}-step", solution=True),
        cell("code", TEST, f"{name}-step-test", grade=True, locked=True, points=3),
        cell("markdown", QUESTION, f"{name}-signs-task", locked=True),
        cell("markdown", ANSWER, f"{name}-signs", grade=True, solution=True, points=2),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def cell(cell_type: str, source: str, name: str, **marks: object) -> NotebookNode:
    """A cell of an assignment, with what nbgrader has to know of it."""
    new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    basic = {"grade": False, "solution": False, "locked": False, "task": False}
    marks = basic | marks | {"grade_id": name, "schema_version": 3}
    return new[cell_type](source, metadata={"nbgrader": marks})
