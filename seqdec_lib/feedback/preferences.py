"""Learning from comparisons: which of two is better, and nothing else.

Items are numbered rows: features of trips, or rows of tokens that a sequence model reads. A
comparison names two of them, and says which one was preferred. From comparisons one fits a reward
model (`reward_loss`), or skips it and fits the policy itself (`dpo_loss`); both are losses for
`training.fit`, and both are the same logistic regression on a margin.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn
from torch.nn import functional as F

from seqdec_lib.sequences.losses import Batch, log_probabilities
from seqdec_lib.validation import positive_number


class Comparisons(NamedTuple):
    """M comparisons of pairs out of N items.

    Attributes
    ----------
    items : a Batch of N rows, or features (N, F); each is read once, however often it was compared
    preferred, rejected : (M,) the numbers of the two items
    reference : (N,) log-probability of each item under the reference; only for `dpo_loss`
    """

    items: Batch | Tensor
    preferred: Tensor
    rejected: Tensor
    reference: Tensor | None = None


def bradley_terry(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Probability that the first item is preferred, from the rewards of both: the logistic function
    of their difference.

    Source: Bradley and Terry, *Rank Analysis of Incomplete Block Designs* (1952).
    """
    return expit(np.asarray(first, dtype=float) - np.asarray(second, dtype=float))


def compare(
    items: Batch | Tensor, pairs: np.ndarray, rewards: np.ndarray, seed: int
) -> Comparisons:
    """Let somebody with these rewards (N,), noisily, compare pairs (M, 2) of items.

    Raises
    ------
    ValueError
        Pairs of another shape, or of items that have no reward, or none that is finite.
    """
    pairs, rewards = np.asarray(pairs), np.asarray(rewards, dtype=float)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.issubdtype(pairs.dtype, np.integer):
        raise ValueError(
            f"pairs must be whole numbers of shape (M, 2), but {pairs.dtype} of shape "
            f"{pairs.shape} came."
        )
    if rewards.ndim != 1 or (pairs.size and not 0 <= pairs.min() <= pairs.max() < len(rewards)):
        raise ValueError(
            f"each item needs a reward, but pairs of items {pairs.min()}..{pairs.max()} and "
            f"rewards of shape {rewards.shape} came."
        )
    if not np.isfinite(rewards).all():
        raise ValueError("rewards must be finite numbers, but some are NaN or infinite.")
    # A stream of its own: whoever drew the pairs with the same seed has not drawn these numbers.
    own = np.random.SeedSequence(seed).spawn(1)[0]
    draws = np.random.default_rng(own).random(len(pairs))
    second = draws >= bradley_terry(*rewards[pairs].T)
    ordered = torch.from_numpy(np.where(second[:, None], pairs[:, ::-1], pairs))
    return Comparisons(items, ordered[:, 0], ordered[:, 1])


def margins(scores: Tensor, comparisons: Comparisons) -> Tensor:
    """How much higher the preferred item scores than the rejected one: (N,) -> (M,)."""
    return scores[comparisons.preferred] - scores[comparisons.rejected]


def scores(model: nn.Module, items: Batch | Tensor) -> Tensor:
    """What a reward model with one output says of each item, (N,).

    It reads features (N, F); a sequence model reads rows of tokens, and answers at the last one.
    """
    if isinstance(items, Batch):
        return model(items.tokens, items.mask, -1)[:, 0]
    return model(items)[:, 0]


def reward_loss(model: nn.Module, comparisons: Comparisons) -> Tensor:
    """Mean of -log P(preferred over rejected) if the model's scores were the rewards, in nats.

    Scores are only known up to a constant, which no comparison shows.

    Source: Christiano et al., *Deep Reinforcement Learning from Human Preferences* (2017),
    equation 1.
    """
    return -F.logsigmoid(margins(scores(model, comparisons.items), comparisons)).mean()


def dpo_loss(model: nn.Module, comparisons: Comparisons, beta: float) -> Tensor:
    """The same loss for a policy, whose own reward is beta (log pi - log reference).

    If the comparisons follow Bradley and Terry with some rewards, the policy that minimizes the
    expected loss is pi* = reference exp(reward / beta) / Z, the optimum on a leash.

    Source: Rafailov et al., *Direct Preference Optimization* (2023), equation 7.

    Raises
    ------
    ValueError
        beta not above 0, comparisons without the reference's log-probabilities.
    """
    beta = positive_number("beta", beta)
    if comparisons.reference is None:
        raise ValueError(
            "DPO needs the reference's log-probability of each item; pass comparisons with "
            "reference=log_probabilities(reference, items), taken under torch.no_grad()."
        )
    log_ratios = log_probabilities(model, comparisons.items) - comparisons.reference
    return -F.logsigmoid(beta * margins(log_ratios, comparisons)).mean()


def agreement(scores: Tensor, comparisons: Comparisons) -> float:
    """Share of the comparisons in which the preferred item has the higher score, ties half."""
    margin = margins(scores, comparisons)
    return float(((margin > 0).double() + (margin == 0).double() / 2).mean())
