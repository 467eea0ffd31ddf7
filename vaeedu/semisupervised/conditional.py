"""A VAE whose encoder and decoder are told the class."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from vaeedu import require, sampling
from vaeedu.bounds import inputs
from vaeedu.bounds.evidence import KL, analytic_kl


class ConditionalVAE(nn.Module):
    r"""A conditional variational autoencoder: a model of images of each class, with one set of weights.

    $$p(z) = \mathcal N(0, I), \qquad p_\theta(x \mid z, y), \qquad q_\phi(z \mid x, y) \approx p_\theta(z \mid x, y).$$

    The code z need not say what y says already: what is left for it is the style. All methods take labels with any
    leading dimensions, `(*lead, B)`: a column of all classes, say, asks about each image under each class at once.

    Args:
        encoder: Maps images `(B, C, H, W)` and labels `(*lead, B)` to q(z|x,y), batch shape `(*lead, B)`, event shape
            `(K,)`.
        decoder: Maps latents `(..., K)` and labels, whose shape broadcasts to `(...)`, to p(x|z,y), event shape
            `(C, H, W)`.
        num_latents: K.
        num_classes: How many values y has.

    Raises:
        ValueError: A number is not positive and whole.

    Reference:
        Kingma, Rezende, Mohamed and Welling (2014), Semi-supervised learning with deep generative models; Sohn, Lee and
        Yan (2015), Learning structured output representation using deep conditional generative models.

    >>> from vaeedu.semisupervised import mlp_conditional_vae
    >>> model = mlp_conditional_vae((1, 8, 8), 10, num_latents=2)
    >>> model.elbo(torch.ones(5, 1, 8, 8), torch.tensor([0, 1, 2, 3, 4])).shape
    torch.Size([5])
    >>> model.sample(3, 7).shape
    torch.Size([3, 1, 8, 8])
    """

    zero: Tensor

    def __init__(self, encoder: nn.Module, decoder: nn.Module, *, num_latents: int, num_classes: int) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.num_classes = require.positive_int("num_classes", num_classes)
        K = require.positive_int("num_latents", num_latents)
        self.register_buffer("zero", torch.zeros(K), persistent=False)  # moves with the model

    def prior(self) -> Independent:
        """Returns p(z), standard normal, event shape `(K,)`."""
        return Independent(Normal(self.zero, torch.ones_like(self.zero), validate_args=False), 1)

    def posterior(self, x: Float[Tensor, "B ..."], y: Int64[Tensor, "*lead B"]) -> Distribution:
        """Returns q(z|x,y), the approximate posterior, with batch shape `(*lead, B)` and event shape `(K,)`."""
        return self.encoder(x, y)

    def likelihood(self, z: Float[Tensor, "*batch K"], y: Int64[Tensor, "..."]) -> Distribution:
        """Returns p(x|z,y), with the leading dimensions of `z` as batch shape and `(C, H, W)` as event shape."""
        return self.decoder(z, y)

    def elbo(
        self,
        x: object,
        y: object,
        *,
        num_samples: int = 1,
        kl: str = "analytic",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "*lead B"]:
        r"""Estimates a lower bound on log p(x|y), one value for each image and label.

        $$\mathbb E_{q(z \mid x, y)}[\log p(x \mid z, y)] - \mathrm{KL}(q(z \mid x, y) \,\|\, p(z))
          \le \log p(x \mid y).$$

        Args:
            x: Images, `(B, C, H, W)` or any `(B, ...)`; zeros and ones where the likelihood is Bernoulli.
            y: Labels, `(*lead, B)`.
            num_samples: S, draws of z for each image and label.
            kl: `"analytic"` or `"monte_carlo"`, as of `vaeedu.bounds.elbo`.
            generator: The source of randomness; None is torch's global one.

        Returns:
            The bound's estimate in nats, `(*lead, B)`.

        Raises:
            ValueError: A shape does not fit, a label is out of range, `x` is outside the likelihood's support, or a
                setting is out of range.
        """
        require.choice("kl", kl, KL)
        S = require.positive_int("num_samples", num_samples)
        x = inputs.examples(x)
        y = self.labels(y, len(x))
        q = self._posterior_of_latents(x, y)
        z = sampling.draw(q, (S,), generator=generator)  # (S, *lead, B, K)
        reconstruction = inputs.log_likelihood(lambda z: self.likelihood(z, y), z, x).mean(dim=0)
        p = self.prior()
        if kl == "analytic":
            return reconstruction - analytic_kl(q, p)
        return reconstruction - (inputs.unchecked(q).log_prob(z) - p.log_prob(z)).mean(dim=0)

    @torch.no_grad()
    def sample(
        self,
        num_samples: int,
        y: object,
        *,
        mean: bool = False,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "N ..."]:
        """Draws images of a class: z from the prior, x from p(x|z,y).

        Args:
            num_samples: N.
            y: The class of all, a whole number; or that of each, `(N,)`.
            mean: Whether to return the mean of p(x|z,y) instead of a draw.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Images, `(N, C, H, W)`, without a gradient.

        Raises:
            ValueError: `num_samples` is no positive whole number, or a label is out of range.
        """
        N = require.positive_int("num_samples", num_samples)
        labels = torch.as_tensor(y, device=self.zero.device)
        labels = self.labels(labels.expand(N) if labels.ndim == 0 else labels, N)
        p = self.likelihood(sampling.draw(self.prior(), (N,), generator=generator), labels)
        return p.mean if mean else sampling.draw(p, generator=generator)

    @torch.no_grad()
    def analogies(self, x: Float[Tensor, "B ..."], y: object) -> Float[Tensor, "B C ..."]:
        r"""Draws every class in the style of each image.

        $$z_b = \mathbb E_{q(z \mid x_b, y_b)}[z], \qquad \text{row } b, \text{ column } c: \;
          \mathbb E[x \mid z_b, y = c].$$

        The style is inferred with the image's *own* label; the label of the column goes into the decoder alone.

        Args:
            x: Images, `(B, C, H, W)`.
            y: Their own labels, `(B,)`.

        Returns:
            Means of p(x|z,y), `(B, num_classes, C, H, W)`, without a gradient.

        Raises:
            ValueError: A shape does not fit, or a label is out of range.
        """
        x = inputs.examples(x)
        z = self.posterior(x, self.labels(y, len(x))).mean
        classes = torch.arange(self.num_classes, device=z.device).expand(len(x), -1)
        return self.likelihood(z[:, None].expand(-1, self.num_classes, -1), classes).mean

    def labels(self, y: object, num_examples: int) -> Int64[Tensor, "*lead B"]:
        """Returns labels as the model takes them, `(*lead, B)`.

        Raises:
            ValueError: They are not whole numbers from 0 to `num_classes` − 1, or not one for each example.
        """
        if not isinstance(y, Tensor) or y.dtype != torch.int64:
            found = y.dtype if isinstance(y, Tensor) else type(y).__name__
            raise ValueError(f"y must be a tensor of int64, but is {found}: use torch.as_tensor(y).long()")
        if y.ndim == 0 or y.shape[-1] != num_examples:
            raise ValueError(
                f"y must have a label for each of {num_examples} examples along its last dimension, but has shape "
                f"{tuple(y.shape)}"
            )
        low, high = (int(end) for end in torch.aminmax(y))
        if low < 0 or high >= self.num_classes:
            raise ValueError(
                f"y must hold classes from 0 to {self.num_classes - 1}, but holds {low if low < 0 else high}: "
                "examples without a label go to SemiSupervisedVAE.unlabelled_bound"
            )
        return y

    def _posterior_of_latents(self, x: Tensor, y: Tensor) -> Distribution:
        q = require.distribution("encoder", self.posterior(x, y), "end it with vaeedu.networks.NormalHead")
        if q.batch_shape != y.shape or q.event_shape != self.zero.shape:
            raise ValueError(
                f"encoder must return distributions of batch shape {tuple(y.shape)} over {len(self.zero)} latents, but "
                f"they have batch shape {tuple(q.batch_shape)} and event shape {tuple(q.event_shape)}"
            )
        return q
