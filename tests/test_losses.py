"""Laws of the one loss: what counts, in which precision, and what is refused."""

import numpy as np
import pytest
import torch

from seqdec_lib.sequences.losses import IGNORE, cross_entropy


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
