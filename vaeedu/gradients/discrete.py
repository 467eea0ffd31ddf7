"""Gradients through discrete z: the exact sum, and a relaxation."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Categorical, Distribution, Independent, OneHotCategorical

from vaeedu import require, sampling
from vaeedu.gradients.jacobian import Values, base, build, evaluate, per_sample_vjp, slope

MOST_OUTCOMES = 2**20


def enumerated_gradients(
    f: Values,
    make_distribution: Callable[..., Distribution],
    params: object,
    num_samples: int = 1,
    *,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, ...]:
    r"""Computes ∇ E_q[f(z)] for a discrete z by summing over all of its outcomes: no randomness, no variance.

    $$\nabla_\phi \mathbb E_{q_\phi}[f(z)] = \sum_z f(z)\, \nabla_\phi q_\phi(z).$$

    An event of D binary entries has 2^D outcomes: the price of exactness.

    Args:
        f: Takes `(L, *batch_shape, *event_shape)`, returns `(L, *batch_shape)`, for all L outcomes; needs no
            derivative.
        make_distribution: Takes the params, returns a Bernoulli, Categorical or OneHotCategorical, or an
            `Independent` of one, or another distribution whose support torch can enumerate.
        params: A tuple of floating-point tensors.
        num_samples: Not used; there so that all estimators are called alike.
        generator: Not used either.

    Returns:
        One tensor a parameter, `(1, *param.shape)`: the exact gradient as a single sample.

    Raises:
        ValueError: `params` is no tuple of finite floating-point tensors, the outcomes cannot be listed or are more
            than about a million, or f returns another shape or a value that is not finite.

    Reference:
        Mohamed et al. (2020), section 7.3, where summing over some variables is called conditioning.

    >>> from torch.distributions import Bernoulli
    >>> enumerated_gradients(lambda z: (z - 0.25) ** 2, lambda p: Bernoulli(p), (torch.tensor(0.3),))
    (tensor([0.5000]),)
    """
    q, params = build(make_distribution, params)
    require.positive_int("num_samples", num_samples)
    z = _outcomes(q)
    with torch.no_grad():
        values = evaluate(f, z, q).to(params[0].dtype)
    _, pull_back = per_sample_vjp(
        lambda params, z: _probability(make_distribution(*params), z), params, len(z), z
    )
    return tuple(gradient.sum(dim=0, keepdim=True) for gradient in pull_back(values))


def gumbel_softmax_gradients(
    f: Values,
    make_distribution: Callable[..., Distribution],
    params: object,
    num_samples: int,
    *,
    temperature: float,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, ...]:
    r"""Estimates ∇ E_q[f(z)] for a discrete z from draws that were made continuous. The estimate is biased.

    $$\tilde z = \operatorname{softmax}\big((\log \pi + g) / \tau\big), \quad g_l \sim \text{Gumbel}(0, 1), \qquad
      \nabla_\phi \mathbb E[f(\tilde z)] \ne \nabla_\phi \mathbb E[f(z)] .$$

    As τ → 0 the softmax becomes an argmax, z̃ a draw from q, and the bias goes to 0, while the variance grows
    without limit. f is evaluated *between* the outcomes, where it may mean nothing.

    Args:
        f: Takes `(S, *batch_shape, *event_shape)`, returns `(S, *batch_shape)`; differentiable, on mixtures of
            outcomes too.
        make_distribution: Takes the params, returns a OneHotCategorical or Bernoulli, or an `Independent` of one.
        params: A tuple of floating-point tensors.
        num_samples: S.
        temperature: τ > 0.
        generator: The source of randomness; None is torch's global one.

    Returns:
        One tensor a parameter, `(S, *param.shape)`: per-sample gradients, in units of f over units of the parameter.

    Raises:
        ValueError: `params` is no tuple of finite floating-point tensors, `num_samples` is below 1, `temperature`
            is not positive, the distribution is of another family, or f returns another shape, a value that is not
            finite or one without gradient.

    Reference:
        Jang, Gu and Poole (2017), Categorical reparameterization with Gumbel-softmax; Maddison, Mnih and Teh
        (2017), The Concrete distribution.

    >>> from torch.distributions import OneHotCategorical
    >>> logits, g = torch.tensor([0.0, 1.0, 2.0]), torch.Generator().manual_seed(0)
    >>> (gradients,) = gumbel_softmax_gradients(
    ...     lambda z: z[..., 0], lambda logits: OneHotCategorical(logits=logits), (logits,), 7, temperature=0.5,
    ...     generator=g)
    >>> gradients.shape
    torch.Size([7, 3])
    """
    q, params = build(make_distribution, params)
    S = require.positive_int("num_samples", num_samples)
    tau = require.positive_float("temperature", temperature)
    family = base(q)
    if not isinstance(family, OneHotCategorical | Bernoulli):
        raise ValueError(
            "make_distribution must return a OneHotCategorical or Bernoulli, or an Independent of one, but returned "
            f"{type(family).__name__}: only these have a continuous relaxation here"
        )
    shape = (2, S, *family.batch_shape, *family.event_shape)
    noise, other = sampling.gumbel(shape, like=params[0], generator=generator)
    if isinstance(family, Bernoulli):
        noise = noise - other  # of two outcomes only the difference counts, which is logistic

    def relaxed(params: tuple[Tensor, ...], noise: Tensor) -> Tensor:
        made = base(make_distribution(*params))
        perturbed = (made.logits + noise) / tau
        return perturbed.sigmoid() if isinstance(made, Bernoulli) else perturbed.softmax(dim=-1)

    z, pull_back = per_sample_vjp(relaxed, params, S, noise)
    return pull_back(slope(f, z, q))


def _probability(q: Distribution, z: Tensor) -> Tensor:
    """q(z), by products of probabilities where they are at hand.

    e^{log q} has no derivative where q is 0, though an outcome of probability 0 has one as soon as φ moves.
    """
    if isinstance(q, Independent):
        factors = _probability(q.base_dist, z)
        entries = q.reinterpreted_batch_ndims
        return factors.flatten(factors.ndim - entries).prod(dim=-1) if entries else factors
    if isinstance(q, Bernoulli):
        return torch.where(z == 1, q.probs, 1 - q.probs)
    if isinstance(q, OneHotCategorical):
        return (q.probs * z).sum(dim=-1)
    if isinstance(q, Categorical):
        return q.probs.gather(-1, z[..., None])[..., 0]
    return q.log_prob(z).exp()


def _outcomes(q: Distribution) -> Tensor:
    """Lists what a draw can be, `(L, *batch_shape, *event_shape)`."""
    if not base(q).has_enumerate_support:
        raise ValueError(
            "make_distribution must return a distribution with finitely many outcomes, such as Bernoulli, Categorical "
            f"or OneHotCategorical, but returned {type(base(q)).__name__}: use score_function_gradients"
        )
    if not isinstance(q, Independent):
        return q.enumerate_support()
    inner = _outcomes(q.base_dist)  # (L, *base batch, *base event), the same list for each entry
    entries = q.base_dist.batch_shape[len(q.batch_shape) :]
    D, L = math.prod(entries), len(inner)
    if L**D > MOST_OUTCOMES:
        raise ValueError(
            f"make_distribution must return a distribution with at most {MOST_OUTCOMES} outcomes to be enumerated, but "
            f"one event of {D} entries with {L} outcomes each has {L}^{D}: use score_function_gradients"
        )
    # Outcome number n has the digits of n in base L as its entries.
    number = torch.arange(L**D, device=inner.device)
    digits = number[:, None] // L ** torch.arange(D, device=inner.device) % L  # (L^D, D)
    batch, event = q.batch_shape, q.base_dist.event_shape
    one = inner.reshape(L, math.prod(batch), D, *event)[:, 0, 0]  # (L, *event)
    joint = one[digits].reshape(L**D, *[1] * len(batch), *entries, *event)
    return joint.expand(L**D, *batch, *entries, *event)
