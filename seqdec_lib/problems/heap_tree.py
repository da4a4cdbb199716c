"""The shape of a tree that is stored as a heap, whatever its nodes mean.

Node 0 is the root, and action `a` leads from `node` to the child `branching * node + 1 + a`. So a
level of the tree is a slice of the nodes, and so are all children of a level.
"""

from __future__ import annotations

import numpy as np

from seqdec_lib.validation import whole_number

MOST_NODES = 2**27  # one float64 a node: 1 GiB


class HeapTree:
    """All sequences of `horizon` actions out of `branching`.

    Attributes
    ----------
    branching, horizon : int
        Actions a node, at least 2, and actions from the root to a leaf, at least 1.
    n_states, first_leaf, n_leaves : int
        Nodes, the first one that is a leaf, and leaves.

    Raises
    ------
    ValueError
        Numbers outside these ranges, or a tree too large for one number a node in memory (1 GiB).
    """

    def __init__(self, branching: int, horizon: int) -> None:
        self.branching = whole_number("branching", branching, least=2)
        self.horizon = whole_number("horizon", horizon, least=1)
        nodes, longest = 1, 0
        while nodes * self.branching + 1 <= MOST_NODES:
            nodes, longest = nodes * self.branching + 1, longest + 1
        if self.horizon > longest:
            raise ValueError(
                f"horizon must be at most {longest} with branching {self.branching}, "
                f"but {self.horizon} came: one number a node would not fit in "
                f"{MOST_NODES * 8 >> 30} GiB; lower the horizon or the branching."
            )
        leaves = self.level(self.horizon)
        self.first_leaf, self.n_states = leaves.start, leaves.stop
        self.n_leaves = self.n_states - self.first_leaf

    def level(self, t: int) -> slice:
        """The nodes reached after t actions, 0 <= t <= horizon (ValueError)."""
        if not 0 <= t <= self.horizon:
            raise ValueError(f"level must lie in 0..{self.horizon}, the horizon, but {t} came.")
        start = (self.branching**t - 1) // (self.branching - 1)
        return slice(start, start + self.branching**t)

    def before(self, nodes: np.ndarray) -> np.ndarray:
        """The parents of nodes (...); the root stays where it is."""
        return np.maximum(nodes - 1, 0) // self.branching

    def last_action(self, nodes: np.ndarray) -> np.ndarray:
        """The actions that led to nodes (...) from their parents; of the root no action did."""
        return (nodes - 1) % self.branching

    def parent(self, node: int) -> int:
        """The node before; the root has none (ValueError)."""
        if not 0 < node < self.n_states:
            raise ValueError(f"node must lie in 1..{self.n_states - 1}, but {node} came.")
        return (node - 1) // self.branching

    def path(self, node: int) -> list[int]:
        """The actions that lead from the root to a node (ValueError if there is none)."""
        actions: list[int] = []
        node = int(node)
        while node:
            actions.insert(0, (node - 1) % self.branching)
            node = self.parent(node)
        return actions

    def ways(self, t: int) -> np.ndarray:
        """The nodes from the root to each node of level t, both included: (branching**t, t + 1)."""
        level = self.level(t)
        ways = [np.arange(level.start, level.stop)]
        while len(ways) <= t:
            ways.insert(0, self.before(ways[0]))
        return np.stack(ways, axis=1)

    def checked_nodes(self, nodes: np.ndarray) -> np.ndarray:
        """Return nodes (N,) as an array, or raise a ValueError if one is not in the tree."""
        nodes = np.asarray(nodes)
        if not nodes.size:
            return nodes.astype(np.int64)
        whole = np.issubdtype(nodes.dtype, np.integer)
        if nodes.ndim != 1 or not whole or nodes.min() < 0 or nodes.max() >= self.n_states:
            raise ValueError(
                f"nodes must be a list or array of whole numbers in 0..{self.n_states - 1}, "
                f"but {nodes!r} came."
            )
        return nodes.astype(np.int64, copy=False)
