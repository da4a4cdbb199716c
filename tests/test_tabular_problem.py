"""Worlds written down as tables of outcomes, read from Gymnasium or made of an MDP."""

import numpy as np
import pytest

from seqdec_lib.experience.evaluation import estimate_return
from seqdec_lib.mdp import policy_iteration, value_iteration
from seqdec_lib.problems import TabularProblem, from_gymnasium
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
    for model in (mdp, random_mdp(8, discount=0.8, as_sparse=True)):
        problem = TabularProblem.from_mdp(model, start, horizon=60)
        assert np.allclose(problem.mdp().transitions, mdp.transitions)
        assert np.allclose(problem.mdp().rewards, mdp.rewards)
    played = estimate_return(problem, None, episodes=20_000, seed=0, confidence=0.9999)
    assert played.low - 1e-3 < problem.random_return() < played.high + 1e-3


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
    with pytest.raises(ValueError, match="exact model"):
        from_gymnasium("CartPole-v1")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"probabilities": np.full((2, 1, 1), 0.5)}, "sum to 1"),
        ({"probabilities": np.ones((2, 1))}, r"\(S, A, K\)"),
        ({"next_states": np.full((2, 1, 1), 2)}, r"0\.\.1"),
        ({"rewards": np.zeros((2, 1))}, r"rewards must have shape \(2, 1, 1\)"),
        ({"rewards": np.full((2, 1, 1), np.nan)}, "finite"),
        ({"start": np.array([0.0, 1.0])}, "terminal state 1"),
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
        TabularProblem(**(table | change), discount=0.9, horizon=3)
