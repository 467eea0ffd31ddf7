"""PixelCNN on the CPU: the cached sampler against the naive one, training in pieces against a plain step, digits.

Claims, for 28×28 black and white images. Sampling: the gated network of 6 layers × 32 channels is at least 50× as fast
as naive sampling at batch 1, 200× at 16 and 600× at 64; the one of 10 × 128 at least 100×, 500×, 800×; the residual
PixelCNN at least 15×, 60×, 130×. A naive sampler runs the network once for each of 784 pixels: it is timed over a few
passes. Training: a step of the 10 × 128 network on 128 images, as `fit` makes it, is at least 2.5× as fast as in one
piece, 4.5× in bfloat16. Digits (8×8, 17 levels): less than 2 minutes of training beat independent pixels and PPCA.
Run: `python benchmarks/pixelcnn.py [--rounds 3] [--batches 1 16 64] [--networks ...] [--skip training digits]`.
"""

import argparse
import math
import statistics
import time

import torch
from common import keep, table

from vaeedu import data
from vaeedu.pca import ProbabilisticPCA
from vaeedu.pixelcnn import GatedPixelCNN, PixelCNN, incremental_logits
from vaeedu.training import fit

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
    """Times a step of training: all in one piece, in the model's own pieces, and so in bfloat16."""
    x = torch.randint(2, (batch_size, 1, 28, 28), generator=torch.Generator().manual_seed(0)).float()
    found = {}
    for name, options in {
        "one piece, float32": {"microbatch_size": batch_size},
        "pieces, float32": {},
        "pieces, bfloat16": {"precision": "bfloat16"},
    }.items():
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
    model = GatedPixelCNN((1, 8, 8), num_levels=17, num_channels=32, num_layers=4)
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
    return {
        "gated PixelCNN": ours,
        "independent pixels": _independent_bits(x, x_test),
        "PPCA": _ppca_bits(x, x_test),
        "seconds": took,
    }


def _independent_bits(x, x_test):
    """A histogram a pixel, with one count more at each level."""
    counts = torch.nn.functional.one_hot(x.flatten(1), 17).sum(dim=0) + 1.0  # (64, 17)
    log_p = (counts / counts.sum(dim=1, keepdim=True)).log2()
    return -float(log_p[torch.arange(64), x_test.flatten(1)].mean())


def _ppca_bits(x, x_test, num_draws=20):
    """A density made into a bound on probabilities: p(level) ≥ exp E log p(level + u), u uniform on [0, 1).

    Reference: Theis, van den Oord and Bethge (2016), A note on the evaluation of generative models, eq. 3. The
    number of components is the best one *on the test images*, which favours PPCA.
    """
    generator = torch.Generator().manual_seed(0)

    def dequantized(levels):
        return levels.flatten(1) + torch.rand(len(levels), 64, generator=generator, dtype=torch.float64)

    noisy, noisy_test = dequantized(x.repeat(5, 1, 1, 1)), [dequantized(x_test) for _ in range(num_draws)]
    return min(
        -statistics.mean(float(model.log_prob(y).mean()) for y in noisy_test) / 64 / math.log(2)
        for model in (ProbabilisticPCA(K).fit(noisy) for K in (5, 10, 20, 30, 40))
    )


def main() -> None:
    """Runs the comparisons and keeps their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64], help="images sampled at once")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--skip", nargs="+", choices=["sampling", "training", "digits"], default=[])
    parser.add_argument("--train-layers", type=int, default=10)
    parser.add_argument("--train-channels", type=int, default=128)
    parser.add_argument("--train-batch", type=int, default=128)
    parser.add_argument("--digits-epochs", type=int, default=30, help="at most")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    parts, numbers = ["# PixelCNN on the CPU, 28×28, float32"], {}
    if "sampling" not in options.skip:
        numbers["sampling"] = [
            compare_sampling(name, batch, options.rounds)
            for name in options.networks
            for batch in options.batches
        ]
        parts.append(_sampling_table(numbers["sampling"]))
    if "training" not in options.skip:
        size = options.train_layers, options.train_channels
        numbers["training"] = compare_training(options.rounds, *size, options.train_batch)
        parts.append(_training_table(numbers["training"], *size, options.train_batch))
    if "digits" not in options.skip:
        numbers["digits"] = digits(options.digits_epochs)
        parts.append(_digits_text(numbers["digits"]))
    keep("pixelcnn", "\n\n".join(parts), numbers)


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
    return f"Sampling; naive is 784 times the median pass.\n\n{table(header, cells)}"


def _training_table(found, num_layers, num_channels, batch_size) -> str:
    plain = found["one piece, float32"]
    cells = [[name, f"{took:.2f}", f"{plain / took:.2f}×"] for name, took in found.items()]
    title = f"Training, {num_layers} layers × {num_channels} channels, batches of {batch_size}."
    return f"{title}\n\n{table(['step', 'seconds', 'ratio'], cells)}"


def _digits_text(bits) -> str:
    cells = [[name, f"{value:.3f}"] for name, value in bits.items() if name != "seconds"]
    return (
        f"Digits, 8×8, 17 levels, after {bits['seconds']:.0f} s of training.\n\n"
        f"{table(['model', 'bits a pixel, test'], cells)}"
    )


if __name__ == "__main__":
    main()
