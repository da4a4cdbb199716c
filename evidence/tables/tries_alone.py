"""Chapter 12: thirty tries without a log, by a traveler that learns from its own tries.

The first tries are random trips. Each later one changes the best trip so far on a few days, and no
trip is tried twice. How many tries come first and how many days may change, "settings" compares on
trees with seeds 100 to 119. The other cases measure every setting on the book's tree and on those
with seeds 30 to 59; the chapter shows the one that "settings" prefers."""

import numpy as np

from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("settings", "our tree", "thirty others")
AGREEMENT = 0.05
TREES = {"settings": range(100, 120), "our tree": range(1), "thirty others": range(30, 60)}
DRAWS = {"settings": 15, "our tree": 200, "thirty others": 10}
TRIES, DAYS = 30, 6
FIRST, CHANGED = (1, 3, 5, 10, 20, 30), (1, 2, 3)  # 30 first tries are dice alone
PLACES = 3 ** np.arange(DAYS - 1, -1, -1)


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regret of the best of thirty tries, for each setting."""
    rng, found = np.random.default_rng([seed, CASES.index(case)]), {}
    for first in FIRST:
        for days in CHANGED if first < TRIES else CHANGED[:1]:
            regrets = []
            for number in TREES[case]:
                worth = TravelTree(seed=number).level_enjoyment(DAYS)
                best = [tried(worth, first, days, rng) for _ in range(DRAWS[case])]
                regrets.append((worth.max() - np.mean(best)) / (worth.max() - worth.mean()))
            found[f"{first} first, {days} changed"] = float(np.mean(regrets))
    return found


def tried(worth: np.ndarray, first: int, days: int, rng: np.random.Generator) -> float:
    """The worth of the best trip after thirty tries, of the trips' worths (729,)."""
    known: set[int] = set()
    best = -1  # a trip, as the number of its leaf
    while len(known) < TRIES:
        actions = rng.integers(3, size=DAYS)
        if len(known) >= first:
            actions = best // PLACES % 3
            which = rng.permutation(DAYS)[: rng.integers(1, days + 1)]
            actions[which] += rng.integers(1, 3, size=len(which))
        trip = int(actions % 3 @ PLACES)
        if trip in known:
            if len(known) >= first and nothing_new(best, days, known):
                break
            continue
        known.add(trip)
        if best < 0 or worth[trip] > worth[best]:
            best = trip
    return float(worth[best])


def nothing_new(best: int, days: int, known: set[int]) -> bool:
    """Whether all trips that differ on one day have been tried, where no more may differ."""
    if days > 1:
        return False
    near = [best + (other - best // p % 3) * p for p in PLACES.tolist() for other in range(3)]
    return known.issuperset(near)
