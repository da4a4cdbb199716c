"""Chapter 11: how near RLHF and DPO come to the exact optimum on their leash, for three prices.

The clone of roaming travelers is fine-tuned from 100,000 comparisons of its own trips. A trip is a
leaf of the tree, so all distributions are known, and so is the optimum for any reward."""

import copy
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from seqdec_lib.experience import Trajectories, collect, regret
from seqdec_lib.feedback import (
    Comparisons,
    Sampler,
    agreement,
    compare,
    dpo_loss,
    kl_divergence,
    ppo_loss,
    reward_loss,
    scores,
)
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import (
    Batch,
    SequencePolicy,
    TokenLayout,
    Transformer,
    fit,
    log_probabilities,
    minibatches,
)

SEEDS = (0, 1, 2, 3, 4)
CASES = ("100000",)  # comparisons
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
STARS_A_UNIT, TESTED = 3, 10_000
UPDATES = {2.0: 100, 1.0: 200, 0.5: 280}  # of PPO, for each price
STEPS = {2.0: 100, 1.0: 300, 0.5: 300}  # of DPO
BATCH, REUSED = 256, 4


class Clone(NamedTuple):
    """The reference: a network, the layout of its tokens, all trips, how likely it makes each."""

    tree: TravelTree
    model: Transformer
    layout: TokenLayout
    trips: Batch
    chances: np.ndarray

    @property
    def reward(self) -> np.ndarray:
        return self.tree.level_enjoyment(self.tree.horizon) / STARS_A_UNIT

    def chances_of(self, model: Transformer) -> np.ndarray:
        return chances_of(model, self.trips)

    def optimum(self, reward: np.ndarray, beta: float) -> np.ndarray:
        """The closed form: reference times exp(reward / beta), over its sum."""
        exponents = np.log(self.chances) + reward / beta
        weights = np.exp(exponents - exponents.max())
        return weights / weights.sum()

    def regret(self, chances: np.ndarray) -> float:
        earned = STARS_A_UNIT * chances @ self.reward
        return regret(earned, self.tree.optimal_return(), self.tree.random_return())

    def pairs(self, number: int, seed: int) -> np.ndarray:
        return np.random.default_rng([seed, number]).choice(729, (number, 2), p=self.chances)


def chances_of(model: Transformer, trips: Batch) -> np.ndarray:
    with torch.no_grad():
        chances = log_probabilities(model, trips).double().exp().numpy()
    return chances / chances.sum()


def cloned(seed: int) -> Clone:
    """Stay one morning in five, otherwise one of the two trains; cloned from 2,000 such trips."""
    tree = TravelTree()
    roaming = np.tile([1 / 5, 2 / 5, 2 / 5], (tree.n_states, 1))
    log = collect(tree, roaming, 2000, seed)
    layout = TokenLayout.of(tree, log)
    torch.manual_seed(seed)
    model = layout.transformer(width=32, layers=1, heads=1)
    draw = minibatches(layout.encode(log), 128)
    fit(model, draw, 150, learning_rate=3e-3, decay=0.0, seed=seed)
    trips = layout.encode(Trajectories.complete(tree.histories(tree.horizon)))
    return Clone(tree, model, layout, trips, chances_of(model, trips))


def new_judge(clone: Clone, seed: int) -> Transformer:
    torch.manual_seed(seed)
    sizes = clone.layout.vocabulary, clone.layout.max_tokens, 32
    return Transformer(*sizes, layers=1, heads=1, outputs=1)


def run(case: str, seed: int) -> dict[str, float]:
    """Divergences from the closed forms, regrets, and how often the reward model is right."""
    clone = cloned(seed)
    told = compare(clone.trips, clone.pairs(int(case), seed), clone.reward, seed)
    kept = compare(clone.trips, clone.pairs(TESTED, seed), clone.reward, seed + 1)
    judge = new_judge(clone, seed)
    settings = {"learning_rate": 1e-2, "decay": 0.0, "seed": seed}
    fit(judge, lambda generator: told, 300, loss=reward_loss, **settings)
    with torch.no_grad():
        judged = scores(judge, clone.trips).double()
        told = told._replace(reference=log_probabilities(clone.model, clone.trips))
    found = {
        "clone": clone.regret(clone.chances),
        "accuracy": agreement(judged, kept),
        "ceiling": agreement(torch.tensor(clone.reward), kept),
        "gradient": clone.regret(clone.chances_of(tuned(clone, clone.reward, 0.1, 160, seed))),
    }
    for beta in UPDATES:
        aim, own = clone.optimum(clone.reward, beta), clone.optimum(judged.numpy(), beta)
        by_rlhf = clone.chances_of(tuned(clone, judged.numpy(), beta, UPDATES[beta], seed))
        by_dpo = clone.chances_of(directly(clone, told, beta, STEPS[beta], seed))
        numbers = {
            "start": kl_divergence(clone.chances, aim),
            "rlhf, own": kl_divergence(by_rlhf, own),
            "rlhf, true": kl_divergence(by_rlhf, aim),
            "dpo, true": kl_divergence(by_dpo, aim),
            "learned, true": kl_divergence(own, aim),
            "rlhf regret": clone.regret(by_rlhf),
            "dpo regret": clone.regret(by_dpo),
            "learned regret": clone.regret(own),
            "optimum regret": clone.regret(aim),
        }
        found |= {f"{name}, {beta:g}": number for name, number in numbers.items()}
    return found


def tuned(clone: Clone, reward: np.ndarray, beta: float, updates: int, seed: int) -> Transformer:
    """PPO on the leash, from the clone's own trips."""
    model, layout = copy.deepcopy(clone.model), clone.layout

    def play(generator: torch.Generator) -> Batch:
        own = int(torch.randint(2**31, (1,), generator=generator))
        return layout.encode(collect(clone.tree, SequencePolicy(model, layout), BATCH, own))

    def paid(batch: Batch) -> torch.Tensor:
        states, actions = layout.decode(batch.tokens)
        leaves = 3 * states[:, -1] + 1 + actions[:, -1] - clone.tree.first_leaf
        return torch.tensor(reward[leaves], dtype=torch.float32)

    draw = Sampler(model, clone.model, play, paid, REUSED)
    loss = partial(ppo_loss, beta=beta)
    fit(model, draw, updates, loss=loss, learning_rate=5e-3, decay=0.0, seed=seed)
    return model


def directly(clone: Clone, told: Comparisons, beta: float, steps: int, seed: int) -> Transformer:
    """DPO on the same comparisons."""
    model = copy.deepcopy(clone.model)
    settings = {"learning_rate": 2e-2, "decay": 0.0, "seed": seed}
    fit(model, lambda generator: told, steps, loss=partial(dpo_loss, beta=beta), **settings)
    return model
