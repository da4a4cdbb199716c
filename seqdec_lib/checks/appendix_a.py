"""The exercises of appendix A, *Your own problem*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _number(rng: np.random.Generator, size: int) -> tuple[float, float, float, int]:
    """A number inside the range, or up to three widths of a bin outside."""
    low, bins = float(rng.integers(-5, 5)), int(rng.integers(1, size + 2))
    width = float(rng.choice([0.5, 1.0, 2.0]))
    return low + width * float(rng.uniform(-3, bins + 3)), low, low + bins * width, bins


def _back(x: float, low: float, high: float, bins: int) -> float:
    number = np.clip(np.floor(bins * (x - low) / (high - low)), 0, bins - 1)
    return low + (int(number) + 0.5) * (high - low) / bins


def _backup(p: float, a: float, b: float, q: float, r: float) -> float:
    gain = b * p * a / (r + b * p * b)
    return q + a * p * (a - b * gain)


def _advantage(starts: np.ndarray, returns: np.ndarray) -> np.ndarray:
    rows, columns = np.triu_indices(starts.shape[1])
    products = starts[:, rows] * starts[:, columns]
    known = np.column_stack([np.ones(len(starts)), starts, products])
    return returns - known @ np.linalg.lstsq(known, returns, rcond=None)[0]


def _trips(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    starts = rng.uniform(-1, 1, (8 + 4 * size, int(rng.integers(1, 4))))
    return starts, rng.normal(size=len(starts)) - (starts**2).sum(axis=1)


EXERCISES = {
    "riccati_backup": Exercise(
        answer=_backup,
        draw=lambda rng, size: (
            float(rng.integers(0, size + 1)),
            *(float(rng.choice([0.5, 1.0, 2.0])) for _ in range(4)),
        ),
        hint="first the gain, from p as it was; then the cost of this step and of what comes.",
    ),
    "back_and_forth": Exercise(
        answer=_back,
        draw=_number,
        hint="what must come back for the middle of the first of two bins? And for one outside?",
    ),
    "advantage": Exercise(
        answer=_advantage,
        draw=_trips,
        hint="a trip that got what its start was worth has 0. Are the products in the fit, too?",
    ),
}
