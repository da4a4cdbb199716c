"""Common wrong answers to assignment 2: the solution cell as a student may have written it."""

MUTANTS = {
    "a2-replay": {
        "something follows the end": """
def replay(diary, n_states, n_actions, discount, step_size, passes):
    q = np.zeros((n_states, n_actions))
    for _ in range(passes):
        for state, action, reward, after, ended in diary:
            target = reward + discount * q[after].max()
            q[state, action] += step_size * (target - q[state, action])
    return q
""",
        "missing discount": """
def replay(diary, n_states, n_actions, discount, step_size, passes):
    q = np.zeros((n_states, n_actions))
    for _ in range(passes):
        for state, action, reward, after, ended in diary:
            target = reward + (0 if ended else q[after].max())
            q[state, action] += step_size * (target - q[state, action])
    return q
""",
        "the mean of the next row": """
def replay(diary, n_states, n_actions, discount, step_size, passes):
    q = np.zeros((n_states, n_actions))
    for _ in range(passes):
        for state, action, reward, after, ended in diary:
            target = reward + (0 if ended else discount * q[after].mean())
            q[state, action] += step_size * (target - q[state, action])
    return q
""",
        "best of the state that was left": """
def replay(diary, n_states, n_actions, discount, step_size, passes):
    q = np.zeros((n_states, n_actions))
    for _ in range(passes):
        for state, action, reward, after, ended in diary:
            target = reward + (0 if ended else discount * q[state].max())
            q[state, action] += step_size * (target - q[state, action])
    return q
""",
        "reads only once": """
def replay(diary, n_states, n_actions, discount, step_size, passes):
    q = np.zeros((n_states, n_actions))
    for _ in range(1):
        for state, action, reward, after, ended in diary:
            target = reward + (0 if ended else discount * q[after].max())
            q[state, action] += step_size * (target - q[state, action])
    return q
""",
        "forgets between readings": """
def replay(diary, n_states, n_actions, discount, step_size, passes):
    for _ in range(passes):
        q = np.zeros((n_states, n_actions))
        for state, action, reward, after, ended in diary:
            target = reward + (0 if ended else discount * q[after].max())
            q[state, action] += step_size * (target - q[state, action])
    return q
""",
    },
    "a2-plan": {
        "reads the table while it is written": """
def plan_in_diary(diary, n_states, n_actions, discount, sweeps):
    q, visits = np.zeros((n_states, n_actions)), np.zeros((n_states, n_actions))
    for state, action, *_ in diary:
        visits[state, action] += 1
    for _ in range(sweeps):
        for s, a in np.argwhere(visits > 0):
            q[s, a] = np.mean(
                [r + (not e) * discount * q[x].max() for i, j, r, x, e in diary if (i, j) == (s, a)]
            )
    return q
""",
        "the sum instead of the mean": """
def plan_in_diary(diary, n_states, n_actions, discount, sweeps):
    q, visits = np.zeros((n_states, n_actions)), np.zeros((n_states, n_actions))
    for state, action, *_ in diary:
        visits[state, action] += 1
    for _ in range(sweeps):
        best, total = q.max(axis=1), np.zeros((n_states, n_actions))
        for state, action, reward, after, ended in diary:
            total[state, action] += reward + (not ended) * discount * best[after]
        q = total
    return q
""",
        "something follows the end": """
def plan_in_diary(diary, n_states, n_actions, discount, sweeps):
    q, visits = np.zeros((n_states, n_actions)), np.zeros((n_states, n_actions))
    for state, action, *_ in diary:
        visits[state, action] += 1
    for _ in range(sweeps):
        best, total = q.max(axis=1), np.zeros((n_states, n_actions))
        for state, action, reward, after, ended in diary:
            total[state, action] += reward + discount * best[after]
        q = total / np.maximum(visits, 1)
    return q
""",
        "wrong axis": """
def plan_in_diary(diary, n_states, n_actions, discount, sweeps):
    q, visits = np.zeros((n_states, n_actions)), np.zeros((n_states, n_actions))
    for state, action, *_ in diary:
        visits[state, action] += 1
    for _ in range(sweeps):
        best, total = q.max(axis=0), np.zeros((n_states, n_actions))
        for state, action, reward, after, ended in diary:
            total[state, action] += reward + (not ended) * discount * best[after % n_actions]
        q = total / np.maximum(visits, 1)
    return q
""",
        "one sweep short": """
def plan_in_diary(diary, n_states, n_actions, discount, sweeps):
    q, visits = np.zeros((n_states, n_actions)), np.zeros((n_states, n_actions))
    for state, action, *_ in diary:
        visits[state, action] += 1
    for _ in range(sweeps - 1):
        best, total = q.max(axis=1), np.zeros((n_states, n_actions))
        for state, action, reward, after, ended in diary:
            total[state, action] += reward + (not ended) * discount * best[after]
        q = total / np.maximum(visits, 1)
    return q
""",
    },
    "a2-mean": {
        "first visits only": """
def values_by_mean(trips, n_states, discount):
    total, visits = np.zeros(n_states), np.zeros(n_states)
    for trip in trips:
        to_go, first = 0.0, {}
        for state, reward in reversed(trip):
            to_go = reward + discount * to_go
            first[state] = to_go
        for state, value in first.items():
            total[state] += value
            visits[state] += 1
    return total / np.maximum(visits, 1)
""",
        "missing discount": """
def values_by_mean(trips, n_states, discount):
    total, visits = np.zeros(n_states), np.zeros(n_states)
    for trip in trips:
        to_go = 0.0
        for state, reward in reversed(trip):
            to_go = reward + to_go
            total[state] += to_go
            visits[state] += 1
    return total / np.maximum(visits, 1)
""",
        "off by one: the return after the step": """
def values_by_mean(trips, n_states, discount):
    total, visits = np.zeros(n_states), np.zeros(n_states)
    for trip in trips:
        to_go = 0.0
        for state, reward in reversed(trip):
            total[state] += to_go
            visits[state] += 1
            to_go = reward + discount * to_go
    return total / np.maximum(visits, 1)
""",
        "divided by the number of trips": """
def values_by_mean(trips, n_states, discount):
    total, visits = np.zeros(n_states), np.zeros(n_states)
    for trip in trips:
        to_go = 0.0
        for state, reward in reversed(trip):
            to_go = reward + discount * to_go
            total[state] += to_go
            visits[state] += 1
    return total / len(trips)
""",
    },
    "a2-model": {
        "shares without the trips that ended": """
def values_by_model(trips, n_states, discount):
    rewards, visits = np.zeros(n_states), np.zeros(n_states)
    chain = np.zeros((n_states, n_states))
    for trip in trips:
        for t, (state, reward) in enumerate(trip):
            rewards[state] += reward
            visits[state] += 1
            if t + 1 < len(trip):
                chain[state, trip[t + 1][0]] += 1
    leaves = np.maximum(chain.sum(axis=1), 1)
    chain, rewards = chain / leaves[:, None], rewards / np.maximum(visits, 1)
    return np.linalg.solve(np.eye(n_states) - 0.999 * discount * chain, rewards)
""",
        "wrong axis": """
def values_by_model(trips, n_states, discount):
    rewards, visits = np.zeros(n_states), np.zeros(n_states)
    chain = np.zeros((n_states, n_states))
    for trip in trips:
        for t, (state, reward) in enumerate(trip):
            rewards[state] += reward
            visits[state] += 1
            if t + 1 < len(trip):
                chain[trip[t + 1][0], state] += 1
    visits = np.maximum(visits, 1)
    chain, rewards = chain / visits[:, None], rewards / visits
    return np.linalg.solve(np.eye(n_states) - discount * chain, rewards)
""",
        "missing discount": """
def values_by_model(trips, n_states, discount):
    rewards, visits = np.zeros(n_states), np.zeros(n_states)
    chain = np.zeros((n_states, n_states))
    for trip in trips:
        for t, (state, reward) in enumerate(trip):
            rewards[state] += reward
            visits[state] += 1
            if t + 1 < len(trip):
                chain[state, trip[t + 1][0]] += 1
    visits = np.maximum(visits, 1)
    chain, rewards = chain / visits[:, None], rewards / visits
    return np.linalg.solve(np.eye(n_states) - 0.999 * chain, rewards)
""",
        "one step only": """
def values_by_model(trips, n_states, discount):
    rewards, visits = np.zeros(n_states), np.zeros(n_states)
    chain = np.zeros((n_states, n_states))
    for trip in trips:
        for t, (state, reward) in enumerate(trip):
            rewards[state] += reward
            visits[state] += 1
            if t + 1 < len(trip):
                chain[state, trip[t + 1][0]] += 1
    visits = np.maximum(visits, 1)
    chain, rewards = chain / visits[:, None], rewards / visits
    return rewards + discount * chain @ rewards
""",
    },
    "a2-regret": {
        "always the same diary": """
def diary_regret(method, trips, seed):
    diary, size = write_diary(trips, 0), (tree.n_states, tree.n_actions)
    if method == "plan":
        q_values = plan_in_diary(diary, *size, 1.0, tree.horizon)
    else:
        passes = {"once": 1, "often": 20}[method]
        q_values = replay(diary, *size, 1.0, 0.2, passes)
    return regret_of(tree, greedy(q_values))
""",
        "reads once where it should often": """
def diary_regret(method, trips, seed):
    diary, size = write_diary(trips, seed), (tree.n_states, tree.n_actions)
    if method == "plan":
        q_values = plan_in_diary(diary, *size, 1.0, tree.horizon)
    else:
        passes = 1
        q_values = replay(diary, *size, 1.0, 0.2, passes)
    return regret_of(tree, greedy(q_values))
""",
        "another step size": """
def diary_regret(method, trips, seed):
    diary, size = write_diary(trips, seed), (tree.n_states, tree.n_actions)
    if method == "plan":
        q_values = plan_in_diary(diary, *size, 1.0, tree.horizon)
    else:
        passes = {"once": 1, "often": 20}[method]
        q_values = replay(diary, *size, 1.0, 0.5, passes)
    return regret_of(tree, greedy(q_values))
""",
        "what the table believes": """
def diary_regret(method, trips, seed):
    diary, size = write_diary(trips, seed), (tree.n_states, tree.n_actions)
    if method == "plan":
        q_values = plan_in_diary(diary, *size, 1.0, tree.horizon)
    else:
        passes = {"once": 1, "often": 20}[method]
        q_values = replay(diary, *size, 1.0, 0.2, passes)
    return 1 - q_values[0].max() / tree.optimal_return()
""",
        "the sign of the regret": """
def diary_regret(method, trips, seed):
    diary, size = write_diary(trips, seed), (tree.n_states, tree.n_actions)
    if method == "plan":
        q_values = plan_in_diary(diary, *size, 1.0, tree.horizon)
    else:
        passes = {"once": 1, "often": 20}[method]
        q_values = replay(diary, *size, 1.0, 0.2, passes)
    return -regret_of(tree, greedy(q_values))
""",
    },
}
