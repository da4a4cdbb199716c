"""Chapter 12: lists longer than in training, read without learned positions.

The Transformer of `prompted_longer` has a vector for each position, and those beyond the eighteenth
are never trained. Here it has none; everything else is as there."""

import torch

from evidence.tables.prompted_longer import TASK, TESTED, shorter_lists, tested
from evidence.tables.prompted_trips import CITIES, HEADS, LAYERS, RATE, STEPS, WIDTH
from seqdec_lib.sequences import Transformer, fit

SEEDS = (0, 1, 2, 3, 4)
CASES = ("transformer",)
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """Regret on 200 trees by how many cities the prompt names."""
    torch.manual_seed(seed)
    sizes = (TASK.vocabulary, TASK.listed + TASK.days, WIDTH, LAYERS, HEADS)
    options = {"outputs": CITIES, "init_std": 0.5 / WIDTH**0.5, "positions": False}
    model = Transformer(*sizes, **options)
    fit(model, shorter_lists, STEPS // 2, learning_rate=RATE, seed=seed)
    return {f"{count} named": tested(model, count) for count in TESTED}
