"""The exercises of chapter 2, *The Bellman equation*."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _sweeps_needed(first_change: float, discount: float, tolerance: float) -> int:
    sweeps, error = 0, first_change / (1 - discount)
    while error > tolerance:
        sweeps, error = sweeps + 1, discount * error
    return sweeps


def _greedy_twice(north: list[float], south: list[float], on_time: float) -> list[float]:
    ways = np.array([[on_time, 1 - on_time], [1 - on_time, on_time]])
    coin = ways @ [np.mean(north), np.mean(south)]
    best = ways @ [max(north), max(south)]
    return [float(coin.mean()), float(best[coin.argmax()]), float(best.max())]


def _other_tree(rng: np.random.Generator, size: int) -> tuple:
    """Stars in the north and in the south, never a tie for the coin; how often trains are right."""
    north, south = rng.integers(0, 12, size=(2, 2)).tolist()
    if sum(north) == sum(south):
        south[0] += 1
    return north, south, float(rng.choice([0.6, 0.8, 1.0]))


def _world(rng: np.random.Generator, size: int) -> tuple:
    """Transitions (S, 2, S), rewards, discount and values; one next state is the likeliest."""
    states = size + 1
    likely = np.eye(states, dtype=int)[rng.integers(states, size=(states, 2))]
    others = rng.multinomial(2, np.full(states, 1 / states), size=(states, 2))
    transitions = (3 * likely + others) / 5
    rewards = rng.integers(-2, 3, size=(states, 2))
    values = rng.integers(-50, 50, size=states)
    return transitions.tolist(), rewards.tolist(), 0.9, values.tolist()


@dataclass(frozen=True)
class _ChangesAt:
    """False below a number, True from there on."""

    place: float

    def __call__(self, discount: float) -> bool:
        return discount >= self.place


def _one_change(rng: np.random.Generator, size: int) -> tuple:
    """A function that changes once, an interval around the place, and a tolerance."""
    place = round(float(rng.uniform(0.2, 0.8)), 3)
    return _ChangesAt(place), round(place - 0.02 * size, 3), round(place + 0.015 * size, 3), 1e-3


EXERCISES = {
    "greedy_twice": Exercise(
        answer=_greedy_twice,
        draw=_other_tree,
        hint="the first greedy step chooses the direction with the values of the coin, but what it "
        "is worth afterwards depends on the better hotels; the second step knows their values.",
    ),
    "loop_rates": Exercise(
        answer=lambda p, q, discount: [discount, discount * abs(1 - p - q)],
        draw=lambda rng, size: (
            *(rng.integers(0, 11, size=2) / 10).tolist(),
            float(rng.choice([0.5, 0.9])),
        ),
        hint="one step of the chain returns (1, 1) as it is; in the other pair the errors have "
        "opposite signs. By what is it multiplied? A sweep discounts what the chain returns.",
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
    "greedy_actions": Exercise(
        answer=lambda transitions, rewards, discount, values: (
            (np.array(rewards) + discount * np.array(transitions) @ np.array(values))
            .argmax(axis=1)
            .tolist()
        ),
        draw=_world,
        hint="work out by hand what both actions are worth in a state where your answer differs "
        "from the expected one; which line of the function computes something else?",
    ),
    "turning_point": Exercise(
        answer=lambda is_patient, low, high, tolerance: is_patient.place,
        draw=_one_change,
        hint="the change lies where the answers at both ends differ; one question in the middle "
        "tells in which half.",
        tolerance=1e-3,
    ),
}
