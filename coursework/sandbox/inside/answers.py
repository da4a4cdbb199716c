"""Beside a student's code: look a name up, or call a function, and answer with plain data.

It runs in the sandbox, where the student's code can change it at will: all that it can make of an
answer is another answer. `coursework.sandbox.wire` reads it outside.
"""

from __future__ import annotations

import base64
import json
import pickle

import numpy as np
from IPython import get_ipython
from seqdec_lib.checks.plain import plain

LARGEST = 3_000_000  # characters


def stay() -> None:
    """Keep the kernel when a cell says quit() or exit(), which end it a moment later."""
    shell = get_ipython()
    shell.unobserve_all("exit_now")
    shell.ask_exit = lambda: print("quit() and exit() have no effect while this is graded.")


def look(name: str) -> str:
    """What the student's notebook has under a name."""
    names = get_ipython().user_ns
    if name not in names:
        return json.dumps({"missing": name})
    if callable(names[name]):
        return json.dumps({"function": name})
    return _answer(names[name])


def call(name: str, arguments: str) -> str:
    """What a function of the student's notebook returns, or raises."""
    args, kwargs = pickle.loads(base64.b64decode(arguments))
    try:
        result = get_ipython().user_ns[name](*args, **kwargs)
    except (Exception, SystemExit) as error:
        return json.dumps({"raised": [type(error).__name__, str(error)[:2000]]})
    return _answer(result)


def _answer(value: object) -> str:
    try:
        text = json.dumps({"data": _data(plain(value))})
        if len(text) > LARGEST:
            raise ValueError(f"an answer of {len(text) / 1e6:.0f} MB came: return less.")
        return text
    except (TypeError, ValueError, RecursionError) as error:
        return json.dumps({"refused": str(error)[:2000]})


def _data(value: object) -> object:
    if isinstance(value, np.ndarray):
        content = base64.b64encode(value.tobytes()).decode()
        return {"array": [value.dtype.str, list(value.shape), content]}
    if isinstance(value, list):
        return [_data(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[_data(key), _data(item)] for key, item in value.items()]}
    return value
