"""A bilingual corpus whose every text and every probability is known.

A text is a prompt and an answer. A prompt is an instruction with a sentence, a question or the
beginning of a sentence in it; sentences say facts (`facts`) in English or in Korean.
There are some thousands of texts in all, so entropies are sums, not estimates:

    pairs = withheld_pairs(FACTS, seed=0)
    corpus = Corpus.of(FACTS, withheld=pairs.all)"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqdec_lib.language.facts import FACTS, Fact
from seqdec_lib.validation import whole_number

LANGUAGES = ("English", "Korean")
INSTRUCTIONS = {
    "to English": "Translate the following Korean sentence to English: ‘{}’",
    "to Korean": "Translate the following English sentence to Korean: ‘{}’",
    "answer": "Answer the following question: ‘{}’",
    "repeat": "Repeat the following sentence: ‘{}’",
    "complete": "Complete the following sentence: ‘{}’",
}
SHARES = {"to English": 0.3, "to Korean": 0.3, "answer": 0.15, "repeat": 0.2, "complete": 0.05}
"""How often a text has which instruction, before texts are withheld."""


class Template(NamedTuple):
    """A sentence in both languages; the bar is where a sentence to be completed breaks off."""

    english: str
    korean: str
    share: float = 1.0
    """How often a sentence is made from this template."""


class Question(NamedTuple):
    """A question, its short answer, and the template of the sentence that it asks for."""

    template: str
    asked: Template
    short: Template
    long: Template | None = None
    """The long answer, where it is not that sentence to the letter."""


TEMPLATES = {
    "capital": Template(
        "{capital} | is the capital of {country}.",
        "{capital_ko:은는} | {country_ko}의 수도입니다.",
        0.15,
    ),
    "capital last": Template(
        "The capital of {country} | is {capital}.",
        "{country_ko}의 수도는 | {capital_ko}입니다.",
        0.15,
    ),
    "continent": Template(
        "{country} | is in {continent}.", "{country_ko:은는} | {continent_ko}에 있습니다.", 0.1
    ),
    "like": Template("I like | {capital}.", "저는 | {capital_ko:이가} 좋습니다.", 0.1),
    "visit": Template("We visit | {country}.", "우리는 | {country_ko:을를} 방문합니다.", 0.1),
    "denial": Template(
        "{capital} | is not the capital of {elsewhere}.",
        "{capital_ko:은는} | {elsewhere_ko}의 수도가 아닙니다.",
        0.2,
    ),
    "denial last": Template(
        "The capital of {elsewhere} | is not {capital}.",
        "{elsewhere_ko}의 수도는 | {capital_ko:이가} 아닙니다.",
        0.2,
    ),
}
DENIALS = ("denial", "denial last")
"""Templates with two facts in a sentence, so that a name can't be guessed from the other one."""
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
        Template("Which country is in {continent}?", "{continent_ko}에는 어떤 나라가 있습니까?"),
        Template("{country}.", "{country_ko:이가} 있습니다."),
        Template("{country} is in {continent}.", "{country_ko:이가} {continent_ko}에 있습니다."),
    ),
)
ELSEWHERE = range(3, 64, 4)
"""A capital is denied to be that of the countries so many places further down in the list."""
_NAMES = {name.removeprefix("the ") for fact in FACTS for name in (*fact, fact.continent_ko)}
_KOREAN = "수도 입니다 입니까 있습니다 있습니까 방문합니다 아닙니다 좋습니다 우리 나라 어디 어떤"
WORDS = tuple(sorted(_NAMES | set(_KOREAN.split())))
"""What a tokenizer may know as one word: names in both languages, and Korean words of templates."""


class Text(NamedTuple):
    """One text of the corpus, and how likely it is."""

    prompt: str
    answer: str
    probability: float
    instruction: str
    country: str
    template: str
    """The sentence that it says or asks for, as a key of TEMPLATES."""


def sentence(fact: Fact, template: str, language: str, elsewhere: Fact | None = None) -> str:
    """A fact in words, such as sentence(FACTS[0], "capital", "Korean"): 서울은 한국의 수도입니다.

    elsewhere : a fact about the other country, for the templates DENIALS.
    Raises ValueError: an unknown template or language; a denial without another country."""
    return " ".join(_halves(fact, template, language, elsewhere))


