"""Chapter 5: which bank of the river? The parity of all crossings so far, learned from examples.

A Transformer of one, two or four layers, and an LSTM with as many weights as two layers, answer at
every bridge of walks of 16; the share of right last banks is followed. The LSTM is trained for
half of the steps, and then walks over 128 bridges as well."""

from functools import partial

import torch
from torch import nn

from seqdec_lib.sequences import LSTM, Batch, Transformer, fit

SEEDS = (0, 1, 2, 3, 4)
LAYERS = (1, 2, 4)
CASES = ("LSTM", *(f"Transformer {layers}" for layers in LAYERS))
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
BRIDGES, RATE = 16, 0.003
STEPS, EVERY = 500, 50  # of 32 walks; the LSTM has half of the steps


def run(case: str, seed: int) -> dict[str, float]:
    """The share of walks whose last bank is named rightly, along the way and at the end."""
    torch.manual_seed(seed)
    model, steps = built(case), STEPS // 2 if case == "LSTM" else STEPS
    watch = partial(right, test=walks(torch.Generator().manual_seed(1000 + seed), 1000))
    settings = {"learning_rate": 0.01 if case == "LSTM" else RATE, "seed": seed}
    result = fit(model, walks, steps, watch=watch, evaluate_every=EVERY, **settings)
    found = {f"right {step}": share for step, share in result.watched}
    found["training"] = sum(result.losses[-20:]) / 20
    if case == "LSTM":
        far = walks(torch.Generator().manual_seed(2000 + seed), 300, 8 * BRIDGES)
        found["right far"] = right(model, far)
    return found


@torch.no_grad()
def right(model: nn.Module, test: Batch) -> float:
    """The share of walks (N, T) whose last bank is named rightly."""
    named = model(test.tokens, at=-1).argmax(-1)
    return (named == test.targets[:, -1]).double().mean().item()


def built(name: str) -> nn.Module:
    """The Transformer with so many layers, or the LSTM."""
    if name == "LSTM":
        return LSTM(2, width=56)
    layers = int(name.split()[1])
    return Transformer(2, BRIDGES, width=32, layers=layers, heads=4, init_std=0.09)


def walks(generator: torch.Generator, rows: int = 32, bridges: int = BRIDGES) -> Batch:
    crossings = torch.randint(2, (rows, bridges), generator=generator)
    return Batch(crossings, crossings.cumsum(1) % 2)
