"""How much of the chapter's numbers is luck? All of it, with five seeds."""

from evidence.chapters import measure

READS = ("chapters/09_language_models.ipynb",)
SEEDS = range(5)
CASES = ("chapter",)
AGREEMENT = 0.1  # trained by floating-point sums, whose order may change


def run(case: str, seed: int) -> dict[str, float]:
    """Run the chapter with a seed: every number that it records."""
    return measure(READS[0], seed)
