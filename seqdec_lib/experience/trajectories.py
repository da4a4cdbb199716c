"""Trajectories: the one container that every policy writes and every learner reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqdec_lib.mdp import policy_rows
from seqdec_lib.problems.base import History, Policy, Problem
from seqdec_lib.validation import fraction, probability_rows, whole_number


@dataclass(frozen=True)
class Trajectories:
    """N episodes of at most T steps, (s_0, a_0, r_1, s_1, ..., a_{T-1}, r_T, s_T), padded to one
    length.

    states : (N, T + 1) int; what the agent saw before each action, and after the last one; later,
        the same again.
    actions : (N, T) int
    rewards : (N, T) float; rewards[:, t] is paid for actions[:, t].
    mask : (N, T) bool; True where a step was taken; False after the end of the episode, where all
        else is padding.
    terminated : (N,) bool; True where the episode came to its end; False where only the clock cut
        it short.
    Raises ValueError: shapes that don't match, no episode, an episode without a step, a gap in the
        mask, NaN rewards."""

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    mask: np.ndarray
    terminated: np.ndarray

    def __post_init__(self) -> None:
        episodes, steps = np.shape(self.actions) if np.ndim(self.actions) == 2 else (0, 0)
        if not episodes or not steps:
            raise ValueError(
                f"actions must have shape (N, T) with N, T >= 1, but {np.shape(self.actions)} came."
            )
        expected = {
            "states": (episodes, steps + 1),
            "rewards": (episodes, steps),
            "mask": (episodes, steps),
            "terminated": (episodes,),
        }
        for name, shape in expected.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(
                    f"{name} must have shape {shape} to match actions of shape "
                    f"{(episodes, steps)}, but {np.shape(getattr(self, name))} came."
                )
        if not self.mask[:, 0].all() or (self.mask[:, 1:] & ~self.mask[:, :-1]).any():
            raise ValueError(
                "mask must be True from the first step to an episode's last, and False after it."
            )
        if not np.isfinite(self.rewards).all():
            raise ValueError(
                "rewards must be finite numbers, but some are NaN or infinite; drop those "
                "episodes, or look for what made them."
            )

    def __len__(self) -> int:
        return len(self.actions)

    def __getitem__(self, episodes: slice | np.ndarray) -> "Trajectories":
        """Some of the episodes: a slice, whole numbers or a mask (N,)."""
        return Trajectories(
            self.states[episodes],
            self.actions[episodes],
            self.rewards[episodes],
            self.mask[episodes],
            self.terminated[episodes],
        )

    @property
    def lengths(self) -> np.ndarray:
        """Steps taken in each episode, (N,)."""
        return self.mask.sum(axis=1)

    @classmethod
    def from_episodes(
        cls,
        states: Sequence[Sequence[int]],
        actions: Sequence[Sequence[int]],
        rewards: Sequence[Sequence[float]],
        terminated: Sequence[bool] | None = None,
    ) -> "Trajectories":
        """Pad episodes of different lengths to one: a list of states, actions and rewards each.

        states : one more than actions, the last being what was seen after the last action.
        terminated : as for the class; None: every episode came to its end.
        Raises ValueError: no episode, an empty one, one whose states, actions and rewards don't
            belong together."""
        counts = len(states), len(actions), len(rewards)
        if not counts[0] or len(set(counts)) > 1:
            raise ValueError(
                "an episode needs its states, actions and rewards, and there must be at least one "
                f"episode, but {counts[0]} lists of states, {counts[1]} of actions and "
                f"{counts[2]} of rewards came."
            )
        lengths = np.array([len(episode) for episode in actions])
        for i, episode in enumerate(zip(states, actions, rewards, strict=True)):
            seen, taken, paid = (len(part) for part in episode)
            if not taken or seen != taken + 1 or paid != taken:
                raise ValueError(
                    f"episode {i} must have T >= 1 actions, T rewards and T + 1 states, but "
                    f"{taken} actions, {paid} rewards and {seen} states came; drop it, or complete "
                    "it (the last state is what was seen after the last action)."
                )
        mask = np.arange(lengths.max()) < lengths[:, None]
        after = np.minimum(np.arange(lengths.max() + 1), lengths[:, None])  # the last state again
        flat_actions, flat_rewards = np.zeros(mask.shape, dtype=np.int64), np.zeros(mask.shape)
        flat_actions[mask] = _whole("actions", np.concatenate([np.asarray(a) for a in actions]))
        flat_rewards[mask] = np.concatenate([np.asarray(r, dtype=float) for r in rewards])
        flat_states = _whole("states", np.concatenate([np.asarray(s) for s in states]))
        first = np.cumsum(lengths + 1) - (lengths + 1)
        ended = np.ones(len(lengths), dtype=bool) if terminated is None else np.array(terminated)
        return cls(flat_states[first[:, None] + after], flat_actions, flat_rewards, mask, ended)

    @classmethod
    def complete(cls, history: History) -> "Trajectories":
        """Episodes that were all played to the end, from their histories at the last step."""
        taken = np.ones(history.actions.shape, dtype=bool)
        return cls(history.states, history.actions, history.rewards, taken, taken[:, -1])

    def returns_to_go(self, discount: float = 1.0) -> np.ndarray:
        """G_t, the discounted sum of rewards from step t on: (N, T), 0 where no step was taken.
        Raises ValueError: rewards so large that their sum is no number."""
        discount = fraction("discount", discount)
        to_go = np.zeros((len(self), self.actions.shape[1] + 1))
        for t in reversed(range(self.actions.shape[1])):
            paid = np.where(self.mask[:, t], self.rewards[:, t], 0.0)
            with np.errstate(over="ignore", invalid="ignore"):
                to_go[:, t] = (paid + discount * to_go[:, t + 1]) * self.mask[:, t]
        if not np.isfinite(to_go).all():
            raise ValueError("returns-to-go must be finite, but some are not; scale the rewards.")
        return to_go[:, :-1]

    def returns(self, discount: float = 1.0) -> np.ndarray:
        """G_0, the return of each whole episode, (N,)."""
        return self.returns_to_go(discount)[:, 0]

    def top(self, share: float, discount: float = 1.0) -> "Trajectories":
        """The best `share` of the episodes by return, at least one: what top-x % cloning imitates.

        Where episodes are equally good, earlier ones are kept. The order stays.

        Raises ValueError: a share outside (0, 1]."""
        if fraction("share", share) == 0:
            raise ValueError("share must lie in (0, 1], but 0 came: that leaves no episode.")
        count = max(1, round(share * len(self)))
        best = np.argsort(-self.returns(discount), kind="stable")[:count]
        return self[np.sort(best)]


def concatenate(parts: Sequence[Trajectories]) -> Trajectories:
    """One dataset of several, padded to the longest. Raises ValueError: no parts."""
    if not parts:
        raise ValueError("concatenate needs at least one dataset, but none came.")
    steps = max(part.actions.shape[1] for part in parts)

    def padded(name: str, mode: str, length: int) -> np.ndarray:
        arrays = [getattr(part, name) for part in parts]
        widths = [((0, 0), (0, length - array.shape[1])) for array in arrays]
        return np.concatenate(
            [np.pad(a, w, mode=mode) for a, w in zip(arrays, widths, strict=True)]
        )

    return Trajectories(
        padded("states", "edge", steps + 1),
        padded("actions", "constant", steps),
        padded("rewards", "constant", steps),
        padded("mask", "constant", steps),
        np.concatenate([part.terminated for part in parts]),
    )


def _whole(name: str, values: np.ndarray) -> np.ndarray:
    if not np.issubdtype(values.dtype, np.integer):
        raise ValueError(
            f"{name} must be whole numbers, but {values.dtype} came; number them 0, 1, 2, ..."
        )
    return values.astype(np.int64)


def as_policy(policy: Policy | np.ndarray | None, problem: Problem) -> Policy:
    """Make a policy of a table, (S,) int or (S, A) over observations, or of None: uniform."""
    if policy is None:
        return lambda history: np.full(
            (len(history.states), problem.n_actions), 1 / problem.n_actions
        )
    if callable(policy):
        return policy
    rows = policy_rows(policy, problem.n_observations, problem.n_actions)
    return lambda history: rows[history.states[:, -1]]


def sample_actions(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an action from each row of probabilities: (N, A) -> (N,)."""
    cumulative = np.cumsum(probabilities, axis=1)
    # The last sum may be 0.9999...: scaling the draw instead keeps every action in range.
    draws = rng.random((len(probabilities), 1)) * cumulative[:, -1:]
    return (draws >= cumulative).sum(axis=1)


