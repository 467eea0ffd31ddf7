"""Wrong answers that students might hand in for assignment 12."""
# ruff: noqa
import math
import re

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


def _stroke5(strokes, lengths, num_steps):
    inside = torch.arange(num_steps) < lengths[:, None]
    rows = torch.zeros(len(strokes), num_steps, 3, dtype=strokes.dtype)
    rows[:, : strokes.shape[1]] = strokes
    rows = torch.where(inside[..., None], rows, torch.zeros_like(rows))
    x = torch.zeros(len(strokes), num_steps, 5, dtype=strokes.dtype)
    x[..., :2] = rows[..., :2]
    x[..., 2] = (1 - rows[..., 2]) * inside
    x[..., 3] = rows[..., 2]
    x[..., 4] = 1.0 * ~inside
    return x, (torch.arange(num_steps) <= lengths[:, None]).double()


@wrong("pad_sketches", "p₁ and p₂ are exchanged: p = 1 is taken for the pen on paper")
def pad_sketches(strokes, lengths, num_steps):
    x, counted = _stroke5(strokes, lengths, num_steps)
    return x[..., [0, 1, 3, 2, 4]], counted


@wrong("pad_sketches", "the first row with p₃ = 1 does not count: only the n steps do")
def pad_sketches(strokes, lengths, num_steps):
    x, _ = _stroke5(strokes, lengths, num_steps)
    return x, 1 - x[..., 4]


@wrong("pad_sketches", "all rows count, padding as well")
def pad_sketches(strokes, lengths, num_steps):
    x, counted = _stroke5(strokes, lengths, num_steps)
    return x, torch.ones_like(counted)


@wrong("pad_sketches", "Δx and Δy after the last step keep what is left over in the input")
def pad_sketches(strokes, lengths, num_steps):
    x, counted = _stroke5(strokes, lengths, num_steps)
    x[:, : strokes.shape[1], :2] = strokes[..., :2]
    return x, counted


@wrong("pad_sketches", "lengths is ignored: every sketch is taken to have N steps, those left over included")
def pad_sketches(strokes, lengths, num_steps):
    return _stroke5(strokes, torch.full_like(lengths, strokes.shape[1]), num_steps)


@wrong("pad_sketches", "p₃ is 1 in row n only, and the rows after it are all zeros")
def pad_sketches(strokes, lengths, num_steps):
    x, counted = _stroke5(strokes, lengths, num_steps)
    return x * counted[..., None], counted


@wrong("pad_sketches", "the end is one row early: the last step n - 1 is replaced by (0, 0, 0, 0, 1), and that is the last row that counts")
def pad_sketches(strokes, lengths, num_steps):
    return _stroke5(strokes, lengths - 1, num_steps)


@wrong("pad_sketches", "counted goes one row too far, to row n + 1")
def pad_sketches(strokes, lengths, num_steps):
    x, _ = _stroke5(strokes, lengths, num_steps)
    return x, (torch.arange(num_steps) <= lengths[:, None] + 1).double()


@wrong("pad_sketches", "rows from n on have p₁ = 1 as well as p₃ = 1: 1 - p is not masked")
def pad_sketches(strokes, lengths, num_steps):
    x, counted = _stroke5(strokes, lengths, num_steps)
    x[..., 2] = 1 - x[..., 3]
    return x, counted


@wrong("pad_sketches", "a start row (0, 0, 1, 0, 0) is put first, which moves all other rows down by one")
def pad_sketches(strokes, lengths, num_steps):
    x, counted = _stroke5(strokes, lengths, num_steps)
    start = torch.tensor([0, 0, 1, 0, 0], dtype=x.dtype).expand(len(x), 1, 5)
    return torch.cat([start, x[:, :-1]], dim=1), torch.cat([counted[:, :1], counted[:, :-1]], dim=1)


