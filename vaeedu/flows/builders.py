"""Whole flows of the usual shapes, and the masks of their couplings."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from vaeedu import require
from vaeedu.flows.bijection import Bijection, Chain
from vaeedu.flows.couplings import AdditiveCoupling, AffineCoupling, Coupling, SplineCoupling
from vaeedu.flows.glow import ActNorm, InvertibleConv1x1, OnChannels, Squeeze, Unsqueeze
from vaeedu.flows.model import Flow
from vaeedu.flows.networks import ConvNetwork, ResidualNetwork


def additive_flow(event_shape: Sequence[int], **options: int | float) -> Flow:
    """Makes NICE: additive couplings, and one `ActNorm`, the only layer that changes volumes.

    Args:
        event_shape: `(D,)` or `(C, H, W)`, of at least two entries.
        **options: As those of `affine_flow`.

    >>> additive_flow((2,)).sample(3).shape
    torch.Size([3, 2])
    """
    return _dense_flow(event_shape, AdditiveCoupling, 1, **options)  # type: ignore[arg-type]


def affine_flow(event_shape: Sequence[int], **options: int | float) -> Flow:
    """Makes RealNVP with dense networks: `ActNorm`, then affine couplings with alternating `coupling_masks`.

    Args:
        event_shape: `(D,)` or `(C, H, W)`, of at least two entries.
        **options: `num_layers` (8), the number of couplings; `num_hidden` (128) and `num_blocks` (2), the width and
            depth of each `ResidualNetwork`; `dropout` (0), in its blocks.

    Returns:
        A flow that begins as the identity, initialised from torch's global generator; let `start` see a batch.

    Raises:
        ValueError: A setting is out of range.

    >>> affine_flow((1, 8, 8), num_layers=2).log_prob(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([3])
    """
    return _dense_flow(event_shape, AffineCoupling, 2, **options)  # type: ignore[arg-type]


def spline_flow(
    event_shape: Sequence[int], *, num_bins: int = 8, bound: float = 8.0, **options: int | float
) -> Flow:
    """Makes a neural spline flow with dense networks: as `affine_flow`, with splines for the affine maps.

    Args:
        event_shape: `(D,)` or `(C, H, W)`, of at least two entries.
        num_bins: See `SplineCoupling`.
        bound: See `SplineCoupling`.
        **options: As those of `affine_flow`.

    >>> spline_flow((1, 8, 8), num_layers=2).sample(3).shape
    torch.Size([3, 1, 8, 8])
    """
    K = require.positive_int("num_bins", num_bins)
    make = _Splines(K, bound)
    return _dense_flow(event_shape, make, 3 * K - 1, **options)  # type: ignore[arg-type]


def image_flow(
    image_shape: Sequence[int],
    *,
    num_channels: int = 32,
    num_blocks: int = 2,
    num_steps: int = 4,
    num_scales: int = 2,
    num_bins: int = 8,
    bound: float = 8.0,
) -> Flow:
    """Makes a flow of convolutions at several scales, for images whose sides can be halved so often.

    Four couplings on chessboards of pixels; then, at each scale, 2×2 squares become channels, and `num_steps` times
    channels are normalised, mixed and coupled, after which half of them are done. All couplings are splines.

    Args:
        image_shape: `(C, H, W)`.
        num_channels: The width of each coupling's network.
        num_blocks: Its number of residual blocks.
        num_steps: Couplings at each scale.
        num_scales: How often the sides are halved.
        num_bins: See `SplineCoupling`.
        bound: See `SplineCoupling`.

    Returns:
        A flow, initialised from torch's global generator; let `start` see a batch.

    Raises:
        ValueError: A setting is no positive whole number, or a side cannot be halved so often.

    Reference:
        After Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP; Kingma and Dhariwal (2018),
        Glow; Durkan, Bekasov, Murray and Papamakarios (2019), Neural spline flows.

    >>> flow = image_flow((1, 8, 8), num_channels=4, num_steps=1)
    >>> flow.log_prob(flow.sample(3)).shape
    torch.Size([3])
    """
    C, H, W = require.image_shape("image_shape", image_shape)
    scales = require.positive_int("num_scales", num_scales)
    if H % 2**scales or W % 2**scales:
        raise ValueError(
            f"image_shape must have sides that can be halved {scales} times, but is {(C, H, W)}: "
            "crop, pad, or use fewer scales"
        )
    P, make = 3 * require.positive_int("num_bins", num_bins) - 1, _Splines(num_bins, bound)

    def couple(mask: Tensor) -> Coupling:
        return make(ConvNetwork(mask, P, num_channels=num_channels, num_blocks=num_blocks), mask)

    chess = _chessboard((C, H, W))
    layers: list[Bijection] = [ActNorm(C), *(couple(chess if i % 2 else ~chess) for i in range(4))]
    inner: Chain | None = None
    for scale in reversed(range(1, scales + 1)):
        channels, shape = C * 4 * 2 ** (scale - 1), (H // 2**scale, W // 2**scale)
        half = (torch.arange(channels) < channels // 2)[:, None, None].expand(channels, *shape)
        steps: list[Bijection] = [Squeeze()]
        for _ in range(require.positive_int("num_steps", num_steps)):
            steps += [ActNorm(channels), InvertibleConv1x1(channels), couple(half)]
        steps += [OnChannels(channels // 2, inner)] if inner is not None else []
        inner = Chain([*steps, Unsqueeze()])
    return Flow([*layers, *([inner] if inner is not None else [])], (C, H, W))


def coupling_masks(event_shape: Sequence[int], num_masks: int) -> list[Bool[Tensor, "..."]]:
    """Makes masks for couplings that follow each other, in pairs: what one keeps, the next one moves.

    For images a chessboard, every other row, every other column and a random half, in turn; for rows of numbers, every
    other entry, the first half and a random half.

    Args:
        event_shape: `(D,)` or `(C, H, W)`.
        num_masks: How many.

    Returns:
        Masks, drawn from torch's global generator where they are random.

    Raises:
        ValueError: The event has one entry only, or `num_masks` is no positive whole number.

    >>> [mask.tolist() for mask in coupling_masks((2,), 3)]
    [[True, False], [False, True], [True, False]]
    """
    shape = require.event_shape("event_shape", tuple(event_shape))
    D = math.prod(shape)
    if D < 2:
        raise ValueError(
            f"event_shape must have at least two entries, but is {shape}: a coupling moves one part by the other"
        )
    masks: list[Tensor] = []
    for i in range((require.positive_int("num_masks", num_masks) + 1) // 2):
        kinds = (_chessboard, _stripes_across, _stripes_down, _random_half) if len(shape) == 3 else (
            _every_other, _first_half, _random_half)  # fmt: skip
        mask = _every_other(shape) if D == 2 else kinds[i % len(kinds)](shape)
        # A stripe needs two rows, a chessboard two pixels: where a side is too short, every other entry will do.
        mask = mask if mask.any() and not mask.all() else _every_other(shape)
        masks += [mask, ~mask]
    return masks[:num_masks]


class _Splines:
    """Makes spline couplings of one kind."""

    def __init__(self, num_bins: int, bound: float) -> None:
        self.num_bins, self.bound = num_bins, bound

    def __call__(self, network: nn.Module, mask: Tensor) -> SplineCoupling:
        return SplineCoupling(network, mask, num_bins=self.num_bins, bound=self.bound)


def _dense_flow(
    event_shape: Sequence[int],
    make: Callable[[nn.Module, Tensor], Coupling],
    num_parameters: int,
    *,
    num_layers: int = 8,
    num_hidden: int = 128,
    num_blocks: int = 2,
    dropout: float = 0.0,
) -> Flow:
    masks = coupling_masks(event_shape, require.positive_int("num_layers", num_layers))
    layers: list[Bijection] = [ActNorm(event_shape[0])]
    for mask in masks:
        A = int(mask.sum())
        network = ResidualNetwork(
            A,
            (mask.numel() - A) * num_parameters,
            num_hidden=num_hidden,
            num_blocks=num_blocks,
            dropout=dropout,
        )
        layers.append(make(network, mask))
    return Flow(layers, event_shape)


def _chessboard(shape: tuple[int, ...]) -> Tensor:
    C, H, W = shape
    return sum(torch.meshgrid(*(torch.arange(n) for n in (C, H, W)), indexing="ij")) % 2 == 0  # type: ignore[return-value]


def _stripes_across(shape: tuple[int, ...]) -> Tensor:
    return (torch.arange(shape[1]) % 2 == 0)[:, None].expand(shape).clone()


def _stripes_down(shape: tuple[int, ...]) -> Tensor:
    return (torch.arange(shape[2]) % 2 == 0).expand(shape).clone()


def _every_other(shape: tuple[int, ...]) -> Tensor:
    return (torch.arange(math.prod(shape)) % 2 == 0).reshape(shape)


def _first_half(shape: tuple[int, ...]) -> Tensor:
    return (torch.arange(math.prod(shape)) < math.prod(shape) // 2).reshape(shape)


def _random_half(shape: tuple[int, ...]) -> Tensor:
    D = math.prod(shape)
    return (torch.randperm(D) < D // 2).reshape(shape)
