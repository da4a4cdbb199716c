"""The one training loop: behavior cloning, Decision Transformer, language model and all others.

A run that is interrupted and resumed from its checkpoint equals, bit for bit on one thread, the run
that was never interrupted: weights, optimizer, order of the data, samples that are still in use,
and dropout."""

import math
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from seqdec_lib.progress import progress_bar
from seqdec_lib.sequences.checkpoint import load_checkpoint, save_checkpoint
from seqdec_lib.sequences.losses import Batch, sequence_loss
from seqdec_lib.sequences.processes import Loss, Team, place_model, placed
from seqdec_lib.sequences.tokens import evaluating
from seqdec_lib.validation import fraction, positive_number, whole_number

Draw = Callable[[torch.Generator], Any]
"""Generator -> a batch, with all its randomness from that generator. What it keeps from one call
to the next it hands out with `state_dict()` and takes back with `load_state_dict(state)`."""
PRECISIONS = ("fp32", "bf16")


def minibatches(data: Batch, size: int, weights: ArrayLike | None = None) -> Draw:
    """Draw `size` rows of a dataset at random, with replacement, again and again.

    weights (N,): how often each row is drawn, in proportion; None: all equally often.

    Raises ValueError: no rows, tensors with different numbers of rows, weights that don't fit."""
    size, rows = whole_number("size", size, least=1), len(data.tokens)
    own_at = isinstance(data.at, Tensor) and data.at.ndim == 2
    tensors = [data.tokens, data.targets, data.mask, data.at if own_at else None]
    counts = [len(tensor) for tensor in tensors if tensor is not None]
    if not rows or len(set(counts)) > 1:
        raise ValueError(
            f"a dataset needs rows, equally many everywhere and at least one, but {counts} came."
        )
    if weights is not None:
        weights = torch.as_tensor(weights, dtype=torch.float64, device="cpu")
        if weights.shape != (rows,) or not (weights >= 0).all() or not 0 < weights.sum() < math.inf:
            raise ValueError(
                f"weights must be {rows} numbers of at least 0 that are not all 0, one a row, "
                f"but {weights.dtype} of shape {tuple(weights.shape)} came."
            )

    def draw(generator: torch.Generator) -> Batch:
        if weights is None:
            chosen = torch.randint(rows, (size,), generator=generator, device="cpu")
        else:
            chosen = torch.multinomial(weights, size, replacement=True, generator=generator)
        tokens, targets, mask, at = (None if t is None else t[chosen] for t in tensors)
        return Batch(tokens, targets, mask, at if own_at else data.at)

    return draw


