"""Wrong answers that students might hand in for assignment 15."""
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


LOG2PI = math.log(2 * math.pi)

LOG2PI = math.log(2 * math.pi)


# ---------------------------------------------------------------- exercise 1


def right_scales(log_share):
    """Scales and log-SNR from log ᾱ at the steps 1, ..., T."""
    full = torch.cat([torch.zeros(1, dtype=log_share.dtype), log_share])
    noise = (-torch.expm1(full)).sqrt()
    return (full / 2).exp(), noise, log_share - (-torch.expm1(log_share)).log()


@wrong("noise_scales", "cumprod of 1 - β and the formulas as they stand: noise 0 and log-SNR ±infinity where ᾱ rounds to 1 or 0")
def noise_scales(beta):
    share = torch.cat([torch.ones(1, dtype=beta.dtype), torch.cumprod(1 - beta, 0)])
    return share.sqrt(), (1 - share).sqrt(), (share / (1 - share))[1:].log()


@wrong("noise_scales", "cumprod, with ᾱ cut to the range from 1e-12 to 1 - 1e-12 for all steps from 1 on: wrong where it is nearer to 0 or 1")
def noise_scales(beta):
    later = torch.cumprod(1 - beta, 0).clamp(1e-12, 1 - 1e-12)
    share = torch.cat([torch.ones(1, dtype=beta.dtype), later])
    return share.sqrt(), (1 - share).sqrt(), (later / (1 - later)).log()


@wrong("noise_scales", "the scales are the variances ᾱ and 1 - ᾱ: the roots are forgotten")
def noise_scales(beta):
    signal, noise, log_snr = right_scales(torch.log1p(-beta).cumsum(0))
    return signal**2, noise**2, log_snr


@wrong("noise_scales", "the noise's scale is 1 minus the signal's scale")
def noise_scales(beta):
    signal, noise, log_snr = right_scales(torch.log1p(-beta).cumsum(0))
    return signal, 1 - signal, log_snr


@wrong("noise_scales", "the log-SNR is that of the scales, log(signal / noise): half of it")
def noise_scales(beta):
    signal, noise, log_snr = right_scales(torch.log1p(-beta).cumsum(0))
    return signal, noise, log_snr / 2


@wrong("noise_scales", "the log-SNR has the opposite sign: the logarithm of noise to signal")
def noise_scales(beta):
    signal, noise, log_snr = right_scales(torch.log1p(-beta).cumsum(0))
    return signal, noise, -log_snr


@wrong("noise_scales", "log(1 - β) is taken to be -β: log ᾱ is minus the sum of the β")
def noise_scales(beta):
    return right_scales(-beta.cumsum(0))


@wrong("noise_scales", "log(1 - β) with torch.log instead of log1p: a β of 1e-18 counts as 0, so that the noise is 0 and the log-SNR infinite")
def noise_scales(beta):
    return right_scales(torch.log(1 - beta).cumsum(0))


@wrong("noise_scales", "only the log-SNR is wrong: log1p(-exp(log ᾱ)) is -infinity where ᾱ rounds to 1")
def noise_scales(beta):
    log_share = torch.log1p(-beta).cumsum(0)
    signal, noise, _ = right_scales(log_share)
    return signal, noise, log_share - torch.log1p(-log_share.exp())


@wrong("noise_scales", "the noise's scale at step t is that of the single step, the root of β_t, not the accumulated one")
def noise_scales(beta):
    signal, noise, log_snr = right_scales(torch.log1p(-beta).cumsum(0))
    return signal, torch.cat([torch.zeros(1, dtype=beta.dtype), beta.sqrt()]), log_snr


@wrong("noise_scales", "two mistakes: β is taken for a standard deviation, α = 1 - β², and the log-SNR is in logarithms to the base 10")
def noise_scales(beta):
    signal, noise, log_snr = right_scales(torch.log1p(-(beta**2)).cumsum(0))
    return signal, noise, log_snr / math.log(10)


@wrong("noise_scales", "two mistakes: the noise's variances of the single steps are added up, the noise is the root of the sum of the β, and the log-SNR leaves the signal out, -log(1 - ᾱ)")
def noise_scales(beta):
    log_share = torch.log1p(-beta).cumsum(0)
    signal, _, _ = right_scales(log_share)
    noise = torch.cat([torch.zeros(1, dtype=beta.dtype), beta.cumsum(0).sqrt()])
    return signal, noise, -(-torch.expm1(log_share)).log()


