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


def line_not_weighted(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += kernel
    return y


def line_too_long(x, kernel, stride):
    y = x.new_zeros(stride * len(x) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel
    return y


def line_one_too_short(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel
    return y[:-1]


def line_by_kernel_steps(x, kernel, stride):
    y = x.new_zeros(len(kernel) * len(x))
    for i in range(len(x)):
        y[len(kernel) * i : len(kernel) * (i + 1)] += x[i] * kernel
    return y


def line_reversed(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel
    return y.flip(0)


def line_convolved(x, kernel, stride):
    return torch.nn.functional.conv1d(
        x[None, None], kernel[None, None], stride=stride, padding=len(kernel) - 1
    )[0, 0]


def line_input_reversed(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[len(x) - 1 - i] * kernel
    return y


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
        Wrong(
            line_not_weighted,
            "Your stamps are all alike. Each is the kernel times the value of its input pixel.",
        ),
        Wrong(
            line_too_long,
            "Your output is too long: zeros follow the last stamp. It begins at s·(N − 1) and is k long, and there the"
            " output ends.",
        ),
        Wrong(
            line_one_too_short,
            "Your output ends one place too early: it is s·(N − 1) + k long.",
        ),
        Wrong(
            line_by_kernel_steps,
            "Your stamps are a kernel's length apart. The stride says how far: stamp i begins at s·i.",
        ),
        Wrong(
            line_reversed,
            "Your output is turned round: stamp 0 belongs at its beginning.",
        ),
        Wrong(
            line_convolved,
            "You computed a convolution, which goes down. A transposed one goes up: every input pixel writes a whole "
            "kernel.",
        ),
        Wrong(
            line_input_reversed,
            "You read the input from its end: stamp i has the value of pixel i.",
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


def image_not_weighted(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def image_without_stride(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(H - 1 + k, W - 1 + k)
    for i in range(H):
        for j in range(W):
            y[i : i + k, j : j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def image_mirrored(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel.flip(0)
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def image_mirrored_across(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel.flip(1)
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def image_too_large(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * H + k, stride * W + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def image_averaged(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[
        padding : y.shape[0] - padding, padding : y.shape[1] - padding
    ] / torch.nn.functional.conv_transpose2d(
        torch.ones_like(x)[None, None], torch.ones_like(kernel)[None, None], stride=stride, padding=padding
    )[0, 0].clamp(min=1)


def image_cut_at_the_end(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[: y.shape[0] - padding, : y.shape[1] - padding]


def image_cut_twice_at_the_end(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[: y.shape[0] - 2 * padding, : y.shape[1] - 2 * padding]


def image_cut_twice_at_the_beginning(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[2 * padding :, 2 * padding :]


def image_cut_rows_only(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding]


def image_cut_columns_only(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[:, padding : y.shape[1] - padding]


def image_zeroed(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (H - 1) + k, stride * (W - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return torch.nn.functional.pad(
        y[padding : y.shape[0] - padding, padding : y.shape[1] - padding], (padding,) * 4
    )


def image_input_transposed(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = x.new_zeros(stride * (W - 1) + k, stride * (H - 1) + k)
    for i in range(H):
        for j in range(W):
            y[stride * j : stride * j + k, stride * i : stride * i + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


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
        Wrong(
            image_not_weighted,
            "Your stamps are all alike. Each is the kernel times the value of its input pixel.",
        ),
        Wrong(
            image_without_stride,
            "Your stamps are one pixel apart. Stamp (i, j) has its corner at (s·i, s·j).",
        ),
        Wrong(
            image_mirrored,
            "Your kernel is mirrored. A stamp is the kernel as it is.",
            variants=(image_mirrored_across,),
        ),
        Wrong(
            image_too_large,
            "Your output is too large: zeros follow the last stamps. It is s·(H − 1) + k − 2p high, and as wide as "
            "that with W.",
        ),
        Wrong(
            image_averaged,
            "You divided by the number of stamps that reach a pixel. A transposed convolution only adds.",
        ),
        Wrong(
            image_cut_at_the_end,
            "You cut the bottom and the right only. The padding lay on all four sides of the convolution's input.",
            loses=("hidden",),
            variants=(
                image_cut_twice_at_the_end,
                image_cut_twice_at_the_beginning,
            ),
        ),
        Wrong(
            image_cut_rows_only,
            "You cut rows only. The padding lay on all four sides: columns are cut off as well.",
            loses=("hidden",),
            variants=(image_cut_columns_only,),
        ),
        Wrong(
            image_zeroed,
            "You set the border to zero. Padding *cuts it off*: the output becomes smaller.",
            loses=("hidden",),
        ),
        Wrong(
            image_input_transposed,
            "Rows and columns of your input are exchanged.",
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


def matrix_without_padding(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = (num_pixels - k) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel
    return A


def matrix_padded_once(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = max(num_pixels + padding - k, 0) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, padding : padding + num_pixels]


def matrix_rounded_up(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = -(-(num_pixels + 2 * padding - k) // stride) + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel[: max(num_pixels + 2 * padding - stride * i, 0)]
    return A[:, padding : padding + num_pixels]


def matrix_one_row_less(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = max((num_pixels + 2 * padding - k) // stride, 1)
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, padding : padding + num_pixels]


def matrix_cut_at_the_beginning(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = (num_pixels + 2 * padding - k) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, 2 * padding :]


def matrix_rows_reversed(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = (num_pixels + 2 * padding - k) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, padding : padding + num_pixels].flip(0)


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
        Wrong(
            matrix_without_padding,
            "You left the padding out. The line has p zeros at each side: there are more rows, and the first begin "
            "before the line.",
            loses=("hidden",),
        ),
        Wrong(
            matrix_padded_once,
            "You counted the padding once. It lies on both sides: N + 2p − k.",
            loses=("hidden",),
        ),
        Wrong(
            matrix_rounded_up,
            "You have a row too many. A kernel that would hang over the end is not used: the division is rounded down.",
        ),
        Wrong(
            matrix_one_row_less,
            "Your last row is missing. A kernel that just fits still has one place to lie at: the number of steps plus"
            " one.",
        ),
        Wrong(
            matrix_cut_at_the_beginning,
            "You left out 2p columns at the left. The padding lies on both sides: p columns at each.",
            loses=("hidden",),
        ),
        Wrong(
            matrix_rows_reversed,
            "Your rows are in the wrong order: row 0 looks at the beginning of the line.",
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


def sizes_without_padding(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, _p in zip(kernel_sizes, strides, paddings, strict=True):
        room = max(side - int(k), 0)
        left = room % int(s)
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_without_kernel(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for _k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p)
        left = room % int(s)
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_with_kernel_less_one(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k) + 1
        left = room % int(s)
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_halved(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for _k, s, _p in zip(kernel_sizes, strides, paddings, strict=True):
        left = side % int(s)
        side = max(side // int(s), 1)
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_halved_up(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for _k, s, _p in zip(kernel_sizes, strides, paddings, strict=True):
        left = side % int(s)
        side = -(-side // int(s))
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_without_stride(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, _s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left = 0
        side = room + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_always_one_over(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left = int(s) - 1
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_missing_part(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left = -room % int(s)
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_less_on_the_way_up(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left = -(room % int(s))
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_up_without_padding(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left = side - (int(s) * (room // int(s)) + int(k))
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_up_without_kernel(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left = side - (int(s) * (room // int(s)) - 2 * int(p))
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_up_by_the_stride(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left = side - int(s) * (room // int(s) + 1)
        side = room // int(s) + 1
        sizes.append(side)
        left_over.append(left)
    return sizes, left_over


def sizes_with_the_image(side, kernel_sizes, strides, paddings):
    sizes, left_over = [side], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = sizes[-1] + 2 * int(p) - int(k)
        left_over.append(room % int(s))
        sizes.append(room // int(s) + 1)
    return sizes, left_over


def sizes_in_the_decoders_order(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left_over.append(room % int(s))
        side = room // int(s) + 1
        sizes.append(side)
    return sizes, left_over[::-1]


def sizes_of_the_inputs(side, kernel_sizes, strides, paddings):
    sizes, left_over = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings, strict=True):
        room = side + 2 * int(p) - int(k)
        left_over.append(room % int(s))
        sizes.append(side)
        side = room // int(s) + 1
    return sizes, left_over


SIZES = Exercise(
    name="layer_sizes",
    outputs=(Output("sizes", ("L",)), Output("output_paddings", ("L",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=sizes_inputs,
    cases={
        "visible": (
            {"L": 3, "side": 28, "k": (5, 4, 3), "s": (2, 2, 2), "p": (1, 1, 0)},
            {"L": 1, "side": 14, "k": (4,), "s": (5,), "p": (1,)},
        ),
        "hidden": (
            {"L": 2, "side": 32, "k": (5, 4), "s": (3, 2), "p": (2, 1)},
            {"L": 1, "side": 10, "k": (3,), "s": (5,), "p": (0,)},
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
        Wrong(
            sizes_without_padding,
            "You left the padding out. It makes the image larger by p on both sides.",
        ),
        Wrong(
            sizes_without_kernel,
            "You left the kernel's size out. A kernel of k pixels cannot begin on the last k − 1 of them: n + 2p − k.",
            variants=(sizes_with_kernel_less_one,),
        ),
        Wrong(
            sizes_halved,
            "Your sizes are the sides divided by the stride. The kernel and the padding count, too.",
            variants=(sizes_halved_up,),
        ),
        Wrong(
            sizes_without_stride,
            "You left the stride out. Compare with the exercise's formula.",
        ),
        Wrong(
            sizes_always_one_over,
            "Your output paddings are s − 1 everywhere. What is to be added is the remainder of the division, between "
            "0 and s − 1.",
        ),
        Wrong(
            sizes_missing_part,
            "Your output paddings are what is missing to the next step. What is to be added is what is left over: the "
            "remainder of (n + 2p − k) / s.",
        ),
        Wrong(
            sizes_less_on_the_way_up,
            "Your output paddings have the wrong sign: the decoder's images are too small, and it is added.",
        ),
        Wrong(
            sizes_up_without_padding,
            "Your way up leaves the padding out. A transposed convolution makes s(n − 1) + k − 2p.",
            variants=(
                sizes_up_without_kernel,
                sizes_up_by_the_stride,
            ),
        ),
        Wrong(
            sizes_with_the_image,
            "Your sizes begin with the input's own side. Asked for are the outputs' sides, one for each layer.",
        ),
        Wrong(
            sizes_in_the_decoders_order,
            "Your output paddings are in the decoder's order. They are asked for layer by layer, as the encoder has "
            "them.",
            loses=("hidden",),
        ),
        Wrong(
            sizes_of_the_inputs,
            "You gave each layer's input. Asked for is the side of its output.",
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


def edges_absolute(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.abs().sum(dim=(1, 2, 3))


def edges_root(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3)).sqrt()


def edges_lengths(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=1).sqrt().sum(dim=(1, 2))


def edges_halved(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3)) / 2


def edges_added_first(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.sum(dim=1).square().sum(dim=(1, 2))


def edges_averaged_over_places(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().mean(dim=(2, 3)).sum(dim=1)


def edges_of_the_batch(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum()


def edges_of_the_batch_averaged(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3)).mean()


def edges_of_the_image(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d(x[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_of_the_copy(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d(reconstruction[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_unequal_scale(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 4
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_prewitt(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_prewitt_by_six(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 6
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_down_only(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels[1:])
    return slopes.square().sum(dim=(1, 2, 3))


def edges_across_twice(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel])[:, None]
    slopes = torch.nn.functional.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_replicated(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    padded = torch.nn.functional.pad((x - reconstruction)[:, None], (1, 1, 1, 1), mode="replicate")
    slopes = torch.nn.functional.conv2d(padded, kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_reflected(x, reconstruction):
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=x.dtype) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    padded = torch.nn.functional.pad((x - reconstruction)[:, None], (1, 1, 1, 1), mode="reflect")
    slopes = torch.nn.functional.conv2d(padded, kernels)
    return slopes.square().sum(dim=(1, 2, 3))


def edges_plain_squared_error(x, reconstruction):
    return (x - reconstruction).square().sum(dim=(1, 2))


def edges_plain_differences(x, reconstruction):
    d = x - reconstruction
    across, down = d[:, :, 1:] - d[:, :, :-1], d[:, 1:] - d[:, :-1]
    return across.square().sum(dim=(1, 2)) + down.square().sum(dim=(1, 2))


EDGES = Exercise(
    name="edge_error",
    outputs=(Output("loss", ("B",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=edges_inputs,
    cases={
        "visible": ({"B": 2, "H": 7, "W": 8, "margin": 2}, {"B": 1, "H": 8, "W": 7, "margin": 2}),
        "hidden": (
            {"B": 3, "H": 4, "W": 6, "margin": 0},
            {"B": 1, "H": 3, "W": 4, "margin": 0},
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
        Wrong(
            edges_absolute,
            "You took absolute values. The loss is a *squared* difference.",
        ),
        Wrong(
            edges_root,
            "You took a root. The loss is the sum of squares itself.",
            variants=(edges_lengths,),
        ),
        Wrong(
            edges_halved,
            "Your loss is half of what it should be: there is no ½ in it.",
        ),
        Wrong(
            edges_added_first,
            "You added the slopes across and down before squaring. An edge across one way and down the other way would"
            " cancel: square each of them.",
        ),
        Wrong(
            edges_averaged_over_places,
            "You averaged over the places. The loss is summed over all (H − 2)(W − 2) of them.",
        ),
        Wrong(
            edges_of_the_batch,
            "You added up the images. There is a loss for each, (B,).",
            variants=(edges_of_the_batch_averaged,),
        ),
        Wrong(
            edges_of_the_image,
            "You took the slopes of x alone. The loss compares them with the copy's.",
            variants=(edges_of_the_copy,),
        ),
        Wrong(
            edges_unequal_scale,
            "Your kernel is not Sobel's divided by 8.",
        ),
        Wrong(
            edges_prewitt,
            "Your middle row has the weight 1. Sobel's kernel counts it twice.",
            variants=(edges_prewitt_by_six,),
        ),
        Wrong(
            edges_down_only,
            "You compared the slopes down only. A vertical stroke has none: the slopes across count as well.",
        ),
        Wrong(
            edges_across_twice,
            "Your second kernel is the first one again. Slopes down have its transpose.",
        ),
        Wrong(
            edges_replicated,
            "You repeated the border. Use only places where the whole kernel lies on the image.",
            loses=("hidden",),
            variants=(edges_reflected,),
        ),
        Wrong(
            edges_plain_squared_error,
            "This is the squared error of the pixels. Compare the slopes: put both images through Sobel's kernels.",
        ),
        Wrong(
            edges_plain_differences,
            "You took plain differences of neighbours. Sobel's slopes go over two pixels, and average over three rows.",
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


def bottleneck_summed(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0)


def bottleneck_each(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares / len(x)


def bottleneck_smallest_first(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.cumsum(dim=0).flip(0) / len(x)


def bottleneck_reversed(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.flip(0).cumsum(dim=0) / len(x)


def bottleneck_root(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return (squares.flip(0).cumsum(dim=0).flip(0) / len(x)).sqrt()


def bottleneck_with_the_last(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return torch.cat([squares.flip(0).cumsum(dim=0).flip(0), squares.new_zeros(1)]) / len(x)


def bottleneck_total_mean(x):
    squares = torch.linalg.svdvals(x - x.mean()) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_row_means(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=1, keepdim=True)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_standardised(x):
    squares = torch.linalg.svdvals((x - x.mean(dim=0)) / x.std(dim=0)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_standardised_by_count(x):
    squares = torch.linalg.svdvals((x - x.mean(dim=0)) / x.std(dim=0, correction=0)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_over_pixels(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return squares.flip(0).cumsum(dim=0).flip(0) / x.shape[1]


def bottleneck_to_the_fourth(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return (squares**2).flip(0).cumsum(dim=0).flip(0) / len(x)


def bottleneck_to_the_fourth_averaged(x):
    squares = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return ((squares / len(x)) ** 2).flip(0).cumsum(dim=0).flip(0)


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
        Wrong(
            bottleneck_summed,
            "You summed over the examples. The error is an average over the N of them.",
        ),
        Wrong(
            bottleneck_each,
            "You gave each direction's own share. The error of a code of length K is all that comes after the first K:"
            " add them up.",
        ),
        Wrong(
            bottleneck_smallest_first,
            "You left out the largest directions first. A code keeps those, and the smallest remain.",
        ),
        Wrong(
            bottleneck_reversed,
            "Your errors are in the wrong order: entry K belongs to codes of length K, so they fall.",
        ),
        Wrong(
            bottleneck_root,
            "You took the root. The mean squared error itself is asked for.",
        ),
        Wrong(
            bottleneck_with_the_last,
            "You have an entry too many: K goes from 0 to D − 1.",
        ),
        Wrong(
            bottleneck_total_mean,
            "You took off one mean for all. Each pixel has its own.",
        ),
        Wrong(
            bottleneck_row_means,
            "You took off each example's own mean. The mean example is taken off: dim=0.",
        ),
        Wrong(
            bottleneck_standardised,
            "You divided by the standard deviations. The error is that of the pixels as they are.",
            variants=(bottleneck_standardised_by_count,),
        ),
        Wrong(
            bottleneck_over_pixels,
            "You divided by the number of pixels, and not by the number of examples.",
        ),
        Wrong(
            bottleneck_to_the_fourth,
            "You squared twice. The eigenvalues of the covariance are the squares already.",
            variants=(bottleneck_to_the_fourth_averaged,),
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


def corners_cross_term_not_squared(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - rd) / (rr + dd)


def corners_cross_term_added(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd + rd**2) / (rr + dd)


def corners_cross_term_twice(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - 2 * rd**2) / (rr + dd)


def corners_trace_squared(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - rd**2) / (rr + dd) ** 2


def corners_harris(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return rr * dd - rd**2 - 0.05 * (rr + dd) ** 2


def corners_harris_four(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return rr * dd - rd**2 - 0.04 * (rr + dd) ** 2


def corners_harris_six(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return rr * dd - rd**2 - 0.06 * (rr + dd) ** 2


def corners_smaller_eigenvalue(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr + dd) / 2 - (((rr - dd) / 2) ** 2 + rd**2).sqrt()


def corners_trace_of_slopes(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - rd**2) / (rr * dd)


def corners_by_the_difference(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - rd**2) / (rr - dd)


def corners_upside_down(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr + dd) / (rr * dd - rd**2)


def corners_twice(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return 2 * (rr * dd - rd**2) / (rr + dd)


def corners_cross_term_of_averages(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right) * window(down)
    return (rr * dd - rd**2) / (rr + dd)


def corners_padded(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1, padding=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window(right * down)
    return (rr * dd - rd**2) / (rr + dd)


def corners_absolute(right, down):
    def window(product):
        return torch.nn.functional.avg_pool2d(product[:, None], 3, stride=1)[:, 0]

    rr, dd, rd = window(right * right), window(down * down), window((right * down).abs())
    return (rr * dd - rd**2) / (rr + dd)


CORNERS = Exercise(
    name="corner_strengths",
    outputs=(Output("strength", ("B", "h", "w")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=corner_inputs,
    cases={
        "visible": ({"B": 1, "H": 4, "W": 5}, {"B": 2, "H": 5, "W": 3}),
        "hidden": ({"B": 3, "H": 5, "W": 4}, {"B": 1, "H": 3, "W": 6}, {"B": 2, "H": 6, "W": 5}),
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
        Wrong(
            corners_cross_term_not_squared,
            "Your off-diagonal entry is not squared: det M = ⟨rr⟩⟨dd⟩ − ⟨rd⟩².",
        ),
        Wrong(
            corners_cross_term_added,
            "You added the square of the off-diagonal entry. In a determinant it is taken off.",
        ),
        Wrong(
            corners_cross_term_twice,
            "You took the square of the off-diagonal entry off twice.",
        ),
        Wrong(
            corners_trace_squared,
            "You divided by the square of the trace. Divide by the trace itself.",
        ),
        Wrong(
            corners_harris,
            "This is Harris's measure, det − k tr². Noble's divides: det / tr.",
            variants=(
                corners_harris_four,
                corners_harris_six,
            ),
        ),
        Wrong(
            corners_smaller_eigenvalue,
            "You gave the smaller eigenvalue. Asked for is det M / tr M, both eigenvalues' product by their sum.",
        ),
        Wrong(
            corners_trace_of_slopes,
            "Your trace is that of other numbers: tr M = ⟨rr⟩ + ⟨dd⟩.",
            variants=(corners_by_the_difference,),
        ),
        Wrong(
            corners_upside_down,
            "Your quotient is upside down: the determinant is divided by the trace.",
        ),
        Wrong(
            corners_twice,
            "Your strength is twice what is asked for: det M / tr M, without a factor.",
        ),
        Wrong(
            corners_cross_term_of_averages,
            "Your off-diagonal entry is a product of averages. It is the average of the products, ⟨rd⟩.",
        ),
        Wrong(
            corners_padded,
            "You put zeros around the slopes. Windows must lie on the image: (H − 2) × (W − 2).",
        ),
        Wrong(
            corners_absolute,
            "You took absolute values of the products.",
        ),
    ),
    alternatives=(corners_by_eigenvalues, corners_by_loops, corners_by_unfolding),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("autoencoders", "networks", "pca", "vae")

EXERCISES = (STAMP_LINE, STAMP_IMAGE, MATRIX, SIZES, EDGES, BOTTLENECK, CORNERS)
