"""Chapter 12: how often must an action be logged before a plan may trust it?

The plan of `driver_checked` for many thresholds: where some action was logged that often, only such
actions may be planned. "other logs" are five logs with seeds of their own, on which the chapter
chooses the threshold; "logs" are the five of `driver`. Lap times and crashes are exact, and the
share of laps through the alley is counted in 2,000 laps."""

import numpy as np
import torch

from evidence.tables.driver import clone_of, human, of_a_lap, world
from evidence.tables.driver_checked import planned_from_often
from seqdec_lib.experience import collect

SEEDS = (0, 1, 2, 3, 4)
CASES = ("other logs", "logs")
AGREEMENT = 0.5  # where nothing was logged a network trained in float32 drives
OFTEN, OTHERS = (1, 2, 5, 10, 25, 50, 100), 5


def run(case: str, seed: int) -> dict[str, float]:
    """Of each plan the lap time and the crashes per lap, and those of the human."""
    torch.set_num_threads(1)
    number, found = seed + OTHERS * (case == "other logs"), of_a_lap("human", human())
    found["favorites, alley"] = alley(clone_of(number).argmax(axis=1), number)
    for times in OFTEN:
        policy = planned_from_often(number, times)
        found |= of_a_lap(f"plan {times}", policy)
        found[f"plan {times}, alley"] = alley(policy, number)
    return {key: round(float(value), 6) for key, value in found.items()}


def alley(policy: np.ndarray, seed: int) -> float:
    """The share of laps that pass the alley."""
    track, in_alley, _ = world()
    return in_alley[collect(track, policy, 2000, seed).states].any(axis=1).mean()
