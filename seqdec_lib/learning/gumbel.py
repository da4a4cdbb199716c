"""Gradients through a choice: Gumbel-max, Gumbel-Softmax and the score function.

A categorical choice with probabilities softmax(logits) is an argmax of logits plus Gumbel noise
(Gumbel, 1954; the trick is told by Maddison, Tarlow and Minka, 2014). With a softmax in place of
the argmax the choice can be differentiated (Jang et al., 2017; Maddison et al., 2017). The score
function (Williams, 1992) needs no such relaxation, only the reward of what was chosen.

Wherever logits are taken, -inf masks an action: it is never chosen, and its gradient is 0.
"""

from __future__ import annotations

import math
import numbers

import torch
from torch import Tensor

BASELINES = ("none", "leave-one-out")


def gumbel_noise(
    shape: tuple[int, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Independent Gumbel(0, 1) numbers of any shape: -log(-log(u)), u uniform in (0, 1).

    A generator of floats returns u = 0 now and then (in float32 once in 2 ** 24 draws), and one
    that rounds may return 1; both are moved to the next float inside, so the noise is finite. It is
    drawn in float32 at least: half precision has too few numbers next to 1.
    """
    wide = torch.promote_types(dtype, torch.float32)
    limits = torch.finfo(wide)
    uniform = torch.rand(shape, dtype=wide, device=device, generator=generator)
    uniform.clamp_(limits.tiny, 1 - limits.eps / 2)
    return uniform.log_().neg_().log_().neg_().to(dtype)


def gumbel_max(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Sample actions: argmax of logits plus Gumbel noise, exactly softmax(logits).

    Parameters
    ----------
    logits : (..., K) unnormalised log-probabilities, -inf for an action that may not be chosen.

    Returns
    -------
    (...) int64. For n draws from one distribution pass `logits.expand(n, -1)`.

    Raises
    ------
    ValueError
        See `gumbel_softmax`.
    """
    _check_logits(logits)
    logits = logits.detach()
    return (logits + _noise_like(logits, generator)).argmax(dim=-1)


def gumbel_softmax(
    logits: Tensor, tau: float, hard: bool = False, generator: torch.Generator | None = None
) -> Tensor:
    """Sample relaxed choices (Jang et al., 2017, equation 2): softmax((logits + noise) / tau).

    Parameters
    ----------
    logits : (..., K) unnormalised log-probabilities, -inf for an action that may not be chosen.
    tau : temperature above 0. Near 0 the samples are one-hot, for large tau uniform over the
        actions that are not masked.
    hard : straight-through (Bengio et al., 2013): return the one-hot argmax, with the gradient of
        the soft sample.

    Returns
    -------
    (..., K), rows that sum to 1, differentiable with respect to the logits; 0 where masked.

    Raises
    ------
    ValueError
        tau not a positive finite number; logits that are not floats, are empty, NaN or +inf; a row
        that is masked everywhere.
    """
    if isinstance(tau, bool) or not isinstance(tau, numbers.Real) or not 0 < tau < math.inf:
        raise ValueError(
            f"tau must be a positive finite number, but {tau!r} came; "
            "for exact samples (the limit of tau = 0) call gumbel_max."
        )
    _check_logits(logits)
    noisy = logits + _noise_like(logits, generator)
    # The largest entry becomes 0 before the division, so no temperature makes it overflow.
    soft = ((noisy - noisy.detach().amax(dim=-1, keepdim=True)) / tau).softmax(dim=-1)
    if not hard:
        return soft
    one_hot = torch.zeros_like(soft).scatter_(-1, noisy.argmax(dim=-1, keepdim=True), 1.0)
    return one_hot + (soft - soft.detach())  # this order leaves exact zeros and ones


def leave_one_out(returns: Tensor) -> Tensor:
    """Each sample's baseline, (N,) -> (N,): the mean return of all the others.

    It does not depend on the sample's own choice, so subtracting it leaves the mean of the score
    function alone (Kool et al., 2019).

    Raises
    ------
    ValueError
        Fewer than two returns.
    """
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

    Parameters
    ----------
    log_probabilities : (N,) of what was sampled: for trips the sum over their days.
    returns : (N,) what the samples earned.
    baseline : "none" or "leave-one-out".

    Raises
    ------
    ValueError
        No samples, shapes that don't match, an unknown baseline, fewer than two samples to leave
        one out of.
    """
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


def _noise_like(logits: Tensor, generator: torch.Generator | None) -> Tensor:
    return gumbel_noise(tuple(logits.shape), logits.dtype, logits.device, generator)


def _check_logits(logits: Tensor) -> None:
    """Raise a ValueError unless each row has an action that may be chosen."""
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
    largest = logits.detach().amax(dim=-1)
    if not largest.isfinite().all():
        if largest.isnan().any() or (largest == math.inf).any():
            raise ValueError("logits must not be NaN or +inf; look for what diverged before them.")
        raise ValueError(
            f"{int((largest == -math.inf).sum())} of {largest.numel()} rows of logits are masked "
            "(-inf) everywhere: leave at least one action in each row."
        )
