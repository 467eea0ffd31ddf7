"""Directions in the space of codes that stand for attributes: found, walked along, and scored against the truth.

- `mean_difference`, `regression`, `orthogonalize`: how to find one.
- `walk`: codes along it. `QuadraticMean`: edits along curves, where one direction for all does not do.
- `Reader`: reads factors off codes or images, linearly. `r_squared` says how well.
- `edit_effects`: which factors an edit moved, wanted or not.
"""

from vaeedu.directions.curved import QuadraticMean
from vaeedu.directions.finding import mean_difference, orthogonalize, regression, walk
from vaeedu.directions.scoring import EditEffects, Reader, edit_effects, r_squared

__all__ = [
    "EditEffects",
    "QuadraticMean",
    "Reader",
    "edit_effects",
    "mean_difference",
    "orthogonalize",
    "r_squared",
    "regression",
    "walk",
]
