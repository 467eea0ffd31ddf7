"""Mixtures of Gaussians: expectation maximisation and its Q function."""

import math
import warnings
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require, sampling


@dataclass(frozen=True)
class GaussianMixture:
    r"""A mixture of K Gaussians, $p(x) = \sum_k \pi_k \, \mathcal N(x \mid \mu_k, \Sigma_k)$.

    Args:
        weights: π, `(K,)`: positive, adding up to one.
        locs: μ, `(K, D)`.
        covariances: Σ, `(K, D, D)`, each positive definite.

    Raises:
        ValueError: A shape does not fit, an entry is not finite, the weights are no probabilities, or a covariance is
            none.

    >>> pair = GaussianMixture(torch.tensor([0.5, 0.5]), torch.tensor([[-2.0], [2.0]]), torch.ones(2, 1, 1))
    >>> pair.responsibilities(torch.tensor([[0.0]]))
    tensor([[0.5000, 0.5000]])
    """

    weights: Tensor
    locs: Tensor
    covariances: Tensor

    def __post_init__(self) -> None:
        weights = require.probabilities("weights", require.vector("weights", self.weights))
        require.positive("weights", weights)  # an unused component is left out
        locs = require.matrix("locs", self.locs)
        K, D = locs.shape
        if len(weights) != K:
            raise ValueError(
                f"weights must have one entry for each of the {K} rows of locs, but has {len(weights)}"
            )
        if not isinstance(self.covariances, Tensor) or self.covariances.shape != (K, D, D):
            shape = tuple(getattr(self.covariances, "shape", ())) or type(self.covariances).__name__
            raise ValueError(f"covariances must have shape {(K, D, D)}, but has shape {shape}")
        require.covariance("covariances", self.covariances)

    def joint_log_prob(self, x: object) -> Float[Tensor, "N K"]:
        """Computes log p(x, component k) = log π_k + log N(x | μ_k, Σ_k) in nats, for each x and k.

        Args:
            x: Data, `(N, D)`.

        Raises:
            ValueError: `x` is not a finite matrix with D columns.
        """
        data = require.matrix("x", x, num_columns=self.locs.shape[1])
        factors = torch.linalg.cholesky(self.covariances)
        d = (data[None] - self.locs[:, None]).transpose(1, 2)  # (K, D, N)
        white = torch.linalg.solve_triangular(factors, d, upper=False)
        log_det = 2 * factors.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        normalizer = self.locs.shape[1] * math.log(2 * math.pi) + log_det
        return (self.weights.log() - 0.5 * normalizer) - 0.5 * white.square().sum(dim=1).T

    def log_prob(self, x: object) -> Float[Tensor, " N"]:
        """Computes log p(x) in nats, one for each row of `x` `(N, D)`.

        Raises:
            ValueError: `x` is not a finite matrix with D columns.
        """
        return self.joint_log_prob(x).logsumexp(dim=1)

    def responsibilities(self, x: object) -> Float[Tensor, "N K"]:
        r"""Computes the posterior over components, $p(k \mid x) = p(x, k) / p(x)$: each row adds up to one.

        Raises:
            ValueError: `x` is not a finite matrix with D columns.
        """
        return self.joint_log_prob(x).softmax(dim=1)

    def sample(self, num_samples: int, *, generator: torch.Generator | None = None) -> Float[Tensor, "N D"]:
        """Draws `num_samples` independent x, `(N, D)`.

        Raises:
            ValueError: `num_samples` is not a positive whole number.
        """
        N = require.positive_int("num_samples", num_samples)
        k = sampling.categorical(self.weights, (N,), generator=generator)
        eps = sampling.normal((N, self.locs.shape[1]), like=self.locs, generator=generator)
        return self.locs[k] + (torch.linalg.cholesky(self.covariances)[k] @ eps[..., None])[..., 0]


def q_function(
    mixture: GaussianMixture, x: object, responsibilities: Float[Tensor, "N K"]
) -> Float[Tensor, " N"]:
    r"""Computes EM's Q: the expected complete-data log-likelihood, per example.

    $$Q_n(\theta) = \sum_k r_{nk} \log p(x_n, k \mid \theta).$$

    With r the posterior under θ itself, Q plus the entropy of r is log p(x | θ); with any other r it is less.

    Args:
        mixture: θ.
        x: Data, `(N, D)`.
        responsibilities: r, `(N, K)`, usually p(k|x) under *older* parameters; rows add up to one.

    Returns:
        Q for each example, `(N,)`, in nats.

    Raises:
        ValueError: `x` is not a finite matrix with D columns, or `responsibilities` are not such rows.

    Reference:
        Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, eq. 2.17.

    >>> pair = GaussianMixture(torch.tensor([0.5, 0.5]), torch.tensor([[-2.0], [2.0]]), torch.ones(2, 1, 1))
    >>> x = torch.tensor([[0.5]])
    >>> r = pair.responsibilities(x)
    >>> entropy = -torch.special.xlogy(r, r).sum(dim=1)
    >>> bool(torch.isclose(q_function(pair, x, r) + entropy, pair.log_prob(x)))
    True
    """
    joint = mixture.joint_log_prob(x)
    r = _check_responsibilities(responsibilities, tuple(joint.shape))
    return (r * joint).sum(dim=1)


