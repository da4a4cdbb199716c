"""Laws of acting with a sequence model: it reads what it was taught, cached or not."""

import itertools
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
from seqdec_lib.sequences.decoding import distribution
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


def test_each_of_the_last_levels_is_a_goal_of_its_own():
    data = trips()
    layout = TokenLayout.of(TREE, data, "return_to_go")
    model = made(layout)
    start = History(data.states[:, :1], data.actions[:, :0], data.rewards[:, :0])
    asked_for = [*layout.return_levels[:2], *layout.return_levels[-2:]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they lie beyond the data
        answers = [SequencePolicy(model, layout, level)(start) for level in asked_for]
    for one, other in itertools.combinations(answers, 2):
        assert not np.allclose(one, other, atol=1e-6)


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


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("discount", [1.0, 0.5])
def test_what_is_asked_falls_by_what_was_earned_and_grows_by_the_discount(discount, cached):
    """The tokens of each step, and so the answer, are those of a target that was followed."""
    tree = TravelTree(horizon=4, dense=True, discount=discount)
    data = collect(tree, None, 30, seed=0)
    layout = TokenLayout.of(tree, data, "return_to_go")
    model, target = made(layout), 1.25
    policy, asked_for = SequencePolicy(model, layout, target, cached=cached), np.full((30, 1), 1.25)
    for t in range(4):
        history = History(data.states[:, : t + 1], data.actions[:, :t], data.rewards[:, :t])
        steps = np.pad(data.actions[:, :t], ((0, 0), (0, 1)))
        tokens = layout.tokens(history.states, steps, np.zeros(steps.shape), asked_for)
        expected = model(tokens[:, :-1], None, -1)
        assert torch.allclose(policy.logits(history), expected, atol=1e-5)
        goes_on = (asked_for[:, -1] - data.rewards[:, t]) / discount
        asked_for = np.c_[asked_for, goes_on].clip(*layout.return_levels[[0, -1]])


@kinds
@pytest.mark.parametrize("cached", [True, False])
def test_a_shorter_context_sees_only_the_last_steps(kind, cached):
    layout, data = TokenLayout.of(TREE, trips()), trips(7, seed=2)
    model = made(layout, kind)
    policy = SequencePolicy(model, layout, context=2, cached=cached)
    for t in range(4):
        history = History(data.states[:, : t + 1], data.actions[:, :t], data.rewards[:, :t])
        tokens = layout.encode(data).tokens[:, 2 * max(0, t - 1) : 2 * t + 1]
        assert torch.allclose(policy.logits(history), model(tokens, None, -1), atol=1e-5)


def test_what_is_sampled_is_cut_and_sharpened_as_asked():
    layout, data = TokenLayout.of(TREE, trips()), trips(7)
    model = made(layout)
    start = History(data.states[:, :1], data.actions[:, :0], data.rewards[:, :0])
    logits = SequencePolicy(model, layout).logits(start)
    for options in ({}, {"temperature": 0.3}, {"top_k": 2}, {"top_p": 0.5}, {"temperature": 0}):
        expected = distribution(logits, **options).numpy()
        assert np.allclose(SequencePolicy(model, layout, **options)(start), expected)


class Asked(torch.nn.Module):
    """Counts the tokens that a model reads."""

    def __init__(self, model) -> None:
        super().__init__()
        self.model, self.read = model, []
        self.vocabulary, self.outputs, self.head = model.vocabulary, model.outputs, model.head
        self.new_cache = model.new_cache

    def forward(self, tokens, *rest):
        self.read.append(tokens.shape[1])
        return self.model(tokens, *rest)


@goals
def test_each_step_reads_its_own_tokens_and_a_new_history_all(goal):
    layout, data = TokenLayout.of(TREE, trips(), goal), trips(5, seed=1)
    model = Asked(made(layout))
    policy = SequencePolicy(model, layout, asked(layout))

    def play(data, *times):
        for t in times:
            policy(History(data.states[:, : t + 1], data.actions[:, :t], data.rewards[:, :t]))

    whole = [layout.front + layout.per_step * t + len(layout.step) - 1 for t in range(4)]
    play(data, 0, 1, 2, 3)
    assert model.read == [whole[0]] + [layout.per_step] * 3
    for other in (
        data[:3],  # fewer episodes
        replace(data, states=data.states[:, ::-1]),
        replace(data, actions=1 - data.actions.clip(0, 1)),
        replace(data, rewards=data.rewards + 1),
    ):
        model.read.clear()
        play(data, 1)
        play(other, 2)
        assert model.read == [whole[1], whole[2]]
    model.read.clear()
    play(data, 3, 3)  # the same again is no continuation
    assert model.read == [whole[3]] * 2


# -- bad input


def test_a_target_outside_the_data_warns_and_says_what_to_expect():
    layout = TokenLayout.of(TREE, trips(), "return")
    with pytest.warns(UserWarning, match="leaves the data's range .* expect"):
        SequencePolicy(made(layout), layout, target=1e6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for end in layout.return_range:
            SequencePolicy(made(layout), layout, end)
        SequencePolicy(made(layout), layout, list(layout.return_range))
    low, high = layout.return_range
    for beyond in (low - 1e-6, [low - 1e-6, high], [low, 1e6]):
        with pytest.warns(UserWarning, match="leaves the data's range"):
            SequencePolicy(made(layout), layout, beyond)


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
