"""Appendix A promises that its cells, up to the first result, run on other Minari datasets, too."""

import ast
import contextlib
from pathlib import Path
from typing import Any

import gymnasium
import minari
import nbformat
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, Space
from minari.data_collector import EpisodeBuffer

from seqdec_lib.experience.episodes import play

PAGE = Path(__file__).resolve().parent.parent / "chapters" / "A_your_own_problem.ipynb"
TRIES = 20


class Drift(gymnasium.Env):
    """Four numbers without bounds, moved by two that reach further one way than the other."""

    observation_space = Box(-np.inf, np.inf, (4,), np.float64)
    action_space: Space = Box(np.array([-1.0, -2.0]), np.array([3.0, 2.0]), dtype=np.float64)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self._x = self.np_random.normal(size=4)
        return self._x, {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        self._x = 0.9 * self._x + np.resize(action, 4) / 5
        return self._x, -float((self._x**2).sum()), False, False, {}


class Stuck(Drift):
    """The same with bounds, but one of the numbers never changes."""

    observation_space = Box(-99, 99, (4,), np.float64)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return self._stuck(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        _, *rest = super().step(action)
        return self._stuck(), *rest

    def _stuck(self) -> np.ndarray:
        self._x[3] = 7.0
        return self._x


class Switched(Drift):
    """The same numbers, moved by a switch."""

    action_space = Discrete(2)


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place of its own for datasets."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))


@pytest.mark.parametrize("world", [Drift, Stuck])
def test_the_page_takes_another_dataset(world: type[Drift], datasets: None) -> None:
    names = page_on(world)
    exec(source("aA-pendulum-train"), names)
    assert np.isfinite(names["own"]) and len(names["good"]) == TRIES // 10
    action = names["act"]([np.zeros((3, 4))], [], [])
    assert action.shape == (3, 2)


def test_the_page_says_what_it_cannot_take(datasets: None) -> None:
    with pytest.raises(ValueError, match=r"Discrete\(2\) is no flat Box"):
        page_on(Switched)


def page_on(world: type[Drift]) -> dict[str, Any]:
    """Return what the page has after it has read a dataset of this world."""
    save(world, "seqdec/another-v0")
    names = defined_before("aA-dataset")
    names["cells_from"] = lambda starts: starts[:, :1] > 0
    exec(cell_with("seqdec/another-v0"), names)
    return names


def save(world: type[Drift], name: str) -> None:
    """Write a dataset of a few episodes by a driver that does anything."""
    entry = f"{__name__}:{world.__name__}"
    gymnasium.register(f"{world.__name__}-v0", entry_point=entry, max_episode_steps=9)
    one = gymnasium.make(f"{world.__name__}-v0")
    many = gymnasium.make_vec(f"{world.__name__}-v0", num_envs=TRIES)
    many.action_space.seed(0)
    trips = play(many, lambda seen, taken, paid: many.action_space.sample(), 0)
    minari.create_dataset_from_buffers(
        name,
        [EpisodeBuffer(id=i, **vars(trip)) for i, trip in enumerate(trips)],
        env=one,
        eval_env=one,
        algorithm_name="anything",
        author="a test",
        author_email="you@example.org",
        code_permalink="https://example.org/your-code",
        description="Numbers that drift",
    )


def source(cell_id: str) -> str:
    """Return the code of a cell of the page."""
    cells = nbformat.read(PAGE, as_version=4).cells
    return next(cell.source for cell in cells if cell.get("id") == cell_id)


def cell_with(name: str) -> str:
    """Return the cell that reads a dataset, changed as the page says."""
    tree = ast.parse(source("aA-dataset"))
    loading, *rest = tree.body
    loading.value.args = [ast.Constant(name)]  # its first line
    kept = [node for node in rest if getattr(node, "name", "") != "cells_from"]
    return ast.unparse(ast.Module([loading, *kept], []))


def defined_before(cell_id: str) -> dict[str, Any]:
    """Return what the page imports and defines before a cell, but nothing that it runs there."""
    names: dict[str, Any] = {"seed": 0}
    for cell in nbformat.read(PAGE, as_version=4).cells:
        if cell.get("id") == cell_id:
            break
        for node in ast.parse(cell.source).body if cell.cell_type == "code" else []:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                with contextlib.suppress(NameError):  # defaults that come from what runs there
                    exec(ast.unparse(node), names)
    return names
