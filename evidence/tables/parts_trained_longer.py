"""Chapter 5: the Transformer without its parts after three times as many steps, and what it knows.

The table `transformer_parts` says what is trained and how it is measured. Here the loss is also
measured on the trips that were trained on ("known"), in the same mornings. The first case counts:
it predicts with the exact frequencies of all training trips, as if it had read endlessly many."""

import numpy as np
import torch
from torch import Tensor, nn

from evidence.tables import transformer_parts as parts
from seqdec_lib.sequences import Batch, choice_log_probabilities, fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("counts", "nothing", "normalization", "residuals")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
STEPS = 600
NAMES = ("action", "reward")
READERS = {  # what a counting reader knows: tokens, counted from the city of the morning
    "action, city": (0,),
    "action, two days": (-3, 0),
    "reward, city": (0, 1),
    "reward, two days": (-3, -2, -1, 0, 1),
}
NEVER = 1e-4  # spread over all answers; of 1e-6 to 1e-2 the best for stars, seeds 101 to 103


def run(case: str, seed: int) -> dict[str, float]:
    """Losses in nats in the last three mornings, on trips with known and with new beginnings."""
    (train, weights), test, chances = parts.data(seed)
    if case == "counts":
        return counted(train.tokens, weights / weights.sum(), test.tokens, chances)
    torch.manual_seed(seed)
    model = parts.without(case)
    draw = minibatches(train, parts.ROWS, weights=weights)
    fit(model, draw, STEPS, learning_rate=parts.RATE, seed=seed)
    model.eval()
    found = dict(zip(NAMES, losses(model, test, chances), strict=True))
    known = losses(model, train, weights / weights.sum())
    found |= dict(zip([f"{name}, known" for name in NAMES], known, strict=True))
    for i, name in enumerate(NAMES):
        for reader, start in (("trip", None), ("two days", -3), ("city", 0), ("last word", i)):
            floors = []
            for day in range(parts.BEGINNING, parts.DAYS):
                first = 0 if start is None else 3 * day + start
                floors.append(parts.entropy(test.tokens, chances, first, 3 * day + 1 + i))
            found[f"{name}, best with {reader}"] = float(np.mean(floors))
    return found


@torch.no_grad()
def losses(model: nn.Module, trips: Batch, chances: Tensor) -> list[float]:
    """The exact loss of the action and of the stars, in the mornings after the beginning."""
    late = 2 * (parts.DAYS - parts.BEGINNING)
    surprise = -choice_log_probabilities(model, trips)[:, -late:]  # action, stars, action, ...
    return [(chances @ surprise[:, i::2].double().mean(1)).item() for i in (0, 1)]


def counted(known: Tensor, weights: Tensor, new: Tensor, chances: Tensor) -> dict[str, float]:
    """The loss of exact frequencies on all mornings of the known trips, on the new ones.

    With each, the share of questions whose answer never came after what the reader knows."""
    a, share, b, chance = known.numpy(), weights.numpy(), new.numpy(), chances.numpy()
    found = {}
    for reader, offsets in READERS.items():
        answers = 3 if reader.startswith("action") else 21
        counts: dict[tuple, np.ndarray] = {}
        for t in range(1, parts.DAYS):
            columns = [3 * t + o for o in (*offsets, offsets[-1] + 1)]
            seen, which = np.unique(a[:, columns], axis=0, return_inverse=True)
            sums = np.bincount(which.ravel(), share)
            for (*key, answer), weight in zip(seen.tolist(), sums, strict=True):
                row = counts.setdefault(tuple(key), np.zeros(parts.VOCABULARY))
                row[answer] += weight
        loss = unseen = 0.0
        late = range(parts.BEGINNING, parts.DAYS)
        for t in late:
            columns = [3 * t + o for o in (*offsets, offsets[-1] + 1)]
            for (*key, answer), weight in zip(b[:, columns].tolist(), chance, strict=True):
                row = counts.get(tuple(key), np.zeros(parts.VOCABULARY))
                p = (row[answer] + NEVER / answers) / (row.sum() + NEVER)
                loss -= weight * np.log(p) / len(late)
                unseen += weight * (row[answer] == 0) / len(late)
        found |= {reader: float(loss), f"{reader}, unseen": float(unseen)}
    return found
