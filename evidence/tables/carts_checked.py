"""Appendix A, beside `carts` and `pendulum`, on the same logs: longer training, a fitted value of
the start, and a line.

Longer, a Transformer with one dock is trained for as many steps as a network. The networks of
"advantage" clone the tenth with the largest advantage over a value that was fitted to the starts,
with squares and products; those of "flat" do without these. And on the pendulum a line clones
trips that start alike."""

from collections.abc import Callable

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from evidence.tables import carts, pendulum
from evidence.tables.carts import chosen, regression, transformers, wild_trips
from seqdec_lib.experience.episodes import Episode, play
from seqdec_lib.problems.cart import Carts
from seqdec_lib.sequences.bins import Bins

SEEDS = carts.SEEDS
CASES = (
    *(f"one dock, longer, {by}" for by in ("alike", "asked")),
    "one dock, advantage",
    "one dock, flat",
    "pendulum, line",
)
AGREEMENT = pendulum.AGREEMENT


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of one network on the test of its world."""
    where, how, *by = case.split(", ")
    test, log, cells, bins = logged(where, seed)
    if how in ("advantage", "flat"):
        used = [log[i] for i in np.argsort(-surplus(log, flat=how == "flat"))[: len(log) // 10]]
    else:
        (choice,) = by or ["alike"]
        used = chosen(log, cells, "all" if choice == "asked" else choice)
    if how == "line":
        found = {"mean": line(used)}
    elif how == "longer":
        wishes = () if by == ["asked"] else None
        found = transformers(used, *bins, wishes, cells, carts.REGRESSED, seed)
    else:
        spread = np.concatenate([trip.observations for trip in log]).std(axis=0)
        found = {"mean": regression(used, spread, test.limit, seed)}
    return {
        name: float(np.mean([trip.rewards.sum() for trip in play(test, act, 1000 + seed)]))
        for name, act in found.items()
    }


def logged(where: str, seed: int) -> tuple[VectorEnv, list[Episode], Callable, tuple[Bins, Bins]]:
    """The test of a world, its log, the cells of its starts, and a Transformer's bins."""
    if where == "pendulum":
        many, test = (
            gymnasium.make_vec("Pendulum-v1", num_envs=number)
            for number in (pendulum.AMATEURS, pendulum.TESTS)
        )
        log = play(many, pendulum.amateurs(pendulum.AMATEURS, seed), seed)
        looks = Bins.of(test.single_observation_space, 32)
        return test, log, pendulum.bands_of, (looks, Bins.of(test.single_action_space, 16))
    test = Carts(carts.TESTS, **carts.WORLDS[where])
    log = wild_trips(Carts(carts.TRIPS, **carts.WORLDS[where]), seed)
    seen = np.concatenate([trip.observations for trip in log])
    looks = Bins.of(test.single_observation_space, carts.BINS, data=seen)
    return test, log, carts.cells_of, (looks, Bins.of(test.single_action_space, carts.BINS))


def surplus(log: list[Episode], flat: bool) -> np.ndarray:
    """What each trip got beyond the value of its start, fitted by least squares: (N,)."""
    returns = np.array([trip.rewards.sum() for trip in log])
    x = np.array([trip.observations[0] for trip in log])
    curved = [] if flat else [x**2, x.prod(axis=1)]
    known = np.column_stack([np.ones(len(x)), x, *curved])
    return returns - known @ np.linalg.lstsq(known, returns, rcond=None)[0]


def line(log: list[Episode]) -> Callable:
    """A driver by least squares, with a constant."""
    x = np.concatenate([trip.observations[:-1] for trip in log])
    known = np.column_stack([x, np.ones(len(x))])
    gains = np.linalg.lstsq(known, np.concatenate([trip.actions for trip in log]), rcond=None)[0]
    return lambda seen, taken, paid: seen[-1] @ gains[:-1] + gains[-1]
