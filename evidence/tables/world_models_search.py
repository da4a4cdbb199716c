"""Chapter 4: planning by simulation in forty large trees, for four planners and four budgets."""

import numpy as np

from seqdec_lib.experience import mean_interval, regret
from seqdec_lib.learning import random_shooting, tree_search
from seqdec_lib.problems import TravelTree

SEEDS = (0,)  # one seed, but forty trees: the intervals are over trees
CASES = ("shooting", "mean", "mixed", "best of many")
AGREEMENT = 1e-9

TREES, MORNINGS = 40, 12
SIZES = [50, 200, 800, 2400]  # simulations per decision


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regret over the trees, its interval, and the questions asked per trip."""
    numbers = {}
    for size in SIZES[:3] if case == "mean" else SIZES:
        if case == "best of many":
            regrets, queries = best_of_many(size, seed)
        else:
            planner = random_shooting if case == "shooting" else tree_search
            options = {"best_weight": 0.5} if case == "mixed" else {}
            regrets, queries = travel_far(planner, size, seed, **options)
        found = mean_interval(regrets)
        numbers |= {f"{size}": found.mean, f"{size} low": found.low, f"{size} high": found.high}
        numbers[f"{size} queries"] = queries
    return numbers


def forest(seed: int) -> tuple:
    """The trees as one simulator; (trees, 2) their best and random returns; their leaves."""
    woods = [TravelTree(horizon=MORNINGS, seed=1000 * seed + k) for k in range(TREES)]
    one, values = woods[0], np.array([(t.optimal_return(), t.random_return()) for t in woods])
    leaves = [tree.level_enjoyment(one.horizon) for tree in woods]

    def step(states, actions, rng):  # state = tree * n_states + node
        which, nodes = np.divmod(states, one.n_states)
        after = one.branching * nodes + 1 + actions
        ended, rewards = after >= one.first_leaf, np.zeros(len(after))
        for k in np.unique(which[ended]):
            mine = ended & (which == k)
            rewards[mine] = leaves[k][after[mine] - one.first_leaf]
        return which * one.n_states + after, rewards, ended

    return one, step, values, leaves


def travel_far(planner, number: int, seed: int, **options) -> tuple[np.ndarray, float]:
    """Regrets (trees,) of planning anew each morning, and questions asked per trip."""
    one, step, values, _ = forest(seed)
    rng = np.random.default_rng(seed)
    states, queries = np.arange(TREES) * one.n_states, 0
    for left in range(one.horizon, 0, -1):
        plan = planner(step, states, left, one.branching, number, rng, **options)
        states, paid, _ = step(states, plan.q_values.argmax(axis=1), rng)
        queries += plan.queries
    return (values[:, 0] - paid) / (values[:, 0] - values[:, 1]), queries / TREES


def best_of_many(number: int, seed: int) -> tuple[np.ndarray, float]:
    """As many questions as shooting asks with this number of simulations per decision, spent on
    whole random trips before leaving home, of which the best is taken: expected regrets, exactly.
    """
    queries = number * MORNINGS * (MORNINGS + 1) // 2
    _, _, values, leaves = forest(seed)
    regrets = []
    for worth, (best, random) in zip(leaves, values, strict=True):
        below = np.arange(len(worth) + 1) / len(worth)
        expected = (np.diff(below ** (queries // MORNINGS)) * np.sort(worth)).sum()
        regrets.append(regret(expected, best, random))
    return np.array(regrets), queries
