"""What every bound asks of its arguments: shapes that mean what they should, and data in the likelihood's support."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, MultivariateNormal, Normal

from vaeedu import require

Network = Callable[[Tensor], Distribution]
Prior = Distribution | Callable[[], Distribution]


def examples(x: object) -> Float[Tensor, "B ..."]:
    """Returns `x` as a batch of finite floating-point examples, `(B, C, H, W)` or any `(B, ...)`.

    Raises:
        ValueError: It is none, or empty.

    >>> examples(torch.zeros(3))
    Traceback (most recent call last):
    ...
    ValueError: x must be a batch of examples, (B, C, H, W) for images, but has shape (3,): use x[None] for one example
    """
    if not isinstance(x, Tensor) or not x.is_floating_point():
        found = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"x must be a floating-point tensor, but is {found}: use torch.as_tensor(x).float()")
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(
            f"x must be a batch of examples, (B, C, H, W) for images, but has shape {tuple(x.shape)}: "
            "use x[None] for one example"
        )
    # A sum is finite only if every entry is, and takes one pass without memory.
    if not bool(torch.isfinite(x.detach().sum())):
        raise ValueError("x must hold finite numbers, but has NaN or infinite entries: drop or fill them")
    return x


def prior_distribution(prior: Prior) -> Distribution:
    """Returns p(z): the prior itself, or what it returns when called without arguments.

    Raises:
        ValueError: It is no distribution over vectors.
    """
    p = prior() if callable(prior) else prior
    if not isinstance(p, Distribution) or len(p.event_shape) != 1:
        found = f"event shape {tuple(p.event_shape)}" if isinstance(p, Distribution) else type(p).__name__
        raise ValueError(
            f"prior must be a distribution over vectors, event shape (K,), but has {found}: "
            "use Independent(Normal(torch.zeros(K), torch.ones(K)), 1)"
        )
    return p


def posterior(encoder: Network, x: Tensor, prior: Distribution) -> Distribution:
    """Returns q(z|x), one distribution over K-vectors for each example.

    Raises:
        ValueError: What the encoder returns is no such thing, or `x` has not the dtype of its weights.
    """
    _require_dtype_of(encoder, x)
    q = require.distribution("encoder", encoder(x), "end it with vaeedu.networks.NormalHead")
    if q.batch_shape == () and q.event_shape == prior.event_shape:
        raise ValueError(
            f"x must hold examples, one per row, but one of shape {tuple(x.shape)} is encoded as if it were a single "
            "example: pass x[None]"
        )
    if q.batch_shape != x.shape[:1] or q.event_shape != prior.event_shape:
        raise ValueError(
            f"encoder must return one distribution over {prior.event_shape[0]} latents for each of {len(x)} examples, "
            f"but its batch shape is {tuple(q.batch_shape)} and its event shape {tuple(q.event_shape)}: "
            "wrap it in Independent(..., 1), and give encoder and prior the same number of latents"
        )
    return q


def likelihood(decoder: Network, z: Float[Tensor, "*batch K"], x: Tensor) -> Distribution:
    """Returns p(x|z), one distribution over examples for each latent vector.

    Raises:
        ValueError: What the decoder returns is no such thing.
    """
    mend = "end it with vaeedu.networks.BernoulliHead or NormalHead"
    p = require.distribution("decoder", decoder(z), mend)
    if p.batch_shape != z.shape[:-1] or p.event_shape != x.shape[1:]:
        raise ValueError(
            f"decoder must return distributions of batch shape {tuple(z.shape[:-1])} over events of the shape of an "
            f"example, {tuple(x.shape[1:])}, but they have batch shape {tuple(p.batch_shape)} and event shape "
            f"{tuple(p.event_shape)}: wrap it in Independent(..., {x.ndim - 1}), so that pixels are summed over"
        )
    return p


def log_likelihood(
    decoder: Network, z: Float[Tensor, "*batch K"], x: Tensor, *, is_checked: bool = False
) -> Float[Tensor, "*batch"]:
    """Returns log p(x|z) in nats, one number for each sample and example.

    Args:
        decoder: Maps z to p(x|z).
        z: Latents.
        x: Examples.
        is_checked: Whether these examples are known to be in the support.

    Raises:
        ValueError: As `likelihood`, or the likelihood is Bernoulli and `x` is not binary.
    """
    p = likelihood(decoder, z, x)
    if not is_checked and isinstance(p, Independent) and isinstance(p.base_dist, Bernoulli):
        require.binary(
            "x", x, where="where the likelihood is Bernoulli", mend="or a normal likelihood for grey values"
        )
    return unchecked(p).log_prob(x)


def unchecked(p: Distribution) -> Distribution:
    """Returns the same distribution, without torch's own look at every value before each `log_prob`.

    What is looked at was checked already, or drawn from a distribution of the same family; looking again takes longer
    than the rest of `log_prob` does.
    """
    match p:
        case Independent(base_dist=Bernoulli() as base):
            bare: Distribution = Bernoulli(logits=base.logits, validate_args=False)
        case Independent(base_dist=Normal() as base):
            bare = Normal(base.loc, base.scale, validate_args=False)
        case _:
            return p
    return Independent(bare, p.reinterpreted_batch_ndims, validate_args=False)


def is_diagonal_normal(p: Distribution) -> bool:
    """Says whether `p` is over vectors of independent normal entries."""
    return isinstance(p, Independent) and isinstance(p.base_dist, Normal) and len(p.event_shape) == 1


def covariance(p: Distribution) -> Float[Tensor, "*batch K K"] | None:
    """Returns the covariance matrix of a Gaussian; None for any other distribution."""
    if isinstance(p, MultivariateNormal):
        return p.covariance_matrix
    return torch.diag_embed(p.variance) if is_diagonal_normal(p) else None


def _require_dtype_of(network: Network, x: Tensor) -> None:
    weights = network.parameters() if isinstance(network, nn.Module) else iter(())
    dtype = next((weight.dtype for weight in weights if weight.is_floating_point()), x.dtype)
    if x.dtype != dtype:
        raise ValueError(
            f"x must have the dtype of the encoder's weights, {dtype}, but has {x.dtype}: use x.to({dtype}), or "
            "model.double() for float64"
        )
