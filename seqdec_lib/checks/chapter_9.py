"""The exercises of chapter 9, *A language model is a sequential decision maker*."""

from __future__ import annotations

import math

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _rows(rng: np.random.Generator, size: int) -> tuple[list, list, int]:
    lengths = rng.integers(1, size + 1, 2)
    tokens = np.where(np.arange(size) < lengths[:, None], rng.integers(1, 5, (2, size)), 0)
    return (-rng.integers(1, 9, (2, size)) / 4).tolist(), tokens.tolist(), 0


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


EXERCISES = {
    "perplexity": Exercise(
        answer=lambda probabilities: math.prod(probabilities) ** (-1 / len(probabilities)),
        draw=lambda rng, size: ((rng.integers(1, 9, size) / 8).tolist(),),
        hint="a model that gives each token 1/4 hesitates between how many?",
    ),
    "token_loss": Exercise(
        answer=lambda log_p, tokens, pad: (
            -sum(
                p
                for row, ids in zip(log_p, tokens, strict=True)
                for p, i in zip(row, ids, strict=True)
                if i != pad
            )
            / sum(i != pad for ids in tokens for i in ids)
        ),
        draw=_rows,
        hint="leave the padding out of the sum, and out of what the sum is divided by.",
    ),
    "takes_eun": Exercise(
        answer=lambda code_point: int((code_point - ord("가")) % 28 > 0),
        draw=lambda rng, size: (int(rng.integers(ord("가"), ord("힣") + 1)),),
        hint="which part of the number says whether there is a final consonant?",
    ),
    "nucleus": Exercise(
        answer=_nucleus,
        draw=lambda rng, size: (_distinct(rng, size), float(rng.choice([0.31, 0.57, 0.83]))),
        hint="sort, add up from the likeliest on, and stop as soon as it is enough. The token that "
        "makes it enough belongs to it.",
    ),
    "entropy_bits": Exercise(
        answer=lambda shares: sum(p * math.log2(1 / p) for p in shares),
        draw=lambda rng, size: (_distinct(rng, size),),
        hint="an answer of probability p surprises by log2(1/p) bits. How often does it come?",
    ),
}
