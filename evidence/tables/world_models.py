"""Chapter 4: both races, the learned networks with five seeds, and search in twenty large trees.

Learners run side by side, which makes them cheap: five independent groups of thirty on the tree and
of twenty on the lake. Names of numbers end in the group, the seed or the tree. The learners, and
the settings that serve each of them best, come from `world_models_settings`: make that first."""

import numpy as np

from evidence.tables.world_models_settings import (
    EXPLORATION,
    MOST,
    RIVALS,
    chosen,
    lake_learners,
    lake_regrets,
    race,
    tree_learners,
)
from seqdec_lib.experience import collect, mean_interval, regret, regret_of
from seqdec_lib.learning import (
    CountModel,
    NeuralModel,
    TabularLearner,
    greedy,
    random_shooting,
    total_variation,
    tree_search,
)
from seqdec_lib.learning.world_model import transitions_of
from seqdec_lib.problems import TabularProblem, TravelTree, from_gymnasium

GROUPS = 5
SEEDS = (0,)  # the groups are inside
ON_TREE = (*RIVALS, "Q-learning at 0.7", "Q-learning at 1", "Memory at 1")  # other explorations
ON_LAKE = ("Q-learning", "Replay", "Dyna-Q", "Counts and planning", "Mean returns")
SEARCHES = ("mixed", "mean", "mixed, then sweep", "shooting", "shooting on", "best of many")
CASES = (
    *(f"search, {name}" for name in SEARCHES),
    *(f"lake, {name}" for name in ON_LAKE),
    *(f"tree, {name}" for name in ON_TREE),
    "network",
)
AGREEMENT = 0.1  # the network is trained by floating-point sums; all else repeats exactly

LOOKS = [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000]  # steps on the lake; Q-learning: more
LATER = [64_000, 128_000]
WALKS = [100, 300, 1000]
EPOCHS = (30, 60, 120, 300)  # of a network's training
SHARED = (3, 10, 30)  # steps that each pair borrows from all squares
TREES, MORNINGS = 20, 12
SIZES = [50, 400, 3200]  # simulations per decision


def run(case: str, seed: int) -> dict[str, float]:
    """One part of the chapter."""
    part, _, name = case.partition(", ")
    parts = {"tree": on_the_tree, "lake": on_the_lake, "search": far}
    return parts[part](name, seed) if name else learned()


# -- the race on the tree


def on_the_tree(name: str, seed: int) -> dict[str, float]:
    """Geometric means of steps in each group, and how many never got there."""
    tree, numbers = TravelTree(), {}
    kind, _, share = name.partition(" at ")
    exploration = EXPLORATION[share or chosen(f"tree, {kind}")]
    learner = tree_learners(tree, exploration, seed, replicas=30 * GROUPS)[kind]()
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


def on_the_lake(name: str, seed: int) -> dict[str, float]:
    """Mean regrets of each group at each look, and the steps at which the mean falls to 5 %."""
    looks = LOOKS + LATER * (name == "Q-learning")
    learner = lake_learner(name, seed, replicas=20 * GROUPS)
    regrets = lake_regrets(learner, looks).reshape(len(looks), GROUPS, 20).mean(axis=2)
    numbers = {}
    for group, means in enumerate(regrets.T):
        numbers |= {f"{n} {group}": mean for n, mean in zip(looks, means, strict=True)}
        numbers[f"steps {group}"] = crossing(looks, means)
    return numbers


def lake_learner(name: str, seed: int, replicas: int) -> TabularLearner:
    """One of the rivals; all read the same steps."""
    if name == "Mean returns":  # the mean of all returns after (s, a), of a random walker
        options = {"method": "monte_carlo", "step_size": lambda visits: 1 / visits}
        lake = from_gymnasium("FrozenLake-v1")
        return TabularLearner(lake, exploration=1.0, replicas=replicas, seed=seed, **options)
    power = 1.0 if name == "Counts and planning" else float(chosen(f"lake, {name}"))
    return lake_learners(power, seed, replicas)[name]()


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
    """Mean regret over the trees, its interval, and the questions asked per trip; at the end the
    regret in each tree with the most simulations."""
    numbers = {}
    for size in SIZES[:-1] if name == "mean" else SIZES:
        if name == "best of many":
            regrets, queries = best_of_many(size, seed)
        elif name == "shooting on":
            regrets, queries = shoot_on(size, seed)
        else:
            planner = random_shooting if name == "shooting" else tree_search
            options = {"best_weight": 0.5} if name.startswith("mixed") else {}
            sweeps = name.endswith("then sweep")
            regrets, queries = travel_far(planner, size, seed, sweeps, **options)
        found = mean_interval(regrets)
        numbers |= {f"{size}": found.mean, f"{size} low": found.low, f"{size} high": found.high}
        numbers[f"{size} queries"] = queries
    return numbers | {f"in tree {k}": value for k, value in enumerate(regrets)}


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


