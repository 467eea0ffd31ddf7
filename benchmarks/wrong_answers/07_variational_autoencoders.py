"""Wrong answers that students might hand in for assignment 07.

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


# ---- given by the notebook ----
def networks(num_pixels, num_latents, num_hidden, seed):
    torch.manual_seed(seed)
    linear, tanh = torch.nn.Linear, torch.nn.Tanh
    encoder = torch.nn.Sequential(linear(num_pixels, num_hidden), tanh(), linear(num_hidden, 2 * num_latents))
    decoder = torch.nn.Sequential(linear(num_latents, num_hidden), tanh(), linear(num_hidden, num_pixels))
    return encoder, decoder


def as_vector(encoder, decoder):
    return torch.nn.utils.parameters_to_vector([*encoder.parameters(), *decoder.parameters()]).detach()


# ---- reparameterize ----
@wrong("reparameterize", "takes log_sigma for a log-variance, in the draws and in the density")
def reparameterize(eps, mu, log_sigma):
    sigma = torch.exp(0.5 * log_sigma)
    z = mu + sigma * eps
    log_q = (-0.5 * eps**2 - 0.5 * log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    return z, log_q


@wrong("reparameterize", "multiplies the noise by log_sigma, without the exponential")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma * eps
    log_q = (-0.5 * eps**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    return z, log_q


@wrong("reparameterize", "drops the constant -1/2 log 2 pi")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma.exp() * eps
    return z, (-0.5 * eps**2 - log_sigma).sum(dim=-1)


@wrong("reparameterize", "forgets -log sigma, the change of volume, so gives the density of eps")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma.exp() * eps
    return z, torch.distributions.Normal(0.0, 1.0).log_prob(eps).sum(dim=-1)


@wrong("reparameterize", "adds log sigma in place of subtracting it")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma.exp() * eps
    return z, (-0.5 * eps**2 + log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "averages the log-density over the latent variables in place of adding it up")
def reparameterize(eps, mu, log_sigma):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    return z, torch.distributions.Normal(mu, sigma).log_prob(z).mean(dim=-1)


@wrong("reparameterize", "subtracts 1/2 log 2 pi once in place of once for each latent variable")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma.exp() * eps
    return z, -0.5 * (eps**2).sum(dim=-1) - log_sigma.sum(dim=-1) - 0.5 * math.log(2 * math.pi)


@wrong("reparameterize", "returns the density under the prior, log p(z), for log q")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma.exp() * eps
    return z, (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "divides the squared deviation by sigma in place of sigma squared")
def reparameterize(eps, mu, log_sigma):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    return z, (-0.5 * (z - mu) ** 2 / sigma - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "subtracts log 2 pi, without the half")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma.exp() * eps
    return z, (-0.5 * eps**2 - log_sigma - math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "makes sigma positive by softplus in place of exp")
def reparameterize(eps, mu, log_sigma):
    sigma = F.softplus(log_sigma)
    z = mu + sigma * eps
    return z, torch.distributions.Normal(mu, sigma).log_prob(z).sum(dim=-1)


@wrong("reparameterize", "scales eps by the variance sigma^2")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(2 * log_sigma) * eps
    return z, (-0.5 * eps**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "forgets the half of eps^2")
def reparameterize(eps, mu, log_sigma):
    z = mu + log_sigma.exp() * eps
    return z, (-(eps**2) - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "divides eps, which has unit scale already, by sigma once more in the density")
def reparameterize(eps, mu, log_sigma):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    return z, (-0.5 * (eps / sigma) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "detaches z, so that no gradient passes (values are right)")
def reparameterize(eps, mu, log_sigma):
    sigma = log_sigma.exp()
    z = (mu + sigma * eps).detach()
    return z, torch.distributions.Normal(mu, sigma).log_prob(z).sum(dim=-1)


@wrong("reparameterize", "uses the first image's noise for all images")
def reparameterize(eps, mu, log_sigma):
    noise = eps[:, :1].expand_as(eps)
    z = mu + log_sigma.exp() * noise
    return z, (-0.5 * noise**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


@wrong("reparameterize", "multiplies densities and takes the logarithm with 1e-10 at the end (wrong where the density is small)")
def reparameterize(eps, mu, log_sigma):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    density = torch.exp(-0.5 * eps**2) / (sigma * math.sqrt(2 * math.pi))
    return z, torch.log(density.prod(dim=-1) + 1e-10)


@wrong("reparameterize", "two mistakes: log_sigma as log-variance in the draws only, and no constant in the density")
def reparameterize(eps, mu, log_sigma):
    z = mu + torch.exp(log_sigma / 2) * eps
    return z, (-0.5 * eps**2 - log_sigma).sum(dim=-1)


# ---- kl_to_prior ----
@wrong("kl_to_prior", "takes log_sigma for a log-variance, as most code on the web has it")
def kl_to_prior(mu, log_sigma):
    return -0.5 * torch.sum(1 + log_sigma - mu**2 - log_sigma.exp(), dim=1)


@wrong("kl_to_prior", "averages over the latent variables")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).mean(dim=1)


@wrong("kl_to_prior", "drops the -1")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "forgets the factor one half")
def kl_to_prior(mu, log_sigma):
    return (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "wrong sign: returns -KL, as it stands in the ELBO")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (1 + 2 * log_sigma - mu**2 - torch.exp(2 * log_sigma)).sum(dim=1)


@wrong("kl_to_prior", "log sigma^2 is written as log sigma, without the 2")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - log_sigma).sum(dim=1)


@wrong("kl_to_prior", "sigma in place of sigma squared")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(log_sigma) - 1 - 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "the other direction, KL(p || q)")
def kl_to_prior(mu, log_sigma):
    return (log_sigma + (1 + mu**2) / (2 * torch.exp(2 * log_sigma)) - 0.5).sum(dim=1)


@wrong("kl_to_prior", "wrong sign of the logarithm")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 + 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "averages over the batch, and gives every image the same value")
def kl_to_prior(mu, log_sigma):
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return kl.mean() * torch.ones_like(kl)


@wrong("kl_to_prior", "the -1 is not halved")
def kl_to_prior(mu, log_sigma):
    return (0.5 * (mu**2 + torch.exp(2 * log_sigma)) - 1 - log_sigma).sum(dim=1)


@wrong("kl_to_prior", "subtracts the 1 once in place of once for each latent variable")
def kl_to_prior(mu, log_sigma):
    return 0.5 * ((mu**2 + torch.exp(2 * log_sigma) - 2 * log_sigma).sum(dim=1) - 1)


@wrong("kl_to_prior", "|mu| in place of mu^2")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu.abs() + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "returns bits")
def kl_to_prior(mu, log_sigma):
    return 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1) / math.log(2)


@wrong("kl_to_prior", "puts z = mu into log q(z) - log p(z), so drops the variance of q")
def kl_to_prior(mu, log_sigma):
    return (-log_sigma + 0.5 * mu**2).sum(dim=1)


@wrong("kl_to_prior", "clamps log_sigma to [-1, 1] 'for stability' (right in between)")
def kl_to_prior(mu, log_sigma):
    log_sigma = log_sigma.clamp(-1, 1)
    return 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)


@wrong("kl_to_prior", "free bits: at least 0.1 nats for each latent variable")
def kl_to_prior(mu, log_sigma):
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma)
    return kl.clamp(min=0.1).sum(dim=1)


@wrong("kl_to_prior", "adds the entropy of q in place of subtracting it: only the cross-entropy, plus the entropy")
def kl_to_prior(mu, log_sigma):
    cross = 0.5 * (mu**2 + torch.exp(2 * log_sigma) + math.log(2 * math.pi)).sum(dim=1)
    entropy = (log_sigma + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=1)
    return cross + entropy


@wrong("kl_to_prior", "two mistakes: log-variance, and mean over the latent variables")
def kl_to_prior(mu, log_sigma):
    return -0.5 * torch.mean(1 + log_sigma - mu**2 - log_sigma.exp(), dim=1)


@wrong("kl_to_prior", "two mistakes: no half and no -1")
def kl_to_prior(mu, log_sigma):
    return (mu**2 + torch.exp(2 * log_sigma) - 2 * log_sigma).sum(dim=1)


# ---- bernoulli_elbo ----
@wrong("bernoulli_elbo", "averages the log-likelihood over the pixels")
def bernoulli_elbo(x, logits, mu, log_sigma):
    log_p = -F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none")
    reconstruction = log_p.mean(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "adds the draws up in place of averaging them")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(dim=(0, 2))
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "adds the KL")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * logits - F.softplus(logits)).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction + kl


@wrong("bernoulli_elbo", "returns the loss, -ELBO, with the cross-entropy as reconstruction term")
def bernoulli_elbo(x, logits, mu, log_sigma):
    loss = F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return loss, loss + kl


@wrong("bernoulli_elbo", "logarithm of the sigmoid plus 1e-8 (wrong for large logits)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    p = torch.sigmoid(logits)
    log_p = x * torch.log(p + 1e-8) + (1 - x) * torch.log(1 - p + 1e-8)
    reconstruction = log_p.sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "logarithm of the bare sigmoid: nan or infinity for large logits")
def bernoulli_elbo(x, logits, mu, log_sigma):
    p = torch.sigmoid(logits)
    reconstruction = (x * p.log() + (1 - x) * (1 - p).log()).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "sigmoid and then binary_cross_entropy, which cuts logarithms at -100 (wrong for logits beyond 36 or so)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    bce = F.binary_cross_entropy(torch.sigmoid(logits), x.expand_as(logits), reduction="none")
    reconstruction = -bce.sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "clamps logits to [-10, 10] (wrong for large logits)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    a = logits.clamp(-10, 10)
    reconstruction = (x * a - F.softplus(a)).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "applies the sigmoid twice, once by hand and once in the with_logits function")
def bernoulli_elbo(x, logits, mu, log_sigma):
    a = torch.sigmoid(logits)
    bce = F.binary_cross_entropy_with_logits(a, x.expand_as(logits), reduction="none")
    reconstruction = -bce.sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "counts the white pixels only: forgets (1 - x) log(1 - p)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * F.logsigmoid(logits)).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "takes log_sigma for a log-variance in the KL")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * logits - F.softplus(logits)).sum(dim=2).mean(dim=0)
    kl = -0.5 * (1 + log_sigma - mu**2 - log_sigma.exp()).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "averages the KL over the latent variables")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * logits - F.softplus(logits)).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).mean(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "divides the KL by the number of pixels")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * logits - F.softplus(logits)).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl / x.shape[1]


@wrong("bernoulli_elbo", "averages the likelihoods of the draws inside the logarithm, as importance weighting does (right for S = 1)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    log_p = (x * logits - F.softplus(logits)).sum(dim=2)
    reconstruction = torch.logsumexp(log_p, dim=0) - math.log(len(logits))
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "averages the logits over the draws first (right for S = 1)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    a = logits.mean(dim=0)
    reconstruction = (x * a - F.softplus(a)).sum(dim=1)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "averages over the batch, and gives every image the same two values")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * logits - F.softplus(logits)).sum(dim=2).mean()
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1).mean()
    ones = torch.ones(len(x), dtype=x.dtype)
    return reconstruction * ones, (reconstruction - kl) * ones


@wrong("bernoulli_elbo", "black and white swapped: weighs log p by 1 - x")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = ((1 - x) * F.logsigmoid(logits) + x * F.logsigmoid(-logits)).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "squared error of the probabilities in place of the log-likelihood")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = -((x - torch.sigmoid(logits)) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "uses the first draw only (right for S = 1)")
def bernoulli_elbo(x, logits, mu, log_sigma):
    a = logits[0]
    reconstruction = (x * a - F.softplus(a)).sum(dim=1)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


@wrong("bernoulli_elbo", "returns the bound first and the reconstruction second")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * logits - F.softplus(logits)).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction - kl, reconstruction


@wrong("bernoulli_elbo", "two mistakes: mean over pixels and a KL without the half")
def bernoulli_elbo(x, logits, mu, log_sigma):
    reconstruction = (x * logits - F.softplus(logits)).mean(dim=(0, 2))
    kl = (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return reconstruction, reconstruction - kl


# ---- normal_log_likelihood ----
@wrong("normal_log_likelihood", "averages over the pixels")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error / (2 * sigma**2) - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p.mean(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "drops the constant -1/2 log 2 pi")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    return (-error / (2 * sigma**2) - math.log(sigma)).sum(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "drops -log sigma (right for sigma = 1)")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    return (-error / (2 * sigma**2) - 0.5 * math.log(2 * math.pi)).sum(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "takes sigma for a variance (right for sigma = 1)")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error / (2 * sigma) - 0.5 * math.log(2 * math.pi * sigma)
    return log_p.sum(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "returns the best variance, not its root")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error / (2 * sigma**2) - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p.sum(dim=-1), error.mean()


@wrong("normal_log_likelihood", "best sigma is the standard deviation of the residuals, without their mean and with n - 1")
def normal_log_likelihood(x, loc, sigma):
    residual = x - loc
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, residual.std()


@wrong("normal_log_likelihood", "best sigma takes the residuals' own mean off (divided by n)")
def normal_log_likelihood(x, loc, sigma):
    residual = x - loc
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, residual.std(correction=0)


@wrong("normal_log_likelihood", "best sigma divides by the number of values less one")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, (error.sum() / (error.numel() - 1)).sqrt()


@wrong("normal_log_likelihood", "best sigma adds up the pixels of an image in place of averaging")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, error.sum(dim=-1).mean().sqrt()


@wrong("normal_log_likelihood", "best sigma is the average of the images' root mean squared errors")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, error.mean(dim=-1).sqrt().mean()


@wrong("normal_log_likelihood", "best sigma is the mean absolute error")
def normal_log_likelihood(x, loc, sigma):
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, (x - loc).abs().mean()


@wrong("normal_log_likelihood", "the normalising constant counted once for an image, not once for a pixel")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error.sum(dim=-1) / (2 * sigma**2) - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p, error.mean().sqrt()


@wrong("normal_log_likelihood", "adds log sigma (right for sigma = 1)")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error / (2 * sigma**2) + math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p.sum(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "no half at the squared error")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error / sigma**2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p.sum(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "-log sigma^2 without a half (right for sigma = 1)")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error / (2 * sigma**2) - 2 * math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p.sum(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "the error is not divided by sigma squared but by sigma (right for sigma = 1)")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    log_p = -error / (2 * sigma) - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return log_p.sum(dim=-1), error.mean().sqrt()


@wrong("normal_log_likelihood", "best sigma from the mean over the draws of the decoder's means (right for S = 1)")
def normal_log_likelihood(x, loc, sigma):
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, ((x - loc.mean(dim=0)) ** 2).mean().sqrt()


@wrong("normal_log_likelihood", "best sigma is that of the first draw (right for S = 1)")
def normal_log_likelihood(x, loc, sigma):
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, ((x - loc[0]) ** 2).mean().sqrt()


@wrong("normal_log_likelihood", "best sigma is the standard deviation of the pixels")
def normal_log_likelihood(x, loc, sigma):
    log_p = torch.distributions.Normal(loc, sigma).log_prob(x).sum(dim=-1)
    return log_p, x.std()


@wrong("normal_log_likelihood", "best sigma in units of the given sigma (right for sigma = 1)")
def normal_log_likelihood(x, loc, sigma):
    scaled = (x - loc) / sigma
    log_p = (-0.5 * scaled**2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    return log_p, (scaled**2).mean().sqrt()


@wrong("normal_log_likelihood", "two mistakes: no log sigma and no constant, so just a scaled squared error")
def normal_log_likelihood(x, loc, sigma):
    error = (x - loc) ** 2
    return -error.sum(dim=-1) / (2 * sigma**2), error.mean().sqrt()


# ---- iwae_bound ----
@wrong("iwae_bound", "forgets - log S")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "averages the logarithms, so gives the ELBO (right for S = 1)")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return log_w.mean(dim=0), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "exponentiates first: underflows for images of real size")
def iwae_bound(log_joint, log_q):
    w = torch.exp(log_joint - log_q)
    return w.mean(dim=0).log(), w / w.sum(dim=0)


@wrong("iwae_bound", "exponentiates and adds 1e-12 against logarithms of zero (wrong for small weights)")
def iwae_bound(log_joint, log_q):
    w = torch.exp(log_joint - log_q) + 1e-12
    return w.mean(dim=0).log(), w / w.sum(dim=0)


@wrong("iwae_bound", "normalises the weights over the images, not over the draws")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    bound = torch.logsumexp(log_w, dim=0) - math.log(len(log_w))
    return bound, torch.softmax(log_w, dim=1)


@wrong("iwae_bound", "adds log q in place of subtracting it")
def iwae_bound(log_joint, log_q):
    log_w = log_joint + log_q
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "weights upside down: q over p")
def iwae_bound(log_joint, log_q):
    log_w = log_q - log_joint
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "adds log S")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) + math.log(len(log_w)), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "divides by S outside of the logarithm")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) / len(log_w), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "subtracts the number of images' logarithm, log B, in place of log S")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) - math.log(log_w.shape[1]), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "weights of the joint density only, without q")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.softmax(log_joint, dim=0)


@wrong("iwae_bound", "normalises the log-weights themselves")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), log_w / log_w.sum(dim=0)


@wrong("iwae_bound", "takes the largest log-weight off and does not add it back")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    w = torch.exp(log_w - log_w.max(dim=0).values)
    return w.mean(dim=0).log(), w / w.sum(dim=0)


@wrong("iwae_bound", "takes one largest log-weight of the whole batch off: underflows where images differ a lot")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    largest = log_w.max()
    w = torch.exp(log_w - largest)
    return w.mean(dim=0).log() + largest, w / w.sum(dim=0)


@wrong("iwae_bound", "weights are divided by their mean, so add up to S")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    bound = torch.logsumexp(log_w, dim=0) - math.log(len(log_w))
    return bound, torch.exp(log_w - bound)


@wrong("iwae_bound", "the bound is the average of the log-weights under the normalised weights")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    weights = torch.softmax(log_w, dim=0)
    return (weights * log_w).sum(dim=0), weights


@wrong("iwae_bound", "takes the largest weight for the sum (nearly right where one weight rules)")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return log_w.max(dim=0).values - math.log(len(log_w)), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "clamps log-weights to at least -100 'against underflow'")
def iwae_bound(log_joint, log_q):
    log_w = (log_joint - log_q).clamp(min=-100)
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.softmax(log_w, dim=0)


@wrong("iwae_bound", "equal weights for all draws")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w)), torch.full_like(log_w, 1 / len(log_w))


@wrong("iwae_bound", "two mistakes: no log S, and weights normalised over the images")
def iwae_bound(log_joint, log_q):
    log_w = log_joint - log_q
    return torch.logsumexp(log_w, dim=0), torch.softmax(log_w, dim=1)


# ---- manifold_grid ----
@wrong("manifold_grid", "z_2 grows from the top row down, as array indices do")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    rows = normal.icdf((torch.arange(num_rows).double() + 0.5) / num_rows)
    columns = normal.icdf((torch.arange(num_columns).double() + 0.5) / num_columns)
    z2, z1 = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([z1, z2], dim=-1)


@wrong("manifold_grid", "coordinates swapped: z_1 along the rows' index, z_2 along the columns'")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    rows = normal.icdf((torch.arange(num_rows).double() + 0.5) / num_rows).flip(0)
    columns = normal.icdf((torch.arange(num_columns).double() + 0.5) / num_columns)
    z2, z1 = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([z2, z1], dim=-1)


@wrong("manifold_grid", "equal steps of z in place of equal shares of the prior")
def manifold_grid(num_rows, num_columns):
    z2 = torch.linspace(2, -2, num_rows).double()
    z1 = torch.linspace(-2, 2, num_columns).double()
    grid2, grid1 = torch.meshgrid(z2, z1, indexing="ij")
    return torch.stack([grid1, grid2], dim=-1)


@wrong("manifold_grid", "equal steps of u from 0.05 to 0.95, as in many plots, in place of the cells' middles")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.icdf(torch.linspace(0.95, 0.05, num_rows).double())
    z1 = normal.icdf(torch.linspace(0.05, 0.95, num_columns).double())
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "u_i = (i + 1) / (n + 1), the inner edges of n + 1 cells")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.icdf((torch.arange(num_rows).double() + 1) / (num_rows + 1)).flip(0)
    z1 = normal.icdf((torch.arange(num_columns).double() + 1) / (num_columns + 1))
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "lower edges of the cells, u_i = i / n, clamped to keep infinity away")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.icdf((torch.arange(num_rows).double() / num_rows).clamp(min=1e-3)).flip(0)
    z1 = normal.icdf((torch.arange(num_columns).double() / num_columns).clamp(min=1e-3))
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "the distribution function in place of its inverse")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.cdf((torch.arange(num_rows).double() + 0.5) / num_rows).flip(0)
    z1 = normal.cdf((torch.arange(num_columns).double() + 0.5) / num_columns)
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "gives the u themselves, without the inverse of the distribution function")
def manifold_grid(num_rows, num_columns):
    u2 = ((torch.arange(num_rows).double() + 0.5) / num_rows).flip(0)
    u1 = (torch.arange(num_columns).double() + 0.5) / num_columns
    return torch.stack([u1.expand(num_rows, num_columns), u2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "turns z_1 over as well")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.icdf((torch.arange(num_rows).double() + 0.5) / num_rows).flip(0)
    z1 = normal.icdf((torch.arange(num_columns).double() + 0.5) / num_columns).flip(0)
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "turns over the wrong axis: z_1 falls from left to right, z_2 falls upwards")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.icdf((torch.arange(num_rows).double() + 0.5) / num_rows)
    z1 = normal.icdf((torch.arange(num_columns).double() + 0.5) / num_columns).flip(0)
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "divides both indices by the larger of the two sizes (right for a square grid)")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    n = max(num_rows, num_columns)
    z2 = normal.icdf((torch.arange(num_rows).double() + 0.5) / n).flip(0)
    z1 = normal.icdf((torch.arange(num_columns).double() + 0.5) / n)
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "i + 1/2n by wrong brackets: u_i = i / n + 1/2, taken modulo 1")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    u2 = (torch.arange(num_rows).double() / num_rows + 0.5) % 1
    u1 = (torch.arange(num_columns).double() / num_columns + 0.5) % 1
    z2, z1 = normal.icdf(u2.clamp(1e-6, 1 - 1e-6)).flip(0), normal.icdf(u1.clamp(1e-6, 1 - 1e-6))
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "erfinv(2u - 1) without the factor root 2")
def manifold_grid(num_rows, num_columns):
    z2 = torch.erfinv(2 * (torch.arange(num_rows).double() + 0.5) / num_rows - 1).flip(0)
    z1 = torch.erfinv(2 * (torch.arange(num_columns).double() + 0.5) / num_columns - 1)
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "the inverse of the logistic distribution function (logit) for the normal one")
def manifold_grid(num_rows, num_columns):
    z2 = torch.logit((torch.arange(num_rows).double() + 0.5) / num_rows).flip(0)
    z1 = torch.logit((torch.arange(num_columns).double() + 0.5) / num_columns)
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


@wrong("manifold_grid", "builds a C x R grid and reshapes, which mixes codes up (even for a square: rows and columns swap)")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.icdf((torch.arange(num_rows).double() + 0.5) / num_rows).flip(0)
    z1 = normal.icdf((torch.arange(num_columns).double() + 0.5) / num_columns)
    grid1, grid2 = torch.meshgrid(z1, z2, indexing="ij")
    return torch.stack([grid1, grid2], dim=-1).reshape(num_rows, num_columns, 2)


@wrong("manifold_grid", "two mistakes: u from 0.01 to 0.99 in equal steps, and z_2 downwards")
def manifold_grid(num_rows, num_columns):
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), 1.0)
    z2 = normal.icdf(torch.linspace(0.01, 0.99, num_rows).double())
    z1 = normal.icdf(torch.linspace(0.01, 0.99, num_columns).double())
    return torch.stack([z1.expand(num_rows, num_columns), z2[:, None].expand(num_rows, num_columns)], dim=-1)


# ---- encoder_gradients ----
@wrong("encoder_gradients", "detaches z: only the KL reaches the encoder")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = (mu + log_sigma.exp() * eps).detach()
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "leaves the KL out")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    z = x @ V.T + sigma * eps
    by_z = (x - z @ A.T) @ A
    return by_z.mean(dim=0).T @ x / B, (by_z * sigma * eps).mean(dim=(0, 1))


@wrong("encoder_gradients", "the KL is added in place of subtracted")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((fit + kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "adds up the images in place of averaging")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((fit - kl).sum(), (V, log_sigma))


@wrong("encoder_gradients", "adds up the draws in place of averaging (right for S = 1)")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=(0, 2))
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "gradient of the loss, -bound, so of the wrong sign")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    error = 0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((error + kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "gives the derivative by sigma, not by log sigma")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    mu = x @ V.T
    by_z = (x - (mu + sigma * eps) @ A.T) @ A
    by_V = (by_z.mean(dim=0) - mu).T @ x / B
    return by_V, (by_z * eps).mean(dim=(0, 1)) - sigma + 1 / sigma


@wrong("encoder_gradients", "forgets the +1, the derivative of the entropy, in the gradient by log sigma")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    mu = x @ V.T
    by_z = (x - (mu + sigma * eps) @ A.T) @ A
    by_V = (by_z.mean(dim=0) - mu).T @ x / B
    return by_V, (by_z * sigma * eps).mean(dim=(0, 1)) - sigma**2


@wrong("encoder_gradients", "forgets the KL in the gradient by V")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    mu = x @ V.T
    by_z = (x - (mu + sigma * eps) @ A.T) @ A
    return by_z.mean(dim=0).T @ x / B, (by_z * sigma * eps).mean(dim=(0, 1)) - sigma**2 + 1


@wrong("encoder_gradients", "forgets the KL in the gradient by log sigma")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    mu = x @ V.T
    by_z = (x - (mu + sigma * eps) @ A.T) @ A
    return (by_z.mean(dim=0) - mu).T @ x / B, (by_z * sigma * eps).mean(dim=(0, 1))


@wrong("encoder_gradients", "averages the squared error over the pixels")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).mean(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "squared error without the half")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "log_sigma as a log-variance in the draws and in the KL")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + torch.exp(0.5 * log_sigma) * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + log_sigma.exp() - 1 - log_sigma).sum(dim=1)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "averages the KL over the latent variables (right for K = 1)")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).mean(dim=1)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "decodes the mean, z = mu, and ignores the noise")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    mu = x @ V.T
    by_mu = (x - mu @ A.T) @ A - mu
    return by_mu.T @ x / B, 1 - sigma**2


@wrong("encoder_gradients", "subtracts the KL once for the batch, divided by B with the rest, in the gradient by log sigma")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    mu = x @ V.T
    by_z = (x - (mu + sigma * eps) @ A.T) @ A
    by_V = (by_z.mean(dim=0) - mu).T @ x / B
    return by_V, ((by_z * sigma * eps).mean(dim=0).sum(dim=0) - sigma**2 + 1) / B


@wrong("encoder_gradients", "takes A to have orthonormal columns: A^T A z is replaced by z (right only for such A)")
def encoder_gradients(x, eps, V, log_sigma, A):
    sigma, B = log_sigma.exp(), len(x)
    mu = x @ V.T
    by_z = x @ A - (mu + sigma * eps)
    by_V = (by_z.mean(dim=0) - mu).T @ x / B
    return by_V, (by_z * sigma * eps).mean(dim=(0, 1)) - sigma**2 + 1


@wrong("encoder_gradients", "treats log q(z) by the draws' values (eps), so log sigma gets the gradient of a score without a path of log p(z)")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = ((-0.5 * eps**2 - log_sigma).sum(dim=2) + 0.5 * (z.detach() ** 2).sum(dim=2)).mean(dim=0)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "estimates the KL with the draws in place of the closed form (right on average only)")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    fit = -0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = ((-0.5 * eps**2 - log_sigma).sum(dim=2) + 0.5 * (z**2).sum(dim=2)).mean(dim=0)
    return torch.autograd.grad((fit - kl).mean(), (V, log_sigma))


@wrong("encoder_gradients", "two mistakes: sums over images, and loss in place of bound")
def encoder_gradients(x, eps, V, log_sigma, A):
    V, log_sigma = V.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    mu = x @ V.T
    z = mu + log_sigma.exp() * eps
    error = 0.5 * ((x - z @ A.T) ** 2).sum(dim=2).mean(dim=0)
    kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
    return torch.autograd.grad((error + kl).sum(), (V, log_sigma))


# ---- train_vae ----

@wrong("train_vae", "the default of binary_cross_entropy_with_logits averages over pixels, so the KL rules and the code collapses")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "forgets zero_grad, so gradients pile up")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "detaches the code, so the encoder learns only to match the prior")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = (mu + log_sigma.exp() * torch.randn_like(mu)).detach()
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "gives the optimiser the decoder's parameters only")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "gives the optimiser the encoder's parameters only")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "minimises the bound: wrong sign of the loss")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = (reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "wrong sign of the KL: maximises it")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction + kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "a plain autoencoder: no noise and no KL")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -reconstruction.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "leaves the KL out, but draws")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -reconstruction.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "draws z from the prior, so the decoder learns to ignore it")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "takes the second half of the encoder's outputs for mu and the first for log sigma")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        log_sigma, mu = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "a learning rate of 1e-5: does not get anywhere in these steps")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-5)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "a learning rate of 1: diverges")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1.0)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "plain gradient descent with a learning rate of 1e-4 in place of Adam")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=1e-4)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "always trains on the first ten images")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[:10]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "adds up the KL of the whole batch while the reconstruction is averaged")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction.mean() - kl.sum())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "applies the sigmoid twice")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = torch.sigmoid(decoder(z))
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "squared error of the logits in place of the log-likelihood")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -((batch - logits) ** 2).sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "forgets optimizer.step()")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
    return as_vector(encoder, decoder)


@wrong("train_vae", "returns the parameters of freshly made networks, not of the trained ones")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(*networks(x.shape[1], num_latents, num_hidden, seed))


@wrong("train_vae", "puts the decoder's parameters before the encoder's")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(decoder, encoder)


@wrong("train_vae", "takes log sigma for a log-variance in the training")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + torch.exp(0.5 * log_sigma) * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(log_sigma) - 1 - log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "a beta-VAE with beta = 10")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - 10 * kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "passes over the data num_steps // 100 times only, with one update each")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps // 100):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "two mistakes: mean over pixels, and encoder left out of the optimiser")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


@wrong("train_vae", "decodes the mean in place of a draw, so that the decoder never meets the noise (KL kept)")
def train_vae(x, num_latents, num_hidden, num_steps, seed):
    encoder, decoder = networks(x.shape[1], num_latents, num_hidden, seed)
    x = x.float()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,))]
        mu, log_sigma = encoder(batch).chunk(2, dim=1)
        z = mu
        logits = decoder(z)
        reconstruction = -F.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(dim=1)
        kl = 0.5 * (mu**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1)
        loss = -(reconstruction - kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return as_vector(encoder, decoder)


EXERCISES = {exercise for exercise, _, _ in WRONG}
assert len(EXERCISES) == 8
assert all(sum(exercise == name for exercise, _, _ in WRONG) >= 12 for name in EXERCISES)
assert len(WRONG) >= 12 * 8
