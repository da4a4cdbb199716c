"""Appendix A, controls of `carts`: is it the starts?

Clones of a random tenth of the trips, and of trips that start where the best tenth do, each of them
the one with the nearest start among the rest of the log ("same")."""

import numpy as np

from evidence.tables import carts
from evidence.tables.carts import regression, transformers
from evidence.tables.carts_checked import logged
from seqdec_lib.experience.episodes import Episode, play

SEEDS = carts.SEEDS
CASES = tuple(
    f"one dock, {by}, {kind}" for by in ("cloned", "numbers") for kind in ("random", "same")
)
AGREEMENT = carts.AGREEMENT


def run(case: str, seed: int) -> dict[str, float]:
    """The mean return of one network on the carts of the test."""
    where, by, kind = case.split(", ")
    test, log, cells, bins = logged(where, seed)
    used = [log[i] for i in tenths(log, kind, seed)]
    if by == "cloned":
        act = transformers(used, *bins, None, cells, carts.STEPS[where], seed)["mean"]
    else:
        spread = np.concatenate([trip.observations for trip in log]).std(axis=0)
        act = regression(used, spread, test.limit, seed)
    return {"mean": float(np.mean([t.rewards.sum() for t in play(test, act, 1000 + seed)]))}


def tenths(log: list[Episode], kind: str, seed: int) -> np.ndarray:
    """The numbers of the trips that one kind of clone reads."""
    tenth = len(log) // 10
    if kind == "random":
        return np.random.default_rng(seed).choice(len(log), tenth, replace=False)
    x = np.array([trip.observations[0] for trip in log])
    order = np.argsort([-trip.rewards.sum() for trip in log])
    best, others = order[:tenth], order[tenth:]
    apart = np.linalg.norm(x[best][:, None] - x[others], axis=2)  # (tenth, others)
    return others[apart.argmin(axis=1)]
