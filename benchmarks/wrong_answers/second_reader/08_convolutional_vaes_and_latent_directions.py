"""Wrong answers that students might hand in for assignment 08."""
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


# ---------------------------------------------------------------- sizes_and_field


def _layers(kernel, stride, padding):
    return list(zip(*(torch.as_tensor(v).tolist() for v in (kernel, stride, padding))))


def _sizes(side, kernel, stride, padding):
    sizes, n = [], int(side)
    for k, s, p in _layers(kernel, stride, padding):
        n = (n + 2 * p - k) // s + 1
        sizes.append(n)
    return torch.tensor(sizes)


def _field(kernel, stride):
    field, jump = 1, 1
    for k, s, _ in _layers(kernel, stride, stride):
        field += (k - 1) * jump
        jump *= s
    return field


@wrong("sizes_and_field", "the padding is counted once and not on both sides")
def sizes_and_field(side, kernel, stride, padding):
    sizes, n = [], int(side)
    for k, s, p in _layers(kernel, stride, padding):
        n = (n + p - k) // s + 1
        sizes.append(n)
    return torch.tensor(sizes), _field(kernel, stride)


@wrong("sizes_and_field", "the + 1 is forgotten in the sizes")
def sizes_and_field(side, kernel, stride, padding):
    sizes, n = [], int(side)
    for k, s, p in _layers(kernel, stride, padding):
        n = (n + 2 * p - k) // s
        sizes.append(n)
    return torch.tensor(sizes), _field(kernel, stride)


