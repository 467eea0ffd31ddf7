"""Sequences: stroke-5, correlated normals, masks, temperature, free bits, tokens, what samples are worth, valences.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks. Strings come in as whole numbers, since inputs are arrays.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import edited, slip

# 1 ----------------------------------------------------------------------------------------------------- stroke-5


def pad_inputs(case, rng):
    """Sketches of different lengths; what lies after their ends is left over from something else."""
    B, N = case["B"], case["N"]
    strokes = rng.uniform(0.5, 3.0, (B, N, 3)) * rng.choice([-1.0, 1.0], (B, N, 3))
    strokes[..., 2] = rng.integers(0, 2, (B, N))
    strokes[:, 0, 2], strokes[:, -1, 2] = 0, 1
    lengths = rng.permutation(np.linspace(N if B == 1 else 1, N, B).round().astype(np.int64))
    return {"strokes": strokes, "lengths": lengths, "num_steps": N + case["more"]}


def pad_sketches(strokes, lengths, num_steps):
    B, N, _ = strokes.shape
    x = torch.zeros(B, num_steps, 5, dtype=strokes.dtype)
    x[:, :N, :2] = strokes[..., :2]
    x[:, :N, 2] = 1 - strokes[..., 2]
    x[:, :N, 3] = strokes[..., 2]
    t, n = torch.arange(num_steps), lengths[:, None]
    x[t >= n] = torch.tensor([0, 0, 0, 0, 1], dtype=strokes.dtype)
    counted = (t <= n).to(strokes.dtype)
    return x, counted


def pad_loops(strokes, lengths, num_steps):
    x = np.zeros((len(strokes), num_steps, 5))
    counted = np.zeros((len(strokes), num_steps))
    for b, (sketch, n) in enumerate(zip(strokes.tolist(), lengths.tolist(), strict=True)):
        for t in range(num_steps):
            if t < n:
                dx, dy, p = sketch[t]
                x[b, t] = [dx, dy, 1 - p, p, 0]
            else:
                x[b, t, 4] = 1
            counted[b, t] = t <= n
    return x, counted


def pad_one_hot(strokes, lengths, num_steps):
    fill = torch.zeros(len(strokes), num_steps - strokes.shape[1], 3, dtype=strokes.dtype)
    whole = torch.cat([strokes, fill], dim=1)
    over = torch.arange(num_steps)[None] >= lengths[:, None]
    state = torch.where(over, 2, whole[..., 2].long())
    pen = torch.nn.functional.one_hot(state, 3).to(strokes.dtype)
    steps = whole[..., :2].masked_fill(over[..., None], 0.0)
    return torch.cat([steps, pen], dim=2), over.cumsum(dim=1) <= 1


def pad_by_concatenation(strokes, lengths, num_steps):
    rows, counts = [], []
    for sketch, n in zip(strokes, lengths.tolist(), strict=True):
        s = sketch[:n]
        drawn = torch.stack([s[:, 0], s[:, 1], 1 - s[:, 2], s[:, 2], 0 * s[:, 2]], dim=1)
        end = torch.eye(5, dtype=s.dtype)[4].expand(num_steps - n, 5)
        rows.append(torch.cat([drawn, end]))
        counts.append([1.0] * (n + 1) + [0.0] * (num_steps - n - 1))
    return torch.stack(rows), counts


_END = "x[t >= n] = torch.tensor([0, 0, 0, 0, 1], dtype=strokes.dtype)"

PAD = Exercise(
    name="pad_sketches",
    outputs=(Output("x", ("B", "T", "5")), Output("counted", ("B", "T"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=pad_inputs,
    cases={
        "visible": ({"B": 3, "N": 5, "more": 3}, {"B": 1, "N": 3, "more": 2}),
        "hidden": (
            {"B": 4, "N": 7, "more": 2},
            {"B": 1, "N": 6, "more": 1},
            {"B": 5, "N": 4, "more": 4},
        ),
    },
    reference=pad_sketches,
    wrong=(
        slip(
            pad_sketches,
            {
                "x[:, :N, 2] = 1 - strokes": "x[:, :N, 3] = 1 - strokes",
                "x[:, :N, 3] = strokes": "x[:, :N, 2] = strokes",
            },
            "You swapped two states of the pen. p = 1 says that the pen is lifted after the step, which is p₂; where "
            "p = 0 it stays down, p₁ = 1.",
        ),
        slip(
            pad_sketches,
            {_END: "x[t >= n] = 0.0"},
            "Your rows after the last step are all zero. There the pen is in the third state: these rows are "
            "(0, 0, 0, 0, 1).",
        ),
        slip(
            pad_sketches,
            {_END: "x[t >= n] = 0.0\n    x[torch.arange(B), lengths, 4] = 1"},
            "Only your first row after the last step has p₃ = 1. All rows of padding are (0, 0, 0, 0, 1): the pen is in "
            "one of three states in each row.",
        ),
        slip(
            pad_sketches,
            {_END: "x[..., 2:][t >= n] = torch.tensor([0, 0, 1], dtype=strokes.dtype)"},
            "Steps that are left over after a sketch's end stand in your padding. From row n on a row is "
            "(0, 0, 0, 0, 1), whatever the input holds there.",
        ),
        slip(
            pad_sketches,
            {_END: "x[..., 4][t >= n] = 1"},
            "Your rows after the last step keep what the input holds there, and p₃ = 1 besides. Exactly one of the "
            "three states is 1: such a row is (0, 0, 0, 0, 1).",
        ),
        slip(
            pad_sketches,
            {"t >= n]": "t >= N + 0 * n]"},
            "You took all N rows as steps. A sketch ends after lengths[b] of them; what the input holds after that is "
            "left over, and no part of it.",
        ),
        slip(
            pad_sketches,
            {"t >= n]": "t > n]"},
            "Your end comes one row too late. A sketch of n steps has them in rows 0 to n − 1, and row n is its first "
            "(0, 0, 0, 0, 1).",
        ),
        slip(
            pad_sketches,
            {"t >= n]": "t >= n - 1]"},
            "Your end takes the place of the last step. All n steps stay; the row (0, 0, 0, 0, 1) comes after them.",
        ),
        slip(
            pad_sketches,
            {
                "    counted =": "    x[torch.arange(B), lengths - 1, 2:] = x.new_tensor([0, 0, 1])\n    counted ="
            },
            "You marked the last step itself as the end. It keeps its own state, p₁ or p₂; the end is a row of its "
            "own after it.",
        ),
        slip(
            pad_sketches,
            {"t <= n)": "t < n)"},
            "You did not count the row that ends the sketch. The decision to stop is a part of the drawing: without it "
            "a model is not taught to stop.",
        ),
        slip(
            pad_sketches,
            {"(t <= n)": "(t <= N + 0 * n)"},
            "You counted rows up to the longest sketch's end. What counts ends with each sketch's own first "
            "(0, 0, 0, 0, 1), which is row lengths[b].",
        ),
        slip(
            pad_sketches,
            {"(t <= n)": "(t >= 0 * n)"},
            "You counted all rows. After the first (0, 0, 0, 0, 1) comes padding, which is no data.",
        ),
        slip(
            pad_sketches,
            {"t <= n)": "t > n)"},
            "You marked the padding. counted is 1 where a row belongs to the sketch, its end included, and 0 after it.",
        ),
        slip(
            pad_sketches,
            {"t <= n)": "t == n)"},
            "You counted the end alone. The rows of all steps before it count as well.",
        ),
        slip(
            pad_sketches,
            {"= strokes[..., :2]": "= strokes[..., :2].cumsum(dim=1)"},
            "You wrote positions. Stroke-5 holds steps, as stroke-3 does: copy Δx and Δy as they are.",
        ),
        slip(
            pad_sketches,
            {"= 1 - strokes[..., 2]": "= 1"},
            "Your p₁ is 1 in every step. Exactly one of the three states is 1: p₁ = 1 − p.",
        ),
        slip(
            pad_sketches,
            {"    x[:, :N, 3] = strokes[..., 2]\n": ""},
            "Your p₂ is never 1. Where p = 1 the pen is lifted after the step.",
        ),
        slip(
            pad_sketches,
            {"    x[:, :N, 2] = 1 - strokes[..., 2]\n": ""},
            "Your p₁ is never 1. Where p = 0 the pen stays down, and p₁ = 1.",
        ),
    ),
    alternatives=(pad_loops, pad_one_hot, pad_by_concatenation),
)

# 2 ---------------------------------------------------------------------------------------------- a correlated normal


def density_inputs(case, rng):
    """Points near normals; hidden ones also fifty deviations away, at a needle's mean, or all of a tiny size."""
    N = case["N"]
    loc = rng.uniform(0.5, 2.0, (N, 2)) * rng.choice([-1.0, 1.0], (N, 2))
    log_scale = rng.uniform(0.4, 1.0, (N, 2)) * np.array([-1.0, 1.0]) + rng.uniform(-0.2, 0.2, (N, 2))
    a = rng.uniform(0.5, 1.2, N) * np.where(np.arange(N) % 2, -1.0, 1.0)
    u = rng.uniform(0.6, 1.6, (N, 2)) * rng.choice([-1.0, 1.0], (N, 2))
    if case["kind"] == "needle":
        a, u = rng.uniform(20.0, 30.0, N) * rng.choice([-1.0, 1.0], N), 0 * u
    if case["kind"] == "far":
        u = u * 60
    if case["kind"] == "tiny":
        loc, log_scale = 0 * loc, log_scale - 30
    return {"x": loc + u * np.exp(log_scale), "loc": loc, "log_scale": log_scale, "a": a}


