"""The LSTM that the Transformer is compared with: the same interface, another memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqdec_lib.sequences.tokens import (
    At,
    check_tokens,
    checked_sizes,
    embedded,
    pick,
    positions_at,
)
from seqdec_lib.validation import fraction, whole_number


class LSTMState:
    """All that an LSTM remembers: h and c, (layers, B, width) each, however much it has read."""

    def __init__(self, h: Tensor, c: Tensor, length: int = 0) -> None:
        self.h, self.c, self.length = h, c, length

    @property
    def batch(self) -> int:
        return self.h.shape[1]

    def select(self, rows: Tensor) -> LSTMState:
        """A copy with these rows (M,) of the batch: to drop, repeat or reorder sequences."""
        return LSTMState(self.h[:, rows], self.c[:, rows], self.length)


class LSTM(nn.Module):
    """A long short-term memory with the Transformer's interface; it has no longest context.

    Parameters
    ----------
    vocabulary : number of token ids, or None if it is only ever given embeddings.
    width : numbers in the vector of a token and in the memory, W.
    layers, outputs, dropout : as for the Transformer; dropout is between and after layers.
    forget_bias : what is added to the forget gate at the start, so that memories last.

    Source: Hochreiter and Schmidhuber, *Long Short-Term Memory* (1997); Gers, Schmidhuber and
    Cummins, *Learning to Forget* (2000), for the forget gate.
    """

    def __init__(
        self,
        vocabulary: int | None,
        width: int = 64,
        layers: int = 1,
        outputs: int | None = None,
        dropout: float = 0.0,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.outputs = checked_sizes(vocabulary, outputs)
        self.width, layers = whole_number("width", width, 1), whole_number("layers", layers, 1)
        dropout = fraction("dropout", dropout)
        self.token = nn.Embedding(self.vocabulary, self.width) if self.vocabulary else None
        between = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(self.width, self.width, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.width, self.outputs, bias=False)
        for layer in range(layers):  # torch's order of gates: input, forget, cell, output
            nn.init.zeros_(getattr(self.lstm, f"bias_hh_l{layer}"))
            bias = getattr(self.lstm, f"bias_ih_l{layer}")
            nn.init.zeros_(bias)
            bias.data[self.width : 2 * self.width] = forget_bias

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        at: At = None,
        cache: LSTMState | None = None,
    ) -> Tensor:
        """Logits at the positions asked for; arguments, result and errors as the Transformer's.

        The tokens of a row that aren't padding must stand side by side.
        """
        rows, new = check_tokens(self, tokens, mask, cache)
        at, squeeze = positions_at(at, rows, new)
        at = at if at is None else at.to(tokens.device)
        x = embedded(self, tokens, mask)
        state = None if cache is None else (cache.h, cache.c)
        if mask is None or mask.all():
            x, state = self.lstm(x, state)
        else:
            x, state = self._unpadded(x, mask, state)
        if cache is not None:
            (cache.h, cache.c), cache.length = state, cache.length + new
        logits = self.head(self.dropout(x if at is None else pick(x, at)))
        return logits[:, 0] if squeeze else logits

    def new_cache(self, batch: int) -> LSTMState:
        """The memory of having read nothing, for a batch of this size."""
        sizes = (self.lstm.num_layers, whole_number("batch", batch, least=1), self.width)
        zeros = self.head.weight.detach().new_zeros(sizes)
        return LSTMState(zeros, zeros.clone())

    def _unpadded(
        self, x: Tensor, mask: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Move each row's tokens to the front, so that padding never enters the memory."""
        start, places = (
            mask.int().argmax(1, keepdim=True),
            torch.arange(x.shape[1], device=x.device),
        )
        lengths = mask.sum(1)
        if ((places >= start) & (places < start + lengths[:, None]) != mask).any():
            raise ValueError(
                "an LSTM needs the tokens of a row side by side: no padding in between."
            )
        packed = pack_padded_sequence(
            pick(x, (places + start) % x.shape[1]),
            lengths.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        packed, state = self.lstm(packed, state)
        x, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        return pick(x, (places - start) % x.shape[1]), state
