"""Batches from a dataset that stays on disk."""

import numpy as np
import torch

from seqdec_lib.experience.shards import Shards
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.losses import Batch
from seqdec_lib.sequences.training import Draw
from seqdec_lib.validation import whole_number

BLOCK = 256


def shard_minibatches(shards: Shards, layout: TokenLayout, size: int) -> Draw:
    """`minibatches(layout.encode(data), size)` of data on disk: the same batches, one after the
    other, but only the episodes of a batch are read, when it is drawn.

    Raises ValueError: a size below 1; when drawing, states or actions without a token."""
    size = whole_number("size", size, least=1)
    counts = layout.window_counts(shards.lengths)
    # A running sum over all episodes would be larger than many a dataset's lengths; so there is one
    # over blocks of episodes, and within a block it is made when it is needed.
    of_blocks = np.add.reduceat(counts, np.arange(0, len(counts), BLOCK), dtype=np.int64)
    ends = of_blocks.cumsum()

    def draw(generator: torch.Generator) -> Batch:
        chosen = torch.randint(int(ends[-1]), (size,), generator=generator, device="cpu").numpy()
        blocks = np.searchsorted(ends, chosen, side="right")
        chosen = chosen - ends[blocks] + of_blocks[blocks]  # counted from the block's first window
        places = blocks[:, None] * BLOCK + np.arange(BLOCK)  # (size, BLOCK) episodes
        within = counts[np.minimum(places, len(counts) - 1)].cumsum(1)
        episodes = (within <= chosen[:, None]).sum(1)
        windows = within[np.arange(size), episodes] - chosen  # counted from the episode's last one
        episodes += blocks * BLOCK
        starts = counts[episodes] - windows
        return layout.encode(shards[episodes], (np.arange(size), starts))

    return draw
