"""Worlds written down as tables of outcomes, read from Gymnasium or made of an MDP."""

from types import SimpleNamespace

import numpy as np
import pytest

from seqdec_lib.experience.evaluation import estimate_return
from seqdec_lib.mdp import policy_iteration, value_iteration
from seqdec_lib.problems import TabularProblem, from_gymnasium, tabular_problem
from tests.test_mdp import random_mdp


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4"])
def test_gymnasium_tables_are_read_exactly(name: str) -> None:
    problem = from_gymnasium(name, discount=0.9)
    mdp, policy = problem.mdp(), value_iteration(problem.mdp()).policy
    assert np.allclose(policy_iteration(mdp).values, value_iteration(mdp).values)
    # With a discount of 0.9 what comes after the clock's last step hardly counts.
    played = estimate_return(problem, policy, episodes=20_000, seed=0, confidence=0.9999)
    assert played.low - 0.01 < problem.optimal_return() < played.high + 0.01


def test_a_table_plays_its_own_model() -> None:
    mdp = random_mdp(8, discount=0.8)
    start = np.full(mdp.n_states, 1 / mdp.n_states)
    next_states = np.broadcast_to(np.arange(mdp.n_states), mdp.transitions.shape)
    rewards = np.repeat(mdp.rewards[:, :, None], mdp.n_states, axis=2)
    problem = TabularProblem(
        mdp.transitions, next_states, rewards, mdp.terminal, start, mdp.discount, horizon=60
    )
    assert np.allclose(problem.mdp().transitions, mdp.transitions)
    assert np.allclose(problem.mdp().rewards, mdp.rewards)
    played = estimate_return(problem, None, episodes=20_000, seed=0, confidence=0.9999)
    assert played.low - 1e-3 < problem.random_return() < played.high + 1e-3


def random_table(seed: int) -> dict[str, np.ndarray]:
    """Up to four outcomes each, some of them impossible, and some that lead to the same state."""
    rng = np.random.default_rng(seed)
    states, shape = int(rng.integers(2, 7)), tuple(rng.integers(1, 5, size=2))
    weights = rng.random((states, *shape)) * (rng.random((states, *shape)) < 0.7)
    weights[..., -1] += 0.01
    terminal = rng.random(states) < 0.4
    terminal[0] = False
    start = rng.random(states) * ~terminal
    return {
        "probabilities": weights / weights.sum(axis=2, keepdims=True),
        "next_states": rng.integers(states, size=weights.shape),
        "rewards": rng.normal(size=weights.shape),
        "terminal": terminal,
        "start": start / start.sum(),
    }


@pytest.mark.parametrize("dense_bytes", [0, 10**6])
@pytest.mark.parametrize("seed", range(12))
def test_the_exact_model_is_the_table_summed_up(monkeypatch, seed: int, dense_bytes: int) -> None:
    monkeypatch.setattr(tabular_problem, "DENSE_BYTES", dense_bytes)
    table = random_table(seed)
    problem = TabularProblem(**table, discount=0.9, horizon=3)
    mdp, states = problem.mdp(), len(table["terminal"])
    assert mdp.is_sparse == (not dense_bytes) and problem.mdp() is mdp
    assert mdp.horizon is None and TabularProblem(**table, discount=1, horizon=3).mdp().horizon == 3
    for state, action in np.ndindex(states, problem.n_actions):
        row, pay = np.zeros(states), 0.0
        for k in range(problem.n_outcomes):
            chance = table["probabilities"][state, action, k]
            row[table["next_states"][state, action, k]] += chance
            pay += chance * table["rewards"][state, action, k]
        if table["terminal"][state]:
            row, pay = np.eye(states)[state], 0.0
        matrix = mdp.transitions[action] if mdp.is_sparse else mdp.transitions[:, action]
        found = matrix.toarray()[state] if mdp.is_sparse else matrix[state]
        np.testing.assert_allclose(found, row, atol=1e-15)
        assert mdp.rewards[state, action] == pytest.approx(pay, abs=1e-15)
    assert np.array_equal(mdp.terminal, table["terminal"])
    np.testing.assert_allclose(problem.start_distribution(), table["start"])


