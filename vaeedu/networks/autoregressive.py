"""What autoregressive networks share, be it over pixels or over samples of sound.

- `gate`, `label_table`: a gated unit, and what a class adds to it.
- `negated_gate`: the gate as the cached samplers compute it.
- `invert_cumulative`: a draw, from one uniform number.
- `mean_input_gradient`: what a conditional depends on, measured.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import sampling


def gate(features: Float[Tensor, "B F2 ..."]) -> Float[Tensor, "B F ..."]:
    """Returns tanh of one half of the features times σ of the other.

    >>> gate(torch.ones(1, 2, 1, 1)).flatten()
    tensor([0.5568])
    """
    if features.device.type == "cpu":
        return _GateOnCPU.apply(features)
    a, b = features.chunk(2, dim=1)
    return a.tanh() * b.sigmoid()


class _GateOnCPU(torch.autograd.Function):
    """The gate, with tanh(a) = 2 σ(2a) − 1: on a CPU, tanh takes ten times as long as σ.

    Both factors come from one call of σ, in place, and are all that is kept for the gradient. They are computed in
    float32 where the features are in bfloat16, in which 2σ − 1 would lose its small values.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        factors = features.to(torch.promote_types(features.dtype, torch.float32), copy=True)
        t, s = factors.chunk(2, dim=1)
        t.mul_(2)
        factors.sigmoid_()
        t.mul_(2).sub_(1)
        ctx.save_for_backward(factors)
        return (t * s).to(features.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        if (
            torch.is_grad_enabled()
        ):  # only with create_graph=True; what is kept would leave out a part, and say nothing
            raise RuntimeError(
                "gate has no second gradient on a CPU: write a.tanh() * b.sigmoid() in its place"
            )
        (factors,) = ctx.saved_tensors
        t, s = factors.chunk(2, dim=1)
        g = gradient.to(factors.dtype)
        # g s (1 − t²) and g t s (1 − s)
        halves = torch.ops.aten.tanh_backward(g * s, t), torch.ops.aten.sigmoid_backward(g * t, s)
        return torch.cat([half.to(gradient.dtype) for half in halves], dim=1)


def negated_gate(s: Tensor, r: Tensor, *, out: Tensor) -> None:
    """Writes −(2s − 1) r, which is −tanh(a) σ(b) for s = σ(2a) and r = σ(b).

    One call computes both factors, and of a function many times as fast as tanh. Who uses it doubles the weights that
    lead to a, and negates those that read the result.

    >>> a, b = torch.tensor([0.5, -2.0]), torch.tensor([1.0, 0.1])
    >>> result = torch.empty(2)
    >>> negated_gate((2 * a).sigmoid(), b.sigmoid(), out=result)
    >>> bool(torch.allclose(result, -a.tanh() * b.sigmoid()))
    True
    """
    torch.addcmul(r, s, r, value=-2, out=out)


def label_table(num_classes: int | None, num_features: int) -> nn.Embedding | None:
    """Makes what each class adds to the features; None for a model without classes.

    It starts at zero, so that all classes begin as one model and share what they learn. The numbers of size 1 with
    which an embedding starts otherwise would make each class another network from the first step.

    >>> label_table(2, 3).weight.detach()
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    if num_classes is None:
        return None
    table = nn.Embedding(num_classes, num_features)
    nn.init.zeros_(table.weight)
    return table


def invert_cumulative(probs: Float[Tensor, "N L"], u: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Returns the level at which the cumulative probability first exceeds u.

    >>> invert_cumulative(torch.tensor([[0.2, 0.3, 0.5]]).expand(3, 3), torch.tensor([0.1, 0.3, 0.9]))
    tensor([0., 1., 2.])
    """
    # The last cumulative sum is 1 but for rounding: left out, so that no u can lie above it.
    return (probs.cumsum(dim=-1)[..., :-1] <= u[..., None]).sum(dim=-1).to(u)


def mean_input_gradient(
    conditional: Callable[[Tensor], Tensor], x: Float[Tensor, "B ..."], generator: torch.Generator
) -> Float[Tensor, "..."]:
    """Averages |∂(random combination of `conditional(x)`) / ∂x| over the rows of x.

    >>> mean_input_gradient(lambda x: x[:, :1], torch.zeros(2, 3), sampling.seeded(0)) > 0
    tensor([ True, False, False])
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        parameters = conditional(x)
        # Random weights, so that no two parameters' gradients cancel.
        here = torch.empty(0, dtype=x.dtype, device=generator.device)
        weights = sampling.uniform(parameters.shape, like=here, generator=generator).to(x.device)
        combination = (parameters * weights).sum()
    (gradient,) = torch.autograd.grad(combination, x)
    return gradient.abs().mean(dim=0)
