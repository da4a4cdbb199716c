"""Text as tokens, the corpus and what is kept from it, and answers."""

import math
import unicodedata
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.language.corpus import (
    LANGUAGES,
    WORDS,
    Corpus,
    sentence,
    translation,
    withheld_pairs,
)
from seqdec_lib.language.facts import FACTS, PARTICLES, Noun, particle
from seqdec_lib.language.text import END, TURN, Tokenizer, answers, prompt_tokens, training_batch
from seqdec_lib.sequences.losses import IGNORE, log_probabilities, sequence_loss
from seqdec_lib.sequences.training import fit, minibatches
from seqdec_lib.sequences.transformer import Transformer

pytestmark = pytest.mark.usefixtures("one_thread")

PAIRS = withheld_pairs(seed=3)
CORPUS = Corpus.of(withheld=PAIRS.all)
TOKENIZER = Tokenizer.of((text for pair in CORPUS.pairs for text in pair), WORDS)
SOME = CORPUS.pairs[::97]
FACT = {fact.country: fact for fact in FACTS}
few = settings(max_examples=20, deadline=None)


def decided_model(seed: int = 0, vocabulary: int = len(TOKENIZER)) -> Transformer:
    """A small model, decided enough that rounding never changes its choice."""
    torch.manual_seed(seed)
    model = Transformer(vocabulary, context=64, width=16, layers=2, heads=2).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model


# -- the tokenizer

AWKWARD = [
    "Seoul",
    "South",
    "Korea",
    "is",
    "s",
    " ",
    "  ",
    "서울",
    "서",
    "울은",
    "한국",
    "é",
    "東京",
]
AWKWARD += ["‘", ".", "\n", "7", "가", "ᄀ", "🚆", "\ud800", "New", "Delhi", "the"]


@settings(max_examples=500, deadline=None)
@given(
    st.text(st.characters(exclude_categories=()))
    | st.lists(st.sampled_from(AWKWARD), max_size=9).map("".join)
)
def test_any_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_what_is_known_is_short_and_what_is_not_is_bytes():
    assert len(TOKENIZER.encode("South Korea")) == len(TOKENIZER.encode("한국")) == 1
    assert len(TOKENIZER.encode("Seoul is")) == 2, "the space between two words is not written"
    assert len(TOKENIZER.encode("서울은")) == 2
    assert len(TOKENIZER.encode("Zürichsee")) == len("Zürichsee".encode())
    assert len(TOKENIZER.encode("ᄀ")) == 3
    assert all(max(TOKENIZER.encode("Zürichsee")) < 257 <= i for i in TOKENIZER.encode("Seoul."))
    assert Tokenizer(TOKENIZER.pieces[::-1]).encode("서울") == TOKENIZER.encode("서울")


def test_decoding_stops_at_the_end_and_survives_nonsense():
    seoul = TOKENIZER.encode("Seoul")
    assert TOKENIZER.decode([*seoul, END, *seoul]) == "Seoul"
    assert TOKENIZER.decode([1 + 0xFF, *seoul]) == "\ufffdSeoul"
    with pytest.raises(ValueError, match=f"0..{len(TOKENIZER) - 1}"):
        TOKENIZER.decode([len(TOKENIZER)])
    with pytest.raises(ValueError, match="a word or a single character"):
        Tokenizer(["서울 is"])


def test_no_text_of_the_corpus_falls_into_bytes():
    for prompt, answer in Corpus.of().pairs:
        ids = TOKENIZER.encode(prompt + TURN + answer)
        assert min(ids) >= 257
        assert TOKENIZER.decode(ids) == prompt + TURN + answer


# -- facts and particles


def test_facts_are_many_and_their_names_are_distinct():
    assert len(FACTS) >= 60
    for names in zip(*(fact[:2] + fact[3:] for fact in FACTS), strict=True):
        assert len(set(names)) == len(FACTS)
    assert not {fact.country for fact in FACTS} & {fact.capital for fact in FACTS}
    assert not {fact.country_ko for fact in FACTS} & {fact.capital_ko for fact in FACTS}


