"""What the methods of learning from experience move their tables toward.

All of them take a step from state s by action a, are paid r, arrive in s', and correct an entry:

    Q(s, a) <- Q(s, a) + step_size * (target - Q(s, a))

They differ in nothing but the target, so this page holds all there is to tell them apart (Sutton
and Barto, *Reinforcement Learning: An Introduction*, 2nd ed., 2018, chapters 5, 6 and 12). Five of
them know their target once the step is taken; two wait until the episode is over. Arrays hold N
steps, or N episodes, side by side; an axis of actions comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Step(NamedTuple):
    """What is known once N steps were taken.

    Attributes
    ----------
    rewards : (N,) float; r
    discount : (N,) float; 0 where the episode ended for good, since nothing follows
    q : (A, N) float; Q(s', .), what the table says about the states that came
    other_q : (A, N) float or None; the same in Double Q-learning's other table
    next_actions : (N,) int or None; a', the actions that are taken next
    expected_q : () -> (N,) float; the mean of Q(s', .) under the policy that acts
    """

    rewards: np.ndarray
    discount: np.ndarray
    q: np.ndarray
    other_q: np.ndarray | None
    next_actions: np.ndarray | None
    expected_q: Callable[[], np.ndarray]


def td(step: Step) -> np.ndarray:
    """r + discount * V(s'): a table of one column values the states under a given policy."""
    return step.rewards + step.discount * step.q[0]


def sarsa(step: Step) -> np.ndarray:
    """r + discount * Q(s', a'), with the action a' that is taken next."""
    return step.rewards + step.discount * _pick(step.q, step.next_actions)


def expected_sarsa(step: Step) -> np.ndarray:
    """r + discount * sum of pi(a' | s') Q(s', a'), over all that might be done next."""
    return step.rewards + step.discount * step.expected_q()


def q_learning(step: Step) -> np.ndarray:
    """r + discount * max Q(s', .): as if the best were done from now on, whatever is done."""
    return step.rewards + step.discount * step.q.max(axis=0)


def double_q_learning(step: Step) -> np.ndarray:
    """r + discount * Q2(s', argmax Q1(s', .)): one table chooses, the other one says what it's
    worth, so that no luck is counted twice (van Hasselt, *Double Q-learning*, 2010)."""
    return step.rewards + step.discount * _pick(step.other_q, argmax_columns(step.q))


class Episode(NamedTuple):
    """What is known once N episodes are over, of which the longest took T steps.

    Attributes
    ----------
    rewards : (T, N) float; 0 after an episode's last step
    discount : float
    last : (N,) int; the row of each episode's last step
    next_q : () -> (T, N) float
        Q(s', a') of the actions that were taken next; after the last step 0, or, where only the
        clock cut the episode short, the mean of Q(s', .) under the policy that acts.
    trace_decay : float; lambda
    """

    rewards: np.ndarray
    discount: float
    last: np.ndarray
    next_q: Callable[[], np.ndarray]
    trace_decay: float


def monte_carlo(episode: Episode) -> np.ndarray:
    """The return itself, G = r + discount * G': what was earned from here to the end."""
    returns = episode.rewards.copy()
    for t in reversed(range(len(returns) - 1)):
        returns[t] += episode.discount * returns[t + 1]
    return returns


def sarsa_lambda(episode: Episode) -> np.ndarray:
    """G = r + discount * ((1 - lambda) * Q(s', a') + lambda * G'): SARSA's target for lambda = 0,
    Monte Carlo's for 1, and in between a mean of all n-step returns."""
    targets, next_q, decay = episode.rewards.copy(), episode.next_q(), episode.trace_decay
    later = next_q[-1]
    for t in reversed(range(len(targets))):
        later = np.where(t < episode.last, later, next_q[t])
        targets[t] += episode.discount * ((1 - decay) * next_q[t] + decay * later)
        later = targets[t]
    return targets


AFTER_A_STEP = {
    "td": td,
    "sarsa": sarsa,
    "expected_sarsa": expected_sarsa,
    "q_learning": q_learning,
    "double_q_learning": double_q_learning,
}
AFTER_AN_EPISODE = {"monte_carlo": monte_carlo, "sarsa_lambda": sarsa_lambda}


def argmax_columns(columns: np.ndarray) -> np.ndarray:
    """Which of a few long columns is the largest: (A, N) -> (N,). Faster than argmax(axis=0)."""
    best, largest = np.zeros(columns.shape[1], dtype=np.int64), columns[0].copy()
    for action in range(1, len(columns)):
        best[columns[action] > largest] = action
        np.maximum(largest, columns[action], out=largest)
    return best


def _pick(columns: np.ndarray, actions: np.ndarray) -> np.ndarray:
    return columns[actions, np.arange(len(actions))]
