"""Chapter 5: is it the unseen distances that mislead rotary positions on longer rows?

The table `position_schemes` says what is trained. Here the rotary reader is asked twice on rows of
96: as it is, and with all distances masked that rows of 32 don't have. Nothing is trained anew."""

from functools import partial

import torch
from torch import Tensor

from evidence.tables import position_schemes as schemes
from seqdec_lib.sequences import fit

SEEDS = (0, 1, 2, 3, 4)
CASES = ("rotary",)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
FIRST = 32  # the first place from which an unseen distance can be looked at; and the window


def run(case: str, seed: int) -> dict[str, float]:
    """Right letters (share) behind the trained length, and the last place's attention beyond it."""
    torch.manual_seed(seed)
    model = schemes.Reader(case)
    draw = partial(schemes.rows, count=schemes.ROWS, length=schemes.SHORT)
    fit(model, draw, schemes.STEPS, learning_rate=schemes.RATE)
    batch = schemes.rows(torch.Generator().manual_seed(1000 + seed), 500, schemes.LONG)
    found = {}
    for name, window in (("all", schemes.LONG), ("window", FIRST)):
        logits, weights, distance = read(model, batch.tokens, window)
        right = logits[:, schemes.BACK :].argmax(-1) == batch.targets
        found[f"right, {name}"] = right[:, FIRST - schemes.BACK :].double().mean().item()
        unseen = (weights * (distance >= FIRST)).sum(-1)[..., -1]
        found[f"unseen, {name}"] = unseen.mean().item()
    return found


@torch.no_grad()
def read(model: schemes.Reader, tokens: Tensor, window: int) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (B, T, letters), weights (B, H, T, T), distances (T, T); none of `window` or more."""
    x, places = model.token(tokens), torch.arange(tokens.shape[1])
    q, k, v = (
        part.unflatten(2, (schemes.HEADS, -1)).transpose(1, 2)
        for part in model.to_qkv(model.norm_1(x)).chunk(3, dim=-1)
    )
    q, k = schemes.rotated(q, places), schemes.rotated(k, places)
    distance = places[:, None] - places
    hidden = (distance < 0) | (distance >= window)
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
    x = x + model.out((weights @ v).transpose(1, 2).flatten(2))
    x = x + model.mlp(model.norm_2(x))
    return model.head(model.norm(x)), weights, distance
