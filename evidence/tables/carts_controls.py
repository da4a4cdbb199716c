"""Appendix A, controls of `carts`: is it the starts, and are its networks trained long enough?

Clones of a random tenth of the trips, and of trips that start where the best tenth do, each of them
the one with the nearest start among the rest of the log ("same starts"). In "scaled", a network
clones the tenth with the largest advantages over a fitted value of the start, each divided by the
size that advantages have at such a start. "Longer", a network of like starts is trained for 6,000
steps instead of 1,200."""

import numpy as np

from evidence.tables import carts
from evidence.tables.carts import chosen, transformers
from evidence.tables.carts_checked import fitted, logged, surplus
from evidence.tables.pendulum_longer import STEPS, trained
from seqdec_lib.experience.episodes import Episode, play

SEEDS = carts.SEEDS
CASES = (
    *(f"one dock, {by}, {kind}" for by in ("cloned", "numbers") for kind in ("random", "same")),
    "one dock, numbers, scaled",
    *(f"{where}, numbers, longer" for where in carts.WORLDS),
)
AGREEMENT = carts.AGREEMENT
SMALLEST = 0.5  # size of an advantage


def run(case: str, seed: int) -> dict[str, float]:
    """The mean return of one network on the carts of the test."""
    where, by, kind = case.split(", ")
    test, log, cells, bins = logged(where, seed)
    if kind == "longer":
        used = chosen(log, cells, "alike")
    else:
        used = [log[i] for i in tenths(log, kind, seed)]
    if by == "cloned":
        act = transformers(used, *bins, None, cells, carts.STEPS, seed)["mean"]
    else:
        spread = np.concatenate([trip.observations for trip in log]).std(axis=0)
        steps = STEPS if kind == "longer" else carts.REGRESSED
        act = trained(steps, used, spread, test.limit, seed)
    return {"mean": float(np.mean([t.rewards.sum() for t in play(test, act, 1000 + seed)]))}


def tenths(log: list[Episode], kind: str, seed: int) -> np.ndarray:
    """The numbers of the trips that one kind of clone reads."""
    tenth = len(log) // 10
    if kind == "random":
        return np.random.default_rng(seed).choice(len(log), tenth, replace=False)
    if kind == "same":
        x = np.array([trip.observations[0] for trip in log])
        order = np.argsort([-trip.rewards.sum() for trip in log])
        best, others = order[:tenth], order[tenth:]
        apart = np.linalg.norm(x[best][:, None] - x[others], axis=2)  # (tenth, others)
        return others[apart.argmin(axis=1)]
    advantage = surplus(log, flat=False)
    size = fitted(log, np.abs(advantage), flat=False)
    return np.argsort(-advantage / np.maximum(size, SMALLEST))[:tenth]
