"""M1+M2: the codes of one VAE are what another, with classes, is about."""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vaeedu import sampling
from vaeedu.semisupervised.model import SemiSupervisedVAE


class StackedVAE(nn.Module):
    r"""The model M1+M2: M1 makes images from codes, M2 makes codes from classes.

    $$p(x, z_1, y, z_2) = p(y)\, p(z_2)\, p(z_1 \mid y, z_2)\, p_\theta(x \mid z_1), \qquad
      q(z_1, y, z_2 \mid x) = q(z_1 \mid x)\, q(y \mid z_1)\, q(z_2 \mid z_1, y).$$

    M1 is trained first, with N(0, I) in the place of M2, and then held fixed; M2 is trained on draws of q(z₁|x), which
    `draw_codes` makes: it is the `prepare` of a `LabelledStream`.

    Args:
        first: M1: a VAE with `posterior(x)` and `likelihood(z)`, such as `vaeedu.vae.VAE`.
        second: M2, on codes: of its encoder, decoder and classifier the images are vectors `(B, K)`.

    Reference:
        Kingma, Rezende, Mohamed and Welling (2014), Semi-supervised learning with deep generative models, section 2.
    """

    def __init__(self, first: nn.Module, second: SemiSupervisedVAE) -> None:
        super().__init__()
        self.first: Any = first
        self.second = second

    @torch.no_grad()
    def draw_codes(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K"]:
        """Draws z₁ from q(z₁|x), without a gradient."""
        return sampling.draw(self.first.posterior(x), generator=generator)

    @torch.no_grad()
    def classify(self, x: Float[Tensor, "B ..."]) -> Int64[Tensor, " B"]:
        """Returns the most probable class of each image, `(B,)`, at the mean of q(z₁|x)."""
        return self.second.classify(self.first.posterior(x).mean)

    def unlabelled_bound(
        self, x: Float[Tensor, "B ..."], *, kl: str = "analytic", generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        r"""Estimates a lower bound on log p(x) in nats, from one draw of z₁.

        $$\mathbb E_{q(z_1 \mid x)} \big[ \log p(x \mid z_1) - \log q(z_1 \mid x) + \mathcal U(z_1) \big].$$

        Raises:
            ValueError: As `SemiSupervisedVAE.unlabelled_bound`.
        """
        q = self.first.posterior(x)
        z = sampling.draw(q, generator=generator)
        own = self.first.likelihood(z).log_prob(x) - q.log_prob(z)
        return own + self.second.unlabelled_bound(z, kl=kl, generator=generator)

    @torch.no_grad()
    def sample(
        self, num_samples: int, y: object | None = None, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "N ..."], Int64[Tensor, " N"]]:
        """Draws codes and classes from M2, and returns the mean images of M1, `(N, C, H, W)`, and labels, `(N,)`.

        Raises:
            ValueError: `num_samples` is no positive whole number, or a label is out of range.
        """
        codes, labels = self.second.sample(num_samples, y, generator=generator)
        return self.first.likelihood(codes).mean, labels
