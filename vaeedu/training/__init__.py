"""Training: one loop for every model in the course.

`fit` takes a model, tensors, a loss and an optimiser, and returns a `History`. It knows no model class.
`fit_adversarial` is the same loop for two losses and two optimisers, which take turns. `muon` makes an optimiser that
needs fewer epochs than Adam where the weights are matrices.
"""

from vaeedu.training.adversarial import AdversarialHistory, fit_adversarial
from vaeedu.training.devices import default_device
from vaeedu.training.fit import fit
from vaeedu.training.history import History
from vaeedu.training.optimizers import muon
from vaeedu.training.recovery import NonFiniteLossError

__all__ = [
    "AdversarialHistory",
    "History",
    "NonFiniteLossError",
    "default_device",
    "fit",
    "fit_adversarial",
    "muon",
]
