"""Which step size and which exploration suit the learners of chapter 3? Tried on other data.

Each learner is tried with every pair of a step size and a schedule of exploration, on the trees of
the seeds 1 to 3; the book's own tree, seed 0, is never asked. A pair is as good as the mean regret
of its greedy policy after 300, 1,000 and 3,000 trips, over twenty learners.

Three worlds in which chance decides follow, for Q-learning and falling exploration: the same trees
with canceled trains, and Gymnasium's FrozenLake and Taxi, with seeds of 101 to 103, which the
chapter does not use."""

from seqdec_lib.learning import TabularLearner, harmonic, learning_curve, linear_decay
from seqdec_lib.problems import TravelTree, from_gymnasium

SEEDS = (1, 2, 3)  # of the trees
LEARNERS = (
    "monte_carlo",
    "sarsa",
    "expected_sarsa",
    "q_learning",
    "sarsa_lambda",
    "double_q_learning",
)
CASES = (*LEARNERS, "canceled", "FrozenLake-v1", "Taxi-v4")
AGREEMENT = 0.05  # nothing here is a sum whose order may change

TRIPS = (300, 1000, 3000)
STEP_SIZES = {
    "0.5": 0.5,
    "1": 1.0,
    "visits ** -0.5": harmonic(0.5),
    "1 / visits": harmonic(1.0),
}
IN_NOISE = {
    "0.1": 0.1,
    "0.5": 0.5,
    "visits ** -0.5": harmonic(0.5),
    "visits ** -0.8": harmonic(0.8),
}


def run(case: str, seed: int) -> dict[str, float]:
    """The mean regret of each pair of settings, for one learner or world."""
    if case in LEARNERS or case == "canceled":
        canceled = 0.1 if case == "canceled" else 0.0
        problem = TravelTree(seed=seed, cancel=canceled)
        steps = [trips * problem.horizon for trips in TRIPS]
        options = {"replicas": 20, "seed": seed}
    else:
        problem, steps = from_gymnasium(case, discount=0.99), [1000, 2000, 4000]
        options = {"replicas": 5, "chains": 20, "seed": 100 + seed}
    end = 0.05 if case in ("FrozenLake-v1", "Taxi-v4") else 0.1
    exploration = {"falling": linear_decay(1.0, end, steps[-1])}
    if case in LEARNERS:
        options["method"] = case
        exploration["0.4"] = 0.4
    found = {}
    for schedule, epsilon in exploration.items():
        for name, step_size in (STEP_SIZES if case in LEARNERS else IN_NOISE).items():
            learner = TabularLearner(problem, step_size=step_size, exploration=epsilon, **options)
            found[f"{schedule}, {name}"] = float(learning_curve(learner, steps).mean())
    return found
