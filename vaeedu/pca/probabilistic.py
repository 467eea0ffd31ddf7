"""Probabilistic PCA: a Gaussian density whose covariance is low rank plus noise."""

import warnings

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from vaeedu import require, sampling
from vaeedu.pca import em, missing
from vaeedu.pca.moments import leading_eigenpairs, mean_and_covariance, settle_signs
from vaeedu.pca.principal import data_with_variance, require_fitted, require_representable

METHODS = ("closed_form", "em")


class ProbabilisticPCA:
    r"""Probabilistic PCA: a linear map of a standard normal latent, plus the same noise in every direction.

    $$p(z) = \mathcal N(0, I), \quad p(x \mid z) = \mathcal N(W z + \mu, \sigma^2 I), \quad
      p(x) = \mathcal N(\mu, W W^\top + \sigma^2 I).$$

    Fitted values, in the dtype and on the device of the data:

    - `components_` `(K, D)`: Wᵀ. The rows are orthogonal, by falling length, the entry of largest size in each
      positive: the likelihood cannot tell W from W R for a rotation R, so one W is settled on. Unlike those of `PCA`,
      the rows do not have length one.
    - `mean_` `(D,)`: μ.
    - `noise_variance_`, a scalar: σ². The fit is by maximum likelihood, so variances divide by **N**, not N − 1.
    - `log_likelihood_per_iteration_` `(iterations,)`: with `method="em"`, mean log p(x) in nats per example before each
      step; otherwise None.

    Args:
        num_components: K, between 1 and D − 1.

    Reference:
        Tipping and Bishop (1999), Probabilistic principal component analysis, JRSS B 61(3).

    >>> g = torch.Generator().manual_seed(0)
    >>> x = torch.randn(500, 3, generator=g) * torch.tensor([3.0, 1.0, 1.0])
    >>> model = ProbabilisticPCA(1).fit(x)
    >>> model.log_prob(x).shape
    torch.Size([500])
    """

    components_: Float[Tensor, "K D"]
    mean_: Float[Tensor, " D"]
    noise_variance_: Float[Tensor, ""]
    log_likelihood_per_iteration_: Float[Tensor, " iterations"] | None

    def __init__(self, num_components: int) -> None:
        self.num_components = require.positive_int("num_components", num_components)

    @classmethod
    def from_parameters(cls, components: object, mean: object, noise_variance: float) -> "ProbabilisticPCA":
        """Makes a model with given parameters, without data.

        Args:
            components: Wᵀ, `(K, D)`.
            mean: μ, `(D,)`.
            noise_variance: σ² > 0 (a variance, not a standard deviation).

        Raises:
            ValueError: A shape does not fit, K ≥ D, an entry is not finite, or σ² is not positive.

        >>> ProbabilisticPCA.from_parameters(torch.tensor([[2.0, 0.0]]), torch.zeros(2), 0.25).covariance()
        tensor([[4.2500, 0.0000],
                [0.0000, 0.2500]])
        """
        rows = require.matrix("components", components)
        K, D = rows.shape
        _check_num_components(K, D)
        model = cls(K)
        model.components_ = rows
        model.mean_ = require.vector("mean", mean, length=D).to(rows)
        model.noise_variance_ = rows.new_tensor(require.positive_float("noise_variance", noise_variance))
        model.log_likelihood_per_iteration_ = None
        return model

    @torch.no_grad()
    def fit(
        self,
        x: object,
        *,
        method: str = "closed_form",
        max_iterations: int = 1000,
        tolerance: float = 1e-7,
        generator: torch.Generator | None = None,
    ) -> "ProbabilisticPCA":
        r"""Fits μ, W and σ² by maximum likelihood.

        In closed form, with S = U Λ Uᵀ the covariance (divided by N),

        $$\sigma^2 = \frac{1}{D-K} \sum_{j>K} \lambda_j, \qquad W = U_K (\Lambda_K - \sigma^2 I)^{1/2}.$$

        Args:
            x: Data, `(N, D)`, N ≥ 2; a tensor or NumPy array of float32 or float64. With `method="em"`, NaN marks a
                missing entry, taken to be missing at random.
            method: `"closed_form"`, or `"em"`: expectation maximisation from a random start, see `em.em_step`.
            max_iterations: With `"em"`, when to stop at the latest (with a warning).
            tolerance: With `"em"`, stop when a step changes the mean log-likelihood by less than this, in nats per
                example.
            generator: With `"em"`, the source of the random first W.

        Returns:
            The fitted model itself.

        Raises:
            ValueError: `x` is not a finite floating-point matrix (NaN is allowed with `"em"` only), has fewer than two
                rows or no variance, K ≥ D, a column has no observed entry, a setting is out of range, or the data
                lie in a K-dimensional plane, so that σ² = 0 and the likelihood has no maximum.
        """
        require.choice("method", method, METHODS)
        x = data_with_variance(x, allow_missing=method == "em")
        _check_num_components(self.num_components, x.shape[1])
        self.log_likelihood_per_iteration_ = None
        if method == "closed_form":
            mean, rows, noise_variance = self._closed_form(x)
        else:
            require.positive_int("max_iterations", max_iterations)
            require.positive_float("tolerance", tolerance)
            mean, rows, noise_variance = self._em(x, max_iterations, tolerance, generator)
        self.mean_, self.components_, self.noise_variance_ = mean.to(x), rows.to(x), noise_variance.to(x)
        return self

    def _closed_form(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, covariance = mean_and_covariance(x)
        require_representable(covariance.trace(), x)
        eigenvalues, eigenvectors = leading_eigenpairs(covariance, self.num_components)
        discarded = covariance.trace() - eigenvalues.sum()
        noise_variance = discarded / (len(covariance) - self.num_components)
        _check_noise(noise_variance, covariance.trace() / len(covariance), x.dtype)
        scales = (eigenvalues - noise_variance).clamp(min=0.0).sqrt()
        return mean, scales[:, None] * eigenvectors, noise_variance

    def _em(
        self, x: Tensor, max_iterations: int, tolerance: float, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        problem = missing.Problem(x) if bool(x.isnan().any()) else em.CompleteProblem(x)
        require_representable(problem.variance * x.shape[1], x)
        W = sampling.normal((x.shape[1], self.num_components), like=problem.mean, generator=generator)
        W, noise_variance = W * problem.variance.sqrt(), problem.variance
        history: list[Tensor] = []
        for _ in range(max_iterations):
            log_likelihood, W, noise_variance = problem.step(W, noise_variance)
            _check_noise(noise_variance, problem.variance, x.dtype)
            history.append(log_likelihood)
            if len(history) > 1 and abs(history[-1] - history[-2]) < tolerance:
                break
        else:
            warnings.warn(
                f"EM did not settle within {max_iterations} iterations: raise max_iterations or tolerance",
                RuntimeWarning,
                stacklevel=4,
            )
        self.log_likelihood_per_iteration_ = torch.stack(history).to(x)
        # EM ends at W R for some rotation R; the singular value decomposition W = U S Vᵀ gives the W = U S settled on.
        U, S, _ = torch.linalg.svd(W, full_matrices=False)
        return problem.mean, settle_signs((U * S).T), noise_variance

    def prior(self) -> Independent:
        """Returns p(z) = N(0, I), with event shape `(K,)`."""
        require_fitted(self, "prior")
        zeros = self.components_.new_zeros(self.num_components)
        return Independent(Normal(zeros, zeros + 1.0), 1)

    def likelihood(self, z: Float[Tensor, "*batch K"]) -> Independent:
        """Returns p(x|z) = N(W z + μ, σ² I), with event shape `(D,)`.

        Args:
            z: Latent codes with any leading dimensions.

        Raises:
            ValueError: The model is not fitted, or the last dimension of `z` is not K.
        """
        require_fitted(self, "likelihood")
        require.events("z", z, (self.num_components,))
        loc = z @ self.components_.to(z) + self.mean_.to(z)
        return Independent(Normal(loc, self.noise_variance_.to(z).sqrt().expand_as(loc)), 1)

    def posterior(self, x: object, *, allow_missing: bool = False) -> MultivariateNormal:
        r"""Returns the exact p(z|x), Gaussian with one covariance for all complete x.

        $$p(z \mid x) = \mathcal N\big(M^{-1} W^\top (x - \mu),\; \sigma^2 M^{-1}\big),
          \qquad M = W^\top W + \sigma^2 I.$$

        Args:
            x: Data, `(N, D)`.
            allow_missing: Whether NaN may mark missing entries; then each row has its own M, from the rows of W that
                it observes.

        Returns:
            A distribution with batch shape `(N,)` and event shape `(K,)`.

        Raises:
            ValueError: The model is not fitted, or `x` is not a finite matrix with D columns.
        """
        x = self._data("posterior", x, allow_missing)
        W, centred = self.components_.to(x).T, x - self.mean_.to(x)
        noise_variance = self.noise_variance_.to(x)
        if bool(x.isnan().any()):
            loc, M = missing.posterior(centred, W, noise_variance)
        else:
            M = em.posterior_precision(W, noise_variance)
            loc = torch.cholesky_solve(W.T @ centred.T, torch.linalg.cholesky(M)).T
        return MultivariateNormal(loc, precision_matrix=M / noise_variance)

    def log_prob(self, x: object, *, allow_missing: bool = False) -> Float[Tensor, " N"]:
        r"""Computes the exact log-density log p(x) = log N(x | μ, W Wᵀ + σ² I).

        No D × D matrix is formed. With M = WᵀW + σ²I and ẑ the posterior mean,

        $$\log p(x) = -\tfrac12 \Big[ D \log 2\pi + (D-K) \log \sigma^2 + \log\lvert M \rvert
          + \tfrac{1}{\sigma^2} \lVert x - \mu - W \hat z \rVert^2 + \lVert \hat z \rVert^2 \Big],$$

        which is Woodbury's identity written as two sums of squares, so that nothing cancels when σ² is small.

        Args:
            x: Data, `(N, D)`.
            allow_missing: Whether NaN may mark missing entries; then the density of the observed ones.

        Returns:
            Log-densities in nats, `(N,)`: summed over features, one for each example. O(D K²) once, O(D K) a row.

        Raises:
            ValueError: The model is not fitted, or `x` is not a finite matrix with D columns.
        """
        x = self._data("log_prob", x, allow_missing)
        W, centred = self.components_.to(x).T, x - self.mean_.to(x)
        noise_variance = self.noise_variance_.to(x)
        if bool(x.isnan().any()):
            return missing.log_prob(centred, W, noise_variance)
        M_cholesky = torch.linalg.cholesky(em.posterior_precision(W, noise_variance))
        z = torch.cholesky_solve(W.T @ centred.T, M_cholesky).T
        mahalanobis = (centred - z @ W.T).square().sum(dim=1) / noise_variance + z.square().sum(dim=1)
        return -0.5 * (em.log_normalizer(W, noise_variance, M_cholesky) + mahalanobis)

    def sample(self, num_samples: int, *, generator: torch.Generator | None = None) -> Float[Tensor, "N D"]:
        """Draws x = W z + μ + σ ε with z and ε standard normal.

        Args:
            num_samples: How many.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Samples, `(num_samples, D)`.

        Raises:
            ValueError: The model is not fitted, or `num_samples` is not a positive whole number.
        """
        require_fitted(self, "sample")
        n = require.positive_int("num_samples", num_samples)
        z = sampling.normal((n, self.num_components), like=self.components_, generator=generator)
        x_given_z = self.likelihood(z).base_dist
        return sampling.reparameterize(x_given_z.mean, x_given_z.stddev, generator=generator)

    def impute(self, x: object) -> Float[Tensor, "N D"]:
        """Fills missing entries with their mean given the observed ones, E[x_missing | x_observed].

        Args:
            x: Data, `(N, D)`, with NaN where an entry is missing.

        Returns:
            A copy of `x` without NaN; observed entries are kept as they are.

        Raises:
            ValueError: The model is not fitted, or `x` is not a matrix with D columns of finite numbers and NaN.
        """
        x = self._data("impute", x, allow_missing=True)
        expected = self.likelihood(self.posterior(x, allow_missing=True).mean).mean
        return torch.where(x.isnan(), expected, x)

    def covariance(self) -> Float[Tensor, "D D"]:
        """Returns the model's covariance C = W Wᵀ + σ² I, `(D, D)`; for looking at, nothing here inverts it."""
        require_fitted(self, "covariance")
        low_rank = self.components_.T @ self.components_
        return low_rank + self.noise_variance_ * torch.eye(len(low_rank)).to(low_rank)

    def _data(self, method: str, x: object, allow_missing: bool) -> Tensor:
        require_fitted(self, method)
        return require.matrix("x", x, num_columns=self.components_.shape[1], allow_missing=allow_missing)


def _check_num_components(K: int, D: int) -> None:
    require.positive_int(
        "num_components",
        K,
        at_most=D - 1,
        because=f"D - 1: one of the {D} directions must be left to the noise",
    )


def _check_noise(noise_variance: Tensor, variance: Tensor, dtype: torch.dtype) -> None:
    if not bool(noise_variance > max(10 * torch.finfo(dtype).eps, 1e-12) * variance):
        raise ValueError(
            "x must vary in more than num_components directions, but what remains beside them is "
            f"{float(noise_variance):.1e}, none within rounding: the likelihood then has no maximum. "
            "Choose fewer components, or use PCA"
        )
