"""What can be demanded of a chapter by reading it: a notebook goes in, a list of complaints out.

Each complaint names the cell and says what to do. The rules are told to authors in
CONTRIBUTING.md; `static_complaints` at the end lists them all.
"""

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import bookkeeping
from nbformat import NotebookNode
from nbval.plugin import comment_markers, metadata_tags
from sentences import claims

from seqdec_lib.book import CPU_SECONDS, recorded
from tests.comparison import IMAGES, LINES, RECORD, Tolerance, records
from tests.prose import count_value, counts, decimals, fence_faults, normal_form

LARGEST_BUDGET = 90  # CPU seconds
LARGEST_CELL = 25  # lines
LONG = 10  # CPU seconds: what takes longer tells its reader so
LARGEST_FILE = 2_000_000  # bytes
SHARES = ("pixels", "frames")
TOLERANCES = ("relative", "absolute", *SHARES)
RECORD_TEXT = f"{RECORD}text/plain"
DRAWINGS = (*IMAGES, LINES)
MACHINE_PATH = re.compile(r"(?:/home/|/Users/|/root/|/tmp/|\b[A-Za-z]:\\{1,2}Users\b)[^\s\"'<>]*")


def code_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield the code cells, each with the name nbval gives it and its first line."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells):
        yield describe(f"Cell {number}", cell), cell


def markdown_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield the markdown cells, each with a name made of its position and its first line."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for number, cell in enumerate(cells):
        yield describe(f"Markdown cell {number}", cell), cell


def describe(name: str, cell: NotebookNode) -> str:
    """Return `name` with the cell's first line, by which an author finds it."""
    first_line = cell.source.strip().partition("\n")[0]
    return f"{name} ({first_line[:50]})"


# --- committed as run -----------------------------------------------------------------------


def run_complaints(notebook: NotebookNode) -> list[str]:
    """Each code cell was run once, from top to bottom, without an error or a warning."""
    complaints = []
    for expected, (where, cell) in enumerate(code_cells(notebook), start=1):
        if not cell.source.strip():
            complaints.append(f"{where} is empty: delete it")
        elif cell.execution_count is None:
            complaints.append(f"{where} was committed without being run: run `make notebooks`")
        elif cell.execution_count != expected:
            complaints.append(
                f"{where} was run out of order, as number {cell.execution_count} instead of "
                f"{expected}: run `make notebooks`"
            )
        for output in cell.outputs:
            if output.output_type == "error":
                complaints.append(
                    f"{where} was committed with an error ({output.ename}): repair the cell, or "
                    "show an intended error with try and except"
                )
            if output.get("name") == "stderr":
                complaints.append(
                    f"{where} was committed with output on stderr ({output.text.strip()[:80]}): "
                    "remove the cause of the warning"
                )
            if output.get("data") == {}:
                complaints.append(
                    f"{where} was committed with the empty place of a progress bar: run "
                    "`make notebooks`, where nobody watches"
                )
    return complaints


def marker_complaints(notebook: NotebookNode) -> list[str]:
    """No cell carries nbval's own markers, which would switch the comparison off silently."""
    return [
        f"{where} carries a marker of nbval ({marker}): state a tolerance or `not_compared` in "
        "the cell's metadata instead"
        for where, cell in code_cells(notebook)
        for marker in [*_marker_tags(cell), *_marker_comments(cell)]
    ]


def _marker_tags(cell: NotebookNode) -> list[str]:
    tags = map(str, cell.metadata.get("tags", []))
    return [tag for tag in tags if tag in metadata_tags or tag.startswith("nbval-")]


def _marker_comments(cell: NotebookNode) -> list[str]:
    lines = [line.strip() for line in cell.source.splitlines()]
    return [line for line in lines if line[:1] == "#" and line.strip("# ") in comment_markers]


# --- the harness's own metadata ---------------------------------------------------------------


def metadata_complaints(notebook: NotebookNode) -> list[str]:
    """The metadata under "seqdec" is complete and understood."""
    complaints = []
    for where, cell in code_cells(notebook):
        complaints += [f"{where}: {text}" for text in _code_metadata_complaints(cell)]
    for where, cell in markdown_cells(notebook):
        unknown = sorted(set(cell.metadata.get("seqdec", {})) - {"inputs"})
        complaints += [f'{where}: markdown cells know "inputs", not "{key}"' for key in unknown]
    return complaints


