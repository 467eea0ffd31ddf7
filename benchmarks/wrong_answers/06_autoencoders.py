"""Wrong answers that students might hand in for assignment 06.

Format: importing this file fills the list WRONG with tuples (exercise name, mistake in a sentence, function). Each function
has the exact name and signature that the notebook asks for, returns the right shapes, and does not mean to crash. It holds one
mistake; those whose description begins with "two mistakes:" hold two. Some are right on easy inputs and wrong only on hard ones (large
logits, many entries, K != R, ...); their description says so. Functions use only the imports below and the helpers that the
notebook itself defines (copied here where needed). The source of a function: `inspect.getsource(function)`.
"""
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




# ---- stamp_line ----
@wrong("stamp_line", "stamps overwrite each other in place of adding up")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] = x[i] * kernel
    return y


@wrong("stamp_line", "the output is as long as s N + k (the -1 forgotten), with zeros at the end")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * N + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel
    return y


@wrong("stamp_line", "the output has length s N: the last stamp is cut off, or zeros follow it")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * N + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel
    return y[: stride * N]


@wrong("stamp_line", "the output has length N + k - 1 whatever the stride, and what does not fit is dropped (right for stride 1)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel
    return y[: N + k - 1]


@wrong("stamp_line", "the kernel is turned round")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel.flip(0)
    return y


@wrong("stamp_line", "ignores the stride for the places of the stamps, not for the length (right for stride 1)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[i : i + k] += x[i] * kernel
    return y


@wrong("stamp_line", "an ordinary convolution of the input, no stamps, padded to the right length with zeros")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    padded = F.pad(x, (0, k))
    for m in range(N):
        y[stride * m] = padded[m : m + k] @ kernel
    return y


@wrong("stamp_line", "repeats each pixel s times, then convolves, in place of putting zeros between (right for stride 1)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    M = stride * (N - 1) + k
    wide = F.pad(x.repeat_interleave(stride), (k, k))
    return torch.stack([wide[m + 1 : m + 1 + k] @ kernel.flip(0) for m in range(M)])


@wrong("stamp_line", "divides by the number of times a place was written")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel
    count = torch.zeros_like(y)
    for i in range(N):
        count[stride * i : stride * i + k] += 1
    return y / count.clamp(min=1)


@wrong("stamp_line", "leaves the last stamp out (loop one too short)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N - 1):
        y[stride * i : stride * i + k] += x[i] * kernel
    return y


@wrong("stamp_line", "starts with the second pixel (loop from 1)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(1, N):
        y[stride * i : stride * i + k] += x[i] * kernel
    return y


@wrong("stamp_line", "leaves the kernel's last entry out")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k - 1] += x[i] * kernel[:-1]
    return y


@wrong("stamp_line", "keeps the larger value where stamps overlap")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] = torch.maximum(y[stride * i : stride * i + k], x[i] * kernel)
    return y


@wrong("stamp_line", "places stamps from the right end: stamp i ends where stamp N - 1 - i should")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[N - 1 - i] * kernel
    return y


@wrong("stamp_line", "kernel and input swapped: stamps the input, k times, at stride s (right for stride 1)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * max(N, k) + N + k, dtype=x.dtype)
    for j in range(k):
        y[stride * j : stride * j + N] += kernel[j] * x
    return y[: stride * (N - 1) + k]


@wrong("stamp_line", "divides the stamps by the stride, so that brightness is kept (right for stride 1)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel / stride
    return y


@wrong("stamp_line", "stamps are centred on their place: the first ones are cut off on the left")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + 2 * k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel
    return y[k // 2 : k // 2 + stride * (N - 1) + k]


@wrong("stamp_line", "two mistakes: kernel turned round, and stamps overwrite")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] = x[i] * kernel.flip(0)
    return y



# ---- stamp_image ----
@wrong("stamp_image", "ignores the padding (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y


@wrong("stamp_image", "pads the output with p zeros in place of cutting (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return F.pad(y, (padding, padding, padding, padding))


@wrong("stamp_image", "pads the input with p zeros on each side first (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    x = F.pad(x, (padding, padding, padding, padding))
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y


@wrong("stamp_image", "cuts 2p from the right and the bottom only (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[: y.shape[0] - 2 * padding, : y.shape[1] - 2 * padding]


@wrong("stamp_image", "cuts 2p from the left and the top only (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[2 * padding :, 2 * padding :]


@wrong("stamp_image", "cuts p from the left and the top only (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding:, padding:]


@wrong("stamp_image", "cuts p from the right and the bottom only (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[: y.shape[0] - padding, : y.shape[1] - padding]


@wrong("stamp_image", "cuts with the slice padding:-padding, which is empty for p = 0 (here mended), and one too much for p > 0")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding - min(padding, 1), padding : y.shape[1] - padding - min(padding, 1)]


@wrong("stamp_image", "cuts s p in place of p pixels on each side, as far as the image goes (right for p = 0 or stride 1)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    cut = stride * padding
    return y[cut : max(y.shape[0] - cut, cut + 1), cut : max(y.shape[1] - cut, cut + 1)]


@wrong("stamp_image", "cuts rows only (right for p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding]


@wrong("stamp_image", "stamps overwrite each other")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] = x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "the kernel is transposed (right for symmetric kernels)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel.T
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "the kernel is turned round in both directions")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel.flip(0, 1)
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "the output is sized s H + k: a border of zeros at the bottom and on the right")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * H + k, stride * W + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "the output is cut to s H x s W after the padding (right for k = s, p = 0)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : padding + stride * H, padding : padding + stride * W]


@wrong("stamp_image", "rows and columns of the image swapped: stamps x[i, j] at (s j, s i), (right for symmetric images)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (W - 1) + k, stride * (H - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * j : stride * j + k, stride * i : stride * i + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "ignores the stride for the places (right for stride 1)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[i : i + k, j : j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "divides by the number of stamps at each place, averaging overlaps")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    count = torch.zeros_like(y)
    for i in range(H):
        for j in range(W):
            count[stride * i : stride * i + k, stride * j : stride * j + k] += 1
    y = y / count.clamp(min=1)
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "leaves out the last row and column of the input")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H - 1):
        for j in range(W - 1):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "two mistakes: padding ignored, kernel turned round")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel.flip(0, 1)
    return y



# ---- convolution_as_matrix ----
@wrong("convolution_as_matrix", "ignores the padding for the places, not for the number of rows (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "shifts the wrong way: + p (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j + padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "negative columns wrap round to the right end, as Python's indices do (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "a circular convolution: columns modulo N (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            A[i, column % num_pixels] += kernel[j]
    return A


@wrong("convolution_as_matrix", "repeats the border: columns clamped to the line (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            A[i, min(max(column, 0), num_pixels - 1)] += kernel[j]
    return A


@wrong("convolution_as_matrix", "the kernel is turned round")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[k - 1 - j]
    return A


@wrong("convolution_as_matrix", "moves by one in each row, not by the stride (right for stride 1)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "one row too few: the + 1 forgotten")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "one row too many")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 2
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "counts rows with p once, not twice (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "counts rows without padding (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "rounds the number of rows up in place of down")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = -(-(num_pixels + 2 * padding - k) // stride) + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "keeps columns for the padding: N + 2p of them (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels + 2 * padding, dtype=kernel.dtype)
    for i in range(M):
        A[i, stride * i : stride * i + k] = kernel
    return A


@wrong("convolution_as_matrix", "cuts the padding's columns off on the right only (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels + 2 * padding, dtype=kernel.dtype)
    for i in range(M):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, :num_pixels]


@wrong("convolution_as_matrix", "cuts the padding's columns off on the left only (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels + 2 * padding, dtype=kernel.dtype)
    for i in range(M):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, 2 * padding :]


@wrong("convolution_as_matrix", "rows that reach outside the line are left empty altogether (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        first = stride * i - padding
        if first >= 0 and first + k <= num_pixels:
            A[i, first : first + k] = kernel
    return A


@wrong("convolution_as_matrix", "renormalises rows whose kernel is cut off at the border (right for p = 0)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A * kernel.sum() / A.sum(dim=1, keepdim=True)


@wrong("convolution_as_matrix", "the matrix of the transposed convolution's stamps, of the wrong orientation, reshaped to (M, N)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A.T.reshape(M, num_pixels)


@wrong("convolution_as_matrix", "leaves out the kernel's last entry (loop one too short)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k - 1):
            column = stride * i + j - padding
            if 0 <= column < num_pixels:
                A[i, column] = kernel[j]
    return A


@wrong("convolution_as_matrix", "two mistakes: padding ignored for the places, and the kernel turned round")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            column = stride * i + j
            if 0 <= column < num_pixels:
                A[i, column] = kernel[k - 1 - j]
    return A



# ---- layer_sizes ----
@wrong("layer_sizes", "forgets the + 1 of the sizes")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "does not round down: true division")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) / s + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "rounds up in place of down")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = -(-(n + 2 * p - k) // s) + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "rounds to the nearest whole number")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = round((n + 2 * p - k) / s) + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "counts the padding once")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "counts the padding once on the way down only")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "every layer starts from the first side (right for one layer)")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
    return sizes, output_paddings


@wrong("layer_sizes", "the output padding is upside down in sign")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append((s * (m - 1) + k - 2 * p) - n)
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "the way up without - 2p (right for p = 0)")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "the way up with s n_l in place of s (n_l - 1)")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - (s * m + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "the output padding is the remainder of the side by the stride (right for many usual layers)")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n % s)
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "the output padding is 1 wherever the stride is not 1")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(float(s > 1))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "the output padding is s - 1, as in recipes for decoders")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(s - 1)
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "output paddings in the decoder's order, last layer first (right for one layer)")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings[::-1]


@wrong("layer_sizes", "sizes are each layer's input, not its output")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(n)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "the output padding at most 1: clamped between 0 and 1")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(min(max(n - (s * (m - 1) + k - 2 * p), 0), 1))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "the output padding is the difference between the layer's two sides' halves: n - s m")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - s * m)
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "walks down with the rounded-up-again size: the next layer starts from the side the decoder gives")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = (s * (m - 1) + k - 2 * p) // s
    return sizes, output_paddings


@wrong("layer_sizes", "the decoder's whole path is used: compares with the first side, not with the layer's input (right for the first layer)")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        output_paddings.append(side - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "sizes with the formula of padding 'same', the side over the stride rounded up")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = -(-n // s)
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, output_paddings


@wrong("layer_sizes", "two mistakes: no + 1, padding once")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, output_paddings = [], []
    n = side
    for k, s, p in zip(kernel_sizes.tolist(), strides.tolist(), paddings.tolist()):
        m = (n + p - k) // s
        sizes.append(m)
        output_paddings.append(n - (s * (m - 1) + k - p))
        n = m
    return sizes, output_paddings



# ---- edge_error ----
@wrong("edge_error", "averages over the places and directions in place of adding up")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).mean(dim=(1, 2, 3))


@wrong("edge_error", "averages over the two directions")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).mean(dim=1).sum(dim=(1, 2))


@wrong("edge_error", "adds zeros around the image, so there are H x W places")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels, padding=1)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "forgets the factor 1/8")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype)
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "divides by 4 in place of 8")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 4
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "the slope across only")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = across[None, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "the slope down only")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = across.T[None, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "absolute differences in place of squared ones")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return slopes.abs().sum(dim=(1, 2, 3))


