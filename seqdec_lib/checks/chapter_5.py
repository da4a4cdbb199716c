"""The exercises of chapter 5, *Sequences and the Transformer*."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.exercise import Exercise, softmax


def _causal_heads(queries: list, keys: list, values: list, heads: int) -> list:
    q, k, v = (np.array(rows, dtype=float) for rows in (queries, keys, values))
    answers = []
    for columns in np.split(np.arange(q.shape[1]), heads):
        scores = q[:, columns] @ k[:, columns].T / len(columns) ** 0.5
        rows = [softmax(row[: t + 1]) @ v[: t + 1, columns] for t, row in enumerate(scores)]
        answers.append(np.array(rows))
    return np.hstack(answers).tolist()


@dataclass(frozen=True)
class _RunningMean:
    """Equal attention to oneself and all that came before."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = np.array(x, dtype=float)
        return x.cumsum(axis=0) / np.arange(1, len(x) + 1)[:, None]


@dataclass(frozen=True)
class _Positive:
    """An MLP of one layer: negative numbers become 0."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)


def _block(x: list, attention: _RunningMean, mlp: _Positive) -> list:
    def norm(rows: np.ndarray) -> np.ndarray:
        spread = rows.std(axis=1, keepdims=True)
        return (rows - rows.mean(axis=1, keepdims=True)) / (spread + 1e-6)

    stream = np.array(x, dtype=float)
    stream = stream + attention(norm(stream))
    return (stream + mlp(norm(stream))).tolist()


def _floor_with_memory(rows: list, k: int) -> float:
    alike = Counter((tuple(row[len(row) - 1 - k : -1]), row[-1]) for row in rows)
    known = Counter(tuple(row[len(row) - 1 - k : -1]) for row in rows)
    return sum(n * np.log(known[past] / n) for (past, _), n in alike.items()) / len(rows)


def _whole_numbers(rng: np.random.Generator, *shape: int) -> list:
    return rng.integers(-3, 4, size=shape).tolist()


EXERCISES = {
    "attention_weights": Exercise(
        answer=lambda query, keys: softmax(np.array(keys) @ np.array(query) / len(query) ** 0.5),
        draw=lambda rng, size: (_whole_numbers(rng, size), _whole_numbers(rng, size + 1, size)),
        hint="the weights add up to 1, and d is the number of entries of the query, not the number "
        "of keys.",
    ),
    "causal_heads": Exercise(
        answer=_causal_heads,
        draw=lambda rng, size: (
            *(_whole_numbers(rng, size, 2 * min(size, 2)) for _ in range(3)),
            min(size, 2),
        ),
        hint="each head has its own columns and its own softmax, over itself and what came before; "
        "the root is taken of the number of entries that a head has.",
    ),
    "block": Exercise(
        answer=_block,
        draw=lambda rng, size: (
            (100 * rng.normal(size=(size + 1, size + 2))).round(1).tolist(),
            _RunningMean(),
            _Positive(),
        ),
        hint="change the last row of x alone: which rows of norm(x) move with it?",
        tolerance=1e-6,  # for another small number under the root or beside it
    ),
    "share_on_answer": Exercise(
        answer=lambda weights, days: float(np.mean(np.argmax(weights, axis=1) == days)),
        draw=lambda rng, size: (
            np.array([rng.permutation(size + 1) for _ in range(size)]).tolist(),
            rng.integers(0, size + 1, size).tolist(),
        ),
        hint="the largest weight of each *row*: of each question, over the days.",
    ),
    "floor_with_memory": Exercise(
        answer=_floor_with_memory,
        draw=lambda rng, size: (
            rng.integers(0, 2 + size // 3, size=(2 * size, size + 1)).tolist(),
            int(rng.integers(0, size + 1)),
        ),
        hint="rows that share the k words before the last one form a group: the loss is the mean "
        "of the groups' entropies, each counted with its share of the rows.",
    ),
}
