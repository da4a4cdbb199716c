"""One model, one loss, one sampler: behavior cloning, Decision Transformer and language model.

`layout` says which tokens a trajectory becomes, and nothing else tells the methods apart.
`transformer` (and `lstm`, beside it) reads tokens, `training` fits it, `decoding` draws the next
token and the next, `policy` lets it act. `tokens` is what the models share.
"""

from seqdec_lib.sequences.decoding import beam_search, choose, distribution, generate, likely
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.policy import SequencePolicy
from seqdec_lib.sequences.training import (
    IGNORE,
    Batch,
    choice_log_probabilities,
    cross_entropy,
    fit,
    log_probabilities,
    minibatches,
    sequence_loss,
)
from seqdec_lib.sequences.transformer import Transformer

__all__ = [
    "IGNORE",
    "LSTM",
    "Batch",
    "SequencePolicy",
    "TokenLayout",
    "Transformer",
    "beam_search",
    "choice_log_probabilities",
    "choose",
    "cross_entropy",
    "distribution",
    "fit",
    "generate",
    "likely",
    "log_probabilities",
    "minibatches",
    "sequence_loss",
]
