"""Wrong answers that students might hand in for assignment 07."""
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


# ---------------------------------------------------------------- reparameterize


@wrong("reparameterize", "takes log_sigma for the log-variance: sigma = exp(log_sigma / 2), in the draws and in the density")
def reparameterize(eps, mu, log_sigma):
    sigma = torch.exp(0.5 * log_sigma)
    z = mu + sigma * eps
    return z, torch.distributions.Normal(mu, sigma).log_prob(z).sum(dim=-1)


@wrong("reparameterize", "the density forgets - log sigma (the density of eps, not of z)")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(log_sigma) * eps
    return z, (-0.5 * eps**2 - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "+ log sigma instead of - log sigma in the density")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(log_sigma) * eps
    return z, (-0.5 * eps**2 + log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "the constant log(2 pi) / 2 is taken off once for a code, not once for each of its K entries")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(log_sigma) * eps
    return z, (-0.5 * eps**2 - log_sigma).sum(dim=-1) - 0.5 * math.log(2 * math.pi)


@wrong("reparameterize", "divides the noise by sigma once more: the exponent is - (eps / sigma)^2 / 2")
def reparameterize(eps, mu, log_sigma):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    return z, (-0.5 * (eps / sigma) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "the mean over the latent variables instead of the sum")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(log_sigma) * eps
    return z, (-0.5 * eps**2 - log_sigma - 0.5 * math.log(2 * math.pi)).mean(dim=-1)


@wrong("reparameterize", "divides the squared distance by 2 sigma instead of 2 sigma^2")
def reparameterize(eps, mu, log_sigma):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    return z, (-((z - mu) ** 2) / (2 * sigma) - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "log_q is the density of the draws under the prior N(0, I), not under q")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(log_sigma) * eps
    return z, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "adds 1e-6 to the variance in the density, which is then wrong for small sigma")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(log_sigma) * eps
    var = torch.exp(2 * log_sigma) + 1e-6
    return z, (-((z - mu) ** 2) / (2 * var) - 0.5 * torch.log(2 * math.pi * var)).sum(dim=-1)


@wrong("reparameterize", "makes the draws in the memory of the argument eps: the values are right, but eps is overwritten")
def reparameterize(eps, mu, log_sigma):
    log_q = (-0.5 * eps**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    z = eps.mul_(torch.exp(log_sigma)).add_(mu)
    return z, log_q


@wrong("reparameterize", "two mistakes: sigma = exp(log_sigma / 2) in the draws only, and the density's constant is log(2 pi) without the half")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(0.5 * log_sigma) * eps
    return z, (-0.5 * eps**2 - log_sigma - math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "two mistakes: sigma is softplus(log_sigma) instead of exp(log_sigma), and the density forgets the half before the square")
def reparameterize(eps, mu, log_sigma):
    sigma = F.softplus(log_sigma)
    z = mu + sigma * eps
    return z, (-(((z - mu) / sigma) ** 2) - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


# ---------------------------------------------------------------- kl_to_prior


@wrong("kl_to_prior", "takes log_sigma for the log-variance (the usual formula with exp(log_sigma) and log_sigma)")
def kl_to_prior(mu, log_sigma):
    return -0.5 * torch.sum(1 + log_sigma - mu**2 - log_sigma.exp(), dim=1)


@wrong("kl_to_prior", "the sign: returns -KL, as it stands in the bound")
def kl_to_prior(mu, log_sigma):
    return 0.5 * torch.sum(1 + 2 * log_sigma - mu**2 - (2 * log_sigma).exp(), dim=1)


@wrong("kl_to_prior", "the mean over the latent variables instead of the sum")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).mean(dim=1)


@wrong("kl_to_prior", "forgets the factor one half")
def kl_to_prior(mu, log_sigma):
    return (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "log sigma is not doubled inside the bracket: half of the entropy's log sigma is missing")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(log_sigma) ** 2 - 1 - log_sigma).sum(dim=1)


@wrong("kl_to_prior", "the other direction, KL(p || q)")
def kl_to_prior(mu, log_sigma):
    return (log_sigma + (1 + mu**2) / (2 * torch.exp(2 * log_sigma)) - 0.5).sum(dim=1)


