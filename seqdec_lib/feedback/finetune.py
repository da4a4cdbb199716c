"""Fine-tuning: a sequence model that can already imitate learns what is good.

Nothing here knows whether a row of tokens is a trip or an answer. A row's *choices* are its targets
that count; a model gives them a log-probability, and all losses are made of that, of rewards, and
of the log-probability that a frozen reference gives to the same row. The objective is

    J(pi) = E[reward] - beta KL(pi || reference),          rows drawn from pi,

and `policy_gradient_loss` and `ppo_loss` climb it: with a batch of `Samples` they are losses for
`training.fit`, and a `Sampler` draws such batches while the model changes. All of them read the
model without dropout, for the policy whose gradient is wanted is the one that drew the rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seqdec_lib.learning.gumbel import leave_one_out, score_function_loss
from seqdec_lib.sequences.losses import Batch, choice_log_probabilities, log_probabilities
from seqdec_lib.sequences.tokens import evaluating
from seqdec_lib.validation import fraction, nonnegative_number, probability_rows, whole_number

MOST_LOG_RATIO = 60.0
"""Nats by which a choice may have become likelier; beyond, single precision would overflow."""


class Samples(NamedTuple):
    """Rows that a model drew itself, and what they earned.

    batch : N rows; the targets that count are the model's own choices
    rewards : (N,) of whole rows
    old : (N, T) log-probability of each choice when it was drawn, 0 where a target does not count
    reference : (N,) log-probability of each row under the reference"""

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

    Raises ValueError: beta below 0, fewer than two rows."""
    beta = nonnegative_number("beta", beta)
    with evaluating(model):
        log_pi = log_probabilities(model, samples.batch)
    return score_function_loss(log_pi, _returns(samples, log_pi.detach(), beta))


def ppo_loss(model: nn.Module, samples: Samples, beta: float = 0.0, clip: float = 0.2) -> Tensor:
    """Like `policy_gradient_loss`, but the same samples may be used for several updates.

    Each choice's advantage is weighted by ratio = pi / old; once the ratio has left
    [1 - clip, 1 + clip] in the direction that the advantage wants, it has no gradient any more. At
    the first update all ratios are 1, and the gradient is that of `policy_gradient_loss`.

    Source: Schulman et al., *Proximal Policy Optimization Algorithms* (2017), equation 7; the
    advantage is that of the whole row, so there is no second network.

    Raises ValueError: beta below 0, clip outside [0, 1], fewer than two rows."""
    beta, clip = nonnegative_number("beta", beta), fraction("clip", clip)
    returns = _returns(samples, samples.old.sum(1), beta)
    advantages = (returns - leave_one_out(returns))[:, None]
    with evaluating(model):
        log_ratio = choice_log_probabilities(model, samples.batch) - samples.old
    ratio = log_ratio.clamp(max=MOST_LOG_RATIO).exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
    return -gain.sum(1).mean()


def _returns(samples: Samples, log_pi: Tensor, beta: float) -> Tensor:
    """reward - beta (log pi - log reference) of each row, (N,)."""
    if beta == 0:
        return samples.rewards
    if samples.reference.isinf().any():
        raise ValueError(
            "the reference gives probability 0 to a row that the model drew, so their divergence "
            "is infinite; pass beta=0, or a reference that can do all that the model can."
        )
    return samples.rewards - beta * (log_pi - samples.reference)


class Sampler:
    """A `draw` for `training.fit`: samples of the model as it is when they are drawn.

    Samples that are still in use are part of a run's checkpoint.

    play : generator -> rows that the model drew with it.
    reward : rows -> (N,) what they earn.
    updates : how often the same samples are handed out before new ones are drawn; more than one is
        for `ppo_loss`.
    Raises ValueError: updates below 1."""

    def __init__(
        self,
        model: nn.Module,
        reference: nn.Module,
        play: Callable[[torch.Generator], Batch],
        reward: Callable[[Batch], Tensor],
        updates: int = 1,
    ) -> None:
        self.model, self.reference, self.play, self.reward = model, reference, play, reward
        self.updates = self.used = whole_number("updates", updates, least=1)
        self.kept: Samples | None = None

    @torch.no_grad()
    def __call__(self, generator: torch.Generator) -> Samples:
        if self.used == self.updates:
            batch = self.play(generator)
            if isinstance(batch.at, slice):  # a checkpoint holds tensors
                places = torch.arange(batch.tokens.shape[1], device=batch.tokens.device)
                batch = batch._replace(at=places[batch.at])
            with evaluating(self.model, self.reference):
                old = choice_log_probabilities(self.model, batch)
                reference = log_probabilities(self.reference, batch)
            self.kept, self.used = Samples(batch, self.reward(batch), old, reference), 0
        self.used += 1
        return self.kept

    def state_dict(self) -> dict[str, Any]:
        """How often the samples were used, and the samples, as tensors."""
        kept = None if self.kept is None else (tuple(self.kept.batch), *self.kept[1:])
        return {"used": self.used, "kept": kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a sampler with this state was."""
        self.used, kept = state["used"], state["kept"]
        self.kept = None if kept is None else Samples(Batch(*kept[0]), *kept[1:])


def kl_divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p || q) = sum p log(p / q) in nats, of two distributions (K,); inf where only q is 0.
    Raises ValueError: shapes that differ, or probabilities that don't sum to 1."""
    p, q = probability_rows("p", p), probability_rows("q", q)
    if p.shape != q.shape or p.ndim != 1:
        raise ValueError(f"p and q must both have shape (K,), but {p.shape} and {q.shape} came.")
    possible = p > 0
    with np.errstate(divide="ignore"):
        return float((p[possible] * (np.log(p[possible]) - np.log(q[possible]))).sum())
