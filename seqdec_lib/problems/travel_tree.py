"""A trip through Europe, one city after another, enjoyed only at the end: the tree problem of the
book.

A level of the tree is a slice of its nodes, and so are all children of a level (see `heap_tree`);
every sweep below is a handful of array operations on such slices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from scipy import sparse

from seqdec_lib.mdp import MDP, policy_rows
from seqdec_lib.problems.base import History, Problem
from seqdec_lib.problems.heap_tree import HeapTree
from seqdec_lib.problems.rail import CITY_NAMES, RailNetwork, Trips
from seqdec_lib.validation import discount_factor, fraction, whole_number

STAY = 0
TABLE_NODES = 2**22  # up to here the enjoyment of every node is kept in memory
CHUNK = 2**16  # trips grown together: small enough for the processor's cache


@dataclass(frozen=True)
class TreeSolution:
    """What is best at each node of the tree.

    Attributes
    ----------
    values : (n_states,) float
        The optimum from each node on.
    policy : (n_states,) int or (first_leaf, A) float
        A best action at each node, the first one where several are best and 0 at the leaves; of
        the soft optimum, the probabilities of the actions.
    """

    values: np.ndarray
    policy: np.ndarray


class TravelTree(HeapTree, Problem):
    """Plan a trip day by day; learn at the end how good it was.

    Description
        You start at home in Amsterdam, and `horizon` times you choose: stay another night, or take
        the train to one of the nearest cities. Each city has 1 to 10 stars (drawn from `seed`). Its
        first night earns its stars, a second one half of them, any further night and nights at home
        nothing. Traveling tires: the total way, the way back home included, costs (km / 1000)
        squared stars. Enjoyment is stars minus tiredness, for the whole itinerary: the same city is
        worth more or less after different beginnings, so the state is the whole trip so far, a node
        of the tree, and not the city.
    Action space
        0: stay; a = 1..branching - 1: go to the a-th nearest other city.
    Observation space
        The node, 0..n_nodes - 1, in heap order: child = branching * node + 1 + action.
    Rewards
        0 until the trip is over, then its enjoyment. With `dense` each day pays instead the change
        of what the trip would be worth if it ended there; the sum is the same.
    End of the episode
        After `horizon` days, at a leaf.

    Parameters
    ----------
    branching : int
        Actions a node, 2 to 24 (there are 24 cities).
    horizon : int
        Days, at least 1.
    seed : int
        Draws the stars of the cities.
    dense : bool
        Pay each day instead of only at the end.
    cancel : float
        Probability that a train is canceled and you stay where you are.
    discount : float
        From 0 to 1: the episode is finite, so 1 is allowed.

    Raises
    ------
    ValueError
        Arguments outside these ranges, or a tree too large for one number a node in memory (1 GiB).
    """

    def __init__(
        self,
        branching: int = 3,
        horizon: int = 6,
        seed: int = 0,
        dense: bool = False,
        cancel: float = 0.0,
        discount: float = 1.0,
    ) -> None:
        super().__init__(branching, horizon)
        self.n_actions = self.branching
        self.seed = whole_number("seed", seed, least=0)
        self.dense = bool(dense)
        self.cancel = fraction("cancel", cancel)
        self.discount = discount_factor(discount, self.horizon)
        self.rail = RailNetwork(self.branching, self.seed)
        self.stars = self.rail.stars

    # -- what a trip is, and what it is worth

    def itinerary(self, node: int) -> list[str]:
        """The names of the cities from home to a node, a night each."""
        trips, cities = self.rail.at_home(1), [CITY_NAMES[0]]
        for action in self.path(node):
            trips = self.rail.visit(trips, action)
            cities.append(CITY_NAMES[trips.city[0]])
        return cities

    def describe(self, state: int) -> str:
        return " - ".join(self.itinerary(int(state)))

    def trips_at(self, nodes: np.ndarray) -> Trips:
        """The trips that end at these nodes (N,), followed from home day by day.

        Raises
        ------
        ValueError
            Nodes that are not whole numbers from 0 to n_states - 1.
        """
        ways = [self.checked_nodes(nodes)]
        while ways[-1].any():
            ways.append(self.before(ways[-1]))
        trips = self.rail.at_home(len(ways[0]))
        for way in reversed(ways):
            moved = way > 0
            after = self.rail.visit(trips, np.where(moved, self.last_action(way), STAY))
            trips = after.each(lambda new, old, moved=moved: np.where(moved, new, old), trips)
        return trips

    def enjoyment(self, nodes: np.ndarray) -> np.ndarray:
        """What a trip that ends at each of these nodes (N,) is worth, in stars: (N,) float.

        Raises
        ------
        ValueError
            Nodes that are not whole numbers from 0 to n_states - 1.
        """
        nodes = self.checked_nodes(nodes)
        if self.n_states <= TABLE_NODES:
            return self._enjoyment_table[nodes]
        return self.rail.enjoyment(self.trips_at(nodes))

    @cached_property
    def _enjoyment_table(self) -> np.ndarray:
        return np.concatenate([self.level_enjoyment(t) for t in range(self.horizon + 1)])

    def level_enjoyment(self, t: int) -> np.ndarray:
        """What a trip that ends at each node of level t is worth, in stars: (branching ** t,)
        float.

        The days before the last are grown from one stem after another, so that memory holds little
        more than the result; the last day is one action after another, so that no trip is copied.
        """
        level = self.level(t)
        if t == 0:
            return self.rail.enjoyment(self.rail.at_home(1))
        late_days = min(t - 1, int(np.log(CHUNK) / np.log(self.branching)))
        stems = self.rail.grow(self.rail.at_home(1), t - 1 - late_days)
        worth = np.empty(level.stop - level.start)
        for i, block in enumerate(worth.reshape(len(stems.city), -1, self.branching)):
            trips = self.rail.grow(stems.each(lambda array, i=i: array[i : i + 1]), late_days)
            for action in range(self.branching):
                block[:, action] = self.rail.enjoyment(self.rail.visit(trips, action))
        return worth

    def stars_and_km(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Stars earned and km traveled, the way home included, of trips that end at nodes (N,)."""
        return self.rail.stars_and_km(self.trips_at(nodes))

    def histories(self, t: int) -> History:
        """The histories of all nodes of level t, in the order of the nodes."""
        states = self.ways(t)
        rewards = np.zeros((len(states), t))
        if self.dense:
            rewards = np.diff(self.enjoyment(states.ravel()).reshape(states.shape), axis=1)
        elif t == self.horizon:
            rewards[:, -1] = self.level_enjoyment(t)
        return History(states, self.last_action(states[:, 1:]), rewards)

    # -- acting

    def reset(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        return np.zeros(episodes, dtype=np.int64)

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.check_step(states, actions)
        if np.size(states) and not (0 <= np.min(states) and np.max(states) < self.first_leaf):
            raise ValueError(
                f"states must lie in 0..{self.first_leaf - 1}, before the leaves, but "
                f"{np.min(states)}..{np.max(states)} came; where a trip is over, reset."
            )
        if self.cancel:
            actions = np.where(rng.random(len(states)) < self.cancel, STAY, actions)
        arrived = self.branching * states + 1 + actions
        ended = arrived >= self.first_leaf
        if self.dense:
            return arrived, self.enjoyment(arrived) - self.enjoyment(states), ended
        rewards = np.zeros(len(states))
        rewards[ended] = self.enjoyment(arrived[ended])
        return arrived, rewards, ended

    # -- the exact model and its solutions, level by level

    def mdp(self, sparse_transitions: bool = False) -> MDP:
        """The tree as an MDP whose leaves lead to themselves, for nothing.

        Raises
        ------
        ValueError
            The dense (S, A, S) array would take more than 1 GiB: ask for sparse transitions.
        """
        dense_bytes = 8 * self.n_states**2 * self.n_actions
        if not sparse_transitions and dense_bytes > 2**30:
            raise ValueError(
                f"{self.n_states} states would take {dense_bytes / 2**30:.1f} GiB as an (S, A, S) "
                "array; call mdp(sparse_transitions=True), or solve(), which needs no transitions."
            )
        nodes = np.arange(self.n_states)
        leaf = nodes >= self.first_leaf
        matrices, rewards = [], np.zeros((self.n_states, self.n_actions))
        for action in range(self.n_actions):
            child = np.where(leaf, nodes, self.branching * nodes + 1 + action)
            matrices.append(sparse.csr_array((np.ones(self.n_states), (nodes, child))))
        matrices = [self._or_canceled(matrix, matrices[STAY]) for matrix in matrices]
        for t in range(self.horizon):
            rewards[self.level(t)] = np.stack(
                self._or_canceled_columns(self.arrival_rewards(t)), axis=1
            )
        if not sparse_transitions:
            matrices = np.stack([matrix.toarray() for matrix in matrices], axis=1)
        return MDP(matrices, rewards, self.discount, self.horizon, terminal=leaf)

    def start_distribution(self) -> np.ndarray:
        return np.eye(1, self.n_states)[0]

    def solve(self) -> TreeSolution:
        """Backward induction: each node's optimal value and a best action, in one sweep."""
        policy = np.zeros(self.n_states, dtype=np.int8)

        def best(t: int, q_columns: list[np.ndarray]) -> np.ndarray:
            values, actions = q_columns[0].copy(), policy[self.level(t)]
            for action in range(1, self.branching):
                actions[q_columns[action] > values] = action
                np.maximum(values, q_columns[action], out=values)
            return values

        return TreeSolution(self._sweep(best), policy)

    def evaluate(self, policy: np.ndarray) -> np.ndarray:
        """Exact value (n_states,) of any policy, in one sweep from the leaves.

        The policy is a whole number (an action) or a row of probabilities for each node:
        (n_states,) or (n_states, branching). Leaves, where nothing is left to choose, may be left
        out.

        Raises
        ------
        ValueError
            Another shape, actions out of range, or rows that don't sum to 1.
        """
        policy = np.asarray(policy)
        inner = policy[: self.first_leaf] if policy.shape[:1] == (self.n_states,) else policy
        rows = policy_rows(inner, self.first_leaf, self.n_actions)

        def mean(t: int, q_columns: list[np.ndarray]) -> np.ndarray:
            chosen = rows[self.level(t)]
            return sum(chosen[:, action] * q for action, q in enumerate(q_columns))

        return self._sweep(mean)

    def optimal_return(self) -> float:
        return float(self._sweep(lambda t, q_columns: reduce(np.maximum, q_columns))[0])

    def expected_return(self, policy: np.ndarray) -> float:
        return float(self.evaluate(policy)[0])

    def random_return(self) -> float:
        return float(self._sweep(lambda t, q_columns: sum(q_columns) / self.branching)[0])

    def _sweep(self, combine: Callable[[int, list[np.ndarray]], np.ndarray]) -> np.ndarray:
        """Values (n_states,) where `combine` makes the values of level t out of its Q-values.

        The Q-values are one array over the level's nodes for each action: far faster than one row a
        node.
        """
        values = np.zeros(self.n_states)
        for t in reversed(range(self.horizon)):
            worth = self.arrival_rewards(t)
            if t + 1 < self.horizon:
                worth = worth + self.discount * values[self.level(t + 1)]
            values[self.level(t)] = combine(t, self._or_canceled_columns(worth))
        return values

    def arrival_rewards(self, t: int) -> np.ndarray:
        """What arriving at each node of level t + 1 pays: (branching ** (t + 1),) float."""
        if self.dense:
            return self.level_enjoyment(t + 1) - np.repeat(self.level_enjoyment(t), self.branching)
        if t + 1 == self.horizon:
            return self.level_enjoyment(self.horizon)
        return np.zeros(self.branching ** (t + 1))

    def _or_canceled_columns(self, worth: np.ndarray) -> list[np.ndarray]:
        """A level's worth as a column an action, mixed with staying by the risk of cancellation."""
        columns = [worth[action :: self.branching] for action in range(self.branching)]
        return [self._or_canceled(column, columns[STAY]) for column in columns]

    def _or_canceled(
        self, planned: np.ndarray | sparse.csr_array, stayed: np.ndarray | sparse.csr_array
    ) -> np.ndarray | sparse.csr_array:
        return (1 - self.cancel) * planned + self.cancel * stayed if self.cancel else planned
