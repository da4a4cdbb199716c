"""Policies on the travel tree: a node is a history, so any policy is one table, exactly.

`table_on_tree` asks a policy of histories at every node; `trip_probabilities` says how likely each
trip is under such a table, and `soft_backward_induction` finds the best table on a leash.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from seqdec_lib.mdp import policy_rows
from seqdec_lib.problems.base import Policy
from seqdec_lib.problems.travel_tree import TravelTree, TreeSolution
from seqdec_lib.validation import positive_number


def table_on_tree(tree: TravelTree, policy: Policy) -> np.ndarray:
    """What a policy of histories does at each node of a tree: (first_leaf, A) probabilities.

    A node is a history, so this is the whole policy, and `evaluation.regret_of` is exact.
    """
    return np.concatenate([policy(tree.histories(t)) for t in range(tree.horizon)])


def soft_backward_induction(
    tree: TravelTree, reference: np.ndarray, beta: float, rewards: np.ndarray | None = None
) -> TreeSolution:
    """The policy that maximizes J on the tree: pi* is proportional to reference exp(Q / beta).

    One sweep from the leaves, as in backward induction, with a soft maximum weighted by the
    reference in place of the maximum: V = beta log sum_a reference(a) exp(Q_a / beta). For whole
    trips this says pi*(trip) = reference(trip) exp(reward(trip) / beta) / Z.

    Parameters
    ----------
    reference : (first_leaf, A) probabilities at each node.
    beta : price of the leash, in the unit of the rewards for each nat of divergence.
    rewards : (n_leaves,) of each trip; None: its enjoyment.

    Returns
    -------
    The policy as probabilities (first_leaf, A), and as the value of each node
    beta log E[exp(reward / beta)], the trip drawn from the reference from there on; at the root
    that is the optimum of J.

    Source: Todorov, *Linearly-solvable Markov decision problems* (2007); Levine, *Reinforcement
    Learning and Control as Probabilistic Inference* (2018), section 2.

    Raises
    ------
    ValueError
        beta not above 0; a tree with cancellations or a discount, for which the trip is not the
        traveler's choice alone; rewards or rows of another shape.
    """
    beta = positive_number("beta", beta)
    if tree.cancel or tree.discount != 1:
        raise ValueError(
            "the soft optimum needs a tree without cancellations and discount, but "
            f"cancel={tree.cancel} and discount={tree.discount} came."
        )
    rows = policy_rows(reference, tree.first_leaf, tree.n_actions)
    values = np.zeros(tree.n_states)
    values[tree.first_leaf :] = _trip_rewards(tree, rewards)
    policy = np.zeros(rows.shape)
    with np.errstate(divide="ignore"):
        log_rows = np.log(rows)  # -inf: the reference never does it, and neither does pi*
    for t in reversed(range(tree.horizon)):
        q_values = values[tree.level(t + 1)].reshape(-1, tree.branching)
        scores = log_rows[tree.level(t)] + q_values / beta
        log_sum = logsumexp(scores, axis=1, keepdims=True)
        values[tree.level(t)] = beta * log_sum[:, 0]
        policy[tree.level(t)] = np.exp(scores - log_sum)
    return TreeSolution(values, policy)


def _trip_rewards(tree: TravelTree, rewards: np.ndarray | None) -> np.ndarray:
    if rewards is None:
        return tree.level_enjoyment(tree.horizon)
    rewards = np.asarray(rewards, dtype=float)
    if rewards.shape != (tree.n_leaves,) or not np.isfinite(rewards).all():
        raise ValueError(
            f"rewards must be {tree.n_leaves} finite numbers, one a trip, but an array of shape "
            f"{rewards.shape} came."
        )
    return rewards


def trip_probabilities(tree: TravelTree, policy: np.ndarray) -> np.ndarray:
    """How likely each of the tree's trips is under a policy (first_leaf, A): (n_leaves,).

    Raises
    ------
    ValueError
        Rows of another shape, or that don't sum to 1.
    """
    rows = policy_rows(policy, tree.first_leaf, tree.n_actions)
    trips = np.ones(1)
    for t in range(tree.horizon):
        trips = (trips[:, None] * rows[tree.level(t)]).ravel()
    return trips
