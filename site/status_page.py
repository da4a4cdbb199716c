"""Write the page Status while the site is built: what was run, when, at what cost, and how far
trained numbers move from seed to seed.

An extension of Sphinx. Only what was measured is shown. When the tests have run a chapter with
success they leave a note of it (`tests/chapter_plugin.py`), which holds for that very notebook.
"""

import json
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import nbformat
import numpy as np
from boxes import box_of
from freshness import content_hash
from mentions import number_of
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

PAGE = "status"
NOTES = ".verified"  # the tests' notes: a file for each chapter
UNKNOWN = "–"
PACKAGES = ("torch", "numpy", "scipy", "matplotlib", "gymnasium")
SHOWS = re.compile(r"\bevidence\(\s*\"(\w+)\"")


def page(root: Path) -> str:
    """The Markdown of the page, after its introduction."""
    paths = sorted(root.glob("chapters/*.ipynb"))
    cells = {path: nbformat.read(path, as_version=4).cells for path in paths}
    versions = ", ".join([f"Python {python_version()}", *(f"{p} {version(p)}" for p in PACKAGES)])
    runs = [
        "| Chapter | Title | Last changed | Last verified | Budget, CPU s | Measured, CPU s "
        "| Memory, MiB |",
        "|:--|:--|:--|:--|--:|--:|--:|",
        *(run_of(root, path, cells[path]) for path in paths),
    ]
    seeds = [
        "| Chapter | Tables | Seeds | Numbers | Drift |",
        "|:--|--:|--:|--:|--:|",
        *filter(None, (drift_of(path, cells[path]) for path in paths)),
    ]
    sections = ("## The chapters", f"Built with {versions}.", "\n".join(runs))
    return "\n\n".join((*sections, "## Numbers over several seeds", DRIFT, "\n".join(seeds)))


DRIFT = """\
Trained numbers differ from seed to seed. Of each number that was measured over several seeds for a
chapter's tables, the half width of its 95% interval is taken as a share of its mean; the drift is
the median of these shares. Numbers that are the same with every seed don't count."""


def run_of(root: Path, path: Path, cells: list[dict]) -> str:
    """A chapter's row: when it was changed and verified, and what it costs."""
    box, note = box_of(cells), note_of(root, path)
    measured = f"{note['cpu_seconds']:.0f}" if note else UNKNOWN
    memory = f"{note['memory']:.0f}" if note and note["memory"] else UNKNOWN
    row = [
        number_of(path.stem),
        box.title,
        unbroken(changed(root, path)) or UNKNOWN,
        unbroken(note["date"]) if note else UNKNOWN,
        UNKNOWN if box.seconds is None else f"{box.seconds:g}",
        measured,
        memory,
    ]
    return f"| {' | '.join(row)} |"


def note_of(root: Path, path: Path) -> dict | None:
    """What the tests noted when they ran this very notebook; None where they have not."""
    file = root / NOTES / f"{path.stem}.json"
    note = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return note if note.get("notebook") == content_hash(path) else None


def changed(root: Path, path: Path) -> str:
    """The day on which a file was changed last, "" where no history tells."""
    command = ["git", "log", "-1", "--format=%cs", "--", str(path)]
    try:
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()


def unbroken(date: str) -> str:
    """A date that stays on one line."""
    return date.replace("-", "\N{NON-BREAKING HYPHEN}")


def drift_of(path: Path, cells: list[dict]) -> str:
    """A chapter's row about its tables over several seeds, "" if it has none."""
    names = sorted({name for cell in cells for name in SHOWS.findall(cell["source"])})
    if not names:
        return ""
    from seqdec_lib.book import evidence  # takes seconds
    from seqdec_lib.experience import mean_interval

    shares, seeds = [], set()
    for name in names:
        for by_seed in evidence(name).results.values():
            if len(by_seed) < 3:
                continue
            seeds.add(len(by_seed))
            runs = list(by_seed.values())
            for key in set.intersection(*map(set, runs)):
                found = mean_interval(np.array([run[key] for run in runs]))
                if found.mean and found.high > found.low:
                    shares.append((found.high - found.low) / 2 / abs(found.mean))
    if not shares:
        return ""
    between = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
    drift = f"{np.median(shares):.1%}".replace("%", " %")
    return f"| {number_of(path.stem)} | {len(names)} | {between} | {len(shares)} | {drift} |"


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Complete the page when Sphinx has read it."""
    if docname == PAGE:
        source[0] += f"\n{page(Path(app.srcdir))}\n"


def always(app: Sphinx, env: BuildEnvironment, *changes: set[str]) -> list[str]:
    """Let the page be read again in every build: what it tells may have changed without a trace."""
    return [PAGE] if PAGE in env.found_docs else []


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.connect("source-read", read)
    app.connect("env-get-outdated", always)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
