"""Wrong answers that students might hand in for assignment 06."""
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


# ---------------------------------------------------------------- stamp_line


@wrong("stamp_line", "stamps the kernel back to front, as in a mathematical convolution's flip")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel.flip(0)
    return y


@wrong("stamp_line", "later stamps overwrite earlier ones where they overlap, instead of adding up")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] = x[i] * kernel
    return y


@wrong("stamp_line", "the stride sets the output's length only: stamp i begins at place i")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        for j in range(k):
            if i + j < len(y):
                y[i + j] += x[i] * kernel[j]
    return y


@wrong("stamp_line", "the output has length s N: the last stamp is cut if k > s, and zeros are appended if k < s")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * N, dtype=x.dtype)
    for i in range(N):
        for j in range(k):
            if stride * i + j < len(y):
                y[stride * i + j] += x[i] * kernel[j]
    return y


@wrong("stamp_line", "the output is one too long: s (N - 1) + k + 1, with a zero at its end")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k + 1, dtype=x.dtype)
    for i in range(N):
        for j in range(k):
            y[stride * i + j] += x[i] * kernel[j]
    return y


@wrong("stamp_line", "the loop ends one early: the last input pixel's stamp is missing")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N - 1):
        y[stride * i : stride * i + k] += x[i] * kernel
    return y


@wrong("stamp_line", "averages overlapping stamps: divides each place by the number of stamps that lie on it")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    M = stride * (N - 1) + k
    y = torch.zeros(M, dtype=x.dtype)
    count = torch.zeros(M, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] += x[i] * kernel
        count[stride * i : stride * i + k] += 1
    return y / count.clamp(min=1)


@wrong("stamp_line", "the stride multiplies the kernel's index, not the pixel's: m = i + s j (what lies beyond the end is dropped)")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        for j in range(k):
            m = i + stride * j
            if m < len(y):
                y[m] += x[i] * kernel[j]
    return y


