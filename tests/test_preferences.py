"""Laws of learning from comparisons: both losses find what the comparisons were made of."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.feedback.finetune import kl_divergence
from seqdec_lib.feedback.preferences import (
    Comparisons,
    agreement,
    bradley_terry,
    compare,
    dpo_loss,
    margins,
    reward_loss,
    scores,
)
from seqdec_lib.problems import TravelTree
from seqdec_lib.problems.tree_policies import (
    soft_backward_induction,
    trip_probabilities,
)
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.losses import log_probabilities
from seqdec_lib.sequences.training import fit
from seqdec_lib.sequences.transformer import Transformer
from tests.table_policy import TablePolicy

pytestmark = pytest.mark.usefixtures("one_thread")

TREE = TravelTree(branching=2, horizon=3)
REWARDS = TREE.level_enjoyment(3) / 3
ALL_TRIPS = Trajectories.complete(TREE.histories(TREE.horizon))
TRIPS = TokenLayout.of(TREE, ALL_TRIPS).encode(ALL_TRIPS)
PAIRS = np.array([[i, j] for i in range(8) for j in range(8) if i != j])


def random_policy(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(2), size=TREE.first_leaf)


def expected_dpo_loss(model: nn.Module, reference: Tensor, beta: float) -> Tensor:
    """DPO's loss on infinitely many comparisons: each pair both ways, as often as it happens."""
    total = 0.0
    for pair in PAIRS:
        one = Comparisons(TRIPS, torch.tensor([pair[0]]), torch.tensor([pair[1]]), reference)
        total += bradley_terry(*REWARDS[pair]) * dpo_loss(model, one, beta)
    return total / len(PAIRS)


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-5, 5))
def test_the_two_outcomes_share_out_the_probability_and_only_the_difference_counts(
    first: float, second: float, shift: float
) -> None:
    p = bradley_terry(first, second)
    assert p + bradley_terry(second, first) == pytest.approx(1)
    assert p == pytest.approx(bradley_terry(first + shift, second + shift), rel=1e-6)
    assert (p > 0.5) == (first > second) or math.isclose(p, 0.5)


def test_rewards_that_are_worlds_apart_leave_no_doubt() -> None:
    assert bradley_terry(1e4, -1e4) == 1 and bradley_terry(-1e300, 1e300) == 0
    told = compare(TRIPS, PAIRS, REWARDS * 1e6, seed=0)
    assert (REWARDS[told.preferred] >= REWARDS[told.rejected]).all()
    for wrong in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            compare(TRIPS, PAIRS, np.where(np.arange(8) == 3, wrong, REWARDS), seed=0)


def test_comparisons_come_out_as_often_as_they_should() -> None:
    pairs = np.tile([[0, 1]], (20_000, 1))
    comparisons = compare(TRIPS, pairs, np.array([1.0, 0.0]), seed=0)
    share = (comparisons.preferred == 0).double().mean().item()
    assert share == pytest.approx(1 / (1 + math.exp(-1)), abs=0.015)
    assert (comparisons.preferred != comparisons.rejected).all()


def test_who_compares_draws_from_a_stream_of_its_own() -> None:
    """Pairs drawn with the same seed would otherwise decide who wins."""
    pairs = np.tile([[0, 1]], (200, 1))
    told = [compare(TRIPS, pairs, np.zeros(2), seed).preferred.tolist() for seed in (3, 3, 4)]
    assert told[0] == told[1] != told[2]
    theirs = np.random.default_rng(3).random(200)
    agree = np.mean((theirs >= 0.5) == np.array(told[0]))
    assert abs(agree - 0.5) < 5 * 0.5 / np.sqrt(200)


def test_both_losses_are_the_logistic_loss_of_a_margin() -> None:
    """Written out for three comparisons, of features and of rows of tokens."""
    values = torch.tensor([0.5, -1.0, 2.0, 0.0])
    comparisons = Comparisons(values[:, None], torch.tensor([0, 2, 1]), torch.tensor([1, 1, 3]))
    gaps = [1.5, 3.0, -1.0]
    expected = np.mean([math.log(1 + math.exp(-gap)) for gap in gaps])
    assert reward_loss(nn.Identity(), comparisons).item() == pytest.approx(expected)
    model = TablePolicy(random_policy(1))
    told = compare(TRIPS, PAIRS, REWARDS, seed=0)._replace(reference=torch.linspace(-3, 0, 8))
    ratios = (log_probabilities(model, TRIPS) - told.reference).detach().numpy()
    gaps = 0.7 * (ratios[told.preferred] - ratios[told.rejected])
    expected = np.log1p(np.exp(-gaps)).mean()
    assert dpo_loss(model, told, 0.7).item() == pytest.approx(expected)


def test_a_sequence_model_is_asked_at_the_end_of_each_row() -> None:
    torch.manual_seed(0)
    model = Transformer(30, context=6, width=16, layers=1, heads=2, outputs=1).eval()
    mask = torch.ones_like(TRIPS.tokens, dtype=torch.bool)
    mask[0, :3] = False
    for items in (TRIPS, TRIPS._replace(mask=mask)):
        expected = model(items.tokens, items.mask)[:, -1, 0]
        torch.testing.assert_close(scores(model, items), expected)


