"""Wrong answers that students might hand in for assignment 14."""
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


def std_normal(x):
    return -0.5 * x.square().sum(-1) - 0.5 * x.shape[-1] * LOG2PI


# ---------------------------------------------------------------- exercise 1


@wrong("affine_log_prob", "the log-determinant is added to the log-density instead of taken off")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, std_normal(x) + log_det


@wrong("affine_log_prob", "the log-determinant is returned, but left out of the log-density")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, std_normal(x)


@wrong("affine_log_prob", "the Gaussian's constant is ½ log 2π, without the factor D")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, -0.5 * (x**2).sum(1) - 0.5 * LOG2PI - log_det


@wrong("affine_log_prob", "the points are multiplied by the inverse from the right, which is the transposed inverse for the rows: x = (y - b) A^-1")
def affine_log_prob(y, A, b):
    x = (y - b) @ torch.linalg.inv(A)
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, std_normal(x) - log_det


@wrong("affine_log_prob", "torch.logdet without the absolute value: NaN where the determinant is negative")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.logdet(A)
    return x, log_det, std_normal(x) - log_det


@wrong("affine_log_prob", "the determinant itself is computed and its logarithm taken afterwards: ±infinity where it under- or overflows")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.det(A).abs().log()
    return x, log_det, std_normal(x) - log_det


@wrong("affine_log_prob", "the determinant is computed and 1e-12 added before the logarithm: a tiny determinant gives log 1e-12")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = (torch.det(A).abs() + 1e-12).log()
    return x, log_det, std_normal(x) - log_det


@wrong("affine_log_prob", "the standard normal density is evaluated at y instead of x")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, std_normal(y) - log_det


@wrong("affine_log_prob", "b is taken off after the inverse instead of before: x = A^-1 y - b")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, y.T).T - b
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, std_normal(x) - log_det


@wrong("affine_log_prob", "log_det is that of the inverse map (its sign is turned), and is added, so that log_prob is right")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.linalg.slogdet(torch.linalg.inv(A))[1]
    return x, log_det, std_normal(x) + log_det


@wrong("affine_log_prob", "two mistakes: the squares are averaged over the dimensions instead of summed, and the log-determinant is added")
def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, -0.5 * (x**2).mean(1) - 0.5 * A.shape[0] * LOG2PI + log_det


@wrong("affine_log_prob", "two mistakes: A is applied instead of its inverse, and the constant of the Gaussian is D log 2π without the half")
def affine_log_prob(y, A, b):
    x = (y - b) @ A.T
    log_det = torch.linalg.slogdet(A)[1]
    return x, log_det, -0.5 * (x**2).sum(1) - A.shape[0] * LOG2PI - log_det


# ---------------------------------------------------------------- exercise 2


@wrong("affine_coupling", "the log-determinant sums s over all entries, also over those that stay")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S + c, h @ T
    return mask * x + (1 - mask) * (x * s.exp() + t), s.sum(1)


@wrong("affine_coupling", "the log-determinant sums s over the entries that stay instead of those that change")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S + c, h @ T
    return mask * x + (1 - mask) * (x * s.exp() + t), (mask * s).sum(1)


@wrong("affine_coupling", "the logarithm of the product of the diagonal: -infinity where the product underflows")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S + c, h @ T
    diagonal = torch.where(mask == 1, torch.ones_like(s), s.exp())
    return mask * x + (1 - mask) * (x * s.exp() + t), diagonal.prod(1).log()


@wrong("affine_coupling", "the network sees all of x instead of the masked x")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh(x @ V)
    s, t = h @ S + c, h @ T
    return mask * x + (1 - mask) * (x * s.exp() + t), ((1 - mask) * s).sum(1)


@wrong("affine_coupling", "the mask is read the other way round everywhere: entries with a 1 change and those with a 0 stay")
def affine_coupling(x, mask, V, S, T, c):
    mask = 1 - mask
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S + c, h @ T
    return mask * x + (1 - mask) * (x * s.exp() + t), ((1 - mask) * s).sum(1)


@wrong("affine_coupling", "the offset c is added to the shift t instead of to s")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S, h @ T + c
    return mask * x + (1 - mask) * (x * s.exp() + t), ((1 - mask) * s).sum(1)


