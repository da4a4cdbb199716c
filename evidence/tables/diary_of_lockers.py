"""Chapter 5: sixty-five days in sixty-five towns, some with a note, and then questions about them.

Each network reads the same number of diaries, each followed by a few questions that are drawn with
replacement among the towns with a note, so all get equally many supervised answers. Loss is
followed on diaries that are never trained on; at the end, recall is measured by distance. The
learning rate was chosen with another seed by the table `lockers_settings`."""

from functools import partial

import torch
from torch import Tensor, nn

from seqdec_lib.sequences import LSTM, Batch, Transformer, fit, sequence_loss

SEEDS = (0, 1, 2, 3, 4)
DAYS, LOCKERS, QUESTIONS = 65, 8, 4
STEPS, ROWS, RATE = 350, 64, 0.01
CASES = (
    *(f"{kind}, {notes}" for notes in (1, 2, 4, 8, 65) for kind in ("Transformer", "LSTM")),
    "LSTM open, 8",  # its forget gates start nearly open
)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
FORGET_BIAS = 4.0  # of open gates; else 1
DISTANCES = (1, 4, 16, 64)
LOOKS = 10  # at the held-out loss


def run(case: str, seed: int) -> dict[str, float]:
    """Held-out losses along the way, recall at each distance, and how many weights there are."""
    kind, notes = case.split(", ")
    reader = new_reader(kind, seed)
    weights = sum(weight.numel() for weight in reader.parameters())
    return measured(reader, int(notes), seed) | {"weights": weights}


def measured(
    reader: "DiaryReader",
    notes: int,
    seed: int,
    rate: float = RATE,
    rows: int = ROWS,
    questions: int = QUESTIONS,
) -> dict[str, float]:
    """Train a reader: held-out losses along the way, and recall at each distance."""
    test = diaries(torch.Generator().manual_seed(1000 + seed), 300, notes, questions)
    result = fit(
        reader,
        partial(diaries, rows=rows, notes=notes, questions=questions),
        STEPS,
        learning_rate=rate,
        seed=seed,
        watch=partial(loss_on, test=test),
        evaluate_every=STEPS // LOOKS,
    )
    found = {f"loss {step}": loss for step, loss in result.watched}
    for k in DISTANCES:
        generator = torch.Generator().manual_seed(2000 + seed)
        found[f"recall at {k}"] = recall(reader, diaries(generator, 300, notes, 1, k))
    return found


def diaries(
    generator: torch.Generator,
    rows: int,
    notes: int,
    questions: int = QUESTIONS,
    k: int | None = None,
) -> Batch:
    """Tokens (rows, DAYS + questions, 2): a town, and the locker noted there or LOCKERS for none.

    k : if given, the day that lies so many days before the last has a note, and only it is asked.
    """
    towns = torch.rand(rows, DAYS, generator=generator).argsort(1)  # each once
    lockers = torch.randint(LOCKERS, (rows, DAYS), generator=generator)
    lot = torch.rand(rows, DAYS, generator=generator)
    if k is not None:
        lot[:, DAYS - 1 - k] = -1  # drawn first
    noted = lot.argsort(1)[:, :notes]  # days with a note
    pick = torch.randint(notes if k is None else 1, (rows, questions), generator=generator)
    asked = noted.gather(1, pick)
    nothing = torch.full_like(lockers, LOCKERS)
    written = nothing.scatter(1, noted, lockers.gather(1, noted))
    diary = torch.stack([towns, written], 2)
    ask = torch.stack([towns.gather(1, asked), nothing[:, :questions]], 2)
    return Batch(torch.cat([diary, ask], 1), lockers.gather(1, asked), at=slice(DAYS, None))


class DiaryReader(nn.Module):
    """A day is one token: the sum of a vector for its town and one for what was noted."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.town = nn.Embedding(DAYS, body.width)
        self.noted = nn.Embedding(LOCKERS + 1, body.width)
        self.body = body

    def forward(self, tokens: Tensor, mask: Tensor | None = None, at: slice | None = None):
        return self.body(self.town(tokens[..., 0]) + self.noted(tokens[..., 1]), mask, at)


def new_reader(kind: str, seed: int, questions: int = QUESTIONS) -> DiaryReader:
    """About as many weights each."""
    torch.manual_seed(seed)
    size = {"vocabulary": None, "outputs": LOCKERS, "layers": 1}
    if kind == "Transformer":
        return DiaryReader(Transformer(context=DAYS + questions, width=32, heads=1, **size))
    bias = FORGET_BIAS if kind == "LSTM open" else 1.0
    return DiaryReader(LSTM(width=42, forget_bias=bias, **size))


@torch.no_grad()
def loss_on(reader: DiaryReader, test: Batch) -> float:
    return sequence_loss(reader, test).item()


@torch.no_grad()
def recall(reader: DiaryReader, batch: Batch) -> float:
    """The share of first questions that are answered rightly."""
    named = reader(batch.tokens[:, : DAYS + 1], at=slice(DAYS, DAYS + 1))[:, 0].argmax(-1)
    return (named == batch.targets[:, 0]).double().mean().item()
