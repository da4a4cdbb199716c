"""What was measured outside the chapters, with several seeds: the tables of `evidence/`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from IPython.display import Markdown

from seqdec_lib.experience import Estimate, mean_interval, share_interval

TABLES = Path(__file__).resolve().parents[2] / "evidence" / "tables"


@dataclass(frozen=True)
class Evidence:
    """A table of evidence. results : by case, seed and name."""

    results: Mapping[str, Mapping[str, Mapping[str, float]]]

    def values(self, key: str, case: str | None = None) -> np.ndarray:
        """One number for each seed, in the order of the seeds: (seeds,).

        key : the number's name.
        case : what was measured; the first case if it is left out.
        Raises ValueError: no such case, or a name that was not measured with every seed."""
        case = next(iter(self.results)) if case is None else case
        by_seed = self.results.get(case, {})
        runs = [by_seed[seed] for seed in sorted(by_seed, key=int)]
        if not runs or not all(key in run for run in runs):
            raise ValueError(
                f"{key!r} was not measured with each seed in the case {case!r}; the cases are "
                f"{list(self.results)}, and the first one has {list(runs[0]) if runs else []}."
            )
        return np.array([run[key] for run in runs])

    def estimate(self, key: str, case: str | None = None) -> Estimate:
        """The mean over seeds with Student's 95% interval."""
        return mean_interval(self.values(key, case))

    def share(self, key: str, case: str | None = None) -> Estimate:
        """In which share of the runs something (0 or 1) happened, with the interval of a count."""
        values = self.values(key, case)
        if not np.isin(values, (0, 1)).all():
            raise ValueError(f"{key!r} must be 0 or 1 to be counted, but is {values}.")
        return share_interval(int(values.sum()), len(values))

    def table(self, titles: Mapping[str, str], case: str | None = None) -> Markdown:
        """Mean and interval of some numbers, a row each.

        titles : from the names of numbers to what the reader is to see."""
        lines = ["| | Mean | From | To | Seeds |", "|:--|--:|--:|--:|--:|"]
        for key, title in titles.items():
            found, seeds = self.estimate(key, case), len(self.values(key, case))
            numbers = f"{found.mean:.3f} | {found.low:.3f} | {found.high:.3f}"
            lines.append(f"| {title} | {numbers} | {seeds} |")
        return Markdown("\n".join(lines))


def evidence(name: str, folder: Path | str = TABLES) -> Evidence:
    """What was measured for a table of `evidence/tables/`, of this book unless `folder` says else.

    Raises ValueError: there is no such table, for example where the library stands without the book
        around it."""
    path = Path(folder) / f"{name}.json"
    if not path.is_file():
        raise ValueError(
            f"evidence({name!r}) reads {path.name} in {path.parent}, which is not there; "
            "run the chapter in a copy of the whole book, and `make evidence` for a new table."
        )
    return Evidence(json.loads(path.read_text(encoding="utf-8"))["results"])
