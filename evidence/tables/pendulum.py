"""Appendix A: swinging up Gymnasium's pendulum, learned from a log of 300 amateurs.

Transformers that see the present alone, in bins, clone all episodes, the best tenth by the return,
or the best tenth of those whose first angle lies in one of six bands ("alike"). A Decision
Transformer reads all episodes. It is asked for what one in ten logged episodes from its own band
surpassed. Longer than these, three times as long, a Transformer clones "alike" once more. All are
tried from the same 100 first positions."""

from collections.abc import Callable

import gymnasium
import numpy as np

from evidence.tables.carts import CHOICES, chosen, transformers
from seqdec_lib.experience.episodes import play
from seqdec_lib.sequences.bins import Bins

SEEDS = (0, 1, 2, 3, 4)
CASES = (
    "asked",
    *(f"cloned, {choice}" for choice in CHOICES),
    "longer, alike",
)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
AMATEURS, TESTS, STEPS, BANDS = 300, 100, 1000, 6


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of the network, and of the log."""
    by, *choice = case.split(", ")
    many = gymnasium.make_vec("Pendulum-v1", num_envs=AMATEURS)
    test = gymnasium.make_vec("Pendulum-v1", num_envs=TESTS)
    log = play(many, amateurs(AMATEURS, seed), seed)
    used = chosen(log, bands_of, *choice)
    looks = Bins.of(many.single_observation_space, 32)
    acts = Bins.of(many.single_action_space, 16)
    wishes = () if by == "asked" else None
    steps = 3 * STEPS if by == "longer" else STEPS
    drivers = transformers(used, looks, acts, wishes, bands_of, steps, seed)
    found = {"behavior": float(np.mean([trip.rewards.sum() for trip in log]))}
    for name, act in drivers.items():
        trips = play(test, act, 1000 + seed)
        found[name] = float(np.mean([trip.rewards.sum() for trip in trips]))
    return found


def bands_of(starts: np.ndarray) -> np.ndarray:
    """The band of the first angle from upright: cosines, sines and velocities (N, 3) -> (N, 1)."""
    angle = np.abs(np.arctan2(starts[:, 1], starts[:, 0]))
    return np.floor(angle * BANDS / np.pi)[:, None]


def amateurs(number: int, seed: int) -> Callable:
    """Drivers who pump, lean, brake and shake, each as strongly as they like."""
    rng = np.random.default_rng(seed)
    own = rng.uniform(0, [1, 10, 3, 1], (number, 4)).T

    def act(seen: list, taken: list, paid: list) -> np.ndarray:
        cos, sin, speed = seen[-1].astype(float).T
        lack = 5 * (1 - cos) - speed**2 / 6  # energy that is missing
        hold = -own[1] * np.arctan2(sin, cos) - own[2] * speed
        torque = np.where(cos > 0.7, hold, own[0] * lack * np.sign(speed))
        shaky = torque + own[3] * rng.standard_normal(number)
        return shaky.clip(-2, 2)[:, None].astype(np.float32)

    return act
