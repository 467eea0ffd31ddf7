"""The variational autoencoder: three distributions, and what follows from them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution

from vaeedu import bounds, require, sampling
from vaeedu.vae.priors import NormalPrior, normal_grid


class VAE(nn.Module):
    r"""A variational autoencoder.

    $$p(z), \qquad p_\theta(x \mid z), \qquad q_\phi(z \mid x) \approx p_\theta(z \mid x).$$

    It has no `log_prob`, because log p(x) is an integral that nobody can do: `elbo` and `iwae_bound` are below it.

    Train it by maximising the mean of `elbo`:

        fit(model, images, lambda x, generator: -model.elbo(x, generator=generator).mean(), optimizer, epochs=10)

    Args:
        encoder: Maps images `(B, C, H, W)` to q(z|x), batch shape `(B,)`, event shape `(K,)`.
        decoder: Maps latents `(..., K)` to p(x|z), event shape `(C, H, W)`.
        prior: p(z): a module that returns it when called, such as `NormalPrior`, or a normal distribution with
            independent entries, which is made into one.

    Raises:
        ValueError: The prior is neither.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes.

    >>> from vaeedu.vae import mlp_vae
    >>> model = mlp_vae((1, 8, 8), num_latents=2)
    >>> model.elbo(torch.ones(5, 1, 8, 8)).shape
    torch.Size([5])
    >>> model.sample(3).shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module | Distribution) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.prior = prior if isinstance(prior, nn.Module) else _as_module(prior)

    def posterior(self, x: Float[Tensor, "B ..."]) -> Distribution:
        """Returns q(z|x), the approximate posterior, with batch shape `(B,)` and event shape `(K,)`."""
        return self.encoder(x)

    def likelihood(self, z: Float[Tensor, "*batch K"]) -> Distribution:
        """Returns p(x|z), with the leading dimensions of `z` as batch shape and `(C, H, W)` as event shape."""
        return self.decoder(z)

    def elbo(
        self,
        x: object,
        *,
        num_samples: int = 1,
        beta: float = 1.0,
        kl: str = "analytic",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        """Estimates the evidence lower bound in nats, `(B,)`: see `vaeedu.bounds.elbo`."""
        return bounds.elbo(
            x,
            self.encoder,
            self.decoder,
            self.prior,
            num_samples=num_samples,
            beta=beta,
            kl=kl,
            generator=generator,
        )

    def iwae_bound(
        self,
        x: object,
        *,
        num_samples: int,
        chunk_size: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        """Estimates the importance weighted bound in nats, `(B,)`: see `vaeedu.bounds.iwae_bound`."""
        return bounds.iwae_bound(
            x,
            self.encoder,
            self.decoder,
            self.prior,
            num_samples=num_samples,
            chunk_size=chunk_size,
            generator=generator,
        )

    @torch.no_grad()
    def sample(
        self, num_samples: int, *, mean: bool = False, generator: torch.Generator | None = None
    ) -> Float[Tensor, "N ..."]:
        """Draws z from the prior, and x from p(x|z).

        Args:
            num_samples: N.
            mean: Whether to return the mean of p(x|z) instead of a draw. Most published "samples" are such means: they
                lack the noise the model believes in.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Images, `(N, C, H, W)`, without a gradient.

        Raises:
            ValueError: `num_samples` is no positive whole number.
        """
        N = require.positive_int("num_samples", num_samples)
        p = self.likelihood(sampling.draw(self.prior(), (N,), generator=generator))
        return p.mean if mean else sampling.draw(p, generator=generator)

    @torch.no_grad()
    def interpolate(self, x0: Tensor, x1: Tensor, num_steps: int) -> Float[Tensor, "steps B ..."]:
        """Decodes the straight line between the codes of two images.

        Args:
            x0: Where it starts, `(B, C, H, W)`; the code is the mean of q(z|x).
            x1: Where it ends, of the same shape.
            num_steps: How many images, both ends included.

        Returns:
            Means of p(x|z), `(num_steps, B, C, H, W)`, without a gradient; the first and the last are reconstructions.

        Raises:
            ValueError: The shapes differ, or `num_steps` is less than 2.
        """
        if x0.shape != x1.shape:
            raise ValueError(
                f"x0 and x1 must have the same shape, but have {tuple(x0.shape)} and {tuple(x1.shape)}: "
                "use x[None] for a single image"
            )
        if require.positive_int("num_steps", num_steps) < 2:
            raise ValueError("num_steps must be at least 2, but is 1: both ends count")
        z0, z1 = self.posterior(x0).mean, self.posterior(x1).mean
        t = torch.linspace(0, 1, num_steps, dtype=z0.dtype, device=z0.device)[:, None, None]
        return self.likelihood((1 - t) * z0 + t * z1).mean

    @torch.no_grad()
    def manifold(self, num_points: int = 20) -> Float[Tensor, "P P ..."]:
        """Decodes a grid of codes that the prior's inverse distribution function spreads over the plane.

        Args:
            num_points: P, codes along each side.

        Returns:
            Means of p(x|z), `(P, P, C, H, W)`, without a gradient: see `normal_grid` for which is where.

        Raises:
            ValueError: There are not two latents, the prior is not normal, or `num_points` is no positive whole number.

        Reference:
            Kingma and Welling (2014), Auto-Encoding Variational Bayes, figure 4.
        """
        prior = self.prior()
        if tuple(prior.event_shape) != (2,):
            raise ValueError(
                f"num_latents must be 2 to show the latent plane, but is {prior.event_shape.numel()}: "
                "train a model with num_latents=2, or look at sample()"
            )
        grid = normal_grid(num_points, like=prior.mean)
        return self.likelihood(prior.mean + prior.stddev * grid).mean


def _as_module(prior: object) -> NormalPrior:
    if not isinstance(prior, Distribution) or not bounds.is_diagonal_normal(prior):
        raise ValueError(
            f"prior must be a module that returns a distribution, or Independent(Normal(...), 1), "
            f"but is {type(prior).__name__}: use vaeedu.vae.NormalPrior.standard(num_latents)"
        )
    return NormalPrior(prior.mean, prior.stddev)
