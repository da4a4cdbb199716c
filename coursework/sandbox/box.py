"""A sandbox: bubblewrap around one kernel, and the eye on what it uses.

Inside there is Python, this environment, `seqdec_lib` and an empty folder in memory: no network,
no other file of this machine, no other process. Limits are set twice: by the kernel of the
operating system for each process (`inside/start.py`), and by `Box.watch` for all of them together.

bubblewrap makes the sandbox around a program that only waits, and the kernel is forked into it from
a process that has imported PyTorch and the library already (`warm.py`): a tenth of the time.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import psutil
import seqdec_lib

from coursework.sandbox import seccomp
from coursework.sandbox.forks import Warm
from coursework.sandbox.usage import usage

INSIDE = Path(__file__).with_name("inside")
HOME = "/seqdec-student"  # a name of its own: it hides whatever this machine has there
COURSEWORK = Path(__file__).resolve().parent.parent
LIBRARY = Path(seqdec_lib.__file__).resolve().parent
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
LOOKS = 0.2  # seconds between two looks at what is used


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    memory : bytes, of each process and of all together
    disk : bytes of all files, which are kept in memory
    processes : processes and threads at once
    seconds : CPU seconds of a process
    files : open files of a process
    """

    memory: int = 2_000_000_000
    disk: int = 100_000_000
    processes: int = 64
    seconds: int = 600
    files: int = 256


class Box:
    """A running sandbox; `connection` tells a Jupyter client where its kernel listens."""

    def __init__(self, limits: Limits, unsafe: bool = False) -> None:
        self.limits = limits
        self.folder = Path(tempfile.mkdtemp(prefix="seqdec-"))
        self.ended_by: str | None = None
        self.cpu_seconds = 0.0  # of everything inside, at the last look
        self._inside: int | None = None  # a process of the sandbox that no student's code has made
        kernel = {
            "transport": "ipc",
            "ip": "/run/kernel/k",
            "key": secrets.token_hex(16),
            "signature_scheme": "hmac-sha256",
            **{port: number for number, port in enumerate(PORTS, start=1)},
        }
        if unsafe:
            kernel["ip"] = str(self.folder / "k")
            self.connection, inside = kernel, self._start_unsafe(self._written(kernel))
        else:
            inside = self._start(self._written(kernel))
            # The sockets are in the sandbox's own memory, and this is the way to them.
            self.connection = kernel | {"ip": f"/proc/{inside}/root{kernel['ip']}"}
        self._kernel = _process(inside)
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether the kernel in the sandbox is still there."""
        alive = self.process.poll() is None and self._kernel is not None
        return alive and self._kernel.is_running()

    def end(self, reason: str = "the work was done") -> None:
        """End every process in the sandbox at once."""
        self.ended_by = self.ended_by or reason
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _written(self, kernel: dict) -> Path:
        connection = self.folder / "kernel.json"
        connection.write_text(json.dumps(kernel), encoding="utf-8")
        connection.chmod(0o644)
        return connection

    def _start(self, connection: Path) -> int:
        """Start bubblewrap and a kernel inside; return the kernel's process id."""
        told, tells = os.pipe()
        command = [
            *bubblewrap(self.limits, "--info-fd", str(tells)),
            *("--ro-bind", str(connection), "/run/kernel.json"),
            *_inside(),
            *("--remount-ro", "/"),
            *("/bin/sh", "-c", "echo; exec sleep 1000000"),
        ]
        self.process = _popen(command, None, pass_fds=(tells,), stdout=subprocess.PIPE)
        os.close(tells)
        with open(told, encoding="utf-8") as info, self.process.stdout as ready:
            if not ready.readline():
                return self.process.pid  # it has ended, and nobody will hear from a kernel
            self._inside = json.loads("".join(iter(info.readline, "")))["child-pid"]
        limits = vars(self.limits) | {"user": None}
        if os.geteuid() == 0:
            limits["user"] = next(_users())
        try:
            return _warm(LIBRARY).kernel(
                {
                    "sandbox": self._inside,
                    "limits": limits,
                    "connection": "/run/kernel.json",
                    "environment": environment(HOME) | {"PYTHONPATH": _path()},
                    "refused": seccomp.program(platform.machine()).hex(),
                }
            )
        except BaseException:
            self.end("no kernel came into it")
            raise

    def _start_unsafe(self, connection: Path) -> int:
        work = self.folder / "work"
        work.mkdir()
        # A limit on processes would count whatever else this user runs.
        limits = json.dumps(vars(self.limits) | {"user": None, "processes": None})
        self.process = _popen(
            [sys.executable, str(INSIDE / "start.py"), limits, str(connection)],
            environment(str(work)) | {"PYTHONPATH": str(INSIDE)},
        )
        return self.process.pid

    def _watch(self) -> None:
        """End the sandbox when all its processes together use too much."""
        while self.running:
            used = usage(self._processes(), self.limits.memory)
            self.cpu_seconds = used.seconds
            if used.memory > self.limits.memory:
                self.end(f"it used more than {self.limits.memory / 1e9:g} GB of memory")
            elif used.tasks >= self.limits.processes:
                self.end(f"it started too many processes and threads: {used.tasks}")
            time.sleep(LOOKS)

    def _processes(self) -> list[Path]:
        """The folders in /proc of all processes inside; the sandbox's own /proc has no others."""
        if self._inside is None:
            with contextlib.suppress(psutil.Error):
                family = [self._kernel, *self._kernel.children(recursive=True)]
                return [Path(f"/proc/{process.pid}") for process in family]
            return []
        try:
            listed = list(Path(f"/proc/{self._inside}/root/proc").iterdir())
        except OSError:  # what can't be counted must not go on
            self.end("its processes could not be counted")
            return []
        return [path for path in listed if path.name.isdigit()]


