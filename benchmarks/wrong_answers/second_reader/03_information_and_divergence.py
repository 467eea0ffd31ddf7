"""Wrong answers that students might hand in for assignment 03."""
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


# ---------------------------------------------------------------- Exercise 1: entropy_bits


@wrong("entropy_bits", "the natural logarithm: nats for bits")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.xlogy(p, p).sum(dim=1)


@wrong("entropy_bits", "0 log 0 is left to floating point: nan for every text that lacks a symbol")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -(p * torch.log2(p)).sum(dim=1)


@wrong("entropy_bits", "nan is replaced by 0 after the sum: entropy 0 for every text that lacks a symbol")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return torch.nan_to_num(-(p * torch.log2(p)).sum(dim=1))


@wrong("entropy_bits", "the counts are divided by the total over all texts, not by each text's own")
def entropy_bits(counts):
    p = counts / counts.sum()
    return -torch.where(p > 0, p * torch.log2(torch.where(p > 0, p, 1.0)), 0.0).sum(dim=1)


@wrong("entropy_bits", "the minus sign is forgotten")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return torch.where(p > 0, p * torch.log2(torch.where(p > 0, p, 1.0)), 0.0).sum(dim=1)


@wrong("entropy_bits", "the mean of -p log2 p over the L symbols instead of the sum")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(torch.where(p > 0, p, 1.0)), 0.0).mean(dim=1)


@wrong("entropy_bits", "symbols that are missing in any one of the texts are left out of all texts' sums")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    p = p[:, (counts > 0).all(dim=0)]
    return -(p * torch.log2(p)).sum(dim=1)


@wrong("entropy_bits", "1 is added to all counts (Laplace smoothing), so that no logarithm is infinite")
def entropy_bits(counts):
    smoothed = counts + 1
    p = smoothed / smoothed.sum(dim=1, keepdim=True)
    return -(p * torch.log2(p)).sum(dim=1)


@wrong("entropy_bits", "zero counts are overwritten in the argument by a tiny number (the returned entropies are right)")
def entropy_bits(counts):
    counts[counts == 0] = 1e-100
    p = counts / counts.sum(dim=1, keepdim=True)
    return -(p * torch.log2(p)).sum(dim=1)


@wrong("entropy_bits", "the unweighted mean of -log2 p over the symbols that occur, instead of the mean under p")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    surprise = torch.where(p > 0, -torch.log2(torch.where(p > 0, p, 1.0)), 0.0)
    return surprise.sum(dim=1) / (p > 0).sum(dim=1)


@wrong("entropy_bits", "two mistakes: the natural logarithm, and nan replaced by 0 after the sum")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return torch.nan_to_num(-(p * torch.log(p)).sum(dim=1))


@wrong("entropy_bits", "two mistakes: the counts are divided by each symbol's total over the texts (the wrong axis), and the natural logarithm")
def entropy_bits(counts):
    p = counts / counts.sum(dim=0).clamp(min=1)
    return -torch.xlogy(p, p).sum(dim=1)


# ---------------------------------------------------------------- Exercise 2: kl_discrete


@wrong("kl_discrete", "the other direction, KL(p ‖ q), with the terms where q = 0 left out")
def kl_discrete(q, p):
    safe = torch.where(q > 0, q, 1.0)
    return torch.where(q > 0, p * (p / safe).log(), 0.0).sum(dim=1)


@wrong("kl_discrete", "0 log 0 is left to floating point: nan for every example with a zero in q")
def kl_discrete(q, p):
    return (q * (q / p).log()).sum(dim=1)


@wrong("kl_discrete", "nan is replaced by 0 after the sum: divergence 0 for every example with a zero in q")
def kl_discrete(q, p):
    return torch.nan_to_num((q * (q.log() - p.log())).sum(dim=1), nan=0.0)


@wrong("kl_discrete", "the logarithm to base 2: bits for nats")
def kl_discrete(q, p):
    return torch.where(q > 0, q * torch.log2(torch.where(q > 0, q, 1.0) / p), 0.0).sum(dim=1)


@wrong("kl_discrete", "the mean over the L outcomes instead of the sum")
def kl_discrete(q, p):
    return (torch.xlogy(q, q) - q * p.log()).mean(dim=1)


@wrong("kl_discrete", "the cross-entropy -Σ q log p, the entropy of q is not subtracted")
def kl_discrete(q, p):
    return -(q * p.log()).sum(dim=1)


@wrong("kl_discrete", "the absolute value of every term is summed, since a divergence is not negative")
def kl_discrete(q, p):
    return (torch.xlogy(q, q) - q * p.log()).abs().sum(dim=1)


