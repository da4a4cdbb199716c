"""The laws of assignment 6: they hold for every right design, believe nobody, and give points."""

import base64
import pickle
from collections.abc import Callable
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader import utils
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from coursework.grading.run import test as run_test
from coursework.mutants.a6 import MUTANTS
from coursework.record import solutions
from coursework.sandbox import wire
from coursework.sandbox.inside import answers
from seqdec_lib.checks import country as here
from seqdec_lib.checks.assignment_6 import LAWS, POINTS
from seqdec_lib.checks.country import ACTIONS, DAYS, LEVELS, PLACES, VOCABULARY, Country, Shares
from seqdec_lib.checks.workshop import Partly, check_laws, grade_laws, judge_laws, kept, so_far
from seqdec_lib.sequences import Transformer
from tests.test_assignments import info, notebook_of

FUNCTIONS = {
    "model": ("initial_weights", "model_logits"),
    "gradient": ("initial_weights", "model_logits", "model_gradient"),
    "memory": ("initial_weights", "model_logits", "read_one"),
    "train": ("train", "initial_weights", "model_logits", "encode", "wish_tokens"),
}


def functions_of(problem: str, names: dict[str, object]) -> list[Callable]:
    return [names[name] for name in FUNCTIONS[problem]]


def points(problem: str, names: dict[str, object], seed: int = 0) -> int:
    return sum(
        line.points for line in judge_laws(problem, *functions_of(problem, names), seed=seed)
    )


@pytest.fixture
def solved() -> dict[str, object]:
    """What the solved notebook defines."""
    return solutions("a6")


# -- a design of one's own


def of_the_book(weights: np.ndarray) -> Transformer:
    model = Transformer(VOCABULARY, PLACES, width=24, layers=3, heads=2, outputs=ACTIONS)
    vector_to_parameters(torch.as_tensor(weights, dtype=torch.float32), model.parameters())
    return model


def book_weights(seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    model = Transformer(VOCABULARY, PLACES, 24, 3, 2, ACTIONS, init_std=0.1)
    return parameters_to_vector(model.parameters()).detach()


def book_gradient(weights: np.ndarray, tokens: np.ndarray, targets: np.ndarray) -> torch.Tensor:
    model = of_the_book(weights)
    logits = model(torch.as_tensor(tokens))
    torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), torch.as_tensor(targets).flatten()
    ).backward()
    return parameters_to_vector(parameter.grad for parameter in model.parameters())


def book_reads_one(weights: np.ndarray, memory: list | None, token: np.ndarray) -> tuple:
    model = of_the_book(weights).eval()
    cache = model.new_cache(len(token))
    if memory is not None:
        cache.kept[:], cache.length = torch.as_tensor(memory[0]), memory[1]
    with torch.inference_mode():
        return model(torch.as_tensor(token)[:, None], None, -1, cache), [cache.kept, cache.length]


def test_the_books_own_transformer_keeps_the_laws() -> None:
    """In single precision, with norms that have weights, another activation, and its own cache."""
    names = {
        "initial_weights": book_weights,
        "model_logits": lambda weights, tokens: of_the_book(weights)(torch.as_tensor(tokens)),
        "model_gradient": book_gradient,
        "read_one": book_reads_one,
    }
    for problem in ("model", "gradient", "memory"):
        assert points(problem, names) == LAWS[problem].points


# -- points for each law that holds


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("problem", ["model", "gradient", "memory"])
def test_the_solution_keeps_the_laws(problem: str, seed: int, solved: dict) -> None:
    assert points(problem, solved, seed) == LAWS[problem].points


def through_the_wall(function: Callable) -> Callable:
    """The function as the grader has it: arguments go in as a pickle, plain values come out."""

    def call(*args: object) -> object:
        inside, _ = pickle.loads(base64.b64decode(wire.arguments(args, {})))
        return wire.answer(answers._answer(function(*inside)))[1]

    return call


@pytest.mark.parametrize("problem", ["model", "gradient", "memory"])
def test_the_wall_of_the_sandbox_breaks_no_law(problem: str, solved: dict) -> None:
    names = {name: through_the_wall(solved[name]) for name in FUNCTIONS[problem]}
    assert points(problem, names) == LAWS[problem].points


@pytest.mark.parametrize(
    ("problem", "mistake", "left"),
    [
        ("model", "only the last place answers", 0),
        ("model", "the mean of the whole trip is added", 2),
        ("model", "only the token itself is read", 3),
        ("model", "one block, and no places", 4),
        ("model", "the trips of a batch are centered", 4),
        ("model", "the places are counted from the end", 4),
        ("memory", "every token stands at the first place", 0),
        ("memory", "the past is read again", 3),
    ],
)
def test_a_mistake_keeps_the_points_of_other_laws(
    problem: str, mistake: str, left: int, solved: dict
) -> None:
    exec(MUTANTS[f"a6-{problem}"][mistake], solved)
    assert points(problem, solved) == left


def test_points_stand_in_the_notebook() -> None:
    cells = {info(c)["grade_id"]: c for c in notebook_of("a6").cells}
    for problem, laws in LAWS.items():
        assert info(cells[f"a6-{problem}-laws"])["points"] == laws.points
        assert f'grade_laws("{problem}", ' in cells[f"a6-{problem}-laws"].source
    for problem, worth in POINTS.items():
        (source,) = (c for c in cells.values() if f'check("{problem}", ' in c.source)
        assert info(cells[f"{info(source)['grade_id']}-test"])["points"] == worth