@wrong("kl_to_prior", "sigma instead of sigma^2 in the bracket")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + log_sigma.exp() - 1 - 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "the 1 is taken off once for an image, not once for each latent variable")
def kl_to_prior(mu, log_sigma):
    return 0.5 * ((mu**2 + (2 * log_sigma).exp() - 2 * log_sigma).sum(dim=1) - 1)


@wrong("kl_to_prior", "every image gets the batch's mean KL")
def kl_to_prior(mu, log_sigma):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return kl.mean() * torch.ones_like(kl)


@wrong("kl_to_prior", "adds 1e-6 inside the logarithm of the variance, which is then wrong for small sigma")
def kl_to_prior(mu, log_sigma):
    var = torch.exp(2 * log_sigma)
    return 0.5 * (mu**2 + var - 1 - torch.log(var + 1e-6)).sum(dim=1)


@wrong("kl_to_prior", "two mistakes: forgets the -1, and the sign of log sigma is wrong")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + (2 * log_sigma).exp() + 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "two mistakes: the mean over the latent variables, and divided by log 2 (bits instead of nats)")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).mean(dim=1) / math.log(2)


# ---------------------------------------------------------------- bernoulli_elbo


def _kl(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)


def _log_bernoulli(x, logits):
    return x * logits - F.softplus(logits)


@wrong("bernoulli_elbo", "the mean over the pixels instead of the sum")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = _log_bernoulli(x, logits).mean(dim=2).mean(dim=0)
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "the sum over the draws instead of the mean")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = _log_bernoulli(x, logits).sum(dim=(0, 2))
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "adds the KL instead of taking it off")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = _log_bernoulli(x, logits).sum(dim=2).mean(dim=0)
    return reconstruction, reconstruction + _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "binary_cross_entropy of sigmoid(logits): at logits beyond 37 the sigmoid rounds to 1, and a pixel of 0 there costs 100 nats (no pixel ever costs more)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    p = torch.sigmoid(logits)
    reconstruction = -F.binary_cross_entropy(p, x.expand_as(p), reduction="none").sum(dim=2).mean(dim=0)
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "adds 1e-8 inside both logarithms, so that a wrong pixel never costs more than 18.4 nats")
def bernoulli_elbo(x, logits, mu, log_sigma):
    p = torch.sigmoid(logits)
    log_p = x * torch.log(p + 1e-8) + (1 - x) * torch.log(1 - p + 1e-8)
    reconstruction = log_p.sum(dim=2).mean(dim=0)
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "log(1 + exp(logits)) without care: overflows to -infinity for logits above 709")
def bernoulli_elbo(x, logits, mu, log_sigma):
    log_p = x * logits - torch.log(1 + torch.exp(logits))
    reconstruction = log_p.sum(dim=2).mean(dim=0)
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "only the white pixels count: the term (1 - x) log(1 - p) is forgotten")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * F.logsigmoid(logits)).sum(dim=2).mean(dim=0)
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "the logarithm of the mean likelihood over draws instead of the mean of the logarithms")
def bernoulli_elbo(x, logits, mu, log_sigma):
    log_p = _log_bernoulli(x, logits).sum(dim=2)
    reconstruction = torch.logsumexp(log_p, dim=0) - math.log(len(logits))
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "averages the logits over the draws first, and takes the likelihood of the average")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = _log_bernoulli(x, logits.mean(dim=0)).sum(dim=1)
    return reconstruction, reconstruction - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "returns the reconstruction as a loss, with the opposite sign; the bound is right")
def bernoulli_elbo(x, logits, mu, log_sigma):
    loss = F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(dim=2).mean(dim=0)
    return loss, -loss - _kl(mu, log_sigma)


@wrong("bernoulli_elbo", "two mistakes: the mean over the pixels, and the KL is divided by the number of latent variables")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = _log_bernoulli(x, logits).mean(dim=2).mean(dim=0)
    return reconstruction, reconstruction - _kl(mu, log_sigma) / mu.shape[1]


