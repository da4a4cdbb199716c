"""Chapter 9: which corpus lets a network translate sentences that it never saw?

Translations about the first 32 countries; half of the countries lose one sentence each. The corpus
has its denials ("Paris is not the capital of Spain"), or none, or each capital is denied to be that
of one other country only, so often that all other texts are as frequent as with all denials."""

import torch

from seqdec_lib.language import (
    DENIALS,
    FACTS,
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
from seqdec_lib.language.corpus import Text
from seqdec_lib.sequences import Transformer, fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("many denials", "one denial", "no denials")
AGREEMENT = 0.5  # few and trained by floating-point sums, whose order may change
FEW = FACTS[:32]
ORDERS = ("to English", "to Korean")
STEPS, ROWS, RATE, WIDTH = 300, 32, 5e-3, 96
NEXT = 3  # the only country that a capital is denied to belong to stands so many places below


def run(case: str, seed: int) -> dict[str, float]:
    """Withheld sentences that come out right, both ways, of the facts and of the others."""
    pairs = withheld_pairs(FEW, seed, len(FEW) // 2, 1, 0)
    texts = Corpus.of(FEW, withheld=pairs.all, instructions=ORDERS).texts
    tokenizer = Tokenizer.of((part for text in texts for part in text[:2]), WORDS)
    texts, weights = chosen(texts, case)
    torch.manual_seed(seed)
    model = Transformer(len(tokenizer), 40, WIDTH, heads=6, init_std=0.5 / WIDTH**0.5)
    batch = training_batch(tokenizer, [text[:2] for text in texts])
    fit(model, minibatches(batch, ROWS, weights), STEPS, learning_rate=RATE, seed=seed)
    found = {"facts, right": 0, "facts, all": 0, "others, right": 0, "others, all": 0}
    facts = {fact.country: fact for fact in FEW}
    for country, template in sorted(pairs.test):
        kind = "facts" if template.startswith("capital") else "others"
        asked = [translation(facts[country], template, to) for to in LANGUAGES]
        said = answers(model, tokenizer, [prompt for prompt, _ in asked])
        found[f"{kind}, right"] += sum(a == b for a, (_, b) in zip(said, asked, strict=True))
        found[f"{kind}, all"] += len(asked)
    return found


def chosen(texts: tuple[Text, ...], case: str) -> tuple[list[Text], list[float]]:
    """The texts of a corpus, and how often each is drawn."""
    if case == "many denials":
        return list(texts), [text.probability for text in texts]
    others = [text for text in texts if text.template not in DENIALS]
    weights = [text.probability for text in others]
    if case == "no denials":
        return others, weights
    kept = kept_denials()
    few = [text for text in texts if text.template in DENIALS and whole(text) in kept]
    share = 1 - sum(weights)  # of all denials
    rest = sum(text.probability for text in few)
    return others + few, weights + [text.probability * share / rest for text in few]


def kept_denials() -> set[str]:
    return {
        sentence(fact, template, language, FEW[(i + NEXT) % len(FEW)])
        for i, fact in enumerate(FEW)
        for template in DENIALS
        for language in LANGUAGES
    }


def whole(text: Text) -> str:
    """The sentence that a text translates."""
    return text.prompt.split("‘")[1].removesuffix("’")
