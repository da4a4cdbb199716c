"""GPT-2's weights in the book's Transformer: the same layout under other names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from seqdec_lib.sequences.transformer import Transformer

NAMES = {
    "token": "wte",
    "position": "wpe",
    "blocks": "h",
    "norm_1": "ln_1",
    "norm_2": "ln_2",
    "attention.to_qkv": "attn.c_attn",
    "attention.out": "attn.c_proj",
    "mlp.0": "mlp.c_fc",
    "mlp.2": "mlp.c_proj",
}


def from_gpt2(weights: Mapping[str, Tensor], heads: int) -> Transformer:
    """Build a Transformer from weights that are named and laid out as GPT-2's.

    Raises
    ------
    ValueError
        A weight that is missing.
    """
    names = {name.removeprefix("transformer."): value for name, value in weights.items()}

    def found(name: str) -> Tensor:
        if name not in names:
            raise ValueError(f"weights must be laid out as GPT-2's, but {name!r} is missing.")
        return names[name]

    (vocabulary, width), context = found("wte.weight").shape, len(found("wpe.weight"))
    layers = len({name.split(".")[1] for name in names if name.startswith("h.")})
    model = Transformer(
        vocabulary, context, width, layers, heads, tied=True, activation="gelu_tanh"
    )
    model.load_state_dict(
        {ours: turned(theirs, found(theirs)) for ours, theirs in gpt2_names(model).items()}
    )
    return model


def gpt2_names(model: Transformer) -> dict[str, str]:
    """What GPT-2 calls each weight of a model with tied output weights."""
    theirs = {"norm.weight": "ln_f.weight", "norm.bias": "ln_f.bias", "head.weight": "wte.weight"}
    for ours in model.state_dict():
        if ours not in theirs:
            theirs[ours] = ours
            for part, name in NAMES.items():
                theirs[ours] = theirs[ours].replace(part, name)
    return theirs


def turned(name: str, weight: Tensor) -> Tensor:
    """A weight that GPT-2 calls `name` from its layout to ours, or back: it keeps (in, out)."""
    return weight.T if ".c_" in name and name.endswith("weight") else weight