@wrong("bernoulli_elbo", "two mistakes: only the first draw is used, and the KL takes log_sigma for the log-variance")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = _log_bernoulli(x, logits[0]).sum(dim=1)
    return reconstruction, reconstruction + 0.5 * (1 + log_sigma - mu**2 - log_sigma.exp()).sum(dim=1)


# ---------------------------------------------------------------- normal_log_likelihood


def _log_normal(x, loc, sigma):
    return (-0.5 * ((x - loc) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(dim=2)


@wrong("normal_log_likelihood", "best_sigma is the mean squared error, the variance, without the root")
def normal_log_likelihood(x, loc, sigma):
    return _log_normal(x, loc, sigma), ((x - loc) ** 2).mean()


@wrong("normal_log_likelihood", "takes sigma for the variance in the likelihood")
def normal_log_likelihood(x, loc, sigma):
    return _log_normal(x, loc, math.sqrt(sigma)), ((x - loc) ** 2).mean().sqrt()


@wrong("normal_log_likelihood", "log sigma and log(2 pi) / 2 are taken off once for an image, not once for each pixel")
def normal_log_likelihood(x, loc, sigma):
    squares = (x - loc) ** 2
    log_p = -squares.sum(dim=2) / (2 * sigma**2) - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p, squares.mean().sqrt()


@wrong("normal_log_likelihood", "the mean over the pixels instead of the sum")
def normal_log_likelihood(x, loc, sigma):
    return _log_normal(x, loc, sigma) / x.shape[1], ((x - loc) ** 2).mean().sqrt()


@wrong("normal_log_likelihood", "divides by the number of values less one in best_sigma")
def normal_log_likelihood(x, loc, sigma):
    squares = (x - loc) ** 2
    return _log_normal(x, loc, sigma), (squares.sum() / (squares.numel() - 1)).sqrt()


@wrong("normal_log_likelihood", "best_sigma is the mean of each image's and draw's own best sigma (roots are taken before the average)")
def normal_log_likelihood(x, loc, sigma):
    return _log_normal(x, loc, sigma), ((x - loc) ** 2).mean(dim=2).sqrt().mean()


@wrong("normal_log_likelihood", "best_sigma is the standard deviation of the errors, with their mean taken off")
def normal_log_likelihood(x, loc, sigma):
    return _log_normal(x, loc, sigma), (x - loc).std(unbiased=False)


@wrong("normal_log_likelihood", "forgets - log sigma in the likelihood")
def normal_log_likelihood(x, loc, sigma):
    squares = (x - loc) ** 2
    return (-squares / (2 * sigma**2) - 0.5 * math.log(2 * math.pi)).sum(dim=2), squares.mean().sqrt()


@wrong("normal_log_likelihood", "best_sigma from the standardised errors (x - loc) / sigma: right only if sigma is 1")
def normal_log_likelihood(x, loc, sigma):
    e = (x - loc) / sigma
    return (-0.5 * e**2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(dim=2), (e**2).mean().sqrt()


@wrong("normal_log_likelihood", "averages the decoder's means over the draws before best_sigma")
def normal_log_likelihood(x, loc, sigma):
    return _log_normal(x, loc, sigma), ((x - loc.mean(dim=0)) ** 2).mean().sqrt()


@wrong("normal_log_likelihood", "two mistakes: no half before the squared error, and best_sigma is the mean absolute error")
def normal_log_likelihood(x, loc, sigma):
    e = x - loc
    log_p = (-(e**2) / sigma**2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(dim=2)
    return log_p, e.abs().mean()


@wrong("normal_log_likelihood", "two mistakes: divides by 2 sigma instead of 2 sigma^2, and best_sigma sums over pixels and averages over draws and images only")
def normal_log_likelihood(x, loc, sigma):
    squares = (x - loc) ** 2
    log_p = (-squares / (2 * sigma) - math.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(dim=2)
    return log_p, squares.sum(dim=2).mean().sqrt()


# ---------------------------------------------------------------- iwae_bound


@wrong("iwae_bound", "exponentiates first: the weights underflow to zero for log w below -745, the bound becomes -infinity and the weights 0 / 0")
def iwae_bound(log_joint, log_q):
    w = torch.exp(log_joint - log_q)
    return torch.log(w.mean(dim=0)), w / w.sum(dim=0)


@wrong("iwae_bound", "forgets - log S: the logarithm of the sum instead of the mean")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "the mean of the logarithms: the ELBO, whatever S")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return log_w.mean(dim=0), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "normalises the weights over the images instead of the draws")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.softmax(log_w, dim=1)


@wrong("iwae_bound", "adds log q instead of taking it off")
def iwae_bound(log_joint, log_q):
    log_w = log_joint + log_q
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "normalises the joint densities instead of the ratios: the weights forget q")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.softmax(log_joint, dim=0)


@wrong("iwae_bound", "takes off log B, the number of images, instead of log S")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) - math.log(log_w.shape[1]), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "takes off one maximum for the whole batch: an image whose log w lies over 745 nats below another's gets -infinity")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    top = log_w.max()
    w = torch.exp(log_w - top)
    return top + torch.log(w.mean(dim=0)), w / w.sum(dim=0)


