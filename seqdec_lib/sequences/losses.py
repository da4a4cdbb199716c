"""What a sequence model should have said, and the one loss: minus the log-probability of that."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqdec_lib.sequences.tokens import At

IGNORE = -100
"""A target that does not count: padding, or a token that is not to be learned."""


class Batch(NamedTuple):
    """What a sequence model reads, and what it should have said.

    tokens (B, T) or (B, T, W); targets as the logits without their last axis, IGNORE where nothing
    is to be learned; mask and at as in `Transformer.forward`.
    """

    tokens: Tensor
    targets: Tensor
    mask: Tensor | None = None
    at: At = None


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of the book: mean of -log p(target), in nats, over the targets that count.

    logits (..., K), targets (...) int, IGNORE where nothing is to be learned.

    Raises
    ------
    ValueError
        Shapes that don't match, nothing to learn from, or a target that there is no logit of.
    """
    if not (targets != IGNORE).any():
        raise ValueError(f"there is nothing to learn: no target differs from IGNORE ({IGNORE}).")
    return _surprise(logits, targets, "mean")


def sequence_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy of a sequence model on a batch."""
    return cross_entropy(model(batch.tokens, batch.mask, batch.at), batch.targets)


def choice_log_probabilities(model: nn.Module, batch: Batch) -> Tensor:
    """log p of each target that counts given what stands before it, in nats: as the targets, 0
    where one does not count; differentiable."""
    logits = model(batch.tokens, batch.mask, batch.at)
    return -_surprise(logits, batch.targets, "none").reshape(batch.targets.shape)


def log_probabilities(model: nn.Module, batch: Batch) -> Tensor:
    """log p of all that counts in each row, in nats: (N,), differentiable.

    For trips it is log pi(trip), for prompts and answers log p(answer | prompt).
    """
    return choice_log_probabilities(model, batch).sum(1)


def _surprise(logits: Tensor, targets: Tensor, reduction: str) -> Tensor:
    """-log p of the targets, never in less than single precision; 0 for those that don't count."""
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} need targets of shape "
            f"{tuple(logits.shape[:-1])}, but {tuple(targets.shape)} came."
        )
    logits = logits.float() if logits.dtype == torch.bfloat16 else logits
    try:
        return F.cross_entropy(
            logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORE, reduction=reduction
        )
    except IndexError as error:
        raise ValueError(
            f"targets must lie in 0..{logits.shape[-1] - 1} or be IGNORE ({IGNORE}), but "
            f"{int(targets.min())}..{int(targets.max())} came."
        ) from error
