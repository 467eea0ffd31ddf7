"""Dense layers that act on the last dimension, and images laid out as rows."""

import itertools
from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require


def mlp(sizes: Sequence[int], *, activation: Callable[[], nn.Module] = nn.Tanh) -> nn.Sequential:
    r"""Makes a multilayer perceptron, with an activation between layers and none at the end.

    $$h_0 = x, \qquad h_l = \sigma(W_l h_{l-1} + b_l) \;\; (l < L), \qquad \text{output } W_L h_{L-1} + b_L.$$

    Args:
        sizes: Features of the input, of each hidden layer and of the output: L + 1 numbers, L ≥ 1.
        activation: Makes σ; called once for each gap.

    Returns:
        A network that maps `(..., sizes[0])` to `(..., sizes[-1])`.

    Raises:
        ValueError: There are fewer than two sizes, or one is not a positive whole number.

    >>> mlp([784, 400, 20])
    Sequential(
      (0): Linear(in_features=784, out_features=400, bias=True)
      (1): Tanh()
      (2): Linear(in_features=400, out_features=20, bias=True)
    )
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must hold those of the input and the output, at least, but is {list(sizes)}")
    widths = require.event_shape("sizes", sizes)
    layers: list[nn.Module] = []
    for num_in, num_out in itertools.pairwise(widths):
        layers += [activation(), nn.Linear(num_in, num_out)]
    return nn.Sequential(*layers[1:])


class Flatten(nn.Module):
    """Lays each image out as one row: `(..., C, H, W)` becomes `(..., C·H·W)`, leading dimensions are kept.

    torch's own `nn.Flatten` has to be told how many dimensions lead; this one is told the image's shape, and refuses
    images of another.

    Args:
        image_shape: `(C, H, W)`.

    Raises:
        ValueError: `image_shape` is not three positive sizes; or, when called, the input ends in another shape.

    >>> import torch
    >>> Flatten((1, 8, 8))(torch.zeros(5, 2, 1, 8, 8)).shape
    torch.Size([5, 2, 64])
    """

    def __init__(self, image_shape: Sequence[int]) -> None:
        super().__init__()
        self.image_shape = require.image_shape("image_shape", image_shape)

    def forward(self, x: Float[Tensor, "*batch C H W"]) -> Float[Tensor, "*batch D"]:
        """Maps `(..., C, H, W)` to `(..., C·H·W)`."""
        require.events("x", x, self.image_shape)
        return x.flatten(-3)

    def extra_repr(self) -> str:
        """Shows the image's shape when the network is printed."""
        return f"{self.image_shape}"
