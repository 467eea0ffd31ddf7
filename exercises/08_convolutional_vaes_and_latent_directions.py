"""Convolutional VAEs: sizes, σ as a price, what a direction is worth, directions for attributes, edits, the gap of MIG.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise
from vaeedu_grader.authoring.slips import slip

# 1 ------------------------------------------------------------------------------------------ sizes of the layers


def sizes_inputs(case, rng):
    """Kernels, strides and paddings of an encoder's layers; some sizes are odd, so that the floor matters."""
    side = case["side"]
    layers = np.array(case["layers"])
    return {"side": side, "kernel": layers[:, 0], "stride": layers[:, 1], "padding": layers[:, 2]}


def sizes_and_field(side, kernel, stride, padding):
    sizes, n = [], side
    for k, s, p in zip(kernel.tolist(), stride.tolist(), padding.tolist(), strict=True):
        n = (n + 2 * p - k) // s + 1
        sizes.append(n)
    field, jump = 1, 1
    for k, s in zip(kernel.tolist(), stride.tolist(), strict=True):
        field = field + (k - 1) * jump
        jump = jump * s
    return sizes, field


def sizes_numpy(side, kernel, stride, padding):
    sizes = np.zeros(len(kernel))
    for i in range(len(kernel)):
        before = side if i == 0 else sizes[i - 1]
        sizes[i] = np.floor((before + 2 * int(padding[i]) - int(kernel[i])) / int(stride[i])) + 1
    jumps = np.concatenate([[1], np.cumprod(stride.numpy())[:-1]])
    return sizes, 1 + float(((kernel.numpy() - 1) * jumps).sum())


def sizes_measured(side, kernel, stride, padding):
    sizes, x = [], torch.zeros(1, 1, int(side))
    for k, s, p in zip(kernel.tolist(), stride.tolist(), padding.tolist(), strict=True):
        x = torch.nn.functional.conv1d(x, torch.ones(1, 1, k), stride=s, padding=p)
        sizes.append(x.shape[-1])
    field = 1
    for k, s in reversed(list(zip(kernel.tolist(), stride.tolist(), strict=True))):
        field = (field - 1) * s + k
    return torch.tensor(sizes), field


def sizes_recursive(side, kernel, stride, padding):
    def rest(n, layers):
        if not layers:
            return []
        (k, s, p), *others = layers
        made = int((n + 2 * p - k + s) / s)
        return [made, *rest(made, others)]

    layers = list(zip(kernel.tolist(), stride.tolist(), padding.tolist(), strict=True))
    product = 1
    field = 1
    for k, s, _ in layers:
        field += (k - 1) * product
        product *= s
    return torch.tensor(rest(int(side), layers)), field


SIZES = Exercise(
    name="sizes_and_field",
    outputs=(Output("sizes", ("L",)), Output("field", ())),
    points={"visible": 1, "hidden": 1},
    make_inputs=sizes_inputs,
    cases={
        "visible": (
            {"L": 4, "side": 33, "layers": ((4, 2, 1), (4, 2, 1), (3, 1, 1), (3, 3, 2))},
            {"L": 2, "side": 20, "layers": ((5, 2, 1), (4, 3, 2))},
            {"L": 1, "side": 12, "layers": ((5, 3, 1),)},
        ),
        "hidden": (
            {"L": 5, "side": 67, "layers": ((4, 2, 1), (5, 2, 1), (4, 3, 2), (3, 2, 1), (2, 1, 1))},
            {"L": 1, "side": 9, "layers": ((6, 2, 1),)},
            {"L": 3, "side": 50, "layers": ((3, 3, 2), (4, 2, 3), (2, 1, 1))},
        ),
    },
    reference=sizes_and_field,
    wrong=(
        slip(sizes_and_field, {"(n + 2 * p - k) // s + 1": "(n + 2 * p - k) // s"},
             "Your sizes are one too small in each layer: the first place of the kernel counts, too. It is the floor of (n + 2p − k)/s, plus 1."),
        slip(sizes_and_field, {"n + 2 * p - k": "n + p - k"},
             "You padded one side only. The padding is on both sides: n + 2p."),
        slip(sizes_and_field, {"n + 2 * p - k": "n - k"},
             "You left the padding out: a padded row has n + 2p entries."),
        slip(sizes_and_field, {"(n + 2 * p - k) // s + 1": "-(-(n + 2 * p - k) // s) + 1"},
             "You rounded up. The kernel may not stick out at the end: (n + 2p − k)/s is rounded down."),
        slip(sizes_and_field, {"(n + 2 * p - k) // s + 1": "n // s"},
             "You divided by the stride only. That is right for some kernels and paddings; in general it is the floor of (n + 2p − k)/s, plus 1."),
        slip(sizes_and_field, {"(n + 2 * p - k) // s + 1": "(n - 1) * s - 2 * p + k"},
             "You computed the size that a transposed convolution makes. An encoder's layers are convolutions."),
        slip(sizes_and_field, {"n = (n + 2 * p - k) // s + 1": "n = side\n        n = (n + 2 * p - k) // s + 1"},
             "You gave every layer the image itself. A layer gets what the layer before it has made."),
        slip(sizes_and_field, {"(n + 2 * p - k) // s": "(n + 2 * p - k) / s"},
             "Your sizes are not whole numbers: (n + 2p − k)/s is rounded down."),
        slip(sizes_and_field, {"field + (k - 1) * jump": "field + k * jump"},
             "Your receptive field is too large: a kernel of k adds k − 1 steps, as one of its entries is there already."),
        slip(sizes_and_field, {"jump = jump * s": "jump = jump"},
             "You left the strides out of the receptive field. One step in a later layer is as many pixels as the product of the strides before it."),
        slip(sizes_and_field, {"field = field + (k - 1) * jump\n        jump = jump * s": "jump = jump * s\n        field = field + (k - 1) * jump"},
             "You multiplied by a layer's own stride too early. Neighbours in its input are as far apart as the strides of the layers *before* it say."),
        slip(sizes_and_field, {"jump = jump * s": "jump = jump + s"},
             "You added the strides up. Steps of steps multiply: 2 · 2 = 4 pixels."),
        slip(sizes_and_field, {"jump = jump * s": "jump = s"},
             "You used only the stride of the layer before. All strides before it multiply."),
        slip(sizes_and_field, {"return sizes, field": "return sizes, field**2"},
             "You counted the pixels of the whole receptive field. Asked for is the length of its side."),
        slip(sizes_and_field, {"field = field + (k - 1) * jump": "field = field * k"},
             "You multiplied the kernels. Steps of the field add up: layer by layer (k − 1) times the product of the strides before it."),
        slip(sizes_and_field, {"zip(kernel.tolist(), stride.tolist(), strict=True):\n        field = field + (k - 1) * jump": "list(zip(kernel.tolist(), stride.tolist(), strict=True))[::-1]:\n        field = field * s + k - 1"},
             "You went back from the last layer, which is a good way, but with field · s + k − 1. Between s-spaced entries lie field − 1 steps: (field − 1) · s + k."),
        slip(sizes_and_field, {"return sizes, field": "return sizes, min(field, side)"},
             "Your receptive field is never larger than the image. It may be: then it reaches into the padding on both sides.", loses=("hidden",)),
    ),
    alternatives=(sizes_numpy, sizes_measured, sizes_recursive),
)  # fmt: skip

