"""Autoencoders: transposed convolution by hand, its matrix and sizes, losses by edges and corners, the bottleneck.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong

# 1 ------------------------------------------------------------------------------------------------ stamps on a line


def stamps_inputs(case, rng):
    """A short signal and an asymmetric kernel, so that a flip shows."""
    return {
        "x": rng.standard_normal(case["N"]) + 2,
        "kernel": rng.standard_normal(case["k"]) + np.arange(1, case["k"] + 1),
        "stride": case["stride"],
    }


def stamp_line(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i, value in enumerate(x):
        y[stride * i : stride * i + len(kernel)] += value * kernel
    return y


def line_by_torch(x, kernel, stride):
    return torch.nn.functional.conv_transpose1d(x[None, None], kernel[None, None], stride=stride)[0, 0]


def line_by_spreading(x, kernel, stride):
    spread = np.zeros(stride * (len(x) - 1) + 1)
    spread[::stride] = x.numpy()
    return np.convolve(spread, kernel.numpy())


def line_by_matrix(x, kernel, stride):
    A = torch.zeros(len(x), stride * (len(x) - 1) + len(kernel), dtype=x.dtype)
    for i in range(len(x)):
        A[i, stride * i : stride * i + len(kernel)] = kernel
    return A.T @ x


def line_by_outputs(x, kernel, stride):
    y = []
    for place in range(stride * (len(x) - 1) + len(kernel)):
        reach = [(i, place - stride * i) for i in range(len(x))]
        y.append(sum(float(x[i] * kernel[j]) for i, j in reach if 0 <= j < len(kernel)))
    return y


def line_flipped(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel.flip(0)
    return y


def line_overwritten(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] = x[i] * kernel
    return y


def line_without_stride(x, kernel, stride):
    y = x.new_zeros(len(x) - 1 + len(kernel))
    for i in range(len(x)):
        y[i : i + len(kernel)] += x[i] * kernel
    return y


def line_cut_short(x, kernel, stride):
    y = x.new_zeros(stride * len(x) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel
    return y[: stride * len(x)]


def line_averaged(x, kernel, stride):
    y, count = x.new_zeros(2, stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel
        count[stride * i : stride * i + len(kernel)] += 1
    return y / count.clamp(min=1)


STAMP_LINE = Exercise(
    name="stamp_line",
    outputs=(Output("y", ("M",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=stamps_inputs,
    cases={
        "visible": ({"N": 4, "k": 3, "stride": 2}, {"N": 1, "k": 2, "stride": 3}),
        "hidden": (
            {"N": 5, "k": 4, "stride": 2},
            {"N": 1, "k": 3, "stride": 2},
            {"N": 4, "k": 2, "stride": 3},
        ),
    },
    reference=stamp_line,
    wrong=(
        Wrong(
            line_flipped,
            "Your kernel lies backwards. A stamp is the kernel as it is: its first entry goes to place s·i, its last "
            "to place s·i + k − 1.",
        ),
        Wrong(
            line_overwritten,
            "Later stamps have wiped out what earlier ones left. Where stamps overlap their values add up.",
        ),
        Wrong(
            line_without_stride,
            "Your stamps are one place apart. The stride says how far: stamp i begins at place s·i.",
        ),
        Wrong(
            line_cut_short,
            "Your output ends too early or too late. The last stamp begins at s·(N − 1) and is k long: the output is "
            "as long as that reaches.",
        ),
        Wrong(
            line_averaged,
            "You divided by the number of stamps that reach a place. A transposed convolution only adds; that sums are "
            "uneven is where checkerboards come from.",
        ),
    ),
    alternatives=(line_by_torch, line_by_spreading, line_by_matrix, line_by_outputs),
)

# 2 --------------------------------------------------------------------------------------------- stamps on an image


def image_inputs(case, rng):
    """A small image and an asymmetric kernel."""
    k = case["k"]
    return {
        "x": rng.standard_normal((case["H"], case["W"])) + 2,
        "kernel": rng.standard_normal((k, k)) + np.arange(1, k * k + 1).reshape(k, k),
        "stride": case["stride"],
        "padding": case["padding"],
    }


def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def image_by_torch(x, kernel, stride, padding):
    return torch.nn.functional.conv_transpose2d(
        x[None, None], kernel[None, None], stride=stride, padding=padding
    )[0, 0]


def image_by_kernel(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = np.zeros((stride * (H - 1) + k, stride * (W - 1) + k))
    for a in range(k):
        for b in range(k):
            y[a : a + stride * (H - 1) + 1 : stride, b : b + stride * (W - 1) + 1 : stride] += (
                x.numpy() * kernel.numpy()[a, b]
            )
    return y[padding:, padding:][: y.shape[0] - 2 * padding, : y.shape[1] - 2 * padding]


def image_by_backward(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    shape = (1, 1, stride * (H - 1) + k - 2 * padding, stride * (W - 1) + k - 2 * padding)
    image = torch.zeros(shape, dtype=x.dtype, requires_grad=True)
    down = torch.nn.functional.conv2d(image, kernel[None, None], stride=stride, padding=padding)
    return torch.autograd.grad((down[0, 0] * x).sum(), image)[0][0, 0]


def image_flipped(x, kernel, stride, padding):
    return torch.nn.functional.conv_transpose2d(
        x[None, None], kernel.flip(0, 1)[None, None], stride=stride, padding=padding
    )[0, 0]


def image_transposed(x, kernel, stride, padding):
    return torch.nn.functional.conv_transpose2d(
        x[None, None], kernel.T[None, None], stride=stride, padding=padding
    )[0, 0]


def image_overwritten(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] = x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def image_without_padding(x, kernel, stride, padding):
    return torch.nn.functional.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]


def image_padded(x, kernel, stride, padding):
    y = torch.nn.functional.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]
    return torch.nn.functional.pad(y, (padding, padding, padding, padding))


def image_cut_on_one_side(x, kernel, stride, padding):
    y = torch.nn.functional.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]
    return y[padding:, padding:]


STAMP_IMAGE = Exercise(
    name="stamp_image",
    outputs=(Output("y", ("h", "w")),),
    points={"visible": 1, "hidden": 2},
    make_inputs=image_inputs,
    cases={
        "visible": (
            {"H": 2, "W": 3, "k": 3, "stride": 2, "padding": 0},
            {"H": 1, "W": 2, "k": 2, "stride": 1, "padding": 0},
        ),
        "hidden": (
            {"H": 3, "W": 4, "k": 3, "stride": 2, "padding": 1},
            {"H": 1, "W": 2, "k": 4, "stride": 2, "padding": 1},
            {"H": 4, "W": 3, "k": 3, "stride": 1, "padding": 0},
        ),
    },
    reference=stamp_image,
    wrong=(
        Wrong(
            image_flipped,
            "Your kernel is turned by half a turn. A stamp is the kernel as it is; turning it is what you do when you "
            "rewrite the layer as an ordinary convolution.",
        ),
        Wrong(
            image_transposed,
            "Rows and columns of your kernel are exchanged. *Transposed* is the big matrix of the convolution, not the "
            "little kernel.",
        ),
        Wrong(
            image_overwritten,
            "Later stamps have wiped out what earlier ones left. Where stamps overlap, at sides and corners, values "
            "add up.",
        ),
        Wrong(
            image_without_padding,
            "You left out the padding. It belongs to the convolution whose transpose this is: here it takes p pixels "
            "off each side of the output.",
            loses=("hidden",),
        ),
        Wrong(
            image_padded,
            "Your padding adds a border of zeros. In a transposed convolution it does the opposite: p pixels are cut "
            "off on each side.",
            loses=("hidden",),
        ),
        Wrong(
            image_cut_on_one_side,
            "You cut the top and the left only. The padding lay on all four sides of the convolution's input.",
            loses=("hidden",),
        ),
    ),
    alternatives=(image_by_torch, image_by_kernel, image_by_backward),
)

# 3 ------------------------------------------------------------------------------------------- a convolution's matrix


def matrix_inputs(case, rng):
    """An asymmetric kernel and the length of a signal."""
    return {
        "kernel": rng.standard_normal(case["k"]) + np.arange(1, case["k"] + 1),
        "num_pixels": case["N"],
        "stride": case["stride"],
        "padding": case["padding"],
    }


def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = (num_pixels + 2 * padding - k) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, padding : padding + num_pixels]


def matrix_by_units(kernel, num_pixels, stride, padding):
    units = torch.eye(num_pixels, dtype=kernel.dtype)[:, None]
    return torch.nn.functional.conv1d(units, kernel[None, None], stride=stride, padding=padding)[:, 0].T


def matrix_by_entries(kernel, num_pixels, stride, padding):
    kernel = kernel.numpy()
    num_outputs = (num_pixels + 2 * padding - len(kernel)) // stride + 1
    A = np.zeros((num_outputs, num_pixels))
    for i in range(num_outputs):
        for j in range(len(kernel)):
            if 0 <= stride * i + j - padding < num_pixels:
                A[i, stride * i + j - padding] = kernel[j]
    return A


def matrix_by_jacobian(kernel, num_pixels, stride, padding):
    def convolve(x):
        return torch.nn.functional.conv1d(x[None, None], kernel[None, None], stride=stride, padding=padding)[
            0, 0
        ]

    return torch.autograd.functional.jacobian(convolve, torch.zeros(num_pixels, dtype=kernel.dtype))


def matrix_transposed(kernel, num_pixels, stride, padding):
    units = torch.eye(num_pixels, dtype=kernel.dtype)[:, None]
    return torch.nn.functional.conv1d(units, kernel[None, None], stride=stride, padding=padding)[:, 0]


def matrix_flipped(kernel, num_pixels, stride, padding):
    units, turned = torch.eye(num_pixels, dtype=kernel.dtype)[:, None], kernel.flip(0)
    return torch.nn.functional.conv1d(units, turned[None, None], stride=stride, padding=padding)[:, 0].T


def matrix_around(kernel, num_pixels, stride, padding):
    num_outputs = (num_pixels + 2 * padding - len(kernel)) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels)
    for i in range(num_outputs):
        for j in range(len(kernel)):
            A[i, (stride * i + j - padding) % num_pixels] += kernel[j]
    return A


def matrix_shifted(kernel, num_pixels, stride, padding):
    num_outputs = (num_pixels + 2 * padding - len(kernel)) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + len(kernel)] = kernel
    return A[:, :num_pixels]


def matrix_of_the_padded(kernel, num_pixels, stride, padding):
    num_outputs = (num_pixels + 2 * padding - len(kernel)) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + len(kernel)] = kernel
    return A


def matrix_without_stride(kernel, num_pixels, stride, padding):
    units = torch.eye(num_pixels, dtype=kernel.dtype)[:, None]
    return torch.nn.functional.conv1d(units, kernel[None, None], padding=padding)[:, 0].T


MATRIX = Exercise(
    name="convolution_as_matrix",
    outputs=(Output("A", ("M", "N")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=matrix_inputs,
    cases={
        "visible": (
            {"N": 6, "k": 3, "stride": 2, "padding": 0},
            {"N": 1, "k": 1, "stride": 1, "padding": 0},
        ),
        "hidden": (
            {"N": 7, "k": 3, "stride": 2, "padding": 1},
            {"N": 5, "k": 4, "stride": 3, "padding": 2},
            {"N": 1, "k": 1, "stride": 1, "padding": 0},
        ),
    },
    reference=convolution_as_matrix,
    wrong=(
        Wrong(
            matrix_transposed,
            "This is the transpose, the matrix of the *transposed* convolution. Asked for is that of the convolution: "
            "one row an output pixel.",
        ),
        Wrong(
            matrix_flipped,
            "Your kernel lies backwards. What deep learning calls a convolution does not turn the kernel: "
            "y_i = Σ_j kernel_j x_{s·i + j − p}.",
        ),
        Wrong(
            matrix_without_stride,
            "Your rows step by one pixel. With stride s, row i has its kernel s·i places along, and there are fewer "
            "rows.",
        ),
        Wrong(
            matrix_around,
            "Your kernel comes back in at the other end. What it reaches beyond the border are the zeros of the "
            "padding: those entries do not appear in A.",
            loses=("hidden",),
        ),
        Wrong(
            matrix_shifted,
            "Your columns stand p places off. The first p columns belong to the padding at the left; pixel 0 comes "
            "after them.",
            loses=("hidden",),
        ),
        Wrong(
            matrix_of_the_padded,
            "Your matrix has columns for the padding. A acts on the image without it: N columns, and what would meet "
            "the padding's zeros is left out.",
            loses=("hidden",),
        ),
    ),
    alternatives=(matrix_by_units, matrix_by_entries, matrix_by_jacobian),
)

# 4 ----------------------------------------------------------------------------------------------- sizes down and up


def sizes_inputs(case, rng):
    """The settings of an encoder's layers, as float arrays of whole numbers."""
    return {
        "side": case["side"],
        "kernel_sizes": np.array(case["k"], dtype=float),
        "strides": np.array(case["s"], dtype=float),
        "paddings": np.array(case["p"], dtype=float),
    }


