"""Chapter 8: the paper's model on Key-to-Door, trained half as long again.

The table `paper_decision_transformer` says what is trained. Here `copies` is, of the episodes that
are sampled, the share that repeats a logged success action by action."""

from evidence.tables.paper_decision_transformer import measured

SEEDS = (0, 1, 2)
CASES = ("10K",)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
STEPS = 1200


def run(case: str, seed: int) -> dict[str, float]:
    """Success of the paper's model on its way, greedy and sampled."""
    return measured(case, seed, STEPS)