# 2 ------------------------------------------------------------------------------------------------ σ as a price


def price_inputs(case, rng):
    """Images and the decoder's means, with a σ for each pixel; hidden ones have a very small σ, or a far pixel."""
    B, D = case["B"], case["D"]
    # As small as σ, or the difference to x would have no digits left in single precision.
    mean = case.get("scale", 1.0) * rng.uniform(0, 1, (B, D))
    sigma = case.get("scale", 1.0) * rng.uniform(0.3, 0.9, D)
    return {
        "x": mean + case.get("apart", 1.0) * sigma * (0.4 + rng.uniform(0, 2, (B, D))),
        "mean": mean,
        "sigma": sigma,
    }


def gaussian_cost(x, mean, sigma):
    error = (x - mean) ** 2 / (2 * sigma**2)
    constant = sigma.log() + 0.5 * math.log(2 * math.pi)
    return (error + constant).sum(dim=1)


def cost_torch(x, mean, sigma):
    return -torch.distributions.Normal(mean, sigma.expand_as(mean)).log_prob(x).sum(dim=1)


def cost_numpy(x, mean, sigma):
    r = (x.numpy() - mean.numpy()) / sigma.numpy()
    return (
        0.5 * np.einsum("bd,bd->b", r, r) + np.log(sigma.numpy()).sum() + x.shape[1] / 2 * np.log(2 * np.pi)
    )


def cost_loops(x, mean, sigma):
    result = []
    for row, m in zip(x.tolist(), mean.tolist(), strict=True):
        result.append(sum(0.5 * ((v - u) / s) ** 2 + math.log(s) + 0.5 * math.log(2 * math.pi)
                          for v, u, s in zip(row, m, sigma.tolist(), strict=True)))  # fmt: skip
    return result


