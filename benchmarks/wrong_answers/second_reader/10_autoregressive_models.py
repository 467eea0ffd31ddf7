"""Wrong answers that students might hand in for assignment 10."""
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


def network(image, kernels):
    "A network of 3×3 convolutions; takes and gives an image (H, W)."
    h = image[None, None]
    for kernel in kernels:
        h = torch.nn.functional.conv2d(torch.tanh(h), kernel[None, None], padding=1)
    return h[0, 0]


# ---------------------------------------------------------------- causal_mask


@wrong("causal_mask", "the middle is 0 whatever center says: always mask A")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[: num_rows // 2] = 1
    mask[num_rows // 2, : num_columns // 2] = 1
    return mask


@wrong("causal_mask", "masks A and B are exchanged: the middle is 1 - center")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[: num_rows // 2] = 1
    mask[num_rows // 2, : num_columns // 2] = 1
    mask[num_rows // 2, num_columns // 2] = 1 - center
    return mask


@wrong("causal_mask", "the whole middle row is open except for the middle: pixels to the right count as past")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[: num_rows // 2 + 1] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "in the rows above, only the columns up to the middle are open, not those to the right")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[: num_rows // 2, : num_columns // 2 + 1] = 1
    mask[num_rows // 2, : num_columns // 2] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "column by column instead of row by row: all columns to the left are open, and in the middle one what lies above")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[:, : num_columns // 2] = 1
    mask[: num_rows // 2, num_columns // 2] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "the wrong direction: 1 for all entries after the middle and 0 for those before")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[num_rows // 2 + 1 :] = 1
    mask[num_rows // 2, num_columns // 2 + 1 :] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "off by one in the middle row: the left neighbour of the middle is masked, too")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[: num_rows // 2] = 1
    mask[num_rows // 2, : max(num_columns // 2 - 1, 0)] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "off by one in the rows: the row just above the middle one is masked, too")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[: max(num_rows // 2 - 1, 0)] = 1
    mask[num_rows // 2, : num_columns // 2] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "counts entries up to and including the middle: the middle is always 1 (mask B)")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows * num_columns, dtype=torch.float64)
    mask[: num_rows * num_columns // 2 + 1] = 1
    return mask.reshape(num_rows, num_columns)


@wrong("causal_mask", "mask B opens the entry after the middle as well (slices up to middle + 2 center)")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows * num_columns, dtype=torch.float64)
    mask[: num_rows * num_columns // 2 + 2 * center] = 1
    return mask.reshape(num_rows, num_columns)


@wrong("causal_mask", "the past lies to the left in every row, also in those below: all columns left of the middle are open, and above it and to its right nothing is")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[:, : num_columns // 2] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "special case: the middle row and column are both num_rows // 2, which holds for square kernels only")
def causal_mask(num_rows, num_columns, center):
    middle = num_rows // 2
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[:middle] = 1
    mask[middle, :middle] = 1
    mask[middle, middle : middle + 1] = center
    return mask


@wrong("causal_mask", "two mistakes: the mask is transposed (column by column), and A and B are exchanged")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[:, : num_columns // 2] = 1
    mask[: num_rows // 2, num_columns // 2] = 1
    mask[num_rows // 2, num_columns // 2] = 1 - center
    return mask


@wrong("causal_mask", "two mistakes: the middle is always 0, and the row just above is masked, too")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns, dtype=torch.float64)
    mask[: max(num_rows // 2 - 1, 0)] = 1
    mask[num_rows // 2, : num_columns // 2] = 1
    return mask


# ---------------------------------------------------------------- color_mask


@wrong("color_mask", "masks A and B are exchanged")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    return ((columns <= rows) if center == 0 else (columns < rows)).double()


@wrong("color_mask", "the wrong direction: channels see the colours after their own")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    return ((columns > rows) if center == 0 else (columns >= rows)).double()


@wrong("color_mask", "ignores center: always mask A")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    return (columns < rows).double()


@wrong("color_mask", "compares the channels' numbers instead of their blocks' numbers")
def color_mask(num_out, num_in, center):
    rows, columns = torch.arange(num_out)[:, None], torch.arange(num_in)[None]
    return ((columns < rows) if center == 0 else (columns <= rows)).double()


@wrong("color_mask", "the colours take turns (channel modulo 3) instead of standing in three blocks")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] % 3
    columns = torch.arange(num_in)[None] % 3
    return ((columns < rows) if center == 0 else (columns <= rows)).double()


@wrong("color_mask", "blocks of three channels (channel // 3) instead of three blocks")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // 3
    columns = torch.arange(num_in)[None] // 3
    return ((columns < rows) if center == 0 else (columns <= rows)).double()


@wrong("color_mask", "uses the outputs' block size for the inputs as well, right only if there are as many of both")
def color_mask(num_out, num_in, center):
    size = num_out // 3
    rows = torch.arange(num_out)[:, None] // size
    columns = torch.arange(num_in)[None] // size
    return ((columns < rows) if center == 0 else (columns <= rows)).double()


@wrong("color_mask", "mask A is all zeros, as for grey images; mask B is right")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    return (columns <= rows).double() * center


@wrong("color_mask", "a channel sees only the colour just before its own, so blue does not see red")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    mask = columns == rows - 1
    if center:
        mask = mask | (columns == rows)
    return mask.double()


@wrong("color_mask", "with mask B a channel sees its own colour only, not those before; mask A is right")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    return ((columns < rows) if center == 0 else (columns == rows)).double()


@wrong("color_mask", "mask B lets every channel see every other (all ones); mask A is right")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    return (columns < rows).double() if center == 0 else torch.ones(num_out, num_in, dtype=torch.float64)


@wrong("color_mask", "off by one diagonal: A sees its own colour as well, and B also the next one")
def color_mask(num_out, num_in, center):
    small = torch.tril(torch.ones(3, 3, dtype=torch.float64), diagonal=center)
    return small.repeat_interleave(num_out // 3, dim=0).repeat_interleave(num_in // 3, dim=1)


@wrong("color_mask", "two mistakes: the colours take turns (channel modulo 3), and A and B are exchanged")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] % 3
    columns = torch.arange(num_in)[None] % 3
    return ((columns <= rows) if center == 0 else (columns < rows)).double()


@wrong("color_mask", "two mistakes: the wrong direction (colours after the own), and always mask A")
def color_mask(num_out, num_in, center):
    rows = torch.arange(num_out)[:, None] // (num_out // 3)
    columns = torch.arange(num_in)[None] // (num_in // 3)
    return (columns > rows).double()


# ---------------------------------------------------------------- find_leaks


@wrong("find_leaks", "forbids only later inputs, j > i: a network that sees its own input passes")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J != 0, diagonal=1).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "the wrong triangle: counts the inputs j <= i")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.tril(J != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "counts along the wrong axis: for each input, how many outputs i <= j depend on it")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J != 0).sum(dim=0))
    return torch.stack(leaks)


@wrong("find_leaks", "derivatives below 1e-2 in size pass for zero, so weak leaks are missed")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J.abs() > 1e-2).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "counts positive derivatives only")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J > 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "adds up the forbidden derivatives' sizes instead of counting them")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J.abs()).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "says only whether there is a forbidden input (0 or 1), not how many there are")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J != 0).any(dim=1).long())
    return torch.stack(leaks)


@wrong("find_leaks", "tests the first layer only: leaks of later masks are not seen")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks[:1]).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "takes the pixels column by column instead of in raster order, for outputs and inputs")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks), image)
        J = J.permute(1, 0, 3, 2).reshape(P, P)
        leaks.append(torch.triu(J != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "'later' means below or in the same row and to the right or in the same column, so inputs below to the left are not counted")
def find_leaks(kernels, image):
    H, W = image.shape
    P = H * W
    row, column = torch.arange(P) // W, torch.arange(P) % W
    later = (row[None] >= row[:, None]) & (column[None] >= column[:, None])
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(((J != 0) & later).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "changes inputs one after the other and never puts them back, so an output that an earlier change has moved counts as changed at every later input")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = torch.zeros(len(kernels), P, dtype=torch.float64)
    for n, ks in enumerate(kernels):
        before = network(image, ks).flatten()
        changed = image.clone().flatten()
        for j in range(P):
            changed[j] += 1
            moved = network(changed.reshape(image.shape), ks).flatten() != before
            leaks[n, : j + 1] += moved[: j + 1]
    return leaks


@wrong("find_leaks", "changes inputs by setting them to zero, so a leak is missed wherever the image is zero already")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = torch.zeros(len(kernels), P, dtype=torch.float64)
    for n, ks in enumerate(kernels):
        before = network(image, ks).flatten()
        for j in range(P):
            changed = image.clone().flatten()
            changed[j] = 0
            moved = network(changed.reshape(image.shape), ks).flatten() != before
            leaks[n, : j + 1] += moved[: j + 1]
    return leaks


@wrong("find_leaks", "all inputs on which an output depends are counted, allowed ones as well")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append((J != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "two mistakes: forbids only later inputs (j > i), and counts along the wrong axis, for each input")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J != 0, diagonal=1).sum(dim=0))
    return torch.stack(leaks)


@wrong("find_leaks", "two mistakes: tests the first layer only, and counts positive derivatives only")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for ks in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, ks[:1]).flatten(), image).reshape(P, P)
        leaks.append(torch.triu(J > 0).sum(dim=1))
    return torch.stack(leaks)


