"""The model: noise with a known density, and a bijection that carries it to the data."""

import math
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require, sampling
from vaeedu.flows.bijection import Chain


class Flow(Chain):
    r"""A density by change of variables: $z = f(x)$ is standard normal.

    $$\log p(x) = \log N(f(x); 0, I) + \log \Big| \det \frac{\partial f}{\partial x} \Big|.$$

    The likelihood is exact, and so is the latent: each x has one z, of as many dimensions as x.

    Args:
        layers: The bijections, in the order in which data meet them; samples go from the last to the first.
        event_shape: The shape of one example, `(D,)` or `(C, H, W)`; that of its noise is the same.

    Raises:
        ValueError: As `Chain`, or `event_shape` is no tuple of positive sizes; or, when called, x has another shape.

    Reference:
        Rezende and Mohamed (2015), Variational inference with normalizing flows; Papamakarios, Nalisnick,
        Rezende, Mohamed and Lakshminarayanan (2021), Normalizing flows for probabilistic modeling and inference.

    >>> from vaeedu.flows import ActNorm, InvertibleConv1x1
    >>> flow = Flow([ActNorm(3), InvertibleConv1x1(3)], (3,))
    >>> flow.sample(5).shape, flow.log_prob(torch.zeros(5, 3)).shape
    (torch.Size([5, 3]), torch.Size([5]))
    """

    def __init__(self, layers: Iterable[nn.Module], event_shape: Sequence[int]) -> None:
        super().__init__(layers)
        self.event_shape = require.event_shape("event_shape", tuple(event_shape))

    def log_prob(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        """Computes log p(x) in nats.

        It is exact, but for a `ContinuousFlow`: that has its solver's error, and with Hutchinson's trace an unbiased
        estimate.

        Args:
            x: Events, `(B, *event_shape)`.
            generator: For Hutchinson's estimate; see `Bijection.forward`.

        Returns:
            Log-densities, `(B,)`: per unit of volume in x's own units.

        Raises:
            ValueError: x has another shape.
        """
        x = require.events("x", x, self.event_shape)
        if x.ndim != len(self.event_shape) + 1:
            raise ValueError(
                f"x must have shape (B, {', '.join(map(str, self.event_shape))}), but has shape {tuple(x.shape)}: "
                "use x[None] for a single example, and x.flatten(0, -2) for many of rows"
            )
        z, log_det = self(x, generator=generator)
        log_normal = -0.5 * (z.square() + math.log(2 * math.pi))
        return log_normal.flatten(1).sum(dim=1) + log_det

    @torch.no_grad()
    def sample(
        self, num_samples: int, *, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Float[Tensor, "N ..."]:
        """Draws samples, in evaluation mode: noise goes through the inverse.

        Args:
            num_samples: N.
            temperature: What the noise is multiplied by; below 1 are fewer, likelier samples, of another density.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Samples, `(N, *event_shape)`.

        Raises:
            ValueError: N is no positive whole number, or the temperature negative.
        """
        N = require.positive_int("num_samples", num_samples)
        T = require.non_negative_float("temperature", temperature)
        like = next(self.parameters(), torch.empty(0))
        z = T * sampling.normal((N, *self.event_shape), like=like, generator=generator)
        was_training = self.training
        self.eval()
        try:
            return self.inverse(z)
        finally:
            self.train(was_training)
