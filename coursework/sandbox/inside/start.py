"""The first program in a sandbox: take on the limits, give up root, become the kernel.

    python start.py '{"memory": ..., ...}' connection.json

Standard library only: it is alone in there.
"""

import json
import os
import resource
import sys


def limit(what: int, value: int) -> None:
    """Lower a limit for good; one that is lower already stays."""
    hard = resource.getrlimit(what)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def main() -> None:
    """Take on the limits and run the kernel in this process."""
    limits, connection = json.loads(sys.argv[1]), sys.argv[2]
    if limits["user"] is not None:  # root started the sandbox: go on as somebody who owns nothing
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
    kernel = ["-m", "ipykernel_launcher", "-f", connection]
    os.execv(sys.executable, [sys.executable, *kernel, "--HistoryManager.hist_file=:memory:"])


main()
