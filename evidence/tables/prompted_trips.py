"""Chapter 12: the prompt is the problem. A model reads a price list and says the trip.

A prompt is a tree: one token for each of the 24 cities and its stars, in the order of the map, then
the city where the trip begins. The answer is one city a day, as a language model says words. Each
batch holds trees of its own, drawn anew, and one trip on each that goes at random on three days of
ten; the targets are the best cities at all places that it passes, by backward induction. The 200
trees of the test are `TravelTree(seed=0)` to `TravelTree(seed=199)`.

Kinds of models: the Transformer; an LSTM of the same width; "mean", which sees the mean of all
tokens so far and the present one (no attention, no order); "places", which sees all tokens, each in
a place of its own (no attention either). The case "rivals" holds what needs no training.

What the cases change: "longer", four times the steps; "faster", thrice the learning rate; "wider",
twice the width; "trees", so many trees are all that training ever sees; "shuffled", the list
comes in another order for each trip; "8 days", longer trips; "seasons", two lists, one after the
other, and then a word for the one that counts, with twice the steps.

Regrets are means over the trees of (optimal - achieved) / (optimal - random). A city that no train
reaches counts as staying. "likeliest" is the best of a beam of nine by the model's own
probabilities; "best of 8" takes the best of eight samples by adding up the prompt's own stars."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from seqdec_lib.problems import TravelTree
from seqdec_lib.sequences import LSTM, Batch, Transformer, beam_search, fit, generate

SEEDS = (0, 1, 2, 3, 4)
CITIES, STARS, BRANCHING = 24, 11, 3
TESTS, ASTRAY = range(200), 0.3
WIDTH, LAYERS, HEADS, HIDDEN = 64, 2, 4, 256
BATCH, RATE, STEPS, LOOK_EVERY = 64, 3e-3, 2000, 250
LOOKS = tuple(range(LOOK_EVERY, STEPS + 1, LOOK_EVERY))
KINDS = ("transformer", "lstm", "mean", "places")
TREES = (100, 1000, 10_000)
LONGER = {"longer": 4, "seasons": 2}  # times the steps
CASES = (
    *KINDS,
    "rivals",
    *(f"{kind}, seasons" for kind in KINDS),
    *(f"{kind}, shuffled" for kind in KINDS),
    "lstm, longer",
    "lstm, faster",
    "lstm, wider",
    *(f"transformer, {n} trees" for n in TREES),
    *(f"{kind}, 8 days" for kind in KINDS),
)
AGREEMENT = 0.5  # trained by floating-point sums, whose order may change


@dataclass(frozen=True)
class Task:
    """What stands in a prompt, and how long the answer is."""

    days: int = 6
    seasons: int = 1
    shuffled: bool = False

    @cached_property
    def tree(self) -> TravelTree:
        """Where the trains go; its stars don't matter."""
        return TravelTree(BRANCHING, self.days)

    @cached_property
    def city(self) -> np.ndarray:
        """The city of each node (nodes,), the same in all trees."""
        return self.tree.trips_at(np.arange(self.tree.n_states)).city.astype(np.int64)

    @cached_property
    def earned(self) -> tuple[np.ndarray, np.ndarray]:
        """How often each trip earns each city's stars (leaves, cities), and its tiredness."""
        ways = self.city[self.tree.ways(self.days)[:, 1:]]
        nights = sum((day[:, None] == np.arange(CITIES)).astype(np.float32) for day in ways.T)
        _, km = self.tree.stars_and_km(np.arange(self.tree.first_leaf, self.tree.n_states))
        return np.minimum(nights, 1) + 0.5 * (nights >= 2), (km / 1000) ** 2

    def values(self, stars: np.ndarray) -> list[np.ndarray]:
        """Optimal values of the nodes of each level of many trees (N, cities): (N, 3**t) each."""
        shares, tired = self.earned
        levels = [stars @ shares.T - tired]
        while levels[0].shape[1] > 1:
            actions = (levels[0][:, action::BRANCHING] for action in range(BRANCHING))
            levels.insert(0, np.maximum.reduce([*actions]))
        return levels

    # -- tokens: cities, seasons, then each city with each number of stars, in each season

    @property
    def vocabulary(self) -> int:
        return CITIES + self.seasons * (1 + CITIES * STARS)

    @property
    def listed(self) -> int:
        """Tokens before the trip."""
        return self.seasons * CITIES + (self.seasons > 1)

    @property
    def at(self) -> Tensor:
        """Where the model is asked for the next city."""
        return torch.arange(self.listed, self.listed + self.days)

    def prompts(self, lists: np.ndarray, season: np.ndarray, rng: np.random.Generator) -> Tensor:
        """Price lists (N, seasons, cities) and which of them counts (N,) -> tokens (N, listed)."""
        names = np.arange(self.seasons * CITIES).reshape(self.seasons, CITIES)
        tokens = CITIES + self.seasons + names * STARS + lists
        if self.shuffled:
            tokens = rng.permuted(tokens, axis=2)
        tokens = tokens.reshape(len(lists), -1)
        if self.seasons > 1:
            tokens = np.concatenate([tokens, CITIES + season[:, None]], axis=1)
        return torch.from_numpy(tokens)

    def batch(self, lists: np.ndarray, rng: np.random.Generator) -> Batch:
        """One trip on the tree of each price list, and the best next cities on its way."""
        rows, season = np.arange(len(lists)), rng.integers(self.seasons, size=len(lists))
        levels = self.values(lists[rows, season])
        places, astray = np.zeros(len(lists), dtype=np.int64), rng.random((len(lists), self.days))
        trip, targets = [self.city[:1].repeat(len(lists))], []
        for t in range(self.days):
            first = self.tree.level(t + 1).start
            children = BRANCHING * places[:, None] + np.arange(BRANCHING)
            best = levels[t + 1][rows[:, None], children].argmax(axis=1)
            dice = rng.integers(BRANCHING, size=len(lists))
            places = children[rows, np.where(astray[:, t] < ASTRAY, dice, best)]
            trip.append(self.city[first + places])
            targets.append(self.city[first + children[rows, best]])
        prompts = self.prompts(lists, season, rng)
        tokens = torch.cat([prompts, torch.from_numpy(np.stack(trip[:-1], axis=1))], dim=1)
        return Batch(tokens, torch.from_numpy(np.stack(targets, axis=1)), at=self.at)

    def follow(self, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The trips that cities (N, days) name: numbers of leaves, and whether trains go there."""
        nodes, reached = np.zeros(len(said), dtype=np.int64), np.ones(len(said), dtype=bool)
        for named in said.T:
            children = BRANCHING * nodes[:, None] + 1 + np.arange(BRANCHING)
            fits = self.city[children] == named[:, None]
            reached &= fits.any(axis=1)
            nodes = children[np.arange(len(said)), fits.argmax(axis=1)]  # none fits: 0, to stay
        return nodes - self.tree.first_leaf, reached


def new_lists(rng: np.random.Generator, *shape: int, low: int = 1, high: int = 10) -> np.ndarray:
    """Stars (*shape, cities) as `TravelTree` draws them: home has none."""
    stars = rng.integers(low, high + 1, size=(*shape, CITIES))
    stars[..., 0] = 0
    return stars


def fresh(task: Task, trees: int | None, seed: int) -> Callable[[torch.Generator], Batch]:
    """Batches for `fit`: of trees drawn anew each time, or always of the same so many."""
    known = new_lists(np.random.default_rng(10_000 + seed), trees or 0, task.seasons)

    def draw(generator: torch.Generator) -> Batch:
        rng = np.random.default_rng(int(torch.randint(2**40, (1,), generator=generator)))
        if trees is None:
            return task.batch(new_lists(rng, BATCH, task.seasons), rng)
        return task.batch(known[rng.integers(trees, size=BATCH)], rng)

    return draw


class WithoutAttention(nn.Module):
    """Two layers on what stands before each position: the mean of its tokens and the last one, or
    the tokens one beside the other, each in its place."""

    def __init__(self, task: Task, kind: str) -> None:
        super().__init__()
        self.vocabulary, self.context, self.kind = task.vocabulary, task.listed + task.days, kind
        self.size = WIDTH if kind == "mean" else 8
        self.token = nn.Embedding(self.vocabulary, self.size)
        inputs = self.size * (2 if kind == "mean" else self.context) + self.context
        self.layers = nn.Sequential(
            nn.Linear(inputs, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU()
        )
        self.head = nn.Linear(HIDDEN, CITIES)

    def forward(
        self, tokens: Tensor, mask: None = None, at: Tensor | int = -1, cache: None = None
    ) -> Tensor:
        """As the Transformer's: tokens (B, T) -> (B, K, cities) at positions (K,), or the last."""
        last, length = isinstance(at, int), tokens.shape[1]
        at = torch.tensor([length - 1]) if last else at
        vectors = self.token(tokens)  # (B, T, size)
        place = torch.eye(self.context)[at].expand(len(tokens), -1, -1)
        if self.kind == "mean":
            mean = vectors.cumsum(1) / torch.arange(1, length + 1)[:, None]
            read = torch.cat([mean[:, at], vectors[:, at]], dim=2)
        else:
            room = vectors.new_zeros(len(tokens), self.context, self.size)
            room[:, :length] = vectors
            before = torch.arange(self.context) <= at[:, None]  # (K, context)
            read = (room[:, None] * before[:, :, None]).flatten(2)
        logits = self.head(self.layers(torch.cat([read, place], dim=2)))
        return logits[:, 0] if last else logits


def new_model(kind: str, task: Task, width: int = WIDTH) -> nn.Module:
    """An untrained model of a kind; the Transformer has room for trips of eight days."""
    if kind == "transformer":
        sizes = (task.vocabulary, task.listed + 8, WIDTH, LAYERS, HEADS)
        return Transformer(*sizes, outputs=CITIES, init_std=0.5 / WIDTH**0.5)
    if kind == "lstm":
        return LSTM(task.vocabulary, width, LAYERS, outputs=CITIES)
    return WithoutAttention(task, kind)


class Examination:
    """Trees that nobody trained on, as prompts, with what their trips are worth."""

    def __init__(self, task: Task, **between: int) -> None:
        rng = np.random.default_rng(99)
        lists = new_lists(rng, len(TESTS), task.seasons, **between)
        rows, season = np.arange(len(lists)), np.arange(len(lists)) % task.seasons
        if not between:
            lists[rows, season] = [TravelTree(seed=seed).stars for seed in TESTS]
        self.task = task
        home = torch.zeros(len(lists), 1, dtype=torch.long)
        self.prompts = torch.cat([task.prompts(lists, season, rng), home], dim=1)
        levels = task.values(lists[rows, season])
        self.worths, self.best, self.dice = levels[-1], levels[0][:, 0], levels[-1].mean(axis=1)

    def regrets(self, leaves: np.ndarray) -> np.ndarray:
        """Of one trip on each tree, (N,) numbers of leaves."""
        achieved = self.worths[np.arange(len(leaves)), leaves]
        return (self.best - achieved) / (self.best - self.dice)

    def asked(self, model: nn.Module) -> dict[str, float]:
        """What a model that always says the likeliest city gives."""
        cached = isinstance(model, Transformer | LSTM)
        said = generate(model, self.prompts, self.task.days, temperature=0.0, cached=cached)
        leaves, reached = self.task.follow(said.numpy())
        regrets = self.regrets(leaves)
        optimal = float((regrets < 1e-6).mean())
        return {"regret": regrets.mean(), "optimal": optimal, "reached": reached.mean()}

    def searched(self, model: nn.Module) -> dict[str, float]:
        """What a beam and what eight samples, added up, find in a model's predictions."""
        days = self.task.days
        beams, _ = beam_search(model, self.prompts, days, width=9)
        eight, draws = self.prompts.repeat_interleave(8, dim=0), torch.Generator().manual_seed(99)
        samples = generate(model, eight, days, generator=draws).unflatten(0, (-1, 8)).numpy()
        leaves = np.stack([self.task.follow(samples[:, i])[0] for i in range(8)])
        return {
            "likeliest": self.regrets(self.task.follow(beams[:, 0].numpy())[0]).mean(),
            "best of 8": np.min([self.regrets(trips) for trips in leaves], axis=0).mean(),
        }


def run(case: str, seed: int) -> dict[str, float]:
    """Regret on the test's trees while training and after it."""
    if case == "rivals":
        return rivals(seed)
    kind, _, changed = case.partition(", ")
    task = Task(
        days=8 if changed == "8 days" else 6,
        seasons=2 if changed == "seasons" else 1,
        shuffled=changed == "shuffled",
    )
    trees = int(changed.split()[0]) if "trees" in changed else None
    torch.manual_seed(seed)
    width, test = WIDTH * (1 + (changed == "wider")), Examination(task)
    model = new_model(kind, task, width)
    result = fit(
        model,
        fresh(task, trees, seed),
        STEPS * LONGER.get(changed, 1),
        watch=lambda model: test.asked(model)["regret"],
        learning_rate=RATE * (3 if changed == "faster" else 1),
        evaluate_every=LOOK_EVERY,
        seed=seed,
    )
    found = {f"regret {step}": value for step, value in result.watched}
    found |= test.asked(model) | {"loss": np.mean(result.losses[-100:])}
    found["weights"] = sum(weight.numel() for weight in model.parameters())
    if case in ("transformer", "lstm"):
        found |= test.searched(model) | outside(model)
    return found


def outside(model: nn.Module) -> dict[str, float]:
    """Regrets where prompts or answers are not as in training."""
    poor, rich = Examination(Task(), high=3), Examination(Task(), low=8)
    short, long = Examination(Task(days=5)), Examination(Task(days=8))
    tests = {"1 to 3 stars": poor, "8 to 10 stars": rich, "5 days": short, "8 days": long}
    return {name: test.asked(model)["regret"] for name, test in tests.items()}


def rivals(seed: int) -> dict[str, float]:
    """Greedy by worth, one trip for all trees, and the best of random trips, added up."""
    task, found, rng = Task(), {}, np.random.default_rng(seed)
    test = Examination(task)
    trees = [TravelTree(seed=seed) for seed in TESTS]
    nodes = np.zeros(len(trees), dtype=np.int64)
    for _ in range(task.days):
        children = BRANCHING * nodes[:, None] + 1 + np.arange(BRANCHING)
        worths = [tree.enjoyment(three) for tree, three in zip(trees, children, strict=True)]
        nodes = children[np.arange(len(trees)), np.argmax(worths, axis=1)]
    found["greedy"] = test.regrets(nodes - task.tree.first_leaf).mean()
    levels = task.values(new_lists(rng, 10_000))
    constant = levels[-1].mean(axis=0).argmax()
    found["one trip for all"] = test.regrets(np.full(len(trees), constant)).mean()
    for n in (8, 64):
        drawn = rng.integers(task.tree.n_leaves, size=(len(trees), n))
        best = np.take_along_axis(test.worths, drawn, axis=1).argmax(axis=1)
        found[f"best of {n} random"] = test.regrets(drawn[np.arange(len(trees)), best]).mean()
    return found
