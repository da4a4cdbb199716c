"""Do the findings of chapter 3 hold on other trees than the book's?

Its learners, with its settings, travel on thirty trees at once, five learners on each. None of
these trees was asked when the settings were chosen (`learning_settings`: the seeds 1 to 3). "From
the mean" starts a table at what a random trip on its tree is worth: the rewards count from there.

Names of numbers end in the tree. Regrets are means over a tree's learners, times are medians. A
trip is good if its regret is at most a twentieth. What had not happened after all trips gets one
trip more than all."""

import numpy as np

from seqdec_lib.learning import TabularLearner, greedy, harmonic, linear_decay, settled
from seqdec_lib.learning.exploration import Schedule
from seqdec_lib.learning.table import StepSize
from seqdec_lib.problems import TravelTree

SEEDS = (0,)  # of the learners; the trees are inside
TREES, EACH = range(10, 40), 5
AGREEMENT = 0.01  # nothing here is a sum whose order may change

TRIPS, DAYS, GOOD = 3000, 6, 0.05
FALLING = linear_decay(1.0, 0.1, TRIPS * DAYS)
HALF = linear_decay(1.0, 0.1, TRIPS // 2 * DAYS)
ROOT = harmonic(0.5)
LEARNERS = {  # method, step size, exploration, from the mean
    "Monte Carlo": ("monte_carlo", ROOT, 0.4, False),
    "SARSA": ("sarsa", ROOT, FALLING, False),
    "Expected SARSA": ("expected_sarsa", 1.0, FALLING, False),
    "Q-learning": ("q_learning", 1.0, FALLING, False),
    "SARSA(λ)": ("sarsa_lambda", ROOT, 0.4, False),
    "Double Q-learning": ("double_q_learning", 1.0, FALLING, False),
    "Q-learning, half the trips": ("q_learning", 1.0, HALF, False),
    "Q-learning, 0.7": ("q_learning", 1.0, 0.7, False),
    "Q-learning, replayed": ("q_learning", 1.0, FALLING, False),
    "Q-learning, 0.7, replayed": ("q_learning", 1.0, 0.7, False),
    "Monte Carlo, falling": ("monte_carlo", ROOT, FALLING, False),
    "SARSA from the mean": ("sarsa", ROOT, FALLING, True),
    "SARSA(λ), falling": ("sarsa_lambda", ROOT, FALLING, False),
    "SARSA(λ), falling, from the mean": ("sarsa_lambda", ROOT, FALLING, True),
    "Double Q-learning from the mean": ("double_q_learning", 1.0, FALLING, True),
}
REMEMBERING = ("best list", "best memory")
AVERAGING = {  # exploration, order of the replay
    "Q-learning": (FALLING, 0),
    "replayed": (FALLING, -1),
    "replayed forwards": (FALLING, 1),
    "replayed, dice": (1.0, -1),
}
CANCELED = (*REMEMBERING, *AVERAGING)
BORROWING = "Double Q-learning, no empty entries"
CASES = (*LEARNERS, BORROWING, *(f"canceled, {name}" for name in CANCELED))


class Forest(TravelTree):
    """Trees side by side: a learner's number says on which of them it travels.

    A reward counts from the baseline, which is 0 unless tables start `from_mean`."""

    def __init__(
        self, trees: range, each: int = EACH, cancel: float = 0.0, from_mean: bool = False
    ) -> None:
        super().__init__(cancel=cancel)
        own = [TravelTree(seed=tree).level_enjoyment(DAYS) for tree in trees]
        self.worths = np.repeat(own, each, axis=0)  # (learners, leaves)
        self.baseline = self.worths.mean(axis=1) * from_mean
        self.learners = np.arange(len(self.worths))
        self.best = self.values()
        self.dice = self.values(np.full((1, self.n_states, 3), 1 / 3))

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As on one tree, but each learner is paid on its own."""
        arrived, rewards, ended = super().step(states, actions, rng)
        if ended.any():  # all trips end on the same day
            rewards = self.worths[self.learners, arrived - self.first_leaf] - self.baseline
        return arrived, rewards, ended

    def values(self, policies: np.ndarray | None = None) -> np.ndarray:
        """Expected returns (learners,) of policies (learners or 1, nodes, 3), or of the best."""
        values = self.worths
        for t in reversed(range(DAYS)):
            actions = values.reshape(len(values), -1, 3)
            actions = (1 - self.cancel) * actions + self.cancel * actions[..., :1]
            if policies is None:
                values = actions.max(axis=2)
            else:
                values = (policies[:, self.level(t)] * actions).sum(axis=2)
        return values[:, 0]

    def regrets(self, q_values: np.ndarray) -> np.ndarray:
        """Of the greedy policies in (learners, nodes, 3), exactly: (learners,)."""
        return (self.best - self.values(greedy(q_values))) / (self.best - self.dice)


def run(case: str, seed: int) -> dict[str, float]:
    """One learner on all trees."""
    if case == BORROWING:
        return by_tree({f"regret {TRIPS}": borrowing(seed)})
    if case.startswith("canceled, "):
        return by_tree({f"regret {TRIPS}": canceled(case.removeprefix("canceled, "), seed)})
    method, step_size, exploration, from_mean = LEARNERS[case]
    forest = Forest(TREES, from_mean=from_mean)
    learner = learners(forest, method, step_size, exploration, seed)
    last = TRIPS // 2 if "half" in case else TRIPS
    looks = range(25, last + 1, 25)
    regrets, leaves = [], []
    for trip in range(1, last + 1):
        steps = [learner.step() for _ in range(DAYS)]
        leaves.append(steps[-1].next_observations - forest.first_leaf)
        for step in reversed(steps) if "replayed" in case else ():
            learner.update(step)
        if trip in looks:
            regrets.append(forest.regrets(learner.q_values))
    regrets, leaves = np.array(regrets), np.array(leaves)
    kept = {f"regret {n}": regrets[looks.index(n)] for n in (300, 1000) if n in looks}
    return by_tree(kept | {f"regret {TRIPS}": regrets[-1]} | times(forest, looks, regrets, leaves))


def learners(
    forest: Forest, method: str, step_size: StepSize, exploration: Schedule, seed: int, **more
) -> TabularLearner:
    """A learner for each row of the forest."""
    options = {"step_size": step_size, "exploration": exploration, "seed": seed}
    return TabularLearner(forest, method, replicas=len(forest.worths), **options, **more)


def times(
    forest: Forest, looks: range, regrets: np.ndarray, leaves: np.ndarray
) -> dict[str, np.ndarray]:
    """When each learner found a good trip, liked one, and settled: from its regrets (looks,
    learners) and its trips (trips, learners); and what it had seen by then."""
    gap = (forest.best[:, None] - forest.worths) / (forest.best - forest.dice)[:, None]
    good = gap[forest.learners, leaves] <= GOOD  # (trips, learners)
    liked, late = regrets <= GOOD, len(leaves) + 1
    settle = np.minimum(settled(looks, regrets, GOOD), late).astype(int)
    seen = [np.unique(log[:n]).size for log, n in zip(leaves.T, settle, strict=True)]
    return {
        "found": np.where(good.any(axis=0), good.argmax(axis=0) + 1, late),
        "liked": np.where(liked.any(axis=0), np.array(looks)[liked.argmax(axis=0)], late),
        "settled": settle,
        "found by 500": good[:500].any(axis=0),
        "share seen": np.array(seen) / forest.n_leaves,
    }


def by_tree(samples: dict[str, np.ndarray]) -> dict[str, float]:
    """Medians of times and means of all else over the learners of each tree."""
    found = {}
    for name, values in samples.items():
        middle = np.median if name in ("found", "liked", "settled") else np.mean
        for tree, value in zip(TREES, middle(values.reshape(-1, EACH), axis=1), strict=True):
            found[f"{name}, tree {tree}"] = round(float(value), 5)
    return found


def canceled(name: str, seed: int) -> np.ndarray:
    """The regret of each learner where one train in ten is canceled."""
    forest = Forest(TREES, cancel=0.1)
    if name in REMEMBERING:
        return remembering(forest, name, seed)
    exploration, order = AVERAGING[name]
    learner = learners(forest, "q_learning", ROOT, exploration, seed)
    for _ in range(TRIPS):
        steps = [learner.step() for _ in range(DAYS)]
        for step in steps[::order] if order else ():
            learner.update(step)
    return forest.regrets(learner.q_values)


def remembering(forest: Forest, name: str, seed: int) -> np.ndarray:
    """Random trips: repeat the best one, or the best outcome after each action in each node."""
    n, rng = len(forest.worths), np.random.default_rng(seed)
    each, best, plan = np.arange(n), np.full(n, -np.inf), np.zeros((n, DAYS), dtype=int)
    memory = np.full((n, forest.n_states, 3), -99.0)
    for _ in range(TRIPS):
        states, places = np.zeros(n, dtype=np.int64), []
        actions = rng.integers(3, size=(n, DAYS))
        for day in range(DAYS):
            places.append((each, states, actions[:, day]))
            states, rewards, _ = forest.step(states, actions[:, day], rng)
        for place in places:
            memory[place] = np.maximum(memory[place], rewards)
        plan[rewards > best] = actions[rewards > best]
        best = np.maximum(best, rewards)
    if name == "best memory":
        return forest.regrets(memory)
    day = np.repeat(np.arange(DAYS), 3 ** np.arange(DAYS))  # of each node
    chosen = np.zeros(memory.shape)
    chosen[:, : len(day)] = np.eye(3)[plan][:, day]
    return forest.regrets(chosen)


def borrowing(seed: int) -> np.ndarray:
    """Double Q-learning, step size 1, that asks the table at hand where the other is empty."""
    forest, rng = Forest(TREES), np.random.default_rng(seed)
    n = len(forest.worths)
    each, q = np.arange(n), np.zeros((2, n, forest.n_states, 3))
    tried = np.zeros(q.shape, dtype=bool)
    for step in range(TRIPS * DAYS):
        if step % DAYS == 0:
            s = np.zeros(n, dtype=np.int64)
        row = q[:, each, s].sum(axis=0)  # (learners, 3)
        explore = rng.random((n, 1)) < FALLING(step)
        allowed = explore | (row == row.max(axis=1, keepdims=True))
        a = (rng.random(row.shape) * allowed).argmax(axis=1)
        arrived, target, ended = forest.step(s, a, rng)
        one = rng.integers(2, size=n)
        if not ended.any():
            best = q[one, each, arrived].argmax(axis=1)
            empty = ~tried[1 - one, each, arrived, best]
            target = q[np.where(empty, one, 1 - one), each, arrived, best]
        q[one, each, s, a] = target
        tried[one, each, s, a] = True
        s = arrived
    return forest.regrets(q.mean(axis=0))
