"""Value iteration on random models, dense and sparse, against QuantEcon's DiscreteDP."""

import numpy as np
from scipy import sparse

from benchmarks.run import Comparison, Contestant
from seqdec_lib.mdp import MDP, value_iteration

TOLERANCE = 1e-6


def comparisons() -> list[Comparison]:
    """Return a dense model of 200 states, and a sparse one of 100,000."""
    dense, thin = dense_model(), sparse_model()
    return [
        compared("value iteration, dense, 200 states, 10 actions, discount 0.99", dense),
        compared("value iteration, sparse, 100,000 states, 4 actions, discount 0.95", thin),
    ]


def compared(title: str, mdp: MDP) -> Comparison:
    return Comparison(
        title=title,
        ours=lambda: float(value_iteration(mdp, TOLERANCE).values[0]),
        peers={
            "quantecon, plain": lambda: with_quantecon(mdp, "value_iteration"),
            "quantecon, modified policy": lambda: with_quantecon(mdp, "modified_policy_iteration"),
        },
        tolerance=1e-6,
    )


def with_quantecon(mdp: MDP, method: str) -> Contestant:
    import quantecon

    if mdp.is_sparse:
        states = np.repeat(np.arange(mdp.n_states), mdp.n_actions)
        actions = np.tile(np.arange(mdp.n_actions), mdp.n_states)
        by_action = sparse.vstack([sparse.csr_matrix(p) for p in mdp.transitions]).tocsr()
        pairs = by_action[actions * mdp.n_states + states]
        arguments = mdp.rewards.ravel(), pairs, mdp.discount, states, actions
    else:
        arguments = mdp.rewards, mdp.transitions, mdp.discount
    ddp = quantecon.markov.DiscreteDP(*arguments)

    def solve() -> float:
        return float(ddp.solve(method=method, epsilon=TOLERANCE, max_iter=100_000).v[0])

    solve()  # compiles
    return solve


def dense_model() -> MDP:
    rng = np.random.default_rng(0)
    transitions = rng.random((200, 10, 200))
    transitions /= transitions.sum(axis=2, keepdims=True)
    return MDP(transitions, rng.random((200, 10)), 0.99)


def sparse_model(states: int = 100_000, actions: int = 4, successors: int = 4) -> MDP:
    rng = np.random.default_rng(0)
    matrices = []
    for _ in range(actions):
        weights = rng.random((states, successors))
        weights /= weights.sum(axis=1, keepdims=True)
        rows = np.repeat(np.arange(states), successors)
        columns = rng.integers(states, size=rows.size)
        matrices.append(sparse.csr_array((weights.ravel(), (rows, columns)), (states, states)))
    return MDP(matrices, rng.random((states, actions)), 0.95)
