"""Laws of what all sequence models share: tokens that come in, positions that are asked for."""

import pytest
import torch

from tests.small_models import VOCABULARY, both, tokens, transformer

pytestmark = pytest.mark.usefixtures("one_thread")


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


@pytest.mark.parametrize("at", [12, -13, torch.tensor([]), torch.tensor([[1], [2]]), slice(3, 3)])
def test_positions_that_do_not_exist_are_named(at):
    with pytest.raises(ValueError, match="at must"):
        transformer()(tokens(), at=at)
