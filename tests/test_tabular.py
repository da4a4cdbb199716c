"""Laws of learning from experience."""

import numpy as np
import pytest

from seqdec_lib.learning.exploration import greedy
from seqdec_lib.learning.table import Transitions, harmonic
from seqdec_lib.learning.tabular import METHODS, TabularLearner, learning_curve, settled
from seqdec_lib.mdp import MDP, evaluate_policy, value_iteration
from seqdec_lib.problems import TabularProblem, TravelTree, from_gymnasium


@pytest.fixture(scope="module")
def tree() -> TravelTree:
    return TravelTree(horizon=3)


@pytest.mark.parametrize("method", ["q_learning", "double_q_learning"])
@pytest.mark.parametrize(("chains", "replicas"), [(1, 1), (1, 4), (20, 2)])
def test_full_exploration_finds_the_exact_q(tree, method, chains, replicas) -> None:
    learner = TabularLearner(
        tree,
        method,
        step_size=1.0,
        exploration=1.0,
        chains=chains,
        replicas=replicas,
    ).train(4000 // chains)
    exact = value_iteration(tree.mdp()).q_values
    assert np.abs(learner.q_values - exact).max() < 1e-12


def small_world(seed: int) -> TabularProblem:
    """Five states, of which the last ends it; two actions with two outcomes each; a short clock."""
    rng, shape = np.random.default_rng(seed), (5, 2, 2)
    chances, start = rng.dirichlet([1, 1], size=shape[:2]), np.array([0.5, 0.25, 0.25, 0, 0])
    after, pays = rng.integers(5, size=shape), rng.normal(size=shape)
    return TabularProblem(chances, after, pays, np.arange(5) == 4, start, 0.8, horizon=4)


@pytest.mark.parametrize("method", METHODS)
def test_a_chain_is_the_textbooks_algorithm_step_by_step(method) -> None:
    world, rng, decay = small_world(1), np.random.default_rng(2), 0.6
    policy, first = rng.integers(2, size=5), rng.normal(size=(5, 1 if method == "td" else 2))
    options = {"step_size": 0.3, "replicas": 3, "trace_decay": decay, "initial_value": first}
    learner = TabularLearner(world, method, policy=policy, **options)
    versions = 2 if method == "double_q_learning" else 1
    tables, episodes = np.tile(first, (versions, 3, 1, 1)), [[], [], []]

    def moved(q, told):
        """Targets of one entry lead to their mean, by as many steps as there are of them."""
        q = q.copy()
        for entry in {entry for entry, _ in told}:
            targets = [target for place, target in told if place == entry]
            q[entry] += min(1, 0.3 * len(targets)) * (np.mean(targets) - q[entry])
        return q

    def whole_episode(q, steps):
        told, later, followed = [], 0.0, 0.0
        for t, (entry, reward, after, ended) in reversed([*enumerate(steps)]):
            if method == "sarsa_lambda":
                next_q = 0.0 if ended else q[after, policy[after]]
                last = t == len(steps) - 1
                followed = next_q if last else (1 - decay) * next_q + decay * later
                later = reward + 0.8 * followed
            else:
                later = reward + 0.8 * later
            told.append((entry, later))
        return moved(q, told)

    for _ in range(80):
        seen = learner.step()
        now = learner.table.rows.reshape(versions, -1, 3, 5).transpose(0, 2, 3, 1)
        for r, state, action, reward, after, ended in zip(*seen, strict=True):
            entry = (state, 0 if method == "td" else action)
            old, going_on = tables[:, r], 0.8 * (not ended)
            if method in ("monte_carlo", "sarsa_lambda"):
                episodes[r].append((entry, reward, after, ended))
                if ended or len(episodes[r]) == world.horizon:
                    old, episodes[r] = [whole_episode(old[0], episodes[r])], []
                expected = [old]
            elif method == "double_q_learning":  # a coin says which of the two is told
                expected = []
                for told in (0, 1):
                    best = old[1 - told][after, old[told][after].argmax()]
                    new = moved(old[told], [(entry, reward + going_on * best)])
                    expected.append([new, old[1]] if told == 0 else [old[0], new])
            else:
                q = old[0][after]
                by_policy = q[0 if method == "td" else policy[after]]
                follows = q.max() if method == "q_learning" else by_policy
                expected = [[moved(old[0], [(entry, reward + going_on * follows)])]]
            assert any(np.allclose(now[:, r], tables_) for tables_ in expected)
        tables = now.copy()
    assert np.allclose(learner.q_values, tables.mean(axis=0))


@pytest.mark.parametrize("initial_value", [-50.0, 7.0, 50.0])
@pytest.mark.parametrize("method", sorted(set(METHODS) - {"td", "monte_carlo"}))
def test_nothing_is_added_for_what_follows_the_end(tree, method, initial_value) -> None:
    learner = TabularLearner(
        tree, method, step_size=1.0, exploration=1.0, initial_value=initial_value, chains=20
    ).train(200)
    exact = value_iteration(tree.mdp()).q_values
    last = tree.level(tree.horizon - 1)
    assert np.allclose(learner.q_values[0, last], exact[last])  # pays at once, then it is over
    assert (learner.q_values[0, tree.first_leaf :] == initial_value).all()  # never touched


def test_an_episode_that_the_clock_cuts_short_goes_on() -> None:
    forever = TabularProblem(
        *(np.ones((1, 1, 1)), np.zeros((1, 1, 1), dtype=int), np.ones((1, 1, 1))),
        *(np.array([False]), np.array([1.0]), 0.5),
        horizon=1,
    )
    for method in ("q_learning", "sarsa", "expected_sarsa", "sarsa_lambda"):
        learner = TabularLearner(forever, method, step_size=0.5).train(200)
        assert np.isclose(learner.q_values[0, 0, 0], 2)  # 1 / (1 - discount), not 1


@pytest.mark.parametrize("method", ["td", "sarsa", "expected_sarsa", "monte_carlo", "sarsa_lambda"])
def test_a_given_policy_is_evaluated(tree, method) -> None:
    rng = np.random.default_rng(0)
    policy = rng.dirichlet(np.ones(3), size=tree.n_states)
    step_size = harmonic(1.0 if method == "monte_carlo" else 0.7)
    learner = TabularLearner(tree, method, step_size=step_size, policy=policy, chains=50)
    learner.train(3000)
    exact = evaluate_policy(tree.mdp(), policy)
    values = learner.q_values[0] if method == "td" else policy * learner.q_values[0]
    values = values.sum(axis=1)
    assert abs(values[0] - exact[0]) < 0.1


def test_monte_carlo_with_harmonic_steps_is_the_mean_of_the_returns(tree) -> None:
    """However many chains meet in an entry, it holds the plain average of what followed."""
    learner = TabularLearner(tree, "monte_carlo", step_size=harmonic(1), exploration=1.0, chains=7)
    sums, counts = np.zeros((tree.n_states, 3)), np.zeros((tree.n_states, 3))
    for _ in range(40):
        visited = []
        for _ in range(tree.horizon):
            seen = learner.step()
            visited.append((seen.observations, seen.actions))
        for pair in visited:
            np.add.at(sums, pair, seen.rewards)
            np.add.at(counts, pair, 1)
    tried = counts > 0
    assert np.allclose(learner.q_values[0][tried], (sums / np.maximum(counts, 1))[tried])


@pytest.mark.parametrize("method", ["q_learning", "sarsa", "expected_sarsa", "double_q_learning"])
def test_many_chains_in_one_table_do_not_diverge(tree, method) -> None:
    learner = TabularLearner(tree, method, step_size=1.0, exploration=0.5, chains=500).train(300)
    best = np.abs(tree.level_enjoyment(tree.horizon)).max()
    assert np.abs(learner.q_values).max() <= best + 1e-9


def test_replicas_are_independent(tree) -> None:
    """What one replica is told changes nothing in another."""
    learner = TabularLearner(tree, "q_learning", step_size=1.0, replicas=2)
    told = Transitions(
        replicas=np.array([1]),
        observations=np.array([0]),
        actions=np.array([2]),
        rewards=np.array([5.0]),
        next_observations=np.array([3]),
        terminated=np.array([False]),
    )
    learner.update(told)
    assert learner.q_values[1, 0].tolist() == [0, 0, 5] and not learner.q_values[0].any()


def test_chains_that_meet_count_each_and_lead_to_the_mean(tree) -> None:
    """All start in one state, so that a step of nine chains moves the same few entries."""
    first = 5.0 + np.arange(3 * tree.n_states).reshape(-1, 3)
    learner = TabularLearner(tree, step_size=0.2, exploration=1.0, chains=9, initial_value=first)
    seen = learner.step()
    for action in range(3):
        here, old = seen.actions == action, first[0, action]
        targets = seen.rewards + tree.discount * first[seen.next_observations].max(axis=1)
        moved = min(1, 0.2 * here.sum()) * (targets[here].mean() - old) if here.any() else 0
        assert learner.q_values[0, 0, action] == pytest.approx(old + moved)


def test_unless_told_otherwise_one_step_in_ten_is_random(tree) -> None:
    first = np.tile([0.0, 1.0, 0.0], (tree.n_states, 1))
    default = TabularLearner(tree, initial_value=first).acting_policies
    np.testing.assert_allclose(
        default[0], np.tile([0.1 / 3, 1 - 0.2 / 3, 0.1 / 3], first.shape[:1] + (1,))
    )


def test_imagined_steps_may_repeat_an_entry(tree) -> None:
    """Two rewards for one entry: both steps count, and lead to the mean at most."""
    learner = TabularLearner(tree, "q_learning", step_size=0.25)
    zeros = np.zeros(2, dtype=int)
    ended = np.array([True, True])
    learner.update(Transitions(zeros, zeros, zeros, np.array([4.0, 8.0]), zeros, ended))
    assert learner.q_values[0, 0, 0] == 0.5 * 6


def test_the_same_seed_learns_the_same_table(tree) -> None:
    for method in set(METHODS) - {"td"}:
        first, again, other = (
            TabularLearner(tree, method, seed=seed).train(100).q_values for seed in (1, 1, 2)
        )
        assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_ties_are_broken_at_random(tree) -> None:
    learner = TabularLearner(tree, exploration=0.0, replicas=3000)
    shares = np.bincount(learner.step().actions, minlength=3) / 3000
    assert np.abs(shares - 1 / 3).max() < 0.05


def test_a_table_that_is_given_is_where_it_starts(tree) -> None:
    first = np.arange(3.0 * tree.n_states).reshape(-1, 3)
    learner = TabularLearner(tree, replicas=2, initial_value=first)
    np.testing.assert_array_equal(learner.q_values, [first, first])


@pytest.mark.parametrize("method", ["q_learning", "sarsa", "double_q_learning"])
def test_with_a_temperature_it_acts_by_softmax(tree, method) -> None:
    q_values = np.tile([0.0, 1.0, -1.0], (tree.n_states, 1))
    learner = TabularLearner(
        tree, method, temperature=0.5, chains=20_000, initial_value=q_values, seed=1
    )
    expected = np.exp([0.0, 2.0, -2.0]) / np.exp([0.0, 2.0, -2.0]).sum()
    np.testing.assert_allclose(learner.acting_policies[0, 0], expected)
    shares = np.bincount(learner.step().actions, minlength=3) / 20_000
    assert np.abs(shares - expected).max() < 5 * 0.5 / np.sqrt(20_000)


@pytest.mark.parametrize("options", [{"exploration": 0.3}, {"temperature": lambda step: 2.0}])
def test_acting_policies_are_what_the_chains_do(tree, options) -> None:
    learner = TabularLearner(tree, chains=20_000, seed=2, **options).train(5)
    expected = learner.acting_policies[0]
    seen = learner.step()
    for state in np.unique(seen.observations)[:4]:
        here = seen.actions[seen.observations == state]
        shares = np.bincount(here, minlength=3) / len(here)
        assert np.abs(shares - expected[state]).max() < 5 * 0.5 / np.sqrt(len(here))


def test_expected_sarsa_at_a_temperature_learns_the_values_of_how_it_acts(tree) -> None:
    learner = TabularLearner(
        tree, "expected_sarsa", temperature=2.0, step_size=1.0, initial_value=0.0, chains=50
    ).train(4000)
    exact = tree.mdp().q_values(evaluate_policy(tree.mdp(), learner.acting_policies[0]))
    inner = slice(0, tree.first_leaf)
    np.testing.assert_allclose(learner.q_values[0, inner], exact[inner], atol=1e-8)


def test_double_q_learning_is_less_fooled_by_noise() -> None:
    """Ten actions that pay -0.1 or so: the largest estimate is above the largest mean."""
    noise = np.linspace(-2, 2, 41) - 0.1
    shape = (2, 10, len(noise))
    table = TabularProblem(
        np.full(shape, 1 / len(noise)),
        np.ones(shape, dtype=int),
        np.broadcast_to(noise, shape),
        np.array([False, True]),
        np.array([1.0, 0.0]),
        discount=0.9,
        horizon=1,
    )
    single, double = (
        TabularLearner(table, method, exploration=1.0, replicas=300, step_size=0.1).train(300)
        for method in ("q_learning", "double_q_learning")
    )
    first, second = double.table.rows.reshape(2, 10, 300, 2)[..., 0]
    chosen = first.argmax(axis=0)
    assert single.q_values[:, 0].max(axis=1).mean() > 0.1  # believes in luck
    assert abs(second[chosen, np.arange(300)].mean() + 0.1) < 0.1  # unbiased: another table's word


@pytest.mark.parametrize("method", ["q_learning", "expected_sarsa"])
def test_taxi_is_learned(method) -> None:
    taxi = from_gymnasium("Taxi-v4", discount=0.9)
    learner = TabularLearner(taxi, method, step_size=0.5, exploration=0.3, chains=200).train(2500)
    policy = greedy(learner.q_values)[0]
    reached = taxi.expected_return(policy)
    assert taxi.optimal_return() - reached < 0.5


def test_learning_curves_do_not_depend_on_where_they_stop(tree) -> None:
    often = learning_curve(TabularLearner(tree, replicas=3), [30, 60, 300])
    rarely = learning_curve(TabularLearner(tree, replicas=3), [300])
    assert often.shape == (3, 3) and np.array_equal(often[-1], rarely[0])
    twice = learning_curve(TabularLearner(tree, replicas=3).train(300), [300, 300])
    assert np.array_equal(twice, [rarely[0], rarely[0]])


def test_settled_means_for_good() -> None:
    regrets = np.array([[0.0, 0.5], [0.4, 0.3], [0.05, 0.2], [0.0, 0.1]])
    assert settled([1, 2, 3, 4], regrets).tolist() == [3, np.inf]
    assert settled([1, 2], np.array([[0.06, 0.05], [0.05, 0.06]])).tolist() == [2, np.inf]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"method": "magic"}, "'magic' came"),
        ({"method": "td"}, "policy"),
        ({"step_size": 0.0}, "step_size"),
        ({"step_size": 1.5}, "step_size"),
        ({"exploration": -0.1}, "exploration"),
        ({"temperature": 0.0}, "temperature"),
        ({"initial_value": np.zeros((2, 3))}, "initial_value"),
        ({"initial_value": np.inf}, "initial_value"),
        ({"trace_decay": 1.5}, "trace_decay"),
        ({"chains": 0}, "chains"),
        ({"replicas": 2.5}, "replicas"),
        ({"policy": np.full((3, 3), 1 / 3)}, "policy"),
    ],
)
def test_bad_options_are_named(tree, options: dict, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        TabularLearner(tree, **options)


def test_methods_without_such_a_target_say_so(tree) -> None:
    zeros = np.zeros(1, dtype=int)
    step = Transitions(zeros, zeros, zeros, np.zeros(1), zeros, np.array([False]))
    with pytest.raises(ValueError, match="next_actions"):
        TabularLearner(tree, "sarsa").update(step)
    with pytest.raises(ValueError, match="whole episodes"):
        TabularLearner(tree, "monte_carlo").update(step)
    with pytest.raises(ValueError, match="increase"):
        learning_curve(TabularLearner(tree).train(10), [5])
    with pytest.raises(ValueError, match="power"):
        harmonic(2.0)


def test_the_model_is_never_looked_at(tree, monkeypatch) -> None:
    monkeypatch.setattr(TravelTree, "mdp", lambda self: pytest.fail("looked at the model"))
    monkeypatch.setattr(MDP, "__init__", lambda *_: pytest.fail("built a model"))
    for method in set(METHODS) - {"td"}:
        TabularLearner(TravelTree(horizon=3), method).train(50)


@pytest.mark.parametrize("method", ["q_learning", "monte_carlo"])
def test_a_learner_that_only_explores_earns_what_the_die_earns(tree, method) -> None:
    learner = TabularLearner(tree, method, exploration=1.0, chains=500, replicas=4)
    with pytest.raises(ValueError, match="before the first step: call train"):
        _ = learner.reward_per_step
    learner.train(200 * tree.horizon)
    # 400,000 trips: three standard errors are about a hundredth of a star
    assert abs(learner.reward_per_step * tree.horizon - tree.random_return()) < 0.05
