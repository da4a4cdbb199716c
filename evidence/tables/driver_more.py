"""Chapter 12: learners of `driver` with changes.

"often" begins with the values of a plan that trusts actions logged 25 times, the threshold that
the chapter chooses with `driver_often`. "scratch, dice" begins with -10 everywhere, and explores
with dice instead of drawing."""

import numpy as np
import torch

from evidence.tables.driver import (
    CARS,
    WARM,
    by_driving,
    counts_of,
    first_table,
    logbook,
    world,
)
from evidence.tables.driver_checked import values_from_often
from seqdec_lib.learning import TabularLearner, harmonic, linear_decay

SEEDS = (0, 1, 2, 3, 4)
OFTEN, COOL = 25, 4500  # steps until there is hardly any exploration
WARMLY = {"temperature": linear_decay(WARM, 0.05, COOL)}
DICE = {"exploration": linear_decay(0.1, 0.0, COOL)}
STARTS = {  # where the table begins, and how the cars explore
    "often": ("clone, start over", WARMLY),
    "scratch, dice": ("constant, -10", DICE),
}
CASES = tuple(STARTS)
AGREEMENT = 0.5  # as in `driver`
ENDS = ("end, time", "end, crashes", "end, finished")
FOUND = (*ENDS, "beaten", "crashes until beaten", "crashes 5000", "alley")


def run(case: str, seed: int) -> dict[str, float]:
    """Lap time and crashes in the end, crashes until the human is beaten and over the drive."""
    torch.set_num_threads(1)
    start, explores = STARTS[case]
    values = first_table(seed, start)
    if case == "often":
        logged = counts_of(logbook(seed)).any(axis=1, keepdims=True)
        values = np.where(logged, values_from_often(seed, OFTEN), values)
    learner = TabularLearner(
        world()[0],
        step_size=harmonic(0.6),
        initial_value=values,
        chains=CARS,
        seed=seed,
        **explores,
    )
    found = by_driving(learner, seed)
    return {key: round(float(found[key]), 6) for key in FOUND}
