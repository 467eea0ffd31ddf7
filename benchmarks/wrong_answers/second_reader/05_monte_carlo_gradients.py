"""Wrong answers that students might hand in for assignment 05."""
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


# ---------------------------------------------------------------- monte_carlo_estimate


@wrong("monte_carlo_estimate", "divides by S instead of S - 1 in the variance")
def monte_carlo_estimate(values):
    return values.mean(dim=0), torch.sqrt(values.var(dim=0, unbiased=False) / len(values))


@wrong("monte_carlo_estimate", "the standard deviation of the draws: not divided by sqrt(S)")
def monte_carlo_estimate(values):
    return values.mean(dim=0), values.std(dim=0)


@wrong("monte_carlo_estimate", "forgets the root: variance / S")
def monte_carlo_estimate(values):
    return values.mean(dim=0), values.var(dim=0) / len(values)


@wrong("monte_carlo_estimate", "the standard deviation divided by S instead of sqrt(S)")
def monte_carlo_estimate(values):
    return values.mean(dim=0), values.std(dim=0) / len(values)


@wrong("monte_carlo_estimate", "divides by S - 1 twice: in the variance, and instead of S under the root")
def monte_carlo_estimate(values):
    return values.mean(dim=0), torch.sqrt(values.var(dim=0) / (len(values) - 1))


@wrong("monte_carlo_estimate", "divides the variance by K, the number of functions, instead of S")
def monte_carlo_estimate(values):
    return values.mean(dim=0), values.std(dim=0) / math.sqrt(values.shape[1])


@wrong("monte_carlo_estimate", "measures each column's spread around the mean of all values, not around the column's own mean")
def monte_carlo_estimate(values):
    S = len(values)
    variance = ((values - values.mean()) ** 2).sum(dim=0) / (S - 1)
    return values.mean(dim=0), torch.sqrt(variance / S)


@wrong("monte_carlo_estimate", "the second moment in place of the variance: the mean is not taken off")
def monte_carlo_estimate(values):
    S = len(values)
    return values.mean(dim=0), torch.sqrt((values**2).sum(dim=0) / (S - 1) / S)


@wrong("monte_carlo_estimate", "one standard error for all columns, from the average of their variances")
def monte_carlo_estimate(values):
    variance = values.var(dim=0).mean()
    return values.mean(dim=0), torch.sqrt(variance / len(values)).expand(values.shape[1]).clone()


@wrong("monte_carlo_estimate", "takes the mean off the argument in place: the values returned are right, but the caller's array is overwritten")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.mean(dim=0)
    values -= mean
    return mean, torch.sqrt((values**2).sum(dim=0) / (S - 1) / S)


@wrong("monte_carlo_estimate", "two mistakes: the mean is divided by S - 1 as well, and S stands in the variance")
def monte_carlo_estimate(values):
    S = len(values)
    mean = values.sum(dim=0) / (S - 1)
    return mean, torch.sqrt(values.var(dim=0, unbiased=False) / S)


@wrong("monte_carlo_estimate", "two mistakes: the mean absolute deviation instead of the standard deviation, and divided by the root of the number of all values, S times K")
def monte_carlo_estimate(values):
    mean = values.mean(dim=0)
    return mean, (values - mean).abs().mean(dim=0) / math.sqrt(values.numel())


# ---------------------------------------------------------------- score_gradients


@wrong("score_gradients", "the sign of the score by mu: (mu - z) / sigma^2")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    return f * (mu - z) / sigma**2, f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)


@wrong("score_gradients", "divides by sigma instead of sigma^2 in the score by mu")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    return f * (z - mu) / sigma, f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)


@wrong("score_gradients", "the derivative by log sigma instead of sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    return f * (z - mu) / sigma**2, f * ((z - mu) ** 2 / sigma**2 - 1)


@wrong("score_gradients", "the derivative by the variance sigma^2 instead of sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    return f * (z - mu) / sigma**2, f * ((z - mu) ** 2 / (2 * sigma**4) - 1 / (2 * sigma**2))


@wrong("score_gradients", "forgets - 1 / sigma, the derivative of - log sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    return f * (z - mu) / sigma**2, f * (z - mu) ** 2 / sigma**3


@wrong("score_gradients", "sigma^2 instead of sigma^3 under the square in the score by sigma: right only for sigma = 1")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    return f * (z - mu) / sigma**2, f * ((z - mu) ** 2 / sigma**2 - 1 / sigma)


@wrong("score_gradients", "divides each draw's contribution by S, so that their sum is the estimate")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None] / len(z)
    return f * (z - mu) / sigma**2, f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)


@wrong("score_gradients", "takes the mean of f off as a baseline, which nobody asked for")
def score_gradients(f_values, z, mu, sigma):
    f = (f_values - f_values.mean())[:, None]
    return f * (z - mu) / sigma**2, f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)


