"""Appendix A: carts by tokens, with one dock, or with a rock between two.

2,000 trips of carts, each with gains of its own, become tokens by 32 bins a dimension. A Decision
Transformer and a clone of all trips, both of which see the present alone. The first is asked for
the return that one trip in ten reached. All are tried on 1,000 carts."""

import numpy as np
import torch

from seqdec_lib.experience.episodes import Episode, play
from seqdec_lib.problems.cart import Carts
from seqdec_lib.sequences import fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import SpelledLayout

SEEDS = (0, 1, 2, 3, 4)
WORLDS = {"one dock": {}, "rock": {"docks": (-1.0, 1.0), "limit": 1.0, "rock": 5.0}}
GOALS = {"asked": "return_to_go", "cloned": None}
CASES = tuple(f"{world}, {kind}" for world in WORLDS for kind in GOALS)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
TRIPS, TESTS, STEPS, ROWS, BINS, TOP = 2000, 1000, 400, 256, 32, 0.9


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of one network on the carts of the test, by its favorite and drawn."""
    world, kind = case.split(", ")
    envs = Carts(TRIPS, **WORLDS[world])
    log = wild_trips(envs, seed)
    seen = np.concatenate([trip.observations for trip in log])
    bins = Bins.of(envs.single_observation_space, BINS, data=seen)
    pushes = Bins.of(envs.single_action_space, BINS)
    layout = SpelledLayout.of(log, bins, pushes, GOALS[kind], context=1)
    torch.manual_seed(seed)
    model = layout.transformer()
    fit(model, minibatches(layout.encode(log), ROWS), STEPS, learning_rate=4e-3, seed=seed)
    wish = np.quantile([trip.rewards.sum() for trip in log], TOP)
    found, test = {}, Carts(TESTS, **WORLDS[world])
    for reading, heat in (("greedy", 0.0), ("sampled", 1.0)):
        trips = play(test, layout.policy(model, wish, heat, seed=seed), 1000 + seed)
        found[reading] = float(np.mean([trip.rewards.sum() for trip in trips]))
    return found


def wild_trips(envs: Carts, seed: int) -> list[Episode]:
    """One trip of each cart, which pushes towards a dock with gains of its own, and shakes."""
    rng = np.random.default_rng(seed)
    gains = rng.uniform(0, 4, (envs.num_envs, 2))
    home = rng.choice(envs.docks, envs.num_envs)

    def act(seen: list, taken: list, paid: list) -> np.ndarray:
        away, speed = seen[-1][:, 0] - home, seen[-1][:, 1]
        pushes = -gains[:, 0] * away - gains[:, 1] * speed + rng.normal(0, 0.5, len(home))
        return pushes.clip(-envs.limit, envs.limit)[:, None]

    return play(envs, act, seed)