def collect(
    problem: Problem, policy: Policy | np.ndarray | None, episodes: int, seed: int
) -> Trajectories:
    """Play many episodes at once and keep what the agent saw, did and earned.

    policy : a function of `History`, a table (S,) or (S, A) over observations, or None: uniform.
    Raises ValueError: a policy whose rows don't sum to 1 or have another shape; episodes < 1."""
    episodes = whole_number("episodes", episodes, least=1)
    act = as_policy(policy, problem)
    rng = np.random.default_rng(whole_number("seed", seed, least=0))
    steps = problem.horizon
    now = problem.reset(episodes, rng)
    states = np.empty((episodes, steps + 1), dtype=np.int64)
    states[:, 0] = problem.observe(now)
    actions = np.zeros((episodes, steps), dtype=np.int64)
    rewards, mask = np.zeros((episodes, steps)), np.zeros((episodes, steps), dtype=bool)
    going, terminated = np.ones(episodes, dtype=bool), np.zeros(episodes, dtype=bool)
    for t in range(steps):
        probabilities = act(History(states[:, : t + 1], actions[:, :t], rewards[:, :t]))
        if np.shape(probabilities) != (episodes, problem.n_actions):
            raise ValueError(
                f"the policy must give probabilities of shape {(episodes, problem.n_actions)}, "
                f"but {np.shape(probabilities)} came."
            )
        chosen = sample_actions(probability_rows("the policy", probabilities), rng)
        actions[going, t], mask[:, t] = chosen[going], going
        now = now.copy()
        happened = problem.step(now[going], chosen[going], rng)
        now[going], rewards[going, t], terminated[going] = happened
        states[:, t + 1] = problem.observe(now)
        going = going & ~terminated
        if not going.any():
            used = slice(0, t + 1)
            return Trajectories(
                states[:, : t + 2], actions[:, used], rewards[:, used], mask[:, used], terminated
            )
    return Trajectories(states, actions, rewards, mask, terminated)


