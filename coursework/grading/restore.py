"""Put a submission into the shape of the assignment again.

Whatever was done to its cells, afterwards each cell of the assignment is there once, in order,
and what was locked is what the instructor wrote. The student's own further cells stay where they
were, behind the cell that they followed.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor


@dataclass(frozen=True)
class Original:
    """A cell as the instructor wrote it, and as it was released, without its hidden tests."""

    cell_type: str
    source: str
    released: str
    marks: dict

    @property
    def written(self) -> bool:
        """Whether it is the student who fills it in."""
        return bool(self.marks["solution"])

    def is_like(self, source: str) -> bool:
        """Whether a source is what was released, or defines the function that is asked for."""
        if source.strip() == self.released.strip():
            return True
        return self.written and bool(functions(source) & functions(self.released))


class Restore(NbGraderPreprocessor):
    """Restores the assignment's own cells, from the gradebook; goes before the others."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Restore the notebook's cells, and note in its metadata what had to be done."""
        names = resources["nbgrader"]
        # nbgrader works in the course's folder.
        release = Path("release") / names["assignment"] / f"{names['notebook']}.ipynb"
        originals = saved(names["db_url"], names["notebook"], names["assignment"], release)
        nb.cells, notices = restored(nb.cells, originals)
        nb.metadata["seqdec"]["notices"] += notices
        return nb, resources


def saved(db_url: str, notebook: str, assignment: str, release: Path) -> dict[str, Original]:
    """The cells that `nbgrader generate_assignment` saved, by id, in the order of the release."""
    cells = nbformat.read(release, as_version=4).cells
    released = {c.metadata.nbgrader.grade_id: c.source for c in cells if "nbgrader" in c.metadata}
    with Gradebook(db_url) as gradebook:
        found = gradebook.find_notebook(notebook, assignment)
        points = {cell.name: cell.max_score for cell in found.grade_cells}
        solutions = {cell.name for cell in found.solution_cells}
        sources = {cell.name: cell for cell in found.source_cells}
    originals = {}
    for name in released:
        if name not in sources:  # neither locked nor graded: the student's own to play with
            continue
        cell = sources[name]
        marks = {
            "grade": name in points,
            "grade_id": name,
            "locked": bool(cell.locked),
            "schema_version": 3,
            "solution": name in solutions,
            "task": False,
            "checksum": cell.checksum,
            "cell_type": cell.cell_type,
        }
        if name in points:
            marks["points"] = points[name]
        originals[name] = Original(cell.cell_type, cell.source, released[name], marks)
    return originals


def restored(
    cells: list[NotebookNode], originals: dict[str, Original]
) -> tuple[list[NotebookNode], list[str]]:
    """The cells in the assignment's shape, and a sentence for each thing that was amiss."""
    notices, claimed = [], _claims(cells, originals)
    first, followers, current = [], {name: [] for name in originals}, None
    found: dict[str, NotebookNode] = {}
    for cell, name in zip(cells, claimed, strict=True):
        own_id = cell.metadata.pop("nbgrader", {}).get("grade_id")
        if name is not None and name not in found:
            found[name], current = cell, name
            if own_id != name:
                notices.append(f"The cell `{name}` had another name or none; it has its own again.")
            continue
        if name is not None:
            notices.append(f"The cell `{name}` was there more than once; the first one counts.")
            if not originals[name].written:
                continue
            if cell.cell_type == "code":
                cell.source = _not_run(cell.source)
        (first if current is None else followers[current]).append(cell)
    if list(found) != [name for name in originals if name in found]:
        notices.append("Cells had changed their order; they stand in the assignment's again.")
    result = first
    for name, original in originals.items():
        cell = found.get(name)
        if cell is None:
            notices.append(f"The cell `{name}` was missing; it was put back as it was handed out.")
        elif not original.written and cell.source.strip() != original.released.strip():
            notices.append(f"The cell `{name}` had been changed; it was put back.")
        result += [_rebuilt(cell, original), *followers[name]]
    return result, notices


def _claims(cells: list[NotebookNode], originals: dict[str, Original]) -> list[str | None]:
    """For each cell the name that it counts as: its own, or that of a missing one like it."""
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    missing = [name for name in originals if name not in names]
    following = dict(zip([None, *originals], originals, strict=False))
    claims: list[str | None] = []
    last = None
    for cell, name in zip(cells, names, strict=True):
        if name not in originals:
            fitting = [m for m in missing if originals[m].cell_type == cell.cell_type]
            alike = [m for m in fitting if originals[m].is_like(cell.source)]
            written = [m for m in fitting if originals[m].written]
            if name is None:  # an answer in words is like nothing, but it stands where it stood
                in_words = cell.cell_type == "markdown"
                written = [m for m in written if in_words and m == following.get(last)]
            name = next(iter(alike + written), None)
            if name is not None:
                missing.remove(name)
        claims.append(name)
        last = name or last
    return claims


def _not_run(source: str) -> str:
    """A cell that is shown and does nothing."""
    return "# A copy, which was not run:\n" + textwrap.indent(source, "# ", lambda line: True)


def functions(source: str) -> set[str]:
    """The names of the functions that a cell defines."""
    return set(re.findall(r"^def (\w+)", source, re.MULTILINE))


def _rebuilt(cell: NotebookNode | None, original: Original) -> NotebookNode:
    new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    rebuilt = new[original.cell_type](original.source, metadata={"nbgrader": dict(original.marks)})
    if cell is not None and original.written:
        rebuilt.source = cell.source
        if original.cell_type == cell.cell_type == "markdown":
            rebuilt.attachments = cell.get("attachments", {})
    return rebuilt
