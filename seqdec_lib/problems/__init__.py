"""The worlds of the book: array dynamics, an exact model, and a Gymnasium environment each.

Read `base` first (what every problem offers, and what a policy sees), then `travel_tree` on its
`rail` network and in the shape of `heap_tree`, the tree that the whole book walks; `tree_policies`
says what any policy does on it.
`key_to_door`, `shortest_path` and `racetrack` are later chapters' worlds, `tabular_problem` makes
one of arrays or of a Gymnasium environment, and `gym_adapter` makes an environment of any.
"""

from seqdec_lib.problems.base import History, Policy, Problem
from seqdec_lib.problems.gym_adapter import ProblemEnv, ProblemVectorEnv
from seqdec_lib.problems.key_to_door import KeyToDoor
from seqdec_lib.problems.racetrack import COAST, Lap, Racetrack
from seqdec_lib.problems.rail import CITIES, CITY_NAMES, distances_km
from seqdec_lib.problems.shortest_path import ShortestPath
from seqdec_lib.problems.tabular_problem import TabularProblem, from_gymnasium
from seqdec_lib.problems.travel_tree import TravelTree
from seqdec_lib.problems.tree_policies import (
    soft_backward_induction,
    table_on_tree,
    trip_probabilities,
)

__all__ = [
    "CITIES",
    "CITY_NAMES",
    "COAST",
    "History",
    "KeyToDoor",
    "Lap",
    "Policy",
    "Problem",
    "ProblemEnv",
    "ProblemVectorEnv",
    "Racetrack",
    "ShortestPath",
    "TabularProblem",
    "TravelTree",
    "distances_km",
    "from_gymnasium",
    "soft_backward_induction",
    "table_on_tree",
    "trip_probabilities",
]
