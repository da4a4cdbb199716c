"""Beyond imitation: losses that climb a reward, or learn from which of two was preferred.

`finetune` has the policy gradient and PPO with a KL penalty, `preferences` the reward model and
DPO. All of them are losses for `sequences.fit`; a `Sampler` draws what the first two need.
"""

from seqdec_lib.feedback.finetune import (
    Sampler,
    Samples,
    kl_divergence,
    policy_gradient_loss,
    ppo_loss,
)
from seqdec_lib.feedback.preferences import (
    Comparisons,
    agreement,
    bradley_terry,
    compare,
    dpo_loss,
    reward_loss,
    scores,
)

__all__ = [
    "Comparisons",
    "Sampler",
    "Samples",
    "agreement",
    "bradley_terry",
    "compare",
    "dpo_loss",
    "kl_divergence",
    "policy_gradient_loss",
    "ppo_loss",
    "reward_loss",
    "scores",
]
