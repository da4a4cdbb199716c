"""Which settings serve each rival of chapter 4 best? Chosen on trees and walks that it never shows.

Each method is tried with each setting of its list, by the same code. On the tree the score is the
geometric mean of the steps after which a learner knows a trip within 5 % of the optimum, over
thirty learners in a tree of other stars; on the lake it is the mean regret of twenty walkers after
8,000 steps. The smaller, the better."""

import numpy as np

from evidence.tables.world_models import MOST, lake_learners, lake_regrets, race, tree_learners
from seqdec_lib.learning import linear_decay
from seqdec_lib.problems import TravelTree

SEEDS = (10, 11)
CASES = ("Q-learning", "Replay", "Memory", "Dyna-Q", "Counts and planning", "lake")
AGREEMENT = 1e-9

EXPLORATION = {
    "from 1 down to 0.1": linear_decay(1.0, 0.1, MOST),
    "1": 1.0,
    "0.7": 0.7,
    "0.5": 0.5,
    "0.3": 0.3,
}
POWERS = (0.5, 0.6, 0.7)  # of the step size visits ** -power


def run(case: str, seed: int) -> dict[str, float]:
    """One method with each of its settings."""
    if case == "lake":
        return _lake(seed)
    found = {}
    for name, exploration in EXPLORATION.items():
        tree = TravelTree(seed=seed)
        learner = tree_learners(tree, exploration, seed)[case]()
        known, _ = race(learner, tree)
        found[name] = float(np.exp(np.log(np.minimum(known, MOST)).mean()))
    return found


def _lake(seed: int) -> dict[str, float]:
    found = {}
    for name in ("Q-learning", "Replay", "Dyna-Q"):
        for power in POWERS:
            learner = lake_learners(power, seed)[name]()
            found[f"{name}, power {power}"] = float(lake_regrets(learner, [8000]).mean())
    return found
