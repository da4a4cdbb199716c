"""Gumbel noise from a uniform, against torch's own, which draws exponential numbers."""

from collections.abc import Callable

import torch

from benchmarks.run import Comparison, Contestant
from seqdec_lib.learning.gumbel import gumbel_max, gumbel_noise, gumbel_softmax

ROWS, ACTIONS, TAU = 65_536, 64, 0.5


def comparisons() -> list[Comparison]:
    """Return one comparison each for the noise, relaxed samples and exact samples.

    The answers are means over many random numbers: they agree to a few percent, not more.
    """
    logits = torch.linspace(-2, 2, ACTIONS).expand(ROWS, ACTIONS)
    values = torch.arange(ACTIONS, dtype=torch.float32)
    shape = (ROWS, ACTIONS)

    def forward_and_backward(function: Callable[..., torch.Tensor], hard: bool) -> Contestant:
        own = logits.clone().requires_grad_()
        slope = values.expand(ROWS, ACTIONS)

        def mean_choice() -> float:
            own.grad = None
            sample = function(own, TAU, hard=hard)
            sample.backward(slope)
            return float((sample.detach()[::8] @ values).mean())

        return mean_choice

    def mean_action(samples: Callable[[], torch.Tensor]) -> Contestant:
        return lambda: float(samples().float().mean())

    def gumbel_of_torch() -> Contestant:
        noise = torch.distributions.Gumbel(torch.tensor(0.0), torch.tensor(1.0))
        return lambda: float(noise.sample(shape).mean())

    softmax, one_row = torch.nn.functional.gumbel_softmax, logits[0].softmax(-1)
    return [
        Comparison(
            title=f"Gumbel noise, {ROWS} x {ACTIONS}",
            ours=lambda: float(gumbel_noise(shape).mean()),
            peers={"torch.distributions": gumbel_of_torch},
            tolerance=0.02,
        ),
        *(
            Comparison(
                title=f"Gumbel-Softmax and its gradient, {name}, {ROWS} x {ACTIONS}",
                ours=forward_and_backward(gumbel_softmax, hard),
                peers={
                    "torch.nn.functional": lambda hard=hard: forward_and_backward(softmax, hard)
                },
                tolerance=0.05,
            )
            for name, hard in (("soft", False), ("hard", True))
        ),
        Comparison(
            title=f"sampled actions, {ROWS} of {ACTIONS}",
            ours=mean_action(lambda: gumbel_max(logits)),
            peers={
                "torch.multinomial": lambda: mean_action(
                    lambda: torch.multinomial(one_row.expand(ROWS, ACTIONS), 1)
                )
            },
            tolerance=0.02,
        ),
    ]
