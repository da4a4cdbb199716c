"""Chapter 9: how much of the language model's numbers is luck, and what pretraining adds.

"two stages" is the chapter's model: it reads plain sentences, every token of them, and is then
tuned to instructions with masked prompts. In "tuning only" the second stage is all there is."""

import numpy as np
import torch

from seqdec_lib.language import (
    FACTS,
    INSTRUCTIONS,
    LANGUAGES,
    WORDS,
    Corpus,
    Tokenizer,
    answers,
    sentence,
    training_batch,
    translation,
    withheld_pairs,
)
from seqdec_lib.sequences import IGNORE, Batch, Transformer, fit, log_probabilities, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("two stages", "tuning only")
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
WIDTH, RATE = 96, 5e-3
PRETRAINING, TUNING = (300, 64), (900, 32)  # steps, rows
FACT = {fact.country: fact for fact in FACTS}
Pairs = list[tuple[str, str]]


def run(case: str, seed: int) -> dict[str, float]:
    """Counts of what comes out right, and bits above the entropy."""
    held = withheld_pairs(seed=seed)
    corpus = Corpus.of(withheld=held.all)
    plain = Corpus.of(withheld=held.all, instructions=("repeat",))
    tokenizer = Tokenizer.of((part for pair in corpus.pairs for part in pair), WORDS)
    torch.manual_seed(seed)
    model = Transformer(len(tokenizer), 40, WIDTH, heads=6, init_std=0.5 / WIDTH**0.5)
    sentences = training_batch(tokenizer, [("", text.answer) for text in plain.texts])
    tests, found = translations(held.test), {}
    if case == "two stages":
        steps, rows = PRETRAINING
        draw = minibatches(sentences, rows, plain.probabilities)
        fit(model, draw, steps, learning_rate=RATE, seed=seed)
        found["plain above, before"] = above(model, sentences, plain.probabilities)
        found["tests right, before"] = number_right(model, tokenizer, tests)
    texts, (steps, rows) = training_batch(tokenizer, corpus.pairs), TUNING
    draw = minibatches(texts, rows, corpus.probabilities)
    fit(model, draw, steps, learning_rate=RATE, seed=seed)
    found["plain above, after"] = above(model, sentences, plain.probabilities)
    tokens = corpus.probabilities @ (texts.targets != IGNORE).sum(1).numpy()
    found["above entropy"] = above(model, texts, corpus.probabilities, corpus.answer_bits) / tokens
    found["tests right"], found["tests"] = number_right(model, tokenizer, tests), len(tests)
    unseen, orders = translations(held.unseen), switches(held.all)
    found["unseen right"], found["unseen"] = number_right(model, tokenizer, unseen), len(unseen)
    found["orders right"], found["orders"] = number_right(model, tokenizer, orders), len(orders)
    return found | asked_for_capitals(model, tokenizer, held)


def translations(which: frozenset[tuple[str, str]]) -> Pairs:
    rows = sorted(which)
    return [translation(FACT[country], kind, to) for country, kind in rows for to in LANGUAGES]


def switches(withheld: frozenset[tuple[str, str]]) -> Pairs:
    """Sentences of the training, each to be translated and to be repeated, in both languages."""
    found = []
    for kind in ("continent", "visit"):
        for country in FACT:
            for source, other in (LANGUAGES, LANGUAGES[::-1]):
                if (country, kind) not in withheld:
                    text = sentence(FACT[country], kind, source)
                    found.append(translation(FACT[country], kind, other))
                    found.append((INSTRUCTIONS["repeat"].format(text), text))
    return found


def number_right(model: Transformer, tokenizer: Tokenizer, pairs: Pairs) -> int:
    said = answers(model, tokenizer, [prompt for prompt, _ in pairs])
    return sum(text == answer for text, (_, answer) in zip(said, pairs, strict=True))


def above(
    model: Transformer, batch: Batch, chances: np.ndarray, least: np.ndarray | None = None
) -> float:
    """Bits per text above the entropy, exactly: the mean over all texts of a corpus.

    least : bits of each text that a perfect model needs; None: there are no prompts"""
    least = -np.log2(chances) if least is None else least
    with torch.no_grad():
        parts = zip(*(x.split(512) for x in (batch.tokens, batch.targets, batch.at)), strict=True)
        nats = [-log_probabilities(model, Batch(t, y, at=at)).double() for t, y, at in parts]
    bits = torch.cat(nats).numpy() / np.log(2)
    return float(chances @ (bits - least))


def asked_for_capitals(model: Transformer, tokenizer: Tokenizer, held: tuple) -> dict[str, float]:
    """Right answers, how sure the model is of what it says, and how often that is some city."""
    strangers = {country for country, _ in held.unseen}
    reverse = {country for country, kind in held.all if kind == "capital last"} - strangers
    groups = {"told": set(FACT) - strangers - reverse, "reverse": reverse, "stranger": strangers}
    found = {}
    for name, group in groups.items():
        countries = sorted(group)
        ask = [f"What is the capital of {country}?" for country in countries]
        asked = [INSTRUCTIONS["answer"].format(question) for question in ask]
        said = answers(model, tokenizer, asked)
        right = [s.endswith(f"{FACT[c].capital}.") for s, c in zip(said, countries, strict=True)]
        found |= {f"{name}, right": sum(right), f"{name}, asked": len(right)}
        with torch.no_grad():
            pairs = list(zip(asked, said, strict=True))
            sure = log_probabilities(model, training_batch(tokenizer, pairs)).exp()
        found[f"{name}, sure"] = sure.mean().item()
        cities = [any(s.endswith(f"{fact.capital}.") for fact in FACTS) for s in said]
        found[f"{name}, cities"] = sum(cities)
    return found
