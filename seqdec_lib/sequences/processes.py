"""One run on several processes: what `training.fit` does where torchrun started it.

Every process draws the same batch with the same generator and keeps its share of the rows. Its
loss counts by its share of the targets, and DistributedDataParallel takes the mean of the
gradients. So the batches, their order and, up to rounding, the losses are those of a single
process, however many there are. Only dropout differs: each process has random numbers of its own.
"""

import atexit
import hashlib
import os
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seqdec_lib.sequences.losses import IGNORE, Batch

Loss = Callable[[nn.Module, Any], Tensor]


def place_model(model: nn.Module, device: str | None) -> None:
    """Move a model to a device; "cuda" is, for each process on a machine, a GPU of its own."""
    if device == "cuda" and dist.is_torchelastic_launched():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    if device is not None:
        model.to(device)


def placed(value: Any, device: torch.device) -> Any:
    """The same batch with its tensors on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        parts = [placed(part, device) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


class Team:
    """The processes that train one model together, or this one alone.

    rank, size : which process this is, counted from 0, and of how many."""

    def __init__(self, model: nn.Module, loss: Loss, device: torch.device, seed: int) -> None:
        self.model, self.loss, self.device, self.seed = model, loss, device, seed
        self.rank, self.size = _join(device)
        self.together: DistributedDataParallel | None = None
        self.first_step = 0

    def begin(self, step: int, **mine: Any) -> None:
        """Make sure that all processes train the same model in the same run, and let all begin with
        the first one's weights. Raises ValueError: they differ."""
        if self.size > 1:
            self.first_step = step
            shapes = {f"weights {k}": tuple(w.shape) for k, w in self.model.named_parameters()}
            self.agree(mine | {"steps done": step} | shapes)
            measured = _Measured(self.model, self.loss)
            self.together = DistributedDataParallel(measured, static_graph=True)

    def agree(self, mine: dict[str, Any]) -> None:
        """Raise a ValueError, in all processes alike, unless all of them say the same."""
        said: list[Any] = [None] * self.size
        dist.all_gather_object(said, mine)
        for rank, theirs in enumerate(said):
            for key in said[0] | theirs:
                if said[0].get(key) != theirs.get(key):
                    raise ValueError(
                        f"the processes disagree: {key} is {said[0].get(key)} in process 0, but "
                        f"{theirs.get(key)} in process {rank}; start the same program with the "
                        "same arguments, data and files everywhere."
                    )

    def training_loss(self, batch: Any, step: int) -> tuple[Tensor, Tensor]:
        """What this process has to differentiate, and the loss of the whole batch."""
        if self.together is None:
            value = self.loss(self.model, batch)
            return value, value
        part, share = self.part(batch)
        if step == self.first_step:
            tokens = batch.tokens.cpu().numpy().tobytes()
            self.agree({"the first batch": hashlib.sha256(tokens).hexdigest()[:8]})
        torch.manual_seed((self.seed + 1_000_003 * (step * self.size + self.rank + 1)) % 2**63)
        value = self.together(part) * (share * self.size)  # DDP takes the mean over processes
        return value, self._mean(value)

    def held_out_loss(self, batch: Any) -> Tensor:
        """The loss of a whole batch, without a gradient."""
        if self.together is None:
            return self.loss(self.model, batch)
        part, share = self.part(batch)
        return self._mean(self.loss(self.model, part) * (share * self.size))

    def from_first(self, measure: Callable[[], float]) -> float:
        """What process 0 measures, in all processes."""
        said = [measure() if self.rank == 0 else None]
        if self.size > 1:
            dist.broadcast_object_list(said, src=0)
        return float(said[0])

    def end(self) -> None:
        """Wait until all are done, the last checkpoint included."""
        if self.size > 1:
            dist.barrier()

    def part(self, batch: Any) -> tuple[Batch, float]:
        """This process's rows of a batch, and their share of what counts in it."""
        if not isinstance(batch, Batch):
            raise ValueError(
                "several processes share out the rows of a Batch, so that a loss has to be a mean "
                f"over its targets, but a {type(batch).__name__} came; train this on one process."
            )
        counts = [int((batch.targets[r :: self.size] != IGNORE).sum()) for r in range(self.size)]
        if not all(counts):
            raise ValueError(
                f"each of {self.size} processes needs a row with something to learn, but a batch "
                f"of {len(batch.tokens)} rows came; draw larger batches."
            )
        own = slice(self.rank, None, self.size)
        mask = None if batch.mask is None else batch.mask[own]
        at = batch.at[own] if isinstance(batch.at, Tensor) and batch.at.ndim == 2 else batch.at
        part = Batch(batch.tokens[own], batch.targets[own], mask, at)
        return part, counts[self.rank] / sum(counts)

    def _mean(self, value: Tensor) -> Tensor:
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.size


class _Measured(nn.Module):
    """A model and its loss as one module, so that a loss may use all of the model."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, batch: Any) -> Tensor:
        return self.loss(self.model, batch)


def _join(device: torch.device) -> tuple[int, int]:
    """Rank and number of the processes that torchrun started; 0 and 1 without it."""
    if not dist.is_available() or not (dist.is_initialized() or dist.is_torchelastic_launched()):
        return 0, 1
    if not dist.is_initialized():
        if int(os.environ["WORLD_SIZE"]) == 1:
            return 0, 1
        if device.type == "cuda":
            torch.cuda.set_device(device)
        _warn_of_lost_restarts()
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)
    return dist.get_rank(), dist.get_world_size()


def _warn_of_lost_restarts() -> None:
    """Processes that torchrun starts anew find the addresses of the dead ones in a shared store."""
    shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if shared and os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0") != "0":
        warnings.warn(
            "after a failure this run would not come back: set the environment variable "
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for torchrun (PyTorch issue 167288).",
            stacklevel=5,
        )