@wrong("iwae_bound", "takes off the maximum before the exponential, and never adds it to the bound again")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    w = torch.exp(log_w - log_w.max(dim=0).values)
    return torch.log(w.mean(dim=0)), w / w.sum(dim=0)


@wrong("iwae_bound", "the average of log w with the normalised weights, instead of the logarithm of the mean weight")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    weights = torch.softmax(log_w, dim=0)
    return (weights * log_w).sum(dim=0), weights


@wrong("iwae_bound", "two mistakes: adds log S instead of taking it off, and returns the weights' logarithms")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) + math.log(len(log_w)), torch.log_softmax(log_w, dim=0)


@wrong("iwae_bound", "two mistakes: log w is clamped to at least -500, and the weights are divided by their mean, so that columns sum to S")
def iwae_bound(log_joint, log_q):
    log_w = (log_joint - log_q).clamp(min=-500)
    weights = torch.softmax(log_w, dim=0)
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), weights * len(log_w)


# ---------------------------------------------------------------- manifold_grid


def _icdf(u):
    return torch.distributions.Normal(0.0, 1.0).icdf(u)


def _middles(n):
    return (torch.arange(n, dtype=torch.float64) + 0.5) / n


def _grid(z1, z2):
    "z1 along the columns, z2 along the rows."
    return torch.stack([z1[None, :].expand(len(z2), -1), z2[:, None].expand(-1, len(z1))], dim=-1)


@wrong("manifold_grid", "z_2 grows downwards: row 0 has the smallest z_2")
def manifold_grid(num_rows, num_columns):
    return _grid(_icdf(_middles(num_columns)), _icdf(_middles(num_rows)))


@wrong("manifold_grid", "even steps from -3 to 3 instead of equal shares of the prior")
def manifold_grid(num_rows, num_columns):
    z1 = torch.linspace(-3, 3, num_columns, dtype=torch.float64)
    return _grid(z1, torch.linspace(3, -3, num_rows, dtype=torch.float64))


@wrong("manifold_grid", "u_i = (i + 1) / (n + 1) instead of the cells' middles")
def manifold_grid(num_rows, num_columns):
    u = [torch.arange(1, n + 1, dtype=torch.float64) / (n + 1) for n in (num_rows, num_columns)]
    return _grid(_icdf(u[1]), _icdf(u[0]).flip(0))


@wrong("manifold_grid", "the last axis holds (z_2, z_1) instead of (z_1, z_2)")
def manifold_grid(num_rows, num_columns):
    return _grid(_icdf(_middles(num_columns)), _icdf(_middles(num_rows)).flip(0)).flip(-1)


@wrong("manifold_grid", "turns z_1 around as well: it falls from left to right")
def manifold_grid(num_rows, num_columns):
    return _grid(_icdf(_middles(num_columns)).flip(0), _icdf(_middles(num_rows)).flip(0))


