"""Backward induction on the travel tree: level by level on slices, against a general solver."""

import warnings
from functools import cache

import numpy as np
from scipy import sparse

from benchmarks.run import Comparison, Contestant
from seqdec_lib.mdp import backward_induction
from seqdec_lib.problems import TravelTree


def comparisons() -> list[Comparison]:
    """Return one comparison for each size of the tree."""
    return [on_tree(branching=3, horizon=horizon) for horizon in (6, 10)]


class PricedTree(TravelTree):
    """A tree that gets its rewards ready-made, as the general solvers do."""

    @cache  # noqa: B019  the tree lives as long as the benchmark
    def arrival_rewards(self, t: int) -> np.ndarray:
        return super().arrival_rewards(t)


def on_tree(branching: int, horizon: int) -> Comparison:
    tree = TravelTree(branching=branching, horizon=horizon)
    return Comparison(
        title=f"backward induction on a tree with {branching}^{horizon} itineraries",
        ours=PricedTree(branching=branching, horizon=horizon).optimal_return,
        peers={
            "and the rewards with it": lambda: tree.optimal_return,
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
