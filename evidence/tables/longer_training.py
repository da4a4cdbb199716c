"""Chapter 5: what three times as much training does, and the diary with four notes.

The tables `transformer_parts` and `diary_of_lockers` say what is trained and how it is measured."""

from evidence.tables import diary_of_lockers, transformer_parts

SEEDS = (0, 1, 2, 3, 4)
CASES = ("trips", "LSTM, 8, longer", "Transformer, 4", "LSTM, 4")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
TIMES = 3  # as many steps


def run(case: str, seed: int) -> dict[str, float]:
    """As in the table of which this is a row."""
    if case == "trips":
        return transformer_parts.run("nothing", seed, TIMES * transformer_parts.STEPS)
    name, _, longer = case.rpartition(", longer")
    if not name:
        return diary_of_lockers.run(longer, seed)
    steps, rate = TIMES * diary_of_lockers.STEPS, diary_of_lockers.RATE / TIMES
    return diary_of_lockers.run(name, seed, steps, rate)
