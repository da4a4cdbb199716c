"""Chapter 12: what learners make of their own trips, looked at after each of several budgets.

They have the step size and the share of random choices that `world_models_settings` chose for them,
and are read greedily, on the book's tree without cancellations."""

from evidence.tables.world_models_settings import BestReturn
from seqdec_lib.learning import TabularLearner, learning_curve
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4)
CASES = ("Best return seen", "Q-learning")
AGREEMENT = 0.05
BUDGETS = (1000, 3000)  # trips
LEARNERS = 10
OPTIONS = {"step_size": 1.0, "exploration": 0.5}


def run(case: str, seed: int) -> dict[str, float]:
    """Mean regrets of ten learners, by trips."""
    tree = TravelTree()
    kind = BestReturn if case == "Best return seen" else TabularLearner
    learner = kind(tree, replicas=LEARNERS, seed=seed, **OPTIONS)
    steps = [tree.horizon * trips for trips in BUDGETS]
    curve = learning_curve(learner, steps).mean(axis=1)
    return {str(trips): float(value) for trips, value in zip(BUDGETS, curve, strict=True)}
