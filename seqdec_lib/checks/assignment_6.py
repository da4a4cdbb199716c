"""The problems of assignment 6, *Build it and train it*: one right answer, or laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.country import (
    ACTIONS,
    Country,
    Shares,
    shares_of,
    surprise,
)
from seqdec_lib.checks.laws import Law, Laws, demand, numbers
from seqdec_lib.checks.model_laws import (
    alone_is_the_same,
    ask,
    earlier_counts,
    gradient_is_the_slope,
    later_changes_nothing,
    one_by_one_is_all_at_once,
    order_counts,
    remember,
    slopes,
    the_past_is_not_read_again,
)
from seqdec_lib.checks.plain import plain
from seqdec_lib.checks.recorded import recorded

SINGLE = 3e-5  # what single precision may do to an answer

EXERCISES = recorded(
    "assignment_6",
    {
        "many_heads": "each head has its own columns of the queries, the keys and the values, and "
        "its own softmax over itself and what came before; the root is that of a head's width.",
        "one_block": "the norm is taken of what goes into a part, and what comes out is added to "
        "what stood there before the norm. Each row of numbers has a mean and a spread of its own.",
        "slope_of_loss": "move one logit of a place that counts by a little: by how much does the "
        "mean over all that count change? A place that doesn't count changes nothing.",
        "encode": "what is still to come on a day begins with that day's own reward. Three tokens "
        "a day, each kind with ids of its own, and only after a city something is predicted.",
        "wish_tokens": "on the first morning the whole wish is still to come; each day that was "
        "paid takes its reward from it. Today's action is not known yet.",
        "choose": "divide by the temperature before the softmax. Lay the probabilities end to end: "
        "on which of them does u fall?",
    },
    dict.fromkeys(("many_heads", "one_block", "slope_of_loss"), SINGLE),
)
POINTS = {
    "many_heads": 3,
    "one_block": 3,
    "slope_of_loss": 3,
    "encode": 3,
    "wish_tokens": 2,
    "choose": 2,
}


# -- what training achieves


@dataclass
class Trained:
    """What a trained model says about every trip, beside what is exact."""

    loss: float
    floor: float
    regret: float
    exact_regret: float

    @property
    def learned(self) -> float:
        """The share of the way from a die's loss to the floor."""
        nothing = np.log(ACTIONS)
        return float((nothing - self.loss) / (nothing - self.floor))


def put_to_the_test(
    rng: np.random.Generator,
    train: Callable,
    initial_weights: Callable,
    model_logits: Callable,
    encode: Callable,
    wish_tokens: Callable,
) -> Trained:
    """Train on trips through a new country, and look at all trips there are."""
    country, seed = Country(int(rng.integers(10**6))), int(rng.integers(1000))
    tokens, targets = map(_whole, encode(*country.logbook, country.edges))
    every, wanted = map(_whole, encode(*country.every_trip, country.edges))
    shares = Shares(every, wanted)
    weights = numbers("train", train(tokens, targets, seed))
    untrained = numbers("initial_weights", initial_weights(seed), weights.shape)

    def loss(weights: np.ndarray) -> float:
        came = numbers("model_logits", model_logits(weights, every), (*every.shape, ACTIONS))
        return surprise(came, wanted)

    def asked(cities: np.ndarray, actions: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        return _whole(wish_tokens(country.best, country.edges, cities, actions, rewards))

    def says(*morning: np.ndarray) -> np.ndarray:
        return shares_of(numbers("model_logits", model_logits(weights, asked(*morning)))[:, -1])

    def exact(*morning: np.ndarray) -> np.ndarray:
        return np.array([shares(tuple(row)) for row in asked(*morning).tolist()])

    found = Trained(loss(weights), shares.floor, country.regret(says), country.regret(exact))
    demand(
        found.loss > found.floor - 1e-6,
        f"a loss of {found.loss:.3f} is below the floor of {found.floor:.3f}: the model sees what "
        "it is to predict.",
    )
    before = loss(untrained)
    demand(
        before > (np.log(ACTIONS) + found.floor) / 2,
        f"with the weights it begins with the loss is {before:.3f} already: is it the weights that "
        "know?",
    )
    return found


def _whole(value: object) -> np.ndarray:
    return np.asarray(plain(value)).astype(int)


def _learned(least: float) -> Callable[[Trained], str]:
    def seen(found: Trained) -> str:
        text = (
            f"loss {found.loss:.3f}; floor {found.floor:.3f}, a die {np.log(ACTIONS):.3f}: "
            f"{found.learned:.0%} of the way."
        )
        demand(found.learned >= least, text)
        return text

    return seen


def _regret(most: float) -> Callable[[Trained], str]:
    def seen(found: Trained) -> str:
        text = f"regret {found.regret:.3f}; exact shares {found.exact_regret:.3f}, a die 1."
        demand(found.regret <= most, text)
        return text

    return seen


LAWS = {
    "model": Laws(
        ask,
        (
            Law("what comes later changes nothing before it", 2, later_changes_nothing),
            Law("all that came before counts", 1, earlier_counts),
            Law("the order counts", 1, order_counts),
            Law("a trip alone is the same as in a batch", 1, alone_is_the_same),
        ),
    ),
    "gradient": Laws(
        slopes, (Law("the gradient is the slope of the loss", 2, gradient_is_the_slope),)
    ),
    "memory": Laws(
        remember,
        (
            Law("one token at a time is the same as all at once", 3, one_by_one_is_all_at_once),
            Law("the past is not read again", 1, the_past_is_not_read_again),
        ),
    ),
    "train": Laws(
        put_to_the_test,
        (
            Law("half of what can be known is learned", 2, _learned(0.5)),
            Law("four fifths of it", 2, _learned(0.8)),
            Law("nine tenths of it", 1, _learned(0.9)),
            Law("asked for the best trip: at most half of a die's regret", 1, _regret(0.5)),
            Law("asked for the best trip: at most a fifth of it", 2, _regret(0.2)),
        ),
    ),
}
ORDER = (
    *("many_heads", "one_block", "model", "slope_of_loss", "gradient", "memory"),
    *("encode", "wish_tokens", "train", "choose"),
)
