"""Diffusion: scales, a noised batch, the way back by Bayes' rule, the ELBO, predictions, DDIM, levels, and flows.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise
from vaeedu_grader.authoring.slips import slip


def sides(rng, *shape):
    """Signs, of both kinds where there is room, in an order of chance."""
    number = math.prod(shape)
    return rng.permutation(np.where(np.arange(number) % 2, 1.0, -1.0)).reshape(shape)


def sized(rng, *shape, least=0.4, most=1.6):
    """Numbers of both signs, none close to 0."""
    return sides(rng, *shape) * rng.uniform(least, most, shape)


def shares(rng, T, least=0.1, most=0.35):
    """A schedule's ᾱ from step 0, where it is 1, to T."""
    return np.append(1.0, np.cumprod(1 - rng.uniform(least, most, T)))


def steps(rng, B, first, last):
    """B steps, as different as there is room for."""
    return np.resize(rng.permutation(np.arange(first, last + 1)), B)


# 1 ---------------------------------------------------------------------------------------- signal and noise scales


def scales_inputs(case, rng):
    """A schedule's β; hidden ones are so small, or so many, that ᾱ rounds to 1, or to 0."""
    return {"beta": case["beta"] * rng.uniform(0.6, 1.1, case["T"])}


def noise_scales(beta):
    log_alpha_bar = torch.cat([beta.new_zeros(1), torch.log1p(-beta).cumsum(dim=0)])
    signal = (0.5 * log_alpha_bar).exp()
    noise = (-torch.expm1(log_alpha_bar)).sqrt()
    log_snr = log_alpha_bar[1:] - 2 * noise[1:].log()
    return signal, noise, log_snr


def scales_numpy(beta):
    logs = np.append(0.0, np.log1p(-beta.numpy()).cumsum())
    variance = -np.expm1(logs)
    return np.exp(logs / 2), np.sqrt(variance), logs[1:] - np.log(variance[1:])


def scales_step_by_step(beta):
    """The variance of the noise after a step is that before it, shrunk, and the new one's: nothing is subtracted."""
    log_share, variance = 0.0, 0.0
    signal, noise, log_snr = [1.0], [0.0], []
    for b in beta.tolist():
        log_share += math.log1p(-b)
        variance = (1 - b) * variance + b
        signal.append(math.exp(log_share / 2))
        noise.append(math.sqrt(variance))
        log_snr.append(log_share - math.log(variance))
    return signal, noise, log_snr


def scales_by_log_snr(beta):
    logs = torch.log1p(-beta).cumsum(dim=0)
    log_snr = logs - torch.log(-torch.special.expm1(logs))
    ends = beta.new_ones(1), beta.new_zeros(1)
    signal = torch.cat([ends[0], torch.sigmoid(log_snr).sqrt()])
    return signal, torch.cat([ends[1], torch.sigmoid(-log_snr).sqrt()]), log_snr


