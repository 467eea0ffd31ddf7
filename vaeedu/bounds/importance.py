"""Importance weights, and the bound on log p(x) that many of them give."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaeedu import require, sampling
from vaeedu.bounds import inputs
from vaeedu.bounds.inputs import Network, Prior

# Noise is drawn for this many latent vectors at a time, and this many examples are encoded at a time. Neither depends
# on the chunk size, and so, by the same generator, nor does the result.
_DRAWN_AT_ONCE = 2**14
_ENCODED_AT_ONCE = 1000

# What a decoder needs for one latent vector is not known here. It is taken to be 64 numbers a pixel, which is plenty
# for a dense network and right for a convolution of 32 channels and its activation.
_DECODER_BYTES = 2**28
_NUMBERS_PER_PIXEL = 64


def log_weights(
    x: object,
    encoder: Network,
    decoder: Network,
    prior: Prior,
    *,
    num_samples: int,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "S B"]:
    r"""Draws logarithms of importance weights, from which every bound here can be computed.

    $$\log w_s = \log p(x \mid z_s) + \log p(z_s) - \log q(z_s \mid x), \qquad z_s \sim q(z \mid x), \qquad
      \mathbb E[w_s] = p(x).$$

    Their mean over s estimates the evidence lower bound; the logarithm of the weights' mean, `iwae_bound`. If q is the
    exact posterior they are all log p(x): the spread of a column says how far q is from it.

    Args:
        x: Data, `(B, C, H, W)` or any `(B, ...)`; zeros and ones where the likelihood is Bernoulli.
        encoder: Maps x to q(z|x), batch shape `(B,)`, event shape `(K,)`.
        decoder: Maps latents `(S, B, K)` to p(x|z), batch shape `(S, B)`.
        prior: p(z), event shape `(K,)`; or what returns it when called.
        num_samples: S. All are decoded at once.
        generator: The source of randomness; None is torch's global one.

    Returns:
        log w in nats, `(S, B)`; differentiable where the samples are.

    Raises:
        ValueError: As `elbo`.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), Importance weighted autoencoders, section 3.

    >>> from torch.distributions import Independent, Normal
    >>> normal = lambda loc: Independent(Normal(loc, 1.0), 1)
    >>> log_weights(torch.ones(2, 3), normal, normal, normal(torch.zeros(3)), num_samples=5).shape
    torch.Size([5, 2])
    """
    S = require.positive_int("num_samples", num_samples)
    x = inputs.examples(x)
    p_z = inputs.prior_distribution(prior)
    q = inputs.posterior(encoder, x, p_z)
    z = sampling.draw(q, (S,), generator=generator)  # (S, B, K)
    log_ratio = inputs.unchecked(p_z).log_prob(z) - inputs.unchecked(q).log_prob(z)  # log p(z) − log q(z|x)
    return inputs.log_likelihood(decoder, z, x) + log_ratio


def iwae_bound(
    x: object,
    encoder: Network,
    decoder: Network,
    prior: Prior,
    *,
    num_samples: int,
    chunk_size: int | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " B"]:
    r"""Estimates the importance weighted bound, one value per example.

    $$\mathcal L_S(x) = \mathbb E\Big[ \log \frac1S \sum_{s=1}^S w_s \Big], \qquad
      \mathcal L_1 \le \mathcal L_2 \le \dots \le \log p(x), \qquad \mathcal L_S \to \log p(x),$$

    with w as in `log_weights`. L₁ is the evidence lower bound. L₅₀₀₀ is what most papers report as log p(x); mind the
    1/S, whose logarithm is 8.5 nats there.

    Latent vectors are decoded in chunks and the sum is kept as a running logarithm, so that without gradients (under
    `torch.no_grad()`) memory does not grow with S. With gradients, memory grows with S × B.

    Args:
        x: Data, `(B, C, H, W)` or any `(B, ...)`; zeros and ones where the likelihood is Bernoulli.
        encoder: Maps x to q(z|x), batch shape `(B,)`, event shape `(K,)`.
        decoder: Maps latents `(s, b, K)` to p(x|z), batch shape `(s, b)`.
        prior: p(z), event shape `(K,)`; or what returns it when called.
        num_samples: S.
        chunk_size: How many latent vectors are decoded at once, at most; None chooses a number for which the decoder
            should need some 256 MiB. Given the generator, the result does not depend on it, but for rounding.
        generator: The source of randomness; None is torch's global one.

    Returns:
        The bound's estimate in nats, `(B,)`.

    Raises:
        ValueError: As `elbo`, or `chunk_size` is no positive whole number.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), Importance weighted autoencoders, eq. 8 and theorem 1.

    >>> from torch.distributions import Independent, Normal
    >>> normal = lambda loc: Independent(Normal(loc, 1.0), 1)
    >>> iwae_bound(torch.ones(2, 3), normal, normal, normal(torch.zeros(3)), num_samples=5000).shape
    torch.Size([2])
    """
    S = require.positive_int("num_samples", num_samples)
    x = inputs.examples(x)
    rows = _default_chunk_size(x) if chunk_size is None else require.positive_int("chunk_size", chunk_size)
    p_z = inputs.prior_distribution(prior)
    parts = x.split(_ENCODED_AT_ONCE)
    return torch.cat([_bound(part, encoder, decoder, p_z, S, rows, generator) for part in parts])


def _bound(
    x: Tensor,
    encoder: Network,
    decoder: Network,
    p_z: Distribution,
    S: int,
    rows: int,
    generator: torch.Generator | None,
) -> Tensor:
    q = inputs.posterior(encoder, x, p_z)
    group = max(1, _DRAWN_AT_ONCE // len(x))
    total = x.new_full((len(x),), -math.inf)  # log 0
    for start in range(0, S, group):
        z = sampling.draw(q, (min(group, S - start),), generator=generator)  # (s, B, K)
        log_w = inputs.unchecked(p_z).log_prob(z) - inputs.unchecked(q).log_prob(z)
        log_w = log_w + _log_likelihood(decoder, z, x, rows, is_checked=start > 0)
        total = torch.logaddexp(total, log_w.logsumexp(dim=0))
    return total - math.log(S)


def _log_likelihood(
    decoder: Network, z: Tensor, x: Tensor, rows: int, *, is_checked: bool
) -> Float[Tensor, "s B"]:
    """Returns log p(x|z), decoding at most `rows` latent vectors at a time."""
    S, B, _ = z.shape
    by_sample = []
    for s in _slices(S, max(1, rows // B)):
        parts = [
            inputs.log_likelihood(decoder, z[s, b], x[b], is_checked=is_checked)
            for b in _slices(B, min(B, rows))
        ]
        by_sample.append(torch.cat(parts, dim=1))
        is_checked = True  # looking at the same pixels again takes a tenth of the time
    return torch.cat(by_sample)


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(start, start + step) for start in range(0, length, step))


def _default_chunk_size(x: Tensor) -> int:
    per_row = _NUMBERS_PER_PIXEL * x[0].numel() * x.element_size()
    return min(_DRAWN_AT_ONCE, max(1, _DECODER_BYTES // per_row))
