"""Chapter 4, the race on the lake continued: does the mean of returns get there in the end, and how
far does replay come with more repeats?

The groups, the walks and the reading of `world_models`, whose learners stop at 32,000 steps. Replay
with twenty repeats per step has the exponent that was chosen for five."""

import numpy as np

from evidence.tables.world_models import GROUPS, LATER, LOOKS, crossing, lake_learner
from evidence.tables.world_models_settings import REMEMBERED, chosen, lake_regrets
from seqdec_lib.learning import DynaQ, TabularLearner, harmonic
from seqdec_lib.problems import from_gymnasium

SEEDS = (0,)  # the groups are inside
CASES = ("Mean returns", "Replay, 20 repeats")
AGREEMENT = 0.1

REPEATS = 20


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regrets of each group at each look, and the steps at which they fall to 5 %."""
    memory = case == "Mean returns"
    learner = lake_learner(case, seed, 20 * GROUPS) if memory else replaying(seed)
    looks = LOOKS + LATER if memory else LOOKS
    regrets = lake_regrets(learner, looks).reshape(len(looks), GROUPS, 20).mean(axis=2)
    numbers = {}
    for group, means in enumerate(regrets.T):
        numbers |= {f"{n} {group}": float(m) for n, m in zip(looks, means, strict=True)}
        numbers[f"steps {group}"] = crossing(looks, np.array(means))
    return numbers


def replaying(seed: int) -> TabularLearner:
    """Q-learning that repeats twenty remembered steps per real step."""
    return DynaQ(
        from_gymnasium("FrozenLake-v1"),
        planning_steps=REPEATS,
        replay=REMEMBERED,
        step_size=harmonic(float(chosen("lake, Replay"))),
        exploration=1.0,
        replicas=20 * GROUPS,
        seed=seed,
    )
