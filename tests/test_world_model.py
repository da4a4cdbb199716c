"""Laws of learned models, of planning in them, and of Dyna-Q."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.evaluation import regret_of
from seqdec_lib.experience.trajectories import Trajectories, collect
from seqdec_lib.learning.neural_model import NeuralModel
from seqdec_lib.learning.planning import greedy
from seqdec_lib.learning.tabular import TabularLearner, Transitions
from seqdec_lib.learning.world_model import (
    CountModel,
    DynaQ,
    perturbed,
    simulation_lemma_bound,
    total_variation,
    transitions_of,
)
from seqdec_lib.mdp import MDP, evaluate_policy, value_iteration
from seqdec_lib.problems import TabularProblem, TravelTree, from_gymnasium


def random_mdp(seed: int, n_states: int = 6, n_actions: int = 3, discount: float = 0.9) -> MDP:
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(n_states, 0.3), size=(n_states, n_actions))
    return MDP(rows, rng.normal(size=(n_states, n_actions)), discount)


def all_pairs(problem: TabularProblem, times: int, seed: int = 0) -> Transitions:
    """Every action of every state that is not terminal, tried equally often."""
    states, actions = np.divmod(
        np.repeat(np.arange(problem.n_states * problem.n_actions), times), problem.n_actions
    )
    kept = ~problem.terminal[states]
    states, actions = states[kept], actions[kept]
    after, rewards, ended = problem.step(states, actions, np.random.default_rng(seed))
    return Transitions(np.zeros_like(states), states, actions, rewards, after, ended)


# -- counting


def test_counts_of_a_diary_written_by_hand():
    trips = Trajectories(
        states=np.array([[0, 1, 2], [0, 2, 2], [0, 1, 0]]),
        actions=np.array([[1, 0], [1, 0], [1, 0]]),
        rewards=np.array([[0.0, 5.0], [3.0, 0.0], [0.0, 5.0]]),
        mask=np.array([[True, True], [True, False], [True, True]]),
        terminated=np.array([True, True, False]),
    )
    model = CountModel(3, 2).add(trips)
    assert model.visits.tolist() == [[0, 3], [2, 0], [0, 0]]
    table = model.next_state_probabilities()
    assert np.allclose(table[0, 1], [0, 2 / 3, 1 / 3])
    assert np.allclose(table[1, 0], [0.5, 0, 0.5])
    mdp = model.mdp(0.9)
    assert np.allclose(mdp.rewards[0, 1], 1.0)
    # State 3 is "over": the second trip ended at 2, the third one was only cut short at 0.
    assert np.allclose(mdp.transitions[1].toarray()[0], [0, 2 / 3, 0, 1 / 3])
    assert np.allclose(mdp.transitions[0].toarray()[1], [0.5, 0, 0, 0.5])


@given(st.integers(0, 10**6), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_the_order_and_the_portions_of_experience_do_not_matter(seed, portions):
    lake = from_gymnasium("FrozenLake-v1")
    walks = collect(lake, None, 40, seed)
    whole = CountModel(16, 4).add(walks)
    parts = CountModel(16, 4)
    order = np.random.default_rng(seed).permutation(40)
    for part in np.array_split(order, portions):
        parts.add(walks[part])
    assert np.array_equal(whole.visits, parts.visits)
    assert np.allclose(whole.next_state_probabilities(), parts.next_state_probabilities())
    assert np.allclose(whole.plan(0.9), parts.plan(0.9))


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v3"])
def test_counts_converge_to_gymnasiums_own_table_and_the_plan_to_the_optimum(name):
    import gymnasium

    name = name if name in gymnasium.registry else "Taxi-v4"
    problem = from_gymnasium(name, discount=0.95)
    times = 1 if problem.n_outcomes == 1 else 4000
    model = CountModel(problem.n_states, problem.n_actions).add(all_pairs(problem, times))
    exact, going = problem.mdp(), ~problem.terminal
    wrong = total_variation(model.next_state_probabilities(), exact.transitions)[going]
    assert wrong.max() < 0.05 and wrong.mean() < 0.02
    assert np.allclose(model.mdp(0.95).rewards[:-1][going], exact.rewards[going], atol=0.05)
    q_values = model.plan(0.95)[0].round(9)
    assert regret_of(problem, greedy(q_values)) < 0.01


def test_the_error_halves_with_four_times_the_data():
    lake = from_gymnasium("FrozenLake-v1")
    exact = lake.mdp().transitions[~lake.terminal]
    errors = []
    for times in (100, 400, 1600):
        model = CountModel(16, 4).add(all_pairs(lake, times, seed=1))
        table = model.next_state_probabilities()[~lake.terminal]
        errors.append(total_variation(table, exact).mean())
    assert np.allclose(np.diff(np.log(errors)), -np.log(2), atol=0.3)


def test_with_the_exact_model_the_plan_is_optimal():
    for tree in (TravelTree(horizon=3), TravelTree(horizon=3, dense=True, discount=0.9)):
        nodes, actions = np.divmod(np.arange(tree.first_leaf * 3), 3)
        after, rewards, ended = tree.step(nodes, actions, np.random.default_rng(0))
        seen = Transitions(np.zeros_like(nodes), nodes, actions, rewards, after, ended)
        model = CountModel(tree.n_states, 3).add(seen)
        q_values = model.plan(tree.discount, tree.horizon)[0]
        assert np.allclose(
            q_values[: tree.first_leaf].max(axis=1), tree.solve().values[: tree.first_leaf]
        )
        assert regret_of(tree, greedy(q_values)) == pytest.approx(0, abs=1e-9)


def test_replicas_share_nothing():
    tree = TravelTree(horizon=3)
    trips = collect(tree, None, 20, seed=0)
    owner = np.arange(20) % 4
    together = CountModel(tree.n_states, 3, unknown=7.0, replicas=4)
    together.add(transitions_of(trips, owner))
    plans = together.plan(1.0, 3)
    for k in range(4):
        alone = CountModel(tree.n_states, 3, unknown=7.0).add(trips[owner == k])
        assert np.allclose(alone.plan(1.0, 3)[0], plans[k])
        rows = slice(k * tree.n_states, (k + 1) * tree.n_states)
        assert np.array_equal(alone.visits, together.visits[rows])


def test_a_pair_that_was_never_tried_is_worth_what_was_assumed():
    model = CountModel(2, 2, unknown=4.5)
    assert np.allclose(model.plan(0.9), 4.5)
    after, rewards, ended = model.sample(np.array([0, 1]), np.array([1, 0]), _rng())
    assert rewards.tolist() == [4.5, 4.5] and ended.all() and (after >= 0).all()


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_imagined_steps_follow_the_counts():
    lake = from_gymnasium("FrozenLake-v1")
    model = CountModel(16, 4).add(collect(lake, None, 300, seed=0))
    states, actions = np.full(20_000, 8), np.full(20_000, 1)
    after, _, ended = model.sample(states, actions, _rng())
    share = np.bincount(after, minlength=16) / len(after)
    assert total_variation(share, model.next_state_probabilities()[8, 1]) < 0.02
    assert np.array_equal(ended, lake.terminal[after])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CountModel(0, 2), "n_states"),
        (lambda: CountModel(2, 2, unknown=np.inf), "unknown must be a finite return"),
        (lambda: CountModel(2, 3).add(collect(TravelTree(horizon=2), None, 3, 0)), "states"),
        (lambda: CountModel(2, 2, replicas=2).next_state_probabilities(), "one replica"),
        (lambda: DynaQ(TravelTree(horizon=2), planning_steps=-1), "planning_steps"),
        (lambda: DynaQ(TravelTree(horizon=2), method="sarsa"), "imagined steps have no next"),
        (lambda: perturbed(random_mdp(0), 1.5, np.zeros((6, 3), int)), "epsilon"),
        (lambda: perturbed(random_mdp(0), 0.5, np.zeros((6, 2), int)), "targets must have shape"),
        (lambda: perturbed(CountModel(2, 2).mdp(0.9), 0.5, np.zeros((3, 2), int)), "dense"),
        (lambda: simulation_lemma_bound(0.1, 1, 1), "infinite for discount = 1"),
        (lambda: simulation_lemma_bound(0.1, 0.9, -1), "reward_span"),
        (lambda: NeuralModel(np.zeros(3), 2), "features must be finite"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- Dyna-Q


@pytest.mark.parametrize("chains", [1, 3])
def test_dyna_without_planning_steps_is_q_learning(chains):
    options = dict(step_size=0.5, exploration=0.3, replicas=4, chains=chains, seed=5)
    tree = TravelTree(horizon=4)
    awake = TabularLearner(tree, **options).train(200)
    dreamless = DynaQ(tree, planning_steps=0, **options).train(200)
    assert np.array_equal(awake.q_values, dreamless.q_values)


def test_dyna_counts_every_real_step_and_no_imagined_one():
    dyna = DynaQ(from_gymnasium("FrozenLake-v1"), planning_steps=3, replicas=5, chains=2)
    dyna.train(100)
    assert dyna.model.visits.reshape(5, -1).sum(axis=1).tolist() == [200] * 5


def test_dreaming_alone_brings_the_table_to_the_optimum_of_the_diary():
    tree = TravelTree(horizon=3)
    dyna = DynaQ(tree, planning_steps=0, step_size=1.0, exploration=1.0, replicas=2).train(60)
    for _ in range(3000):
        dyna.update(dyna.imagine())
    known = dyna.model.known.reshape(2, tree.n_states, 3)
    planned = dyna.model.plan(1.0, 3)
    assert np.allclose(dyna.q_values[known], planned[known])


# -- wrong models


@given(st.integers(0, 10**6), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_perturbed_rows_are_wrong_by_exactly_epsilon(seed, epsilon):
    mdp = random_mdp(seed)
    targets = _rng(seed).integers(6, size=(6, 3))
    wrong = perturbed(mdp, epsilon, targets)
    room = 1 - np.take_along_axis(mdp.transitions, targets[..., None], axis=-1)[..., 0]
    moved = total_variation(wrong.transitions, mdp.transitions)
    assert np.allclose(moved, np.minimum(epsilon, room))


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 0.98), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_simulation_lemma_is_never_violated(seed, epsilon, discount, malice):
    mdp = random_mdp(seed, discount=discount)
    best = value_iteration(mdp)
    targets = _rng(seed).integers(6, size=(6, 3))
    if malice:
        is_best = np.arange(3) == best.policy[:, None]
        targets = np.where(is_best, best.values.argmin(), best.values.argmax())
    policy = value_iteration(perturbed(mdp, epsilon, targets)).policy
    loss = (best.values - evaluate_policy(mdp, policy)).max()
    assert loss <= simulation_lemma_bound(epsilon, discount, np.ptp(mdp.rewards)) + 1e-6


@given(st.integers(0, 10**6), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_nor_by_a_model_that_was_learned(seed, times):
    mdp = random_mdp(seed)
    rows = mdp.transitions.reshape(-1, 6)
    draws = [_rng(seed + i).multinomial(times, row) / times for i, row in enumerate(rows)]
    error = _rng(seed).uniform(-0.1, 0.1, size=mdp.rewards.shape)
    learned = MDP(np.reshape(draws, (6, 3, 6)), mdp.rewards + error, 0.9)
    epsilon = total_variation(learned.transitions, mdp.transitions).max()
    policy = value_iteration(learned).policy
    loss = (value_iteration(mdp).values - evaluate_policy(mdp, policy)).max()
    bound = simulation_lemma_bound(min(epsilon, 1), 0.9, np.ptp(mdp.rewards), np.abs(error).max())
    assert loss <= bound + 1e-6


# -- a network in the place of counts


def test_with_a_feature_for_each_state_the_network_learns_the_counts():
    lake = from_gymnasium("FrozenLake-v1")
    walks = collect(lake, None, 500, seed=0)
    counts = CountModel(16, 4).add(walks)
    network = NeuralModel(np.eye(16), 4).fit(walks)
    assert network.losses[-1] < network.losses[0]
    often = counts.visits >= 20
    wrong = total_variation(network.next_state_probabilities(), counts.next_state_probabilities())
    assert wrong[often].mean() < 0.05
    assert np.allclose(network.probabilities.sum(axis=2), 1)
    assert np.allclose(network.plan(0.9)[0][often], counts.plan(0.9)[0][often], atol=0.05)
    after, _, _ = network.sample(np.full(5000, 8), np.full(5000, 1), _rng())
    share = np.bincount(after, minlength=16) / 5000
    assert total_variation(share, network.next_state_probabilities()[8, 1]) < 0.03
