"""Wrong answers that students might hand in for assignment 13."""
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


# --- exercise 1


@wrong("best_critic", "the share is forgotten: the critic for s = 1/2")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q
    return logit, F.logsigmoid(logit), F.logsigmoid(-logit)


@wrong("best_critic", "only log s is added to the logit, without subtracting log(1 - s)")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(share)
    return logit, F.logsigmoid(logit), F.logsigmoid(-logit)


@wrong("best_critic", "the share is taken as that of the samples: s and 1 - s exchanged")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(1 - share) - math.log(share)
    return logit, F.logsigmoid(logit), F.logsigmoid(-logit)


@wrong("best_critic", "densities by exp, with 1e-12 added to each density and inside the logarithms, which hides underflow")
def best_critic(log_p, log_q, share):
    p, q = log_p.exp() + 1e-12, log_q.exp() + 1e-12
    d = share * p / (share * p + (1 - share) * q)
    return torch.log(share * p / ((1 - share) * q)), torch.log(d + 1e-12), torch.log(1 - d + 1e-12)


@wrong("best_critic", "log D* and log(1 - D*) are clamped at -100")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(share / (1 - share))
    return logit, F.logsigmoid(logit).clamp(min=-100), F.logsigmoid(-logit).clamp(min=-100)


@wrong("best_critic", "log(1 - D*) is computed as 1 - log D*")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(share / (1 - share))
    log_d = F.logsigmoid(logit)
    return logit, log_d, 1 - log_d


@wrong("best_critic", "log(1 - D*) as log1p(-exp(log D*)), which is -inf where D* rounds to 1")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(share / (1 - share))
    log_d = F.logsigmoid(logit)
    return logit, log_d, torch.log1p(-torch.exp(log_d))


@wrong("best_critic", "log D* as log(sigmoid(logit)), which is -inf where the sigmoid underflows")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(share / (1 - share))
    return logit, torch.log(torch.sigmoid(logit)), F.logsigmoid(-logit)


@wrong("best_critic", "the share multiplies the log-densities: s log p - (1 - s) log q")
def best_critic(log_p, log_q, share):
    logit = share * log_p - (1 - share) * log_q
    return logit, F.logsigmoid(logit), F.logsigmoid(-logit)


@wrong("best_critic", "D* and 1 - D* are returned, without their logarithms")
def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(share / (1 - share))
    return logit, torch.sigmoid(logit), torch.sigmoid(-logit)


@wrong("best_critic", "two mistakes: the logit has log q - log p, and log D* and log(1 - D*) change places, so that only the share has the wrong sign in them")
def best_critic(log_p, log_q, share):
    logit = log_q - log_p + math.log(share / (1 - share))
    return logit, F.logsigmoid(-logit), F.logsigmoid(logit)


@wrong("best_critic", "two mistakes: 1 - s is left out of the logit, and log(1 - D*) is -log D*")
def best_critic(log_p, log_q, share):
    logit = log_p + math.log(share) - log_q
    log_d = F.logsigmoid(logit)
    return logit, log_d, -log_d


# --- exercise 2


def _kl(p, q):
    return torch.where(p > 0, p * (p.clamp(min=1e-300) / torch.where(p > 0, q, torch.ones_like(q))).log(), torch.zeros_like(p)).sum(dim=1)


def _jsd(p, q):
    m = (p + q) / 2
    return 0.5 * _kl(p, m) + 0.5 * _kl(q, m)


def _value(p, q, logit):
    return (p * F.logsigmoid(logit) + q * F.logsigmoid(-logit)).sum(dim=1)


@wrong("game_value", "the best value is JSD - log 4: the factor 2 is missing")
def game_value(p, q, logit):
    return _value(p, q, logit), _jsd(p, q) - math.log(4)


@wrong("game_value", "the best value has + log 4")
def game_value(p, q, logit):
    return _value(p, q, logit), 2 * _jsd(p, q) + math.log(4)


