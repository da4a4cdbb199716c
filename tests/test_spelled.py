"""Laws of continuous experience as tokens: bins, spelled steps, carts, episodes, the report."""

import warnings
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete, Graph, MultiDiscrete, Sequence, Text, Tuple
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.episodes import Episode, play
from seqdec_lib.problems.cart import HORIZON, MOVE, PUSH, Carts, linear_return, riccati
from seqdec_lib.sequences import fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.losses import IGNORE
from seqdec_lib.sequences.report import report
from seqdec_lib.sequences.spelled import SpelledLayout

pytestmark = pytest.mark.usefixtures("one_thread")
few = settings(max_examples=20, deadline=None)
MIXED = Dict(
    gauge=Box(np.array([-1.0, 0.0]), np.array([1.0, 10.0]), dtype=np.float64),
    switch=Discrete(3, start=-1),
    dials=MultiDiscrete([2, 5]),
)


# -- bins


@few
@given(seed=st.integers(0, 999), bins=st.integers(1, 40))
def test_what_comes_back_is_at_most_half_a_bin_away_and_comes_back_again(seed, bins):
    space = Box(np.array([-1.0, 0.0]), np.array([1.0, 10.0]), dtype=np.float64)
    cut = Bins.of(space, bins)
    values = np.random.default_rng(seed).uniform(space.low, space.high, (50, 2))
    numbers = cut.encode(values)
    back = cut.decode(numbers)
    assert cut.sizes == (bins, bins) and numbers.min() >= 0 and numbers.max() < bins
    assert (np.abs(back - values) <= np.array([1.0, 5.0]) / bins + 1e-12).all()
    assert np.array_equal(cut.encode(back), numbers)


def test_quantiles_hold_equally_many_and_edges_are_taken_as_they_are():
    space = Box(-np.inf, np.inf, (1,))
    data = np.random.default_rng(0).exponential(size=(6000, 1))
    counts = np.bincount(Bins.of(space, 6, data=data).encode(data)[:, 0])
    assert len(counts) == 6 and np.ptp(counts) <= 2
    given_edges = Bins.of(space, edges=[[0.0, 1.0, 10.0]])
    assert given_edges.encode([[-5.0], [0.5], [1.0], [99.0]]).ravel().tolist() == [0, 0, 1, 1]


@few
@given(seed=st.integers(0, 999), bins=st.integers(1, 40), cut=st.booleans())
def test_a_bin_of_data_stands_for_their_mean_and_for_its_middle_without_any(seed, bins, cut):
    data = np.random.default_rng(seed).normal(size=(60, 1)).round(1)
    edges = [np.linspace(-9, 9, bins + 1)] if cut else None
    made = Bins.of(Box(-np.inf, np.inf, (1,), np.float64), bins, data=data, edges=edges)
    numbers = made.encode(data)[:, 0]
    for i, (low, high, center) in enumerate(
        zip(made.edges[0], made.edges[0][1:], made.centers[0], strict=False)
    ):
        inside = data[numbers == i]
        assert np.isclose(center, inside.mean() if len(inside) else (low + high) / 2)
        assert low <= center <= high


def test_whole_numbers_and_dictionaries_come_back_as_they_were():
    cut = Bins.of(MIXED, bins=4)
    assert cut.sizes == (4, 4, 3, 2, 5)
    values = {
        "gauge": np.array([[-0.9, 1.0], [0.9, 9.0]]),
        "switch": np.array([-1, 1]),
        "dials": np.array([[1, 4], [0, 0]]),
    }
    back = cut.decode(cut.encode(values))
    assert np.array_equal(back["switch"], values["switch"])
    assert np.array_equal(back["dials"], values["dials"])
    assert MIXED.contains({key: value[0] for key, value in back.items()})


@pytest.mark.parametrize(
    "space",
    [
        Tuple((Discrete(2),)),
        Sequence(Discrete(2)),
        Text(5),
        Graph(Discrete(2), None),
        Dict(inner=Sequence(Discrete(2))),
    ],
)
def test_spaces_without_a_number_of_dimensions_are_refused(space):
    with pytest.raises(ValueError, match="no fixed number of dimensions; use Box"):
        Bins.of(space)


def test_bad_values_are_named():
    box = Box(0, 1, (2,))
    cut = Bins.of(box)
    with pytest.raises(ValueError, match="1 of 2 numbers are NaN"):
        cut.encode([[0.1, np.nan]])
    with pytest.raises(ValueError, match=r"must end in its shape, but \(1, 3\) came"):
        cut.encode([[0.1, 0.2, 0.3]])
    with pytest.raises(ValueError, match="ragged"):
        cut.encode([[0.1, 0.2], [0.1]])
    with pytest.raises(ValueError, match="dimension 0 .* has no bounds.*pass edges"):
        Bins.of(Box(-np.inf, 1, (1,)))
    with pytest.raises(ValueError, match="2 arrays, one a dimension, but 1 came"):
        Bins.of(box, edges=[[0, 1]])
    with pytest.raises(ValueError, match="must rise"):
        Bins.of(box, edges=[[0, 1], [1, 0]])


# -- spelled steps


