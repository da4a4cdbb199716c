"""Learning from experience with one number a state and action: no model, only what was sampled.

One engine, `TabularLearner`, plays many episodes at once and moves the entries of a table toward
targets. Monte Carlo control, TD(0), SARSA, expected SARSA, Q-learning and Double Q-learning differ
in nothing but the target (Sutton and Barto, *Reinforcement Learning: An Introduction*, 2nd ed.,
2018, chapters 5 and 6; Double Q-learning: van Hasselt, *Double Q-learning*, 2010, algorithm 1).

What "many at once" means:

- A *replica* is a learner of its own, with its own table. Replicas share nothing but the clock, so
  they are independent repetitions of one experiment, good for intervals.
- A *chain* is one stream of episodes. All chains of a replica read and write that replica's table
  at the same moment. Where k of them meet in one entry, their steps add up, as if k visits had come
  in a row, but never past the mean of their targets: the entry moves toward that mean by
  min(1, k * step_size). With step_size = 1 / visits this is the running mean of all targets,
  exactly, and no number of chains makes it diverge.

`chains=1` is the textbook's algorithm, step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from seqdec_lib.experience.evaluation import regret
from seqdec_lib.mdp import policy_rows
from seqdec_lib.problems.base import Problem
from seqdec_lib.validation import fraction, whole_number

METHODS = ("monte_carlo", "td", "sarsa", "expected_sarsa", "q_learning", "double_q_learning")

StepSize = float | Callable[[np.ndarray], np.ndarray]
Exploration = float | Callable[[int], float]


def harmonic(power: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
    """Step sizes visits ** -power: 1 is the running mean, (1/2, 1] converges (Robbins, Monro)."""
    if not 0 <= power <= 1:
        raise ValueError(f"power must lie in [0, 1], but {power!r} came; 1 is the running mean.")
    return lambda visits: visits**-power


def linear_decay(start: float, end: float, steps: int) -> Callable[[int], float]:
    """Exploration that falls from `start` to `end` within `steps` steps of a chain, then stays."""
    start, end = fraction("start", start), fraction("end", end)
    steps = whole_number("steps", steps, least=1)
    return lambda step: start + (end - start) * min(1.0, step / steps)


@dataclass(frozen=True)
class Transitions:
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


class TabularLearner:
    """Learns a table of action values (or state values) from sampled steps.

    Parameters
    ----------
    problem : Problem
        Supplies steps; its exact model is never looked at.
    method : str
        "monte_carlo" moves toward the return G that followed (every visit; an episode that the
        clock cut short counts as over), the others toward r + discount * bootstrap, with bootstrap

        - "td": V(s'), the value of the state that came; needs `policy`
        - "sarsa": Q(s', a') with the action a' that is taken next
        - "expected_sarsa": the mean of Q(s', .) under the policy that acts
        - "q_learning": max Q(s', .)
        - "double_q_learning": Q2(s', argmax Q1(s', .)), with two tables that change roles by the
          toss of a coin; acts on their mean

        and 0 where the episode ended: nothing is ever added for what follows a terminal state.
    step_size : float in (0, 1], or a function of an entry's visits so far
        Such as `harmonic(1)`. Visits count this one.
    exploration : float in [0, 1], or a function of the steps that a chain has taken
        The chance of a uniformly random action instead of a greedy one; ties are broken at random.
    temperature : positive float, or a function of the steps that a chain has taken, optional
        Acts by softmax(Q / temperature) instead, and `exploration` is not used.
    policy : (S,) int or (S, A) float, optional
        What acts instead, always; "td", "sarsa", "expected_sarsa" and "monte_carlo" then evaluate
        it, and Q-learning learns from it, off-policy.
    chains, replicas : int
        Streams of episodes a table, and tables (see the module's docstring).
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
        exploration: Exploration = 0.1,
        temperature: Exploration | None = None,
        policy: np.ndarray | None = None,
        chains: int = 1,
        replicas: int = 1,
        initial_value: float | np.ndarray = 0.0,
        seed: int = 0,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, but {method!r} came.")
        if method == "td" and policy is None:
            raise ValueError('"td" learns the values of a given policy: pass policy=...')
        if not callable(step_size) and not 0 < step_size <= 1:
            raise ValueError(f"step_size must lie in (0, 1], but {step_size!r} came.")
        self.problem, self.method = problem, method
        self.step_size = step_size
        self.exploration = (
            exploration if callable(exploration) else fraction("exploration", exploration)
        )
        self.steps_per_chain, self.temperature = 0, temperature
        if temperature is not None:
            self._temperature()
        self.chains = whole_number("chains", chains, least=1)
        self.replicas = whole_number("replicas", replicas, least=1)
        self.steps_per_chain = 0
        self._earned = 0.0
        self.replica_of_chain = np.repeat(np.arange(self.replicas), self.chains)
        self.rng = np.random.default_rng(whole_number("seed", seed, least=0))

        # One column an action, all replicas side by side: (tables, actions, replicas * states).
        columns = 1 if method == "td" else problem.n_actions
        n_tables = 2 if method == "double_q_learning" else 1
        first = _initial(initial_value, problem.n_observations, columns)
        self._table = np.ascontiguousarray(np.tile(first.T, (n_tables, 1, self.replicas)))
        self._flat = self._table.reshape(-1)
        self._visits = np.zeros(self._flat.size, dtype=np.int64) if callable(step_size) else None
        self._counts, self._sums = np.zeros(self._flat.size), np.zeros(self._flat.size)
        self._policy = None
        if policy is not None:
            rows = policy_rows(policy, problem.n_observations, problem.n_actions)
            self._policy = np.ascontiguousarray(rows.T)

        n_chains = self.replicas * self.chains
        self._offset = self.replica_of_chain * problem.n_observations
        self._states = problem.reset(n_chains, self.rng)
        self._observations = problem.observe(self._states)
        self._age = np.zeros(n_chains, dtype=np.int64)  # steps since the episode began
        self._chosen: np.ndarray | None = None  # SARSA's next actions, chosen a step ahead
        if method == "monte_carlo":
            shape = (problem.horizon, n_chains)
            self._log = {
                "entries": np.zeros(shape, dtype=np.int64),
                "rewards": np.zeros(shape),
            }

    # -- what was learned

    @property
    def q_values(self) -> np.ndarray:
        """Action values (replicas, S, A), of Double Q-learning the mean of both tables."""
        table = self._table.mean(axis=0).reshape(-1, self.replicas, self.problem.n_observations)
        return np.moveaxis(table, 0, -1)

    @property
    def values(self) -> np.ndarray:
        """State values (replicas, S): learned by "td", else those of the greedy policy."""
        return self.q_values.max(axis=-1)

    @property
    def greedy_policies(self) -> np.ndarray:
        """The greedy policy of each replica, (replicas, S, A): best actions share alike.

        So a state that was never visited is played at random, and not by the first action's luck.
        """
        q_values = self.q_values
        best = q_values == q_values.max(axis=-1, keepdims=True)
        return best / best.sum(axis=-1, keepdims=True)

    @property
    def acting_policies(self) -> np.ndarray:
        """What each replica does by now, exploration included: (replicas, S, A)."""
        if self._policy is not None:
            return np.repeat(self._policy.T[None], self.replicas, axis=0)
        if self.temperature is not None:
            return softmax(self.q_values / self._temperature(), axis=-1)
        epsilon = self._epsilon()
        return (1 - epsilon) * self.greedy_policies + epsilon / self.problem.n_actions

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
        actions = self._choose(before) if self._chosen is None else self._chosen
        self._states, rewards, terminated = problem.step(self._states, actions, self.rng)
        self._observations = problem.observe(self._states)
        self._age += 1
        self.steps_per_chain += 1
        self._earned += float(rewards.sum())
        happened = Transitions(
            self.replica_of_chain, before, actions, rewards, self._observations, terminated
        )
        over = terminated | (self._age >= problem.horizon)
        if self.method == "monte_carlo":
            self._learn_from_returns(happened, over)
        else:
            if self.method == "sarsa":
                self._chosen = self._choose(self._observations)
            self.update(happened, self._chosen)
        if over.any():
            self._start_anew(np.flatnonzero(over))
        return happened

    def update(self, seen: Transitions, next_actions: np.ndarray | None = None) -> None:
        """Move the table toward r + discount * bootstrap for these transitions, real or imagined.

        Raises
        ------
        ValueError
            Monte Carlo, which has no such target; SARSA without the next actions.
        """
        n_observations = self.problem.n_observations
        entries = self._entries(seen)
        own = 0
        if self.method == "double_q_learning":
            own = self.rng.integers(2, size=len(entries))
            entries = entries + own * self._table[0].size
        base = self._offset if seen.replicas is self.replica_of_chain else None
        base = seen.replicas * n_observations if base is None else base
        following = self._bootstrap(base, seen.next_observations, next_actions, own)
        following *= self.problem.discount
        following[seen.terminated] = 0  # nothing follows a terminal state
        following += seen.rewards
        alone = self.chains == 1 and seen.replicas is self.replica_of_chain
        self._move(entries, following, alone)

    def _bootstrap(
        self,
        base: np.ndarray,
        observations: np.ndarray,
        next_actions: np.ndarray | None,
        own: np.ndarray | int,
    ) -> np.ndarray:
        """What the table says about the states that came, (N,)."""
        cells = base + observations
        if self.method == "sarsa":
            if next_actions is None:
                raise ValueError("SARSA's target needs the next actions: pass next_actions=...")
            return self._flat[next_actions * self._table.shape[2] + cells]
        q_columns = self._table[0].take(cells, axis=1)
        if self.method == "td":
            return q_columns[0]
        if self.method == "q_learning":
            return q_columns.max(axis=0)
        if self.method == "expected_sarsa":
            if self._policy is not None:
                return (self._policy[:, observations] * q_columns).sum(axis=0)
            if self.temperature is not None:
                return (softmax(q_columns / self._temperature(), axis=0) * q_columns).sum(axis=0)
            epsilon = self._epsilon()
            return (1 - epsilon) * q_columns.max(axis=0) + epsilon * q_columns.mean(axis=0)
        if self.method == "double_q_learning":
            other_columns = self._table[1].take(cells, axis=1)
            q_columns, other_columns = (
                np.where(own == 0, q_columns, other_columns),
                np.where(own == 0, other_columns, q_columns),
            )
            best = _argmax_columns(q_columns)
            return np.take_along_axis(other_columns, best[None], axis=0)[0]
        raise ValueError("Monte Carlo learns from whole episodes: use step() or train().")

    def _learn_from_returns(self, happened: Transitions, over: np.ndarray) -> None:
        chains = np.arange(len(over))
        self._log["entries"][self._age - 1, chains] = self._entries(happened)
        self._log["rewards"][self._age - 1, chains] = happened.rewards
        ended = np.flatnonzero(over)
        if not len(ended):
            return
        lengths = self._age[ended]
        longest = int(lengths.max())
        taken = np.arange(longest)[:, None] < lengths
        to_go = self._log["rewards"][:longest, ended] * taken
        for t in reversed(range(longest - 1)):
            to_go[t] += self.problem.discount * to_go[t + 1]
        self._move(self._log["entries"][:longest, ended][taken], to_go[taken], alone=False)

    def _move(self, entries: np.ndarray, targets: np.ndarray, alone: bool) -> None:
        """Move entries (N,) of the flat table toward targets (N,); k that meet make k steps."""
        table, repeats = self._flat, 1
        if not alone:
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
        if not alone:
            rate = np.minimum(1, repeats * rate)
        old = table[entries]
        table[entries] = old + rate * (targets - old)

    # -- acting

    def _epsilon(self) -> float:
        if callable(self.exploration):
            return fraction("exploration", self.exploration(self.steps_per_chain))
        return self.exploration

    def _temperature(self) -> float:
        value = self.temperature
        value = value(self.steps_per_chain) if callable(value) else value
        if not value > 0:
            raise ValueError(
                f"temperature must be positive, but {value!r} came; "
                "for a greedy policy leave it out and pass exploration=0."
            )
        return float(value)

    def _choose(self, observations: np.ndarray) -> np.ndarray:
        count, n_actions = len(observations), self.problem.n_actions
        if self._policy is not None:
            cumulative = self._policy.cumsum(axis=0)[:, observations]
            draws = self.rng.random(count) * cumulative[-1]
            return (draws >= cumulative).sum(axis=0)
        epsilon = self._epsilon() if self.temperature is None else 0
        if epsilon == 1:
            return self.rng.integers(n_actions, size=count)
        cells = self._offset + observations
        q_columns = self._table[0].take(cells, axis=1)
        if self.method == "double_q_learning":
            q_columns += self._table[1].take(cells, axis=1)
        if self.temperature is not None:  # the largest of Q / temperature + Gumbel noise
            q_columns /= self._temperature() * len(self._table)
            q_columns += self.rng.gumbel(size=q_columns.shape)
            return _argmax_columns(q_columns)
        # Uniformly one of the best, or where the chain explores, of all: the largest of numbers
        # drawn for each action, 0 where it may not be chosen.
        eligible = q_columns == q_columns.max(axis=0)
        if epsilon:
            eligible |= self.rng.random(count, dtype=np.float32) < epsilon
        lots = self.rng.random((n_actions, count), dtype=np.float32)
        np.subtract(1, lots, out=lots)
        lots *= eligible
        return _argmax_columns(lots)

    def _entries(self, seen: Transitions) -> np.ndarray:
        """Where these observations and actions stand in the flat table, (N,)."""
        cells = seen.replicas * self.problem.n_observations + seen.observations
        return cells if self.method == "td" else seen.actions * self._table.shape[2] + cells

    def _start_anew(self, chains: np.ndarray) -> None:
        self._age[chains] = 0
        self._states = self._states.copy()
        self._states[chains] = self.problem.reset(len(chains), self.rng)
        self._observations = self.problem.observe(self._states)
        if self._chosen is not None:
            self._chosen = self._chosen.copy()
            self._chosen[chains] = self._choose(self._observations)[chains]


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
                for policy in learner.train(int(more)).greedy_policies
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


def _initial(value: float | np.ndarray, n_observations: int, columns: int) -> np.ndarray:
    """A table (S, columns) to start from."""
    if np.ndim(value) == 0:
        return np.full((n_observations, columns), float(value))
    table = np.array(value, dtype=float)
    if table.shape != (n_observations, columns) or not np.isfinite(table).all():
        raise ValueError(
            f"initial_value must be one number or finite numbers of shape (S, A) = "
            f"{(n_observations, columns)}, but shape {table.shape} came; fill in what is missing."
        )
    return table


def _argmax_columns(columns: np.ndarray) -> np.ndarray:
    """Which of a few long columns is the largest: (A, N) -> (N,). Faster than argmax(axis=0)."""
    best, largest = np.zeros(columns.shape[1], dtype=np.int64), columns[0].copy()
    for action in range(1, len(columns)):
        best[columns[action] > largest] = action
        np.maximum(largest, columns[action], out=largest)
    return best
