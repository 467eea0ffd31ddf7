"""Wrong answers that students might hand in for assignment 04.

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




# ---- acceptance_probability ----
@wrong("acceptance_probability", "forgets the proposals: Metropolis without Hastings (right for symmetric proposals)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "forward and backward swapped (right for symmetric proposals)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_forward - log_q_backward
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "target's ratio upside down")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p - log_p_new + log_q_backward - log_q_forward
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "everything upside down")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    log_alpha = -log_alpha
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "forgets the minimum with 1")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return log_alpha.exp()


@wrong("acceptance_probability", "maximum in place of minimum")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return log_alpha.clamp(min=0).exp()


@wrong("acceptance_probability", "exponentiates first: 0 / 0 for log-densities like -2000")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    ratio = log_p_new.exp() * log_q_backward.exp() / (log_p.exp() * log_q_forward.exp())
    return ratio.clamp(max=1)


@wrong("acceptance_probability", "exponentiates first, with 1e-12 in the denominator (wrong for small densities)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    ratio = log_p_new.exp() * log_q_backward.exp() / (log_p.exp() * log_q_forward.exp() + 1e-12)
    return ratio.clamp(max=1)


@wrong("acceptance_probability", "returns the logarithm")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return log_alpha.clamp(max=0)


@wrong("acceptance_probability", "clamps at 1 before the exponential: log alpha at most 1, then probabilities up to e")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return log_alpha.clamp(max=1).exp()


@wrong("acceptance_probability", "exponential, then clamp of the logarithm forgotten for the proposals: min of the target's ratio only")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_ratio = (log_p_new - log_p).clamp(max=0)
    return (log_ratio + log_q_backward - log_q_forward).exp().clamp(max=1)


@wrong("acceptance_probability", "ratio of the logarithms in place of their difference")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    return (log_p_new / log_p * log_q_backward / log_q_forward).clamp(0, 1)


@wrong("acceptance_probability", "difference of the target in logarithms, ratio of the logarithms of the proposal")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward / log_q_forward - 1
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "adds all proposals' logarithms")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward + log_q_forward
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "subtracts both proposals' logarithms")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p - log_q_backward - log_q_forward
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "Barker's rule, ratio / (1 + ratio)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return torch.sigmoid(log_alpha)


@wrong("acceptance_probability", "decides: 1 if the ratio is at least 1, else 0 (greedy)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return (log_alpha >= 0).to(log_alpha.dtype)


@wrong("acceptance_probability", "the same for the whole batch: the product of all moves' ratios")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return (log_alpha.sum() * torch.ones_like(log_alpha)).clamp(max=0).exp()


@wrong("acceptance_probability", "power of two in place of e")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return log_alpha.clamp(max=0).exp2()


@wrong("acceptance_probability", "clamps log alpha to at least -10 (right for not too small ones)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return log_alpha.clamp(min=-10, max=0).exp()


@wrong("acceptance_probability", "square root of the ratio, as if the densities were squared")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_backward - log_q_forward
    return (0.5 * log_alpha).clamp(max=0).exp()


@wrong("acceptance_probability", "the target's new density alone, without the old one")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new + log_q_backward - log_q_forward
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "uses the proposal's log-densities in the target's place")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_q_backward - log_q_forward
    return log_alpha.clamp(max=0).exp()


@wrong("acceptance_probability", "two mistakes: proposals swapped, and no minimum")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_alpha = log_p_new - log_p + log_q_forward - log_q_backward
    return log_alpha.exp()


@wrong("acceptance_probability", "two mistakes: proposals forgotten, and exponentials first")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    return (log_p_new.exp() / log_p.exp()).clamp(max=1)



# ---- random_walk_chain ----
@wrong("random_walk_chain", "records the state before each step: z0 is the first sample, the last state is missing")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        samples.append(z)
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "records proposals, accepted or not")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(proposal)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "where a proposal is rejected the last accepted state is not repeated but the start z0")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z if z is proposal else z0)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "accepts upside down: log u > difference")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu > log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "difference of log-densities the wrong way round")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(z) - log_p(proposal):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "compares u, not log u")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu.exp() < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "forgets the half of the log-density")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -1.0 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "wrong sign of the log-density")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return 0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "uses the covariance in place of the precision")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    precision = torch.linalg.inv(precision)

    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "uses the diagonal of the precision only (right without correlations)")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    precision = torch.diag(precision.diagonal())

    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "the target's mean forgotten (right for mean zero)")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * z @ precision @ z

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "proposes around the mean, not around the state")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = loc + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "proposes around the start, not around the state")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z0 + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "steps of scale^2, a variance")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale**2 * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "steps of root scale, as if scale were a variance")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale**0.5 * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "scale forgotten (right for scale 1)")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "uphill only: accepts if the density rises, without chance")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if log_p(proposal) > log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "accepts everything")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if True:
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "acceptance rate is the share of rejected proposals")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), 1 - accepted / len(eps)


@wrong("random_walk_chain", "acceptance rate is a count")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted


@wrong("random_walk_chain", "acceptance rate over S + 1")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / (len(eps) + 1)


@wrong("random_walk_chain", "acceptance rate is the mean acceptance probability, not the share")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        accepted += min(1.0, float((log_p(proposal) - log_p(z)).exp()))
        if lu < log_p(proposal) - log_p(z):
            z = proposal
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "starts from the mean of the target")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = loc, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "uses the noise of the first step throughout")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * eps[0]
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "accepts each coordinate by itself, with the precision's diagonal")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        gain = -0.5 * precision.diagonal() * ((proposal - loc) ** 2 - (z - loc) ** 2)
        take = lu < gain
        z = torch.where(take, proposal, z)
        accepted += float(take.double().mean())
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "corrects for the proposal although it is symmetric: adds its log-density")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z) - 0.5 * e @ e:
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "does not move back: updates z before the decision, so every proposal stays as the state")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        old, z = z, z + scale * e
        if lu < log_p(z) - log_p(old):
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "compares with the density of the start, not of the present state")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z0):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "accepted states only; the rest is filled up with the last one")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
            samples.append(z)
    samples += [z] * (len(eps) - len(samples))
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "numbers shifted by one: the decision in step s uses log u of step s + 1")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u.roll(-1)):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "two mistakes: state before the step, and rejected share")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        samples.append(z)
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
    return torch.stack(samples), 1 - accepted / len(eps)


@wrong("random_walk_chain", "two mistakes: no half, mean forgotten")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -z @ precision @ z

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        proposal = z + scale * e
        if lu < log_p(proposal) - log_p(z):
            z = proposal
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)



# ---- summarize_chains ----
@wrong("summarize_chains", "ignores the burn-in")
def summarize_chains(samples, burn_in):
    kept = samples
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "leaves the burn-in out for R-hat but not for the mean (right for burn-in 0)")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return samples.mean(), r_hat


@wrong("summarize_chains", "leaves the burn-in out for the mean but not for R-hat (right for burn-in 0)")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(samples) // 2
    pieces = torch.cat([samples[:half], samples[half : 2 * half]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "keeps the burn-in and leaves the rest out (mended where it is short)")
def summarize_chains(samples, burn_in):
    kept = samples[: max(burn_in // 2 * 2, 4)]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "leaves out the last burn_in samples in place of the first (right for burn-in 0)")
def summarize_chains(samples, burn_in):
    kept = samples[: len(samples) - burn_in]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "off by one in the burn-in: leaves out one too many pairs, burn_in + 2")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in + 2 :]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "does not split the chains")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = kept
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "even and odd samples in place of first and second half")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[0::2], kept[1::2]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "reshape mixes the chains: pieces across rows of different chains")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = kept.T.reshape(half, -1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "forgets the root")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W)
    return kept.mean(), r_hat


@wrong("summarize_chains", "variances divided by n")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0, correction=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "B divided by M, not by M - 1")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var(correction=0)
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "B without the factor n")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "B not divided by n in the end")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "n is the length of the whole chain, not of a piece")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(kept)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "n is the number of all samples, burn-in too (right for burn-in 0 up to the split)")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(samples)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "W not scaled by (n - 1) / n")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = ((W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "W the median of the variances")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).median()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "W the sum of the variances")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).sum()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "W the square of the mean standard deviation")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.std(dim=0).mean() ** 2
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "W the variance of all samples together")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "axes swapped: pieces are rows")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=1).mean()
    B = n * pieces.mean(dim=1).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "divides by B in place of W")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / B).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "upside down: W over the total")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (W / ((n - 1) / n * W + B / n)).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "R-hat cut off at 1 from below")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    r_hat = r_hat.clamp(min=1.0)
    return kept.mean(), r_hat


@wrong("summarize_chains", "the standard error's square in place of B: variance of means over M")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var() / pieces.shape[1]
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "old degree of freedom factor added: (M + 1) / M on B, as in Gelman and Rubin")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + (1 + 1 / pieces.shape[1]) * B / n) / W).sqrt()
    return kept.mean(), r_hat


@wrong("summarize_chains", "the median of the samples for the mean")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.median(), r_hat


@wrong("summarize_chains", "the mean of the first chain")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept[:, 0].mean(), r_hat


@wrong("summarize_chains", "the mean of the second halves only")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept[half:].mean(), r_hat


@wrong("summarize_chains", "two mistakes: not split, no root")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    half = len(kept) // 2
    pieces = kept
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    r_hat = (((n - 1) / n * W + B / n) / W)
    return kept.mean(), r_hat


@wrong("summarize_chains", "two mistakes: burn-in ignored, B by M")
def summarize_chains(samples, burn_in):
    kept = samples
    half = len(kept) // 2
    pieces = torch.cat([kept[:half], kept[half:]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var(correction=0)
    r_hat = (((n - 1) / n * W + B / n) / W).sqrt()
    return kept.mean(), r_hat



# ---- mixture_em_step ----
@wrong("mixture_em_step", "uses the old means in the new variances")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "exponentiates first: 0 / 0 for examples far from all components")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = log_joint.exp() / log_joint.exp().sum(dim=1, keepdim=True)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "exponentiates, and adds 1e-10 to the denominator (wrong for examples far away)")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = log_joint.exp() / (log_joint.exp().sum(dim=1, keepdim=True) + 1e-10)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "responsibilities normalised over the examples")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=0)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "forgets the weights in the E step (right for equal weights)")
def mixture_em_step(x, weights, means, variances):
    log_joint = -0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "forgets the normalising constants in the E step (right for equal variances)")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "variances taken for standard deviations in the E step (right for variances of 1)")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances**2) - (x[:, None] - means) ** 2 / (2 * variances**2)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "no half in the exponent")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / variances
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "log of the variance without the half")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "returns standard deviations")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances.sqrt()


@wrong("mixture_em_step", "variances divided by N, not by N_k")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).mean(dim=0)
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "means divided by N, not by N_k")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).mean(dim=0)
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "variances divided by N_k - 1")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / (N_k - 1)
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "weights not divided by N: the numbers N_k")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "weights divided by K")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(means)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "weights stay equal, 1 / K")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = torch.full_like(N_k, 1 / len(N_k))
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "hard responsibilities: each example to one component (k-means)")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    r = F.one_hot(r.argmax(dim=1), r.shape[1]).to(x.dtype)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "responsibilities squared in the means")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r**2 * x[:, None]).sum(dim=0) / (r**2).sum(dim=0)
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "second moments in place of variances: the mean not taken off")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * x[:, None] ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "variances of the whole sample for each component")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = x.var(correction=0) * torch.ones_like(N_k)
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "one shared variance for all components")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    new_variances = (new_weights * new_variances).sum() * torch.ones_like(N_k)
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "a floor of 0.1 under the variances (right for wide components)")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    new_variances = new_variances.clamp(min=0.1)
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "responsibilities from the new parameters: a second E step at the end")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    log_joint = new_weights.log() - 0.5 * torch.log(new_variances) - (x[:, None] - new_means) ** 2 / (2 * new_variances)
    r = torch.softmax(log_joint, dim=1)
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "returns joint densities for the responsibilities, normalises in the M step only")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return log_joint.exp(), new_weights, new_means, new_variances


@wrong("mixture_em_step", "returns log-responsibilities")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r.log(), new_weights, new_means, new_variances


@wrong("mixture_em_step", "average absolute deviation, squared, for the variance")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = ((r * (x[:, None] - new_means).abs()).sum(dim=0) / N_k) ** 2
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "multiplies the log-densities by the weights in place of adding their logarithms")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights * (-0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances))
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "weights added to the log-densities without the logarithm")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "r inside of the square: variance of r x about the mean")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = ((r * x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "two mistakes: weights forgotten in the E step, old means in the variances")
def mixture_em_step(x, weights, means, variances):
    log_joint = -0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances


@wrong("mixture_em_step", "two mistakes: standard deviations returned, weights not divided")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - (x[:, None] - means) ** 2 / (2 * variances)
    r = torch.softmax(log_joint, dim=1)
    N_k = r.sum(dim=0)
    new_weights = N_k
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, new_weights, new_means, new_variances.sqrt()



# ---- mean_field_sweep ----
@wrong("mean_field_sweep", "all means at once from the old ones (Jacobi), not one after the other")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    old = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (old - loc) - precision[i, i] * (old[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "plus in place of minus")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] + rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "the sum includes j = i")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc)
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "forgets the division by the precision")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "multiplies by the precision in place of dividing")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest * precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "means of the others not taken off: sum of Lambda_ij m_j (right for loc 0)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ m - precision[i, i] * m[i]
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "forgets to add the own mean (right for loc 0)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = -rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "starts from the old m in place of the target's mean")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = m[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "backwards: renews the last mean first (right for K = 1)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in reversed(range(len(m))):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "variances of the target's margins: the diagonal of the inverse (right without correlations)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, torch.linalg.inv(precision).diagonal()


@wrong("mean_field_sweep", "the precisions in place of variances")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, precision.diagonal()


@wrong("mean_field_sweep", "standard deviations in place of variances")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, precision.diagonal().rsqrt()


@wrong("mean_field_sweep", "takes the precision for a covariance: inverts it first")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    precision = torch.linalg.inv(precision)
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "the elements of the inverse for the factors' coefficients, variance right")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        covariance = torch.linalg.inv(precision)
        rest = covariance[i] @ (m - loc) - covariance[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "gives the fixed point at once, the target's mean")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    m = loc.clone()
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "does two sweeps")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in [*range(len(m)), *range(len(m))]:
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "renews the last factor not (loop one too short)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m) - 1):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "renews not the first factor (loop from 1)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(1, len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "uses only those j before i, a triangular sum")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i, :i] @ (m - loc)[:i]
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "uses only those j after i, a triangular sum")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i, i + 1 :] @ (m - loc)[i + 1 :]
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "divides by Lambda_jj of each other factor")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        scaled = precision[i] * (m - loc) / precision.diagonal()
        m[i] = loc[i] - (scaled.sum() - scaled[i])
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "half of the update (damping)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = 0.5 * m[i] + 0.5 * (loc[i] - rest / precision[i, i])
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "averages the others' contributions in place of adding them (right for K = 2)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i] / max(len(m) - 1, 1)
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "the variance of one factor for all: the mean of the diagonal")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, torch.ones_like(m) / precision.diagonal().mean()


@wrong("mean_field_sweep", "variance includes the others: one over the row sums' absolute values")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 1 / precision.abs().sum(dim=1)


@wrong("mean_field_sweep", "variances halved, as from exp(-Lambda z^2)")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - rest / precision[i, i]
    return m, 0.5 / precision.diagonal()


@wrong("mean_field_sweep", "two mistakes: all at once, and plus in place of minus")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    old = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ (old - loc) - precision[i, i] * (old[i] - loc[i])
        m[i] = loc[i] + rest / precision[i, i]
    return m, 1 / precision.diagonal()


@wrong("mean_field_sweep", "two mistakes: variances of the margins, loc not taken off")
def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        rest = precision[i] @ m - precision[i, i] * m[i]
        m[i] = loc[i] - rest / precision[i, i]
    return m, torch.linalg.inv(precision).diagonal()



# ---- elbo_terms ----
@wrong("elbo_terms", "adds log q")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior + log_q


@wrong("elbo_terms", "forgets log q")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior


@wrong("elbo_terms", "forgets the prior")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik - log_q


@wrong("elbo_terms", "the reconstruction only")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik


@wrong("elbo_terms", "forgets the constants of the likelihood")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "forgets log 2 pi of the likelihood")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * math.log(noise_variance)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "forgets log sigma^2 of the likelihood (right for 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * log_2pi
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "likelihood's constant once, not D times (right for D = 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "forgets 2 pi in the prior only")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "forgets 2 pi in q only")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log()).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "forgets -log scale in q (right for scales of 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "adds log scale in q (right for scales of 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 + scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "half the log of the scale, as if it were a variance, in q only")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - 0.5 * scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "takes the scale for a variance: draws with its root")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    scale = scale.sqrt()
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "squares the scale for the draws only")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale**2 * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "noise_variance taken for a standard deviation (right for 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    noise_variance = noise_variance**2
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "log sigma^2 without the half (right for 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (2 * math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "divides by the standard deviation in the squared error (right for 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / math.sqrt(noise_variance) - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "forgets the half at the squared error")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -1.0 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "averages the squared error over the pixels (right for D = 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).mean(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "the KL in closed form in place of log p(z) - log q(z) (right on average only)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    kl = (0.5 * (loc**2 + scale**2 - 1) - scale.log()).sum()
    return log_lik - kl


@wrong("elbo_terms", "the mean over the draws, repeated")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    terms = log_lik + log_prior - log_q
    return terms.mean() * torch.ones_like(terms)


@wrong("elbo_terms", "decodes the mean, not the draws")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - loc @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "ignores loc in the draws (right for loc 0)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "draws from the prior: z = eps")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "log p(eps) in place of log p(z) for the prior")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * eps**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "density of q at z, with the deviation divided by the scale once more")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * (eps / scale) ** 2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "averages prior and q over the latent variables (right for K = 1)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).mean(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).mean(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "the loss: the negative ELBO")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_q - log_lik - log_prior


@wrong("elbo_terms", "the marginal likelihood N(x | 0, W W^T + sigma^2 I) in place of log p(x | z)")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    log_lik = torch.distributions.MultivariateNormal(torch.zeros_like(x), C).log_prob(x)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior - log_q


@wrong("elbo_terms", "two mistakes: constants of the likelihood forgotten, log q added")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - scale.log() - 0.5 * log_2pi).sum(dim=1)
    return log_lik + log_prior + log_q


@wrong("elbo_terms", "two mistakes: no log scale in q, no prior")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    D, log_2pi = len(x), math.log(2 * math.pi)
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * D * (math.log(noise_variance) + log_2pi)
    log_prior = (-0.5 * z**2 - 0.5 * log_2pi).sum(dim=1)
    log_q = (-0.5 * eps**2 - 0.5 * log_2pi).sum(dim=1)
    return log_lik - log_q


EXERCISES = {exercise for exercise, _, _ in WRONG}
assert len(EXERCISES) == 6
assert all(sum(exercise == name for exercise, _, _ in WRONG) >= 12 for name in EXERCISES)
assert len(WRONG) >= 12 * 6