@wrong("stamp_line", "inserts s zeros between the pixels instead of s - 1: stamp i begins at (s + 1) i, and the rest is cut off")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros((stride + 1) * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        start = (stride + 1) * i
        y[start : start + k] += x[i] * kernel
    return y[: stride * (N - 1) + k]


@wrong("stamp_line", "special case: assigns even and odd stamps on two lines and adds these, so more than two overlapping stamps (k > 2 s) are lost")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    even = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    odd = torch.zeros_like(even)
    for i in range(N):
        line = even if i % 2 == 0 else odd
        line[stride * i : stride * i + k] = x[i] * kernel
    return even + odd


@wrong("stamp_line", "stamps are centred: stamp i begins at s i - floor(k / 2), and what falls before the start is dropped")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        for j in range(k):
            m = stride * i + j - k // 2
            if m >= 0:
                y[m] += x[i] * kernel[j]
    return y


@wrong("stamp_line", "two mistakes: the kernel is stamped back to front, and later stamps overwrite earlier ones")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    y = torch.zeros(stride * (N - 1) + k, dtype=x.dtype)
    for i in range(N):
        y[stride * i : stride * i + k] = x[i] * kernel.flip(0)
    return y


@wrong("stamp_line", "two mistakes: the last pixel's stamp is missing, and overlapping stamps are averaged")
def stamp_line(x, kernel, stride):
    N, k = len(x), len(kernel)
    M = stride * (N - 1) + k
    y = torch.zeros(M, dtype=x.dtype)
    count = torch.zeros(M, dtype=x.dtype)
    for i in range(N - 1):
        y[stride * i : stride * i + k] += x[i] * kernel
        count[stride * i : stride * i + k] += 1
    return y / count.clamp(min=1)


# ---------------------------------------------------------------- stamp_image


@wrong("stamp_image", "cuts 2p pixels at the lower and right sides only, none above and left")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[: y.shape[0] - 2 * padding, : y.shape[1] - 2 * padding]


@wrong("stamp_image", "cuts 2p pixels at the upper and left sides only, none below and right")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[2 * padding :, 2 * padding :]


@wrong("stamp_image", "ignores the padding: nothing is cut off, and the output is too large when p > 0")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y


@wrong("stamp_image", "the slice p:-p, which is empty when p = 0")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    return y[padding:-padding, padding:-padding]


@wrong("stamp_image", "stamps begin at s i - p and negative indices wrap around: what should be cut off above and left is added at the far sides")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    h, w = stride * (H - 1) + k - 2 * padding, stride * (W - 1) + k - 2 * padding
    y = torch.zeros(h, w, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            for a in range(k):
                for b in range(k):
                    m, n = stride * i + a - padding, stride * j + b - padding
                    if -h <= m < h and -w <= n < w:
                        y[m, n] += x[i, j] * kernel[a, b]
    return y


@wrong("stamp_image", "stamps the transposed kernel")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            for a in range(k):
                for b in range(k):
                    y[stride * i + a, stride * j + b] += x[i, j] * kernel[b, a]
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "convolves the zero-filled image with the kernel without turning it, so the stamps are turned by 180 degrees")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    h, w = stride * (H - 1) + k, stride * (W - 1) + k
    wide = torch.zeros(h + k - 1, w + k - 1, dtype=x.dtype)
    wide[k - 1 : k + stride * (H - 1) : stride, k - 1 : k + stride * (W - 1) : stride] = x
    y = torch.zeros(h, w, dtype=x.dtype)
    for m in range(h):
        for n in range(w):
            y[m, n] = (wide[m : m + k, n : n + k] * kernel).sum()
    return y[padding : h - padding, padding : w - padding]


@wrong("stamp_image", "later stamps overwrite earlier ones where they overlap, instead of adding up")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] = x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "the stride applies to the rows only: stamp (i, j) begins at (s i, j)")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, j : j + k] += x[i, j] * kernel
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "special case: stamps the outer product of the kernel's row and column sums (over its sum), which is the kernel only if that has rank one")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    separable = torch.outer(kernel.sum(dim=1), kernel.sum(dim=0)) / kernel.sum()
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * separable
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "averages overlapping stamps: divides each place by the number of stamps that lie on it")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    count = torch.zeros_like(y)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
            count[stride * i : stride * i + k, stride * j : stride * j + k] += 1
    y = y / count.clamp(min=1)
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("stamp_image", "the padding is set to zero instead of cut off: the outermost p pixels are zeros, and the output is too large when p > 0")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    h, w = stride * (H - 1) + k, stride * (W - 1) + k
    y = torch.zeros(h, w, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel
    framed = torch.zeros_like(y)
    framed[padding : h - padding, padding : w - padding] = y[padding : h - padding, padding : w - padding]
    return framed


@wrong("stamp_image", "two mistakes: the stamps are turned by 180 degrees, and 2p pixels are cut below and right only")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] += x[i, j] * kernel.flip(0, 1)
    return y[: y.shape[0] - 2 * padding, : y.shape[1] - 2 * padding]


@wrong("stamp_image", "two mistakes: stamps the transposed kernel, and later stamps overwrite earlier ones")
def stamp_image(x, kernel, stride, padding):
    (H, W), k = x.shape, len(kernel)
    y = torch.zeros(stride * (H - 1) + k, stride * (W - 1) + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            y[stride * i : stride * i + k, stride * j : stride * j + k] = x[i, j] * kernel.T
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


# ---------------------------------------------------------------- convolution_as_matrix


@wrong("convolution_as_matrix", "the rows hold the kernel back to front")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = stride * i + j - padding
            if 0 <= n < num_pixels:
                A[i, n] = kernel[k - 1 - j]
    return A


@wrong("convolution_as_matrix", "the padding counts for the number of rows only: row i begins at column s i instead of s i - p")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = stride * i + j
            if n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "the padding's sign: row i begins at column s i + p")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = stride * i + j + padding
            if n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "only the right end is tested: negative columns wrap around to the end of the row")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = stride * i + j - padding
            if -num_pixels <= n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "pixels outside the line repeat the one at the edge instead of being zero")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = min(max(stride * i + j - padding, 0), num_pixels - 1)
            A[i, n] += kernel[j]
    return A


