"""A table of estimators side by side: what they estimate, how sure they are, how much they scatter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Row:
    """One estimator's gradient with respect to one parameter.

    Attributes:
        estimator: Its name.
        parameter: The parameter's name.
        num_samples: S.
        mean: The estimate, the parameter's shape.
        standard_error: √(variance / S), likewise; NaN for a single sample.
        variance: Of one sample, with S − 1 below, likewise; NaN for a single sample.
    """

    estimator: str
    parameter: str
    num_samples: int
    mean: Tensor
    standard_error: Tensor
    variance: Tensor


@dataclass(frozen=True)
class VarianceReport:
    """Rows, one for each estimator and parameter; `report["pathwise", "loc"]` is one of them, `print` shows all.

    A printed row of a parameter with several entries gives their mean gradient, the root mean square of their
    standard errors, and their mean variance.
    """

    rows: tuple[Row, ...]

    def __getitem__(self, key: tuple[str, str]) -> Row:
        for row in self.rows:
            if (row.estimator, row.parameter) == key:
                return row
        known = ", ".join(str((row.estimator, row.parameter)) for row in self.rows)
        raise ValueError(f"the report has rows {known}, but not {key}")

    def __str__(self) -> str:
        lines = [_HEADER, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADER))]
        return "\n".join(
            "  ".join([c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))])
            for line in lines
        )  # fmt: skip

    def _repr_markdown_(self) -> str:
        body = [_HEADER, ("---", "---", "---:", "---:", "---:", "---:"), *(_cells(row) for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in body)


_HEADER = ("estimator", "parameter", "samples", "mean", "standard error", "variance")


def variance_report(estimates: Mapping[str, tuple[Tensor, ...]], names: Sequence[str]) -> VarianceReport:
    r"""Compares estimators of the same gradient by mean, standard error and variance.

    $$\bar g = \frac1S \sum_s g_s, \qquad \text{variance} = \frac{1}{S-1} \sum_s (g_s - \bar g)^2, \qquad
      \text{standard error} = \sqrt{\text{variance} / S}.$$

    The standard error takes samples for independent. With a leave-one-out baseline or an estimated coefficient they
    are not quite; what that changes is of the order 1/S beside the variance itself.

    Args:
        estimates: Maps an estimator's name to what it returned: one tensor a parameter, `(S, *param.shape)`.
        names: The parameters' names, in their order.

    Returns:
        The report; it prints as a table.

    Raises:
        ValueError: There is no estimate, or one has not as many tensors as there are names, or a tensor without
            samples.

    >>> print(variance_report({"mine": (torch.tensor([1.0, 3.0]),)}, ["loc"]))
    estimator  parameter  samples   mean  standard error  variance
    mine       loc              2  2.000           1.000     2.000
    """
    if not estimates:
        raise ValueError("estimates must map at least one estimator's name to its gradients, but is empty")
    for estimator, gradients in estimates.items():
        if len(gradients) != len(names):
            raise ValueError(
                f"estimates[{estimator!r}] must hold one tensor for each of the {len(names)} names, "
                f"but holds {len(gradients)}"
            )
        for name, gradient in zip(names, gradients, strict=True):
            if gradient.ndim == 0 or len(gradient) == 0:
                raise ValueError(
                    f"estimates[{estimator!r}] must hold per-sample gradients (S, *param.shape), but that of {name} "
                    f"has shape {tuple(gradient.shape)}: leave the mean to this report"
                )
    rows = [
        _row(estimator, name, gradient)
        for estimator, gradients in estimates.items()
        for name, gradient in zip(names, gradients, strict=True)
    ]
    return VarianceReport(tuple(rows))


def _row(estimator: str, name: str, gradient: Tensor) -> Row:
    S, mean = len(gradient), gradient.mean(dim=0)
    variance = gradient.var(dim=0) if S > 1 else torch.full_like(mean, torch.nan)
    return Row(estimator, name, S, mean, (variance / S).sqrt(), variance)


def _cells(row: Row) -> tuple[str, ...]:
    error = float(row.standard_error.square().mean().sqrt())
    numbers = (float(row.mean.mean()), error, float(row.variance.mean()))
    return (row.estimator, row.parameter, str(row.num_samples), *map(_number, numbers))


def _number(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:.3f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.1e}"
