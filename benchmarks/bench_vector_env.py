"""Many copies of the travel tree: our vector environment against Gymnasium's own SyncVectorEnv."""

import gymnasium
import numpy as np

import seqdec_lib.problems  # noqa: F401  registers the environments
from benchmarks.run import Comparison, Contestant

STEPS = 50


def comparisons() -> list[Comparison]:
    """Return one comparison for each number of copies."""
    return [stepping(copies) for copies in (16, 256)]


def stepping(copies: int) -> Comparison:
    return Comparison(
        title=f"{STEPS} steps of {copies} copies of TravelTree, restarts included",
        ours=play("vector_entry_point", copies),
        peers={"gymnasium SyncVectorEnv": lambda: play("sync", copies)},
    )


def play(mode: str, copies: int) -> Contestant:
    """Play the same actions in either kind of environment and return the sum of all rewards."""
    envs = gymnasium.make_vec("seqdec/TravelTree-v0", num_envs=copies, vectorization_mode=mode)
    actions = np.random.default_rng(0).integers(3, size=(STEPS, copies))

    def rewards() -> float:
        envs.reset(seed=0)
        return float(sum(envs.step(row)[1].sum() for row in actions))

    return rewards
