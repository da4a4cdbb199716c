"""What was measured, in files: written at once and whole, and asked whether it is current."""

import importlib
import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from evidence.fingerprint import fingerprint

TABLES = Path(__file__).resolve().parent / "tables"
Results = dict[str, dict[str, dict[str, float]]]  # by case, seed and name


def names() -> list[str]:
    """Return the names of all tables."""
    return sorted(path.stem for path in TABLES.glob("*.py") if path.stem != "__init__")


def script(name: str) -> ModuleType:
    """Return the module of a table.

    Raises ValueError if there is none of that name.
    """
    if name not in names():
        raise ValueError(f"there is no table {name!r} in evidence/tables: choose among {names()}.")
    return importlib.import_module(f"evidence.tables.{name}")


def current(name: str) -> str:
    """Return the fingerprint of the code of a table as it stands."""
    return fingerprint(TABLES / f"{name}.py", getattr(script(name), "READS", ()))


def kept(name: str, partial: bool = False) -> dict:
    """Return what is in a table's file, or in that of an unfinished run: "results" and more."""
    path = path_of(name, partial)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"results": {}}


def path_of(name: str, partial: bool = False) -> Path:
    """Return where a table's numbers are, or those of an unfinished run."""
    return TABLES / f"{name}{'.partial' if partial else ''}.json"


def write(name: str, content: dict, partial: bool = False) -> None:
    """Write a table's file in one move, so that it is never half a file."""
    path = path_of(name, partial)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(new, path)


def jobs(name: str, results: Results) -> list[tuple[str, int]]:
    """Return the cases and seeds of a table that `results` lacks."""
    wanted = [(case, seed) for case in script(name).CASES for seed in script(name).SEEDS]
    return [(case, seed) for case, seed in wanted if str(seed) not in results.get(case, {})]


def complaints(name: str) -> list[str]:
    """Return what keeps a table from being shown: it was not measured whole, or by other code."""
    content = kept(name)
    advice = f"run `make evidence ONLY={name}`"
    missing = jobs(name, content["results"])
    found = [f"{name} lacks {case}, seed {seed}: {advice}" for case, seed in missing]
    wanted = {(case, str(seed)) for case in script(name).CASES for seed in script(name).SEEDS}
    has = {(case, seed) for case, seeds in content["results"].items() for seed in seeds}
    found += [
        f"{name} holds {case}, seed {seed}, which is not asked for" for case, seed in has - wanted
    ]
    if content["results"] and content.get("fingerprint") != current(name):
        found.append(
            f"{name} was made by other code: {advice}, or, if the numbers can't have changed, "
            f'`python -m evidence accept {name} --because "..."`'
        )
    return found


def differences(old: dict[str, float], new: dict[str, float], agreement: float) -> Iterable[str]:
    """Yield where two runs differ by more than `agreement`, relatively."""
    for key in sorted(old.keys() | new.keys()):
        if key not in old or key not in new:
            yield f"{key}: only in the {'kept' if key in old else 'new'} numbers"
        elif not math.isclose(old[key], new[key], rel_tol=agreement, abs_tol=agreement * 0.1):
            yield f"{key}: was {old[key]:.6g}, is {new[key]:.6g}"
