"""Appendix A: carts by tokens, with one dock, or with a rock between two.

2,000 trips of carts, each with gains of its own, become tokens by 32 bins a dimension. Three
networks that see the present alone: a Decision Transformer, asked for the return that one trip in
ten reached, a clone of all trips, and a clone of the best tenth. All are tried on 1,000 carts; over
the rock their returns are also split by where a cart starts, and other wishes are tried. With one
dock the Decision Transformer is trained three times as long, too. Their rivals read the numbers
themselves: small networks, fitted by squared error to the pushes of all trips or the best tenth."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from seqdec_lib.experience.episodes import Episode, play
from seqdec_lib.problems.cart import ROCK, Carts
from seqdec_lib.sequences import fit, minibatches
from seqdec_lib.sequences.bins import Bins
from seqdec_lib.sequences.losses import sequence_loss
from seqdec_lib.sequences.spelled import SpelledLayout
from seqdec_lib.sequences.tokens import evaluating

SEEDS = (0, 1, 2, 3, 4)
WORLDS = {"one dock": {}, "rock": {"docks": (-1.0, 1.0), "limit": 1.0, "rock": 5.0}}
GOALS = {"asked": "return_to_go", "cloned": None, "tenth": None}
REGRESSIONS = ("regression", "regression of the tenth")
CASES = (
    *(f"{where}, {kind}" for where in WORLDS for kind in (*GOALS, *REGRESSIONS)),
    "one dock, longer, asked",
)
STEPS, LONGER, REGRESSED = 300, 900, 1200
READINGS = {"greedy": {"temperature": 0.0}, "sampled": {}, "mean": {"mean": True}}
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
TRIPS, TESTS, ROWS, BINS, TOP, WISHES = 2000, 1000, 256, 32, 0.9, (-20, -10, -5, -2)


def run(case: str, seed: int) -> dict[str, float]:
    """Mean returns of one network on the carts of the test, and its loss on trips of its log and
    on others of the same drivers."""
    where, *longer, kind = case.split(", ")
    world, steps = WORLDS[where], LONGER if longer else STEPS
    envs, test = Carts(TRIPS, **world), Carts(TESTS, **world)
    log, others = wild_trips(envs, seed), wild_trips(envs, 100 + seed)
    seen = np.concatenate([trip.observations for trip in log])
    wish = np.quantile([trip.rewards.sum() for trip in log], TOP)
    if "tenth" in kind:
        log, others = best_tenth(log), best_tenth(others)
    found = {}

    def drive(name: str, act: Callable) -> None:
        trips = play(test, act, 1000 + seed)
        returns = np.array([trip.rewards.sum() for trip in trips])
        over = np.array([abs(trip.observations[0, 0]) < ROCK for trip in trips])
        found[name] = float(returns.mean())
        found[f"{name}, over"] = float(returns[over].mean())
        found[f"{name}, outside"] = float(returns[~over].mean())

    if kind in REGRESSIONS:
        drive("mean", regression(log, test.limit, seed))
        return found
    bins = Bins.of(envs.single_observation_space, BINS, data=seen)
    pushes = Bins.of(envs.single_action_space, BINS)
    layout = SpelledLayout.of(log, bins, pushes, GOALS[kind], context=1)
    torch.manual_seed(seed)
    model = layout.transformer()
    fit(model, minibatches(layout.encode(log), ROWS), steps, learning_rate=4e-3, seed=seed)
    with evaluating(model), torch.no_grad():
        for name, trips in (("loss", log), ("held-out loss", others)):
            found[name] = float(sequence_loss(model, layout.encode(trips[:200])))
    for name, reading in READINGS.items():
        drive(name, layout.policy(model, wish, seed=seed, **reading))
    for wanted in WISHES if case == "rock, asked" else ():
        drive(f"wish {wanted}", layout.policy(model, wanted, temperature=0.0, seed=seed))
    return found


def regression(log: list[Episode], limit: float, seed: int) -> Callable:
    """A driver by a network with two hidden layers, fitted to the pushes by squared error."""
    seen = torch.tensor(np.concatenate([trip.observations[:-1] for trip in log])).float()
    pushed = torch.tensor(np.concatenate([trip.actions for trip in log])).float()
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, REGRESSED)
    for _ in range(REGRESSED):
        rows = torch.randint(len(seen), (ROWS,))
        optimizer.zero_grad()
        functional.mse_loss(model(seen[rows]), pushed[rows]).backward()
        optimizer.step()
        falling.step()

    def act(seen: list, taken: list, paid: list) -> np.ndarray:
        with torch.no_grad():
            return model(torch.tensor(seen[-1]).float()).numpy().clip(-limit, limit)

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


def best_tenth(log: list[Episode]) -> list[Episode]:
    """The trips with the best returns."""
    returns = np.array([trip.rewards.sum() for trip in log])
    return [log[i] for i in np.argsort(-returns)[: len(log) // 10]]
