"""Flows: change of variables, couplings forth and back, a spline, 1×1 convolutions, levels, and a continuous flow.

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


def matrix_of(rng, size, sign, scale):
    """A matrix that is neither symmetric nor near a singular one, whose determinant has the sign."""
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in range(2))
    made = scale * (left * np.linspace(0.6, 1.7, size)) @ right
    if np.linalg.slogdet(made)[0] * sign < 0:
        made[0] *= -1
    return made


# 1 ----------------------------------------------------------------------------------------- change of variables


def affine_inputs(case, rng):
    """Points that an affine map made of moderate ones; hidden determinants are negative, or 0 or ∞ as numbers."""
    N, D, scale = case["N"], case["D"], case.get("scale", 1.0)
    A = matrix_of(rng, D, case.get("sign", 1), scale)
    b = scale * sides(rng, D) * rng.uniform(0.5, 1.5, D)
    x = sides(rng, N, D) * rng.uniform(0.3, 1.6, (N, D))
    return {"y": x @ A.T + b, "A": A, "b": b}


def affine_log_prob(y, A, b):
    x = torch.linalg.solve(A, (y - b).T).T
    log_det = torch.linalg.slogdet(A).logabsdet
    log_base = -0.5 * x.square().sum(dim=1) - 0.5 * x.shape[1] * math.log(2 * math.pi)
    return x, log_det, log_base - log_det


def affine_by_covariance(y, A, b):
    """y is Gaussian, with the mean b and the covariance A A'."""
    gaussian = torch.distributions.MultivariateNormal(b, A @ A.T, validate_args=False)
    return (y - b) @ torch.linalg.inv(A).T, torch.linalg.svdvals(A).log().sum(), gaussian.log_prob(y)


def affine_numpy(y, A, b):
    y, A, b = y.numpy(), A.numpy(), b.numpy()
    q, r = np.linalg.qr(A)
    x = np.linalg.solve(r, q.T @ (y - b).T).T
    log_det = np.log(np.abs(np.diag(r))).sum()
    return x, log_det, -(x**2 + np.log(2 * np.pi)).sum(axis=1) / 2 - log_det


def affine_loops(y, A, b):
    rows, values = [], []
    log_det = float(np.linalg.slogdet(A.numpy())[1])
    for point in y:
        x = torch.linalg.lstsq(A, (point - b)[:, None]).solution[:, 0].tolist()
        rows.append(x)
        values.append(sum(-v * v / 2 - 0.5 * math.log(2 * math.pi) for v in x) - log_det)
    return rows, log_det, values


