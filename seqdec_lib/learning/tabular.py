"""Learning from experience with one number a state and action: no model, only what was sampled.

`TabularLearner` plays many episodes at once and moves the entries of its tables toward targets.
The targets, the one thing in which the methods differ, stand in `targets`; how it acts in
`exploration`; how the entries of many tables move in `table`. `chains=1` is the textbook's
algorithm, step by step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqdec_lib.experience.evaluation import regret
from seqdec_lib.learning.exploration import (
    Boltzmann,
    EpsilonGreedy,
    FixedPolicy,
    Schedule,
    greedy,
)
from seqdec_lib.learning.table import StepSize, Table, Transitions
from seqdec_lib.learning.targets import AFTER_A_STEP, AFTER_AN_EPISODE, Episode, Step
from seqdec_lib.mdp import policy_rows
from seqdec_lib.problems.base import Problem
from seqdec_lib.validation import fraction, whole_number

METHODS = (*AFTER_A_STEP, *AFTER_AN_EPISODE)


class TabularLearner:
    """Learns a table of action values (or state values) from sampled steps.

    Parameters
    ----------
    problem : Problem
        Supplies steps; its exact model is never looked at.
    method : str
        The target, as `targets` defines it: "td" (state values; needs `policy`), "sarsa",
        "expected_sarsa", "q_learning" or "double_q_learning" (two tables that change roles by the
        toss of a coin; acts on their mean) after each step, "monte_carlo" or "sarsa_lambda" after
        each episode, for every visit. An episode that the clock cuts short goes on for all of them
        but Monte Carlo, to which it is over.
    step_size : float in (0, 1], or a function of an entry's visits so far
        Such as `harmonic(1)`. Visits count this one.
    exploration : float in [0, 1], or a function of the steps that a chain has taken
        The chance of a uniformly random action instead of a greedy one; ties are broken at random.
    temperature : positive float, or a function of the steps that a chain has taken, optional
        Acts by softmax(Q / temperature) instead, and `exploration` is not used.
    policy : (S,) int or (S, A) float, optional
        What acts instead, always; the on-policy methods then evaluate it, and Q-learning learns
        from it, off-policy.
    trace_decay : float in [0, 1]
        The lambda of "sarsa_lambda".
    chains, replicas : int
        Streams of episodes a table, and tables (see `table`).
    initial_value : float, or (S, A) float
        Where all entries start, or each its own. Above all returns, it makes the greedy policy
        explore by itself.
    seed : int

    Raises
    ------
    ValueError
        An unknown method, "td" without a policy, numbers outside the ranges above, initial values
        of another shape.
    """

    def __init__(
        self,
        problem: Problem,
        method: str = "q_learning",
        *,
        step_size: StepSize = 0.1,
        exploration: Schedule = 0.1,
        temperature: Schedule | None = None,
        policy: np.ndarray | None = None,
        trace_decay: float = 0.9,
        chains: int = 1,
        replicas: int = 1,
        initial_value: float | np.ndarray = 0.0,
        seed: int = 0,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, but {method!r} came.")
        if method == "td" and policy is None:
            raise ValueError('"td" learns the values of a given policy: pass policy=...')
        self.problem, self.method = problem, method
        self.chains = whole_number("chains", chains, least=1)
        self.replicas = whole_number("replicas", replicas, least=1)
        self.trace_decay = fraction("trace_decay", trace_decay)
        self.rng = np.random.default_rng(whole_number("seed", seed, least=0))
        if policy is not None:
            rows = policy_rows(policy, problem.n_observations, problem.n_actions)
            self.behavior = FixedPolicy(rows)
        elif temperature is not None:
            self.behavior = Boltzmann(temperature)
        else:
            self.behavior = EpsilonGreedy(exploration)
        shape = (problem.n_observations, 1 if method == "td" else problem.n_actions)
        versions = 2 if method == "double_q_learning" else 1
        self.table = Table(_initial(initial_value, shape), self.replicas, step_size, versions)

        n_chains = self.replicas * self.chains
        self.replica_of_chain = np.repeat(np.arange(self.replicas), self.chains)
        self.steps_per_chain, self._earned = 0, 0.0
        self._offset = self.replica_of_chain * problem.n_observations
        self._states = problem.reset(n_chains, self.rng)
        self._observations = problem.observe(self._states)
        self._age = np.zeros(n_chains, dtype=np.int64)  # steps since the episode began
        self._chosen: np.ndarray | None = None  # SARSA's next actions, chosen a step ahead
        if method in AFTER_AN_EPISODE:
            self._entries = np.zeros((problem.horizon, n_chains), dtype=np.int64)
            self._rewards = np.zeros((problem.horizon, n_chains))

    # -- what was learned

    @property
    def q_values(self) -> np.ndarray:
        """Action values (replicas, S, A), of Double Q-learning the mean of both tables; of "td"
        state values (replicas, S, 1). `greedy` makes a policy of them.
        """
        return self.table.q_values

    @property
    def acting_policies(self) -> np.ndarray:
        """What each replica does by now, exploration included: (replicas, S, A)."""
        return self.behavior.probabilities(self.q_values, self.steps_per_chain)

    @property
    def steps_per_replica(self) -> int:
        """Steps in the environment that each replica has taken so far."""
        return self.steps_per_chain * self.chains

    @property
    def reward_per_step(self) -> float:
        """Mean reward of all steps so far: what it earned while learning, exploration included.

        Raises
        ------
        ValueError
            No step was taken yet.
        """
        if not self.steps_per_chain:
            raise ValueError("there is no reward before the first step: call train(steps) first.")
        return self._earned / (self.steps_per_replica * self.replicas)

    # -- learning

    def train(self, steps: int) -> TabularLearner:
        """Let each chain take this many steps, and learn from each; returns the learner itself."""
        for _ in range(whole_number("steps", steps, least=0)):
            self.step()
        return self

    def step(self) -> Transitions:
        """Let each chain take one step and learn from it; returns what happened."""
        problem, before = self.problem, self._observations
        actions = self._choose() if self._chosen is None else self._chosen
        self._states, rewards, terminated = problem.step(self._states, actions, self.rng)
        self._observations = problem.observe(self._states)
        self._age += 1
        self.steps_per_chain += 1
        self._earned += float(rewards.sum())
        happened = Transitions(
            self.replica_of_chain, before, actions, rewards, self._observations, terminated
        )
        over = terminated | (self._age >= problem.horizon)
        if self.method in AFTER_AN_EPISODE:
            self._log(happened)
            if over.any():
                self._learn_from_episodes(np.flatnonzero(over), terminated)
        else:
            if self.method == "sarsa":
                self._chosen = self._choose()
            self.update(happened, self._chosen)
        if over.any():
            self._start_anew(np.flatnonzero(over))
        return happened

    def update(self, seen: Transitions, next_actions: np.ndarray | None = None) -> None:
        """Move the table toward the target of these transitions, real or imagined.

        Raises
        ------
        ValueError
            A method that waits for the end of the episode; SARSA without the next actions.
        """
        if self.method in AFTER_AN_EPISODE:
            raise ValueError(f"{self.method} learns from whole episodes: use step() or train().")
        if self.method == "sarsa" and next_actions is None:
            raise ValueError("SARSA's target needs the next actions: pass next_actions=...")
        mine = seen.replicas is self.replica_of_chain
        offset = self._offset if mine else seen.replicas * self.problem.n_observations
        arrived = offset + seen.next_observations
        q, other_q, version = self.table.columns(arrived), None, 0
        if self.method == "double_q_learning":
            version = self.rng.integers(2, size=len(arrived))
            both = q, self.table.columns(arrived, 1)
            q, other_q = np.where(version == 0, both, both[::-1])
        step = Step(
            rewards=seen.rewards,
            discount=self.problem.discount * ~seen.terminated,
            q=q,
            other_q=other_q,
            next_actions=next_actions,
            expected_q=lambda: self._expected_q(q, seen.next_observations),
        )
        entries = self.table.entries(offset + seen.observations, seen.actions, version)
        targets = AFTER_A_STEP[self.method](step)
        self.table.move(entries, targets, distinct=mine and self.chains == 1)

    def _log(self, happened: Transitions) -> None:
        place = self._age - 1, np.arange(len(self._age))
        cells = self._offset + happened.observations
        self._entries[place] = self.table.entries(cells, happened.actions)
        self._rewards[place] = happened.rewards

    def _learn_from_episodes(self, ended: np.ndarray, terminated: np.ndarray) -> None:
        """Move all entries that these chains visited, once their episodes are over."""
        last = self._age[ended] - 1
        rows = np.arange(last.max() + 1)[:, None]
        entries, taken = self._entries[: len(rows), ended], rows <= last

        def next_q() -> np.ndarray:
            """(T, N), as `Episode` has it."""
            observations = self._observations[ended]
            cut_short = self._expected_q(
                self.table.columns(self._offset[ended] + observations), observations
            )
            after = np.zeros(taken.shape)
            after[:-1] = self.table.at(entries[1:]) * (rows < last)[:-1]
            after[last, np.arange(len(last))] = np.where(terminated[ended], 0, cut_short)
            return after

        episode = Episode(
            rewards=self._rewards[: len(rows), ended] * taken,
            discount=self.problem.discount,
            last=last,
            next_q=next_q,
            trace_decay=self.trace_decay,
        )
        targets = AFTER_AN_EPISODE[self.method](episode)
        self.table.move(entries[taken], targets[taken])

    # -- acting

    def _choose(self) -> np.ndarray:
        cells = self._offset + self._observations
        q = self.table.columns(cells)
        if len(self.table.rows) == 2:
            q = (q + self.table.columns(cells, 1)) / 2
        return self.behavior.choose(q, self._observations, self.steps_per_chain, self.rng)

    def _expected_q(self, q: np.ndarray, observations: np.ndarray) -> np.ndarray:
        return self.behavior.expected_q(q, observations, self.steps_per_chain)

    def _start_anew(self, chains: np.ndarray) -> None:
        self._age[chains] = 0
        self._states = self._states.copy()
        self._states[chains] = self.problem.reset(len(chains), self.rng)
        self._observations = self.problem.observe(self._states)
        if self._chosen is not None:
            self._chosen = self._chosen.copy()
            self._chosen[chains] = self._choose()[chains]


def learning_curve(learner: TabularLearner, steps: Sequence[int]) -> np.ndarray:
    """Train, and stop at these numbers of steps a chain to judge: (len(steps), replicas) regrets.

    Each is the exact regret of the replica's greedy policy, so that exploring costs nothing here.

    Raises
    ------
    ValueError
        Steps that don't increase, or that lie before what the learner has already taken.
    """
    problem, ahead = learner.problem, np.diff([learner.steps_per_chain, *steps])
    if (ahead < 0).any():
        raise ValueError(f"steps must increase from {learner.steps_per_chain}, but {steps} came.")
    optimal, random = problem.optimal_return(), problem.random_return()
    return np.array(
        [
            [
                regret(problem.expected_return(policy), optimal, random)
                for policy in greedy(learner.train(int(more)).q_values)
            ]
            for more in ahead
        ]
    )


def settled(steps: Sequence[int], regrets: np.ndarray, limit: float = 0.05) -> np.ndarray:
    """When did each replica's regret fall to `limit` for good? (replicas,), infinite if it didn't.

    "For good": to the end of `regrets` (len(steps), replicas), as `learning_curve` returns them.
    """
    below = np.logical_and.accumulate((regrets <= limit)[::-1])[::-1]
    return np.where(below.any(axis=0), np.asarray(steps)[below.argmax(axis=0)], np.inf)


def _initial(value: float | np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    table = np.array(value, dtype=float)
    if table.shape not in ((), shape) or not np.isfinite(table).all():
        raise ValueError(
            f"initial_value must be one number or finite numbers of shape (S, A) = {shape}, "
            f"but shape {table.shape} came; fill in what is missing."
        )
    return np.broadcast_to(table, shape)
