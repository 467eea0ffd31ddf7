"""What Glow adds: layers that normalise and mix channels; and what images of several scales need."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require
from vaeedu.flows.bijection import Bijection


class ActNorm(Bijection):
    r"""Shifts and stretches each channel: $z_c = (x_c + b_c)\, e^{s_c}$, $\log |\det| = H W \sum_c s_c$.

    Unlike batch normalisation, one example's z does not depend on the others': b and s are weights. `start` sets them
    from a first batch, so that each channel of that batch has mean 0 and variance 1; until then they are 0.

    Args:
        num_channels: C, the size of dimension 1: of the columns `(B, C)` or the channels `(B, C, H, W)`.

    Raises:
        ValueError: `num_channels` is no positive whole number; or `start` gets fewer than two values a channel.

    Reference:
        Kingma and Dhariwal (2018), Glow: Generative flow with invertible 1×1 convolutions, section 3.1.

    >>> layer, x = ActNorm(2), torch.tensor([[1.0, 0.0], [3.0, 8.0]])
    >>> layer.start(x)
    >>> layer(x)[0]
    tensor([[-1., -1.],
            [ 1.,  1.]], grad_fn=...)
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        C = require.positive_int("num_channels", num_channels)
        self.bias, self.log_scale = nn.Parameter(torch.zeros(C)), nn.Parameter(torch.zeros(C))

    @torch.no_grad()
    def start(self, x: Float[Tensor, "B C ..."]) -> None:
        """Sets mean and variance of each channel of this batch to 0 and 1; a constant channel is only shifted."""
        values = x.transpose(0, 1).flatten(1)  # (C, B · H · W)
        if values.shape[1] < 2:
            raise ValueError(
                f"x must hold at least two values a channel, but has shape {tuple(x.shape)}: start with a larger batch"
            )
        loc, scale = values.mean(dim=1), values.std(dim=1, correction=0)
        self.bias.copy_(-loc)
        self.log_scale.copy_(-torch.where(scale > 0, scale, torch.ones_like(scale)).log())

    def forward(
        self, x: Float[Tensor, "B C ..."], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B C ..."], Float[Tensor, " B"]]:
        """Shifts, then stretches: see `Bijection.forward`."""
        log_det = self.log_scale.sum() * math.prod(x.shape[2:])
        return (x + _column(self.bias, x)) * _column(self.log_scale, x).exp(), log_det.expand(len(x))

    def inverse(self, z: Float[Tensor, "B C ..."]) -> Float[Tensor, "B C ..."]:
        """Shrinks, then shifts back."""
        return z * _column(-self.log_scale, z).exp() - _column(self.bias, z)


class InvertibleConv1x1(Bijection):
    r"""Mixes the channels by a matrix, the same at each pixel: $z_{hw} = W x_{hw}$, $\log |\det| = H W \log |\det W|$.

    Where couplings swap halves by a fixed rule, W learns which mixture the next coupling should see. It begins as a
    random rotation, whose log-determinant is 0. On rows `(B, C)` it is a linear map.

    Args:
        num_channels: C.

    Raises:
        ValueError: `num_channels` is no positive whole number.

    Reference:
        Kingma and Dhariwal (2018), Glow: Generative flow with invertible 1×1 convolutions, section 3.2.

    >>> layer, x = InvertibleConv1x1(3), torch.randn(2, 3, 4, 4)
    >>> torch.allclose(layer.inverse(layer(x)[0]), x, atol=1e-5)
    True
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        C = require.positive_int("num_channels", num_channels)
        self.weight = nn.Parameter(torch.linalg.qr(torch.randn(C, C))[0])

    def forward(
        self, x: Float[Tensor, "B C ..."], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B C ..."], Float[Tensor, " B"]]:
        """Multiplies by W at each pixel: see `Bijection.forward`."""
        log_det = torch.linalg.slogdet(self.weight).logabsdet * math.prod(x.shape[2:])
        z = self.weight @ x.reshape(*x.shape[:2], -1)  # (C, C) times (B, C, H · W)
        return z.reshape(x.shape), log_det.expand(len(x))

    def inverse(self, z: Float[Tensor, "B C ..."]) -> Float[Tensor, "B C ..."]:
        """Solves W x = z at each pixel."""
        return torch.linalg.solve(self.weight, z.reshape(*z.shape[:2], -1)).reshape(z.shape)


class Squeeze(Bijection):
    """Makes each 2×2 square of pixels four channels of one: `(B, C, H, W)` to `(B, 4C, H/2, W/2)`, nothing is lost.

    Reference:
        Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP, section 3.6.

    >>> Squeeze()(torch.zeros(5, 1, 4, 6))[0].shape
    torch.Size([5, 4, 2, 3])
    """

    def forward(
        self, x: Float[Tensor, "B C H W"], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B c h w"], Float[Tensor, " B"]]:
        """Moves pixels into channels: see `Bijection.forward`.

        Raises:
            ValueError: A side is odd.
        """
        if x.shape[2] % 2 or x.shape[3] % 2:
            raise ValueError(f"x must have even sides, but has shape {tuple(x.shape)}: pad or crop it")
        return nn.functional.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, z: Float[Tensor, "B c h w"]) -> Float[Tensor, "B C H W"]:
        """Moves them back."""
        return nn.functional.pixel_shuffle(z, 2)


class Unsqueeze(Bijection):
    """Undoes `Squeeze`: `(B, 4C, h, w)` to `(B, C, 2h, 2w)`.

    >>> x = torch.rand(2, 3, 4, 4)
    >>> torch.equal(Unsqueeze()(Squeeze()(x)[0])[0], x)
    True
    """

    def forward(
        self, x: Float[Tensor, "B c h w"], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, " B"]]:
        """Moves channels into pixels: see `Bijection.forward`.

        Raises:
            ValueError: The number of channels is no multiple of 4.
        """
        if x.shape[1] % 4:
            raise ValueError(
                f"x must have a multiple of 4 channels, but has shape {tuple(x.shape)}: squeeze it first"
            )
        return nn.functional.pixel_shuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, z: Float[Tensor, "B C H W"]) -> Float[Tensor, "B c h w"]:
        """Moves them back."""
        return nn.functional.pixel_unshuffle(z, 2)


class OnChannels(Bijection):
    """Applies a bijection to the first channels only; the others are done, and wait: RealNVP's several scales.

    Args:
        num_channels: How many channels go on.
        bijection: What is applied to them; it must return the shape that it gets.

    Raises:
        ValueError: `num_channels` is no positive whole number; or, when called, the shape has become another.

    Reference:
        Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP, section 3.6.

    >>> layer = OnChannels(1, ActNorm(1))
    >>> layer.start(torch.tensor([[0.0, 7.0], [2.0, 7.0]]))
    >>> layer(torch.tensor([[4.0, 7.0]]))[0].tolist()
    [[3.0, 7.0]]
    """

    def __init__(self, num_channels: int, bijection: Bijection) -> None:
        super().__init__()
        self.num_channels = require.positive_int("num_channels", num_channels)
        self.bijection = bijection

    def start(self, x: Float[Tensor, "B C ..."]) -> None:
        """Starts the bijection on the channels that reach it."""
        self.bijection.start(x[:, : self.num_channels])

    def forward(
        self, x: Float[Tensor, "B C ..."], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B C ..."], Float[Tensor, " B"]]:
        """Maps the first channels: see `Bijection.forward`."""
        going, waiting = x[:, : self.num_channels], x[:, self.num_channels :]
        z, log_det = self.bijection(going, generator=generator)
        if z.shape != going.shape:
            raise ValueError(
                f"bijection must return the shape that it gets, {tuple(going.shape)}, but returned {tuple(z.shape)}: "
                "end it with Unsqueeze()"
            )
        return torch.cat([z, waiting], dim=1), log_det

    def inverse(self, z: Float[Tensor, "B C ..."]) -> Float[Tensor, "B C ..."]:
        """Maps the first channels back."""
        going, waiting = z[:, : self.num_channels], z[:, self.num_channels :]
        return torch.cat([self.bijection.inverse(going), waiting], dim=1)


def _column(values: Tensor, x: Tensor) -> Tensor:
    """Returns one value a channel in a shape that broadcasts against x."""
    return values.reshape(-1, *[1] * (x.ndim - 2))
