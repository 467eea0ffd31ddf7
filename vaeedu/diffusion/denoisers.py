"""Denoisers: from x_t and its level of noise to what x_0 is expected to be, in several ways of asking a network."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require
from vaeedu.diffusion.levels import LevelBelief, level_log_likelihood
from vaeedu.pca import ProbabilisticPCA

# What all networks here are: of x_t, `(B, *event)`, and λ_t, `(B,)`.
Network = Callable[[Tensor, Tensor], Tensor]


def scales(log_snr: Float[Tensor, " B"], like: Float[Tensor, "B ..."]) -> tuple[Float[Tensor, "B ..."], ...]:
    """Returns α and σ, shaped so that they multiply a batch of events."""
    shape = (len(like), *[1] * (like.ndim - 1))
    return log_snr.sigmoid().sqrt().reshape(shape), torch.sigmoid(-log_snr).sqrt().reshape(shape)


def noise_from_data(
    x_0: Float[Tensor, "B ..."], x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]
) -> Float[Tensor, "B ..."]:
    r"""Returns the noise that leads from x_0 to x_t, $\varepsilon = (x_t - \alpha_t x_0) / \sigma_t$.

    >>> noise_from_data(torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(1))
    tensor([[1.4142]])
    """
    signal, noise = scales(log_snr, x_t)
    return (x_t - signal * x_0) / noise


def data_from_noise(
    eps: Float[Tensor, "B ..."], x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]
) -> Float[Tensor, "B ..."]:
    r"""Returns the datum from which this noise leads to x_t, $x_0 = (x_t - \sigma_t \varepsilon) / \alpha_t$.

    An error of ε is multiplied by σ/α: at high noise the result is worth little.

    >>> data_from_noise(torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(1))
    tensor([[1.4142]])
    """
    signal, noise = scales(log_snr, x_t)
    return (x_t - noise * eps) / signal


def velocity_from_data(
    x_0: Float[Tensor, "B ..."], x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]
) -> Float[Tensor, "B ..."]:
    r"""Returns $v = \alpha_t \varepsilon - \sigma_t x_0$ with the ε that leads from x_0 to x_t.

    With α = cos φ and σ = sin φ, it is dx_t/dφ.

    Reference:
        Salimans and Ho (2022), Progressive distillation for fast sampling of diffusion models, appendix D.
    """
    signal, noise = scales(log_snr, x_t)
    return signal * noise_from_data(x_0, x_t, log_snr) - noise * x_0


def data_from_velocity(
    v: Float[Tensor, "B ..."], x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]
) -> Float[Tensor, "B ..."]:
    r"""Returns $x_0 = \alpha_t x_t - \sigma_t v$: neither end divides by something small.

    >>> data_from_velocity(torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(1))
    tensor([[0.7071]])
    """
    signal, noise = scales(log_snr, x_t)
    return signal * x_t - noise * v


class NoisePrediction(nn.Module):
    """A denoiser whose network says what noise was added: ε-prediction.

    Args:
        network: Maps x_t `(B, *event)` and λ `(B,)` to ε, `(B, *event)`.

    Reference:
        Ho et al. (2020), Denoising diffusion probabilistic models, eq. 11.

    >>> NoisePrediction(lambda x, log_snr: torch.zeros_like(x))(torch.ones(1, 2), torch.zeros(1))
    tensor([[1.4142, 1.4142]])
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]) -> Float[Tensor, "B ..."]:
        """Returns the expected x_0."""
        return data_from_noise(self.network(x_t, log_snr), x_t, log_snr)


class VelocityPrediction(nn.Module):
    """A denoiser whose network says v = α ε − σ x_0: v-prediction.

    Args:
        network: Maps x_t `(B, *event)` and λ `(B,)` to v, `(B, *event)`.

    Reference:
        Salimans and Ho (2022), Progressive distillation for fast sampling of diffusion models, section 4.

    >>> VelocityPrediction(lambda x, log_snr: torch.zeros_like(x))(torch.ones(1, 2), torch.zeros(1))
    tensor([[0.7071, 0.7071]])
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]) -> Float[Tensor, "B ..."]:
        """Returns the expected x_0."""
        return data_from_velocity(self.network(x_t, log_snr), x_t, log_snr)


class BayesDenoiser(nn.Module):
    r"""A denoiser of levels that leaves to Bayes' rule what is known: how the noise came about.

    $$p(x_{0,d} = v \mid x_t) \propto \pi_d(v;\, x_t, \lambda_t) \; N(x_{t,d};\, \alpha_t v,\, \sigma_t^2) .$$

    The network says π, what the *context* makes probable, and the likelihood of the pixel's own value is multiplied in.
    With a π that does not depend on x_t, the marginals, it is exact for independent pixels.

    Args:
        network: Maps x_t `(B, *event)` and λ `(B,)` to log π up to a constant, `(B, *event, L)`.
        num_levels: L.

    Raises:
        ValueError: L is not between 2 and 256.

    Reference:
        The decoder of Kingma et al. (2021), Variational diffusion models, section 3.3, used at every level of noise.

    >>> flat = BayesDenoiser(lambda x, log_snr: torch.zeros(*x.shape, 3), num_levels=3)
    >>> flat(torch.tensor([[0.5, 0.0]]), torch.zeros(1))  # leans to white; in the middle, as much to black
    tensor([[0.3681, 0.0000]])
    """

    def __init__(self, network: Network, num_levels: int) -> None:
        super().__init__()
        self.network = network
        self.num_levels = require.positive_int(
            "num_levels", num_levels, at_most=256, because="8 bits a pixel"
        )

    def belief(self, x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]) -> LevelBelief:
        """Returns p(x_0 | x_t), each pixel's levels by themselves; at t = 1 it is the decoder."""
        logits = self.network(x_t, log_snr)
        wanted = (*x_t.shape, self.num_levels)
        if tuple(logits.shape) != wanted:
            raise ValueError(
                f"network must return a logit for each level, of shape {wanted}, but returned {tuple(logits.shape)}: "
                "give it num_outputs=num_levels"
            )
        return LevelBelief(logits + level_log_likelihood(x_t, log_snr, self.num_levels))

    def forward(self, x_t: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]) -> Float[Tensor, "B ..."]:
        """Returns the expected x_0."""
        return self.belief(x_t, log_snr).mean