def em_step(x: Float[Tensor, "N D"], responsibilities: Float[Tensor, "N K"]) -> GaussianMixture:
    r"""Makes EM's M step: the mixture that maximises Q for given responsibilities.

    $$N_k = \sum_n r_{nk}, \quad \pi_k = \frac{N_k}{N}, \quad \mu_k = \frac1{N_k} \sum_n r_{nk} x_n, \quad
      \Sigma_k = \frac1{N_k} \sum_n r_{nk} (x_n - \mu_k)(x_n - \mu_k)^\top.$$

    Args:
        x: Data, `(N, D)`.
        responsibilities: r, `(N, K)`, from the E step; rows add up to one.

    Returns:
        The new mixture. Where the responsibilities are the posterior under an older one, its mean log-likelihood is at
        least as high.

    Raises:
        ValueError: `x` is not a finite matrix, `responsibilities` are not such rows, or a component has shrunk on a
            point or a plane, where the likelihood has no maximum.

    Reference:
        Bishop (2006), eqs. 9.24-9.27.
    """
    data = require.matrix("x", x)
    r = _check_responsibilities(responsibilities, (len(data), responsibilities.shape[-1]))
    N_k = r.sum(dim=0)
    locs = (r.T @ data) / N_k[:, None]
    d = data[None] - locs[:, None]  # (K, N, D)
    covariances = (r.T[..., None] * d).transpose(1, 2) @ d / N_k[:, None, None]
    _check_not_collapsed(data, N_k, covariances)
    return GaussianMixture(N_k / N_k.sum(), locs, covariances)


def em(
    x: object, start: GaussianMixture, *, max_iterations: int = 1000, tolerance: float = 1e-7
) -> tuple[GaussianMixture, Float[Tensor, " iterations"]]:
    """Fits a mixture of Gaussians by expectation maximisation.

    Args:
        x: Data, `(N, D)`.
        start: The first mixture. The likelihood has many maxima, and the start decides which is found.
        max_iterations: When to stop at the latest (with a warning).
        tolerance: Stop when a step raises the mean log-likelihood by less than this, in nats per example.

    Returns:
        The last mixture, and the mean log p(x) in nats per example of the start and after each step; it never falls.

    Raises:
        ValueError: `x` is not a finite matrix with D columns, a setting is not positive, or a component has shrunk on a
            point or a plane.

    Reference:
        Dempster, Laird and Rubin (1977).

    >>> g = torch.Generator().manual_seed(0)
    >>> x = torch.cat([torch.randn(200, 1, generator=g) - 4, torch.randn(200, 1, generator=g) + 4])
    >>> start = GaussianMixture(torch.tensor([0.5, 0.5]), torch.tensor([[-1.0], [1.0]]), torch.ones(2, 1, 1))
    >>> fitted, history = em(x, start)
    >>> fitted.locs.round(), bool((history.diff() > -1e-6).all())
    (tensor([[-4.],
            [ 4.]]), True)
    """
    data = require.matrix("x", x, num_columns=start.locs.shape[1])
    require.positive_int("max_iterations", max_iterations)
    require.positive_float("tolerance", tolerance)
    mixture, history = start, [start.log_prob(data).mean()]
    for _ in range(max_iterations):
        mixture = em_step(data, mixture.responsibilities(data))
        history.append(mixture.log_prob(data).mean())
        if float(history[-1] - history[-2]) < tolerance:
            break
    else:
        warnings.warn(
            f"EM did not settle within {max_iterations} iterations: raise max_iterations or tolerance",
            RuntimeWarning,
            stacklevel=2,
        )
    return mixture, torch.stack(history)


def _check_responsibilities(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    if value.shape != shape:
        raise ValueError(f"responsibilities must have shape {shape}, but has shape {tuple(value.shape)}")
    return require.probabilities("responsibilities", value)


def _check_not_collapsed(x: Tensor, N_k: Tensor, covariances: Tensor) -> None:
    # An empty component has no covariance, only NaN.
    smallest = torch.linalg.eigvalsh(covariances.nan_to_num())[:, 0].masked_fill(N_k == 0, -1.0)
    k = int(smallest.argmin())
    if not bool(smallest[k] > max(10 * torch.finfo(x.dtype).eps, 1e-12) * x.var(dim=0, correction=0).mean()):
        raise ValueError(
            f"x must keep every component spread out, but component {k}, with {float(N_k[k]):.3g} examples, "
            "has shrunk on a point or a plane, where the likelihood has no maximum: use fewer components "
            "or another start"
        )