@wrong("affine_coupling", "the entries are shifted before they are scaled: (x + t) exp(s)")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S + c, h @ T
    return mask * x + (1 - mask) * ((x + t) * s.exp()), ((1 - mask) * s).sum(1)


@wrong("affine_coupling", "s is cut to the range from -10 to 10")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = (h @ S + c).clamp(-10, 10), h @ T
    return mask * x + (1 - mask) * (x * s.exp() + t), ((1 - mask) * s).sum(1)


@wrong("affine_coupling", "the shift t is added to all entries, also to those that stay")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = (1 - mask) * (h @ S + c), h @ T
    return x * s.exp() + t, s.sum(1)


@wrong("affine_coupling", "log(exp(s) + 1e-12) in the log-determinant: an s far below 0 counts as -27.6")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S + c, h @ T
    return mask * x + (1 - mask) * (x * s.exp() + t), ((1 - mask) * (s.exp() + 1e-12).log()).sum(1)


@wrong("affine_coupling", "two mistakes: c is forgotten, and the log-determinant is the mean of s over the D entries, with 0 for those that stay")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S, h @ T
    return mask * x + (1 - mask) * (x * s.exp() + t), ((1 - mask) * s).mean(1)


@wrong("affine_coupling", "two mistakes: the coupling is undone instead of applied (x - t) exp(-s), and the log-determinant is that of the coupling, +s, summed over all entries")
def affine_coupling(x, mask, V, S, T, c):
    h = torch.tanh((mask * x) @ V)
    s, t = h @ S + c, h @ T
    return mask * x + (1 - mask) * ((x - t) * (-s).exp()), s.sum(1)


# ---------------------------------------------------------------- exercise 3


def s_and_t(x, m, V, S, T, c):
    h = torch.tanh((m * x) @ V)
    return h @ S + c, h @ T


@wrong("undo_couplings", "the layers are undone in the order 0, 1, ..., K - 1: the first comes first")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in range(len(masks)):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + ((1 - m) * s).sum(1)
    return x, std_normal(x) - total


@wrong("undo_couplings", "a layer is undone by scaling first and shifting then: y exp(-s) - t")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x * (-s).exp() - t)
        total = total + ((1 - m) * s).sum(1)
    return x, std_normal(x) - total


@wrong("undo_couplings", "the log-determinants are added instead of taken off")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + ((1 - m) * s).sum(1)
    return x, std_normal(x) + total


@wrong("undo_couplings", "the log-determinants sum s over all entries, also over those that stay")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + s.sum(1)
    return x, std_normal(x) - total


@wrong("undo_couplings", "the standard normal density is evaluated at y instead of x")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + ((1 - m) * s).sum(1)
    return x, std_normal(y) - total


@wrong("undo_couplings", "the log-determinant is overwritten in the loop instead of added up: only that of layer 0 counts")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = ((1 - m) * s).sum(1)
    return x, std_normal(x) - total


@wrong("undo_couplings", "the masks are reversed, but the networks V, S, T, c are taken in the forward order")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k, m in enumerate(masks.flip(0)):
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + ((1 - m) * s).sum(1)
    return x, std_normal(x) - total


@wrong("undo_couplings", "the determinants are multiplied and the logarithm is taken at the end: infinite where the product over- or underflows")
def undo_couplings(y, masks, V, S, T, c):
    x, det = y.clone(), torch.ones(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        det = det * ((1 - m) * s).exp().prod(1)
    return x, std_normal(x) - det.log()


@wrong("undo_couplings", "the log-determinants are all computed at y instead of at the points met on the way (the points themselves are right)")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + ((1 - m) * s_and_t(y, m, V[k], S[k], T[k], c[k])[0]).sum(1)
    return x, std_normal(x) - total


@wrong("undo_couplings", "right values, but the points are undone in place: the argument y is changed")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y, torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x -= (1 - m) * t
        x *= torch.exp(-(1 - m) * s)
        total = total + ((1 - m) * s).sum(1)
    return x, std_normal(x) - total


@wrong("undo_couplings", "two mistakes: the loop ends before layer 0, which is not undone, and the Gaussian's constant is left out")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in range(len(masks) - 1, 0, -1):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], c[k])
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + ((1 - m) * s).sum(1)
    return x, -0.5 * x.square().sum(1) - total