@wrong("game_value", "the value is a mean over the K values of x, not the sum")
def game_value(p, q, logit):
    value = (p * F.logsigmoid(logit) + q * F.logsigmoid(-logit)).mean(dim=1)
    return value, 2 * _jsd(p, q) - math.log(4)


@wrong("game_value", "both expectations of the value are taken under p")
def game_value(p, q, logit):
    value = (p * (F.logsigmoid(logit) + F.logsigmoid(-logit))).sum(dim=1)
    return value, 2 * _jsd(p, q) - math.log(4)


@wrong("game_value", "the value clamps D to [1e-7, 1 - 1e-7], which cuts off large logits")
def game_value(p, q, logit):
    d = torch.sigmoid(logit).clamp(1e-7, 1 - 1e-7)
    return (p * d.log() + q * (1 - d).log()).sum(dim=1), 2 * _jsd(p, q) - math.log(4)


@wrong("game_value", "the KLs of the JSD the wrong way round, KL(m || p) and KL(m || q), with 1e-12 added inside the logarithms")
def game_value(p, q, logit):
    m = (p + q) / 2
    jsd = 0.5 * (m * ((m + 1e-12) / (p + 1e-12)).log()).sum(dim=1) + 0.5 * (m * ((m + 1e-12) / (q + 1e-12)).log()).sum(dim=1)
    return _value(p, q, logit), 2 * jsd - math.log(4)


@wrong("game_value", "m is p + q, without the half")
def game_value(p, q, logit):
    m = p + q
    return _value(p, q, logit), _kl(p, m) + _kl(q, m) - math.log(4)


@wrong("game_value", "the best value leaves out all x where p or q is 0, also where only one of them is")
def game_value(p, q, logit):
    both = (p > 0) & (q > 0)
    m = torch.where(both, (p + q) / 2, torch.ones_like(p))
    a, b = torch.where(both, p, torch.ones_like(p)), torch.where(both, q, torch.ones_like(q))
    terms = torch.where(both, a * (a / m).log() + b * (b / m).log(), torch.zeros_like(p))
    return _value(p, q, logit), terms.sum(dim=1) - math.log(4)


@wrong("game_value", "the best value in bits: base-2 logarithms, 2 JSD - 2")
def game_value(p, q, logit):
    return _value(p, q, logit), 2 * _jsd(p, q) / math.log(2) - 2


@wrong("game_value", "the value has log D(x) in place of log(1 - D(x)) under q")
def game_value(p, q, logit):
    return ((p + q) * F.logsigmoid(logit)).sum(dim=1), 2 * _jsd(p, q) - math.log(4)


@wrong("game_value", "two mistakes: the JSD is not doubled, and log 2 stands for log 4")
def game_value(p, q, logit):
    return _value(p, q, logit), _jsd(p, q) - math.log(2)


@wrong("game_value", "two mistakes: p and q are exchanged in the value, and the best value lacks the - log 4")
def game_value(p, q, logit):
    return _value(q, p, logit), 2 * _jsd(p, q)


# --- exercise 3


@wrong("adversarial_losses", "the critic's loss has the wrong sign: the value that the critic makes large")
def adversarial_losses(on_data, on_samples):
    critic = F.logsigmoid(on_data) + F.logsigmoid(-on_samples)
    return critic, F.logsigmoid(-on_samples), -F.logsigmoid(on_samples), 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "the minimax loss has a minus sign: -log(1 - D(G(z)))")
def adversarial_losses(on_data, on_samples):
    critic = -F.logsigmoid(on_data) - F.logsigmoid(-on_samples)
    return critic, -F.logsigmoid(-on_samples), -F.logsigmoid(on_samples), 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "the non-saturating loss lacks its minus sign")
def adversarial_losses(on_data, on_samples):
    critic = -F.logsigmoid(on_data) - F.logsigmoid(-on_samples)
    return critic, F.logsigmoid(-on_samples), F.logsigmoid(on_samples), 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "least squares without the half")
