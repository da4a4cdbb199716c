"""The one sampler: from logits to the next token, and on, token by token.

An action, a day of a trip and a word of a sentence are drawn in the same way."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.tokens import evaluating
from seqdec_lib.sequences.transformer import Transformer
from seqdec_lib.validation import nonnegative_number, whole_number


def choose(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw a token from each row of logits: (..., K) -> (...) int; temperature 0 takes the best.

    Parameters and errors are those of `distribution`, which it draws from."""
    if temperature == 0:
        _check_sampling(temperature, top_k, top_p)
        _best(logits)
        return logits.argmax(-1)
    cumulative = distribution(logits, temperature, top_k, top_p).cumsum(-1)
    # Drawn where the generator is: on every device the same numbers.
    where = {"generator": generator, "device": "cpu" if generator is None else generator.device}
    draws = torch.rand(*cumulative.shape[:-1], 1, dtype=torch.float64, **where)
    # The last sum may be 0.9999...: scaling the draw instead keeps every token in range.
    draws = draws.to(logits.device) * cumulative[..., -1:]
    return torch.searchsorted(cumulative, draws, right=True).squeeze(-1)


def distribution(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """The probabilities (..., K) of the next token, in double precision.

    logits : (..., K) numbers, or -inf for what is never to be chosen.
    temperature : divides the logits; below 1 sharpens, above 1 flattens, 0 is argmax.
    top_k : keep only so many of the best tokens, of equally good ones the first.
    top_p : of these, keep only the fewest best that hold so much probability.

    Source: Holtzman et al., *The Curious Case of Neural Text Degeneration* (2020), for top_p.

    Raises ValueError: a temperature below 0, top_k below 1, top_p outside (0, 1]; logits that are
        NaN or inf, or rows without a choice."""
    _check_sampling(temperature, top_k, top_p)
    best = _best(logits)
    if temperature == 0:
        place = logits.argmax(-1, keepdim=True)
        return torch.zeros_like(logits, dtype=torch.float64).scatter(-1, place, 1.0)
    # At most 0, so that no temperature, however small or large, gives anything but a number.
    scaled = (logits.double() - best) / temperature
    if top_k is None and top_p is None:
        return scaled.softmax(-1)
    ranked, order = scaled.sort(dim=-1, descending=True, stable=True)
    ranked[..., top_k or order.shape[-1] :] = -math.inf
    p = ranked.softmax(-1)
    if top_p is not None:
        p[p.cumsum(-1) - p >= top_p] = 0.0  # those before it hold enough already
    return torch.zeros_like(p).scatter(-1, order, p / p.sum(-1, keepdim=True))


def _best(logits: Tensor) -> Tensor:
    """The largest of each row, (..., 1); a row without a choice is an error."""
    if not logits.shape[-1]:
        raise ValueError("each row of logits needs a token to choose, but they are empty.")
    best = logits.amax(-1, keepdim=True)  # inf and NaN, if there are any
    if not best.isfinite().all():
        raise ValueError(
            "logits must be numbers or -inf (never to be chosen), with a number in each row, but "
            "NaN, inf or a row of -inf came."
        )
    return best


def _check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    nonnegative_number("temperature", temperature)
    if top_k is not None:
        whole_number("top_k", top_k, least=1)
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], but {top_p!r} came.")


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

    The model answers without dropout, and is left in the mode in which it came.

    prompt : (B, T) token ids; prompts of different lengths are padded on the LEFT, see `mask`.
    mask : (B, T) bool, False where the prompt is padding.
    temperature, top_k, top_p : as for `distribution`.
    stop : the token that ends a sequence; what follows it is filled up with it.
    cached : False reads the whole sequence anew for each token, as a check.
    Raises ValueError: a prompt with padding on the right, more tokens than the context, and all
        that `choose` and the model complain about."""
    steps = whole_number("steps", steps, least=1)
    _check_padding(mask)
    with evaluating(model), torch.inference_mode():
        cache = model.new_cache(len(prompt)) if cached else None
        ended, made, read, seen = prompt.new_zeros((), dtype=torch.bool), [], prompt, mask
        while len(made) < steps and not ended.all():
            chosen = choose(model(read, seen, -1, cache), temperature, top_k, top_p, generator)
            if stop is not None:
                chosen = torch.where(ended, stop, chosen)
                ended = chosen == stop
            made.append(chosen)
            read, seen = chosen[:, None], None
            if not cached:
                read = torch.cat([prompt, torch.stack(made, 1)], 1)
                seen = None if mask is None else F.pad(mask, (0, len(made)), value=True)
    return torch.stack(made, 1)  # outside of inference mode, so that one may train on it


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

    prompt, mask, stop : as for `generate`.

    Returns tokens (B, width, steps), the likeliest first, and their log-probabilities (B, width) in
    nats, -inf where there are fewer sequences than `width`.
    Raises ValueError: as for `generate`; a width below 1."""
    steps, width = whole_number("steps", steps, least=1), whole_number("width", width, least=1)
    _check_padding(mask)
    with evaluating(model):
        cache = model.new_cache(len(prompt))
        logits = model(prompt, mask, -1, cache)
        first = torch.arange(len(prompt), device=prompt.device)[:, None] * width  # beams, by prompt
        rows = first.expand(-1, width).flatten() // width
        logits, cache = logits[rows], cache.select(rows)
        scores = logits.new_full((len(prompt), width), -math.inf, dtype=torch.float64)
        scores[:, 0] = 0.0  # all beams of a prompt are still the same one
        made = prompt.new_empty(len(prompt) * width, 0)
        for step in range(steps):
            gains = logits.double().log_softmax(-1)
            if stop is not None and step:
                ended = made[:, -1] == stop
                gains[ended] = -math.inf
                gains[ended, stop] = 0.0
            total = (scores[:, :, None] + gains.unflatten(0, (-1, width))).flatten(1)
            scores, best = total.topk(width)  # (B, width) of width * vocabulary
            rows, chosen = (best // gains.shape[1] + first).flatten(), best % gains.shape[1]
            made = torch.cat([made[rows], chosen.reshape(-1, 1)], 1)
            if step + 1 < steps:
                cache = cache.select(rows)
                logits = model(made[:, -1:], None, -1, cache)
    return made.unflatten(0, (-1, width)), scores


def _check_padding(mask: Tensor | None) -> None:
    if mask is not None and not mask[:, -1].all():
        raise ValueError("prompts must be padded on the left: the last token of each is to go on.")
