"""Laws of the training loop: above all, that an interruption leaves no trace."""

import math

import pytest
import torch
from torch import nn

from seqdec_lib.sequences import training
from seqdec_lib.sequences.checkpoint import FORMAT, load_checkpoint, save_checkpoint
from seqdec_lib.sequences.losses import Batch, sequence_loss
from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.training import Settings, fit, has_bfloat16, minibatches
from seqdec_lib.sequences.transformer import Transformer

pytestmark = pytest.mark.usefixtures("one_thread")

GENERATOR = torch.Generator().manual_seed(0)
TOKENS = torch.randint(5, (40, 6), generator=GENERATOR)
DATA = Batch(TOKENS[:, :-1], TOKENS[:, 1:])
HELD_OUT = Batch(DATA.tokens[:8], DATA.targets[:8])


def transformer(**options) -> Transformer:
    torch.manual_seed(1)
    return Transformer(5, 8, width=8, layers=2, heads=2, dropout=0.2, **options)


def lstm() -> LSTM:
    torch.manual_seed(1)
    return LSTM(5, width=8, layers=2, dropout=0.2)


class Interruption(Exception):
    pass


def interrupted_after(draws: int):
    """Batches that break off, as if the machine had been switched off."""
    draw, left = minibatches(DATA, 4), [draws]

    def breaking(generator):
        if not left[0]:
            raise Interruption
        left[0] -= 1
        return draw(generator)

    return breaking


OPTIONS = {"held_out": HELD_OUT, "evaluate_every": 5, "checkpoint_every": 7, "seed": 3}


@pytest.mark.parametrize("make", [transformer, lstm])
@pytest.mark.parametrize("break_after", [7, 12, 29])
def test_an_interrupted_run_resumes_bit_for_bit(make, break_after, tmp_path):
    whole = make()
    expected = fit(whole, minibatches(DATA, 4), 30, **OPTIONS)
    path = tmp_path / "run.pt"
    with pytest.raises(Interruption):
        fit(make(), interrupted_after(break_after), 30, checkpoint=path, **OPTIONS)
    torch.manual_seed(99)  # another process has other random numbers
    resumed = make()
    for weight in resumed.parameters():
        nn.init.normal_(weight)
    came = fit(resumed, minibatches(DATA, 4), 30, checkpoint=path, **OPTIONS)
    assert came == expected
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_a_finished_run_is_not_trained_again(tmp_path):
    path, model = tmp_path / "run.pt", transformer()
    first = fit(model, minibatches(DATA, 4), 10, checkpoint=path, **OPTIONS)
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    assert fit(model, interrupted_after(0), 10, checkpoint=path, **OPTIONS) == first
    assert all(torch.equal(v, weights[k]) for k, v in model.state_dict().items())


def test_the_seed_alone_decides_and_the_callers_random_numbers_are_untouched():
    losses = []
    for outside in (7, 8):
        model = transformer()
        torch.manual_seed(outside)
        before = torch.get_rng_state()
        losses.append(fit(model, minibatches(DATA, 4), 5, seed=3).losses)
        assert torch.equal(torch.get_rng_state(), before)
    assert losses[0] == losses[1]
    assert fit(transformer(), minibatches(DATA, 4), 5, seed=4).losses != losses[0]


def test_early_stopping_keeps_the_best_weights():
    model = transformer()
    run = fit(
        model,
        minibatches(DATA, 4),
        400,
        learning_rate=0.03,
        held_out=HELD_OUT._replace(targets=(HELD_OUT.targets + 1) % 5),
        evaluate_every=5,
        patience=3,
    )
    best = min(value for _, value in run.held_out)
    assert run.steps == run.best_step + 15 < 400
    wrong = HELD_OUT._replace(targets=(HELD_OUT.targets + 1) % 5)
    with torch.no_grad():
        assert sequence_loss(model, wrong).item() == pytest.approx(best, abs=1e-6)
    assert not model.training


