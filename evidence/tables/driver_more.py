"""Chapter 12: learners of `driver` with changes.

"often" begins with the values of a plan that trusts actions logged 25 times, the threshold that
the chapter chooses with `driver_often`. Two begin as the hopeful and the cautious learner from the
clone, but draw their actions at a temperature more than three times as high. "scratch, dice" begins
with -10 everywhere, and explores with dice instead of drawing."""

import numpy as np
import torch

from evidence.tables.driver import (
    CARS,
    STEPS,
    STOPS,
    WARM,
    counts_of,
    first_table,
    human,
    logbook,
    of_a_lap,
    world,
)
from evidence.tables.driver_checked import values_from_often
from seqdec_lib.experience import collect
from seqdec_lib.learning import TabularLearner, greedy, harmonic, linear_decay, settled

SEEDS = (0, 1, 2, 3, 4)
OFTEN, COOL = 25, 4500  # steps until there is hardly any exploration
WARMLY, HOTLY, DICE = (
    {"temperature": linear_decay(WARM, 0.05, COOL)},
    {"temperature": linear_decay(1.0, 0.05, COOL)},
    {"exploration": linear_decay(0.1, 0.0, COOL)},
)
STARTS = {  # where the table begins, and how the cars explore
    "often": ("clone, start over", WARMLY),
    "hope, hot": ("clone, 0", HOTLY),
    "caution, hot": ("clone, start over", HOTLY),
    "scratch, dice": ("constant, -10", DICE),
}
CASES = tuple(STARTS)
AGREEMENT = 0.5  # as in `driver`


def run(case: str, seed: int) -> dict[str, float]:
    """Lap time and crashes in the end, crashes until the human is beaten and over the drive."""
    torch.set_num_threads(1)
    start, explores = STARTS[case]
    (track, in_alley, _), values = world(), first_table(seed, start)
    if case == "often":
        logged = counts_of(logbook(seed)).any(axis=1, keepdims=True)
        values = np.where(logged, values_from_often(seed, OFTEN), values)
    learner = TabularLearner(
        track,
        step_size=harmonic(0.6),
        initial_value=values,
        chains=CARS,
        seed=seed,
        **explores,
    )
    crashes, walls, times = 0, [], []
    for step in range(1, STEPS + 1):
        crashes += int(track.crashed[learner.step().next_observations].sum())
        if step in STOPS:
            walls.append(crashes)
            times.append(track.expected_lap(learner.acting_policies[0]).time)
    limit = 0.95 * track.expected_lap(human()).time
    beaten = settled(STOPS, np.array(times)[:, None], limit)[0]
    favorites = greedy(learner.q_values)[0]
    played = collect(track, favorites, 2000, seed)
    found = of_a_lap("end", favorites) | {
        "beaten": np.isfinite(beaten),
        "crashes until beaten": walls[np.searchsorted(STOPS, min(beaten, STEPS))],
        "crashes 5000": crashes,
        "alley": in_alley[played.states].any(axis=1).mean(),
    }
    return {key: round(float(number), 6) for key, number in found.items()}
