"""The order of a run: files that take long come first; and what `make test-fast` leaves out.

`--dist=loadfile` gives a worker that is done the next file, and `--no-loadscope-reorder` keeps to
this order. So both workers end together, and none is left alone with a long chapter.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest

# CPU seconds of the modules that take ten and more; a notebook states its own. Nothing but the
# order depends on them.
SECONDS: dict[str, float] = {}
OTHERS = 3.0
SLOW_FIXTURES = {"sandbox", "site"}  # whatever needs one of them is slow
BUDGET = re.compile(r"\bbook\.start\(.*?\bbudget=([\d.]+)", re.DOTALL)


@cache
def cpu_seconds(path: Path) -> float:
    """What a file is thought to take."""
    if path.suffix != ".ipynb":
        return SECONDS.get(path.name, OTHERS)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = next((cell["source"] for cell in cells if cell["cell_type"] == "code"), "")
    budget = BUDGET.search("".join(first))  # whoever has none is told by `tests.guards`
    return float(budget[1]) if budget else OTHERS


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files, leave each as it is, and mark what is slow."""
    items.sort(key=lambda item: -cpu_seconds(item.path))
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
