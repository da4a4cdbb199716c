"""Laws of acting with a sequence model: it reads what it was taught, cached or not."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from seqdec_lib.experience.evaluation import regret_of
from seqdec_lib.experience.trajectories import collect
from seqdec_lib.problems import TravelTree
from seqdec_lib.problems.base import History
from seqdec_lib.problems.tree_policies import table_on_tree
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.policy import SequencePolicy
from seqdec_lib.sequences.training import fit, minibatches
from tests.small_trips import TREE, asked, goals, kinds, made, trips

pytestmark = pytest.mark.usefixtures("one_thread")


# -- acting


@goals
@kinds
@pytest.mark.parametrize("context", [None, 2])
@pytest.mark.parametrize("rewards", [False, True])
def test_cached_and_uncached_policies_agree(goal, kind, context, rewards):
    layout = TokenLayout.of(TREE, trips(), goal, rewards, context)
    model = made(layout, kind)
    cached = SequencePolicy(model, layout, asked(layout))
    anew = SequencePolicy(model, layout, asked(layout), cached=False)
    played = collect(TREE, None, 20, seed=3)
    for t in range(4):
        history = History(played.states[:, : t + 1], played.actions[:, :t], played.rewards[:, :t])
        p = cached(history)
        assert p.shape == (20, 3) and np.allclose(p.sum(1), 1)
        assert np.allclose(p, anew(history), atol=1e-5)


@goals
def test_acting_reads_the_tokens_of_training(goal):
    data = trips()
    layout = TokenLayout.of(TREE, data, goal, rewards=True)
    model = made(layout)
    taught = model(*layout.encode(data)[:1], None, layout.state_positions).softmax(-1)
    target = None if goal is None else data.returns()  # each trip asks for what it will get
    policy = SequencePolicy(model, layout, target)
    for t in range(4):
        history = History(data.states[:, : t + 1], data.actions[:, :t], data.rewards[:, :t])
        assert np.allclose(policy(history), taught[:, t].detach().numpy(), atol=1e-5)


@kinds
@pytest.mark.parametrize("context", [None, 2])
def test_acting_changes_no_mode_and_has_no_dropout(kind, context):
    layout = TokenLayout.of(TREE, trips(), context=context)
    model = getattr(layout, kind)(width=16, dropout=0.5)
    played = trips(5, seed=3)
    history = History(played.states[:, :3], played.actions[:, :2], played.rewards[:, :2])
    quiet = SequencePolicy(model.eval(), layout)(history)
    model.train()
    assert np.array_equal(SequencePolicy(model, layout)(history), quiet)
    assert all(part.training for part in model.modules())


@pytest.mark.parametrize("discount", [1.0, 0.3])
def test_a_goal_that_nobody_can_reach_counts_as_the_farthest(discount):
    tree = TravelTree(horizon=4, dense=True)
    tree.discount = discount
    data = collect(tree, None, 30, seed=0)
    layout = TokenLayout.of(tree, data, "return_to_go")
    model = made(layout)
    history = History(data.states[:, :4], data.actions[:, :3], data.rewards[:, :3])
    for sign in (-1, 1):
        with pytest.warns(UserWarning, match="leaves the data's range"):
            far, huge = (SequencePolicy(model, layout, sign * g)(history) for g in (1e9, 1.7e308))
        assert np.isfinite(huge).all() and np.array_equal(far, huge)


@goals
@kinds
def test_episodes_that_are_over_do_not_disturb_those_that_go_on(goal, kind):
    layout = TokenLayout.of(TREE, trips(), goal, rewards=True)
    policy, data = SequencePolicy(made(layout, kind), layout, asked(layout)), trips(6, seed=5)
    over = replace(
        data,
        states=np.vstack([data.states[:3], np.repeat(data.states[3:, 1:2], 5, axis=1)]),
        actions=np.vstack([data.actions[:3], 0 * data.actions[3:]]),
        rewards=np.vstack([data.rewards[:3], 0 * data.rewards[3:]]),
    )
    for t in range(4):
        steps = [
            policy(History(d.states[:, : t + 1], d.actions[:, :t], d.rewards[:, :t]))
            for d in (data, over)
        ]
        assert np.allclose(steps[0][:3], steps[1][:3], atol=1e-6)
        assert np.allclose(steps[1].sum(1), 1)


def test_a_history_that_does_not_go_on_is_read_anew():
    layout = TokenLayout.of(TREE, trips())
    policy = SequencePolicy(made(layout), layout)
    a, b = trips(10, seed=1), trips(10, seed=2)
    histories = [History(d.states[:, :3], d.actions[:, :2], d.rewards[:, :2]) for d in (a, b, a)]
    first, other, again = (policy(history) for history in histories)
    assert np.array_equal(first, again) and not np.allclose(first, other)


def test_acting_twice_gives_the_same_and_batches_do_not_matter():
    layout = TokenLayout.of(TREE, trips(), "return_to_go")
    policy = SequencePolicy(made(layout), layout, asked(layout), temperature=0)
    many = collect(TREE, policy, 50, seed=0)
    assert np.array_equal(many.actions, collect(TREE, policy, 50, seed=0).actions)
    assert np.array_equal(many.actions[:1], collect(TREE, policy, 1, seed=9).actions)


def test_a_target_for_each_episode_is_a_batch_of_single_targets():
    data = trips()
    layout = TokenLayout.of(TREE, data, "return")
    model, targets = made(layout), np.quantile(data.returns(), [0, 0.5, 1])
    start = History(np.zeros((3, 1), int), np.zeros((3, 0), int), np.zeros((3, 0)))
    single = History(start.states[:1], start.actions[:1], start.rewards[:1])
    together = SequencePolicy(model, layout, targets)(start)
    for row, target in zip(together, targets, strict=True):
        assert np.allclose(row, SequencePolicy(model, layout, target)(single)[0], atol=1e-6)


def test_the_table_on_a_tree_is_the_policy_itself():
    layout = TokenLayout.of(TREE, trips(), "return_to_go")
    policy = SequencePolicy(made(layout), layout, asked(layout))
    table = table_on_tree(TREE, policy)
    exact = TREE.expected_return(np.vstack([table, np.full((TREE.n_leaves, 3), 1 / 3)]))
    returns = collect(TREE, policy, 4000, seed=0).returns()
    assert abs(returns.mean() - exact) < 4 * returns.std() / len(returns) ** 0.5


@pytest.mark.parametrize("goal", ["return", "return_to_go"])
@kinds
def test_asked_for_the_best_it_does_the_best_that_random_trips_contain(goal, kind):
    tree = TravelTree(horizon=3)
    data = collect(tree, None, 300, seed=0)
    torch.manual_seed(0)
    layout = TokenLayout.of(tree, data, goal)
    model = getattr(layout, kind)(width=16, layers=1)
    fit(model, minibatches(layout.encode(data), 64), steps=100, learning_rate=1e-2)
    policy = SequencePolicy(model, layout, data.returns().max(), temperature=0)
    assert regret_of(tree, table_on_tree(tree, policy)) < 0.03


# -- bad input


def test_a_target_outside_the_data_warns_and_says_what_to_expect():
    layout = TokenLayout.of(TREE, trips(), "return")
    with pytest.warns(UserWarning, match="leaves the data's range .* expect"):
        SequencePolicy(made(layout), layout, target=1e6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SequencePolicy(made(layout), layout, layout.return_range[1])


@pytest.mark.parametrize(
    "options, match",
    [
        ({"target": float("nan")}, "finite return"),
        ({}, "pass target="),
        ({"target": [[1.0]]}, "finite return"),
        ({"target": 1.0, "context": 5}, "trained to look back 4 steps"),
        ({"target": 1.0, "context": 0}, "context must be a whole number"),
    ],
)
def test_bad_questions_are_refused(options, match):
    layout = TokenLayout.of(TREE, trips(), "return")
    with pytest.raises(ValueError, match=match):
        SequencePolicy(made(layout), layout, **options)


def test_a_model_without_goal_takes_no_target():
    layout = TokenLayout.of(TREE, trips())
    with pytest.raises(ValueError, match="no goal tokens"):
        SequencePolicy(made(layout), layout, target=1.0)


def test_targets_for_another_number_of_episodes_are_refused():
    layout = TokenLayout.of(TREE, trips(), "return")
    policy = SequencePolicy(made(layout), layout, trips().returns())
    with pytest.raises(ValueError, match="30 episodes, but 7 came"):
        collect(TREE, policy, 7, seed=0)
