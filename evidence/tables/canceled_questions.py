"""Chapter 12: a Decision Transformer where trains are canceled, asked once or at each node.

The network of the table `decision_transformer`, trained on 3,000 dice trips. Asked once, it hears
the best logged return before each step; asked again, the best return that was logged after the
node where it stands, or after the last node on the way that anybody visited."""

import numpy as np
import torch

from evidence.tables.decision_transformer import RATE, STEPS, greedy, new_transformer, padded
from seqdec_lib.experience import Trajectories, collect, regret_of
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import SequencePolicy, TokenLayout, fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("no train is canceled", "one in five is canceled")
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
TRIPS, CANCEL = 3000, 0.2


def run(case: str, seed: int) -> dict[str, float]:
    """Regrets, by how often it is asked and how the answer is read."""
    tree = TravelTree(cancel=CANCEL * (case != CASES[0]))
    trips = collect(tree, None, TRIPS, seed)
    layout = TokenLayout.of(tree, trips, goal="return")
    torch.manual_seed(seed)
    model = new_transformer(layout)
    draw = minibatches(layout.encode(trips), 64)
    fit(model, draw, STEPS["3000"], learning_rate=RATE, seed=seed)
    after, found = best_after(tree, trips), {}
    wishes = {"once": np.full(tree.n_states, trips.returns().max()), "again": after}
    for name, wish in wishes.items():
        rows = [
            SequencePolicy(model, layout, wish[tree.level(day)])(tree.histories(day))
            for day in range(tree.horizon)
        ]
        table = padded(tree, np.concatenate(rows))
        found[f"{name}, sampled"] = regret_of(tree, table)
        found[f"{name}, greedy"] = regret_of(tree, greedy(table))
    return found


def best_after(tree: TravelTree, trips: Trajectories) -> np.ndarray:
    """The best return that was logged after each node, or after the last one visited on the way."""
    best = np.full(tree.n_states, -np.inf)
    returns = np.repeat(trips.returns()[:, None], tree.horizon + 1, axis=1)
    np.maximum.at(best, trips.states, returns)
    for day in range(tree.horizon):
        before = np.repeat(best[tree.level(day)], tree.branching)
        here = best[tree.level(day + 1)]
        best[tree.level(day + 1)] = np.where(np.isfinite(here), here, before)
    return best
