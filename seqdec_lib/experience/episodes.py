"""Episodes with observations and actions of any kind, as Gymnasium plays and Minari keeps them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv


@dataclass(frozen=True)
class Episode:
    """One episode of T steps. The names are Minari's, so that either can stand for the other.

    observations : (T + 1, ...), the last one after the last action; for a `Dict` space a
        dictionary of such arrays. actions : (T, ...), likewise. The others : (T,)."""

    observations: Any
    actions: Any
    rewards: np.ndarray
    terminations: np.ndarray
    truncations: np.ndarray


def play(envs: VectorEnv, act: Callable[[list, list, list], Any], seed: int) -> list[Episode]:
    """Play one episode in each copy of an environment; they must all end some time.

    act : from all that was seen (one more than the others), done and paid so far to actions.
    seed : what the world draws shares nothing with what a driver draws from a generator of the same
        seed, nor with the copies of another seed (Gymnasium seeds copy i with seed + i)."""
    observation, _ = envs.reset(seed=int(np.random.SeedSequence(seed).generate_state(1)[0]))
    seen, taken, paid, ended, cut = [_copy(observation)], [], [], [], []
    going = np.ones(envs.num_envs, dtype=bool)
    while going.any():
        taken.append(act(seen, taken, paid))
        observation, reward, over, late, _ = envs.step(taken[-1])
        seen.append(_copy(observation))
        paid.append(np.array(reward)), ended.append(over & going), cut.append(late & going)
        going = going & ~(over | late)
    over, late = np.stack(ended, axis=1), np.stack(cut, axis=1)
    lengths = 1 + (over | late).argmax(axis=1)
    rewards = np.stack(paid, axis=1)
    return [
        Episode(_of(seen[: n + 1], i), _of(taken[:n], i), rewards[i, :n], over[i, :n], late[i, :n])
        for i, n in enumerate(lengths)
    ]


def _copy(observation: Any) -> Any:
    """A vector environment may write the next observation where this one stands."""
    if isinstance(observation, dict):
        return {key: _copy(value) for key, value in observation.items()}
    return np.array(observation)


def _of(steps: list, copy: int) -> Any:
    """What one copy saw or did."""
    if isinstance(steps[0], dict):
        return {key: _of([step[key] for step in steps], copy) for key in steps[0]}
    return np.stack([step[copy] for step in steps])
