"""Q-learning that learns from each experience more than once: Dyna-Q, and experience replay.

Both take imagined steps between the real ones. They differ in what is asked for them: a model of
what the world does, or the memory of what it did. Where nothing is random that is the same answer.
"""

from __future__ import annotations

import numpy as np

from seqdec_lib.learning.table import Transitions
from seqdec_lib.learning.tabular import TabularLearner
from seqdec_lib.learning.targets import AFTER_AN_EPISODE
from seqdec_lib.learning.world_model import CountModel
from seqdec_lib.problems.base import Problem
from seqdec_lib.validation import whole_number


class DynaQ(TabularLearner):
    """Q-learning that repeats, after each real step, imagined ones, as if they had happened.

    Sutton, "Integrated architectures for learning, planning, and reacting" (1990); Sutton and
    Barto 2018, section 8.2.

    Parameters
    ----------
    problem : Problem
    planning_steps : int
        Imagined steps for each real one; 0 is Q-learning.
    replay : int, optional
        Repeat remembered steps instead, out of so many last ones (`Replay`); by default a model
        answers (`Dreams`).
    **options
        Those of `TabularLearner`. Each replica has its own memory; its chains share it.

    Raises
    ------
    ValueError
        A negative number of planning steps, a method without a one-step target of its own.
    """

    def __init__(
        self,
        problem: Problem,
        planning_steps: int = 10,
        replay: int | None = None,
        **options: object,
    ) -> None:
        super().__init__(problem, **options)
        if self.method == "sarsa" or self.method in AFTER_AN_EPISODE:
            raise ValueError(
                "imagined steps have no next action: use a method that needs none, such as "
                f'"q_learning", but {self.method!r} came.'
            )
        self.planning_steps = whole_number("planning_steps", planning_steps, least=0)
        if replay is None:
            self.memory = Dreams(problem.n_observations, problem.n_actions, self.replicas)
        else:
            self.memory = Replay(replay, self.replicas)
        # A stream of its own: without planning steps the learner is Q-learning, draw for draw.
        self._dreams = np.random.default_rng([int(self.rng.bit_generator.seed_seq.entropy), 1])

    def step(self) -> Transitions:
        """One real step, then `planning_steps` imagined ones; returns what really happened."""
        happened = super().step()
        self.memory.add(happened)
        for _ in range(self.planning_steps):
            self.update(self.imagine())
        return happened

    def imagine(self) -> Transitions:
        """One imagined step for each chain.

        Raises
        ------
        ValueError
            No real step was taken yet.
        """
        if not self.steps_per_chain:
            raise ValueError("there is nothing to imagine before the first step: call train first.")
        return self.memory.imagine(self.replica_of_chain, self._dreams)


class Dreams:
    """Imagines a pair that was tried before, all alike, and what follows by the counts.

    Attributes
    ----------
    model : CountModel
        Of all that was really seen.
    """

    def __init__(self, n_states: int, n_actions: int, replicas: int = 1) -> None:
        self.model = CountModel(n_states, n_actions, replicas=replicas)
        self._known = np.zeros(replicas * n_states * n_actions, dtype=bool)
        # The same as a list, of which the first `_n_tried` count.
        self._tried = np.zeros((replicas, n_states * n_actions), dtype=np.int64)
        self._n_tried = np.zeros(replicas, dtype=np.int64)

    def add(self, seen: Transitions) -> None:
        """Count these steps."""
        size = self._tried.shape[1]
        pairs = seen.observations * self.model.n_actions + seen.actions
        keys = np.unique(seen.replicas * size + pairs)
        owners, new = np.divmod(keys[~self._known[keys]], size)
        self._known[keys] = True
        self._tried[owners, self._n_tried[owners] + _rank(owners)] = new
        self._n_tried += np.bincount(owners, minlength=len(self._n_tried))
        self.model.add(seen)

    def imagine(self, owners: np.ndarray, rng: np.random.Generator) -> Transitions:
        """A step for each of these replicas (N,), which must have seen one."""
        pick = rng.integers(self._n_tried[owners])
        observations, actions = np.divmod(self._tried[owners, pick], self.model.n_actions)
        base = owners * self.model.n_states
        arrived, rewards, ended = self.model.sample(base + observations, actions, rng)
        return Transitions(owners, observations, actions, rewards, arrived - base, ended)


class Replay:
    """Remembers each replica's last `capacity` steps, and repeats one of them, all alike.

    Lin, "Self-improving reactive agents based on reinforcement learning, planning and teaching"
    (1992).
    """

    def __init__(self, capacity: int, replicas: int = 1) -> None:
        self.capacity = whole_number("replay", capacity, least=1)
        self._n_seen = np.zeros(replicas, dtype=np.int64)
        self._kept = [  # as in Transitions, without the first: (replicas, capacity)
            np.zeros((replicas, self.capacity), dtype) for dtype in (int, int, float, int, bool)
        ]

    def add(self, seen: Transitions) -> None:
        """Remember these steps; the oldest ones make room."""
        order = np.argsort(seen.replicas, kind="stable")
        owners = seen.replicas[order]
        place = (self._n_seen[owners] + _rank(owners)) % self.capacity
        for kept, new in zip(self._kept, seen[1:], strict=True):
            kept[owners, place] = new[order]
        self._n_seen += np.bincount(owners, minlength=len(self._n_seen))

    def imagine(self, owners: np.ndarray, rng: np.random.Generator) -> Transitions:
        """As for `Dreams`."""
        pick = rng.integers(np.minimum(self._n_seen, self.capacity)[owners])
        return Transitions(owners, *(kept[owners, pick] for kept in self._kept))


def _rank(owners: np.ndarray) -> np.ndarray:
    """The how-manieth of its owner's each one is, where owners (N,) ascend."""
    return np.arange(len(owners)) - np.searchsorted(owners, owners)
