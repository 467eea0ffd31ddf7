"""Mean, covariance and leading eigenvectors of a data matrix, accurately and in little memory."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_ROWS_AT_ONCE = 8192
_LARGE_MEAN = 10.0


def mean_and_covariance(x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, " D"], Float[Tensor, "D D"]]:
    r"""Computes the mean and the maximum-likelihood covariance of the rows of `x`.

    $$\mu = \tfrac1N \sum_n x_n, \qquad
      S = \tfrac1N \sum_n x_n x_n^\top - \mu \mu^\top = \tfrac1N \sum_n (x_n - \mu)(x_n - \mu)^\top.$$

    One product in the dtype of `x`, its mean taken off in float64, is as fast as can be, and accurate while no mean is
    large beside its standard deviation. Where one is, the first form would cancel; then the second is used, on a
    block of centred rows at a time. Neither copies the data.

    Args:
        x: Data, `(N, D)`.

    Returns:
        μ `(D,)` and S `(D, D)`, both float64 on the CPU. S divides by N, not N − 1.

    Reference:
        Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, eqs. 1.2 and 1.7.

    >>> mean_and_covariance(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))
    (tensor([1., 1.], dtype=torch.float64), tensor([[1., 0.], [0., 0.]], dtype=torch.float64))
    """
    mean = _mean(x)
    covariance = _gram(x) / len(x) - torch.outer(mean, mean)
    if bool((mean.square() > _LARGE_MEAN * covariance.diagonal()).any()):
        return _centred_moments(x, mean.to(x))
    return mean, covariance


def _mean(x: Float[Tensor, "N D"]) -> Float[Tensor, " D"]:
    # Sums of few rows are accurate in float32 too; they are added up in float64.
    return torch.stack([rows.sum(dim=0) for rows in x.split(1024)]).cpu().double().sum(dim=0) / len(x)


def _centred_moments(x: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and covariance from rows with `shift` taken off: the mean, rounded to the dtype of `x`."""
    N, D = x.shape
    total, scatter = torch.zeros(D, dtype=torch.float64), torch.zeros(D, D, dtype=torch.float64)
    for rows in x.split(_ROWS_AT_ONCE):
        centred = rows - shift
        total += centred.sum(dim=0).cpu()
        scatter += _gram(centred)
    offset = total / N
    return shift.cpu().double() + offset, scatter / N - torch.outer(offset, offset)


def _gram(x: Float[Tensor, "N D"]) -> Float[Tensor, "D D"]:
    if x.device.type != "cpu":
        return (x.T @ x).cpu().double()
    # NumPy sees that both factors are one matrix and computes half of the symmetric product; torch computes all.
    rows = x.numpy()
    # What overflows is noticed in the result (`principal.require_representable`).
    with np.errstate(over="ignore", invalid="ignore"):
        return torch.from_numpy(rows.T @ rows).double()


def leading_eigenpairs(
    covariance: Float[Tensor, "D D"], num_components: int
) -> tuple[Float[Tensor, " K"], Float[Tensor, "K D"]]:
    """Returns the largest eigenvalues, descending, and their eigenvectors as rows with settled signs."""
    # All D are computed: asking LAPACK for K of them (syevr) saves milliseconds and can fail where eigenvalues tie.
    values, vectors = np.linalg.eigh(covariance.numpy())  # ascending
    eigenvalues = torch.from_numpy(values[: -num_components - 1 : -1].copy()).clamp(min=0.0)
    return eigenvalues, settle_signs(torch.from_numpy(vectors[:, : -num_components - 1 : -1].T.copy()))


def settle_signs(rows: Float[Tensor, "K D"]) -> Float[Tensor, "K D"]:
    """Flips rows so that the entry of largest size in each is positive, as scikit-learn does.

    An eigenvector is defined up to its sign; without a rule it would change between machines and solvers.

    >>> settle_signs(torch.tensor([[0.6, -0.8]]))
    tensor([[-0.6000,  0.8000]])
    """
    largest = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True))
    return torch.where(largest < 0, -rows, rows)
