"""Appendix A: swinging up Gymnasium's pendulum, learned from a log of 300 amateurs.

Networks that see the present alone clone all episodes, any tenth, the best tenth by the return, or
the best tenth of those whose first angle lies in one of six bands ("alike"): Transformers that read
bins, and small networks that read the numbers, by squared error. A Decision Transformer reads all
episodes and is asked for several returns. All are tried from the same 100 first positions."""

from collections.abc import Callable

import gymnasium
import numpy as np
import torch

from evidence.tables.carts import CHOICES, READINGS, chosen, regression, scaled
from seqdec_lib.experience.episodes import play
from seqdec_lib.sequences import fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import SpelledLayout

SEEDS = (0, 1, 2, 3, 4)
CASES = ("asked", *(f"{by}, {choice}" for by in ("cloned", "numbers") for choice in CHOICES))
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
AMATEURS, TESTS, STEPS, ROWS, BANDS = 300, 100, 1000, 256, 6
WISHES = (-1000, -400, -100, 0)


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of the network, and of the log."""
    by, *choice = case.split(", ")
    many = gymnasium.make_vec("Pendulum-v1", num_envs=AMATEURS)
    log = play(many, amateurs(AMATEURS, seed), seed)
    returns = np.array([trip.rewards.sum() for trip in log])
    first = np.array([trip.observations[0] for trip in log])
    angle = np.abs(np.arctan2(first[:, 1], first[:, 0]))
    bands = (angle * BANDS / np.pi).astype(int)[:, None]
    used = [log[i] for i in chosen(*choice, returns, bands)] if choice else log
    test = gymnasium.make_vec("Pendulum-v1", num_envs=TESTS)
    found = {"behavior": float(returns.mean())}

    def drive(name: str, act: Callable) -> None:
        trips = play(test, act, 1000 + seed)
        found[name] = float(np.mean([trip.rewards.sum() for trip in trips]))

    if by == "numbers":
        seen = np.concatenate([trip.observations for trip in log])
        drive("mean", regression(used, scaled(seen), 2.0, seed))
        return found
    looks, acts = (
        Bins.of(space, bins)
        for space, bins in ((many.single_observation_space, 32), (many.single_action_space, 16))
    )
    goal = "return_to_go" if by == "asked" else None
    layout = SpelledLayout.of(used, looks, acts, goal, context=1)
    torch.manual_seed(seed)
    model = layout.transformer()
    fit(model, minibatches(layout.encode(used), ROWS), STEPS, learning_rate=4e-3, seed=seed)
    for wish in WISHES if goal else (None,):
        for name, reading in READINGS.items():
            asked = name if wish is None else f"{name}, wish {wish}"
            drive(asked, layout.policy(model, wish or 0, seed=seed, **reading))
    return found


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