def _code_metadata_complaints(cell: NotebookNode) -> list[str]:
    ours = cell.metadata.get("seqdec", {})
    unknown = sorted(set(ours) - {"tolerance", "not_compared", "inputs", "seconds"})
    complaints = [f'unknown key "{key}" in the metadata "seqdec"' for key in unknown]
    if "seconds" in ours and not (_is_number(ours["seconds"]) and ours["seconds"] >= LONG):
        complaints.append(f'"seconds" must be a number, {LONG} or larger, or not there')
    if "tolerance" in ours:
        complaints += tolerance_complaints(ours["tolerance"])
    if "not_compared" in ours:
        if not _is_text(ours["not_compared"]):
            complaints.append('"not_compared" needs a reason: write one')
        if "tolerance" in ours:
            complaints.append('has both "tolerance" and "not_compared": keep one')
        if names := records(cell.outputs):
            complaints.append(
                f"records {', '.join(names)} and is not compared: record in a cell that is, or "
                "only show the value"
            )
    return complaints


def tolerance_complaints(tolerance: Any) -> list[str]:
    """Return what is wrong with a tolerance as it stands in a cell's metadata."""
    if not isinstance(tolerance, dict):
        return [f'"tolerance" must be a mapping with some of {TOLERANCES} and a reason']
    unknown = sorted(set(tolerance) - {*TOLERANCES, "reason"})
    complaints = [f'unknown key "{key}" in "tolerance": use {TOLERANCES}' for key in unknown]
    if not _is_text(tolerance.get("reason")):
        complaints.append('"tolerance" needs a "reason": say why the outputs can\'t be exact')
    stated = {key: tolerance[key] for key in TOLERANCES if key in tolerance}
    if not stated:
        complaints.append(f'"tolerance" allows nothing: state one of {TOLERANCES}')
    for key, value in stated.items():
        if not _is_number(value) or value < 0:
            complaints.append(f'"{key}" must be a number, 0 or larger, and is {value!r}')
        elif key in SHARES and value > 1:
            complaints.append(f'"{key}" is a share, at most 1, and is {value}')
    return complaints


def tolerance_of(cell: NotebookNode) -> Tolerance:
    """Return the tolerance a cell states; exact where it states none, or an invalid one."""
    stated = cell.metadata.get("seqdec", {}).get("tolerance", {})
    if tolerance_complaints(stated):
        return Tolerance()
    return Tolerance(**{key: stated[key] for key in TOLERANCES if key in stated})


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


# --- budget -----------------------------------------------------------------------------------


def budget_of(notebook: NotebookNode) -> float:
    """Return the CPU seconds that the first code cell states in `book.start(budget=...)`.

    Raises ValueError, with what to write instead, if there is none or it is not in (0, 90].
    """
    advice = f"write book.start(budget=20), a plain number of at most {LARGEST_BUDGET} CPU seconds"
    first = next((cell.source for _, cell in code_cells(notebook)), "")
    try:
        calls = [node for node in ast.walk(ast.parse(first)) if isinstance(node, ast.Call)]
        starts = [call for call in calls if ast.unparse(call.func) == "book.start"]
        value = next(k.value for call in starts for k in call.keywords if k.arg == "budget")
        budget = ast.literal_eval(value)
    except (SyntaxError, StopIteration, ValueError):
        raise ValueError(f"Cell 0, the first code cell, states no budget: {advice}") from None
    if not _is_number(budget) or not 0 < budget <= LARGEST_BUDGET:
        raise ValueError(f"Cell 0, the first code cell, states the budget {budget!r}: {advice}")
    return budget


def budget_complaints(notebook: NotebookNode) -> list[str]:
    """The chapter states a budget that is allowed."""
    try:
        budget_of(notebook)
    except ValueError as error:
        return [str(error)]
    return []


