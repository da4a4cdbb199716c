"""Chapter 12: the plainest reader of a price list, a softmax over all trips, linear in the stars.

What a trip is worth is linear in the stars, so one linear map from the 24 stars to the 729 trips
can say the best trip of every list. It learns from the best trips of new lists, as many in each
step as the networks of `prompted_trips` see, and is tested on the same 200 trees. In contrast to
them it is given the list of all trips, the stars as numbers, and a place for each city."""

import numpy as np
import torch

from evidence.tables.prompted_trips import BATCH, CITIES, STARS, STEPS, Examination, Task, new_lists

SEEDS = (0, 1, 2, 3, 4)
CASES = ("linear",)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
RATE = 0.03  # the first choice; falls to zero along a line


def run(case: str, seed: int) -> dict[str, float]:
    """Regret on the test's trees after training."""
    task, rng = Task(), np.random.default_rng(20_000 + seed)
    test = Examination(task)
    linear = torch.nn.Linear(CITIES, task.tree.n_leaves)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    adam = torch.optim.Adam(linear.parameters(), lr=RATE)
    falling = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, total_iters=STEPS)
    for _ in range(STEPS):
        lists = new_lists(rng, BATCH)
        best = torch.from_numpy(task.values(lists)[-1].argmax(axis=1))
        logits = linear(torch.from_numpy(lists).float())
        adam.zero_grad()
        torch.nn.functional.cross_entropy(logits, best).backward()
        adam.step()
        falling.step()
    with torch.no_grad():
        said = linear(torch.from_numpy(stars_of(test)).float()).argmax(dim=1)
    regrets = test.regrets(said.numpy())
    return {"regret": regrets.mean(), "optimal": float((regrets < 1e-6).mean())}


def stars_of(test: Examination) -> np.ndarray:
    """The stars (trees, cities) that an examination's prompts list, in the order of the map."""
    tokens = test.prompts[:, :CITIES].numpy()
    return (tokens - CITIES - 1) % STARS
