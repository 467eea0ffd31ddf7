"""What the two players want, as pairs of functions of the critic's outputs: one value an example, to be made small."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from vaeedu import require

Values = Float[Tensor, "*shape"]


class AdversarialLoss(NamedTuple):
    """A critic's loss and the generator's that goes with it; both are to be made small, and both give `(B,)`.

    Attributes:
        name: What it is called.
        critic_on_data: The critic's loss as a function of its outputs on data.
        critic_on_samples: The critic's loss as a function of its outputs on samples; the two are added.
        generator: The generator's, a function of the critic's outputs on samples.
        is_probability: Whether the output is the logit of "this is data", so that its sigmoid is a probability.
    """

    name: str
    critic_on_data: Callable[[Values], Values]
    critic_on_samples: Callable[[Values], Values]
    generator: Callable[[Values], Values]
    is_probability: bool

    def critic(self, on_data: object, on_samples: object) -> Values:
        """Computes the critic's loss of each pair of a datum and a sample.

        Args:
            on_data: The critic's outputs on data, `(B,)`: logits, not probabilities.
            on_samples: Its outputs on samples, `(B,)`.

        Returns:
            `(B,)`, in nats where `is_probability`.

        Raises:
            ValueError: An output is not finite, or the two differ in number.
        """
        a = require.vector("on_data", on_data)
        b = require.vector("on_samples", on_samples, length=len(a))
        return self.critic_on_data(a) + self.critic_on_samples(b)


def _on_data(logit: Values) -> Values:
    return softplus(-logit)  # −log D(x)


def _on_samples(logit: Values) -> Values:
    return softplus(logit)  # −log(1 − D(G(z)))


MINIMAX = AdversarialLoss("minimax", _on_data, _on_samples, lambda logit: -softplus(logit), True)
r"""Goodfellow et al. (2014), eq. 1: the generator makes $\log(1 - D(G(z)))$ small, what the critic makes large."""

NON_SATURATING = AdversarialLoss(
    "non-saturating", _on_data, _on_samples, lambda logit: softplus(-logit), True
)
r"""Goodfellow et al. (2014), section 3: the generator makes $-\log D(G(z))$ small instead."""

LEAST_SQUARES = AdversarialLoss(
    "least squares",
    lambda output: 0.5 * (output - 1).square(),
    lambda output: 0.5 * output.square(),
    lambda output: 0.5 * (output - 1).square(),
    False,
)
"""Mao et al. (2017), eq. 9: the critic aims at 1 for data and at 0 for samples, the generator at 1 for its samples."""

WASSERSTEIN = AdversarialLoss(
    "Wasserstein", lambda output: -output, lambda output: output, lambda output: -output, False
)
"""Arjovsky et al. (2017), eq. 2: a difference of means. Means nothing unless the critic is kept 1-Lipschitz."""

LOSSES = {loss.name: loss for loss in (MINIMAX, NON_SATURATING, LEAST_SQUARES, WASSERSTEIN)}


def optimal_logit(log_p: object, log_q: object) -> Values:
    r"""Computes the logit of the best critic, which knows both densities.

    $$D^*(x) = \frac{p(x)}{p(x) + q(x)} = \sigma\big(\log p(x) - \log q(x)\big),$$

    the posterior probability of "data", where data and samples are equally frequent.

    Args:
        log_p: The data's log-density, any shape, in nats; it may be −∞.
        log_q: The generator's, of a shape that broadcasts.

    Returns:
        log p − log q, in nats.

    Raises:
        ValueError: The shapes do not broadcast, or both densities are 0 somewhere.

    Reference:
        Goodfellow et al. (2014), Generative adversarial nets, proposition 1.

    >>> import torch
    >>> optimal_logit(torch.tensor([0.25]).log(), torch.tensor([0.75]).log()).sigmoid()
    tensor([0.2500])
    """
    a, b = require.broadcast(log_p=log_p, log_q=log_q)
    logit = a - b
    require.tensors.refuse(
        "log_p - log_q",
        logit,
        logit.isnan(),
        "be a number",
        "leave out points where both densities are 0: no critic is asked about them",
    )
    return logit


def value(on_data: object, on_samples: object) -> Float[Tensor, ""]:
    r"""Estimates the value of the minimax game from a critic's logits on data and on samples.

    $$V(D, G) = \mathbb E_{p}[\log D(x)] + \mathbb E_{q}[\log(1 - D(x))] \le 2\, \mathrm{JSD}(p, q) - \log 4,$$

    with equality, up to the error of the means, for the `optimal_logit`.

    Args:
        on_data: Logits on N examples, `(N,)`.
        on_samples: Logits on M samples, `(M,)`.

    Returns:
        V in nats, at most 0; −log 4 ≈ −1.386 for a critic that always says ½.

    Raises:
        ValueError: There is no logit, or one is not finite.

    Reference:
        Goodfellow et al. (2014), Generative adversarial nets, eq. 1 and theorem 1.

    >>> import torch
    >>> value(torch.zeros(5), torch.zeros(3))
    tensor(-1.3863)
    """
    a, b = require.vector("on_data", on_data), require.vector("on_samples", on_samples)
    return logsigmoid(a).mean() + logsigmoid(-b).mean()
