"""The travel tree: what a trip is worth, and every fast sweep against a slow one."""

import itertools
import math
import subprocess
import sys
import textwrap
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience.evaluation import estimate_return
from seqdec_lib.mdp import backward_induction, evaluate_policy, policy_iteration, value_iteration
from seqdec_lib.problems import ProblemEnv, ProblemVectorEnv, TravelTree, travel_tree
from seqdec_lib.problems.rail import CITY_NAMES, distances_km

KM = distances_km()
quick = settings(max_examples=30, deadline=None, derandomize=True)


@st.composite
def small_trees(draw: st.DrawFn) -> TravelTree:
    branching = draw(st.integers(2, 4))
    return TravelTree(
        branching=branching,
        horizon=draw(st.integers(1, 8 // branching + 1)),
        seed=draw(st.integers(0, 10**6)),
        dense=draw(st.booleans()),
        cancel=draw(st.sampled_from([0.0, 0.2, 0.9, 1.0])),
        discount=draw(st.sampled_from([0.0, 0.5, 0.95, 1.0])),
    )


def some_policy(tree: TravelTree, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(tree.n_actions), size=tree.n_states)


def worth(tree: TravelTree, itinerary: list[str]) -> float:
    """The enjoyment of a trip, as the class describes it in words."""
    cities = [CITY_NAMES.index(name) for name in itinerary]
    stars = 0.0
    for day, city in enumerate(cities[1:], start=1):
        nights_before = cities[1:day].count(city)
        stars += tree.stars[city] * [1, 0.5, 0][min(nights_before, 2)]
    way = [*cities, 0]
    km = sum(int(KM[a, b]) for a, b in itertools.pairwise(way))
    return stars - (km / 1000) ** 2


def best_from(tree: TravelTree, node: int) -> float:
    """The optimal value of a node, by recursion over all that can happen."""
    if node >= tree.first_leaf:
        return 0.0

    def after(action: int) -> float:
        child = tree.branching * node + 1 + action
        paid = 0.0
        if tree.dense:
            paid = worth(tree, tree.itinerary(child)) - worth(tree, tree.itinerary(node))
        elif child >= tree.first_leaf:
            paid = worth(tree, tree.itinerary(child))
        return paid + tree.discount * best_from(tree, child)

    stay = after(0)
    planned = [after(action) for action in range(tree.branching)]
    return max((1 - tree.cancel) * value + tree.cancel * stay for value in planned)


# -- what a trip is worth


@quick
@given(tree=small_trees())
def test_enjoyment_is_what_the_description_says(tree: TravelTree) -> None:
    by_words = [worth(tree, tree.itinerary(node)) for node in range(tree.n_states)]
    assert np.allclose(tree.enjoyment(np.arange(tree.n_states)), by_words, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("branching", "horizon"), [(2, 12), (3, 8), (24, 3)])
def test_table_path_and_level_agree(
    branching: int, horizon: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small trees look enjoyment up, large ones follow the path; sweeps grow whole levels."""
    tree = TravelTree(branching=branching, horizon=horizon, seed=3)
    nodes = np.arange(tree.n_states)
    by_table = tree.enjoyment(nodes)
    monkeypatch.setattr(travel_tree, "TABLE_NODES", 0)
    assert np.array_equal(tree.enjoyment(nodes), by_table)
    monkeypatch.setattr(travel_tree, "CHUNK", 50)  # many small chunks in the place of one
    by_level = np.concatenate([tree.level_enjoyment(t) for t in range(horizon + 1)])
    assert np.array_equal(by_level, by_table)


def test_nodes_and_levels_that_do_not_exist_are_refused() -> None:
    tree = TravelTree(horizon=2)
    for call in (
        lambda: tree.parent(0),
        lambda: tree.path(-1),
        lambda: tree.path(tree.n_states),
        lambda: tree.level(-1),
        lambda: tree.level(3),
        lambda: tree.level_enjoyment(3),
        lambda: tree.enjoyment([-1]),
        lambda: tree.enjoyment([tree.n_states]),
        lambda: tree.enjoyment([0.5]),
        lambda: tree.trips_at(-np.ones(2, dtype=int)),
    ):
        with pytest.raises(ValueError, match=r"must .* came"):
            call()
    assert len(tree.enjoyment([])) == 0


@quick
@given(tree=small_trees(), data=st.data())
def test_histories_are_those_of_the_trips_to_the_nodes_of_a_level(
    tree: TravelTree, data: st.DataObject
) -> None:
    t = data.draw(st.integers(0, tree.horizon))
    level, seen = tree.level(t), tree.histories(t)
    rng = np.random.default_rng(0)
    calm = TravelTree(tree.branching, tree.horizon, tree.seed, dense=tree.dense)
    states, paid = np.zeros(level.stop - level.start, dtype=int), []
    for day in range(t):
        assert np.array_equal(seen.states[:, day], states)
        states, rewards, _ = calm.step(states, seen.actions[:, day], rng)
        paid.append(rewards)
    assert np.array_equal(seen.states[:, t], states)
    assert np.array_equal(states, np.arange(level.start, level.stop))
    assert seen.actions.shape == seen.rewards.shape == (len(states), t)
    assert np.allclose(seen.rewards, np.reshape(paid, (t, len(states))).T, atol=1e-12)


# -- acting


def test_a_canceled_train_keeps_you_where_you_are_as_often_as_stated() -> None:
    tree, n = TravelTree(cancel=0.3), 20_000
    rng = np.random.default_rng(0)
    arrived, rewards, ended = tree.step(np.zeros(n, int), np.full(n, 2), rng)
    assert set(arrived) == {1, 3}
    assert tree.itinerary(1) == ["Amsterdam", "Amsterdam"]
    assert abs((arrived == 1).mean() - 0.3) < 4 * math.sqrt(0.3 * 0.7 / n)
    assert not rewards.any() and not ended.any()


@quick
@given(tree=small_trees(), seed=st.integers(0, 10**6))
def test_dense_rewards_add_up_to_the_sparse_ones(tree: TravelTree, seed: int) -> None:
    arguments = {"cancel": tree.cancel, "seed": tree.seed}
    sparse = TravelTree(tree.branching, tree.horizon, **arguments)
    dense = TravelTree(tree.branching, tree.horizon, dense=True, **arguments)
    chosen = np.random.default_rng(seed).integers(tree.branching, size=(tree.horizon, 20))
    sums, ends = [], []
    for variant in (sparse, dense):
        rng = np.random.default_rng(seed)
        states, total = variant.reset(20, rng), np.zeros(20)
        for actions in chosen:
            states, rewards, ended = variant.step(states, actions, rng)
            total += rewards
        assert ended.all()
        sums.append(total)
        ends.append(states)
    assert np.array_equal(*ends)
    assert np.allclose(*sums, rtol=0, atol=1e-12)
    assert np.allclose(sums[0], sparse.enjoyment(ends[0]), rtol=0, atol=1e-12)


def test_steps_that_make_no_sense_are_refused() -> None:
    tree, rng = TravelTree(horizon=2), np.random.default_rng(0)
    for states, actions, words in (
        ([0, 0], [1], "needs one action"),
        ([0], [3], r"0\.\.2"),
        ([0], [-1], r"0\.\.2"),
        ([0], [0.5], "whole numbers"),
        ([tree.first_leaf], [0], "reset"),
        ([-1], [0], "states must lie"),
    ):
        with pytest.raises(ValueError, match=words):
            tree.step(np.array(states), np.array(actions), rng)


# -- solutions


@quick
@given(tree=small_trees())
def test_solve_equals_recursion_over_all_that_can_happen(tree: TravelTree) -> None:
    solution = tree.solve()
    assert math.isclose(solution.values[0], best_from(tree, 0), abs_tol=1e-9)
    assert tree.optimal_return() == solution.values[0]
    assert not solution.values[tree.first_leaf :].any()
    assert not solution.policy[tree.first_leaf :].any()


@quick
@given(tree=small_trees())
def test_without_cancellations_the_optimum_is_the_best_action_sequence(tree: TravelTree) -> None:
    calm = TravelTree(
        tree.branching, tree.horizon, tree.seed, dense=tree.dense, discount=tree.discount
    )
    rng, returns = np.random.default_rng(0), []
    for actions in itertools.product(range(tree.branching), repeat=tree.horizon):
        state, total = calm.reset(1, rng), 0.0
        for t, action in enumerate(actions):
            state, reward, _ = calm.step(state, np.array([action]), rng)
            total += calm.discount**t * reward[0]
        returns.append(total)
    assert math.isclose(calm.optimal_return(), max(returns), abs_tol=1e-9)
    assert math.isclose(calm.random_return(), np.mean(returns), abs_tol=1e-9)


@quick
@given(tree=small_trees(), sparse=st.booleans())
def test_solve_equals_the_general_solvers(tree: TravelTree, sparse: bool) -> None:
    mdp, values = tree.mdp(sparse_transitions=sparse), tree.solve().values
    assert np.allclose(value_iteration(mdp, tol=1e-10).values, values, atol=1e-8)
    assert np.allclose(policy_iteration(mdp).values, values, atol=1e-8)
    assert np.allclose(backward_induction(mdp).values[0], values, atol=1e-9)
    assert np.allclose(evaluate_policy(mdp, tree.solve().policy.astype(int)), values, atol=1e-8)


@quick
@given(tree=small_trees(), seed=st.integers(0, 10**6), sparse=st.booleans())
def test_evaluate_equals_the_general_evaluation(tree: TravelTree, seed: int, sparse: bool) -> None:
    policy = some_policy(tree, seed)
    values = tree.evaluate(policy)
    assert np.allclose(evaluate_policy(tree.mdp(sparse), policy), values, atol=1e-8)
    assert np.allclose(tree.evaluate(policy[: tree.first_leaf]), values, rtol=0, atol=0)
    assert (values <= tree.solve().values + 1e-9).all()
    uniform = np.full((tree.n_states, tree.n_actions), 1 / tree.n_actions)
    assert math.isclose(tree.expected_return(uniform), tree.random_return(), abs_tol=1e-9)


@quick
@given(tree=small_trees(), seed=st.integers(0, 10**6))
def test_the_value_of_actions_is_that_of_certain_probabilities(tree: TravelTree, seed: int) -> None:
    actions = np.random.default_rng(seed).integers(tree.n_actions, size=tree.n_states)
    assert np.array_equal(tree.evaluate(actions), tree.evaluate(np.eye(tree.n_actions)[actions]))


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("cancel", [0.0, 0.3])
def test_the_exact_value_lies_in_the_interval_of_simulated_trips(
    dense: bool, cancel: float
) -> None:
    tree = TravelTree(horizon=4, dense=dense, cancel=cancel, discount=0.9)
    policy = some_policy(tree, seed=1)
    estimate = estimate_return(tree, policy, episodes=20_000, seed=0, confidence=0.9999)
    assert estimate.contains(tree.expected_return(policy))
    assert estimate.high - estimate.low < 1


def test_random_return_is_the_mean_of_the_leaves() -> None:
    for seed in range(5):
        tree = TravelTree(horizon=7, seed=seed)
        leaves = tree.enjoyment(np.arange(tree.first_leaf, tree.n_states))
        assert math.isclose(tree.random_return(), leaves.mean(), rel_tol=1e-12)
        assert tree.optimal_return() == leaves.max()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (np.full((4, 3), 0.3), "sum to 1"),
        (np.full((5, 3), 1 / 3), "shape"),
        (np.full((4, 3), np.nan), "NaN"),
        (np.tile([1.5, -0.5, 0], (4, 1)), "below 0"),
        (np.full(4, 3), r"0\.\.2"),
        (np.full(4, 0.5), "whole numbers"),
        (1, "shape"),
    ],
)
def test_policies_that_are_none_are_refused(policy: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TravelTree(horizon=2).evaluate(policy)


@pytest.mark.parametrize(
    ("arguments", "expected", "came"),
    [
        ({"branching": 1}, "whole number of at least 2", "1 came; pass for example branching=3"),
        ({"branching": 2.0}, "whole number of at least 2", "2.0 came; pass"),
        ({"branching": True}, "whole number of at least 2", "True came; pass"),
        ({"branching": 25, "horizon": 1}, "at most 24", "25 came"),
        ({"horizon": 0}, "whole number of at least 1", "0 came; pass for example horizon=3"),
        ({"horizon": 17}, "at most 16 with branching 3", "17 came: .*lower the horizon"),
        ({"horizon": 10**9}, "at most 16 with branching 3", "came: .*lower the horizon"),
        ({"branching": 2, "horizon": 27}, "at most 26", "27 came: .*lower the horizon"),
        ({"seed": -1}, "whole number of at least 0", "-1 came; pass"),
        ({"cancel": 1.1}, "number from 0 to 1", "1.1 came; pass"),
        ({"cancel": math.nan}, "number from 0 to 1", "nan came; pass"),
        ({"discount": -0.1}, "number from 0 to 1", "-0.1 came; pass"),
        ({"discount": 1.1}, "number from 0 to 1", "1.1 came; pass"),
        ({"discount": "high"}, "number from 0 to 1", "'high' came; pass"),
    ],
)
def test_bad_arguments_say_what_was_expected_what_came_and_what_to_do(
    arguments: dict, expected: str, came: str
) -> None:
    with pytest.raises(ValueError, match=f"{expected}.*{came}"):
        TravelTree(**arguments)


def test_a_model_that_would_not_fit_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match=r"GiB .*sparse_transitions=True"):
        TravelTree(horizon=10).mdp()


@pytest.mark.skipif(sys.platform == "win32", reason="has no getrusage")
@pytest.mark.slow
def test_43_million_leaves_are_solved_exactly_in_little_memory() -> None:
    script = """
        import resource, sys
        import numpy as np
        from seqdec_lib.problems import TravelTree

        tree = TravelTree(branching=3, horizon=16)
        assert tree.n_leaves == 3**16
        solution = tree.solve()
        best, node = solution.values[0], 0
        while node < tree.first_leaf:
            node = 3 * node + 1 + int(solution.policy[node])
        assert tree.enjoyment([node])[0] == best, "following the policy earns another return"
        some = np.random.default_rng(0).integers(tree.first_leaf, tree.n_states, size=100_000)
        assert tree.enjoyment(some).max() <= best, "a random trip beats the optimum"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(peak * (1 if sys.platform == "darwin" else 1024))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 2 * 2**30


# -- as a Gymnasium environment

VARIANTS = [
    {},
    {"horizon": 1, "branching": 24},
    {"dense": True},
    {"cancel": 0.5, "discount": 0.9},
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("arguments", VARIANTS)
@pytest.mark.parametrize("render_mode", [None, "ansi"])
def test_gymnasium_finds_nothing_wrong(arguments: dict, render_mode: str | None) -> None:
    env = gymnasium.make("seqdec/TravelTree-v0", render_mode=render_mode, **arguments)
    check_env(env.unwrapped)


@pytest.mark.parametrize(
    ("imports", "name"),
    [
        ("gymnasium, seqdec_lib", "seqdec/TravelTree-v0"),
        ("gymnasium", "seqdec_lib:seqdec/TravelTree-v0"),
    ],
)
def test_gymnasium_finds_the_tree_in_a_fresh_process(
    imports: str, name: str, tmp_path: Path
) -> None:
    script = (
        f"import {imports}\n"
        f"env = gymnasium.make('{name}', horizon=2)\n"
        f"envs = gymnasium.make_vec('{name}', num_envs=5, horizon=2)\n"
        "print(type(env.unwrapped).__name__, type(envs.unwrapped).__name__, envs.num_envs)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", cwd=tmp_path
    )
    assert run.stdout.split() == ["ProblemEnv", "ProblemVectorEnv", "5"], run.stderr


@pytest.mark.parametrize("arguments", [{}, {"dense": True, "branching": 2, "horizon": 3}])
def test_many_copies_do_what_single_ones_do(arguments: dict) -> None:
    """Step by step, through several restarts, observations to infos."""
    ours = gymnasium.make_vec("seqdec/TravelTree-v0", num_envs=4, **arguments)
    theirs = gymnasium.make_vec(
        "seqdec/TravelTree-v0", num_envs=4, vectorization_mode="sync", **arguments
    )
    assert ours.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    same_answers(ours.reset(seed=0), theirs.reset(seed=0))
    ours.action_space.seed(0)
    for _ in range(25):
        actions = ours.action_space.sample()
        answer = ours.step(actions)
        assert answer[0] in ours.observation_space
        same_answers(answer, theirs.step(actions))


def same_answers(ours: tuple, theirs: tuple) -> None:
    *arrays, info = ours
    *expected, expected_info = theirs
    for ours_array, expected_array in zip(arrays, expected, strict=True):
        assert ours_array.dtype == expected_array.dtype
        assert np.array_equal(ours_array, expected_array)
    assert info.keys() == expected_info.keys()
    assert all(np.array_equal(info[key], expected_info[key]) for key in info)


def test_the_seed_of_reset_decides_which_trains_are_canceled() -> None:
    def trip(envs: ProblemVectorEnv, seed: int) -> np.ndarray:
        envs.reset(seed=seed)
        return np.array([envs.step(np.ones(envs.num_envs, int))[0] for _ in range(6)])

    envs = ProblemVectorEnv(TravelTree(cancel=0.5), num_envs=50)
    assert np.array_equal(trip(envs, 0), trip(envs, 0))
    assert not np.array_equal(trip(envs, 0), trip(envs, 1))


def test_an_environment_says_how_it_wants_to_be_used() -> None:
    tree = TravelTree(horizon=1)
    for env, action in ((ProblemEnv(tree), 0), (ProblemVectorEnv(tree, 1), np.array([0]))):
        with pytest.raises(gymnasium.error.ResetNeeded, match=r"reset\(\)"):
            env.step(action)
    env = ProblemEnv(tree, render_mode="ansi")
    env.reset()
    env.step(1)
    assert env.render() == "Amsterdam - Paris"
    with pytest.raises(ValueError, match="reset"):
        env.step(0)
    with pytest.raises(ValueError, match="num_envs must be a whole number of at least 1"):
        ProblemVectorEnv(tree, 0)
    with pytest.raises(ValueError, match="'human' came"):
        ProblemEnv(tree, render_mode="human")
