"""Mean, covariance and leading eigenvectors of a data matrix, accurately and in little memory."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_ROWS_AT_ONCE = 8192


def mean_and_covariance(x: Float[Tensor, "N D"]) -> tuple[Float[Tensor, " D"], Float[Tensor, "D D"]]:
    r"""Computes the mean and the maximum-likelihood covariance of the rows of `x`.

    $$\mu = \tfrac1N \sum_n x_n, \qquad S = \tfrac1N \sum_n (x_n - \mu)(x_n - \mu)^\top.$$

    The products are formed in the dtype of `x`, a block of centred rows at a time, and added up in float64: nearly
    the accuracy of float64 at the speed of float32, without a copy of the data.

    Args:
        x: Data, `(N, D)`.

    Returns:
        μ `(D,)` and S `(D, D)`, both float64 on the CPU. S divides by N, not N − 1.

    Reference:
        Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, eq. 1.7 (shifted data).

    >>> mean_and_covariance(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))
    (tensor([1., 1.], dtype=torch.float64), tensor([[1., 0.], [0., 0.]], dtype=torch.float64))
    """
    N, D = x.shape
    shift = x.mean(dim=0)  # rounded to x's dtype; what it misses of the mean is made good below
    total, scatter = np.zeros(D), np.zeros((D, D))
    block = torch.empty(min(N, _ROWS_AT_ONCE), D, dtype=x.dtype, device=x.device)
    for rows in x.split(_ROWS_AT_ONCE):
        block_total, block_scatter = _centred_sums(rows, shift, block[: len(rows)])
        total += block_total
        scatter += block_scatter
    offset = torch.from_numpy(total / N)
    return shift.cpu().double() + offset, torch.from_numpy(scatter / N) - torch.outer(offset, offset)


def leading_eigenpairs(
    covariance: Float[Tensor, "D D"], num_components: int
) -> tuple[Float[Tensor, " K"], Float[Tensor, "K D"]]:
    """Returns the largest eigenvalues, descending, and their eigenvectors as rows with settled signs."""
    # All D are computed: asking LAPACK for K of them (syevr) saves milliseconds and can fail where eigenvalues tie.
    values, vectors = (torch.from_numpy(part) for part in np.linalg.eigh(covariance.numpy()))
    eigenvalues = values.flip(0)[:num_components].clamp(min=0.0)
    return eigenvalues, settle_signs(vectors.flip(1)[:, :num_components].T)


def settle_signs(rows: Float[Tensor, "K D"]) -> Float[Tensor, "K D"]:
    """Flips rows so that the entry of largest size in each is positive, as scikit-learn does.

    An eigenvector is defined up to its sign; without a rule it would change between machines and solvers.

    >>> settle_signs(torch.tensor([[0.6, -0.8]]))
    tensor([[-0.6000,  0.8000]])
    """
    largest = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True))
    return torch.where(largest < 0, -rows, rows)


def _centred_sums(rows: Tensor, shift: Tensor, out: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Returns Σ (x − shift) and Σ (x − shift)(x − shift)ᵀ over some rows, with `out` as working space."""
    if rows.device.type != "cpu":
        centred = torch.sub(rows, shift, out=out)
        return centred.sum(dim=0).cpu().numpy(), (centred.T @ centred).cpu().numpy()
    # NumPy sees that both factors are one matrix and computes half of the symmetric product, where torch computes
    # all of it. The rest is NumPy too, as torch's idle threads would spin for a while beside NumPy's busy ones.
    array = np.subtract(rows.numpy(), shift.numpy(), out=out.numpy())
    return array.sum(axis=0), array.T @ array
