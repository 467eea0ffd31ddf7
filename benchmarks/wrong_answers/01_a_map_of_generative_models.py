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


# ---------------------------------------------------------------- Exercise 1: class_log_probs


@wrong("class_log_probs", "leaves the logarithms: exp, divide, log, so 0/0 = nan where all likelihoods of an example underflow")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior.exp() * log_likelihood.exp()
    return (joint / joint.sum(dim=1, keepdim=True)).log()


@wrong("class_log_probs", "normalises over the examples (dim 0) instead of the classes")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior + log_likelihood
    return joint - joint.logsumexp(dim=0, keepdim=True)


@wrong("class_log_probs", "the prior is forgotten: all classes equally probable beforehand")
def class_log_probs(log_prior, log_likelihood):
    return log_likelihood - log_likelihood.logsumexp(dim=1, keepdim=True)


@wrong("class_log_probs", "returns log p(x, y): the denominator is forgotten")
def class_log_probs(log_prior, log_likelihood):
    return log_prior + log_likelihood


@wrong("class_log_probs", "returns probabilities, not their logarithms")
def class_log_probs(log_prior, log_likelihood):
    return torch.softmax(log_prior + log_likelihood, dim=1)


@wrong("class_log_probs", "adds the prior after the likelihoods are normalised: rows no longer sum to 1")
def class_log_probs(log_prior, log_likelihood):
    return log_prior + torch.log_softmax(log_likelihood, dim=1)


@wrong("class_log_probs", "adds 1e-12 inside the last logarithm: no value is below -27.6")
def class_log_probs(log_prior, log_likelihood):
    return (torch.softmax(log_prior + log_likelihood, dim=1) + 1e-12).log()


@wrong("class_log_probs", "subtracts one maximum, of the whole table: examples far less probable than the best one still underflow")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior + log_likelihood
    joint = joint - joint.max()
    return joint - joint.exp().sum(dim=1, keepdim=True).log()


@wrong("class_log_probs", "subtracts the largest class's value of each row in place of the logarithm of the sum")
def class_log_probs(log_prior, log_likelihood):
    joint = log_prior + log_likelihood
    return joint - joint.max(dim=1, keepdim=True).values


@wrong("class_log_probs", "clamps log p(x, y) at -700 to prevent underflow: less probable examples get a uniform posterior")
def class_log_probs(log_prior, log_likelihood):
    joint = (log_prior + log_likelihood).clamp(min=-700)
    return (joint.exp() / joint.exp().sum(dim=1, keepdim=True)).log()


@wrong("class_log_probs", "two mistakes: the prior is forgotten, and the result is in probabilities, not logarithms")
def class_log_probs(log_prior, log_likelihood):
    return torch.softmax(log_likelihood, dim=1)


@wrong("class_log_probs", "two mistakes: adds p(y) itself, not its logarithm, and divides by log 2: bits for nats")
def class_log_probs(log_prior, log_likelihood):
    return torch.log_softmax(log_prior.exp() + log_likelihood, dim=1) / math.log(2)


@wrong("class_log_probs", "the right values, but the prior is added to the argument log_likelihood in place")
def class_log_probs(log_prior, log_likelihood):
    log_likelihood += log_prior
    return log_likelihood - log_likelihood.logsumexp(dim=1, keepdim=True)


# ---------------------------------------------------------------- Exercise 2: linear_classifier


@wrong("linear_classifier", "the variance of all examples around their common mean, not around their classes' means")
def linear_classifier(x, y):
    mu0, mu1 = x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)
    var = x.var(dim=0, unbiased=False)
    weights = (mu1 - mu0) / var
    offset = math.log((y == 1).sum().item() / (y == 0).sum().item()) - ((mu1**2 - mu0**2) / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "divides the squared deviations by N - 2 (unbiased) instead of N")
