"""The shape of the tree: nodes, levels, and the ways between them."""

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


def test_the_largest_tree_is_the_one_whose_nodes_fit_in_memory(monkeypatch) -> None:
    monkeypatch.setattr(heap_tree, "MOST_NODES", 40)  # 1 + 3 + 9 + 27
    assert HeapTree(3, 3).n_states == 40
    with pytest.raises(ValueError, match="at most 3 with branching 3"):
        HeapTree(3, 4)
    monkeypatch.setattr(heap_tree, "MOST_NODES", 39)
    with pytest.raises(ValueError, match="at most 2 with branching 3"):
        HeapTree(3, 3)
