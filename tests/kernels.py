"""Kernels for the chapters, forked from a process that has imported what others wrote.

    python -P kernels.py

is that process. To import PyTorch and the rest takes seven CPU seconds, which a worker of pytest
pays once and not for each chapter. The book's library each chapter imports for itself, and nothing
of the book runs before the fork, so no chapter finds anything of another. Each line of the standard
input asks for a kernel; the answer is its process id. The process ends when its standard input
does, and the kernels with it.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from functools import cache
from typing import Any

FORKS = sys.platform == "linux"  # elsewhere a kernel starts as it always does
IMPORTED = (
    "gymnasium",
    "IPython.display",
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "nbformat",
    "scipy.sparse.linalg",
    "scipy.special",
    "torch._dynamo",  # by the first optimizer
)
# A kernel sets it before it imports matplotlib.
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}


class Kernel:
    """A kernel as jupyter_client wants it: as much of a `subprocess.Popen` as it uses."""

    stdin = stdout = stderr = None  # they lead nowhere

    def __init__(self, command: list[str], **options: Any) -> None:
        """Start it in place of `jupyter_client.launcher.launch_kernel`.

        Parameters
        ----------
        command : of which the connection file comes last
        options : those of `subprocess.Popen`, of which `env` and `cwd` count
        """
        warm = warm_process()
        request = {"file": command[-1], "environment": options["env"], "folder": options["cwd"]}
        print(json.dumps(request), file=warm.stdin, flush=True)
        self.pid = int(warm.stdout.readline())

    def poll(self) -> int | None:
        """Return None as long as it runs."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    wait = poll  # jupyter_client waits only for what has ended

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


@cache
def warm_process() -> subprocess.Popen:
    """The process that forks, the same one for all chapters; it is started when it is needed."""
    return subprocess.Popen(
        [sys.executable, "-P", __file__],
        env=os.environ | INLINE,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl+C is for pytest
    )


def end() -> None:
    """End the process, if there is one."""
    if warm_process.cache_info().currsize:
        warm_process().communicate()
        warm_process.cache_clear()


def serve() -> None:
    """Fork a kernel for each request."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is here already stays shared with the children
    signal.signal(signal.SIGCHLD, wait)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            become_kernel(**json.loads(line))
        os.setpgid(pid, pid)  # jupyter_client ends the kernel's whole group
        print(pid, flush=True)


def wait(*_: object) -> None:
    """Wait for each kernel that has ended, so that its CPU time is known to those above."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def become_kernel(file: str, environment: dict[str, str], folder: str) -> None:
    """Be a kernel in the closed network that the environment names; this process ends with it."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.modules["sitecustomize"].log_to(environment["SEQDEC_NETWORK_LOG"])
        until = f"--IPKernelApp.parent_handle={os.getppid()}"  # it ends when this one has ended
        sys.modules["ipykernel.kernelapp"].IPKernelApp.launch_instance([until, "-f", file])
    finally:
        os._exit(1)


if __name__ == "__main__":
    serve()