@wrong("pad_sketches", "two mistakes: p₁ and p₂ are exchanged, and the end does not count")
def pad_sketches(strokes, lengths, num_steps):
    x, _ = _stroke5(strokes, lengths, num_steps)
    return x[..., [0, 1, 3, 2, 4]], 1 - x[..., 4]


@wrong("pad_sketches", "two mistakes: the last step has p₃ = 1 in place of its pen state, and counted is 1 for padding and 0 for the rows that count")
def pad_sketches(strokes, lengths, num_steps):
    x, counted = _stroke5(strokes, lengths, num_steps)
    last = torch.arange(num_steps) == lengths[:, None] - 1
    x[last] = torch.cat([x[last][:, :2], torch.tensor([[0.0, 0, 1]], dtype=x.dtype).expand(len(x), 3)], dim=1)
    return x, 1 - counted


# --- exercise 2


def _log_cosh(a):
    return a.abs() + torch.log1p(torch.exp(-2 * a.abs())) - math.log(2)


def _u(x, loc, log_scale):
    return ((x - loc) * torch.exp(-log_scale)).unbind(dim=1)


@wrong("bivariate_log_density", "the correlation is clamped to ±(1 - 1e-6)")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    rho = torch.tanh(a).clamp(-1 + 1e-6, 1 - 1e-6)
    square = (u1**2 + u2**2 - 2 * rho * u1 * u2) / (1 - rho**2)
    return -square / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) - 0.5 * torch.log(1 - rho**2)


@wrong("bivariate_log_density", "1e-8 is added to 1 - ρ² against the division by 0")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    rho = torch.tanh(a)
    rest = 1 - rho**2 + 1e-8
    return -(u1**2 + u2**2 - 2 * rho * u1 * u2) / (2 * rest) - math.log(2 * math.pi) - log_scale.sum(dim=1) - 0.5 * rest.log()


@wrong("bivariate_log_density", "log cosh a is subtracted, not added")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    square = u1**2 + ((u2 - torch.tanh(a) * u1) * torch.cosh(a)) ** 2
    return -square / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) - _log_cosh(a)


@wrong("bivariate_log_density", "the half before log(1 - ρ²) is missing: 2 log cosh a")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    square = u1**2 + ((u2 - torch.tanh(a) * u1) * torch.cosh(a)) ** 2
    return -square / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) + 2 * _log_cosh(a)


@wrong("bivariate_log_density", "log_scale is read as the logarithm of the variance in u and in the normaliser: σ = exp(log_scale / 2)")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale / 2)
    square = u1**2 + ((u2 - torch.tanh(a) * u1) * torch.cosh(a)) ** 2
    return -square / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) / 2 + _log_cosh(a)


@wrong("bivariate_log_density", "the constant is ½ log 2π, that of one dimension")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    square = u1**2 + ((u2 - torch.tanh(a) * u1) * torch.cosh(a)) ** 2
    return -square / 2 - 0.5 * math.log(2 * math.pi) - log_scale.sum(dim=1) + _log_cosh(a)


@wrong("bivariate_log_density", "the square of u₂ - ρ u₁ is multiplied by cosh a, not by cosh² a")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    square = u1**2 + (u2 - torch.tanh(a) * u1) ** 2 * torch.cosh(a)
    return -square / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) + _log_cosh(a)


@wrong("bivariate_log_density", "the factor 1 - ρ² of u₁² is not cancelled: after the division only the second square has been divided")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    rho = torch.tanh(a)
    square = (1 - rho**2) * u1**2 + ((u2 - rho * u1) * torch.cosh(a)) ** 2
    return -square / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) + _log_cosh(a)


@wrong("bivariate_log_density", "standard deviations are not allowed below 1e-3")
def bivariate_log_density(x, loc, log_scale, a):
    log_scale = log_scale.clamp(min=math.log(1e-3))
    u1, u2 = _u(x, loc, log_scale)
    square = u1**2 + ((u2 - torch.tanh(a) * u1) * torch.cosh(a)) ** 2
    return -square / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) + _log_cosh(a)


