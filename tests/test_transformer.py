"""Laws of the Transformer and the LSTM."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gpt2 import from_gpt2
from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.transformer import ACTIVATIONS, Transformer, attention_weights
from tests.small_models import (
    CONTEXT,
    VOCABULARY,
    both,
    close,
    few,
    lstm,
    padded,
    tokens,
    transformer,
)

pytestmark = pytest.mark.usefixtures("one_thread")


# -- time


@both
@few
@given(cut=st.integers(1, CONTEXT - 1), seed=st.integers(0, 99))
def test_the_future_never_changes_a_causal_output(make, cut, seed):
    model, past = make(), tokens(seed=seed)
    order = torch.randperm(CONTEXT - cut, generator=torch.Generator().manual_seed(seed))
    other = torch.cat([past[:, :cut], past[:, cut:][:, order]], 1)
    replaced = torch.cat([past[:, :cut], (past[:, cut:] + 1) % VOCABULARY], 1)
    for changed in (other, replaced):
        assert torch.equal(model(changed)[:, :cut], model(past)[:, :cut])


def test_without_the_mask_the_future_does_change_it():
    model, x = transformer(causal=False), tokens()
    changed = torch.cat([x[:, :-1], (x[:, -1:] + 1) % VOCABULARY], 1)
    assert not torch.allclose(model(changed)[:, 0], model(x)[:, 0], atol=1e-3)


def test_without_positions_the_order_of_the_past_is_invisible():
    x = tokens()
    shuffled = torch.cat([x[:, :-1].flip(1), x[:, -1:]], 1)
    blind = transformer(positions=False)
    for layer in blind.blocks[1:]:
        torch.nn.init.zeros_(layer.attention.out.weight)  # one look around
    close(blind(x, at=-1), blind(shuffled, at=-1))
    assert not torch.allclose(transformer()(x, at=-1), transformer()(shuffled, at=-1), atol=1e-3)


# -- the cache


@both
@few
@given(pieces=st.lists(st.integers(1, 5), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_reading_piece_by_piece_equals_reading_at_once(make, pieces, seed):
    model, length = make(), min(sum(pieces), CONTEXT)
    x = tokens(length=length, seed=seed)
    with torch.no_grad():
        cache, parts, at = model.new_cache(len(x)), [], 0
        for piece in pieces:
            if at < length:
                parts.append(model(x[:, at : at + piece], cache=cache))
                at += piece
        close(torch.cat(parts, 1), model(x))
        assert cache.length == length


def test_maps_and_training_read_a_single_token_as_any_other():
    """A token alone has a way of its own through the layers, but not when one looks on."""
    model, x = transformer(), tokens()
    every = model.attention(x)
    with torch.no_grad():
        for training in (False, True):
            model.train(training)
            cache, parts, maps = model.new_cache(3), [], []
            for place in range(CONTEXT):
                looked = None if training else []
                parts.append(model(x[:, place : place + 1], cache=cache, maps=looked))
                maps.append(looked)
            close(torch.cat(parts, 1), model.eval()(x))
            for place, looked in enumerate(maps):
                for layer, map_ in enumerate(looked or ()):
                    close(map_[:, :, 0], every[layer, :, :, place, : place + 1])


@both
def test_a_selected_cache_goes_on_as_its_rows(make):
    model, x, rows = make(), tokens(), torch.tensor([2, 0, 0])
    with torch.no_grad():
        cache = model.new_cache(3)
        model(x[:, :-1], cache=cache)
        chosen = cache.select(rows)
        close(model(x[rows, -1:], at=-1, cache=chosen), model(x, at=-1)[rows])
        close(model(x[:, -1:], at=-1, cache=cache), model(x, at=-1))


# -- padding


@both
@few
@given(left=st.integers(0, 6), right=st.integers(0, 5))
def test_padding_changes_nothing(make, left, right):
    model, x = make(), tokens()
    y, mask = padded(x, left, right)
    alone = model(x[1:2, : CONTEXT - left - right])
    logits = model(y, mask)
    assert torch.isfinite(logits).all()
    close(logits[1, left : CONTEXT - right], alone[0])
    close(logits[0], model(x)[0])


@pytest.mark.parametrize(("left", "right"), [(3, 0), (0, 4), (2, 5)])
def test_padding_changes_nothing_where_all_look_at_all(left, right):
    model, x = transformer(causal=False), tokens()
    y, mask = padded(x, left, right)
    alone = model(x[1:2, : CONTEXT - left - right])
    close(model(y, mask)[1, left : CONTEXT - right], alone[0])
    close(model(y, mask)[0], model(x)[0])


@both
@few
@given(left=st.integers(1, 6), right=st.integers(1, 5), rubbish=st.sampled_from([1e30, math.nan]))
def test_rubbish_in_padded_embeddings_reaches_nobody(make, left, right, rubbish):
    model, x = make(), tokens()
    _, mask = padded(x, left, right)
    with torch.no_grad():
        clean = model.token(x)
    dirty = clean.masked_fill(~mask[:, :, None], rubbish)
    dirty.requires_grad_()
    logits = model(dirty, mask)
    close(logits[mask], model(clean, mask)[mask])
    logits[mask].sum().backward()
    assert torch.isfinite(dirty.grad).all() and (dirty.grad[~mask] == 0).all()


# -- positions asked for


@both
@few
@given(data=st.data())
def test_asking_for_some_positions_gives_their_rows_of_all(make, data):
    model = make()
    x, mask = padded(tokens(), left=data.draw(st.integers(0, 4)), right=0)
    every = model(x, mask)
    place = data.draw(st.integers(-CONTEXT, CONTEXT - 1))
    close(model(x, mask, at=place), every[:, place])
    places = data.draw(st.lists(st.integers(0, CONTEXT - 1), min_size=1, max_size=5))
    close(model(x, mask, at=torch.tensor(places)), every[:, places])
    own = torch.tensor([places, places[::-1], places])
    close(model(x, mask, at=own), torch.stack([every[i, row] for i, row in enumerate(own)]))
    close(model(x, mask, at=slice(1, None, 3)), every[:, 1::3])


@pytest.mark.parametrize("options", [{"causal": False}, {}])
@pytest.mark.parametrize("left", [0, 3])
def test_each_row_may_be_asked_at_places_of_its_own(options, left):
    model, (x, mask) = transformer(**options), padded(tokens(), left, right=0)
    own = torch.tensor([[11, 4], [5, -1], [3, 3]])
    every = model(x, mask)
    close(model(x, mask, at=own), torch.stack([every[i, row] for i, row in enumerate(own)]))
    close(model(x, mask, at=own[1]), every[:, own[1]])
    assert model(x, mask, at=own[1, :1]).shape == (3, 1, VOCABULARY)
    assert model(x[:, :1], at=[0]).shape == (3, 1, VOCABULARY)
    assert model(x[:, :1], at=0).shape == (3, VOCABULARY)


def test_gradients_of_the_asked_positions_are_the_same():
    x = tokens()
    grads = []
    for pick in (lambda m: m(x, at=slice(0, None, 3)), lambda m: m(x)[:, ::3]):
        model = transformer()
        pick(model).square().sum().backward()
        grads.append([parameter.grad for parameter in model.parameters()])
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


# -- attention


def test_attention_maps_are_the_weights_that_are_used():
    model, x = transformer(), tokens()
    maps = model.attention(x)
    assert maps.shape == (2, 3, 4, CONTEXT, CONTEXT)
    close(maps.sum(-1), torch.ones(2, 3, 4, CONTEXT))
    assert (maps.triu(1) == 0).all()
    q, k, v = (torch.randn(2, 4, 5, 3) for _ in range(3))
    fast = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    close(attention_weights(q, k, causal) @ v, fast)
    some, at = [], torch.tensor([2, 7])
    model(x, at=at, maps=some)
    close(some[0], maps[0])
    close(some[1], maps[1][:, :, at])  # only these are asked for
    every = transformer(causal=False).attention(x)
    close(every.sum(-1), torch.ones(2, 3, 4, CONTEXT))
    assert (every > 0).all()
    y, mask = padded(x, left=3, right=0)
    assert (model.attention(y, mask)[:, 1, :, 3:, :3] == 0).all(), "somebody looks at padding"


def gpt2_reference(w: dict[str, torch.Tensor], x: torch.Tensor, heads: int) -> torch.Tensor:
    """GPT-2's formula, written out with its own names: x (T,) -> logits (T, V)."""

    def norm(h, name):
        mean, variance = h.mean(-1, keepdim=True), h.var(-1, keepdim=True, unbiased=False)
        return (h - mean) / torch.sqrt(variance + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(h, name):  # GPT-2 keeps (in, out)
        return h @ w[f"{name}.weight"] + w[f"{name}.bias"]

    def gelu(h):
        return 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))

    h = w["wte.weight"][x] + w["wpe.weight"][: len(x)]
    for i in range(1 + max(int(name.split(".")[1]) for name in w if name.startswith("h."))):
        q, k, v = dense(norm(h, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").chunk(3, dim=-1)
        size, mixed = q.shape[-1] // heads, []
        for j in range(heads):
            part = slice(j * size, (j + 1) * size)
            scores = q[:, part] @ k[:, part].T / math.sqrt(size)
            scores = scores + torch.full_like(scores, -math.inf).triu(1)
            mixed.append(torch.softmax(scores, -1) @ v[:, part])
        h = h + dense(torch.cat(mixed, -1), f"h.{i}.attn.c_proj")
        inner = gelu(dense(norm(h, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"))
        h = h + dense(inner, f"h.{i}.mlp.c_proj")
    return norm(h, "ln_f") @ w["wte.weight"].T


def gpt2_weights(width: int = 16, layers: int = 3) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = {"wte.weight": (VOCABULARY, width), "wpe.weight": (CONTEXT, width)}
    for i in range(layers):
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"h.{i}.{norm}.weight": (width,), f"h.{i}.{norm}.bias": (width,)}
        for name, out, into in (
            ("attn.c_attn", 3 * width, width),
            ("attn.c_proj", width, width),
            ("mlp.c_fc", 4 * width, width),
            ("mlp.c_proj", width, 4 * width),
        ):
            shapes |= {f"h.{i}.{name}.weight": (into, out), f"h.{i}.{name}.bias": (out,)}
    shapes |= {"ln_f.weight": (width,), "ln_f.bias": (width,)}
    return {n: 0.3 * torch.randn(shape, generator=generator) for n, shape in shapes.items()}


def test_gpt2_weights_give_the_logits_of_gpt2s_formula():
    weights, x = gpt2_weights(), tokens()
    model = from_gpt2(weights, heads=4).eval()
    expected = torch.stack([gpt2_reference(weights, row, heads=4) for row in x])
    torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-4)
    prefixed = {f"transformer.{name}": value for name, value in weights.items()}
    close(from_gpt2(prefixed, heads=4)(x), model(x))


def test_gpt2_weights_that_are_incomplete_are_refused():
    for missing in ("wpe.weight", "h.1.ln_2.bias"):
        weights = gpt2_weights()
        del weights[missing]
        with pytest.raises(ValueError, match=missing):
            from_gpt2(weights, heads=4)


def test_what_adds_up_over_layers_starts_smaller():
    torch.manual_seed(0)
    model = Transformer(50, 8, width=64, layers=8, init_std=0.1)
    for block in model.blocks:
        for last in (block.attention.out, block.mlp[-1]):
            assert last.weight.std().item() == pytest.approx(0.1 / 4, rel=0.1)
            assert (last.bias == 0).all()
        assert block.attention.to_qkv.weight.std().item() == pytest.approx(0.1, rel=0.1)


def test_the_spread_of_the_first_weights():
    model = Transformer(50, 8, width=64, init_std=0.1)
    assert abs(model.blocks[0].mlp[0].weight.std().item() - 0.1) < 0.01
    for vectors in (model.token, Transformer(50, 99, width=64).position):
        assert abs(vectors.weight.std().item() - 0.02) < 0.002
    assert abs(Transformer(50, 8).blocks[0].mlp[0].weight.std().item() - 0.02) < 0.002


def test_there_are_as_many_weights_as_the_formula_says():
    def formula(width, layers, outputs):
        return (9 + 8 + outputs) * width + layers * (12 * width**2 + 13 * width) + 2 * width

    for model, count in (
        (Transformer(9, 8), formula(64, 2, 9)),
        (Transformer(9, 8, width=12, layers=3, heads=3, outputs=5), formula(12, 3, 5)),
        (Transformer(9, 8, width=12, layers=1, tied=True), formula(12, 1, 0)),
        (Transformer(9, 8, width=12, layers=1, positions=False), formula(12, 1, 1)),
    ):
        assert sum(weight.numel() for weight in model.parameters()) == count
    assert Transformer(9, 8).heads == 4
    smallest = Transformer(1, 1, width=1, layers=1, heads=1)
    assert smallest(torch.zeros(1, 1, dtype=torch.long)).shape == (1, 1, 1)
    assert smallest.new_cache(1).batch == 1


def test_activations_differ_and_others_are_refused():
    x = tokens()
    gelu, tanh, relu = (transformer(activation=name)(x) for name in ACTIVATIONS)
    assert 0 < (gelu - tanh).abs().max() < 0.1 < (gelu - relu).abs().max()
    with pytest.raises(ValueError, match="activation must be one of"):
        transformer(activation="sine")


def test_an_lstm_starts_with_its_forget_gates_open():
    model = LSTM(5, width=3, layers=2, forget_bias=1.5)
    for name, bias in model.lstm.named_parameters():
        if "bias" in name:  # torch's order: input, forget, cell, output
            forget = 1.5 if "bias_ih" in name else 0.0
            assert bias.tolist() == [0.0] * 3 + [forget] * 3 + [0.0] * 6


def test_embeddings_are_read_as_their_tokens():
    model, x = transformer(), tokens()
    close(model(model.token(x)), model(x))


# -- modes


def test_a_model_in_training_reads_token_by_token_with_its_dropout():
    model, x = transformer(dropout=0.5).train(), tokens(length=1)
    with torch.no_grad():
        a, b = (model(x, cache=model.new_cache(3)) for _ in range(2))
    assert not torch.allclose(a, b)


# -- bad input


def test_a_context_that_is_too_long_is_named():
    model = transformer()
    with pytest.raises(ValueError, match="context is 12 tokens, but 13 came"):
        model(tokens(length=13))
    with torch.no_grad(), pytest.raises(ValueError, match="13"):
        cache = model.new_cache(3)
        model(tokens(), cache=cache)
        model(tokens(length=1), cache=cache)


def test_sizes_that_do_not_fit_are_named():
    for sizes in ({"width": 10, "heads": 4}, {"context": 0}, {"layers": 0}, {"dropout": 2}):
        with pytest.raises(ValueError, match=next(iter(sizes))):
            Transformer(5, **({"context": 4} | sizes))
    with pytest.raises(ValueError, match="outputs"):
        LSTM(None)
    with pytest.raises(ValueError, match="tied"):
        Transformer(5, 4, outputs=3, tied=True)
    with pytest.raises(ValueError, match="embeddings"):
        Transformer(None, 4, outputs=3)(torch.zeros(1, 2, dtype=torch.long))


def test_an_lstm_refuses_gaps():
    mask = torch.tensor([[True, False, True]])
    with pytest.raises(ValueError, match="side by side"):
        lstm()(torch.zeros(1, 3, dtype=torch.long), mask)