@dataclass
class Settings:
    """How `fit` trains; two runs that share a checkpoint share these.

    steps : of the optimizer, AdamW.
    learning_rate : reached after the share `warmup` of the steps; a cosine then takes it to 0.
    decay : weight decay of matrices and token vectors; biases and norms have none.
    clip : longest gradient; a longer one is shortened to it.
    evaluate_every : steps from one evaluation to the next.
    patience : evaluations without a better held-out loss after which training stops; None: never.
    seed : of batches and dropout.
    precision : "fp32", as the model is; or "bf16": products of matrices in bfloat16, weights,
        optimizer and loss as they are. The losses are the same up to noise. It pays from a width
        of about 128 on, where the processor has such products (`has_bfloat16`); elsewhere they are
        imitated, which is slow, and warns.
    Raises ValueError: a setting out of range."""

    steps: int
    learning_rate: float = 1e-3
    warmup: float = 0.05
    decay: float = 0.01
    clip: float = 1.0
    evaluate_every: int = 50
    patience: int | None = None
    seed: int = 0
    precision: str = "fp32"

    def __post_init__(self) -> None:
        for name in ("steps", "evaluate_every") + ("patience",) * (self.patience is not None):
            setattr(self, name, whole_number(name, getattr(self, name), least=1))
        for name in ("learning_rate", "clip"):
            setattr(self, name, positive_number(name, getattr(self, name)))
        for name in ("warmup", "decay"):
            setattr(self, name, fraction(name, getattr(self, name)))
        self.seed = whole_number("seed", self.seed, least=0)
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {PRECISIONS}, but {self.precision!r} came.")

    def rate(self, step: int) -> float:
        """The learning rate: a line up from 0, then a cosine down to 0."""
        rising = max(1, round(self.warmup * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        falling = max(1, self.steps - rising)
        return self.learning_rate * (1 + math.cos(math.pi * (step - rising) / falling)) / 2


@dataclass
class Fit:
    """What happened in a run.

    losses : training loss of each step, in the loss's unit (nats for cross-entropy)
    held_out : (step, held-out loss) at each evaluation
    watched : (step, what `watch` said) at each evaluation
    best_step : the step whose weights the model has now"""

    losses: list[float] = field(default_factory=list)
    held_out: list[tuple[int, float]] = field(default_factory=list)
    watched: list[tuple[int, float]] = field(default_factory=list)
    best_step: int = 0

    @property
    def steps(self) -> int:
        return len(self.losses)


def fit(
    model: nn.Module,
    draw: Draw,
    steps: int,
    *,
    loss: Loss = sequence_loss,
    held_out: Any = None,
    watch: Callable[[nn.Module], float] | None = None,
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 100,
    device: str | None = None,
    progress: str = "training",
    **settings: Any,
) -> Fit:
    """Minimize a loss with AdamW, and leave the model with its best weights, in evaluation mode.

    draw : generator -> a batch, see `Draw`.
    loss : (model, batch) -> a scalar to be minimized; dropout is on unless it switches it off.
    held_out : a batch that is never trained on. Every `evaluate_every` steps its loss is measured;
        the model ends with the weights that were best on it, and `patience` may stop training.
    watch : model -> a number to be followed while training, measured every `evaluate_every` steps;
        it decides nothing.
    checkpoint : a file, written every `checkpoint_every` steps and at the end. If it exists the run
        goes on from there, as if it had never stopped.
    device : "cuda" or "cpu", to which the model goes first; None: where it is. Batches follow it.
    progress : title of the progress bar, which is shown where a person watches.
    settings : learning_rate, warmup, decay, clip, evaluate_every, patience, seed and precision,
        see `Settings`. The global generator is left as it was.
    Where torchrun started several processes, they train together, each on its share of the rows of
    every batch, as one would alone; `loss` is then a mean over a Batch's targets, the first process
    writes the checkpoints, and all of them, begun again, go on from there.

    Raises ValueError: settings out of range, a loss that is not finite, a checkpoint that is
        damaged, is none, or belongs to another model or another run; processes that disagree."""
    place_model(model, device)
    run = _Run(model, draw, loss, Settings(steps, **settings))
    checkpoint_every = whole_number("checkpoint_every", checkpoint_every, least=1)
    if run.settings.patience is not None and held_out is None:
        raise ValueError("patience needs held_out: early stopping looks at data not trained on.")
    with torch.random.fork_rng(devices=run.cuda):
        torch.manual_seed(run.settings.seed)
        if checkpoint is not None and Path(checkpoint).exists():
            run.restore(load_checkpoint(checkpoint), str(checkpoint))
        run.team.begin(run.step, **asdict(run.settings))
        held_out = placed(held_out, run.device)
        model.train()
        with progress_bar(progress, steps, run.step, run.team.rank == 0) as bar:
            while not run.done:
                run.advance()
                if run.step % run.settings.evaluate_every == 0 or run.step == steps:
                    run.evaluate(held_out, watch)
                    bar.set_postfix_str(run.report(), refresh=False)
                is_due = run.step % checkpoint_every == 0 or run.done
                if checkpoint is not None and is_due and run.team.rank == 0:
                    save_checkpoint(run.content(), checkpoint)
                bar.update()
        run.finish()
        run.team.end()
    return run.result


def has_bfloat16(device: str = "cpu") -> bool:
    """Whether a device multiplies matrices in bfloat16 itself: AVX512-BF16, AMX, or a GPU's."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


class _Run:
    """All that changes during training: what a checkpoint has to hold."""

    def __init__(self, model: nn.Module, draw: Draw, loss: Callable, settings: Settings) -> None:
        self.model, self.draw, self.settings = model, draw, settings
        self.step, self.stopped, self.result = 0, False, Fit()
        self.weights = [p for p in model.parameters() if p.requires_grad]
        if not self.weights:
            raise ValueError("this model has no weights that can be trained.")
        groups = [
            {"params": [p for p in self.weights if p.ndim >= 2], "weight_decay": settings.decay},
            {"params": [p for p in self.weights if p.ndim < 2], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.best: dict[str, Tensor] | None = None
        self.device = device = self.weights[0].device
        self.team = Team(model, loss, device, settings.seed)
        self.cuda = [device] if device.type == "cuda" else []
        reduced = settings.precision == "bf16"
        if reduced and not has_bfloat16(device.type):
            warnings.warn(
                "this processor has no bfloat16 of its own and imitates it: the result is the "
                'same, but slower than precision="fp32".',
                stacklevel=3,
            )
        self.autocast = torch.autocast(device.type, dtype=torch.bfloat16, enabled=reduced)

    @property
    def done(self) -> bool:
        return self.stopped or self.step == self.settings.steps

    def advance(self) -> None:
        """One step of the optimizer."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate(self.step)
        batch = placed(self.draw(self.generator), self.device)
        with self.autocast:
            value, of_all = self.team.training_loss(batch, self.step)
        self.result.losses.append(self._finite(of_all, "loss"))
        self.optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(self.weights, self.settings.clip, foreach=True)
        self.optimizer.step()
        self.step += 1

    def evaluate(self, held_out: Any, watch: Callable[[nn.Module], float] | None) -> None:
        """Measure the held-out loss; keep the weights if it is the best, stop if patience ends.
        Note a number that somebody wants to follow."""
        with evaluating(self.model):
            if held_out is not None:
                with torch.no_grad(), self.autocast:
                    value = self._finite(self.team.held_out_loss(held_out), "held-out loss")
                self._compare(value)
            if watch is not None:
                value = self.team.from_first(lambda: watch(self.model))
                self.result.watched.append((self.step, value))

    def _compare(self, value: float) -> None:
        if all(value < earlier for _, earlier in self.result.held_out):
            self.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
            self.result.best_step = self.step
        self.result.held_out.append((self.step, value))
        behind = (self.step - self.result.best_step) / self.settings.evaluate_every
        self.stopped = self.settings.patience is not None and behind >= self.settings.patience

    def _finite(self, value: Tensor, name: str) -> float:
        number = value.item()
        if not math.isfinite(number):
            raise ValueError(
                f"the {name} is {number} at step {self.step}; lower the learning rate, or look "
                "for NaN in the data."
            )
        return number

    def report(self) -> str:
        """The last numbers, for the progress bar."""
        series = {"held out": self.result.held_out, "watched": self.result.watched}
        return ", ".join(f"{name} {all[-1][1]:.4f}" for name, all in series.items() if all)

    def finish(self) -> None:
        """Give the model its best weights, or leave the last ones where nothing was held out."""
        if self.best is None:
            self.result.best_step = self.step
        else:
            self.model.load_state_dict(self.best)
        self.model.eval()

    def content(self) -> dict[str, Any]:
        return {
            "settings": asdict(self.settings),
            "step": self.step,
            "stopped": self.stopped,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "result": vars(self.result),
            "draw": self.draw.state_dict() if hasattr(self.draw, "state_dict") else None,
            "data_generator": self.generator.get_state(),
            "generators": [torch.get_rng_state(), *map(torch.cuda.get_rng_state, self.cuda)],
        }

    def restore(self, content: dict[str, Any], name: str) -> None:
        theirs = content.get("settings", {})
        for key, value in asdict(self.settings).items():
            if theirs.get(key) != value:
                raise ValueError(
                    f"{name} belongs to another run: it has {key}={theirs.get(key)!r}, this run "
                    f"has {key}={value!r}; use the same settings, or another file."
                )
        try:
            self.model.load_state_dict(content["model"])
        except (RuntimeError, KeyError) as error:
            raise ValueError(
                f"{name} belongs to another model: {' '.join(str(error).split())[:200]}"
            ) from error
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.stopped, self.best = content["step"], content["stopped"], content["best"]
        self.result = Fit(**content["result"])
        if hasattr(self.draw, "load_state_dict"):
            self.draw.load_state_dict(content["draw"])
        self.generator.set_state(content["data_generator"])
        cpu, *cuda = content["generators"]
        torch.set_rng_state(cpu)
        for device, state in zip(self.cuda, cuda, strict=True):
            torch.cuda.set_rng_state(state, device)
