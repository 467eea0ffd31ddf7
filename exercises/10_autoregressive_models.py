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


def mask_kinds_swapped(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, :j] = 1
    mask[i, j] = 1 - center
    return mask


def mask_always_a(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, :j] = 1
    return mask


def mask_whole_row(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[: i + 1] = 1
    mask[i, j] = center
    return mask


def mask_of_the_future(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[i + 1 :] = 1
    mask[i, j + 1 :] = 1
    mask[i, j] = center
    return mask


def mask_upper_left(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[: i + 1, : j + 1] = 1
    mask[i, j] = center
    return mask


def mask_always_b(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, : j + 1] = 1
    return mask


def mask_open_below(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, :j] = 1
    mask[i, j] = center
    mask[i + 1 :] = 1
    return mask


def mask_open_row_below(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, :j] = 1
    mask[i, j] = center
    mask[i + 1 : i + 2] = 1
    return mask


def mask_one_too_far(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, : j + 2 * center] = 1
    return mask


def mask_one_too_short(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, : max(j - 1 + center, 0)] = 1
    return mask


def mask_triangle(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    return torch.tril(mask + 1, diagonal=center - 1)


def mask_triangle_below(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask = torch.tril(mask + 1, diagonal=-1)
    mask[i, j] = center
    return mask


def mask_own_row_closed(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i, j] = center
    return mask


def mask_rows_above_closed(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[i, :j] = 1
    mask[i, j] = center
    return mask


def mask_by_columns(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:, :j] = 1
    mask[:i, j] = 1
    mask[i, j] = center
    return mask


def mask_middle_exchanged(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    i, j = min(num_columns // 2, num_rows - 1), min(num_rows // 2, num_columns - 1)
    mask[:i] = 1
    mask[i, :j] = 1
    mask[i, j] = center
    return mask


def mask_middle_by_columns(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    i = min(j, num_rows - 1)
    mask[:i] = 1
    mask[i, :j] = 1
    mask[i, j] = center
    return mask


def mask_middle_by_columns_unchecked(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:j] = 1
    if j < num_rows:
        mask[j, : i + center] = 1
    return mask


def mask_middle_by_rows(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    j = min(i, num_columns - 1)
    mask[:i] = 1
    mask[i, :j] = 1
    mask[i, j] = center
    return mask


def mask_middle_rounded_up(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    flat = mask.view(-1)
    flat[: (len(flat) + 1) // 2 + center] = 1
    return mask


def mask_inverted(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[i + 1 :] = 1
    mask[i, j + 1 :] = 1
    mask[i, j] = 1 - center
    return mask


def mask_own_row_open_beyond(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    i, j = num_rows // 2, num_columns // 2
    mask[:i] = 1
    mask[i] = 1
    mask[i, j] = center
    mask[i + 1 :] = 1
    return mask


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
        ),
    },
    reference=causal_mask,
    wrong=(
        Wrong(
            mask_kinds_swapped,
            "You swapped the two kinds. The first layer's mask, A, hides the pixel that is to be predicted "
            "(center = 0); the later layers' mask, B, lets it through (center = 1).",
        ),
        Wrong(
            mask_always_a,
            "You hid the middle for both kinds. With mask A in every layer, what a second layer hears from the left "
            "neighbour does not know that neighbour's own value: the nearest pixel is lost. Mask B keeps it.",
        ),
        Wrong(
            mask_whole_row,
            "Your mask lets pixels to the right of the middle through. They come later in the order, and are not "
            "known when this one is drawn.",
        ),
        Wrong(
            mask_of_the_future,
            "You kept the future and hid the past. torch.nn.functional.conv2d does not flip its kernel: what stands "
            "upper left in the kernel meets what lies upper left in the image.",
        ),
        Wrong(
            mask_upper_left,
            "You hid what lies above and to the right. In raster order all of a row above is known, on both sides of "
            "the middle.",
        ),
        Wrong(
            mask_always_b,
            "You let the middle through for both kinds. With mask B in the first layer the network sees the pixel that"
            " it has to predict: there center is 0.",
        ),
        Wrong(
            mask_open_below,
            "The rows below the middle are open in your mask. They come later in the order, and are not known yet.",
            variants=(mask_open_row_below,),
        ),
        Wrong(
            mask_one_too_far,
            "Your mask B opens the pixel to the right of the middle. It lets the middle through, and nothing after it.",
        ),
        Wrong(
            mask_one_too_short,
            "Your mask ends one pixel too early: all entries before the middle are 1, the left neighbour too.",
        ),
        Wrong(
            mask_triangle,
            "You made a triangular matrix, as for a sequence, where entry (i, j) says whether i sees j. Here the mask "
            "lies on the kernel: what counts is each entry's place before or after the middle in raster order.",
            variants=(mask_triangle_below,),
        ),
        Wrong(
            mask_own_row_closed,
            "You hid the pixels to the left of the middle. They come before it in the order, and tell the most.",
        ),
        Wrong(
            mask_rows_above_closed,
            "You hid the rows above. All of them come before the middle.",
        ),
        Wrong(
            mask_by_columns,
            "Your order goes down the columns. Raster order goes row by row, from left to right.",
        ),
        Wrong(
            mask_middle_exchanged,
            "Your middle is in the wrong place: it is at row num_rows // 2 and column num_columns // 2, also where the"
            " kernel is not square.",
            variants=(
                mask_middle_by_columns,
                mask_middle_by_columns_unchecked,
                mask_middle_by_rows,
            ),
        ),
        Wrong(
            mask_middle_rounded_up,
            "Your mask reaches one entry too far: with an odd number n of entries, (n − 1)/2 of them lie before the "
            "middle.",
        ),
        Wrong(
            mask_inverted,
            "You marked what must be hidden. The mask is multiplied with the kernel: 1 where a weight stays, 0 where "
            "it goes.",
        ),
        Wrong(
            mask_own_row_open_beyond,
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


def color_reversed(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out <= into if center else out < into).double()


def color_ignored(num_out, num_in, center):
    return torch.full((num_out, num_in), float(center), dtype=torch.float64)


def color_kinds_swapped(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out > into if center else out >= into).double()


def color_interleaved(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] % 3
    into = torch.arange(num_in)[None] % 3
    return (out >= into if center else out > into).double()


def color_own_only(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out == into if center else out == into + 1).double()


def color_always_b(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out >= into).double()


def color_always_a(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out > into).double()


def color_triangle(num_out, num_in, center):
    return torch.tril(torch.ones(num_out, num_in, dtype=torch.float64), diagonal=center - 1)


def color_one_before(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return ((out == into + 1) | ((out == into) & bool(center))).double()


def color_b_own_only(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out == into if center else out > into).double()


def color_apart(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return ((out == into) & bool(center)).double()


def color_triangle_within(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    mask = (out > into).double()
    own = (out == into) & (torch.arange(num_in)[None] <= torch.arange(num_out)[:, None])
    return torch.maximum(mask, own.double()) if center else mask


def color_blocks_of_the_output(num_out, num_in, center):
    block = num_out // 3
    out = torch.arange(num_out)[:, None] // block
    into = (torch.arange(num_in)[None] // block).clamp(max=2)
    return (into <= out if center else into < out).double()


def color_blocks_of_the_input(num_out, num_in, center):
    block = num_in // 3
    out = (torch.arange(num_out)[:, None] // block).clamp(max=2)
    into = torch.arange(num_in)[None] // block
    return (into <= out if center else into < out).double()


def color_blocks_of_the_output_open(num_out, num_in, center):
    block = num_out // 3
    out = torch.arange(num_out)[:, None] // block
    into = torch.arange(num_in)[None] // block
    return (into <= out if center else into < out).double()


def color_reshaped(num_out, num_in, center):
    out, into = torch.arange(num_out)[None] * 3 // num_out, torch.arange(num_in)[:, None] * 3 // num_in
    return (into <= out if center else into < out).double().reshape(num_out, num_in)


def color_inputs_as_rows(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out >= into if center else out > into).double().T


def color_all_others(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return torch.ones(num_out, num_in, dtype=torch.float64) if center else (out != into).double()


def color_hidden(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (out < into if center else out <= into).double()


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
        Wrong(
            color_reversed,
            "Your colours run from blue to red. Here red comes first and sees neither of the others; blue comes last "
            "and sees both.",
        ),
        Wrong(
            color_ignored,
            "You treated all channels alike. Within a pixel, red is drawn first and green knows it: with mask A green "
            "must see red, and with mask B red features must not see green ones.",
        ),
        Wrong(
            color_kinds_swapped,
            "You swapped the two kinds. A colour must not see itself in the first layer (center = 0); from the "
            "second layer on it may (center = 1).",
        ),
        Wrong(
            color_interleaved,
            "You took channels as R, G, B, R, G, B, … Here they stand in three blocks: first all that belong to red, "
            "then all of green, then all of blue.",
        ),
        Wrong(
            color_own_only,
            "Each colour of yours sees one colour only. Blue is conditioned on red and on green: a product of "
            "conditionals has all that came before on the right of the bar.",
        ),
        Wrong(
            color_always_b,
            "You let a colour see itself in the first layer as well. There center is 0: red sees nothing, green red "
            "only.",
        ),
        Wrong(
            color_always_a,
            "You hid each colour from itself in all layers. From the second layer on (center = 1) its own features may"
            " be seen: they are made of the past.",
        ),
        Wrong(
            color_triangle,
            "You made a triangle of channels. It is the three blocks that are in order: a channel sees all channels of"
            " a colour, or none.",
        ),
        Wrong(
            color_one_before,
            "Your blue does not see red. It is conditioned on both colours that were drawn before it.",
        ),
        Wrong(
            color_b_own_only,
            "Your mask B sees its own colour only. The colours before it stay visible: mask B adds the own one.",
        ),
        Wrong(
            color_apart,
            "Your colours are independent of each other. Green is conditioned on red, and blue on both: the colours "
            "before are visible with both masks.",
        ),
        Wrong(
            color_triangle_within,
            "Within your own colour's block only some channels are open. With mask B all channels of the own colour "
            "may be seen.",
        ),
        Wrong(
            color_blocks_of_the_output,
            "You took the block's size from the wrong side. Outputs come in blocks of num_out / 3, inputs in blocks of"
            " num_in / 3.",
            variants=(
                color_blocks_of_the_input,
                color_blocks_of_the_output_open,
            ),
        ),
        Wrong(
            color_reshaped,
            "Your matrix has inputs as rows and was reshaped, which mixes it up. Rows are outputs: transpose it, or "
            "build it with outputs first.",
        ),
        Wrong(
            color_inputs_as_rows,
            "Your rows are inputs. The mask is (num_out, num_in): one row for each output channel.",
        ),
        Wrong(
            color_all_others,
            "Your mask opens the later colours, too. Red is drawn first and must not see green or blue.",
        ),
        Wrong(
            color_hidden,
            "You marked what must be hidden. 1 stands where an output channel may see an input channel.",
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
    """Networks by their layers' masks, one word each; a hidden one leaks by a millionth."""
    words = [word.split() for word in case["networks"]]
    kernels = np.stack([[_masked_kernel(mask, rng) for mask in layers] for layers in words])
    return {"kernels": kernels, "image": rng.uniform(-0.5, 0.5, (case["H"], case["W"]))}


def _masked_kernel(mask, rng):
    weight = rng.uniform(0.5, 1.0, (3, 3)) * rng.choice([-1.0, 1.0], (3, 3))
    if mask == "faint":
        return weight * np.array(_MASKS["B"]) + 1e-6 * weight * (
            np.array(_MASKS["right"]) - np.array(_MASKS["B"])
        )
    return weight * np.array(_MASKS[mask])


def find_leaks(kernels, image):
    P = image.numel()
    forbidden = torch.ones(P, P).triu().bool()
    leaks = []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        leaks.append(((jacobian.reshape(P, P) != 0) & forbidden).sum(dim=1))
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


def leaks_strictly_later(kernels, image):
    P = image.numel()
    forbidden = torch.ones(P, P).triu(diagonal=1).bool()
    leaks = []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        leaks.append(((jacobian.reshape(P, P) != 0) & forbidden).sum(dim=1))
    return torch.stack(leaks)


def leaks_of_earlier_pixels(kernels, image):
    P = image.numel()
    forbidden = torch.ones(P, P).tril(diagonal=-1).bool()
    leaks = []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        leaks.append(((jacobian.reshape(P, P) != 0) & forbidden).sum(dim=1))
    return torch.stack(leaks)


def leaks_by_input(kernels, image):
    P = image.numel()
    forbidden = torch.ones(P, P).triu().bool()
    leaks = []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        leaks.append(((jacobian.reshape(P, P) != 0) & forbidden).sum(dim=0))
    return torch.stack(leaks)


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


def leaks_above_a_threshold(kernels, image):
    P = image.numel()
    forbidden = torch.ones(P, P).triu().bool()
    leaks = []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(lambda x, stack=stack: network(x, stack), image)
        leaks.append(((jacobian.reshape(P, P).abs() > 1e-4) & forbidden).sum(dim=1))
    return torch.stack(leaks)


def leaks_all_inputs(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append((jacobian != 0).sum(dim=1))
    return torch.stack(leaks)


def leaks_up_to_itself(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append((jacobian.tril() != 0).sum(dim=1))
    return torch.stack(leaks)


def leaks_up_to_itself_by_input(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append((jacobian.tril() != 0).sum(dim=0))
    return torch.stack(leaks)


def leaks_yes_or_no(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append((jacobian.triu() != 0).any(dim=1).to(image))
    return torch.stack(leaks)


def leaks_sizes_added(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append(jacobian.triu().abs().sum(dim=1))
    return torch.stack(leaks)


def leaks_slopes_added(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append(jacobian.triu().sum(dim=1))
    return torch.stack(leaks)


def leaks_positive_only(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append((jacobian.triu() > 0).sum(dim=1))
    return torch.stack(leaks)


def leaks_negative_only(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append((jacobian.triu() < 0).sum(dim=1))
    return torch.stack(leaks)


def leaks_strictly_later_by_input(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack), image
        ).reshape(P, P)
        leaks.append((jacobian.triu(diagonal=1) != 0).sum(dim=0))
    return torch.stack(leaks)


def leaks_of_the_first_layer(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack[:1]), image
        ).reshape(P, P)
        leaks.append((jacobian.triu() != 0).sum(dim=1))
    return torch.stack(leaks)


def leaks_of_the_last_layer(kernels, image):
    P, leaks = image.numel(), []
    for stack in kernels:
        jacobian = torch.autograd.functional.jacobian(
            lambda x, stack=stack: network(x, stack[-1:]), image
        ).reshape(P, P)
        leaks.append((jacobian.triu() != 0).sum(dim=1))
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
            {"N": 1, "H": 5, "W": 2, "networks": ("A right B",)},
            {"N": 3, "H": 4, "W": 5, "networks": ("A B", "columns B", "right A")},
        ),
    },
    reference=find_leaks,
    wrong=(
        Wrong(
            leaks_strictly_later,
            "Your test passes a network whose first layer has mask B. The pixel itself is forbidden too: an output "
            "that sees what it has to predict learns to copy it.",
        ),
        Wrong(
            leaks_of_earlier_pixels,
            "Your test sounds the alarm at sound networks. Earlier pixels are what an output may depend on; count "
            "the pixel itself and later ones.",
        ),
        Wrong(
            leaks_by_input,
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
        ),
        Wrong(
            leaks_above_a_threshold,
            "Your test overlooks a weak leak. Where a mask is in place the gradient is exactly zero, so any other "
            "value is a leak, however small: training would make it grow.",
            loses=("hidden",),
        ),
        Wrong(
            leaks_all_inputs,
            "You counted all the inputs that an output depends on. Earlier ones are allowed: count j ≥ i only.",
        ),
        Wrong(
            leaks_up_to_itself,
            "You took the wrong triangle: inputs up to i. Forbidden are the pixel itself and all later ones, j ≥ i.",
            variants=(leaks_up_to_itself_by_input,),
        ),
        Wrong(
            leaks_yes_or_no,
            "You said whether there is a leak. Asked for is a count: how many of the inputs j ≥ i matter.",
        ),
        Wrong(
            leaks_sizes_added,
            "You added up the sizes of the forbidden gradients. Count those that are not zero.",
            variants=(leaks_slopes_added,),
        ),
        Wrong(
            leaks_positive_only,
            "You counted positive gradients only. A negative one is a dependence too: compare with ≠ 0.",
            variants=(leaks_negative_only,),
        ),
        Wrong(
            leaks_strictly_later_by_input,
            "You left out the pixel itself, and counted for each input. It is forbidden too, and asked for is a count "
            "for each output, the jacobian's rows.",
        ),
        Wrong(
            leaks_of_the_first_layer,
            "You tested a part of the network. A leak may come in any layer: differentiate the whole of it.",
            variants=(leaks_of_the_last_layer,),
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
    return v, torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0] + v


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


def stacks_with_current_row(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image, (C // 2, C // 2, R - 1, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    return v, torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0] + v


def stacks_with_own_pixel(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image, (K - 1, 0))
    return v, torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0] + v


def stacks_apart(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    return v, torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]


def stacks_joined_both_ways(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v + h, v + h


def stacks_flipped(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical.flip(0, 1)[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    return v, torch.nn.functional.conv2d(left[None, None], horizontal.flip(0)[None, None, None])[0, 0] + v


def stacks_vertical_too_high(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R + 1, 0))[:-1]
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_vertical_too_low(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[1:], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_vertical_to_the_left(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C - 1, 0, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_horizontal_too_far(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image, (K + 1, 0))[:, :-2]
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_horizontal_to_the_right(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, 1:], (0, K))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_horizontal_flipped(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal.flip(0)[None, None, None])[0, 0]
    return v, h + v


def stacks_vertical_flipped(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical.flip(0, 1)[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_vertical_upside_down(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical.flip(0)[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_vertical_mirrored(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical.flip(1)[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_around(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image.roll(1, 0), (C // 2, C // 2, R - 1, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image.roll(1, 1), (K - 1, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_border_repeated(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[None, None], (C // 2, C // 2, R, 0), mode="replicate")[0, 0, :-1]
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[None, None], (K, 0, 0, 0), mode="replicate")[0, 0, :, :-1]
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_of_the_row_above(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + torch.nn.functional.pad(v, (0, 0, 1, 0))[:-1]


def stacks_over_v(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(v[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_over_image_and_v(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad((image + v)[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h + v


def stacks_multiplied(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image[:-1], (C // 2, C // 2, R, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image[:, :-1], (K, 0))
    h = torch.nn.functional.conv2d(left[None, None], horizontal[None, None, None])[0, 0]
    return v, h * v


def stacks_leak_both(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    above = torch.nn.functional.pad(image, (C // 2, C // 2, R - 1, 0))
    v = torch.nn.functional.conv2d(above[None, None], vertical[None, None])[0, 0]
    left = torch.nn.functional.pad(image, (K - 1, 0))
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
        ),
    },
    reference=two_stacks,
    wrong=(
        Wrong(
            stacks_with_current_row,
            "Your vertical stack leaks the current row. Its kernel has columns to the right of the middle, so it must "
            "end one row above: at row i it may see rows i − R to i − 1.",
        ),
        Wrong(
            stacks_with_own_pixel,
            "Your horizontal stack sees the pixel that is to be predicted. This is the first layer: it must end one "
            "column to the left, at j − 1.",
        ),
        Wrong(
            stacks_apart,
            "Your horizontal stack knows its own row only. It is the one that makes the prediction: add what the "
            "vertical stack found in the rows above.",
        ),
        Wrong(
            stacks_joined_both_ways,
            "You also added h to v. Information flows from the vertical stack to the horizontal one only; the next "
            "layer's vertical kernel looks to the right, where h has already seen this pixel.",
        ),
        Wrong(
            stacks_flipped,
            "You flipped the kernels. The last row of `vertical` belongs to the row just above, and the last entry of "
            "`horizontal` to the pixel just left.",
            loses=("visible", "hidden"),
        ),
        Wrong(
            stacks_vertical_too_high,
            "Your vertical stack ends one row too early: the last row of its kernel lies on the row just above.",
        ),
        Wrong(
            stacks_vertical_too_low,
            "Your vertical stack sees rows below the pixel. At row i it sees rows i − R to i − 1: pad R rows above, "
            "and leave the last row out.",
        ),
        Wrong(
            stacks_vertical_to_the_left,
            "Your vertical stack looks to the left only. The rows above are known on both sides: its kernel is centred"
            " on the column.",
        ),
        Wrong(
            stacks_horizontal_too_far,
            "Your horizontal stack ends one column too early: its last entry belongs to the pixel just left.",
        ),
        Wrong(
            stacks_horizontal_to_the_right,
            "Your horizontal stack looks to the right, at pixels that are not known yet.",
        ),
        Wrong(
            stacks_horizontal_flipped,
            "You flipped the horizontal kernel: its last entry belongs to the pixel just left.",
        ),
        Wrong(
            stacks_vertical_flipped,
            "You flipped the vertical kernel: its last row belongs to the row just above, and its columns stand as in "
            "the image.",
            variants=(
                stacks_vertical_upside_down,
                stacks_vertical_mirrored,
            ),
        ),
        Wrong(
            stacks_around,
            "What leaves your image at one side comes in at the other, as with torch.roll. Outside the image there are"
            " zeros.",
        ),
        Wrong(
            stacks_border_repeated,
            "Your image goes on outside with its border's values. Outside there are zeros.",
        ),
        Wrong(
            stacks_of_the_row_above,
            "Your horizontal stack takes v from another row. v at (i, j) ends at row i − 1 already: add it at the same"
            " place.",
        ),
        Wrong(
            stacks_over_v,
            "Your horizontal kernel runs over v. It looks at the image; v is added to what it finds.",
            variants=(stacks_over_image_and_v,),
        ),
        Wrong(
            stacks_multiplied,
            "You multiplied the two stacks. What the vertical one found is added to the horizontal one.",
        ),
        Wrong(
            stacks_leak_both,
            "Both your stacks see too much: the vertical one must end one row above, and the horizontal one, one "
            "column to the left.",
        ),
    ),
    alternatives=(stacks_cropped, stacks_masked, stacks_loops),
)

# 5 -------------------------------------------------------------------------------------- a gate that knows the class


def gate_inputs(case, rng):
    """Feature maps, labels of several classes, and a table whose entries are not small."""
    B, C, Y = case["B"], case["C"], case["Y"]
    return {
        "features": rng.standard_normal((B, 2 * C, case["H"], case["W"])),
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
    x, t = features.numpy(), table.numpy()[labels.numpy()]
    C = x.shape[1] // 2
    a = x[:, :C] + t[:, :C, None, None]
    b = x[:, C:] + t[:, C:, None, None]
    return np.tanh(a) / (1 + np.exp(-b))


def gate_image_by_image(features, labels, table):
    C = features.shape[1] // 2
    images = []
    for maps, label in zip(features, labels.tolist(), strict=True):
        total = torch.stack([maps[c] + table[label, c] for c in range(2 * C)])
        # tanh a = 2 sigmoid(2a) − 1
        images.append((2 * torch.sigmoid(2 * total[:C]) - 1) * torch.sigmoid(total[C:]))
    return torch.stack(images)


def gate_halves_swapped(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.sigmoid(a) * torch.tanh(b)


def gate_without_label(features, labels, table):
    a, b = features.chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_label_outside(features, labels, table):
    a, b = features.chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b) + table[labels][:, : a.shape[1], None, None]


def gate_label_not_in_gate(features, labels, table):
    a, b = features.chunk(2, dim=1)
    return torch.tanh(a + table[labels][:, : a.shape[1], None, None]) * torch.sigmoid(b)


def gate_every_other_channel(features, labels, table):
    total = features + table[labels][:, :, None, None]
    return torch.tanh(total[:, 0::2]) * torch.sigmoid(total[:, 1::2])


def gate_sum(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) + torch.sigmoid(b)


def gate_value_not_shifted(features, labels, table):
    a, b = features.chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b + table[labels][:, a.shape[1] :, None, None])


def gate_two_sigmoids(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.sigmoid(a) * torch.sigmoid(b)


def gate_two_tanhs(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.tanh(b)


def gate_linear(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return a * torch.sigmoid(b)


def gate_rectified(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.relu(a) * torch.sigmoid(b)


def gate_softmax(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.softmax(b, dim=1)


def gate_multiplied_by_class(features, labels, table):
    a, b = (features * table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_class_taken_off(features, labels, table):
    a, b = (features - table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_class_after(features, labels, table):
    (a, b), (c, d) = features.chunk(2, dim=1), table[labels][:, :, None, None].chunk(2, dim=1)
    return (torch.tanh(a) + c) * (torch.sigmoid(b) + d)


def gate_table_exchanged(features, labels, table):
    (a, b), (c, d) = features.chunk(2, dim=1), table[labels][:, :, None, None].chunk(2, dim=1)
    return torch.tanh(a + d) * torch.sigmoid(b + c)


def gate_table_first_half_twice(features, labels, table):
    (a, b), (c, _) = features.chunk(2, dim=1), table[labels][:, :, None, None].chunk(2, dim=1)
    return torch.tanh(a + c) * torch.sigmoid(b + c)


def gate_one_label(features, labels, table):
    a, b = (features + table[labels[0]][None, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_last_label(features, labels, table):
    a, b = (features + table[labels[-1]][None, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_labels_from_one(features, labels, table):
    a, b = (features + table[labels - 1][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_next_row(features, labels, table):
    a, b = (features + table[(labels + 1) % len(table)][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_classes_averaged(features, labels, table):
    a, b = (features + table.mean(dim=0)[None, :, None, None]).chunk(2, dim=1)
    return torch.tanh(a) * torch.sigmoid(b)


def gate_swapped_without_label(features, labels, table):
    a, b = features.chunk(2, dim=1)
    return torch.sigmoid(a) * torch.tanh(b)


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
        ),
    },
    reference=gated_unit,
    wrong=(
        Wrong(
            gate_halves_swapped,
            "You swapped the halves. The first C channels carry the value, through tanh; the other C are the gate, a "
            "number between 0 and 1, through the sigmoid.",
        ),
        Wrong(
            gate_without_label,
            "Your output does not depend on the label. Each image's class shifts all 2C feature maps by its row of the "
            "table.",
        ),
        Wrong(
            gate_label_outside,
            "You added the class after the gate. There it moves every pixel alike, whatever lies before it; inside "
            "tanh and sigmoid it decides which features pass.",
        ),
        Wrong(
            gate_label_not_in_gate,
            "You gave the class to the tanh only. The table has 2C columns: the last C of them open and close the "
            "gates.",
        ),
        Wrong(
            gate_every_other_channel,
            "You split the channels into even and odd ones. Here the first half is one part and the second half the "
            "other, as torch.chunk does it.",
        ),
        Wrong(
            gate_sum,
            "You added the two halves. A gate multiplies: where it is 0 nothing passes.",
        ),
        Wrong(
            gate_value_not_shifted,
            "You gave the class to the gate only. The first C columns of the table shift the values.",
        ),
        Wrong(
            gate_two_sigmoids,
            "You took a sigmoid of both halves. The values go through tanh, so that they may be negative.",
        ),
        Wrong(
            gate_two_tanhs,
            "You took tanh of both halves. A gate lies between 0 and 1: a sigmoid.",
        ),
        Wrong(
            gate_linear,
            "Your values do not go through tanh: that is another gate, the linear one.",
        ),
        Wrong(
            gate_rectified,
            "Your values go through a rectifier. In this gate they go through tanh, which keeps negative ones.",
        ),
        Wrong(
            gate_softmax,
            "Your gates share the number 1, as a softmax makes them. Each gate is a sigmoid of its own.",
        ),
        Wrong(
            gate_multiplied_by_class,
            "You multiplied by the class's row of the table. It is added to the features.",
        ),
        Wrong(
            gate_class_taken_off,
            "You took the class's row of the table off. It is added.",
        ),
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
            gate_one_label,
            "You used one image's class for all. Each image has its own label.",
            variants=(gate_last_label,),
        ),
        Wrong(
            gate_labels_from_one,
            "Your rows of the table are one off. Labels count from 0.",
            variants=(gate_next_row,),
        ),
        Wrong(
            gate_classes_averaged,
            "You averaged the table over the classes. Each image's label picks one row.",
        ),
        Wrong(
            gate_swapped_without_label,
            "You swapped tanh and sigmoid, and left the class out: its row of the table is added to all 2C feature "
            "maps.",
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
    log_p = torch.log_softmax(logits, dim=1)
    pixel = log_p.gather(1, levels[:, None])[:, 0]
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


def likelihood_mean_for_sum(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.mean(dim=(1, 2))
    return pixel, log_prob, -log_prob / math.log(2)


def likelihood_nats_per_dim(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / levels[0].numel()


def likelihood_bits_of_image(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / math.log(2)


def likelihood_times_ln_two(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob * math.log(2) / levels[0].numel()


def likelihood_of_raw_logits(logits, levels):
    pixel = logits.gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_over_columns(logits, levels):
    pixel = torch.log_softmax(logits, dim=-1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_overflows(logits, levels):
    weights = logits.exp()
    p = weights / weights.sum(dim=1, keepdim=True)
    pixel = p.gather(1, levels[:, None])[:, 0].log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_negative_bits(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, log_prob / (levels[0].numel() * math.log(2))


def likelihood_bits_from_the_mean(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.mean(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_loss(logits, levels):
    pixel = -torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, log_prob / (levels[0].numel() * math.log(2))


def likelihood_in_bits(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0] / math.log(2)
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / levels[0].numel()


def likelihood_in_bits_twice(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0] / math.log(2)
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_most_likely(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).max(dim=1).values
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_probabilities(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel.exp(), log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_bits_over_the_batch(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels.numel() * math.log(2))


def likelihood_bits_over_the_logits(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (logits.numel() * math.log(2))


def likelihood_bits_over_levels_too(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (logits[0].numel() * math.log(2))


def likelihood_bits_of_a_square(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels.shape[1] ** 2 * math.log(2))


def likelihood_bits_of_the_other_square(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels.shape[2] ** 2 * math.log(2))


def likelihood_bits_by_height(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels.shape[1] * math.log(2))


def likelihood_bits_by_width(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels.shape[2] * math.log(2))


def likelihood_to_the_base_of_levels(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(logits.shape[1]))


def likelihood_of_mean_probability(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.exp().mean(dim=(1, 2)).log() * levels[0].numel()
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_of_summed_probability(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.exp().sum(dim=(1, 2)).log()
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_of_the_batch(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum()
    return pixel, log_prob, -log_prob / (levels.numel() * math.log(2))


def likelihood_over_rows(logits, levels):
    pixel = torch.log_softmax(logits, dim=2).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_over_images(logits, levels):
    pixel = torch.log_softmax(logits, dim=0).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_underflows(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cut_off_at_minus_5(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].clamp(min=1e-5).log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cut_off_at_minus_6(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].clamp(min=1e-6).log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cut_off_at_minus_7(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].clamp(min=1e-7).log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cut_off_at_minus_9(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].clamp(min=1e-9).log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cut_off_at_minus_10(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].clamp(min=1e-10).log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cut_off_at_minus_12(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].clamp(min=1e-12).log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_logarithm_cut_off_at_100(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    pixel = pixel.clamp(min=-100)
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


def likelihood_cut_off_at_minus_8(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None])[:, 0].clamp(min=1e-8).log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (levels[0].numel() * math.log(2))


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
        Wrong(
            likelihood_mean_for_sum,
            "Your log_prob is the mean over pixels. The probability of an image is the product of its pixels', so the "
            "logarithms are summed; the mean belongs to bits per dimension only.",
        ),
        Wrong(
            likelihood_nats_per_dim,
            "Your bits_per_dim is in nats. A bit is ln 2 ≈ 0.693 nats, so a number of nats becomes a larger number of "
            "bits.",
        ),
        Wrong(
            likelihood_bits_of_image,
            "Your bits_per_dim is that of the whole image. Divide by its number of pixels.",
        ),
        Wrong(
            likelihood_times_ln_two,
            "You multiplied by ln 2. log₂ p = ln p / ln 2: the same probability has more bits than nats.",
        ),
        Wrong(
            likelihood_of_raw_logits,
            "You used logits as log-probabilities. They need not be normalised: subtract the log of the sum of their "
            "exponentials, as log_softmax does.",
        ),
        Wrong(
            likelihood_over_columns,
            "You normalised over the wrong dimension. At each pixel the L levels share the probability 1; they lie "
            "along dim=1.",
        ),
        Wrong(
            likelihood_overflows,
            "Your formula is right but overflows: exp of a large logit is infinite. Use torch.log_softmax, which "
            "takes the largest logit off first.",
            loses=("hidden",),
        ),
        Wrong(
            likelihood_negative_bits,
            "Your bits_per_dim is negative. It is a code's length, −log₂ p: never below 0.",
        ),
        Wrong(
            likelihood_bits_from_the_mean,
            "You averaged over the pixels, and then divided by their number again. log_prob is a sum; bits per "
            "dimension divide it once by HW.",
        ),
        Wrong(
            likelihood_loss,
            "You gave the cross-entropy, −log p. The first two results are log-probabilities, never positive; only the"
            " bits are.",
        ),
        Wrong(
            likelihood_in_bits,
            "Your log-probabilities are in bits. pixel and log_prob are asked for in nats; only bits_per_dim is in "
            "bits.",
            variants=(likelihood_in_bits_twice,),
        ),
        Wrong(
            likelihood_most_likely,
            "You took the most likely level at each pixel. The image's own levels are what log p(x) is about: pick "
            "those.",
        ),
        Wrong(
            likelihood_probabilities,
            "You gave each pixel's probability. Its logarithm is asked for.",
        ),
        Wrong(
            likelihood_bits_over_the_batch,
            "You divided by the number of pixels of all images together. Each image has HW of them.",
            variants=(
                likelihood_bits_over_the_logits,
                likelihood_bits_over_levels_too,
            ),
        ),
        Wrong(
            likelihood_bits_of_a_square,
            "You took the image for a square: its number of pixels is H times W.",
            variants=(
                likelihood_bits_of_the_other_square,
                likelihood_bits_by_height,
                likelihood_bits_by_width,
            ),
        ),
        Wrong(
            likelihood_to_the_base_of_levels,
            "You divided by ln L. A bit is ln 2 nats, however many levels there are.",
        ),
        Wrong(
            likelihood_of_mean_probability,
            "You averaged probabilities before the logarithm. The probability of an image is a product: its logarithm "
            "is the sum of the pixels' logarithms.",
            variants=(likelihood_of_summed_probability,),
        ),
        Wrong(
            likelihood_of_the_batch,
            "You added up the images. Each has a log-probability of its own, (B,).",
        ),
        Wrong(
            likelihood_over_rows,
            "You normalised over the rows of the image. At each pixel the L levels share the probability 1: dim=1.",
        ),
        Wrong(
            likelihood_over_images,
            "You normalised over the images. At each pixel the L levels share the probability 1: dim=1.",
        ),
        Wrong(
            likelihood_underflows,
            "Your formula is right but underflows: the softmax of a level that the network thinks impossible is 0, and"
            " log 0 is −∞. Use torch.log_softmax.",
            loses=("hidden",),
        ),
        Wrong(
            likelihood_cut_off_at_minus_8,
            "A pixel that the network thinks impossible costs too little: a clamp, or a small number that you add, "
            "cuts its logarithm off. Use torch.log_softmax, which needs neither.",
            loses=("hidden",),
            variants=(
                likelihood_cut_off_at_minus_5,
                likelihood_cut_off_at_minus_6,
                likelihood_cut_off_at_minus_7,
                likelihood_cut_off_at_minus_9,
                likelihood_cut_off_at_minus_10,
                likelihood_cut_off_at_minus_12,
                likelihood_logarithm_cut_off_at_100,
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
    L, padding = len(kernel), kernel.shape[1] // 2
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = (
                torch.nn.functional.conv2d(x, kernel[:, None], padding=padding)[:, :, i, j] + bias[:, i, j]
            )
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
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


def sample_most_likely(kernel, bias, u):
    L, padding = len(kernel), kernel.shape[1] // 2
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = (
                torch.nn.functional.conv2d(x, kernel[:, None], padding=padding)[:, :, i, j] + bias[:, i, j]
            )
            levels[:, i, j] = logits.argmax(dim=1).to(u)
    return levels


def sample_all_at_once(kernel, bias, u):
    padding = kernel.shape[1] // 2
    logits = torch.nn.functional.conv2d(torch.zeros_like(u)[:, None], kernel[:, None], padding=padding) + bias
    cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
    return (u[:, None] > cumulative).sum(dim=1)


def sample_down_the_columns(kernel, bias, u):
    L, padding = len(kernel), kernel.shape[1] // 2
    levels = torch.zeros_like(u)
    for j in range(u.shape[2]):
        for i in range(u.shape[1]):
            x = levels[:, None] / (L - 1)
            logits = (
                torch.nn.functional.conv2d(x, kernel[:, None], padding=padding)[:, :, i, j] + bias[:, i, j]
            )
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_unscaled(kernel, bias, u):
    padding = kernel.shape[1] // 2
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            logits = (
                torch.nn.functional.conv2d(levels[:, None], kernel[:, None], padding=padding)[:, :, i, j]
                + bias[:, i, j]
            )
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


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


def sample_from_the_top(kernel, bias, u):
    L, padding = len(kernel), kernel.shape[1] // 2
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = (
                torch.nn.functional.conv2d(x, kernel[:, None], padding=padding)[:, :, i, j] + bias[:, i, j]
            )
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] < cumulative).sum(dim=1).to(u)
    return levels


def sample_divided_by_count(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / L
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_without_bias(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_bias_of_another_place(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = (
                torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j]
                + bias[:, min(j, u.shape[1] - 1), min(i, u.shape[2] - 1)]
            )
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_bias_of_the_first_pixel(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, 0, 0]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_from_the_other_end(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (1 - u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_one_too_high(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = ((u[:, i, j, None] > cumulative).sum(dim=1) + 1).clamp(max=L - 1).to(u)
    return levels


def sample_first_sum_left_out(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, 1:]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_not_cumulative(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            p = torch.softmax(logits, dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > p).sum(dim=1).to(u)
    return levels


def sample_not_cumulative_all(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            p = torch.softmax(logits, dim=1)
            levels[:, i, j] = (u[:, i, j, None] > p).sum(dim=1).clamp(max=L - 1).to(u)
    return levels


def sample_one_number_for_all_images(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:1, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_one_number_for_all_pixels(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, 0, 0, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_numbers_transposed(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            number = u[:, min(j, u.shape[1] - 1), min(i, u.shape[2] - 1), None]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (number > cumulative).sum(dim=1).to(u)
    return levels


def sample_softmax_over_images(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=0).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_without_softmax(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = logits.cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_with_sigmoids(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.sigmoid(logits).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_kernel_upside_down(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel.flip(2)[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
    return levels


def sample_kernel_transposed(kernel, bias, u):
    L, padding, k = len(kernel), kernel.shape[1] // 2, kernel.transpose(1, 2)[:, None]
    levels = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            x = levels[:, None] / (L - 1)
            logits = torch.nn.functional.conv2d(x, k, padding=padding)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
            levels[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u)
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


def sample_levels_divided(kernel, bias, u):
    L, padding = len(kernel), kernel.shape[1] // 2
    x = torch.zeros_like(u)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            logits = torch.nn.functional.conv2d(x[:, None], kernel[:, None], padding=padding)[:, :, i, j]
            cumulative = torch.softmax(logits + bias[:, i, j], dim=1).cumsum(dim=1)[:, :-1]
            x[:, i, j] = (u[:, i, j, None] > cumulative).sum(dim=1).to(u) / (L - 1)
    return x


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
        Wrong(
            sample_most_likely,
            "You took the most likely level. That is not a draw: all images would come out alike, and the model's "
            "probabilities would not matter. Use the uniform number.",
        ),
        Wrong(
            sample_all_at_once,
            "Your logits know nothing of the pixels drawn before. Either all come from one pass over an empty image, "
            "or the kernel is flipped, so that it looks at pixels that are not drawn yet (conv2d flips nothing). Each "
            "draw must be put in its place first.",
        ),
        Wrong(
            sample_down_the_columns,
            "You went down the columns. The kernel looks at the row above, on both sides, so the pixel there must be "
            "drawn already: go row by row.",
        ),
        Wrong(
            sample_unscaled,
            "You fed whole levels to the network. It was trained on x / (L − 1), between 0 and 1.",
        ),
        Wrong(
            sample_fed_with_means,
            "You fed expected values back. Later pixels must be conditioned on what was drawn, not on its mean: an "
            "average image is not an image.",
        ),
        Wrong(
            sample_from_the_top,
            "You counted the cumulative probabilities above u. u < p₀ must give level 0: the level is the number of "
            "cumulative probabilities that u exceeds.",
        ),
        Wrong(
            sample_divided_by_count,
            "You divided by L. The network was trained on levels / (L − 1), so that the highest is 1.",
        ),
        Wrong(
            sample_without_bias,
            "You left the bias out. Each pixel and level has its own, bias[:, i, j].",
        ),
        Wrong(
            sample_bias_of_another_place,
            "Your bias is that of another pixel: at (i, j) it is bias[:, i, j].",
            variants=(sample_bias_of_the_first_pixel,),
        ),
        Wrong(
            sample_from_the_other_end,
            "You counted from the highest level down: small u must give level 0.",
        ),
        Wrong(
            sample_one_too_high,
            "Your levels are one too high: u ≤ p₀ gives level 0.",
        ),
        Wrong(
            sample_first_sum_left_out,
            "Your cumulative sums begin at p₀ + p₁. Level 0 has the interval up to p₀, and level 1 the next.",
        ),
        Wrong(
            sample_not_cumulative,
            "You compared u with the probabilities themselves. The levels' intervals lie one after the other: add the "
            "probabilities up.",
            variants=(sample_not_cumulative_all,),
        ),
        Wrong(
            sample_one_number_for_all_images,
            "All your images use the uniform numbers of the first. Each image and pixel has its own: u[b, i, j].",
        ),
        Wrong(
            sample_one_number_for_all_pixels,
            "You used one uniform number for all pixels of an image. Each pixel has its own: u[b, i, j].",
        ),
        Wrong(
            sample_numbers_transposed,
            "Your uniform numbers are those of another pixel: at (i, j) it is u[:, i, j].",
        ),
        Wrong(
            sample_softmax_over_images,
            "You normalised over the images. The L levels of a pixel share the probability 1: dim=1.",
        ),
        Wrong(
            sample_without_softmax,
            "You added up the logits. Turn them into probabilities by a softmax first.",
            variants=(sample_with_sigmoids,),
        ),
        Wrong(
            sample_kernel_upside_down,
            "Your kernel is turned or mirrored. conv2d does not flip it: what stands upper left in the kernel meets "
            "what lies upper left in the image.",
            variants=(sample_kernel_transposed,),
        ),
        Wrong(
            sample_row_by_row,
            "Within a row your pixels know nothing of those to their left: they come from one pass for the whole row, "
            "or from right to left. Draw one pixel after the other, from the left.",
        ),
        Wrong(
            sample_levels_divided,
            "You gave x, between 0 and 1. Asked for are the levels, whole numbers from 0 to L − 1.",
        ),
    ),
    alternatives=(sample_searchsorted, sample_numpy, sample_pixel_by_pixel),
)

# 8 ------------------------------------------------------------------------------------------- discretised logistics


def logistic_inputs(case, rng):
    """A mixture that reaches over both edges, with scales that a level's width does not hide in."""
    M = case["M"]
    return {
        "mix_logits": rng.uniform(0.4, 1.2, M) * np.where(np.arange(M) % 2, -1.0, 1.0),
        "loc": np.linspace(-0.7, 0.8, M) if M > 1 else np.array([0.3]),
        "log_scale": rng.uniform(-1.3, -0.8, M),
        "num_levels": case["L"],
    }


def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
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
    odds = [math.exp(a) for a in mix_logits.tolist()]
    probs = []
    for level in range(num_levels):
        total = 0.0
        for weight, m, s in zip(odds, loc.tolist(), log_scale.tolist(), strict=True):
            high = (2 * level + 1) / (num_levels - 1) - 1
            low = (2 * level - 1) / (num_levels - 1) - 1
            up = 1.0 if level == num_levels - 1 else 1 / (1 + math.exp(-(high - m) / math.exp(s)))
            down = 0.0 if level == 0 else 1 / (1 + math.exp(-(low - m) / math.exp(s)))
            total += weight / sum(odds) * (up - down)
        probs.append(total)
    return probs


def logistic_without_tails(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_density(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    p = torch.sigmoid((x - loc) / log_scale.exp())
    return (p * (1 - p) / log_scale.exp()) @ torch.softmax(mix_logits, dim=0)


def logistic_log_scale_as_scale(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale)
    lower = torch.sigmoid((x - half - loc) / log_scale)
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_half_too_wide(mix_logits, loc, log_scale, num_levels):
    half = 2 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_from_zero_to_one(mix_logits, loc, log_scale, num_levels):
    half = 0.5 / (num_levels - 1)
    x = torch.linspace(0, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_equal_weights(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower).mean(dim=1)


def logistic_without_upper_tail(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    lower[0] = 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_without_lower_tail(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1] = 1
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_renormalised(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    probs = (upper - lower) @ torch.softmax(mix_logits, dim=0)
    return probs / probs.sum()


def logistic_renormalised_apart(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    each = upper - lower
    return (each / each.sum(dim=0)) @ torch.softmax(mix_logits, dim=0)


def logistic_half_too_narrow(mix_logits, loc, log_scale, num_levels):
    half = 0.5 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_half_by_count(mix_logits, loc, log_scale, num_levels):
    half = 1 / num_levels
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_levels_by_count(mix_logits, loc, log_scale, num_levels):
    half = 1 / num_levels
    x = (2 * torch.arange(num_levels, dtype=loc.dtype) / num_levels - 1)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_levels_in_cells(mix_logits, loc, log_scale, num_levels):
    half = 1 / num_levels
    x = ((2 * torch.arange(num_levels, dtype=loc.dtype) + 1) / num_levels - 1)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_levels_by_count_alone(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = (2 * torch.arange(num_levels, dtype=loc.dtype) / num_levels - 1)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_scale_inverted(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) * log_scale.exp())
    lower = torch.sigmoid((x - half - loc) * log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_scale_squared(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / (2 * log_scale).exp())
    lower = torch.sigmoid((x - half - loc) / (2 * log_scale).exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_scale_halved(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / (log_scale / 2).exp())
    lower = torch.sigmoid((x - half - loc) / (log_scale / 2).exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_unscaled(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid(x + half - loc)
    lower = torch.sigmoid(x - half - loc)
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_weights_not_normalised(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ mix_logits.exp()


def logistic_weights_raw(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ mix_logits


def logistic_weights_sigmoid(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.sigmoid(mix_logits)


def logistic_normal(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    normal = torch.distributions.Normal(loc, log_scale.exp())
    upper, lower = normal.cdf(x + half), normal.cdf(x - half)
    upper[-1], lower[0] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


def logistic_density_times_step(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    p = torch.sigmoid((x - loc) / log_scale.exp())
    return (2 * half * p * (1 - p) / log_scale.exp()) @ torch.softmax(mix_logits, dim=0)


def logistic_cumulative(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return upper @ torch.softmax(mix_logits, dim=0)


def logistic_negative(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return (lower - upper) @ torch.softmax(mix_logits, dim=0)


def logistic_logarithms(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return ((upper - lower) @ torch.softmax(mix_logits, dim=0)).log()


def logistic_not_mixed(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[-1], lower[0] = 1, 0
    return upper - lower


def logistic_tails_at_the_other_end(mix_logits, loc, log_scale, num_levels):
    half = 1 / (num_levels - 1)
    x = torch.linspace(-1, 1, num_levels, dtype=loc.dtype)[:, None]
    upper = torch.sigmoid((x + half - loc) / log_scale.exp())
    lower = torch.sigmoid((x - half - loc) / log_scale.exp())
    upper[0], lower[-1] = 1, 0
    return (upper - lower) @ torch.softmax(mix_logits, dim=0)


LOGISTIC = Exercise(
    name="discretized_logistic",
    outputs=(Output("probs", ("L",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=logistic_inputs,
    cases={
        "visible": ({"M": 2, "L": 8}, {"M": 1, "L": 5}),
        "hidden": ({"M": 3, "L": 16}, {"M": 1, "L": 6}, {"M": 2, "L": 12}),
    },
    reference=discretized_logistic,
    wrong=(
        Wrong(
            logistic_without_tails,
            "Your probabilities do not sum to 1. What the logistic puts beyond −1 belongs to the lowest level, and "
            "what it puts beyond 1 to the highest.",
        ),
        Wrong(
            logistic_density,
            "You gave densities at the levels' centres. A level's probability is the difference of the cumulative "
            "function between its edges, half a step to either side.",
        ),
        Wrong(
            logistic_log_scale_as_scale,
            "You divided by log s as if it were s. The network gives log s because it may be any number; the scale is "
            "its exponential.",
        ),
        Wrong(
            logistic_half_too_wide,
            "Your levels overlap. Their centres lie 2/(L − 1) apart, so each reaches half of that to either side.",
        ),
        Wrong(
            logistic_from_zero_to_one,
            "Your levels run from 0 to 1. Here level l stands at 2l/(L − 1) − 1, from −1 to 1.",
        ),
        Wrong(
            logistic_equal_weights,
            "Your components all weigh the same. Their weights are the softmax of mix_logits.",
            loses=("visible", "hidden"),
        ),
        Wrong(
            logistic_without_upper_tail,
            "What lies above the highest level is lost: it takes all that the logistic has beyond its upper edge.",
        ),
        Wrong(
            logistic_without_lower_tail,
            "What lies below the lowest level is lost: it takes all that the logistic has below its lower edge.",
        ),
        Wrong(
            logistic_renormalised,
            "You divided by the sum, which spreads the tails over all levels. They belong to the two levels at the "
            "ends.",
            variants=(logistic_renormalised_apart,),
        ),
        Wrong(
            logistic_half_too_narrow,
            "Your levels have gaps between them. Their centres lie 2/(L − 1) apart, so each reaches 1/(L − 1) to "
            "either side.",
        ),
        Wrong(
            logistic_half_by_count,
            "Your half step is not that of the levels: their centres lie 2/(L − 1) apart, with L − 1 steps between L "
            "levels, and δ is half of one.",
        ),
        Wrong(
            logistic_levels_by_count,
            "Your levels do not reach both ends: there are L − 1 steps between L levels, so level l stands at 2l/(L − "
            "1) − 1.",
            variants=(
                logistic_levels_in_cells,
                logistic_levels_by_count_alone,
            ),
        ),
        Wrong(
            logistic_scale_inverted,
            "You multiplied by the scale. The distance from μ is divided by s: a small s is a narrow distribution.",
        ),
        Wrong(
            logistic_scale_squared,
            "Your scale is squared. s = exp(log s) divides the distance as it is.",
            variants=(logistic_scale_halved,),
        ),
        Wrong(
            logistic_unscaled,
            "Your distances are not divided by the scale s = exp(log s).",
        ),
        Wrong(
            logistic_weights_not_normalised,
            "Your weights do not sum to 1: they are exponentials of mix_logits, divided by the sum of these.",
            variants=(
                logistic_weights_raw,
                logistic_weights_sigmoid,
            ),
        ),
        Wrong(
            logistic_normal,
            "You took the normal's distribution function. Here it is the logistic one, the sigmoid.",
        ),
        Wrong(
            logistic_density_times_step,
            "You gave density times width. A level's probability is the difference of the sigmoids at its two edges.",
        ),
        Wrong(
            logistic_cumulative,
            "You gave the cumulative function at the upper edges. A level's probability is its difference to that at "
            "the lower edge.",
        ),
        Wrong(
            logistic_negative,
            "Your differences are negative: the sigmoid at the upper edge is the larger one.",
        ),
        Wrong(
            logistic_logarithms,
            "You gave logarithms. The probabilities themselves are asked for.",
        ),
        Wrong(
            logistic_not_mixed,
            "You gave each component's probabilities. The mixture is their weighted sum, one number a level.",
        ),
        Wrong(
            logistic_tails_at_the_other_end,
            "Your tails are at the wrong ends: the lowest level takes what lies below, the highest what lies above.",
        ),
    ),
    alternatives=(logistic_edges, logistic_scipy, logistic_loops),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("autoregressive", "pixelcnn")

EXERCISES = (MASK, COLOR, LEAKS, STACKS, GATE, LIKELIHOOD, SAMPLE, LOGISTIC)
