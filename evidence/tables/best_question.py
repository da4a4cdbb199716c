"""Chapter 6: the best trip that a gradient asked a network about, as local search keeps its best.

The table `through_a_network` says what is trained. Here each run keeps, of all trips that it asked
about, the one that the network liked best. The relaxation asks about mixtures; of each, the real
trip that its largest shares name is kept instead, which takes a second question. Seeds 11 and 12
are for choosing the learning rates."""

import torch
from torch import Tensor

from evidence.tables import through_a_network as network
from seqdec_lib.experience import regret
from seqdec_lib.problems import TravelTree

SEEDS = network.SEEDS
CASES = ("REINFORCE", "soft 0.5")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
RATES = (0.015, 0.03, *network.RATES)


def run(case: str, seed: int) -> dict[str, float]:
    """Own and real regrets of the best trips asked about, means over the restarts."""
    tree = TravelTree(horizon=network.DAYS)
    real = torch.tensor(tree.level_enjoyment(network.DAYS), dtype=torch.float32)
    model, _ = network.learned_model(real, seed)
    own = network.opinions(model)
    places = 3 ** torch.arange(network.DAYS - 1, -1, -1)
    asked = []

    def listening(choices: Tensor) -> Tensor:  # (rates * restarts, TRIPS, DAYS, 3)
        asked.append((choices.detach().argmax(-1) * places).sum(-1))
        return model(choices)

    tau, found, seen = network.METHODS[case], {}, {}
    for updates, rate, _, _ in network.trained(listening, case, tau, seed, RATES):
        if updates not in seen:  # the promise that follows the updates asks about other shapes
            trips = [t for t in asked if t.shape == (len(RATES) * network.RESTARTS, network.TRIPS)]
            seen[updates] = torch.cat(trips[:updates], 1).view(len(RATES), network.RESTARTS, -1)
        leaves = seen[updates][RATES.index(rate)]  # (RESTARTS, updates * TRIPS)
        best = leaves.gather(1, own[leaves].argmax(1, keepdim=True))[:, 0]
        mine, true = own[best].mean().item(), real[best].mean().item()
        name = f"rate {rate}, {updates}"
        found[f"{name}: own regret"] = regret(mine, own.max().item(), own.mean().item())
        found[f"{name}: real regret"] = regret(true, tree.optimal_return(), tree.random_return())
    return found
