"""What does a constant rate of exploration bring within a thousand trips, and an optimistic start?

Monte Carlo and Q-learning with the step sizes of chapter 3: fifty learners on the book's tree, and
five on each of thirty others (`other_trees`). Names of numbers end in the learner, or in the other
tree, whose number is the mean of its learners.

The lead is the first morning's: how much more a learner's table promises for the action that is the
best one in the limit of infinitely many trips than for the limit's second one.

"Monte Carlo, mean" has the step sizes 1/n, so that its table holds the means of all returns. Its
later regret comes after 9,000 trips, that of a start after 2,000."""

import numpy as np

from evidence.tables.other_trees import DAYS, EACH, ROOT, TREES, Forest, learners
from seqdec_lib.learning import TabularLearner, harmonic

SEEDS = (0,)  # of the learners; the trees are inside
METHODS = {"Monte Carlo": ("monte_carlo", ROOT), "Q-learning": ("q_learning", 1.0)}
RATES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
STARTS = (20.0, 40.0)
MEANS = (0.8, 1.0)  # the rates of those that learn means
MORE = {"rate": 0, "start": 1, "mean": 8}  # times a thousand trips, before a later regret
CASES = (
    *(f"{name}, rate {rate}" for name in METHODS for rate in RATES),
    *(f"{name}, start {start}" for name in METHODS for start in STARTS),
    *(f"Monte Carlo, mean {rate}" for rate in MEANS),
)
AGREEMENT = 0.01  # nothing here is a sum whose order may change

TRIPS, BOOK, MANY = 1000, range(1), 50


def run(case: str, seed: int) -> dict[str, float]:
    """One method with one rate of exploration or one start, on the book's tree and on others."""
    name, _, setting = case.partition(", ")
    kind, value = setting.split()
    rate, start = (0.0, float(value)) if kind == "start" else (float(value), 0.0)
    method, step_size = METHODS[name]
    step_size = harmonic(1.0) if kind == "mean" else step_size
    found = {}
    for trees, each in ((BOOK, MANY), (TREES, EACH)):
        forest = Forest(trees, each)
        learner = learners(forest, method, step_size, rate, seed, initial_value=start)
        leaves = travel(learner, forest)
        regrets = forest.regrets(learner.q_values)
        if trees is TREES:
            means = regrets.reshape(-1, EACH).mean(axis=1)
            found |= {f"regret, tree {t}": m for t, m in zip(TREES, means, strict=True)}
            continue
        best, second = first_morning(forest, rate)
        numbers = {
            "regret": regrets,
            "seen": [np.unique(log).size / forest.n_leaves for log in leaves.T],
            "lead": learner.q_values[:, 0, best] - learner.q_values[:, 0, second],
        }
        if MORE[kind]:
            for _ in range(MORE[kind]):
                travel(learner, forest)
            numbers["later regret"] = forest.regrets(learner.q_values)
        for key, values in numbers.items():
            found |= {f"{key}, learner {i}": x for i, x in enumerate(values)}
    return {key: round(float(number), 5) for key, number in found.items()}


def travel(learner: TabularLearner, forest: Forest) -> np.ndarray:
    """A thousand trips: the leaves (trips, learners)."""
    leaves = []
    for _ in range(TRIPS):
        steps = [learner.step() for _ in range(DAYS)]
        leaves.append(steps[-1].next_observations - forest.first_leaf)
    return np.array(leaves)


def first_morning(forest: Forest, rate: float) -> tuple[int, int]:
    """The best action and the second one of the on-policy limit, on the first morning."""
    values = forest.worths[0]
    for _ in range(DAYS):
        actions = values.reshape(-1, 3)
        values = (1 - rate) * actions.max(axis=1) + rate * actions.mean(axis=1)
    second, best = np.argsort(actions[0])[-2:]
    return int(best), int(second)
