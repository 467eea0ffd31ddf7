"""Autoregressive models: masks, a test for causality, two stacks, gates, likelihoods, sampling, discretised logistics.

Every function below is self-contained (but for math, numpy as np, torch, and `network`, which the notebook has as
well), since the tests and the demonstration class put its source into notebooks. The draws are inputs, so that answers
can be compared.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import edited, slip

# 1 ------------------------------------------------------------------------------------------------- causal masks


def mask_inputs(case, rng):
    """Nothing is random: a mask follows from its size and kind."""
    return {"num_rows": case["R"], "num_columns": case["C"], "center": case["center"]}


def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, :j] = 1
    mask[i, j] = center
    return mask


def mask_by_position(num_rows, num_columns, center):
    position = np.arange(num_rows * num_columns).reshape(num_rows, num_columns)
    middle = position[num_rows // 2, num_columns // 2]
    return np.where(position == middle, center, position < middle).astype(float)


def mask_flat(num_rows, num_columns, center):
    before = num_rows * num_columns // 2
    flat = torch.cat([torch.ones(before), torch.tensor([float(center)]), torch.zeros(before)])
    return flat.reshape(num_rows, num_columns)


def mask_loops(num_rows, num_columns, center):
    middle, rows = (num_rows // 2, num_columns // 2), []
    for i in range(num_rows):
        row = [1.0 if (i, j) < middle else 0.0 for j in range(num_columns)]
        if i == middle[0]:
            row[middle[1]] = float(center)
        rows.append(row)
    return rows


MASK = Exercise(
    name="causal_mask",
    outputs=(Output("mask", ("R", "C")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=mask_inputs,
    cases={
        "visible": (
            {"R": 3, "C": 5, "center": 0},
            {"R": 5, "C": 3, "center": 1},
            {"R": 1, "C": 3, "center": 1},
            {"R": 5, "C": 7, "center": 0},
        ),
        "hidden": (
            {"R": 5, "C": 3, "center": 0},
            {"R": 1, "C": 5, "center": 0},
            {"R": 7, "C": 5, "center": 1},
            {"R": 3, "C": 7, "center": 0},
            {"R": 5, "C": 3, "center": 1},
            {"R": 5, "C": 1, "center": 1},
        ),
    },
    reference=causal_mask,
    wrong=(
        slip(
            causal_mask,
            {"= center": "= 1 - center"},
            "You swapped the two kinds. The first layer's mask, A, hides the pixel that is to be predicted "
            "(center = 0); the later layers' mask, B, lets it through (center = 1).",
        ),
        slip(
            causal_mask,
            {"    mask[i, j] = center\n": ""},
            "You hid the middle for both kinds. With mask A in every layer, what a second layer hears from the left "
            "neighbour does not know that neighbour's own value: the nearest pixel is lost. Mask B keeps it.",
        ),
        slip(
            causal_mask,
            {"mask[:i] = 1\n    mask[i, :j] = 1": "mask[: i + 1] = 1"},
            "Your mask lets pixels to the right of the middle through. They come later in the order, and are not "
            "known when this one is drawn.",
        ),
        slip(
            causal_mask,
            {":i]": "i + 1 :]", ":j]": "j + 1 :]"},
            "You kept the future and hid the past. torch.nn.functional.conv2d does not flip its kernel: what stands "
            "upper left in the kernel meets what lies upper left in the image.",
        ),
        slip(
            causal_mask,
            {"mask[:i] = 1\n    mask[i, :j] = 1": "mask[: i + 1, : j + 1] = 1"},
            "You hid what lies above and to the right. In raster order all of a row above is known, on both sides of "
            "the middle.",
        ),
        slip(
            causal_mask,
            {"= center": "= 1"},
            "You let the middle through for both kinds. With mask B in the first layer the network sees the pixel that"
            " it has to predict: there center is 0.",
        ),
        Wrong(
            edited(causal_mask, {"    return": "    mask[i + 1 :] = 1\n    return"}),
            "The rows below the middle are open in your mask. They come later in the order, and are not known yet.",
            variants=(edited(causal_mask, {"    return": "    mask[i + 1 : i + 2] = 1\n    return"}),),
        ),
        slip(
            causal_mask,
            {":j] = 1\n    mask[i, j] = center": ": j + 2 * center] = 1"},
            "Your mask B opens the pixel to the right of the middle. It lets the middle through, and nothing after it.",
        ),
        slip(
            causal_mask,
            {":j] = 1\n    mask[i, j] = center": ": max(j - 1 + center, 0)] = 1"},
            "Your mask ends one pixel too early: all entries before the middle are 1, the left neighbour too.",
        ),
        Wrong(
            edited(causal_mask, {"return mask": "return torch.ones(num_rows, num_columns).tril(center - 1)"}),
            "You made a triangular matrix, as for a sequence, where entry (i, j) says whether i sees j. Here the mask "
            "lies on the kernel: what counts is each entry's place before or after the middle in raster order.",
            variants=(
                edited(
                    causal_mask,
                    {
                        "mask[:i] = 1\n    mask[i, :j] = 1": "mask = torch.ones(num_rows, num_columns).tril(-1)"
                    },
                ),
            ),
        ),
        slip(
            causal_mask,
            {"    mask[i, :j] = 1\n": ""},
            "You hid the pixels to the left of the middle. They come before it in the order, and tell the most.",
        ),
        slip(
            causal_mask,
            {"    mask[:i] = 1\n": ""},
            "You hid the rows above. All of them come before the middle.",
        ),
        slip(
            causal_mask,
            {":i]": ":, :j]", "i, :j": ":i, j"},
            "Your order goes down the columns. Raster order goes row by row, from left to right.",
        ),
        Wrong(
            edited(
                causal_mask,
                {
                    "num_rows // 2, num_columns // 2": "min(num_columns // 2, num_rows - 1), min(num_rows // 2, num_columns - 1)"
                },
            ),
            "Your middle is in the wrong place: it is at row num_rows // 2 and column num_columns // 2, also where the"
            " kernel is not square.",
            variants=(
                edited(
                    causal_mask,
                    {
                        "i, j = num_rows // 2, num_columns // 2": "j = num_columns // 2\n    i = min(j, num_rows - 1)"
                    },
                ),
                edited(
                    causal_mask,
                    {
                        "i, j = num_rows // 2, num_columns // 2": "i, j = num_columns // 2, num_rows // 2",
                        "mask[i, :j] = 1\n    mask[i, j] = center": "mask[i : i + 1, : j + center] = 1",
                    },
                ),
                edited(
                    causal_mask,
                    {
                        "i, j = num_rows // 2, num_columns // 2": "i = num_rows // 2\n    j = min(i, num_columns - 1)"
                    },
                ),
            ),
        ),
        slip(
            causal_mask,
            {"    return": "    mask.view(-1)[: (mask.numel() + 1) // 2 + center] = 1\n    return"},
            "Your mask reaches one entry too far: with an odd number n of entries, (n − 1)/2 of them lie before the "
            "middle.",
        ),
        slip(
            causal_mask,
            {":i]": "i + 1 :]", ":j]": "j + 1 :]", "= center": "= 1 - center"},
            "You marked what must be hidden. The mask is multiplied with the kernel: 1 where a weight stays, 0 where "
            "it goes.",
        ),
        slip(
            causal_mask,
            {"mask[:i] = 1\n    mask[i, :j] = 1": "mask[:] = 1"},
            "Your mask hides nothing but the middle. Everything after it in raster order is hidden as well.",
        ),
    ),
    alternatives=(mask_by_position, mask_flat, mask_loops),
)

# 2 ---------------------------------------------------------------------------------------------------- colours


def color_inputs(case, rng):
    """Nothing is random; M and N are the numbers of channels a colour."""
    return {"num_out": 3 * case["M"], "num_in": 3 * case["N"], "center": case["center"]}


def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out >= into if center else out > into).double()


def color_kron(num_out, num_in, center):
    small = np.tril(np.ones((3, 3)), k=0 if center else -1)
    return np.kron(small, np.ones((num_out // 3, num_in // 3)))


def color_blocks(num_out, num_in, center):
    M, N = num_out // 3, num_in // 3
    mask = torch.zeros(num_out, num_in)
    for color in range(3):
        mask[color * M : (color + 1) * M, : (color + int(center)) * N] = 1
    return mask


def color_loops(num_out, num_in, center):
    rows = []
    for o in range(num_out):
        seen = o // (num_out // 3) + center
        rows.append([1.0 if i // (num_in // 3) < seen else 0.0 for i in range(num_in)])
    return rows


def color_triangle_within(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    mask = (out > into).double()
    own = (out == into) & (torch.arange(num_in)[None] <= torch.arange(num_out)[:, None])
    return torch.maximum(mask, own.double()) if center else mask


COLOR = Exercise(
    name="color_mask",
    outputs=(Output("mask", ("num_out", "num_in")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=color_inputs,
    cases={
        "visible": ({"M": 2, "N": 1, "center": 0}, {"M": 2, "N": 3, "center": 1}),
        "hidden": (
            {"M": 3, "N": 1, "center": 0},
            {"M": 1, "N": 2, "center": 1},
            {"M": 2, "N": 3, "center": 1},
        ),
    },
    reference=color_mask,
    wrong=(
        slip(
            color_mask,
            {"out >= into": "out <= into", "out > into": "out < into"},
            "Your colours run from blue to red. Here red comes first and sees neither of the others; blue comes last "
            "and sees both.",
        ),
        slip(
            color_mask,
            {">= into": ">= 0 * into", "out > into": "out < 0 * into"},
            "You treated all channels alike. Within a pixel, red is drawn first and green knows it: with mask A green "
            "must see red, and with mask B red features must not see green ones.",
        ),
        slip(
            color_mask,
            {"if center": "if not center"},
            "You swapped the two kinds. A colour must not see itself in the first layer (center = 0); from the "
            "second layer on it may (center = 1).",
        ),
        slip(
            color_mask,
            {"* 3 // num_out": "% 3", "* 3 // num_in": "% 3"},
            "You took channels as R, G, B, R, G, B, … Here they stand in three blocks: first all that belong to red, "
            "then all of green, then all of blue.",
        ),
        slip(
            color_mask,
            {">= into": "== into", "> into)": "== into + 1)"},
            "Each colour of yours sees one colour only. Blue is conditioned on red and on green: a product of "
            "conditionals has all that came before on the right of the bar.",
        ),
        slip(
            color_mask,
            {"out >= into if center else out > into": "out >= into"},
            "You let a colour see itself in the first layer as well. There center is 0: red sees nothing, green red "
            "only.",
        ),
        slip(
            color_mask,
            {"out >= into if center else out > into": "out > into"},
            "You hid each colour from itself in all layers. From the second layer on (center = 1) its own features may"
            " be seen: they are made of the past.",
        ),
        slip(
            color_mask,
            {
                "return (out >= into if center else out > into).double()": "return torch.ones(num_out, num_in).tril(center - 1)"
            },
            "You made a triangle of channels. It is the three blocks that are in order: a channel sees all channels of"
            " a colour, or none.",
        ),
        slip(
            color_mask,
            {"out >= into if center else out > into": "(out == into + 1) | ((out == into) & bool(center))"},
            "Your blue does not see red. It is conditioned on both colours that were drawn before it.",
        ),
        slip(
            color_mask,
            {">= into": "== into"},
            "Your mask B sees its own colour only. The colours before it stay visible: mask B adds the own one.",
        ),
        slip(
            color_mask,
            {">= into": "== into", "out > into": "out < 0 * into"},
            "Your colours are independent of each other. Green is conditioned on red, and blue on both: the colours "
            "before are visible with both masks.",
        ),
        Wrong(
            color_triangle_within,
            "Within your own colour's block only some channels are open. With mask B all channels of the own colour "
            "may be seen.",
        ),
        Wrong(
            edited(
                color_mask,
                {
                    "* 3 // num_out": "// (num_out // 3)",
                    "torch.arange(num_in)[None] * 3 // num_in": "(torch.arange(num_in)[None] // (num_out // 3)).clamp(max=2)",
                },
            ),
            "You took the block's size from the wrong side. Outputs come in blocks of num_out / 3, inputs in blocks of"
            " num_in / 3.",
            variants=(
                edited(
                    color_mask,
                    {
                        "torch.arange(num_out)[:, None] * 3 // num_out": "(torch.arange(num_out)[:, None] // (num_in // 3)).clamp(max=2)",
                        "* 3 // num_in": "// (num_in // 3)",
                    },
                ),
                edited(
                    color_mask, {"* 3 // num_out": "// (num_out // 3)", "* 3 // num_in": "// (num_out // 3)"}
                ),
            ),
        ),
        slip(
            color_mask,
            {".double()": ".double().T.reshape(num_out, num_in)"},
            "Your matrix has inputs as rows and was reshaped, which mixes it up. Rows are outputs: transpose it, or "
            "build it with outputs first.",
        ),
        slip(
            color_mask,
            {".double()": ".double().T"},
            "Your rows are inputs. The mask is (num_out, num_in): one row for each output channel.",
        ),
        slip(
            color_mask,
            {"out >= into": "out >= 0 * into", "out > into": "out != into"},
            "Your mask opens the later colours, too. Red is drawn first and must not see green or blue.",
        ),
        slip(
            color_mask,
            {">= into": "< into", "> into)": "<= into)"},
            "You marked what must be hidden. 1 stands where an output channel may see an input channel.",
        ),
        slip(
            color_mask,
            {"* 3 // num_out": "% 3", "* 3 // num_in": "% 3", "if center": "if not center"},
            "You took channels as R, G, B, R, G, B, …, and swapped the two kinds. Here channels stand in three blocks; "
            "and a colour must not see itself in the first layer (center = 0).",
        ),
    ),
    alternatives=(color_kron, color_blocks, color_loops),
)

# 3 ------------------------------------------------------------------------------------------- a test for causality

_MASKS = {
    "A": [[1, 1, 1], [1, 0, 0], [0, 0, 0]],
    "B": [[1, 1, 1], [1, 1, 0], [0, 0, 0]],
    "right": [[1, 1, 1], [1, 1, 1], [0, 0, 0]],
    "none": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
    "future": [[0, 0, 0], [0, 0, 1], [1, 1, 1]],
    "columns": [[1, 1, 0], [1, 0, 0], [1, 0, 0]],
}


def network(image, kernels):
    """The small network that leaks are looked for in, as the notebook has it."""
    h = image[None, None]
    for kernel in kernels:
        h = torch.nn.functional.conv2d(torch.tanh(h), kernel[None, None], padding=1)
    return h[0, 0]


def leak_inputs(case, rng):
    """Networks by their layers' masks, one word each; hidden ones leak by next to nothing, or have tiny weights."""
    words = [word.split() for word in case["networks"]]
    kernels = np.stack([[_masked_kernel(mask, rng) for mask in layers] for layers in words])
    image = rng.uniform(-0.5, 0.5, (case["H"], case["W"]))
    if case.get("blank"):
        image[::2] = 0.0  # where a pixel that is set to zero does not change
    return {"kernels": kernels * case.get("size", 1.0), "image": image}


