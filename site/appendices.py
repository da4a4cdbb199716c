"""Give appendices letters: a page called `A_...` has the number A where others have 1, 2, 3.

An extension of Sphinx. Sphinx numbers the files of a numbered part one after the other; of those
whose names begin with a letter and an underscore, the first number becomes that letter, before
figures, equations and exercises are numbered after it.
"""

import re
from collections.abc import Callable

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

APPENDIX = re.compile(r"(?:.*/)?([A-Z])_[^/]*")


def lettered(numbering: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """Return Sphinx's way of numbering sections, followed by letters for appendices."""

    def assign(self: TocTreeCollector, env: BuildEnvironment) -> list[str]:
        changed = numbering(self, env)
        for docname, numbers in env.toc_secnumbers.items():
            if found := APPENDIX.fullmatch(docname):
                letter = found[1]
                for place, number in numbers.items():
                    numbers[place] = number and (letter, *number[1:])
                shown = [*env.tocs[docname].findall(nodes.reference), env.titles[docname]]
                for node in shown:
                    if number := node.get("secnumber"):
                        node["secnumber"] = [letter, *number[1:]]
        return changed

    assign.lettered = True
    return assign


def begin(app: Sphinx) -> None:
    """Change how sections are numbered, after all extensions that do so themselves."""
    if not hasattr(TocTreeCollector.assign_section_numbers, "lettered"):
        TocTreeCollector.assign_section_numbers = lettered(TocTreeCollector.assign_section_numbers)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", begin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