@wrong("undo_couplings", "two mistakes: c is forgotten in s, and the Gaussian's constant is ½ log 2π, without the factor D")
def undo_couplings(y, masks, V, S, T, c):
    x, total = y.clone(), torch.zeros(len(y), dtype=y.dtype)
    for k in reversed(range(len(masks))):
        m = masks[k]
        s, t = s_and_t(x, m, V[k], S[k], T[k], torch.zeros_like(c[k]))
        x = m * x + (1 - m) * (x - t) * (-s).exp()
        total = total + ((1 - m) * s).sum(1)
    return x, -0.5 * x.square().sum(1) - 0.5 * LOG2PI - total


# ---------------------------------------------------------------- exercise 4


def bin_y(xi, s, bottom, height, d0, d1):
    q = xi * (1 - xi)
    return bottom + height * (s * xi**2 + d0 * q) / (s + (d1 + d0 - 2 * s) * q)


def bin_log_slope(xi, s, d0, d1):
    q = xi * (1 - xi)
    top = d1 * xi**2 + 2 * s * q + d0 * (1 - xi) ** 2
    return 2 * s.log() + top.log() - 2 * (s + (d1 + d0 - 2 * s) * q).log()


def bin_abc(r, s, height, d0, d1):
    e = r * (d1 + d0 - 2 * s)
    return height * (s - d0) + e, height * d0 - e, -s * r


def bin_back(r, s, height, d0, d1):
    a, b, c = bin_abc(r, s, height, d0, d1)
    return 2 * c / (-b - (b**2 - 4 * a * c).sqrt())


@wrong("spline_bin", "the slope itself is returned instead of its logarithm")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    back = left + width * bin_back(v - bottom, s, height, d0, d1)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1).exp(), back


@wrong("spline_bin", "d0 and d1 are exchanged in the slope")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    back = left + width * bin_back(v - bottom, s, height, d0, d1)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d1, d0), back


@wrong("spline_bin", "the way back returns ξ between 0 and 1 instead of left + width ξ")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    back = bin_back(v - bottom, s, height, d0, d1)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1), back


@wrong("spline_bin", "the textbook's formula with 2a below the line: NaN where the bin is straight")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    a, b, c = bin_abc(v - bottom, s, height, d0, d1)
    back = left + width * (-b + (b**2 - 4 * a * c).sqrt()) / (2 * a)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1), back


@wrong("spline_bin", "the textbook's formula with 2a + 1e-12 below the line: a straight bin gives its left end")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    a, b, c = bin_abc(v - bottom, s, height, d0, d1)
    back = left + width * (-b + (b**2 - 4 * a * c).sqrt()) / (2 * a + 1e-12)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1), back


@wrong("spline_bin", "where |a| < 1e-3 the bin is taken for straight, ξ = -c / b, though small bins that are not straight have a small a as well")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    a, b, c = bin_abc(v - bottom, s, height, d0, d1)
    root = (-b + (b**2 - 4 * a * c).sqrt()) / (2 * torch.where(a.abs() < 1e-3, torch.ones_like(a), a))
    back = left + width * torch.where(a.abs() < 1e-3, -c / b, root)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1), back


@wrong("spline_bin", "the other root of the quadratic equation: 2c / (-b + sqrt(b² - 4ac))")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    a, b, c = bin_abc(v - bottom, s, height, d0, d1)
    back = left + width * 2 * c / (-b + (b**2 - 4 * a * c).sqrt())
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1), back


@wrong("spline_bin", "the denominator of the slope is not squared")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    q = xi * (1 - xi)
    slope = s**2 * (d1 * xi**2 + 2 * s * q + d0 * (1 - xi) ** 2) / (s + (d1 + d0 - 2 * s) * q)
    back = left + width * bin_back(v - bottom, s, height, d0, d1)
    return bin_y(xi, s, bottom, height, d0, d1), slope.log(), back


@wrong("spline_bin", "the slope is that with respect to ξ instead of u: too large by the factor width")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    back = left + width * bin_back(v - bottom, s, height, d0, d1)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1) + width.log(), back


@wrong("spline_bin", "the way back starts from v without taking off bottom: r = v")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    back = left + width * bin_back(v, s, height, d0, d1)
    return bin_y(xi, s, bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1), back


@wrong("spline_bin", "two mistakes: the mean slope is width / height everywhere, and bottom is not added to y")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = width / height, (u - left) / width
    back = left + width * bin_back(v - bottom, s, height, d0, d1)
    return bin_y(xi, s, 0 * bottom, height, d0, d1), bin_log_slope(xi, s, d0, d1), back


