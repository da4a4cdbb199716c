"""Chapter 8: the paper's model on Key-to-Door, trained half as long again.

The table `paper_decision_transformer` says what is trained. Here `copies` is, of the episodes that
are sampled, the share that repeats a logged success action by action."""

import torch

from evidence.tables.copied_successes import copied
from evidence.tables.paper_decision_transformer import (
    BATCH,
    EPISODES,
    LOOK_EVERY,
    RATE,
    TESTS,
    paper_transformer,
    unseen_successes,
)
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

SEEDS = (0, 1, 2)
CASES = ("10K",)
AGREEMENT = 0.3  # trained by floating-point sums, whose order may change
STEPS = 1200


def run(case: str, seed: int, steps: int = STEPS, rate: float = RATE) -> dict[str, float]:
    """Success of the paper's model on its way, greedy and sampled."""
    world = KeyToDoor()
    data = collect(world, None, EPISODES[case], seed)
    layout = TokenLayout.of(world, data, goal="return_to_go")
    torch.manual_seed(seed)
    model, looks, test = paper_transformer(layout), [], unseen_successes(world, seed)

    def look(model: Transformer) -> float:
        played = {
            reading: ask_for_success(world, model, layout, temperature)
            for reading, temperature in (("greedy", 0.0), ("sampled", 1.0))
        }
        found = {reading: float(episodes.returns().mean()) for reading, episodes in played.items()}
        with torch.no_grad():
            found["loss"] = float(sequence_loss(model, layout.encode(test)))
        looks.append(found | {"copies": copied(played["sampled"], data)})
        return found["sampled"]

    draw = minibatches(layout.encode(data), BATCH)
    settings = {"learning_rate": rate, "seed": seed, "evaluate_every": LOOK_EVERY}
    fit(model, draw, steps, watch=look, **settings)
    on_the_way = {
        f"{name} {LOOK_EVERY * (i + 1)}": value
        for i, found in enumerate(looks)
        for name, value in found.items()
    }
    return on_the_way | looks[-1]


def ask_for_success(
    world: KeyToDoor, model: Transformer, layout: TokenLayout, temperature: float
) -> Trajectories:
    """Episodes of a model that is asked for success."""
    # Read anew at each step: the embedding counts timesteps from the first token that it gets.
    policy = SequencePolicy(model, layout, 1.0, temperature, cached=False)
    episodes = TESTS if temperature else 1  # a greedy model plays one and the same episode
    return collect(world, policy, episodes, seed=99)
