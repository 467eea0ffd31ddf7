"""Two-class linear classifiers on many training sets at once: what a learning curve with error bars needs."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from vaeedu import require

_MOST_STEPS = 100
_HALVINGS = 30


def linear_naive_bayes(
    x: object, y: Int64[Tensor, "R M"], *, smoothing: float = 1e-9
) -> tuple[Float[Tensor, "R D"], Float[Tensor, " R"]]:
    r"""Fits Gaussian naive Bayes with shared variances to R training sets of two classes, in closed form.

    $$w_d = \frac{\mu_{1d} - \mu_{0d}}{\sigma_d^2}, \qquad
      b = \log\frac{\pi_1}{\pi_0} - \sum_d \frac{\mu_{1d}^2 - \mu_{0d}^2}{2 \sigma_d^2}, \qquad
      p(y = 1 \mid x) = \frac{1}{1 + e^{-(w^\top x + b)}}.$$

    For each set it is what `GaussianNaiveBayes(shared_variance=True)` finds; but that `smoothing` is added as it is.

    Args:
        x: R training sets of N examples, `(R, N, D)`.
        y: Classes 0 and 1, both in every set, `(R, N)`.
        smoothing: What is added to every variance.

    Returns:
        Weights `(R, D)` and offsets `(R,)`.

    Raises:
        ValueError: `x` is no such tensor, a set lacks a class, or a variance would be zero.

    Reference:
        Ng and Jordan (2002), On discriminative versus generative classifiers, section 2.

    >>> x, y = torch.tensor([[[-1.0], [-3.0], [1.0], [3.0]]]), torch.tensor([[0, 0, 1, 1]])
    >>> linear_naive_bayes(x, y)
    (tensor([[4.]]), tensor([0.]))
    """
    data, ones = _sets(x, y)
    smoothing = require.non_negative_float("smoothing", smoothing)
    shares = torch.stack([1 - ones, ones], dim=1) / ones.shape[1]  # (R, 2, N)
    priors = shares.sum(dim=2)  # (R, 2)
    locs = shares @ data / priors[:, :, None]  # (R, 2, D)
    squares = (data - torch.where(ones[:, :, None] > 0, locs[:, 1:], locs[:, :1])).square()
    variances = squares.mean(dim=1) + smoothing
    if not bool((variances > 0).all()):
        r, d = (variances <= 0).nonzero()[0].tolist()
        raise ValueError(
            f"x must vary within the classes, but feature {d} does not in set {r}: raise smoothing, or leave it out"
        )
    weights = (locs[:, 1] - locs[:, 0]) / variances
    halfway = 0.5 * (locs[:, 1] + locs[:, 0])
    return weights, (priors[:, 1] / priors[:, 0]).log() - (weights * halfway).sum(dim=1)


def linear_logistic(
    x: object, y: Int64[Tensor, "R M"], *, penalty: float
) -> tuple[Float[Tensor, "R D"], Float[Tensor, " R"]]:
    r"""Fits logistic regression to R training sets of two classes, by Newton's method on all of them together.

    $$\min_{w, b} \; -\sum_n \log p(y_n \mid x_n) + \tfrac\lambda2 \lVert w \rVert^2 .$$

    Each set halves its own steps until they lower its objective. Two weight vectors, one for each class, as
    `LogisticRegression` has them, are $w_1 = -w_0 = w / 2$, under a penalty of $2 \lambda$.

    Args:
        x: R training sets of N examples, `(R, N, D)`.
        y: Classes 0 and 1, both in every set, `(R, N)`.
        penalty: λ > 0: without it there is no minimum where a plane separates the classes.

    Returns:
        Weights `(R, D)` and offsets `(R,)`.

    Raises:
        ValueError: `x` is no such tensor, a set lacks a class, the penalty is not positive, or is too small for the
            method to settle.

    >>> x, y = torch.tensor([[[-1.0], [-3.0], [1.0], [3.0]]]), torch.tensor([[0, 0, 1, 1]])
    >>> weights, offsets = linear_logistic(x, y, penalty=1.0)
    >>> [round(float(v), 3) for v in (weights, offsets.abs())]
    [0.923, 0.0]
    """
    data, ones = _sets(x, y)
    R, N, D = data.shape
    design = torch.cat([data, data.new_ones(R, N, 1)], dim=2)  # the last column is for the offset
    penalties = torch.cat(
        [data.new_full((D,), require.positive_float("penalty", penalty)), data.new_zeros(1)]
    )
    signs = 2 * ones - 1
    result = data.new_zeros(R, D + 1)
    left = torch.arange(R, device=data.device)  # the sets that have not settled
    for _ in range(_MOST_STEPS):
        a, s, w = design[left], signs[left], result[left]
        wrong = (-s * (a @ w[:, :, None])[:, :, 0]).sigmoid()  # 1 − p(y|x)
        gradient = penalties * w - ((s * wrong)[:, None] @ a)[:, 0]
        hessian = (a * (wrong * (1 - wrong))[:, :, None]).mT @ a + penalties.diag()
        # The offset has no penalty: where every p is 0 or 1 to rounding, its curvature would be 0.
        hessian[:, -1, -1] += 1e-9
        direction = -torch.linalg.solve(hessian, gradient)
        slope = (gradient * direction).sum(dim=1)
        objective = _objective(w, a, s, penalties)
        going = -slope > 1e-9 * (objective + 1)
        step = torch.ones_like(slope)
        for _ in range(_HALVINGS):
            reached = _objective(w + step[:, None] * direction, a, s, penalties)
            too_far = going & (reached > objective + 0.25 * step * slope)
            if not bool(too_far.any()):
                break
            step = torch.where(too_far, step / 2, step)
        result[left] = torch.where(going[:, None], w + step[:, None] * direction, w)
        left = left[going]
        if not len(left):
            return result[:, :D], result[:, D]
    raise ValueError(
        f"penalty must be large enough for Newton's method to settle in {_MOST_STEPS} steps, but is {penalty}: raise it"
    )


def _objective(w: Tensor, design: Tensor, signs: Tensor, penalties: Tensor) -> Float[Tensor, " R"]:
    scores = signs * (design @ w[:, :, None])[:, :, 0]
    return functional.softplus(-scores).sum(dim=1) + 0.5 * (penalties * w.square()).sum(dim=1)


def _sets(x: object, y: Tensor) -> tuple[Float[Tensor, "R N D"], Float[Tensor, "R N"]]:
    data = require.real("x", x)
    if data.ndim != 3 or 0 in data.shape:
        raise ValueError(
            f"x must have shape (R, N, D), R sets of N examples, but has shape {tuple(data.shape)}"
        )
    if not isinstance(y, Tensor) or y.shape != data.shape[:2] or not bool(((y == 0) | (y == 1)).all()):
        raise ValueError(
            f"y must hold classes 0 and 1, one for each example, in shape {tuple(data.shape[:2])}"
        )
    ones = y.to(data)
    if bool(((ones.sum(dim=1) == 0) | (ones.sum(dim=1) == data.shape[1])).any()):
        raise ValueError("y must hold both classes in each set, but a set has only one: draw sets with both")
    return data, ones
