"""Chapter 11: answers that a program can check, and what is learned from them.

A half-trained model answers "What is the capital of ...?" for 32 countries. It practices on half of
them: eight answers to each of eight questions in a batch, each of which is right or wrong. GRPO,
REINFORCE with the batch's mean, and cloning of the right answers get as many answers each."""

import copy

import numpy as np
import torch

from seqdec_lib.feedback import Sampler, ppo_loss
from seqdec_lib.language import FACTS, Corpus, Tokenizer, answers, training_batch
from seqdec_lib.sequences import Batch, Transformer, fit, log_probabilities, minibatches

SEEDS = (0, 1, 2, 3, 4)
CASES = ("32 countries",)
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
GROUP, ASKED_AT_ONCE, BATCHES, REUSED, RATE = 8, 8, 20, 4, 1e-3
BEFORE = 200  # steps of the model that is to practice


def run(case: str, seed: int) -> dict[str, float]:
    """How likely right answers are before and after, where it practiced and elsewhere."""
    school = School(seed)
    models = {
        "before": school.model,
        "groups": school.practiced_in_groups(seed, grouped=True),
        "batches": school.practiced_in_groups(seed, grouped=False),
        "cloned once": school.cloned(seed, rounds=1),
        "cloned in rounds": school.cloned(seed, rounds=4),
    }
    return {
        f"{name}, {key}": number
        for name, model in models.items()
        for key, number in school.read(model).items()
    }


class School:
    """Questions with their right answers, and a model that has not learned them well yet."""

    def __init__(self, seed: int) -> None:
        self.right: dict[str, list[str]] = {}
        for prompt, answer in Corpus.of(FACTS[:32], instructions=("answer",)).pairs:
            if "What is the capital" in prompt:
                self.right.setdefault(prompt, []).append(answer)
        rows = [(prompt, answer) for prompt, both in self.right.items() for answer in both]
        self.tokenizer = Tokenizer.of(text for row in rows for text in row)
        self.items = training_batch(self.tokenizer, rows)
        torch.manual_seed(seed)
        self.model = Transformer(len(self.tokenizer), context=48, width=48, layers=1)
        settings = {"learning_rate": 1e-2, "decay": 0.0, "seed": seed}
        fit(self.model, minibatches(self.items, 32), BEFORE, **settings)
        prompts = np.random.default_rng(seed).permutation(len(self.right))
        self.practiced = np.isin(np.arange(len(self.right)), prompts[: len(prompts) // 2])

    def answered(self, model: Transformer, generator: torch.Generator) -> list[tuple[str, str]]:
        """Eight answers to each of eight questions, one group after the other."""
        own = np.array(list(self.right))[self.practiced]
        chosen = torch.randperm(len(own), generator=generator)[:ASKED_AT_ONCE].numpy()
        prompts = own[chosen].repeat(GROUP).tolist()
        how = {"temperature": 1.0, "generator": generator, "most_tokens": 12}
        said = answers(model, self.tokenizer, prompts, **how)
        return list(zip(prompts, said, strict=True))

    def practiced_in_groups(self, seed: int, grouped: bool) -> Transformer:
        """PPO without a leash; a reward is 1 or 0, less the mean of its group, over its spread."""
        model, marks = copy.deepcopy(self.model), []

        def play(generator: torch.Generator) -> Batch:
            pairs = self.answered(model, generator)
            marks[:] = [float(said in self.right[prompt]) for prompt, said in pairs]
            return training_batch(self.tokenizer, pairs)

        def paid(batch: Batch) -> torch.Tensor:
            groups = torch.tensor(marks).reshape(-1, GROUP)
            apart = groups - groups.mean(dim=1, keepdim=True)
            spread = groups.std(dim=1, keepdim=True) + 1e-4
            return (apart / spread if grouped else groups).flatten()

        draw = Sampler(model, self.model, play, paid, REUSED)
        settings = {"learning_rate": RATE, "decay": 0.0, "seed": seed}
        fit(model, draw, BATCHES * REUSED, loss=ppo_loss, **settings)
        return model

    def cloned(self, seed: int, rounds: int) -> Transformer:
        """Clone the right ones of the model's own answers, again and again."""
        model, generator = copy.deepcopy(self.model), torch.Generator().manual_seed(seed)
        settings = {"learning_rate": RATE, "decay": 0.0, "seed": seed}
        for _ in range(rounds):
            pairs = [
                pair for _ in range(BATCHES // rounds) for pair in self.answered(model, generator)
            ]
            good = [(prompt, said) for prompt, said in pairs if said in self.right[prompt]]
            draw = minibatches(training_batch(self.tokenizer, good), ASKED_AT_ONCE * GROUP)
            fit(model, draw, BATCHES * REUSED // rounds, **settings)
        return model

    def read(self, model: Transformer) -> dict[str, float]:
        """The mean probability of a right answer, sampled, in both groups of questions."""
        with torch.no_grad():
            chances = log_probabilities(model, self.items).double().exp().numpy()
        right = chances.reshape(len(self.right), -1).sum(axis=1)
        return {"practiced": right[self.practiced].mean(), "others": right[~self.practiced].mean()}
