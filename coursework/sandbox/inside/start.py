"""The first thing that a kernel does in a sandbox: take on the limits, and give up root.

    python start.py '{"memory": ..., ...}' connection.json

Standard library only.
"""

import json
import os
import resource
import sys

STAY = "__import__('answers').stay()"
KERNEL = ("--HistoryManager.hist_file=:memory:", f"--IPKernelApp.exec_lines={STAY}", "-f")


def limit(what: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    hard = resource.getrlimit(what)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def confine(limits: dict) -> None:
    """Make this process one with limits, of a user who owns nothing, at home."""
    if limits["user"] is not None:  # root started the sandbox
        os.setgroups([])
        os.setresgid(limits["user"], limits["user"], limits["user"])
        os.setresuid(limits["user"], limits["user"], limits["user"])
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_DATA, limits["memory"])
    limit(resource.RLIMIT_FSIZE, limits["disk"])
    limit(resource.RLIMIT_NOFILE, limits["files"])
    limit(resource.RLIMIT_CPU, limits["seconds"])
    if limits["processes"] is not None:
        limit(resource.RLIMIT_NPROC, limits["processes"])
    os.chdir(os.environ["HOME"])


if __name__ == "__main__":
    confine(json.loads(sys.argv[1]))
    kernel = ["-m", "ipykernel_launcher", *KERNEL, sys.argv[2]]
    os.execv(sys.executable, [sys.executable, *kernel])
