"""Counting: what the last few samples are worth."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import require


class NGram:
    r"""Predicts a sample from the m samples before it, by counting, each order smoothed by the one below.

    $$p_m(x \mid c) = \frac{n(c, x) + \alpha\, p_{m-1}(x \mid c')}{n(c) + \alpha}, \qquad p_{-1}(x) = \tfrac1L,$$

    where c' is c without its oldest sample. m = 0 counts single levels, m = 1 pairs, m = 2 triples. Before the
    beginning of a sound there is less context, and a lower order is used.

    Args:
        num_levels: L.
        order: m, at most 2: a table holds L^(m + 1) numbers.
        strength: α, how many samples the lower order is worth.

    Raises:
        ValueError: An argument is not as described.

    Reference:
        MacKay and Peto (1995), A hierarchical Dirichlet language model.

    >>> model = NGram(2, order=1).fit([torch.tensor([0, 1, 0, 1, 0, 1])])
    >>> bool(model.log_prob(torch.tensor([[0, 1, 0, 1]])) > model.log_prob(torch.tensor([[0, 0, 1, 1]])))
    True
    """

    def __init__(self, num_levels: int = 256, order: int = 1, *, strength: float = 4.0) -> None:
        self.num_levels = require.positive_int("num_levels", num_levels)
        self.order = require.non_negative_int("order", order)
        if order > 2:
            raise ValueError(f"order must be at most 2, because its table grows as L^(m + 1), but is {order}")
        self.strength = require.positive_float("strength", strength)

    def fit(self, sounds: list[Tensor]) -> "NGram":
        """Counts in a list of sounds, each `(T,)`; returns itself, with `probs_[m]` of shape `(L^m, L)`.

        Raises:
            ValueError: There is no sound.
        """
        if len(sounds) == 0:
            raise ValueError("sounds must hold at least one sound, but is empty")
        L, below = self.num_levels, torch.full((1, self.num_levels), 1 / self.num_levels, dtype=torch.float64)
        self.probs_ = []
        for m in range(self.order + 1):
            counts = torch.zeros(L**m * L, dtype=torch.float64)
            for x in sounds:
                counts += self._codes(x, m + 1).bincount(minlength=L ** (m + 1))
            table = counts.view(L**m, L)
            # The context without its oldest sample: the low digits of its code.
            prior = below if m == 0 else below.repeat(L, 1)
            below = (table + self.strength * prior) / (table.sum(dim=1, keepdim=True) + self.strength)
            self.probs_.append(below)
        return self

    def log_prob(self, x: Int64[Tensor, "B T"]) -> Float[Tensor, " B"]:
        """Computes log p(x) in nats, `(B,)`, for levels `(B, T)`, after `fit`."""
        result = torch.zeros(len(x), dtype=torch.float64)
        for m, probs in enumerate(self.probs_):
            codes = self._codes(x, m + 1)  # (B, T − m)
            # An order below the highest has but the one sample that lies m after the beginning.
            last = codes if m == self.order else codes[:, :1]
            result += probs.flatten()[last].log().sum(dim=1)
        return result

    def bits_per_sample(self, x: Int64[Tensor, "B T"]) -> Float[Tensor, " B"]:
        r"""Computes $-\log_2 p(x) / T$, `(B,)`. Arguments as in `log_prob`."""
        return -self.log_prob(x) / (x.shape[1] * math.log(2))

    def _codes(self, x: Int64[Tensor, "*batch T"], length: int) -> Int64[Tensor, "*batch T2"]:
        """Numbers every run of so many samples, in base L, the oldest sample the highest digit."""
        windows = x.unfold(-1, length, 1) if x.shape[-1] >= length else x.new_zeros(*x.shape[:-1], 0, length)
        powers = self.num_levels ** torch.arange(length - 1, -1, -1)
        return (windows * powers).sum(dim=-1)
