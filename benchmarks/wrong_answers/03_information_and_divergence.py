"""Wrong answers that students might hand in for assignment 03.

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




# ---- entropy_bits ----
@wrong("entropy_bits", "nan where a symbol does not occur: 0 log 0")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -(p * torch.log2(p)).sum(dim=1)


@wrong("entropy_bits", "in nats: the natural logarithm")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "base 10")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log10(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "wrong sign")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "adds 1e-3 to the probabilities before the logarithm")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -(p * torch.log2(p + 1e-3)).sum(dim=1)


@wrong("entropy_bits", "adds one to each count (Laplace)")
def entropy_bits(counts):
    counts = counts + 1
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "averages over the symbols in place of adding up")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).mean(dim=1)


@wrong("entropy_bits", "normalises by the total of all texts (right for one text)")
def entropy_bits(counts):
    p = counts / counts.sum()
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "normalises over the texts, each symbol by itself")
def entropy_bits(counts):
    p = counts / counts.sum(dim=0, keepdim=True).clamp(min=1)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "the average surprise of the symbols, not weighted by their probabilities")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, torch.log2(p.clamp(min=1e-300)), 0.0).mean(dim=1)


@wrong("entropy_bits", "bits of the whole text: times the number of symbols")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -counts.sum(dim=1) * torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "divides by log2 L: the relative entropy, between 0 and 1")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1) / math.log2(counts.shape[1])


@wrong("entropy_bits", "divides by the number of different symbols that occur")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1) / (counts > 0).sum(dim=1)


@wrong("entropy_bits", "multiplies nats by ln 2 in place of dividing")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log(p.clamp(min=1e-300)), 0.0).sum(dim=1) * math.log(2)


@wrong("entropy_bits", "softmax of the counts in place of dividing by their sum")
def entropy_bits(counts):
    p = torch.softmax(counts, dim=1)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "a symbol that does not occur counts one bit")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-300)), -1.0).sum(dim=1)


@wrong("entropy_bits", "drops symbols that occur once")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(counts > 1, p * torch.log2(p.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "log2 of the counts, not of the probabilities")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(counts.clamp(min=1e-300)), 0.0).sum(dim=1)


@wrong("entropy_bits", "clamps probabilities to at least 0.01 in the logarithm")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log2(p.clamp(min=1e-2)), 0.0).sum(dim=1)


@wrong("entropy_bits", "the Gini impurity, 1 - sum p^2")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return 1 - (p**2).sum(dim=1)


@wrong("entropy_bits", "the largest surprise, -log2 of the rarest symbol that occurs")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return torch.where(p > 0, -torch.log2(p.clamp(min=1e-300)), 0.0).max(dim=1).values


@wrong("entropy_bits", "min-entropy, -log2 of the most frequent symbol")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.log2(p.max(dim=1).values)


@wrong("entropy_bits", "sum of binary entropies of each symbol: also (1 - p) log2 (1 - p)")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    h = torch.special.entr(p) + torch.special.entr(1 - p)
    return h.sum(dim=1) / math.log(2)


@wrong("entropy_bits", "two mistakes: nats, and averages over the symbols")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return -torch.where(p > 0, p * torch.log(p.clamp(min=1e-300)), 0.0).mean(dim=1)


@wrong("entropy_bits", "two mistakes: wrong sign and nats")
def entropy_bits(counts):
    p = counts / counts.sum(dim=1, keepdim=True)
    return torch.where(p > 0, p * torch.log(p.clamp(min=1e-300)), 0.0).sum(dim=1)



# ---- kl_discrete ----
@wrong("kl_discrete", "the other direction, KL(p || q), with zeros of q left out")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, p / q.clamp(min=1e-300), 1.0)
    return (p * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "nan where q is zero")
def kl_discrete(q, p):
    ratio = q / p
    return (q * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "log(p/q) in place of log(q/p): the wrong sign")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, p / q.clamp(min=1e-300), 1.0)
    return (q * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "the mean is taken over p: p log(q/p)")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (p * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "in bits")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio.log2()).sum(dim=1)


@wrong("kl_discrete", "averages over the outcomes")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio.log()).mean(dim=1)


@wrong("kl_discrete", "one number for the batch, repeated (right for one example)")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio.log()).sum(dim=1).mean() * torch.ones(len(q), dtype=q.dtype)


@wrong("kl_discrete", "sums over the whole batch, repeated (right for one example)")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio.log()).sum() * torch.ones(len(q), dtype=q.dtype)


@wrong("kl_discrete", "the cross-entropy: forgets to take the entropy off")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return -(q * p.log()).sum(dim=1)


@wrong("kl_discrete", "adds 1e-3 to q inside the logarithm")
def kl_discrete(q, p):
    ratio = (q + 1e-3) / p
    return (q * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "adds 1e-3 to both in the logarithm")
def kl_discrete(q, p):
    ratio = (q + 1e-3) / (p + 1e-3)
    return (q * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "clamps q and p to at least 0.01")
def kl_discrete(q, p):
    q, p = q.clamp(min=1e-2), p.clamp(min=1e-2)
    ratio = q / p
    return (q * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "symmetric: half the sum of both directions, zeros left out")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return 0.5 * ((q - p) * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "the sum of both directions (Jeffreys), zeros left out")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return ((q - p) * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "Jensen and Shannon's divergence")
def kl_discrete(q, p):
    m = (q + p) / 2
    left = torch.where(q > 0, q / m, 1.0).log()
    return 0.5 * (q * left).sum(dim=1) + 0.5 * (p * (p / m).log()).sum(dim=1)


@wrong("kl_discrete", "the unweighted sum of log-ratios, without the factor q")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (ratio.log()).sum(dim=1)


@wrong("kl_discrete", "absolute values of the terms")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio.log()).abs().sum(dim=1)


@wrong("kl_discrete", "negative terms cut off at 0")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio.log()).clamp(min=0).sum(dim=1)


@wrong("kl_discrete", "logarithm of the expected ratio, log sum q^2 / p, in place of the expected logarithm")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio).sum(dim=1).log()


@wrong("kl_discrete", "wrong brackets: q log(q) / p")
def kl_discrete(q, p):
    return (torch.special.xlogy(q, q) / p).sum(dim=1)


@wrong("kl_discrete", "sum of squared differences of the probabilities")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return ((q - p) ** 2).sum(dim=1)


@wrong("kl_discrete", "a term with q = 0 costs p (the unnormalised divergence's extra terms for these only)")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return (q * ratio.log() + torch.where(q > 0, 0.0, p)).sum(dim=1)


@wrong("kl_discrete", "F.kl_div(q.log(), p) with its arguments the wrong way round: KL(p || q), infinite for zeros")
def kl_discrete(q, p):
    return F.kl_div(q.log(), p, reduction="none").sum(dim=1)


@wrong("kl_discrete", "F.kl_div(p, q) given probabilities in place of logarithms")
def kl_discrete(q, p):
    return F.kl_div(p, q, reduction="none").sum(dim=1)


@wrong("kl_discrete", "renormalises q over the outcomes by softmax first")
def kl_discrete(q, p):
    q, p = torch.softmax(q, dim=1), torch.softmax(p, dim=1)
    ratio = q / p
    return (q * ratio.log()).sum(dim=1)


@wrong("kl_discrete", "two mistakes: the other direction, and bits")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, p / q.clamp(min=1e-300), 1.0)
    return (p * ratio.log2()).sum(dim=1)


@wrong("kl_discrete", "two mistakes: wrong sign, mean over outcomes")
def kl_discrete(q, p):
    ratio = torch.where(q > 0, q / p, 1.0)
    return -(q * ratio.log()).mean(dim=1)



# ---- kl_gaussians ----
@wrong("kl_gaussians", "the other direction, KL(p || q)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_q / scale_p).log() + (scale_p**2 + (loc_q - loc_p) ** 2) / (2 * scale_q**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "averages over the coordinates")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.mean(dim=1)


@wrong("kl_gaussians", "multiplies the coordinates' divergences")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.prod(dim=1)


@wrong("kl_gaussians", "forgets the -1/2")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2)
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the -1/2 once, not once for each coordinate (right for K = 1)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2)
    return terms.sum(dim=1) - 0.5


@wrong("kl_gaussians", "-1 in place of -1/2")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 1
    return terms.sum(dim=1)


@wrong("kl_gaussians", "logarithm upside down")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_q / scale_p).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "forgets the logarithm's term")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "scales taken for variances throughout (right for scales of 1)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = 0.5 * (scale_p / scale_q).log() + (scale_q + (loc_q - loc_p) ** 2) / (2 * scale_p) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "half the logarithm, as belongs to variances")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = 0.5 * (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "logarithm of the ratio of variances, without its half")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p**2 / scale_q**2).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "divides by 2 sigma_p, not by 2 sigma_p^2")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "forgets the 2 in the denominator")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "divides by sigma_q^2")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_q**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "sigma_q not squared")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the difference of the means not squared but absolute")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p).abs()) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "precedence: divides by 2 and multiplies by sigma_p^2")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / 2 * scale_p**2 - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "precedence: only the means' term is divided")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + scale_q**2 + (loc_q - loc_p) ** 2 / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "p is taken for standard normal (right for loc_p = 0, scale_p = 1)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = 0.5 * (loc_q**2 + scale_q**2 - 1) - scale_q.log()
    return terms.sum(dim=1)


@wrong("kl_gaussians", "subtracts the means' term")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 - (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "forgets the means' term")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "in bits")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1) / math.log(2)


@wrong("kl_gaussians", "wrong sign")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return -terms.sum(dim=1)


@wrong("kl_gaussians", "sums over the examples, and repeats (right for one example)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1).mean() * torch.ones(len(loc_q), dtype=loc_q.dtype)


@wrong("kl_gaussians", "log-ratio of the products of densities at the means, log q(mu_q) - log p(mu_q)")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (loc_q - loc_p) ** 2 / (2 * scale_p**2)
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the means added, not subtracted")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q + loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the squared Wasserstein distance")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (loc_q - loc_p) ** 2 + (scale_q - scale_p) ** 2
    return terms.sum(dim=1)


@wrong("kl_gaussians", "the cross-entropy, with its constant: the entropy is not taken off")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = scale_p.log() + 0.5 * math.log(2 * math.pi) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2)
    return terms.sum(dim=1)


@wrong("kl_gaussians", "two mistakes: the other direction, and no -1/2")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_q / scale_p).log() + (scale_p**2 + (loc_q - loc_p) ** 2) / (2 * scale_q**2)
    return terms.sum(dim=1)


@wrong("kl_gaussians", "two mistakes: mean over coordinates, logarithm upside down")
def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_q / scale_p).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.mean(dim=1)



# ---- kl_full ----
@wrong("kl_full", "the other direction, KL(p || q)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_q)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_p).trace() - K + difference @ precision @ difference + logdet_q - logdet_p)


@wrong("kl_full", "log-determinants the wrong way round")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_q - logdet_p)


@wrong("kl_full", "logarithm of torch.det: not finite for many coordinates")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.det(covariance_p).log()
    logdet_q = torch.det(covariance_q).log()
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "logarithm of det + 1e-8 (wrong for many coordinates)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.log(torch.det(covariance_p) + 1e-8)
    logdet_q = torch.log(torch.det(covariance_q) + 1e-8)
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "logarithm of the ratio of the determinants (not finite for many coordinates)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + (torch.det(covariance_p) / torch.det(covariance_q)).log())


@wrong("kl_full", "forgets the factor 1/2")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return (precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q


@wrong("kl_full", "forgets -K")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "-1 in place of -K (right for K = 1)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - 1 + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "adds K")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() + K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "trace of the elementwise product in place of the matrix product (right for diagonal covariances)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision * covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "sum of all entries of the product in place of its trace")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).sum() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "trace of q's covariance alone (right for p of unit covariance)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * (covariance_q.trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "product of the traces")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * (precision.trace() * covariance_q.trace() / K - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "multiplies by the covariance in the quadratic form, not by its inverse")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ covariance_p @ difference + logdet_p - logdet_q)


@wrong("kl_full", "the quadratic form with q's precision")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ torch.linalg.inv(covariance_q) @ difference + logdet_p - logdet_q)


@wrong("kl_full", "the squared distance of the means, without the precision (right for p of unit covariance)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ difference + logdet_p - logdet_q)


@wrong("kl_full", "the root of the quadratic form")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + (difference @ precision @ difference).sqrt() + logdet_p - logdet_q)


@wrong("kl_full", "forgets the means")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + logdet_p - logdet_q)


@wrong("kl_full", "forgets the log-determinants")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference)


@wrong("kl_full", "elementwise reciprocal for the inverse, where entries are not 0")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.where(covariance_p != 0, 1 / covariance_p, 0.0)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "uses the diagonals only (right for diagonal covariances)")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    covariance_q, covariance_p = torch.diag(covariance_q.diagonal()), torch.diag(covariance_p.diagonal())
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "log-determinants from the Cholesky factors' diagonals, without the 2")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.cholesky(covariance_p).diagonal().log().sum()
    logdet_q = torch.linalg.cholesky(covariance_q).diagonal().log().sum()
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "adds 0.01 to p's diagonal before inverting")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p + 0.01 * torch.eye(K, dtype=loc_q.dtype))
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "divides by K: nats for a coordinate")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q) / K


@wrong("kl_full", "trace of Sigma_q^-1 Sigma_p, the inverse of the wrong matrix, in this term only")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((torch.linalg.inv(covariance_q) @ covariance_p).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "half of the trace term only")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_q).trace() - K) + difference @ precision @ difference + logdet_p - logdet_q


@wrong("kl_full", "in bits")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 / math.log(2) * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "wrong sign")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return -0.5 * ((precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_p - logdet_q)


@wrong("kl_full", "two mistakes: the other direction, no -K")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_q)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return 0.5 * ((precision @ covariance_p).trace() + difference @ precision @ difference + logdet_q - logdet_p)


@wrong("kl_full", "two mistakes: no half, and log-determinants swapped")
def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    K, difference = len(loc_q), loc_p - loc_q
    precision = torch.linalg.inv(covariance_p)
    logdet_p = torch.linalg.slogdet(covariance_p).logabsdet
    logdet_q = torch.linalg.slogdet(covariance_q).logabsdet
    return (precision @ covariance_q).trace() - K + difference @ precision @ difference + logdet_q - logdet_p



# ---- kl_estimate ----
@wrong("kl_estimate", "log p - log q: the wrong sign")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_p - log_q
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "standard error without the division by root S")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std()


@wrong("kl_estimate", "standard error divided by S, not by its root")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / len(z)


@wrong("kl_estimate", "standard deviation with S in place of S - 1")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std(correction=0) / math.sqrt(len(z))


@wrong("kl_estimate", "divides by root S - 1, too")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z) - 1)


@wrong("kl_estimate", "variance in place of the standard deviation, over root S")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.var() / math.sqrt(len(z))


@wrong("kl_estimate", "variance over S: the square of the standard error")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.var() / len(z)


@wrong("kl_estimate", "two standard errors")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), 2 * terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "standard error of the draws z, not of the terms")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), z.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the true scale of q over root S for the standard error")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), torch.tensor(float(scale_q)) / math.sqrt(len(z))


@wrong("kl_estimate", "forgets the logarithm of the scales (right for equal scales)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "adds the logarithms of the scales")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 + math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 + math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "half the logarithm, as belongs to a variance")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - 0.5 * math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - 0.5 * math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "scales taken for variances (right for scales of 1)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * (z - loc_q) ** 2 / scale_q - 0.5 * math.log(scale_q)
    log_p = -0.5 * (z - loc_p) ** 2 / scale_p - 0.5 * math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the squares not halved")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -(((z - loc_q) / scale_q) ** 2) - math.log(scale_q)
    log_p = -(((z - loc_p) / scale_p) ** 2) - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "weighs the terms by q(z), though z is drawn from q already")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    terms = terms * log_q.exp() / math.sqrt(2 * math.pi)
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "weighs the terms by p / q: estimates the negative of the other direction")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    terms = terms * (log_p - log_q).exp()
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "weighs by p / q and turns the sign: KL(p || q) by importance sampling")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    terms = -terms * (log_p - log_q).exp()
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "adds the terms up in place of averaging")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.sum(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "takes absolute values of the terms, since a divergence is not negative")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = (log_q - log_p).abs()
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "cuts negative terms off at 0")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = (log_q - log_p).clamp(min=0)
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the low-variance estimate r - 1 - log r (right on average only)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    log_r = log_p - log_q
    terms = log_r.exp() - 1 - log_r
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "logarithm of the mean ratio, in place of the mean of the logarithms")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.exp().mean().log(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the closed form for the estimate")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    exact = math.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return torch.tensor(exact), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "the median of the terms")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.median(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "divides by S - 1 for the mean")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.sum() / (len(z) - 1), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "p centred on q's mean (right for equal means)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_q) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "q's scale for both (right for equal scales)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_q) ** 2 - math.log(scale_q)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "in bits")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = (log_q - log_p) / math.log(2)
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "densities rounded by + 1e-6 in the logarithms (wrong where they are small)")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = (log_q.exp() / 2.5066 + 1e-6).log() - (log_p.exp() / 2.5066 + 1e-6).log()
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "standardises the draws by their own mean and scale first")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    z = loc_q + scale_q * (z - z.mean()) / z.std()
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(z))


@wrong("kl_estimate", "two mistakes: wrong sign, no root S")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_p - log_q
    return terms.mean(), terms.std()


@wrong("kl_estimate", "two mistakes: no logarithms of scales, S in place of S - 1")
def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2
    terms = log_q - log_p
    return terms.mean(), terms.std(correction=0) / math.sqrt(len(z))



# ---- match_moments ----
@wrong("match_moments", "returns the variance")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).sum()
    return loc, variance


@wrong("match_moments", "forgets the spread between the means")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * scales**2).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "forgets the spread within the components")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (locs - loc) ** 2).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "scales not squared (right for scales of 1)")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales + (locs - loc) ** 2)).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "weighted mean of the scales, plus nothing")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * scales).sum()


@wrong("match_moments", "mean without weights (right for equal weights)")
def match_moments(weights, locs, scales):
    loc = locs.mean()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "variance without weights (right for equal weights)")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (scales**2 + (locs - loc) ** 2).mean()
    return loc, variance.sqrt()


@wrong("match_moments", "squares the weights in the variance, as for a sum of independent numbers")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights**2 * (scales**2 + (locs - loc) ** 2)).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "a weighted sum of random variables: w^2 sigma^2 without the spread between")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights**2 * scales**2).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "the highest component only: mode-seeking")
def match_moments(weights, locs, scales):
    k = torch.argmax(weights / scales)
    return locs[k], scales[k]


@wrong("match_moments", "the component with the largest weight")
def match_moments(weights, locs, scales):
    k = torch.argmax(weights)
    return locs[k], scales[k]


@wrong("match_moments", "second moment about zero: the mean not taken off (right for mean 0)")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + locs**2)).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "averages after weighing: divides by K")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).mean()
    return loc, variance.sqrt()


@wrong("match_moments", "averages both after weighing: divides by K")
def match_moments(weights, locs, scales):
    loc = (weights * locs).mean()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).mean()
    return loc, variance.sqrt()


@wrong("match_moments", "distances between means absolute, not squared")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - loc).abs())).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "adds standard deviations: within plus between")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    within = (weights * scales**2).sum().sqrt()
    between = (weights * (locs - loc) ** 2).sum().sqrt()
    return loc, within + between


@wrong("match_moments", "weighted mean of the roots: the root inside of the sum")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (scales**2 + (locs - loc) ** 2).sqrt()).sum()


@wrong("match_moments", "precision-weighted: a product of Gaussians")
def match_moments(weights, locs, scales):
    precision = (weights / scales**2).sum()
    return (weights * locs / scales**2).sum() / precision, precision.rsqrt()


@wrong("match_moments", "weights by the inverse variances in the mean only")
def match_moments(weights, locs, scales):
    loc = (weights * locs / scales**2).sum() / (weights / scales**2).sum()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "subtracts the spread between")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 - (locs - loc) ** 2)).sum()
    return loc, variance.abs().sqrt()


@wrong("match_moments", "spread between the means with K - 1, without weights")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * scales**2).sum() + locs.var()
    return loc, variance.sqrt()


@wrong("match_moments", "distance from the first component, not from the mean")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - locs[0]) ** 2)).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "softmax of the weights")
def match_moments(weights, locs, scales):
    weights = torch.softmax(weights, dim=0)
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).sum()
    return loc, variance.sqrt()


@wrong("match_moments", "half of the sum: (within + between) / 2")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).sum()
    variance = variance / 2
    return loc, variance.sqrt()


@wrong("match_moments", "corrects the variance for a small number of components, K / (K - 1)")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).sum()
    variance = variance * len(locs) / max(len(locs) - 1, 1)
    return loc, variance.sqrt()


@wrong("match_moments", "two mistakes: variance returned, spread between forgotten")
def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    variance = (weights * scales**2).sum()
    return loc, variance


@wrong("match_moments", "two mistakes: no weights anywhere")
def match_moments(weights, locs, scales):
    loc = locs.mean()
    variance = (scales**2 + (locs - loc) ** 2).mean()
    return loc, variance.sqrt()


EXERCISES = {exercise for exercise, _, _ in WRONG}
assert len(EXERCISES) == 6
assert all(sum(exercise == name for exercise, _, _ in WRONG) >= 12 for name in EXERCISES)
assert len(WRONG) >= 12 * 6
