"""Acting with a sequence model: all episodes in one batch with a key-value cache, and otherwise."""

import numpy as np
import torch

from benchmarks.run import Comparison, Contestant, decided
from seqdec_lib.experience.trajectories import Trajectories, collect
from seqdec_lib.problems.tabular_problem import TabularProblem
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.policy import SequencePolicy

EPISODES, STEPS, ALONE = 256, 50, 8


def _ring(steps: int) -> TabularProblem:
    """Ten states in a ring; the actions go left or right, and state 0 pays."""
    states = np.arange(10)[:, None]
    next_states = ((states + np.array([-1, 1])) % 10)[:, :, None]
    rewards = (next_states == 0).astype(float)
    start = np.eye(10)[5]
    return TabularProblem(
        np.ones((10, 2, 1)), next_states, rewards, np.zeros(10, bool), start, 1.0, steps
    )


def _played(data: Trajectories) -> float:
    """A number that two runs share if they took the same actions."""
    return float(data.actions.sum() + len(data))


def comparisons() -> list[Comparison]:
    """Return comparisons of greedy acting: the same actions, with and without cache and batch."""
    torch.manual_seed(0)
    ring = _ring(STEPS)
    layout = TokenLayout.of(ring, collect(ring, None, 100, seed=0), goal="return_to_go")
    model, target = decided(layout.transformer(width=64, layers=3), 0.2), layout.return_range[1]

    def act(episodes: int, batch: int, cached: bool) -> Contestant:
        policy = SequencePolicy(model, layout, target, temperature=0, cached=cached)
        return lambda: sum(
            _played(collect(ring, policy, batch, seed=0)) for _ in range(episodes // batch)
        )

    return [
        Comparison(
            title=f"acting, {EPISODES} episodes of {STEPS} steps",
            ours=act(EPISODES, EPISODES, cached=True),
            peers={"without the cache": lambda: act(EPISODES, EPISODES, cached=False)},
            tolerance=0.01,
        ),
        Comparison(
            title=f"acting, {ALONE} episodes of {STEPS} steps",
            ours=act(ALONE, ALONE, cached=True),
            peers={"one by one, without the cache": lambda: act(ALONE, 1, cached=False)},
            tolerance=0.01,
        ),
    ]
