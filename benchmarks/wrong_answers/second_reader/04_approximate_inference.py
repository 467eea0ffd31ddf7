"""Wrong answers that students might hand in for assignment 04."""
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


# ---------------------------------------------------------------- Exercise 1: acceptance_probability


@wrong("acceptance_probability", "the forward and the backward proposal change places: q(z'|z) / q(z|z') instead of q(z|z') / q(z'|z)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_ratio = log_p_new - log_p + log_q_forward - log_q_backward
    return torch.exp(torch.clamp(log_ratio, max=0.0))


@wrong("acceptance_probability", "plain Metropolis: the proposal densities are left out, as if the proposal were symmetric")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    return torch.exp(torch.clamp(log_p_new - log_p, max=0.0))


@wrong("acceptance_probability", "the target ratio is upside down, p(z) / p(z') (the proposal ratio is right)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_ratio = log_p - log_p_new + log_q_backward - log_q_forward
    return torch.exp(torch.clamp(log_ratio, max=0.0))


@wrong("acceptance_probability", "exponentiates the log-densities before dividing: 0 / 0 = nan for log-densities like -2000")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    ratio = log_p_new.exp() / log_p.exp() * log_q_backward.exp() / log_q_forward.exp()
    return torch.minimum(torch.ones_like(ratio), ratio)


@wrong("acceptance_probability", "the minimum with 1 is taken of the target ratio only, and the proposal ratio is multiplied on afterwards")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    target = torch.exp(torch.clamp(log_p_new - log_p, max=0.0))
    return target * torch.exp(log_q_backward - log_q_forward)


@wrong("acceptance_probability", "the minimum with 1 is forgotten: returns the ratio, which may exceed 1")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    return torch.exp(log_p_new - log_p + log_q_backward - log_q_forward)


@wrong("acceptance_probability", "returns the logarithm of the acceptance probability, min(0, log ratio)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    return torch.clamp(log_p_new - log_p + log_q_backward - log_q_forward, max=0.0)


@wrong("acceptance_probability", "against underflow, log_p and log_p_new are each reduced by their own maximum over the moves: two different constants, which do not cancel")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    a = log_p_new - log_p_new.max()
    b = log_p - log_p.max()
    return torch.exp(torch.clamp(a - b + log_q_backward - log_q_forward, max=0.0))


@wrong("acceptance_probability", "log_p and log_p_new are clamped to at least -700 before they are subtracted: all moves in regions below that count as equally probable")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_ratio = log_p_new.clamp(min=-700.0) - log_p.clamp(min=-700.0) + log_q_backward - log_q_forward
    return torch.exp(torch.clamp(log_ratio, max=0.0))


@wrong("acceptance_probability", "Barker's rule, ratio / (1 + ratio), in place of min(1, ratio)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    return torch.sigmoid(log_p_new - log_p + log_q_backward - log_q_forward)


@wrong("acceptance_probability", "two mistakes: the proposal densities are left out, and the densities are exponentiated before dividing (nan for log-densities like -2000)")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    ratio = torch.exp(log_p_new) / torch.exp(log_p)
    return ratio.clamp(max=1.0)


@wrong("acceptance_probability", "two mistakes: the target ratio is upside down, and so is the proposal ratio")
def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    log_ratio = (log_p + log_q_forward) - (log_p_new + log_q_backward)
    return torch.exp(torch.clamp(log_ratio, max=0.0))


# ---------------------------------------------------------------- Exercise 2: random_walk_chain


@wrong("random_walk_chain", "the rows of samples are the proposals, accepted or not, instead of the states after each step")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        new = z + scale * e
        if lu < log_p(new) - log_p(z):
            z = new
            accepted += 1
        samples.append(new)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "the state before each step is kept, so the first row is z0 and the state after the last step is missing")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        samples.append(z)
        new = z + scale * e
        if lu < log_p(new) - log_p(z):
            z = new
            accepted += 1
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "scale is taken for a variance: the proposal adds sqrt(scale) * eps")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        new = z + math.sqrt(scale) * e
        if lu < log_p(new) - log_p(z):
            z = new
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "the precision is taken for a covariance and inverted in the log-density")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    inverse = torch.linalg.inv(precision)

    def log_p(z):
        return -0.5 * (z - loc) @ inverse @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        new = z + scale * e
        if lu < log_p(new) - log_p(z):
            z = new
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "the factor 1/2 in the log-density is forgotten")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -(z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        new = z + scale * e
        if lu < log_p(new) - log_p(z):
            z = new
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "log p(z) of the current state is computed once, at z0, and not renewed after an accepted move")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    current = log_p(z)
    for e, lu in zip(eps, log_u):
        new = z + scale * e
        if lu < log_p(new) - current:
            z = new
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "accepted states are written into the argument z0 in place (the returned values are right, but z0 is changed)")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        step = scale * e
        if lu < log_p(z + step) - log_p(z):
            z += step
            accepted += 1
        samples.append(z.clone())
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "the state is changed in place and appended without a copy, so every row of samples is the last state")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0.clone(), [], 0
    for e, lu in zip(eps, log_u):
        step = scale * e
        if lu < log_p(z + step) - log_p(z):
            z += step
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "the acceptance rate is the mean of min(1, p(z') / p(z)) over the proposals, not the share of accepted ones")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, alphas = z0, [], []
    for e, lu in zip(eps, log_u):
        new = z + scale * e
        log_alpha = torch.clamp(log_p(new) - log_p(z), max=0.0)
        alphas.append(log_alpha.exp())
        if lu < log_alpha:
            z = new
        samples.append(z)
    return torch.stack(samples), torch.stack(alphas).mean()


