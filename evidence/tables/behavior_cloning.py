"""Chapter 7: what clones learn on the tree, as networks and as the counts that they approach.

"logbook" is the chapter's main run. In "features" one thing changes from network to network, what
is known about each node. In "mixtures" experts and dice share 600 trips, and in "best tenth" the
best 200 of 2,000 random trips are cloned, with four times as many steps: after 120 their network is
still far above its floor."""

import numpy as np
import torch

from seqdec_lib.experience import Trajectories, collect, collect_mixture, regret, regret_of
from seqdec_lib.problems import TravelTree, table_on_tree
from seqdec_lib.sequences import (
    SequencePolicy,
    TokenLayout,
    Transformer,
    fit,
    minibatches,
    sequence_loss,
)

SEEDS = (0, 1, 2, 3, 4)
CASES = ("logbook", "features", "mixtures", "best tenth")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
SHARES = {"random": 0.0, "tenth": 0.1, "expert": 1.0}
Numbers = dict[str, float]


def run(case: str, seed: int) -> Numbers:
    """Gaps in nats a step; shares of optimal actions; regrets."""
    tree = TravelTree()
    expert = tree.solve().policy.astype(int)
    if case == "logbook":
        return on_the_logbook(tree, guided(tree, expert, seed), expert, seed)
    if case == "features":
        return with_features(tree, guided(tree, expert, seed), seed)
    if case == "best tenth":
        top = collect(tree, None, 2000, seed).top(1 / 10)
        return both_readings(tree, top, seed, steps=480)
    found = {}
    for name, share in SHARES.items():
        trips = collect_mixture(tree, [expert, None], [share, 1 - share], 600, seed)
        found |= {f"{name}, {k}": v for k, v in both_readings(tree, trips, seed).items()}
    return found


def guided(tree: TravelTree, expert: np.ndarray, seed: int) -> Trajectories:
    """The chapter's logbook: three mornings in ten are left to the die."""
    return collect(tree, 0.7 * np.eye(3)[expert] + 0.3 / 3, 300, seed)


def counts_of(tree: TravelTree, trips: Trajectories) -> np.ndarray:
    counts = np.zeros((tree.first_leaf, 3))
    np.add.at(counts, (trips.states[:, :-1], trips.actions), 1)
    return counts


def trained(
    tree: TravelTree,
    trips: Trajectories,
    seed: int,
    features: np.ndarray | None = None,
    context: int | None = 1,
    steps: int = 120,
) -> tuple[Transformer, TokenLayout]:
    """A clone that reads the present node (256 a step), or whole trips (64 a step)."""
    torch.manual_seed(seed)
    layout = TokenLayout.of(tree, trips, context=context, state_features=features)
    model = layout.transformer(width=32)
    rows, rate = (256, 1e-2) if context == 1 else (64, 3e-3)
    draw = minibatches(layout.encode(trips), rows)
    fit(model, draw, steps, learning_rate=rate, decay=0.0, seed=seed)
    return model, layout


def on_the_logbook(tree: TravelTree, trips: Trajectories, expert: np.ndarray, seed: int) -> Numbers:
    """The loss above that of the counts, and regrets: the clone's, that of the counts, the law."""
    model, layout = trained(tree, trips, seed, context=None, steps=400)
    table = table_on_tree(tree, SequencePolicy(model, layout))
    ends = tree.optimal_return(), tree.random_return()
    return {
        "gap": gap_of(model, layout, tree, trips),
        "regret": regret_of(tree, table),
        "regret, greedy": regret_of(tree, table.argmax(axis=1)),
        "regret of the logged trips": regret(trips.returns().mean(), *ends),
    }


def gap_of(model: Transformer, layout: TokenLayout, tree: TravelTree, trips: Trajectories) -> float:
    """How far a network's loss lies above that of the counts."""
    counts = counts_of(tree, trips)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.full(counts.shape, 1 / 3), where=total > 0)
    floor = -(counts * np.log(np.where(counts > 0, shares, 1))).sum() / counts.sum()
    with torch.no_grad():
        return sequence_loss(model, layout.encode(trips)).item() - floor


