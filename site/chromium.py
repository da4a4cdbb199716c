"""The browser Chromium, which prints the book, weighs its pages and tests them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

MISSING = (
    "This needs the browser Chromium, and there is none here: install it, on Debian and Ubuntu "
    "with `sudo apt-get install chromium`, or name yours, as in `CHROMIUM=/path/to/chrome`."
)
# The superuser has no sandbox, in a container for example.
FLAGS = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


def path() -> str | None:
    """Return where the browser is, None if there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, filter(None, names))), None)


@contextmanager
def launched(*flags: str) -> Iterator[Browser]:
    """The browser, which ends with the block.

    Raises
    ------
    RuntimeError
        There is none.
    """
    if path() is None:
        raise RuntimeError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=[*flags, *FLAGS])
        yield browser
        browser.close()
