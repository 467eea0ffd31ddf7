"""Entropy, cross-entropy and KL divergence of discrete distributions, given by their probabilities."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require
from vaeedu.divergences.gap import NEAR, gap_near_one

BASES = (2, math.e)


def entropy(p: object, *, base: float | int = math.e) -> Float[Tensor, "*batch"]:
    r"""Computes the expected surprise, which is also the shortest possible mean code length.

    $$H(p) = -\sum_l p_l \log p_l, \qquad 0 \log 0 = 0.$$

    An outcome of probability zero adds nothing, and its gradient is returned as 0 (the true one is infinite there), so
    that a softmax that underflows still trains.

    Args:
        p: Probabilities, `(..., L)`, float32 or float64; the last dimension runs over the L outcomes and sums to 1.
        base: `math.e` for nats, 2 for bits.

    Returns:
        H(p), of shape `(...)`, in nats or bits.

    Raises:
        ValueError: `p` are no probabilities, or `base` is neither 2 nor e.

    Reference:
        Shannon (1948), A mathematical theory of communication, section 6.

    >>> entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]), base=2)
    tensor([1., 0.])
    """
    unit = _unit(base)
    p = require.probabilities("p", p)
    return -(p * _log_where(p > 0, p)).sum(dim=-1) / unit + 0.0  # + 0.0 turns −0. into 0.


def cross_entropy(p: object, q: object, *, base: float | int = math.e) -> Float[Tensor, "*batch"]:
    r"""Computes the mean code length of outcomes from `p` in a code that is best for `q`.

    $$H(p, q) = -\sum_l p_l \log q_l = H(p) + \mathrm{KL}(p \,\|\, q).$$

    Args:
        p: Probabilities of the outcomes that occur, `(..., L)`.
        q: Probabilities that the code was made for, `(..., L)`; leading dimensions broadcast against those of `p`.
        base: `math.e` for nats, 2 for bits.

    Returns:
        H(p, q), of shape `(...)`; infinite where an outcome that occurs has q = 0.

    Raises:
        ValueError: `p` or `q` are no probabilities or do not fit each other, or `base` is neither 2 nor e.

    Reference:
        Cover and Thomas (2006), Elements of information theory, theorem 5.4.3.

    >>> fair, loaded = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
    >>> cross_entropy(fair, loaded, base=2)
    tensor(1.2075)
    """
    unit = _unit(base)
    p, q = _same_outcomes("p", p, "q", q)
    expected = -(p * _log_where((q > 0) & (p > 0), q)).sum(dim=-1) / unit + 0.0
    return torch.where(((p > 0) & (q == 0)).any(dim=-1), math.inf, expected)


def kl_categorical(q: object, p: object, *, base: float | int = math.e) -> Float[Tensor, "*batch"]:
    r"""Computes KL(q ‖ p) of discrete distributions, to full accuracy also where they nearly agree.

    $$\mathrm{KL}(q \,\|\, p) = \sum_l q_l \log \frac{q_l}{p_l}
      = \sum_l q_l \left( \frac{p_l}{q_l} - 1 - \log \frac{p_l}{q_l} \right).$$

    The two sums agree since q and p both sum to 1. In the second no term is negative, by log x ≤ x − 1, so nothing
    cancels. Gradients are those of the second sum too. Along the simplex (through a softmax, say) there is no
    difference; off it the first sum would have others.

    Args:
        q: Probabilities, `(..., L)`, over which the mean is taken.
        p: Probabilities, `(..., L)`; leading dimensions broadcast against those of `q`.
        base: `math.e` for nats, 2 for bits.

    Returns:
        KL(q ‖ p) ≥ 0, of shape `(...)`: 0 log 0 = 0, and infinite where an outcome has q > 0 = p.

    Raises:
        ValueError: `q` or `p` are no probabilities or do not fit each other, or `base` is neither 2 nor e.

    Reference:
        Kullback and Leibler (1951), On information and sufficiency, eq. 2.4.

    >>> fair, loaded = torch.tensor([0.5, 0.5]), torch.tensor([0.3, 0.7])
    >>> kl_categorical(fair, loaded), kl_categorical(loaded, fair)
    (tensor(0.0872), tensor(0.0823))
    """
    unit = _unit(base)
    q, p = _same_outcomes("q", q, "p", p)
    return _terms(q, p, p - q).sum(dim=-1) / unit


def kl_bernoulli(probs_q: object, probs_p: object) -> Float[Tensor, "*shape"]:
    r"""Computes KL(q ‖ p) of coins, elementwise.

    $$\mathrm{KL}(q \,\|\, p) = q \log \frac{q}{p} + (1 - q) \log \frac{1 - q}{1 - p}.$$

    Args:
        probs_q: Probabilities of heads in [0, 1], any shape.
        probs_p: Probabilities of heads in [0, 1], broadcast against `probs_q`.

    Returns:
        KL(q ‖ p) ≥ 0 in nats, one for each entry (sum over the event dimensions for independent coins); infinite where
        q gives weight to a side that p rules out.

    Raises:
        ValueError: An entry is outside [0, 1], or the shapes do not broadcast.

    Reference:
        Cover and Thomas (2006), Elements of information theory, example 2.3.1.

    >>> kl_bernoulli(torch.tensor([0.5, 0.0, 1.0]), torch.tensor([0.3, 0.0, 0.0]))
    tensor([0.0872, 0.0000,    inf])
    """
    q, p = require.unit_interval("probs_q", probs_q), require.unit_interval("probs_p", probs_p)
    q, p = require.broadcast(probs_q=q, probs_p=p)
    # The complements' difference is q − p exactly, where (1 − p) − (1 − q) would lose the digits of small ones.
    return _terms(q, p, p - q) + _terms(1 - q, 1 - p, q - p)


def _terms(q: Tensor, p: Tensor, difference: Tensor) -> Tensor:
    """Returns q (x − 1 − log x) with x = p / q, given p − q; p where q = 0, infinite where q > 0 = p."""
    near = difference.abs() < NEAR * q
    # Each branch is fed harmless numbers where the other one counts: `where` alone would let its NaN gradients through.
    close = q * gap_near_one(torch.where(near, difference, 0.0) / torch.where(near, q, 1.0))
    both = (q > 0) & (p > 0)
    far = difference + q * (_log_where(both, q) - _log_where(both, p))
    return torch.where((q > 0) & (p == 0), math.inf, torch.where(near, close, far))


def _log_where(condition: Tensor, x: Tensor) -> Tensor:
    """Returns log x where the condition holds, and 0 with gradient 0 elsewhere."""
    return torch.where(condition, x, 1.0).log()


def _same_outcomes(first: str, a: object, second: str, b: object) -> tuple[Tensor, Tensor]:
    a, b = require.probabilities(first, a), require.probabilities(second, b)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(
            f"{first} and {second} must run over the same outcomes in their last dimension, but have {a.shape[-1]} "
            f"and {b.shape[-1]}: give an outcome that one of them lacks the probability 0"
        )
    a, b = require.broadcast(**{first: a, second: b})
    return a, b


def _unit(base: object) -> float:
    if base not in BASES:
        raise ValueError(f"base must be math.e for nats or 2 for bits, but is {base!r}")
    return math.log(2) if base == 2 else 1.0
