"""Wrong answers that students might hand in for assignment 01."""
# ruff: noqa
import math

import numpy as np
import torch
import torch.nn.functional as F

WRONG = []  # (exercise name, mistake in a sentence, function)


def wrong(exercise, mistake):
    def decorate(function):
        assert function.__name__ == exercise, (exercise, function.__name__)
        WRONG.append((exercise, mistake, function))
        return function

    return decorate


def _pixels(x, probs):
    """log p(x|c), right also where θ is 0 or 1: (N, C)."""
    x, probs = x[:, None, :], probs[None]
    return (torch.xlogy(x, probs) + torch.xlogy(1 - x, 1 - probs)).sum(dim=-1)


def _resp(x, known, weights, probs):
    r = (_pixels(x, probs) + weights.log()).softmax(dim=1)
    mask = known >= 0
    r[mask] = F.one_hot(known[mask], len(weights)).to(r.dtype)
    return r


# ---- exercise 1

@wrong("class_log_probs", "the prior is forgotten: the normalised likelihood alone")
def class_log_probs(log_prior, log_likelihood):
    return log_likelihood.log_softmax(dim=1)


@wrong("class_log_probs", "log p(x, y) is not normalised: the evidence is forgotten")
def class_log_probs(log_prior, log_likelihood):
    return log_prior + log_likelihood


@wrong("class_log_probs", "normalises over the examples (dim 0) instead of the classes")
def class_log_probs(log_prior, log_likelihood):
    return (log_prior + log_likelihood).log_softmax(dim=0)


@wrong("class_log_probs", "returns probabilities, not their logarithms")
def class_log_probs(log_prior, log_likelihood):
    return (log_prior + log_likelihood).softmax(dim=1)


@wrong("class_log_probs", "log of softmax in two steps: -inf where a probability underflows")
def class_log_probs(log_prior, log_likelihood):
    return (log_prior + log_likelihood).softmax(dim=1).log()


@wrong("class_log_probs", "exp, divide, log without any shift: nan where all likelihoods underflow")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior.exp() * log_likelihood.exp()
    return (joint / joint.sum(dim=1, keepdim=True)).log()


@wrong("class_log_probs", "the probabilities are clamped at 1e-12 before the logarithm, which then never is below -27.6")
def class_log_probs(log_prior, log_likelihood):
    return (log_prior + log_likelihood).softmax(dim=1).clamp(min=1e-12).log()


@wrong("class_log_probs", "one maximum of the whole table is subtracted instead of one for each example, then exp and log: examples far below it underflow")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior + log_likelihood
    shifted = joint - joint.max()
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


@wrong("class_log_probs", "the evidence is the log-sum-exp of the likelihoods without the prior; the numerator has it")
def class_log_probs(log_prior, log_likelihood):
    return log_prior + log_likelihood - log_likelihood.logsumexp(dim=1, keepdim=True)


@wrong("class_log_probs", "the prior is not a logarithm: its exp is added to the log-likelihood")
def class_log_probs(log_prior, log_likelihood):
    return (log_prior.exp() + log_likelihood).log_softmax(dim=1)


@wrong("class_log_probs", "divides by the log-evidence instead of subtracting it")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior + log_likelihood
    return joint / joint.logsumexp(dim=1, keepdim=True)


@wrong("class_log_probs", "divides the evidence by the number of classes: a mean for the sum over k")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior + log_likelihood
    return joint - joint.logsumexp(dim=1, keepdim=True) + math.log(joint.shape[1])


@wrong("class_log_probs", "two mistakes: the prior is subtracted instead of added, and the result is not a logarithm")
def class_log_probs(log_prior, log_likelihood):
    return (log_likelihood - log_prior).softmax(dim=1)


@wrong("class_log_probs", "two mistakes: the prior is forgotten, and the logarithm is to base 2 (bits for nats)")
def class_log_probs(log_prior, log_likelihood):
    return log_likelihood.log_softmax(dim=1) / math.log(2)


@wrong("class_log_probs", "the values are right, but the argument log_likelihood is changed in place")
def class_log_probs(log_prior, log_likelihood):
    log_likelihood += log_prior
    log_likelihood -= log_likelihood.logsumexp(dim=1, keepdim=True)
    return log_likelihood


