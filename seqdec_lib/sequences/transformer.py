"""The causal Transformer that the whole book runs on.

It reads tokens (or embeddings), gives one row of logits at each position asked for, and decodes
step by step with a cache of what it has read. Behavior cloning, Decision Transformer and language
model are this Transformer; only the tokens differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqdec_lib.sequences.tokens import At, check_tokens, checked_sizes, pick, positions_at
from seqdec_lib.validation import fraction, whole_number


class KeyValueCache:
    """Keys and values of the tokens that a Transformer has read, so that no token is read twice.

    Attributes
    ----------
    keys, values : (layers, B, heads, context, width / heads); only the first `length` are filled
    mask : (B, context) bool; False where a token was padding
    length : tokens read so far, padding included
    """

    def __init__(self, keys: Tensor, values: Tensor, mask: Tensor, length: int = 0) -> None:
        self.keys, self.values, self.mask, self.length = keys, values, mask, length

    @property
    def batch(self) -> int:
        return len(self.mask)

    def select(self, rows: Tensor) -> KeyValueCache:
        """A copy with these rows (M,) of the batch: to drop, repeat or reorder sequences."""
        return KeyValueCache(self.keys[:, rows], self.values[:, rows], self.mask[rows], self.length)


class SelfAttention(nn.Module):
    """Each position takes a weighted mean of the values of the positions that it may look at."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.to_qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        at: Tensor | None,
        allowed: Tensor | None,
        past: tuple[Tensor, Tensor] | None,
        maps: list[Tensor] | None,
    ) -> Tensor:
        """x (B, T, W) -> (B, K, W): the positions `at` (B, K) look, or all T if it is None.

        `allowed` (..., K, S) says who may look at whom; None: at oneself and what came before.
        `past`: two views (B, H, S, W / H) whose last T places take the new keys and values.
        """
        if at is None:
            q, k, v = map(self._by_head, self.to_qkv(x).chunk(3, dim=-1))
        else:  # queries only where they are asked for
            (of_q, of_kv), (bias_q, bias_kv) = (
                parameter.split([x.shape[-1], 2 * x.shape[-1]]) for parameter in self._qkv()
            )
            q = self._by_head(F.linear(pick(x, at), of_q, bias_q))
            k, v = map(self._by_head, F.linear(x, of_kv, bias_kv).chunk(2, dim=-1))
        if past is not None:
            past[0][:, :, -x.shape[1] :], past[1][:, :, -x.shape[1] :] = k, v
            k, v = past
        if maps is not None:
            maps.append(attention_weights(q, k, allowed))
        mixed = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=allowed,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=allowed is None,
        )
        return self.out(mixed.transpose(1, 2).flatten(2))  # (B, H, K, W/H) -> (B, K, W)

    def _qkv(self) -> tuple[Tensor, Tensor]:
        return self.to_qkv.weight, self.to_qkv.bias

    def _by_head(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, T, W) -> (B, H, T, W/H)


