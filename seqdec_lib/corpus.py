"""A bilingual corpus whose every text and every probability is known.

A text is a prompt and an answer. A prompt is an instruction with a sentence, a question or the
beginning of a sentence in it; sentences say facts (`seqdec_lib.facts`) in English or in Korean.
There are some thousands of texts in all, so entropies are sums, not estimates:

    pairs = withheld_pairs(FACTS, seed=0)
    corpus = Corpus.of(FACTS, withheld=pairs.all)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqdec_lib.facts import FACTS, Fact
from seqdec_lib.validation import whole_number

LANGUAGES = ("English", "Korean")
INSTRUCTIONS = {
    "to English": "Translate the following Korean sentence to English: ‘{}’",
    "to Korean": "Translate the following English sentence to Korean: ‘{}’",
    "answer": "Answer the following question: ‘{}’",
    "repeat": "Repeat the following sentence: ‘{}’",
    "complete": "Complete the following sentence: ‘{}’",
}
SHARES = {"to English": 0.35, "to Korean": 0.35, "answer": 0.15, "repeat": 0.1, "complete": 0.05}
"""How often a text has which instruction, before texts are withheld."""


class Template(NamedTuple):
    """A sentence in both languages; the bar is where a sentence to be completed breaks off."""

    english: str
    korean: str


class Question(NamedTuple):
    """A question, its short answer, and the template whose sentence is its long answer."""

    template: str
    asked: Template
    short: Template


TEMPLATES = {
    "capital": Template(
        "{capital} | is the capital of {country}.", "{capital_ko:은는} | {country_ko}의 수도입니다."
    ),
    "capital last": Template(
        "The capital of {country} | is {capital}.", "{country_ko}의 수도는 | {capital_ko}입니다."
    ),
    "continent": Template(
        "{country} | is in {continent}.", "{country_ko:은는} | {continent_ko}에 있습니다."
    ),
    "like": Template("I like | {capital}.", "저는 | {capital_ko:이가} 좋습니다."),
    "visit": Template("We visit | {country}.", "우리는 | {country_ko:을를} 방문합니다."),
}
QUESTIONS = (
    Question(
        "capital last",
        Template("What is the capital of {country}?", "{country_ko}의 수도는 어디입니까?"),
        Template("{capital}.", "{capital_ko}입니다."),
    ),
    Question(
        "continent",
        Template("Where is {country}?", "{country_ko:은는} 어디에 있습니까?"),
        Template("In {continent}.", "{continent_ko}에 있습니다."),
    ),
    Question(
        "continent",
        Template("Which country is in {continent}?", "어느 나라가 {continent_ko}에 있습니까?"),
        Template("{country}.", "{country_ko}입니다."),
    ),
)


class Text(NamedTuple):
    """One text of the corpus, and how likely it is."""

    prompt: str
    answer: str
    probability: float
    instruction: str
    country: str
    template: str
    """The sentence that it says or asks for, as a key of TEMPLATES."""


def sentence(fact: Fact, template: str, language: str) -> str:
    """A fact in words, such as sentence(FACTS[0], "capital", "Korean"): 서울은 한국의 수도입니다."""
    return _filled(_said(TEMPLATES, template), fact, language).replace("| ", "")


def translation(fact: Fact, template: str, to: str) -> tuple[str, str]:
    """Prompt and answer of a translation to "English" or "Korean"."""
    source = sentence(fact, template, LANGUAGES[to == "English"])
    return INSTRUCTIONS[f"to {to}"].format(source), sentence(fact, template, to)


def _said(table: dict, key: str) -> Template:
    if key not in table:
        raise ValueError(f"template must be one of {sorted(table)}, but {key!r} came.")
    return table[key]


def _filled(template: Template, fact: Fact, language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {LANGUAGES}, but {language!r} came.")
    words = fact._asdict() | {"continent_ko": fact.continent_ko}
    text = template[LANGUAGES.index(language)].format(**words)
    return text[:1].upper() + text[1:]


def _texts_of(fact: Fact, language: str) -> Iterator[Text]:
    """All texts about a fact whose prompt holds words of this language."""
    other = LANGUAGES[language == "English"]

    def text(instruction: str, asked: str, answer: str, share: float, template: str) -> Text:
        prompt = INSTRUCTIONS[instruction].format(asked)
        return Text(
            prompt, answer, share * SHARES[instruction], instruction, fact.country, template
        )

    for template in TEMPLATES:
        whole, share = sentence(fact, template, language), 1 / len(TEMPLATES)
        begun, rest = _filled(TEMPLATES[template], fact, language).split(" | ")
        yield text(f"to {other}", whole, sentence(fact, template, other), share, template)
        yield text("repeat", whole, whole, share / 2, template)
        yield text("complete", begun, rest, share / 2, template)
    for template, asked, short in QUESTIONS:
        question, share = _filled(asked, fact, language), 1 / len(QUESTIONS) / 2
        for answer in (_filled(short, fact, language), sentence(fact, template, language)):
            yield text("answer", question, answer, share / 2, template)


class Pairs(NamedTuple):
    """Sentence pairs that are kept from training, each as (country, template).

    test, validation : pairs whose facts are trained in other sentences
    unseen : pairs whose fact, which city is the capital, is never trained in any sentence
    """

    test: frozenset[tuple[str, str]]
    validation: frozenset[tuple[str, str]]
    unseen: frozenset[tuple[str, str]]

    @property
    def all(self) -> frozenset[tuple[str, str]]:
        return self.test | self.validation | self.unseen


def withheld_pairs(
    facts: Sequence[Fact] = FACTS,
    seed: int = 0,
    test: int = 36,
    validation: int = 12,
    unseen: int = 8,
) -> Pairs:
    """Choose which sentences are never trained on: at most one a fact, but for unseen facts.

    Parameters
    ----------
    test, validation, unseen : numbers of facts. The first test pair is always that of the first
        fact, "Seoul is the capital of South Korea."

    Raises
    ------
    ValueError
        More facts to be withheld than there are.
    """
    counts = [
        whole_number(name, count, least=least)
        for name, count, least in (
            ("test", test, 1),
            ("validation", validation, 0),
            ("unseen", unseen, 0),
        )
    ]
    if sum(counts) > len(facts):
        raise ValueError(f"there are {len(facts)} facts, but {sum(counts)} are to be withheld.")
    rng = np.random.default_rng(seed)
    order = [0, *(1 + rng.permutation(len(facts) - 1))]
    of_capitals = ("capital", "capital last")
    forms = rng.permutation(np.resize(of_capitals, len(facts)))
    forms[0] = "capital"
    ends = np.cumsum(counts)
    single = [(facts[i].country, str(forms[i])) for i in order[: ends[1]]]
    both = [(facts[i].country, form) for i in order[ends[1] : ends[2]] for form in of_capitals]
    return Pairs(frozenset(single[: ends[0]]), frozenset(single[ends[0] :]), frozenset(both))


@dataclass(frozen=True)
class Corpus:
    """A finite distribution over texts. Texts with equal prompts and equal answers are one."""

    texts: tuple[Text, ...]

    @classmethod
    def of(
        cls,
        facts: Sequence[Fact] = FACTS,
        withheld: Collection[tuple[str, str]] = (),
        instructions: Collection[str] = tuple(INSTRUCTIONS),
    ) -> Corpus:
        """All texts but those that say, ask for or complete a withheld sentence.

        What is withheld leaves its probability to the rest in proportion.

        Raises
        ------
        ValueError
            Nothing left.
        """
        kept = [
            text
            for fact in facts
            for language in LANGUAGES
            for text in _texts_of(fact, language)
            if (text.country, text.template) not in withheld and text.instruction in instructions
        ]
        if not kept:
            raise ValueError("no text is left: pass facts, instructions, and withhold fewer pairs.")
        total = sum(text.probability for text in kept)
        return cls(tuple(text._replace(probability=text.probability / total) for text in kept))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Prompt and answer of each text."""
        return [(text.prompt, text.answer) for text in self.texts]

    @property
    def probabilities(self) -> np.ndarray:
        """(N,) of each text."""
        return np.array([text.probability for text in self.texts])

    @property
    def answer_bits(self) -> np.ndarray:
        """(N,) bits of each answer given its prompt, -log2 p(answer | prompt), exact."""
        prompts = [text.prompt for text in self.texts]
        totals = dict.fromkeys(prompts, 0.0)
        for text in self.texts:
            totals[text.prompt] += text.probability
        return np.log2([totals[prompt] for prompt in prompts]) - np.log2(self.probabilities)
