"""WaveNet: the μ-law, causal and dilated convolutions, what they see, the gated unit, bits, queues and counts.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import edited, slip

# 1 ------------------------------------------------------------------------------------------------------- the μ-law


def law_inputs(case, rng):
    """A waveform, its largest values among it where the case says so.

    With 5 levels, bins of equal width move the first sample to another level, and ln μ in place of ln(1 + μ) the second: in other
    samples the two mistakes hardly show, or look the same.
    """
    T = case["T"]
    x = rng.choice([-1.0, 1.0], T) * 10 ** rng.uniform(case.get("quietest", -2.5), 0, T)
    first = np.array([0.41 + 0.04 * rng.random(), -0.53 - 0.05 * rng.random()])
    x[:2] = (np.array([1.0, -1.0]) if case.get("loudest") else first)[:T]
    if case.get("silent"):  # f = 0 lies half-way between two levels if L is even
        x[-1] = 0.0
    return {"x": x, "num_levels": case["L"]}


def mu_law(x, num_levels):
    mu = num_levels - 1
    f = x.sign() * torch.log1p(mu * x.abs()) / math.log(1 + mu)
    levels = torch.floor((f + 1) / 2 * mu + 0.5)
    g = 2 * levels / mu - 1
    return levels, g.sign() * ((1 + mu) ** g.abs() - 1) / mu


def law_numpy(x, num_levels):
    x, mu = x.numpy(), num_levels - 1.0
    f = np.sign(x) * np.log(1 + mu * np.abs(x)) / np.log(num_levels)
    levels = np.floor(0.5 * mu * (f + 1) + 0.5).astype(int)
    g = levels / mu * 2 - 1
    return levels, np.sign(g) * np.expm1(np.abs(g) * np.log1p(mu)) / mu


def law_loops(x, num_levels):
    mu, levels, decoded = num_levels - 1, [], []
    for value in x.tolist():
        f = math.copysign(math.log1p(mu * abs(value)) / math.log1p(mu), value)
        levels.append(math.floor((f + 1) / 2 * mu + 0.5))
        g = 2 * levels[-1] / mu - 1
        decoded.append(math.copysign(((1 + mu) ** abs(g) - 1) / mu, g))
    return levels, decoded


def law_table(x, num_levels):
    heights = torch.linspace(-1, 1, 2 * num_levels - 1, dtype=x.dtype)
    points = heights.sign() * torch.special.expm1(heights.abs() * math.log(num_levels)) / (num_levels - 1)
    # Between two levels lies the border, half-way in f; it belongs to the upper one.
    levels = torch.bucketize(x, points[1::2].contiguous(), right=True)
    return levels, points[::2][levels]


LAW = Exercise(
    name="mu_law",
    outputs=(Output("levels", ("T",)), Output("decoded", ("T",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=law_inputs,
    cases={
        "visible": ({"T": 8, "L": 256}, {"T": 7, "L": 5}, {"T": 1, "L": 16}),
        "hidden": (
            {"T": 12, "L": 64, "quietest": -5.0},
            {"T": 5, "L": 256, "loudest": True},
            {"T": 9, "L": 5},
            {"T": 1, "L": 4},
            {"T": 3, "L": 6, "silent": True},
        ),
    },
    reference=mu_law,
    wrong=(
        slip(mu_law, {"mu = num_levels - 1": "mu = num_levels"},
             "You took μ = L. The levels are 0, …, L − 1: there are μ = L − 1 steps between them."),
        slip(mu_law, {"f = x.sign() *": "f ="},
             "You lost the sign of x when encoding: f is negative where x is."),
        slip(mu_law, {"* mu + 0.5)": "* mu)"},
             "You rounded down. The level is the nearest one: add ½ before you take the floor."),
        slip(mu_law, {"torch.floor((f + 1) / 2 * mu + 0.5)": "torch.round((f + 1) / 2 * mu)"},
             "You rounded by `round`, which takes an exact half to the even number. Here it goes up, as the formula says: silence, x = 0, lies on such a half.",
             loses=("hidden",)),
        slip(mu_law, {"math.log(1 + mu)": "math.log(mu)"},
             "You divided by ln μ. f(1) must be 1, so divide by ln(1 + μ)."),
        slip(mu_law, {"g = 2 * levels / mu - 1": "g = 2 * levels / num_levels - 1"},
             "You divided the levels by L when decoding. The highest level, L − 1, must come back as 1: divide by μ."),
        slip(mu_law, {"((1 + mu) ** g.abs() - 1)": "((1 + mu) ** g.abs())"},
             "You left out the −1 when decoding: f = 0 must come back as 0."),
        slip(mu_law, {"((1 + mu) ** g.abs() - 1)": "(mu ** g.abs() - 1)"},
             "You raised μ to the power |f| when decoding. The inverse of ln(1 + μ|x|) / ln(1 + μ) has 1 + μ there."),
        slip(mu_law, {"g.sign() * ((1 + mu) ** g.abs() - 1) / mu": "g"},
             "You returned f of the level for the waveform: you only scaled the levels to [−1, 1]. Undo the squeezing as well."),
        slip(mu_law, {"f = x.sign() * torch.log1p(mu * x.abs()) / math.log(1 + mu)": "f = x"},
             "You did not squeeze when encoding: your levels are evenly spaced in x, not in f(x)."),
        slip(mu_law, {"g = 2 * levels / mu - 1": "g = f"},
             "You decoded f before it was rounded, so nothing is lost. Decode the levels: they are all that is kept."),
        slip(mu_law, {"return levels, g.sign() *": "return levels, "},
             "You lost the sign when decoding: levels below the middle are negative numbers."),
        slip(mu_law, {"return levels,": "return levels - num_levels // 2,"},
             "Your levels are centred at 0. They are to be 0, …, L − 1."),
        slip(mu_law, {"(f + 1) / 2 * mu + 0.5": "((f + 1) / 2 * num_levels).clamp(max=num_levels - 1)"},
             "You cut the range of f into L bins of equal width. Its ends −1 and 1 are themselves levels: round to the nearest of L points, "
             "μ steps apart in all."),
        slip(mu_law, {"torch.log1p(mu * x.abs())": "torch.log1p(x.abs())"},
             "You left μ out of the logarithm: it is ln(1 + μ|x|). Without it there is hardly any squeezing."),
        slip(mu_law, {"((1 + mu) ** g.abs() - 1) / mu": "((1 + mu) ** g.abs() - 1)"},
             "You did not divide by μ when decoding: f = 1 must come back as 1."),
        Wrong(edited(mu_law, {"f = x.sign() * torch.log1p(mu * x.abs()) / math.log(1 + mu)": "f = x.sign() * torch.log1p(num_levels * x.abs()) / math.log(1 + num_levels)", "((1 + mu) ** g.abs() - 1) / mu": "((1 + num_levels) ** g.abs() - 1) / num_levels"}),
              "You squeezed with L in place of μ, though the number of steps is right. μ = L − 1 in the logarithm and in its inverse, too."),
        Wrong(edited(mu_law, {"f = x.sign() * torch.log1p(mu * x.abs()) / math.log(1 + mu)": "f = x.sign() * torch.log1p(255 * x.abs()) / math.log(256)", "((1 + mu) ** g.abs() - 1) / mu": "(256 ** g.abs() - 1) / 255"}),
              "Your μ is 255 whatever L is. That is right for 256 levels only: μ = L − 1."),
    ),
    alternatives=(law_numpy, law_loops, law_table),
)  # fmt: skip

# 2 ------------------------------------------------------------------------------------------- a causal convolution


def causal_inputs(case, rng):
    C, num_out, T, k = case["C"], case["O"], case["T"], case["k"]
    return {
        "x": rng.standard_normal((C, T)) + 0.5,
        "weight": rng.standard_normal((num_out, C, k)) + 0.3,
        "dilation": case["d"],
    }


def causal_convolution(x, weight, dilation):
    k, T = weight.shape[2], x.shape[1]
    padded = torch.nn.functional.pad(x, ((k - 1) * dilation, 0))
    return sum(weight[:, :, i] @ padded[:, i * dilation : i * dilation + T] for i in range(k))


def causal_torch(x, weight, dilation):
    padded = torch.nn.functional.pad(x[None], ((weight.shape[2] - 1) * dilation, 0))
    return torch.nn.functional.conv1d(padded, weight, dilation=dilation)[0]


def causal_trimmed(x, weight, dilation):
    margin = (weight.shape[2] - 1) * dilation
    return torch.nn.functional.conv1d(x[None], weight, padding=margin, dilation=dilation)[0, :, : x.shape[1]]


def causal_loops(x, weight, dilation):
    x, weight = x.numpy(), weight.numpy()
    k, T = weight.shape[2], x.shape[1]
    out = np.zeros((len(weight), T))
    for t in range(T):
        for j in range(k):
            if t - j * dilation >= 0:
                out[:, t] += weight[:, :, k - 1 - j] @ x[:, t - j * dilation]
    return out


_PAD = "((k - 1) * dilation, 0)"
_SLICE = "padded[:, i * dilation : i * dilation + T]"
CAUSAL = Exercise(
    name="causal_convolution",
    outputs=(Output("output", ("O", "T")),),
    points={"visible": 1, "hidden": 2},
    make_inputs=causal_inputs,
    cases={
        "visible": ({"C": 2, "O": 3, "T": 12, "k": 3, "d": 2}, {"C": 1, "O": 2, "T": 9, "k": 2, "d": 3}),
        "hidden": ({"C": 3, "O": 2, "T": 14, "k": 3, "d": 4}, {"C": 2, "O": 1, "T": 5, "k": 2, "d": 7}),
    },
    reference=causal_convolution,
    wrong=(
        slip(causal_convolution, {_PAD: "(0, (k - 1) * dilation)"},
             "You padded on the right: your outputs see the future. All (k − 1) d zeros belong on the left.",),
        slip(causal_convolution, {_PAD: "((k - 1) * dilation // 2, (k - 1) * dilation - (k - 1) * dilation // 2)"},
             "You padded on both sides, so that half of the kernel looks ahead. All (k − 1) d zeros belong on the left."),
        slip(causal_convolution, {"weight[:, :, i]": "weight[:, :, k - 1 - i]"},
             "Your kernel is the wrong way round. The last slice of weight acts on the newest input, x_t."),
        slip(causal_convolution, {_PAD: "(k - 1, 0)", _SLICE: "padded[:, i : i + T]"},
             "You left the dilation out: your kernel sees adjacent inputs. They are d apart."),
        slip(causal_convolution, {_PAD: "((k - 1) * (dilation + 1), 0)", _SLICE: "padded[:, i * (dilation + 1) : i * (dilation + 1) + T]"},
             "Your inputs are d + 1 apart. A dilation of d means t − d, not d inputs left out in between."),
        slip(causal_convolution, {_PAD: "((k - 1) * dilation + 1, 0)"},
             "Your output is late by one: it does not see x_t itself. This layer may; the shift by one is the network's, done once, before the "
             "first layer."),
        slip(causal_convolution, {_PAD: "(k * dilation, 0)"},
             "You padded k d zeros, so that the output is late by d. The oldest input is (k − 1) d back."),
        slip(causal_convolution, {"torch.nn.functional.pad(x, ((k - 1) * dilation, 0))": "torch.cat([x[:, :1].expand(-1, (k - 1) * dilation), x], dim=1)"},
             "You repeated the first input before the beginning. There are zeros."),
        slip(causal_convolution, {"torch.nn.functional.pad(x, ((k - 1) * dilation, 0))": "torch.cat([x.repeat(1, (k - 1) * dilation)[:, -(k - 1) * dilation :], x], dim=1)"},
             "Before the beginning you put the end of the sound, as in a circle: that is the future. There are zeros."),
        slip(causal_convolution, {"for i in range(k))": "for i in range(k - 1, k))"},
             "Your output sees only the newest input. Add up all k slices of the kernel."),
        slip(causal_convolution, {"for i in range(k))": "for i in range(k - 1))"},
             "You left the newest input out. The sum runs over j = 0, …, k − 1, and j = 0 is x_t itself."),
        slip(causal_convolution, {"for i in range(k))": "for i in range(k)) / k"},
             "You took the mean over the kernel's slices. A convolution is their sum."),
        slip(causal_convolution, {"for i in range(k))": "for i in range(k)).relu()"},
             "You rectified the output. A convolution is linear; what follows it is another step."),
        slip(causal_convolution, {"weight[:, :, i] @ padded[:, i * dilation": "weight[:, :, i].mean(dim=1, keepdim=True) @ padded.mean(dim=0, keepdim=True)[:, i * dilation"},
             "You averaged over the input's features. Each has a weight of its own: a matrix product for each slice."),
        slip(causal_convolution, {"return sum(weight[:, :, i] @ padded[:, i * dilation : i * dilation + T] for i in range(k))": "y = sum(weight[:, :, i] @ padded[:, i * dilation : i * dilation + T] for i in range(k))\n    y[:, : (k - 1) * dilation] = 0\n    return y"},
             "Your first outputs are 0, as long as the kernel reaches back before the beginning. There it sees zeros, and the inputs that are there count."),
    ),
    alternatives=(causal_torch, causal_trimmed, causal_loops),
)  # fmt: skip

# 3 ------------------------------------------------------------------------------------------------ what a stack sees


def seen_inputs(case, rng):
    return {"dilations": np.array(case["ds"]), "kernel_size": case["k"], "T": case["T"]}


def what_it_sees(dilations, kernel_size, T):
    back = {0}
    for d in dilations.tolist():
        back = {b + j * d for b in back for j in range(kernel_size)}
    mask = torch.zeros(T, dtype=torch.float64)
    mask[[T - 1 - b for b in back if b < T]] = 1.0
    return 1 + (kernel_size - 1) * sum(dilations.tolist()), mask


def seen_boolean(dilations, kernel_size, T):
    mask = torch.zeros(T, dtype=torch.bool)
    mask[-1] = True
    for d in dilations.tolist():
        old = mask.clone()
        for j in range(1, kernel_size):
            if j * d < T:
                mask[: T - j * d] |= old[j * d :]
    return 1 + (kernel_size - 1) * int(dilations.sum()), mask


def seen_by_gradient(dilations, kernel_size, T):
    x = torch.zeros(1, 1, T, dtype=torch.float64, requires_grad=True)
    h, weight = x, torch.ones(1, 1, kernel_size, dtype=torch.float64)
    for d in dilations.tolist():
        h = torch.nn.functional.pad(h, ((kernel_size - 1) * d, 0))
        h = torch.nn.functional.conv1d(h, weight, dilation=d)
    h[0, 0, -1].backward()
    return 1 + (kernel_size - 1) * dilations.sum(), x.grad[0, 0] != 0


def seen_by_polynomials(dilations, kernel_size, T):
    paths = np.ones(1)  # entry b: in how many ways the output looks b samples back
    for d in dilations.tolist():
        layer = np.zeros((kernel_size - 1) * d + 1)
        layer[::d] = 1
        paths = np.convolve(paths, layer)
    mask = np.zeros(T)
    mask[max(T - len(paths), 0) :] = paths[:T][::-1] > 0
    return len(paths), mask


_FIELD = "1 + (kernel_size - 1) * sum(dilations.tolist())"
_PLACES = "[T - 1 - b for b in back if b < T]"
SEEN = Exercise(
    name="what_it_sees",
    outputs=(Output("field", ()), Output("mask", ("T",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=seen_inputs,
    cases={
        "visible": (
            {"ds": (3, 4), "k": 3, "T": 19},
            {"ds": (2, 5, 3), "k": 2, "T": 13},
            {"ds": (3, 2), "k": 2, "T": 1},
        ),
        "hidden": (
            {"ds": (5, 2, 5), "k": 3, "T": 29},
            {"ds": (1, 4, 11), "k": 2, "T": 12},
            {"ds": (6,), "k": 4, "T": 1},
        ),
    },
    reference=what_it_sees,
    wrong=(
        slip(what_it_sees, {_FIELD: "(kernel_size - 1) * sum(dilations.tolist())"},
             "You forgot the newest input: the field is 1 more than how far back the oldest one is."),
        slip(what_it_sees, {_FIELD: "1 + kernel_size * sum(dilations.tolist())"},
             "You took k steps a layer. Between k inputs there are k − 1 gaps: a layer reaches (k − 1) d further back."),
        slip(what_it_sees, {_FIELD: "1 + (kernel_size - 1) * math.prod(dilations.tolist())"},
             "You multiplied the dilations. Each layer reaches (k − 1) d further back than the one below: they add up."),
        slip(what_it_sees, {_FIELD: "1 + (kernel_size - 1) * max(dilations.tolist())"},
             "You took the largest dilation alone. All layers' reaches add up."),
        slip(what_it_sees, {_FIELD: "1 + sum(dilations.tolist())"},
             "Your formula for the field is that of k = 2. A layer reaches (k − 1) d further back."),
        slip(what_it_sees, {_FIELD: "kernel_size ** len(dilations)"},
             "You took k to the power of the number of layers. That holds for dilations 1, k, k², … alone; in general the reaches "
             "(k − 1) d add up."),
        slip(what_it_sees, {_FIELD: "len(back)"},
             "You counted the inputs that are seen. The field reaches back to the oldest of them, and counts those in between, too."),
        slip(what_it_sees, {"range(kernel_size)}": "range(1, kernel_size)} | {0}"},
             "Your layers do not pass on what is right below them: each layer also sees its input at the same time (j = 0)."),
        slip(what_it_sees, {_PLACES: "[b for b in back if b < T]"},
             "Your mask counts from the wrong end. The newest input is the last entry, T − 1."),
        slip(what_it_sees, {_PLACES: "[T - 1 - b for b in range(T) if b <= max(back)]"},
             "You marked the whole field. With these dilations it has gaps: mark only inputs from which a path leads to the output."),
        slip(what_it_sees, {_PLACES: "[T - 1 - b for b in back if 0 < b < T]"},
             "You left the newest input out. A causal layer sees it; the network's shift by one is not part of the stack here."),
        slip(what_it_sees, {"for b in back for j in range(kernel_size)}": "for b in [0] for j in range(kernel_size)} | back"},
             "You marked what each layer alone would see. Layers are stacked: the second sees d₂ back from each place that the first "
             "layer's outputs see."),
        slip(what_it_sees, {"b + j * d for b": "b + j for b"},
             "You left the dilations out of the mask: a layer sees inputs d apart."),
        slip(what_it_sees, {"j in range(kernel_size)}": "j in (0, kernel_size - 1)}"},
             "You marked the ends of each kernel alone. It sees j d back for all j = 0, …, k − 1."),
        slip(what_it_sees, {"mask[[T - 1 - b": "mask[[max(T - 2 - b, 0)"},
             "Your mask is late by one. Output T − 1 sees input T − 1."),
        slip(what_it_sees, {_FIELD: "min(1 + (kernel_size - 1) * sum(dilations.tolist()), T)"},
             "You cut the field off at T. The field is the stack's own, however short the sound: cut off only the mask."),
        slip(what_it_sees, {_PLACES: "[(T - 1 - b) % T for b in back]"},
             "Places before the beginning are negative indices, and those count from the end: they mark inputs that are not seen. Leave them out.",
             loses=("hidden",)),
    ),
    alternatives=(seen_boolean, seen_by_gradient, seen_by_polynomials),
)  # fmt: skip

# 4 ------------------------------------------------------------------------------------------------------- the unit


def unit_inputs(case, rng):
    F, G, S, T = case["F"], case["G"], case["S"], case["T"]
    size = case.get("size", 1.0)
    return {
        "h": rng.standard_normal((F, T)) + 1,
        "a": size * (rng.standard_normal((2 * G, T)) + 0.4),
        "v": size * rng.uniform(0.4, 1.2, 2 * G) * rng.choice([-1.0, 1.0], 2 * G),
        "U": rng.standard_normal((F, G)) + 0.3,
        "S": rng.standard_normal((S, G)) - 0.3,
    }


def wavenet_unit(h, a, v, U, S):
    value, gate = (a + v[:, None]).chunk(2)
    z = torch.tanh(value) * torch.sigmoid(gate)
    return h + U @ z, S @ z


def unit_numpy(h, a, v, U, S):
    shifted = a.numpy() + v.numpy()[:, None]
    G = len(shifted) // 2
    z = np.tanh(shifted[:G]) * 0.5 * (1 + np.tanh(shifted[G:] / 2))
    return h.numpy() + U.numpy() @ z, S.numpy() @ z


def unit_convolutions(h, a, v, U, S):
    shifted = a + v.unsqueeze(1)
    G = len(v) // 2
    z = shifted[:G].tanh() * torch.special.expit(shifted[G:])
    out, skip = (torch.nn.functional.conv1d(z[None], w[:, :, None])[0] for w in (U, S))
    return h + out, skip


def unit_loops(h, a, v, U, S):
    stream, skip = h.clone(), torch.zeros(len(S), h.shape[1], dtype=h.dtype)
    for t in range(h.shape[1]):
        value, gate = (a[:, t] + v).view(2, -1)
        z = (2 * torch.sigmoid(2 * value) - 1) / (1 + torch.exp(-gate))
        stream[:, t] += (U * z).sum(dim=1)
        skip[:, t] = (S * z).sum(dim=1)
    return stream, skip


UNIT = Exercise(
    name="wavenet_unit",
    outputs=(Output("stream", ("F", "T")), Output("skip", ("S", "T"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=unit_inputs,
    cases={
        "visible": ({"F": 3, "G": 4, "S": 5, "T": 6}, {"F": 1, "G": 2, "S": 3, "T": 4}),
        "hidden": (
            {"F": 4, "G": 3, "S": 2, "T": 7},
            {"F": 3, "G": 4, "S": 4, "T": 5, "size": 6.0},
            {"F": 2, "G": 1, "S": 3, "T": 1},
        ),
    },
    reference=wavenet_unit,
    wrong=(
        slip(wavenet_unit, {"value, gate =": "gate, value ="},
             "You swapped the halves. The first half carries the value, through tanh; the second is the gate."),
        slip(wavenet_unit, {"(a + v[:, None])": "a"},
             "You left the class out: v shifts both halves before tanh and sigmoid."),
        slip(wavenet_unit, {"(a + v[:, None])": "(a - v[:, None])"},
             "You took the class's vector off. It is added."),
        slip(wavenet_unit, {"torch.tanh(value) *": "torch.sigmoid(value) *"},
             "Your values go through a sigmoid: they could never be negative. They go through tanh."),
        slip(wavenet_unit, {"torch.sigmoid(gate)": "torch.tanh(gate)"},
             "You took tanh of both halves. A gate lies between 0 and 1: a sigmoid."),
        slip(wavenet_unit, {"torch.tanh(value) *": "torch.relu(value) *"},
             "Your values go through a rectifier. In this unit they go through tanh."),
        slip(wavenet_unit, {"torch.tanh(value) *": "value *"},
             "Your values do not go through tanh: that is another gate, the linear one."),
        slip(wavenet_unit, {"torch.tanh(value) *": "torch.tanh(value) +"},
             "You added the two halves. A gate multiplies: where it is 0 nothing passes."),
        slip(wavenet_unit, {"return h + U @ z": "return U @ z"},
             "You left out the residual connection: the stream is h plus what the unit adds."),
        slip(wavenet_unit, {"h + U @ z, S @ z": "h + U @ z, S @ z + h.mean(dim=0)"},
             "You added the stream to the skip. The skip is S z alone."),
        slip(wavenet_unit, {"(a + v[:, None]).chunk(2)": "((a + v[:, None])[0::2], (a + v[:, None])[1::2])"},
             "You took every second feature for the gate. The first half of the rows are values, the second half gates."),
        slip(wavenet_unit, {"(a + v[:, None]).chunk(2)": "(a[: len(v) // 2] + v[: len(v) // 2, None], a[len(v) // 2 :])"},
             "You gave the class to the values only. v has a part for the gates as well."),
        slip(wavenet_unit, {"(a + v[:, None]).chunk(2)": "(a[: len(v) // 2], a[len(v) // 2 :] + v[len(v) // 2 :, None])"},
             "You gave the class to the gates only. v has a part for the values as well."),
        slip(wavenet_unit, {"torch.sigmoid(gate)": "torch.softmax(gate, dim=0)"},
             "Your gates share the number 1, as a softmax makes them. Each gate is a sigmoid of its own."),
        slip(wavenet_unit, {"S @ z": "S @ torch.tanh(value)"},
             "Your skip passes by the gate. Both outputs are made of z, after the gate."),
        slip(wavenet_unit, {"h + U @ z, S @ z": "h + U @ torch.tanh(value), S @ z"},
             "What you add to the stream passes by the gate. Both outputs are made of z, after the gate."),
        slip(wavenet_unit, {"(a + v[:, None]).chunk(2)": "a.chunk(2)", "torch.tanh(value) * torch.sigmoid(gate)": "(torch.tanh(value) + v[: len(v) // 2, None]) * (torch.sigmoid(gate) + v[len(v) // 2 :, None])"},
             "You added the class's vector behind tanh and sigmoid. It shifts what goes into them: values could leave (−1, 1) otherwise."),
        slip(wavenet_unit, {"h + U @ z": "(h + U @ z) / math.sqrt(2)"},
             "You divided the stream by √2, as some implementations do. Here it is the plain sum, h + U z."),
        slip(wavenet_unit, {"(a + v[:, None])": "(a + v.roll(len(v) // 2)[:, None])"},
             "You swapped the halves of the class's vector. Its first half belongs to the values, its second to the gates."),
    ),
    alternatives=(unit_numpy, unit_convolutions, unit_loops),
)  # fmt: skip

# 5 -------------------------------------------------------------------------------------------------- bits a sample


def bits_inputs(case, rng):
    T, L = case["T"], case["L"]
    x = rng.integers(0, L, T)
    logits = 1.5 * rng.standard_normal((T, L)) + 0.3 * np.arange(L)
    logits[np.arange(T), x] -= case.get("surprise", 0.0)
    return {"logits": logits + case.get("offset", 0.4), "x": x}


def bits_per_sample(logits, x):
    log_p = logits.log_softmax(dim=1)[torch.arange(len(x)), x]
    return -log_p.mean() / math.log(2)


def bits_torch(logits, x):
    return torch.nn.functional.cross_entropy(logits, x) / math.log(2)


def bits_numpy(logits, x):
    logits, x = logits.numpy(), x.numpy()
    top = logits.max(axis=1)
    log_z = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return np.mean((log_z - logits[np.arange(len(x)), x]) / np.log(2))


def bits_base_two(logits, x):
    scores = logits.numpy() / math.log(2)
    costs = [np.logaddexp2.reduce(row) - row[level] for row, level in zip(scores, x.tolist(), strict=True)]
    return sum(costs) / len(costs)


_PICK = "logits.log_softmax(dim=1)[torch.arange(len(x)), x]"
BITS = Exercise(
    name="bits_per_sample",
    outputs=(Output("bits", ()),),
    points={"visible": 1, "hidden": 1},
    make_inputs=bits_inputs,
    cases={
        "visible": ({"T": 6, "L": 5}, {"T": 9, "L": 3}, {"T": 1, "L": 4}),
        "hidden": (
            {"T": 5, "L": 7},
            {"T": 4, "L": 6, "offset": 900.0},
            {"T": 3, "L": 5, "surprise": 1500.0},
            {"T": 1, "L": 2},
        ),
    },
    reference=bits_per_sample,
    wrong=(
        slip(bits_per_sample, {" / math.log(2)": ""},
             "Your answer is in nats. A bit is ln 2 nats: divide by ln 2."),
        slip(bits_per_sample, {" / math.log(2)": " * math.log(2)"},
             "You multiplied by ln 2. A nat is 1 / ln 2 bits: divide."),
        slip(bits_per_sample, {"-log_p.mean()": "-log_p.sum()"},
             "You added up all samples. Asked for are bits a sample: the mean."),
        slip(bits_per_sample, {"-log_p.mean()": "log_p.mean()"},
             "Your answer is negative. Bits are −log₂ p: what is unlikely costs much."),
        slip(bits_per_sample, {"logits.log_softmax(dim=1)": "logits.log_softmax(dim=0)"},
             "Your softmax is over time. At each time the levels' probabilities add up to 1: along the second dimension."),
        slip(bits_per_sample, {"logits.log_softmax(dim=1)": "logits"},
             "You took the logits for log-probabilities. They are not normalised: a log-softmax makes them so."),
        slip(bits_per_sample, {_PICK: "logits.log_softmax(dim=1).max(dim=1).values"},
             "You took the most probable level's probability. Asked for is that of the level that came."),
        slip(bits_per_sample, {"-log_p.mean()": "-log_p.exp().mean().log()"},
             "You averaged probabilities before taking the logarithm. By the chain rule the logarithms add up, so they are averaged."),
        slip(bits_per_sample, {_PICK: "logits.log_softmax(dim=1)[torch.arange(1, len(x)), x[:-1]]"},
             "You compared each prediction with the sample before. Row t of the logits is for x_t: the shift has been done."),
        slip(bits_per_sample, {_PICK: "logits.log_softmax(dim=1)[torch.arange(len(x) - 1), x[1:]]"},
             "You compared each prediction with the next sample. Row t of the logits is for x_t: the shift has been done."),
        slip(bits_per_sample, {"return -log_p.mean() / math.log(2)": "return 2 ** (-log_p.mean() / math.log(2))"},
             "You returned the perplexity, 2 to the power of the bits. Asked for are the bits."),
        slip(bits_per_sample, {" / math.log(2)": " / math.log(10)"},
             "You took the logarithm to the base 10. Bits are to the base 2."),
        slip(bits_per_sample, {_PICK: "torch.nn.functional.logsigmoid(logits)[torch.arange(len(x)), x]"},
             "You took a sigmoid of each logit. The levels exclude each other: their probabilities are a softmax."),
        slip(bits_per_sample, {_PICK: "(logits.log_softmax(dim=1).exp() * logits.log_softmax(dim=1)).sum(dim=1)"},
             "You computed the entropy of the predictions, without looking at x. The cost is that of the level that came."),
        slip(bits_per_sample, {_PICK: "(logits.softmax(dim=1)[torch.arange(len(x)), x] + 1e-9).log()"},
             "You added something to the probability, or cut it off, before the logarithm. A probability may be as small as exp(−1500): use log-softmax.",
             loses=("hidden",), variants=[{_PICK: "(logits.softmax(dim=1)[torch.arange(len(x)), x] + 1e-10).log()"}]),
        slip(bits_per_sample, {_PICK: "(logits.exp().clamp(max=1e300) / logits.exp().clamp(max=1e300).sum(dim=1, keepdim=True))[torch.arange(len(x)), x].clamp(min=1e-300).log()"},
             "exp of these logits overflows, or of the smallest underflows. Use log-softmax, which takes the largest out first.",
             loses=("hidden",)),
        slip(bits_per_sample, {" / math.log(2)": " / math.log(logits.shape[1])"},
             "You divided by ln L, which gives a share of the highest cost. A bit is ln 2 nats."),
        slip(bits_per_sample, {"logits.log_softmax(dim=1)": "logits.clamp(-30, 30).log_softmax(dim=1)"},
             "You cut the logits off at ±30. What is said to be nearly impossible, and comes, costs as much as it costs: use log-softmax on the logits as they are.",
             loses=("hidden",)),
        slip(bits_per_sample, {_PICK: "logits.softmax(dim=1)[torch.arange(len(x)), x].log()", "-log_p.mean()": "-log_p.nan_to_num(neginf=0.0).mean()"},
             "Samples whose probability underflows to 0 cost nothing in your sum. They cost most: use log-softmax, which never takes the logarithm of 0.",
             loses=("hidden",)),
    ),
    alternatives=(bits_torch, bits_numpy, bits_base_two),
)  # fmt: skip

# 6 ------------------------------------------------------------------------------------------------------ the queue


def queue_inputs(case, rng):
    T, C, num_out = case["T"], case["C"], case["O"]
    return {
        "x": rng.standard_normal((T, C)) + 0.6,
        "old": rng.standard_normal((num_out, C)) + 0.4,
        "new": rng.standard_normal((num_out, C)) - 0.4,
        "dilation": case["d"],
    }


def step_by_step(x, old, new, dilation):
    waiting = [torch.zeros_like(x[0]) for _ in range(dilation)]
    outputs = []
    for x_t in x:
        first = waiting.pop(0)
        waiting.append(x_t)
        outputs.append(old @ first + new @ x_t)
    return torch.stack(outputs), torch.stack(waiting)


def queue_ring(x, old, new, dilation):
    ring, outputs = torch.zeros(dilation, x.shape[1], dtype=x.dtype), []
    for t in range(len(x)):
        outputs.append(old @ ring[t % dilation] + new @ x[t])
        ring[t % dilation] = x[t]
    return torch.stack(outputs), ring.roll(-(len(x) % dilation), dims=0)


def queue_all_at_once(x, old, new, dilation):
    longer = np.concatenate([np.zeros((dilation, x.shape[1])), x.numpy()])
    return longer[: len(x)] @ old.numpy().T + x.numpy() @ new.numpy().T, longer[len(x) :]


def queue_convolution(x, old, new, dilation):
    padded = torch.nn.functional.pad(x.T, (dilation, 0))
    kernel = torch.stack([old, new], dim=2)
    outputs = torch.nn.functional.conv1d(padded[None], kernel, dilation=dilation)[0]
    return outputs.T, padded[:, -dilation:].T


_STEP = "old @ first + new @ x_t"
QUEUE = Exercise(
    name="step_by_step",
    outputs=(Output("outputs", ("T", "O")), Output("waiting", ("d", "C"))),
    points={"visible": 1, "hidden": 2},
    make_inputs=queue_inputs,
    cases={
        "visible": ({"T": 8, "C": 2, "O": 3, "d": 3}, {"T": 7, "C": 1, "O": 2, "d": 2}),
        "hidden": ({"T": 10, "C": 2, "O": 3, "d": 4}, {"T": 3, "C": 2, "O": 1, "d": 5}, {"T": 5, "C": 1, "O": 2, "d": 1}),
    },
    reference=step_by_step,
    wrong=(
        Wrong(edited(step_by_step, {"for _ in range(dilation)]": "for _ in range(dilation + 1)]", "torch.stack(waiting)": "torch.stack(waiting[1:])"}),
              "Your queue is one too long: your dilation is d + 1. What comes out was put in d steps ago.",
              variants=(edited(step_by_step, {"for _ in range(dilation)]": "for _ in range(dilation + 1)]", "torch.stack(waiting)": "torch.stack(waiting[:-1])"}),)),
        slip(step_by_step, {"first = waiting.pop(0)\n        waiting.append(x_t)": "waiting.append(x_t)\n        waiting.pop(0)\n        first = waiting[0]"},
             "Your dilation is d − 1: you read the queue after it has moved on. Take out the oldest input, which was put in d steps ago."),
        slip(step_by_step, {_STEP: "new @ first + old @ x_t"},
             "You swapped the weights: `old` acts on what comes out of the queue, `new` on the present input."),
        slip(step_by_step, {"outputs.append(old @ first + new @ x_t)": "outputs.append(old @ first + new @ x_t)\n        waiting[-1] = outputs[-1].mean().expand_as(x_t)"},
             "Your queue holds outputs. The unit needs its own inputs of d steps ago."),
        slip(step_by_step, {"first = waiting.pop(0)": "first = waiting[-1]\n        waiting.pop(0)"},
             "You read the newest entry of the queue, the input of one step ago. Take out the oldest."),
        slip(step_by_step, {"torch.stack(waiting)": "torch.stack(waiting[::-1])"},
             "Your queue is returned newest first. Asked for is the oldest first, in the order in which they will come out."),
        slip(step_by_step, {"torch.zeros_like(x[0])": "x[0].clone()"},
             "You filled the queue with the first input. Before the beginning there are zeros."),
        slip(step_by_step, {"torch.zeros_like(x[0])": "torch.ones_like(x[0])"},
             "You filled the queue with ones. Before the beginning there are zeros."),
        slip(step_by_step, {_STEP: "old @ first"},
             "You left the present input out: y_t = W_old x_{t−d} + W_new x_t."),
        slip(step_by_step, {_STEP: "new @ x_t"},
             "You left out what comes out of the queue: y_t = W_old x_{t−d} + W_new x_t."),
        slip(step_by_step, {_STEP: "0.5 * (old @ first + new @ x_t)"},
             "You took the mean of the two products. The convolution is their sum."),
        slip(step_by_step, {"torch.stack(waiting)": "torch.stack([torch.zeros_like(x[0]), *waiting[:-1]])"},
             "The last input is not in the queue that you return. It will be needed d steps from now."),
        slip(step_by_step, {"waiting.append(x_t)": "waiting.append(x_t + first)"},
             "You add up inputs in the queue. An input that has come out is needed no more."),
        slip(step_by_step, {"waiting.append(x_t)": "waiting.append(x_t.relu())"},
             "You rectified what you put into the queue. It holds the inputs as they are."),
        slip(step_by_step, {"torch.stack(waiting)": "torch.stack(waiting).roll(len(x) % dilation, dims=0)"},
             "Your queue begins at a slot of a ring, and not with the oldest. Turn it by −(T mod d)."),
        slip(step_by_step, {"torch.stack(waiting)": "torch.stack(waiting).roll(2 * (len(x) % dilation), dims=0)"},
             "You turned the ring the wrong way before you returned it. The oldest, in slot T mod d, comes first: roll by −(T mod d)."),
        slip(step_by_step, {"for x_t in x:": "for t, x_t in enumerate(x):", _STEP: "old @ first + new @ x_t * (t >= dilation)"},
             "Your outputs leave the present input out until the queue is full. From the first step on it is W_old x_{t−d} + W_new x_t, with zeros before the beginning."),
    ),
    alternatives=(queue_ring, queue_all_at_once, queue_convolution),
)  # fmt: skip

# 7 ---------------------------------------------------------------------------------------------------------- counts


def bigram_inputs(case, rng):
    T, L = case["T"], case["L"]
    x = np.minimum((L * rng.random(T) ** 1.6).astype(int), L - 1 - case.get("never", 0))
    x[:5] = [0, 0, 0, 1, 0][:T]
    return {"x": x, "num_levels": L, "strength": case["strength"]}


def bigram(x, num_levels, strength):
    unigram = torch.bincount(x, minlength=num_levels).double() / len(x)
    counts = torch.zeros(num_levels, num_levels, dtype=torch.float64)
    for t in range(1, len(x)):
        counts[x[t - 1], x[t]] += 1
    return (counts + strength * unigram) / (counts.sum(dim=1, keepdim=True) + strength)


def bigram_codes(x, num_levels, strength):
    pairs = torch.bincount(x[:-1] * num_levels + x[1:], minlength=num_levels**2).view(num_levels, num_levels)
    p = torch.nn.functional.one_hot(x, num_levels).double().mean(dim=0)
    return (pairs + strength * p) / (pairs.sum(dim=1)[:, None] + strength)


def bigram_numpy(x, num_levels, strength):
    x, pairs = x.numpy(), np.zeros((num_levels, num_levels))
    np.add.at(pairs, (x[:-1], x[1:]), 1)
    p = np.array([(x == level).mean() for level in range(num_levels)])
    return (pairs + strength * p) / (pairs.sum(axis=1, keepdims=True) + strength)


def bigram_rows(x, num_levels, strength):
    p = torch.nn.functional.one_hot(x, num_levels).double().mean(dim=0)
    rows = []
    for level in range(num_levels):
        followers = x[1:][x[:-1] == level]
        own = torch.bincount(followers, minlength=num_levels)
        rows.append((own + strength * p) / (len(followers) + strength))
    return torch.stack(rows)


_TABLE = "(counts + strength * unigram) / (counts.sum(dim=1, keepdim=True) + strength)"
COUNTS = Exercise(
    name="bigram",
    outputs=(Output("probabilities", ("L", "L")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=bigram_inputs,
    cases={
        "visible": (
            {"T": 40, "L": 4, "strength": 2.5},
            {"T": 30, "L": 3, "strength": 6.0},
            {"T": 1, "L": 2, "strength": 1.5},
        ),
        "hidden": (
            {"T": 60, "L": 5, "strength": 0.5},
            {"T": 25, "L": 6, "strength": 3.0, "never": 2},
            {"T": 1, "L": 3, "strength": 0.7},
        ),
    },
    reference=bigram,
    wrong=(
        slip(bigram, {"counts[x[t - 1], x[t]]": "counts[x[t], x[t - 1]]"},
             "Your table is the wrong way round: a row is the sample before, a column the next one."),
        slip(bigram, {"strength * unigram": "strength / num_levels"},
             "You smoothed with equal shares. The lower order is the unigram: levels that are frequent get more."),
        slip(bigram, {"keepdim=True) + strength)": "keepdim=True) + strength * num_levels)"},
             "You added α L below. The unigram adds up to 1, so a row gains α in all."),
        slip(bigram, {_TABLE: "(counts + strength * unigram) / counts.sum(dim=1, keepdim=True).clamp(min=1)"},
             "Your rows add up to more than 1: add α below as well."),
        slip(bigram, {"counts + strength * unigram": "counts"},
             "Your rows add up to less than 1: α times the unigram is missing above."),
        slip(bigram, {_TABLE: "(counts + strength * unigram) / (counts.sum() + strength * num_levels)"},
             "You divided by the number of all pairs: that is the joint distribution. Asked for is the next sample given the one before: each row adds up to 1."),
        slip(bigram, {"counts[x[t - 1], x[t]] += 1": "counts[x[t - 1], x[t]] = 1"},
             "You noted whether a pair occurs, not how often. Where indices repeat, `counts[a, b] += 1` on whole tensors counts them once, too."),
        slip(bigram, {_TABLE: "(counts + strength * unigram[:, None]) / (counts.sum(dim=1, keepdim=True) + strength * num_levels * unigram[:, None])"},
             "You added the unigram along the rows. It is about the next sample: along the columns."),
        slip(bigram, {_TABLE: "(counts + strength * unigram) / (counts.sum(dim=0) + strength)"},
             "You divided by the columns' sums. Each row, a sample before, has its own distribution over the next one."),
        slip(bigram, {_TABLE: "((counts + strength * unigram) / (counts.sum(dim=1, keepdim=True) + strength)).clamp(min=1e-12).log()"},
             "You returned logarithms. Asked for are probabilities."),
        slip(bigram, {"range(1, len(x))": "range(1, len(x), 2)"},
             "You counted every second pair. Pairs overlap: there are T − 1 of them."),
        slip(bigram, {"range(1, len(x))": "range(2, len(x))", "counts[x[t - 1], x[t]]": "counts[x[t - 2], x[t]]"},
             "You counted pairs two apart. A bigram looks at the sample right before."),
        slip(bigram, {_TABLE: "unigram.expand(num_levels, num_levels)"},
             "You returned the unigram for every row. The counts of pairs say what follows what."),
        slip(bigram, {"counts + strength * unigram": "counts + unigram", "keepdim=True) + strength)": "keepdim=True) + 1)"},
             "You left the strength out: the lower order is worth α samples, not 1."),
        slip(bigram, {"range(1, len(x)):": "range(1, len(x)):\n        counts[x[t], x[t - 1]] += 1"},
             "You counted each pair in both orders. Time has one direction: only from the sample before to the next."),
        slip(bigram, {"(counts.sum(dim=1, keepdim=True) + strength)": "(torch.bincount(x, minlength=num_levels)[:, None] + strength)"},
             "n(c) must count how often c is followed by something: the last sample is not. Otherwise that row does not add up to 1."),
        slip(bigram, {"counts + strength * unigram": "counts + strength", "keepdim=True) + strength)": "keepdim=True) + num_levels * strength)"},
             "You added α to each count, whatever the level. The lower order is the unigram: add α p(x), and α below."),
        slip(bigram, {_TABLE: "((counts + strength * unigram) / (counts.sum(dim=1, keepdim=True) + strength)).T"},
             "Your table is transposed: a row is the sample before, and adds up to 1."),
        slip(bigram, {"range(1, len(x)):": "range(len(x)):"},
             "You let the first sample follow the last, as on a ring. There are T − 1 pairs."),
        slip(bigram, {"counts + strength * unigram": "counts + strength * unigram[:, None]"},
             "You added α p(c), the share of the sample before. It is α p(x), the share of the next one: along the columns."),
        slip(bigram, {"return (counts": "p = (counts", "keepdim=True) + strength)": "keepdim=True) + strength)\n    p[torch.bincount(x, minlength=num_levels) == 0] = 1 / num_levels\n    return p"},
             "Rows of levels that never came are uniform in yours. Nothing is known of what follows them, so they are the unigram; the formula does that by itself."),
    ),
    alternatives=(bigram_codes, bigram_numpy, bigram_rows),
)  # fmt: skip

# Absent while this is graded: it is what students are asked to write.
SEALED = ("wavenet", "audio")

EXERCISES = (LAW, CAUSAL, SEEN, UNIT, BITS, QUEUE, COUNTS)
