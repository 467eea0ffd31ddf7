"""Networks for couplings, dense and convolutional; both begin at 0, where a coupling is the identity."""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from vaeedu import require


class ResidualNetwork(nn.Module):
    """A dense network for a coupling: blocks that add to what they get; its output begins at 0, the identity.

    Args:
        num_inputs: A.
        num_outputs: The width of the output.
        num_hidden: Its width inside.
        num_blocks: How many blocks.
        dropout: The share of hidden units that are dropped in each block while training.

    Raises:
        ValueError: A number is out of range.

    >>> import torch
    >>> ResidualNetwork(3, 5)(torch.randn(4, 3)).shape
    torch.Size([4, 5])
    """

    def __init__(
        self,
        num_inputs: int,
        num_outputs: int,
        *,
        num_hidden: int = 128,
        num_blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= require.finite_float("dropout", dropout) < 1:
            raise ValueError(f"dropout must lie in [0, 1), but is {dropout!r}: use 0.0 for none")
        H = require.positive_int("num_hidden", num_hidden)
        self.first = nn.Linear(require.positive_int("num_inputs", num_inputs), H)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Dropout(dropout), nn.Linear(H, H))
            for _ in range(require.positive_int("num_blocks", num_blocks))
        )
        self.last = _zero(nn.Linear(H, require.positive_int("num_outputs", num_outputs)))

    def forward(self, x: Float[Tensor, "B A"]) -> Float[Tensor, "B P"]:
        """Maps `(B, num_inputs)` to `(B, num_outputs)`."""
        h = self.first(x)
        for block in self.blocks:
            h = h + block(h)
        output: Tensor = self.last(functional.relu(h))
        return output


class ConvNetwork(nn.Module):
    """A convolutional network for a coupling of images: it sees what is kept in its place, with zeros for the rest.

    Args:
        mask: That of the coupling, `(C, H, W)`.
        num_parameters: P, numbers for each entry that is moved.
        num_channels: The width inside.
        num_blocks: How many residual blocks of two convolutions, 3×3.

    Raises:
        ValueError: A number is not positive and whole.

    >>> import torch
    >>> mask = torch.tensor([[[True, False], [False, True]]])
    >>> ConvNetwork(mask, 5)(torch.randn(4, 2)).shape
    torch.Size([4, 2, 5])
    """

    _kept: Tensor
    _moved: Tensor

    def __init__(
        self, mask: Bool[Tensor, "C H W"], num_parameters: int, *, num_channels: int = 32, num_blocks: int = 2
    ) -> None:
        super().__init__()
        self.shape = require.image_shape("mask.shape", tuple(mask.shape))
        self.num_parameters = require.positive_int("num_parameters", num_parameters)
        C, c = self.shape[0], require.positive_int("num_channels", num_channels)
        self.register_buffer("_kept", mask.flatten().nonzero()[:, 0], persistent=False)
        self.register_buffer("_moved", (~mask).flatten().nonzero()[:, 0], persistent=False)
        self.first = nn.Conv2d(C, c, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1))
            for _ in range(require.positive_int("num_blocks", num_blocks))
        )
        self.last = _zero(nn.Conv2d(c, C * self.num_parameters, 1))

    def forward(self, kept: Float[Tensor, "B A"]) -> Float[Tensor, "B M P"]:
        """Maps the entries that are kept, `(B, A)`, to parameters, `(B, M, P)`."""
        C, H, W = self.shape
        image = kept.new_zeros(len(kept), C * H * W).index_copy(1, self._kept, kept)
        h = self.first(image.reshape(-1, C, H, W))
        for block in self.blocks:
            h = h + block(h)
        parameters: Tensor = self.last(functional.relu(h)).reshape(-1, C, self.num_parameters, H * W)
        return parameters.transpose(2, 3).flatten(1, 2)[:, self._moved]


def _zero(layer: nn.Module) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
