"""Common wrong answers to assignment 5: the solution cell as a student may have written it."""

MUTANTS = {
    "a5-next": {
        "the floor is absolute": """
def next_word(logits, temperature, floor, used):
    allowed = np.ones(len(logits), dtype=bool)
    allowed[used] = False
    scaled = np.where(allowed, logits, -np.inf)
    odds = np.exp((scaled - scaled.max()) / temperature)  # 1 for the likeliest
    odds[(odds / odds.sum() < floor) & (odds < 1)] = 0
    return odds / odds.sum()
""",
        "the floor before the temperature": """
def next_word(logits, temperature, floor, used):
    allowed = np.ones(len(logits), dtype=bool)
    allowed[used] = False
    scaled = np.where(allowed, logits, -np.inf)
    odds = np.exp((scaled - scaled.max()) / temperature)  # 1 for the likeliest
    odds[np.exp(scaled - scaled.max()) < floor] = 0
    return odds / odds.sum()
""",
        "used words still set the floor": """
def next_word(logits, temperature, floor, used):
    allowed = np.ones(len(logits), dtype=bool)
    allowed[used] = False
    scaled = np.where(allowed, logits, -np.inf)
    odds = np.exp((scaled - np.max(logits)) / temperature)
    odds = np.maximum(odds, 1e-300 * allowed)
    odds[(odds < floor) & (odds < odds.max())] = 0
    return odds / odds.sum()
""",
        "does not add up to one": """
def next_word(logits, temperature, floor, used):
    allowed = np.ones(len(logits), dtype=bool)
    allowed[used] = False
    scaled = np.where(allowed, logits, -np.inf)
    odds = np.exp((scaled - scaled.max()) / temperature)  # 1 for the likeliest
    odds[odds < floor] = 0
    return odds
""",
        "multiplied by the temperature": """
def next_word(logits, temperature, floor, used):
    allowed = np.ones(len(logits), dtype=bool)
    allowed[used] = False
    scaled = np.where(allowed, logits, -np.inf)
    odds = np.exp((scaled - scaled.max()) * temperature)  # 1 for the likeliest
    odds[odds < floor] = 0
    return odds / odds.sum()
""",
        "used words may come again": """
def next_word(logits, temperature, floor, used):
    allowed = np.ones(len(logits), dtype=bool)
    scaled = np.where(allowed, logits, -np.inf)
    odds = np.exp((scaled - scaled.max()) / temperature)  # 1 for the likeliest
    odds[odds < floor] = 0
    return odds / odds.sum()
""",
    },
    "a5-bits": {
        "padding counted": """
def bits_per_word(logits, words, mask):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    following = np.asarray(words)[:, 1:, None]
    of_words = np.take_along_axis(log_p[:, :-1], following, axis=-1)[..., 0]
    return float(-of_words.mean() / np.log(2))
""",
        "no shift: the word that was just read": """
def bits_per_word(logits, words, mask):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    following = np.asarray(words)[:, :-1, None]
    of_words = np.take_along_axis(log_p[:, :-1], following, axis=-1)[..., 0]
    return float(-of_words[np.asarray(mask)[:, 1:]].mean() / np.log(2))
""",
        "nats": """
def bits_per_word(logits, words, mask):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    following = np.asarray(words)[:, 1:, None]
    of_words = np.take_along_axis(log_p[:, :-1], following, axis=-1)[..., 0]
    return float(-of_words[np.asarray(mask)[:, 1:]].mean())
""",
        "each card counts alike": """
def bits_per_word(logits, words, mask):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    following = np.asarray(words)[:, 1:, None]
    of_words = np.take_along_axis(log_p[:, :-1], following, axis=-1)[..., 0]
    seen = np.asarray(mask)[:, 1:]
    of_cards = [-row[m].mean() for row, m in zip(of_words, seen, strict=True)]
    return float(np.mean(of_cards) / np.log(2))
""",
        "divided by all words, the first included": """
def bits_per_word(logits, words, mask):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    following = np.asarray(words)[:, 1:, None]
    of_words = np.take_along_axis(log_p[:, :-1], following, axis=-1)[..., 0]
    return float(-of_words[np.asarray(mask)[:, 1:]].sum() / np.sum(mask) / np.log(2))
""",
        "softmax over the wrong axis": """
def bits_per_word(logits, words, mask):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    following = np.asarray(words)[:, 1:, None]
    of_words = np.take_along_axis(log_p[:, :-1], following, axis=-1)[..., 0]
    return float(-of_words[np.asarray(mask)[:, 1:]].mean() / np.log(2))
""",
    },
    "a5-best": {
        "greedy": """
def best_sentence(log_p, start):
    values, choices = np.zeros(log_p.shape[2]), []
    for place in reversed(log_p):
        q_values = place + 0 * values  # (last word, next word)
        choices.insert(0, q_values.argmax(axis=1))
        values = q_values.max(axis=1)
    words, last = [], start
    for choice in choices:
        last = int(choice[last])
        words.append(last)
    return words
""",
        "wrong axis": """
def best_sentence(log_p, start):
    values, choices = np.zeros(log_p.shape[2]), []
    for place in reversed(log_p):
        q_values = place + values  # (last word, next word)
        choices.insert(0, q_values.argmax(axis=0))
        values = q_values.max(axis=0)
    words, last = [], start
    for choice in choices:
        last = int(choice[last])
        words.append(last)
    return words
""",
        "the first place is solved first": """
def best_sentence(log_p, start):
    values, choices = np.zeros(log_p.shape[2]), []
    for place in log_p:
        q_values = place + values  # (last word, next word)
        choices.append(q_values.argmax(axis=1))
        values = q_values.max(axis=1)
    words, last = [], start
    for choice in choices:
        last = int(choice[last])
        words.append(last)
    return words
""",
        "the choices come out backward": """
def best_sentence(log_p, start):
    values, choices = np.zeros(log_p.shape[2]), []
    for place in reversed(log_p):
        q_values = place + values  # (last word, next word)
        choices.insert(0, q_values.argmax(axis=1))
        values = q_values.max(axis=1)
    words, last = [], start
    for choice in reversed(choices):
        last = int(choice[last])
        words.append(last)
    return words
""",
    },
    "a5-beam": {
        "always of width one": """
def beam(log_p, start, width):
    kept = [(0.0, [])]
    for place in log_p:
        grown = []
        for total, words in kept:
            last = words[-1] if words else start
            for word in range(len(place)):
                grown.append((total + place[last, word], [*words, word]))
        kept = sorted(grown, reverse=True)[:1]
    return kept[0][1]
""",
        "only the last word's probability is compared": """
def beam(log_p, start, width):
    kept = [(0.0, [])]
    for place in log_p:
        grown = []
        for total, words in kept:
            last = words[-1] if words else start
            for word in range(len(place)):
                grown.append((place[last, word], [*words, word]))
        kept = sorted(grown, reverse=True)[:width]
    return kept[0][1]
""",
        "one beginning too many": """
def beam(log_p, start, width):
    kept = [(0.0, [])]
    for place in log_p:
        grown = []
        for total, words in kept:
            last = words[-1] if words else start
            for word in range(len(place)):
                grown.append((total + place[last, word], [*words, word]))
        kept = sorted(grown, reverse=True)[: width + 1]
    return kept[0][1]
""",
        "the least likely survive": """
def beam(log_p, start, width):
    kept = [(0.0, [])]
    for place in log_p:
        grown = []
        for total, words in kept:
            last = words[-1] if words else start
            for word in range(len(place)):
                grown.append((total + place[last, word], [*words, word]))
        kept = sorted(grown, reverse=False)[:width]
    return kept[0][1]
""",
    },
    "a5-dpo": {
        "the sign of the margin": """
def preference_loss(pen, old_pen, beta):
    implied = beta * (np.asarray(pen) - np.asarray(old_pen))
    margin = implied[:, 0] - implied[:, 1]
    return float(np.logaddexp(0, margin).mean())
""",
        "missing beta": """
def preference_loss(pen, old_pen, beta):
    implied = (np.asarray(pen) - np.asarray(old_pen))
    margin = implied[:, 0] - implied[:, 1]
    return float(np.logaddexp(0, -margin).mean())
""",
        "no old pen": """
def preference_loss(pen, old_pen, beta):
    implied = beta * np.asarray(pen)
    margin = implied[:, 0] - implied[:, 1]
    return float(np.logaddexp(0, -margin).mean())
""",
        "the sum instead of the mean": """
def preference_loss(pen, old_pen, beta):
    implied = beta * (np.asarray(pen) - np.asarray(old_pen))
    margin = implied[:, 0] - implied[:, 1]
    return float(np.logaddexp(0, -margin).sum())
""",
        "exponentials overflow": """
def preference_loss(pen, old_pen, beta):
    implied = beta * (np.asarray(pen) - np.asarray(old_pen))
    margin = implied[:, 0] - implied[:, 1]
    return float(np.log(1 + np.exp(-margin)).mean())
""",
    },
    "a5-leash": {
        "KL the wrong way": """
def on_leash(old_log_p, learned, worth, beta):
    scores = old_log_p + np.asarray(learned) / beta
    largest = scores.max()
    log_z = largest + np.log(np.exp(scores - largest).sum())
    log_p = scores - log_z
    p = np.exp(log_p)
    return np.array([p @ worth, np.exp(old_log_p) @ (old_log_p - log_p)])
""",
        "the learned reward instead of the true one": """
def on_leash(old_log_p, learned, worth, beta):
    scores = old_log_p + np.asarray(learned) / beta
    largest = scores.max()
    log_z = largest + np.log(np.exp(scores - largest).sum())
    log_p = scores - log_z
    p = np.exp(log_p)
    return np.array([p @ learned, p @ (log_p - old_log_p)])
""",
        "beta multiplies": """
def on_leash(old_log_p, learned, worth, beta):
    scores = old_log_p + np.asarray(learned) * beta
    largest = scores.max()
    log_z = largest + np.log(np.exp(scores - largest).sum())
    log_p = scores - log_z
    p = np.exp(log_p)
    return np.array([p @ worth, p @ (log_p - old_log_p)])
""",
        "the old pen is forgotten": """
def on_leash(old_log_p, learned, worth, beta):
    scores = 0 * old_log_p + np.asarray(learned) / beta
    largest = scores.max()
    log_z = largest + np.log(np.exp(scores - largest).sum())
    log_p = scores - log_z
    p = np.exp(log_p)
    return np.array([p @ worth, p @ (log_p - old_log_p)])
""",
        "bits": """
def on_leash(old_log_p, learned, worth, beta):
    scores = old_log_p + np.asarray(learned) / beta
    largest = scores.max()
    log_z = largest + np.log(np.exp(scores - largest).sum())
    log_p = scores - log_z
    p = np.exp(log_p)
    return np.array([p @ worth, p @ (log_p - old_log_p) / np.log(2)])
""",
    },
}
