"""KL divergence from samples, for distributions without a closed form."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaeedu import require, sampling


def kl_monte_carlo(
    q: Distribution, p: Distribution, num_samples: int, *, generator: torch.Generator | None = None
) -> Float[Tensor, "S ..."]:
    r"""Draws terms whose mean estimates KL(q ‖ p) without bias.

    $$\mathrm{KL}(q \,\|\, p) = \mathbb E_{z \sim q}[\log q(z) - \log p(z)] \approx \frac1S \sum_{s=1}^S
      \left( \log q(z_s) - \log p(z_s) \right).$$

    Single terms may be negative; so may their mean, if S is small. Where `sampling.draw` is reparameterised, gradients
    reach the parameters of q through the samples.

    Args:
        q: The distribution to draw from, of a family that `sampling.draw` knows.
        p: The other one, with the same event shape. Batch shapes broadcast.
        num_samples: S.
        generator: The source of randomness; None is torch's global one.

    Returns:
        One term per sample in nats, `(S, B)`: the mean over the first dimension is the estimate, its standard error the
        standard deviation over √S.

    Raises:
        ValueError: `num_samples` is no positive whole number, the shapes do not fit, q cannot be drawn from, or a
            sample is outside the support of p, so that the divergence is infinite.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, section 2.3.

    >>> q, p = torch.distributions.Normal(torch.zeros(3), 1.0), torch.distributions.Normal(0.0, 2.0)
    >>> kl_monte_carlo(q, p, 100, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([100, 3])
    """
    require.positive_int("num_samples", num_samples)
    if q.event_shape != p.event_shape:
        raise ValueError(
            f"q and p must have the same event shape, but have {tuple(q.event_shape)} and {tuple(p.event_shape)}: "
            "wrap factors of one event in torch.distributions.Independent"
        )
    try:
        batch_shape = torch.broadcast_shapes(q.batch_shape, p.batch_shape)
    except RuntimeError:
        raise ValueError(
            f"q and p must have batch shapes that broadcast, but have {tuple(q.batch_shape)} and "
            f"{tuple(p.batch_shape)}: make one of each for every example"
        ) from None
    # Expanded first, so that every pair gets samples of its own.
    q = q.expand(batch_shape)
    z = sampling.draw(q, (num_samples,), generator=generator)
    return q.log_prob(z) - p.log_prob(z)  # log q(z) − log p(z)
