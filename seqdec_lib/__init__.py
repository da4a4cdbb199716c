"""The shared library of *Sequential Decision-Making with Transformers*.

The modules read top to bottom as the book does: a problem (`problems`) is solved exactly (`mdp`),
acted in (`trajectories`), measured (`evaluation`) and drawn (`plotting`). `book` is what a
chapter's first cell needs, and `checks` marks the exercises.
"""

from seqdec_lib.gymnasium_plugin import register_problems

__version__ = "0.1.0"

register_problems()
