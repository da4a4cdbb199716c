"""Laws of the sampler: from logits to a token, and on, token by token."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.sequences.decoding import beam_search, choose, distribution, generate
from seqdec_lib.sequences.tokens import evaluating
from tests.small_models import VOCABULARY, both, few, lstm, padded, tokens, transformer

pytestmark = pytest.mark.usefixtures("one_thread")

numbers = st.floats(-1e300, 1e300) | st.floats(-9, 9) | st.sampled_from([0.0, 1.0, -math.inf])

rows_of_logits = st.lists(numbers, min_size=1, max_size=9).filter(lambda r: max(r) > -math.inf)

temperatures = st.floats(0, exclude_min=True, allow_infinity=False) | st.floats(0.1, 9)


# -- one token


@settings(max_examples=100, deadline=None)
@given(row=rows_of_logits, temperature=temperatures, single=st.booleans())
def test_any_logits_and_temperature_give_probabilities_in_their_order(row, temperature, single):
    logits = torch.tensor(row, dtype=torch.float64)
    logits = (
        logits.clamp(-3e38, 3e38).float().where(logits > -math.inf, logits) if single else logits
    )
    p = distribution(logits, temperature)
    assert p.dtype == torch.float64 and p.sum() == pytest.approx(1)
    assert (p[logits == -math.inf] == 0).all()
    assert (p.diff() * logits.double().diff().nan_to_num() >= 0).all(), "the better, the likelier"
    assert len(set(p[logits == logits.max()].tolist())) == 1, "ties share"
    for drawn in (choose(logits, temperature), choose(logits, 0)):
        assert p[drawn] > 0
    assert distribution(logits, 0)[int(logits.argmax())] == 1


@few
@given(row=rows_of_logits, k=st.integers(1, 9), p=st.floats(0.01, 1), t=st.floats(0.3, 3))
def test_top_k_and_top_p_keep_the_right_tokens(row, k, p, t):
    logits = torch.tensor(row, dtype=torch.float64)
    mass, best = distribution(logits, t), distribution(logits, t, top_k=k)
    order = sorted(range(len(row)), key=lambda i: -row[i])  # of equally good ones the first
    assert set(torch.nonzero(best)[:, 0].tolist()) <= set(order[:k])
    cut = mass.clone()
    cut[order[k:]] = 0
    torch.testing.assert_close(best, cut / cut.sum())
    kept = distribution(logits, t, k, p) > 0
    assert best[kept].sum() >= p - 1e-9, "holds less than top_p"
    assert best[kept].sum() - best[kept].min() < p + 1e-9, "one token fewer would have done"
    torch.testing.assert_close(
        distribution(logits, t, k, p), torch.where(kept, best, 0) / best[kept].sum()
    )


@few
@given(seed=st.integers(0, 99), k=st.none() | st.integers(1, 5), p=st.none() | st.floats(0.1, 1))
def test_each_row_is_drawn_for_itself_however_many_axes_there_are(seed, k, p):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 5, generator=generator)
    whole = distribution(logits, 0.7, k, p)
    for i, j in [(0, 0), (1, 2)]:
        torch.testing.assert_close(whole[i, j], distribution(logits[i, j], 0.7, k, p))
    for temperature in (0, 0.7):
        drawn = choose(logits, temperature, k, p, generator)
        assert drawn.shape == (2, 3) and (whole.gather(2, drawn[..., None]) > 0).all()


def test_samples_follow_the_softmax():
    logits = torch.tensor([0.0, 1.0, 2.0, -math.inf])
    drawn = choose(logits.expand(40_000, 4), 0.5, generator=torch.Generator().manual_seed(0))
    share = torch.bincount(drawn, minlength=4) / len(drawn)
    assert (share - (logits / 0.5).softmax(0)).abs().max() < 0.01
    assert share[3] == 0


def test_choose_draws_from_the_distribution():
    logits = torch.tensor([[1.0, 2.0, 0.0]]).expand(20_000, 3)
    p = distribution(logits, temperature=0.7, top_k=2)[0]
    drawn = choose(logits, 0.7, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.bincount(minlength=3) / 20_000, p.float(), atol=0.02)
    assert distribution(logits[:1], 0).tolist() == [[0.0, 1.0, 0.0]]


# -- on, token by token


def test_cached_sampling_equals_uncached_sampling():
    for make in (transformer, lstm):
        model, x = make(), tokens(length=4)
        runs = [
            generate(model, x, 8, generator=torch.Generator().manual_seed(5), cached=cached)
            for cached in (True, False)
        ]
        assert torch.equal(*runs)


@both
def test_decoding_after_prompts_of_different_lengths(make):
    model, x = make(), tokens(length=8)
    y, mask = padded(x, left=3, right=0)
    alone = [generate(model, x[i : i + 1, : 8 - 3 * (i == 1)], 4, temperature=0) for i in range(3)]
    assert torch.equal(generate(model, y, 4, mask, temperature=0), torch.cat(alone))
    assert torch.equal(generate(model, y, 4, mask, temperature=0, cached=False), torch.cat(alone))


def test_nothing_follows_the_stop_token():
    model = transformer()
    made = generate(model, tokens(64, 2), 10, stop=4, generator=torch.Generator().manual_seed(0))
    after = (made == 4).cumsum(1) > 0
    assert (made[after] == 4).all() and after.any()


def test_generating_ends_where_all_have_ended():
    model, x = transformer(), tokens(4, 2)
    (word,) = generate(model, x[:1], 1, temperature=0)[0].tolist()
    assert generate(model, x[:1], 8, temperature=0, stop=word).tolist() == [[word]]
    assert generate(model, x, 8, temperature=0, stop=VOCABULARY).shape == (4, 8)


@both
@pytest.mark.parametrize("cached", [True, False])
def test_being_asked_changes_no_mode_and_answers_have_no_dropout(make, cached):
    model, x = make(dropout=0.5), tokens(length=3)
    quiet = generate(model, x, 5, temperature=0, cached=cached)
    model.train()
    model.head.eval()  # a part that somebody froze
    modes = {name: part.training for name, part in model.named_modules()}
    assert torch.equal(generate(model, x, 5, temperature=0, cached=cached), quiet)
    assert torch.equal(beam_search(model, x, 5, width=1)[0][:, 0], quiet)
    with pytest.raises(ValueError, match="token ids"):
        generate(model, x + VOCABULARY, 2, cached=cached)
    assert {name: part.training for name, part in model.named_modules()} == modes
    with evaluating(model):
        assert not any(part.training for part in model.modules())


def test_one_may_train_on_what_was_generated():
    model = transformer()
    model(generate(model, tokens(length=2), 3)).sum().backward()
    assert model.token.weight.grad.abs().sum() > 0


# -- bad input


def test_bad_choices_are_named():
    empty, nan, inf = torch.zeros(2, 0), torch.tensor([math.nan, 1]), torch.tensor([math.inf, 1])
    for logits in (torch.full((2, 3), -math.inf), empty, nan, inf):
        for temperature in (0, 1):
            with pytest.raises(ValueError, match="logits"):
                choose(logits, temperature)
    for options in ({"temperature": -1}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.1}):
        with pytest.raises(ValueError, match=next(iter(options))):
            choose(torch.zeros(3), **options)
        with pytest.raises(ValueError, match=next(iter(options))):
            choose(torch.zeros(3), **({"temperature": 0} | options))
    with pytest.raises(ValueError, match="LEFT|left"):
        generate(transformer(), *(tokens(1, 3), 2), mask=torch.tensor([[True, True, False]]))
