"""PixelCNN on the CPU: the cached sampler against the naive one, training in pieces against a plain step, likelihoods.

Parts, named on the command line (none: all), for black and white images of 28×28 but for the digits:

- `sampling`: the gated network of 6 layers × 32 channels is at least 50× as fast as naive sampling at batch 1, 200× at
  16 and 600× at 64; the one of 10 × 128 at least 100×, 500×, 800×; the residual PixelCNN at least 15×, 60×, 130×. A
  naive sampler runs the network once for each of 784 pixels: it is timed over a few passes.
- `training`: a step of the 10 × 128 network on 128 images, as `fit` makes it, is at least 1.5× as fast as in one piece,
  2.5× in bfloat16. (It was 3.3× and 7× while the C library gave memory back at each step, which pieces had less of.)
- `digits` (8×8, 17 levels): less than 2 minutes of training beat independent pixels and PPCA.
- `mnist`: the learning curve of a network of 14 layers × 32 channels, binarised dynamically, in `--minutes` of two
  cores: 15 minutes are 30 minutes of the process's computing time, on one thread or two. It goes on from its checkpoint
  in `benchmarks/runs/` if it has one. `made` and `nade` likewise, beside what was published on another binarisation.
- `profile`, `speed`, `loaded`, `growth` (`pixelcnn_cost.py`): where a step of the 6 × 32 network goes, beside what
  arithmetic alone would take; its images a second, 1.8× those of the code before; sampling beside busy processes, with
  80% of the idle ratio; and cost against pixels. `--threads 1` counts computing time, for a machine that is not quiet.

Run: `python benchmarks/pixelcnn.py [part ...] [--rounds 7] [--batches 1 16 64] [--networks ...]`.
"""

import argparse
import math
import statistics
import time
from pathlib import Path

import mnist_likelihood
import pixelcnn_cost
import torch
from common import keep, table

from vaeedu import data
from vaeedu.pca import ProbabilisticPCA
from vaeedu.pixelcnn import GatedPixelCNN, PixelCNN, Softmax, incremental_logits
from vaeedu.training import devices, fit

NETWORKS = {
    "gated 6 × 32": lambda: GatedPixelCNN((1, 28, 28), num_channels=32, num_layers=6),
    "gated 10 × 128": lambda: GatedPixelCNN((1, 28, 28), num_channels=128, num_layers=10),
    "residual 6 × 32": lambda: PixelCNN((1, 28, 28), num_channels=32, num_layers=6),
}
ASKED = {
    "gated 6 × 32": {1: 50, 16: 200, 64: 600},
    "gated 10 × 128": {1: 100, 16: 500, 64: 800},
    "residual 6 × 32": {1: 15, 16: 60, 64: 130},
}


def seconds(function, rounds):
    """Returns the median time of a call, after one that is not timed."""
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare_sampling(name, batch, rounds):
    """Times both samplers, and compares the logits that they draw from."""
    torch.manual_seed(0)
    model = NETWORKS[name]()
    x = model.sample(batch, generator=torch.Generator().manual_seed(0))
    scaled = model.scale(x)
    with torch.inference_mode():
        expected = model.logits(scaled)
        one_pass = seconds(lambda: model.logits(scaled), rounds)
    cached = seconds(lambda: model.sample(batch, generator=torch.Generator().manual_seed(0)), rounds)
    naive, error = one_pass * math.prod(model.image_shape), incremental_logits(model, x) - expected
    return {
        "network": name,
        "batch": batch,
        "naive_seconds": naive,
        "cached_seconds": cached,
        "ratio": naive / cached,
        "asked": ASKED[name].get(batch),
        "largest_logit_error": float(error.abs().max()),
    }


def compare_training(rounds, num_layers, num_channels, batch_size):
    """Times a step of training: all in one piece, in the model's own pieces, and so in bfloat16 if the CPU has it."""
    x = torch.randint(2, (batch_size, 1, 28, 28), generator=torch.Generator().manual_seed(0)).float()
    variants = {"one piece, float32": {"microbatch_size": batch_size}, "pieces, float32": {}}
    if devices.has_bfloat16(torch.device("cpu")):
        variants["pieces, bfloat16"] = {"precision": "bfloat16"}
    found = {}
    for name, options in variants.items():
        torch.manual_seed(0)
        model = GatedPixelCNN((1, 28, 28), num_layers=num_layers, num_channels=num_channels)
        history = fit(
            model,
            x,
            lambda x, *, generator, model=model: -model.log_prob(x).mean(),
            torch.optim.Adam(model.parameters(), fused=True),
            epochs=rounds + 1,
            batch_size=batch_size,
            progress=False,
            device="cpu",
            **options,
        )
        found[name] = statistics.median(history.seconds[1:])
    return found