_SOLVED = "torch.linalg.solve(A, (y - b).T).T"
_LOGABSDET = "torch.linalg.slogdet(A).logabsdet"
_BASE = "-0.5 * x.square().sum(dim=1) - 0.5 * x.shape[1] * math.log(2 * math.pi)"
AFFINE = Exercise(
    name="affine_log_prob",
    outputs=(Output("x", ("N", "D")), Output("log_det", ()), Output("log_prob", ("N",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=affine_inputs,
    cases={
        "visible": ({"N": 4, "D": 3}, {"N": 1, "D": 2}, {"N": 3, "D": 1}),
        "hidden": (
            {"N": 5, "D": 4, "sign": -1},
            {"N": 1, "D": 1, "sign": -1},
            {"N": 3, "D": 25, "scale": 1e-14},
            {"N": 2, "D": 22, "scale": 1e15, "sign": -1},
        ),
    },
    reference=affine_log_prob,
    wrong=(
        slip(affine_log_prob, {"log_base - log_det": "log_base + log_det"},
             "Your log-determinant has the wrong sign in the log-density. A map that stretches space makes it thinner: where |det A| is large, the density is small."),
        slip(affine_log_prob, {"log_base - log_det": "log_base"},
             "You left the determinant out of the log-density. With x = A⁻¹(y − b) alone it would not integrate to 1 over y."),
        slip(affine_log_prob, {"log_base - log_det": "log_base - 0.5 * log_det"},
             "You halved the log-determinant. The half stands before log det of a covariance, which is AAᵀ: log det AAᵀ = 2 log |det A|."),
        slip(affine_log_prob, {"log_base - log_det": "log_base - x.shape[1] * log_det"},
             "You counted the log-determinant once for each dimension. It belongs to the whole map: once for each point."),
        slip(affine_log_prob, {"log_base - log_det": "log_base - torch.linalg.det(A).abs()"},
             "You took the determinant itself off a log-density. Take off its logarithm, log |det A|."),
        slip(affine_log_prob, {"return x, log_det,": "return x, -log_det,"},
             "Your second value is the log-determinant of the way back, from y to x. Asked for is log |det A|."),
        slip(affine_log_prob, {"return x, log_det,": "return x, torch.linalg.det(A).abs(),"},
             "Your second value is a determinant. Asked for is its logarithm."),
        slip(affine_log_prob, {_SOLVED: "(y - b) @ A.T"},
             "You went from x to y once more. The point that was mapped to y is A⁻¹(y − b)."),
        slip(affine_log_prob, {_SOLVED: "torch.linalg.solve(A.T, (y - b).T).T"},
             "You undid the transpose of A. Rows of y are points: each is A x + b, with x a column."),
        slip(affine_log_prob, {"(y - b).T": "y.T"},
             "You left b in y. The map adds it last, so it is taken off first."),
        slip(affine_log_prob, {"(y - b).T": "(y + b).T"},
             "You added b once more. The map adds it, so on the way back it is taken off."),
        slip(affine_log_prob, {_SOLVED: "torch.linalg.solve(A, y.T).T - b"},
             "You took b off after A was undone. The map adds b last, so the way back takes it off first."),
        slip(affine_log_prob, {_BASE: "-0.5 * y.square().sum(dim=1) - 0.5 * x.shape[1] * math.log(2 * math.pi)"},
             "You took the normal density at y. It is the density of x: take it at x = A⁻¹(y − b)."),
        slip(affine_log_prob, {_BASE: "-0.5 * ((y - b) * x).sum(dim=1) - 0.5 * x.shape[1] * math.log(2 * math.pi)", "log_base - log_det": "log_base - 0.5 * log_det"},
             "You used A as a covariance. That of y = A x + b is AAᵀ."),
        slip(affine_log_prob, {"-0.5 * x.square()": "-x.square()"},
             "The half is missing before the square in the normal density."),
        slip(affine_log_prob, {"-0.5 * x.square().sum(dim=1)": "-0.5 * x.norm(dim=1)"},
             "You did not square the norm of x in the normal density: it has −½ ‖x‖²."),
        slip(affine_log_prob, {_BASE: "-0.5 * x.square().sum(dim=1)"},
             "You left the normal density's constant out: −½ log 2π for each dimension."),
        slip(affine_log_prob, {"0.5 * x.shape[1] * math.log(2 * math.pi)": "0.5 * math.log(2 * math.pi)"},
             "You counted the constant −½ log 2π once. Each of the D dimensions has its own."),
        slip(affine_log_prob, {"x.square().sum(dim=1)": "x.square().mean(dim=1)"},
             "You averaged the squares over the dimensions. Independent log-densities add up."),
        slip(affine_log_prob, {"log_base - log_det": "(log_base - log_det) / math.log(2)"},
             "Your log-density is in bits. Asked for are nats: natural logarithms."),
        slip(affine_log_prob, {"log_base - log_det": "log_base.sum() - log_det + 0 * log_base"},
             "You added up the log-densities of all points. Asked for is one for each point."),
        slip(affine_log_prob, {_LOGABSDET: "A.diagonal().abs().log().sum()"},
             "You multiplied the diagonal of A. That is the determinant of a triangular matrix, and this one is not triangular."),
        slip(affine_log_prob, {_LOGABSDET: "A.abs().log().sum()"},
             "You added up the logarithms of all entries of A. Its determinant is something else: torch.linalg.slogdet."),
        slip(affine_log_prob, {_LOGABSDET: "A.trace()"},
             "You took the trace for the log-determinant. They agree for e^A, log det e^A = tr A, but here the map is A itself."),
        slip(affine_log_prob, {_LOGABSDET: "torch.linalg.slogdet(A).logabsdet / math.log(2)"},
             "Your log-determinant is in bits. Asked for are nats: natural logarithms."),
        slip(affine_log_prob, {_LOGABSDET: "torch.linalg.slogdet(A @ A.T).logabsdet"},
             "Your log-determinant is that of AAᵀ, which is twice log |det A|."),
        slip(affine_log_prob, {_LOGABSDET: "torch.linalg.det(A).log()"},
             "A determinant may be negative: then the map also mirrors, and your logarithm is no number. What counts is its absolute value.",
             loses=("hidden",)),
        slip(affine_log_prob, {_LOGABSDET: "torch.linalg.det(A).abs().log()"},
             "Your formula is right, but a determinant of many dimensions may be 0 or ∞ in floating point while its logarithm is 700. torch.linalg.slogdet gives the logarithm itself.",
             loses=("hidden",)),
        slip(affine_log_prob, {_LOGABSDET: "torch.linalg.det(A).abs().clamp(min=1e-12).log()"},
             "You keep the determinant away from 0, so its logarithm is wrong where it is smaller. torch.linalg.slogdet gives the logarithm itself.",
             loses=("hidden",)),
        slip(affine_log_prob, {_LOGABSDET: "torch.linalg.slogdet(A).logabsdet * torch.linalg.slogdet(A).sign"},
             "You gave log |det A| the sign of the determinant. A map that mirrors thins space out as one that does not.",
             loses=("hidden",)),
    ),
    alternatives=(affine_by_covariance, affine_numpy, affine_loops),
)  # fmt: skip

# 2 ------------------------------------------------------------------------------------------------- a coupling


def coupling_inputs(case, rng):
    """A coupling and points; a hidden one shrinks so much, in so many dimensions, that its determinant is 0."""
    N, D, H = case["N"], case["D"], case["H"]
    mask = np.zeros(D) if case.get("all") else rng.permutation(np.arange(D) % 2).astype(float)
    return {
        "x": sides(rng, N, D) * rng.uniform(0.4, 1.6, (N, D)),
        "mask": mask,
        "V": sides(rng, D, H) * rng.uniform(0.3, 1.0, (D, H)),
        "S": sides(rng, H, D) * rng.uniform(0.3, 0.9, (H, D)),
        "T": sides(rng, H, D) * rng.uniform(0.4, 1.2, (H, D)),
        "c": case.get("shift", 0.0) + sides(rng, D) * rng.uniform(0.2, 0.7, D),
    }


def affine_coupling(x, mask, V, S, T, c):
    kept = mask * x
    h = torch.tanh(kept @ V)
    s = h @ S + c
    t = h @ T
    y = kept + (1 - mask) * (x * s.exp() + t)
    return y, ((1 - mask) * s).sum(dim=1)


def coupling_by_index(x, mask, V, S, T, c):
    stays = mask.bool()
    h = torch.tanh(x[:, stays] @ V[stays])
    s = (h @ S)[:, ~stays] + c[~stays]
    y = x.clone()
    y[:, ~stays] = x[:, ~stays] * torch.exp(s) + (h @ T)[:, ~stays]
    return y, s.sum(dim=1)


def coupling_numpy(x, mask, V, S, T, c):
    x, stays, V, S, T, c = x.numpy(), mask.numpy() > 0.5, V.numpy(), S.numpy(), T.numpy(), c.numpy()
    h = np.tanh(np.where(stays, x, 0) @ V)
    s = np.where(stays, 0, h @ S + c)
    return np.where(stays, x, np.exp(s) * x + h @ T), s.sum(axis=1)


def coupling_loops(x, mask, V, S, T, c):
    N, D = x.shape
    y, log_det = x.clone(), torch.zeros(N, dtype=x.dtype)
    for n in range(N):
        h = torch.tanh(sum((x[n, d] * V[d] for d in range(D) if mask[d] == 1), torch.zeros_like(V[0])))
        for d in range(D):
            if mask[d] == 0:
                s = torch.dot(h, S[:, d]) + c[d]
                y[n, d] = x[n, d] * math.exp(float(s)) + torch.dot(h, T[:, d])
                log_det[n] += s
    return y, log_det


_Y = "kept + (1 - mask) * (x * s.exp() + t)"
_COUPLED = "((1 - mask) * s).sum(dim=1)"
COUPLING = Exercise(
    name="affine_coupling",
    outputs=(Output("y", ("N", "D")), Output("log_det", ("N",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=coupling_inputs,
    cases={
        "visible": ({"N": 4, "D": 4, "H": 3}, {"N": 1, "D": 3, "H": 2}, {"N": 3, "D": 5, "H": 2}),
        "hidden": (
            {"N": 5, "D": 5, "H": 4},
            {"N": 1, "D": 4, "H": 3},
            {"N": 2, "D": 3, "H": 2, "all": 1},
            {"N": 3, "D": 30, "H": 4, "shift": -60.0},
        ),
    },
    reference=affine_coupling,
    wrong=(
        slip(affine_coupling, {"torch.tanh(kept @ V)": "torch.tanh(x @ V)"},
             "Your small network sees all of x. It may see only what stays as it is: on the way back nothing else is known."),
        slip(affine_coupling, {"torch.tanh(kept @ V)": "torch.tanh((1 - mask) * x @ V)"},
             "Your small network sees the entries that change. It sees those that stay, which are known on the way back, too."),
        slip(affine_coupling, {"torch.tanh(kept @ V)": "kept @ V"},
             "You left tanh out of the small network: h = tanh((m ⊙ x) V)."),
        slip(affine_coupling, {"kept = mask * x": "mask = 1 - mask\n    kept = mask * x"},
             "Your mask is upside down. Where it is 1, an entry stays as it is; where it is 0, it is scaled and shifted."),
        slip(affine_coupling, {"s = h @ S + c": "s = h @ S"},
             "You left c out of the logarithm of the scale: s = h S + c."),
        slip(affine_coupling, {"s = h @ S + c": "s = torch.tanh(h @ S + c)"},
             "You took tanh of s. Some implementations limit s that way; here s = h S + c as it is."),
        slip(affine_coupling, {"s = h @ S + c": "s = h @ T + c", "t = h @ T": "t = h @ S"},
             "S and T have changed places: S makes the logarithm of the scale, T the shift."),
        slip(affine_coupling, {"t = h @ T": "t = h @ T + c"},
             "You added c to the shift, too. It belongs to s alone."),
        slip(affine_coupling, {"x * s.exp() + t": "x * s + t"},
             "You scaled by s. The scale is e^s, which is never 0, so that the coupling can be undone."),
        slip(affine_coupling, {"x * s.exp() + t": "x * torch.sigmoid(s) + t"},
             "You scaled by a sigmoid of s. Here the scale is e^s."),
        slip(affine_coupling, {"x * s.exp() + t": "(x + t) * s.exp()"},
             "You shifted before you scaled. First x is multiplied by e^s, then t is added."),
        slip(affine_coupling, {"x * s.exp() + t": "x * s.exp() - t"},
             "You took the shift off. The coupling adds it; the way back takes it off."),
        slip(affine_coupling, {"x * s.exp() + t": "x * (-s).exp() + t"},
             "You divided by the scale. The coupling multiplies by e^s; the way back divides."),
        slip(affine_coupling, {"x * s.exp() + t": "(x - t) * (-s).exp()"},
             "You went the way back, from y to x. Asked for is the coupling itself: x ⊙ e^s + t."),
        slip(affine_coupling, {"x * s.exp() + t": "x * s.exp()"},
             "You left the shift out: the entries that change become x ⊙ e^s + t."),
        slip(affine_coupling, {"x * s.exp() + t": "x + t"},
             "You shift without a scale, as NICE does. An affine coupling multiplies by e^s, too."),
        slip(affine_coupling, {_Y: "(1 - mask) * (x * s.exp() + t)"},
             "The entries that stay have become 0. They are handed on as they are."),
        slip(affine_coupling, {_Y: "x + (1 - mask) * (x * s.exp() + t)"},
             "You added the new value to the old one. Where the mask is 0 the new value stands in its place."),
        slip(affine_coupling, {_Y: "x * s.exp() + t"},
             "You scaled and shifted all entries. Those where the mask is 1 stay as they are."),
        slip(affine_coupling, {_COUPLED: "s.sum(dim=1)"},
             "Your log-determinant counts the entries that stay. Their derivative is 1, with the logarithm 0."),
        slip(affine_coupling, {_COUPLED: "(mask * s).sum(dim=1)"},
             "Your log-determinant counts the wrong entries: those that stay. Only where the mask is 0 is anything scaled."),
        slip(affine_coupling, {_COUPLED: "-((1 - mask) * s).sum(dim=1)"},
             "Your log-determinant has the wrong sign: it is that of the way back."),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * s.exp()).sum(dim=1)"},
             "You added up the scales. The determinant is their product, so its logarithm is the sum of their logarithms, s."),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * s).sum(dim=1).exp()"},
             "Your second value is the determinant. Asked for is its logarithm.", ),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * s).mean(dim=1)"},
             "You averaged over the dimensions. The logarithm of a product is a sum."),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * s + mask).prod(dim=1)"},
             "You multiplied the entries of s. Multiplied are the scales e^s, so s is added up."),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * s.abs()).sum(dim=1)"},
             "You added up |s|. A scale below 1 has a negative logarithm: s keeps its sign."),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * s).sum().expand(len(x))"},
             "You added up over all points. Each has a log-determinant of its own."),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * s).mean(dim=0).sum().expand(len(x))"},
             "You gave the mean log-determinant for every point. Each has one of its own."),
        slip(affine_coupling, {_COUPLED: "((1 - mask) * (s + t)).sum(dim=1)"},
             "You put the shift into the log-determinant. A shift moves points without stretching space: its derivative is 1."),
        slip(affine_coupling, {_COUPLED: "torch.log(torch.exp((1 - mask) * s).prod(dim=1))"},
             "Your formula is right, but the product of many scales may be 0 in floating point, whose logarithm is −∞. Add up the logarithms s instead.",
             loses=("hidden",)),
        slip(affine_coupling, {"s = h @ S + c": "s = (h @ S + c).clamp(-10, 10)"},
             "Your s seems to be cut off. A scale may be as small as e⁻⁶⁰: use it as it is.",
             loses=("hidden",)),
    ),
    alternatives=(coupling_by_index, coupling_numpy, coupling_loops),
)  # fmt: skip

# 3 ---------------------------------------------------------------------------------------- a stack, undone


def stack_inputs(case, rng):
    """What a stack of couplings makes of moderate points; a hidden one stretches beyond what a determinant can hold."""
    N, D, H, K = case["N"], case["D"], case["H"], case["K"]
    masks = ((np.arange(D) + np.arange(K)[:, None]) % 2).astype(float)
    V = sides(rng, K, D, H) * rng.uniform(0.3, 0.8, (K, D, H))
    S = sides(rng, K, H, D) * rng.uniform(0.15, 0.4, (K, H, D))
    T = sides(rng, K, H, D) * rng.uniform(0.3, 0.8, (K, H, D))
    c = case.get("shift", 0.0) + sides(rng, K, D) * rng.uniform(0.1, 0.4, (K, D))
    y = sides(rng, N, D) * rng.uniform(0.3, 1.5, (N, D))
    for k in range(K):
        h = np.tanh((masks[k] * y) @ V[k])
        y = np.where(masks[k] > 0, y, y * np.exp(h @ S[k] + c[k]) + h @ T[k])
    return {"y": y, "masks": masks, "V": V, "S": S, "T": T, "c": c}


def undo_couplings(y, masks, V, S, T, c):
    x, log_det = y, 0.0
    for k in reversed(range(len(masks))):
        mask = masks[k]
        kept = mask * x
        h = torch.tanh(kept @ V[k])
        s = h @ S[k] + c[k]
        x = kept + (1 - mask) * (x - h @ T[k]) * (-s).exp()
        log_det = log_det + ((1 - mask) * s).sum(dim=1)
    log_base = -0.5 * x.square().sum(dim=1) - 0.5 * x.shape[1] * math.log(2 * math.pi)
    return x, log_base - log_det


def undo_by_recursion(y, masks, V, S, T, c):
    """Undoes the last layer, and leaves the rest to itself."""

    def undone(y, k):
        if k < 0:
            return y, torch.distributions.Normal(0.0, 1.0).log_prob(y).sum(dim=1)
        changes = masks[k] == 0
        h = torch.tanh(torch.where(changes, torch.zeros_like(y), y) @ V[k])
        s = torch.where(changes, h @ S[k] + c[k], torch.zeros_like(y))
        x, log_prob = undone(torch.where(changes, (y - h @ T[k]) / s.exp(), y), k - 1)
        return x, log_prob - s.sum(dim=1)

    return undone(y, len(masks) - 1)