class LinearGaussianDenoiser:
    r"""The exact p(x_0 | x_t) where the data are Gaussian, x_0 ~ N(μ, C): see `linear_gaussian_denoiser`.

    $$p(x_0 \mid x_t) = N\big(\mu + \alpha C (\alpha^2 C + \sigma^2 I)^{-1} (x_t - \alpha \mu),\;
      \sigma^2 C (\alpha^2 C + \sigma^2 I)^{-1}\big) .$$

    In the eigenvectors of C, all of it is a division by numbers.

    Attributes:
        axes: The eigenvectors of C, as columns, `(D, D)`.
        variances: Its eigenvalues, `(D,)`.
    """

    def __init__(self, mean: Float[Tensor, " D"], covariance: Float[Tensor, "D D"]) -> None:
        self.mean = mean
        self.variances, self.axes = torch.linalg.eigh(covariance)

    def __call__(self, x_t: Float[Tensor, "B D"], log_snr: Float[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Returns the expected x_0."""
        signal, noise = scales(log_snr, x_t)
        gain = signal * self.variances / (signal.square() * self.variances + noise.square())
        return self.mean + ((x_t - signal * self.mean) @ self.axes * gain) @ self.axes.T

    def spread(self, log_snr: Float[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Returns the variances of p(x_0 | x_t) along the axes; they do not depend on x_t."""
        noise = torch.sigmoid(-log_snr)[:, None]
        return noise * self.variances / (torch.sigmoid(log_snr)[:, None] * self.variances + noise)

    def marginal(self, log_snr: Float[Tensor, ""]) -> torch.distributions.MultivariateNormal:
        """Returns the density of x_t itself, N(α μ, α² C + σ² I)."""
        variances = log_snr.sigmoid() * self.variances + torch.sigmoid(-log_snr)
        covariance = (self.axes * variances) @ self.axes.T
        return torch.distributions.MultivariateNormal(log_snr.sigmoid().sqrt() * self.mean, covariance)


def linear_gaussian_denoiser(model: ProbabilisticPCA) -> LinearGaussianDenoiser:
    r"""Returns the exact denoiser of data from probabilistic PCA, and with it the exact reverse process.

    All of x_0, x_1, …, x_T is jointly Gaussian then, so p(x_{t−1} | x_t) is Gaussian, for steps of any size:

    $$p(x_{t-1} \mid x_t) = \int q(x_{t-1} \mid x_t, x_0)\, p(x_0 \mid x_t)\, dx_0
      = N\big(c_0\, \mathbb E[x_0 \mid x_t] + c_t x_t,\; v I + c_0^2\, \mathrm{Cov}[x_0 \mid x_t]\big) .$$

    `Diffusion.reverse` is this density where the denoiser has a `spread`, and leaves the covariance out elsewhere.

    Args:
        model: Fitted, or made from parameters.

    Raises:
        ValueError: The model is not fitted.

    Reference:
        Sohl-Dickstein et al. (2015), Deep unsupervised learning using nonequilibrium thermodynamics, eq. 7 for the
        bound; the linear-Gaussian case is worked out here.

    >>> model = ProbabilisticPCA.from_parameters(torch.tensor([[2.0, 0.0]]), torch.zeros(2), 1.0)
    >>> linear_gaussian_denoiser(model)(torch.ones(1, 2), torch.zeros(1))  # the first direction is the better known
    tensor([[1.1785, 0.7071]])
    """
    covariance = model.covariance()  # refuses a model that is not fitted
    return LinearGaussianDenoiser(model.mean_, covariance)
