"""Build the website into _build/html, with every warning an error.

    python site/build.py

A build that follows a good one reads only the pages that changed. Anything else starts from
nothing: after a failure Sphinx would not read the faulty page again and so would not complain
again; after a change of the contents a removed chapter would stay behind; and a style sheet alone
is not copied again.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JUPYTER_BOOK = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"


def fingerprint(root: Path) -> str:
    """Return a hash of what concerns every page; when it changes, all pages are built anew."""
    digest = hashlib.sha256()
    files = [root / name for name in ("_config.yml", "_toc.yml", "requirements.txt")]
    for path in files + sorted(p for p in (root / "site").rglob("*") if p.is_file()):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def build(root: Path = ROOT) -> int:
    """Build the site of the book in `root`; return 0, or the exit code of a failed build."""
    output = root / "_build"
    stamp = output / "complete"
    wanted = fingerprint(root)
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(output, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    print("Building the site ...", flush=True)
    arguments = ["build", ".", "-W", "-n", "--keep-going", "--quiet"]
    code = subprocess.run(  # warnings come on stderr; the rest is banners
        [sys.executable, "-c", JUPYTER_BOOK, *arguments], cwd=root, stdout=subprocess.DEVNULL
    ).returncode
    if code:
        print("The site was not built: mend what the lines above name.", file=sys.stderr)
        return code
    stamp.write_text(wanted)
    print(f"The site is in {output / 'html'}: open {(output / 'html' / 'index.html').as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(build())
