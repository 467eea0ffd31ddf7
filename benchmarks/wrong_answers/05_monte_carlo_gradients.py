"""Wrong answers that students might hand in for assignment 05.

Format: importing this file fills the list WRONG with tuples (exercise name, mistake in a sentence, function). Each function
has the exact name and signature that the notebook asks for, returns the right shapes, and does not mean to crash. It holds one
mistake; those whose description begins with "two mistakes:" hold two. Some are right on easy inputs and wrong only on hard ones (large
logits, many entries, K != R, ...); their description says so. Functions use only the imports below and the helpers that the
notebook itself defines (copied here where needed). The source of a function: `inspect.getsource(function)`.
"""
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




# ---- monte_carlo_estimate ----
@wrong("monte_carlo_estimate", "standard deviation of the values, without the division by S")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, variance.sqrt()


@wrong("monte_carlo_estimate", "divides by S, not by its root")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, variance.sqrt() / S


@wrong("monte_carlo_estimate", "variance with S in place of S - 1")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / S
    return mean, (variance / S).sqrt()


@wrong("monte_carlo_estimate", "divides by S - 1 twice")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (variance / (S - 1)).sqrt()


@wrong("monte_carlo_estimate", "forgets the root: variance / S")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, variance / S


@wrong("monte_carlo_estimate", "divides by the root of S within the root")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (variance / S**0.5).sqrt()


@wrong("monte_carlo_estimate", "divides by the number of functions K in place of S")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (variance / values.shape[1]).sqrt()


@wrong("monte_carlo_estimate", "mean over all draws and functions, one number repeated (standard errors right)")
def monte_carlo_estimate(values):
    S, K = values.shape
    mean = values.mean(dim=1).mean() * torch.ones(K, dtype=values.dtype)
    return mean, values.std(dim=0) / S**0.5


@wrong("monte_carlo_estimate", "one standard error for all functions, from all values")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, values.std() / S**0.5 * torch.ones_like(mean)


@wrong("monte_carlo_estimate", "variance around the mean of all functions")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - values.mean()) ** 2).sum(dim=0) / (S - 1)
    return mean, (variance / S).sqrt()


@wrong("monte_carlo_estimate", "root mean square, the mean not taken off")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = (values**2).sum(dim=0) / (S - 1)
    return mean, (variance / S).sqrt()


@wrong("monte_carlo_estimate", "two standard errors, as for error bars")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, 2 * (variance / S).sqrt()


@wrong("monte_carlo_estimate", "1.96 standard errors, a confidence interval")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, 1.96 * (variance / S).sqrt()


@wrong("monte_carlo_estimate", "sum in place of mean")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return values.sum(dim=0), (variance / S).sqrt()


@wrong("monte_carlo_estimate", "mean divided by S - 1")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return values.sum(dim=0) / (S - 1), (variance / S).sqrt()


@wrong("monte_carlo_estimate", "the median for the mean")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return values.median(dim=0).values, (variance / S).sqrt()


@wrong("monte_carlo_estimate", "mean absolute deviation for the standard deviation")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (values - mean).abs().mean(dim=0) / S**0.5


@wrong("monte_carlo_estimate", "E[f^2] - E[f]^2 in single precision: loses digits where the mean is large")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    v = values.float()
    variance = (((v**2).mean(dim=0) - v.mean(dim=0) ** 2).clamp(min=0) * S / (S - 1)).to(values.dtype)
    return mean, (variance / S).sqrt()


@wrong("monte_carlo_estimate", "multiplies by root S")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (variance * S).sqrt()


@wrong("monte_carlo_estimate", "standard error of a difference: root 2 too large")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (2 * variance / S).sqrt()


@wrong("monte_carlo_estimate", "relative error: divided by the mean")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (variance / S).sqrt() / mean.abs()


