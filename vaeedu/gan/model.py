"""The model: a generator, a critic, what each of them wants, and a moving average of the generator's weights."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vaeedu import require, sampling
from vaeedu.gan.losses import NON_SATURATING, AdversarialLoss
from vaeedu.gan.penalties import gradient_penalty, r1_penalty


class GAN(nn.Module):
    r"""A density without a formula: $x = G(z)$, $z \sim N(0, I)$, learned against a critic $D$.

    It has samples, and neither `log_prob` nor a bound: $p(x)$ would need all $z$ with $G(z) = x$, and where G maps to a
    surface it is no density at all.

    Args:
        generator: Maps codes `(B, K)` to events, `(B, ...)`.
        critic: Maps events to `(B, 1)` or `(B,)`: logits, or what the loss asks for.
        num_latents: K.
        loss: What the players want.
        r1: γ, the weight of `r1_penalty`.
        gradient_penalty: The weight of the penalty of WGAN-GP; 10 in its source.
        noise: Standard deviation of the normal noise that is added to data and samples before the critic sees them.
        noise_decay: What it is multiplied by after each step of the generator: from coarse to fine.
        average: The decay of the moving average of the generator's weights, from which `sample` draws: 0.999 averages
            over about the last thousand steps. None for none.

    Raises:
        ValueError: A number is not as described.

    Reference:
        Goodfellow et al. (2014), Generative adversarial nets; Sønderby et al. (2017), Amortised MAP inference for image
        super-resolution, for the noise; Yazıcı et al. (2019), The unusual effectiveness of
        averaging in GAN training.

    >>> model = GAN(nn.Linear(3, 2), nn.Linear(2, 1), num_latents=3)
    >>> model.sample(5).shape, model.critic_loss(torch.zeros(4, 2)).shape
    (torch.Size([5, 2]), torch.Size([]))
    """

    noise: Tensor  # a buffer: checkpoints hold it

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        *,
        num_latents: int,
        loss: AdversarialLoss = NON_SATURATING,
        r1: float = 0.0,
        gradient_penalty: float = 0.0,
        noise: float = 0.0,
        noise_decay: float = 1.0,
        average: float | None = None,
    ) -> None:
        super().__init__()
        self.generator, self.critic, self.loss = generator, critic, loss
        self.num_latents = require.positive_int("num_latents", num_latents)
        self.r1 = require.non_negative_float("r1", r1)
        self.gradient_penalty = require.non_negative_float("gradient_penalty", gradient_penalty)
        if not 0 < require.finite_float("noise_decay", noise_decay) <= 1:
            raise ValueError(
                f"noise_decay must lie in (0, 1], but is {noise_decay!r}: use 1.0 to keep the noise"
            )
        self.register_buffer("noise", torch.tensor(require.non_negative_float("noise", noise)))
        self.noise_decay, self._is_noisy = noise_decay, noise > 0
        self.average: AveragedModel | None = None
        if average is not None:
            if not 0 <= require.finite_float("average", average) < 1:
                raise ValueError(f"average must lie in [0, 1), but is {average!r}: use 0.999, or None")
            ema = get_ema_multi_avg_fn(average)
            self.average = AveragedModel(generator, multi_avg_fn=ema, use_buffers=True).requires_grad_(False)

    def draw(self, num_samples: int, *, generator: torch.Generator | None = None) -> Float[Tensor, "N ..."]:
        """Draws N samples of the generator that is being trained, through which a gradient can flow."""
        like = next(self.generator.parameters())
        z = sampling.normal((num_samples, self.num_latents), like=like, generator=generator)
        samples: Tensor = self.generator(z)
        return samples

    def critic_loss(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, ""]:
        """Computes the critic's mean loss on a batch and as many fresh samples, with the penalties."""
        with torch.no_grad():  # the critic's step leaves the generator alone
            samples = self.draw(len(x), generator=generator)
        x, samples = (self._blur(v, generator) for v in (x, samples))
        loss = self.loss.critic(self._judge(x), self._judge(samples)).mean()
        if self.r1:
            loss = loss + self.r1 * r1_penalty(self.critic, x).mean()
        if self.gradient_penalty:
            slope = gradient_penalty(self.critic, x, samples, generator=generator)
            loss = loss + self.gradient_penalty * slope.mean()
        return loss

    def generator_loss(
        self, x: Float[Tensor, "B ..."], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, ""]:
        """Computes the generator's mean loss on as many fresh samples as there are examples; it sees no data."""
        samples = self._blur(self.draw(len(x), generator=generator), generator)
        return self.loss.generator(self._judge(samples)).mean()

    @property
    def losses(self) -> tuple:
        """The two losses, in the order in which `fit_adversarial` takes them."""
        return self.critic_loss, self.generator_loss

    @torch.no_grad()
    def advance(self) -> None:
        """Does what follows each step of the generator: its average moves, the noise fades.

        `fit_adversarial` calls it `after_step`.
        """
        self.noise.mul_(self.noise_decay)
        if self.average is not None:
            self.average.update_parameters(self.generator)

    @torch.no_grad()
    def sample(
        self, num_samples: int, *, batch_size: int = 1000, generator: torch.Generator | None = None
    ) -> Float[Tensor, "N ..."]:
        """Draws samples in evaluation mode, from the averaged weights where there are any.

        Args:
            num_samples: N.
            batch_size: How many are computed at once; it changes memory, not what is drawn.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Samples, `(N, ...)`.

        Raises:
            ValueError: A number is not positive and whole.
        """
        N = require.positive_int("num_samples", num_samples)
        network = self.generator if self.average is None else self.average
        was_training = network.training
        network.eval()
        try:
            like = next(self.generator.parameters())
            z = sampling.normal((N, self.num_latents), like=like, generator=generator)
            size = require.positive_int("batch_size", batch_size)
            return torch.cat([network(part) for part in z.split(size)])
        finally:
            network.train(was_training)

    def _blur(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        if not self._is_noisy:
            return x
        return sampling.reparameterize(x, self.noise.to(x), generator=generator)

    def _judge(self, x: Tensor) -> Float[Tensor, " B"]:
        output: Tensor = self.critic(x)
        return one_value_each(output, len(x))


def one_value_each(output: Tensor, size: int) -> Float[Tensor, " B"]:
    """Returns a critic's output as one value an example, of a dtype in which a loss can be computed.

    Raises:
        ValueError: It is another number of values.
    """
    shapes: Sequence[tuple[int, ...]] = ((size,), (size, 1))
    if tuple(output.shape) not in shapes:
        raise ValueError(
            f"critic must return one value an example, ({size},) or ({size}, 1), but returned {tuple(output.shape)}"
        )
    # Under autocast the last layer gives bfloat16, whose three digits are too few for a difference of logits.
    values = output.reshape(size)
    return values if values.dtype in (torch.float32, torch.float64) else values.float()