def test_a_reward_model_finds_the_rewards_up_to_a_constant() -> None:
    features = torch.eye(8)
    pairs = np.random.default_rng(0).integers(8, size=(40_000, 2))
    comparisons = compare(features, pairs[pairs[:, 0] != pairs[:, 1]], REWARDS, seed=0)
    model = nn.Linear(8, 1)
    fit(model, lambda generator: comparisons, 300, loss=reward_loss, learning_rate=0.1, decay=0.0)
    with torch.no_grad():
        learned = scores(model, features).numpy()
    np.testing.assert_allclose(learned - learned.mean(), REWARDS - REWARDS.mean(), atol=0.15)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), beta=st.floats(0.1, 5))
def test_the_closed_form_minimizes_the_expected_dpo_loss(seed: int, beta: float) -> None:
    rows = random_policy(seed)
    reference = log_probabilities(TablePolicy(rows), TRIPS).detach()
    best = soft_backward_induction(TREE, rows, beta, REWARDS)
    model = TablePolicy(best.policy)
    loss = expected_dpo_loss(model, reference, beta)
    (slope,) = torch.autograd.grad(loss, model.logits)
    assert slope.abs().max() < 1e-9
    for other in range(3):
        rows = 0.9 * best.policy + 0.1 * random_policy(seed + other + 1)
        assert expected_dpo_loss(TablePolicy(rows), reference, beta) >= loss - 1e-12


def test_dpo_from_many_comparisons_comes_to_the_closed_form() -> None:
    rows, beta = random_policy(0), 1.0
    model = TablePolicy(rows)
    reference = log_probabilities(model, TRIPS).detach()
    pairs = np.random.default_rng(0).integers(8, size=(40_000, 2))
    comparisons = compare(TRIPS, pairs, REWARDS, seed=0)._replace(reference=reference)
    fit(
        model,
        lambda generator: comparisons,
        300,
        loss=partial(dpo_loss, beta=beta),
        learning_rate=0.05,
        decay=0.0,
    )
    best = soft_backward_induction(TREE, rows, beta, REWARDS)
    trips = log_probabilities(model, TRIPS).exp().detach().numpy()
    assert kl_divergence(trips, trip_probabilities(TREE, best.policy)) < 0.02


def test_the_reference_itself_is_worth_a_coin() -> None:
    model = TablePolicy(random_policy(0))
    comparisons = compare(TRIPS, PAIRS, REWARDS, seed=0)
    comparisons = comparisons._replace(reference=log_probabilities(model, TRIPS).detach())
    assert dpo_loss(model, comparisons, 0.3).item() == pytest.approx(math.log(2))


def test_a_sequence_model_can_be_a_reward_model() -> None:
    torch.manual_seed(0)
    model = Transformer(30, context=6, width=16, layers=1, heads=2, outputs=1)
    comparisons = compare(TRIPS, np.tile(PAIRS, (20, 1)), REWARDS, seed=0)
    before = agreement(scores(model, TRIPS), comparisons)
    fit(model, lambda generator: comparisons, 60, loss=reward_loss, learning_rate=1e-2)
    with torch.no_grad():
        best_possible = agreement(torch.from_numpy(REWARDS), comparisons)
        assert before < agreement(scores(model, TRIPS), comparisons)
        assert agreement(scores(model, TRIPS), comparisons) > best_possible - 0.02


def test_agreement_counts_ties_half() -> None:
    comparisons = Comparisons(TRIPS, torch.tensor([0, 1, 2]), torch.tensor([1, 0, 3]))
    values = torch.tensor([3.0, 1.0, 0.0, 0.0])
    assert agreement(values, comparisons) == pytest.approx(0.5)
    assert margins(values, comparisons).tolist() == [2.0, -2.0, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare(TRIPS, np.zeros((2, 3), dtype=int), REWARDS, 0), "pairs must be whole"),
        (lambda: compare(TRIPS, np.array([[0, 9]]), REWARDS, 0), "each item needs a reward"),
        (lambda: compare(TRIPS, np.array([[0, 8]]), REWARDS, 0), "each item needs a reward"),
        (lambda: compare(TRIPS, np.array([[0, -1]]), REWARDS, 0), "each item needs a reward"),
        (lambda: compare(TRIPS, np.array([[0, 1]]), REWARDS[:, None], 0), "each item needs a"),
        (lambda: compare(TRIPS, np.array([0, 1]), REWARDS, 0), "pairs must be whole"),
        (lambda: compare(TRIPS, np.array([[0.0, 1]]), REWARDS, 0), "pairs must be whole"),
        (lambda: dpo_loss(None, Comparisons(TRIPS, None, None), 0.0), "beta must be"),
        (lambda: dpo_loss(None, Comparisons(TRIPS, None, None), 1.0), "DPO needs the reference"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