_LOGS = "torch.cat([beta.new_zeros(1), torch.log1p(-beta).cumsum(dim=0)])"
_SIGNAL = "(0.5 * log_alpha_bar).exp()"
_NOISE = "(-torch.expm1(log_alpha_bar)).sqrt()"
_LOG_SNR = "log_alpha_bar[1:] - 2 * noise[1:].log()"
SCALES = Exercise(
    name="noise_scales",
    outputs=(Output("signal", ("T+1",)), Output("noise", ("T+1",)), Output("log_snr", ("T",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=scales_inputs,
    cases={
        "visible": ({"T": 5, "beta": 0.25}, {"T": 1, "beta": 0.2}, {"T": 3, "beta": 0.4}),
        "hidden": (
            {"T": 7, "beta": 0.3},
            {"T": 1, "beta": 0.3},
            {"T": 400, "beta": 0.88},
            {"T": 5, "beta": 1e-18},
        ),
    },
    reference=noise_scales,
    wrong=(
        slip(noise_scales, {_SIGNAL: "log_alpha_bar.exp()"},
             "Your signal scale is ᾱ itself. What multiplies x_0 is its root, √ᾱ."),
        slip(noise_scales, {_NOISE: "(-torch.expm1(log_alpha_bar))", "2 * noise[1:].log()": "noise[1:].log()"},
             "Your noise scale is a variance, 1 − ᾱ. What multiplies ε is its root, a standard deviation."),
        slip(noise_scales, {_NOISE: "1 - signal", "2 * noise[1:].log()": "torch.log(-torch.expm1(log_alpha_bar[1:]))"},
             "Your noise scale is 1 − √ᾱ. It is the variances that add up to 1: signal² + noise² = 1."),
        slip(noise_scales, {_NOISE: "torch.cat([beta.new_zeros(1), beta]).sqrt()", "2 * noise[1:].log()": "torch.log(-torch.expm1(log_alpha_bar[1:]))"},
             "Your noise scale is that of one step, √β. After t steps the noise of all of them is there: √(1 − ᾱ)."),
        slip(noise_scales, {".cumsum(dim=0)": ""},
             "You left the product over steps out: ᾱ_t multiplies 1 − β of all steps up to t."),
        slip(noise_scales, {_LOGS: "(1 - torch.cat([beta.new_zeros(1), beta.cumsum(dim=0)])).log()"},
             "You subtracted the β one after the other. Each step shrinks what is left: ᾱ is a product of 1 − β, not 1 minus a sum."),
        slip(noise_scales, {_LOGS: "torch.cat([beta.new_zeros(1), torch.log(beta).cumsum(dim=0)])"},
             "You multiplied the β. What is left of the signal after a step is α = 1 − β: ᾱ multiplies those."),
        slip(noise_scales, {_LOGS: "torch.cat([beta.new_zeros(1), beta.new_zeros(1), torch.log1p(-beta).cumsum(dim=0)[:-1]])",
                            _LOG_SNR: "torch.log1p(-beta).cumsum(dim=0) - torch.log(-torch.expm1(torch.log1p(-beta).cumsum(dim=0)))"},
             "Your scales are late by one step. Only at step 0 is ᾱ = 1; ᾱ_1 is 1 − β_1."),
        slip(noise_scales, {_LOGS: "torch.cat([beta.new_zeros(1), 0.5 * torch.log1p(-beta).cumsum(dim=0)])"},
             "You multiplied √(1 − β), which gives √ᾱ, and then went on as if it were ᾱ: a root too many."),
        slip(noise_scales, {_LOGS: "torch.cat([beta.new_zeros(1), torch.log1p(-beta.flip(0)).cumsum(dim=0)])"},
             "You multiplied from the last step backwards. ᾱ_t is the product over the first t steps."),
        slip(noise_scales, {_LOG_SNR: "0.5 * log_alpha_bar[1:] - noise[1:].log()"},
             "Your log-SNR is the logarithm of the ratio of the scales. The SNR is a ratio of variances: ᾱ / (1 − ᾱ)."),
        slip(noise_scales, {_LOG_SNR: "2 * noise[1:].log() - log_alpha_bar[1:]"},
             "Your SNR is upside down. It is large where there is little noise: log-SNR falls with t."),
        slip(noise_scales, {_LOG_SNR: "(log_alpha_bar[1:] - 2 * noise[1:].log()).exp()"},
             "You gave the SNR itself. Asked for is its natural logarithm."),
        slip(noise_scales, {_LOG_SNR: "(log_alpha_bar[1:] - 2 * noise[1:].log()) / math.log(2)"},
             "Your log-SNR has the base 2. Use the natural logarithm."),
        slip(noise_scales, {_LOG_SNR: "(log_alpha_bar[1:] - 2 * noise[1:].log()) * 10 / math.log(10)"},
             "Your log-SNR is in decibels. Use the natural logarithm, without a factor."),
        slip(noise_scales, {_LOG_SNR: "log_alpha_bar[1:]"},
             "You gave log ᾱ for the log-SNR. The noise belongs to the ratio: log ᾱ − log(1 − ᾱ)."),
        slip(noise_scales, {_LOG_SNR: "-2 * noise[1:].log()"},
             "You left the signal out of the log-SNR: log ᾱ − log(1 − ᾱ)."),
        slip(noise_scales, {_LOG_SNR: "torch.log1p(-beta) - beta.log()"},
             "Your log-SNR is that of one step alone. After t steps the signal has shrunk to ᾱ_t, not to 1 − β_t."),
        slip(noise_scales, {"return signal, noise, log_snr": "return noise, signal, log_snr"},
             "Your first and second value have changed places: at step 0 the signal's scale is 1, the noise's 0."),
        slip(noise_scales, {_NOISE: "(1 - log_alpha_bar.exp()).sqrt()", _LOG_SNR: "torch.log(log_alpha_bar[1:].exp() / (1 - log_alpha_bar[1:].exp()))"},
             "Your formulas are right, but a ᾱ of 1 − 10⁻¹⁸ rounds to 1, and one of 10⁻⁴⁰⁰ to 0. Stay with log ᾱ, a sum of log1p(−β), and use expm1 for 1 − ᾱ.",
             loses=("hidden",)),
        slip(noise_scales, {_LOG_SNR: "torch.log((log_alpha_bar[1:].exp() + 1e-12) / (1e-12 - torch.expm1(log_alpha_bar[1:])))"},
             "A small number inside your logarithm keeps the log-SNR from ±∞, but also from the right value, which may be −800. Stay with log ᾱ.",
             loses=("hidden",)),
        slip(noise_scales, {"2 * noise[1:].log()\n": "2 * noise[1:].log()\n    log_snr = log_snr.clamp(-30, 30)\n"},
             "Your log-SNR seems to be cut off. It is finite for any β between 0 and 1: use it as it is.",
             loses=("hidden",)),
    ),
    alternatives=(scales_numpy, scales_step_by_step, scales_by_log_snr),
)  # fmt: skip

# 2 ------------------------------------------------------------------------------------------------ a noised batch


def noised_inputs(case, rng):
    """Images, each with its own step; in a hidden case the noise is so far out that its density underflows."""
    B, H, W, T = case["B"], case["H"], case["W"], case["T"]
    return {
        "x0": sized(rng, B, H, W),
        "t": steps(rng, B, 2, T),
        "epsilon": case.get("far", 1.0) * sized(rng, B, H, W),
        "alpha_bar": shares(rng, T),
    }


def noised_batch(x0, t, epsilon, alpha_bar):
    share = alpha_bar[t][:, None, None]
    x_t = share.sqrt() * x0 + (1 - share).sqrt() * epsilon
    variance = 1 - alpha_bar[t]
    D = x0[0].numel()
    log_density = -0.5 * epsilon.square().sum(dim=(1, 2)) - 0.5 * D * torch.log(2 * math.pi * variance)
    return x_t, log_density


def noised_by_distributions(x0, t, epsilon, alpha_bar):
    flat = x0.flatten(1)
    share = alpha_bar.gather(0, t).unsqueeze(1)
    kernel = torch.distributions.Normal(share.sqrt() * flat, (1 - share).sqrt())
    x_t = kernel.mean + kernel.stddev * epsilon.flatten(1)
    return x_t.reshape(x0.shape), kernel.log_prob(x_t).sum(dim=1)


def noised_numpy(x0, t, epsilon, alpha_bar):
    x, e, a = x0.numpy(), epsilon.numpy(), alpha_bar.numpy()[t.numpy()]
    noise = np.sqrt(1 - a)
    x_t = np.einsum("b,bhw->bhw", np.sqrt(a), x) + np.einsum("b,bhw->bhw", noise, e)
    D = x.shape[1] * x.shape[2]
    return x_t, -D * np.log(noise) - D * np.log(2 * np.pi) / 2 - np.einsum("bhw,bhw->b", e, e) / 2


def noised_loops(x0, t, epsilon, alpha_bar):
    images, densities = [], []
    for image, step, e in zip(x0, t.tolist(), epsilon, strict=True):
        share = float(alpha_bar[step])
        images.append((math.sqrt(share) * image + math.sqrt(1 - share) * e).tolist())
        densities.append(
            sum(-(v**2) / 2 - math.log(2 * math.pi * (1 - share)) / 2 for v in e.flatten().tolist())
        )
    return images, densities


_SHARE = "alpha_bar[t][:, None, None]"
_X_T = "share.sqrt() * x0 + (1 - share).sqrt() * epsilon"
_SQUARES = "epsilon.square().sum(dim=(1, 2))"
_LOG_VOLUME = "0.5 * D * torch.log(2 * math.pi * variance)"
NOISED = Exercise(
    name="noised_batch",
    outputs=(Output("x_t", ("B", "H", "W")), Output("log_density", ("B",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=noised_inputs,
    cases={
        "visible": ({"B": 3, "H": 2, "W": 4, "T": 6}, {"B": 1, "H": 3, "W": 2, "T": 5}),
        "hidden": (
            {"B": 5, "H": 3, "W": 2, "T": 8},
            {"B": 2, "H": 1, "W": 1, "T": 4},
            {"B": 1, "H": 2, "W": 5, "T": 7},
            {"B": 4, "H": 2, "W": 3, "T": 6, "far": 60.0},
        ),
    },
    reference=noised_batch,
    wrong=(
        slip(noised_batch, {"share = alpha_bar[t]": "share = alpha_bar[t - 1]", "variance = 1 - alpha_bar[t]": "variance = 1 - alpha_bar[t - 1]"},
             "Your steps are off by one. alpha_bar has T + 1 entries, the first of them for step 0: ᾱ_t is alpha_bar[t]."),
        slip(noised_batch, {"share = alpha_bar[t]": "share = alpha_bar[t[:1]]"},
             "You noised all images as far as the first. Each has its own t."),
        slip(noised_batch, {"share = alpha_bar[t]": "share = (alpha_bar[t] / alpha_bar[t - 1])"},
             "You made one step from x_0, with α_t. The jump over t steps at once has ᾱ_t, their product."),
        slip(noised_batch, {_X_T: "share * x0 + (1 - share) * epsilon"},
             "You left both roots out. ᾱ and 1 − ᾱ are shares of the variance; what multiplies x_0 and ε are their roots."),
        slip(noised_batch, {_X_T: "share * x0 + (1 - share).sqrt() * epsilon"},
             "You left the root of the signal's scale out: √ᾱ_t multiplies x_0."),
        slip(noised_batch, {_X_T: "share.sqrt() * x0 + (1 - share) * epsilon"},
             "You scaled the noise by its variance. 1 − ᾱ_t is a variance, and what multiplies ε is a standard deviation."),
        slip(noised_batch, {_X_T: "share.sqrt() * x0 + (1 - share.sqrt()) * epsilon"},
             "Your noise has the scale 1 − √ᾱ. It is the variances that add up to 1: √(1 − ᾱ)."),
        slip(noised_batch, {_X_T: "(1 - share).sqrt() * x0 + share.sqrt() * epsilon"},
             "Signal and noise have changed places: √ᾱ_t multiplies x_0."),
        slip(noised_batch, {_X_T: "x0 + (1 - share).sqrt() * epsilon"},
             "You left x_0 at its size. The signal shrinks as noise is added, so that the variance stays bounded."),
        slip(noised_batch, {_X_T: "share.sqrt() * x0 - (1 - share).sqrt() * epsilon"},
             "You subtracted the noise. Asked for is the x_t that belongs to this ε: it is added."),
        slip(noised_batch, {_X_T: "share.sqrt() * x0 + epsilon"},
             "You added noise of variance 1 at every step. It has the scale √(1 − ᾱ_t)."),
        slip(noised_batch, {"0.5 * D * torch": "0.5 * torch"},
             "Your density counts the normalising constant once. Each of the H·W pixels has one."),
        slip(noised_batch, {"D = x0[0].numel()": "D = x0.shape[1] + x0.shape[2]"},
             "Your number of pixels is a sum. An image has H times W of them."),
        slip(noised_batch, {_LOG_VOLUME: "0.5 * D * torch.log(variance)"},
             "A 2π is missing in your density: each pixel has −½ log(2π(1 − ᾱ_t))."),
        slip(noised_batch, {_LOG_VOLUME: "0.5 * D * torch.log(2 * math.pi * variance.sqrt())"},
             "Your normalising constant has the standard deviation where the variance belongs: −½ log(2π(1 − ᾱ_t))."),
        slip(noised_batch, {_LOG_VOLUME: "D * torch.log(2 * math.pi * variance)"},
             "The ½ of the normalising constant is missing: −½ log(2π(1 − ᾱ_t)) for each pixel."),
        slip(noised_batch, {"(dim=(1, 2)) - 0.5": "(dim=(1, 2)) + 0.5"},
             "Your normalising constant has the wrong sign: the wider a Gaussian, the lower its density."),
        slip(noised_batch, {_LOG_VOLUME: "0.5 * D * math.log(2 * math.pi)"},
             "You gave the density of ε. That of x_t is on another scale: its variance is 1 − ᾱ_t."),
        slip(noised_batch, {_SQUARES: "((1 - share) * epsilon.square()).sum(dim=(1, 2))"},
             "You did not divide the squared distance by the variance. (x_t − √ᾱ_t x_0)² / (1 − ᾱ_t) is ε²."),
        slip(noised_batch, {_SQUARES: "(epsilon.square() / (1 - share)).sum(dim=(1, 2))"},
             "You divided by the variance twice. ε is x_t's distance from its mean in standard deviations already."),
        slip(noised_batch, {_SQUARES: "((x_t - x0).square() / (1 - share)).sum(dim=(1, 2))"},
             "You measured the distance of x_t from x_0. The mean of q(x_t | x_0) is √ᾱ_t x_0."),
        slip(noised_batch, {"-0.5 * epsilon": "-epsilon"},
             "The ½ before the square is missing: log N = −½ z² − ½ log(2πσ²)."),
        slip(noised_batch, {_SQUARES: "epsilon.square().mean(dim=(1, 2))", "0.5 * D * torch": "0.5 * torch"},
             "You averaged over the pixels. They are independent, so their log-densities are added."),
        slip(noised_batch, {"return x_t, log_density": "return x_t, -log_density"},
             "Your log-density has the wrong sign: it falls as ε grows."),
        slip(noised_batch, {"return x_t, log_density": "return x_t, log_density / math.log(2)"},
             "Your log-density is in bits. Use the natural logarithm: nats."),
        slip(noised_batch, {"return x_t, log_density": "return x_t, log_density.exp()"},
             "You gave the density itself. Asked for is its logarithm."),
        slip(noised_batch, {"return x_t, log_density": "return x_t, log_density.sum().expand(len(x0))"},
             "You added the log-densities of all images. Asked for is one value for each."),
        slip(noised_batch, {"return x_t, log_density": "return x_t, log_density.exp().log()"},
             "Your formula is right, but a density may be exp(−9000), which is 0 in floating point. Stay with logarithms from the beginning.",
             loses=("hidden",)),
        slip(noised_batch, {"return x_t, log_density": "return x_t, (log_density.exp() + 1e-300).log()"},
             "A small number inside your logarithm keeps it from −∞, but also from the right value. Stay with logarithms from the beginning.",
             loses=("hidden",)),
    ),
    alternatives=(noised_by_distributions, noised_numpy, noised_loops),
)  # fmt: skip

# 3 ----------------------------------------------------------------------------------- the way back, given x_0


def posterior_inputs(case, rng):
    """Data, noised data and steps; hidden ones have the last step of the way back, from 1 to 0, too."""
    B, D, T = case["B"], case["D"], case["T"]
    return {
        "x0": sized(rng, B, D),
        "x_t": sized(rng, B, D),
        "t": steps(rng, B, case.get("first", 2), T),
        "alpha_bar": shares(rng, T),
    }


def reverse_posterior(x0, x_t, t, alpha_bar):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    alpha = now / before
    of_data = before.sqrt() * (1 - alpha) / (1 - now)
    of_noised = alpha.sqrt() * (1 - before) / (1 - now)
    mean = of_data[:, None] * x0 + of_noised[:, None] * x_t
    variance = (1 - alpha) * (1 - before) / (1 - now)
    return mean, variance


def posterior_by_precisions(x0, x_t, t, alpha_bar):
    """Bayes' rule for Gaussians: precisions are added. The prior is q(x_{t-1} | x_0), whose variance may be 0."""
    now, before = alpha_bar.gather(0, t)[:, None], alpha_bar.gather(0, t - 1)[:, None]
    prior_mean, prior_variance = before.sqrt() * x0, 1 - before
    gain = prior_variance * (now / before).sqrt() / (1 - now)
    mean = prior_mean + gain * (x_t - (now / before).sqrt() * prior_mean)
    return mean, ((1 - gain * (now / before).sqrt()) * prior_variance)[:, 0]


def posterior_by_noise(x0, x_t, t, alpha_bar):
    """DDIM's form with η = 1: the noise that leads from x_0 to x_t points the way."""
    a, b = alpha_bar.numpy()[t.numpy()], alpha_bar.numpy()[t.numpy() - 1]
    epsilon = (x_t.numpy() - np.sqrt(a)[:, None] * x0.numpy()) / np.sqrt(1 - a)[:, None]
    variance = (1 - b) / (1 - a) * (1 - a / b)
    return np.sqrt(b)[:, None] * x0.numpy() + np.sqrt(1 - b - variance)[:, None] * epsilon, variance


def posterior_loops(x0, x_t, t, alpha_bar):
    means, variances = [], []
    for x, y, step in zip(x0.tolist(), x_t.tolist(), t.tolist(), strict=True):
        a, b = float(alpha_bar[step]), float(alpha_bar[step - 1])
        beta = 1 - a / b
        of_data, of_noised = math.sqrt(b) * beta / (1 - a), math.sqrt(1 - beta) * (1 - b) / (1 - a)
        means.append([of_data * u + of_noised * v for u, v in zip(x, y, strict=True)])
        variances.append(beta * (1 - b) / (1 - a))
    return means, variances


_TIMES = "now, before = alpha_bar[t], alpha_bar[t - 1]"
_OF_DATA = "before.sqrt() * (1 - alpha) / (1 - now)"
_OF_NOISED = "alpha.sqrt() * (1 - before) / (1 - now)"
_MEAN = "of_data[:, None] * x0 + of_noised[:, None] * x_t"
_VARIANCE = "(1 - alpha) * (1 - before) / (1 - now)"
POSTERIOR = Exercise(
    name="reverse_posterior",
    outputs=(Output("mean", ("B", "D")), Output("variance", ("B",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=posterior_inputs,
    cases={
        "visible": ({"B": 4, "D": 3, "T": 6}, {"B": 1, "D": 2, "T": 5}),
        "hidden": (
            {"B": 6, "D": 4, "T": 6, "first": 1},
            {"B": 1, "D": 5, "T": 4},
            {"B": 5, "D": 1, "T": 5, "first": 1},
            {"B": 3, "D": 2, "T": 3, "first": 1},
        ),
    },
    reference=reverse_posterior,
    wrong=(
        slip(reverse_posterior, {_TIMES: "now, before = alpha_bar[t - 1], alpha_bar[t - 2]"},
             "Your steps are off by one. alpha_bar has T + 1 entries, the first of them for step 0: ᾱ_t is alpha_bar[t]."),
        slip(reverse_posterior, {_TIMES: "now, before = alpha_bar[t[:1]], alpha_bar[t[:1] - 1]", "return mean, variance": "return mean, variance.expand(len(t))"},
             "You used the first example's step for all. Each has its own t."),
        slip(reverse_posterior, {"alpha = now / before": "alpha = before / now"},
             "Your α_t is upside down. ᾱ_t = ᾱ_{t−1} α_t, and α_t is smaller than 1."),
        slip(reverse_posterior, {"alpha = now / before": "alpha = now"},
             "You used ᾱ_t for α_t. The bar is a product over all steps; α_t = ᾱ_t / ᾱ_{t−1} is that of one."),
        slip(reverse_posterior, {"alpha = now / before": "alpha = 1 - now / before"},
             "You exchanged α_t and β_t. α_t = ᾱ_t / ᾱ_{t−1} is what a step leaves; β_t = 1 − α_t is the noise that it adds."),
        slip(reverse_posterior, {_OF_DATA: "before * (1 - alpha) / (1 - now)"},
             "A root is missing in the weight of x_0: it has √ᾱ_{t−1}, not ᾱ_{t−1}."),
        slip(reverse_posterior, {_OF_DATA: "now.sqrt() * (1 - alpha) / (1 - now)"},
             "The weight of x_0 in your mean has √ᾱ_t. The mean is that of x_{t−1}: √ᾱ_{t−1}."),
        slip(reverse_posterior, {_OF_DATA: "alpha.sqrt() * (1 - alpha) / (1 - now)"},
             "The weight of x_0 in your mean has √α_t, without a bar. It is √ᾱ_{t−1}, the product over t − 1 steps."),
        slip(reverse_posterior, {_OF_NOISED: "alpha * (1 - before) / (1 - now)"},
             "A root is missing in the weight of x_t: it has √α_t, not α_t."),
        slip(reverse_posterior, {_OF_NOISED: "now.sqrt() * (1 - before) / (1 - now)"},
             "The weight of x_t in your mean has √ᾱ_t, with a bar. It is √α_t: x_t and x_{t−1} are one step apart."),
        slip(reverse_posterior, {"(1 - alpha) / (1 - now)\n    of_noised = alpha.sqrt() * (1 - before)": "(1 - before) / (1 - now)\n    of_noised = alpha.sqrt() * (1 - alpha)"},
             "β_t and 1 − ᾱ_{t−1} have changed places in your mean. The noisier x_{t−1} is given x_0, the more x_t counts: x_t's weight has 1 − ᾱ_{t−1}."),
        slip(reverse_posterior, {_OF_DATA: "before.sqrt() * (1 - alpha)", _OF_NOISED: "alpha.sqrt() * (1 - before)"},
             "You did not divide your mean's weights by 1 − ᾱ_t, the variance of x_t given x_0."),
        slip(reverse_posterior, {_OF_NOISED: "1 - of_data"},
             "Your two weights add up to 1. They need not: x_0, x_{t−1} and x_t are on different scales."),
        slip(reverse_posterior, {_MEAN: "of_data[:, None] * x_t + of_noised[:, None] * x0"},
             "x_0 and x_t have changed places in your mean: at t = 1 it is x_0 exactly."),
        slip(reverse_posterior, {_MEAN: "before.sqrt()[:, None] * x0"},
             "Your mean is that of q(x_{t−1} | x_0), which has not seen x_t."),
        slip(reverse_posterior, {_MEAN: "alpha.sqrt()[:, None] * x_t"},
             "Your mean is a step forward, from x_t. Asked for is the way back, from x_t to x_{t−1}."),
        slip(reverse_posterior, {_MEAN: "x_t / alpha.sqrt()[:, None]"},
             "You turned the step's mean round, x_t / √α_t. By Bayes' rule what is known of x_{t−1} before, from x_0, counts, too."),
        slip(reverse_posterior, {_VARIANCE: "1 - alpha"},
             "Your variance is β_t, that of the step forward. Knowing x_0 makes x_{t−1} more certain: β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t)."),
        slip(reverse_posterior, {_VARIANCE: "1 - before"},
             "Your variance is that of q(x_{t−1} | x_0). Knowing x_t as well makes it smaller."),
        slip(reverse_posterior, {_VARIANCE: "(1 - before) / (1 - now)"},
             "β_t is missing in your variance: β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t)."),
        slip(reverse_posterior, {_VARIANCE: "(1 - alpha) * (1 - now) / (1 - before)"},
             "The ratio in your variance is upside down. Knowing x_0 can only make it smaller than β_t, and at t = 1 it is 0."),
        slip(reverse_posterior, {_VARIANCE: "(1 - alpha) * (1 - before)"},
             "You did not divide the variance by 1 − ᾱ_t: β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t)."),
        slip(reverse_posterior, {_VARIANCE: "(1 - alpha) * before / now"},
             "Your variance has ᾱ where 1 − ᾱ belongs: β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t)."),
        slip(reverse_posterior, {"return mean, variance": "return mean, variance.sqrt()"},
             "Your second value is a standard deviation. Asked for is the variance."),
        slip(reverse_posterior, {"return mean, variance": "return mean, variance.log()"},
             "Your second value is the logarithm of the variance. Asked for is the variance."),
        slip(reverse_posterior, {"return mean, variance": "return mean, 1 / variance"},
             "Your second value is a precision. The variance is its reciprocal."),
        slip(reverse_posterior, {"return mean, variance": "second = alpha_bar[2]\n    least = (1 - second / alpha_bar[1]) * (1 - alpha_bar[1]) / (1 - second)\n    return mean, torch.where(t == 1, least, variance)"},
             "You left noise in the last step, from 1 to 0. There x_0 is known: the mean is x_0, and the variance 0.",
             loses=("hidden",)),
        slip(reverse_posterior, {"return mean, variance": "return mean, torch.where(t == 1, 1 - alpha, variance)"},
             "Your step from 1 to 0 has the variance β_1. There x_0 is known, and nothing is uncertain: the formula gives 0.",
             loses=("hidden",)),
    ),
    alternatives=(posterior_by_precisions, posterior_by_noise, posterior_loops),
)  # fmt: skip

# 4 ------------------------------------------------------------------------------------------------------ the ELBO


def elbo_inputs(case, rng):
    """Data, and what a denoiser took them for at each step; a hidden case has a very sure decoder."""
    B, T, D = case["B"], case["T"], case["D"]
    x0 = sized(rng, B, D, least=1.2, most=2.4)
    return {
        "x0": x0,
        "guesses": x0[:, None] + sized(rng, B, T, D, least=0.2, most=0.9),
        "alpha_bar": shares(rng, T, *case.get("beta", (0.1, 0.35))),
        "decoder_variance": case["decoder"],
    }


def diffusion_elbo(x0, guesses, alpha_bar, decoder_variance):
    D = x0.shape[1]
    error = (x0[:, None] - guesses).square().sum(dim=2)
    normalizer = D * math.log(2 * math.pi * decoder_variance)
    reconstruction = -0.5 * (error[:, 0] / decoder_variance + normalizer)
    snr = alpha_bar[1:] / (1 - alpha_bar[1:])
    kls = 0.5 * (snr[:-1] - snr[1:]) * error[:, 1:]
    last = alpha_bar[-1]
    prior = 0.5 * (last * x0.square() - last - torch.log1p(-last)).sum(dim=1)
    elbo = reconstruction - kls.sum(dim=1) - prior
    return reconstruction, kls, prior, elbo


def elbo_by_means(x0, guesses, alpha_bar, decoder_variance):
    """The KL of two Gaussians of the same variance, whose means are those of the way back."""
    now, before = alpha_bar[2:], alpha_bar[1:-1]
    beta = 1 - now / before
    variance = beta * (1 - before) / (1 - now)
    weight = before.sqrt() * beta / (1 - now)
    means = weight[:, None] * x0[:, None], weight[:, None] * guesses[:, 1:]
    kls = ((means[0] - means[1]) ** 2 / (2 * variance[:, None])).sum(dim=2)
    normal = torch.distributions.Normal
    reconstruction = normal(guesses[:, 0], decoder_variance**0.5).log_prob(x0).sum(dim=1)
    end = normal(alpha_bar[-1].sqrt() * x0, (1 - alpha_bar[-1]).sqrt())
    prior = torch.distributions.kl_divergence(end, normal(torch.zeros_like(x0), 1.0)).sum(dim=1)
    return reconstruction, kls, prior, reconstruction - prior - kls.sum(dim=1)


def elbo_numpy(x0, guesses, alpha_bar, decoder_variance):
    x, g, a = x0.numpy(), guesses.numpy(), alpha_bar.numpy()
    squares = np.einsum("btd,btd->bt", g - x[:, None], g - x[:, None])
    noise = 1 / a[1:] - 1  # 1 / SNR
    kls = squares[:, 1:] * (1 / noise[:-1] - 1 / noise[1:]) / 2
    D = x.shape[1]
    reconstruction = -squares[:, 0] / (2 * decoder_variance) - D / 2 * (
        np.log(2 * np.pi) + np.log(decoder_variance)
    )
    prior = (a[-1] * (x**2).sum(axis=1) + D * (-a[-1] - np.log1p(-a[-1]))) / 2
    return reconstruction, kls, prior, reconstruction - (kls.sum(axis=1) + prior)


def elbo_loops(x0, guesses, alpha_bar, decoder_variance):
    a, outputs = alpha_bar.tolist(), ([], [], [], [])
    for x, rows in zip(x0.tolist(), guesses.tolist(), strict=True):
        squares = [sum((u - v) ** 2 for u, v in zip(x, row, strict=True)) for row in rows]
        reconstruction = sum(
            -((u - v) ** 2) / (2 * decoder_variance) - math.log(2 * math.pi * decoder_variance) / 2
            for u, v in zip(x, rows[0], strict=True)
        )
        kls = [(a[t - 1] / (1 - a[t - 1]) - a[t] / (1 - a[t])) * squares[t - 1] / 2 for t in range(2, len(a))]
        prior = sum((a[-1] * u * u + (1 - a[-1]) - 1 - math.log(1 - a[-1])) / 2 for u in x)
        for values, value in zip(
            outputs, (reconstruction, kls, prior, reconstruction - sum(kls) - prior), strict=True
        ):
            values.append(value)
    return outputs


_ERROR = "(x0[:, None] - guesses).square().sum(dim=2)"
_NORMALIZER = "D * math.log(2 * math.pi * decoder_variance)"
_DECODED = "-0.5 * (error[:, 0] / decoder_variance + normalizer)"
_SNR = "alpha_bar[1:] / (1 - alpha_bar[1:])"
_KLS = "0.5 * (snr[:-1] - snr[1:]) * error[:, 1:]"
_PRIOR = "0.5 * (last * x0.square() - last - torch.log1p(-last)).sum(dim=1)"
_ELBO = "reconstruction - kls.sum(dim=1) - prior"
ELBO = Exercise(
    name="diffusion_elbo",
    outputs=(Output("reconstruction", ("B",)), Output("kls", ("B", "T-1")), Output("prior", ("B",)), Output("elbo", ("B",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=elbo_inputs,
    cases={
        "visible": ({"B": 3, "T": 4, "D": 2, "decoder": 0.4}, {"B": 1, "T": 3, "D": 3, "decoder": 0.3}),
        "hidden": (
            {"B": 4, "T": 5, "D": 3, "decoder": 0.6},
            {"B": 1, "T": 6, "D": 4, "decoder": 0.5},
            {"B": 2, "T": 2, "D": 1, "decoder": 0.7},
            {"B": 3, "T": 4, "D": 2, "decoder": 1e-8, "beta": (0.3, 0.5)},
        ),
    },
    reference=diffusion_elbo,
    wrong=(
        slip(diffusion_elbo, {_ELBO: "reconstruction - kls.mean(dim=1) - prior"},
             "You averaged the KL terms over the steps in the ELBO. Each step is a latent variable of its own: they are added."),
        slip(diffusion_elbo, {_ELBO: "reconstruction - kls.sum(dim=1)"},
             "The last term is missing in your ELBO: the KL of q(x_T | x_0) from the prior. No network can change it, but it costs nats."),
        slip(diffusion_elbo, {_ELBO: "reconstruction - kls.sum(dim=1) + prior"},
             "You added the prior's KL to the ELBO. Every KL is a cost: it is taken off."),
        slip(diffusion_elbo, {_ELBO: "reconstruction + kls.sum(dim=1) - prior"},
             "You added the steps' KLs to the ELBO. Every KL is a cost: they are taken off."),
        slip(diffusion_elbo, {_ELBO: "reconstruction + kls.sum(dim=1) + prior"},
             "You added all KLs to the ELBO. Every KL is a cost: they are taken off."),
        slip(diffusion_elbo, {_ELBO: "-(reconstruction - kls.sum(dim=1) - prior)"},
             "You gave the negative ELBO, a loss. Asked for is the bound itself, which is the larger the better."),
        slip(diffusion_elbo, {_ELBO: "-kls.sum(dim=1) - prior"},
             "The reconstruction is missing in your ELBO: log p(x_0 | x_1) is its first term."),
        slip(diffusion_elbo, {_ELBO: "(reconstruction - kls.sum(dim=1) - prior) / D"},
             "You divided the ELBO by the number of dimensions. Asked for are the nats of a whole example."),
        slip(diffusion_elbo, {_ELBO: "(reconstruction - kls.sum(dim=1) - prior) / math.log(2)"},
             "Your ELBO is in bits. All is in nats here."),
        slip(diffusion_elbo, {_ELBO: "(reconstruction - kls.sum(dim=1) - prior) / len(snr)"},
             "You divided the whole ELBO by T. Reconstruction and prior are there once, and the KLs are a sum."),
        slip(diffusion_elbo, {_KLS: "(snr[:-1] - snr[1:]) * error[:, 1:]"},
             "The ½ is missing in your KLs: the KL of two Gaussians of the same variance is ‖difference‖² / (2σ²)."),
        slip(diffusion_elbo, {_KLS: "0.5 * (snr[1:] - snr[:-1]) * error[:, 1:]"},
             "Your KLs are negative. The SNR falls with t: the weight is ½ (SNR_{t−1} − SNR_t)."),
        slip(diffusion_elbo, {_KLS: "error[:, 1:]"},
             "Your KLs have no weights: they are squared errors, a simplified loss. In the ELBO each step has its own weight."),
        slip(diffusion_elbo, {_KLS: "0.5 * snr[1:] * error[:, 1:]"},
             "Your weights have SNR_t alone. The KL of step t has the difference from the step before, SNR_{t−1} − SNR_t."),
        slip(diffusion_elbo, {_KLS: "0.5 * (snr[:-1] / snr[1:] - 1) * error[:, 1:]"},
             "Your weights are those of errors in ε. The errors here are in x_0: ½ (SNR_{t−1} − SNR_t)."),
        slip(diffusion_elbo, {_KLS: "0.5 * (snr[:-1] - snr[1:]) * error[:, :-1]"},
             "Your errors are those of one step earlier. The KL of step t has the guess from x_t, guesses[:, t − 1]."),
        slip(diffusion_elbo, {_KLS: "0.5 * (snr[:-1] - snr[1:]) * error[:, 1:].sqrt()"},
             "You did not square the errors in the KLs: ½ (SNR_{t−1} − SNR_t) ‖x_0 − x̂_0‖²."),
        slip(diffusion_elbo, {_KLS: "0.5 * alpha_bar[1:-1] * (1 - alpha_bar[2:] / alpha_bar[1:-1]) / (1 - alpha_bar[2:]) ** 2 * error[:, 1:]"},
             "Your KLs have the variance β_t. Both Gaussians have that of q(x_{t−1} | x_t, x_0), which is smaller: β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t)."),
        slip(diffusion_elbo, {_KLS: "0.5 * (snr[:-1] - snr[1:]) * error[:, 1:] / D"},
             "You averaged the errors over the D dimensions in the KLs. A squared norm is their sum."),
        slip(diffusion_elbo, {"(error[:, 0] / decoder": "(error[:, -1] / decoder"},
             "Your reconstruction uses the guess from x_T. The decoder sees x_1, the least noisy: guesses[:, 0]."),
        slip(diffusion_elbo, {_NORMALIZER: "math.log(2 * math.pi * decoder_variance)"},
             "Your reconstruction counts the normalising constant once. Each of the D dimensions has one."),
        slip(diffusion_elbo, {_NORMALIZER: "D * math.log(decoder_variance)"},
             "A 2π is missing in your reconstruction: −½ log(2πs²) for each dimension."),
        slip(diffusion_elbo, {_NORMALIZER: "0.0"},
             "The normalising constant is missing in your reconstruction. It is a log-density, not a squared error: −½ log(2πs²) for each dimension."),
        slip(diffusion_elbo, {"error[:, 0] / decoder_variance + n": "error[:, 0] / decoder_variance**2 + n", _NORMALIZER: "2 * D * math.log((2 * math.pi) ** 0.5 * decoder_variance)"},
             "You took the decoder's variance for a standard deviation. It is s² already."),
        slip(diffusion_elbo, {"-0.5 * (error[:, 0] / decoder_variance + n": "-(error[:, 0] / decoder_variance + 0.5 * n"},
             "The ½ before the squared error is missing in your reconstruction."),
        slip(diffusion_elbo, {_DECODED: "0.5 * (error[:, 0] / decoder_variance + normalizer)"},
             "Your reconstruction has the wrong sign. It is log p(x_0 | x_1), which falls as the error grows."),
        slip(diffusion_elbo, {_PRIOR: "(last * x0.square() - last - torch.log1p(-last)).sum(dim=1)"},
             "The ½ is missing in the prior's KL: ½ (mean² + variance − 1 − log variance)."),
        slip(diffusion_elbo, {_PRIOR: "0.5 * (last * x0.square() - last + torch.log1p(-last)).sum(dim=1)"},
             "The logarithm in the prior's KL has the wrong sign: ½ (mean² + variance − 1 − log variance). A KL is never negative."),
        slip(diffusion_elbo, {_PRIOR: "0.5 * (last * x0.square()).sum(dim=1)"},
             "The prior's KL compares the variances, too: ½ (mean² + variance − 1 − log variance), with the variance 1 − ᾱ_T."),
        slip(diffusion_elbo, {_PRIOR: "0.5 * (last.sqrt() * x0.square() - last - torch.log1p(-last)).sum(dim=1)"},
             "You did not square the mean's scale in the prior's KL. The mean is √ᾱ_T x_0, and its square ᾱ_T x_0²."),
        slip(diffusion_elbo, {_PRIOR: "0.5 * (x0.square() - last - torch.log1p(-last)).sum(dim=1)"},
             "You used x_0 for the mean in the prior's KL. At step T it has shrunk to √ᾱ_T x_0."),
        slip(diffusion_elbo, {_PRIOR: "0.5 * (last * x0.square() + last - 1 - last.log()).sum(dim=1)"},
             "You used ᾱ_T for the variance in the prior's KL. q(x_T | x_0) has the variance 1 − ᾱ_T."),
        slip(diffusion_elbo, {"(last * x0.square() - last - torch.log1p(-last)).sum(dim=1)": "(last * x0.square() - last - torch.log1p(-last)).mean(dim=1)"},
             "You averaged the prior's KL over the D dimensions. They are independent: their KLs are added."),
        slip(diffusion_elbo, {"D = x0.shape[1]": "D = x0.shape[1]\n    decoder_variance = decoder_variance + 1e-7"},
             "You seem to have added a small number to the decoder's variance, or cut it off below. A decoder may be very sure: use s² as it is.",
             loses=("hidden",)),
        slip(diffusion_elbo, {_DECODED: "(-0.5 * (error[:, 0] / decoder_variance + normalizer)).exp().log()"},
             "Your reconstruction is right, but a density may be exp(−10⁷), which is 0 in floating point. Stay with logarithms from the beginning.",
             loses=("hidden",)),
    ),
    alternatives=(elbo_by_means, elbo_numpy, elbo_loops),
)  # fmt: skip

# 5 ------------------------------------------------------------------------------------- one network, three readings


def reading_inputs(case, rng):
    """Noised data and a network's ε; in a hidden case nearly no signal is left."""
    B, D = case["B"], case["D"]
    share = rng.permutation((np.arange(B) + rng.uniform(0.35, 0.65, B)) / B)
    share = 0.1 + 0.8 * share if "left" not in case else case["left"] * (1 + share)
    epsilon = sized(rng, B, D)
    x0 = sized(rng, B, D, least=0.2, most=0.9)
    x_t = np.sqrt(share)[:, None] * x0 + np.sqrt(1 - share)[:, None] * epsilon
    if "left" in case:
        x_t = x_t + sized(rng, B, D)  # the network is far off
    return {"x_t": x_t, "epsilon": epsilon, "share": share}


def from_epsilon(x_t, epsilon, share):
    signal, noise = share.sqrt()[:, None], (1 - share).sqrt()[:, None]
    x0 = (x_t - noise * epsilon) / signal
    v = signal * epsilon - noise * x0
    score = -epsilon / noise
    return x0, v, score


def reading_rotated(x_t, epsilon, share):
    """(x_t, v) is (x_0, ε) turned by an angle; the score is the slope of log q(x_t | x_0)."""
    signal, noise = share.sqrt().unsqueeze(1), torch.sqrt(1 - share).unsqueeze(1)
    v = (epsilon - noise * x_t) / signal
    x0 = signal * x_t - noise * v
    return x0, v, (signal * x0 - x_t) / (1 - share).unsqueeze(1)


def reading_numpy(x_t, epsilon, share):
    x, e, a = x_t.numpy(), epsilon.numpy(), share.numpy()[:, None]
    x0 = x / np.sqrt(a) - e * np.sqrt(1 / a - 1)
    return x0, np.sqrt(a) * e - np.sqrt(1 - a) * x0, -e * (1 - a) ** -0.5


def reading_loops(x_t, epsilon, share):
    outputs = [], [], []
    for x, e, a in zip(x_t.tolist(), epsilon.tolist(), share.tolist(), strict=True):
        s, n = math.sqrt(a), math.sqrt(1 - a)
        x0 = [(u - n * w) / s for u, w in zip(x, e, strict=True)]
        outputs[0].append(x0)
        outputs[1].append([s * w - n * u for u, w in zip(x0, e, strict=True)])
        outputs[2].append([-w / n for w in e])
    return outputs


_GUESS = "(x_t - noise * epsilon) / signal"
_V = "signal * epsilon - noise * x0"
_SCORE = "-epsilon / noise"
READINGS = Exercise(
    name="from_epsilon",
    outputs=(Output("x0", ("B", "D")), Output("v", ("B", "D")), Output("score", ("B", "D"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=reading_inputs,
    cases={
        "visible": ({"B": 4, "D": 3}, {"B": 1, "D": 2}),
        "hidden": ({"B": 5, "D": 2}, {"B": 1, "D": 4}, {"B": 3, "D": 1}, {"B": 3, "D": 4, "left": 1e-6}),
    },
    reference=from_epsilon,
    wrong=(
        slip(from_epsilon, {_GUESS: "x_t - noise * epsilon"},
             "You did not divide by √ᾱ_t. Without its noise x_t is √ᾱ_t x_0, still shrunk."),
        slip(from_epsilon, {_GUESS: "(x_t - noise * epsilon) / signal**2"},
             "You divided by ᾱ_t. What multiplies x_0 in x_t is the root, √ᾱ_t."),
        slip(from_epsilon, {_GUESS: "(x_t - noise * epsilon) * signal"},
             "You multiplied by √ᾱ_t. To undo the shrinking, divide."),
        slip(from_epsilon, {_GUESS: "(x_t - noise**2 * epsilon) / signal"},
             "You took the noise off with its variance. It was added with √(1 − ᾱ_t)."),
        slip(from_epsilon, {_GUESS: "(x_t - epsilon) / signal"},
             "You took ε off as it is. In x_t it has the scale √(1 − ᾱ_t)."),
        slip(from_epsilon, {_GUESS: "(x_t + noise * epsilon) / signal"},
             "You added the noise once more. Take it off: x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε."),
        slip(from_epsilon, {_GUESS: "x_t / signal - noise * epsilon"},
             "You divided x_t only. The noise is taken off first, and the rest is divided by √ᾱ_t."),
        slip(from_epsilon, {_GUESS: "(x_t - noise * epsilon) / noise"},
             "You divided by the noise's scale. What multiplies x_0 in x_t is √ᾱ_t."),
        slip(from_epsilon, {_GUESS: "(x_t - signal * epsilon) / noise"},
             "Signal and noise have changed places in your x_0: ᾱ_t is the signal's share of the variance."),
        slip(from_epsilon, {_V: "noise * x0 - signal * epsilon"},
             "Your v has the wrong sign: √ᾱ_t ε comes with a plus."),
        slip(from_epsilon, {_V: "signal * epsilon + noise * x0"},
             "You added the two parts of v. It is a difference: x_t and v are x_0 and ε, turned by an angle."),
        slip(from_epsilon, {_V: "noise * epsilon - signal * x0"},
             "The scales in your v have changed places: ε has √ᾱ_t, and x_0 has √(1 − ᾱ_t)."),
        slip(from_epsilon, {_V: "signal * x0 - noise * epsilon"},
             "x_0 and ε have changed places in your v: √ᾱ_t ε − √(1 − ᾱ_t) x_0."),
        slip(from_epsilon, {_V: "signal * epsilon - noise * x_t"},
             "Your v has x_t where x_0 belongs: it mixes the clean datum and its noise."),
        slip(from_epsilon, {_V: "signal**2 * epsilon - noise**2 * x0"},
             "You left the roots out of v: the scales are √ᾱ_t and √(1 − ᾱ_t)."),
        slip(from_epsilon, {_V: "epsilon - x0"},
             "Your v is ε − x_0, a velocity along a straight line. Here x_0 and ε are mixed by √ᾱ_t and √(1 − ᾱ_t)."),
        slip(from_epsilon, {_SCORE: "epsilon / noise"},
             "Your score points away from the data. The slope of log q(x_t | x_0) is −(x_t − √ᾱ_t x_0) / (1 − ᾱ_t)."),
        slip(from_epsilon, {_SCORE: "-epsilon / noise**2"},
             "Your score is divided by the variance once too often: x_t − √ᾱ_t x_0 is √(1 − ᾱ_t) ε, which leaves a root below."),
        slip(from_epsilon, {_SCORE: "-epsilon"},
             "Your score is −ε. It is a slope with respect to x_t: −(x_t − √ᾱ_t x_0) / (1 − ᾱ_t)."),
        slip(from_epsilon, {_SCORE: "-epsilon * noise"},
             "You multiplied by √(1 − ᾱ_t) in the score. The less noise, the steeper log q(x_t | x_0): divide."),
        slip(from_epsilon, {_SCORE: "-epsilon / signal"},
             "You divided the score by √ᾱ_t. The spread of x_t given x_0 is √(1 − ᾱ_t)."),
        slip(from_epsilon, {_SCORE: "-x_t / noise**2"},
             "You left x_0 out of the score, as if the mean of q(x_t | x_0) were 0. It is √ᾱ_t x_0."),
        slip(from_epsilon, {_SCORE: "-(x_t - x0) / noise**2"},
             "Your score measures the distance of x_t from x_0. The mean of q(x_t | x_0) is √ᾱ_t x_0."),
        slip(from_epsilon, {"share.sqrt()[:, None], (1 - share).sqrt()[:, None]": "share.sqrt()[0], (1 - share).sqrt()[0]"},
             "You used the first example's ᾱ_t for all. Each has its own."),
        slip(from_epsilon, {"return x0, v, score": "return x0.clamp(-1, 1), v, score"},
             "You cut x_0 off to [−1, 1]. Samplers do that with pixels; asked for is what the network's ε says.",
             loses=("hidden",)),
        slip(from_epsilon, {"return x0, v, score": "v = signal * epsilon - noise * x0.clamp(-1, 1)\n    return x0.clamp(-1, 1), v, score"},
             "You cut x_0 off to [−1, 1] before you computed v. Asked for is what the network's ε says, wherever that is.",
             loses=("hidden",)),
        slip(from_epsilon, {"/ signal\n": "/ signal.clamp(min=1e-2)\n"},
             "You kept √ᾱ_t from being small. Near the end of the way nearly nothing is left of the signal: use it as it is.",
             loses=("hidden",)),
    ),
    alternatives=(reading_rotated, reading_numpy, reading_loops),
)  # fmt: skip

# 6 ------------------------------------------------------------------------------------------------- a step of DDIM


def ddim_inputs(case, rng):
    """Noised data, a network's ε and two steps; hidden ones have the last step, η of 0 and 1, and ᾱ near 0."""
    B, D, T = case["B"], case["D"], case["T"]
    alpha_bar = shares(rng, T)
    if "left" in case:
        alpha_bar[-1] = case["left"]
    return {
        "x_t": sized(rng, B, D),
        "epsilon": sized(rng, B, D),
        "z": sized(rng, B, D),
        "t": case["t"],
        "s": case["s"],
        "alpha_bar": alpha_bar,
        "eta": case["eta"],
    }


def ddim_step(x_t, epsilon, z, t, s, alpha_bar, eta):
    now, then = alpha_bar[t], alpha_bar[s]
    guess = (x_t - (1 - now).sqrt() * epsilon) / now.sqrt()
    sigma = eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()
    rest = (1 - then - sigma**2).clamp(min=0).sqrt()
    mean = then.sqrt() * guess + rest * epsilon
    return mean, mean + sigma * z


def ddim_one_factor(x_t, epsilon, z, t, s, alpha_bar, eta):
    """x_t is rescaled, and the noise in it exchanged for less noise."""
    now, then = float(alpha_bar[t]), float(alpha_bar[s])
    variance = eta**2 * (1 - then) * (1 - now / then) / (1 - now)
    scale = math.sqrt(then / now)
    change = math.sqrt(max(1 - then - variance, 0.0)) - scale * math.sqrt(1 - now)
    mean = scale * x_t + change * epsilon
    return mean, mean + math.sqrt(variance) * z


def ddim_numpy(x_t, epsilon, z, t, s, alpha_bar, eta):
    a = alpha_bar.numpy()
    beta = 1 - a[t] / a[s]
    sigma = eta * np.sqrt(beta * (1 - a[s]) / (1 - a[t]))
    guess = x_t.numpy() / np.sqrt(a[t]) - np.sqrt(1 / a[t] - 1) * epsilon.numpy()
    mean = np.sqrt(a[s]) * guess + np.sqrt(np.maximum(1 - a[s] - sigma**2, 0)) * epsilon.numpy()
    return mean, mean + sigma * z.numpy()


def ddim_loops(x_t, epsilon, z, t, s, alpha_bar, eta):
    now, then = alpha_bar[t].item(), alpha_bar[s].item()
    sigma = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    rest = math.sqrt(max(1 - then - sigma**2, 0.0))
    means, samples = [], []
    for xs, es, zs in zip(x_t.tolist(), epsilon.tolist(), z.tolist(), strict=True):
        row = [
            math.sqrt(then) * (x - math.sqrt(1 - now) * e) / math.sqrt(now) + rest * e
            for x, e in zip(xs, es, strict=True)
        ]
        means.append(row)
        samples.append([m + sigma * w for m, w in zip(row, zs, strict=True)])
    return means, samples


_ENDS = "now, then = alpha_bar[t], alpha_bar[s]"
_CLEAN = "(x_t - (1 - now).sqrt() * epsilon) / now.sqrt()"
_SIGMA = "eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()"
_REST = "(1 - then - sigma**2).clamp(min=0).sqrt()"
_TOWARDS = "then.sqrt() * guess + rest * epsilon"
DDIM = Exercise(
    name="ddim_step",
    outputs=(Output("mean", ("B", "D")), Output("x_s", ("B", "D"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=ddim_inputs,
    cases={
        "visible": (
            {"B": 3, "D": 4, "T": 8, "t": 6, "s": 3, "eta": 0.6},
            {"B": 1, "D": 2, "T": 6, "t": 6, "s": 4, "eta": 0.8},
        ),
        "hidden": (
            {"B": 4, "D": 3, "T": 9, "t": 9, "s": 4, "eta": 0.7},
            {"B": 1, "D": 5, "T": 7, "t": 5, "s": 2, "eta": 0.0},
            {"B": 5, "D": 1, "T": 6, "t": 4, "s": 3, "eta": 1.0},
            {"B": 3, "D": 2, "T": 5, "t": 3, "s": 0, "eta": 0.9},
            {"B": 2, "D": 3, "T": 5, "t": 5, "s": 2, "eta": 0.5, "left": 1e-6},
        ),
    },
    reference=ddim_step,
    wrong=(
        slip(ddim_step, {_ENDS: "now, then = alpha_bar[t], alpha_bar[t - 1]"},
             "You went to step t − 1. A sampler that leaves steps out goes from t to s: ᾱ_s."),
        slip(ddim_step, {_ENDS: "now, then = alpha_bar[t - 1], alpha_bar[s - 1]"},
             "Your steps are off by one. alpha_bar has T + 1 entries, the first of them for step 0: ᾱ_t is alpha_bar[t]."),
        slip(ddim_step, {_ENDS: "now, then = alpha_bar[s], alpha_bar[t]", "(1 - now / then)).sqrt()": "(1 - now / then).abs()).sqrt()"},
             "t and s have changed places. The step leads from t, where there is more noise, to s."),
        slip(ddim_step, {_CLEAN: "x_t - (1 - now).sqrt() * epsilon"},
             "Your guess of x_0 is not divided by √ᾱ_t: without its noise x_t is √ᾱ_t x_0."),
        slip(ddim_step, {_CLEAN: "(x_t - (1 - now).sqrt() * epsilon) / now"},
             "You divided your guess of x_0 by ᾱ_t. What multiplies x_0 in x_t is the root, √ᾱ_t."),
        slip(ddim_step, {_CLEAN: "(x_t - (1 - now) * epsilon) / now.sqrt()"},
             "You took the noise off with its variance in your guess of x_0. It was added with √(1 − ᾱ_t)."),
        slip(ddim_step, {_CLEAN: "(x_t - epsilon) / now.sqrt()"},
             "You took ε off as it is in your guess of x_0. In x_t it has the scale √(1 − ᾱ_t)."),
        slip(ddim_step, {_CLEAN: "(x_t + (1 - now).sqrt() * epsilon) / now.sqrt()"},
             "You added the noise once more in your guess of x_0. Take it off."),
        slip(ddim_step, {"then.sqrt() * guess + rest": "then * guess + rest"},
             "A root is missing: at step s the data's scale is √ᾱ_s."),
        slip(ddim_step, {"then.sqrt() * guess + rest": "guess + rest"},
             "You did not shrink your guess of x_0: at step s its scale is √ᾱ_s."),
        slip(ddim_step, {"then.sqrt() * guess + rest": "now.sqrt() * guess + rest"},
             "You shrank your guess of x_0 by √ᾱ_t. You are at step s now: √ᾱ_s."),
        slip(ddim_step, {_TOWARDS: "then.sqrt() * guess"},
             "Your mean has no noise in it. Unless η makes all of it new, a part of the old noise is kept: √(1 − ᾱ_s − σ²) ε."),
        slip(ddim_step, {_TOWARDS: "then.sqrt() * guess - rest * epsilon"},
             "Your mean goes against ε. The noise at step s is the same as at t, only less of it: it is added."),
        slip(ddim_step, {"(1 - then - sigma**2)": "(1 - then)"},
             "You kept all of the old noise and added new. At step s the variance of both together is 1 − ᾱ_s: keep √(1 − ᾱ_s − σ²)."),
        slip(ddim_step, {"(1 - then - sigma**2)": "(1 - then - sigma)"},
             "You took σ off a variance. What the new noise takes is its variance, σ²."),
        slip(ddim_step, {"(1 - then - sigma**2)": "(1 - now - sigma**2)"},
             "The noise that you kept is that of step t. At step s the variance is 1 − ᾱ_s, less than before."),
        slip(ddim_step, {_REST: "(1 - then).sqrt() - sigma"},
             "You subtracted standard deviations. Variances add up: √(1 − ᾱ_s − σ²), with σ² inside the root."),
        slip(ddim_step, {_REST: "(1 - then - sigma**2).clamp(min=0)"},
             "A root is missing: what multiplies ε is a standard deviation, √(1 − ᾱ_s − σ²)."),
        slip(ddim_step, {_SIGMA: "((1 - then) / (1 - now) * (1 - now / then)).sqrt()"},
             "You left η out: σ is η times the standard deviation of q(x_s | x_t, x_0)."),
        slip(ddim_step, {_SIGMA: "0 * now"},
             "You left the new noise out altogether. That is DDIM with η = 0: σ is η times the standard deviation of q(x_s | x_t, x_0)."),
        slip(ddim_step, {_SIGMA: "(eta * (1 - then) / (1 - now) * (1 - now / then)).sqrt()"},
             "Your η stands inside the root. It scales the standard deviation, not the variance."),
        slip(ddim_step, {_SIGMA: "eta * (1 - then) / (1 - now) * (1 - now / then)"},
             "Your σ is a variance: the root is missing."),
        slip(ddim_step, {_SIGMA: "eta * (1 - now / then).sqrt()"},
             "Your σ is that of the way forward. It has the factor √((1 − ᾱ_s) / (1 − ᾱ_t)) as well, so that no noise is added where s = 0."),
        slip(ddim_step, {_SIGMA: "eta * ((1 - now) / (1 - then) * (1 - now / then)).sqrt()"},
             "The ratio in your σ is upside down: (1 − ᾱ_s) / (1 − ᾱ_t) is smaller than 1, and 0 at the last step."),
        slip(ddim_step, {_SIGMA: "eta * ((1 - then) / (1 - now)).sqrt()"},
             "A factor is missing in your σ²: 1 − ᾱ_t / ᾱ_s, the noise that was added between s and t."),
        slip(ddim_step, {_SIGMA: "eta * ((1 - then) / (1 - now) * (1 - now / alpha_bar[t - 1])).sqrt()"},
             "Your σ has β_t, the noise of one step. Between s and t lie several: 1 − ᾱ_t / ᾱ_s."),
        slip(ddim_step, {_SIGMA: "eta * (1 - then).sqrt()"},
             "Your σ makes an η-th part of all noise new. It is η times the standard deviation of q(x_s | x_t, x_0)."),
        slip(ddim_step, {"mean + sigma * z": "mean + sigma**2 * z"},
             "You scaled the new noise by its variance. What multiplies z is σ."),
        slip(ddim_step, {"mean + sigma * z": "mean + z"},
             "You added z as it is. The new noise has the scale σ."),
        slip(ddim_step, {"mean + sigma * z": "mean"},
             "Your x_s is its mean. With η > 0 new noise is added: σ z."),
        slip(ddim_step, {"mean + sigma * z": "mean + sigma * epsilon"},
             "You used ε again for the new noise. That is z's place."),
        slip(ddim_step, {"mean, mean + sigma * z": "guess, mean + sigma * z"},
             "Your first value is the guess of x_0. Asked for is the mean of x_s."),
        slip(ddim_step, {"mean = then": "guess = guess.clamp(-10, 10)\n    mean = then"},
             "Your guess of x_0 seems to be cut off. Samplers do that with pixels; here use it as it is.",
             loses=("hidden",)),
        slip(ddim_step, {"mean, mean + sigma * z": "mean, mean + (sigma if s > 0 else eta * (1 - now).sqrt()) * z"},
             "You added noise in the last step, to s = 0. There σ is 0: the sample ends at the guess of x_0.",
             loses=("hidden",)),
        slip(ddim_step, {"mean, mean + sigma * z": "mean, (mean + sigma * z if s > 0 else then.sqrt() * guess + (1 - alpha_bar[1]).sqrt() * epsilon)"},
             "Your last step, to s = 0, ends at another noise level. ᾱ_0 is 1: no noise is left there.",
             loses=("hidden",)),
    ),
    alternatives=(ddim_one_factor, ddim_numpy, ddim_loops),
)  # fmt: skip

# 7 ----------------------------------------------------------------------------------- a denoiser by Bayes' rule


def denoiser_inputs(case, rng):
    """Logits of L levels and noised pixels; hidden ones lie hundreds of standard deviations from most levels."""
    B, D, L = case["B"], case["D"], case["L"]
    levels = np.linspace(-0.8, 1.1, L) if L > 1 else np.array([0.7])
    noise = case.get("noise", 0.5) * rng.permutation(np.linspace(0.7, 1.3, B))
    signal = rng.permutation(np.linspace(0.6, 0.95, B))
    chosen = rng.integers(0, L, (B, D))
    x_t = signal[:, None] * levels[chosen] + noise[:, None] * sized(rng, B, D)
    return {
        "logits": case.get("sure", 1.0) * sized(rng, B, D, L),
        "x_t": x_t + case.get("off", 0.0),
        "signal": signal,
        "noise": noise,
        "levels": levels,
    }


def bayes_denoiser(logits, x_t, signal, noise, levels):
    centres = signal[:, None] * levels
    z = (x_t[:, :, None] - centres[:, None]) / noise[:, None, None]
    log_posterior = torch.log_softmax(logits - 0.5 * z**2, dim=2)
    mean = (log_posterior.exp() * levels).sum(dim=2)
    return log_posterior, mean


def denoiser_by_distributions(logits, x_t, signal, noise, levels):
    likelihood = torch.distributions.Normal(signal[:, None, None] * levels, noise[:, None, None]).log_prob(
        x_t[..., None]
    )
    joint = torch.log_softmax(logits, dim=-1) + likelihood
    log_posterior = joint - joint.logsumexp(dim=-1, keepdim=True)
    return log_posterior, log_posterior.exp() @ levels


def denoiser_numpy(logits, x_t, signal, noise, levels):
    a, x, s, n, v = (u.numpy() for u in (logits, x_t, signal, noise, levels))
    # The square without its part that does not depend on the level.
    precision = (1 / n**2)[:, None, None]
    joint = a + precision * (s[:, None, None] * v * x[:, :, None] - (s[:, None, None] * v) ** 2 / 2)
    joint = joint - joint.max(axis=2, keepdims=True)
    posterior = np.exp(joint)
    total = posterior.sum(axis=2, keepdims=True)
    return joint - np.log(total), np.einsum("bdl,l->bd", posterior / total, v)


def denoiser_loops(logits, x_t, signal, noise, levels):
    posteriors, means = [], []
    v = levels.tolist()
    for rows, xs, s, n in zip(logits.tolist(), x_t.tolist(), signal.tolist(), noise.tolist(), strict=True):
        posteriors.append([])
        means.append([])
        for row, x in zip(rows, xs, strict=True):
            joint = [a - ((x - s * level) / n) ** 2 / 2 for a, level in zip(row, v, strict=True)]
            top = max(joint)
            total = top + math.log(sum(math.exp(j - top) for j in joint))
            posteriors[-1].append([j - total for j in joint])
            means[-1].append(sum(math.exp(j - total) * level for j, level in zip(joint, v, strict=True)))
    return posteriors, means


_JOINT = "torch.log_softmax(logits - 0.5 * z**2, dim=2)"
_CENTRES = "signal[:, None] * levels"
_Z = "(x_t[:, :, None] - centres[:, None]) / noise[:, None, None]"
_EXPECTED = "(log_posterior.exp() * levels).sum(dim=2)"
DENOISER = Exercise(
    name="bayes_denoiser",
    outputs=(Output("log_posterior", ("B", "D", "L")), Output("mean", ("B", "D"))),
    points={"visible": 1, "hidden": 2},
    make_inputs=denoiser_inputs,
    cases={
        "visible": ({"B": 3, "D": 2, "L": 4}, {"B": 1, "D": 3, "L": 5}),
        "hidden": (
            {"B": 4, "D": 3, "L": 5},
            {"B": 1, "D": 2, "L": 3},
            {"B": 2, "D": 1, "L": 6},
            {"B": 3, "D": 4, "L": 5, "noise": 0.01},
            {"B": 3, "D": 2, "L": 4, "noise": 0.02, "off": 3.0},
            {"B": 2, "D": 3, "L": 4, "sure": 700.0},
        ),
    },
    reference=bayes_denoiser,
    wrong=(
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits, dim=2)"},
             "You left x_t out. The network's logits are a prior; the Gaussian likelihood of x_t multiplies it."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(-0.5 * z**2, dim=2)"},
             "You left the network's logits out, as if all levels were equally probable before x_t was seen."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits + 0.5 * z**2, dim=2)"},
             "Your likelihood has the wrong sign: the farther x_t is from √ᾱ_t times a level, the less probable the level."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits - z**2, dim=2)"},
             "The ½ is missing in your likelihood: log N = −½ z² and what does not depend on the level."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits - 0.5 * z.abs(), dim=2)"},
             "You did not square the distance from the level in your likelihood."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(torch.softmax(logits, dim=2) - 0.5 * z**2, dim=2)"},
             "You added the prior's probability to a logarithm. By Bayes' rule log-probabilities are added: the logits themselves will do."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits - 0.5 * z**2, dim=1)"},
             "You normalised over the pixels. The probabilities of the L levels of one pixel add up to 1."),
        slip(bayes_denoiser, {_JOINT: "logits - 0.5 * z**2", "(log_posterior.exp() * l": "(torch.softmax(log_posterior, dim=2) * l"},
             "Your log-probabilities are not normalised: their exponentials must add up to 1 over the L levels."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits, dim=2) - 0.5 * z**2", "(log_posterior.exp() * l": "(torch.softmax(log_posterior, dim=2) * l"},
             "You normalised the prior, but not the product with the likelihood: its exponentials must add up to 1 over the L levels."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits, dim=2) + torch.log_softmax(-0.5 * z**2, dim=2)", "(log_posterior.exp() * l": "(torch.softmax(log_posterior, dim=2) * l"},
             "You normalised prior and likelihood each by itself. It is their product that must add up to 1 over the L levels."),
        slip(bayes_denoiser, {_JOINT: "torch.log((torch.softmax(logits, dim=2) + torch.softmax(-0.5 * z**2, dim=2)) / 2)"},
             "You averaged prior and likelihood. By Bayes' rule they are multiplied, and the product is normalised."),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits / noise[:, None, None] ** 2 - 0.5 * z**2, dim=2)"},
             "You divided the logits by the variance as well. Only the squared distance is measured in units of the noise."),
        slip(bayes_denoiser, {_CENTRES: "levels.expand(len(signal), -1)"},
             "You compared x_t with the levels themselves. At step t they have shrunk to √ᾱ_t times the level."),
        slip(bayes_denoiser, {_CENTRES: "signal[:, None] ** 2 * levels"},
             "You shrank the levels by ᾱ_t. x_t holds √ᾱ_t x_0, and `signal` is that root already."),
        slip(bayes_denoiser, {_CENTRES: "signal[:, None].sqrt() * levels"},
             "You took a root of `signal`. It is √ᾱ_t already."),
        slip(bayes_denoiser, {_CENTRES: "noise[:, None] * levels", _Z: "(x_t[:, :, None] - centres[:, None]) / signal[:, None, None]"},
             "Signal and noise have changed places: the levels are shrunk by `signal`, and distances are measured in units of `noise`."),
        slip(bayes_denoiser, {_Z: "(x_t[:, :, None] / signal[:, None, None] - levels) / noise[:, None, None]"},
             "You divided x_t by √ᾱ_t, but not its noise: (x_t/√ᾱ_t − level) has the standard deviation √(1 − ᾱ_t) / √ᾱ_t."),
        slip(bayes_denoiser, {_Z: "(x_t[:, :, None] - centres[:, None]) / noise[:, None, None].sqrt()"},
             "You divided the squared distance by the standard deviation. `noise` is √(1 − ᾱ_t): square it as well."),
        slip(bayes_denoiser, {_Z: "(x_t[:, :, None] - centres[:, None]) / noise[:, None, None] ** 2"},
             "You took `noise` for a root of the standard deviation. It is √(1 − ᾱ_t), the standard deviation itself."),
        slip(bayes_denoiser, {_Z: "x_t[:, :, None] - centres[:, None]"},
             "Your likelihood has the variance 1. At step t the noise has the standard deviation `noise`."),
        slip(bayes_denoiser, {"/ noise[:, None, None]": "/ noise[0]"},
             "You used the first example's noise for all. Each has its own."),
        slip(bayes_denoiser, {_CENTRES: "signal[:1, None] * levels.expand(len(signal), -1)"},
             "You used the first example's signal scale for all. Each has its own."),
        slip(bayes_denoiser, {_EXPECTED: "levels[log_posterior.argmax(dim=2)]"},
             "You chose the most probable level. The mean weights all levels with their probabilities."),
        slip(bayes_denoiser, {_EXPECTED: "(log_posterior.exp() * centres[:, None]).sum(dim=2)"},
             "Your mean is that of √ᾱ_t x_0. Asked for is the mean of x_0: average the levels themselves."),
        slip(bayes_denoiser, {_EXPECTED: "(torch.softmax(logits, dim=2) * levels).sum(dim=2)"},
             "Your mean is the prior's, before x_t was seen. Weight the levels with their probabilities given x_t."),
        slip(bayes_denoiser, {_EXPECTED: "(log_posterior.exp() * levels).mean(dim=2)"},
             "You divided the mean by the number of levels. The probabilities add up to 1 already: sum."),
        slip(bayes_denoiser, {_EXPECTED: "(log_posterior * levels).sum(dim=2)"},
             "You weighted the levels with log-probabilities. The mean has the probabilities for weights."),
        slip(bayes_denoiser, {_EXPECTED: "(log_posterior.exp() * torch.arange(len(levels))).sum(dim=2)"},
             "Your mean is that of the levels' numbers, 0, 1, 2, … Asked for is the mean of x_0, whose values are in `levels`."),
        slip(bayes_denoiser, {"return log_posterior, mean": "return log_posterior.exp(), mean"},
             "You gave probabilities. Asked for are their logarithms, which do not underflow."),
        slip(bayes_denoiser, {"return log_posterior, mean": "return log_posterior / math.log(2), mean"},
             "Your log-probabilities have the base 2. All is in nats here."),
        slip(bayes_denoiser, {_JOINT: "(lambda p: (p / p.sum(dim=2, keepdim=True)).log())(torch.softmax(logits, dim=2) * torch.exp(-0.5 * z**2))"},
             "Your formula is right, but densities may all be 0 in floating point, and 0/0 is no number. Add logarithms, and normalise by log_softmax.",
             loses=("hidden",)),
        slip(bayes_denoiser, {_JOINT: "(lambda p: ((p + 1e-30) / (p + 1e-30).sum(dim=2, keepdim=True)).log())(torch.softmax(logits, dim=2) * torch.exp(-0.5 * z**2))"},
             "A small number keeps your probabilities from 0, but where all densities underflow it makes them equal. Add logarithms, and normalise by log_softmax.",
             loses=("hidden",)),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits - 0.5 * z**2, dim=2).clamp(min=-100)"},
             "Your log-probabilities seem to be cut off. They are finite, however improbable a level is: use them as they are.",
             loses=("hidden",)),
        slip(bayes_denoiser, {_JOINT: "torch.log_softmax(logits.clamp(-30, 30) - 0.5 * z**2, dim=2)"},
             "The network's logits seem to be cut off. It may be very sure of a level: use them as they are.",
             loses=("hidden",)),
    ),
    alternatives=(denoiser_by_distributions, denoiser_numpy, denoiser_loops),
)  # fmt: skip

# 8 ---------------------------------------------------------------------------------------------- flow matching


def flow_inputs(case, rng):
    """Pairs of noise and datum, and a Gaussian of data; a hidden one is far away, or very wide."""
    B, D = case["B"], case["D"]
    return {
        "noise": sized(rng, B, D),
        "data": sized(rng, B, D, least=0.7, most=1.9),
        "t": rng.permutation((np.arange(B) + rng.uniform(0.6, 0.85, B)) / B),
        "mean": case.get("away", 1.0) * sized(rng, D, least=0.8, most=1.5),
        "sd": case.get("wide", 1.0) * rng.uniform(0.5, 0.8, D),
        "num_steps": case["K"],
    }


def flow_matching(noise, data, t, mean, sd, num_steps):
    point = (1 - t[:, None]) * noise + t[:, None] * data

    def velocity(x, now):
        gain = (now * sd**2 - (1 - now)) / (now**2 * sd**2 + (1 - now) ** 2)
        return mean + gain * (x - now * mean)

    x, h = noise, 1 / num_steps
    for k in range(num_steps):
        first = velocity(x, k / num_steps)
        second = velocity(x + h * first, (k + 1) / num_steps)
        x = x + h * (first + second) / 2
    return point, data - noise, x


def flow_by_regression(noise, data, t, mean, sd, num_steps):
    """The velocity from the two conditional means, of the datum and of the noise."""

    def velocity(x, now):
        total = (1 - now) ** 2 + (now * sd) ** 2
        surplus = (x - now * mean) / total
        return (mean + now * sd**2 * surplus) - (1 - now) * surplus

    times = torch.linspace(0, 1, num_steps + 1, dtype=torch.float64).tolist()
    x = noise.clone()
    for k in range(num_steps):
        now, then = times[k], times[k + 1]
        slope = velocity(x, now)
        x = x + (then - now) * 0.5 * (slope + velocity(x + (then - now) * slope, then))
    return torch.lerp(noise, data, t[:, None]), data - noise, x


def flow_numpy(noise, data, t, mean, sd, num_steps):
    z, y, w = noise.numpy(), data.numpy(), t.numpy()[:, None]
    m, variance = mean.numpy(), sd.numpy() ** 2
    x = z.copy()
    for k in range(num_steps):
        a, b = k / num_steps, (k + 1) / num_steps
        gains = [(u * variance - 1 + u) / (u * u * variance + (1 - u) ** 2) for u in (a, b)]
        slope = m + gains[0] * (x - a * m)
        guess = x + slope / num_steps
        x = x + (slope + m + gains[1] * (guess - b * m)) / (2 * num_steps)
    return z + w * (y - z), y - z, x


def flow_loops(noise, data, t, mean, sd, num_steps):
    def velocity(x, now, m, s):
        return m + (now * s * s - (1 - now)) / (now * now * s * s + (1 - now) ** 2) * (x - now * m)

    points, targets, ends = [], [], []
    for z, y, w in zip(noise.tolist(), data.tolist(), t.tolist(), strict=True):
        points.append([(1 - w) * a + w * b for a, b in zip(z, y, strict=True)])
        targets.append([b - a for a, b in zip(z, y, strict=True)])
        row = []
        for x, m, s in zip(z, mean.tolist(), sd.tolist(), strict=True):
            for k in range(num_steps):
                slope = velocity(x, k / num_steps, m, s)
                later = velocity(x + slope / num_steps, (k + 1) / num_steps, m, s)
                x += (slope + later) / (2 * num_steps)
            row.append(x)
        ends.append(row)
    return points, targets, ends


_POINT = "(1 - t[:, None]) * noise + t[:, None] * data"
_TARGET = "data - noise, x"
_GAIN = "(now * sd**2 - (1 - now)) / (now**2 * sd**2 + (1 - now) ** 2)"
_FLOW = "mean + gain * (x - now * mean)"
_SECOND = "second = velocity(x + h * first, (k + 1) / num_steps)"
_HEUN = "x = x + h * (first + second) / 2"
FLOW = Exercise(
    name="flow_matching",
    outputs=(Output("point", ("B", "D")), Output("target", ("B", "D")), Output("sample", ("B", "D"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=flow_inputs,
    cases={
        "visible": ({"B": 3, "D": 2, "K": 3}, {"B": 1, "D": 4, "K": 2}),
        "hidden": (
            {"B": 4, "D": 3, "K": 4},
            {"B": 5, "D": 1, "K": 3},
            {"B": 1, "D": 2, "K": 1},
            {"B": 2, "D": 3, "K": 6, "away": 300.0},
            {"B": 3, "D": 2, "K": 3, "wide": 0.001},
        ),
    },
    reference=flow_matching,
    wrong=(
        slip(flow_matching, {_POINT: "t[:, None] * noise + (1 - t[:, None]) * data"},
             "Your time runs backwards: at t = 0 the point is the noise, at t = 1 the datum."),
        slip(flow_matching, {_POINT: "t[:, None].sqrt() * data + (1 - t[:, None]).sqrt() * noise"},
             "You mixed with roots, as diffusion does. Here the way from noise to datum is a straight line."),
        slip(flow_matching, {_POINT: "noise + t[:, None] * data"},
             "Your noise stays. On the way to the datum its weight falls to 0: 1 − t."),
        slip(flow_matching, {_POINT: "(1 - t[0]) * noise + t[0] * data"},
             "You used the first pair's t for all. Each has its own."),
        slip(flow_matching, {_TARGET: "noise - data, x"},
             "Your target points from the datum to the noise. Time runs to the datum: it is the derivative of the point with respect to t."),
        slip(flow_matching, {_TARGET: "data - point, x"},
             "Your target is what is left of the way. A velocity is a way by unit of time: the derivative of the point with respect to t."),
        slip(flow_matching, {_TARGET: "point - noise, x"},
             "Your target is the way so far. A velocity is a way by unit of time: the derivative of the point with respect to t."),
        slip(flow_matching, {_TARGET: "data, x"},
             "Your target is the datum. The network learns a velocity: the derivative of the point with respect to t."),
        slip(flow_matching, {_TARGET: "data + noise, x"},
             "You added the noise in the target. The noise's weight falls with t: its derivative is −1."),
        slip(flow_matching, {_TARGET: "(data - noise) / (1 - t[:, None]), x"},
             "You divided the whole way by the time that is left. The whole way, from noise to datum, takes the time 1."),
        slip(flow_matching, {_HEUN: "x = x + h * first"},
             "You made Euler's steps. Heun's method follows the mean of two velocities: at the beginning of the step, and where Euler's step ends."),
        slip(flow_matching, {_SECOND: "second = velocity(x + h * first / 2, (k + 0.5) / num_steps)", _HEUN: "x = x + h * second"},
             "You used the midpoint rule. Heun's method follows the mean of two velocities: at the beginning of the step, and where Euler's step ends."),
        slip(flow_matching, {_HEUN: "x = x + h * second"},
             "You followed the second velocity alone. Heun's method follows the mean of the two."),
        slip(flow_matching, {_HEUN: "x = x + h * (first + second)"},
             "You followed the sum of the two velocities. Heun's method follows their mean."),
        slip(flow_matching, {_SECOND: "second = velocity(x + h * first, k / num_steps)"},
             "Your second velocity is at the step's beginning in time. It is that at its end, t + h."),
        slip(flow_matching, {_SECOND: "second = velocity(x, (k + 1) / num_steps)"},
             "Your second velocity is at the place where the step began. It is that where Euler's step ends, x + h u."),
        slip(flow_matching, {_SECOND: "second = velocity(x + first, (k + 1) / num_steps)"},
             "You went a whole unit of time for the second velocity. Euler's step is h times the first."),
        slip(flow_matching, {"first = velocity(x, k / num_steps)": "first = velocity(x, (k + 1) / num_steps)"},
             "Your first velocity is at the step's end in time. The step from t to t + h begins with that at t."),
        slip(flow_matching, {"in range(num_steps)": "in range(num_steps - 1)"},
             "A step is missing: your sampler stops before t = 1."),
        slip(flow_matching, {"x, h = noise,": "x, h = point,"},
             "You began at the point of the training pair. A sampler begins with the noise, at t = 0."),
        slip(flow_matching, {"x, h = noise,": "x, h = data,"},
             "You began with the data. A sampler begins with the noise, at t = 0."),
        slip(flow_matching, {"second) / 2\n": "second) / 2\n    x = mean + sd * noise\n"},
             "You gave where the flow leads with infinitely many steps. Asked for is where Heun's method ends with num_steps."),
        slip(flow_matching, {_HEUN: "x = x - h * (first + second) / 2"},
             "Your steps go against the velocity. From noise to data time runs forward."),
        slip(flow_matching, {_FLOW: "gain * (x - now * mean)"},
             "The first term of the velocity is missing: u = m + … Where x is what one expects at t, the point moves by m."),
        slip(flow_matching, {_FLOW: "mean + gain * (x - mean)"},
             "You measured x from m. At time t the mean of the points is t m."),
        slip(flow_matching, {_FLOW: "mean + gain * x"},
             "You did not take the mean off x. At time t that of the points is t m."),
        slip(flow_matching, {_GAIN: "(now * sd - (1 - now)) / (now**2 * sd + (1 - now) ** 2)"},
             "You used the standard deviation for the variance: s² stands in both places of the velocity."),
        slip(flow_matching, {_GAIN: "(now * sd**2 + (1 - now)) / (now**2 * sd**2 + (1 - now) ** 2)"},
             "A sign is wrong in your velocity. The more noise there is in x, the farther it must come back: t s² − (1 − t)."),
        slip(flow_matching, {_GAIN: "(now**2 * sd**2 - (1 - now) ** 2) / (now**2 * sd**2 + (1 - now) ** 2)"},
             "You squared in the numerator, too. Only the variance below has squares: (t s² − (1 − t)) / (t² s² + (1 − t)²)."),
        slip(flow_matching, {_GAIN: "(now * sd**2 - (1 - now)) / (now * sd**2 + (1 - now))"},
             "The squares are missing in the denominator. The variance of the points at t is t² s² + (1 − t)²."),
        slip(flow_matching, {_GAIN: "now * sd**2 - (1 - now)"},
             "You did not divide by the variance of the points at t, t² s² + (1 − t)²."),
        slip(flow_matching, {"return point, data - noise, x": "return data - noise, point, x"},
             "Your first and second value have changed places: first the point, then its velocity."),
    ),
    alternatives=(flow_by_regression, flow_numpy, flow_loops),
)  # fmt: skip

# Absent while this is graded: it is what students are asked to write.
SEALED = ("diffusion",)

EXERCISES = (SCALES, NOISED, POSTERIOR, ELBO, READINGS, DDIM, DENOISER, FLOW)
