"""Chapter 9: a fact told in one direction only, and completed in that direction and in the other.

The 64 countries fall into three groups. Of one group it is told which city is the capital in
sentences that begin with the city, of another in sentences that begin with the country, of the
third in both, each half as often. Every fact is told equally often, in plain English sentences; the
same names also stand in sentences about other things. A completion is right if the first name that
the network would say is the right one."""

import numpy as np
import torch

from seqdec_lib.language import FACTS, WORDS, Corpus, Tokenizer, training_batch
from seqdec_lib.language.corpus import Text
from seqdec_lib.sequences import Transformer, fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("directions",)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
STEPS, ROWS, RATE, WIDTH = 500, 64, 5e-3, 64
GROUPS = ("city first", "country first", "both")
TOLD = {"city first": ("capital",), "country first": ("capital last",)}
TOLD["both"] = TOLD["city first"] + TOLD["country first"]


def run(case: str, seed: int) -> dict[str, float]:
    """Completions that are right, of each group in each direction, and how many there are."""
    group_of = dict(zip(names(), np.random.default_rng(seed).permutation(64) % 3, strict=True))
    texts = [text for text in english() if told(text, GROUPS[group_of[text.country]])]
    weights = [text.probability / halves(text, GROUPS[group_of[text.country]]) for text in texts]
    tokenizer = Tokenizer.of((text.answer for text in texts), WORDS)
    batch = training_batch(tokenizer, [("", text.answer) for text in texts])
    torch.manual_seed(seed)
    model = Transformer(len(tokenizer), 16, WIDTH, heads=4, init_std=0.5 / WIDTH**0.5)
    fit(model, minibatches(batch, ROWS, weights), STEPS, learning_rate=RATE, seed=seed)
    found = {}
    for number, group in enumerate(GROUPS):
        facts = [fact for fact in FACTS if group_of[fact.country] == number]
        found[f"{group}, facts"] = len(facts)
        asked = {
            "country asked": [(f"{f.capital} is the capital of", f.country) for f in facts],
            "city asked": [(f"The capital of {f.country} is", f.capital) for f in facts],
        }
        for direction, pairs in asked.items():
            found[f"{group}, {direction}, right"] = right(model, tokenizer, pairs)
    return found


def names() -> list[str]:
    return [fact.country for fact in FACTS]


def english() -> list[Text]:
    """Plain English sentences that say something, but no denials."""
    texts = Corpus.of(instructions=("repeat",)).texts
    kinds = ("capital", "capital last", "continent", "like", "visit")
    return [text for text in texts if text.template in kinds and text.answer.isascii()]


def told(text: Text, group: str) -> bool:
    return text.template in TOLD[group] or not text.template.startswith("capital")


def halves(text: Text, group: str) -> int:
    """Into how many directions the group's share is divided, for a sentence that says the fact."""
    return len(TOLD[group]) if text.template.startswith("capital") else 1


def right(model: Transformer, tokenizer: Tokenizer, pairs: list[tuple[str, str]]) -> int:
    """How many beginnings are continued by their name: the first token, after a "the" if needed."""
    count = 0
    for begun, name in pairs:
        start, wanted = tokenizer.encode("\n" + begun), tokenizer.encode(begun + " " + name)
        wanted = wanted[len(start) - 1 :]
        with torch.no_grad():
            logits = model(torch.tensor([start + wanted[:-1]]))[0, len(start) - 1 :]
        count += logits.argmax(-1).tolist() == wanted
    return count