@pytest.mark.parametrize("particles", PARTICLES)
def test_particles_follow_the_final_consonant_of_every_noun(particles):
    nouns = {n for fact in FACTS for n in (fact.country_ko, fact.capital_ko, fact.continent_ko)}
    for noun in nouns:
        last_sound = unicodedata.normalize("NFD", noun)[-1]
        is_consonant = "\u11a8" <= last_sound <= "\u11c2"
        assert particle(noun, particles) == particles[not is_consonant]
        assert f"{Noun(noun):{particles}}" == noun + particles[not is_consonant]


def test_particles_that_cannot_be_chosen_are_refused():
    with pytest.raises(ValueError, match="은는"):
        particle("서울", "와과")
    with pytest.raises(ValueError, match="Hangul"):
        particle("Seoul", "은는")


# -- the corpus


def test_the_book_needs_this_sentence():
    seoul = FACT["South Korea"]
    assert sentence(seoul, "capital", "Korean") == "서울은 한국의 수도입니다."
    prompt, answer = translation(seoul, "capital", "English")
    assert (
        prompt == "Translate the following Korean sentence to English: ‘서울은 한국의 수도입니다.’"
    )
    assert answer == "Seoul is the capital of South Korea."
    assert ("South Korea", "capital") in PAIRS.test
    assert (
        sentence(FACT["the Philippines"], "continent", "English") == "The Philippines is in Asia."
    )


@cache
def whole_corpus() -> str:
    return "\n".join(TURN.join(pair) for pair in Corpus.of().pairs)


@pytest.mark.parametrize("seed", range(5))
def test_withheld_pairs_are_absent_in_both_languages_and_their_words_are_not(seed):
    pairs = withheld_pairs(seed=seed)
    corpus = Corpus.of(withheld=pairs.all)
    assert len(pairs.test) >= 30 and not pairs.test & pairs.validation
    trained = "\n".join(TURN.join(pair) for pair in corpus.pairs)
    everything = whole_corpus()
    told = {text[-2:] for text in corpus.texts}
    for country, template in pairs.all:
        for language in LANGUAGES:
            whole = sentence(FACT[country], template, language)
            assert whole not in trained
            assert whole in everything
        assert {(country, "continent"), (country, "denial")} <= told
    for country, template in pairs.test | pairs.validation:
        assert (country, {"capital": "capital last"}.get(template, "capital")) in told


def test_unseen_facts_are_in_no_text_at_all():
    texts = [(pair, set(TOKENIZER.encode(TURN.join(pair)))) for pair in CORPUS.pairs]
    for fact in (FACT[country] for country, _ in PAIRS.unseen):
        country = {*TOKENIZER.encode(fact.country)[-1:], *TOKENIZER.encode(fact.country_ko)}
        capital = {*TOKENIZER.encode(fact.capital), *TOKENIZER.encode(fact.capital_ko)}
        for pair, ids in texts:
            assert not (ids & country and ids & capital), (fact, pair)


def test_probabilities_are_a_distribution_and_answers_one_for_each_prompt():
    assert len(set(CORPUS.pairs)) == len(CORPUS.pairs)
    assert math.isclose(CORPUS.probabilities.sum(), 1)
    mass = {}
    for (prompt, _), bits in zip(CORPUS.pairs, CORPUS.answer_bits, strict=True):
        mass[prompt] = mass.get(prompt, 0) + 2.0**-bits
    assert np.allclose(list(mass.values()), 1)
    certain = [t.instruction in ("to English", "to Korean", "repeat") for t in CORPUS.texts]
    assert np.allclose(CORPUS.answer_bits[certain], 0)
    assert CORPUS.answer_bits[~np.array(certain)].max() > 5


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: withheld_pairs(FACTS[:9]), "there are 9 facts"),
        (lambda: withheld_pairs(test=0), "test must be"),
        (lambda: Corpus.of(FACTS[:1], instructions=()), "no text is left"),
        (lambda: sentence(FACTS[0], "weather", "Korean"), "template must be one of"),
        (lambda: sentence(FACTS[0], "like", "Dutch"), "language must be one of"),
        (lambda: sentence(FACTS[0], "denial", "Korean"), "elsewhere="),
        (lambda: training_batch(TOKENIZER, []), "at least one pair"),
        (lambda: prompt_tokens(TOKENIZER, []), "at least one prompt"),
    ],
)
def test_bad_questions_are_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


