import numpy as np
import pytest
import sklearn.datasets
import sklearn.decomposition
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeedu.pca import PCA, als_sweep
from vaeedu.pca.moments import mean_and_covariance

DIGITS = torch.from_numpy(sklearn.datasets.load_digits().data / 16.0)


def correlated_data(seed, N=200, D=12, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    mixing = torch.randn(D, D, generator=g, dtype=torch.float64) * 0.7 ** torch.arange(D)[:, None]
    return (torch.randn(N, D, generator=g, dtype=torch.float64) @ mixing + 3.0).to(dtype)


@pytest.mark.parametrize("method", ["auto", "svd", "eigh"])
def test_agrees_with_scikit_learn(method):
    ours = PCA(10).fit(DIGITS, method=method)
    theirs = sklearn.decomposition.PCA(10, svd_solver="full").fit(DIGITS.numpy())
    np.testing.assert_allclose(ours.components_, theirs.components_, atol=1e-8)
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-8)
    np.testing.assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-8)
    np.testing.assert_allclose(ours.transform(DIGITS), theirs.transform(DIGITS.numpy()), atol=1e-8)


def test_als_agrees_with_svd(generator):
    x = correlated_data(0)
    als = PCA(3).fit(x, method="als", tolerance=1e-15, generator=generator)
    svd = PCA(3).fit(x, method="svd")
    torch.testing.assert_close(als.components_, svd.components_, atol=1e-6, rtol=0)
    torch.testing.assert_close(als.explained_variance_, svd.explained_variance_, atol=0, rtol=1e-10)
    torch.testing.assert_close(
        als.error_per_sweep_[-1], svd.reconstruction_error(x).sum(), rtol=1e-10, atol=0
    )
    assert svd.error_per_sweep_ is None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), num_components=st.integers(1, 5))
def test_als_error_never_rises(seed, num_components):
    x = correlated_data(seed, N=30, D=6)
    errors = (
        PCA(num_components)
        .fit(x, method="als", generator=torch.Generator().manual_seed(seed))
        .error_per_sweep_
    )
    assert bool((errors.diff() <= 1e-12 * x.square().sum()).all())


def test_als_copes_with_data_of_lower_rank(generator):
    x = correlated_data(1)[:, :2] @ torch.eye(2, 5, dtype=torch.float64)
    model = PCA(3).fit(x, method="als", generator=generator)
    assert model.reconstruction_error(x).max() < 1e-18
    torch.testing.assert_close(model.components_ @ model.components_.T, torch.eye(3, dtype=torch.float64))


def test_each_half_of_a_sweep_is_a_least_squares_solution(generator):
    x = correlated_data(2) - correlated_data(2).mean(dim=0)
    W = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    Z, W_new = als_sweep(x, W)
    torch.testing.assert_close(Z, torch.linalg.lstsq(W, x.T).solution.T)
    torch.testing.assert_close(W_new, torch.linalg.lstsq(Z, x).solution.T)


@pytest.mark.parametrize("shape", [(200, 12), (8, 40)])
@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_eigenvector_equation_and_orthonormality(method, shape):
    x = correlated_data(3, *shape)
    model = PCA(5).fit(x, method=method)
    covariance = torch.cov(x.T)  # divides by N - 1
    torch.testing.assert_close(
        covariance @ model.components_.T, model.components_.T * model.explained_variance_
    )
    torch.testing.assert_close(model.components_ @ model.components_.T, torch.eye(5, dtype=torch.float64))


def test_explained_variance_divides_by_n_minus_one():
    x = torch.tensor([[0.0], [2.0]], dtype=torch.float64).expand(2, 3).contiguous()
    assert PCA(1).fit(x).explained_variance_.item() == pytest.approx(6.0)  # 3 · ((0−1)² + (2−1)²) / (2 − 1)


def test_reconstruction_error_is_the_discarded_variance():
    x = correlated_data(4)
    everything, some = PCA(12).fit(x), PCA(5).fit(x)
    discarded = everything.explained_variance_[5:].sum() * (len(x) - 1)
    torch.testing.assert_close(some.reconstruction_error(x).sum(), discarded)
    assert some.reconstruction_error(x).shape == (200,)
    assert everything.reconstruction_error(x).max() < 1e-24


@pytest.mark.parametrize("method", ["svd", "eigh", "als"])
def test_signs_do_not_depend_on_the_order_or_sign_of_the_data(method):
    x = correlated_data(5)
    signs = [
        PCA(4).fit(version, method=method, generator=torch.Generator().manual_seed(seed)).components_
        for seed, version in enumerate([x, x.flip(0), -x])
    ]
    torch.testing.assert_close(signs[0], signs[1], atol=1e-4, rtol=0)
    torch.testing.assert_close(signs[0], signs[2], atol=1e-4, rtol=0)
    assert bool((signs[0].gather(1, signs[0].abs().argmax(dim=1, keepdim=True)) > 0).all())


