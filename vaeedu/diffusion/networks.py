"""Networks that know the level of noise: a residual perceptron for small things, a U-Net for images."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from vaeedu import require

_WAVES = 8


class LevelEmbedding(nn.Module):
    """The level as a vector: the number itself, sines and cosines of its multiples, and a dense layer.

    Args:
        num_outputs: The length of the vector.
        scale: What the level is divided by, about its largest size: 7 for λ, 1 for the time of flow matching.
    """

    def __init__(self, num_outputs: int, *, scale: float = 7.0) -> None:
        super().__init__()
        self.scale = require.positive_float("scale", scale)
        self.dense = nn.Linear(1 + 2 * _WAVES, num_outputs)

    def forward(self, level: Float[Tensor, " B"]) -> Float[Tensor, "B H"]:
        """Returns the vector of each level."""
        level = level[:, None] / self.scale
        angle = 1.75 * level * torch.arange(1, _WAVES + 1, device=level.device, dtype=level.dtype)
        return functional.silu(self.dense(torch.cat([level, angle.sin(), angle.cos()], dim=1)))


class ResidualMLP(nn.Module):
    """A dense network with residual blocks, each scaled and shifted by the level of noise.

    Args:
        event_shape: The shape of an example.
        num_outputs: Numbers a pixel: 1 for a noise or a velocity, `(B, *event)`; L for levels, `(B, *event, L)`.
        num_hidden: The width.
        num_blocks: How many blocks.
        dropout: The probability of dropping a unit in a block.
        scale: See `LevelEmbedding`.

    Raises:
        ValueError: A number is out of range.

    >>> ResidualMLP((2,), num_hidden=8)(torch.zeros(3, 2), torch.zeros(3)).shape
    torch.Size([3, 2])
    >>> ResidualMLP((1, 2, 2), 17, num_hidden=8)(torch.zeros(3, 1, 2, 2), torch.zeros(3)).shape
    torch.Size([3, 1, 2, 2, 17])
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        num_outputs: int = 1,
        *,
        num_hidden: int = 256,
        num_blocks: int = 2,
        dropout: float = 0.0,
        scale: float = 7.0,
    ) -> None:
        super().__init__()
        self.event_shape = require.event_shape("event_shape", tuple(event_shape))
        self.num_outputs, H = (
            require.positive_int("num_outputs", num_outputs),
            require.positive_int("num_hidden", num_hidden),
        )
        D = math.prod(self.event_shape)
        self.level = LevelEmbedding(H, scale=scale)
        self.first = nn.Linear(D, H)
        self.blocks = nn.ModuleList(
            _Block(H, dropout) for _ in range(require.positive_int("num_blocks", num_blocks))
        )
        self.last = nn.Linear(H, D * num_outputs)
        for parameter in self.last.parameters():  # begins with zero
            nn.init.zeros_(parameter)

    def forward(self, x: Float[Tensor, "B ..."], level: Float[Tensor, " B"]) -> Float[Tensor, "B ..."]:
        """Returns `(B, *event)`, or `(B, *event, L)` for several outputs a pixel."""
        embedded = self.level(level)
        h = self.first(x.flatten(1))
        for block in self.blocks:
            h = block(h, embedded)
        output: Tensor = self.last(functional.silu(h))
        shape = x.shape if self.num_outputs == 1 else (*x.shape, self.num_outputs)
        return output.reshape(shape)


class _Block(nn.Module):
    def __init__(self, H: int, dropout: float) -> None:
        super().__init__()
        self.inner, self.outer, self.modulate = nn.Linear(H, H), nn.Linear(H, H), nn.Linear(H, 2 * H)
        self.norm, self.dropout = nn.LayerNorm(H, elementwise_affine=False), nn.Dropout(dropout)

    def forward(self, h: Tensor, embedded: Tensor) -> Tensor:
        scale, shift = self.modulate(embedded).chunk(2, dim=1)
        changed: Tensor = self.outer(
            self.dropout(functional.silu(self.inner(self.norm(h) * (1 + scale) + shift)))
        )
        return h + changed