def bivariate_log_density(x, loc, log_scale, a):
    u1, u2 = ((x - loc) / log_scale.exp()).unbind(dim=1)
    rho = torch.tanh(a)
    quadratic = u1**2 + (u2 - rho * u1) ** 2 * torch.cosh(a) ** 2
    log_area = math.log(2 * math.pi) + log_scale.sum(dim=1) - torch.cosh(a).log()
    return -quadratic / 2 - log_area


def density_sum_and_difference(x, loc, log_scale, a):
    u1, u2 = ((x - loc) * torch.exp(-log_scale)).T
    # Along the diagonals the two are independent, with variances 1 + ρ and 1 − ρ.
    along = (u1 + u2) ** 2 * (1 + torch.exp(-2 * a)) / 4
    across = (u1 - u2) ** 2 * (1 + torch.exp(2 * a)) / 4
    log_cosh = torch.logaddexp(a, -a) - math.log(2)
    return -(along + across) / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) + log_cosh


def density_conditional(x, loc, log_scale, a):
    u1, u2 = ((x - loc) / log_scale.exp()).unbind(dim=1)
    log_deviation = -(torch.nn.functional.softplus(2 * a) - a - math.log(2))
    first = -(u1**2) / 2 - log_scale[:, 0] - math.log(2 * math.pi) / 2
    residual = (u2 - torch.tanh(a) * u1) / torch.exp(log_deviation)
    second = -(residual**2) / 2 - log_deviation - log_scale[:, 1] - math.log(2 * math.pi) / 2
    return first + second


def density_loops(x, loc, log_scale, a):
    out = []
    for point, mean, log_s, b in zip(x.tolist(), loc.tolist(), log_scale.tolist(), a.tolist(), strict=True):
        u = (point[0] - mean[0]) / math.exp(log_s[0])
        v = (point[1] - mean[1]) / math.exp(log_s[1])
        quadratic = (u * u + v * v - 2 * math.tanh(b) * u * v) * math.cosh(b) ** 2
        out.append(-quadratic / 2 - math.log(2 * math.pi) - sum(log_s) + math.log(math.cosh(b)))
    return out


def density_plain(x, loc, log_scale, a):
    u1, u2 = ((x - loc) / log_scale.exp()).unbind(dim=1)
    rho = torch.tanh(a)
    quadratic = (u1**2 + u2**2 - 2 * rho * u1 * u2) / (1 - rho**2)
    return -quadratic / 2 - math.log(2 * math.pi) - log_scale.sum(dim=1) - torch.log(1 - rho**2) / 2


def density_logged(x, loc, log_scale, a):
    u1, u2 = ((x - loc) / log_scale.exp()).unbind(dim=1)
    quadratic = u1**2 + (u2 - torch.tanh(a) * u1) ** 2 * torch.cosh(a) ** 2
    return torch.log(torch.exp(-quadratic / 2) / (2 * math.pi * log_scale.sum(dim=1).exp()) * torch.cosh(a))


