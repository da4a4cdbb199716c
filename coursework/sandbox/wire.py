"""What crosses the wall of a sandbox: arguments go in as pickles, only plain data comes out."""

from __future__ import annotations

import base64
import builtins
import json
import math
import pickle

import numpy as np


class NoAnswer(Exception):
    """What came out of the sandbox is no answer; the message says why."""


def arguments(args: tuple, kwargs: dict) -> str:
    """The arguments of a call, as text.

    Raises
    ------
    TypeError
        A hidden test hands over what can't be pickled.
    """
    try:
        return base64.b64encode(pickle.dumps((args, kwargs))).decode()
    except Exception as error:
        raise TypeError(
            f"a hidden test hands a student's function what can't enter the sandbox ({error}): "
            "hand over numbers, arrays, tensors or objects of seqdec_lib."
        ) from None


def answer(text: str) -> tuple[str, object]:
    """The kind of an answer of `inside/answers.py`, and its content.

    Returns
    -------
    ("data", plain value), ("function", name) or ("missing", name).

    Raises
    ------
    NoAnswer
        It is something else.
    Exception
        The function raised; it is raised again, as the builtin exception of the same name, and
        `is_students` knows it.
    """
    try:
        ((kind, content),) = json.loads(text).items()
        if kind == "data":
            return kind, _value(content)
        if kind == "raised":
            content = _exception(*content)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise NoAnswer("what came back can't be read.") from None
    if kind == "raised":
        content.students = True
        raise content
    if kind in ("function", "missing"):
        return kind, content
    raise NoAnswer(str(content))


def is_students(error: BaseException) -> bool:
    """Whether it was a student's function that raised."""
    return getattr(error, "students", False)


def _value(content: object) -> object:
    if isinstance(content, list):
        return [_value(item) for item in content]
    if not isinstance(content, dict):
        return content
    ((kind, inner),) = content.items()
    if kind == "dict":
        return {_value(key): _value(item) for key, item in inner}
    kind, shape, text = content["array"]
    dtype = np.dtype(str(kind))
    data = base64.b64decode(text, validate=True)
    if dtype.kind not in "biuf" or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("not an array")
    return np.frombuffer(data, dtype).reshape(shape).copy()


def _exception(name: str, message: str) -> Exception:
    kind = getattr(builtins, str(name), None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(str(message))
        except TypeError:  # such as UnicodeDecodeError, which wants more
            pass
    return RuntimeError(f"{name}: {message}")