def translation(fact: Fact, template: str, to: str) -> tuple[str, str]:
    """Prompt and answer of a translation to "English" or "Korean"."""
    source = sentence(fact, template, LANGUAGES[to == "English"])
    return INSTRUCTIONS[f"to {to}"].format(source), sentence(fact, template, to)


def _halves(fact: Fact, template: str, language: str, elsewhere: Fact | None) -> list[str]:
    if template not in TEMPLATES:
        raise ValueError(f"template must be one of {sorted(TEMPLATES)}, but {template!r} came.")
    if template in DENIALS and elsewhere is None:
        raise ValueError("a denial needs elsewhere=..., a fact about another country.")
    return _filled(TEMPLATES[template], fact, language, elsewhere).split(" | ")


def _filled(template: Template, fact: Fact, language: str, elsewhere: Fact | None = None) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {LANGUAGES}, but {language!r} came.")
    words = fact._asdict() | {"continent_ko": fact.continent_ko}
    if elsewhere is not None:
        words |= {"elsewhere": elsewhere.country, "elsewhere_ko": elsewhere.country_ko}
    text = template[LANGUAGES.index(language)].format(**words)
    return text[:1].upper() + text[1:]


def _texts_of(fact: Fact, others: Sequence[Fact], language: str) -> Iterator[Text]:
    """All texts about a fact whose sentence or question is in this language."""
    other = LANGUAGES[language == "English"]

    def text(instruction: str, asked: str, answer: str, share: float, template: str) -> Text:
        prompt = INSTRUCTIONS[instruction].format(asked)
        share *= SHARES[instruction]
        return Text(prompt, answer, share, instruction, fact.country, template)

    for template, (*_, share) in TEMPLATES.items():
        denied = others if template in DENIALS else [None]
        for elsewhere in denied:
            begun, rest = _halves(fact, template, language, elsewhere)
            whole, each = f"{begun} {rest}", share / len(denied)
            translated = sentence(fact, template, other, elsewhere)
            yield text(f"to {other}", whole, translated, 2 * each, template)
            yield text("repeat", whole, whole, each, template)
            yield text("complete", begun, rest, each, template)
    for template, asked, short, long in QUESTIONS:
        question, each = _filled(asked, fact, language), 1 / len(QUESTIONS) / 2
        whole = _filled(long, fact, language) if long else sentence(fact, template, language)
        for answer in (_filled(short, fact, language), whole):
            yield text("answer", question, answer, each, template)


def _others(facts: Sequence[Fact], start: int) -> list[Fact]:
    steps = sorted({step % len(facts) for step in ELSEWHERE} - {0})
    return [facts[(start + step) % len(facts)] for step in steps]


class Pairs(NamedTuple):
    """Sentence pairs that are kept from training, each as (country, template).

    test, validation : pairs whose facts are trained in other sentences
    unseen : pairs whose fact, which city is the capital, is never trained in any sentence"""

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
    """Choose which sentences are never trained on, in neither language.

    test, validation : numbers of facts that lose one sentence, of a template all of whose words are
        trained in others. The first test pair is always the first fact's, "Seoul is the capital of
        South Korea."
    unseen : number of facts that lose both sentences that say them.
    Raises ValueError: more facts to lose something than there are."""
    test, validation = whole_number("test", test, 1), whole_number("validation", validation, 0)
    end = test + validation + whole_number("unseen", unseen, 0)
    if end > len(facts):
        raise ValueError(f"there are {len(facts)} facts, but {end} are to lose a sentence.")
    rng = np.random.default_rng(seed)
    order = [0, *(1 + rng.permutation(len(facts) - 1))]
    names = ["capital", "capital last", "like", "visit"]
    single = [(facts[i].country, names[k % len(names)]) for k, i in enumerate(order)]
    both = [(facts[i].country, name) for i in order[test + validation : end] for name in names[:2]]
    return Pairs(*map(frozenset, (single[:test], single[test : test + validation], both)))


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
    ) -> "Corpus":
        """All texts but those that say, ask for or complete a withheld sentence.

        What is withheld leaves its probability to the rest in proportion.

        Raises ValueError: nothing left."""
        kept = [
            text
            for i, fact in enumerate(facts)
            for language in LANGUAGES
            for text in _texts_of(fact, _others(facts, i), language)
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
