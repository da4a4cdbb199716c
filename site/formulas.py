"""Typeset the formulas while the site is built: MathML, which browsers draw by themselves.

An extension of Sphinx. Temml turns LaTeX into MathML; it is a script without dependencies, vendored
in `temml/` with its license, and runs here in an engine of its own, so that no reader's browser has
to. A page shows its formulas at once, at their final size, also without scripts.
"""

import json
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

TEMML = Path(__file__).resolve().parent / "temml" / "temml.min.js"
NAME = "mathml"
PUNCTUATION = re.compile(r"[^\w\s]*")


@cache
def engine() -> MiniRacer:
    """The engine that Temml runs in."""
    context = MiniRacer()
    context.eval(TEMML.read_text(encoding="utf-8"))
    return context


@cache
def mathml(latex: str, display: bool) -> str:
    """A formula as an element `math`.

    Raises:
        ValueError: Temml does not understand the formula; the message says what it stumbled over.
    """
    options = json.dumps({"displayMode": display, "throwOnError": True})
    try:
        return engine().eval(f"temml.renderToString({json.dumps(latex)}, {options})")
    except JSEvalException as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"the formula {latex.strip()!r} can't be typeset: {reason}") from error


def in_lines(latex: str) -> str:
    """A displayed formula of several lines, in the environment that lines need."""
    if r"\\" in latex and r"\begin" not in latex:
        return rf"\begin{{aligned}}{latex}\end{{aligned}}"
    return latex


def keep_commas(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give each formula within a line the punctuation after it, which else could begin a line."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(nodes.math)):
        line, after = node.parent, node.parent.index(node) + 1
        if after < len(line) and isinstance(text := line[after], nodes.Text):
            node["after"] = PUNCTUATION.match(text)[0]
            line[after] = nodes.Text(text[len(node["after"]) :])


def visit_math(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    opening = translator.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    after = translator.encode(node.get("after", ""))
    translator.body.append(f"{opening}{mathml(node.astext(), False)}{after}</span>")
    raise nodes.SkipNode


def visit_displaymath(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on lines of its own, with its number."""
    write = translator.body.append
    write(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        write(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        write("</span>")
    write(f"{mathml(in_lines(node.astext()), True)}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("doctree-resolved", keep_commas)
    app.add_html_math_renderer(NAME, (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
