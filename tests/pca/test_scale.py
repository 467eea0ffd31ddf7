"""Data whose squares the dtype cannot hold: right, or refused with what to do; never zeros, never LAPACK's error."""

import pytest
import torch

from vaeedu import pca
from vaeedu.sampling import seeded

FITS = {
    "eigh": lambda x: pca.PCA(2).fit(x, method="eigh").explained_variance_,
    "svd": lambda x: pca.PCA(2).fit(x, method="svd").explained_variance_,
    "als": lambda x: pca.PCA(2).fit(x, method="als", generator=seeded(0)).explained_variance_,
    "closed form": lambda x: pca.ProbabilisticPCA(2).fit(x).covariance().diagonal(),
    "em": lambda x: pca.ProbabilisticPCA(2).fit(x, method="em", generator=seeded(0)).covariance().diagonal(),
}  # fmt: skip
LIMITS = {torch.float32: (1e25, 1e-25), torch.float64: (1e200, 1e-200)}


def rows(dtype):
    x = torch.randn(30, 5, generator=seeded(1), dtype=torch.float64)
    return (x * torch.tensor([4.0, 3.0, 1.0, 1.0, 1.0])).to(dtype)


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("which", [0, 1])
def test_squares_that_the_dtype_cannot_hold_are_refused(fit, dtype, which):
    words = rf"x must have squares that {dtype} can hold, but .*: divide x by a constant"
    with pytest.raises(ValueError, match=words):
        FITS[fit](rows(dtype) * LIMITS[dtype][which])


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("scale", [1e-10, 1e15])
def test_within_its_range_float32_is_right(fit, scale):
    expected = FITS[fit](rows(torch.float64))
    found = FITS[fit](rows(torch.float32) * scale).double() / scale**2
    torch.testing.assert_close(found, expected, rtol=2e-3 if fit == "em" else 1e-4, atol=0)
