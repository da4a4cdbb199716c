"""Backward induction on the travel tree: level by level on slices, against a general solver."""

import warnings

import numpy as np
from scipy import sparse

from benchmarks.run import Comparison, Contestant
from seqdec_lib.mdp import backward_induction
from seqdec_lib.problems import TravelTree


def comparisons() -> list[Comparison]:
    """Return one comparison for each size of the tree.

    Ours works the rewards out as it goes; the general solvers get them ready-made.
    """
    return [on_tree(branching=3, horizon=horizon) for horizon in (6, 10)]


def on_tree(branching: int, horizon: int) -> Comparison:
    tree = TravelTree(branching=branching, horizon=horizon)
    return Comparison(
        title=f"backward induction on a tree with {branching}^{horizon} itineraries",
        ours=tree.optimal_return,
        peers={
            "seqdec_lib.mdp (general)": lambda: with_our_general_solver(tree),
            "quantecon": lambda: with_quantecon(tree),
        },
    )


def with_our_general_solver(tree: TravelTree) -> Contestant:
    """The same tree as a Markov decision process, which knows nothing of levels."""
    mdp = tree.mdp(sparse_transitions=True)
    return lambda: float(backward_induction(mdp, tree.horizon).values[0, 0])


def with_quantecon(tree: TravelTree) -> Contestant:
    """QuantEcon's DiscreteDP with sparse transitions between state-action pairs."""
    import quantecon

    mdp = tree.mdp(sparse_transitions=True)
    states = np.repeat(np.arange(mdp.n_states), mdp.n_actions)
    actions = np.tile(np.arange(mdp.n_actions), mdp.n_states)
    by_action = sparse.vstack([sparse.csr_matrix(p) for p in mdp.transitions]).tocsr()
    pairs = by_action[actions * mdp.n_states + states]
    with warnings.catch_warnings(action="ignore"):  # a discount of 1 is fine: the horizon is finite
        ddp = quantecon.markov.DiscreteDP(mdp.rewards.ravel(), pairs, 1.0, states, actions)
    return lambda: float(quantecon.markov.backward_induction(ddp, tree.horizon)[0][0, 0])
