"""Common wrong answers to assignment 1: the solution cell as a student may have written it."""

MUTANTS = {
    "a1-pessimist": {
        "canceled on the last morning only": """
def value_with_cancellations(leaves, branching, cancel):
    values = np.array(leaves, dtype=float).reshape(-1, branching)
    values = (1 - cancel) * values + cancel * values[:, :1]
    while values.size > branching:
        values = values.max(axis=1).reshape(-1, branching)
    return float(values.max())
""",
        "a canceled train is a lost trip": """
def value_with_cancellations(leaves, branching, cancel):
    values = np.array(leaves, dtype=float)
    while len(values) > 1:
        q_values = values.reshape(-1, branching)
        q_values = np.hstack([q_values[:, :1], (1 - cancel) * q_values[:, 1:]])
        values = q_values.max(axis=1)
    return float(values[0])
""",
        "wrong axis": """
def value_with_cancellations(leaves, branching, cancel):
    values = np.array(leaves, dtype=float)
    while len(values) > 1:
        q_values = values.reshape(branching, -1)
        q_values = (1 - cancel) * q_values + cancel * q_values[:1]
        values = q_values.max(axis=0)
    return float(values[0])
""",
        "the mean instead of the best": """
def value_with_cancellations(leaves, branching, cancel):
    values = np.array(leaves, dtype=float)
    while len(values) > 1:
        q_values = values.reshape(-1, branching)
        q_values = (1 - cancel) * q_values + cancel * q_values[:, :1]
        values = q_values.mean(axis=1)
    return float(values[0])
""",
        "single precision": """
import torch


def value_with_cancellations(leaves, branching, cancel):
    values = torch.tensor(leaves, dtype=torch.float32)
    while len(values) > 1:
        q_values = values.reshape(-1, branching)
        q_values = (1 - cancel) * q_values + cancel * q_values[:, :1]
        values = q_values.max(dim=1).values
    return values.squeeze()
""",
    },
    "a1-pass": {
        "missing discount": """
def plan(transitions, rewards, last, days, discount):
    values = np.zeros((days + 1, len(last)))
    values[0] = last
    for left in range(1, days + 1):
        values[left] = (rewards + transitions @ values[left - 1]).max(axis=1)
    return values
""",
        "rows count the days that have passed": """
def plan(transitions, rewards, last, days, discount):
    values = np.zeros((days + 1, len(last)))
    values[days] = last
    for day in reversed(range(days)):
        values[day] = (rewards + discount * transitions @ values[day + 1]).max(axis=1)
    return values
""",
        "the last day is worth nothing": """
def plan(transitions, rewards, last, days, discount):
    values = np.zeros((days + 1, len(last)))
    for left in range(1, days + 1):
        values[left] = (rewards + discount * transitions @ values[left - 1]).max(axis=1)
    return values
""",
        "wrong axis of the transitions": """
def plan(transitions, rewards, last, days, discount):
    values = np.zeros((days + 1, len(last)))
    values[0] = last
    for left in range(1, days + 1):
        expected = np.einsum("sat,s->ta", transitions, values[left - 1])
        values[left] = (rewards + discount * expected).max(axis=1)
    return values
""",
        "rewards are costs": """
def plan(transitions, rewards, last, days, discount):
    values = np.zeros((days + 1, len(last)))
    values[0] = last
    for left in range(1, days + 1):
        values[left] = (discount * transitions @ values[left - 1] - rewards).max(axis=1)
    return values
""",
        "an array of whole numbers, like what came": """
def plan(transitions, rewards, last, days, discount):
    values = np.zeros((days + 1, len(last)), dtype=last.dtype)
    values[0] = last
    for left in range(1, days + 1):
        q_values = rewards + discount * transitions @ values[left - 1]
        values[left] = q_values.max(axis=1)
    return values
""",
    },
    "a1-spread": {
        "the discount of the square is not squared": """
def spread(chain, rewards, discount, days):
    mean, second = np.zeros(len(rewards)), np.zeros(len(rewards))
    for _ in range(days):
        later = chain @ mean
        second = rewards**2 + 2 * discount * rewards * later + discount * chain @ second
        mean = rewards + discount * later
    return np.sqrt(np.maximum(second - mean**2, 0))
""",
        "the mixed term is missing": """
def spread(chain, rewards, discount, days):
    mean, second = np.zeros(len(rewards)), np.zeros(len(rewards))
    for _ in range(days):
        second = rewards**2 + discount**2 * chain @ second
        mean = rewards + discount * chain @ mean
    return np.sqrt(np.maximum(second - mean**2, 0))
""",
        "the variance instead of its root": """
def spread(chain, rewards, discount, days):
    mean, second = np.zeros(len(rewards)), np.zeros(len(rewards))
    for _ in range(days):
        later = chain @ mean
        second = rewards**2 + 2 * discount * rewards * later + discount**2 * chain @ second
        mean = rewards + discount * later
    return second - mean**2
""",
        "one day too many": """
def spread(chain, rewards, discount, days):
    mean, second = np.zeros(len(rewards)), np.zeros(len(rewards))
    for _ in range(days + 1):
        later = chain @ mean
        second = rewards**2 + 2 * discount * rewards * later + discount**2 * chain @ second
        mean = rewards + discount * later
    return np.sqrt(np.maximum(second - mean**2, 0))
""",
        "the mean is renewed before it is used": """
def spread(chain, rewards, discount, days):
    mean, second = np.zeros(len(rewards)), np.zeros(len(rewards))
    for _ in range(days):
        mean = rewards + discount * chain @ mean
        mixed = 2 * discount * rewards * (chain @ mean)
        second = rewards**2 + mixed + discount**2 * chain @ second
    return np.sqrt(np.maximum(second - mean**2, 0))
""",
        "rounding goes below 0": """
def spread(chain, rewards, discount, days):
    mean, second = np.zeros(len(rewards)), np.zeros(len(rewards))
    for _ in range(days):
        later = chain @ mean
        second = rewards**2 + 2 * discount * rewards * later + discount**2 * chain @ second
        mean = rewards + discount * later
    with np.errstate(invalid="ignore"):
        return np.sqrt(second - mean**2)
""",
    },
    "a1-look": {
        "one day short": """
def look_ahead(worth, branching, days):
    starts = [0]
    while starts[-1] < len(worth):
        starts.append(branching * starts[-1] + 1)
    horizon, actions = len(starts) - 2, []
    for t in range(horizon):
        seen = min(max(t + days - 1, t + 1), horizon)
        level = np.asarray(worth)[starts[seen] : starts[seen + 1]]
        best = level.reshape(branching**t, branching, -1).max(axis=2)
        actions.append(best.argmax(axis=1))
    return np.concatenate(actions)
""",
        "wrong axis": """
def look_ahead(worth, branching, days):
    starts = [0]
    while starts[-1] < len(worth):
        starts.append(branching * starts[-1] + 1)
    horizon, actions = len(starts) - 2, []
    for t in range(horizon):
        seen = min(t + days, horizon)
        level = np.asarray(worth)[starts[seen] : starts[seen + 1]]
        best = level.reshape(branching**t, -1, branching).max(axis=1)
        actions.append(best.argmax(axis=1))
    return np.concatenate(actions)
""",
        "the mean of what is seen": """
def look_ahead(worth, branching, days):
    starts = [0]
    while starts[-1] < len(worth):
        starts.append(branching * starts[-1] + 1)
    horizon, actions = len(starts) - 2, []
    for t in range(horizon):
        seen = min(t + days, horizon)
        level = np.asarray(worth)[starts[seen] : starts[seen + 1]]
        best = level.reshape(branching**t, branching, -1).mean(axis=2)
        actions.append(best.argmax(axis=1))
    return np.concatenate(actions)
""",
        "looks past the leaves": """
def look_ahead(worth, branching, days):
    starts = [0]
    while starts[-1] < len(worth):
        starts.append(branching * starts[-1] + 1)
    horizon, actions = len(starts) - 2, []
    for t in range(horizon):
        level = np.asarray(worth)[starts[t + days] : starts[t + days + 1]]
        best = level.reshape(branching**t, branching, -1).max(axis=2)
        actions.append(best.argmax(axis=1))
    return np.concatenate(actions)
""",
        "the last of equally good actions": """
def look_ahead(worth, branching, days):
    starts = [0]
    while starts[-1] < len(worth):
        starts.append(branching * starts[-1] + 1)
    horizon, actions = len(starts) - 2, []
    for t in range(horizon):
        seen = min(t + days, horizon)
        level = np.asarray(worth)[starts[seen] : starts[seen + 1]]
        best = level.reshape(branching**t, branching, -1).max(axis=2)
        actions.append(branching - 1 - best[:, ::-1].argmax(axis=1))
    return np.concatenate(actions)
""",
    },
    "a1-regret": {
        "not divided by the number of trees": """
def mean_regret(days, seeds):
    total = 0.0
    for tree in [TravelTree(seed=s) for s in seeds]:
        worth = tree.enjoyment(np.arange(tree.n_states))
        policy = np.zeros(tree.n_states, dtype=int)
        policy[: tree.first_leaf] = look_ahead(worth, tree.branching, days)
        total += regret_of(tree, policy)
    return total
""",
        "always the same tree": """
def mean_regret(days, seeds):
    regrets = []
    for _ in seeds:
        tree = TravelTree()
        worth = tree.enjoyment(np.arange(tree.n_states))
        policy = np.zeros(tree.n_states, dtype=int)
        policy[: tree.first_leaf] = look_ahead(worth, tree.branching, days)
        regrets.append(regret_of(tree, policy))
    return float(np.mean(regrets))
""",
        "what is lost in stars": """
def mean_regret(days, seeds):
    regrets = []
    for tree in [TravelTree(seed=s) for s in seeds]:
        worth = tree.enjoyment(np.arange(tree.n_states))
        policy = np.zeros(tree.n_states, dtype=int)
        policy[: tree.first_leaf] = look_ahead(worth, tree.branching, days)
        regrets.append(tree.optimal_return() - tree.expected_return(policy))
    return float(np.mean(regrets))
""",
    },
}