@wrong("convolution_as_matrix", "the stride counts for the number of rows only: each row is shifted by one column")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = i + j - padding
            if 0 <= n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "the last row is left empty (the loop ends one early)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M - 1):
        for j in range(k):
            n = stride * i + j - padding
            if 0 <= n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "the stride multiplies the padding too: row i begins at column s (i - p)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = stride * (i - padding) + j
            if 0 <= n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "all 2p columns of padding are cut from the left of the padded matrix, so row i begins at s i - 2p")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels + 2 * padding, dtype=kernel.dtype)
    for i in range(M):
        A[i, stride * i : stride * i + k] = kernel
    return A[:, 2 * padding :]


@wrong("convolution_as_matrix", "special case: the kernel is centred on pixel s i, which ignores p and is right only if p = floor(k / 2)")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = stride * i + j - k // 2
            if 0 <= n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "a row whose kernel hangs over an end of the line is left empty altogether")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        start = stride * i - padding
        if start >= 0 and start + k <= num_pixels:
            A[i, start : start + k] = kernel
    return A


@wrong("convolution_as_matrix", "forgets the + 1: the last row is missing")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = stride * i + j - padding
            if 0 <= n < num_pixels:
                A[i, n] = kernel[j]
    return A


@wrong("convolution_as_matrix", "two mistakes: the kernel is back to front, and each row is shifted by one column whatever the stride")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M):
        for j in range(k):
            n = i + j - padding
            if 0 <= n < num_pixels:
                A[i, n] = kernel[k - 1 - j]
    return A


@wrong("convolution_as_matrix", "two mistakes: the line is closed to a ring (columns modulo N, no zeros outside), and the last row is left empty")
def convolution_as_matrix(kernel, num_pixels, stride, padding):
    k = len(kernel)
    M = (num_pixels + 2 * padding - k) // stride + 1
    A = torch.zeros(M, num_pixels, dtype=kernel.dtype)
    for i in range(M - 1):
        for j in range(k):
            A[i, (stride * i + j - padding) % num_pixels] += kernel[j]
    return A


# ---------------------------------------------------------------- layer_sizes


@wrong("layer_sizes", "rounds the division up instead of down")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = math.ceil((n + 2 * p - k) / s) + 1
        sizes.append(m)
        extra.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, extra


@wrong("layer_sizes", "every layer is computed from the encoder's input, not from the layer before it")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (side + 2 * p - k) // s + 1
        sizes.append(m)
        extra.append(side - (s * (m - 1) + k - 2 * p))
    return sizes, extra


@wrong("layer_sizes", "counts the padding once, not on both sides, in both formulas")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + p - k) // s + 1
        sizes.append(m)
        extra.append(n - (s * (m - 1) + k - p))
        n = m
    return sizes, extra


@wrong("layer_sizes", "puts the + 1 inside the division: floor((n + 2p - k + 1) / s)")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k + 1) // s
        sizes.append(m)
        extra.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, extra


@wrong("layer_sizes", "does not round: the sizes are fractions and the output paddings zero")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = float(side)
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = float(k), float(s), float(p)
        m = (n + 2 * p - k) / s + 1
        sizes.append(m)
        extra.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, extra


@wrong("layer_sizes", "the output padding's sign: what comes up minus what was there")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        extra.append((s * (m - 1) + k - 2 * p) - n)
        n = m
    return sizes, extra


@wrong("layer_sizes", "the output padding is the input side modulo the stride, without padding and kernel")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        extra.append(n % s)
        n = m
    return sizes, extra


@wrong("layer_sizes", "special case: the output padding is (n - 1) modulo s, which holds for kernels of 2p + 1 pixels only")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        extra.append((n - 1) % s)
        n = m
    return sizes, extra


@wrong("layer_sizes", "the output paddings are in the decoder's order: those of the last layer first")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        extra.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, extra[::-1]


@wrong("layer_sizes", "the sizes are those of the layers' inputs: they begin with the input's side and lack the last one")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k) // s + 1
        sizes.append(n)
        extra.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, extra


