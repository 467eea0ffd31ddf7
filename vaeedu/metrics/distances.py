"""Distances between two sets of samples."""

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require


def frechet_gaussians(loc: object, covariance: object, loc_2: object, covariance_2: object) -> float:
    r"""Computes the Fréchet (2-Wasserstein) distance of two Gaussians, squared.

    $$d^2 = \lVert \mu - \mu' \rVert^2 + \operatorname{tr}\big(\Sigma + \Sigma' - 2\, (\Sigma^{1/2} \Sigma'
      \Sigma^{1/2})^{1/2}\big) .$$

    Args:
        loc: μ, `(D,)`.
        covariance: Σ, `(D, D)`, symmetric and positive semi-definite: variances, not standard deviations.
        loc_2: μ′, `(D,)`.
        covariance_2: Σ′, `(D, D)`.

    Returns:
        d², at least 0, in the square of the coordinates' unit.

    Raises:
        ValueError: An entry is not finite, the sizes do not match, or a matrix is not symmetric or has a negative
            eigenvalue.

    Reference:
        Dowson and Landau (1982), The Fréchet distance between multivariate normal distributions, eq. 4.

    >>> frechet_gaussians(torch.zeros(2), torch.eye(2), torch.ones(2), 4 * torch.eye(2))
    4.0
    """
    mu, mu_2 = require.vector("loc", loc).double(), require.vector("loc_2", loc_2).double()
    D = len(mu)
    if len(mu_2) != D:
        raise ValueError(
            f"loc_2 must have the length of loc, {D}, but has {len(mu_2)}: use the same features"
        )
    root = _root("covariance", covariance, D)
    root_2 = _root("covariance_2", covariance_2, D)
    # The trace of (R Σ' R)^½ is the sum of the singular values of R R'; no small eigenvalue gets a root on the way.
    overlap = torch.linalg.svdvals(root @ root_2).sum()
    squares = root.square().sum() + root_2.square().sum()  # tr Σ = ‖R‖²
    return max(0.0, float((mu - mu_2).square().sum() + squares - 2 * overlap))


def frechet_distance(x: object, y: object) -> float:
    r"""Computes the Fréchet distance between the Gaussians fitted to two sets of features, squared.

    It is what "FID" reports, for whatever features it is given. It is biased: between two sets of N rows drawn from
    *one* distribution it is above 0, the more so the smaller N is. So a value means something beside that of two halves
    of real data of the same size, with the same features.

    Args:
        x: Features of one set, `(N, D)`, N ≥ 2.
        y: Of the other, `(M, D)`, M ≥ 2.

    Returns:
        d², in the square of the features' unit.

    Raises:
        ValueError: A set has fewer than two rows, an entry is not finite, or the sets have different features.

    Reference:
        Heusel et al. (2017), GANs trained by a two time-scale update rule converge to a local Nash equilibrium, eq. 6.

    >>> x = torch.tensor([[0.0], [2.0]])
    >>> frechet_distance(x, x + 3.0)
    9.0
    """
    a = require.matrix("x", x).double()
    b = require.matrix("y", y, num_columns=a.shape[1]).double()
    for name, rows in (("x", a), ("y", b)):
        if len(rows) < 2:
            raise ValueError(
                f"{name} must have at least two rows, for a covariance, but has {len(rows)}: draw more"
            )
    moments = [v for rows in (a, b) for v in (rows.mean(dim=0), torch.cov(rows.T).reshape(a.shape[1], -1))]
    return frechet_gaussians(*moments)


def wasserstein_1d(x: object, y: object) -> float:
    r"""Computes the Wasserstein distance between two sets of numbers: how far mass moves, on average.

    $$W_1 = \int \lvert F(t) - F'(t) \rvert\, dt ,$$

    with the distribution functions F and F′ of the two sets.

    Args:
        x: `(N,)`.
        y: `(M,)`.

    Returns:
        W₁, in the numbers' unit.

    Raises:
        ValueError: A set is empty, or a number is not finite.

    Reference:
        Ramdas, García Trillos and Cuturi (2017), On Wasserstein two-sample testing and related families of
        nonparametric tests, proposition 1.

    >>> wasserstein_1d(torch.tensor([0.0, 1.0]), torch.tensor([5.0, 6.0]))
    5.0
    """
    a, b = (require.vector(name, v).double().sort().values for name, v in (("x", x), ("y", y)))
    t = torch.cat([a, b]).sort().values
    F, F_2 = (torch.searchsorted(v, t[:-1], right=True).double() / len(v) for v in (a, b))
    return float(((F - F_2).abs() * t.diff()).sum())


def _root(name: str, value: object, size: int) -> Float[Tensor, "D D"]:
    """The symmetric square root of a positive semi-definite matrix."""
    S = require.matrix(name, value, num_columns=size).double()
    largest = float(S.abs().max())
    if len(S) != size or float((S - S.T).abs().max()) > 1e-5 * largest:
        raise ValueError(
            f"{name} must be a symmetric {size} × {size} matrix, but is none: use torch.cov(x.T)"
        )
    eigenvalue, vector = torch.linalg.eigh((S + S.T) / 2)
    if float(eigenvalue[0]) < -1e-5 * largest:
        raise ValueError(
            f"{name} must have no negative eigenvalue, but has {float(eigenvalue[0]):.3g}: use torch.cov(x.T)"
        )
    return (vector * eigenvalue.clamp(min=0).sqrt()) @ vector.T
