"""Chapter 8: natural batches on Key-to-Door, and three times as much training.

The table `key_to_door` says what is trained and how it is measured."""

from evidence.tables import key_to_door

SEEDS = (0, 1, 2, 3, 4)
CASES = ("whole, natural",)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """As in the table of which this is a row, with more steps."""
    return key_to_door.run(case, seed, 3 * key_to_door.STEPS)
