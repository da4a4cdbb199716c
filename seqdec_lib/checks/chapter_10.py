"""The exercises of chapter 10, *Beyond cloning*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, softmax


def _clone(rng: np.random.Generator, size: int) -> tuple[list[float], list[list[float]]]:
    """What `size` states are worth, and a clone's row of probabilities for each."""
    values = rng.integers(-20, 0, size).astype(float).tolist()
    return values, [softmax(row).tolist() for row in rng.normal(size=(size, 3))]


def _faster_for_good(lap_times: list[float], limit: float) -> int:
    slow = [i for i, time in enumerate(lap_times) if time > limit]
    return slow[-1] + 1 if slow else 0


def _logged(rng: np.random.Generator, size: int) -> tuple:
    """A policy of `size` states, how often each action was logged, and how often is enough."""
    policy = [softmax(row).tolist() for row in rng.normal(size=(size, 3))]
    return policy, rng.integers(0, 4, (size, 3)).tolist(), int(rng.integers(1, 4))


def _masked(policy: list, counts: list, least: int) -> np.ndarray:
    policy = np.array(policy, dtype=float)
    kept = policy * (np.array(counts) >= least)
    total = kept.sum(axis=1, keepdims=True)
    return np.where(total > 0, kept / np.where(total > 0, total, 1), policy)


def _fees(rng: np.random.Generator, size: int) -> tuple[list[int], int]:
    """Crashes that never rise, and a limit that the last of them keeps."""
    crashes = np.sort(rng.integers(0, 2 * size + 1, size))[::-1].tolist()
    return crashes, int(rng.integers(crashes[-1], crashes[0] + 1))


def _drivers(rng: np.random.Generator, size: int) -> tuple:
    """Times, crashes and fees of `size` drivers, and a limit for the crashes."""
    times = np.sort(rng.integers(10, 30, size)).astype(float).tolist()
    crashes = np.sort(rng.integers(0, 10, size))[::-1].astype(float).tolist()
    fees = np.sort(rng.choice(20, size, replace=False)).astype(float).tolist()
    return times, crashes, fees, float(rng.integers(0, 10))


EXERCISES = {
    "start_table": Exercise(
        answer=lambda values, clone, temperature: (
            np.array(values)[:, None] + temperature * np.log(clone)
        ),
        draw=lambda rng, size: (*_clone(rng, size), float(rng.choice([0.1, 0.3, 1.0]))),
        hint="a row a state and a column an action. Put your table into the softmax: does the "
        "value cancel, and does the temperature?",
    ),
    "faster_for_good": Exercise(
        answer=_faster_for_good,
        draw=lambda rng, size: (
            rng.integers(10, 20, size).astype(float).tolist(),
            float(rng.integers(11, 20)),
        ),
        hint="a learner that was fast once may be slow again. Where is the last lap time above "
        "the limit? If that is the last of all, the answer is how many there are.",
    ),
    "masked": Exercise(
        answer=_masked,
        draw=_logged,
        hint="set what was logged less than `least` times to zero, and divide each row by what is "
        "left of it; a row of which nothing is left stays as it was.",
    ),
    "smallest_fee": Exercise(
        answer=lambda crashes, limit: next(
            fee for fee, number in enumerate(crashes) if number <= limit
        ),
        draw=_fees,
        hint="keep `low` unsafe and `high` safe all along, from the first step on, and return the "
        "one that is safe.",
    ),
    "fastest_possible": Exercise(
        answer=lambda times, crashes, fees, limit: max(
            time + fee * (number - limit)
            for time, number, fee in zip(times, crashes, fees, strict=True)
        ),
        draw=_drivers,
        hint="each fee gives the bound L(f) - f c, where L(f) is the time and the fees of its own "
        "driver; the largest bound says most.",
    ),
}
