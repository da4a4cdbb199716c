"""Chapter 9: questions about facts that were told, and about facts that were told nowhere.

A network of width 64 learns to answer questions, and to repeat sentences of the kind "I like
Seoul.", which name every city; the prompts are masked. Then it is asked for the capital of each of
the 64 countries. Of twenty of them, no text said which city is the capital."""

import torch

from seqdec_lib.language import (
    FACTS,
    INSTRUCTIONS,
    WORDS,
    Corpus,
    Tokenizer,
    answers,
    training_batch,
    withheld_pairs,
)
from seqdec_lib.language.corpus import Text
from seqdec_lib.sequences import Transformer, fit, log_probabilities, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("asked",)
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
STEPS, ROWS, RATE, WIDTH = 500, 32, 5e-3, 64
CAPITAL = {fact.country: fact.capital for fact in FACTS}


def run(case: str, seed: int) -> dict[str, float]:
    """Right answers of each group, how sure the network is, and how often it names some city."""
    held = withheld_pairs(seed=seed)
    untold = {country for country, kind in held.all if kind == "capital last"}
    texts = Corpus.of(withheld=[(c, "capital last") for c in untold]).texts
    corpus = Corpus(tuple(filter(is_read, texts)))
    tokenizer = Tokenizer.of((part for pair in corpus.pairs for part in pair), WORDS)
    torch.manual_seed(seed)
    model = Transformer(len(tokenizer), 40, WIDTH, heads=4, init_std=0.5 / WIDTH**0.5)
    draw = minibatches(training_batch(tokenizer, corpus.pairs), ROWS, corpus.probabilities)
    fit(model, draw, STEPS, learning_rate=RATE, seed=seed)
    groups = {"told": {*CAPITAL} - untold, "stranger": untold}
    found = {}
    for name, group in groups.items():
        for key, number in asked(model, tokenizer, sorted(group)).items():
            found[f"{name}, {key}"] = number
    return found


def is_read(text: Text) -> bool:
    return text.instruction == "answer" or (text.instruction, text.template) == ("repeat", "like")


def asked(model: Transformer, tokenizer: Tokenizer, countries: list[str]) -> dict[str, float]:
    questions = [f"What is the capital of {country}?" for country in countries]
    prompts = [INSTRUCTIONS["answer"].format(question) for question in questions]
    said = answers(model, tokenizer, prompts)
    with torch.no_grad():
        batch = training_batch(tokenizer, list(zip(prompts, said, strict=True)))
        sure = log_probabilities(model, batch).exp().mean().item()
    pairs = zip(said, countries, strict=True)
    return {
        "asked": len(countries),
        "right": sum(text.endswith(f"{CAPITAL[country]}.") for text, country in pairs),
        "cities": sum(text.endswith(tuple(f"{c}." for c in CAPITAL.values())) for text in said),
        "sure": sure,
    }
