"""Read the repository's Python as syntax: who imports whom, who defines and who uses which name."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = re.compile(r"(^|/)\.|^_build/|^build/|^dist/")
CODE_IN_MARKDOWN = re.compile(r"^[ ]*```python\n(.*?)^[ ]*```", re.DOTALL | re.MULTILINE)
NAMED_TUPLES = {"_asdict", "_replace", "_fields", "_make"}  # public, and can't be called otherwise
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A file of Python. name : as it is imported, "seqdec_lib.mdp" for a package."""

    path: Path
    name: str
    tree: ast.Module = field(compare=False)
    lines: int


@cache
def modules() -> dict[str, Module]:
    """All Python files of the repository but hidden ones, by name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not NOT_OURS.search(place):
            place = place.removeprefix("site/")  # whose modules Sphinx finds by their names alone
            name = place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            text = path.read_text(encoding="utf-8")
            found[name] = Module(path, name, ast.parse(text), len(text.splitlines()))
    return found


def library() -> list[Module]:
    """The modules of seqdec_lib."""
    return [module for name, module in modules().items() if name.split(".")[0] == "seqdec_lib"]


def imported(module: Module) -> set[str]:
    """The modules of this repository that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= parts & modules().keys() or {node.module}
    return (found & modules().keys()) - {module.name}


def functions(module: Module) -> Iterator[Function]:
    """All functions and methods of a module."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def is_private(name: str) -> bool:
    """Whether a name begins with an underscore; others call `__len__` and `_repr_html_`."""
    return name.startswith("_") and not name.endswith("_")


@cache
def private_names() -> set[str]:
    """Every private name that a module of this repository defines."""
    found = set()
    for module in modules().values():
        found |= {name for name in own_names(module) if is_private(name)}
    return found


def own_names(module: Module) -> set[str]:
    """What a module defines: functions, classes, variables and attributes."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, Function | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return found


def foreign_private_names(module: Module) -> Iterator[str]:
    """Yield the private names that a module uses and does not define."""
    own = own_names(module) | NAMED_TUPLES
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield node.attr


# -- what is used


def names_in(node: ast.AST) -> set[str]:
    """The names that a piece of code mentions."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, ast.ImportFrom):
            found |= {alias.name for alias in part.names}
    return found


def definitions(module: Module) -> Iterator[tuple[str, set[str]]]:
    """Yield what a module defines, methods on their own, with the names that each mentions.

    What runs on import is yielded under the module's own name.
    """
    on_import = set()
    for node in module.tree.body:
        if isinstance(node, Function):
            yield node.name, names_in(node)
        elif isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, Function)]
            open_ones = [m for m in methods if not m.name.endswith("_")]
            for method in open_ones:
                yield method.name, names_in(method)
            rest = [part for part in ast.iter_child_nodes(node) if part not in open_ones]
            yield node.name, set().union(*map(names_in, rest))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name in names_in(target) - {"__all__"}:
                    yield name, names_in(node.value)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            on_import |= names_in(node)
    yield module.name, on_import


def notebook_code(path: Path) -> Iterator[ast.Module]:
    """Yield the cells of a notebook and the solutions in its prose that are Python."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts = [source] if cell["cell_type"] == "code" else CODE_IN_MARKDOWN.findall(source)
        for part in parts:
            try:
                yield ast.parse(part)
            except SyntaxError:
                continue


def unused(also: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Every public (module, name) of the library that nobody outside it needs, even indirectly.

    Outside are chapters, assignments and the grader, appendices, benchmarks, evidence and the site,
    and the checks of the exercises; tests are not. Names are compared as names: two things that are
    called the same are used together. `also` is needed besides.
    """
    inside = [m for m in library() if not m.name.startswith("seqdec_lib.checks")]
    outside = [m for m in modules().values() if m not in inside and not m.name.startswith("tests")]
    notebooks = [
        path
        for path in ROOT.rglob("*.ipynb")
        if not NOT_OURS.search(path.relative_to(ROOT).as_posix())
    ]
    needed = set().union(*(names_in(m.tree) for m in outside))
    needed |= set().union(*(names_in(code) for path in notebooks for code in notebook_code(path)))
    defined = [(m.name, name, uses) for m in inside for name, uses in definitions(m)]
    needed |= {m.name for m in inside} | set(also)
    todo = set(needed)
    while todo:
        todo = set().union(*(uses for _, name, uses in defined if name in todo)) - needed
        needed |= todo
    return sorted((m, name) for m, name, _ in defined if name not in needed and name[:1] != "_")
