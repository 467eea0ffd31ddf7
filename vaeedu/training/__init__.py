"""Training: one loop for every model in the course.

`fit` takes a model, tensors, a loss and an optimiser, and returns a `History`. It knows no model class.
"""

from vaeedu.training.devices import default_device
from vaeedu.training.fit import fit
from vaeedu.training.history import History
from vaeedu.training.recovery import NonFiniteLossError

__all__ = ["History", "NonFiniteLossError", "default_device", "fit"]
