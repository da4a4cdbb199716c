"""The exercises of chapter 2, *The Bellman equation*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _chain(rng: np.random.Generator, size: int) -> tuple:
    """Transitions (S, S), rewards (S,), discount and values (S,) of a small Markov chain."""
    weights = rng.integers(0, 4, size=(size, size)) + np.eye(size, dtype=int)
    transitions = weights / weights.sum(axis=1, keepdims=True)
    rewards, values = rng.integers(-3, 6, size=(2, size))
    discount = float(rng.choice([0.5, 0.9]))
    return transitions.tolist(), rewards.tolist(), discount, values.tolist()


def _backup(
    transitions: list[list[float]], rewards: list[float], discount: float, values: list[float]
) -> list[float]:
    return (np.array(rewards) + discount * np.array(transitions) @ np.array(values)).tolist()


def _sweeps_needed(first_change: float, discount: float, tolerance: float) -> int:
    sweeps, error = 0, first_change / (1 - discount)
    while error > tolerance:
        sweeps, error = sweeps + 1, discount * error
    return sweeps


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
    "evaluate_once": Exercise(
        answer=_backup,
        draw=_chain,
        hint="row s of the transitions says where state s leads: the mean of the next values is a "
        "product of a matrix and a vector, and only that mean is discounted.",
    ),
    "sweeps_needed": Exercise(
        answer=_sweeps_needed,
        draw=lambda rng, size: (
            float(rng.integers(1, 10)),
            float(rng.choice([0.5, 0.9, 0.95])),
            float(3.7 * 10.0 ** -rng.integers(-1, size)),
        ),
        hint="before the first sweep the error is at most first_change / (1 - discount), and each "
        "sweep multiplies the bound by the discount. Can you be done before the first one?",
    ),
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
