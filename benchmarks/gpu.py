"""PixelCNN on a GPU: test likelihood on binarised MNIST within a budget of time, and how fast it draws images.

Parts, named on the command line (none: all):

- `training`: the gated network of 12 layers × 128 channels on dynamically binarised MNIST. A short measurement of
  steps a second chooses between float32, bfloat16, weights in channels_last, and torch.compile; its table is kept.
  Then 20 minutes of training. Claim: at most 81.3 nats on the 10 000 test images, hoped for 79 (van den Oord et al.
  2016, PixelCNN, *fixed* binarisation: 81.30). It goes on from its checkpoint in `benchmarks/runs/` if it has one.
- `sampling`: images of 28×28, cached and recorded as a CUDA graph, against the naive sampler (claim: at least 2×, 18×,
  61×, 183× at batch 1, 16, 64, 256, the ratios of Ramachandran et al. 2017) and against the cached one without a graph
  (at least 2.5× up to batch 16); 64 images in less than a second. A naive sampler runs the network for each of 784
  pixels: it is timed over a few passes.

Where `benchmarks/results/` has no `gpu_*` files, these claims have not been tested yet: no GPU was at hand.
Run: `make gpu-check`, or `python benchmarks/gpu.py [part ...] [--seconds 1200]`. Without CUDA it says so, and ends;
`--rehearse` goes through both parts at a tiny size on the CPU, with noise for images, and keeps nothing.
"""

import argparse
import contextlib
import math
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from unittest import mock

import common
import mnist_likelihood
import torch
from common import keep, table
from mnist_likelihood import Recipe

from vaeedu.pixelcnn import GatedPixelCNN
from vaeedu.pixelcnn.fast import sampler

PARTS = ("training", "sampling")
NETWORKS = {"gated 6 × 32": (6, 32), "gated 12 × 128": (12, 128)}
NAIVE_ASKED = {1: 2, 16: 18, 64: 61, 256: 183}
EAGER_ASKED = {1: 2.5, 16: 2.5}
VARIANTS = {
    "float32": {"precision": "float32", "channels_last": False},
    "bfloat16": {"precision": "bfloat16", "channels_last": False},
    "bfloat16, weights channels_last": {"precision": "bfloat16", "channels_last": True},
    "bfloat16, compiled": {"precision": "bfloat16", "channels_last": False, "compile": True},
    "bfloat16, weights channels_last, compiled": {
        "precision": "bfloat16",
        "channels_last": True,
        "compile": True,
    },
}


def recipe(num_layers: int = 12, num_channels: int = 128, batch_size: int = 128) -> Recipe:
    """How the large network is trained; which precision and layout, `choose` finds out."""
    return Recipe(num_layers, num_channels, batch_size, learning_rate=1e-3)


def choose(base: Recipe, images: torch.Tensor, device: torch.device, steps: int = 20) -> list[dict]:
    """Measures all variants of a recipe; returns a row for each, the fastest first.

    A variant that this machine cannot do, a failing compiler for example, has the reason instead of a time.
    """
    rows = []
    for name, options in VARIANTS.items():
        variant, row = replace(base, **options), {"variant": name, "options": options}
        with warnings.catch_warnings():
            # fit goes on without what fails, and warns: here this is a failure.
            warnings.filterwarnings("error", message=".*(torch.compile|bfloat16)")
            try:
                a_step = mnist_likelihood.speed(variant, images, device, steps)
                row |= {"steps_a_second": 1 / a_step, "images_a_second": base.batch_size / a_step}
            except (UserWarning, RuntimeError) as error:
                row |= {"steps_a_second": 0.0, "images_a_second": 0.0, "reason": str(error).splitlines()[0]}
        print(row, flush=True)
        rows.append(row)
    return sorted(rows, key=lambda row: -row["steps_a_second"])


def training(
    base: Recipe, seconds: float, folder: Path, device: str, images: dict[str, torch.Tensor], steps: int = 20
) -> mnist_likelihood.Run:
    """Chooses a variant, trains for so long, and keeps table and curve; a run under way keeps its variant."""
    start, at = time.perf_counter(), torch.device(device)
    run = mnist_likelihood.Run("gpu_training", base, folder, images, device)
    if not run.plan:
        rows = choose(base, images["train"].to(at), at, steps)
        base = replace(base, **rows[0]["options"])
    else:
        rows = run.plan["variants"]
        base = replace(base, **{name: run.plan[name] for name in ("precision", "channels_last", "compile")})
    run = mnist_likelihood.Run("gpu_training", base, folder, images, device).train(seconds, variants=rows)
    took = time.perf_counter() - start
    mnist_likelihood.report(
        "gpu_training",
        "Gated PixelCNN on MNIST, minutes on a GPU",
        run,
        {"variants": rows, "recipe": asdict(base), "seconds_in_all": took},
        note=f"\n\n{_variants_table(rows, base.batch_size)}",
    )
    return run


def _variants_table(rows: list[dict], batch_size: int) -> str:
    slowest = min((row["steps_a_second"] for row in rows if row["steps_a_second"]), default=0.0)
    cells = [
        [
            row["variant"],
            f"{row['steps_a_second']:.1f}" if row["steps_a_second"] else f"failed: {row['reason']}",
            f"{row['images_a_second']:.0f}",
            f"{row['steps_a_second'] / slowest:.2f}×" if slowest else "",
        ]
        for row in rows
    ]
    header = ["step", "steps a second", "images a second", "speed"]
    return f"Steps of {batch_size} images with fused Adam; the fastest was taken.\n\n{table(header, cells)}"


