"""The causal Transformer that the whole book runs on.

It reads tokens (or embeddings), gives one row of logits at each position asked for, and decodes
step by step with a cache of what it has read. Behavior cloning, Decision Transformer and language
model are this Transformer; only the tokens differ.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqdec_lib.sequences.tokens import (
    At,
    check_tokens,
    checked_sizes,
    embedded,
    pick,
    positions_at,
)
from seqdec_lib.validation import fraction, whole_number

ACTIVATIONS = {"gelu": nn.GELU, "gelu_tanh": partial(nn.GELU, "tanh"), "relu": nn.ReLU}
"""What stands between the two layers of an MLP; GPT-2's weights want "gelu_tanh"."""


class KeyValueCache:
    """Keys and values of the tokens that a Transformer has read, so that no token is read twice.

    Attributes
    ----------
    kept : (layers, 2, B, heads, context, width / heads), keys and values; only the first `length`
        places are filled
    mask : (B, context) bool, False where a token was padding; None while there was no padding
    length : tokens read so far, padding included
    blocks : the weights of each layer, for `read_one`
    """

    def __init__(
        self, kept: Tensor, blocks: list, mask: Tensor | None = None, length: int = 0
    ) -> None:
        self.kept, self.blocks, self.mask, self.length = kept, blocks, mask, length

    @property
    def batch(self) -> int:
        return self.kept.shape[2]

    def select(self, rows: Tensor) -> KeyValueCache:
        """A copy with these rows (M,) of the batch: to drop, repeat or reorder sequences."""
        mask = None if self.mask is None else self.mask[rows]
        return KeyValueCache(self.kept[:, :, rows], self.blocks, mask, self.length)

    def extend(self, mask: Tensor | None, new: int) -> Tensor | None:
        """Make room for `new` tokens; the mask (B, length) of all, None if none is padding."""
        self.length += new
        if mask is not None and self.mask is None:
            batch, context = self.kept.shape[2], self.kept.shape[4]
            self.mask = mask.new_ones(batch, context)
        if mask is not None:
            self.mask[:, self.length - new : self.length] = mask
        return None if self.mask is None else self.mask[:, : self.length]

    def read_one(self, x: Tensor, allowed: Tensor | None, activation: nn.Module) -> Tensor:
        """What all blocks make of one more token a row, (B, W) -> (B, W).

        These are the sums of `Block`, in as few calls as possible: for a single token, calls take
        longer than sums.
        """
        heads, width = self.kept.shape[3], x.shape[1]
        seen = self.kept[..., : self.length, :].unbind(0)  # (2, B, H, S, W / H) of each layer
        new = self.kept[..., self.length - 1, :].unbind(0)
        for weights, past, now in zip(self.blocks, seen, new, strict=True):
            scale_1, shift_1, scale_2, shift_2, of_qkv, bias_qkv, *rest = weights
            of_out, bias_out, of_hidden, bias_hidden, of_mlp, bias_mlp = rest
            qkv = F.linear(F.layer_norm(x, (width,), scale_1, shift_1), of_qkv, bias_qkv)
            qkv = qkv.view(len(x), 3, heads, -1).transpose(0, 1)
            now.copy_(qkv[1:])
            mixed = F.scaled_dot_product_attention(qkv[0].unsqueeze(2), *past.unbind(0), allowed)
            x = x + F.linear(mixed.flatten(1), of_out, bias_out)
            hidden = F.linear(F.layer_norm(x, (width,), scale_2, shift_2), of_hidden, bias_hidden)
            x = x + F.linear(activation(hidden), of_mlp, bias_mlp)
        return x


class SelfAttention(nn.Module):
    """Each position takes a weighted mean of the values of the positions that it may look at."""

    def __init__(self, width: int, heads: int, dropout: float, causal: bool) -> None:
        super().__init__()
        self.heads, self.dropout, self.causal = heads, dropout, causal
        self.to_qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        at: Tensor | None,
        allowed: Tensor | None,
        past: Tensor | None,
        maps: list[Tensor] | None,
    ) -> Tensor:
        """x (B, T, W) -> (B, K, W): the positions `at` (K,) or (B, K) look, or all T if None.

        `allowed` (..., K, S) says who may look at whom; None: at oneself and what came before, or,
        where the model isn't causal, at all. `past` (2, B, H, S, W / H): keys and values whose
        last T places take the new ones.
        """
        if at is None:
            q, k, v = map(self._by_head, self.to_qkv(x).chunk(3, dim=-1))
        else:  # queries only where they are asked for
            (of_q, of_kv), (bias_q, bias_kv) = (
                parameter.split([x.shape[-1], 2 * x.shape[-1]])
                for parameter in (self.to_qkv.weight, self.to_qkv.bias)
            )
            q = self._by_head(F.linear(pick(x, at), of_q, bias_q))
            k, v = map(self._by_head, F.linear(x, of_kv, bias_kv).chunk(2, dim=-1))
        if past is not None:
            past[0, :, :, -x.shape[1] :], past[1, :, :, -x.shape[1] :] = k, v
            k, v = past
        causal = self.causal and allowed is None and q.shape[2] > 1
        if maps is not None:
            seen = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=x.device)
            seen = (seen.tril() if causal else seen) if allowed is None else allowed
            maps.append(attention_weights(q, k, seen))
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, allowed, dropout, causal)
        return self.out(mixed.transpose(1, 2).flatten(2))  # (B, H, K, W/H) -> (B, K, W)

    def _by_head(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, T, W) -> (B, H, T, W/H)