@wrong("bivariate_log_density", "the logarithms of the standard deviations are left out of the normaliser")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    square = u1**2 + ((u2 - torch.tanh(a) * u1) * torch.cosh(a)) ** 2
    return -square / 2 - math.log(2 * math.pi) + _log_cosh(a)


@wrong("bivariate_log_density", "two mistakes: the cross term has no factor 2, and 1 - ρ² is clamped at 1e-12")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    rho = torch.tanh(a)
    rest = (1 - rho**2).clamp(min=1e-12)
    return -(u1**2 + u2**2 - rho * u1 * u2) / (2 * rest) - math.log(2 * math.pi) - log_scale.sum(dim=1) - 0.5 * rest.log()


@wrong("bivariate_log_density", "two mistakes: the square has no factor ½, and the variances (not standard deviations) are in the normaliser: 2 log σ each")
def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = _u(x, loc, log_scale)
    square = u1**2 + ((u2 - torch.tanh(a) * u1) * torch.cosh(a)) ** 2
    return -square - math.log(2 * math.pi) - 2 * log_scale.sum(dim=1) + _log_cosh(a)


# --- exercise 3


def _rows(x):
    "Which rows count for the steps, and which for the pen."
    ends = (x[..., 4] > 0.5).long().cumsum(dim=1)
    steps = ends == 0
    pen = torch.cat([torch.ones_like(steps[:, :1]), steps[:, :-1]], dim=1)
    return steps, pen


def _sum(values, rows):
    return torch.where(rows, values, torch.zeros_like(values)).sum(dim=1)


def _mixture(mix_logits, log_normals):
    return torch.logsumexp(F.log_softmax(mix_logits, dim=-1) + log_normals, dim=-1)


def _pens(x, pen_logits):
    states = x[..., 2:].argmax(dim=-1, keepdim=True)
    return F.log_softmax(pen_logits, dim=-1).gather(-1, states)[..., 0]


@wrong("sketch_log_likelihood", "row n, the end, counts for the steps too")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    _, pen = _rows(x)
    return _sum(_mixture(mix_logits, log_normals), pen), _sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "row n, the end, does not count for the pen")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, _ = _rows(x)
    return _sum(_mixture(mix_logits, log_normals), steps), _sum(_pens(x, pen_logits), steps)


@wrong("sketch_log_likelihood", "all T rows count for the pen, padding as well")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, _ = _rows(x)
    return _sum(_mixture(mix_logits, log_normals), steps), _pens(x, pen_logits).sum(dim=1)


@wrong("sketch_log_likelihood", "the mixture's logits are used as log-weights, without softmax")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, pen = _rows(x)
    return _sum(torch.logsumexp(mix_logits + log_normals, dim=-1), steps), _sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "the softmax of the mixture's logits is taken over the rows, not over the components")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, pen = _rows(x)
    mixture = torch.logsumexp(F.log_softmax(mix_logits, dim=1) + log_normals, dim=-1)
    return _sum(mixture, steps), _sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "the weighted mean of the log-densities, Σ π log N, in place of the logarithm of the mixture")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, pen = _rows(x)
    mixture = (F.softmax(mix_logits, dim=-1) * log_normals).sum(dim=-1)
    return _sum(mixture, steps), _sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "only the best component counts: max in place of logsumexp")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, pen = _rows(x)
    mixture = (F.log_softmax(mix_logits, dim=-1) + log_normals).max(dim=-1).values
    return _sum(mixture, steps), _sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "densities by exp, with 1e-10 added inside the logarithm of the mixture")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, pen = _rows(x)
    mixture = torch.log((F.softmax(mix_logits, dim=-1) * log_normals.exp()).sum(dim=-1) + 1e-10)
    return _sum(mixture, steps), _sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "only steps with the pen down (p₁ = 1) count for the steps")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    _, pen = _rows(x)
    return _sum(_mixture(mix_logits, log_normals), x[..., 2] > 0.5), _sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "the pen's logit itself is summed, without the softmax")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, pen = _rows(x)
    return _sum(_mixture(mix_logits, log_normals), steps), _sum((pen_logits * x[..., 2:]).sum(dim=-1), pen)


