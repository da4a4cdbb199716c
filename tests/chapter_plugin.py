"""Make nbval strict: what `pytest` does with each chapter.

nbval re-executes a notebook, one test a code cell, and compares text outputs. This plugin turns
each of its notebook collectors into a `Chapter`, which

- adds a first test, "committed": what can be demanded without running (`tests.guards`);
- lets each cell compare figures too, and numbers within a stated tolerance (`tests.comparison`);
- adds a last test, "budget and network": the CPU time, of each cell and of all together, and that
  nothing left this machine. If all has passed, it notes that for the page Status.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from queue import Empty

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from tests import guards, kernels
from tests.comparison import compare_outputs, records

CLOSED_NETWORK = Path(__file__).parent / "closed_network"
CLOSED_PROXY = "http://127.0.0.1:9"
CPU_SECONDS = "sum(__import__('os').times()[:4])"  # user and system, own and of waited-for children
PEAK_MEMORY = "__import__('resource').getrusage(0).ru_maxrss"  # which Windows doesn't have
NOTES = ".verified"  # the folder beside that of the chapters which site/status_page.py reads
KERNEL_ANSWERS_WITHIN = 60  # seconds


class ChapterError(Exception):
    """A chapter breaks a rule; the message says which and what to do."""


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Iterator[None]:
    """Collect a Chapter where nbval collects a notebook."""
    collectors = yield
    return [
        Chapter.from_parent(parent, path=file_path) if isinstance(found, IPyNbFile) else found
        for found in collectors
    ]


class Chapter(IPyNbFile):
    """A notebook between its two additional tests, run by nbval with the network closed."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the static test, nbval's code cells and the closing test."""
        yield Committed.from_parent(self, name="committed")
        for cell in super().collect():
            yield ChapterCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )
        yield Closing.from_parent(self, name="budget and network")

    def setup(self) -> None:
        """Start the kernel with the network closed."""
        self.attempts: list[tuple[str, str]] = []  # (cell, what it tried to reach)
        self.waits: list[str] = []  # complaints about cells that take a while
        self.passed: set[str] = set()  # names of cells
        self._folder = tempfile.TemporaryDirectory(prefix="seqdec-")
        self.network_log = Path(self._folder.name, "attempts.txt")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in closed_network(self.network_log).items():
                patch.setenv(name, value)
            if kernels.FORKS:
                launch = "jupyter_client.provisioning.local_provisioner.launch_kernel"
                patch.setattr(launch, kernels.Kernel)
            super().setup()

    def teardown(self) -> None:
        """Stop the kernel and forget its log."""
        super().teardown()
        self._folder.cleanup()

    def note_attempts(self, cell: str) -> None:
        """Blame `cell` for what has been added to the log since the last call."""
        if self.network_log.exists():
            lines = self.network_log.read_text(encoding="utf-8").splitlines()
            self.attempts += [(cell, line) for line in lines[len(self.attempts) :]]

    def cpu_seconds(self) -> float | None:
        """Return the CPU time the kernel has used since its start; None if it is dead or stuck."""
        return self.ask(CPU_SECONDS)

    def peak_memory(self) -> float | None:
        """Return the most MiB the kernel has held; None where the system doesn't tell."""
        found = self.ask(PEAK_MEMORY)  # in KiB, on macOS in bytes
        return found and found / (2**20 if sys.platform == "darwin" else 2**10)

    def ask(self, expression: str) -> float | None:
        """Return what the kernel says that an expression is; None if it has no answer."""
        if not self.kernel.is_alive():
            return None
        try:
            reply = self.kernel.kc.execute(
                "",
                silent=True,
                user_expressions={"answer": expression},
                reply=True,
                timeout=KERNEL_ANSWERS_WITHIN,
            )
            return float(reply["content"]["user_expressions"]["answer"]["data"]["text/plain"])
        except (TimeoutError, Empty, KeyError):
            return None


def closed_network(log: Path) -> dict[str, str]:
    """Return the environment in which attempts to use the network fail and are written to `log`."""
    python_path = os.pathsep.join(
        filter(None, [str(CLOSED_NETWORK), os.environ.get("PYTHONPATH", "")])
    )
    proxies = [f"{scheme}_proxy" for scheme in ("http", "https", "ftp", "all")]
    return {
        "PYTHONPATH": python_path,
        "SEQDEC_NETWORK_LOG": str(log),
        **{name: CLOSED_PROXY for name in [*proxies, *map(str.upper, proxies)]},
        **{name: "localhost,127.0.0.1,::1" for name in ("no_proxy", "NO_PROXY")},
    }


