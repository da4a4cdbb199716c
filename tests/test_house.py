"""The laws of the house: which way imports run, how large a room may be, and nothing for nobody."""

import ast
import graphlib

import pytest

from tests import house

# Each stands on those before it. The ground is for all; checks stand beside, and only look.
ROOMS = ("mdp", "problems", "experience", "learning", "sequences", "language", "feedback", "book")
GROUND = ("validation", "files", "watching", "progress")
LARGEST_MODULE, LARGEST_FUNCTION, LARGEST_HOUSE = 350, 60, 9_000  # lines

# What no chapter, assignment, appendix, benchmark or evidence needs, and why it is there.
FOR_OTHERS = {
    "from_minari": "the way in for data of others",
    "minari_parts": "the way in for data of others, where they are larger than memory",
    "make_env": "Gymnasium calls it, by the name in seqdec_lib/__init__.py",
    "make_vector_env": "Gymnasium calls it, by the name in seqdec_lib/__init__.py",
    "to_minari": "the way out, for tools of others",
}


def height(module: str) -> int:
    """Where a module of seqdec_lib stands: the ground is 0, checks are above all rooms."""
    room = (module.split(".") + ["checks"])[1]
    return 0 if room in GROUND else (*ROOMS, "checks").index(room) + 1


@pytest.mark.parametrize("module", house.library(), ids=lambda module: module.name)
def test_imports_run_from_later_rooms_to_earlier_ones(module: house.Module) -> None:
    ours = {name for name in house.imported(module) if name.split(".")[0] == "seqdec_lib"}
    assert {name for name in ours if height(name) > height(module.name)} == set()
    outside = house.imported(module) - ours
    assert outside == set(), "the library needs nothing of the repository around it"


def test_no_import_runs_in_a_circle() -> None:
    graph = {name: house.imported(module) for name, module in house.modules().items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("module", house.library(), ids=lambda module: module.name)
def test_modules_and_functions_are_short(module: house.Module) -> None:
    assert module.lines <= LARGEST_MODULE
    lengths = {f.name: f.end_lineno - f.lineno + 1 for f in house.functions(module)}
    assert {n: length for n, length in lengths.items() if length > LARGEST_FUNCTION} == {}


def test_the_house_is_small_enough_to_read() -> None:
    outside_checks = [m for m in house.library() if not m.name.startswith("seqdec_lib.checks")]
    assert sum(module.lines for module in outside_checks) <= LARGEST_HOUSE


@pytest.mark.parametrize(
    "module",
    [m for name, m in house.modules().items() if not name.startswith("tests")],
    ids=lambda module: module.name,
)
def test_no_module_uses_a_private_name_of_another(module: house.Module) -> None:
    assert set(house.foreign_private_names(module)) & house.private_names() == set()


def test_what_nobody_needs_is_not_there() -> None:
    assert house.unused(also=FOR_OTHERS) == []


def test_each_exception_is_one() -> None:
    unused = {name for _, name in house.unused()}
    assert FOR_OTHERS.keys() - unused == set(), "used now, or gone: take it off the list"


# -- the tools, on code with one fault each


def module_of(text: str) -> house.Module:
    return house.Module(house.ROOT, "seqdec_lib.mdp.made_up", ast.parse(text), 1)


def test_every_way_to_import_is_seen() -> None:
    text = "import seqdec_lib.mdp\nfrom seqdec_lib import learning\ndef f():\n"
    text += "    from seqdec_lib.mdp.model import MDP\n    import numpy"
    names = {"seqdec_lib.mdp", "seqdec_lib.learning", "seqdec_lib.mdp.model"}
    assert house.imported(module_of(text)) == names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from other import _secret", {"_secret"}),
        ("import other\nother._secret()", {"_secret"}),
        ("def f(x):\n    return x._secret", {"_secret"}),
        (
            "class A:\n    def b(self, c):\n        self._a = c._a",
            set(),
        ),
        ("def _f():\n    return __name__\n_f()", set()),
    ],
)
def test_foreign_private_names_are_seen(text: str, found: set[str]) -> None:
    assert set(house.foreign_private_names(module_of(text))) == found


def test_what_is_defined_is_told_with_what_it_mentions() -> None:
    text = "A = B\nclass C(D):\n    e = F\n    def g(self):\n        return H\n"
    text += "    def __len__(self):\n        return J\nif K:\n    L()\n"
    found = dict(house.definitions(module_of(text)))
    assert found["A"] == {"B"} and found["g"] >= {"H"} and found["C"] >= {"D", "F", "J"}
    assert "H" not in found["C"] and found["seqdec_lib.mdp.made_up"] == {"K", "L"}
