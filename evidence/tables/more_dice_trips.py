"""Chapter 8: is the loss that is left on new trips a lack of training, or of trips?

The network of the table `decision_transformer`, trained for as many steps on 10,000 dice trips in
place of 3,000."""

import torch

from evidence.tables.decision_transformer import STEPS, new_transformer, trained
from seqdec_lib.experience import collect
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import TokenLayout

SEEDS = (0, 1, 2, 3, 4)
CASES = ("10000",)  # trips
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """How far the loss on new trips lies above the least possible one, in nats per action."""
    tree = TravelTree()
    trips = collect(tree, None, int(case), seed)
    layout = TokenLayout.of(tree, trips, goal="return")
    torch.manual_seed(seed)
    model = new_transformer(layout)
    return trained(tree, model, layout, trips, seed, "transformer", STEPS["3000"])
