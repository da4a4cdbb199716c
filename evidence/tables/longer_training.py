"""Chapter 5: what three times as much training does, on the trips and for the LSTM's diaries.

The tables `transformer_parts` and `diary_of_lockers` say what is trained and how it is measured."""

from evidence.tables import diary_of_lockers, transformer_parts

SEEDS = (0, 1, 2, 3, 4)
CASES = ("trips", "LSTM, 8", "LSTM, 2")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
TIMES = 3


def run(case: str, seed: int) -> dict[str, float]:
    """As in the table of which this is a row, with more steps."""
    if case == "trips":
        return transformer_parts.run("nothing", seed, TIMES * transformer_parts.STEPS)
    return diary_of_lockers.run(case, seed, TIMES * diary_of_lockers.STEPS)
