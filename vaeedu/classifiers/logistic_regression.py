"""Logistic regression for any number of classes, by Newton's method."""

import warnings

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from vaeedu import require
from vaeedu.classifiers.labels import classes_with_examples, labels

_SHORTEST_STEP = 2.0**-30


class LogisticRegression:
    r"""Logistic regression: the classes' log-odds are linear in x, and nothing is said of x itself.

    $$p(y = c \mid x) = \frac{e^{w_c^\top x + b_c}}{\sum_k e^{w_k^\top x + b_k}}, \qquad
      \min_{W, b} \; -\sum_n \log p(y_n \mid x_n) + \tfrac\lambda2 \lVert W \rVert^2 .$$

    The objective is convex. Newton's method takes it to its minimum in a dozen steps, each of which solves a system of
    C(D + 1) equations: fit for hundreds of unknowns, not for thousands. A constant added to all classes' scores changes
    nothing; of all optima the fit takes the one whose offsets (and, without penalty, weights) add up to zero.

    Without penalty there is no minimum where planes separate the classes: the weights grow for ever. `fit` warns then.

    Fitted values, in the dtype and on the device of the data:

    - `weights_` `(C, D)`: W.
    - `offsets_` `(C,)`: b, which is not penalised.
    - `objective_per_iteration_` `(iterations,)`: the objective in nats, at the start and after each step; it never
      rises.

    Args:
        penalty: λ ≥ 0; 1/C in scikit-learn's terms.
        max_iterations: When to stop at the latest.

    Reference:
        Bishop (2006), Pattern recognition and machine learning, section 4.3.

    >>> x = torch.tensor([[-2.0], [-1.0], [0.5], [-0.5], [1.0], [2.0]])
    >>> model = LogisticRegression(penalty=0.1).fit(x, torch.tensor([0, 0, 0, 1, 1, 1]))
    >>> model.predict(torch.tensor([[-1.5], [1.5]]))
    tensor([0, 1])
    """

    weights_: Float[Tensor, "C D"]
    offsets_: Float[Tensor, " C"]
    objective_per_iteration_: Float[Tensor, " iterations"]

    def __init__(self, *, penalty: float = 0.0, max_iterations: int = 100) -> None:
        self.penalty = require.non_negative_float("penalty", penalty)
        self.max_iterations = require.positive_int("max_iterations", max_iterations)

    def fit(self, x: object, y: object) -> "LogisticRegression":
        """Minimises the objective from zero weights.

        Args:
            x: Data, `(N, D)`.
            y: Classes 0 to C − 1, each with an example, `(N,)`.

        Raises:
            ValueError: `x` is not a finite matrix, or `y` not such labels.
        """
        data = require.matrix("x", x)
        y = labels(y, num_examples=len(data))
        C, (N, D) = classes_with_examples(y), data.shape
        design = torch.cat([data, data.new_ones(N, 1)], dim=1)  # the last column is for the offsets
        penalties = torch.cat([data.new_full((D,), self.penalty), data.new_zeros(1)])
        parameters = data.new_zeros(C, D + 1)
        history = [_objective(parameters, design, y, penalties)]
        for _ in range(self.max_iterations):
            gradient, hessian = _derivatives(parameters, design, y, penalties)
            direction = -torch.linalg.solve(hessian, gradient.flatten()).reshape(C, D + 1)
            decrease = -float((gradient * direction).sum())  # twice what the quadratic model promises
            if decrease <= 10 * torch.finfo(data.dtype).eps * (float(history[-1]) + 1):
                break
            parameters, objective = _backtrack(
                parameters, direction, decrease, history[-1], design, y, penalties
            )
            history.append(objective)
        else:
            warnings.warn(
                f"Newton's method did not settle within {self.max_iterations} iterations: where planes separate the "
                "classes there is no optimum without a penalty; give one, or raise max_iterations",
                RuntimeWarning,
                stacklevel=2,
            )
        self.weights_, self.offsets_ = parameters[:, :D], parameters[:, D]
        self.objective_per_iteration_ = torch.stack(history)
        return self

    def class_log_probs(self, x: object) -> Float[Tensor, "N C"]:
        """Computes log p(y|x) in nats, for each row of `x` `(N, D)`.

        Raises:
            ValueError: The model is not fitted, or `x` is not a finite matrix with D columns.
        """
        if not hasattr(self, "weights_"):
            raise ValueError("this LogisticRegression must be fitted first, but is not: call fit(x, y)")
        data = require.matrix("x", x, num_columns=self.weights_.shape[1])
        return (data @ self.weights_.T + self.offsets_).log_softmax(dim=1)

    def predict(self, x: object) -> Int64[Tensor, " N"]:
        """Returns the most probable class of each row of `x` `(N, D)`.

        Raises:
            ValueError: As `class_log_probs`.
        """
        return self.class_log_probs(x).argmax(dim=1)


def _objective(parameters: Tensor, design: Tensor, y: Tensor, penalties: Tensor) -> Tensor:
    scores = design @ parameters.T
    return (
        functional.cross_entropy(scores, y, reduction="sum") + 0.5 * (penalties * parameters.square()).sum()
    )


def _derivatives(parameters: Tensor, design: Tensor, y: Tensor, penalties: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient, `(C, D + 1)`, and the Hessian, `(C (D + 1), C (D + 1))`."""
    C, E = parameters.shape
    p = (design @ parameters.T).softmax(dim=1)  # (N, C)
    gradient = (p - functional.one_hot(y, C).to(p)).T @ design + penalties * parameters
    hessian = design.new_zeros(C, E, C, E)
    for c in range(C):
        for k in range(c, C):
            # ∂² / ∂w_c ∂w_kᵀ = Σ_n p_nc (1[c = k] − p_nk) x_n x_nᵀ
            weight = p[:, c] * (float(c == k) - p[:, k])
            hessian[c, :, k] = hessian[k, :, c] = design.T @ (weight[:, None] * design)
        hessian[c, :, c] += torch.diag(penalties)
    # Adding the same to all classes changes nothing, so the Hessian is singular in that direction, where the gradient
    # is zero: any curvature there gives the same step.
    free = torch.diag((penalties == 0).to(design))
    return gradient, (hessian + free[None, :, None, :]).reshape(C * E, C * E)


def _backtrack(
    start: Tensor,
    direction: Tensor,
    decrease: float,
    objective: Tensor,
    design: Tensor,
    y: Tensor,
    penalties: Tensor,
) -> tuple[Tensor, Tensor]:
    """Halves the step until it lowers the objective by a quarter of what the slope promises (Armijo)."""
    step = 1.0
    while True:
        parameters = start + step * direction
        reached = _objective(parameters, design, y, penalties)
        if bool(reached <= objective - 0.25 * step * decrease):
            return parameters, reached
        if step < _SHORTEST_STEP:  # the promise is below what rounding can show
            return start, objective
        step /= 2
