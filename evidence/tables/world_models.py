"""Chapter 4 with five seeds: the race on the tree, the race on the lake, the learned network."""

import numpy as np

from seqdec_lib.experience import collect, regret, regret_of
from seqdec_lib.learning import (
    CountModel,
    DynaQ,
    NeuralModel,
    TabularLearner,
    greedy,
    harmonic,
    total_variation,
)
from seqdec_lib.problems import TabularProblem, TravelTree, from_gymnasium

SEEDS = range(5)
CASES = ("tree", "lake", "network")
AGREEMENT = 0.1  # the network is trained by floating-point sums; all else repeats exactly

MOST = 18_000  # steps on the tree: three thousand trips, as in chapter 3
BEST = {  # exploration on the tree, as `world_models_settings` found it
    "Q-learning": 0.7,
    "Replay": 0.5,
    "Memory": 0.5,
    "Dyna-Q": 0.5,
    "Counts and planning": 0.5,
}
LAKE_POWER = {"Q-learning": 0.6, "Replay": 0.6, "Dyna-Q": 0.6}
LAKE_LOOKS = [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000]
WALKS = [100, 300, 1000]


def run(case: str, seed: int) -> dict[str, float]:
    """One part of the chapter."""
    return {"tree": on_the_tree, "lake": on_the_lake, "network": learned}[case](seed)


# -- the race on the tree


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
                place = step.actions, self._offset + step.observations
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


def on_the_tree(seed: int) -> dict[str, float]:
    """Geometric means of steps, the share that never got there, ratios to Q-learning."""
    tree, numbers, logs = TravelTree(), {}, {}
    for name, exploration in BEST.items():
        learner = tree_learners(tree, exploration, seed)[name]()
        known, found = race(learner, tree)
        logs[name] = np.log(np.minimum(known, MOST))
        numbers[f"{name} steps"] = np.exp(logs[name].mean())
        numbers[f"{name} found"] = np.exp(np.log(np.minimum(found, MOST)).mean())
        numbers[f"{name} never"] = np.isinf(known).sum()
        if name == "Dyna-Q":
            learner.train(max(0, 6000 - learner.steps_per_chain))
            rows = greedy(learner.q_values)
            numbers["dyna_regret"] = np.mean([regret_of(tree, policy) for policy in rows])
        numbers[f"{name} ratio"] = np.exp((logs["Q-learning"] - logs[name]).mean())
    return numbers


# -- the race on the lake


def lake_learners(power: float, seed: int, replicas: int = 20) -> dict:
    """Twenty random walkers of each kind; all kinds read the same steps."""
    lake = from_gymnasium("FrozenLake-v1")
    options = {"step_size": harmonic(power), "exploration": 1.0}
    options |= {"replicas": replicas, "seed": seed}
    return {
        "Q-learning": lambda: TabularLearner(lake, **options),
        "Replay": lambda: DynaQ(lake, planning_steps=5, replay=LAKE_LOOKS[-1], **options),
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


def on_the_lake(seed: int) -> dict[str, float]:
    """Mean regrets at each look, and the steps at which the mean falls to 5 %."""
    numbers = {}
    for name in ("Q-learning", "Replay", "Dyna-Q", "Counts and planning"):
        looks = LAKE_LOOKS if name == "Q-learning" else LAKE_LOOKS[:-2]
        learner = lake_learners(LAKE_POWER.get(name, 1.0), seed)[name]()
        means = lake_regrets(learner, looks).mean(axis=1)
        numbers |= {f"{name} {look}": mean for look, mean in zip(looks, means, strict=True)}
        numbers[f"{name} steps"] = crossing(looks, means)
    for name in ("Replay", "Dyna-Q", "Counts and planning"):
        numbers[f"{name} ratio"] = numbers["Q-learning steps"] / numbers[f"{name} steps"]
    return numbers


def crossing(looks: list[int], means: np.ndarray, limit: float = 0.05) -> float:
    """Where the mean falls below the limit for good, between looks on a logarithmic scale; the
    last look where it never does."""
    above = np.flatnonzero(means > limit)
    if not len(above) or above[-1] == len(means) - 1:
        return float(looks[-1] if len(above) else looks[0])
    i = above[-1]
    share = (means[i] - limit) / (means[i] - means[i + 1])
    return float(looks[i] * (looks[i + 1] / looks[i]) ** share)


# -- a network in the place of counts


def learned(seed: int) -> dict[str, float]:
    """Counts and networks on walks that begin on any square of the larger lake."""
    lake = from_gymnasium("FrozenLake8x8-v1")
    anywhere = ~lake.terminal / (~lake.terminal).sum()
    table = lake.probabilities, lake.next_states, lake.rewards, lake.terminal
    world = TabularProblem(*table, anywhere, lake.discount, lake.horizon)
    place = np.hstack([np.repeat(np.eye(8), 8, axis=0), np.tile(np.eye(8), (8, 1))])
    exact, numbers = lake.mdp().transitions[~lake.terminal], {}
    for walks in WALKS:
        seen = collect(world, policy=None, episodes=walks, seed=seed)
        numbers[f"goals {walks}"] = seen.returns().sum()
        numbers[f"steps {walks}"] = seen.mask.sum()
        models = {
            "counts": CountModel(64, 4).add(seen),
            "squares": NeuralModel(np.eye(64), 4, seed=seed).fit(seen),
            "coordinates": NeuralModel(place, 4, seed=seed).fit(seen),
        }
        for name, model in models.items():
            rows = model.next_state_probabilities()[~lake.terminal]
            plan = greedy(model.plan(lake.discount, tol=1e-6)[0], within=1e-5)
            numbers[f"{name} {walks} error"] = total_variation(rows, exact).mean()
            numbers[f"{name} {walks} regret"] = regret_of(lake, plan)
    return numbers
