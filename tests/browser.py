"""A page in Debian's Chromium, and what it asks for."""

from collections.abc import Iterator
from contextlib import contextmanager

import chromium
import pytest
from playwright.sync_api import Page

needs_chromium = pytest.mark.skipif(chromium.path() is None, reason=chromium.MISSING)
# What is far away is laid out, too, so that it can be looked at.
WHOLE = "article * { content-visibility: visible !important; }"
# The scripts of a page run when its text has been drawn.
USABLE = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


@contextmanager
def opened(width: int = 1280, height: int = 720, *flags: str) -> Iterator[tuple[Page, list[str]]]:
    """A page in a browser of its own, and the list of addresses that it asks for."""
    with chromium.launched(*flags) as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        yield page, asked


def visit(page: Page, address: str) -> None:
    """Open a page, and wait until it can be used."""
    page.goto(address)
    page.evaluate(USABLE)


def elsewhere(asked: list[str]) -> list[str]:
    """The addresses that are neither files of this machine nor in the page itself."""
    return [url for url in asked if not url.startswith(("file:", "data:"))]
