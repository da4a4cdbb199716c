"""Chapter 11: thirty comparisons, a form of points for each night, and a leash of any length.

Twenty times with each seed, points for the nights in each city are fitted to thirty comparisons of
the clone's trips. The optimum for these points is exact at each price. Two forms differ in one
thing: whether a third night in a city goes on to earn points."""

import numpy as np
import torch
from scipy.optimize import minimize

from evidence.tables.feedback_leash import STARS_A_UNIT, Clone, cloned
from seqdec_lib.feedback import agreement, compare, kl_divergence
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("every night counts", "at most two nights count")
AGREEMENT = 0.5  # the clone was trained by floating-point sums, whose order may change
ASKED, FORMS, FRESH = 30, 20, 20_000
PRICES = np.geomspace(20, 0.05, 30)


def run(case: str, seed: int) -> dict[str, float]:
    """Means over the forms at each price, and how often they are right about the clone's trips."""
    clone = cloned(seed)
    form = nights(clone.tree, most=6 if case == CASES[0] else 2)
    fresh = compare(clone.trips, clone.pairs(FRESH, seed), clone.reward, seed)
    found = [measured(clone, form, fresh, number, seed) for number in range(FORMS)]
    curves = np.array([along(clone, points) for points, _ in found])  # (forms, 4, prices)
    names = ("true", "learned", "kl", "third nights")
    numbers = {
        f"{name} {i}": curves[:, row, i].mean()
        for row, name in enumerate(names)
        for i in range(len(PRICES))
    }
    numbers["accuracy"] = np.mean([right for _, right in found])
    numbers["ceiling"] = agreement(torch.tensor(clone.reward), fresh)
    drops = curves[:, 0].max(axis=1) - curves[:, 0, -1]
    return numbers | {"drop": drops.mean(), "fallen": (drops > 1).sum()}


def nights(tree: TravelTree, most: int) -> np.ndarray:
    """How many nights each trip has in each city, at most so many: (729, 24)."""
    city = tree.trips_at(np.arange(tree.n_states)).city[tree.ways(tree.horizon)[:, 1:]]
    return np.minimum(np.eye(24)[city].sum(axis=1), most)


def points(form: np.ndarray, better: np.ndarray, worse: np.ndarray) -> np.ndarray:
    """What the likeliest points say of all trips; a normal prior keeps them near one unit."""
    apart = form[better] - form[worse]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = apart @ weights
        slope = weights - apart.T @ (1 / (1 + np.exp(margin)))
        return np.logaddexp(0, -margin).sum() + weights @ weights / 2, slope

    return form @ minimize(loss, np.zeros(form.shape[1]), jac=True).x


def measured(clone: Clone, form: np.ndarray, fresh, number: int, seed: int):  # noqa: ANN001, ANN201
    pairs = np.random.default_rng([seed, number]).choice(729, (ASKED, 2), p=clone.chances)
    told = compare(clone.trips, pairs, clone.reward, seed=1000 * seed + number)
    said = points(form, told.preferred.numpy(), told.rejected.numpy())
    return said, agreement(torch.tensor(said), fresh)


def along(clone: Clone, said: np.ndarray) -> np.ndarray:
    """Stars, learned stars above the clone's mean, divergence and third nights, price by price."""
    beyond = (nights(clone.tree, 6) - nights(clone.tree, 2)).sum(axis=1)
    optima = np.array([clone.optimum(said, price) for price in PRICES])
    apart = [kl_divergence(optimum, clone.chances) for optimum in optima]
    learned = STARS_A_UNIT * (optima - clone.chances) @ said
    return np.array([STARS_A_UNIT * optima @ clone.reward, learned, apart, optima @ beyond])
