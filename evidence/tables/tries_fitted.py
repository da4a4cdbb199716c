"""Chapter 12: settings for travelers with thirty tries who fit what trips are worth.

Ridge regression rates all trips after each try by the choices and nodes that they share with the
tried ones, and the highest-rated new one is next. The first tries are random trips ("dice") or the
most frequent ones of a log ("log"), whose counts then say what is expected of a trip: so many stars
for each unit of its log-probability. The chapter chooses by these numbers how many tries come first
and the scale. Each seed has twenty trees of its own, none of them the chapter's."""

from functools import cache
from itertools import product

import numpy as np

from evidence.tables.first_trips import regret
from seqdec_lib.experience import Trajectories, collect
from seqdec_lib.problems import TravelTree, trip_probabilities

SEEDS = (0, 1, 2, 3, 4)
CASES = ("settings",)
AGREEMENT = 0.05
FIRST_TREE, TREES = 1000, 20  # the chapter shows the trees 0 and 200 to 319
TRIES, DAYS, TRIPS = 30, 6, 300
FIRST, SCALES = (2, 5, 10, 15, 20, 30), (0, 1, 2, 4, 8)
RIDGE = 0.1


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regret of the best of thirty tries, for each setting."""
    found: dict[str, list[float]] = {}
    first_tree = FIRST_TREE + TREES * seed
    trees = [TravelTree(seed=number) for number in range(first_tree, first_tree + TREES)]
    worths = np.array([tree.level_enjoyment(DAYS) for tree in trees])
    for number, (tree, worth) in enumerate(zip(trees, worths, strict=True), start=first_tree):
        log = guided(tree, number)
        dice = np.random.default_rng(number).permutation(len(worth))
        own, guess = most_frequent(log), log_probabilities(log)
        for start, trips, scales in (("dice", dice, (0,)), ("log", own, SCALES)):
            for first, scale in product(FIRST, scales):
                best = tried(worth, trips[:first], scale * guess)
                found.setdefault(f"{start}: {first} {scale}", []).append(best)
    return {name: float(regret(worths, np.array(best)).mean()) for name, best in found.items()}


def tried(worth: np.ndarray, begin: np.ndarray, expected: np.ndarray) -> float:
    """The worth of the best trip after thirty tries, of the trips' worths (729,)."""
    trips, alike = begin.tolist(), similarities()
    while len(trips) < TRIES:
        near = alike[:, trips]
        weights = near @ np.linalg.inv(near[trips] + RIDGE * np.eye(len(trips)))
        surprise = worth[trips] - expected[trips]
        rated = expected + weights @ (surprise - surprise.mean())
        rated[trips] = -np.inf
        trips.append(int(rated.argmax()))
    return float(worth[trips].max())


@cache
def similarities() -> np.ndarray:
    """Days with the same action, plus nodes that both pass: (729, 729)."""
    tree = TravelTree()
    nodes = tree.ways(DAYS)[:, 1:]  # (729, 6)
    choices = (nodes - 1) % 3 + 3 * np.arange(DAYS)
    passed, chosen = np.eye(tree.n_states)[nodes].sum(1), np.eye(3 * DAYS)[choices].sum(1)
    return passed @ passed.T + chosen @ chosen.T


def guided(tree: TravelTree, seed: int) -> Trajectories:
    """A log of a guide, who is greedy by worth and rolls dice on three mornings in ten."""
    value = np.concatenate([tree.level_enjoyment(day) for day in range(DAYS + 1)])
    favorites = value[1:].reshape(-1, 3).argmax(axis=1)
    guide = np.full((tree.n_states, 3), 1 / 3)
    guide[: tree.first_leaf] = 0.7 * np.eye(3)[favorites] + 0.1
    return collect(tree, guide, TRIPS, seed)


def most_frequent(log: Trajectories) -> np.ndarray:
    """The log's different trips, as leaves, the most frequent first."""
    tree = TravelTree()
    count = np.bincount(log.states[:, -1] - tree.first_leaf, minlength=tree.n_leaves)
    return np.argsort(-count, kind="stable")[: (count > 0).sum()]


def log_probabilities(log: Trajectories) -> np.ndarray:
    """Of each trip, by the log's counts, which begin with a third for each choice: (729,)."""
    tree = TravelTree()
    counts = np.full((tree.first_leaf, 3), 1 / 3)
    np.add.at(counts, (log.states[:, :-1], log.actions), 1)
    return np.log(trip_probabilities(tree, counts / counts.sum(axis=1, keepdims=True)))
