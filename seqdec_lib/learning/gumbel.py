"""Gradients through a choice: Gumbel-max, Gumbel-Softmax and the score function.

A categorical choice with probabilities softmax(logits) is an argmax of logits plus Gumbel noise
(Gumbel, 1954; the trick is told by Maddison, Tarlow and Minka, 2014). With a softmax in place of
the argmax the choice can be differentiated (Jang et al., 2017; Maddison et al., 2017). The score
function (Williams, 1992) needs no such relaxation, only the reward of what was chosen.

Wherever logits are taken, -inf masks an action: it is never chosen, and its gradient is 0."""

import math
import numbers
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

BASELINES = ("none", "leave-one-out")
BLOCK = 2**17  # numbers made together: few enough for the processor's cache


def gumbel_noise(
    shape: tuple[int, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Independent Gumbel(0, 1) numbers of any shape: -log(-log(u)), u uniform in (0, 1).

    They are finite, because u is never 0 or 1, and drawn in float32 at least: half precision has
    too few numbers next to 1."""
    wide = torch.promote_types(dtype, torch.float32)
    noise = torch.empty(shape, dtype=wide, device=device)
    for block in noise.view(-1).split(BLOCK if noise.device.type == "cpu" else 2**62):
        _fill_with_noise(block, generator)
    return noise.to(dtype)


def _fill_with_noise(numbers: Tensor, generator: torch.Generator | None) -> Tensor:
    return _uniform(numbers, generator).log_().neg_().log_().neg_()


def _uniform(numbers: Tensor, generator: torch.Generator | None) -> Tensor:
    """Fill `numbers` (N,) with middles of 2 ** 23 (float32) or 2 ** 52 (float64) equal intervals.

    Random bits become the digits of a number in [1, 2) and then lose their 1. That takes half the
    time of PyTorch's own uniform numbers, which was most of the time of a Gumbel-Softmax."""
    double = numbers.dtype == torch.float64
    whole, digits, one = (torch.int64, 52, 1023) if double else (torch.int32, 23, 127)
    words = torch.int64 if numbers.nbytes % 8 == 0 else torch.int32  # 64 bits cost as much as 32
    numbers.view(words).random_(generator=generator)
    numbers.view(whole).bitwise_and_(2**digits - 1).bitwise_or_(one << digits)
    return numbers.sub_(1 - 2.0 ** -(digits + 1))


def gumbel_max(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Sample actions: argmax of logits plus Gumbel noise, exactly softmax(logits).

    logits : (..., K) unnormalised log-probabilities, -inf for an action that may not be chosen.

    Returns (...) int64, the first one where several are largest. For n draws from one distribution
    pass `logits.expand(n, -1)`.
    Raises ValueError: see `gumbel_softmax`."""
    _check_logits(logits)
    noise = gumbel_noise(tuple(logits.shape), _wide(logits), logits.device, generator)
    largest, chosen = noise.add_(logits.detach()).max(dim=-1)
    _check_largest(logits, largest)
    return chosen


def gumbel_softmax(
    logits: Tensor, tau: float, hard: bool = False, generator: torch.Generator | None = None
) -> Tensor:
    """Sample relaxed choices (Jang et al., 2017, equation 2): softmax((logits + noise) / tau).

    logits : (..., K) unnormalised log-probabilities, -inf for an action that may not be chosen.
    tau : temperature above 0. Near 0 the samples are one-hot, for large tau uniform over the
        actions that are not masked.
    hard : straight-through (Bengio et al., 2013): return the one-hot argmax (the first one where
        several are largest), with the gradients of the soft sample, second ones included.

    Returns (..., K), rows that sum to 1, differentiable with respect to the logits; 0 where masked.
    Raises ValueError: tau not a positive finite number; logits that are not floats, are empty, NaN
        or +inf; a row that is masked everywhere."""
    if isinstance(tau, bool) or not isinstance(tau, numbers.Real) or not 0 < tau < math.inf:
        raise ValueError(
            f"tau must be a positive finite number, but {tau!r} came; "
            "for exact samples (the limit of tau = 0) call gumbel_max."
        )
    _check_logits(logits)
    soft = torch.empty(logits.shape, dtype=_wide(logits), device=logits.device)
    one_hot = torch.empty_like(soft) if hard else soft
    largest = torch.empty_like(soft[..., :1])
    # The temperature is kept from rounding to 0 or infinity in the precision of the noise.
    limits = torch.finfo(soft.dtype)
    tau = min(max(tau, limits.tiny), limits.max)
    for rows, scores, top, choice in _blocks(soft, logits.detach(), largest, one_hot):
        _fill_with_noise(rows.view(-1), generator).add_(scores.reshape(-1))
        # The largest entry becomes 0 before the division, so no temperature makes it overflow.
        rows.sub_(torch.amax(rows, dim=-1, keepdim=True, out=top))
        if hard:
            _one_hot(rows, choice)
        rows.div_(tau).exp_()
        rows.div_(rows.sum(dim=-1, keepdim=True))
    _check_largest(logits, largest)
    soft = _Softmax.apply(logits, soft, tau)
    return (_StraightThrough.apply(soft, one_hot) if hard else soft).to(logits.dtype)


class _Softmax(torch.autograd.Function):
    """Probabilities that were made from noisy logits, as a function of the logits.

    Differentiable any number of times. What PyTorch would keep and copy on the way from the logits
    is never made."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, soft: Tensor, tau: float) -> Tensor:
        ctx.mark_dirty(soft)
        ctx.save_for_backward(soft)
        ctx.tau = tau
        return soft

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (soft,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of this gradient will be asked for
            mean = (gradient * soft).sum(dim=-1, keepdim=True)
            return (gradient - mean) * soft / ctx.tau, None, None
        slope = torch.empty_like(soft)
        for out, weights, rows in _blocks(slope, gradient, soft):
            torch.mul(weights, rows, out=out)
            out.addcmul_(rows, out.sum(dim=-1, keepdim=True), value=-1).div_(ctx.tau)
        return slope, None, None


class _StraightThrough(torch.autograd.Function):
    """One-hot forward; backward as if the soft sample had been returned."""

    @staticmethod
    def forward(ctx: Any, soft: Tensor, one_hot: Tensor) -> Tensor:
        return one_hot

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def _one_hot(noisy: Tensor, out: Tensor) -> None:
    """One-hot rows of the first largest entries, where the largest are 0: faster than an argmax."""
    torch.eq(noisy, 0, out=out)
    if out.sum(dim=-1).amax() > 1:  # equal entries are rare
        out.zero_().scatter_(-1, noisy.argmax(dim=-1, keepdim=True), 1.0)


def _blocks(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The rows of tensors (..., K) or (..., 1) in blocks, few enough for the processor's cache."""
    pairs = BLOCK // (2 * tensors[0].shape[-1])  # of rows, so that a block has an even size
    rows = max(2, 2 * pairs) if tensors[0].device.type == "cpu" else 2**62
    return zip(*(each.reshape(-1, each.shape[-1]).split(rows) for each in tensors), strict=True)


def leave_one_out(returns: Tensor) -> Tensor:
    """Each sample's baseline, (N,) -> (N,): the mean return of all the others.

    It does not depend on the sample's own choice, so subtracting it leaves the mean of the score
    function alone (Kool et al., 2019).

    Raises ValueError: fewer than two returns."""
    if returns.ndim != 1 or len(returns) < 2:
        raise ValueError(
            f"leaving one out takes at least two returns, of shape (N,), but shape "
            f"{tuple(returns.shape)} came; draw more samples, or use no baseline."
        )
    return (returns.sum() - returns) / (len(returns) - 1)


def score_function_loss(
    log_probabilities: Tensor, returns: Tensor, baseline: str = "leave-one-out"
) -> Tensor:
    """A loss whose gradient is an unbiased estimate of minus the gradient of the expected return.

    The score-function estimator, REINFORCE (Williams, 1992): minus the mean of
    (return - baseline) * log-probability, the first factor held fixed.

    log_probabilities : (N,) of what was sampled: for trips the sum over their days.
    returns : (N,) what the samples earned.
    baseline : "none" or "leave-one-out".
    Raises ValueError: no samples, shapes that don't match, an unknown baseline, fewer than two
        samples to leave one out of."""
    if baseline not in BASELINES:
        raise ValueError(f"baseline must be one of {BASELINES}, but {baseline!r} came.")
    if log_probabilities.ndim != 1 or log_probabilities.shape != returns.shape:
        raise ValueError(
            "log_probabilities and returns must both have shape (N,), but "
            f"{tuple(log_probabilities.shape)} and {tuple(returns.shape)} came."
        )
    if not len(returns):
        raise ValueError("the batch is empty: pass at least one sample.")
    returns = returns.detach()
    advantages = returns if baseline == "none" else returns - leave_one_out(returns)
    return -(advantages * log_probabilities).mean()


def _wide(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)


def _check_logits(logits: Tensor) -> None:
    if not isinstance(logits, Tensor) or not logits.is_floating_point() or logits.ndim == 0:
        raise ValueError(
            f"logits must be a float tensor of shape (..., K), but {type(logits).__name__} "
            f"{getattr(logits, 'dtype', '')} came; make one with torch.tensor(..., dtype=...)."
        )
    if not logits.numel():
        raise ValueError(
            f"logits are empty, of shape {tuple(logits.shape)}: pass at least one row with at "
            "least one action."
        )


def _check_largest(logits: Tensor, largest: Tensor) -> None:
    """Raise a ValueError unless the largest noisy logit of each row is finite.

    The noise is finite, so that says the same of the logits, and it costs no pass over them."""
    if largest.isfinite().all():
        return
    if logits.isnan().any() or (logits == math.inf).any():
        raise ValueError("logits must not be NaN or +inf; look for what diverged before them.")
    raise ValueError(
        f"{int((largest == -math.inf).sum())} of {largest.numel()} rows of logits are masked "
        "(-inf) everywhere: leave at least one action in each row."
    )
