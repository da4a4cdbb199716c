"""The exercises of chapter 1, *The tree problem*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, returns_to_go, rewards_and_discount


def _path(node: int, branching: int) -> list[int]:
    actions: list[int] = []
    while node:
        node, action = divmod(node - 1, branching)
        actions.insert(0, action)
    return actions


def _first_values(leaves: list[float], branching: int) -> list[float]:
    share = len(leaves) // branching
    return [max(leaves[action * share :][:share]) for action in range(branching)]


def _leaves(rng: np.random.Generator, size: int) -> tuple:
    branching = int(rng.integers(2, 4))
    return rng.integers(0, 10, size=branching ** (1 + size // 2)).tolist(), branching


def _trips_needed(worths: list[float], target: float) -> int:
    """By counting upward, with the chances that all n trips stay below each worth."""
    levels, counts = np.unique(worths, return_counts=True)
    at_most = np.cumsum(counts) / len(worths)
    short = (levels[-1] - levels) / (levels[-1] - np.mean(worths))
    n = 1
    while short @ np.diff(at_most**n, prepend=0) > target:
        n += 1
    return n


def _worths_and_target(rng: np.random.Generator, size: int) -> tuple:
    worths = rng.integers(0, 10, size=1 + size).tolist()
    return [*worths, max(worths) + 1], float(rng.uniform(0.03, 0.9))


EXERCISES = {
    "discounted_return": Exercise(
        answer=lambda rewards, discount: returns_to_go(rewards, discount)[0],
        draw=rewards_and_discount,
        hint="the first reward is not discounted at all, the second once, the third twice.",
    ),
    "count_nodes": Exercise(
        answer=lambda branching, horizon: sum(branching**t for t in range(horizon + 1)),
        draw=lambda rng, size: (int(rng.integers(1, 5)), size),
        hint="count level by level, and don't forget the root: level t has branching ** t nodes. "
        "With a single action each level has one node.",
    ),
    "path_to": Exercise(
        answer=_path,
        draw=lambda rng, size: (int(rng.integers(0, 4**size)), int(rng.integers(2, 5))),
        hint="child = branching * node + 1 + action; undo that with a division and its remainder, "
        "until you are at node 0. Which action did you find first, the first day's or the last?",
    ),
    "first_values": Exercise(
        answer=_first_values,
        draw=_leaves,
        hint="siblings stand side by side: a level of the tree falls into groups of `branching`.",
    ),
    "trips_needed": Exercise(
        answer=_trips_needed,
        draw=_worths_and_target,
        hint="start with the expected worth of the best of n trips, make a regret of it, and "
        "look for the first n whose regret is at most the target. One trip has regret 1.",
    ),
}
