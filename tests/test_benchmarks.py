"""The harness of the benchmarks; how fast anything is depends on the machine and is not tested."""

import pytest

from benchmarks.run import Comparison, compare, discover, table, time_rounds


def test_the_order_turns_round_by_round() -> None:
    calls: list[str] = []
    contestants = {name: lambda name=name: calls.append(name) or 0.0 for name in "abc"}
    seconds = time_rounds(contestants, rounds=3)
    assert "".join(calls) == "abcbcacab"
    assert [len(values) for values in seconds.values()] == [3, 3, 3]


def test_a_missing_peer_is_left_out_with_a_sentence() -> None:
    def prepare():
        import a_package_that_nobody_has  # noqa: F401

    seconds, remarks = compare(Comparison("x", lambda: 1.0, {"peer": prepare}), rounds=1)
    assert list(seconds) == ["seqdec_lib"]
    assert remarks == [
        "peer left out: a_package_that_nobody_has is not installed; "
        'get it with `python -m pip install -e ".[bench]"`.'
    ]


def test_peers_that_answer_otherwise_are_not_timed() -> None:
    with pytest.raises(ValueError, match="same task"):
        compare(Comparison("x", lambda: 1.0, {"peer": lambda: lambda: 1.1}), rounds=1)


def test_rounds_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="--rounds"):
        time_rounds({"a": lambda: 0.0}, rounds=0)


def test_the_table_shows_the_ratio_to_ours() -> None:
    lines = table({"seqdec_lib": [1.0, 2.0, 3.0], "peer": [2.0, 4.0, 6.0]})
    assert lines[1].endswith("1.00x") and lines[2].endswith("2.00x")


def test_each_comparison_runs_once() -> None:
    for comparison in discover(["3^6"]):
        compare(comparison, rounds=1)
