"""What the tests of several modules share."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import chromium
import hypothesis
import numpy as np
import pytest
import torch
from filelock import FileLock
from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent

# Laws are about answers, not about how busy the machine is.
hypothesis.settings.register_profile("book", deadline=None)
hypothesis.settings.load_profile("book")


@pytest.fixture(autouse=True)
def no_silent_infinities() -> Iterator[None]:
    """In every test NumPy raises where it would divide by zero, overflow or cancel infinities."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the built site, from the same incremental build as `make book`.

    One worker builds it, and the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent  # of the folders of all workers
    with FileLock(shared / "site.lock"):
        log = shared / "site.log"
        if not log.exists():
            result = subprocess.run(
                [sys.executable, "site/build.py"],
                cwd=ROOT,
                text=True,
                encoding="utf-8",
                errors="replace",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            assert result.returncode == 0, result.stdout
            log.write_text(result.stdout, encoding="utf-8")
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def notebooks(site: Path) -> list[Path]:
    """The reader's notebooks, which are built with the site, in reading order."""
    return sorted((site.parent / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, the same one for all tests of a module."""
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch on one thread: the book's models are so small that more of them get in the way."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
