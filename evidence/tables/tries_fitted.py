"""Chapter 12: settings for travelers with thirty tries who fit what trips are worth.

The first tries are random trips ("dice") or the most frequent ones of a log ("log"). Then ridge
regression rates all trips after each try, and the highest-rated new one is next. A rating is
hopeful: the mean of a Gaussian process plus so many standard deviations. The fit sees the cities
that a trip sleeps in, once or again ("nights"), or the moves, too ("moves"). What it sees, how many
tries come first and how much hope, the chapter chooses by these numbers. Each seed has twenty trees
of its own, none of them the chapter's."""

from functools import cache
from itertools import product

import numpy as np

from seqdec_lib.experience import collect
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("settings",)
AGREEMENT = 0.05
FIRST_TREE, TREES = 1000, 20  # the chapter shows the trees 0 and 200 to 319
TRIES, DAYS, CITIES, TRIPS = 30, 6, 24, 300
STARTS, SEEN = ("dice", "log"), ("nights", "moves")
FIRST, HOPE = (2, 5, 10, 15), (0, 1, 2, 4, 8, 16)
RIDGE = 0.1


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regret of the best of thirty tries, for each setting."""
    regrets: dict[str, list[float]] = {}
    first_tree = FIRST_TREE + TREES * seed
    for number in range(first_tree, first_tree + TREES):
        tree = TravelTree(seed=number)
        worth = tree.level_enjoyment(DAYS)
        dice = np.random.default_rng(number).permutation(len(worth))
        starts = {"dice": dice, "log": most_frequent(tree, number)}
        for start, seen, first, hope in product(STARTS, SEEN, FIRST, HOPE):
            best = tried(worth, starts[start][:first], similarities(seen), hope)
            left = (worth.max() - best) / (worth.max() - worth.mean())
            regrets.setdefault(f"{start}, {seen}: {first} {hope}", []).append(left)
    return {setting: float(np.mean(left)) for setting, left in regrets.items()}


def tried(worth: np.ndarray, begin: np.ndarray, alike: np.ndarray, hope: float) -> float:
    """The worth of the best trip after thirty tries, of the trips' worths (729,)."""
    trips = begin.tolist()
    while len(trips) < TRIES:
        near = alike[:, trips]
        weights = near @ np.linalg.inv(near[trips] + RIDGE * np.eye(len(trips)))
        unsure = np.diag(alike) - (weights * near).sum(axis=1)
        rated = weights @ (worth[trips] - worth[trips].mean())
        rated += hope * np.sqrt(np.maximum(unsure, 0))
        rated[trips] = -np.inf
        trips.append(int(rated.argmax()))
    return float(worth[trips].max())


@cache
def similarities(seen: str) -> np.ndarray:
    """Inner products of what the fit sees of the trips: (729, 729)."""
    tree = TravelTree()
    city = tree.trips_at(np.arange(tree.n_states)).city.astype(int)
    routes = city[tree.ways(DAYS)]  # (729, 7): home, then each night
    nights = np.eye(CITIES)[routes[:, 1:]].sum(axis=1)
    features = np.hstack([nights > 0, nights > 1]).astype(float)
    if seen == "moves":
        moves = np.eye(CITIES**2)[CITIES * routes[:, :-1] + routes[:, 1:]].sum(axis=1)
        features = np.hstack([moves, features])
    return features @ features.T


def most_frequent(tree: TravelTree, seed: int) -> np.ndarray:
    """The different trips of a guide's log, as leaves, the most frequent first.

    The guide is greedy by worth, and rolls dice on three mornings in ten."""
    value = np.concatenate([tree.level_enjoyment(day) for day in range(DAYS + 1)])
    favorites = value[1:].reshape(-1, 3).argmax(axis=1)
    guide = np.full((tree.n_states, 3), 1 / 3)
    guide[: tree.first_leaf] = 0.7 * np.eye(3)[favorites] + 0.1
    ends = collect(tree, guide, TRIPS, seed).states[:, -1] - tree.first_leaf
    count = np.bincount(ends, minlength=tree.n_leaves)
    return np.argsort(-count, kind="stable")[: (count > 0).sum()]
