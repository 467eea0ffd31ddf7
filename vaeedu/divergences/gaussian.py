"""KL divergences between Gaussians in closed form."""

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require
from vaeedu.divergences.normal_terms import normal_terms


def kl_normal(loc_q: object, scale_q: object, loc_p: object, scale_p: object) -> Float[Tensor, "*shape"]:
    r"""Computes KL(q ‖ p) of univariate Gaussians, elementwise.

    $$\mathrm{KL}(q \,\|\, p) = \log \frac{\sigma_p}{\sigma_q} + \frac{\sigma_q^2 + (\mu_q - \mu_p)^2}{2 \sigma_p^2}
      - \frac12 .$$

    Args:
        loc_q: Means μ_q, any shape.
        scale_q: Standard deviations σ_q > 0 (not variances).
        loc_p: Means μ_p.
        scale_p: Standard deviations σ_p > 0. All four broadcast against each other; plain numbers will do for all
            but one.

    Returns:
        KL(q ‖ p) ≥ 0 in nats, one for each entry of the broadcast shape.

    Raises:
        ValueError: An entry is not finite, a scale is not positive, or the shapes do not broadcast.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, appendix B, for a standard normal p.

    >>> kl_normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]), 0.0, 1.0)
    tensor([0.0000, 1.3069])
    """
    require.real("loc_q", loc_q), require.real("loc_p", loc_p)
    require.positive("scale_q", scale_q), require.positive("scale_p", scale_p)
    mu_q, sigma_q, mu_p, sigma_p = require.broadcast(
        loc_q=loc_q, scale_q=scale_q, loc_p=loc_p, scale_p=scale_p
    )
    if any(isinstance(s, float) and mu_q.new_tensor(s) in (0.0, torch.inf) for s in (scale_q, scale_p)):
        # Such a number is no float32, though the divergence may well be one.
        wide = (v.double() if isinstance(v, Tensor) else v for v in (loc_q, scale_q, loc_p, scale_p))
        return kl_normal(*wide).to(mu_q.dtype)
    return normal_terms(mu_q, sigma_q, mu_p, sigma_p)


def kl_diagonal_normal(
    loc_q: object, scale_q: object, loc_p: object, scale_p: object
) -> Float[Tensor, "*batch"]:
    r"""Computes KL(q ‖ p) of Gaussians with diagonal covariances diag(σ₁², …, σ_K²), one value per example.

    $$\mathrm{KL}(q \,\|\, p) = \sum_{k=1}^K \mathrm{KL}\left( \mathcal N(\mu_{q,k}, \sigma_{q,k}^2) \,\|\,
      \mathcal N(\mu_{p,k}, \sigma_{p,k}^2) \right).$$

    A sum over the K latent dimensions, never a mean: independent coordinates multiply densities, so their logarithms
    add up.

    Args:
        loc_q: Means, `(B, K)` or any `(..., K)`.
        scale_q: Standard deviations (not variances).
        loc_p: Means.
        scale_p: Standard deviations. All four broadcast against each other; plain numbers will do for all but one.

    Returns:
        KL(q ‖ p) in nats, of shape `(B,)` or `(...)`.

    Raises:
        ValueError: As `kl_normal`; or there is no dimension to sum over.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, appendix B.

    >>> kl_diagonal_normal(torch.zeros(3, 2), torch.ones(3, 2), torch.ones(2), 1.0)
    tensor([1., 1., 1.])
    """
    elementwise = kl_normal(loc_q, scale_q, loc_p, scale_p)
    if elementwise.ndim == 0:
        raise ValueError(
            "loc_q must have shape (..., K), to sum over its last dimension, but all arguments are single numbers: "
            "use kl_normal for univariate Gaussians"
        )
    return elementwise.sum(dim=-1)


def kl_multivariate_normal(
    loc_q: object, covariance_q: object, loc_p: object, covariance_p: object
) -> Float[Tensor, "*batch"]:
    r"""Computes KL(q ‖ p) of Gaussians with full covariances.

    $$\mathrm{KL}(q \,\|\, p) = \tfrac12 \left( \operatorname{tr}(\Sigma_p^{-1} \Sigma_q) - K
      + (\mu_q - \mu_p)^\top \Sigma_p^{-1} (\mu_q - \mu_p) + \log \frac{|\Sigma_p|}{|\Sigma_q|} \right).$$

    With Cholesky factors Σ = L Lᵀ and M = L_p⁻¹ L_q, which is lower triangular, the trace is the sum of M's squared
    entries and the log-determinants are in its diagonal, where they join as in one dimension. No inverse is formed, and
    no term is negative.

    Args:
        loc_q: Means, `(..., K)`.
        covariance_q: Covariances, `(..., K, K)`.
        loc_p: Means, `(..., K)`.
        covariance_p: Covariances, `(..., K, K)`. Leading dimensions broadcast.

    Returns:
        KL(q ‖ p) ≥ 0 in nats, of shape `(...)`.

    Raises:
        ValueError: An entry is not finite, a covariance is not symmetric and positive definite, or shapes do not fit.

    Reference:
        Rasmussen and Williams (2006), Gaussian processes for machine learning, eq. A.23.

    >>> q = torch.zeros(2), torch.tensor([[1.0, 0.6], [0.6, 1.0]])
    >>> kl_multivariate_normal(*q, torch.zeros(2), torch.eye(2))
    tensor(0.2231)
    """
    mu_q, mu_p = require.real("loc_q", loc_q), require.real("loc_p", loc_p)
    _, L_q = require.covariance("covariance_q", covariance_q)
    _, L_p = require.covariance("covariance_p", covariance_p)
    _check_sizes(loc_q=mu_q, covariance_q=L_q, loc_p=mu_p, covariance_p=L_p)
    M = torch.linalg.solve_triangular(L_p, L_q, upper=False)
    z = torch.linalg.solve_triangular(L_p, (mu_q - mu_p)[..., None], upper=False)[..., 0]
    # M_ii = (L_q)_ii / (L_p)_ii: a ratio of scales, as in one dimension.
    zero = mu_q.new_zeros(())
    scales = normal_terms(zero, L_q.diagonal(dim1=-2, dim2=-1), zero, L_p.diagonal(dim1=-2, dim2=-1))
    correlations = M.tril(-1).square().sum(dim=(-2, -1))
    return scales.sum(dim=-1) + 0.5 * (correlations + z.square().sum(dim=-1))


def _check_sizes(**tensors: Tensor) -> None:
    # A mean of shape (1,) would broadcast against K coordinates; that is always a mistake.
    sizes = {name: t.shape[-1] if t.ndim else 0 for name, t in tensors.items()}
    if len(set(sizes.values())) > 1 or 0 in sizes.values():
        found = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
        raise ValueError(
            f"loc_q, covariance_q, loc_p and covariance_p must have the same K in their last dimension, "
            f"but their shapes are {found}: give all K coordinates of each"
        )
    leading = {name: t[..., 0, 0] if name.startswith("cov") else t[..., 0] for name, t in tensors.items()}
    require.broadcast(**leading)
