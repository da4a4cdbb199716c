"""Laws of a causal model that reads trips: whatever its design, with whatever weights.

A model is a function of a flat vector of weights, so the law chooses them: they lie near those that
the model begins with, and nobody has seen them before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.country import ACTIONS, CITIES, DAYS, LEVELS, NOT_LEARNED, surprise
from seqdec_lib.checks.laws import demand, numbers
from seqdec_lib.checks.plain import plain

NOISE, FELT = 1e-4, 1e-3  # shares of the logits' spread: what is rounding, and what is an effect
PARTS, LINES = 6, 3
STEP = 3e-5  # of each weight that moves
ALIKE, FLAT = 0.04, 0.1  # how far slopes may differ, as a share; what is flat is rounding
KINDS = ((0, LEVELS), (LEVELS, CITIES), (LEVELS + CITIES, ACTIONS))  # first id and number
_ORDER = ("first", "second", "third", "fourth", "fifth", "last")
LARGEST = 200_000  # weights


@dataclass
class Asked:
    """A model with given weights, and what it said about some trips."""

    weights: np.ndarray
    tokens: np.ndarray
    logits: np.ndarray
    model_logits: Callable
    rng: np.random.Generator

    def say(self, tokens: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Logits (B, T, ACTIONS) of tokens (B, T)."""
        weights = self.weights if weights is None else weights
        came = self.model_logits(weights, tokens)
        return numbers("model_logits", came, (*tokens.shape, ACTIONS))

    def apart(self, logits: np.ndarray, others: np.ndarray) -> np.ndarray:
        """By how much two answers differ at each place, in shares of the logits' spread."""
        return np.abs(logits - others).max(axis=-1) / max(self.logits.std(), 1e-12)


def ask(rng: np.random.Generator, initial_weights: Callable, model_logits: Callable) -> Asked:
    """Ask a model whose weights are near those that it begins with, but nobody's."""
    weights, tokens = random_weights(rng, initial_weights), random_tokens(rng, 4)
    asked = Asked(weights, tokens, np.ones(1), model_logits, rng)
    asked.logits = asked.say(tokens)
    demand(asked.logits.std() > 0, "model_logits: all that came is the same number.")
    return asked


def random_weights(rng: np.random.Generator, initial_weights: Callable) -> np.ndarray:
    """Weights near those that a model begins with."""
    found = numbers("initial_weights", initial_weights(int(rng.integers(1000))))
    demand(found.ndim == 1, f"initial_weights should be one row of numbers; {found.shape} came.")
    demand(found.size <= LARGEST, f"{found.size} weights came; keep to {LARGEST}.")
    return found + 0.1 * rng.normal(size=found.shape)


