"""Cells that only keep the book's accounts: the tag `remove-cell` puts them out of sight.

Whatever such a cell does must change nothing for the cells that readers see.
"""

import ast
import symtable
from functools import cache

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

TAG = "remove-cell"
ACCOUNTS = {"record", "claim", "add_to_leaderboard", "add_lap_time"}


def is_bookkeeping(cell: NotebookNode) -> bool:
    """Whether a cell is out of sight on the page."""
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])


def is_for_readers(cell: NotebookNode) -> bool:
    """Whether readers get a cell of code: not if it is out of sight and records nothing.

    Where it records, a run with another seed shows what that gave.
    """
    outputs = [output.get("metadata", {}) for output in cell.outputs]
    records = [output["scrapbook"]["name"] for output in outputs if "scrapbook" in output]
    return not is_bookkeeping(cell) or not all(name.startswith("claim: ") for name in records)


@cache
def statements(source: str) -> tuple[ast.stmt, ...]:
    """The top-level statements of a cell, magics included.

    The same source gives the same statements again, and what follows remembers them."""
    return tuple(ast.parse(TransformerManager().transform_cell(source)).body)


def only_keeps_accounts(statement: ast.stmt) -> bool:
    """Whether a statement calls `record` or `claim`, asserts, or makes a name for that."""
    match statement:
        case ast.Expr(ast.Call()):
            return is_account(statement)
        case ast.Expr(ast.Constant()) | ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Assign(targets=targets):
            return all(isinstance(n, (ast.Name, ast.Tuple)) for n in targets)
        case ast.For() | ast.If() | ast.With():
            body = statement.body + getattr(statement, "orelse", [])
            return all(map(only_keeps_accounts, body))
        case _:
            return False


def is_account(node: ast.AST) -> bool:
    """Whether a piece of code records, claims or asserts."""
    match node:
        case ast.Expr(ast.Call(func=ast.Name(name) | ast.Attribute(attr=name))):
            return name in ACCOUNTS
    return isinstance(node, ast.Assert)


def first_needed(names: frozenset[str], later: list[ast.stmt]) -> str | None:
    """The first of some names that later statements use before they define it themselves."""
    for statement in later:
        own = bound(statement)
        block = hasattr(statement, "body")  # a loop's variable is defined before its body runs
        needs = used(statement) - (own if block else frozenset()) | augmented(statement)
        if names & needs:
            return min(names & needs)
        names = names - own
    return None


@cache
def bound(statement: ast.stmt) -> frozenset[str]:
    """The global names that a statement defines."""
    symbols = table(statement).get_symbols()
    return frozenset(s.get_name() for s in symbols if s.is_assigned() or s.is_imported())


@cache
def used(statement: ast.stmt) -> frozenset[str]:
    """The global names that a statement uses, also inside the functions that it defines."""
    top = table(statement)
    found = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    inner = top.get_children()
    while inner:
        scope = inner.pop()
        inner += scope.get_children()
        found |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
    return frozenset(found)


@cache
def augmented(statement: ast.stmt) -> frozenset[str]:
    """The names to which a statement adds something."""
    targets = [node.target for node in ast.walk(statement) if isinstance(node, ast.AugAssign)]
    return frozenset(target.id for target in targets if isinstance(target, ast.Name))


@cache
def table(statement: ast.stmt) -> symtable.SymbolTable:
    return symtable.symtable(ast.unparse(statement), "<cell>", "exec")