def test_a_model_is_dense_as_long_as_it_fits(monkeypatch) -> None:
    table = random_table(4)
    states, actions, _ = table["probabilities"].shape
    size = 8 * states * actions * states  # bytes of an (S, A, S) array
    assert actions > 1
    for limit, as_sparse in ((size, False), (size - 1, True)):
        monkeypatch.setattr(tabular_problem, "DENSE_BYTES", limit)
        assert TabularProblem(**table, discount=0.9, horizon=3).mdp().is_sparse == as_sparse


@pytest.mark.parametrize("draw", [0.0, 0.2, 0.7, np.nextafter(1, 0)])
@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_drawn_names_an_outcome_that_may_come(seed: int, draw: float) -> None:
    """The outcomes stand on a line of length 1, in their order; what is drawn is a place on it."""

    class Drawing:
        def random(self, count: int) -> np.ndarray:
            return np.full(count, draw)

    table = random_table(seed)
    problem = TabularProblem(**table, discount=0.9, horizon=3)
    states, actions = (a.ravel() for a in np.indices(problem.probabilities.shape[:2]))
    arrived, rewards, ended = problem.step(states, actions, Drawing())
    for state, action, after, reward, over in zip(
        states, actions, arrived, rewards, ended, strict=True
    ):
        chances = table["probabilities"][state, action]
        (k,) = np.flatnonzero(table["rewards"][state, action] == reward)
        assert chances[k] > 0 and after == table["next_states"][state, action, k]
        assert chances[:k].sum() <= draw + 1e-12 and draw <= chances[: k + 1].sum() + 1e-12
        assert over == table["terminal"][after]
    first = problem.reset(1, Drawing())[0]
    assert table["start"][first] > 0
    assert table["start"][:first].sum() <= draw + 1e-12 <= table["start"][: first + 1].sum() + 2e-12


class World:
    """An environment that is nothing but its table."""

    initial_state_distrib = np.array([0.5, 0.5, 0, 0, 0])

    def __init__(self, table: dict, clock: int | None = 7) -> None:
        self.P, self.unwrapped = table, self
        self.spec = SimpleNamespace(max_episode_steps=clock)


def test_a_table_of_lists_is_read_outcome_by_outcome() -> None:
    """State 2 ends it. States 3 and 4, which nobody reaches, may call the end what they like, and
    what has no chance ends nothing."""
    stay = {action: [(1.0, 0, 0.5, False)] for action in range(2)}
    lists = {
        0: {0: [(0.25, 1, 2.0, False), (0.75, 2, -1.0, True)], 1: [(1.0, 1, 0.5, False)]},
        1: {0: [(1.0, 2, 3.0, True)], 1: [(1.0, 0, 0.0, False), (0.0, 3, 9.0, True)]},
        2: stay,
        3: {0: [(1.0, 2, 0.0, False)], 1: [(1.0, 4, 0.0, False)]},
        4: {action: [(1.0, 2, 0.0, False)] for action in range(2)},
    }
    problem = from_gymnasium(World(lists), discount=0.5)
    assert (problem.horizon, problem.discount) == (7, 0.5)
    assert from_gymnasium(World(lists), horizon=3).horizon == 3
    assert from_gymnasium(World(lists, None), horizon=3).discount == 0.99
    assert problem.probabilities.shape == (5, 2, 2)
    assert problem.terminal.tolist() == [False, False, True, False, False]
    assert problem.start.tolist() == [0.5, 0.5, 0, 0, 0]
    for state, actions in lists.items():
        for action, outcomes in actions.items():
            for k in range(2):
                chance, after, reward, _ = (*outcomes, (0.0, 0, 0.0, False))[k]
                at = state, action, k
                assert problem.probabilities[at] == chance and problem.rewards[at] == reward
                assert problem.next_states[at] == after
    lists[1][1] = [(0.5, 3, 0.0, False), (0.5, 0, 0.0, False)]  # now somebody does
    with pytest.raises(ValueError, match="state 2 ends .* from state 3 by action 0"):
        from_gymnasium(World(lists))