_CONSTANT = "sigma.log() + 0.5 * math.log(2 * math.pi)"
PRICE = Exercise(
    name="gaussian_cost",
    outputs=(Output("cost", ("B",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=price_inputs,
    cases={
        "visible": ({"B": 4, "D": 3}, {"B": 1, "D": 5}),
        "hidden": ({"B": 3, "D": 6}, {"B": 2, "D": 4, "scale": 1e-5}, {"B": 5, "D": 2, "apart": 60.0}, {"B": 1, "D": 1}),
    },
    reference=gaussian_cost,
    wrong=(
        slip(gaussian_cost, {"(error + constant).sum(dim=1)": "(error + constant).mean(dim=1)"},
             "You averaged over the pixels. Independent pixels' log-densities add up: a mean is a likelihood with quite another σ."),
        slip(gaussian_cost, {"(error + constant).sum(dim=1)": "(error + constant).sum(dim=0)"},
             "You summed over the images. There is one number for each image: sum over its pixels."),
        slip(gaussian_cost, {"(error + constant).sum(dim=1)": "error.sum(dim=1)"},
             "You left the constants out. They depend on σ, and without log σ a larger σ would always be better."),
        slip(gaussian_cost, {_CONSTANT: "sigma.log()"},
             "You left ½ log 2π out: one for each pixel."),
        slip(gaussian_cost, {_CONSTANT: "0.5 * math.log(2 * math.pi)"},
             "You left log σ out. A density is high where σ is small: its logarithm has −log σ."),
        slip(gaussian_cost, {_CONSTANT: "-sigma.log() + 0.5 * math.log(2 * math.pi)"},
             "log σ has the wrong sign: in minus the log-density it is added."),
        slip(gaussian_cost, {_CONSTANT: "0.5 * sigma.log() + 0.5 * math.log(2 * math.pi)"},
             "You took ½ log σ. It is ½ log σ², which is log σ."),
        slip(gaussian_cost, {_CONSTANT: "2 * sigma.log() + 0.5 * math.log(2 * math.pi)"},
             "You took log σ² whole. It is ½ log σ², which is log σ."),
        slip(gaussian_cost, {"(2 * sigma**2)": "(2 * sigma)"},
             "You divided the squared error by 2σ. It is 2σ², which has the units of a square."),
        slip(gaussian_cost, {"(2 * sigma**2)": "sigma**2"},
             "The ½ before the squared error is missing: it costs 1/2σ² a unit."),
        slip(gaussian_cost, {"(x - mean) ** 2": "(x - mean).abs()"},
             "You took the absolute error. The Gaussian has the squared one."),
        slip(gaussian_cost, {"return (error": "return -(error"},
             "You returned log p(x|z). Asked for is what the image costs, −log p(x|z)."),
        slip(gaussian_cost, {"(2 * sigma**2)": "(2 * sigma.square().mean())"},
             "You used the mean σ² for all pixels. Each pixel has its own price, 1/2σ² of that pixel."),
        slip(gaussian_cost, {_CONSTANT: "sigma.log() + 0.5 * math.log(math.pi)"},
             "Your constant has π where 2π belongs: ½ log 2π for each pixel."),
        slip(gaussian_cost, {"error = (x - mean)": "sigma = sigma.clamp(min=1e-3)\n    error = (x - mean)"},
             "Your σ seems to be cut off from below. It may be as small as it likes: use it as it is.", loses=("hidden",)),
        slip(gaussian_cost, {"return (error + constant).sum(dim=1)": "return -((-error - constant).exp() + 1e-12).log().sum(dim=1)"},
             "A density that underflows has no logarithm, and a small number added to it changes the cost. Write the logarithm down; do not take it of the density.", loses=("hidden",)),
        slip(gaussian_cost, {"return (error + constant).sum(dim=1)": "return (error + sigma.log()).sum(dim=1) + 0.5 * math.log(2 * math.pi)"},
             "You added ½ log 2π once for an image. Each pixel has a density of its own, and so the constant once for each pixel."),
        slip(gaussian_cost, {"error = (x - mean)": "sigma = sigma.mean().expand_as(sigma)\n    error = (x - mean)"},
             "You used one σ, the mean of all, for each pixel. Each pixel has its own, in the squared error and in the logarithm."),
        slip(gaussian_cost, {"error = (x - mean)": "sigma = (sigma**2 + 1e-8).sqrt()\n    error = (x - mean)"},
             "You seem to have added a small number to σ or σ². Where σ is small it is not small at all: use σ as it is.", loses=("hidden",)),
        slip(gaussian_cost, {_CONSTANT: "sigma.log() + math.log(2 * math.pi)"},
             "You took log 2π whole. It is ½ log 2π for each pixel: the density has a square root of 2πσ² below."),
    ),
    alternatives=(cost_torch, cost_numpy, cost_loops),
)  # fmt: skip

# 3 ---------------------------------------------------------------------------------- what a direction is worth


def worth_inputs(case, rng):
    """Variances on both sides of σ²; hidden ones are very large, or just above σ²."""
    K, sigma = case["K"], case["sigma"]
    ratio = np.where(
        np.arange(K) % 2, rng.uniform(0.2, 0.8, K), rng.uniform(2, 6, K) * case.get("times", 1.0)
    )
    return {"variance": ratio * sigma**2, "sigma": sigma}


def direction_worth(variance, sigma):
    s = (variance / sigma**2).clamp(min=1)
    saved = 0.5 * (s - 1)
    cost = 0.5 * s.log()
    return saved, cost


def worth_numpy(variance, sigma):
    s = variance.numpy() / sigma**2
    told = s > 1
    safe = np.where(told, s, 1.0)
    return np.where(told, (safe - 1) / 2, 0), np.where(told, np.log(np.sqrt(safe)), 0)


def worth_loops(variance, sigma):
    saved, cost = [], []
    for v in variance.tolist():
        s = v / sigma**2
        saved.append((s - 1) / 2 if s > 1 else 0.0)
        cost.append(math.log(s) / 2 if s > 1 else 0.0)
    return saved, cost


def worth_posterior(variance, sigma):
    w2 = (variance - sigma**2).relu()
    v = sigma**2 / (w2 + sigma**2)
    mean_square = w2 / (w2 + sigma**2)
    return w2 / (2 * sigma**2), 0.5 * (mean_square + v - 1 - v.log())


WORTH = Exercise(
    name="direction_worth",
    outputs=(Output("saved", ("K",)), Output("cost", ("K",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=worth_inputs,
    cases={
        "visible": ({"K": 4, "sigma": 0.5}, {"K": 1, "sigma": 1.7}),
        "hidden": ({"K": 5, "sigma": 0.3}, {"K": 1, "sigma": 2.2}, {"K": 3, "sigma": 0.01, "times": 1e9}),
    },
    reference=direction_worth,
    wrong=(
        slip(direction_worth, {"variance / sigma**2": "variance / sigma"},
             "You divided by σ. λ is a variance, and s compares it with σ²."),
        slip(direction_worth, {".clamp(min=1)": ""},
             "Directions with λ ≤ σ² are not told: they save nothing and cost nothing, but you gave them numbers."),
        slip(direction_worth, {"0.5 * (s - 1)": "0.5 * s"},
             "You forgot what the reconstruction still costs when the direction is told: s/2 before, ½ after."),
        slip(direction_worth, {"0.5 * (s - 1)": "s - 1"},
             "The ½ is missing in what is saved: a squared error costs 1/2σ²."),
        slip(direction_worth, {"0.5 * s.log()": "s.log()"},
             "The ½ is missing in the cost. It is ½ log s."),
        slip(direction_worth, {"0.5 * s.log()": "0.5 * s.log2()"},
             "Your cost is in bits. All is in nats here: the natural logarithm."),
        slip(direction_worth, {"0.5 * s.log()": "-0.5 * s.log()"},
             "Your cost has the wrong sign: a KL is not negative."),
        slip(direction_worth, {"0.5 * s.log()": "0.5 * (s - 1 - s.log())"},
             "You gave as cost what is gained in all, saved minus cost. The cost alone is the mean KL, ½ log s."),
        slip(direction_worth, {"0.5 * (s - 1)": "0.5 * (s - 1 - s.log())"},
             "You took the cost off what is saved. Asked for are the two apart: the reconstruction saves ½ (s − 1)."),
        slip(direction_worth, {"return saved, cost": "return cost, saved"},
             "You exchanged the two: first what is saved, then what it costs."),
        slip(direction_worth, {"0.5 * s.log()": "0.5 * (1 + s).log()"},
             "You took ½ log(1 + s), with λ as the signal and noise on top. Here λ is the whole variance of the pixels along the direction, noise included: ½ log s."),
        slip(direction_worth, {"0.5 * (s - 1)": "0.5 * (s - 1) * sigma**2"},
             "What you call saved is in units of pixels squared. In nats it is divided by σ²."),
        slip(direction_worth, {".clamp(min=1)": ".clamp(min=1, max=1e4)"},
             "Your ratio seems to be cut off from above. A direction may weigh a billion times as much as the noise.", loses=("hidden",)),
        slip(direction_worth, {"(variance / sigma**2).clamp(min=1)": "(variance / sigma**2).clamp(min=1).sqrt()"},
             "You compared standard deviations. s = λ/σ² compares variances."),
        slip(direction_worth, {"0.5 * (s - 1)": "0.5 * s * (s > 1)"},
             "You forgot what a told direction still costs in the reconstruction: s/2 before, ½ after, so that ½ (s − 1) is saved."),
        slip(direction_worth, {"(variance / sigma**2).clamp(min=1)": "(variance / sigma**2 - 1).clamp(min=1)"},
             "You took the noise off first: s = (λ − σ²)/σ². λ is the variance of the pixels along the direction, noise included, and s = λ/σ²."),
        slip(direction_worth, {"(variance / sigma**2).clamp(min=1)": "torch.where(variance > 1, variance / sigma**2, 1.0)"},
             "You compared λ with 1. A direction is told if its variance is larger than the noise's, λ > σ²."),
        slip(direction_worth, {"0.5 * s.log()": "0.5 * (1 + s).log() * (s > 1)"},
             "Your cost is ½ log(1 + s), a channel's capacity with s as signal by noise. Here λ has the noise in it already: ½ log s."),
    ),
    alternatives=(worth_numpy, worth_loops, worth_posterior),
)  # fmt: skip

# 4 --------------------------------------------------------------------------------------- a difference of means


def difference_inputs(case, rng):
    """Codes far from the origin, of which few have the attribute."""
    N, K = case["N"], case["K"]
    present = np.arange(N) < case["count"]
    z = rng.standard_normal((N, K)) + case.get("offset", 3.0) + present[:, None] * rng.uniform(1, 2, K)
    order = rng.permutation(N)
    return {"z": z[order], "present": present[order].astype(np.int64)}


def attribute_direction(z, present):
    with_it, without = z[present == 1], z[present == 0]
    return with_it.mean(dim=0) - without.mean(dim=0)


def difference_matrix(z, present):
    p = present.to(z)
    return p @ z / p.sum() - (1 - p) @ z / (1 - p).sum()


def difference_numpy(z, present):
    z, mask = z.numpy(), present.numpy().astype(bool)
    return np.mean(z[mask], axis=0) - np.mean(z[~mask], axis=0)


def difference_regression(z, present):
    p = present.to(z) - present.to(z).mean()
    return p @ (z - z.mean(dim=0)) / (p @ p)


DIFFERENCE = Exercise(
    name="attribute_direction",
    outputs=(Output("direction", ("K",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=difference_inputs,
    cases={
        "visible": ({"N": 9, "K": 3, "count": 2}, {"N": 6, "K": 1, "count": 4}),
        "hidden": ({"N": 12, "K": 5, "count": 3}, {"N": 7, "K": 1, "count": 6, "offset": -200.0}, {"N": 40, "K": 4, "count": 1}),
    },
    reference=attribute_direction,
    wrong=(
        slip(attribute_direction, {" - without.mean(dim=0)": ""},
             "You returned the mean code of those with the attribute. A direction leads from those without to those with: take their mean off."),
        slip(attribute_direction, {"without.mean(dim=0)": "z.mean(dim=0)"},
             "You took the mean of all codes off. In it are those with the attribute, too; the step then gets shorter the more of them there are."),
        slip(attribute_direction, {"with_it.mean(dim=0) - without.mean(dim=0)": "without.mean(dim=0) - with_it.mean(dim=0)"},
             "Your direction leads away from the attribute: with minus without, not the other way round."),
        slip(attribute_direction, {"with_it.mean(dim=0) - without.mean(dim=0)": "with_it.sum(dim=0) - without.sum(dim=0)"},
             "You took sums. The groups differ in size, and so each needs its own mean."),
        slip(attribute_direction, {"with_it.mean(dim=0) - without.mean(dim=0)": "(with_it.sum(dim=0) - without.sum(dim=0)) / len(z)"},
             "You divided both sums by the number of all codes. Each group has its own size: class imbalance goes into your direction."),
        slip(attribute_direction, {"return with_it.mean(dim=0) - without.mean(dim=0)": "d = with_it.mean(dim=0) - without.mean(dim=0)\n    return d / d.norm()"},
             "You made the direction one unit long. Asked for is the step from one mean to the other, with its length."),
        slip(attribute_direction, {"return with_it.mean(dim=0) - without.mean(dim=0)": "return (with_it.mean(dim=0) - without.mean(dim=0)) / 2"},
             "You halved the step: it leads from one mean to the middle between the two."),
        slip(attribute_direction, {"return with_it.mean(dim=0) - without.mean(dim=0)": "return (with_it.mean(dim=0) - without.mean(dim=0)) / z.std(dim=0)"},
             "You divided by the codes' standard deviations. Asked for is a step in the units of z itself."),
        slip(attribute_direction, {"return with_it.mean(dim=0) - without.mean(dim=0)": "return (with_it.mean(dim=0) + without.mean(dim=0)) / 2"},
             "You returned the point in the middle of the two means. A direction is their difference."),
        slip(attribute_direction, {"return with_it.mean(dim=0) - without.mean(dim=0)": "return with_it[0] - without[0]"},
             "You took one code of each group. Their means average out what else the codes differ in."),
        slip(attribute_direction, {"with_it.mean(dim=0) - without.mean(dim=0)": "with_it.median(dim=0).values - without.median(dim=0).values"},
             "You took medians. Asked for is the difference of the two means."),
        slip(attribute_direction, {"return with_it.mean(dim=0) - without.mean(dim=0)": "p = present.to(z)\n    return (p - p.mean()) @ z / len(z)"},
             "You returned the covariance of code and attribute. Divided by the attribute's variance it is the difference of the two means."),
        slip(attribute_direction, {"z[present == 1], z[present == 0]": "z[present], z[1 - present]"},
             "You took zeros and ones for row numbers: z[present] is the first two codes again and again. A mask is True and False: z[present == 1]."),
        slip(attribute_direction, {"z[present == 1], z[present == 0]": "z[present == 1], z[~present]"},
             "~ of whole numbers gives −1 and −2, the last two codes. A mask is True and False: z[present == 0]."),
        slip(attribute_direction, {"return with_it.mean(dim=0) - without.mean(dim=0)": "n = min(len(with_it), len(without))\n    return with_it[:n].mean(dim=0) - without[:n].mean(dim=0)"},
             "You left codes out to make the groups equally large. Means of groups of different size may be compared: use all codes."),
    ),
    alternatives=(difference_matrix, difference_numpy, difference_regression),
)  # fmt: skip

# 5 ------------------------------------------------------------------------------- directions by least squares


def regression_inputs(case, rng):
    """Factors that come together and are not centred, and codes that follow them, with noise."""
    N, K, F = case["N"], case["K"], case["F"]
    a = rng.uniform(0, 1, (N, F)) + 0.8 * rng.uniform(0, 1, (N, 1)) + case.get("offset", 1.0)
    return {"z": 2 + a @ rng.uniform(0.5, 2, (F, K)) + 0.3 * rng.standard_normal((N, K)), "a": a}


def factor_directions(z, a):
    a, z = a - a.mean(dim=0), z - z.mean(dim=0)
    return torch.linalg.solve(a.T @ a, a.T @ z)


def regression_lstsq(z, a):
    ones = torch.ones(len(a), 1, dtype=a.dtype)
    return torch.linalg.lstsq(torch.cat([ones, a], dim=1), z).solution[1:]


def regression_numpy(z, a):
    design = np.column_stack([a.numpy(), np.ones(len(a))])
    return np.linalg.lstsq(design, z.numpy(), rcond=None)[0][:-1]


def regression_pinv(z, a):
    return torch.linalg.pinv(a - a.mean(dim=0)) @ z


REGRESSION = Exercise(
    name="factor_directions",
    outputs=(Output("directions", ("F", "K")),),
    points={"visible": 1, "hidden": 2},
    make_inputs=regression_inputs,
    cases={
        "visible": ({"N": 12, "K": 4, "F": 2}, {"N": 9, "K": 1, "F": 3}),
        "hidden": ({"N": 20, "K": 5, "F": 3}, {"N": 10, "K": 1, "F": 2}, {"N": 15, "K": 3, "F": 2, "offset": 40.0}),
    },
    reference=factor_directions,
    wrong=(
        slip(factor_directions, {"a, z = a - a.mean(dim=0), z - z.mean(dim=0)\n    ": ""},
             "You left the constant b out: the codes are not 0 where all factors are 0. Centre both, or add a column of ones."),
        slip(factor_directions, {"a, z = a - a.mean(dim=0), z - z.mean(dim=0)": "z = z - z.mean(dim=0)"},
             "You centred the codes only. Without a constant the factors have to be centred, too."),
        slip(factor_directions, {"torch.linalg.solve(a.T @ a, a.T @ z)": "(a.T @ z) / (a * a).sum(dim=0)[:, None]"},
             "You did one regression for each factor alone. Factors that come together then share each other's effect: hold the others fixed, by one regression on all."),
        slip(factor_directions, {"torch.linalg.solve(a.T @ a, a.T @ z)": "a.T @ z / len(a)"},
             "You returned covariances of factors and codes. A slope is a covariance divided by the factors' own: solve with aᵀa."),
        slip(factor_directions, {"torch.linalg.solve(a.T @ a, a.T @ z)": "a.T @ z"},
             "You returned aᵀz. Least squares solves (aᵀa) D = aᵀz."),
        slip(factor_directions, {"torch.linalg.solve(a.T @ a, a.T @ z)": "torch.linalg.pinv(z).T @ a if a.shape[1] == z.shape[1] else (torch.linalg.pinv(z) @ a).T"},
             "You regressed the factors on the codes. Those weights say how to *read* a factor; a step along them moves others. Here the codes are explained by the factors."),
        slip(factor_directions, {"torch.linalg.solve(a.T @ a, a.T @ z)": "torch.linalg.solve(a.T @ a + torch.eye(a.shape[1], dtype=a.dtype), a.T @ z)"},
             "You added a penalty: your directions are too short. Asked for is plain least squares."),
        slip(factor_directions, {"return torch.linalg.solve(a.T @ a, a.T @ z)": "d = torch.linalg.solve(a.T @ a, a.T @ z)\n    return d / d.norm(dim=1, keepdim=True)"},
             "You made each direction one unit long. A step of 1 is to stand for a change of the factor by 1."),
        slip(factor_directions, {"return torch.linalg.solve(a.T @ a, a.T @ z)": "return torch.linalg.solve(a.T @ a, a.T @ z) * a.std(dim=0)[:, None]"},
             "Your directions are for a change of a factor by its standard deviation. Asked for is a change by 1.",
             variants=[{"return torch.linalg.solve(a.T @ a, a.T @ z)": "return torch.linalg.solve(a.T @ a, a.T @ z) * a.std(dim=0, correction=0)[:, None]"}]),
        slip(factor_directions, {"return torch.linalg.solve(": "return -torch.linalg.solve("},
             "Your directions have the wrong sign: along them the factors shrink."),
        slip(factor_directions, {"return torch.linalg.solve(a.T @ a, a.T @ z)": "return torch.linalg.solve(a.T @ a, a.T @ z) / z.std(dim=0)"},
             "You divided by the codes' standard deviations. Asked for are directions in the units of z."),
        slip(factor_directions, {"return torch.linalg.solve(a.T @ a, a.T @ z)": "return torch.stack([z[c > 0].mean(dim=0) - z[c <= 0].mean(dim=0) for c in a.T])"},
             "You took differences of means, of codes with much of the factor and with little. Asked for is a change of the factor by 1 with the others held fixed: least squares."),
        slip(factor_directions, {"a, z = a - a.mean(dim=0), z - z.mean(dim=0)": "a = torch.cat([torch.ones_like(a[:, :1]), a], dim=1)", "return torch.linalg.solve(a.T @ a, a.T @ z)": "return torch.linalg.solve(a.T @ a, a.T @ z)[:-1]"},
             "You returned the constant and left the last direction out. The column of ones came first, and so its row does: leave out the first."),
        slip(factor_directions, {"return torch.linalg.solve(a.T @ a, a.T @ z)": "d = []\n    for c in a.T:\n        d.append(c @ z / (c @ c))\n        z = z - c[:, None] * d[-1]\n    return torch.stack(d)"},
             "You let one factor after the other explain what those before it have left: the first takes what they share. One regression on all of them holds the others fixed."),
    ),
    alternatives=(regression_lstsq, regression_numpy, regression_pinv),
)  # fmt: skip

# 6 ------------------------------------------------------------------------------------------- an edit that is alone


def edit_inputs(case, rng):
    """A direction, its own reader, and readers of others that are far from orthogonal to each other."""
    K, M = case["K"], case["M"]
    common = rng.uniform(0.5, 1, K)
    others = rng.standard_normal((M, K)) + common
    direction = rng.standard_normal(K) + 2 * common
    own = direction + 0.6 * rng.standard_normal(K) - 0.5 * common
    rest = direction - others.T @ np.linalg.solve(others @ others.T, others @ direction)
    # Where it is turned, what is left of the direction lowers the reading: the step goes the other way.
    if (own @ rest < 0) != case.get("turned", False):
        own = own - 2 * (own @ rest) / (rest @ rest) * rest
    return {
        "direction": direction,
        "own": own,
        "others": others * case.get("times", 1.0),
        "amount": case["amount"],
    }


def lone_edit(direction, own, others, amount):
    inside = others.T @ torch.linalg.solve(others @ others.T, others @ direction)
    d = direction - inside
    return amount * d / (own @ d)


def edit_qr(direction, own, others, amount):
    Q, _ = torch.linalg.qr(others.T)
    d = direction - Q @ (Q.T @ direction)
    return d * (amount / (own * d).sum())


def edit_numpy(direction, own, others, amount):
    V, d = others.numpy().T, direction.numpy()
    rest = d - V @ np.linalg.lstsq(V, d, rcond=None)[0]
    return amount * rest / np.dot(own.numpy(), rest)


def edit_steps(direction, own, others, amount):
    basis = []
    for v in others:
        for b in basis:
            v = v - (b @ v) * b
        basis.append(v / v.norm())
    d = direction
    for b in basis:
        d = d - (b @ d) * b
    return amount * d / (own @ d)


_INSIDE = "others.T @ torch.linalg.solve(others @ others.T, others @ direction)"
EDIT = Exercise(
    name="lone_edit",
    outputs=(Output("step", ("K",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=edit_inputs,
    cases={
        "visible": ({"K": 6, "M": 2, "amount": 0.5}, {"K": 5, "M": 3, "amount": -2.0}, {"K": 3, "M": 1, "amount": 1.5}),
        "hidden": ({"K": 8, "M": 4, "amount": -0.7}, {"K": 4, "M": 2, "amount": 3.0, "times": 1e-4}, {"K": 7, "M": 3, "amount": 0.2, "times": 1e3, "turned": True}, {"K": 2, "M": 1, "amount": -4.0}),
    },
    reference=lone_edit,
    wrong=(
        slip(lone_edit, {_INSIDE: "others.T @ ((others @ direction) / (others * others).sum(dim=1))"},
             "You took off the projection on each of the others as if they were orthogonal to each other. Take off the projection on their *span*."),
        slip(lone_edit, {_INSIDE: "others.T @ (others @ direction)"},
             "You multiplied with the others as if they were orthonormal. Their lengths and angles count: solve with V Vᵀ."),
        slip(lone_edit, {"d = direction - inside": "d = direction"},
             "You left the others in: the edit moves their readings."),
        slip(lone_edit, {"d = direction - inside": "d = inside"},
             "You kept what lies in the span of the others, and threw the rest away. It is the other way round."),
        slip(lone_edit, {"d = direction - inside": "d = direction + inside"},
             "You added the projection. It has to be taken off."),
        slip(lone_edit, {"amount * d / (own @ d)": "amount * d"},
             "You did not scale the step: its own reading is to change by the amount that is asked for, so divide by wᵀd."),
        slip(lone_edit, {"amount * d / (own @ d)": "amount * d / d.norm()"},
             "You made the step as long as the amount. What counts is how much the reading changes, wᵀd, not the length."),
        slip(lone_edit, {"amount * d / (own @ d)": "amount * d / (d @ d)"},
             "You divided by dᵀd. The reading of a step d is wᵀd, with the reader's own weights w."),
        slip(lone_edit, {"(own @ d)": "(own @ direction)"},
             "You scaled by the reading of the direction as it was. After the others are taken out it is another, smaller one."),
        slip(lone_edit, {"amount * d / (own @ d)": "d / (own @ d)"},
             "You left the amount out: your step changes the reading by 1."),
        slip(lone_edit, {"amount * d / (own @ d)": "-amount * d / (own @ d)"},
             "Your step has the wrong sign: the reading goes the other way."),
        slip(lone_edit, {_INSIDE: "others.T @ torch.linalg.solve(others @ others.T + 1e-8 * torch.eye(len(others), dtype=others.dtype), others @ direction)"},
             "You added a small number to V Vᵀ. Where the others' weights are small it is not small at all, and their readings move.",
             loses=("hidden",)),
        slip(lone_edit, {_INSIDE: "(others[0] @ direction) / (others[0] @ others[0]) * others[0]"},
             "You took off one of the others only. All their readings are to stay."),
        slip(lone_edit, {"(own @ d)": "(own @ d).abs()"},
             "You divided by the absolute value of the reading. Where what is left of the direction lowers the reading, the step must go the other way.",
             loses=("hidden",)),
        slip(lone_edit, {"d = direction - inside": "d = own - others.T @ torch.linalg.solve(others @ others.T, others @ own)"},
             "You stepped along what is left of the reader w. The step goes along what is left of the direction; w only measures it."),
        slip(lone_edit, {"d = direction - inside": "d = direction\n    for v in others:\n        d = d - (v @ d) / (v @ v) * v"},
             "You took the others out one after the other, and each time some of an earlier one comes back. Make them orthogonal first, or take off the projection on their span."),
    ),
    alternatives=(edit_qr, edit_numpy, edit_steps),
)  # fmt: skip

# 7 -------------------------------------------------------------------------------- the mutual information gap


def gap_inputs(case, rng):
    """Counts of how often each bin of each code entry meets each value of a factor; some are 0."""
    K, bins, J = case["K"], case["I"], case["J"]
    counts = rng.integers(1, 9, (K, bins, J)).astype(float)
    for k in range(K):
        counts[k, np.arange(bins), np.arange(bins) % J] += (
            30 * (k + 1) ** 2 * (1 if case.get("even") else 0.4)
        )
        if case.get("empty"):
            counts[k, 0, 1:] = 0
    counts = counts[rng.permutation(K)]
    # Every entry was counted with the same examples: the factor's values are as frequent in each table.
    wanted = rng.integers(3, 9, J) * 400.0
    return {"counts": counts / counts.sum(axis=1, keepdims=True) * wanted}


def information_gap(counts):
    p = counts / counts.sum(dim=(1, 2), keepdim=True)  # (K, I, J)
    code, factor = p.sum(dim=2, keepdim=True), p.sum(dim=1, keepdim=True)
    logs = torch.where(p > 0, p / (code * factor), 1.0).log()
    information = (p * logs).sum(dim=(1, 2))
    f = factor[0, 0]
    entropy = -(f * f.log()).sum()
    second_is_0 = information.new_zeros(1)  # where there is one entry only
    first, second = torch.cat([information, second_is_0]).sort(descending=True).values[:2]
    return information, (first - second) / entropy


def gap_entropies(counts):
    def entropy(q, dims):
        return torch.special.entr(q).sum(dim=dims)

    p = counts / counts.sum(dim=(1, 2), keepdim=True)
    factor = entropy(p.sum(dim=1), 1)
    information = entropy(p.sum(dim=2), 1) + factor - entropy(p, (1, 2))
    best = torch.nn.functional.pad(information, (0, 1)).topk(2).values
    return information, (best[0] - best[1]) / factor[0]


def gap_numpy(counts):
    result = []
    for table in counts.numpy():
        p = table / table.sum()
        outer = np.outer(p.sum(axis=1), p.sum(axis=0))
        result.append(float(np.sum(p[p > 0] * np.log(p[p > 0] / outer[p > 0]))))
    f = counts[0].sum(dim=0).numpy()
    f = f / f.sum()
    low, high = sorted([0.0, *result])[-2:]
    return result, (high - low) / -np.sum(f * np.log(f))


def gap_xlogy(counts):
    p = counts / counts.sum(dim=(1, 2), keepdim=True)
    code, factor = p.sum(dim=2), p.sum(dim=1)
    together = torch.xlogy(p, p).sum(dim=(1, 2))
    information = together - torch.xlogy(code, code).sum(dim=1) - torch.xlogy(factor, factor).sum(dim=1)
    rest = information.clone()
    rest[information.argmax()] = 0
    return information, (information.max() - rest.max()) / -torch.xlogy(factor, factor).sum(dim=1)[0]


_GAP = "(first - second) / entropy"
GAP = Exercise(
    name="information_gap",
    outputs=(Output("information", ("K",)), Output("gap", ())),
    points={"visible": 1, "hidden": 2},
    make_inputs=gap_inputs,
    cases={
        "visible": ({"K": 3, "I": 4, "J": 3}, {"K": 2, "I": 3, "J": 4}, {"K": 1, "I": 3, "J": 2}),
        "hidden": ({"K": 4, "I": 5, "J": 3, "empty": True}, {"K": 2, "I": 2, "J": 3, "empty": True, "even": True}, {"K": 5, "I": 3, "J": 2, "empty": True}, {"K": 1, "I": 4, "J": 3, "empty": True}),
    },
    reference=information_gap,
    wrong=(
        slip(information_gap, {_GAP: "first - second"},
             "You did not divide by the factor's entropy: without it, factors of many values have larger gaps."),
        slip(information_gap, {_GAP: "(first - second) / first"},
             "You divided by the largest information. The gap is a part of the factor's entropy, all that there is to know."),
        slip(information_gap, {_GAP: "first / entropy"},
             "You left the second out. The gap is between the code entry that knows most and the one that knows second most."),
        slip(information_gap, {"torch.cat([information, second_is_0]).sort(descending=True).values[:2]": "information.sort(descending=True).values[[0, -1]]"},
             "You took the gap between the most and the least informed entry. It is between the first and the *second*.", loses=("visible", "hidden")),
        slip(information_gap, {"(p * logs).sum(dim=(1, 2))": "(p * logs).sum(dim=(1, 2)) / math.log(2)"},
             "Your informations are in bits. Asked for are nats."),
        slip(information_gap, {"(p * logs).sum(dim=(1, 2))": "(p * logs).mean(dim=(1, 2))"},
             "You averaged over the cells of the table. p is the weight already: sum."),
        slip(information_gap, {"(p * logs)": "(code * factor * logs)"},
             "You weighed by the product of the two single distributions. The expectation is under the joint one."),
        slip(information_gap, {"p / (code * factor)": "p / code"},
             "You divided by the distribution of the code only: that is minus the conditional entropy. The factor's belongs below as well."),
        slip(information_gap, {"p / (code * factor)": "p / factor"},
             "You divided by the distribution of the factor only. The code's belongs below as well."),
        slip(information_gap, {"p / (code * factor), 1.0).log()": "code * factor / p, 1.0).log()"},
             "Your informations have the wrong sign: the ratio is the joint over the product."),
        slip(information_gap, {"f = factor[0, 0]": "f = code[0, :, 0]"},
             "You divided by the entropy of a code entry. What is to be known is the factor: its entropy."),
        slip(information_gap, {"entropy = -(f * f.log()).sum()": "entropy = math.log(len(f))"},
             "You took log J for the entropy. Its values are not equally frequent here."),
        slip(information_gap, {"return information,": "return information / entropy,"},
             "Your informations are divided by the entropy already. Asked for is first the information in nats; only the gap is divided."),
        slip(information_gap, {_GAP: "(first - second) / entropy / len(information)"},
             "You divided the gap by the number of code entries. There is one gap for a factor, between two entries."),
        slip(information_gap, {"torch.where(p > 0, p / (code * factor), 1.0).log()": "(p / (code * factor)).log()"},
             "A bin and a value that never meet have p = 0, and 0 · log 0 counts as 0; in floating point it is no number.", loses=("hidden",)),
        slip(information_gap, {"torch.where(p > 0, p / (code * factor), 1.0).log()": "(p / (code * factor) + 1e-2).log()"},
             "You added a small number inside the logarithm. It changes every cell; leave out the cells with p = 0 instead."),
        slip(information_gap, {_GAP: "(information[0] - torch.cat([information, second_is_0])[1]) / entropy"},
             "You took the first two entries in the order given. The gap is between the two that know most: sort them."),
        slip(information_gap, {_GAP: "(first - information.sort().values[-2:][0]) / entropy"},
             "With a single entry your gap is 0. There is no second one then, which knows 0: the gap is all that the first one knows."),
    ),
    alternatives=(gap_entropies, gap_numpy, gap_xlogy),
)  # fmt: skip

# The library's modules that are absent while this is graded, because they hold what students are asked to write.
SEALED = ("directions", "disentanglement")

EXERCISES = (SIZES, PRICE, WORTH, DIFFERENCE, REGRESSION, EDIT, GAP)