def linear_classifier(x, y):
    mu0, mu1 = x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)
    deviations = torch.cat([x[y == 0] - mu0, x[y == 1] - mu1])
    var = deviations.square().sum(dim=0) / (len(x) - 2)
    weights = (mu1 - mu0) / var
    offset = math.log((y == 1).sum().item() / (y == 0).sum().item()) - ((mu1**2 - mu0**2) / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "the plain mean of the two classes' variances, whatever their shares")
def linear_classifier(x, y):
    mu0, mu1 = x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)
    var = 0.5 * (x[y == 0].var(dim=0, unbiased=False) + x[y == 1].var(dim=0, unbiased=False))
    weights = (mu1 - mu0) / var
    offset = math.log((y == 1).sum().item() / (y == 0).sum().item()) - ((mu1**2 - mu0**2) / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "log π1/π0 is missing from the offset")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean(dim=0)
    weights = (mu[1] - mu[0]) / var
    offset = -((mu[1] ** 2 - mu[0] ** 2) / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "log π0/π1 in the offset instead of log π1/π0")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean(dim=0)
    share = y.double().mean()
    weights = (mu[1] - mu[0]) / var
    offset = torch.log((1 - share) / share) - ((mu[1] ** 2 - mu[0] ** 2) / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "divides by standard deviations instead of variances")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    std = (x - mu[y]).square().mean(dim=0).sqrt()
    share = y.double().mean()
    weights = (mu[1] - mu[0]) / std
    offset = torch.log(share / (1 - share)) - ((mu[1] ** 2 - mu[0] ** 2) / (2 * std)).sum()
    return weights, offset


@wrong("linear_classifier", "the 2 in the offset's denominator is forgotten")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean(dim=0)
    share = y.double().mean()
    weights = (mu[1] - mu[0]) / var
    offset = torch.log(share / (1 - share)) - ((mu[1] ** 2 - mu[0] ** 2) / var).sum()
    return weights, offset


@wrong("linear_classifier", "the squared difference of the means in the offset, not the difference of their squares")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean(dim=0)
    share = y.double().mean()
    weights = (mu[1] - mu[0]) / var
    offset = torch.log(share / (1 - share)) - ((mu[1] - mu[0]) ** 2 / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "one variance for all features: the mean over examples and features")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean()
    share = y.double().mean()
    weights = (mu[1] - mu[0]) / var
    offset = torch.log(share / (1 - share)) - ((mu[1] ** 2 - mu[0] ** 2) / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "each class has its own variances: w = μ1/σ1² - μ0/σ0²")
def linear_classifier(x, y):
    zero, one = x[y == 0], x[y == 1]
    mu0, mu1 = zero.mean(dim=0), one.mean(dim=0)
    var0, var1 = (zero - mu0).square().mean(dim=0), (one - mu1).square().mean(dim=0)
    weights = mu1 / var1 - mu0 / var0
    offset = math.log(len(one) / len(zero)) - 0.5 * (mu1**2 / var1 - mu0**2 / var0).sum()
    return weights, offset


@wrong("linear_classifier", "the shared full covariance matrix (LDA) instead of independent features")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    centred = x - mu[y]
    inverse = torch.linalg.pinv(centred.T @ centred / len(x))
    share = y.double().mean()
    weights = inverse @ (mu[1] - mu[0])
    offset = torch.log(share / (1 - share)) - 0.5 * (mu[1] @ inverse @ mu[1] - mu[0] @ inverse @ mu[0])
    return weights, offset


@wrong("linear_classifier", "two mistakes: the classes are exchanged in the weights (μ0 - μ1), and the offset's sum over features is a mean")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean(dim=0)
    share = y.double().mean()
    weights = (mu[0] - mu[1]) / var
    offset = torch.log(share / (1 - share)) - ((mu[1] ** 2 - mu[0] ** 2) / (2 * var)).mean()
    return weights, offset


@wrong("linear_classifier", "two mistakes: log π1 in place of log π1/π0, and + instead of - before the sum in the offset")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean(dim=0)
    weights = (mu[1] - mu[0]) / var
    offset = y.double().mean().log() + ((mu[1] ** 2 - mu[0] ** 2) / (2 * var)).sum()
    return weights, offset


