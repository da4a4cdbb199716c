"""What some processes use, all together, as /proc tells it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Usage:
    """Bytes of memory, processes and threads, and CPU seconds."""

    memory: int = 0
    tasks: int = 0
    seconds: float = 0.0


def usage(processes: Sequence[Path], most: int) -> Usage:
    """What processes use, each given by its folder in a /proc; some may have ended.

    Parameters
    ----------
    most : bytes of memory. To count what processes share in shares takes a hundred times as long as
        all the rest, and is done only where they seem to have more than this.
    """
    used, ticks, page = Usage(), os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for process in processes:
        with contextlib.suppress(OSError):
            told = process.joinpath("stat").read_text(errors="replace")
            numbers = told.rpartition(")")[2].split()  # behind a name, in which anything may be
            used.seconds += sum(map(int, numbers[11:15])) / ticks
            used.tasks += int(numbers[17])
            used.memory += int(numbers[21]) * page
    if used.memory > most:
        used.memory = sum(map(_in_shares, processes))
    return used


def _in_shares(process: Path) -> int:
    """Bytes of a process, what it shares counted in shares."""
    with contextlib.suppress(OSError):
        for line in process.joinpath("smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return 0
