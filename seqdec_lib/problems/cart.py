"""A cart on a line: continuous states and actions, with an exact optimum where its costs allow.

Where one dock is all there is, it is a linear-quadratic regulator, and `riccati` solves it."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv

STEP = 0.2  # seconds
MOVE = np.array([[1.0, STEP], [0.0, 1.0]])  # x' = MOVE x + PUSH u + SHAKE w: a double integrator
PUSH = np.array([[STEP**2 / 2], [STEP]])
SHAKE = np.array([0.0, 0.1])  # gusts change the velocity
STATE_COST, PUSH_COST = np.diag([1.0, 0.1]), np.diag([0.3])
HORIZON, FARTHEST, ROCK = 25, 1.0, 0.5


class Carts(VectorEnv):
    """Many carts side by side. Observation: position and velocity. Action: the push, in one number.

    A step costs the squared distance to the nearest dock, a tenth of the squared velocity and 0.3
    times the squared push. Over the rock, `ROCK` to both sides of 0, it costs up to `rock` more.

    docks : positions; the only one at 0 makes it a linear-quadratic regulator.
    limit : no push is stronger."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int,
        docks: tuple[float, ...] = (0.0,),
        limit: float = 3.5,
        rock: float = 0.0,
    ) -> None:
        self.num_envs, self.docks, self.limit, self.rock = num_envs, docks, limit, rock
        self.single_observation_space = Box(-np.inf, np.inf, (2,), np.float64)
        self.single_action_space = Box(-limit, limit, (1,), np.float64)

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._x = self.np_random.uniform(-FARTHEST, FARTHEST, (self.num_envs, 2))
        self._steps = 0
        return self._x, {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        pushes = np.clip(actions, -self.limit, self.limit)  # (N, 1)
        rewards = -self.cost(self._x, pushes)
        gusts = self.np_random.standard_normal((self.num_envs, 1))
        self._x = self._x @ MOVE.T + pushes @ PUSH.T + gusts * SHAKE
        self._steps += 1
        never = np.zeros(self.num_envs, dtype=bool)
        return self._x, rewards, never, never | (self._steps >= HORIZON), {}

    def cost(self, x: np.ndarray, pushes: np.ndarray) -> np.ndarray:
        """What a step costs: states (..., 2), pushes (..., 1) -> (...)."""
        away = np.abs(x[..., :1] - np.array(self.docks)).min(axis=-1)
        moving = STATE_COST[0, 0] * away**2 + STATE_COST[1, 1] * x[..., 1] ** 2
        hump = np.maximum(0.0, 1 - (x[..., 0] / ROCK) ** 2)
        return moving + PUSH_COST[0, 0] * pushes[..., 0] ** 2 + self.rock * hump


def riccati(move: np.ndarray, push: np.ndarray, horizon: int = HORIZON) -> np.ndarray:
    """The best gains (horizon, 1, 2) for dynamics `move` (2, 2), `push` (2, 1): u = -gain x."""
    after, gains = np.zeros_like(STATE_COST), []
    for _ in range(horizon):
        gain = np.linalg.solve(PUSH_COST + push.T @ after @ push, push.T @ after @ move)
        after = STATE_COST + move.T @ after @ (move - push @ gain)
        gains.append(gain)
    return np.array(gains[::-1])


def linear_return(gains: np.ndarray, noise: float = 0.0) -> float:
    """The exact expected return of pushing with -gain x plus noise of that variance, without limit.

    gains : (HORIZON, 1, 2), or one for all steps."""
    second, total = np.eye(2) * FARTHEST**2 / 3, 0.0  # E[x x'] of a uniform start
    for gain in np.broadcast_to(gains, (HORIZON, 1, 2)):
        total += np.trace(second @ (STATE_COST + gain.T @ PUSH_COST @ gain))
        total += PUSH_COST[0, 0] * noise
        closed = MOVE - PUSH @ gain
        second = closed @ second @ closed.T + noise * PUSH @ PUSH.T + np.outer(SHAKE, SHAKE)
    return -float(total)
