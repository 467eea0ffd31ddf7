"""How costs grow: PCA in the number of rows N and columns D, a step of EM in K, the importance weighted bound in K.

One thread, float32. Times are of the processor, sizes are taken in turn, and the table has medians; the slope is that
of a straight line through the upper half of the sizes on logarithmic axes, beside the one that counting operations
gives. A slope below it says that something of a lower order is still seen. PixelCNN in pixels is in `pixelcnn.py`,
grading in submissions and jobs in `grading.py`. Run: `python benchmarks/growth.py [--rounds 5]`.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from common import RESULTS, keep, peak_extra_mebibytes, table
from matplotlib.figure import Figure
from torch import Tensor

from vaeedu import plotting
from vaeedu.pca import PCA, em_step, em_step_covariance
from vaeedu.sampling import normal, seeded
from vaeedu.vae import mlp_vae

COMPONENTS = 20


@dataclass
class Curve:
    """A cost against a size.

    Attributes:
        title: Of the panel.
        size: What the axis is.
        law: What counting operations says.
        slope: Its exponent.
        calls: For each size, a function that does the work.
    """

    title: str
    size: str
    law: str
    slope: float
    calls: Mapping[int, Callable[[], object]]
    seconds: dict[int, float] = field(default_factory=dict)
    mebibytes: dict[int, float | None] = field(default_factory=dict)

    def weigh(self) -> None:
        """Measures the memory of every size, each in a fork: what one call leaves to the next would be missed."""
        self.mebibytes = {size: in_a_fork(call) for size, call in self.calls.items()}

    def measure(self, rounds: int) -> None:
        """Times every size in turn, after a round that is not timed."""
        for call in self.calls.values():
            call()
        times: dict[int, list[float]] = {size: [] for size in self.calls}
        for _ in range(rounds):
            for size, call in self.calls.items():
                begun = time.process_time()
                call()
                times[size].append(time.process_time() - begun)
        self.seconds = {size: statistics.median(values) for size, values in times.items()}

    @property
    def found(self) -> float:
        """The slope through the upper half of the sizes."""
        sizes = sorted(self.seconds)[len(self.seconds) // 2 :]
        return float(np.polyfit(np.log(sizes), np.log([self.seconds[size] for size in sizes]), 1)[0])


def in_a_fork(call: Callable[[], object]) -> float | None:
    """How many MiB a call takes at its highest, in a process of its own."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=lambda: theirs.send(peak_extra_mebibytes(call)))
    process.start()
    theirs.close()
    found: float | None = ours.recv()
    process.join()
    return found


def numbers(*shape: int) -> Tensor:
    """Standard normal numbers."""
    return normal(shape, like=torch.empty(0), generator=seeded(0))


def curves(num_images: int) -> list[Curve]:
    """What is measured."""

    def pca(N: int, D: int) -> Callable[[], object]:
        x = numbers(N, D)
        return lambda: PCA(COMPONENTS).fit(x, method="eigh")

    x, covariance = numbers(4000, 784), torch.cov(numbers(2000, 784).double().T)
    noise = torch.tensor(0.1)

    def on_data(K: int) -> Callable[[], object]:
        W = numbers(784, K)
        return lambda: em_step(x, W, noise)

    def on_covariance(K: int) -> Callable[[], object]:
        W = numbers(784, K).double()
        return lambda: em_step_covariance(covariance, W, noise.double())

    torch.manual_seed(0)
    model = mlp_vae((1, 28, 28))
    images = numbers(num_images, 1, 28, 28).gt(1).float()

    def bound(K: int) -> Callable[[], object]:
        def call() -> Tensor:
            with torch.no_grad():
                return model.iwae_bound(images, num_samples=K, generator=seeded(0))

        return call

    rows, columns, ranks = (2 ** np.arange(*ends) for ends in ((10, 17), (6, 12), (2, 10)))
    return [
        Curve("PCA, D = 784", "N", "N D² + D³", 1.0, {int(N): pca(int(N), 784) for N in rows}),
        Curve("PCA, N = 4096", "D", "N D² + D³", 3.0, {int(D): pca(4096, int(D)) for D in columns}),
        Curve("EM on 4000 × 784", "K", "N D K + D K²", 1.0, {int(K): on_data(int(K)) for K in ranks}),
        Curve("EM on the covariance", "K", "D² K + D K²", 1.0, {int(K): on_covariance(int(K)) for K in ranks}),
        Curve(
            f"L_K of {num_images} images", "K", "K", 1.0, {4**i: bound(4**i) for i in range(1, 8)}
        ),
    ]  # fmt: skip


def draw(measured: Sequence[Curve]) -> None:
    """One panel a curve, and one for the bound's memory."""
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    panels = figure.subplots(2, 3).flat
    for axes, curve in zip(panels, measured, strict=False):
        sizes = list(curve.seconds)
        axes.loglog(sizes, list(curve.seconds.values()), "o-", color=plotting.BLUE, label="measured")
        last = sizes[-1]
        line = [curve.seconds[last] * (size / last) ** curve.slope for size in sizes]
        axes.loglog(sizes, line, ":", color=plotting.BLACK, label=f"∝ {curve.size}{_power(curve.slope)}")
        axes.set(xlabel=curve.size, ylabel="seconds of one processor", title=curve.title)
        axes.legend()
    axes, bound = figure.axes[-1], measured[-1]
    if all(value is not None for value in bound.mebibytes.values()):
        axes.semilogx(list(bound.mebibytes), list(bound.mebibytes.values()), "o-", color=plotting.ORANGE)
        axes.set(xlabel="K", ylabel="MiB", ylim=(0, None), title="The same: extra memory")
    (RESULTS / "growth.png").write_bytes(plotting.png(figure))


def _power(slope: float) -> str:
    return {1.0: "", 2.0: "²", 3.0: "³"}[slope]


def main() -> None:
    """Measures, and keeps the table and the picture."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="timed repetitions")
    parser.add_argument("--num-images", type=int, default=100, help="of the bound")
    options = parser.parse_args()
    torch.set_num_threads(1)
    measured = curves(options.num_images)
    for curve in measured:
        curve.weigh()
    for curve in measured:
        curve.measure(options.rounds)
    rows = []
    for curve in measured:
        sizes = list(curve.seconds)
        for size in (sizes[0], sizes[len(sizes) // 2], sizes[-1]):
            memory = curve.mebibytes[size]
            cells = [f"{curve.size} = {size}", f"{1e3 * curve.seconds[size]:.3g}", _mebibytes(memory)]
            rows.append(
                [curve.title, *cells, *([f"{curve.found:.2f}", curve.law] if size == sizes[-1] else ["", ""])]
            )
    header = ["", "size", "milliseconds", "extra MiB", "slope", "operations"]
    text = (
        "# How costs grow\n\nOne thread, float32 (the covariance's EM step: float64), "
        f"{COMPONENTS} components; processor time, medians of {options.rounds}, "
        f"sizes in turn.\n\n{table(header, rows)}"
    )  # fmt: skip
    keep(
        "growth",
        text,
        {c.title: {"seconds": c.seconds, "mebibytes": c.mebibytes, "slope": c.found} for c in measured},
    )
    draw(measured)


def _mebibytes(value: float | None) -> str:
    return "?" if value is None else f"{max(value, 0):.0f}"


if __name__ == "__main__":
    main()
