"""Appendix A: Decision Transformers of the carts, asked for what the log shows from like starts.

The networks of `carts` that read all trips, with their logs and tests. Each cart of the test is
asked for the return that one in ten logged trips from its own cell of first states surpassed."""

import numpy as np

from evidence.tables import carts
from seqdec_lib.experience.episodes import play
from seqdec_lib.problems.cart import Carts
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import SpelledLayout

SEEDS, CASES = carts.SEEDS, tuple(carts.WORLDS)
AGREEMENT = carts.AGREEMENT
SURPASSED = 0.9


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of one network on the carts of the test, by each reading."""
    envs, test = (Carts(n, **carts.WORLDS[case]) for n in (carts.TRIPS, carts.TESTS))
    log = carts.wild_trips(envs, seed)
    seen = np.concatenate([trip.observations for trip in log])
    looks = Bins.of(envs.single_observation_space, carts.BINS, data=seen)
    pushes = Bins.of(envs.single_action_space, carts.BINS)
    layout = SpelledLayout.of(log, looks, pushes, "return_to_go", context=1)
    model = carts.trained(layout, log, seed)
    returns = np.array([trip.rewards.sum() for trip in log])
    homes = cells(np.array([trip.observations[0] for trip in log]))
    surpassed = {home: np.quantile(returns[homes == home], SURPASSED) for home in np.unique(homes)}
    starts = np.array([trip.observations[0] for trip in play(test, still, 1000 + seed)])
    wishes = np.array([surpassed[home] for home in cells(starts)])[:, None]
    found = {}
    for name, reading in carts.READINGS.items():
        trips = play(test, layout.policy(model, wishes, seed=seed, **reading), 1000 + seed)
        found[name] = float(np.mean([trip.rewards.sum() for trip in trips]))
    return found


def cells(starts: np.ndarray) -> np.ndarray:
    """The number of the cell that each start (N, 2) lies in."""
    column, row = carts.cells_of(starts).astype(int).T
    return column * carts.SIDE + row


def still(seen: list, taken: list, paid: list) -> np.ndarray:
    """No push, which shows where the carts start."""
    return np.zeros((len(seen[-1]), 1))