# ---- exercise 2

def _fit(x, y):
    x0, x1 = x[y == 0], x[y == 1]
    m0, m1 = x0.mean(dim=0), x1.mean(dim=0)
    var = (((x0 - m0) ** 2).sum(dim=0) + ((x1 - m1) ** 2).sum(dim=0)) / len(x)
    return m0, m1, var, len(x0), len(x1)


@wrong("linear_classifier", "the variance is taken around the mean of all examples, not within the classes")
def linear_classifier(x, y):
    m0, m1, _, n0, n1 = _fit(x, y)
    var = x.var(dim=0, unbiased=False)
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "the mean of the two classes' variances, unweighted: right only for equal shares")
def linear_classifier(x, y):
    m0, m1, _, n0, n1 = _fit(x, y)
    var = (x[y == 0].var(dim=0, unbiased=False) + x[y == 1].var(dim=0, unbiased=False)) / 2
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "the variance is divided by N - 2, the unbiased pooled variance, not by N")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    var = var * len(x) / max(len(x) - 2, 1)
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "the variance is divided by N - 1, not by N")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    var = var * len(x) / (len(x) - 1)
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "1e-6 is added to the variance: wrong for features of small units")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    var = var + 1e-6
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "the variance is clamped at 1e-9: wrong for features of very small units")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    var = var.clamp(min=1e-9)
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "the log-ratio of the shares is forgotten in the offset")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    return (m1 - m0) / var, -((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "the log-ratio of the shares upside down: log π0/π1")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    return (m1 - m0) / var, math.log(n0 / n1) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "divides by the standard deviation instead of the variance, in w and in b")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    s = var.sqrt()
    return (m1 - m0) / s, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * s)).sum()


@wrong("linear_classifier", "the classes are swapped: the log-odds of class 0, both signs reversed")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    return (m0 - m1) / var, math.log(n0 / n1) - ((m0**2 - m1**2) / (2 * var)).sum()


@wrong("linear_classifier", "the ½ in the offset is forgotten")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / var).sum()


@wrong("linear_classifier", "(μ1 - μ0)² in the offset instead of μ1² - μ0²")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1 - m0) ** 2 / (2 * var)).sum()


@wrong("linear_classifier", "one variance for all features: the mean of the features' variances")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    var = var.mean()
    return (m1 - m0) / var, math.log(n1 / n0) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "log π1 alone in the offset instead of log π1/π0")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    return (m1 - m0) / var, math.log(n1 / len(x)) - ((m1**2 - m0**2) / (2 * var)).sum()


@wrong("linear_classifier", "two mistakes: the prior's term is forgotten, and the offset's sum over features is a mean")
def linear_classifier(x, y):
    m0, m1, var, n0, n1 = _fit(x, y)
    return (m1 - m0) / var, -((m1**2 - m0**2) / (2 * var)).mean()


# ---- exercise 3

@wrong("log_mixture", "exp, weighted sum, log without a shift: -inf where every p(x|c) underflows")
def log_mixture(x, weights, probs):
    return (_pixels(x, probs).exp() @ weights).log()


@wrong("log_mixture", "x log θ + (1-x) log(1-θ) by plain products: 0 · -inf is nan where θ is 0 or 1")
def log_mixture(x, weights, probs):
    ll = x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    return (ll + weights.log()).logsumexp(dim=1)


@wrong("log_mixture", "nan_to_num on the log-likelihood of a class: with θ 0 or 1, 0 · -inf becomes a log-likelihood of 0 for the whole image")
def log_mixture(x, weights, probs):
    ll = x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    ll = torch.where(ll.isnan(), torch.zeros_like(ll), ll)
    return (ll + weights.log()).logsumexp(dim=1)


@wrong("log_mixture", "θ is clamped to [1e-6, 1 - 1e-6], so that impossible classes get a share and certain pixels cost a little")
def log_mixture(x, weights, probs):
    return (_pixels(x, probs.clamp(1e-6, 1 - 1e-6)) + weights.log()).logsumexp(dim=1)


