"""PCA on MNIST (60 000 × 784, float32, K = 50): this library against every scikit-learn solver and torch.pca_lowrank.

Claims: `method="eigh"` is at least 0.9× as fast as the best scikit-learn solver and 6× as fast as its "full", with
eigenvalue error at most 2e-5 and at most 64 MiB of extra memory; an EM iteration for probabilistic PCA on the
covariance is at least 50× as fast as one on the data. Run: `python benchmarks/pca.py [--rounds 9]`.
"""

import argparse

import numpy as np
import sklearn.decomposition
import torch
from common import keep, median_seconds, peak_extra_mebibytes, table

from vaeedu import data
from vaeedu.pca import PCA, em_step, em_step_covariance
from vaeedu.pca.moments import mean_and_covariance

K = 50
SLOW = ("vaeedu svd", "scikit-learn full", "scikit-learn arpack")


def solvers(x: torch.Tensor) -> dict:
    """Maps each solver's name to a function that fits it and returns its K variances."""
    array = x.numpy()

    def ours(method):
        return lambda: PCA(K).fit(x, method=method).explained_variance_.double().numpy()

    def theirs(solver):
        return lambda: (
            sklearn.decomposition.PCA(K, svd_solver=solver, random_state=0).fit(array).explained_variance_
        )

    def lowrank():
        torch.manual_seed(0)
        return torch.pca_lowrank(x, q=K, niter=2)[1].double().square().numpy() / (len(x) - 1)

    names = ("covariance_eigh", "auto", "randomized", "arpack", "full")
    return {
        **{f"vaeedu {method}": ours(method) for method in ("eigh", "svd")},
        **{f"scikit-learn {solver}": theirs(solver) for solver in names},
        "torch.pca_lowrank(niter=2)": lowrank,
    }


def compare_solvers(x: torch.Tensor, rounds: int) -> list[dict]:
    """Times, checks and weighs every solver."""
    exact = np.linalg.eigvalsh(np.cov(x.double().numpy().T))[::-1][:K]
    functions = solvers(x)
    rows = []
    for name, fit in functions.items():  # also the warm-up
        memory = peak_extra_mebibytes(fit)
        rows.append({"solver": name, "error": float(np.abs(fit() / exact - 1).max()), "extra_mib": memory})
    fast = {name: fit for name, fit in functions.items() if name not in SLOW}
    seconds = median_seconds(fast, rounds) | median_seconds({name: functions[name] for name in SLOW}, 3)
    for row in rows:
        row["seconds"] = seconds[row["solver"]]
        row["speed"] = row["seconds"] and seconds["vaeedu eigh"] / row["seconds"]
    return sorted(rows, key=lambda row: row["seconds"])


def compare_em(x: torch.Tensor, rounds: int) -> dict[str, float]:
    """Times one EM step on the data and one on the covariance, each as `fit` would call it."""
    mean, S = mean_and_covariance(x)
    centred = x - mean.to(x)
    W = torch.randn(x.shape[1], K, generator=torch.Generator().manual_seed(0))
    noise_variance = torch.tensor(0.1)
    return median_seconds(
        {
            "em_step (data, float32)": lambda: em_step(centred, W, noise_variance),
            "em_step_covariance (float64)": lambda: em_step_covariance(
                S, W.double(), noise_variance.double()
            ),
        },
        rounds,
    )


def main() -> None:
    """Runs the comparison and keeps its table."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="timed repetitions of the fast solvers")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(2)
    x = data.mnist("train")[0].flatten(1)
    rows = compare_solvers(x, rounds)
    em = compare_em(x, rounds)
    on_data, on_covariance = em.values()
    cells = [
        [
            r["solver"],
            f"{r['seconds']:.3f}",
            f"{r['speed']:.2f}",
            f"{r['error']:.1e}",
            _mebibytes(r["extra_mib"]),
        ]
        for r in rows
    ]
    header = [
        "solver",
        "seconds",
        "speed (vaeedu eigh = 1)",
        "largest relative eigenvalue error",
        "extra MiB",
    ]
    text = (
        f"# PCA of MNIST, 60 000 × 784, float32, K = {K}\n\n"
        f"Medians, solvers timed in turn.\n\n{table(header, cells)}\n\n"
        f"One EM-PPCA step: {on_data * 1e3:.1f} ms on the data, {on_covariance * 1e3:.2f} ms on the covariance: "
        f"{on_data / on_covariance:.0f}×."
    )
    keep("pca", text, {"solvers": rows, "em": em})


def _mebibytes(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}"


if __name__ == "__main__":
    main()