@wrong("random_walk_chain", "compares u = exp(log_u), not log u, with log p(z') - log p(z)")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, u in zip(eps, log_u.exp()):
        new = z + scale * e
        if u < log_p(new) - log_p(z):
            z = new
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "two mistakes: scale is taken for a variance (its root multiplies eps), and the 1/2 of the log-density is forgotten")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -(z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for e, lu in zip(eps, log_u):
        new = z + scale**0.5 * e
        if lu < log_p(new) - log_p(z):
            z = new
            accepted += 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


@wrong("random_walk_chain", "two mistakes: the first row is z0 (states before the steps), and the acceptance rate is counted from changes between successive rows, divided by S")
def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples = z0, []
    for e, lu in zip(eps, log_u):
        samples.append(z)
        new = z + scale * e
        if lu < log_p(new) - log_p(z):
            z = new
    samples = torch.stack(samples)
    moved = (samples[1:] != samples[:-1]).any(dim=1).sum()
    return samples, float(moved) / len(eps)


# ---------------------------------------------------------------- Exercise 3: summarize_chains


@wrong("summarize_chains", "the chains are not cut into halves: R-hat of the K whole chains")
def summarize_chains(samples, burn_in):
    pieces = samples[burn_in:]
    n, M = pieces.shape
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    return pieces.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "the variances of the pieces are divided by n instead of n - 1")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    pieces = torch.cat([kept[:n], kept[n:]], dim=1)
    W = pieces.var(dim=0, correction=0).mean()
    B = n * pieces.mean(dim=0).var()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "B lacks its factor n: it is just the variance of the pieces' means")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    pieces = torch.cat([kept[:n], kept[n:]], dim=1)
    W = pieces.var(dim=0).mean()
    B = pieces.mean(dim=0).var()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "B is divided by M instead of M - 1")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    pieces = torch.cat([kept[:n], kept[n:]], dim=1)
    M = pieces.shape[1]
    W = pieces.var(dim=0).mean()
    theta = pieces.mean(dim=0)
    B = n / M * ((theta - theta.mean()) ** 2).sum()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "the square root is forgotten: returns R-hat squared")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    pieces = torch.cat([kept[:n], kept[n:]], dim=1)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    return kept.mean(), ((n - 1) / n * W + B / n) / W


@wrong("summarize_chains", "the mean is that of all samples, the burn-in among them (R-hat is right)")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    pieces = torch.cat([kept[:n], kept[n:]], dim=1)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    return samples.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "each chain is cut into its even and its odd samples instead of a first and a second half")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    pieces = torch.cat([kept[::2], kept[1::2]], dim=1)
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "the kept samples are reshaped to (2K, n) without transposing first, so each piece mixes samples of all chains")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    pieces = kept.reshape(2 * kept.shape[1], n)
    W = pieces.var(dim=1).mean()
    B = n * pieces.mean(dim=1).var()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "the last burn_in samples of each chain are left out, not the first")
