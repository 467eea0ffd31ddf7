"""The prior as a module, and codes spread over it evenly."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from vaeedu import require


class NormalPrior(nn.Module):
    """A fixed normal p(z) with independent entries, which moves with the model it is part of.

    A distribution cannot be moved to another device or dtype; this keeps its parameters as buffers, and makes it when
    called.

    Args:
        loc: Means, `(K,)`.
        scale: Standard deviations, `(K,)`.

    Raises:
        ValueError: A shape does not fit, an entry is not finite, or a scale is not positive.

    >>> NormalPrior.standard(2).double()().mean
    tensor([0., 0.], dtype=torch.float64)
    """

    loc: Tensor
    scale: Tensor

    def __init__(self, loc: object, scale: object) -> None:
        super().__init__()
        mu, sigma = require.broadcast(loc=require.real("loc", loc), scale=require.positive("scale", scale))
        if mu.ndim != 1 or len(mu) == 0:
            raise ValueError(
                f"loc and scale must have shape (K,), one entry for each latent, but have {tuple(mu.shape)}: "
                "use torch.zeros(K) and torch.ones(K)"
            )
        self.register_buffer("loc", mu.detach().clone())
        self.register_buffer("scale", sigma.detach().clone())

    @classmethod
    def standard(cls, num_latents: int) -> "NormalPrior":
        """Makes N(0, I) over K latents.

        Raises:
            ValueError: `num_latents` is no positive whole number.
        """
        K = require.positive_int("num_latents", num_latents)
        return cls(torch.zeros(K), torch.ones(K))

    def forward(self) -> Independent:
        """Returns p(z), with event shape `(K,)`."""
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1)

    def extra_repr(self) -> str:
        """Shows the number of latents when the model is printed."""
        return f"{len(self.loc)}"


def normal_grid(num_points: int, *, like: Tensor | None = None) -> Float[Tensor, "P P 2"]:
    r"""Lays codes over the plane so that the standard normal puts the same mass around each.

    $$z = \big( \Phi^{-1}(u_j),\; \Phi^{-1}(1 - u_i) \big),
      \qquad u_i = \frac{i + \frac12}{P}, \quad i, j = 0, \dots, P-1,$$

    with Φ the standard normal's distribution function: dense in the middle, sparse outside.

    Args:
        num_points: P.
        like: A tensor whose device and dtype the result takes; None is float32 on the CPU.

    Returns:
        Codes, `(P, P, 2)`: z₁ grows from left to right, z₂ from bottom to top, as on paper.

    Raises:
        ValueError: `num_points` is no positive whole number.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, appendix A.

    >>> normal_grid(2)
    tensor([[[-0.6745,  0.6745],
             [ 0.6745,  0.6745]],
    <BLANKLINE>
            [[-0.6745, -0.6745],
             [ 0.6745, -0.6745]]])
    """
    P = require.positive_int("num_points", num_points)
    u = (torch.arange(P, dtype=torch.float64) + 0.5) / P
    quantiles = torch.special.ndtri(u)
    z_2, z_1 = torch.meshgrid(quantiles.flip(0), quantiles, indexing="ij")
    return torch.stack([z_1, z_2], dim=-1).to(torch.zeros(()) if like is None else like)
