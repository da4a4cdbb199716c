"""Laws of models that count, and of planning in them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.evaluation import regret_of
from seqdec_lib.experience.trajectories import Trajectories, collect
from seqdec_lib.learning.exploration import greedy
from seqdec_lib.learning.simulation_lemma import total_variation
from seqdec_lib.learning.table import Transitions
from seqdec_lib.learning.world_model import CountModel, transitions_of
from seqdec_lib.problems import TabularProblem, TravelTree, from_gymnasium


def all_pairs(problem: TabularProblem, times: int, seed: int = 0) -> Transitions:
    """Every action of every state that is not terminal, tried equally often."""
    states, actions = np.divmod(
        np.repeat(np.arange(problem.n_states * problem.n_actions), times), problem.n_actions
    )
    kept = ~problem.terminal[states]
    states, actions = states[kept], actions[kept]
    after, rewards, ended = problem.step(states, actions, np.random.default_rng(seed))
    return Transitions(np.zeros_like(states), states, actions, rewards, after, ended)


def steps(*rows: tuple) -> Transitions:
    """Rows of replica, state, action, next state, reward, terminated."""
    owner, state, action, after, reward, ended = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    return Transitions(owner, state, action, reward, after, ended)


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
    assert regret_of(problem, greedy(model.plan(0.95)[0], within=1e-7)) < 0.01


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
        (lambda: CountModel(2, 2).add(steps((0, 0, 0, 2, 0.0, False))), "next states"),
        (lambda: CountModel(2, 2).add(steps((0, -1, 0, 0, 0.0, False))), "states"),
        (lambda: CountModel(2, 2).add(steps((0, 0, 2, 0, 0.0, False))), "actions"),
        (lambda: CountModel(2, 2).add(steps((1, 0, 0, 0, 0.0, False))), "replicas"),
        (lambda: CountModel(2, 2).add(steps((0, 0, 0, 0, np.nan, False))), "rewards"),
        (lambda: CountModel(2, 2, replicas=0), "replicas"),
        (lambda: CountModel(2, 0), "n_actions"),
        (lambda: CountModel(2, 2, replicas=2).next_state_probabilities(), "one replica"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_outcome_is_where_what_was_paid_and_whether_it_was_over() -> None:
    """What differs in any of the three is another outcome; 0.0 and -0.0 are the same pay."""
    rows = [(0, 0, 0, 1, 0.0, False), (0, 0, 0, 1, -0.0, False), (0, 0, 0, 1, 2.0, False)]
    rows += [(0, 0, 0, 0, 0.0, False), (0, 0, 0, 1, 0.0, True)]
    at_once = CountModel(2, 1).add(steps(*rows))
    one_by_one = CountModel(2, 1)
    for row in rows:
        one_by_one.add(steps(row))
    for model in (at_once, one_by_one):
        seen = model.outcomes()
        columns = zip(seen.next_states, seen.rewards, seen.ended, seen.chances, strict=True)
        expected = {(1, 0, False, 0.4), (1, 2, False, 0.2), (0, 0, False, 0.2), (1, 0, True, 0.2)}
        assert len(seen.pairs) == 4 and set(columns) == expected


def test_experience_without_a_step_adds_nothing() -> None:
    model = CountModel(3, 2).add(steps((0, 0, 1, 1, 1.0, False)))
    before = model.visits
    nothing = steps((0, 0, 1, 1, 1.0, False))
    model.add(Transitions(*(column[:0] for column in nothing)))
    assert np.array_equal(model.visits, before)


@given(st.floats(-1e280, 1e280), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_what_is_assumed_of_the_unknown_draws_near_or_keeps_away(unknown, n_actions) -> None:
    """Known: state 0 leads to 1 by action 0, for 1. All else is assumed, however much it is."""
    model = CountModel(2, n_actions, unknown=unknown).add(steps((0, 0, 0, 1, 1.0, False)))
    q_values = model.plan(0.5, tol=1e-13)[0]  # closer than what is asserted
    assert q_values[~model.known] == pytest.approx(unknown)
    assert q_values[0, 0] == pytest.approx(1 + 0.5 * unknown, rel=1e-12, abs=1e-7)
    if abs(unknown - 2) > 1e-3 and n_actions > 1:
        assert (greedy(q_values)[0, 0] == 1) == (unknown < 2)


def test_imagined_steps_stay_with_their_replica() -> None:
    rows = [(0, 1, 0, 2, 1.0, False), (1, 1, 0, 0, 5.0, True)]
    model = CountModel(3, 2, replicas=2).add(steps(*rows))
    after, rewards, ended = model.sample(np.array([1, 4, 5]), np.array([0, 0, 1]), _rng())
    assert after.tolist()[:2] == [2, 3] and after[2] // 3 == 1
    assert rewards.tolist() == [1, 5, 0] and ended.tolist() == [False, True, True]


def test_the_steps_of_trajectories_are_those_that_were_taken() -> None:
    trips = Trajectories(
        states=np.array([[0, 1, 1], [2, 0, 1]]),
        actions=np.array([[1, 0], [0, 1]]),
        rewards=np.array([[3.0, 0.0], [1.0, 2.0]]),
        mask=np.array([[True, False], [True, True]]),
        terminated=np.array([True, False]),
    )
    seen = transitions_of(trips, replicas=np.array([7, 8]))
    expected = steps((7, 0, 1, 1, 3.0, True), (8, 2, 0, 0, 1.0, False), (8, 0, 1, 1, 2.0, False))
    for got, wanted in zip(seen, expected, strict=True):
        assert got.tolist() == wanted.tolist()
    assert transitions_of(trips).replicas.tolist() == [0, 0, 0]
    assert transitions_of(seen) is seen
