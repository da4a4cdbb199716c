"""Chapter 12: lists longer than in training, read by a linear softmax.

The linear softmax of `prompted_regression` reads the lists of `prompted_longer`, with a 0 for each
city that the prompt does not name, for as many steps and trees as the Transformer there."""

import numpy as np
import torch
from torch import Tensor, nn

from evidence.tables.first_trips import regret
from evidence.tables.prompted_longer import LONGEST, SHORTEST, TASK, TESTED, named
from evidence.tables.prompted_regression import RATE, Linear
from evidence.tables.prompted_trips import BATCH, STEPS, TESTS, new_lists
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import fit

SEEDS = (0, 1, 2, 3, 4)
CASES = ("linear",)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """Regret on 200 trees by how many cities the list names."""
    model = Linear(TASK)
    options = {"loss": surprise, "learning_rate": RATE, "decay": 0.0}
    fit(model, shorter_lists, STEPS // 2, seed=seed, **options)
    return {f"{count} named": tested(model, count) for count in TESTED}


def shorter_lists(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Lists that name six to twelve cities (B, 24), and the best trip of each (B,)."""
    rng = np.random.default_rng(int(torch.randint(2**40, (1,), generator=generator)))
    count = int(rng.integers(SHORTEST, LONGEST + 1))
    lists, _ = named(rng, new_lists(rng, BATCH), count)
    best = TASK.values(lists)[-1].argmax(axis=1)
    return torch.from_numpy(lists).float(), torch.from_numpy(best)


def surprise(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def tested(model: nn.Module, count: int) -> float:
    """Mean regret on the test's trees if the list names so many cities."""
    stars = np.array([TravelTree(seed=seed).stars for seed in TESTS])
    lists, _ = named(np.random.default_rng(99), stars, count)
    with torch.no_grad():
        leaves = model(torch.from_numpy(lists).float()).argmax(dim=1).numpy()
    worths = TASK.values(lists)[-1]
    return float(regret(worths, worths[np.arange(len(lists)), leaves]).mean())
