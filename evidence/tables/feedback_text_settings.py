"""Chapter 11: which rate and how many steps suit DPO and RLHF on text? Equal grids for both.

Tried on other countries and with other seeds than those that are shown. A setting is as good as
the mean probability of the short and right answer to questions that nobody compared answers for."""

from itertools import product

from evidence.tables.feedback_text import METHODS, OTHER_FACTS, Questions

SEEDS = (100, 101)
CASES = METHODS
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
RATES, STEPS = (1e-4, 3e-4, 1e-3, 3e-3), (40, 80, 160)


def run(case: str, seed: int) -> dict[str, float]:
    """What each setting gives on questions that nobody compared answers for."""
    questions = Questions(OTHER_FACTS, seed)
    found = {}
    for rate, steps in product(RATES, STEPS):
        model = questions.trained(case, rate, steps, seed)
        found[f"{rate:g}, {steps}"] = questions.read(model)["short, others"]
    return found