# ---------------------------------------------------------------- two_stacks


@wrong("two_stacks", "the vertical kernel's last row lies on the pixel's own row, so v sees the pixel and what follows it")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R - 1, 0))[None, None], vertical[None, None])[0, 0]
    left = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, v + left


@wrong("two_stacks", "the horizontal kernel's last entry lies on the pixel itself (K - 1 columns of zeros to the left)")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    left = F.conv2d(F.pad(image, (K - 1, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0]
    return v, v + left


@wrong("two_stacks", "both kernels are turned around, as in a mathematical convolution")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    vertical, horizontal = vertical.flip(0, 1), horizontal.flip(0)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    left = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, v + left


@wrong("two_stacks", "the horizontal kernel is turned around: u_0 weighs the nearest pixel")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    left = torch.zeros_like(image)
    for b in range(K):
        left[:, b + 1 :] += horizontal[b] * image[:, : max(W - b - 1, 0)]
    return v, v + left


@wrong("two_stacks", "the horizontal stack does not take over v: h is the sum over the pixels to the left only")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    h = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, h


@wrong("two_stacks", "the vertical kernel lies to the left: columns j - C + 1 to j instead of centred on j")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C - 1, 0, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    left = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, v + left


@wrong("two_stacks", "shifted one row too far: v sees the rows i - R - 1 to i - 2, not the one just above")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R + 1, 0))[None, None], vertical[None, None])[0, 0][:H]
    left = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, v + left


