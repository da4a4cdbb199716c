"""Chapter 12: what learners make of their own trips, looked at after each of several budgets.

"Best return seen" and Q-learning have the step size and the share of random choices that
`world_models_settings` chose for them. The policy gradient climbs with leave-one-out on eight
trips an update; the case "rates" tries its learning rates on two other trees.
All policies are read greedily, on the book's tree without cancellations."""

import numpy as np
import torch

from evidence.tables.world_models_settings import BestReturn
from seqdec_lib.experience import regret_of
from seqdec_lib.learning import TabularLearner, learning_curve
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("Best return seen", "Q-learning", "Policy gradient", "rates")
AGREEMENT = 0.3  # one of them climbs by floating-point sums, whose order may change
BUDGETS = (8, 32, 104, 304, 1000, 3000)  # trips
LEARNERS, BATCH = 10, 8
OPTIONS = {"step_size": 1.0, "exploration": 0.5}
RATES, RATE, OTHERS = (0.02, 0.05, 0.1, 0.2), 0.05, (1, 2)


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regrets of ten learners, by trips; or, by rate, after all trips on other trees."""
    if case == "rates":
        found = {
            str(rate): [climbed(TravelTree(seed=k), rate, seed)[-1] for k in OTHERS]
            for rate in RATES
        }
        return {rate: float(np.mean(regrets)) for rate, regrets in found.items()}
    tree = TravelTree()
    if case == "Policy gradient":
        curve = climbed(tree, RATE, seed)
    else:
        kind = BestReturn if case == "Best return seen" else TabularLearner
        learner = kind(tree, replicas=LEARNERS, seed=seed, **OPTIONS)
        steps = [tree.horizon * trips for trips in BUDGETS]
        curve = learning_curve(learner, steps).mean(axis=1)
    return {str(trips): float(value) for trips, value in zip(BUDGETS, curve, strict=True)}


def climbed(tree: TravelTree, rate: float, seed: int) -> list[float]:
    """Mean regret after each budget of ten policy gradients from the die: (budgets,)."""
    generator = torch.Generator().manual_seed(seed)
    worth = torch.tensor(tree.level_enjoyment(tree.horizon))
    logits = torch.zeros(LEARNERS, tree.first_leaf, 3, requires_grad=True)
    optimizer, regrets = torch.optim.Adam([logits], lr=rate), []
    for trips in range(BATCH, BUDGETS[-1] + 1, BATCH):
        chances = logits.log_softmax(-1)
        nodes, surprise = torch.zeros(LEARNERS, BATCH, dtype=torch.long), 0.0
        for _ in range(tree.horizon):
            rows = chances.gather(1, nodes[..., None].expand(-1, -1, 3))
            drawn = torch.multinomial(rows.detach().exp().flatten(0, 1), 1, generator=generator)
            actions = drawn.reshape(nodes.shape)
            surprise = surprise - rows.gather(2, actions[..., None])[..., 0]
            nodes = 3 * nodes + 1 + actions
        returns = worth[nodes - tree.first_leaf]
        others = (returns.sum(1, keepdim=True) - returns) / (BATCH - 1)
        optimizer.zero_grad()
        ((returns - others) * surprise).sum().backward()
        optimizer.step()
        if trips in BUDGETS:
            policies = logits.detach().argmax(-1).numpy()
            regrets.append(float(np.mean([regret_of(tree, policy) for policy in policies])))
    return regrets