def undo_numpy(y, masks, V, S, T, c):
    x = y.numpy().copy()
    log_prob = np.zeros(len(x))
    for mask, v, s, t, shift in list(
        zip(masks.numpy(), V.numpy(), S.numpy(), T.numpy(), c.numpy(), strict=True)
    )[::-1]:
        h = np.tanh(x[:, mask == 1] @ v[mask == 1])
        scale = (h @ s + shift)[:, mask == 0]
        x[:, mask == 0] = np.exp(-scale) * (x[:, mask == 0] - (h @ t)[:, mask == 0])
        log_prob -= scale.sum(axis=1)
    return x, log_prob - (x**2).sum(axis=1) / 2 - x.shape[1] * np.log(2 * np.pi) / 2


def undo_by_flips(y, masks, V, S, T, c):
    layers = zip(*(v.flip(0) for v in (masks, V, S, T, c)), strict=True)
    total = -0.5 * y.shape[1] * math.log(2 * math.pi) * torch.ones_like(y[:, 0])
    for mask, v, s, t, shift in layers:
        h = torch.tanh((mask * y) @ v)
        log_scale = (1 - mask) * (h @ s + shift)
        y = (y - (1 - mask) * (h @ t)) * torch.exp(-log_scale)
        total = total - log_scale.sum(dim=1)
    return y, total - 0.5 * (y * y).sum(dim=1)


