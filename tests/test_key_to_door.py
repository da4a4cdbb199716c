"""Key-to-Door against its description: played, enumerated, and asked for."""

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.trajectories import collect
from seqdec_lib.problems import KeyToDoor

UP, RIGHT, DOWN, LEFT = range(4)


def play(problem, actions):
    """Follow actions one at a time: states seen, rewards, when it ended."""
    rng = np.random.default_rng(0)
    state, states, rewards = problem.reset(1, rng), [], []
    for action in actions:
        states.append(int(state[0]))
        state, reward, ended = problem.step(state, np.array([action]), rng)
        rewards.append(float(reward[0]))
        if ended[0]:
            break
    return states + [int(state[0])], rewards


def chance_of_hitting(height, width, target, steps):
    """Probability that a random walk from (0, 0) with walls meets the target within `steps`."""
    here, hit = {(0, 0): 1.0}, 0.0
    for _ in range(steps):
        after = {}
        for (row, column), p in here.items():
            for down, right in [(0, 1), (0, -1), (1, 0), (-1, 0)]:
                cell = (
                    min(max(row + down, 0), height - 1),
                    min(max(column + right, 0), width - 1),
                )
                after[cell] = after.get(cell, 0) + p / 4
        hit += after.pop(target, 0)
        here = after
    return hit


def test_random_play_succeeds_as_often_as_in_the_paper():
    problem = KeyToDoor()
    assert problem.random_return() == pytest.approx(0.031, abs=0.003)
    assert problem.optimal_return() == 1


@settings(deadline=None, max_examples=20)
@given(height=st.integers(1, 4), width=st.integers(2, 4), steps=st.integers(1, 8), data=st.data())
def test_random_success_is_that_of_a_random_walk_in_two_rooms(height, width, steps, data):
    cell = data.draw(st.integers(1, height * width - 1))
    target = divmod(cell, width)
    problem = KeyToDoor(height, width, target, steps, empty_steps=2)
    assert problem.random_return() == pytest.approx(
        chance_of_hitting(height, width, target, steps) ** 2
    )


def test_the_door_opens_with_the_key_only():
    problem = KeyToDoor()
    to_target, idle = [DOWN, RIGHT, RIGHT], [UP] * 3
    states, rewards = play(problem, to_target + idle + [UP] * 6 + to_target)
    assert rewards == [0] * 14 + [1]
    assert problem.terminal[states[-1]]
    assert "with the key" in problem.describe(states[-1])
    states, rewards = play(problem, [UP] * 12 + to_target)
    assert sum(rewards) == 0 and problem.terminal[states[-1]]
    states, rewards = play(problem, to_target + [UP] * 15)
    assert sum(rewards) == 0 and len(rewards) == problem.horizon


def test_the_last_move_in_a_room_can_still_take_the_key():
    problem = KeyToDoor()
    actions = [UP] * 3 + [DOWN, RIGHT, RIGHT] + [UP] * 6 + [DOWN, RIGHT, RIGHT]
    states, rewards = play(problem, actions)
    assert sum(rewards) == 1
    _, room, cell, has_key = problem.unpack(np.array(states))
    assert (room[6], cell[6], has_key[6]) == (1, 0, True)


def test_later_rooms_do_not_show_the_key():
    problem, shown = KeyToDoor(), KeyToDoor(show_key=True)
    time, room, cell, has_key = problem.unpack(np.arange(problem.n_states))
    for world in (problem, shown):
        seen = world.observe(np.arange(world.n_states))
        assert set(seen) == set(range(world.n_observations))
        seen_room, seen_cell, seen_key = world.unpack_observation(seen)
        np.testing.assert_array_equal(seen_room, room)
        np.testing.assert_array_equal(seen_cell, cell)
        visible = (room == 0) | world.show_key
        np.testing.assert_array_equal(seen_key, has_key & visible)


def test_with_the_key_bit_one_table_over_observations_is_optimal():
    problem = KeyToDoor(show_key=True)
    row, column = np.divmod(np.arange(problem.cells), problem.width)
    move = np.where(row < 1, DOWN, np.where(row > 1, UP, np.where(column < 2, RIGHT, LEFT)))
    shortest = np.tile(move, problem.n_observations // problem.cells)
    states = np.arange(problem.n_states)
    assert problem.expected_return(shortest[problem.observe(states)]) == 1


def test_who_took_the_key():
    problem = KeyToDoor(show_key=True)
    trips = collect(problem, None, 300, seed=0)
    took = problem.took_key(trips.states, trips.actions)
    assert took.sum(axis=1).max() == 1
    has_at_the_end = problem.unpack_observation(trips.states[:, -1])[2]
    np.testing.assert_array_equal(took.any(axis=1), has_at_the_end)
    blind = KeyToDoor()
    same = collect(blind, None, 300, seed=0)
    np.testing.assert_array_equal(blind.took_key(same.states, same.actions), took)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"target": (0, 0)}, "entrance"),
        ({"target": (3, 0)}, "target"),
        ({"height": 0}, "height"),
        ({"steps": 0}, "steps"),
        ({"empty_steps": -1}, "empty_steps"),
    ],
)
def test_odd_rooms_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        KeyToDoor(**arguments)


def test_gymnasium_knows_it():
    env = gymnasium.make("seqdec/KeyToDoor-v0", show_key=True)
    observation, info = env.reset(seed=0)
    assert observation in env.observation_space and info["state"] == 0
    many = gymnasium.make_vec("seqdec/KeyToDoor-v0", num_envs=3)
    assert many.reset(seed=0)[0].shape == (3,)
