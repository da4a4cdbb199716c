"""A network's estimate of P(s', r' | s, a): what it learned in one place it expects in others."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.learning.tabular import Transitions
from seqdec_lib.learning.world_model import transitions_of
from seqdec_lib.mdp import MDP, value_iteration
from seqdec_lib.validation import whole_number


class NeuralModel:
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
        """
        seen = transitions_of(experience) if isinstance(experience, Trajectories) else experience
        change = seen.next_observations - seen.observations
        outcomes, which = np.unique(
            np.stack([change, seen.rewards, seen.terminated], axis=1), axis=0, return_inverse=True
        )
        self.changes, self.rewards = outcomes[:, 0].astype(np.int64), outcomes[:, 1]
        self.ended = outcomes[:, 2].astype(bool)
        pairs = seen.observations * self.n_actions + seen.actions
        counts = np.zeros((self.n_states * self.n_actions, len(outcomes)), dtype=np.float32)
        np.add.at(counts, (pairs, which.reshape(-1)), 1)
        weights = torch.from_numpy(counts / counts.sum())

        after = np.arange(self.n_states)[:, None] + self.changes
        outside = np.repeat((after < 0) | (after >= self.n_states), self.n_actions, axis=0)
        outside = torch.from_numpy(outside & (counts == 0))
        torch.manual_seed(self.seed)
        network = nn.Sequential(
            nn.Linear(self._inputs.shape[1], self.hidden),
            nn.Tanh(),
            nn.Linear(self.hidden, len(outcomes)),
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

    def sample(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Imagine one step, as a problem's `step` takes it: (N,), (N,) -> next states, rewards,
        ended.
        """
        cumulative = self.probabilities[states, actions].cumsum(axis=1)
        draws = rng.random((len(cumulative), 1)) * cumulative[:, -1:]
        outcome = (draws >= cumulative).sum(axis=1)
        arrived = np.clip(states + self.changes[outcome], 0, self.n_states - 1)
        return arrived, self.rewards[outcome], self.ended[outcome]

    def next_state_probabilities(self) -> np.ndarray:
        """P(s' | s, a) as (S, A, S), wherever it ends."""
        rows = np.zeros((self.n_states, self.n_actions, self.n_states))
        states = np.arange(self.n_states)
        for k, change in enumerate(self.changes):
            arrived = np.clip(states + change, 0, self.n_states - 1)
            rows[states, :, arrived] += self.probabilities[:, :, k]
        return rows

    def mdp(self, discount: float, horizon: int | None = None) -> MDP:
        """The estimate as an MDP with one state more, the last: "over", where nothing is paid."""
        over = self.n_states
        rows = np.zeros((over + 1, self.n_actions, over + 1))
        rows[over, :, over] = 1
        rewards = np.zeros((over + 1, self.n_actions))
        rewards[:over] = self.probabilities @ self.rewards
        states = np.arange(self.n_states)
        for k, change in enumerate(self.changes):
            arrived = np.clip(states + change, 0, over - 1)
            arrived = np.full(self.n_states, over) if self.ended[k] else arrived
            rows[states, :, arrived] += self.probabilities[:, :, k]
        return MDP(rows, rewards, discount, horizon)

    def plan(self, discount: float, horizon: int | None = None, tol: float = 1e-8) -> np.ndarray:
        """Optimal action values (1, S, A) in the estimate, by value iteration."""
        return value_iteration(self.mdp(discount, horizon), tol).q_values[None, :-1]