def both_readings(tree: TravelTree, trips: Trajectories, seed: int, steps: int = 120) -> Numbers:
    """Regrets of a clone that samples and of one that takes its favorite, and of the counts; and
    its loss above theirs."""
    model, layout = trained(tree, trips, seed, steps=steps)
    table = table_on_tree(tree, SequencePolicy(model, layout))
    ends = tree.optimal_return(), tree.random_return()
    return {
        "sampled": regret_of(tree, table),
        "greedy": regret_of(tree, table.argmax(axis=1)),
        "trips": regret(trips.returns().mean(), *ends),
        "counts, greedy": regret_of(tree, counts_of(tree, trips).argmax(axis=1)),
        "gap": gap_of(model, layout, tree, trips),
    }


def with_features(tree: TravelTree, trips: Trajectories, seed: int) -> Numbers:
    """Shares of optimal favorite actions, and their regret, at nodes of the logbook and elsewhere:
    of three networks that know other things about a node, and of rules without a network."""
    counts, nodes = counts_of(tree, trips), np.arange(tree.first_leaf)
    notes = notes_of(tree)
    shuffled = notes[np.random.default_rng(seed).permutation(tree.n_states)]
    city, day = tree.trips_at(nodes).city, day_of(tree)[nodes]
    popular = counts.sum(axis=0)
    alike = np.stack(
        [counts[(city == c) & (day == d)].sum(0) for c, d in zip(city, day, strict=True)]
    )
    rules = {
        "most popular action": np.tile(popular, (len(nodes), 1)),
        "counts of city and day": alike + popular / popular.sum() / 1e3,
    }
    for name, known in {"numbers": None, "notes": notes, "shuffled": shuffled}.items():
        rules[name] = table_on_tree(tree, SequencePolicy(*trained(tree, trips, seed, known)))
    actions = {name: table.argmax(axis=1) for name, table in rules.items()}
    actions |= {f"always {a}": np.full(len(nodes), a) for a in range(3)}
    q_values = q_values_of(tree)
    best, die = q_values.max(axis=1), q_values.mean(axis=1)
    found = {}
    for place, there in {"seen": counts.any(axis=1), "unseen": ~counts.any(axis=1)}.items():
        found[f"{place}, die"] = float(np.isclose(q_values, best[:, None])[there].mean())
        for name, chosen in actions.items():
            worth = q_values[nodes, chosen]
            found[f"{place}, {name}"] = float(np.isclose(worth, best)[there].mean())
            lost = (best - worth)[there].sum() / (best - die)[there].sum()
            found[f"{place}, {name}, regret"] = float(lost)
    return found


def day_of(tree: TravelTree) -> np.ndarray:
    days = np.arange(tree.horizon + 1)
    return np.repeat(days, tree.branching**days)


def notes_of(tree: TravelTree) -> np.ndarray:
    """What a traveler would write down at each node: city, day, kilometers, nights (S, F)."""
    trips = tree.trips_at(np.arange(tree.n_states))
    two_bits_each = np.arange(0, 48, 2, dtype=np.uint64)
    nights = (trips.nights[:, None] >> two_bits_each) & np.uint64(3)
    city, day = np.eye(24)[trips.city], np.eye(tree.horizon + 1)[day_of(tree)]
    return np.hstack([city, day, trips.km[:, None] / 1000, nights / 2])


def q_values_of(tree: TravelTree) -> np.ndarray:
    """What each action is worth at each node where one chooses (first_leaf, A)."""
    worth = tree.solve().values.copy()
    worth[tree.first_leaf :] = tree.level_enjoyment(tree.horizon)
    return worth[1:].reshape(tree.first_leaf, tree.branching)
