"""What counts as an answer: plain numbers, texts, lists, tuples, dicts, arrays and tensors.

Types are compared by identity, so an object that overrides `==`, arithmetic or `__class__`, or a
subclass of a number or an array that does, is no answer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

TOLERANCE = 1e-9


class NotPlain(TypeError):
    """What came is no answer, whatever it says; the message tells what to return instead."""


def plain(value: object) -> object:
    """The value made of None, bools, ints, floats, strings, lists, dicts and numeric arrays only;
    an array of texts becomes a list, and one without dimensions a number.

    Raises
    ------
    NotPlain
        It is made of anything else.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        return [plain(item) for item in value]
    if type(value) is dict:
        return {plain(key): plain(item) for key, item in value.items()}
    torch = sys.modules.get("torch")  # nobody makes a tensor without having imported it
    if torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter):
        whole = value.detach().cpu()
        value = (whole.double() if whole.is_floating_point() else whole).numpy()
    if type(value) is np.ndarray and value.dtype.kind in "biufU":
        if value.ndim == 0:
            return plain(value[()])
        return value.tolist() if value.dtype.kind == "U" else value
    if type(value) is np.str_:
        return str(value)
    if type(value) in np.ScalarType and isinstance(value, (np.bool, np.integer, np.floating)):
        return float(value) if isinstance(value, np.floating) else value.item()
    raise NotPlain(
        f"{type(value).__name__} came: return plain numbers or texts, or a list, tuple, dict, "
        "array or tensor of them."
    )


def same(came: object, expected: object, tolerance: float = TOLERANCE) -> bool:
    """Whether two plain values agree: same shape, same texts, numbers within rounding.

    Lists, arrays and tensors of the same numbers are the same answer, and so are 2 and 2.0; a
    bool is not a number, and a text is neither.
    """
    numbers, exact = numbers_of(came), numbers_of(expected)
    if numbers is not None and exact is not None:
        return (
            numbers.shape == exact.shape
            and (exact.size == 0 or kinds_of(came) == kinds_of(expected))
            and np.allclose(numbers, exact, rtol=tolerance, atol=tolerance)
        )
    if type(came) is not type(expected):
        return False
    if type(came) is dict:
        return came.keys() == expected.keys() and all(
            same(came[key], expected[key], tolerance) for key in expected
        )
    if type(came) is list:
        return len(came) == len(expected) and all(
            same(one, other, tolerance) for one, other in zip(came, expected, strict=True)
        )
    return bool(came == expected)


def numbers_of(value: object) -> np.ndarray | None:
    """A number, an array or nested lists of numbers as one array of floats; None for all else."""
    if not kinds_of(value) <= {"bool", "number"}:
        return None
    try:
        return np.asarray(value, dtype=float)
    except (ValueError, OverflowError):  # ragged lists, whole numbers beyond all floats
        return None


def kinds_of(value: object) -> set[str]:
    """What a plain value is made of: "bool", "number" and "other"."""
    return set(_leaf_kinds(value))


def _leaf_kinds(value: object) -> Iterator[str]:
    if type(value) is list:
        for item in value:
            yield from _leaf_kinds(item)
    elif type(value) is np.ndarray:
        yield "bool" if value.dtype == bool else "number"
    elif type(value) is bool:
        yield "bool"
    else:
        yield "number" if type(value) in (int, float) else "other"
