"""Training a Transformer, and decoding with it: against other libraries, and without the cache."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.gpt2 import gpt2_names, turned
from benchmarks.run import Comparison, Contestant, decided
from seqdec_lib.sequences import Batch, Transformer, fit, generate, has_bfloat16

# nanoGPT's sizes for a laptop, and its GELU
CHARACTERS, CONTEXT, ROWS = 65, 64, 12
SIZES = {"width": 128, "layers": 4, "heads": 4}
# steps of context, width, layers, heads, rows of a batch
DECISIONS = [(20, 128, 3, 1, 64), (10, 64, 2, 4, 256), (50, 256, 4, 8, 64)]
ACTIONS, STATE = 6, 17


def comparisons() -> list[Comparison]:
    """Return comparisons of training steps and of decoding."""
    return [
        language_model_step("fp32"),
        *([language_model_step("bf16")] if has_bfloat16() else []),
        *(decision_transformer_step(*sizes) for sizes in DECISIONS),
        *(decoding(steps, prompts) for steps in (63, 255) for prompts in (1, 64)),
        last_position(),
    ]


def language_model_step(precision: str) -> Comparison:
    """Return a comparison of 5 steps of training, which end with the same loss."""
    tokens = numbers(CHARACTERS, ROWS, CONTEXT + 1)
    batch = Batch(tokens[:, :-1], tokens[:, 1:])

    def theirs() -> Contestant:
        model = as_gpt2(small_model(CONTEXT))
        return their_steps(model, lambda: model(batch.tokens).logits, batch.targets)

    peers = {"transformers (GPT-2)": theirs}
    if precision == "bf16":
        peers["seqdec_lib in fp32"] = lambda: our_steps(small_model(CONTEXT), batch, "fp32")
    return Comparison(
        title=f"language model: 5 training steps in {precision}, nanoGPT's size for a laptop",
        ours=our_steps(small_model(CONTEXT), batch, precision),
        peers=peers,
        tolerance=0.05,
    )


def decision_transformer_step(
    context: int, width: int, layers: int, heads: int, rows: int
) -> Comparison:
    """Return a comparison of training steps on as many tokens; theirs reads vectors, not ids."""
    tokens, targets = numbers(400, rows, 3 * context), numbers(ACTIONS, rows, context)
    batch = Batch(tokens, targets, at=slice(1, None, 3))

    def theirs() -> Contestant:
        from transformers import DecisionTransformerConfig, DecisionTransformerModel

        config = DecisionTransformerConfig(
            state_dim=STATE,
            act_dim=ACTIONS,
            hidden_size=width,
            n_layer=layers,
            n_head=heads,
            action_tanh=False,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        )
        model = DecisionTransformerModel(config).train()
        read = {
            "states": torch.randn(rows, context, STATE),
            "actions": torch.randn(rows, context, ACTIONS),
            "rewards": torch.randn(rows, context, 1),
            "returns_to_go": torch.randn(rows, context, 1),
            "timesteps": torch.arange(context).expand(rows, -1),
            "attention_mask": torch.ones(rows, context),
        }
        return their_steps(model, lambda: model(**read).action_preds, targets)

    model = Transformer(400, 3 * context, width, layers, heads, ACTIONS, activation="relu")
    return Comparison(
        title=f"Decision Transformer: 5 training steps, K={context} d={width} batch {rows}",
        ours=our_steps(model, batch, "fp32"),
        peers={"transformers": theirs},
        tolerance=1.0,  # the same work on other numbers
    )


def our_steps(model: nn.Module, batch: Batch, precision: str) -> Contestant:
    """Five steps of `fit`, the loss of the first as the answer."""
    return lambda: fit(model, lambda generator: batch, 5, precision=precision).losses[0]


def their_steps(
    model: nn.Module, logits: Callable[[], torch.Tensor], targets: torch.Tensor
) -> Contestant:
    """The usual loop around another library's model, the loss of the first step as the answer."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)

    def steps() -> float:
        losses = []
        for _ in range(5):
            loss = F.cross_entropy(logits().flatten(0, 1), targets.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        return losses[0]

    model.train()
    return steps


def decoding(steps: int, prompts: int) -> Comparison:
    """Return a comparison of greedy decoding from prompts of one token."""
    model = decided(small_model(steps + 1), 0.2)
    prompt = numbers(CHARACTERS, prompts, 1)
    ask = partial(generate, model, steps=steps, temperature=0)
    peers = {"transformers (GPT-2)": lambda: with_transformers(model, prompt, steps)}
    if steps * prompts < 5000:  # more would take minutes
        peers["without the cache"] = lambda: lambda: checksum(ask(prompt, cached=False))
    if prompts > 1:
        peers["one by one"] = lambda: lambda: sum(checksum(ask(row[None])) for row in prompt)
    return Comparison(
        title=f"generating {steps} tokens: "
        + ("one prompt alone" if prompts == 1 else f"{prompts} prompts"),
        ours=lambda: checksum(ask(prompt)),
        peers=peers,
    )


def last_position() -> Comparison:
    """Return a comparison of asking for one position and for all."""
    model, full = decided(small_model(CONTEXT), 0.2), numbers(CHARACTERS, 64, CONTEXT)

    @torch.no_grad()
    def size(pick: Callable[[], torch.Tensor]) -> float:
        return float(pick().square().mean())

    return Comparison(
        title=f"logits of the last of {CONTEXT} positions, 64 sequences",
        ours=lambda: size(lambda: model(full, at=-1)),
        peers={"all positions, then the last": lambda: lambda: size(lambda: model(full)[:, -1])},
        tolerance=1e-3,
    )


def numbers(below: int, *shape: int) -> torch.Tensor:
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(0))


def small_model(context: int) -> Transformer:
    torch.manual_seed(0)
    return Transformer(CHARACTERS, context, **SIZES, tied=True)


def checksum(tokens: torch.Tensor) -> float:
    """A number that all who generate the same tokens agree on: weighted by place in the row."""
    return float((tokens * torch.arange(1, tokens.shape[1] + 1)).sum())


def as_gpt2(model: Transformer) -> nn.Module:
    """The same weights in the package `transformers`, with the same GELU."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=model.vocabulary,
        n_positions=model.context,
        n_embd=model.width,
        n_layer=len(model.blocks),
        n_head=model.heads,
        activation_function="gelu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    theirs, names, ours = GPT2LMHeadModel(config), gpt2_names(model), model.state_dict()
    theirs.transformer.load_state_dict(
        {name: turned(name, ours[our_name]).clone() for our_name, name in names.items()},
        strict=False,
    )
    return theirs


def with_transformers(model: Transformer, prompt: torch.Tensor, steps: int) -> Contestant:
    """Greedy decoding in `transformers`, with its cache and in one batch."""
    theirs, seen = as_gpt2(model).eval(), torch.ones_like(prompt)
    options = {"max_new_tokens": steps, "do_sample": False, "pad_token_id": 0}
    return lambda: checksum(
        theirs.generate(prompt, attention_mask=seen, **options)[:, prompt.shape[1] :]
    )
