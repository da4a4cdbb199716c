"""Chapter 12: one tree of 3^12 trips and a log of 10,000 random ones.

A Decision Transformer (a return, then cities and actions) reads the log. It is asked for the best
logged return ("best") and for a tenth more ("more"). Greedy, it says one trip. "sampled" is the
mean of 2,000 of its trips, "tried" the best one of them when all are tried out.

Rivals with the same log: the best logged trip; the best of 2,000 more random trips; and 2,000 small
changes of the best logged trip, one after the other: one or two days get another action, and what
is no worse is kept."""

import warnings
from functools import cached_property

import numpy as np
import torch

from seqdec_lib.experience import collect, regret
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import SequencePolicy, TokenLayout, Transformer, fit, minibatches
from seqdec_lib.sequences.layout import TokenVectors

SEEDS = (0, 1, 2, 3, 4)
CASES = ("3^12",)
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
DAYS, TRIPS, TRIES = 12, 10_000, 2000
WIDTH, BATCH, STEPS, RATE = 64, 64, 2000, 3e-3


class TreeOfCities(TravelTree):
    """The tree, of which a traveler sees only the city of the day: a node has too many names."""

    @property
    def n_observations(self) -> int:
        return len(self.stars)

    @cached_property
    def _cities(self) -> np.ndarray:
        return self.trips_at(np.arange(self.n_states)).city.astype(np.int64)

    def observe(self, states: np.ndarray) -> np.ndarray:
        return self._cities[states]


def run(case: str, seed: int) -> dict[str, float]:
    """Regrets on the book's tree, made longer."""
    tree = TreeOfCities(horizon=DAYS)
    ends = (tree.optimal_return(), tree.random_return())
    log = collect(tree, None, TRIPS, seed)
    returns = log.returns()
    best = int(returns.argmax())
    found = {
        "best logged": regret(returns[best], *ends),
        "more random": regret(collect(tree, None, TRIES, seed + 1000).returns().max(), *ends),
        "changed": regret(changed(tree, log.actions[best], seed), *ends),
    }
    layout = TokenLayout.of(tree, log, goal="return")
    torch.manual_seed(seed)
    sizes = (layout.vocabulary, layout.max_tokens, WIDTH)
    model = Transformer(*sizes, outputs=layout.n_actions, init_std=0.5 / WIDTH**0.5)
    model.token = TokenVectors(layout.features(), WIDTH)
    result = fit(
        model, minibatches(layout.encode(log), BATCH), STEPS, learning_rate=RATE, seed=seed
    )
    found["loss"] = np.mean(result.losses[-100:])
    for name, wish in (("best", returns[best]), ("more", 1.1 * returns[best])):
        with warnings.catch_warnings(action="ignore"):  # a wish beyond the data
            greedy = SequencePolicy(model, layout, wish, temperature=0.0)
            sampling = SequencePolicy(model, layout, wish)
        trips = collect(tree, sampling, TRIES, seed + 2000).returns()
        found[f"{name}, greedy"] = regret(collect(tree, greedy, 1, 0).returns()[0], *ends)
        found[f"{name}, sampled"] = regret(trips.mean(), *ends)
        found[f"{name}, tried"] = regret(trips.max(), *ends)
    return found


def changed(tree: TravelTree, actions: np.ndarray, seed: int) -> float:
    """The return of a trip (days,) after so many tries to better it by small changes."""
    rng, best = np.random.default_rng(seed), worth(tree, actions)
    for _ in range(TRIES):
        other = actions.copy()
        days = rng.choice(DAYS, size=rng.integers(1, 3), replace=False)
        other[days] = (other[days] + rng.integers(1, tree.branching, size=len(days))) % 3
        if (value := worth(tree, other)) >= best:
            actions, best = other, value
    return best


def worth(tree: TravelTree, actions: np.ndarray) -> float:
    """The enjoyment of one trip."""
    node = 0
    for action in actions:
        node = tree.branching * node + 1 + int(action)
    return float(tree.enjoyment(np.array([node]))[0])
