"""Two judges, one verdict: what the visible check accepts the grader accepts, and the reverse.

No sandbox runs here: answers go through the coding at its wall, and that is all that it does to
them.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import cycle

import numpy as np
import pytest
import torch

from coursework.grading.restore import functions
from coursework.record import ASSIGNMENTS, solutions
from coursework.sandbox import wire
from coursework.sandbox.inside import answers
from seqdec_lib import checks
from seqdec_lib.checks import EXERCISES, OF_ASSIGNMENTS, Exercise, grade, judge
from seqdec_lib.checks import kinds as kinds_of_failure
from seqdec_lib.checks.plain import numbers_of, plain
from seqdec_lib.checks.trial import CASES_PER_SIZE, LARGEST_SIZE, first_failure
from tests.test_assignments import info, mutants_of, notebook_of

LARGEST_EXPONENT = 709  # exp of more is infinite


@cache
def hidden_exercises() -> dict[str, Exercise]:
    """What the hidden tests of all assignments ask for."""
    found: dict[str, Exercise] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "grade", lambda name, _, exercise: found.update({name: exercise}))
        for assignment in ASSIGNMENTS:
            names = solutions(assignment)
            for cell in notebook_of(assignment).cells:
                if info(cell)["grade_id"].endswith("-test"):
                    exec(cell.source, dict(names))  # a namespace for each, as in the grader
    return found


@cache
def all_solutions() -> dict[str, Callable[..., object]]:
    """What the source notebooks define, of all assignments together."""
    return {name: made for a in ASSIGNMENTS for name, made in solutions(a).items()}


@cache
def cases_of(name: str, hidden: bool) -> list[tuple]:
    """The cases of an exercise of an assignment, in the order in which they are tried."""
    exercise = (hidden_exercises() if hidden else EXERCISES)[name]
    rng, sizes = np.random.default_rng(0), range(1, LARGEST_SIZE + 1)
    return [case for size in sizes for case in exercise.cases(rng, size, CASES_PER_SIZE)]


@cache
def answers_of(name: str, hidden: bool) -> list[object]:
    """The exact answers to these cases."""
    exercise = (hidden_exercises() if hidden else EXERCISES)[name]
    return [exercise.answer(*copy.deepcopy(case)) for case in cases_of(name, hidden)]


def verdicts(name: str, dress: Callable[[object], object]) -> tuple[bool, bool]:
    """Whether the check and the grader accept the right answers in another dress."""
    dressed = iter([dress(answer) for answer in answers_of(name, False)])
    seen = judge(name, lambda *case: next(dressed)).passed
    told, asked = iter(answers_of(name, True)), iter(cases_of(name, True))
    exercise = replace(
        hidden_exercises()[name],
        answer=lambda *case: next(told),
        draw=lambda rng, size: next(asked),
    )
    dressed_too = iter([dress(answer) for answer in answers_of(name, True)])
    try:
        grade(name, lambda *case: through_the_wall(next(dressed_too)), exercise)
    except AssertionError:
        return seen, False
    return seen, True


def through_the_wall(value: object) -> object:
    return wire.answer(answers._answer(value))[1]


def entries(value: object, dress: Callable[[object], object]) -> object:
    """A list, nested as an answer is, with another thing in the place of each number."""
    value = np.asarray(value)
    return [entries(row, dress) for row in value] if value.ndim else dress(value[()])


SAME = {
    "an array": np.asarray,
    "a list": lambda value: np.asarray(value).tolist(),
    "a tuple": lambda value: tuple_of(np.asarray(value).tolist()),
    "a tensor": lambda value: torch.as_tensor(np.array(value)),
    "a tensor with a gradient": lambda value: torch.tensor(
        np.asarray(value, float), requires_grad=True
    ),
    "numbers of NumPy": lambda value: entries(value, np.float64),
    "arrays without dimensions": lambda value: entries(value, np.array),
    "tensors without dimensions": lambda value: entries(value, torch.tensor),
    "parameters": lambda value: torch.nn.Parameter(torch.as_tensor(np.asarray(value, float))),
    "read from the right": lambda value: np.array(value, float, order="F"),
    "big-endian": lambda value: np.asarray(value, ">f8"),
    "a view with strides": lambda value: np.repeat(np.atleast_1d(value), 2, 0)[::2].reshape(
        np.shape(value)
    ),
    "long doubles": lambda value: np.asarray(value, np.longdouble),
    "a long double each": lambda value: entries(value, np.longdouble),
}
SINGLE = {
    "an array": lambda value: np.asarray(value, np.float32),
    "a tensor": lambda value: torch.tensor(np.asarray(value).tolist(), dtype=torch.float32),
    "numbers": lambda value: entries(value, lambda number: float(np.float32(number))),
}
OTHER = {
    "nothing": lambda value: None,
    "a text": str,
    "texts": lambda value: entries(value, str),
    "nan": lambda value: np.asarray(value) * np.nan,
    "infinite": lambda value: np.asarray(value, float) + np.inf,
    "objects": lambda value: np.asarray(value).astype(object),
    "complex": lambda value: np.asarray(value) + 0j,
    "one axis more": lambda value: np.asarray(value)[None],
    "one row more": lambda value: [*np.atleast_1d(value), np.atleast_1d(value)[-1]],
    "a set": lambda value: {0, 1},
    "a generator": lambda value: (number for number in np.atleast_1d(value)),
    "a function": lambda value: lambda: value,
    "masked": lambda value: np.ma.array(value),
    "truth": lambda value: np.asarray(value).astype(bool),
    "off by a little": lambda value: np.asarray(value, float) + 1e-4,
}


def tuple_of(value: object) -> object:
    return tuple(map(tuple_of, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("name", OF_ASSIGNMENTS)
def test_the_same_numbers_are_right_in_every_dress(name: str) -> None:
    """One dress a case, in turn."""
    dresses = cycle(SAME.values())
    assert verdicts(name, lambda value: next(dresses)(value)) == (True, True)


@pytest.mark.parametrize("name", OF_ASSIGNMENTS)
def test_whole_numbers_may_be_of_any_kind_and_others_need_64_bits(name: str) -> None:
    """What is right in 32 bits on the small cases may be wrong on the hidden ones."""
    numbers = [numbers_of(plain(a)) for hidden in (0, 1) for a in answers_of(name, bool(hidden))]
    whole = all(np.array_equal(some, np.round(some)) for some in numbers)
    enough = whole or EXERCISES[name].tolerance > 1e-6
    for dress, put_on in SINGLE.items():
        assert verdicts(name, put_on) == (enough, enough), dress
    for dtype in (np.int16, np.int32, np.int64, np.float64) if whole else ():
        assert verdicts(name, lambda value, t=dtype: np.asarray(value, t)) == (True, True)


@pytest.mark.parametrize("name", OF_ASSIGNMENTS)
def test_what_is_no_answer_is_none_for_both(name: str) -> None:
    with np.errstate(all="ignore"):
        for dress, put_on in OTHER.items():
            assert verdicts(name, put_on) == (False, False), dress


def takes_an_array(name: str) -> bool:
    (case,) = EXERCISES[name].cases(np.random.default_rng(0), LARGEST_SIZE, 1)
    return any(isinstance(argument, np.ndarray) for argument in case)


def in_32_bits(argument: object) -> object:
    """An array of floats as PyTorch makes it of a list; what is exact in both stays right."""
    is_float = isinstance(argument, np.ndarray) and argument.dtype.kind == "f"
    return argument.astype(np.float32) if is_float else argument


@pytest.mark.parametrize("name", [name for name in OF_ASSIGNMENTS if takes_an_array(name)])
def test_a_solution_in_32_bits_is_right_for_both_or_for_neither(name: str) -> None:
    solution = all_solutions()[name]

    def attempt(*case: object) -> object:
        return solution(*map(in_32_bits, case))

    with np.errstate(all="ignore"):
        seen = judge(name, attempt).passed
        assert seen == (first_failure(hidden_exercises()[name], attempt, seed=0) is None)


# -- what both ask


def kinds(value: object) -> Iterator[str]:
    """What an argument is, as far as a function may stumble over it."""
    if isinstance(value, (list, tuple)):
        yield type(value).__name__
        for item in value:
            yield from (f"{kind} in it" for kind in kinds(item))
    elif isinstance(value, (str, bool)) or not isinstance(value, np.ndarray):
        yield type(value).__name__
    else:
        yield f"{value.dtype.name}, {value.ndim} axes"
        if value.dtype.kind == "f":
            yield from ["nan"] * bool(np.isnan(value).any())
            yield from ["inf"] * bool((value == np.inf).any())
            yield from ["-inf"] * bool((value == -np.inf).any())
            finite = value[np.isfinite(value)]
            yield from ["overflow"] * bool((np.abs(finite) > LARGEST_EXPONENT).any())


def edges(arguments: list[object]) -> set[str]:
    """At which edges an argument is, in some case: what a rule may treat in a way of its own."""
    floats = [argument for argument in arguments if isinstance(argument, float)]
    lists = [numbers_of(plain(a)) for a in arguments if isinstance(a, (list, np.ndarray))]
    found = (
        {"empty"} if any(numbers is not None and not numbers.size for numbers in lists) else set()
    )
    if any(numbers is not None and (numbers < 0).any() for numbers in lists):
        found.add("negative")
    if floats and 0 <= min(floats) and max(floats) <= 1:  # a discount or a probability
        found |= {str(edge) for edge in (0.0, 1.0) if edge in floats}
    return found


@pytest.mark.parametrize("name", OF_ASSIGNMENTS)
def test_both_judges_ask_for_the_same_kinds_of_cases(name: str) -> None:
    for place, shown in enumerate(zip(*cases_of(name, False), strict=True)):
        asked = [case[place] for case in cases_of(name, True)]
        assert set().union(*map(kinds, shown)) == set().union(*map(kinds, asked)), place
        assert edges(list(shown)) >= edges(asked), place


@pytest.mark.parametrize("hidden", [False, True])
def test_cases_hold_what_the_texts_promise(hidden: bool) -> None:
    def any_case(name: str, holds: Callable[..., object]) -> bool:
        return any(holds(*case) for case in cases_of(name, hidden))

    assert any_case("look_ahead", lambda worth, *_: len(set(worth.tolist())) < len(worth))
    assert any_case("order_probability", lambda logits, order: logits.max() > 900)
    assert any_case("attend", lambda queries, *_: np.isnan(queries).any())
    assert any_case("attend", lambda queries, *_: (queries > LARGEST_EXPONENT).any())
    assert any_case("goals", lambda rewards, *_: np.isnan(rewards).any())
    assert any_case("clone_of_mixture", lambda _, visits, __: (visits.sum(axis=0) == 0).any())
    assert any_case("next_word", lambda logits, *_: logits.max() > 900)
    ratio = [np.ptp(learned) / beta for _, learned, _, beta in cases_of("on_leash", hidden)]
    assert LARGEST_EXPONENT < max(ratio)


@pytest.mark.parametrize(
    ("cell", "mistake", "kind"),
    [
        ("a1-pessimist", "single precision", kinds_of_failure.SINGLE),
        ("a1-pass", "an array of whole numbers, like what came", kinds_of_failure.WHOLE),
        ("a1-pass", "rows count the days that have passed", kinds_of_failure.ORDER),
        ("a1-spread", "rounding goes below 0", kinds_of_failure.NAN),
        ("a1-look", "looks past the leaves", kinds_of_failure.RAISED),
        ("a3-attend", "padding is multiplied by 0", kinds_of_failure.NAN),
        ("a4-goals", "padding is multiplied by 0", kinds_of_failure.NAN),
    ],
)
def test_a_mistake_hears_how_it_fails(cell: str, mistake: str, kind: str) -> None:
    assignment = cell.partition("-")[0]
    names = solutions(assignment)
    (name,) = functions(mutants_of(assignment)[cell][mistake])
    exec(mutants_of(assignment)[cell][mistake], names)
    assert kind in " ".join(judge(name, names[name]).text.split())
