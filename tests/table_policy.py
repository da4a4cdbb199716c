"""A policy on a tree that is nothing but a table, read like any sequence model."""

import numpy as np
import torch
from torch import Tensor, nn


class TablePolicy(nn.Module):
    """Rows of logits, one a node; tokens are as `TokenLayout` makes them without a goal."""

    def __init__(self, policy: np.ndarray) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.from_numpy(np.log(policy)))

    def forward(self, tokens: Tensor, mask: Tensor | None, at: Tensor) -> Tensor:
        """(N, T) -> (N, K, A): where states stand, actions are asked for."""
        return self.logits[tokens[:, at]]