@wrong("manifold_grid", "u runs evenly from 0.05 to 0.95 instead of over the cells' middles (right only for ten by ten)")
def manifold_grid(num_rows, num_columns):
    z1 = _icdf(torch.linspace(0.05, 0.95, num_columns, dtype=torch.float64))
    return _grid(z1, _icdf(torch.linspace(0.95, 0.05, num_rows, dtype=torch.float64)))


@wrong("manifold_grid", "the distribution function of u instead of its inverse")
def manifold_grid(num_rows, num_columns):
    cdf = torch.distributions.Normal(0.0, 1.0).cdf
    return _grid(cdf(_middles(num_columns)), cdf(_middles(num_rows)).flip(0))


@wrong("manifold_grid", "lays the grid out as columns by rows and reshapes it instead of transposing it: z_1 runs along the rows' axis of a square grid")
def manifold_grid(num_rows, num_columns):
    z1, z2 = torch.meshgrid(_icdf(_middles(num_columns)), _icdf(_middles(num_rows)).flip(0), indexing="ij")
    return torch.stack([z1, z2], dim=-1).reshape(num_rows, num_columns, 2)


@wrong("manifold_grid", "erfinv(2 u - 1) without the factor sqrt 2")
def manifold_grid(num_rows, num_columns):
    z1, z2 = (torch.erfinv(2 * _middles(n) - 1) for n in (num_columns, num_rows))
    return _grid(z1, z2.flip(0))


@wrong("manifold_grid", "divides by the larger of the two numbers on both axes: right only for square grids")
def manifold_grid(num_rows, num_columns):
    n = max(num_rows, num_columns)
    u1, u2 = ((torch.arange(m, dtype=torch.float64) + 0.5) / n for m in (num_columns, num_rows))
    return _grid(_icdf(u1), _icdf(u2).flip(0))


@wrong("manifold_grid", "two mistakes: the last axis holds (z_2, z_1), and z_2 grows downwards")
def manifold_grid(num_rows, num_columns):
    return _grid(_icdf(_middles(num_columns)), _icdf(_middles(num_rows))).flip(-1)


@wrong("manifold_grid", "two mistakes: the cells' left edges i / n, clamped at 1e-3, instead of the middles, and z_1 is turned around in place of z_2")
def manifold_grid(num_rows, num_columns):
    u1, u2 = ((torch.arange(n, dtype=torch.float64) / n).clamp(min=1e-3) for n in (num_columns, num_rows))
    return _grid(_icdf(u1).flip(0), _icdf(u2))


# ---------------------------------------------------------------- encoder_gradients


def _parts(x, eps, V, log_sigma, A):
    mu, sigma = x @ V.T, torch.exp(log_sigma)
    z = mu + sigma * eps
    return mu, sigma, z, (x - z @ A.T) @ A  # the last: the gradient of the reconstruction by z


@wrong("encoder_gradients", "takes the draws as numbers (detach): only the KL is differentiated")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu, sigma = x @ V.T, torch.exp(log_sigma)
    z = (mu + sigma * eps).detach()
    kl = 0.5 * (mu**2 + sigma**2 - 1 - 2 * log_sigma).sum(dim=1)
    bound = (-0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0) - kl).mean()
    return torch.autograd.grad(bound, [V, log_sigma])


@wrong("encoder_gradients", "the sum over the batch instead of the mean")
def encoder_gradients(x, eps, V, log_sigma, A):
    mu, sigma, z, g = _parts(x, eps, V, log_sigma, A)
    by_mu, by_log_sigma = g.mean(dim=0) - mu, (g * sigma * eps).mean(dim=0) - (sigma**2 - 1)
    return by_mu.T @ x, by_log_sigma.sum(dim=0)


@wrong("encoder_gradients", "the sign: the gradient of the loss, minus the bound")
def encoder_gradients(x, eps, V, log_sigma, A):
    mu, sigma, z, g = _parts(x, eps, V, log_sigma, A)
    by_mu, by_log_sigma = g.mean(dim=0) - mu, (g * sigma * eps).mean(dim=0) - (sigma**2 - 1)
    return -by_mu.T @ x / len(x), -by_log_sigma.mean(dim=0)


