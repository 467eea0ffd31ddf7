"""The classic mistakes in classifiers and outlier scores, each made on purpose: every one must break a law."""

import itertools

import torch
from support.mutation import law_tests
from torch.distributions import Independent, Normal

f64 = torch.float64


def blobs():
    g = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 3
    y[:12] = 0  # unequal shares
    locs, scales = (
        2 * torch.randn(3, 4, generator=g, dtype=f64),
        0.5 + torch.rand(3, 4, generator=g, dtype=f64),
    )
    return locs[y] + scales[y] * torch.randn(60, 4, generator=g, dtype=f64), y


def joint_law(classifiers):
    """p(x, y) is the share of the class times normals with its mean and its variance."""
    x, y = blobs()
    joint = classifiers.GaussianNaiveBayes(smoothing=0.0).fit(x, y).joint_log_prob(x)
    for c in range(3):
        part = x[y == c]
        normals = Independent(Normal(part.mean(dim=0), part.std(dim=0, correction=0)), 1)
        torch.testing.assert_close(joint[:, c], (y == c).double().mean().log() + normals.log_prob(x))


def shared_law(classifiers):
    """With shared variances, scores that are linear in x give the same posterior."""
    x, y = blobs()
    model = classifiers.GaussianNaiveBayes(shared_variance=True, smoothing=0.0).fit(x, y)
    weights, offsets = model.linear_scores()
    torch.testing.assert_close((x @ weights.T + offsets).log_softmax(dim=1), model.class_log_probs(x))
    within = sum((x[y == c] - x[y == c].mean(dim=0)).square().sum(dim=0) for c in range(3)) / len(x)
    torch.testing.assert_close(model.variances_[0], within)


def optimum_law(classifiers):
    """At the fitted weights the gradient of the penalised likelihood is zero, and few steps led there."""
    x, y = blobs()
    model = classifiers.LogisticRegression(penalty=2.0).fit(x, y)
    W, b = model.weights_.clone().requires_grad_(), model.offsets_.clone().requires_grad_()
    (torch.nn.functional.cross_entropy(x @ W.T + b, y, reduction="sum") + W.square().sum()).backward()
    assert float(W.grad.abs().max()) < 1e-6
    assert float(b.grad.abs().max()) < 1e-6
    assert len(model.objective_per_iteration_) < 15
    assert bool((model.objective_per_iteration_.diff() <= 0).all())


def mixture_law(classifiers):
    """Over all binary vectors p(x) adds up to one, and EM's objective never falls."""
    g = torch.Generator().manual_seed(0)
    x = torch.bernoulli(torch.tensor([0.9, 0.7, 0.4, 0.1], dtype=f64).expand(50, 4), generator=g)
    model = classifiers.BernoulliMixture(3).fit(x, generator=g)
    everything = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=f64)
    assert abs(float(model.log_prob(everything).logsumexp(dim=0))) < 1e-10
    assert bool((model.objective_per_iteration_.diff() > -1e-12).all())


def labels_law(classifiers):
    """With every label given each class has its own share and its own frequencies, by Laplace's rule."""
    g = torch.Generator().manual_seed(0)
    x, y = torch.bernoulli(torch.full((40, 3), 0.3, dtype=f64), generator=g), (torch.arange(40) < 13).long()
    model = classifiers.BernoulliMixture(2).fit(x, y)
    torch.testing.assert_close(model.class_log_prior_.exp(), torch.tensor([27 / 40, 13 / 40], dtype=f64))
    for c, n in ((0, 27), (1, 13)):
        torch.testing.assert_close(model.probs_[c], (x[y == c].sum(dim=0) + 1) / (n + 2))
    partly = classifiers.BernoulliMixture(2).fit(x, torch.where(torch.arange(40) < 30, y, -1), generator=g)
    joint = partly.joint_log_prob(x)
    given = torch.cat([joint[torch.arange(30), y[:30]], joint[30:].logsumexp(dim=1)])
    prior = (partly.probs_.log() + (1 - partly.probs_).log()).sum()
    torch.testing.assert_close(partly.objective_per_iteration_[-1], given.mean() + prior / 40)


def repeated_sets():
    """Six sets of two classes in unequal shares, one of them separable."""
    g = torch.Generator().manual_seed(1)
    y = (torch.arange(30) % 3 == 0).long().repeat(6, 1)
    x = torch.randn(6, 30, 4, generator=g, dtype=f64) + y[:, :, None]
    x[0, :, 0] += 6 * y[0]
    return x * torch.tensor([1.0, 0.5, 2.0, 1.0]), y


def repeated_bayes_law(classifiers):
    """Fitted together or one by one, naive Bayes has the same log-odds."""
    x, y = repeated_sets()
    weights, offsets = classifiers.linear_naive_bayes(x, y, smoothing=0.0)
    for r in range(6):
        one = classifiers.GaussianNaiveBayes(shared_variance=True, smoothing=0.0).fit(x[r], y[r])
        odds = one.class_log_probs(x[r])
        torch.testing.assert_close(x[r] @ weights[r] + offsets[r], odds[:, 1] - odds[:, 0])


