"""Principal component analysis by three routes that must agree."""

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.pca.moments import leading_eigenpairs, mean_and_covariance, settle_signs

METHODS = ("auto", "svd", "eigh", "als")


class PCA:
    r"""Principal component analysis: the K-dimensional plane with the least squared reconstruction error.

    $$\min_{W, Z} \sum_n \lVert x_n - \mu - W z_n \rVert^2 \quad\text{subject to}\quad W^\top W = I.$$

    Shapes and names follow scikit-learn. Fitted values, in the dtype and on the device of the data:

    - `components_` `(K, D)`: orthonormal rows, by falling variance; `components_ = Wᵀ`. The entry of largest size in a
      row is positive.
    - `explained_variance_` `(K,)`: variance along each component, divided by **N − 1** as in scikit-learn.
    - `explained_variance_ratio_` `(K,)`: the same as a share of the total variance.
    - `mean_` `(D,)`: μ.
    - `error_per_sweep_` `(sweeps,)`: with `method="als"`, Σₙ ‖xₙ − μ − W zₙ‖² after each sweep; otherwise None.

    Args:
        num_components: K, between 1 and min(N, D).

    Reference:
        Bishop (2006), Pattern Recognition and Machine Learning, section 12.1.

    >>> x = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    >>> pca = PCA(1).fit(x)
    >>> pca.components_, pca.explained_variance_
    (tensor([[0.7071, 0.7071]]), tensor([2.]))
    """

    components_: Float[Tensor, "K D"]
    explained_variance_: Float[Tensor, " K"]
    explained_variance_ratio_: Float[Tensor, " K"]
    mean_: Float[Tensor, " D"]
    error_per_sweep_: Float[Tensor, " sweeps"] | None

    def __init__(self, num_components: int) -> None:
        self.num_components = require.positive_int("num_components", num_components)

    @torch.no_grad()
    def fit(
        self,
        x: object,
        *,
        method: str = "auto",
        max_sweeps: int = 1000,
        tolerance: float = 1e-12,
        generator: torch.Generator | None = None,
    ) -> "PCA":
        """Finds the principal components of `x`.

        Args:
            x: Data, `(N, D)`, N ≥ 2; a tensor or NumPy array of float32 or float64.
            method: How.
                `"svd"`: singular value decomposition of the centred data; the most accurate, O(N D²) time.
                `"eigh"`: leading eigenvectors of the covariance; the fastest when N is well above D. Variances
                below about 1e-15 (float64) of the largest drown in rounding.
                `"als"`: alternating least squares, see `als_sweep`; for study.
                `"auto"`: `"eigh"` where N ≥ D, otherwise `"svd"`.
            max_sweeps: With `"als"`, when to stop at the latest.
            tolerance: With `"als"`, stop when a sweep lowers the error by less than this share of the total
                variance.
            generator: With `"als"`, the source of the random first W.

        Returns:
            The fitted model itself.

        Raises:
            ValueError: `x` is not a finite floating-point matrix, has fewer than two rows or no variance at all, K is
                above min(N, D), or a setting is out of range.
        """
        require.choice("method", method, METHODS)
        x = data_with_variance(x)
        N, D = x.shape
        K = require.positive_int(
            "num_components", self.num_components, at_most=min(N, D), because="min(N, D)"
        )
        if method == "auto":
            method = "eigh" if N >= D else "svd"
        self.error_per_sweep_ = None
        if method == "eigh":
            mean, covariance = mean_and_covariance(x)
            total = require_representable(covariance.trace(), x)
            variances, components = leading_eigenpairs(covariance, K)
        else:
            mean = x.mean(dim=0)
            centred = x - mean
            total = require_representable(centred.square().sum() / N, x)
            if method == "svd":
                _, singular_values, rows = torch.linalg.svd(centred, full_matrices=False)
                variances, components = singular_values[:K].square() / N, settle_signs(rows[:K])
            else:
                variances, components = self._fit_als(centred, max_sweeps, tolerance, generator)
        self.mean_ = mean.to(x)
        self.components_ = components.to(x)
        self.explained_variance_ = (variances * (N / (N - 1))).to(x)
        self.explained_variance_ratio_ = (variances / total).to(x)
        return self

    def _fit_als(
        self, x: Tensor, max_sweeps: int, tolerance: float, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        require.positive_int("max_sweeps", max_sweeps)
        require.positive_float("tolerance", tolerance)
        N, D = x.shape
        W = sampling.normal((D, self.num_components), like=x, generator=generator)
        errors = [x.square().sum()]  # of W = 0: the total variance times N
        for _ in range(max_sweeps):
            Z, W = als_sweep(x, W)
            errors.append((x - Z @ W.T).square().sum())
            if errors[-2] - errors[-1] <= tolerance * errors[0]:
                break
        self.error_per_sweep_ = torch.stack(errors[1:])
        # W spans the principal subspace, but its columns are any basis of it. QR makes them orthonormal; the rotation
        # that makes the scores uncorrelated turns them into the components.
        Q, _ = torch.linalg.qr(W)
        scores = x @ Q
        variances, rotation = leading_eigenpairs((scores.T @ scores / N).cpu().double(), self.num_components)
        return variances, settle_signs(rotation.to(x) @ Q.T)

    def transform(self, x: object) -> Float[Tensor, "N K"]:
        """Projects: z = Wᵀ(x − μ).

        Args:
            x: Data, `(N, D)`.

        Returns:
            Scores, `(N, K)`.

        Raises:
            ValueError: The model is not fitted, or `x` is not a finite matrix with D columns.
        """
        x = self._data("transform", x)
        return (x - self.mean_.to(x)) @ self.components_.to(x).T

    def inverse_transform(self, z: object) -> Float[Tensor, "N D"]:
        """Maps scores back to data space: x̂ = W z + μ.

        Args:
            z: Scores, `(N, K)`.

        Returns:
            Points on the principal plane, `(N, D)`.

        Raises:
            ValueError: The model is not fitted, or `z` is not a finite matrix with K columns.
        """
        require_fitted(self, "inverse_transform")
        z = require.matrix("z", z, num_columns=self.num_components)
        return z @ self.components_.to(z) + self.mean_.to(z)

    def reconstruction_error(self, x: object) -> Float[Tensor, " N"]:
        """Computes the squared distance of each row from the principal plane, ‖x − x̂‖².

        Args:
            x: Data, `(N, D)`.

        Returns:
            Squared errors, `(N,)`: summed over the D features, in the squared unit of the data.

        Raises:
            ValueError: As `transform`.
        """
        x = self._data("reconstruction_error", x)
        return (x - self.inverse_transform(self.transform(x))).square().sum(dim=1)

    def _data(self, method: str, x: object) -> Tensor:
        require_fitted(self, method)
        return require.matrix("x", x, num_columns=self.components_.shape[1])


def als_sweep(
    x: Float[Tensor, "N D"], W: Float[Tensor, "D K"]
) -> tuple[Float[Tensor, "N K"], Float[Tensor, "D K"]]:
    r"""Makes one sweep of alternating least squares on ‖X − Z Wᵀ‖².

    $$Z \leftarrow X W (W^\top W)^{-1}, \qquad W \leftarrow X^\top Z (Z^\top Z)^{-1}.$$

    Each line solves a least squares problem exactly, so the error never rises. Z = X W, without the inverse, would be
    right only for orthonormal W, which the second line does not keep.

    Args:
        x: Centred data X, `(N, D)`.
        W: The current directions as columns, `(D, K)`.

    Returns:
        The new Z `(N, K)` and W `(D, K)`.

    Reference:
        Roweis (1998), EM algorithms for PCA and SPCA, section 3.
    """
    Z = x @ W @ torch.linalg.pinv(W.T @ W, hermitian=True)
    W = x.T @ Z @ torch.linalg.pinv(Z.T @ Z, hermitian=True)
    return Z, W


def data_with_variance(x: object, *, allow_missing: bool = False) -> Float[Tensor, "N D"]:
    """Checks data that a model is to be fitted to: two rows at least, and not all the same."""
    x = require.matrix("x", x, allow_missing=allow_missing).detach()
    if x.shape[0] < 2:
        raise ValueError("x must hold at least two rows to have a variance, but holds one: add examples")
    if not any(bool((rows != x[0]).any()) for rows in x.split(512)):  # stops at the first that differs
        raise ValueError(
            "x must vary, but all of its rows are the same, so there is no variance to explain: "
            "check how the data were loaded"
        )
    return x


def require_representable(total_variance: Tensor, x: Float[Tensor, "N D"]) -> Tensor:
    """Returns the total variance of `x` if the dtype of `x` holds it, and parts of it down to rounding."""
    limits = torch.finfo(x.dtype)
    if not limits.tiny / limits.eps < float(total_variance) < limits.max:
        size = float(x.abs().nan_to_num().max())  # NaN marks a missing entry
        raise ValueError(
            f"x must have squares that {x.dtype} can hold, but its entries reach {size:.3g} in size and its variance "
            f"is {float(total_variance):.3g}: divide x by a constant, such as its largest entry"
        )
    return total_variance


def require_fitted(model: object, method: str) -> None:
    """Raises where a fitted value is asked of a model without one."""
    if not hasattr(model, "components_"):
        name = type(model).__name__
        raise ValueError(f"this {name} is not fitted: call {name}(...).fit(x) before {method}")
