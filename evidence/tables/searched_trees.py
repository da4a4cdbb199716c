"""Chapter 12: tree search, by the trips that it takes and by the best one that it simulates.

Before each choice 200 simulations, as in chapter 4. "its choices" is the trip that the search
takes, "best simulated" the best one of all that it played on its way. Beside both stands the
expected best of as many random trips. "our tree" is the book's; of the "trees" 200 to 229 each seed
has a fifth."""

import numpy as np

from evidence.tables.first_trips import best_of_dice, regret
from seqdec_lib.experience import collect
from seqdec_lib.learning import planning_policy, tree_search
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("our tree", "trees")
AGREEMENT = 0.05
SEARCHES = {"our tree": 80, "trees": 10}  # on each
FIRST_TREE, TREES, DAYS, SIMULATIONS = 200, 6, 6, 200


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regrets on the trees of this seed."""
    first = FIRST_TREE + TREES * seed
    numbers = [0] if case == "our tree" else range(first, first + TREES)
    trees = [TravelTree(seed=number) for number in numbers]
    taken, simulated = np.mean([searched(tree, SEARCHES[case], seed) for tree in trees], axis=0)
    worths = np.array([tree.level_enjoyment(DAYS) for tree in trees])
    dice = best_of_dice(worths, DAYS * SIMULATIONS).mean()
    return {"its choices": taken, "best simulated": simulated, "dice": float(dice)}


def searched(tree: TravelTree, searches: int, seed: int) -> tuple[float, float]:
    """Mean regrets of what the searches take, and of the best trips that they simulate."""
    draws, worth = np.random.default_rng(seed), tree.level_enjoyment(DAYS)
    best = np.full(searches, -np.inf)

    def step(nodes: np.ndarray, actions: np.ndarray, rng: np.random.Generator) -> tuple:
        nodes, rewards, ended = tree.step(nodes, actions, rng)
        if ended.all():  # the searches go side by side
            np.maximum(best, worth[nodes - tree.first_leaf], out=best)
        return nodes, rewards, ended

    def rated(nodes: np.ndarray, days: int) -> np.ndarray:
        return tree_search(step, nodes, days, 3, SIMULATIONS, draws)

    trips = collect(tree, planning_policy(rated, DAYS), searches, seed)
    worths = worth[None].repeat(searches, axis=0)
    taken, simulated = (regret(worths, earned) for earned in (trips.returns(), best))
    return float(taken.mean()), float(simulated.mean())
