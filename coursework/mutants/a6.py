"""Common wrong answers to assignment 6: the solution, with one mistake in it.

The first two of each problem earn nothing; others may keep some of the laws.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

NOTEBOOK = Path(__file__).resolve().parent.parent / "source" / "a6" / "a6.ipynb"
SOURCES = {
    cell.metadata.nbgrader.grade_id: cell.source for cell in nbformat.read(NOTEBOOK, 4).cells
}


def instead(cell: str, right: str, wrong: str, *more: str) -> str:
    """The solution of a cell with something else in the place of some of it, without its check.

    Raises
    ------
    ValueError
        The solution does not say this, or says it twice.
    """
    source = SOURCES[cell].partition("\n\n\ncheck")[0]
    pairs = [right, wrong, *more]
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        if source.count(old) != 1:
            raise ValueError(f"{cell} says {old!r} {source.count(old)} times.")
        source = source.replace(old, new)
    return source


MUTANTS = {
    "a6-heads": {
        "no mask": instead("a6-heads", "bool).tril()", "bool)"),
        "the root of the whole width": instead("a6-heads", "sqrt(width // heads)", "sqrt(width)"),
        "the softmax over those who ask": instead("a6-heads", "softmax(dim=-1)", "softmax(dim=-2)"),
        "a head after the other has its query, key and value": instead(
            "a6-heads",
            "3, heads, width // heads)",
            "heads, 3, width // heads)",
            "permute(2, 0, 3, 1, 4)",
            "permute(3, 0, 2, 1, 4)",
        ),
        "the heads are not put back in order": instead(
            "a6-heads", "(weights @ v).transpose(1, 2).reshape", "(weights @ v).reshape"
        ),
    },
    "a6-block": {
        "the norm comes afterwards": instead(
            "a6-block",
            "x + many_heads(norm(x), w_qkv, w_out, heads)",
            "norm(x + many_heads(x, w_qkv, w_out, heads))",
        ),
        "the second part reads what the first one read": instead(
            "a6-block", "norm(y) @ w_up", "norm(x) @ w_up"
        ),
        "what is added to is the norm": instead(
            "a6-block", "y = x + many_heads", "y = norm(x) + many_heads"
        ),
        "the norm is taken over the tokens": instead(
            "a6-block",
            "x.mean(dim=-1, keepdim=True)",
            "x.mean(dim=-2, keepdim=True)",
            "mean(dim=-1, keepdim=True) + 1e-5",
            "mean(dim=-2, keepdim=True) + 1e-5",
        ),
    },
    "a6-model": {
        "only the last place answers": instead(
            "a6-model", "norm(x) @ self.last", "norm(x[:, -1]) @ self.last"
        ),
        "the actions stand before the places": instead(
            "a6-model", "norm(x) @ self.last", "(norm(x) @ self.last).transpose(1, 2)"
        ),
        "the mean of the whole trip is added": instead(
            "a6-model", "return norm(x)", "return norm(x + x.mean(dim=1, keepdim=True))"
        ),
        "only the token itself is read": instead(
            "a6-model",
            "x = one_block(x, *layer, self.heads)",
            "x = x + torch.relu(norm(x) @ layer[2]) @ layer[3]",
        ),
        "one block, and no places": instead(
            "a6-model",
            "+ self.place[: tokens.shape[1]]  #",
            "#",
            "for layer in self.layers:",
            "for layer in self.layers[:1]:",
        ),
        "the trips of a batch are centered": instead(
            "a6-model", "return norm(x)", "return norm(x - x.mean(dim=0, keepdim=True) / 2)"
        ),
        "the places are counted from the end": instead(
            "a6-model", "self.place[: tokens.shape[1]]", "self.place[-tokens.shape[1] :]"
        ),
    },
    "a6-slope": {
        "the sum over all places": instead("a6-slope", " / counts.sum()", ""),
        "the mean over padding, too": instead("a6-slope", "/ counts.sum()", "/ counts.numel()"),
        "padding has a slope": instead("a6-slope", " * counts[..., None]", ""),
        "downhill": instead(
            "a6-slope", "(logits.softmax(dim=-1) - one_hot)", "(one_hot - logits.softmax(dim=-1))"
        ),
        "exponentials of large numbers": instead(
            "a6-slope", "logits.softmax(dim=-1)", "logits.exp() / logits.exp().sum(-1, True)"
        ),
    },
    "a6-gradient": {
        "the gradient of the mean of the logits": instead(
            "a6-gradient",
            "logits.backward(slope_of_loss(logits.detach(), targets))",
            "logits.mean().backward()",
        ),
        "each trip weighs one": instead(
            "a6-gradient",
            "(logits.detach(), targets))",
            "(logits.detach(), targets) * len(tokens))",
        ),
        "counted twice": instead(
            "a6-gradient",
            "    return parameters",
            "    model(torch.as_tensor(tokens)).backward("
            "slope_of_loss(logits.detach(), targets))\n    return parameters",
        ),
        "the vectors of the tokens are forgotten": instead(
            "a6-gradient",
            "    return parameters",
            "    model.token.grad.zero_()\n    return parameters",
        ),
    },
    "a6-memory": {
        "the memory is empty again": instead("a6-memory", "model.last, new", "model.last, None"),
        "only the present token is read": instead(
            "a6-memory", "if memory is not None:", "if False:"
        ),
        "every token stands at the first place": instead(
            "a6-memory", "model.place[place]", "model.place[0]"
        ),
        "the past is read again": """
