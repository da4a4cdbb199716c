"""Where one train in ten is canceled: Q-learning's rivals there, and what its changes did.

Fifty learners on the book's tree and five on each of thirty others (`other_trees`), 3,000 trips.
Monte Carlo has the two kinds of exploration between which `learning_settings` chose, and averages
that fall like those of Q-learning. `n ** -0.3` is Q-learning with larger steps and without replay;
"1 / n" keeps plain means; "dice" explores always; "replayed" goes through each trip a second time,
backwards if not forwards.
Three rivals roll dice on all mornings: they repeat the best trip, or look up the best or the mean
outcome of each action in each node.
Names of numbers end in the learner, or in the other tree, whose number is the mean of its learners.

The cases "750: ..." belong to the open exercise: five runs of twenty learners on the book's tree,
and one on each of the trees 1 to 3, on which its settings may be chosen."""

import numpy as np

from evidence.tables.other_trees import (
    DAYS,
    EACH,
    FALLING,
    REMEMBERING,
    ROOT,
    TREES,
    TRIPS,
    Forest,
    learners,
    remembering,
)
from seqdec_lib.experience import regret_of
from seqdec_lib.learning import TabularLearner, greedy, harmonic, linear_decay
from seqdec_lib.problems import TravelTree

SEEDS = (0,)  # of the learners; the trees are inside
RIVALS = {
    "Monte Carlo, falling": ("monte_carlo", ROOT, FALLING),
    "Monte Carlo, 0.4": ("monte_carlo", ROOT, 0.4),
    "Monte Carlo, dice": ("monte_carlo", ROOT, 1.0),
    "Monte Carlo, falling, 1 / n": ("monte_carlo", harmonic(1.0), FALLING),
    "Q-learning": ("q_learning", ROOT, FALLING),
    "Q-learning, dice": ("q_learning", ROOT, 1.0),
    "Q-learning, dice, 1 / n": ("q_learning", harmonic(1.0), 1.0),
    "Q-learning, n ** -0.3": ("q_learning", harmonic(0.3), FALLING),
    "Q-learning, replayed": ("q_learning", ROOT, FALLING),
    "Q-learning, replayed forwards": ("q_learning", ROOT, FALLING),
    "Double Q-learning": ("double_q_learning", ROOT, FALLING),
}
ORDERS = {"Q-learning, replayed": -1, "Q-learning, replayed forwards": 1}
MEAN = "mean memory"
BORROWING = "Double Q-learning, no empty entries"
STARTS = {"from 0": 0.0, "from 15": 15.0}
PASSES = {"once": 0, "twice": 1}
QUARTER = tuple(f"750: {start}, {passes}" for start in STARTS for passes in PASSES)
CASES = (*REMEMBERING, MEAN, *RIVALS, BORROWING, *QUARTER)
AGREEMENT = 0.01  # nothing here is a sum whose order may change

CANCEL, BOOK, MANY = 0.1, range(1), 50


def run(case: str, seed: int) -> dict[str, float]:
    """One kind of learner, on the book's tree and on others."""
    if case in QUARTER:
        found = quarter(*case.removeprefix("750: ").split(", "))
        return {key: round(number, 5) for key, number in found.items()}
    found = {}
    for trees, each in ((BOOK, MANY), (TREES, EACH)):
        forest = Forest(trees, each, cancel=CANCEL)
        regrets = measured(forest, case, seed)
        names = [f"regret, learner {i}" for i in range(MANY)]
        if trees is TREES:
            regrets = regrets.reshape(-1, EACH).mean(axis=1)
            names = [f"regret, tree {tree}" for tree in TREES]
        found |= dict(zip(names, regrets, strict=True))
    return {key: round(float(number), 5) for key, number in found.items()}


def measured(forest: Forest, case: str, seed: int) -> np.ndarray:
    """Regrets (learners,) after all trips."""
    if case == BORROWING:
        return borrowing(forest, seed)
    if case == MEAN:
        return averaging(forest, seed)
    if case in REMEMBERING:
        return remembering(forest, case, seed)
    return trained(forest, case, seed)


def trained(forest: Forest, case: str, seed: int) -> np.ndarray:
    """Of a learner with a table: (learners,)."""
    learner, order = learners(forest, *RIVALS[case], seed), ORDERS.get(case)
    for _ in range(TRIPS):
        steps = [learner.step() for _ in range(DAYS)]
        for step in steps[::order] if order else ():
            learner.update(step)
    return forest.regrets(learner.q_values)


def averaging(forest: Forest, seed: int) -> np.ndarray:
    """Random trips, and the best mean outcome after each action in each node: (learners,)."""
    n, rng = len(forest.worths), np.random.default_rng(seed)
    each, (sums, counts) = np.arange(n), np.zeros((2, n, forest.n_states, 3))
    for _ in range(TRIPS):
        states, places = np.zeros(n, dtype=np.int64), []
        for actions in rng.integers(3, size=(n, DAYS)).T:
            places.append((each, states, actions))
            states, rewards, _ = forest.step(states, actions, rng)
        for place in places:
            sums[place] += rewards
            counts[place] += 1
    return forest.regrets(np.where(counts > 0, sums / np.maximum(counts, 1), -99.0))


def borrowing(forest: Forest, seed: int) -> np.ndarray:
    """Double Q-learning that asks the table at hand where the other one is empty: (learners,)."""
    rng, n = np.random.default_rng(seed), len(forest.worths)
    each, q = np.arange(n), np.zeros((2, n, forest.n_states, 3))
    visits = np.zeros(q.shape)
    for step in range(TRIPS * DAYS):
        if step % DAYS == 0:
            s = np.zeros(n, dtype=np.int64)
        row = q[:, each, s].sum(axis=0)  # (learners, 3)
        explore = rng.random((n, 1)) < FALLING(step)
        allowed = explore | (row == row.max(axis=1, keepdims=True))
        a = np.where(allowed, rng.random(row.shape), -1).argmax(axis=1)
        arrived, target, ended = forest.step(s, a, rng)
        one = rng.integers(2, size=n)
        if not ended.any():
            best = q[one, each, arrived].argmax(axis=1)
            empty = visits[1 - one, each, arrived, best] == 0
            target = q[np.where(empty, one, 1 - one), each, arrived, best]
        place = one, each, s, a
        visits[place] += 1
        q[place] += (target - q[place]) / np.sqrt(visits[place])
        s = arrived
    return forest.regrets(q.mean(axis=0))


def quarter(start: str, passes: str) -> dict[str, float]:
    """Mean regrets of twenty Q-learners after 750 trips, each learned from once or twice."""
    runs = [("judged", 0, seed) for seed in range(5)] + [("chosen", tree, 0) for tree in (1, 2, 3)]
    found = {}
    for purpose, tree, seed in runs:
        world = TravelTree(seed=tree, cancel=CANCEL)
        learner = TabularLearner(
            world,
            step_size=ROOT,
            exploration=linear_decay(1.0, 0.1, 750 * DAYS),
            initial_value=STARTS[start],
            replicas=20,
            seed=seed,
        )
        for _ in range(750):
            steps = [learner.step() for _ in range(DAYS)]
            for step in reversed(steps) if PASSES[passes] else ():
                learner.update(step)
        regrets = [regret_of(world, policy) for policy in greedy(learner.q_values)]
        found[f"{purpose}, {tree}, {seed}"] = float(np.mean(regrets))
    return found
