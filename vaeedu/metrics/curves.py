"""Precision and recall of one distribution for another, where both are known or counted over classes."""

import torch
from jaxtyping import Float64
from torch import Tensor

from vaeedu import require


def precision_recall_curve(
    p: object, q: object, *, num_points: int = 101
) -> tuple[Float64[Tensor, " P"], Float64[Tensor, " P"]]:
    r"""Computes how much of q is in p, and how much of p is in q, for all exchange rates of the two.

    $$\text{precision} = \sum_c \min(\lambda\, p_c, q_c), \qquad \text{recall} = \sum_c \min(p_c, q_c / \lambda),
      \qquad \lambda = \tan\varphi, \; 0 < \varphi < \tfrac{\pi}{2} .$$

    Equal distributions reach (1, 1). A q with all its mass on half of a uniform p has a precision up to 1 and a recall
    up to ½; mass where p has none costs precision.

    Args:
        p: Of the data, `(C,)`, probabilities.
        q: Of the samples, `(C,)`.
        num_points: P, how many angles φ.

    Returns:
        Precision and recall, `(P,)` each; precision rises along the curve, recall falls.

    Raises:
        ValueError: They are no probabilities of one number of outcomes, or `num_points` is not positive.

    Reference:
        Sajjadi et al. (2018), Assessing generative models via precision and recall, definition 1 and eq. 7.

    >>> precision, recall = precision_recall_curve(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0]))
    >>> round(float(precision.max()), 3), round(float(recall.max()), 3)
    (1.0, 0.5)
    """
    a, b = require.probabilities("p", p).double(), require.probabilities("q", q).double()
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            f"q must have the shape of p, (C,), but they have {tuple(b.shape)} and {tuple(a.shape)}: "
            "count both over the same classes"
        )
    P = require.positive_int("num_points", num_points)
    angle = torch.linspace(0, torch.pi / 2, P + 2, dtype=torch.float64, device=a.device)[1:-1, None]
    precision = torch.minimum(angle.tan() * a, b).sum(dim=1)
    recall = torch.minimum(a, b / angle.tan()).sum(dim=1)
    return precision, recall
