"""Build the website into _build/html, and the reader's notebooks that can be taken from it.

    python site/build.py

Every warning is an error. A build that follows a good one reads only the pages that changed.
Anything else starts from nothing: after a failure Sphinx would not read the faulty page again and
so would not complain again; after a change of the contents a removed chapter would stay behind; and
a style sheet alone is not copied again.
"""

import hashlib
import shutil
import sys
from pathlib import Path

import notebooks
import take_along
from run_sphinx import run_sphinx

ROOT = Path(__file__).resolve().parent.parent


def fingerprint(root: Path) -> str:
    """Return a hash of what concerns every page; when it changes, all pages are built anew."""
    digest = hashlib.sha256()
    files = [root / name for name in ("_config.yml", "_toc.yml", "requirements.txt")]
    own = [p for p in (root / "site").rglob("*") if p.is_file() and p.parent.name != "__pycache__"]
    own += (root / "seqdec_lib" / "book").glob("figures.*")  # script and style of the figures
    for path in files + sorted(own):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def build(root: Path = ROOT) -> int:
    """Build the site of the book in `root`; return 0, or 1 if that failed."""
    output = root / "_build"
    stamp = output / "complete"
    wanted = fingerprint(root)
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(output, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    print("Building the site ...", flush=True)
    # The site comes first: what it reads tells it which pages have changed.
    html = output / "html"
    try:
        if not run_sphinx(root, "html", html):
            raise RuntimeError("the site was not built: mend what the lines above name")
        notebooks.build(root, output / "notebooks", after="html")
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    offer(output / "notebooks", html / "_downloads")
    take_along.offer(html, output / "take")
    stamp.write_text(wanted)
    print(f"The site is in {html}: open {(html / 'index.html').as_uri()}")
    return 0


def offer(readable: Path, downloads: Path) -> None:
    """Put the reader's notebooks where Sphinx put the sources of the chapters, and the zip."""
    for source in downloads.glob("*/*.ipynb"):
        shutil.copyfile(readable / source.name, source)
    downloads.mkdir(exist_ok=True)
    shutil.copyfile(readable / notebooks.ARCHIVE, downloads / notebooks.ARCHIVE)


if __name__ == "__main__":
    sys.exit(build())
