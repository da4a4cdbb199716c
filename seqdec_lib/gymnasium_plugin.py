"""Tells Gymnasium about the book's problems, so that `gymnasium.make("seqdec/TravelTree-v0")` finds
them.

Gymnasium calls `register_problems` when it is imported (entry point "gymnasium.envs" of this
package). It is a module of its own because nothing else may be imported at that moment.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

PROBLEMS = ("KeyToDoor", "ShortestPath", "TravelTree")


def register_problems() -> None:
    """Register each problem once as `seqdec/<Name>-v0`, single and vectorised."""
    for name in PROBLEMS:
        if f"seqdec/{name}-v0" not in registry:
            register(
                id=f"seqdec/{name}-v0",
                entry_point="seqdec_lib.problems.gym_adapter:make_env",
                vector_entry_point="seqdec_lib.problems.gym_adapter:make_vector_env",
                kwargs={"problem": name},
            )
