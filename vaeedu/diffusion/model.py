"""The model: a fixed encoder that adds noise, a decoder that takes it away step by step, and their bound."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from vaeedu import require, sampling
from vaeedu.diffusion.denoisers import Network, noise_from_data
from vaeedu.diffusion.schedule import Schedule

# Of x_1 and λ_1: a distribution over x_0 with `log_prob` and `mean`.
Decoder = Callable[[Tensor, Tensor], Any]


class DiffusionTerms(NamedTuple):
    """What the bound subtracts, per example, in nats; all three are at least 0 where x_0 is discrete.

    Attributes:
        prior: L_T = KL(q(x_T|x_0) ‖ p(x_T)), `(B,)`: what the last level still knows.
        steps: Σ_t L_{t−1} = Σ_t KL(q(x_{t−1}|x_t,x_0) ‖ p(x_{t−1}|x_t)), t = 2, …, T, estimated, `(B,)`.
        reconstruction: L_0 = −log p(x_0|x_1), estimated, `(B,)`.
    """

    prior: Float[Tensor, " B"]
    steps: Float[Tensor, " B"]
    reconstruction: Float[Tensor, " B"]


class Diffusion(nn.Module):
    r"""Denoising diffusion: a deep latent variable model whose encoder is fixed.

    The latent variables are x_1, …, x_T, each as large as x_0; the encoder adds noise, the decoder steps back:

    $$q(x_{1:T} \mid x_0) = \prod_t q(x_t \mid x_{t-1}), \qquad p(x_{0:T}) = p(x_T) \prod_{t} p(x_{t-1} \mid x_t),
      \qquad p(x_{t-1} \mid x_t) = N(c_0 \hat x_0(x_t) + c_t x_t,\; v I),$$

    the encoder's own q(x_{t−1} | x_t, x_0) with the denoiser's answer for x_0. Where the denoiser has a `spread`, its
    variance is added. It has a bound and no `log_prob`.

    Args:
        denoiser: Maps x_t `(B, *event)` and λ_t `(B,)` to the expected x_0, `(B, *event)`.
        schedule: The encoder.
        event_shape: The shape of an example, such as `(2,)` or `(1, 8, 8)`.
        decoder: Maps x_1 and λ_1 `(B,)` to p(x_0|x_1), with `log_prob` and `mean`, such as `BayesDenoiser.belief`
            or `nearest_level(L)` for levels. None is N(x̂_0, e^{−λ_1} I), for continuous data.
        prior: p(x_T), event shape that of an example; None is N(0, I).

    Raises:
        ValueError: `event_shape` is no shape.

    Reference:
        Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models.

    >>> model = Diffusion(lambda x, log_snr: torch.zeros_like(x), Schedule.cosine(10), event_shape=(2,))
    >>> model.elbo(torch.zeros(4, 2)).shape, model.sample(5).shape
    (torch.Size([4]), torch.Size([5, 2]))
    """

    def __init__(
        self,
        denoiser: Network,
        schedule: Schedule,
        *,
        event_shape: Sequence[int],
        decoder: Decoder | None = None,
        prior: Distribution | None = None,
    ) -> None:
        super().__init__()
        self.denoiser, self.schedule = denoiser, schedule
        self.event_shape = require.event_shape("event_shape", tuple(event_shape))
        self.decoder, self.prior = decoder, prior

    def noised(
        self, x: Float[Tensor, "B ..."], t: object, *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "B ..."]:
        """Draws x_t ~ q(x_t | x_0) in one go, α_t x_0 + σ_t ε.

        Args:
            x: x_0, `(B, *event)`.
            t: A step 0, …, T for all, or one for each example, `(B,)`.
            generator: The source of ε.

        Raises:
            ValueError: x has another shape, or t is no step.
        """
        x, steps = require.events("x", x, self.event_shape), self._steps(t, x)
        signal, noise = self.schedule.signal_variance(steps), self.schedule.noise_variance(steps)
        return sampling.reparameterize(
            _each(signal.sqrt(), x) * x, _each(noise.sqrt(), x), generator=generator
        )

    def denoise(self, x_t: Float[Tensor, "B ..."], t: object) -> Float[Tensor, "B ..."]:
        """Returns what the denoiser expects x_0 to be, given x_t at step t (one for all, or one for each example)."""
        x_t = require.events("x_t", x_t, self.event_shape)
        expected: Tensor = self.denoiser(x_t, self._log_snr(self._steps(t, x_t), x_t))
        return expected

    def reverse(self, x_t: Float[Tensor, "B ..."], t: int) -> Any:
        """Returns p(x_{t−1} | x_t): a normal distribution, or at t = 1 what the decoder says.

        Raises:
            ValueError: t is not between 1 and T, or x_t has another shape.
        """
        T = self.schedule.num_steps
        require.positive_int("t", t, at_most=T, because="the schedule's last step")
        steps = self._steps(t, x_t)
        if t == 1 and self.decoder is not None:
            return self.decoder(x_t, self._log_snr(steps, x_t))
        expected = self.denoise(x_t, t)
        c_0, c_t, variance = (float(c) for c in self.schedule.posterior(t))
        mean = c_0 * expected + c_t * x_t
        spread = self._spread(steps, x_t)
        if spread is not None:  # the same for all examples
            axes: Tensor = self.denoiser.axes  # type: ignore[attr-defined]
            return MultivariateNormal(mean, (axes * (variance + c_0**2 * spread[0])) @ axes.T)
        if t == 1:  # what x_1 alone says of x_0
            variance = float((-self.schedule.log_snr[1]).exp())
        return Independent(Normal(mean, mean.new_tensor(variance).sqrt()), len(self.event_shape))

    def elbo(
        self,
        x: Float[Tensor, "B ..."],
        *,
        num_times: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        r"""Estimates the evidence lower bound of lecture 7 for this encoder, one value per example.

        $$\mathcal L(x_0) = \mathbb E_q\Big[\log p(x_0 \mid x_1) - \sum_{t=2}^T L_{t-1}\Big] - L_T \le \log p(x_0) .$$

        See `elbo_terms` for the terms and the arguments.

        Returns:
            The bound's unbiased estimate in nats, `(B,)`.

        Reference:
            Ho et al. (2020), eq. 5.
        """
        terms = self.elbo_terms(x, num_times=num_times, generator=generator)
        return -(terms.prior + terms.steps + terms.reconstruction)

    def elbo_terms(
        self,
        x: Float[Tensor, "B ..."],
        *,
        num_times: int | None = None,
        generator: torch.Generator | None = None,
    ) -> DiffusionTerms:
        r"""Estimates the terms of the bound; each is a sum over the event, never a mean.

        Both sides of a step are normal. If the denoiser has no spread they share their variance, and what is left is

        $$L_{t-1} = \tfrac12 \big(e^{\lambda_{t-1}} - e^{\lambda_t}\big) \, \lVert x_0 - \hat x_0(x_t) \rVert^2 .$$

        Args:
            x: x_0, `(B, *event)`.
            num_times: How many of the steps 2, …, T to look at for each example, with weight (T − 1)/`num_times`;
                drawn evenly over the batch, which keeps the variance small. None is all of them: the exact sum over t,
                with one draw of x_t each.
            generator: The source of noise and steps.

        Returns:
            The three terms in nats, `(B,)` each.

        Raises:
            ValueError: x has another shape or other values than the decoder knows, or a setting is out of range.
        """
        x = require.events("x", x, self.event_shape)
        T, B = self.schedule.num_steps, len(x)
        x_1 = self.noised(x, 1, generator=generator)
        reconstruction = -self.reverse(x_1, 1).log_prob(x)
        steps = x.new_zeros(B)
        if num_times is None:
            for t in range(2, T + 1):
                steps = steps + self._step(x, self._steps(t, x), generator)
        elif require.positive_int("num_times", num_times) and T > 1:
            for _ in range(num_times):
                chosen = 2 + _evenly(B, T - 1, x, generator)
                steps = steps + self._step(x, chosen, generator) * ((T - 1) / num_times)
        return DiffusionTerms(self._prior_term(x, generator), steps, reconstruction)

    def path_elbo(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        r"""Estimates the same bound from one path of the encoder alone, every factor at the points drawn.

        $$\log p(x_T) + \sum_{t=1}^T \log p(x_{t-1} \mid x_t) - \sum_{t=1}^T \log q(x_t \mid x_{t-1}),
          \qquad x_{1:T} \sim q(\cdot \mid x_0) .$$

        It has more variance than `elbo`, but for one case: with the exact reverse process all paths give log p(x_0).

        Args:
            x: x_0, `(B, *event)`.
            generator: The source of the path.

        Returns:
            An estimate in nats, `(B,)`.

        Raises:
            ValueError: x has another shape.

        Reference:
            Sohl-Dickstein et al. (2015), Deep unsupervised learning using nonequilibrium thermodynamics, eq. 11.
        """
        now = require.events("x", x, self.event_shape)
        total = x.new_zeros(len(x))
        for t in range(1, self.schedule.num_steps + 1):
            ratio = self.schedule.signal_variance(t) / self.schedule.signal_variance(t - 1)
            q = Independent(
                Normal(float(ratio.sqrt()) * now, x.new_tensor(float(1 - ratio)).sqrt()),
                len(self.event_shape),
            )
            later = sampling.draw(q, generator=generator)
            total = total + self.reverse(later, t).log_prob(now) - q.log_prob(later)
            now = later
        return total + self._prior(x).log_prob(now)

    def noise_loss(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        r"""Computes DDPM's simple loss: the squared error of the noise, every step with the same weight.

        $$\lVert \varepsilon - \hat\varepsilon(x_t) \rVert^2 = e^{\lambda_t} \lVert x_0 - \hat x_0(x_t) \rVert^2,
          \qquad t \sim U\{1, \dots, T\} .$$

        It is **not** the bound: that has the weight ½ (e^{λ_{t−1}} − e^{λ_t}) where this one has e^{λ_t}.

        Args:
            x: x_0, `(B, *event)`.
            generator: The source of noise and steps.

        Returns:
            `(B,)`, summed over the event; a loss takes their mean.

        Raises:
            ValueError: x has another shape.

        Reference:
            Ho et al. (2020), eq. 14.
        """
        x = require.events("x", x, self.event_shape)
        t = 1 + _evenly(len(x), self.schedule.num_steps, x, generator)
        x_t = self.noised(x, t, generator=generator)
        log_snr = self._log_snr(t, x)
        error = noise_from_data(x, x_t, log_snr) - noise_from_data(self.denoise(x_t, t), x_t, log_snr)
        return error.square().flatten(1).sum(dim=1)

    def step(
        self,
        x_t: Float[Tensor, "B ..."],
        t: int,
        s: int,
        *,
        eta: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "B ..."]:
        r"""Steps from x_t to an earlier x_s, with fresh noise or without.

        $$x_s = \alpha_s \hat x_0 + \sqrt{\sigma_s^2 - \eta^2 v}\; \hat\varepsilon + \eta \sqrt{v}\; \xi, \qquad
          \xi \sim N(0, I),$$

        with v of `Schedule.posterior`. η = 1 is ancestral sampling, a draw of N(c_0 x̂_0 + c_t x_t, v I); η = 0 (DDIM)
        has no randomness. In between, as for both, x_s has the right variance if ε̂ is right.

        Args:
            x_t: `(B, *event)`.
            t: Where it is, 1, …, T.
            s: Where it goes, 0, …, t − 1. At 0 there is no noise to add, whatever η is: the result is x̂_0.
            eta: η in [0, 1].
            generator: The source of ξ.

        Raises:
            ValueError: A step or η is out of range.

        Reference:
            Song, Meng and Ermon (2021), Denoising diffusion implicit models, eqs. 12 and 16.
        """
        t = require.positive_int("t", t, at_most=self.schedule.num_steps, because="the schedule's last step")
        if require.non_negative_int("s", s) >= t:
            raise ValueError(f"s must be an earlier step than t, {t}, but is {s}: sampling goes from T to 0")
        if require.non_negative_float("eta", eta) > 1:
            raise ValueError(f"eta must lie in [0, 1], but is {eta}: 1 is ancestral sampling, 0 is DDIM")
        expected = self.denoise(x_t, t)
        if s == 0:
            return expected
        eps = noise_from_data(expected, x_t, self._log_snr(self._steps(t, x_t), x_t))
        fresh = eta**2 * float(self.schedule.posterior(t, s)[2])
        kept = max(0.0, float(self.schedule.noise_variance(s)) - fresh)
        mean = float(self.schedule.signal_variance(s).sqrt()) * expected + kept**0.5 * eps
        if not fresh:
            return mean
        return sampling.reparameterize(mean, mean.new_tensor(fresh).sqrt(), generator=generator)

    @torch.no_grad()
    def sample(
        self,
        num_samples: int,
        *,
        num_steps: int | None = None,
        eta: float = 1.0,
        batch_size: int = 1000,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "N ..."]:
        """Draws samples: x_T from the prior, then step by step to x_1, and the mean of p(x_0|x_1).

        Args:
            num_samples: N.
            num_steps: In how many steps; None is all T of the schedule. Fewer are spread evenly over them.
            eta: 1 for ancestral sampling, 0 for DDIM: see `step`.
            batch_size: How many are drawn at once; it changes memory, and which draws belong to which sample.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Samples, `(N, *event)`, in evaluation mode.

        Raises:
            ValueError: A number is out of range.

        Reference:
            Ho et al. (2020), algorithm 2; Song et al. (2021), section 4.2, for fewer steps.
        """
        N, size = (
            require.positive_int("num_samples", num_samples),
            require.positive_int("batch_size", batch_size),
        )
        T = self.schedule.num_steps
        way = self.schedule.subsequence(T if num_steps is None else num_steps).tolist()
        was_training = self.training
        self.eval()
        try:
            parts = [min(size, N - first) for first in range(0, N, size)]
            return torch.cat([self._walk(part, way, eta, generator) for part in parts])
        finally:
            self.train(was_training)

    def _walk(self, size: int, way: list[int], eta: float, generator: torch.Generator | None) -> Tensor:
        like = next(self.parameters(), torch.zeros(()))
        if self.prior is None:
            x = sampling.normal((size, *self.event_shape), like=like, generator=generator)
        else:
            x = sampling.draw(self.prior, (size,), generator=generator)
        for i in range(len(way) - 1, 0, -1):
            x = self.step(x, way[i], way[i - 1], eta=eta, generator=generator)
        return x

    def _prior(self, x: Tensor) -> Distribution:
        if self.prior is not None:
            return self.prior
        zero = x.new_zeros(self.event_shape)
        return Independent(Normal(zero, zero + 1), len(self.event_shape))

    def _prior_term(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        T = self.schedule.num_steps
        signal, noise = float(self.schedule.signal_variance(T)), float(self.schedule.noise_variance(T))
        if self.prior is None:
            each = signal * x.square() + noise - 1 - torch.log(x.new_tensor(noise))
            return 0.5 * each.flatten(1).sum(dim=1)
        q = Independent(Normal(signal**0.5 * x, x.new_tensor(noise).sqrt()), len(self.event_shape))
        x_T = sampling.draw(q, generator=generator)
        return q.log_prob(x_T) - self.prior.log_prob(x_T)

    def _step(self, x: Tensor, t: Int64[Tensor, " B"], generator: torch.Generator | None) -> Tensor:
        """L_{t−1} at one draw of x_t, `(B,)`, a step t ≥ 2 for each example."""
        error = x - self.denoise(self.noised(x, t, generator=generator), t)
        spread = self._spread(t, x)
        if spread is None:
            weight = (self.schedule.snr(t - 1) - self.schedule.snr(t)).to(x)
            return 0.5 * weight * error.square().flatten(1).sum(dim=1)
        c_0, _, variance = (c.to(x)[:, None] for c in self.schedule.posterior(t))
        own = variance + c_0.square() * spread  # variances of p along the axes, where q has `variance`
        along = c_0 * (error @ self.denoiser.axes)  # type: ignore[attr-defined]
        ratio = variance / own
        return 0.5 * (ratio - 1 - ratio.log() + along.square() / own).sum(dim=1)

    def _spread(self, t: Tensor, x: Tensor) -> Tensor | None:
        if not hasattr(self.denoiser, "spread"):
            return None
        spread: Tensor = self.denoiser.spread(self._log_snr(t, x))
        return spread

    def _log_snr(self, t: Tensor, x: Tensor) -> Tensor:
        return self.schedule.log_snr[t].to(x)

    def _steps(self, t: object, x: Tensor) -> Tensor:
        """The step of each example, `(B,)`, on the CPU, where the schedule is."""
        if isinstance(t, Tensor) and t.ndim == 1 and not t.is_floating_point():
            steps = t.cpu().long()
            if len(steps) != len(x):
                raise ValueError(
                    f"t must have one step for each of {len(x)} examples, but has {len(steps)}: pass a number for all"
                )
        else:
            steps = torch.full((len(x),), require.non_negative_int("t", t))
        if len(steps) and not 0 <= int(steps.min()) <= int(steps.max()) <= self.schedule.num_steps:
            raise ValueError(
                f"t must lie among the steps 0, …, {self.schedule.num_steps}, but reaches from {int(steps.min())} to "
                f"{int(steps.max())}: the last step is T, not T + 1"
            )
        return steps


def _each(values: Tensor, x: Tensor) -> Tensor:
    """Shapes one value an example so that it multiplies a batch of events."""
    return values.to(x).reshape(len(x), *[1] * (x.ndim - 1))


def _evenly(B: int, num_steps: int, x: Tensor, generator: torch.Generator | None) -> Int64[Tensor, " B"]:
    """Draws B whole numbers below `num_steps`, each uniform, all together spread evenly: the loss varies less."""
    u = sampling.uniform((1,), like=x.new_empty(0, dtype=torch.float64), generator=generator).cpu()
    place = (u + torch.arange(B) / B) % 1
    return (place * num_steps).long().clamp(max=num_steps - 1)
