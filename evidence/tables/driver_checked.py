"""Chapter 10, checks of `driver`, on the same logs: the best tenth without a network, plans that
trust what was logged often, the plan before its first look, boldness without a clone, and two more
learners from scratch.

"logs" needs no driving: counts of the best tenth, and plans that leave an action out if it was
logged seldom where another was logged often. "first look" follows the learner from the plan step
by step until the first stop of `driver`. "bold" begins with the values of the road alone; the two
from scratch begin with one value everywhere."""

import numpy as np
import torch

from evidence.tables.driver import (
    DICE,
    SOFT,
    STARTS,
    STOPS,
    UNKNOWN,
    by_driving,
    clone_of,
    counts_of,
    learner_of,
    logbook,
    of_a_lap,
    shares,
    world,
)
from seqdec_lib.learning import CountModel, greedy
from seqdec_lib.mdp import MDP, value_iteration
from seqdec_lib.problems import COAST

SEEDS = (0, 1, 2, 3, 4)
LEARNERS = {  # where the table begins, and how its cars explore
    "bold": ("places, 0", DICE),
    "from scratch at -2": ("constant, -2", SOFT),
    "from scratch, epsilon": ("constant, 0", DICE),
}
CASES = ("logs", "first look", *LEARNERS)
AGREEMENT = 0.5  # as in `driver`: networks trained in float32, and what follows from their draws
OFTEN = (10, 25)


def run(case: str, seed: int) -> dict[str, float]:
    """Of each policy the lap time and the crashes per lap; of "first look" the slowest of them."""
    torch.set_num_threads(1)
    if case == "logs":
        found = of_a_lap("counted tenth", counted(seed))
        for times in OFTEN:
            found |= of_a_lap(f"plan {times}", planned_from_often(seed, times))
    elif case == "first look":
        found = {"slowest": slowest_until_first_look(seed)}
    else:
        found = by_driving(learner_of(seed, *LEARNERS[case]), seed)
    return {key: round(float(number), 6) for key, number in found.items()}


def counted(seed: int) -> np.ndarray:
    """Follow the counts of the best tenth; elsewhere those of the log; elsewhere coast: (S, 9)."""
    policy = np.eye(9)[np.full(world()[0].n_states, COAST)]
    for laps in (logbook(seed), logbook(seed).top(1 / 10)):
        counts = counts_of(laps)
        logged = counts.any(axis=1, keepdims=True)
        policy = np.where(logged, shares(counts, ~logged), policy)
    return policy


def planned_from_often(seed: int, times: int) -> np.ndarray:
    """The greedy policy of such a plan; where nothing was logged, the clone drives: (S, 9)."""
    logged = counts_of(logbook(seed)).any(axis=1, keepdims=True)
    return np.where(logged, greedy(values_from_often(seed, times)), clone_of(seed))


def values_from_often(seed: int, times: int) -> np.ndarray:
    """A pessimistic plan; where an action was logged that often, only such actions: (S, 9)."""
    track, counts = world()[0], counts_of(logbook(seed))
    often = counts >= times
    allowed = np.where(often.any(axis=1, keepdims=True), often, counts > 0)
    mdp = CountModel(track.n_states, 9, unknown=UNKNOWN).add(logbook(seed)).mdp(1.0, track.horizon)
    rewards = mdp.rewards.copy()
    rewards[:-1][~allowed] = UNKNOWN
    return value_iteration(MDP(mdp.transitions, rewards, 1.0, track.horizon)).q_values[:-1]


def slowest_until_first_look(seed: int) -> float:
    """The longest lap time, with exploration, before and after each step up to the first stop."""
    learner = learner_of(seed, *STARTS["from the plan"])
    times = [world()[0].expected_lap(learner.acting_policies[0]).time]
    for _ in range(STOPS[0]):
        learner.step()
        times.append(world()[0].expected_lap(learner.acting_policies[0]).time)
    return max(times)