@wrong("edge_error", "squares of the strengths' difference: compares the lengths of the slopes, not the slopes")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    a, b = F.conv2d(x[:, None], kernels), F.conv2d(reconstruction[:, None], kernels)
    return ((a.square().sum(dim=1).sqrt() - b.square().sum(dim=1).sqrt()) ** 2).sum(dim=(1, 2))


@wrong("edge_error", "compares absolute slopes, so a dark-to-light edge equals a light-to-dark one")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    a, b = F.conv2d(x[:, None], kernels), F.conv2d(reconstruction[:, None], kernels)
    return ((a.abs() - b.abs()) ** 2).sum(dim=(1, 2, 3))


@wrong("edge_error", "adds the two slopes before squaring")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes.sum(dim=1) ** 2).sum(dim=(1, 2))


@wrong("edge_error", "the difference of the squared slopes in place of the square of the difference")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    a, b = F.conv2d(x[:, None], kernels), F.conv2d(reconstruction[:, None], kernels)
    return (a**2 - b**2).abs().sum(dim=(1, 2, 3))


@wrong("edge_error", "Prewitt's kernels, 1 1 1, in place of 1 2 1")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "Sobel's kernel with the 2 in the wrong rows")
def edge_error(x, reconstruction):
    across = torch.tensor([[-2.0, 0, 2], [-1, 0, 1], [-2, 0, 2]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "a half before the square")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return 0.5 * (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "takes the root: the length of the difference")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3)).sqrt()


