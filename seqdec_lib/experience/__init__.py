"""What was lived through, and what it was worth.

`trajectories` holds the one container that every learner reads and every policy writes, and
`collect`, which fills it. `evaluation` gives exact values, means with intervals, and the only
definition of regret. `storage` keeps trajectories in files, `shards` those that need more room
than there is memory."""

from seqdec_lib.experience.evaluation import (
    Estimate,
    estimate_return,
    mean_interval,
    regret,
    regret_of,
    share_interval,
)
from seqdec_lib.experience.shards import Shards, save_shards
from seqdec_lib.experience.storage import from_minari, load, minari_parts, save, to_minari
from seqdec_lib.experience.trajectories import (
    Trajectories,
    as_policy,
    collect,
    collect_mixture,
    concatenate,
    sample_actions,
)
