"""The one training loop: behavior cloning, Decision Transformer, language model and all others.

A run that is interrupted and resumed from its checkpoint equals, bit for bit on one thread, the run
that was never interrupted: weights, optimizer, order of the data and dropout.
"""

from __future__ import annotations

import math
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from seqdec_lib.sequences.tokens import At
from seqdec_lib.validation import fraction, positive_number, whole_number

IGNORE = -100
"""A target that does not count: padding, or a token that is not to be learned."""
FORMAT = "seqdec_lib checkpoint 1"


class Batch(NamedTuple):
    """What a sequence model reads, and what it should have said.

    tokens (B, T) or (B, T, W); targets as the logits without their last axis, IGNORE where nothing
    is to be learned; mask and at as in `Transformer.forward`.
    """

    tokens: Tensor
    targets: Tensor
    mask: Tensor | None = None
    at: At = None


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of the book: mean of -log p(target), in nats, over the targets that count.

    logits (..., K), targets (...) int, IGNORE where nothing is to be learned.

    Raises
    ------
    ValueError
        Shapes that don't match, or nothing to learn from.
    """
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} need targets of shape "
            f"{tuple(logits.shape[:-1])}, but {tuple(targets.shape)} came."
        )
    if not (targets != IGNORE).any():
        raise ValueError(f"there is nothing to learn: no target differs from IGNORE ({IGNORE}).")
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORE)


def sequence_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy of a sequence model on a batch."""
    return cross_entropy(model(batch.tokens, batch.mask, batch.at), batch.targets)


def choice_log_probabilities(model: nn.Module, batch: Batch) -> Tensor:
    """log p of each target that counts given what stands before it, in nats: as the targets, 0
    where one does not count; differentiable."""
    logits = model(batch.tokens, batch.mask, batch.at)
    losses = F.cross_entropy(
        logits.flatten(0, -2), batch.targets.flatten(), ignore_index=IGNORE, reduction="none"
    )
    return -losses.reshape(batch.targets.shape)


def log_probabilities(model: nn.Module, batch: Batch) -> Tensor:
    """log p of all that counts in each row, in nats: (N,), differentiable.

    For trips it is log pi(trip), for prompts and answers log p(answer | prompt).
    """
    return choice_log_probabilities(model, batch).sum(1)


def minibatches(
    data: Batch, size: int, weights: ArrayLike | None = None
) -> Callable[[torch.Generator], Batch]:
    """Draw `size` rows of a dataset at random, with replacement, again and again.

    weights (N,): how often each row is drawn, in proportion; None: all equally often.

    Raises
    ------
    ValueError
        No rows, tensors with different numbers of rows, weights that don't fit.
    """
    size, rows = whole_number("size", size, least=1), len(data.tokens)
    own_at = isinstance(data.at, Tensor) and data.at.ndim == 2
    tensors = [data.tokens, data.targets, data.mask, data.at if own_at else None]
    counts = [len(tensor) for tensor in tensors if tensor is not None]
    if not rows or len(set(counts)) > 1:
        raise ValueError(
            f"a dataset needs rows, equally many everywhere and at least one, but {counts} came."
        )
    if weights is not None:
        weights = torch.as_tensor(weights, dtype=torch.float64)
        if weights.shape != (rows,) or not (weights >= 0).all() or not 0 < weights.sum() < math.inf:
            raise ValueError(
                f"weights must be {rows} numbers of at least 0 that are not all 0, one a row, "
                f"but {weights.dtype} of shape {tuple(weights.shape)} came."
            )

    def draw(generator: torch.Generator) -> Batch:
        if weights is None:
            chosen = torch.randint(rows, (size,), generator=generator)
        else:
            chosen = torch.multinomial(weights, size, replacement=True, generator=generator)
        tokens, targets, mask, at = (None if t is None else t[chosen] for t in tensors)
        return Batch(tokens, targets, mask, at if own_at else data.at)

    return draw


@dataclass
class Fit:
    """What happened in a run.

    Attributes
    ----------
    losses : training loss of each step, in the loss's unit (nats for cross-entropy)
    held_out : (step, held-out loss) at each evaluation
    watched : (step, what `watch` said) at each evaluation
    best_step : the step whose weights the model has now
    """

    losses: list[float] = field(default_factory=list)
    held_out: list[tuple[int, float]] = field(default_factory=list)
    watched: list[tuple[int, float]] = field(default_factory=list)
    best_step: int = 0

    @property
    def steps(self) -> int:
        return len(self.losses)


