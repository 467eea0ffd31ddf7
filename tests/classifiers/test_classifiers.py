"""Each classifier against what it must be: a density that adds up to one, an optimum, another library's answer."""

import itertools
import math

import numpy as np
import pytest
import sklearn.linear_model
import sklearn.naive_bayes
import torch
from sklearn.datasets import load_breast_cancer, load_wine
from torch.distributions import Bernoulli, Independent, Normal

from vaeedu import classifiers, data
from vaeedu.sampling import seeded

f64 = torch.float64


def blobs(n=60, C=3, D=4, seed=0):
    """Classes around random means, with scales of their own, in a random order."""
    g = seeded(seed)
    y = torch.randint(C, (n,), generator=g)
    y[:C] = torch.arange(C)
    locs, scales = (
        2 * torch.randn(C, D, generator=g, dtype=f64),
        0.5 + torch.rand(C, D, generator=g, dtype=f64),
    )
    return locs[y] + scales[y] * torch.randn(n, D, generator=g, dtype=f64), y


def standardised(loader):
    x, y = (torch.from_numpy(part) for part in loader(return_X_y=True))
    return ((x - x.mean(dim=0)) / x.std(dim=0)).to(f64), y


# ---- Gaussian naive Bayes ----


@pytest.mark.parametrize("loader", [load_wine, load_breast_cancer])
def test_naive_bayes_is_that_of_scikit_learn(loader):
    x, y = standardised(loader)
    ours = classifiers.GaussianNaiveBayes().fit(x, y)
    theirs = sklearn.naive_bayes.GaussianNB().fit(x.numpy(), y.numpy())
    np.testing.assert_allclose(ours.locs_, theirs.theta_, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours.variances_, theirs.var_, rtol=1e-10)
    np.testing.assert_allclose(
        ours.class_log_probs(x), theirs.predict_log_proba(x.numpy()), rtol=1e-8, atol=1e-8
    )
    np.testing.assert_allclose(ours.joint_log_prob(x), theirs.predict_joint_log_proba(x.numpy()), rtol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
def test_the_joint_is_the_prior_times_normals(shared):
    x, y = blobs()
    model = classifiers.GaussianNaiveBayes(shared_variance=shared).fit(x, y)
    for c in range(3):
        normals = Independent(Normal(model.locs_[c], model.variances_[c].sqrt()), 1)
        expected = (y == c).double().mean().log() + normals.log_prob(x)
        torch.testing.assert_close(model.joint_log_prob(x)[:, c], expected)
    total = model.class_log_probs(x).exp().sum(dim=1)
    torch.testing.assert_close(total, torch.ones_like(total))
    torch.testing.assert_close(model.class_log_probs(x) + model.log_prob(x)[:, None], model.joint_log_prob(x))


def test_the_density_of_one_feature_integrates_to_one():
    x, y = blobs(D=1)
    model = classifiers.GaussianNaiveBayes().fit(x, y)
    grid = torch.linspace(-30, 30, 60_001, dtype=f64)
    area = torch.trapezoid(model.log_prob(grid[:, None]).exp(), grid)
    assert abs(float(area) - 1) < 1e-9


def test_shared_variances_make_scores_linear_and_the_weights_are_mean_over_variance():
    x, y = blobs()
    model = classifiers.GaussianNaiveBayes(shared_variance=True).fit(x, y)
    weights, offsets = model.linear_scores()
    torch.testing.assert_close((x @ weights.T + offsets).log_softmax(dim=1), model.class_log_probs(x))
    torch.testing.assert_close(
        weights[1] - weights[0], (model.locs_[1] - model.locs_[0]) / model.variances_[0]
    )
    within = sum(((x[y == c] - x[y == c].mean(dim=0)) ** 2).sum(dim=0) for c in range(3)) / len(x)
    torch.testing.assert_close(model.variances_[0], within + 1e-9 * x.var(dim=0, correction=0).max())


def test_no_other_means_or_variances_are_likelier():
    x, y = blobs()
    model = classifiers.GaussianNaiveBayes(smoothing=0.0).fit(x, y)
    locs, scales = model.locs_.clone().requires_grad_(), model.variances_.sqrt().requires_grad_()
    Independent(Normal(locs[y], scales[y]), 1).log_prob(x).sum().backward()
    assert float(locs.grad.abs().max()) < 1e-9
    assert float(scales.grad.abs().max()) < 1e-9


@pytest.mark.parametrize("y", [None, 2])
def test_draws_have_the_classes_moments(y):
    x, labels = blobs()
    model = classifiers.GaussianNaiveBayes().fit(x, labels)
    S = 20_000
    draws, classes = model.sample(S, y=y, generator=seeded(1))
    assert set(classes.tolist()) == ({0, 1, 2} if y is None else {y})
    for c in classes.unique():
        part, share = draws[classes == c], model.class_log_prior_[c].exp()
        if y is None:
            assert abs(len(part) / S - share) <= 5 * (share * (1 - share) / S).sqrt()
        error = (model.variances_[c] / len(part)).sqrt()
        assert bool(((part.mean(dim=0) - model.locs_[c]).abs() <= 5 * error).all())
        assert bool(
            (
                (part.var(dim=0) - model.variances_[c]).abs()
                <= 5 * model.variances_[c] * math.sqrt(2 / len(part))
            ).all()
        )


# ---- logistic regression ----


def scikit(C):
    return sklearn.linear_model.LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("loader", [load_wine, load_breast_cancer])
def test_logistic_regression_is_that_of_scikit_learn(loader, penalty):
    x, y = standardised(loader)
    ours = classifiers.LogisticRegression(penalty=penalty).fit(x, y)
    theirs = scikit(1 / penalty).fit(x.numpy(), y.numpy())
    # With two classes scikit-learn has one row of weights, w₁ − w₀, and a penalty on it: half as strong for ours.
    if len(y.unique()) > 2:
        np.testing.assert_allclose(ours.weights_, theirs.coef_, atol=2e-5)
        np.testing.assert_allclose(ours.class_log_probs(x), theirs.predict_log_proba(x.numpy()), atol=1e-4)
    else:
        half = scikit(2 / penalty).fit(x.numpy(), y.numpy())
        np.testing.assert_allclose(ours.weights_[1] - ours.weights_[0], half.coef_[0], atol=2e-5)


@pytest.mark.parametrize("penalty", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [torch.float32, f64])
def test_the_gradient_at_the_optimum_is_zero_and_the_objective_never_rose(penalty, dtype):
    g = seeded(0)
    x = torch.randn(200, 3, generator=g, dtype=f64).to(dtype)
    y = (x[:, 0] + 2 * torch.randn(200, generator=g).to(dtype) > 0).long() + (x[:, 1] > 0.5)
    model = classifiers.LogisticRegression(penalty=penalty).fit(x, y)
    W, b = model.weights_.clone().requires_grad_(), model.offsets_.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(x @ W.T + b, y, reduction="sum") + penalty / 2 * W.square().sum()
    loss.backward()
    bound = 2e-3 if dtype == torch.float32 else 1e-6
    assert float(W.grad.abs().max()) < bound
    assert float(b.grad.abs().max()) < bound
    assert bool((model.objective_per_iteration_.diff() <= 0).all())
    assert float(loss.detach()) == pytest.approx(float(model.objective_per_iteration_[-1]), rel=1e-5)
    assert abs(float(model.offsets_.sum())) < 1e-4
    assert model.weights_.dtype == dtype


def test_where_planes_separate_the_classes_there_is_no_optimum():
    x, y = torch.tensor([[-1.0], [1.0]], dtype=f64), torch.tensor([0, 1])
    with pytest.warns(
        RuntimeWarning, match="planes separate the classes there is no optimum without a penalty"
    ):
        model = classifiers.LogisticRegression(max_iterations=8).fit(x, y)
    assert bool((model.objective_per_iteration_.diff() < 0).all())
    assert classifiers.LogisticRegression(penalty=1e-3).fit(x, y).predict(x).tolist() == [0, 1]


# ---- Bernoulli mixtures ----


def binary(n=80, D=5, seed=0):
    g = seeded(seed)
    y = torch.randint(2, (n,), generator=g)
    p = torch.tensor([[0.9, 0.8, 0.2, 0.1, 0.5], [0.1, 0.3, 0.7, 0.9, 0.5]], dtype=f64)[:, :D]
    return torch.bernoulli(p[y], generator=g), y


def fits(x, y):
    """The same mixture with every label, with some and with none."""
    some = torch.where(torch.arange(len(y)) % 3 == 0, y, -1)
    for given in (y, some, None):
        yield classifiers.BernoulliMixture(2).fit(x, given, generator=seeded(1))


def test_the_probabilities_of_all_binary_vectors_add_up_to_one():
    x, y = binary()
    everything = torch.tensor(list(itertools.product([0.0, 1.0], repeat=5)), dtype=f64)
    for model in fits(x, y):
        assert float(model.log_prob(everything).logsumexp(dim=0)) == pytest.approx(0.0, abs=1e-12)
        torch.testing.assert_close(
            model.class_log_probs(x) + model.log_prob(x)[:, None], model.joint_log_prob(x), atol=1e-12, rtol=0
        )


def test_with_every_label_it_is_bernoulli_naive_bayes():
    x, y = binary()
    ours = classifiers.BernoulliMixture(2).fit(x, y)
    theirs = sklearn.naive_bayes.BernoulliNB(alpha=1.0).fit(x.numpy(), y.numpy())
    np.testing.assert_allclose(ours.class_log_probs(x), theirs.predict_log_proba(x.numpy()), atol=1e-12)
    np.testing.assert_allclose(ours.probs_.log(), theirs.feature_log_prob_, atol=1e-12)


@pytest.mark.parametrize("pseudo_counts", [0.0, 0.5, 2.0])
def test_em_never_falls_and_stops_at_a_fixed_point(pseudo_counts):
    x, y = binary()
    some = torch.where(torch.arange(len(y)) % 5 == 0, y, -1)
    for given in (None, some, y):
        model = classifiers.BernoulliMixture(
            2, pseudo_counts=pseudo_counts, tolerance=1e-12, max_iterations=5000
        )
        model.fit(x, given, generator=seeded(3))
        assert bool((model.objective_per_iteration_.diff() > -1e-12).all())
        # At a fixed point the gradient of log-likelihood plus log-prior is zero, whatever EM's formulas say.
        theta = model.probs_.clone().requires_grad_()
        features = Independent(Bernoulli(probs=theta, validate_args=False), 1)
        inside = (model.probs_ > 1e-6) & (model.probs_ < 1 - 1e-6)
        joint = model.class_log_prior_ + features.log_prob(x[:, None])
        if given is not None:
            joint = joint.masked_fill((given >= 0)[:, None] & (torch.arange(2) != given[:, None]), -torch.inf)
        prior = pseudo_counts * (theta.log() + (1 - theta).log())[inside].sum()
        (gradient,) = torch.autograd.grad(joint.logsumexp(dim=1).sum() + prior, theta)
        assert float((gradient * (theta * (1 - theta)).detach())[inside].abs().max()) < 1e-3


def test_a_few_labels_name_the_classes_that_the_unlabelled_examples_shape():
    x, y = binary(600)
    few = torch.full_like(y, -1)
    for c in (0, 1):
        few[(y == c).nonzero()[:3, 0]] = c
    labelled = few >= 0
    alone = classifiers.BernoulliMixture(2).fit(x[labelled], few[labelled])
    both = classifiers.BernoulliMixture(2).fit(x, few, generator=seeded(0))
    x_test, y_test = binary(5000, seed=9)
    errors = [float((model.predict(x_test) != y_test).double().mean()) for model in (alone, both)]
    assert errors[1] < errors[0]


def test_draws_have_the_mixtures_means():
    model = next(fits(*binary()))
    S = 20_000
    draws, classes = model.sample(S, generator=seeded(2))
    mean = model.class_log_prior_.exp() @ model.probs_
    assert bool(((draws.mean(dim=0) - mean).abs() <= 5 * (mean * (1 - mean) / S).sqrt()).all())
    for c in (0, 1):
        part = draws[classes == c].mean(dim=0)
        error = (model.probs_[c] * (1 - model.probs_[c]) / (classes == c).sum()).sqrt()
        assert bool(((part - model.probs_[c]).abs() <= 5 * error).all())


def test_a_mixture_finds_kinds_of_digits_without_labels():
    images, labels = data.digits()
    x = (images.flatten(1) > 0.4).double()
    model = classifiers.BernoulliMixture(10).fit(x, generator=seeded(0))
    found = model.predict(x)
    purity = sum(int(torch.bincount(labels[found == c]).max()) for c in found.unique()) / len(x)
    assert purity > 0.5  # a tenth by chance
    shared = classifiers.BernoulliMixture(1).fit(x)
    assert float(model.log_prob(x).mean()) > float(shared.log_prob(x).mean()) + 5


# ---- what they refuse ----

X, Y = torch.zeros(3, 2).double() + torch.arange(3)[:, None], torch.tensor([0, 1, 1])


@pytest.mark.parametrize("make", [classifiers.GaussianNaiveBayes, classifiers.LogisticRegression])
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (
            torch.tensor([0.0, 1.0, 1.0]),
            "y must be whole numbers from 0 .* but has dtype torch.float32: use y.long",
        ),
        (
            torch.tensor([0, 1]),
            r"y must have shape \(3,\), one label for each row of x, but has shape \(2,\)",
        ),
        (torch.tensor([0, -1, 1]), "y must hold classes from 0, but holds -1"),
        (torch.tensor([0, 0, 0]), "y must hold at least two classes, but holds only class 0"),
        (torch.tensor([0, 2, 2]), "y must hold an example of every class from 0 to 2, but has none of 1"),
    ],
)
def test_wrong_labels_are_refused(make, y, words):
    with pytest.raises(ValueError, match=words):
        make().fit(X, y)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: classifiers.GaussianNaiveBayes().predict(X), "this GaussianNaiveBayes must be fitted first"),
        (lambda: classifiers.LogisticRegression().predict(X), "this LogisticRegression must be fitted first"),
        (lambda: classifiers.BernoulliMixture(2).log_prob(X), "this BernoulliMixture must be fitted first"),
        (lambda: classifiers.GaussianNaiveBayes(smoothing=-1.0), "smoothing must be"),
        (lambda: classifiers.LogisticRegression(penalty=-1.0), "penalty must be"),
        (
            lambda: classifiers.GaussianNaiveBayes(smoothing=0.0).fit(X, Y),
            "x must vary within each class, but feature 0 is constant in class 0, where the density would be infinite",
        ),
        (lambda: classifiers.GaussianNaiveBayes().fit(X, Y).linear_scores(), "shared_variance must be True for scores"),
        (lambda: classifiers.GaussianNaiveBayes().fit(X, Y).sample(3, y=2), "y must be a class below 2, but is 2"),
        (lambda: classifiers.GaussianNaiveBayes().fit(X, Y).predict(X[:, :1]), "x must have 2 columns"),
        (lambda: classifiers.BernoulliMixture(2).fit(X), r"x must hold zeros and ones, but x\[2, 0\] is 2: .*binarize"),
        (lambda: classifiers.BernoulliMixture(2).fit(X[:2], torch.tensor([0, 2])), "classes below 2, but holds 2"),
        (lambda: classifiers.BernoulliMixture(2).fit(X[:2], torch.tensor([0, -2])), "-1 for an unknown label, or"),
    ],
)  # fmt: skip
def test_mistakes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_em_that_is_cut_short_says_so():
    x, _ = binary()
    with pytest.warns(
        RuntimeWarning, match="EM did not settle within 2 iterations: raise max_iterations or tolerance"
    ):
        classifiers.BernoulliMixture(2, max_iterations=2, tolerance=1e-15).fit(x, generator=seeded(0))
