"""Counting transitions, and planning in the counts: arrays against one step at a time."""

import numpy as np

from benchmarks.run import Comparison, Contestant
from seqdec_lib.experience.trajectories import Trajectories, collect
from seqdec_lib.learning import CountModel, tree_search
from seqdec_lib.problems import TravelTree, from_gymnasium


def comparisons() -> list[Comparison]:
    """Return the comparisons: counting on the lake, tree search on a twelve-day tree."""
    return [counting(episodes=2000), searching(simulations=100, roots=16)]


def counting(episodes: int) -> Comparison:
    lake = from_gymnasium("FrozenLake-v1")
    walks = collect(lake, None, episodes, seed=0)

    def ours() -> float:
        model = CountModel(lake.n_states, lake.n_actions).add(walks)
        return float(model.next_state_probabilities()[0, 2, 4])

    return Comparison(
        title=f"count the steps of {episodes} walks on the frozen lake",
        ours=ours,
        peers={"dictionary, step by step": lambda: with_a_dictionary(walks)},
    )


def with_a_dictionary(walks: Trajectories) -> Contestant:
    """What the chapter's plain version does."""

    def count() -> float:
        seen: dict[tuple[int, int], dict[int, int]] = {}
        for n, t in zip(*np.nonzero(walks.mask), strict=True):
            pair = int(walks.states[n, t]), int(walks.actions[n, t])
            after = int(walks.states[n, t + 1])
            outcomes = seen.setdefault(pair, {})
            outcomes[after] = outcomes.get(after, 0) + 1
        outcomes = seen[0, 2]
        return outcomes[4] / sum(outcomes.values())

    return count


def searching(simulations: int, roots: int) -> Comparison:
    tree = TravelTree(branching=3, horizon=12)

    def search(count: int) -> int:
        now = np.zeros(count, dtype=np.int64)
        rng = np.random.default_rng(0)
        return tree_search(tree.step, now, tree.horizon, 3, simulations, rng).queries

    def one_by_one() -> Contestant:
        return lambda: float(sum(search(1) for _ in range(roots)))

    return Comparison(
        title=f"tree search, {roots} roots with {simulations} simulations each, 3^12 leaves",
        ours=lambda: float(search(roots)),
        peers={"one root after another": one_by_one},
    )