def episodes(number=6):
    """Random episodes of different lengths, with two numbers seen and two chosen."""
    rng = np.random.default_rng(3)
    made = []
    for length in rng.integers(2, 7, number):
        ended = np.zeros(length, dtype=bool)
        ended[-1] = True
        parts = rng.uniform(-1, 1, (length + 1, 2)), rng.uniform(-1, 1, (length, 2))
        made.append(Episode(*parts, rng.normal(size=length), ended, np.zeros(length, dtype=bool)))
    return made


BOX = Bins.of(Box(-1, 1, (2,)), 8)


@pytest.mark.parametrize("goal", [None, "return", "return_to_go"])
@pytest.mark.parametrize("context", [1, 3])
def test_each_dimension_has_its_token_and_each_action_is_asked_for_where_it_comes_next(
    goal, context
):
    log = episodes()
    layout = SpelledLayout.of(log, BOX, BOX, goal, context)
    batch = layout.encode(log)
    known = batch.targets != IGNORE
    assert int(known.sum()) >= 2 * sum(len(e.rewards) for e in log)
    # The token after a place where an action is asked for is that action's.
    rows, places = torch.nonzero(known, as_tuple=True)
    after = batch.tokens[rows, batch.at[places] + 1]
    assert torch.equal(after - layout.first_action, batch.targets[rows, places])
    model = layout.transformer(8, 1, 1)
    assert int(batch.tokens.max()) < model.vocabulary
    assert model.outputs == 16 and batch.tokens.shape[1] == batch.at[-1] + 2


def test_acting_reads_what_training_read():
    """A model that was trained on one deterministic rule repeats it, dimension by dimension."""
    rng = np.random.default_rng(0)
    log = []
    for episode in episodes(40):
        taken = -episode.observations[:-1] * [1, 0.5]
        log.append(Episode(episode.observations, taken, *list(vars(episode).values())[2:]))
    layout = SpelledLayout.of(log, BOX, BOX, "return_to_go", 2)
    torch.manual_seed(0)
    model = layout.transformer(32)
    fit(model, minibatches(layout.encode(log), 64), 300, learning_rate=4e-3)
    seen = rng.uniform(-1, 1, (200, 2))
    pushes = layout.policy(model, 0.0, temperature=0)([seen], [], [])
    assert np.abs(pushes - BOX.decode(BOX.encode(-seen * [1, 0.5]))).mean() < 0.1


def test_the_mean_of_bins_is_the_mean_of_what_is_drawn():
    log = episodes(40)
    layout = SpelledLayout.of(log, BOX, BOX, None, 1)
    torch.manual_seed(0)
    model = layout.transformer(8, 1, 1)
    seen = np.full((20_000, 2), 0.3)
    drawn = layout.policy(model)([seen], [], [])[:, 0]  # the second number depends on the first
    mean = layout.policy(model, mean=True)([seen], [], [])
    assert mean.shape == (20_000, 2) and np.allclose(mean, mean[0])
    assert abs(drawn.mean() - mean[0, 0]) < 4 * drawn.std() / len(drawn) ** 0.5
    whole = SpelledLayout.of(log, BOX, Bins.of(MIXED), None, 1)
    with pytest.raises(ValueError, match="a mean needs actions of a Box, but Dict"):
        whole.policy(model, mean=True)


def test_episodes_whose_parts_do_not_belong_together_are_refused():
    odd = SimpleNamespace(observations=np.zeros((3, 2)), actions=np.zeros((3, 2)))
    odd.rewards, odd.terminations = np.array([]), np.array([True])
    with pytest.raises(ValueError, match="T >= 1 actions"):
        SpelledLayout.of([odd], BOX, BOX)


# -- carts and episodes


def test_riccati_is_the_best_of_all_gains_nearby():
    gains = riccati(MOVE, PUSH)
    best = linear_return(gains)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert linear_return(gains + rng.normal(0, 0.05, gains.shape)) < best


def test_the_exact_return_of_gains_is_the_mean_of_what_is_played():
    gains = riccati(MOVE, PUSH)
    envs = Carts(4000)
    trips = play(envs, lambda seen, taken, paid: -seen[-1] @ gains[len(taken)].T, 5)
    paid = np.array([trip.rewards.sum() for trip in trips])
    assert abs(paid.mean() - linear_return(gains)) < 4 * paid.std() / len(paid) ** 0.5
    assert {len(trip.rewards) for trip in trips} == {HORIZON}
    assert not np.shares_memory(trips[0].observations[0], trips[0].observations[1])


@pytest.mark.parametrize("seed", [0, 7])
def test_a_world_shares_no_random_numbers_with_a_driver_of_the_same_seed(seed):
    still = np.zeros((2000, 1))
    trips = play(Carts(2000), lambda seen, taken, paid: still, seed)
    starts = np.array([trip.observations[0] for trip in trips])
    drawn = np.random.default_rng(seed).random((2000, 2))
    assert np.abs(np.corrcoef(starts.T, drawn.T)[:2, 2:]).max() < 0.1


