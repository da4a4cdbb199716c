"""Laws of learning from each experience more than once: Dyna-Q and experience replay."""

import numpy as np
import pytest

from seqdec_lib.learning.dyna import Dreams, DynaQ, Replay
from seqdec_lib.learning.table import Transitions
from seqdec_lib.learning.tabular import TabularLearner
from seqdec_lib.learning.world_model import CountModel
from seqdec_lib.problems import TravelTree, from_gymnasium

both = pytest.mark.parametrize("memory", [{}, {"replay": 1000}], ids=["model", "replay"])


@both
@pytest.mark.parametrize("chains", [1, 3])
def test_without_planning_steps_it_is_q_learning(chains, memory) -> None:
    options = dict(step_size=0.5, exploration=0.3, replicas=4, chains=chains, seed=5)
    tree = TravelTree(horizon=4)
    awake = TabularLearner(tree, **options).train(200)
    dreamless = DynaQ(tree, planning_steps=0, **memory, **options).train(200)
    assert np.array_equal(awake.q_values, dreamless.q_values)


@both
@pytest.mark.parametrize("asked", [{}, {"planning_steps": 1}, {"planning_steps": 4}])
def test_so_many_steps_are_imagined_for_each_real_one(monkeypatch, asked, memory) -> None:
    dyna, imagined = DynaQ(TravelTree(horizon=2), chains=2, replicas=3, **asked, **memory), []
    update = dyna.update

    def counting(seen: Transitions, *rest: object) -> None:
        imagined.append(seen.replicas.tolist())
        update(seen, *rest)

    monkeypatch.setattr(dyna, "update", counting)
    dyna.train(3)
    assert len(imagined) == 3 * (1 + asked.get("planning_steps", 10))
    assert set(map(tuple, imagined)) == {(0, 0, 1, 1, 2, 2)}


def test_dyna_counts_every_real_step_and_no_imagined_one():
    dyna = DynaQ(from_gymnasium("FrozenLake-v1"), planning_steps=3, replicas=5, chains=2)
    dyna.train(100)
    assert dyna.memory.model.visits.reshape(5, -1).sum(axis=1).tolist() == [200] * 5


@both
def test_dreaming_alone_brings_the_table_to_the_optimum_of_the_diary(memory) -> None:
    tree = TravelTree(horizon=3)
    dyna = DynaQ(tree, 0, **memory, step_size=1.0, exploration=1.0, replicas=2)
    model = CountModel(tree.n_states, 3, replicas=2)
    for _ in range(60):
        model.add(dyna.step())
    for _ in range(1000):
        dyna.update(dyna.imagine())
    known = model.known.reshape(2, tree.n_states, 3)
    planned = model.plan(1.0, 3)
    assert np.allclose(dyna.q_values[known], planned[known])


@pytest.mark.parametrize("method", ["expected_sarsa", "double_q_learning"])
@both
def test_any_target_that_needs_no_next_action_will_do(method, memory) -> None:
    dyna = DynaQ(TravelTree(horizon=3), 5, **memory, method=method, replicas=2).train(100)
    assert (dyna.q_values != 0).any(axis=(1, 2)).all()


@both
def test_what_is_imagined_happened_to_the_one_who_imagines_it(memory) -> None:
    lake = from_gymnasium("FrozenLake-v1")
    dyna = DynaQ(lake, 0, **memory, exploration=1.0, chains=2, replicas=3)
    happened = {tuple(row) for _ in range(50) for row in zip(*dyna.step(), strict=True)}
    imagined = {tuple(row) for _ in range(100) for row in zip(*dyna.imagine(), strict=True)}
    assert imagined <= happened and len(imagined) > 50


def seen(actions: list[int], owner: int = 0) -> Transitions:
    """Steps from state 0 that differ in the action, and are paid as much."""
    actions = np.array(actions)
    zeros = np.zeros_like(actions)
    return Transitions(zeros + owner, zeros, actions, 1.0 * actions, zeros + 1, actions > 2)


def shares(memory: Dreams | Replay, owner: int = 0, n: int = 20_000) -> np.ndarray:
    """How often each of four actions is imagined."""
    imagined = memory.imagine(np.full(n, owner), np.random.default_rng(0))
    assert (imagined.replicas == owner).all()
    for got, wanted in zip(imagined, seen(imagined.actions, owner), strict=True):
        np.testing.assert_array_equal(got, wanted)
    return np.bincount(imagined.actions, minlength=4) / n


