"""Chapter 5: what three times as much training does on the trips, and the diary with four notes.

The tables `transformer_parts` and `diary_of_lockers` say what is trained and how it is measured."""

from evidence.tables import diary_of_lockers, transformer_parts

SEEDS = (0, 1, 2, 3, 4)
CASES = ("trips", "Transformer, 4", "LSTM, 4")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """As in the table of which this is a row."""
    if case == "trips":
        return transformer_parts.run("nothing", seed, 3 * transformer_parts.STEPS)
    return diary_of_lockers.run(case, seed)