@wrong("linear_classifier", "adds 1e-3 to the variances against division by zero: weights of features with a small spread are too small")
def linear_classifier(x, y):
    mu = torch.stack([x[y == 0].mean(dim=0), x[y == 1].mean(dim=0)])
    var = (x - mu[y]).square().mean(dim=0) + 1e-3
    share = y.double().mean()
    weights = (mu[1] - mu[0]) / var
    offset = torch.log(share / (1 - share)) - ((mu[1] ** 2 - mu[0] ** 2) / (2 * var)).sum()
    return weights, offset


# ---------------------------------------------------------------- Exercise 3: log_mixture


@wrong("log_mixture", "multiplies probabilities and takes the logarithm last: -inf where all p(x|c) underflow")
def log_mixture(x, weights, probs):
    p = torch.where(x[:, None] == 1, probs, 1 - probs).prod(dim=2)
    return (p @ weights).log()


@wrong("log_mixture", "only the ones count: (1 - x) log(1 - θ) is forgotten")
def log_mixture(x, weights, probs):
    log_likelihood = torch.xlogy(x[:, None], probs).sum(dim=2)
    return torch.logsumexp(weights.log() + log_likelihood, dim=1)


@wrong("log_mixture", "the weights are forgotten: the likelihoods of the classes are summed")
def log_mixture(x, weights, probs):
    log_likelihood = torch.where(x[:, None] == 1, probs, 1 - probs).log().sum(dim=2)
    return torch.logsumexp(log_likelihood, dim=1)


@wrong("log_mixture", "the weighted mean of log p(x|c), not the logarithm of the weighted mean")
def log_mixture(x, weights, probs):
    log_likelihood = torch.where(x[:, None] == 1, probs, 1 - probs).log().sum(dim=2)
    return log_likelihood @ weights


@wrong("log_mixture", "the largest of log π_c p(x|c) instead of the logarithm of the sum")
def log_mixture(x, weights, probs):
    log_likelihood = torch.where(x[:, None] == 1, probs, 1 - probs).log().sum(dim=2)
    return (weights.log() + log_likelihood).max(dim=1).values


@wrong("log_mixture", "adds 1e-300 before the last logarithm: no image is less probable than -691 nats")
def log_mixture(x, weights, probs):
    p = torch.where(x[:, None] == 1, probs, 1 - probs).prod(dim=2)
    return (p @ weights + 1e-300).log()


@wrong("log_mixture", "the classes are equally probable, whatever the weights: minus log C")
def log_mixture(x, weights, probs):
    log_likelihood = torch.where(x[:, None] == 1, probs, 1 - probs).log().sum(dim=2)
    return torch.logsumexp(log_likelihood, dim=1) - math.log(len(weights))


@wrong("log_mixture", "θ is taken for the probability of a 0")
def log_mixture(x, weights, probs):
    log_likelihood = torch.where(x[:, None] == 1, 1 - probs, probs).log().sum(dim=2)
    return torch.logsumexp(weights.log() + log_likelihood, dim=1)


@wrong("log_mixture", "mixes each pixel by itself: the product over pixels of Σ_c π_c θ_cd, not the mixture of products")
def log_mixture(x, weights, probs):
    mean = weights @ probs
    return torch.where(x == 1, mean, 1 - mean).log().sum(dim=1)


@wrong("log_mixture", "clamps θ to [0.01, 0.99] against log 0")
def log_mixture(x, weights, probs):
    probs = probs.clamp(0.01, 0.99)
    log_likelihood = x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    return torch.logsumexp(weights.log() + log_likelihood, dim=1)


@wrong("log_mixture", "subtracts one maximum of the whole table before exp: -inf for images far less probable than the best one")
def log_mixture(x, weights, probs):
    joint = weights.log() + torch.where(x[:, None] == 1, probs, 1 - probs).log().sum(dim=2)
    top = joint.max()
    return top + (joint - top).exp().sum(dim=1).log()


