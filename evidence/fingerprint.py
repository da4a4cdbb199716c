"""A fingerprint of the code that made a table: of its script and all it imports of this book.

What can't change a number doesn't count: comments, docstrings, layout, where a function lives,
assertions and claims, the modules that only draw, show or check, and other people's libraries,
whose versions `requirements.txt` pins.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = ("seqdec_lib", "evidence")
# The last rooms show and check; of them only a chapter's opening, which seeds, makes numbers.
NO_NUMBERS = ("seqdec_lib.book", "seqdec_lib.checks", "seqdec_lib.watching", "seqdec_lib.progress")
BUT = ("seqdec_lib.book.opening",)
SHOWS_EVIDENCE = "evidence("  # a cell with this only shows what was measured elsewhere
Name = tuple[str, str]  # a module, and what is taken from it; "*" is all of it


def fingerprint(script: Path, reads: tuple[str, ...] = (), root: Path = ROOT) -> str:
    """Return a hash of what a script runs, itself and through imports, and of notebooks it reads.

    Parameters
    ----------
    reads : paths from `root`.
    """
    todo = [ast.parse(script.read_text(encoding="utf-8"))]
    todo += [notebook_tree(root / path) for path in reads]
    seen, code = set(), set()
    while todo:
        tree = todo.pop()
        code.add(repr(essence(tree)))
        for module, name in imports(tree):
            path = source_of(module, name, root)
            if path is not None and path not in seen:
                seen.add(path)
                todo.append(ast.parse(path.read_text(encoding="utf-8")))
    return hashlib.sha256("\n".join(sorted(code)).encode()).hexdigest()[:16]


def notebook_tree(path: Path) -> ast.Module:
    """Return the code of a notebook as one program, without what shows evidence."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return ast.parse("\n".join(s for s in sources if SHOWS_EVIDENCE not in s))


def essence(node: object) -> object:
    """Return what a piece of syntax does, the same for all versions of Python."""
    if isinstance(node, list):
        return [essence(item) for item in node if not _without_effect(item)]
    if not isinstance(node, ast.AST):
        return node
    fields = ((name, essence(value)) for name, value in ast.iter_fields(node))
    return (type(node).__name__, [field for field in fields if field[1] not in (None, [])])


def _without_effect(node: object) -> bool:
    if isinstance(node, ast.Expr):  # a docstring, or a claim
        value = node.value
        is_claim = isinstance(value, ast.Call) and ast.unparse(value.func).endswith("claim")
        return is_claim or (isinstance(value, ast.Constant) and isinstance(value.value, str))
    return isinstance(node, ast.Assert | ast.Import | ast.ImportFrom)


def imports(tree: ast.Module) -> Iterator[Name]:
    """Yield what a program takes from which module of ours."""
    modules = {}  # a name that stands for a whole module, and that module
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {(a.asname or a.name): a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.module, alias.name
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):  # of a room that was imported whole, what is used
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules:
            yield modules[ast.unparse(node.value)], node.attr


def source_of(module: str, name: str, root: Path) -> Path | None:
    """Return the file that defines what is imported; None if it is not ours or makes no number.

    A room only hands on what its modules define, so that a change next door does not count.
    """
    if not module.startswith(OURS):
        return None
    whole = find(f"{module}.{name}", root)
    module, path = (f"{module}.{name}", whole) if whole else (module, find(module, root))
    if path is None:
        return None
    if path.name == "__init__.py":
        if whole:
            return None  # a room; what is used of it comes as its attributes
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        return source_of(node.module, alias.name, root)
    return path if module in BUT or not module.startswith(NO_NUMBERS) else None


def find(module: str, root: Path) -> Path | None:
    """Return the file of a module, or of a package; None where there is none."""
    base = root.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)