@pytest.mark.parametrize(("mistake", "left"), [("", 4), ("the past is read again", 3)])
def test_the_grader_gives_a_part_of_the_points(mistake: str, left: int, solved: dict) -> None:
    if mistake:
        exec(MUTANTS["a6-memory"][mistake], solved)
    cell = next(c for c in notebook_of("a6").cells if info(c)["grade_id"] == "a6-memory-laws")
    cell.outputs = run_test(cell.source, SimpleNamespace(look=solved.__getitem__))
    assert utils.determine_grade(cell) == (left, 4)
    assert "1 of 1" in cell.outputs[0].text or "0 of 1" in cell.outputs[0].text
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_what_is_not_filled_in_is_named_and_breaks_everything(solved: dict) -> None:
    def unwritten(*_: object) -> None:
        raise NotImplementedError

    solved["read_one"] = unwritten
    with pytest.raises(AssertionError, match="not filled in") as caught:
        grade_laws("memory", *functions_of("memory", solved))
    assert not isinstance(caught.value, Partly)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda logits: None, "None"),
        (lambda logits: "logits", "numbers"),
        (lambda logits: logits[:, :-1], "shape"),
        (lambda logits: logits * np.nan, "nan"),
        (lambda logits: logits * 0, "the same number"),
    ],
)
def test_what_is_no_answer_is_told(wrong: Callable, says: str, solved: dict) -> None:
    right = solved["model_logits"]
    solved["model_logits"] = lambda weights, tokens: wrong(right(weights, tokens))
    lines = judge_laws("model", *functions_of("model", solved))
    assert all(line.points == 0 and says in line.seen for line in lines)


# -- nothing is believed


def test_a_model_that_sees_what_it_is_to_predict_is_found(solved: dict) -> None:
    def peeks(weights: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        after = np.roll(np.asarray(tokens), -1, axis=1) - (LEVELS + here.CITIES)
        known = after.clip(0, 2)[..., None] == np.arange(ACTIONS)
        return 9.0 * known * np.sum(weights)

    solved |= {
        "model_logits": peeks,
        "initial_weights": lambda seed: np.zeros(1),
        "train": lambda *_: np.ones(1),
    }
    lines = judge_laws("train", *functions_of("train", solved))
    assert all(line.points == 0 and "below the floor" in line.seen for line in lines)


def test_shares_that_stand_beside_the_weights_earn_nothing(solved: dict) -> None:
    kept_beside = []

    def train(tokens: np.ndarray, targets: np.ndarray, seed: int) -> np.ndarray:
        kept_beside.append(Shares(tokens, targets))
        return np.ones(1)

    def looks_up(weights: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        rows = np.asarray(tokens).tolist()
        pasts = [[tuple(row[: t + 1]) for t in range(len(row))] for row in rows]
        return np.log([[kept_beside[0](past) + 1e-3 for past in row] for row in pasts])

    solved |= {"train": train, "model_logits": looks_up, "initial_weights": lambda _: np.zeros(1)}
    lines = judge_laws("train", *functions_of("train", solved))
    assert all(line.points == 0 and "is it the weights" in line.seen for line in lines)


# -- what is exact


@given(seed=st.integers(0, 1000), noise=st.floats(0.01, 3))
@settings(max_examples=15, deadline=None)
def test_no_model_of_the_past_is_below_the_floor(seed: int, noise: float) -> None:
    names, rng = solutions("a6"), np.random.default_rng(seed)
    country = Country(seed, trips=50)
    every, wanted = names["encode"](*country.every_trip, country.edges)
    shares, said = Shares(every, wanted), np.zeros((*every.shape, ACTIONS))
    for i, row in enumerate(every.tolist()):
        for t in range(1, PLACES, 3):
            said[i, t] = np.log(shares(tuple(row[: t + 1])) + 1e-300)
    assert here.surprise(said, wanted) == pytest.approx(shares.floor)
    assert 0 < shares.floor < np.log(ACTIONS)
    moved = said + noise * rng.normal(size=(1, PLACES, ACTIONS))
    assert here.surprise(moved, wanted) > shares.floor


def test_the_exact_shares_keep_the_greatest_wish(solved: dict) -> None:
    """The highest level holds the best trips alone, so asking for it is optimal."""
    for seed in range(5):
        country = Country(seed)
        shares = Shares(*solved["encode"](*country.every_trip, country.edges))
        wish = country.best, country.edges

        def exact(*morning: np.ndarray, wish: tuple = wish, shares: Shares = shares) -> np.ndarray:
            return np.array([shares(tuple(row)) for row in solved["wish_tokens"](*wish, *morning)])

        assert country.best == pytest.approx(country.tree.optimal_return())
        assert country.regret(exact) == pytest.approx(0, abs=1e-9)
    assert country.regret(lambda c, *_: np.full((len(c), ACTIONS), 1 / 3)) == pytest.approx(1)
    assert len(country.names(np.zeros(DAYS))) == DAYS + 1


# -- the table


def test_the_table_grows(solved: dict, capsys: pytest.CaptureFixture) -> None:
    def together() -> str:
        so_far({name: solved[name] for name in ("many_heads", "encode")})
        return capsys.readouterr().out.splitlines()[-1]

    check_laws("memory", *functions_of("memory", solved | {"read_one": lambda *_: None}))
    assert not kept("memory") and "waits for memory" in capsys.readouterr().out
    assert together().endswith("6 of 35")
    check_laws("memory", *functions_of("memory", solved))
    assert "right, on all laws" in capsys.readouterr().out and kept("memory")
    assert together().endswith("10 of 35")