@wrong("log_mixture", "matrix products with log θ and log(1 - θ): 0 · log 0 = nan where a θ is 0 or 1")
def log_mixture(x, weights, probs):
    log_likelihood = x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    return torch.logsumexp(weights.log() + log_likelihood, dim=1)


@wrong("log_mixture", "two mistakes: the mean over pixels instead of the sum, and weights added without their logarithm")
def log_mixture(x, weights, probs):
    log_likelihood = torch.where(x[:, None] == 1, probs, 1 - probs).log().mean(dim=2)
    return torch.logsumexp(weights + log_likelihood, dim=1)


@wrong("log_mixture", "two mistakes: multiplies log p(x|c) by the weights inside the logsumexp, and only the ones of the image count")
def log_mixture(x, weights, probs):
    log_likelihood = torch.xlogy(x[:, None], probs).sum(dim=2)
    return torch.logsumexp(weights * log_likelihood, dim=1)


# ---------------------------------------------------------------- Exercise 4: em_step


@wrong("em_step", "the labels are ignored: all responsibilities come from the model")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "r[n, known[n]] = 1 for all rows: the index -1 puts every unlabelled image into the last class")
def em_step(x, known, weights, probs):
    r = x.new_zeros(len(x), len(weights))
    r[torch.arange(len(x)), known] = 1
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "known > 0 instead of known >= 0: a label of class 0 counts as no label")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = known > 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "sets the labelled class's responsibility to 1 but leaves the other classes' values in the row")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = (known >= 0).nonzero()[:, 0]
    r[has, known[has]] = 1
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "the new weights are the mean responsibilities of the images without a label only")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    new = r[~has].mean(dim=0) if (~has).any() else r.mean(dim=0)
    return new, (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "the pseudo-counts are forgotten")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r.T @ x) / r.sum(dim=0)[:, None]


@wrong("em_step", "adds the number of classes, not 2, to the denominator of θ")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + len(weights))


@wrong("em_step", "unlabelled images belong wholly to their most probable class (hard assignment)")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    c = torch.where(known >= 0, known, joint.argmax(dim=1))
    r = F.one_hot(c, len(weights)).to(x.dtype)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "the E step forgets the weights π")
def em_step(x, known, weights, probs):
    r = torch.softmax(x @ probs.log().T + (1 - x) @ (1 - probs).log().T, dim=1)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "the weights get pseudo-counts too: (Σ r + 1) / (N + C)")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return (r.sum(dim=0) + 1) / (len(x) + len(weights)), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "the E step multiplies probabilities: 0/0 = nan where all p(x|c) underflow")
def em_step(x, known, weights, probs):
    joint = weights * torch.where(x[:, None] == 1, probs, 1 - probs).prod(dim=2)
    r = joint / joint.sum(dim=1, keepdim=True)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "θ is computed from the images with a label only")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r[has].T @ x[has] + 1) / (r[has].sum(dim=0)[:, None] + 2)


@wrong("em_step", "two mistakes: responsibilities are normalised over the images (dim 0), and log(1 - θ) of the zeros is left out")
def em_step(x, known, weights, probs):
    r = torch.softmax(weights.log() + x @ probs.log().T, dim=0)
    has = known >= 0
    r[has] = F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r.T @ x + 1) / (r.sum(dim=0)[:, None] + 2)


@wrong("em_step", "two mistakes: the one-hot label is added to the model's responsibilities instead of replacing them, and θ is divided by N + 2")
def em_step(x, known, weights, probs):
    joint = weights.log() + x @ probs.log().T + (1 - x) @ (1 - probs).log().T
    r = torch.softmax(joint, dim=1)
    has = known >= 0
    r[has] += F.one_hot(known[has], len(weights)).to(r.dtype)
    return r.mean(dim=0), (r.T @ x + 1) / (len(x) + 2)


