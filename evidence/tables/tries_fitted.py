"""Chapter 12: thirty tries by a traveler that fits what trips are worth, with or without a log.

The first tries are random trips ("dice") or the log's most frequent ones ("log"). Then ridge
regression rates all trips after each try, and the highest-rated new one is next. With "prices" the
traveler knows what worth is made of, and fits the stars of the cities; with "moves" it only knows
the moves of a trip and the cities slept in, once or again. A rating may be hopeful: the mean
of a Gaussian process plus its standard deviation. How many tries come first, the ridge and whether
there is hope, "settings" compares on trees with seeds 100 to 119. The other cases measure every
setting on the book's tree and on those with seeds 30 to 59; the chapter shows the one that
"settings" prefers."""

from functools import cache
from itertools import product

import numpy as np

from seqdec_lib.experience import collect
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("settings", "our tree", "thirty others")
AGREEMENT = 0.05
TREES = {"settings": range(100, 120), "our tree": range(1), "thirty others": range(30, 60)}
DRAWS = {"settings": 4, "our tree": 30, "thirty others": 3}  # of the dice; a seed has one log
TRIES, DAYS, CITIES, TRIPS = 30, 6, 24, 300
FIRST, RIDGE, HOPE = (5, 10, 15), (0.1, 1), ("sober", "hopeful")
EXPECTED = 5.5  # stars of a city, from one to ten


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regret of the best of thirty tries, for each start, knowledge and setting."""
    rng, regrets = np.random.default_rng([seed, CASES.index(case)]), {}
    for number in TREES[case]:
        tree = TravelTree(seed=number)
        worth = tree.level_enjoyment(DAYS)
        frequent = most_frequent(tree, number + 1000 * seed)
        dice = [rng.permutation(len(worth)) for _ in range(DRAWS[case])]
        starts = {"dice": dice, "log": [frequent]}
        knowledge = ("prices", "moves")
        for start, known, *setting in product(starts, knowledge, FIRST, RIDGE, HOPE):
            best = [tried(worth, trips, known, *setting) for trips in starts[start]]
            left = (worth.max() - np.mean(best)) / (worth.max() - worth.mean())
            first, ridge, hope = setting
            name = f"{start}, {known}, {first} first, ridge {ridge}, {hope}"
            regrets.setdefault(name, []).append(left)
    return {setting: float(np.mean(left)) for setting, left in regrets.items()}


def tried(
    worth: np.ndarray, begin: np.ndarray, known: str, first: int, ridge: float, hope: str
) -> float:
    """The worth of the best trip after thirty tries, of the trips' worths (729,)."""
    alike, expected = features(known)
    trips = begin[:first].tolist()
    while len(trips) < TRIES:
        surprise = worth[trips] - expected[trips]
        surprise = surprise - (surprise.mean() if known == "moves" else 0)
        near = alike[:, trips]
        inverse = np.linalg.inv(near[trips] + ridge * np.eye(len(trips)))
        rated = expected + near @ (inverse @ surprise)
        if hope == "hopeful":
            left = np.diag(alike) - ((near @ inverse) * near).sum(axis=1)
            rated = rated + np.sqrt(np.maximum(left, 0))
        rated[trips] = -np.inf
        trips.append(int(rated.argmax()))
    return float(worth[trips].max())


@cache
def features(known: str) -> tuple[np.ndarray, np.ndarray]:
    """Inner products of the features (729, 729), and what is expected of each trip (729,)."""
    tree = TravelTree()
    city = tree.trips_at(np.arange(tree.n_states)).city.astype(int)
    routes = city[tree.ways(DAYS)]  # (729, 7): home, then each night
    nights = np.eye(CITIES)[routes[:, 1:]].sum(axis=1)
    if known == "prices":  # home has no stars
        shares = (np.minimum(nights, 1) + 0.5 * (nights > 1))[:, 1:]
        kilometers = tree.stars_and_km(np.arange(tree.first_leaf, tree.n_states))[1]
        return shares @ shares.T, EXPECTED * shares.sum(axis=1) - (kilometers / 1000) ** 2
    moves = np.eye(CITIES**2)[CITIES * routes[:, :-1] + routes[:, 1:]].sum(axis=1)
    seen = np.hstack([moves, nights > 0, nights > 1])
    return seen @ seen.T, np.zeros(len(routes))


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
