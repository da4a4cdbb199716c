"""Feedback: what the student did, what the tests said, but not how they test."""

from __future__ import annotations

import re

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS.*?^### END HIDDEN TESTS[^\n]*", re.M | re.S)


class HideTests(NbGraderPreprocessor):
    """Takes the hidden tests out of the feedback: next term's students will have read it."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Replace the hidden tests of a cell by a line that says that they were there."""
        if cell.cell_type == "code":
            cell.source = HIDDEN.sub("# hidden tests", cell.source)
        return cell, resources