def summarize_chains(samples, burn_in):
    kept = samples[: len(samples) - burn_in]
    n = len(kept) // 2
    pieces = torch.cat([kept[:n], kept[n:]], dim=1)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "n in the formulas is the length of a whole chain after burn-in, twice the length of a piece")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept)
    pieces = torch.cat([kept[: n // 2], kept[n // 2 :]], dim=1)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


@wrong("summarize_chains", "two mistakes: the variances of the pieces are divided by n, and the 1/n before B is forgotten in R-hat")
def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    pieces = torch.cat([kept[:n], kept[n:]], dim=1)
    W = pieces.var(dim=0, correction=0).mean()
    B = n * pieces.mean(dim=0).var()
    return kept.mean(), torch.sqrt(((n - 1) / n * W + B) / W)


@wrong("summarize_chains", "two mistakes: the chains are not cut into halves, and B is divided by the number of chains instead of that less one")
def summarize_chains(samples, burn_in):
    pieces = samples[burn_in:]
    n = len(pieces)
    W = pieces.var(dim=0).mean()
    B = n * pieces.mean(dim=0).var(correction=0)
    return pieces.mean(), torch.sqrt(((n - 1) / n * W + B / n) / W)


# ---------------------------------------------------------------- Exercise 4: mixture_em_step


@wrong("mixture_em_step", "the densities are exponentiated and divided by their sum: 0 / 0 = nan for an x far from all components")
def mixture_em_step(x, weights, means, variances):
    d = x[:, None] - means
    joint = weights * torch.exp(-0.5 * d**2 / variances) / torch.sqrt(2 * math.pi * variances)
    r = joint / joint.sum(dim=1, keepdim=True)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "a constant 1e-12 is added to the denominator of the responsibilities, so that an x far from all components gets a row of zeros")
def mixture_em_step(x, weights, means, variances):
    d = x[:, None] - means
    joint = weights * torch.exp(-0.5 * d**2 / variances) / torch.sqrt(2 * math.pi * variances)
    r = joint / (joint.sum(dim=1, keepdim=True) + 1e-12)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "the variances are handed to the normal density as standard deviations")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() + torch.distributions.Normal(means, variances).log_prob(x[:, None])
    r = torch.softmax(log_joint, dim=1)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "the new variances are taken around the old means")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() + torch.distributions.Normal(means, variances.sqrt()).log_prob(x[:, None])
    r = torch.softmax(log_joint, dim=1)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "the weights are forgotten in the E step: the components count as equally likely")
def mixture_em_step(x, weights, means, variances):
    log_density = torch.distributions.Normal(means, variances.sqrt()).log_prob(x[:, None])
    r = torch.softmax(log_density, dim=1)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "the responsibilities are normalised over the examples (dim=0) instead of over the components")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() + torch.distributions.Normal(means, variances.sqrt()).log_prob(x[:, None])
    r = torch.softmax(log_joint, dim=0)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "the normalising constant of the components, -log σ_k, is left out of the E step as if it cancelled")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * (x[:, None] - means) ** 2 / variances
    r = torch.softmax(log_joint, dim=1)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "returns the new standard deviations instead of the new variances")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() + torch.distributions.Normal(means, variances.sqrt()).log_prob(x[:, None])
    r = torch.softmax(log_joint, dim=1)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances.sqrt()


@wrong("mixture_em_step", "the responsibilities returned are computed again at the new parameters (the new parameters are right)")
def mixture_em_step(x, weights, means, variances):
    def e_step(w, m, v):
        return torch.softmax(w.log() + torch.distributions.Normal(m, v.sqrt()).log_prob(x[:, None]), dim=1)

    r = e_step(weights, means, variances)
    Nk = r.sum(dim=0)
    new_weights = Nk / len(x)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return e_step(new_weights, new_means, new_variances), new_weights, new_means, new_variances


@wrong("mixture_em_step", "before exponentiating, the maximum of the whole table is subtracted, not that of each row: 0 / 0 = nan for an x far from all components when others are near")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - 0.5 * torch.log(2 * math.pi * variances) - 0.5 * (x[:, None] - means) ** 2 / variances
    joint = torch.exp(log_joint - log_joint.max())
    r = joint / joint.sum(dim=1, keepdim=True)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "two mistakes: the weights are forgotten in the E step, and the new variances are taken around the old means")
