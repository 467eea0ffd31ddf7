"""The cached sampler: one program a row, laid out for the network at hand."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu.pixelcnn.core import PixelModel
from vaeedu.pixelcnn.fast.gated import GatedProgram
from vaeedu.pixelcnn.fast.graphs import captured
from vaeedu.pixelcnn.fast.incremental import RowProgram
from vaeedu.pixelcnn.fast.residual import ResidualProgram
from vaeedu.pixelcnn.networks import GatedNetwork, ResidualNetwork


def rows(
    model: PixelModel,
    y: Int64[Tensor, " N"] | None,
    noise: Float[Tensor, "N C H W"],
    given: tuple[Tensor, Tensor] | None,
) -> Iterator[Float[Tensor, "N C W"]]:
    """Yields each row of the images, running one program a row. Arguments as in `naive.rows`."""
    program = row_program(model, len(noise), y, completing=given is not None)
    run = program.run if noise.device.type != "cuda" else captured(program)
    for i in range(noise.shape[2]):
        program.noise.copy_(noise[:, :, i].permute(2, 1, 0))
        if given is not None:
            program.given.copy_(given[0][:, :, i].permute(2, 1, 0))
            program.known.copy_(given[1][:, :, i].permute(2, 1, 0))
        run()
        yield program.levels.permute(2, 1, 0)


@torch.inference_mode()
def incremental_logits(
    model: PixelModel, x: Int64[Tensor, "B C H W"], y: Int64[Tensor, " B"] | None = None
) -> Float[Tensor, "B ..."]:
    """Computes `model.logits` the way the cached sampler does, on given images: the two must agree.

    Args:
        model: A PixelCNN or GatedPixelCNN.
        x: Levels, `(B, C, H, W)`.
        y: Labels, or None.

    Returns:
        What `model.logits(model.scale(x), y)` returns, up to rounding.
    """
    levels = x.to(next(model.parameters()))
    program = row_program(model, len(x), y, completing=True, recording=True)
    program.known.fill_(True)
    rows = []
    for i in range(x.shape[2]):
        program.given.copy_(levels[:, :, i].permute(2, 1, 0))
        program.run()
        rows.append(program.recorded.permute(1, 2, 0).clone())  # (B, P, W)
    return model.output.arrange(torch.stack(rows, dim=2))


def row_program(
    model: PixelModel, n: int, y: Tensor | None, *, completing: bool = False, recording: bool = False
) -> RowProgram:
    """Lays out a row's work for n images with checked labels.

    Raises:
        ValueError: The network is of neither kind.
    """
    if isinstance(model, ResidualNetwork):
        return ResidualProgram(model, n, y, completing=completing, recording=recording)
    if isinstance(model, GatedNetwork):
        return GatedProgram(model, n, y, completing=completing, recording=recording)
    raise ValueError(
        f'method must be "naive" for {type(model).__name__}: there are fast programs for PixelCNN and GatedPixelCNN'
    )