_BACK = "(x - h @ T[k]) * (-s).exp()"
_X = "kept + (1 - mask) * " + _BACK
_ADDED = "log_det + ((1 - mask) * s).sum(dim=1)"
_AT_X = "-0.5 * x.square().sum(dim=1) - 0.5 * x.shape[1] * math.log(2 * math.pi)"
STACK = Exercise(
    name="undo_couplings",
    outputs=(Output("x", ("N", "D")), Output("log_prob", ("N",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=stack_inputs,
    cases={
        "visible": ({"N": 4, "D": 3, "H": 2, "K": 3}, {"N": 1, "D": 4, "H": 3, "K": 2}),
        "hidden": (
            {"N": 5, "D": 5, "H": 3, "K": 4},
            {"N": 1, "D": 2, "H": 3, "K": 3},
            {"N": 3, "D": 4, "H": 2, "K": 1},
            {"N": 2, "D": 30, "H": 3, "K": 6, "shift": 12.0},
        ),
    },
    reference=undo_couplings,
    wrong=(
        slip(undo_couplings, {"reversed(range(len(masks)))": "range(len(masks))"},
             "You undid the first layer first. The last one was applied last, so it is undone first."),
        slip(undo_couplings, {"mask = masks[k]": "mask = masks[len(masks) - 1 - k]"},
             "You took the networks in one order and the masks in the other. Layer k is undone with its own mask."),
        slip(undo_couplings, {"mask = masks[k]": "mask = 1 - masks[k]"},
             "Your masks are upside down. Where a mask is 1, an entry stayed as it was; where it is 0, it was scaled and shifted."),
        slip(undo_couplings, {"V[k]": "V[0]", "S[k]": "S[0]", "T[k]": "T[0]", "c[k]": "c[0]"},
             "You used the first layer's network for all layers. Each has its own."),
        slip(undo_couplings, {_BACK: "(x * s.exp() + h @ T[k])"},
             "You applied the layers once more. Undone is a layer by (y − t) ⊙ e^(−s)."),
        slip(undo_couplings, {_BACK: "(x * (-s).exp() - h @ T[k])"},
             "You divided before you took the shift off. The layer scales and then shifts, so the shift is taken off first."),
        slip(undo_couplings, {_BACK: "(x - h @ T[k]) * s.exp()"},
             "You multiplied by the scale. The layer multiplies by e^s, so the way back divides by it."),
        slip(undo_couplings, {_BACK: "(x + h @ T[k]) * (-s).exp()"},
             "You added the shift. The layer adds it, so the way back takes it off."),
        slip(undo_couplings, {_BACK: "x * (-s).exp()"},
             "You forgot the shift. The way back takes it off before it divides."),
        slip(undo_couplings, {_BACK: "(x - h @ T[k])"},
             "You forgot the scale. The way back divides by e^s."),
        slip(undo_couplings, {_X: "(1 - mask) * " + _BACK},
             "The entries that a layer kept have become 0. They are handed back as they are."),
        slip(undo_couplings, {_X: _BACK},
             "You undid all entries of each layer. Those where the mask is 1 were not changed."),
        slip(undo_couplings, {"torch.tanh(kept @ V[k])": "torch.tanh(x @ V[k])"},
             "Your network sees all entries. In the layer it saw only those that the mask keeps."),
        slip(undo_couplings, {"torch.tanh(kept @ V[k])": "kept @ V[k]"},
             "You left tanh out of the network: h = tanh((m ⊙ x) V)."),
        slip(undo_couplings, {"s = h @ S[k] + c[k]": "s = h @ S[k]"},
             "You left c out of the logarithm of the scale: s = h S + c."),
        slip(undo_couplings, {"log_base - log_det": "log_base + log_det"},
             "Your log-determinants have the wrong sign. Where the layers stretch space the density of y is smaller than that of x."),
        slip(undo_couplings, {"log_base - log_det": "log_base"},
             "You left the log-determinants out of the log-density: change of variables has one for each layer."),
        slip(undo_couplings, {"log_base - log_det": "log_base - log_det / len(masks)"},
             "You averaged the log-determinants over the layers. Determinants of maps one after another multiply: their logarithms add up."),
        slip(undo_couplings, {_ADDED: "((1 - mask) * s).sum(dim=1)"},
             "You kept the log-determinant of one layer only. Those of all layers add up."),
        slip(undo_couplings, {_ADDED: "log_det + s.sum(dim=1)"},
             "Your log-determinant counts the entries that stay. Their derivative is 1, with the logarithm 0."),
        slip(undo_couplings, {_ADDED: "log_det + (mask * s).sum(dim=1)"},
             "Your log-determinant counts the entries that stay, and only those. What is scaled are the others."),
        slip(undo_couplings, {_ADDED: "log_det + ((1 - mask) * s).mean(dim=1)"},
             "You averaged s over the dimensions. The logarithm of a product is a sum."),
        slip(undo_couplings, {_ADDED: "log_det + ((1 - mask) * s.exp()).sum(dim=1)"},
             "You added up the scales. A layer's determinant is their product, so its logarithm is the sum of their logarithms, s."),
        slip(undo_couplings, {_AT_X: _AT_X.replace("x.square", "y.square")},
             "You took the normal density at y. It is the density of x: take it where the way back ends."),
        slip(undo_couplings, {_AT_X: "-0.5 * x.square().sum(dim=1)"},
             "You left the normal density's constant out: −½ log 2π for each dimension."),
        slip(undo_couplings, {"0.5 * x.shape[1] * math.log(2 * math.pi)": "0.5 * math.log(2 * math.pi)"},
             "You counted the constant −½ log 2π once. Each of the D dimensions has its own."),
        slip(undo_couplings, {"-0.5 * x.square()": "-x.square()"},
             "The half is missing before the square in the normal density."),
        slip(undo_couplings, {"x.square().sum(dim=1)": "x.square().mean(dim=1)"},
             "You averaged the squares over the dimensions. Independent log-densities add up."),
        slip(undo_couplings, {"log_base - log_det": "-log_det"},
             "Your log-density has the log-determinants only. Add the normal log-density of x."),
        slip(undo_couplings, {"log_base - log_det": "(log_base - log_det) / math.log(2)"},
             "Your log-density is in bits. Asked for are nats: natural logarithms."),
        slip(undo_couplings, {"log_base - log_det": "log_base.sum() - log_det"},
             "You added up the normal log-densities of all points. Asked for is one value for each point."),
        slip(undo_couplings, {"log_base - log_det": "(log_base.exp() * (-log_det).exp()).log()"},
             "Your formula is right, but densities underflow: 0 has the logarithm −∞. Stay with the logarithms.",
             loses=("hidden",)),
        slip(undo_couplings, {"s = h @ S[k] + c[k]": "s = (h @ S[k] + c[k]).clamp(-5, 5)"},
             "Your s seems to be cut off. A layer may stretch more than that: use s as it is.",
             loses=("hidden",)),
    ),
    alternatives=(undo_by_recursion, undo_numpy, undo_by_flips),
)  # fmt: skip

# 4 --------------------------------------------------------------------------------------------- one bin of a spline


def spline_inputs(case, rng):
    """Bins, a point and a value in each; hidden bins are straight, flat at one end, steep, or asked for at their ends."""
    N = case["N"]
    # Multiples of powers of two are the same in single precision.
    width = np.round(16 * rng.uniform(0.5, 1.5, N)) / 16
    steep = case.get("steep", 1.0) * 2.0 ** rng.permutation(np.resize([-1, 0, 1], N))
    d0 = steep * np.round(64 * rng.uniform(0.3, 0.6, N)) / 64
    d1 = steep * np.round(64 * rng.uniform(1.3, 2.6, N)) / 64
    turned = rng.permutation(np.arange(N) % 2) == 1
    d0, d1 = np.where(turned, d1, d0), np.where(turned, d0, d1)
    if case.get("straight"):
        d0 = d1 = steep
    if case.get("flat"):
        d0 = np.full(N, 2.0**-40)
    xi, part = rng.uniform(0.15, 0.4, (2, N)) + np.where(rng.permutation(np.arange(N) % 2), 0.45, 0.0)
    if case.get("ends"):
        xi, part = np.arange(N) % 2, (np.arange(N) + 1) % 2
    elif case.get("flat"):
        xi[::2] = 0.0
    left = sides(rng, N) * np.round(16 * rng.uniform(0.5, 1.5, N)) / 16
    bottom = sides(rng, N) * np.round(16 * rng.uniform(0.5, 1.5, N)) / 16
    height = steep * width
    return {
        "u": left + xi * width, "v": bottom + part * height,
        "left": left, "width": width, "bottom": bottom, "height": height, "d0": d0, "d1": d1,
    }  # fmt: skip


def spline_bin(u, v, left, width, bottom, height, d0, d1):
    s = height / width
    bend = d0 + d1 - 2 * s
    xi = (u - left) / width
    below = s + bend * xi * (1 - xi)
    y = bottom + height * (s * xi**2 + d0 * xi * (1 - xi)) / below
    slope = s**2 * (d1 * xi**2 + 2 * s * xi * (1 - xi) + d0 * (1 - xi) ** 2) / below**2
    rise = v - bottom
    a = height * (s - d0) + rise * bend
    b, c = height * d0 - rise * bend, -s * rise
    back = left + width * (2 * c / (-b - (b**2 - 4 * a * c).sqrt()))
    return y, slope.log(), back


def spline_by_autograd(u, v, left, width, bottom, height, d0, d1):
    """The slope by autograd, the way back by bisection."""

    def value(x):
        xi, s = (x - left) / width, height / width
        share = (s * xi**2 + d0 * xi * (1 - xi)) / (s + (d0 + d1 - 2 * s) * xi * (1 - xi))
        return bottom + height * share

    at = u.clone().requires_grad_()
    y = value(at)
    (slope,) = torch.autograd.grad(y.sum(), at)
    low, high = left, left + width
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            torch.where(value(middle) <= v, middle, low),
            torch.where(value(middle) <= v, high, middle),
        )
    return y.detach(), slope.log(), (low + high) / 2


def spline_numpy(u, v, left, width, bottom, height, d0, d1):
    u, v, left, width, bottom, height, d0, d1 = (
        value.numpy() for value in (u, v, left, width, bottom, height, d0, d1)
    )
    s, xi, eta = height / width, (u - left) / width, (v - bottom) / height
    rest = xi * (1 - xi)
    below = s + (d0 + d1 - 2 * s) * rest
    y = bottom + height * (s * xi * xi + d0 * rest) / below
    log_slope = 2 * np.log(s / below) + np.log(d1 * xi**2 + 2 * s * rest + d0 * (1 - xi) ** 2)
    # η (s + (d0 + d1 - 2 s) ξ (1 - ξ)) = s ξ² + d0 ξ (1 - ξ), in powers of ξ, with everything divided by the height.
    a, b, c = s - d0 + eta * (d0 + d1 - 2 * s), d0 - eta * (d0 + d1 - 2 * s), -s * eta
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    share = np.where(
        b >= 0, -2 * c / np.where(b >= 0, b + root, 1), (root - b) / (2 * np.where(b >= 0, 1, a))
    )
    return y, log_slope, left + width * share


def spline_loops(u, v, left, width, bottom, height, d0, d1):
    columns = (u, v, left, width, bottom, height, d0, d1)
    y, log_slope, back = [], [], []
    for x, value, x0, w, y0, h, p, q in zip(*(column.tolist() for column in columns), strict=True):
        s, t = h / w, (x - x0) / w
        below = s * (1 - 2 * t * (1 - t)) + (p + q) * t * (1 - t)
        y.append(y0 + h * t * (s * t + p * (1 - t)) / below)
        above = q * t**2 + 2 * s * t * (1 - t) + p * (1 - t) ** 2
        log_slope.append(2 * math.log(s) + math.log(above) - 2 * math.log(below))
        low, high = 0.0, 1.0
        for _ in range(60):
            t = (low + high) / 2
            below = s + (p + q - 2 * s) * t * (1 - t)
            low, high = (t, high) if h * t * (s * t + p * (1 - t)) <= (value - y0) * below else (low, t)
        back.append(x0 + w * (low + high) / 2)
    return y, log_slope, back


_VALUE = "bottom + height * (s * xi**2 + d0 * xi * (1 - xi)) / below"
_SLOPE = "s**2 * (d1 * xi**2 + 2 * s * xi * (1 - xi) + d0 * (1 - xi) ** 2) / below**2"
_ROOT = "2 * c / (-b - (b**2 - 4 * a * c).sqrt())"
_WAY_BACK = f"left + width * ({_ROOT})"
_SPLINED = "return y, slope.log(), back"
SPLINE = Exercise(
    name="spline_bin",
    outputs=(Output("y", ("N",)), Output("log_slope", ("N",)), Output("back", ("N",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=spline_inputs,
    cases={
        "visible": ({"N": 5}, {"N": 1}),
        "hidden": (
            {"N": 6},
            {"N": 1, "steep": 2.0},
            {"N": 4, "ends": 1},
            {"N": 3, "straight": 1},
            {"N": 4, "flat": 1},
            {"N": 3, "steep": 256.0},
        ),
    },
    reference=spline_bin,
    wrong=(
        slip(spline_bin, {"xi = (u - left) / width": "xi = u - left"},
             "You did not divide by the width: ξ = (u − left) / width runs from 0 to 1 through the bin."),
        slip(spline_bin, {"xi = (u - left) / width": "xi = u / width"},
             "You did not take off the bin's left end: ξ = (u − left) / width."),
        slip(spline_bin, {"xi = (u - left) / width": "xi = 1 - (u - left) / width"},
             "Your ξ runs backwards: it is 0 at the left end of the bin and 1 at the right."),
        slip(spline_bin, {"s = height / width": "s = width / height"},
             "Your s is upside down: the bin's mean slope is height / width."),
        slip(spline_bin, {"s = height / width": "s = height"},
             "You forgot the width in s: the bin's mean slope is height / width."),
        slip(spline_bin, {"s = height / width": "d0, d1 = d1, d0\n    s = height / width"},
             "The two slopes have changed places: d₀ is that at the left end, d₁ at the right."),
        slip(spline_bin, {"bend = d0 + d1 - 2 * s": "bend = d0 + d1 - s"},
             "Your denominator has s where 2s belongs: s + (d₁ + d₀ − 2s) ξ (1 − ξ)."),
        slip(spline_bin, {"bend = d0 + d1 - 2 * s": "bend = d0 + d1"},
             "You left −2s out of the denominator: s + (d₁ + d₀ − 2s) ξ (1 − ξ)."),
        slip(spline_bin, {"bend = d0 + d1 - 2 * s": "bend = d1 - d0"},
             "Your denominator has a difference of the two slopes. It is s + (d₁ + d₀ − 2s) ξ (1 − ξ)."),
        slip(spline_bin, {_VALUE: "height * (s * xi**2 + d0 * xi * (1 - xi)) / below"},
             "You forgot where the bin begins: bottom is added to y."),
        slip(spline_bin, {_VALUE: "bottom + (s * xi**2 + d0 * xi * (1 - xi)) / below"},
             "You forgot the height in y: the fraction runs from 0 to 1, and is multiplied by the height."),
        slip(spline_bin, {_VALUE: "bottom + height * xi"},
             "Your y is a straight line. The spline is curved so that its slopes at the ends are d₀ and d₁."),
        slip(spline_bin, {_VALUE: "bottom + height * (xi**2 + d0 * xi * (1 - xi)) / below"},
             "You forgot the factor s before ξ² in y: (s ξ² + d₀ ξ (1 − ξ)) / (…)."),
        slip(spline_bin, {_VALUE: "bottom + height * (s * xi**2) / below"},
             "You left the slope at the left end out of y: (s ξ² + d₀ ξ (1 − ξ)) / (…)."),
        slip(spline_bin, {_VALUE: "bottom + height * (s * xi**2 + d1 * xi * (1 - xi)) / below"},
             "Your y has d₁ in its numerator, where d₀, the slope at the left end, belongs."),
        slip(spline_bin, {_SLOPE: "s * (d1 * xi**2 + 2 * s * xi * (1 - xi) + d0 * (1 - xi) ** 2) / below**2"},
             "You forgot a square in the slope: its factor is s²."),
        slip(spline_bin, {_SLOPE: "s**2 * (d1 * xi**2 + 2 * s * xi * (1 - xi) + d0 * (1 - xi) ** 2) / below"},
             "You forgot a square in the slope: its denominator is squared, as in any derivative of a fraction."),
        slip(spline_bin, {_SLOPE: "s**2 * (d1 * xi**2 + s * xi * (1 - xi) + d0 * (1 - xi) ** 2) / below**2"},
             "You forgot the 2 in the middle of the slope's numerator: d₁ ξ² + 2s ξ (1 − ξ) + d₀ (1 − ξ)²."),
        slip(spline_bin, {_SLOPE: "s**2 * (d1 * xi**2 + d0 * (1 - xi) ** 2) / below**2"},
             "You left the middle out of the slope's numerator: d₁ ξ² + 2s ξ (1 − ξ) + d₀ (1 − ξ)²."),
        slip(spline_bin, {_SLOPE: "s**2 * (d0 * xi**2 + 2 * s * xi * (1 - xi) + d1 * (1 - xi) ** 2) / below**2"},
             "The two slopes have changed places in the slope: at ξ = 0 it must be d₀, at ξ = 1 it must be d₁."),
        slip(spline_bin, {_SLOPE: "width * s**2 * (d1 * xi**2 + 2 * s * xi * (1 - xi) + d0 * (1 - xi) ** 2) / below**2"},
             "Your slope is the derivative with respect to ξ. Asked for is that with respect to u, of which ξ is a part: dξ/du = 1 / width."),
        slip(spline_bin, {_SLOPE: "s * torch.ones_like(xi)"},
             "Your slope is the bin's mean slope. The spline's own changes through the bin, from d₀ to d₁."),
        slip(spline_bin, {_SLOPE: "torch.lerp(d0, d1, xi)"},
             "You interpolated between the two slopes. A curve with that slope would not end at the top of the bin: take the derivative of the fraction."),
        slip(spline_bin, {_SPLINED: "return y, slope, back"},
             "Your second value is the slope. Asked for is its logarithm."),
        slip(spline_bin, {_SPLINED: "return y, -slope.log(), back"},
             "Your log-slope has the wrong sign: it is that of the way back."),
        slip(spline_bin, {_SPLINED: "return y, slope.log() / math.log(2), back"},
             "Your log-slope is in bits. Asked for are nats: natural logarithms."),
        slip(spline_bin, {_SPLINED: "return y, slope.log().sum() + 0 * y, back"},
             "You added up the log-slopes of all points. Asked for is one for each."),
        slip(spline_bin, {_SPLINED: "return back, slope.log(), y"},
             "Your first and third value have changed places: first y, the spline at u, and last the point where it is v."),
        slip(spline_bin, {_ROOT: "2 * c / (-b + (b**2 - 4 * a * c).sqrt())"},
             "You took the other solution of the quadratic equation, which lies outside the bin. It is 2c / (−b − √(b² − 4ac))."),
        slip(spline_bin, {", -s * rise": ", s * rise", "(b**2 - 4 * a * c)": "(b**2 - 4 * a * c).abs()"},
             "Your c has the wrong sign: c = −s (v − bottom)."),
        slip(spline_bin, {"rise = v - bottom": "rise = v"},
             "You did not take bottom off v on the way back: the equation is about v − bottom."),
        slip(spline_bin, {_WAY_BACK: "width * (" + _ROOT + ")"},
             "You forgot the bin's left end on the way back: u = left + width · ξ."),
        slip(spline_bin, {_WAY_BACK: "left + " + _ROOT},
             "You forgot the width on the way back: u = left + width · ξ."),
        slip(spline_bin, {_WAY_BACK: _ROOT},
             "Your third value is ξ. Asked for is the point itself: left + width · ξ."),
        slip(spline_bin, {_WAY_BACK: "left + width * rise / height"},
             "Your way back is that of a straight line. Solve the quadratic equation."),
        slip(spline_bin, {_WAY_BACK: "left + width * xi"},
             "Your third value is u. Asked for is the point at which the spline has the value v."),
        slip(spline_bin, {"a = height * (s - d0) + rise * bend": "a = height * (s - d0)"},
             "Your a is incomplete: a = height (s − d₀) + (v − bottom)(d₁ + d₀ − 2s)."),
        slip(spline_bin, {"height * d0 - rise * bend": "height * d0"},
             "Your b is incomplete: b = height · d₀ − (v − bottom)(d₁ + d₀ − 2s)."),
        slip(spline_bin, {_ROOT: "(-b + (b**2 - 4 * a * c).sqrt()) / (2 * a)"},
             "Your formula is right, but in a straight bin a is 0, and 0/0 is no number. 2c / (−b − √(b² − 4ac)) is the same solution without that division.",
             loses=("hidden",)),
        slip(spline_bin, {"s = height / width": "d0, d1 = d0.clamp(min=1e-3), d1.clamp(min=1e-3)\n    s = height / width"},
             "You keep the slopes at the ends away from 0, as some implementations do. They are given and positive: use them as they are.",
             loses=("hidden",)),
    ),
    alternatives=(spline_by_autograd, spline_numpy, spline_loops),
)  # fmt: skip

# 5 ------------------------------------------------------------------------------------------------ a step of Glow


def glow_inputs(case, rng):
    """Images, an activation normalisation and a 1×1 convolution; hidden ones have determinants that are 0 as numbers."""
    N, C, H, W = case["N"], case["C"], case["H"], case["W"]
    return {
        "x": sides(rng, N, C, H, W) * rng.uniform(0.3, 1.7, (N, C, H, W)),
        "bias": sides(rng, C) * rng.uniform(0.4, 1.2, C),
        "log_scale": case.get("shift", 0.0) + sides(rng, C) * rng.uniform(0.2, 0.5, C) + 0.15,
        "M": matrix_of(rng, C, case.get("sign", 1), case.get("scale", 1.4)),
    }


def glow_step(x, bias, log_scale, M):
    H, W = x.shape[2:]
    z = (x + bias[:, None, None]) * log_scale.exp()[:, None, None]
    y = torch.einsum("ij,njhw->nihw", M, z)
    return y, H * W * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)


def glow_by_convolution(x, bias, log_scale, M):
    """Both layers as one convolution, whose matrix is M diag(exp(log_scale))."""
    both = M * torch.exp(log_scale)
    y = torch.nn.functional.conv2d(x, both[:, :, None, None], bias=both @ bias)
    values = torch.linalg.svdvals(M)
    return y, x[0, 0].numel() * (values.log() + log_scale).sum()


def glow_numpy(x, bias, log_scale, M):
    x, bias, log_scale, M = x.numpy(), bias.numpy(), log_scale.numpy(), M.numpy()
    pixels = np.moveaxis(x, 1, -1)
    y = ((pixels + bias) * np.exp(log_scale)) @ M.T
    log_det = y.shape[1] * y.shape[2] * (np.linalg.slogdet(M)[1] + log_scale.sum())
    return np.moveaxis(y, -1, 1), log_det


def glow_loops(x, bias, log_scale, M):
    y, log_det = torch.empty_like(x), 0.0
    one = float(torch.linalg.slogdet(M)[1])
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            y[:, :, i, j] = ((x[:, :, i, j] + bias) * log_scale.exp()) @ M.T
            log_det += one + sum(log_scale.tolist())
    return y, log_det


_NORMED = "(x + bias[:, None, None]) * log_scale.exp()[:, None, None]"
_ONE_BY_ONE = 'torch.einsum("ij,njhw->nihw", M, z)'
_GLOW = "H * W * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)"
_LOG_M = "torch.linalg.slogdet(M).logabsdet"
GLOW = Exercise(
    name="glow_step",
    outputs=(Output("y", ("N", "C", "H", "W")), Output("log_det", ())),
    points={"visible": 1, "hidden": 1},
    make_inputs=glow_inputs,
    cases={
        "visible": (
            {"N": 2, "C": 3, "H": 2, "W": 4},
            {"N": 1, "C": 2, "H": 3, "W": 2},
            {"N": 4, "C": 4, "H": 5, "W": 3},
        ),
        "hidden": (
            {"N": 3, "C": 3, "H": 4, "W": 2, "sign": -1},
            {"N": 2, "C": 1, "H": 3, "W": 5, "sign": -1},
            {"N": 1, "C": 20, "H": 2, "W": 3, "scale": 1e-18},
            {"N": 2, "C": 25, "H": 2, "W": 1, "shift": -35.0},
        ),
    },
    reference=glow_step,
    wrong=(
        slip(glow_step, {_GLOW: "log_scale.sum() + torch.linalg.slogdet(M).logabsdet"},
             "You counted the log-determinant once. The same map acts at each of the H × W places, and their determinants multiply."),
        slip(glow_step, {_GLOW: "H * W * log_scale.sum() + torch.linalg.slogdet(M).logabsdet"},
             "You counted the convolution's log-determinant once. M acts at each of the H × W places."),
        slip(glow_step, {_GLOW: "log_scale.sum() + H * W * torch.linalg.slogdet(M).logabsdet"},
             "You counted the normalisation's log-determinant once. The scales act at each of the H × W places."),
        slip(glow_step, {_GLOW: "H * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)"},
             "You counted the log-determinant once for each row. An image has H × W places."),
        slip(glow_step, {_GLOW: "W * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)"},
             "You counted the log-determinant once for each column. An image has H × W places."),
        slip(glow_step, {_GLOW: "(H + W) * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)"},
             "You counted H + W places. An image has H × W of them."),
        slip(glow_step, {_GLOW: "len(x) * H * W * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)"},
             "You counted the log-determinant of all images together. Asked for is that of one."),
        slip(glow_step, {_GLOW: "len(bias) * H * W * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)"},
             "You counted the channels twice: they are in the sum and in det M already. There are H × W places."),
        slip(glow_step, {_GLOW: "H * W * log_scale.sum()"},
             "You left the convolution out of the log-determinant: log |det M| at each place."),
        slip(glow_step, {_GLOW: "H * W * torch.linalg.slogdet(M).logabsdet"},
             "You left the normalisation out of the log-determinant: its scales' logarithms, at each place."),
        slip(glow_step, {_GLOW: "-H * W * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet)"},
             "Your log-determinant has the wrong sign: it is that of the way back."),
        slip(glow_step, {_GLOW: "H * W * (torch.linalg.slogdet(M).logabsdet - log_scale.sum())"},
             "You took the scales' logarithms off. Both layers are on the way from x to y: their log-determinants add up."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.sum() - torch.linalg.slogdet(M).logabsdet)"},
             "You took log |det M| off. Both layers are on the way from x to y: their log-determinants add up."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.exp().sum() + torch.linalg.slogdet(M).logabsdet)"},
             "You added up the scales. Their product is the determinant, so their logarithms are added."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.mean() + torch.linalg.slogdet(M).logabsdet)"},
             "You averaged the log-scales over the channels. The logarithm of a product is a sum."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.sum() + torch.linalg.det(M).abs())"},
             "You added det M itself. Add its logarithm, log |det M|."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.sum() + M.diagonal().abs().log().sum())"},
             "You multiplied the diagonal of M. That is the determinant of a triangular matrix, and this one is not triangular."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.sum() + M.trace())"},
             "You took the trace for the log-determinant. Use torch.linalg.slogdet."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.sum() + torch.linalg.slogdet(M @ M.T).logabsdet)"},
             "Your log-determinant is that of MMᵀ, which is twice log |det M|."),
        slip(glow_step, {_GLOW: "H * W * (log_scale.sum() + torch.linalg.slogdet(M).logabsdet) / math.log(2)"},
             "Your log-determinant is in bits. Asked for are nats: natural logarithms."),
        slip(glow_step, {_GLOW: "(log_scale.sum() + torch.linalg.slogdet(M).logabsdet) / len(bias)"},
             "You divided by a number of channels. The log-determinant of an image is a sum over its H × W places."),
        slip(glow_step, {_ONE_BY_ONE: 'torch.einsum("ji,njhw->nihw", M, z)'},
             "You multiplied by the transpose of M. Channel i of the result is the sum over j of M[i, j] times channel j."),
        slip(glow_step, {_ONE_BY_ONE: 'torch.einsum("ij,njhw->nihw", torch.linalg.inv(M), z)'},
             "You multiplied by the inverse of M, which is the way back."),
        slip(glow_step, {_ONE_BY_ONE: "(z.reshape(len(x), H * W, -1) @ M.T).reshape(x.shape)"},
             "You reshaped where axes must be exchanged: reshape keeps the order of the numbers, so that channels and places are mixed up. Use movedim or einsum."),
        slip(glow_step, {_ONE_BY_ONE: "z"},
             "You left the convolution out of y: at each place the C channels are multiplied by M."),
        slip(glow_step, {"z = " + _NORMED: "z = x"},
             "You left the normalisation out of y: (x + bias) times the scale, channel by channel."),
        slip(glow_step, {_NORMED: "x * log_scale.exp()[:, None, None] + bias[:, None, None]"},
             "You scaled before you shifted. Here the bias is added first, then the sum is scaled."),
        slip(glow_step, {_NORMED: "(x - bias[:, None, None]) * log_scale.exp()[:, None, None]"},
             "You took the bias off. Here it is added: (x + bias) times the scale."),
        slip(glow_step, {_NORMED: "(x + bias[:, None, None]) * (-log_scale).exp()[:, None, None]"},
             "You divided by the scale. Here (x + bias) is multiplied by it."),
        slip(glow_step, {_NORMED: "(x + bias[:, None, None]) * log_scale[:, None, None]"},
             "You multiplied by log_scale itself. The scale is its exponential."),
        slip(glow_step, {_NORMED: "x * log_scale.exp()[:, None, None]"},
             "You left the bias out: (x + bias) times the scale."),
        slip(glow_step, {"z = " + _NORMED: "z = x", _ONE_BY_ONE: '(torch.einsum("ij,njhw->nihw", M, z) + bias[:, None, None]) * log_scale.exp()[:, None, None]'},
             "You convolved first and normalised then. The normalisation comes first."),
        slip(glow_step, {_LOG_M: "torch.linalg.det(M).log()"},
             "A determinant may be negative, and your logarithm is no number then. What counts is its absolute value.",
             loses=("hidden",)),
        slip(glow_step, {_LOG_M: "torch.linalg.det(M).abs().log()"},
             "Your formula is right, but a determinant of many channels may be 0 in floating point. torch.linalg.slogdet gives the logarithm itself.",
             loses=("hidden",)),
        slip(glow_step, {"log_scale.sum()": "log_scale.exp().prod().log()"},
             "Your formula is right, but the product of many scales may be 0 in floating point. Add up their logarithms, which you have.",
             loses=("hidden",)),
    ),
    alternatives=(glow_by_convolution, glow_numpy, glow_loops),
)  # fmt: skip