# ---------------------------------------------------------------- exercise 2


def gaussian(epsilon, share):
    number = epsilon[0].numel()
    return -0.5 * epsilon.square().sum((1, 2)) - 0.5 * number * (LOG2PI + (1 - share).log())


@wrong("noised_batch", "x_t mixes with ᾱ and 1 - ᾱ without the roots (the log-density is right)")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    return a * x0 + (1 - a) * epsilon, gaussian(epsilon, share)


@wrong("noised_batch", "ᾱ of the step before: alpha_bar[t - 1], as if the array began at step 1")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t - 1]
    a = share[:, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, gaussian(epsilon, share)


@wrong("noised_batch", "the log-density is that of ε under a standard normal: the term with log(1 - ᾱ) is forgotten")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    log_density = -0.5 * epsilon.square().sum((1, 2)) - 0.5 * x0[0].numel() * LOG2PI
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, log_density


@wrong("noised_batch", "the normalising constant is counted once instead of for each of the H W pixels")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    log_density = -0.5 * epsilon.square().sum((1, 2)) - 0.5 * (LOG2PI + (1 - share).log())
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, log_density


@wrong("noised_batch", "the densities of the pixels are multiplied and the logarithm taken at the end: -infinity where the product underflows")
def noised_batch(x0, t, epsilon, alpha_bar):
    a = alpha_bar[t][:, None, None]
    density = torch.exp(-0.5 * epsilon**2) / torch.sqrt(2 * math.pi * (1 - a))
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, density.flatten(1).prod(1).log()


@wrong("noised_batch", "the squares of ε are divided by the variance 1 - ᾱ once too often")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    log_density = gaussian(epsilon / (1 - a).sqrt(), share)
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, log_density


@wrong("noised_batch", "log(1 - ᾱ) without the half: the variance is taken for the standard deviation in the normalising constant")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    number = x0[0].numel()
    log_density = -0.5 * epsilon.square().sum((1, 2)) - number * (0.5 * LOG2PI + (1 - share).log())
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, log_density


@wrong("noised_batch", "the log-density is averaged over the pixels instead of summed")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, gaussian(epsilon, share) / x0[0].numel()


@wrong("noised_batch", "the Gaussian of the log-density is centred at x_0 instead of √ᾱ x_0")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    x_t = a.sqrt() * x0 + (1 - a).sqrt() * epsilon
    return x_t, gaussian((x_t - x0) / (1 - a).sqrt(), share)


@wrong("noised_batch", "all images are noised as far as the first one's step says")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t[:1]].expand(len(t))
    a = share[:, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * epsilon, gaussian(epsilon, share)


@wrong("noised_batch", "two mistakes: the noise is scaled by 1 - √ᾱ, and log 2π has no factor ½ in the log-density")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    log_density = gaussian(epsilon, share) - 0.5 * x0[0].numel() * LOG2PI
    return a.sqrt() * x0 + (1 - a.sqrt()) * epsilon, log_density


@wrong("noised_batch", "two mistakes: the scales of signal and noise are exchanged in x_t, and the squares of ε are summed over the whole batch for every image")
def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t]
    a = share[:, None, None]
    log_density = -0.5 * epsilon.square().sum() - 0.5 * x0[0].numel() * (LOG2PI + (1 - share).log())
    return (1 - a).sqrt() * x0 + a.sqrt() * epsilon, log_density


# ---------------------------------------------------------------- exercise 3


def schedule(t, alpha_bar):
    """ᾱ_t, ᾱ_{t-1}, α_t and β_t of each example."""
    now, before = alpha_bar[t], alpha_bar[t - 1]
    return now, before, now / before, 1 - now / before


@wrong("reverse_posterior", "the weights of x_0 and x_t are exchanged")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = before.sqrt() * beta / (1 - now), alpha.sqrt() * (1 - before) / (1 - now)
    return first[:, None] * x_t + second[:, None] * x0, (1 - before) / (1 - now) * beta


@wrong("reverse_posterior", "√ᾱ_t instead of √ᾱ_{t-1} in the weight of x_0")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = now.sqrt() * beta / (1 - now), alpha.sqrt() * (1 - before) / (1 - now)
    return first[:, None] * x0 + second[:, None] * x_t, (1 - before) / (1 - now) * beta