@wrong("sketch_log_likelihood", "two mistakes: the steps are averaged over the n rows, not summed, and the pen's value is the cross-entropy, with the sign the other way")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    steps, pen = _rows(x)
    return _sum(_mixture(mix_logits, log_normals), steps) / steps.sum(dim=1).clamp(min=1), -_sum(_pens(x, pen_logits), pen)


@wrong("sketch_log_likelihood", "two mistakes: row n counts for the steps, and the pen's probabilities are clamped at 1e-8")
def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    _, pen = _rows(x)
    chances = (F.softmax(pen_logits, dim=-1) * x[..., 2:]).sum(dim=-1).clamp(min=1e-8)
    return _sum(_mixture(mix_logits, log_normals), pen), _sum(chances.log(), pen)


# --- exercise 4


def _covariances(scale, correlation):
    s1, s2 = scale.unbind(dim=1)
    off = correlation * s1 * s2
    return torch.stack([torch.stack([s1**2, off], dim=1), torch.stack([off, s2**2], dim=1)], dim=1)


@wrong("colder_mixture", "the standard deviations are multiplied by τ, so that the covariances are by τ²")
def colder_mixture(logits, scale, correlation, temperature):
    return F.softmax(logits / temperature, dim=0), _covariances(scale * temperature, correlation)


@wrong("colder_mixture", "the covariances are multiplied by √τ, not by τ")
def colder_mixture(logits, scale, correlation, temperature):
    return F.softmax(logits / temperature, dim=0), _covariances(scale, correlation) * math.sqrt(temperature)


@wrong("colder_mixture", "the logits are multiplied by τ, not divided")
def colder_mixture(logits, scale, correlation, temperature):
    return F.softmax(logits * temperature, dim=0), temperature * _covariances(scale, correlation)


@wrong("colder_mixture", "the variances alone are multiplied by τ: the entries beside the diagonal stay")
def colder_mixture(logits, scale, correlation, temperature):
    covariances = _covariances(scale, correlation)
    factor = torch.tensor([[temperature, 1.0], [1.0, temperature]], dtype=scale.dtype)
    return F.softmax(logits / temperature, dim=0), covariances * factor


@wrong("colder_mixture", "the correlation is multiplied by τ as well: τ² beside the diagonal")
def colder_mixture(logits, scale, correlation, temperature):
    return F.softmax(logits / temperature, dim=0), temperature * _covariances(scale, correlation * temperature)


@wrong("colder_mixture", "the weights are the probabilities to the power 1/τ, not normalised again")
def colder_mixture(logits, scale, correlation, temperature):
    return F.softmax(logits, dim=0) ** (1 / temperature), temperature * _covariances(scale, correlation)


@wrong("colder_mixture", "the probabilities are divided by τ and normalised, which changes nothing: the weights are those at τ = 1")
def colder_mixture(logits, scale, correlation, temperature):
    weights = F.softmax(logits, dim=0) / temperature
    return weights / weights.sum(), temperature * _covariances(scale, correlation)


@wrong("colder_mixture", "softmax by hand without taking off the largest logit, and nan (∞/∞) replaced by 0")
def colder_mixture(logits, scale, correlation, temperature):
    weights = torch.exp(logits / temperature)
    return torch.nan_to_num(weights / weights.sum(), nan=0.0), temperature * _covariances(scale, correlation)


