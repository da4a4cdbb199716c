"""What stands in the head of each page, and small repairs of its body, while the site is built.

An extension of Sphinx. A page loads one style sheet and one script (`site/bundle.py`), and a policy
forbids everything else: no other host, and no script in a page but those whose hashes it lists.
Images say how large they are, so that the text does not jump when they come.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagesize
from bundle import write_bundle
from docutils import nodes
from sphinx.application import Sphinx

LOGO = Path(__file__).resolve().parent / "assets" / "tree.svg"
# Before the first line is drawn: light or dark, as the reader or their machine has chosen. The
# theme's own script would come to the same, but later, and all pages would be drawn twice. And the
# faces of each first view are asked for, so that they are there with the style sheet: no line
# breaks anew, and the browser looks for no other font meanwhile, which takes it longer than to lay
# out the page. From a disk, where they are there at once, browsers refuse to fetch them ahead.
FIRST_SCRIPT = """\
(() => {
  const page = document.documentElement.dataset;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  try { page.mode = localStorage.getItem("mode") || "auto"; } catch { page.mode = "auto"; }
  page.theme = page.mode === "auto" ? dark : page.mode;
  if (location.protocol === "file:") return;
  for (const name of ["fonts/serif.woff2", "fonts/mono.woff2", "fa-solid-900.woff"]) {
    const face = { rel: "preload", as: "font", crossOrigin: "" };
    face.href = `${page.content_root}_static/${name}`;
    document.head.append(Object.assign(document.createElement("link"), face));
  }
})();"""
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<text>.*?)</script>", re.DOTALL)
IMAGE = re.compile(r'<img(?P<attributes>[^>]*?\ssrc="(?:\.\./)*_images/(?P<name>[^"]+)"[^>]*?)/?>')
NUMBER = re.compile(r'(<h1><span class="section-number">)(\d+)\. ')
CAPTION = re.compile(r"<figcaption.*?</figcaption>", re.DOTALL)
TURNED = {"black": "white", "white": "black", "dark": "bright", "darker": "brighter"}
TITLE = re.compile(r'(<span class="caption-number">Exercise [\w.]+ </span>) \((.*)\)(?=</p>)')
SOLVED = re.compile(r"(Solution to)(<a[^>]*>) (Exercise [\w.]+) \((.*)\)(?=</a></p>)")
SIGNATURE = re.compile(
    r'<dl>\s*((?:<dd><em class="sig-param">.*?</em>,?</dd>\s*)+)</dl>', re.DOTALL
)
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<>]*)</span>|<span></span>')
NEGATIVE = re.compile(r'(<span class="pasted-text">)-(?=\d)')
EMPTY_HEADER = re.compile(r"<th(?P<attributes>[^>]*)>(?:<p></p>)?</th>")


def security_policy(body: str) -> str:
    """The policy of a page: its own files, and the scripts that stand in its text."""
    hashes = " ".join(f"'sha256-{digest(text)}'" for text in [FIRST_SCRIPT, *inline_scripts(body)])
    sources = POLICY | {"script-src": f"{POLICY['script-src']} {hashes}"}
    return "; ".join(f"{kind} {source}" for kind, source in sources.items())


def inline_scripts(html: str) -> Iterator[str]:
    """Yield each script that a browser would run out of the page itself."""
    for match in SCRIPT.finditer(html):
        kind = re.search(r'\btype="([^"]*)"', match["attributes"])
        if "src=" not in match["attributes"] and (
            not kind or re.search("javascript|module", kind[1])
        ):
            yield match["text"]


def digest(script: str) -> str:
    """The hash by which a policy knows a script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def with_sizes(html: str, images: dict[str, str]) -> str:
    """Let each image say its size, and wait until the reader comes near.

    images : from the name of an image in the site to its file.
    """

    def sized(match: re.Match) -> str:
        attributes = match["attributes"].rstrip()
        width, height = imagesize.get(images[match["name"]])
        if match["name"].endswith(".svg"):  # a figure has 144 dots an inch, a browser thinks of 96
            width, height = round(1.5 * width), round(1.5 * height)
        if width > 0 and not re.search(r'\s(?:width|height)="', attributes):
            attributes += f' width="{width}" height="{height}"'
        return f'<img{attributes} loading="lazy" decoding="async"/>'

    return IMAGE.sub(sized, html)


