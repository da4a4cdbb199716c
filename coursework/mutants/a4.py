"""Common wrong answers to assignment 4: the solution cell as a student may have written it."""

MUTANTS = {
    "a4-goals": {
        "off by one: the day itself is left out": """
def goals(rewards, lengths, discount):
    rewards = np.asarray(rewards, dtype=float)
    trips, days = rewards.shape
    taken = np.arange(days) < np.asarray(lengths)[:, None]
    paid = np.where(taken, rewards, 0)
    to_go = np.zeros((trips, days + 1))
    for t in reversed(range(days)):
        to_go[:, t] = paid[:, t] + discount * to_go[:, t + 1]
    return to_go[:, 1:]
""",
        "padding counted": """
def goals(rewards, lengths, discount):
    rewards = np.asarray(rewards, dtype=float)
    trips, days = rewards.shape
    taken = np.arange(days) < np.asarray(lengths)[:, None]
    paid = np.nan_to_num(rewards)
    to_go = np.zeros((trips, days + 1))
    for t in reversed(range(days)):
        to_go[:, t] = paid[:, t] + discount * to_go[:, t + 1]
    return to_go[:, :-1]
""",
        "missing discount": """
def goals(rewards, lengths, discount):
    rewards = np.asarray(rewards, dtype=float)
    trips, days = rewards.shape
    taken = np.arange(days) < np.asarray(lengths)[:, None]
    paid = np.where(taken, rewards, 0)
    to_go = np.zeros((trips, days + 1))
    for t in reversed(range(days)):
        to_go[:, t] = paid[:, t] + to_go[:, t + 1]
    return to_go[:, :-1]
""",
        "wrong axis": """
def goals(rewards, lengths, discount):
    rewards = np.asarray(rewards, dtype=float)
    trips, days = rewards.shape
    taken = np.arange(days) < np.asarray(lengths)[:, None]
    paid = np.where(taken, rewards, 0)
    to_go = np.zeros((trips, days + 1))
    to_go = np.zeros((trips + 1, days))
    for n in reversed(range(trips)):
        to_go[n] = paid[n] + discount * to_go[n + 1]
    return to_go[:-1]
""",
        "what was earned so far": """
def goals(rewards, lengths, discount):
    rewards = np.asarray(rewards, dtype=float)
    trips, days = rewards.shape
    taken = np.arange(days) < np.asarray(lengths)[:, None]
    paid = np.where(taken, rewards, 0)
    to_go = np.zeros((trips, days + 1))
    powers = discount ** np.arange(days)
    return np.cumsum(paid * powers, axis=1) * taken
""",
        "padding is multiplied by 0": """
def goals(rewards, lengths, discount):
    rewards = np.asarray(rewards, dtype=float)
    trips, days = rewards.shape
    taken = np.arange(days) < np.asarray(lengths)[:, None]
    paid = rewards * taken
    to_go = np.zeros((trips, days + 1))
    for t in reversed(range(days)):
        to_go[:, t] = paid[:, t] + discount * to_go[:, t + 1]
    return to_go[:, :-1] * taken
""",
    },
    "a4-reading": {
        "leaks the action of today": """
def reading(to_go, states, actions, t, context):
    read = []
    for day in range(max(0, t - context + 1), t + 1):
        read += [to_go[day], states[day], actions[day]]
    return read
""",
        "one step too many": """
def reading(to_go, states, actions, t, context):
    read = []
    for day in range(max(0, t - context), t + 1):
        read += [to_go[day], states[day], actions[day]]
    return read[:-1]
""",
        "the first return everywhere": """
def reading(to_go, states, actions, t, context):
    read = []
    for day in range(max(0, t - context + 1), t + 1):
        read += [to_go[0], states[day], actions[day]]
    return read[:-1]
""",
        "the state before the return": """
def reading(to_go, states, actions, t, context):
    read = []
    for day in range(max(0, t - context + 1), t + 1):
        read += [states[day], to_go[day], actions[day]]
    return read[:-1]
""",
    },
    "a4-mixture": {
        "guides are mixed by their shares everywhere": """
def clone_of_mixture(shares, visits, policies):
    weights = np.asarray(shares)[:, None] * np.ones(np.shape(visits))  # (I, S)
    counts = (weights[:, :, None] * policies).sum(axis=0)
    total = weights.sum(axis=0)[:, None]
    uniform = np.full(counts.shape, 1 / counts.shape[1])
    return np.where(total > 0, counts / np.where(total > 0, total, 1), uniform)
""",
        "the shares are forgotten": """
def clone_of_mixture(shares, visits, policies):
    weights = np.asarray(visits, dtype=float)  # (I, S)
    counts = (weights[:, :, None] * policies).sum(axis=0)
    total = weights.sum(axis=0)[:, None]
    uniform = np.full(counts.shape, 1 / counts.shape[1])
    return np.where(total > 0, counts / np.where(total > 0, total, 1), uniform)
""",
        "rows do not add up": """
def clone_of_mixture(shares, visits, policies):
    weights = np.asarray(shares)[:, None] * visits  # (I, S)
    counts = (weights[:, :, None] * policies).sum(axis=0)
    total = weights.sum(axis=0)[:, None]
    uniform = np.full(counts.shape, 1 / counts.shape[1])
    return np.where(total > 0, counts / 1, uniform)
""",
        "nobody's states get zeros": """
def clone_of_mixture(shares, visits, policies):
    weights = np.asarray(shares)[:, None] * visits  # (I, S)
    counts = (weights[:, :, None] * policies).sum(axis=0)
    total = weights.sum(axis=0)[:, None]
    uniform = np.full(counts.shape, 0.0)
    return np.where(total > 0, counts / np.where(total > 0, total, 1), uniform)
""",
    },
    "a4-wish": {
        "the later actions are conditioned too": """
def wish_policy(leaves, branching, target, cancel):
    reach, rows = (np.asarray(leaves) >= target).astype(float), []
    while len(reach) > 1:
        after = reach.reshape(-1, branching)
        after = (1 - cancel) * after + cancel * after[:, :1]
        total = after.sum(axis=1, keepdims=True)
        known = after / np.where(total > 0, total, 1)
        rows.insert(0, np.where(total > 0, known, 1 / branching))
        reach = after.max(axis=1)
    return np.concatenate(rows)
""",
        "more than the target": """
def wish_policy(leaves, branching, target, cancel):
    reach, rows = (np.asarray(leaves) >  target).astype(float), []
    while len(reach) > 1:
        after = reach.reshape(-1, branching)
        after = (1 - cancel) * after + cancel * after[:, :1]
        total = after.sum(axis=1, keepdims=True)
        known = after / np.where(total > 0, total, 1)
        rows.insert(0, np.where(total > 0, known, 1 / branching))
        reach = after.mean(axis=1)
    return np.concatenate(rows)
""",
        "no train is ever canceled": """
def wish_policy(leaves, branching, target, cancel):
    reach, rows = (np.asarray(leaves) >= target).astype(float), []
    while len(reach) > 1:
        after = reach.reshape(-1, branching)
        total = after.sum(axis=1, keepdims=True)
        known = after / np.where(total > 0, total, 1)
        rows.insert(0, np.where(total > 0, known, 1 / branching))
        reach = after.mean(axis=1)
    return np.concatenate(rows)
""",
        "wrong axis": """
def wish_policy(leaves, branching, target, cancel):
    reach, rows = (np.asarray(leaves) >= target).astype(float), []
    while len(reach) > 1:
        after = reach.reshape(-1, branching)
        after = (1 - cancel) * after + cancel * after[:, :1]
        total = after.sum(axis=0, keepdims=True)
        known = after / np.where(total > 0, total, 1)
        rows.insert(0, np.where(total > 0, known, 1 / branching))
        reach = after.mean(axis=1)
    return np.concatenate(rows)
""",
        "zeros where the target is out of reach": """
def wish_policy(leaves, branching, target, cancel):
    reach, rows = (np.asarray(leaves) >= target).astype(float), []
    while len(reach) > 1:
        after = reach.reshape(-1, branching)
        after = (1 - cancel) * after + cancel * after[:, :1]
        total = after.sum(axis=1, keepdims=True)
        known = after / np.where(total > 0, total, 1)
        rows.insert(0, np.where(total > 0, known, 0.0))
        reach = after.mean(axis=1)
    return np.concatenate(rows)
""",
    },
    "a4-regret": {
        "the wish counts from the worst leaf": """
def wish_regret(rank, cancel, seed):
    tree = TravelTree(horizon=5, seed=seed, cancel=cancel)
    leaves = tree.level_enjoyment(5)
    rows = wish_policy(leaves, 3, np.sort(leaves)[rank - 1], cancel)
    policy = np.vstack([rows, np.full((tree.n_leaves, 3), 1 / 3)])
    return regret_of(tree, policy)
""",
        "off by one rank": """
def wish_regret(rank, cancel, seed):
    tree = TravelTree(horizon=5, seed=seed, cancel=cancel)
    leaves = tree.level_enjoyment(5)
    rows = wish_policy(leaves, 3, np.sort(leaves)[-rank - 1 if rank < len(leaves) else 0], cancel)
    policy = np.vstack([rows, np.full((tree.n_leaves, 3), 1 / 3)])
    return regret_of(tree, policy)
""",
        "measured where all trains run": """
def wish_regret(rank, cancel, seed):
    tree = TravelTree(horizon=5, seed=seed, cancel=cancel)
    leaves = tree.level_enjoyment(5)
    rows = wish_policy(leaves, 3, np.sort(leaves)[-rank], cancel)
    policy = np.vstack([rows, np.full((tree.n_leaves, 3), 1 / 3)])
    return regret_of(TravelTree(horizon=5, seed=seed), policy)
""",
        "takes the likeliest action": """
def wish_regret(rank, cancel, seed):
    tree = TravelTree(horizon=5, seed=seed, cancel=cancel)
    leaves = tree.level_enjoyment(5)
    rows = wish_policy(leaves, 3, np.sort(leaves)[-rank], cancel)
    policy = np.vstack([rows, np.full((tree.n_leaves, 3), 1 / 3)])
    return regret_of(tree, policy.argmax(axis=1))
""",
    },
}
