"""Every tensor is made where the model is: nothing is left to the default device.

Where there is no GPU, a default device on which nothing can be computed stands in for it: whatever
were made without being told where would end there, and fail or change the answer."""

import numpy as np
import pytest
import torch

from seqdec_lib.experience import collect
from seqdec_lib.problems import KeyToDoor
from seqdec_lib.sequences import (
    Batch,
    SequencePolicy,
    TokenLayout,
    Transformer,
    beam_search,
    fit,
    generate,
    has_bfloat16,
    minibatches,
)
from tests import small_models

pytestmark = pytest.mark.usefixtures("one_thread")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU on this machine")
PROBLEM = KeyToDoor()
DATA = collect(PROBLEM, None, 60, seed=0)
LAYOUT = TokenLayout.of(PROBLEM, DATA, "return_to_go", rewards=True, context=6)


def trained(device: str | None = None, steps: int = 6, **options) -> tuple:
    """A model, its losses and its actions."""
    torch.manual_seed(0)
    model = LAYOUT.transformer(width=16, dropout=options.pop("dropout", 0.0))
    draw, held_out = minibatches(LAYOUT.encode(DATA), 8), LAYOUT.encode(DATA[:9])
    result = fit(model, draw, steps, device=device, held_out=held_out, **options)
    played = collect(PROBLEM, SequencePolicy(model, LAYOUT, target=1.0), 20, seed=1)
    return model, result, played.actions


def decoded(model, prompt: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
    """What a model says in all ways of asking it."""
    ways = ({}, {"stop": 3, "mask": mask}, {"temperature": 0}, {"top_k": 3, "top_p": 0.9})
    drawn = [
        generate(model, prompt, 6, generator=torch.Generator().manual_seed(0), cached=cached, **how)
        for cached in (True, False)
        for how in ways
    ]
    answers = model(prompt, None, slice(1, 3)), model(prompt, mask, -1)
    return [*drawn, *beam_search(model, prompt, 3, 2, mask, 3), *answers]


def question() -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.ones(3, 4, dtype=torch.bool)
    mask[1, :2] = False
    return small_models.tokens(3, 4), mask


def test_training_and_acting_leave_nothing_to_the_default_device():
    expected = trained(dropout=0.2)
    with torch.device("meta"):
        assert torch.zeros(1).device.type == "meta", "the trap is open"
    data, held_out = LAYOUT.encode(DATA), LAYOUT.encode(DATA[:9])
    torch.manual_seed(0)
    model = LAYOUT.transformer(width=16, dropout=0.2)
    with torch.device("meta"):
        result = fit(model, minibatches(data, 8), 6, held_out=held_out)
        played = collect(PROBLEM, SequencePolicy(model, LAYOUT, target=1.0), 20, seed=1)
    assert result == expected[1] and np.array_equal(played.actions, expected[2])


@small_models.both
def test_decoding_leaves_nothing_to_the_default_device(make):
    model, asked = make(), question()
    expected = decoded(model, *asked)
    with torch.device("meta"):
        came = decoded(model, *asked)
    for one, other in zip(came, expected, strict=True):
        assert one.device.type == "cpu" and torch.equal(one, other)


@gpu
@small_models.both
def test_a_gpu_decodes_as_a_processor_does(make):
    expected = decoded(make(), *question())
    came = decoded(make().cuda(), *(part.cuda() for part in question()))
    for one, other in zip(came, expected, strict=True):
        assert one.device.type == "cuda"
        torch.testing.assert_close(one.cpu(), other, rtol=0, atol=1e-4)


@gpu
def test_a_gpu_learns_as_a_processor_does():
    """TF32 is off unless somebody turns it on."""
    (_, expected, _), (model, came, _) = trained(), trained("cuda")
    assert model.head.weight.is_cuda
    assert max(abs(a - b) for a, b in zip(came.losses, expected.losses, strict=True)) < 1e-4


@gpu
def test_an_interrupted_run_on_a_gpu_goes_on(tmp_path):
    options = {"dropout": 0.2, "checkpoint_every": 3, "device": "cuda"}
    expected = trained(**options)[1]
    trained(**options, checkpoint=tmp_path / "run.pt")
    assert trained(**options, checkpoint=tmp_path / "run.pt")[1].losses == expected.losses


@gpu
def test_a_gpu_learns_in_bfloat16():
    assert has_bfloat16("cuda")
    full, reduced = (trained("cuda", precision=name)[1].losses for name in ("fp32", "bf16"))
    assert full != reduced and max(abs(a - b) for a, b in zip(full, reduced, strict=True)) < 0.03


@gpu
def test_a_compiled_model_learns_the_same_and_faster(record_property):
    """`model.compile()` is PyTorch's own; `fit` has nothing to do with it."""
    torch.manual_seed(0)
    tokens = torch.randint(50, (64, 129), generator=torch.Generator().manual_seed(0))
    data, seconds, losses = Batch(tokens[:, :-1], tokens[:, 1:]), [], []
    for is_compiled in (False, True):
        torch.manual_seed(0)
        model = Transformer(50, 128, width=256, layers=4).cuda()
        if is_compiled:
            model.compile()
        fit(model, minibatches(data, 64), 5)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        losses.append(fit(model, minibatches(data, 64), 50).losses)
        end.record()
        torch.cuda.synchronize()
        seconds.append(begin.elapsed_time(end) / 1000)
    record_property("seconds, plain and compiled", seconds)
    assert max(abs(a - b) for a, b in zip(*losses, strict=True)) < 1e-2
    assert seconds[1] < seconds[0]
