"""Laws of planning by simulation: random shooting and tree search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.evaluation import estimate_return, regret
from seqdec_lib.experience.trajectories import collect
from seqdec_lib.learning.planning import Decision, planning_policy, random_shooting, tree_search
from seqdec_lib.learning.world_model import CountModel
from seqdec_lib.problems import TabularProblem, TravelTree
from seqdec_lib.problems.base import History


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def regret_of_planner(tree: TravelTree, planner) -> float:
    policy = planning_policy(planner, tree.horizon)
    achieved = collect(tree, policy, episodes=4, seed=0).returns().mean()
    return regret(achieved, tree.optimal_return(), tree.random_return())


@pytest.mark.parametrize("best_weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dense", [False, True])
def test_with_enough_simulations_tree_search_finds_the_optimum(best_weight, dense):
    tree, rng = TravelTree(branching=2, horizon=3, seed=3, dense=dense), _rng()

    def planner(states, left):
        return tree_search(tree.step, states, left, 2, 200, rng, best_weight=best_weight)

    assert regret_of_planner(tree, planner) == pytest.approx(0, abs=1e-9)


def test_with_enough_plans_random_shooting_finds_the_optimum_without_chance():
    tree, rng = TravelTree(branching=2, horizon=4, seed=3), _rng()
    assert regret_of_planner(
        tree, lambda states, left: random_shooting(tree.step, states, left, 2, 400, rng)
    ) == pytest.approx(0, abs=1e-9)


def test_tree_search_converges_to_the_exact_values_under_chance():
    tree = TravelTree(branching=2, horizon=3, seed=1, cancel=0.3)
    stay, go = tree.solve().values[[1, 2]]
    children = np.array([stay, 0.7 * go + 0.3 * stay])
    found = tree_search(tree.step, np.zeros(8, dtype=int), 3, 2, 2000, _rng(), exploration=0.3)
    best = children.argmax()
    assert (found.q_values.argmax(axis=1) == best).all()
    assert found.q_values[:, best].mean() == pytest.approx(children[best], rel=0.05)
    assert np.allclose(found.visits.sum(axis=1), 2000)


def test_every_way_is_counted_once():
    """Depth 1: the values are the rewards themselves, each simulation is one query."""
    tree = TravelTree(branching=3, horizon=1)
    found = tree_search(tree.step, np.zeros(5, dtype=int), 1, 3, 50, _rng())
    assert np.allclose(found.q_values, tree.level_enjoyment(1))
    assert found.queries == 5 * 50
    shot = random_shooting(tree.step, np.zeros(5, dtype=int), 1, 3, 50, _rng())
    assert np.allclose(shot.q_values, tree.level_enjoyment(1)) and shot.queries == 5 * 50


def test_discounted_returns_from_each_node_on():
    """A corridor that pays 1 a step: the value of each action is known."""
    n = 5
    next_states = np.minimum(np.arange(n) + 1, n - 1)[:, None, None] * np.ones((1, 2, 1), int)
    corridor = TabularProblem(
        probabilities=np.ones((n, 2, 1)),
        next_states=next_states,
        rewards=np.ones((n, 2, 1)),
        terminal=np.arange(n) == n - 1,
        start=np.eye(1, n)[0],
        discount=0.5,
        horizon=10,
    )
    found = tree_search(corridor.step, np.array([0, 2, 3]), 10, 2, 30, _rng(), discount=0.5)
    assert np.allclose(found.q_values, [[1.875] * 2, [1.5] * 2, [1.0] * 2])
    assert found.queries == 30 * (4 + 2 + 1)  # episodes that ended ask nothing more
    short = tree_search(corridor.step, np.array([0]), 2, 2, 30, _rng(), discount=0.5)
    assert np.allclose(short.q_values, 1.5)


def wheel(luck: int):
    """Seven places around a wheel, each with pays of its own; where luck has a say, one further."""

    def simulator(states, actions, rng):
        further = rng.integers(luck, size=len(states))
        arrived = (3 * states + actions + 1 + further) % 7
        return arrived, ((5 * states + 3 * actions) % 4) / 2 - 0.5, arrived == 6

    return simulator


class PlainSearch:
    """One tree as a dictionary of histories: what `tree_search` does, line by line as it says."""

    def __init__(self, n_actions, discount, exploration, best_weight) -> None:
        self.n_actions, self.discount, self.exploration = n_actions, discount, exploration
        self.best_weight, self.seen, self.nodes = best_weight, [], {(): self.new()}

    def new(self):
        return [[] for _ in range(self.n_actions)]  # the returns of each action

    def value(self, returns):
        weight = self.best_weight
        return (1 - weight) * np.mean(returns) + weight * max(returns) if returns else 0.0

    def select(self, node, dice):
        new = [action for action in range(self.n_actions) if not node[action]]
        if new:
            return max(new, key=lambda action: dice[action])
        low, high = min(self.seen), max(self.seen)
        total, scores = sum(map(len, node)), []
        for returns, chance in zip(node, dice, strict=True):
            scaled = (self.value(returns) - low) / (high - low if high > low else 1)
            bonus = np.sqrt(2 * np.log(total) / len(returns))
            scores.append(scaled + self.exploration * bonus + 1e-9 * chance)
        return int(np.argmax(scores))

    def walk(self, simulator, root, dice, rng):
        state, history, way, rewards, inside = root, (), [], [], True
        for chances in dice:
            action = self.select(self.nodes[history], chances) if inside else chances.argmax()
            arrived, reward, ended = simulator(np.array([state]), np.array([action]), rng)
            way += [(history, action)] * inside
            rewards.append(reward[0])
            state, history = int(arrived[0]), (*history, int(action), int(arrived[0]))
            if inside and history not in self.nodes:
                self.nodes[history], inside = self.new(), False  # the rest is played at random
            if ended[0]:
                break
        for t, (node, action) in enumerate(way):
            later = [self.discount**i * reward for i, reward in enumerate(rewards[t:])]
            self.nodes[node][action].append(sum(later))
        self.seen.append(sum(self.discount**i * reward for i, reward in enumerate(rewards)))
        return len(rewards)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 25)),
    discount=st.sampled_from([1.0, 0.7, 0.0]),
    exploration=st.sampled_from([0.0, 0.5, 2.0]),
    best_weight=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_many_trees_in_arrays_are_single_trees_in_a_dictionary(
    seed, shape, discount, exploration, best_weight
):
    steps, n_actions, simulations = shape
    for roots, simulator in ((np.array([5]), wheel(2)), (np.array([2, 0, 5]), wheel(1))):
        weights = {"exploration": exploration, "best_weight": best_weight}
        found = tree_search(
            simulator, roots, steps, n_actions, simulations, _rng(seed), discount, **weights
        )
        rng, queries = _rng(seed), 0
        trees = [PlainSearch(n_actions, discount, exploration, best_weight) for _ in roots]
        for _ in range(simulations):
            dice = rng.random((steps, len(roots), n_actions))
            for b, tree in enumerate(trees):  # without luck it does not matter who is asked first
                queries += tree.walk(simulator, int(roots[b]), dice[:, b], rng)
        for b, tree in enumerate(trees):
            ways = tree.nodes[()]
            expected = [tree.value(returns) if returns else -np.inf for returns in ways]
            assert found.visits[b].tolist() == [len(returns) for returns in ways]
            np.testing.assert_allclose(found.q_values[b], expected, atol=1e-9)
        assert found.queries == queries


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 8)),
    discount=st.sampled_from([1.0, 0.7, 0.0]),
)
def test_an_action_is_worth_the_best_of_the_plans_that_begin_with_it(seed, shape, discount):
    (steps, n_actions, plans), roots = shape, np.array([2, 5])
    found = random_shooting(wheel(1), roots, steps, n_actions, plans, _rng(seed), discount)
    rng, queries = _rng(seed), 0
    drawn = np.array([rng.integers(n_actions, size=2 * plans) for _ in range(steps)])
    worth = np.full((2, n_actions), -np.inf)
    for plan, actions in enumerate(drawn.T):
        state, total = roots[plan // plans], 0.0
        for t, action in enumerate(actions):
            arrived, reward, ended = wheel(1)(np.array([state]), np.array([action]), rng)
            state, total, queries = arrived[0], total + discount**t * reward[0], queries + 1
            if ended[0]:
                break
        first = worth[plan // plans]
        first[actions[0]] = max(first[actions[0]], total)
    np.testing.assert_allclose(found.q_values, worth)
    assert found.queries == queries and (found.visits.sum(axis=1) == plans).all()
    assert ((found.visits == 0) == np.isinf(found.q_values)).all()


def test_what_is_not_told_is_no_discount_full_exploration_and_the_mean():
    def found(plan, *options, **named):
        decision = plan(wheel(2), np.array([2, 5]), 3, 2, 40, _rng(), *options, **named)
        return decision.q_values.tolist(), decision.visits.tolist()

    assert found(tree_search) == found(tree_search, 1.0, exploration=1.0, best_weight=0.0)
    assert found(tree_search) != found(tree_search, exploration=1.5)
    assert found(random_shooting) == found(random_shooting, 1.0)


def test_both_plan_in_a_learned_model():
    tree = TravelTree(branching=2, horizon=3)
    trips = collect(tree, None, 400, seed=0)  # sees all eight leaves
    model, rng = CountModel(tree.n_states, 2).add(trips), _rng()
    for planner in (
        lambda states, left: tree_search(model.sample, states, left, 2, 300, rng),
        lambda states, left: random_shooting(model.sample, states, left, 2, 300, rng),
    ):
        assert regret_of_planner(tree, planner) == pytest.approx(0, abs=1e-9)


def test_the_planning_policy_is_a_policy_like_any_other():
    tree, rng = TravelTree(branching=2, horizon=3, cancel=0.2), _rng()
    policy = planning_policy(
        lambda states, left: tree_search(tree.step, states, left, 2, 200, rng), 3
    )
    estimate = estimate_return(tree, policy, episodes=200, seed=0, confidence=0.999)
    assert estimate.low <= tree.optimal_return() and estimate.mean > tree.random_return()


def test_what_is_planned_begins_in_the_present_state_with_the_steps_that_are_left():
    asked = []

    def planner(states, left):
        asked.append((states.tolist(), left))
        return Decision(np.array([[0.0, 2.0, 2.0]] * len(states)), np.ones((2, 3), int), 6)

    act = planning_policy(planner, horizon=3)
    states, actions = np.array([[0, 4, 7], [0, 5, 8]]), np.array([[1, 2], [0, 1]])
    for t in range(3):
        chances = act(History(states[:, : t + 1], actions[:, :t], 0.0 * actions[:, :t]))
        assert chances.tolist() == [[0, 0.5, 0.5]] * 2
    assert asked == [([0, 0], 3), ([4, 5], 2), ([7, 8], 1)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"simulations": 0}, "simulations"),
        ({"exploration": -1.0}, "exploration must be a number of at least 0"),
        ({"best_weight": 1.5}, "best_weight"),
        ({"discount": 2.0}, "discount"),
    ],
)
def test_bad_input_is_named(options, message):
    arguments = {"steps": 2, "n_actions": 3, "simulations": 5, "rng": _rng()} | options
    with pytest.raises(ValueError, match=message):
        tree_search(TravelTree(horizon=2).step, np.zeros(1, dtype=int), **arguments)
    with pytest.raises(ValueError, match="plans"):
        random_shooting(TravelTree(horizon=2).step, np.zeros(1, dtype=int), 2, 3, 0, _rng())
