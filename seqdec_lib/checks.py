"""Self-checks for the exercises: a reader's function against the exact answer, on random cases.

`check("name", function)` prints a verdict: the smallest case that fails, what was expected, what
came, and a hint that teaches, never the answer.
"""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CASES_PER_SIZE = 5
LARGEST_SIZE = 8
TOLERANCE = 1e-9
LINE = 76  # characters: what a page shows without scrolling


@dataclass(frozen=True)
class Exercise:
    """What an exercise asks for.

    Attributes
    ----------
    answer : the exact answer to a case
    draw : (generator, size) -> the arguments of one random case; larger sizes are harder
    hint : what to think about when a case fails
    """

    answer: Callable[..., object]
    draw: Callable[[np.random.Generator, int], tuple]
    hint: str


@dataclass(frozen=True)
class Verdict:
    """How an attempt did: `passed`, and the text that the reader sees."""

    passed: bool
    text: str


def check(name: str, attempt: Callable[..., object]) -> None:
    """Print the verdict on a reader's function for the exercise `name`."""
    print(judge(name, attempt).text)


def judge(name: str, attempt: Callable[..., object], seed: int = 0) -> Verdict:
    """Try a function on random cases, small ones first, until one fails.

    Raises
    ------
    ValueError
        No exercise of that name.
    """
    if name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}; the exercises are {sorted(EXERCISES)}.")
    exercise, rng = EXERCISES[name], np.random.default_rng(seed)
    for size in range(1, LARGEST_SIZE + 1):
        for _ in range(CASES_PER_SIZE):
            case = exercise.draw(rng, size)
            expected = exercise.answer(*copy.deepcopy(case))
            try:
                came = attempt(*copy.deepcopy(case))
            except NotImplementedError:
                return Verdict(False, f"{name}: not filled in yet. Write it, then run this cell.")
            except Exception as error:  # whatever a reader's code raises is part of the verdict
                came = error
            if not _equal(came, expected):
                return Verdict(False, _explain(name, case, expected, came, exercise.hint))
    return Verdict(True, f"{name}: right, on all {LARGEST_SIZE * CASES_PER_SIZE} random cases.")


def _equal(came: object, expected: object) -> bool:
    """Same numbers within rounding, same shape; lists and arrays are the same thing here."""
    try:
        numbers, exact = np.asarray(came, dtype=float), np.asarray(expected, dtype=float)
    except Exception:  # whatever a strange answer raises here, it is not a number
        return False
    return numbers.shape == exact.shape and np.allclose(
        numbers, exact, rtol=TOLERANCE, atol=TOLERANCE
    )


def _explain(name: str, case: tuple, expected: object, came: object, hint: str) -> str:
    arguments = ", ".join(_show(argument) for argument in case)
    result = f"{type(came).__name__}: {came}" if isinstance(came, Exception) else _show(came)
    return (
        f"{name}: not yet. The smallest case that fails is\n"
        f"  {name}({arguments})\n"
        f"  expected {_show(expected)}\n"
        f"  came     {result}\n"
        f"Hint: {textwrap.fill(hint, LINE, subsequent_indent='  ')}"
    )


def _show(value: object) -> str:
    return repr(value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value)


# -- chapter 1


def _rewards_and_discount(rng: np.random.Generator, size: int) -> tuple:
    return rng.integers(-3, 10, size=size).tolist(), float(rng.choice([0.5, 0.9, 1.0]))


def _returns_to_go(rewards: list[float], discount: float) -> list[float]:
    return [
        sum(discount**k * reward for k, reward in enumerate(rewards[t:]))
        for t in range(len(rewards))
    ]


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


EXERCISES: dict[str, Exercise] = {
    "discounted_return": Exercise(
        answer=lambda rewards, discount: _returns_to_go(rewards, discount)[0],
        draw=_rewards_and_discount,
        hint="the first reward is not discounted at all, the second once, the third twice.",
    ),
    "count_nodes": Exercise(
        answer=lambda branching, horizon: sum(branching**t for t in range(horizon + 1)),
        draw=lambda rng, size: (int(rng.integers(2, 5)), size),
        hint="count level by level, and don't forget the root: level t has branching ** t nodes.",
    ),
    "returns_to_go": Exercise(
        answer=_returns_to_go,
        draw=_rewards_and_discount,
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


# -- chapter 2


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


EXERCISES |= {
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


# -- chapter 3


def _choose(visits: list[int], totals: list[float], c: float) -> int:
    scores = [
        np.inf if n == 0 else total / n + c * np.sqrt(2 * np.log(sum(visits)) / n)
        for n, total in zip(visits, totals, strict=True)
    ]
    return int(np.argmax(scores))


EXERCISES |= {
    "estimate_row": Exercise(
        answer=lambda next_states, n_states: [
            next_states.count(s) / len(next_states) if next_states else 1 / n_states
            for s in range(n_states)
        ],
        draw=lambda rng, size: (
            rng.integers(size + 1, size=rng.integers(0, 2 * size)).tolist(),
            size + 1,
        ),
        hint="count each state and divide by how many followed in all; a list without entries has "
        "nothing to divide by.",
    ),
    "error_allowed": Exercise(
        answer=lambda loss, discount, reward_span: (
            min(1.0, loss * (1 - discount) ** 2 / (2 * discount * reward_span))
            if discount * reward_span
            else 1.0
        ),
        draw=lambda rng, size: (
            float(rng.integers(1, 5 * size)) / 4,
            float(rng.choice([0.0, 0.5, 0.9, 0.99])),
            float(rng.integers(1, 5)),
        ),
        hint="set the bound equal to the loss and solve for epsilon; then look at the smallest "
        "discount: what does a wrong next state cost if the future does not count?",
    ),
    "choose": Exercise(
        answer=_choose,
        draw=lambda rng, size: (
            rng.integers(0 if size % 2 else 1, 8, size=size + 1).tolist(),
            (rng.integers(0, 100, size=size + 1) / 100).tolist(),
            float(rng.choice([0.0, 0.5, 1.0])),
        ),
        hint="the mean is totals / visits; the logarithm is of the visits of the node, the sum of "
        "its actions' visits. What if one of the visits is 0?",
    ),
    "cliff_loss": Exercise(
        answer=lambda fall, discount: sum(discount**t * (1 - (1 - fall) ** t) for t in range(4000)),
        draw=lambda rng, size: (
            float(rng.integers(0, size + 1)) / (size + 1),
            float(rng.choice([0.5, 0.9, 0.99])),
        ),
        hint="write the Bellman equation of the path: it pays 1, and with probability 1 - fall you "
        "are on the path again. Do the same without falls, and subtract.",
    ),
    "backed_up": Exercise(
        answer=_returns_to_go,
        draw=_rewards_and_discount,
        hint="what was earned before a node was reached says nothing about the node; and what "
        "comes k steps after it is discounted k times, wherever the node is.",
    ),
}
