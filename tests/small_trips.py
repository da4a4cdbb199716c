"""Trips through a small tree, and models that read them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqdec_lib.experience.trajectories import Trajectories, collect
from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences.layout import GOALS, TokenLayout
from tests.small_models import with_large_weights

TREE = TravelTree(horizon=4, dense=True)  # rewards on the way, so that returns-to-go change

goals = pytest.mark.parametrize("goal", GOALS)

kinds = pytest.mark.parametrize("kind", ["transformer", "lstm"])


def trips(episodes: int = 30, seed: int = 0) -> Trajectories:
    return collect(TREE, None, episodes, seed)


def cut(data: Trajectories, seed: int = 0) -> Trajectories:
    """The same trips, broken off after 1 to T steps."""
    lengths = np.random.default_rng(seed).integers(1, data.actions.shape[1] + 1, len(data))
    mask = np.arange(data.actions.shape[1]) < lengths[:, None]
    return replace(data, mask=mask, rewards=np.where(mask, data.rewards, 0))


def made(layout: TokenLayout, kind: str = "transformer") -> torch.nn.Module:
    torch.manual_seed(0)
    return with_large_weights(getattr(layout, kind)(width=16))


def asked(layout: TokenLayout) -> float | None:
    return None if layout.goal is None else layout.return_range[1]