@wrong("monte_carlo_estimate", "error of the last half of the draws only, for both values")
def monte_carlo_estimate(values):
    values = values[len(values) // 2 :]
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / (S - 1)
    return mean, (variance / S).sqrt()


@wrong("monte_carlo_estimate", "two mistakes: S in place of S - 1, no root of S")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = ((values - mean) ** 2).sum(dim=0) / S
    return mean, variance.sqrt()


@wrong("monte_carlo_estimate", "two mistakes: mean not taken off, variance not rooted")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    variance = (values**2).sum(dim=0) / (S - 1)
    return mean, variance / S



# ---- score_gradients ----
@wrong("score_gradients", "wrong sign of the derivative by mu")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (mu - z) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "wrong sign of the derivative by sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * (1 / sigma - (z - mu) ** 2 / sigma**3)
    return by_mu, by_sigma


@wrong("score_gradients", "divides by sigma, not by sigma^2, in the derivative by mu (right for sigma 1)")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "derivative by sigma without - 1 / sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3)
    return by_mu, by_sigma


@wrong("score_gradients", "derivative by sigma: + 1 / sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 + 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "sigma^2 in place of sigma^3 (right for sigma 1)")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**2 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "derivative by log sigma (right for sigma 1)")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**2 - 1)
    return by_mu, by_sigma


@wrong("score_gradients", "derivative by the variance")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / (2 * sigma**4) - 1 / (2 * sigma**2))
    return by_mu, by_sigma


@wrong("score_gradients", "half of the quadratic term kept")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / (2 * sigma**3) - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "half of the derivative by mu kept")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / (2 * sigma**2)
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "sigma taken for a variance (right for sigma 1)")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma
    by_sigma = f * ((z - mu) ** 2 / (2 * sigma**2) - 1 / (2 * sigma))
    return by_mu, by_sigma


@wrong("score_gradients", "forgets f: returns the scores")
def score_gradients(f_values, z, mu, sigma):
    f = torch.ones_like(f_values[:, None])
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "f minus its mean over the draws: a baseline that nobody asked for")
def score_gradients(f_values, z, mu, sigma):
    f = (f_values - f_values.mean())[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "f minus the mean of the other draws (leave one out)")
def score_gradients(f_values, z, mu, sigma):
    f = (f_values - (f_values.sum() - f_values) / (len(f_values) - 1))[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "divides by S, so that the sum is the estimate")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None] / len(f_values)
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "averages over the draws, and repeats")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu.mean(dim=0).expand_as(z), by_sigma.mean(dim=0).expand_as(z)


@wrong("score_gradients", "adds the log-density: f log q in place of f times its derivative")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (-((z - mu) ** 2) / (2 * sigma**2) - sigma.log() - 0.5 * math.log(2 * math.pi))
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "each entry gets the scores of all, added over the entries (right for K = 1)")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu.sum(dim=1, keepdim=True).expand_as(z), by_sigma.sum(dim=1, keepdim=True).expand_as(z)


@wrong("score_gradients", "multiplies the score by the density as well: derivative of q, not of log q")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    q = torch.exp(-0.5 * ((z - mu) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    return q * by_mu, q * by_sigma


@wrong("score_gradients", "weighs by log |f| in place of f")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None].abs().clamp(min=1e-12).log()
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "mean of the draws in place of mu")
def score_gradients(f_values, z, mu, sigma):
    mu = z.mean(dim=0)
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "standard deviation of the draws in place of sigma")
def score_gradients(f_values, z, mu, sigma):
    sigma = z.std(dim=0)
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "z not centred in the derivative by mu (right for mu 0)")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * z / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "square forgotten in the derivative by sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "negative: gradient of a loss")
def score_gradients(f_values, z, mu, sigma):
    f = -f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_mu, by_sigma


@wrong("score_gradients", "by_mu and by_sigma swapped")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return by_sigma, by_mu


@wrong("score_gradients", "clips the scores to [-3, 3] (right for draws in the middle)")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
    return f * ((z - mu) / sigma**2).clamp(-3, 3), f * ((z - mu) ** 2 / sigma**3 - 1 / sigma).clamp(-3, 3)