def collect_mixture(
    problem: Problem,
    policies: Sequence[Policy | np.ndarray | None],
    shares: Sequence[float],
    episodes: int,
    seed: int,
) -> Trajectories:
    """Play episodes with several behavior policies, each a share of them, in random order.

    policies : as for `collect`.
    shares : of the episodes, summing to 1; rounded so that the episodes are shared out exactly.
    Raises ValueError: shares that don't sum to 1, or not as many as policies; and all that
        `collect` raises."""
    episodes = whole_number("episodes", episodes, least=1)
    shares = probability_rows("shares", np.atleast_1d(np.asarray(shares, dtype=float)))
    if shares.ndim != 1 or len(shares) != len(policies):
        raise ValueError(f"{len(policies)} policies need one share each, but {shares} came.")
    ends = np.rint(np.cumsum(shares) * episodes).astype(int)
    counts = np.diff(ends, prepend=0)
    sequence = np.random.SeedSequence(whole_number("seed", seed, least=0))
    seeds = sequence.generate_state(len(policies) + 1)
    parts = [
        collect(problem, policy, int(count), int(own))
        for policy, count, own in zip(policies, counts, seeds[1:], strict=True)
        if count
    ]
    return concatenate(parts)[np.random.default_rng(seeds[0]).permutation(episodes)]
