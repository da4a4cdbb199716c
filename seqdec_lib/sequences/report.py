"""What to know about a log before anything is trained on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import numbered

FEW, NEAR, ALONE = 30, 0.1, 0.5  # examples of a wish; of the range below it; cells of one action


def report(episodes: Sequence[Any], observations: Bins, actions: Bins) -> list[str]:
    """Print what a log holds, and warn of what is known to fail on such a one.

    episodes : as for `SpelledLayout.of`. The bins may be coarse: an observation's bins together
        are a cell, and in each cell we count the bins of actions that were tried.
    Returns the warnings."""
    data = numbered(episodes)
    returns = data.returns()
    seen = np.concatenate([observations.encode(e.observations)[: len(e.rewards)] for e in episodes])
    taken = np.concatenate([actions.encode(e.actions) for e in episodes])
    cells, cell, visits = np.unique(seen, axis=0, return_inverse=True, return_counts=True)
    tried = np.unique(np.column_stack([cell, taken]), axis=0)[:, 0]
    alone = float((np.bincount(tried) == 1)[visits > 1].mean()) if (visits > 1).any() else 1.0
    best, spread = returns.max(), np.ptp(returns)
    near = int((returns >= best - NEAR * spread).sum())
    paid_early = any(np.any(np.asarray(e.rewards)[:-1]) for e in episodes)
    print(f"episodes         {len(data):,} of {data.lengths.min()} to {data.lengths.max()} steps")
    print(f"behavior's value {mean_interval(returns)}")
    print(f"best return      {best:.4g}, {near:,} episodes are near it")
    print(f"cells visited    {len(cells):,} of {np.prod(observations.sizes, dtype=float):,.0f}")
    print(f"one action only  in {alone:.0%} of the cells seen more than once")
    print(f"came to an end   {data.terminated.mean():.0%}, the others were cut by the clock")
    found = [
        (near < FEW, f"A wish for the best return rests on {near} episodes (chapter 8)."),
        (alone > ALONE, "In most cells one action was tried: all you can do is clone (chapter 7)."),
        (not paid_early, "Rewards come at the end only: look back far enough (chapter 8)."),
        (
            not data.terminated.all() and spread > 0,
            "The clock cuts episodes: the return that is left depends on a time that the "
            "observation may not hold.",
        ),
        (spread == 0, "All returns are the same: there is nothing to ask for (chapter 8)."),
    ]
    warnings = [text for holds, text in found if holds]
    for text in warnings:
        print("WARNING", text)
    return warnings
