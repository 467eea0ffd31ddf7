"""Edits along curves: the mean code as a quadratic function of the factors."""

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require
from vaeedu.directions.finding import regression


class QuadraticMean:
    r"""The mean code of given factors, with their products: directions that depend on where one stands.

    $$m(a) = b + \sum_f a_f\, d_f + \sum_{f \le g} a_f a_g\, d_{fg}, \qquad
      \min \frac1N \sum_n \lVert z_n - m(a_n) \rVert^2 + \lambda \sum \lVert d \rVert^2 .$$

    `regression` is the same without the products. With them the direction of factor f,
    $\partial m / \partial a_f = d_f + \sum_{g \ne f} a_g d_{fg} + 2 a_f d_{ff}$, is another one for faces with glasses
    than for those without, and another one at the far end than at the near one. Factors are centred before they are
    multiplied; the square of a factor that has two values only is left out, as it says nothing new.

    Args:
        ridge: λ, as in `regression`, for factors of which some nearly follow from others.

    Attributes:
        coefficients_: d_f and d_fg, one row each, after `fit`.

    Raises:
        ValueError: `ridge` is negative.

    >>> a = torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    >>> z = torch.stack([a[:, 0] * a[:, 1], a[:, 1]], dim=1)
    >>> mean = QuadraticMean().fit(z, a)
    >>> mean.edit(torch.zeros(1, 2), torch.tensor([[0.5, 0.2]]), 0, 0.5).round(decimals=3).abs()
    tensor([[0.1000, 0.0000]])
    """

    coefficients_: Tensor

    def __init__(self, ridge: float = 0.0) -> None:
        self.ridge = require.non_negative_float("ridge", ridge)

    def fit(self, z: object, factors: object) -> "QuadraticMean":
        """Fits b and all d.

        Args:
            z: Codes, `(N, K)`.
            factors: Numbers, or zeros and ones, `(N, F)`.

        Raises:
            ValueError: The sizes differ, or the factors and their products without a penalty do not determine the
                coefficients: see `regression`.
        """
        z, a = require.matrix("z", z), require.matrix("factors", factors)
        self._middle = a.mean(dim=0)
        i, j = torch.triu_indices(a.shape[1], a.shape[1])
        several = torch.tensor([len(column.unique()) > 2 for column in a.T])
        self._pairs = torch.stack([i, j])[:, (i != j) | several[i]]
        features = self._features(a)
        if len(a) <= features.shape[1] and self.ridge == 0:
            raise ValueError(
                f"z must have more rows than the {features.shape[1]} factors and products, but has {len(z)}: "
                "give more codes, fewer factors, or ridge"
            )
        self.coefficients_ = regression(z, features, ridge=self.ridge)
        self._bias = z.mean(dim=0) - features.mean(dim=0).to(z) @ self.coefficients_
        return self

    def __call__(self, factors: object) -> Float[Tensor, "B K"]:
        """Returns m(a), `(B, K)`, for factors `(B, F)`.

        Raises:
            ValueError: The number of factors is not that of `fit`, or there was no `fit`.
        """
        if not hasattr(self, "coefficients_"):
            raise ValueError("call fit(z, factors) first: there is no mean yet")
        a = require.matrix("factors", factors, num_columns=len(self._middle))
        return self._bias + self._features(a).to(self._bias) @ self.coefficients_

    def edit(self, z: object, factors: object, index: int, change: object) -> Float[Tensor, "B K"]:
        r"""Moves codes as the mean moves when one factor changes; what is a code's own is kept.

        $$z' = z + m(a + t\, e_f) - m(a) .$$

        Args:
            z: `(B, K)`.
            factors: a, read from the codes or known, `(B, F)`.
            index: f.
            change: t, a number or `(B,)`, in units of the factor.

        Raises:
            ValueError: The sizes differ, or there is no such factor.
        """
        z, a = require.matrix("z", z), require.matrix("factors", factors)
        if len(z) != len(a):
            raise ValueError(
                f"z and factors must have a row for each example, but have {len(z)} and {len(a)} rows"
            )
        if not 0 <= index < a.shape[1]:
            raise ValueError(f"index must be that of one of {a.shape[1]} factors, but is {index}")
        t = torch.as_tensor(change).to(a)
        if t.shape not in {(), (len(a),)}:
            raise ValueError(f"change must be a number or have shape ({len(a)},), but has {tuple(t.shape)}")
        moved = a.clone()
        moved[:, index] += t
        return z + self(moved) - self(a)

    def _features(self, a: Tensor) -> Tensor:
        """Centred factors and their products, `(B, P)`."""
        c = a - self._middle.to(a)
        return torch.cat([c, c[:, self._pairs[0]] * c[:, self._pairs[1]]], dim=1)