def test_a_model_dreams_of_all_pairs_alike_and_a_memory_of_all_steps() -> None:
    dreams, replay = Dreams(2, 4, 1), Replay(100, 1)
    for memory in (dreams, replay):
        for actions in ([0, 2, 2], [2, 3]):
            memory.add(seen(actions))
    assert np.abs(shares(dreams) - [1 / 3, 0, 1 / 3, 1 / 3]).max() < 0.02
    assert np.abs(shares(replay) - [1 / 5, 0, 3 / 5, 1 / 5]).max() < 0.02


def test_a_full_memory_forgets_the_oldest_steps() -> None:
    replay = Replay(3, 1)
    for actions in ([0, 1], [1, 2], [3]):
        replay.add(seen(actions))
    assert np.abs(shares(replay) - [0, 1 / 3, 1 / 3, 1 / 3]).max() < 0.02
    replay.add(seen([0, 0, 1, 2, 3, 3]))
    assert np.abs(shares(replay) - [0, 0, 1 / 3, 2 / 3]).max() < 0.02


def test_replicas_remember_what_is_theirs_however_it_is_told() -> None:
    mixed = (np.concatenate(columns) for columns in zip(seen([3, 0], 2), seen([1], 0), strict=True))
    mixed = Transitions(*mixed)
    for memory in (Dreams(2, 4, replicas=3), Replay(2, replicas=3)):
        memory.add(mixed)
        memory.add(seen([2], 1))
        assert shares(memory, 0).tolist() == [0, 1, 0, 0]
        assert shares(memory, 1).tolist() == [0, 0, 1, 0]
        assert np.abs(shares(memory, 2) - [0.5, 0, 0, 0.5]).max() < 0.02


@both
def test_what_is_dreamed_is_drawn_from_another_stream_than_what_is_done(memory) -> None:
    """Imagined steps change the table; what is done at random does not hear of them."""
    options = dict(exploration=1.0, seed=7, chains=2, **memory)
    real = [
        [seen.actions.tolist() for seen in (dyna.step() for _ in range(20))]
        for dyna in (DynaQ(TravelTree(horizon=3), steps, **options) for steps in (0, 5))
    ]
    assert real[0] == real[1]
    dyna = DynaQ(TravelTree(horizon=3), 0, **options)
    assert dyna.rng.random(9).tolist() != dyna._dreams.random(9).tolist()


def test_the_smallest_memory_knows_the_last_step_of_each_replica() -> None:
    replay = Replay(1, 3)
    replay.add(seen([0, 1], 2))
    replay.add(seen([3], 0))
    assert shares(replay, 2).tolist() == [0, 1, 0, 0]
    assert shares(replay, 0).tolist() == [0, 0, 0, 1]


@both
def test_the_same_seed_dreams_the_same(memory) -> None:
    tables = [
        DynaQ(TravelTree(horizon=3), 3, **memory, exploration=1.0, seed=seed).train(60).q_values
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(tables[0], tables[1]) and not np.array_equal(tables[0], tables[2])


@both
def test_more_dreams_learn_more_from_the_same_steps(memory) -> None:
    """The only pay is at the end of the tree: it travels one day a visit, or as far as dreamed."""
    tree, options = TravelTree(horizon=3), dict(step_size=1.0, exploration=1.0, replicas=50)
    known = [
        (DynaQ(tree, steps, **memory, **options).train(30).q_values[:, 0] != 0).mean()
        for steps in (0, 20)
    ]
    assert known[1] > known[0] + 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"planning_steps": -1}, "planning_steps"),
        ({"replay": 0}, "replay"),
        ({"method": "sarsa"}, "imagined steps have no next"),
        ({"method": "monte_carlo"}, "imagined steps have no next"),
    ],
)
def test_bad_options_are_named(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        DynaQ(TravelTree(horizon=2), **options)


@both
def test_nothing_is_imagined_before_something_happened(memory) -> None:
    with pytest.raises(ValueError, match="nothing to imagine"):
        DynaQ(TravelTree(horizon=2), **memory).imagine()