# ---------------------------------------------------------------- Exercise 5: logistic_gradient


@wrong("logistic_gradient", "y - p instead of p - y in the likelihood's part of both gradients")
def logistic_gradient(x, y, weights, offset, penalty):
    error = y - torch.sigmoid(x @ weights + offset)
    return x.T @ error + penalty * weights, error.sum()


@wrong("logistic_gradient", "the mean over the examples instead of the sum, in both gradients")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights + offset) - y
    return x.T @ error / len(x) + penalty * weights, error.mean()


@wrong("logistic_gradient", "the offset is penalised too")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights + offset) - y
    return x.T @ error + penalty * weights, error.sum() + penalty * offset


@wrong("logistic_gradient", "the penalty's gradient is 2 λ w: the half is forgotten")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights + offset) - y
    return x.T @ error + 2 * penalty * weights, error.sum()


@wrong("logistic_gradient", "the penalty's gradient is λ/2 w")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights + offset) - y
    return x.T @ error + penalty / 2 * weights, error.sum()


@wrong("logistic_gradient", "the penalty is forgotten")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights + offset) - y
    return x.T @ error, error.sum()


@wrong("logistic_gradient", "the gradient of half the squared error: an additional factor p (1 - p) in each example")
def logistic_gradient(x, y, weights, offset, penalty):
    p = torch.sigmoid(x @ weights + offset)
    error = (p - y) * p * (1 - p)
    return x.T @ error + penalty * weights, error.sum()


@wrong("logistic_gradient", "the offset is forgotten in p")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights) - y
    return x.T @ error + penalty * weights, error.sum()


@wrong("logistic_gradient", "p = e^a / (1 + e^a): inf/inf = nan where the logit is above 709")
def logistic_gradient(x, y, weights, offset, penalty):
    logit = x @ weights + offset
    error = logit.exp() / (1 + logit.exp()) - y
    return x.T @ error + penalty * weights, error.sum()


@wrong("logistic_gradient", "the formula for labels -1 and 1 with labels 0 and 1: examples of class 0 contribute nothing")
def logistic_gradient(x, y, weights, offset, penalty):
    error = -y * torch.sigmoid(-y * (x @ weights + offset))
    return x.T @ error + penalty * weights, error.sum()


@wrong("logistic_gradient", "the penalty's gradient is λ w / |w|, that of λ |w|")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights + offset) - y
    return x.T @ error + penalty * weights / weights.norm().clamp(min=1e-12), error.sum()


@wrong("logistic_gradient", "p is the decision 0 or 1 (the perceptron's rule), not a probability")
def logistic_gradient(x, y, weights, offset, penalty):
    error = (x @ weights + offset > 0).to(x.dtype) - y
    return x.T @ error + penalty * weights, error.sum()


@wrong("logistic_gradient", "two mistakes: the penalty is subtracted, and the offset's gradient is a mean over the examples")
def logistic_gradient(x, y, weights, offset, penalty):
    error = torch.sigmoid(x @ weights + offset) - y
    return x.T @ error - penalty * weights, error.mean()


@wrong("logistic_gradient", "two mistakes: the gradient of the log-likelihood minus penalty (all signs reversed), and the penalty multiplied by N")
def logistic_gradient(x, y, weights, offset, penalty):
    error = y - torch.sigmoid(x @ weights + offset)
    return x.T @ error - len(x) * penalty * weights, error.sum()


# ---------------------------------------------------------------- Exercise 6: auroc


@wrong("auroc", "the wrong way round: P(s < t), for scores that are larger for outliers")
def auroc(inliers, outliers):
    s, t = inliers[:, None], outliers[None, :]
    return ((s < t).double() + 0.5 * (s == t).double()).mean()


@wrong("auroc", "ties count nothing")
def auroc(inliers, outliers):
    return (inliers[:, None] > outliers[None, :]).double().mean()


