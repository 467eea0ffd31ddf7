"""The network: exact likelihoods, and what a sample depends on. Nothing here draws."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from vaeedu import require, sampling
from vaeedu.networks.autoregressive import mean_input_gradient
from vaeedu.wavenet.layers import GatedUnit, receptive_field

# At one sound a rectifier is off that is on at another, so that what a sample depends on takes a few.
_NUM_PROBES = 16


class Network(nn.Module):
    """The network of `WaveNet`, which describes the arguments."""

    def __init__(
        self,
        num_levels: int = 256,
        dilations: object = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
        num_channels: int = 32,
        num_classes: int | None = None,
        *,
        num_skip: int | None = None,
        kernel_size: int = 2,
    ) -> None:
        super().__init__()
        if require.positive_int("num_levels", num_levels) == 1:
            raise ValueError("num_levels must be at least 2, but is 1: use 256 for 8 bits a sample")
        if isinstance(dilations, str) or not isinstance(dilations, Sequence) or len(dilations) == 0:
            raise ValueError(
                f"dilations must be one number for each unit, such as (1, 2, 4, 8), but is {dilations!r}"
            )
        self.num_levels, self.kernel_size = num_levels, require.positive_int("kernel_size", kernel_size)
        self.dilations = tuple(require.positive_int("dilations", dilation) for dilation in dilations)
        self.num_classes = None if num_classes is None else require.positive_int("num_classes", num_classes)
        F = require.positive_int("num_channels", num_channels)
        S = 2 * F if num_skip is None else require.positive_int("num_skip", num_skip)
        self.embedding = nn.Embedding(num_levels, F)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.height = nn.Parameter(torch.randn(F))
        self.units = nn.ModuleList(
            GatedUnit(F, S, kernel_size=kernel_size, dilation=dilation, num_classes=num_classes)
            for dilation in self.dilations
        )
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(S, S, 1), nn.ReLU(), nn.Conv1d(S, num_levels, 1))

    def table(self) -> Float[Tensor, "L F"]:
        """Returns the vector as which each level enters."""
        heights = torch.linspace(-1, 1, self.num_levels, dtype=self.height.dtype, device=self.height.device)
        return self.embedding.weight + heights[:, None] * self.height

    def network(self, h: Float[Tensor, "B F T"], y: Int64[Tensor, " B"] | None) -> Float[Tensor, "B L T"]:
        """Computes all logits from the vectors of all levels, and checked labels.

        The vectors are shifted by one first, a zero vector in front: sample t is predicted from those before it.
        """
        h = functional.pad(h, (1, -1))
        total: Tensor | None = None
        for unit in self.units:
            h, skip = unit(h, y)
            total = skip if total is None else total + skip
        return self.head(total)

    def logits(self, x: object, y: object = None) -> Float[Tensor, "B L T"]:
        """Computes unnormalised log-probabilities of all levels at all times, each given the samples before.

        Args:
            x: Levels 0, …, L − 1, `(B, T)`, whole numbers.
            y: Labels, `(B,)` or one for all; only for a model with `num_classes`.

        Returns:
            `(B, L, T)`.

        Raises:
            ValueError: `x` holds no such levels, or labels are missing, superfluous or out of range.
        """
        levels = self._levels("x", x)
        h = functional.embedding(levels, self.table()).transpose(1, 2)
        return self.network(h, self._labels(y, len(levels)))

    def log_prob(self, x: object, y: object = None) -> Float[Tensor, " B"]:
        r"""Computes log p(x), or log p(x|y), exactly: $\sum_t \log p(x_t \mid x_{<t})$, in one pass of the network.

        Args:
            x: Levels 0, …, L − 1, `(B, T)`, whole numbers.
            y: Labels, `(B,)` or one for all; only for a model with `num_classes`.

        Returns:
            Log-probabilities in nats, `(B,)`.

        Raises:
            ValueError: As `logits`.
        """
        levels = self._levels("x", x)
        return -functional.cross_entropy(self.logits(levels, y), levels, reduction="none").sum(dim=1)

    def bits_per_sample(self, x: object, y: object = None) -> Float[Tensor, " B"]:
        r"""Computes $-\log_2 p(x) / T$ for each sound: bits a sample, `(B,)`. Arguments as in `log_prob`."""
        log_prob = self.log_prob(x, y)
        return -log_prob / (self._levels("x", x).shape[1] * math.log(2))

    @property
    def receptive_field(self) -> int:
        """How many earlier samples a prediction depends on, by the formula; see the function of this name."""
        return receptive_field(self.dilations, self.kernel_size)

    def measured_field(
        self, num_samples: int, *, generator: torch.Generator | None = None
    ) -> Float[Tensor, " T"]:
        """Measures what the last of `num_samples` predictions depends on, by the gradient.

        Args:
            num_samples: T.
            generator: Draws the sounds at which gradients are taken; None is a fixed seed.

        Returns:
            Mean size of the gradient with respect to each sample's vector, `(T,)`, summed over features: exactly zero
            where nothing can come from, so also at the last sample itself.

        Raises:
            ValueError: `num_samples` is no positive whole number.
        """
        T = require.positive_int("num_samples", num_samples)
        generator = generator or torch.Generator().manual_seed(0)
        y = None
        if self.num_classes is not None:
            y = sampling.integers((_NUM_PROBES,), self.num_classes, generator=generator).to(self._device)
        levels = sampling.integers((_NUM_PROBES, T), self.num_levels, generator=generator).to(self._device)
        h = functional.embedding(levels, self.table()).transpose(1, 2)
        return mean_input_gradient(lambda h: self.network(h, y)[:, :, -1], h, generator).sum(dim=0)

    @property
    def _device(self) -> torch.device:
        return self.height.device

    def _levels(self, name: str, value: object) -> Int64[Tensor, "B T"]:
        """Returns checked levels on the model's device."""
        if (
            not isinstance(value, Tensor)
            or value.is_floating_point()
            or value.is_complex()
            or value.ndim != 2
        ):
            got = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(
                f"{name} must be whole numbers (B, T), levels of sounds, but is {got}: call audio.mu_law_encode, and "
                "add a dimension to a single sound"
            )
        if value.numel() > 0 and not 0 <= int(value.min()) <= int(value.max()) < self.num_levels:
            raise ValueError(
                f"{name} must hold levels 0, …, {self.num_levels - 1}, but ranges from {int(value.min())} to "
                f"{int(value.max())}"
            )
        return value.long().to(self._device)

    def _labels(self, y: object, n: int) -> Tensor | None:
        labels = require.labels("y", y, n, self.num_classes)
        return None if labels is None else labels.to(self._device)
