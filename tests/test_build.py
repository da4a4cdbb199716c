"""site/build.py on a tiny book: failures repeat, and nothing removed stays behind."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow
TOC = "format: jb-book\nroot: index\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The folder of a book of one page."""
    folder = tmp_path / "a book"
    folder.joinpath("site").mkdir(parents=True)
    shutil.copy(ROOT / "site" / "build.py", folder / "site")
    folder.joinpath("_config.yml").write_text("title: A book\nonly_build_toc_files: true\n")
    folder.joinpath("_toc.yml").write_text(TOC)
    folder.joinpath("requirements.txt").write_text("")
    folder.joinpath("index.md").write_text("# A book\n")
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "site/build.py"]
    return subprocess.run(command, cwd=folder, text=True, encoding="utf-8", capture_output=True)


def test_a_failed_build_fails_again_until_it_is_mended(book: Path) -> None:
    book.joinpath("index.md").write_text("# A book\n\n[a dead link](gone.md)\n")
    for _ in range(2):
        result = build(book)
        assert result.returncode != 0
        assert "gone.md" in result.stderr
    book.joinpath("index.md").write_text("# A book\n")
    result = build(book)
    assert result.returncode == 0, result.stderr
    assert "index.html" in result.stdout


def test_a_removed_chapter_leaves_the_site(book: Path) -> None:
    book.joinpath("_toc.yml").write_text(f"{TOC}chapters:\n  - file: chapter\n")
    book.joinpath("chapter.md").write_text("# A chapter\n")
    assert build(book).returncode == 0
    assert book.joinpath("_build/html/chapter.html").is_file()
    book.joinpath("_toc.yml").write_text(TOC)
    assert build(book).returncode == 0
    assert not book.joinpath("_build/html/chapter.html").exists()