@cache
def _warm(library: Path) -> Warm:
    """The warm process of this program that has imported a library."""

    def start(address: str) -> subprocess.Popen:
        path = os.pathsep.join([str(INSIDE), str(library.parent)])
        env = environment("/") | {"PYTHONPATH": path, "MPLCONFIGDIR": matplotlib.get_configdir()}
        command = [sys.executable, "-P", str(Path(__file__).with_name("warm.py")), address]
        return _popen(command, env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    return Warm(start)


@cache
def _users() -> Iterator[int]:
    """A user id for each sandbox, never one that logs in; asked for by each process anew."""
    return itertools.count(61_000 + os.getpid() % 20 * 200)


def share() -> str:
    """Where this program's warm process listens, for a program that joins it."""
    return _warm(LIBRARY).address()


def join(address: str) -> None:
    """Have kernels forked by the warm process of another program."""
    _warm(LIBRARY).theirs = address


def bubblewrap(limits: Limits, *more: str) -> list[str]:
    """The command that starts a sandbox, without the program that runs in it."""
    command = ["bwrap", "--die-with-parent", "--new-session", "--clearenv", *more]
    for what in ("pid", "net", "ipc", "uts"):
        command.append(f"--unshare-{what}")
    command += ["--cap-drop", "ALL"] if os.geteuid() == 0 else ["--unshare-user"]
    folders = _readable()
    above = {parent for folder in folders for parent in folder.parents} - {Path("/")}
    for folder in [*sorted(above), Path("/run"), Path(HOME)]:
        command += ["--perms", "0755", "--dir", str(folder)]
    for folder in folders:
        command += ["--ro-bind", str(folder), str(folder)]
        if folder in COURSEWORK.parents:  # the answer key must not come along
            command += ["--tmpfs", str(COURSEWORK)]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(name):
            command += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            command += ["--ro-bind", name, name]
    command += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for folder, size in (("/dev/shm", limits.disk), (HOME, limits.disk), ("/run/kernel", 10**6)):
        command += ["--size", str(size), "--perms", "0777", "--tmpfs", folder]
    command += ["--remount-ro", "/dev"]
    for name, value in environment(HOME).items():
        command += ["--setenv", name, value]
    command += ["--perms", "0777", "--dir", f"{HOME}/.matplotlib"]
    for fonts in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        command += ["--ro-bind", str(fonts), f"{HOME}/.matplotlib/{fonts.name}"]
    return command


def environment(home: str) -> dict[str, str]:
    """The whole environment of a submission."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return threads | {
        "HOME": home,
        "TMPDIR": home,
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "USER": "student",
        "TQDM_DISABLE": "1",
    }


@cache
def trouble() -> str | None:
    """Why there is no sandbox on this machine, in a sentence that says what to do; None if fine."""
    advice = "or set UNSAFE=1 to grade without one, on a machine that you can afford to lose"
    if shutil.which("bwrap") is None:
        return (
            "Submissions run in a sandbox, and the program bubblewrap (`bwrap`) is missing: "
            "install it, for example with `sudo apt-get install bubblewrap` (Linux only; a virtual "
            f"machine will do), {advice}."
        )
    reason = _failure_of("pass")
    if reason is not None:
        return (
            f"Submissions run in a sandbox, and bubblewrap doesn't work here ({reason}): allow "
            f"user namespaces, {advice}."
        )
    reason = _failure_of("import ipykernel_launcher, answers, seqdec_lib.checks")
    if reason is not None:
        return (
            f"Submissions run in a sandbox, and Python finds not all that it needs there "
            f"({reason}): make the environment again with `python3 bootstrap.py`, {advice}."
        )
    return None


def _failure_of(program: str) -> str | None:
    """The last line that a Python program says in a sandbox where it fails; None if it doesn't."""
    with seccomp.opened() as rules:
        options = [*bubblewrap(Limits(), "--seccomp", str(rules)), *_inside()]
        command = [*options, sys.executable, "-c", program]
        result = subprocess.run(command, capture_output=True, text=True, pass_fds=(rules,))
    if result.returncode == 0:
        return None
    return (result.stderr.strip().splitlines() or ["it gave no reason"])[-1]


def _inside() -> list[str]:
    """The options of bubblewrap that bring in the programs of `inside/`.

    They, and whatever a student's code imports, find the library that this process has: the tests
    outside would otherwise hold a student to another one.
    """
    programs = ["--ro-bind", str(INSIDE), "/run/inside"]
    return [*programs, "--setenv", "PYTHONPATH", _path(), "--chdir", HOME]


def _path() -> str:
    return os.pathsep.join(["/run/inside", str(LIBRARY.parent)])


def _readable() -> list[Path]:
    """The folders that a submission may read: Python, this environment and the library."""
    folders = [Path("/usr"), Path(sys.base_prefix), Path(sys.prefix)]
    folders += [LIBRARY]
    return [folder for folder in dict.fromkeys(folders) if not set(folder.parents) & set(folders)]


def _process(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid)
    return None


def _popen(command: list[str], env: dict | None, **more: object) -> subprocess.Popen:
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    return subprocess.Popen(command, env=env, start_new_session=True, **quiet | more)