@wrong("score_gradients", "the gradient of q instead of log q: f times the density of each entry times the score")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None] * torch.exp(torch.distributions.Normal(mu, sigma).log_prob(z))
    return f * (z - mu) / sigma**2, f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)


@wrong("score_gradients", "sigma is clamped to at least 0.1 against large scores")
def score_gradients(f_values, z, mu, sigma):
    f, sigma = f_values[:, None], sigma.clamp(min=0.1)
    return f * (z - mu) / sigma**2, f * ((z - mu) ** 2 / sigma**3 - 1 / sigma)


@wrong("score_gradients", "two mistakes: centres the draws at their own mean instead of mu, and loses the 2 of the square's derivative in the score by sigma")
def score_gradients(f_values, z, mu, sigma):
    f, d = f_values[:, None], z - z.mean(dim=0)
    return f * d / sigma**2, f * (d**2 / (2 * sigma**3) - 1 / sigma)


@wrong("score_gradients", "two mistakes: the scores are summed over the entries before f weighs them, and + 1 / sigma instead of - 1 / sigma")
def score_gradients(f_values, z, mu, sigma):
    f = f_values[:, None]
    by_mu, by_sigma = (z - mu) / sigma**2, (z - mu) ** 2 / sigma**3 + 1 / sigma
    return f * by_mu.sum(dim=1, keepdim=True).expand_as(z), f * by_sigma.sum(dim=1, keepdim=True).expand_as(z)


# ---------------------------------------------------------------- leave_one_out


@wrong("leave_one_out", "takes off the mean of all draws, this one included")
def leave_one_out(values):
    return values - values.mean(dim=0)


@wrong("leave_one_out", "multiplies the centred values by (S - 1) / S instead of S / (S - 1)")
def leave_one_out(values):
    S = len(values)
    return (values - values.mean(dim=0)) * (S - 1) / S


@wrong("leave_one_out", "returns the baselines themselves, not what is left of the values")
def leave_one_out(values):
    return (values.sum(dim=0) - values) / (len(values) - 1)


@wrong("leave_one_out", "the sign: the baseline less the value")
def leave_one_out(values):
    return (values.sum(dim=0) - values) / (len(values) - 1) - values


@wrong("leave_one_out", "divides the sum of the others by S instead of S - 1")
def leave_one_out(values):
    return values - (values.sum(dim=0) - values) / len(values)


@wrong("leave_one_out", "divides by S - 1, but leaves this draw in the sum")
def leave_one_out(values):
    return values - values.sum(dim=0) / (len(values) - 1)


@wrong("leave_one_out", "one baseline for all problems: the mean of all other values, of every column")
def leave_one_out(values):
    return values - (values.sum() - values) / (values.numel() - 1)


@wrong("leave_one_out", "the mean of the draws before this one only (0 for the first)")
def leave_one_out(values):
    before = torch.cumsum(values, dim=0) - values
    count = torch.arange(len(values), dtype=values.dtype).clamp(min=1)[:, None]
    return values - before / count


@wrong("leave_one_out", "the next draw's value (the first's for the last) in place of the mean of the others: right only for S = 2")
def leave_one_out(values):
    return values - values.roll(-1, dims=0)


@wrong("leave_one_out", "works row by row in one array: later rows see rows that were centred already")
def leave_one_out(values):
    centred = values.clone()
    for s in range(len(values)):
        centred[s] = centred[s] - (centred.sum(dim=0) - centred[s]) / (len(values) - 1)
    return centred


@wrong("leave_one_out", "two mistakes: the mean of all draws, this one included, and the result is divided by the standard deviation plus 1e-8")
def leave_one_out(values):
    return (values - values.mean(dim=0)) / (values.std(dim=0) + 1e-8)


@wrong("leave_one_out", "two mistakes: the mean is over all columns' values, and this one is included")
def leave_one_out(values):
    return values - values.mean()


# ---------------------------------------------------------------- path_gradients


@wrong("path_gradients", "takes log_sigma for the log-variance: sigma = exp(log_sigma / 2), and differentiates with the half")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(0.5 * log_sigma)
    z = mu + sigma * eps
    g = (x - z @ A.T) @ A
    return z, g, 0.5 * g * sigma * eps


