"""Run every comparison in benchmarks/bench_*.py and print medians and ratios.

    python -m benchmarks.run [--rounds 7] [word ...]

With words, only the comparisons whose title contains one of them. Each round times every
contestant once, and the order turns round by round, so that a machine that slows down or warms up
does so for all alike. Before anything is timed the contestants' answers must agree.
"""

import argparse
import importlib
import importlib.metadata
import math
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

Contestant = Callable[[], float]


@dataclass(frozen=True)
class Comparison:
    """One task that several implementations solve.

    Attributes:
        title: the task with its size, such as "backward induction, 3^8 leaves".
        ours: solves it with seqdec_lib and returns the answer.
        peers: for each other implementation a function that imports it, prepares the same task
            and returns what is to be timed. Raises ImportError where it is not installed.
        tolerance: how far answers may differ, relative to the larger one.
        install: what to do about a peer that is missing.
    """

    title: str
    ours: Contestant
    peers: Mapping[str, Callable[[], Contestant]] = field(default_factory=dict)
    tolerance: float = 1e-8
    install: str = 'python -m pip install -e ".[bench]"'


def answer(contestant: Contestant) -> float:
    """Return what a contestant answers, with one torch thread."""
    torch.set_num_threads(1)  # again and again, for importing numba sets it to the number of cores
    return contestant()


def timed(contestant: Contestant) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    answer(contestant)
    return time.perf_counter() - start


def time_rounds(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, list[float]]:
    """Return each contestant's seconds, one for each round, in alternating order.

    Raises:
        ValueError: fewer than one round.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}: pass --rounds 1 or more")
    names, seconds = list(contestants), {name: [] for name in contestants}
    for i in range(rounds):
        shift = i % len(names)
        for name in names[shift:] + names[:shift]:
            seconds[name].append(timed(contestants[name]))
    return seconds


def compare(comparison: Comparison, rounds: int) -> tuple[dict[str, list[float]], list[str]]:
    """Time one comparison; return the seconds of each contestant, and what is to be said.

    Raises:
        ValueError: a peer's answer differs from ours.
    """
    contestants, remarks = {"seqdec_lib": comparison.ours}, []
    for name, prepare in comparison.peers.items():
        try:
            contestants[name] = prepare()
        except ImportError as error:
            remarks.append(
                f"{name} left out: {error.name or name} is not installed; "
                f"get it with `{comparison.install}`."
            )
    answers = {name: answer(one) for name, one in contestants.items()}  # warms up as well
    for name, theirs in answers.items():
        if not math.isclose(theirs, answers["seqdec_lib"], rel_tol=comparison.tolerance):
            raise ValueError(
                f"{comparison.title}: {name} answers {theirs!r} where seqdec_lib answers "
                f"{answers['seqdec_lib']!r}; make both solve the same task before timing them"
            )
    return time_rounds(contestants, rounds), remarks


def decided(model: torch.nn.Module, spread: float) -> torch.nn.Module:
    """Give a model wide random weights, so that no greedy choice turns over by rounding."""
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=spread)
    return model.eval()


def table(seconds: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the lines of a table: median, quartiles, and the median of the paired ratios."""
    lines = [f"  {'':24}{'median':>12}{'quartiles':>25}{'times ours':>14}"]
    for name, values in seconds.items():
        low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
        ratios = [a / b for a, b in zip(values, seconds["seqdec_lib"], strict=True)]
        lines.append(
            f"  {name:24}{1e3 * statistics.median(values):>9.2f} ms"
            f"{1e3 * low:>11.2f} - {1e3 * high:<8.2f} ms{statistics.median(ratios):>13.2f}x"
        )
    return lines


def versions() -> str:
    """Return the versions of Python, and of all packages that are compared or compare."""
    found = [f"Python {platform.python_version()}"]
    for name in ("torch", "numpy", "scipy", "gymnasium", "quantecon", "transformers"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    return ", ".join(found)


def discover(words: Sequence[str] = ()) -> list[Comparison]:
    """Return the comparisons of all benchmarks/bench_*.py whose title contains one of the words."""
    found = []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        found += importlib.import_module(f"benchmarks.{path.stem}").comparisons()
    return [c for c in found if not words or any(w.lower() in c.title.lower() for w in words)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Compare speed.")
    parser.add_argument("words", nargs="*", help="run only titles that contain one of these")
    parser.add_argument("--rounds", type=int, default=7, help="timings a contestant (default 7)")
    options = parser.parse_args(arguments)
    found = discover(options.words)
    if not found:
        print("No comparison has such a title; run without words to see all.", file=sys.stderr)
        return 1
    print(f"{versions()}; one thread\n", flush=True)
    for comparison in found:
        print(comparison.title, flush=True)
        seconds, remarks = compare(comparison, options.rounds)
        print("\n".join(table(seconds) + [f"  {remark}" for remark in remarks]) + "\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
