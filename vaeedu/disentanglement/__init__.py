"""Three scores of how well single code entries go with single factors, for codes whose factors are known.

- `mig`: the mutual information gap; `mutual_informations` is the table behind it.
- `dci`: disentanglement, completeness and informativeness, from weights.
- `beta_vae_score`: whether a linear classifier can tell which factor two images have in common.

Each is 1 for codes that *are* the factors. None changes with the ELBO when codes are rotated; all of them do.
"""

from vaeedu.disentanglement.information import mig, mutual_informations
from vaeedu.disentanglement.pairs import beta_vae_score
from vaeedu.disentanglement.weights import DCI, dci, dci_from_importances

__all__ = ["DCI", "beta_vae_score", "dci", "dci_from_importances", "mig", "mutual_informations"]
