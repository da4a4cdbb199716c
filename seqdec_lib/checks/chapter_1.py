"""The exercises of chapter 1, *The tree problem*."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqdec_lib.checks.exercise import Exercise, returns_to_go, rewards_and_discount


def _path(node: int, branching: int) -> list[int]:
    actions: list[int] = []
    while node:
        node, action = divmod(node - 1, branching)
        actions.insert(0, action)
    return actions


def _leaves(rng: np.random.Generator, size: int) -> tuple:
    branching = int(rng.integers(2, 4))
    return rng.integers(0, 10, size=branching ** (1 + size // 2)).tolist(), branching


def _tree_value(leaves: list[float], branching: int, combine: Callable) -> float:
    level = np.array(leaves, dtype=float)
    while len(level) > 1:
        level = combine(level.reshape(-1, branching))
    return float(level[0])


def _leaves_and_probabilities(rng: np.random.Generator, size: int) -> tuple:
    leaves, branching = _leaves(rng, size)
    weights = rng.integers(1, 5, size=branching)
    return leaves, (weights / weights.sum()).tolist()


EXERCISES = {
    "discounted_return": Exercise(
        answer=lambda rewards, discount: returns_to_go(rewards, discount)[0],
        draw=rewards_and_discount,
        hint="the first reward is not discounted at all, the second once, the third twice.",
    ),
    "count_nodes": Exercise(
        answer=lambda branching, horizon: sum(branching**t for t in range(horizon + 1)),
        draw=lambda rng, size: (int(rng.integers(2, 5)), size),
        hint="count level by level, and don't forget the root: level t has branching ** t nodes.",
    ),
    "returns_to_go": Exercise(
        answer=returns_to_go,
        draw=rewards_and_discount,
        hint="G_t starts with the reward that follows action t; check t = 0 with a single reward.",
    ),
    "path_to": Exercise(
        answer=_path,
        draw=lambda rng, size: (int(rng.integers(0, 4**size)), int(rng.integers(2, 5))),
        hint="child = branching * node + 1 + action; undo that with a division and its remainder, "
        "until you are at node 0. Which action did you find first, the first day's or the last?",
    ),
    "best_value": Exercise(
        answer=lambda leaves, branching: _tree_value(leaves, branching, lambda q: q.max(axis=1)),
        draw=_leaves,
        hint="siblings stand side by side: a level of the tree falls into groups of `branching`.",
    ),
    "value_of_policy": Exercise(
        answer=lambda leaves, probabilities: _tree_value(
            leaves, len(probabilities), lambda q: q @ np.array(probabilities)
        ),
        draw=_leaves_and_probabilities,
        hint="the same sweep as for the optimum; only how a node combines its children changes.",
    ),
}
