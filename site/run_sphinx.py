"""Run Sphinx on the book with Jupyter Book's settings, warnings as errors.

    python site/run_sphinx.py linkcheck

asks every address on other hosts that the book names whether it is there.
"""

import os
import shutil
import sys
import warnings
from pathlib import Path


def run_sphinx(root: Path, builder: str, out: Path, after: str = "") -> bool:
    """Build the book in `root` with a Sphinx builder; return whether it went well.

    What is wrong is printed on stderr. What a builder has read is kept beside `out`, for it alone,
    so that the others still learn which pages have changed, and complain of them.

    Parameters
    ----------
    after : the name of a folder beside `out`; what was read for it is not read again.
    """
    from jupyter_book.sphinx import build_sphinx  # takes seconds
    from pybtex.plugin import find_plugin, register_plugin

    # For every citation pybtex would look through all packages for this; registered, it is at hand.
    backends = "pybtex.backends", "plaintext"
    register_plugin(*backends, find_plugin(*backends), force=True)
    # sphinx_external_toc looks at every object there is, and one of PyTorch's complains.
    warnings.filterwarnings("ignore", "`torch.distributed.reduce_op`", FutureWarning)
    doctrees = out.with_name(f".{out.name}")
    if after:
        shutil.rmtree(doctrees, ignore_errors=True)
        shutil.copytree(out.with_name(f".{after}"), doctrees)
    before = Path.cwd()
    os.chdir(root)  # `_config.yml` names its folders from there
    try:
        result = build_sphinx(
            root,
            out,
            doctreedir=doctrees,
            noconfig=True,
            path_config=root / "_config.yml",
            confoverrides={
                "external_toc_path": (root / "_toc.yml").as_posix(),
                "latex_individualpages": False,
                "nitpicky": True,
            },
            builder=builder,
            warningiserror=True,
            keep_going=True,
            quiet=True,
        )
    finally:
        os.chdir(before)
    return result == 0


if __name__ == "__main__":
    book, name = Path(__file__).resolve().parent.parent, sys.argv[1]
    sys.exit(not run_sphinx(book, name, book / "_build" / name))