@wrong("colder_mixture", "the diagonal holds τσ, the standard deviations not squared")
def colder_mixture(logits, scale, correlation, temperature):
    covariances = _covariances(scale, correlation)
    covariances[:, 0, 0], covariances[:, 1, 1] = scale[:, 0], scale[:, 1]
    return F.softmax(logits / temperature, dim=0), temperature * covariances


@wrong("colder_mixture", "beside the diagonal there is τρ, without σ₁σ₂")
def colder_mixture(logits, scale, correlation, temperature):
    covariances = _covariances(scale, correlation)
    covariances[:, 0, 1] = covariances[:, 1, 0] = correlation
    return F.softmax(logits / temperature, dim=0), temperature * covariances


@wrong("colder_mixture", "two mistakes: the logits are not divided by τ, and the covariances are divided by it")
def colder_mixture(logits, scale, correlation, temperature):
    return F.softmax(logits, dim=0), _covariances(scale, correlation) / temperature


@wrong("colder_mixture", "two mistakes: the logits are divided by √τ, and the entries beside the diagonal are 0")
def colder_mixture(logits, scale, correlation, temperature):
    return F.softmax(logits / math.sqrt(temperature), dim=0), temperature * _covariances(scale, 0 * correlation)


# --- exercise 5


def _beta(step, cycle):
    return min(1.0, 2 * (step % cycle) / cycle)


def _loss(log_likelihood, kl, beta, free_nats):
    return -log_likelihood.mean() + beta * kl.mean(dim=0).clamp(min=free_nats).sum()


def _nats(log_likelihood, kl, lengths):
    return -(log_likelihood - kl.sum(dim=1)).sum() / lengths.sum()


@wrong("train_and_report", "β rises during the whole cycle, not during the first half")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = (step % cycle) / cycle
    return beta, _loss(log_likelihood, kl, beta, free_nats), _nats(log_likelihood, kl, lengths)


@wrong("train_and_report", "β stays at 1 after the first rise: no cycles")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = min(1.0, 2 * step / cycle)
    return beta, _loss(log_likelihood, kl, beta, free_nats), _nats(log_likelihood, kl, lengths)


@wrong("train_and_report", "half a cycle is rounded down to whole steps, so that for odd C β rises too fast")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = min(1.0, (step % cycle) / max(cycle // 2, 1))
    return beta, _loss(log_likelihood, kl, beta, free_nats), _nats(log_likelihood, kl, lengths)


@wrong("train_and_report", "λ is compared with the KL of each sequence and latent, before the mean over the batch")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    loss = -log_likelihood.mean() + beta * kl.clamp(min=free_nats).mean(dim=0).sum()
    return beta, loss, _nats(log_likelihood, kl, lengths)


@wrong("train_and_report", "λ is compared with the KL summed over latents (and averaged over the batch)")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    loss = -log_likelihood.mean() + beta * kl.sum(dim=1).mean().clamp(min=free_nats)
    return beta, loss, _nats(log_likelihood, kl, lengths)


@wrong("train_and_report", "β multiplies the KL inside the maximum: max(λ, β KL)")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    loss = -log_likelihood.mean() + (beta * kl.mean(dim=0)).clamp(min=free_nats).sum()
    return beta, loss, _nats(log_likelihood, kl, lengths)


@wrong("train_and_report", "the free nats are taken off: max(0, KL - λ)")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    loss = -log_likelihood.mean() + beta * (kl.mean(dim=0) - free_nats).clamp(min=0).sum()
    return beta, loss, _nats(log_likelihood, kl, lengths)


@wrong("train_and_report", "the report is the mean of each sequence's nats per point")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    nats = (-(log_likelihood - kl.sum(dim=1)) / lengths).mean()
    return beta, _loss(log_likelihood, kl, beta, free_nats), nats


@wrong("train_and_report", "the report has the KL times β")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    return beta, _loss(log_likelihood, kl, beta, free_nats), _nats(log_likelihood, beta * kl, lengths)


@wrong("train_and_report", "the report leaves the KL out")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    return beta, _loss(log_likelihood, kl, beta, free_nats), -log_likelihood.sum() / lengths.sum()


@wrong("train_and_report", "two mistakes: the steps are numbered from 1 for β, and the report has free nats in its KL, latent by latent")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step + 1, cycle)
    nats = (-log_likelihood.sum() + len(kl) * kl.mean(dim=0).clamp(min=free_nats).sum()) / lengths.sum()
    return beta, _loss(log_likelihood, kl, beta, free_nats), nats


@wrong("train_and_report", "two mistakes: minimum in place of maximum in the free bits, and the report adds the KL to the log-likelihood")
def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = _beta(step, cycle)
    loss = -log_likelihood.mean() + beta * kl.mean(dim=0).clamp(max=free_nats).sum()
    return beta, loss, -(log_likelihood + kl.sum(dim=1)).sum() / lengths.sum()


# --- exercise 7


def _number(codes, pattern, first=1):
    text = "".join(chr(c) for c in codes.tolist())
    numbers = []
    for number, match in enumerate(re.finditer(pattern, text, re.DOTALL), first):
        numbers += [number] * len(match[0])
    return torch.tensor(numbers, dtype=torch.int64)


@wrong("number_tokens", "the tokens are numbered from 0")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|\[[^\]]*\]|%\d\d|.", 0)


