"""Fine-tuning: a sequence model that can already imitate learns what is good.

Nothing here knows whether a row of tokens is a trip or an answer. A row's *choices* are its targets
that count; a model gives them a log-probability, and all losses are made of that, of rewards, and
of the log-probability that a frozen reference gives to the same row. The objective is

    J(pi) = E[reward] - beta KL(pi || reference),          rows drawn from pi,

and `policy_gradient_loss` and `ppo_loss` climb it: with a batch of `Samples` they are losses for
`training.fit`, and `sampler` draws such batches while the model changes. On the book's tree the
optimum of J is known exactly: `soft_backward_induction`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seqdec_lib.learning.gumbel import leave_one_out, score_function_loss
from seqdec_lib.sequences.training import Batch, choice_log_probabilities, log_probabilities
from seqdec_lib.validation import (
    fraction,
    nonnegative_number,
    probability_rows,
    whole_number,
)


class Samples(NamedTuple):
    """Rows that a model drew itself, and what they earned.

    Attributes
    ----------
    batch : N rows; the targets that count are the model's own choices
    rewards : (N,) of whole rows
    old : (N, T) log-probability of each choice when it was drawn, 0 where a target does not count
    reference : (N,) log-probability of each row under the reference
    """

    batch: Batch
    rewards: Tensor
    old: Tensor
    reference: Tensor


# -- climbing J


def policy_gradient_loss(model: nn.Module, samples: Samples, beta: float = 0.0) -> Tensor:
    """REINFORCE with a leash: its gradient is, on average, minus that of J.

    The leash is part of the return, reward - beta (log pi - log reference), and each row's baseline
    is the mean return of the others. The samples must come from the model as it is now.

    Source: Williams (1992); Ahmadian et al., *Back to Basics* (2024), section 3, for whole rows.

    Raises
    ------
    ValueError
        beta below 0, fewer than two rows.
    """
    beta = nonnegative_number("beta", beta)
    log_pi = log_probabilities(model, samples.batch)
    leash = beta * (log_pi.detach() - samples.reference)
    return score_function_loss(log_pi, samples.rewards - leash)


def ppo_loss(model: nn.Module, samples: Samples, beta: float = 0.0, clip: float = 0.2) -> Tensor:
    """Like `policy_gradient_loss`, but the same samples may be used for several updates.

    Each choice's advantage is weighted by ratio = pi / old; once the ratio has left
    [1 - clip, 1 + clip] in the direction that the advantage wants, it has no gradient any more. At
    the first update all ratios are 1, and the gradient is that of `policy_gradient_loss`.

    Source: Schulman et al., *Proximal Policy Optimization Algorithms* (2017), equation 7; the
    advantage is that of the whole row, so there is no second network.

    Raises
    ------
    ValueError
        beta below 0, clip outside [0, 1], fewer than two rows.
    """
    beta, clip = nonnegative_number("beta", beta), fraction("clip", clip)
    returns = samples.rewards - beta * (samples.old.sum(1) - samples.reference)
    advantages = (returns - leave_one_out(returns))[:, None]
    ratio = (choice_log_probabilities(model, samples.batch) - samples.old).exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
    return -gain.sum(1).mean()


def sampler(
    model: nn.Module,
    reference: nn.Module,
    play: Callable[[torch.Generator], Batch],
    reward: Callable[[Batch], Tensor],
    updates: int = 1,
) -> Callable[[torch.Generator], Samples]:
    """A `draw` for `training.fit`: samples of the model as it is when they are drawn.

    Parameters
    ----------
    play : generator -> rows that the model drew with it.
    reward : rows -> (N,) what they earn.
    updates : how often the same samples are handed out before new ones are drawn; more than one is
        for `ppo_loss`.

    Raises
    ------
    ValueError
        updates below 1.
    """
    updates = whole_number("updates", updates, least=1)
    used, kept = 0, None

    @torch.no_grad()
    def draw(generator: torch.Generator) -> Samples:
        nonlocal used, kept
        if kept is None or used == updates:
            batch = play(generator)
            old = choice_log_probabilities(model, batch)
            kept, used = Samples(batch, reward(batch), old, log_probabilities(reference, batch)), 0
        used += 1
        return kept

    return draw


def kl_divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p || q) = sum p log(p / q) in nats, of two distributions (K,); inf where only q is 0.

    Raises
    ------
    ValueError
        Shapes that differ, or probabilities that don't sum to 1.
    """
    p, q = probability_rows("p", p), probability_rows("q", q)
    if p.shape != q.shape or p.ndim != 1:
        raise ValueError(f"p and q must both have shape (K,), but {p.shape} and {q.shape} came.")
    possible = p > 0
    with np.errstate(divide="ignore"):
        return float((p[possible] * (np.log(p[possible]) - np.log(q[possible]))).sum())
