"""How well a factor can be read, and what an edit has moved."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require


class Reader:
    r"""Reads factors off codes (or pixels) linearly, by ridge regression.

    $$\hat a = W z + b, \qquad
      \min_{W, b} \frac1N \sum_n \lVert a_n - W z_n - b \rVert^2 + \lambda \lVert W \rVert^2 .$$

    Args:
        ridge: λ.

    Attributes:
        weights_: W, `(F, K)`, after `fit`.
        bias_: b, `(F,)`.

    Raises:
        ValueError: `ridge` is negative.

    >>> z = torch.tensor([[0.0], [1.0], [2.0]])
    >>> Reader().fit(z, 2 * z + 1)(torch.tensor([[5.0]])).round(decimals=3)
    tensor([[11.]])
    """

    weights_: Tensor
    bias_: Tensor

    def __init__(self, ridge: float = 0.0) -> None:
        self.ridge = require.non_negative_float("ridge", ridge)

    def fit(self, z: object, factors: object) -> "Reader":
        """Fits W and b.

        Raises:
            ValueError: The numbers of rows differ.
        """
        z, a = require.matrix("z", z), require.matrix("factors", factors)
        if len(z) != len(a):
            raise ValueError(f"z and factors must have as many rows, but have {len(z)} and {len(a)}")
        middle_z, middle_a = z.mean(dim=0), a.mean(dim=0)
        centred = (z - middle_z).double()
        covariance = centred.T @ centred / len(z)
        covariance.diagonal().add_(self.ridge)
        products = centred.T @ (a - middle_a).double() / len(z)
        # Codes that never change have no weight: the least of all solutions.
        self.weights_ = (torch.linalg.pinv(covariance, hermitian=True) @ products).T.to(z)
        self.bias_ = middle_a.to(z) - self.weights_ @ middle_z
        return self

    def __call__(self, z: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch F"]:
        """Returns the factors that are read off codes `(..., K)`."""
        return z @ self.weights_.T + self.bias_


def r_squared(predicted: object, truth: object) -> Float[Tensor, " F"]:
    r"""Computes which part of each factor's variance a prediction explains.

    $$R^2_f = 1 - \frac{\sum_n (a_{nf} - \hat a_{nf})^2}{\sum_n (a_{nf} - \bar a_f)^2} .$$

    1 for a perfect prediction, 0 for the mean, below 0 for what is worse than the mean.

    Args:
        predicted: Of examples that were not fitted to, `(N, F)`.
        truth: `(N, F)`.

    Returns:
        `(F,)`.

    Raises:
        ValueError: The shapes differ, or a factor is constant.

    >>> truth = torch.tensor([[0.0], [1.0], [2.0]])
    >>> r_squared(truth + 1, truth)
    tensor([-0.5000])
    """
    p, a = require.matrix("predicted", predicted), require.matrix("truth", truth)
    if p.shape != a.shape:
        raise ValueError(
            f"predicted and truth must have the same shape, but have {tuple(p.shape)} and {tuple(a.shape)}"
        )
    total = (a - a.mean(dim=0)).square().sum(dim=0)
    if bool((total == 0).any()):
        raise ValueError(
            f"truth must vary, but column {int(total.argmin())} is constant: there is nothing to explain"
        )
    return 1 - (a - p).square().sum(dim=0) / total


class EditEffects(NamedTuple):
    """What edits have moved: row f is the edit that wanted factor f."""

    moved: Float[Tensor, "F F"]
    """The mean change of each factor (columns), in units of its range; positive where it goes as asked of factor f."""
    hit: Float[Tensor, " F"]
    """The share of examples whose wanted factor moved as it should, by at least so much of what was asked."""
    stray: Float[Tensor, " F"]
    """The largest mean absolute change of a factor that should have stayed."""


def edit_effects(
    before: object,
    after: object,
    asked: object,
    *,
    least: float = 0.5,
    ranges: object = None,
) -> EditEffects:
    r"""Scores edits against the factors that are read before and after: wanted × moved.

    $$\Delta_{fbg} = \frac{\mathrm{after}_{fbg} - \mathrm{before}_{bg}}{\mathrm{range}_g}, \qquad
      \mathrm{moved}_{fg} = \frac1B \sum_b \operatorname{sign}(\mathrm{asked}_{fb})\, \Delta_{fbg},$$

    $$\mathrm{hit}_f = \frac1B \#\Big\{b : \frac{\Delta_{fbf}}{\mathrm{asked}_{fb}} \ge \mathrm{least}\Big\}, \qquad
      \mathrm{stray}_f = \max_{g \ne f} \frac1B \sum_b |\Delta_{fbg}| .$$

    The stray changes are averaged as absolute values: changes of either sign would hide each other.

    Args:
        before: Factors read off the examples, `(B, F)`.
        after: Factors read off them after the edit that wanted factor f, `(F, B, F)`.
        asked: The change of factor f that edit f asked for, in units of its range, not 0: `(F,)`, or `(F, B)` where
            each example was asked for its own.
        least: Which part of what was asked counts as a hit.
        ranges: Of the factors, `(F,)`; None where all go from 0 to 1.

    Returns:
        `moved`, `hit` and `stray`.

    Raises:
        ValueError: Shapes do not fit, there are fewer than two factors, a range is not positive, or nothing was asked.

    >>> before = torch.zeros(1, 2)
    >>> after = torch.tensor([[[0.5, 0.1]], [[0.0, 0.5]]])
    >>> edit_effects(before, after, torch.tensor([0.5, 0.5])).stray
    tensor([0.1000, 0.0000])
    """
    start = require.matrix("before", before)
    B, F = start.shape
    end = require.real("after", after)
    if end.shape != (F, B, F) or F < 2:
        raise ValueError(
            f"after must have shape (F, B, F) = {(F, B, F)}, an edit for each of at least two factors, "
            f"but has {tuple(end.shape)}"
        )
    wanted = require.real("asked", asked).to(start)
    if wanted.shape not in {(F,), (F, B)}:
        raise ValueError(
            f"asked must have shape (F,) = {(F,)} or (F, B) = {(F, B)}, but has {tuple(wanted.shape)}"
        )
    wanted = wanted.reshape(F, -1).expand(F, B)
    if bool((wanted == 0).any()):
        raise ValueError("asked must not be 0 for any factor: an edit that asks for nothing cannot be scored")
    width = torch.ones(F) if ranges is None else require.vector("ranges", ranges, length=F)
    change = (end - start) / require.positive("ranges", width).to(start)  # (F, B, F)
    own = change.diagonal(dim1=0, dim2=2).T  # (F, B)
    others = change.abs().mean(dim=1).masked_fill(torch.eye(F, dtype=torch.bool, device=start.device), 0)
    return EditEffects(
        moved=(change * wanted.sign()[:, :, None]).mean(dim=1),
        hit=(own / wanted >= least).to(start).mean(dim=1),
        stray=others.amax(dim=1),
    )
