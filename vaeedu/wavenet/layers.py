"""Causal layers in one dimension: a convolution that looks back, and the gated unit of WaveNet."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from vaeedu import require
from vaeedu.networks.autoregressive import gate, label_table


class CausalConv1d(nn.Conv1d):
    r"""A convolution that looks back: output t depends on inputs t, t − d, …, t − (k − 1) d, and on none after t.

    $$y_t = b + \sum_{j=0}^{k-1} W_j\, x_{t - j d} .$$

    As long as its input: before the beginning there are zeros. The last slice of `weight` is W_0.

    Args:
        in_channels: Number of input features.
        out_channels: Number of output features.
        kernel_size: k, how many inputs an output sees.
        dilation: d, how far they are apart.
        bias: Whether there is one.

    Raises:
        ValueError: A number is not positive.

    Reference:
        Van den Oord et al. (2016), WaveNet: a generative model for raw audio, section 2.1.

    >>> import torch
    >>> conv = CausalConv1d(1, 1, 2, dilation=3)
    >>> x = torch.zeros(1, 1, 8, requires_grad=True)
    >>> conv(x)[0, 0, 6].backward()
    >>> (x.grad[0, 0] != 0).nonzero().flatten()
    tensor([3, 6])
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, dilation: int = 1, bias: bool = True
    ) -> None:
        sizes = {"in_channels": in_channels, "out_channels": out_channels}
        sizes |= {"kernel_size": kernel_size, "dilation": dilation}
        for name, size in sizes.items():
            require.positive_int(name, size)
        super().__init__(in_channels, out_channels, kernel_size, dilation=dilation, bias=bias)

    def forward(self, x: Float[Tensor, "B I T"]) -> Float[Tensor, "B O T"]:
        """Maps features to features, each from its own and earlier times."""
        (k,), (d,) = self.kernel_size, self.dilation
        return functional.conv1d(functional.pad(x, ((k - 1) * d, 0)), self.weight, self.bias, dilation=d)


class GatedUnit(nn.Module):
    r"""One unit of WaveNet: a dilated causal convolution with a gate, added to its input and to the output.

    $$z = \tanh(a) \odot \sigma(b), \quad (a, b) = W \star h + v_y, \qquad
      h' = h + U z, \qquad \text{skip} = S z .$$

    Args:
        num_channels: F, the width of the stream h.
        num_skip: Number of features that go to the output directly.
        kernel_size: Of the convolution.
        dilation: Of the convolution.
        num_classes: Number of labels to be conditioned on, or None.

    Reference:
        Van den Oord et al. (2016), WaveNet: a generative model for raw audio, sections 2.3-2.5.
    """

    def __init__(
        self,
        num_channels: int,
        num_skip: int,
        *,
        kernel_size: int = 2,
        dilation: int = 1,
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        self.conv = CausalConv1d(num_channels, 2 * num_channels, kernel_size, dilation=dilation)
        self.residual = nn.Conv1d(num_channels, num_channels, 1)
        self.skip = nn.Conv1d(num_channels, num_skip, 1)
        self.label = label_table(num_classes, 2 * num_channels)

    def forward(
        self, h: Float[Tensor, "B F T"], y: Tensor | None
    ) -> tuple[Float[Tensor, "B F T"], Float[Tensor, "B S T"]]:
        """Maps features and labels to the next unit's features and to what is skipped to the output."""
        a = self.conv(h)
        if self.label is not None:
            a = a + self.label(y)[:, :, None]
        z = gate(a)
        return h + self.residual(z), self.skip(z)


def receptive_field(dilations: Sequence[int], kernel_size: int = 2) -> int:
    r"""Computes how many earlier samples a prediction depends on: $1 + (k - 1) \sum_i d_i$.

    Args:
        dilations: d_1, d_2, …, one for each layer.
        kernel_size: k.

    Raises:
        ValueError: A dilation or `kernel_size` is no positive whole number.

    >>> receptive_field([1, 2, 4, 8]), receptive_field([1, 1, 1, 1])
    (16, 5)
    """
    steps = sum(require.positive_int("dilations", dilation) for dilation in dilations)
    return 1 + (require.positive_int("kernel_size", kernel_size) - 1) * steps