def adversarial_losses(on_data, on_samples):
    critic = -F.logsigmoid(on_data) - F.logsigmoid(-on_samples)
    return critic, F.logsigmoid(-on_samples), -F.logsigmoid(on_samples), (on_samples - 1) ** 2


@wrong("adversarial_losses", "least squares of the sigmoid of the output, not of the output")
def adversarial_losses(on_data, on_samples):
    critic = -F.logsigmoid(on_data) - F.logsigmoid(-on_samples)
    return critic, F.logsigmoid(-on_samples), -F.logsigmoid(on_samples), 0.5 * (torch.sigmoid(on_samples) - 1) ** 2


@wrong("adversarial_losses", "the critic's loss is the mean of its two terms, not their sum")
def adversarial_losses(on_data, on_samples):
    critic = 0.5 * (-F.logsigmoid(on_data) - F.logsigmoid(-on_samples))
    return critic, F.logsigmoid(-on_samples), -F.logsigmoid(on_samples), 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "the critic's second term is -log D(G(z)) in place of -log(1 - D(G(z)))")
def adversarial_losses(on_data, on_samples):
    critic = -F.logsigmoid(on_data) - F.logsigmoid(on_samples)
    return critic, F.logsigmoid(-on_samples), -F.logsigmoid(on_samples), 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "log(sigmoid + 1e-12), which stops at about -27.6 for large outputs")
def adversarial_losses(on_data, on_samples):
    eps = 1e-12
    real, fake = torch.sigmoid(on_data), torch.sigmoid(on_samples)
    critic = -torch.log(real + eps) - torch.log(1 - fake + eps)
    return critic, torch.log(1 - fake + eps), -torch.log(fake + eps), 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "binary_cross_entropy on the sigmoids, which clamps its logarithms at -100")
def adversarial_losses(on_data, on_samples):
    real, fake = torch.sigmoid(on_data), torch.sigmoid(on_samples)
    ones, zeros = torch.ones_like(real), torch.zeros_like(fake)
    as_datum = F.binary_cross_entropy(fake, ones, reduction="none")
    as_sample = F.binary_cross_entropy(fake, zeros, reduction="none")
    critic = F.binary_cross_entropy(real, ones, reduction="none") + as_sample
    return critic, -as_sample, as_datum, 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "the non-saturating loss is computed on the data's outputs, not the samples'")
def adversarial_losses(on_data, on_samples):
    critic = F.softplus(-on_data) + F.softplus(on_samples)
    return critic, -F.softplus(on_samples), F.softplus(-on_data), 0.5 * (on_samples - 1) ** 2


@wrong("adversarial_losses", "two mistakes: softplus as log(1 + exp) of an output that is clamped to [-50, 50], and least squares with target 0")
def adversarial_losses(on_data, on_samples):
    def softplus(t):
        return torch.log1p(torch.exp(t.clamp(-50, 50)))

    return softplus(-on_data) + softplus(on_samples), -softplus(on_samples), softplus(-on_samples), 0.5 * on_samples**2


@wrong("adversarial_losses", "two mistakes: the minimax and the non-saturating loss change places, and least squares lacks the half")
def adversarial_losses(on_data, on_samples):
    critic = F.softplus(-on_data) + F.softplus(on_samples)
    return critic, F.softplus(-on_samples), -F.softplus(on_samples), (on_samples - 1) ** 2


# --- exercise 4


def _moves(theta, psi, step_size, weight):
    "One gradient step of the generator, and one of the critic, as they should be."
    new_psi = psi - step_size * (torch.sigmoid(psi * theta) * theta + weight * psi)
    return theta + step_size * torch.sigmoid(psi * theta) * psi, new_psi


def _growth(theta, psi, new):
    return new.norm(dim=1) / torch.sqrt(theta**2 + psi**2)