@wrong("number_tokens", "any capital letter and the small letter after it are one token, such as Cc and Cn")
def number_tokens(codes):
    return _number(codes, r"\[[^\]]*\]|%\d\d|[A-Z][a-z]|.")


@wrong("number_tokens", "Br is two tokens: only Cl is known")
def number_tokens(codes):
    return _number(codes, r"Cl|\[[^\]]*\]|%\d\d|.")


@wrong("number_tokens", "% takes all digits that follow, not two")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|\[[^\]]*\]|%\d+|.")


@wrong("number_tokens", "% takes only one digit")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|\[[^\]]*\]|%\d|.")


@wrong("number_tokens", "a bracket reaches to the last ] of the string, not to the next")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|\[.*\]|%\d\d|.")


@wrong("number_tokens", "the closing bracket is a token of its own")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|\[[^\]]*|%\d\d|.")


@wrong("number_tokens", "a run of digits without % is one token, such as 12 in C12")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|\[[^\]]*\]|%\d\d|\d+|.")


@wrong("number_tokens", "small letters are not told from capitals: cl, CL, br and bR are one token as well")
def number_tokens(codes):
    return _number(codes, r"[Cc][Ll]|[Bb][Rr]|\[[^\]]*\]|%\d\d|.")


@wrong("number_tokens", "the numbers are those of a vocabulary: equal tokens get the same number, that of their first appearance")
def number_tokens(codes):
    text = "".join(chr(c) for c in codes.tolist())
    numbers, vocabulary = [], {}
    for token in re.findall(r"Cl|Br|\[[^\]]*\]|%\d\d|.", text, re.DOTALL):
        numbers += [vocabulary.setdefault(token, len(vocabulary) + 1)] * len(token)
    return torch.tensor(numbers, dtype=torch.int64)


@wrong("number_tokens", "two mistakes: other elements of two letters (Si, Se, Na, Li, Al, Sn, Sc, Co, Cu) are one token without brackets too, and % is a token of its own")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|Si|Se|Na|Li|Al|Sn|Sc|Co|Cu|\[[^\]]*\]|.")


@wrong("number_tokens", "two mistakes: all characters between brackets are cut like those outside, and digits after % are tokens of their own")
def number_tokens(codes):
    return _number(codes, r"Cl|Br|.")


# --- exercise 8


def _qualities(identities, one):
    return tuple(torch.tensor([float(value) for value in values], dtype=torch.float64) for values in zip(*[one(row) for row in identities.tolist()]))


