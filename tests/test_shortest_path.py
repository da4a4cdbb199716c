"""Random graphs: fair signs, exact distances, exact returns."""

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.trajectories import collect
from seqdec_lib.problems import ShortestPath

graphs = st.builds(
    ShortestPath,
    nodes=st.integers(5, 20),
    edge_probability=st.floats(0.15, 0.6),
    seed=st.integers(0, 50),
)


def walked(problem, start):
    """Fewest steps to the goal along the roads, None if there is no way."""
    reached, frontier, steps = {start}, {start}, 0
    while frontier and problem.goal not in frontier:
        frontier = {int(b) for a in frontier for b in problem.roads[a]} - reached
        reached |= frontier
        steps += 1
    return steps if frontier else None


@settings(deadline=None, max_examples=30)
@given(problem=graphs)
def test_distances_are_those_of_a_walk(problem):
    for node in range(problem.n_states):
        expected = walked(problem, node)
        assert problem.distances[node] == (np.inf if expected is None else expected)
    others = problem.distances[np.arange(problem.n_states) != problem.goal]
    assert np.isfinite(others).mean() >= 0.5


@settings(deadline=None, max_examples=30)
@given(problem=graphs)
def test_uniform_signs_are_the_uniform_random_walk(problem):
    chain, _ = problem.mdp().under(
        np.full((problem.n_states, problem.n_actions), 1 / problem.n_actions)
    )
    for node, roads in enumerate(problem.roads):
        if node == problem.goal:
            continue
        expected = np.zeros(problem.n_states)
        expected[roads if len(roads) else [node]] = 1 / max(1, len(roads))
        np.testing.assert_allclose(np.asarray(chain)[node], expected, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(problem=graphs)
def test_the_optimum_walks_shortest_paths(problem):
    starts = np.arange(problem.n_states) != problem.goal
    steps = np.minimum(problem.distances[starts], problem.horizon)
    assert problem.optimal_return() == pytest.approx(-steps.mean())
    np.testing.assert_array_equal(
        problem.solvable, np.flatnonzero(starts & (problem.distances <= problem.horizon))
    )


def test_playing_agrees_with_the_exact_return():
    problem = ShortestPath(seed=3)
    walks = collect(problem, None, 20_000, seed=0)
    assert walks.returns().mean() == pytest.approx(problem.random_return(), abs=0.05)
    np.testing.assert_array_equal(walks.returns(), -walks.lengths)
    ended = walks.states[np.arange(len(walks)), walks.lengths] == problem.goal
    np.testing.assert_array_equal(walks.terminated, ended)
    assert not (walks.states[:, 0] == problem.goal).any()


def test_every_road_has_a_sign_of_its_own():
    problem = ShortestPath(seed=1)
    for node, roads in enumerate(problem.roads):
        certain = problem.probabilities[node, :, 0] == 1
        assert set(roads) <= set(problem.next_states[node, certain, 0])
        assert (~certain).sum() < max(1, len(roads))


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"nodes": 2}, "nodes"),
        ({"edge_probability": 1.5}, "edge_probability"),
        ({"edge_probability": 0.0}, "raise edge_probability"),
        ({"actions": 2}, "most roads"),
        ({"horizon": 0}, "horizon"),
    ],
)
def test_odd_graphs_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        ShortestPath(**arguments)


def test_gymnasium_knows_it():
    env = gymnasium.make("seqdec/ShortestPath-v0", seed=2)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    assert env.step(0)[1] == -1
