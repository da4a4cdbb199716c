"""What every problem offers: array dynamics, an exact model, both ends of the regret scale."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.mdp import MDP, evaluate_policy, value_iteration
from seqdec_lib.validation import check_numbers


@dataclass
class History:
    """What a policy sees of N episodes at step t.

    Episodes that are over keep their rows, padded as in `Trajectories`: what the policy says about
    them is not used.

    states : (N, t + 1) int; the last column is now
    actions : (N, t) int
    rewards : (N, t) float"""

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray


Policy = Callable[[History], np.ndarray]
"""Maps the histories of N episodes to probabilities (N, A) of the next action."""


class Problem(ABC):
    """A world with an exact model, in which many episodes are played at once.

    n_states, n_actions : int; states are numbered 0..n_states - 1, actions 0..n_actions - 1.
    n_observations : int; what the agent sees is numbered 0..n_observations - 1; it is the state
        itself unless a problem hides some of it.
    horizon : int; no episode is longer than this many steps.
    discount : float; of the return that the problem asks for.
    reward_range : (float, float); smallest and largest reward of a single step."""

    n_states: int
    n_actions: int
    horizon: int
    discount: float
    reward_range: tuple[float, float] = (-np.inf, np.inf)

    @property
    def n_observations(self) -> int:
        return self.n_states

    @abstractmethod
    def reset(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        """First states (N,) of `episodes` new episodes."""

    @abstractmethod
    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Act once in each episode: states, actions (N,) -> next states, rewards, ended (N,)."""

    @abstractmethod
    def mdp(self) -> MDP:
        """The exact model, where it can be enumerated."""

    @abstractmethod
    def start_distribution(self) -> np.ndarray:
        """Probability (S,) of each state to be the first."""

    def check_step(self, states: np.ndarray, actions: np.ndarray) -> None:
        """Raise a ValueError unless each episode has one action, and all actions exist.

        `step` of a problem calls this first."""
        if np.shape(states) != np.shape(actions):
            raise ValueError(
                f"each of the {np.shape(states)} episodes needs one action, "
                f"but {np.shape(actions)} came."
            )
        if np.size(actions) and not np.issubdtype(np.asarray(actions).dtype, np.integer):
            raise ValueError(
                f"actions must be whole numbers, but {np.asarray(actions).dtype} came; "
                "convert them with .astype(int)."
            )
        check_numbers("actions", actions, self.n_actions)

    def observe(self, states: np.ndarray) -> np.ndarray:
        """What the agent sees in each state: (N,) -> (N,)."""
        return states

    def describe(self, state: int) -> str:
        """One line for people about a state."""
        return f"state {state}"

    def optimal_return(self) -> float:
        """Expected return of the best policy that sees the state."""
        return float(self.start_distribution() @ value_iteration(self.mdp()).values)

    def expected_return(self, policy: np.ndarray) -> float:
        """Exact expected return of a policy, given as actions (S,) int or probabilities (S, A)."""
        return float(self.start_distribution() @ evaluate_policy(self.mdp(), policy))

    def random_return(self) -> float:
        """Exact expected return of choosing each action with the same probability."""
        return self.expected_return(np.full((self.n_states, self.n_actions), 1 / self.n_actions))
