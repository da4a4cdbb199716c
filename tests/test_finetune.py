"""Laws of fine-tuning: its gradients are those of J, and the soft optimum is the optimum of J."""

import copy
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from seqdec_lib.experience.trajectories import Trajectories, collect
from seqdec_lib.feedback.finetune import (
    Sampler,
    Samples,
    kl_divergence,
    policy_gradient_loss,
    ppo_loss,
)
from seqdec_lib.problems import TravelTree
from seqdec_lib.problems.tree_policies import (
    soft_backward_induction,
    table_on_tree,
    trip_probabilities,
)
from seqdec_lib.sequences.decoding import generate
from seqdec_lib.sequences.layout import TokenLayout
from seqdec_lib.sequences.losses import IGNORE, Batch, choice_log_probabilities, log_probabilities
from seqdec_lib.sequences.policy import SequencePolicy
from seqdec_lib.sequences.training import fit
from seqdec_lib.sequences.transformer import Transformer
from tests.table_policy import TablePolicy

pytestmark = pytest.mark.usefixtures("one_thread")

TREE = TravelTree(branching=2, horizon=3)
ENJOYMENT = TREE.level_enjoyment(3) / 3
ALL_TRIPS = Trajectories.complete(TREE.histories(TREE.horizon))
LAYOUT = TokenLayout.of(TREE, ALL_TRIPS)
TRIPS = LAYOUT.encode(ALL_TRIPS)  # all 8
seeds = st.integers(0, 2**32 - 1)


def transformer(seed: int) -> Transformer:
    """In double precision, and far enough from uniform to be interesting."""
    torch.manual_seed(seed)
    model = LAYOUT.transformer(width=8, layers=1, heads=2).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return model


def table(seed: int) -> TablePolicy:
    return TablePolicy(random_policy(np.random.default_rng(seed)))


def random_policy(rng: np.random.Generator) -> np.ndarray:
    return rng.dirichlet(np.ones(TREE.branching), size=TREE.first_leaf)


def objective(policy: np.ndarray, reference: np.ndarray, rewards: np.ndarray, beta: float) -> float:
    """J, by enumeration of all trips."""
    trips = trip_probabilities(TREE, policy)
    return float(trips @ rewards) - beta * kl_divergence(trips, trip_probabilities(TREE, reference))


def exact_j(model: nn.Module, reference: nn.Module, rewards: Tensor, beta: float) -> Tensor:
    log_pi, log_reference = (log_probabilities(m, TRIPS) for m in (model, reference))
    return (log_pi.exp() * (rewards - beta * (log_pi - log_reference.detach()))).sum()


def drawn(model: nn.Module, reference: nn.Module, rows: Tensor, rewards: Tensor) -> Samples:
    """Samples that are these rows (N,) of all trips."""
    batch = Batch(TRIPS.tokens[rows], TRIPS.targets[rows], None, TRIPS.at)
    with torch.no_grad():
        old = choice_log_probabilities(model, batch)
        return Samples(batch, rewards[rows], old, log_probabilities(reference, batch))


def gradient(value: Tensor, model: TablePolicy) -> Tensor:
    return torch.autograd.grad(value, model.logits)[0]


def expected_gradient(loss: object, model: nn.Module, reference: nn.Module, beta: float) -> Tensor:
    """The mean of the gradient over all pairs of samples, each as often as it is drawn."""
    rewards = torch.from_numpy(ENJOYMENT)
    probabilities = log_probabilities(model, TRIPS).exp().detach()
    total = torch.zeros(())
    for i in range(8):
        for j in range(8):
            samples = drawn(model, reference, torch.tensor([i, j]), rewards)
            weight = probabilities[i] * probabilities[j]
            total = total + weight * gradient(loss(model, samples, beta=beta), model)
    return total


# -- rows


def test_a_models_rows_are_a_distribution_and_agree_with_its_table() -> None:
    model = transformer(0)
    with torch.no_grad():
        by_rows = log_probabilities(model, TRIPS).exp().numpy()
    policy = table_on_tree(TREE, SequencePolicy(model, LAYOUT))
    assert by_rows.sum() == pytest.approx(1)
    np.testing.assert_allclose(by_rows, trip_probabilities(TREE, policy), rtol=1e-9)


