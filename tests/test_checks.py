"""The self-checks of the exercises: kind to stubs, exact about mistakes, never in the way."""

import numpy as np
import pytest
import torch

from seqdec_lib.checks import (
    EXERCISES,
    Exercise,
    check,
    grade,
    grade_value,
    judge,
    kinds,
    student_seed,
)
from seqdec_lib.checks.plain import NotPlain, plain, same


def stub(*case: object) -> None:
    raise NotImplementedError


def refuses(*case: object) -> None:
    raise RuntimeError("no idea")


def needs_grad(*case: object) -> torch.Tensor:
    return torch.ones(2, requires_grad=True)


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_the_answer_itself_is_right_as_list_and_as_array(name: str) -> None:
    answer = EXERCISES[name].answer
    assert judge(name, answer).passed
    assert judge(name, lambda *case: np.asarray(answer(*case)), seed=1).passed


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_a_stub_hears_a_kind_word(name: str, capsys: pytest.CaptureFixture) -> None:
    check(name, stub)
    assert capsys.readouterr().out.startswith(f"{name}: not filled in yet.")
    assert not judge(name, stub).passed


@pytest.mark.parametrize("name", sorted(EXERCISES))
@pytest.mark.parametrize(
    "attempt",
    [
        refuses,
        needs_grad,
        lambda *case: None,
        lambda *case: "a string",
        lambda *case: [[1], [1, 2]],
        lambda: 1,
        lambda *case: float("nan"),
        lambda *case: object(),
    ],
)
def test_whatever_an_attempt_does_the_verdict_is_a_sentence(name: str, attempt: object) -> None:
    verdict = judge(name, attempt)
    assert not verdict.passed
    for word in ("smallest case that fails", f"{name}(", "expected", "came", "Hint:"):
        assert word in verdict.text


def test_a_bin_that_is_not_there_is_refused_with_every_seed() -> None:
    def only_cut(x: float, low: float, high: float, bins: int) -> float:
        return min(max(x, low), high)

    assert not any(judge("back_and_forth", only_cut, seed=seed).passed for seed in range(30))


def test_the_smallest_failing_case_is_shown() -> None:
    def forgets_to_discount(rewards: list[float], discount: float) -> float:
        return sum(rewards)

    text = judge("discounted_return", forgets_to_discount).text
    (call,) = [line for line in text.splitlines() if line.startswith("  discounted_return(")]
    rewards, discount = eval(call.strip().removeprefix("discounted_return"))
    assert len(rewards) == 2 and discount < 1, "one reward alone is never discounted"


def test_an_attempt_cannot_change_its_case() -> None:
    def eats_its_input(rewards: list[float], discount: float) -> float:
        total = EXERCISES["discounted_return"].answer(rewards, discount)
        rewards.clear()
        return total

    assert judge("discounted_return", eats_its_input).passed


def test_an_exercise_that_there_is_none_of() -> None:
    with pytest.raises(ValueError, match="no exercise 'returns'; the exercises are .*path_to"):
        judge("returns", stub)


# Graded work: types as well as values, another seed a student, and no answer in the message


class EqualsAnything(float):
    """Claims to be whatever is asked for."""

    __class__ = float

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = float.__hash__
    __sub__ = __rsub__ = __abs__ = lambda self, *other: 0.0
    __le__ = __lt__ = lambda self, other: True


class ArrayEqualsAnything(np.ndarray):
    def __array_function__(self, *arguments: object) -> bool:
        return True


class ListEqualsAnything(list):
    def __eq__(self, other: object) -> bool:
        return True


double = Exercise(
    answer=lambda numbers: [2 * number for number in numbers],
    draw=lambda rng, size: (rng.integers(1, 100, size).tolist(),),
    hint="twice is the number and the number again.",
)


@pytest.mark.parametrize(
    "claim",
    [
        EqualsAnything(),
        [EqualsAnything()],
        ListEqualsAnything(),
        np.zeros(1).view(ArrayEqualsAnything),
        np.array([EqualsAnything()], dtype=object),
        object(),
        {1, 2},
        1j,
        lambda: 2,
    ],
)
def test_an_object_that_claims_to_be_equal_is_no_answer(claim: object) -> None:
    with pytest.raises(TypeError, match="return plain numbers"):
        plain(claim)
    with pytest.raises(AssertionError, match="return plain numbers"):
        grade("double", lambda numbers: claim, double)
    with pytest.raises(AssertionError, match="return plain numbers"):
        grade_value("double", claim, 2, hint="none")
    assert not judge("discounted_return", lambda *case: claim).passed


@pytest.mark.parametrize(
    ("came", "expected", "agree"),
    [
        (2, 2.0, True),
        (2.0, 2, True),
        (True, 1, False),
        (1, True, False),
        ([True, False], [1, 0], False),
        (np.array([True, False]), [True, False], True),
        ([1, 2], np.array([1.0, 2.0]), True),
        (torch.tensor([1, 2]), (1, 2), True),
        ([[1, 2]], [1, 2], False),
        ([], np.array([]), True),
        ("2", 2, False),
        ("a", "a", True),
        (["a", 1], ["a", 1], True),
        ({"a": [1.0]}, {"a": (1,)}, True),
        ({"a": 1}, {"b": 1}, False),
        (None, 0, False),
        (None, None, True),
        ([[1], [1, 2]], [[1], [1, 2]], True),
        (float("nan"), float("nan"), False),
        (10**400, 10**400, True),
        (1.0 + 1e-12, 1, True),
        (1.0 + 1e-6, 1, False),
    ],
)
def test_answers_agree_in_kind_shape_and_value(came: object, expected: object, agree: bool) -> None:
    assert same(plain(came), plain(expected)) is agree