@wrong("path_gradients", "the gradient by sigma instead of log sigma: the factor sigma is missing")
def path_gradients(eps, mu, log_sigma, A, x):
    z = mu + torch.exp(log_sigma) * eps
    g = (x - z @ A.T) @ A
    return z, g, g * eps


@wrong("path_gradients", "the sign of both gradients: those of the squared error, not of f")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    g = (z @ A.T - x) @ A
    return z, g, g * sigma * eps


@wrong("path_gradients", "the residual is taken at mu instead of at the draws: every draw has the same gradient by mu")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    g = ((x - A @ mu) @ A).expand_as(z).clone()
    return z, g, g * sigma * eps


@wrong("path_gradients", "forgets eps in the gradient by log sigma")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    g = (x - z @ A.T) @ A
    return z, g, g * sigma


@wrong("path_gradients", "the half is lost: both gradients are twice too large")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    g = 2 * (x - z @ A.T) @ A
    return z, g, g * sigma * eps


@wrong("path_gradients", "adds the gradient of the KL from a standard normal prior, which f does not have")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    g = (x - z @ A.T) @ A
    return z, g - mu, g * sigma * eps + 1 - sigma**2


@wrong("path_gradients", "takes z for the derivative of z by log sigma: right only for mu = 0")
def path_gradients(eps, mu, log_sigma, A, x):
    z = mu + torch.exp(log_sigma) * eps
    g = (x - z @ A.T) @ A
    return z, g, g * z


@wrong("path_gradients", "A'x - z: right only if the columns of A are orthonormal")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    g = x @ A - z
    return z, g, g * sigma * eps


@wrong("path_gradients", "the score function's gradients, f(z) times the scores, instead of the pathwise ones")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    f = -0.5 * ((x - z @ A.T) ** 2).sum(dim=1, keepdim=True)
    return z, f * eps / sigma, f * (eps**2 - 1)


@wrong("path_gradients", "two mistakes: sigma^2 multiplies the noise in z, and the gradient by log sigma has sigma, not the derivative of sigma^2")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma**2 * eps
    g = (x - z @ A.T) @ A
    return z, g, g * sigma * eps


@wrong("path_gradients", "two mistakes: the squared error is averaged over the D entries of x, and every draw gets the mean of the draws' gradients")
def path_gradients(eps, mu, log_sigma, A, x):
    sigma = torch.exp(log_sigma)
    z = mu + sigma * eps
    g = (x - z @ A.T) @ A / len(x)
    by_mu, by_log_sigma = g.mean(dim=0), (g * sigma * eps).mean(dim=0)
    return z, by_mu.expand_as(z).clone(), by_log_sigma.expand_as(z).clone()


# ---------------------------------------------------------------- measure_valued_pair


def _constant(sigma):
    return 1 / (sigma * math.sqrt(2 * math.pi))


@wrong("measure_valued_pair", "W = sqrt(-log u), without the 2")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-torch.log(u))
    return mu + sigma * W, mu - sigma * W, _constant(sigma)


@wrong("measure_valued_pair", "solves 1 - u = exp(-W^2 / 2) instead of u = exp(-W^2 / 2)")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-2 * torch.log(1 - u))
    return mu + sigma * W, mu - sigma * W, _constant(sigma)


@wrong("measure_valued_pair", "forgets the root: W = -2 log u")
def measure_valued_pair(u, mu, sigma):
    W = -2 * torch.log(u)
    return mu + sigma * W, mu - sigma * W, _constant(sigma)


@wrong("measure_valued_pair", "the constant is 1 / sqrt(2 pi), without sigma")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-2 * torch.log(u))
    return mu + sigma * W, mu - sigma * W, torch.ones_like(sigma) / math.sqrt(2 * math.pi)


@wrong("measure_valued_pair", "sigma stands under the root of the constant: 1 / sqrt(2 pi sigma)")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-2 * torch.log(u))
    return mu + sigma * W, mu - sigma * W, 1 / torch.sqrt(2 * math.pi * sigma)


@wrong("measure_valued_pair", "the two draws are exchanged")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-2 * torch.log(u))
    return mu - sigma * W, mu + sigma * W, _constant(sigma)


@wrong("measure_valued_pair", "an antithetic pair: the lower draw's W comes from 1 - u, not from the same u")
def measure_valued_pair(u, mu, sigma):
    upper, lower = torch.sqrt(-2 * torch.log(u)), torch.sqrt(-2 * torch.log(1 - u))
    return mu + sigma * upper, mu - sigma * lower, _constant(sigma)