@wrong("dirac_step", "the generator descends on + softplus: it moves the wrong way")
def dirac_step(theta, psi, step_size, weight):
    _, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([theta - step_size * torch.sigmoid(psi * theta) * psi, new_psi], dim=1)
    in_turn = torch.stack([theta - step_size * torch.sigmoid(new_psi * theta) * new_psi, new_psi], dim=1)
    return at_once, in_turn, _growth(theta, psi, at_once)


@wrong("dirac_step", "the gradient of the penalty is γψ/2")
def dirac_step(theta, psi, step_size, weight):
    s = torch.sigmoid(psi * theta)
    new_psi = psi - step_size * (s * theta + weight / 2 * psi)
    at_once = torch.stack([theta + step_size * s * psi, new_psi], dim=1)
    in_turn = torch.stack([theta + step_size * torch.sigmoid(new_psi * theta) * new_psi, new_psi], dim=1)
    return at_once, in_turn, _growth(theta, psi, at_once)


@wrong("dirac_step", "the step in turn has the new ψ as a factor only: the sigmoid is still that of the old ψ")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    in_turn = torch.stack([theta + step_size * torch.sigmoid(psi * theta) * new_psi, new_psi], dim=1)
    return at_once, in_turn, _growth(theta, psi, at_once)


@wrong("dirac_step", "in turn the generator moves first, and the critic's gradient is taken at the new θ")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    in_turn = torch.stack([new_theta, _moves(new_theta, psi, step_size, weight)[1]], dim=1)
    return at_once, in_turn, _growth(theta, psi, at_once)


@wrong("dirac_step", "the growth is that of the squared radius: the root is forgotten")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    in_turn = torch.stack([_moves(theta, new_psi, step_size, weight)[0], new_psi], dim=1)
    return at_once, in_turn, (new_theta**2 + new_psi**2) / (theta**2 + psi**2)


@wrong("dirac_step", "the growth is that of the step in turn")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    in_turn = torch.stack([_moves(theta, new_psi, step_size, weight)[0], new_psi], dim=1)
    return at_once, in_turn, _growth(theta, psi, in_turn)


@wrong("dirac_step", "ψ is put in the first column and θ in the second")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([new_psi, new_theta], dim=1)
    in_turn = torch.stack([new_psi, _moves(theta, new_psi, step_size, weight)[0]], dim=1)
    return at_once, in_turn, _growth(theta, psi, at_once)


@wrong("dirac_step", "the growth is the formula for the neighbourhood of (0, 0), sqrt(1 + h²/4), at all points")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    in_turn = torch.stack([_moves(theta, new_psi, step_size, weight)[0], new_psi], dim=1)
    return at_once, in_turn, torch.full_like(theta, math.sqrt(1 + step_size**2 / 4))


@wrong("dirac_step", "the sigmoid as exp(t) / (1 + exp(t)), whose nan for t > 709 is replaced by 0")
def dirac_step(theta, psi, step_size, weight):
    def sigmoid(t):
        return torch.nan_to_num(torch.exp(t) / (1 + torch.exp(t)), nan=0.0)

    s = sigmoid(psi * theta)
    new_psi = psi - step_size * (s * theta + weight * psi)
    at_once = torch.stack([theta + step_size * s * psi, new_psi], dim=1)
    in_turn = torch.stack([theta + step_size * sigmoid(new_psi * theta) * new_psi, new_psi], dim=1)
    return at_once, in_turn, _growth(theta, psi, at_once)


@wrong("dirac_step", "the generator's loss is the non-saturating one, softplus(-ψθ)")
def dirac_step(theta, psi, step_size, weight):
    _, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([theta + step_size * torch.sigmoid(-psi * theta) * psi, new_psi], dim=1)
    in_turn = torch.stack([theta + step_size * torch.sigmoid(-new_psi * theta) * new_psi, new_psi], dim=1)
    return at_once, in_turn, _growth(theta, psi, at_once)


@wrong("dirac_step", "two mistakes: the penalty's gradient is that of γψ², 2γψ, and the growth is old radius by new radius")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, 2 * weight)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    in_turn = torch.stack([theta + step_size * torch.sigmoid(new_psi * theta) * new_psi, new_psi], dim=1)
    return at_once, in_turn, 1 / _growth(theta, psi, at_once)