@wrong("log_mixture", "1e-10 is added in the logarithms of θ and 1 - θ: an impossible pixel costs only 23 nats")
def log_mixture(x, weights, probs):
    ll = x @ (probs + 1e-10).log().T + (1 - x) @ (1 - probs + 1e-10).log().T
    return (ll + weights.log()).logsumexp(dim=1)


@wrong("log_mixture", "the weights are forgotten: the sum of p(x|c)")
def log_mixture(x, weights, probs):
    return _pixels(x, probs).logsumexp(dim=1)


@wrong("log_mixture", "the classes are weighted equally, 1/C, instead of by π")
def log_mixture(x, weights, probs):
    return _pixels(x, probs).logsumexp(dim=1) - math.log(len(weights))


@wrong("log_mixture", "the weighted mean of log p(x|c): the logarithm inside the sum (Jensen's lower bound)")
def log_mixture(x, weights, probs):
    return (_pixels(x, probs) * weights).sum(dim=1)


@wrong("log_mixture", "only the most probable class: the maximum for the log-sum-exp")
def log_mixture(x, weights, probs):
    return (_pixels(x, probs) + weights.log()).max(dim=1).values


@wrong("log_mixture", "only the white pixels: the factors (1 - θ)^(1 - x) are forgotten")
def log_mixture(x, weights, probs):
    ll = torch.xlogy(x[:, None], probs[None]).sum(dim=-1)
    return (ll + weights.log()).logsumexp(dim=1)


@wrong("log_mixture", "one maximum over all images is subtracted before exp: images a thousand nats less probable get -inf")
def log_mixture(x, weights, probs):
    joint = _pixels(x, probs) + weights.log()
    m = joint.max()
    return (joint - m).exp().sum(dim=1).log() + m


@wrong("log_mixture", "the mixture is taken pixel by pixel: the product over d of Σ_c π_c p(x_d|c)")
def log_mixture(x, weights, probs):
    mean = weights @ probs
    return (torch.xlogy(x, mean) + torch.xlogy(1 - x, 1 - mean)).sum(dim=1)


@wrong("log_mixture", "the mean over pixels instead of the sum")
def log_mixture(x, weights, probs):
    return (_pixels(x, probs) / x.shape[1] + weights.log()).logsumexp(dim=1)


@wrong("log_mixture", "1e-300 is added in the last logarithm: images of a very small density all get -690.8")
def log_mixture(x, weights, probs):
    return (_pixels(x, probs).exp() @ weights + 1e-300).log()


@wrong("log_mixture", "two mistakes: the weights are added without a logarithm, and the sum over c is a mean")
def log_mixture(x, weights, probs):
    return (_pixels(x, probs) + weights).logsumexp(dim=1) - math.log(len(weights))


@wrong("log_mixture", "two mistakes: the weights are forgotten, and zeros and ones are exchanged (θ for black)")
def log_mixture(x, weights, probs):
    return _pixels(1 - x, probs).logsumexp(dim=1)


# ---- exercise 4

def _m(r, x):
    n = r.sum(dim=0)
    return r.mean(dim=0), (r.T @ x + 1) / (n[:, None] + 2)


@wrong("em_step", "the labels are ignored: all rows are p(c|x)")
def em_step(x, known, weights, probs):
    return _m((_pixels(x, probs) + weights.log()).softmax(dim=1), x)


@wrong("em_step", "the responsibilities leave out the weights π")
def em_step(x, known, weights, probs):
    return _m(_resp(x, known, torch.ones_like(weights), probs), x)


@wrong("em_step", "the pseudo-counts are forgotten (0/0 avoided by a tiny constant)")
def em_step(x, known, weights, probs):
    r = _resp(x, known, weights, probs)
    return r.mean(dim=0), r.T @ x / (r.sum(dim=0)[:, None] + 1e-12)


@wrong("em_step", "a pseudo-count of 1 instead of 2 in the denominator")
def em_step(x, known, weights, probs):
    r = _resp(x, known, weights, probs)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 1)


@wrong("em_step", "pseudo-counts in the weights, too: (N_c + 1) / (N + C)")
def em_step(x, known, weights, probs):
    r = _resp(x, known, weights, probs)
    return (r.sum(dim=0) + 1) / (len(x) + len(weights)), _m(r, x)[1]


