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
CODE = re.compile(r"`+([^`]+)`+")


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
    written: list[str] = []
    in_field = False
    for line in lines:
        field, raises = FIELD.fullmatch(line), RAISES.fullmatch(line)
        if field:
            line = f":param {literal_name(field['name'])}: {plain(field['text'])}"
        elif raises:
            line = f":raises {raises['name']}: {plain(raises['text'])}"
        elif in_field and line.startswith("    "):
            line = f"    {plain(line.strip())}"
        else:
            line = plain(line)
        is_field = bool(field or raises)
        continues = in_field and line.startswith("    ")
        if is_field != in_field and not continues and written and written[-1]:
            written.append("")
        in_field = is_field or continues
        written.append(line)
    lines[:] = [*written, ""]


def literal_name(names: str) -> str:
    """Names of parameters, in which stars are stars."""
    return names.replace("*", r"\*")


def plain(text: str) -> str:
    """A line of a docstring as reStructuredText in which only code has a meaning."""
    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [escaped(text[end : code.start()]), f"``{code[1]}``"]
        end = code.end()
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
