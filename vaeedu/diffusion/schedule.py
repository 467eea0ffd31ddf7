"""How much of the signal is left at each step: the fixed encoder of a diffusion model."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from vaeedu import require

Step = int | Int[Tensor, "..."]


class Schedule:
    r"""Levels of noise, t = 0, …, T, given by their logarithmic signal-to-noise ratio λ_t, which falls with t.

    $$q(x_t \mid x_0) = N(\alpha_t x_0,\, \sigma_t^2 I), \qquad \alpha_t^2 = \bar\alpha_t = \text{sigmoid}(\lambda_t),
      \quad \sigma_t^2 = 1 - \bar\alpha_t = \text{sigmoid}(-\lambda_t), \qquad \bar\alpha_0 = 1 .$$

    The variance of x_t stays that of x_0 where the latter is 1: data belong into [−1, 1], or are standardised.
    λ rather than ᾱ is stored, in double precision, because at both ends 1 − ᾱ or ᾱ would round to nothing.

    Attributes:
        log_snr: λ_t, `(T + 1,)`, float64; λ_0 = ∞, since x_0 has no noise.

    Args:
        log_snr: λ_1, …, λ_T, strictly falling.

    Raises:
        ValueError: An entry is not finite, or λ does not fall.

    Reference:
        Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models, eqs. 2, 4 and 7; Kingma et al. (2021),
        Variational diffusion models, eqs. 1 and 2, for λ.

    >>> schedule = Schedule.cosine(4)
    >>> schedule.num_steps, bool((schedule.log_snr.diff() < 0).all())
    (4, True)
    """

    def __init__(self, log_snr: object) -> None:
        steps = require.vector("log_snr", log_snr).double()
        if not bool((steps.diff() < 0).all()):
            raise ValueError(
                "log_snr must fall from step to step, but does not: noise is added, never taken away; "
                "use log_snr.flip(0) if it is the other way round"
            )
        self.log_snr = torch.cat([steps.new_tensor([math.inf]), steps])

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.log_snr) - 1

    @classmethod
    def linear(cls, num_steps: int = 1000, *, first: float = 1e-4, last: float = 0.02) -> "Schedule":
        r"""Makes DDPM's schedule: the variances β_t of the single steps grow linearly.

        $$\bar\alpha_t = \prod_{s \le t} (1 - \beta_s), \qquad \beta \text{ from } \tfrac{1000}{T} \cdot \texttt{first}
          \text{ to } \tfrac{1000}{T} \cdot \texttt{last} .$$

        The factor keeps the last level where it is for T = 1000.

        Args:
            num_steps: T.
            first: β_1 at T = 1000, in (0, `last`].
            last: β_T at T = 1000.

        Raises:
            ValueError: A number is out of range, or β would reach 1: T is too small.

        Reference:
            Ho et al. (2020), section 4.

        >>> round(float(Schedule.linear(1000).signal_variance(1)), 4)
        0.9999
        """
        T = require.positive_int("num_steps", num_steps)
        low, high = require.positive_float("first", first), require.positive_float("last", last)
        if not low <= high:
            raise ValueError(f"first must be at most last, {high}, but is {low}: noise grows with t")
        beta = torch.linspace(low, high, T, dtype=torch.float64) * (1000 / T)
        if float(beta[-1]) >= 1:
            raise ValueError(
                f"num_steps must be greater than {1000 * high:g} for these variances, but is {T}: "
                "a step cannot replace more than all of the signal; use Schedule.cosine"
            )
        log_signal = torch.log1p(-beta).cumsum(0)
        return cls(log_signal - torch.log(-torch.expm1(log_signal)))

    @classmethod
    def cosine(cls, num_steps: int = 1000, *, offset: float = 0.008) -> "Schedule":
        r"""Makes the cosine schedule, which leaves more of its steps to levels of middling noise.

        $$\bar\alpha_t = \frac{f(t)}{f(0)}, \quad f(t) = \cos^2\Big(\frac{t/T + s}{1 + s} \cdot \frac{\pi}{2}\Big),
          \qquad \beta_t = 1 - \frac{\bar\alpha_t}{\bar\alpha_{t-1}} \le 0.999 .$$

        Args:
            num_steps: T.
            offset: s > 0; keeps the first steps from being too small.

        Raises:
            ValueError: A number is not positive.

        Reference:
            Nichol and Dhariwal (2021), Improved denoising diffusion probabilistic models, eq. 17.

        >>> float(Schedule.cosine(1000).signal_variance(1000)) < 1e-5
        True
        """
        T, s = require.positive_int("num_steps", num_steps), require.positive_float("offset", offset)
        angle = (torch.arange(T + 1, dtype=torch.float64) / T + s) / (1 + s) * (math.pi / 2)
        log_f = 2 * angle.cos().abs().log()  # the last cosine is 0 up to rounding
        log_signal = log_f.diff().clamp(min=math.log(0.001)).cumsum(0)  # β ≤ 0.999
        return cls(log_signal - torch.log(-torch.expm1(log_signal)))

    @classmethod
    def log_linear(cls, num_steps: int = 1000, *, first: float = 7.0, last: float = -7.0) -> "Schedule":
        r"""Makes the schedule whose λ falls by the same amount at each step: all T share their two ends.

        $$\lambda_t = \lambda_1 + \frac{t - 1}{T - 1} (\lambda_T - \lambda_1) .$$

        Args:
            num_steps: T ≥ 2.
            first: λ_1, so high that x_1 says which level each pixel has.
            last: λ_T, so low that x_T says next to nothing.

        Raises:
            ValueError: T is 1, or λ would not fall.

        Reference:
            Kingma et al. (2021), Variational diffusion models, appendix: with λ linear in t.

        >>> Schedule.log_linear(3).log_snr
        tensor([inf, 7., 0., -7.], dtype=torch.float64)
        """
        T = require.positive_int("num_steps", num_steps)
        if T == 1:
            raise ValueError("num_steps must be at least 2, but is 1: use Schedule([log_snr]) for one level")
        ends = require.finite_float("first", first), require.finite_float("last", last)
        return cls(torch.linspace(*ends, T, dtype=torch.float64))

    def thin(self, num_steps: int) -> "Schedule":
        """Keeps so many of the steps, evenly spaced, the last among them: for sampling in fewer steps.

        Raises:
            ValueError: It is not between 1 and T.

        >>> Schedule.log_linear(15).thin(3).log_snr
        tensor([inf,  3., -2., -7.], dtype=torch.float64)
        """
        return Schedule(self.log_snr[self.subsequence(num_steps)[1:]])

    def subsequence(self, num_steps: int) -> Int[Tensor, " n"]:
        """Returns the steps 0 = τ_0 < τ_1 < … < τ_S = T that `thin` keeps, with step 0.

        Raises:
            ValueError: `num_steps`, S, is not between 1 and T.

        >>> Schedule.log_linear(15).subsequence(3)
        tensor([ 0,  5, 10, 15])
        """
        S = require.positive_int("num_steps", num_steps, at_most=self.num_steps, because="the schedule's own")
        return (torch.arange(S + 1) * self.num_steps) // S

    def signal_variance(self, t: Step) -> Float[Tensor, "..."]:
        """Returns ᾱ_t, which others call alpha_bar; `alphas_cumprod` in code."""
        return torch.sigmoid(self.log_snr[t])

    def noise_variance(self, t: Step) -> Float[Tensor, "..."]:
        """Returns σ_t² = 1 − ᾱ_t."""
        return torch.sigmoid(-self.log_snr[t])

    def snr(self, t: Step) -> Float[Tensor, "..."]:
        """Returns ᾱ_t / (1 − ᾱ_t) = exp(λ_t)."""
        return self.log_snr[t].exp()

    def posterior(self, t: Step, s: Step | None = None) -> tuple[Float[Tensor, "..."], ...]:
        r"""Returns the three numbers of q(x_s | x_t, x_0), s < t: what Bayes' rule makes of the way there.

        $$q(x_s \mid x_t, x_0) = N(c_0 x_0 + c_t x_t,\; v I), \qquad c_0 = \frac{\alpha_s\, \beta}{\sigma_t^2}, \quad
          c_t = \frac{\alpha_t}{\alpha_s} \cdot \frac{\sigma_s^2}{\sigma_t^2}, \quad v = \frac{\sigma_s^2}{\sigma_t^2}\,
          \beta, \qquad \beta = 1 - \frac{\bar\alpha_t}{\bar\alpha_s} .$$

        Args:
            t: A step of at least 1, or several.
            s: An earlier one; None is t − 1.

        Returns:
            c_0, c_t and v (a variance), of the shape of `t`, float64; v = 0 for s = 0.

        Reference:
            Ho et al. (2020), eqs. 6 and 7.

        >>> [round(float(v), 4) for v in Schedule(torch.tensor([0.0, -2.0])).posterior(2)]
        [0.6114, 0.2772, 0.4323]
        """
        s = t - 1 if s is None else s
        log_ratio = functional.logsigmoid(self.log_snr[t]) - functional.logsigmoid(self.log_snr[s])
        beta = -torch.expm1(log_ratio)
        kept = self.noise_variance(s) / self.noise_variance(t)
        c_0 = self.signal_variance(s).sqrt() * beta / self.noise_variance(t)
        return c_0, (log_ratio / 2).exp() * kept, kept * beta