@wrong("spline_bin", "two mistakes: the slope's middle term is s ξ(1 - ξ) without the 2, and d0 stands with ξ² in the slope's numerator, d1 with (1 - ξ)²")
def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s, xi = height / width, (u - left) / width
    q = xi * (1 - xi)
    slope = s**2 * (d0 * xi**2 + s * q + d1 * (1 - xi) ** 2) / (s + (d1 + d0 - 2 * s) * q) ** 2
    back = left + width * bin_back(v - bottom, s, height, d0, d1)
    return bin_y(xi, s, bottom, height, d0, d1), slope.log(), back


# ---------------------------------------------------------------- exercise 5


def normalised(x, bias, log_scale):
    return (x + bias[:, None, None]) * log_scale.exp()[:, None, None]


@wrong("glow_step", "the log-determinant is that of one place: the factor H W is forgotten")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ij,njhw->nihw", M, normalised(x, bias, log_scale))
    return y, log_scale.sum() + torch.linalg.slogdet(M)[1]


@wrong("glow_step", "the scales are counted once, only the matrix's determinant is multiplied by H W")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ij,njhw->nihw", M, normalised(x, bias, log_scale))
    return y, log_scale.sum() + x.shape[2] * x.shape[3] * torch.linalg.slogdet(M)[1]


@wrong("glow_step", "the bias is added after the scaling: x exp(log_scale) + bias")
def glow_step(x, bias, log_scale, M):
    z = x * log_scale.exp()[:, None, None] + bias[:, None, None]
    y = torch.einsum("ij,njhw->nihw", M, z)
    return y, x.shape[2] * x.shape[3] * (log_scale.sum() + torch.linalg.slogdet(M)[1])


@wrong("glow_step", "the channels are multiplied by the transposed matrix")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ji,njhw->nihw", M, normalised(x, bias, log_scale))
    return y, x.shape[2] * x.shape[3] * (log_scale.sum() + torch.linalg.slogdet(M)[1])


@wrong("glow_step", "torch.logdet without the absolute value: NaN where det M is negative")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ij,njhw->nihw", M, normalised(x, bias, log_scale))
    return y, x.shape[2] * x.shape[3] * (log_scale.sum() + torch.logdet(M))


@wrong("glow_step", "det M is computed and its logarithm taken afterwards: -infinity where it underflows to 0")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ij,njhw->nihw", M, normalised(x, bias, log_scale))
    return y, x.shape[2] * x.shape[3] * (log_scale.sum() + torch.linalg.det(M).abs().log())


@wrong("glow_step", "the logarithm of the product of the scales: -infinity where the product underflows")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ij,njhw->nihw", M, normalised(x, bias, log_scale))
    return y, x.shape[2] * x.shape[3] * (log_scale.exp().prod().log() + torch.linalg.slogdet(M)[1])


@wrong("glow_step", "the log-determinant is that of all N images together instead of one")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ij,njhw->nihw", M, normalised(x, bias, log_scale))
    return y, x.shape[0] * x.shape[2] * x.shape[3] * (log_scale.sum() + torch.linalg.slogdet(M)[1])


@wrong("glow_step", "the two layers are exchanged: the matrix first, the bias and the scales then")
def glow_step(x, bias, log_scale, M):
    y = normalised(torch.einsum("ij,njhw->nihw", M, x), bias, log_scale)
    return y, x.shape[2] * x.shape[3] * (log_scale.sum() + torch.linalg.slogdet(M)[1])


@wrong("glow_step", "right values, but bias and scales are applied to x in place: the argument is changed")
def glow_step(x, bias, log_scale, M):
    x += bias[:, None, None]
    x *= log_scale.exp()[:, None, None]
    y = torch.einsum("ij,njhw->nihw", M, x)
    return y, x.shape[2] * x.shape[3] * (log_scale.sum() + torch.linalg.slogdet(M)[1])


@wrong("glow_step", "two mistakes: the logarithms of the scales are averaged over the channels, and the matrix's log-determinant is counted C H W times")
def glow_step(x, bias, log_scale, M):
    y = torch.einsum("ij,njhw->nihw", M, normalised(x, bias, log_scale))
    C, H, W = x.shape[1:]
    return y, H * W * log_scale.mean() + C * H * W * torch.linalg.slogdet(M)[1]


