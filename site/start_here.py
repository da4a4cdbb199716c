"""Write START HERE, the first notebook on a reader's desk: a map of the chapters, and how to begin.

Everything in it comes from the notebooks that lie beside it and from the table of contents, so that
it is never older than they are.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from urllib.parse import quote

import nbformat
import yaml

START_HERE = "START HERE.ipynb"
WORDS_A_MINUTE = 150  # slow enough for mathematics and code
MINUTES = 5  # reading times are rounded up to a multiple of this

WELCOME = """\
# Start here

This folder is your desk. The chapters that lie on it are yours: run them, change them, write in
them, break them. The book itself keeps its own copies, and nothing that you do here touches them.

Click on a chapter in the table to open it."""

HOW_TO_RUN = """\
## How to run a chapter

The numbers and figures that you see at first are the ones that the book was printed with. To make
them again, click on the first cell and press **Shift+Enter** to run it and go on to the next, or
choose *Run → Run All Cells*. Each cell builds on the ones above, so run them in their order.

A cell that takes a while shows a bar until it is done, and a cell with more than ten seconds of
work says so in its first line. If you have lost your way, *Kernel → Restart Kernel and Run All
Cells* begins again from the top.

Change what you like: a number, a loop, the seed in the chapter's first cell. You can't break
anything that can't be brought back."""

HOW_TO_CHECK = """\
## How to check an exercise

Below an exercise stands a cell with a function that isn't written yet. Replace the line
`raise NotImplementedError` by your answer and run the cell. Its last line, `check(...)`, tries your
function on random cases, the smallest ones first, and prints one of three things:

- *not filled in yet* means that the function still raises `NotImplementedError`;
- *not yet* comes with the smallest case that fails, what was expected, what came, and a hint;
- *right, on all ... random cases* means that you have solved it.

Try as often as you like. A solution of each exercise is folded away near the end of its chapter."""

WHEN_THE_BOOK_CHANGES = """\
## Clean copies, and new editions

When the book is updated, the next `{lab}` brings the new edition of each chapter in which you have
written nothing. A chapter in which you have written stays exactly as you left it. Its new edition
is put beside it, with *(new)* in its name. Running a chapter doesn't count as writing.

To go back to a clean copy of chapter 1, use this command in the folder of the book:

    {again}

What you had written is kept, with *(mine)* in its name. A chapter that you have deleted comes back
in this way too, and only in this way. The folder of the book is `{root}`."""

ELSEWHERE = """\
## Other places to read in

JupyterLab is only one way to open this folder. Jupyter Notebook, VS Code and JupyterHub show the
same notebooks without any extension. The chapters need a kernel that knows the book's library. In
VS Code click on *Select Kernel*, then *Python Environments*, and choose the one in
`{environment}`. On a JupyterHub add a kernel once, with this command in the folder of the book:

    {python} -m ipykernel install --user --name seqdec --display-name "The book"

Then choose *The book* in the menu *Kernel → Change Kernel*."""


def start_here(chapters: dict[str, bytes], root: Path) -> bytes:
    """The notebook START HERE, for a desk with these chapters (name to content)."""
    python = r".venv\Scripts\python" if os.name == "nt" else ".venv/bin/python"
    lab, again = "make lab", "make lab AGAIN=1"
    if os.name == "nt":
        lab, again = (rf"{python} site\desk.py{rest}" for rest in ("", " --again 1"))
    environment = root / ".venv"
    texts = [
        WELCOME,
        table(chapters, root),
        HOW_TO_RUN,
        HOW_TO_CHECK,
        WHEN_THE_BOOK_CHANGES.format(lab=lab, again=again, root=root),
        ELSEWHERE.format(environment=environment, python=python),
    ]
    cells = [nbformat.v4.new_markdown_cell(text, id=f"start-{n}") for n, text in enumerate(texts)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return nbformat.writes(notebook).encode()


def table(chapters: dict[str, bytes], root: Path) -> str:
    """The map: part by part, each chapter with its times and its exercises."""
    lines = [
        "## The chapters",
        "",
        "| Chapter | Reading | Running | Exercises |",
        "|:--|--:|--:|--:|",
    ]
    found = parts(chapters, root)
    for part, names in found.items():
        lines += [f"| **{part}** | | | |"] if part and len(found) > 1 else []
        for name in names:
            notebook = nbformat.reads(chapters[name].decode(), as_version=4)
            cells = [title_and_link(name, notebook), f"{reading_minutes(notebook)} min"]
            seconds = budget(notebook)
            cells += ["" if seconds is None else f"{seconds:g} s", str(exercises(notebook) or "")]
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "Running times are those of an ordinary laptop without a graphics card."]
    return "\n".join(lines)


def parts(chapters: dict[str, bytes], root: Path) -> dict[str, list[str]]:
    """The names of the chapters by part of the book, in the order of its contents."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = {
        part.get("caption", ""): [Path(entry["file"]).name + ".ipynb" for entry in part["chapters"]]
        for part in contents.get("parts", [])
    }
    placed = {name for names in found.values() for name in names}
    found[""] = [name for name in chapters if name not in placed]
    kept = {part: [name for name in names if name in chapters] for part, names in found.items()}
    return {part: names for part, names in kept.items() if names}


def title_and_link(name: str, notebook: nbformat.NotebookNode) -> str:
    """A link to a chapter that says its title."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    titles = (match[1] for text in texts if (match := re.search(r"^# +(.+)$", text, re.MULTILINE)))
    return f"[{next(titles, Path(name).stem).strip()}]({quote(name)})"


def reading_minutes(notebook: nbformat.NotebookNode) -> int:
    """How long the text of a chapter takes to read, in minutes."""
    words = sum(len(c.source.split()) for c in notebook.cells if c.cell_type == "markdown")
    return math.ceil(words / WORDS_A_MINUTE / MINUTES) * MINUTES


def budget(notebook: nbformat.NotebookNode) -> float | None:
    """The CPU seconds that a chapter recorded as what it takes; None where it recorded nothing."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("metadata", {}).get("scrapbook", {}).get("name") == "cpu_budget":
                return float(*output["data"].values())
    return None


def exercises(notebook: nbformat.NotebookNode) -> int:
    """How many cells of a chapter wait for the reader's code."""
    return sum("raise NotImplementedError" in cell.source for cell in notebook.cells)