@wrong("encoder_gradients", "forgets that the KL depends on mu, and so on V")
def encoder_gradients(x, eps, V, log_sigma, A):
    mu, sigma, z, g = _parts(x, eps, V, log_sigma, A)
    by_log_sigma = (g * sigma * eps).mean(dim=(0, 1)) - (sigma**2 - 1)
    return g.mean(dim=0).T @ x / len(x), by_log_sigma


@wrong("encoder_gradients", "the gradient by sigma instead of log sigma: the factor sigma is missing")
def encoder_gradients(x, eps, V, log_sigma, A):
    mu, sigma, z, g = _parts(x, eps, V, log_sigma, A)
    by_sigma = (g * eps).mean(dim=(0, 1)) - (sigma - 1 / sigma)
    return (g.mean(dim=0) - mu).T @ x / len(x), by_sigma


@wrong("encoder_gradients", "takes log_sigma for the log-variance throughout")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_var = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + torch.exp(0.5 * log_var) * eps
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)
    bound = (-0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0) - kl).mean()
    return torch.autograd.grad(bound, [V, log_var])


@wrong("encoder_gradients", "sets requires_grad on the arguments themselves and returns their .grad: the arguments are changed, and a second call with them adds to the first gradient")
def encoder_gradients(x, eps, V, log_sigma, A):
    V.requires_grad_(), log_sigma.requires_grad_()
    mu, sigma = x @ V.T, torch.exp(log_sigma)
    z = mu + sigma * eps
    kl = 0.5 * (mu**2 + sigma**2 - 1 - 2 * log_sigma).sum(dim=1)
    (-0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0) - kl).mean().backward()
    return V.grad, log_sigma.grad


@wrong("encoder_gradients", "counts the KL of log sigma once for the batch: its gradient sigma^2 - 1 is divided by B")
def encoder_gradients(x, eps, V, log_sigma, A):
    mu, sigma, z, g = _parts(x, eps, V, log_sigma, A)
    by_log_sigma = (g * sigma * eps).mean(dim=(0, 1)) - (sigma**2 - 1) / len(x)
    return (g.mean(dim=0) - mu).T @ x / len(x), by_log_sigma


@wrong("encoder_gradients", "the gradient by V takes the residual at the mean mu instead of at the draws")
def encoder_gradients(x, eps, V, log_sigma, A):
    mu, sigma, z, g = _parts(x, eps, V, log_sigma, A)
    at_mean = (x - mu @ A.T) @ A
    by_log_sigma = (g * sigma * eps).mean(dim=(0, 1)) - (sigma**2 - 1)
    return (at_mean - mu).T @ x / len(x), by_log_sigma


@wrong("encoder_gradients", "log p(z) at the draws in place of -KL: the entropy of q is forgotten")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    z = x @ V.T + torch.exp(log_sigma) * eps
    joint = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2) - 0.5 * (z**2).sum(dim=2)
    return torch.autograd.grad(joint.mean(), [V, log_sigma])


