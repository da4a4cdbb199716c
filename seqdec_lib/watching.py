"""Whether a person looks on while code runs: what is only for their eyes asks here first."""

import sys


def someone_watches() -> bool:
    """Whether a person sees at once what this code shows: in a terminal, or in a live notebook.

    In a notebook the request to run a cell says whether its sender could answer an `input()`.
    JupyterLab, Notebook, VS Code, Colab and the Jupyter console can; what runs notebooks by itself
    (nbconvert, nbclient, nbval, papermill) can't, so committed outputs never count as watched, and
    no environment variable has to be set for that. Outside a notebook it is a terminal at stderr.
    """
    shell = _running_shell()
    if hasattr(shell, "get_parent"):  # a Jupyter kernel; the parent is the request that it serves
        return bool(shell.get_parent().get("content", {}).get("allow_stdin", False))
    return sys.stderr is not None and sys.stderr.isatty()


def _running_shell() -> object | None:
    """The IPython that runs this code; None in plain Python, where IPython may not be loaded."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