@wrong("layer_sizes", "walks all the way up from the last layer without adding the output paddings, so each one also holds the deficits of deeper layers")
def layer_sizes(side, kernel_sizes, strides, paddings):
    layers = [(int(k), int(s), int(p)) for k, s, p in zip(kernel_sizes, strides, paddings)]
    sizes = [side]
    for k, s, p in layers:
        sizes.append((sizes[-1] + 2 * p - k) // s + 1)
    extra = [0] * len(layers)
    up = sizes[-1]
    for l in reversed(range(len(layers))):
        k, s, p = layers[l]
        up = s * (up - 1) + k - 2 * p
        extra[l] = sizes[l] - up
    return sizes[1:], extra


@wrong("layer_sizes", "special case: the output padding is only 0 or 1 (whether something is missing), which suffices for strides up to 2")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k) // s + 1
        sizes.append(m)
        extra.append(int(n > s * (m - 1) + k - 2 * p))
        n = m
    return sizes, extra


@wrong("layer_sizes", "two mistakes: forgets the + 1 in the sizes, and the output paddings are in the decoder's order")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    n = side
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (n + 2 * p - k) // s
        sizes.append(m)
        extra.append(n - (s * (m - 1) + k - 2 * p))
        n = m
    return sizes, extra[::-1]


@wrong("layer_sizes", "two mistakes: every layer is computed from the encoder's input, and the way up adds 2p instead of subtracting it")
def layer_sizes(side, kernel_sizes, strides, paddings):
    sizes, extra = [], []
    for k, s, p in zip(kernel_sizes, strides, paddings):
        k, s, p = int(k), int(s), int(p)
        m = (side + 2 * p - k) // s + 1
        sizes.append(m)
        extra.append(side - (s * (m - 1) + k + 2 * p))
    return sizes, extra


# ---------------------------------------------------------------- edge_error


@wrong("edge_error", "forgets the factor 1/8 of the kernels, so the loss is 64 times too large")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype)
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels)
    return difference.square().sum(dim=(1, 2, 3))


@wrong("edge_error", "pads with zeros, so the places at the border count too: H W of them")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels, padding=1)
    return difference.square().sum(dim=(1, 2, 3))


@wrong("edge_error", "the mean over the places instead of the sum")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels)
    return difference.square().sum(dim=1).mean(dim=(1, 2))


@wrong("edge_error", "compares the slopes' magnitudes, sqrt(r² + d²), so their directions do not count")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    a = F.conv2d(x[:, None], kernels).square().sum(dim=1).sqrt()
    b = F.conv2d(reconstruction[:, None], kernels).square().sum(dim=1).sqrt()
    return (a - b).square().sum(dim=(1, 2))


@wrong("edge_error", "absolute differences instead of squared ones")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels)
    return difference.abs().sum(dim=(1, 2, 3))


@wrong("edge_error", "the slopes across only; those down are forgotten")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    difference = F.conv2d((x - reconstruction)[:, None], across[None, None])
    return difference.square().sum(dim=(1, 2, 3))


@wrong("edge_error", "adds the two directions' differences before squaring")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    e = (x - reconstruction)[:, None]
    total = F.conv2d(e, across[None, None]) + F.conv2d(e, across.T[None, None])
    return total.square().sum(dim=(1, 2, 3))


@wrong("edge_error", "the factor 1/8 after squaring instead of before, so the loss is 8 times too large")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype)
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels)
    return difference.square().sum(dim=(1, 2, 3)) / 8


@wrong("edge_error", "Prewitt's kernels: ones in place of the twos, over 6")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]], dtype=x.dtype) / 6
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels)
    return difference.square().sum(dim=(1, 2, 3))


@wrong("edge_error", "plain central differences of the neighbours, (right - left) / 2 and (below - above) / 2, without Sobel's smoothing")
def edge_error(x, reconstruction):
    e = x - reconstruction
    r = (e[:, 1:-1, 2:] - e[:, 1:-1, :-2]) / 2
    d = (e[:, 2:, 1:-1] - e[:, :-2, 1:-1]) / 2
    return (r**2 + d**2).sum(dim=(1, 2))


@wrong("edge_error", "the absolute difference of the summed squared slopes instead of the summed squared difference of the slopes")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    a = F.conv2d(x[:, None], kernels).square().sum(dim=(1, 2, 3))
    b = F.conv2d(reconstruction[:, None], kernels).square().sum(dim=(1, 2, 3))
    return (a - b).abs()


