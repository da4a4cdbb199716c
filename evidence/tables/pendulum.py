"""Appendix A: swinging up Gymnasium's pendulum, learned from a log of 300 amateurs.

A Decision Transformer that sees the present alone is asked for the return that one episode in ten
reached; a clone imitates that tenth. Both are tried on the same 100 first positions."""

from collections.abc import Callable

import gymnasium
import numpy as np
import torch

from seqdec_lib.experience.episodes import play
from seqdec_lib.sequences import fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import SpelledLayout

SEEDS = (0, 1, 2)
GOALS = {"asked": "return_to_go", "cloned": None}
CASES = tuple(GOALS)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
AMATEURS, TESTS, TOP, STEPS, ROWS = 300, 100, 0.9, {"asked": 1500, "cloned": 500}, 256


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of the network, always by its favorite, and of the log."""
    many = gymnasium.make_vec("Pendulum-v1", num_envs=AMATEURS)
    log = play(many, amateurs(AMATEURS, seed), seed)
    returns = np.array([trip.rewards.sum() for trip in log])
    wish = np.quantile(returns, TOP)
    used = [trip for trip, worth in zip(log, returns, strict=True) if worth >= wish]
    used = log if case == "asked" else used
    looks, acts = (
        Bins.of(space, bins)
        for space, bins in ((many.single_observation_space, 32), (many.single_action_space, 16))
    )
    layout = SpelledLayout.of(used, looks, acts, GOALS[case], context=1)
    torch.manual_seed(seed)
    model = layout.transformer()
    draw = minibatches(layout.encode(used), ROWS)
    fit(model, draw, STEPS[case], learning_rate=4e-3, seed=seed)
    test = gymnasium.make_vec("Pendulum-v1", num_envs=TESTS)
    tried = play(test, layout.policy(model, wish, temperature=0.0), 1000 + seed)
    found = {"return": float(np.mean([trip.rewards.sum() for trip in tried]))}
    return found | {"behavior": float(returns.mean()), "wish": float(wish)}


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