@wrong("encoder_gradients", "two mistakes: the squared error without its half, and sigma is detached in the draws, so that log sigma learns from the KL alone")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu, sigma = x @ V.T, torch.exp(log_sigma)
    z = mu + sigma.detach() * eps
    kl = 0.5 * (mu**2 + sigma**2 - 1 - 2 * log_sigma).sum(dim=1)
    bound = (-((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0) - kl).mean()
    return torch.autograd.grad(bound, [V, log_sigma])


@wrong("encoder_gradients", "two mistakes: the squared error is averaged over the pixels, and the KL over the latent variables")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu, sigma = x @ V.T, torch.exp(log_sigma)
    z = mu + sigma * eps
    kl = 0.5 * (mu**2 + sigma**2 - 1 - 2 * log_sigma).mean(dim=1)
    bound = (-0.5 * ((x - z @ A.T) ** 2).mean(dim=2).mean(dim=0) - kl).mean()
    return torch.autograd.grad(bound, [V, log_sigma])


# ---------------------------------------------------------------- train_vae


def networks(num_pixels, num_latents, num_hidden, seed):
    "Returns an encoder and a decoder, with the same first weights for the same seed."
    torch.manual_seed(seed)
    linear, tanh = torch.nn.Linear, torch.nn.Tanh
    encoder = torch.nn.Sequential(linear(num_pixels, num_hidden), tanh(), linear(num_hidden, 2 * num_latents))
    decoder = torch.nn.Sequential(linear(num_latents, num_hidden), tanh(), linear(num_hidden, num_pixels))
    return encoder, decoder


def as_vector(encoder, decoder):
    "Puts all parameters into one vector."
    return torch.nn.utils.parameters_to_vector([*encoder.parameters(), *decoder.parameters()]).detach()


def _train(x, num_latents, num_hidden, num_steps, seed, loss_of, zero_grad=True):
    "Adam on loss_of(batch, encoder, decoder, generator); the rest is right."
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    generator = torch.Generator().manual_seed(seed)
    x = x.float()
    for _ in range(num_steps):
        batch = x[torch.randperm(len(x), generator=generator)[:100]]
        loss = loss_of(batch, encoder, decoder, generator)
        if zero_grad:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "the cross-entropy is averaged over the pixels, and the KL is summed over the latent variables: beta = D, the code collapses")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    def loss_of(batch, encoder, decoder, generator):
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + torch.exp(log_sigma) * torch.randn(mu.shape, generator=generator)
        return F.binary_cross_entropy_with_logits(decoder(z), batch) + _kl(mu, log_sigma).mean()

    return _train(x, num_latents, num_hidden, num_steps, seed, loss_of)


@wrong("train_vae", "the KL is averaged over the latent variables: beta = 1 / K, right only for K = 1")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    def loss_of(batch, encoder, decoder, generator):
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + torch.exp(log_sigma) * torch.randn(mu.shape, generator=generator)
        bce = F.binary_cross_entropy_with_logits(decoder(z), batch, reduction="none").sum(dim=1)
        return (bce + _kl(mu, log_sigma) / num_latents).mean()

    return _train(x, num_latents, num_hidden, num_steps, seed, loss_of)


@wrong("train_vae", "trains the encoder's second half as log-variance: its exponential is the variance, in the draws and in the KL")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    def loss_of(batch, encoder, decoder, generator):
        mu, log_var = encoder(batch).chunk(2, dim=1)
        z = mu + torch.exp(0.5 * log_var) * torch.randn(mu.shape, generator=generator)
        bce = F.binary_cross_entropy_with_logits(decoder(z), batch, reduction="none").sum(dim=1)
        return (bce + 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)).mean()

    return _train(x, num_latents, num_hidden, num_steps, seed, loss_of)


@wrong("train_vae", "the draws are detached from the encoder, which learns from the KL alone")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    def loss_of(batch, encoder, decoder, generator):
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = (mu + torch.exp(log_sigma) * torch.randn(mu.shape, generator=generator)).detach()
        bce = F.binary_cross_entropy_with_logits(decoder(z), batch, reduction="none").sum(dim=1)
        return (bce + _kl(mu, log_sigma)).mean()

    return _train(x, num_latents, num_hidden, num_steps, seed, loss_of)


@wrong("train_vae", "two draws an image, whose cross-entropies are summed instead of averaged: beta = 1/2")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    def loss_of(batch, encoder, decoder, generator):
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + torch.exp(log_sigma) * torch.randn(2, *mu.shape, generator=generator)
        logits = decoder(z)
        bce = F.binary_cross_entropy_with_logits(logits, batch.expand_as(logits), reduction="none").sum(dim=(0, 2))
        return (bce + _kl(mu, log_sigma)).mean()

    return _train(x, num_latents, num_hidden, num_steps, seed, loss_of)


@wrong("train_vae", "two mistakes: the KL forgets its half (beta is 2), and the gradients are never set back to zero")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    def loss_of(batch, encoder, decoder, generator):
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + torch.exp(log_sigma) * torch.randn(mu.shape, generator=generator)
        bce = F.binary_cross_entropy_with_logits(decoder(z), batch, reduction="none").sum(dim=1)
        return (bce + 2 * _kl(mu, log_sigma)).mean()

    return _train(x, num_latents, num_hidden, num_steps, seed, loss_of, zero_grad=False)