def test_every_draw_finds_a_first_state_that_may_be_one() -> None:
    class Last:
        """A generator that draws the largest number below 1."""

        def random(self, count: int) -> np.ndarray:
            return np.full(count, np.nextafter(1, 0))

    for states in (1, 3, 1000):
        start = np.r_[np.full(states, 1 / states), np.zeros(5)]
        stays = np.arange(states + 5)[:, None, None]
        table = np.ones(stays.shape), stays, 0.0 * stays, np.zeros(states + 5, bool)
        problem = TabularProblem(*table, start, discount=0.5, horizon=2)
        assert (problem.reset(4, Last()) == states - 1).all()
        assert problem.reset(0, Last()).shape == (0,)


def test_a_state_that_ends_the_episode_only_sometimes_is_named() -> None:
    class Odd:
        P = {
            0: {0: [(1.0, 1, 0.0, True)], 1: [(1.0, 1, 0.0, False)]},
            1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 0, 0.0, False)]},
        }
        initial_state_distrib, spec = np.array([1.0, 0.0]), None

        @property
        def unwrapped(self):
            return self

    with pytest.raises(ValueError, match="state 1 ends the episode .* from state 0 by action 1"):
        from_gymnasium(Odd(), horizon=5)
    with pytest.raises(ValueError, match="pass horizon"):
        from_gymnasium(Odd())


def test_environments_without_a_table_are_named() -> None:
    halves = World({0: {0: [(1.0, 0, 0.0, False)]}}), World(None)
    halves[0].initial_state_distrib = None
    for half, lacks in zip(halves, ("initial_state_distrib", "P"), strict=True):
        with pytest.raises(ValueError, match=f"but it lacks {lacks};"):
            from_gymnasium(half)
    with pytest.raises(ValueError, match="exact model"):
        from_gymnasium("CartPole-v1")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"probabilities": np.full((2, 1, 1), 0.5)}, "sum to 1"),
        ({"probabilities": np.ones((2, 1))}, r"\(S, A, K\)"),
        ({"probabilities": np.ones((0, 1, 1))}, r"\(S, A, K\)"),
        ({"terminal": np.array([True])}, r"terminal must have shape \(2,\)"),
        ({"start": np.array([0.5, 0.0])}, "sum to 1"),
        ({"horizon": 0}, "horizon"),
        ({"discount": 1.5}, "discount"),
        ({"next_states": np.full((2, 1, 1), 2)}, r"0\.\.1"),
        ({"rewards": np.zeros((2, 1))}, r"rewards must have shape \(2, 1, 1\)"),
        ({"rewards": np.full((2, 1, 1), np.nan)}, r"finite numbers, but entry \(0, 0, 0\)"),
        ({"rewards": np.array([[[0.0]], [[np.inf]]])}, r"finite numbers, but entry \(1, 0, 0\)"),
        ({"start": np.array([0.0, 1.0])}, "terminal state 1"),
        ({"start": np.array([0.5, 0.5])}, "terminal state 1"),
        ({"terminal": np.ones(2, bool), "start": np.array([0.0, 1.0])}, "terminal state 1"),
    ],
)
def test_bad_tables_are_named(change: dict, what: str) -> None:
    table = {
        "probabilities": np.ones((2, 1, 1)),
        "next_states": np.ones((2, 1, 1), dtype=int),
        "rewards": np.zeros((2, 1, 1)),
        "terminal": np.array([False, True]),
        "start": np.array([1.0, 0.0]),
    }
    with pytest.raises(ValueError, match=what):
        TabularProblem(**({"discount": 0.9, "horizon": 3} | table | change))