def waiting_complaints(cell: NotebookNode, seconds: float) -> list[str]:
    """The cell, which took so many CPU seconds, tells its reader how long to wait, about."""
    stated = cell.metadata.get("seqdec", {}).get("seconds")
    if stated is None and seconds <= 2 * LONG:
        return []
    if _is_number(stated) and stated / 3 <= seconds <= 3 * stated:
        return []
    says = "tells nobody" if stated is None else f"states {stated}"
    advice = "delete them from its metadata"
    if seconds > LONG:
        advice = f'write {{"seqdec": {{"seconds": {seconds:.0f}}}}} in its metadata'
    return [f"takes {seconds:.0f} CPU seconds and {says}: {advice}"]


# --- numbers in the prose ---------------------------------------------------------------------


def prose_complaints(notebook: NotebookNode) -> list[str]:
    """Numbers in markdown, captions and alt texts are glued, or listed as chosen inputs.

    That concerns decimals, percentages, and counts that the chapter records.
    """
    results = recorded_counts(notebook)
    texts = [(where, cell, cell.source) for where, cell in markdown_cells(notebook)]
    texts += [(where, cell, _figure_texts(cell)) for where, cell in code_cells(notebook)]
    complaints = []
    for where, cell, text in texts:
        inputs = cell.metadata.get("seqdec", {}).get("inputs", {})
        whole = counts(text)
        found = decimals(text) | {n for n in whole if count_value(n) in results}
        listed = {normal_form(number) for number in inputs}
        complaints += [
            f"{where} types the number {number}: if it is a result, record() it and write "
            "{glue:text}`key:.2f`; if it is an input, list it with its meaning in the metadata "
            f'{{"seqdec": {{"inputs": {{"{number}": "..."}}}}}}'
            for number in sorted(found - listed)
        ]
        complaints += [
            f"{where} lists the input {number}, which does not occur in it: delete the entry"
            for number in sorted(listed - found - whole)
        ]
        complaints += [
            f"{where} lists the input {number} without its meaning: say what it is"
            for number, meaning in inputs.items()
            if not _is_text(meaning)
        ]
    return complaints


def recorded_counts(notebook: NotebookNode) -> set[int]:
    """Return the whole numbers that a chapter records; its budget and seconds are no results."""
    return {
        int(value)
        for key, value in recorded(notebook).items()
        if _is_number(value) and float(value).is_integer()
        if key != "cpu_budget" and not key.startswith(CPU_SECONDS)
    }


def _figure_texts(cell: NotebookNode) -> str:
    """Return the caption and the alt text that a code cell gives its figure."""
    figure = cell.metadata.get("mystnb", {})
    texts = (figure.get("figure", {}).get("caption"), figure.get("image", {}).get("alt"))
    return "\n".join(text for text in texts if isinstance(text, str))


# --- records, claims, and cells that the reader doesn't see --------------------------------


def record_complaints(notebook: NotebookNode) -> list[str]:
    """A name stands for one number, or for one sentence."""
    outputs = [output for _, cell in code_cells(notebook) for output in cell.outputs]
    names = [output.get("metadata", {}).get("scrapbook", {}).get("name") for output in outputs]
    twice = {name: count for name, count in Counter(names).items() if name and count > 1}
    return [f'records "{name}" {count} times: once is enough' for name, count in twice.items()]


def claim_complaints(notebook: NotebookNode) -> list[str]:
    """What is claimed is true, and the chapter says it."""
    complaints = []
    for claim in claims(notebook):
        if not claim.holds:
            complaints.append(f'claims "{claim.words}", which is not true: mend the sentence')
        if claim.cell is None:
            complaints.append(
                f'claims "{claim.words}", which no paragraph says: a claim quotes the chapter, '
                "with its numbers as the reader sees them"
            )
    return complaints


def bookkeeping_complaints(notebook: NotebookNode) -> list[str]:
    """A cell out of sight only keeps the books, and no cell that readers get needs what it makes.

    Where they get it themselves, other cells out of sight may.
    """
    complaints, cells = [], list(code_cells(notebook))
    for index, (where, cell) in enumerate(cells):
        if bookkeeping.is_bookkeeping(cell):
            handed_out = bookkeeping.is_for_readers(cell)
            seen = [
                later
                for _, later in cells[index:]
                if not bookkeeping.is_bookkeeping(later)
                or (not handed_out and bookkeeping.is_for_readers(later))
            ]
            found = _hidden_cell_complaints(cell, [s for later in seen for s in _statements(later)])
            complaints += [f"{where}, which the reader does not see, {text}" for text in found]
    return complaints


