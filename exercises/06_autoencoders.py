"""Autoencoders: transposed convolution by hand, its matrix and sizes, losses by edges and corners, the bottleneck.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import edited, slip

# 1 ------------------------------------------------------------------------------------------------ stamps on a line


def stamps_inputs(case, rng):
    """A short signal and an asymmetric kernel, so that a flip shows; which of its entries is the largest is open."""
    return {
        "x": rng.standard_normal(case["N"]) + 2,
        "kernel": rng.standard_normal(case["k"]) + rng.permutation(np.arange(1, case["k"] + 1)),
        "stride": case["stride"],
    }


def stamp_line(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel
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


def line_averaged(x, kernel, stride):
    y, count = x.new_zeros(2, stride * (len(x) - 1) + len(kernel))
    for i in range(len(x)):
        y[stride * i : stride * i + len(kernel)] += x[i] * kernel
        count[stride * i : stride * i + len(kernel)] += 1
    return y / count.clamp(min=1)


def line_convolved(x, kernel, stride):
    return torch.nn.functional.conv1d(
        x[None, None], kernel[None, None], stride=stride, padding=len(kernel) - 1
    )[0, 0]


def line_convolved_and_spread(x, kernel, stride):
    y = x.new_zeros(stride * (len(x) - 1) + len(kernel))
    ahead = torch.cat([x, x.new_zeros(len(kernel) - 1)]).unfold(0, len(kernel), 1)
    y[: stride * (len(x) - 1) + 1 : stride] = ahead @ kernel
    return y


def line_repeated(x, kernel, stride):
    return np.convolve(x.numpy().repeat(stride), kernel.numpy())


def line_exchanged(x, kernel, stride):
    y = x.new_zeros(stride * (len(kernel) - 1) + len(x))
    for j in range(len(kernel)):
        y[stride * j : stride * j + len(x)] += kernel[j] * x
    return y


STAMP_LINE = Exercise(
    name="stamp_line",
    outputs=(Output("y", ("M",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=stamps_inputs,
    cases={
        "visible": ({"N": 4, "k": 3, "stride": 2}, {"N": 1, "k": 2, "stride": 3}),
        "hidden": (
            {"N": 5, "k": 5, "stride": 2},  # three stamps overlap
            {"N": 1, "k": 3, "stride": 2},
            {"N": 4, "k": 2, "stride": 3},
        ),
    },
    reference=stamp_line,
    wrong=(
        slip(
            stamp_line,
            {"x[i] * kernel": "x[i] * kernel.flip(0)"},
            "Your kernel lies backwards. A stamp is the kernel as it is: its first entry goes to place s·i, its last "
            "to place s·i + k − 1.",
        ),
        slip(
            stamp_line,
            {"] += x": "] = x"},
            "Later stamps have wiped out what earlier ones left. Where stamps overlap their values add up.",
        ),
        Wrong(
            edited(stamp_line, {"stride * (len(x) - 1)": "len(x) - 1", "stride * i : stride * i": "i : i"}),
            "Your stamps are one place apart. The stride says how far: stamp i begins at place s·i.",
            variants=(edited(stamp_line, {"stride * i : stride * i": "i : i"}),),
        ),
        slip(
            stamp_line,
            {"(len(x) - 1)": "len(x)", "return y": "return y[: stride * len(x)]"},
            "Your output ends too early or too late. The last stamp begins at s·(N − 1) and is k long: the output is "
            "as long as that reaches.",
        ),
        Wrong(
            line_averaged,
            "You divided by the number of stamps that reach a place. A transposed convolution only adds; that sums are "
            "uneven is where checkerboards come from.",
        ),
        slip(
            stamp_line,
            {"x[i] * kernel": "kernel"},
            "Your stamps are all alike. Each is the kernel times the value of its input pixel.",
        ),
        slip(
            stamp_line,
            {"(len(x) - 1)": "len(x)"},
            "Your output is too long: zeros follow the last stamp. It begins at s·(N − 1) and is k long, and there the"
            " output ends.",
        ),
        slip(
            stamp_line,
            {"return y": "return y[:-1]"},
            "Your output ends one place too early: it is s·(N − 1) + k long.",
        ),
        slip(
            stamp_line,
            {
                "stride * (len(x) - 1)": "len(kernel) * (len(x) - 1)",
                "stride * i : stride * i": "len(kernel) * i : len(kernel) * i",
            },
            "Your stamps are a kernel's length apart. The stride says how far: stamp i begins at s·i.",
        ),
        slip(
            stamp_line,
            {"return y": "return y.flip(0)"},
            "Your output is turned round: stamp 0 belongs at its beginning.",
        ),
        Wrong(
            line_convolved,
            "You computed a convolution, which goes down. A transposed one goes up: every input pixel writes a whole "
            "kernel.",
            variants=(line_convolved_and_spread,),
        ),
        slip(
            stamp_line,
            {"x[i]": "x[-1 - i]"},
            "You read the input from its end: stamp i has the value of pixel i.",
        ),
        slip(
            stamp_line,
            {"return y": "return y[: len(x) - 1 + len(kernel)]"},
            "Your output is as long as it would be with a stride of 1. The last stamp begins at s·(N − 1): up to "
            "there, and k places on, it must reach.",
        ),
        Wrong(
            line_repeated,
            "You repeated each pixel s times, and stamped every copy. There is one stamp for each pixel of the input, "
            "s places after the one before.",
            variants=(
                edited(
                    line_repeated,
                    {"kernel.numpy())": "kernel.numpy())[: stride * (len(x) - 1) + len(kernel)]"},
                ),
            ),
        ),
        slip(
            stamp_line,
            {"range(len(x))": "range(len(x) - 1)"},
            "The last pixel of your input has no stamp: i runs from 0 to N − 1.",
        ),
        slip(
            stamp_line,
            {"range(len(x))": "range(1, len(x))"},
            "The first pixel of your input has no stamp: i runs from 0 to N − 1.",
        ),
        Wrong(
            edited(stamp_line, {"i + len(kernel)]": "i + len(kernel) - 1]", "* kernel": "* kernel[:-1]"}),
            "The last entry of your kernel is never used. A stamp is k places long, j = 0, …, k − 1.",
            variants=(
                edited(
                    stamp_line,
                    {
                        "i + len(kernel)]": "i + len(kernel) - 1]",
                        "* kernel": "* kernel[:-1]",
                        "return y": "return y[:-1]",
                    },
                ),
            ),
        ),
        slip(
            stamp_line,
            {"] += x[i] * kernel": "] = torch.maximum(y[stride * i :][: len(kernel)], x[i] * kernel)"},
            "Where your stamps overlap, the larger value is kept. Their values add up.",
        ),
        slip(
            stamp_line,
            {"for i in range(len(x))": "for i in reversed(range(len(x)))", "] += x": "] = x"},
            "Where your stamps overlap, the earlier one's value is kept. Their values add up.",
        ),
        Wrong(
            line_exchanged,
            "Input and kernel have changed places: it is the kernel that is stamped, once for each pixel of the input, "
            "s places apart.",
            variants=(
                edited(
                    line_exchanged,
                    {
                        "return y": "y = torch.nn.functional.pad(y, (0, stride * len(x)))\n"
                        "    return y[: stride * (len(x) - 1) + len(kernel)]"
                    },
                ),
            ),
        ),
        slip(
            stamp_line,
            {"x[i] * kernel": "x[i] * kernel / stride"},
            "You divided by the stride. A transposed convolution only adds: a stamp is the kernel times its pixel.",
        ),
        Wrong(
            edited(stamp_line, {"return y": "return y[len(kernel) // 2 :]"}),
            "You cut off the beginning of your output, as if stamp i had its middle at place s·i. It *begins* there.",
            variants=(
                edited(
                    stamp_line,
                    {"return y": "return torch.cat([y, 0 * kernel])[len(kernel) // 2 :][: len(y)]"},
                ),
                edited(
                    stamp_line,
                    {"return y": "return y[len(kernel) // 2 : len(y) - (len(kernel) - 1) // 2]"},
                ),
            ),
        ),
        slip(
            stamp_line,
            {"(len(x) - 1)": "len(x)", "stride * i : stride * i": "stride * (i + 1) : stride * (i + 1)"},
            "Your first stamp begins at place s. Pixels and places are counted from 0: stamp i begins at s·i, so the "
            "first one at 0.",
        ),
        slip(
            stamp_line,
            {"stride * i : stride * i + len(kernel)] += x[i] * kernel": "stride * i] = x[i]"},
            "You set the pixels s places apart, and that is all. Each of them writes a whole kernel, times its value.",
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
    h, w = y.shape
    return y[padding : h - padding, padding : w - padding]


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


def image_averaged(x, kernel, stride, padding):
    def stamped(x, kernel):
        return torch.nn.functional.conv_transpose2d(
            x[None, None], kernel[None, None], stride=stride, padding=padding
        )[0, 0]

    return stamped(x, kernel) / stamped(torch.ones_like(x), torch.ones_like(kernel)).clamp(min=1)


STAMP, CUT = "] += x[i, j] * kernel", "y[padding : h - padding, padding : w - padding]"
PLACE = "stride * i : stride * i + k, stride * j : stride * j + k"

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
            {"H": 1, "W": 2, "k": 7, "stride": 3, "padding": 1},
            {"H": 4, "W": 3, "k": 3, "stride": 1, "padding": 0},
        ),
    },
    reference=stamp_image,
    wrong=(
        slip(
            stamp_image,
            {STAMP: STAMP + ".flip(0, 1)"},
            "Your kernel is turned by half a turn. A stamp is the kernel as it is; turning it is what you do when you "
            "rewrite the layer as an ordinary convolution.",
        ),
        slip(
            stamp_image,
            {STAMP: STAMP + ".T"},
            "Rows and columns of your kernel are exchanged. *Transposed* is the big matrix of the convolution, not the "
            "little kernel.",
        ),
        slip(
            stamp_image,
            {"] += x": "] = x"},
            "Later stamps have wiped out what earlier ones left. Where stamps overlap, at sides and corners, values "
            "add up.",
        ),
        slip(
            stamp_image,
            {CUT: "y"},
            "You left out the padding. It belongs to the convolution whose transpose this is: here it takes p pixels "
            "off each side of the output.",
            loses=("hidden",),
        ),
        slip(
            stamp_image,
            {CUT: "torch.nn.functional.pad(y, (padding,) * 4)"},
            "Your padding adds a border of zeros. In a transposed convolution it does the opposite: p pixels are cut "
            "off on each side.",
            loses=("hidden",),
        ),
        slip(
            stamp_image,
            {CUT: "y[padding:, padding:]"},
            "You cut the top and the left only. The padding lay on all four sides of the convolution's input.",
            loses=("hidden",),
        ),
        slip(
            stamp_image,
            {STAMP: "] += kernel"},
            "Your stamps are all alike. Each is the kernel times the value of its input pixel.",
        ),
        Wrong(
            edited(
                stamp_image,
                {"stride * (H - 1)": "H - 1", "stride * (W - 1)": "W - 1", PLACE: "i : i + k, j : j + k"},
            ),
            "Your stamps are one pixel apart. Stamp (i, j) has its corner at (s·i, s·j).",
            variants=(edited(stamp_image, {PLACE: "i : i + k, j : j + k"}),),
        ),
        Wrong(
            edited(stamp_image, {STAMP: STAMP + ".flip(0)"}),
            "Your kernel is mirrored. A stamp is the kernel as it is.",
            variants=(edited(stamp_image, {STAMP: STAMP + ".flip(1)"}),),
        ),
        slip(
            stamp_image,
            {"(H - 1)": "H", "(W - 1)": "W"},
            "Your output is too large: zeros follow the last stamps. It is s·(H − 1) + k − 2p high, and as wide as "
            "that with W.",
        ),
        Wrong(
            image_averaged,
            "You divided by the number of stamps that reach a pixel. A transposed convolution only adds.",
        ),
        Wrong(
            edited(stamp_image, {CUT: "y[: h - padding, : w - padding]"}),
            "You cut the bottom and the right only. The padding lay on all four sides of the convolution's input.",
            loses=("hidden",),
            variants=(edited(stamp_image, {CUT: "y[: h - 2 * padding, : w - 2 * padding]"}),),
        ),
        slip(
            stamp_image,
            {CUT: "y[2 * padding :, 2 * padding :]"},
            "You cut 2p pixels at the top and the left. The padding lay on all four sides: p pixels at each.",
            loses=("hidden",),
        ),
        Wrong(
            edited(stamp_image, {CUT: "y[padding : h - padding]"}),
            "You cut rows only, or columns only. The padding lay on all four sides: both are cut off.",
            loses=("hidden",),
            variants=(edited(stamp_image, {CUT: "y[:, padding : w - padding]"}),),
        ),
        slip(
            stamp_image,
            {CUT: "torch.nn.functional.pad(" + CUT + ", (padding,) * 4)"},
            "You set the border to zero. Padding *cuts it off*: the output becomes smaller.",
            loses=("hidden",),
        ),
        slip(
            stamp_image,
            {"(H, W), k = x.shape": "x = x.T\n    (H, W), k = x.shape"},
            "Rows and columns of your input are exchanged.",
        ),
        Wrong(
            edited(
                stamp_image,
                {"(H, W), k": "x = torch.nn.functional.pad(x, (padding,) * 4)\n    (H, W), k", CUT: "y"},
            ),
            "You put zeros around the input. This padding lay around the *output*, and its outermost p pixels are cut "
            "off.",
            loses=("hidden",),
            variants=(
                edited(
                    stamp_image,
                    {"(H, W), k": "x = torch.nn.functional.pad(x, (padding,) * 4)\n    (H, W), k"},
                ),
            ),
        ),
        slip(
            stamp_image,
            {CUT: "y[padding:-padding, padding:-padding]"},
            "You cut with the slice p:−p. Without padding that is 0:0, and nothing is left: say where it ends, counted "
            "from the beginning.",
            loses=("visible", "hidden"),
        ),
        slip(
            stamp_image,
            {CUT: "y[stride * padding : h - stride * padding, stride * padding : w - stride * padding]"},
            "You cut too much. The padding is counted in pixels of the output: p at each side, whatever the stride.",
            loses=("hidden",),
        ),
        slip(
            stamp_image,
            {CUT: "y[padding : padding + stride * H, padding : padding + stride * W]"},
            "Your output has s·H rows and s·W columns, or as many as there are. It has s·(H − 1) + k − 2p rows, and as "
            "many columns as that with W.",
        ),
        Wrong(
            edited(stamp_image, {"range(H)": "range(H - 1)", "range(W)": "range(W - 1)"}),
            "A row or a column of your input has no stamps: i runs from 0 to H − 1, and j from 0 to W − 1.",
            variants=(
                edited(stamp_image, {"range(H)": "range(1, H)", "range(W)": "range(1, W)"}),
                edited(stamp_image, {"range(W)": "range(W - 1)"}),
                edited(stamp_image, {"range(W)": "range(1, W)"}),
            ),
        ),
        slip(
            stamp_image,
            {STAMP: "] = torch.maximum(y[stride * i :, stride * j :][:k, :k], x[i, j] * kernel)"},
            "Where your stamps overlap, the larger value is kept. Their values add up.",
        ),
        Wrong(
            edited(stamp_image, {STAMP: STAMP + " / stride**2"}),
            "You divided by the stride. A transposed convolution only adds: a stamp is the kernel times its pixel.",
            variants=(edited(stamp_image, {STAMP: STAMP + " / stride"}),),
        ),
        slip(
            stamp_image,
            {PLACE + STAMP: "stride * i, stride * j] = x[i, j]"},
            "You set the pixels s places apart, and that is all. Each of them writes a whole kernel, times its value.",
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
    num_outputs = (num_pixels + 2 * padding - len(kernel)) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels)
    for i in range(num_outputs):
        for j in range(len(kernel)):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


def matrix_by_rows(kernel, num_pixels, stride, padding):
    k = len(kernel)
    num_outputs = (num_pixels + 2 * padding - k) // stride + 1
    A = kernel.new_zeros(num_outputs, num_pixels + 2 * padding)
    for i in range(num_outputs):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, padding : padding + num_pixels]


def matrix_by_units(kernel, num_pixels, stride, padding):
    units = torch.eye(num_pixels, dtype=kernel.dtype)[:, None]
    return torch.nn.functional.conv1d(units, kernel[None, None], stride=stride, padding=padding)[:, 0].T


def matrix_by_jacobian(kernel, num_pixels, stride, padding):
    def convolve(x):
        return torch.nn.functional.conv1d(x[None, None], kernel[None, None], stride=stride, padding=padding)[
            0, 0
        ]

    return torch.autograd.functional.jacobian(convolve, torch.zeros(num_pixels, dtype=kernel.dtype))


FITS = "if 0 <= column < num_pixels:"

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
            {"N": 6, "k": 5, "stride": 2, "padding": 1},  # no padding that centres the kernel
            {"N": 1, "k": 1, "stride": 1, "padding": 0},
        ),
    },
    reference=convolution_as_matrix,
    wrong=(
        slip(
            convolution_as_matrix,
            {"return A": "return A.T"},
            "This is the transpose, the matrix of the *transposed* convolution. Asked for is that of the convolution: "
            "one row an output pixel.",
        ),
        slip(
            convolution_as_matrix,
            {"kernel[j]": "kernel[-1 - j]"},
            "Your kernel lies backwards. What deep learning calls a convolution does not turn the kernel: "
            "y_i = Σ_j kernel_j x_{s·i + j − p}.",
        ),
        Wrong(
            edited(convolution_as_matrix, {"stride * i": "i", ") // stride": ")"}),
            "Your rows step by one pixel. With stride s, row i has its kernel s·i places along, and there are fewer "
            "rows.",
            variants=(edited(convolution_as_matrix, {"stride * i": "i"}),),
        ),
        Wrong(
            edited(convolution_as_matrix, {FITS: "if True:", "column] =": "column % num_pixels] +="}),
            "Your kernel comes back in at the other end. What it reaches beyond the border are the zeros of the "
            "padding: those entries do not appear in A.",
            loses=("hidden",),
            variants=(edited(convolution_as_matrix, {"0 <= column": "column"}),),
        ),
        slip(
            convolution_as_matrix,
            {"j - padding": "j"},
            "Your columns stand p places off. The first p columns belong to the padding at the left; pixel 0 comes "
            "after them.",
            loses=("hidden",),
        ),
        slip(
            matrix_by_rows,
            {"return A[:, padding : padding + num_pixels]": "return A"},
            "Your matrix has columns for the padding. A acts on the image without it: N columns, and what would meet "
            "the padding's zeros is left out.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {" + 2 * padding": "", "j - padding": "j"},
            "You left the padding out. The line has p zeros at each side: there are more rows, and the first begin "
            "before the line.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {"2 * padding": "padding"},
            "You counted the padding once. It lies on both sides: N + 2p − k.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {"(num_pixels + 2": "-(-(num_pixels + 2", "// stride": "// stride)"},
            "You have a row too many. A kernel that would hang over the end is not used: the division is rounded down.",
        ),
        slip(
            convolution_as_matrix,
            {"// stride + 1": "// stride"},
            "Your last row is missing. A kernel that just fits still has one place to lie at: the number of steps plus"
            " one.",
        ),
        slip(
            convolution_as_matrix,
            {"j - padding": "j - 2 * padding"},
            "You left out 2p columns at the left. The padding lies on both sides: p columns at each.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {"A[i,": "A[-1 - i,"},
            "Your rows are in the wrong order: row 0 looks at the beginning of the line.",
        ),
        slip(
            convolution_as_matrix,
            {"j - padding": "j + padding"},
            "Your kernels are moved the wrong way. Output i looks at the pixels s·i + j − p: the first rows begin "
            "before the line.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {FITS: "if True:", "A[i, column] =": "A[i, min(max(column, 0), num_pixels - 1)] +="},
            "You repeated the pixel at the border. What lies beyond the line is zero, so those entries are left out.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {" + 2 * padding": ""},
            "You counted the rows without the padding. It makes the line longer by p at both ends: N + 2p − k.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {"// stride + 1": "// stride + 2"},
            "You have one row more than there are places for the kernel. The steps are ⌊(N + 2p − k) / s⌋, and one "
            "more for the first place.",
        ),
        slip(
            convolution_as_matrix,
            {FITS: "if 0 <= stride * i - padding <= num_pixels - len(kernel):"},
            "Your rows are empty where the kernel reaches beyond the line. Only the entries that meet the padding are "
            "left out, the others stay.",
            loses=("hidden",),
        ),
        slip(
            convolution_as_matrix,
            {"return A": "return A * kernel.sum() / A.sum(dim=1, keepdim=True)"},
            "You scaled up those rows that lose entries to the padding. The others stay as they are: zeros add nothing.",
            loses=("hidden",),
        ),
        Wrong(
            edited(convolution_as_matrix, {"range(len(kernel))": "range(len(kernel) - 1)"}),
            "One entry of your kernel is never used: j runs from 0 to k − 1.",
            variants=(edited(convolution_as_matrix, {"range(len(kernel))": "range(1, len(kernel))"}),),
        ),
        slip(
            convolution_as_matrix,
            {"return A": "return A.T.reshape(A.shape)"},
            "You reshaped the transpose. A reshape keeps the entries in their order, and mixes the rows: a transpose is"
            " undone by another one.",
        ),
    ),
    alternatives=(matrix_by_units, matrix_by_rows, matrix_by_jacobian),
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
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist(), strict=True):
        room = side + 2 * p - k
        left_over.append(room % s)
        side = room // s + 1
        sizes.append(side)
    return sizes, left_over


def sizes_up_again(side, kernel_sizes, strides, paddings):
    sizes, added = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist(), strict=True):
        m = (n + 2 * p - k) // s + 1
        added.append(n - (s * (m - 1) + k - 2 * p))
        sizes.append(m)
        n = m
    return torch.tensor(sizes), torch.tensor(added)


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


UP = "n - (s * (m - 1) + k - 2 * p)"

SIZES = Exercise(
    name="layer_sizes",
    outputs=(Output("sizes", ("L",)), Output("output_paddings", ("L",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=sizes_inputs,
    # Settings in which few mistakes give the same whole numbers as others.
    cases={
        "visible": (
            {"L": 3, "side": 31, "k": (6, 5, 4), "s": (2, 3, 3), "p": (0, 2, 2)},
            {"L": 1, "side": 14, "k": (5,), "s": (5,), "p": (2,)},
        ),
        "hidden": (
            {"L": 3, "side": 47, "k": (4, 5, 2), "s": (3, 2, 3), "p": (0, 0, 1)},
            {"L": 1, "side": 16, "k": (2,), "s": (4,), "p": (0,)},
            {"L": 4, "side": 45, "k": (5, 6, 3, 2), "s": (2, 2, 2, 2), "p": (2, 0, 1, 0)},
        ),
    },
    reference=layer_sizes,
    wrong=(
        Wrong(
            edited(layer_sizes, {"// s + 1": "// s"}),
            "Your sizes are one too small. A kernel that just fits still has one place to lie at: count the steps, and "
            "add the place it starts from.",
            variants=(edited(sizes_up_again, {"// s + 1": "// s"}),),
        ),
        Wrong(
            edited(layer_sizes, {"2 * p": "p"}),
            "You counted the padding once. It lies on both sides of the image: 2p.",
            variants=(edited(sizes_up_again, {"n + 2 * p": "n + p"}),),
        ),
        Wrong(
            edited(layer_sizes, {"room // s": "-(-room // s)"}),
            "You rounded up. A kernel that would hang over the border is not used: the division is rounded down.",
            variants=(edited(sizes_up_again, {"(n + 2 * p - k) // s": "-(-(n + 2 * p - k) // s)"}),),
        ),
        slip(
            sizes_up_again,
            {"n = m": "n = side"},
            "You computed every layer from the image's side. Layers stand in a row: the output of one is the input of "
            "the next.",
        ),
        slip(
            layer_sizes,
            {"room % s": "0"},
            "Your output paddings are all zero. Where the division left a remainder, pixels at the border were never "
            "looked at; going back up they have to be added.",
        ),
        slip(
            layer_sizes,
            {"room % s": "side % s"},
            "You took the remainder of the side itself. What is divided by the stride is n + 2p − k: its remainder is "
            "what gets lost.",
        ),
        slip(
            layer_sizes,
            {" + 2 * p": ""},
            "You left the padding out. It makes the image larger by p on both sides.",
        ),
        Wrong(
            edited(layer_sizes, {" - k": ""}),
            "You left the kernel's size out. A kernel of k pixels cannot begin on the last k − 1 of them: n + 2p − k.",
            variants=(edited(layer_sizes, {" - k": " - k + 1"}),),
        ),
        Wrong(
            edited(layer_sizes, {"room = side + 2 * p - k": "room = side", "// s + 1": "// s"}),
            "Your sizes are the sides divided by the stride. The kernel and the padding count, too.",
            variants=(
                edited(
                    layer_sizes, {"room = side + 2 * p - k": "room = side", "room // s + 1": "-(-room // s)"}
                ),
                edited(sizes_up_again, {"(n + 2 * p - k) // s + 1": "-(-n // s)"}),
                edited(sizes_up_again, {"(n + 2 * p - k) // s + 1": "n // s"}),
            ),
        ),
        slip(
            layer_sizes,
            {"room % s": "0", "room // s": "room"},
            "You left the stride out. Compare with the exercise's formula.",
        ),
        slip(
            layer_sizes,
            {"room % s": "s - 1"},
            "Your output paddings are s − 1 everywhere. What is to be added is the remainder of the division, between "
            "0 and s − 1.",
        ),
        slip(
            layer_sizes,
            {"room % s": "-room % s"},
            "Your output paddings are what is missing to the next step. What is to be added is what is left over: the "
            "remainder of (n + 2p − k) / s.",
        ),
        slip(
            layer_sizes,
            {"room % s": "-(room % s)"},
            "Your output paddings have the wrong sign: the decoder's images are too small, and it is added.",
        ),
        Wrong(
            edited(sizes_up_again, {UP: "n - (s * (m - 1) + k)"}),
            "Your output paddings belong to another way up. A transposed convolution makes s(n − 1) + k − 2p pixels a "
            "side.",
            variants=(
                edited(sizes_up_again, {UP: "n - (s * (m - 1) - 2 * p)"}),
                edited(sizes_up_again, {UP: "n - s * m"}),
                edited(sizes_up_again, {UP: "n - (s * m + k - 2 * p)"}),
                edited(sizes_up_again, {UP: "n - (s * (m - 1) + k - p)"}),
            ),
        ),
        Wrong(
            edited(layer_sizes, {"sizes, left_over = []": "sizes, left_over = [side]"}),
            "Your sizes begin with the input's own side. Asked for are the outputs' sides, one for each layer.",
        ),
        slip(
            layer_sizes,
            {"return sizes, left_over": "return sizes, left_over[::-1]"},
            "Your output paddings are in the decoder's order. They are asked for layer by layer, as the encoder has "
            "them.",
        ),
        slip(
            sizes_up_again,
            {"sizes.append(m)": "sizes.append(n)"},
            "You gave each layer's input. Asked for is the side of its output.",
        ),
        Wrong(
            edited(sizes_up_again, {"(n + 2 * p - k) // s": "round((n + 2 * p - k) / s)"}),
            "You rounded to the nearest whole number. A kernel that would hang over the border is not used: the "
            "division is rounded down.",
            variants=(edited(layer_sizes, {"room // s": "round(room / s)"}),),
        ),
        Wrong(
            edited(sizes_up_again, {"// s": "/ s"}),
            "Your sizes are not rounded. A kernel has a whole number of places: the division is rounded down, and what "
            "is left over is the output padding.",
            variants=(edited(layer_sizes, {"room // s": "room / s"}),),
        ),
        slip(
            layer_sizes,
            {"room % s": "float(s > 1)"},
            "Your output paddings are 1 at every stride above 1. What is to be added is the remainder of the "
            "division: it may be 0, and more than 1.",
        ),
        slip(
            layer_sizes,
            {"room % s": "min(room % s, 1)"},
            "Your output paddings are never more than 1. The remainder of a division by s may be up to s − 1.",
        ),
        slip(
            sizes_up_again,
            {UP: "side - (s * (m - 1) + k - 2 * p)"},
            "Your output paddings compare each layer with the image. On the way up, layer l has to get back to the "
            "side of its own input, n_{l−1}.",
        ),
        slip(
            sizes_up_again,
            {"n = m": "n = (s * (m - 1) + k - 2 * p) // s"},
            "Your layers do not begin where the one before has ended: the side of its output, n_l, is that of the next "
            "one's input.",
        ),
    ),
    alternatives=(sizes_up_again, sizes_by_layers, sizes_by_counting, sizes_by_ranges),
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
    return ((first - second) ** 2).sum(dim=(1, 2, 3))


def edges_plain_squared_error(x, reconstruction):
    return (x - reconstruction).square().sum(dim=(1, 2))


def edges_plain_differences(x, reconstruction):
    d = x - reconstruction
    across, down = d[:, :, 1:] - d[:, :, :-1], d[:, 1:] - d[:, :-1]
    return across.square().sum(dim=(1, 2)) + down.square().sum(dim=(1, 2))


def edges_without_smoothing(x, reconstruction):
    d = x - reconstruction
    across, down = (d[:, 1:-1, 2:] - d[:, 1:-1, :-2]) / 2, (d[:, 2:, 1:-1] - d[:, :-2, 1:-1]) / 2
    return across.square().sum(dim=(1, 2)) + down.square().sum(dim=(1, 2))


SUMMED, SOBEL = ".sum(dim=(1, 2, 3))", "[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]"
GAP = "(x - reconstruction)[:, None]"

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
        slip(
            edge_error,
            {"sum": "mean"},
            "You averaged over pixels and directions. In this course a loss is a sum over the pixels of an example; "
            "only examples are averaged, and that comes later.",
        ),
        slip(
            edge_error,
            {" / 8": ""},
            "Your slopes are eight times too large. The weights 1, 2, 1 count each step four times over, and the step "
            "is two pixels long: divide by 8.",
        ),
        slip(
            edge_error,
            {"[kernel, kernel.T]": "[kernel]"},
            "You compared the slopes across only. A horizontal stroke has none: the slopes down count as well.",
        ),
        slip(
            edges_separately,
            {
                "((first - second) ** 2)"
                + SUMMED: "(first.norm(dim=1) - second.norm(dim=1)).square().sum(dim=(1, 2))"
            },
            "You compared how steep the images are. Two edges as steep but of opposite direction would cost nothing: "
            "compare the slopes across and down one by one.",
        ),
        slip(
            edges_separately,
            {"((first - second) ** 2)": "(first**2 - second**2).abs()"},
            "You squared the slopes before taking their difference. Dark-to-light then looks like light-to-dark: take "
            "the difference first, then square.",
        ),
        slip(
            edge_error,
            {"[:, None], kernels)": "[:, None], kernels, padding=1)"},
            "You put zeros around the images. Where ink reaches the border that makes an edge which nobody drew: use "
            "only places where the whole kernel lies on the image.",
            loses=("hidden",),
        ),
        slip(
            edge_error,
            {"square": "abs"},
            "You took absolute values. The loss is a *squared* difference.",
        ),
        Wrong(
            edited(edge_error, {SUMMED: SUMMED + ".sqrt()"}),
            "You took a root. The loss is the sum of squares itself.",
            variants=(edited(edge_error, {SUMMED: ".sum(dim=1).sqrt().sum(dim=(1, 2))"}),),
        ),
        slip(
            edge_error,
            {SUMMED: SUMMED + " / 2"},
            "Your loss is half of what it should be: there is no ½ in it.",
        ),
        slip(
            edge_error,
            {".square()" + SUMMED: ".sum(dim=1).square().sum(dim=(1, 2))"},
            "You added the slopes across and down before squaring. An edge across one way and down the other way would"
            " cancel: square each of them.",
        ),
        slip(
            edge_error,
            {SUMMED: ".mean(dim=(2, 3)).sum(dim=1)"},
            "You averaged over the places. The loss is summed over all (H − 2)(W − 2) of them.",
        ),
        Wrong(
            edited(edge_error, {SUMMED: ".sum()"}),
            "You added up or averaged the images. There is a loss for each, (B,).",
            variants=(
                edited(edge_error, {SUMMED: SUMMED + ".mean()"}),
                edited(edge_error, {SUMMED: ".sum().expand(len(x))"}),
                edited(edge_error, {SUMMED: SUMMED + ".mean().expand(len(x))"}),
            ),
        ),
        Wrong(
            edited(edge_error, {"(x - reconstruction)": "x"}),
            "You took the slopes of one image alone, of x or of its copy. The loss compares the two.",
            variants=(edited(edge_error, {"(x - reconstruction)": "reconstruction"}),),
        ),
        Wrong(
            edited(edge_error, {"/ 8": "/ 4"}),
            "Your kernels are Sobel's, but not divided by 8.",
            variants=tuple(edited(edge_error, {"/ 8": f"/ {divisor}"}) for divisor in (2, 3, 6, 9, 16)),
        ),
        Wrong(
            edited(edge_error, {"[-2.0, 0.0, 2.0]": "[-1.0, 0.0, 1.0]"}),
            "Your middle row has the weight 1. Sobel's kernel counts it twice.",
            variants=(edited(edge_error, {"[-2.0, 0.0, 2.0]": "[-1.0, 0.0, 1.0]", "/ 8": "/ 6"}),),
        ),
        slip(
            edge_error,
            {"[kernel, kernel.T]": "[kernel.T]"},
            "You compared the slopes down only. A vertical stroke has none: the slopes across count as well.",
        ),
        slip(
            edge_error,
            {"[kernel, kernel.T]": "[kernel, kernel]"},
            "Your second kernel is the first one again. Slopes down have its transpose.",
        ),
        Wrong(
            edited(edge_error, {GAP: f'torch.nn.functional.pad({GAP}, (1, 1, 1, 1), mode="replicate")'}),
            "You repeated the border. Use only places where the whole kernel lies on the image.",
            loses=("hidden",),
            variants=(
                edited(edge_error, {GAP: f'torch.nn.functional.pad({GAP}, (1, 1, 1, 1), mode="reflect")'}),
            ),
        ),
        Wrong(
            edges_plain_squared_error,
            "This is the squared error of the pixels. Compare the slopes: put both images through Sobel's kernels.",
        ),
        Wrong(
            edges_plain_differences,
            "You took plain differences of neighbours. Sobel's slopes go over two pixels, and average over three rows.",
        ),
        slip(
            edges_separately,
            {"(first - second)": "(first.abs() - second.abs())"},
            "You compared the slopes without their signs. Dark-to-light then looks like light-to-dark.",
        ),
        Wrong(
            edited(edge_error, {SOBEL: "[-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]"}),
            "Your outer rows have the weight 2. In Sobel's kernel it is the middle row that counts twice.",
            variants=(
                edited(
                    edge_error, {SOBEL: "[-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]", "/ 8": "/ 10"}
                ),
            ),
        ),
        Wrong(
            edges_without_smoothing,
            "You took the difference of two pixels alone. Sobel's slopes average it over three rows or columns, with "
            "the weights 1, 2, 1.",
            variants=(
                edited(
                    edges_without_smoothing,
                    {"[:, 1:-1, :-2]) / 2": "[:, 1:-1, :-2])", "1:-1]) / 2": "1:-1])"},
                ),
            ),
        ),
        slip(
            edge_error,
            {SUMMED: SUMMED + " + (x - reconstruction).square().sum(dim=(1, 2))"},
            "You added the squared error of the pixels. Asked for is that of the slopes alone.",
        ),
        Wrong(
            edited(edge_error, {"[kernel, kernel.T]": "[kernel, 8 * kernel.T]"}),
            "Only one of your two kernels is divided by 8.",
            variants=(edited(edge_error, {"[kernel, kernel.T]": "[8 * kernel, kernel.T]"}),),
        ),
        slip(
            edge_error,
            {" / 8": "", SUMMED: SUMMED + " / 8"},
            "You divided the squares by 8. It is the slopes that are divided, before they are squared.",
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


LEFT_OUT, MEAN = "squares.flip(0).cumsum(dim=0).flip(0)", "x.mean(dim=0)"

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
        slip(
            bottleneck_errors,
            {"x - x.mean(dim=0)": "x"},
            "You did not take off the mean. Both layers have offsets, and the decoder's alone gets the mean right, "
            "without any code: what is left to explain is the centred data.",
        ),
        slip(
            bottleneck_errors,
            {" ** 2": ""},
            "You added up singular values. The squared error is the sum of their squares.",
        ),
        Wrong(
            edited(bottleneck_errors, {LEFT_OUT: "squares.cumsum(dim=0)"}),
            "You added up what the code keeps. The error is what it leaves out, so it falls as K grows.",
            variants=(edited(bottleneck_errors, {LEFT_OUT: "(squares.cumsum(dim=0) - squares)"}),),
        ),
        slip(
            bottleneck_errors,
            {LEFT_OUT: f"({LEFT_OUT} - squares)"},
            "Your entries stand one place off. The first is for K = 0, where the best copy of every image is the mean.",
        ),
        slip(
            bottleneck_errors,
            {"len(x)": "(len(x) - 1)"},
            "You divided by N − 1. That is for estimating a variance; here the average error of N given examples is "
            "asked for.",
        ),
        slip(
            bottleneck_errors,
            {"len(x)": "x.numel()"},
            "You divided by the number of pixels as well. In this course an error is summed over an example's pixels, "
            "and averaged over examples.",
        ),
        slip(
            bottleneck_errors,
            {" / len(x)": ""},
            "You summed over the examples. The error is an average over the N of them.",
        ),
        slip(
            bottleneck_errors,
            {LEFT_OUT: "squares"},
            "You gave each direction's own share. The error of a code of length K is all that comes after the first K:"
            " add them up.",
        ),
        slip(
            bottleneck_errors,
            {LEFT_OUT: "squares.cumsum(dim=0).flip(0)"},
            "You left out the largest directions first. A code keeps those, and the smallest remain.",
        ),
        slip(
            bottleneck_errors,
            {LEFT_OUT: "squares.flip(0).cumsum(dim=0)"},
            "Your errors are in the wrong order: entry K belongs to codes of length K, so they fall.",
        ),
        slip(
            bottleneck_errors,
            {f"{LEFT_OUT} / len(x)": f"({LEFT_OUT} / len(x)).sqrt()"},
            "You took the root. The mean squared error itself is asked for.",
        ),
        slip(
            bottleneck_errors,
            {LEFT_OUT: f"torch.cat([{LEFT_OUT}, squares.new_zeros(1)])"},
            "You have an entry too many: K goes from 0 to D − 1.",
        ),
        slip(
            bottleneck_errors,
            {MEAN: "x.mean()"},
            "You took off one mean for all. Each pixel has its own.",
        ),
        slip(
            bottleneck_errors,
            {MEAN: "x.mean(dim=1, keepdim=True)"},
            "You took off each example's own mean. The mean example is taken off: dim=0.",
        ),
        Wrong(
            edited(bottleneck_errors, {"x - x.mean(dim=0)": "(x - x.mean(dim=0)) / x.std(dim=0)"}),
            "You divided by the standard deviations. The error is that of the pixels as they are.",
            variants=(
                edited(
                    bottleneck_errors,
                    {"x - x.mean(dim=0)": "(x - x.mean(dim=0)) / x.std(dim=0, correction=0)"},
                ),
            ),
        ),
        slip(
            bottleneck_errors,
            {"len(x)": "x.shape[1]"},
            "You divided by the number of pixels, and not by the number of examples.",
        ),
        Wrong(
            edited(bottleneck_errors, {"** 2": "** 4"}),
            "You squared twice. The eigenvalues of the covariance are the squares already.",
            variants=(edited(bottleneck_errors, {"** 2": "** 4 / len(x)"}),),
        ),
        Wrong(
            edited(bottleneck_errors, {"len(x)": "squares.sum()"}),
            "You gave a share of all. Asked for is the error itself, not what part of the scatter is left out or kept.",
            variants=(
                edited(bottleneck_errors, {LEFT_OUT: "squares.cumsum(dim=0)", "len(x)": "squares.sum()"}),
                edited(
                    bottleneck_errors,
                    {LEFT_OUT: "(squares.cumsum(dim=0) - squares)", "len(x)": "squares.sum()"},
                ),
            ),
        ),
        slip(
            bottleneck_errors,
            {") ** 2": ")", LEFT_OUT: f"{LEFT_OUT} ** 2"},
            "You added up the singular values, and squared the sum. Square each of them, and add up then.",
        ),
        slip(
            bottleneck_errors,
            {LEFT_OUT: f"{LEFT_OUT} / torch.arange(len(squares), 0, -1)"},
            "You averaged over the directions that are left out, as probabilistic PCA does for its noise. The error is"
            " their sum.",
        ),
        slip(
            bottleneck_errors,
            {"/ len(x)": "/ len(x) / 2"},
            "Your errors are half of what they should be: there is no ½ in a squared distance.",
        ),
    ),
    alternatives=(bottleneck_by_eigenvalues, bottleneck_by_projection, bottleneck_by_differences),
)

# 7 -------------------------------------------------------------------------------------------------------- corners


def corner_inputs(case, rng):
    """Slopes across and down, which are not independent of one another; those of a faint image are small."""
    right = rng.standard_normal((case["B"], case["H"], case["W"])) * case["contrast"]
    return {"right": right, "down": 0.6 * right + 0.75 * case["contrast"] * rng.standard_normal(right.shape)}


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


def corners_nowhere(right, down):
    # Exactly zero, where a student's arithmetic leaves the last bits: these have no scale to be compared by.
    return torch.zeros_like(right[:, 2:, 2:])


STRENGTH, POOLED = "(rr * dd - rd**2) / (rr + dd)", "3, stride=1)[:, 0]"

CORNERS = Exercise(
    name="corner_strengths",
    outputs=(Output("strength", ("B", "h", "w")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=corner_inputs,
    cases={
        "visible": ({"B": 1, "H": 4, "W": 5, "contrast": 0.4}, {"B": 2, "H": 5, "W": 3, "contrast": 0.1}),
        "hidden": (
            {"B": 3, "H": 5, "W": 4, "contrast": 0.4},
            {"B": 1, "H": 3, "W": 6, "contrast": 0.05},
            {"B": 2, "H": 6, "W": 5, "contrast": 0.2},
        ),
    },
    reference=corner_strengths,
    wrong=(
        slip(
            corner_strengths,
            {STRENGTH: "rr + dd"},
            "This is the trace, which is as large on a straight edge as at a corner. The determinant is what vanishes "
            "when only one direction changes.",
        ),
        slip(
            corner_strengths,
            {STRENGTH: "rr * dd - rd**2"},
            "You gave the determinant. Divide it by the trace, so that the strength grows with the contrast's square "
            "and not with its fourth power.",
        ),
        slip(
            corner_strengths,
            {
                "window(right * right)": "window(right) ** 2",
                "window(down * down)": "window(down) ** 2",
                " - rd**2": "",
            },
            "You averaged the slopes, and multiplied then. The slopes of a stroke's two sides cancel: average the "
            "products.",
        ),
        slip(
            corner_strengths,
            {" - rd**2": ""},
            "Your determinant lacks the off-diagonal part. Without it every slanting edge looks like a corner.",
        ),
        Wrong(
            corners_nowhere,
            "Your determinant is zero everywhere, as it is if M is made of one slope across and one down. Average the "
            "*products* over a window: a corner shows only in a neighbourhood.",
        ),
        slip(
            corner_strengths,
            {POOLED: POOLED + " * 9"},
            "You summed over the window. An average over its nine pixels is asked for, so that the strength does not "
            "grow with the window.",
        ),
        slip(
            corner_strengths,
            {"rd**2": "rd"},
            "Your off-diagonal entry is not squared: det M = ⟨rr⟩⟨dd⟩ − ⟨rd⟩².",
        ),
        slip(
            corner_strengths,
            {"- rd**2": "+ rd**2"},
            "You added the square of the off-diagonal entry. In a determinant it is taken off.",
        ),
        slip(
            corner_strengths,
            {"- rd**2": "- 2 * rd**2"},
            "You took the square of the off-diagonal entry off twice.",
        ),
        slip(
            corner_strengths,
            {"/ (rr + dd)": "/ (rr + dd) ** 2"},
            "You divided by the square of the trace. Divide by the trace itself.",
        ),
        Wrong(
            edited(corner_strengths, {STRENGTH: "rr * dd - rd**2 - 0.05 * (rr + dd) ** 2"}),
            "This is Harris's measure, det − k tr². Noble's divides: det / tr.",
            variants=(
                edited(corner_strengths, {STRENGTH: "rr * dd - rd**2 - 0.04 * (rr + dd) ** 2"}),
                edited(corner_strengths, {STRENGTH: "rr * dd - rd**2 - 0.06 * (rr + dd) ** 2"}),
            ),
        ),
        slip(
            corner_strengths,
            {STRENGTH: "(rr + dd) / 2 - (((rr - dd) / 2) ** 2 + rd**2).sqrt()"},
            "You gave the smaller eigenvalue. Asked for is det M / tr M, both eigenvalues' product by their sum.",
        ),
        Wrong(
            edited(corner_strengths, {"/ (rr + dd)": "/ (rr * dd)"}),
            "Your trace is that of other numbers: tr M = ⟨rr⟩ + ⟨dd⟩.",
            variants=(
                edited(corner_strengths, {"(rr + dd)": "(rr - dd)"}),
                edited(corner_strengths, {"(rr + dd)": "(rr**2 + dd**2).sqrt()"}),
                edited(corner_strengths, {"(rr + dd)": "(rr**2 + dd**2)"}),
                edited(corner_strengths, {"(rr + dd)": "(rr + dd).sqrt()"}),
                edited(corner_strengths, {"(rr + dd)": "(rr + dd + 2 * rd)"}),
            ),
        ),
        slip(
            corner_strengths,
            {STRENGTH: "(rr + dd) / (rr * dd - rd**2)"},
            "Your quotient is upside down: the determinant is divided by the trace.",
        ),
        slip(
            corner_strengths,
            {STRENGTH: "2 * " + STRENGTH},
            "Your strength is twice what is asked for: det M / tr M, without a factor.",
        ),
        slip(
            corner_strengths,
            {"window(right * down)": "window(right) * window(down)"},
            "Your off-diagonal entry is a product of averages. It is the average of the products, ⟨rd⟩.",
        ),
        Wrong(
            edited(corner_strengths, {"stride=1": "stride=1, padding=1"}),
            "You put zeros around the slopes. Windows must lie on the image: (H − 2) × (W − 2).",
            variants=(
                edited(corner_strengths, {POOLED: "3, stride=1, padding=1)[:, 0, :-2, :-2]"}),
                edited(corner_strengths, {POOLED: "3, stride=1, padding=1)[:, 0, 2:, 2:]"}),
            ),
        ),
        slip(
            corner_strengths,
            {"window(right * down)": "window((right * down).abs())"},
            "You took absolute values of the products. In ⟨rd⟩ they keep their signs: that is how M knows the "
            "direction of an edge.",
        ),
        Wrong(
            edited(corner_strengths, {"(rr + dd)": "(rr + dd + 1e-2)"}),
            "You added a small number to the trace. It is not small beside the slopes of a faint image, and no slope "
            "here is zero: leave it out.",
            variants=(edited(corner_strengths, {"(rr + dd)": "(rr + dd + 1e-3)"}),),
        ),
        slip(
            corner_strengths,
            {
                "window(right * right)": "window(right * right) - window(right) ** 2",
                "window(down * down)": "window(down * down) - window(down) ** 2",
                "window(right * down)": "window(right * down) - window(right) * window(down)",
            },
            "You took the mean slopes off: this is their covariance. M holds the averages of the products as they are.",
        ),
        slip(
            corner_strengths,
            {"(rr + dd)": "(right**2 + down**2)[:, 1:-1, 1:-1]"},
            "Your trace is that of the middle place alone. It is M's, averaged over the window as the determinant is.",
        ),
        Wrong(
            edited(corner_strengths, {"rr * dd - rd**2": "rr * rd - dd * rd"}),
            "Your determinant multiplies other entries: det M = ⟨rr⟩⟨dd⟩ − ⟨rd⟩².",
            variants=(
                edited(corner_strengths, {"rr * dd - rd**2": "rr**2 - dd**2"}),
                edited(corner_strengths, {"rr * dd - rd**2": "rr * rd - rd * dd + rd**2"}),
            ),
        ),
        slip(
            corner_strengths,
            {"rr * dd - rd**2": "rd**2 - rr * dd"},
            "Your determinant has the wrong sign: det M = ⟨rr⟩⟨dd⟩ − ⟨rd⟩².",
        ),
        Wrong(
            edited(corner_strengths, {POOLED: "(3, 1), stride=1)[:, 0, :, 1:-1]"}),
            "Your window is a row or a column of three places. It is a square of 3 × 3.",
            variants=(edited(corner_strengths, {POOLED: "(1, 3), stride=1)[:, 0, 1:-1]"}),),
        ),
        Wrong(
            edited(corner_strengths, {"3, stride=1": "2, stride=1"}),
            "Your windows have another size than 3 × 3, or do not move by one place at a time.",
            variants=(edited(corner_strengths, {"3, stride=1": "3"}),),
        ),
    ),
    alternatives=(corners_by_eigenvalues, corners_by_loops, corners_by_unfolding),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("autoencoders", "networks", "pca", "vae")

EXERCISES = (STAMP_LINE, STAMP_IMAGE, MATRIX, SIZES, EDGES, BOTTLENECK, CORNERS)
