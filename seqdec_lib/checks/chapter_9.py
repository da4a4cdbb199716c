"""The exercises of chapter 9, *A language model is a sequential decision maker*."""

from __future__ import annotations

import math

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _joined(tokens: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    while tokens:
        found = tuple(tokens[:2]) == pair
        joined.append("".join(tokens[: 1 + found]))
        tokens = tokens[1 + found :]
    return joined


def _cut(text: str, merges: list[tuple[str, str]]) -> list[str]:
    tokens = list(text)
    for pair in merges:
        tokens = _joined(tokens, pair)
    return tokens


def _merges(rng: np.random.Generator, size: int) -> tuple[str, list[tuple[str, str]]]:
    """A text, and pairs that were learned on another one, some of them made of earlier ones."""
    learned_on, text = ("".join(rng.choice(list("aab "), 3 * size + 3)) for _ in range(2))
    tokens, merges = list(learned_on), []
    for _ in range(size):
        pairs = list(zip(tokens, tokens[1:], strict=False))
        if pairs:
            merges.append(max(pairs, key=pairs.count))
            tokens = _joined(tokens, merges[-1])
    return text, merges


def _text(rng: np.random.Generator, size: int) -> tuple[list[int], int]:
    prompt = int(rng.integers(1, size + 1))
    return rng.integers(1, 50, prompt + size).tolist(), prompt


def _nucleus(probabilities: list[float], top_p: float) -> list[float]:
    ranked = sorted(range(len(probabilities)), key=lambda i: -probabilities[i])
    kept: list[int] = []
    while sum(probabilities[i] for i in kept) < top_p:
        kept.append(ranked[len(kept)])
    total = sum(probabilities[i] for i in kept)
    return [p / total if i in kept else 0.0 for i, p in enumerate(probabilities)]


def _distinct(rng: np.random.Generator, size: int) -> list[float]:
    """Probabilities without ties."""
    weights = rng.permutation(size + 1) + 1
    return (weights / weights.sum()).tolist()


def _answers(rng: np.random.Generator, size: int) -> tuple[list[float], list[float], float]:
    """Probabilities of right and wrong answers; some lie on the threshold."""
    right, wrong = (rng.integers(1, 16, n) / 16 for n in (size + 1, size))
    return right.tolist(), wrong.tolist(), float(rng.choice([*right, *wrong, 0.3]))


EXERCISES = {
    "perplexity": Exercise(
        answer=lambda probabilities: math.prod(probabilities) ** (-1 / len(probabilities)),
        draw=lambda rng, size: ((rng.integers(1, 9, size) / 8).tolist(),),
        hint="a model that gives each token 1/4 hesitates between how many?",
    ),
    "cut_by": Exercise(
        answer=_cut,
        draw=_merges,
        hint="take the pairs in their order. For each, go through the text from the left, and "
        "after a joined pair go on behind it.",
    ),
    "masked_targets": Exercise(
        answer=lambda ids, prompt: [
            after if place + 1 >= prompt else -100 for place, after in enumerate(ids[1:])
        ],
        draw=_text,
        hint="at each place the target is the token that comes next, and the first that counts is "
        "the first token of the answer.",
    ),
    "nucleus": Exercise(
        answer=_nucleus,
        draw=lambda rng, size: (_distinct(rng, size), float(rng.choice([0.31, 0.57, 0.83]))),
        hint="sort, add up from the likeliest on, and stop as soon as it is enough. The token that "
        "makes it enough belongs to it.",
    ),
    "still_given": Exercise(
        answer=lambda right, wrong, threshold: (
            sum(p >= threshold for p in right) / len(right),
            sum(p >= threshold for p in wrong) / len(wrong),
        ),
        draw=_answers,
        hint="an answer whose probability equals the threshold is given.",
    ),
}