@wrong("auroc", "ties count fully")
def auroc(inliers, outliers):
    return (inliers[:, None] >= outliers[None, :]).double().mean()


@wrong("auroc", "pairs the first with the first, the second with the second, and so on, not each with each")
def auroc(inliers, outliers):
    n = min(len(inliers), len(outliers))
    s, t = inliers[:n], outliers[:n]
    return ((s > t).double() + 0.5 * (s == t).double()).mean()


@wrong("auroc", "the larger of AUROC and 1 - AUROC: never below one half")
def auroc(inliers, outliers):
    s, t = inliers[:, None], outliers[None, :]
    value = ((s > t).double() + 0.5 * (s == t).double()).mean()
    return torch.maximum(value, 1 - value)


@wrong("auroc", "P(s > t) - P(s < t), which is 2 AUROC - 1")
def auroc(inliers, outliers):
    s, t = inliers[:, None], outliers[None, :]
    return (s > t).double().mean() - (s < t).double().mean()


@wrong("auroc", "compares the data with the outliers' mean score only")
def auroc(inliers, outliers):
    t = outliers.mean()
    return ((inliers > t).double() + 0.5 * (inliers == t).double()).mean()


@wrong("auroc", "rank formula with N (N - 1) / 2 subtracted from ranks that start at 1: too large by 1 / M")
def auroc(inliers, outliers):
    scores = torch.cat([inliers, outliers])
    below = (scores[None, :] < scores[:, None]).double().sum(dim=1)
    equal = (scores[None, :] == scores[:, None]).double().sum(dim=1)
    ranks = below + (equal + 1) / 2
    n, m = len(inliers), len(outliers)
    return (ranks[:n].sum() - n * (n - 1) / 2) / (n * m)


@wrong("auroc", "the formula for Gaussian scores: Φ of the means' difference over the root of the summed variances")
def auroc(inliers, outliers):
    spread = (inliers.var(unbiased=False) + outliers.var(unbiased=False)).sqrt().clamp(min=1e-12)
    return torch.special.ndtr((inliers.mean() - outliers.mean()) / spread)


@wrong("auroc", "the area by trapezoids over ten evenly spaced thresholds between the smallest and the largest score: too coarse")
def auroc(inliers, outliers):
    scores = torch.cat([inliers, outliers])
    thresholds = torch.linspace(float(scores.max()), float(scores.min()), 10, dtype=torch.float64)
    tpr = torch.stack([(inliers >= t).double().mean() for t in thresholds])
    fpr = torch.stack([(outliers >= t).double().mean() for t in thresholds])
    return torch.trapezoid(tpr, fpr)


@wrong("auroc", "torch.unique removes repeated scores within the data and within the outliers first")
def auroc(inliers, outliers):
    s, t = torch.unique(inliers)[:, None], torch.unique(outliers)[None, :]
    return ((s > t).double() + 0.5 * (s == t).double()).mean()


@wrong("auroc", "torch.isclose decides on ties: scores like -1500 and -1500.01 count as equal")
def auroc(inliers, outliers):
    s, t = inliers[:, None], outliers[None, :]
    tie = torch.isclose(s, t)
    return (((s > t) & ~tie).double() + 0.5 * tie.double()).mean()


@wrong("auroc", "the best accuracy that any threshold reaches, not the area")
def auroc(inliers, outliers):
    thresholds = torch.cat([inliers, outliers, torch.cat([inliers, outliers]).max()[None] + 1])
    right = (inliers[None, :] >= thresholds[:, None]).double().sum(dim=1)
    right = right + (outliers[None, :] < thresholds[:, None]).double().sum(dim=1)
    return right.max() / (len(inliers) + len(outliers))


@wrong("auroc", "two mistakes: P(s < t), and ties count nothing")
def auroc(inliers, outliers):
    return (inliers[:, None] < outliers[None, :]).double().mean()


