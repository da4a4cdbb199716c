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


# -- chapter 5


def _logits(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.round(rng.normal(scale=1.5, size=size + 1), 2)


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def _relaxed_jacobian(shares: list[float], tau: float) -> np.ndarray:
    shares = np.array(shares)
    return (np.diag(shares) - np.outer(shares, shares)) / tau


def _exact_gradient(logits: list[float], rewards: list[float]) -> np.ndarray:
    probabilities = _softmax(np.array(logits))
    return probabilities * (np.array(rewards) - probabilities @ rewards)


def _mean_relaxed_choice(logits: list[float], tau: float, draws: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noisy = np.array(logits) + rng.gumbel(size=(draws, len(logits)))
    return np.mean([_softmax(row / tau) for row in noisy], axis=0)


EXERCISES |= {
    "noise_from_uniform": Exercise(
        answer=lambda uniform: -np.log(-np.log(np.array(uniform))),
        draw=lambda rng, size: (np.round(rng.uniform(0.01, 0.99, size), 3).tolist(),),
        hint="solve u = exp(-exp(-g)) for g, from the outside in; at u = 1/e the noise is 0.",
    ),
    "chosen_action": Exercise(
        answer=lambda logits, noise: int(np.argmax(np.add(logits, noise))),
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            np.round(rng.gumbel(size=size + 1), 2).tolist(),
        ),
        hint="equation 2 in words: which action has the largest sum? No softmax is needed.",
    ),
    "exact_gradient": Exercise(
        answer=_exact_gradient,
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            rng.integers(0, 10, size + 1).tolist(),
        ),
        hint="differentiate the sum of pi_k r_k; the derivative of pi_k with respect to z_i is "
        "pi_k (1 - pi_i) for k = i and -pi_k pi_i otherwise. The entries add up to 0.",
    ),
    "leave_one_out_advantages": Exercise(
        answer=lambda returns: [
            r - np.mean(returns[:i] + returns[i + 1 :]) for i, r in enumerate(returns)
        ],
        draw=lambda rng, size: (rng.integers(0, 31, size + 1).tolist(),),
        hint="with two returns each one's baseline is the other; the mean of all returns contains "
        "the sample's own and would be half of it there.",
    ),
    "relaxed_jacobian": Exercise(
        answer=_relaxed_jacobian,
        draw=lambda rng, size: (
            _softmax(_logits(rng, size)).tolist(),
            float(rng.choice([0.1, 0.5, 1.0, 5.0])),
        ),
        hint="row i, column j: how share i changes with logit j. A softmax of z / tau has the "
        "derivative of a softmax, and the chain rule adds one factor.",
    ),
    "mean_relaxed_choice": Exercise(
        answer=_mean_relaxed_choice,
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            float(rng.choice([0.5, 1.0])),
            size,
            int(rng.integers(0, 100)),
        ),
        hint="with a single draw it is right; with two, print both samples before averaging them.",
    ),
}


# -- chapter 6


def _rows(rng: np.random.Generator, steps: int) -> np.ndarray:
    weights = rng.integers(1, 6, size=(steps, 3))
    return weights / weights.sum(axis=1, keepdims=True)


def _clone(pairs: list[tuple[int, int]], node: int, n_actions: int) -> np.ndarray:
    taken = [action for other, action in pairs if other == node]
    counts = np.bincount(taken, minlength=n_actions) if taken else np.ones(n_actions)
    return counts / counts.sum()


def _pairs(rng: np.random.Generator, size: int) -> tuple:
    pairs = np.stack([rng.integers(0, 3, size), rng.integers(0, 3, size)], axis=1)
    return [tuple(pair) for pair in pairs.tolist()], int(rng.integers(0, 3)), 3


def _padded(rng: np.random.Generator, size: int) -> tuple:
    lengths = rng.integers(1, size + 1, size=2)
    losses = np.round(rng.uniform(0.1, 2, size=(2, size)), 1)
    mask = np.arange(size) < lengths[:, None]
    return losses.tolist(), mask.astype(int).tolist()


def _departures(agreement: list[float]) -> np.ndarray:
    there = np.cumprod([1, *agreement])
    return np.append(there[:-1] - there[1:], there[-1])


EXERCISES |= {
    "trip_loss": Exercise(
        answer=lambda probabilities, actions: (
            -float(np.log(np.array(probabilities)[np.arange(len(actions)), actions]).sum())
        ),
        draw=lambda rng, size: (_rows(rng, size).tolist(), rng.integers(0, 3, size).tolist()),
        hint="of each inner sum one term is left, that of the action taken. It is a sum over the "
        "trip, not a mean, and losses are positive.",
    ),
    "clone_by_counting": Exercise(
        answer=_clone,
        draw=_pairs,
        hint="count the actions of the pairs whose node it is, and divide by their number; what "
        "is that number where nobody was?",
    ),
    "mean_loss": Exercise(
        answer=lambda losses, mask: float(np.array(losses)[np.array(mask, dtype=bool)].mean()),
        draw=_padded,
        hint="by how many steps was the sum divided, and how many were taken? Means of each trip "
        "won't do either: a step of a short trip would weigh more than one of a long trip.",
    ),
    "first_departure": Exercise(
        answer=_departures,
        draw=lambda rng, size: (np.round(rng.uniform(0.1, 1, size), 1).tolist(),),
        hint="to leave on morning t it must have stayed on all mornings before. The numbers add "
        "up to 1.",
    ),
    "steps_in_ditch": Exercise(
        answer=lambda error, horizon: sum(1 - (1 - error) ** t for t in range(1, horizon + 1)),
        draw=lambda rng, size: (float(rng.choice([0.01, 0.1, 0.5])), size),
        hint="with which probability has there been no error after t steps? Sum over the steps, "
        "the first one included.",
    ),
}


# -- chapter 7


def _choices(rng: np.random.Generator, size: int) -> tuple[list[int], list[int], int]:
    returns = rng.integers(0, 3, size).tolist()
    return rng.integers(0, 2, size).tolist(), returns, int(rng.integers(0, 3))


def _shares(actions: list[int], returns: list[int], target: int) -> list[float]:
    taken = np.array(actions)[np.array(returns) == target]
    return [float((taken == a).mean()) if len(taken) else 0.5 for a in range(2)]


EXERCISES |= {
    "next_target": Exercise(
        answer=lambda target, reward, discount: (target - reward) / discount,
        draw=lambda rng, size: (
            float(rng.integers(0, 10 * size)),
            float(rng.integers(-3, 4)),
            float(rng.choice([1.0, 0.9, 0.5])),
        ),
        hint="solve G_t = r + discount * G_{t+1} for what is still to come.",
    ),
    "action_given_return": Exercise(
        answer=_shares,
        draw=_choices,
        hint="keep the choices whose return is the target, and only then count. None may be left.",
    ),
    "goal_column": Exercise(
        answer=lambda rewards: _returns_to_go(rewards, 1.0),
        draw=lambda rng, size: (rng.integers(-2, 5, size).astype(float).tolist(),),
        hint="try a trip that pays only at its end: what should stand before its first step?",
    ),
}
