"""Write the number of the term into a released notebook."""

from __future__ import annotations

import re

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

TERM = re.compile(r"^TERM = \d+", re.MULTILINE)


class SetTerm(NbGraderPreprocessor):
    """Puts the term's number where a locked cell says `TERM = 0`; goes before all others."""

    term = Integer(0, help="the number of the term").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Set the term in a locked code cell."""
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("locked"):
            cell.source = TERM.sub(f"TERM = {self.term}", cell.source)
        return cell, resources