# -- training data and probabilities


@pytest.mark.parametrize("count_prompt", [False, True])
def test_a_batch_asks_for_each_next_token_that_counts(count_prompt):
    batch, model = training_batch(TOKENIZER, SOME, count_prompt), decided_model()
    with torch.no_grad():
        found, loss = log_probabilities(model, batch), sequence_loss(model, batch)
    total, count = 0.0, 0
    for row, (prompt, answer) in enumerate(SOME):
        ids = [*TOKENIZER.encode(prompt + TURN + answer), END]
        first = 1 if count_prompt else len(TOKENIZER.encode(prompt + TURN))
        with torch.no_grad():
            rows = model(torch.tensor([ids[:-1]]), at=slice(first - 1, None))[0]
        chosen = rows.log_softmax(-1)[range(len(rows)), ids[first:]]
        assert torch.isclose(found[row], chosen.sum(), atol=1e-3)
        total, count = total - chosen.sum().item(), count + len(chosen)
    assert math.isclose(loss.item(), total / count, rel_tol=1e-4)
    assert (batch.targets != IGNORE).sum() == count


def test_a_small_model_learns_its_texts_by_heart():
    corpus = Corpus.of(FACTS[:4], instructions=["to English"])
    batch = training_batch(TOKENIZER, corpus.pairs)
    torch.manual_seed(0)
    model = Transformer(len(TOKENIZER), 64, width=32, init_std=0.1)
    fit(model, minibatches(batch, 16, corpus.probabilities), steps=150, learning_rate=1e-2)
    prompts, wanted = zip(*corpus.pairs, strict=True)
    made = answers(model, TOKENIZER, prompts)
    assert np.mean([a == b for a, b in zip(made, wanted, strict=True)]) >= 0.9


# -- answers


def test_a_batch_with_a_cache_says_what_single_prompts_say_without():
    model, prompts = decided_model(), [prompt for prompt, _ in SOME[::3]]
    assert len({len(TOKENIZER.encode(prompt)) for prompt in prompts}) > 3
    together = answers(model, TOKENIZER, prompts, most_tokens=12)
    alone = [answers(model, TOKENIZER, [p], most_tokens=12, cached=False)[0] for p in prompts]
    assert together == alone and len(set(together)) > 3


@few
@given(st.integers(0, 99), st.sampled_from([None, 5]), st.sampled_from([None, 0.8]))
def test_cached_and_uncached_sampling_agree(seed, top_k, top_p):
    model, prompts = decided_model(1), [prompt for prompt, _ in SOME[:5]]
    runs = [
        answers(
            model,
            TOKENIZER,
            prompts,
            temperature=0.7,
            top_k=top_k,
            top_p=top_p,
            generator=torch.Generator().manual_seed(seed),
            most_tokens=8,
            cached=cached,
        )
        for cached in (True, False)
    ]
    assert runs[0] == runs[1]


def test_an_answer_never_leaves_the_context():
    model, prompt = decided_model(), "서울은 " * 19
    room = model.context - len(TOKENIZER.encode(prompt + TURN)) + 1
    assert 0 < room < 32
    answers(model, TOKENIZER, [prompt])
    with pytest.raises(ValueError, match="the context is 64 tokens"):
        answers(model, TOKENIZER, ["서울은 " * 40])
