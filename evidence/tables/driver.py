"""Chapter 10: clones of a careful driver, a plan in the logbook, and Q-learning from many starts.

Everything is the chapter's own, once for each seed: the seed draws the thousand laps, the network's
weights and what happens while driving. "clones" has all that learns without driving. In the other
cases 256 cars drive with one table, which differ in the values that the table begins with and in
how they explore. Lap times and crashes of policies are exact."""

from functools import cache

import numpy as np
import torch

from seqdec_lib.experience import Trajectories, collect
from seqdec_lib.learning import (
    CountModel,
    TabularLearner,
    greedy,
    harmonic,
    linear_decay,
    settled,
)
from seqdec_lib.mdp import MDP, value_iteration
from seqdec_lib.problems import COAST, History, Racetrack
from seqdec_lib.sequences import SequencePolicy, TokenLayout, fit, minibatches

SEEDS = (0, 1, 2, 3, 4)
SOFT, DICE = "softmax", "epsilon"
STARTS = {  # where the table begins, and how its cars explore
    "from scratch": ("constant, 0", SOFT),
    "from scratch at -10": ("constant, -10", SOFT),
    "from scratch at -19": ("constant, -19", SOFT),
    "from caution alone": ("places, start over", SOFT),
    "from the clone": ("clone, start over", SOFT),
    "from the clone, hopeful": ("clone, 0", SOFT),
    "from the clone, epsilon": ("clone, start over", DICE),
    "from the clone, bold": ("clone, 0", DICE),
    "from the plan": ("plan, start over", SOFT),
}
CASES = ("clones", *STARTS)
AGREEMENT = 0.5  # networks trained in float32, and crashes that follow from what they draw
CARS, STEPS, WARM, UNKNOWN = 256, 5000, 0.3, -200.0
STOPS = np.unique(np.geomspace(20, STEPS, 30).astype(int))
LONGER = 1600  # steps of a clone's training, eight times the usual


def run(case: str, seed: int) -> dict[str, float]:
    """Of each policy the lap time and the crashes per lap; of each learner its curve, too."""
    torch.set_num_threads(1)
    found = (
        without_driving(seed)
        if case == "clones"
        else by_driving(learner_of(seed, *STARTS[case]), seed)
    )
    return {key: round(float(number), 6) for key, number in found.items()}


# -- the track, its human and the logbook


@cache
def world() -> tuple[Racetrack, np.ndarray, np.ndarray]:
    """The track, what is in its alley (S,), and the careful driver's actions (S,)."""
    track = Racetrack("hairpin", max_speed=3)
    row, column, down, right = track.unpack(np.arange(track.n_states))
    in_alley = (row == 9) & (6 <= column) & (column <= 11)
    too_fast = np.maximum(np.abs(down), np.abs(right)) > 2
    icy = Racetrack("hairpin", noise=0.5, max_speed=3).mdp()
    rewards = icy.rewards - 20.0 * (in_alley | too_fast)[:, None]
    rules = {"discount": 1.0, "horizon": icy.horizon, "terminal": icy.terminal}
    return track, in_alley, value_iteration(MDP(icy.transitions, rewards, **rules)).policy


def human() -> np.ndarray:
    return 0.9 * np.eye(9)[world()[2]] + 0.1 * np.eye(9)[COAST]


@cache
def logbook(seed: int) -> Trajectories:
    return collect(world()[0], human(), 1000, seed)


def cloned(laps: Trajectories, seed: int, steps: int = 200) -> np.ndarray:
    """A network's probabilities of each action in each state: (S, 9)."""
    track = world()[0]
    row, column, down, right = track.unpack(np.arange(track.n_states))
    parts = [(row, 16), (column, 18), (down + 3, 7), (right + 3, 7)]
    features = np.hstack([np.eye(count)[number] for number, count in parts])
    torch.manual_seed(seed)
    layout = TokenLayout.of(track, laps, context=1, state_features=features)
    model = layout.transformer(width=32, layers=1)
    draw = minibatches(layout.encode(laps), 256)
    fit(model, draw, steps, learning_rate=1e-2, decay=0.0, seed=seed)
    states = np.arange(track.n_states)[:, None]
    nothing = np.zeros((track.n_states, 0), dtype=int)
    return SequencePolicy(model, layout)(History(states, nothing, nothing))


@cache
def clone_of(seed: int) -> np.ndarray:
    return cloned(logbook(seed), seed)


def counts_of(laps: Trajectories) -> np.ndarray:
    """How often each action was logged in each state: (S, 9)."""
    counts = np.zeros((world()[0].n_states, 9))
    np.add.at(counts, (laps.states[:, :-1][laps.mask], laps.actions[laps.mask]), 1)
    return counts


# -- without driving


