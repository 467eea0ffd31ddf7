r"""The ancestors of PixelCNN: four ways to compute $p(x) = \prod_d p(x_d \mid x_{<d})$ for black and white images.

- `FVSBN`: a logistic regression of each pixel on those before it.
- `NADE`: hidden units shared by all pixels, that each pixel extends.
- `MADE`: an autoencoder whose masked weights let no output see its own input.
- `RowLSTM`: a recurrent network over rows.

All have the contract of `pixelcnn`: `log_prob(x)` is `(B,)`, exact, in nats, for images `(B, C, H, W)` of zeros and
ones; `sample(n, generator=...)` returns such images; `logits` takes scaled floats. Sub-pixels are ordered row by row,
from left to right, and by channel within a pixel.
"""

import abc
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from vaeedu import require, sampling


class AutoregressiveModel(nn.Module, abc.ABC):
    """What the four share: a subclass computes all logits at once, the rest follows."""

    def __init__(self, image_shape: Sequence[int]) -> None:
        super().__init__()
        self.image_shape = require.image_shape("image_shape", image_shape)
        self.num_pixels = math.prod(self.image_shape)  # D, counting sub-pixels

    @abc.abstractmethod
    def logits_in_order(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Computes logit p(x_d = 1 | x_{<d}) for all d, from scaled sub-pixels in the order of generation."""

    def logits(self, x_scaled: object) -> Float[Tensor, "B C H W"]:
        """Computes the logit of a 1 at each sub-pixel, given those before it.

        Args:
            x_scaled: Images as `scale` returns them, floats −1 and 1, `(B, C, H, W)`; gradients reach them.

        Raises:
            ValueError: The shape does not fit.
        """
        x = require.images("x_scaled", x_scaled, self.image_shape)
        return self._as_images(self.logits_in_order(x.permute(0, 2, 3, 1).flatten(1)))

    def scale(self, levels: object) -> Float[Tensor, "B C H W"]:
        """Maps 0 and 1 to floats −1 and 1, in the model's dtype and on its device.

        Raises:
            ValueError: `levels` is no `(B, C, H, W)` tensor of zeros and ones.
        """
        x = require.levels("levels", levels, self.image_shape, 2)
        return 2 * x.to(next(self.parameters())) - 1

    def log_prob(self, x: object) -> Float[Tensor, " B"]:
        """Computes log p(x) exactly, in nats, `(B,)`, for images of zeros and ones `(B, C, H, W)`.

        Raises:
            ValueError: `x` is not as described.
        """
        levels = require.levels("x", x, self.image_shape, 2)
        logits = self.logits(self.scale(levels))
        each = functional.binary_cross_entropy_with_logits(logits, levels.to(logits), reduction="none")
        return -each.sum(dim=(1, 2, 3))

    def bits_per_dim(self, x: object) -> Float[Tensor, " B"]:
        r"""Computes $-\log_2 p(x) / (C H W)$ for each image, `(B,)`. Arguments and errors as in `log_prob`."""
        return -self.log_prob(x) / (self.num_pixels * math.log(2))

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Int64[Tensor, "N C H W"]:
        """Draws n images, `(n, C, H, W)`, with one pass of the network for each sub-pixel.

        Raises:
            ValueError: `n` is not a positive whole number.
        """
        n, D = require.positive_int("n", n), self.num_pixels
        # Drawn in float64 where the generator draws, whatever the model's device and dtype.
        like = torch.empty(0, dtype=torch.float64, device=None if generator is None else generator.device)
        u = sampling.uniform((n, D), like=like, generator=generator).to(next(self.parameters()))
        x = torch.zeros_like(u)
        for d in range(D):
            # u ≥ P(0), on the scale of log-odds
            x[:, d] = 2 * (self.logits_in_order(x)[:, d] >= -u[:, d].logit()).to(x) - 1
        return (self._as_images(x) > 0).long()

    def _as_images(self, in_order: Float[Tensor, "B D"]) -> Float[Tensor, "B C H W"]:
        C, H, W = self.image_shape
        return in_order.reshape(-1, H, W, C).permute(0, 3, 1, 2)


class FVSBN(AutoregressiveModel):
    r"""A fully visible sigmoid belief net: $\text{logit}\, p(x_d = 1 \mid x_{<d}) = b_d + \sum_{e<d} w_{de} x_e$.

    Args:
        image_shape: `(C, H, W)`.

    Raises:
        ValueError: `image_shape` is not three positive whole numbers.

    Reference:
        Frey, Hinton and Dayan (1996), Does the wake-sleep algorithm produce good density estimators?

    >>> model = FVSBN((1, 8, 8))
    >>> model.log_prob(model.sample(3)).shape
    torch.Size([3])
    """

    def __init__(self, image_shape: Sequence[int]) -> None:
        super().__init__(image_shape)
        D = self.num_pixels
        self.weight, self.bias = nn.Parameter(torch.randn(D, D) / D), nn.Parameter(torch.zeros(D))

    def logits_in_order(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Computes all logits at once: a matrix that is zero on and above the diagonal."""
        return functional.linear(x, self.weight.tril(-1), self.bias)


class NADE(AutoregressiveModel):
    r"""The neural autoregressive distribution estimator: one hidden layer, grown by a pixel at a time.

    $$h_d = \sigma\Big(c + \sum_{e<d} x_e w_e\Big), \qquad \text{logit}\, p(x_d = 1 \mid x_{<d}) = b_d + v_d^\top h_d.$$

    All d share the same w, so that each hidden layer is the one before it plus one term.

    Args:
        image_shape: `(C, H, W)`.
        num_hidden: K, number of hidden units.

    Raises:
        ValueError: `image_shape` is not three positive whole numbers, or `num_hidden` no positive one.

    Reference:
        Larochelle and Murray (2011), The neural autoregressive distribution estimator, eqs. 9 and 10.

    >>> model = NADE((1, 8, 8), num_hidden=20)
    >>> model.log_prob(model.sample(3)).shape
    torch.Size([3])
    """

    def __init__(self, image_shape: Sequence[int], *, num_hidden: int = 100) -> None:
        super().__init__(image_shape)
        D, K = self.num_pixels, require.positive_int("num_hidden", num_hidden)
        self.W, self.c = nn.Parameter(torch.randn(D, K) / math.sqrt(D)), nn.Parameter(torch.zeros(K))
        self.V, self.b = nn.Parameter(torch.randn(D, K) / math.sqrt(K)), nn.Parameter(torch.zeros(D))

    def logits_in_order(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Computes all logits at once, in B D K numbers."""
        terms = x[:, :, None] * self.W  # (B, D, K)
        # Sums of the terms before d: shifted, not taken off, so that nothing of x_d remains by rounding.
        before = functional.pad(terms[:, :-1].cumsum(dim=1), (0, 0, 1, 0))
        return ((self.c + before).sigmoid() * self.V).sum(dim=2) + self.b


class MADE(AutoregressiveModel):
    r"""An autoencoder with masked weights, so that output d depends on inputs below d alone.

    Hidden unit k has a degree m_k: it sees inputs 1, …, m_k, and is seen by outputs above m_k,

    $$M^W_{ke} = [m_k \ge e], \qquad M^V_{dk} = [d > m_k],$$

    and by units of a next hidden layer with a degree of at least m_k.

    Args:
        image_shape: `(C, H, W)`.
        num_hidden: Number of units of each hidden layer. Degrees are dealt out evenly.

    Raises:
        ValueError: `image_shape` is not three positive whole numbers, or `num_hidden` holds no positive ones.

    Reference:
        Germain, Gregor, Murray and Larochelle (2015), MADE: masked autoencoder for distribution estimation, eqs. 12-13.

    >>> model = MADE((1, 8, 8), num_hidden=(50, 50))
    >>> model.log_prob(model.sample(3)).shape
    torch.Size([3])
    """

    def __init__(self, image_shape: Sequence[int], *, num_hidden: Sequence[int] = (500,)) -> None:
        super().__init__(image_shape)
        D = self.num_pixels
        sizes = [D, *(require.positive_int("num_hidden", size) for size in num_hidden), D]
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(sizes))
        inner = [1 + torch.arange(size) * max(D - 1, 1) // size for size in sizes[1:-1]]  # 1, …, D − 1
        degrees = [torch.arange(1, D + 1), *inner, torch.arange(D)]  # output d sees degrees up to d − 1
        for i, (below, above) in enumerate(pairwise(degrees)):
            self.register_buffer(f"mask_{i}", (above[:, None] >= below).float(), persistent=False)

    def logits_in_order(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Computes all logits at once, in one pass."""
        for i, layer in enumerate(cast("Iterable[nn.Linear]", self.layers)):
            x = functional.linear(x.relu() if i else x, layer.weight * getattr(self, f"mask_{i}"), layer.bias)
        return x


class RowLSTM(AutoregressiveModel):
    r"""The row LSTM among the pixel recurrent networks: a convolutional LSTM that reads a row at a time.

    $$(o, f, i, g) = W \star s_r + U \star h_{r-1}, \quad c_r = \sigma(f) \odot c_{r-1} + \sigma(i) \odot \tanh g,
      \quad h_r = \sigma(o) \odot \tanh c_r.$$

    U looks at three columns of the row above: a pixel sees a triangle that widens upwards. W looks at the pixel and to
    its left, in features s of a convolution that does not see the pixel itself.

    Args:
        image_shape: `(1, H, W)`.
        num_channels: Number of features.
        num_layers: Number of LSTM layers, each added to its input.

    Raises:
        ValueError: The image has more than one channel, or a number is not positive.

    Reference:
        Van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks, section 3.1.

    >>> model = RowLSTM((1, 8, 8), num_channels=8)
    >>> model.log_prob(model.sample(3)).shape
    torch.Size([3])
    """

    mask: Tensor

    def __init__(self, image_shape: Sequence[int], *, num_channels: int = 16, num_layers: int = 1) -> None:
        super().__init__(image_shape)
        if self.image_shape[0] != 1:
            raise ValueError(
                f"image_shape must have one channel, but is {self.image_shape}: use PixelCNN for colours"
            )
        F, L = (
            require.positive_int("num_channels", num_channels),
            require.positive_int("num_layers", num_layers),
        )
        self.first = nn.Conv2d(1, F, 7, padding=3)
        self.register_buffer("mask", (torch.arange(49) < 24).float().reshape(7, 7), persistent=False)
        self.to_gates = nn.ModuleList(nn.Conv2d(F, 4 * F, (1, 2)) for _ in range(L))
        self.from_above = nn.ModuleList(nn.Conv1d(F, 4 * F, 3, padding=1, bias=False) for _ in range(L))
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(F, F, 1), nn.ReLU(), nn.Conv2d(F, 1, 1))

    def logits_in_order(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Computes all logits: all columns at once, but one row after another."""
        x = x.unflatten(1, self.image_shape)
        features = functional.conv2d(x, self.first.weight * self.mask, self.first.bias, padding=3)
        for to_gates, from_above in zip(self.to_gates, self.from_above, strict=True):
            gates = to_gates(
                functional.pad(features, (1, 0))
            )  # (B, 4F, H, W): the pixel and its left neighbour
            h = c = torch.zeros_like(features[:, :, 0])  # (B, F, W)
            rows = []
            for row in gates.unbind(dim=2):
                o, f, i, g = (row + from_above(h)).chunk(4, dim=1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                rows.append(h)
            features = features + torch.stack(rows, dim=2)
        return self.head(features).flatten(1)