def random_tokens(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Trips that nobody made: a level, a city and an action for each day, (rows, PLACES)."""
    tokens = [first + rng.integers(size, size=(rows, DAYS)) for first, size in KINDS]
    return np.stack(tokens, axis=2).reshape(rows, -1)


def later_changes_nothing(asked: Asked) -> str:
    """The law of causality."""
    for place in asked.rng.permutation(np.arange(1, asked.tokens.shape[1]))[:4]:
        moved = asked.apart(asked.say(_changed(asked, place)), asked.logits)[:, :place]
        where = int(moved.max(axis=0).argmax())
        demand(
            moved.max() < NOISE,
            f"another token at place {place} changes the logits at place {where}, before it.",
        )
    return "other tokens at four places: nothing before them moved."


def earlier_counts(asked: Asked) -> str:
    """The law that all of the past is read."""
    for place in (0, 1, 5):
        moved = asked.apart(asked.say(_changed(asked, place)), asked.logits)[:, place:]
        dead = int(moved.max(axis=0).argmin())
        demand(
            moved.max(axis=0).min() > FELT,
            f"another token at place {place} changes nothing at place {place + dead}.",
        )
    return "other tokens at places 0, 1 and 5: all that stands behind them moved."


def order_counts(asked: Asked) -> str:
    """The law that a trip is no bag of tokens."""
    tokens = asked.tokens.copy()
    tokens[:, 4] = LEVELS + (tokens[:, 1] - LEVELS + 1) % CITIES
    swapped = tokens.copy()
    swapped[:, [1, 4]] = tokens[:, [4, 1]]
    moved = asked.apart(asked.say(tokens), asked.say(swapped))[:, -1]
    demand(moved.max() > FELT, "two cities in the other order change nothing at the last place.")
    return "two cities in the other order: the last place moved."


def alone_is_the_same(asked: Asked) -> str:
    """The law that rows don't mix, and that a beginning is complete in itself."""
    for row, upto in ((0, 5), (1, 12), (2, 2)):
        alone = asked.say(asked.tokens[[row], :upto])
        moved = asked.apart(alone, asked.logits[[row], :upto])
        demand(
            moved.max() < NOISE,
            f"the first {upto} tokens of a trip say something else alone than in a batch.",
        )
    return "three beginnings, asked alone: the same logits."


def _changed(asked: Asked, place: int) -> np.ndarray:
    """The tokens with another one of the same kind at a place."""
    first, size = KINDS[place % len(KINDS)]
    tokens = asked.tokens.copy()
    step = asked.rng.integers(1, size, size=len(tokens))
    tokens[:, place] = first + (tokens[:, place] - first + step) % size
    return tokens


# -- the gradient, against finite differences of the loss


@dataclass
class Slopes:
    """The slope of the loss along lines that move a part of the weights, (PARTS, LINES).

    By finite differences, and by the gradient, whose length in each part is in `lengths`.
    """

    by_differences: np.ndarray
    by_gradient: np.ndarray
    lengths: np.ndarray


def slopes(
    rng: np.random.Generator,
    initial_weights: Callable,
    model_logits: Callable,
    model_gradient: Callable,
) -> Slopes:
    """Move the weights of each part a little, along lines that nobody chose."""
    asked = ask(rng, initial_weights, model_logits)
    targets = rng.integers(ACTIONS, size=asked.tokens.shape)
    targets[rng.random(targets.shape) < 0.4] = NOT_LEARNED
    came = model_gradient(asked.weights, asked.tokens, targets)
    gradient = numbers("model_gradient", came, asked.weights.shape)
    parts = np.array_split(np.arange(gradient.size), PARTS)

    def loss(weights: np.ndarray) -> float:
        return surprise(asked.say(asked.tokens, weights), targets)

    by_differences, by_gradient = np.zeros((2, PARTS, LINES))
    for i, part in enumerate(parts):
        for j in range(LINES):
            line = np.zeros(gradient.size)
            line[part] = rng.choice([-1.0, 1.0], size=len(part))
            ahead, behind = (loss(asked.weights + way * line) for way in (STEP, -STEP))
            by_differences[i, j], by_gradient[i, j] = (ahead - behind) / (2 * STEP), line @ gradient
    lengths = np.array([np.linalg.norm(gradient[part]) for part in parts])
    return Slopes(by_differences, by_gradient, lengths)


def gradient_is_the_slope(found: Slopes) -> str:
    """The law of finite differences."""
    steep = np.sqrt((found.by_differences**2).mean(axis=1)).clip(min=found.lengths)[:, None]
    off = np.abs(found.by_differences - found.by_gradient) / (steep + FLAT)
    worst = np.unravel_index(off.argmax(), off.shape)
    both = (
        f"{found.by_differences[worst]:.3f} by differences, "
        f"{found.by_gradient[worst]:.3f} by gradient"
    )
    demand(off.max() < ALIKE, f"where the {_ORDER[worst[0]]} sixth of the weights moves: {both}.")
    return f"along {off.size} lines the slopes agree; where they do least: {both}."


# -- the memory


@dataclass
class Remembered:
    """What a model says that reads one token at a time."""

    asked: Asked
    logits: np.ndarray
    other: np.ndarray
    mixed: np.ndarray


def remember(
    rng: np.random.Generator, initial_weights: Callable, model_logits: Callable, read_one: Callable
) -> Remembered:
    """Read token by token; the last one once more, by a model with other weights."""
    asked, memory, rows = ask(rng, initial_weights, model_logits), None, []
    other = random_weights(rng, initial_weights)
    for place, token in enumerate(asked.tokens.T):
        if place == asked.tokens.shape[1] - 1:
            mixed = _one(read_one, other, memory, token)[0]
        logits, memory = _one(read_one, asked.weights, memory, token)
        rows.append(logits)
    return Remembered(asked, np.stack(rows, axis=1), other, mixed)


def one_by_one_is_all_at_once(found: Remembered) -> str:
    """The law that a cache changes nothing."""
    off = found.asked.apart(found.logits, found.asked.logits).max(axis=0)
    place = int(np.argmax(off > NOISE))
    demand(off.max() < NOISE, f"one token at a time, the logits differ from place {place} on.")
    return f"{len(off)} tokens, one at a time: the same logits."


def the_past_is_not_read_again(found: Remembered) -> str:
    """The law that a memory holds what was made of the past, and not the past."""
    one_by_one_is_all_at_once(found)  # or there is no memory at all
    again = found.asked.say(found.asked.tokens, found.other)[:, -1]
    moved = found.asked.apart(found.mixed, again).max()
    demand(moved > FELT, "other weights at the last token: all the past was read again with them.")
    return "other weights at the last token: the past is as the first ones made it."


def _one(
    read_one: Callable, weights: np.ndarray, memory: object, token: np.ndarray
) -> tuple[np.ndarray, object]:
    came = plain(read_one(weights, memory, token))
    demand(isinstance(came, list) and len(came) == 2, "read_one should return (logits, memory).")
    return numbers("read_one's logits", came[0], (len(token), ACTIONS)), came[1]
