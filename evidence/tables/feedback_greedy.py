"""Chapter 12: RLHF and DPO of `feedback_leash`, read greedily as well as by drawing.

At each node a greedy reader takes the likeliest action, so it takes one trip. Read by drawing, the
regrets must be those of `feedback_leash`."""

import numpy as np
import torch

from evidence.tables.feedback_leash import (
    STEPS,
    UPDATES,
    Clone,
    cloned,
    directly,
    new_judge,
    tuned,
)
from seqdec_lib.feedback import compare, reward_loss, scores
from seqdec_lib.sequences import fit, log_probabilities

SEEDS = (0, 1, 2, 3, 4)
CASES = ("100000",)  # comparisons
AGREEMENT = 0.5  # as in `feedback_leash`
BETA = 0.5


def run(case: str, seed: int) -> dict[str, float]:
    """Regrets of both methods, read in both ways, and of the optimum on the leash."""
    clone = cloned(seed)
    told = compare(clone.trips, clone.pairs(int(case), seed), clone.reward, seed)
    judge = new_judge(clone, seed)
    settings = {"learning_rate": 1e-2, "decay": 0.0, "seed": seed}
    fit(judge, lambda generator: told, 300, loss=reward_loss, **settings)
    with torch.no_grad():
        judged = scores(judge, clone.trips).double().numpy()
        told = told._replace(reference=log_probabilities(clone.model, clone.trips))
    chances = {
        "rlhf": clone.chances_of(tuned(clone, judged, BETA, UPDATES[BETA], seed)),
        "dpo": clone.chances_of(directly(clone, told, BETA, STEPS[BETA], seed)),
        "optimum": clone.optimum(clone.reward, BETA),
    }
    found = {f"{name}, sampled": clone.regret(each) for name, each in chances.items()}
    return found | {f"{name}, greedy": greedily(clone, each) for name, each in chances.items()}


def greedily(clone: Clone, chances: np.ndarray) -> float:
    """Regret of the trip with the likeliest action at each node, given all trips' chances."""
    place = 0
    for _ in range(clone.tree.horizon):
        chances = chances.reshape(3, -1)
        action = int(chances.sum(axis=1).argmax())
        place, chances = 3 * place + action, chances[action]
    return clone.regret(np.eye(clone.tree.n_leaves)[place])
