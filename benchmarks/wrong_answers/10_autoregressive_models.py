"""Wrong answers that students might hand in for assignment 10.

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


# ---- given by the notebook ----
def network(image, kernels):
    h = image[None, None]
    for kernel in kernels:
        h = torch.nn.functional.conv2d(torch.tanh(h), kernel[None, None], padding=1)
    return h[0, 0]


# ---- causal_mask ----
@wrong("causal_mask", "A and B swapped")
def causal_mask(num_rows, num_columns, center):
    mask = torch.ones(num_rows, num_columns)
    i, j = num_rows // 2, num_columns // 2
    mask[i, j + center :] = 0
    mask[i, j] = 1 - center
    mask[i, j + 1 :] = 0
    mask[i + 1 :] = 0
    return mask


@wrong("causal_mask", "the middle is 0 whatever center says (right for mask A)")
def causal_mask(num_rows, num_columns, center):
    mask = torch.ones(num_rows, num_columns)
    mask[num_rows // 2, num_columns // 2 :] = 0
    mask[num_rows // 2 + 1 :] = 0
    return mask


@wrong("causal_mask", "the middle is 1 whatever center says (right for mask B)")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[: num_rows // 2] = 1
    mask[num_rows // 2, : num_columns // 2 + 1] = 1
    return mask


@wrong("causal_mask", "off by one: mask B also opens the pixel to the right of the middle")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[: num_rows // 2] = 1
    mask[num_rows // 2, : num_columns // 2 + 2 * center] = 1
    return mask


@wrong("causal_mask", "off by one: the left neighbour is closed in mask A, the middle in mask B")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[: num_rows // 2] = 1
    mask[num_rows // 2, : max(num_columns // 2 - 1 + center, 0)] = 1
    return mask


@wrong("causal_mask", "forgets to close the rows below the middle")
def causal_mask(num_rows, num_columns, center):
    mask = torch.ones(num_rows, num_columns)
    mask[num_rows // 2, num_columns // 2 + center :] = 0
    return mask


@wrong("causal_mask", "lower triangle of a matrix, as in transformers")
def causal_mask(num_rows, num_columns, center):
    return torch.tril(torch.ones(num_rows, num_columns), diagonal=center - 1)


@wrong("causal_mask", "the rows above are open only up to the middle column")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[: num_rows // 2, : num_columns // 2 + 1] = 1
    mask[num_rows // 2, : num_columns // 2 + center] = 1
    return mask


@wrong("causal_mask", "the row of the middle is closed altogether, apart from the middle in mask B")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[: num_rows // 2] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "column by column in place of row by row")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[:, : num_columns // 2] = 1
    mask[: num_rows // 2 + center, num_columns // 2] = 1
    return mask


@wrong("causal_mask", "rows and columns swapped: the middle is looked for at (columns // 2, rows // 2) (right for square kernels)")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[: num_columns // 2] = 1
    if num_columns // 2 < num_rows:
        mask[num_columns // 2, : num_rows // 2 + center] = 1
    return mask


@wrong("causal_mask", "the future is open and the past is closed, as for a flipped kernel")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[num_rows // 2, num_columns // 2 + 1 - center :] = 1
    mask[num_rows // 2 + 1 :] = 1
    return mask


@wrong("causal_mask", "the right half of the middle's row stays open in both masks, apart from the middle itself")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows, num_columns)
    mask[: num_rows // 2 + 1] = 1
    mask[num_rows // 2, num_columns // 2] = center
    return mask


@wrong("causal_mask", "off by one in the rows: one row below the middle is open too (right for one row)")
def causal_mask(num_rows, num_columns, center):
    mask = torch.ones(num_rows, num_columns)
    mask[num_rows // 2, num_columns // 2 + center :] = 0
    mask[num_rows // 2 + 2 :] = 0
    return mask


@wrong("causal_mask", "the middle is at half the number of entries, rounded up (one too far)")
def causal_mask(num_rows, num_columns, center):
    mask = torch.zeros(num_rows * num_columns)
    mask[: (num_rows * num_columns + 1) // 2 + center] = 1
    return mask.reshape(num_rows, num_columns)


@wrong("causal_mask", "two mistakes: A and B swapped, and the rows below are open")
def causal_mask(num_rows, num_columns, center):
    mask = torch.ones(num_rows, num_columns)
    mask[num_rows // 2, num_columns // 2 + 1 - center :] = 0
    return mask


# ---- color_mask ----
@wrong("color_mask", "transposed comparison: the output sees the colours after its own")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (into >= out if center else into > out).double()


@wrong("color_mask", "A and B swapped")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] * 3 // num_out
    into = torch.arange(num_in)[None] * 3 // num_in
    return (into < out if center else into <= out).double()


@wrong("color_mask", "channels interleaved r g b r g b, by the remainder modulo 3 (right for three channels)")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] % 3
    into = torch.arange(num_in)[None] % 3
    return (into <= out if center else into < out).double()


@wrong("color_mask", "lower triangle of channels, not of blocks (right for 3 to 3)")
def color_mask(num_out, num_in, center):
    return torch.tril(torch.ones(num_out, num_in), diagonal=center - 1)


@wrong("color_mask", "ignores center: always mask B")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] // (num_out // 3)
    into = torch.arange(num_in)[None] // (num_in // 3)
    return (into <= out).double()


@wrong("color_mask", "ignores center: always mask A")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] // (num_out // 3)
    into = torch.arange(num_in)[None] // (num_in // 3)
    return (into < out).double()


@wrong("color_mask", "mask A sees the colour just before only: blue does not see red")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] // (num_out // 3)
    into = torch.arange(num_in)[None] // (num_in // 3)
    return ((into == out - 1) | ((into == out) & bool(center))).double()


@wrong("color_mask", "mask B sees its own colour only")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] // (num_out // 3)
    into = torch.arange(num_in)[None] // (num_in // 3)
    return (into == out if center else into < out).double()


@wrong("color_mask", "in mask B a channel sees, of its own colour, only itself and the channels before it")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] // (num_out // 3)
    into = torch.arange(num_in)[None] // (num_in // 3)
    mask = (into < out).double()
    if center:
        own = (into == out) & (torch.arange(num_in)[None] <= torch.arange(num_out)[:, None])
        mask = torch.maximum(mask, own.double())
    return mask


@wrong("color_mask", "block of the input computed with the number of outputs (right where both are equal)")
def color_mask(num_out, num_in, center):
    block = num_out // 3
    out = torch.arange(num_out)[:, None] // block
    into = (torch.arange(num_in)[None] // block).clamp(max=2)
    return (into <= out if center else into < out).double()


@wrong("color_mask", "order blue, green, red")
def color_mask(num_out, num_in, center):
    out = 2 - torch.arange(num_out)[:, None] // (num_out // 3)
    into = 2 - torch.arange(num_in)[None] // (num_in // 3)
    return (into <= out if center else into < out).double()


@wrong("color_mask", "no colour sees another at its own pixel: all zeros in mask A, ones on the diagonal blocks in mask B")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] // (num_out // 3)
    into = torch.arange(num_in)[None] // (num_in // 3)
    return ((into == out) & bool(center)).double()


@wrong("color_mask", "builds the mask with inputs as rows and reshapes it (right where both are equal in number and order does not matter)")
def color_mask(num_out, num_in, center):
    into = torch.arange(num_in)[:, None] // (num_in // 3)
    out = torch.arange(num_out)[None] // (num_out // 3)
    mask = (into <= out if center else into < out).double()
    return mask.reshape(num_out, num_in)


@wrong("color_mask", "mask A opens everything but the own colour, the later ones too")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] // (num_out // 3)
    into = torch.arange(num_in)[None] // (num_in // 3)
    return torch.ones(num_out, num_in).double() if center else (into != out).double()


@wrong("color_mask", "as in grey images: all channels of the middle are 0 or 1, by center")
def color_mask(num_out, num_in, center):
    return torch.full((num_out, num_in), float(center))


@wrong("color_mask", "two mistakes: interleaved channels, and A and B swapped")
def color_mask(num_out, num_in, center):
    out = torch.arange(num_out)[:, None] % 3
    into = torch.arange(num_in)[None] % 3
    return (into < out if center else into <= out).double()


# ---- find_leaks ----
@wrong("find_leaks", "off by one: only j > i counts, so seeing the pixel itself is no leak")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J, diagonal=1) != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "the wrong triangle: counts the inputs before i")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.tril(J) != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "counts, for each input, the outputs that see it: sums over the wrong axis")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J) != 0).sum(dim=0))
    return torch.stack(leaks)


@wrong("find_leaks", "a threshold of 1e-3 on the gradients, which misses weak leaks")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J).abs() > 1e-3).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "positive gradients only: forgets the absolute value")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J) > 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "counts all inputs that an output depends on, allowed ones too")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((J != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "says 0 or 1, whether there is a leak, in place of a count")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J) != 0).any(dim=1).double())
    return torch.stack(leaks)


@wrong("find_leaks", "adds the sizes of the forbidden gradients up in place of counting them")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append(torch.triu(J).abs().sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "trusts the masks: counts the open weights of each layer from the middle on, for every pixel")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = torch.zeros(len(kernels), P)
    for n, kernel in enumerate(kernels):
        flat = kernel.reshape(len(kernel), 9)
        bad = (flat[0, 4:] != 0).sum() + (flat[1:, 5:] != 0).sum()
        leaks[n] = bad
    return leaks


@wrong("find_leaks", "tests the first layer only")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel[:1]), image).reshape(P, P)
        leaks.append((torch.triu(J) != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "tests each layer by itself, and adds the leaks of all")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = torch.zeros(len(kernels), P)
    for n, kernel in enumerate(kernels):
        for layer in kernel:
            J = torch.autograd.functional.jacobian(lambda x: network(x, layer[None]), image).reshape(P, P)
            leaks[n] += (torch.triu(J) != 0).sum(dim=1)
    return leaks


@wrong("find_leaks", "changes all inputs from j on at once: the count only says how far the furthest leak reaches")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = torch.zeros(len(kernels), P)
    for n, kernel in enumerate(kernels):
        before = network(image, kernel).flatten()
        for j in range(P):
            changed = image.flatten().clone()
            changed[j:] += 1.0
            after = network(changed.reshape(image.shape), kernel).flatten()
            for i in range(j + 1):
                leaks[n, i] += float(after[i] != before[i])
    return leaks


@wrong("find_leaks", "changes one input, and looks whether the output changed by more than 1e-2")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = torch.zeros(len(kernels), P)
    for n, kernel in enumerate(kernels):
        before = network(image, kernel).flatten()
        for j in range(P):
            changed = image.flatten().clone()
            changed[j] += 0.1
            after = network(changed.reshape(image.shape), kernel).flatten()
            leaks[n, : j + 1] += ((after - before).abs() > 1e-2)[: j + 1]
    return leaks


@wrong("find_leaks", "changes one input, and counts the outputs after it in place of before it")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = torch.zeros(len(kernels), P)
    for n, kernel in enumerate(kernels):
        before = network(image, kernel).flatten()
        for j in range(P):
            changed = image.flatten().clone()
            changed[j] += 1.0
            after = network(changed.reshape(image.shape), kernel).flatten()
            leaks[n, j:] += (after != before)[j:]
    return leaks


@wrong("find_leaks", "pixels in column order: transposes the image before flattening")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x.T, kernel).T, image.T.contiguous()).reshape(P, P)
        leaks.append((torch.triu(J) != 0).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "a later input is one with both a later row and a later column, so leaks in other places escape")
def find_leaks(kernels, image):
    H, W = image.shape
    leaks = torch.zeros(len(kernels), H * W)
    for n, kernel in enumerate(kernels):
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image)
        for i in range(H):
            for j in range(W):
                leaks[n, i * W + j] = (J[i, j, i:, j:] != 0).sum()
    return leaks


@wrong("find_leaks", "takes the gradient of the sum of all outputs, one for all: each pixel counts 1 where later outputs see it")
def find_leaks(kernels, image):
    leaks = []
    for kernel in kernels:
        x = image.clone().requires_grad_()
        (slope,) = torch.autograd.grad(network(x, kernel).sum(), x)
        leaks.append((slope != 0).double().flatten())
    return torch.stack(leaks)


@wrong("find_leaks", "two mistakes: j > i only, and the wrong axis")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J, diagonal=1) != 0).sum(dim=0))
    return torch.stack(leaks)


# ---- two_stacks ----
@wrong("two_stacks", "the vertical stack sees the own row: pads too little above and one row too far down")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R - 1, 0))
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "the horizontal stack sees the pixel itself")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K - 1, 0, 0, 0))
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "h does not take over what the vertical stack found")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "h takes over v of the row above, shifting down twice")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    shifted = F.pad(v, (0, 0, 1, 0))[:-1]
    return v, shifted + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "both kernels flipped, as in a true convolution")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical.flip(0, 1)[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal.flip(0)[None, None, None])[0, 0]


@wrong("two_stacks", "the horizontal kernel flipped: u_0 belongs to the nearest pixel")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal.flip(0)[None, None, None])[0, 0]


@wrong("two_stacks", "leaves one row too many out: the vertical stack starts two rows above")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    H = image.shape[0]
    padded = F.pad(image[None, None], (C // 2, C // 2, R + 1, 0))[:, :, : H + R - 1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "drops the first row in place of the last, so v looks one row too low")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, 1:]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "drops the first column in place of the last, so h looks at the pixel itself")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., 1:]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "the vertical stack looks at the columns to the left only, causal in both directions")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C - 1, 0, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "the vertical stack's window is centred on the pixel: pads above and below alike")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    H = image.shape[0]
    padded = F.pad(image[None, None], (C // 2, C // 2, R // 2, R))
    v = F.conv2d(padded, vertical[None, None])[0, 0, :H]
    left = F.pad(image[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "repeats the border in place of zeros outside the image")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0), mode="replicate")[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K, 0, 0, 0), mode="replicate")[..., :-1]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "shifts by torch.roll, so that the last row and the last column come round to the other side")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image.roll(1, 0)[None, None], (C // 2, C // 2, R - 1, 0))
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image.roll(1, 1)[None, None], (K - 1, 0, 0, 0))
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "the horizontal stack runs over v, not over the image")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(v[None, None], (K, 0, 0, 0))[..., :-1]
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "the horizontal stack looks to the right")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R, 0))[:, :, :-1]
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    right = F.pad(image[None, None], (0, K, 0, 0))[..., 1:]
    return v, v + F.conv2d(right, horizontal[None, None, None])[0, 0]


@wrong("two_stacks", "two mistakes: both stacks see the pixel's own row and place")
def two_stacks(image, vertical, horizontal):
    R, C = vertical.shape
    K = len(horizontal)
    padded = F.pad(image[None, None], (C // 2, C // 2, R - 1, 0))
    v = F.conv2d(padded, vertical[None, None])[0, 0]
    left = F.pad(image[None, None], (K - 1, 0, 0, 0))
    return v, v + F.conv2d(left, horizontal[None, None, None])[0, 0]


# ---- gated_unit ----
@wrong("gated_unit", "tanh and sigmoid swapped")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.sigmoid(f) * torch.tanh(g)


@wrong("gated_unit", "ignores the class")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "even feature maps for f, odd ones for g")
def gated_unit(features, labels, table):
    h = features + table[labels][:, :, None, None]
    return torch.tanh(h[:, 0::2]) * torch.sigmoid(h[:, 1::2])


@wrong("gated_unit", "the class moves the gate only")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    C = f.shape[1]
    return torch.tanh(f) * torch.sigmoid(g + table[labels][:, C:, None, None])


@wrong("gated_unit", "the class moves f only")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    C = f.shape[1]
    return torch.tanh(f + table[labels][:, :C, None, None]) * torch.sigmoid(g)


@wrong("gated_unit", "adds the two halves in place of multiplying")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) + torch.sigmoid(g)


@wrong("gated_unit", "multiplies features by the class's numbers in place of adding")
def gated_unit(features, labels, table):
    f, g = (features * table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "adds the class after the nonlinearities")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    vf, vg = table[labels][:, :, None, None].chunk(2, dim=1)
    return (torch.tanh(f) + vf) * (torch.sigmoid(g) + vg)


@wrong("gated_unit", "sigmoid on both halves")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.sigmoid(f) * torch.sigmoid(g)


@wrong("gated_unit", "no tanh: a gated linear unit")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return f * torch.sigmoid(g)


@wrong("gated_unit", "the table's halves swapped: V_g moves f and V_f moves g")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    vg, vf = table[labels][:, :, None, None].chunk(2, dim=1)
    return torch.tanh(f + vf) * torch.sigmoid(g + vg)


@wrong("gated_unit", "halves swapped: g first, f last")
def gated_unit(features, labels, table):
    g, f = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "uses the first image's class for the whole batch")
def gated_unit(features, labels, table):
    f, g = (features + table[labels[0]][None, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "labels count from 1: takes the row before, and the last one for class 0")
def gated_unit(features, labels, table):
    f, g = (features + table[labels - 1][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "subtracts the class's numbers")
def gated_unit(features, labels, table):
    f, g = (features - table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.sigmoid(g)


@wrong("gated_unit", "a softmax over the feature maps for the gate")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(f) * torch.softmax(g, dim=1)


@wrong("gated_unit", "a rectifier in place of tanh")
def gated_unit(features, labels, table):
    f, g = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return torch.relu(f) * torch.sigmoid(g)


@wrong("gated_unit", "two mistakes: tanh and sigmoid swapped, and the class left out")
def gated_unit(features, labels, table):
    f, g = features.chunk(2, dim=1)
    return torch.sigmoid(f) * torch.tanh(g)


# ---- image_log_prob ----
@wrong("image_log_prob", "softmax over a row's pixels in place of the levels")
def image_log_prob(logits, levels):
    log_p = torch.log_softmax(logits, dim=-1)
    pixel = log_p.gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "averages over pixels for log_prob (and so divides twice for the bits)")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.mean(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "bits without the division by ln 2, so nats per dimension")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / pixel[0].numel()


@wrong("image_log_prob", "multiplies by ln 2 in place of dividing")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob * math.log(2) / pixel[0].numel()


@wrong("image_log_prob", "the bits are negative: sign forgotten")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "bits for the whole image, not divided by the number of pixels")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / math.log(2)


@wrong("image_log_prob", "returns the cross-entropy, -log p, for log p")
def image_log_prob(logits, levels):
    pixel = F.cross_entropy(logits, levels.long(), reduction="none")
    nats = pixel.sum(dim=(1, 2))
    return pixel, nats, nats / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "exponentiates the logits: overflows for large ones")
def image_log_prob(logits, levels):
    p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    pixel = p.gather(1, levels[:, None].long())[:, 0].log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "logarithm of softmax + 1e-8 (wrong for large logits)")
def image_log_prob(logits, levels):
    p = torch.softmax(logits, dim=1)
    pixel = torch.log(p.gather(1, levels[:, None].long())[:, 0] + 1e-8)
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "logarithm of the softmax: minus infinity for large logits")
def image_log_prob(logits, levels):
    pixel = torch.softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0].log()
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "everything in bits: divides the log-probabilities by ln 2 as well")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0] / math.log(2)
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / pixel[0].numel()


@wrong("image_log_prob", "picks the logits without normalising them")
def image_log_prob(logits, levels):
    pixel = logits.gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "probability of the most likely level, not of the level that is there")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).max(dim=1).values
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "returns each pixel's probability, not its logarithm")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel.exp(), log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "divides by the number of all values of the batch")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel.numel() * math.log(2))


@wrong("image_log_prob", "divides by H, taking the image for square: H * H (right for square images)")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel.shape[1] ** 2 * math.log(2))


@wrong("image_log_prob", "divides by ln L in place of ln 2")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(logits.shape[1]))


@wrong("image_log_prob", "the logarithm of the mean probability of the pixels, times their number")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.exp().mean(dim=(1, 2)).log() * pixel[0].numel()
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("image_log_prob", "two mistakes: softmax over columns and no division by ln 2")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits, dim=2).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / pixel[0].numel()


@wrong("ancestral_sample", "feeds the whole numbers to the convolution, without the division by L - 1 (right for two levels)")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "divides by L in place of L - 1")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / L
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "forgets the bias")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "takes the bias of the transposed place (right for symmetric biases; clamped for others)")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, min(j, H - 1), min(i, W - 1)]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "draws all pixels at once from the empty image")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = torch.zeros(B, H, W, dtype=bias.dtype)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "column by column in place of raster order")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for j in range(W):
        for i in range(H):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "chooses the most likely level and ignores u")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            levels[:, i, j] = logits.argmax(dim=1)
    return levels


@wrong("ancestral_sample", "counts down: level 0 for the largest u")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (1 - u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "off by one: the level after the right one, at most L - 1")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = ((u[:, i, j, None] > cumulative).sum(dim=1) + 1).clamp(max=L - 1)
    return levels


@wrong("ancestral_sample", "off by one: cumulative sums without p_0, so level 0 takes p_0 + p_1")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, 1:]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "compares u with the probabilities themselves, without summing up (right for two levels)")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "the same uniform number for all images of the batch")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:1, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "the same uniform number for all pixels, that of the first")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, 0, 0, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "uniform numbers by transposed place (right for symmetric ones)")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, min(j, H - 1), min(i, W - 1), None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "softmax over the batch in place of the levels")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=0).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "goes through the image backwards, from the last pixel to the first")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in reversed(range(H)):
        for j in reversed(range(W)):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "repeats the border in place of zeros outside the image")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(F.pad(x[:, None], (pad, pad, pad, pad), mode="replicate"), kernel[:, None])[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "flips the kernel, as in a true convolution, so that it looks into the future, which is empty")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel.flip(1, 2)[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "starts each row anew: forgets to use what the rows above hold")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            x[:, :i] = 0
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "computes the logits once a row, before its pixels are drawn, so misses the left neighbours")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        x = levels.to(bias.dtype) / (L - 1)
        logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i] + bias[:, i]
        cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
        levels[:, i] = (u[:, i][:, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "two mistakes: no division by L - 1, and u counted down")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
            levels[:, i, j] = (1 - u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "sigmoid in place of softmax, so that the probabilities do not add up to 1")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            x = levels.to(bias.dtype) / (L - 1)
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            cumulative = torch.sigmoid(logits).cumsum(dim=1)
            levels[:, i, j] = (u[:, i, j, None] > cumulative[:, :-1]).sum(dim=1)
    return levels


@wrong("ancestral_sample", "keeps the expected grey value in the image while drawing, and returns drawn levels only at the end")
def ancestral_sample(kernel, bias, u):
    L, H, W = bias.shape
    B, pad = len(u), kernel.shape[-1] // 2
    x = torch.zeros(B, H, W, dtype=bias.dtype)
    levels = torch.zeros(B, H, W, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            logits = F.conv2d(x[:, None], kernel[:, None], padding=pad)[:, :, i, j] + bias[:, i, j]
            p = torch.softmax(logits, dim=1)
            levels[:, i, j] = (u[:, i, j, None] > p.cumsum(dim=1)[:, :-1]).sum(dim=1)
            x[:, i, j] = (p * torch.arange(L, dtype=bias.dtype)).sum(dim=1) / (L - 1)
    return levels


@wrong("discretized_logistic", "the two outer levels do not take the tails")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "renormalises in place of giving the tails to the outer levels")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    probs = ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)
    return probs / probs.sum()


@wrong("discretized_logistic", "only the lowest level takes its tail")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    lower[0] = 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "only the highest level takes its tail")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1] = 1.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "the outer levels' inner edges are replaced, not the outer ones")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[0], lower[-1] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "multiplies by the scale in place of dividing")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) * scale)
    lower = torch.sigmoid((x - delta - loc) * scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "takes log_scale for the scale")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "takes log_scale for the logarithm of a variance")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), (0.5 * log_scale).exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "delta twice too large: 2 / (L - 1)")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 2 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "delta of the unit interval: 1 / (2 (L - 1))")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 0.5 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "delta 1 / L")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / num_levels, log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "levels divided by L in place of L - 1")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / num_levels - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "levels from 0 to 1 in place of -1 to 1")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1)
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "equal weights: averages the components without the mixture's weights")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return (upper - lower).mean(dim=1)


@wrong("discretized_logistic", "multiplies by the logits themselves, without the softmax")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * mix_logits).sum(dim=1)


@wrong("discretized_logistic", "sigmoid in place of softmax for the weights")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.sigmoid(mix_logits)).sum(dim=1)


@wrong("discretized_logistic", "averages over the components after weighing them, so the sum is 1/M")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).mean(dim=1)


@wrong("discretized_logistic", "mixes the parameters, not the probabilities: one logistic with the mean location and scale")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    weights = torch.softmax(mix_logits, dim=0)
    loc, log_scale = (weights * loc).sum(), (weights * log_scale).sum()
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return (upper - lower).squeeze(1)


@wrong("discretized_logistic", "the density at the level times the width of its interval, in place of a difference")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    s = torch.sigmoid((x - loc) / scale)
    return ((2 * delta * s * (1 - s) / scale) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "normal distributions in place of logistic ones")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.special.ndtr((x + delta - loc) / scale)
    lower = torch.special.ndtr((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "tanh in place of sigmoid")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.tanh((x + delta - loc) / scale)
    lower = torch.tanh((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "lower minus upper: negative probabilities")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((lower - upper) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "sign of the location: x + mu")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta + loc) / scale)
    lower = torch.sigmoid((x - delta + loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "interval shifted by half: from the level to the next one, not around it")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + 2 * delta - loc) / scale)
    lower = torch.sigmoid((x - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "clamps the scale to at least 0.1 (right for wide components)")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp().clamp(min=0.1)
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "two mistakes: no tails, and delta 2 / (L - 1)")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 2 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "two mistakes: equal weights and scale multiplied")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) * scale)
    lower = torch.sigmoid((x - delta - loc) * scale)
    upper[-1], lower[0] = 1.0, 0.0
    return (upper - lower).mean(dim=1)


# ---- guards and cut-offs: right on easy inputs ----
@wrong("find_leaks", "compares gradients with zero by isclose, within 1e-8")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((~torch.isclose(torch.triu(J), torch.zeros_like(J))).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "a threshold of a millionth of the largest gradient")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J).abs() > 1e-6 * J.abs().max()).sum(dim=1))
    return torch.stack(leaks)


@wrong("find_leaks", "a threshold of 1e-12")
def find_leaks(kernels, image):
    P = image.numel()
    leaks = []
    for kernel in kernels:
        J = torch.autograd.functional.jacobian(lambda x: network(x, kernel), image).reshape(P, P)
        leaks.append((torch.triu(J).abs() > 1e-12).sum(dim=1))
    return torch.stack(leaks)


@wrong("gated_unit", "clamps the features to at most 6 in size")
def gated_unit(features, labels, table):
    a, b = (features.clamp(-6, 6) + table[labels][:, :, None, None]).chunk(2, dim=1)
    return a.tanh() * b.sigmoid()


@wrong("gated_unit", "writes tanh as a quotient of exponentials, which overflow")
def gated_unit(features, labels, table):
    a, b = (features + table[labels][:, :, None, None]).chunk(2, dim=1)
    return (a.exp() - (-a).exp()) / (a.exp() + (-a).exp()) * b.sigmoid()


@wrong("image_log_prob", "clamps the logits to at most 30 in size")
def image_log_prob(logits, levels):
    pixel = torch.log_softmax(logits.clamp(-30, 30), dim=1).gather(1, levels[:, None].long())[:, 0]
    log_prob = pixel.sum(dim=(1, 2))
    return pixel, log_prob, -log_prob / (pixel[0].numel() * math.log(2))


@wrong("discretized_logistic", "clamps log s to at least -7, as implementations of PixelCNN++ do")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.clamp(min=-7).exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "adds 1e-4 to the scale, against a division by zero")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp() + 1e-4
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "keeps the scale from exceeding 1")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp().clamp(max=1.0)
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "keeps the location within the levels, from -1 to 1")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale, loc = 1 / (num_levels - 1), log_scale.exp(), loc.clamp(-1, 1)
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * torch.softmax(mix_logits, dim=0)).sum(dim=1)


@wrong("discretized_logistic", "normalises the weights by hand, which overflows")
def discretized_logistic(mix_logits, loc, log_scale, num_levels):
    x = 2 * torch.arange(num_levels, dtype=loc.dtype)[:, None] / (num_levels - 1) - 1
    delta, scale = 1 / (num_levels - 1), log_scale.exp()
    upper = torch.sigmoid((x + delta - loc) / scale)
    lower = torch.sigmoid((x - delta - loc) / scale)
    upper[-1], lower[0] = 1.0, 0.0
    return ((upper - lower) * mix_logits.exp() / mix_logits.exp().sum()).sum(dim=1)


EXERCISES = {exercise for exercise, _, _ in WRONG}
assert len(EXERCISES) == 8
assert all(sum(exercise == name for exercise, _, _ in WRONG) >= 12 for name in EXERCISES)
assert len(WRONG) >= 12 * 8