def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left_over.append(room % int(s))
        side = room // int(s) + 1
        sizes.append(side)
    return torch.tensor(sizes), torch.tensor(left_over)


def sizes_by_layers(side, kernel_sizes, strides, paddings):
    x, sizes, left_over = torch.zeros(1, 1, side), [], []
    for k, s, p in zip(kernel_sizes.int(), strides.int(), paddings.int(), strict=True):
        y = torch.nn.functional.max_pool1d(torch.nn.functional.pad(x, (int(p), int(p))), int(k), int(s))
        back = (y.shape[2] - 1) * int(s) + int(k) - 2 * int(p)
        sizes.append(y.shape[2])
        left_over.append(x.shape[2] - back)
        x = y
    return np.array(sizes), np.array(left_over)


def sizes_by_counting(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist(), strict=True):
        last, count = 0, 1
        while last + s + k <= side + 2 * p:
            last, count = last + s, count + 1
        sizes.append(count)
        left_over.append(side + 2 * p - last - k)
        side = count
    return torch.tensor(sizes), torch.tensor(left_over)


def sizes_by_ranges(side, kernel_sizes, strides, paddings):
    sizes, left_over = np.zeros(len(strides)), np.zeros(len(strides))
    for i in range(len(strides)):
        k, s, p = (int(setting[i]) for setting in (kernel_sizes, strides, paddings))
        starts = range(-p, side + p - k + 1, s)
        sizes[i], left_over[i] = len(starts), side + p - k - starts[-1]
        side = len(starts)
    return sizes, left_over