# 6 ---------------------------------------------------------------------------------------- bits for the levels


def levels_inputs(case, rng):
    """Pixels' levels, noise, and a flow's log-densities; hidden ones have exponentials that are 0."""
    S, N, D, L, margin = case["S"], case["N"], case["D"], case["levels"], case["margin"]
    levels = rng.integers(0, L, (N, D))
    # Multiples of powers of two are the same in single precision.
    noise = np.round(64 * rng.uniform(0.1, 0.9, (S, N, D))) / 64
    if case.get("ends"):
        noise[0] = 0.0
        levels = np.where(rng.permuted(np.resize([0, 1], N * D)).reshape(N, D), L - 1, 0)
    p = margin + (1 - 2 * margin) * (levels + noise) / L
    y = np.log(p) - np.log1p(-p)
    # The flow is a Gaussian with some error, as one may have that was stopped early.
    density = -0.5 * (y**2 / 2 + math.log(4 * math.pi)).sum(axis=2) - case.get("below", 0.0)
    spread = case.get("spread", 1.0) * rng.permuted(
        np.tile(np.linspace(-1.5, 1.5, S)[:, None], (1, N)), axis=0
    )
    return {
        "levels": levels,
        "noise": noise,
        "log_density": density + spread,
        "num_levels": L,
        "margin": margin,
    }


