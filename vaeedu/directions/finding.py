"""Directions from codes and attributes."""

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require


def mean_difference(z: object, present: object) -> Float[Tensor, " K"]:
    r"""Computes the direction from the codes without an attribute to those with it.

    $$d = \frac{1}{N_1} \sum_{n:\, a_n = 1} z_n - \frac{1}{N_0} \sum_{n:\, a_n = 0} z_n .$$

    Each group has a mean of its own, so it does not matter how many have the attribute, nor where the codes are
    centred. What usually comes with the attribute in these data (a beard with a tie) is part of the direction.

    Args:
        z: Codes, `(N, K)`.
        present: Whether each has the attribute, `(N,)`: booleans, or zeros and ones.

    Returns:
        `(K,)`, in the units of z: a step of 1 leads from the one mean to the other.

    Raises:
        ValueError: The sizes differ, an entry is neither 0 nor 1, or one of the groups is empty.

    Reference:
        Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional generative
        adversarial networks, section 6.3.

    >>> mean_difference(torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), torch.tensor([0, 0, 1]))
    tensor([3., 0.])
    """
    z = require.matrix("z", z)
    with_it = _yes_or_no(present, len(z))
    if bool(with_it.all()) or not bool(with_it.any()):
        raise ValueError(
            f"present must hold both values, but all {len(z)} are {bool(with_it[0])}: "
            "a difference needs codes with and without the attribute"
        )
    return z[with_it].mean(dim=0) - z[~with_it].mean(dim=0)


def regression(z: object, factors: object, *, ridge: float = 0.0) -> Float[Tensor, "F K"]:
    r"""Computes how codes change with each factor, the other factors held fixed.

    $$\min_{b, D} \sum_n \Big\lVert z_n - b - \sum_f a_{nf}\, d_f \Big\rVert^2 + N \lambda \lVert D \rVert^2 .$$

    Where factors come together in the data, a difference of means mixes them; this takes them apart. Codes are
    what is explained, not the factors: the weights of the opposite regression say how to *read* a factor, and a
    step along them moves others.

    Args:
        z: Codes, `(N, K)`.
        factors: Numbers, or zeros and ones, `(N, F)`.
        ridge: λ, a penalty in units of a factor's variance, for factors that are nearly the same.

    Returns:
        Directions `(F, K)`: a step of 1 stands for a change of the factor by 1.

    Raises:
        ValueError: The sizes differ, or the factors without a penalty do not determine the directions: one is
            constant, a combination of others, or there are fewer codes than factors.

    >>> factors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> regression(factors @ torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]), factors).round(decimals=4).abs()
    tensor([[1., 2., 0.],
            [0., 0., 3.]])
    """
    z, a = require.matrix("z", z), require.matrix("factors", factors)
    _same_length(z, a)
    penalty = require.non_negative_float("ridge", ridge)
    centred = (a - a.mean(dim=0)).double()
    covariance = centred.T @ centred / len(a)
    if penalty == 0 and int(torch.linalg.matrix_rank(covariance, hermitian=True)) < a.shape[1]:
        raise ValueError(
            "factors must vary independently of each other, but some column is constant, or a combination of others: "
            "leave it out, or give ridge, such as 1e-3"
        )
    covariance.diagonal().add_(penalty)
    products = centred.T @ (z - z.mean(dim=0)).double() / len(a)
    return torch.linalg.solve(covariance, products).to(z)


def orthogonalize(direction: object, others: object) -> Float[Tensor, " K"]:
    r"""Takes out of a direction all that lies in the span of others.

    $$d_\perp = d - V^\top (V V^\top)^{+} V d, \qquad V = (v_1, \dots, v_M)^\top .$$

    Where a linear reader gives factor m as vₘᵀz + b, a step along d⊥ leaves all these readings as they are. The others
    need not be orthogonal to each other: taking off one projection after the other would not do then.

    Args:
        direction: d, `(K,)`.
        others: vₘ, `(M, K)`.

    Returns:
        d⊥, `(K,)`.

    Raises:
        ValueError: The sizes differ, or nothing is left of the direction.

    >>> d = orthogonalize(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    >>> torch.allclose(d, torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)
    True
    """
    d = require.vector("direction", direction)
    V = require.matrix("others", others, num_columns=len(d)).to(d)
    size = d.norm()
    _, singular, right = torch.linalg.svd(V, full_matrices=False)
    basis = right[singular > len(d) * torch.finfo(d.dtype).eps * singular[0]]
    rest = d - basis.T @ (basis @ d)
    if not bool(rest.norm() > 1e-5 * size):
        raise ValueError(
            "direction must not lie in the span of the others, but nothing is left of it: it cannot be moved alone"
        )
    return rest


def walk(z: object, direction: object, steps: object) -> Float[Tensor, "T B K"]:
    """Returns codes along a direction, z + t d for each of the steps t.

    Args:
        z: Where to start, `(B, K)`.
        direction: d, `(K,)`.
        steps: t, `(T,)`, in units of d; negative ones go back.

    Returns:
        `(T, B, K)`, for a decoder that keeps leading dimensions.

    Raises:
        ValueError: The sizes differ.

    >>> walk(torch.zeros(1, 2), torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.5]))[:, 0]
    tensor([[-1.0000, -2.0000],
            [ 0.5000,  1.0000]])
    """
    z = require.matrix("z", z)
    d = require.vector("direction", direction, length=z.shape[1]).to(z)
    t = require.vector("steps", steps).to(z)
    return z + t[:, None, None] * d


def _yes_or_no(present: object, length: int) -> Tensor:
    values = torch.as_tensor(present)
    if values.shape != (length,):
        raise ValueError(
            f"present must have shape ({length},), one entry for each code, but has {tuple(values.shape)}"
        )
    if not bool(((values == 0) | (values == 1)).all()):
        raise ValueError(
            f"present must hold booleans, or zeros and ones, but ranges from {float(values.min()):.3g} to "
            f"{float(values.max()):.3g}: compare with a threshold, such as present > 0.5"
        )
    return values.bool()


def _same_length(z: Tensor, factors: Tensor) -> None:
    if len(z) != len(factors):
        raise ValueError(
            f"z and factors must have a row for each example, but have {len(z)} and {len(factors)} rows"
        )
