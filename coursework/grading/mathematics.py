"""Mathematics on a page that is read without a network: MathJax, in the page itself.

So a page of feedback stays one file, wherever it is sent.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from pathlib import Path

MATHJAX = Path(__file__).resolve().parents[1] / "mathjax"
FONTS = MATHJAX / "output" / "chtml" / "fonts" / "woff-v2"
SETTINGS = {
    "options": {"enableMenu": False},
    "tex": {
        "inlineMath": [["$", "$"], ["\\(", "\\)"]],
        "processEscapes": True,
        "tags": "ams",
        "packages": {"[-]": ["html"]},  # whose links could run a script
    },
}


@functools.cache
def script(_: str = "") -> str:
    """MathJax with its settings and fonts, as a script's text; a filter, so templates find it."""

    def embedded(match: re.Match) -> str:
        font = base64.b64encode((FONTS / match[1]).read_bytes()).decode()
        return f"data:font/woff;base64,{font}"

    code = (MATHJAX / "tex-chtml-full.js").read_text(encoding="utf-8")
    code = re.sub(r"%%URL%%/(MathJax_[\w-]+\.woff)", embedded, code)
    return f"window.MathJax = {json.dumps(SETTINGS)};\n{code}"