def dequantized_bits(levels, noise, log_density, num_levels, margin):
    S, _, D = noise.shape
    z = (levels + noise) / num_levels
    p = margin + (1 - 2 * margin) * z
    not_p = margin + (1 - 2 * margin) * (num_levels - levels - noise) / num_levels
    y = p.log() - not_p.log()
    log_slope = math.log(1 - 2 * margin) - p.log() - not_p.log()
    log_w = log_density + log_slope.sum(dim=2) - D * math.log(num_levels)
    elbo = log_w.mean(dim=0)
    bound = torch.logsumexp(log_w, dim=0) - math.log(S)
    return y, -elbo / (D * math.log(2)), -bound / (D * math.log(2))


def levels_by_logit(levels, noise, log_density, num_levels, margin):
    """The slope as that of the sigmoid on the way back."""
    scaled = (levels + noise).double() / num_levels
    y = torch.logit(margin + (1 - 2 * margin) * scaled)
    sigmoid = torch.nn.functional.logsigmoid
    back = sigmoid(y) + sigmoid(-y) - math.log1p(-2 * margin) + math.log(num_levels)
    nats = back.sum(dim=2) - log_density
    top = (-nats).max(dim=0).values
    bound = -top - (-nats - top).exp().mean(dim=0).log()
    size = levels.shape[1] * math.log(2)
    return y, nats.mean(dim=0) / size, bound / size


def levels_by_autograd(levels, noise, log_density, num_levels, margin):
    x = (levels + noise).double().requires_grad_()
    y = torch.logit(margin + (1 - 2 * margin) * x / num_levels)
    (slope,) = torch.autograd.grad(y.sum(), x)
    log_w = log_density + slope.log().sum(dim=-1)
    per_bit = levels.shape[-1] * math.log(2)
    averaged = torch.logsumexp(log_w - math.log(len(noise)), dim=0)
    return y.detach(), -log_w.mean(dim=0) / per_bit, -averaged / per_bit


def levels_numpy(levels, noise, log_density, num_levels, margin):
    x = levels.numpy()[None] + noise.numpy()
    p = margin + (1 - 2 * margin) * x / num_levels
    y = np.log(p / (1 - p))
    log2_slope = np.log2((1 - 2 * margin) / (num_levels * p * (1 - p)))
    log2_w = (log_density.numpy() / np.log(2) + log2_slope.sum(axis=2)) / x.shape[2]
    bound = np.logaddexp2.reduce(log2_w * x.shape[2], axis=0) - np.log2(len(x))
    return y, -log2_w.mean(axis=0), -bound / x.shape[2]


