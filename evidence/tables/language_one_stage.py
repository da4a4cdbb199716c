"""Chapter 9: what would one stage give, with as many steps as two?

"every token" is pretrained to the end and never tuned; in "answers only" the prompts are masked
from the start."""

from evidence.tables.language_models import (
    PRETRAINING,
    RATE,
    ROWS,
    TUNING,
    everything,
    fresh,
    measured,
)
from seqdec_lib.language import Corpus, training_batch, withheld_pairs
from seqdec_lib.sequences import fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("every token", "answers only")
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """Withheld translations that come out right; bits per answer above the entropy."""
    held = withheld_pairs(seed=seed)
    corpus = Corpus.of(withheld=held.all)
    tokenizer, model = fresh(corpus, seed)
    data, weights = training_batch(tokenizer, corpus.pairs), corpus.probabilities
    if case == "every token":
        data, weights = everything(tokenizer, corpus, held)
    steps = PRETRAINING + TUNING
    fit(model, minibatches(data, ROWS, weights), steps, learning_rate=RATE, seed=seed)
    return measured(model, tokenizer, corpus, held)