@wrong("em_step", "hard assignment: each image without a label counts for its most probable class only (k-means)")
def em_step(x, known, weights, probs):
    r = _resp(x, known, weights, probs)
    return _m(F.one_hot(r.argmax(dim=1), len(weights)).to(x.dtype), x)


@wrong("em_step", "the responsibilities by exp and division without a shift, with 1e-300 in the denominator: 0 where every p(x|c) underflows")
def em_step(x, known, weights, probs):
    joint = _pixels(x, probs).exp() * weights
    r = joint / (joint.sum(dim=1, keepdim=True) + 1e-300)
    mask = known >= 0
    r[mask] = F.one_hot(known[mask], len(weights)).to(r.dtype)
    return _m(r, x)


@wrong("em_step", "the softmax is taken over the images (dim 0), not over the classes")
def em_step(x, known, weights, probs):
    r = (_pixels(x, probs) + weights.log()).softmax(dim=0)
    mask = known >= 0
    r[mask] = F.one_hot(known[mask], len(weights)).to(r.dtype)
    return _m(r, x)


@wrong("em_step", "known > 0 for known >= 0: images of class 0 count as without a label")
def em_step(x, known, weights, probs):
    return _m(_resp(x, torch.where(known > 0, known, -torch.ones_like(known)), weights, probs), x)


@wrong("em_step", "the new weights are sums of r, not divided by N")
def em_step(x, known, weights, probs):
    r = _resp(x, known, weights, probs)
    return r.sum(dim=0), _m(r, x)[1]


@wrong("em_step", "the new weights are counted over the images without a label only")
def em_step(x, known, weights, probs):
    r = _resp(x, known, weights, probs)
    free = r[known < 0] if (known < 0).any() else r
    return free.mean(dim=0), _m(r, x)[1]


@wrong("em_step", "once any image has a label, only the images with a label are counted, in θ")
def em_step(x, known, weights, probs):
    r = _resp(x, known, weights, probs)
    mask = known >= 0 if (known >= 0).any() else torch.ones_like(known, dtype=torch.bool)
    return r.mean(dim=0), _m(r[mask], x[mask])[1]


@wrong("em_step", "the row of a known label is 1 for the class, but the others keep their p(c|x)")
def em_step(x, known, weights, probs):
    r = (_pixels(x, probs) + weights.log()).softmax(dim=1)
    mask = known >= 0
    r[mask, known[mask]] = 1.0
    return _m(r, x)


@wrong("em_step", "-1 is used as an index: images without a label all count for the last class")
def em_step(x, known, weights, probs):
    return _m(torch.eye(len(weights), dtype=x.dtype)[known], x)


@wrong("em_step", "the responsibilities from white pixels only: (1 - θ)^(1 - x) is forgotten")
def em_step(x, known, weights, probs):
    r = (x @ probs.log().T + weights.log()).softmax(dim=1)
    mask = known >= 0
    r[mask] = F.one_hot(known[mask], len(weights)).to(r.dtype)
    return _m(r, x)


@wrong("em_step", "two mistakes: the labels are ignored, and θ has pseudo-counts of 1 and 1")
def em_step(x, known, weights, probs):
    r = (_pixels(x, probs) + weights.log()).softmax(dim=1)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 1)


# ---- exercise 5

def _p(x, weights, offset):
    return torch.sigmoid(x @ weights + offset)


@wrong("logistic_gradient", "the sign: y - p, the gradient of the log-likelihood, with the penalty added")
def logistic_gradient(x, y, weights, offset, penalty):
    e = y - _p(x, weights, offset)
    return x.T @ e + penalty * weights, e.sum()


@wrong("logistic_gradient", "the penalty is subtracted")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return x.T @ e - penalty * weights, e.sum()


@wrong("logistic_gradient", "the mean over examples instead of the sum")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return x.T @ e / len(x) + penalty * weights, e.mean()


@wrong("logistic_gradient", "the offset is penalised, too")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return x.T @ e + penalty * weights, e.sum() + penalty * offset


@wrong("logistic_gradient", "half the penalty: λ/2 w")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return x.T @ e + penalty / 2 * weights, e.sum()


