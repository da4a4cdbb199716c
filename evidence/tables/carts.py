"""Appendix A: carts by tokens, with one dock, or with a rock between two.

2,000 trips of carts, each with gains of its own, become tokens by 32 bins a dimension. Which of
them should a clone read? All, the best tenth by the return, or the best tenth of the trips that
start in one cell of a grid over the first states ("alike"). Transformers that see the present
alone clone each of these, and so do small networks that read the numbers themselves, by squared
error. A Decision Transformer reads all trips. It is asked for what one in ten logged trips from the
cart's own cell surpassed and, with one dock, for several returns. All are driven on 1,000 carts.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from seqdec_lib.experience.episodes import Episode, play
from seqdec_lib.problems.cart import FARTHEST, Carts
from seqdec_lib.sequences import fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.spelled import SpelledLayout

SEEDS = (0, 1, 2, 3, 4)
WORLDS = {"one dock": {}, "rock": {"docks": (-1.0, 1.0), "limit": 1.0, "rock": 5.0}}
CHOICES = ("all", "tenth", "alike")
CASES = (
    *(f"{where}, asked" for where in WORLDS),
    *(f"{where}, {by}, {c}" for where in WORLDS for by in ("cloned", "numbers") for c in CHOICES),
)
STEPS, REGRESSED = {"one dock": 300, "rock": 1200}, 1200  # of Transformers, and of networks
ROWS, RATE = 256, 4e-3
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
TRIPS, TESTS, BINS, SIDE, SURPASSED = 2000, 1000, 32, 8, 0.9
WISHES = {"one dock": (-20, -12, -8, -6, -4, -2), "rock": ()}


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of one network on the carts of the test."""
    where, by, *choice = case.split(", ")
    envs, test = Carts(TRIPS, **WORLDS[where]), Carts(TESTS, **WORLDS[where])
    log = wild_trips(envs, seed)
    used = chosen(log, cells_of, *choice)
    seen = np.concatenate([trip.observations for trip in log])
    if by == "numbers":
        drivers = {"mean": regression(used, seen.std(axis=0), test.limit, seed)}
    else:
        looks = Bins.of(envs.single_observation_space, BINS, data=seen)
        pushes = Bins.of(envs.single_action_space, BINS)
        wishes = WISHES[where] if by == "asked" else None
        drivers = transformers(used, looks, pushes, wishes, cells_of, STEPS[where], seed)
    return {
        name: float(np.mean([trip.rewards.sum() for trip in play(test, act, 1000 + seed)]))
        for name, act in drivers.items()
    }


def transformers(
    log: list[Episode],
    looks: Bins,
    acts: Bins,
    wishes: tuple[float, ...] | None,
    cells: Callable,
    steps: int,
    seed: int,
) -> dict[str, Callable]:
    """A Transformer that has read the log, as a driver for each wish, by the mean of what it says.

    wishes : returns to ask for, beside the one by the start; None makes it a clone."""
    goal = None if wishes is None else "return_to_go"
    layout = SpelledLayout.of(log, looks, acts, goal, context=1)
    torch.manual_seed(seed)
    model = layout.transformer()
    fit(model, minibatches(layout.encode(log), ROWS), steps, learning_rate=RATE, seed=seed)
    policy = partial(layout.policy, model, mean=True)
    if wishes is None:
        return {"mean": policy()}
    found = {f"mean, wish {wish}": policy(wish) for wish in wishes}
    return found | {"mean, wish by the start": by_start(surpassed(log, cells), cells, policy)}


def surpassed(log: list[Episode], cells: Callable) -> dict[tuple, float]:
    """For each cell of starts, the return that one in ten of the logged trips from it surpassed."""
    returns = np.array([trip.rewards.sum() for trip in log])
    homes = cells(np.array([trip.observations[0] for trip in log]))
    return {
        tuple(home): float(np.quantile(returns[(homes == home).all(axis=1)], SURPASSED))
        for home in np.unique(homes, axis=0)
    }


def by_start(wishes: dict[tuple, float], cells: Callable, policy: Callable) -> Callable:
    """A driver that asks, from where it began, for the wish of that cell."""

    def act(seen: list, taken: list, paid: list) -> np.ndarray:
        asked = np.array([[wishes[tuple(home)]] for home in cells(seen[0])])
        return policy(asked)(seen, taken, paid)

    return act


def cells_of(starts: np.ndarray) -> np.ndarray:
    """The cell of a grid that each first state (N, 2) lies in: its column and row, (N, 2)."""
    return np.floor((starts / FARTHEST + 1) * SIDE / 2)


def chosen(log: list[Episode], cells: Callable, choice: str = "all") -> list[Episode]:
    """The trips that a clone reads. cells : from first states to rows, equal for similar starts."""
    order = np.argsort([-trip.rewards.sum() for trip in log])
    if choice == "alike":
        homes = cells(np.array([trip.observations[0] for trip in log]))
        groups = np.unique(homes, axis=0, return_inverse=True)[1]
        groups = [order[groups[order] == group] for group in range(groups.max() + 1)]
        order = np.concatenate([group[: max(1, round(len(group) / 10))] for group in groups])
    return [log[i] for i in (order[: len(log) // 10] if choice == "tenth" else order)]


def regression(
    log: list[Episode], spread: np.ndarray, limit: float, seed: int, steps: int = REGRESSED
) -> Callable:
    """A driver by a network with two hidden layers, fitted to the actions by squared error."""
    seen, pushed = (
        torch.tensor(np.concatenate(part)).float()
        for part in zip(*((t.observations[:-1] / spread, t.actions) for t in log), strict=True)
    )
    torch.manual_seed(seed)
    layers = nn.Linear(seen.shape[1], 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU()
    model = nn.Sequential(*layers, nn.Linear(32, pushed.shape[1]))

    def rows(generator: torch.Generator) -> torch.Tensor:
        return torch.randint(len(seen), (ROWS,), generator=generator)

    def loss(model: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(model(seen[rows]), pushed[rows])

    fit(model, rows, steps, learning_rate=RATE, seed=seed, loss=loss)

    @torch.no_grad()
    def act(seen: list, taken: list, paid: list) -> np.ndarray:
        return model(torch.tensor(seen[-1] / spread).float()).numpy().clip(-limit, limit)

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
