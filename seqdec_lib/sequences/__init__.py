"""One model, one loss, one sampler: behavior cloning, Decision Transformer and language model.

`layout` says which tokens a trajectory becomes (its `GOALS` are the three methods side by side),
and nothing else tells the methods apart. `transformer` (and `lstm`, beside it) reads tokens,
`losses` and `training` fit it, `processes` on several machines and `windows` from a disk;
`decoding` draws the next token and the next, `policy` lets it act. `tokens` is what the models
share; `checkpoint` stores and loads weights."""

from seqdec_lib.sequences.decoding import beam_search, choose, distribution, generate
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.losses import (
    IGNORE,
    Batch,
    choice_log_probabilities,
    cross_entropy,
    log_probabilities,
    sequence_loss,
)
from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.policy import SequencePolicy
from seqdec_lib.sequences.tokens import evaluating
from seqdec_lib.sequences.training import fit, has_bfloat16, minibatches
from seqdec_lib.sequences.transformer import Transformer
from seqdec_lib.sequences.windows import shard_minibatches
