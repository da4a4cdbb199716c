"""A network's estimate of P(s', r' | s, a): what it learned in one place it expects in others."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.learning.table import Transitions
from seqdec_lib.learning.world_model import Outcomes, WorldModel, transitions_of
from seqdec_lib.validation import whole_number


class NeuralModel(WorldModel):
    """Logits over outcomes, computed from features of the state: cross-entropy makes them match.

    An outcome is (change of the state's number, reward, ended or not). The network chooses among
    those that occurred anywhere; at the border of the world, changes that lead outside it get
    probability 0. The count model is the special case of one free logit for each state, action and
    outcome: there, nothing seen in one state says anything about another.

    Parameters
    ----------
    features : (S, F) float
        What the network sees of each state. One-hot rows make it a slow count model; coordinates
        let neighbors help each other.
    n_actions : int
    hidden : int
        Units of the one hidden layer.
    seed : int

    Raises
    ------
    ValueError
        Features that are not a table of finite numbers.
    """

    def __init__(
        self, features: np.ndarray, n_actions: int, hidden: int = 64, seed: int = 0
    ) -> None:
        features = np.asarray(features, dtype=np.float32)
        if features.ndim != 2 or not features.size or not np.isfinite(features).all():
            raise ValueError(
                "features must be finite numbers of shape (S, F), a row for each state, "
                f"but shape {features.shape} came."
            )
        self.n_states, self.n_actions = len(features), whole_number("n_actions", n_actions, least=1)
        self.hidden, self.seed = whole_number("hidden", hidden, least=1), seed
        pairs = np.repeat(features, n_actions, axis=0)
        actions = np.tile(np.eye(n_actions, dtype=np.float32), (self.n_states, 1))
        self._inputs = torch.from_numpy(np.hstack([pairs, actions]))  # (S * A, F + A)

    def fit(
        self,
        experience: Trajectories | Transitions,
        epochs: int = 300,
        learning_rate: float = 1e-2,
        weight_decay: float = 1e-4,
    ) -> NeuralModel:
        """Maximum likelihood on all steps at once (full-batch Adam); returns the model itself.

        Afterwards `probabilities` (S, A, K) are those of the K outcomes `changes`, `rewards` and
        `ended` (K,), and `losses` is the mean negative log-likelihood before each epoch.

        Raises
        ------
        ValueError
            No step to learn from, or a state or action that the model doesn't have.
        """
        seen = transitions_of(experience)
        counts, outside = self._count(seen)
        weights = torch.from_numpy(counts / counts.sum())
        torch.manual_seed(self.seed)
        network = nn.Sequential(
            nn.Linear(self._inputs.shape[1], self.hidden),
            nn.Tanh(),
            nn.Linear(self.hidden, counts.shape[1]),
        )
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=learning_rate, weight_decay=weight_decay
        )
        self.losses = []
        for _ in range(whole_number("epochs", epochs, least=1)):
            logits = network(self._inputs).masked_fill(outside, -1e9)
            loss = -(weights * logits.log_softmax(dim=1)).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            self.losses.append(loss.item())
        with torch.no_grad():
            rows = network(self._inputs).masked_fill(outside, -1e9).softmax(dim=1).double().numpy()
        rows = rows / rows.sum(axis=1, keepdims=True)
        self.probabilities = rows.reshape(self.n_states, self.n_actions, -1)
        return self

    def _count(self, seen: Transitions) -> tuple[np.ndarray, torch.Tensor]:
        """How often each pair had each outcome, and which lead outside: (S * A, K) both."""
        pairs = seen.observations * self.n_actions + seen.actions
        if not len(pairs) or not (0 <= pairs.min() and pairs.max() < len(self._inputs)):
            raise ValueError(
                f"the model needs steps with states in 0..{self.n_states - 1} and actions in "
                f"0..{self.n_actions - 1}, but {len(pairs)} steps with others came."
            )
        change = seen.next_observations - seen.observations
        outcomes, which = np.unique(
            np.stack([change, seen.rewards, seen.terminated], axis=1), axis=0, return_inverse=True
        )
        self.changes, self.rewards = outcomes[:, 0].astype(np.int64), outcomes[:, 1]
        self.ended = outcomes[:, 2].astype(bool)
        counts = np.zeros((len(self._inputs), len(outcomes)), dtype=np.float32)
        np.add.at(counts, (pairs, which.reshape(-1)), 1)
        after = np.arange(self.n_states)[:, None] + self.changes
        outside = np.repeat((after < 0) | (after >= self.n_states), self.n_actions, axis=0)
        return counts, torch.from_numpy(outside & (counts == 0))

    def sample(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As for `WorldModel`, once it was fitted."""
        cumulative = self.probabilities[states, actions].cumsum(axis=1)
        draws = rng.random((len(cumulative), 1)) * cumulative[:, -1:]
        outcome = (draws >= cumulative).sum(axis=1)
        arrived = np.clip(states + self.changes[outcome], 0, self.n_states - 1)
        return arrived, self.rewards[outcome], self.ended[outcome]

    def outcomes(self) -> Outcomes:
        """As for `WorldModel`, once it was fitted: K of each pair."""
        pairs, which = np.divmod(np.arange(self.probabilities.size), len(self.changes))
        arrived = np.clip(pairs // self.n_actions + self.changes[which], 0, self.n_states - 1)
        chances = self.probabilities.reshape(-1)
        return Outcomes(pairs, chances, arrived, self.rewards[which], self.ended[which])
