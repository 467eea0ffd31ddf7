"""What a conditional depends on, measured."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import sampling


def mean_input_gradient(
    conditional: Callable[[Tensor], Tensor], x: Float[Tensor, "B C H W"], generator: torch.Generator
) -> Float[Tensor, "C H W"]:
    """Averages |∂(random combination of `conditional(x)`) / ∂x| over the images x."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        parameters = conditional(x)
        # Random weights, so that no two parameters' gradients cancel.
        here = torch.empty(0, dtype=x.dtype, device=generator.device)
        weights = sampling.uniform(parameters.shape, like=here, generator=generator)
        combination = (parameters * weights.to(x.device)).sum()
    (gradient,) = torch.autograd.grad(combination, x)
    return gradient.abs().mean(dim=0)