class Slope(nn.Module):
    """One weight whose gradient is whatever the batch says."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))


def test_gradients_are_clipped_and_the_rate_rises_and_falls(monkeypatch):
    seen = []
    step = torch.optim.AdamW.step

    def watching(self, *args, **kwargs):
        group = self.param_groups[0]
        seen.append((group["lr"], group["params"][0].grad.norm().item()))
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", watching)
    fit(
        Slope(),
        lambda generator: 100.0,
        20,
        loss=lambda model, slope: slope * model.weight.sum(),
        learning_rate=1.0,
        warmup=0.25,
        clip=0.5,
    )
    rates, norms = zip(*seen, strict=True)
    assert max(norms) <= 0.5 + 1e-6
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(a >= b for a, b in zip(rates[5:], rates[6:], strict=False))
    assert rates[-1] < 0.05


def test_a_short_gradient_is_left_alone(monkeypatch):
    seen = []
    step = torch.optim.AdamW.step

    def watching(self, *args, **kwargs):
        seen.append(self.param_groups[0]["params"][0].grad.clone())
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", watching)
    fit(Slope(), lambda generator: 0.25, 1, loss=lambda m, slope: slope * m.weight.sum(), clip=0.5)
    assert seen[0].tolist() == [0.25] * 3


@pytest.mark.parametrize(("steps", "warmup"), [(100, 0.1), (7, 0.0), (40, 0.5)])
def test_the_rate_is_a_line_and_half_a_cosine(steps, warmup):
    settings = Settings(steps, learning_rate=2.0, warmup=warmup)
    rates, rising = [settings.rate(step) for step in range(steps)], max(1, round(warmup * steps))
    assert rates[:rising] == pytest.approx([2 * (i + 1) / rising for i in range(rising)])
    falling = rates[rising:]
    assert falling[0] == 2
    pairs = zip(falling[1:], falling[:0:-1], strict=True)
    assert [a + b for a, b in pairs] == pytest.approx([2.0] * (len(falling) - 1))


def test_only_matrices_decay():
    class Still(nn.Module):
        def __init__(self):
            super().__init__()
            self.matrix, self.vector = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))

    model = Still()
    nothing = lambda model, batch: 0 * (model.matrix.sum() + model.vector.sum())  # noqa: E731
    fit(model, lambda generator: None, 1, loss=nothing, learning_rate=0.5, decay=0.1)
    assert model.vector.tolist() == [1, 1]
    torch.testing.assert_close(model.matrix.data, torch.full((2, 2), 1 - 0.5 * 0.1))


def test_both_precisions_learn_alike():
    def run(precision):
        return fit(transformer(), minibatches(DATA, 32), 30, precision=precision, seed=2).losses

    full = run("fp32")
    if has_bfloat16():
        reduced = run("bf16")
    else:
        with pytest.warns(UserWarning, match="imitates"):
            reduced = run("bf16")
    assert reduced != full
    assert max(abs(a - b) for a, b in zip(full, reduced, strict=True)) < 0.03


def test_a_progress_bar_in_a_terminal_only(capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    fit(Slope(), lambda generator: 1.0, 3, loss=lambda m, b: (m.weight - b).square().sum())
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    fit(Slope(), lambda generator: 1.0, 3, loss=lambda m, b: (m.weight - b).square().sum())
    assert "training" in capsys.readouterr().err


# -- batches


def test_minibatches_keep_rows_together():
    rows = torch.arange(30).reshape(10, 3)
    draw = minibatches(Batch(rows, rows[:, :1], rows > 3, rows[:, :2] % 3), 64)
    tokens, targets, mask, at = draw(torch.Generator().manual_seed(0))
    assert torch.equal(targets, tokens[:, :1])
    assert torch.equal(mask, tokens > 3) and torch.equal(at, tokens[:, :2] % 3)
    assert set(tokens[:, 0].tolist()) == set(rows[:, 0].tolist())
    shared = minibatches(Batch(rows, rows, at=torch.tensor([2, 0])), 5)
    assert shared(torch.Generator()).at.tolist() == [2, 0]
    assert len(shared(torch.Generator()).tokens) == 5
    for broken in (Batch(rows[:0], rows[:0]), Batch(rows, rows[:5])):
        with pytest.raises(ValueError, match="rows"):
            minibatches(broken, 4)


def test_rows_are_drawn_as_often_as_their_weights_say():
    data = Batch(torch.arange(3)[:, None], torch.arange(3)[:, None])
    drawn = minibatches(data, 20_000, [1, 0, 3])(torch.Generator().manual_seed(0)).tokens
    share = torch.bincount(drawn[:, 0], minlength=3) / len(drawn)
    assert share[1] == 0 and abs(share[2] - 0.75) < 0.02
    for weights in ([1, 2], [-1, 1, 1], [0, 0, 0], [math.nan, 1, 1]):
        with pytest.raises(ValueError, match="weights must be 3 numbers"):
            minibatches(data, 2, weights)


# -- what is measured on the way


def test_watching_changes_nothing():
    results = []
    for watch in (None, lambda model: float(model.training)):
        model = transformer()
        result = fit(model, minibatches(DATA, 4), 5, evaluate_every=2, watch=watch)
        results.append((result.losses, model.head.weight))
    assert result.watched == [(2, 0.0), (4, 0.0), (5, 0.0)], "it is asked while not training"
    assert results[0][0] == results[1][0] and torch.equal(results[0][1], results[1][1])


class Counter(nn.Module):
    """One weight that each step moves down by the learning rate."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.buffer = nn.Parameter(torch.zeros(1), requires_grad=False)