def test_float32_survives_a_large_mean():
    x = correlated_data(6, N=20_000)
    exact = PCA(5).fit(x).explained_variance_
    shifted = PCA(5).fit((x + 1000.0).float(), method="eigh")
    assert shifted.explained_variance_.dtype == torch.float32
    # float32 itself rounds x + 1000 to 3e-5; an uncentred Gram matrix would lose all digits (1000² · 6e-8 = 0.06).
    np.testing.assert_allclose(shifted.explained_variance_, exact, rtol=1e-4)


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_moments_do_not_depend_on_the_mean_or_on_where_blocks_end(monkeypatch, shift):
    x = correlated_data(7, N=1000) + shift
    monkeypatch.setattr("vaeedu.pca.moments._ROWS_AT_ONCE", 7)
    mean, covariance = mean_and_covariance(x)
    torch.testing.assert_close(mean, x.mean(dim=0))
    torch.testing.assert_close(covariance, torch.cov(x.T, correction=0), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_follows_the_data(dtype):
    x = correlated_data(8, dtype=dtype)
    model = PCA(2).fit(x)
    outputs = [model.components_, model.explained_variance_, model.mean_, model.transform(x)]
    assert {output.dtype for output in outputs} == {dtype}


def test_numpy_arrays_of_any_layout_are_taken_and_left_alone():
    x = correlated_data(9).numpy()
    expected = PCA(3).fit(x).components_
    read_only = x.copy()
    read_only.flags.writeable = False
    layouts = {"fortran": np.asfortranarray(x), "reversed": x[::-1].copy()[::-1], "read-only": read_only}
    for layout in layouts.values():
        torch.testing.assert_close(PCA(3).fit(layout).components_, expected)
        np.testing.assert_array_equal(layout, x)


def test_fit_records_no_gradient():
    x = correlated_data(10).requires_grad_()
    model = PCA(2).fit(x)
    assert not model.components_.requires_grad
    assert model.transform(x).requires_grad  # projecting is differentiable


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PCA(0), "num_components must be a whole number of at least 1, but is 0"),
        (lambda: PCA(13).fit(correlated_data(0)), r"at most 12 \(min\(N, D\)\), but is 13"),
        (lambda: PCA(4).fit(correlated_data(0)[:3]), r"at most 3 \(min\(N, D\)\), but is 4"),
        (lambda: PCA(1).fit(torch.ones(3)), r"x must have shape \(N, D\), .* use x\[None, :\]"),
        (lambda: PCA(1).fit(torch.ones(3, 1, 8, 8)), r"\(3, 1, 8, 8\): use x.reshape\(len\(x\), -1\)"),
        (lambda: PCA(1).fit(torch.ones(3, 2, dtype=torch.int64)), r"float32 or float64, .* use x.float\(\)"),
        (lambda: PCA(1).fit(np.ones((3, 2), dtype=np.uint8)), "is uint8: use x.astype"),
        (lambda: PCA(1).fit([[1.0, 2.0]]), "torch.Tensor or numpy.ndarray, but is list"),
        (lambda: PCA(1).fit(torch.tensor([[0.0, 1], [2, torch.nan]])), r"x\[1, 1\] is nan: .* method='em'"),
        (lambda: PCA(1).fit(torch.tensor([[0.0, torch.inf], [2, 3]])), r"x\[0, 1\] is inf: drop or fill"),
        (lambda: PCA(1).fit(torch.ones(5, 3)), "all of its rows are the same, so there is no variance"),
        (lambda: PCA(1).fit(torch.ones(1, 3)), "at least two rows to have a variance, but holds one"),
        (lambda: PCA(1).fit(torch.ones(0, 3)), r"at least one row and one column, but has shape \(0, 3\)"),
        (
            lambda: PCA(1).fit(correlated_data(0), method="qr"),
            "method must be one of 'auto', 'svd', 'eigh', 'als'",
        ),
        (lambda: PCA(1).fit(correlated_data(0), method="als", max_sweeps=0), "max_sweeps must be"),
        (
            lambda: PCA(1).fit(correlated_data(0), method="als", tolerance=-1.0),
            "tolerance must be a finite number",
        ),
        (
            lambda: PCA(1).transform(correlated_data(0)),
            r"this PCA is not fitted: call PCA\(...\).fit\(x\) before",
        ),
        (lambda: PCA(1).inverse_transform(torch.ones(2, 1)), "before inverse_transform"),
        (
            lambda: PCA(1).fit(correlated_data(0)).transform(torch.ones(2, 3)),
            "x must have 12 columns, but has shape",
        ),
        (lambda: PCA(1).fit(correlated_data(0)).inverse_transform(torch.ones(2, 3)), "z must have 1 columns"),
    ],
)
def test_bad_input_says_how_to_mend_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.data
@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_agrees_with_scikit_learn_on_mnist(method):
    from vaeedu import data

    x = data.mnist("test")[0][:3000].flatten(1).double()
    ours = PCA(20).fit(x, method=method)
    theirs = sklearn.decomposition.PCA(20, svd_solver="full").fit(x.numpy())
    np.testing.assert_allclose(ours.components_, theirs.components_, atol=1e-8)
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-8)
