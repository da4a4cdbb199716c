"""Any problem of the book as a Gymnasium environment: one copy, or many side by side."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete
from gymnasium.vector import AutoresetMode, VectorEnv

from seqdec_lib.problems.base import Problem
from seqdec_lib.problems.key_to_door import KeyToDoor
from seqdec_lib.problems.racetrack import Racetrack
from seqdec_lib.problems.shortest_path import ShortestPath
from seqdec_lib.problems.travel_tree import TravelTree
from seqdec_lib.validation import whole_number

PROBLEMS = (KeyToDoor, Racetrack, ShortestPath, TravelTree)


class ProblemEnv(gymnasium.Env):
    """One copy of a problem. Observations and actions are whole numbers; `info["state"]` is the
    full state.

    render_mode : None or "ansi"; with "ansi", `render()` returns the problem's own line about the
        current state."""

    metadata = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(self, problem: Problem, render_mode: str | None = None) -> None:
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be None or 'ansi', but {render_mode!r} came.")
        self.problem = problem
        self.render_mode = render_mode
        self.observation_space = Discrete(problem.n_observations)
        self.action_space = Discrete(problem.n_actions)
        self._state: np.ndarray | None = None

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.int64, dict[str, Any]]:
        super().reset(seed=seed)
        self._state = self.problem.reset(1, self.np_random)
        self._steps = 0
        return self._observation()

    def step(self, action: int) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        _check_reset(self._state)
        happened = self.problem.step(self._state, np.array([action]), self.np_random)
        self._state, rewards, ended = happened
        self._steps += 1
        terminated = bool(ended[0])
        truncated = self._steps >= self.problem.horizon and not terminated
        observation, info = self._observation()
        return observation, float(rewards[0]), terminated, truncated, info

    def render(self) -> str | None:
        _check_reset(self._state)
        return self.problem.describe(int(self._state[0])) if self.render_mode == "ansi" else None

    def _observation(self) -> tuple[np.int64, dict[str, Any]]:
        return np.int64(self.problem.observe(self._state)[0]), {"state": int(self._state[0])}


class ProblemVectorEnv(VectorEnv):
    """Many copies of a problem, advanced together; one that ended starts anew a step later."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, problem: Problem, num_envs: int) -> None:
        self.problem = problem
        self.num_envs = whole_number("num_envs", num_envs, least=1)
        self.single_observation_space = Discrete(problem.n_observations)
        self.single_action_space = Discrete(problem.n_actions)
        self.observation_space = MultiDiscrete(np.full(num_envs, problem.n_observations))
        self.action_space = MultiDiscrete(np.full(num_envs, problem.n_actions))
        self._states: np.ndarray | None = None

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._states = self.problem.reset(self.num_envs, self.np_random)
        self._steps = np.zeros(self.num_envs, dtype=np.int64)
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self._observations()

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        _check_reset(self._states)
        self.problem.check_step(self._states, np.asarray(actions))
        going, anew = np.flatnonzero(~self._over), np.flatnonzero(self._over)
        rewards, terminated = np.zeros(self.num_envs), np.zeros(self.num_envs, dtype=bool)
        states = self._states.copy()
        states[going], rewards[going], terminated[going] = self.problem.step(
            self._states[going], np.asarray(actions)[going], self.np_random
        )
        states[anew] = self.problem.reset(len(anew), self.np_random)
        self._states, self._steps = states, np.where(self._over, 0, self._steps + 1)
        truncated = (self._steps >= self.problem.horizon) & ~terminated
        self._over = terminated | truncated
        observations, info = self._observations()
        return observations, rewards, terminated, truncated, info

    def _observations(self) -> tuple[np.ndarray, dict[str, Any]]:
        info = {"state": self._states.copy(), "_state": np.ones(self.num_envs, dtype=bool)}
        return self.problem.observe(self._states).copy(), info


def _check_reset(states: np.ndarray | None) -> None:
    if states is None:
        raise gymnasium.error.ResetNeeded("no episode has begun: call reset() first.")


def make_env(problem: str, render_mode: str | None = None, **arguments: Any) -> ProblemEnv:
    """What `gymnasium.make` calls: the arguments are those of the problem's class."""
    return ProblemEnv(_problem(problem, arguments), render_mode)


def make_vector_env(
    problem: str, num_envs: int, render_mode: str | None = None, **arguments: Any
) -> ProblemVectorEnv:
    """What `gymnasium.make_vec` calls: the arguments are those of the problem's class."""
    if render_mode is not None:
        raise ValueError(
            "many copies side by side are not drawn: pass render_mode=None, or use gymnasium.make."
        )
    return ProblemVectorEnv(_problem(problem, arguments), num_envs)


def _problem(name: str, arguments: dict[str, Any]) -> Problem:
    return {cls.__name__: cls for cls in PROBLEMS}[name](**arguments)
