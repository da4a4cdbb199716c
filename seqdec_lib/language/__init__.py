"""Text as tokens, for the same Transformer, loss and sampler.

`facts` are the countries and capitals that the book's small language speaks of, `corpus` makes
texts of known probability out of them, `text` turns texts into tokens and prompts into answers."""

from seqdec_lib.language.corpus import (
    DENIALS,
    INSTRUCTIONS,
    LANGUAGES,
    WORDS,
    Corpus,
    sentence,
    translation,
    withheld_pairs,
)
from seqdec_lib.language.facts import FACTS
from seqdec_lib.language.text import Tokenizer, answers, training_batch
