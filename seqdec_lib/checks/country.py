"""A country for assignment 6: a travel tree, what a die's travelers wrote down, what is exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property

import numpy as np

from seqdec_lib.experience import collect, regret_of
from seqdec_lib.problems import CITY_NAMES, TravelTree

DAYS, LEVELS, CITIES, ACTIONS = 4, 16, len(CITY_NAMES), 3
"""Days of a trip, levels of what is still to come, cities, and roads on each morning."""
VOCABULARY, PLACES = LEVELS + CITIES + ACTIONS, 3 * DAYS
"""Token ids, and tokens of a whole trip."""
ROUNDING = 1e-6  # stars; the same sum, taken in another order
NOT_LEARNED = -100
"""The target where nothing is to be predicted."""

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


class Country:
    """Trips of four days, each day paid by how much better it made the trip.

    Attributes
    ----------
    tree : the problem
    logbook : cities, actions and rewards, (N, DAYS) each, of N trips that a die chose
    edges : (LEVELS - 1,) rising; they cut what is still to come into levels, of which the highest
        holds nothing but the best trips
    best : what the best trip of the logbook earned
    """

    def __init__(self, seed: int, trips: int = 1000) -> None:
        self.tree = TravelTree(horizon=DAYS, seed=seed, dense=True)
        self._city = self.tree.trips_at(np.arange(self.tree.n_states)).city
        logged = collect(self.tree, None, trips, seed)
        self.logbook = self._columns(logged.states[:, :-1], logged.actions, logged.rewards)
        to_go = logged.returns_to_go()
        self.best = float(logged.returns().max())
        self.edges = np.linspace(to_go.min(), self.best - ROUNDING, LEVELS)[1:]

    @cached_property
    def every_trip(self) -> Columns:
        """Cities, actions and rewards, (81, DAYS) each, of every trip that there is."""
        whole = self.tree.histories(DAYS)
        return self._columns(whole.states[:, :-1], whole.actions, whole.rewards)

    def names(self, actions: np.ndarray) -> list[str]:
        """The cities of a trip, by name, from its actions (DAYS,)."""
        node = 0
        for action in actions:
            node = ACTIONS * node + 1 + int(action)
        return self.tree.itinerary(node)

    def regret(self, probabilities: Callable[..., np.ndarray]) -> float:
        """The exact regret of a policy: 0 is optimal, 1 is a die's.

        It is asked for (cities (N, t + 1), actions (N, t), rewards (N, t)) on each morning t, and
        answers with (N, ACTIONS).
        """
        rows = []
        for t in range(DAYS):
            here = self.tree.histories(t)
            rows.append(probabilities(*self._columns(here.states, here.actions, here.rewards)))
        return regret_of(self.tree, np.concatenate(rows))

    def _columns(self, states: np.ndarray, actions: np.ndarray, rewards: np.ndarray) -> Columns:
        return self._city[states], actions, rewards


class Shares:
    """The best that can be said about tokens: the share of each next action, by counting.

    `tokens` (N, T) are all sequences that can be, each as likely as the next; `targets` (N, T) the
    action that comes next, or NOT_LEARNED.
    """

    def __init__(self, tokens: np.ndarray, targets: np.ndarray) -> None:
        self._counts: Counter = Counter()
        self._pasts = []  # of each target, in order: what stands before it, and itself
        for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
            for place in np.flatnonzero(np.array(wanted) != NOT_LEARNED):
                past = tuple(row[: place + 1])
                self._pasts.append((past, wanted[place]))
                self._counts[past, wanted[place]] += 1

    @cached_property
    def floor(self) -> float:
        """The mean of -log p(target) in nats, below which no model of what came before can go."""
        return -float(np.mean([np.log(self(past)[action]) for past, action in self._pasts]))

    def __call__(self, past: tuple[int, ...]) -> np.ndarray:
        """Shares (ACTIONS,) of what comes after these tokens; all alike where none ever did."""
        counts = np.array([self._counts[past, action] for action in range(ACTIONS)], dtype=float)
        return counts / counts.sum() if counts.any() else np.full(ACTIONS, 1 / ACTIONS)


def surprise(logits: np.ndarray, targets: np.ndarray) -> float:
    """The mean of -log p(target) in nats over the targets that count; logits (..., ACTIONS)."""
    counted = targets != NOT_LEARNED
    log_p = np.log(shares_of(logits[counted]))
    return -float(np.take_along_axis(log_p, targets[counted][:, None], axis=1).mean())


def shares_of(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (..., K): their softmax, never quite 0."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True)) + 1e-300
    return weights / weights.sum(axis=-1, keepdims=True)
