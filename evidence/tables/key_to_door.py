"""Chapter 8: asking for success on Key-to-Door, after few steps of training.

The chapter's small Transformer reads the wish in front, then one step or the whole episode. Batches
are natural (each episode equally likely), or balanced: half of them successes. Where it reads one
step only, its success is exact; otherwise it is a share of played episodes."""

import numpy as np
import torch

from seqdec_lib.experience import Trajectories, collect
from seqdec_lib.problems import History, KeyToDoor
from seqdec_lib.sequences import SequencePolicy, TokenLayout, Transformer, fit, minibatches
from seqdec_lib.sequences.layout import TokenVectors

SEEDS = (0, 1, 2, 3, 4)
CASES = ("one step, natural", "one step, balanced", "whole, natural", "whole, balanced")
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
EPISODES = {"1K": 1000, "10K": 10_000}
STEPS, WIDTH, RATE = 300, 32, 4e-3
TESTS = 1000  # episodes


def run(case: str, seed: int, steps: int = STEPS) -> dict[str, float]:
    """Shares of successes, greedy and sampled, with few and with many episodes."""
    context, batches = case.split(", ")
    world, found = KeyToDoor(), {}
    for name, episodes in EPISODES.items():
        data = collect(world, None, episodes, seed)
        ways = context == "one step", batches == "balanced"
        model, layout = trained(world, data, *ways, seed, steps)
        for reading, temperature in (("greedy", 0.0), ("sampled", 1.0)):
            policy = SequencePolicy(model, layout, 1.0, temperature)
            found[f"{name}, {reading}"] = success(world, policy, temperature)
    return found


def trained(
    world: KeyToDoor, data: Trajectories, one_step: bool, balanced: bool, seed: int, steps: int
) -> tuple[Transformer, TokenLayout]:
    """A network that reads the return that an episode had, and its steps, and says the action."""
    layout = TokenLayout.of(world, data, goal="return", context=1 if one_step else None)
    torch.manual_seed(seed)
    sizes = (layout.vocabulary, layout.max_tokens, WIDTH)
    model = Transformer(*sizes, outputs=layout.n_actions, init_std=0.5 / WIDTH**0.5)
    model.token = TokenVectors(layout.features(), WIDTH)
    batch = layout.encode(repeated(data) if balanced else data)
    fit(model, minibatches(batch, 256 if one_step else 64), steps, learning_rate=RATE, seed=seed)
    return model, layout


def repeated(data: Trajectories) -> Trajectories:
    """The episodes with the successes repeated until they are about half of all."""
    won = data.returns() > 0
    copies = np.repeat(np.flatnonzero(won), (~won).sum() // won.sum())
    return data[np.concatenate([np.flatnonzero(~won), copies])]


def success(world: KeyToDoor, policy: SequencePolicy, temperature: float) -> float:
    """The share of episodes that succeed: exact where a policy reads one step, or rolls no dice."""
    if policy.layout.context == 1:
        seen, nothing = (
            np.arange(world.n_observations)[:, None],
            np.zeros((world.n_observations, 0)),
        )
        rows = policy(History(seen, nothing.astype(int), nothing))
        return world.expected_return(rows[world.observe(np.arange(world.n_states))])
    episodes = TESTS if temperature else 1
    return float(collect(world, policy, episodes, seed=99).returns().mean())
