"""The way to a warm process (`warm.py`), from which kernels are forked into sandboxes."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path


class NoSandbox(RuntimeError):
    """Submissions can't be run safely here; the message says what to do."""


class Warm:
    """A warm process, which is started when it is needed; or that of another program.

    Attributes
    ----------
    process : the process, once it was needed
    theirs : where one listens that another program has started, or ""
    """

    def __init__(self, start: Callable[[str], subprocess.Popen]) -> None:
        """Start it by a function of the socket's path; it writes a line when it is ready."""
        self.process: subprocess.Popen | None = None
        self.theirs = ""
        self._start = start
        self._folder: tempfile.TemporaryDirectory | None = None  # which is nobody else's
        self._one_at_a_time = threading.Lock()

    def address(self) -> str:
        """Where it listens; it is started if there is none, or if it has died."""
        with self._one_at_a_time:
            if self.process is None or self.process.poll() is not None:
                self._folder = tempfile.TemporaryDirectory(prefix="seqdec-warm-")
                self.process = self._start(str(Path(self._folder.name) / "socket"))
                self.process.stdout.readline()
            return str(Path(self._folder.name) / "socket")

    def kernel(self, request: dict) -> int:
        """The process id of a new kernel, as `warm.py` is asked for it.

        Raises
        ------
        NoSandbox
            Its sandbox could not be entered; nothing of the student has run.
        """
        answer = ""
        if self.theirs:
            with contextlib.suppress(OSError):  # whoever started it has ended
                answer = _answer(self.theirs, request)
        with contextlib.suppress(OSError):  # it could not be started, or was killed
            answer = answer or _answer(self.address(), request)
        if not answer.isdigit():
            raise NoSandbox(f"No kernel could enter a sandbox: {answer or 'there was no answer'}.")
        return int(answer)


def _answer(address: str, request: dict) -> str:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(address)
        asking.sendall(f"{json.dumps(request)}\n".encode())
        return asking.makefile().readline().strip()
