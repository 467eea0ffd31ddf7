"""Wake–sleep, which trains Helmholtz machines: the older way to train a recognition model, as a comparison."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaeedu import require, sampling
from vaeedu.bounds import inputs
from vaeedu.bounds.inputs import Network, Prior


class WakeSleep(NamedTuple):
    """The two losses of wake–sleep, in nats.

    Attributes:
        wake: −log p(x, z) for data x and z ~ q(z|x), `(B,)`. Its gradient reaches the decoder (and the prior) alone.
        sleep: −log q(z|x) for dreams (x, z) ~ p(x, z), `(B,)`. Its gradient reaches the encoder alone.
    """

    wake: Float[Tensor, " B"]
    sleep: Float[Tensor, " B"]


def wake_sleep(
    x: object,
    encoder: Network,
    decoder: Network,
    prior: Prior,
    *,
    num_samples: int = 1,
    generator: torch.Generator | None = None,
) -> WakeSleep:
    r"""Computes the losses of one wake and one sleep phase.

    $$\text{wake: } -\mathbb E_{z \sim q_\phi(z \mid x)}[\log p_\theta(x, z)] \to \min_\theta, \qquad
      \text{sleep: } -\mathbb E_{(x, z) \sim p_\theta}[\log q_\phi(z \mid x)] \to \min_\phi .$$

    Awake, the decoder learns to explain data by the codes the encoder gives: for θ that is the gradient of the evidence
    lower bound. Asleep, the encoder learns to recognise the codes of dreams: it minimises KL(p(z|x) ‖ q(z|x)), the
    divergence the other way round, and on dreams instead of data. So the two phases do not descend on any one
    function. Their sum can be given to one optimiser: neither loss has a gradient for the other's parameters.

    Args:
        x: Data, `(B, C, H, W)` or any `(B, ...)`; zeros and ones where the likelihood is Bernoulli. As many dreams
            are dreamt as there are examples.
        encoder: Maps x to q(z|x), batch shape `(B,)`, event shape `(K,)`. Codes need not be reparameterisable.
        decoder: Maps latents `(S, B, K)` to p(x|z), batch shape `(S, B)`, of a family `sampling.draw` knows.
        prior: p(z), event shape `(K,)`; or what returns it when called.
        num_samples: S, codes for each example when awake.
        generator: The source of randomness; None is torch's global one.

    Returns:
        `wake` and `sleep`, `(B,)` each, in nats.

    Raises:
        ValueError: As `elbo`.

    Reference:
        Hinton, Dayan, Frey and Neal (1995), The "wake-sleep" algorithm for unsupervised neural networks, Science 268.

    >>> from torch.distributions import Independent, Normal
    >>> normal = lambda loc: Independent(Normal(loc, 1.0), 1)
    >>> losses = wake_sleep(torch.ones(2, 3), normal, normal, normal(torch.zeros(3)))
    >>> losses.wake.shape, losses.sleep.shape
    (torch.Size([2]), torch.Size([2]))
    """
    S = require.positive_int("num_samples", num_samples)
    x = inputs.examples(x)
    p_z = inputs.prior_distribution(prior)
    wake = _wake(x, encoder, decoder, p_z, S, generator)
    return WakeSleep(wake, _sleep(x, encoder, decoder, p_z, generator))


def _wake(
    x: Tensor,
    encoder: Network,
    decoder: Network,
    p_z: Distribution,
    S: int,
    generator: torch.Generator | None,
) -> Float[Tensor, " B"]:
    with torch.no_grad():
        z = sampling.draw(inputs.posterior(encoder, x, p_z), (S,), generator=generator)  # (S, B, K)
    log_joint = inputs.log_likelihood(decoder, z, x) + inputs.unchecked(p_z).log_prob(z)
    return -log_joint.mean(dim=0)


def _sleep(
    x: Tensor,
    encoder: Network,
    decoder: Network,
    p_z: Distribution,
    generator: torch.Generator | None,
) -> Float[Tensor, " B"]:
    with torch.no_grad():
        z = sampling.draw(p_z, (len(x),), generator=generator)  # (B, K)
        dreams = sampling.draw(inputs.likelihood(decoder, z, x), generator=generator)  # (B, C, H, W)
    return -inputs.unchecked(inputs.posterior(encoder, dreams, p_z)).log_prob(z)
