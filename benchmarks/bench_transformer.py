"""Decoding with a cache and in one batch, and answering only the position that is asked for."""

import torch

from benchmarks.gpt2 import gpt2_names, turned
from benchmarks.run import Comparison, Contestant, decided
from seqdec_lib.sequences.decoding import generate
from seqdec_lib.sequences.transformer import Transformer

VOCABULARY, CONTEXT, WIDTH, LAYERS, HEADS = 512, 128, 64, 2, 4


def comparisons() -> list[Comparison]:
    """Return one comparison of decoding, and one of the last position against all."""
    model = small_model()
    prompt = torch.randint(VOCABULARY, (64, 16), generator=torch.Generator().manual_seed(0))
    full = torch.randint(VOCABULARY, (64, CONTEXT), generator=torch.Generator().manual_seed(0))
    steps = CONTEXT - prompt.shape[1]
    return [
        Comparison(
            title=f"greedy decoding of {steps} tokens for 64 prompts of 16",
            ours=lambda: checksum(generate(model, prompt, steps, temperature=0)),
            peers={
                "without the cache": lambda: (
                    lambda: checksum(generate(model, prompt, steps, temperature=0, cached=False))
                ),
                "one prompt after another": lambda: (
                    lambda: sum(
                        checksum(generate(model, row[None], steps, temperature=0)) for row in prompt
                    )
                ),
                "transformers (GPT-2)": lambda: with_transformers(model, prompt, steps),
            },
        ),
        Comparison(
            title=f"logits of the last of {CONTEXT} positions, 64 sequences",
            ours=lambda: last_logits(model, full),
            peers={"all positions, then the last": lambda: lambda: all_logits(model, full)},
            tolerance=1e-3,
        ),
    ]


def small_model() -> Transformer:
    torch.manual_seed(0)
    return decided(Transformer(VOCABULARY, CONTEXT, WIDTH, LAYERS, HEADS, tied=True), 0.2)


def checksum(tokens: torch.Tensor) -> float:
    """A number that all who generate the same tokens agree on: weighted by place in the row."""
    return float((tokens * torch.arange(1, tokens.shape[1] + 1)).sum())


@torch.no_grad()
def last_logits(model: Transformer, tokens: torch.Tensor) -> float:
    return float(model(tokens, at=-1).square().mean())


@torch.no_grad()
def all_logits(model: Transformer, tokens: torch.Tensor) -> float:
    return float(model(tokens)[:, -1].square().mean())


def with_transformers(model: Transformer, prompt: torch.Tensor, steps: int) -> Contestant:
    """The same weights in the package `transformers`, with its cache and in one batch."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=CONTEXT,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        bos_token_id=None,
        eos_token_id=None,
    )
    theirs = GPT2LMHeadModel(config).eval()
    weights = {}
    names = gpt2_names(model)
    for name, value in model.state_dict().items():
        label = names[name]
        place = "lm_head.weight" if name == "head.weight" else f"transformer.{label}"
        weights[place] = turned(label, value)
    theirs.load_state_dict(weights, strict=False)
    options = {"max_new_tokens": steps, "do_sample": False, "pad_token_id": 0}
    seen = torch.ones_like(prompt)
    return lambda: checksum(
        theirs.generate(prompt, attention_mask=seen, **options)[:, prompt.shape[1] :]
    )