@wrong("edge_error", "one loss for the batch, the same for every image (right for one image)")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3)).mean() * torch.ones(len(x), dtype=x.dtype)


@wrong("edge_error", "the sum over the whole batch for every image (right for one image)")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum() * torch.ones(len(x), dtype=x.dtype)


@wrong("edge_error", "differences of neighbouring pixels in place of Sobel's slopes")
def edge_error(x, reconstruction):
    error = x - reconstruction
    right = error[:, 1:-1, 2:] - error[:, 1:-1, 1:-1]
    down = error[:, 2:, 1:-1] - error[:, 1:-1, 1:-1]
    return (right**2 + down**2).sum(dim=(1, 2))


@wrong("edge_error", "central differences, (x[j+1] - x[j-1]) / 2, without the smoothing")
def edge_error(x, reconstruction):
    error = x - reconstruction
    right = (error[:, 1:-1, 2:] - error[:, 1:-1, :-2]) / 2
    down = (error[:, 2:, 1:-1] - error[:, :-2, 1:-1]) / 2
    return (right**2 + down**2).sum(dim=(1, 2))


@wrong("edge_error", "adds the ordinary squared error of the pixels")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3)) + ((x - reconstruction) ** 2).sum(dim=(1, 2))


@wrong("edge_error", "the same kernel twice: forgets the transpose")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "slopes of the reconstruction only")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d(reconstruction[:, None], kernels)
    return (slopes**2).sum(dim=(1, 2, 3))


