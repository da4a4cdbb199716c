"""The self-checks of the exercises: kind to stubs, exact about mistakes, never in the way."""

import numpy as np
import pytest
import torch

from seqdec_lib.checks import EXERCISES, check, judge


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
    with pytest.raises(
        ValueError, match="no exercise 'returns'; the exercises are .*returns_to_go"
    ):
        judge("returns", stub)