DENSITY = Exercise(
    name="bivariate_log_density",
    outputs=(Output("log_density", ("N",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=density_inputs,
    cases={
        "visible": ({"N": 5, "kind": "near"}, {"N": 1, "kind": "near"}),
        "hidden": (
            {"N": 6, "kind": "near"},
            {"N": 4, "kind": "needle"},
            {"N": 3, "kind": "far"},
            {"N": 1, "kind": "tiny"},
        ),
    },
    reference=bivariate_log_density,
    wrong=(
        slip(
            density_plain,
            {"- 2 * rho": "+ 2 * rho"},
            "Your mixed term has the wrong sign. Where ρ is positive, two deviations of the same sign are likely: "
            "the term is − 2 ρ u₁ u₂.",
        ),
        slip(
            density_plain,
            {"2 * rho * u1": "rho * u1"},
            "Your mixed term lacks its factor 2. The quadratic form is symmetric, and both of its mixed entries count: "
            "− 2 ρ u₁ u₂.",
        ),
        slip(
            bivariate_log_density,
            {"(u2 - rho * u1) ** 2 * torch.cosh(a) ** 2": "u2**2 - 2 * rho * u1 * u2"},
            "The sum of squares and the mixed term are not divided by 1 − ρ². It turns the deviations into those of "
            "independent coordinates.",
        ),
        slip(
            bivariate_log_density,
            {" - torch.cosh(a).log()": ""},
            "The term ½ log(1 − ρ²) is missing. Correlation makes the ellipse narrower, and the density within it "
            "larger.",
        ),
        slip(
            bivariate_log_density,
            {"- torch.cosh(a).log()": "+ torch.cosh(a).log()"},
            "Your term in log(1 − ρ²) has the wrong sign. The determinant of the covariance is σ₁² σ₂² (1 − ρ²); with "
            "ρ near ±1 it is small, and the density large.",
        ),
        slip(
            bivariate_log_density,
            {"- torch.cosh(a).log()": "- 2 * torch.cosh(a).log()"},
            "Your term in log(1 − ρ²) lacks its half: the density has the square root of the determinant, so "
            "½ log(1 − ρ²).",
        ),
        slip(
            bivariate_log_density,
            {" + log_scale.sum(dim=1)": ""},
            "The term log(σ₁ σ₂) is missing. A narrow density is a high one: it must integrate to 1.",
        ),
        slip(
            bivariate_log_density,
            {" + log_scale.sum(dim=1)": " - log_scale.sum(dim=1)"},
            "Your term log(σ₁ σ₂) has the wrong sign. A wide density is a low one: log σ₁ + log σ₂ is taken off.",
        ),
        slip(
            bivariate_log_density,
            {" + log_scale.sum(dim=1)": " + 2 * log_scale.sum(dim=1)"},
            "You took off log(σ₁² σ₂²). The density has the determinant's square root in front: log(σ₁ σ₂).",
        ),
        slip(
            bivariate_log_density,
            {"math.log(2 * math.pi)": "math.log(2 * math.pi) / 2"},
            "Your constant is that of one dimension. In the plane there are two halves of log 2π.",
        ),
        slip(
            bivariate_log_density,
            {"math.log(2 * math.pi) + ": ""},
            "The constant log 2π is missing: this is a density, and integrates to 1.",
        ),
        slip(
            bivariate_log_density,
            {"-quadratic / 2": "-quadratic"},
            "The half before the quadratic form is missing: the exponent is − ½ (…)/(1 − ρ²).",
        ),
        slip(
            bivariate_log_density,
            {"log_scale.exp()": "(2 * log_scale).exp()"},
            "You divided the deviations by the variance. u is the deviation in units of σ: (x − μ)/σ.",
        ),
        slip(
            bivariate_log_density,
            {"log_scale.exp()": "(log_scale / 2).exp()"},
            "You read log_scale as a logarithm of variances. It is log σ, the logarithm of a standard deviation.",
        ),
        slip(
            bivariate_log_density,
            {"log_scale.exp()": "log_scale.flip(1).exp()"},
            "You divided each deviation by the other coordinate's σ: column 0 of log_scale belongs to column 0 of x.",
        ),
        slip(
            bivariate_log_density,
            {"rho * u1)": "a * u1)"},
            "You used a as if it were the correlation. A network gives any real number: ρ = tanh(a) lies between −1 "
            "and 1.",
        ),
        slip(
            bivariate_log_density,
            {"return -quadratic / 2 - log_area": "return (-quadratic / 2 - log_area).exp()"},
            "You gave the density. Asked for is its logarithm, which stays finite where the density underflows.",
        ),
        Wrong(
            density_logged,
            "You took the logarithm of the density. Far from the mean it underflows, and log 0 is −∞: write down the "
            "logarithm of each factor instead.",
            loses=("hidden",),
        ),
        Wrong(
            density_plain,
            "Your formula breaks where tanh(a) rounds to ±1: 1 − ρ² is then 0. Use 1 − tanh²(a) = 1 / cosh²(a), "
            "which does not cancel.",
            loses=("hidden",),
            variants=(
                edited(density_plain, {"torch.tanh(a)": "torch.tanh(a).clamp(-0.9999, 0.9999)"}),
                edited(
                    density_plain,
                    {
                        "torch.log(1 - rho**2)": "torch.log(1 - rho**2 + 1e-8)",
                        "/ (1 - rho**2)": "/ (1 - rho**2 + 1e-8)",
                    },
                ),
            ),
        ),
        slip(
            bivariate_log_density,
            {
                "log_scale.exp()": "log_scale.exp().clamp(min=1e-6)",
                "log_scale.sum": "log_scale.clamp(min=math.log(1e-6)).sum",
            },
            "Your σ seems to be kept above some smallest value. A legal σ may be far smaller, and the logarithm is "
            "given: use it as it is.",
            loses=("hidden",),
        ),
    ),
    alternatives=(density_sum_and_difference, density_conditional, density_loops),
)
# 3 -------------------------------------------------------------------------------------------- a sketch's likelihood


def likelihood_inputs(case, rng):
    """Stroke-5 of different lengths, and what a decoder said of each row; of padding it may say anything."""
    B, T, M, kind = case["B"], case["T"], case["M"], case["kind"]
    lengths = rng.permutation(np.linspace(T - 2 if B == 1 else 2, T - 1, B).round().astype(int))
    x = np.zeros((B, T, 5))
    mix_logits = rng.uniform(-1.5, 1.5, (B, T, M))
    log_normals = rng.uniform(-4.0, 1.0, (B, T, M))
    pen_logits = rng.uniform(-1.5, 1.5, (B, T, 3))
    for b, n in enumerate(lengths):
        x[b, :n, :2] = rng.standard_normal((n, 2))
        x[b, np.arange(n), 2 + rng.integers(0, 2, n)] = 1
        x[b, n:, 4] = 1
        if kind == "wild":
            log_normals[b, n:] -= 1e5
            pen_logits[b, n + 1 :, 1] += 1e5
    if kind == "far":
        log_normals -= 1500
    if kind == "large":
        mix_logits += rng.uniform(900, 1000, (B, T, 1))
        pen_logits += rng.uniform(900, 1000, (B, T, 1))
        mix_logits, pen_logits = mix_logits.round(2), pen_logits.round(2)
    return {"x": x, "mix_logits": mix_logits, "log_normals": log_normals, "pen_logits": pen_logits}


def sketch_log_likelihood(x, mix_logits, log_normals, pen_logits):
    ends = x[..., 4].cumsum(dim=1)
    log_mix = torch.logsumexp(torch.log_softmax(mix_logits, dim=2) + log_normals, dim=2)
    log_pen = (x[..., 2:] * torch.log_softmax(pen_logits, dim=2)).sum(dim=2)
    steps = log_mix.masked_fill(ends > 0, 0.0).sum(dim=1)
    pen = log_pen.masked_fill(ends > 1, 0.0).sum(dim=1)
    return steps, pen


def likelihood_loops(x, mix_logits, log_normals, pen_logits):
    steps, pens = [], []
    for b in range(len(x)):
        n = int((x[b, :, 4] == 0).sum())
        step = pen = 0.0
        for t in range(n + 1):
            pen += float(pen_logits[b, t, int(x[b, t, 2:].argmax())] - pen_logits[b, t].logsumexp(0))
            if t < n:
                together = (mix_logits[b, t] + log_normals[b, t]).logsumexp(0)
                step += float(together - mix_logits[b, t].logsumexp(0))
        steps.append(step)
        pens.append(pen)
    return steps, pens


def likelihood_numpy(x, mix_logits, log_normals, pen_logits):
    x, a, d, c = x.numpy(), mix_logits.numpy(), log_normals.numpy(), pen_logits.numpy()
    n = (x[..., 4] == 0).sum(axis=1)[:, None]
    t = np.arange(x.shape[1])[None]
    log_mix = np.logaddexp.reduce(a + d, axis=2) - np.logaddexp.reduce(a, axis=2)
    state = x[..., 2:].argmax(axis=2)[..., None]
    log_pen = np.take_along_axis(c, state, 2)[..., 0] - np.logaddexp.reduce(c, axis=2)
    return np.where(t < n, log_mix, 0).sum(axis=1), np.where(t <= n, log_pen, 0).sum(axis=1)


def likelihood_torch(x, mix_logits, log_normals, pen_logits):
    drawn = x[..., 4] == 0
    counted = torch.cat([torch.ones(len(x), 1, dtype=torch.bool), drawn[:, :-1]], dim=1)
    weights = torch.distributions.Categorical(logits=mix_logits).logits
    log_mix = torch.logsumexp(weights + log_normals, dim=-1)
    targets = x[..., 2:].argmax(dim=2)
    log_pen = -torch.nn.functional.cross_entropy(pen_logits.mT, targets, reduction="none")
    steps = [row[kept].sum() for row, kept in zip(log_mix, drawn, strict=True)]
    return torch.stack(steps), torch.where(counted, log_pen, 0.0).sum(dim=1)


_LOG_MIX = "torch.logsumexp(torch.log_softmax(mix_logits, dim=2) + log_normals, dim=2)"

LIKELIHOOD = Exercise(
    name="sketch_log_likelihood",
    outputs=(Output("steps", ("B",)), Output("pen", ("B",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=likelihood_inputs,
    cases={
        "visible": (
            {"B": 3, "T": 6, "M": 2, "kind": "plain"},
            {"B": 1, "T": 5, "M": 3, "kind": "plain"},
        ),
        "hidden": (
            {"B": 4, "T": 7, "M": 3, "kind": "wild"},
            {"B": 2, "T": 5, "M": 4, "kind": "far"},
            {"B": 3, "T": 4, "M": 2, "kind": "large"},
            {"B": 1, "T": 6, "M": 1, "kind": "plain"},
        ),
    },
    reference=sketch_log_likelihood,
    wrong=(
        slip(
            sketch_log_likelihood,
            {"ends > 1": "ends > 0"},
            "Your pen lacks its last term. Row n, the first with p₃ = 1, is the decision to stop, and counts: the pen "
            "has n + 1 terms.",
        ),
        slip(
            sketch_log_likelihood,
            {"ends > 0": "ends > 1"},
            "You counted a step in the row that ends the sketch. There is no movement to be predicted in it: n steps "
            "have n terms, the pen has n + 1.",
        ),
        slip(
            sketch_log_likelihood,
            {"ends > 1": "ends < 0"},
            "Your pen counts the padding. After the first row with p₃ = 1 nothing was drawn, and nothing is predicted.",
        ),
        slip(
            sketch_log_likelihood,
            {"ends > 0": "ends < 0"},
            "Your steps count all rows. From the first row with p₃ = 1 on there is no step, so that each sketch has "
            "terms of its own n rows only.",
        ),
        slip(
            sketch_log_likelihood,
            {"ends > 0": "ends < 0", "ends > 1": "ends < 0"},
            "You counted the padding, in the steps and in the pen. Mask it: n rows count for the steps, n + 1 for the "
            "pen.",
        ),
        slip(
            sketch_log_likelihood,
            {
                "log_mix.masked_fill(ends > 0": "log_mix.masked_fill(ends > 1",
                "log_pen.masked_fill(ends > 1": "log_pen.masked_fill(ends > 0",
            },
            "You swapped the two masks. The row that ends a sketch has a state of the pen, but no step: n terms for "
            "the steps, n + 1 for the pen.",
        ),
        slip(
            sketch_log_likelihood,
            {
                "steps = log_mix": "n = (ends == 0).sum(dim=1)\n    steps = log_mix",
                "return steps, pen": "return steps / n, pen / (n + 1)",
            },
            "You averaged over the rows. The log-likelihood of a sequence is the sum of its terms, by the chain rule.",
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "torch.logsumexp(mix_logits + log_normals, dim=2)"},
            "Your mixture's weights do not add up to 1. They are the softmax of the logits: subtract their "
            "log-sum-exp.",
        ),
        slip(
            sketch_log_likelihood,
            {"torch.log_softmax(pen_logits, dim=2)": "pen_logits"},
            "Your pen's probabilities are not normalised. log p is the logit minus the log-sum-exp of all three.",
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "torch.logsumexp(log_normals, dim=2)"},
            "Your mixture has no weights: each component's density comes with π, the softmax of mix_logits.",
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "(torch.softmax(mix_logits, dim=2) * log_normals).sum(dim=2)"},
            "You averaged logarithms of densities. The mixture's density is Σ π N, and its logarithm is larger than "
            "Σ π log N, by Jensen's inequality.",
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "(torch.log_softmax(mix_logits, dim=2) + log_normals).amax(dim=2)"},
            "You took the best component alone. A mixture adds the densities of all: a sum of exponentials before the "
            "logarithm.",
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "(torch.log_softmax(mix_logits, dim=2) + log_normals).sum(dim=2)"},
            "You added up logarithms over the components, which multiplies densities. A mixture adds them: use a "
            "log-sum-exp.",
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "torch.logsumexp(torch.log_softmax(mix_logits, dim=1) + log_normals, dim=2)"},
            "Your softmax of the mixture runs over the rows. The weights of the M components add up to 1 in each row: "
            "it runs over the last dimension.",
        ),
        slip(
            sketch_log_likelihood,
            {"torch.log_softmax(pen_logits, dim=2)": "torch.log_softmax(pen_logits, dim=1)"},
            "Your softmax of the pen runs over the rows. The probabilities of the three states add up to 1 in each row.",
        ),
        slip(
            sketch_log_likelihood,
            {"torch.log_softmax(pen_logits, dim=2)": "torch.nn.functional.logsigmoid(pen_logits)"},
            "You took three independent coins for the pen. It is in exactly one of three states: one softmax over "
            "them.",
        ),
        slip(
            sketch_log_likelihood,
            {"return steps, pen": "return -steps, -pen"},
            "You gave the loss. Asked for are log-likelihoods, the logarithms of probabilities and densities, without "
            "the minus.",
        ),
        slip(
            sketch_log_likelihood,
            {"return steps, pen": "return pen, steps"},
            "You returned the two values in the other order: first the steps, then the pen.",
        ),
        slip(
            sketch_log_likelihood,
            {"torch.log_softmax(pen_logits, dim=2)": "torch.log_softmax(pen_logits, dim=2).flip(2)"},
            "Your pen's states are in another order. Columns 2, 3 and 4 of x belong to pen_logits' columns 0, 1 and 2.",
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "(torch.softmax(mix_logits, dim=2) * log_normals.exp()).sum(dim=2).log()"},
            "You took densities out of the logarithm to add them up. Far from all means each one underflows, and "
            "log 0 is −∞: add log π to log N, and use a log-sum-exp.",
            loses=("hidden",),
        ),
        slip(
            sketch_log_likelihood,
            {
                "torch.log_softmax(mix_logits, dim=2)": "(mix_logits.exp() / mix_logits.exp().sum(dim=2, keepdim=True)).log()"
            },
            "Your softmax overflows: exp of a logit above 709 is infinite. torch.log_softmax takes the largest logit "
            "out first.",
            loses=("hidden",),
        ),
        slip(
            sketch_log_likelihood,
            {_LOG_MIX: "((torch.softmax(mix_logits, dim=2) * log_normals.exp()).sum(dim=2) + 1e-10).log()"},
            "You seem to add a small number before the logarithm, so that no step can cost more than some nats. A "
            "log-sum-exp of log π + log N needs no such number.",
            loses=("hidden",),
        ),
    ),
    alternatives=(likelihood_loops, likelihood_numpy, likelihood_torch),
)