@wrong("reverse_posterior", "√ᾱ_t instead of √α_t in the weight of x_t")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = before.sqrt() * beta / (1 - now), now.sqrt() * (1 - before) / (1 - now)
    return first[:, None] * x0 + second[:, None] * x_t, (1 - before) / (1 - now) * beta


@wrong("reverse_posterior", "both weights without roots: ᾱ_{t-1} and α_t")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = before * beta / (1 - now), alpha * (1 - before) / (1 - now)
    return first[:, None] * x0 + second[:, None] * x_t, (1 - before) / (1 - now) * beta


@wrong("reverse_posterior", "the variance is β_t, that of the forward step")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = before.sqrt() * beta / (1 - now), alpha.sqrt() * (1 - before) / (1 - now)
    return first[:, None] * x0 + second[:, None] * x_t, beta


@wrong("reverse_posterior", "the standard deviation is returned instead of the variance")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = before.sqrt() * beta / (1 - now), alpha.sqrt() * (1 - before) / (1 - now)
    return first[:, None] * x0 + second[:, None] * x_t, ((1 - before) / (1 - now) * beta).sqrt()


@wrong("reverse_posterior", "at t = 1 the variance 0 is replaced by that of t = 2, as DDPM's code does before it takes the logarithm")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = before.sqrt() * beta / (1 - now), alpha.sqrt() * (1 - before) / (1 - now)
    late_now, late_before, _, late_beta = schedule(t.clamp(min=2), alpha_bar)
    return first[:, None] * x0 + second[:, None] * x_t, (1 - late_before) / (1 - late_now) * late_beta


@wrong("reverse_posterior", "all entries one step too early, as if alpha_bar began at step 1: alpha_bar[t - 1] for ᾱ_t, alpha_bar[t - 2] for ᾱ_{t-1} (which at t = 1 is the last entry)")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t - 1, alpha_bar)
    first, second = before.sqrt() * beta / (1 - now), alpha.sqrt() * (1 - before) / (1 - now)
    return first[:, None] * x0 + second[:, None] * x_t, (1 - before) / (1 - now) * beta


@wrong("reverse_posterior", "β_t is taken to be 1 - ᾱ_t instead of 1 - α_t")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, _ = schedule(t, alpha_bar)
    beta = 1 - now
    first, second = before.sqrt() * beta / (1 - now), alpha.sqrt() * (1 - before) / (1 - now)
    return first[:, None] * x0 + second[:, None] * x_t, (1 - before) / (1 - now) * beta


@wrong("reverse_posterior", "1e-4 is added to the denominators 1 - ᾱ_t against a division by 0, which moves the mean and the variance where ᾱ_t is near 1")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    below = 1 - now + 1e-4
    first, second = before.sqrt() * beta / below, alpha.sqrt() * (1 - before) / below
    return first[:, None] * x0 + second[:, None] * x_t, (1 - before) / below * beta


@wrong("reverse_posterior", "two mistakes: the mean's denominators are √(1 - ᾱ_t), and the variance has 1 - ᾱ_t above the line and 1 - ᾱ_{t-1}, at least 1e-12, below")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    below = (1 - now).sqrt()
    first, second = before.sqrt() * beta / below, alpha.sqrt() * (1 - before) / below
    return first[:, None] * x0 + second[:, None] * x_t, (1 - now) / (1 - before).clamp(min=1e-12) * beta


@wrong("reverse_posterior", "two mistakes: the weight of x_t has 1 - ᾱ_t above the line, so that it is √α_t, and the variance is not divided by 1 - ᾱ_t")
def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before, alpha, beta = schedule(t, alpha_bar)
    first, second = before.sqrt() * beta / (1 - now), alpha.sqrt()
    return first[:, None] * x0 + second[:, None] * x_t, (1 - before) * beta


# ---------------------------------------------------------------- exercise 4


def right_terms(x0, guesses, alpha_bar, decoder_variance):
    D, share = x0.shape[1], alpha_bar[-1]
    errors = (x0[:, None] - guesses).square().sum(2)
    reconstruction = -0.5 * errors[:, 0] / decoder_variance - 0.5 * D * math.log(2 * math.pi * decoder_variance)
    snr = alpha_bar[1:] / (1 - alpha_bar[1:])
    kls = 0.5 * (snr[:-1] - snr[1:]) * errors[:, 1:]
    prior = 0.5 * (share * x0.square() - share - torch.log1p(-share)).sum(1)
    return reconstruction, kls, prior


