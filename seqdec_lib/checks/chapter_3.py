"""The exercises of chapter 3, *Learning from trips*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _trip(rng: np.random.Generator, size: int) -> tuple:
    """Rewards of size steps, the estimated values of the states before them, and a discount."""
    rewards, values = rng.integers(-3, 6, size=(2, size)).tolist()
    return rewards, values, float(rng.choice([0.5, 0.9, 1.0]))


def _td_errors(rewards: list, values: list, discount: float) -> list:
    following = [*values[1:], 0]
    return [rewards[t] + discount * following[t] - values[t] for t in range(len(rewards))]


def _values_ahead(rng: np.random.Generator, size: int) -> tuple:
    """Rewards of size steps, the estimated values of the states after them, n, and discount."""
    rewards, values = rng.integers(-3, 6, size=(2, size)).tolist()
    return rewards, values, int(rng.integers(1, size + 3)), float(rng.choice([0.5, 0.9, 1.0]))


def _n_step_return(rewards: list, values: list, n: int, discount: float) -> float:
    taken = min(n, len(rewards))
    total = sum(discount**k * rewards[k] for k in range(taken))
    return total + (discount**n * values[n - 1] if n < len(rewards) else 0)


def _one_step(rng: np.random.Generator, size: int) -> tuple:
    """A table (S, 2), a step (s, a, r, s', terminated), step size and discount."""
    table = rng.integers(-5, 6, size=(size + 1, 2)).tolist()
    state, next_state = (int(s) for s in rng.integers(size + 1, size=2))
    step = state, int(rng.integers(2)), int(rng.integers(-3, 4)), next_state
    return table, *step, bool(rng.random() < 0.5), 0.5, float(rng.choice([0.5, 0.9]))


def _q_update(
    table: list,
    state: int,
    action: int,
    reward: float,
    next_state: int,
    terminated: bool,
    step_size: float,
    discount: float,
) -> list:
    target = reward if terminated else reward + discount * max(table[next_state])
    table[state][action] += step_size * (target - table[state][action])
    return table


def _choices(rng: np.random.Generator, size: int) -> tuple:
    """A trip as nested pairs, one to three choices deep, whose endings differ; and epsilon."""
    deep = min(3, (size + 2) // 3)
    choices = rng.permutation(4 * 2**deep)[: 2**deep]
    for _ in range(deep - 1):
        choices = choices.reshape(-1, 2, *choices.shape[1:])
    return choices.tolist(), float(rng.choice([0.25, 0.5, 0.75]))


def _explorers_trip(choices: list | float, epsilon: float) -> list[float]:
    if not isinstance(choices, list):
        return [choices, choices]
    values, earned = zip(*(_explorers_trip(way, epsilon) for way in choices), strict=True)
    worth = (1 - epsilon) * max(values) + epsilon * sum(values) / len(values)
    return [worth, earned[values.index(max(values))]]


def _log_of_trips(rng: np.random.Generator, size: int) -> tuple:
    """The worths of some trips, and of the favorite after each, which may lag and waver."""
    worths = rng.integers(0, size + 2, size=2 * size)
    best = np.maximum.accumulate(worths)
    lag = int(rng.integers(0, size + 1))
    favorite = np.concatenate([np.zeros(lag, dtype=int), best])[: len(best)]
    favorite[rng.random(len(favorite)) < 0.2] = 0
    favorite[-1] = worths.max()
    return worths.tolist(), favorite.tolist()


def _search_and_repeat(worths: list, favorite: list) -> list:
    best, first = max(worths), worths.index(max(worths)) + 1
    right = [min(favorite[n:]) >= best for n in range(len(favorite))]
    return [first, max(0, right.index(True) + 1 - first)]


EXERCISES = {
    "td_errors": Exercise(
        answer=_td_errors,
        draw=_trip,
        hint="one error a step: the reward, plus the discounted value of the state that comes "
        "next, minus the value of this one. After the last step nothing follows.",
    ),
    "n_step_return": Exercise(
        answer=_n_step_return,
        draw=_values_ahead,
        hint="n rewards, discounted 0 to n - 1 times, and then the value of the state after the "
        "n-th of them, discounted n times; values[0] is the state after the first step. Where the "
        "trip is over by then, nothing follows.",
    ),
    "q_update": Exercise(
        answer=_q_update,
        draw=_one_step,
        hint="look for a case that passes; in which argument does this one differ from it?",
    ),
    "explorers_trip": Exercise(
        answer=_explorers_trip,
        draw=_choices,
        hint="first ask this question about each way on. The explorer's value mixes the largest of "
        "their values and the mean of all; the second number comes from the way whose value is the "
        "largest, and in it nothing is mixed.",
    ),
    "search_and_repeat": Exercise(
        answer=_search_and_repeat,
        draw=_log_of_trips,
        hint="trips are counted from 1; the favorite is right for good from the trip after the "
        "last one that left it below the best worth, and it can't be right before it saw it.",
    ),
}