@wrong("edge_error", "the square root of the sum: a length instead of a squared error")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels)
    return difference.square().sum(dim=(1, 2, 3)).sqrt()


@wrong("edge_error", "two mistakes: pads with zeros, and takes the mean over places and directions")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype) / 8
    kernels = torch.stack([across, across.T])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels, padding=1)
    return difference.square().mean(dim=(1, 2, 3))


@wrong("edge_error", "two mistakes: the same kernel (across) for both directions, and no factor 1/8")
def edge_error(x, reconstruction):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype)
    kernels = torch.stack([across, across])[:, None]
    difference = F.conv2d((x - reconstruction)[:, None], kernels)
    return difference.square().sum(dim=(1, 2, 3))


# ---------------------------------------------------------------- bottleneck_errors


@wrong("bottleneck_errors", "the data is not centred")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x) ** 2 / len(x)
    return s2.flip(0).cumsum(0).flip(0)


@wrong("bottleneck_errors", "divides by N - 1 instead of N, as in an unbiased covariance")
def bottleneck_errors(x):
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T)).flip(0).clamp(min=0)
    return eigenvalues.flip(0).cumsum(0).flip(0)


@wrong("bottleneck_errors", "forgets the 1/N")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return s2.flip(0).cumsum(0).flip(0)


@wrong("bottleneck_errors", "sums the singular values, not their squares")
def bottleneck_errors(x):
    s = torch.linalg.svdvals(x - x.mean(dim=0))
    return s.flip(0).cumsum(0).flip(0) / len(x)


@wrong("bottleneck_errors", "off by one: entry K belongs to codes of length K + 1, and the last entry is 0")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2 / len(x)
    return torch.stack([s2[K + 1 :].sum() for K in range(len(s2))])


@wrong("bottleneck_errors", "the variance that K components explain, not what they leave")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2 / len(x)
    return torch.stack([s2[:K].sum() for K in range(len(s2))])


@wrong("bottleneck_errors", "the mean over all entries: divides by the number of pixels, too")
def bottleneck_errors(x):
    N, D = x.shape
    s2 = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2 / (N * D)
    return s2.flip(0).cumsum(0).flip(0)


@wrong("bottleneck_errors", "centres each example (over its pixels) instead of each pixel (over the examples)")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x - x.mean(dim=1, keepdim=True)) ** 2 / len(x)
    return s2.flip(0).cumsum(0).flip(0)


@wrong("bottleneck_errors", "the eigenvalues are in ascending order, so the largest ones are left over instead of the smallest")
def bottleneck_errors(x):
    centred = x - x.mean(dim=0)
    eigenvalues = torch.linalg.eigvalsh(centred.T @ centred / len(x))
    return torch.stack([eigenvalues[K:].sum() for K in range(len(eigenvalues))])


@wrong("bottleneck_errors", "only the next squared singular value, s_{K+1}² / N, not the sum of all that follow")
def bottleneck_errors(x):
    return torch.linalg.svdvals(x - x.mean(dim=0)) ** 2 / len(x)


@wrong("bottleneck_errors", "entry 0 is the mean squared length of the data, as if without a code there were no offset either")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2 / len(x)
    errors = s2.flip(0).cumsum(0).flip(0)
    errors[0] = x.square().sum(dim=1).mean()
    return errors


@wrong("bottleneck_errors", "the fraction of the variance that is left, not the error itself")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2
    return s2.flip(0).cumsum(0).flip(0) / s2.sum()


@wrong("bottleneck_errors", "two mistakes: the data is not centred, and the sum begins one too late (entry K belongs to codes of length K + 1)")
def bottleneck_errors(x):
    s2 = torch.linalg.svdvals(x) ** 2 / len(x)
    return torch.stack([s2[K + 1 :].sum() for K in range(len(s2))])


@wrong("bottleneck_errors", "two mistakes: divides by N - 1, and squares the covariance's eigenvalues as if they were singular values")
def bottleneck_errors(x):
    centred = x - x.mean(dim=0)
    values = torch.linalg.svdvals(centred.T @ centred / (len(x) - 1)) ** 2
    return values.flip(0).cumsum(0).flip(0)


