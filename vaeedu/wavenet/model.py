"""The model: a network that draws."""

import torch
from jaxtyping import Int64
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.wavenet import fast, naive
from vaeedu.wavenet.network import Network

METHODS = {"cached": fast.samples, "naive": naive.samples}


class WaveNet(Network):
    r"""An exact distribution over sounds, by the chain rule: $p(x) = \prod_t p(x_t \mid x_{<t}, y)$.

    Each conditional is a softmax over all L levels, computed from the sample before, and from those as far back as
    the stack of dilated convolutions looks. A level enters as a row of a table: one vector for each, plus a multiple
    of one direction that says how high it is, so that what is learnt of a level holds for its neighbours.

    Args:
        num_levels: L, at least 2.
        dilations: One for each unit; 1, 2, 4, … doubles the field with each unit.
        num_channels: F, the width.
        num_classes: Number of labels to be conditioned on, or None.
        num_skip: Width of the output's layers; None is 2 F.
        kernel_size: Of the dilated convolutions.

    Raises:
        ValueError: An argument is not as described.

    Reference:
        Van den Oord et al. (2016), WaveNet: a generative model for raw audio.

    >>> model = WaveNet(16, dilations=[1, 2, 4], num_channels=8)
    >>> x = model.sample(2, 100, generator=torch.Generator().manual_seed(0))
    >>> model.log_prob(x).shape
    torch.Size([2])
    """

    @torch.inference_mode()
    def sample(
        self,
        n: int,
        num_samples: int,
        y: object = None,
        *,
        method: str = "cached",
        given: object = None,
        generator: torch.Generator | None = None,
        progress: bool = False,
    ) -> Int64[Tensor, "N T"]:
        """Draws sounds, sample by sample.

        Args:
            n: How many.
            num_samples: T, how long.
            y: Labels, `(n,)` or one for all; only for a model with `num_classes`.
            method: `"cached"` computes each feature once, and costs the same for each sample; `"naive"` runs the whole
                network over all that it can see, for every sample. Both draw the same sounds from the same generator,
                up to rounding.
            given: How each sound begins, levels `(n, T0)`: the rest is drawn from its conditional. None is nothing.
            generator: The source of randomness; None is torch's global one.
            progress: Whether to show a bar that counts samples.

        Returns:
            Levels, `(n, T)`, the given ones first.

        Raises:
            ValueError: A number is not positive, `method` is unknown, `given` does not fit, or labels do not.
        """
        n, T = require.positive_int("n", n), require.positive_int("num_samples", num_samples)
        draw, labels = METHODS[require.choice("method", method, METHODS)], self._labels(y, n)
        known = torch.empty(n, 0, dtype=torch.int64) if given is None else self._levels("given", given)
        if len(known) != n or known.shape[1] > T:
            raise ValueError(
                f"given must be levels (n, T0) with n = {n} and T0 ≤ {T}, but is {tuple(known.shape)}"
            )
        # Drawn in float64 where the generator draws, whatever the model's device and dtype.
        exact = torch.empty(0, dtype=torch.float64, device=None if generator is None else generator.device)
        u = sampling.uniform((n, T), like=exact, generator=generator).to(self.height)
        from tqdm.auto import tqdm  # looks for a notebook: only when asked for sounds

        levels = torch.zeros(n, T, dtype=torch.int64, device=self._device)
        levels[:, : known.shape[1]] = known
        steps = draw(self, labels, u, levels, known.shape[1])
        for _ in tqdm(steps, total=T, unit="sample", disable=not progress):
            pass
        # Made anew outside inference mode, so that autograd may see it.
        with torch.inference_mode(False):
            return levels.clone()