def mixture_em_step(x, weights, means, variances):
    r = torch.softmax(torch.distributions.Normal(means, variances.sqrt()).log_prob(x[:, None]), dim=1)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - means) ** 2).sum(dim=0) / Nk
    return r, Nk / len(x), new_means, new_variances


@wrong("mixture_em_step", "two mistakes: the variances are used as standard deviations in the E step, and the new variances are divided by N instead of N_k")
def mixture_em_step(x, weights, means, variances):
    log_joint = weights.log() - torch.log(variances) - 0.5 * ((x[:, None] - means) / variances) ** 2
    r = torch.softmax(log_joint, dim=1)
    Nk = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / Nk
    new_variances = (r * (x[:, None] - new_means) ** 2).mean(dim=0)
    return r, Nk / len(x), new_means, new_variances


# ---------------------------------------------------------------- Exercise 5: mean_field_sweep


@wrong("mean_field_sweep", "all means are renewed at once from the old ones (Jacobi), not one after the other")
def mean_field_sweep(m, loc, precision):
    diagonal = torch.diag(precision)
    off = precision - torch.diag(diagonal)
    return loc - off @ (m - loc) / diagonal, 1 / diagonal


@wrong("mean_field_sweep", "the sum runs over all j, j = i among them")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        new[i] = loc[i] - precision[i] @ (new - loc) / precision[i, i]
    return new, 1 / torch.diag(precision)


@wrong("mean_field_sweep", "the sign of the sum is wrong: m_i = loc_i + ... instead of loc_i - ...")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        new[i] = loc[i] + precision[i, others] @ (new[others] - loc[others]) / precision[i, i]
    return new, 1 / torch.diag(precision)


@wrong("mean_field_sweep", "the variances are the target's marginal ones, the diagonal of the inverse precision")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        new[i] = loc[i] - precision[i, others] @ (new[others] - loc[others]) / precision[i, i]
    return new, torch.diag(torch.linalg.inv(precision)).clone()


@wrong("mean_field_sweep", "the sum is over precision_ij m_j, without subtracting loc_j (right only for a target with mean 0)")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        new[i] = loc[i] - precision[i, others] @ new[others] / precision[i, i]
    return new, 1 / torch.diag(precision)


@wrong("mean_field_sweep", "returns the standard deviations of the factors instead of their variances")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        new[i] = loc[i] - precision[i, others] @ (new[others] - loc[others]) / precision[i, i]
    return new, 1 / torch.diag(precision).sqrt()


@wrong("mean_field_sweep", "the new means are written into the argument m (the returned values are right, but m is changed)")
def mean_field_sweep(m, loc, precision):
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        m[i] = loc[i] - precision[i, others] @ (m[others] - loc[others]) / precision[i, i]
    return m, 1 / torch.diag(precision)


@wrong("mean_field_sweep", "the sweep goes from the last coordinate to the first")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in reversed(range(len(m))):
        others = [j for j in range(len(m)) if j != i]
        new[i] = loc[i] - precision[i, others] @ (new[others] - loc[others]) / precision[i, i]
    return new, 1 / torch.diag(precision)


@wrong("mean_field_sweep", "the sum runs only over the coordinates already renewed, j < i")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        new[i] = loc[i] - precision[i, :i] @ (new[:i] - loc[:i]) / precision[i, i]
    return new, 1 / torch.diag(precision)


@wrong("mean_field_sweep", "the sum is not divided by precision_ii (right only for a diagonal of ones)")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        new[i] = loc[i] - precision[i, others] @ (new[others] - loc[others])
    return new, 1 / torch.diag(precision)


@wrong("mean_field_sweep", "two mistakes: all means are renewed at once from the old ones, and the variances are the diagonal of the inverse precision")
def mean_field_sweep(m, loc, precision):
    diagonal = torch.diag(precision)
    off = precision - torch.diag(diagonal)
    return loc - off @ (m - loc) / diagonal, torch.diag(torch.linalg.inv(precision)).clone()