@wrong("glow_step", "two mistakes: log_scale itself is the factor in y, without the exponential, and the log-determinant leaves the scales out")
def glow_step(x, bias, log_scale, M):
    z = (x + bias[:, None, None]) * log_scale[:, None, None]
    y = torch.einsum("ij,njhw->nihw", M, z)
    return y, x.shape[2] * x.shape[3] * torch.linalg.slogdet(M)[1]


# ---------------------------------------------------------------- exercise 6


def logits(levels, noise, num_levels, margin):
    p = margin + (1 - 2 * margin) * (levels + noise) / num_levels
    return p, p.log() - torch.log1p(-p)


def log_jacobian(p, margin):
    return (math.log(1 - 2 * margin) - p.log() - torch.log1p(-p)).sum(-1)


def both(log_w, D):
    elbo = -log_w.mean(0) / (D * math.log(2))
    bound = -(torch.logsumexp(log_w, 0) - math.log(len(log_w))) / (D * math.log(2))
    return elbo, bound


@wrong("dequantized_bits", "D log L is added instead of taken off")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    log_w = log_density + log_jacobian(p, margin) + D * math.log(num_levels)
    return y, *both(log_w, D)


@wrong("dequantized_bits", "log L is taken off once instead of for each of the D pixels")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    log_w = log_density + log_jacobian(p, margin) - math.log(num_levels)
    return y, *both(log_w, D)


@wrong("dequantized_bits", "the factor 1 - 2α is forgotten in dy/dz: it is that of the logit alone")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    log_w = log_density + (-p.log() - torch.log1p(-p)).sum(-1) - D * math.log(num_levels)
    return y, *both(log_w, D)


@wrong("dequantized_bits", "the logarithm of dy/dz is taken off instead of added")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    log_w = log_density - log_jacobian(p, margin) - D * math.log(num_levels)
    return y, *both(log_w, D)


@wrong("dequantized_bits", "nats for bits: both bounds are divided by D only")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    elbo, bound = both(log_density + log_jacobian(p, margin) - D * math.log(num_levels), D)
    return y, elbo * math.log(2), bound * math.log(2)


@wrong("dequantized_bits", "the tighter bound takes the logarithm of the mean of exp(log w): infinite where all weights underflow")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    log_w = log_density + log_jacobian(p, margin) - D * math.log(num_levels)
    return y, both(log_w, D)[0], -log_w.exp().mean(0).log() / (D * math.log(2))


@wrong("dequantized_bits", "the tighter bound sums the weights instead of averaging them: log S is not taken off")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    log_w = log_density + log_jacobian(p, margin) - D * math.log(num_levels)
    return y, both(log_w, D)[0], -torch.logsumexp(log_w, 0) / (D * math.log(2))


@wrong("dequantized_bits", "the log-weights are divided by D before the log-mean-exp of the tighter bound")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    log_w = log_density + log_jacobian(p, margin) - D * math.log(num_levels)
    return y, both(log_w, D)[0], both(log_w / D, 1)[1]


@wrong("dequantized_bits", "p is cut to the range from 1e-6 to 1 - 1e-6, which changes y and the bounds where margin is 0 and p is smaller")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p = (margin + (1 - 2 * margin) * (levels + noise) / num_levels).clamp(1e-6, 1 - 1e-6)
    log_w = log_density + log_jacobian(p, margin) - D * math.log(num_levels)
    return p.log() - torch.log1p(-p), *both(log_w, D)


@wrong("dequantized_bits", "the margin is applied at one end only: p = α + (1 - α) z, also in dy/dz")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p = margin + (1 - margin) * (levels + noise) / num_levels
    jacobian = (math.log(1 - margin) - p.log() - torch.log1p(-p)).sum(-1)
    return p.log() - torch.log1p(-p), *both(log_density + jacobian - D * math.log(num_levels), D)


@wrong("dequantized_bits", "two mistakes: the logarithms of dy/dz are averaged over the pixels instead of summed, and log L is not taken off")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    return y, *both(log_density + log_jacobian(p, margin) / D, D)


