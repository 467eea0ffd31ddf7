"""Lower bounds on log p(x) for models with latent variables, and wake–sleep for comparison.

All take `(x, encoder, decoder, prior, *, ..., generator)`, where encoder and decoder are callables that return
torch's distributions, q(z|x) and p(x|z), and give one value per example, in nats. They know no model class.

- `elbo`, and `elbo_terms`, its reconstruction and KL terms; `kl_per_dimension`, what each latent costs.
- `iwae_bound`, tighter with every sample, in bounded memory; `log_weights`, what it averages.
- `wake_sleep`, the two losses of the older algorithm.
"""

from vaeedu.bounds.evidence import ElboTerms, elbo, elbo_terms, kl_per_dimension
from vaeedu.bounds.helmholtz import WakeSleep, wake_sleep
from vaeedu.bounds.importance import iwae_bound, log_weights
from vaeedu.bounds.inputs import is_diagonal_normal

__all__ = [
    "ElboTerms",
    "WakeSleep",
    "elbo",
    "elbo_terms",
    "is_diagonal_normal",
    "iwae_bound",
    "kl_per_dimension",
    "log_weights",
    "wake_sleep",
]