def test_worlds_of_neighboring_seeds_have_no_copy_in_common():
    envs = gymnasium.make_vec("CartPole-v1", num_envs=20)
    starts = [
        {tuple(trip.observations[0]) for trip in play(envs, lambda *_: np.ones(20, int), seed)}
        for seed in (3, 4)
    ]
    assert len(starts[0]) == 20 and not starts[0] & starts[1]


def test_episodes_end_where_the_environment_ends_them():
    envs = gymnasium.make_vec("CartPole-v1", num_envs=5)
    rng = np.random.default_rng(0)
    trips = play(envs, lambda seen, taken, paid: rng.integers(0, 2, 5), 0)
    for trip in trips:
        assert trip.terminations[-1] and not trip.terminations[:-1].any()
        assert len(trip.observations) == len(trip.actions) + 1 == len(trip.rewards) + 1
        assert abs(trip.observations[-1, 2]) > 0.2 or abs(trip.observations[-1, 0]) > 2.4
        assert (np.abs(trip.observations[:-1, 2]) < 0.21).all()


# -- the report


def test_the_report_warns_of_what_a_log_lacks(capsys):
    def trip(paid, action=0.0, ended=True):
        flags = np.array([False, ended])
        return Episode(np.zeros((3, 2)), np.full((2, 2), action), np.array(paid), flags, ~flags)

    rich = [trip([1.0, i % 2], action) for i in range(80) for action in (-0.9, 0.9)]
    assert report(rich, BOX, BOX) == []
    assert "160 of 2 to 2 steps" in capsys.readouterr().out
    (clock,) = report([trip([1.0, i % 2], a, False) for i in range(80) for a in (0.9, 0)], BOX, BOX)
    assert "clock" in clock
    poor = report([trip([0.0, i % 9 == 0]) for i in range(40)], BOX, BOX)
    assert [word in text for word, text in zip(("5 episodes", "clone", "end"), poor, strict=True)]
    assert "nothing to ask for" in report([trip([1.0, 1.0])] * 2, BOX, BOX)[-1]


@pytest.mark.parametrize("twice", [0, 1])
def test_the_report_judges_coverage_only_where_cells_are_seen_again(twice):
    flags = np.array([False, True])
    fine = Bins.of(Box(-1, 1, (2,)), 64)
    places = np.linspace(-1, 1, 60)[: 60 - twice].tolist() + [-1.0] * twice
    log = [
        Episode(
            np.array([[x, -1], [x, 1], [0, 0]]),
            np.zeros((2, 2)),
            np.array([1.0, i % 2]),
            flags,
            ~flags,
        )
        for i, x in enumerate(places)
    ]
    (warning,) = report(log, fine, BOX)
    assert "can't be judged" in warning
    assert "clone" in report(log, Bins.of(Box(-1, 1, (2,)), 4), BOX)[0]


def test_the_report_sees_whether_good_returns_are_good_starts(capsys):
    """Each of ten cells of starts has the same returns, or each has one of its own."""

    def log(returns):
        flags = np.array([False, True])
        return [
            Episode(np.full((3, 2), x), np.full((2, 2), (-1) ** i), np.array([r, 0]), flags, ~flags)
            for i, (x, r) in enumerate(zip(np.linspace(-1, 1, 400), returns, strict=True))
        ]

    cells, numbers = Bins.of(Box(-1, 1, (2,)), 10), np.arange(400)
    assert not any("start alike" in text for text in report(log(numbers % 40), cells, BOX))
    assert "explain 0% of" in capsys.readouterr().out
    assert any("start alike" in text for text in report(log(numbers // 40), cells, BOX))
    assert "explain 100% of" in capsys.readouterr().out
    for unknown in (log(numbers % 40)[::40], log(0 * numbers)):  # one a cell; all the same
        assert not any("start alike" in text for text in report(unknown, cells, BOX))
        assert "explain an unknown share of" in capsys.readouterr().out


def test_a_minari_dataset_of_another_environment_becomes_a_policy(tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    pytest.importorskip("h5py")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    envs = gymnasium.make_vec("CartPole-v1", num_envs=12)
    rng = np.random.default_rng(0)
    log = play(envs, lambda seen, taken, paid: rng.integers(0, 2, 12), 0)
    buffers = [minari.data_collector.EpisodeBuffer(id=i, **vars(e)) for i, e in enumerate(log)]
    one = gymnasium.make("CartPole-v1")
    with warnings.catch_warnings(action="ignore"):  # optional fields
        minari.create_dataset_from_buffers(
            "seqdec/poles-v0", buffers, env=one, eval_env=one, data_format="hdf5"
        )
    dataset = minari.load_dataset("seqdec/poles-v0")
    episodes = list(dataset.iterate_episodes())
    seen = np.concatenate([episode.observations for episode in episodes])
    looks = Bins.of(dataset.observation_space, 8, data=seen)
    layout = SpelledLayout.of(episodes, looks, Bins.of(dataset.action_space), "return_to_go", 2)
    model = layout.transformer(8, 1, 1)
    fit(model, minibatches(layout.encode(episodes), 16), 3)
    for episode in play(envs, layout.policy(model, 20.0), 1):
        assert set(episode.actions.tolist()) <= {0, 1}
