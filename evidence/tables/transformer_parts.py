"""Chapter 5: what is lost when one part of the Transformer is taken away, after the same training.

Travelers on a tree of nine days roll a die, but never return to the city where they woke up
yesterday. The model reads their trips, a city, an action and the stars of the night per day, and
names the next action and the next stars. It is trained on fresh trips with two thirds of all
six-day beginnings. Its loss is exact: all trips with the other beginnings, weighted by how likely
they are, in the three mornings that follow."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from seqdec_lib.problems import TravelTree, trip_probabilities
from seqdec_lib.sequences import (
    Batch,
    Transformer,
    choice_log_probabilities,
    fit,
    minibatches,
)
from seqdec_lib.sequences.transformer import SelfAttention

SEEDS = (0, 1, 2, 3, 4)
CASES = (
    "nothing",
    "attention",
    "scaling",
    "heads",
    "residuals",
    "normalization",
    "MLP",
    "positions",
)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
DAYS, BEGINNING, CITIES = 9, 6, 24
VOCABULARY = CITIES + 3 + 21  # a night earns 0 to 20 half stars
STEPS, ROWS, RATE = 200, 16, 0.01


def run(case: str, seed: int, steps: int = STEPS) -> dict[str, float]:
    """Losses in nats on trips with new beginnings, in the mornings after the beginning."""
    train, test, chances = data(seed)
    torch.manual_seed(seed)
    model = without(case)
    draw = minibatches(train[0], ROWS, weights=train[1])
    result = fit(model, draw, steps, learning_rate=RATE, seed=seed)
    with torch.no_grad():
        surprise = -choice_log_probabilities(model, test)  # (trips, 6): action, stars, action, ...
    losses = [(chances @ surprise[:, i::2].double().mean(1)).item() for i in (0, 1)]
    last = float(np.mean(result.losses[-30:]))
    found = {"action": losses[0], "reward": losses[1], "training": last}
    for i, what in enumerate(("action", "reward")):
        columns = [3 * t + 1 + i for t in range(BEGINNING, DAYS)]
        for name, start in (("trip", lambda column: 0), ("city", lambda column: 3 * (column // 3))):
            floors = [entropy(test.tokens, chances, start(c), c) for c in columns]
            found[f"{what}, best with {name}"] = float(np.mean(floors))
    return found


def entropy(tokens: Tensor, chances: Tensor, first: int, column: int) -> float:
    """Mean entropy in nats of a column of tokens, for one who knows those from `first` up to it."""
    _, label = np.unique(tokens[:, first:column].numpy(), axis=0, return_inverse=True)
    joint = np.zeros((label.max() + 1, VOCABULARY))
    np.add.at(joint, (label, tokens[:, column].numpy()), chances.numpy())
    share = joint / joint.sum(axis=1, keepdims=True)
    return float(-(joint * np.log(np.where(share > 0, share, 1))).sum())


def data(seed: int) -> tuple[tuple[Batch, Tensor], Batch, Tensor]:
    """All trips with known beginnings and their chances; those with new ones and theirs."""
    tree = TravelTree(horizon=DAYS)
    ways, actions = tree.ways(DAYS), tree.histories(DAYS).actions  # (leaves, DAYS + 1), (.., DAYS)
    city = tree.trips_at(ways.ravel()).city.reshape(ways.shape)
    earned = np.diff(2 * tree.stars_and_km(ways.ravel())[0].reshape(ways.shape), axis=1)
    steps = [city[:, :-1], CITIES + actions, CITIES + 3 + earned]
    tokens = torch.from_numpy(np.stack(steps, 2).reshape(len(ways), -1).astype(np.int64))
    chances = torch.from_numpy(trip_probabilities(tree, restless(tree)))
    beginning = np.arange(len(ways)) // 3 ** (DAYS - BEGINNING)
    new = np.random.default_rng(seed).permutation(3**BEGINNING) < 3 ** (BEGINNING - 1)
    held_out = torch.from_numpy(new[beginning])
    at = torch.arange(3 * DAYS).view(-1, 3)[:, :2].flatten()  # cities and actions
    late = at[2 * BEGINNING :]
    possible = chances > 0
    held_out, chances, tokens = held_out[possible], chances[possible], tokens[possible]
    known = Batch(tokens[~held_out], tokens[~held_out][:, at + 1], at=at)
    unknown = Batch(tokens[held_out], tokens[held_out][:, late + 1], at=late)
    return (known, chances[~held_out]), unknown, chances[held_out] / chances[held_out].sum()


def restless(tree: TravelTree) -> np.ndarray:
    """A die over the actions that don't lead back to yesterday's city: (first_leaf, 3)."""
    nodes = np.arange(1, tree.n_states)
    city = tree.trips_at(np.arange(tree.n_states)).city
    back = city[nodes] == city[tree.before(tree.before(nodes))]
    back[: tree.branching] = False  # there is no yesterday on the first morning
    weights = 1.0 - back.reshape(-1, tree.branching)
    return weights / weights.sum(axis=1, keepdims=True)


# -- one part taken away


def without(part: str) -> Transformer:
    """The chapter's Transformer without one of its parts."""
    model = Transformer(
        VOCABULARY,
        context=3 * DAYS,
        width=32,
        layers=2,
        heads=1 if part == "heads" else 4,
        positions=part != "positions",
        init_std=0.5 / math.sqrt(32),
    )
    if part == "normalization":
        model.norm = nn.Identity()
    for block in model.blocks:
        if part == "attention":
            block.attention.__class__ = Blind
        if part == "scaling":
            block.attention.__class__ = Unscaled
        if part == "residuals":
            block.forward = lambda x, at, *seen, block=block: straight(block, x, at, *seen)
        if part == "normalization":
            block.norm_1 = block.norm_2 = nn.Identity()
        if part == "MLP":
            block.mlp = Nothing()
    return model


class Nothing(nn.Module):
    """Adds nothing to what was there."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


class Blind(SelfAttention):
    """Each position sees itself only."""

    def forward(self, x: Tensor, at: Tensor | None, *seen: object) -> Tensor:
        value = self.to_qkv(x).chunk(3, dim=-1)[2]
        return self.out(value if at is None else value[:, at])


class Unscaled(SelfAttention):
    """Scores that are not divided by the root of their length."""

    def forward(self, x: Tensor, at: Tensor | None, *seen: object) -> Tensor:
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, H, T, W / H)
            for part in self.to_qkv(x).chunk(3, dim=-1)
        )
        causal = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
        scores = (q @ k.transpose(-2, -1)).masked_fill(~causal, -math.inf)
        mixed = self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        return mixed if at is None else mixed[:, at]


def straight(block: nn.Module, x: Tensor, at: Tensor | None, *seen: object) -> Tensor:
    """A block whose input reaches its output only through its two functions."""
    return block.mlp(block.norm_2(block.attention(block.norm_1(x), at, *seen)))
