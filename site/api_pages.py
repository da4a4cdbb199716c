"""Write the pages of the library's API while the site is built: a page for each room.

An extension of Sphinx. A page `api/ROOM.md` holds a heading; the rest comes from the docstrings,
through Sphinx's autodoc, and from the chapters: where each function or class is used first.
"""

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path, PurePosixPath

import nbformat
from bookkeeping import is_bookkeeping, statements
from mdit_py_plugins.anchors.index import slugify
from mentions import name_of
from sphinx.application import Sphinx

FOLDER = "api"
LIBRARY = "seqdec_lib"
FIELD = re.compile(r"(?P<name>\*{0,2}[a-z_]\w*(?:, \*{0,2}[a-z_]\w*)*) : (?P<text>.+)")
RAISES = re.compile(r"Raises (?P<name>\w+): (?P<text>.+)")
MARKED = re.compile(r"`+(?P<code>[^`]+)`+|(?<![\w*])\*(?P<emphasis>[^\s*][^*]+[^\s*])\*(?![\w*])")


def page(root: Path, room: str) -> str:
    """The Markdown of a room's page, after its heading."""
    package = importlib.import_module(f"{LIBRARY}.{room}")
    uses = first_uses(tuple(sorted(root.glob("chapters/*.ipynb"))))
    parts = [f"`from {LIBRARY}.{room} import ...`", *inspect.getdoc(package).split("\n\n")]
    for name, thing in public(package).items():
        kind = "class" if inspect.isclass(thing) else "function"
        members = "\n   :members:" if kind == "class" else ""
        used = uses.get((room, name))
        parts += [
            f"## {name}",
            f"First used in {used}." if used else "",
            f"```{{eval-rst}}\n.. auto{kind}:: {LIBRARY}.{room}.{name}{members}\n```",
        ]
    return "\n\n".join(filter(None, parts))


def public(package: object) -> dict[str, object]:
    """The functions and classes that a room offers, by name."""
    return {
        name: thing
        for name, thing in vars(package).items()
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and not name.startswith("_")
        and thing.__module__.startswith(f"{package.__name__}.")
    }


@cache
def first_uses(chapters: tuple[Path, ...]) -> dict[tuple[str, str], str]:
    """Links to where a reader first sees each name of each room used: (room, name) to Markdown."""
    found: dict[tuple[str, str], str] = {}
    for path in chapters:
        section, imported = "", {}
        for cell in nbformat.read(path, as_version=4).cells:
            headings = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            if cell.cell_type == "markdown":
                section = headings[-1] if headings else section
            elif cell.cell_type == "code" and not is_bookkeeping(cell):
                for node in (node for each in statements(cell.source) for node in ast.walk(each)):
                    imported |= imports(node)
                    if isinstance(node, ast.Name) and node.id in imported:
                        where = f"../chapters/{path.name}#{slugify(section)}"
                        words = f"{name_of(path.stem)}, {section}"
                        found.setdefault(imported[node.id], f"[{words}]({where})")
    return found


def imports(node: ast.AST) -> dict[str, tuple[str, str]]:
    """The names that a statement imports from rooms of the library: to (room, name)."""
    if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(f"{LIBRARY}."):
        return {}
    room = node.module.split(".")[1]
    return {alias.asname or alias.name: (room, alias.name) for alias in node.names}


def fields(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Rewrite a docstring of the library, whose parameters are lines "name : text", for Sphinx."""
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = [*"\n\n".join(map(rewritten, paragraphs)).split("\n"), ""]


def rewritten(paragraph: str) -> str:
    """A paragraph of a docstring as reStructuredText: each of its fields, and what is none."""
    parts: list[tuple[list[str], str]] = []  # how each line begins, and what follows
    for line in paragraph.split("\n"):
        if field := FIELD.fullmatch(line):
            names = field["name"].replace("*", r"\*").split(", ")
            parts.append(([f":param {name}: " for name in names], field["text"]))
        elif raises := RAISES.fullmatch(line):
            parts.append(([f":raises {raises['name']}: "], raises["text"]))
        elif parts and parts[-1][0] != [""] and line.startswith("    "):
            parts[-1] = parts[-1][0], f"{parts[-1][1]} {line.strip()}"
        elif parts and parts[-1][0] == [""]:
            parts[-1] = [""], f"{parts[-1][1]}\n{line}"
        else:
            parts.append(([""], line))
    return "\n\n".join(f"{begin}{plain(text)}" for begins, text in parts for begin in begins)


def plain(text: str) -> str:
    """A text of a docstring as reStructuredText in which only code and emphasis have a meaning."""
    parts, end = [], 0
    for found in MARKED.finditer(text):
        marked = f"``{found['code']}``" if found["code"] else f"*{escaped(found['emphasis'])}*"
        parts += [escaped(text[end : found.start()]), marked]
        end = found.end()
    return "".join([*parts, escaped(text[end:])])


def escaped(text: str) -> str:
    """Text whose characters mean themselves in reStructuredText."""
    return re.sub(r"([\\*|_`])", r"\\\1", text)


def is_noise(
    app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object
) -> bool | None:
    """Leave out what Python writes itself about the fields of a named tuple."""
    return True if (inspect.getdoc(thing) or "").startswith("Alias for field") else None


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Complete a page of the API when Sphinx has read it."""
    folder, _, room = docname.rpartition("/")
    if folder == FOLDER:
        root = Path(app.srcdir)
        for path in [*root.glob("chapters/*.ipynb"), *root.glob(f"{LIBRARY}/{room}/*.py")]:
            app.env.note_dependency(str(path))
        source[0] += f"\n{page(root, PurePosixPath(room).name)}\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", fields)
    app.connect("autodoc-skip-member", is_noise)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