@wrong("measure_valued_pair", "z_minus = -z_plus: right only for mu = 0")
def measure_valued_pair(u, mu, sigma):
    z_plus = mu + sigma * torch.sqrt(-2 * torch.log(u))
    return z_plus, -z_plus, _constant(sigma)


@wrong("measure_valued_pair", "W is half-normal, the absolute value of a standard normal, instead of the given law")
def measure_valued_pair(u, mu, sigma):
    W = torch.distributions.Normal(0.0, 1.0).icdf(1 - u / 2)
    return mu + sigma * W, mu - sigma * W, _constant(sigma)


@wrong("measure_valued_pair", "u is clamped to at least 0.001, so that W never exceeds 3.7")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-2 * torch.log(u.clamp(min=1e-3)))
    return mu + sigma * W, mu - sigma * W, _constant(sigma)


@wrong("measure_valued_pair", "two mistakes: sigma^2 instead of sigma in the draws, and 2 pi without its root in the constant")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-2 * torch.log(u))
    return mu + sigma**2 * W, mu - sigma**2 * W, 1 / (2 * math.pi * sigma)


@wrong("measure_valued_pair", "two mistakes: the first entry's W serves all entries of a draw, and the constant is sigma / sqrt(2 pi)")
def measure_valued_pair(u, mu, sigma):
    W = torch.sqrt(-2 * torch.log(u[:, :1]))
    return mu + sigma * W, mu - sigma * W, sigma / math.sqrt(2 * math.pi)


# ---------------------------------------------------------------- coin_gradients


@wrong("coin_gradients", "the derivative by the probability p instead of the logit")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    return (1 - p) * values[:, 0] + p * values[:, 1], values[:, 1] - values[:, 0]


@wrong("coin_gradients", "p weighs f(0) and 1 - p weighs f(1), in both answers")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    return p * values[:, 0] + (1 - p) * values[:, 1], p * (1 - p) * (values[:, 0] - values[:, 1])


@wrong("coin_gradients", "the sign of the derivative: f(0) - f(1)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    return (1 - p) * values[:, 0] + p * values[:, 1], p * (1 - p) * (values[:, 0] - values[:, 1])


@wrong("coin_gradients", "takes the logits for probabilities: logits for p, and logits (1 - logits) for its slope")
def coin_gradients(logits, values):
    return (1 - logits) * values[:, 0] + logits * values[:, 1], logits * (1 - logits) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "a softmax over the K coins instead of each coin's sigmoid")
def coin_gradients(logits, values):
    p = torch.softmax(logits, dim=0)
    return (1 - p) * values[:, 0] + p * values[:, 1], p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "forgets the term of f(0) in both answers: right only if f(0) = 0")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    return p * values[:, 1], p * (1 - p) * values[:, 1]


@wrong("coin_gradients", "the sigmoid's slope p (1 - p) alone, without the values: right only if f(1) - f(0) = 1")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    return (1 - p) * values[:, 0] + p * values[:, 1], p * (1 - p)


@wrong("coin_gradients", "takes the sigmoid twice in the slope: the derivative is evaluated at p instead of at the logit")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    s = torch.sigmoid(p)
    return (1 - p) * values[:, 0] + p * values[:, 1], s * (1 - s) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "the score 1 - p for both outcomes, though that of z = 0 is -p: the gradient is (1 - p) times the expectation")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, (1 - p) * expectation


@wrong("coin_gradients", "p is clamped to [0.01, 0.99] in both answers")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits).clamp(0.01, 0.99)
    return (1 - p) * values[:, 0] + p * values[:, 1], p * (1 - p) * (values[:, 1] - values[:, 0])


@wrong("coin_gradients", "two mistakes: p = (1 + tanh a) / 2, which is the sigmoid of 2a, and the gradient is by p")
def coin_gradients(logits, values):
    p = (1 + torch.tanh(logits)) / 2
    return (1 - p) * values[:, 0] + p * values[:, 1], values[:, 1] - values[:, 0]


@wrong("coin_gradients", "two mistakes: p weighs f(0) in the expectation, and the slope is p instead of p (1 - p)")
def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    return p * values[:, 0] + (1 - p) * values[:, 1], p * (values[:, 1] - values[:, 0])


# ---------------------------------------------------------------- relaxed_coins


