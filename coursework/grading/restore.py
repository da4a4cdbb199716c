"""Put a submission into the shape of the assignment again.

Whatever was done to its cells, afterwards each cell of the assignment is there once, in order,
and what was locked is what the instructor wrote. The student's own further cells stay where they
were, behind the cell that they followed, and so do the copies of a cell and the parts that it was
split into: what was handed in runs as it ran where it was written.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
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

    @property
    def is_answer(self) -> bool:
        """Whether it is a written answer, which people read."""
        return self.written and bool(self.marks["grade"]) and self.cell_type == "markdown"

    @property
    def is_test(self) -> bool:
        """Whether it is a test, which never runs beside a student's code."""
        return not self.written and bool(self.marks["grade"])

    def is_untouched(self, source: str) -> bool:
        """Whether a source is what was released, or the instructor's own of a locked cell."""
        given = [self.released] if self.written else [self.released, self.source]
        return source.strip() in map(str.strip, given)

    def defines(self, source: str) -> bool:
        """Whether a source defines the function that is asked for."""
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
    claimed, notices = _claims(cells, originals), []
    first, followers, current = [], {name: [] for name in originals}, None
    found: dict[str, NotebookNode] = {}
    counts = {name: _that_counts(name, cells, claimed, originals[name]) for name in claimed if name}
    for number, (cell, name) in enumerate(zip(cells, claimed, strict=True)):
        own_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name is not None and number == counts[name]:
            found[name], current = cell, name
            if own_id != name:
                notices.append(f"The cell `{name}` had another name or none; it has its own again.")
        elif name is None or originals[name].written:
            if name is not None:
                cell.metadata.pop("nbgrader", None)
                cell.source = _unless_untouched(cell, originals[name])
            (first if current is None else followers[current]).append(cell)
    notices += [_more_than_once(originals[n]) for n in counts if claimed.count(n) > 1]
    if list(found) != [name for name in originals if name in found]:
        notices.append("Cells had changed their order; they stand in the assignment's again.")
    notices += _put_back(found, followers, originals)
    notices += _left_to_read(found, followers, originals)
    for cell in chain(first, *followers.values()):
        cell.metadata.pop("nbgrader", None)
    result = first
    for name, original in originals.items():
        result += [_rebuilt(found.get(name), original), *followers[name]]
    return result, notices


def _that_counts(
    name: str, cells: list[NotebookNode], claimed: list[str | None], original: Original
) -> int:
    """Which of the cells of a name is the assignment's: the others are copies or parts of it.

    It is the one that was filled in: of code the last that defines the function, as it is in the
    notebook when all its cells have run; of text the first.
    """
    copies = [number for number, claim in enumerate(claimed) if claim == name]
    untouched = [n for n in copies if original.is_untouched(cells[n].source)]
    if not original.written:
        return (untouched or copies)[0]
    filled = [n for n in copies if n not in untouched] or copies
    if original.cell_type == "code":
        return ([n for n in filled if original.defines(cells[n].source)] or filled)[-1]
    return filled[0]


def _more_than_once(original: Original) -> str:
    start = f"The cell `{original.marks['grade_id']}` was there more than once"
    if not original.written:
        return f"{start}; one counts."
    if original.cell_type == "code":
        return f"{start}; all that was filled in ran, in its order, and what came last was tested."
    return f"{start}; the first that was filled in counts, and the others stand beside it."


def _put_back(
    found: dict[str, NotebookNode],
    followers: dict[str, list[NotebookNode]],
    originals: dict[str, Original],
) -> Iterator[str]:
    """Say which cells are put back; what a student wrote in a locked one goes below it."""
    for name, original in originals.items():
        if name not in found:
            yield f"The cell `{name}` was missing; it was put back as it was handed out."
        elif not original.written and not original.is_untouched(found[name].source):
            if original.is_test:
                yield f"The cell `{name}` had been changed; it was put back."
            else:
                found[name].metadata.pop("nbgrader", None)
                followers[name].insert(0, found[name])
                yield f"The cell `{name}` had been changed; it was put back, above what it became."


def _left_to_read(
    found: dict[str, NotebookNode],
    followers: dict[str, list[NotebookNode]],
    originals: dict[str, Original],
) -> Iterator[str]:
    """Say which answers were given in other cells; without a word in its own, nobody reads it."""
    before = None
    for name, original in originals.items():
        beside = list(followers[name])
        if before is not None and not originals[before].written and not originals[before].is_test:
            beside = followers[before] + beside
        untouched = name not in found or original.is_untouched(found[name].source)
        own = [c for c in beside if _is_their_own(c) and not original.is_untouched(c.source)]
        if original.is_answer and untouched and own:
            words = f"{original.released}\n\n*This cell is as it was handed out: see beside it.*"
            found[name] = nbformat.v4.new_markdown_cell(words)
            yield (
                f"The answer `{name}` is as it was handed out, and cells of your own stand beside "
                "it: a person reads those."
            )
        before = name


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
            alike = [m for m in fitting if _is_like(cell.source, originals[m])]
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


def _is_like(source: str, original: Original) -> bool:
    return original.is_untouched(source) or original.defines(source)


def _is_their_own(cell: NotebookNode) -> bool:
    """Whether a student has made a cell, and written in it."""
    return bool(cell.source.strip()) and "nbgrader" not in cell.metadata


def _unless_untouched(cell: NotebookNode, original: Original) -> str:
    """The source of a copy; code as it was handed out is shown, and does nothing."""
    if cell.cell_type != "code" or not original.is_untouched(cell.source):
        return cell.source
    return "# A copy, which was not run:\n" + textwrap.indent(cell.source, "# ", lambda line: True)


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