@wrong("score_gradients", "two mistakes: sigma for sigma^2, no - 1 / sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu = f * (z - mu) / sigma
    by_sigma = f * ((z - mu) ** 2 / sigma**3)
    return by_mu, by_sigma


@wrong("score_gradients", "two mistakes: baseline taken off, derivative by log sigma")
def score_gradients(f_values, z, mu, sigma):
    f = (f_values - f_values.mean())[:, None]
    by_mu = f * (z - mu) / sigma**2
    by_sigma = f * ((z - mu) ** 2 / sigma**2 - 1)
    return by_mu, by_sigma



# ---- leave_one_out ----
@wrong("leave_one_out", "takes the mean of all draws off, the own one too")
def leave_one_out(values):
    S = len(values)
    baseline = values.mean(dim=0)
    return values - baseline


@wrong("leave_one_out", "divides by S in place of S - 1")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / S
    return values - baseline


@wrong("leave_one_out", "returns the baseline")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / (S - 1)
    return baseline


@wrong("leave_one_out", "baseline minus value: wrong sign")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / (S - 1)
    return baseline - values


@wrong("leave_one_out", "leaves out the problem in place of the draw: mean of the other columns (over dim 1)")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=1, keepdim=True) - values) / max(values.shape[1] - 1, 1)
    return values - baseline


@wrong("leave_one_out", "mean of all problems and draws but the own one")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum() - values) / (values.numel() - 1)
    return values - baseline


@wrong("leave_one_out", "divides the sum of all draws by S - 1, without leaving the own one out")
def leave_one_out(values):
    S = len(values)
    baseline = values.sum(dim=0) / (S - 1)
    return values - baseline


@wrong("leave_one_out", "sum of the other draws, not divided")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values)
    return values - baseline


@wrong("leave_one_out", "adds the baseline")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / (S - 1)
    return values + baseline


@wrong("leave_one_out", "leaves out the next draw in place of the own one")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values.roll(-1, 0)) / (S - 1)
    return values - baseline


@wrong("leave_one_out", "the previous draw's value as the baseline")
def leave_one_out(values):
    S = len(values)
    baseline = values.roll(1, 0)
    return values - baseline


@wrong("leave_one_out", "the mean of the draws before, a running mean (0 for the first)")
def leave_one_out(values):
    S = len(values)
    baseline = (values.cumsum(dim=0) - values) / torch.arange(S, dtype=values.dtype)[:, None].clamp(min=1)
    return values - baseline


@wrong("leave_one_out", "leaves the first draw out for all")
def leave_one_out(values):
    S = len(values)
    baseline = values[1:].mean(dim=0)
    return values - baseline


@wrong("leave_one_out", "divides by the standard deviation as well, as in policy gradients")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / (S - 1)
    return (values - baseline) / values.std(dim=0)


@wrong("leave_one_out", "median of the draws")
def leave_one_out(values):
    S = len(values)
    baseline = values.median(dim=0).values
    return values - baseline


@wrong("leave_one_out", "corrects the wrong way: mean of all, then (S - 1) / S times the deviation")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / (S - 1)
    return (values - values.mean(dim=0)) * (S - 1) / S


@wrong("leave_one_out", "baseline (S - 1) in the wrong place: (sum - value / (S - 1))")
def leave_one_out(values):
    S = len(values)
    baseline = values.sum(dim=0) - values / (S - 1)
    return values - baseline


@wrong("leave_one_out", "precedence: value / (S - 1) is taken off the mean")
def leave_one_out(values):
    S = len(values)
    baseline = values.mean(dim=0) - values / (S - 1)
    return values - baseline


@wrong("leave_one_out", "off by one: S - 2 in the denominator")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / max(S - 2, 1)
    return values - baseline


@wrong("leave_one_out", "takes the own value off twice: sum - 2 value")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - 2 * values) / (S - 1)
    return values - baseline


@wrong("leave_one_out", "the mean of the other draws' absolute values")
def leave_one_out(values):
    S = len(values)
    baseline = (values.abs().sum(dim=0) - values.abs()) / (S - 1)
    return values - baseline


@wrong("leave_one_out", "scales the baseline by K in place of S")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / max(values.shape[1] - 1, 1)
    return values - baseline


