"""Which settings serve each rival of chapter 4 best? Chosen on trees and walks that it never shows.

Each method is tried with each setting of its list, all side by side, by the same code. On the tree
the score is the geometric mean of the steps after which a learner knows a trip within 5 % of the
optimum, over thirty learners in a tree of other stars; on the lake it is the mean regret of forty
walkers after as many steps as bring this kind of learner near 5 %. The smaller, the better. The
table `world_models` takes the learners from here, and the settings from the numbers beside it."""

import json
from pathlib import Path

import numpy as np

from seqdec_lib.experience import regret
from seqdec_lib.learning import (
    CountModel,
    DynaQ,
    TabularLearner,
    greedy,
    linear_decay,
)
from seqdec_lib.learning.exploration import EpsilonGreedy
from seqdec_lib.problems import TravelTree, from_gymnasium

SEEDS = (10, 11)
RIVALS = ("Q-learning", "Replay", "Memory", "Dyna-Q", "Counts and planning")
LATE = {"Q-learning": 64_000, "Replay": 16_000, "Dyna-Q": 16_000}
CASES = (*(f"tree, {name}" for name in RIVALS), *(f"lake, {name}" for name in LATE))
AGREEMENT = 1e-9

MOST = 18_000  # steps on the tree: three thousand trips, as in chapter 3
REMEMBERED = 64_000  # steps that replay keeps on the lake: all
EXPLORATION = {
    "from 1 down to 0.1": linear_decay(1.0, 0.1, MOST),
    "1": 1.0,
    "0.7": 0.7,
    "0.5": 0.5,
    "0.3": 0.3,
}
POWERS = (0.4, 0.5, 0.6, 0.7)  # of the step size visits ** -power


def run(case: str, seed: int) -> dict[str, float]:
    """One method with each of its settings."""
    part, _, name = case.partition(", ")
    if part == "tree":
        learner = tree_learners(TravelTree(seed=seed), 1.0, seed, 30 * len(EXPLORATION))[name]()
        learner.behavior = SideBySide(list(EXPLORATION.values()))
        known, _ = race(learner, learner.problem)
        scores = np.exp(np.log(np.minimum(known, MOST)).reshape(-1, 30).mean(axis=1))
        return dict(zip(EXPLORATION, scores, strict=True))
    powers = np.repeat(POWERS, 40)
    learner = lake_learners(powers, seed, replicas=len(powers))[name]()
    regrets = lake_regrets(learner, [LATE[name]]).reshape(-1, 40).mean(axis=1)
    return dict(zip(map(str, POWERS), regrets, strict=True))


class SideBySide(EpsilonGreedy):
    """Several schedules of epsilon, each for an equal share of the replicas."""

    def __init__(self, schedules: list) -> None:
        self._each = [EpsilonGreedy(schedule) for schedule in schedules]

    def choose(self, q, observations, step, rng):
        """As for `EpsilonGreedy`, share by share."""
        q, seen = (np.split(a, len(self._each), axis=-1) for a in (q, observations))
        rows = zip(self._each, q, seen, strict=True)
        return np.concatenate([one.choose(part, at, step, rng) for one, part, at in rows])


def chosen(case: str) -> str:
    """The setting with the smallest geometric mean over the seeds."""
    kept = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    runs = list(kept["results"][case].values())
    return min(runs[0], key=lambda setting: sum(np.log(run[setting]) for run in runs))


# -- the learners


class BestReturn(TabularLearner):
    """Remembers for each (s, a) the best return that ever followed it, and nothing else."""

    trip: tuple = ()

    def update(self, seen, next_actions=None) -> None:
        """Wait for the end of the trip (all trips end together), then go through it backwards."""
        self.trip = (*self.trip, seen)
        if seen.terminated.all():
            returns = 0.0
            for step in reversed(self.trip):
                returns = step.rewards + self.problem.discount * returns
                place = (
                    step.actions,
                    step.replicas * self.problem.n_observations + step.observations,
                )
                self.table.rows[0][place] = np.maximum(self.table.rows[0][place], returns)
            self.trip = ()


