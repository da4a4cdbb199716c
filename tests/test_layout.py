"""Laws of trajectories as tokens: behavior cloning and the Decision Transformer are one model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqdec_lib.experience.trajectories import collect
from seqdec_lib.problems import TravelTree
from seqdec_lib.problems.base import History
from seqdec_lib.problems.tree_policies import table_on_tree
from seqdec_lib.sequences.layout import GOALS, TokenLayout, TokenVectors, _levels, _nearest
from seqdec_lib.sequences.losses import IGNORE, sequence_loss
from seqdec_lib.sequences.policy import SequencePolicy
from seqdec_lib.sequences.training import fit, minibatches
from tests.small_models import few
from tests.small_trips import TREE, cut, goals, kinds, made, trips

pytestmark = pytest.mark.usefixtures("one_thread")


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
    names = [*GOALS[goal][0], *layout.step * context]
    kept = [place for place, name in enumerate(names) if name != "return"]
    assert torch.equal(batch.tokens[:, kept], plain.tokens)
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


@few
@given(
    levels=st.lists(st.integers(-50, 50), min_size=1, max_size=9, unique=True).map(sorted),
    values=st.lists(st.integers(-200, 200).map(lambda n: n / 4), min_size=1, max_size=9),
)
def test_a_number_without_a_token_counts_as_the_nearest_the_lower_of_two(levels, values):
    levels, values = np.array(levels, float), np.array(values)
    distances = np.abs(values[:, None] - levels)
    assert np.array_equal(_nearest(levels, values), distances.argmin(1))


def test_goals_beyond_the_data_have_tokens_too_and_features_in_order():
    data = trips()
    for scale in (0.0, 1e-3, 1.0, 1e6):
        scaled = replace(data, rewards=data.rewards * scale)
        layout = TokenLayout.of(TREE, scaled, "return")
        low, high = layout.return_range
        span = high - low if scale else 1.0
        assert layout.return_levels[0] == pytest.approx(low - span)
        assert layout.return_levels[-1] == pytest.approx(high + span)
        assert (np.diff(layout.return_levels) > 0).all()
        features = layout.features()[-len(layout.return_levels) :]
        assert np.abs(features).max() <= 3 + 1e-6, "no return is written as a huge number"
        assert (np.diff(features, axis=0) >= 0).all()
        assert (np.diff(features[:, 0]) > 0).all()
        assert (layout.features()[: -len(features)] == 0).all()


@goals
@few
@given(rewards=st.booleans(), context=st.integers(1, 4), seed=st.integers(0, 99))
def test_every_window_of_an_episode_is_a_row(goal, rewards, context, seed):
    """Episodes shorter than the context are one row, and what is behind their end has no target."""
    data = cut(trips(9, seed), seed)
    layout = TokenLayout.of(TREE, data, goal, rewards, context)
    batch, row = layout.encode(data), 0
    states, actions = layout.decode(batch.tokens)
    to_go = data.returns_to_go()
    for episode, length in enumerate(data.lengths):
        for start in range(max(1, length - context + 1)):
            steps = min(length - start, context)
            inside = slice(start, start + steps)
            assert np.array_equal(states[row, :steps], data.states[episode, inside])
            assert np.array_equal(actions[row, :steps], data.actions[episode, inside])
            targets = batch.targets[row].tolist()
            taken = data.actions[episode, inside].tolist()
            assert targets == taken + [IGNORE] * (context - steps)
            first = layout.n_states + layout.n_actions
            if rewards:
                ids = batch.tokens[row, layout.front :][layout.step.index("reward") :]
                levels = layout.reward_levels[ids[:: layout.per_step][:steps].numpy() - first]
                assert np.allclose(levels, data.rewards[episode, inside], atol=1e-8)
                first += len(layout.reward_levels)
            if goal is not None:
                ids = batch.tokens[row, :: layout.per_step if layout.front == 0 else 99]
                levels = layout.return_levels[ids[:steps].numpy() - first]
                asked = to_go[episode, inside] if layout.front == 0 else to_go[episode, :1]
                assert np.allclose(levels, asked, atol=1e-8)
            row += 1
    assert row == len(batch.tokens)
    assert layout.vocabulary == first + len(layout.return_levels)


def test_many_numbers_share_tokens_that_stand_evenly_from_the_least_to_the_largest():
    few_numbers = np.arange(1024) / 7 + 1e-12
    assert np.array_equal(_levels(np.r_[few_numbers, few_numbers]), np.round(few_numbers, 9))
    many = np.random.default_rng(0).normal(size=3000)
    levels = _levels(many)
    assert len(levels) == 1024 and levels[0] == many.min().round(9)
    assert levels[-1] == many.max().round(9)
    assert np.allclose(np.diff(levels), np.diff(levels).mean())
    for low, high, step in ((-2.0, 6.0, 1.0), (3.0, 3.0, 1 / 8)):
        levels = _levels(np.array([low, high]), beyond=True)
        further = step * np.arange(1, 9)
        expected = [*(low - further[::-1]), *sorted({low, high}), *(high + further)]
        assert levels.tolist() == pytest.approx(expected)


def test_a_return_is_written_as_its_size_and_as_a_thermometer():
    """From -1 at the data's least return to 1 at its largest; 16 thresholds from end to end."""
    known = np.arange(2.0 * TREE.n_states).reshape(-1, 2)
    layout = TokenLayout.of(TREE, trips(), "return", state_features=known)
    table, (low, high) = layout.features(), layout.return_range
    assert table.shape == (layout.vocabulary, 2 + 1 + 16)
    assert np.array_equal(table[: TREE.n_states, :2], known)
    size = (layout.return_levels - (low + high) / 2) / ((high - low) / 2)
    returns = table[-len(size) :]
    assert np.allclose(returns[:, 2], size, atol=1e-6)
    for place, threshold in enumerate(np.linspace(-1, 1, 16)):
        assert np.allclose(returns[:, 3 + place], np.clip(8 * (size - threshold), -1, 1), atol=1e-4)
    table[: TREE.n_states, :2] = 0
    assert not table[: -len(size)].any() and not returns[:, :2].any()
    plain = TokenLayout.of(TREE, trips(), state_features=known).features()
    assert plain.shape == (TREE.n_states + 3, 2) and not plain[-3:].any()


