"""What needs no gradient through the network of `through_a_network`, and what the noise decides.

Case "search": with as many questions to the network, the best of blind guesses, and local search
that changes one day at a time. Case "again": REINFORCE and the relaxation at the learning rates
that were chosen there, eight times over with fresh noise for each network."""

import random

import torch
from torch import Tensor

from evidence.tables import through_a_network as network
from seqdec_lib.experience import regret
from seqdec_lib.problems import TravelTree

SEEDS, CASES, AGREEMENT = range(5), ("search", "again"), 0.2
CHOSEN = {  # by the seeds 11 and 12 of `through_a_network`: method -> updates -> rate
    "REINFORCE": {100: 0.2, 400: 0.2},
    "soft 0.5": {100: 0.2, 400: 0.1},
}


def run(case: str, seed: int) -> dict[str, float]:
    """Regrets on the network's own trips, and on the real ones."""
    tree = TravelTree(horizon=network.DAYS)
    real = torch.tensor(tree.level_enjoyment(network.DAYS), dtype=torch.float32)
    ends = (tree.optimal_return(), tree.random_return())
    model, _ = network.learned_model(real, seed)
    own = network.opinions(model)
    found = {}
    for name, mine, true in (search if case == "search" else again)(model, own, real, seed):
        found[f"{name}: own regret"] = regret(mine, own.max().item(), own.mean().item())
        found[f"{name}: real regret"] = regret(true, *ends)
    return found


def search(model, own: Tensor, real: Tensor, seed: int):
    torch.manual_seed(seed)
    for questions in (network.TRIPS * updates for updates in network.UPDATES):
        for name, trips in (
            ("blind guessing", guesses(own, questions)),
            ("local search", climbs(own, questions, seed)),
        ):
            yield f"{name}, {questions}", own[trips].mean().item(), real[trips].mean().item()


def guesses(own: Tensor, questions: int) -> Tensor:
    """The best of so many random trips, in the network's opinion: 1,000 times, as leaves."""
    drawn = torch.randint(0, len(own), (1000, questions))
    return drawn.gather(1, own[drawn].argmax(1, keepdim=True))[:, 0]


def climbs(own: Tensor, questions: int, seed: int) -> Tensor:
    """The best trips of local search: change one day where that helps, else start again."""
    dice, opinion = random.Random(seed), own.tolist()
    return torch.tensor([climb(opinion, questions, dice) for _ in range(100)])


def climb(opinion: list[float], questions: int, dice: random.Random) -> int:
    best = trip = dice.randrange(len(opinion))
    moves: list[tuple[int, int]] = []
    useless = 0  # moves in a row that did not help
    for _ in range(questions - 1):
        if useless == 2 * network.DAYS:  # no other choice on any day helps
            trip, moves, useless = dice.randrange(len(opinion)), [], 0
        else:
            if not moves:
                moves = [(3**day, turn) for day in range(network.DAYS) for turn in (1, 2)]
                dice.shuffle(moves)
            step, turn = moves.pop()
            digit = trip // step % 3
            other = trip + ((digit + turn) % 3 - digit) * step
            useless += 1
            if opinion[other] > opinion[trip]:
                trip, moves, useless = other, [], 0
        best = max(best, trip, key=opinion.__getitem__)
    return best


def again(model, own: Tensor, real: Tensor, seed: int):
    """REINFORCE and the relaxation with other seeds of the training."""
    for method, chosen in CHOSEN.items():
        tau, rates = network.METHODS[method], tuple(sorted(set(chosen.values())))
        runs = network.trained(model, method, tau, 1000 + seed, rates, restarts=8)
        for updates, rate, rows, _ in runs:
            if rate == chosen[updates]:
                mine, true = network.mean_value(rows, own), network.mean_value(rows, real)
                yield f"{method}, {updates}", mine, true
