"""The racetrack's physics against a slow, independent reading of its description."""

import math
from fractions import Fraction

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.experience.trajectories import collect
from seqdec_lib.mdp import value_iteration
from seqdec_lib.problems import Racetrack
from seqdec_lib.problems.track import TRACKS

COAST = 4
TINY = """
    #FF#
    #..#
    #..#
    #SS#
    """


def drawings(rows=6, columns=6):
    """Random tracks: a start below, a finish above, random walls between them."""
    line = st.text("..#", min_size=columns, max_size=columns)
    return st.lists(line, min_size=rows, max_size=rows).map(
        lambda lines: "\n".join(["F" * columns, *lines, "S" * columns])
    )


def touching(coordinate):
    """The one or two cells whose closed interval holds a coordinate: cell i is i-1/2..i+1/2."""
    low = math.floor(coordinate + Fraction(1, 2))
    return {low, low - 1} if coordinate + Fraction(1, 2) == low else {low}


def fate_by_hand(drawing, row, column, down, right):
    """Walk along a move in steps so small that no crossing is missed: what is met first?"""
    pieces = 4 * math.lcm(max(1, abs(down)), max(1, abs(right)))
    for k in range(pieces + 1):
        rows = touching(row + Fraction(k * down, pieces))
        columns = touching(column + Fraction(k * right, pieces))
        kinds = {
            drawing[r, c] if 0 <= r < drawing.shape[0] and 0 <= c < drawing.shape[1] else "#"
            for r in rows
            for c in columns
        }
        if "#" in kinds:
            return "crash"
        if "F" in kinds:
            return "finish"
    return row + down, column + right


@settings(deadline=None, max_examples=40)
@given(drawing=drawings(), data=st.data())
def test_no_car_tunnels_through_a_wall(drawing, data):
    try:
        problem = Racetrack(drawing, noise=0.0)
    except ValueError as error:
        assert "has none" in str(error)
        return
    rng = np.random.default_rng(0)
    n_moving = int(problem.crashed.argmax())
    states = np.array(data.draw(st.lists(st.integers(0, n_moving - 1), min_size=1, max_size=60)))
    actions = np.array(data.draw(st.lists(st.integers(0, 8), min_size=60, max_size=60)))
    actions = actions[: len(states)]
    arrived, rewards, over = problem.step(states, actions, rng)
    assert (rewards == -1).all()
    for i, (row, column, down, right) in enumerate(np.stack(problem.unpack(states), axis=1)):
        a, b = divmod(int(actions[i]), 3)
        faster = np.clip([down + a - 1, right + b - 1], -4, 4)
        if not faster.any():
            faster = np.array([down, right])
        fate = fate_by_hand(problem.drawing, int(row), int(column), *map(int, faster))
        assert over[i] == (fate == "finish")
        assert problem.crashed[arrived[i]] == (fate == "crash")
        now = [int(part) for part in problem.unpack(arrived[i])]
        if fate == "crash":
            assert problem.drawing[now[0], now[1]] == "S" and now[2:] == [0, 0]
        elif fate == "finish":
            assert problem.drawing[now[0], now[1]] == "F"
        else:
            assert tuple(now) == (*fate, *faster)


def test_a_car_at_speed_does_not_fly_over_a_thin_wall():
    problem = Racetrack("FFF\n...\n##.\n...\n...\nSSS", noise=0.0)
    rng = np.random.default_rng(0)
    up_fast = problem.state(4, 0, -3, 0)
    arrived, _, _ = problem.step(np.array([up_fast]), np.array([COAST]), rng)
    assert problem.crashed[arrived[0]]
    beside = problem.state(4, 2, -3, 0)
    arrived, _, _ = problem.step(np.array([beside]), np.array([COAST]), rng)
    assert arrived[0] == problem.state(1, 2, -3, 0)