@wrong("edge_error", "two mistakes: zeros around the image and no 1/8")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype)
    kernels = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d((x - reconstruction)[:, None], kernels, padding=1)
    return (slopes**2).sum(dim=(1, 2, 3))



# ---- bottleneck_errors ----
@wrong("bottleneck_errors", "off by one: entry K is the error for codes of length K + 1, ending with 0")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0)) / len(x)


@wrong("bottleneck_errors", "does not centre the data")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x)
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / len(x)


@wrong("bottleneck_errors", "centres with one number, the mean of all pixels")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean())
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / len(x)


@wrong("bottleneck_errors", "centres each image by its own mean")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=1, keepdim=True))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / len(x)


@wrong("bottleneck_errors", "singular values not squared")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s
    return (squares.sum() - squares.cumsum(dim=0) + squares) / len(x)


@wrong("bottleneck_errors", "not divided by N")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares)


@wrong("bottleneck_errors", "divided by N - 1")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / (len(x) - 1)


@wrong("bottleneck_errors", "divided by N D: error per pixel")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / x.numel()


@wrong("bottleneck_errors", "divided by D in place of N (right for N = D)")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / x.shape[1]


@wrong("bottleneck_errors", "what the code keeps, not what it leaves: the sum over j <= K")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.cumsum(dim=0) - squares) / len(x)


@wrong("bottleneck_errors", "the share of the variance left, not the error")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / squares.sum()


@wrong("bottleneck_errors", "in ascending order: leaves out the smallest first")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s.flip(0) ** 2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / len(x)


@wrong("bottleneck_errors", "the K-th squared singular value only, without the sum")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return squares / len(x)


@wrong("bottleneck_errors", "the root of the mean squared error")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return ((squares.sum() - squares.cumsum(dim=0) + squares) / len(x)).sqrt()


@wrong("bottleneck_errors", "square of the sum of singular values, not sum of squares")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (s.sum() - s.cumsum(dim=0) + s) ** 2 / len(x)


@wrong("bottleneck_errors", "eigenvalues of the covariance, squared once more")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**4 / len(x)
    return (squares.sum() - squares.cumsum(dim=0) + squares) / len(x)


@wrong("bottleneck_errors", "standardises each pixel to variance one")
def bottleneck_errors(x):
    s = torch.linalg.svdvals((x - x.mean(dim=0)) / (x.std(dim=0) + 1e-12))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / len(x)


@wrong("bottleneck_errors", "off by one at the start: entry 0 leaves out K = 0's first direction twice, as a shift by two")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) - torch.cat([squares[1:], squares.new_zeros(1)])) / len(x)