@wrong("leave_one_out", "only the first half of the draws gets a baseline")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / (S - 1)
    return torch.cat([(values - baseline)[: S // 2], values[S // 2 :]])


@wrong("leave_one_out", "two mistakes: mean of all, wrong sign")
def leave_one_out(values):
    S = len(values)
    baseline = values.mean(dim=0)
    return baseline - values


@wrong("leave_one_out", "two mistakes: S in place of S - 1, baseline added")
def leave_one_out(values):
    S = len(values)
    baseline = (values.sum(dim=0) - values) / S
    return values + baseline



# ---- path_gradients ----
@wrong("path_gradients", "derivative by sigma, not by log sigma (right for sigma 1)")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * eps


@wrong("path_gradients", "log_sigma taken for a log-variance in the draws, and its factor 1/2 forgotten")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(0.5 * log_sigma)
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "log_sigma taken for a log-variance consistently, with the factor 1/2")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(0.5 * log_sigma)
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, 0.5 * by_mu * sigma * eps


@wrong("path_gradients", "log_sigma taken for sigma")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "wrong sign: gradient of the squared error, not of the log-likelihood")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (z @ A.T - x) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "forgets eps in the derivative by log sigma")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma


@wrong("path_gradients", "forgets the derivative of z by sigma altogether: the same as by mu")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu


@wrong("path_gradients", "multiplies by z, not by sigma eps (right for mu 0)")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * z


@wrong("path_gradients", "subtracts 1, the entropy's derivative with the wrong sign")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps - 1


@wrong("path_gradients", "adds the entropy's derivative, + 1, that belongs to the evidence lower bound")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps + 1


@wrong("path_gradients", "adds the prior's gradient, - z")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A - z
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "adds the KL's gradient: - mu and 1 - sigma^2")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu - mu, by_mu * sigma * eps + 1 - sigma**2


@wrong("path_gradients", "no half: the gradient of ||x - A z||^2, negative, is twice as large")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = 2 * (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "half the gradient: the 1/2 kept after differentiating")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = 0.5 * (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "divides by the number of pixels")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A / len(x)
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "divides by the number of draws")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A / len(eps)
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "averages over the draws, and repeats")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu.mean(dim=0).expand_as(z), (by_mu * sigma * eps).mean(dim=0).expand_as(z)


@wrong("path_gradients", "gradient at the mean code, not at each draw")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = ((x - mu @ A.T) @ A).expand_as(z)
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "takes A to have orthonormal columns: x A - z (right only for such A)")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = x @ A - z
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "pseudo-inverse in place of the transpose: moves to the least-squares solution")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ torch.linalg.pinv(A).T
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "scales by sigma in the derivative by mu as well")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu * sigma, by_mu * sigma * eps


@wrong("path_gradients", "sigma^2 in the derivative by log sigma")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma**2 * eps


@wrong("path_gradients", "sigma eps^2 in the derivative by log sigma")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps**2


@wrong("path_gradients", "z = mu - sigma eps")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu - sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "forgets mu in the draws")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "sigma by softplus")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = F.softplus(log_sigma)
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "forgets the x: gradient of the decoder's own energy")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = -(z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "score function estimate by mu, f times eps / sigma, in place of the path's")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    f = -0.5 * ((x - z @ A.T) ** 2).sum(dim=1, keepdim=True)
    by_mu = f * eps / sigma
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "autograd of the mean over the draws: by_mu of each draw is divided by S (by_log_sigma is put right)")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = (mu + sigma * eps).detach().requires_grad_()
    f = -0.5 * ((x - z @ A.T) ** 2).sum(dim=1).mean()
    (by_mu,) = torch.autograd.grad(f, z)
    return z.detach(), by_mu, by_mu * sigma * eps * len(eps)


