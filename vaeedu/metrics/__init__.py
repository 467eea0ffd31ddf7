"""How good are samples, where there is no density to ask? Several answers, and what each cannot see.

- `frechet_distance`: between Gaussians fitted to features of the two sets; `frechet_gaussians` is its formula.
- `mode_coverage`: which of known modes are met, by samples that are good enough to count.
- `precision_recall`, and `precision_recall_curve` for distributions over classes: quality and coverage apart.
- `birthday_test`: how many different samples there seem to be.
- `wasserstein_1d`: how far mass has to be moved, on a line.
- `parzen_log_prob`: the density that kernels around samples would make: a warning, not a recommendation.

Sets of samples are rows, `(N, D)`; where a distance between images is to mean something, the rows are features.
"""

from vaeedu.metrics.coverage import Coverage, mode_coverage
from vaeedu.metrics.curves import precision_recall_curve
from vaeedu.metrics.distances import frechet_distance, frechet_gaussians, wasserstein_1d
from vaeedu.metrics.neighbours import Birthday, birthday_test, parzen_log_prob, precision_recall

__all__ = [
    "Birthday",
    "Coverage",
    "birthday_test",
    "frechet_distance",
    "frechet_gaussians",
    "mode_coverage",
    "parzen_log_prob",
    "precision_recall",
    "precision_recall_curve",
    "wasserstein_1d",
]
