"""Laws of trajectories as tokens: behavior cloning and the Decision Transformer are one model."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.evaluation import regret_of
from seqdec_lib.experience.trajectories import Trajectories, collect
from seqdec_lib.problems import TravelTree
from seqdec_lib.problems.base import History
from seqdec_lib.problems.tree_policies import table_on_tree
from seqdec_lib.sequences.decoding import choose, distribution
from seqdec_lib.sequences.layout import GOALS, TokenLayout
from seqdec_lib.sequences.losses import IGNORE, cross_entropy, sequence_loss
from seqdec_lib.sequences.policy import SequencePolicy
from seqdec_lib.sequences.training import fit, minibatches

TREE = TravelTree(horizon=4, dense=True)  # rewards on the way, so that returns-to-go change
few = settings(max_examples=15, deadline=None)
goals = pytest.mark.parametrize("goal", GOALS)
kinds = pytest.mark.parametrize("kind", ["transformer", "lstm"])


def trips(episodes: int = 30, seed: int = 0) -> Trajectories:
    return collect(TREE, None, episodes, seed)


def cut(data: Trajectories, seed: int = 0) -> Trajectories:
    """The same trips, broken off after 1 to T steps."""
    lengths = np.random.default_rng(seed).integers(1, data.actions.shape[1] + 1, len(data))
    mask = np.arange(data.actions.shape[1]) < lengths[:, None]
    return replace(data, mask=mask, rewards=np.where(mask, data.rewards, 0))


def made(layout: TokenLayout, kind: str = "transformer") -> torch.nn.Module:
    torch.manual_seed(0)
    model = getattr(layout, kind)(width=16).eval()
    for parameter in model.parameters():  # far from the small start, where all would look alike
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def asked(layout: TokenLayout) -> float | None:
    return None if layout.goal is None else layout.return_range[1]


# -- tokens


@goals
@few
@given(rewards=st.booleans(), context=st.integers(1, 4), seed=st.integers(0, 99))
def test_tokens_round_trip(goal, rewards, context, seed):
    data = trips(seed=seed)
    layout = TokenLayout.of(TREE, data, goal, rewards, context)
    batch = layout.encode(data)
    states, actions = layout.decode(batch.tokens)
    windows = 4 - context + 1
    assert batch.tokens.shape == (len(data) * windows, layout.max_tokens)
    for start in range(windows):
        inside = slice(start, start + context)
        assert np.array_equal(states[start::windows], data.states[:, inside])
        assert np.array_equal(actions[start::windows], data.actions[:, inside])
    assert int(batch.tokens.max()) < layout.vocabulary


@goals
@few
@given(rewards=st.booleans(), context=st.integers(1, 4))
def test_without_its_goal_tokens_a_decision_transformer_is_behavior_cloning(goal, rewards, context):
    data = trips()
    layout = TokenLayout.of(TREE, data, goal, rewards, context)
    cloning = TokenLayout.of(TREE, data, None, rewards, context)
    batch, plain = layout.encode(data), cloning.encode(data)
    assert torch.equal(layout.without_goal(batch.tokens), plain.tokens)
    assert torch.equal(batch.targets, plain.targets)


def test_goal_tokens_say_the_return_and_the_return_to_go():
    data = trips()
    for goal, expected in [
        ("return", data.returns()[:, None]),
        ("return_to_go", data.returns_to_go()),
    ]:
        layout = TokenLayout.of(TREE, data, goal)
        tokens = layout.encode(data).tokens
        ids = tokens[:, :1] if goal == "return" else tokens[:, :: layout.per_step]
        levels = layout.return_levels[ids.numpy() - layout.n_states - layout.n_actions]
        assert np.allclose(levels, expected, atol=1e-8)


@goals
def test_the_model_is_asked_where_states_stand(goal):
    layout = TokenLayout.of(TREE, trips(), goal, rewards=True)
    tokens = layout.encode(trips()).tokens
    assert (tokens[:, layout.state_positions] < layout.n_states).all()
    assert torch.equal(
        tokens[:, layout.state_positions + 1] - layout.n_states,
        layout.encode(trips()).targets,
    )


# -- the loss


@goals
@kinds
def test_the_loss_is_the_plain_formula(goal, kind):
    data = cut(trips())
    layout = TokenLayout.of(TREE, data, goal, rewards=True)
    model, batch = made(layout, kind), layout.encode(data)
    logits, total, count = model(batch.tokens, None, batch.at), 0.0, 0
    for episode in range(len(data)):
        for t in range(data.lengths[episode]):
            one_hot = np.eye(layout.n_actions)[data.actions[episode, t]]
            p = logits[episode, t].softmax(-1).detach().numpy()
            total, count = total - float(one_hot @ np.log(p)), count + 1
    assert sequence_loss(model, batch).item() == pytest.approx(total / count, abs=1e-5)


@goals
@kinds
@few
@given(seed=st.integers(0, 99))
def test_padding_never_matters(goal, kind, seed):
    data = cut(trips(), seed)
    rng = np.random.default_rng(seed)
    other = replace(
        data,
        states=np.where(
            np.pad(data.mask, ((0, 0), (0, 1))), data.states, rng.integers(0, 9, data.states.shape)
        ),
        actions=np.where(data.mask, data.actions, rng.integers(0, 3, data.actions.shape)),
    )
    layout = TokenLayout.of(TREE, data, goal, rewards=True)
    model = made(layout, kind)
    a, b = layout.encode(data), layout.encode(other)
    assert torch.equal(a.targets, b.targets)
    assert ((a.targets == IGNORE).numpy() == ~data.mask).all()
    scrambled = a.tokens.clone()  # even if padding had other tokens, nobody would look at them
    beyond = torch.arange(layout.max_tokens) >= layout.front + layout.per_step * torch.from_numpy(
        data.lengths
    ).unsqueeze(1)
    scrambled[beyond] = 1
    losses = [sequence_loss(model, batch).item() for batch in (a, b, a._replace(tokens=scrambled))]
    assert losses[0] == losses[1] == pytest.approx(losses[2], abs=1e-6)


def test_counts_are_the_optimum_of_the_loss_and_the_network_comes_close():
    tree = TravelTree(horizon=2)
    data = collect(tree, np.tile([0.6, 0.3, 0.1], (tree.n_states, 1)), 200, seed=1)
    counts = np.zeros((tree.first_leaf, 3))
    np.add.at(counts, (data.states[:, :-1], data.actions), 1)
    shares = counts / counts.sum(1, keepdims=True)
    floor = -(counts * np.log(np.where(counts, shares, 1))).sum() / counts.sum()
    torch.manual_seed(0)
    layout = TokenLayout.of(tree, data)
    model, batch = layout.transformer(width=16), layout.encode(data)
    fit(model, minibatches(batch, 64), steps=150, learning_rate=1e-2)
    gap = sequence_loss(model, batch).item() - floor
    assert -1e-5 <= gap <= 0.02
    table = table_on_tree(tree, SequencePolicy(model, layout))
    assert np.abs(table - shares).max() < 0.15


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
    data = collect(tree, None, 500, seed=0)
    torch.manual_seed(0)
    layout = TokenLayout.of(tree, data, goal)
    model = getattr(layout, kind)(width=32)
    fit(model, minibatches(layout.encode(data), 64), steps=200, learning_rate=3e-3)
    policy = SequencePolicy(model, layout, data.returns().max(), temperature=0)
    assert regret_of(tree, table_on_tree(tree, policy)) < 0.03


def test_choose_draws_from_the_distribution():
    logits = torch.tensor([[1.0, 2.0, 0.0]]).expand(20_000, 3)
    p = distribution(logits, temperature=0.7, top_k=2)[0]
    drawn = choose(logits, 0.7, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.bincount(minlength=3) / 20_000, p.float(), atol=0.02)
    assert distribution(logits[:1], 0).tolist() == [[0.0, 1.0, 0.0]]


def test_states_that_look_alike_are_treated_alike():
    """With features and without names, two states with equal features get equal answers."""
    data = trips()
    features = np.zeros((TREE.n_states, 2))
    features[:, 0] = 1
    layout = TokenLayout.of(TREE, data, context=1, state_features=features)
    model = made(layout)
    torch.nn.init.zeros_(model.token.weight)
    table = table_on_tree(TREE, SequencePolicy(model, layout))
    assert np.allclose(table, table[0], atol=1e-6)


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


@pytest.mark.parametrize(
    "options, match",
    [
        ({"goal": "rtg"}, "goal must be one of"),
        ({"context": 9}, "context must be at most 4"),
        ({"state_features": np.zeros((3, 2))}, "one row a state"),
        ({"state_features": np.full((TREE.n_states, 1), np.nan)}, "finite"),
    ],
)
def test_bad_layouts_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        TokenLayout.of(TREE, trips(), **options)


def test_spaces_that_do_not_match_are_refused():
    wide = collect(TravelTree(branching=4, horizon=3), None, 50, seed=0)
    layout = TokenLayout.of(TREE, trips())
    with pytest.raises(ValueError, match="another problem"):
        TokenLayout.of(TREE, wide)
    with pytest.raises(ValueError, match="another problem"):
        layout.encode(wide)
    other = TokenLayout.of(TravelTree(horizon=3), collect(TravelTree(horizon=3), None, 9, 0))
    with pytest.raises(ValueError, match="layout.transformer"):
        SequencePolicy(made(other), layout)
    with pytest.raises(ValueError, match="another problem"):
        SequencePolicy(made(layout), layout)(
            History(np.array([[5000]]), np.zeros((1, 0), int), np.zeros((1, 0)))
        )


@pytest.mark.parametrize("goal", ["return", "return_to_go"])
def test_a_return_to_go_that_is_not_a_number_gets_no_token(goal):
    data = trips(5)
    layout = TokenLayout.of(TREE, data, goal=goal)
    to_go = data.returns_to_go()
    to_go[3, 0] = np.nan
    with pytest.raises(ValueError, match=r"goals must be finite numbers, but 1 of 20 are NaN"):
        layout.tokens(data.states[:, :-1], data.actions, data.rewards, to_go)
    without = TokenLayout.of(TREE, data)  # looks at no goals
    without.tokens(data.states[:, :-1], data.actions, data.rewards, to_go)


def test_targets_for_another_number_of_episodes_are_refused():
    layout = TokenLayout.of(TREE, trips(), "return")
    policy = SequencePolicy(made(layout), layout, trips().returns())
    with pytest.raises(ValueError, match="30 episodes, but 7 came"):
        collect(TREE, policy, 7, seed=0)


def test_empty_and_ragged_trajectories_are_refused():
    data = trips()
    with pytest.raises(ValueError, match="N, T >= 1"):
        data[:0]
    gap = data.mask.copy()
    gap[0, 1] = False
    with pytest.raises(ValueError, match="mask must be True"):
        replace(data, mask=gap)
    with pytest.raises(ValueError, match="NaN"):
        replace(data, rewards=np.full(data.rewards.shape, np.nan))


def test_cross_entropy_ignores_padding():
    logits = torch.tensor([[[2.0, 0.0]], [[0.0, 5.0]]])
    targets = torch.tensor([[0], [IGNORE]])
    assert cross_entropy(logits, targets) == pytest.approx(float(np.log(1 + np.exp(-2))))