def travel_far(
    planner, number: int, seed: int, sweeps: bool = False, **options
) -> tuple[np.ndarray, float]:
    """Regrets (trees,) of planning anew each morning, and questions asked per trip.

    sweeps : whether to sweep all that is left as soon as this asks less than going on to search."""
    one, step, values, leaves = forest(seed)
    rng = np.random.default_rng(seed)
    states, queries = np.arange(TREES) * one.n_states, 0
    for left in range(one.horizon, 0, -1):
        sweep = sum(one.branching**k for k in range(1, left + 1))
        if sweeps and sweep <= number * left * (left + 1) // 2:
            below = one.branching**left  # leaves under each node of this level
            place = (states % one.n_states - one.level(one.horizon - left).start) * below
            paid = [leaves[k][i : i + below].max() for k, i in enumerate(place)]
            queries += TREES * sweep
            break
        plan = planner(step, states, left, one.branching, number, rng, **options)
        states, paid, _ = step(states, plan.q_values.argmax(axis=1), rng)
        queries += plan.queries
    return (values[:, 0] - paid) / (values[:, 0] - values[:, 1]), queries / TREES


def shoot_on(number: int, seed: int) -> tuple[np.ndarray, float]:
    """Random shooting that keeps the rest of its best plan until it finds a better one, and asks
    about the kept plan again, in the place of a random one."""
    one, step, values, _ = forest(seed)
    rng, kept, queries = np.random.default_rng(seed), None, 0
    states, first = np.arange(TREES) * one.n_states, np.arange(TREES) * number
    for left in range(one.horizon, 0, -1):
        plans = rng.integers(one.branching, size=(left, TREES * number))
        if kept is not None:
            plans[:, first] = kept
        now = np.repeat(states, number)
        for actions in plans:
            now, rewards, _ = step(now, actions, rng)
        best = first + rewards.reshape(TREES, number).argmax(axis=1)
        states, paid, _ = step(states, plans[0, best], rng)
        kept, queries = plans[1:, best], queries + number * left
    return (values[:, 0] - paid) / (values[:, 0] - values[:, 1]), queries


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
    """Counts, counts that share, and networks, on walks that begin on any square of the larger
    lake. Settings are those with the smallest error on other walks, of the seed 10."""
    lake = from_gymnasium("FrozenLake8x8-v1")
    anywhere = ~lake.terminal / (~lake.terminal).sum()
    table = lake.probabilities, lake.next_states, lake.rewards, lake.terminal
    world = TabularProblem(*table, anywhere, lake.discount, lake.horizon)
    exact, numbers = lake.mdp().transitions[~lake.terminal], {}

    def error(model) -> float:
        rows = model.next_state_probabilities()[~lake.terminal]
        return total_variation(rows, exact).mean()

    for walks in WALKS:
        others = collect(world, policy=None, episodes=walks, seed=10)
        best = {
            name: min(settings, key=lambda one, make=make: error(make(others, one, 10)))
            for name, (make, settings) in MODELS.items()
        }
        numbers |= {f"{name} {walks} setting": setting for name, setting in best.items()}
        for seed in range(GROUPS):
            seen = collect(world, policy=None, episodes=walks, seed=seed)
            numbers[f"goals {walks} {seed}"] = seen.returns().sum()
            numbers[f"steps {walks} {seed}"] = seen.mask.sum()
            for name, (make, _) in MODELS.items():
                model = make(seen, best[name], seed)
                plan = greedy(model.plan(lake.discount, tol=1e-6)[0], within=1e-5)
                numbers[f"{name} {walks} error {seed}"] = error(model)
                numbers[f"{name} {walks} regret {seed}"] = regret_of(lake, plan)
            for epochs in EPOCHS:
                found = error(coordinates(seen, epochs, seed))
                numbers[f"coordinates {walks} after {epochs} error {seed}"] = found
    return numbers


def coordinates(seen, epochs: int, seed: int) -> NeuralModel:
    """A network that sees the row and the column of a square."""
    place = np.hstack([np.repeat(np.eye(8), 8, axis=0), np.tile(np.eye(8), (8, 1))])
    return NeuralModel(place, 4, seed=seed).fit(seen, epochs=epochs)


def squares(seen, epochs: int, seed: int) -> NeuralModel:
    """A network for which each square is a thing of its own."""
    return NeuralModel(np.eye(64), 4, seed=seed).fit(seen, epochs=epochs)


def shared(seen, strength: int, seed: int) -> NeuralModel:
    """Counts, and some steps more for each pair: as this action went on all squares together.

    No network; the class only holds the table, in which an outcome is a change of square."""
    model, steps = NeuralModel(np.eye(64), 4).fit(seen, epochs=1), transitions_of(seen)
    kinds = np.stack([model.changes, model.rewards, model.ended], axis=1)
    change = steps.next_observations - steps.observations
    happened = np.stack([change, steps.rewards, steps.terminated], axis=1)
    which = (happened[:, None] == kinds).all(axis=2).argmax(axis=1)
    counts = np.zeros(model.probabilities.shape)  # (S, A, K)
    np.add.at(counts, (steps.observations, steps.actions, which), 1)
    after = np.arange(64)[:, None, None] + model.changes
    prior = counts.sum(axis=0) * ((after >= 0) & (after < 64))  # nothing leads out of the world
    counts += strength * prior / prior.sum(axis=2, keepdims=True)
    model.probabilities = counts / counts.sum(axis=2, keepdims=True)
    return model


MODELS = {
    "counts": (lambda seen, setting, seed: CountModel(64, 4).add(seen), (0,)),
    "shared": (shared, SHARED),
    "squares": (squares, EPOCHS),
    "coordinates": (coordinates, EPOCHS),
}
