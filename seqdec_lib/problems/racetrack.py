"""Racetrack: get round the bends as fast as possible, without hitting the wall."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy import sparse

from seqdec_lib.mdp import MDP
from seqdec_lib.problems.base import Problem
from seqdec_lib.problems.track import FINISH, ROAD, START, WALL, cells_met, drawing_of
from seqdec_lib.validation import fraction, whole_number

COAST = 4
CRASHED = -1


@dataclass(frozen=True)
class Lap:
    """What a policy's lap is like on average, exactly.

    Attributes
    ----------
    time : expected steps until the finish, or until the clock stops the car
    crashes : expected number of crashes on the way
    finished : probability to reach the finish before the clock stops the car
    """

    time: float
    crashes: float
    finished: float


class Racetrack(Problem):
    """Drive from the start line to the finish in as few steps as possible.

    Description
        A track is a drawing: `#` is wall, `.` road, `S` the start line and `F` the finish. A car
        stands in a cell and has a velocity, so many rows and columns a step. A step first changes
        the velocity by the acceleration and then moves the car by the velocity, straight from the
        middle of one cell to the middle of another. If that line meets the finish before it meets a
        wall, the lap is over. If it meets a wall, and be it with a corner, the car has crashed: it
        is put back at rest on a cell of the start line drawn at random, and the lap goes on. What
        lies beyond the drawing is wall.
    Action space
        3 * (down + 1) + (right + 1) for accelerations `down` and `right` of -1, 0 or 1; 4 coasts.
        A velocity beyond the limit stays at the limit, and a car that moves cannot stop: an
        acceleration that would take away its last speed does nothing. With probability `noise` the
        car coasts, whatever is chosen.
    Observation space
        The state: cell and velocity, then the cells of the start line to which a crash leads, then
        the finish. `state` and `unpack` translate. That a car was just put back is part of the
        state, so that crashes can be counted in any record of states; it changes nothing else.
    Rewards
        -1 a step. A crash costs the way back, and nothing more.
    End of the episode
        At the finish, or when the clock stops it after `horizon` steps.

    The exact returns are those of at most `horizon` steps.

    Parameters
    ----------
    track : str
        "bend", "hairpin", or a drawing of your own: lines of equal length.
    noise : float
        At least 0 and below 1.
    max_speed : int
        Most rows and most columns a step, in both directions, at least 1.
    horizon : int

    Attributes
    ----------
    drawing : (rows, columns) array of characters
    starts, finishes : (S,) bool
        Where laps begin, and where they are over.
    crashed : (S,) bool
        Where a crash leads: a car has crashed as often as it arrives here.

    Source: Sutton and Barto, *Reinforcement Learning: An Introduction* (2nd ed., 2018), exercise
    5.12, whose cars drive up and to the right only; after Martin Gardner's game (1973).

    Raises
    ------
    ValueError
        An unknown track, a drawing with ragged lines, other characters, no start or no finish,
        a start from which no way leads to the finish, numbers outside their ranges.
    """

    def __init__(
        self,
        track: str = "hairpin",
        noise: float = 0.1,
        max_speed: int = 4,
        horizon: int = 500,
    ) -> None:
        self.drawing = drawing_of(track)
        self.noise = fraction("noise", noise)
        if self.noise == 1:
            raise ValueError("noise must be below 1, or no car ever moves, but 1 came.")
        self.max_speed = whole_number("max_speed", max_speed, least=1)
        self.horizon = whole_number("horizon", horizon, least=1)
        self.discount, self.reward_range, self.n_actions = 1.0, (-1.0, -1.0), 9

        self._cells = np.argwhere((self.drawing == ROAD) | (self.drawing == START))  # (C, 2)
        speeds = np.arange(-self.max_speed, self.max_speed + 1)
        self._velocities = np.stack(np.meshgrid(speeds, speeds, indexing="ij"), -1).reshape(-1, 2)
        on_line = np.flatnonzero(self.drawing[tuple(self._cells.T)] == START)
        at_finish = np.argwhere(self.drawing == FINISH)
        moving = len(self._cells) * len(self._velocities)
        self.n_states = moving + len(on_line) + len(at_finish)
        states = np.arange(self.n_states)
        self.crashed = (states >= moving) & (states < moving + len(on_line))
        self.finishes = states >= moving + len(on_line)

        self._places = np.concatenate(  # (S, 4): row, column, velocity
            [
                np.hstack(
                    [
                        np.repeat(self._cells, len(self._velocities), axis=0),
                        np.tile(self._velocities, (len(self._cells), 1)),
                    ]
                ),
                np.pad(self._cells[on_line], ((0, 0), (0, 2))),
                np.pad(at_finish, ((0, 0), (0, 2))),
            ]
        )
        self._rest = self.state(*self._cells[on_line].T, 0, 0)
        self.starts = np.isin(states, self._rest)
        self._moves = self._all_moves()
        self._check_ways()

    # -- states

    def state(self, row, column, down=0, right=0) -> np.ndarray:
        """The numbers of states, given cells and velocities (broadcast against each other).

        Raises
        ------
        ValueError
            A cell that is no road, a velocity beyond the limit.
        """
        row, column, down, right = np.broadcast_arrays(row, column, down, right)
        number = np.full(self.drawing.shape, -1)
        number[tuple(self._cells.T)] = np.arange(len(self._cells))
        inside = (row >= 0) & (column >= 0)
        inside &= (row < number.shape[0]) & (column < number.shape[1])
        cell = np.where(inside, number[np.where(inside, row, 0), np.where(inside, column, 0)], -1)
        fast = np.maximum(np.abs(down), np.abs(right)) > self.max_speed
        if (cell < 0).any() or fast.any():
            raise ValueError(
                "a state needs a cell of the road and at most "
                f"{self.max_speed} rows and columns a step, but one of {np.size(cell)} has not; "
                f"the road is where `drawing` holds {ROAD!r} or {START!r}."
            )
        width = 2 * self.max_speed + 1
        velocity = width * (down + self.max_speed) + right + self.max_speed
        return cell * len(self._velocities) + velocity

    def unpack(self, states: np.ndarray) -> tuple[np.ndarray, ...]:
        """Row, column, and velocity in rows and columns a step, of states of any shape.

        At the finish the cell is the first of the finish that the car met, and the velocity 0.
        """
        return tuple(np.moveaxis(self._places[states], -1, 0))

    def describe(self, state: int) -> str:
        row, column, down, right = (int(part) for part in self.unpack(np.array(state)))
        where = f"row {row}, column {column}"
        if self.finishes[state]:
            return f"finished at {where}"
        after = ", after a crash" if self.crashed[state] else ""
        return f"{where}, {down} down and {right} right a step{after}"

    # -- driving

    def reset(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        return rng.choice(self._rest, episodes)

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.check_step(states, actions)
        actions = np.where(rng.random(len(actions)) < self.noise, COAST, actions)
        arrived = self._moves.take(states * self.n_actions + actions)
        off = np.flatnonzero(arrived == CRASHED)
        arrived[off] = rng.choice(np.flatnonzero(self.crashed), len(off))
        return arrived, np.full(len(states), -1.0), self.finishes.take(arrived)

    def _all_moves(self) -> np.ndarray:
        """Where each acceleration leads from each state, (S, A), CRASHED where to a crash."""
        arrivals = np.stack([self._after(velocity) for velocity in self._velocities], axis=1)
        accelerations = np.array(list(product((-1, 0, 1), repeat=2)))
        faster = np.clip(
            self._velocities[:, None] + accelerations, -self.max_speed, self.max_speed
        )  # (V, A, 2)
        stops = ~faster.any(axis=2)[:, :, None]
        faster = np.where(stops, self._velocities[:, None], faster)
        width = 2 * self.max_speed + 1
        number = (faster[:, :, 0] + self.max_speed) * width + faster[:, :, 1] + self.max_speed
        driving = arrivals[:, number].reshape(-1, self.n_actions)
        over = np.repeat(np.flatnonzero(self.finishes)[:, None], self.n_actions, axis=1)
        return np.concatenate([driving, driving[self._rest], over])

    def _after(self, velocity: np.ndarray) -> np.ndarray:
        """The states (C,) after a move with this velocity from each cell, CRASHED where none is."""
        reach = self.max_speed + 1
        padded = np.pad(self.drawing, reach, constant_values=WALL)
        number = np.zeros(padded.shape, dtype=np.int64)
        number[tuple((self._places[self.finishes, :2] + reach).T)] = np.flatnonzero(self.finishes)
        fate = np.zeros(len(self._cells), dtype=np.int64)
        undecided = np.ones(len(self._cells), dtype=bool)
        for cells in cells_met(*(int(speed) for speed in velocity)):
            for kind, offset in product((WALL, FINISH), cells):
                here = tuple((self._cells + offset + reach).T)
                now = undecided & (padded[here] == kind)
                fate[now] = CRASHED if kind == WALL else number[here][now]
                undecided &= ~now
        landed = self._cells[undecided] + velocity
        fate[undecided] = self.state(*landed.T, *velocity)
        return fate

    def _check_ways(self) -> None:
        reaches = self.finishes.copy()
        while True:
            more = reaches | np.where(self._moves == CRASHED, False, reaches[self._moves]).any(1)
            if np.array_equal(more, reaches):
                break
            reaches = more
        if not reaches[self.starts].all():
            stuck = self.unpack(np.flatnonzero(self.starts & ~reaches))
            raise ValueError(
                "each cell of the start line must have a way to the finish, but that in row "
                f"{stuck[0][0]}, column {stuck[1][0]} has none; open a wall."
            )

    # -- the exact model

    def mdp(self) -> MDP:
        """The exact model, sparse; it knows no clock but the horizon."""
        return self._mdp

    @cached_property
    def _mdp(self) -> MDP:
        line = self.crashed / self.crashed.sum()
        moves = [self._one_action(action, line) for action in range(self.n_actions)]
        noisy = [(1 - self.noise) * move + self.noise * moves[COAST] for move in moves]
        rewards = np.where(self.finishes[:, None], 0.0, -1.0)
        rewards = np.repeat(rewards, self.n_actions, axis=1)
        return MDP(noisy, rewards, self.discount, self.horizon, terminal=self.finishes)

    def _one_action(self, action: int, line: np.ndarray) -> sparse.csr_array:
        """P(s' | s, a) (S, S) without noise; a crash leads to the cells of `line` by chance."""
        off = (self._moves[:, action] == CRASHED).astype(float)
        kept = np.flatnonzero(off == 0)
        shape = (self.n_states, self.n_states)
        drives = sparse.csr_array(
            (np.ones(len(kept)), (kept, self._moves[kept, action])), shape=shape
        )
        return drives + sparse.csr_array(off[:, None]) @ sparse.csr_array(line[None])

    def start_distribution(self) -> np.ndarray:
        return self.starts / self.starts.sum()

    def expected_lap(self, policy: np.ndarray) -> Lap:
        """Exact lap of a policy, given as actions (S,) int or probabilities (S, A).

        Raises
        ------
        ValueError
            A policy of another shape, or whose rows don't sum to 1.
        """
        chain, _ = self.mdp().under(policy)
        forward = chain.T.tocsr()
        here, time, crashes = self.start_distribution(), 0.0, 0.0
        for _ in range(self.horizon):
            time += here[~self.finishes].sum()
            here = forward @ here
            crashes += here[self.crashed].sum()
        return Lap(float(time), float(crashes), float(here[self.finishes].sum()))

    def expected_return(self, policy: np.ndarray) -> float:
        return -self.expected_lap(policy).time