def repeated_logistic_law(classifiers):
    """At the weights of each set the gradient of its penalised likelihood is zero."""
    x, y = repeated_sets()
    weights, offsets = classifiers.linear_logistic(x, y, penalty=0.3)
    w, b = weights.requires_grad_(), offsets.requires_grad_()
    scores = (x @ w[:, :, None])[:, :, 0] + b[:, None]
    bce = torch.nn.functional.binary_cross_entropy_with_logits(scores, y.double(), reduction="sum")
    (bce + 0.15 * w.square().sum()).backward()
    assert float(w.grad.abs().max()) < 1e-3
    assert float(b.grad.abs().max()) < 1e-3


MUTANTS = [
    (repeated_bayes_law, "repeated", "(priors[:, 1] / priors[:, 0]).log() - (weights", "-(weights"),
    (
        repeated_bayes_law,
        "repeated",
        "(locs[:, 1] - locs[:, 0]) / variances",
        "(locs[:, 1] - locs[:, 0]) / variances.sqrt()",
    ),
    (
        repeated_bayes_law,
        "repeated",
        "squares.mean(dim=1) + smoothing",
        "squares.sum(dim=1) / (data.shape[1] - 1)",
    ),
    (repeated_bayes_law, "repeated", ".log() - (weights * halfway)", ".log() + (weights * halfway)"),
    (repeated_bayes_law, "repeated", "0.5 * (locs[:, 1] + locs[:, 0])", "(locs[:, 1] + locs[:, 0])"),
    (
        repeated_logistic_law,
        "repeated",
        "gradient = penalties * w",
        "gradient = 2 * penalties * w",
        ValueError,
    ),
    (
        repeated_logistic_law,
        "repeated",
        "(-s * (a @ w[:, :, None])[:, :, 0]).sigmoid()",
        "(-s * (a @ w[:, :, None])[:, :, 0] / 2).sigmoid()",
        ValueError,
    ),
    (repeated_logistic_law, "repeated", "signs = 2 * ones - 1", "signs = ones", ValueError),
    (
        repeated_logistic_law,
        "repeated",
        "data.new_zeros(1)]\n    )\n    signs",
        "data.new_full((1,), penalty)]\n    )\n    signs",
    ),
    (
        joint_law,
        "naive_bayes",
        "self.class_log_prior_ - 0.5 * (squares + normalizer)",
        "-0.5 * (squares + normalizer)",
    ),
    (
        joint_law,
        "naive_bayes",
        "(2 * math.pi * self.variances_).log().sum(dim=1)",
        "self.variances_.log().sum(dim=1)",
    ),
    (
        joint_law,
        "naive_bayes",
        "(2 * math.pi * self.variances_).log()",
        "(2 * math.pi * self.variances_.sqrt()).log()",
    ),
    (
        joint_law,
        "naive_bayes",
        "((data - loc).square() / variance)",
        "((data - loc).square() / variance.sqrt())",
    ),
    (
        joint_law,
        "naive_bayes",
        "variances = members.T @ squares / counts[:, None]",
        "variances = members.T @ squares / (counts[:, None] - 1)",
    ),
    (
        shared_law,
        "naive_bayes",
        "squares.mean(dim=0).expand_as(variances)",
        "variances.mean(dim=0).expand_as(variances)",
    ),
    (
        shared_law,
        "naive_bayes",
        "self.class_log_prior_ - 0.5 * (self.locs_ * weights)",
        "self.class_log_prior_ + 0.5 * (self.locs_ * weights)",
    ),
    (shared_law, "naive_bayes", "self.locs_ / self.variances_\n", "self.locs_ / self.variances_.sqrt()\n"),
    (
        optimum_law,
        "logistic_regression",
        "design + penalties * parameters\n",
        "design + 2 * penalties * parameters\n",
    ),
    (
        optimum_law,
        "logistic_regression",
        "(p - functional.one_hot(y, C).to(p)).T @ design",
        "(p - functional.one_hot(y, C).to(p)).T @ design / len(y)",
    ),
    (optimum_law, "logistic_regression", "(float(c == k) - p[:, k])", "float(c == k)"),
    (optimum_law, "logistic_regression", "data.new_zeros(1)])", "data.new_full((1,), self.penalty)])"),
    (mixture_law, "bernoulli_mixture", " + (1 - data) @ _log(1 - self.probs_).T", ""),
    (mixture_law, "bernoulli_mixture", "return self.class_log_prior_ + data", "return data"),
    (
        mixture_law,
        "bernoulli_mixture",
        "r = joint.softmax(dim=1)",
        "r = functional.one_hot(joint.argmin(dim=1), self.num_classes).to(joint)",
    ),
    (labels_law, "bernoulli_mixture", "(r.T @ data + a) / denominator", "r.T @ data / denominator"),
    (labels_law, "bernoulli_mixture", "(counts + 2 * a)", "(counts + a)"),
    (
        labels_law,
        "bernoulli_mixture",
        "joint = torch.where(known.sum(dim=1, keepdim=True) > 0, joint + known.log(), joint)",
        "pass",
    ),
    (labels_law, "bernoulli_mixture", "self._log_prior() / len(data)", "self._log_prior()"),
]

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("classifiers", MUTANTS)
