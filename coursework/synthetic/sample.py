"""A small assignment for the hostile part of the class: two problems to program and one to write.

It needs neither a trained model nor a figure, so that a submission to it is graded in seconds.
"""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from coursework.skeleton import cell

START = "import numpy as np\n\nfrom seqdec_lib.checks import check"
RETURN = '''\
def discounted_return(rewards, discount):
    """The discounted sum of the rewards."""
    ### BEGIN SOLUTION
    return sum(discount**t * reward for t, reward in enumerate(rewards))
    ### END SOLUTION


check("discounted_return", discounted_return)'''
RETURN_TEST = """\
### BEGIN HIDDEN TESTS
import numpy as np

from seqdec_lib.checks import Exercise, grade


def answer(rewards, discount):
    return np.polyval(rewards[::-1], discount)


def draw(rng, size):
    return rng.normal(size=size).tolist(), float(rng.uniform(0.5, 1))


grade("discounted_return", discounted_return, Exercise(answer, draw, hint="count from 0."))
### END HIDDEN TESTS"""
NODES = '''\
def count_nodes(branching, horizon):
    """The number of nodes of a tree."""
    ### BEGIN SOLUTION
    return sum(branching**t for t in range(horizon + 1))
    ### END SOLUTION


check("count_nodes", count_nodes)'''
NODES_TEST = """\
### BEGIN HIDDEN TESTS
from seqdec_lib.checks import Exercise, grade


def answer(branching, horizon):
    return (branching ** (horizon + 1) - 1) // (branching - 1)


def draw(rng, size):
    return int(rng.integers(2, 9)), size


grade("count_nodes", count_nodes, Exercise(answer, draw, hint="the root is a node."))
### END HIDDEN TESTS"""
WHY = "### BEGIN SOLUTION\nBecause it is a geometric series.\n### END SOLUTION"


def notebook() -> NotebookNode:
    """The source notebook of the sample assignment."""
    cells = [
        cell("markdown", "# A sample", "title", locked=True),
        cell("code", START, "start", locked=True),
        cell("markdown", "## 1. The return (3 points)", "return-task", locked=True),
        cell("code", RETURN, "return", solution=True),
        cell("code", RETURN_TEST, "return-test", grade=True, locked=True, points=3),
        cell("markdown", "## 2. The nodes\n\n**(a)** Count.", "nodes-task", locked=True),
        cell("code", NODES, "nodes", solution=True),
        cell("code", NODES_TEST, "nodes-test", grade=True, locked=True, points=2),
        cell("markdown", "**(b)** And why?", "why-task", locked=True),
        cell("markdown", WHY, "why", grade=True, solution=True, points=1),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
