"""How far apart two distributions are: entropy, cross-entropy and Kullback–Leibler divergence.

Every `kl_*` is KL(first ‖ second), in nats, one value per example, and never negative.

- `entropy`, `cross_entropy`, `kl_categorical` and `kl_bernoulli` take probabilities, zeros included.
- `kl_normal` (elementwise), `kl_diagonal_normal` and `kl_multivariate_normal` are closed forms for Gaussians.
- `kl_monte_carlo` estimates the divergence of any two distributions from samples of the first.
- `fit_forward_kl` and `fit_reverse_kl` approximate a mixture by one Gaussian, in the two directions.
"""

from vaeedu.divergences.discrete import cross_entropy, entropy, kl_bernoulli, kl_categorical
from vaeedu.divergences.fitting import Descent, fit_forward_kl, fit_reverse_kl
from vaeedu.divergences.gaussian import kl_diagonal_normal, kl_multivariate_normal, kl_normal
from vaeedu.divergences.monte_carlo import kl_monte_carlo

__all__ = [
    "Descent",
    "cross_entropy",
    "entropy",
    "fit_forward_kl",
    "fit_reverse_kl",
    "kl_bernoulli",
    "kl_categorical",
    "kl_diagonal_normal",
    "kl_monte_carlo",
    "kl_multivariate_normal",
    "kl_normal",
]