def with_elbo(reconstruction, kls, prior):
    return reconstruction, kls, prior, reconstruction - kls.sum(1) - prior


@wrong("diffusion_elbo", "the prior's KL is left out of the ELBO")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, kls, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    return reconstruction, kls, prior, reconstruction - kls.sum(1)


@wrong("diffusion_elbo", "the KLs of the steps are averaged over t in the ELBO instead of summed")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, kls, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    return reconstruction, kls, prior, reconstruction - kls.mean(1) - prior


@wrong("diffusion_elbo", "SNR_t - SNR_{t-1}: the KLs are negative")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, kls, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    return with_elbo(reconstruction, -kls, prior)


@wrong("diffusion_elbo", "KL_t uses the guess from x_{t-1} instead of x_t: the guesses are off by one")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, _, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    errors = (x0[:, None] - guesses).square().sum(2)
    snr = alpha_bar[1:] / (1 - alpha_bar[1:])
    return with_elbo(reconstruction, 0.5 * (snr[:-1] - snr[1:]) * errors[:, :-1], prior)


@wrong("diffusion_elbo", "the reconstruction uses the last guess, from x_T, instead of the first")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    _, kls, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    return with_elbo(right_terms(x0, guesses.flip(1), alpha_bar, decoder_variance)[0], kls, prior)


@wrong("diffusion_elbo", "the KLs of the steps lack the factor ½")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, kls, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    return with_elbo(reconstruction, 2 * kls, prior)


@wrong("diffusion_elbo", "the reconstruction leaves the Gaussian's normalising constant out")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    _, kls, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    error = (x0 - guesses[:, 0]).square().sum(1)
    return with_elbo(-0.5 * error / decoder_variance, kls, prior)


@wrong("diffusion_elbo", "decoder_variance is taken for the standard deviation s and squared once more")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    return with_elbo(*right_terms(x0, guesses, alpha_bar, decoder_variance**2))


@wrong("diffusion_elbo", "1e-6 is added to the decoder's variance: wrong where s² is tiny")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    return with_elbo(*right_terms(x0, guesses, alpha_bar, decoder_variance + 1e-6))


@wrong("diffusion_elbo", "the KLs are weighted by the difference of the log-SNRs instead of the SNRs")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, _, prior = right_terms(x0, guesses, alpha_bar, decoder_variance)
    errors = (x0[:, None] - guesses).square().sum(2)
    log_snr = (alpha_bar[1:] / (1 - alpha_bar[1:])).log()
    return with_elbo(reconstruction, 0.5 * (log_snr[:-1] - log_snr[1:]) * errors[:, 1:], prior)


@wrong("diffusion_elbo", "two mistakes: the prior's KL takes x_0 for the mean instead of √ᾱ_T x_0, and counts the terms of the variance once instead of for each of the D entries")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, kls, _ = right_terms(x0, guesses, alpha_bar, decoder_variance)
    share = alpha_bar[-1]
    prior = 0.5 * (x0.square().sum(1) - share - torch.log1p(-share))
    return with_elbo(reconstruction, kls, prior)


@wrong("diffusion_elbo", "two mistakes: the prior's KL is taken in the other direction, KL(N(0, I) || q), and the last value is the negative ELBO")
def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    reconstruction, kls, _ = right_terms(x0, guesses, alpha_bar, decoder_variance)
    share = alpha_bar[-1]
    variance = 1 - share
    prior = 0.5 * ((1 + share * x0.square()) / variance - 1 + variance.log()).sum(1)
    return reconstruction, kls, prior, -(reconstruction - kls.sum(1) - prior)


# ---------------------------------------------------------------- exercise 5


@wrong("from_epsilon", "the score is -ε, not divided by √(1 - ᾱ)")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, a * epsilon - b * x0, -epsilon


@wrong("from_epsilon", "the score has the opposite sign: ε / √(1 - ᾱ)")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, a * epsilon - b * x0, epsilon / b


@wrong("from_epsilon", "the score is -ε / (1 - ᾱ): divided by the variance instead of the standard deviation")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, a * epsilon - b * x0, -epsilon / b**2


@wrong("from_epsilon", "x_0 is cut to the range from -1 to 1, and v computed from what is left")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = ((x_t - b * epsilon) / a).clamp(-1, 1)
    return x0, a * epsilon - b * x0, -epsilon / b