@wrong("sample_quality", "uniqueness is divided by all N strings, not by the valid ones")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        found = set(row) - {-1}
        valid = sum(i >= 0 for i in row)
        return valid / len(row), len(found) / len(row), len(found - known) / max(len(found), 1)

    return _qualities(identities, one)


@wrong("sample_quality", "novelty counts strings, repeated ones again: the share of valid strings whose molecule is not known")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        valid = [i for i in row if i >= 0]
        return len(valid) / len(row), len(set(valid)) / max(len(valid), 1), sum(i not in known for i in valid) / max(len(valid), 1)

    return _qualities(identities, one)


@wrong("sample_quality", "novelty is divided by the number of valid strings")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        valid = [i for i in row if i >= 0]
        return len(valid) / len(row), len(set(valid)) / max(len(valid), 1), len(set(valid) - known) / max(len(valid), 1)

    return _qualities(identities, one)


@wrong("sample_quality", "-1 is counted as one of the different molecules, and as one that is not known")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        valid = sum(i >= 0 for i in row)
        found = set(row)
        if not valid:
            return 0, 0, 0
        return valid / len(row), len(found) / valid, len(found - known) / len(found)

    return _qualities(identities, one)


@wrong("sample_quality", "novelty is one minus the share of the training set's different molecules that were found")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        valid = [i for i in row if i >= 0]
        found = set(valid)
        return len(valid) / len(row), len(found) / max(len(valid), 1), (1 - len(found & known) / max(len(known), 1)) if found else 0

    return _qualities(identities, one)


@wrong("sample_quality", "where a temperature has no valid string, uniqueness and novelty are 1")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        valid = [i for i in row if i >= 0]
        found = set(valid)
        if not valid:
            return 0, 1, 1
        return len(valid) / len(row), len(found) / len(valid), len(found - known) / len(found)

    return _qualities(identities, one)


@wrong("sample_quality", "molecule 0 is taken for an invalid string: valid means > 0")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        valid = [i for i in row if i > 0]
        found = set(valid)
        return len(valid) / len(row), len(found) / max(len(valid), 1), len(found - known) / max(len(found), 1)

    return _qualities(identities, one)


@wrong("sample_quality", "the different molecules are counted by unique_consecutive without sorting: only neighbours that are equal are merged, in uniqueness and in novelty")
def sample_quality(identities, known):
    results = []
    for row in identities:
        valid = row[row >= 0]
        found = torch.unique_consecutive(valid)
        fresh = ~torch.isin(found, known)
        results.append([len(valid) / len(row), len(found) / max(len(valid), 1), float(fresh.sum()) / max(len(found), 1)])
    return tuple(torch.tensor(results, dtype=torch.float64).T)


@wrong("sample_quality", "a molecule counts as unique only if it was drawn exactly once (uniqueness; novelty is as it should be)")
def sample_quality(identities, known):
    known = set(known.tolist())

    def one(row):
        valid = [i for i in row if i >= 0]
        found = set(valid)
        once = [i for i in found if valid.count(i) == 1]
        return len(valid) / len(row), len(once) / max(len(valid), 1), len(found - known) / max(len(found), 1)

    return _qualities(identities, one)


@wrong("sample_quality", "known molecules are counted as often as the training set repeats them, and taken off the number of different ones")
def sample_quality(identities, known):
    def one(row):
        valid = [i for i in row if i >= 0]
        found = set(valid)
        old = sum(i in found for i in known.tolist())
        return len(valid) / len(row), len(found) / max(len(valid), 1), (len(found) - old) / max(len(found), 1)

    return _qualities(identities, one)


@wrong("sample_quality", "two mistakes: numbers are turned into float32, in which large ones become equal, and novelty is the share of known molecules")
def sample_quality(identities, known):
    known = set(known.float().tolist())

    def one(row):
        valid = [i for i in row if i >= 0]
        found = set(valid)
        return len(valid) / len(row), len(found) / max(len(valid), 1), len(found & known) / max(len(found), 1)

    return _qualities(identities.float(), one)


