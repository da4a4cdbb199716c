"""Appendix A: small networks that clone the log of the pendulum, by squared error on the numbers.

They read all episodes, the best tenth, or the best tenth of similar starts; and these once more
through the bins that a Transformer reads and answers in. "Held out" is the squared error, after
each length of training, of a network that reads four fifths of the best tenth of similar starts, in
the episodes of the last fifth: the length was chosen by it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from evidence.tables.carts import CHOICES, chosen, regression
from evidence.tables.carts_checked import logged
from seqdec_lib.experience.episodes import Episode, play
from seqdec_lib.sequences.bins import Bins

SEEDS = (0, 1, 2, 3, 4)
CASES = (*CHOICES, "through bins", "held out")
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
STEPS, LENGTHS = 6000, (1200, 3000, 6000)


def run(case: str, seed: int) -> dict[str, float]:
    """The mean return of one network, or its squared errors in episodes that it has not read."""
    test, log, bands, bins = logged("pendulum", seed)
    spread = np.concatenate([trip.observations for trip in log]).std(axis=0)
    used = chosen(log, bands, case if case in CHOICES else "alike")
    if case == "held out":
        rng = np.random.default_rng(seed)
        mixed = [used[i] for i in rng.permutation(len(used))]
        read, others = mixed[: -len(used) // 5], mixed[-len(used) // 5 :]
        seen = np.concatenate([trip.observations[:-1] for trip in others])
        acted = np.concatenate([trip.actions for trip in others])
        return {
            f"{steps} steps": float(np.mean((act([seen], [], []) - acted) ** 2))
            for steps in LENGTHS
            for act in [regression(read, spread, 2.0, seed, steps)]
        }
    if case == "through bins":
        used = [binned(trip, *bins) for trip in used]
    act = regression(used, spread, 2.0, seed, STEPS)
    if case == "through bins":
        act = through(act, *bins)
    return {"mean": float(np.mean([t.rewards.sum() for t in play(test, act, 1000 + seed)]))}


def binned(trip: Episode, looks: Bins, acts: Bins) -> Episode:
    """The same trip, with what bins stand for in place of what was seen and done."""
    return replace(
        trip,
        observations=looks.decode(looks.encode(trip.observations)),
        actions=acts.decode(acts.encode(trip.actions)),
    )


def through(act: Callable, looks: Bins, acts: Bins) -> Callable:
    """A driver that sees the present and acts through bins."""

    def by_bins(seen: list, taken: list, paid: list) -> np.ndarray:
        chosen = act([looks.decode(looks.encode(seen[-1]))], taken, paid)
        return acts.decode(acts.encode(chosen))

    return by_bins
