"""The tables of many learners side by side, and how their entries move: the same for all methods.

A *replica* is a learner of its own, with its own table. Replicas share nothing but the clock, so
they are independent repetitions of one experiment, good for intervals. A *chain* is one stream of
episodes. All chains of a replica read and write that replica's table at the same moment. Where k of
them meet in one entry, their steps add up, as if k visits had come in a row, but never past the
mean of their targets: the entry moves toward that mean by min(1, k * step_size). With step_size =
1 / visits this is the running mean of all targets, exactly, and no number of chains makes it
diverge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

StepSize = float | Callable[[np.ndarray], np.ndarray]


class Transitions(NamedTuple):
    """N single steps, whoever took them: the agent, or a model that it imagines.

    Attributes
    ----------
    replicas : (N,) int
        Whose experience it is, 0..replicas - 1.
    observations, actions : (N,) int
    rewards : (N,) float
    next_observations : (N,) int
    terminated : (N,) bool
        True where the episode ended for good, so that nothing follows; False where it goes on, and
        where only the clock cut it short.
    """

    replicas: np.ndarray
    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_observations: np.ndarray
    terminated: np.ndarray


def harmonic(power: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
    """Step sizes visits ** -power: 1 is the running mean, (1/2, 1] converges (Robbins, Monro)."""
    if not 0 <= power <= 1:
        raise ValueError(f"power must lie in [0, 1], but {power!r} came; 1 is the running mean.")
    return lambda visits: visits**-power


class Table:
    """Numbers for states and actions, all replicas side by side, in one or two versions.

    Parameters
    ----------
    first : (S, A) float
        Where all versions of all replicas start.
    replicas, versions : int
    step_size : float in (0, 1], or a function of an entry's visits so far, this one included

    Raises
    ------
    ValueError
        A step size outside (0, 1], from a function as soon as it gives one.
    """

    def __init__(
        self, first: np.ndarray, replicas: int, step_size: StepSize, versions: int = 1
    ) -> None:
        if not callable(step_size):
            _check_step_size(step_size, step_size)
        self.step_size, self.shape = step_size, (replicas, *first.shape)
        # A row an action: what is asked of a state stands in a few long rows, which is fast.
        self.rows = np.ascontiguousarray(np.tile(first.T, (versions, 1, replicas)))
        self._flat = self.rows.reshape(-1)
        self._visits = np.zeros(self._flat.size, dtype=np.int64) if callable(step_size) else None
        self._counts, self._sums = np.zeros(self._flat.size), np.zeros(self._flat.size)

    @property
    def q_values(self) -> np.ndarray:
        """The numbers as (replicas, S, A), the mean of the versions."""
        replicas, states, actions = self.shape
        return np.moveaxis(self.rows.mean(axis=0).reshape(actions, replicas, states), 0, -1)

    def columns(self, cells: np.ndarray, version: int = 0) -> np.ndarray:
        """Q(s, .) for cells replica * S + s: (N,) -> (A, N)."""
        return self.rows[version].take(cells, axis=1)

    def entries(
        self, cells: np.ndarray, actions: np.ndarray, version: int | np.ndarray = 0
    ) -> np.ndarray:
        """Where Q(s, a) stands in the flat table, (N,); a table of one column has no actions."""
        places = cells if self.shape[2] == 1 else actions * self.rows.shape[2] + cells
        return places if len(self.rows) == 1 else places + version * self.rows[0].size

    def at(self, entries: np.ndarray) -> np.ndarray:
        """The numbers at these entries, of any shape."""
        return self._flat[entries]

    def move(self, entries: np.ndarray, targets: np.ndarray, distinct: bool = False) -> None:
        """Move entries (N,) toward targets (N,); `distinct` promises that none occurs twice."""
        repeats: int | np.ndarray = 1
        if not distinct:
            self._counts[entries] = 0
            self._sums[entries] = 0
            np.add.at(self._counts, entries, 1)
            np.add.at(self._sums, entries, targets)
            repeats = self._counts[entries]
            targets = self._sums[entries] / repeats
        rate = self.step_size
        if self._visits is not None:
            # Entries that occur twice get the same number twice: this is an assignment, not a sum.
            self._visits[entries] += np.asarray(repeats, dtype=np.int64)
            rate = self.step_size(self._visits[entries].astype(float))
            if len(entries):
                _check_step_size(np.min(rate), np.max(rate))
        if not distinct:
            rate = np.minimum(1, repeats * rate)
        old = self._flat[entries]
        self._flat[entries] = old + rate * (targets - old)


def _check_step_size(least: float, most: float) -> None:
    if not 0 < least <= most <= 1:
        raise ValueError(f"step_size must lie in (0, 1], but {least!r} to {most!r} came.")
