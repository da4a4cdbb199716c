"""What all sequence models share: which tokens may come in, and which positions are asked for."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from seqdec_lib.validation import whole_number

At = int | slice | Tensor | None
"""Positions that are asked for: all, one, a slice, (K,) that hold for all rows, or (B, K)."""


class Memory(Protocol):
    """What a model remembers of the tokens that it has read, while it decodes."""

    length: int
    """Tokens read so far."""

    def select(self, rows: Tensor) -> Memory:
        """A copy with these rows (M,) of the batch: to drop, repeat or reorder sequences."""

    @property
    def batch(self) -> int:
        """Sequences remembered."""


def pick(x: Tensor, at: Tensor) -> Tensor:
    """Of each row its own positions: x (B, T, W), at (B, K) -> (B, K, W)."""
    return x.gather(1, at[:, :, None].expand(-1, -1, x.shape[2]))


def positions_at(at: At, rows: int, length: int) -> tuple[Tensor | None, bool]:
    """The positions (B, K) that `at` asks for, None for all; and whether it was just one number."""
    if at is None:
        return None, False
    if length == 1 and isinstance(at, int) and at in (0, -1):
        return None, True
    if isinstance(at, slice):
        at_rows = torch.arange(length)[at]
    else:
        at_rows = torch.as_tensor(at)
    if at_rows.dtype.is_floating_point or at_rows.dtype == torch.bool or at_rows.numel() == 0:
        raise ValueError(f"at must name positions as whole numbers, at least one, but {at!r} came.")
    if at_rows.min() < -length or at_rows.max() >= length:
        raise ValueError(
            f"at must lie in {-length}..{length - 1}, but {at_rows.min()}..{at_rows.max()} came."
        )
    if at_rows.ndim == 2 and len(at_rows) != rows:
        raise ValueError(
            f"at must have shape (K,) or ({rows}, K), but {tuple(at_rows.shape)} came."
        )
    at_rows = torch.where(at_rows < 0, at_rows + length, at_rows)
    return at_rows.expand(rows, -1) if at_rows.ndim else at_rows.expand(rows, 1), at_rows.ndim == 0


def checked_sizes(vocabulary: int | None, outputs: int | None) -> tuple[int | None, int]:
    """Vocabulary and outputs of a model, or a ValueError."""
    if vocabulary is not None:
        vocabulary = whole_number("vocabulary", vocabulary, least=1)
    if vocabulary is None and outputs is None:
        raise ValueError("a model without a vocabulary needs outputs=..., the number of logits.")
    outputs = vocabulary if outputs is None else whole_number("outputs", outputs, least=1)
    return vocabulary, outputs


def check_tokens(
    model: nn.Module, tokens: Tensor, mask: Tensor | None, cache: Memory | None
) -> tuple[int, int]:
    """Return B and T, or raise a ValueError that says what is wrong with the input of a model."""
    are_ids = not tokens.dtype.is_floating_point
    if tokens.ndim != (2 if are_ids else 3) or 0 in tokens.shape[:2]:
        raise ValueError(
            "tokens must be whole numbers of shape (B, T) or embeddings of shape "
            f"(B, T, {model.width}) with B, T >= 1, but {tokens.dtype} of shape "
            f"{tuple(tokens.shape)} came."
        )
    if not are_ids and tokens.shape[2] != model.width:
        raise ValueError(f"embeddings must be {model.width} wide, but {tokens.shape[2]} came.")
    if are_ids and model.token is None:
        raise ValueError("this model has no vocabulary: give it embeddings, or build it with one.")
    if are_ids and not 0 <= int(tokens.min()) <= int(tokens.max()) < model.vocabulary:
        raise ValueError(
            f"token ids must lie in 0..{model.vocabulary - 1}, "
            f"but {int(tokens.min())}..{int(tokens.max())} came."
        )
    if mask is not None and (mask.dtype != torch.bool or mask.shape != tokens.shape[:2]):
        raise ValueError(
            f"mask must be bool of shape {tuple(tokens.shape[:2])}, but {mask.dtype} of shape "
            f"{tuple(mask.shape)} came."
        )
    if mask is not None and not mask.any(1).all():
        raise ValueError(
            f"row {int(mask.any(1).int().argmin())} of mask is nothing but padding; "
            "leave such rows out."
        )
    if cache is not None and torch.is_grad_enabled():
        raise ValueError("a cache is for decoding: call the model under torch.no_grad().")
    if cache is not None and cache.batch != len(tokens):
        raise ValueError(f"the cache holds {cache.batch} sequences, but {len(tokens)} came.")
    return tokens.shape[0], tokens.shape[1]
