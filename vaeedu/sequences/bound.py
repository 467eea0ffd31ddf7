"""The bound that both sequence VAEs maximise, with its KL term weighted or let off."""

from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vaeedu import require


def kl_to_standard(q: Independent) -> Tensor:
    """Computes KL(q(z|x) ‖ N(0, I)) in nats, `(B,)`."""
    return kl_divergence(q, Independent(Normal(q.mean.new_zeros(q.mean.shape), 1.0, validate_args=False), 1))


def weighted(log_likelihood: Tensor, kl: Tensor, beta: float, free_nats: float) -> Tensor:
    """Computes log p(x|z) − β max(KL, λ), `(B,)`: at β = 1 and λ = 0 an estimate of the evidence lower bound."""
    b, free = require.non_negative_float("beta", beta), require.non_negative_float("free_nats", free_nats)
    return log_likelihood - b * kl.clamp(min=free)
