"""Chapter 9: how much of the language model's numbers is luck.

The chapter's model, made in two stages with five seeds: it is pretrained on plain sentences and on
documents, prompts with answers, where every token counts; and then tuned to instructions, with the
prompts masked."""

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
from seqdec_lib.language.corpus import Pairs
from seqdec_lib.sequences import Batch, Transformer, fit, log_probabilities, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("two stages",)
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
WIDTH, ROWS, RATE = 96, 32, 5e-3
PRETRAINING, TUNING = 450, 600  # steps
SAMPLE = 2000  # texts
FACT = {fact.country: fact for fact in FACTS}
Questions = list[tuple[str, str]]


def run(case: str, seed: int) -> dict[str, float]:
    """Counts of what comes out right, and bits above the entropy, after either stage."""
    held = withheld_pairs(seed=seed)
    corpus = Corpus.of(withheld=held.all)
    tokenizer, model = fresh(corpus, seed)
    every_token, mix = everything(tokenizer, corpus, held)
    draw = minibatches(every_token, ROWS, mix)
    fit(model, draw, PRETRAINING, learning_rate=RATE, seed=seed)
    found = {f"{k}, pretrained": v for k, v in measured(model, tokenizer, corpus, held).items()}
    draw = minibatches(training_batch(tokenizer, corpus.pairs), ROWS, corpus.probabilities)
    fit(model, draw, TUNING, learning_rate=RATE, seed=seed)
    orders = switches(held.all)
    found["orders right"], found["orders"] = number_right(model, tokenizer, orders), len(orders)
    found |= measured(model, tokenizer, corpus, held)
    return found | asked_for_capitals(model, tokenizer, held)


def fresh(corpus: Corpus, seed: int) -> tuple[Tokenizer, Transformer]:
    tokenizer = Tokenizer.of((part for pair in corpus.pairs for part in pair), WORDS)
    torch.manual_seed(seed)
    model = Transformer(len(tokenizer), 40, WIDTH, heads=6, init_std=0.5 / WIDTH**0.5)
    return tokenizer, model


def everything(tokenizer: Tokenizer, corpus: Corpus, held: Pairs) -> tuple[Batch, np.ndarray]:
    """Plain sentences and documents, all of whose tokens count, and how often each is drawn."""
    plain = Corpus.of(withheld=held.all, instructions=("repeat",))
    documents = [("", text.answer) for text in plain.texts] + corpus.pairs
    mix = np.concatenate([0.3 * plain.probabilities, 0.7 * corpus.probabilities])
    return training_batch(tokenizer, documents, count_prompt=True), mix


def measured(
    model: Transformer, tokenizer: Tokenizer, corpus: Corpus, held: Pairs
) -> dict[str, float]:
    """Withheld translations that come out right; bits per answer above the least possible, on
    texts that are drawn once."""
    tests, unseen = translations(held.test), translations(held.unseen)
    rows = np.random.default_rng(0).choice(len(corpus.texts), SAMPLE, p=corpus.probabilities)
    batch = training_batch(tokenizer, [corpus.pairs[row] for row in rows])
    with torch.no_grad():
        bits = -log_probabilities(model, batch).double().numpy() / np.log(2)
    oldest = [translation(FACTS[0], "capital", "English")]
    return {
        "tests right": number_right(model, tokenizer, tests),
        "tests": len(tests),
        "unseen right": number_right(model, tokenizer, unseen),
        "unseen": len(unseen),
        "bits above": np.mean(bits - corpus.answer_bits[rows]),
        "oldest right": number_right(model, tokenizer, oldest),
    }


def translations(which: frozenset[tuple[str, str]]) -> Questions:
    rows = sorted(which)
    return [translation(FACT[country], kind, to) for country, kind in rows for to in LANGUAGES]


def switches(withheld: frozenset[tuple[str, str]]) -> Questions:
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


def number_right(model: Transformer, tokenizer: Tokenizer, pairs: Questions) -> int:
    said = answers(model, tokenizer, [prompt for prompt, _ in pairs])
    return sum(text == answer for text, (_, answer) in zip(said, pairs, strict=True))


def asked_for_capitals(model: Transformer, tokenizer: Tokenizer, held: Pairs) -> dict[str, float]:
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
