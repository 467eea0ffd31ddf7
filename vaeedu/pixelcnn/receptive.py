"""What a conditional depends on, measured."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import sampling

if TYPE_CHECKING:
    from vaeedu.pixelcnn.base import PixelModel

# One image would do for smooth networks. A rectifier that is off at one image is on at another.
_NUM_IMAGES = 16


def mean_input_gradient(
    model: "PixelModel", pixel: tuple[int, int], channel: int, generator: torch.Generator
) -> Float[Tensor, "C H W"]:
    """Averages |∂(random combination of one sub-pixel's parameters) / ∂x| over random images and labels."""
    like, row, column = next(model.parameters()), *pixel
    y = None
    if model.num_classes is not None:
        y = sampling.integers((_NUM_IMAGES,), model.num_classes, generator=generator).to(like.device)
    here = torch.empty(0, dtype=like.dtype, device=generator.device)
    uniform = sampling.uniform((_NUM_IMAGES, *model.image_shape), like=here, generator=generator)
    x = (2 * uniform - 1).to(like.device).requires_grad_()
    with torch.enable_grad():
        parameters = model.network(x, y)[:, :, row, column].chunk(model.num_colors, dim=1)
        chosen = parameters[channel if model.num_colors > 1 else 0]
        # Random weights, so that no two parameters' gradients cancel.
        weights = sampling.uniform(chosen.shape, like=here, generator=generator).to(like.device)
        (gradient,) = torch.autograd.grad((chosen * weights).sum(), x)
    return gradient.abs().mean(dim=0)
