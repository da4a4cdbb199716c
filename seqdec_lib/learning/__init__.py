"""Learning without a network that reads sequences: chapters 3, 4 and 6.

`tabular` moves the entries of a table toward a target; `world_model` counts what happened and
dreams in it, `neural_model` predicts it; `planning` looks ahead in either, or in the world itself;
`gumbel` carries gradients through a choice.
"""

from seqdec_lib.learning.gumbel import (
    gumbel_max,
    gumbel_noise,
    gumbel_softmax,
    leave_one_out,
    score_function_loss,
)
from seqdec_lib.learning.neural_model import NeuralModel
from seqdec_lib.learning.planning import greedy, planning_policy, random_shooting, tree_search
from seqdec_lib.learning.tabular import (
    TabularLearner,
    Transitions,
    harmonic,
    learning_curve,
    linear_decay,
    settled,
)
from seqdec_lib.learning.world_model import (
    CountModel,
    DynaQ,
    perturbed,
    simulation_lemma_bound,
    total_variation,
    transitions_of,
)

__all__ = [
    "CountModel",
    "DynaQ",
    "NeuralModel",
    "TabularLearner",
    "Transitions",
    "greedy",
    "gumbel_max",
    "gumbel_noise",
    "gumbel_softmax",
    "harmonic",
    "learning_curve",
    "leave_one_out",
    "linear_decay",
    "perturbed",
    "planning_policy",
    "random_shooting",
    "score_function_loss",
    "settled",
    "simulation_lemma_bound",
    "total_variation",
    "transitions_of",
    "tree_search",
]
