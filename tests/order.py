"""The order of a run: files that take long come first; and what `make test-fast` leaves out.

`--dist=loadfile` gives a worker that is done the next file, and `--no-loadscope-reorder` keeps to
this order. So both workers end together, and none is left alone with a long chapter.
"""

from functools import cache
from pathlib import Path

import nbformat
import pytest

from tests import guards

# CPU seconds of the modules that take ten and more; a notebook states its own. Nothing but the
# order depends on them.
SECONDS = {
    "test_course.py": 150,
    "test_guards.py": 40,
    "test_assignments.py": 60,
    "test_language.py": 20,
    "test_judges.py": 15,
    "test_lab.py": 40,
    "test_take_along.py": 100,
    "test_notebooks.py": 20,
    "test_build.py": 25,
    "test_site.py": 30,
    "test_moving_around.py": 30,
    "test_site_browser.py": 90,
    "test_figures_browser.py": 30,
    "test_desk.py": 20,
    "test_bootstrap.py": 10,
    "test_processes.py": 35,
    "test_shards.py": 15,
    "test_finetune.py": 10,
    "test_laws.py": 10,
    "test_term.py": 10,
    "test_evidence.py": 10,
}
OTHERS = 3
SLOW_FIXTURES = {"sandbox", "site", "harness_run"}  # whatever needs one of them is slow


@cache
def cpu_seconds(path: Path) -> float:
    """What a file is thought to take."""
    if path.suffix != ".ipynb":
        return SECONDS.get(path.name, OTHERS)
    try:
        return guards.budget_of(nbformat.read(path, as_version=4))
    except ValueError:
        return OTHERS  # a guard complains


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files, leave each as it is, and mark what is slow."""
    items.sort(key=lambda item: -cpu_seconds(item.path))
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
