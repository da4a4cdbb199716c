"""Planning by simulation, where a model can be asked but not enumerated: random shooting and Monte
Carlo tree search.

Both ask a *simulator*, a function (states, actions, rng) -> (next states, rewards, ended) on arrays
(N,): the `step` of a problem (the exact model) or the `sample` of a learned one. Both plan for many
roots side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.learning.exploration import greedy
from seqdec_lib.problems.base import History, Policy
from seqdec_lib.validation import discount_factor, fraction, nonnegative_number, whole_number

Simulator = Callable[
    [np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]
]
Planner = Callable[[np.ndarray, int], "Decision"]
"""Maps root states (B,) and the number of steps left to a decision for each."""


@dataclass(frozen=True)
class Decision:
    """What a planner found out about the actions at B roots.

    Attributes
    ----------
    q_values : (B, A) float
        Return that the plan promises after each action; -inf where an action was never tried.
        `greedy` makes a policy of them.
    visits : (B, A) int
        Simulations that began with each action.
    queries : int
        Steps that the simulator was asked for, all roots together.
    """

    q_values: np.ndarray
    visits: np.ndarray
    queries: int


def random_shooting(
    simulator: Simulator,
    roots: np.ndarray,
    steps: int,
    n_actions: int,
    plans: int,
    rng: np.random.Generator,
    discount: float = 1.0,
) -> Decision:
    """Try `plans` random action sequences from each root; an action is worth what the best of
    those that begin with it brought.

    Parameters
    ----------
    roots : (B,) int
    steps : length of the sequences, the steps left

    Raises
    ------
    ValueError
        No steps left, no plan, a discount outside [0, 1].
    """
    steps, plans = whole_number("steps", steps, least=1), whole_number("plans", plans, least=1)
    discount = discount_factor(discount, steps)
    now = np.repeat(np.asarray(roots), plans)
    returns, queries, first = np.zeros(len(now)), 0, None
    going = np.arange(len(now))
    for t in range(steps):
        actions = rng.integers(n_actions, size=len(now))
        first = actions if first is None else first
        now[going], rewards, ended = simulator(now[going], actions[going], rng)
        returns[going] += discount**t * rewards
        queries += len(going)
        going = going[~ended]
        if not len(going):
            break
    returns, first = returns.reshape(-1, plans), first.reshape(-1, plans)
    tried = first[:, :, None] == np.arange(n_actions)
    q_values = np.where(tried, returns[:, :, None], -np.inf).max(axis=1)
    return Decision(q_values, tried.sum(axis=1), queries)


def tree_search(
    simulator: Simulator,
    roots: np.ndarray,
    steps: int,
    n_actions: int,
    simulations: int,
    rng: np.random.Generator,
    discount: float = 1.0,
    exploration: float = 1.0,
    best_weight: float = 0.0,
) -> Decision:
    """Monte Carlo tree search with upper confidence bounds (UCT): B searches side by side.

    Each simulation walks down the tree it knows, adds the first node it doesn't, plays on at random
    and adds its return to every node on its way. In the tree it takes the action that maximises

        value + exploration * sqrt(2 * log(visits of the node) / visits of the action),

    where the value is the mean return of the simulations that came by, scaled to [0, 1] by the
    smallest and largest return seen from that root (Kocsis and Szepesvari, "Bandit based
    Monte-Carlo planning", 2006). At the end it takes the action with the best value. A node is a
    history: the same state reached in two ways is two nodes, and an action with random outcomes has
    a child for each.

    Parameters
    ----------
    roots : (B,) int
    steps : most steps a simulation takes, the steps left
    simulations : walks from each root
    exploration : at least 0
    best_weight : float in [0, 1]
        The value of an action is (1 - best_weight) * mean + best_weight * best return so far.
        Where nothing is random, the best return seen can be had again, so it deserves weight
        (Schadd et al., "Single-player Monte-Carlo tree search", 2008); under chance part of it is
        luck, and only weight 0 converges to the optimum.

    Raises
    ------
    ValueError
        No steps left, no simulation, a negative exploration, a discount or weight outside [0, 1].
    """
    steps = whole_number("steps", steps, least=1)
    simulations = whole_number("simulations", simulations, least=1)
    forest = _Forest(np.asarray(roots), n_actions, size=simulations + 1)  # a walk adds a node
    forest.discount = discount_factor(discount, steps)
    forest.exploration = nonnegative_number("exploration", exploration)
    forest.best_weight = fraction("best_weight", best_weight)
    queries = sum(forest.simulate(simulator, steps, rng) for _ in range(simulations))
    q_values, visits = forest.values(forest.root), forest.visits[forest.root]
    q_values[visits == 0] = -np.inf
    return Decision(q_values, visits, queries)


class _Forest:
    """B search trees in flat arrays: tree b owns the rows b * size ... (b + 1) * size - 1.

    The children of a node and an action are a linked list (`first`, then `sibling`), one for each
    state that followed.
    """

    discount: float
    exploration: float
    best_weight: float

    def __init__(self, roots: np.ndarray, n_actions: int, size: int) -> None:
        nodes = len(roots) * size
        self.n_actions, self.roots = n_actions, roots
        self.root = np.arange(len(roots)) * size
        self.used = self.root + 1
        self.visits = np.zeros((nodes, n_actions), dtype=np.int64)
        self.totals = np.zeros((nodes, n_actions))
        self.best = np.zeros((nodes, n_actions))
        self.first = np.full(nodes * n_actions, -1)
        self.sibling = np.full(nodes, -1)
        self.state = np.zeros(nodes, dtype=np.int64)
        self.low, self.high = np.full(len(roots), np.inf), np.full(len(roots), -np.inf)

    def simulate(self, simulator: Simulator, steps: int, rng: np.random.Generator) -> int:
        """One walk in each tree; returns how many steps were asked of the simulator."""
        trees = len(self.roots)
        now, node = self.roots.copy(), self.root.copy()
        going = within = np.arange(trees)  # walks not over yet; those of them still in the tree
        way, rewards, queries = [], np.zeros((steps, trees)), 0
        dice = rng.random((steps, trees, self.n_actions))
        plans = dice.argmax(axis=2)  # random actions, for outside the tree
        for t in range(steps):
            actions = plans[t]
            if len(within):
                actions[within] = self._select(within, node[within], dice[t, within])
            now[going], rewards[t, going], ended = simulator(now[going], actions[going], rng)
            queries += len(going)
            if len(within):
                nodes, chosen = node[within], actions[within]
                way.append((within, nodes, chosen))
                node[within], known = self._descend(
                    within, nodes * self.n_actions + chosen, now[within]
                )
                within = within[known]
            if ended.any():
                going = going[~ended]
                within = np.intersect1d(within, going, assume_unique=True)
                if not len(going):
                    break
        self._back_up(way, rewards)
        return queries

    def values(self, nodes: np.ndarray) -> np.ndarray:
        """Worth of each action at these nodes: (N,) -> (N, A), 0 where it was never tried."""
        mean = self.totals[nodes] / np.maximum(self.visits[nodes], 1)
        if not self.best_weight:
            return mean
        return mean + self.best_weight * (self.best[nodes] - mean)

    def _select(self, trees: np.ndarray, nodes: np.ndarray, dice: np.ndarray) -> np.ndarray:
        visits = self.visits[nodes]
        tried = np.maximum(visits, 1)
        span = (self.high - self.low)[trees]
        span[~(span > 0)] = 1  # nothing to tell apart yet
        scaled = (self.values(nodes) - self.low[trees][:, None]) / span[:, None]
        bonus = np.sqrt(2 * np.log(tried.sum(axis=1))[:, None] / tried)
        score = scaled + self.exploration * bonus
        # Never tried: first of all, in random order. Equals: in random order.
        new = visits == 0
        score = np.where(
            new.any(axis=1, keepdims=True), np.where(new, dice, -1), score + 1e-9 * dice
        )
        return score.argmax(axis=1)

    def _descend(
        self, trees: np.ndarray, edges: np.ndarray, states: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Follow (node, action) to the child with this state, or add it: nodes, known (N,)."""
        child = self.first[edges]
        while (other := (child >= 0) & (self.state[child] != states)).any():
            child[other] = self.sibling[child[other]]
        known = child >= 0
        new = np.flatnonzero(~known)
        if len(new):
            child[new] = self.used[trees[new]]
            self.used[trees[new]] += 1
            self.state[child[new]] = states[new]
            self.sibling[child[new]] = self.first[edges[new]]
            self.first[edges[new]] = child[new]
        return child, known

    def _back_up(self, way: list, rewards: np.ndarray) -> None:
        ages = np.arange(len(rewards))
        later = np.maximum(ages - ages[:, None], 0)
        to_go = np.triu(self.discount**later) @ rewards
        np.minimum(self.low, to_go[0], out=self.low)
        np.maximum(self.high, to_go[0], out=self.high)
        for t, (trees, nodes, actions) in enumerate(way):
            returns = to_go[t, trees]
            self.totals[nodes, actions] += returns
            if self.best_weight:
                best = np.maximum(self.best[nodes, actions], returns)
                first = self.visits[nodes, actions] == 0
                self.best[nodes, actions] = np.where(first, returns, best)
            self.visits[nodes, actions] += 1


def planning_policy(planner: Planner, horizon: int) -> Policy:
    """A policy for `collect` that plans anew before each step, and is greedy in what it finds.

    Parameters
    ----------
    planner : maps (states (B,), steps left) to a `Decision`
    horizon : steps of an episode
    """

    def act(history: History) -> np.ndarray:
        return greedy(planner(history.states[:, -1], horizon - history.actions.shape[1]).q_values)

    return act
