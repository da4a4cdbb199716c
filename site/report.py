"""Weigh the pages of the site: what a browser fetches before a reader has scrolled.

    python site/report.py

needs a built site and Chromium. Each page is opened in a window of 1280 by 720 pixels from a server
on this machine that compresses what can be compressed, as public hosts do. Bytes are counted as the
browser received them, headers included. The time is that until a reader can begin: from the moment
the page is asked for until the largest piece of text of the first view is drawn, which is the first
paragraph or the title above it, and until the text face has come; where the page itself has next to
none, as a search before it is asked, the text beside it counts. What lies further down may come
later. The processor is slowed down four times; the browser runs already, but has no file of the
book. The time is the median of a few, and holds for a machine that does nothing else.
"""

import functools
import gzip
import http.server
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import chromium
from built import pages_in
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
KINDS = {".html": "page", ".css": "style", ".js": "script", ".woff2": "font", ".woff": "font"}
COMPRESSED = {".html", ".css", ".js", ".svg", ".txt"}
WINDOW = {"width": 1280, "height": 720}
COLUMNS = ("page", "style", "script", "font", "image")
TEXT_IS_THERE = """(patience) => document.fonts.ready.then(() => new Promise((done) => {
    const files = performance.getEntriesByType("resource");
    const face = files.find((e) => e.name.includes("/serif."))?.responseEnd ?? 0;
    new PerformanceObserver((list) => {
        const texts = list.getEntries().filter((e) => !e.url);
        const text = texts.findLast((e) => e.element?.closest("main")) ?? texts.at(-1);
        if (text) done(Math.max(text.startTime, face));
    }).observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(done, patience, null);
}))"""
PATIENCE = 10_000  # milliseconds; what has drawn no text by then has none
ROUNDS = 5


@dataclass(frozen=True)
class Fetched:
    """A file that a browser fetched. sent : bytes on the wire; raw : bytes of the file."""

    name: str
    sent: int
    raw: int

    @property
    def kind(self) -> str:
        return KINDS.get(Path(self.name).suffix, "image")


@functools.cache
def compressed(content: bytes) -> bytes:
    """A file as public hosts keep it."""
    return gzip.compress(content, mtime=0)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serve files as a public host does: compressed where that helps, one connection for all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return self.send_error(404)
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in COMPRESSED:
            content = compressed(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing about each request."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a server of the site."""
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def first_view(page: Page, address: str, site: Path) -> list[Fetched]:
    """What a browser fetches to show a page, until it asks for nothing more."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    names: dict[str, str] = {}
    sent: dict[str, int] = {}
    session.on(
        "Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]})
    )
    session.on(
        "Network.loadingFinished", lambda e: sent.update({e["requestId"]: e["encodedDataLength"]})
    )
    page.goto(address, wait_until="networkidle")
    session.detach()
    paths = {
        key: urlsplit(url).path.lstrip("/") for key, url in names.items() if url[:5] == "http:"
    }
    files = [(path, sent[key]) for key, path in paths.items() if key in sent]
    return [Fetched(path, int(size), (site / path).stat().st_size) for path, size in files]


def milliseconds_to_text(browser: Browser, address: str) -> float:
    """The time until the text is there, with a slow processor and nothing kept before.

    Raises
    ------
    RuntimeError
        There is no text.
    """
    times = []
    for _ in range(ROUNDS):
        page = browser.new_context(viewport=WINDOW).new_page()
        page.goto(urljoin(address, "/"))  # there is no such page; but now the host is known
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(address, wait_until="load")
        time = page.evaluate(TEXT_IS_THERE, PATIENCE)
        page.context.close()
        if time is None:
            raise RuntimeError(f"{address} shows no text within {PATIENCE / 1000:g} seconds")
        times.append(time)
    return statistics.median(times)


def line(name: str, files: list[Fetched], milliseconds: float) -> str:
    """A row of the table."""
    sent = {kind: sum(f.sent for f in files if f.kind == kind) for kind in COLUMNS}
    numbers = [sum(file.raw for file in files), sum(sent.values()), *sent.values()]
    kilobytes = "".join(f"{number / 1000:>9,.1f}" for number in numbers)
    return f"{name:<40}{len(files):>9}{kilobytes}{milliseconds:>9.0f}"


def main(browser: Browser) -> None:
    """Print the table."""
    print("First view, kilobytes: raw, sent with gzip, and what was sent by kind; ms until text\n")
    print(f"{'':<40}{'requests':>9}" + "".join(f"{c:>9}" for c in ("raw", "sent", *COLUMNS, "ms")))
    with served(SITE) as host:
        for name in (path.relative_to(SITE).as_posix() for path in pages_in(SITE)):
            page = browser.new_context(viewport=WINDOW).new_page()
            files = first_view(page, f"{host}/{name}", SITE)
            page.context.close()
            print(line(name, files, milliseconds_to_text(browser, f"{host}/{name}")), flush=True)


if __name__ == "__main__":
    try:
        with chromium.launched() as browser:
            main(browser)
    except RuntimeError as error:
        sys.exit(str(error))