class CountsAndPlanning(TabularLearner):
    """Counts what happens, and plans anew after every fifth trip."""

    def __init__(self, problem, every: int = 5, **options) -> None:
        super().__init__(problem, **options)
        self.model = CountModel(problem.n_states, problem.n_actions, replicas=self.replicas)
        self.every = every * problem.horizon

    def update(self, seen, next_actions=None) -> None:
        """Count; now and then, plan."""
        self.model.add(seen)
        if self.steps_per_chain % self.every == 0:
            q_values = self.model.plan(self.problem.discount, self.problem.horizon)
            self.table.rows[0] = q_values.reshape(-1, q_values.shape[-1]).T


def tree_learners(tree, exploration, seed: int, replicas: int = 30) -> dict:
    """How to make thirty learners of each kind. On a tree nothing is random: step size 1."""
    options = {"step_size": 1.0, "exploration": exploration, "replicas": replicas, "seed": seed}
    return {
        "Q-learning": lambda: TabularLearner(tree, **options),
        "Replay": lambda: DynaQ(tree, planning_steps=5, replay=MOST, **options),
        "Memory": lambda: BestReturn(tree, **options),
        "Dyna-Q": lambda: DynaQ(tree, planning_steps=5, **options),
        "Counts and planning": lambda: CountsAndPlanning(tree, **options),
    }


def race(learner, tree, most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
    """Steps until each learner knows a trip within 5 % of the optimum, and until it first took one.

    Both (replicas,), infinite where it didn't within `most` steps."""
    enough = 0.95 * tree.optimal_return() + 0.05 * tree.random_return() - 1e-9
    known, found = np.full((2, learner.replicas), np.inf)
    while learner.steps_per_chain < most and np.isinf(known).any():
        seen = learner.step()
        if seen.terminated.all():
            now = learner.steps_per_chain
            found[np.isinf(found) & (seen.rewards >= enough)] = now
            promised = learner.q_values[:, 0].max(axis=1)
            known[np.isinf(known) & (promised >= enough)] = now
    return known, found


def lake_learners(power: float | np.ndarray, seed: int, replicas: int) -> dict:
    """Random walkers, with one power for all replicas or one for each (replicas,); all kinds read
    the same steps."""
    lake = from_gymnasium("FrozenLake-v1")
    options = {"step_size": lambda visits: visits**-power, "exploration": 1.0}
    options |= {"replicas": replicas, "seed": seed}
    return {
        "Q-learning": lambda: TabularLearner(lake, **options),
        "Replay": lambda: DynaQ(lake, planning_steps=5, replay=REMEMBERED, **options),
        "Dyna-Q": lambda: DynaQ(lake, planning_steps=5, **options),
        "Counts and planning": lambda: Counted(lake, **options),
    }


class Counted(TabularLearner):
    """Counts, and plans when it is asked for its values."""

    def __init__(self, problem, **options) -> None:
        super().__init__(problem, **options)
        self.model = CountModel(problem.n_states, problem.n_actions, replicas=self.replicas)

    def update(self, seen, next_actions=None) -> None:
        """Count."""
        self.model.add(seen)

    @property
    def q_values(self) -> np.ndarray:
        """The plan, without the digits that value iteration leaves open."""
        return self.model.plan(self.problem.discount, tol=1e-6).round(5)


def lake_regrets(learner, looks: list[int]) -> np.ndarray:
    """Exact regrets (looks, replicas) of the greedy policies after so many steps."""
    lake, regrets = learner.problem, []
    top, bottom = lake.optimal_return(), lake.random_return()
    for look in looks:
        learner.train(look - learner.steps_per_chain)
        values = [lake.expected_return(policy) for policy in greedy(learner.q_values)]
        regrets.append([regret(value, top, bottom) for value in values])
    return np.array(regrets)
