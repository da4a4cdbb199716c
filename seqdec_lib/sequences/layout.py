"""Which tokens a trajectory becomes, and models that read such tokens."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.problems.base import Problem
from seqdec_lib.sequences.losses import IGNORE, Batch
from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.transformer import Transformer
from seqdec_lib.validation import check_numbers, discount_factor, whole_number

GOALS = {  # tokens before the first step, and those of each step
    None: ((), ("state", "action")),  # behavior cloning
    "return": (("return",), ("state", "action")),  # one goal token at the front
    "return_to_go": ((), ("return", "state", "action")),  # Decision Transformer, Chen et al. (2021)
}
MOST_LEVELS = 1024
STEPS_OF_CODE = 16


@dataclass(frozen=True, eq=False)
class TokenLayout:
    """Which tokens stand where. Token ids are numbered: states, actions, rewards, returns.

    n_states, n_actions : sizes of the two spaces
    context : steps that a model looks back, the present one included
    goal : None, "return" or "return_to_go", see `seqdec_lib.sequences.policy`
    return_levels : (L,) returns that have a token, rising; any other counts as the nearest
    return_range : smallest and largest return (or return-to-go) of the data
    reward_levels : (M,) likewise for rewards; None: no reward tokens
    state_features : (n_states, F) what is known about each state, so that states can be alike;
        None: each state is only a name
    discount : of the returns"""

    n_states: int
    n_actions: int
    context: int
    goal: str | None = None
    return_levels: np.ndarray = field(default_factory=lambda: np.empty(0))
    return_range: tuple[float, float] = (0.0, 0.0)
    reward_levels: np.ndarray | None = None
    state_features: np.ndarray | None = None
    discount: float = 1.0

    @classmethod
    def of(
        cls,
        problem: Problem,
        data: Trajectories,
        goal: str | None = None,
        rewards: bool = False,
        context: int | None = None,
        state_features: np.ndarray | None = None,
    ) -> "TokenLayout":
        """The layout for a dataset from a problem.

        rewards : whether rewards become tokens too.
        context : steps that a model looks back; None: all steps of the problem's horizon.
        Raises ValueError: an unknown goal, data from another problem, features of another number of
            states, a context below 1 or above the horizon."""
        if goal not in GOALS:
            raise ValueError(f"goal must be one of {(*GOALS,)}, but {goal!r} came.")
        horizon = max(problem.horizon, data.actions.shape[1])
        context = whole_number("context", horizon if context is None else context, least=1)
        if context > horizon:
            raise ValueError(
                f"context must be at most {horizon} steps, the longest episode, "
                f"but {context} came; leave it out to see everything."
            )
        if state_features is not None:
            state_features = np.asarray(state_features, dtype=np.float32)
            if state_features.ndim != 2 or len(state_features) != problem.n_observations:
                raise ValueError(
                    f"state_features must have shape ({problem.n_observations}, F), one row a "
                    f"state, but {state_features.shape} came."
                )
            if not np.isfinite(state_features).all():
                raise ValueError("state_features must be finite numbers, but some are not.")
        discount = discount_factor(problem.discount, problem.horizon)
        if goal == "return_to_go" and discount == 0:
            raise ValueError("returns-to-go can't be followed with discount 0: use goal=None.")
        to_go = data.returns_to_go(discount)
        values = to_go[data.mask] if goal == "return_to_go" else to_go[:, 0]
        layout = cls(
            problem.n_observations,
            problem.n_actions,
            context,
            goal,
            return_levels=np.empty(0) if goal is None else _levels(values, beyond=True),
            return_range=(float(values.min()), float(values.max())),
            reward_levels=_levels(data.rewards[data.mask]) if rewards else None,
            state_features=state_features,
            discount=discount,
        )
        layout.check(data)
        return layout

    def check(self, data: Trajectories) -> None:
        """Raise a ValueError unless the states and actions of a dataset have tokens."""
        advice = "they are from another problem than this layout"
        check_numbers("the data's states", data.states[:, :-1][data.mask], self.n_states, advice)
        check_numbers("the data's actions", data.actions[data.mask], self.n_actions, advice)

    # -- where tokens stand

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return self._first_return + len(self.return_levels)

    @property
    def front(self) -> int:
        """Tokens before the first step."""
        return len(GOALS[self.goal][0])

    @property
    def step(self) -> tuple[str, ...]:
        """What the tokens of a step are, in order."""
        return GOALS[self.goal][1] + ("reward",) * (self.reward_levels is not None)

    @property
    def per_step(self) -> int:
        """Tokens a step."""
        return len(self.step)

    @property
    def max_tokens(self) -> int:
        """Tokens of a whole context."""
        return self.front + self.context * self.per_step

    @property
    def state_positions(self) -> Tensor:
        """(context,) where states stand; there the model says which action comes next."""
        first = self.front + self.step.index("state")
        return first + torch.arange(self.context, device="cpu") * self.per_step

    @property
    def _first_reward(self) -> int:
        return self.n_states + self.n_actions

    @property
    def _first_return(self) -> int:
        return self._first_reward + (0 if self.reward_levels is None else len(self.reward_levels))

    # -- from trajectories to tokens and back

    def encode(
        self, data: Trajectories, windows: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Batch:
        """A dataset for `training.minibatches`: tokens (M, T), and the actions taken as targets.

        Episodes longer than the context become all windows of that many steps, or only those
        whose episodes (M,) and first steps (M,) are given. Padding stands on the right, where no
        causal model looks from the left, and has no targets.

        Raises ValueError: states or actions without a token."""
        self.check(data)
        episodes, starts = self._windows(data) if windows is None else windows
        columns = starts[:, None] + np.arange(self.context)  # (M, context) steps of the data
        inside = columns < data.actions.shape[1]
        columns = np.where(inside, columns, 0)
        rows = episodes[:, None]
        taken = inside & data.mask[rows, columns]
        to_go = data.returns_to_go(self.discount)
        goals = to_go[:, 0][rows] if self.goal == "return" else to_go[rows, columns]
        states, actions = data.states[rows, columns], data.actions[rows, columns]
        tokens = self.tokens(
            np.where(taken, states, 0),
            np.where(taken, actions, 0),
            np.where(taken, data.rewards[rows, columns], 0.0),
            np.broadcast_to(goals, taken.shape),
        )
        targets = torch.from_numpy(np.where(taken, actions, IGNORE))
        return Batch(tokens, targets, None, self.state_positions)

    def window_counts(self, lengths: np.ndarray) -> np.ndarray:
        """How many windows episodes of these lengths (N,) become, (N,)."""
        return np.maximum(1, lengths - self.context + 1)

    def _windows(self, data: Trajectories) -> tuple[np.ndarray, np.ndarray]:
        """Episode and first step of each window, (M,) each."""
        counts = self.window_counts(data.lengths)
        episodes = np.repeat(np.arange(len(data)), counts)
        return episodes, np.arange(len(episodes)) - np.repeat(counts.cumsum() - counts, counts)

    def tokens(
        self, states: np.ndarray, actions: np.ndarray, rewards: np.ndarray, goals: np.ndarray
    ) -> Tensor:
        """Token ids of K steps, (N, K) each -> (N, front + K * per_step).

        `goals` holds returns-to-go, or, in its first column, the return that is the goal.

        Raises ValueError: a goal or a reward that gets a token and is NaN or infinite."""
        read = {"goals": self.goal is not None, "rewards": self.reward_levels is not None}
        for name, values in (("goals", goals), ("rewards", rewards)):
            if read[name] and not np.isfinite(values).all():
                raise ValueError(
                    f"{name} must be finite numbers, but {int((~np.isfinite(values)).sum())} of "
                    f"{np.size(values)} are NaN or infinite; returns-to-go come from "
                    "Trajectories.returns_to_go."
                )
        ids = {"state": states, "action": self.n_states + actions}
        if self.goal is not None:
            ids["return"] = self._first_return + _nearest(self.return_levels, goals)
        if self.reward_levels is not None:
            ids["reward"] = self._first_reward + _nearest(self.reward_levels, rewards)
        steps = np.stack([ids[name] for name in self.step], axis=2).reshape(len(states), -1)
        front = [ids[name][:, :1] for name in GOALS[self.goal][0]]
        return torch.from_numpy(np.concatenate([*front, steps], axis=1).astype(np.int64))

    def decode(self, tokens: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """States and actions (N, K) that tokens (N, front + K * per_step) stand for."""
        steps = tokens[:, self.front :].unflatten(1, (-1, self.per_step))
        columns = dict(zip(self.step, steps.unbind(2), strict=True))
        return columns["state"].numpy(), columns["action"].numpy() - self.n_states

    # -- models for these tokens

    def transformer(
        self, width: int = 32, layers: int = 2, heads: int = 4, dropout: float = 0.0
    ) -> Transformer:
        """The book's Transformer, for these tokens: its logits are the next action's."""
        model = Transformer(
            self.vocabulary, self.max_tokens, width, layers, heads, self.n_actions, dropout
        )
        model.token = TokenVectors(self.features(), width)
        return model

    def lstm(self, width: int = 32, layers: int = 1, dropout: float = 0.0) -> LSTM:
        """The LSTM for these tokens."""
        model = LSTM(self.vocabulary, width, layers, self.n_actions, dropout)
        model.token = TokenVectors(self.features(), width)
        return model

    def features(self) -> np.ndarray:
        """What is known about each token, (vocabulary, F): a state's features, a return's size.

        A return is written as a number, -1 for the data's smallest and 1 for its largest, and as
        a thermometer that says which of some thresholds it has passed, so that near returns look
        alike."""
        known = np.zeros((self.n_states, 0)) if self.state_features is None else self.state_features
        low, high = self.return_range
        size = 2 * (self.return_levels - low) / _spread(low, high) - 1
        thresholds = np.linspace(-1, 1, STEPS_OF_CODE)
        code = np.clip((size[:, None] - thresholds) * STEPS_OF_CODE / 2, -1, 1)
        table = np.zeros((self.vocabulary, known.shape[1] + 1 + STEPS_OF_CODE), dtype=np.float32)
        table[: self.n_states, : known.shape[1]] = known
        table[self._first_return :, known.shape[1]] = size
        table[self._first_return :, known.shape[1] + 1 :] = code
        return table if self.goal else table[:, : known.shape[1]]


class TokenVectors(nn.Embedding):
    """A vector of its own for each token, plus a linear map of what is known about it.

    features (V, F); F = 0 leaves the plain embedding."""

    def __init__(self, features: np.ndarray, width: int) -> None:
        super().__init__(len(features), width)
        nn.init.normal_(self.weight, std=0.02)
        self.register_buffer("features", torch.from_numpy(features))
        self.of_features = nn.Parameter(0.02 * torch.randn(features.shape[1], width))

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, width)."""
        vectors = super().forward(tokens)
        if not self.features.shape[1]:
            return vectors
        return vectors + self.features[tokens] @ self.of_features


def _levels(values: np.ndarray, beyond: bool = False) -> np.ndarray:
    """The values that get a token of their own, and, with `beyond`, some outside their range."""
    if not np.isfinite(values).all():
        raise ValueError("returns and rewards must be finite numbers, but some are not.")
    levels = np.unique(np.round(values, 9))
    if len(levels) > MOST_LEVELS:
        levels = np.linspace(levels[0], levels[-1], MOST_LEVELS)
    if beyond:
        further = _spread(levels[0], levels[-1]) * np.arange(1, 9) / 8
        levels = np.concatenate([levels[0] - further[::-1], levels, levels[-1] + further])
    return levels


def _spread(low: float, high: float) -> float:
    """The distance between two levels, 1 where they are the same one."""
    return high - low if high - low > 1e-9 else 1.0


def _nearest(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Numbers of the nearest levels, the lower one where two are equally near."""
    middle = (levels[1:] + levels[:-1]) / 2
    return np.searchsorted(middle, values, side="left")
