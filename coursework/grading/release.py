"""Write the number of the term into a released notebook."""

from __future__ import annotations

import re

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
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