@wrong("logistic_gradient", "twice the penalty: 2 λ w")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return x.T @ e + 2 * penalty * weights, e.sum()


@wrong("logistic_gradient", "the penalty is forgotten")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return x.T @ e, e.sum()


@wrong("logistic_gradient", "the offset is forgotten in the log-odds")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, 0.0) - y
    return x.T @ e + penalty * weights, e.sum()


@wrong("logistic_gradient", "the sigmoid as e^a / (1 + e^a): nan at log-odds of 1000")
def logistic_gradient(x, y, weights, offset, penalty):
    a = (x @ weights + offset).exp()
    e = a / (1 + a) - y
    return x.T @ e + penalty * weights, e.sum()


@wrong("logistic_gradient", "the gradient of the squared error: a factor p (1 - p) too many")
def logistic_gradient(x, y, weights, offset, penalty):
    p = _p(x, weights, offset)
    e = (p - y) * p * (1 - p)
    return x.T @ e + penalty * weights, e.sum()


@wrong("logistic_gradient", "the gradient of the norm instead of half its square: λ w / |w|")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return x.T @ e + penalty * weights / (weights.norm() + 1e-12), e.sum()


@wrong("logistic_gradient", "the hard decision (p > ½) instead of p: the perceptron's rule")
def logistic_gradient(x, y, weights, offset, penalty):
    e = (_p(x, weights, offset) > 0.5).to(x.dtype) - y
    return x.T @ e + penalty * weights, e.sum()


@wrong("logistic_gradient", "p is clamped to [0.01, 0.99] 'for safety'")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset).clamp(0.01, 0.99) - y
    return x.T @ e + penalty * weights, e.sum()


@wrong("logistic_gradient", "the log-odds themselves minus y: linear regression")
def logistic_gradient(x, y, weights, offset, penalty):
    e = x @ weights + offset - y
    return x.T @ e + penalty * weights, e.sum()


@wrong("logistic_gradient", "the penalty once for each example: N λ w")
def logistic_gradient(x, y, weights, offset, penalty):
    e = _p(x, weights, offset) - y
    return (e[:, None] * x + penalty * weights).sum(dim=0), e.sum()


@wrong("logistic_gradient", "two mistakes: the whole gradient has the wrong sign, and the offset's is a mean")
def logistic_gradient(x, y, weights, offset, penalty):
    e = y - _p(x, weights, offset)
    return x.T @ e - penalty * weights, e.mean()


# ---- exercise 6

@wrong("auroc", "ties count for nothing")
def auroc(inliers, outliers):
    return (inliers[:, None] > outliers[None]).double().mean()


@wrong("auroc", "ties count as 1: >= for >")
def auroc(inliers, outliers):
    return (inliers[:, None] >= outliers[None]).double().mean()


@wrong("auroc", "the wrong direction: the probability that an outlier has the larger score")
def auroc(inliers, outliers):
    d = outliers[None] - inliers[:, None]
    return ((d > 0).double() + 0.5 * (d == 0).double()).mean()


@wrong("auroc", "torch.isclose decides on ties, with its relative tolerance of 1e-5: large scores that differ by little are ties")
def auroc(inliers, outliers):
    s, t = inliers[:, None], outliers[None]
    tie = torch.isclose(s, t)
    return (((s > t) & ~tie).double() + 0.5 * tie.double()).mean()


@wrong("auroc", "scores nearer than 1e-6 to each other count as ties")
def auroc(inliers, outliers):
    d = inliers[:, None] - outliers[None]
    return ((d > 1e-6).double() + 0.5 * (d.abs() <= 1e-6).double()).mean()


@wrong("auroc", "the sigmoid of the difference instead of a comparison")
def auroc(inliers, outliers):
    return torch.sigmoid(inliers[:, None] - outliers[None]).mean()


@wrong("auroc", "pairs the scores one by one (the first n of both) instead of all pairs")
def auroc(inliers, outliers):
    n = min(len(inliers), len(outliers))
    d = inliers[:n] - outliers[:n]
    return ((d > 0).double() + 0.5 * (d == 0).double()).mean()


