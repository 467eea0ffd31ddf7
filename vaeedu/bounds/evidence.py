"""The evidence lower bound, its two terms, and what each latent contributes."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaeedu import divergences, require, sampling
from vaeedu.bounds import inputs
from vaeedu.bounds.inputs import Network, Prior
from vaeedu.divergences.normal_terms import normal_terms

KL = ("analytic", "monte_carlo")


class ElboTerms(NamedTuple):
    """The two terms of the bound, per example, in nats.

    Attributes:
        reconstruction: E_q[log p(x|z)], estimated, `(B,)`. What the code must say about x.
        kl: KL(q(z|x) ‖ p(z)), `(B,)`. What saying it costs; in the bound it counts with a minus.
    """

    reconstruction: Float[Tensor, " B"]
    kl: Float[Tensor, " B"]


def elbo(
    x: object,
    encoder: Network,
    decoder: Network,
    prior: Prior,
    *,
    num_samples: int = 1,
    beta: float = 1.0,
    kl: str = "analytic",
    generator: torch.Generator | None = None,
) -> Float[Tensor, " B"]:
    r"""Estimates the evidence lower bound, one value per example.

    $$\mathcal L_\beta(x) = \mathbb E_{q(z \mid x)}[\log p(x \mid z)] - \beta\, \mathrm{KL}(q(z \mid x) \,\|\, p(z)),
      \qquad \mathcal L_1(x) = \log p(x) - \mathrm{KL}(q(z \mid x) \,\|\, p(z \mid x)) \le \log p(x).$$

    The expectation is a mean over S reparameterised samples, so that gradients reach the encoder; nothing is averaged
    over pixels, latents or examples. The estimate is unbiased, and bounds log p(x) in expectation only if β = 1.

    Args:
        x: Data, `(B, C, H, W)` or any `(B, ...)`; zeros and ones where the likelihood is Bernoulli.
        encoder: Maps x to q(z|x), batch shape `(B,)`, event shape `(K,)`, of a family `sampling.draw` knows.
        decoder: Maps latents `(S, B, K)` to p(x|z), batch shape `(S, B)` and the event shape of an example.
        prior: p(z), event shape `(K,)`; or what returns it when called.
        num_samples: S.
        beta: β ≥ 0, the weight of the KL term (Higgins et al. 2017).
        kl: `"analytic"`, for two Gaussians; or `"monte_carlo"`: log q(z|x) − log p(z) at the same samples, for
            any two distributions. The second has no variance beyond the first term's if q is the exact posterior: then
            every single sample gives log p(x).
        generator: The source of randomness; None is torch's global one.

    Returns:
        The bound's estimate in nats, `(B,)`.

    Raises:
        ValueError: A shape does not fit, `x` is outside the likelihood's support (grey pixels, a Bernoulli likelihood),
            a setting is out of range, or the KL has no closed form here.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, eqs. 3, 7 and 10.

    >>> from torch.distributions import Independent, Normal
    >>> normal = lambda loc: Independent(Normal(loc, 1.0), 1)
    >>> x = torch.zeros(4, 2)
    >>> elbo(x, encoder=normal, decoder=lambda z: normal(z.expand(-1, -1, 2)), prior=normal(torch.zeros(2))).shape
    torch.Size([4])
    """
    terms = elbo_terms(x, encoder, decoder, prior, num_samples=num_samples, kl=kl, generator=generator)
    return terms.reconstruction - require.non_negative_float("beta", beta) * terms.kl


def elbo_terms(
    x: object,
    encoder: Network,
    decoder: Network,
    prior: Prior,
    *,
    num_samples: int = 1,
    kl: str = "analytic",
    generator: torch.Generator | None = None,
) -> ElboTerms:
    r"""Estimates the two terms of the evidence lower bound: see `elbo`, whose arguments these are.

    $$\mathcal L_\beta(x) = \texttt{reconstruction} - \beta \cdot \texttt{kl}.$$

    Returns:
        `reconstruction` and `kl`, `(B,)` each, in nats.

    Raises:
        ValueError: As `elbo`.

    >>> from torch.distributions import Independent, Normal
    >>> normal = lambda loc: Independent(Normal(loc, 1.0), 1)
    >>> elbo_terms(torch.ones(2, 3), normal, normal, normal(torch.zeros(3))).kl
    tensor([1.5000, 1.5000])
    """
    require.choice("kl", kl, KL)
    S = require.positive_int("num_samples", num_samples)
    x = inputs.examples(x)
    p_z = inputs.prior_distribution(prior)
    q = inputs.posterior(encoder, x, p_z)
    z = sampling.draw(q, (S,), generator=generator)  # (S, B, K)
    reconstruction = inputs.log_likelihood(decoder, z, x).mean(dim=0)
    if kl == "analytic":
        return ElboTerms(reconstruction, analytic_kl(q, p_z))
    log_ratio = inputs.unchecked(q).log_prob(z) - inputs.unchecked(p_z).log_prob(z)  # log q(z|x) − log p(z)
    return ElboTerms(reconstruction, log_ratio.mean(dim=0))


def kl_per_dimension(x: object, encoder: Network, prior: Prior) -> Float[Tensor, "B K"]:
    r"""Computes what each latent costs, the terms that KL(q(z|x) ‖ p(z)) sums.

    $$\mathrm{KL}(q(z_k \mid x) \,\|\, p(z_k)), \qquad k = 1, \dots, K.$$

    A latent whose mean over the data is near zero says nothing about x: it has collapsed onto the prior.

    Args:
        x: Data, `(B, ...)`.
        encoder: Maps x to q(z|x), normal with independent entries.
        prior: p(z), normal with independent entries; or what returns it when called.

    Returns:
        KL divergences in nats, `(B, K)`, never negative; their sum over K is `elbo_terms(...).kl`.

    Raises:
        ValueError: A shape does not fit, or one of the two is not normal with independent entries.

    Reference:
        Bowman et al. (2016), Generating sentences from a continuous space, section 3.1, for the collapse.

    >>> from torch.distributions import Independent, Normal
    >>> q = Independent(Normal(torch.tensor([[2.0, 0.0]]), 1.0), 1)
    >>> kl_per_dimension(torch.zeros(1, 5), lambda x: q, Independent(Normal(torch.zeros(2), 1.0), 1))
    tensor([[2., 0.]])
    """
    p = inputs.prior_distribution(prior)
    q = inputs.posterior(encoder, inputs.examples(x), p)
    if not (inputs.is_diagonal_normal(q) and inputs.is_diagonal_normal(p)):
        raise ValueError(
            f"encoder and prior must be normal with independent entries, but are {_name(q)} and {_name(p)}: "
            "other families have no KL divergence of their own for each latent"
        )
    return divergences.kl_normal(q.mean, q.stddev, p.mean, p.stddev)


def analytic_kl(q: Distribution, p: Distribution) -> Float[Tensor, "*batch"]:
    """Computes KL(q ‖ p) of two Gaussians over vectors in closed form, in nats.

    Raises:
        ValueError: One of them is no Gaussian.
    """
    if inputs.is_diagonal_normal(q) and inputs.is_diagonal_normal(p):
        # Unchecked: if training diverged this is NaN or infinite, and who trains can say at which step.
        return normal_terms(q.mean, q.stddev, p.mean, p.stddev).sum(dim=-1)
    covariance_q, covariance_p = inputs.covariance(q), inputs.covariance(p)
    if covariance_q is None or covariance_p is None:
        raise ValueError(
            f"kl must be 'monte_carlo' where encoder and prior are not both Gaussian, but is 'analytic', and they are "
            f"{_name(q)} and {_name(p)}: pass kl='monte_carlo'"
        )
    return divergences.kl_multivariate_normal(q.mean, covariance_q, p.mean, covariance_p)


def _name(p: Distribution) -> str:
    base = getattr(p, "base_dist", None)
    return type(p).__name__ + (f" of {type(base).__name__}" if base is not None else "")