@wrong("path_gradients", "clamps log_sigma to [-1, 1] (right in between)")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.clamp(-1, 1).exp()
    z = mu + sigma * eps
    by_mu = (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma * eps


@wrong("path_gradients", "two mistakes: wrong sign, derivative by sigma")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = (z @ A.T - x) @ A
    return z, by_mu, by_mu * eps


@wrong("path_gradients", "two mistakes: factor 2, eps forgotten")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    by_mu = 2 * (x - z @ A.T) @ A
    return z, by_mu, by_mu * sigma



# ---- measure_valued_pair ----
@wrong("measure_valued_pair", "forgets the 2: W = sqrt(-log u)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-u.log())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "forgets the root: W = -2 log u")
def measure_valued_pair(u, mu, sigma):
    w = -2 * u.log()
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "half in place of 2: sqrt(-log(u) / 2)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-0.5 * u.log())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "an exponential variable: W = -log u")
def measure_valued_pair(u, mu, sigma):
    w = -u.log()
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "inverts 1 - u, the distribution function, in place of u")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * torch.log1p(-u))
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "different W for the two draws: 1 - u for the lower one")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    v = torch.sqrt(-2 * torch.log1p(-u))
    return mu + sigma * w, mu - sigma * v, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "different W for the two draws: rows rolled by one (not coupled)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w.roll(1, 0), 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "constant without sigma (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, torch.ones_like(sigma) / math.sqrt(2 * math.pi)


@wrong("measure_valued_pair", "constant with 2 pi, not its root")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * (2 * math.pi))


@wrong("measure_valued_pair", "constant with root pi")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(math.pi))


@wrong("measure_valued_pair", "constant: multiplies by sigma (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, sigma / math.sqrt(2 * math.pi)


@wrong("measure_valued_pair", "precedence: 1 / sigma times root 2 pi")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, 1 / sigma * math.sqrt(2 * math.pi)


@wrong("measure_valued_pair", "constant with sigma^2 (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma**2 * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "constant with root sigma, as if sigma were a variance (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, 1 / torch.sqrt(2 * math.pi * sigma)


@wrong("measure_valued_pair", "half the constant: averages the two draws")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu - sigma * w, 0.5 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "plus and minus swapped")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu - sigma * w, mu + sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "both draws upwards: mu + sigma W twice")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, mu + sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "lower draw mirrored at 0, not at mu (right for mu 0)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma * w, -(mu + sigma * w), 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "variance for scale: sigma^2 W (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma**2 * w, mu - sigma**2 * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "root sigma W (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + sigma.sqrt() * w, mu - sigma.sqrt() * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "sigma forgotten in the draws (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return mu + w, mu - w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "mu forgotten in the draws (right for mu 0)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return sigma * w, -sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "mu inside of the scale: sigma (mu +- W) (right for sigma 1)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log())
    return sigma * (mu + w), sigma * (mu - w), 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "base 10 logarithm")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log10())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "base 2 logarithm")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.log2())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "half-normal W: |Phi^-1(u / 2)|")
def measure_valued_pair(u, mu, sigma):
    w = torch.special.ndtri(u / 2).abs()
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "a normal draw: W = Phi^-1(u), which may be negative")
def measure_valued_pair(u, mu, sigma):
    w = torch.special.ndtri(u)
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "u itself for W")
def measure_valued_pair(u, mu, sigma):
    w = u
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "density of W in place of its inverse: w exp(-w^2 / 2) at u")
def measure_valued_pair(u, mu, sigma):
    w = u * torch.exp(-(u**2) / 2)
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "exp in place of log: solves the wrong way round, W = exp(-u^2 / 2)")
def measure_valued_pair(u, mu, sigma):
    w = torch.exp(-(u**2) / 2)
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "clamps u to at least 0.01 (right for larger u)")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * u.clamp(min=1e-2).log())
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "adds 1e-2 to u in the logarithm")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * (u + 1e-2).log().clamp(max=0))
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "two mistakes: no 2, constant without sigma")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-u.log())
    return mu + sigma * w, mu - sigma * w, torch.ones_like(sigma) / math.sqrt(2 * math.pi)


@wrong("measure_valued_pair", "two mistakes: plus and minus swapped, 1 - u")
def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * torch.log1p(-u))
    return mu - sigma * w, mu + sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))



