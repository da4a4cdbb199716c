"""The shape of the tree: nodes, levels, and the ways between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.problems import heap_tree
from seqdec_lib.problems.heap_tree import HeapTree

quick = settings(max_examples=30, deadline=None, derandomize=True)
trees = st.builds(HeapTree, branching=st.integers(2, 4), horizon=st.integers(1, 4))


@quick
@given(tree=trees, data=st.data())
def test_a_path_leads_to_its_node_and_back(tree: HeapTree, data: st.DataObject) -> None:
    actions = data.draw(st.lists(st.integers(0, tree.branching - 1), max_size=tree.horizon))
    node = 0
    for action in actions:
        child = tree.branching * node + 1 + action
        assert tree.parent(child) == node
        node = child
    assert tree.path(node) == actions
    level = tree.level(len(actions))
    assert level.start <= node < level.stop
    way = tree.ways(len(actions))[node - level.start]
    assert way[0] == 0 and way[-1] == node
    assert tree.last_action(way[1:]).tolist() == actions
    assert tree.before(way[1:]).tolist() == way[:-1].tolist()


@quick
@given(tree=trees)
def test_levels_follow_each_other_and_fill_the_tree(tree: HeapTree) -> None:
    ends = [0]
    for t in range(tree.horizon + 1):
        assert tree.level(t).start == ends[-1]
        ends.append(tree.level(t).stop)
        assert ends[-1] - ends[-2] == tree.branching**t
    assert ends[-1] == tree.n_states == tree.first_leaf + tree.n_leaves


def test_nodes_and_levels_that_do_not_exist_are_named() -> None:
    tree = HeapTree(3, 2)  # 13 nodes
    assert tree.level(0) == slice(0, 1) and tree.level(2) == slice(4, 13)
    assert tree.parent(12) == 3 and tree.parent(1) == 0
    for t in (-1, 3):
        with pytest.raises(ValueError, match="level must lie in 0..2"):
            tree.level(t)
    for node in (0, -1, 13):
        with pytest.raises(ValueError, match="node must lie in 1..12"):
            tree.parent(node)
    for nodes in ([13], [-1], [0.0], [[1]], 1):
        with pytest.raises(ValueError, match="whole numbers in 0..12"):
            tree.checked_nodes(nodes)
    assert tree.checked_nodes([0, 12]).tolist() == [0, 12]
    assert tree.checked_nodes([]).dtype == tree.checked_nodes([3]).dtype == "int64"
    assert tree.before(np.array([0, 1, 12])).tolist() == [0, 0, 3]
    for sizes, name in (((1, 2), "branching"), ((2, 0), "horizon")):
        with pytest.raises(ValueError, match=name):
            HeapTree(*sizes)
    assert HeapTree(2, 1).n_states == 3


def test_a_number_a_node_takes_a_gibibyte_at_most() -> None:
    for branching, horizon in ((2, 26), (3, 16), (2**27 - 1, 1)):
        tree = HeapTree(branching, horizon)
        assert 8 * tree.n_states <= 2**30 < 8 * (tree.n_states + branching ** (horizon + 1))
        with pytest.raises(ValueError, match=f"at most {horizon} with .* in 1 GiB"):
            HeapTree(branching, horizon + 1)


def test_the_largest_tree_is_the_one_whose_nodes_fit_in_memory(monkeypatch) -> None:
    monkeypatch.setattr(heap_tree, "MOST_NODES", 40)  # 1 + 3 + 9 + 27
    assert HeapTree(3, 3).n_states == 40
    with pytest.raises(ValueError, match="at most 3 with branching 3"):
        HeapTree(3, 4)
    monkeypatch.setattr(heap_tree, "MOST_NODES", 39)
    with pytest.raises(ValueError, match="at most 2 with branching 3"):
        HeapTree(3, 3)