@wrong("dirac_step", "two mistakes: the step in turn leaves the penalty out, and the growth is the difference of the radii")
def dirac_step(theta, psi, step_size, weight):
    new_theta, new_psi = _moves(theta, psi, step_size, weight)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    free_psi = _moves(theta, psi, step_size, 0.0)[1]
    in_turn = torch.stack([_moves(theta, free_psi, step_size, 0.0)[0], free_psi], dim=1)
    return at_once, in_turn, at_once.norm(dim=1) - torch.sqrt(theta**2 + psi**2)


# --- exercise 5


def _slope(x, W, b, w):
    return ((1 - torch.tanh(x @ W.T + b) ** 2) * w) @ W


def _mix(x, samples, u):
    return u[:, None] * x + (1 - u[:, None]) * samples


@wrong("slope_penalties", "R1 without the half")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(x, W, b, w), _slope(_mix(x, samples, u), W, b, w)
    return (g**2).sum(dim=1), (h.norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "R1 takes the norm, not the squared norm")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(x, W, b, w), _slope(_mix(x, samples, u), W, b, w)
    return 0.5 * g.norm(dim=1), (h.norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "WGAN-GP is one-sided: slopes below 1 cost nothing")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(x, W, b, w), _slope(_mix(x, samples, u), W, b, w)
    return 0.5 * (g**2).sum(dim=1), (h.norm(dim=1) - 1).clamp(min=0) ** 2


@wrong("slope_penalties", "WGAN-GP compares the squared norm with 1: the root is forgotten")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(x, W, b, w), _slope(_mix(x, samples, u), W, b, w)
    return 0.5 * (g**2).sum(dim=1), ((h**2).sum(dim=1) - 1) ** 2


@wrong("slope_penalties", "u belongs to the sample: u G + (1 - u) x")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(x, W, b, w), _slope(_mix(samples, x, u), W, b, w)
    return 0.5 * (g**2).sum(dim=1), (h.norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "WGAN-GP interpolates the gradients at datum and sample, not the points")
def slope_penalties(x, samples, u, W, b, w):
    g, k = _slope(x, W, b, w), _slope(samples, W, b, w)
    return 0.5 * (g**2).sum(dim=1), (_mix(g, k, u).norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "R1 is computed at the sample, not at the datum")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(samples, W, b, w), _slope(_mix(x, samples, u), W, b, w)
    return 0.5 * (g**2).sum(dim=1), (h.norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "the derivative of tanh is taken as 1 - tanh, without the square")
def slope_penalties(x, samples, u, W, b, w):
    def slope(x):
        return ((1 - torch.tanh(x @ W.T + b)) * w) @ W

    g, h = slope(x), slope(_mix(x, samples, u))
    return 0.5 * (g**2).sum(dim=1), (h.norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "the gradients are those of the critic's mean over the batch: each is divided by B")
def slope_penalties(x, samples, u, W, b, w):
    def slope(x):
        x = x.clone().requires_grad_()
        return torch.autograd.grad((torch.tanh(x @ W.T + b) @ w).mean(), x)[0]

    g, h = slope(x), slope(_mix(x, samples, u))
    return 0.5 * (g**2).sum(dim=1), (h.norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "where the gradient is 0 the WGAN-GP penalty is set to 0, although it is 1")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(x, W, b, w), _slope(_mix(x, samples, u), W, b, w)
    norm = h.norm(dim=1)
    return 0.5 * (g**2).sum(dim=1), torch.where(norm > 0, (norm - 1) ** 2, torch.zeros_like(norm))


@wrong("slope_penalties", "two mistakes: the chain rule stops at the hidden units' inputs, without W, and R1 lacks the half")
def slope_penalties(x, samples, u, W, b, w):
    def slope(x):
        return (1 - torch.tanh(x @ W.T + b) ** 2) * w

    g, h = slope(x), slope(_mix(x, samples, u))
    return (g**2).sum(dim=1), (h.norm(dim=1) - 1) ** 2


