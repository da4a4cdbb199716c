"""The problems of the book: array dynamics, an exact model, and a Gymnasium environment each."""

from seqdec_lib.problems.base import Problem
from seqdec_lib.problems.gym_adapter import ProblemEnv, ProblemVectorEnv
from seqdec_lib.problems.travel_tree import TravelTree

__all__ = ["Problem", "ProblemEnv", "ProblemVectorEnv", "TravelTree"]
