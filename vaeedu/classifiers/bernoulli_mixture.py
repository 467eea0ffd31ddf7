"""A mixture of Bernoulli naive Bayes models: the simplest p(x), with classes that may be known, or not, or in part."""

import warnings

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from vaeedu import require, sampling
from vaeedu.classifiers.labels import labels


class BernoulliMixture:
    r"""A mixture of C classes, in each of which the D binary features are independent.

    $$p(x) = \sum_c \pi_c \prod_d \theta_{cd}^{x_d} (1 - \theta_{cd})^{1 - x_d}.$$

    With every label given this is Bernoulli naive Bayes; with none, a mixture fitted by EM; with some, both at once: an
    example with a label counts for its class alone, one without for each class by its posterior.

    Fitted values, in the dtype and on the device of the data:

    - `class_log_prior_` `(C,)`: log π.
    - `probs_` `(C, D)`: θ, within (0, 1).
    - `objective_per_iteration_` `(iterations,)`: what EM raises, in nats per example: log p(x), or log p(x, y)
      where y is given, plus the log-density of the prior on θ (up to a constant). It never falls.

    Args:
        num_classes: C.
        pseudo_counts: a ≥ 0: each θ has the prior Beta(1 + a, 1 + a), as if each class had been seen with a more
            ones and a more zeros in each feature. It keeps θ from 0 and 1, where one feature rules a class out.
        max_iterations: When to stop at the latest (with a warning).
        tolerance: Stop when a step raises the objective by less than this, in nats per example.

    Reference:
        Bishop (2006), Pattern recognition and machine learning, section 9.3.3. Nigam, McCallum, Thrun and Mitchell
        (2000), Text classification from labeled and unlabeled documents using EM.

    >>> x = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    >>> model = BernoulliMixture(2).fit(x, torch.tensor([0, -1, 1, -1]))
    >>> model.predict(x)
    tensor([0, 0, 1, 1])
    """

    class_log_prior_: Float[Tensor, " C"]
    probs_: Float[Tensor, "C D"]
    objective_per_iteration_: Float[Tensor, " iterations"]

    def __init__(
        self,
        num_classes: int,
        *,
        pseudo_counts: float = 1.0,
        max_iterations: int = 500,
        tolerance: float = 1e-6,
    ) -> None:
        self.num_classes = require.positive_int("num_classes", num_classes)
        self.pseudo_counts = require.non_negative_float("pseudo_counts", pseudo_counts)
        self.max_iterations = require.positive_int("max_iterations", max_iterations)
        self.tolerance = require.positive_float("tolerance", tolerance)

    def fit(
        self, x: object, y: object | None = None, *, generator: torch.Generator | None = None
    ) -> "BernoulliMixture":
        """Fits by expectation maximisation.

        Args:
            x: Zeros and ones, `(N, D)`, floating-point.
            y: Classes, `(N,)`, −1 where a label is not known; None where none is.
            generator: Draws the start: the first responsibilities of examples without a label. None is torch's global
                one. The likelihood has many maxima, and the start decides which is found.

        Raises:
            ValueError: `x` is not a matrix of zeros and ones, or `y` not such labels.
        """
        data = require.binary_matrix("x", x)
        known = self._known(y, data)
        r = torch.where(known.sum(dim=1, keepdim=True) > 0, known, self._start(data, generator))
        history: list[Tensor] = []
        for _ in range(self.max_iterations):
            self._maximise(data, r)
            joint = self.joint_log_prob(data)
            # A known label leaves its own class alone: log 1 for that, log 0 for the others.
            joint = torch.where(known.sum(dim=1, keepdim=True) > 0, joint + known.log(), joint)
            history.append(joint.logsumexp(dim=1).mean() + self._log_prior() / len(data))
            if len(history) > 1 and float(history[-1] - history[-2]) < self.tolerance:
                break
            r = joint.softmax(dim=1)
        else:
            warnings.warn(
                f"EM did not settle within {self.max_iterations} iterations: raise max_iterations or tolerance",
                RuntimeWarning,
                stacklevel=2,
            )
        self.objective_per_iteration_ = torch.stack(history)
        return self

    def joint_log_prob(self, x: object) -> Float[Tensor, "N C"]:
        """Computes log p(x, y = c) in nats, for each row of `x` `(N, D)` and each class.

        Raises:
            ValueError: The model is not fitted, or `x` is not a matrix of zeros and ones with D columns.
        """
        data = require.binary_matrix("x", x, num_columns=self._fitted().shape[1])
        return self.class_log_prior_ + data @ _log(self.probs_).T + (1 - data) @ _log(1 - self.probs_).T

    def log_prob(self, x: object) -> Float[Tensor, " N"]:
        r"""Computes $\log p(x) = \log \sum_c p(x, c)$ in nats, one for each row of `x` `(N, D)`.

        Raises:
            ValueError: As `joint_log_prob`.
        """
        return self.joint_log_prob(x).logsumexp(dim=1)

    def class_log_probs(self, x: object) -> Float[Tensor, "N C"]:
        r"""Computes $\log p(y \mid x)$ in nats, for each row of `x` `(N, D)`.

        Raises:
            ValueError: As `joint_log_prob`.
        """
        return self.joint_log_prob(x).log_softmax(dim=1)

    def predict(self, x: object) -> Int64[Tensor, " N"]:
        """Returns the most probable class of each row of `x` `(N, D)`.

        Raises:
            ValueError: As `joint_log_prob`.
        """
        return self.joint_log_prob(x).argmax(dim=1)

    def sample(
        self, num_samples: int, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "N D"], Int64[Tensor, " N"]]:
        """Draws examples `(N, D)` and their classes `(N,)`.

        Raises:
            ValueError: The model is not fitted, or `num_samples` is not a positive whole number.
        """
        self._fitted()
        N = require.positive_int("num_samples", num_samples)
        classes = sampling.categorical(self.class_log_prior_.exp(), (N,), generator=generator)
        return sampling.bernoulli(self.probs_[classes], generator=generator), classes

    def _known(self, y: object | None, data: Tensor) -> Tensor:
        """One-hot rows where a label is given, zeros elsewhere, `(N, C)`."""
        if y is None:
            return data.new_zeros(len(data), self.num_classes)
        given = labels(y, num_examples=len(data), num_classes=self.num_classes, missing=True).to(data.device)
        return functional.one_hot(given + 1, self.num_classes + 1)[:, 1:].to(data)

    def _start(self, data: Tensor, generator: torch.Generator | None) -> Tensor:
        """Responsibilities that are uneven at random: from even ones EM would never move."""
        u = sampling.uniform((len(data), self.num_classes), like=data, generator=generator)
        return (u + 0.5) / (u + 0.5).sum(dim=1, keepdim=True)

    def _maximise(self, data: Tensor, r: Tensor) -> None:
        a, counts = self.pseudo_counts, r.sum(dim=0)
        self.class_log_prior_ = (counts / counts.sum()).log()
        # The mode of the posterior on θ under Beta(1 + a, 1 + a); a class that nobody is in keeps the prior's, ½.
        denominator = (counts + 2 * a)[:, None]
        self.probs_ = torch.where(denominator > 0, (r.T @ data + a) / denominator, 0.5)

    def _log_prior(self) -> Tensor:
        return self.pseudo_counts * (_log(self.probs_) + _log(1 - self.probs_)).sum()

    def _fitted(self) -> Tensor:
        if not hasattr(self, "probs_"):
            raise ValueError("this BernoulliMixture must be fitted first, but is not: call fit(x)")
        return self.probs_


def _log(p: Tensor) -> Tensor:
    """Returns log p, and where p is 0 the lowest finite number: times a count of 0 it is 0."""
    return p.log().clamp(min=torch.finfo(p.dtype).min / 1e6)