@wrong("mean_field_sweep", "two mistakes: the leading loc_i is forgotten in the update, and the variances are precision_ii instead of 1 / precision_ii")
def mean_field_sweep(m, loc, precision):
    new = m.clone()
    for i in range(len(m)):
        others = [j for j in range(len(m)) if j != i]
        new[i] = -precision[i, others] @ (new[others] - loc[others]) / precision[i, i]
    return new, torch.diag(precision).clone()


# ---------------------------------------------------------------- Exercise 6: elbo_terms


@wrong("elbo_terms", "noise_variance is used as the standard deviation of x given z")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = Normal(z @ W.T, noise_variance).log_prob(x).sum(dim=1)
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - Normal(loc, scale).log_prob(z).sum(dim=1)


@wrong("elbo_terms", "the normalising constant of p(x|z), -D/2 log(2πσ²), is left out")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - Normal(loc, scale).log_prob(z).sum(dim=1)


@wrong("elbo_terms", "log q lacks -log scale: it is the density of eps, not that of z")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = Normal(z @ W.T, noise_variance**0.5).log_prob(x).sum(dim=1)
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - Normal(0.0, 1.0).log_prob(eps).sum(dim=1)


@wrong("elbo_terms", "log q is added instead of subtracted")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = Normal(z @ W.T, noise_variance**0.5).log_prob(x).sum(dim=1)
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) + Normal(loc, scale).log_prob(z).sum(dim=1)


@wrong("elbo_terms", "the closed-form KL(q ‖ p(z)) is subtracted in place of each sample's log p(z) - log q(z): the right expectation, other terms")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    z = loc + scale * eps
    log_lik = torch.distributions.Normal(z @ W.T, noise_variance**0.5).log_prob(x).sum(dim=1)
    kl = 0.5 * (loc**2 + scale**2 - 1 - 2 * scale.log()).sum()
    return log_lik - kl


@wrong("elbo_terms", "scale is taken for the variance of q, in drawing z and in log q alike")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    sd = scale.sqrt()
    z = loc + sd * eps
    log_lik = Normal(z @ W.T, noise_variance**0.5).log_prob(x).sum(dim=1)
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - Normal(loc, sd).log_prob(z).sum(dim=1)


@wrong("elbo_terms", "log p(x|z) is averaged over the D pixels instead of summed")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = Normal(z @ W.T, noise_variance**0.5).log_prob(x).mean(dim=1)
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - Normal(loc, scale).log_prob(z).sum(dim=1)


@wrong("elbo_terms", "1/2 log(2πσ²) is subtracted once in log p(x|z), not D times")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = -0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance - 0.5 * math.log(2 * math.pi * noise_variance)
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - Normal(loc, scale).log_prob(z).sum(dim=1)


@wrong("elbo_terms", "every entry is the mean over the samples, the estimate itself repeated S times")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = Normal(z @ W.T, noise_variance**0.5).log_prob(x).sum(dim=1)
    terms = log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - Normal(loc, scale).log_prob(z).sum(dim=1)
    return terms.mean().expand(len(eps)).clone()


@wrong("elbo_terms", "the prior is evaluated at eps instead of at z")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = Normal(z @ W.T, noise_variance**0.5).log_prob(x).sum(dim=1)
    return log_lik + Normal(0.0, 1.0).log_prob(eps).sum(dim=1) - Normal(loc, scale).log_prob(z).sum(dim=1)


@wrong("elbo_terms", "two mistakes: noise_variance is used as a standard deviation, and log q lacks -log scale")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    z = loc + scale * eps
    log_lik = Normal(z @ W.T, noise_variance).log_prob(x).sum(dim=1)
    log_q = (-0.5 * eps**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)
    return log_lik + Normal(0.0, 1.0).log_prob(z).sum(dim=1) - log_q


@wrong("elbo_terms", "two mistakes: the prior's constant -K/2 log 2π is left out, and the log σ² in log p(x|z) has the factor D instead of D/2")
def elbo_terms(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    D = len(x)
    z = loc + scale * eps
    log_lik = -0.5 * D * math.log(2 * math.pi) - D * math.log(noise_variance) - 0.5 * ((x - z @ W.T) ** 2).sum(dim=1) / noise_variance
    log_prior = -0.5 * (z**2).sum(dim=1)
    return log_lik + log_prior - Normal(loc, scale).log_prob(z).sum(dim=1)
