"""Gaussian naive Bayes: given the class, features are independent Gaussians."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.classifiers.labels import classes_with_examples, labels


class GaussianNaiveBayes:
    r"""Gaussian naive Bayes: a class, then each feature drawn by itself.

    $$p(x, y = c) = \pi_c \prod_d \mathcal N(x_d \mid \mu_{cd}, \sigma^2_{cd}).$$

    With variances that all classes share, $\sigma_{cd} = \sigma_d$, the terms in $x_d^2$ cancel between classes, and
    p(y|x) is a softmax of linear functions (`linear_scores`): the same family as logistic regression, fitted otherwise.
    With variances of their own the boundaries are quadratic.

    Fitted values, in the dtype and on the device of the data:

    - `class_log_prior_` `(C,)`: log π, the classes' shares of the examples.
    - `locs_` `(C, D)`: μ, the classes' means.
    - `variances_` `(C, D)`: σ², by maximum likelihood (dividing by N, not N − 1), plus the smoothing.

    Args:
        shared_variance: Whether the classes share their variances.
        smoothing: What is added to every variance, as a share of the largest variance of a feature; keeps a feature
            that is constant within a class from an infinite density.

    Reference:
        Bishop (2006), Pattern recognition and machine learning, section 4.2. Ng and Jordan (2002), On discriminative
        versus generative classifiers.

    >>> x = torch.tensor([[-1.0, 0.0], [-3.0, 1.0], [1.0, 1.0], [3.0, 0.0]])
    >>> model = GaussianNaiveBayes(shared_variance=True).fit(x, torch.tensor([0, 0, 1, 1]))
    >>> model.predict(torch.tensor([[-0.5, 0.0], [0.5, 0.0]]))
    tensor([0, 1])
    """

    class_log_prior_: Float[Tensor, " C"]
    locs_: Float[Tensor, "C D"]
    variances_: Float[Tensor, "C D"]

    def __init__(self, *, shared_variance: bool = False, smoothing: float = 1e-9) -> None:
        self.shared_variance = shared_variance
        self.smoothing = require.non_negative_float("smoothing", smoothing)

    def fit(self, x: object, y: object) -> "GaussianNaiveBayes":
        """Fits by maximum likelihood, in closed form: shares, means and variances.

        Args:
            x: Data, `(N, D)`.
            y: Classes 0 to C − 1, each with an example, `(N,)`.

        Raises:
            ValueError: `x` is not a finite matrix, `y` not such labels, or a variance would be zero.
        """
        data = require.matrix("x", x)
        y = labels(y, num_examples=len(data))
        members = torch.nn.functional.one_hot(y, classes_with_examples(y)).to(data)  # (N, C)
        counts = members.sum(dim=0)
        self.class_log_prior_ = (counts / len(data)).log()
        self.locs_ = members.T @ data / counts[:, None]
        squares = (data - self.locs_[y]).square()
        variances = members.T @ squares / counts[:, None]
        if self.shared_variance:
            variances = squares.mean(dim=0).expand_as(variances)
        variances = variances + self.smoothing * data.var(dim=0, correction=0).max()
        if not bool((variances > 0).all()):
            c, d = (variances <= 0).nonzero()[0].tolist()
            raise ValueError(
                f"x must vary within each class, but feature {d} is constant in class {c}, where the density would be "
                "infinite: leave it out, share the variances, or raise smoothing"
            )
        self.variances_ = variances
        return self

    def joint_log_prob(self, x: object) -> Float[Tensor, "N C"]:
        """Computes log p(x, y = c) in nats, for each row of `x` `(N, D)` and each class.

        Raises:
            ValueError: The model is not fitted, or `x` is not a finite matrix with D columns.
        """
        data = require.matrix("x", x, num_columns=self._fitted().shape[1])
        # Σ_d (x_d − μ_cd)² / σ²_cd, feature by feature, so that nothing of size N × C × D is made.
        squares = torch.stack(
            [
                ((data - loc).square() / variance).sum(dim=1)
                for loc, variance in zip(self.locs_, self.variances_, strict=True)
            ],
            dim=1,
        )
        normalizer = (2 * math.pi * self.variances_).log().sum(dim=1)
        return self.class_log_prior_ - 0.5 * (squares + normalizer)

    def log_prob(self, x: object) -> Float[Tensor, " N"]:
        r"""Computes $\log p(x) = \log \sum_c p(x, c)$ in nats, one for each row of `x` `(N, D)`.

        Raises:
            ValueError: As `joint_log_prob`.
        """
        return self.joint_log_prob(x).logsumexp(dim=1)

    def class_log_probs(self, x: object) -> Float[Tensor, "N C"]:
        r"""Computes $\log p(y \mid x)$ by Bayes' rule, in nats, for each row of `x` `(N, D)`.

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

    def linear_scores(self) -> tuple[Float[Tensor, "C D"], Float[Tensor, " C"]]:
        r"""Returns weights and offsets with p(y|x) = softmax(W x + b), which exist where variances are shared.

        $$W_{cd} = \mu_{cd} / \sigma^2_d, \quad b_c = \log \pi_c - \tfrac12 \sum_d \mu_{cd}^2 / \sigma_d^2.$$

        Raises:
            ValueError: The model is not fitted, or its classes have variances of their own.
        """
        self._fitted()
        if not self.shared_variance:
            raise ValueError(
                "shared_variance must be True for scores that are linear in x, but is False: with variances of their "
                "own the classes' scores keep terms in x²"
            )
        weights = self.locs_ / self.variances_
        return weights, self.class_log_prior_ - 0.5 * (self.locs_ * weights).sum(dim=1)

    def sample(
        self, num_samples: int, *, y: int | None = None, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "N D"], Int64[Tensor, " N"]]:
        """Draws examples and their classes.

        Args:
            num_samples: N.
            y: The class of all of them, or None to draw the classes, too.
            generator: The source of randomness; None is torch's global one.

        Returns:
            x, `(N, D)`, and y, `(N,)`.

        Raises:
            ValueError: The model is not fitted, `num_samples` is not a positive whole number, or there is no class `y`.
        """
        C, D = self._fitted().shape
        N = require.positive_int("num_samples", num_samples)
        if y is None:
            classes = sampling.categorical(self.class_log_prior_.exp(), (N,), generator=generator)
        else:
            classes = torch.full((N,), _class_below(y, C), device=self.locs_.device)
        eps = sampling.normal((N, D), like=self.locs_, generator=generator)
        return self.locs_[classes] + self.variances_[classes].sqrt() * eps, classes

    def _fitted(self) -> Tensor:
        if not hasattr(self, "locs_"):
            raise ValueError("this GaussianNaiveBayes must be fitted first, but is not: call fit(x, y)")
        return self.locs_


def _class_below(y: int, num_classes: int) -> int:
    if not 0 <= require.non_negative_int("y", y) < num_classes:
        raise ValueError(f"y must be a class below {num_classes}, but is {y}")
    return y