@wrong("sizes_and_field", "rounds up instead of down where the stride does not fit: the kernel sticks out")
def sizes_and_field(side, kernel, stride, padding):
    sizes, n = [], int(side)
    for k, s, p in _layers(kernel, stride, padding):
        n = -((-(n + 2 * p - k)) // s) + 1
        sizes.append(n)
    return torch.tensor(sizes), _field(kernel, stride)


@wrong("sizes_and_field", "divides without rounding: sizes may be fractions")
def sizes_and_field(side, kernel, stride, padding):
    sizes, n = [], float(side)
    for k, s, p in _layers(kernel, stride, padding):
        n = (n + 2 * p - k) / s + 1
        sizes.append(n)
    return torch.tensor(sizes, dtype=torch.float64), _field(kernel, stride)


@wrong("sizes_and_field", "a layer's own stride is multiplied in before its kernel is added to the field, and not after")
def sizes_and_field(side, kernel, stride, padding):
    field, jump = 1, 1
    for k, s, _ in _layers(kernel, stride, padding):
        jump *= s
        field += (k - 1) * jump
    return _sizes(side, kernel, stride, padding), field


@wrong("sizes_and_field", "the strides are forgotten in the field: 1 + the sum of (k - 1)")
def sizes_and_field(side, kernel, stride, padding):
    field = 1 + sum(k - 1 for k, _, _ in _layers(kernel, stride, padding))
    return _sizes(side, kernel, stride, padding), field


@wrong("sizes_and_field", "the field is the product of the kernels")
def sizes_and_field(side, kernel, stride, padding):
    field = 1
    for k, _, _ in _layers(kernel, stride, padding):
        field *= k
    return _sizes(side, kernel, stride, padding), field


@wrong("sizes_and_field", "the field is at most the side of the image")
def sizes_and_field(side, kernel, stride, padding):
    return _sizes(side, kernel, stride, padding), min(_field(kernel, stride), int(side))


@wrong("sizes_and_field", "the field's step is the stride of the layer before alone, and not the product of all strides before")
def sizes_and_field(side, kernel, stride, padding):
    field, jump = 1, 1
    for k, s, _ in _layers(kernel, stride, padding):
        field += (k - 1) * jump
        jump = s
    return _sizes(side, kernel, stride, padding), field


@wrong("sizes_and_field", "goes from the last layer back to the first by field * s + k - 1 (right: (field - 1) * s + k)")
def sizes_and_field(side, kernel, stride, padding):
    field = 1
    for k, s, _ in reversed(_layers(kernel, stride, padding)):
        field = field * s + k - 1
    return _sizes(side, kernel, stride, padding), field


@wrong("sizes_and_field", "two mistakes: each size is computed from the image's side and not from the layer before, and (field - 1) * s + k is applied from the first layer to the last instead of from the last to the first")
def sizes_and_field(side, kernel, stride, padding):
    sizes, field = [], 1
    for k, s, p in _layers(kernel, stride, padding):
        sizes.append((int(side) + 2 * p - k) // s + 1)
        field = (field - 1) * s + k
    return torch.tensor(sizes), field


@wrong("sizes_and_field", "two mistakes: the sizes are side / stride, rounded up, whatever the kernel and the padding, and the field lacks the 1 it begins with")
def sizes_and_field(side, kernel, stride, padding):
    sizes, n = [], int(side)
    for _, s, _ in _layers(kernel, stride, padding):
        n = -(-n // s)
        sizes.append(n)
    return torch.tensor(sizes), _field(kernel, stride) - 1


# ---------------------------------------------------------------- gaussian_cost

LOG_2PI = math.log(2 * math.pi)


@wrong("gaussian_cost", "the mean over the numbers of the image instead of the sum")
def gaussian_cost(x, mean, sigma):
    return (0.5 * ((x - mean) / sigma) ** 2 + torch.log(sigma) + 0.5 * LOG_2PI).mean(dim=1)


@wrong("gaussian_cost", "the 1/2 before the squared error is forgotten")
def gaussian_cost(x, mean, sigma):
    return (((x - mean) / sigma) ** 2 + torch.log(sigma) + 0.5 * LOG_2PI).sum(dim=1)


@wrong("gaussian_cost", "sigma is taken for the variance")
def gaussian_cost(x, mean, sigma):
    return (0.5 * (x - mean) ** 2 / sigma + 0.5 * torch.log(sigma) + 0.5 * LOG_2PI).sum(dim=1)


@wrong("gaussian_cost", "log sigma^2 without its 1/2: log sigma is counted twice")
def gaussian_cost(x, mean, sigma):
    return (0.5 * ((x - mean) / sigma) ** 2 + torch.log(sigma**2) + 0.5 * LOG_2PI).sum(dim=1)


@wrong("gaussian_cost", "the constant, 1/2 log 2 pi for each number, is forgotten")
def gaussian_cost(x, mean, sigma):
    return (0.5 * ((x - mean) / sigma) ** 2 + torch.log(sigma)).sum(dim=1)


@wrong("gaussian_cost", "the constant 1/2 log 2 pi is added once and not for each of the D numbers")
def gaussian_cost(x, mean, sigma):
    return (0.5 * ((x - mean) / sigma) ** 2 + torch.log(sigma)).sum(dim=1) + 0.5 * LOG_2PI


@wrong("gaussian_cost", "log sigma is subtracted instead of added")
def gaussian_cost(x, mean, sigma):
    return (0.5 * ((x - mean) / sigma) ** 2 - torch.log(sigma) + 0.5 * LOG_2PI).sum(dim=1)


@wrong("gaussian_cost", "computes the density and adds 1e-30 before the logarithm: a number that is very wrong costs no more than about 69 nats")
def gaussian_cost(x, mean, sigma):
    density = torch.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    return -torch.log(density + 1e-30).sum(dim=1)


@wrong("gaussian_cost", "adds 1e-8 to the variance: wrong where sigma is small")
def gaussian_cost(x, mean, sigma):
    variance = sigma**2 + 1e-8
    return (0.5 * (x - mean) ** 2 / variance + 0.5 * torch.log(variance) + 0.5 * LOG_2PI).sum(dim=1)


@wrong("gaussian_cost", "one sigma, the mean of all, for each number")
def gaussian_cost(x, mean, sigma):
    s = sigma.mean()
    return (0.5 * ((x - mean) / s) ** 2 + torch.log(s) + 0.5 * LOG_2PI).sum(dim=1)


@wrong("gaussian_cost", "two mistakes: the term log sigma is forgotten, and it is in bits")
def gaussian_cost(x, mean, sigma):
    return (0.5 * ((x - mean) / sigma) ** 2 + 0.5 * LOG_2PI).sum(dim=1) / math.log(2)


@wrong("gaussian_cost", "two mistakes: sigma is clamped to at least 1e-3, and the constant is log 2 pi without its 1/2")
def gaussian_cost(x, mean, sigma):
    s = sigma.clamp(min=1e-3)
    return (0.5 * ((x - mean) / s) ** 2 + torch.log(s) + LOG_2PI).sum(dim=1)


# ---------------------------------------------------------------- direction_worth


def _worth(s, told=None):
    told = s > 1 if told is None else told
    zero = torch.zeros_like(s)
    return torch.where(told, 0.5 * (s - 1), zero), torch.where(told, 0.5 * torch.log(s), zero)


@wrong("direction_worth", "divides by sigma instead of sigma^2")
def direction_worth(variance, sigma):
    return _worth(variance / sigma)


@wrong("direction_worth", "the 1/2 of the cost is forgotten: log s")
def direction_worth(variance, sigma):
    saved, cost = _worth(variance / sigma**2)
    return saved, 2 * cost


@wrong("direction_worth", "saves s / 2 where it is told: the - 1 is forgotten")
def direction_worth(variance, sigma):
    s = variance / sigma**2
    saved, cost = _worth(s)
    return torch.where(s > 1, 0.5 * s, torch.zeros_like(s)), cost


@wrong("direction_worth", "the formulas for told directions are applied to all: negative where s < 1")
def direction_worth(variance, sigma):
    s = variance / sigma**2
    return 0.5 * (s - 1), 0.5 * torch.log(s)


@wrong("direction_worth", "the cost is in bits")
def direction_worth(variance, sigma):
    saved, cost = _worth(variance / sigma**2)
    return saved, cost / math.log(2)


@wrong("direction_worth", "returned in the wrong order: cost, saved")
def direction_worth(variance, sigma):
    saved, cost = _worth(variance / sigma**2)
    return cost, saved


@wrong("direction_worth", "takes the noise out of the variance first, though s is with it: s = (variance - sigma^2) / sigma^2")
def direction_worth(variance, sigma):
    return _worth((variance - sigma**2) / sigma**2)


@wrong("direction_worth", "adds the noise to the variance once more: s = variance / sigma^2 + 1")
def direction_worth(variance, sigma):
    return _worth(variance / sigma**2 + 1)


@wrong("direction_worth", "told if the variance is more than 1, and not if s is")
def direction_worth(variance, sigma):
    return _worth(variance / sigma**2, variance > 1)


@wrong("direction_worth", "the cost is 1/2 log(1 + s), the capacity of a channel, where it is told")
def direction_worth(variance, sigma):
    s = variance / sigma**2
    saved, _ = _worth(s)
    return saved, torch.where(s > 1, 0.5 * torch.log1p(s), torch.zeros_like(s))


@wrong("direction_worth", "two mistakes: told if the variance is more than sigma (not sigma^2), and saves the net, 1/2 (s - 1 - log s)")
def direction_worth(variance, sigma):
    saved, cost = _worth(variance / sigma**2, variance > sigma)
    return saved - cost, cost


@wrong("direction_worth", "two mistakes: only what is saved is clamped at 0, the cost is negative where s < 1; and the 1/2 of what is saved is forgotten")
def direction_worth(variance, sigma):
    s = variance / sigma**2
    return (s - 1).clamp(min=0), 0.5 * torch.log(s)


# ---------------------------------------------------------------- attribute_direction


@wrong("attribute_direction", "the other way: from those with to those without")
def attribute_direction(z, present):
    return z[present == 0].mean(dim=0) - z[present == 1].mean(dim=0)


@wrong("attribute_direction", "from the mean of all instead of the mean of those without")
def attribute_direction(z, present):
    return z[present == 1].mean(dim=0) - z.mean(dim=0)


@wrong("attribute_direction", "scaled to length 1")
def attribute_direction(z, present):
    d = z[present == 1].mean(dim=0) - z[present == 0].mean(dim=0)
    return d / d.norm()


@wrong("attribute_direction", "the sums of both groups are divided by N and not by the groups' own sizes")
def attribute_direction(z, present):
    w = present.double()[:, None]
    return (z * w).mean(dim=0) - (z * (1 - w)).mean(dim=0)


@wrong("attribute_direction", "only the mean of those with the attribute: nothing is subtracted")
def attribute_direction(z, present):
    return z[present == 1].mean(dim=0)


@wrong("attribute_direction", "medians of the entries instead of means")
def attribute_direction(z, present):
    return z[present == 1].median(dim=0).values - z[present == 0].median(dim=0).values


@wrong("attribute_direction", "the covariance of code and attribute, not divided by the attribute's variance")
def attribute_direction(z, present):
    p = present.double()
    return ((z - z.mean(dim=0)) * (p - p.mean())[:, None]).mean(dim=0)


@wrong("attribute_direction", "z[present] with whole numbers takes rows 0 and 1 again and again and is no mask")
def attribute_direction(z, present):
    return z[present].mean(dim=0) - z[1 - present].mean(dim=0)


@wrong("attribute_direction", "~present of whole numbers is -1 or -2 and no mask: those without are the last two codes, repeated")
def attribute_direction(z, present):
    return z[present == 1].mean(dim=0) - z[~present].mean(dim=0)


@wrong("attribute_direction", "makes the groups equal in size first: of the larger only the first codes are kept")
def attribute_direction(z, present):
    with_it, without = z[present == 1], z[present == 0]
    n = min(len(with_it), len(without))
    return with_it[:n].mean(dim=0) - without[:n].mean(dim=0)


@wrong("attribute_direction", "two mistakes: the other way (from with to without), and scaled to length 1")
def attribute_direction(z, present):
    d = z[present == 0].mean(dim=0) - z[present == 1].mean(dim=0)
    return d / d.norm()


@wrong("attribute_direction", "two mistakes: from the mean of all instead of those without, and each entry is divided by its standard deviation")
def attribute_direction(z, present):
    d = z[present == 1].mean(dim=0) - z.mean(dim=0)
    return d / z.std(dim=0, unbiased=False)


# ---------------------------------------------------------------- factor_directions


def _fit(z, a):
    one = torch.ones(len(a), 1, dtype=a.dtype)
    return torch.linalg.lstsq(torch.cat([one, a], dim=1), z).solution  # (1 + F, K)


@wrong("factor_directions", "without the constant")
def factor_directions(z, a):
    return torch.linalg.lstsq(a, z).solution


@wrong("factor_directions", "one regression for each factor alone (with a constant): the others are not held fixed")
def factor_directions(z, a):
    return torch.stack([_fit(z, a[:, [f]])[1] for f in range(a.shape[1])])


@wrong("factor_directions", "differences of means: codes with the factor above its mean minus the others")
def factor_directions(z, a):
    rows = []
    for f in range(a.shape[1]):
        high = (a[:, f] > a[:, f].mean()).double()[:, None]
        rows.append((z * high).sum(0) / high.sum().clamp(min=1) - (z * (1 - high)).sum(0) / (1 - high).sum().clamp(min=1))
    return torch.stack(rows)


@wrong("factor_directions", "the other way round: explains the factors by the codes, and returns the readers' weights")
def factor_directions(z, a):
    return (torch.linalg.pinv(z - z.mean(dim=0)) @ (a - a.mean(dim=0))).T


@wrong("factor_directions", "centres the codes, but not the factors, in place of the constant")
def factor_directions(z, a):
    return torch.linalg.lstsq(a, z - z.mean(dim=0)).solution


@wrong("factor_directions", "ridge regression: 1 is added to the diagonal of the (centred) normal equations")
def factor_directions(z, a):
    c = a - a.mean(dim=0)
    return torch.linalg.solve(c.T @ c + torch.eye(a.shape[1], dtype=a.dtype), c.T @ z)


@wrong("factor_directions", "returns the first F rows of the solution, though the constant is the first: the constant and all but the last direction")
def factor_directions(z, a):
    return _fit(z, a)[:-1]


@wrong("factor_directions", "the covariances of factors and codes: not multiplied by the inverse of the factors' covariance")
def factor_directions(z, a):
    return (a - a.mean(dim=0)).T @ (z - z.mean(dim=0)) / len(a)


@wrong("factor_directions", "the factors are standardized first: the change for one standard deviation and not for 1")
def factor_directions(z, a):
    return _fit(z, a)[1:] * a.std(dim=0, unbiased=False)[:, None]


@wrong("factor_directions", "one factor after the other, each explaining what those before it have left (with a constant)")
def factor_directions(z, a):
    left, rows = z, []
    for f in range(a.shape[1]):
        c = a[:, f] - a[:, f].mean()
        d = c @ left / (c @ c)
        left = left - c[:, None] * d
        rows.append(d)
    return torch.stack(rows)


@wrong("factor_directions", "two mistakes: without the constant, and every row is scaled to length 1")
def factor_directions(z, a):
    d = torch.linalg.lstsq(a, z).solution
    return d / d.norm(dim=1, keepdim=True)


@wrong("factor_directions", "two mistakes: each factor alone, and without a constant")
def factor_directions(z, a):
    return (a.T @ z) / (a**2).sum(dim=0)[:, None]


# ---------------------------------------------------------------- lone_edit


def _without(direction, others):
    q, r = torch.linalg.qr(others.T / others.norm(dim=1))
    rest = direction - q @ (q.T @ direction)
    return rest - q @ (q.T @ rest)


@wrong("lone_edit", "takes the v_m out one after the other without making them orthogonal: what was taken out comes back")
def lone_edit(direction, own, others, amount):
    rest = direction.clone()
    for v in others:
        rest = rest - (rest @ v) / (v @ v) * v
    return amount * rest / (own @ rest)


@wrong("lone_edit", "subtracts the projections of d on each v_m at once, as if they were orthogonal to each other")
def lone_edit(direction, own, others, amount):
    share = (others @ direction) / (others**2).sum(dim=1)
    rest = direction - share @ others
    return amount * rest / (own @ rest)


@wrong("lone_edit", "does not divide by the squared length of v_m: takes them for orthonormal")
def lone_edit(direction, own, others, amount):
    rest = direction - (others @ direction) @ others
    return amount * rest / (own @ rest)


@wrong("lone_edit", "scales the step to the length amount instead of to the change of the reading")
def lone_edit(direction, own, others, amount):
    rest = _without(direction, others)
    return amount * rest / rest.norm()


@wrong("lone_edit", "what is left is multiplied by the amount and not scaled by its reading")
def lone_edit(direction, own, others, amount):
    return amount * _without(direction, others)


@wrong("lone_edit", "scales by the reading of d as it was, before the others were taken out")
def lone_edit(direction, own, others, amount):
    return amount * _without(direction, others) / (own @ direction)


@wrong("lone_edit", "takes the others out of w and steps along what is left of it: d is not used")
def lone_edit(direction, own, others, amount):
    rest = _without(own, others)
    return amount * rest / (own @ rest)


@wrong("lone_edit", "the others are not taken out: d itself, scaled")
def lone_edit(direction, own, others, amount):
    return amount * direction / (own @ direction)


@wrong("lone_edit", "scales by the absolute value of the reading: the step goes the wrong way where what is left lowers it")
def lone_edit(direction, own, others, amount):
    rest = _without(direction, others)
    return amount * rest / (own @ rest).abs()


@wrong("lone_edit", "adds 1e-3 to the diagonal of V V^T before it is solved: small v_m are not quite taken out")
def lone_edit(direction, own, others, amount):
    gram = others @ others.T + 1e-3 * torch.eye(len(others), dtype=others.dtype)
    rest = direction - others.T @ torch.linalg.solve(gram, others @ direction)
    return amount * rest / (own @ rest)


@wrong("lone_edit", "two mistakes: only the first of the others is taken out, and the amount is always 1")
def lone_edit(direction, own, others, amount):
    v = others[0]
    rest = direction - (direction @ v) / (v @ v) * v
    return rest / (own @ rest)


@wrong("lone_edit", "two mistakes: keeps what lies in the span of the others instead of what is left, and divides by w's squared length instead of the reading")
def lone_edit(direction, own, others, amount):
    return amount * (direction - _without(direction, others)) / (own @ own)


# ---------------------------------------------------------------- information_gap


def _xlogx(p):
    return torch.where(p > 0, p * torch.log(torch.where(p > 0, p, torch.ones_like(p))), torch.zeros_like(p))


def _information(counts):
    """Returns I_k (K,), and the factor's entropy."""
    p = counts / counts.sum(dim=(1, 2), keepdim=True)
    rows, columns = p.sum(dim=2), p.sum(dim=1)
    info = _xlogx(p).sum(dim=(1, 2)) - _xlogx(rows).sum(dim=1) - _xlogx(columns).sum(dim=1)
    return info, -_xlogx(columns[0]).sum()


def _two(info):
    ordered = info.sort(descending=True).values
    return ordered[0], (ordered[1] if len(ordered) > 1 else torch.zeros_like(ordered[0]))


@wrong("information_gap", "the information is in bits")
def information_gap(counts):
    info, H = _information(counts)
    first, second = _two(info)
    return info / math.log(2), (first - second) / H


@wrong("information_gap", "the gap is not divided by the factor's entropy")
def information_gap(counts):
    info, H = _information(counts)
    first, second = _two(info)
    return info, first - second


@wrong("information_gap", "divides by log J, the largest entropy, instead of H")
def information_gap(counts):
    info, H = _information(counts)
    first, second = _two(info)
    return info, (first - second) / math.log(counts.shape[2])


@wrong("information_gap", "H is the entropy of the first entry's bins and not of the factor's values")
def information_gap(counts):
    info, _ = _information(counts)
    rows = counts[0].sum(dim=1) / counts[0].sum()
    first, second = _two(info)
    return info, (first - second) / -_xlogx(rows).sum()


@wrong("information_gap", "the largest minus the smallest instead of the second largest (with a single entry: minus 0)")
def information_gap(counts):
    info, H = _information(counts)
    last = info.min() if len(info) > 1 else torch.zeros_like(info[0])
    return info, (info.max() - last) / H


@wrong("information_gap", "the first entry minus the second, in the order they are given, instead of the largest two")
def information_gap(counts):
    info, H = _information(counts)
    second = info[1] if len(info) > 1 else torch.zeros_like(info[0])
    return info, (info[0] - second) / H


@wrong("information_gap", "with a single entry the gap is 0: the second is taken to be the first")
def information_gap(counts):
    info, H = _information(counts)
    ordered = info.sort(descending=True).values
    return info, (ordered[0] - ordered[min(1, len(ordered) - 1)]) / H


@wrong("information_gap", "1 is added to each count so that no logarithm is of 0")
def information_gap(counts):
    info, H = _information(counts + 1)
    first, second = _two(info)
    return info, (first - second) / H


@wrong("information_gap", "divides by the sum over all K tables: each table's shares sum to 1 / K")
def information_gap(counts):
    p = counts / counts.sum()
    rows, columns = p.sum(dim=2, keepdim=True), p.sum(dim=1, keepdim=True)
    ratio = torch.where(p > 0, p / (rows * columns), torch.ones_like(p))
    info = (p * torch.log(ratio)).sum(dim=(1, 2))
    first, second = _two(info)
    factor = counts[0].sum(dim=0) / counts[0].sum()
    return info, (first - second) / -_xlogx(factor).sum()


@wrong("information_gap", "the second is the largest that differs from the first: if two entries tie for the largest, the gap is not 0")
def information_gap(counts):
    info, H = _information(counts)
    smaller = info[info < info.max() - 1e-12]
    second = smaller.max() if len(smaller) else torch.zeros_like(info[0])
    return info, (info.max() - second) / H


@wrong("information_gap", "two mistakes: divides the caller's counts in place, and the gap by the largest information instead of H")
def information_gap(counts):
    counts /= counts.sum(dim=(1, 2), keepdim=True)
    info, H = _information(counts)
    first, second = _two(info)
    return info, (first - second) / first


@wrong("information_gap", "two mistakes: returns what is left to know, H minus the information, as the information, and takes the largest minus the mean of the others as the gap (with a single entry: minus 0)")
def information_gap(counts):
    info, H = _information(counts)
    ordered = info.sort(descending=True).values
    others = ordered[1:].mean() if len(ordered) > 1 else torch.zeros_like(ordered[0])
    return H - info, (ordered[0] - others) / H
