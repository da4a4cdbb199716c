"""Chapter 12: lists longer than in training.

As the Transformer of `prompted_trips` on shuffled lists, but a prompt names only some of the
cities, and the others have no stars. In training it names between six and twelve; in the tests
twelve, eighteen and all 24. It is trained for half as many steps as there."""

import numpy as np
import torch
from torch import Tensor, nn

from evidence.tables.prompted_trips import (
    BATCH,
    CITIES,
    HEADS,
    LAYERS,
    RATE,
    STEPS,
    TESTS,
    WIDTH,
    Task,
    new_lists,
)
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import Batch, Transformer, fit, generate

SEEDS = (0, 1, 2, 3, 4)
CASES = ("transformer",)
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
SHORTEST, LONGEST, TESTED = 6, 12, (12, 18, 24)
TASK = Task()


def run(case: str, seed: int) -> dict[str, float]:
    """Regret on 200 trees by how many cities the prompt names."""
    torch.manual_seed(seed)
    sizes = (TASK.vocabulary, TASK.listed + TASK.days, WIDTH, LAYERS, HEADS)
    model = Transformer(*sizes, outputs=CITIES, init_std=0.5 / WIDTH**0.5)
    result = fit(model, shorter_lists, STEPS // 2, learning_rate=RATE, seed=seed)
    found = {f"{count} named": tested(model, count) for count in TESTED}
    return found | {"loss": float(np.mean(result.losses[-100:]))}


def named(rng: np.random.Generator, lists: np.ndarray, count: int) -> tuple[np.ndarray, Tensor]:
    """The lists (N, cities) with stars for so many cities only, and which these are (N, count)."""
    order = rng.permuted(np.tile(np.arange(CITIES), (len(lists), 1)), axis=1)[:, :count]
    kept = np.zeros_like(lists)
    np.put_along_axis(kept, order, np.take_along_axis(lists, order, axis=1), axis=1)
    return kept, torch.from_numpy(order)


def shorter_lists(generator: torch.Generator) -> Batch:
    """A batch of lessons whose prompts name six to twelve cities, in any order."""
    rng = np.random.default_rng(int(torch.randint(2**40, (1,), generator=generator)))
    count = int(rng.integers(SHORTEST, LONGEST + 1))
    lists, order = named(rng, new_lists(rng, BATCH), count)
    full = TASK.batch(lists[:, None], rng)
    tokens = torch.cat([full.tokens.gather(1, order), full.tokens[:, CITIES:]], dim=1)
    return Batch(tokens, full.targets, at=torch.arange(count, count + TASK.days))


def tested(model: nn.Module, count: int) -> float:
    """Mean regret on the test's trees if the prompt names so many cities."""
    rng = np.random.default_rng(99)
    stars = np.array([TravelTree(seed=seed).stars for seed in TESTS])
    lists, order = named(rng, stars, count)
    season = np.zeros(len(lists), dtype=np.int64)
    prompts = TASK.prompts(lists[:, None], season, rng).gather(1, order)
    prompts = torch.cat([prompts, torch.zeros(len(lists), 1, dtype=torch.long)], dim=1)
    said = generate(model, prompts, TASK.days, temperature=0.0)
    worths = TASK.values(lists)[-1]
    achieved = worths[np.arange(len(lists)), TASK.follow(said.numpy())[0]]
    best = worths.max(axis=1)
    return float(((best - achieved) / (best - worths.mean(axis=1))).mean())
