"""Chapter 5: which bank of the river? The parity of all crossings so far, learned from examples.

A Transformer of one, two or four layers, and an LSTM with as many weights as two layers, answer at
every bridge of walks of 16, after short and long training; the LSTM also on walks of 128."""

import torch
from torch import nn

from seqdec_lib.sequences import LSTM, Batch, Transformer, fit, sequence_loss

SEEDS = (0, 1, 2, 3, 4)
BUDGETS = (200, 600)  # steps of 32 walks
CASES = (
    *(f"Transformer {layers}, {steps}" for layers in (1, 2, 4) for steps in BUDGETS),
    "LSTM, 200",
)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
BRIDGES, RATE = 16, 0.003


def run(case: str, seed: int) -> dict[str, float]:
    """The share of walks whose last bank is named rightly, and the loss at the last bridge."""
    name, _, steps = case.partition(", ")
    torch.manual_seed(seed)
    model = built(name)
    result = fit(model, walks, int(steps), learning_rate=RATE, seed=seed)
    found = {"training": sum(result.losses[-20:]) / 20}
    lengths = {"": BRIDGES} | ({" far": 8 * BRIDGES} if name == "LSTM" else {})
    for suffix, bridges in lengths.items():
        batch = walks(torch.Generator().manual_seed(1000 + seed), 2000, bridges)
        last = Batch(batch.tokens, batch.targets[:, -1:], at=slice(bridges - 1, None))
        with torch.no_grad():
            named = model(last.tokens, at=last.at).argmax(-1)
            found[f"right{suffix}"] = (named == last.targets).double().mean().item()
            found[f"loss{suffix}"] = sequence_loss(model, last).item()
    return found


def built(name: str) -> nn.Module:
    """The Transformer with so many layers, or the LSTM."""
    if name == "LSTM":
        return LSTM(2, width=56)
    layers = int(name.split()[1])
    return Transformer(2, BRIDGES, width=32, layers=layers, heads=4, init_std=0.09)


def walks(generator: torch.Generator, rows: int = 32, bridges: int = BRIDGES) -> Batch:
    crossings = torch.randint(2, (rows, bridges), generator=generator)
    return Batch(crossings, crossings.cumsum(1) % 2)