@wrong("from_epsilon", "the divisor √ᾱ of x_0 is at least 0.01, which changes x_0 and v where the share is below 1e-4")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a.clamp(min=0.01)
    return x0, a * epsilon - b * x0, -epsilon / b


@wrong("from_epsilon", "x_0 is divided by ᾱ instead of its root")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a**2
    return x0, a * epsilon - b * x0, -epsilon / b


@wrong("from_epsilon", "v has the opposite sign: √(1 - ᾱ) x_0 - √ᾱ ε")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, b * x0 - a * epsilon, -epsilon / b


@wrong("from_epsilon", "x_0 and ε are exchanged in v: √ᾱ x_0 - √(1 - ᾱ) ε")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, a * x0 - b * epsilon, -epsilon / b


@wrong("from_epsilon", "the roots are forgotten in x_0 and v: ᾱ and 1 - ᾱ as scales")
def from_epsilon(x_t, epsilon, share):
    a, b = share[:, None], (1 - share)[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, a * epsilon - b * x0, -epsilon / b.sqrt()


@wrong("from_epsilon", "the score forgets that x_0 is scaled down: -(x_t - x_0) / (1 - ᾱ)")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, a * epsilon - b * x0, -(x_t - x0) / b**2


@wrong("from_epsilon", "two mistakes: v is computed with x_t in the place of x_0, and the score is that of a standard normal, -x_t")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - b * epsilon) / a
    return x0, a * epsilon - b * x_t, -x_t


@wrong("from_epsilon", "two mistakes: x_0 is not divided by √ᾱ (v is computed from it), and the score is divided by √ᾱ instead of √(1 - ᾱ)")
def from_epsilon(x_t, epsilon, share):
    a, b = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = x_t - b * epsilon
    return x0, a * epsilon - b * x0, -epsilon / a


# ---------------------------------------------------------------- exercise 6


def ddim_parts(x_t, epsilon, t, s, alpha_bar, eta):
    at, as_ = alpha_bar[t], alpha_bar[s]
    x0 = (x_t - (1 - at).sqrt() * epsilon) / at.sqrt()
    sigma = eta * ((1 - as_) / (1 - at) * (1 - at / as_)).sqrt()
    return at, as_, x0, sigma


def ddim_mean(as_, x0, sigma, epsilon):
    return as_.sqrt() * x0 + (1 - as_ - sigma**2).clamp(min=0).sqrt() * epsilon


@wrong("ddim_step", "the root in σ is forgotten: σ is η times the variance")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, _ = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    sigma = eta * ((1 - as_) / (1 - at) * (1 - at / as_))
    mean = ddim_mean(as_, x0, sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "η stands under the root of σ: √η instead of η")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, math.sqrt(eta))
    mean = ddim_mean(as_, x0, sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "σ² is not taken off the old noise: its scale is √(1 - ᾱ_s) for every η")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    mean = as_.sqrt() * x0 + (1 - as_).sqrt() * epsilon
    return mean, mean + sigma * z


@wrong("ddim_step", "it always goes to step t - 1 and ignores s")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, t - 1, alpha_bar, eta)
    mean = ddim_mean(as_, x0, sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "σ uses β_t of the single step, 1 - ᾱ_t / ᾱ_{t-1}, instead of 1 - ᾱ_t / ᾱ_s: right for s = t - 1 only")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, _ = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    sigma = eta * ((1 - as_) / (1 - at) * (1 - at / alpha_bar[t - 1])).sqrt()
    mean = ddim_mean(as_, x0, sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "σ is η √(1 - ᾱ_t / ᾱ_s), without the quotient of the noise's variances (a negative number under the old noise's root becomes 0)")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, _ = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    sigma = eta * (1 - at / as_).sqrt()
    mean = ddim_mean(as_, x0, sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "the guess of x_0 is cut to the range from -1 to 1")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    mean = ddim_mean(as_, x0.clamp(-1, 1), sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "the guess of x_0 uses ᾱ_s instead of ᾱ_t")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, _, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    x0 = (x_t - (1 - as_).sqrt() * epsilon) / as_.sqrt()
    mean = ddim_mean(as_, x0, sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "every η above 0 is treated as 1")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, 1.0 if eta > 0 else 0.0)
    mean = ddim_mean(as_, x0, sigma, epsilon)
    return mean, mean + sigma * z


@wrong("ddim_step", "the old noise's scale is √(1 - ᾱ_s) - σ instead of the root of 1 - ᾱ_s - σ²")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    mean = as_.sqrt() * x0 + ((1 - as_).sqrt() - sigma) * epsilon
    return mean, mean + sigma * z


