"""Laws of planning by simulation: random shooting and tree search."""

import numpy as np
import pytest

from seqdec_lib.experience.evaluation import estimate_return, regret
from seqdec_lib.experience.trajectories import collect
from seqdec_lib.learning.planning import planning_policy, random_shooting, tree_search
from seqdec_lib.learning.world_model import CountModel
from seqdec_lib.problems import TabularProblem, TravelTree


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def regret_of_planner(tree: TravelTree, planner) -> float:
    policy = planning_policy(planner, tree.horizon)
    achieved = collect(tree, policy, episodes=4, seed=0).returns().mean()
    return regret(achieved, tree.optimal_return(), tree.random_return())


@pytest.mark.parametrize("best_weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dense", [False, True])
def test_with_enough_simulations_tree_search_finds_the_optimum(best_weight, dense):
    tree, rng = TravelTree(branching=2, horizon=4, seed=3, dense=dense), _rng()

    def planner(states, left):
        return tree_search(tree.step, states, left, 2, 600, rng, best_weight=best_weight)

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
