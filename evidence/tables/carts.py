"""Appendix A: carts by tokens, with one dock, or with a rock between two.

2,000 trips of carts, each with gains of its own, become tokens by 32 bins a dimension. Which of
them should a clone read? All, any tenth, the best tenth by the return, or the best tenth of the
trips that start in one cell of a grid over the first states ("alike"). Transformers that see the
present alone clone each of these, and so do small networks that read the numbers themselves, by
squared error. With one dock, such networks also read the bins, each with a weight of its own. A
Decision Transformer reads all trips and is asked for several returns. All are driven on 1,000
carts."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from seqdec_lib.experience.episodes import Episode, play
from seqdec_lib.problems.cart import FARTHEST, ROCK, Carts
from seqdec_lib.sequences import Transformer, fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import SpelledLayout

SEEDS = (0, 1, 2, 3, 4)
WORLDS = {"one dock": {}, "rock": {"docks": (-1.0, 1.0), "limit": 1.0, "rock": 5.0}}
CHOICES = ("all", "any", "tenth", "alike")
CASES = (
    *(f"{where}, asked" for where in WORLDS),
    *(f"{where}, {by}, {c}" for where in WORLDS for by in ("cloned", "numbers") for c in CHOICES),
    *(f"one dock, bins, {choice}" for choice in CHOICES),
)
STEPS, REGRESSED, ROWS, RATE = 300, 1200, 256, 4e-3
READINGS = {"greedy": {"temperature": 0.0}, "mean": {"mean": True}}
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
TRIPS, TESTS, BINS, SIDE, WISHES = 2000, 1000, 32, 8, (-20, -12, -8, -6, -4, -2)


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of one network on the carts of the test, also by where they start."""
    where, by, *choice = case.split(", ")
    envs, test = Carts(TRIPS, **WORLDS[where]), Carts(TESTS, **WORLDS[where])
    log = wild_trips(envs, seed)
    seen = np.concatenate([trip.observations for trip in log])
    looks = Bins.of(envs.single_observation_space, BINS, data=seen)
    pushes = Bins.of(envs.single_action_space, BINS)
    returns = np.array([trip.rewards.sum() for trip in log])
    starts = np.array([trip.observations[0] for trip in log])
    used = [log[i] for i in chosen(*choice, returns, cells_of(starts))] if choice else log
    found = {}

    def drive(name: str, act: Callable) -> None:
        trips = play(test, act, 1000 + seed)
        paid = np.array([trip.rewards.sum() for trip in trips])
        over = np.array([abs(trip.observations[0, 0]) < ROCK for trip in trips])
        parts = {"": paid, ", over": paid[over], ", outside": paid[~over]}
        found.update({name + part: float(some.mean()) for part, some in parts.items()})

    if by in ("numbers", "bins"):
        read = one_hot(looks) if by == "bins" else scaled(seen)
        drive("mean", regression(used, read, test.limit, seed))
        return found
    goal = "return_to_go" if by == "asked" else None
    layout = SpelledLayout.of(used, looks, pushes, goal, context=1)
    model = trained(layout, used, seed)
    for wish in WISHES if goal else (None,):
        for name, reading in READINGS.items():
            asked = name if wish is None else f"{name}, wish {wish}"
            drive(asked, layout.policy(model, wish or 0, seed=seed, **reading))
    return found


def trained(layout: SpelledLayout, log: list[Episode], seed: int) -> Transformer:
    """A Transformer that has read the log."""
    torch.manual_seed(seed)
    model = layout.transformer()
    fit(model, minibatches(layout.encode(log), ROWS), STEPS, learning_rate=RATE, seed=seed)
    return model


def cells_of(starts: np.ndarray) -> np.ndarray:
    """The cell of a grid that each first state (N, 2) lies in: its column and row, (N, 2)."""
    return np.floor((starts / FARTHEST + 1) * SIDE / 2)


def chosen(choice: str, returns: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Numbers of the episodes that a clone reads. cells: a row for each, the same for like starts.

    Episodes are independent, so the first tenth is as good as any."""
    order = np.argsort(-returns)
    if choice == "alike":
        groups = np.unique(cells, axis=0, return_inverse=True)[1]
        groups = [order[groups[order] == group] for group in range(groups.max() + 1)]
        return np.concatenate([group[: max(1, round(len(group) / 10))] for group in groups])
    tenth = len(returns) // 10
    return {"all": order, "any": np.arange(tenth), "tenth": order[:tenth]}[choice]


def scaled(seen: np.ndarray) -> Callable:
    """Numbers in units of their spread in the log."""
    spread = seen.std(axis=0)
    return lambda seen: torch.tensor(seen / spread).float()


def one_hot(bins: Bins) -> Callable:
    """For each number a one at its bin, and zeros at the others."""
    return lambda seen: torch.cat(
        [
            functional.one_hot(torch.tensor(column), size)
            for column, size in zip(bins.encode(seen).T, bins.sizes, strict=True)
        ],
        dim=1,
    ).float()


def regression(log: list[Episode], read: Callable, limit: float, seed: int) -> Callable:
    """A driver by a network with two hidden layers, fitted to the pushes by squared error."""
    seen = read(np.concatenate([trip.observations[:-1] for trip in log]))
    pushed = torch.tensor(np.concatenate([trip.actions for trip in log])).float()
    torch.manual_seed(seed)
    layers = nn.Linear(seen.shape[1], 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU()
    model = nn.Sequential(*layers, nn.Linear(32, pushed.shape[1]))

    def rows(generator: torch.Generator) -> torch.Tensor:
        return torch.randint(len(seen), (ROWS,), generator=generator)

    def loss(model: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(model(seen[rows]), pushed[rows])

    fit(model, rows, REGRESSED, learning_rate=RATE, seed=seed, loss=loss)

    @torch.no_grad()
    def act(seen: list, taken: list, paid: list) -> np.ndarray:
        return model(read(seen[-1])).numpy().clip(-limit, limit)

    return act


def wild_trips(envs: Carts, seed: int) -> list[Episode]:
    """One trip of each cart, which pushes towards a dock with gains of its own, and shakes."""
    rng = np.random.default_rng(seed)
    gains = rng.uniform(0, 4, (envs.num_envs, 2))
    home = rng.choice(envs.docks, envs.num_envs)

    def act(seen: list, taken: list, paid: list) -> np.ndarray:
        away, speed = seen[-1][:, 0] - home, seen[-1][:, 1]
        pushes = -gains[:, 0] * away - gains[:, 1] * speed + rng.normal(0, 0.5, len(home))
        return pushes.clip(-envs.limit, envs.limit)[:, None]

    return play(envs, act, seed)
