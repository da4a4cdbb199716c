"""Chapter 4, the network once more: what its plan loses where rewards and ends come from the diary.

The walks, models and settings of `world_models`. A model says here only which square follows. A
square in which some walk was paid pays whenever it is reached, and one in which some walk ended is
an end; nothing else is taken from the world. A pair that was never tried ends and is worth nothing.
"""

import numpy as np

from evidence import keeping
from evidence.tables.world_models import GROUPS, MODELS, WALKS
from seqdec_lib.experience import collect, regret_of
from seqdec_lib.learning import greedy
from seqdec_lib.learning.world_model import transitions_of
from seqdec_lib.mdp import MDP, value_iteration
from seqdec_lib.problems import TabularProblem, from_gymnasium

SEEDS = tuple(range(GROUPS))
CASES = tuple(MODELS)
AGREEMENT = 0.1  # the networks are trained by floating-point sums


def run(case: str, seed: int) -> dict[str, float]:
    """Regret of one kind of model's plan, for each number of walks."""
    lake = from_gymnasium("FrozenLake8x8-v1")
    anywhere = ~lake.terminal / (~lake.terminal).sum()
    table = lake.probabilities, lake.next_states, lake.rewards, lake.terminal
    world = TabularProblem(*table, anywhere, lake.discount, lake.horizon)
    settings = keeping.kept("world_models")["results"]["network"]["0"]
    make, numbers = MODELS[case][0], {}
    for walks in WALKS:
        seen = collect(world, policy=None, episodes=walks, seed=seed)
        model = make(seen, int(settings[f"{case} {walks} setting"]), seed)
        q_values = planned(model.next_state_probabilities(), transitions_of(seen), lake.discount)
        numbers[f"regret {walks}"] = regret_of(lake, greedy(q_values, within=1e-5))
    return numbers


def planned(rows: np.ndarray, steps, discount: float) -> np.ndarray:
    """Action values (S, A) in rows (S, A, S), with rewards and ends as the steps had them."""
    places = np.arange(len(rows))
    pays = np.isin(places, steps.next_observations[steps.rewards > 0])
    ends = np.isin(places, steps.next_observations[steps.terminated])
    rows = np.where(ends[:, None, None], 0.0, rows)
    gone = np.clip(1 - rows.sum(axis=2, keepdims=True), 0, 1)  # after an end, or never tried
    stays = np.zeros((1, rows.shape[1], len(rows) + 1))
    stays[..., -1] = 1
    rewards = np.append(rows @ pays.astype(float), np.zeros((1, rows.shape[1])), axis=0)
    rows = np.append(np.append(rows, gone, axis=2), stays, axis=0)
    return value_iteration(MDP(rows, rewards, discount), tol=1e-6).q_values[:-1]
