"""What every exact model of images must obey, for the tests of `pixelcnn` and `autoregressive`."""

import itertools
import math

import torch


def all_images(image_shape, num_levels=2):
    """Every image there is, `(L^D, C, H, W)`."""
    each = itertools.product(range(num_levels), repeat=math.prod(image_shape))
    return torch.tensor(list(each)).reshape(-1, *image_shape)


def assert_normalized(model, num_levels=2, **labels):
    """The probabilities of all images add up to one."""
    total = model.log_prob(all_images(model.image_shape, num_levels), **labels).exp().sum().item()
    assert abs(total - 1) <= 1e-10, total


def sub_pixels(image_shape):
    """Channels, rows and columns in the order in which they are generated."""
    C, H, W = image_shape
    return [(c, i, j) for i in range(H) for j in range(W) for c in range(C)]


def at_place(logits, place):
    """The parameters at one place, in logits that are laid out like the images."""
    return logits[:, *place]


def assert_causal(model, logits, order, *, at=at_place, dtype=torch.float64):
    """No parameter at a place of `order` has a gradient at that place or a later one, and some have one before it.

    `logits(x)` computes all parameters from scaled images, and `at(logits, place)` takes out those at one place.
    """
    g = torch.Generator().manual_seed(1)
    x = (2 * torch.rand(8, *model.image_shape, generator=g, dtype=dtype) - 1).requires_grad_()
    everywhere = logits(x)
    seen = torch.zeros(model.image_shape)
    for k, place in enumerate(order):
        parameters = at(everywhere, place)
        weights = torch.rand(parameters.shape, generator=g, dtype=dtype)
        (gradient,) = torch.autograd.grad(
            (parameters * weights).sum(), x, allow_unused=True, retain_graph=True
        )
        size = torch.zeros(model.image_shape) if gradient is None else gradient.abs().sum(dim=0)
        for c, i, j in order[k:]:
            assert bool((size[c, i, j] == 0).all()), f"{place} depends on {(c, i, j)}"
        seen += size > 0
    first, last = order[0], order[-1]
    assert bool((seen[first] > 0).all()), "nothing depends on the first sub-pixel"
    assert bool((seen[last] == 0).all())
