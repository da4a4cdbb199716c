"""Laws of the Transformer, the LSTM and the sampler."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.sequences.decoding import choose, distribution, generate
from seqdec_lib.sequences.gpt2 import from_gpt2
from seqdec_lib.sequences.lstm import LSTM
from seqdec_lib.sequences.transformer import Transformer, attention_weights

VOCABULARY, CONTEXT = 11, 12
few = settings(max_examples=15, deadline=None)


def transformer(**options) -> Transformer:
    torch.manual_seed(0)
    model = Transformer(VOCABULARY, CONTEXT, width=16, layers=2, heads=4, **options).eval()
    for parameter in model.parameters():  # far from the small start, where all would look alike
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def lstm(**options) -> LSTM:
    torch.manual_seed(0)
    return LSTM(VOCABULARY, width=16, layers=2, **options).eval()


def tokens(rows: int = 3, length: int = CONTEXT, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(VOCABULARY, (rows, length), generator=generator)


both = pytest.mark.parametrize("make", [transformer, lstm])


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


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


def padded(x: torch.Tensor, left: int, right: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Row 1 loses tokens to padding on either side, which is filled with rubbish."""
    y, mask = x.clone(), torch.ones_like(x, dtype=torch.bool)
    kept = x[1, : x.shape[1] - left - right]
    y[1], mask[1] = 7, False
    y[1, left : left + len(kept)], mask[1, left : left + len(kept)] = kept, True
    return y, mask


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


@both
def test_decoding_after_prompts_of_different_lengths(make):
    model, x = make(), tokens(length=8)
    y, mask = padded(x, left=3, right=0)
    alone = [generate(model, x[i : i + 1, : 8 - 3 * (i == 1)], 4, temperature=0) for i in range(3)]
    assert torch.equal(generate(model, y, 4, mask, temperature=0), torch.cat(alone))
    assert torch.equal(generate(model, y, 4, mask, temperature=0, cached=False), torch.cat(alone))


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


def test_embeddings_are_read_as_their_tokens():
    model, x = transformer(), tokens()
    close(model(model.token(x)), model(x))


# -- the sampler


def test_cached_sampling_equals_uncached_sampling():
    for make in (transformer, lstm):
        model, x = make(), tokens(length=4)
        runs = [
            generate(model, x, 8, generator=torch.Generator().manual_seed(5), cached=cached)
            for cached in (True, False)
        ]
        assert torch.equal(*runs)


def test_nothing_follows_the_stop_token():
    model = transformer()
    made = generate(model, tokens(64, 2), 10, stop=4, generator=torch.Generator().manual_seed(0))
    after = (made == 4).cumsum(1) > 0
    assert (made[after] == 4).all() and after.any()


@few
@given(
    logits=st.lists(st.floats(-9, 9), min_size=1, max_size=9),
    k=st.integers(1, 9),
    p=st.floats(0.01, 1),
)
def test_top_k_and_top_p_keep_the_right_tokens(logits, k, p):
    row = torch.tensor(logits, dtype=torch.float64)
    mass, best = row.softmax(0), distribution(row, top_k=k)
    assert (best > 0).sum() == min(k, len(logits))
    assert row[best > 0].min() >= row[best == 0].max() if k < len(logits) else True
    kept = distribution(row, top_p=p) > 0
    assert mass[kept].sum() >= p - 1e-9, "holds less than top_p"
    assert mass[kept].sum() - mass[kept].min() < p + 1e-9, "one token fewer would have done"


def test_samples_follow_the_softmax():
    logits = torch.tensor([0.0, 1.0, 2.0, -math.inf])
    drawn = choose(logits.expand(40_000, 4), 0.5, generator=torch.Generator().manual_seed(0))
    share = torch.bincount(drawn, minlength=4) / len(drawn)
    assert (share - (logits / 0.5).softmax(0)).abs().max() < 0.01
    assert share[3] == 0


# -- bad input


@both
@pytest.mark.parametrize(
    ("x", "mask", "words"),
    [
        (torch.zeros(0, 4, dtype=torch.long), None, "B, T >= 1"),
        (torch.zeros(2, 0, dtype=torch.long), None, "B, T >= 1"),
        (torch.zeros(4, dtype=torch.long), None, "(B, T)"),
        (torch.full((2, 4), VOCABULARY), None, "0..10"),
        (torch.full((2, 4), -1), None, "-1"),
        (torch.zeros(2, 4, 5), None, "16 wide"),
        (torch.zeros(2, 4, dtype=torch.long), torch.tensor([[True] * 4, [False] * 4]), "row 1"),
        (torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 3, dtype=torch.bool), "(2, 4)"),
        (torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 4), "bool"),
    ],
)
def test_bad_tokens_and_masks_are_named(make, x, mask, words):
    with pytest.raises(ValueError) as error:
        make()(x, mask)
    assert words in str(error.value)


def test_a_context_that_is_too_long_is_named():
    model = transformer()
    with pytest.raises(ValueError, match="context is 12 tokens, but 13 came"):
        model(tokens(length=13))
    with torch.no_grad(), pytest.raises(ValueError, match="13"):
        cache = model.new_cache(3)
        model(tokens(), cache=cache)
        model(tokens(length=1), cache=cache)


@both
def test_misuse_of_a_cache_is_named(make):
    model = make()
    with pytest.raises(ValueError, match="no_grad"):
        model(tokens(), cache=model.new_cache(3))
    with torch.no_grad(), pytest.raises(ValueError, match="2 sequences, but 3"):
        model(tokens(), cache=model.new_cache(2))


@pytest.mark.parametrize("at", [12, -13, torch.tensor([]), torch.tensor([[1], [2]]), slice(3, 3)])
def test_positions_that_do_not_exist_are_named(at):
    with pytest.raises(ValueError, match="at must"):
        transformer()(tokens(), at=at)


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


def test_bad_choices_are_named():
    for logits in (torch.full((2, 3), -math.inf), torch.zeros(2, 0), torch.tensor([math.nan, 1])):
        with pytest.raises(ValueError, match="logits"):
            choose(logits)
    for options in ({"temperature": -1}, {"top_k": 0}, {"top_p": 0.0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            choose(torch.zeros(3), **options)
    with pytest.raises(ValueError, match="LEFT|left"):
        generate(transformer(), *(tokens(1, 3), 2), mask=torch.tensor([[True, True, False]]))
