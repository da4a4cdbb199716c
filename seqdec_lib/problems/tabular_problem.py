"""Any finite world that is written down as a table of outcomes: Gymnasium's FrozenLake and Taxi, or
a textbook's example.

A table names, for each state and action, the few outcomes that can follow: never an S x S array."""

from functools import cached_property

import gymnasium
import numpy as np
from scipy import sparse

from seqdec_lib.mdp import MDP
from seqdec_lib.problems.base import Problem
from seqdec_lib.validation import check_numbers, discount_factor, probability_rows, whole_number

DENSE_BYTES = 2**27  # larger models are built of sparse matrices


class TabularProblem(Problem):
    """A problem made of a table with K outcomes for each state and action.

    probabilities : (S, A, K) float; each [s, a] sums to 1; pad with 0.
    next_states : (S, A, K) int
    rewards : (S, A, K) float; what each outcome pays.
    terminal : (S,) bool; where an episode is over. What the table says about these states is not
        used.
    start : (S,) float; probability of each state to be the first.
    discount : float; in [0, 1]; 1 only where every episode is over within `horizon` steps.
    horizon : int; when the clock cuts an episode short. The exact model knows no clock: its values
        are those of playing on.
    Raises ValueError: shapes that don't match, rows that don't sum to 1, next states that don't
        exist, rewards that are not finite, an episode that could start where it is over."""

    def __init__(
        self,
        probabilities: np.ndarray,
        next_states: np.ndarray,
        rewards: np.ndarray,
        terminal: np.ndarray,
        start: np.ndarray,
        discount: float,
        horizon: int,
    ) -> None:
        self.probabilities = probability_rows("probabilities", probabilities)
        if self.probabilities.ndim != 3 or 0 in self.probabilities.shape:
            raise ValueError(
                "probabilities must have shape (S, A, K), "
                f"but {self.probabilities.shape} came: K outcomes for each state and action."
            )
        self.n_states, self.n_actions, self.n_outcomes = self.probabilities.shape
        self.next_states = _shaped("next_states", next_states, self.probabilities.shape)
        self.rewards = _shaped("rewards", rewards, self.probabilities.shape).astype(float)
        self.terminal = _shaped("terminal", terminal, (self.n_states,)).astype(bool)
        self.start = probability_rows("start", _shaped("start", start, (self.n_states,)))
        self.horizon = whole_number("horizon", horizon, least=1)
        self.discount = discount_factor(discount, self.horizon)
        check_numbers("next_states", self.next_states, self.n_states)
        if not np.isfinite(self.rewards).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(self.rewards))[0])
            raise ValueError(f"rewards must be finite numbers, but entry {where} is not.")
        if self.start[self.terminal].any():
            state = int(np.flatnonzero(self.terminal & (self.start > 0))[0])
            raise ValueError(
                f"no episode can start where it is over, but the terminal state {state} "
                f"has start probability {self.start[state]:.6g}."
            )
        # In the form that playing needs: a column an outcome, over all pairs of state and action.
        cumulative = self.probabilities.cumsum(axis=2).reshape(-1, self.n_outcomes).T
        self._cumulative = np.ascontiguousarray(cumulative / cumulative[-1])
        self._cumulative_start = self.start.cumsum() / self.start.cumsum()[-1]  # ends in 1 exactly

    # -- acting

    def reset(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        return np.searchsorted(self._cumulative_start, rng.random(episodes), side="right")

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.check_step(states, actions)
        rows = states * self.n_actions + actions
        outcomes = rows * self.n_outcomes
        if self.n_outcomes > 1:
            draws = rng.random(len(rows))
            for column in self._cumulative[:-1]:
                outcomes += draws >= column.take(rows)
        arrived = self.next_states.reshape(-1).take(outcomes)
        return arrived, self.rewards.reshape(-1).take(outcomes), self.terminal.take(arrived)

    # -- the exact model

    def mdp(self) -> MDP:
        return self._mdp

    @cached_property
    def _mdp(self) -> MDP:
        """Terminal states lead to themselves, for nothing; large models are sparse."""
        states = np.arange(self.n_states)
        matrices = []
        for action in range(self.n_actions):
            kept = np.where(self.terminal[:, None], 0, self.probabilities[:, action])
            from_state = np.repeat(states, self.n_outcomes)
            matrix = sparse.coo_array(
                (kept.ravel(), (from_state, self.next_states[:, action].ravel())),
                shape=(self.n_states, self.n_states),
            ).tocsr()
            matrix.eliminate_zeros()
            matrices.append(matrix + sparse.diags_array(self.terminal.astype(float)))
        rewards = (self.probabilities * self.rewards).sum(axis=2)
        rewards[self.terminal] = 0
        if 8 * self.n_states**2 * self.n_actions <= DENSE_BYTES:
            matrices = np.stack([matrix.toarray() for matrix in matrices], axis=1)
        horizon = self.horizon if self.discount == 1 else None
        return MDP(matrices, rewards, self.discount, horizon, terminal=self.terminal)

    def start_distribution(self) -> np.ndarray:
        return self.start


def from_gymnasium(
    environment: str | gymnasium.Env, discount: float = 0.99, horizon: int | None = None
) -> TabularProblem:
    """Read a Gymnasium environment's exact table `P`: FrozenLake, Taxi, CliffWalking and the like.

    environment : str or gymnasium.Env
        `from_gymnasium("Taxi-v4")`, or an environment with `P` and `initial_state_distrib`.
    horizon : int, optional
        When the clock stops an episode; default: the environment's own `max_episode_steps`.
    Raises ValueError: no table `P`, no clock, or a state that ends the episode when reached one way
        and not when reached another: then "over" is not a property of the state, and no MDP on
        these states is the same problem."""
    env = gymnasium.make(environment) if isinstance(environment, str) else environment
    world, spec = env.unwrapped, env.spec
    table = getattr(world, "P", None)
    start = getattr(world, "initial_state_distrib", None)
    if table is None or start is None:
        raise ValueError(
            f"{env} must hold its exact model as `P` and `initial_state_distrib`, but it lacks "
            f"{'P' if table is None else 'initial_state_distrib'}; learn from its steps instead."
        )
    horizon = horizon if horizon is not None else spec and spec.max_episode_steps
    if horizon is None:
        raise ValueError(f"{env} has no max_episode_steps: pass horizon=...")

    most = max(len(outcomes) for actions in table.values() for outcomes in actions.values())
    shape = (len(table), len(table[0]), most)
    probabilities, rewards = np.zeros(shape), np.zeros(shape)
    next_states, ends = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    for state, actions in table.items():
        for action, outcomes in actions.items():
            for k, (probability, next_state, reward, ended) in enumerate(outcomes):
                at = state, action, k
                probabilities[at], next_states[at], rewards[at] = probability, next_state, reward
                ends[at] = ended
    terminal = np.zeros(shape[0], dtype=bool)
    terminal[next_states[ends & (probabilities > 0)]] = True
    start = np.asarray(start, dtype=float)
    _check_ends(probabilities, next_states, ends, terminal, start)
    return TabularProblem(probabilities, next_states, rewards, terminal, start, discount, horizon)


def _check_ends(
    probabilities: np.ndarray,
    next_states: np.ndarray,
    ends: np.ndarray,
    terminal: np.ndarray,
    start: np.ndarray,
) -> None:
    """Raise a ValueError if a terminal state can be reached without ending the episode."""
    reached, frontier = start > 0, np.flatnonzero(start > 0)
    while len(frontier):
        inner = frontier[~terminal[frontier]]
        after = np.unique(next_states[inner][probabilities[inner] > 0])
        frontier = after[~reached[after]]
        reached[frontier] = True
    odd = terminal[next_states] & ~ends & (probabilities > 0)
    odd[terminal | ~reached] = False
    if odd.any():
        state, action, k = (int(i) for i in np.argwhere(odd)[0])
        raise ValueError(
            f"state {next_states[state, action, k]} ends the episode when it is reached one way, "
            f"but not from state {state} by action {action}; give the two their own states."
        )


def _shaped(name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(array)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, but {array.shape} came.")
    return array
