"""Gumbel-max samples the softmax, Gumbel-Softmax relaxes it, and unbiased estimators are."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqdec_lib.learning.gumbel import (
    BLOCK,
    gumbel_max,
    gumbel_noise,
    gumbel_softmax,
    leave_one_out,
    score_function_loss,
)

LOGITS = torch.tensor([0.5, 0.0, -0.5, 1.0])
REWARDS = torch.tensor([1.0, 2.0, 0.5, 0.0])
DRAWS = 200_000
anything = st.floats(-1e4, 1e4, width=32) | st.just(-math.inf)
rows = st.lists(anything, min_size=1, max_size=6).filter(lambda row: max(row) > -math.inf)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def total_variation(actions: Tensor, probabilities: Tensor) -> float:
    frequencies = torch.bincount(actions, minlength=len(probabilities)) / len(actions)
    return float((frequencies - probabilities).abs().sum() / 2)


# -- the noise


def test_noise_has_the_mean_and_variance_of_a_gumbel(generator: torch.Generator) -> None:
    noise = gumbel_noise((1_000_000,), generator=generator)
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.01)
    assert noise.var().item() == pytest.approx(math.pi**2 / 6, abs=0.02)


def test_noise_has_the_distribution_function_of_a_gumbel(generator: torch.Generator) -> None:
    noise = gumbel_noise((DRAWS,), generator=generator)
    for x in (-2.0, 0.0, 1.0, 5.0):
        expected = math.exp(-math.exp(-x))
        assert (noise <= x).float().mean().item() == pytest.approx(expected, abs=0.005)


DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [0, -1])
@pytest.mark.parametrize("shape", [(3,), (4, 2), (), (0, 3), (2, BLOCK + 1)])
def test_noise_is_finite_whatever_the_random_bits(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, bits: int, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(Tensor, "random_", lambda words, generator: words.fill_(bits))
    noise = gumbel_noise(shape, dtype)
    assert noise.dtype == dtype and noise.shape == shape and noise.isfinite().all()
    assert (noise < -2).all() if bits == 0 else (noise > 15).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_has_no_pattern_in_its_columns_and_does_not_repeat(
    generator: torch.Generator, dtype: torch.dtype
) -> None:
    """Two numbers are made of one random word; they know nothing of each other."""
    noise = gumbel_noise((100_000, 4), dtype, generator=generator)
    correlations = torch.corrcoef(torch.cat([noise, noise.roll(1, 0)], dim=1).T)
    assert (correlations - torch.eye(8, dtype=dtype)).abs().max() < 0.02
    for column in noise.T:
        assert column.mean().item() == pytest.approx(0.5772, abs=0.03)
        assert len(column.unique()) > 0.98 * len(column)


# -- samples


def test_gumbel_max_samples_the_softmax(generator: torch.Generator) -> None:
    actions = gumbel_max(LOGITS.expand(DRAWS, -1), generator)
    assert total_variation(actions, LOGITS.softmax(-1)) < 0.005


@pytest.mark.parametrize("tau", [0.1, 1.0, 10.0])
def test_argmax_of_relaxed_samples_follows_the_softmax(
    generator: torch.Generator, tau: float
) -> None:
    samples = gumbel_softmax(LOGITS.expand(DRAWS, -1), tau, generator=generator)
    assert total_variation(samples.argmax(-1), LOGITS.softmax(-1)) < 0.005


def test_samples_become_one_hot_as_the_temperature_falls(generator: torch.Generator) -> None:
    largest = gumbel_softmax(LOGITS.expand(10_000, -1), 1e-4, generator=generator).amax(-1)
    assert largest.mean().item() > 0.999


def test_samples_become_uniform_as_the_temperature_rises(generator: torch.Generator) -> None:
    samples = gumbel_softmax(LOGITS.expand(10_000, -1), 1e5, generator=generator)
    assert (samples - 0.25).abs().max() < 1e-3


def test_the_argmax_does_not_depend_on_the_temperature() -> None:
    choices = [
        gumbel_softmax(LOGITS.expand(1000, -1), tau, generator=torch.Generator().manual_seed(3))
        for tau in (0.01, 1.0, 100.0)
    ]
    assert len({tuple(choice.argmax(-1).tolist()) for choice in choices}) == 1


def test_equal_seeds_give_equal_samples_and_each_call_draws_anew() -> None:
    first, second = (torch.Generator().manual_seed(5) for _ in range(2))
    assert gumbel_softmax(LOGITS, 1.0, generator=first).equal(
        gumbel_softmax(LOGITS, 1.0, generator=second)
    )
    assert not gumbel_softmax(LOGITS, 1.0, generator=first).equal(
        gumbel_softmax(LOGITS, 1.0, generator=second)[..., [1, 0, 2, 3]]
    )
    again = gumbel_softmax(LOGITS, 1.0, generator=first)
    assert not again.equal(gumbel_softmax(LOGITS, 1.0, generator=first))


# -- straight-through


def test_straight_through_is_one_hot_with_the_gradient_of_the_soft_sample() -> None:
    logits = LOGITS.expand(1000, -1).clone().requires_grad_()
    weights = torch.randn(1000, 4, generator=torch.Generator().manual_seed(1))
    results = []
    for hard in (False, True):
        sample = gumbel_softmax(logits, 0.7, hard, torch.Generator().manual_seed(2))
        results.append((sample, torch.autograd.grad((weights * sample).sum(), logits)[0]))
    (soft, soft_gradient), (hard, hard_gradient) = results
    assert set(hard.unique().tolist()) == {0.0, 1.0}
    assert (hard.sum(-1) == 1).all() and hard.argmax(-1).equal(soft.argmax(-1))
    assert hard_gradient.equal(soft_gradient)


@pytest.mark.parametrize("tau", [0.3, 1.0, 2.5])
def test_first_and_second_derivatives_are_those_of_finite_differences(tau: float) -> None:
    logits = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)

    def sample(logits: Tensor) -> Tensor:
        return gumbel_softmax(logits, tau, generator=torch.Generator().manual_seed(1))

    assert torch.autograd.gradcheck(sample, logits)
    assert torch.autograd.gradgradcheck(sample, logits)


def test_a_relaxed_sample_is_the_softmax_of_noisy_logits_over_its_last_axis() -> None:
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    noise = gumbel_noise(logits.shape, generator=torch.Generator().manual_seed(7))
    for hard in (False, True):
        sample = gumbel_softmax(logits, 0.6, hard, torch.Generator().manual_seed(7))
        soft = ((logits + noise) / 0.6).softmax(-1)
        expected = torch.eye(5)[soft.argmax(-1)] if hard else soft
        assert torch.allclose(sample, expected, atol=1e-6)
    chosen = gumbel_max(logits, torch.Generator().manual_seed(7))
    assert chosen.equal((logits + noise).argmax(-1))


def test_of_equal_entries_the_first_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tensor, "random_", lambda words, generator: words.fill_(3))
    logits = torch.tensor([[0.0, 2.0, 2.0], [1.0, 0.0, 1.0], [0.0, 0.0, 5.0]])
    assert gumbel_max(logits).tolist() == [1, 0, 2]
    assert gumbel_softmax(logits, 1.0, hard=True).equal(torch.eye(3)[[1, 0, 2]])


def test_logits_are_left_as_they_were() -> None:
    logits = LOGITS.clone()
    for hard in (False, True):
        gumbel_softmax(logits, 0.5, hard)
    gumbel_max(logits)
    assert logits.equal(LOGITS)


# -- extremes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tau", [1e-320, 1e-30, 1.0, 1e30, 1e300])
@pytest.mark.parametrize("hard", [False, True])
def test_no_temperature_and_no_logits_of_any_precision_give_nan(
    dtype: torch.dtype, tau: float, hard: bool
) -> None:
    limits = torch.finfo(dtype)
    rows = [[0.0, -math.inf, 1.0, limits.max], [limits.min, 0.0, 3.0, limits.tiny]]
    logits = torch.tensor(rows, dtype=dtype, requires_grad=True)
    sample = gumbel_softmax(logits, tau, hard)
    (gradient,) = torch.autograd.grad((sample * torch.arange(4)).sum(), logits)
    assert sample.dtype == gradient.dtype == dtype
    assert sample.isfinite().all() and gradient.isfinite().all()
    assert sample[0, 1] == 0 and gradient[0, 1] == 0
    assert (sample.sum(-1) - 1).abs().max() <= 4 * limits.eps


@settings(deadline=None, max_examples=60)
@given(row=rows, tau=st.sampled_from([1e-3, 0.5, 1e3]), hard=st.booleans())
def test_extreme_and_masked_logits_give_no_nan(row: list[float], tau: float, hard: bool) -> None:
    logits = torch.tensor(row, dtype=torch.float32).expand(20, -1).clone().requires_grad_()
    sample = gumbel_softmax(logits, tau, hard)
    (gradient,) = torch.autograd.grad((sample * torch.arange(len(row))).sum(), logits)
    masked = logits == -math.inf
    assert sample.isfinite().all() and gradient.isfinite().all()
    assert (sample[masked] == 0).all() and (gradient[masked] == 0).all()
    assert torch.allclose(sample.sum(-1), torch.ones(20))
    assert not masked.gather(-1, gumbel_max(logits)[:, None]).any()


# -- estimators of the gradient


def per_sample_gradients(estimator: Callable[[Tensor], Tensor], draws: int = DRAWS) -> Tensor:
    """One gradient a draw, (draws, K): each draw has its own copy of the logits."""
    logits = LOGITS.expand(draws, -1).clone().requires_grad_()
    return torch.autograd.grad(estimator(logits), logits)[0]


def exact_gradient() -> Tensor:
    logits = LOGITS.clone().requires_grad_()
    return torch.autograd.grad((logits.softmax(-1) * REWARDS).sum(), logits)[0]


@pytest.mark.parametrize("baseline", ["none", "leave-one-out"])
def test_score_function_is_unbiased(generator: torch.Generator, baseline: str) -> None:
    def objective(logits: Tensor) -> Tensor:
        actions = gumbel_max(logits, generator)
        log_probabilities = logits.log_softmax(-1).gather(-1, actions[:, None])[:, 0]
        groups = zip(log_probabilities.split(4), REWARDS[actions].split(4), strict=True)
        return -4 * sum(score_function_loss(*group, baseline) for group in groups)

    gradients = per_sample_gradients(objective, draws=20_000)
    standard_error = gradients.std(0) / math.sqrt(len(gradients))
    assert ((gradients.mean(0) - exact_gradient()).abs() < 5 * standard_error).all()


def test_relaxed_gradient_is_biased_less_at_lower_temperature(generator: torch.Generator) -> None:
    biases = []
    for tau in (0.1, 1.0, 10.0):
        gradients = per_sample_gradients(
            lambda logits, tau=tau: (
                gumbel_softmax(logits, tau, generator=generator) * REWARDS
            ).sum()
        )
        biases.append((gradients.mean(0) - exact_gradient()).norm().item())
    assert biases[0] < 0.05 * exact_gradient().norm().item() < biases[1] < biases[2]


def test_leave_one_out_leaves_its_own_return_out() -> None:
    returns = torch.tensor([1.0, 2.0, 6.0])
    assert torch.allclose(leave_one_out(returns), torch.tensor([4.0, 3.5, 1.5]))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(-9, 0), st.floats(-9, 9)), min_size=2, max_size=6))
def test_the_loss_is_minus_the_mean_of_advantage_times_log_probability(pairs: list) -> None:
    log_p, returns = torch.tensor(pairs, dtype=torch.float64).T
    earned = returns.clone().requires_grad_()
    for baseline in ("none", "leave-one-out"):
        expected = 0.0
        for i, (log, own) in enumerate(pairs):
            others = [value for j, (_, value) in enumerate(pairs) if j != i]
            mean = sum(others) / len(others) if baseline != "none" else 0.0
            expected -= (own - mean) * log / len(pairs)
        loss = score_function_loss(log_p, returns, baseline)
        assert loss.item() == pytest.approx(expected, abs=1e-9)
        assert not score_function_loss(log_p, earned, baseline).requires_grad  # held fixed
    usual = score_function_loss(log_p, returns)
    assert usual.item() == score_function_loss(log_p, returns, "leave-one-out").item()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_random_bits_become_the_middles_of_equal_intervals(monkeypatch, dtype) -> None:
    """All the bits of the digits, and nothing else: sign and exponent are not drawn."""
    digits, whole = (52, torch.int64) if dtype == torch.float64 else (23, torch.int32)
    bits = torch.tensor([0, 1, 5, 2**digits - 1, 2**digits, -1, 2 ** (digits - 1)]).to(whole)

    def random_(words: Tensor, generator: object) -> Tensor:
        return words.copy_(bits.view(words.dtype) if words.dtype != whole else bits)

    monkeypatch.setattr(Tensor, "random_", random_)
    bits = torch.cat([bits, bits[:1]])  # an even number, whatever the words are
    u = torch.exp(-torch.exp(-gumbel_noise((8,), dtype).double()))
    expected = (bits.double() % 2**digits + 0.5) / 2**digits
    torch.testing.assert_close(u, expected, rtol=1e-3, atol=1e-7)


@given(shift=st.floats(-100, 100))
def test_a_baseline_makes_the_offset_of_the_returns_irrelevant(shift: float) -> None:
    log_probabilities = torch.tensor([-1.0, -2.0, -0.5], dtype=torch.float64, requires_grad=True)
    returns = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    gradients = [
        torch.autograd.grad(score_function_loss(log_probabilities, r), log_probabilities)[0]
        for r in (returns, returns + shift)
    ]
    assert torch.allclose(*gradients)


# -- errors


@pytest.mark.parametrize("tau", [0, -1.0, math.nan, math.inf, True, "1"])
def test_temperatures_that_are_not_positive_numbers_are_refused(tau: object) -> None:
    with pytest.raises(ValueError, match="tau must be a positive finite number"):
        gumbel_softmax(LOGITS, tau)


@pytest.mark.parametrize("function", [gumbel_max, lambda logits: gumbel_softmax(logits, 1.0)])
@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (torch.zeros(0, 3), "empty"),
        (torch.zeros(3, 0), "empty"),
        (torch.tensor([[0.0, 1.0], [-math.inf, -math.inf]]), "1 of 2 rows of logits are masked"),
        (torch.tensor([0.0, math.nan]), "NaN"),
        (torch.tensor([0.0, math.inf]), r"\+inf"),
        (torch.tensor([0, 1]), "float tensor"),
        ([0.0, 1.0], "float tensor"),
    ],
)
def test_logits_without_a_choice_are_refused(
    function: Callable, logits: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(logits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), torch.zeros(2)), "shape"),
        ((torch.zeros(0), torch.zeros(0)), "empty"),
        ((torch.zeros(1), torch.zeros(1)), "at least two returns"),
        ((torch.zeros(2), torch.zeros(2), "mean"), "baseline must be one of"),
    ],
)
def test_score_function_without_samples_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_function_loss(*arguments)
