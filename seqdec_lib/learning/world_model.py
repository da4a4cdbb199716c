"""World models: estimates of P(s', r' | s, a) from experience, and Q-learning that dreams in one.

A model is asked in two ways. `sample` answers like a problem's `step`, so whatever plans by
simulation (`planning`) can use the model in the world's place; `mdp` and `plan` hand the
whole table to value iteration. How wrong a model may be, and what that costs, is
`perturbed` and `simulation_lemma_bound`.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.learning.tabular import TabularLearner, Transitions
from seqdec_lib.mdp import MDP, value_iteration
from seqdec_lib.problems.base import Problem
from seqdec_lib.validation import fraction, whole_number


def transitions_of(trajectories: Trajectories, replicas: np.ndarray | None = None) -> Transitions:
    """Every step of every episode, for a model or a learner to read.

    Parameters
    ----------
    replicas : (N,) int, optional
        Whose experience each episode is; by default all belong to replica 0.
    """
    taken, owners = trajectories.mask, np.zeros(len(trajectories), dtype=np.int64)
    owners = owners if replicas is None else np.asarray(replicas)
    last = np.arange(taken.shape[1]) == trajectories.lengths[:, None] - 1
    return Transitions(
        replicas=np.broadcast_to(owners[:, None], taken.shape)[taken],
        observations=trajectories.states[:, :-1][taken],
        actions=trajectories.actions[taken],
        rewards=trajectories.rewards[taken],
        next_observations=trajectories.states[:, 1:][taken],
        terminated=(last & trajectories.terminated[:, None])[taken],
    )


class CountModel:
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
        self._grow(self.replicas * self.n_states * self.n_actions, outcomes=1)

    def _grow(self, pairs: int, outcomes: int) -> None:
        """Make room for this many distinct outcomes a pair, and keep what is there."""
        fresh = {
            "counts": np.zeros((pairs, outcomes), dtype=np.int64),
            "next_states": np.zeros((pairs, outcomes), dtype=np.int64),
            "rewards": np.zeros((pairs, outcomes)),
            "ended": np.zeros((pairs, outcomes), dtype=bool),
        }
        for name, array in fresh.items():
            if hasattr(self, name):
                array[:, : getattr(self, name).shape[1]] = getattr(self, name)
            setattr(self, name, array)

    @property
    def visits(self) -> np.ndarray:
        """How often each pair was tried: (replicas * S, A) int."""
        return self.counts.sum(axis=1).reshape(-1, self.n_actions)

    @property
    def known(self) -> np.ndarray:
        """Pairs that were tried: (replicas * S, A) bool."""
        return (self.counts[:, 0] > 0).reshape(-1, self.n_actions)

    # -- learning: count

    def add(self, experience: Trajectories | Transitions) -> CountModel:
        """Count more experience; returns the model itself.

        Raises
        ------
        ValueError
            States, actions or replicas that the model has no row for.
        """
        seen = transitions_of(experience) if isinstance(experience, Trajectories) else experience
        self._check(seen)
        cells = seen.replicas * self.n_states + seen.observations
        pairs = cells * self.n_actions + seen.actions
        columns = (seen.terminated, seen.rewards, seen.next_observations, pairs)
        order = np.lexsort(columns)
        ended, rewards, next_states, pairs = (column[order] for column in columns)
        new = np.ones(len(pairs), dtype=bool)
        new[1:] = False
        for column in (ended, rewards, next_states, pairs):
            new[1:] |= column[1:] != column[:-1]
        first = np.flatnonzero(new)
        counts = np.diff(np.append(first, len(pairs)))
        self._add_distinct(pairs[first], next_states[first], rewards[first], ended[first], counts)
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

    def _add_distinct(
        self,
        pairs: np.ndarray,
        next_states: np.ndarray,
        rewards: np.ndarray,
        ended: np.ndarray,
        counts: np.ndarray,
    ) -> None:
        same = (
            (self.counts[pairs] > 0)
            & (self.next_states[pairs] == next_states[:, None])
            & (self.rewards[pairs] == rewards[:, None])
            & (self.ended[pairs] == ended[:, None])
        )
        slot, unseen = same.argmax(axis=1), np.flatnonzero(~same.any(axis=1))
        if len(unseen):
            # The k-th new outcome of a pair goes to the k-th free slot; equal pairs are neighbors.
            new_pairs = pairs[unseen]
            rank = np.arange(len(unseen)) - np.searchsorted(new_pairs, new_pairs)
            slot[unseen] = (self.counts[new_pairs] > 0).sum(axis=1) + rank
            if slot.max() >= self.counts.shape[1]:
                self._grow(len(self.counts), outcomes=int(slot.max()) + 1)
            self.next_states[new_pairs, slot[unseen]] = next_states[unseen]
            self.rewards[new_pairs, slot[unseen]] = rewards[unseen]
            self.ended[new_pairs, slot[unseen]] = ended[unseen]
        self.counts[pairs, slot] += counts

    # -- asking

    def sample(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Imagine one step, as a problem's `step` takes it: (N,), (N,) -> next states, rewards,
        ended.

        What follows a pair that was never tried is the end, with the return `unknown`.
        """
        pairs = np.asarray(states) * self.n_actions + np.asarray(actions)
        slot = np.zeros(len(pairs), dtype=np.int64)
        if self.counts.shape[1] > 1:
            cumulative = self.counts[pairs].cumsum(axis=1)
            draws = rng.integers(np.maximum(cumulative[:, -1], 1))
            slot = (draws[:, None] >= cumulative).sum(axis=1)
        tried = self.counts[pairs, 0] > 0
        slot *= tried
        base = np.asarray(states) // self.n_states * self.n_states
        return (
            base + self.next_states[pairs, slot],
            np.where(tried, self.rewards[pairs, slot], self.unknown),
            self.ended[pairs, slot] | ~tried,
        )

    def next_state_probabilities(self) -> np.ndarray:
        """P(s' | s, a) as (S, A, S), wherever it ends; rows of untried pairs are 0.

        Raises
        ------
        ValueError
            More than one replica.
        """
        if self.replicas > 1:
            raise ValueError(f"one table needs one replica, but the model has {self.replicas}.")
        rows = np.zeros((len(self.counts), self.n_states))
        pair, slot = np.nonzero(self.counts)
        share = self.counts[pair, slot] / self.counts.sum(axis=1)[pair]
        np.add.at(rows, (pair, self.next_states[pair, slot]), share)
        return rows.reshape(self.n_states, self.n_actions, self.n_states)

    def mdp(self, discount: float, horizon: int | None = None) -> MDP:
        """The estimate as an MDP with one state more, the last: "over", where nothing is paid.

        Outcomes that ended an episode lead there, and so do pairs that were never tried, which
        earn `unknown` on the way. Transitions are sparse.
        """
        visits = self.counts.sum(axis=1)
        untried = np.flatnonzero(visits == 0)
        over = self.replicas * self.n_states
        pair, slot = np.nonzero(self.counts)
        base = pair // (self.n_states * self.n_actions) * self.n_states
        arrived = np.where(self.ended[pair, slot], over, base + self.next_states[pair, slot])
        weight = self.counts[pair, slot] / visits[pair]
        rows = np.concatenate([pair, untried])
        columns = np.concatenate([arrived, np.full(len(untried), over)])
        weights = np.concatenate([weight, np.ones(len(untried))])
        rewards = np.zeros(len(visits))
        np.add.at(rewards, pair, weight * self.rewards[pair, slot])
        rewards[untried] = self.unknown
        matrices = []
        for action in range(self.n_actions):
            mine = rows % self.n_actions == action
            where = (
                np.append(rows[mine] // self.n_actions, over),
                np.append(columns[mine], over),
            )
            shape = (over + 1, over + 1)
            matrices.append(sparse.csr_array((np.append(weights[mine], 1.0), where), shape=shape))
        rewards = np.vstack([rewards.reshape(-1, self.n_actions), np.zeros(self.n_actions)])
        return MDP(matrices, rewards, discount, horizon)

    def plan(self, discount: float, horizon: int | None = None, tol: float = 1e-8) -> np.ndarray:
        """Optimal action values (replicas, S, A) in the estimate, by value iteration."""
        q_values = value_iteration(self.mdp(discount, horizon), tol).q_values[:-1]
        return q_values.reshape(self.replicas, self.n_states, self.n_actions)


class DynaQ(TabularLearner):
    """Q-learning that repeats, after each real step, imagined ones from its own counts.

    Each planning step picks a pair that was tried before, all alike, asks the model what follows,
    and learns from the answer as if it had happened (Sutton, "Integrated architectures for
    learning, planning, and reacting", 1990; Sutton and Barto 2018, section 8.2).

    Parameters
    ----------
    problem : Problem
    planning_steps : int
        Imagined steps for each real one; 0 is Q-learning.
    **options
        Those of `TabularLearner`. The model counts for each replica; chains share theirs.

    Raises
    ------
    ValueError
        A negative number of planning steps, a method without a one-step target of its own.
    """

    def __init__(self, problem: Problem, planning_steps: int = 10, **options: object) -> None:
        super().__init__(problem, **options)
        if self.method not in ("q_learning", "double_q_learning"):
            raise ValueError(
                'imagined steps have no next action: use method="q_learning" or '
                f'"double_q_learning", but {self.method!r} came.'
            )
        self.planning_steps = whole_number("planning_steps", planning_steps, least=0)
        self.model = CountModel(problem.n_observations, problem.n_actions, replicas=self.replicas)
        pairs = problem.n_observations * problem.n_actions
        self._tried = np.zeros((self.replicas, pairs), dtype=np.int64)  # the first _n_tried count
        self._n_tried = np.zeros(self.replicas, dtype=np.int64)
        # A stream of its own: without planning steps the learner is Q-learning, draw for draw.
        self._dreams = np.random.default_rng([int(self.rng.bit_generator.seed_seq.entropy), 1])

    def step(self) -> Transitions:
        """One real step, then `planning_steps` imagined ones; returns what really happened."""
        happened = super().step()
        self._remember(happened)
        for _ in range(self.planning_steps):
            self.update(self.imagine())
        return happened

    def imagine(self) -> Transitions:
        """One imagined step for each chain."""
        owners = self.replica_of_chain
        pick = self._dreams.integers(self._n_tried[owners])
        observations, actions = np.divmod(self._tried[owners, pick], self.problem.n_actions)
        base = owners * self.model.n_states
        arrived, rewards, ended = self.model.sample(base + observations, actions, self._dreams)
        return Transitions(owners, observations, actions, rewards, arrived - base, ended)

    def _remember(self, seen: Transitions) -> None:
        pairs = seen.observations * self.problem.n_actions + seen.actions
        size = self._tried.shape[1]
        keys = np.unique(seen.replicas * size + pairs)
        new = keys[self.model.counts[keys, 0] == 0]
        owners, new_pairs = np.divmod(new, size)
        rank = np.arange(len(new)) - np.searchsorted(owners, owners)
        self._tried[owners, self._n_tried[owners] + rank] = new_pairs
        self._n_tried += np.bincount(owners, minlength=self.replicas)
        self.model.add(seen)


# -- wrong models, and what they cost


def total_variation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Half the summed differences of two arrays of distributions: (..., K), (..., K) -> (...)."""
    return np.abs(np.asarray(first) - np.asarray(second)).sum(axis=-1) / 2


def perturbed(mdp: MDP, epsilon: float, targets: np.ndarray) -> MDP:
    """A model that is wrong by a known amount: each row moves probability to one target state.

    Parameters
    ----------
    epsilon : float
        Total variation distance of each new row from the old one, in [0, 1]; less only where the
        row has less than `epsilon` to give away, because the target already holds the rest.
    targets : (S, A) int
        Where the probability goes.

    Raises
    ------
    ValueError
        An epsilon outside [0, 1], targets of the wrong shape, an MDP in sparse form.
    """
    epsilon = fraction("epsilon", epsilon)
    if mdp.is_sparse:
        raise ValueError("perturbed() needs dense transitions (S, A, S), but a sparse MDP came.")
    if np.shape(targets) != mdp.rewards.shape:
        raise ValueError(
            f"targets must have shape (S, A) = {mdp.rewards.shape}, but {np.shape(targets)} came."
        )
    index = np.asarray(targets)[..., None]
    held = np.take_along_axis(mdp.transitions, index, axis=-1)
    moved = np.minimum(epsilon, 1 - held)
    keep = 1 - moved / np.where(held < 1, 1 - held, 1)
    rows = mdp.transitions * keep
    np.put_along_axis(rows, index, held + moved, axis=-1)
    return MDP(rows, mdp.rewards, mdp.discount, mdp.horizon)


def simulation_lemma_bound(
    epsilon: float, discount: float, reward_span: float, reward_error: float = 0.0
) -> float:
    """The most that planning in a wrong model can cost, in any state.

    2 * (reward_error + discount * epsilon * reward_span / (1 - discount)) / (1 - discount)
    bounds V* - V^pi in the true MDP for the policy pi that is optimal in the model (Kearns and
    Singh, "Near-optimal reinforcement learning in polynomial time", 2002, the simulation lemma).

    Parameters
    ----------
    epsilon : largest total variation distance between a row of the model and the true one
    reward_span : largest minus smallest expected reward of the true MDP
    reward_error : largest difference of an expected reward

    Raises
    ------
    ValueError
        An epsilon outside [0, 1], a discount outside [0, 1), a negative span or error.
    """
    epsilon, discount = fraction("epsilon", epsilon), fraction("discount", discount)
    if discount == 1:
        raise ValueError("the bound is infinite for discount = 1; pass a discount below 1.")
    if not (reward_span >= 0 and reward_error >= 0):
        raise ValueError(
            "reward_span and reward_error must be at least 0, "
            f"but {reward_span!r} and {reward_error!r} came."
        )
    per_step = reward_error + discount * epsilon * reward_span / (1 - discount)
    return 2 * per_step / (1 - discount)