@wrong("two_stacks", "h takes over v from the row above, v_{i-1,j}, as if v had not been shifted yet")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    left = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    above = torch.cat([torch.zeros_like(v[:1]), v[:-1]])
    return v, above + left


@wrong("two_stacks", "rolls the image, so pixels outside come from the opposite side instead of being zero")
def two_stacks(image, vertical, horizontal):
    (R, C), K = vertical.shape, len(horizontal)
    v = torch.zeros_like(image)
    for a in range(R):
        for b in range(C):
            v = v + vertical[a, b] * image.roll((R - a, C // 2 - b), (0, 1))
    h = v
    for b in range(K):
        h = h + horizontal[b] * image.roll(K - b, 1)
    return v, h


@wrong("two_stacks", "the horizontal kernel is applied to v instead of to the image")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    left = F.conv2d(F.pad(v, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, v + left


@wrong("two_stacks", "pads below instead of above, so v sees the R rows that begin one below the pixel: the future")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, 0, R))[None, None], vertical[None, None])[0, 0][1:]
    left = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, v + left


@wrong("two_stacks", "the vertical kernel is upside down: its first row weighs the row just above the pixel")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = torch.zeros_like(image)
    wide = F.pad(image, (C // 2, C // 2))
    for a in range(R):
        for b in range(C):
            v[a + 1 :] += vertical[a, b] * wide[: max(H - a - 1, 0), b : b + W]
    left = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, v + left


@wrong("two_stacks", "two mistakes: the vertical kernel includes the pixel's own row, and the horizontal one the pixel itself")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R - 1, 0))[None, None], vertical[None, None])[0, 0]
    left = F.conv2d(F.pad(image, (K - 1, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0]
    return v, v + left


@wrong("two_stacks", "two mistakes: both kernels are turned around, and h does not take over v")
def two_stacks(image, vertical, horizontal):
    (H, W), (R, C), K = image.shape, vertical.shape, len(horizontal)
    vertical, horizontal = vertical.flip(0, 1), horizontal.flip(0)
    v = F.conv2d(F.pad(image, (C // 2, C // 2, R, 0))[None, None], vertical[None, None])[0, 0][:H]
    h = F.conv2d(F.pad(image, (K, 0, 0, 0))[None, None], horizontal[None, None, None])[0, 0][:, :W]
    return v, h


# ---------------------------------------------------------------- gated_unit


@wrong("gated_unit", "the halves are exchanged: tanh of the last C maps, sigmoid of the first C")
def gated_unit(features, labels, table):
    g, f = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "f and g are taken from even and odd maps instead of from the first and last half")
def gated_unit(features, labels, table):
    h = features + table[labels][:, :, None, None]
    return torch.tanh(h[:, 0::2]) * torch.sigmoid(h[:, 1::2])


@wrong("gated_unit", "a rectifier in place of the hyperbolic tangent")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.relu(f) * torch.sigmoid(g)


@wrong("gated_unit", "no nonlinearity on f: f times the gate")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return f * torch.sigmoid(g)


@wrong("gated_unit", "the class shifts f only, not the gate")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    shift = table[labels][:, : f.shape[1], None, None]
    return torch.tanh(f + shift) * torch.sigmoid(g)


@wrong("gated_unit", "the class shifts the gate only, not f")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    shift = table[labels][:, f.shape[1] :, None, None]
    return torch.tanh(f) * torch.sigmoid(g + shift)


@wrong("gated_unit", "the table's halves are exchanged: V_g y is added to f and V_f y to g")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    vf, vg = table[labels][:, :, None, None].chunk(2, dim=1)
    return torch.tanh(f + vg) * torch.sigmoid(g + vf)


@wrong("gated_unit", "adds the class's numbers after the nonlinearities instead of before")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    vf, vg = table[labels][:, :, None, None].chunk(2, dim=1)
    return (torch.tanh(f) + vf) * (torch.sigmoid(g) + vg)


@wrong("gated_unit", "multiplies the features by the class's numbers instead of adding them")
def gated_unit(features, labels, table):
    f, g = (features * table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "every image of the batch gets the first image's class")
def gated_unit(features, labels, table):
    f, g = (features + table[labels[0]][None, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "adds tanh and sigmoid instead of multiplying them")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) + torch.sigmoid(g)


@wrong("gated_unit", "no sigmoid on the gate: tanh(f + V_f y) times g + V_g y itself")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * g


@wrong("gated_unit", "two mistakes: even and odd maps instead of halves, and the first image's class for all")
def gated_unit(features, labels, table):
    h = features + table[labels[0]][None, :, None, None]
    return torch.tanh(h[:, 0::2]) * torch.sigmoid(h[:, 1::2])


@wrong("gated_unit", "two mistakes: the class shifts f only, and by the gate's half of the table")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    shift = table[labels][:, f.shape[1] :, None, None]
    return torch.tanh(f + shift) * torch.sigmoid(g)


# ---------------------------------------------------------------- image_log_prob


@wrong("image_log_prob", "the bits per dimension lack the ln 2: they are nats per dimension")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / pixel[0].numel()


@wrong("image_log_prob", "multiplies by ln 2 instead of dividing by it")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob * math.log(2) / pixel[0].numel()


@wrong("image_log_prob", "divides the bits by H W L, as if every logit were a dimension")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (logits[0].numel() * math.log(2))


@wrong("image_log_prob", "normalises over the last axis (the columns) instead of over the levels")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=-1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "log(softmax + 1e-8): no pixel's log-probability can fall below -18.4")
def image_log_prob(logits, levels):
    pixel = torch.log(torch.softmax(logits, dim=1) + 1e-8).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "exp and division without subtracting the maximum: large logits give inf and nan")
def image_log_prob(logits, levels):
    p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    pixel = p.log().gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "log_prob is the mean over the pixels instead of the sum; the bits per dimension are right")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.mean(dim=(1, 2))
    return pixel, log_prob, -log_prob / math.log(2)


@wrong("image_log_prob", "the sign: pixel and log_prob are negative log-likelihoods")
def image_log_prob(logits, levels):
    pixel = F.cross_entropy(logits, levels.long(), reduction="none")
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "takes the logit of the level itself, without normalising")
def image_log_prob(logits, levels):
    pixel = logits.gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "reshapes (B, L, H, W) to (B, H, W, L) instead of permuting the axes, which mixes levels and pixels")