def digits(epochs):
    """Trains on 8×8 digits with 17 levels; returns bits a pixel on the test images."""
    (train, _), (test, _) = data.digits("train"), data.digits("test")
    x, x_test = data.quantize(train, 17), data.quantize(test, 17)
    torch.manual_seed(0)
    model = GatedPixelCNN((1, 8, 8), output=Softmax(17), num_channels=32, num_layers=4)
    start, held_out = time.perf_counter(), len(x) // 10
    fit(
        model,
        x[held_out:],
        lambda x, *, generator: -model.log_prob(x).mean(),
        torch.optim.Adam(model.parameters(), lr=2e-3, fused=True),
        epochs=epochs,
        batch_size=64,
        # A tenth of the training images decides when to stop; the test images are looked at once.
        validate=lambda: float(model.bits_per_dim(x[:held_out]).mean()),
        patience=3,
        generator=torch.Generator().manual_seed(0),
        progress=False,
        device="cpu",
    )
    took = time.perf_counter() - start
    with torch.no_grad():
        ours = float(model.bits_per_dim(x_test).mean())
    ppca, best = _ppca_bits(x[held_out:], x[:held_out], x_test)
    return {
        "gated PixelCNN": ours,
        "independent pixels": _independent_bits(x[held_out:], x_test),
        "PPCA": ppca,
        "components": best,
        "seconds": took,
    }


def _independent_bits(x, x_test):
    """A histogram a pixel, with one count more at each level."""
    counts = torch.nn.functional.one_hot(x.flatten(1), 17).sum(dim=0) + 1.0  # (64, 17)
    log_p = (counts / counts.sum(dim=1, keepdim=True)).log2()
    return -float(log_p[torch.arange(64), x_test.flatten(1)].mean())


def _ppca_bits(x, chosen_on, x_test, num_draws=20):
    """A density made into a bound on probabilities: p(level) ≥ exp E log p(level + u), u uniform on [0, 1).

    Returns the test images' bits a pixel, and the number of components, which is the best on the images held out.

    Reference: Theis, van den Oord and Bethge (2016), A note on the evaluation of generative models, eq. 3.
    """
    generator = torch.Generator().manual_seed(0)

    def dequantized(levels):
        noise = torch.rand(num_draws, len(levels), 64, generator=generator, dtype=torch.float64)
        return (levels.flatten(1) + noise).flatten(0, 1)

    noisy, held_out, test = dequantized(x), dequantized(chosen_on), dequantized(x_test)
    models = {K: ProbabilisticPCA(K).fit(noisy) for K in (5, 10, 20, 30, 40, 50)}
    best = max(models, key=lambda K: float(models[K].log_prob(held_out).mean()))
    return -float(models[best].log_prob(test).mean()) / 64 / math.log(2), best


PUBLISHED = (
    "\n\nPublished, on another binarisation, the fixed one of Larochelle (drawn once, and kept): NADE 88.33, "
    "MADE 88.40 with one hidden layer and 86.64 with two and 32 masks (Germain et al. 2015). Pixels drawn "
    "afresh give a network more to learn from, and another test set: the numbers are near each other, not one."
)
ANCESTORS = {
    "made": mnist_likelihood.Recipe(1, 2000, batch_size=100, learning_rate=2e-3, kind="made"),
    "nade": mnist_likelihood.Recipe(1, 500, 32, 2e-3, precision="float32", kind="nade", microbatch_size=8),
}


def mnist(name, recipe, folder, minutes, note=""):
    """Trains a network on MNIST for so many minutes of two cores; keeps its learning curve."""
    file = f"{name}_mnist_{minutes:g}min"
    run = mnist_likelihood.Run(file, recipe, folder, mnist_likelihood.mnist(), num_looked_at=500)
    title = f"{TITLES[name]} on MNIST, {minutes:g} minutes of two cores"
    mnist_likelihood.report(file, title, run.train(2 * 60 * minutes), note=note)


