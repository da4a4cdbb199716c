"""Chapter 5: the Transformer without its parts after three times as many steps, and what it knows.

The table `transformer_parts` says what is trained and how it is measured. Here the loss is also
measured on the trips that were trained on ("known"), in the same mornings. The first case counts:
it predicts with the exact frequencies of all training trips, as if it had read endlessly many, and
`told` stands for the same with the frequencies of all trips: what two days tell at best."""

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
NEVER = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # added to the shares after each past, over all answers


def run(case: str, seed: int) -> dict[str, float]:
    """Losses in nats in the last three mornings, on trips with known and with new beginnings."""
    (train, weights), test, chances = parts.data(seed)
    if case == "counts":
        found = counting(
            train.tokens.numpy(), weights.numpy(), test.tokens.numpy(), chances.numpy()
        )
        return found | told(train.tokens, weights, test.tokens, chances)
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


def counting(known: np.ndarray, weights: np.ndarray, new: np.ndarray, chances: np.ndarray) -> dict:
    """The loss of the shares of the known trips on the new ones, and what was added to the shares.

    What is added is chosen for each reader on the trips of a third of the known beginnings."""
    start = np.unique(known[:, : 3 * parts.BEGINNING], axis=0, return_inverse=True)[1].ravel()
    lot = np.random.default_rng(0).permutation(start.max() + 1)
    aside = lot[start] < len(lot) // 3
    found = {}
    for reader in READERS:
        tried = [
            counted(reader, never, known[~aside], weights[~aside], known[aside], weights[aside])
            for never in NEVER
        ]
        never = NEVER[int(np.argmin(tried))]
        found[f"{reader}, never"] = never
        found[reader] = counted(reader, never, known, weights, new, chances)
    return found


def counted(
    reader: str,
    never: float,
    known: np.ndarray,
    weights: np.ndarray,
    new: np.ndarray,
    chances: np.ndarray,
) -> float:
    """The loss on the late mornings of new trips, of a reader that counted all known mornings."""
    offsets, answers = READERS[reader], 3 if reader.startswith("action") else 21
    shares, chances = weights / weights.sum(), chances / chances.sum()
    counts: dict[tuple, np.ndarray] = {}
    for t in range(1, parts.DAYS):
        columns = [3 * t + o for o in (*offsets, offsets[-1] + 1)]
        seen, which = np.unique(known[:, columns], axis=0, return_inverse=True)
        sums = np.bincount(which.ravel(), shares)
        for (*key, answer), share in zip(seen.tolist(), sums, strict=True):
            counts.setdefault(tuple(key), np.zeros(parts.VOCABULARY))[answer] += share
    loss, late = 0.0, range(parts.BEGINNING, parts.DAYS)
    for t in late:
        columns = [3 * t + o for o in (*offsets, offsets[-1] + 1)]
        for (*key, answer), chance in zip(new[:, columns].tolist(), chances, strict=True):
            row = counts.get(tuple(key), np.zeros(parts.VOCABULARY))
            p = (row[answer] + never / answers) / (row.sum() + never)
            loss -= chance * np.log(p) / len(late)
    return float(loss)


def told(known: Tensor, weights: Tensor, new: Tensor, chances: Tensor) -> dict[str, float]:
    """The loss on the new trips of a reader that knows two days, and the true chances after them.

    These are the shares among all trips, known and new, on the same morning."""
    trips = torch.cat([known, new]).numpy()
    share = torch.cat([weights, chances * (1 - weights.sum())]).numpy()
    of_new = np.concatenate([np.zeros(len(known)), chances.numpy()])
    found = {}
    for i, name in enumerate(NAMES):
        losses = []
        for t in range(parts.BEGINNING, parts.DAYS):
            past, word = trips[:, 3 * t - 3 : 3 * t + 1 + i], trips[:, 3 * t + 1 + i]
            row = np.unique(past, axis=0, return_inverse=True)[1].ravel()
            joint = np.zeros((row.max() + 1, parts.VOCABULARY))
            np.add.at(joint, (row, word), share)
            losses.append(-of_new @ np.log(joint[row, word] / joint[row].sum(1)))
        found[f"{name}, told two days"] = float(np.mean(losses))
    return found
