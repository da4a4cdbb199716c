"""What the box at the top of a chapter says: which chapters it needs, and how long it takes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

BOX = re.compile(r"This (?:chapter|appendix) in a box")
RECORD = "application/papermill.record/text/plain"  # what `record` writes


@dataclass(frozen=True)
class Box:
    """A chapter's box.

    title : of the chapter.
    needs : stems of the files of the chapters that it needs, such as "01_the_tree_problem".
    minutes : of reading; None where it doesn't say.
    seconds : of CPU time, the budget that the chapter recorded; None where it recorded none.
    """

    title: str
    needs: tuple[str, ...]
    minutes: int | None
    seconds: float | None


def box_of(cells: list[dict]) -> Box:
    """The box of a chapter, from the cells of its source or of the reader's notebook."""
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    text = "\n\n".join(texts)
    title = re.search(r"^# +(.+?) *$", text, re.MULTILINE)
    inside = BOX.split(text, maxsplit=1)[-1] if BOX.search(text) else ""
    need = re.search(r"\*\*You need\*\*(.*?)\n\s*>?\s*\n", inside, re.DOTALL)
    needs = re.findall(r"(?:<|\()(?:.*?/)?(\w+?_\w+)(?:\.ipynb)?[>)#]", need[1]) if need else []
    minutes = re.search(r"about (\d+) minutes", inside.partition("\n#")[0])
    return Box(
        title=title[1] if title else "",
        needs=tuple(dict.fromkeys(needs)),
        minutes=int(minutes[1]) if minutes else None,
        seconds=budget(cells),
    )


def read_box(path: Path) -> Box:
    """The box of the chapter in a file."""
    return box_of(json.loads(path.read_text(encoding="utf-8"))["cells"])


def budget(cells: list[dict]) -> float | None:
    """The CPU seconds that a chapter recorded as what it takes; None where it recorded nothing."""
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        if output.get("metadata", {}).get("scrapbook", {}).get("name") == "cpu_budget":
            return float(output["data"][RECORD])
    return None