def test_what_fit_does_unless_it_is_told_otherwise(monkeypatch):
    """A 20th of the steps rises to 1e-3; long gradients become 1 long, matrices decay by 0.01;
    what was held out is measured every 50 steps and at the end."""
    seen, step = [], torch.optim.AdamW.step

    def watching(self, *args, **kwargs):
        group = self.param_groups[0]
        longest = max(weight.grad.norm().item() for weight in group["params"])
        seen.append((group["lr"], group["weight_decay"], longest, group["betas"]))
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", watching)
    model = nn.Linear(1, 1, bias=False)
    slope = lambda model, batch: batch * model.weight.sum()  # noqa: E731
    run = fit(model, lambda generator: 7.0, 120, loss=slope, held_out=1.0)
    rates, decays, lengths, betas = zip(*seen, strict=True)
    assert max(rates) == rates[5] == 1e-3 and rates[0] == pytest.approx(1e-3 / 6)
    assert set(decays) == {0.01} and set(betas) == {(0.9, 0.98)}
    assert lengths == pytest.approx([1.0] * 120, abs=1e-5)
    assert [number for number, _ in run.held_out] == [50, 100, 120]
    assert run.steps == 120 and run.best_step == 120 and not model.training


def test_weights_come_from_the_best_evaluation_and_patience_counts_from_it():
    """The held-out losses are given; each step counts itself in the weights."""
    for said, best, steps in (
        ([5, 3, 4, 3, 6, 7, 8], 4, 10),  # as good is not better
        ([5, 4, 3, 2, 1, 0, 9], 12, 14),
        ([1, 2, 3, 4, 0, 0, 0], 2, 8),
    ):
        model, answers = Counter(), iter(said)

        def loss(model, batch, answers=answers):
            if batch == "held out":
                return torch.tensor(float(next(answers)))
            model.buffer += 1
            return model.weight.sum()

        options = {"evaluate_every": 2, "patience": 3, "held_out": "held out"}
        run = fit(model, lambda generator: "batch", 14, loss=loss, **options)
        assert (run.best_step, run.steps, model.buffer.item()) == (best, steps, best)
        assert run.held_out == [(2 * i + 2, value) for i, value in enumerate(said[: steps // 2])]


def test_a_checkpoint_is_written_every_so_many_steps_and_at_the_end(monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(training, "save_checkpoint", lambda run, path: written.append(run["step"]))
    options = {"loss": lambda model, batch: model.weight.sum(), "checkpoint": tmp_path / "run.pt"}
    fit(Slope(), lambda generator: None, 10, checkpoint_every=4, **options)
    fit(Slope(), lambda generator: None, 101, **options)
    assert written == [4, 8, 10, 100, 101]


# -- checkpoints


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = tmp_path / "run.pt"
    fit(transformer(), minibatches(DATA, 4), 5, checkpoint=path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    for damaged in (b"", whole[:100], whole[: len(whole) // 2], whole[:-1], flipped, b"x" * 999):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged or no checkpoint"):
            fit(transformer(), minibatches(DATA, 4), 5, checkpoint=path)


class Trap:
    """Runs code when it is unpickled without care."""

    def __reduce__(self):
        return exec, ("raise SystemExit('the file ran code')",)


def test_a_foreign_checkpoint_is_named_and_runs_no_code(tmp_path):
    path = tmp_path / "run.pt"
    for foreign in ({"model": {}}, [1, 2], torch.zeros(3)):
        torch.save(foreign, path)
        with pytest.raises(ValueError, match="not written by this library"):
            load_checkpoint(path)
    torch.save({"format": FORMAT, "model": Trap()}, path)
    with pytest.raises(ValueError, match="damaged or no checkpoint"):
        load_checkpoint(path)


def test_a_checkpoint_of_another_model_or_run_is_named(tmp_path):
    path = tmp_path / "run.pt"
    fit(transformer(), minibatches(DATA, 4), 5, checkpoint=path)
    with pytest.raises(ValueError, match="another model"):
        fit(lstm(), minibatches(DATA, 4), 5, checkpoint=path)
    with pytest.raises(ValueError, match="seed=0, this run has seed=1"):
        fit(transformer(), minibatches(DATA, 4), 5, checkpoint=path, seed=1)
    save_checkpoint({"step": 3}, path)
    with pytest.raises(ValueError, match="another run"):
        fit(transformer(), minibatches(DATA, 4), 5, checkpoint=path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    save_checkpoint({"step": 1}, path)

    def full_disk(content, file):
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint({"step": 2}, path)
    assert load_checkpoint(path)["step"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


# -- bad input


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"learning_rate": 0},
        {"learning_rate": math.nan},
        {"clip": -1},
        {"warmup": 2},
        {"decay": -1},
        {"seed": -1},
        {"precision": "int8"},
        {"evaluate_every": 0},
        {"checkpoint_every": 0},
        {"patience": 0},
        {"patience": 3},
    ],
)
def test_settings_out_of_range_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        fit(transformer(), minibatches(DATA, 4), **({"steps": 5} | options))


def test_a_loss_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="nan at step 0"):
        fit(Slope(), lambda g: math.nan, 5, loss=lambda model, batch: batch * model.weight.sum())


def test_a_held_out_loss_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="held-out loss is nan at step 5"):
        fit(
            Slope(),
            lambda generator: 1.0,
            5,
            loss=lambda model, batch: batch * model.weight.sum(),
            held_out=math.nan,
        )


def test_a_model_without_weights_is_named():
    with pytest.raises(ValueError, match="no weights"):
        fit(nn.Identity(), minibatches(DATA, 4), 5)
