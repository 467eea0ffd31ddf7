"""A map of generative models: Bayes' rule, two linear classifiers, a mixture and its EM step, scores of outliers.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from vaeedu import data
from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Function, Wrong
from vaeedu_grader.authoring.slips import edited, slip


def kind(
    right: Function, variants: tuple[Mapping[str, str], ...], message: str, *, loses: tuple[str, ...]
) -> Wrong:
    """A mistake that gives other numbers according to how it is made, but is the same mistake."""
    first, *others = variants
    made = slip(right, first, message, loses=loses)
    return replace(made, variants=tuple(edited(right, changes) for changes in others))


def images_of(rng, num_images, side):
    """Black and white digits of side × side pixels, each with a pixel of both colours, as rows."""
    grey = data.mnist("train", full=False).images[rng.integers(10_000, size=num_images), 0].numpy()
    pixels = np.round(np.linspace(5, 22, side)).astype(int)
    rows = (grey[:, pixels][:, :, pixels] > 0.5).reshape(num_images, -1).astype(np.float64)
    rows[:, 0], rows[:, -1] = 1.0, 0.0
    return rows


# 1 Bayes' rule -------------------------------------------------------------------------------------------------------


def bayes_inputs(case, rng):
    """log p(y) and log p(x|y); the hidden likelihoods are of images of many pixels, and would be 0 as numbers.

    There no number suits all rows (each lies far below the one before), and a class may lie far below another.
    """
    shift = -case["far"] * (1 + np.arange(case["N"])[:, None] + 0.2 * rng.random((case["N"], 1)))
    prior = rng.dirichlet(2 * np.ones(case["C"])) * 0.7 + 0.3 / case["C"]
    log_likelihood = shift + 2 * rng.standard_normal((case["N"], case["C"])) - 1.5
    log_likelihood[0, 0] -= case["apart"]
    return {"log_prior": np.log(prior), "log_likelihood": log_likelihood}


def class_log_probs(log_prior, log_likelihood):
    joint = log_likelihood + log_prior
    return joint - torch.logsumexp(joint, dim=1, keepdim=True)


def bayes_softmax(log_prior, log_likelihood):
    return torch.log_softmax(log_prior[None] + log_likelihood, dim=-1)


def bayes_numpy(log_prior, log_likelihood):
    joint = log_prior.numpy() + log_likelihood.numpy()
    joint = joint - joint.max(axis=1, keepdims=True)
    return joint - np.log(np.exp(joint).sum(axis=1, keepdims=True))


def bayes_loops(log_prior, log_likelihood):
    rows = []
    for likelihoods in log_likelihood.tolist():
        joint = [a + b for a, b in zip(log_prior.tolist(), likelihoods, strict=True)]
        top = max(joint)
        total = top + math.log(sum(math.exp(v - top) for v in joint))
        rows.append([v - total for v in joint])
    return rows


BAYES = Exercise(
    name="class_log_probs",
    outputs=(Output("log_probs", ("N", "C")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=bayes_inputs,
    cases={
        "visible": (
            {"N": 4, "C": 3, "far": 0.0, "apart": 0.0},
            {"N": 1, "C": 2, "far": 0.0, "apart": 0.0},
        ),
        "hidden": (
            {"N": 5, "C": 4, "far": 900.0, "apart": 900.0},
            {"N": 1, "C": 5, "far": 400.0, "apart": 0.0},
            {"N": 3, "C": 2, "far": 900.0, "apart": 60.0},
        ),
    },
    reference=class_log_probs,
    wrong=(
        slip(
            class_log_probs,
            {"log_likelihood + log_prior": "log_likelihood"},
            "The prior is missing: classes that are more frequent are more probable before x is seen. Add log p(y).",
        ),
        slip(
            class_log_probs,
            {"log_likelihood + log_prior": "log_likelihood - log_prior"},
            "You divided by the prior. Bayes' rule multiplies the likelihood by it: add log p(y).",
        ),
        slip(
            class_log_probs,
            {"log_likelihood + log_prior": "log_likelihood + 2 * log_prior"},
            "The prior counts twice in your result. It is one factor: log p(x|y) + log p(y).",
        ),
        slip(
            class_log_probs,
            {"log_likelihood + log_prior": "log_likelihood + log_prior.exp()"},
            "You added the prior itself to a logarithm. Everything here is a logarithm: add log p(y), as it is given.",
        ),
        slip(
            class_log_probs,
            {"- torch.logsumexp(joint, dim=1, keepdim=True)": ""},
            "This is log p(x, y), which is not normalised. Divide by p(x): subtract its logarithm, log Σ_y p(x, y).",
        ),
        slip(
            class_log_probs,
            {"torch.logsumexp(joint, dim=1, keepdim=True)": "torch.logsumexp(joint, dim=0, keepdim=True)"},
            "You normalised over the examples. Labels compete for each x: the sum is over the classes, the last dimension.",
        ),
        slip(
            class_log_probs,
            {"torch.logsumexp(joint, dim=1, keepdim=True)": "torch.logsumexp(joint.flatten(), dim=0)"},
            "You normalised over everything together. Every example has a sum of its own, over its classes.",
        ),
        slip(
            class_log_probs,
            {
                "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return (joint - torch.logsumexp(joint, dim=1, keepdim=True)).exp()"
            },
            "These are the probabilities. The exercise asks for their logarithms.",
        ),
        slip(
            class_log_probs,
            {"torch.logsumexp(joint, dim=1, keepdim=True)": "joint.max(dim=1, keepdim=True).values"},
            "You subtracted the largest of the log p(x, y). p(x) is a sum over classes: log Σ_y p(x, y).",
        ),
        slip(
            class_log_probs,
            {
                "torch.logsumexp(joint, dim=1, keepdim=True)": "(torch.logsumexp(joint, dim=1, keepdim=True) - math.log(joint.shape[1]))"
            },
            "You divided by the mean over the classes. p(x) is the sum, without a division by C.",
        ),
        slip(
            class_log_probs,
            {"torch.logsumexp(joint, dim=1, keepdim=True)": "joint.mean(dim=1, keepdim=True)"},
            "You subtracted the mean of the logarithms. What is needed is the logarithm of the sum: log Σ_y p(x, y).",
        ),
        slip(
            class_log_probs,
            {
                "torch.logsumexp(joint, dim=1, keepdim=True)": "torch.logsumexp(log_likelihood, dim=1, keepdim=True)"
            },
            "You normalised with Σ_y p(x|y), without the prior. The sum has the same terms as the numerator: p(x|y) p(y).",
        ),
        slip(
            class_log_probs,
            {
                "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return (joint - torch.logsumexp(joint, dim=1, keepdim=True)) / math.log(2)"
            },
            "Your values are in bits. Here log is the natural logarithm: leave out the division by log 2.",
        ),
        slip(
            class_log_probs,
            {
                "torch.logsumexp(joint, dim=1, keepdim=True)": "(joint.exp().sum(dim=1, keepdim=True) + 1e-12).log()"
            },
            "exp of a very small log p is 0, and a small number added before the logarithm takes over. Take the largest term of each row out before exp, and add it again after the logarithm.",
            loses=("hidden",),
        ),
        kind(
            class_log_probs,
            (
                {
                    "torch.logsumexp(joint, dim=1, keepdim=True)": "(joint.max() + ((joint - joint.max()).exp().sum(dim=1, keepdim=True) + 1e-30).log())"
                },
                {
                    "torch.logsumexp(joint, dim=1, keepdim=True)": "(joint.max() + (joint - joint.max()).exp().sum(dim=1, keepdim=True).log())"
                },
            ),
            "You took the same number out of every row. Where a row lies far below the largest of all entries every exp is 0: each row needs its own largest entry.",
            loses=("hidden",),
        ),
        kind(
            class_log_probs,
            (
                {
                    "joint = log_likelihood + log_prior": "joint = (log_likelihood + log_prior).clamp(min=-100.0)"
                },
                {
                    "joint = log_likelihood + log_prior": "joint = (log_likelihood + log_prior).clamp(min=-700.0)"
                },
            ),
            "You cut log-probabilities off at a small number. Images of many pixels all lie below it: take the largest term of each row out instead.",
            loses=("hidden",),
        ),
        slip(
            class_log_probs,
            {
                "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return (joint.exp() / joint.exp().sum(dim=1, keepdim=True)).log()"
            },
            "Where log p(x|y) is −900, exp of it is 0 for every class, and 0/0 is no number. Do not leave the logarithms: subtract log p(x), computed with the largest term taken out.",
            loses=("hidden",),
        ),
        slip(
            class_log_probs,
            {
                "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return joint.softmax(dim=1).log()"
            },
            "You took the logarithm of a probability that may be 0 in floating point, which gives −∞. Do not leave the logarithms: the difference log p(x, y) − log p(x) is finite.",
            loses=("hidden",),
        ),
        kind(
            class_log_probs,
            (
                {
                    "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return (joint.softmax(dim=1) + 1e-12).log()"
                },
                {
                    "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return (joint.softmax(dim=1) + 1e-10).log()"
                },
                {
                    "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return joint.softmax(dim=1).clamp(min=1e-30).log()"
                },
            ),
            "You kept a probability away from 0 before its logarithm, so that no log p(y|x) can lie below a certain number. Stay in logarithms: log p(x, y) − log p(x) needs no floor.",
            loses=("hidden",),
        ),
        slip(
            class_log_probs,
            {
                "return joint - torch.logsumexp(joint, dim=1, keepdim=True)": "return log_likelihood.softmax(dim=1)"
            },
            "Two mistakes: these are probabilities, not their logarithms, and they come from the likelihoods alone, without log p(y).",
        ),
    ),
    alternatives=(bayes_softmax, bayes_numpy, bayes_loops),
)

# 2 a linear classifier -----------------------------------------------------------------------------------------------


def two_classes_inputs(case, rng):
    """Two classes; equally many examples of each in the visible cases, three times as many of class 0 in the hidden."""
    N, D = case["N"], case["D"]
    y = np.arange(N) % 2 if case["equal"] else (np.arange(N) % 4 == 3).astype(int)
    scales = np.exp(0.4 * rng.standard_normal((2, D)))
    locs = 1 + rng.standard_normal((2, D))
    # In a small unit a number that is added to the variance, or a lower limit to it, shows.
    return {"x": case["unit"] * (locs[y] + scales[y] * rng.standard_normal((N, D))), "y": y}


def linear_classifier(x, y):
    one, zero = x[y == 1], x[y == 0]
    mu1, mu0 = one.mean(dim=0), zero.mean(dim=0)
    variance = (((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0)) / len(x)
    weights = (mu1 - mu0) / variance
    offset = math.log(len(one) / len(zero)) - ((mu1**2 - mu0**2) / (2 * variance)).sum()
    return weights, offset


def linear_halfway(x, y):
    share = y.to(x).mean()
    mu = torch.stack([x[y == c].mean(dim=0) for c in (0, 1)])
    variance = (x - mu[y]).square().mean(dim=0)
    weights = (mu[1] - mu[0]) / variance
    return weights, torch.logit(share) - weights @ (mu[1] + mu[0]) / 2


def linear_numpy(x, y):
    x, y = x.numpy(), y.numpy()
    mu = [x[y == c].mean(axis=0) for c in (0, 1)]
    shares = [np.mean(y == c) for c in (0, 1)]
    variance = sum(shares[c] * x[y == c].var(axis=0) for c in (0, 1))
    b = [np.log(shares[c]) - 0.5 * (mu[c] ** 2 / variance).sum() for c in (0, 1)]
    return mu[1] / variance - mu[0] / variance, b[1] - b[0]


def linear_loops(x, y):
    rows, labels = x.tolist(), y.tolist()
    weights, offset = [], math.log(sum(labels) / (len(labels) - sum(labels)))
    for d in range(len(rows[0])):
        parts = [[row[d] for row, c in zip(rows, labels, strict=True) if c == k] for k in (0, 1)]
        m0, m1 = (sum(part) / len(part) for part in parts)
        v = (sum((a - m0) ** 2 for a in parts[0]) + sum((a - m1) ** 2 for a in parts[1])) / len(rows)
        weights.append((m1 - m0) / v)
        offset -= (m1 * m1 - m0 * m0) / (2 * v)
    return weights, offset


LINEAR = Exercise(
    name="linear_classifier",
    outputs=(Output("weights", ("D",)), Output("offset", ())),
    points={"visible": 1, "hidden": 2},
    make_inputs=two_classes_inputs,
    cases={
        "visible": (
            {"N": 12, "D": 3, "equal": True, "unit": 1.0},
            {"N": 8, "D": 1, "equal": True, "unit": 0.2},
        ),
        "hidden": (
            {"N": 16, "D": 2, "equal": False, "unit": 1.0},
            {"N": 20, "D": 1, "equal": False, "unit": 1e-5},
            {"N": 24, "D": 5, "equal": False, "unit": 1.0},
        ),
    },
    reference=linear_classifier,
    wrong=(
        slip(
            linear_classifier,
            {"math.log(len(one) / len(zero)) - (": "-("},
            "The prior is missing from the offset: with unequal classes it begins with log(π₁/π₀), the log-odds of their shares.",
            loses=("hidden",),
        ),
        slip(
            linear_classifier,
            {"len(one) / len(zero)": "len(zero) / len(one)"},
            "The prior is upside down: the log-odds are those of class 1, so its share is the numerator.",
            loses=("hidden",),
        ),
        slip(
            linear_classifier,
            {"math.log(len(one) / len(zero)) -": "len(one) / len(zero) -"},
            "The prior's odds stand in the offset without a logarithm. Log-odds add up from logarithms: log(π₁/π₀).",
        ),
        slip(
            linear_classifier,
            {"math.log(len(one) / len(zero)) -": "math.log(len(one) / len(x)) -"},
            "Your prior is log π₁ alone. Log-odds compare two classes: log(π₁/π₀).",
        ),
        slip(
            linear_classifier,
            {"(mu1 - mu0) / variance": "(mu1 - mu0) / variance.sqrt()"},
            "Your weights are divided by σ. The squares in the exponents are divided by σ², and so are the weights.",
        ),
        slip(
            linear_classifier,
            {"(2 * variance)": "(2 * variance.sqrt())"},
            "In the offset you divided by σ. The squares of the means are divided by 2σ², the variance.",
        ),
        slip(
            linear_classifier,
            {"- ((mu1**2": "+ ((mu1**2"},
            "The sign of the squared means is wrong: −½(x − μ)²/σ² holds −½μ²/σ², so the offset has −½(μ₁² − μ₀²)/σ².",
        ),
        slip(
            linear_classifier,
            {"(2 * variance)": "variance"},
            "The ½ is missing from the offset: the exponent is −(x − μ)²/(2σ²), and only the term in x gets a 2 from the square.",
        ),
        slip(
            linear_classifier,
            {"/ len(x)": "/ (len(x) - 2)"},
            "You divided the squares by N − 2. The maximum-likelihood variance divides by N.",
        ),
        slip(
            linear_classifier,
            {
                "(((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0)) / len(x)": "((x - x.mean(dim=0)) ** 2).mean(dim=0)"
            },
            "You took the variance of all examples around their common mean. p(x|y) needs the variance around the mean of each example's own class.",
        ),
        slip(
            linear_classifier,
            {
                "(((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0)) / len(x)": "(((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0))"
            },
            "You did not divide the sum of squares by N: the variance is their mean.",
        ),
        slip(
            linear_classifier,
            {
                "(((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0)) / len(x)": "(((one - mu1) ** 2).mean(dim=0) + ((zero - mu0) ** 2).mean(dim=0)) / 2"
            },
            "You averaged the two classes' variances as if they had equally many examples. Every example counts once: pool the squares, divide by N.",
            loses=("hidden",),
        ),
        slip(
            linear_classifier,
            {
                "(((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0)) / len(x)": "((one - mu1) ** 2).mean(dim=0)"
            },
            "Your variance is that of class 1 alone. The classes share one, from the squares of both.",
        ),
        slip(
            linear_classifier,
            {"weights = (mu1 - mu0)": "weights = (mu0 - mu1)"},
            "The weights have the wrong sign: they are the log-odds of class 1, μ₁ − μ₀ over the variance.",
        ),
        slip(
            linear_classifier,
            {"(mu1 - mu0) / variance": "mu1 - mu0"},
            "You did not divide the weights by the variance: a feature that varies much within the classes says little.",
        ),
        slip(
            linear_classifier,
            {"mu1**2 - mu0**2": "(mu1 - mu0) ** 2"},
            "You squared the difference of the means. The offset has the difference of their squares, μ₁² − μ₀².",
        ),
        slip(
            linear_classifier,
            {"(mu1 - mu0) / variance": "(mu1 - mu0) * variance"},
            "You multiplied the weights by the variance. The exponents divide by it.",
        ),
        slip(
            linear_classifier,
            {"((zero - mu0) ** 2).sum(dim=0)) / len(x)": "((zero - mu0) ** 2).sum(dim=0)).mean() / len(x)"},
            "You took one variance for all features. The classes share the variances, but each feature has its own: no mean over the features.",
        ),
        slip(
            linear_classifier,
            {
                "(((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0)) / len(x)": "((one - mu1) ** 2).mean(dim=0), ((zero - mu0) ** 2).mean(dim=0)",
                "(mu1 - mu0) / variance": "mu1 / variance[0] - mu0 / variance[1]",
                "((mu1**2 - mu0**2) / (2 * variance)).sum()": "(mu1**2 / variance[0] - mu0**2 / variance[1]).sum() / 2",
            },
            "You gave each class variances of its own. Here the classes share them, or the squares of x would not cancel and the log-odds not be linear.",
        ),
        slip(
            linear_classifier,
            {
                "(((one - mu1) ** 2).sum(dim=0) + ((zero - mu0) ** 2).sum(dim=0)) / len(x)": "torch.linalg.pinv(((one - mu1).T @ (one - mu1) + (zero - mu0).T @ (zero - mu0)) / len(x))",
                "(mu1 - mu0) / variance": "variance @ (mu1 - mu0)",
                "((mu1**2 - mu0**2) / (2 * variance)).sum()": "(mu1 @ variance @ mu1 - mu0 @ variance @ mu0) / 2",
            },
            "You used the whole covariance matrix of the features. Naive Bayes takes them as independent within a class: each is divided by its own variance.",
        ),
        slip(
            linear_classifier,
            {"/ (2 * variance)).sum()": "/ (2 * variance)).mean()"},
            "You averaged over the features in the offset. Independent features multiply, so their terms add up: a sum over d.",
        ),
        kind(
            linear_classifier,
            (
                {"/ len(x)": "/ len(x) + 1e-3"},
                {"/ len(x)": "/ len(x) + 1e-2"},
            ),
            "You added a small number to the variances. They are divided by as they are: a feature that varies little within the classes tells much.",
            loses=("visible", "hidden"),
        ),
        kind(
            linear_classifier,
            (
                {"/ len(x)": "/ len(x) + 1e-8"},
                {"/ len(x)": "/ len(x) + 1e-9"},
            ),
            "You added a tiny number to the variances, which is not tiny for a feature in a small unit. Divide by the variances as they are.",
            loses=("hidden",),
        ),
    ),
    alternatives=(linear_halfway, linear_numpy, linear_loops),
)

# 3 the density of a mixture ------------------------------------------------------------------------------------------


def mixture_of_images(case, rng):
    """Digits of few pixels, or whole ones, and a mixture of C classes.

    Hidden θ are 0 and 1, too, and whole images differ by a thousand nats: one of them is nearly certain in one class,
    and another would be in a class in which a single pixel makes it impossible.
    """
    C, D = case["C"], case["side"] ** 2
    x = images_of(rng, case["N"], case["side"])
    probs = rng.uniform(*case["range"], (C, D))
    if case["kind"] in ("deep", "far"):
        probs = rng.beta(0.5, 0.5, (C, D)).clip(0.001, 0.999)
    if case["kind"] == "far":
        probs[1] = np.abs(x[0] - 0.0001)
        probs[2] = np.abs(x[1] - 0.0001)
    if case["kind"] in ("edge", "far"):
        # Every image has a 1 in the first pixel and a 0 in the last.
        probs[0, 0], probs[0, -1] = 1.0, 0.0
        probs[1, 0] = 0.0
    return {"x": x, "weights": rng.dirichlet(3 * np.ones(C)) * 0.8 + 0.2 / C, "probs": probs}


def log_mixture(x, weights, probs):
    ones, zeros = torch.xlogy(x[:, None], probs), torch.xlogy(1 - x[:, None], 1 - probs)
    joint = weights.log() + ones.sum(dim=2) + zeros.sum(dim=2)
    return torch.logsumexp(joint, dim=1)


def mixture_where(x, weights, probs):
    each = torch.where(x[:, None] > 0.5, probs, 1 - probs).log().sum(dim=-1)
    top = (weights.log() + each).max(dim=1).values
    return top + ((each - top[:, None]).exp() @ weights).log()


def mixture_numpy(x, weights, probs):
    x, probs = x.numpy()[:, None], probs.numpy()
    with np.errstate(divide="ignore"):
        joint = np.log(weights.numpy()) + np.log(np.where(x > 0.5, probs, 1 - probs)).sum(axis=2)
    return np.logaddexp.reduce(joint, axis=1)


def mixture_loops(x, weights, probs):
    result = []
    for row in x.tolist():
        joint = []
        for w, theta in zip(weights.tolist(), probs.tolist(), strict=True):
            factors = [t if v > 0.5 else 1 - t for v, t in zip(row, theta, strict=True)]
            joint.append(math.log(w) + sum(map(math.log, factors)) if min(factors) > 0 else -math.inf)
        top = max(joint)
        result.append(top + math.log(sum(math.exp(v - top) for v in joint)))
    return result


MIXTURE = Exercise(
    name="log_mixture",
    outputs=(Output("log_prob", ("N",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=mixture_of_images,
    cases={
        "visible": (
            {"N": 4, "C": 3, "side": 3, "range": (0.2, 0.8), "kind": "inner"},
            {"N": 1, "C": 2, "side": 3, "range": (0.2, 0.8), "kind": "inner"},
        ),
        "hidden": (
            {"N": 3, "C": 3, "side": 28, "range": (0.001, 0.999), "kind": "far"},
            {"N": 1, "C": 4, "side": 4, "range": (0.02, 0.98), "kind": "inner"},
            {"N": 5, "C": 3, "side": 4, "range": (0.02, 0.98), "kind": "edge"},
            {"N": 1, "C": 2, "side": 28, "range": (0.001, 0.999), "kind": "deep"},
        ),
    },
    reference=log_mixture,
    # Beside a sum over hundreds of pixels the smaller mistakes must show; float32 passes.
    tolerance=2e-5,
    wrong=(
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "(joint - weights.log()) @ weights"},
            "This is the mean of the logarithms, Σ π log p(x|c). The density is a mean of densities, so take the logarithm last: log Σ π p(x|c).",
        ),
        slip(
            log_mixture,
            {"joint = weights.log() + ": "joint = "},
            "The weights π are missing: each class counts by its share, log π_c + log p(x|c).",
        ),
        slip(
            log_mixture,
            {"joint = weights.log() + ": "joint = weights + "},
            "You added π itself to a logarithm. Add its logarithm: log π_c + log p(x|c).",
        ),
        slip(
            log_mixture,
            {" + zeros.sum(dim=2)": ""},
            "Pixels that are 0 are left out. They have a probability as well, 1 − θ.",
        ),
        slip(
            log_mixture,
            {"ones.sum(dim=2) + ": ""},
            "Pixels that are 1 are left out. Their probability is θ.",
        ),
        slip(
            log_mixture,
            {
                "torch.xlogy(x[:, None], probs), torch.xlogy(1 - x[:, None], 1 - probs)": "torch.xlogy(1 - x[:, None], probs), torch.xlogy(x[:, None], 1 - probs)"
            },
            "Black and white are exchanged: θ is the probability of a 1, and 1 − θ that of a 0.",
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "torch.logsumexp(joint, dim=1) - math.log(len(weights))"},
            "You divided by the number of classes. The weights π add up to 1, and do the averaging.",
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "torch.logsumexp(joint, dim=1) / math.log(2)"},
            "Your values are in bits. Here log is the natural logarithm: leave out the division by log 2.",
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "torch.logsumexp(joint, dim=1) / x.shape[1]"},
            "You divided by the number of pixels. Log-likelihoods are per image here: the sum over its pixels.",
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "torch.logsumexp(joint, dim=1).sum().expand(len(x))"},
            "Every image has the sum over all images. There is one log p(x) for each.",
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "-torch.logsumexp(joint, dim=1)"},
            "You gave −log p(x), the loss. Asked for is log p(x), which is negative for black and white images.",
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "joint.sum(dim=1)"},
            "You added up the logarithms, which multiplies the classes' densities. A mixture adds densities: log Σ_c π_c p(x|c).",
        ),
        slip(
            log_mixture,
            {
                "torch.logsumexp(joint, dim=1)": "(weights @ probs).log() @ x.T + (1 - weights @ probs).log() @ (1 - x).T"
            },
            "You averaged the θ first, which is one class with independent pixels. In a mixture pixels are independent within a class only: multiply first, then add.",
        ),
        kind(
            log_mixture,
            (
                {"torch.logsumexp(joint, dim=1)": "(joint.exp().sum(dim=1) + 1e-12).log()"},
                {"torch.logsumexp(joint, dim=1)": "(joint.exp().sum(dim=1) + 1e-30).log()"},
                {"torch.logsumexp(joint, dim=1)": "(joint.exp().sum(dim=1) + 1e-300).log()"},
            ),
            "exp of a very small log p is 0, and what you add before the logarithm takes over. Take the largest term out before exp, and add it again afterwards: logsumexp.",
            loses=("hidden",),
        ),
        kind(
            log_mixture,
            (
                {"ones, zeros": "probs = probs.clamp(0.1, 1 - 0.1)\n    ones, zeros"},
                {"ones, zeros": "probs = probs.clamp(0.01, 1 - 0.01)\n    ones, zeros"},
                {"ones, zeros": "probs = probs.clamp(1e-3, 1 - 1e-3)\n    ones, zeros"},
                {"ones, zeros": "probs = probs.clamp(1e-6, 1 - 1e-6)\n    ones, zeros"},
                {"ones, zeros": "probs = probs.clamp(1e-12, 1 - 1e-12)\n    ones, zeros"},
            ),
            "You kept θ away from 0 and 1. A small probability is small, and counts as it is.",
            loses=("hidden",),
        ),
        slip(
            log_mixture,
            {"ones.sum(dim=2) + zeros.sum(dim=2)": "(ones.sum(dim=2) + zeros.sum(dim=2)).clamp(min=-100.0)"},
            "You cut log p(x|c) off at a small number. Images of many pixels lie below it: logsumexp needs no limit.",
            loses=("hidden",),
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "joint.max(dim=1).values"},
            "You took the most probable class alone. A mixture adds the classes up: log Σ_c π_c p(x|c).",
        ),
        slip(
            log_mixture,
            {"torch.logsumexp(joint, dim=1)": "joint.exp().sum(dim=1).log()"},
            "You multiplied probabilities, or took exp of their logarithm: of many pixels the product is 0 in floating point, and its logarithm −∞. Add logarithms, and take the largest out before exp.",
            loses=("hidden",),
        ),
        kind(
            log_mixture,
            (
                {
                    "torch.logsumexp(joint, dim=1)": "joint.max() + (joint - joint.max()).exp().sum(dim=1).log()"
                },
                {
                    "torch.logsumexp(joint, dim=1)": "joint.max() + ((joint - joint.max()).exp().sum(dim=1) + 1e-12).log()"
                },
            ),
            "You took the same number out for all images. Where one lies far below the most probable, every exp is 0: each image needs its own largest term.",
            loses=("hidden",),
        ),
        slip(
            log_mixture,
            {
                "torch.xlogy(x[:, None], probs), torch.xlogy(1 - x[:, None], 1 - probs)": "x[:, None] * probs.log(), (1 - x[:, None]) * (1 - probs).log()"
            },
            "Where θ is 0 or 1, 0 · log 0 is nan in floating point. A pixel contributes one factor, θ or 1 − θ: choose it, or use torch.xlogy, which makes 0 · log 0 zero.",
            loses=("hidden",),
        ),
        slip(
            log_mixture,
            {"joint = weights.log() + ": "joint = -math.log(len(weights)) + "},
            "Your classes are all equally probable. Each counts by its own share: log π_c + log p(x|c).",
        ),
        slip(
            log_mixture,
            {"ones.sum(dim=2) + zeros.sum(dim=2)": "ones.mean(dim=2) + zeros.mean(dim=2)"},
            "You averaged over the pixels within a class. They are independent there, so that log p(x|c) is the sum over them.",
        ),
        slip(
            log_mixture,
            {
                "weights.log() + ones.sum(dim=2) + zeros.sum(dim=2)": "weights * (ones.sum(dim=2) + zeros.sum(dim=2))"
            },
            "You multiplied log p(x|c) by π. The weight is a factor of p(x|c) itself, so its logarithm is added: log π_c + log p(x|c).",
        ),
    ),
    alternatives=(mixture_where, mixture_numpy, mixture_loops),
)

# 4 a step of EM ------------------------------------------------------------------------------------------------------


def em_inputs(case, rng):
    """Digits, classes −1 where not known; known ones in the hidden cases only, class 0 among them.

    Of whole images p(x|c) is too small for a number in every class.
    """
    N, C = case["N"], case["C"]
    known = np.full(N, -1)
    if case["labels"]:
        known[: N // 2] = np.arange(N // 2) % C
    return {
        "x": images_of(rng, N, case["side"]),
        "known": known,
        "weights": rng.dirichlet(3 * np.ones(C)) * 0.8 + 0.2 / C,
        "probs": rng.beta(0.5, 0.5, (C, 784)).clip(0.001, 0.999)
        if case["side"] == 28
        else rng.uniform(0.25, 0.75, (C, case["side"] ** 2)),
    }


def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = joint.softmax(dim=1)
    for n, label in enumerate(known.tolist()):
        if label >= 0:
            r[n] = 0.0
            r[n, label] = 1.0
    counts = r.sum(dim=0)
    return counts / counts.sum(), (r.T @ x + 1) / (counts[:, None] + 2)


def em_where(x, known, weights, probs):
    joint = weights.log() + (x[:, None] * probs + (1 - x[:, None]) * (1 - probs)).log().sum(dim=2)
    one_hot = torch.nn.functional.one_hot(known + 1, len(weights) + 1)[:, 1:].to(x)
    r = torch.where(known[:, None] >= 0, one_hot, joint.softmax(dim=1))
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


def em_numpy(x, known, weights, probs):
    x, known, probs = x.numpy(), known.numpy(), probs.numpy()
    joint = np.log(weights.numpy()) + x @ np.log(probs).T + (1 - x) @ np.log(1 - probs).T
    r = np.exp(joint - joint.max(axis=1, keepdims=True))
    r = r / r.sum(axis=1, keepdims=True)
    r[known >= 0] = np.eye(len(probs))[known[known >= 0]]
    return r.mean(axis=0), (r.T @ x + 1) / (r.sum(axis=0)[:, None] + 2)


def em_masked(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    allowed = (known[:, None] < 0) | (known[:, None] == torch.arange(len(weights)))
    r = joint.masked_fill(~allowed, -math.inf).softmax(dim=1)
    counts = r.sum(dim=0)
    return counts / len(x), torch.stack([(r[:, c] @ x + 1) / (counts[c] + 2) for c in range(len(weights))])


EM = Exercise(
    name="em_step",
    outputs=(Output("weights", ("C",)), Output("probs", ("C", "D"))),
    points={"visible": 1, "hidden": 2},
    make_inputs=em_inputs,
    cases={
        "visible": (
            {"N": 9, "C": 2, "side": 3, "labels": False},
            {"N": 1, "C": 3, "side": 3, "labels": False},
        ),
        "hidden": (
            {"N": 10, "C": 2, "side": 3, "labels": True},
            {"N": 14, "C": 3, "side": 4, "labels": True},
            {"N": 1, "C": 2, "side": 2, "labels": False},
            {"N": 5, "C": 3, "side": 28, "labels": False},
        ),
    },
    reference=em_step,
    wrong=(
        slip(
            em_step,
            {"joint.softmax(dim=1)": "torch.nn.functional.one_hot(joint.argmax(dim=1), len(weights)).to(x)"},
            "You gave each image to its most probable class. Responsibilities are soft: p(c|x), so an image that may be of two classes counts for both.",
        ),
        slip(
            em_step,
            {"joint = weights.log() + x @": "joint = x @"},
            "The weights π are missing from the responsibilities: a frequent class is more probable before x is seen. Add log π.",
        ),
        slip(
            em_step,
            {"(r.T @ x + 1) / (counts[:, None] + 2)": "(r.T @ x) / counts[:, None]"},
            "The pseudo-counts are missing: each class counts one more 1 and one more 0 in each pixel, so that no θ becomes 0 or 1.",
        ),
        slip(
            em_step,
            {"(counts[:, None] + 2)": "(counts[:, None] + 1)"},
            "You added one to the ones, and one to the number of images. There is one more 1 *and* one more 0: the number grows by 2.",
        ),
        slip(
            em_step,
            {"(r.T @ x + 1) / (counts[:, None] + 2)": "(r.T @ x) / (counts[:, None] + 2)"},
            "The pseudo-count is missing above the line. One of the two images that are added has a 1 in the pixel: add 1 to the ones.",
        ),
        slip(
            em_step,
            {"(counts[:, None] + 2)": "(len(x) + 2)"},
            "You divided by the number of all images. θ of a class is a share among its own: divide by Σ r of that class.",
        ),
        slip(
            em_step,
            {"return counts / counts.sum(),": "return counts,"},
            "The weights do not sum to 1: divide the classes' counts by the number of images.",
        ),
        slip(
            em_step,
            {"return counts / counts.sum(),": "return weights,"},
            "You returned the old weights. They are fitted too: the mean responsibility of each class.",
        ),
        slip(
            em_step,
            {"return counts / counts.sum(),": "return (counts + 1) / (counts.sum() + len(weights)),"},
            "You added pseudo-counts to the weights. Only θ has them here: π is the mean responsibility.",
        ),
        slip(
            em_step,
            {"joint.softmax(dim=1)": "joint.softmax(dim=0)"},
            "You normalised over the images. The classes compete for each image: responsibilities of one image sum to 1.",
        ),
        slip(
            em_step,
            {
                "joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T": "joint = weights.log() + x @ probs.log().T"
            },
            "Pixels that are 0 are left out of p(x|c). They have a probability as well, 1 − θ.",
        ),
        slip(
            em_step,
            {"joint = weights.log() +": "joint = weights +"},
            "You added π itself to a logarithm. Add its logarithm: log π + log p(x|c).",
        ),
        slip(
            em_step,
            {"(r.T @ x + 1)": "(r.T @ (1 - x) + 1)"},
            "You counted zeros. θ is the probability of a 1: Σ r x.",
        ),
        slip(
            em_step,
            {"r.T @ x + 1": "(r**2).T @ x + 1"},
            "You weighted with the squares of the responsibilities. Each image counts by r itself, in the sum and in the count.",
        ),
        slip(
            em_step,
            {"if label >= 0:": "if False:"},
            "You did not use the known labels. Where a label is known, its responsibility is 1 and those of the other classes are 0.",
            loses=("hidden",),
        ),
        slip(
            em_step,
            {"if label >= 0:": "if label > 0:"},
            "Labels of class 0 are not used. −1 stands for an unknown label; 0 is a class.",
            loses=("hidden",),
        ),
        slip(
            em_step,
            {"r[n, label] = 1.0": "r[n, label] = 0.0"},
            "You left images with a known label out. They count for their class in full.",
            loses=("hidden",),
        ),
        kind(
            em_step,
            (
                {"            r[n] = 0.0\n": ""},
                {"            r[n] = 0.0\n": "", "counts / counts.sum()": "counts / len(x)"},
            ),
            "You set the known class to 1 and left the others as they were. An image counts once in all: the other classes get 0.",
            loses=("hidden",),
        ),
        slip(
            em_step,
            {"r[n, label] = 1.0": "r[n] = joint.softmax(dim=1)[n] / 2\n            r[n, label] += 0.5"},
            "You mixed the known label with the posterior. A label that is known leaves no doubt: 1 for its class, 0 for the others.",
            loses=("hidden",),
        ),
        slip(
            em_step,
            {"if label >= 0:": "if True:"},
            "You used −1 as an index, which means the last class: all images without a label went there. Their responsibilities come from the model.",
        ),
        slip(
            em_step,
            {"(counts[:, None] + 2)": "(counts[:, None] + len(weights))"},
            "You added the number of classes below the line. A pixel has two values: one more 1 and one more 0, which makes 2.",
        ),
        slip(
            em_step,
            {
                "(r.T @ x + 1) / (counts[:, None] + 2)": "(r[known >= 0].T @ x[known >= 0] + 1) / (r[known >= 0].sum(dim=0)[:, None] + 2)"
            },
            "You left images without a label out of θ. They count as well, for each class by their responsibility.",
        ),
        slip(
            em_step,
            {"joint.softmax(dim=1)": "joint.exp() / joint.exp().sum(dim=1, keepdim=True)"},
            "You multiplied probabilities, or took exp of their logarithm: of many pixels p(x|c) is 0 for every class, and 0/0 is no number. Stay in logarithms up to the softmax.",
            loses=("hidden",),
        ),
    ),
    alternatives=(em_where, em_numpy, em_masked),
)

# 5 the gradient of logistic regression -------------------------------------------------------------------------------


def gradient_inputs(case, rng):
    """A point at which to compute the gradient; there is a penalty in the hidden cases only.

    Where `far` is given, the log-odds of two examples are far on the right side, so that they contribute nothing.
    """
    N, D = case["N"], case["D"]
    y = (rng.random(N) < 0.5).astype(np.float64)
    y[0] = 1.0
    x, weights = 0.5 + rng.standard_normal((N, D)), 0.3 + rng.standard_normal(D)
    if case["far"]:
        y[1:3] = 1.0, 0.0
        x[1:3] += np.outer((case["far"], -case["far"]), weights / np.square(weights).sum())
    return {
        "x": x,
        "y": y,
        "weights": weights,
        "offset": float(rng.uniform(0.4, 0.9)),
        "penalty": case["penalty"],
    }


def logistic_gradient(x, y, weights, offset, penalty):
    p = torch.sigmoid(x @ weights + offset)
    error = p - y
    return x.T @ error + penalty * weights, error.sum()


def gradient_autograd(x, y, weights, offset, penalty):
    w = weights.clone().requires_grad_()
    b = torch.tensor(float(offset), dtype=x.dtype, requires_grad=True)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(x @ w + b, y, reduction="sum")
    return torch.autograd.grad(loss + 0.5 * penalty * w.square().sum(), (w, b))


def gradient_numpy(x, y, weights, offset, penalty):
    x, y, weights = x.numpy(), y.numpy(), weights.numpy()
    error = 0.5 * (1 + np.tanh(0.5 * (x @ weights + offset))) - y
    return error @ x + penalty * weights, error.sum()


def gradient_loops(x, y, weights, offset, penalty):
    w = weights.tolist()
    gradient, total = [penalty * v for v in w], 0.0
    for row, label in zip(x.tolist(), y.tolist(), strict=True):
        odds = math.exp(-abs(offset + sum(a * b for a, b in zip(row, w, strict=True))))
        right = (
            1 / (1 + odds)
            if offset + sum(a * b for a, b in zip(row, w, strict=True)) > 0
            else odds / (1 + odds)
        )
        error = right - label
        gradient = [g + error * v for g, v in zip(gradient, row, strict=True)]
        total += error
    return gradient, total


GRADIENT = Exercise(
    name="logistic_gradient",
    outputs=(Output("weights_gradient", ("D",)), Output("offset_gradient", ())),
    points={"visible": 1, "hidden": 1},
    make_inputs=gradient_inputs,
    cases={
        "visible": (
            {"N": 6, "D": 3, "penalty": 0.0, "far": 0.0},
            {"N": 5, "D": 1, "penalty": 0.0, "far": 0.0},
        ),
        "hidden": (
            {"N": 7, "D": 2, "penalty": 3.0, "far": 1000.0},
            {"N": 4, "D": 5, "penalty": 2.5, "far": 0.0},
            {"N": 9, "D": 1, "penalty": 4.0, "far": 0.0},
        ),
    },
    reference=logistic_gradient,
    wrong=(
        slip(
            logistic_gradient,
            {"error = p - y": "error = y - p"},
            "The sign is turned: this is the gradient of the log-likelihood. The objective is *minus* the log-likelihood: p − y.",
        ),
        slip(
            logistic_gradient,
            {"x.T @ error +": "x.T @ error / len(x) +"},
            "Your gradient of the weights is a mean over examples. The objective is a sum: no division by N.",
        ),
        slip(
            logistic_gradient,
            {"error.sum()": "error.mean()"},
            "Your gradient of the offset is a mean over examples. The objective is a sum: no division by N.",
        ),
        slip(
            logistic_gradient,
            {"p = torch.sigmoid(x @ weights + offset)": "p = x @ weights + offset"},
            "The sigmoid is missing: x·w + b is the log-odds, and p = 1 / (1 + exp(−(x·w + b))).",
        ),
        slip(
            logistic_gradient,
            {"torch.sigmoid(x @ weights + offset)": "torch.sigmoid(x @ weights)"},
            "The offset b is missing from the log-odds.",
        ),
        slip(
            logistic_gradient,
            {"torch.sigmoid(x @ weights + offset)": "torch.sigmoid(-(x @ weights + offset))"},
            "Your p is the probability of class 0. p(y = 1|x) grows with x·w + b.",
        ),
        slip(
            logistic_gradient,
            {"error = p - y": "error = (p - y) * p * (1 - p)"},
            "This is the gradient of ½ Σ (p − y)², the squared error. With −log p the factor p(1 − p) cancels: p − y.",
        ),
        slip(
            logistic_gradient,
            {"error = p - y": "error = 2 * (p - y)"},
            "Your gradient is twice too large. The derivative of −log p with respect to the log-odds is p − y, without a factor.",
        ),
        slip(
            logistic_gradient,
            {"error = p - y": "error = p - (2 * y - 1)"},
            "You took the labels for −1 and 1. They are 0 and 1 here, and the error is p − y.",
        ),
        slip(
            logistic_gradient,
            {"error = p - y": "error = (p > 0.5).to(x) - y"},
            "You rounded p to a decision. The gradient needs the probability itself.",
        ),
        slip(
            logistic_gradient,
            {"error = p - y": "error = p"},
            "The labels are missing: the error of an example is p − y.",
        ),
        slip(
            logistic_gradient,
            {"torch.sigmoid(": "torch.tanh("},
            "You used tanh. A probability needs the sigmoid, 1 / (1 + e^{−s}).",
        ),
        slip(
            logistic_gradient,
            {"x.T @ error +": "(x - x.mean(dim=0)).T @ error +"},
            "You centred x. The log-odds use x as it is, and so does their derivative.",
        ),
        slip(
            logistic_gradient,
            {"error.sum()": "error.abs().sum()"},
            "You took absolute values in the offset's gradient. Errors of different signs cancel: Σ (p − y).",
        ),
        slip(
            logistic_gradient,
            {"error.sum()": "(x.T @ error).sum()"},
            "Your offset's gradient holds x. The derivative of x·w + b with respect to b is 1: Σ (p − y).",
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": ""},
            "The penalty is missing: ½ λ ‖w‖² adds λ w to the gradient. (In the visible cases λ is 0.)",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": "- penalty * weights"},
            "The penalty has the wrong sign: it is added to what is minimised, so its gradient λ w is added, too.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": "+ 2 * penalty * weights"},
            "Your penalty is twice too large: the derivative of ½ λ ‖w‖² is λ w.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": "+ 0.5 * penalty * weights"},
            "Your penalty is half of what it should be: the derivative of ½ λ ‖w‖² is λ w.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {"error.sum()": "error.sum() + penalty * offset"},
            "You penalised the offset. Only the weights have a penalty: b says how frequent a class is, which is not to be pulled to ½.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": "+ penalty * weights / len(x)"},
            "You divided the penalty by N. Both parts of the objective are taken as they are: λ w.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": "+ penalty * weights.sign()"},
            "This is the gradient of λ Σ |w|. The penalty here is ½ λ ‖w‖², with the gradient λ w.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": "+ penalty * weights / weights.norm()"},
            "This is the gradient of λ ‖w‖. The penalty here is ½ λ ‖w‖², with the gradient λ w: longer weights are pulled more.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {" + penalty * weights": "+ penalty * weights * len(x)"},
            "You counted the penalty once for each example. It stands beside the sum over the examples, once: λ w.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {
                "torch.sigmoid(x @ weights + offset)": "(x @ weights + offset).exp()",
                "error = p - y": "error = p / (1 + p) - y",
            },
            "Your formula is right but overflows: e^a / (1 + e^a) is infinity over infinity for a large a. Use torch.sigmoid, which is written for both ends.",
            loses=("hidden",),
        ),
        slip(
            logistic_gradient,
            {"error = p - y": "error = -y * torch.sigmoid(-y * (x @ weights + offset))"},
            "You used the formula for labels −1 and 1. With a label of 0 it makes an example contribute nothing: the error is p − y, for both classes.",
        ),
    ),
    alternatives=(gradient_autograd, gradient_numpy, gradient_loops),
)

# 6 how well a score tells --------------------------------------------------------------------------------------------


def auroc_inputs(case, rng):
    """Scores of data and of outliers, in the hidden cases with ties.

    Some of these are nearly equal, for their size or as such, and one lies so far from the others that thresholds on a grid see
    the others as one.
    """
    N, M = case["N"], case["M"]
    inliers, others = rng.standard_normal(N) + case["shift"], 1.5 * rng.standard_normal(M)
    if case["kind"] in ("ties", "near", "tiny"):
        inliers, others = np.round(inliers), np.round(others)
    if case["kind"] != "free":
        others[: (M + 1) // 3] = inliers[0]
    if case["kind"] == "tiny":
        inliers, others = 2e-7 * inliers, 2e-7 * others
    if case["kind"] == "near":
        inliers, others = np.round(0.002 * inliers - 1500, 3), np.round(0.002 * others - 1500, 3)
    if case["kind"] == "far":
        inliers[1] = -1e5
    return {"inliers": inliers, "outliers": others}


def auroc(inliers, outliers):
    gap = inliers[:, None] - outliers[None]
    wins = (gap > 0).double() + 0.5 * (gap == 0).double()
    return wins.mean()


def auroc_ranks(inliers, outliers):
    ordered = outliers.sort().values
    below = torch.searchsorted(ordered, inliers.contiguous(), right=False)
    not_above = torch.searchsorted(ordered, inliers.contiguous(), right=True)
    return (below + not_above).double().mean() / (2 * len(outliers))


def auroc_numpy(inliers, outliers):
    s, t = inliers.numpy()[:, None], outliers.numpy()
    return (1 + np.sign(s - t)).mean() / 2


def auroc_loops(inliers, outliers):
    total = 0.0
    for s in inliers.tolist():
        for t in outliers.tolist():
            total += 1.0 if s > t else 0.5 if s == t else 0.0
    return total / (len(inliers) * len(outliers))


AUROC = Exercise(
    name="auroc",
    outputs=(Output("auroc", ()),),
    points={"visible": 1, "hidden": 1},
    make_inputs=auroc_inputs,
    cases={
        "visible": (
            {"N": 7, "M": 5, "kind": "free", "shift": 0.7},
            {"N": 1, "M": 9, "kind": "free", "shift": 0.7},
            {"N": 6, "M": 11, "kind": "free", "shift": -0.7},
        ),
        "hidden": (
            {"N": 8, "M": 5, "kind": "ties", "shift": 0.7},
            {"N": 13, "M": 9, "kind": "near", "shift": -0.9},
            {"N": 1, "M": 11, "kind": "ties", "shift": 0.7},
            {"N": 30, "M": 25, "kind": "far", "shift": 1.5},
            {"N": 9, "M": 7, "kind": "tiny", "shift": 0.9},
        ),
    },
    reference=auroc,
    wrong=(
        slip(
            auroc,
            {"inliers[:, None] - outliers[None]": "outliers[None] - inliers[:, None]"},
            "The direction is turned: this is the probability that an *outlier* scores higher. A good score is high for data.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.sum()"},
            "You counted the pairs. AUROC is the share among all N·M pairs.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.sum() / len(inliers)"},
            "You divided by N alone. There are N·M pairs of an image of the data and an outlier.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.sum() / len(outliers)"},
            "You divided by M alone. There are N·M pairs of an image of the data and an outlier.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.sum() / (len(inliers) + len(outliers))"},
            "You divided by N + M, the number of scores. There are N·M pairs.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return 2 * wins.mean() - 1"},
            "You rescaled the result to −1 … 1, the Gini coefficient. AUROC itself lies between 0 and 1, and guessing is ½.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return gap.mean()"},
            "This is the mean difference of the scores. AUROC asks only which is larger: the share of pairs that the data win.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return torch.sigmoid(gap).mean()"},
            "You weighted the pairs by the size of the difference. AUROC sees only the order of the scores.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return (inliers > outliers.mean()).double().mean()"},
            "You compared with the mean of the outliers. Each outlier counts: compare all pairs.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return (inliers > outliers.max()).double().mean()"},
            "You counted data above *all* outliers. Each pair counts by itself.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return (inliers.mean() > outliers).double().mean()"},
            "You compared the mean of the data's scores with each outlier. Each score of the data counts: compare all pairs.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.mean() - 0.5"},
            "You took ½ off. AUROC of guessing is ½; it is not measured from there.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return (wins.sum() + 1) / (wins.numel() + 1)"},
            "You added a pair, as in a permutation test. AUROC is the plain share of the N·M pairs.",
        ),
        slip(
            auroc,
            {"0.5 * (gap == 0)": "0.0 * (gap == 0)"},
            "Equal scores count as lost in your result. Nobody wins such a pair: it counts one half.",
            loses=("hidden",),
        ),
        slip(
            auroc,
            {"0.5 * (gap == 0)": "1.0 * (gap == 0)"},
            "Equal scores count as won in your result. Nobody wins such a pair: it counts one half.",
            loses=("hidden",),
        ),
        slip(
            auroc,
            {"return wins.mean()": "return (gap > 0).double().sum() / (gap != 0).sum()"},
            "You left pairs of equal scores out. They count one half, and are among the N·M pairs.",
            loses=("hidden",),
        ),
        slip(
            auroc,
            {
                "(gap > 0).double() + 0.5 * (gap == 0).double()": "(gap.sign() * ~torch.isclose(inliers[:, None], outliers[None]) + 1) / 2"
            },
            "Scores that differ count as equal in your result: so it is with torch.isclose, which allows a part of their size, and with exp of log-likelihoods, which is 0. Only equal scores are a tie.",
            loses=("hidden",),
        ),
        slip(
            auroc,
            {
                "return wins.mean()": "n = min(len(inliers), len(outliers))\n    return wins[range(n), range(n)].mean()"
            },
            "You paired the first with the first, the second with the second. Each score of the data meets each outlier: N·M pairs.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return torch.maximum(wins.mean(), 1 - wins.mean())"},
            "You turned the score round where AUROC was below ½. Below ½ is a finding, that the outliers score higher: leave it.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.mean() + 1 / len(outliers)"},
            "Your result is too large by 1/M, as with ranks that start at 1 and N(N − 1)/2 taken off. The smallest sum of N ranks from 1 is N(N + 1)/2.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.mean() - 1 / len(outliers)"},
            "Your result is too small by 1/M, as with ranks that start at 0 and N(N + 1)/2 taken off. The smallest sum of N ranks from 0 is N(N − 1)/2.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.sum() / len(inliers) ** 2"},
            "You divided by N². Each of the N scores of data meets M outliers: there are N·M pairs.",
        ),
        slip(
            auroc,
            {"return wins.mean()": "return wins.sum() / len(outliers) ** 2"},
            "You divided by M². Each of the M outliers meets N scores of data: there are N·M pairs.",
        ),
        slip(
            auroc,
            {
                "return wins.mean()": "spread = inliers.var(unbiased=False) + outliers.var(unbiased=False)\n    return torch.special.ndtr((inliers.mean() - outliers.mean()) / spread.sqrt())"
            },
            "You took the scores for Gaussian, and used their means and variances. AUROC asks nothing of their shape: it is the share of pairs.",
        ),
        slip(
            auroc,
            {
                "gap = inliers[:, None] - outliers[None]": "gap = inliers.unique()[:, None] - outliers.unique()[None]"
            },
            "You removed repeated scores. Each example counts, also where its score equals another's.",
            loses=("hidden",),
        ),
        slip(
            auroc,
            {
                "return wins.mean()": "every = torch.cat([inliers, outliers, outliers.max()[None] + 1e9])[:, None]\n    right = (inliers >= every).sum(dim=1) + (outliers < every).sum(dim=1)\n    return right.max() / (len(inliers) + len(outliers))"
            },
            "This is the best accuracy of any threshold. AUROC needs no threshold: it is the share of pairs in which the data score higher.",
        ),
    ),
    alternatives=(auroc_ranks, auroc_numpy, auroc_loops),
)

# 7 expected log-density ----------------------------------------------------------------------------------------------


def scores_inputs(case, rng):
    """Where inputs come from, q, and a model, p: centred at 0 in the visible cases, narrow in a hidden one."""
    B, D = case["B"], case["D"]
    return {
        "loc_q": 0.6 + 0.5 * rng.standard_normal((B, D)),
        "scale_q": np.exp(0.3 * rng.standard_normal((B, D)) - 0.4),
        "loc_p": (1.0 + 0.3 * rng.standard_normal((B, D))) * case["away"],
        "scale_p": np.exp(0.3 * rng.standard_normal((B, D)) + 0.3) * case.get("narrow", 1.0),
    }


def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    squares = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    terms = math.log(2 * math.pi) + 2 * scale_p.log() + squares
    return -0.5 * terms.sum(dim=1)


def expected_distribution(loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    return -(q.entropy() + torch.distributions.kl_divergence(q, p)).sum(dim=-1)


def expected_numpy(loc_q, scale_q, loc_p, scale_p):
    m, s, loc, scale = (v.numpy() for v in (loc_q, scale_q, loc_p, scale_p))
    each = -np.log(scale * np.sqrt(2 * np.pi)) - (s**2 + m**2 - 2 * m * loc + loc**2) / (2 * scale**2)
    return each.sum(axis=1)


def expected_loops(loc_q, scale_q, loc_p, scale_p):
    rows = zip(*(v.tolist() for v in (loc_q, scale_q, loc_p, scale_p)), strict=True)
    return [
        sum(
            -0.5 * math.log(2 * math.pi * b * b) - (s * s + (m - a) ** 2) / (2 * b * b)
            for m, s, a, b in zip(*row, strict=True)
        )
        for row in rows
    ]


EXPECTED = Exercise(
    name="expected_log_density",
    outputs=(Output("expected", ("B",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=scores_inputs,
    cases={
        "visible": ({"B": 4, "D": 3, "away": 0.0}, {"B": 1, "D": 2, "away": 0.0}),
        "hidden": (
            {"B": 3, "D": 5, "away": 1.0},
            {"B": 5, "D": 2, "away": 1.0},
            {"B": 2, "D": 1, "away": 1.0},
            {"B": 2, "D": 3, "away": 1.0, "narrow": 1e-3},
        ),
    },
    reference=expected_log_density,
    wrong=(
        slip(
            expected_log_density,
            {
                "squares = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2\n    terms = math.log(2 * math.pi) + 2 * scale_p.log() + squares": "squares = (scale_p**2 + (loc_q - loc_p) ** 2) / scale_q**2\n    terms = math.log(2 * math.pi) + 2 * scale_q.log() + squares"
            },
            "The roles are swapped: this is the mean of log q over draws from p. Inputs come from q, and the model whose density is asked is p.",
        ),
        slip(
            expected_log_density,
            {"+ 2 * scale_p.log() + squares": "+ 2 * scale_q.log() + 1 + 0 * squares"},
            "This is the mean of log q over its own draws, minus its entropy. The model that is asked is p.",
        ),
        slip(
            expected_log_density,
            {
                "return -0.5 * terms.sum(dim=1)": "return -0.5 * terms.sum(dim=1) + (0.5 * math.log(2 * math.pi) + scale_q.log() + 0.5).sum(dim=1)"
            },
            "You added the entropy of q: this is −KL(q ‖ p). Asked for is the mean of log p alone.",
        ),
        slip(
            expected_log_density,
            {"scale_q**2 + (loc_q - loc_p) ** 2": "(loc_q - loc_p) ** 2"},
            "This is log p at the mean of q. Draws scatter around it by scale_q, which lowers the mean of log p: add scale_q².",
        ),
        slip(
            expected_log_density,
            {"scale_q**2 + (loc_q - loc_p) ** 2": "scale_q**2"},
            "The distance between the means is missing: the mean of (x − loc_p)² is scale_q² + (loc_q − loc_p)².",
        ),
        slip(
            expected_log_density,
            {"scale_q**2 + (": "scale_q + ("},
            "You added scale_q where its square belongs: the variance of a draw is scale_q².",
        ),
        slip(
            expected_log_density,
            {"/ scale_p**2": "/ scale_p"},
            "You divided by scale_p. In the exponent of a Gaussian stands its square, the variance.",
        ),
        slip(
            expected_log_density,
            {"2 * scale_p.log()": "scale_p.log()"},
            "The logarithm of the scale is halved: log N holds −log σ, or −½ log σ².",
        ),
        slip(
            expected_log_density,
            {"math.log(2 * math.pi) + 2": "2"},
            "The constant is missing: every coordinate has −½ log 2π.",
        ),
        slip(
            expected_log_density,
            {"-0.5 * terms.sum(dim=1)": "-1.0 * terms.sum(dim=1)"},
            "The ½ is missing: log N(x) = −½ [log 2π + 2 log σ + (x − μ)²/σ²].",
        ),
        slip(
            expected_log_density,
            {"terms.sum(dim=1)": "terms.mean(dim=1)"},
            "You averaged over the coordinates. The log-density of a vector is the sum over them.",
        ),
        slip(
            expected_log_density,
            {"-0.5 * terms.sum(dim=1)": "0.5 * terms.sum(dim=1)"},
            "The sign is turned: this is the cross-entropy. Asked for is the mean of log p, its negative.",
        ),
        slip(
            expected_log_density,
            {"terms.sum(dim=1)": "terms.sum().expand(len(loc_q))"},
            "Every example has the sum over all. There is one value for each row.",
        ),
        slip(
            expected_log_density,
            {"2 * scale_p.log() +": "- 2 * scale_p.log() +"},
            "The logarithm of the scale has the wrong sign: a wide density is low, log N holds −log σ.",
        ),
        slip(
            expected_log_density,
            {"return -0.5 * terms.sum(dim=1)": "return -0.5 * terms.sum(dim=1) / math.log(2)"},
            "Your values are in bits. Here log is the natural logarithm: leave out the division by log 2.",
        ),
        slip(
            expected_log_density,
            {"scale_q**2 + (loc_q": "-(scale_q**2) + (loc_q"},
            "You subtracted the variance of q. Scatter around the mean takes draws farther from loc_p: add it.",
        ),
        slip(
            expected_log_density,
            {
                "math.log(2 * math.pi) + 2": "2",
                "-0.5 * terms.sum(dim=1)": "-0.5 * (math.log(2 * math.pi) + terms.sum(dim=1))",
            },
            "You added log 2π once. Every coordinate is a Gaussian of its own, with its own −½ log 2π: D of them.",
        ),
        slip(
            expected_log_density,
            {
                "(scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2": "(scale_q + (loc_q - loc_p) ** 2) / scale_p",
                "2 * scale_p.log()": "scale_p.log()",
            },
            "You took the scales for variances. They are standard deviations: square both, and take 2 log σ_p.",
        ),
        slip(
            expected_log_density,
            {"scale_q**2 + (loc_q - loc_p) ** 2": "(scale_q + loc_q - loc_p) ** 2"},
            "You squared a sum. A draw's variance and the squared distance of the means add up: σ_q² + (μ_q − μ_p)², without a product of the two.",
        ),
        slip(
            expected_log_density,
            {
                "(scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2": "scale_q**2 + (loc_q - loc_p) ** 2 / scale_p**2"
            },
            "You divided the distance of the means by σ_p², but not σ_q². Both are parts of the mean of (x − μ_p)²: parentheses around the sum.",
        ),
        slip(
            expected_log_density,
            {
                "(scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2": "scale_q**2 / scale_p**2 + (loc_q - loc_p) ** 2"
            },
            "You divided σ_q² by σ_p², but not the distance of the means. Both are parts of the mean of (x − μ_p)²: parentheses around the sum.",
        ),
        slip(
            expected_log_density,
            {"2 * scale_p.log()": "2 * scale_q.log()"},
            "The logarithm is that of q's scale. The density that is asked is p's, with −log σ_p; q decides only where it is asked.",
        ),
        slip(
            expected_log_density,
            {"(loc_q - loc_p) ** 2": "(loc_q + loc_p) ** 2"},
            "You added the means. What counts is how far they are apart; in the visible cases loc_p is 0.",
            loses=("hidden",),
        ),
        slip(
            expected_log_density,
            {"(loc_q - loc_p) ** 2": "loc_q**2"},
            "You left loc_p out. The visible models are centred at 0; in general it is the distance from loc_p that counts.",
            loses=("hidden",),
        ),
        slip(
            expected_log_density,
            {"(loc_q - loc_p) ** 2": "(loc_q**2 - loc_p**2)"},
            "You took the difference of the squares. The mean of (x − loc_p)² holds the square of the difference, (loc_q − loc_p)².",
            loses=("hidden",),
        ),
    ),
    alternatives=(expected_distribution, expected_numpy, expected_loops),
)

# 8 typicality --------------------------------------------------------------------------------------------------------


def typical_inputs(case, rng):
    """Log-likelihoods of inputs and of held-out data; the visible inputs all lie below the mean of the data.

    The first hidden input is as far above the mean as a held-out value below it. These have one decimal, so that
    the two distances are equal in exact arithmetic, and not in floating point.
    """
    N, M = case["N"], case["M"]
    if not case["sides"]:
        reference = -90 + 6 * rng.standard_normal(M)
        return {"log_prob": reference.mean() - rng.uniform(1, 12, N), "reference": reference}
    while True:
        tenths = np.round(-900 + 60 * rng.standard_normal(M)).astype(int)
        tenths[0] -= tenths.sum() % M
        center = tenths.sum() // M
        reference = tenths / 10
        log_prob = center / 10 + np.where(np.arange(N) % 2 == 0, 1, -1) * rng.uniform(1, 9, N)
        log_prob[0] = (2 * center - tenths[1]) / 10
        if N > 3:
            log_prob[1] = reference[2]
            # Farther out than a held-out value, by more than the margin, and not by much more.
            log_prob[3] = reference[3] + np.sign(tenths[3] - center) * 5e-4
        if tenths[1] < center and all(_rounding_decides(log_prob[0], reference)):
            return {"log_prob": log_prob, "reference": reference}


def _rounding_decides(value, reference):
    """Whether a tie is lost without a margin, and kept with one in single precision, as far as it can tell."""
    for dtype in (torch.float64, torch.float32):
        values = torch.tensor([value, *reference], dtype=dtype)
        far = (values - values[1:].mean()).abs()
        yield bool(far[2] < far[0]) == (dtype == torch.float64)


def typicality(log_prob, reference):
    center = reference.mean()
    scores = -(log_prob - center).abs()
    usual = -(reference - center).abs()
    return scores, (usual[None] <= scores[:, None] + 1e-9).double().mean(dim=1)


def typicality_numpy(log_prob, reference):
    center = reference.numpy().mean()
    scores = -np.abs(log_prob.numpy() - center)
    usual = np.abs(reference.numpy() - center)
    return scores, (usual >= -scores[:, None] - 1e-9).mean(axis=1)


def typicality_loops(log_prob, reference):
    values = reference.tolist()
    center = sum(values) / len(values)
    scores = [-abs(v - center) for v in log_prob.tolist()]
    return scores, [sum(abs(v - center) >= -s - 1e-9 for v in values) / len(values) for s in scores]


def typicality_minimum(log_prob, reference):
    d = log_prob - reference.mean()
    scores = torch.minimum(d, -d)
    r = reference - reference.mean()
    usual = torch.minimum(r, -r).sort().values
    return scores, torch.searchsorted(usual, scores + 1e-9, right=True).double() / len(usual)


TYPICAL = Exercise(
    name="typicality",
    outputs=(Output("scores", ("N",)), Output("share", ("N",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=typical_inputs,
    cases={
        "visible": ({"N": 5, "M": 12, "sides": False}, {"N": 1, "M": 15, "sides": False}),
        "hidden": (
            {"N": 6, "M": 14, "sides": True},
            {"N": 8, "M": 11, "sides": True},
            {"N": 1, "M": 13, "sides": True},
        ),
    },
    reference=typicality,
    wrong=(
        slip(
            typicality,
            {"usual = -(reference - center).abs()": "usual = reference"},
            "Your share compares the inputs' scores with log p of the held-out data. Compare scores with scores: those of the held-out data are −|log p − mean|, too.",
        ),
        slip(
            typicality,
            {"-(log_prob - center).abs()": "log_prob - center"},
            "The absolute value is missing: what lies *above* the usual log p(x) is as untypical as what lies below. The visible inputs all lie below.",
            loses=("hidden",),
        ),
        slip(
            typicality,
            {"-(log_prob - center).abs()": "(log_prob - center).abs()"},
            "The sign is turned: this is large for what is untypical. Scores are larger the more an input looks like the data.",
        ),
        slip(
            typicality,
            {"center = reference.mean()": "center = log_prob.mean()"},
            "You compared with the mean of the inputs that are judged. What is usual is said by the held-out data: their mean.",
        ),
        kind(
            typicality,
            (
                {"center = reference.mean()": "center = reference.median()"},
                {"center = reference.mean()": "center = reference.quantile(0.5)"},
            ),
            "You took the median of the held-out data. The entropy of the model is estimated by their mean.",
            loses=("visible", "hidden"),
        ),
        slip(
            typicality,
            {"center = reference.mean()": "center = reference.max()"},
            "You took the highest log p as the usual one. Data do not lie at the peak: take the mean.",
        ),
        slip(
            typicality,
            {"center = reference.mean()": "center = 0.0"},
            "You measured from 0. What is usual is the mean log p(x) of the held-out data.",
        ),
        slip(
            typicality,
            {"-(log_prob - center).abs()": "-((log_prob - center) ** 2)"},
            "You squared the distance. The score is its absolute value, in nats.",
        ),
        kind(
            typicality,
            (
                {"-(log_prob - center).abs()": "-(log_prob - center).abs() / reference.std()"},
                {
                    "-(log_prob - center).abs()": "-(log_prob - center).abs() / reference.std(unbiased=False)",
                    "-(reference - center).abs()": "-(reference - center).abs() / reference.std(unbiased=False)",
                },
                {
                    "-(log_prob - center).abs()": "-(log_prob - center).abs() / reference.std()",
                    "-(reference - center).abs()": "-(reference - center).abs() / reference.std()",
                },
            ),
            "You divided by the spread of the held-out data. The score is in nats, without a scale.",
            loses=("visible", "hidden"),
        ),
        slip(
            typicality,
            {"-(log_prob - center).abs()": "-(log_prob - center).abs() / math.log(2)"},
            "Your scores are in bits. Here log is the natural logarithm: leave out the division by log 2.",
        ),
        slip(
            typicality,
            {"usual[None] <= scores[:, None] + 1e-9": "usual[None] > scores[:, None] + 1e-9"},
            "Your share is of held-out data that are *more* typical than the input. A small share should say that the input is strange.",
        ),
        slip(
            typicality,
            {".double().mean(dim=1)": ".double().sum(dim=1)"},
            "You counted the held-out data. The share divides by how many there are.",
        ),
        slip(
            typicality,
            {
                "(usual[None] <= scores[:, None] + 1e-9).double().mean(dim=1)": "((usual[None] <= scores[:, None] + 1e-9).double().sum(dim=1) + 1) / (len(reference) + 1)"
            },
            "You counted the input among the held-out data. That is the p-value of a test; the share here is of the held-out data alone.",
        ),
        slip(
            typicality,
            {".double().mean(dim=1)": ".double().sum(dim=1) / len(log_prob)"},
            "You divided by the number of inputs. The share is of the held-out data: divide by how many these are.",
        ),
        slip(
            typicality,
            {
                "(usual[None] <= scores[:, None] + 1e-9).double().mean(dim=1)": "(reference[None] <= log_prob[:, None]).double().mean(dim=1)"
            },
            "Your share compares log p itself. Compare how typical they are: the distances from the mean.",
        ),
        slip(
            typicality,
            {"usual[None] <= scores[:, None] + 1e-9": "usual[None] < scores[:, None] - 1e-9"},
            'Held-out data that are exactly as typical as the input do not count in your share. "At most as typical" has equality in it.',
            loses=("hidden",),
        ),
        slip(
            typicality,
            {"usual[None] <= scores[:, None] + 1e-9": "usual[None] <= scores[:, None]"},
            "You compare without a margin, so that rounding decides whether two equal distances, left and right of the mean, are equal. Compare with s(x) + 1e-9.",
            loses=("hidden",),
        ),
        slip(
            typicality,
            {"usual[None] <= scores[:, None] + 1e-9": "scores[None] <= scores[:, None] + 1e-9"},
            "You counted among the inputs that are judged. The share is of the held-out data: compare each input with all of them.",
        ),
        slip(
            typicality,
            {"center = reference.mean()": "center = reference.logsumexp(dim=0) - math.log(len(reference))"},
            "You took the logarithm of the mean density, which the most probable decide alone. What is usual is the mean of the log-density.",
        ),
        slip(
            typicality,
            {
                "(usual[None] <= scores[:, None] + 1e-9).double().mean(dim=1)": "2 * torch.minimum((reference[None] <= log_prob[:, None] + 1e-9).double().mean(dim=1), (reference[None] >= log_prob[:, None] - 1e-9).double().mean(dim=1)).clamp(max=0.5)"
            },
            "Your share is twice the smaller tail of log p, a two-sided p-value. Compare distances from the mean, s(x_m) ≤ s(x), which takes both sides in one.",
        ),
        slip(
            typicality,
            {"-(log_prob - center).abs()": "-(center - log_prob).clamp(min=0)"},
            "You cut the score off at 0 above the mean: one side of untypical inputs is taken for perfect. Take the absolute value.",
            loses=("hidden",),
        ),
    ),
    alternatives=(typicality_numpy, typicality_loops, typicality_minimum),
)

# The library's modules that hold what students are asked to write: absent while this is graded.
SEALED = ("classifiers", "outliers")

EXERCISES = (BAYES, LINEAR, MIXTURE, EM, GRADIENT, AUROC, EXPECTED, TYPICAL)
