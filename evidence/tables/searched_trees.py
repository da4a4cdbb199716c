"""Chapter 12: tree search on other trees, by the mean of its simulations and by their best.

Before each choice 200 simulations, as in chapter 4. In "half the best" the best return counts for
half in the value of a choice. Beside both stands the expected best of as many random trips. Each
seed has a fifth of the trees 200 to 229, and three trips on each."""

import numpy as np

from evidence.tables.first_trips import best_of_dice, regret
from seqdec_lib.experience import collect
from seqdec_lib.learning import planning_policy, tree_search
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("trees",)
AGREEMENT = 0.05
FIRST_TREE, TREES, TRIPS, DAYS, SIMULATIONS = 200, 6, 3, 6, 200
WEIGHTS = {"the mean": 0.0, "half the best": 0.5}


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regrets on the trees of this seed."""
    first = FIRST_TREE + TREES * seed
    trees = [TravelTree(seed=number) for number in range(first, first + TREES)]
    found = {
        name: float(np.mean([searched(tree, weight, seed) for tree in trees]))
        for name, weight in WEIGHTS.items()
    }
    worths = np.array([tree.level_enjoyment(DAYS) for tree in trees])
    return found | {"dice": float(best_of_dice(worths, DAYS * SIMULATIONS).mean())}


def searched(tree: TravelTree, best_weight: float, seed: int) -> float:
    """Mean regret of a search's trips."""
    draws = np.random.default_rng(seed)

    def rated(nodes: np.ndarray, days: int) -> np.ndarray:
        options = {"best_weight": best_weight}
        return tree_search(tree.step, nodes, days, 3, SIMULATIONS, draws, **options)

    trips = collect(tree, planning_policy(rated, DAYS), TRIPS, seed)
    worths = tree.level_enjoyment(DAYS)[None].repeat(TRIPS, axis=0)
    return float(regret(worths, trips.returns()).mean())