@wrong("auroc", "two mistakes: ties count fully, and the count is divided by N² instead of N M")
def auroc(inliers, outliers):
    return (inliers[:, None] >= outliers[None, :]).double().sum() / len(inliers) ** 2


# ---------------------------------------------------------------- Exercise 7: expected_log_density


@wrong("expected_log_density", "the minus sign is forgotten: the cross-entropy")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    return 0.5 * (math.log(2 * math.pi) + 2 * scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "log 2π is forgotten")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    return -0.5 * (2 * scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "log 2π is added once, not once per dimension")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    return -0.5 * (math.log(2 * math.pi) + (2 * scale_p.log() + ratio).sum(dim=1))


@wrong("expected_log_density", "log p at the mean of q: q's variance is forgotten")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (loc_q - loc_p) ** 2 / scale_p**2
    return -0.5 * (math.log(2 * math.pi) + 2 * scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "the distance of the means is forgotten")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = scale_q**2 / scale_p**2
    return -0.5 * (math.log(2 * math.pi) + 2 * scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "log σ_p instead of 2 log σ_p")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    return -0.5 * (math.log(2 * math.pi) + scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "scales are taken for variances")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q + (loc_q - loc_p) ** 2) / scale_p
    return -0.5 * (math.log(2 * math.pi) + scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "the mean over the dimensions instead of the sum")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    return -0.5 * (math.log(2 * math.pi) + 2 * scale_p.log() + ratio).mean(dim=1)


@wrong("expected_log_density", "p and q exchanged: the mean of log q over inputs from p")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_p**2 + (loc_q - loc_p) ** 2) / scale_q**2
    return -0.5 * (math.log(2 * math.pi) + 2 * scale_q.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "minus KL(q‖p): q's entropy is added")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    return (scale_q.log() - scale_p.log() + 0.5 - 0.5 * ratio).sum(dim=1)


@wrong("expected_log_density", "(σ_q + μ_q - μ_p)² instead of σ_q² + (μ_q - μ_p)²")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = ((scale_q + loc_q - loc_p) / scale_p) ** 2
    return -0.5 * (math.log(2 * math.pi) + 2 * scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "only the squared distance of the means is divided by σ_p², not σ_q²")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = scale_q**2 + (loc_q - loc_p) ** 2 / scale_p**2
    return -0.5 * (math.log(2 * math.pi) + 2 * scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "an estimate from 1000 fixed draws from q instead of the closed form")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    noise = torch.randn(1000, *loc_q.shape, dtype=loc_q.dtype, generator=torch.Generator().manual_seed(0))
    z = (loc_q + scale_q * noise - loc_p) / scale_p
    return -0.5 * (math.log(2 * math.pi) + 2 * scale_p.log() + z**2).sum(dim=2).mean(dim=0)


@wrong("expected_log_density", "two mistakes: the factor one half is forgotten, and σ_p instead of σ_p² in the denominator")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p
    return -(math.log(2 * math.pi) + 2 * scale_p.log() + ratio).sum(dim=1)