# ---- coin_gradients ----
@wrong("coin_gradients", "derivative by p, not by the logit")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "values swapped: p weighs f(0)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = p * values[:, 0] + (1 - p) * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 0] - values[:, 1])


@wrong("coin_gradients", "values swapped in the expectation only")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = p * values[:, 0] + (1 - p) * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "wrong sign of the gradient: f(0) - f(1)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 0] - values[:, 1])


@wrong("coin_gradients", "logits taken for probabilities (clamped)")
def coin_gradients(logits, values):
    p = logits.clamp(0, 1)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "p in place of p (1 - p) in the gradient")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "1 - p in place of p (1 - p)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "p^2 in place of p (1 - p)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p**2 * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "root of p (1 - p), the standard deviation, for the variance")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, (p * (1 - p)).sqrt() * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "derivative of the sigmoid with the logit: a (1 - a)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, logits * (1 - logits) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "tanh's derivative, 1 - p^2")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, (1 - p**2) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "f(1) only in the gradient (right for f(0) = 0)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * values[:, 1]


@wrong("coin_gradients", "f(1) only in the expectation (right for f(0) = 0)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "expectation without 1 - p: f(0) + p f(1)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "score function weighted by probabilities with the wrong score: f(1) p (1 - p) + f(0) p (1 - p)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] + values[:, 0])


@wrong("coin_gradients", "average of the two values for a fair coin, whatever the logit")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = values.mean(dim=1)
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "the value of the more likely outcome")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = torch.where(p > 0.5, values[:, 1], values[:, 0])
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "gradient by autograd of the mean over coins: divided by K")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) / len(p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "gradient of the sum is taken for all: one number, repeated")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    total = (p * (1 - p) * (values[:, 1] - values[:, 0])).sum()
    return expectation, total * torch.ones_like(p)


@wrong("coin_gradients", "gradient times the expectation (log-derivative without care)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, expectation * p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "gradient of the logarithm of the expectation")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0]) / expectation.abs().clamp(min=1e-12)


@wrong("coin_gradients", "exp(logit) for p: no normalisation (clamped to 1)")
def coin_gradients(logits, values):
    p = logits.exp().clamp(max=1)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "softmax over the coins for p")
def coin_gradients(logits, values):
    p = torch.softmax(logits, dim=0)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "clamps p to [0.01, 0.99] (right in between)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits).clamp(0.01, 0.99)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "squares the sigmoid's slope: chain rule used twice")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, (p * (1 - p)) ** 2 * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "probit: normal distribution function for the sigmoid")
def coin_gradients(logits, values):
    p = torch.special.ndtr(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "exponentials, not stable: exp(a) / (1 + exp(a)) is nan for large logits")
def coin_gradients(logits, values):
    p = logits.exp() / (1 + logits.exp())
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "two mistakes: values swapped in the expectation, derivative by p")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = p * values[:, 0] + (1 - p) * values[:, 1]
    return expectation, (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "two mistakes: f(1) only in both")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = p * values[:, 1]
    return expectation, p * (1 - p) * values[:, 1]



# ---- relaxed_coins ----
@wrong("relaxed_coins", "slope without 1 / temperature (right for temperature 1)")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z)


@wrong("relaxed_coins", "multiplies by the temperature in the coin (right for 1)")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) * temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "multiplies the slope by the temperature (right for 1)")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) * temperature


@wrong("relaxed_coins", "temperature divides the noise only")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid(logits + g / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "temperature divides the logits only")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid(logits / temperature + g)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "temperature forgotten in the coin (right for 1)")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid(logits + g)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "wrong sign of the noise")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits - g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "Gumbel noise, -log(-log u), in place of logistic")
def relaxed_coins(logits, u, temperature):
    g = -(-u.log()).log()
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "noise log u only")
def relaxed_coins(logits, u, temperature):
    g = u.log()
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "sum of the logarithms: log u + log(1 - u)")
def relaxed_coins(logits, u, temperature):
    g = u.log() + torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "normal noise: Phi^-1(u)")
def relaxed_coins(logits, u, temperature):
    g = torch.special.ndtri(u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "uniform noise, u - 1/2")
