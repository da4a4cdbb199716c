"""Chapter 5: a part taken away again, from larger random weights; and a table of counts instead.

The table `transformer_parts` says what is trained and how it is measured. There, all variants start
with the small weights that suit the whole model. Here token and position vectors start with a
spread of 0.7 and each matrix with one over the root of its inputs, so that signals keep their size
without normalization too. `heads and scaling` starts small, with both changes at a time."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from evidence.tables import transformer_parts as parts
from seqdec_lib.sequences import choice_log_probabilities, fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
WIDE = ("nothing", "attention", "residuals", "normalization")
CASES = (*(f"{part}, wide" for part in WIDE), "heads and scaling", "two days counted")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
VECTORS = 0.7  # spread of token and position vectors at a wide start
BATCHES = (200, 600)  # as many trips are counted as a network reads in so many steps


def run(case: str, seed: int) -> dict[str, float]:
    """Losses in nats on trips with new beginnings, in the mornings after the beginning."""
    train, test, chances = parts.data(seed)
    if case == "two days counted":
        return counted(train, test.tokens, chances, seed)
    torch.manual_seed(seed)
    model = parts.without("scaling" if case == "heads and scaling" else case.split(",")[0])
    if case == "heads and scaling":
        for block in model.blocks:
            block.attention.heads = 1
    else:
        widen(model)
    draw = minibatches(train[0], parts.ROWS, weights=train[1])
    result = fit(model, draw, parts.STEPS, learning_rate=parts.RATE, seed=seed)
    with torch.no_grad():
        surprise = -choice_log_probabilities(model, test)  # (trips, 6): action, stars, action, ...
    losses = [(chances @ surprise[:, i::2].double().mean(1)).item() for i in (0, 1)]
    last = float(np.mean(result.losses[-30:]))
    return {"action": losses[0], "reward": losses[1], "training": last}


def widen(model: nn.Module) -> None:
    """Start anew, with weights under which a signal keeps its size."""
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=VECTORS)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=1 / math.sqrt(module.in_features))


def counted(train: tuple, new: Tensor, chances: Tensor, seed: int) -> dict[str, float]:
    """The loss of shares counted given two days, and the best loss with them.

    The action is counted given yesterday's and today's city; the stars given all words of yesterday
    and of today. One more observation is spread evenly over all possible answers."""
    generator, found = torch.Generator().manual_seed(seed), {}
    late = range(parts.BEGINNING, parts.DAYS)
    for what, offsets, answers in (("action", (-3, 0, 1), 3), ("reward", range(-3, 3), 21)):
        columns = [3 * t + offsets[-1] for t in late]
        pairs = zip(late, columns, strict=True)
        floors = [parts.entropy(new, chances, 3 * t - 3, c) for t, c in pairs]
        found[f"{what}, best with two days"] = float(np.mean(floors))
        for batches in BATCHES:
            seen = minibatches(train[0], parts.ROWS * batches, weights=train[1])(generator).tokens
            counts: dict[tuple, np.ndarray] = {}
            for t in range(1, parts.DAYS):
                for *known, answer in seen[:, [3 * t + o for o in offsets]].tolist():
                    row = counts.setdefault(tuple(known), np.full(parts.VOCABULARY, 1 / answers))
                    row[answer] += 1
            losses = []
            for t in late:
                rows = new[:, [3 * t + o for o in offsets]].tolist()
                share = [_share(counts.get(tuple(row[:-1])), row[-1], answers) for row in rows]
                losses.append(-(chances.numpy() @ np.log(share)))
            found[f"{what}, {batches}"] = float(np.mean(losses))
    return found


def _share(row: np.ndarray | None, answer: int, answers: int) -> float:
    """The predicted chance of an answer; a row starts with 1 / answers at each word."""
    if row is None:
        return 1 / answers
    return row[answer] / (row.sum() - (len(row) - answers) / answers)
