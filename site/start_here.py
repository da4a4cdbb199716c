"""Write START HERE, the first notebook on a reader's desk: a map of the chapters, and how to begin.

Everything in it comes from the notebooks that lie beside it and from the table of contents, so that
it is never older than they are.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from urllib.parse import quote

import yaml
from boxes import box_of

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
    cells = [
        {"cell_type": "markdown", "id": f"start-{n}", "metadata": {}, "source": text}
        for n, text in enumerate(texts)
    ]
    # The rest, as what the kernel is called, is the same as in the first chapter.
    first = json.loads(min(chapters.items())[1])
    return json.dumps(first | {"cells": cells}, indent=1, ensure_ascii=False).encode()


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
            cells = json.loads(chapters[name])["cells"]
            box, waiting = box_of(cells), exercises(cells)
            row = [
                f"[{box.title or Path(name).stem}]({quote(name)})",
                f"{box.minutes or reading_minutes(cells)} min",
                "" if box.seconds is None else f"{box.seconds:g} s",
                str(waiting or ""),
            ]
            lines.append(f"| {' | '.join(row)} |")
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


def text_of(cells: list[dict], kind: str) -> str:
    """What is written in all cells of a type."""
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)


def reading_minutes(cells: list[dict]) -> int:
    """How long the text of a chapter takes to read, in minutes, if its box doesn't say so."""
    words = len(text_of(cells, "markdown").split())
    return math.ceil(words / WORDS_A_MINUTE / MINUTES) * MINUTES


def exercises(cells: list[dict]) -> int:
    """How many functions of a chapter wait for the reader's code."""
    return text_of(cells, "code").count("raise NotImplementedError")
