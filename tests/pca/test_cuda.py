"""Both kinds of PCA on a GPU. Unlike its neighbours, this file needs no hypothesis, which such a machine may lack."""

import pytest
import torch

from vaeedu.pca import PCA, ProbabilisticPCA

pytestmark = pytest.mark.gpu


@pytest.fixture
def x(generator):
    """Data with a few directions that stand out, and a mean."""
    z, eps = (torch.randn(300, size, generator=generator, dtype=torch.float64) for size in (3, 12))
    W = torch.randn(3, 12, generator=generator, dtype=torch.float64) * torch.tensor([[4.0], [3.0], [2.0]])
    return z @ W + 0.5 * eps + 3.0


@pytest.mark.parametrize("method", ["svd", "eigh", "als"])
def test_pca_agrees_with_the_cpu(x, method):
    on_cpu, on_gpu = (PCA(3).fit(version, method=method) for version in (x, x.cuda()))
    assert on_gpu.components_.is_cuda
    torch.testing.assert_close(on_gpu.components_.cpu(), on_cpu.components_, atol=1e-4, rtol=0)


def test_probabilistic_pca_agrees_with_the_cpu(x):
    on_cpu, on_gpu = ProbabilisticPCA(2).fit(x), ProbabilisticPCA(2).fit(x.cuda())
    assert on_gpu.noise_variance_.is_cuda
    torch.testing.assert_close(on_gpu.log_prob(x.cuda()).cpu(), on_cpu.log_prob(x))
    assert on_gpu.sample(3, generator=torch.Generator("cuda").manual_seed(0)).is_cuda