def _hidden_cell_complaints(cell: NotebookNode, later: list[ast.stmt]) -> Iterator[str]:
    body = _statements(cell)
    for statement in body:
        if not bookkeeping.only_keeps_accounts(statement):
            deed = ast.unparse(statement).partition("\n")[0]
            yield f"does more than record and claim: do `{deed}` in a cell that is seen"
    if not any(map(bookkeeping.is_account, (node for s in body for node in ast.walk(s)))):
        yield f"records and claims nothing: take the tag {bookkeeping.TAG} off"
    if needed := bookkeeping.first_needed(frozenset().union(*map(bookkeeping.bound, body)), later):
        yield f"makes {needed}, which a cell that readers get needs: make it in sight"
    if any(set(output.get("data", {"text": ""})) - {RECORD_TEXT} for output in cell.outputs):
        yield "shows something: show it in a cell that is seen"


def _statements(cell: NotebookNode) -> tuple[ast.stmt, ...]:
    """Return a cell's statements; none if it is not Python, of which its run complains."""
    try:
        return bookkeeping.statements(cell.source)
    except SyntaxError:
        return ()


def fence_complaints(notebook: NotebookNode) -> list[str]:
    """What a cell opens, it closes: an open fence would swallow what follows it."""
    return [
        f"{where}: {fault}"
        for where, cell in markdown_cells(notebook)
        for fault in fence_faults(cell.source)
    ]


# --- figures, cells, files --------------------------------------------------------------------


def alt_text_complaints(notebook: NotebookNode) -> list[str]:
    """Each figure says in its alt text what one sees."""
    complaints = []
    for where, cell in code_cells(notebook):
        draws = any(set(DRAWINGS) & set(output.get("data", {})) for output in cell.outputs)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
        if draws and not (_is_text(alt) and len(alt.strip()) >= 20 and len(alt.split()) >= 4):
            complaints.append(
                f"{where} draws a figure and its alt text is {alt!r}: say what one sees, in a "
                'sentence, in the metadata {"mystnb": {"image": {"alt": "..."}}}'
            )
    return complaints


def length_complaints(notebook: NotebookNode) -> list[str]:
    """Code cells are short, imports aside: one name a line is how they are laid out."""
    return [
        f"{where} has {lines} lines, at most {LARGEST_CELL} are allowed: split it, or move "
        "bookkeeping to the library"
        for where, cell in code_cells(notebook)
        if (lines := len(cell.source.splitlines()) - lines_of_imports(cell.source)) > LARGEST_CELL
    ]


def lines_of_imports(source: str) -> int:
    """How many lines of a cell import something; none where it is not plain Python."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return 0
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return sum(node.end_lineno - node.lineno + 1 for node in imports)


def path_complaints(notebook: NotebookNode) -> list[str]:
    """No output shows a path of the machine it was made on."""
    complaints = []
    for where, cell in code_cells(notebook):
        texts = [text for output in cell.outputs for text in _texts(output)]
        if found := sorted({match[0] for text in texts for match in MACHINE_PATH.finditer(text)}):
            complaints.append(f"{where} shows paths of one machine, {found}: print a relative path")
    return complaints


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in an output except images."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner) if key not in IMAGES else ()
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def size_complaints(size: int) -> list[str]:
    """The file, of `size` bytes, is small enough to load and to review."""
    if size <= LARGEST_FILE:
        return []
    return [f"the file has {size / 1e6:.1f} MB, at most {LARGEST_FILE / 1e6:g}: show less output"]


def static_complaints(notebook: NotebookNode, size: int) -> list[str]:
    """Return all complaints about a notebook of `size` bytes that need no run."""
    return [
        *run_complaints(notebook),
        *marker_complaints(notebook),
        *metadata_complaints(notebook),
        *budget_complaints(notebook),
        *prose_complaints(notebook),
        *fence_complaints(notebook),
        *record_complaints(notebook),
        *claim_complaints(notebook),
        *bookkeeping_complaints(notebook),
        *alt_text_complaints(notebook),
        *length_complaints(notebook),
        *path_complaints(notebook),
        *size_complaints(size),
    ]
