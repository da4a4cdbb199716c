"""What `tests/test_processes.py` starts with torchrun: two processes that train together.

They train once without an accident, try what has to fail, and train again; then process 1 is killed
in the middle, and torchrun starts both anew."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqdec_lib.sequences.losses import IGNORE, Batch
from seqdec_lib.sequences.processes import Team
from seqdec_lib.sequences.training import fit, minibatches
from seqdec_lib.sequences.transformer import Transformer

STEPS, CHECKPOINT_EVERY, DIES_AT = 24, 5, 13
SETTINGS = {"learning_rate": 3e-3, "seed": 4, "evaluate_every": 6}


def dataset() -> Batch:
    """Rows with different numbers of targets that count, and padding."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(7, (50, 9), generator=generator)
    lengths = torch.randint(2, 9, (50,), generator=generator)
    inside = torch.arange(8) < lengths[:, None]
    return Batch(tokens[:, :-1], torch.where(inside, tokens[:, 1:], IGNORE), inside)


DATA = dataset()
HELD_OUT = Batch(*(part[:9] for part in DATA[:3]))


def transformer(dropout: float = 0.0, width: int = 8) -> Transformer:
    torch.manual_seed(1)
    model = Transformer(7, 8, width=width, layers=2, heads=2, dropout=dropout)
    model.never_used = nn.Parameter(torch.ones(2, 2))
    return model


def train(model: nn.Module, draw: Any = None, steps: int = STEPS, **options: Any) -> dict[str, Any]:
    draw = draw or minibatches(DATA, 7)  # 7 rows don't fall into equal halves
    result = fit(model, draw, steps, held_out=HELD_OUT, **SETTINGS | options)
    weights = torch.cat([weight.flatten() for weight in model.state_dict().values()])
    return vars(result) | {"weights": weights.tolist()}


class Counted:
    """Batches that are counted in a file, line by line; after `most` of them the process is killed,
    as the system does where memory runs out."""

    def __init__(self, path: Path, most: int) -> None:
        self.path, self.most, self.drawn, self.draw = path, most, 0, minibatches(DATA, 7)

    def __call__(self, generator: torch.Generator) -> Batch:
        if self.drawn == self.most:
            self.write()
            os.kill(os.getpid(), signal.SIGKILL)
        self.drawn += 1
        return self.draw(generator)

    def write(self) -> None:
        with self.path.open("a") as file:
            file.write(f"{self.drawn}\n")


def part_of(batch: Batch, rank: int, size: int) -> tuple[Batch, float]:
    """What a process of several would get of a batch."""
    team = Team(nn.Identity(), lambda model, batch: batch, torch.device("cpu"), 0)
    team.rank, team.size = rank, size
    return team.part(batch)


def refused(**arguments: Any) -> str:
    try:
        train(**{"model": transformer()} | arguments)
    except ValueError as error:
        return str(error)
    return "nothing was wrong"


def main(folder: Path) -> None:
    rank, life = int(os.environ["RANK"]), int(os.environ["TORCHELASTIC_RESTART_COUNT"])
    asked: list[int] = []
    found: dict[str, Any] = {}
    if life == 0:
        found["whole"] = train(transformer(), watch=lambda model: asked.append(rank) or 5.0 + rank)
        found["asked"] = len(asked)
        other = transformer()
        nn.init.normal_(other.head.weight, generator=torch.Generator().manual_seed(rank))
        train(other, steps=3)
        found["one start"] = other.head.weight.flatten().tolist()
        found["with dropout"] = train(transformer(dropout=0.3))["losses"]
        shifted = DATA._replace(tokens=DATA.tokens.roll(rank, 0))
        found["refused"] = {
            "setting": refused(decay=0.1 * rank),
            "model": refused(model=transformer(width=8 + 8 * rank)),
            "data": refused(draw=minibatches(shifted, 7)),
            "small": refused(draw=minibatches(DATA, 1)),
            "kind": refused(draw=lambda generator: DATA.tokens, loss=lambda m, b: m(b).mean()),
        }
        (folder / f"first-{rank}.json").write_text(json.dumps(found))
    draw = Counted(folder / f"steps-{rank}.txt", DIES_AT if (rank, life) == (1, 0) else STEPS)
    model, path = transformer(dropout=0.3), folder / "run.pt"
    found["again"] = train(model, draw, checkpoint=path, checkpoint_every=CHECKPOINT_EVERY)
    draw.write()
    found["life"] = life
    (folder / f"second-{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
