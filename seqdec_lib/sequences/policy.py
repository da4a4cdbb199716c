"""Trajectories as tokens: behavior cloning and the Decision Transformer are one model.

A `TokenLayout` says which tokens a trajectory becomes, and nothing else tells the methods apart:

    goal=None            s_0 a_0 (r_1)  s_1 a_1 (r_2) ...          behavior cloning
    goal="return"        G  s_0 a_0 (r_1)  s_1 a_1 (r_2) ...       one goal token at the front
    goal="return_to_go"  G_0 s_0 a_0 (r_1)  G_1 s_1 a_1 (r_2) ...  Chen et al. (2021)

The Transformer, the loss, `training.fit` and the sampler are the language model's. From data to a
policy it takes four lines:

    layout = TokenLayout.of(problem, data, goal="return_to_go")
    model = layout.transformer(width=32)
    fit(model, minibatches(layout.encode(data), 64), steps=300)
    policy = SequencePolicy(model, layout, target=10.0)
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from seqdec_lib.problems.base import History
from seqdec_lib.sequences.decoding import distribution
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.tokens import evaluating
from seqdec_lib.sequences.transformer import Transformer
from seqdec_lib.validation import whole_number


class SequencePolicy:
    """A policy that asks a sequence model: call it with a `History`, or hand it to `collect`.

    All episodes are one batch. What was read is kept in the model's cache, so that each step reads
    only its own tokens; a history that doesn't continue the last one is read anew.

    Parameters
    ----------
    target : the return to ask for, one number or one an episode (N,); only with a goal.
    temperature, top_k, top_p : as for `decoding.distribution`; temperature 0 is greedy.
    context : steps to look back, at most as many as the layout's; None: as many.
    cached : False reads the whole context anew at each step, as a check.

    Raises
    ------
    ValueError
        A model for other tokens than the layout's; a target that is NaN, missing, or given to a
        model without goal; a context longer than the one trained.

    Warns
    -----
    UserWarning
        A target outside the range of the data.
    """

    def __init__(
        self,
        model: Transformer | LSTM,
        layout: TokenLayout,
        target: float | np.ndarray | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        context: int | None = None,
        cached: bool = True,
    ) -> None:
        ours = (layout.vocabulary, layout.n_actions)
        if (model.vocabulary, model.outputs) != ours:
            raise ValueError(
                f"the layout has {ours[0]} tokens and {ours[1]} actions, but the model was built "
                f"for {model.vocabulary} and {model.outputs}; make it with layout.transformer()."
            )
        context = layout.context if context is None else whole_number("context", context, least=1)
        if context > layout.context:
            raise ValueError(
                f"the model was trained to look back {layout.context} steps, but context={context} "
                "came; ask for fewer, or train with a longer context."
            )
        self.model, self.layout, self.context, self.cached = model, layout, context, cached
        self.target = _checked_target(target, layout)
        self.sampling = (temperature, top_k, top_p)
        self._forget()

    @torch.no_grad()
    def __call__(self, history: History) -> np.ndarray:
        """Probabilities (N, A) of the next action of each of N episodes.

        Raises
        ------
        ValueError
            States or actions without a token, targets for another number of episodes.
        """
        return distribution(self.logits(history), *self.sampling).cpu().numpy()

    @torch.no_grad()
    def logits(self, history: History) -> Tensor:
        """Logits (N, A) of the next action."""
        self._check(history)
        now = history.states.shape[1] - 1
        with evaluating(self.model):
            if now >= self.context or not self.cached:
                self._forget()
                return self.model(self._tokens(history, max(0, now + 1 - self.context)), None, -1)
            read = self._read_before(history)
            if not read:
                self._cache = self.model.new_cache(len(history.states))
            tokens = self._tokens(history, max(0, read - 1))
            if read:  # all up to the last state that was read is in the cache
                tokens = tokens[:, self.layout.front + self._at_state :]
            logits = self.model(tokens, None, -1, self._cache)
        self._seen = History(history.states.copy(), history.actions.copy(), history.rewards.copy())
        return logits

    @property
    def _at_state(self) -> int:
        """Tokens of a step up to its state."""
        return self.layout.step.index("state") + 1

    def _tokens(self, history: History, first: int) -> Tensor:
        """Tokens of the steps from `first` on, up to the present state."""
        layout, goals = self.layout, np.zeros(history.states.shape)
        if layout.goal is not None:
            goals[:] = np.broadcast_to(self.target, len(goals))[:, None]
        if layout.goal == "return_to_go":
            with np.errstate(over="ignore"):  # what can't be reached counts as the farthest level
                for t in range(history.rewards.shape[1]):
                    goals[:, t + 1] = (goals[:, t] - history.rewards[:, t]) / layout.discount
            goals = goals.clip(layout.return_levels[0], layout.return_levels[-1])
        nothing = np.zeros((len(goals), 1))
        actions = np.concatenate([history.actions, nothing.astype(np.int64)], axis=1)
        rewards = np.concatenate([history.rewards, nothing], axis=1)
        now = slice(first, None)
        tokens = layout.tokens(
            history.states[:, now], actions[:, now], rewards[:, now], goals[:, now]
        )
        upto = tokens.shape[1] - layout.per_step + self._at_state
        return tokens[:, :upto].to(self.model.head.weight.device)

    def _read_before(self, history: History) -> int:
        """Steps of this history that the cache holds already, 0 if it holds another one."""
        if self._seen is None:
            return 0
        steps = self._seen.states.shape[1]
        goes_on = (
            self._seen.states.shape[0] == history.states.shape[0]
            and steps < history.states.shape[1]
            and np.array_equal(self._seen.states, history.states[:, :steps])
            and np.array_equal(self._seen.actions, history.actions[:, : steps - 1])
            and np.array_equal(self._seen.rewards, history.rewards[:, : steps - 1])
        )
        return steps if goes_on else 0

    def _forget(self) -> None:
        self._seen: History | None = None
        self._cache = None

    def _check(self, history: History) -> None:
        episodes = len(history.states)
        if np.ndim(self.target) and len(self.target) != episodes:
            raise ValueError(
                f"there is a target for each of {len(self.target)} episodes, but {episodes} came."
            )
        states, actions = history.states, history.actions
        if states.min() < 0 or states.max() >= self.layout.n_states:
            raise ValueError(
                f"states must lie in 0..{self.layout.n_states - 1}, but {states.min()}.."
                f"{states.max()} came; the model was trained on another problem."
            )
        if actions.size and (actions.min() < 0 or actions.max() >= self.layout.n_actions):
            raise ValueError(
                f"actions must lie in 0..{self.layout.n_actions - 1}, but {actions.min()}.."
                f"{actions.max()} came; the model was trained on another problem."
            )


def _checked_target(
    target: float | np.ndarray | None, layout: TokenLayout
) -> float | np.ndarray | None:
    low, high = layout.return_range
    if layout.goal is None:
        if target is not None:
            raise ValueError(
                "this layout has no goal tokens, so there is no target to ask for; leave it out, "
                "or build the layout with goal='return_to_go'."
            )
        return None
    if target is None:
        raise ValueError(f"pass target=..., the return to ask for; the data reach {high:.6g}.")
    values = np.asarray(target, dtype=float)
    if values.ndim > 1 or not np.isfinite(values).all():
        raise ValueError(
            f"target must be a finite return, or one an episode (N,), but {target!r} came; "
            f"the data lie in {low:.6g}..{high:.6g}."
        )
    if values.size and (values.min() < low or values.max() > high):
        warnings.warn(
            f"the target {values.min():.6g}..{values.max():.6g} leaves the data's range "
            f"{low:.6g}..{high:.6g}: the model has never seen such a return, so expect about what "
            "the nearest seen return gives, or anything at all, but not that return.",
            stacklevel=3,
        )
    return values if values.ndim else float(values)