def relaxed_coins(logits, u, temperature):
    g = u - 0.5
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "a Gumbel difference with the same variable twice: no noise")
def relaxed_coins(logits, u, temperature):
    g = torch.zeros_like(u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "slope p (1 - p) of the expected coin")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    p = torch.sigmoid(logits)
    return z, (p * (1 - p)).expand_as(z)


@wrong("relaxed_coins", "slope z / temperature")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z / temperature


@wrong("relaxed_coins", "slope z (1 + z) / temperature")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 + z) / temperature


@wrong("relaxed_coins", "slope 1 - z^2, tanh's")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, (1 - z**2) / temperature


@wrong("relaxed_coins", "slope over temperature squared")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature**2


@wrong("relaxed_coins", "rounds the coins to 0 and 1 (straight through), slope of the relaxed ones")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return (z > 0.5).to(z.dtype), z * (1 - z) / temperature


@wrong("relaxed_coins", "rounds first, so that the slope is 0")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    z = (z > 0.5).to(z.dtype)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "logits taken for probabilities: adds log p - log(1 - p) of a sigmoid cut to [0.01, 0.99]")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    p = torch.sigmoid(logits).clamp(0.01, 0.99)
    z = torch.sigmoid((p.log() - torch.log1p(-p) + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "unstable: log p - log(1 - p) of the sigmoid, infinite for large logits")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    p = torch.sigmoid(logits)
    z = torch.sigmoid((p.log() - (1 - p).log() + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "unstable: exp(a) / (1 + exp(a)), nan for large arguments")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    e = torch.exp((logits + g) / temperature)
    z = e / (1 + e)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "log probabilities in place of logits: logsigmoid(a) + g")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((F.logsigmoid(logits) + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "sigmoid of the logits plus noise: the sigmoid applied twice")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((torch.sigmoid(logits) + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "noise of the first draw for all")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    g = g[:1].expand_as(u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "noise of the first entry for all entries (right for K = 1)")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    g = g[:, :1].expand_as(u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "slope averaged over the draws, repeated")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, (z * (1 - z) / temperature).mean(dim=0).expand_as(z)


@wrong("relaxed_coins", "logarithm of u + 1e-2 and 1 - u + 1e-2 (right in the middle)")
def relaxed_coins(logits, u, temperature):
    g = (u + 1e-2).log() - (1 - u + 1e-2).log()
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "base 10 logarithms")
def relaxed_coins(logits, u, temperature):
    g = u.log10() - (1 - u).log10()
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "turned round: 1 - z, the probability of 0")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    z = 1 - z
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "softmax over the entries in place of a sigmoid")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.softmax((logits + g) / temperature, dim=1)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "derivative by the temperature in place of the logit")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, -z * (1 - z) * (logits + g) / temperature**2


@wrong("relaxed_coins", "temperature at least 0.5 'for stability' (right for hotter ones)")
def relaxed_coins(logits, u, temperature):
    temperature = max(temperature, 0.5)
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits + g) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "two mistakes: slope without 1 / temperature, wrong sign of the noise")
def relaxed_coins(logits, u, temperature):
    g = u.log() - torch.log1p(-u)
    z = torch.sigmoid((logits - g) / temperature)
    return z, z * (1 - z)


@wrong("relaxed_coins", "two mistakes: Gumbel noise, temperature multiplied")
def relaxed_coins(logits, u, temperature):
    g = -(-u.log()).log()
    z = torch.sigmoid((logits + g) * temperature)
    return z, z * (1 - z) / temperature



