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


@pytest.mark.parametrize("fit", ["eigh", "als", "closed form", "em", "em with holes", "em on the data"])
def test_nothing_becomes_float64_before_it_is_on_the_cpu(fit, monkeypatch):
    """Some devices have no float64 (Apple's): their tensors come to the CPU first, and are widened there."""
    on_cpu, to_cpu, widen = set(), torch.Tensor.cpu, torch.Tensor.double

    def remembered(x):
        moved = to_cpu(x).clone()
        on_cpu.add(moved)  # kept alive, so that no other tensor gets its identity
        return moved

    def checked(x):
        # What NumPy holds is on the CPU anyway, and what is float64 already became so by a way that was checked.
        assert x in on_cpu or x.dtype == torch.float64 or x.data_ptr() in from_numpy
        return widen(x)

    from_numpy, wrap = set(), torch.from_numpy
    monkeypatch.setattr(torch, "from_numpy", lambda array: from_numpy.add(array.ctypes.data) or wrap(array))
    monkeypatch.setattr(torch.Tensor, "cpu", remembered)
    monkeypatch.setattr(torch.Tensor, "double", checked)
    x = rows(torch.float32)
    if fit == "em with holes":
        x[0, 0] = torch.nan
    if fit == "em on the data":
        x = x[:4]
    FITS[fit.split(" ")[0] if fit.startswith("em ") else fit](x)
    assert on_cpu