def _logistic(u):
    return torch.log(u) - torch.log1p(-u)


@wrong("relaxed_coins", "forgets 1 / temperature in the slope")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits + _logistic(u)) / temperature)
    return z, z * (1 - z)


@wrong("relaxed_coins", "the noise's sign: log(1 - u) - log u")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits - _logistic(u)) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "multiplies by the temperature instead of dividing, in the draw and in the slope")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits + _logistic(u)) * temperature)
    return z, z * (1 - z) * temperature


@wrong("relaxed_coins", "one Gumbel variable, -log(-log u), instead of logistic noise")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits - torch.log(-torch.log(u))) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "only the logit is divided by the temperature, the noise is not")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid(logits / temperature + _logistic(u))
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "the slope p (1 - p) of the coin itself, the same for every draw")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits + _logistic(u)) / temperature)
    p = torch.sigmoid(logits)
    return z, (p * (1 - p)).expand_as(z).clone()


@wrong("relaxed_coins", "returns hard coins, 0 or 1 (straight through), with the relaxed coins' slopes")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits + _logistic(u)) / temperature)
    return (z > 0.5).to(z.dtype), z * (1 - z) / temperature


@wrong("relaxed_coins", "exp(t) / (1 + exp(t)) for the sigmoid: not a number for t above 709, as with large logits and a low temperature")
def relaxed_coins(logits, u, temperature):
    e = torch.exp((logits + _logistic(u)) / temperature)
    z = e / (1 + e)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "logits are clamped to [-10, 10]")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits.clamp(-10, 10) + _logistic(u)) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "u is clamped to [0.01, 0.99] before the logarithms")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits + _logistic(u.clamp(0.01, 0.99))) / temperature)
    return z, z * (1 - z) / temperature


@wrong("relaxed_coins", "two mistakes: the probability sigmoid(a) stands in the place of the logit a, and the slope is divided by the temperature twice")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((torch.sigmoid(logits) + _logistic(u)) / temperature)
    return z, z * (1 - z) / temperature**2


@wrong("relaxed_coins", "two mistakes: the noise is log u alone, and the slope is that of sigmoid(a / temperature), without any noise")
def relaxed_coins(logits, u, temperature):
    z = torch.sigmoid((logits + torch.log(u)) / temperature)
    s = torch.sigmoid(logits / temperature)
    return z, (s * (1 - s) / temperature).expand_as(z).clone()


# ---------------------------------------------------------------- minibatch_gradient


@wrong("minibatch_gradient", "the minibatch's mean, without the factor N")
def minibatch_gradient(per_example, prior, num_examples):
    return per_example.mean(dim=0) + prior


@wrong("minibatch_gradient", "the minibatch's sum, not scaled by N / M")
def minibatch_gradient(per_example, prior, num_examples):
    return per_example.sum(dim=0) + prior


@wrong("minibatch_gradient", "scales the prior by N as well")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * (per_example.mean(dim=0) + prior)


@wrong("minibatch_gradient", "scales the prior by N / M as well")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples / len(per_example) * (per_example.sum(dim=0) + prior)


@wrong("minibatch_gradient", "forgets the prior")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * per_example.mean(dim=0)


@wrong("minibatch_gradient", "gives the minibatch its share of the prior, M / N")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * per_example.mean(dim=0) + len(per_example) / num_examples * prior


@wrong("minibatch_gradient", "the gradient per example: mean + prior / N, N times too small")
def minibatch_gradient(per_example, prior, num_examples):
    return per_example.mean(dim=0) + prior / num_examples


@wrong("minibatch_gradient", "takes the prior's gradient off instead of adding it")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * per_example.mean(dim=0) - prior


@wrong("minibatch_gradient", "a whole number of minibatches, N // M: right only if M divides N")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples // len(per_example) * per_example.sum(dim=0) + prior


@wrong("minibatch_gradient", "the sum times N / (M - 1), by analogy with the unbiased variance (times N for M = 1)")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples / max(len(per_example) - 1, 1) * per_example.sum(dim=0) + prior


@wrong("minibatch_gradient", "two mistakes: M / N instead of N / M, and the prior is scaled with it")
def minibatch_gradient(per_example, prior, num_examples):
    return len(per_example) / num_examples * (per_example.sum(dim=0) + prior)


@wrong("minibatch_gradient", "two mistakes: the mean is over the K parameters too, and the prior is forgotten")
def minibatch_gradient(per_example, prior, num_examples):
    return num_examples * per_example.mean() * torch.ones_like(prior)