@wrong("ddim_step", "two mistakes: the new noise is scaled by σ² instead of σ, and the old noise's scale is 1 - ᾱ_s - σ² without the root")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    mean = as_.sqrt() * x0 + (1 - as_ - sigma**2) * epsilon
    return mean, mean + sigma**2 * z


@wrong("ddim_step", "two mistakes: x_0 is not scaled by √ᾱ_s in the mean, and the mean returned already contains the new noise (it is x_s)")
def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    at, as_, x0, sigma = ddim_parts(x_t, epsilon, t, s, alpha_bar, eta)
    x_s = x0 + (1 - as_ - sigma**2).clamp(min=0).sqrt() * epsilon + sigma * z
    return x_s, x_s


# ---------------------------------------------------------------- exercise 7


def log_likelihood(x_t, signal, noise, levels):
    distance = x_t[:, :, None] - signal[:, None, None] * levels
    return -0.5 * (distance / noise[:, None, None]) ** 2


@wrong("bayes_denoiser", "the logarithm of a softmax instead of log_softmax: -infinity where a probability underflows")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    p = torch.softmax(logits + log_likelihood(x_t, signal, noise, levels), -1)
    return p.log(), p @ levels


@wrong("bayes_denoiser", "1e-12 is added to the probabilities before the logarithm: none is below log 1e-12")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    p = torch.softmax(logits + log_likelihood(x_t, signal, noise, levels), -1)
    return (p + 1e-12).log(), p @ levels


@wrong("bayes_denoiser", "the squared distances are divided by twice the noise's scale instead of its square")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    distance = x_t[:, :, None] - signal[:, None, None] * levels
    log_p = torch.log_softmax(logits - 0.5 * distance**2 / noise[:, None, None], -1)
    return log_p, log_p.exp() @ levels


@wrong("bayes_denoiser", "the factor ½ in the Gaussian's exponent is forgotten")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    log_p = torch.log_softmax(logits + 2 * log_likelihood(x_t, signal, noise, levels), -1)
    return log_p, log_p.exp() @ levels


@wrong("bayes_denoiser", "x_t is compared with the levels themselves: the signal's scale is ignored")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    log_p = torch.log_softmax(logits + log_likelihood(x_t, torch.ones_like(signal), noise, levels), -1)
    return log_p, log_p.exp() @ levels


@wrong("bayes_denoiser", "x_t is divided by the signal's scale, but the noise's scale is not")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    x = x_t / signal[:, None]
    log_p = torch.log_softmax(logits + log_likelihood(x, torch.ones_like(signal), noise, levels), -1)
    return log_p, log_p.exp() @ levels


@wrong("bayes_denoiser", "the network's logits are ignored: all levels are equally probable beforehand")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    log_p = torch.log_softmax(log_likelihood(x_t, signal, noise, levels), -1)
    return log_p, log_p.exp() @ levels


@wrong("bayes_denoiser", "the probabilities are normalised over the pixels instead of the levels")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    log_p = torch.log_softmax(logits + log_likelihood(x_t, signal, noise, levels), 1)
    return log_p, log_p.exp() @ levels


@wrong("bayes_denoiser", "the most probable level is returned in the place of the mean")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    log_p = torch.log_softmax(logits + log_likelihood(x_t, signal, noise, levels), -1)
    return log_p, levels[log_p.argmax(-1)]


@wrong("bayes_denoiser", "the logits are cut to the range from -50 to 50 before Bayes' rule")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    log_p = torch.log_softmax(logits.clamp(-50, 50) + log_likelihood(x_t, signal, noise, levels), -1)
    return log_p, log_p.exp() @ levels


@wrong("bayes_denoiser", "two mistakes: the log-probabilities are not normalised (log_softmax of the logits plus the Gaussian's exponent), and the mean, of the right probabilities, is scaled by √ᾱ")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    log_p = torch.log_softmax(logits, -1) + log_likelihood(x_t, signal, noise, levels)
    return log_p, signal[:, None] * (torch.softmax(log_p, -1) @ levels)


@wrong("bayes_denoiser", "two mistakes: the exponentials are normalised by hand without taking off the maximum first (NaN or infinite where all underflow or one overflows), and the exponent lacks the ½")
def bayes_denoiser(logits, x_t, signal, noise, levels):
    p = torch.exp(logits) * torch.exp(2 * log_likelihood(x_t, signal, noise, levels))
    p = p / p.sum(-1, keepdim=True)
    return p.log(), p @ levels


