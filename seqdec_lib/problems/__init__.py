"""The problems of the book: array dynamics, an exact model, and a Gymnasium environment each."""

from seqdec_lib.problems.base import Problem
from seqdec_lib.problems.gym_adapter import ProblemEnv, ProblemVectorEnv
from seqdec_lib.problems.key_to_door import KeyToDoor
from seqdec_lib.problems.racetrack import Lap, Racetrack
from seqdec_lib.problems.shortest_path import ShortestPath
from seqdec_lib.problems.tabular_problem import TabularProblem, from_gymnasium
from seqdec_lib.problems.travel_tree import TravelTree

__all__ = [
    "KeyToDoor",
    "Lap",
    "Problem",
    "ProblemEnv",
    "ProblemVectorEnv",
    "Racetrack",
    "ShortestPath",
    "TabularProblem",
    "TravelTree",
    "from_gymnasium",
]