@wrong("auroc", "accuracy at the median of all scores instead of the area")
def auroc(inliers, outliers):
    t = torch.cat([inliers, outliers]).median()
    return 0.5 * (inliers > t).double().mean() + 0.5 * (outliers <= t).double().mean()


@wrong("auroc", "max(A, 1 - A): never below one half")
def auroc(inliers, outliers):
    d = inliers[:, None] - outliers[None]
    a = ((d > 0).double() + 0.5 * (d == 0).double()).mean()
    return torch.maximum(a, 1 - a)


@wrong("auroc", "divides by N² instead of N M (clipped to 1)")
def auroc(inliers, outliers):
    d = inliers[:, None] - outliers[None]
    return (((d > 0).double() + 0.5 * (d == 0).double()).sum() / len(inliers) ** 2).clamp(max=1)


@wrong("auroc", "the ranks by argsort, without a mean rank for ties: a tie counts as 1 (outliers stand first in the stable order)")
def auroc(inliers, outliers):
    n, m = len(inliers), len(outliers)
    order = torch.cat([outliers, inliers]).argsort(stable=True)
    ranks = torch.empty(n + m, dtype=torch.float64)
    ranks[order] = torch.arange(1, n + m + 1, dtype=torch.float64)
    return (ranks[m:].sum() - n * (n + 1) / 2) / (n * m)


@wrong("auroc", "the ranks start at 0, but n (n + 1)/2 is subtracted: too small by 1/M (clipped to 0)")
def auroc(inliers, outliers):
    below = (inliers[:, None] > outliers[None]).double() + 0.5 * (inliers[:, None] == outliers[None]).double()
    return (below.mean() - 1 / len(outliers)).clamp(min=0)


@wrong("auroc", "the scores are taken as log-likelihoods and exponentiated first: all that underflow (or overflow) are ties")
def auroc(inliers, outliers):
    s, t = inliers.exp()[:, None], outliers.exp()[None]
    return ((s > t).double() + 0.5 * (s == t).double()).mean()


@wrong("auroc", "two mistakes: the direction is reversed, and ties count for nothing")
def auroc(inliers, outliers):
    return (inliers[:, None] < outliers[None]).double().mean()


# ---- exercise 7

LOG2PI = math.log(2 * math.pi)


@wrong("expected_log_density", "the spread of the inputs is forgotten: log p at the mean of q")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + 2 * scale_p.log() + (loc_q - loc_p) ** 2 / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "the distance of the means is forgotten")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + 2 * scale_p.log() + scale_q**2 / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "scale is taken as a variance everywhere")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + scale_p.log() + (scale_q + (loc_q - loc_p) ** 2) / scale_p).sum(dim=1)


@wrong("expected_log_density", "log σ instead of 2 log σ in the brackets")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + scale_p.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "q and p are exchanged")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + 2 * scale_q.log() + (scale_p**2 + (loc_q - loc_p) ** 2) / scale_q**2).sum(dim=1)


@wrong("expected_log_density", "the sign is forgotten: the cross-entropy")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return 0.5 * (LOG2PI + 2 * scale_p.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "the mean over features instead of the sum")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + 2 * scale_p.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2).mean(dim=1)


@wrong("expected_log_density", "log 2π once, not once for each feature")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + (2 * scale_p.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2).sum(dim=1))


@wrong("expected_log_density", "log 2π is forgotten")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (2 * scale_p.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "minus the KL divergence of q from p instead of the mean log-density")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -((scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5).sum(dim=1)


@wrong("expected_log_density", "log σ_q instead of log σ_p")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + 2 * scale_q.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "σ_q² is not divided by σ_p²: a missing bracket")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + 2 * scale_p.log() + scale_q**2 + (loc_q - loc_p) ** 2 / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "the square of the sum (σ_q + μ_q - μ_p)² instead of the sum of squares")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (LOG2PI + 2 * scale_p.log() + (scale_q + loc_q - loc_p) ** 2 / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "one random draw of x from q instead of the mean")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    x = loc_q + scale_q * torch.randn_like(loc_q)
    return -0.5 * (LOG2PI + 2 * scale_p.log() + (x - loc_p) ** 2 / scale_p**2).sum(dim=1)


