"""Laws of the arithmetic of many tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.learning.table import Table, harmonic

few = settings(max_examples=40, deadline=None)
FIRST = np.arange(6.0).reshape(3, 2)  # three states, two actions
finite = st.floats(-1e12, 1e12)
visits = st.lists(st.tuples(st.integers(0, 5), finite), min_size=1, max_size=12)


def moved(table: Table, pairs: list, **options: bool) -> np.ndarray:
    entries, targets = (np.array(column) for column in zip(*pairs, strict=True))
    table.move(entries, targets, **options)
    return table.at(np.arange(6))


@few
@given(visits, st.integers(1, 4))
def test_the_harmonic_mean_is_the_running_mean_in_whatever_portions(pairs, portions) -> None:
    table = Table(FIRST, 1, harmonic(1))
    for part in range(portions):
        if pairs[part::portions]:
            moved(table, pairs[part::portions])
    for entry in range(6):
        targets = [target for place, target in pairs if place == entry]
        expected = np.mean(targets) if targets else table_at_first(entry)
        scale = max(map(abs, targets), default=1)
        assert table.at(entry) == pytest.approx(expected, rel=1e-9, abs=1e-9 * max(1, scale))


def table_at_first(entry: int) -> float:
    return Table(FIRST, 1, 1.0).at(entry)


@few
@given(visits, st.floats(1e-300, 1))
def test_k_visits_at_once_are_one_longer_step_that_never_overshoots(pairs, step_size) -> None:
    after = moved(Table(FIRST, 1, step_size), pairs)
    for entry in range(6):
        targets = [target for place, target in pairs if place == entry]
        old = table_at_first(entry)
        if targets:
            mean, rate = np.mean(targets), min(1, len(targets) * step_size)
            tiny = 1e-9 * max(1, abs(old), *map(abs, targets))
            assert after[entry] == pytest.approx(old + rate * (mean - old), abs=tiny)
            assert min(old, mean) - tiny <= after[entry] <= max(old, mean) + tiny
        else:
            assert after[entry] == old


@few
@given(visits)
def test_a_step_size_of_1_forgets_and_one_of_almost_0_learns_nothing(pairs) -> None:
    distinct = list({place: (place, target) for place, target in pairs}.values())
    whole, none = (moved(Table(FIRST, 1, size), distinct) for size in (1.0, 5e-324))
    for entry, target in distinct:
        assert whole[entry] == pytest.approx(target, abs=1e-15 * max(5, abs(target)))
        assert none[entry] == pytest.approx(table_at_first(entry), rel=0, abs=1e-300)


@few
@given(visits, st.sampled_from([0.3, 1.0, harmonic(0.6)]))
def test_entries_that_are_promised_to_be_distinct_move_alike(pairs, step_size) -> None:
    distinct = list({place: (place, target) for place, target in pairs}.values())
    slow, fast = Table(FIRST, 1, step_size), Table(FIRST, 1, step_size)
    for _ in range(2):
        np.testing.assert_array_equal(moved(slow, distinct), moved(fast, distinct, distinct=True))


def test_every_entry_has_its_own_place() -> None:
    """Replica, state, action and version: what one is told shows in exactly one number."""
    for versions in (1, 2):
        for replica, state, action, version in np.ndindex(4, 3, 2, versions):
            table = Table(FIRST, 4, 1.0, versions)
            cell = np.array([replica * 3 + state])
            entry = table.entries(cell, np.array([action]), np.array([version]))
            table.move(entry, np.array([100.0]))
            assert table.columns(cell, version)[action, 0] == 100 == table.at(entry)[0]
            change = table.q_values - FIRST
            assert change.shape == (4, 3, 2) and np.count_nonzero(change) == 1
            assert change[replica, state, action] == (100 - FIRST[state, action]) / versions


def test_a_table_of_one_column_ignores_the_action() -> None:
    table = Table(FIRST[:, :1], 2, 1.0)
    assert table.entries(np.array([4]), np.array([1])).tolist() == [4]
    assert table.q_values.shape == (2, 3, 1)


def test_a_function_is_told_the_visits_of_each_entry() -> None:
    told = []

    def step_size(visits: np.ndarray) -> np.ndarray:
        told.append(visits.tolist())
        return 1 / visits

    table = Table(FIRST, 1, step_size)
    moved(table, [(0, 1.0), (0, 1.0), (3, 1.0)])
    moved(table, [(3, 1.0), (5, 1.0)])
    assert told == [[2, 2, 1], [2, 1]]


def test_moving_nothing_changes_nothing() -> None:
    for size in (0.5, harmonic(1)):
        table = Table(FIRST, 1, size)
        table.move(np.zeros(0, dtype=int), np.zeros(0))
        np.testing.assert_array_equal(table.q_values[0], FIRST)


def test_harmonic_steps_fall_with_the_visits() -> None:
    assert harmonic()(np.array([1.0, 4.0])).tolist() == [1, 0.25]
    assert harmonic(0.5)(np.array([1.0, 4.0])).tolist() == [1, 0.5]
    assert harmonic(0)(np.array([1.0, 4.0])).tolist() == [1, 1]
    for power in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="power"):
            harmonic(power)


@pytest.mark.parametrize("size", [0.0, -0.5, 1.0001, np.nan, np.inf])
def test_a_step_size_outside_its_range_is_named_at_once_or_when_a_function_gives_it(size) -> None:
    with pytest.raises(ValueError, match="step_size"):
        Table(FIRST, 1, size)
    for sizes in ([0.5, size], [size, 0.5]):
        table = Table(FIRST, 1, lambda visits, sizes=sizes: np.array(sizes))
        with pytest.raises(ValueError, match="step_size"):
            moved(table, [(0, 1.0), (1, 1.0)])