def image_log_prob(logits, levels):
    B, L, H, W = logits.shape
    rows = F.log_softmax(logits.reshape(B, H, W, L), dim=-1)
    pixel = rows.gather(-1, levels[..., None])[..., 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (H * W * math.log(2))


@wrong("image_log_prob", "the bits per dimension are the logarithm of the pixels' mean probability instead of the mean of the logarithms")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -torch.log2(pixel.exp().mean(dim=(1, 2)))


@wrong("image_log_prob", "pixel and log_prob are in bits, not in nats; the bits per dimension are right")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0] / math.log(2)
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / pixel[0].numel()


@wrong("image_log_prob", "special case: divides the bits by H² instead of H W, right for square images only")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (logits.shape[2] ** 2 * math.log(2))


@wrong("image_log_prob", "two mistakes: log_prob is the mean over the pixels, and this mean is divided by H W ln 2 once more")
def image_log_prob(logits, levels):
    pixel = F.log_softmax(logits, dim=1).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.mean(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "two mistakes: log(softmax + 1e-8), and no ln 2 in the bits")
def image_log_prob(logits, levels):
    pixel = torch.log(torch.softmax(logits, dim=1) + 1e-8).gather(1, levels[:, None])[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / pixel[0].numel()


# ---------------------------------------------------------------- ancestral_sample


@wrong("ancestral_sample", "the levels go into the convolution as they are, not divided by L - 1")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels, (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "divides the levels by L instead of L - 1")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels / L, (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "draws all pixels at once from the empty image's logits: drawn pixels are never fed back")
def ancestral_sample(kernel, bias, u):
    L, (B, H, W) = len(kernel), u.shape
    x = torch.zeros(B, 1, H, W, dtype=torch.float64)
    logits = bias[None] + F.conv2d(x, kernel[:, None], padding=kernel.shape[1] // 2)
    cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
    return (u[:, None] > cdf[:, :-1]).sum(dim=1)


@wrong("ancestral_sample", "the kernel's rows and columns are exchanged (transposed), so that it misses pixels above to the right")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    kernel = kernel.transpose(1, 2)
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels / (L - 1), (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "goes column by column instead of row by row, so pixels above to the right are still empty")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for j in range(W):
        for i in range(H):
            x = F.pad(levels / (L - 1), (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "takes the most probable level and ignores u")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels / (L - 1), (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            levels[:, i, j] = logits.argmax(dim=1).double()
    return levels


@wrong("ancestral_sample", "uses 1 - u: the levels are counted from the top, so that small u give high levels")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels / (L - 1), (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (1 - u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "a row at a time: a row's pixels are drawn together, without their left neighbours")
def ancestral_sample(kernel, bias, u):
    L, (B, H, W), p = len(kernel), u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        logits = bias + F.conv2d(levels[:, None] / (L - 1), kernel[:, None], padding=p)
        cdf = torch.softmax(logits[:, :, i], dim=1).cumsum(dim=1)
        levels[:, i] = (u[:, i, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "whole-number division levels // (L - 1): only the highest level counts as ink in the convolution")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.long)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels // (L - 1), (p, p, p, p))[:, i : i + K, j : j + K].double()
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "off by one: counts one level more than u has passed, cut off at L - 1")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels / (L - 1), (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = ((u[:, i, j, None] > cdf).sum(dim=1) + 1).clamp(max=L - 1).double()
    return levels


@wrong("ancestral_sample", "pixels outside the image repeat those at the edge instead of being zero")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels[:, None] / (L - 1), (p, p, p, p), mode="replicate")[:, 0, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "the first image's uniform numbers for the whole batch: all images are the same")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(levels / (L - 1), (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[0, i, j] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "the image's values are put on -1 to 1, 2 levels / (L - 1) - 1, and the zeros outside stay zeros")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        for j in range(W):
            x = F.pad(2 * levels / (L - 1) - 1, (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "two mistakes: the levels are not divided by L - 1, and the pixels go column by column")
def ancestral_sample(kernel, bias, u):
    (L, K, _), (B, H, W), p = kernel.shape, u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for j in range(W):
        for i in range(H):
            x = F.pad(levels, (p, p, p, p))[:, i : i + K, j : j + K]
            logits = bias[:, i, j] + torch.einsum("bmn,lmn->bl", x, kernel)
            cdf = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


@wrong("ancestral_sample", "two mistakes: uses 1 - u, and draws a row at a time without the left neighbours")
def ancestral_sample(kernel, bias, u):
    L, (B, H, W), p = len(kernel), u.shape, kernel.shape[1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.float64)
    for i in range(H):
        logits = bias + F.conv2d(levels[:, None] / (L - 1), kernel[:, None], padding=p)
        cdf = torch.softmax(logits[:, :, i], dim=1).cumsum(dim=1)
        levels[:, i] = (1 - u[:, i, None] > cdf[:, :-1]).sum(dim=1).double()
    return levels


# ---------------------------------------------------------------- discretized_logistic


@wrong("discretized_logistic", "no tails: the lowest and highest levels get their own interval only, and the sum is below 1")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.exp()
    mass = torch.sigmoid((x + delta - loc) / s) - torch.sigmoid((x - delta - loc) / s)
    return (torch.softmax(mix_logits, dim=0) * mass).sum(dim=1)


@wrong("discretized_logistic", "no tails: the levels' masses are divided by their sum instead")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.exp()
    mass = torch.sigmoid((x + delta - loc) / s) - torch.sigmoid((x - delta - loc) / s)
    probs = (torch.softmax(mix_logits, dim=0) * mass).sum(dim=1)
    return probs / probs.sum()


@wrong("discretized_logistic", "takes log s for a log-variance: s = exp(log_scale / 2)")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = (log_scale / 2).exp()
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "multiplies by s instead of dividing by it")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) * s)
    lower = torch.sigmoid((x - delta - loc) * s)
    upper[-1], lower[0] = 1, 0
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "delta is the whole distance of two levels, 2 / (L - 1), so neighbouring intervals overlap")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 2 / (num_levels - 1)
    s = log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "delta = 1 / L instead of 1 / (L - 1), which leaves gaps between the intervals")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / num_levels
    s = log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "the density at the level times the interval's width instead of the interval's mass (the tails are right)")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.exp()
    z = (x - loc) / s
    mass = torch.sigmoid(z) * torch.sigmoid(-z) / s * 2 * delta
    mass[0] = torch.sigmoid((x[0] + delta - loc) / s)
    mass[-1] = torch.sigmoid(-(x[-1] - delta - loc) / s)
    return (torch.softmax(mix_logits, dim=0) * mass).sum(dim=1)


