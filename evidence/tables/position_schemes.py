"""Chapter 5: look five tokens back, with positions that are learned, sinusoidal, rotary, or none.

Rows of random letters; at each place the answer is the letter that stood five places earlier. One
layer of attention learns it on rows of 32 and is then asked on rows of 96. The table of learned
positions has only 32 rows, so it is asked only inside them."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqdec_lib.sequences import Batch, fit, sequence_loss

SEEDS = (0, 1, 2, 3, 4)
CASES = ("learned", "sinusoidal", "rotary", "none")
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
LETTERS, BACK, SHORT, LONG, WIDTH, HEADS = 8, 5, 32, 96, 32, 2
STEPS, ROWS, RATE = 400, 16, 0.01
LOOKS = tuple(range(8, LONG, 8))  # accuracy on the eight places that end here


def run(case: str, seed: int) -> dict[str, float]:
    """The final loss, and the share of right letters, eight places at a time."""
    torch.manual_seed(seed)
    model = Reader(case)
    result = fit(model, lambda generator: rows(generator, ROWS, SHORT), STEPS, learning_rate=RATE)
    longest = SHORT if case == "learned" else LONG
    with torch.no_grad():
        batch = rows(torch.Generator().manual_seed(1000 + seed), 500, longest)
        right = model(batch.tokens, at=batch.at).argmax(-1) == batch.targets  # (N, longest - BACK)
        right = F.pad(right.double().mean(0), (BACK, 0))
        test = batch._replace(
            tokens=batch.tokens[:, :SHORT],
            targets=batch.targets[:, : SHORT - BACK],
            at=slice(BACK, SHORT),
        )
        found = {"loss": sequence_loss(model, test).item(), "training": result.losses[-1]}
    shares = {f"until {n}": right[max(BACK, n - 8) : n].mean().item() for n in (*LOOKS, LONG)}
    return found | {k: v for k, v in shares.items() if int(k.split()[1]) <= longest}


def rows(generator: torch.Generator, count: int, length: int) -> Batch:
    letters = torch.randint(LETTERS, (count, length), generator=generator)
    return Batch(letters, letters[:, :-BACK], at=slice(BACK, None))


class Reader(nn.Module):
    """One block of attention and MLP, with one of four ways to say where a token stands."""

    def __init__(self, scheme: str) -> None:
        super().__init__()
        self.scheme = scheme
        self.token = nn.Embedding(LETTERS, WIDTH)
        self.position = nn.Embedding(SHORT, WIDTH)
        self.to_qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm_1, self.norm_2, self.norm = (nn.LayerNorm(WIDTH) for _ in range(3))
        hidden = 4 * WIDTH
        self.mlp = nn.Sequential(nn.Linear(WIDTH, hidden), nn.GELU(), nn.Linear(hidden, WIDTH))
        self.head = nn.Linear(WIDTH, LETTERS, bias=False)

    def forward(self, tokens: Tensor, mask: Tensor | None = None, at: slice | None = None):
        x, places = self.token(tokens), torch.arange(tokens.shape[1])
        if self.scheme == "learned":
            x = x + self.position(places)
        if self.scheme == "sinusoidal":
            x = x + sinusoidal(places, WIDTH)
        q, k, v = (
            part.unflatten(2, (HEADS, -1)).transpose(1, 2)
            for part in self.to_qkv(self.norm_1(x)).chunk(3, dim=-1)
        )
        if self.scheme == "rotary":
            q, k = rotated(q, places), rotated(k, places)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        x = x + self.mlp(self.norm_2(x))
        return self.head(self.norm(x if at is None else x[:, at]))


def angles(places: Tensor, width: int) -> Tensor:
    """(T,) -> (T, width / 2): each pair of entries turns at a speed of its own."""
    speeds = 10_000 ** (-torch.arange(0, width, 2) / width)
    return places[:, None] * speeds


def sinusoidal(places: Tensor, width: int) -> Tensor:
    turned = angles(places, width)
    return torch.cat([turned.sin(), turned.cos()], dim=-1)


def rotated(x: Tensor, places: Tensor) -> Tensor:
    """Turn each pair of entries of x (..., T, D) by an angle that grows with the place."""
    turned = angles(places, x.shape[-1])
    a, b = x.chunk(2, dim=-1)
    cos, sin = turned.cos(), turned.sin()
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
