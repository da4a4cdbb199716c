"""Laws of what all sequence models share: tokens that come in, positions that are asked for."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seqdec_lib.sequences.tokens import checked_sizes, embedded, evaluating, pick, positions_at
from tests.small_models import VOCABULARY, both, few, tokens, transformer

pytestmark = pytest.mark.usefixtures("one_thread")


# -- positions


@few
@given(length=st.integers(1, 6), rows=st.integers(1, 3), data=st.data())
def test_positions_are_counted_as_python_counts_them(length, rows, data):
    line, place = list(range(length)), st.integers(-length, length - 1)
    assert positions_at(None, rows, length) == (None, False)
    shared = data.draw(st.lists(place, min_size=1, max_size=4))
    own = [data.draw(st.permutations(shared)) for _ in range(rows)]
    for asked in (shared, own):
        found, alone = positions_at(torch.tensor(asked), rows, length)
        assert found.dtype == torch.long and not alone
        assert found.tolist() == (torch.tensor(asked) % length).tolist()
    part = data.draw(st.slices(length).filter(lambda part: (part.step or 1) > 0 and line[part]))
    found, alone = positions_at(part, rows, length)
    assert found.tolist() == line[part] and not alone


def test_a_number_names_one_position_or_none():
    for length in range(1, 5):
        line = list(range(length))
        for at in range(-6, 6):
            if -length <= at < length:
                found, alone = positions_at(at, 2, length)
                assert alone
                assert length == 1 if found is None else found.tolist() == [line[at]]
            else:
                with pytest.raises(ValueError, match="at must lie in"):
                    positions_at(at, 2, length)


@few
@given(seed=st.integers(0, 99), places=st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_what_is_picked_stands_at_the_places_asked_for(seed, places):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(3, 5, 2, generator=generator)
    assert torch.equal(pick(x, torch.tensor(places)), x[:, places])
    own = torch.randint(5, (3, len(places)), generator=generator)
    for row in range(3):
        assert torch.equal(pick(x, own)[row], x[row, own[row]])


# -- what comes in


def test_embeddings_come_as_they_are_and_are_0_where_padding_is():
    x, mask = torch.rand(2, 3, 4), torch.tensor([[True, True, False], [False, True, True]])
    model = SimpleNamespace(token=nn.Embedding(5, 4))
    assert embedded(model, x, None) is x
    assert torch.equal(embedded(model, x, mask), x * mask[:, :, None])
    ids = torch.tensor([[0, 4], [2, 2]])
    for some in (None, mask[:, :2]):
        assert torch.equal(embedded(model, ids, some), model.token.weight[ids])


def test_evaluating_switches_parts_off_and_each_on_again_as_it_was():
    first, second = (nn.Sequential(nn.Dropout(), nn.Linear(1, 1)).train() for _ in range(2))
    second[0].eval()
    with pytest.raises(KeyError), evaluating(first, second):
        assert not any(part.training for model in (first, second) for part in model.modules())
        raise KeyError
    assert all(part.training for part in first.modules())
    assert [part.training for part in second.modules()] == [True, False, True]


def test_a_model_has_as_many_outputs_as_tokens_unless_told():
    assert checked_sizes(5, None) == (5, 5)
    assert checked_sizes(1, 1) == (1, 1)
    assert checked_sizes(5, 3) == (5, 3)
    assert checked_sizes(None, 3) == (None, 3)
    for sizes, name in (((0, None), "vocabulary"), ((None, None), "outputs"), ((5, 0), "outputs")):
        with pytest.raises(ValueError, match=name):
            checked_sizes(*sizes)


# -- bad input


@both
@pytest.mark.parametrize(
    ("x", "mask", "words"),
    [
        (torch.zeros(0, 4, dtype=torch.long), None, "B, T >= 1"),
        (torch.zeros(2, 0, dtype=torch.long), None, "B, T >= 1"),
        (torch.zeros(4, dtype=torch.long), None, "(B, T)"),
        (torch.full((2, 4), VOCABULARY), None, "0..10"),
        (torch.full((2, 4), -1), None, "-1"),
        (torch.zeros(2, 4, 5), None, "16 wide"),
        (torch.zeros(2, 4, dtype=torch.long), torch.tensor([[True] * 4, [False] * 4]), "row 1"),
        (torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 3, dtype=torch.bool), "(2, 4)"),
        (torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 4), "bool"),
    ],
)
def test_bad_tokens_and_masks_are_named(make, x, mask, words):
    with pytest.raises(ValueError) as error:
        make()(x, mask)
    assert words in str(error.value)


@both
def test_misuse_of_a_cache_is_named(make):
    model = make()
    with pytest.raises(ValueError, match="no_grad"):
        model(tokens(), cache=model.new_cache(3))
    with torch.no_grad(), pytest.raises(ValueError, match="2 sequences, but 3"):
        model(tokens(), cache=model.new_cache(2))


@pytest.mark.parametrize(
    "at",
    [
        12,
        -13,
        0.5,
        True,
        torch.tensor([]),
        torch.tensor([1.0]),
        torch.tensor([True, False]),
        torch.tensor([[1], [2]]),
        torch.zeros(3, 1, 1, dtype=torch.long),
        slice(3, 3),
    ],
)
def test_positions_that_do_not_exist_are_named(at):
    with pytest.raises(ValueError, match="at must"):
        transformer()(tokens(), at=at)
