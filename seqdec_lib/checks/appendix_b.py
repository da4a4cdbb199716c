"""The exercises of appendix B, *More than one machine*."""

from __future__ import annotations

from seqdec_lib.checks.exercise import Exercise


def _additional_seconds(k: int, step: float, write: float, restart: float, between: float) -> float:
    return write / k + (sum(step * lost for lost in range(k)) / k + restart) / between


EXERCISES = {
    "loss_factors": Exercise(
        answer=lambda counts: [len(counts) * count / sum(counts) for count in counts],
        draw=lambda rng, size: (rng.integers(1, 6, size + 1).tolist(),),
        hint="with equal shares every factor must be 1: the mean has divided by their number.",
    ),
    "additional_seconds": Exercise(
        answer=_additional_seconds,
        draw=lambda rng, size: (
            int(rng.integers(1, 3 * size + 1)),
            float(rng.choice([0.1, 0.3, 1.0])),
            float(rng.choice([0.7, 2.3, 11.0])),
            float(rng.choice([0.0, 5.0, 40.0])),
            float(rng.integers(5, 40) * size),
        ),
        hint="with k = 1 no step is ever lost; what is written then, and what does a restart cost?",
    ),
}
