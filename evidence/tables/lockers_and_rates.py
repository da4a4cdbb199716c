"""Chapter 5: the diary of lockers at other learning rates, and with four notes.

The table `diary_of_lockers` says what is trained and how it is measured, and has the rate 0.01."""

from evidence.tables import diary_of_lockers

SEEDS = (0, 1, 2, 3, 4)
NOTES = (1, 2, 4, 8, 65)
CASES = (
    "Transformer, 4, 0.01",
    "LSTM, 4, 0.01",
    *(f"Transformer, {notes}, 0.003" for notes in NOTES),
    *(f"LSTM, {notes}, {rate}" for notes in NOTES for rate in (0.003, 0.03)),
)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """As in the table of which this is a row, at a rate of its own."""
    reader, _, rate = case.rpartition(", ")
    return diary_of_lockers.run(reader, seed, rate=float(rate))