def without_driving(seed: int) -> dict[str, float]:
    """Clones, who drives in which states, and plans."""
    laps, network, person = logbook(seed), clone_of(seed), human()
    counts = counts_of(laps)
    logged = counts.any(axis=1, keepdims=True)
    longer, best = cloned(laps, seed, LONGER), laps.top(1 / 10)
    never = counts == 0
    counting = shares(counts, ~logged)
    masked = shares(np.where(never, 0, network), ~logged)
    drivers = {
        "clone": network,
        "favorites": network.argmax(axis=1),
        "longer": longer,
        "best tenth": cloned(best, seed),
        "counting, coasts": np.where(logged, counting, np.eye(9)[COAST]),
        "counting, network": np.where(logged, counting, network),
        "counting, human": np.where(logged, counting, person),
        "masked, network": np.where(logged, masked, network),
        "masked, human": np.where(logged, masked, person),
        "human, network": np.where(logged, person, network),
        "network, human": np.where(logged, network, person),
        "plan": np.where(logged, plan(laps, UNKNOWN)[0], network),
        "hopeful plan": np.where(logged, plan(laps, 0.0)[0], network),
    }
    sure = collect(world()[0], world()[2], 1000, seed)
    drivers["plan without hesitation"] = np.where(
        counts_of(sure).any(axis=1, keepdims=True), plan(sure, UNKNOWN)[0], network
    )
    found = {}
    for name, policy in drivers.items():
        found |= of_a_lap(name, policy)
    weights = counts.sum(axis=1, keepdims=True) / counts.sum()
    found |= {"states": logged.sum(), "best laps": best.lengths.mean()}
    for name, policy in {"clone": network, "longer": longer}.items():
        found[f"{name}, never logged"] = (weights * policy * never).sum()
    return found


def of_a_lap(name: str, policy: np.ndarray) -> dict[str, float]:
    lap = world()[0].expected_lap(policy)
    return {
        f"{name}, time": lap.time,
        f"{name}, crashes": lap.crashes,
        f"{name}, finished": lap.finished,
    }


def shares(weights: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """Rows that add up to 1; where nothing was logged, all actions alike."""
    weights = weights + elsewhere
    return weights / weights.sum(axis=1, keepdims=True)


def plan(laps: Trajectories, unknown: float) -> tuple[np.ndarray, np.ndarray]:
    """The greedy policy of a plan in the counts, and its values: (S, 9) both."""
    track = world()[0]
    model = CountModel(track.n_states, 9, unknown=unknown).add(laps)
    values = model.plan(1.0, track.horizon)[0]
    return greedy(values), values


# -- by driving


def first_table(seed: int, start: str) -> np.ndarray:
    """Values (S, 9) to begin with."""
    track, laps = world()[0], logbook(seed)
    kind, _, elsewhere = start.partition(", ")
    worst = laps.returns().mean()  # the lap starts over
    if kind == "constant":
        return np.full((track.n_states, 9), float(elsewhere))
    row, column, _, _ = track.unpack(np.arange(track.n_states))
    place = row * 18 + column
    seen, to_go = laps.states[:, :-1][laps.mask], laps.returns_to_go()[laps.mask]
    visits = np.bincount(place[seen], minlength=16 * 18)
    total = np.bincount(place[seen], to_go, minlength=16 * 18)
    mean = total / np.maximum(visits, 1)
    hope = worst if elsewhere == "start over" else float(elsewhere)
    values = np.repeat(np.where(visits > 0, mean, hope)[place][:, None], 9, axis=1)
    if kind == "places":
        return values
    values = values + WARM * np.log(clone_of(seed))
    if kind == "plan":
        logged = counts_of(laps).any(axis=1, keepdims=True)
        values = np.where(logged, plan(laps, UNKNOWN)[1], values)
    return values


def learner_of(seed: int, start: str, explores: str) -> TabularLearner:
    """256 cars that share one table."""
    schedules = {
        SOFT: {"temperature": linear_decay(WARM, 0.05, 4500)},
        DICE: {"exploration": linear_decay(0.1, 0.0, 4500)},
    }
    return TabularLearner(
        world()[0],
        step_size=harmonic(0.6),
        initial_value=first_table(seed, start),
        chains=CARS,
        seed=seed,
        **schedules[explores],
    )


def by_driving(learner: TabularLearner, seed: int) -> dict[str, float]:
    """A curve of stops, when the human was beaten, and the favorite actions in the end."""
    track, in_alley, _ = world()
    found, crashes, history = {}, 0, []
    for step in range(1, STEPS + 1):
        crashes += int(track.crashed[learner.step().next_observations].sum())
        if step in STOPS:
            lap = track.expected_lap(learner.acting_policies[0])
            history.append((CARS * step, crashes, lap.time))
            found |= {f"crashes {step}": crashes, f"lap {step}": lap.time}
    steps, walls, times = np.array(history).T
    limit = 0.95 * track.expected_lap(human()).time
    beaten = settled(steps, times[:, None], limit)[0]
    never = np.isinf(beaten)
    found["beaten"] = float(not never)
    found["steps until beaten"] = steps[-1] if never else beaten
    found["crashes until beaten"] = walls[-1] if never else walls[steps == beaten][0]
    favorites = greedy(learner.q_values)[0]
    played = collect(track, favorites, 2000, seed)
    found["alley"] = in_alley[played.states].any(axis=1).mean()
    return found | of_a_lap("end", favorites)