class ChapterCell(IPyNbCell):
    """A code cell of nbval's that compares figures, and numbers within the cell's tolerance."""

    def runtest(self) -> None:
        """Run the cell in the kernel and note how long it took and what it tried to reach."""
        before = self.parent.cpu_seconds()
        try:
            super().runtest()
            self.parent.passed.add(self.name)
            if None not in (before, after := self.parent.cpu_seconds()):
                waits = guards.waiting_complaints(self.cell, after - before)
                self.parent.waits += [f"{self.name} {complaint}" for complaint in waits]
        finally:
            self.parent.note_attempts(self.name)

    def compare_outputs(self, test: list, ref: list, skip_compare: tuple | None = None) -> bool:
        """Compare new outputs (`test`) with committed ones (`ref`), instead of nbval's own way."""
        if "not_compared" in self.cell.metadata.get("seqdec", {}):
            complaints = [f"records {name} and is not compared" for name in records(test)]
        else:
            complaints = compare_outputs(ref, test, guards.tolerance_of(self.cell))
        self.comparison_traceback = [
            f"{self.path.name}, {guards.describe(self.name, self.cell)}: {complaint}"
            for complaint in complaints
        ]
        if complaints:
            self.comparison_traceback.append(
                "If the new outputs are right, commit them after `make notebooks`; if they depend "
                "on the machine, state a tolerance with its reason in the cell's metadata."
            )
        return not complaints


class ChapterTest(pytest.Item):
    """A test of a whole chapter, made of `complaints`."""

    def complaints(self) -> list[str]:
        """Return what is wrong with the chapter."""
        raise NotImplementedError

    def runtest(self) -> None:
        """Fail with all complaints, one a line."""
        if complaints := self.complaints():
            raise ChapterError("\n".join(f"{self.path.name}, {text}" for text in complaints))

    def repr_failure(self, excinfo: pytest.ExceptionInfo) -> str:
        """Show the complaints alone, without a traceback of the harness."""
        if isinstance(excinfo.value, ChapterError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the test as nbval names its cells."""
        return self.path, 0, self.nodeid


class Committed(ChapterTest):
    """The chapter is committed as it should be, judged without running it."""

    def complaints(self) -> list[str]:
        """Read the file and apply all static guards."""
        notebook = nbformat.read(self.path, as_version=4)
        return guards.static_complaints(notebook, self.path.stat().st_size)


class Closing(ChapterTest):
    """The chapter, now run, kept to its budget and to this machine."""

    def complaints(self) -> list[str]:
        """Compare CPU time with the budget, and look into the log of the closed network."""
        found = [*self.budget_complaints(), *self.parent.waits, *self.network_complaints()]
        cells = [cell for cell in self.parent.nb.cells if cell.cell_type == "code"]
        if not found and len(self.parent.passed) == len(cells):
            self.note()
        return found

    def note(self) -> None:
        """Write down that this very notebook was run with success, and at what cost."""
        from freshness import content_hash  # of site/, which pytest knows only after its plugins

        folder = self.path.parent.parent / NOTES
        folder.mkdir(exist_ok=True)
        note = {
            "notebook": content_hash(self.path),
            "date": date.today().isoformat(),
            "cpu_seconds": self.parent.cpu_seconds(),
            "memory": self.parent.peak_memory(),
        }
        text = json.dumps(note, indent=1) + "\n"
        folder.joinpath(f"{self.path.stem}.json").write_text(text, encoding="utf-8")

    def budget_complaints(self) -> list[str]:
        """Return a complaint if the chapter used more than twice its budget."""
        try:
            budget = guards.budget_of(self.parent.nb)
        except ValueError as error:
            return [str(error)]
        seconds = self.parent.cpu_seconds()
        if seconds is None:
            return ["its kernel died or hangs, so its CPU time is unknown: see the first failure"]
        line = f"{self.path.stem}: {seconds:.0f} s of CPU, budget {budget:g} s"
        self.user_properties.append(("chapter_cpu", line))
        if seconds <= 2 * budget:
            return []
        return [
            f"the chapter used {seconds:.1f} CPU seconds, more than twice its budget of "
            f"{budget:g}: make it faster, or raise the budget (to {guards.LARGEST_BUDGET} at most)"
        ]

    def network_complaints(self) -> list[str]:
        """Return a complaint for each attempt to leave this machine."""
        if not self.parent.network_log.exists():
            return ["the network guard did not start in its kernel: is PYTHONPATH ignored?"]
        self.parent.note_attempts("after the last cell")
        return [
            f"{cell} tried to reach {target}: a chapter runs offline, so ship the data with the "
            "book or generate it"
            for cell, target in self.parent.attempts
        ]


def pytest_sessionfinish() -> None:
    """End the process from which the kernels came."""
    kernels.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what each chapter cost, whichever process ran it."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    lines = {
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "chapter_cpu"
    }
    if lines:
        terminalreporter.section("CPU time of the chapters")
        for line in sorted(lines):
            terminalreporter.write_line(line)
