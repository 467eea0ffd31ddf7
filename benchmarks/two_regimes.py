"""Naive Bayes against logistic regression, by the number of training examples, on ten pairs of classes.

Claim (lecture 1, after Ng and Jordan, 2002): where few examples are known, naive Bayes with shared variances makes
fewer errors than logistic regression on some data, and on others never; where many are known it makes more; and a
penalty takes much of its lead with few examples away. Test errors in per cent, means over random training sets; a
difference counts where the mean of the paired differences is three standard errors from zero. Needs no network.
Run: `python benchmarks/two_regimes.py [--repeats 200]`.
"""

import argparse
import time

import torch
from common import keep, table
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from torch import Tensor
from torch.nn import functional

from vaeedu import classifiers, data
from vaeedu.sampling import seeded

SIZES = (6, 10, 16, 25, 40, 60, 100, 160, 250, 400)
FITS = {
    "naive Bayes": lambda x, y: classifiers.linear_naive_bayes(x, y, smoothing=0.01),
    "logistic, λ = 0.001": lambda x, y: classifiers.linear_logistic(x, y, penalty=1e-3),
    "logistic, λ = 1": lambda x, y: classifiers.linear_logistic(x, y, penalty=1.0),
}
TESTED = 300


def tasks() -> dict[str, tuple[Tensor, Tensor]]:
    """Ten pairs of classes: from scikit-learn's data sets, and from MNIST on blocks of 4 × 4 pixels."""
    cancer, wine, iris = (
        tuple(torch.from_numpy(part) for part in load(return_X_y=True))
        for load in (load_breast_cancer, load_wine, load_iris)
    )
    images, labels = data.digits("all")
    mnist = data.mnist("train", full=False)
    digits = images.flatten(1), labels
    grey = functional.avg_pool2d(mnist.images[:5000], 4).flatten(1), mnist.labels[:5000]
    return {
        "breast cancer": _pair(*cancer, 0, 1),
        "wine, 1 or 2": _pair(*wine, 0, 1),
        "wine, 2 or 3": _pair(*wine, 1, 2),
        "iris, versicolor or virginica": _pair(*iris, 1, 2),
        "digits 8×8, 3 or 8": _pair(*digits, 3, 8),
        "digits 8×8, 1 or 7": _pair(*digits, 1, 7),
        "digits 8×8, 4 or 9": _pair(*digits, 4, 9),
        "MNIST 7×7, 4 or 9": _pair(*grey, 4, 9),
        "MNIST 7×7, 3 or 5": _pair(*grey, 3, 5),
        "MNIST 7×7, 0 or 1": _pair(*grey, 0, 1),
    }


def _pair(x: Tensor, y: Tensor, first: int, second: int) -> tuple[Tensor, Tensor]:
    """Two classes, features scaled to mean 0 and variance 1; those that never vary are left out."""
    chosen = (y == first) | (y == second)
    x = x[chosen].double()
    x = x[:, x.std(dim=0) > 0]
    return (x - x.mean(dim=0)) / x.std(dim=0), (y[chosen] == second).long()


def curves(x: Tensor, y: Tensor, repeats: int) -> tuple[list[int], dict[str, Tensor]]:
    """Test errors in per cent, `(sizes, repeats)`, of each classifier on the same training sets."""
    u, key = torch.rand(repeats, len(y), generator=seeded(0)), torch.zeros(repeats, len(y))
    for c in (0, 1):  # a random order within each class; the first n then have the classes' shares
        members = (y == c).nonzero()[:, 0]
        key[:, members] = (u[:, members].argsort(dim=1).argsort(dim=1) + 0.5) / len(members)
    order = key.argsort(dim=1)
    sizes = [n for n in SIZES if n <= 0.6 * len(y)]
    held_out = order[:, max(sizes) :][:, -TESTED:]
    errors: dict[str, list[Tensor]] = {name: [] for name in FITS}
    for n in sizes:
        for name, fit in FITS.items():
            weights, offsets = fit(x[order[:, :n]], y[order[:, :n]])
            scores = (x[held_out] @ weights[:, :, None])[:, :, 0] + offsets[:, None]
            errors[name].append(100 * ((scores > 0) != (y[held_out] == 1)).double().mean(dim=1))
    return sizes, {name: torch.stack(rows) for name, rows in errors.items()}


def verdict(sizes: list[int], ours: Tensor, theirs: Tensor) -> str:
    """Says in words where one of two classifiers has clearly fewer errors."""
    gap = theirs - ours
    mean, error = gap.mean(dim=1), gap.std(dim=1) / gap.shape[1] ** 0.5
    ahead = [n for n, m, e in zip(sizes, mean.tolist(), error.tolist(), strict=True) if m > 3 * e]
    behind = [n for n, m, e in zip(sizes, mean.tolist(), error.tolist(), strict=True) if m < -3 * e]
    if ahead and behind and max(ahead) < min(behind):
        return f"ahead up to {max(ahead)}, behind from {min(behind)}"
    if behind and not ahead:
        return f"behind from {min(behind)}, never ahead"
    if ahead and not behind:
        return f"ahead up to {max(ahead)}, never behind"
    return "no clear difference" if not ahead else f"ahead at {ahead}, behind at {behind}"


def main() -> None:
    """Runs the comparison and keeps its table."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--repeats", type=int, default=200, help="random training sets of each size")
    repeats = parser.parse_args().repeats
    rows, numbers, begun = [], {}, time.process_time()
    for name, (x, y) in tasks().items():
        sizes, errors = curves(x, y, repeats)
        ours, *others = errors.values()
        for n, *each in zip(sizes, *errors.values(), strict=True):
            cells = [f"{float(e.mean()):.1f} ± {float(e.std()) / repeats**0.5:.1f}" for e in each]
            rows.append([name if n == sizes[0] else "", n, *cells])
        words = [verdict(sizes, ours, other) for other in others]
        numbers[name] = {
            "sizes": sizes,
            "num_features": x.shape[1],
            "errors": {label: e.mean(dim=1).tolist() for label, e in errors.items()},
            "standard_errors": {label: (e.std(dim=1) / repeats**0.5).tolist() for label, e in errors.items()},
            "naive_bayes": dict(zip(list(FITS)[1:], words, strict=True)),
        }
    summary = [
        [name, n["num_features"], *n["naive_bayes"].values()] for name, n in numbers.items()
    ]  # what naive Bayes is
    crossings = sum("behind from" in row[2] and "ahead up" in row[2] for row in summary)
    text = (
        f"# Two regimes: test errors by training examples, {repeats} training sets of each size\n\n"
        "Per cent ± standard error. The curves of naive Bayes and of logistic regression with hardly a penalty "
        f"cross in {crossings} of {len(summary)} tasks.\n\n"
        + table(["task", "features", "naive Bayes against λ = 0.001", "against λ = 1"], summary)
        + "\n\n"
        + table(["task", "examples", *FITS], rows)
        + f"\n\n{time.process_time() - begun:.0f} CPU-seconds."
    )
    keep("two_regimes", text, numbers)


if __name__ == "__main__":
    main()