def test_what_does_not_count_has_no_say() -> None:
    model = transformer(1)
    targets = TRIPS.targets.clone()
    targets[:, 0] = IGNORE
    rest = choice_log_probabilities(model, TRIPS._replace(targets=targets))
    assert (rest[:, 0] == 0).all()
    torch.testing.assert_close(rest[:, 1:], choice_log_probabilities(model, TRIPS)[:, 1:])


# -- gradients


@pytest.mark.parametrize("beta", [0.0, 0.7])
def test_the_policy_gradient_matches_finite_differences_of_the_exact_value(beta: float) -> None:
    model, reference = table(2), table(3)
    rewards = torch.from_numpy(ENJOYMENT)
    estimate = -expected_gradient(policy_gradient_loss, model, reference, beta)
    for entry in np.ndindex(*model.logits.shape):
        values = []
        for step in (1e-5, -1e-5):
            moved = copy.deepcopy(model)
            with torch.no_grad():
                moved.logits[entry] += step
                values.append(exact_j(moved, reference, rewards, beta))
        slope = (values[0] - values[1]) / 2e-5
        torch.testing.assert_close(estimate[entry], slope, rtol=1e-6, atol=1e-8)


def test_the_sampled_gradient_agrees_with_the_exact_one() -> None:
    model, reference, beta = table(2), table(3), 0.5
    rewards = torch.from_numpy(ENJOYMENT)
    exact = -gradient(exact_j(model, reference, rewards, beta), model)
    probabilities = log_probabilities(model, TRIPS).exp().detach()
    generator, estimates = torch.Generator().manual_seed(0), []
    for _ in range(100):
        rows = torch.multinomial(probabilities, 200, replacement=True, generator=generator)
        loss = policy_gradient_loss(model, drawn(model, reference, rows, rewards), beta)
        estimates.append(gradient(loss, model))
    estimates = torch.stack(estimates)
    standard_error = estimates.std(0) / math.sqrt(len(estimates))
    assert ((estimates.mean(0) - exact).abs() <= 5 * standard_error + 1e-9).all()


def test_the_first_update_of_ppo_is_the_policy_gradient() -> None:
    model, reference = table(2), table(3)
    samples = drawn(model, reference, torch.arange(8), torch.from_numpy(ENJOYMENT))
    torch.testing.assert_close(
        gradient(ppo_loss(model, samples, beta=0.5), model),
        gradient(policy_gradient_loss(model, samples, beta=0.5), model),
    )


def test_ppo_stops_pushing_a_choice_that_has_moved_far_enough() -> None:
    model, reference = table(2), table(3)
    samples = drawn(model, reference, torch.tensor([0, 7]), torch.arange(8.0, 0.0, -1.0))
    wanted = torch.tensor([[1.0], [-1.0]])  # more of trip 0, which paid 8, less of trip 7
    there = samples._replace(old=samples.old - wanted)
    not_yet = samples._replace(old=samples.old + wanted)
    assert (gradient(ppo_loss(model, there), model) == 0).all()
    assert (gradient(ppo_loss(model, not_yet), model) != 0).any()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), beta=st.sampled_from([0.0, 0.7]), clip=st.floats(0, 1))
def test_both_losses_are_their_formulas_written_out(seed: int, beta: float, clip: float) -> None:
    rng = np.random.default_rng(seed)
    model, reference, before = table(seed), table(seed + 1), table(seed + 2)
    rows = torch.from_numpy(rng.integers(8, size=5))
    samples = drawn(before, reference, rows, torch.from_numpy(ENJOYMENT))
    with torch.no_grad():
        now = choice_log_probabilities(model, samples.batch).numpy()
    old, leash = samples.old.numpy(), samples.reference.numpy()

    def advantages(log_pi: np.ndarray) -> np.ndarray:
        returns = samples.rewards.numpy() - beta * (log_pi - leash)
        return np.array([returns[i] - np.delete(returns, i).mean() for i in range(5)])

    expected = -(advantages(now.sum(1)) * now.sum(1)).mean()
    assert policy_gradient_loss(model, samples, beta).item() == pytest.approx(expected)
    gain = 0.0
    for row, advantage in enumerate(advantages(old.sum(1))):
        for ratio in np.exp(now[row] - old[row]):
            gain += min(ratio * advantage, np.clip(ratio, 1 - clip, 1 + clip) * advantage)
    assert ppo_loss(model, samples, beta, clip).item() == pytest.approx(-gain / 5, abs=1e-12)
    assert ppo_loss(model, samples).item() == ppo_loss(model, samples, 0.0, 0.2).item()
    assert policy_gradient_loss(model, samples) == policy_gradient_loss(model, samples, 0.0)