def read_one(weights, memory, token):
    token = torch.as_tensor(token)[:, None]
    if memory is not None:
        token = torch.cat([torch.as_tensor(memory), token], dim=1)
    return model_logits(weights, token)[:, -1], token
""",
    },
    "a6-encode": {
        "what was paid so far": instead(
            "a6-encode",
            "np.cumsum(rewards[:, ::-1], axis=1)[:, ::-1]",
            "np.cumsum(rewards, axis=1)",
        ),
        "what is predicted stands on its own place": instead(
            "a6-encode", "targets[:, 1::3]", "targets[:, 2::3]"
        ),
        "the day itself is left out": instead("a6-encode", "[:, ::-1]\n", "[:, ::-1] - rewards\n"),
        "an edge does not count where it is reached": instead(
            "a6-encode", 'side="right"', 'side="left"'
        ),
        "the city before what is to come": instead(
            "a6-encode", "[levels, LEVELS + cities,", "[LEVELS + cities, levels,"
        ),
    },
    "a6-wish": {
        "the wish stays the same": instead(
            "a6-wish",
            "wish - np.cumsum(np.hstack([none, rewards]), axis=1)",
            "np.full(np.shape(cities), wish)",
        ),
        "an action stands in today's place": instead("a6-wish", "-1)[:, :-1]", "-1)"),
        "only yesterday's reward is taken off": instead(
            "a6-wish", "np.cumsum(np.hstack([none, rewards]), axis=1)", "np.hstack([none, rewards])"
        ),
        "what was paid is added": instead("a6-wish", "wish - np.cumsum", "wish + np.cumsum"),
    },
    "a6-train": {
        "what comes back was never trained": instead("a6-train", "range(steps)", "range(0)"),
        "each trip learns from the actions of another": instead(
            "a6-train",
            "targets[rows]",
            "targets[rows].roll(1, dims=0)",
            ", 250, 0.01",
            ", 80, 0.01",
        ),
        "the gradients add up": instead("a6-train", "        optimizer.zero_grad()\n", ""),
        "too few steps": instead("a6-train", ", 250, 0.01", ", 40, 0.01"),
        "uphill": instead(
            "a6-train",
            "slope_of_loss(logits.detach()",
            "-slope_of_loss(logits.detach()",
            ", 250, 0.01",
            ", 40, 0.01",
        ),
    },
    "a6-choose": {
        "the likeliest, always": instead("a6-choose", "temperature == 0", "True"),
        "the temperature multiplies": instead(
            "a6-choose", "keepdims=True)) / temperature)", "keepdims=True)) * temperature)"
        ),
        "exponentials of large numbers": instead(
            "a6-choose", "(logits - logits.max(axis=1, keepdims=True))", "logits"
        ),
        "one action too far": instead(
            "a6-choose", ".sum(axis=1).clip(max", ".sum(axis=1).__add__(1).clip(max"
        ),
    },
}

# Students of whom the class expects a part of the points, and what they fill in.
PARTLY = {
    "lawless": (
        3 + 3 + 3 + 2,
        {cell: SOURCES[cell] for cell in ("a6-heads", "a6-block", "a6-choose")}
        | {"a6-model": MUTANTS["a6-model"]["only the token itself is read"]},
    )
}