# ---------------------------------------------------------------- corner_strengths


@wrong("corner_strengths", "divides by the squared trace")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (rr + dd) ** 2


@wrong("corner_strengths", "Harris' measure instead of Noble's: det M - 0.05 (tr M)²")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) - 0.05 * (rr + dd) ** 2


@wrong("corner_strengths", "the product of the averages <r><d> in place of the average of the product <r d>")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d(right[:, None], 3, stride=1)[:, 0] * F.avg_pool2d(down[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "sums over the window instead of averages, 9 times too large")
def corner_strengths(right, down):
    window = torch.ones(1, 1, 3, 3, dtype=right.dtype)
    rr = F.conv2d((right * right)[:, None], window)[:, 0]
    rd = F.conv2d((right * down)[:, None], window)[:, 0]
    dd = F.conv2d((down * down)[:, None], window)[:, 0]
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "the determinant's sign: <rr><dd> + <rd>²")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd + rd**2) / (rr + dd)


@wrong("corner_strengths", "forgets the square of <rd> in the determinant")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd) / (rr + dd)


@wrong("corner_strengths", "averages last: the strength of each single place, whose determinant is always zero, is averaged over the window")
def corner_strengths(right, down):
    rr, rd, dd = right * right, right * down, down * down
    strength = (rr * dd - rd**2) / (rr + dd)
    return F.avg_pool2d(strength[:, None], 3, stride=1)[:, 0]


@wrong("corner_strengths", "subtracts the window's means: a covariance matrix of the slopes in place of their second moments")
def corner_strengths(right, down):
    def average(values):
        return F.avg_pool2d(values[:, None], 3, stride=1)[:, 0]

    rr = average(right * right) - average(right) ** 2
    rd = average(right * down) - average(right) * average(down)
    dd = average(down * down) - average(down) ** 2
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "adds 1e-3 to the trace, which flattens corners of weak contrast")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (rr + dd + 1e-3)


@wrong("corner_strengths", "the smaller eigenvalue of M (Shi and Tomasi's measure) instead of det M / tr M")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down)[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr + dd) / 2 - torch.sqrt(((rr - dd) / 2) ** 2 + rd**2)


@wrong("corner_strengths", "pads with zeros and then cuts two rows and columns off at the lower right, so windows hang over the upper left border")
def corner_strengths(right, down):
    def average(values):
        return F.avg_pool2d(values[:, None], 3, stride=1, padding=1)[:, 0, :-2, :-2]

    rr, rd, dd = average(right * right), average(right * down), average(down * down)
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "a window with weights 1, 2, 1 in both directions instead of a plain average")
def corner_strengths(right, down):
    line = torch.tensor([1.0, 2.0, 1.0], dtype=right.dtype) / 4
    window = torch.outer(line, line)[None, None]
    rr = F.conv2d((right * right)[:, None], window)[:, 0]
    rd = F.conv2d((right * down)[:, None], window)[:, 0]
    dd = F.conv2d((down * down)[:, None], window)[:, 0]
    return (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "two mistakes: sums over the window instead of averages, and twice the strength (the harmonic mean of the eigenvalues, 2 det / tr)")
def corner_strengths(right, down):
    window = torch.ones(1, 1, 3, 3, dtype=right.dtype)
    rr = F.conv2d((right * right)[:, None], window)[:, 0]
    rd = F.conv2d((right * down)[:, None], window)[:, 0]
    dd = F.conv2d((down * down)[:, None], window)[:, 0]
    return 2 * (rr * dd - rd**2) / (rr + dd)


@wrong("corner_strengths", "two mistakes: averages |r d| instead of r d, and divides by the squared trace")
def corner_strengths(right, down):
    rr = F.avg_pool2d((right * right)[:, None], 3, stride=1)[:, 0]
    rd = F.avg_pool2d((right * down).abs()[:, None], 3, stride=1)[:, 0]
    dd = F.avg_pool2d((down * down)[:, None], 3, stride=1)[:, 0]
    return (rr * dd - rd**2) / (rr + dd) ** 2
