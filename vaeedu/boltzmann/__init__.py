"""Boltzmann machines: a density given by energies, whose normalising constant is the difficulty.

- `RestrictedBoltzmannMachine`: one visible and one hidden layer of binary units, and no connection within a layer.
  `free_energy` is minus the unnormalised log-density; `contrastive_divergence` is the usual loss; `log_partition` and
  `log_prob` are exact where the smaller layer is small enough to go through all its states.

Data are matrices `(B, D)` of zeros and ones; log-probabilities are `(B,)`, in nats.
"""

from vaeedu.boltzmann.restricted import RestrictedBoltzmannMachine

__all__ = ["RestrictedBoltzmannMachine"]
