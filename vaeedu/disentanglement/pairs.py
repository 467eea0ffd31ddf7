"""The β-VAE score."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require, sampling

_ROUNDS = 100  # of L-BFGS, for a convex problem


def beta_vae_score(
    encode: Callable[[Tensor], Tensor],
    draw_factors: Callable[[int, torch.Generator | None], Tensor],
    *,
    num_votes: int = 500,
    num_pairs: int = 16,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    r"""Computes how often a linear classifier can tell which factor two images have in common.

    A vote: choose a factor f; draw L pairs of factors that agree in f and in nothing else; encode both, and average

    $$d = \frac1L \sum_{l=1}^{L} \lvert z_l - z_l' \rvert \in \mathbb R^K .$$

    Where one code entry stands for f, its difference is 0. A softmax regression learns f from d on half of the votes;
    the score is its accuracy on the other half, in which each factor is as frequent.

    It is easily near 1: a rotation of the factors, too, leaves traces that a linear classifier can use.

    Args:
        encode: Maps factors `(N, F)` to codes `(N, K)`: for a model, draw the images and take the posterior's means.
        draw_factors: Takes a number and a generator, and returns as many independent factors, `(N, F)`.
        num_votes: How many votes, at least two for each factor.
        num_pairs: L.
        generator: The source of randomness; None is torch's global one.

    Returns:
        A share between 0 and 1; guessing has 1 / F.

    Raises:
        ValueError: There are fewer than two factors, or too few votes.

    Reference:
        Higgins et al. (2017), β-VAE: learning basic visual concepts with a constrained variational framework.

    >>> uniform = lambda n, generator: torch.rand(n, 3, generator=generator)
    >>> beta_vae_score(lambda a: a, uniform, num_votes=60, generator=torch.Generator().manual_seed(0))
    tensor(1.)
    """
    V, L = require.positive_int("num_votes", num_votes), require.positive_int("num_pairs", num_pairs)
    first = require.matrix("draw_factors(N)", draw_factors(V * L, generator))
    second = draw_factors(V * L, generator)
    F = first.shape[1]
    if F < 2 or V < 2 * F:
        raise ValueError(
            f"num_votes must be at least two for each of at least two factors, but is {V}, with {F} factors"
        )
    common = torch.arange(V, device=first.device) % F  # each as often as the others, in both halves
    of_pair = common.repeat_interleave(L)[:, None]
    second = second.scatter(1, of_pair, first.gather(1, of_pair))
    with torch.no_grad():
        difference = (encode(first) - encode(second)).abs().unflatten(0, (V, L)).mean(dim=1)
    order = sampling.uniform((V,), like=difference, generator=generator).argsort()
    train, test = order[: V // 2], order[V // 2 :]
    found = _softmax_regression(difference[train], common[train], F)(difference[test])
    return (found == common[test]).to(difference).mean()


def _softmax_regression(x: Tensor, y: Tensor, num_classes: int) -> Callable[[Tensor], Tensor]:
    """Fits a linear classifier to standardised inputs; returns what predicts a class."""
    middle, spread = x.mean(dim=0), x.std(dim=0).clamp(min=1e-12)
    inputs = ((x - middle) / spread).double()
    weights = torch.zeros(
        x.shape[1] + 1, num_classes, dtype=torch.float64, device=x.device, requires_grad=True
    )
    optimizer = torch.optim.LBFGS([weights], max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def logits(inputs: Tensor) -> Tensor:
        return inputs @ weights[:-1] + weights[-1]

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(logits(inputs), y) + 1e-4 * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return lambda x: logits(((x - middle) / spread).double()).detach().argmax(dim=1)
