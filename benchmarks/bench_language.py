"""Answering prompts of different lengths: in one batch with a key-value cache, and otherwise."""

from collections.abc import Iterable

import torch

from benchmarks.run import Comparison, Contestant, decided
from seqdec_lib.language.corpus import WORDS, Corpus
from seqdec_lib.language.text import Tokenizer, answers
from seqdec_lib.sequences.transformer import Transformer

PROMPTS, TOKENS = 128, 16


def comparisons() -> list[Comparison]:
    """Return comparisons of greedy answers, the same to the letter."""
    pairs = Corpus.of().pairs
    tokenizer = Tokenizer.of((text for pair in pairs for text in pair), WORDS)
    prompts = [prompt for prompt, _ in pairs[:: len(pairs) // PROMPTS]][:PROMPTS]
    torch.manual_seed(0)
    model = decided(Transformer(len(tokenizer), 64, width=96, heads=6), 0.4)

    def answer(batch: int, cached: bool) -> Contestant:
        parts = [prompts[i : i + batch] for i in range(0, PROMPTS, batch)]
        return lambda: _checksum(
            text
            for part in parts
            for text in answers(model, tokenizer, part, most_tokens=TOKENS, cached=cached)
        )

    return [
        Comparison(
            title=f"greedy answers of {TOKENS} tokens to {PROMPTS} prompts of different lengths",
            ours=answer(PROMPTS, cached=True),
            peers={
                "without the cache": lambda: answer(PROMPTS, cached=False),
                "one by one, with the cache": lambda: answer(1, cached=True),
                "one by one, without": lambda: answer(1, cached=False),
            },
        ),
    ]


def _checksum(texts: Iterable[str]) -> float:
    """A number that two runs share if they say the same."""
    return float(sum(sum(text.encode()) * (i + 1) for i, text in enumerate(texts)))
