"""How an answer fails, in a sentence that comes before the exercise's own hint.

Both judges, the visible check and the hidden test, take it from here. It may tell the shape that
was expected, and never a number.
"""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.plain import kinds_of, numbers_of, plain, same

NEAR, NEAR_AS_SINGLE = 1e-5, 1e-3  # what is closer is a matter of precision
AT_A_GLANCE = 8  # numbers, of which one sees without being told which are off
DISTINCT = 3  # so many different numbers are moved by one row by no accident

RAISED = (
    "an exception ended it. Call your function with such a case in a cell of its own: the "
    "traceback names the line."
)
NOTHING = "None came back: a `return` is missing, or the way that this case takes has none."
NAN = (
    "nan is no number. It comes of 0 / 0, of inf - inf, and of the root or logarithm of what is "
    "negative, be it by rounding only; and nan * 0 is nan, so let a mask choose, as np.where does."
)
INFINITE = (
    "inf came where a number was expected: exp of a large number overflows, so subtract the "
    "largest first; or something was divided by 0."
)
BOOLS = "True and False came where numbers were expected."
NO_BOOLS = "numbers came where True and False were expected."
WHOLE = (
    "an array of whole numbers came. It cuts off whatever is put into it, so make it one of floats."
)
SINGLE = (
    "it is right to a few digits only, as numbers of 32 bits are. PyTorch computes with those "
    "unless it is told dtype=torch.float64."
)
ORDER = "the rows are right, in the opposite order."
EARLY = "it is off by one row: each row, or entry, stands one place too early."
LATE = "it is off by one row: each row, or entry, stands one place too late."


def advice(came: object, expected: object, hint: str) -> str:
    """What to think about where `came` is not `expected`: how it fails, then the own hint."""
    kind = kind_of(came, plain(expected))
    return f"{kind} {hint[:1].upper()}{hint[1:]}" if kind else hint


def kind_of(came: object, expected: object) -> str:
    """How an exception or a plain value differs from the plain answer; "" where one sees it."""
    if isinstance(came, BaseException):
        return RAISED if type(came).__module__ == "builtins" else ""  # others say what to do
    if came is None:
        return NOTHING
    numbers, exact = numbers_of(came), numbers_of(expected)
    if exact is None or numbers is None:
        return _kind_of_other(came, expected)
    if numbers.shape != exact.shape:
        return _kind_of_shape(numbers.shape, exact.shape)
    if kinds_of(came) != kinds_of(expected):
        return BOOLS if "bool" in kinds_of(came) else NO_BOOLS
    if np.isnan(numbers).any() and not np.isnan(exact).any():
        return NAN
    if np.isinf(numbers).any() and not np.isinf(exact).any():
        return INFINITE
    if type(came) is np.ndarray and came.dtype.kind in "iu" and not _are_whole(exact):
        return WHOLE
    if _is_near(numbers, exact):
        return SINGLE
    return _kind_of_rows(numbers, exact) or _where_it_is_off(numbers, exact)


def _kind_of_other(came: object, expected: object) -> str:
    if type(came) is list and type(expected) is list:
        return _kind_of_shape((len(came),), (len(expected),)) if len(came) != len(expected) else ""
    if type(came) is not type(expected):
        return f"{_called(came)} came where {_called(expected)} was expected."
    return ""


def _called(value: object) -> str:
    """What a plain value is, in a word or two."""
    if numbers_of(value) is not None:
        return "a number" if np.ndim(value) == 0 else "an array of numbers"
    return {str: "a text", dict: "a dict", list: "a list"}.get(type(value), "something else")


def _kind_of_shape(came: tuple[int, ...], expected: tuple[int, ...]) -> str:
    shapes = f"the shape that came is {came}, and {expected} was expected"
    if len(came) == len(expected) and came[1:] == expected[1:] and abs(came[0] - expected[0]) == 1:
        return f"{shapes}: one too {'many' if came[0] > expected[0] else 'few'}."
    if came[::-1] == expected:
        return f"{shapes}: the axes are in another order."
    if [n for n in came if n != 1] == [n for n in expected if n != 1]:
        return f"{shapes}: they differ in axes of length 1."
    return f"{shapes}."


def _are_whole(numbers: np.ndarray) -> bool:
    return bool((numbers == np.round(numbers)).all())


def _is_near(numbers: np.ndarray, exact: np.ndarray) -> bool:
    """Whether it may be the precision only that is missing."""
    as_single = _is_single(numbers) and not _is_single(exact)
    return same(numbers, exact, NEAR_AS_SINGLE if as_single else NEAR)


def _is_single(numbers: np.ndarray) -> bool:
    """Whether all these numbers have room in 32 bits."""
    with np.errstate(over="ignore"):
        return bool((numbers == numbers.astype(np.float32)).all())


def _kind_of_rows(numbers: np.ndarray, exact: np.ndarray) -> str:
    if numbers.ndim == 0:
        return ""
    moved = {LATE: (numbers[1:], exact[:-1]), EARLY: (numbers[:-1], exact[1:])}
    for kind, (ours, theirs) in (moved | {ORDER: (numbers[::-1], exact)}).items():
        if same(ours, theirs) and len(np.unique(np.round(theirs, 6))) >= DISTINCT:
            return kind
    return ""


def _where_it_is_off(numbers: np.ndarray, exact: np.ndarray) -> str:
    if numbers.size <= AT_A_GLANCE:
        return ""
    places = np.argwhere(~np.isclose(numbers, exact))
    return f"{len(places)} of {numbers.size} numbers are off, the first at {places[0].tolist()}."
