"""Chapter 8: the Decision Transformer of Chen et al. (2021) on Key-to-Door, with natural batches.

Each step is three tokens, return-to-go, state and action. Each kind has an embedding of its own; a
vector of the timestep is added, and the sum is normalized. The context is the whole episode, and
batches are the random episodes as they are. Success is asked for: a return-to-go of 1 until it is
paid. As in the paper: AdamW, batches of 64, dropout 0.1. Smaller than there: width, layers, steps;
the learning rate is larger and falls to 0.

`greedy` and `sampled` are shares of successes after so many steps; `loss` is that on successes
which nobody trained on. The rate was chosen with other seeds: see `paper_learning_rate`."""

import torch
from torch import Tensor, nn

from evidence.tables.copied_successes import copied
from seqdec_lib.experience import Trajectories, collect
from seqdec_lib.problems import KeyToDoor
from seqdec_lib.sequences import (
    SequencePolicy,
    TokenLayout,
    Transformer,
    fit,
    minibatches,
    sequence_loss,
)

SEEDS = (0, 1, 2, 3, 4)
CASES = ("1K", "10K")
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
EPISODES = {"1K": 1000, "10K": 10_000}
STEPS, LOOK_EVERY, BATCH, RATE, WIDTH = 800, 400, 64, 5e-3, 64
TESTS = 500  # episodes
MEASURES = ("greedy", "sampled", "copies", "loss")


class PaperEmbedding(nn.Module):
    """An embedding for each kind of token, plus one of the timestep, normalized: (B, T) ids ->
    (B, T, width). A return-to-go is a number, its embedding a linear map."""

    def __init__(self, layout: TokenLayout, width: int) -> None:
        super().__init__()
        self.first_return = layout.vocabulary - len(layout.return_levels)
        self.register_buffer("levels", torch.tensor(layout.return_levels, dtype=torch.float32))
        self.name = nn.Embedding(self.first_return, width)  # of states and of actions
        self.return_to_go = nn.Linear(1, width)
        self.timestep = nn.Embedding(layout.context, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        kind = torch.arange(tokens.shape[1]) % 3
        vectors = torch.zeros(*tokens.shape, self.name.embedding_dim)
        levels = self.levels[tokens[:, kind == 0] - self.first_return]
        vectors[:, kind == 0] = self.return_to_go(levels[..., None])
        vectors[:, kind != 0] = self.name(tokens[:, kind != 0])
        return self.norm(vectors + self.timestep(torch.arange(tokens.shape[1]) // 3))


def paper_transformer(layout: TokenLayout) -> Transformer:
    """The book's Transformer with the paper's embeddings."""
    model = Transformer(
        layout.vocabulary,
        layout.max_tokens,
        WIDTH,
        layers=2,
        heads=4,
        outputs=layout.n_actions,
        dropout=0.1,
        positions=False,
        init_std=0.5 / WIDTH**0.5,
    )
    model.token = PaperEmbedding(layout, WIDTH)
    return model


def run(case: str, seed: int) -> dict[str, float]:
    """Success of the paper's model on its way, greedy and sampled."""
    found = measured(case, seed)
    return {name: value for name, value in found.items() if not name.startswith("copies")}


def measured(case: str, seed: int, steps: int = STEPS, rate: float = RATE) -> dict[str, float]:
    """The same after so many steps at this rate, and the share of copies among what is sampled."""
    world = KeyToDoor()
    data = collect(world, None, EPISODES[case], seed)
    layout = TokenLayout.of(world, data, goal="return_to_go")
    torch.manual_seed(seed)
    model, found, test = paper_transformer(layout), {}, unseen_successes(world, seed)

    def look(model: Transformer) -> float:
        step = LOOK_EVERY * (len(found) // 4 + 1)
        sampled = ask_for_success(world, model, layout, 1.0)
        greedy = ask_for_success(world, model, layout, 0.0)
        found[f"greedy {step}"] = float(greedy.returns().mean())
        found[f"sampled {step}"] = float(sampled.returns().mean())
        found[f"copies {step}"] = copied(sampled, data)
        with torch.no_grad():
            found[f"loss {step}"] = float(sequence_loss(model, layout.encode(test)))
        return found[f"sampled {step}"]

    draw = minibatches(layout.encode(data), BATCH)
    settings = {"learning_rate": rate, "seed": seed, "evaluate_every": LOOK_EVERY}
    fit(model, draw, steps, watch=look, **settings)
    return found | {name: found[f"{name} {steps}"] for name in MEASURES}


def ask_for_success(
    world: KeyToDoor, model: Transformer, layout: TokenLayout, temperature: float
) -> Trajectories:
    """Episodes of a model that is asked for success."""
    # Read anew at each step: the embedding counts timesteps from the first token that it gets.
    policy = SequencePolicy(model, layout, 1.0, temperature, cached=False)
    episodes = TESTS if temperature else 1  # a greedy model plays one and the same episode
    return collect(world, policy, episodes, seed=99)


def unseen_successes(world: KeyToDoor, seed: int) -> Trajectories:
    """Random successes, none of them trained on."""
    other = collect(world, None, 10_000, seed + 1000)
    return other[other.returns() > 0]
