"""Chapter 5: which learning rate suits each reader of the diary? Tried with another seed.

The table `diary_of_lockers` says what is trained. A rate is as good as its mean loss, with two and
with eight notes, at the end of the training."""

from evidence.tables.diary_of_lockers import STEPS, measured, new_reader

SEEDS = (101,)
CASES = ("Transformer", "LSTM")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
NOTES, RATES = (2, 8), (0.003, 0.01, 0.03)


def run(case: str, seed: int) -> dict[str, float]:
    """The loss of each rate with each number of notes."""
    return {
        f"{rate}, {notes}": measured(new_reader(case, seed), notes, seed, rate=rate)[
            f"loss {STEPS}"
        ]
        for rate in RATES
        for notes in NOTES
    }