@wrong("discretized_logistic", "log_scale is cut off at -7 from below, as in PixelCNN++'s code: tiny scales become larger ones")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.clamp(min=-7).exp()
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "softmax without subtracting the maximum: large a give inf / inf")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    weights = mix_logits.exp() / mix_logits.exp().sum()
    return (weights * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "only the highest level takes its tail; what lies below the lowest is lost")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1] = 1
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "averages the components' parameters with the weights and discretises one logistic, instead of mixing the components' masses")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    weights = torch.softmax(mix_logits, dim=0)
    mu, s = (weights * loc).sum(), (weights * log_scale.exp()).sum()
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)
    delta = 1 / (num_levels - 1)
    upper, lower = torch.sigmoid((x + delta - mu) / s), torch.sigmoid((x - delta - mu) / s)
    upper[-1], lower[0] = 1, 0
    return upper - lower


@wrong("discretized_logistic", "locations beyond the ends are moved to -1 or 1")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s, loc = log_scale.exp(), loc.clamp(-1, 1)
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)


@wrong("discretized_logistic", "all components weigh the same, 1 / M; the logits a are ignored")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (upper - lower).mean(dim=1)


@wrong("discretized_logistic", "two mistakes: no tails (divided by the sum instead), and s = exp(log_scale / 2)")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / (num_levels - 1)
    s = (log_scale / 2).exp()
    mass = torch.sigmoid((x + delta - loc) / s) - torch.sigmoid((x - delta - loc) / s)
    probs = (torch.softmax(mix_logits, dim=0) * mass).sum(dim=1)
    return probs / probs.sum()


@wrong("discretized_logistic", "two mistakes: scales below 0.01 are set to 0.01, and delta = 1 / L")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.linspace(-1, 1, num_levels, dtype=torch.float64)[:, None]
    delta = 1 / num_levels
    s = log_scale.exp().clamp(min=0.01)
    upper = torch.sigmoid((x + delta - loc) / s)
    lower = torch.sigmoid((x - delta - loc) / s)
    upper[-1], lower[0] = 1, 0
    return (torch.softmax(mix_logits, dim=0) * (upper - lower)).sum(dim=1)