# How an answer fails, in the words of both judges

ROWS = [[0, 1.5], [2.5, 3.5], [4.5, 5.5], [6.5, 7.5]]


@pytest.mark.parametrize(
    ("came", "expected", "kind"),
    [
        (KeyError("a"), 1, kinds.RAISED),
        (NotPlain("set came"), 1, ""),  # its own message says what to do
        (None, 1, kinds.NOTHING),
        (float("nan"), 1.0, kinds.NAN),
        ([1.0, float("inf")], [1.0, 2.0], kinds.INFINITE),
        ([1.0, float("nan")], [1.0, float("inf")], kinds.NAN),
        (True, 1, kinds.BOOLS),
        ([1, 0], [True, False], kinds.NO_BOOLS),
        (np.array([2, 3]), [2.5, 3.5], kinds.WHOLE),
        (np.array([2, 3]), [2, 4], ""),
        (np.float32([0.1, 0.7]), [0.1, 0.7], kinds.SINGLE),
        (torch.tensor(0.1).item(), 0.1, kinds.SINGLE),
        (0.1 + 1e-7, 0.1, kinds.SINGLE),
        (ROWS[1:], ROWS[:-1], kinds.EARLY),
        (ROWS[:-1], ROWS[1:], kinds.LATE),
        (ROWS[::-1], ROWS, kinds.ORDER),
        ([1, 0, 0], [1, 1, 0], ""),  # by accident
        ([3.0, 7.0], [1.0, 2.0], ""),
        (3.0, 1.0, ""),
        (np.eye(3) + 1, np.eye(3), "9 of 9 numbers are off, the first at [0, 0]"),
        (np.arange(9) + np.eye(9)[4], np.arange(9), "1 of 9 numbers are off, the first at [4]"),
        (ROWS, ROWS[:-1], "(4, 2), and (3, 2) was expected: one too many"),
        (ROWS[:-1], ROWS, "(3, 2), and (4, 2) was expected: one too few"),
        (np.transpose(ROWS), ROWS, "another order"),
        ([1.0], 1.0, "axes of length 1"),
        ([1.0, 2.0, 3.0], [1.0], "(3,), and (1,) was expected"),
        (["a"], ["a", "b"], "one too few"),
        ("a", 1, "a text came where a number was expected"),
        ({}, [1], "a dict came where an array of numbers was expected"),
        ("a", "b", ""),
    ],
)
def test_a_failure_is_of_a_kind(came: object, expected: object, kind: str) -> None:
    came = came if isinstance(came, Exception) else plain(came)
    found = kinds.kind_of(came, plain(expected))
    assert kind in found and bool(kind) == bool(found)


def test_the_kind_comes_before_the_own_hint_in_both_judges() -> None:
    def answers_nothing(*case: object) -> None:
        pass

    verdict = judge("discounted_return", answers_nothing).text
    assert "Hint: None came back" in verdict
    assert " ".join(verdict.split()).endswith(EXERCISES["discounted_return"].hint[1:])
    for hidden in (
        lambda: grade("double", answers_nothing, double),
        lambda: grade_value("double", None, 2, hint=double.hint),
    ):
        with pytest.raises(AssertionError) as caught:
            hidden()
        assert f"Hint: {kinds.NOTHING} T{double.hint[1:]}" in str(caught.value)


def test_a_hidden_test_names_the_failure_and_not_the_answer() -> None:
    with pytest.raises(AssertionError) as caught:
        grade("double", lambda numbers: [number + 1000 for number in numbers], double)
    text = str(caught.value)
    case = eval(text.partition("double(")[2].partition(")")[0])
    assert f"came  [{case[0] + 1000}]" in text and double.hint in text
    assert str(2 * case[0]) not in text.replace(str(case[0] + 1000), "")


def test_a_hidden_test_passes_what_is_right_and_hears_stubs_and_errors() -> None:
    grade("double", lambda numbers: tuple(number + number for number in numbers), double)
    grade_value("share", 0.5, 1 / 2, hint="none")
    with pytest.raises(AssertionError, match="^double: not filled in"):
        grade("double", stub, double)
    with pytest.raises(AssertionError, match="RuntimeError: no idea"):
        grade("double", refuses, double)
    with pytest.raises(AssertionError, match="0.4 is not right"):
        grade_value("share", 0.4, 1 / 2, hint="none")


def test_each_student_and_each_term_has_a_seed_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert student_seed() == 0
    seeds = set()
    for term in ("1", "2"):
        for student in ("ada", "alan", "1/ada"):
            monkeypatch.setenv("SEQDEC_TERM", term)
            monkeypatch.setenv("SEQDEC_STUDENT", student)
            assert student_seed() == student_seed()
            seeds.add(student_seed())
    assert len(seeds) == 6
