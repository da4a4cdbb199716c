"""Release an assignment: the term's number, and nothing saved of what can't be released."""

from __future__ import annotations

import copy
import re

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    NbGraderPreprocessor,
    SaveCells,
)
from traitlets import Integer

START = re.compile(r"book\.start\(budget=(\d+)\)")


class SetTerm(NbGraderPreprocessor):
    """Makes the term the seed of a notebook, in its first cell; goes before all others."""

    term = Integer(0, help="the number of the term").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Give `book.start` the term as its seed."""
        if cell.cell_type == "code" and self.term:
            cell.source = START.sub(rf"book.start(budget=\1, seed={self.term})", cell.source)
        return cell, resources


class SaveIfWhole(SaveCells):
    """nbgrader's, after a trial of what follows it: a release that fails changes no gradebook."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Save the cells of a notebook from which tests and marking schemes can be cleared."""
        for clear in (ClearHiddenTests, ClearMarkScheme):
            clear(parent=self.parent).preprocess(copy.deepcopy(nb), resources)
        return super().preprocess(nb, resources)
