"""The exercises of chapter 5, *Sequences*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, softmax


def _interleaved(states: list[int], actions: list[int], rewards: list[int]) -> list[int]:
    steps = zip(states[:-1], actions, rewards, strict=True)
    return [token for step in steps for token in step] + states[-1:]


def _cell_after(start: float, forget: list[float], written: list[float]) -> float:
    kept = [np.prod(forget[t + 1 :]) for t in range(len(forget))]
    return float(start * np.prod(forget) + np.dot(kept, written))


def _whole_numbers(rng: np.random.Generator, *shape: int) -> list:
    return rng.integers(-3, 4, size=shape).tolist()


EXERCISES = {
    "interleave": Exercise(
        answer=_interleaved,
        draw=lambda rng, size: (
            rng.integers(0, 50, size + 1).tolist(),
            rng.integers(0, 3, size).tolist(),
            rng.integers(0, 30, size).tolist(),
        ),
        hint="a step contributes a state, an action and a reward; which state belongs to no step?",
    ),
    "cell_after": Exercise(
        answer=_cell_after,
        draw=lambda rng, size: (
            float(rng.integers(-3, 4)),
            rng.choice([0.0, 0.5, 1.0], size).tolist(),
            _whole_numbers(rng, size),
        ),
        hint="follow the line of the LSTM for c_t, step by step: first the old content is "
        "multiplied by the gate, then the new one is added, untouched by this step's gate.",
    ),
    "attention_weights": Exercise(
        answer=lambda query, keys: softmax(np.array(keys) @ np.array(query) / len(query) ** 0.5),
        draw=lambda rng, size: (_whole_numbers(rng, size), _whole_numbers(rng, size + 1, size)),
        hint="the weights add up to 1, and d is the number of entries of the query, not the number "
        "of keys.",
    ),
    "causal_mask": Exercise(
        answer=lambda length: [[int(s <= t) for s in range(length)] for t in range(length)],
        draw=lambda rng, size: (size,),
        hint="print the mask for length 2 and read row 0: the first position sees itself. May it "
        "see the second, which it is to predict?",
    ),
    "cache_numbers": Exercise(
        answer=lambda layers, width, tokens, sequences: 2 * layers * width * tokens * sequences,
        draw=lambda rng, size: (size, 8 * size, *rng.integers(1, 9, 2).tolist()),
        hint="what does a later query need of a token, and in how many layers?",
    ),
    "one_pass_attention": Exercise(
        answer=lambda scores, values: float(softmax(np.array(scores)) @ np.array(values)),
        draw=lambda rng, size: (
            rng.integers(-10, 11, size).tolist()
            if size < 4
            else rng.integers(-1000, 1001, size).tolist(),
            _whole_numbers(rng, size),
        ),
        hint="exp(1000) is infinite. Adding a number to all scores changes no weight: subtract the "
        "largest so far, and correct the sums when a larger one comes.",
    ),
}
