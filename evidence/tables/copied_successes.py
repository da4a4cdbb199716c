"""Chapter 8: how often do models that are asked for success repeat one that they were trained on?

The networks of the table `key_to_door`, sampled. A copy is an episode whose actions are, from the
first to the last, those of one success of the data; since the world rolls no dice, it succeeds."""

import numpy as np

from evidence.tables import key_to_door
from seqdec_lib.experience import Trajectories, collect
from seqdec_lib.problems import KeyToDoor
from seqdec_lib.sequences import SequencePolicy

SEEDS = (0, 1, 2)
CASES = ("whole, balanced",)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """The shares of copies and of successes, with few and with many episodes."""
    context, batches = case.split(", ")
    world, found = KeyToDoor(), {}
    for name, episodes in key_to_door.EPISODES.items():
        data = collect(world, None, episodes, seed)
        ways = context == "one step", batches == "balanced"
        model, layout = key_to_door.trained(world, data, *ways, seed, key_to_door.STEPS)
        policy = SequencePolicy(model, layout, 1.0, temperature=1.0)
        played = collect(world, policy, key_to_door.TESTS, seed=99)
        found[f"{name}, copies"] = copied(played, data)
        found[f"{name}, successes"] = float(played.returns().mean())
    return found


def copied(played: Trajectories, data: Trajectories) -> float:
    """The share of episodes that repeat, action by action, a success of the data."""
    won = data[data.returns() > 0]
    known = {tuple(row[:n]) for row, n in zip(won.actions, won.lengths, strict=True)}
    again = [tuple(row[:n]) in known for row, n in zip(played.actions, played.lengths, strict=True)]
    return float(np.mean(again))