@wrong("slope_penalties", "two mistakes: all pairs have the first pair's u, and the WGAN-GP norm is the sum of absolute values")
def slope_penalties(x, samples, u, W, b, w):
    g, h = _slope(x, W, b, w), _slope(u[0] * x + (1 - u[0]) * samples, W, b, w)
    return 0.5 * (g**2).sum(dim=1), (h.abs().sum(dim=1) - 1) ** 2


# --- exercise 6


def _cov(x, minus=1):
    centred = x - x.mean(dim=0)
    return centred.T @ centred / (len(x) - minus)


def _root(a):
    values, vectors = torch.linalg.eigh(a)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def _cross(a, b):
    return torch.linalg.eigvalsh(_root(a) @ b @ _root(a)).clamp(min=0).sqrt().sum()


@wrong("frechet_of_features", "the root of the product of the covariances is taken entry by entry, negative entries as 0")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    cross = torch.trace((a @ b).clamp(min=0).sqrt())
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - 2 * cross


@wrong("frechet_of_features", "the covariances are divided by the number of rows, not by one less")
def frechet_of_features(x, y):
    a, b = _cov(x, 0), _cov(y, 0)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - 2 * _cross(a, b)


@wrong("frechet_of_features", "the distance of the means is not squared")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    return (x.mean(dim=0) - y.mean(dim=0)).norm() + torch.trace(a + b) - 2 * _cross(a, b)


@wrong("frechet_of_features", "the factor 2 before the root is missing")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - _cross(a, b)


@wrong("frechet_of_features", "the trace of the product of both roots, tr(Σ^½ Σ'^½), which is right only if the covariances commute")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - 2 * torch.trace(_root(a) @ _root(b))


@wrong("frechet_of_features", "the distance d is returned, not its square")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    return (((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - 2 * _cross(a, b)).clamp(min=0).sqrt()


@wrong("frechet_of_features", "the features are not centred in the covariances")
def frechet_of_features(x, y):
    a, b = x.T @ x / (len(x) - 1), y.T @ y / (len(y) - 1)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - 2 * _cross(a, b)


@wrong("frechet_of_features", "1e-6 is added to the diagonals within the root (as against singular covariances), which adds about 1e-3 for a missing direction")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    small = 1e-6 * torch.eye(len(a), dtype=a.dtype)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - 2 * _cross(a + small, b + small)


@wrong("frechet_of_features", "only the variances of the features are used: the covariances' other entries are left out")
def frechet_of_features(x, y):
    a, b = x.var(dim=0), y.var(dim=0)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + ((a.sqrt() - b.sqrt()) ** 2).sum()


@wrong("frechet_of_features", "eigvalsh of the product ΣΣ', which is not symmetric: only its lower triangle is looked at")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    cross = torch.linalg.eigvalsh(a @ b).clamp(min=0).sqrt().sum()
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b) - 2 * cross


@wrong("frechet_of_features", "two mistakes: the root of the trace of ΣΣ' in place of the trace of the root, and the mean over features of the squared differences of the means")
def frechet_of_features(x, y):
    a, b = _cov(x), _cov(y)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).mean() + torch.trace(a + b) - 2 * torch.trace(a @ b).sqrt()


@wrong("frechet_of_features", "two mistakes: covariances divided by the number of rows, and the outer root forgotten: the trace of Σ^½ Σ' Σ^½")
def frechet_of_features(x, y):
    a, b = _cov(x, 0), _cov(y, 0)
    return ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum() + torch.trace(a + b - 2 * _root(a) @ b @ _root(a))


# --- exercise 7


def _far(x, y):
    return ((x[:, None] - y[None]) ** 2).sum(dim=2).sqrt()


def _radius(x, k):
    return _far(x, x).sort(dim=1).values[:, k]


