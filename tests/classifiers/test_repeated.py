"""Linear classifiers on many training sets at once: each set gets what it would get alone."""

import pytest
import torch
from torch.nn import functional

from vaeedu import classifiers
from vaeedu.sampling import seeded

f64 = torch.float64


def sets(R=5, N=40, D=3, shift=1.0, seed=0):
    """R sets of two classes whose means differ by `shift`, in unequal shares."""
    g = seeded(seed)
    y = (torch.rand(R, N, generator=g) < 0.3).long()
    y[:, :2] = torch.tensor([0, 1])
    scales = torch.tensor([1.0, 0.3, 2.0, 1.0, 0.7][:D], dtype=f64)
    return scales * (shift * y[:, :, None] + torch.randn(R, N, D, generator=g, dtype=f64)), y


def test_naive_bayes_is_that_of_one_set():
    x, y = sets()
    weights, offsets = classifiers.linear_naive_bayes(x, y, smoothing=0.0)
    for r in range(len(x)):
        one = classifiers.GaussianNaiveBayes(shared_variance=True, smoothing=0.0).fit(x[r], y[r])
        w, b = one.linear_scores()
        torch.testing.assert_close(weights[r], w[1] - w[0])
        torch.testing.assert_close(offsets[r], b[1] - b[0])


def test_smoothing_is_added_to_each_variance():
    x, y = sets()
    plain, _ = classifiers.linear_naive_bayes(x, y, smoothing=0.0)
    means = torch.stack(
        [xs[ys == 1].mean(dim=0) - xs[ys == 0].mean(dim=0) for xs, ys in zip(x, y, strict=True)]
    )
    smooth, _ = classifiers.linear_naive_bayes(x, y, smoothing=0.5)
    torch.testing.assert_close(means / smooth, means / plain + 0.5)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_logistic_regression_is_that_of_one_set(penalty):
    x, y = sets()
    weights, offsets = classifiers.linear_logistic(x, y, penalty=penalty)
    for r in range(len(x)):
        one = classifiers.LogisticRegression(penalty=2 * penalty).fit(x[r], y[r])
        torch.testing.assert_close(weights[r], one.weights_[1] - one.weights_[0], rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(offsets[r], one.offsets_[1] - one.offsets_[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shift", [0.5, 3.0, 50.0])
def test_the_gradient_is_zero_also_where_planes_separate_the_classes(shift):
    x, y = sets(shift=shift, N=12, D=5)
    weights, offsets = classifiers.linear_logistic(x, y, penalty=1e-3)
    w, b = weights.requires_grad_(), offsets.requires_grad_()
    scores = (x @ w[:, :, None])[:, :, 0] + b[:, None]
    loss = functional.binary_cross_entropy_with_logits(scores, y.to(f64), reduction="sum")
    (loss + 0.5 * 1e-3 * w.square().sum()).backward()
    assert float(w.grad.abs().max()) < 1e-2
    assert float(b.grad.abs().max()) < 1e-2
    right = ((scores > 0) == (y == 1)).double().mean()
    assert right > (0.99 if shift > 1 else 0.6)


def test_a_set_does_not_know_the_others():
    x, y = sets()
    weights, offsets = classifiers.linear_logistic(x, y, penalty=0.1)
    alone, offset = classifiers.linear_logistic(x[2:3], y[2:3], penalty=0.1)
    torch.testing.assert_close(weights[2:3], alone, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(offsets[2:3], offset, rtol=1e-5, atol=1e-7)


x, y = torch.randn(2, 4, 3, generator=seeded(0)), torch.tensor([[0, 1, 0, 1]]).repeat(2, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: classifiers.linear_naive_bayes(x[0], y),
            r"x must have shape \(R, N, D\), R sets of N examples, but has",
        ),
        (
            lambda: classifiers.linear_naive_bayes(x, y[:, :3]),
            r"y must hold classes 0 and 1, one for each example, in shape",
        ),
        (
            lambda: classifiers.linear_naive_bayes(x, 2 * y),
            "y must hold classes 0 and 1, one for each example",
        ),
        (
            lambda: classifiers.linear_naive_bayes(x, 0 * y),
            "y must hold both classes in each set, but a set has only one",
        ),
        (
            lambda: classifiers.linear_naive_bayes(0 * x, y, smoothing=0.0),
            "x must vary within the classes, but feature 0 does not in set 0: raise smoothing",
        ),
        (
            lambda: classifiers.linear_logistic(x, y, penalty=0.0),
            "penalty must be a finite number greater than 0",
        ),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_says_when_the_penalty_is_too_small(monkeypatch):
    monkeypatch.setattr("vaeedu.classifiers.repeated._MOST_STEPS", 2)
    with pytest.raises(
        ValueError, match=r"penalty must be large enough for Newton's method to settle in 2 steps, but is"
    ):
        classifiers.linear_logistic(x, y, penalty=1e-4)
