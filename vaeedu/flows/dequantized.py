"""Flows over levels: a density says nothing of whole numbers, until noise has filled the gaps between them."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vaeedu import require, sampling
from vaeedu.flows.model import Flow


class Dequantized(nn.Module):
    r"""The probability of images of levels $x \in \{0, …, L-1\}^D$ under a flow over reals.

    $$P(x) = \int_{[0,1)^D} p\Big(\frac{x + u}{L}\Big)\, L^{-D}\, du, \qquad
      \log P(x) \ge \mathbb E_{u \sim U[0,1)^D} \Big[ \log p\Big(\frac{x + u}{L}\Big) - D \log L \Big].$$

    It is a VAE whose encoder is fixed, uniform over the cell of x, and whose decoder rounds: hence `elbo` and
    `iwae_bound`, and no `log_prob`. The flow itself sees the whole line, by a logit with a margin α on both sides:

    $$y = \text{logit}\, s, \quad s = \alpha + (1 - 2 \alpha) \frac{x + u}{L}, \quad \log p\Big(\frac{x + u}{L}\Big) =
      \log p_\text{flow}(y) + \sum_d \log (1 - 2 \alpha) - \log s_d - \log (1 - s_d).$$

    What the flow puts outside all cells, beyond the margin, belongs to no image: the P(x) add up to at most 1.

    Args:
        flow: The density of y, of the images' shape.
        num_levels: L.
        margin: α, between 0 and ½: how far s stays from 0 and 1, where the logit is infinite.

    Raises:
        ValueError: A setting is out of range, or, when called, x holds something else than levels in the flow's shape.

    Reference:
        Theis, van den Oord and Bethge (2016), A note on the evaluation of generative models, section 3.1, for the
        bound; Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP, section 4.1, for the logit;
        Ho, Chen, Srinivas, Duan and Abbeel (2019), Flow++, for dequantisation as a variational posterior.

    >>> from vaeedu.flows import ActNorm
    >>> model = Dequantized(Flow([ActNorm(1)], (1, 8, 8)), num_levels=17)
    >>> x = model.sample(3)
    >>> x.shape, model.elbo(x).shape, model.iwae_bound(x, num_samples=8).shape
    (torch.Size([3, 1, 8, 8]), torch.Size([3]), torch.Size([3]))
    """

    def __init__(self, flow: Flow, num_levels: int, *, margin: float = 0.05) -> None:
        super().__init__()
        self.flow = flow
        self.num_levels = require.positive_int("num_levels", num_levels)
        if num_levels < 2:
            raise ValueError("num_levels must be at least 2, but is 1: one level says nothing about x")
        if not 0 < require.finite_float("margin", margin) < 0.5:
            raise ValueError(f"margin must lie between 0 and 0.5, but is {margin!r}: use 0.05")
        self.margin = float(margin)

    def dequantize(
        self, x: object, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B ..."], Float[Tensor, " B"]]:
        r"""Adds noise to levels and maps them to the whole line.

        Args:
            x: Levels, whole numbers of any dtype, `(B, *event_shape)`.
            generator: The source of u; None is torch's global one.

        Returns:
            y, `(B, *event_shape)`, and $\log |\det \partial y / \partial (x + u)|$ in nats, `(B,)`: the logit's and
            the margin's terms and $-D \log L$.

        Raises:
            ValueError: As the class.
        """
        levels = self._levels(x)
        u = sampling.uniform(levels.shape, like=levels, generator=generator)
        s = self.margin + (1 - 2 * self.margin) * (levels + u) / self.num_levels
        constant = math.log(1 - 2 * self.margin) - math.log(self.num_levels)
        log_slope = constant - s.log() - (-s).log1p()
        return s.logit(), log_slope.flatten(1).sum(dim=1)

    def quantize(self, y: Float[Tensor, "B ..."]) -> Int64[Tensor, "B ..."]:
        """Returns the level in whose cell each entry lies; beyond all cells, the first or the last."""
        share = (y.sigmoid() - self.margin) / (1 - 2 * self.margin)
        return (share * self.num_levels).floor().clamp(0, self.num_levels - 1).long()

    def start(self, x: object, *, generator: torch.Generator | None = None) -> None:
        """Starts the flow's layers (`ActNorm`) on a batch of levels."""
        self.flow.start(self.dequantize(x, generator=generator)[0])

    def log_weights(
        self, x: object, *, num_samples: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "S B"]:
        """Draws log p((x + u) / L) − D log L for S draws of u: logarithms of weights whose mean is P(x), in nats.

        Raises:
            ValueError: As the class, or S is no positive whole number.
        """
        S = require.positive_int("num_samples", num_samples)
        rows = []
        for _ in range(S):
            y, log_slope = self.dequantize(x, generator=generator)
            rows.append(self.flow.log_prob(y, generator=generator) + log_slope)
        return torch.stack(rows)

    def elbo(
        self, x: object, *, num_samples: int = 1, generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        """Estimates the bound E log p((x + u) / L) − D log L ≤ log P(x), in nats.

        Args:
            x: Levels, `(B, *event_shape)`.
            num_samples: How many draws of u it is averaged over.
            generator: The source of u; None is torch's global one.

        Returns:
            The bound's estimate, `(B,)`.

        Raises:
            ValueError: As `log_weights`.
        """
        return self.log_weights(x, num_samples=num_samples, generator=generator).mean(dim=0)

    def iwae_bound(
        self, x: object, *, num_samples: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        r"""Estimates the multi-sample bound $\mathbb E \log \frac1S \sum_s w_s \le \log P(x)$, in nats.

        It rises with S, from `elbo` at S = 1, and tends to log P(x).

        Args:
            x: Levels, `(B, *event_shape)`.
            num_samples: S.
            generator: The source of u; None is torch's global one.

        Returns:
            The bound's estimate, `(B,)`.

        Raises:
            ValueError: As `log_weights`.
        """
        log_w = self.log_weights(x, num_samples=num_samples, generator=generator)
        return log_w.logsumexp(dim=0) - math.log(num_samples)

    @torch.no_grad()
    def sample(
        self, num_samples: int, *, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Int64[Tensor, "N ..."]:
        """Draws images of levels: the flow's samples, rounded down. Arguments and errors as `Flow.sample`."""
        return self.quantize(self.flow.sample(num_samples, temperature=temperature, generator=generator))

    def _levels(self, x: object) -> Tensor:
        """Returns x in the flow's dtype."""
        x = require.events("x", x, self.flow.event_shape)
        if x.is_complex():
            raise ValueError(f"x must hold whole numbers, but is {x.dtype}: use x.real")
        levels = x.to(next(self.flow.parameters(), torch.empty(0)))
        if not bool(((levels >= 0) & (levels < self.num_levels) & (levels == levels.round())).all()):
            low, high = (float(value) for value in torch.aminmax(levels.detach()))
            raise ValueError(
                f"x must hold levels 0, …, {self.num_levels - 1}, but its entries range from {low:g} to {high:g}: "
                f"use data.quantize(x, {self.num_levels}) for grey values"
            )
        return levels
