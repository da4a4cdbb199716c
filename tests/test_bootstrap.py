"""bootstrap.py: one sentence for each thing that can be missing, and no half installation."""

import ast
import os
import runpy
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP = ROOT / "bootstrap.py"


def run(folder: Path, before: str = "pass", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the copy of bootstrap.py in `folder`, after the statements `before`."""
    start = f"runpy.run_path({str(folder / 'bootstrap.py')!r}, run_name='__main__')"
    script = f"import runpy, sys; {before}; {start}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**clean, "PIP_CONFIG_FILE": os.devnull, **environment},
        text=True,
        capture_output=True,
    )


def is_one_sentence(text: str) -> bool:
    return text.endswith(".\n") and len(text.splitlines()) == 1


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A folder with a space in its name that holds what bootstrap.py reads."""
    folder = tmp_path / "a book"
    folder.mkdir()
    shutil.copy(BOOTSTRAP, folder)
    folder.joinpath("requirements.txt").write_text("numpy==2.4.6\n")
    folder.joinpath("pyproject.toml").write_text("")
    return folder


def test_an_old_python_can_read_the_file() -> None:
    source = BOOTSTRAP.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 4))
    modern = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        assert not isinstance(node, modern), ast.dump(node)
        if isinstance(node, ast.FunctionDef):
            annotated = [a for a in node.args.args if a.annotation]
            assert not (annotated or node.returns or node.args.kwonlyargs), node.name
        if isinstance(node, ast.Raise):
            assert node.cause is None, "raise ... from is a syntax error in Python 2"
    assert source.isascii(), "Python 2 wants ASCII"


def test_an_old_python_is_told_what_to_do(book: Path) -> None:
    result = run(book, before="sys.version_info = (3, 6, 15, 'final', 0)")
    assert result.returncode != 0
    assert is_one_sentence(result.stderr) and "3.11" in result.stderr and "3.6" in result.stderr
    assert not (book / ".venv").exists()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_missing_venv_module_is_named(book: Path, module: str) -> None:
    result = run(book, before=f"sys.modules[{module!r}] = None")
    assert result.returncode != 0
    assert is_one_sentence(result.stderr) and "python3-venv" in result.stderr
    assert not (book / ".venv").exists()


@pytest.mark.slow
def test_a_failed_download_leaves_no_stamp(book: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/simple"
    result = run(book, PIP_INDEX_URL=closed, PIP_RETRIES="0", PIP_DEFAULT_TIMEOUT="2")
    assert result.returncode != 0
    assert is_one_sentence(result.stderr) and "network" in result.stderr
    assert (book / ".venv" / "pip.log").stat().st_size > 0
    assert not (book / ".venv" / "installed").exists()


def test_only_a_complete_current_installation_counts(book: Path) -> None:
    bootstrap = runpy.run_path(str(book / "bootstrap.py"))
    is_installed, fingerprint = bootstrap["is_installed"], bootstrap["fingerprint"]
    python = Path(bootstrap["venv_python"](str(book)))
    stamp = book / ".venv" / "installed"
    python.parent.mkdir(parents=True)
    stamp.write_text(fingerprint(str(book)), encoding="utf-8")
    assert not is_installed(str(book)), "there is no interpreter"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", book / ".venv"], check=True)
    assert is_installed(str(book))
    book.joinpath("requirements.txt").write_text("numpy==2.4.5\n")
    assert not is_installed(str(book)), "the requirements have changed"
    stamp.write_text(fingerprint(str(book)), encoding="utf-8")
    assert is_installed(str(book))
    moved = book.rename(book.with_name("moved book"))
    assert not is_installed(str(moved)), "a virtual environment does not survive a move"