# 4 ------------------------------------------------------------------------------------------------------ temperature


def cold_inputs(case, rng):
    """A mixture, some hidden ones with large logits and a temperature near 0."""
    M = case["M"]
    logits = rng.permutation(np.linspace(-1.2, 1.2, M)) + rng.uniform(-0.1, 0.1, M)
    if case["base"]:
        # Multiples of 1/64, so that single precision holds their differences.
        logits = case["base"] + np.round(logits * case["temperature"] * 64 * 4) / 64
    scale = rng.uniform(0.5, 0.9, (M, 2)) * np.array([1.0, 2.0])
    correlation = rng.uniform(0.4, 0.8, M) * np.where(np.arange(M) % 2, -1.0, 1.0)
    return {"logits": logits, "scale": scale, "correlation": correlation, "temperature": case["temperature"]}


def colder_mixture(logits, scale, correlation, temperature):
    weights = torch.softmax((logits - logits.max()) / temperature, dim=0)
    variance = temperature * scale**2
    mixed = temperature * correlation * scale[:, 0] * scale[:, 1]
    rows = [torch.stack([variance[:, 0], mixed], dim=1), torch.stack([mixed, variance[:, 1]], dim=1)]
    return weights, torch.stack(rows, dim=1)


def cold_by_factors(logits, scale, correlation, temperature):
    weights = torch.distributions.Categorical(logits=logits / temperature).probs
    # A Cholesky factor of the correlation matrix, its rows stretched by σ √τ.
    root = torch.zeros(len(scale), 2, 2, dtype=scale.dtype)
    root[:, 0, 0], root[:, 1, 0] = 1, correlation
    root[:, 1, 1] = torch.sqrt(1 - correlation**2)
    root = root * scale[:, :, None] * math.sqrt(temperature)
    return weights, root @ root.mT


def cold_numpy(logits, scale, correlation, temperature):
    a, s, r = logits.numpy() / temperature, scale.numpy(), correlation.numpy()
    weights = np.exp(a - np.logaddexp.reduce(a))
    pattern = np.where(np.eye(2, dtype=bool), 1.0, r[:, None, None])
    return weights, temperature * s[:, :, None] * s[:, None, :] * pattern


def cold_loops(logits, scale, correlation, temperature):
    top = max(logits.tolist())
    powers = [math.exp((a - top) / temperature) for a in logits.tolist()]
    covariances = []
    for (s, t), r in zip(scale.tolist(), correlation.tolist(), strict=True):
        s, t = s * math.sqrt(temperature), t * math.sqrt(temperature)
        covariances.append([[s * s, r * s * t], [r * s * t, t * t]])
    return [p / sum(powers) for p in powers], covariances


def cold_overflow(logits, scale, correlation, temperature):
    powers = torch.exp(logits / temperature)
    pattern = torch.where(torch.eye(2, dtype=torch.bool), 1.0, correlation[:, None, None])
    return powers / powers.sum(), temperature * scale[:, :, None] * scale[:, None, :] * pattern