class Block(nn.Module):
    """Look around, then think: x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

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

    Source: Vaswani et al., *Attention Is All You Need* (2017), equation 1; Radford et al.,
    *Language Models are Unsupervised Multitask Learners* (2019), section 2.3, for the layout.

    Raises
    ------
    ValueError
        Sizes below 1, a width that the heads can't share, dropout outside [0, 1].
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
    ) -> None:
        super().__init__()
        self.vocabulary, self.outputs = checked_sizes(vocabulary, outputs)
        self.context = whole_number("context", context, least=1)
        self.width, self.heads = whole_number("width", width, 1), whole_number("heads", heads, 1)
        self.causal, dropout = causal, fraction("dropout", dropout)
        if self.width % self.heads:
            raise ValueError(
                f"width must be a multiple of heads, but width={width} and heads={heads} came; "
                f"pass for example width={heads * math.ceil(width / heads)}."
            )
        self.token = nn.Embedding(self.vocabulary, self.width) if self.vocabulary else None
        self.position = nn.Embedding(self.context, self.width) if positions else None
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(self.width, self.heads, dropout) for _ in range(whole_number("layers", layers, 1))
        )
        self.norm = nn.LayerNorm(self.width)
        self.head = nn.Linear(self.width, self.outputs, bias=False)
        if tied and (self.token is None or self.outputs != self.vocabulary):
            raise ValueError(
                "tied output weights need as many outputs as the vocabulary has tokens, but "
                f"vocabulary={vocabulary!r} and outputs={outputs!r} came; leave out `outputs`."
            )
        self.init_std = init_std
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
        at_rows, squeeze = positions_at(at, rows, new)
        seen = self._seen(tokens, mask, cache, rows, new)
        allowed = self._allowed(seen, before, new)
        x = self.dropout(self._embed(tokens, seen, before))
        for i, block in enumerate(self.blocks):
            past = None
            if cache is not None:
                past = (cache.keys[i, :, :, : before + new], cache.values[i, :, :, : before + new])
            if i + 1 < len(self.blocks):
                x = block(x, None, allowed, past, maps)
            else:
                x = block(x, at_rows, self._rows_of(allowed, at_rows, new), past, maps)
        logits = self.head(self.norm(x))
        return logits[:, 0] if squeeze else logits

    def new_cache(self, batch: int) -> KeyValueCache:
        """An empty cache for a batch of this size."""
        weight = self.head.weight
        shape = (len(self.blocks), whole_number("batch", batch, least=1), self.heads, self.context)
        keys = torch.zeros(*shape, self.width // self.heads, dtype=weight.dtype)
        mask = torch.ones(batch, self.context, dtype=torch.bool)
        return KeyValueCache(keys, torch.zeros_like(keys), mask)

    @torch.no_grad()
    def attention(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Who looks at whom: weights (layers, B, heads, T, T), each row sums to 1."""
        maps: list[Tensor] = []
        self(tokens, mask, maps=maps)
        return torch.stack(maps)

    def _embed(self, tokens: Tensor, seen: Tensor | None, before: int) -> Tensor:
        x = tokens if tokens.ndim == 3 else self.token(tokens)  # (B, T, W)
        if self.position is None:
            return x
        if seen is None:
            return x + self.position.weight[before : before + x.shape[1]]
        places = (seen.cumsum(1) - 1).clamp(min=0)[:, before:]  # 0 is the first that isn't padding
        return x + self.position(places)

    def _seen(
        self,
        tokens: Tensor,
        mask: Tensor | None,
        cache: KeyValueCache | None,
        rows: int,
        new: int,
    ) -> Tensor | None:
        """(B, S) bool, True where there is a token; None where there is no padding at all."""
        if cache is None:
            return None if mask is None or mask.all() else mask
        end = cache.length + new
        if mask is not None:
            cache.mask[:, cache.length : end] = mask
        cache.length = end
        return None if cache.mask[:, :end].all() else cache.mask[:, :end]

    def _allowed(self, seen: Tensor | None, before: int, new: int) -> Tensor | None:
        """(T, S) or (B, 1, T, S) bool, True where a position may look; None: the causal default."""
        if self.causal and seen is None and not before:
            return None
        allowed = torch.ones(new, before + new, dtype=torch.bool)
        itself = allowed.tril(before).triu(before)
        allowed = allowed.tril(before) if self.causal else allowed
        if seen is None:
            return allowed
        # Padding looks at itself: a softmax over nothing would be NaN.
        return (allowed & seen[:, None, None]) | itself

    def _rows_of(self, allowed: Tensor | None, at: Tensor | None, new: int) -> Tensor | None:
        if at is None:
            return allowed
        if allowed is None:
            allowed = torch.ones(new, new, dtype=torch.bool).tril()
        if allowed.ndim == 2:
            return allowed[at][:, None]  # (T, S)[(B, K)] -> (B, 1, K, S)
        return allowed.gather(2, at[:, None, :, None].expand(-1, 1, -1, allowed.shape[3]))

    @classmethod
    def from_gpt2(cls, weights: Mapping[str, Tensor], heads: int) -> Transformer:
        """Build a Transformer from weights that are named and laid out as GPT-2's.

        Raises
        ------
        ValueError
            A weight that is missing.
        """
        names = {name.removeprefix("transformer."): value for name, value in weights.items()}
        if missing := {"wte.weight", "wpe.weight", "h.0.mlp.c_fc.weight"} - set(names):
            raise ValueError(
                f"weights must be laid out as GPT-2's, but {sorted(missing)} is missing."
            )
        (vocabulary, width), context = names["wte.weight"].shape, len(names["wpe.weight"])
        layers = 1 + max(int(name.split(".")[1]) for name in names if name.startswith("h."))
        model = cls(vocabulary, context, width, layers, heads, tied=True)
        ours = {}
        for name in model.state_dict():
            theirs = gpt2_name(name)
            if theirs not in names:
                raise ValueError(f"weights must be laid out as GPT-2's, but {theirs!r} is missing.")
            transposed = ".c_" in theirs and theirs.endswith("weight")  # GPT-2 keeps (in, out)
            ours[name] = names[theirs].T if transposed else names[theirs]
        model.load_state_dict(ours)
        return model


GPT2_NAMES = {
    "token": "wte",
    "position": "wpe",
    "blocks": "h",
    "norm_1": "ln_1",
    "norm_2": "ln_2",
    "attention.to_qkv": "attn.c_attn",
    "attention.out": "attn.c_proj",
    "mlp.0": "mlp.c_fc",
    "mlp.2": "mlp.c_proj",
}


def gpt2_name(name: str) -> str:
    """What GPT-2 calls one of our weights."""
    name = {"norm.weight": "ln_f.weight", "norm.bias": "ln_f.bias"}.get(name, name)
    name = "wte.weight" if name == "head.weight" else name
    for ours, theirs in GPT2_NAMES.items():
        name = name.replace(ours, theirs)
    return name


def attention_weights(q: Tensor, k: Tensor, allowed: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt(width)) over the allowed keys: (..., K, D), (..., S, D) -> (..., K, S).

    `allowed` is bool, (..., K, S); None: each looks at itself and what came before (K = S).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if allowed is None:
        allowed = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    return scores.masked_fill(~allowed, -math.inf).softmax(dim=-1)
