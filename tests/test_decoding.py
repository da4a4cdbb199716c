"""Laws of the sampler: from logits to a token, and on, token by token."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.sequences.decoding import beam_search, choose, distribution, generate
from seqdec_lib.sequences.tokens import evaluating
from seqdec_lib.sequences.transformer import Transformer
from tests.small_models import VOCABULARY, both, close, few, lstm, padded, tokens, transformer

pytestmark = pytest.mark.usefixtures("one_thread")

numbers = st.floats(-1e300, 1e300) | st.floats(-9, 9) | st.sampled_from([0.0, 1.0, -math.inf])

rows_of_logits = st.lists(numbers, min_size=1, max_size=9).filter(lambda r: max(r) > -math.inf)

temperatures = st.floats(0, exclude_min=True, allow_infinity=False) | st.floats(0.1, 9)


def decided_model(seed: int) -> Transformer:
    """Three tokens, and never two sequences that rounding could take for equally likely."""
    torch.manual_seed(seed)
    model = Transformer(3, context=8, width=16, layers=2, heads=2).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model


# -- one token


@pytest.mark.parametrize("draw", [0.0, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"top_p": 0.7}])
def test_whatever_is_drawn_names_a_token_that_may_come(monkeypatch, draw, options):
    """The tokens stand on a line of length 1, in their order; what is drawn is a place on it."""
    shape = {"dtype": torch.float64}
    monkeypatch.setattr(torch, "rand", lambda *sizes, **more: torch.full(sizes, draw, **shape))
    never = -math.inf
    logits = torch.tensor([[never, 1.0, 0.5, never], [0.0, never, 0.0, 0.0], [never] * 3 + [0.0]])
    p = distribution(logits, **options)
    chosen = choose(logits, **options)
    for row, token in zip(p.tolist(), chosen.tolist(), strict=True):
        assert row[token] > 0
        assert sum(row[:token]) <= draw + 1e-12 and draw <= sum(row[: token + 1]) + 1e-12


def test_unless_asked_otherwise_it_is_the_softmax():
    logits = torch.tensor([[1.0, 0.5, -math.inf], [3.0, -2.0, 0.0]], dtype=torch.float64)
    assert torch.allclose(distribution(logits), logits.softmax(-1), atol=1e-12)


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
    # Of equally good ones the first; what rounding takes for equal beside the best one is equal.
    order = sorted(range(len(row)), key=lambda i: -(row[i] - max(row)) / t)
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


# -- beams


def every_sequence(model: Transformer, prompt: torch.Tensor, steps: int, stop: int | None):
    """The log-probability of each sequence, which the stop token may end."""
    made = torch.cartesian_prod(*[torch.arange(model.vocabulary)] * steps)
    if stop is not None:
        ended = (made == stop).cumsum(1) > 0
        made = made[~(ended[:, :-1] & (made[:, 1:] != stop)).any(1)]
    read = torch.cat([prompt.expand(len(made), -1), made[:, :-1]], 1)
    with torch.no_grad():
        rows = model(read, at=slice(-steps, None)).double().log_softmax(-1)
    gains = rows.gather(2, made[:, :, None])[..., 0]
    if stop is not None:
        gains[:, 1:][made[:, :-1] == stop] = 0.0
    return dict(zip(map(tuple, made.tolist()), gains.sum(1).tolist(), strict=True))


@pytest.mark.parametrize("stop", [None, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_the_best_of_all_and_a_beam_of_one_is_greedy(seed, stop):
    model, prompt, steps = decided_model(seed), torch.tensor([[0, 1], [2, 2]]), 4
    made, scores = beam_search(model, prompt, steps, width=3**steps, stop=stop)
    for row in range(2):
        every = every_sequence(model, prompt[row : row + 1], steps, stop)
        best = sorted(every, key=every.get, reverse=True)
        found = torch.isfinite(scores[row])
        assert found.sum() == len(every)
        assert [tuple(sequence) for sequence in made[row, found].tolist()] == best
        expected = torch.tensor([every[sequence] for sequence in best], dtype=torch.float64)
        torch.testing.assert_close(scores[row, found], expected, rtol=0, atol=1e-4)
    greedy = generate(model, prompt, steps, temperature=0, stop=stop)
    single, _ = beam_search(model, prompt, steps, width=1, stop=stop)
    assert torch.equal(single[:, 0, : greedy.shape[1]], greedy)


def test_greedy_can_be_wrong_and_a_beam_of_two_right():
    """0.6 times 0.5 is less than 0.4 times 1: the best first step begins no best sequence."""

    class TwoSteps(Transformer):
        def forward(self, tokens, mask=None, at=None, cache=None, maps=None):
            super().forward(tokens, mask, at, cache, maps)
            rows = torch.tensor([[0.6, 0.4, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]).log()
            first = cache.length == 1
            return rows[0].expand(len(tokens), -1) if first else rows[1 + tokens[:, -1]]

    model, prompt = TwoSteps(3, 8, width=8), torch.zeros(1, 1, dtype=torch.long)
    for width, sequence, p in ((1, [0, 0], 0.3), (2, [1, 2], 0.4)):
        made, scores = beam_search(model, prompt, 2, width)
        assert made[0, 0].tolist() == sequence
        assert math.isclose(scores[0, 0].exp(), p, rel_tol=1e-6)


@both
def test_beams_after_prompts_of_different_lengths(make):
    model, x = make(), tokens(length=8)
    y, mask = padded(x, left=3, right=0)
    made, scores = beam_search(model, y, 4, 3, mask)
    for row in range(3):
        alone, score = beam_search(model, x[row : row + 1, : 8 - 3 * (row == 1)], 4, 3)
        assert torch.equal(made[row], alone[0])
        close(scores[row], score[0])
    with pytest.raises(ValueError, match="padded on the left"):
        beam_search(model, y, 4, 3, mask.flip(1))


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
