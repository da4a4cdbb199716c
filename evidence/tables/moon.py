"""Appendix A, its open exercise: 300 amateurs drive the pendulum on the moon, where the motor is
strong enough to lift it at once. A line and a small network clone all episodes, the best tenth, or
the best tenth of similar starts; beside them stand the log, no torque, and random torques."""

import gymnasium
import numpy as np

from evidence.tables.carts import CHOICES, chosen, regression
from evidence.tables.carts_checked import line
from evidence.tables.pendulum import AMATEURS, TESTS, amateurs, bands_of
from seqdec_lib.experience.episodes import play

SEEDS = (0, 1, 2, 3, 4)
CASES = (*CHOICES, "nothing")
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
GRAVITY = 1.62


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of the drivers that clone one choice, or that clone nothing, and of the log."""
    many, test = (
        gymnasium.make_vec("Pendulum-v1", num_envs=number, g=GRAVITY)
        for number in (AMATEURS, TESTS)
    )
    log = play(many, amateurs(AMATEURS, seed), seed)
    if case == "nothing":
        rng = np.random.default_rng(seed)
        drivers = {
            "no torque": lambda seen, taken, paid: np.zeros((TESTS, 1)),
            "random": lambda seen, taken, paid: rng.uniform(-2, 2, (TESTS, 1)),
        }
    else:
        used = chosen(log, bands_of, case)
        spread = np.concatenate([trip.observations for trip in log]).std(axis=0)
        drivers = {"line": line(used), "network": regression(used, spread, 2.0, seed)}
    found = {"log": float(np.mean([trip.rewards.sum() for trip in log]))}
    for name, act in drivers.items():
        trips = play(test, act, 1000 + seed)
        found[name] = float(np.mean([trip.rewards.sum() for trip in trips]))
    return found
