"""Common wrong answers to assignment 3: the solution cell as a student may have written it."""

MUTANTS = {
    "a3-order": {
        "drawn with replacement": """
def order_probability(logits, order):
    left, probability = np.array(logits, dtype=float), 1.0
    for way in order:
        probability *= softmax(left)[way]
    return float(probability)
""",
        "the order does not matter: softmax of the sum": """
def order_probability(logits, order):
    probability = softmax(np.array(logits, dtype=float))[order].sum()
    return float(probability)
""",
        "large logits overflow": """
def order_probability(logits, order):
    left, probability = np.array(logits, dtype=float), 1.0
    for way in order:
        probability *= np.exp(left[way]) / np.exp(left).sum()
        left[way] = -np.inf
    return float(probability)
""",
        "the last way is left out": """
def order_probability(logits, order):
    left, probability = np.array(logits, dtype=float), 1.0
    for way in order[:-1]:
        probability *= softmax(left)[way]
        left[way] = -np.inf
    return float(probability)
""",
        "ways are removed from the front": """
def order_probability(logits, order):
    left, probability = np.array(logits, dtype=float), 1.0
    for way in order:
        probability *= softmax(left)[way]
        left[order[0]] = -np.inf
    return float(probability)
""",
    },
    "a3-attend": {
        "leaked mask: sees one day ahead": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = (days <= days[:, None] + 1) & written[:, None, :]  # (B, T, T)
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
    weights = softmax(np.where(allowed, scores, -1e300))
    clean = np.where(written[:, :, None], values, 0)
    return (weights @ clean) * written[:, :, None]
""",
        "softmax over the wrong axis": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = (days <= days[:, None]) & written[:, None, :]  # (B, T, T)
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
    weights = softmax(np.where(allowed, scores, -1e300).transpose(0, 2, 1)).transpose(0, 2, 1)
    clean = np.where(written[:, :, None], values, 0)
    return (weights @ clean) * written[:, :, None]
""",
        "scores are not divided": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = (days <= days[:, None]) & written[:, None, :]  # (B, T, T)
    scores = queries @ keys.transpose(0, 2, 1)
    weights = softmax(np.where(allowed, scores, -1e300))
    clean = np.where(written[:, :, None], values, 0)
    return (weights @ clean) * written[:, :, None]
""",
        "divided by the root of the days": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = (days <= days[:, None]) & written[:, None, :]  # (B, T, T)
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[1])
    weights = softmax(np.where(allowed, scores, -1e300))
    clean = np.where(written[:, :, None], values, 0)
    return (weights @ clean) * written[:, :, None]
""",
        "padded days answer too": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = (days <= days[:, None]) & written[:, None, :]  # (B, T, T)
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
    weights = softmax(np.where(allowed, scores, -1e300))
    clean = np.where(written[:, :, None], values, 0)
    return weights @ clean
""",
        "padding is weighed": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = days <= days[:, None]
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
    weights = softmax(np.where(allowed, scores, -1e300))
    clean = values
    return (weights @ clean) * written[:, :, None]
""",
        "padding is multiplied by 0": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = (days <= days[:, None]) & written[:, None, :]  # (B, T, T)
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
    weights = softmax(np.where(allowed, scores, -1e300))
    return (weights @ (values * written[:, :, None])) * written[:, :, None]
""",
        "the exponential of the padding overflows": """
def attend(queries, keys, values, lengths):
    days = np.arange(queries.shape[1])
    written = days >= len(days) - np.asarray(lengths)[:, None]  # (B, T)
    allowed = (days <= days[:, None]) & written[:, None, :]  # (B, T, T)
    with np.errstate(all="ignore"):
        scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
        weights = np.exp(scores) * allowed
        weights = weights / weights.sum(axis=2, keepdims=True)
        return np.where(written[:, :, None], weights @ values, 0)
""",
    },
    "a3-score": {
        "the sign of the reward": """
def score_gradient(logits, noise, rewards):
    chosen = (logits + noise).argmax(axis=1)
    paid = np.asarray(rewards)[chosen]
    baseline = (paid.sum() - paid) / (len(paid) - 1)
    scores = np.eye(len(logits))[chosen] - softmax(np.asarray(logits))
    return ((baseline - paid)[:, None] * scores).mean(axis=0)
""",
        "no baseline": """
def score_gradient(logits, noise, rewards):
    chosen = (logits + noise).argmax(axis=1)
    paid = np.asarray(rewards)[chosen]
    baseline = 0 * paid
    scores = np.eye(len(logits))[chosen] - softmax(np.asarray(logits))
    return ((paid - baseline)[:, None] * scores).mean(axis=0)
""",
        "the baseline includes the sample": """
def score_gradient(logits, noise, rewards):
    chosen = (logits + noise).argmax(axis=1)
    paid = np.asarray(rewards)[chosen]
    baseline = paid.mean() * np.ones(len(paid))
    scores = np.eye(len(logits))[chosen] - softmax(np.asarray(logits))
    return ((paid - baseline)[:, None] * scores).mean(axis=0)
""",
        "the gradient of the probability, not of its logarithm": """
def score_gradient(logits, noise, rewards):
    chosen = (logits + noise).argmax(axis=1)
    paid = np.asarray(rewards)[chosen]
    baseline = (paid.sum() - paid) / (len(paid) - 1)
    scores = np.eye(len(logits))[chosen] - softmax(np.asarray(logits))
    scores *= softmax(np.asarray(logits))[chosen][:, None]
    return ((paid - baseline)[:, None] * scores).mean(axis=0)
""",
        "the sum over the samples": """
def score_gradient(logits, noise, rewards):
    chosen = (logits + noise).argmax(axis=1)
    paid = np.asarray(rewards)[chosen]
    baseline = (paid.sum() - paid) / (len(paid) - 1)
    scores = np.eye(len(logits))[chosen] - softmax(np.asarray(logits))
    return ((paid - baseline)[:, None] * scores).sum(axis=0)
""",
    },
    "a3-relaxed": {
        "missing temperature of the chain rule": """
def relaxed_gradient(logits, noise, rewards, tau):
    shares = softmax((np.asarray(logits) + noise) / tau)
    mean = shares @ rewards
    return (shares * (np.asarray(rewards) - mean[:, None])).mean(axis=0)
""",
        "noise is averaged before it is used": """
def relaxed_gradient(logits, noise, rewards, tau):
    shares = softmax((np.asarray(logits) + noise.mean(axis=0, keepdims=True)) / tau)
    mean = shares @ rewards
    return (shares * (np.asarray(rewards) - mean[:, None])).mean(axis=0) / tau
""",
        "only the diagonal": """
def relaxed_gradient(logits, noise, rewards, tau):
    shares = softmax((np.asarray(logits) + noise) / tau)
    mean = shares @ rewards
    return (shares * (np.asarray(rewards) * (1 - shares))).mean(axis=0) / tau
""",
        "the temperature multiplies": """
def relaxed_gradient(logits, noise, rewards, tau):
    shares = softmax((np.asarray(logits) + noise) * tau)
    mean = shares @ rewards
    return (shares * (np.asarray(rewards) - mean[:, None])).mean(axis=0) / tau
""",
    },
    "a3-climb": {
        "noise not resampled": """
def climb_regret(method, fresh, rewards, steps, seed):
    rng = np.random.default_rng(seed)
    logits = np.zeros(len(rewards))
    noise = rng.gumbel(size=(16, len(rewards)))
    for step in range(steps):
        if method == "score":
            logits += 0.2 * score_gradient(logits, noise, rewards)
        else:
            logits += 0.2 * relaxed_gradient(logits, noise, rewards, 1.0)
    best = np.max(rewards)
    return float((best - softmax(logits) @ rewards) / (best - np.mean(rewards)))
""",
        "noise always resampled": """
def climb_regret(method, fresh, rewards, steps, seed):
    rng = np.random.default_rng(seed)
    logits = np.zeros(len(rewards))
    noise = rng.gumbel(size=(16, len(rewards)))
    for step in range(steps):
        if step:
            noise = rng.gumbel(size=(16, len(rewards)))
        if method == "score":
            logits += 0.2 * score_gradient(logits, noise, rewards)
        else:
            logits += 0.2 * relaxed_gradient(logits, noise, rewards, 1.0)
    best = np.max(rewards)
    return float((best - softmax(logits) @ rewards) / (best - np.mean(rewards)))
""",
        "downhill": """
def climb_regret(method, fresh, rewards, steps, seed):
    rng = np.random.default_rng(seed)
    logits = np.zeros(len(rewards))
    noise = rng.gumbel(size=(16, len(rewards)))
    for step in range(steps):
        if fresh and step:
            noise = rng.gumbel(size=(16, len(rewards)))
        if method == "score":
            logits -= 0.2 * score_gradient(logits, noise, rewards)
        else:
            logits -= 0.2 * relaxed_gradient(logits, noise, rewards, 1.0)
    best = np.max(rewards)
    return float((best - softmax(logits) @ rewards) / (best - np.mean(rewards)))
""",
        "the regret of the best way only": """
def climb_regret(method, fresh, rewards, steps, seed):
    rng = np.random.default_rng(seed)
    logits = np.zeros(len(rewards))
    noise = rng.gumbel(size=(16, len(rewards)))
    for step in range(steps):
        if fresh and step:
            noise = rng.gumbel(size=(16, len(rewards)))
        if method == "score":
            logits += 0.2 * score_gradient(logits, noise, rewards)
        else:
            logits += 0.2 * relaxed_gradient(logits, noise, rewards, 1.0)
    best = np.max(rewards)
    return float((best - rewards[logits.argmax()]) / (best - np.mean(rewards)))
""",
        "one step short": """
def climb_regret(method, fresh, rewards, steps, seed):
    rng = np.random.default_rng(seed)
    logits = np.zeros(len(rewards))
    noise = rng.gumbel(size=(16, len(rewards)))
    for step in range(steps - 1):
        if fresh and step:
            noise = rng.gumbel(size=(16, len(rewards)))
        if method == "score":
            logits += 0.2 * score_gradient(logits, noise, rewards)
        else:
            logits += 0.2 * relaxed_gradient(logits, noise, rewards, 1.0)
    best = np.max(rewards)
    return float((best - softmax(logits) @ rewards) / (best - np.mean(rewards)))
""",
    },
}