@wrong("bottleneck_errors", "average of the directions left in place of their sum, as in probabilistic PCA")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    left = squares.flip(0).cumsum(dim=0).flip(0) / len(x)
    return left / torch.arange(len(s), 0, -1)


@wrong("bottleneck_errors", "two mistakes: not centred, and N - 1")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x)
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0) + squares) / (len(x) - 1)


@wrong("bottleneck_errors", "two mistakes: off by one, and not divided by N")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    squares = s**2
    return (squares.sum() - squares.cumsum(dim=0))



# ---- corner_strengths ----
@wrong("corner_strengths", "no average over the window: the determinant is zero everywhere")
def corner_strengths(right, down):
    r, d = right[:, 1:-1, 1:-1], down[:, 1:-1, 1:-1]
    rr, rd, dd = r * r, r * d, d * d
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "averages the slopes before multiplying them, so the determinant is zero")
def corner_strengths(right, down):
    r = F.avg_pool2d(right[:, None], 3, stride=1)[:, 0]
    d = F.avg_pool2d(down[:, None], 3, stride=1)[:, 0]
    rr, rd, dd = r * r, r * d, d * d
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "sums over the window in place of averaging: nine times too large")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    rr, rd, dd = 9 * rr, 9 * rd, 9 * dd
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "adds rd^2 in the determinant")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd + rd**2) / (rr + dd)


@wrong("corner_strengths", "forgets the off-diagonal: rr dd / (rr + dd)")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd) / (rr + dd)


@wrong("corner_strengths", "rd not squared")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd) / (rr + dd)


@wrong("corner_strengths", "determinant only, without the trace")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2)


@wrong("corner_strengths", "divides by the square of the trace")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (rr + dd) ** 2


@wrong("corner_strengths", "Harris's measure, det - 0.05 trace^2")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return rr * dd - rd**2 - 0.05 * (rr + dd) ** 2


@wrong("corner_strengths", "the smaller eigenvalue (Shi and Tomasi) in place of det / tr")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr + dd) / 2 - torch.sqrt(((rr - dd) / 2) ** 2 + rd**2)


@wrong("corner_strengths", "trace over determinant")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr + dd) / (rr * dd - rd**2 + 1e-12)


@wrong("corner_strengths", "adds 1e-3 to the trace against division by zero (right for steep slopes)")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (rr + dd + 1e-3)


@wrong("corner_strengths", "pads with zeros and cuts the border off afterwards on the right and the bottom, so it is shifted")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1, padding=1)[:, 0, :-2, :-2]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1, padding=1)[:, 0, :-2, :-2]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1, padding=1)[:, 0, :-2, :-2]
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "covariances: takes the mean slopes off first")
def corner_strengths(right, down):
    pool = lambda a: F.avg_pool2d(a[:, None], 3, stride=1)[:, 0]
    rr = pool(right * right) - pool(right) ** 2
    rd = pool(right * down) - pool(right) * pool(down)
    dd = pool(down * down) - pool(down) ** 2
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "the trace of the middle place only, not of the window's average")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (right**2 + down**2)[:, 1:-1, 1:-1]


@wrong("corner_strengths", "twice the determinant over the trace, the harmonic mean of the eigenvalues")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return 2 * (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "determinant by the wrong diagonal: rr rd - dd rd")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * rd - dd * rd) / (rr + dd)


@wrong("corner_strengths", "absolute value of the product in the off-diagonal")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down).abs()[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "squares of the trace's parts: divides by the root of rr^2 + dd^2")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / torch.sqrt(rr**2 + dd**2)


@wrong("corner_strengths", "sums over a column of three places only, not a window of 3 x 3")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], (3, 1), stride=1)[:, 0, :, 1:-1]
    rd = F.avg_pool2d((right * down)[:, None], (3, 1), stride=1)[:, 0, :, 1:-1]
    dd = F.avg_pool2d((down * down)[:, None], (3, 1), stride=1)[:, 0, :, 1:-1]
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "two mistakes: sums over the window, and the off-diagonal added")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    rr, rd, dd = 9 * rr, 9 * rd, 9 * dd
    return (rr * dd + rd**2) / (rr + dd)


EXERCISES = {exercise for exercise, _, _ in WRONG}
assert len(EXERCISES) == 7
assert all(sum(exercise == name for exercise, _, _ in WRONG) >= 12 for name in EXERCISES)
assert len(WRONG) >= 12 * 7
