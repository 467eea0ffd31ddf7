"""What the estimators share: checked arguments, values of f, and derivatives of one sample at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent
from torch.func import vjp, vmap

from vaeedu import require

Values = Callable[[Tensor], Tensor]
PullBack = Callable[[Tensor | tuple[Tensor, ...]], tuple[Tensor, ...]]


def build(
    make_distribution: Callable[..., Distribution], params: object
) -> tuple[Distribution, tuple[Tensor, ...]]:
    """Checks `params`, and returns the distribution that they make, without a history, and the params themselves."""
    if not isinstance(params, tuple) or not params or not all(isinstance(p, Tensor) for p in params):
        kinds = (
            f" of {', '.join(type(p).__name__ for p in params)}"
            if isinstance(params, tuple) and params
            else ""
        )
        raise ValueError(
            f"params must be a tuple of tensors, but is {type(params).__name__}{kinds}: write (loc,) for a single one, "
            "and torch.tensor(value) for a number"
        )
    detached = tuple(require.real(f"params[{i}]", param).detach() for i, param in enumerate(params))
    mend = "write lambda loc: Normal(loc, 1.0), or the like"
    return require.distribution("make_distribution", make_distribution(*detached), mend), detached


def evaluate(f: Values, z: Tensor, distribution: Distribution, name: str = "f") -> Tensor:
    """Returns f(z), `(N, *batch_shape)`, after a look at its shape and its values."""
    values = f(z)
    wanted = (len(z), *distribution.batch_shape)
    if not isinstance(values, Tensor) or tuple(values.shape) != wanted:
        got = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(
            f"{name} must return one value for each draw and each distribution of the batch, (S, *batch_shape) = "
            f"{wanted}, but returned {got}: sum over the event's dimensions only, or wrap the distribution in "
            "torch.distributions.Independent if the entries of z belong together"
        )
    if not bool(values.isfinite().all()):
        bad = float(values.detach()[~values.isfinite()][0])
        raise ValueError(f"{name} must return finite values, but one of them is {bad}: look at {name} there")
    return values


def slope(f: Values, z: Tensor, distribution: Distribution) -> Tensor:
    """Returns ∂f/∂z at each draw, the shape of z."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        values = evaluate(f, z, distribution)
        # A comparison or a rounding inside f has no derivative: zero would be a wrong answer without a warning.
        if not values.requires_grad:
            raise ValueError(
                "f must be differentiable in z, but its values carry no gradient (is there a comparison, a rounding or "
                "a detach in it?): use score_function_gradients"
            )
        return torch.autograd.grad(values.sum(), z)[0]


def base(distribution: Distribution) -> Any:
    """Takes the `Independent`s off a distribution; a family's own attributes, such as `loc`, are then at hand."""
    return base(distribution.base_dist) if isinstance(distribution, Independent) else distribution


def per_sample_vjp(
    function: Callable[..., Tensor | tuple[Tensor, ...]],
    params: tuple[Tensor, ...],
    num_samples: int,
    *per_sample: Tensor,
) -> tuple[Any, PullBack]:
    r"""Runs `function(params, *one_sample)` for all samples at once, ready for a backward pass that keeps them apart.

    Each sample gets a copy of the parameters of its own. One backward pass then leaves in each copy the gradient of
    that sample alone, $v_s^\top \partial\,\text{function}_s / \partial\,\text{params}$, at the price of an ordinary
    one.

    Args:
        function: Takes the parameters as a tuple, then one sample's row of each of `per_sample`.
        params: The parameters.
        num_samples: S.
        per_sample: Tensors whose first dimension is S.

    Returns:
        The outputs, S first, and a function from their cotangents to gradients `(S, *param.shape)`.
    """
    copies = tuple(param.expand(num_samples, *param.shape) for param in params)  # no memory: the stride is 0
    with _unvalidated():
        ran: Any = vjp(lambda *copies: vmap(function, randomness="different")(copies, *per_sample), *copies)
    output, pull_back = ran
    return output, pull_back


@contextmanager
def _unvalidated() -> Iterator[None]:
    """Keeps torch's distributions from looking at values under `vmap`, which cannot branch on them.

    `build` has made the same distribution with the same parameters before, validated.
    """
    before = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(before)
