"""Chapter 9: which training lets a network translate sentences that it never saw?

A smaller copy of the chapter's model: only translations, about the first 32 countries, half of
which lose one sentence each. In the first three cases the training changes: in two stages, every
token and then the answers only; or one of them from beginning to end, in as many steps. In the last
one the corpus changes, with answers only: there are no denials ("Paris is not the capital of
Spain")."""

import numpy as np
import torch

from seqdec_lib.language import (
    DENIALS,
    FACTS,
    LANGUAGES,
    WORDS,
    Corpus,
    Tokenizer,
    answers,
    training_batch,
    translation,
    withheld_pairs,
)
from seqdec_lib.sequences import Transformer, fit, log_probabilities, minibatches

SEEDS = (0, 1, 2, 3, 4)
STAGES = {  # steps of each stage: every token, answers only
    "two stages": (150, 150),
    "every token": (300, 0),
    "answers only": (0, 300),
}
CASES = (*STAGES, "no denials")
AGREEMENT = 0.5  # few and trained by floating-point sums, whose order may change
FEW = FACTS[:32]
ROWS, RATE, WIDTH = 32, 5e-3, 64
SAMPLE = 1000  # texts on which the loss is measured


def run(case: str, seed: int) -> dict[str, float]:
    """Withheld sentences that come out right, both ways, of the facts and of the others; bits per
    answer, of which a perfect model needs none."""
    pairs = withheld_pairs(FEW, seed, len(FEW) // 2, 1, 0)
    texts = Corpus.of(FEW, withheld=pairs.all, instructions=("to English", "to Korean")).texts
    tokenizer = Tokenizer.of((part for text in texts for part in text[:2]), WORDS)
    if case == "no denials":
        texts = [text for text in texts if text.template not in DENIALS]
    weights = [text.probability for text in texts]
    torch.manual_seed(seed)
    model = Transformer(len(tokenizer), 40, WIDTH, heads=4, init_std=0.5 / WIDTH**0.5)
    documents = [text[:2] for text in texts]
    for steps, whole in zip(STAGES.get(case, STAGES["answers only"]), (True, False), strict=True):
        if steps:
            draw = minibatches(training_batch(tokenizer, documents, whole), ROWS, weights)
            fit(model, draw, steps, learning_rate=RATE, seed=seed)
    chance = np.array(weights) / np.sum(weights)
    rows = np.random.default_rng(0).choice(len(documents), SAMPLE, p=chance)
    with torch.no_grad():
        batch = training_batch(tokenizer, [documents[row] for row in rows])
        bits = -log_probabilities(model, batch).mean().item() / np.log(2)
    return {"bits": bits} | withheld_right(model, tokenizer, pairs.test)


def withheld_right(
    model: Transformer, tokenizer: Tokenizer, withheld: frozenset[tuple[str, str]]
) -> dict[str, float]:
    found = {"facts, right": 0, "facts, all": 0, "others, right": 0, "others, all": 0}
    facts = {fact.country: fact for fact in FEW}
    for country, template in sorted(withheld):
        kind = "facts" if template.startswith("capital") else "others"
        asked = [translation(facts[country], template, to) for to in LANGUAGES]
        said = answers(model, tokenizer, [prompt for prompt, _ in asked])
        found[f"{kind}, right"] += sum(a == b for a, (_, b) in zip(said, asked, strict=True))
        found[f"{kind}, all"] += len(asked)
    return found
