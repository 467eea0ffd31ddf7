"""Which weights of a convolution may be used, if pixels are generated row by row, from left to right."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import require

MASK_TYPES = ("A", "B")


def feature_colors(num_features: int, num_colors: int, *, num_runs: int = 1) -> Int64[Tensor, " F"]:
    """Deals features out to the colours, in order: feature f of F belongs to colour ⌊f · num_colors / F⌋.

    A feature of colour c may depend on the sub-pixels 0, …, c of its own pixel, or, after mask A, on 0, …, c − 1.

    Args:
        num_features: F.
        num_colors: How many colours share them.
        num_runs: How often the colours follow each other: 2 where the halves of the features are gated by one another.

    Returns:
        The colour of each feature, `(F,)`.

    >>> feature_colors(8, 3, num_runs=2)
    tensor([0, 0, 1, 2, 0, 0, 1, 2])
    """
    each = num_features // num_runs
    return (torch.arange(each) * num_colors // each).repeat(num_runs)


def causal_mask(
    mask_type: str,
    out_colors: Int64[Tensor, " O"],
    in_colors: Int64[Tensor, " I"],
    kernel_size: tuple[int, int],
    *,
    center: tuple[int, int] | None = None,
) -> Float[Tensor, "O I h w"]:
    r"""Builds the mask of a causal convolution: 1 where a weight may be used, 0 where it would look ahead.

    With the kernel's centre at (r, s), the weight at row a and column b, from input feature i to output feature o, is
    kept if

    $$a < r, \quad\text{or}\quad a = r,\; b < s, \quad\text{or}\quad (a, b) = (r, s) \text{ and }
      \begin{cases} \text{color}(i) < \text{color}(o) & \text{mask A} \\
      \text{color}(i) \le \text{color}(o) & \text{mask B.} \end{cases}$$

    Mask A is for the layer that sees the image itself: there the centre is the very sub-pixel to be predicted. Later
    layers see features which no longer hold it, and with mask A again they would lose a pixel in every layer.

    Args:
        mask_type: `"A"` or `"B"`.
        out_colors: Colour of each output feature, `(O,)`.
        in_colors: Colour of each input feature, `(I,)`.
        kernel_size: Height and width.
        center: (r, s); None is the middle.

    Returns:
        Zeros and ones, `(O, I, height, width)`, in the layout of a convolution's weights.

    Raises:
        ValueError: `mask_type` is neither A nor B.

    Reference:
        Van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks, section 3.4.

    >>> one = torch.zeros(1, dtype=torch.int64)
    >>> causal_mask("A", one, one, (3, 3))[0, 0]
    tensor([[1., 1., 1.],
            [1., 0., 0.],
            [0., 0., 0.]])
    """
    require.choice("mask_type", mask_type, MASK_TYPES)
    height, width = kernel_size
    row, column = center or (height // 2, width // 2)
    mask = torch.zeros(len(out_colors), len(in_colors), height, width)
    mask[:, :, :row] = 1
    mask[:, :, row, :column] = 1
    into, out_of = out_colors[:, None], in_colors[None, :]
    mask[:, :, row, column] = (out_of < into if mask_type == "A" else out_of <= into).float()
    return mask
