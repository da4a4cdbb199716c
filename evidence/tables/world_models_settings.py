"""Chapter 4: both races, the learned network with five seeds, and search in forty large trees.

Learners run side by side, which makes them cheap: five independent groups of thirty on the tree and
of twenty on the lake. Names of numbers end in the group, or the seed."""

from itertools import product

import numpy as np

from seqdec_lib.experience import collect, mean_interval, regret, regret_of
from seqdec_lib.learning import (
    CountModel,
    DynaQ,
    NeuralModel,
    TabularLearner,
    greedy,
    harmonic,
    random_shooting,
    total_variation,
    tree_search,
)
from seqdec_lib.problems import TabularProblem, TravelTree, from_gymnasium

GROUPS = 5
SEEDS = (0,)  # the groups are inside
RIVALS = ("Q-learning", "Replay", "Memory", "Dyna-Q", "Counts and planning")
ON_LAKE = ("Q-learning", "Replay", "Dyna-Q", "Counts and planning")
CASES = (
    "search, mixed",
    *(f"tree, {name}" for name in RIVALS),
    *(f"lake, {name}" for name in ON_LAKE),
    "search, shooting",
    "search, best of many",
    "search, mean",
    "network",
)
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
TREES, MORNINGS = 40, 12
SIZES = [50, 200, 800, 1600]  # simulations per decision


def run(case: str, seed: int) -> dict[str, float]:
    """One part of the chapter."""
    part, _, name = case.partition(", ")
    parts = {"tree": on_the_tree, "lake": on_the_lake, "search": far}
    return parts[part](name, seed) if name else learned()


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


def on_the_tree(name: str, seed: int) -> dict[str, float]:
    """Geometric means of steps in each group, and how many never got there."""
    tree, numbers = TravelTree(), {}
    learner = tree_learners(tree, BEST[name], seed, replicas=30 * GROUPS)[name]()
    known, found = race(learner, tree)
    for group in range(GROUPS):
        mine = slice(30 * group, 30 * (group + 1))
        numbers[f"steps {group}"] = np.exp(np.log(np.minimum(known[mine], MOST)).mean())
        numbers[f"found {group}"] = np.exp(np.log(np.minimum(found[mine], MOST)).mean())
        numbers[f"never {group}"] = np.isinf(known[mine]).sum()
    if name == "Dyna-Q":
        learner.train(max(0, 6000 - learner.steps_per_chain))
        numbers["trained"] = learner.steps_per_chain
        rows = greedy(learner.q_values)
        numbers["regret"] = np.mean([regret_of(tree, policy) for policy in rows])
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


def on_the_lake(name: str, seed: int) -> dict[str, float]:
    """Mean regrets of each group at each look, and the steps at which the mean falls to 5 %."""
    looks = LAKE_LOOKS if name == "Q-learning" else LAKE_LOOKS[:-2]
    learner = lake_learners(LAKE_POWER.get(name, 1.0), seed, replicas=20 * GROUPS)[name]()
    regrets = lake_regrets(learner, looks).reshape(len(looks), GROUPS, 20).mean(axis=2)
    numbers = {}
    for group, means in enumerate(regrets.T):
        numbers |= {f"{n} {group}": mean for n, mean in zip(looks, means, strict=True)}
        numbers[f"steps {group}"] = crossing(looks, means)
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


# -- search in large trees


def far(name: str, seed: int) -> dict[str, float]:
    """Mean regret over the trees, its interval, and the questions asked per trip."""
    numbers = {}
    for size in SIZES[:2] if name == "mean" else SIZES:
        if name == "best of many":
            regrets, queries = best_of_many(size, seed)
        else:
            planner = random_shooting if name == "shooting" else tree_search
            options = {"best_weight": 0.5} if name == "mixed" else {}
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


# -- a network in the place of counts


def learned() -> dict[str, float]:
    """Counts and networks on walks that begin on any square of the larger lake."""
    lake = from_gymnasium("FrozenLake8x8-v1")
    anywhere = ~lake.terminal / (~lake.terminal).sum()
    table = lake.probabilities, lake.next_states, lake.rewards, lake.terminal
    world = TabularProblem(*table, anywhere, lake.discount, lake.horizon)
    place = np.hstack([np.repeat(np.eye(8), 8, axis=0), np.tile(np.eye(8), (8, 1))])
    exact, numbers = lake.mdp().transitions[~lake.terminal], {}
    for walks, seed in product(WALKS, range(GROUPS)):
        seen = collect(world, policy=None, episodes=walks, seed=seed)
        numbers[f"goals {walks} {seed}"] = seen.returns().sum()
        numbers[f"steps {walks} {seed}"] = seen.mask.sum()
        models = {
            "counts": CountModel(64, 4).add(seen),
            "squares": NeuralModel(np.eye(64), 4, seed=seed).fit(seen),
            "coordinates": NeuralModel(place, 4, seed=seed).fit(seen),
        }
        for name, model in models.items():
            rows = model.next_state_probabilities()[~lake.terminal]
            plan = greedy(model.plan(lake.discount, tol=1e-6)[0], within=1e-5)
            numbers[f"{name} {walks} error {seed}"] = total_variation(rows, exact).mean()
            numbers[f"{name} {walks} regret {seed}"] = regret_of(lake, plan)
    return numbers