def test_a_corner_of_a_wall_is_a_wall_and_the_finish_counts_if_it_comes_first():
    problem = Racetrack("F.#\n..S", noise=0.0)  # the diagonal meets the corner of the wall
    rng = np.random.default_rng(0)
    state = problem.state([1, 1], [2, 1], [-1, -1], [-1, -1])
    arrived, _, over = problem.step(state, np.array([COAST, COAST]), rng)
    assert problem.crashed[arrived[0]]
    assert over[1] and problem.unpack(arrived[1])[:2] == (0, 0)
    state = problem.state(1, 0, -4, 0)  # through the finish and out of the drawing
    assert problem.step(np.array([state]), np.array([COAST]), rng)[2][0]


def test_a_crash_leads_to_each_cell_of_the_start_line_and_only_crashes_lead_there():
    problem = Racetrack("hairpin", noise=0.1)
    rng = np.random.default_rng(1)
    wall_ahead = np.repeat(problem.state(8, 5, 0, 4), 6000)
    arrived, rewards, over = problem.step(wall_ahead, np.full(6000, COAST), rng)
    assert problem.crashed[arrived].all() and not over.any() and (rewards == -1).all()
    counts = np.unique(arrived, return_counts=True)[1]
    assert len(counts) == 5 and np.abs(counts - 1200).max() < 5 * np.sqrt(1200)
    waits = problem.step(arrived, np.full(6000, COAST), rng)[0]
    assert not problem.crashed[waits].any() and problem.starts[waits].all()
    np.testing.assert_array_equal(problem.unpack(waits), problem.unpack(arrived))


def test_a_moving_car_cannot_stop_and_no_car_is_faster_than_the_limit():
    problem = Racetrack("hairpin", noise=0.0, max_speed=2)
    rng = np.random.default_rng(0)
    slow = problem.state(9, 3, -1, 0)
    braked = problem.step(np.array([slow]), np.array([7]), rng)[0]
    assert braked[0] == problem.state(8, 3, -1, 0)
    fast = problem.state(9, 3, -2, 0)
    faster = problem.step(np.array([fast]), np.array([1]), rng)[0]
    assert faster[0] == problem.state(7, 3, -2, 0)


@pytest.mark.parametrize("track", TRACKS)
def test_sampled_steps_follow_the_exact_model(track):
    problem = Racetrack(track, noise=0.3)
    rng = np.random.default_rng(2)
    model = problem.mdp()
    for state in rng.integers(problem.n_states, size=20):
        if problem.finishes[state]:
            continue
        action, copies = int(rng.integers(9)), 4000
        arrived, _, _ = problem.step(np.full(copies, state), np.full(copies, action), rng)
        shares = np.bincount(arrived, minlength=problem.n_states) / copies
        exact = model.transitions[action][[int(state)]].toarray()[0]
        assert np.abs(shares - exact).max() < 5 * 0.5 / np.sqrt(copies)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000))
def test_many_cars_at_once_are_the_same_cars(seed):
    problem = Racetrack("bend", noise=0.0)
    rng = np.random.default_rng(seed)
    states = rng.integers(int(problem.crashed.argmax()), size=200)
    actions = rng.integers(9, size=200)
    together = problem.step(states, actions, rng)[0]
    for i in range(200):
        alone = problem.step(states[i : i + 1], actions[i : i + 1], rng)[0][0]
        if problem.crashed[together[i]]:
            assert problem.crashed[alone]
        else:
            assert alone == together[i]


@pytest.mark.parametrize("track", TRACKS)
def test_exact_laps_are_the_mean_of_played_ones(track):
    problem = Racetrack(track)
    best = value_iteration(problem.mdp()).policy
    careless = 0.7 * np.eye(9)[best] + 0.3 / 9
    for policy in (best, careless):
        lap = problem.expected_lap(policy)
        played = collect(problem, policy, 4000, seed=3)
        assert mean_interval(played.lengths, 0.9999).contains(lap.time)
        crashes = problem.crashed[played.states[:, 1:]] & played.mask
        assert mean_interval(crashes.sum(axis=1), 0.9999).contains(lap.crashes)
        assert lap.finished == pytest.approx(1, abs=1e-6)
        np.testing.assert_array_equal(played.returns(), -played.lengths)
    assert problem.optimal_return() == pytest.approx(-problem.expected_lap(best).time)


