"""The order of a run, and what is slow."""

from pathlib import Path

import pytest

from tests import order

TESTS = Path(__file__).parent


class Item:
    """As much of a test as the order looks at."""

    def __init__(self, path: str, *fixtures: str) -> None:
        self.path, self.fixturenames, self.marks = TESTS / path, fixtures, []
        self.add_marker = self.marks.append


def test_long_files_come_first_and_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "SECONDS", {"long.py": 20, "longer.py": 30})
    order.cpu_seconds.cache_clear()
    items = [
        Item(name) for name in ("a.py", "long.py", "long.py", "b.py", "longer.py", "longer.py")
    ]
    expected = [items[k] for k in (4, 5, 1, 2, 0, 3)]
    order.pytest_collection_modifyitems(items)
    assert items == expected


def test_what_needs_a_site_or_a_sandbox_is_slow() -> None:
    items = [Item("a.py", "tmp_path"), Item("a.py", "site", "tmp_path"), Item("a.py", "sandbox")]
    order.pytest_collection_modifyitems(items)
    assert [item.marks for item in items] == [[], ["slow"], ["slow"]]


def test_every_module_with_a_time_of_its_own_is_there() -> None:
    assert [name for name in order.SECONDS if not (TESTS / name).is_file()] == []
