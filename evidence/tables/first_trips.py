"""Chapter 12: what a policy gradient makes of its first trips, with a rate for each budget.

REINFORCE climbs a softmax table, one update a trip, and is told nothing but the worth of the trip;
the mean of the last returns is its baseline. It is read in two ways, by its "best" trip so far and
by its "favorites", the likeliest actions. Beside it stands the expected best of as many random
trips ("dice"). The chapter chooses the rate for each number of trips and each reading by "other
trees", 100 to 199, and shows "trees", 200 to 319. Each seed has a fifth of both."""

import numpy as np

from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("other trees", "trees")
AGREEMENT = 0.05
FIRST_TREE, TREES = {"other trees": 100, "trees": 200}, {"other trees": 20, "trees": 24}
BUDGETS = (10, 30, 100, 300, 1000)  # trips
RATES = (0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12)
DAYS, LEARNERS, MEMORY = 6, 10, 20


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regrets on the trees of this seed, ten learners on each."""
    first = FIRST_TREE[case] + TREES[case] * seed
    numbers = range(first, first + TREES[case])
    worths = np.array([TravelTree(seed=n).level_enjoyment(DAYS) for n in numbers])
    found = {f"{trips} dice": float(best_of_dice(worths, trips).mean()) for trips in BUDGETS}
    many = worths.repeat(LEARNERS, axis=0)
    for rate in RATES:
        found |= climbed(many, rate, np.random.default_rng(seed))
    return found


def regret(worths: np.ndarray, earned: np.ndarray) -> np.ndarray:
    """Of trips that earned so much (N,), beside all trips of their trees (N, 729)."""
    best = worths.max(axis=1)
    return (best - earned) / (best - worths.mean(axis=1))


def best_of_dice(worths: np.ndarray, trips: int) -> np.ndarray:
    """The expected regret of the best of so many random trips: (N,)."""
    chances = np.diff((np.arange(worths.shape[1] + 1) / worths.shape[1]) ** trips)
    return regret(worths, np.sort(worths, axis=1) @ chances)


def climbed(worths: np.ndarray, rate: float, rng: np.random.Generator) -> dict[str, float]:
    """Mean regrets of one learner for each row of worths (N, 729), after each budget."""
    rows, leaf = np.arange(len(worths)), (worths.shape[1] - 1) // 2
    logits = np.zeros((len(worths), leaf, 3))
    baseline, best = np.zeros(len(worths)), np.full(len(worths), -np.inf)
    found = {}
    for trip in range(1, BUDGETS[-1] + 1):
        nodes, steps = np.zeros_like(rows), []
        for _ in range(DAYS):
            chances = np.exp(logits[rows, nodes])
            chances /= chances.sum(axis=1, keepdims=True)
            above = rng.random((len(rows), 1)) > chances[:, :2].cumsum(axis=1)
            actions = above.sum(axis=1)
            steps.append((nodes, np.eye(3)[actions] - chances))
            nodes = 3 * nodes + 1 + actions
        returns = worths[rows, nodes - leaf]
        surprise = returns - (baseline if trip > 1 else returns)
        for before, gradient in steps:  # each node is passed once
            logits[rows, before] += rate * surprise[:, None] * gradient
        baseline += (returns - baseline) / min(trip, MEMORY)
        best = np.maximum(best, returns)
        if trip in BUDGETS:
            at = np.zeros_like(rows)
            for _ in range(DAYS):
                at = 3 * at + 1 + logits[rows, at].argmax(axis=1)
            favorites = worths[rows, at - leaf]
            for name, earned in (("best", best), ("favorites", favorites)):
                found[f"{trip} {name}, {rate}"] = float(regret(worths, earned).mean())
    return found