def _masked_kernel(mask, rng):
    weight = rng.uniform(0.5, 1.0, (3, 3)) * rng.choice([-1.0, 1.0], (3, 3))
    if mask == "faint":
        # As small as inputs, which have nine digits, can hold. A change of the image still shows in the output.
        return weight * np.where(_MASKS["right"], np.where(_MASKS["B"], 1, 1.4e-8), 0)
    return weight * np.array(_MASKS[mask])


def find_leaks(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        slopes = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        leaks.append((slopes.reshape(P, P).triu() != 0).sum(dim=1))
    return torch.stack(leaks)


def leaks_by_gradients(kernels, image):
    rows = []
    for stack in kernels:
        x = image.clone().requires_grad_()
        output, counts = network(x, stack).flatten(), []
        for i in range(len(output)):
            (slope,) = torch.autograd.grad(output[i], x, retain_graph=True)
            counts.append(int((slope.flatten()[i:] != 0).sum()))
        rows.append(counts)
    return rows


def leaks_by_change(kernels, image):
    leaks = torch.zeros(len(kernels), image.numel())
    for n, stack in enumerate(kernels):
        before = network(image, stack).flatten()
        for j in range(image.numel()):
            other = image.clone()
            other.view(-1)[j] += 1
            changed = network(other, stack).flatten() != before
            leaks[n, : j + 1] += changed[: j + 1]
    return leaks


def leaks_by_pulling_back(kernels, image):
    P = image.numel()
    counts = np.zeros((len(kernels), P), dtype=int)
    for n in range(len(kernels)):
        for i in range(P):
            one_hot = torch.zeros_like(image)
            one_hot.view(-1)[i] = 1
            _, slope = torch.autograd.functional.vjp(lambda x, n=n: network(x, kernels[n]), image, one_hot)
            counts[n, i] = np.count_nonzero(slope.numpy().ravel()[i:])
    return counts


def leaks_of_the_sum(kernels, image):
    P = image.numel()
    leaks = []
    for stack in kernels:
        x = image.clone().requires_grad_()
        (slope,) = torch.autograd.grad(network(x, stack).sum(), x)
        leaks.append(torch.stack([(slope.flatten()[i:] != 0).sum() for i in range(P)]))
    return torch.stack(leaks)


def leaks_in_column_order(kernels, image):
    P = image.numel()
    order = torch.arange(P).reshape(image.shape[1], image.shape[0]).T.flatten()
    forbidden = order[None] >= order[:, None]
    leaks = []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        leaks.append(((jacobian.reshape(P, P) != 0) & forbidden).sum(dim=1))
    return torch.stack(leaks)


def leaks_layer_by_layer(kernels, image):
    P, leaks = image.numel(), torch.zeros(len(kernels), image.numel())
    for n, stack in enumerate(kernels):
        for layer in stack:
            jacobian = torch.autograd.functional.jacobian(lambda x, k=layer[None]: network(x, k), image)
            leaks[n] += (jacobian.reshape(P, P).triu() != 0).sum(dim=1)
    return leaks


def leaks_in_the_masks(kernels, image):
    leaks = torch.zeros(len(kernels), image.numel())
    for n, stack in enumerate(kernels):
        flat = stack.reshape(len(stack), 9)
        leaks[n] = (flat[0, 4:] != 0).sum() + (flat[1:, 5:] != 0).sum()
    return leaks


def leaks_in_all_masks(kernels, image):
    leaks = torch.zeros(len(kernels), image.numel())
    for n, stack in enumerate(kernels):
        leaks[n] = (stack.reshape(len(stack), 9)[:, 4:] != 0).sum()
    return leaks


def leaks_by_nan(kernels, image):
    leaks = torch.zeros(len(kernels), image.numel())
    for n, stack in enumerate(kernels):
        for j in range(image.numel()):
            other = image.clone()
            other.view(-1)[j] = math.nan
            leaks[n, : j + 1] += network(other, stack).flatten().isnan()[: j + 1]
    return leaks


def leaks_of_all_later_at_once(kernels, image):
    leaks = torch.zeros(len(kernels), image.numel())
    for n, stack in enumerate(kernels):
        before = network(image, stack).flatten()
        for j in range(image.numel()):
            other = image.clone()
            other.view(-1)[j:] += 1
            leaks[n, : j + 1] += (network(other, stack).flatten() != before)[: j + 1]
    return leaks


def leaks_later_row_and_column(kernels, image):
    H, W = image.shape
    leaks = torch.zeros(len(kernels), H * W)
    for n, stack in enumerate(kernels):
        jacobian = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        for i in range(H):
            for j in range(W):
                leaks[n, i * W + j] = (jacobian[i, j, i:, j:] != 0).sum()
    return leaks


def leaks_of_the_sum_alone(kernels, image):
    leaks = []
    for stack in kernels:
        x = image.clone().requires_grad_()
        (slope,) = torch.autograd.grad(network(x, stack).sum(), x)
        leaks.append((slope != 0).double().flatten())
    return torch.stack(leaks)


LEAKS = Exercise(
    name="find_leaks",
    outputs=(Output("leaks", ("N", "P")),),
    points={"visible": 1, "hidden": 2},
    make_inputs=leak_inputs,
    cases={
        "visible": (
            {"N": 4, "H": 4, "W": 3, "networks": ("A B B", "B B B", "A right B", "A B none")},
            {"N": 1, "H": 3, "W": 5, "networks": ("none none",)},
        ),
        "hidden": (
            {"N": 3, "H": 3, "W": 4, "networks": ("A faint", "A A", "future B")},
            {"N": 1, "H": 5, "W": 2, "networks": ("A right B",), "blank": True},
            # Gradients of about 1e-8 where they may be, and of 1e-16 where they must not: no number is small enough to
            # be called zero.
            {"N": 1, "H": 3, "W": 4, "networks": ("A faint",), "size": 1e-4},
            {"N": 3, "H": 4, "W": 5, "networks": ("A B", "columns B", "right A")},
        ),
    },
    reference=find_leaks,
    wrong=(
        slip(
            find_leaks,
            {"triu()": "triu(1)"},
            "Your test passes a network whose first layer has mask B. The pixel itself is forbidden too: an output "
            "that sees what it has to predict learns to copy it.",
        ),
        slip(
            find_leaks,
            {"triu()": "tril(-1)"},
            "Your test sounds the alarm at sound networks. Earlier pixels are what an output may depend on; count "
            "the pixel itself and later ones.",
        ),
        slip(
            find_leaks,
            {"dim=1": "dim=0"},
            "You counted, for each input, the outputs that see it too early. Asked for is a count for each output: "
            "the jacobian has outputs in its rows.",
        ),
        Wrong(
            leaks_of_the_sum,
            "You differentiated the sum of all outputs. Every pixel may matter to some later output, so that says "
            "nothing: differentiate one output at a time.",
        ),
        Wrong(
            leaks_in_column_order,
            "You numbered the pixels down the columns. The order here is that of reading: row by row, as "
            "torch.flatten has it.",
            variants=(
                edited(
                    find_leaks,
                    {"network(x, stack), image)": "network(x.mT, stack).mT, image.mT.contiguous())"},
                ),
            ),
        ),
        slip(
            find_leaks,
            {"!= 0": ".abs() > 1e-4"},
            "Your test overlooks a weak leak. Where a mask is in place the gradient is exactly zero, so any other "
            "value is a leak, however small: training would make it grow.",
            loses=("hidden",),
        ),
        slip(
            leaks_by_change,
            {"+= 1": "+= 0.1", "flatten() != before": "flatten().sub(before).abs() > 1e-2"},
            "Your test overlooks changes that are small. Where a mask is in place an output does not change at all: any "
            "change is a leak, however small.",
        ),
        slip(
            find_leaks,
            {".triu()": ""},
            "You counted all the inputs that an output depends on. Earlier ones are allowed: count j ≥ i only.",
        ),
        Wrong(
            edited(find_leaks, {"triu": "tril"}),
            "You took the wrong triangle: inputs up to i. Forbidden are the pixel itself and all later ones, j ≥ i.",
            variants=(edited(find_leaks, {"triu": "tril", "dim=1": "dim=0"}),),
        ),
        slip(
            find_leaks,
            {".sum(dim=1)": ".any(dim=1).double()"},
            "You said whether there is a leak. Asked for is a count: how many of the inputs j ≥ i matter.",
        ),
        Wrong(
            edited(find_leaks, {" != 0": ".abs()"}),
            "You added up the sizes of the forbidden gradients. Count those that are not zero.",
            variants=(edited(find_leaks, {" != 0": ""}),),
        ),
        Wrong(
            edited(find_leaks, {"!= 0": "> 0"}),
            "You counted positive gradients only. A negative one is a dependence too: compare with ≠ 0.",
            variants=(edited(find_leaks, {"!= 0": "< 0"}),),
        ),
        slip(
            find_leaks,
            {"triu()": "triu(1)", "dim=1": "dim=0"},
            "You left out the pixel itself, and counted for each input. It is forbidden too, and asked for is a count "
            "for each output, the jacobian's rows.",
        ),
        Wrong(
            edited(find_leaks, {"network(x, stack)": "network(x, stack[:1])"}),
            "You tested a part of the network. A leak may come in any layer: differentiate the whole of it.",
            variants=(edited(find_leaks, {"network(x, stack)": "network(x, stack[-1:])"}),),
        ),
        Wrong(
            leaks_layer_by_layer,
            "You tested each layer by itself. A later layer may see its own pixel (mask B): what counts is what the "
            "whole network's output depends on.",
        ),
        Wrong(
            leaks_in_the_masks,
            "You counted open weights in the kernels. The test must not look at the masks, only at what goes in and "
            "what comes out.",
            variants=(leaks_in_all_masks,),
        ),
        Wrong(
            leaks_by_nan,
            "You probed with a value that is no finite number. Zero times NaN or infinity is NaN, so it spreads "
            "through weights that a mask has set to zero, and every network seems to leak.",
        ),
        Wrong(
            leaks_of_all_later_at_once,
            "You changed several inputs at once. Then the count says how far the furthest leak reaches: change one "
            "input at a time.",
        ),
        Wrong(
            leaks_later_row_and_column,
            "You looked at later rows and later columns only. In raster order all of the next row is later, also what "
            "lies to the left in it.",
        ),
        Wrong(
            leaks_of_the_sum_alone,
            "You differentiated the sum of all outputs. Every pixel may matter to some later output: differentiate one"
            " output at a time.",
        ),
    ),
    alternatives=(leaks_by_gradients, leaks_by_change, leaks_by_pulling_back),
)

# 4 ---------------------------------------------------------------------------------------------------- two stacks


def stack_inputs(case, rng):
    """A few rows of noise, and kernels without any zero."""
    return {
        "image": rng.standard_normal((case["H"], case["W"])),
        "vertical": rng.uniform(0.5, 1.5, (case["R"], case["C"]))
        * rng.choice([-1.0, 1.0], (case["R"], case["C"])),
        "horizontal": rng.uniform(0.5, 1.5, case["K"]) * rng.choice([-1.0, 1.0], case["K"]),
    }


def two_stacks(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_cropped(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    x = image[None, None]
    v = torch.nn.functional.conv2d(x, vertical[None, None], padding=(R, C // 2))[0, 0, : len(image)]
    h = torch.nn.functional.conv2d(x, horizontal[None, None, None], padding=(0, K))[0, 0, :, : image.shape[1]]
    return v, h + v


def stacks_masked(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    tall = torch.cat([vertical, torch.zeros(R + 1, C).to(vertical)])
    wide = torch.cat([horizontal, torch.zeros(K + 1).to(horizontal)])
    v = torch.nn.functional.conv2d(image[None, None], tall[None, None], padding=(R, C // 2))[0, 0]
    h = torch.nn.functional.conv2d(image[None, None], wide[None, None, None], padding=(0, K))[0, 0]
    return v, v + h


def stacks_loops(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v, h = np.zeros((H, W)), np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            for a in range(R):
                for b in range(C):
                    row, column = i - R + a, j - C // 2 + b
                    if row >= 0 and 0 <= column < W:
                        v[i, j] += float(vertical[a, b]) * float(image[row, column])
            h[i, j] = v[i, j]
            for b in range(K):
                if j - K + b >= 0:
                    h[i, j] += float(horizontal[b]) * float(image[i, j - K + b])
    return v, h


def stacks_border_repeated(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[None, None], (C // 2, C // 2, R, 0), mode="replicate")[0, 0, :-1]
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[None, None], (K, 0, 0, 0), mode="replicate")[0, 0, :, :-1]
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


STACKS = Exercise(
    name="two_stacks",
    outputs=(Output("v", ("H", "W")), Output("h", ("H", "W"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=stack_inputs,
    cases={
        "visible": (
            {"H": 4, "W": 5, "R": 2, "C": 3, "K": 2},
            {"H": 3, "W": 4, "R": 1, "C": 3, "K": 1},
        ),
        "hidden": (
            {"H": 5, "W": 4, "R": 3, "C": 5, "K": 2},
            {"H": 4, "W": 1, "R": 2, "C": 1, "K": 1},
            {"H": 3, "W": 6, "R": 2, "C": 3, "K": 4},
            # Kernels larger than the image.
            {"H": 2, "W": 3, "R": 4, "C": 5, "K": 4},
        ),
    },
    reference=two_stacks,
    wrong=(
        slip(
            two_stacks,
            {"image[:-1]": "image", "R, 0)": "R - 1, 0)"},
            "Your vertical stack leaks the current row. Its kernel has columns to the right of the middle, so it must "
            "end one row above: at row i it may see rows i − R to i − 1.",
        ),
        slip(
            two_stacks,
            {"image[:, :-1], (K, 0)": "image, (K - 1, 0)"},
            "Your horizontal stack sees the pixel that is to be predicted. This is the first layer: it must end one "
            "column to the left, at j − 1.",
        ),
        slip(
            two_stacks,
            {"h + v": "h"},
            "Your horizontal stack knows its own row only. It is the one that makes the prediction: add what the "
            "vertical stack found in the rows above.",
        ),
        slip(
            two_stacks,
            {"return v, h + v": "return v + h, h + v"},
            "You also added h to v. Information flows from the vertical stack to the horizontal one only; the next "
            "layer's vertical kernel looks to the right, where h has already seen this pixel.",
        ),
        slip(
            two_stacks,
            {"vertical[N": "vertical.flip(0, 1)[N", "horizontal[N": "horizontal.flip(0)[N"},
            "You flipped the kernels. The last row of `vertical` belongs to the row just above, and the last entry of "
            "`horizontal` to the pixel just left.",
        ),
        slip(
            two_stacks,
            {"R, 0))": "R + 1, 0))[:-1]"},
            "Your vertical stack ends one row too early: the last row of its kernel lies on the row just above.",
        ),
        slip(
            two_stacks,
            {"[:-1]": "[1:]"},
            "Your vertical stack sees rows below the pixel. At row i it sees rows i − R to i − 1: pad R rows above, "
            "and leave the last row out.",
        ),
        slip(
            two_stacks,
            {"C // 2, C // 2": "C - 1, 0"},
            "Your vertical stack looks to the left only. The rows above are known on both sides: its kernel is centred"
            " on the column.",
        ),
        slip(
            two_stacks,
            {"image[:, :-1], (K, 0))": "image, (K + 1, 0))[:, :-2]"},
            "Your horizontal stack ends one column too early: its last entry belongs to the pixel just left.",
        ),
        slip(
            two_stacks,
            {"image[:, :-1], (K, 0)": "image[:, 1:], (0, K)"},
            "Your horizontal stack looks to the right, at pixels that are not known yet.",
        ),
        slip(
            two_stacks,
            {"horizontal[N": "horizontal.flip(0)[N"},
            "You flipped the horizontal kernel: its last entry belongs to the pixel just left.",
        ),
        Wrong(
            edited(two_stacks, {"vertical[N": "vertical.flip(0, 1)[N"}),
            "You flipped the vertical kernel: its last row belongs to the row just above, and its columns stand as in "
            "the image.",
            variants=(
                edited(two_stacks, {"vertical[N": "vertical.flip(0)[N"}),
                edited(two_stacks, {"vertical[N": "vertical.flip(1)[N"}),
            ),
        ),
        slip(
            two_stacks,
            {
                "image[:-1]": "image.roll(1, 0)",
                "R, 0)": "R - 1, 0)",
                "image[:, :-1], (K, 0)": "image.roll(1, 1), (K - 1, 0)",
            },
            "What leaves your image at one side comes in at the other, as with torch.roll. Outside the image there are"
            " zeros.",
        ),
        Wrong(
            stacks_border_repeated,
            "Your image goes on outside with its border's values. Outside there are zeros.",
        ),
        slip(
            two_stacks,
            {"h + v": "h + torch.nn.functional.pad(v, (0, 0, 1, 0))[:-1]"},
            "Your horizontal stack takes v from another row. v at (i, j) ends at row i − 1 already: add it at the same"
            " place.",
        ),
        Wrong(
            edited(two_stacks, {"image[:, :-1]": "v[:, :-1]"}),
            "Your horizontal kernel runs over v. It looks at the image; v is added to what it finds.",
            variants=(edited(two_stacks, {"image[:, :-1]": "(image + v)[:, :-1]"}),),
        ),
        slip(
            two_stacks,
            {"h + v": "h * v"},
            "You multiplied the two stacks. What the vertical one found is added to the horizontal one.",
        ),
        slip(
            two_stacks,
            {"image[:-1]": "image", "R, 0)": "R - 1, 0)", "image[:, :-1], (K, 0)": "image, (K - 1, 0)"},
            "Both your stacks see too much: the vertical one must end one row above, and the horizontal one, one "
            "column to the left.",
        ),
    ),
    alternatives=(stacks_cropped, stacks_masked, stacks_loops),
)

# 5 -------------------------------------------------------------------------------------- a gate that knows the class


def gate_inputs(case, rng):
    """Feature maps, some hidden ones of hundreds; labels of several classes, and a table whose entries are not small."""
    B, C, Y = case["B"], case["C"], case["Y"]
    return {
        "features": case.get("size", 1.0) * rng.standard_normal((B, 2 * C, case["H"], case["W"])),
        "labels": np.arange(B, dtype=np.int64) * 3 % Y,
        "table": rng.uniform(0.5, 1.5, (Y, 2 * C)) * rng.choice([-1.0, 1.0], (Y, 2 * C)),
    }


def gated_unit(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_one_hot(features, labels, table):
    C = features.shape[1] // 2
    shift = torch.nn.functional.one_hot(labels, len(table)).to(table) @ table
    total = features + shift.reshape(*shift.shape, 1, 1)
    return total[:, :C].tanh() * total[:, C:].sigmoid()


def gate_numpy(features, labels, table):
    from scipy.special import expit

    x, t = features.numpy(), table.numpy()[labels.numpy()]
    C = x.shape[1] // 2
    a = x[:, :C] + t[:, :C, None, None]
    b = x[:, C:] + t[:, C:, None, None]
    return np.tanh(a) * expit(b)


def gate_image_by_image(features, labels, table):
    C = features.shape[1] // 2
    images = []
    for maps, label in zip(features, labels.tolist(), strict=True):
        total = torch.stack([maps[c] + table[label, c] for c in range(2 * C)])
        # tanh a = 2 sigmoid(2a) − 1
        images.append((2 * torch.sigmoid(2 * total[:C]) - 1) * torch.sigmoid(total[C:]))
    return torch.stack(images)


def gate_class_after(features, labels, table):
    (a, b), (c, d) = features.chunk(2, dim=1), table[labels][:, :, None, None].chunk(2, dim=1)
    return (torch.tanh(a) + c) * (torch.sigmoid(b) + d)


def gate_table_exchanged(features, labels, table):
    (a, b), (c, d) = features.chunk(2, dim=1), table[labels][:, :, None, None].chunk(2, dim=1)
    return torch.tanh(a + d) * torch.sigmoid(b + c)


def gate_table_first_half_twice(features, labels, table):
    (a, b), (c, _) = features.chunk(2, dim=1), table[labels][:, :, None, None].chunk(2, dim=1)
    return torch.tanh(a + c) * torch.sigmoid(b + c)


GATE = Exercise(
    name="gated_unit",
    outputs=(Output("out", ("B", "C", "H", "W")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=gate_inputs,
    cases={
        "visible": (
            {"B": 2, "C": 2, "H": 2, "W": 3, "Y": 4},
            {"B": 3, "C": 1, "H": 2, "W": 2, "Y": 2},
        ),
        "hidden": (
            {"B": 3, "C": 3, "H": 2, "W": 2, "Y": 5},
            {"B": 1, "C": 2, "H": 3, "W": 1, "Y": 2},
            {"B": 4, "C": 2, "H": 1, "W": 3, "Y": 10},
            # exp(800) is infinite in float64.
            {"B": 2, "C": 2, "H": 2, "W": 3, "Y": 3, "size": 800.0},
        ),
    },
    reference=gated_unit,
    wrong=(
        slip(
            gated_unit,
            {"torch.tanh(a) * torch.sigmoid(b)": "torch.sigmoid(a) * torch.tanh(b)"},
            "You swapped the halves. The first C channels carry the value, through tanh; the other C are the gate, a "
            "number between 0 and 1, through the sigmoid.",
        ),
        slip(
            gated_unit,
            {"(features + table[labels][:, :, None, None])": "features"},
            "Your output does not depend on the label. Each image's class shifts all 2C feature maps by its row of the "
            "table.",
        ),
        slip(
            gated_unit,
            {
                "(features + table[labels][:, :, None, None])": "features",
                "sigmoid(b)": "sigmoid(b) + table[labels][:, : a.shape[1], None, None]",
            },
            "You added the class after the gate. There it moves every pixel alike, whatever lies before it; inside "
            "tanh and sigmoid it decides which features pass.",
        ),
        slip(
            gated_unit,
            {
                "(features + table[labels][:, :, None, None])": "features",
                "tanh(a)": "tanh(a + table[labels][:, : a.shape[1], None, None])",
            },
            "You gave the class to the tanh only. The table has 2C columns: the last C of them open and close the "
            "gates.",
        ),
        slip(
            gated_unit,
            {
                "a, b =": "a =",
                ".chunk(2, dim=1)": "",
                "tanh(a)": "tanh(a[:, 0::2])",
                "sigmoid(b)": "sigmoid(a[:, 1::2])",
            },
            "You split the channels into even and odd ones. Here the first half is one part and the second half the "
            "other, as torch.chunk does it.",
        ),
        slip(
            gated_unit,
            {"*": "+"},
            "You added the two halves. A gate multiplies: where it is 0 nothing passes.",
        ),
        slip(
            gated_unit,
            {
                "(features + table[labels][:, :, None, None])": "features",
                "sigmoid(b)": "sigmoid(b + table[labels][:, a.shape[1] :, None, None])",
            },
            "You gave the class to the gate only. The first C columns of the table shift the values.",
        ),
        slip(
            gated_unit,
            {"tanh": "sigmoid"},
            "You took a sigmoid of both halves. The values go through tanh, so that they may be negative.",
        ),
        slip(
            gated_unit,
            {"sigmoid": "tanh"},
            "You took tanh of both halves. A gate lies between 0 and 1: a sigmoid.",
        ),
        slip(
            gated_unit,
            {"torch.tanh(a)": "a"},
            "Your values do not go through tanh: that is another gate, the linear one.",
        ),
        slip(
            gated_unit,
            {"tanh": "relu"},
            "Your values go through a rectifier. In this gate they go through tanh, which keeps negative ones.",
        ),
        slip(
            gated_unit,
            {"sigmoid(b)": "softmax(b, dim=1)"},
            "Your gates share the number 1, as a softmax makes them. Each gate is a sigmoid of its own.",
        ),
        slip(
            gated_unit,
            {"+": "*"},
            "You multiplied by the class's row of the table. It is added to the features.",
        ),
        slip(gated_unit, {"+": "-"}, "You took the class's row of the table off. It is added."),
        Wrong(
            gate_class_after,
            "You added the class after tanh and sigmoid. It shifts what goes into them.",
        ),
        Wrong(
            gate_table_exchanged,
            "The halves of your table are exchanged: its first C columns belong to the values, its last C to the "
            "gates.",
        ),
        Wrong(
            gate_table_first_half_twice,
            "You gave the same C numbers to values and gates. The table has 2C columns: the last C belong to the "
            "gates.",
        ),
        Wrong(
            edited(gated_unit, {"[labels]": "[labels[:1]]"}),
            "You used one image's class for all. Each image has its own label.",
            variants=(edited(gated_unit, {"[labels]": "[labels[-1:]]"}),),
        ),
        Wrong(
            edited(gated_unit, {"[labels]": "[labels - 1]"}),
            "Your rows of the table are one off. Labels count from 0.",
            variants=(edited(gated_unit, {"[labels]": "[(labels + 1) % len(table)]"}),),
        ),
        slip(
            gated_unit,
            {"[labels]": ".mean(dim=0, keepdim=True)"},
            "You averaged the table over the classes. Each image's label picks one row.",
        ),
        slip(
            gated_unit,
            {
                "(features + table[labels][:, :, None, None])": "features",
                "torch.tanh(a) * torch.sigmoid(b)": "torch.sigmoid(a) * torch.tanh(b)",
            },
            "You swapped tanh and sigmoid, and left the class out: its row of the table is added to all 2C feature "
            "maps.",
        ),
        Wrong(
            edited(gated_unit, {"torch.tanh(a)": "(a.exp() - (-a).exp()) / (a.exp() + (-a).exp())"}),
            "Your formula is right but overflows: exp of a large feature is infinite, and infinity over infinity no "
            "number. Use torch.tanh and torch.sigmoid.",
            loses=("hidden",),
            variants=(
                edited(gated_unit, {"torch.sigmoid(b)": "b.exp() / (1 + b.exp())"}),
                edited(gated_unit, {"torch.tanh(a)": "((2 * a).exp() - 1) / ((2 * a).exp() + 1)"}),
            ),
        ),
        Wrong(
            edited(gated_unit, {"(features + table": "(features.clamp(-5, 5) + table"}),
            "You cut large features off. tanh and the sigmoid take numbers of any size, and say −1, 0 or 1 to large "
            "ones: a clamp only makes them wrong.",
            loses=("hidden",),
        ),
    ),
    alternatives=(gate_one_hot, gate_numpy, gate_image_by_image),
)

# 6 -------------------------------------------------------------------------------------------------- the likelihood


def likelihood_inputs(case, rng):
    """Logits far from normalised; some hidden ones too large for exp, or of levels that are all but impossible."""
    B, L, H, W = case["B"], case["L"], case["H"], case["W"]
    logits = rng.standard_normal((B, L, H, W)) * 2 + rng.uniform(1, 2, (B, 1, H, W))
    logits += case["shift"]
    levels = rng.integers(0, L, (B, H, W))
    if "surprise" in case:
        logits[np.arange(B)[:, None, None], levels, np.arange(H)[:, None], np.arange(W)] -= case["surprise"]
    return {"logits": logits, "levels": levels}


def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cross_entropy(logits, levels):
    pixel = -torch.nn.functional.cross_entropy(logits, levels, reduction="none")
    return pixel, pixel.flatten(1).sum(dim=1), -pixel.flatten(1).mean(dim=1) / math.log(2)


def likelihood_distribution(logits, levels):
    p = torch.distributions.Categorical(logits=logits.permute(0, 2, 3, 1))
    whole = torch.distributions.Independent(p, 2).log_prob(levels)
    bits = -whole / levels.shape[1] / levels.shape[2] * math.log2(math.e)
    return p.log_prob(levels), whole, bits


def likelihood_numpy(logits, levels):
    from scipy.special import logsumexp

    a, k = logits.numpy(), levels.numpy()
    chosen = np.take_along_axis(a, k[:, None], axis=1)[:, 0]
    pixel = chosen - logsumexp(a, axis=1)
    return pixel, pixel.sum(axis=(1, 2)), -pixel.mean(axis=(1, 2)) * np.log2(np.e)


LIKELIHOOD = Exercise(
    name="image_log_prob",
    outputs=(Output("pixel", ("B", "H", "W")), Output("log_prob", ("B",)), Output("bits_per_dim", ("B",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=likelihood_inputs,
    cases={
        "visible": (
            {"B": 2, "L": 4, "H": 2, "W": 3, "shift": 0.0},
            {"B": 1, "L": 3, "H": 3, "W": 2, "shift": 0.0},
        ),
        "hidden": (
            {"B": 3, "L": 5, "H": 2, "W": 4, "shift": 0.0},
            {"B": 1, "L": 2, "H": 4, "W": 2, "shift": 0.0},
            # exp(900) is infinite in float64, and infinity over infinity no number.
            {"B": 2, "L": 4, "H": 3, "W": 2, "shift": 900.0},
            # exp(−800) is 0, and a small number added to it, or a clamp, is all that is left.
            {"B": 1, "L": 3, "H": 1, "W": 1, "shift": 300.0, "surprise": 800.0},
        ),
    },
    reference=image_log_prob,
    wrong=(
        slip(
            image_log_prob,
            {"sum": "mean", "(levels[0].numel() * math.log(2))": "math.log(2)"},
            "Your log_prob is the mean over pixels. The probability of an image is the product of its pixels', so the "
            "logarithms are summed; the mean belongs to bits per dimension only.",
        ),
        slip(
            image_log_prob,
            {"(levels[0].numel() * math.log(2))": "levels[0].numel()"},
            "Your bits_per_dim is in nats. A bit is ln 2 ≈ 0.693 nats, so a number of nats becomes a larger number of "
            "bits.",
        ),
        slip(
            image_log_prob,
            {"(levels[0].numel() * math.log(2))": "math.log(2)"},
            "Your bits_per_dim is that of the whole image. Divide by its number of pixels.",
        ),
        slip(
            image_log_prob,
            {"/ (levels[0].numel() * math.log(2))": "* math.log(2) / levels[0].numel()"},
            "You multiplied by ln 2. log₂ p = ln p / ln 2: the same probability has more bits than nats.",
        ),
        slip(
            image_log_prob,
            {"torch.log_softmax(logits, dim=1)": "logits"},
            "You used logits as log-probabilities. They need not be normalised: subtract the log of the sum of their "
            "exponentials, as log_softmax does.",
        ),
        slip(
            image_log_prob,
            {"logits, dim=1": "logits, dim=-1"},
            "You normalised over the wrong dimension. At each pixel the L levels share the probability 1; they lie "
            "along dim=1.",
        ),
        slip(
            image_log_prob,
            {
                "torch.log_softmax(logits, dim=1)": "(logits.exp() / logits.exp().sum(dim=1, keepdim=True)).log()"
            },
            "Your formula is right but overflows: exp of a large logit is infinite. Use torch.log_softmax, which "
            "takes the largest logit off first.",
            loses=("hidden",),
        ),
        slip(
            image_log_prob,
            {"-log_prob": "log_prob"},
            "Your bits_per_dim is negative. It is a code's length, −log₂ p: never below 0.",
        ),
        slip(
            image_log_prob,
            {"sum": "mean"},
            "You averaged over the pixels, and then divided by their number again. log_prob is a sum; bits per "
            "dimension divide it once by HW.",
        ),
        slip(
            image_log_prob,
            {"torch.log_softmax": "-torch.log_softmax", "-log_prob": "log_prob"},
            "You gave the cross-entropy, −log p. The first two results are log-probabilities, never positive; only the"
            " bits are.",
        ),
        Wrong(
            edited(
                image_log_prob,
                {"[:, 0]": "[:, 0] / math.log(2)", "(levels[0].numel() * math.log(2))": "levels[0].numel()"},
            ),
            "Your log-probabilities are in bits. pixel and log_prob are asked for in nats; only bits_per_dim is in "
            "bits.",
            variants=(edited(image_log_prob, {"[:, 0]": "[:, 0] / math.log(2)"}),),
        ),
        slip(
            image_log_prob,
            {"gather(1, levels[:, None])[:, 0]": "max(dim=1).values"},
            "You took the most likely level at each pixel. The image's own levels are what log p(x) is about: pick "
            "those.",
        ),
        slip(
            image_log_prob,
            {"return pixel": "return pixel.exp()"},
            "You gave each pixel's probability. Its logarithm is asked for.",
        ),
        Wrong(
            edited(image_log_prob, {"levels[0]": "levels"}),
            "You divided by the number of pixels of all images together. Each image has HW of them.",
            variants=(
                edited(image_log_prob, {"levels[0]": "logits"}),
                edited(image_log_prob, {"levels[0]": "logits[0]"}),
            ),
        ),
        Wrong(
            edited(image_log_prob, {"levels[0].numel()": "levels.shape[1] ** 2"}),
            "You took the image for a square: its number of pixels is H times W.",
            variants=(
                edited(image_log_prob, {"levels[0].numel()": "levels.shape[2] ** 2"}),
                edited(image_log_prob, {"levels[0].numel()": "levels.shape[1]"}),
                edited(image_log_prob, {"levels[0].numel()": "levels.shape[2]"}),
            ),
        ),
        slip(
            image_log_prob,
            {"math.log(2)": "math.log(logits.shape[1])"},
            "You divided by ln L. A bit is ln 2 nats, however many levels there are.",
        ),
        Wrong(
            edited(
                image_log_prob,
                {"pixel.sum(dim=(1, 2))": "pixel.exp().mean(dim=(1, 2)).log() * levels[0].numel()"},
            ),
            "You averaged probabilities before the logarithm. The probability of an image is a product: its logarithm "
            "is the sum of the pixels' logarithms.",
            variants=(
                edited(image_log_prob, {"pixel.sum(dim=(1, 2))": "pixel.exp().sum(dim=(1, 2)).log()"}),
            ),
        ),
        slip(
            image_log_prob,
            {"sum(dim=(1, 2))": "sum()", "levels[0]": "levels"},
            "You added up the images. Each has a log-probability of its own, (B,).",
        ),
        slip(
            image_log_prob,
            {"logits, dim=1": "logits, dim=2"},
            "You normalised over the rows of the image. At each pixel the L levels share the probability 1: dim=1.",
        ),
        slip(
            image_log_prob,
            {"logits, dim=1": "logits, dim=0"},
            "You normalised over the images. At each pixel the L levels share the probability 1: dim=1.",
        ),
        slip(
            image_log_prob,
            {"log_softmax": "softmax", "[:, 0]": "[:, 0].log()"},
            "Your formula is right but underflows: the softmax of a level that the network thinks impossible is 0, and"
            " log 0 is −∞. Use torch.log_softmax.",
            loses=("hidden",),
        ),
        Wrong(
            edited(image_log_prob, {"log_softmax": "softmax", "[:, 0]": "[:, 0].clamp(min=1e-8).log()"}),
            "A pixel that the network thinks impossible costs too little: a clamp, or a small number that you add, "
            "cuts its logarithm off. Use torch.log_softmax, which needs neither.",
            loses=("hidden",),
            variants=(
                edited(image_log_prob, {"log_softmax": "softmax", "[:, 0]": "[:, 0].clamp(min=1e-5).log()"}),
                edited(image_log_prob, {"log_softmax": "softmax", "[:, 0]": "[:, 0].clamp(min=1e-6).log()"}),
                edited(image_log_prob, {"log_softmax": "softmax", "[:, 0]": "[:, 0].clamp(min=1e-7).log()"}),
                edited(image_log_prob, {"log_softmax": "softmax", "[:, 0]": "[:, 0].clamp(min=1e-9).log()"}),
                edited(image_log_prob, {"log_softmax": "softmax", "[:, 0]": "[:, 0].clamp(min=1e-10).log()"}),
                edited(image_log_prob, {"log_softmax": "softmax", "[:, 0]": "[:, 0].clamp(min=1e-12).log()"}),
                edited(image_log_prob, {"[:, 0]": "[:, 0].clamp(min=-100)"}),
            ),
        ),
        Wrong(
            edited(image_log_prob, {"logits, dim=1": "logits.clamp(-50, 50), dim=1"}),
            "You cut large logits off by a clamp, which changes the probabilities. Logits may have any size: "
            "torch.log_softmax takes the largest off first.",
            loses=("hidden",),
            variants=(
                edited(image_log_prob, {"logits, dim=1": "logits.clamp(-100, 100), dim=1"}),
                edited(image_log_prob, {"logits, dim=1": "logits.clamp(max=100), dim=1"}),
            ),
        ),
    ),
    alternatives=(likelihood_cross_entropy, likelihood_distribution, likelihood_numpy),
)

# 7 ---------------------------------------------------------------------------------------------------- sampling


def sample_inputs(case, rng):
    """A masked kernel strong enough that what was drawn before matters, and a uniform number a pixel."""
    L, K = case["L"], case["K"]
    kernel = rng.uniform(1.0, 3.0, (L, K, K)) * rng.choice([-1.0, 1.0], (L, K, K))
    kernel[:, K // 2 + 1 :] = 0
    kernel[:, K // 2, K // 2 :] = 0
    return {
        "kernel": kernel,
        "bias": 1.5 * rng.standard_normal((L, case["H"], case["W"])),
        "u": rng.uniform(0.02, 0.98, (case["B"], case["H"], case["W"])),
    }


def ancestral_sample(kernel, bias, u):
    L, k, padding = len(kernel), kernel[:, None], kernel.shape[1] // 2
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            p = torch.softmax(logits, dim=1)
            levels[:, i, j] = (u[:, i, j, None] > p.cumsum(dim=1)[:, :-1]).sum(dim=1).to(u)
    return levels


def sample_searchsorted(kernel, bias, u):
    (B, H, W), (L, K, _) = u.shape, kernel.shape
    padded = torch.zeros(B, H + K - 1, W + K - 1, dtype=u.dtype)
    r = K // 2
    for i in range(H):
        for j in range(W):
            window = padded[:, i : i + K, j : j + K]
            p = torch.softmax(torch.einsum("bxy,lxy->bl", window, kernel) + bias[:, i, j], dim=1)
            drawn = torch.searchsorted(p.cumsum(dim=1)[:, :-1].contiguous(), u[:, i, j, None].contiguous())[
                :, 0
            ]
            padded[:, i + r, j + r] = drawn.to(u) / (L - 1)
    return (padded[:, r : r + H, r : r + W] * (L - 1)).round().long()


def sample_numpy(kernel, bias, u):
    k, b, u = kernel.numpy(), bias.numpy(), u.numpy()
    L, r = len(k), k.shape[1] // 2
    images = np.zeros(u.shape)
    for n, image in enumerate(images):
        for i, j in np.ndindex(image.shape):
            context = np.pad(image, r)[i : i + 2 * r + 1, j : j + 2 * r + 1] / (L - 1)
            odds = np.exp(b[:, i, j] + (k * context).sum(axis=(1, 2)))
            edges = np.cumsum(odds) / odds.sum()
            image[i, j] = min(int(np.sum(edges < u[n, i, j])), L - 1)
    return images


def sample_pixel_by_pixel(kernel, bias, u):
    (B, H, W), L, r = u.shape, len(kernel), kernel.shape[1] // 2
    k, b = kernel.tolist(), bias.tolist()
    result = [[[0] * W for _ in range(H)] for _ in range(B)]
    for n in range(B):
        image = result[n]
        for i in range(H):
            for j in range(W):
                logits = [plane[i][j] for plane in b]
                for y in range(max(0, i - r), i + 1):
                    for x in range(max(0, j - r), min(W, j + r + 1)):
                        for level in range(L):
                            logits[level] += k[level][y - i + r][x - j + r] * image[y][x] / (L - 1)
                left = float(u[n, i, j]) * sum(math.exp(v) for v in logits)
                level = 0
                while level < L - 1 and left > math.exp(logits[level]):
                    left -= math.exp(logits[level])
                    level += 1
                image[i][j] = level
    return result


def sample_all_at_once(kernel, bias, u):
    padding = kernel.shape[1] // 2
    logits = torch.nn.functional.conv2d(torch.zeros_like(u)[:, None], kernel[:, None], padding=padding) + bias
    cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
    return (u[:, None] > cumulative).sum(dim=1)


def sample_fed_with_means(kernel, bias, u):
    L, padding = len(kernel), kernel.shape[1] // 2
    means, levels = torch.zeros_like(u), torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            logits = (
                torch.nn.functional.conv2d(means[:, None], kernel[:, None], padding=padding)[:, :, i, j]
                + bias[:, i, j]
            )
            p = torch.softmax(logits, dim=1)
            levels[:, i, j] = (u[:, i, j, None] > p.cumsum(dim=1)[:, :-1]).sum(dim=1).to(u)
            means[:, i, j] = (p * torch.arange(L).to(p)).sum(dim=1) / (L - 1)
    return levels


def sample_row_by_row(kernel, bias, u):
    L, padding = len(kernel), kernel.shape[1] // 2
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        x = levels[:, None] / (L - 1)
        logits = torch.nn.functional.conv2d(x, kernel[:, None], padding=padding)[:, :, i] + bias[:, i]
        cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
        levels[:, i] = (u[:, i, None] > cumulative).sum(dim=1).to(u)
    return levels


SAMPLE = Exercise(
    name="ancestral_sample",
    outputs=(Output("levels", ("B", "H", "W")),),
    points={"visible": 1, "hidden": 2},
    make_inputs=sample_inputs,
    cases={
        "visible": (
            {"B": 2, "L": 4, "H": 5, "W": 4, "K": 3},
            {"B": 1, "L": 3, "H": 3, "W": 5, "K": 3},
        ),
        "hidden": (
            {"B": 3, "L": 5, "H": 4, "W": 3, "K": 5},
            {"B": 1, "L": 2, "H": 5, "W": 6, "K": 3},
            {"B": 2, "L": 3, "H": 3, "W": 6, "K": 3},
        ),
    },
    reference=ancestral_sample,
    wrong=(
        slip(
            ancestral_sample,
            {"(u[:, i, j, None] > p.cumsum(dim=1)[:, :-1]).sum(dim=1)": "p.argmax(dim=1)"},
            "You took the most likely level. That is not a draw: all images would come out alike, and the model's "
            "probabilities would not matter. Use the uniform number.",
        ),
        Wrong(
            sample_all_at_once,
            "Your logits know nothing of the pixels drawn before. Either all come from one pass over an empty image, "
            "or the kernel is flipped, so that it looks at pixels that are not drawn yet (conv2d flips nothing). Each "
            "draw must be put in its place first.",
        ),
        slip(
            ancestral_sample,
            {
                "for i in range(u.shape[1]):\n        for j in range(u.shape[2])": "for j in range(u.shape[2]):\n        for i in range(u.shape[1])"
            },
            "You went down the columns. The kernel looks at the row above, on both sides, so the pixel there must be "
            "drawn already: go row by row.",
        ),
        slip(
            ancestral_sample,
            {" / (L - 1)": ""},
            "You fed whole levels to the network. It was trained on x / (L − 1), between 0 and 1.",
        ),
        Wrong(
            sample_fed_with_means,
            "You fed expected values back. Later pixels must be conditioned on what was drawn, not on its mean: an "
            "average image is not an image.",
        ),
        slip(
            ancestral_sample,
            {">": "<"},
            "You counted the cumulative probabilities above u. u < p₀ must give level 0: the level is the number of "
            "cumulative probabilities that u exceeds.",
        ),
        slip(
            ancestral_sample,
            {"(L - 1)": "L"},
            "You divided by L. The network was trained on levels / (L − 1), so that the highest is 1.",
        ),
        slip(
            ancestral_sample,
            {" + bias[:, i, j]": ""},
            "You left the bias out. Each pixel and level has its own, bias[:, i, j].",
        ),
        Wrong(
            edited(
                ancestral_sample, {"bias[:, i, j]": "bias[:, min(j, u.shape[1] - 1), min(i, u.shape[2] - 1)]"}
            ),
            "Your bias is that of another pixel: at (i, j) it is bias[:, i, j].",
            variants=(edited(ancestral_sample, {"bias[:, i, j]": "bias[:, 0, 0]"}),),
        ),
        slip(
            ancestral_sample,
            {"u[:, i, j, None]": "1 - u[:, i, j, None]"},
            "You counted from the highest level down: small u must give level 0.",
        ),
        slip(
            ancestral_sample,
            {"[:, :-1]).sum(dim=1)": "[:, :-1]).sum(dim=1).add(1).clamp(max=L - 1)"},
            "Your levels are one too high: u ≤ p₀ gives level 0.",
        ),
        slip(
            ancestral_sample,
            {"[:, :-1]": "[:, 1:]"},
            "Your cumulative sums begin at p₀ + p₁. Level 0 has the interval up to p₀, and level 1 the next.",
        ),
        Wrong(
            edited(ancestral_sample, {"p.cumsum(dim=1)": "p"}),
            "You compared u with the probabilities themselves. The levels' intervals lie one after the other: add the "
            "probabilities up.",
            variants=(
                edited(
                    ancestral_sample,
                    {"p.cumsum(dim=1)[:, :-1]).sum(dim=1)": "p).sum(dim=1).clamp(max=L - 1)"},
                ),
            ),
        ),
        slip(
            ancestral_sample,
            {"(u[:,": "(u[:1,"},
            "All your images use the uniform numbers of the first. Each image and pixel has its own: u[b, i, j].",
        ),
        slip(
            ancestral_sample,
            {"(u[:, i, j,": "(u[:, 0, 0,"},
            "You used one uniform number for all pixels of an image. Each pixel has its own: u[b, i, j].",
        ),
        slip(
            ancestral_sample,
            {"(u[:, i, j,": "(u[:, min(j, u.shape[1] - 1), min(i, u.shape[2] - 1),"},
            "Your uniform numbers are those of another pixel: at (i, j) it is u[:, i, j].",
        ),
        slip(
            ancestral_sample,
            {"softmax(logits, dim=1)": "softmax(logits, dim=0)"},
            "You normalised over the images. The L levels of a pixel share the probability 1: dim=1.",
        ),
        Wrong(
            edited(ancestral_sample, {"torch.softmax(logits, dim=1)": "logits"}),
            "You added up the logits. Turn them into probabilities by a softmax first.",
            variants=(edited(ancestral_sample, {"torch.softmax(logits, dim=1)": "torch.sigmoid(logits)"}),),
        ),
        Wrong(
            edited(ancestral_sample, {"kernel[:, None]": "kernel.flip(2)[:, None]"}),
            "Your kernel is turned or mirrored. conv2d does not flip it: what stands upper left in the kernel meets "
            "what lies upper left in the image.",
            variants=(edited(ancestral_sample, {"kernel[:, None]": "kernel.mT[:, None]"}),),
        ),
        Wrong(
            sample_row_by_row,
            "Within a row your pixels know nothing of those to their left: they come from one pass for the whole row, "
            "or from right to left. Draw one pixel after the other, from the left.",
        ),
        slip(
            ancestral_sample,
            {"return levels": "return levels / (L - 1)"},
            "You gave x, between 0 and 1. Asked for are the levels, whole numbers from 0 to L − 1.",
        ),
        slip(
            ancestral_sample,
            {
                "conv2d(x, k, padding=padding)": 'conv2d(torch.nn.functional.pad(x, (padding,) * 4, mode="replicate"), k)'
            },
            "Your image goes on outside with its border's values. Outside there are zeros.",
        ),
        slip(
            ancestral_sample,
            {" / (L - 1)\n": " / (L - 1)\n            x[:, :, :i] = 0\n"},
            "Your pixels know nothing of the rows above. x holds all that has been drawn, not the current row only.",
        ),
        slip(
            ancestral_sample,
            {" / (L - 1)": "", "u[:, i, j, None]": "1 - u[:, i, j, None]"},
            "You fed whole levels to the network, and counted from the highest level down. It was trained on "
            "x / (L − 1), between 0 and 1; and small u must give level 0.",
        ),
    ),
    alternatives=(sample_searchsorted, sample_numpy, sample_pixel_by_pixel),
)

# 8 ------------------------------------------------------------------------------------------- discretised logistics


def logistic_inputs(case, rng):
    """A mixture that reaches over both edges, with scales that a level's width does not hide in; some hidden ones are extreme."""
    M = case["M"]
    mix_logits = rng.uniform(0.4, 1.2, M) * np.where(np.arange(M) % 2, -1.0, 1.0)
    loc = np.linspace(-0.7, 0.8, M) if M > 1 else np.array([0.3])
    log_scale = rng.uniform(-1.3, -0.8, M)
    if case.get("narrow"):
        # Beside an edge, so that the level on its other side has a share as well; single precision has this edge, 1/16,
        # without an error, which would be large beside the scale.
        log_scale[0] = rng.uniform(-9.2, -8.8)
        loc[0] = 1 / 16 + rng.uniform(0.5, 1.5) * np.exp(log_scale[0])
    if case.get("wide"):
        mix_logits, loc = mix_logits + 800, 2 * loc
        log_scale[1] = rng.uniform(0.8, 1.2)
    return {"mix_logits": mix_logits, "loc": loc, "log_scale": log_scale, "num_levels": case["L"]}


def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    half, s = 1 / (num_levels - 1), log_scale.exp()
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper, lower = torch.sigmoid((x + half - loc) / s), torch.sigmoid((x - half - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_edges(mix_logits, loc, log_scale, num_levels):
    edges = torch.linspace(-1, 1, num_levels).to(loc)[1:] - 1 / (num_levels - 1)
    below = torch.sigmoid((edges[:, None] - loc) * torch.exp(-log_scale)) @ torch.softmax(mix_logits, dim=0)
    return torch.diff(torch.cat([below.new_zeros(1), below, below.new_ones(1)]))


def logistic_scipy(mix_logits, loc, log_scale, num_levels):
    from scipy.special import softmax
    from scipy.stats import logistic

    weights, total = softmax(mix_logits.numpy()), np.zeros(num_levels)
    edges = np.concatenate([[-np.inf], (2 * np.arange(1, num_levels) - 1) / (num_levels - 1) - 1, [np.inf]])
    for weight, m, s in zip(weights, loc.numpy(), np.exp(log_scale.numpy()), strict=True):
        total += weight * np.diff(logistic(m, s).cdf(edges))
    return total


def logistic_loops(mix_logits, loc, log_scale, num_levels):
    odds = [math.exp(a - float(mix_logits.max())) for a in mix_logits.tolist()]
    probs = []
    for level in range(num_levels):
        total = 0.0
        for weight, m, s in zip(odds, loc.tolist(), log_scale.tolist(), strict=True):
            high = (2 * level + 1) / (num_levels - 1) - 1
            low = (2 * level - 1) / (num_levels - 1) - 1
            up = 1.0 if level == num_levels - 1 else (1 + math.tanh((high - m) / math.exp(s) / 2)) / 2
            down = 0.0 if level == 0 else (1 + math.tanh((low - m) / math.exp(s) / 2)) / 2
            total += weight / sum(odds) * (up - down)
        probs.append(total)
    return probs


def logistic_density(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    p = torch.sigmoid((x - loc) / log_scale.exp())
    return (p * (1 - p) / log_scale.exp()) @ torch.softmax(mix_logits, dim=0)


def logistic_density_times_step(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    p = torch.sigmoid((x - loc) / log_scale.exp())
    return (2 * half * p * (1 - p) / log_scale.exp()) @ torch.softmax(mix_logits, dim=0)


LOGISTIC = Exercise(
    name="discretized_logistic",
    outputs=(Output("probs", ("L",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=logistic_inputs,
    cases={
        "visible": ({"M": 2, "L": 8}, {"M": 1, "L": 5}),
        "hidden": (
            {"M": 3, "L": 16},
            {"M": 1, "L": 6},
            {"M": 2, "L": 12},
            {"M": 2, "L": 17, "narrow": True},
            {"M": 3, "L": 9, "wide": True},
        ),
    },
    reference=discretized_logistic,
    wrong=(
        slip(
            discretized_logistic,
            {"    upper[-1], lower[0] = 1, 0\n": ""},
            "Your probabilities do not sum to 1. What the logistic puts beyond −1 belongs to the lowest level, and "
            "what it puts beyond 1 to the highest.",
        ),
        Wrong(
            logistic_density,
            "You gave densities at the levels' centres. A level's probability is the difference of the cumulative "
            "function between its edges, half a step to either side.",
        ),
        slip(
            discretized_logistic,
            {"log_scale.exp()": "log_scale"},
            "You divided by log s as if it were s. The network gives log s because it may be any number; the scale is "
            "its exponential.",
        ),
        slip(
            discretized_logistic,
            {"= 1 /": "= 2 /"},
            "Your levels overlap. Their centres lie 2/(L − 1) apart, so each reaches half of that to either side.",
        ),
        Wrong(
            edited(discretized_logistic, {"= 1 /": "= 0.5 /", "(-1, 1": "(0, 1"}),
            "Your levels run from 0 to 1. Here level l stands at 2l/(L − 1) − 1, from −1 to 1.",
            variants=(edited(discretized_logistic, {"(-1, 1": "(0, 1"}),),
        ),
        slip(
            discretized_logistic,
            {" @ torch.softmax(mix_logits, dim=0)": ".mean(dim=1)"},
            "Your components all weigh the same. Their weights are the softmax of mix_logits.",
        ),
        slip(
            discretized_logistic,
            {"upper[-1], lower[0] = 1, 0": "lower[0] = 0"},
            "What lies above the highest level is lost: it takes all that the logistic has beyond its upper edge.",
        ),
        slip(
            discretized_logistic,
            {"upper[-1], lower[0] = 1, 0": "upper[-1] = 1"},
            "What lies below the lowest level is lost: it takes all that the logistic has below its lower edge.",
        ),
        Wrong(
            edited(
                discretized_logistic,
                {
                    "upper[-1], lower[0] = 1, 0\n    return": "probs =",
                    "dim=0)": "dim=0)\n    return probs / probs.sum()",
                },
            ),
            "You divided by the sum, which spreads the tails over all levels. They belong to the two levels at the "
            "ends.",
            variants=(
                edited(
                    discretized_logistic,
                    {
                        "    upper[-1], lower[0] = 1, 0\n": "",
                        "(upper - lower)": "((upper - lower) / (upper - lower).sum(dim=0))",
                    },
                ),
            ),
        ),
        slip(
            discretized_logistic,
            {"= 1 /": "= 0.5 /"},
            "Your levels have gaps between them. Their centres lie 2/(L − 1) apart, so each reaches 1/(L − 1) to "
            "either side.",
        ),
        slip(
            discretized_logistic,
            {"(num_levels - 1)": "num_levels"},
            "Your half step is not that of the levels: their centres lie 2/(L − 1) apart, with L − 1 steps between L "
            "levels, and δ is half of one.",
        ),
        Wrong(
            edited(
                discretized_logistic,
                {
                    "(num_levels - 1)": "num_levels",
                    "(-1, 1, num_levels,": "(-1, 1 - 2 / num_levels, num_levels,",
                },
            ),
            "Your levels do not reach both ends: there are L − 1 steps between L levels, so level l stands at 2l/(L − "
            "1) − 1.",
            variants=(
                edited(
                    discretized_logistic,
                    {
                        "(num_levels - 1)": "num_levels",
                        "(-1, 1, num_levels,": "(1 / num_levels - 1, 1 - 1 / num_levels, num_levels,",
                    },
                ),
                edited(discretized_logistic, {"(-1, 1, num_levels,": "(-1, 1 - 2 / num_levels, num_levels,"}),
            ),
        ),
        slip(
            discretized_logistic,
            {"log_scale.exp()": "(-log_scale).exp()"},
            "You multiplied by the scale. The distance from μ is divided by s: a small s is a narrow distribution.",
        ),
        Wrong(
            edited(discretized_logistic, {"log_scale.exp()": "(2 * log_scale).exp()"}),
            "You took log s for the logarithm of another power of s: your scale is its square or its root. s = exp(log s) "
            "divides the distance as it is.",
            variants=(edited(discretized_logistic, {"log_scale.exp()": "(log_scale / 2).exp()"}),),
        ),
        slip(
            discretized_logistic,
            {"log_scale.exp()": "1"},
            "Your distances are not divided by the scale s = exp(log s).",
        ),
        Wrong(
            edited(discretized_logistic, {"torch.softmax(mix_logits, dim=0)": "mix_logits.exp()"}),
            "Your weights do not sum to 1: they are exponentials of mix_logits, divided by the sum of these.",
            variants=(
                edited(discretized_logistic, {"torch.softmax(mix_logits, dim=0)": "mix_logits"}),
                edited(
                    discretized_logistic, {"torch.softmax(mix_logits, dim=0)": "torch.sigmoid(mix_logits)"}
                ),
            ),
        ),
        slip(
            discretized_logistic,
            {
                "torch.sigmoid((x + half": "torch.special.ndtr((x + half",
                "torch.sigmoid((x - half": "torch.special.ndtr((x - half",
            },
            "You took the normal's distribution function. Here it is the logistic one, the sigmoid.",
        ),
        Wrong(
            logistic_density_times_step,
            "You gave density times width. A level's probability is the difference of the sigmoids at its two edges.",
        ),
        slip(
            discretized_logistic,
            {"(upper - lower)": "upper"},
            "You gave the cumulative function at the upper edges. A level's probability is its difference to that at "
            "the lower edge.",
        ),
        slip(
            discretized_logistic,
            {"(upper - lower)": "(lower - upper)"},
            "Your differences are negative: the sigmoid at the upper edge is the larger one.",
        ),
        slip(
            discretized_logistic,
            {
                "return (upper - lower) @ torch.softmax(mix_logits, dim=0)": "return ((upper - lower) @ torch.softmax(mix_logits, dim=0)).log()"
            },
            "You gave logarithms. The probabilities themselves are asked for.",
        ),
        slip(
            discretized_logistic,
            {"(upper - lower) @ torch.softmax(mix_logits, dim=0)": "upper - lower"},
            "You gave each component's probabilities. The mixture is their weighted sum, one number a level.",
        ),
        slip(
            discretized_logistic,
            {"upper[-1], lower[0]": "upper[0], lower[-1]"},
            "Your tails are at the wrong ends: the lowest level takes what lies below, the highest what lies above.",
        ),
        slip(
            discretized_logistic,
            {"dim=0)": "dim=0) / len(loc)"},
            "Your probabilities sum to 1/M. The weights add up to 1 already: sum over the components, and do not average.",
        ),
        Wrong(
            edited(
                discretized_logistic,
                {
                    "log_scale.exp()": "(torch.softmax(mix_logits, dim=0) @ log_scale).exp()\n    loc = torch.softmax(mix_logits, dim=0) @ loc",
                    "return (upper - lower) @ torch.softmax(mix_logits, dim=0)": "return (upper - lower)[:, 0]",
                },
            ),
            "You mixed the components' parameters. A mixture mixes their probabilities: each component keeps its own μ "
            "and s, and the weighted sum comes last.",
            variants=(
                edited(
                    discretized_logistic,
                    {
                        "log_scale.exp()": "torch.softmax(mix_logits, dim=0) @ log_scale.exp()\n    loc = torch.softmax(mix_logits, dim=0) @ loc",
                        "return (upper - lower) @ torch.softmax(mix_logits, dim=0)": "return (upper - lower)[:, 0]",
                    },
                ),
            ),
        ),
        slip(
            discretized_logistic,
            {
                "torch.sigmoid((x + half": "torch.tanh((x + half",
                "torch.sigmoid((x - half": "torch.tanh((x - half",
            },
            "You took tanh, which runs from −1 to 1. The logistic's distribution function is the sigmoid.",
        ),
        slip(
            discretized_logistic,
            {"+ half - loc": "+ half + loc", "- half - loc": "- half + loc"},
            "You added μ. A component lies around its location: it is the distance x − μ that is divided by s.",
        ),
        Wrong(
            edited(
                discretized_logistic, {"x + half - loc": "x + 2 * half - loc", "x - half - loc": "x - loc"}
            ),
            "Your intervals begin or end at the levels. Each level stands in the middle of its own, which reaches δ to "
            "either side.",
            variants=(
                edited(
                    discretized_logistic,
                    {"x + half - loc": "x - loc", "x - half - loc": "x - 2 * half - loc"},
                ),
            ),
        ),
        slip(
            discretized_logistic,
            {"= 1 /": "= 2 /", "    upper[-1], lower[0] = 1, 0\n": ""},
            "Your levels overlap, and the tails are missing. δ is half the distance of two levels; and what lies beyond "
            "the ends belongs to the lowest and the highest.",
        ),
        slip(
            discretized_logistic,
            {"log_scale.exp()": "(-log_scale).exp()", " @ torch.softmax(mix_logits, dim=0)": ".mean(dim=1)"},
            "You multiplied by the scale, and weighed all components alike. The distance from μ is divided by s; the "
            "weights are the softmax of mix_logits.",
        ),
        Wrong(
            edited(discretized_logistic, {"log_scale.exp()": "log_scale.exp().clamp(min=0.1)"}),
            "A narrow component comes out too wide: something keeps its scale from getting small, a clamp or a number "
            "that is added. s = exp(log s) as it is; a tiny one puts the whole component on a level or two.",
            loses=("hidden",),
            variants=(
                edited(discretized_logistic, {"log_scale.exp()": "log_scale.exp().clamp(min=0.01)"}),
                edited(discretized_logistic, {"log_scale.exp()": "log_scale.exp().clamp(min=1e-3)"}),
                edited(discretized_logistic, {"log_scale.exp()": "log_scale.clamp(min=-7).exp()"}),
                edited(discretized_logistic, {"log_scale.exp()": "log_scale.clamp(min=-5).exp()"}),
                edited(discretized_logistic, {"log_scale.exp()": "log_scale.clamp(min=-3).exp()"}),
            ),
        ),
        Wrong(
            edited(discretized_logistic, {"log_scale.exp()": "log_scale.exp().clamp(max=1)"}),
            "A wide component comes out too narrow: a clamp keeps its scale from getting large. s = exp(log s) may have "
            "any size; most of a wide component lies beyond the ends.",
            loses=("hidden",),
        ),
        slip(
            discretized_logistic,
            {
                "= 1 / (num_levels - 1), log_scale.exp()": "= 1 / (num_levels - 1), log_scale.exp()\n    loc = loc.clamp(-1, 1)"
            },
            "You kept μ between −1 and 1. The middle of a component may lie beyond the ends: the last level then takes "
            "most of it.",
            loses=("hidden",),
        ),
        slip(
            discretized_logistic,
            {"torch.softmax(mix_logits, dim=0)": "(mix_logits.exp() / mix_logits.exp().sum())"},
            "Your weights overflow: exp of a large logit is infinite, and infinity over infinity no number. Use "
            "torch.softmax, which takes the largest logit off first.",
            loses=("hidden",),
        ),
        slip(
            discretized_logistic,
            {
                "torch.sigmoid((x + half - loc) / s), torch.sigmoid((x - half - loc) / s)": "((x + half - loc) / s).exp(), ((x - half - loc) / s).exp()\n    upper, lower = upper / (1 + upper), lower / (1 + lower)"
            },
            "Your sigmoid overflows: far above a narrow component exp is infinite, and infinity over infinity no number. "
            "Use torch.sigmoid.",
            loses=("hidden",),
        ),
    ),
    alternatives=(logistic_edges, logistic_scipy, logistic_loops),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("autoregressive", "pixelcnn")

EXERCISES = (MASK, COLOR, LEAKS, STACKS, GATE, LIKELIHOOD, SAMPLE, LOGISTIC)
