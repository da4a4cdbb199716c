"""Learning without a network that reads sequences: chapters 3, 4 and 6.

In the order in which it reads: `targets` (all that tells the tabular methods apart), `table`,
`exploration`, `tabular`; `world_model` (counts), `neural_model`, `simulation_lemma` (what a wrong
model costs), `dyna`, `planning`; and `gumbel`, gradients through a choice.

However they learn or plan, they end alike: in action values (..., A), of which `greedy` makes a
policy that `collect` plays and `regret_of` judges. A planner that is asked before each step becomes
one by `planning_policy`.
"""

from seqdec_lib.learning.dyna import DynaQ
from seqdec_lib.learning.exploration import greedy, linear_decay
from seqdec_lib.learning.gumbel import (
    gumbel_max,
    gumbel_noise,
    gumbel_softmax,
    leave_one_out,
    score_function_loss,
)
from seqdec_lib.learning.neural_model import NeuralModel
from seqdec_lib.learning.planning import planning_policy, random_shooting, tree_search
from seqdec_lib.learning.simulation_lemma import (
    perturbed,
    simulation_lemma_bound,
    total_variation,
)
from seqdec_lib.learning.table import Transitions, harmonic
from seqdec_lib.learning.tabular import TabularLearner, learning_curve, settled
from seqdec_lib.learning.world_model import CountModel, transitions_of

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
