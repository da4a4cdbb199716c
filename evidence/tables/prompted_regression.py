"""Chapter 12: the plainest reader of a price list, a softmax over all trips, linear in the stars.

What a trip is worth is linear in the stars, so one linear map from the 24 stars to the 729 trips
can say the best trip of every list. It learns from the best trips of new lists, as many in each
step as the networks of `prompted_trips` see, and is tested on the same 200 trees. In contrast to
them it is given the list of all trips, the stars as numbers, and a place for each city."""

import numpy as np
import torch
from torch import Tensor, nn

from evidence.tables.prompted_trips import BATCH, CITIES, STEPS, TESTS, Examination, Task, new_lists
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import fit

SEEDS = (0, 1, 2, 3, 4)
CASES = ("linear",)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
RATE = 0.03  # the first choice


def run(case: str, seed: int) -> dict[str, float]:
    """Regret on the test's trees after training."""
    task = Task()
    test, linear = Examination(task), nn.Linear(CITIES, task.tree.n_leaves)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(int(torch.randint(2**40, (1,), generator=generator)))
        lists = new_lists(rng, BATCH)
        best = task.values(lists)[-1].argmax(axis=1)
        return torch.from_numpy(lists).float(), torch.from_numpy(best)

    def surprise(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    fit(linear, draw, STEPS, loss=surprise, learning_rate=RATE, decay=0.0, seed=seed)
    stars = torch.tensor(np.array([TravelTree(seed=number).stars for number in TESTS]))
    with torch.no_grad():
        said = linear(stars.float()).argmax(dim=1)
    regrets = test.regrets(said.numpy())
    return {"regret": regrets.mean(), "optimal": float((regrets < 1e-6).mean())}
