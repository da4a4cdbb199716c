"""Make what is missing or stale, several runs at a time; accept what a change left as it was."""

import math
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from evidence import keeping

PROCESSES = 2
os.environ["OMP_NUM_THREADS"] = "1"  # each run on one thread; read when a run first loads torch


def measured(name: str, case: str, seed: int) -> dict[str, float]:
    """Measure one case of a table with one seed.

    Raises ValueError if it gives anything but finite numbers.
    """
    numbers = {key: float(value) for key, value in keeping.script(name).run(case, seed).items()}
    if not numbers or not all(map(math.isfinite, numbers.values())):
        raise ValueError(
            f"{name}, {case}, seed {seed} must give finite numbers, but gave {numbers}"
        )
    return numbers


def make(names: Sequence[str]) -> list[str]:
    """Make what is missing or stale among some tables, and return what failed.

    Each number is written when it is there. What an earlier call did not finish is gone on with, if
    the code is still the same.
    """
    stale = {name: keeping.current(name) for name in names if keeping.complaints(name)}
    contents, jobs, failed = {}, {}, []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        for name, fingerprint in stale.items():
            content = keeping.kept(name, partial=True)
            if content.get("fingerprint") != fingerprint:
                content = {"fingerprint": fingerprint, "results": {}}
            contents[name] = content
            for job in keeping.jobs(name, content["results"]):
                jobs[pool.submit(measured, name, *job)] = (name, *job)
        print(f"{len(stale)} of {len(names)} tables to make, in {len(jobs)} runs", flush=True)
        try:
            for done in as_completed(jobs):
                name, case, seed = jobs[done]
                print(f"{name}, {case}, seed {seed}: {done.exception() or 'measured'}", flush=True)
                if error := done.exception():
                    failed.append(f"{name}, {case}, seed {seed}: {error}")
                else:
                    contents[name]["results"].setdefault(case, {})[str(seed)] = done.result()
                    keeping.write(name, contents[name], partial=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return failed + [text for name in stale for text in finish(name, contents[name])]


def finish(name: str, content: dict) -> list[str]:
    """Make a finished run the table's numbers; return a complaint if its code changed meanwhile."""
    if keeping.jobs(name, content["results"]):
        return []
    keeping.path_of(name, partial=True).unlink(missing_ok=True)
    if keeping.current(name) != content["fingerprint"]:
        return [f"{name}: the code changed while it ran, so make it again"]
    keeping.write(name, content)
    return []


def accept(name: str, because: str) -> list[str]:
    """Run each case of a stale table with its first seed; return how the numbers differ, if so.

    If they agree, the table keeps its numbers, gets the fingerprint of the code as it is now, and
    notes the one it had and the reason that was given.
    """
    content, fingerprint, script = keeping.kept(name), keeping.current(name), keeping.script(name)
    if missing := keeping.jobs(name, content["results"]):
        return [f"{name} lacks {len(missing)} runs: there is nothing to accept, so make it"]
    seed = script.SEEDS[0]
    found = [
        f"{case}, seed {seed}, {text}"
        for case in script.CASES
        for text in keeping.differences(
            content["results"][case][str(seed)], measured(name, case, seed), script.AGREEMENT
        )
    ]
    if not found:
        note = {"fingerprint": content.get("fingerprint"), "because": because}
        content["accepted"] = [*content.get("accepted", []), note]
        keeping.write(name, content | {"fingerprint": fingerprint})
    return found
