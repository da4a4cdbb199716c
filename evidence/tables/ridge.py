"""Chapter 7: errors on a ridge with a way out of the ditch, and along a canyon without one.

All learners are the chapter's network and get the same number of labels. The clone and the clone
of the stumbling guide don't depend on the length of the walk, DAgger's walks are as long as those
it is judged on. Costs are exact, by the recursion of the chapter."""

from dataclasses import replace

import numpy as np
import torch

from seqdec_lib.experience import Trajectories, collect, concatenate
from seqdec_lib.problems import History, TabularProblem
from seqdec_lib.sequences import SequencePolicy, TokenLayout, fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
HORIZONS = (2, 4, 8, 16, 32)
CASES = ("clones", "DAgger on the ridge", "DAgger along the canyon")
AGREEMENT = 0.5  # a rare rock more or less in the labels moves a cost
COMMON, RARE, RARELY = 8, 40, 0.02  # kinds of rock, and how often a rare one comes
ROCKS = COMMON + RARE
DITCH, CLIMB = ROCKS, 2
CHANCES = np.repeat([(1 - RARELY) / COMMON, RARELY / RARE], [COMMON, RARE])
GUIDE = np.append(np.arange(ROCKS) % 2, CLIMB)  # what the guide does in each state
LABELS, ROUNDS, STUMBLES = 1024, 4, 0.05


def run(case: str, seed: int) -> dict[str, float]:
    """Steps in the ditch for each learner and horizon, and error rates on the ridge."""
    found = {}
    if case == "clones":
        shown = collect(world(32), GUIDE, LABELS // 32, seed)
        feet = (1 - STUMBLES) * np.eye(3)[GUIDE] + STUMBLES / 3
        stumbling = answered(collect(world(32), feet, LABELS // 32, seed))
        known = np.bincount(shown.states[:, :-1].ravel(), minlength=ROCKS + 1) > 0
        die = np.where(known[:, None], np.eye(3)[GUIDE], 1 / 3)
        learned = {
            "clone": favorite(shown, seed),
            "clone of the stumbling guide": favorite(stumbling, seed),
            "die where nothing is known": die,
        }
        found["clone climbs"] = float(learned["clone"][DITCH, CLIMB])
        found["stumbling labels in the ditch"] = in_ditch(stumbling)
        for name, table in learned.items():
            found[f"{name}: error"] = error_of(table)
            for horizon in HORIZONS:
                found[f"{name} {horizon}"] = cost_of(table, horizon)
                found[f"{name} {horizon}, canyon"] = cost_of(table, horizon, way_out=False)
        return found
    way_out = case == CASES[1]
    for horizon in HORIZONS:
        table, data = dagger(horizon, seed, way_out)
        found[f"DAgger {horizon}"] = cost_of(table, horizon, way_out)
        found[f"error {horizon}"] = error_of(table)
        found[f"labels in the ditch {horizon}"] = in_ditch(data)
    return found


def world(horizon: int, way_out: bool = True) -> TabularProblem:
    """Rocks, each to be passed on one side; whatever else one does ends in the ditch."""
    states = np.arange(ROCKS + 1)
    chances = np.zeros((ROCKS + 1, 3, ROCKS + 1))
    chances[:, :, DITCH] = 1
    passes = states if way_out else states[:-1]
    chances[passes, GUIDE[passes]] = np.append(CHANCES, 0)
    arrived = np.broadcast_to(states, chances.shape).copy()
    fallen = -(arrived == DITCH).astype(float)
    start, never = np.append(CHANCES, 0), np.zeros(ROCKS + 1, dtype=bool)
    return TabularProblem(chances, arrived, fallen, never, start, 1.0, horizon)


def favorite(data: Trajectories, seed: int) -> np.ndarray:
    """The clone's favorite action in each state, one-hot (S, 3)."""
    torch.manual_seed(seed)
    layout = TokenLayout.of(world(32), data, context=1)
    model = layout.transformer(width=32, layers=1)
    draw = minibatches(layout.encode(data), 64)
    fit(model, draw, steps=80, learning_rate=1e-2, decay=0.0, seed=seed)
    nothing = np.zeros((ROCKS + 1, 0), dtype=int)
    now = History(np.arange(ROCKS + 1)[:, None], nothing, nothing)
    return SequencePolicy(model, layout, temperature=0)(now)


def answered(walks: Trajectories) -> Trajectories:
    """The same walks, with what the guide says it would have done."""
    return replace(walks, actions=GUIDE[walks.states[:, :-1]])


def dagger(horizon: int, seed: int, way_out: bool) -> tuple[np.ndarray, Trajectories]:
    """The last clone, and its labels: a round of the guide's walks, then three of its own."""
    problem, walks = world(horizon, way_out), LABELS // ROUNDS // horizon
    data = collect(problem, GUIDE, walks, seed)
    for more in range(1, ROUNDS):
        own = collect(problem, favorite(data, seed), walks, seed + 100 * more)
        data = concatenate([data, answered(own)])
    return favorite(data, seed), data


def error_of(table: np.ndarray) -> float:
    """How often a policy goes wrong on the ridge."""
    return float(CHANCES @ (1 - table[np.arange(ROCKS), GUIDE[:-1]]))


def cost_of(table: np.ndarray, horizon: int, way_out: bool = True) -> float:
    """Expected steps in the ditch, exactly."""
    error, stays = error_of(table), 1 - table[DITCH, CLIMB] * way_out
    ditch = total = 0.0
    for _ in range(horizon):
        ditch = (1 - ditch) * error + ditch * stays
        total += ditch
    return float(total)


def in_ditch(data: Trajectories) -> float:
    return float((data.states[:, :-1] == DITCH).sum())
