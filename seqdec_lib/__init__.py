"""The shared library of *Sequential Decision-Making with Transformers*.

Eight rooms that stand on each other and read as the book does: a problem (`problems`) has an exact
model (`mdp`), is acted in and measured (`experience`), learned (`learning`), read as a sequence
(`sequences`), spoken about (`language`) and judged by people (`feedback`). `book` is what a chapter
itself needs, and `checks` marks the exercises. An import goes from a later room to an earlier one.
"""

from gymnasium.envs.registration import register, registry

__version__ = "2.0.0"

# Gymnasium no longer loads plugins by itself, so that importing anything of ours tells it about the
# problems; `gymnasium.make("seqdec_lib:seqdec/TravelTree-v0")` does both at once.
for _name in ("KeyToDoor", "Racetrack", "ShortestPath", "TravelTree"):
    if f"seqdec/{_name}-v0" not in registry:
        register(
            id=f"seqdec/{_name}-v0",
            entry_point="seqdec_lib.problems.gym_adapter:make_env",
            vector_entry_point="seqdec_lib.problems.gym_adapter:make_vector_env",
            kwargs={"problem": _name},
        )
