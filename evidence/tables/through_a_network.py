"""Relaxed choices that flow into a learned network, against REINFORCE with as many questions to it.

The tree has twelve days. A network learns from 5,000 random trips what a trip is worth; a policy
(twelve rows of probabilities, one a day) is trained on the network alone. The exact value of such a
policy, on the network's trips and on the real ones, takes one sweep over all leaves. Seeds 11 and
12 are for choosing each method's learning rate, the others for the chapter."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from seqdec_lib.experience import regret
from seqdec_lib.learning import gumbel_softmax, leave_one_out
from seqdec_lib.problems import TravelTree

SEEDS = (0, 1, 2, 3, 4, 11, 12)
CASES = ("network",)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
DAYS, DIARY, TRIPS, RESTARTS = 12, 5000, 8, 4
RATES = (0.05, 0.1, 0.2)
UPDATES = (100, 400)  # of 8 trips each
METHODS: dict[str, float | None] = {  # temperature; None draws real choices
    "REINFORCE": None,
    "soft 0.1": 0.1,
    "soft 0.5": 0.5,
    "soft 1": 1.0,
    "soft 2": 2.0,
    "soft 5": 5.0,
    "annealed": 2.0,  # down to a twentieth of it
    "straight-through": 1.0,
}
Model = Callable[[Tensor], Tensor]  # choices (..., DAYS, 3) -> stars (...)


def run(case: str, seed: int) -> dict[str, float]:
    """Regrets on the network's own trips and on the real ones, and what mixtures promise."""
    tree = TravelTree(horizon=DAYS)
    real = torch.tensor(tree.level_enjoyment(DAYS), dtype=torch.float32)
    model, logged = learned_model(real, seed)
    own = opinions(model)
    ends = (tree.optimal_return(), tree.random_return())
    favorite = real[own.argmax()].item()
    found = {
        "explained": 1 - ((own - real).square().mean() / real.var()).item(),
        "best promise": own.max().item(),
        "regret of the favorite": regret(favorite, *ends),
        "regret of the best logged trip": regret(logged, *ends),
    }
    for method, tau in METHODS.items():
        for updates, rate, rows, promised in trained(model, method, tau, seed):
            mine, true = mean_value(rows, own), mean_value(rows, real)
            name = f"{method}, rate {rate}, {updates}"
            found[f"{name}: own regret"] = regret(mine, own.max().item(), own.mean().item())
            found[f"{name}: real regret"] = regret(true, *ends)
            if tau is not None:
                found[f"{name}: promised too much"] = promised - mine
    return found


def one_hot(actions: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(actions, 3).float()


def learned_model(real: Tensor, seed: int) -> tuple[Model, float]:
    """A network fitted to random trips, and the best return among them."""
    torch.manual_seed(seed)
    logged = torch.randint(0, len(real), (DIARY,))
    digits = 3 ** torch.arange(DAYS - 1, -1, -1)
    inputs = one_hot(logged[:, None] // digits % 3).flatten(1)
    center, scale = real[logged].mean(), real[logged].std()
    target = (real[logged] - center) / scale
    net = torch.nn.Sequential(
        torch.nn.Linear(3 * DAYS, 64),
        torch.nn.Tanh(),
        torch.nn.Linear(64, 64),
        torch.nn.Tanh(),
        torch.nn.Linear(64, 1),
    )
    optimizer = torch.optim.AdamW(net.parameters(), 0.01, weight_decay=0.01)
    for _ in range(600):
        batch = torch.randint(0, DIARY, (256,))
        error = net(inputs[batch])[:, 0] - target[batch]
        optimizer.zero_grad()
        error.square().mean().backward()
        optimizer.step()

    def model(choices: Tensor) -> Tensor:
        return net(choices.flatten(-2))[..., 0] * scale + center

    return model, real[logged].max().item()


@torch.no_grad()
def opinions(model: Model) -> Tensor:
    """What the model says about each leaf of the tree."""
    actions = torch.cartesian_prod(*[torch.arange(3)] * DAYS)
    return torch.cat([model(one_hot(block)) for block in actions.split(2**16)])


def mean_value(policies: Tensor, leaves: Tensor) -> float:
    """The mean of the values of policies (runs, DAYS, 3)."""
    return torch.stack([value(rows, leaves) for rows in policies]).mean().item()


def value(rows: Tensor, leaves: Tensor) -> Tensor:
    """The expected return of independent choices with probabilities (DAYS, 3), exactly."""
    for row in rows.flip(0):
        leaves = leaves.view(-1, 3) @ row
    return leaves[0]


def trained(
    model: Model,
    method: str,
    tau: float | None,
    seed: int,
    rates: tuple[float, ...] = RATES,
    restarts: int = RESTARTS,
) -> Iterator[tuple[int, float, Tensor, float]]:
    """After so many updates and with a rate: probabilities (restarts, DAYS, 3), and what the model
    promises for the mixtures (for real choices where there are none)."""
    torch.manual_seed(seed)
    rows = [torch.zeros(restarts, 1, DAYS, 3, requires_grad=True) for _ in rates]
    groups = [{"params": [row], "lr": rate} for row, rate in zip(rows, rates, strict=True)]
    optimizer, hard, temperature = torch.optim.Adam(groups), "straight" in method, tau or 1.0
    for update in range(max(UPDATES)):
        copies = torch.cat(rows).expand(-1, TRIPS, -1, -1)
        if method == "annealed":
            temperature = tau * 0.05 ** (update / max(UPDATES))
        if tau is None:
            objective = score_function(model, copies)
        else:
            objective = model(gumbel_softmax(copies, temperature, hard))
        optimizer.zero_grad()
        (-objective.mean(1).sum()).backward()
        optimizer.step()
        if update + 1 in UPDATES and (method != "annealed" or update + 1 == max(UPDATES)):
            for row, rate in zip(rows, rates, strict=True):
                logits = row.detach()
                mixtures = gumbel_softmax(logits.expand(-1, 500, -1, -1), temperature, hard)
                promised = model(mixtures).mean().item()
                yield update + 1, rate, logits[:, 0].softmax(-1), promised


def score_function(model: Model, logits: Tensor) -> Tensor:
    """REINFORCE with the mean of the other trips as its baseline: (runs, TRIPS)."""
    actions = torch.distributions.Categorical(logits=logits.detach()).sample()
    with torch.no_grad():
        returns = model(one_hot(actions))
    others = torch.stack([leave_one_out(row) for row in returns])
    chosen = logits.log_softmax(-1).gather(-1, actions[..., None])[..., 0]
    return (returns - others) * chosen.sum(-1)
