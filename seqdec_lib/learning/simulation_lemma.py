"""Wrong models, and what they cost: how far off a model is, and what planning in it can lose."""

from __future__ import annotations

import numpy as np

from seqdec_lib.mdp import MDP
from seqdec_lib.validation import fraction, nonnegative_number


def total_variation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Half the summed differences of two arrays of distributions: (..., K), (..., K) -> (...)."""
    return np.abs(np.asarray(first) - np.asarray(second)).sum(axis=-1) / 2


def perturbed(mdp: MDP, epsilon: float, targets: np.ndarray) -> MDP:
    """A model that is wrong by a known amount: each row moves probability to one target state.

    Parameters
    ----------
    epsilon : float
        Total variation distance of each new row from the old one, in [0, 1]; less only where the
        row has less than `epsilon` to give away, because the target already holds the rest.
    targets : (S, A) int
        Where the probability goes.

    Raises
    ------
    ValueError
        An epsilon outside [0, 1], targets of the wrong shape, an MDP in sparse form.
    """
    epsilon = fraction("epsilon", epsilon)
    if mdp.is_sparse:
        raise ValueError("perturbed() needs dense transitions (S, A, S), but a sparse MDP came.")
    if np.shape(targets) != mdp.rewards.shape:
        raise ValueError(
            f"targets must have shape (S, A) = {mdp.rewards.shape}, but {np.shape(targets)} came."
        )
    index = np.asarray(targets)[..., None]
    held = np.take_along_axis(mdp.transitions, index, axis=-1)
    moved = np.minimum(epsilon, 1 - held)
    keep = 1 - moved / np.where(held < 1, 1 - held, 1)
    rows = mdp.transitions * keep
    np.put_along_axis(rows, index, held + moved, axis=-1)
    return MDP(rows, mdp.rewards, mdp.discount, mdp.horizon)


def simulation_lemma_bound(
    epsilon: float, discount: float, reward_span: float, reward_error: float = 0.0
) -> float:
    """The most that planning in a wrong model can cost, in any state.

    2 * (reward_error + discount * epsilon * reward_span / (1 - discount)) / (1 - discount)
    bounds V* - V^pi in the true MDP for the policy pi that is optimal in the model (Kearns and
    Singh, "Near-optimal reinforcement learning in polynomial time", 2002, the simulation lemma).

    Parameters
    ----------
    epsilon : largest total variation distance between a row of the model and the true one
    reward_span : largest minus smallest expected reward of the true MDP
    reward_error : largest difference of an expected reward

    Raises
    ------
    ValueError
        An epsilon outside [0, 1], a discount outside [0, 1), a negative span or error.
    """
    epsilon, discount = fraction("epsilon", epsilon), fraction("discount", discount)
    if discount == 1:
        raise ValueError("the bound is infinite for discount = 1; pass a discount below 1.")
    reward_span = nonnegative_number("reward_span", reward_span)
    reward_error = nonnegative_number("reward_error", reward_error)
    per_step = reward_error + discount * epsilon * reward_span / (1 - discount)
    return 2 * per_step / (1 - discount)
