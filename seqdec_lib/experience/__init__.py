"""What was lived through, and what it was worth.

`trajectories` holds the one container that every learner reads and every policy writes, and
`collect`, which fills it. `evaluation` gives exact values, means with intervals, and the only
definition of regret. `storage` keeps trajectories in files.
"""

from seqdec_lib.experience.evaluation import (
    Estimate,
    estimate_return,
    mean_interval,
    regret,
    regret_of,
    share_interval,
)
from seqdec_lib.experience.storage import from_minari, load, save, to_minari
from seqdec_lib.experience.trajectories import (
    Trajectories,
    as_policy,
    collect,
    collect_mixture,
    concatenate,
    sample_actions,
)

__all__ = [
    "Estimate",
    "Trajectories",
    "as_policy",
    "collect",
    "collect_mixture",
    "concatenate",
    "estimate_return",
    "from_minari",
    "load",
    "mean_interval",
    "regret",
    "regret_of",
    "sample_actions",
    "save",
    "share_interval",
    "to_minari",
]