@pytest.mark.parametrize("updates", [1, 3])
def test_samples_are_drawn_once_for_so_many_updates(updates: int) -> None:
    model, played = table(0), []

    def count(generator: torch.Generator) -> Batch:
        played.append(len(played))
        return TRIPS

    draw = Sampler(model, model, count, lambda batch: torch.zeros(8), updates)
    came = [draw(torch.Generator()) for _ in range(7)]
    assert len(played) == -(-7 // updates)
    assert [came[i] is came[i + 1] for i in range(6)] == [(i + 1) % updates > 0 for i in range(6)]
    state = draw.state_dict()
    other = Sampler(model, model, count, lambda batch: torch.zeros(8), updates)
    assert other.state_dict() == {"used": updates, "kept": None}
    other.load_state_dict(state)
    draw(torch.Generator()), other(torch.Generator())
    assert other.state_dict()["used"] == draw.state_dict()["used"] == 7 % updates + 1
    other.load_state_dict({"used": updates, "kept": None})
    assert other.kept is None


def test_at_the_optimum_every_sample_has_the_same_return() -> None:
    """reward - beta log(pi* / reference) is beta log Z: no sample is better than another, so the
    gradient has no noise left."""
    model, reference, beta = table(2), table(3), 0.4
    with torch.no_grad():
        log_ratio = log_probabilities(model, TRIPS) - log_probabilities(reference, TRIPS)
    samples = drawn(model, reference, torch.arange(8), beta * log_ratio + 5.0)
    for loss in (policy_gradient_loss, ppo_loss):
        assert gradient(loss(model, samples, beta=beta), model).abs().max() < 1e-12


# -- training


def play(model: nn.Module, generator: torch.Generator) -> Batch:
    seed = int(torch.randint(2**31, (1,), generator=generator))
    return LAYOUT.encode(collect(TREE, SequencePolicy(model, LAYOUT), 64, seed))


def trip_reward(batch: Batch) -> Tensor:
    states, actions = LAYOUT.decode(batch.tokens)
    leaves = TREE.branching * states[:, -1] + 1 + actions[:, -1] - TREE.first_leaf
    return torch.from_numpy(ENJOYMENT)[leaves]


@pytest.mark.parametrize(("loss", "updates"), [(policy_gradient_loss, 1), (ppo_loss, 4)])
def test_training_finds_the_optimum_on_the_leash(loss: object, updates: int) -> None:
    reference, beta = transformer(3), 0.5
    model = copy.deepcopy(reference)
    draw = Sampler(model, reference, partial(play, model), trip_reward, updates)
    fit(model, draw, 150, loss=partial(loss, beta=beta), learning_rate=1e-2, decay=0.0)
    policy = table_on_tree(TREE, SequencePolicy(reference, LAYOUT))
    best = soft_backward_induction(TREE, policy, beta, ENJOYMENT)
    with torch.no_grad():
        trips = log_probabilities(model, TRIPS).exp().numpy()
    assert kl_divergence(trips, trip_probabilities(TREE, best.policy)) < 0.02


def test_samples_are_fresh_when_they_have_been_used() -> None:
    model = transformer(3)
    draw = Sampler(model, model, partial(play, model), trip_reward, updates=2)
    generator = torch.Generator().manual_seed(0)
    first, second, third = (draw(generator) for _ in range(3))
    assert first is second and second is not third
    assert not first.batch.tokens.equal(third.batch.tokens)
    torch.testing.assert_close(first.old.sum(1), first.reference)


def test_a_run_that_stops_while_its_samples_are_in_use_resumes_bit_for_bit(tmp_path) -> None:
    class Interruption(Exception):
        pass

    def run(stop_after: int | None = None, checkpoint: object = None) -> tuple:
        model, reference = transformer(2), transformer(3)
        draw, left = Sampler(model, reference, partial(play, model), trip_reward, 2), [stop_after]

        def loss(model: nn.Module, samples: Samples) -> Tensor:
            if left[0] is not None:
                if not left[0]:
                    raise Interruption
                left[0] -= 1
            return ppo_loss(model, samples, 0.5)

        options = {"checkpoint": checkpoint, "checkpoint_every": 1}
        return fit(model, draw, 6, loss=loss, **options), model

    expected, whole = run()
    for stop_after in (2, 3):  # samples are used up, samples are in use
        path = tmp_path / f"{stop_after}.pt"
        with pytest.raises(Interruption):
            run(stop_after, path)
        came, resumed = run(checkpoint=path)
        assert came == expected
        for name, weight in whole.state_dict().items():
            assert torch.equal(weight, resumed.state_dict()[name]), name


def test_places_that_were_asked_for_as_a_slice_are_kept_as_numbers() -> None:
    model, batch = table(2), TRIPS._replace(at=slice(0, None, 2))
    draw = Sampler(model, model, lambda generator: batch, trip_reward)
    at = draw(torch.Generator()).batch.at
    assert torch.equal(at, TRIPS.at)
    fresh = Sampler(model, model, lambda generator: batch, trip_reward)
    fresh.load_state_dict(fresh.state_dict())
    assert fresh.kept is None and fresh.used == 1


def with_dropout() -> Transformer:
    torch.manual_seed(0)
    return LAYOUT.transformer(width=8, layers=1, heads=2, dropout=0.5)


@pytest.mark.parametrize("loss", [policy_gradient_loss, ppo_loss])
def test_the_policy_that_is_judged_is_the_one_that_drew(loss: object) -> None:
    """Dropout would make it another policy at each look."""
    model = with_dropout().train()
    samples = Sampler(model, model, partial(play, model), trip_reward)(torch.Generator())
    torch.testing.assert_close(samples.old.sum(1), samples.reference)
    assert loss(model, samples, 0.5) == loss(model, samples, 0.5)
    assert all(part.training for part in model.modules())
    at_first = [ppo_loss(model, samples), ppo_loss(model, samples, clip=0.0)]
    torch.testing.assert_close(*at_first), "all ratios are 1"


@pytest.mark.parametrize("loss", [policy_gradient_loss, ppo_loss])
def test_a_reference_that_never_does_it_is_an_infinite_leash(loss: object) -> None:
    model = table(2)
    samples = drawn(model, model, torch.arange(8), torch.from_numpy(ENJOYMENT))
    reference = samples.reference.clone()
    reference[3] = -math.inf  # one row is enough
    never = samples._replace(reference=reference)
    assert torch.equal(loss(model, never), loss(model, samples))
    with pytest.raises(ValueError, match="divergence is infinite"):
        loss(model, never, beta=0.1)


@given(shift=st.floats(-500, 500), tied=st.booleans())
@example(shift=89.0, tied=False)
def test_ppo_is_a_number_however_far_a_choice_has_moved(shift: float, tied: bool) -> None:
    model = table(2).float()  # as readers train: exp(89) is beyond single precision
    rewards = torch.ones(8) if tied else torch.arange(8.0)
    samples = drawn(model, model, torch.arange(8), rewards)
    moved = samples._replace(old=samples.old - shift)
    slope = gradient(ppo_loss(model, moved), model)
    assert torch.isfinite(slope).all()
    assert not tied or (slope == 0).all()


def test_answers_of_a_language_model_are_rows_too() -> None:
    """The same loss teaches a model of tokens to say a word: prompts are IGNOREd, answers count."""
    torch.manual_seed(0)
    model = Transformer(5, context=6, width=16, layers=1, heads=2)
    reference = copy.deepcopy(model)
    prompt = torch.zeros(64, 2, dtype=torch.long)

    def answers(generator: torch.Generator) -> Batch:
        said = generate(model, prompt, steps=3, generator=generator)
        tokens = torch.cat([prompt, said], 1)
        targets = torch.cat([torch.full((64, 1), IGNORE), said], 1)
        return Batch(tokens[:, :-1], targets)

    def reward(batch: Batch) -> Tensor:
        return (batch.targets == 4).float().sum(1)

    draw = Sampler(model, reference, answers, reward)
    fit(model, draw, 60, loss=partial(policy_gradient_loss, beta=0.1), learning_rate=1e-2)
    assert reward(answers(torch.Generator().manual_seed(1))).mean() > 2.5  # of 3; at first 0.6


# -- the soft optimum


@settings(deadline=None, max_examples=40)
@given(seed=seeds, beta=st.floats(0.05, 20))
def test_no_perturbation_improves_the_soft_optimum(seed: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    reference, rewards = random_policy(rng), rng.normal(size=TREE.n_leaves)
    best = soft_backward_induction(TREE, reference, beta, rewards)
    top = objective(best.policy, reference, rewards, beta)
    assert top == pytest.approx(best.values[0], abs=1e-9)
    for size in (1e-3, 0.1, 1.0):
        other = (1 - size) * best.policy + size * random_policy(rng)
        assert objective(other, reference, rewards, beta) <= top + 1e-9


@settings(deadline=None, max_examples=40)
@given(seed=seeds, beta=st.floats(0.05, 20))
def test_what_a_policy_is_short_of_is_beta_times_its_divergence(seed: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    reference, rewards, other = random_policy(rng), rng.normal(size=8), random_policy(rng)
    best = soft_backward_induction(TREE, reference, beta, rewards)
    missing = best.values[0] - objective(other, reference, rewards, beta)
    divergence = kl_divergence(
        trip_probabilities(TREE, other), trip_probabilities(TREE, best.policy)
    )
    assert missing == pytest.approx(beta * divergence, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(seed=seeds, beta=st.floats(0.05, 20))
def test_induction_gives_the_closed_form_of_whole_trips(seed: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    reference, rewards = random_policy(rng), rng.normal(size=8)
    best = soft_backward_induction(TREE, reference, beta, rewards)
    tilted = trip_probabilities(TREE, reference) * np.exp(rewards / beta)
    np.testing.assert_allclose(
        trip_probabilities(TREE, best.policy), tilted / tilted.sum(), atol=1e-12
    )
    assert best.values[0] == pytest.approx(beta * math.log(tilted.sum()), abs=1e-9)


def test_the_leash_leads_from_the_optimum_to_the_reference() -> None:
    reference = random_policy(np.random.default_rng(0))
    loose = soft_backward_induction(TREE, reference, 1e-3)
    assert TREE.expected_return(everywhere(loose.policy)) == pytest.approx(TREE.optimal_return())
    assert loose.values[0] == pytest.approx(TREE.optimal_return(), abs=0.01)
    tight = soft_backward_induction(TREE, reference, 1e6)
    np.testing.assert_allclose(tight.policy, reference, atol=1e-4)


def everywhere(policy: np.ndarray) -> np.ndarray:
    return np.vstack([policy, np.full((TREE.n_leaves, TREE.n_actions), 1 / TREE.n_actions)])


def test_what_the_reference_never_does_the_optimum_never_does() -> None:
    reference = random_policy(np.random.default_rng(0))
    reference[0] = [1.0, 0.0]
    best = soft_backward_induction(TREE, reference, 0.1)
    assert best.policy[0].tolist() == [1.0, 0.0]
    assert np.isfinite(best.values).all()


# -- distributions


@given(seed=seeds)
def test_divergence_is_positive_and_zero_only_for_equals(seed: int) -> None:
    p, q = np.random.default_rng(seed).dirichlet(np.ones(4), size=2)
    assert kl_divergence(p, q) > 0
    assert kl_divergence(p, p) == 0


def test_divergence_knows_zeros() -> None:
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx(math.log(2))
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf


# -- errors

ROWS = np.full((TREE.first_leaf, 2), 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: soft_backward_induction(TREE, ROWS, 0.0), "beta must be a number above 0"),
        (lambda: soft_backward_induction(TREE, ROWS[1:], 1.0), "shape"),
        (lambda: soft_backward_induction(TREE, ROWS, 1.0, np.zeros(3)), "rewards must be 8 finite"),
        (
            lambda: soft_backward_induction(TravelTree(2, 3, cancel=0.1), ROWS, 1.0),
            "without cancellations",
        ),
        (lambda: kl_divergence([1.0], [0.5, 0.5]), "both have shape"),
        (lambda: kl_divergence([0.5], [1.0]), "sum to 1"),
        (lambda: kl_divergence([[1.0]], [[1.0]]), "both have shape"),
        (lambda: Sampler(None, None, None, None, updates=0), "updates must be a whole number"),
        (lambda: ppo_loss(None, None, beta=-1.0), "beta must be a number of at least 0"),
        (lambda: ppo_loss(None, None, clip=2.0), "clip must be a number from 0 to 1"),
        (lambda: policy_gradient_loss(None, None, beta=math.nan), "beta must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
