"""Drawing images the naive way: the whole network, again for every sub-pixel."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu.pixelcnn.core import PixelModel
from vaeedu.pixelcnn.levels import scale_levels


def rows(
    model: PixelModel,
    y: Int64[Tensor, " N"] | None,
    noise: Float[Tensor, "N C H W"],
    given: tuple[Tensor, Tensor] | None,
) -> Iterator[Float[Tensor, "N C W"]]:
    """Yields each row of the images.

    Args:
        model: Any model of pixels.
        y: Checked labels.
        noise: What the model's output asks for, for every sub-pixel.
        given: Levels to be kept and a mask that is true where they are, both `(N, C, H, W)`, or None.
    """
    levels = torch.zeros_like(noise)
    _, _, H, W = noise.shape
    for i in range(H):
        for j in range(W):
            for step, channels in enumerate(model.steps):
                raw = model.network(scale_levels(levels, model.num_levels), y)[:, :, i, j]
                parameters = raw.chunk(len(model.steps), dim=1)[step]
                for c in channels:
                    level = levels[:, c, i, j]
                    model.output.draw(parameters, noise[:, c, i, j], levels[:, :, i, j], c, out=level)
                    if given is not None:
                        torch.where(given[1][:, c, i, j], given[0][:, c, i, j], level, out=level)
        yield levels[:, :, i]
