"""Chapter 12: the plainest reader of a price list, a softmax over all trips, linear in the stars.

What a trip is worth is linear in the stars, so one linear map from the 24 stars to the 729 trips
can say the best trip of every list. It learns from the best trips of new lists, as many in each
step as the networks of `prompted_trips` see, and is tested on the same 200 trees. In contrast to
them it is given the list of all trips, the stars as numbers, and a place for each city. In the
cases with a number of trees, training sees only these, the same as the Transformer's there."""

import numpy as np
import torch
from torch import Tensor, nn

from evidence.tables.prompted_trips import (
    BATCH,
    CITIES,
    LOOK_EVERY,
    STEPS,
    TESTS,
    TREES,
    Examination,
    Task,
    new_lists,
)
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import fit

SEEDS = (0, 1, 2, 3, 4)
CASES = ("linear", *(f"linear, {n} trees" for n in TREES))
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
RATE = 0.03  # the first choice


def run(case: str, seed: int) -> dict[str, float]:
    """Regret on the test's trees while training and after it."""
    task, trees = Task(), 0 if case == "linear" else int(case.split()[1])
    known = new_lists(np.random.default_rng(10_000 + seed), trees)
    test, scores = Examination(task), Linear(task)
    stars = torch.tensor(np.array([TravelTree(seed=number).stars for number in TESTS])).float()

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(int(torch.randint(2**40, (1,), generator=generator)))
        lists = known[rng.integers(trees, size=BATCH)] if trees else new_lists(rng, BATCH)
        best = task.values(lists)[-1].argmax(axis=1)
        return torch.from_numpy(lists).float(), torch.from_numpy(best)

    def surprise(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    def regrets(model: nn.Module) -> np.ndarray:
        with torch.no_grad():
            return test.regrets(model(stars).argmax(dim=1).numpy())

    result = fit(
        scores,
        draw,
        STEPS,
        loss=surprise,
        watch=lambda model: regrets(model).mean(),
        learning_rate=RATE,
        decay=0.0,
        evaluate_every=LOOK_EVERY,
        seed=seed,
    )
    found = {f"regret {step}": value for step, value in result.watched}
    said = regrets(scores)
    return found | {"regret": said.mean(), "optimal": float((said < 1e-6).mean())}


class Linear(nn.Linear):
    """A weight for each city and trip: stars (N, 24) -> scores (N, 729)."""

    def __init__(self, task: Task) -> None:
        super().__init__(CITIES, task.tree.n_leaves)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)