@wrong("expected_log_density", "two mistakes: log σ_q in place of log σ_p, and log 2π is forgotten")
def expected_log_density(loc_q, scale_q, loc_p, scale_p):
    ratio = (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2
    return -0.5 * (2 * scale_q.log() + ratio).sum(dim=1)


# ---------------------------------------------------------------- Exercise 8: typicality


@wrong("typicality", "the mean is that of the inputs, not of the held-out data")
def typicality(log_prob, reference):
    usual = log_prob.mean()
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    return scores, (own[None, :] <= scores[:, None] + 1e-9).double().mean(dim=1)


@wrong("typicality", "the minus sign is forgotten in the scores, which are positive; the share is right")
def typicality(log_prob, reference):
    usual = reference.mean()
    scores, own = (log_prob - usual).abs(), (reference - usual).abs()
    return scores, (own[None, :] >= scores[:, None] - 1e-9).double().mean(dim=1)


@wrong("typicality", "the share of held-out data that are at least as typical: the inequality is reversed")
def typicality(log_prob, reference):
    usual = reference.mean()
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    return scores, (own[None, :] >= scores[:, None] - 1e-9).double().mean(dim=1)


@wrong("typicality", "strictly less typical: equality does not count")
def typicality(log_prob, reference):
    usual = reference.mean()
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    return scores, (own[None, :] < scores[:, None] - 1e-9).double().mean(dim=1)


@wrong("typicality", "the median of the held-out data in place of their mean")
def typicality(log_prob, reference):
    usual = reference.quantile(0.5)
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    return scores, (own[None, :] <= scores[:, None] + 1e-9).double().mean(dim=1)


@wrong("typicality", "the share compares log p(x), not scores: whatever is too probable counts as typical")
def typicality(log_prob, reference):
    scores = -(log_prob - reference.mean()).abs()
    return scores, (reference[None, :] <= log_prob[:, None] + 1e-9).double().mean(dim=1)


@wrong("typicality", "the squared distance in place of the absolute one in the scores; the share is right")
def typicality(log_prob, reference):
    usual = reference.mean()
    distance, own = (log_prob - usual).abs(), (reference - usual).abs()
    return -distance.square(), (own[None, :] >= distance[:, None] - 1e-9).double().mean(dim=1)


@wrong("typicality", "the scores are divided by the held-out data's standard deviation")
def typicality(log_prob, reference):
    usual, spread = reference.mean(), reference.std(unbiased=False).clamp(min=1e-12)
    scores, own = -((log_prob - usual) / spread).abs(), -((reference - usual) / spread).abs()
    return scores, (own[None, :] <= scores[:, None] + 1e-9).double().mean(dim=1)


@wrong("typicality", "the share is (count + 1) / (M + 1), as for a p-value")
def typicality(log_prob, reference):
    usual = reference.mean()
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    count = (own[None, :] <= scores[:, None] + 1e-9).double().sum(dim=1)
    return scores, (count + 1) / (len(reference) + 1)


@wrong("typicality", "the share is counted among the inputs, not among the held-out data")
def typicality(log_prob, reference):
    scores = -(log_prob - reference.mean()).abs()
    return scores, (scores[None, :] <= scores[:, None] + 1e-9).double().mean(dim=1)


@wrong("typicality", "the usual value is the logarithm of the mean density, not the mean of the log-density")
def typicality(log_prob, reference):
    usual = torch.logsumexp(reference, dim=0) - math.log(len(reference))
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    return scores, (own[None, :] <= scores[:, None] + 1e-9).double().mean(dim=1)


@wrong("typicality", "the share is twice the smaller tail of log p (the two-sided p-value), not the share of scores")
def typicality(log_prob, reference):
    scores = -(log_prob - reference.mean()).abs()
    lower = (reference[None, :] <= log_prob[:, None] + 1e-9).double().mean(dim=1)
    upper = (reference[None, :] >= log_prob[:, None] - 1e-9).double().mean(dim=1)
    return scores, (2 * torch.minimum(lower, upper)).clamp(max=1)


@wrong("typicality", "no margin in the comparison: rounding decides on ties left and right of the mean")
def typicality(log_prob, reference):
    usual = reference.mean()
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    return scores, (own[None, :] <= scores[:, None]).double().mean(dim=1)


@wrong("typicality", "two mistakes: no absolute value in the scores (usual minus log p), and the count is divided by N instead of M")
def typicality(log_prob, reference):
    usual = reference.mean()
    scores, own = usual - log_prob, usual - reference
    return scores, (own[None, :] <= scores[:, None] + 1e-9).double().sum(dim=1) / len(log_prob)


@wrong("typicality", "two mistakes: the share is that of at least as typical held-out data, and it is strict")
def typicality(log_prob, reference):
    usual = reference.mean()
    scores, own = -(log_prob - usual).abs(), -(reference - usual).abs()
    return scores, (own[None, :] > scores[:, None] + 1e-9).double().mean(dim=1)
