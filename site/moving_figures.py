"""Interactive figures on the website: script and style come from files, once. A Sphinx extension.

In a notebook they travel in the output of each figure. A page has them taken out, because its
policy forbids scripts in the page itself.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

FIGURE = '<div class="interactive-figure">'
TRAVELING = re.compile(r"<(style|script)>.*?</\1>\n?", re.DOTALL)


def unpack(app: Sphinx, page: nodes.document, docname: str) -> None:
    """Take script and style out of the figures of a page."""
    if app.builder.format == "html":
        for node in list(page.findall(nodes.raw)):
            if node.astext().startswith(FIGURE):
                html = TRAVELING.sub("", node.astext())
                node.replace_self(nodes.raw("", html, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("doctree-resolved", unpack)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
