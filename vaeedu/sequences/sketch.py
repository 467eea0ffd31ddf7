"""A sequence VAE for drawings: an LSTM that says where the pen goes next, told a code of the whole drawing."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Independent
from torch.nn import functional

from vaeedu import require, sampling
from vaeedu.sequences.bound import kl_to_standard, weighted
from vaeedu.sequences.mixture import MixtureNormal2d
from vaeedu.sequences.recurrent import BidirectionalEncoder, Decoder
from vaeedu.sequences.strokes import from_stroke5, num_points, stroke5, to_stroke5

_START = (0.0, 0.0, 1.0, 0.0, 0.0)


class SketchVAE(nn.Module):
    r"""A variational autoencoder for sketches in stroke-5.

    $$p(x \mid z) = \prod_{t=1}^{T} p(\Delta x_t, \Delta y_t \mid x_{<t}, z)\, p(\text{pen}_t \mid x_{<t}, z) \cdot
      p(\text{pen}_{T+1} = \text{end} \mid x_{\le T}, z)$$

    with a mixture of bivariate normals for each step and a categorical distribution over three states of the pen, all
    from an LSTM; z ~ N(0, I), and q(z|x) from an LSTM that reads in both directions. The padding has no likelihood.

    With `num_latents=0` there is no code: the decoder alone, an autoregressive model, whose `elbo` is log p(x) exactly.

    Args:
        num_latents: K.
        num_hidden: Units of the decoder's LSTM.
        num_encoder_hidden: Units of the encoder's, in each direction.
        num_components: M, of the mixture.

    Raises:
        ValueError: A number is not positive, or `num_latents` is negative.

    Reference:
        Ha and Eck (2018), A neural representation of sketch drawings.

    >>> model = SketchVAE(4, num_hidden=16, num_encoder_hidden=8, num_components=3)
    >>> square = torch.tensor([[1.0, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 1]])
    >>> model.elbo(to_stroke5([square, square[:2]])).shape
    torch.Size([2])
    >>> len(model.sample(3, num_steps=10))
    3
    """

    def __init__(
        self,
        num_latents: int = 32,
        *,
        num_hidden: int = 128,
        num_encoder_hidden: int = 64,
        num_components: int = 10,
    ) -> None:
        super().__init__()
        K = require.non_negative_int("num_latents", num_latents)
        H = require.positive_int("num_hidden", num_hidden)
        E = require.positive_int("num_encoder_hidden", num_encoder_hidden)
        self.num_latents = K
        self.num_components = require.positive_int("num_components", num_components)
        self.encoder = BidirectionalEncoder(5, E, K) if K else None
        self.decoder = Decoder(5, H, K, 6 * self.num_components + 3)

    def posterior(self, x: object) -> Independent:
        """Returns q(z|x), batch shape `(B,)`, event shape `(K,)`, for stroke-5 `(B, T, 5)`.

        Raises:
            ValueError: `x` is no stroke-5 tensor, or the model has no code.
        """
        x = stroke5("x", x)
        if self.encoder is None:
            raise ValueError(
                "num_latents must be at least 1 for a posterior, but is 0: this model has no code"
            )
        return self.encoder(x, num_points(x).clamp(min=1))

    def log_likelihood(self, x: object, z: Float[Tensor, "B K"]) -> Float[Tensor, " B"]:
        """Computes log p(x|z) in nats a sketch, `(B,)`: of steps and pen up to the end, and of no padding.

        Args:
            x: Stroke-5, `(B, T, 5)`, each with at least one row of the end.
            z: Codes, `(B, K)`.

        Raises:
            ValueError: `x` is no stroke-5 tensor, or a sketch has no end.
        """
        x = stroke5("x", x)
        n = num_points(x)
        T = int(n.max()) + 1
        if x.shape[1] < T:
            raise ValueError(
                "x must end each sketch with a row (0, 0, 0, 0, 1), but one has none: use to_stroke5"
            )
        x = x[:, :T]
        before = torch.cat([x.new_tensor(_START).expand(len(x), 1, 5), x[:, :-1]], dim=1)
        step, pen_logits = self._split(self.decoder(z, before, self.decoder.initial(z))[0])
        t = torch.arange(T, device=x.device)
        drawn = t < n[:, None]  # (B, T): these rows have a step; the row of the end has only a pen
        of_steps = step.log_prob(x[..., :2]) * drawn
        of_pen = (pen_logits.log_softmax(dim=-1) * x[..., 2:]).sum(dim=-1) * (t <= n[:, None])
        return (of_steps + of_pen).sum(dim=1)

    def elbo(
        self,
        x: object,
        *,
        beta: float = 1.0,
        free_nats: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        r"""Estimates the bound on log p(x) in nats a sketch, `(B,)`, from one draw of z.

        $$\log p(x \mid z) - \beta \max(\mathrm{KL}(q(z \mid x) \,\|\, p(z)),\ \lambda), \qquad z \sim q(z \mid x).$$

        It is the evidence lower bound at β = 1 and λ = 0. The density of a step is no probability: the sum may be
        positive, and the loss negative.

        Args:
            x: Stroke-5, `(B, T, 5)`.
            beta: β, weight of the KL term; annealing lets it rise during training.
            free_nats: λ ("free bits", in nats): so much of a sketch's KL costs nothing, and has no gradient.
            generator: The source of randomness; None is torch's global one.

        Raises:
            ValueError: As `log_likelihood`, or `beta` or `free_nats` is negative.

        Reference:
            Kingma et al. (2016), Improving variational inference with inverse autoregressive flow, for free bits.
        """
        x = stroke5("x", x)
        if self.encoder is None:
            return self.log_likelihood(x, x.new_zeros(len(x), 0))
        q = self.posterior(x)
        z = sampling.draw(q, generator=generator)
        return weighted(self.log_likelihood(x, z), kl_to_standard(q), beta, free_nats)

    def kl(self, x: object) -> Float[Tensor, " B"]:
        """Computes KL(q(z|x) ‖ p(z)) in nats a sketch, `(B,)`: how much of x the code holds at most.

        Raises:
            ValueError: As `posterior`.
        """
        return kl_to_standard(self.posterior(x))

    @torch.no_grad()
    def decode(
        self,
        z: Float[Tensor, "B K"],
        *,
        temperature: float = 1.0,
        num_steps: int = 100,
        start: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> list[Tensor]:
        """Draws a sketch for each code, step by step: see `MixtureNormal2d.sample` for the temperature.

        Args:
            z: `(B, K)`.
            temperature: T > 0; the pen's logits are divided by it, too.
            num_steps: Most steps of a sketch; one that has not ended is cut off there.
            start: A half-drawn sketch, stroke-3 `(t, 3)`, which all results begin with; None for none.
            generator: The source of randomness; None is torch's global one.

        Returns:
            B sketches, stroke-3.

        Raises:
            ValueError: `temperature` or `num_steps` is not positive, or `start` is as long as `num_steps` allows.
        """
        T = require.positive_float("temperature", temperature)
        N = require.positive_int("num_steps", num_steps)
        first = z.new_tensor(_START)[None, None]
        begun = z.new_zeros(1, 0, 5) if start is None else to_stroke5([start.to(z)])[:, :-1]
        if begun.shape[1] >= N:
            raise ValueError(f"num_steps must be more than the {begun.shape[1]} steps of start, but is {N}")
        steps = torch.cat([first, begun], dim=1).expand(len(z), -1, -1)
        output, state = self.decoder(z, steps, self.decoder.initial(z))
        rows, over = [begun.expand(len(z), -1, -1)], torch.zeros(len(z), dtype=torch.bool, device=z.device)
        for _ in range(N - begun.shape[1]):
            row = self._draw_step(output[:, -1], T, generator)
            row[over] = row.new_tensor((0, 0, 0, 0, 1))
            over = over | (row[:, 4] == 1)
            rows.append(row[:, None])
            if bool(over.all()):
                break
            output, state = self.decoder(z, row[:, None], state)
        ends = z.new_tensor((0, 0, 0, 0, 1)).expand(len(z), 1, 5)
        return from_stroke5(torch.cat([*rows, ends], dim=1))

    def sample(
        self,
        num_samples: int,
        *,
        temperature: float = 1.0,
        num_steps: int = 100,
        generator: torch.Generator | None = None,
    ) -> list[Tensor]:
        """Draws codes from the prior, and a sketch for each: stroke-3, see `decode`.

        Raises:
            ValueError: A number is not positive.
        """
        z = self._prior(require.positive_int("num_samples", num_samples), generator)
        return self.decode(z, temperature=temperature, num_steps=num_steps, generator=generator)

    @torch.no_grad()
    def interpolate(
        self,
        first: Tensor,
        second: Tensor,
        num_steps: int,
        *,
        temperature: float = 0.1,
        max_points: int = 100,
        generator: torch.Generator | None = None,
    ) -> list[Tensor]:
        """Decodes codes between those of two sketches, along a great circle.

        Codes of the prior have a length of about √K; the straight line between two of them passes codes that are much
        shorter, spherical interpolation does not.

        Args:
            first: Stroke-3; its code is the mean of q(z|x).
            second: Stroke-3.
            num_steps: How many sketches, both ends included.
            temperature: As `decode`; all sketches are drawn from the same random numbers.
            max_points: Most steps of a sketch.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Sketches, stroke-3.

        Raises:
            ValueError: `num_steps` is less than 2; or as `posterior`.

        Reference:
            White (2016), Sampling generative networks.
        """
        if require.positive_int("num_steps", num_steps) < 2:
            raise ValueError("num_steps must be at least 2, but is 1: both ends count")
        codes = self.posterior(to_stroke5([first, second])).mean
        path = spherical(codes[0], codes[1], num_steps)
        return [
            self.decode(z[None], temperature=temperature, num_steps=max_points, generator=_copy(generator))[0]
            for z in path
        ]

    @torch.no_grad()
    def complete(
        self,
        start: Tensor,
        num_samples: int = 1,
        *,
        temperature: float = 0.5,
        num_steps: int = 100,
        generator: torch.Generator | None = None,
    ) -> list[Tensor]:
        """Finishes a half-drawn sketch in several ways: reads it, draws z from q(z|what is there), and goes on.

        Args:
            start: What is there, stroke-3, `(t, 3)`.
            num_samples: How many ways.
            temperature: As `decode`.
            num_steps: Most steps of a whole sketch.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Whole sketches, stroke-3, that begin with `start`.

        Raises:
            ValueError: As `decode`.
        """
        S = require.positive_int("num_samples", num_samples)
        x = to_stroke5([start])
        if self.encoder is None:
            z = x.new_zeros(S, 0)
        else:
            z = sampling.draw(self.posterior(x), (S,), generator=generator)[:, 0]
        return self.decode(z, temperature=temperature, num_steps=num_steps, start=start, generator=generator)

    def _prior(self, N: int, generator: torch.Generator | None) -> Tensor:
        return sampling.normal((N, self.num_latents), like=self.decoder.out.weight, generator=generator)

    def _split(self, output: Tensor) -> tuple[MixtureNormal2d, Tensor]:
        """Reads 6M + 3 numbers: of each component a logit, two means, two log σ and what tanh makes ρ of; the pen."""
        M = self.num_components
        logits, mu1, mu2, s1, s2, r = output[..., : 6 * M].unflatten(-1, (6, M)).unbind(dim=-2)
        step = MixtureNormal2d(
            logits,
            torch.stack([mu1, mu2], dim=-1),
            # Coordinates are given to a few digits: an unbounded density on them would be infinite.
            torch.stack([s1, s2], dim=-1).clamp(min=_LEAST_LOG_SCALE).exp(),
            _MOST_CORRELATED * r.tanh(),
        )
        return step, output[..., 6 * M :]

    def _draw_step(self, output: Tensor, T: float, generator: torch.Generator | None) -> Tensor:
        step, pen_logits = self._split(output)
        place = step.sample(temperature=T, generator=generator)
        pen = sampling.categorical((pen_logits / T).softmax(dim=-1), generator=generator)
        row = torch.cat([place, functional.one_hot(pen, 3).to(place)], dim=1)
        return torch.where(pen[:, None] == 2, row.new_tensor((0, 0, 0, 0, 1)), row)


_LEAST_LOG_SCALE = -4.0
_MOST_CORRELATED = 0.99


def spherical(first: Tensor, second: Tensor, num_steps: int) -> Float[Tensor, "S K"]:
    r"""Interpolates along a great circle, `(S, K)`, for codes `(K,)`.

    $$z_t = \frac{\sin((1 - t)\, \omega)}{\sin \omega}\, z_0 + \frac{\sin(t\, \omega)}{\sin \omega}\, z_1, \qquad
      \cos \omega = \frac{z_0^\top z_1}{\|z_0\|\, \|z_1\|}.$$

    Where the two point in one direction, the circle is none, and the line is straight.

    >>> spherical(torch.tensor([1.0, 0]), torch.tensor([0.0, 1]), 3)[1]
    tensor([0.7071, 0.7071])
    """
    t = torch.linspace(0, 1, require.positive_int("num_steps", num_steps), dtype=first.dtype)[:, None].to(
        first
    )
    omega = functional.cosine_similarity(first, second, dim=0).clamp(-1, 1).acos()
    if not bool(omega.sin().abs() > 1e-4):
        return (1 - t) * first + t * second
    return (((1 - t) * omega).sin() * first + (t * omega).sin() * second) / omega.sin()


def _copy(generator: torch.Generator | None) -> torch.Generator | None:
    """A generator in the same state, so that several draws use the same numbers."""
    if generator is None:
        return None
    twin = torch.Generator(generator.device)
    twin.set_state(generator.get_state())
    return twin