def test_a_token_is_its_own_vector_and_a_map_of_what_is_known_about_it():
    features = np.random.default_rng(0).normal(size=(200, 100)).astype(np.float32)
    vectors = TokenVectors(features, 64)
    assert vectors.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert vectors.of_features.std().item() == pytest.approx(0.02, rel=0.1)
    ids = torch.tensor([[3, 0], [199, 3]])
    known = torch.from_numpy(features)[ids] @ vectors.of_features
    assert torch.allclose(vectors(ids), vectors.weight[ids] + known)
    unknown = TokenVectors(features[:, :0], 4)
    assert torch.equal(unknown(ids), unknown.weight[ids])


def test_models_have_the_sizes_that_are_asked_for():
    layout = TokenLayout.of(TREE, trips(), "return_to_go", rewards=True)
    for model, width, layers in (
        (layout.transformer(), 32, 2),
        (layout.transformer(12, 3, 6), 12, 3),
        (layout.lstm(), 32, 1),
        (layout.lstm(12, 3), 12, 3),
    ):
        parts = model.blocks if hasattr(model, "blocks") else range(model.lstm.num_layers)
        assert (model.width, len(parts)) == (width, layers)
        assert (model.vocabulary, model.outputs) == (layout.vocabulary, 3)
        answer = model(layout.encode(trips(2)).tokens, at=layout.state_positions)
        assert answer.shape == (2, layout.context, 3)
    assert layout.transformer().heads == 4 and layout.transformer(12, 3, 6).heads == 6
    assert layout.transformer().context == layout.max_tokens == 16
    assert layout.transformer(dropout=0.3).dropout.p == 0.3


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


def test_returns_to_go_need_a_discount_above_0():
    tree = TravelTree(horizon=2, discount=0.0)
    data = collect(tree, None, 9, seed=0)
    with pytest.raises(ValueError, match="discount 0"):
        TokenLayout.of(tree, data, "return_to_go")
    assert TokenLayout.of(tree, data, "return").discount == 0


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
