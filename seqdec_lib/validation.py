"""Checks of arguments that several modules share: what was expected, what came, what to do."""

from __future__ import annotations

import math
import numbers

import numpy as np

ROW_SUM_TOLERANCE = 1e-8
SINGLE_PRECISION_TOLERANCE = 1e-5  # a softmax in float32 sums to 1 only so well


def whole_number(name: str, value: object, least: int) -> int:
    """Return `value` as an int, or raise a ValueError if it is not a whole number >= `least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(
            f"{name} must be a whole number of at least {least}, but {value!r} came; "
            f"pass for example {name}={max(least, 3)}."
        )
    return int(value)


def fraction(name: str, value: object) -> float:
    """Return `value` as a float, or raise a ValueError if it is not a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value <= 1:
        raise ValueError(
            f"{name} must be a number from 0 to 1, but {value!r} came; pass for example {name}=0.5."
        )
    return float(value)


def positive_number(name: str, value: object) -> float:
    """Return `value` as a float, or raise a ValueError if it is not a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number above 0, but {value!r} came.")
    return float(value)


def nonnegative_number(name: str, value: object) -> float:
    """Return `value` as a float, or raise a ValueError if it is no finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a number of at least 0, but {value!r} came.")
    return float(value)


def discount_factor(discount: object, horizon: int | None) -> float:
    """Return the discount as a float: in [0, 1), or exactly 1 where a finite horizon ends the sum.

    Raises
    ------
    ValueError
        Outside [0, 1], or equal to 1 while `horizon` is None: the sum of rewards may not converge.
    """
    value = fraction("discount", discount)
    if value == 1 and horizon is None:
        raise ValueError(
            "discount must lie in [0, 1), but 1 came without a finite horizon, so the sum of "
            "rewards need not converge; choose a discount below 1 or pass horizon=..."
        )
    return value


def probability_rows(name: str, rows: np.ndarray) -> np.ndarray:
    """Return `rows` (..., K) as floats whose last axis sums to 1, or raise a ValueError.

    They may be off by their rounding, in single precision (as networks give them) or in double, and
    are divided by their sums.
    """
    rows = np.asarray(rows)
    single = np.issubdtype(rows.dtype, np.floating) and rows.dtype.itemsize < 8
    rows = rows.astype(float)
    if np.isnan(rows).any():
        raise ValueError(
            f"{name} must hold probabilities, but {int(np.isnan(rows).sum())} entries are NaN; "
            "look for a 0 / 0 where the rows were made."
        )
    if rows.size and rows.min() < 0:
        where = tuple(int(i) for i in np.unravel_index(rows.argmin(), rows.shape))
        raise ValueError(
            f"{name} must hold probabilities, but entry {where} is {rows.min():.6g}, below 0; "
            "logits become probabilities by a softmax."
        )
    sums = rows.sum(axis=-1, keepdims=True)
    tolerance = SINGLE_PRECISION_TOLERANCE if single else ROW_SUM_TOLERANCE
    check_row_sums(name, sums[..., 0], tolerance)
    return rows / sums


def check_row_sums(name: str, sums: np.ndarray, tolerance: float = ROW_SUM_TOLERANCE) -> None:
    """Raise a ValueError that names the worst row if any of the `sums` (...) is not 1."""
    sums = np.asarray(sums)
    off = np.abs(sums - 1)
    if sums.size and off.max() > tolerance:
        where = tuple(int(i) for i in np.unravel_index(off.argmax(), off.shape))
        raise ValueError(
            f"each row of {name} must sum to 1, but row {where} sums to {sums[where]:.10g}; "
            "divide each row by its sum if it holds weights."
        )
