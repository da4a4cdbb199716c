"""The exercises of chapter 3, *Learning from trips*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _values_ahead(rng: np.random.Generator, size: int) -> tuple:
    """Rewards of size steps, the estimated values of the states after them, n, and discount."""
    rewards, values = rng.integers(-3, 6, size=(2, size)).tolist()
    return rewards, values, int(rng.integers(1, size + 1)), float(rng.choice([0.5, 0.9, 1.0]))


def _n_step_return(rewards: list, values: list, n: int, discount: float) -> float:
    return sum(discount**k * rewards[k] for k in range(n)) + discount**n * values[n - 1]


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


def _two_tables(rng: np.random.Generator, size: int) -> tuple:
    first, second = rng.permutation(4 * (size + 1))[: 2 * (size + 1)].reshape(2, -1).tolist()
    return first, second, int(rng.integers(-3, 4)), float(rng.choice([0.5, 0.9]))


EXERCISES = {
    "expected_sarsa_target": Exercise(
        answer=lambda q_row, epsilon, reward, discount: (
            reward + discount * ((1 - epsilon) * max(q_row) + epsilon * sum(q_row) / len(q_row))
        ),
        draw=lambda rng, size: (
            rng.permutation(3 * size)[:size].tolist(),
            float(rng.choice([0.0, 0.2, 1.0])),
            int(rng.integers(-3, 4)),
            float(rng.choice([0.5, 0.9])),
        ),
        hint="with probability epsilon all actions are equally likely, the best one included.",
    ),
    "n_step_return": Exercise(
        answer=_n_step_return,
        draw=_values_ahead,
        hint="n rewards, discounted 0 to n - 1 times, and then the value of the state after the "
        "n-th of them, discounted n times; values[0] is the state after the first step.",
    ),
    "q_update": Exercise(
        answer=_q_update,
        draw=_one_step,
        hint="compare a step that ends the episode with one that does not: "
        "what follows a terminal state?",
    ),
    "double_q_target": Exercise(
        answer=lambda first, second, reward, discount: (
            reward + discount * second[int(np.argmax(first))]
        ),
        draw=_two_tables,
        hint="one table names the action, and only the other one is asked what it is worth.",
    ),
}