@wrong("sample_quality", "two mistakes: validity counts different molecules, by N, and a molecule that a row above had already is not counted as different again")
def sample_quality(identities, known):
    known, before = set(known.tolist()), set()

    def one(row):
        valid = [i for i in row if i >= 0]
        distinct = set(valid)
        found = distinct - before
        before.update(found)
        return len(distinct) / len(row), len(found) / max(len(valid), 1), len(found - known) / max(len(found), 1)

    return _qualities(identities, one)


# --- exercise 9


def spare(tokens, bonds):
    "Takes bonds, a list of (atom, atom, order), off the valences of the atoms at these places; returns a list."
    left = [max(4 - token, 0) for token in tokens.tolist()]
    for first, second, order in bonds:
        left[first] -= order
        left[second] -= order
    return left


def _bonds(tokens, ring_order=max, branch="stack", triple=3, reset=True, after_ring=True, free=True, rings=True, one_ring=False):
    bonds, stack, opened = [], [], {}
    atom, order = None, 1
    for place, token in enumerate(tokens.tolist()):
        if token < 4:
            if atom is not None:
                bonds.append((atom, place, order))
            atom = place
            if reset:
                order = 1
        elif token == 4:
            order = 2
        elif token == 5:
            order = triple
        elif token == 6:
            if branch == "one":
                stack = [atom]
            else:
                stack.append(atom)
        elif token == 7:
            if branch == "one":
                atom = stack[0]
            elif branch == "stack":
                atom = stack.pop()
        else:
            digit = 8 if one_ring else token
            if digit in opened:
                if rings:
                    bonds.append((opened[digit][0], atom, ring_order(opened[digit][1], order)))
                if free:
                    del opened[digit]
            else:
                opened[digit] = (atom, order)
            if after_ring:
                order = 1
    return bonds


@wrong("hydrogens_left", "rings are not closed: digits are skipped, with the order before them")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, rings=False)))


@wrong("hydrogens_left", "brackets are ignored: every atom is bound to the atom before it in the string")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, branch="ignored")))


@wrong("hydrogens_left", "the order is not put back to 1 after an atom: a double bond makes the next bonds double too, up to the next ring digit or bond sign")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, reset=False)))


@wrong("hydrogens_left", "the order of a ring's bond is read before the closing digit only")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, ring_order=lambda first, second: second)))


@wrong("hydrogens_left", "the order of a ring's bond is read before the opening digit only")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, ring_order=lambda first, second: first)))


@wrong("hydrogens_left", "the orders before a ring's two digits are multiplied, so that = before both makes 4")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, ring_order=lambda first, second: first * second)))


@wrong("hydrogens_left", "a ring's digit is not free again: a third and fourth appearance are each bound to the first atom that had it")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, free=False)))


@wrong("hydrogens_left", "negative numbers are cut off at 0")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens))).clamp(min=0)


@wrong("hydrogens_left", "only one branch point is remembered: after an inner branch has begun, the end of the outer one leads back to the inner branch's atom")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, branch="one")))


@wrong("hydrogens_left", "the order before a ring's digit is used for the ring and again for the next bond")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, after_ring=False)))


@wrong("hydrogens_left", "two mistakes: # counts as a double bond, and a bond is taken off its later atom only")
def hydrogens_left(tokens):
    left = [max(4 - token, 0) for token in tokens.tolist()]
    for _, second, order in _bonds(tokens, triple=2):
        left[second] -= order
    return torch.tensor(left)


@wrong("hydrogens_left", "two mistakes: the digits 1 and 2 are taken for the same digit, and ring bonds have order 1 whatever is written before the digits")
def hydrogens_left(tokens):
    return torch.tensor(spare(tokens, _bonds(tokens, one_ring=True, ring_order=lambda first, second: 1)))