def sizes_without_one(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left_over.append(room % int(s))
        side = max(room // int(s), 1)
        sizes.append(side)
    return sizes, left_over


def sizes_padded_once(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = max(side + int(p) - int(k), 0)
        left_over.append(room % int(s))
        side = room // int(s) + 1
        sizes.append(side)
    return sizes, left_over


def sizes_rounded_up(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left_over.append(room % int(s))
        side = -(-room // int(s)) + 1
        sizes.append(side)
    return sizes, left_over


def sizes_all_from_the_image(side, kernel_sizes, strides, paddings):
    room = side + 2 * paddings - kernel_sizes
    return torch.floor(room / strides) + 1, room % strides


def sizes_without_left_over(side, kernel_sizes, strides, paddings):
    sizes = []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        side = (side + 2 * int(p) - int(k)) // int(s) + 1
        sizes.append(side)
    return sizes, [0] * len(sizes)


def sizes_left_over_of_the_side(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        left_over.append(side % int(s))
        side = (side + 2 * int(p) - int(k)) // int(s) + 1
        sizes.append(side)
    return sizes, left_over


SIZES = Exercise(
    name="layer_sizes",
    outputs=(Output("sizes", ("L",)), Output("output_paddings", ("L",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=sizes_inputs,
    cases={
        "visible": (
            {"L": 3, "side": 28, "k": (3, 3, 3), "s": (2, 2, 2), "p": (1, 1, 1)},
            {"L": 1, "side": 9, "k": (4,), "s": (2,), "p": (1,)},
        ),
        "hidden": (
            {"L": 2, "side": 32, "k": (5, 4), "s": (3, 2), "p": (2, 1)},
            {"L": 1, "side": 10, "k": (3,), "s": (3,), "p": (0,)},
            {"L": 4, "side": 63, "k": (4, 4, 4, 3), "s": (2, 2, 2, 1), "p": (1, 1, 1, 1)},
        ),
    },
    reference=layer_sizes,
    wrong=(
        Wrong(
            sizes_without_one,
            "Your sizes are one too small. A kernel that just fits still has one place to lie at: count the steps, and "
            "add the place it starts from.",
        ),
        Wrong(
            sizes_padded_once,
            "You counted the padding once. It lies on both sides of the image: 2p.",
        ),
        Wrong(
            sizes_rounded_up,
            "You rounded up. A kernel that would hang over the border is not used: the division is rounded down.",
        ),
        Wrong(
            sizes_all_from_the_image,
            "You computed every layer from the image's side. Layers stand in a row: the output of one is the input of "
            "the next.",
        ),
        Wrong(
            sizes_without_left_over,
            "Your output paddings are all zero. Where the division left a remainder, pixels at the border were never "
            "looked at; going back up they have to be added.",
        ),
        Wrong(
            sizes_left_over_of_the_side,
            "You took the remainder of the side itself. What is divided by the stride is n + 2p − k: its remainder is "
            "what gets lost.",
        ),
    ),
    alternatives=(sizes_by_layers, sizes_by_counting, sizes_by_ranges),
)

# 5 ---------------------------------------------------------------------------------------------------- loss by edges


def edges_inputs(case, rng):
    """Images with a blank margin, or without one, and others to compare them with."""
    B, H, W, margin = case["B"], case["H"], case["W"], case["margin"]
    x, reconstruction = rng.uniform(0, 1, (2, B, H, W))
    inside = np.zeros((H, W))
    inside[margin : H - margin, margin : W - margin] = 1.0
    return {"x": x * inside, "reconstruction": (x + 0.4 * reconstruction) * inside}


def edge_error(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_by_slices(x, reconstruction):
    d = (x - reconstruction).numpy()
    smooth = (d[:, :-2] + 2 * d[:, 1:-1] + d[:, 2:]) / 4
    right = (smooth[:, :, 2:] - smooth[:, :, :-2]) / 2
    smooth = (d[:, :, :-2] + 2 * d[:, :, 1:-1] + d[:, :, 2:]) / 4
    down = (smooth[:, 2:] - smooth[:, :-2]) / 2
    return (right**2 + down**2).sum(axis=(1, 2))


def edges_one_by_one(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    losses = []
    for image, copy in zip(x, reconstruction, strict=True):
        total = 0.0
        for i in range(image.shape[0] - 2):
            for j in range(image.shape[1] - 2):
                patch = image[i : i + 3, j : j + 3] - copy[i : i + 3, j : j + 3]
                total += float((patch * kernel).sum()) ** 2 + float((patch * kernel.T).sum()) ** 2
        losses.append(total)
    return losses


def edges_separately(x, reconstruction):
    smooth = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype)
    step = torch.tensor([1.0, 0.0, -1.0], dtype=x.dtype)
    kernels = torch.stack([torch.outer(smooth, step), torch.outer(step, smooth)])[:, None] / 8
    first, second = (torch.nn.functional.conv2d(images[:, None], kernels) for images in (x, reconstruction))
    return ((first - second) ** 2).flatten(1).sum(dim=1)


def edges_averaged(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    slopes = torch.nn.functional.conv2d(
        (x - reconstruction)[:, None], torch.stack([kernel, kernel.T])[:, None]
    )
    return slopes.square().mean(dim=(1, 2, 3))


def edges_not_scaled(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype)
    slopes = torch.nn.functional.conv2d(
        (x - reconstruction)[:, None], torch.stack([kernel, kernel.T])[:, None]
    )
    return slopes.square().sum(dim=(1, 2, 3))


def edges_one_direction(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernel[None, None])
    return slopes.square().sum(dim=(1, 2, 3))


def edges_steepness(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    first, second = (
        torch.nn.functional.conv2d(images[:, None], kernels).square().sum(dim=1).sqrt()
        for images in (x, reconstruction)
    )
    return (first - second).square().sum(dim=(1, 2))


def edges_squared_first(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    first, second = (
        torch.nn.functional.conv2d(images[:, None], kernels).square() for images in (x, reconstruction)
    )
    return (first - second).abs().sum(dim=(1, 2, 3))


def edges_with_zeros_around(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels, padding=1)
    return slopes.square().sum(dim=(1, 2, 3))


EDGES = Exercise(
    name="edge_error",
    outputs=(Output("loss", ("B",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=edges_inputs,
    cases={
        "visible": ({"B": 2, "H": 7, "W": 8, "margin": 2}, {"B": 1, "H": 8, "W": 7, "margin": 2}),
        "hidden": (
            {"B": 3, "H": 4, "W": 6, "margin": 0},
            {"B": 1, "H": 3, "W": 3, "margin": 0},
            {"B": 2, "H": 6, "W": 5, "margin": 0},
        ),
    },
    reference=edge_error,
    wrong=(
        Wrong(
            edges_averaged,
            "You averaged over pixels and directions. In this course a loss is a sum over the pixels of an example; "
            "only examples are averaged, and that comes later.",
        ),
        Wrong(
            edges_not_scaled,
            "Your slopes are eight times too large. The weights 1, 2, 1 count each step four times over, and the step "
            "is two pixels long: divide by 8.",
        ),
        Wrong(
            edges_one_direction,
            "You compared the slopes across only. A horizontal stroke has none: the slopes down count as well.",
        ),
        Wrong(
            edges_steepness,
            "You compared how steep the images are. Two edges as steep but of opposite direction would cost nothing: "
            "compare the slopes across and down one by one.",
        ),
        Wrong(
            edges_squared_first,
            "You squared the slopes before taking their difference. Dark-to-light then looks like light-to-dark: take "
            "the difference first, then square.",
        ),
        Wrong(
            edges_with_zeros_around,
            "You put zeros around the images. Where ink reaches the border that makes an edge which nobody drew: use "
            "only places where the whole kernel lies on the image.",
            loses=("hidden",),
        ),
    ),
    alternatives=(edges_by_slices, edges_one_by_one, edges_separately),
)

# 6 --------------------------------------------------------------------------------------------------- the bottleneck


def bottleneck_inputs(case, rng):
    """Correlated data far from the origin, more rows than columns."""
    N, D = case["N"], case["D"]
    scales = np.linspace(2.0, 0.7, D)
    mixing = np.linalg.qr(rng.standard_normal((D, D)))[0]
    return {"x": (rng.standard_normal((N, D)) * scales) @ mixing + case["shift"]}


def bottleneck_errors(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_by_eigenvalues(x):
    values = np.linalg.eigvalsh(np.cov(x.numpy().T, bias=True).reshape(x.shape[1], x.shape[1]))
    return np.cumsum(values)[::-1].copy()


def bottleneck_by_projection(x):
    centred = x - x.mean(dim=0)
    V = torch.linalg.svd(centred, full_matrices=False).Vh.T
    errors = []
    for K in range(x.shape[1]):
        copy = centred @ V[:, :K] @ V[:, :K].T
        errors.append(float((centred - copy).square().sum(dim=1).mean()))
    return errors


def bottleneck_by_differences(x):
    centred = x - x.mean(dim=0)
    variances = torch.linalg.eigvalsh(centred.T @ centred / len(x)).flip(0)
    kept = torch.cat([variances.new_zeros(1), variances[:-1].cumsum(dim=0)])
    return centred.square().sum() / len(x) - kept


def bottleneck_not_centred(x):
    squares = torch.linalg.svdvals(x) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_not_squared(x):
    values = torch.linalg.svdvals(x - x.mean(dim=0))
    return values.flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_kept(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.cumsum(dim=0) / len(x)


def bottleneck_one_off(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    left = squares.flip(0).cumsum(dim=0).flip(0) / len(x)
    return torch.cat([left[1:], left.new_zeros(1)])


def bottleneck_unbiased(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / (len(x) - 1)


def bottleneck_per_pixel(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / x.numel()


BOTTLENECK = Exercise(
    name="bottleneck_errors",
    outputs=(Output("errors", ("D",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=bottleneck_inputs,
    cases={
        "visible": ({"N": 8, "D": 3, "shift": 0.5}, {"N": 6, "D": 1, "shift": -4.0}),
        "hidden": (
            {"N": 9, "D": 4, "shift": 2.0},
            {"N": 5, "D": 1, "shift": 5.0},
            {"N": 12, "D": 5, "shift": 1.0},
        ),
    },
    reference=bottleneck_errors,
    wrong=(
        Wrong(
            bottleneck_not_centred,
            "You did not take off the mean. Both layers have offsets, and the decoder's alone gets the mean right, "
            "without any code: what is left to explain is the centred data.",
        ),
        Wrong(
            bottleneck_not_squared,
            "You added up singular values. The squared error is the sum of their squares.",
        ),
        Wrong(
            bottleneck_kept,
            "You added up what the code keeps. The error is what it leaves out, so it falls as K grows.",
        ),
        Wrong(
            bottleneck_one_off,
            "Your entries stand one place off. The first is for K = 0, where the best copy of every image is the mean.",
        ),
        Wrong(
            bottleneck_unbiased,
            "You divided by N − 1. That is for estimating a variance; here the average error of N given examples is "
            "asked for.",
        ),
        Wrong(
            bottleneck_per_pixel,
            "You divided by the number of pixels as well. In this course an error is summed over an example's pixels, "
            "and averaged over examples.",
            loses=("visible", "hidden"),
        ),
    ),
    alternatives=(bottleneck_by_eigenvalues, bottleneck_by_projection, bottleneck_by_differences),
)

# 7 -------------------------------------------------------------------------------------------------------- corners


def corner_inputs(case, rng):
    """Slopes across and down, which are not independent of one another."""
    right = rng.standard_normal((case["B"], case["H"], case["W"])) * 0.4
    return {"right": right, "down": 0.6 * right + 0.3 * rng.standard_normal(right.shape)}


def corner_strengths(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - rd**2) / (rr + dd)


def corners_by_eigenvalues(right, down):
    g = torch.stack([right, down], dim=-1)
    M = torch.zeros(*right.shape[:1], right.shape[1] - 2, right.shape[2] - 2, 2, 2, dtype=right.dtype)
    for i in range(3):
        for j in range(3):
            part = g[:, i : i + M.shape[1], j : j + M.shape[2]]
            M += part[..., :, None] * part[..., None, :] / 9
    small, large = torch.linalg.eigvalsh(M).unbind(dim=-1)
    return small * large / (small + large)


def corners_by_loops(right, down):
    right, down = right.numpy(), down.numpy()
    B, H, W = right.shape
    strengths = np.zeros((B, H - 2, W - 2))
    for b, i, j in np.ndindex(*strengths.shape):
        g = np.stack([right[b, i : i + 3, j : j + 3].ravel(), down[b, i : i + 3, j : j + 3].ravel()])
        M = g @ g.T / 9
        strengths[b, i, j] = np.linalg.det(M) / np.trace(M)
    return strengths


def corners_by_unfolding(right, down):
    r, d = (slope.unfold(1, 3, 1).unfold(2, 3, 1).flatten(3) for slope in (right, down))
    rr, dd, rd = (r * r).mean(dim=3), (d * d).mean(dim=3), (r * d).mean(dim=3)
    return 1 / ((rr + dd) / (rr * dd - rd * rd))


def corners_trace(right, down):
    return torch.nn.functional.avg_pool2d((right**2 + down**2)[:, None], 3, stride=1)[:, 0]


def corners_determinant(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    return window(right**2) * window(down**2) - window(right * down) ** 2


def corners_averaged_too_early(right, down):
    r, d = (torch.nn.functional.avg_pool2d(slope[:, None], 3, stride=1)[:, 0] for slope in (right, down))
    return (r * r) * (d * d) / (r * r + d * d)


def corners_without_the_cross_term(right, down):
    rr, dd = (
        torch.nn.functional.avg_pool2d((slope**2)[:, None], 3, stride=1)[:, 0] for slope in (right, down)
    )
    return rr * dd / (rr + dd)


def corners_without_window(right, down):
    r, d = right[:, 1:-1, 1:-1], down[:, 1:-1, 1:-1]
    return ((r * r) * (d * d) - (r * d) ** 2) / (r * r + d * d)


def corners_of_sums(right, down):
    def window(product):
        return 9 * torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - rd**2) / (rr + dd)


CORNERS = Exercise(
    name="corner_strengths",
    outputs=(Output("strength", ("B", "h", "w")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=corner_inputs,
    cases={
        "visible": ({"B": 1, "H": 4, "W": 5}, {"B": 2, "H": 5, "W": 3}),
        "hidden": ({"B": 3, "H": 4, "W": 4}, {"B": 1, "H": 3, "W": 6}, {"B": 2, "H": 6, "W": 5}),
    },
    reference=corner_strengths,
    wrong=(
        Wrong(
            corners_trace,
            "This is the trace, which is as large on a straight edge as at a corner. The determinant is what vanishes "
            "when only one direction changes.",
        ),
        Wrong(
            corners_determinant,
            "You gave the determinant. Divide it by the trace, so that the strength grows with the contrast's square "
            "and not with its fourth power.",
        ),
        Wrong(
            corners_averaged_too_early,
            "You averaged the slopes, and multiplied then. The slopes of a stroke's two sides cancel: average the "
            "products.",
        ),
        Wrong(
            corners_without_the_cross_term,
            "Your determinant lacks the off-diagonal part. Without it every slanting edge looks like a corner.",
        ),
        Wrong(
            corners_without_window,
            "You left out the window. The matrix of a single pixel has rank one and determinant zero: whether there is "
            "a corner shows only in a neighbourhood.",
        ),
        Wrong(
            corners_of_sums,
            "You summed over the window. An average over its nine pixels is asked for, so that the strength does not "
            "grow with the window.",
        ),
    ),
    alternatives=(corners_by_eigenvalues, corners_by_loops, corners_by_unfolding),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("autoencoders", "networks", "pca", "vae")

EXERCISES = (STAMP_LINE, STAMP_IMAGE, MATRIX, SIZES, EDGES, BOTTLENECK, CORNERS)