# ---------------------------------------------------------------- exercise 8


def velocity(x, t, mean, sd):
    return mean + (t * sd**2 - (1 - t)) / (t**2 * sd**2 + (1 - t) ** 2) * (x - t * mean)


def heun(x, mean, sd, num_steps, velocity=velocity):
    h = 1 / num_steps
    for k in range(num_steps):
        first = velocity(x, k * h, mean, sd)
        second = velocity(x + h * first, (k + 1) * h, mean, sd)
        x = x + h * (first + second) / 2
    return x


@wrong("flow_matching", "noise and datum are exchanged in the point, t z + (1 - t) y, as in diffusion; the target is y - z")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t = t[:, None]
    return t * noise + (1 - t) * data, data - noise, heun(noise, mean, sd, num_steps)


@wrong("flow_matching", "the target has the opposite sign: z - y")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t = t[:, None]
    return (1 - t) * noise + t * data, noise - data, heun(noise, mean, sd, num_steps)


@wrong("flow_matching", "the target is what is left of the way, y - x_t, not divided by 1 - t")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t = t[:, None]
    point = (1 - t) * noise + t * data
    return point, data - point, heun(noise, mean, sd, num_steps)


@wrong("flow_matching", "Euler's method instead of Heun's")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t, x, h = t[:, None], noise, 1 / num_steps
    for k in range(num_steps):
        x = x + h * velocity(x, k * h, mean, sd)
    return (1 - t) * noise + t * data, data - noise, x


@wrong("flow_matching", "the midpoint method instead of Heun's: one velocity after half a step")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t, x, h = t[:, None], noise, 1 / num_steps
    for k in range(num_steps):
        half = x + h / 2 * velocity(x, k * h, mean, sd)
        x = x + h * velocity(half, (k + 0.5) * h, mean, sd)
    return (1 - t) * noise + t * data, data - noise, x


@wrong("flow_matching", "the second velocity is taken at the time t instead of t + h")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t, x, h = t[:, None], noise, 1 / num_steps
    for k in range(num_steps):
        first = velocity(x, k * h, mean, sd)
        x = x + h / 2 * (first + velocity(x + h * first, k * h, mean, sd))
    return (1 - t) * noise + t * data, data - noise, x


@wrong("flow_matching", "the second velocity is taken at x instead of x + h u_1 (at the time t + h)")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t, x, h = t[:, None], noise, 1 / num_steps
    for k in range(num_steps):
        x = x + h / 2 * (velocity(x, k * h, mean, sd) + velocity(x, (k + 1) * h, mean, sd))
    return (1 - t) * noise + t * data, data - noise, x


@wrong("flow_matching", "the exact end m + s z instead of what Heun's method gives")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t = t[:, None]
    return (1 - t) * noise + t * data, data - noise, mean + sd * noise


@wrong("flow_matching", "sd is taken for the variance: s instead of s² in the velocity")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t = t[:, None]
    return (1 - t) * noise + t * data, data - noise, heun(noise, mean, sd.sqrt(), num_steps)


@wrong("flow_matching", "the sampler begins at the training points x_t instead of the noise (but at time 0)")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t = t[:, None]
    point = (1 - t) * noise + t * data
    return point, data - noise, heun(point, mean, sd, num_steps)


@wrong("flow_matching", "two mistakes: the velocity's last factor is x - m instead of x - t m, and the target is y - x_t")
def flow_matching(noise, data, t, mean, sd, num_steps):
    def off(x, t, mean, sd):
        return mean + (t * sd**2 - (1 - t)) / (t**2 * sd**2 + (1 - t) ** 2) * (x - mean)

    t = t[:, None]
    point = (1 - t) * noise + t * data
    return point, data - point, heun(noise, mean, sd, num_steps, off)


@wrong("flow_matching", "two mistakes: the sum of the two velocities is not halved, and the loop makes one step too few")
def flow_matching(noise, data, t, mean, sd, num_steps):
    t, x, h = t[:, None], noise, 1 / num_steps
    for k in range(num_steps - 1):
        first = velocity(x, k * h, mean, sd)
        x = x + h * (first + velocity(x + h * first, (k + 1) * h, mean, sd))
    return (1 - t) * noise + t * data, data - noise, x
