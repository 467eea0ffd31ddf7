"""Linear latent variable models: principal component analysis and its probabilistic form.

- `PCA` finds the K directions that lose the least when data are projected on them.
- `ProbabilisticPCA` puts a density on the same picture: x = W z + μ + σ ε.
- `als_sweep`, `em_step` and `em_step_covariance` are the single steps of the two iterative fits, for reading.
"""

from vaeedu.pca.em import em_step, em_step_covariance
from vaeedu.pca.principal import PCA, als_sweep
from vaeedu.pca.probabilistic import ProbabilisticPCA

__all__ = ["PCA", "ProbabilisticPCA", "als_sweep", "em_step", "em_step_covariance"]
