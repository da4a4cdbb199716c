"""The exercises of chapter 12, *Bridging imitation and innovation*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _scores(rng: np.random.Generator, size: int) -> tuple[float, float, float, float]:
    random = float(rng.integers(0, 10 * size))
    expert = random + float(rng.integers(1, 10 * size + 1))
    return float(rng.integers(-20, 120)), random, expert, expert + float(rng.integers(0, 5 * size))


def _regret_of_score(score: float, random: float, expert: float, optimal: float) -> float:
    return 1 - (score / 100) * (expert - random) / (optimal - random)


def _front(methods: list[tuple[float, int]]) -> list[int]:
    pairs = np.array(methods)
    no_worse = (pairs[:, None] <= pairs[None]).all(axis=2)  # [a, b]: a is at least as good as b
    return np.flatnonzero(~(no_worse & ~no_worse.T).any(axis=0)).tolist()


def _break_even(model_cost: int, with_model: int, without_model: int) -> float:
    cities = range(1, model_cost + 2)
    return next((n for n in cities if model_cost + n * with_model < n * without_model), np.inf)


def _words(rng: np.random.Generator, size: int) -> tuple[list[float], list[bool]]:
    possible = rng.random(size + 1) < 0.5
    possible[rng.integers(size + 1)] = True
    return rng.dirichlet(np.ones(size + 1)).round(6).tolist(), possible.tolist()


def _only_possible(probabilities: list[float], possible: list[bool]) -> np.ndarray:
    weights = np.where(possible, probabilities, 0)
    return weights / weights.sum()


EXERCISES = {
    "regret_of_score": Exercise(
        answer=_regret_of_score,
        draw=_scores,
        hint="first find the return that the score stands for, then ask how far it is from the "
        "true optimum, on the scale of regret.",
    ),
    "pareto_front": Exercise(
        answer=_front,
        draw=lambda rng, size: ([tuple(pair) for pair in rng.integers(0, 4, (size, 2)).tolist()],),
        hint="a method is beaten if another one is no worse in both numbers and better in one; "
        "its twin does not beat it.",
    ),
    "fair_score": Exercise(
        answer=lambda regrets: float(np.mean(regrets)),
        draw=lambda rng, size: (rng.integers(0, 20, size).astype(float).tolist(),),
        hint="which number of many runs is, on average, what one more run will give?",
    ),
    "break_even": Exercise(
        answer=_break_even,
        draw=lambda rng, size: tuple(rng.integers(0, 4 * size, 3).tolist()),
        hint="write down what n cities cost with and without the model. Mind the case in which "
        "both cost the same, and the one in which the model saves nothing.",
    ),
    "only_possible": Exercise(
        answer=_only_possible,
        draw=_words,
        hint="what is impossible gets nothing, and what is left must sum to one again.",
    ),
}