def with_plain_titles(html: str) -> str:
    """The title of an exercise without the parentheses around it: it ends with some of its own."""
    return SOLVED.sub(r"\1 \2\3 \4", TITLE.sub(r"\1 \2", html))


def with_minus_signs(html: str) -> str:
    """A recorded number that is negative has a minus sign in the text, as in a formula."""
    return NEGATIVE.sub("\\1\N{MINUS SIGN}", html)


def without_empty_headers(html: str) -> str:
    """The empty corner of a table is no header of anything."""
    return EMPTY_HEADER.sub(r"<td\g<attributes>></td>", html)


def with_plain_signatures(html: str) -> str:
    """The lines of a long signature are no list of definitions: nothing in them is defined."""

    def lines(match: re.Match) -> str:
        inside = match[1].replace("<dd>", "<div>").replace("</dd>", "</div>")
        return f'<div class="sig-params">{inside}</div>'

    return SIGNATURE.sub(lines, html)


def without_plain_colors(html: str) -> str:
    """Names, punctuation and spaces in code look like the rest of it, and need no mark each."""
    return PLAIN.sub(r"\1", html)


def with_an_opening(html: str) -> str:
    """A numbered page is a chapter, and its heading says so."""
    return NUMBER.sub(r"\1Chapter \2 ", html)


def with_words_for_the_dark(html: str) -> str:
    """Captions name what is black or white, dark or light; in the dark a figure is turned round."""

    def both(match: re.Match) -> str:
        words = {"light": match[0], "dark": TURNED[match[0]]}
        return "".join(f'<span class="in-the-{kind}">{word}</span>' for kind, word in words.items())

    turned = re.compile(rf"\b(?:{'|'.join(TURNED)})\b(?![^<]*>)")
    return CAPTION.sub(lambda caption: turned.sub(both, caption[0]), html)


def mark_checks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give the cells that check a reader's function a class, so that they look like it."""
    for cell in doctree.findall(nodes.container):
        inputs = cell.findall(nodes.literal_block) if "cell" in cell["classes"] else iter(())
        if re.search(r"^check\(", next(inputs, nodes.Text("")).astext(), re.MULTILINE):
            cell["classes"].append("check")


def keep_percent_signs(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """No line breaks between a number and its percent sign."""
    for text in list(doctree.findall(nodes.Text)):
        kept = re.sub(r"(^|\d) %", "\\1\N{NO-BREAK SPACE}%", text)
        if kept != text and not isinstance(text.parent, nodes.literal | nodes.literal_block):
            text.parent.replace(text, nodes.Text(kept))


REPAIRS = (
    with_an_opening,
    with_plain_titles,
    with_minus_signs,
    without_empty_headers,
    with_words_for_the_dark,
    with_plain_signatures,
    without_plain_colors,
)


def complete(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Give the templates in `site/templates` what they ask for."""
    body = context.get("body", "")
    images = {name: str(Path(app.srcdir) / source) for source, name in app.builder.images.items()}
    for repair in REPAIRS:
        body = repair(body)
    context["body"] = with_sizes(body, images)
    context["first_script"] = FIRST_SCRIPT
    context["logo"] = LOGO.read_text(encoding="utf-8")
    context["security_policy"] = security_policy(body)
    # What all pages have is in the bundle, and nothing that stands in a page may run.
    common = {*app.builder._orig_js_files, *app.builder._orig_css_files}
    for kind in ("script_files", "css_files"):
        files = [file for file in context[kind] if getattr(file, "filename", None)]
        context[kind] = [file for file in files if file not in common]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("html-page-context", complete, priority=900)
    app.connect("doctree-resolved", mark_checks)
    app.connect("doctree-resolved", keep_percent_signs)
    app.connect("build-finished", write_bundle, priority=900)  # after the theme's own last touch
    return {"parallel_read_safe": True, "parallel_write_safe": True}
