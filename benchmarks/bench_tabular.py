"""Q-learning with a thousand learners at once, against the same arithmetic around Gymnasium's
vector environments.

Every learner has its own table. The answers are checked for what does not depend on the random
numbers: how many steps were taken.
"""

import gymnasium
import numpy as np

from benchmarks.run import Comparison, Contestant
from seqdec_lib.learning import TabularLearner
from seqdec_lib.problems import TravelTree, from_gymnasium
from seqdec_lib.problems.base import Problem

LEARNERS, STEPS = 1000, 100
STEP_SIZE, EXPLORATION = 0.1, 0.3


def comparisons() -> list[Comparison]:
    """Return 100,000 steps of Q-learning on FrozenLake, and on the travel tree."""
    lake, tree = from_gymnasium("FrozenLake-v1"), TravelTree()
    return [
        Comparison(
            title="Q-learning, 1,000 learners, 100 steps each, FrozenLake",
            ours=ours(lake),
            peers={
                "gymnasium, sync vector": lambda: around(
                    gymnasium.make_vec("FrozenLake-v1", LEARNERS, "sync"), lake
                )
            },
        ),
        Comparison(
            title="Q-learning, 1,000 learners, 100 steps each, the tree",
            ours=ours(tree),
            peers={
                "gymnasium, sync vector": lambda: around(
                    gymnasium.make_vec("seqdec/TravelTree-v0", LEARNERS, "sync"), tree
                ),
                "gymnasium, our vector": lambda: around(
                    gymnasium.make_vec("seqdec/TravelTree-v0", LEARNERS), tree
                ),
            },
        ),
    ]


def ours(problem: Problem) -> Contestant:
    learner = TabularLearner(
        problem, step_size=STEP_SIZE, exploration=EXPLORATION, replicas=LEARNERS
    )
    return lambda: float(learner.train(STEPS).replicas * STEPS)


def around(envs: gymnasium.vector.VectorEnv, problem: Problem) -> Contestant:
    """Q-learning in plain NumPy on whole arrays, one table a copy of the environment."""
    n_actions, rng, each = problem.n_actions, np.random.default_rng(0), np.arange(LEARNERS)
    table = np.zeros((LEARNERS, problem.n_states, n_actions))
    observations, _ = envs.reset(seed=0)
    fresh = np.zeros(LEARNERS, dtype=bool)  # starts anew with this step, which teaches nothing

    def run() -> float:
        nonlocal observations, fresh
        for _ in range(STEPS):
            q_values = table[each, observations]
            eligible = q_values == q_values.max(axis=1, keepdims=True)
            eligible |= rng.random((LEARNERS, 1)) < EXPLORATION
            actions = (rng.random((LEARNERS, n_actions)) * eligible).argmax(axis=1)
            arrived, rewards, terminated, truncated, _ = envs.step(actions)
            follows = np.where(terminated, 0, table[each, arrived].max(axis=1))
            targets = rewards + problem.discount * follows
            old = table[each, observations, actions]
            table[each, observations, actions] = np.where(
                fresh, old, old + STEP_SIZE * (targets - old)
            )
            observations, fresh = arrived, terminated | truncated
        return float(LEARNERS * STEPS)

    return run