def test_without_noise_the_optimum_is_the_shortest_walk_in_the_graph_of_states():
    problem = Racetrack("hairpin", noise=0.0)
    rng = np.random.default_rng(0)
    steps, frontier = 0, np.flatnonzero(problem.starts)[:1]
    seen = np.zeros(problem.n_states, dtype=bool)
    while not problem.finishes[frontier].any():
        pairs = np.repeat(frontier, 9), np.tile(np.arange(9), len(frontier))
        after = np.unique(problem.step(*pairs, rng)[0])
        frontier = after[~seen[after] & ~problem.crashed[after]]
        seen[frontier] = True
        steps += 1
    start = np.flatnonzero(problem.starts)[0]
    assert value_iteration(problem.mdp()).values[start] == -steps


def test_the_clock_stops_a_car_that_never_arrives():
    problem = Racetrack("bend", horizon=20)
    waits = np.full(problem.n_states, COAST)
    lap = problem.expected_lap(waits)
    assert (lap.time, lap.crashes, lap.finished) == pytest.approx((20, 0, 0))
    played = collect(problem, waits, 5, seed=0)
    assert (played.lengths == 20).all() and not played.terminated.any()
    assert problem.random_return() > -20


def test_states_have_numbers_and_numbers_have_states():
    problem = Racetrack("hairpin")
    moving = np.arange(int(problem.crashed.argmax()))
    np.testing.assert_array_equal(problem.state(*problem.unpack(moving)), moving)
    assert problem.describe(int(problem.state(9, 3, -2, 1))) == (
        "row 9, column 3, -2 down and 1 right a step"
    )
    assert "crash" in problem.describe(int(problem.crashed.argmax()))
    assert "finished" in problem.describe(problem.n_states - 1)
    for cell in [(0, 0), (-1, 3), (3, 99)]:
        with pytest.raises(ValueError, match="road"):
            problem.state(*cell)
    with pytest.raises(ValueError, match="at most 4"):
        problem.state(9, 3, 5, 0)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"track": "monza"}, "bend"),
        ({"track": 3}, "track"),
        ({"track": "FF\n.\nSS"}, "equally long"),
        ({"track": "FF\n.x\nSS"}, "'x'"),
        ({"track": "..\nSS"}, "'F'"),
        ({"track": "FF\n.."}, "'S'"),
        ({"track": "F.\n##\nSS"}, "has none"),
        ({"noise": 1.0}, "noise"),
        ({"noise": -0.1}, "noise"),
        ({"max_speed": 0}, "max_speed"),
        ({"horizon": 0}, "horizon"),
    ],
)
def test_odd_tracks_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        Racetrack(**arguments)


def test_odd_steps_are_refused():
    problem = Racetrack(TINY)
    with pytest.raises(ValueError, match="actions"):
        problem.step(np.array([0]), np.array([9]), np.random.default_rng(0))
    with pytest.raises(ValueError, match="policy"):
        problem.expected_lap(np.zeros(3, dtype=int))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gymnasium_knows_it():
    env = gymnasium.make("seqdec/Racetrack-v0", track="bend", render_mode="ansi")
    check_env(env.unwrapped)
    env.reset(seed=0)
    assert env.step(1)[1] == -1 and "row" in env.render()
    many = gymnasium.make_vec("seqdec/Racetrack-v0", num_envs=3, noise=0.0)
    assert many.reset(seed=0)[0].shape == (3,)
    assert many.step(np.array([1, 1, 1]))[1].tolist() == [-1, -1, -1]
