"""Chapter 11: what a number of comparisons is worth, from 30 to 100,000.

The price is one half. Reward models are followed by the exact optimum for what they say, so nothing
is left to a policy's training; DPO trains a policy. Networks stop where their loss on a fifth of
the comparisons, kept from training, was least. The memory counts how often each trip won."""

import copy
from functools import partial

import numpy as np
import torch

from evidence.tables.feedback_forms import nights, points
from evidence.tables.feedback_leash import Clone, cloned, new_judge
from seqdec_lib.feedback import Comparisons, compare, dpo_loss, reward_loss, scores
from seqdec_lib.sequences import fit, log_probabilities

SEEDS = (0, 1, 2, 3, 4)
CASES = ("price 1/2",)
AGREEMENT = 0.5  # on another processor early stopping took other weights: 0.12, not 0.20 (DPO)
COUNTS = (30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
PRICE = 0.5
RATE = {"reward model": 1e-2, "DPO": 1e-2}


def run(case: str, seed: int) -> dict[str, float]:
    """Regrets of what is learned from each number of comparisons."""
    clone = cloned(seed)
    with torch.no_grad():
        reference = log_probabilities(clone.model, clone.trips)
    found = {"clone": clone.regret(clone.chances)}
    found["optimum"] = clone.regret(clone.optimum(clone.reward, PRICE))
    for count in COUNTS:
        told = compare(clone.trips, clone.pairs(count, seed), clone.reward, seed)
        told = told._replace(reference=reference)
        for name, number in learned(clone, told, seed).items():
            found[f"{name}, {count}"] = number
    return found


def learned(clone: Clone, told: Comparisons, seed: int) -> dict[str, float]:
    better, worse = told.preferred.numpy(), told.rejected.numpy()
    found = {"memory": memory(clone, better, worse)}
    for name, most in (("every night", 6), ("two nights", 2)):
        said = points(nights(clone.tree, most), better, worse)
        found[f"form, {name}"] = clone.regret(clone.optimum(said, PRICE))
    judge = new_judge(clone, seed)
    trained(judge, told, reward_loss, 220, RATE["reward model"], seed)
    with torch.no_grad():
        said = scores(judge, clone.trips).double().numpy()
    found["reward model"] = clone.regret(clone.optimum(said, PRICE))
    policy = copy.deepcopy(clone.model)
    trained(policy, told, partial(dpo_loss, beta=PRICE), 240, RATE["DPO"], seed)
    return found | {"DPO": clone.regret(clone.chances_of(policy))}


def memory(clone: Clone, better: np.ndarray, worse: np.ndarray) -> float:
    """Repeat the trip with the largest (wins + 1) / (comparisons + 2), any of them if several."""
    won, lost = np.bincount(better, minlength=729), np.bincount(worse, minlength=729)
    share = (won + 1) / (won + lost + 2)
    best = np.isclose(share, share.max())
    return clone.regret(best / best.sum())


def trained(model, told: Comparisons, loss, steps: int, rate: float, seed: int) -> None:  # noqa: ANN001
    """Train on four fifths, and take the weights that were best on the last fifth."""
    end = len(told.preferred) * 4 // 5
    mine = told._replace(preferred=told.preferred[:end], rejected=told.rejected[:end])
    kept = told._replace(preferred=told.preferred[end:], rejected=told.rejected[end:])
    settings = {"learning_rate": rate, "decay": 0.0, "evaluate_every": 10, "patience": 6}
    fit(model, lambda generator: mine, steps, loss=loss, held_out=kept, seed=seed, **settings)
