"""Classifiers, most of which are densities: what p(y), p(x|y) and p(y|x) have to do with each other.

- `GaussianNaiveBayes` models p(y) and p(x|y): with variances that the classes share its boundary is linear.
- `LogisticRegression` models p(y|x) alone, with the same linear boundary, fitted by Newton's method.
- `BernoulliMixture` models p(x) by classes that may be unknown: fitted by EM with none, some or all labels given.

`linear_naive_bayes` and `linear_logistic` fit the two linear ones to many training sets of two classes at once.

`fit` returns self; fitted values end in `_`. `class_log_probs(x)` is log p(y|x), `(N, C)`, in nats. Those that model x
have `joint_log_prob(x)`, which is log p(x, y), `log_prob(x)`, which is log p(x), and `sample`.
"""

from vaeedu.classifiers.bernoulli_mixture import BernoulliMixture
from vaeedu.classifiers.logistic_regression import LogisticRegression
from vaeedu.classifiers.naive_bayes import GaussianNaiveBayes
from vaeedu.classifiers.repeated import linear_logistic, linear_naive_bayes

__all__ = [
    "BernoulliMixture",
    "GaussianNaiveBayes",
    "LogisticRegression",
    "linear_logistic",
    "linear_naive_bayes",
]