@wrong("kl_discrete", "negative terms are set to 0 before the sum")
def kl_discrete(q, p):
    return (torch.xlogy(q, q) - q * p.log()).clamp(min=0).sum(dim=1)


@wrong("kl_discrete", "p is normalised again over the outcomes that q allows")
def kl_discrete(q, p):
    p = torch.where(q > 0, p, 0.0)
    p = p / p.sum(dim=1, keepdim=True)
    safe_q, safe_p = torch.where(q > 0, q, 1.0), torch.where(q > 0, p, 1.0)
    return (q * (safe_q / safe_p).log()).sum(dim=1)


@wrong("kl_discrete", "every entry is the mean of the divergences over the batch")
def kl_discrete(q, p):
    kl = (torch.xlogy(q, q) - q * p.log()).sum(dim=1)
    return torch.full_like(kl, float(kl.mean()))


@wrong("kl_discrete", "two mistakes: the other direction, KL(p ‖ q) (terms where q = 0 left out), and in bits")
def kl_discrete(q, p):
    safe = torch.where(q > 0, q, 1.0)
    return torch.where(q > 0, p * torch.log2(p / safe), 0.0).sum(dim=1)


@wrong("kl_discrete", "two mistakes: log p - log q instead of log q - log p, and the mean over the outcomes instead of the sum")
def kl_discrete(q, p):
    return (q * p.log() - torch.xlogy(q, q)).mean(dim=1)


# ---------------------------------------------------------------- Exercise 3: kl_gaussians


@wrong("kl_gaussians", "the other direction, KL(p ‖ q)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_q / scale_p) + (scale_p**2 + (loc_q - loc_p) ** 2) / (2 * scale_q**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the scales are used as variances")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = 0.5 * torch.log(scale_p / scale_q) + (scale_q + (loc_q - loc_p) ** 2) / (2 * scale_p) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the mean over the K coordinates instead of the sum")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.mean(dim=1)


@wrong("kl_gaussians", "the ½ is subtracted once, after the sum, instead of once for each coordinate")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2)
    return terms.sum(dim=1) - 0.5


@wrong("kl_gaussians", "the logarithm is upside down: log(scale_q / scale_p)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_q / scale_p) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the ½ is taken out of the logarithm of the standard deviations too: ½ log(scale_p / scale_q)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / scale_p**2 - 1
    return 0.5 * terms.sum(dim=1)


@wrong("kl_gaussians", "the formula for a standard normal p: loc_p and scale_p are ignored")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    return 0.5 * (loc_q**2 + scale_q**2 - 1 - 2 * scale_q.log()).sum(dim=1)


@wrong("kl_gaussians", "the squared distance of the means is divided by 2 scale_q² instead of 2 scale_p²")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_p / scale_q) + scale_q**2 / (2 * scale_p**2) + (loc_q - loc_p) ** 2 / (2 * scale_q**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the divergences of the coordinates are multiplied instead of added")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.prod(dim=1)


@wrong("kl_gaussians", "the denominator is (2 scale_p)², four times scale_p² instead of twice")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p) ** 2 - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "two mistakes: the other direction, KL(p ‖ q), and the mean over the coordinates instead of the sum")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_q / scale_p) + (scale_p**2 + (loc_q - loc_p) ** 2) / (2 * scale_q**2) - 0.5
    return terms.mean(dim=1)


@wrong("kl_gaussians", "two mistakes: the denominator 2 scale_p is not squared, and the ½ is subtracted once instead of for each coordinate")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = torch.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p)
    return terms.sum(dim=1) - 0.5


# ---------------------------------------------------------------- Exercise 4: kl_full


