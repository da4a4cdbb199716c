"""Shortest paths in a random graph: what random walks can teach about where to turn."""

import numpy as np

from seqdec_lib.mdp import backward_induction, policy_rows
from seqdec_lib.problems.tabular_problem import TabularProblem
from seqdec_lib.validation import fraction, whole_number


class ShortestPath(TabularProblem):
    """Reach the goal of a random directed graph in as few steps as possible.

    Description
        From each node to each other one there is a road with probability `edge_probability`. The
        goal is drawn among the nodes that at least half of the others can reach; a graph without
        such a node is drawn anew.
    Action space
        `actions` signposts at each node. A node with d roads shares them out evenly: sign a leads
        along road a mod d. Signs left over, fewer than d, lead along any of the roads by chance, so
        choosing signs uniformly is exactly the uniform random walk on the roads. A node without a
        road keeps you.
    Observation space
        The node.
    Rewards
        -1 a step, until the goal is reached.
    End of the episode
        At the goal, or when the clock stops it after `horizon` steps. Episodes start at any other
        node, all equally likely, those included that can't reach the goal.

    The exact returns are those of at most `horizon` steps.

    nodes : int; at least 3.
    actions : int, optional; at least as many as the most roads that leave a node; default: 6, which
        1, 2, 3 and 6 divide, or that number where it is larger.
    seed : int; draws roads and goal.

    Attributes:
    roads : list of (d,) int arrays; where the roads of each node lead.
    distances : (nodes,) float; fewest steps to the goal, inf where it can't be reached.

    Source: Chen et al., *Decision Transformer* (2021), section 3.

    Raises ValueError: numbers outside their ranges, fewer actions than roads, an edge probability
        so small that no graph has a goal."""

    def __init__(
        self,
        nodes: int = 20,
        edge_probability: float = 0.1,
        horizon: int = 10,
        actions: int | None = None,
        seed: int = 0,
    ) -> None:
        nodes = whole_number("nodes", nodes, least=3)
        self.edge_probability = fraction("edge_probability", edge_probability)
        self.seed = whole_number("seed", seed, least=0)
        linked, self.goal, self.distances = self._draw(nodes)
        self.roads = [np.flatnonzero(row) for row in linked]
        most = int(linked.sum(axis=1).max())
        if actions is None:
            actions = max(6, most)
        elif whole_number("actions", actions, least=1) < most:
            raise ValueError(
                f"actions must be at least {most}, the most roads that leave a node of this graph, "
                f"but {actions} came."
            )
        start = np.full(nodes, 1 / (nodes - 1))
        start[self.goal] = 0
        terminal = np.arange(nodes) == self.goal
        probabilities, next_states = self._signs(actions, most)
        rewards = np.full(next_states.shape, -1.0)
        super().__init__(probabilities, next_states, rewards, terminal, start, 1.0, horizon)
        self.reward_range = (-1.0, -1.0)

    def _draw(self, nodes: int) -> tuple[np.ndarray, int, np.ndarray]:
        """Roads (nodes, nodes) bool, the goal, and all distances to it."""
        rng = np.random.default_rng(self.seed)
        for _ in range(1000):
            linked = rng.random((nodes, nodes)) < self.edge_probability
            np.fill_diagonal(linked, False)
            distances = _distances(linked)
            goals = np.flatnonzero(np.isfinite(distances).sum(axis=0) - 1 >= (nodes - 1) / 2)
            if len(goals):
                goal = int(rng.choice(goals))
                return linked, goal, distances[:, goal]
        raise ValueError(
            f"among 1000 graphs of {nodes} nodes none has a goal that half of the others can "
            f"reach; raise edge_probability, which is {self.edge_probability!r}."
        )

    def _signs(self, actions: int, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Outcomes of each sign at each node: probabilities and next nodes (nodes, actions, K)."""
        shape = (len(self.roads), actions, max(1, most))
        probabilities, next_states = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        for node, roads in enumerate(self.roads):
            roads = roads if len(roads) else np.array([node])
            shared = actions - actions % len(roads)
            probabilities[node, :shared, 0] = 1
            next_states[node, :shared, 0] = roads[np.arange(shared) % len(roads)]
            probabilities[node, shared:, : len(roads)] = 1 / len(roads)
            next_states[node, shared:, : len(roads)] = roads
        return probabilities, next_states

    @property
    def solvable(self) -> np.ndarray:
        """The starts from which the goal can be reached in time, (M,) int."""
        return np.flatnonzero((self.distances > 0) & (self.distances <= self.horizon))

    def describe(self, state: int) -> str:
        return f"node {state}" + (", the goal" if state == self.goal else "")

    def optimal_return(self) -> float:
        return float(self.start @ backward_induction(self.mdp()).values[0])

    def expected_return(self, policy: np.ndarray) -> float:
        rows = policy_rows(policy, self.n_states, self.n_actions)
        chain, rewards = self.mdp().under(rows)
        values = np.zeros(self.n_states)
        for _ in range(self.horizon):
            values = rewards + chain @ values
        return float(self.start @ values)


def _distances(linked: np.ndarray) -> np.ndarray:
    """Fewest steps from each node to each other, (nodes, nodes): breadth first, all at once."""
    nodes = len(linked)
    distances = np.where(np.eye(nodes, dtype=bool), 0.0, np.inf)
    frontier, reached = np.eye(nodes, dtype=bool), np.eye(nodes, dtype=bool)
    for steps in range(1, nodes):
        frontier = (frontier.astype(int) @ linked.astype(int) > 0) & ~reached
        distances[frontier] = steps
        reached |= frontier
    return distances
