"""Drawing images one sub-pixel at a time: the naive way, and the way that computes nothing twice.

Both take one uniform number for every sub-pixel, drawn before all else, and so draw the same images.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import sampling
from vaeedu.pixelcnn.incremental import RowProgram
from vaeedu.pixelcnn.outputs import scale_levels

if TYPE_CHECKING:
    from vaeedu.pixelcnn.base import PixelModel

METHODS = ("cached", "naive")


@torch.inference_mode()
def draw_images(
    model: "PixelModel",
    n: int,
    y: Int64[Tensor, " N"] | None,
    given: tuple[Tensor, Tensor] | None,
    *,
    method: str,
    generator: torch.Generator | None,
    progress: bool,
    on_row: Callable[[int, Tensor], object] | None,
) -> Int64[Tensor, "N C H W"]:
    """Draws n images; `given` holds levels to be kept, and a mask that is true where they are. See `PixelModel`."""
    from tqdm.auto import tqdm  # looks for a notebook: only when asked for images

    C, H, W = model.image_shape
    like = next(model.parameters())
    # Drawn in float64 where the generator draws, whatever the model's device and dtype.
    exact = torch.empty(0, dtype=torch.float64, device=None if generator is None else generator.device)
    u = sampling.uniform((n, C, H, W), like=exact, generator=generator)
    noise = model.output.noise(u).to(like)
    images = torch.zeros(n, C, H, W, dtype=torch.int64, device=like.device)
    draw_row = _cached_rows if method == "cached" else _naive_rows
    rows = draw_row(model, y, noise, given)
    for i, row in enumerate(tqdm(rows, total=H, unit="row", disable=not progress)):
        images[:, :, i] = row
        if on_row is not None:
            on_row(i, images.clone())
    # Made anew outside inference mode, so that autograd may see it.
    with torch.inference_mode(False):
        return images.clone()


def _naive_rows(
    model: "PixelModel", y: Tensor | None, noise: Tensor, given: tuple[Tensor, Tensor] | None
) -> Iterator[Tensor]:
    """Yields each row `(N, C, W)`, running the whole network for every step of every pixel."""
    _, C, H, W = noise.shape
    levels = torch.zeros_like(noise)
    for i in range(H):
        for j in range(W):
            for step, channels in enumerate(steps(C, model.num_colors)):
                raw = model.network(scale_levels(levels, model.num_levels), y)[:, :, i, j]
                parameters = raw.chunk(model.num_colors, dim=1)[step]
                for c in channels:
                    level = levels[:, c, i, j]
                    model.output.draw(parameters, noise[:, c, i, j], levels[:, :, i, j], c, out=level)
                    if given is not None:
                        torch.where(given[1][:, c, i, j], given[0][:, c, i, j], level, out=level)
        yield levels[:, :, i]


def _cached_rows(
    model: "PixelModel", y: Tensor | None, noise: Tensor, given: tuple[Tensor, Tensor] | None
) -> Iterator[Tensor]:
    """Yields each row `(N, C, W)`, running one program a row: each feature is computed once."""
    program = model.row_program(len(noise), y, completing=given is not None)
    run = program.run if noise.device.type != "cuda" else captured(program)
    for i in range(noise.shape[2]):
        program.noise.copy_(noise[:, :, i].permute(2, 1, 0))
        if given is not None:
            program.given.copy_(given[0][:, :, i].permute(2, 1, 0))
            program.known.copy_(given[1][:, :, i].permute(2, 1, 0))
        run()
        yield program.levels.permute(2, 1, 0)


def captured(program: RowProgram) -> Callable[[], None]:
    """Records one row's work as a CUDA graph: a few hundred kernels are then one launch, without Python in between.

    This works because every row does the same, on the same buffers.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(
        stream
    ):  # libraries set themselves up in the first runs, which may not be recorded
        for _ in range(2):
            program.run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        program.run()
    program.reset()
    return graph.replay


def steps(num_channels: int, num_steps: int) -> list[list[int]]:
    """Lists which channels are drawn after each of the network's steps at a pixel."""
    return [[c] for c in range(num_channels)] if num_steps > 1 else [list(range(num_channels))]


@torch.inference_mode()
def incremental_logits(
    model: "PixelModel", x: Int64[Tensor, "B C H W"], y: Int64[Tensor, " B"] | None = None
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
    program = model.row_program(len(x), y, completing=True, recording=True)
    program.known.fill_(True)
    rows = []
    for i in range(x.shape[2]):
        program.given.copy_(levels[:, :, i].permute(2, 1, 0))
        program.run()
        rows.append(program.recorded.permute(1, 2, 0).clone())  # (B, P, W)
    return model.output.arrange(torch.stack(rows, dim=2))
