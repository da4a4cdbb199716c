"""A page in Debian's Chromium, and what it asks for."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: install it, on Debian with apt-get install chromium"
)
# The superuser has no sandbox, in a container for example.
FLAGS = ("--no-sandbox",) if os.name != "nt" and os.geteuid() == 0 else ()
# Sections that are far away are laid out, too, so that they can be looked at.
WHOLE = "article section { content-visibility: visible !important; }"


@contextmanager
def opened(width: int = 1280, height: int = 720, *flags: str) -> Iterator[tuple[Page, list[str]]]:
    """A page in a browser of its own, and the list of addresses that it asks for."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*flags, *FLAGS])
        page = browser.new_page(viewport={"width": width, "height": height})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        yield page, asked
        browser.close()


def elsewhere(asked: list[str]) -> list[str]:
    """The addresses that are neither files of this machine nor in the page itself."""
    return [url for url in asked if not url.startswith(("file:", "data:"))]
