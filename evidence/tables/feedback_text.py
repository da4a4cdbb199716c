"""Chapter 11: the same preference on text, learned by DPO and by RLHF, and by nothing but choosing.

A small language model answers two questions about each of sixteen countries, as often shortly as in
a whole sentence. Answers about ten countries are compared, twenty times each; nine in ten times
the short one is preferred. Settings come from `feedback_text_settings`: make that first."""

import copy
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from evidence.keeping import kept
from seqdec_lib.feedback import Sampler, compare, dpo_loss, ppo_loss, reward_loss, scores
from seqdec_lib.language import FACTS, Corpus, Tokenizer, answers, training_batch
from seqdec_lib.language.facts import Fact
from seqdec_lib.sequences import Batch, Transformer, fit, log_probabilities, minibatches

SEEDS = (0, 1, 2, 3, 4)
METHODS = ("DPO", "RLHF")
CASES = ("before", *METHODS, "best of 8")
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change
OUR_FACTS, OTHER_FACTS = FACTS[:16], FACTS[16:32]
BETA, ODDS, TIMES, COMPARED = 0.5, 9.0, 20, 10


def run(case: str, seed: int) -> dict[str, float]:
    """How likely the short answer is, and any right one, where answers were compared and not."""
    questions = Questions(OUR_FACTS, seed)
    if case == "best of 8":
        return questions.chosen(8, seed)
    if case == "before":
        return questions.read(questions.writer)
    return questions.read(questions.trained(case, *chosen(case), seed))


def chosen(method: str) -> tuple[float, int]:
    """The rate and the number of steps with the best mean of the settings' seeds."""
    runs = list(kept("feedback_text_settings")["results"][method].values())
    best = max(runs[0], key=lambda name: sum(run[name] for run in runs))
    rate, steps = best.split(", ")
    return float(rate), int(steps)


class Questions:
    """Questions, the two right answers to each, a model that knows them, and some comparisons."""

    def __init__(self, facts: Sequence[Fact], seed: int) -> None:
        asked: dict[str, list[str]] = {}
        for prompt, answer in Corpus.of(facts, instructions=("answer",)).pairs:
            if "What is the capital" in prompt or "Where is" in prompt:
                asked.setdefault(prompt, []).append(answer)
        self.asked = {prompt: sorted(both, key=len) for prompt, both in asked.items()}
        rows = [(prompt, answer) for prompt in asked for answer in self.asked[prompt]]
        self.tokenizer = Tokenizer.of(text for row in rows for text in row)
        self.items = training_batch(self.tokenizer, rows)
        torch.manual_seed(seed)
        self.writer = Transformer(len(self.tokenizer), context=48, width=48, layers=1)
        settings = {"learning_rate": 1e-2, "decay": 0.0, "seed": seed}
        fit(self.writer, minibatches(self.items, 32), 400, **settings)
        countries = np.random.default_rng(seed).permutation(len(facts))[:COMPARED]
        self.compared = np.isin(np.arange(len(asked)) // 2, countries)
        self.logs = self._logs(self.writer)
        self.told = self._compared(seed)
        self.critic = self._critic(seed)

    def _logs(self, model: Transformer) -> np.ndarray:
        """(questions, 2) log-probabilities of the short and the long answer."""
        with torch.no_grad():
            return log_probabilities(model, self.items).double().numpy().reshape(-1, 2)

    def _compared(self, seed: int):  # noqa: ANN202
        short = 2 * np.flatnonzero(self.compared)
        pairs = np.stack([short, short + 1], axis=1).repeat(TIMES, axis=0)
        liked = np.tile([np.log(ODDS), 0.0], len(self.asked))
        reference = torch.tensor(self.logs.ravel(), dtype=torch.float32)
        return compare(self.items, pairs, liked, seed)._replace(reference=reference)

    def _critic(self, seed: int) -> torch.nn.Linear:
        """So many points for each word."""
        critic = torch.nn.Linear(len(self.tokenizer), 1, bias=False)
        torch.nn.init.zeros_(critic.weight)
        told = self.told._replace(items=self.words(self.items))
        settings = {"learning_rate": 0.05, "decay": 0.0, "seed": seed}
        fit(critic, lambda generator: told, 200, loss=reward_loss, **settings)
        return critic

    def words(self, batch: Batch) -> torch.Tensor:
        """How often each word stands in each answer."""
        said = batch.targets.clamp(min=0)
        counts = torch.zeros(len(said), len(self.tokenizer))
        return counts.scatter_add(1, said, (batch.targets >= 0).float())

    def graded(self, batch: Batch) -> torch.Tensor:
        with torch.no_grad():
            return scores(self.critic, self.words(batch))

    def trained(self, method: str, rate: float, steps: int, seed: int) -> Transformer:
        """DPO on the comparisons, or PPO with the critic; a batch of 64 serves four steps."""
        model, prompts = copy.deepcopy(self.writer), np.array(list(self.asked))[self.compared]

        def write(generator: torch.Generator) -> Batch:
            own = torch.randint(len(prompts), (64,), generator=generator)
            asked = prompts[own.numpy()].tolist()
            how = {"temperature": 1.0, "generator": generator, "most_tokens": 12}
            said = answers(model, self.tokenizer, asked, **how)
            return training_batch(self.tokenizer, list(zip(asked, said, strict=True)))

        draw = Sampler(model, self.writer, write, self.graded, updates=4)
        settings = {"learning_rate": rate, "decay": 0.0, "seed": seed}
        if method == "RLHF":
            fit(model, draw, steps, loss=partial(ppo_loss, beta=BETA), **settings)
        else:
            loss = partial(dpo_loss, beta=BETA)
            fit(model, lambda generator: self.told, steps, loss=loss, **settings)
        return model

    def read(self, model: Transformer) -> dict[str, float]:
        """Means over questions: probabilities, the change of the log-odds, greedy answers."""
        logs = self._logs(model)
        odds = (logs[:, 0] - logs[:, 1]) - (self.logs[:, 0] - self.logs[:, 1])
        said = answers(model, self.tokenizer, list(self.asked), most_tokens=12)
        right = np.array([a in self.asked[q] for q, a in zip(self.asked, said, strict=True)])
        found = {}
        for name, group in (("compared", self.compared), ("others", ~self.compared)):
            found[f"short, {name}"] = np.exp(logs[group, 0]).mean()
            found[f"right, {name}"] = np.exp(logs[group]).sum(axis=1).mean()
            found[f"odds, {name}"] = odds[group].mean()
            found[f"greedy, {name}"] = right[group].mean()
        return found

    def chosen(self, number: int, seed: int, times: int = 25) -> dict[str, float]:
        """Sample so many answers from the model as it was, and keep what the critic likes best."""
        generator = torch.Generator().manual_seed(seed)
        prompts = [prompt for prompt in self.asked for _ in range(number)]
        how = {"temperature": 1.0, "generator": generator, "most_tokens": 12}
        short, right = np.zeros((2, len(self.asked)))
        for _ in range(times):
            said = answers(self.writer, self.tokenizer, prompts, **how)
            batch = training_batch(self.tokenizer, list(zip(prompts, said, strict=True)))
            best = self.graded(batch).reshape(-1, number).argmax(dim=1)
            for i, (both, k) in enumerate(zip(self.asked.values(), best.tolist(), strict=True)):
                short[i] += said[i * number + k] == both[0]
                right[i] += said[i * number + k] in both
        groups = {"compared": self.compared, "others": ~self.compared}
        found = {f"short, {name}": short[group].mean() / times for name, group in groups.items()}
        return found | {f"right, {n}": right[g].mean() / times for n, g in groups.items()}
