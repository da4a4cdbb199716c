"""The one sampler: from logits to the next token, and on, token by token.

An action, a day of a trip and a word of a sentence are drawn in the same way.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.transformer import Transformer
from seqdec_lib.validation import whole_number


def choose(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw a token from each row of logits: (..., K) -> (...) int; temperature 0 takes the best.

    Parameters
    ----------
    temperature : divides the logits; below 1 sharpens, above 1 flattens, 0 is argmax.
    top_k, top_p : as for `likely`.

    Raises
    ------
    ValueError
        A temperature below 0, rows without a choice, NaN.
    """
    rows = distribution(logits, temperature, top_k, top_p)
    if temperature == 0:
        return rows.argmax(-1)
    return torch.multinomial(rows.flatten(0, -2), 1, generator=generator).reshape(rows.shape[:-1])


def distribution(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """The probabilities (..., K) that `choose` draws from; arguments and errors as there."""
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature must be a number of at least 0, but {temperature!r} came.")
    if logits.isnan().any() or (logits == math.inf).any():
        raise ValueError(
            "logits must be numbers or -inf (never to be chosen), but NaN or inf came."
        )
    if logits.numel() == 0 or (logits == -math.inf).all(-1).any():
        raise ValueError(
            "each row of logits needs a token to choose, but one is empty or all -inf."
        )
    logits = likely(logits, top_k, top_p, temperature or 1.0)
    if temperature == 0:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    return (logits / temperature).softmax(-1)


def likely(
    logits: Tensor, top_k: int | None = None, top_p: float | None = None, temperature: float = 1.0
) -> Tensor:
    """Keep the best `top_k` logits, of these the fewest that hold `top_p`; all others become -inf.

    Source: Holtzman et al., *The Curious Case of Neural Text Degeneration* (2020), for top_p.

    Raises
    ------
    ValueError
        top_k below 1, top_p outside (0, 1].
    """
    if top_k is None and top_p is None:
        return logits
    ranked, order = logits.sort(dim=-1, descending=True, stable=True)
    dropped = torch.zeros_like(ranked, dtype=torch.bool)
    if top_k is not None:
        dropped[..., whole_number("top_k", top_k, least=1) :] = True
    if top_p is not None:
        if not 0 < top_p <= 1:
            raise ValueError(f"top_p must lie in (0, 1], but {top_p!r} came.")
        p = (ranked.masked_fill(dropped, -math.inf) / temperature).softmax(-1)
        dropped |= p.cumsum(-1) - p >= top_p  # those before it hold enough already
    return logits.masked_fill(torch.zeros_like(dropped).scatter(-1, order, dropped), -math.inf)


@torch.no_grad()
def generate(
    model: Transformer | LSTM,
    prompt: Tensor,
    steps: int,
    mask: Tensor | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop: int | None = None,
    generator: torch.Generator | None = None,
    cached: bool = True,
) -> Tensor:
    """Continue prompts by at most `steps` tokens, all in one batch: (B, T) -> (B, <= steps).

    Parameters
    ----------
    prompt : (B, T) token ids; prompts of different lengths are padded on the LEFT, see `mask`.
    mask : (B, T) bool, False where the prompt is padding.
    stop : the token that ends a sequence; what follows it is filled up with it.
    cached : False reads the whole sequence anew for each token, as a check.

    Raises
    ------
    ValueError
        A prompt with padding on the right, more tokens than the context, and all that `choose`
        and the model complain about.
    """
    steps = whole_number("steps", steps, least=1)
    _check_padding(mask)
    model.eval()
    cache = model.new_cache(len(prompt)) if cached and len(prompt) else None
    tokens, seen = prompt, mask
    made, ended = [], torch.zeros(len(prompt), dtype=torch.bool)
    for _ in range(steps):
        chosen = choose(model(tokens, seen, -1, cache), temperature, top_k, top_p, generator)
        if stop is not None:
            chosen = torch.where(ended, stop, chosen)
            ended |= chosen == stop
        made.append(chosen)
        if ended.all():
            break
        tokens, seen = chosen[:, None], None
        if not cached:
            tokens = torch.cat([prompt, torch.stack(made, 1)], 1)
            seen = (
                None
                if mask is None
                else torch.cat([mask, torch.ones(len(made[0]), len(made), dtype=torch.bool)], 1)
            )
    return torch.stack(made, 1)


@torch.no_grad()
def beam_search(
    model: Transformer | LSTM,
    prompt: Tensor,
    steps: int,
    width: int,
    mask: Tensor | None = None,
    stop: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Look for the likeliest continuations: keep the best `width` beginnings, step by step.

    A width of 1 is greedy decoding; a width of at least the number of beginnings finds the best of
    all sequences. In between nothing is promised.

    Parameters
    ----------
    prompt, mask, stop : as for `generate`.

    Returns
    -------
    Tokens (B, width, steps), the likeliest first, and their log-probabilities (B, width) in nats,
    -inf where there are fewer sequences than `width`.

    Raises
    ------
    ValueError
        As for `generate`; a width below 1.
    """
    steps, width = whole_number("steps", steps, least=1), whole_number("width", width, least=1)
    _check_padding(mask)
    model.eval()
    batch, cache = len(prompt), model.new_cache(len(prompt))
    logits = model(prompt, mask, -1, cache)
    rows = torch.arange(batch).repeat_interleave(width)
    logits, cache = logits[rows], cache.select(rows)
    scores = torch.full((batch, width), -math.inf, dtype=torch.float64)
    scores[:, 0] = 0.0  # all beams of a prompt are still the same one
    made = torch.empty(batch * width, 0, dtype=torch.long)
    for step in range(steps):
        gains = logits.double().log_softmax(-1)
        if stop is not None and step:
            ended = made[:, -1] == stop
            gains[ended] = -math.inf
            gains[ended, stop] = 0.0
        total = (scores[:, :, None] + gains.unflatten(0, (batch, width))).flatten(1)
        scores, best = total.topk(width)  # (B, width) of width * vocabulary
        rows = (best // gains.shape[1] + width * torch.arange(batch)[:, None]).flatten()
        chosen = best.flatten() % gains.shape[1]
        made = torch.cat([made[rows], chosen[:, None]], 1)
        if step + 1 < steps:
            cache = cache.select(rows)
            logits = model(chosen[:, None], None, -1, cache)
    return made.unflatten(0, (batch, width)), scores


def _check_padding(mask: Tensor | None) -> None:
    if mask is not None and not mask[:, -1].all():
        raise ValueError("prompts must be padded on the left: the last token of each is to go on.")
