"""What to know about a log before anything is trained on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import numbered

FEW, NEAR, MOST = 30, 0.1, 0.5  # examples of a wish; of the range below it; of cells or steps
STARTS = 0.1  # of the variance of returns


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
    again = visits > 1
    alone, judged = (np.bincount(tried) == 1)[again], visits[again].sum() >= MOST * visits.sum()
    best, spread = returns.max(), np.ptp(returns)
    near = int((returns >= best - NEAR * spread).sum())
    paid_early = any(np.any(np.asarray(e.rewards)[:-1]) for e in episodes)
    by_start = explained(returns, seen[np.append(0, data.lengths.cumsum()[:-1])])
    print(f"episodes         {len(data):,} of {data.lengths.min()} to {data.lengths.max()} steps")
    print(f"behavior's value {mean_interval(returns)}")
    print(f"best return      {best:.4g}, {near:,} episodes are near it")
    print(f"cells visited    {len(cells):,} of {np.prod(observations.sizes, dtype=float):,.0f}")
    print(f"one action only  in {alone.sum():,} of {len(alone):,} cells seen more than once")
    share = "an unknown share" if by_start is None else f"{by_start:.0%}"
    print(f"cells of starts  explain {share} of the variance of returns")
    print(f"came to an end   {data.terminated.mean():.0%}, the others were cut by the clock")
    found = [
        (near < FEW, f"A wish for the best return rests on {near} episodes (chapter 8)."),
        (not judged, "Most steps lie in cells seen once: coverage can't be judged by such bins."),
        (
            judged and alone.sum() > MOST * len(alone),
            "In most cells one action was tried: all you can do is clone (chapter 7).",
        ),
        (
            by_start is not None and by_start > STARTS,
            "A good return may be a good start: choose among episodes that start alike "
            "(appendix A).",
        ),
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


def explained(returns: np.ndarray, starts: np.ndarray) -> float | None:
    """The share of the variance of returns (N,) that lies between starts (N, D), not within one.

    Groups explain some of any numbers by chance; this much is taken off (adjusted R squared).
    None where it can't be told: no two starts are the same, or all returns are."""
    group = np.unique(starts, axis=0, return_inverse=True)[1].ravel()
    free = len(returns) - group.max() - 1
    if free == 0 or np.ptp(returns) == 0:
        return None
    means = np.bincount(group, returns) / np.bincount(group)
    within = ((returns - means[group]) ** 2).sum() / free
    return max(0.0, float(1 - within / returns.var(ddof=1)))
