"""Laws of the targets: what each method would have Q(s, a) be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.learning.targets import (
    AFTER_A_STEP,
    Episode,
    Step,
    argmax_columns,
    double_q_learning,
    expected_sarsa,
    monte_carlo,
    q_learning,
    sarsa,
    sarsa_lambda,
    td,
)

few = settings(max_examples=40, deadline=None)


def draw_step(seed: int, n: int = 7, n_actions: int = 3) -> tuple[Step, np.ndarray]:
    """Steps, some of which ended the episode, and the policy (A, N) that acts next."""
    rng = np.random.default_rng(seed)
    q, other = rng.normal(size=(2, n_actions, n)).round(1)  # with ties
    policy = rng.dirichlet(np.ones(n_actions), size=n).T
    step = Step(
        rewards=rng.normal(size=n),
        discount=0.9 * (rng.random(n) < 0.7),
        q=q,
        other_q=other,
        next_actions=rng.integers(n_actions, size=n),
        expected_q=lambda: (policy * q).sum(axis=0),
    )
    return step, policy


def with_actions(step: Step, action: int | np.ndarray) -> Step:
    return step._replace(next_actions=np.zeros_like(step.next_actions) + action)


seeds = pytest.mark.parametrize("seed", range(5))


@seeds
def test_expected_sarsa_is_the_mean_of_sarsa_over_what_may_come_next(seed) -> None:
    step, policy = draw_step(seed)
    each = np.array([sarsa(with_actions(step, action)) for action in range(3)])
    np.testing.assert_allclose(expected_sarsa(step), (policy * each).sum(axis=0))


@seeds
def test_q_learning_is_sarsa_with_the_best_action(seed) -> None:
    step, _ = draw_step(seed)
    each = np.array([sarsa(with_actions(step, action)) for action in range(3)])
    np.testing.assert_array_equal(q_learning(step), each.max(axis=0))
    assert (q_learning(step) >= expected_sarsa(step) - 1e-12).all()


@seeds
def test_double_q_learning_asks_one_table_what_and_the_other_how_much(seed) -> None:
    step, _ = draw_step(seed)
    np.testing.assert_array_equal(
        double_q_learning(step._replace(other_q=step.q)), q_learning(step)
    )
    chosen = with_actions(step._replace(q=step.other_q), step.q.argmax(axis=0))
    np.testing.assert_array_equal(double_q_learning(step), sarsa(chosen))
    assert (double_q_learning(step) <= q_learning(step._replace(q=step.other_q))).all()


@seeds
def test_td_reads_a_table_with_one_column(seed) -> None:
    step, _ = draw_step(seed, n_actions=1)
    np.testing.assert_array_equal(td(step), sarsa(step))


@seeds
@pytest.mark.parametrize("target", AFTER_A_STEP.values(), ids=AFTER_A_STEP)
def test_what_follows_counts_by_the_discount_and_after_the_end_not_at_all(seed, target) -> None:
    """A table that is higher by c moves each target by discount * c, and rewards as they are."""
    step, policy = draw_step(seed)
    more = step._replace(
        q=step.q + 4,
        other_q=step.other_q + 4,
        expected_q=lambda: (policy * (step.q + 4)).sum(axis=0),
    )
    np.testing.assert_allclose(target(more) - target(step), 4 * step.discount, atol=1e-12)
    paid = step._replace(rewards=step.rewards - 2)
    np.testing.assert_allclose(target(paid), target(step) - 2)
    over = step.discount == 0
    assert over.any() and (target(step)[over] == step.rewards[over]).all()


def draw_episodes(seed: int, decay: float) -> Episode:
    rng = np.random.default_rng(seed)
    last = np.array([0, 5, 2, 4, 5])
    rows = np.arange(6)[:, None]
    next_q = rng.normal(size=(6, 5)) * (rows <= last)
    next_q[last, np.arange(5)] *= [0, 0, 1, 1, 1]  # two are over, the clock cut three short
    rewards = rng.normal(size=(6, 5)) * (rows <= last)
    return Episode(rewards, 0.8, last, lambda: next_q, decay)


@seeds
def test_monte_carlo_is_the_discounted_sum_of_all_that_follows(seed) -> None:
    episode = draw_episodes(seed, decay=0.5)
    returns = monte_carlo(episode)
    for t, k in np.ndindex(6, 5):
        later = episode.rewards[t:, k]
        assert returns[t, k] == pytest.approx((0.8 ** np.arange(len(later)) * later).sum())


@seeds
@pytest.mark.parametrize("decay", [0.0, 0.3, 1.0])
def test_sarsa_lambda_is_the_geometric_mean_of_n_step_returns(seed, decay) -> None:
    """(1 - lambda) * lambda ** (n - 1) for each n that ends within the episode; the rest for the
    return to its end (Sutton and Barto 2018, equation 12.3)."""
    episode = draw_episodes(seed, decay)
    targets, next_q = sarsa_lambda(episode), episode.next_q()
    for k, last in enumerate(episode.last):
        for t in range(last + 1):
            steps = np.arange(1, last - t + 2)
            earned = (0.8 ** (steps - 1) * episode.rewards[t : last + 1, k]).cumsum()
            n_step = earned + 0.8**steps * next_q[t : last + 1, k]
            weights = (1 - decay) * decay ** (steps - 1)
            weights[-1] = decay ** (steps[-1] - 1)
            assert weights.sum() == pytest.approx(1)
            assert targets[t, k] == pytest.approx((weights * n_step).sum())


@seeds
def test_lambda_leads_from_sarsa_to_monte_carlo(seed) -> None:
    one_step = draw_episodes(seed, decay=0.0)
    np.testing.assert_allclose(
        sarsa_lambda(one_step), one_step.rewards + 0.8 * one_step.next_q(), atol=1e-12
    )
    whole = draw_episodes(seed, decay=1.0)
    over = slice(0, 2)  # where nothing follows the last step
    np.testing.assert_allclose(sarsa_lambda(whole)[:, over], monte_carlo(whole)[:, over])


def test_a_target_leaves_what_it_reads_as_it_was() -> None:
    episode = draw_episodes(0, decay=0.5)
    rewards = episode.rewards.copy()
    for target in (monte_carlo, sarsa_lambda):
        target(episode)
        np.testing.assert_array_equal(episode.rewards, rewards)


@few
@given(st.lists(st.lists(st.sampled_from([-1.0, -0.0, 0.0, 2.0]), min_size=3, max_size=3)))
def test_argmax_columns_takes_the_first_of_the_largest(columns) -> None:
    columns = np.array(columns, dtype=float).reshape(-1, 3).T
    np.testing.assert_array_equal(argmax_columns(columns), columns.argmax(axis=0))