@wrong("expected_log_density", "1e-6 is added to the model's variance in the denominator, and in the logarithm")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    v = scale_p**2 + 1e-6
    return -0.5 * (LOG2PI + v.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / v).sum(dim=1)


@wrong("expected_log_density", "two mistakes: log 2π is forgotten, and the squared distance is divided by σ_p instead of σ_p²")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    return -0.5 * (2 * scale_p.log() + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p).sum(dim=1)


# ---- exercise 8

def _share(scores, ref):
    return (ref[None] <= scores[:, None] + 1e-9).double().mean(dim=1)


@wrong("typicality", "the absolute value's minus sign is forgotten in the scores returned; the share is right")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return -s, _share(s, r)


@wrong("typicality", "no absolute value: log p minus its mean, so that a high density is typical")
def typicality(log_prob, reference):
    s, r = log_prob - reference.mean(), reference - reference.mean()
    return s, _share(s, r)


@wrong("typicality", "the mean of the inputs instead of the held-out data's, for the inputs' scores")
def typicality(log_prob, reference):
    s, r = -(log_prob - log_prob.mean()).abs(), -(reference - reference.mean()).abs()
    return s, _share(s, r)


@wrong("typicality", "the median of the held-out data instead of the mean")
def typicality(log_prob, reference):
    m = reference.quantile(0.5)
    s, r = -(log_prob - m).abs(), -(reference - m).abs()
    return s, _share(s, r)


@wrong("typicality", "the share of held-out data at least as typical: the wrong direction")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return s, (r[None] >= s[:, None] - 1e-9).double().mean(dim=1)


@wrong("typicality", "strictly less: ties do not count")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return s, (r[None] < s[:, None] - 1e-9).double().mean(dim=1)


@wrong("typicality", "no margin: rounding decides on ties from left and right of the mean")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return s, (r[None] <= s[:, None]).double().mean(dim=1)


@wrong("typicality", "the margin on the wrong side: s(x_m) + 1e-9 <= s(x), so that ties do not count")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return s, (r[None] + 1e-9 <= s[:, None]).double().mean(dim=1)


@wrong("typicality", "the share counts held-out data by log p itself, not by their typicality")
def typicality(log_prob, reference):
    s = -(log_prob - reference.mean()).abs()
    return s, _share(log_prob, reference)


@wrong("typicality", "the share compares the inputs' scores with the held-out data's log p")
def typicality(log_prob, reference):
    s = -(log_prob - reference.mean()).abs()
    return s, _share(s, reference)


@wrong("typicality", "the share is among the inputs themselves, not among the held-out data")
def typicality(log_prob, reference):
    s = -(log_prob - reference.mean()).abs()
    return s, _share(s, s)


@wrong("typicality", "the squared distance instead of the absolute one, for inputs and held-out data")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()) ** 2, -(reference - reference.mean()) ** 2
    return s, _share(s, r)


@wrong("typicality", "the distances are divided by the held-out data's standard deviation: not nats")
def typicality(log_prob, reference):
    sd = reference.std(unbiased=False) + 1e-12
    s, r = -(log_prob - reference.mean()).abs() / sd, -(reference - reference.mean()).abs() / sd
    return s, _share(s, r)


@wrong("typicality", "the share is a number of held-out data, not divided by M")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return s, _share(s, r) * len(reference)


@wrong("typicality", "the share is (count + 1) / (M + 1), as of a permutation test")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return s, (_share(s, r) * len(reference) + 1) / (len(reference) + 1)


@wrong("typicality", "a margin of 1e-3 instead of 1e-9: scores that differ by less count as equal")
def typicality(log_prob, reference):
    s, r = -(log_prob - reference.mean()).abs(), -(reference - reference.mean()).abs()
    return s, (r[None] <= s[:, None] + 1e-3).double().mean(dim=1)


@wrong("typicality", "two mistakes: the wrong direction of the share, and the sign of the scores is forgotten")
def typicality(log_prob, reference):
    s, r = (log_prob - reference.mean()).abs(), (reference - reference.mean()).abs()
    return s, (r[None] <= s[:, None] + 1e-9).double().mean(dim=1)