# ---- minibatch_gradient ----
@wrong("minibatch_gradient", "the prior is scaled as well (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * (prior + per_example.mean(dim=0))


@wrong("minibatch_gradient", "scales prior and sum by N / M (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples / len(per_example) * (prior + per_example.sum(dim=0))


@wrong("minibatch_gradient", "forgets the prior (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "the prior once for each example of the batch (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return len(per_example) * prior + num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "the prior scaled by M / N (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return prior * len(per_example) / num_examples + num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "the prior divided by N (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return prior / num_examples + num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "the prior divided by M (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return prior / len(per_example) + num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "the prior taken off, as a penalty (right for a flat prior)")
def minibatch_gradient(per_example, prior, num_examples):
    return -prior + num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "not scaled: the sum over the batch")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + per_example.sum(dim=0)


@wrong("minibatch_gradient", "not scaled: the mean over the batch")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + per_example.mean(dim=0)


@wrong("minibatch_gradient", "scales the sum by N, without the division by M")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples * per_example.sum(dim=0)


@wrong("minibatch_gradient", "scaled upside down: M / N times the sum")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + len(per_example) / num_examples * per_example.sum(dim=0)


@wrong("minibatch_gradient", "scales by N - 1")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + (num_examples - 1) * per_example.mean(dim=0)


@wrong("minibatch_gradient", "divides by M - 1")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples * per_example.sum(dim=0) / max(len(per_example) - 1, 1)


@wrong("minibatch_gradient", "scales the mean by N / M")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples / len(per_example) * per_example.mean(dim=0)


@wrong("minibatch_gradient", "scales by the root of N / M")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + (num_examples / len(per_example)) ** 0.5 * per_example.sum(dim=0)


@wrong("minibatch_gradient", "the mean of everything: posterior gradient per example, divided by N")
def minibatch_gradient(per_example, prior, num_examples):
    return (prior + num_examples * per_example.mean(dim=0)) / num_examples


@wrong("minibatch_gradient", "divides by the number of entries K in place of M")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples * per_example.sum(dim=0) / per_example.shape[1]


@wrong("minibatch_gradient", "mean over examples and entries: one number for all entries (right for K = 1)")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples * per_example.mean()


@wrong("minibatch_gradient", "number of batches rounded down: N // M times the sum (right where M divides N)")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples // len(per_example) * per_example.sum(dim=0)


@wrong("minibatch_gradient", "number of batches rounded up (right where M divides N)")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + math.ceil(num_examples / len(per_example)) * per_example.sum(dim=0)


@wrong("minibatch_gradient", "only the rest is estimated: sum of the batch plus (N - M) times the first example")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + per_example.sum(dim=0) + (num_examples - len(per_example)) * per_example[0]


@wrong("minibatch_gradient", "sum of the batch plus the mean of the rest, counted once")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + per_example.sum(dim=0) + (num_examples - len(per_example)) / num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "the first example stands for all: N times its gradient (right for M = 1)")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples * per_example[0]


@wrong("minibatch_gradient", "the median over the batch, robust but biased")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples * per_example.median(dim=0).values


@wrong("minibatch_gradient", "multiplies by the prior in place of adding")
def minibatch_gradient(per_example, prior, num_examples):
    return prior * num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "clips the gradient to length 1")
def minibatch_gradient(per_example, prior, num_examples):
    gradient = prior + num_examples * per_example.mean(dim=0)
    return gradient / gradient.norm().clamp(min=1.0)


@wrong("minibatch_gradient", "negative: gradient of the loss")
def minibatch_gradient(per_example, prior, num_examples):
    return -(prior + num_examples * per_example.mean(dim=0))


@wrong("minibatch_gradient", "negative likelihood, positive prior")
def minibatch_gradient(per_example, prior, num_examples):
    return prior - num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "centres the per-example gradients first, so that only the prior is left")
def minibatch_gradient(per_example, prior, num_examples):
    return prior + num_examples * (per_example - per_example.mean(dim=0)).sum(dim=0)


@wrong("minibatch_gradient", "two mistakes: prior forgotten, sum not scaled")
def minibatch_gradient(per_example, prior, num_examples):
    return per_example.sum(dim=0)


@wrong("minibatch_gradient", "two mistakes: prior scaled by N, sum not divided by M")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * (prior + per_example.sum(dim=0))


EXERCISES = {exercise for exercise, _, _ in WRONG}
assert len(EXERCISES) == 8
assert all(sum(exercise == name for exercise, _, _ in WRONG) >= 12 for name in EXERCISES)
assert len(WRONG) >= 12 * 8
