"""Small models with large weights, and tokens for them."""

import pytest
import torch
from hypothesis import settings

from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.transformer import Transformer

VOCABULARY, CONTEXT = 11, 12

few = settings(max_examples=15, deadline=None)


def with_large_weights(model: torch.nn.Module) -> torch.nn.Module:
    """The model in eval mode, far from its small start, where all would look alike."""
    for parameter in model.eval().parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def transformer(**options) -> Transformer:
    torch.manual_seed(0)
    model = Transformer(VOCABULARY, CONTEXT, width=16, layers=2, heads=4, **options)
    return with_large_weights(model)


def lstm(**options) -> LSTM:
    torch.manual_seed(0)
    return LSTM(VOCABULARY, width=16, layers=2, **options).eval()


def tokens(rows: int = 3, length: int = CONTEXT, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(VOCABULARY, (rows, length), generator=generator)


both = pytest.mark.parametrize("make", [transformer, lstm])


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def padded(x: torch.Tensor, left: int, right: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Row 1 loses tokens to padding on either side, which is filled with rubbish."""
    y, mask = x.clone(), torch.ones_like(x, dtype=torch.bool)
    kept = x[1, : x.shape[1] - left - right]
    y[1], mask[1] = 7, False
    y[1, left : left + len(kept)], mask[1, left : left + len(kept)] = kept, True
    return y, mask
