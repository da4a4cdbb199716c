"""Make the book's private environment, or say in one sentence why that is not possible.

    python bootstrap.py

creates `.venv/` beside this file, installs the pinned requirements and the book's own library,
and writes the stamp `.venv/installed` last: without a stamp that fits the present
requirements.txt and pyproject.toml nothing counts as installed.

Standard library only. The syntax is old on purpose, so that an interpreter that is too old still
gets as far as `check_python` and says what is wrong.
"""

import hashlib
import os
import shutil
import subprocess
import sys

OLDEST_PYTHON = (3, 11)
HERE = os.path.dirname(os.path.abspath(__file__))


class Stop(Exception):
    """The environment can't be made; the message is one sentence that says what to do."""


def check_python(version):
    """Stop unless `version`, a tuple like sys.version_info, is new enough."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        raise Stop(
            "This book needs Python {0}.{1} or newer and this is Python {2}.{3}: install a newer "
            "one and name it, as in `make PYTHON=python3.13 book` or `python3.13 bootstrap.py`."
            .format(*(OLDEST_PYTHON + tuple(version[:2])))
        )  # fmt: skip


def check_tools():
    """Stop unless this Python can make virtual environments."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Stop(
            "This Python can't make virtual environments because its module venv is missing: "
            "run `sudo apt-get install python3-venv` on Debian or Ubuntu, or install Python from "
            "python.org, and then run the same command again."
        )  # noqa: B904


def venv_python(root):
    """Return the path of the private environment's interpreter."""
    place = ["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]
    return os.path.join(root, ".venv", *place)


def fingerprint(root):
    """Return what the stamp must say: a hash of the two requirement files, and the place.

    The place counts because a virtual environment stops working when its folder moves.
    """
    digest = hashlib.sha256()
    for name in ("requirements.txt", "pyproject.toml"):
        with open(os.path.join(root, name), "rb") as file:
            digest.update(file.read().replace(b"\r\n", b"\n"))
    return "{0}\n{1}\n".format(digest.hexdigest(), os.path.abspath(root))


def read_stamp(root):
    """Return the stamp's text, empty where there is none."""
    try:
        with open(os.path.join(root, ".venv", "installed"), encoding="utf-8") as file:
            return file.read()
    except (IOError, OSError):
        return ""


def is_installed(root):
    """Tell whether the environment is complete, current and able to run."""
    if read_stamp(root) != fingerprint(root):
        return False
    try:
        return subprocess.call([venv_python(root), "-c", ""]) == 0
    except OSError:
        return False


def run_pip(root, arguments):
    """Run the environment's pip; its progress is shown, its complaints go to .venv/pip.log."""
    log = os.path.join(root, ".venv", "pip.log")
    command = [venv_python(root), "-m", "pip", "install", "--disable-pip-version-check"]
    with open(log, "ab") as file:
        code = subprocess.call(command + arguments, cwd=root, stderr=file)
    if code != 0:
        raise Stop(
            "The book's requirements could not be downloaded and installed: check the network and "
            "the free disk space, then run the same command again (pip's own words are in {0})."
            .format(os.path.join(".venv", "pip.log"))
        )  # fmt: skip


def install(root):
    """Make the environment of the book in the folder `root` and stamp it, or stop."""
    stamp, wanted = os.path.join(root, ".venv", "installed"), fingerprint(root)
    if not read_stamp(root).endswith("\n{0}\n".format(os.path.abspath(root))):
        # What an interrupted run or another place has left behind is not worth mending.
        shutil.rmtree(os.path.join(root, ".venv"), ignore_errors=True)
    else:
        os.remove(stamp)
    print("Installing the book's requirements into .venv (once; some minutes, about 2 GB).")
    sys.stdout.flush()
    command = [sys.executable, "-m", "venv", os.path.join(root, ".venv")]
    if subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) != 0:
        raise Stop(
            "The virtual environment .venv could not be made: check that its folder is writable "
            "and the disk is not full, delete .venv, then run the same command again."
        )
    run_pip(root, ["-r", "requirements.txt"])
    run_pip(root, ["--quiet", "--no-deps", "--no-build-isolation", "-e", "."])
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)  # not what the files say by now


def main(root=HERE):
    """Install what is missing; return 0, or 1 after one sentence on stderr."""
    try:
        check_python(sys.version_info)
        if not is_installed(root):
            check_tools()
            install(root)
    except Stop as stop:
        sys.stderr.write("{0}\n".format(stop))
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("The installation was interrupted: run the same command again.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