def fit(
    model: nn.Module,
    draw: Callable[[torch.Generator], Any],
    steps: int,
    *,
    loss: Callable[[nn.Module, Any], Tensor] = sequence_loss,
    learning_rate: float = 1e-3,
    warmup: float = 0.05,
    decay: float = 0.01,
    clip: float = 1.0,
    held_out: Any = None,
    evaluate_every: int = 50,
    patience: int | None = None,
    watch: Callable[[nn.Module], float] | None = None,
    seed: int = 0,
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 100,
    progress: str = "training",
) -> Fit:
    """Minimize a loss with AdamW, and leave the model with its best weights.

    Parameters
    ----------
    draw : generator -> a batch; it takes all its randomness from that generator.
    loss : (model, batch) -> a scalar to be minimized.
    learning_rate : reached after the share `warmup` of the steps; a cosine then takes it to 0.
    decay : weight decay of matrices and token vectors; biases and norms have none.
    clip : longest gradient; a longer one is shortened to it.
    held_out : a batch that is never trained on. Every `evaluate_every` steps its loss is measured;
        the model ends with the weights that were best on it, and training stops early after
        `patience` evaluations without a better one (None: never).
    watch : model -> a number to be followed while training, measured every `evaluate_every` steps;
        it decides nothing.
    seed : of batches and dropout; the global generator is left as it was.
    checkpoint : a file, written every `checkpoint_every` steps and at the end. If it exists the run
        goes on from there, as if it had never stopped.
    progress : title of the progress bar, which is shown in a terminal only.

    Raises
    ------
    ValueError
        Settings out of range, a loss that is not finite, a checkpoint that is damaged, is none, or
        belongs to another model or another run.
    """
    run = _Run(model, steps, learning_rate, warmup, decay, clip, evaluate_every, patience, seed)
    whole_number("checkpoint_every", checkpoint_every, least=1)
    if patience is not None and held_out is None:
        raise ValueError("patience needs held_out: early stopping looks at data not trained on.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if checkpoint is not None and Path(checkpoint).exists():
            run.restore(load_checkpoint(checkpoint), str(checkpoint))
        model.train()
        # `disable=None`: no bar where nobody watches a terminal, so none in a notebook.
        with tqdm(total=steps, initial=run.step, desc=progress, disable=None) as bar:
            while run.step < steps and not run.stopped:
                run.advance(draw, loss)
                if run.step % evaluate_every == 0 or run.step == steps:
                    if held_out is not None:
                        run.evaluate(held_out, loss)
                    if watch is not None:
                        run.watch(watch)
                    bar.set_postfix_str(run.report(), refresh=False)
                done = run.step == steps or run.stopped
                if checkpoint is not None and (run.step % checkpoint_every == 0 or done):
                    save_checkpoint(run.content(), checkpoint)
                bar.update()
        run.finish()
    return run.result


class _Run:
    """All that changes during training: what a checkpoint has to hold."""

    def __init__(
        self,
        model: nn.Module,
        steps: int,
        learning_rate: float,
        warmup: float,
        decay: float,
        clip: float,
        evaluate_every: int,
        patience: int | None,
        seed: int,
    ) -> None:
        self.settings = {
            "steps": whole_number("steps", steps, least=1),
            "learning_rate": positive_number("learning_rate", learning_rate),
            "warmup": fraction("warmup", warmup),
            "decay": fraction("decay", decay),
            "clip": positive_number("clip", clip),
            "evaluate_every": whole_number("evaluate_every", evaluate_every, least=1),
            "patience": patience if patience is None else whole_number("patience", patience, 1),
            "seed": whole_number("seed", seed, least=0),
        }
        self.model, self.step, self.stopped, self.result = model, 0, False, Fit()
        weights = [p for p in model.parameters() if p.requires_grad]
        if not weights:
            raise ValueError("this model has no weights that can be trained.")
        groups = [
            {"params": [p for p in weights if p.ndim >= 2], "weight_decay": decay},
            {"params": [p for p in weights if p.ndim < 2], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98))
        self.generator = torch.Generator().manual_seed(seed)
        self.best: dict[str, Tensor] | None = None

    def advance(self, draw: Callable, loss: Callable) -> None:
        """One step of the optimizer."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings["learning_rate"] * self._schedule()
        value = loss(self.model, draw(self.generator))
        if not torch.isfinite(value):
            raise ValueError(
                f"the loss is {value.item()} at step {self.step}; lower the learning rate, or look "
                "for NaN in the data."
            )
        self.optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.settings["clip"])
        self.optimizer.step()
        self.step += 1
        self.result.losses.append(value.item())

    def _schedule(self) -> float:
        """Share of the learning rate: a line up to 1, then a cosine down to 0."""
        rising = max(1, round(self.settings["warmup"] * self.settings["steps"]))
        if self.step < rising:
            return (self.step + 1) / rising
        falling = max(1, self.settings["steps"] - rising)
        return (1 + math.cos(math.pi * (self.step - rising) / falling)) / 2

    def evaluate(self, held_out: Any, loss: Callable) -> None:
        """Measure the held-out loss; keep the weights if it is the best, stop if patience ends."""
        self.model.eval()
        with torch.no_grad():
            value = loss(self.model, held_out).item()
        self.model.train()
        if not self.result.held_out or value < min(v for _, v in self.result.held_out):
            self.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
            self.result.best_step = self.step
        self.result.held_out.append((self.step, value))
        behind = (self.step - self.result.best_step) / self.settings["evaluate_every"]
        self.stopped = self.settings["patience"] is not None and behind >= self.settings["patience"]

    def watch(self, watch: Callable[[nn.Module], float]) -> None:
        """Note a number that somebody wants to follow."""
        self.model.eval()
        self.result.watched.append((self.step, float(watch(self.model))))
        self.model.train()

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
            "settings": self.settings,
            "step": self.step,
            "stopped": self.stopped,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "result": vars(self.result),
            "data_generator": self.generator.get_state(),
            "global_generator": torch.get_rng_state(),
        }

    def restore(self, content: dict[str, Any], name: str) -> None:
        theirs = content.get("settings", {})
        for key, value in self.settings.items():
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
        self.generator.set_state(content["data_generator"])
        torch.set_rng_state(content["global_generator"])


def save_checkpoint(content: dict[str, Any], path: Path | str) -> None:
    """Write tensors and plain values to a file: the whole of it, or nothing at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)  # atomic: readers see the old file or the new one
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def load_checkpoint(path: Path | str) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote. Never runs code from the file.

    Raises
    ------
    ValueError
        A file that is damaged, or was not written by `save_checkpoint`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if (broken := archive.testzip()) is not None:
                raise zipfile.BadZipFile(f"{broken} has another checksum than it should")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # damaged bytes fail in many ways
        raise ValueError(
            f"{path} is damaged or no checkpoint ({type(error).__name__}); delete it to start anew."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(
            f"{path} was not written by this library (expected {FORMAT!r}); pass another file."
        )
    return content