@contextlib.contextmanager
def without_graphs() -> Iterator[None]:
    """Lets the cached sampler launch its kernels one by one, as PyTorch does by itself."""
    with mock.patch.object(sampler, "captured", lambda program: program.run):
        yield


def sampling(num_layers: int, num_channels: int, batch: int, rounds: int, device: str) -> dict:
    """Times all three samplers on one network, and compares what the cached ones draw."""
    torch.manual_seed(mnist_likelihood.SEED)
    model = GatedPixelCNN((1, 28, 28), num_layers=num_layers, num_channels=num_channels).to(device)

    def draw() -> torch.Tensor:
        return model.sample(batch, generator=torch.Generator().manual_seed(mnist_likelihood.SEED))

    graph_images, graph = draw(), seconds(draw, rounds, device)
    with without_graphs():
        eager_images, eager = draw(), seconds(draw, rounds, device)
    scaled = model.scale(graph_images)
    with torch.inference_mode():
        naive = seconds(lambda: model.logits(scaled), rounds, device) * math.prod(model.image_shape)
    return {
        "batch": batch,
        "naive_seconds": naive,
        "eager_seconds": eager,
        "graph_seconds": graph,
        "against_naive": naive / graph,
        "against_naive_asked": NAIVE_ASKED.get(batch),
        "against_eager": eager / graph,
        "against_eager_asked": EAGER_ASKED.get(batch),
        "same_images": torch.equal(graph_images, eager_images),
    }


def seconds(function: Callable[[], object], rounds: int, device: str) -> float:
    """Returns the median time of a call, the GPU's work included, after one that is not timed."""
    wait = torch.cuda.synchronize if torch.device(device).type == "cuda" else lambda: None
    function()
    times = []
    for _ in range(rounds):
        wait()
        start = time.perf_counter()
        function()
        wait()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report_sampling(rows: list[dict], took: float) -> None:
    """Keeps the samplers' table."""
    cells = [
        [
            row["network"],
            row["batch"],
            *(f"{row[f'{name}_seconds']:.3f}" for name in ("naive", "eager", "graph")),
            *(
                f"{row[against]:.1f}×"
                + (f" ({row[f'{against}_asked']}× asked)" if row[f"{against}_asked"] else "")
                for against in ("against_naive", "against_eager")
            ),
            "yes" if row["same_images"] else "NO",
        ]
        for row in rows
    ]
    header = [
        "network",
        "images",
        "naive s",
        "cached s",
        "with a graph s",
        "to naive",
        "to cached",
        "same images",
    ]
    text = (
        "# PixelCNN: sampling on a GPU, 28×28, float32\n\nMedians of whole calls: recording the graph is part of them. "
        f"Naive is 784 times a pass. Seed {mnist_likelihood.SEED}.\n\n{table(header, cells)}"
    )
    keep("gpu_sampling", text, {"seed": mnist_likelihood.SEED, "seconds_in_all": took, "rows": rows})


def rehearse() -> None:
    """Goes through all parts at a tiny size on the CPU."""
    base = Recipe(num_layers=2, num_channels=4, batch_size=3, precision="float32", learning_rate=0.01)
    noise = torch.rand(12, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    images = {"train": noise, "test": noise.round()}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as changed:
        for module in (common, mnist_likelihood):
            changed.enter_context(mock.patch.object(module, "RESULTS", Path(folder) / "results"))
        changed.enter_context(mock.patch.object(mnist_likelihood, "NUM_STAGES", 4))
        changed.enter_context(mock.patch.object(mnist_likelihood, "LOOKS", (2, 4)))
        changed.enter_context(mock.patch.dict(VARIANTS, {"float32": VARIANTS["float32"]}, clear=True))
        report_sampling([{"network": "tiny", **sampling(1, 2, 1, 1, "cpu")}], 0.0)
        training(base, 0.1, Path(folder) / "runs", "cpu", images, steps=1)


def main(arguments: list[str] | None = None) -> None:
    """Runs the parts asked for, where there is a GPU."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("parts", nargs="*", default="all", choices=("all", *PARTS), metavar="part", help=", ".join(PARTS))
    add("--seconds", type=float, default=1200, help="of training (default: 1200)")
    add("--layers", type=int, default=12, help="of the trained network")
    add("--channels", type=int, default=128, help="of the trained network")
    add("--batch-size", type=int, default=128, help="of training")
    add("--batches", type=int, nargs="+", default=list(NAIVE_ASKED), help="images sampled at once")
    add("--rounds", type=int, default=3, help="timed repetitions of sampling")
    add("--folder", type=Path, default=Path(__file__).parent / "runs", help="checkpoint and curve")
    add("--rehearse", action="store_true", help="at a tiny size on the CPU, keeping nothing")
    options = parser.parse_args(arguments)
    if options.rehearse:
        rehearse()
        return
    parts = PARTS if "all" in options.parts else options.parts
    if not torch.cuda.is_available():
        print("No CUDA device: nothing to measure on a GPU.")
        return
    if "sampling" in parts:
        start = time.perf_counter()
        rows = [
            {"network": name, **sampling(*size, batch, options.rounds, "cuda")}
            for name, size in NETWORKS.items()
            for batch in options.batches
        ]
        report_sampling(rows, time.perf_counter() - start)
    if "training" in parts:
        base = recipe(options.layers, options.channels, options.batch_size)
        training(base, options.seconds, options.folder, "cuda", mnist_likelihood.mnist())


if __name__ == "__main__":
    main()
