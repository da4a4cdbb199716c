"""A finite Markov decision process: the world, written down exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse

from seqdec_lib.validation import (
    ROW_SUM_TOLERANCE,
    check_row_sums,
    discount_factor,
    probability_rows,
    whole_number,
)


class MDP:
    """A finite Markov decision process.

    Parameters
    ----------
    transitions : (S, A, S) float array, or a sequence of A sparse (S, S) matrices
        P(s' | s, a), each row divided by its sum, so that it is 1 as exactly as float64 can say.
        The sparse form, one matrix an action, never builds an S x S x A array.
    rewards : (S, A) float array
        Expected reward for taking action a in state s.
    discount : float
        In [0, 1); 1 only with a finite horizon.
    horizon : int, optional
        The number of steps after which each episode is over.
    terminal : (S,) bool array, optional
        Where an episode is over: states that lead to themselves, whatever is done, for nothing.

    Raises
    ------
    ValueError
        Shapes that don't match, rows that don't sum to 1, negative or NaN probabilities, NaN or
        infinite rewards, a discount outside its range, a terminal state that can be left or pays.
    """

    def __init__(
        self,
        transitions: np.ndarray | Sequence[sparse.spmatrix],
        rewards: np.ndarray,
        discount: float,
        horizon: int | None = None,
        terminal: np.ndarray | None = None,
    ) -> None:
        self.horizon = None if horizon is None else whole_number("horizon", horizon, least=1)
        self.discount = discount_factor(discount, self.horizon)
        self.rewards = _checked_rewards(rewards)
        self.n_states, self.n_actions = self.rewards.shape
        self.is_sparse = _holds_sparse_matrices(transitions)
        check = self._checked_sparse if self.is_sparse else self._checked_dense
        self.transitions = check(transitions)
        self.terminal = self._checked_terminal(terminal)

    def _checked_dense(self, transitions: np.ndarray) -> np.ndarray:
        transitions = np.asarray(transitions, dtype=float)
        expected = (self.n_states, self.n_actions, self.n_states)
        if transitions.shape != expected:
            raise ValueError(
                f"transitions must have shape (S, A, S) = {expected} to match rewards (S, A) = "
                f"{self.rewards.shape}, but {transitions.shape} came."
            )
        return probability_rows("transitions", transitions)

    def _checked_sparse(self, transitions: Sequence[sparse.spmatrix]) -> list[sparse.csr_array]:
        matrices = [_narrow(sparse.csr_array(matrix, dtype=float)) for matrix in transitions]
        shapes = [matrix.shape for matrix in matrices]
        if shapes != [(self.n_states, self.n_states)] * self.n_actions:
            raise ValueError(
                f"sparse transitions must be {self.n_actions} matrices of shape "
                f"{(self.n_states, self.n_states)} to match rewards "
                f"of shape {self.rewards.shape}, but {shapes} came."
            )
        for action, matrix in enumerate(matrices):
            if matrix.nnz and not matrix.data.min() >= 0:
                entry = np.flatnonzero(~(matrix.data >= 0))[0]
                state = int(np.searchsorted(matrix.indptr, entry, side="right")) - 1
                raise ValueError(
                    f"transitions must hold probabilities, but that of action {action} from state "
                    f"{state} to {matrix.indices[entry]} is {matrix.data[entry]:.6g}; "
                    "divide counts by their sum, and set what can't happen to 0."
                )
            sums = matrix.sum(axis=1)
            check_row_sums(f"the transitions of action {action}", sums)
            matrix.data = matrix.data / np.repeat(sums, np.diff(matrix.indptr))
        return matrices

    def _checked_terminal(self, terminal: np.ndarray | None) -> np.ndarray:
        if terminal is None:
            return np.zeros(self.n_states, dtype=bool)
        terminal = np.asarray(terminal)
        if terminal.shape != (self.n_states,) or terminal.dtype != bool:
            raise ValueError(
                f"terminal must be {self.n_states} booleans, one a state, "
                f"but shape {terminal.shape} of {terminal.dtype} came."
            )
        ends = np.flatnonzero(terminal)
        for action in range(self.n_actions):
            chances = (
                self.transitions[action].diagonal()[ends]
                if self.is_sparse
                else self.transitions[ends, action, ends]
            )
            leaves = np.flatnonzero(np.abs(chances - 1) > ROW_SUM_TOLERANCE)
            if len(leaves):
                raise ValueError(
                    f"a terminal state must lead to itself, but in state {ends[leaves[0]]} action "
                    f"{action} does so with probability {chances[leaves[0]]:.6g}; set it to 1."
                )
            pays = ends[self.rewards[ends, action] != 0]
            if len(pays):
                raise ValueError(
                    f"nothing is paid once the episode is over, but the terminal state {pays[0]} "
                    f"pays {self.rewards[pays[0], action]:.6g} for action {action}; "
                    "pay it for the step that ends the episode."
                )
        return terminal

    def expected_next(self, values: np.ndarray) -> np.ndarray:
        """Expected value of the next state, E[V(s') | s, a]: (S,) -> (S, A)."""
        if self.is_sparse:
            return np.stack([matrix @ values for matrix in self.transitions]).T
        flat = self.transitions.reshape(-1, self.n_states)
        return (flat @ values).reshape(self.n_states, self.n_actions)

    def q_values(self, values: np.ndarray) -> np.ndarray:
        """One step of lookahead, r(s, a) + discount * E[V(s')]: (S,) -> (S, A)."""
        return self.rewards + self.discount * self.expected_next(values)

    def best(self, values: np.ndarray) -> np.ndarray:
        """The largest of a state's Q-values: (S,) -> (S,); `q_values(values).max(axis=1)`, faster.

        Sparse models take one action after another, so that no array is larger than (S,).
        """
        if not self.is_sparse:
            return self.q_values(values).max(axis=1)
        best = np.full(self.n_states, -np.inf)
        for column in self._q_columns(values):
            np.maximum(best, column, out=best)
        return best

    def greedy(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The largest of a state's Q-values, (S,), and the first action that has it, (S,)."""
        if not self.is_sparse:
            q_values = self.q_values(values)
            return q_values.max(axis=1), q_values.argmax(axis=1)
        best, actions = np.full(self.n_states, -np.inf), np.zeros(self.n_states, dtype=np.int64)
        for action, column in enumerate(self._q_columns(values)):
            np.putmask(actions, column > best, action)
            np.maximum(best, column, out=best)
        return best, actions

    def _q_columns(self, values: np.ndarray) -> Iterator[np.ndarray]:
        for action, matrix in enumerate(self.transitions):
            column = matrix @ values
            column *= self.discount
            column += self.rewards[:, action]
            yield column

    def under(self, policy: np.ndarray) -> tuple[np.ndarray | sparse.csr_array, np.ndarray]:
        """Transitions (S, S) and rewards (S,) of the Markov chain that a policy makes."""
        if _is_actions(policy, self.n_states) and not self.is_sparse:
            actions = _checked_actions(policy, self.n_actions)
            states = np.arange(self.n_states)
            return self.transitions[states, actions], self.rewards[states, actions]
        rows = policy_rows(policy, self.n_states, self.n_actions)
        rewards = (rows * self.rewards).sum(axis=1)
        if self.is_sparse:
            chain = sum(sparse.diags_array(rows[:, a]) @ p for a, p in enumerate(self.transitions))
            return chain.tocsr(), rewards
        return np.einsum("sa,sat->st", rows, self.transitions), rewards


def policy_rows(policy: np.ndarray, n_states: int, n_actions: int) -> np.ndarray:
    """Return a policy as probabilities (S, A), whether it came as actions (S,) int or as rows (S,
    A).

    Raises
    ------
    ValueError
        Wrong shape, actions out of range, rows that don't sum to 1.
    """
    policy = np.asarray(policy)
    if _is_actions(policy, n_states):
        return np.eye(n_actions)[_checked_actions(policy, n_actions)]
    if policy.shape != (n_states, n_actions):
        raise ValueError(
            f"a policy must be {n_states} whole numbers (an action a state) or an array of shape "
            f"{(n_states, n_actions)} (probabilities), "
            f"but shape {policy.shape} of {policy.dtype} came."
        )
    return probability_rows("the policy", policy)


def _is_actions(policy: np.ndarray, n_states: int) -> bool:
    policy = np.asarray(policy)
    return policy.shape == (n_states,) and np.issubdtype(policy.dtype, np.integer)


def _checked_actions(policy: np.ndarray, n_actions: int) -> np.ndarray:
    policy = np.asarray(policy)
    if policy.size and not (0 <= policy.min() and policy.max() < n_actions):
        raise ValueError(
            f"the policy's actions must lie in 0..{n_actions - 1}, "
            f"but {policy.min()}..{policy.max()} came."
        )
    return policy


def _narrow(matrix: sparse.csr_array) -> sparse.csr_array:
    """The same matrix with 32-bit indices where they suffice: a product is bound by memory."""
    if max(matrix.nnz, *matrix.shape) < 2**31:
        matrix.indices = matrix.indices.astype(np.int32, copy=False)
        matrix.indptr = matrix.indptr.astype(np.int32, copy=False)
    return matrix


def _holds_sparse_matrices(transitions: object) -> bool:
    return (
        isinstance(transitions, Sequence)
        and len(transitions) > 0
        and all(map(sparse.issparse, transitions))
    )


def _checked_rewards(rewards: np.ndarray) -> np.ndarray:
    rewards = np.asarray(rewards, dtype=float)
    if rewards.ndim != 2 or 0 in rewards.shape:
        raise ValueError(
            f"rewards must have shape (S, A) with S, A >= 1, but {rewards.shape} came."
        )
    if not np.isfinite(rewards).all():
        state, action = np.argwhere(~np.isfinite(rewards))[0]
        raise ValueError(
            f"rewards must be finite numbers, "
            f"but rewards[{state}, {action}] is {rewards[state, action]}; give what can't be done "
            "a large negative reward, and look for what made a NaN."
        )
    return rewards