class UNet(nn.Module):
    """A small U-Net: down by two twice, up again, with what was there on the way down beside it.

    Args:
        image_shape: (C, H, W), H and W multiples of 4.
        num_outputs: Numbers a pixel: 1 for a noise or a velocity, `(B, C, H, W)`; L for levels, `(B, C, H, W, L)`.
        num_channels: Of the widest level; the two below have twice as many.
        dropout: The probability of dropping a feature in a block.
        scale: See `LevelEmbedding`.

    Raises:
        ValueError: The sizes are no multiples of 4, or a number is out of range.

    Reference:
        Ronneberger, Fischer and Brox (2015), U-Net: convolutional networks for biomedical image segmentation.

    >>> UNet((1, 8, 8), num_channels=8)(torch.zeros(3, 1, 8, 8), torch.zeros(3)).shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_outputs: int = 1,
        *,
        num_channels: int = 32,
        dropout: float = 0.0,
        scale: float = 7.0,
    ) -> None:
        super().__init__()
        C, H, W = require.image_shape("image_shape", tuple(image_shape))
        if H % 4 or W % 4:
            raise ValueError(
                f"image_shape must have sizes that are multiples of 4, but is ({C}, {H}, {W}): pad the images"
            )
        if require.positive_int("num_channels", num_channels) % 4:
            raise ValueError(
                f"num_channels must be a multiple of 4, for the groups of the normalisation, but is {num_channels}"
            )
        self.num_outputs = require.positive_int("num_outputs", num_outputs)
        n = num_channels
        self.level = LevelEmbedding(4 * n, scale=scale)
        self.first = nn.Conv2d(C, n, 3, padding=1)
        self.down = nn.ModuleList([_ConvBlock(n, n, 4 * n, dropout), _ConvBlock(n, 2 * n, 4 * n, dropout)])
        self.middle = nn.ModuleList(_ConvBlock(2 * n, 2 * n, 4 * n, dropout) for _ in range(2))
        self.up = nn.ModuleList(
            [_ConvBlock(4 * n, 2 * n, 4 * n, dropout), _ConvBlock(3 * n, n, 4 * n, dropout)]
        )
        self.last = nn.Conv2d(n, C * num_outputs, 3, padding=1)
        for parameter in self.last.parameters():  # begins with zero
            nn.init.zeros_(parameter)

    def forward(self, x: Float[Tensor, "B C H W"], level: Float[Tensor, " B"]) -> Float[Tensor, "B ..."]:
        """Returns `(B, C, H, W)`, or `(B, C, H, W, L)` for several outputs a pixel."""
        embedded = self.level(level)
        h, beside = self.first(x), []
        for block in self.down:
            h = block(h, embedded)
            beside.append(h)
            h = functional.avg_pool2d(h, 2)
        for block in self.middle:
            h = block(h, embedded)
        for block in self.up:
            h = functional.interpolate(h, scale_factor=2.0, mode="nearest")
            h = block(torch.cat([h, beside.pop()], dim=1), embedded)
        output: Tensor = self.last(functional.silu(h))
        if self.num_outputs == 1:
            return output
        B, C, H, W = x.shape
        return output.reshape(B, C, self.num_outputs, H, W).permute(0, 1, 3, 4, 2)


class _ConvBlock(nn.Module):
    def __init__(self, num_inputs: int, num_outputs: int, num_embedded: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Conv2d(num_inputs, num_outputs, 3, padding=1)
        self.outer = nn.Conv2d(num_outputs, num_outputs, 3, padding=1)
        self.modulate = nn.Linear(num_embedded, 2 * num_outputs)
        self.before, self.between = nn.GroupNorm(4, num_inputs), nn.GroupNorm(4, num_outputs)
        self.dropout = nn.Dropout(dropout)
        same = num_inputs == num_outputs
        self.shortcut = nn.Identity() if same else nn.Conv2d(num_inputs, num_outputs, 1)

    def forward(self, h: Tensor, embedded: Tensor) -> Tensor:
        scale, shift = self.modulate(embedded)[:, :, None, None].chunk(2, dim=1)
        changed = self.between(self.inner(functional.silu(self.before(h)))) * (1 + scale) + shift
        output: Tensor = self.shortcut(h) + self.outer(self.dropout(functional.silu(changed)))
        return output


class FromMarginals(nn.Module):
    """A network of levels that begins at the pixels' own frequencies: untrained, it is a model of independent pixels.

    Its input is scaled to variance one at each level of noise.

    Args:
        network: Maps `(B, *event)` and λ `(B,)` to `(B, *event, L)`, zero at first.
        levels: Training images, whose levels are counted, `(N, *event)`.
        num_levels: L.

    Raises:
        ValueError: `levels` holds others than 0, …, L − 1.

    >>> network = FromMarginals(ResidualMLP((2,), 3), torch.tensor([[0, 2], [0, 1]]), 3)
    >>> network(torch.zeros(1, 2), torch.zeros(1)).exp()[0, 0]
    tensor([0.9867, 0.0067, 0.0067], grad_fn=<SelectBackward0>)
    """

    log_share: Tensor

    def __init__(self, network: nn.Module, levels: Int64[Tensor, "N ..."], num_levels: int) -> None:
        super().__init__()
        L = require.positive_int("num_levels", num_levels, at_most=256, because="8 bits a pixel")
        if not 0 <= int(levels.min()) <= int(levels.max()) < L:
            raise ValueError(
                f"levels must hold 0, …, {L - 1}, but reach from {int(levels.min())} to {int(levels.max())}: "
                "use data.quantize(x, num_levels)"
            )
        self.network = network
        share = functional.one_hot(levels, L).double().mean(dim=0)
        # No level is impossible: one that was never seen keeps a share.
        self.register_buffer("log_share", (0.98 * share + 0.02 / L).log().float())

    def forward(self, x: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]) -> Float[Tensor, "B ... L"]:
        """Returns log π, up to a constant."""
        signal = log_snr.sigmoid().reshape(len(x), *[1] * (x.ndim - 1))
        scaled = x / (0.5 * signal + (1 - signal)).sqrt()
        logits: Tensor = self.network(scaled, log_snr) + self.log_share.to(x)
        return logits