def _four(precise, recalled):
    return precise, recalled, precise.double().mean(), recalled.double().mean()


@wrong("precision_recall", "a point counts as its own first neighbour: the radius reaches to the (k - 1)-th other point")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    return _four((d <= _radius(x, k - 1)).any(dim=1), (d.T <= _radius(samples, k - 1)).any(dim=1))


@wrong("precision_recall", "the radius reaches one neighbour too far, to the (k + 1)-th (or the farthest, if there are no more)")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    i, j = min(k + 1, len(x) - 1), min(k + 1, len(samples) - 1)
    return _four((d <= _radius(x, i)).any(dim=1), (d.T <= _radius(samples, j)).any(dim=1))


@wrong("precision_recall", "the surface of a ball is outside: < in place of <=")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    return _four((d < _radius(x, k)).any(dim=1), (d.T < _radius(samples, k)).any(dim=1))


@wrong("precision_recall", "the two shares are returned in the wrong order: recall, then precision")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    precise, recalled = (d <= _radius(x, k)).any(dim=1), (d.T <= _radius(samples, k)).any(dim=1)
    return precise, recalled, recalled.double().mean(), precise.double().mean()


@wrong("precision_recall", "the balls are about the points that are asked about: a sample is precise if a datum lies in the sample's own ball, and a datum recalled if a sample lies in the datum's")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    return _four((d <= _radius(samples, k)[:, None]).any(dim=1), (d.T <= _radius(x, k)[:, None]).any(dim=1))


@wrong("precision_recall", "recall is coverage: a datum is recalled if its own ball, reaching to its k-th nearest datum, holds a sample")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    return _four((d <= _radius(x, k)).any(dim=1), (d <= _radius(x, k)).any(dim=0))


@wrong("precision_recall", "all balls of a set have the same radius, the mean one")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    return _four((d <= _radius(x, k).mean()).any(dim=1), (d.T <= _radius(samples, k).mean()).any(dim=1))


@wrong("precision_recall", "only the ball of the nearest point of the other set is looked at")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    near_x, near_s = d.min(dim=1), d.min(dim=0)
    return _four(near_x.values <= _radius(x, k)[near_x.indices], near_s.values <= _radius(samples, k)[near_s.indices])


@wrong("precision_recall", "neighbours at distance 0 are left out as if they were the point itself, so that repeated points do not count as neighbours")
def precision_recall(x, samples, k):
    def radius(points):
        d = _far(points, points)
        d = torch.where(d == 0, torch.full_like(d, math.inf), d)
        return d.sort(dim=1).values[:, k - 1]

    d = _far(samples, x)
    return _four((d <= radius(x)).any(dim=1), (d.T <= radius(samples)).any(dim=1))


@wrong("precision_recall", "precision is the number of precise samples divided by the number of data, and recall the number of recalled data divided by that of samples")
def precision_recall(x, samples, k):
    d = _far(samples, x)
    precise, recalled = (d <= _radius(x, k)).any(dim=1), (d.T <= _radius(samples, k)).any(dim=1)
    return precise, recalled, precise.sum() / len(x), recalled.sum() / len(samples)


@wrong("precision_recall", "two mistakes: a point counts as its own first neighbour, and distances are sums of absolute differences")
def precision_recall(x, samples, k):
    def far(a, b):
        return (a[:, None] - b[None]).abs().sum(dim=2)

    def radius(a):
        return far(a, a).sort(dim=1).values[:, k - 1]

    d = far(samples, x)
    return _four((d <= radius(x)).any(dim=1), (d.T <= radius(samples)).any(dim=1))


@wrong("precision_recall", "two mistakes: the radius is the mean distance to the k nearest others, and the surface is outside")
def precision_recall(x, samples, k):
    def radius(a):
        return _far(a, a).sort(dim=1).values[:, 1 : k + 1].mean(dim=1)

    d = _far(samples, x)
    return _four((d < radius(x)).any(dim=1), (d.T < radius(samples)).any(dim=1))