@wrong("dequantized_bits", "two mistakes: the two bounds are returned in the wrong order, and they are not divided by D")
def dequantized_bits(levels, noise, log_density, num_levels, margin):
    D = levels.shape[1]
    p, y = logits(levels, noise, num_levels, margin)
    elbo, bound = both(log_density + log_jacobian(p, margin) - D * math.log(num_levels), 1)
    return y, bound, elbo


# ---------------------------------------------------------------- exercise 7


def parts(z, t, W, c, a, U, probes):
    """Speed, trace and the mean of e^T J e."""
    h = torch.tanh(z @ W.T + c + t * a)
    g = 1 - h**2
    trace = g @ (W * U.T).sum(1)
    estimate = ((probes @ U) * g * (probes @ W.T)).sum(-1).mean(0)
    return h @ U.T, trace, estimate


@wrong("euler_flow", "the trace is added to the log-density instead of taken off")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, trace, estimate = parts(z, k * step, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p + step * trace, log_e + step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "the time in a step is that of its end, (k + 1) step, instead of its beginning")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, trace, estimate = parts(z, (k + 1) * step, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p - step * trace, log_e - step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "the traces are taken after the points have moved, at the new z (and the time of the step's beginning)")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        z = z + step * parts(z, k * step, W, c, a, U, probes)[0]
        _, trace, estimate = parts(z, k * step, W, c, a, U, probes)
        log_p, log_e = log_p - step * trace, log_e - step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "the traces are not multiplied by the step's length")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, trace, estimate = parts(z, k * step, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p - trace, log_e - estimate
    return z, log_p, log_e


@wrong("euler_flow", "the standard normal density is evaluated at the end points instead of the starting points")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, 0
    log_e = log_p
    for k in range(num_steps):
        f, trace, estimate = parts(z, k * step, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p - step * trace, log_e - step * estimate
    return z, std_normal(z) + log_p, std_normal(z) + log_e


@wrong("euler_flow", "the exact trace is the sum of all entries of the Jacobian (the gradient of the summed speed), not of its diagonal")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, _, estimate = parts(z, k * step, W, c, a, U, probes)
        g = 1 - torch.tanh(z @ W.T + c + k * step * a) ** 2
        trace = g @ (W.sum(1) * U.sum(0))
        z, log_p, log_e = z + step * f, log_p - step * trace, log_e - step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "the exact log-density takes off log |det(I + step J)|, the determinant of the discrete step, instead of step times the trace")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, _, estimate = parts(z, k * step, W, c, a, U, probes)
        g = 1 - torch.tanh(z @ W.T + c + k * step * a) ** 2
        J = torch.einsum("dh,nh,he->nde", U, g, W)
        log_det = torch.linalg.slogdet(torch.eye(z.shape[1], dtype=z.dtype) + step * J)[1]
        z, log_p, log_e = z + step * f, log_p - log_det, log_e - step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "Hutchinson's estimate uses another probe in each step, probe k mod M, instead of the mean over the same M probes")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, trace, estimate = parts(z, k * step, W, c, a, U, probes[k % len(probes)][None])
        z, log_p, log_e = z + step * f, log_p - step * trace, log_e - step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "e^T J e is divided by e^T e / D, which changes nothing for probes of ±1 but is another number for other probes")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    probes = probes / probes.square().mean(-1, keepdim=True).sqrt()
    for k in range(num_steps):
        f, trace, estimate = parts(z, k * step, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p - step * trace, log_e - step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "e^T J e is summed over the probes instead of averaged")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, trace, estimate = parts(z, k * step, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p - step * trace, log_e - step * len(probes) * estimate
    return z, log_p, log_e


@wrong("euler_flow", "two mistakes: the derivative of tanh is left out of the exact trace, and the time t is always 0")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / num_steps, std_normal(z)
    log_e = log_p
    for k in range(num_steps):
        f, _, estimate = parts(z, 0.0, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p - step * torch.trace(U @ W), log_e - step * estimate
    return z, log_p, log_e


@wrong("euler_flow", "two mistakes: the step is duration / (num_steps + 1) long, and the log-densities leave the Gaussian's constant out")
def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step, log_p = duration / (num_steps + 1), -0.5 * z.square().sum(1)
    log_e = log_p
    for k in range(num_steps):
        f, trace, estimate = parts(z, k * step, W, c, a, U, probes)
        z, log_p, log_e = z + step * f, log_p - step * trace, log_e - step * estimate
    return z, log_p, log_e