class Block(nn.Module):
    """Look around, then think: x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(
        self, width: int, heads: int, dropout: float, causal: bool, activation: str
    ) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout, causal)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), ACTIVATIONS[activation](), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor, at: Tensor | None, *seen: object) -> Tensor:
        looked = self.attention(self.norm_1(x), at, *seen)
        x = (x if at is None else pick(x, at)) + self.dropout(looked)
        return x + self.dropout(self.mlp(self.norm_2(x)))


class Transformer(nn.Module):
    """A causal, pre-norm Transformer with GPT-2's layout.

    Parameters
    ----------
    vocabulary : number of token ids, or None if it is only ever given embeddings.
    context : most tokens that it can look at, padding included.
    width : numbers in the vector of a token, W; a multiple of `heads`.
    layers, heads : how often it looks around, and at how many things at a time.
    outputs : logits a position, default `vocabulary`.
    dropout : share of activations that are zeroed while training.
    positions : False leaves out the learned vector of each position.
    causal : False lets each position look at the whole sequence, its future included.
    tied : use the token vectors as the output weights too, as GPT-2 does.
    init_std : spread of the random weights at the start. GPT-2's 0.02 is made for a width of 768;
        a narrow model starts faster with about 0.5 / sqrt(width). Token vectors keep 0.02.
    activation : between the two layers of each MLP, one of `ACTIVATIONS`.

    Source: Vaswani et al., *Attention Is All You Need* (2017), equation 1; Radford et al.,
    *Language Models are Unsupervised Multitask Learners* (2019), section 2.3, for the layout.

    Raises
    ------
    ValueError
        Sizes below 1, a width that the heads can't share, dropout outside [0, 1], another
        activation.
    """

    def __init__(
        self,
        vocabulary: int | None,
        context: int,
        width: int = 64,
        layers: int = 2,
        heads: int = 4,
        outputs: int | None = None,
        dropout: float = 0.0,
        positions: bool = True,
        causal: bool = True,
        tied: bool = False,
        init_std: float = 0.02,
        activation: str = "gelu",
    ) -> None:
        super().__init__()
        self.vocabulary, self.outputs = checked_sizes(vocabulary, outputs)
        self.context = whole_number("context", context, least=1)
        self.width, self.heads = whole_number("width", width, 1), whole_number("heads", heads, 1)
        layers, dropout = whole_number("layers", layers, 1), fraction("dropout", dropout)
        self.causal, self.init_std = causal, init_std
        _check_choices(self, activation, tied)
        self.token = nn.Embedding(self.vocabulary, self.width) if self.vocabulary else None
        self.position = nn.Embedding(self.context, self.width) if positions else None
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.blocks = nn.ModuleList(
            Block(self.width, self.heads, dropout, causal, activation) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(self.width)
        self.head = nn.Linear(self.width, self.outputs, bias=False)
        self.apply(self._start)
        if tied:
            self.head.weight = self.token.weight

    def _start(self, module: nn.Module) -> None:
        """GPT-2's random start: small weights, smaller still where layers add up."""
        if isinstance(module, nn.Linear | nn.Embedding):
            is_linear = isinstance(module, nn.Linear)
            nn.init.normal_(module.weight, std=self.init_std if is_linear else 0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, Block):
            for last in (module.attention.out, module.mlp[-1]):
                nn.init.normal_(last.weight, std=self.init_std / math.sqrt(2 * len(self.blocks)))

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        at: At = None,
        cache: KeyValueCache | None = None,
        maps: list[Tensor] | None = None,
    ) -> Tensor:
        """Logits at the positions asked for.

        Parameters
        ----------
        tokens : (B, T) token ids, or (B, T, W) embeddings.
        mask : (B, T) bool, False where a token is padding, on either side; None: no padding.
            Nobody looks at padding, and positions count from the first token that is none.
        at : which positions to answer: None for all, one number, a slice, positions (K,) that
            hold for all rows, or (B, K) of their own. The last layer computes only these.
        cache : what was read before (`new_cache`); `tokens` continue it, and are added to it.
        maps : a list to which each layer adds its attention weights (B, heads, K, S).

        Returns
        -------
        (B, outputs) where `at` is one number, otherwise (B, K, outputs), K = T for None.

        Raises
        ------
        ValueError
            An empty batch, more tokens than the context, an id outside the vocabulary, a row of
            nothing but padding, positions that don't exist, a cache of another batch size.
        """
        rows, new = check_tokens(self, tokens, mask, cache)
        before = 0 if cache is None else cache.length
        if before + new > self.context:
            raise ValueError(
                f"the context is {self.context} tokens, but {before + new} came; keep the last "
                f"{self.context}, or build the model with a longer context."
            )
        at, squeeze = positions_at(at, rows, new)
        at = at if at is None else at.to(tokens.device)
        mask = None if mask is None or mask.all() else mask
        seen = mask if cache is None else cache.extend(mask, new)
        allowed = self._allowed(seen, before, new, tokens.device)
        x = self.dropout(self._placed(embedded(self, tokens, mask), seen, before))
        if cache is not None and new == 1 and maps is None and not self.training:
            x = cache.read_one(x[:, 0], allowed, self.blocks[0].mlp[1])[:, None]
        else:
            kept = None if cache is None else cache.kept[..., : before + new, :]
            x = self._read(x, at, allowed, kept, maps)
        logits = self.head(self.norm(x))
        return logits[:, 0] if squeeze else logits

    def _read(
        self,
        x: Tensor,
        at: Tensor | None,
        allowed: Tensor | None,
        kept: Tensor | None,
        maps: list[Tensor] | None,
    ) -> Tensor:
        """What the blocks make of tokens: (B, T, W) -> (B, K, W)."""
        *first, last = self.blocks
        pasts = [None] * len(self.blocks) if kept is None else kept.unbind(0)
        for block, past in zip(first, pasts, strict=False):
            x = block(x, None, allowed, past, maps)
        allowed = allowed if at is None else self._rows_of(allowed, at, x.shape[1])
        return last(x, at, allowed, pasts[-1], maps)

    def new_cache(self, batch: int) -> KeyValueCache:
        """An empty cache for a batch of this size."""
        sizes = (len(self.blocks), 2, whole_number("batch", batch, least=1), self.heads)
        kept = self.head.weight.new_empty(*sizes, self.context, self.width // self.heads)
        return KeyValueCache(kept.detach(), [tuple(block.parameters()) for block in self.blocks])

    @torch.no_grad()
    def attention(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Who looks at whom: weights (layers, B, heads, T, T), each row sums to 1."""
        maps: list[Tensor] = []
        self(tokens, mask, maps=maps)
        return torch.stack(maps)

    def _placed(self, x: Tensor, seen: Tensor | None, before: int) -> Tensor:
        """Add the vectors of the positions to those of the tokens: (B, T, W)."""
        if self.position is None:
            return x
        if seen is None:
            return x + self.position.weight[before : before + x.shape[1]]
        places = (seen.cumsum(1) - 1).clamp(min=0)[:, before:]  # 0 is the first that isn't padding
        return x + self.position(places)

    def _allowed(
        self, seen: Tensor | None, before: int, new: int, device: torch.device
    ) -> Tensor | None:
        """(T, S) or (B, 1, T, S) bool, True where a position may look; None: as attention does."""
        causal = self.causal and new > 1  # a single token may look at all that came before
        if seen is None and not (causal and before):
            return None
        every = torch.ones(new, before + new, dtype=torch.bool, device=device)
        allowed = every.tril(before) if causal else every
        if seen is None:
            return allowed
        # Padding looks at itself: a softmax over nothing would be NaN.
        return (allowed & seen[:, None, None]) | every.tril(before).triu(before)

    def _rows_of(self, allowed: Tensor | None, at: Tensor, new: int) -> Tensor | None:
        """The rows of `allowed` that belong to the positions asked for: (..., K, S)."""
        if allowed is None:
            if not self.causal:
                return None
            allowed = torch.ones(new, new, dtype=torch.bool, device=at.device).tril()
        if at.ndim == 1:
            return allowed.index_select(-2, at)
        if allowed.ndim == 2:
            return allowed[at][:, None]  # (T, S)[(B, K)] -> (B, 1, K, S)
        return allowed.gather(2, at[:, None, :, None].expand(-1, 1, -1, allowed.shape[3]))


def _check_choices(model: Transformer, activation: str, tied: bool) -> None:
    if model.width % model.heads:
        raise ValueError(
            f"width must be a multiple of heads, but width={model.width} and heads={model.heads} "
            f"came; pass for example width={model.heads * math.ceil(model.width / model.heads)}."
        )
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {[*ACTIVATIONS]}, but {activation!r} came.")
    if tied and model.outputs != model.vocabulary:
        raise ValueError(
            "tied output weights need as many outputs as the vocabulary has tokens, but "
            f"vocabulary={model.vocabulary} and outputs={model.outputs} came; leave out `outputs`."
        )


def attention_weights(q: Tensor, k: Tensor, allowed: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(width)) over the allowed keys: (..., K, D), (..., S, D) -> (..., K, S).

    `allowed` is bool, (..., K, S).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return scores.masked_fill(~allowed, -math.inf).softmax(dim=-1)
