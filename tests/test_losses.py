"""Laws of the one loss: what counts, in which precision, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.sequences.losses import (
    IGNORE,
    Batch,
    choice_log_probabilities,
    cross_entropy,
    log_probabilities,
    sequence_loss,
)


def test_the_loss_counts_only_what_is_to_be_learned():
    logits, targets = torch.randn(2, 3, 5), torch.randint(5, (2, 3))
    ignored = targets.clone()
    ignored[0, 1] = IGNORE
    each = -logits.log_softmax(-1).gather(2, targets[..., None])[..., 0]
    keep = ignored != IGNORE
    torch.testing.assert_close(cross_entropy(logits, ignored), each[keep].mean())
    with pytest.raises(ValueError, match="nothing to learn"):
        cross_entropy(logits, torch.full((2, 3), IGNORE))
    with pytest.raises(ValueError, match="shape"):
        cross_entropy(logits, targets[:, :2])
    with pytest.raises(ValueError, match=r"targets must lie in 0..4 or be IGNORE .* but -1..4"):
        cross_entropy(logits, torch.tensor([[0, 4, -1], [0, 0, 0]]))


def test_the_loss_is_measured_in_single_precision_at_least():
    logits, targets = torch.randn(2, 3, 5), torch.randint(5, (2, 3))
    for kind in (torch.bfloat16, torch.float32, torch.float64):
        loss = cross_entropy(logits.to(kind), targets)
        assert loss.dtype == (torch.float32 if kind == torch.bfloat16 else kind)
        assert loss.item() == pytest.approx(cross_entropy(logits, targets).item(), rel=0.02)


def test_cross_entropy_ignores_padding():
    logits = torch.tensor([[[2.0, 0.0]], [[0.0, 5.0]]])
    targets = torch.tensor([[0], [IGNORE]])
    assert cross_entropy(logits, targets) == pytest.approx(float(np.log(1 + np.exp(-2))))


def says(logits: torch.Tensor):
    """A model that always says the same, and checks what it is asked."""

    def model(tokens, mask, at):
        assert (tokens, mask, at) == ("tokens", "mask", "at")
        return logits

    return model


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    options=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_losses_and_log_probabilities_are_one_formula_for_any_number_of_axes(shape, options, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(*shape, options, dtype=torch.float64, generator=generator)
    targets = torch.randint(options, shape, generator=generator)
    counts = torch.rand(shape, generator=generator) < 0.6
    counts.view(-1)[0] = True
    said = logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0] * counts
    targets[~counts] = IGNORE
    batch = Batch("tokens", targets, "mask", "at")
    assert torch.allclose(choice_log_probabilities(says(logits), batch), said)
    if len(shape) == 2:
        assert torch.allclose(log_probabilities(says(logits), batch), said.sum(1))
    mean = -said.sum() / counts.sum()
    assert torch.isclose(cross_entropy(logits, targets), mean)
    assert torch.isclose(sequence_loss(says(logits), batch), mean)


def test_log_probabilities_can_be_climbed():
    logits = torch.zeros(2, 3, 4, requires_grad=True)
    targets = torch.tensor([[0, IGNORE, 1], [2, 3, IGNORE]])
    log_probabilities(says(logits), Batch("tokens", targets, "mask", "at")).sum().backward()
    chosen = (targets != IGNORE)[..., None] * torch.eye(4)[targets.clamp(0)]
    expected = chosen - (targets != IGNORE)[..., None] / 4
    assert torch.allclose(logits.grad, expected)
