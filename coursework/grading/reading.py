"""Read whatever was handed in."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode

from coursework.sandbox.kernel import is_base64

LARGEST = 300_000_000  # bytes of a notebook
MOST_PARTS = 3_000_000  # values in it, of which each takes hundreds of bytes of memory
# A link to something else than a website, an address, a place on the page or a pasted picture,
# wherever it stands, in a quotation or a list too: what is behind `](` or `]:`.
ODD_LINK = re.compile(
    r"\][(:][\s>]*+<?+(?!https?://|mailto:|attachment:|#)(?=[^)\n]*[:&])", re.IGNORECASE
)


class AnyFile(NotebookExporter):
    """An exporter that reads every file: what is no notebook is graded as an empty one."""

    def from_filename(
        self, filename: str, resources: ResourcesDict | None = None, **kwargs: object
    ) -> tuple[str, ResourcesDict]:
        """Convert the notebook in a file, or an empty one that says what is wrong with it."""
        if Path(filename).parts[-4] == "autograded":  # .../STEP/STUDENT/a1/a1.ipynb; our own
            return super().from_filename(filename, resources=resources, **kwargs)
        work = content(Path(filename))  # what comes after a change is not what was read
        notebook = read(Path(filename))
        notebook.metadata["seqdec"]["content"] = work
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


def read(path: Path) -> NotebookNode:
    """The notebook in a file; `metadata.seqdec.notices` says what is wrong, if anything."""
    notebook = nbformat.v4.new_notebook()
    try:
        if any(part.is_symlink() for part in (path, *path.parents[:2])) or not path.is_file():
            raise ValueError("it is no file but a link")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST / 1e6:.0f} MB")
        text = text_of(path.read_bytes())
        if has_too_many_values(text):
            raise ValueError(
                f"it has more than {MOST_PARTS / 1e6:.0f} million values, so clear its outputs"
            )
        parsed = json.loads(text, object_hook=_without_outputs)
        with warnings.catch_warnings(action="ignore"):  # of what nbformat mends
            found = nbformat.reads(json.dumps(parsed), as_version=4)
        notebook.cells = [_cell(cell) for cell in found.cells]
        kernel = dict(found.metadata.get("kernelspec") or {})
        notices = []
        if str(kernel.get("language") or "python").lower() != "python":
            notices = [
                f"The notebook asks for the kernel `{kernel.get('name')}`; "
                "the course's Python ran it."
            ]
    except Exception as error:  # whatever a file of bytes makes of a reader
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        notices = [
            f"The file could not be read as a notebook ({reason}), so it counts as one in which "
            "nothing is filled in. Please hand in the notebook itself, saved by Jupyter."
        ]
        notebook.cells = []
    notebook.metadata["seqdec"] = {"notices": notices}
    return writable(notebook)


def complaints(path: Path) -> list[str]:
    """What is wrong with a file that was handed in, a sentence each that says whose it is."""
    student = path.parent.parent.name  # .../submitted/STUDENT/a1/a1.ipynb
    return [f"{student}: {notice}" for notice in read(path).metadata["seqdec"]["notices"]]


def text_of(content: bytes) -> str:
    """The text of a file of JSON: UTF-8, or UTF-16 and UTF-32, with a byte order mark or without.

    Raises
    ------
    UnicodeDecodeError
        It is none of them.
    """
    return content.decode(json.detect_encoding(content))


def _without_outputs(part: dict) -> dict:
    """A part of a notebook; what was printed is not read, and to check it would take minutes."""
    return part | {"outputs": []} if isinstance(part.get("outputs"), list) else part


def has_too_many_values(content: str) -> bool:
    """Whether JSON would need too much memory; a text is one value, whatever is in it."""
    bare = content.replace("\\\\", "").replace('\\"', "")  # each quote begins or ends a text
    if bare.count('"') > 2 * MOST_PARTS:
        return True
    outside = bare.split('"')[::2]
    return sum(part.count(mark) for part in outside for mark in ",[{") > MOST_PARTS


def content(path: Path) -> str:
    """A hash of a file; no link is followed."""
    if path.is_symlink() or not path.is_file():
        return "no file"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ids(path: Path) -> set[str]:
    """The names of the assignment's cells in a file, of whatever kind it is."""
    if path.is_symlink() or not path.is_file():
        return set()
    content = path.read_bytes()
    text = content.decode(json.detect_encoding(content), "replace")
    return set(re.findall(r'"grade_id":\s*"([^"\\]+)"', text))


def writable(value: object) -> object:
    """The same, but for halves of characters (lone surrogates), which can't be in a file."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [writable(item) for item in value]
    if isinstance(value, dict):
        return NotebookNode({writable(key): writable(item) for key, item in value.items()})
    return value


def _cell(cell: NotebookNode) -> NotebookNode:
    """A cell without its outputs, and with nothing that doesn't concern grading."""
    source = str(cell.get("source", ""))
    if cell.cell_type == "code":
        kept = nbformat.v4.new_code_cell(source)
    else:
        kept = nbformat.v4.new_markdown_cell(harmless(source), attachments=_pictures(cell))
    marks = (cell.get("metadata") or {}).get("nbgrader")
    if isinstance(marks, dict) and isinstance(marks.get("grade_id"), str):
        kept.metadata["nbgrader"] = {"grade_id": marks["grade_id"]}
    return kept


def harmless(text: str) -> str:
    """Markdown that runs no script in the browser of whoever reads it: no HTML, no odd links."""
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", text)
    return ODD_LINK.sub(r"\g<0>#", text)


def _pictures(cell: NotebookNode) -> dict[str, dict[str, str]]:
    """The pictures that were pasted into a cell."""
    pictures = {}
    for name, kinds in (cell.get("attachments") or {}).items():
        for kind, data in dict(kinds or {}).items():
            if kind in ("image/png", "image/jpeg", "image/gif") and is_base64(data):
                pictures[name] = {kind: data}
    return pictures
