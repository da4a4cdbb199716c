"""Chapter 8: what a Decision Transformer on the travel tree gives to those who ask.

Dice trips, with the return of each in front. 3,000 of them hold a best trip, 30 seldom do.
Each network is asked for 17 of the returns that were logged, from the lowest to the best one, and
for more than any. A node is a history, so what a network gives is exact, and so is its loss on new
trips, all 729 of them. An LSTM reads the same tokens; the top of the trips is cloned by counts."""

import warnings

import numpy as np
import torch

from seqdec_lib.experience import Trajectories, collect, regret, regret_of
from seqdec_lib.problems import TravelTree, table_on_tree
from seqdec_lib.sequences import (
    LSTM,
    Batch,
    SequencePolicy,
    TokenLayout,
    Transformer,
    fit,
    minibatches,
    sequence_loss,
)
from seqdec_lib.sequences.layout import TokenVectors

SEEDS = (0, 1, 2, 3, 4)
CASES = ("3000", "30")  # trips
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
STEPS = {"3000": 1000, "30": 300}
WIDTH, RATE, LOOK_EVERY = 32, 4e-3, 100
WISHES, BEYOND = 17, (1 / 8, 1 / 4, 1 / 2)  # so much of the range of returns above the best one


def run(case: str, seed: int) -> dict[str, float]:
    """Loss above its floor, returns for wishes, and the regrets of all rivals."""
    tree = TravelTree()
    trips = collect(tree, None, int(case), seed)
    layout, returns = TokenLayout.of(tree, trips, goal="return"), trips.returns()
    best, ends = returns.max(), (tree.optimal_return(), tree.random_return())
    found = {"best logged": regret(best, *ends)}
    for share in (0.1, 0.01):
        counts = counts_of(tree, trips.top(share))
        rows = counts / counts.sum(axis=1, keepdims=True)
        found[f"top {share:.0%}, sampled"] = regret_of(tree, rows)
        found[f"top {share:.0%}, greedy"] = regret_of(tree, greedy(rows))
    for kind in ("transformer", "lstm"):
        torch.manual_seed(seed)
        model = new_transformer(layout) if kind == "transformer" else layout.lstm(WIDTH)
        found |= trained(tree, model, layout, trips, seed, kind, STEPS[case])
        for reading, temperature in (("greedy", 0.0), ("sampled", 1.0)):
            table = asked(tree, model, layout, best, temperature)
            found[f"{kind}, {reading}"] = regret_of(tree, table)
            if kind == "transformer":
                found |= obeyed(tree, model, layout, returns, reading, temperature)
    return found


def new_transformer(layout: TokenLayout) -> Transformer:
    """The Transformer of `layout.transformer`, with larger weights at the start."""
    sizes = (layout.vocabulary, layout.max_tokens, WIDTH)
    model = Transformer(*sizes, outputs=layout.n_actions, init_std=0.5 / WIDTH**0.5)
    model.token = TokenVectors(layout.features(), WIDTH)
    return model


def trained(
    tree: TravelTree,
    model: Transformer | LSTM,
    layout: TokenLayout,
    trips: Trajectories,
    seed: int,
    kind: str,
    steps: int,
) -> dict[str, float]:
    """Train, and watch how far the loss on new trips lies above the least possible one."""
    new, floor = every_trip(tree, layout)

    def above(model: Transformer | LSTM) -> float:
        with torch.no_grad():
            return sequence_loss(model, new).item() - floor

    settings = {"learning_rate": RATE, "evaluate_every": LOOK_EVERY, "seed": seed}
    draw = minibatches(layout.encode(trips), 64)
    result = fit(model, draw, steps, watch=above, **settings)
    curve = {f"{kind}, above at {step}": value for step, value in result.watched}
    return curve | {f"{kind}, above": result.watched[-1][1]}


def every_trip(tree: TravelTree, layout: TokenLayout) -> tuple[Batch, float]:
    """All trips, which dice make equally often; and the least possible loss, in nats per action."""
    worth = tree.enjoyment(np.arange(tree.first_leaf, tree.n_states))
    rewards = np.zeros((len(worth), tree.horizon))
    rewards[:, -1] = worth
    actions = tree.histories(tree.horizon).actions
    every = np.ones(actions.shape, dtype=bool)
    trips = Trajectories(tree.ways(tree.horizon), actions, rewards, every, every[:, 0])
    _, alike = np.unique(worth.round(9), return_counts=True)  # trips with the same return
    return layout.encode(trips), float(alike @ np.log(alike) / alike.sum() / tree.horizon)


def asked(
    tree: TravelTree, model: Transformer | LSTM, layout: TokenLayout, wish: float, heat: float
) -> np.ndarray:
    """What a network does at each node when it is asked for a return: (nodes, actions)."""
    with warnings.catch_warnings(action="ignore"):  # a wish beyond the data
        policy = SequencePolicy(model, layout, wish, temperature=heat)
    return padded(tree, table_on_tree(tree, policy))


def obeyed(
    tree: TravelTree,
    model: Transformer,
    layout: TokenLayout,
    returns: np.ndarray,
    reading: str,
    heat: float,
) -> dict[str, float]:
    """The expected return for each wish, and the wishes."""
    wishes = np.quantile(returns, np.linspace(0, 1, WISHES), method="nearest")
    spread, found = wishes[-1] - wishes[0], {}
    for i, wish in enumerate([*wishes, *(wishes[-1] + spread * np.array(BEYOND))]):
        found[f"wish {i}"] = float(wish)
        found[f"{reading} {i}"] = tree.expected_return(asked(tree, model, layout, wish, heat))
    return found


def counts_of(tree: TravelTree, trips: Trajectories) -> np.ndarray:
    """How often each action was taken at each node; a little of each where nobody was."""
    counts = np.full((tree.n_states, tree.branching), 1e-12)
    np.add.at(counts, (trips.states[:, :-1], trips.actions), 1)
    return counts


def greedy(rows: np.ndarray) -> np.ndarray:
    """The likeliest actions, all equally likely where several are."""
    best = np.isclose(rows, rows.max(axis=1, keepdims=True))
    return best / best.sum(axis=1, keepdims=True)


def padded(tree: TravelTree, rows: np.ndarray) -> np.ndarray:
    """A row for each leaf too, where nothing is chosen."""
    table = np.full((tree.n_states, tree.branching), 1 / tree.branching)
    table[: tree.first_leaf] = rows
    return table