@wrong("kl_full", "the other direction, KL(p ‖ q)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_q, covariance_p))
    quadratic = d @ torch.linalg.solve(covariance_q, d)
    return 0.5 * (trace - len(d) + quadratic + torch.logdet(covariance_q) - torch.logdet(covariance_p))


@wrong("kl_full", "the logarithms of the determinants themselves, which underflow (or overflow) for many coordinates")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    inverse = torch.linalg.inv(covariance_p)
    log_dets = torch.log(torch.linalg.det(covariance_p)) - torch.log(torch.linalg.det(covariance_q))
    return 0.5 * (torch.trace(inverse @ covariance_q) - len(d) + d @ inverse @ d + log_dets)


@wrong("kl_full", "1e-12 is added to the determinants before their logarithms: finite, but wrong for small determinants")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    inverse = torch.linalg.inv(covariance_p)
    log_dets = torch.log(torch.linalg.det(covariance_p) + 1e-12) - torch.log(torch.linalg.det(covariance_q) + 1e-12)
    return 0.5 * (torch.trace(inverse @ covariance_q) - len(d) + d @ inverse @ d + log_dets)


@wrong("kl_full", "the signs of the two log-determinants are exchanged")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    inverse = torch.linalg.inv(covariance_p)
    log_dets = torch.logdet(covariance_q) - torch.logdet(covariance_p)
    return 0.5 * (torch.trace(inverse @ covariance_q) - len(d) + d @ inverse @ d + log_dets)


@wrong("kl_full", "1 is subtracted instead of K, as in one dimension")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    inverse = torch.linalg.inv(covariance_p)
    log_dets = torch.logdet(covariance_p) - torch.logdet(covariance_q)
    return 0.5 * (torch.trace(inverse @ covariance_q) - 1 + d @ inverse @ d + log_dets)


@wrong("kl_full", "all entries of Σ_p⁻¹ Σ_q are summed instead of the diagonal ones")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    inverse = torch.linalg.inv(covariance_p)
    log_dets = torch.logdet(covariance_p) - torch.logdet(covariance_q)
    return 0.5 * ((inverse @ covariance_q).sum() - len(d) + d @ inverse @ d + log_dets)


@wrong("kl_full", "only the diagonals of the covariances are used")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    v_q, v_p = torch.diag(covariance_q), torch.diag(covariance_p)
    return 0.5 * (v_q / v_p - 1 + (loc_p - loc_q) ** 2 / v_p + v_p.log() - v_q.log()).sum()


@wrong("kl_full", "the log-determinants are the sums of the logarithms of the Cholesky factors' diagonals, without the factor 2")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    L_q, L_p = torch.linalg.cholesky(covariance_q), torch.linalg.cholesky(covariance_p)
    inverse = torch.cholesky_inverse(L_p)
    log_dets = torch.diag(L_p).log().sum() - torch.diag(L_q).log().sum()
    return 0.5 * (torch.trace(inverse @ covariance_q) - len(d) + d @ inverse @ d + log_dets)


@wrong("kl_full", "the quadratic form of the means uses Σ_q⁻¹ instead of Σ_p⁻¹")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    quadratic = d @ torch.linalg.solve(covariance_q, d)
    return 0.5 * (trace - len(d) + quadratic + torch.logdet(covariance_p) - torch.logdet(covariance_q))


@wrong("kl_full", "the ½ is applied to the trace, K and the quadratic form only, not to the log-determinants")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    inverse = torch.linalg.inv(covariance_p)
    log_dets = torch.logdet(covariance_p) - torch.logdet(covariance_q)
    return 0.5 * (torch.trace(inverse @ covariance_q) - len(d) + d @ inverse @ d) + log_dets


@wrong("kl_full", "two mistakes: the other direction, KL(p ‖ q), and the logarithms of the determinants themselves, which underflow for many coordinates")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_q - loc_p
    inverse = torch.linalg.inv(covariance_q)
    log_dets = torch.log(torch.linalg.det(covariance_q) / torch.linalg.det(covariance_p))
    return 0.5 * (torch.trace(inverse @ covariance_p) - len(d) + d @ inverse @ d + log_dets)


@wrong("kl_full", "two mistakes: the signs of the log-determinants are exchanged, and the quadratic form uses Σ_p instead of its inverse")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    log_dets = torch.logdet(covariance_q) - torch.logdet(covariance_p)
    return 0.5 * (trace - len(d) + d @ covariance_p @ d + log_dets)


# ---------------------------------------------------------------- Exercise 5: kl_estimate


@wrong("kl_estimate", "the terms are log p - log q: the estimate has the wrong sign")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    t = Normal(loc_p, scale_p).log_prob(z) - Normal(loc_q, scale_q).log_prob(z)
    return t.mean(), t.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the second value is the standard deviation of the terms, not divided by sqrt(S)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    t = Normal(loc_q, scale_q).log_prob(z) - Normal(loc_p, scale_p).log_prob(z)
    return t.mean(), t.std()


@wrong("kl_estimate", "the standard deviation divides by S instead of S - 1")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    t = Normal(loc_q, scale_q).log_prob(z) - Normal(loc_p, scale_p).log_prob(z)
    return t.mean(), t.std(correction=0) / math.sqrt(len(z))


@wrong("kl_estimate", "the scales are used as variances in the densities")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    def log_normal(m, v):
        return -0.5 * math.log(2 * math.pi * v) - (z - m) ** 2 / (2 * v)

    t = log_normal(loc_q, scale_q) - log_normal(loc_p, scale_p)
    return t.mean(), t.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the -log scale of the normal densities is forgotten, as if all constants cancelled")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    t = -0.5 * ((z - loc_q) / scale_q) ** 2 + 0.5 * ((z - loc_p) / scale_p) ** 2
    return t.mean(), t.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the estimate is the closed form, and ignores the draws (the standard error is right)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    t = Normal(loc_q, scale_q).log_prob(z) - Normal(loc_p, scale_p).log_prob(z)
    exact = math.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return exact, t.std() / math.sqrt(len(z))


@wrong("kl_estimate", "every term is weighted with q(z), although the draws are from q already")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    log_q = Normal(loc_q, scale_q).log_prob(z)
    t = log_q.exp() * (log_q - Normal(loc_p, scale_p).log_prob(z))
    return t.mean(), t.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the terms are log(q(z) / p(z)) from the densities themselves, which underflow to 0 where a draw lies far out in p")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    def density(m, s):
        return torch.exp(-0.5 * ((z - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))

    t = torch.log(density(loc_q, scale_q) / density(loc_p, scale_p))
    return t.mean(), t.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the absolute values of the terms are averaged, since a divergence is not negative")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    t = (Normal(loc_q, scale_q).log_prob(z) - Normal(loc_p, scale_p).log_prob(z)).abs()
    return t.mean(), t.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the second value is the standard error of the draws z, not of the terms")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    t = Normal(loc_q, scale_q).log_prob(z) - Normal(loc_p, scale_p).log_prob(z)
    return t.mean(), z.std() / math.sqrt(len(z))


@wrong("kl_estimate", "two mistakes: the terms are log p - log q, and the standard deviation is divided by S instead of sqrt(S)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    Normal = torch.distributions.Normal
    t = Normal(loc_p, scale_p).log_prob(z) - Normal(loc_q, scale_q).log_prob(z)
    return t.mean(), t.std() / len(z)


@wrong("kl_estimate", "two mistakes: the -log scale of the densities is forgotten, and the second value is the variance of the terms over S, not its root")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    t = -0.5 * ((z - loc_q) / scale_q) ** 2 + 0.5 * ((z - loc_p) / scale_p) ** 2
    return t.mean(), t.var() / len(z)


# ---------------------------------------------------------------- Exercise 7: match_moments


@wrong("match_moments", "only the variance within the components: the spread of their means is forgotten")
def match_moments(weights, locs, scales):
    return (weights * locs).sum(), (weights * scales**2).sum().sqrt()


@wrong("match_moments", "only the variance between the means: the components' own variances are forgotten")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (locs - loc) ** 2).sum().sqrt()


@wrong("match_moments", "the second value is the variance, not the standard deviation")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (scales**2 + (locs - loc) ** 2)).sum()


@wrong("match_moments", "the scale is the weighted mean of the components' standard deviations")
def match_moments(weights, locs, scales):
    return (weights * locs).sum(), (weights * scales).sum()


@wrong("match_moments", "the variance between the means is not weighted, it is their mean squared deviation divided by K")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, ((weights * scales**2).sum() + ((locs - loc) ** 2).mean()).sqrt()


@wrong("match_moments", "the weights are squared in the variance, as for a weighted sum of independent variables")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights**2 * (scales**2 + (locs - loc) ** 2)).sum().sqrt()


@wrong("match_moments", "μ² is not subtracted: the root of the second moment instead of the standard deviation")
def match_moments(weights, locs, scales):
    return (weights * locs).sum(), (weights * (scales**2 + locs**2)).sum().sqrt()


@wrong("match_moments", "the scales are not squared in the variance within")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (scales + (locs - loc) ** 2)).sum().sqrt()


@wrong("match_moments", "returns the heaviest component, one mode, as the other direction KL(q ‖ p) might")
def match_moments(weights, locs, scales):
    k = int(weights.argmax())
    return locs[k], scales[k]


@wrong("match_moments", "the root is taken for each component before the weighted sum")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (scales**2 + (locs - loc) ** 2).sqrt()).sum()


@wrong("match_moments", "two mistakes: the mean of the locs is not weighted, and the second value is the variance")
def match_moments(weights, locs, scales):
    loc = locs.mean()
    return loc, (weights * (scales**2 + (locs - loc) ** 2)).sum()


@wrong("match_moments", "two mistakes: the variance between the means is forgotten, and the weights are squared in the variance within")
def match_moments(weights, locs, scales):
    return (weights * locs).sum(), (weights**2 * scales**2).sum().sqrt()