COLD = Exercise(
    name="colder_mixture",
    outputs=(Output("weights", ("M",)), Output("covariances", ("M", "2", "2"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=cold_inputs,
    cases={
        "visible": (
            {"M": 3, "temperature": 0.4, "base": 0.0},
            {"M": 1, "temperature": 0.25, "base": 0.0},
        ),
        "hidden": (
            {"M": 4, "temperature": 0.3, "base": 0.0},
            {"M": 2, "temperature": 1.7, "base": 0.0},
            {"M": 5, "temperature": 0.0625, "base": 400.0},
            {"M": 1, "temperature": 0.01, "base": 0.0},
        ),
    },
    reference=colder_mixture,
    wrong=(
        slip(
            colder_mixture,
            {
                "variance = temperature * ": "variance = temperature**2 * ",
                "mixed = temperature * ": "mixed = temperature**2 * ",
            },
            "You scaled σ by the temperature, and so the variance by its square. It is the variance that is scaled by "
            "τ, and σ by √τ.",
        ),
        slip(
            colder_mixture,
            {
                "variance = temperature * ": "variance = math.sqrt(temperature) * ",
                "mixed = temperature * ": "mixed = math.sqrt(temperature) * ",
            },
            "You scaled the variances by √τ. That is the factor of the standard deviation σ; the variance gets τ.",
        ),
        slip(
            colder_mixture,
            {"variance = temperature * ": "variance = ", "mixed = temperature * ": "mixed = "},
            "Your covariances do not know the temperature. Colder drawings are calmer as well: variances are "
            "multiplied by τ.",
        ),
        slip(
            colder_mixture,
            {"mixed = temperature * ": "mixed = "},
            "Your covariance off the diagonal does not know the temperature. It is ρ σ₁ σ₂ with both σ scaled by √τ, "
            "so that ρ stays what it is.",
        ),
        slip(
            colder_mixture,
            {"mixed = temperature * ": "mixed = temperature**2 * "},
            "You scaled the covariance off the diagonal by τ². The correlation is not changed by the temperature: all "
            "entries of the matrix get the same factor τ.",
        ),
        slip(
            colder_mixture,
            {"variance = temperature * ": "variance = "},
            "Your variances do not know the temperature; only the covariance off the diagonal does.",
        ),
        slip(
            colder_mixture,
            {"correlation * scale[:, 0] * scale[:, 1]": "correlation"},
            "You put the correlation off the diagonal. A covariance is ρ σ₁ σ₂.",
        ),
        slip(
            colder_mixture,
            {"correlation * scale[:, 0] * scale[:, 1]": "correlation * (scale[:, 0] * scale[:, 1]) ** 2"},
            "Off the diagonal you multiplied ρ by variances. A covariance is ρ σ₁ σ₂, with standard deviations.",
        ),
        slip(
            colder_mixture,
            {"correlation * scale[:, 0] * scale[:, 1]": "0 * correlation"},
            "Your covariances are diagonal. The components are correlated: off the diagonal is τ ρ σ₁ σ₂.",
        ),
        slip(
            colder_mixture,
            {"* scale**2": "* scale"},
            "You put standard deviations on the diagonal. A covariance matrix has variances there, σ².",
        ),
        slip(
            colder_mixture,
            {"max()) / temperature": "max()) * temperature"},
            "Your weights become more equal in the cold. A temperature below 1 makes differences larger: divide the "
            "logits by τ.",
        ),
        slip(
            colder_mixture,
            {"max()) / temperature": "max())"},
            "Your weights do not know the temperature. π is the softmax of the logits divided by τ.",
        ),
        slip(
            colder_mixture,
            {"max()) / temperature": "max()) / math.sqrt(temperature)"},
            "You divided the logits by √τ. The root belongs to σ; the logits are divided by τ itself.",
        ),
        slip(
            colder_mixture,
            {"max()) / temperature, dim=0)": "max()), dim=0) / temperature"},
            "You divided probabilities by τ, and they do not add up to 1 any more. Divide the logits, before the "
            "softmax.",
        ),
        slip(
            colder_mixture,
            {
                "torch.softmax((logits - logits.max()) / temperature, dim=0)": "torch.softmax(torch.softmax(logits, dim=0) / temperature, dim=0)"
            },
            "You applied the softmax twice. The logits are divided by τ, and the softmax of that is taken once.",
        ),
        slip(
            colder_mixture,
            {
                "max()) / temperature, dim=0)": "max()) / temperature, dim=0) ** 2",
                "    variance =": "    weights = weights / weights.sum()\n    variance =",
            },
            "Your weights are made colder twice: π ∝ exp(logit / τ), with the exponent 1/τ once.",
        ),
        slip(
            colder_mixture,
            {
                "torch.softmax((logits - logits.max()) / temperature, dim=0)": "torch.exp(torch.log_softmax(logits, dim=0) / temperature)"
            },
            "Your weights do not add up to 1. After the probabilities are raised to 1/τ they are normalised anew.",
        ),
        slip(
            colder_mixture,
            {"dim=0)": "dim=0).round()"},
            "You gave all weight to the most probable component. That is the limit τ → 0; at τ above 0 the others keep "
            "some weight.",
        ),
        Wrong(
            cold_overflow,
            "Your softmax overflows in the cold: exp of a number above 709 is infinite. Take the largest logit out "
            "first, as torch.softmax does.",
            loses=("hidden",),
        ),
    ),
    alternatives=(cold_by_factors, cold_numpy, cold_loops),
)

# 5 -------------------------------------------------------------------------------------------- what to train and to report


def bound_inputs(case, rng):
    """Terms of a bound for sequences whose lengths differ widely; some latents are not used."""
    B, K = case["B"], case["K"]
    lengths = np.geomspace(2, 40, B).round().astype(np.int64) if B > 1 else np.array([7])
    # Short sequences cost more a point here, as the first steps of a drawing do.
    log_likelihood = -lengths * rng.uniform(0.8, 1.2, B) * np.linspace(0.9, 0.2, B)
    silent = rng.uniform(0.0, 0.06, (B, K))
    # Of the used latents, each is silent for some examples.
    used = case["high"] * rng.uniform(3.0, 6.0, (B, K)) * ((np.arange(B)[:, None] + np.arange(K)) % 3 != 1)
    kl = np.where(np.arange(K) % 2, silent, silent + used)
    order = rng.permutation(B)
    log_likelihood, kl, lengths = log_likelihood[order], kl[order], lengths[order]
    return {
        "log_likelihood": log_likelihood,
        "kl": kl,
        "lengths": lengths,
        "step": case["step"],
        "cycle": case["cycle"],
        "free_nats": case["free_nats"],
    }


def train_and_report(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = min(1.0, 2 * (step % cycle) / cycle)
    paid = kl.mean(dim=0).clamp(min=free_nats).sum()
    loss = -log_likelihood.mean() + beta * paid
    nats = -(log_likelihood - kl.sum(dim=1)).sum() / lengths.sum()
    return beta, loss, nats


def bound_numpy(log_likelihood, kl, lengths, step, cycle, free_nats):
    ll, kl, n = log_likelihood.numpy(), kl.numpy(), lengths.numpy()
    place = step / cycle - step // cycle
    beta = 2 * place if place < 0.5 else 1.0
    loss = beta * np.maximum(kl.mean(axis=0), free_nats).sum() - ll.mean()
    return beta, loss, (kl.sum() - ll.sum()) / n.sum()


def bound_loops(log_likelihood, kl, lengths, step, cycle, free_nats):
    B, K = kl.shape
    while step >= cycle:
        step -= cycle
    beta = min(step, cycle / 2) / (cycle / 2)
    loss = 0.0
    for k in range(K):
        loss += beta * max(sum(kl[:, k].tolist()) / B, free_nats)
    for value in log_likelihood.tolist():
        loss -= value / B
    nats = (sum(sum(row) for row in kl.tolist()) - sum(log_likelihood.tolist())) / sum(lengths.tolist())
    return beta, loss, nats


def bound_weighted(log_likelihood, kl, lengths, step, cycle, free_nats):
    beta = torch.clamp(torch.tensor(2.0 * (step % cycle) / cycle, dtype=kl.dtype), max=1.0)
    mean = kl.mean(dim=0)
    loss = beta * torch.where(mean > free_nats, mean, free_nats).sum() - log_likelihood.mean()
    # Each sequence's nats a point, weighted by its share of the points.
    each = (kl.sum(dim=1) - log_likelihood) / lengths
    return beta, loss, (each * lengths / lengths.sum()).sum()


_NATS = "-(log_likelihood - kl.sum(dim=1)).sum() / lengths.sum()"
_PAID = "kl.mean(dim=0).clamp(min=free_nats).sum()"
_BETA = "min(1.0, 2 * (step % cycle) / cycle)"

BOUND = Exercise(
    name="train_and_report",
    outputs=(Output("beta", ()), Output("loss", ()), Output("nats", ())),
    points={"visible": 1, "hidden": 1},
    make_inputs=bound_inputs,
    cases={
        "visible": (
            {"B": 4, "K": 3, "step": 3, "cycle": 10, "free_nats": 0.5, "high": 1.0},
            {"B": 5, "K": 2, "step": 17, "cycle": 20, "free_nats": 0.8, "high": 0.0},
            {"B": 1, "K": 4, "step": 12, "cycle": 10, "free_nats": 1.0, "high": 1.0},
        ),
        "hidden": (
            {"B": 6, "K": 4, "step": 1234, "cycle": 100, "free_nats": 0.6, "high": 1.0},
            {"B": 3, "K": 5, "step": 507, "cycle": 25, "free_nats": 0.4, "high": 1.0},
            # No latent is used: all of the KL is free.
            {"B": 4, "K": 6, "step": 7, "cycle": 9, "free_nats": 2.0, "high": 0.0},
            {"B": 1, "K": 1, "step": 4, "cycle": 7, "free_nats": 0.0, "high": 1.0},
        ),
    },
    reference=train_and_report,
    wrong=(
        slip(
            train_and_report,
            {"2 * (step % cycle) / cycle": "(step % cycle) / max(cycle // 2, 1)"},
            "You rounded half a cycle down to whole steps. β rises linearly over C/2 steps, also where C is odd.",
            loses=("hidden",),
        ),
        slip(
            train_and_report,
            {_PAID: "kl.clamp(min=free_nats).mean(dim=0).sum()"},
            "You compared each example's KL with λ. Here it is the batch's mean of each latent: a latent may be silent "
            "for one example if it speaks for others.",
        ),
        slip(
            train_and_report,
            {_PAID: "kl.mean(dim=0).sum().clamp(min=free_nats)"},
            "You compared the whole KL with λ. Here each latent has λ nats of its own: the maximum comes before the sum "
            "over latents.",
        ),
        slip(
            train_and_report,
            {_PAID: "kl.mean(dim=0).sum()"},
            "Your loss has no free nats: each latent's KL is replaced by λ where it is below.",
        ),
        slip(
            train_and_report,
            {_PAID: "(kl.mean(dim=0) - free_nats).clamp(min=0).sum()"},
            "You took λ off the KL. The loss has max(KL, λ): above λ the KL counts as it is. (Gradients would be the "
            "same, the value is not.)",
        ),
        slip(
            train_and_report,
            {_PAID: "kl.mean(dim=0).clamp(max=free_nats).sum()"},
            "You took the smaller of KL and λ. With free bits it is the larger one: below λ, a change of the KL costs "
            "and gains nothing.",
        ),
        slip(
            train_and_report,
            {_PAID: "kl.mean(dim=0).clamp(min=free_nats).mean()"},
            "You averaged over the latents in the loss. They are independent, and their KL terms add up.",
        ),
        slip(
            train_and_report,
            {_PAID: "kl.sum(dim=0).clamp(min=free_nats).sum()"},
            "You added up the KL over the batch before you compared it with λ. λ is nats an example: it is compared with "
            "the batch's mean.",
        ),
        slip(
            train_and_report,
            {"+ beta * paid": "- beta * paid"},
            "The KL has the wrong sign in your loss. A loss is −(log-likelihood − β KL), so the KL is added.",
        ),
        slip(
            train_and_report,
            {"-log_likelihood.mean()": "log_likelihood.mean()"},
            "The log-likelihood has the wrong sign in your loss: what is made small is −log p(x | z) + β KL.",
        ),
        slip(
            train_and_report,
            {"log_likelihood.mean() + beta": "log_likelihood.sum() + beta"},
            "Your loss sums log-likelihoods over the batch but has one KL. Both are means over the B sequences.",
        ),
        slip(
            train_and_report,
            {"+ beta * paid": "+ paid"},
            "β is missing in your loss: the KL term is multiplied by it.",
        ),
        slip(
            train_and_report,
            {_NATS: "(-(log_likelihood - kl.sum(dim=1)) / lengths).mean()"},
            "Your report is a mean of means: a point of a short sequence counts more than one of a long one. Divide the "
            "sum over all sequences by the number of all points.",
        ),
        slip(
            train_and_report,
            {_NATS: "-(log_likelihood - kl.sum(dim=1)).mean() / lengths.sum()"},
            "Your report divides by the number of sequences as well. Nats a point are all nats divided by all points.",
        ),
        slip(
            train_and_report,
            {_NATS: "-(log_likelihood - kl.sum(dim=1)).mean()"},
            "Your report is in nats a sequence. Asked for are nats a point: the sum over all sequences, divided by the "
            "number of all points.",
        ),
        slip(
            train_and_report,
            {_NATS: "-(log_likelihood - kl.sum(dim=1)).sum() / (len(lengths) * lengths.max())"},
            "Your report divides by rows with padding. Padding is no data: divide by Σ lengths.",
        ),
        slip(
            train_and_report,
            {_NATS: "-(log_likelihood - beta * kl.sum(dim=1)).sum() / lengths.sum()"},
            "Your report has β in it. With β below 1 it is no bound, and cannot be compared: report with β = 1.",
        ),
        slip(
            train_and_report,
            {_NATS: "-(log_likelihood.sum() - len(kl) * paid) / lengths.sum()"},
            "Your report has free nats in it. They are a trick of training; the bound holds the KL as it is.",
        ),
        slip(
            train_and_report,
            {_NATS: "loss * len(kl) / lengths.sum()"},
            "You reported the training loss, with β and free nats. Models trained with different ones are compared by "
            "the bound itself: β = 1 and λ = 0.",
        ),
        slip(
            train_and_report,
            {_NATS: "-log_likelihood.sum() / lengths.sum()"},
            "Your report lacks the KL. The bound is the log-likelihood minus the KL: what the code costs counts.",
        ),
        slip(
            train_and_report,
            {_NATS: "(log_likelihood - kl.sum(dim=1)).sum() / lengths.sum()"},
            "Your report has the wrong sign: nats a point are −bound, divided by the number of points.",
        ),
        slip(
            train_and_report,
            {_NATS: "-(log_likelihood - kl.sum(dim=1)).sum() / lengths.sum() / math.log(2)"},
            "Your report is in bits: it is 1/ln 2 times too large. Nats were asked for.",
        ),
        slip(
            train_and_report,
            {_BETA: "min(1.0, 2 * step / cycle)"},
            "Your β rises once and stays at 1. It begins again at 0 with each cycle: what counts is the step within the "
            "cycle.",
        ),
        slip(
            train_and_report,
            {_BETA: "(step % cycle) / cycle"},
            "Your β rises during the whole cycle. It reaches 1 in the middle, and stays there for the second half.",
        ),
        slip(
            train_and_report,
            {_BETA: "2 * (step % cycle) / cycle"},
            "Your β goes above 1: in the second half of each cycle it stays at 1.",
        ),
        slip(
            train_and_report,
            {_BETA: "1 - abs(1 - 2 * (step % cycle) / cycle)"},
            "Your β falls again in the second half of a cycle. It stays at 1 there, and goes back to 0 when the next "
            "one begins.",
        ),
        slip(
            train_and_report,
            {_BETA: "max(0.1, 1 - 2 * (step % cycle) / cycle)"},
            "Your β falls. A code that is still noise must not cost much at first: β begins at 0 and rises to 1.",
        ),
    ),
    alternatives=(bound_numpy, bound_loops, bound_weighted),
)

# 6 ------------------------------------------------------------------------------------------------------------ tokens


def token_inputs(case, rng):
    """A string of SMILES tokens, as character codes; it need not be a molecule."""
    long = ["Cl", "Br", "[nH]", "%12", "[O-]", "[13CH3]", "[Cl-]", "%30"]
    short = ["Cc", "C12", "2", "C", "(", "=", "O", ")", "Nc", "n", "F", "Cn", "B", "#", "S", "c1"]
    if case["P"] == 1:
        pieces = [case["piece"]]
    else:
        pieces = [str(p) for p in rng.permutation([*long, *short][: case["P"]])]
        if case.get("repeat"):
            pieces = [piece for piece in pieces for _ in range(case["repeat"])]
    return {"codes": np.array([ord(c) for c in "".join(pieces)], dtype=np.int64)}


def number_tokens(codes):
    text = "".join(chr(code) for code in codes.tolist())
    numbers, at, token = [], 0, 0
    while at < len(text):
        width = 1
        if text[at] == "[":
            width = text.index("]", at) + 1 - at
        elif text[at] == "%":
            width = 3
        elif text[at : at + 2] in ("Cl", "Br"):
            width = 2
        token += 1
        numbers += [token] * width
        at += width
    return numbers


def tokens_by_expression(codes):
    import re

    text = "".join(map(chr, codes.tolist()))
    tokens = re.findall(r"\[[^\]]*\]|%[0-9][0-9]|Cl|Br|.", text)
    lengths = torch.tensor([len(token) for token in tokens])
    return torch.repeat_interleave(torch.arange(1, len(tokens) + 1), lengths)


def tokens_by_state(codes):
    numbers, token, bracket, left = [], 0, False, 0
    before = ""
    for code in codes.tolist():
        here = chr(code)
        goes_on = bracket or left > 0 or before + here in ("Cl", "Br")
        token += not goes_on
        numbers.append(token)
        left = max(left - 1, 0)
        if not goes_on:
            bracket, left = here == "[", 2 if here == "%" else 0
        elif bracket and here == "]":
            bracket = False
        before = here
    return np.array(numbers)


def tokens_by_starts(codes):
    open_, close, percent = (codes == ord(c) for c in "[]%")
    inside = open_.long().cumsum(0) - close.long().cumsum(0)
    inside[1:] += close[1:].long()
    inside = (inside > 0) & ~open_
    starts = ~inside
    pairs = [(codes[:-1] == ord(a)) & (codes[1:] == ord(b)) for a, b in ("Cl", "Br")]
    starts[1:] &= ~(pairs[0] | pairs[1])
    for shift in (1, 2):
        starts[shift:] &= ~percent[:-shift]
    return starts.long().cumsum(0)


_WIDTH = 'text[at : at + 2] in ("Cl", "Br")'

TOKENS = Exercise(
    name="number_tokens",
    outputs=(Output("tokens", ("N",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=token_inputs,
    cases={
        "visible": (
            {"P": 20},
            {"P": 1, "piece": "[nH]"},
            {"P": 12},
        ),
        "hidden": (
            {"P": 24},
            {"P": 1, "piece": "%453"},
            {"P": 18, "repeat": 2},
            {"P": 1, "piece": "Br"},
            {"P": 24, "repeat": 3},
        ),
    },
    reference=number_tokens,
    wrong=(
        slip(
            number_tokens,
            {"width = 3": "width = 3 + (text[at + 3 : at + 4].isdigit())"},
            "You took all digits behind %. It is followed by two digits; what comes next is a token of its own.",
            loses=("hidden",),
        ),
        slip(
            number_tokens,
            {_WIDTH: "False"},
            "You split Cl and Br. Then chlorine is read as carbon and something that does not exist: each of the two is "
            "one token.",
        ),
        slip(
            number_tokens,
            {_WIDTH: 'text[at : at + 2] == "Cl"'},
            "You split Br. Bromine is one token, like Cl.",
        ),
        slip(
            number_tokens,
            {_WIDTH: 'text[at : at + 2] == "Br"'},
            "You split Cl. Chlorine is one token, like Br.",
        ),
        slip(
            number_tokens,
            {'text[at] == "["': "False"},
            "You split what stands in brackets. All from [ to ] describes a single atom, with its hydrogens and charge: "
            "one token.",
        ),
        slip(
            number_tokens,
            {'text[at] == "%"': "False"},
            "You split ring numbers of two digits. The sign % says that two digits follow that are one number: %12 is a "
            "single token.",
        ),
        slip(
            number_tokens,
            {"width = 3": "width = 2"},
            "You took % and one digit for a token. Two digits follow the %, and belong to it.",
        ),
        slip(
            number_tokens,
            {_WIDTH: "text[at].isupper() and text[at + 1 : at + 2].islower()"},
            "You joined each capital letter with the small one after it. Small letters are aromatic atoms of their own: "
            "Cc is two carbons, Cn carbon and nitrogen. Only Cl and Br are pairs.",
        ),
        slip(
            number_tokens,
            {
                "width = 1\n": "width = 1\n        while text[at].isdigit() and text[at + width : at + width + 1].isdigit():\n            width += 1\n"
            },
            "You joined digits that follow each other. Without a %, each digit is a ring of its own: C12 closes or opens "
            "the rings 1 and 2.",
        ),
        slip(
            number_tokens,
            {'text.index("]", at) + 1 - at': 'text.rindex("]") + 1 - at'},
            "Your brackets reach to the last ] of the string. Each ends at the next ]: in a regular expression, write "
            "[^]]* in place of .*",
        ),
        slip(
            number_tokens,
            {'text.index("]", at) + 1 - at': 'text.index("]", at) - at'},
            "Your closing bracket is a token of its own. It belongs to the atom that it closes.",
        ),
        slip(
            number_tokens,
            {"return numbers": "return [n - 1 for n in numbers]"},
            "You count tokens from 0. The first token has the number 1 here.",
        ),
        slip(
            number_tokens,
            {"+= [token] * width": "+= range(1, width + 1)"},
            "You counted characters within each token. Asked for is the number of the token that a character belongs "
            "to.",
        ),
        slip(
            number_tokens,
            {"+= [token] * width": "+= [at + 1] * width"},
            "You gave the place at which each token starts. Asked for is how many tokens there are up to it: 1, 2, 3, …",
        ),
        slip(
            number_tokens,
            {"+= [token] * width": "+= [width] * width"},
            "You gave the length of each character's token. Asked for is the token's number in the string.",
        ),
        slip(
            number_tokens,
            {"width = 1\n": 'width = 1\n        if text[at] in "()":\n            token -= 1\n'},
            "You gave parentheses no number of their own. A token is what a network reads or writes: each ( and each ) "
            "is one.",
        ),
        slip(
            number_tokens,
            {"width = 1\n": 'width = 1\n        if text[at] in "=#":\n            token -= 1\n'},
            "You gave bonds no number of their own. Each = and each # is a token, like an atom.",
        ),
        slip(
            number_tokens,
            {
                "width = 1\n": 'width = 1\n        if text[at].isdigit() or text[at] == "%":\n            token -= 1\n'
            },
            "You counted ring numbers to the atom before them. Each is a token of its own.",
        ),
    ),
    alternatives=(tokens_by_expression, tokens_by_state, tokens_by_starts),
)

# 7 ---------------------------------------------------------------------------------------------- what samples are worth


def sample_inputs(case, rng):
    """Numbers of generated molecules, −1 for a string that is none, by temperature; and those of the training set."""
    S, N, M = case["S"], case["N"], case["M"]
    known = rng.choice(np.arange(1, 40), M) + case["far"]
    known[-1] = known[0]  # a training set may repeat itself
    identities = np.full((S, N), -1, dtype=np.int64)
    for s in range(S):
        if case.get("barren") and s == 1:
            continue
        valid = N if N == 1 else int(rng.integers(N // 2, N - 1))
        new = 50 + rng.permutation(max(valid // 3, 1) + 1)[1:] + case["far"]
        if case.get("zero"):  # a molecule like any other
            new[0] = 0
        pool = np.concatenate([new, known[: (valid + 1) // 4 + 1]]) if N > 1 else new
        once = pool[: max(valid - 2, 0)]
        repeated = rng.choice(pool, valid - len(once))
        identities[s] = rng.permutation(np.concatenate([once, repeated, np.full(N - valid, -1)]))
    return {"identities": identities, "known": known}


def sample_quality(identities, known):
    shares = []
    for row in identities:
        valid = row[row >= 0]
        different = valid.unique()
        new = different[~torch.isin(different, known)]
        shares.append(
            [
                len(valid) / len(row),
                len(different) / len(valid) if len(valid) else 0.0,
                len(new) / len(different) if len(different) else 0.0,
            ]
        )
    return tuple(torch.tensor(shares, dtype=torch.float64).T)


def quality_sets(identities, known):
    validity, uniqueness, novelty = [], [], []
    for row in identities.tolist():
        valid = [i for i in row if i != -1]
        different = set(valid)
        validity.append(len(valid) / len(row))
        uniqueness.append(len(different) / max(len(valid), 1))
        novelty.append(len(different - set(known.tolist())) / max(len(different), 1))
    return validity, uniqueness, novelty


def quality_numpy(identities, known):
    ids, known = identities.numpy(), known.numpy()
    out = np.zeros((3, len(ids)))
    for s, row in enumerate(ids):
        different = np.unique(row[row >= 0])
        count = (row >= 0).sum()
        out[0, s] = count / row.size
        if count:
            out[1, s] = different.size / count
            out[2, s] = np.setdiff1d(different, known).size / different.size
    return out[0], out[1], out[2]


def quality_sorted(identities, known):
    rows = identities.sort(dim=1).values
    valid = rows >= 0
    first = valid.clone()
    first[:, 1:] &= rows[:, 1:] != rows[:, :-1]
    new = first & ~(rows[:, :, None] == known).any(dim=2)
    a, b, c = (mask.sum(dim=1).double() for mask in (valid, first, new))
    return a / rows.shape[1], b / a.clamp(min=1), c / b.clamp(min=1)


_UNIQUE = "len(different) / len(valid) if"
_NEW = "len(new) / len(different) if"

QUALITY = Exercise(
    name="sample_quality",
    outputs=(Output("validity", ("S",)), Output("uniqueness", ("S",)), Output("novelty", ("S",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=sample_inputs,
    cases={
        "visible": (
            {"S": 3, "N": 12, "M": 6, "far": 0},
            {"S": 1, "N": 9, "M": 4, "far": 0},
        ),
        "hidden": (
            {"S": 4, "N": 15, "M": 7, "far": 0, "zero": True},
            # One temperature without any valid string.
            {"S": 3, "N": 10, "M": 5, "far": 0, "barren": True},
            {"S": 2, "N": 1, "M": 1, "far": 0},
            # Numbers too large to count in a table.
            {"S": 2, "N": 14, "M": 9, "far": 10**12},
        ),
    },
    reference=sample_quality,
    wrong=(
        slip(
            sample_quality,
            {"row >= 0": "row > 0"},
            "You took molecule 0 for an invalid string. Only −1 says that a string is no molecule.",
            loses=("hidden",),
        ),
        slip(
            sample_quality,
            {_NEW: "(len(different) - sum(int(k) in different.tolist() for k in known)) / len(different) if"},
            "You counted a known molecule as often as the training set repeats it. Count the different ones that are "
            "not in the training set.",
        ),
        slip(
            sample_quality,
            {_UNIQUE: "len(different) / len(row) if"},
            "Your uniqueness is a share of all strings. It is the share of different molecules among the valid ones: "
            "otherwise invalid strings are blamed twice.",
        ),
        slip(
            sample_quality,
            {_NEW: "len(new) / len(row) if"},
            "Your novelty is a share of all strings. It is the share of new molecules among the different ones.",
        ),
        slip(
            sample_quality,
            {_NEW: "len(new) / len(valid) if"},
            "You divided the number of new molecules by that of the valid strings. Novelty is a share of the different "
            "molecules, so that repetitions do not count in it.",
        ),
        slip(
            sample_quality,
            {_NEW: "(~torch.isin(valid, known)).sum().item() / len(valid) if"},
            "Your novelty counts repetitions. A new molecule that is drawn ten times is one new molecule: take the "
            "different ones first.",
        ),
        slip(
            sample_quality,
            {"valid.unique()": "row.unique()"},
            "You took −1 for a molecule. It stands for all strings that are none, and is neither different nor new.",
        ),
        slip(
            sample_quality,
            {"row[row >= 0]": "row[row > -2]"},
            "You took all strings for valid. −1 stands for one that is no molecule.",
        ),
        slip(
            sample_quality,
            {"len(valid) / len(row),": "len(different) / len(row),"},
            "Your validity leaves repetitions out. It is the share of valid strings among all; repetitions are the "
            "business of uniqueness.",
        ),
        slip(
            sample_quality,
            {"~torch.isin": "torch.isin"},
            "You gave the share of molecules that are known. Novelty is the share of those that are not.",
        ),
        slip(
            sample_quality,
            {"valid.unique()": "(lambda v, n: v[n == 1])(*valid.unique(return_counts=True))"},
            "You counted molecules that occur exactly once. One that occurs three times is one of the different "
            "molecules, too.",
        ),
        slip(
            sample_quality,
            {_UNIQUE: "1 - len(different) / len(valid) if"},
            "You gave the share of repetitions. Uniqueness is the share of different molecules among the valid strings.",
        ),
        slip(
            sample_quality,
            {_NEW: "len(new) / len(known) if"},
            "You divided the new molecules by the size of the training set. Novelty is a share of the different "
            "molecules that were drawn.",
        ),
        slip(
            sample_quality,
            {"return tuple": "shares = [[100 * v for v in three] for three in shares]\n    return tuple"},
            "You gave percentages. Asked for are shares between 0 and 1.",
        ),
        slip(
            sample_quality,
            {
                "    shares = []\n": "    shares = []\n    earlier = known\n",
                "torch.isin(different, known)]": "torch.isin(different, earlier)]\n        earlier = torch.cat([earlier, different])",
            },
            "You took molecules of earlier rows for known. Each row is judged by itself, against the training set alone.",
        ),
        slip(
            sample_quality,
            {
                "return tuple": "shares = [[sum(column) / len(shares) for column in zip(*shares, strict=True)]] * len(shares)\n    return tuple"
            },
            "You averaged over the rows. Each row is another temperature, and is judged by itself.",
        ),
        slip(
            sample_quality,
            {
                "return tuple(": "return (lambda v, u, n: (v, v * u, v * u * n))(*",
                "float64).T)": "float64).T)",
            },
            "You multiplied the shares with those before them. Each is a share of what the one before it leaves: of all, "
            "of the valid, of the different.",
        ),
        slip(
            sample_quality,
            {"len(valid) if len(valid) else 0.0": "len(valid) if len(valid) else 1.0"},
            "Where no string is valid, uniqueness is 0 by agreement: nothing was made that could be different.",
            loses=("hidden",),
        ),
        Wrong(
            edited(
                sample_quality,
                {
                    "len(valid) if len(valid) else 0.0": "max(len(valid), 1e-300) if len(valid) else math.nan",
                    "len(different) if len(different) else 0.0": "len(different) if len(different) else math.nan",
                },
            ),
            "You divided 0 by 0. Where no string of a row is valid, uniqueness and novelty are 0 by agreement.",
            loses=("hidden",),
        ),
        slip(
            sample_quality,
            {
                "row[row >= 0]": "row[row >= 0].float()",
                "torch.isin(different, known)": "torch.isin(different, known.float())",
            },
            "You turned the molecules' numbers into float32. Above 2²⁴ neighbouring whole numbers become the same one: "
            "leave them whole.",
            loses=("hidden",),
        ),
    ),
    alternatives=(quality_sets, quality_numpy, quality_sorted),
)

# 8 ------------------------------------------------------------------------------------------------------------ valences

# What make_inputs joins: each begins at an atom and ends at one. In the order of TOKENS below.
_ALPHABET = "CNOF=#()12"


def molecule_inputs(case, rng):
    """Strings of well-formed pieces in a random order, first what the case asks for; valences need not be respected."""
    pieces = [
        "N(C1CC1)O",
        "C(C(F)=O)N",
        "C=1CO1",
        "N2CC=2",
        "C12CC1C2",
        "C#N",
        "O=C",
        "C(=C(C(F)N)O)C",
        "C1CC#1",
        "OC2N(C2)O",
        "C(F)(F)=C",
        "N=1C(C)C=1",
    ]
    chosen = rng.permutation(pieces)[: case["P"]] if case["P"] > 1 else [case["piece"]]
    text = "".join(chosen)
    return {"tokens": np.array([_ALPHABET.index(c) for c in text], dtype=np.int64)}


def hydrogens_left(tokens):
    valence = [4, 3, 2, 1]
    spare = [0] * len(tokens)
    last, order, branches, rings = -1, 1, [], {}
    for i, token in enumerate(tokens.tolist()):
        if token <= 3:
            spare[i] += valence[token]
            if last >= 0:
                spare[last] -= order
                spare[i] -= order
            last, order = i, 1
        elif token <= 5:
            order = token - 2
        elif token == 6:
            branches.append(last)
        elif token == 7:
            last = branches.pop()
        elif token in rings:
            start, opened = rings.pop(token)
            order = max(order, opened)
            spare[start] -= order
            spare[last] -= order
            order = 1
        else:
            rings[token] = (last, order)
            order = 1
    return spare


def hydrogens_by_matrix(tokens):
    T = len(tokens)
    bonds = np.zeros((T, T))
    orders = {4: 2, 5: 3}
    path, order, open_rings = [], 1, {}
    for i, token in enumerate(tokens.tolist()):
        if token < 4:
            if path:
                bonds[path[-1], i] = order
                path[-1] = i
            else:
                path = [i]
            order = 1
        elif token in orders:
            order = orders[token]
        elif token == 6:
            path.append(path[-1])
        elif token == 7:
            path.pop()
        else:
            start, opened = open_rings.pop(token, (None, 1))
            if start is None:
                open_rings[token] = (path[-1], order)
            else:
                bonds[start, path[-1]] = max(order, opened)
            order = 1
    valence = np.array([4, 3, 2, 1, 0, 0, 0, 0, 0, 0])[tokens.numpy()]
    return valence - bonds.sum(axis=0) - bonds.sum(axis=1)


def hydrogens_by_recursion(tokens):
    text = tokens.tolist()
    used = torch.zeros(len(text), dtype=torch.float64)
    rings = {}

    def walk(at, last):
        order = 1
        while at < len(text) and text[at] != 7:
            token = text[at]
            if token == 6:
                at = walk(at + 1, last)
            elif token in (4, 5):
                order = token - 2
            else:
                if token <= 3:
                    pair = (at, last) if last is not None else None
                    last, amount = at, order
                else:
                    other, opened = rings.pop(token, (None, 1))
                    pair, amount = (other, last) if other is not None else None, max(order, opened)
                    if other is None:
                        rings[token] = (last, order)
                if pair:
                    used[list(pair)] += amount
                order = 1
            at += 1
        return at

    walk(0, None)
    return torch.tensor([4.0, 3, 2, 1, 0, 0, 0, 0, 0, 0])[tokens] - used


def hydrogens_by_edges(tokens):
    edges, waiting, stack, last, order = [], {}, [], None, 1
    for i, token in enumerate(tokens.tolist()):
        match token:
            case 4:
                order = 2
            case 5:
                order = 3
            case 6:
                stack = [*stack, last]
            case 7:
                *stack, last = stack
            case 8 | 9:
                if token in waiting:
                    start, opened = waiting[token]
                    del waiting[token]
                    edges.append((start, last, opened if opened > 1 else order))
                else:
                    waiting[token] = last, order
                order = 1
            case _:
                if last is not None:
                    edges.append((last, i, order))
                last, order = i, 1
    out = [4 - t if t < 4 else 0 for t in tokens.tolist()]
    for a, b, n in edges:
        out[a] -= n
        out[b] -= n
    return torch.tensor(out)


HYDROGENS = Exercise(
    name="hydrogens_left",
    outputs=(Output("hydrogens", ("T",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=molecule_inputs,
    cases={
        "visible": ({"P": 12}, {"P": 1, "piece": "O=C1CC1"}, {"P": 1, "piece": "N#CC(F)O"}, {"P": 8}),
        "hidden": (
            {"P": 12},
            {"P": 9},
            {"P": 1, "piece": "F"},
            {"P": 1, "piece": "C(C(C(=O)F)#N)N"},
            {"P": 10},
        ),
    },
    reference=hydrogens_left,
    wrong=(
        slip(
            hydrogens_left,
            {"            spare[start] -= order\n            spare[last] -= order\n": ""},
            "Your rings stay open. Where a digit comes for the second time, there is a bond between the two atoms that "
            "have it.",
        ),
        slip(
            hydrogens_left,
            {"            spare[start] -= order\n": ""},
            "You counted a ring's bond at the atom that closes it only. The atom that opened it has that bond, too.",
        ),
        slip(
            hydrogens_left,
            {"            spare[last] -= order\n            order = 1\n": "            order = 1\n"},
            "You counted a ring's bond at the atom that opened it only. The atom that closes it has that bond, too.",
        ),
        slip(
            hydrogens_left,
            {"last = branches.pop()": "branches.pop()"},
            "After ) you go on from the last atom of the branch. What follows is bound to the atom before the (.",
        ),
        slip(
            hydrogens_left,
            {"branches.pop()": "branches.pop(0)"},
            "You go back to the branches in the order in which they were opened. The one that was opened last closes "
            "first: a stack, not a queue.",
        ),
        slip(
            hydrogens_left,
            {"branches.pop()": "branches[0]"},
            "After ) you always go back to where the first branch began. Each ) belongs to the last ( that is still "
            "open.",
        ),
        slip(
            hydrogens_left,
            {"last, order = i, 1": "last = i"},
            "A double or triple bond of yours does not end. A bond symbol holds for the one bond after it; then the "
            "order is 1 again.",
        ),
        slip(
            hydrogens_left,
            {"order = token - 2": "order = 1"},
            "You counted every bond once. A double bond, =, takes two of an atom's valence, and a triple bond, #, three.",
        ),
        slip(
            hydrogens_left,
            {"order = token - 2": "order = 2"},
            "You took # for a double bond. It is a triple bond, and takes three of an atom's valence.",
        ),
        slip(
            hydrogens_left,
            {"order = max(order, opened)": "order = 1"},
            "You counted a ring's bond once, whatever stands before its digits. C=1CO1 closes its ring with a double "
            "bond.",
        ),
        slip(
            hydrogens_left,
            {"max(order, opened)": "order + 0 * opened"},
            "You looked at the bond before a ring's second digit only. It may stand before the first one, or before "
            "both.",
        ),
        slip(
            hydrogens_left,
            {"max(order, opened)": "opened"},
            "You looked at the bond before a ring's first digit only. It may stand before the second one, or before "
            "both.",
        ),
        slip(
            hydrogens_left,
            {"max(order, opened)": "order * opened"},
            "You multiplied the orders at both ends of a ring. N=1CC=1 has one double bond in it, written twice: its "
            "order is 2.",
        ),
        slip(
            hydrogens_left,
            {"rings.pop(token)": "rings[token]"},
            "Your ring digits are never free again. After a ring is closed its digit may open another ring.",
        ),
        slip(
            hydrogens_left,
            {"                spare[last] -= order\n": ""},
            "You counted a bond at its second atom only. Both of its atoms have it.",
        ),
        slip(
            hydrogens_left,
            {"                spare[i] -= order\n": ""},
            "You counted a bond at its first atom only. Both of its atoms have it.",
        ),
        slip(
            hydrogens_left,
            {"[4, 3, 2, 1]": "[4, 4, 4, 4]"},
            "You gave all atoms carbon's valence. Nitrogen has 3, oxygen 2 and fluorine 1.",
        ),
        slip(
            hydrogens_left,
            {"return spare": "return [max(s, 0) for s in spare]"},
            "You raised negative numbers to 0. They say that an atom has more bonds than its valence allows: this is "
            "what a checker looks for.",
        ),
        slip(
            hydrogens_left,
            {
                "return spare": "return [4 - t - s if t < 4 else 0 for t, s in zip(tokens.tolist(), spare, strict=True)]"
            },
            "You gave the bonds that are used. Asked for is what is left of the valence, which hydrogen fills up.",
        ),
        slip(
            hydrogens_left,
            {
                "            rings[token] = (last, order)\n            order = 1\n": "            rings[token] = (last, order)\n"
            },
            "The bond before a ring's first digit also holds for your next bond. It belongs to the ring: in C=1CO1, "
            "what follows the 1 is a single bond.",
        ),
        slip(
            hydrogens_left,
            {
                "            spare[last] -= order\n            order = 1\n": "            spare[last] -= order\n"
            },
            "The order of a ring's bond also holds for your next bond. After the second digit the order is 1 again.",
        ),
    ),
    alternatives=(hydrogens_by_matrix, hydrogens_by_recursion, hydrogens_by_edges),
)

SEALED = ("sequences",)

EXERCISES = (PAD, DENSITY, LIKELIHOOD, COLD, BOUND, TOKENS, QUALITY, HYDROGENS)
