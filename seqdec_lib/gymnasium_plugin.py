"""Tells Gymnasium about the book's problems.

Importing anything of `seqdec_lib` registers them, so that `gymnasium.make("seqdec/TravelTree-v0")`
finds them. Where nothing of it is imported, `gymnasium.make("seqdec_lib:seqdec/TravelTree-v0")`
does both: Gymnasium imports what stands before the colon. (It no longer loads plugins by itself
since version 1.)
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

PROBLEMS = ("KeyToDoor", "Racetrack", "ShortestPath", "TravelTree")


def register_problems() -> None:
    """Register each problem once as `seqdec/<Name>-v0`, single and vectorized."""
    for name in PROBLEMS:
        if f"seqdec/{name}-v0" not in registry:
            register(
                id=f"seqdec/{name}-v0",
                entry_point="seqdec_lib.problems.gym_adapter:make_env",
                vector_entry_point="seqdec_lib.problems.gym_adapter:make_vector_env",
                kwargs={"problem": name},
            )
