"""Appendix A: swinging up Gymnasium's pendulum, learned from a log of 300 amateurs.

Networks that see the present alone, trained equally long: a Decision Transformer, asked for the
return that one episode in ten reached and for others, and clones of all episodes, of the best
tenth, and of any tenth. All are tried on the same 100 first positions."""

from collections.abc import Callable

import gymnasium
import numpy as np
import torch

from seqdec_lib.experience.episodes import play
from seqdec_lib.sequences import fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import SpelledLayout

SEEDS = (0, 1, 2, 3, 4)
GOALS = {"asked": "return_to_go", "cloned": None, "tenth": None, "any tenth": None}
CASES = tuple(GOALS)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
AMATEURS, TESTS, TOP, STEPS, ROWS, WISHES = 300, 100, 0.9, 1000, 256, (-1000, -400, 0)


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of the network, by its favorite and by its mean, and of the log."""
    many = gymnasium.make_vec("Pendulum-v1", num_envs=AMATEURS)
    log = play(many, amateurs(AMATEURS, seed), seed)
    returns = np.array([trip.rewards.sum() for trip in log])
    wish = np.quantile(returns, TOP)
    best = [trip for trip, worth in zip(log, returns, strict=True) if worth >= wish]
    used = {"tenth": best, "any tenth": log[: len(best)]}.get(case, log)
    looks, acts = (
        Bins.of(space, bins)
        for space, bins in ((many.single_observation_space, 32), (many.single_action_space, 16))
    )
    layout = SpelledLayout.of(used, looks, acts, GOALS[case], context=1)
    torch.manual_seed(seed)
    model = layout.transformer()
    fit(model, minibatches(layout.encode(used), ROWS), STEPS, learning_rate=4e-3, seed=seed)
    test = gymnasium.make_vec("Pendulum-v1", num_envs=TESTS)

    def tried(wish: float, **reading: float) -> float:
        trips = play(test, layout.policy(model, wish, **reading), 1000 + seed)
        return float(np.mean([trip.rewards.sum() for trip in trips]))

    found = {"behavior": float(returns.mean()), "wish": float(wish)}
    found |= {"greedy": tried(wish, temperature=0.0), "mean": tried(wish, mean=True)}
    for wanted in WISHES if case == "asked" else ():
        found[f"wish {wanted}"] = tried(wanted, temperature=0.0)
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
