"""Run Sphinx on the book with Jupyter Book's settings, warnings as errors.

    python site/run_sphinx.py linkcheck

asks every address on other hosts that the book names whether it is there.
"""

import os
import sys
import warnings
from pathlib import Path


def run_sphinx(root: Path, builder: str, out: Path, doctrees: Path) -> bool:
    """Build the book in `root` with a Sphinx builder; return whether it went well.

    Builders that share `doctrees` read the sources once. What is wrong is printed on stderr.
    """
    from jupyter_book.sphinx import build_sphinx  # takes seconds
    from pybtex.plugin import find_plugin, register_plugin

    # For every citation pybtex would look through all packages for this; registered, it is at hand.
    backends = "pybtex.backends", "plaintext"
    register_plugin(*backends, find_plugin(*backends), force=True)
    # sphinx_external_toc looks at every object there is, and one of PyTorch's complains.
    warnings.filterwarnings("ignore", "`torch.distributed.reduce_op`", FutureWarning)
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
    sys.exit(not run_sphinx(book, name, book / "_build" / name, book / "_build" / ".doctrees"))
