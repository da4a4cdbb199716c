"""Continuous experience as tokens: each step is spelled, one token a dimension.

As in Janner et al., *Offline Reinforcement Learning as One Big Sequence Modeling Problem* (2021).
With two numbers seen and one chosen, a step with the return-to-go in front reads

    G  s^1 s^2  a^1

Model, loss, training and sampler are those of all other chapters; only the tokens differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor

from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.sequences.bins import Bins, number_of, shaped
from seqdec_lib.sequences.decoding import choose, distribution
from seqdec_lib.sequences.layout import TokenLayout, TokenVectors
from seqdec_lib.sequences.losses import IGNORE, Batch
from seqdec_lib.sequences.tokens import evaluating
from seqdec_lib.sequences.transformer import Transformer

ROWS = 2**31  # more than there will ever be
Act = Callable[[list, list, list], Any]
"""What was seen (one more than the others), done and paid so far, by N episodes -> actions."""


@dataclass(frozen=True, eq=False)
class SpelledLayout:
    """Which tokens stand where. Token ids: observations by dimension, actions likewise, returns.

    rows : a layout whose states and actions are only numbers of rows, to be spelled; it knows the
        windows and the returns."""

    observations: Bins
    actions: Bins
    rows: TokenLayout

    @classmethod
    def of(
        cls,
        episodes: Sequence[Any],
        observations: Bins,
        actions: Bins,
        goal: str | None = None,
        context: int = 5,
    ) -> "SpelledLayout":
        """The layout for episodes with `observations` (T + 1, ...), `actions` (T, ...), `rewards`
        (T,), like Minari's. goal, context : as for `TokenLayout.of`; returns have no discount.

        Raises ValueError: as `TokenLayout.of`; episodes whose parts don't belong together."""
        world = SimpleNamespace(horizon=0, discount=1.0, n_observations=ROWS, n_actions=ROWS)
        return cls(
            observations,
            actions,
            TokenLayout.of(world, numbered(episodes), goal, context=context),
        )

    @property
    def first_action(self) -> int:
        """Tokens of observations."""
        return sum(self.observations.sizes)

    @property
    def first_return(self) -> int:
        """Tokens of observations and actions."""
        return self.first_action + sum(self.actions.sizes)

    @property
    def choices(self) -> list[slice]:
        """Where the bins of each action's dimension stand among the model's outputs."""
        ends = np.cumsum([0, *self.actions.sizes]).tolist()
        return [slice(a, b) for a, b in zip(ends, ends[1:], strict=False)]

    def encode(self, episodes: Sequence[Any]) -> Batch:
        """A dataset for `training.minibatches`, with targets wherever an action's token stands."""
        batch = self.rows.encode(numbered(episodes))  # tokens (W, ...), targets (W, context)
        seen = np.concatenate([self.observations.encode(e.observations) for e in episodes])
        taken = np.concatenate([self.actions.encode(e.actions) for e in episodes])
        tokens = self._spell(batch.tokens, seen, taken)
        known = batch.targets != IGNORE
        firsts = np.array([choice.start for choice in self.choices])
        said = torch.from_numpy(taken + firsts)[torch.where(known, batch.targets, 0)]
        targets = torch.where(known[:, :, None], said, IGNORE)  # (W, context, dimensions)
        return Batch(tokens, targets.flatten(1), None, self._places(self.rows.context))

    def transformer(self, width: int = 32, layers: int = 2, heads: int = 4) -> Transformer:
        """The book's Transformer, for these tokens; bins and returns know how large they are."""
        sizes = [*self.observations.sizes, *self.actions.sizes]
        returns = replace(self.rows, n_states=1, n_actions=1).features()[2:]
        vocabulary = sum(sizes) + len(returns)
        known = np.zeros((vocabulary, len(sizes) + returns.shape[1]), dtype=np.float32)
        for i, (size, first) in enumerate(zip(sizes, np.cumsum([0, *sizes]), strict=False)):
            known[first : first + size, i] = np.linspace(-1, 1, size)
        known[sum(sizes) :, len(sizes) :] = returns
        places = self.rows.front + self.rows.context * self._per_step
        shape, spread = (vocabulary, places, width, layers, heads), 0.5 / width**0.5
        model = Transformer(*shape, outputs=sum(self.actions.sizes), init_std=spread)
        model.token = TokenVectors(known, width)
        return model

    def policy(
        self,
        model: Transformer,
        target: float = 0.0,
        temperature: float = 1.0,
        top_p: float | None = None,
        seed: int = 0,
        mean: bool = False,
    ) -> Act:
        """How the model acts, dimension by dimension, for `experience.play`. `target` : the return
        to ask for, where the layout has a goal; mean : instead of drawing a bin, act by the mean of
        their distribution; the others as for `decoding.choose`.

        Raises ValueError: a mean of actions that are not numbers of a `Box`."""
        if mean and not isinstance(self.actions.space, Box):
            raise ValueError(f"a mean needs actions of a Box, but {self.actions.space} came.")
        generator, bins = torch.Generator().manual_seed(seed), self.actions

        @torch.no_grad()
        def act(observations: list, actions: list, rewards: list) -> Any:
            first = max(0, len(observations) - self.rows.context)
            seen = np.stack([self.observations.encode(o) for o in observations[first:]], axis=1)
            taken = [self.actions.encode(a) for a in actions[first:]]
            taken = np.stack([*taken, np.zeros((len(seen), len(self.actions.sizes)), int)], axis=1)
            paid = np.stack([np.zeros(len(seen)), *rewards], axis=1).cumsum(axis=1)
            tokens = self._reading(seen, taken, target - paid[:, first:])
            made = []
            with evaluating(model):
                for i, choice in enumerate(self.choices):
                    centers = torch.from_numpy(bins.centers[i])
                    logits = model(tokens, at=-1)[:, choice]
                    if mean:
                        made.append(distribution(logits, temperature, None, top_p) @ centers)
                        number = torch.from_numpy(number_of(made[-1].numpy(), bins.edges[i]))
                    else:
                        number = choose(logits, temperature, None, top_p, generator)
                        made.append(centers[number])
                    said = self.first_action + choice.start + number
                    tokens = torch.cat([tokens, said[:, None]], dim=1)
            return shaped(bins.space, torch.stack(made, dim=-1).numpy())

        return act

    def _reading(self, seen: np.ndarray, taken: np.ndarray, goals: np.ndarray) -> Tensor:
        """Tokens of some steps up to the last observation: numbers of bins (N, K, dimensions)."""
        numbers = np.arange(goals.size).reshape(goals.shape)
        ids = self.rows.tokens(numbers, numbers, np.zeros(goals.shape), goals)
        table = (array.reshape(goals.size, -1) for array in (seen, taken))
        return self._spell(ids, *table)[:, : -len(self.actions.sizes)]

    def _spell(self, ids: Tensor, seen: np.ndarray, taken: np.ndarray) -> Tensor:
        """Ids of `rows` -> tokens, by tables (rows, dimensions) of numbers of bins."""
        front, steps = ids[:, : self.rows.front], ids[:, self.rows.front :]
        sizes = np.cumsum([0, *self.observations.sizes[:-1]]), np.cumsum([0, *self.actions.sizes])
        seen = torch.from_numpy(seen + sizes[0])
        taken = torch.from_numpy(taken + sizes[1][:-1] + self.first_action)
        to_return = self.first_return - 2 * ROWS
        spelled = {
            "state": lambda column: seen[column],
            "action": lambda column: taken[column - ROWS],
            "return": lambda column: column[..., None] + to_return,
        }
        columns = steps.unflatten(1, (-1, self.rows.per_step)).unbind(2)
        parts = [spelled[n](c) for n, c in zip(self.rows.step, columns, strict=True)]
        return torch.cat([front + to_return, torch.cat(parts, dim=2).flatten(1)], dim=1)

    @property
    def _per_step(self) -> int:
        dimensions = len(self.observations.sizes) + len(self.actions.sizes)
        return self.rows.per_step - 2 + dimensions

    def _places(self, steps: int) -> Tensor:
        """Where the model is asked: before each token of an action, (steps * dimensions,)."""
        last = len(self.actions.sizes)
        inside = torch.arange(self._per_step - last, self._per_step) - 1
        starts = self.rows.front + torch.arange(steps) * self._per_step
        return (starts[:, None] + inside).flatten()


def numbered(episodes: Sequence[Any]) -> Trajectories:
    """Episodes whose observations and actions are numbered as they come, with their rewards."""
    lengths = np.array([len(episode.rewards) for episode in episodes])
    ends = np.cumsum(lengths)
    return Trajectories.from_episodes(
        [
            np.arange(n + 1) + end - n + i
            for i, (n, end) in enumerate(zip(lengths, ends, strict=True))
        ],
        [np.arange(n) + end - n for n, end in zip(lengths, ends, strict=True)],
        [np.asarray(episode.rewards, dtype=float) for episode in episodes],
        [bool(episode.terminations[-1]) for episode in episodes],
    )
