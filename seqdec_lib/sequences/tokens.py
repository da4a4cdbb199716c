"""What all sequence models share: which tokens may come in, and which positions are asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from seqdec_lib.validation import check_numbers, whole_number

At = int | slice | Tensor | None
"""Positions that are asked for: all, one, a slice, (K,) that hold for all rows, or (B, K)."""


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Switch dropout off for a while; afterwards each part is in the mode in which it was."""
    training = [part for model in models for part in model.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


def pick(x: Tensor, at: Tensor) -> Tensor:
    """Of each row some positions: x (B, T, W), at (K,) for all rows or (B, K) -> (B, K, W)."""
    if at.ndim == 1:
        return x.index_select(1, at)
    return x.gather(1, at[:, :, None].expand(-1, -1, x.shape[2]))


def positions_at(at: At, rows: int, length: int) -> tuple[Tensor | None, bool]:
    """The positions (K,) or (B, K) that `at` asks for, counted from the front; None for all.

    The second answer is whether it was just one number."""
    if at is None:
        return None, False
    if length == 1 and isinstance(at, int) and at in (0, -1):
        return None, True
    places = torch.arange(length, device="cpu")[at] if isinstance(at, slice) else at
    if not isinstance(places, Tensor):
        places = torch.tensor(places, device="cpu")
    if places.dtype.is_floating_point or places.dtype == torch.bool or places.numel() == 0:
        raise ValueError(f"at must name positions as whole numbers, at least one, but {at!r} came.")
    if places.min() < -length or places.max() >= length:
        raise ValueError(
            f"at must lie in {-length}..{length - 1}, but {places.min()}..{places.max()} came."
        )
    if places.ndim > 2 or (places.ndim == 2 and len(places) != rows):
        raise ValueError(f"at must have shape (K,) or ({rows}, K), but {tuple(places.shape)} came.")
    counted = torch.where(places < 0, places + length, places).long()
    return counted.reshape(places.shape or (1,)), places.ndim == 0


def checked_sizes(vocabulary: int | None, outputs: int | None) -> tuple[int | None, int]:
    """Vocabulary and outputs of a model, or a ValueError."""
    if vocabulary is not None:
        vocabulary = whole_number("vocabulary", vocabulary, least=1)
    if vocabulary is None and outputs is None:
        raise ValueError("a model without a vocabulary needs outputs=..., the number of logits.")
    outputs = vocabulary if outputs is None else whole_number("outputs", outputs, least=1)
    return vocabulary, outputs


def check_tokens(
    model: nn.Module, tokens: Tensor, mask: Tensor | None, cache: Any
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
    if are_ids:
        check_numbers("token ids", [int(end) for end in tokens.aminmax()], model.vocabulary)
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


def embedded(model: nn.Module, tokens: Tensor, mask: Tensor | None) -> Tensor:
    """The vectors (B, T, W) of tokens; embeddings come as they are, and are 0 where padding is."""
    if tokens.ndim == 2:
        return model.token(tokens)
    return tokens if mask is None else tokens.masked_fill(~mask[:, :, None], 0.0)
