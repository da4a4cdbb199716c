"""Cells that only keep the book's accounts: which ones a reader's notebook can do without.

On the page a cell with the tag `remove-cell` is out of sight. In the reader's notebook one that
records numbers stays, folded, since a run with another seed shows them there; one that only holds
claims against the text goes. That must change nothing for the cells that stay.
"""

import ast
import symtable

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

TAG = "remove-cell"
CLAIM = "claim: "  # what the names of records begin with that belong to claims
ACCOUNTS = {"record", "claim", "add_to_leaderboard", "add_lap_time"}


def is_bookkeeping(cell: NotebookNode) -> bool:
    """Whether a cell is out of sight on the page."""
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])


def shows_numbers(cell: NotebookNode) -> bool:
    """Whether a cell recorded something when it was run, claims aside."""
    names = [out.get("metadata", {}).get("scrapbook", {}).get("name") for out in cell.outputs]
    return any(name and not name.startswith(CLAIM) for name in names)


def dispensable(cells: list[NotebookNode]) -> list[int]:
    """Which cells of a notebook a reader can do without, by index.

    Raises
    ------
    ValueError
        Such a cell does more than keep accounts, or a cell that stays needs one of its names.
    """
    gone = [i for i, cell in enumerate(cells) if is_bookkeeping(cell) and not shows_numbers(cell)]
    for index in gone:
        body = statements(cells[index].source)
        if deed := next((s for s in body if not only_keeps_accounts(s)), None):
            raise ValueError(
                f"cell {index} has the tag {TAG!r}, but it does more than record and claim: "
                f"`{ast.unparse(deed)}`; take the tag off, or move that line to another cell."
            )
        names = set().union(*map(bound, body))
        stays = [cell for i, cell in enumerate(cells[index:], index) if i not in gone]
        later = [s for c in stays if c.cell_type == "code" for s in statements(c.source)]
        if needed := first_needed(names, later):
            raise ValueError(
                f"cell {index} has the tag {TAG!r}, so readers don't get it, but a later cell "
                f"needs its `{needed}`; take the tag off, or define the name elsewhere."
            )
    return gone


def statements(source: str) -> list[ast.stmt]:
    """The top-level statements of a cell, magics included."""
    return ast.parse(TransformerManager().transform_cell(source)).body


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


def first_needed(names: set[str], later: list[ast.stmt]) -> str | None:
    """The first of some names that later statements use before they define it themselves."""
    for statement in later:
        own = bound(statement)
        block = hasattr(statement, "body")  # a loop's variable is defined before its body runs
        needs = used(statement) - (own if block else set()) | augmented(statement)
        if names & needs:
            return min(names & needs)
        names = names - own
    return None


def bound(statement: ast.stmt) -> set[str]:
    """The global names that a statement defines."""
    symbols = table(statement).get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}


def used(statement: ast.stmt) -> set[str]:
    """The global names that a statement uses, also inside the functions that it defines."""
    top = table(statement)
    found = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    inner = top.get_children()
    while inner:
        scope = inner.pop()
        inner += scope.get_children()
        found |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
    return found


def augmented(statement: ast.stmt) -> set[str]:
    """The names to which a statement adds something."""
    targets = [node.target for node in ast.walk(statement) if isinstance(node, ast.AugAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def table(statement: ast.stmt) -> symtable.SymbolTable:
    return symtable.symtable(ast.unparse(statement), "<cell>", "exec")