_P = "margin + (1 - 2 * margin) * z"
_NOT_P = "margin + (1 - 2 * margin) * (num_levels - levels - noise) / num_levels"
_LOGIT_SLOPE = "math.log(1 - 2 * margin) - p.log() - not_p.log()"
_LOG_W = "log_density + log_slope.sum(dim=2) - D * math.log(num_levels)"
_TIGHT = "torch.logsumexp(log_w, dim=0) - math.log(S)"
_BITS = "return y, -elbo / (D * math.log(2)), -bound / (D * math.log(2))"
LEVELS = Exercise(
    name="dequantized_bits",
    outputs=(Output("y", ("S", "N", "D")), Output("elbo_bits", ("N",)), Output("bound_bits", ("N",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=levels_inputs,
    cases={
        "visible": (
            {"S": 4, "N": 3, "D": 2, "levels": 17, "margin": 0.05},
            {"S": 3, "N": 1, "D": 3, "levels": 5, "margin": 0.125},
            {"S": 1, "N": 2, "D": 2, "levels": 8, "margin": 0.1},
        ),
        "hidden": (
            {"S": 5, "N": 4, "D": 3, "levels": 16, "margin": 0.1, "spread": 2.0},
            {"S": 3, "N": 2, "D": 1, "levels": 2, "margin": 0.0},
            {"S": 1, "N": 3, "D": 4, "levels": 256, "margin": 0.05},
            {"S": 4, "N": 2, "D": 3, "levels": 256, "margin": 1e-6, "ends": 1},
            {"S": 6, "N": 1, "D": 50, "levels": 17, "margin": 0.05, "below": 2500.0, "spread": 90.0},
        ),
    },
    reference=dequantized_bits,
    wrong=(
        slip(dequantized_bits, {_LOG_W: "log_density + log_slope.sum(dim=2)"},
             "You left out that a level is one L-th of the interval: log L is taken off for each of the D dimensions."),
        slip(dequantized_bits, {_LOG_W: "log_density + log_slope.sum(dim=2) + D * math.log(num_levels)"},
             "You added log L. A density on [0, 1] is large because its L levels have been squeezed: their probability is smaller by L for each dimension."),
        slip(dequantized_bits, {_LOG_W: "log_density + log_slope.sum(dim=2) - math.log(num_levels)"},
             "You took log L off once. Each of the D dimensions was divided by L."),
        slip(dequantized_bits, {_LOG_W: "log_density - D * math.log(num_levels)"},
             "You left out the logit's slope. The flow's density is one of y: change of variables adds log dy/dz for each dimension."),
        slip(dequantized_bits, {_LOG_W: "log_density - log_slope.sum(dim=2) - D * math.log(num_levels)"},
             "The logit's slope has the wrong sign. You go from the density of y to that of z: log dy/dz is added."),
        slip(dequantized_bits, {_LOG_W: "log_density + log_slope.mean(dim=2) - D * math.log(num_levels)"},
             "You averaged the log-slopes over the dimensions. The determinant is their product: add them up."),
        slip(dequantized_bits, {_LOG_W: "log_density"},
             "You took the density of y for that of the levels: both the logit's slope and log L are missing."),
        slip(dequantized_bits, {_LOG_W: "log_slope.sum(dim=2) - D * math.log(num_levels)"},
             "You left the flow's own log-density out."),
        slip(dequantized_bits, {_LOGIT_SLOPE: "-p.log() - not_p.log()"},
             "Your slope is incomplete: p = α + (1 − 2α) z, so the chain rule brings in the factor 1 − 2α."),
        slip(dequantized_bits, {_LOGIT_SLOPE: "math.log(1 - 2 * margin) + p.log() + not_p.log()"},
             "Your slope has p(1 − p) as a factor. That is the sigmoid's slope; the logit's is 1 / (p (1 − p))."),
        slip(dequantized_bits, {_LOGIT_SLOPE: "math.log(1 - 2 * margin) - p.log()"},
             "Your slope is that of log p. The logit is log p − log(1 − p), whose slope is 1 / (p (1 − p))."),
        slip(dequantized_bits, {_LOGIT_SLOPE: "-math.log(1 - 2 * margin) - p.log() - not_p.log()"},
             "The factor 1 − 2α is on the wrong side: z is multiplied by it on the way to y, so its logarithm is added."),
        slip(dequantized_bits, {_LOGIT_SLOPE: "math.log(1 - 2 * margin) - torch.nn.functional.logsigmoid(z) - torch.nn.functional.logsigmoid(-z)"},
             "You took the slope at z. In 1 / (p (1 − p)) stands p = α + (1 − 2α) z itself, not its sigmoid."),
        slip(dequantized_bits, {"z = (levels + noise) / num_levels": "z = (levels + noise) / (num_levels - 1)", _NOT_P: "1 - p"},
             "You divided by L − 1. Level k and its noise lie between k and k + 1, all of them between 0 and L: divide by L."),
        slip(dequantized_bits, {"z = (levels + noise) / num_levels": "noise = noise - 0.5\n    z = (levels + noise) / num_levels"},
             "You centred the noise. Here it lies in [0, 1), so that level k fills the interval from k to k + 1."),
        slip(dequantized_bits, {"z = (levels + noise) / num_levels": "noise = torch.full_like(noise, 0.5)\n    z = (levels + noise) / num_levels"},
             "You put ½ in the place of the noise. Without it the density could be a spike at each level, and the bound would not hold."),
        slip(dequantized_bits, {_P: "margin + (1 - margin) * z", _NOT_P: "(1 - margin) * (num_levels - levels - noise) / num_levels"},
             "You squeezed z from one side only. p = α + (1 − 2α) z runs from α to 1 − α."),
        slip(dequantized_bits, {_P: "z", _NOT_P: "1 - z"},
             "You left α out of p. The logit is taken of α + (1 − 2α) z."),
        slip(dequantized_bits, {"y = p.log() - not_p.log()": "y = not_p.log() - p.log()"},
             "Your logit has the wrong sign: log p − log(1 − p)."),
        slip(dequantized_bits, {"y = p.log() - not_p.log()": "y = torch.sigmoid(p)"},
             "You took the sigmoid. y is the logit, which leads from (0, 1) to all numbers."),
        slip(dequantized_bits, {"y = p.log() - not_p.log()": "y = p"},
             "Your first value is p. Asked for is its logit, log p − log(1 − p)."),
        slip(dequantized_bits, {_TIGHT: "torch.logsumexp(log_w, dim=0)"},
             "You added the weights up. The bound is the logarithm of their *mean*: take off log S."),
        slip(dequantized_bits, {_TIGHT: "torch.logsumexp(log_w, dim=0) + math.log(S)"},
             "You added log S. The mean of S weights is their sum divided by S: take off log S."),
        slip(dequantized_bits, {_TIGHT: "torch.logsumexp(log_w, dim=0) / S"},
             "You divided the logarithm of the sum by S. The mean is inside the logarithm: take off log S."),
        slip(dequantized_bits, {_TIGHT: "log_w.max(dim=0).values"},
             "You took the largest weight. The bound is the logarithm of the mean of all S."),
        slip(dequantized_bits, {_TIGHT: "torch.logsumexp(log_w / D, dim=0) * D - math.log(S) * D"},
             "You divided by D before you averaged the weights. Average them for whole images, and divide the result."),
        slip(dequantized_bits, {"elbo = log_w.mean(dim=0)": "elbo = log_w.sum(dim=0)"},
             "You added the S log-weights up. The ELBO is their mean."),
        slip(dequantized_bits, {"elbo = log_w.mean(dim=0)": "elbo = log_w[0]"},
             "Your ELBO uses the first noise only. It is the mean over all S."),
        slip(dequantized_bits, {_BITS: "return y, -bound / (D * math.log(2)), -elbo / (D * math.log(2))"},
             "Your second and third value have changed places: first the ELBO's, the mean of logarithms, then the tighter one."),
        slip(dequantized_bits, {_BITS: "return y, -elbo / (D * math.log(2)), -elbo / (D * math.log(2))"},
             "Your tighter bound is the ELBO again. The mean belongs inside the logarithm: log of the mean weight."),
        slip(dequantized_bits, {_BITS: "return y, -bound / (D * math.log(2)), -bound / (D * math.log(2))"},
             "Your ELBO is the tighter bound. The ELBO is the mean of the logarithms, not the logarithm of the mean."),
        slip(dequantized_bits, {_BITS: "return y, -elbo / D, -bound / D"},
             "Your results are in nats for each dimension. Divide by log 2 for bits."),
        slip(dequantized_bits, {_BITS: "return y, -elbo * math.log(2) / D, -bound * math.log(2) / D"},
             "You multiplied by log 2. A nat is 1 / log 2 = 1.44 bits: divide."),
        slip(dequantized_bits, {_BITS: "return y, -elbo / math.log(2), -bound / math.log(2)"},
             "Your results are bits of whole images. Divide by the number of dimensions."),
        slip(dequantized_bits, {_BITS: "return y, elbo / (D * math.log(2)), bound / (D * math.log(2))"},
             "Your results have the wrong sign. Bits say how much it costs to store an image: the less, the more probable it is."),
        slip(dequantized_bits, {_BITS: "return y, -elbo.mean().expand(len(levels)) / (D * math.log(2)), -bound.mean().expand(len(levels)) / (D * math.log(2))"},
             "You gave the mean over all images for each of them. Asked for is one value for each image."),
        slip(dequantized_bits, {_TIGHT: "log_w.exp().mean(dim=0).log()"},
             "Your formula is right, but exp(−2500) is 0 in floating point, whose logarithm is −∞. torch.logsumexp is made for that.",
             loses=("hidden",)),
        slip(dequantized_bits, {_TIGHT: "(log_w.exp() + 1e-12).mean(dim=0).log()"},
             "A small number inside your logarithm keeps it from −∞, but also from the right value, which may be −2500. Use torch.logsumexp.",
             loses=("hidden",)),
        slip(dequantized_bits, {"not_p = " + _NOT_P: "not_p = (1 - p).clamp(min=1e-4)", _P: "(margin + (1 - 2 * margin) * z).clamp(min=1e-4)"},
             "You keep p away from 0 and 1, though α does that already: a level at the end may come closer.",
             loses=("hidden",)),
    ),
    alternatives=(levels_by_logit, levels_by_autograd, levels_numpy),
)  # fmt: skip

# 7 -------------------------------------------------------------------------------------------- a continuous flow


def euler_inputs(case, rng):
    """Points, a small network whose output is their speed, and probes; a hidden one is saturated, or far out."""
    N, D, H, M, K = case["N"], case["D"], case["H"], case["M"], case["K"]
    shift = sides(rng, H) * rng.uniform(0.1, 0.5, H)
    if case.get("saturated"):
        shift[::2] += 900.0
    return {
        "z": case.get("far", 1.0) * sides(rng, N, D) * rng.uniform(0.3, 1.3, (N, D)),
        "W": sides(rng, H, D) * rng.uniform(0.4, 1.0, (H, D)),
        "c": shift,
        "a": sides(rng, H) * rng.uniform(0.5, 1.0, H),
        "U": sides(rng, D, H) * rng.uniform(0.4, 1.0, (D, H)),
        "probes": sides(rng, M, N, D),
        "duration": case["duration"],
        "num_steps": K,
    }


def euler_flow(z, W, c, a, U, probes, duration, num_steps):
    step = duration / num_steps
    log_prob = estimate = -0.5 * z.square().sum(dim=1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    for k in range(num_steps):
        h = torch.tanh(z @ W.T + c + k * step * a)
        slope = 1 - h**2
        trace = slope @ (W * U.T).sum(dim=1)
        pushed = ((probes @ W.T) * slope) @ U.T
        guess = (probes * pushed).sum(dim=2).mean(dim=0)
        log_prob, estimate = log_prob - step * trace, estimate - step * guess
        z = z + step * h @ U.T
    return z, log_prob, estimate


def euler_by_autograd(z, W, c, a, U, probes, duration, num_steps):
    """All of the Jacobian, a row at a time; its trace, and the probes on both sides of it."""
    dt = duration / num_steps
    change, guessed = torch.zeros_like(z[:, 0]), torch.zeros_like(z[:, 0])
    start = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1)
    for k in range(num_steps):
        at = z.detach().clone().requires_grad_()
        speed = torch.tanh(at @ W.T + c + duration * k / num_steps * a) @ U.T
        rows = [torch.autograd.grad(speed[:, d].sum(), at, retain_graph=True)[0] for d in range(z.shape[1])]
        J = torch.stack(rows, dim=1)
        change = change + dt * J.diagonal(dim1=1, dim2=2).sum(dim=1)
        guessed = guessed + dt * torch.einsum("mni,nij,mnj->n", probes, J, probes) / len(probes)
        z = (at + dt * speed).detach()
    return z, start - change, start - guessed


def euler_by_products(z, W, c, a, U, probes, duration, num_steps):
    """The probes by products of a vector and the Jacobian, the exact trace by unit vectors as probes."""
    units = math.sqrt(z.shape[1]) * torch.eye(z.shape[1], dtype=z.dtype)[:, None].expand(-1, len(z), -1)
    results = []
    for directions in (units, probes):
        x, total, log_base = z, 0.0, -0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=1)
        for k in range(num_steps):
            at = x.detach().clone().requires_grad_()
            f = torch.tanh(at @ W.T + c + (k * duration / num_steps) * a) @ U.T
            each = [
                (torch.autograd.grad(f, at, grad_outputs=e, retain_graph=True)[0] * e).sum(dim=1)
                for e in directions
            ]
            total = total + sum(each) / len(each)
            x = (at + f * duration / num_steps).detach()
        results.append(log_base - total * duration / num_steps)
    return x, *results


def euler_numpy(z, W, c, a, U, probes, duration, num_steps):
    z, W, c, a, U, probes = (v.numpy() for v in (z, W, c, a, U, probes))
    dt = duration / num_steps
    exact = -(z**2).sum(axis=1) / 2 - z.shape[1] * np.log(2 * np.pi) / 2
    guessed = exact.copy()
    for start in np.arange(num_steps) * dt:
        h = np.tanh(z @ W.T + c + start * a)
        J = np.einsum("ih,nh,hj->nij", U, 1 - h * h, W)
        exact -= dt * np.trace(J, axis1=1, axis2=2)
        guessed -= dt * np.einsum("mni,nij,mnj->mn", probes, J, probes).mean(axis=0)
        z = z + dt * h @ U.T
    return z, exact, guessed


_START = "-0.5 * z.square().sum(dim=1) - 0.5 * z.shape[1] * math.log(2 * math.pi)"
_H = "torch.tanh(z @ W.T + c + k * step * a)"
_TRACE = "slope @ (W * U.T).sum(dim=1)"
_GUESS = "(probes * pushed).sum(dim=2).mean(dim=0)"
_EXACT_STEP = "log_prob - step * trace"
_GUESS_STEP = "estimate - step * guess"
_MOVE = "z = z + step * h @ U.T"
_RESULT = "return z, log_prob, estimate"
EULER = Exercise(
    name="euler_flow",
    outputs=(Output("end", ("N", "D")), Output("log_prob", ("N",)), Output("estimate", ("N",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=euler_inputs,
    cases={
        "visible": (
            {"N": 4, "D": 3, "H": 4, "M": 2, "K": 3, "duration": 1.5},
            {"N": 1, "D": 2, "H": 3, "M": 3, "K": 2, "duration": 0.8},
        ),
        "hidden": (
            {"N": 5, "D": 4, "H": 3, "M": 3, "K": 4, "duration": 2.0},
            {"N": 1, "D": 3, "H": 5, "M": 1, "K": 1, "duration": 0.7},
            {"N": 3, "D": 1, "H": 2, "M": 2, "K": 3, "duration": 1.2},
            {"N": 3, "D": 3, "H": 6, "M": 2, "K": 2, "duration": 1.0, "saturated": 1},
            {"N": 2, "D": 4, "H": 3, "M": 2, "K": 3, "duration": 1.0, "far": 30.0},
        ),
    },
    reference=euler_flow,
    wrong=(
        slip(euler_flow, {_EXACT_STEP: "log_prob + step * trace", _GUESS_STEP: "estimate + step * guess"},
             "The trace has the wrong sign. Where the flow spreads points out the trace is positive, and the density falls."),
        slip(euler_flow, {_EXACT_STEP: "log_prob + step * trace"},
             "The exact trace has the wrong sign. Where the flow spreads points out the trace is positive, and the density falls."),
        slip(euler_flow, {_GUESS_STEP: "estimate + step * guess"},
             "The estimated trace has the wrong sign. Where the flow spreads points out it is positive, and the density falls."),
        slip(euler_flow, {_EXACT_STEP: "log_prob - trace", _GUESS_STEP: "estimate - guess"},
             "You forgot the step size before the trace: the density changes by the trace for each unit of time."),
        slip(euler_flow, {_EXACT_STEP: "log_prob", _GUESS_STEP: "estimate"},
             "You left the trace out. The density of a moving point changes where the flow stretches space."),
        slip(euler_flow, {_EXACT_STEP + ", " + _GUESS_STEP: "(-0.5 * z.square().sum(dim=1) - 0.5 * z.shape[1] * math.log(2 * math.pi) - step * v for v in (trace, guess))"},
             "You began anew at each step. The log-density is the normal one at the *start*, and all steps' traces are taken off."),
        slip(euler_flow, {_RESULT: "shift = -0.5 * z.square().sum(dim=1) - 0.5 * z.shape[1] * math.log(2 * math.pi) - start\n    return z, log_prob + shift, estimate + shift",
                          "log_prob = estimate = ": "log_prob = estimate = start = "},
             "You took the normal density at the end. It is the density at the start, before the points move."),
        slip(euler_flow, {_START: "-0.5 * z.square().sum(dim=1)"},
             "You left the normal density's constant out: −½ log 2π for each dimension."),
        slip(euler_flow, {"- 0.5 * z.shape[1] * math.log(2 * math.pi)": "- 0.5 * math.log(2 * math.pi)"},
             "You counted the constant −½ log 2π once. Each of the D dimensions has its own."),
        slip(euler_flow, {"-0.5 * z.square()": "-z.square()"},
             "The half is missing before the square in the normal density."),
        slip(euler_flow, {_START: "0 * z.sum(dim=1)"},
             "You left the normal density at the start out. The traces say by how much its logarithm changes."),
        slip(euler_flow, {"step = duration / num_steps": "step = 1 / num_steps"},
             "Your steps do not add up to the duration: each is duration / num_steps long."),
        slip(euler_flow, {"step = duration / num_steps": "step = duration"},
             "Each of your steps is as long as the whole duration. Divide it by the number of steps."),
        slip(euler_flow, {"range(num_steps)": "range(num_steps + 1)"},
             "You made one step too many: num_steps of them, each duration / num_steps long."),
        slip(euler_flow, {"range(num_steps)": "range(1, num_steps + 1)"},
             "Your time is one step ahead. Euler's method takes the speed at the beginning of the step: t = 0, step, 2 step, …"),
        slip(euler_flow, {_H: "torch.tanh(z @ W.T + c)"},
             "You left the time out of the network: tanh(W z + c + t a)."),
        slip(euler_flow, {"k * step * a": "k * a"},
             "You took the number of the step for the time. After k steps the time is k · step."),
        slip(euler_flow, {_H: "torch.tanh(z @ W.T + k * step * a)"},
             "You left c out of the network: tanh(W z + c + t a)."),
        slip(euler_flow, {_H: "z @ W.T + c + k * step * a", "slope = 1 - h**2": "slope = torch.ones_like(h)"},
             "You left tanh out of the network, and 1 − tanh² out of its Jacobian."),
        slip(euler_flow, {"slope = 1 - h**2": "slope = torch.ones_like(h)"},
             "You left tanh's derivative, 1 − tanh², out of the Jacobian: the trace is not that of U W alone."),
        slip(euler_flow, {"slope = 1 - h**2": "slope = 1 - h"},
             "Your derivative of tanh lacks a square: 1 − tanh²."),
        slip(euler_flow, {"slope = 1 - h**2": "slope = h * (1 - h)"},
             "You used the sigmoid's derivative, h (1 − h). That of tanh is 1 − tanh²."),
        slip(euler_flow, {"slope = 1 - h**2": "slope = h"},
             "You used tanh itself where its derivative, 1 − tanh², belongs."),
        slip(euler_flow, {_TRACE: "slope @ (W.sum(dim=1) * U.sum(dim=0))"},
             "You added up all entries of the Jacobian. The trace is the sum of its diagonal: ∂f₁/∂z₁ + ∂f₂/∂z₂ + …"),
        slip(euler_flow, {_TRACE: "slope @ (W * U.T).sum(dim=1) / z.shape[1]"},
             "You averaged the diagonal. The trace is its sum."),
        slip(euler_flow, {_TRACE: "slope @ (W * U.T)[:, 0]"},
             "You took the first entry of the diagonal only. The trace is the sum over all D."),
        slip(euler_flow, {_TRACE: "torch.linalg.slogdet(torch.einsum('ih,nh,hj->nij', U, slope, W)).logabsdet"},
             "You took the log-determinant of the Jacobian of the speed. Of a continuous flow the log-density changes by its trace."),
        slip(euler_flow, {_TRACE: "torch.linalg.slogdet(torch.eye(len(U), dtype=z.dtype) + step * torch.einsum('ih,nh,hj->nij', U, slope, W)).logabsdet / step"},
             "You took the log-determinant of each Euler step. That is another, also sensible number; asked for is the continuous flow's, with the trace, step by step."),
        slip(euler_flow, {_TRACE: "((slope @ (W * U.T).sum(dim=1)).mean()).expand(len(z))"},
             "You gave the mean trace for every point. Each has a trace of its own."),
        slip(euler_flow, {_GUESS: "(probes * pushed).sum(dim=2).sum(dim=0)"},
             "You added up over the probes. The estimate of the trace is the mean over all M of eᵀJe."),
        slip(euler_flow, {_GUESS: "(probes * pushed).mean(dim=2).mean(dim=0)"},
             "You averaged over the D dimensions. eᵀJe is a sum over them."),
        slip(euler_flow, {_GUESS: "pushed.sum(dim=2).mean(dim=0)"},
             "You multiplied the Jacobian by the probe once. The estimate has it on both sides: eᵀJe."),
        slip(euler_flow, {_GUESS: "(probes * pushed).sum(dim=2)[0]"},
             "You used the first probe only. The estimate is the mean over all M."),
        slip(euler_flow, {_GUESS: "(probes.mean(dim=0) * pushed.mean(dim=0)).sum(dim=1)"},
             "You averaged the probes before you used them. The mean is taken of eᵀJe."),
        slip(euler_flow, {_GUESS: "pushed.square().sum(dim=2).mean(dim=0)"},
             "You took ‖Je‖², whose mean is the trace of JᵀJ. The trace of J is the mean of eᵀJe."),
        slip(euler_flow, {_RESULT: "return z, log_prob, log_prob"},
             "Your estimate is the exact value. Asked for is what the probes say: the mean of eᵀJe in the place of the trace."),
        slip(euler_flow, {_RESULT: "return z, estimate, estimate"},
             "Your exact value is the estimate. The trace is known here: add up the diagonal of the Jacobian."),
        slip(euler_flow, {_RESULT: "return z, estimate, log_prob"},
             "Your second and third value have changed places: first the exact one, then the estimate."),
        slip(euler_flow, {_MOVE: "z = z - step * h @ U.T"},
             "You went backwards in time: Euler's step adds step · f."),
        slip(euler_flow, {_MOVE: "z = z + h @ U.T"},
             "You forgot the step size when the points move."),
        slip(euler_flow, {_MOVE: "z = step * h @ U.T"},
             "Your points jump to their speed. Euler's step adds it, times the step size, to where they are."),
        slip(euler_flow, {"h = " + _H: "h = torch.tanh(begin @ W.T + c + k * step * a)", "log_prob = estimate = ": "begin = z\n    log_prob = estimate = "},
             "You took the speed at the start in all steps. It is that of where the points are at the time."),
        slip(euler_flow, {_MOVE: "", "slope = 1 - h**2": "z = z + step * h @ U.T\n        slope = 1 - torch.tanh(z @ W.T + c + (k + 1) * step * a)**2"},
             "You moved the points before you took the trace. Euler's method takes both, speed and trace, at the beginning of the step."),
        slip(euler_flow, {_H: "(lambda v: (v.exp() - (-v).exp()) / (v.exp() + (-v).exp()))(z @ W.T + c + k * step * a)"},
             "Your tanh is right, but exp(900) is infinite, and ∞/∞ is no number. torch.tanh is safe for any number.",
             loses=("hidden",)),
        slip(euler_flow, {_START: "((-0.5 * z.square()).exp() / math.sqrt(2 * math.pi)).prod(dim=1).log()"},
             "Your formula is right, but far from 0 the normal density is 0 in floating point, whose logarithm is −∞. Stay with the logarithm.",
             loses=("hidden",)),
    ),
    alternatives=(euler_by_autograd, euler_by_products, euler_numpy),
)  # fmt: skip

# Absent while this is graded: it is what students are asked to write.
SEALED = ("flows",)

EXERCISES = (AFFINE, COUPLING, STACK, SPLINE, GLOW, LEVELS, EULER)