TITLES = {"pixelcnn": "Gated PixelCNN", "made": "MADE", "nade": "NADE"}
COSTS = {
    "profile": pixelcnn_cost.part_profile,
    "speed": pixelcnn_cost.part_speed,
    "loaded": pixelcnn_cost.part_loaded,
    "growth": pixelcnn_cost.part_growth,
}
PARTS = ("sampling", "training", "digits", "mnist", *ANCESTORS, *COSTS)


def main(arguments: list[str] | None = None) -> None:
    """Runs the parts asked for, and keeps a table of each."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("parts", nargs="*", default="all", choices=("all", *PARTS), metavar="part", help=", ".join(PARTS))
    add("--rounds", type=int, default=7, help="timed repetitions")
    add("--batches", type=int, nargs="+", default=[1, 16, 64], help="images sampled at once")
    add("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    add("--train-layers", type=int, default=10)
    add("--train-channels", type=int, default=128)
    add("--train-batch", type=int, default=128)
    add("--digits-epochs", type=int, default=30, help="at most")
    add("--minutes", type=float, default=15, help="of two cores, without the looks at test images")
    add("--mnist-layers", type=int, default=14, help="each sees a row and a column further")
    add("--mnist-channels", type=int, default=32)
    add("--mnist-rate", type=float, default=2e-3, help="Adam's, before it falls")
    add("--folder", type=Path, default=Path(__file__).parent / "runs", help="checkpoints and curves of mnist")
    add("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    parts = PARTS if "all" in options.parts else options.parts
    torch.set_num_threads(options.threads)
    for part in (part for part in COSTS if part in parts):
        COSTS[part]()
    if "sampling" in parts:
        rows = [
            compare_sampling(name, batch, options.rounds)
            for name in options.networks
            for batch in options.batches
        ]
        keep("pixelcnn_sampling", _sampling_table(rows), rows)
    if "training" in parts:
        size = options.train_layers, options.train_channels, options.train_batch
        found = compare_training(options.rounds, *size)
        keep("pixelcnn_training", _training_table(found, *size), found)
    if "digits" in parts:
        bits = digits(options.digits_epochs)
        keep("pixelcnn_digits", _digits_text(bits), bits)
    if "mnist" in parts:
        size, rate = (options.mnist_layers, options.mnist_channels), options.mnist_rate
        recipe = mnist_likelihood.Recipe(*size, learning_rate=rate)
        mnist("pixelcnn", recipe, options.folder, options.minutes)
    for name in (name for name in ANCESTORS if name in parts):
        mnist(name, ANCESTORS[name], options.folder, options.minutes, PUBLISHED)


def _sampling_table(rows) -> str:
    header = ["network", "images", "naive s", "cached s", "ratio", "asked", "largest error of a logit"]
    cells = [
        [
            row["network"],
            row["batch"],
            f"{row['naive_seconds']:.1f}",
            f"{row['cached_seconds']:.3f}",
            f"{row['ratio']:.0f}×",
            f"{row['asked']}×" if row["asked"] else "",
            f"{row['largest_logit_error']:.0e}",
        ]
        for row in rows
    ]
    title = "# PixelCNN: sampling on the CPU, 28×28, float32"
    return f"{title}\n\nNaive is 784 times the median pass.\n\n{table(header, cells)}"


def _training_table(found, num_layers, num_channels, batch_size) -> str:
    plain = found["one piece, float32"]
    cells = [[name, f"{took:.2f}", f"{plain / took:.2f}×"] for name, took in found.items()]
    title = "# PixelCNN: a step of training on the CPU, 28×28"
    size = f"{num_layers} layers × {num_channels} channels, batches of {batch_size}."
    return f"{title}\n\n{size}\n\n{table(['step', 'seconds', 'ratio'], cells)}"


def _digits_text(bits) -> str:
    cells = [[name, f"{value:.3f}"] for name, value in bits.items() if name not in ("seconds", "components")]
    return (
        f"# PixelCNN on digits, 8×8, 17 levels\n\nAfter {bits['seconds']:.0f} s of training. PPCA has "
        f"{bits['components']} components, chosen on a tenth of the training images, on which training also stops.\n\n"
        f"{table(['model', 'bits a pixel, test'], cells)}"
    )


if __name__ == "__main__":
    main()
