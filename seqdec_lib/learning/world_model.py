"""World models: estimates of P(s', r' | s, a) from experience, for planning in the world's place.

Every model is asked in two ways. `sample` answers like a problem's `step`, so whatever plans by
simulation (`planning`) can use the model instead; `mdp` and `plan` hand all of it to value
iteration. `CountModel` is the plainest; `neural_model` has one that generalizes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from scipy import sparse

from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.learning.table import Transitions
from seqdec_lib.mdp import MDP, value_iteration
from seqdec_lib.validation import whole_number


def transitions_of(
    experience: Trajectories | Transitions, replicas: np.ndarray | None = None
) -> Transitions:
    """Every step of every episode, for a model or a learner to read.

    Parameters
    ----------
    experience
        `Transitions` are returned as they came.
    replicas : (N,) int, optional
        Whose experience each episode is; by default all belong to replica 0.
    """
    if isinstance(experience, Transitions):
        return experience
    taken, owners = experience.mask, np.zeros(len(experience), dtype=np.int64)
    owners = owners if replicas is None else np.asarray(replicas)
    last = np.arange(taken.shape[1]) == experience.lengths[:, None] - 1
    return Transitions(
        replicas=np.broadcast_to(owners[:, None], taken.shape)[taken],
        observations=experience.states[:, :-1][taken],
        actions=experience.actions[taken],
        rewards=experience.rewards[taken],
        next_observations=experience.states[:, 1:][taken],
        terminated=(last & experience.terminated[:, None])[taken],
    )


class Outcomes(NamedTuple):
    """All that a model holds possible, M outcomes in the order of their pairs.

    Attributes
    ----------
    pairs : (M,) int; (replica * S + s) * A + a
    chances : (M,) float; those of a pair sum to 1
    next_states : (M,) int; within the replica
    rewards : (M,) float
    ended : (M,) bool
    """

    pairs: np.ndarray
    chances: np.ndarray
    next_states: np.ndarray
    rewards: np.ndarray
    ended: np.ndarray


class WorldModel(ABC):
    """What can be asked of any model of S states and A actions; a pair it knows nothing about is
    held to end the episode with the return `unknown`."""

    n_states: int
    n_actions: int
    replicas: int = 1
    unknown: float = 0.0

    @abstractmethod
    def outcomes(self) -> Outcomes:
        """The whole estimate."""

    @abstractmethod
    def sample(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Imagine one step, as a problem's `step` takes it: (N,), (N,) -> next states, rewards,
        ended.
        """

    def next_state_probabilities(self) -> np.ndarray:
        """P(s' | s, a) as (S, A, S), wherever it ends; rows of unknown pairs are 0.

        Raises
        ------
        ValueError
            More than one replica.
        """
        if self.replicas > 1:
            raise ValueError(f"one table needs one replica, but the model has {self.replicas}.")
        seen, rows = self.outcomes(), np.zeros((self.n_states * self.n_actions, self.n_states))
        np.add.at(rows, (seen.pairs, seen.next_states), seen.chances)
        return rows.reshape(self.n_states, self.n_actions, self.n_states)

    def mdp(self, discount: float, horizon: int | None = None) -> MDP:
        """The estimate as an MDP with one state more, the last: "over", where nothing is paid.

        State s of replica i is row i * S + s. Outcomes that ended an episode lead to the last one,
        and so do unknown pairs, which earn `unknown` on the way. Transitions are sparse.
        """
        seen, over = self.outcomes(), self.replicas * self.n_states
        rewards = np.zeros(over * self.n_actions)
        np.add.at(rewards, seen.pairs, seen.chances * seen.rewards)
        unknown = np.flatnonzero(np.bincount(seen.pairs, minlength=len(rewards)) == 0)
        rewards[unknown] = self.unknown
        base = seen.pairs // (self.n_states * self.n_actions) * self.n_states
        arrived = np.where(seen.ended, over, base + seen.next_states)
        pairs = np.concatenate([seen.pairs, unknown])
        columns = np.concatenate([arrived, np.full(len(unknown), over)])
        weights = np.concatenate([seen.chances, np.ones(len(unknown))])
        matrices = []
        for action in range(self.n_actions):
            mine = pairs % self.n_actions == action
            where = (
                np.append(pairs[mine] // self.n_actions, over),
                np.append(columns[mine], over),
            )
            shape = (over + 1, over + 1)
            matrices.append(sparse.csr_array((np.append(weights[mine], 1.0), where), shape=shape))
        rewards = np.vstack([rewards.reshape(-1, self.n_actions), np.zeros(self.n_actions)])
        return MDP(matrices, rewards, discount, horizon)

    def plan(self, discount: float, horizon: int | None = None, tol: float = 1e-8) -> np.ndarray:
        """Optimal action values (replicas, S, A) in the estimate, by value iteration; `greedy`
        makes a policy of them."""
        q_values = value_iteration(self.mdp(discount, horizon), tol).q_values[:-1]
        return q_values.reshape(self.replicas, self.n_states, self.n_actions)


class CountModel(WorldModel):
    """Counts what followed each pair (s, a): the maximum-likelihood estimate of P(s', r' | s, a).

    Each pair keeps its distinct outcomes (next state, reward, ended or not) with how often each
    came. Rewards must therefore repeat exactly; a continuous reward makes each outcome a new one.

    Parameters
    ----------
    n_states, n_actions : int
    unknown : float
        The return assumed for a pair that was never tried. At least as large as any return it
        makes a planner curious (Brafman and Tennenholtz, "R-max", 2002), at most as small as any
        it makes it cautious.
    replicas : int
        Models side by side, each with its own counts; state s of replica i is row
        i * n_states + s of `known`, `mdp` and `sample`.

    Raises
    ------
    ValueError
        Numbers that are not whole or too small; an assumed return that is not finite.
    """

    def __init__(
        self, n_states: int, n_actions: int, unknown: float = 0.0, replicas: int = 1
    ) -> None:
        self.n_states = whole_number("n_states", n_states, least=1)
        self.n_actions = whole_number("n_actions", n_actions, least=1)
        self.replicas = whole_number("replicas", replicas, least=1)
        if not np.isfinite(unknown):
            raise ValueError(f"unknown must be a finite return, but {unknown!r} came.")
        self.unknown = float(unknown)
        # The distinct outcomes of each pair fill its row from the left, in the order they came:
        # how often, and the next state, the reward, whether it ended.
        room = (self.replicas * self.n_states * self.n_actions, 1)
        self._counts = np.zeros(room, dtype=np.int64)
        self._kept = [np.zeros(room, dtype) for dtype in (np.int64, float, bool)]

    @property
    def visits(self) -> np.ndarray:
        """How often each pair was tried: (replicas * S, A) int."""
        return self._counts.sum(axis=1).reshape(-1, self.n_actions)

    @property
    def known(self) -> np.ndarray:
        """Pairs that were tried: (replicas * S, A) bool."""
        return (self._counts[:, 0] > 0).reshape(-1, self.n_actions)

    def add(self, experience: Trajectories | Transitions) -> CountModel:
        """Count more experience; returns the model itself.

        Raises
        ------
        ValueError
            States, actions or replicas that the model has no row for; rewards that are not finite.
        """
        seen = transitions_of(experience)
        self._check(seen)
        cells = seen.replicas * self.n_states + seen.observations
        pairs = cells * self.n_actions + seen.actions
        columns = (seen.next_observations, seen.rewards, seen.terminated)
        order = np.lexsort((*columns[::-1], pairs))
        pairs, *columns = (column[order] for column in (pairs, *columns))
        new = np.arange(len(pairs)) == 0
        for column in (pairs, *columns):
            new[1:] |= column[1:] != column[:-1]
        first = np.flatnonzero(new)
        counts = np.diff(np.append(first, len(pairs)))
        self._add_distinct(pairs[first], [column[first] for column in columns], counts)
        return self

    def _check(self, seen: Transitions) -> None:
        for name, numbers, limit in (
            ("replicas", seen.replicas, self.replicas),
            ("states", seen.observations, self.n_states),
            ("actions", seen.actions, self.n_actions),
            ("next states", seen.next_observations, self.n_states),
        ):
            if len(numbers) and not (0 <= numbers.min() and numbers.max() < limit):
                raise ValueError(
                    f"{name} must lie in 0..{limit - 1}, but {numbers.min()}..{numbers.max()} "
                    "came; make the model as large as the world."
                )
        if not np.isfinite(seen.rewards).all():
            raise ValueError("rewards must be finite numbers, but some are not.")

    def _add_distinct(self, pairs: np.ndarray, columns: list, counts: np.ndarray) -> None:
        same = self._counts[pairs] > 0
        for kept, column in zip(self._kept, columns, strict=True):
            same &= kept[pairs] == column[:, None]
        slot, unseen = same.argmax(axis=1), np.flatnonzero(~same.any(axis=1))
        if len(unseen):
            # The k-th new outcome of a pair goes to the k-th free slot; equal pairs are neighbors.
            new = pairs[unseen]
            rank = np.arange(len(new)) - np.searchsorted(new, new)
            slot[unseen] = (self._counts[new] > 0).sum(axis=1) + rank
            missing = int(slot.max()) + 1 - self._counts.shape[1]
            if missing > 0:
                more = ((0, 0), (0, missing))
                self._counts, *self._kept = (np.pad(a, more) for a in (self._counts, *self._kept))
            for kept, column in zip(self._kept, columns, strict=True):
                kept[new, slot[unseen]] = column[unseen]
        self._counts[pairs, slot] += counts

    def sample(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As for `WorldModel`: an outcome as often as it was counted."""
        pairs = np.asarray(states) * self.n_actions + np.asarray(actions)
        slot = np.zeros(len(pairs), dtype=np.int64)
        if self._counts.shape[1] > 1:
            cumulative = self._counts[pairs].cumsum(axis=1)
            draws = rng.integers(np.maximum(cumulative[:, -1], 1))
            slot = (draws[:, None] >= cumulative).sum(axis=1)
        tried = self._counts[pairs, 0] > 0
        slot *= tried
        next_states, rewards, ended = (kept[pairs, slot] for kept in self._kept)
        base = np.asarray(states) // self.n_states * self.n_states
        return base + next_states, np.where(tried, rewards, self.unknown), ended | ~tried

    def outcomes(self) -> Outcomes:
        """As for `WorldModel`: shares of the counts."""
        where = pairs, _ = np.nonzero(self._counts)
        chances = self._counts[where] / self._counts.sum(axis=1)[pairs]
        return Outcomes(pairs, chances, *(kept[where] for kept in self._kept))
