"""Flows over levels, measured: 8×8 digits on five seeds, and MNIST at 28×28 for as long as it is given.

    python benchmarks/flows.py digits                              affine and spline couplings, five seeds
    python benchmarks/flows.py mnist --minutes 120                 a flow of several scales, on the CPU
    python benchmarks/flows.py mnist --minutes 60 --device cuda    a larger one, on a GPU

All numbers are bits per dimension on held-out images, uniformly dequantised, and all are bounds: the evidence lower
bound (one draw of noise, averaged over many), and the bound with as many draws as the table says. The test images are
seen once, at the end; of the digits' epochs the best is kept, by 150 training images that are held out for it.
Settings were chosen on seed 0, which is not among those reported. On MNIST time is that of the
processor (120 minutes are an hour of two cores) or of a GPU, and the learning rate falls with it.
"""

import argparse
import contextlib
import math
import statistics
import time

import torch
from common import keep, seconds_of_work, table
from torch import Tensor

from vaeedu import data, flows
from vaeedu.sampling import seeded
from vaeedu.training import fit

FIRST_SEED = 1  # seed 0 was used to choose the settings
KINDS = {
    "affine couplings": (flows.affine_flow, {"num_layers": 8, "num_hidden": 64, "dropout": 0.1}, 24),
    "spline couplings": (
        flows.spline_flow,
        {"num_layers": 8, "num_hidden": 64, "num_bins": 6, "dropout": 0.15},
        32,
    ),
}


def bits(nats: Tensor, x: Tensor) -> float:
    """Mean nats an image, as bits per dimension: a cost."""
    return -float(nats.mean()) / (x[0].numel() * math.log(2))


@torch.no_grad()
def bounds(
    model: flows.Dequantized, x: Tensor, num_samples: int, batch_size: int = 300
) -> tuple[float, float]:
    """Bits per dimension by the evidence lower bound and by the bound with many draws, from the same draws."""
    model.eval()
    both = []
    for part in x.split(batch_size):
        log_w = model.log_weights(part, num_samples=num_samples, generator=seeded(7, device=part.device))
        both.append(torch.stack([log_w.mean(dim=0), log_w.logsumexp(dim=0) - math.log(num_samples)]))
    elbo, many = torch.cat(both, dim=1)
    return bits(elbo, x), bits(many, x)


def on_digits(kind: str, seed: int) -> dict[str, float]:
    """One run: both bounds on the test images, the epoch that was kept, and the seconds of training."""
    images, held_out = (data.quantize(data.digits(split)[0], 17) for split in ("train", "test"))
    order = torch.randperm(len(images), generator=seeded(seed))
    validation, x = images[order[:150]], images[order[150:]]
    build, options, epochs = KINDS[kind]
    torch.manual_seed(seed)
    model = flows.Dequantized(build((1, 8, 8), **options), 17)  # type: ignore[operator]
    model.start(x[:500], generator=seeded(seed))
    adam = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.1, fused=True)

    def loss(x: Tensor, *, generator: torch.Generator) -> Tensor:
        return -model.elbo(x, generator=generator).mean()

    def validate() -> float:
        return bits(model.elbo(validation, num_samples=2, generator=seeded(8)), validation)

    begun = time.process_time()
    history = fit(
        model, x, loss, adam, epochs=epochs, batch_size=64, max_grad_norm=50.0, generator=seeded(seed),
        validate=validate, patience=epochs, progress=False,
        scheduler=torch.optim.lr_scheduler.LambdaLR(adam, lambda epoch: 1.02 - epoch / epochs),
    )  # fmt: skip
    seconds = time.process_time() - begun
    elbo, many = bounds(model, held_out, 64)
    print(f"{kind}, seed {seed}: {elbo:.3f} {many:.3f}, epoch {history.best_epoch}", flush=True)
    return {
        "elbo": elbo,
        "64-sample bound": many,
        "best epoch": float(history.best_epoch or 0),
        "CPU seconds": seconds,
    }


class Clock:
    """Lets a training's learning rate fall with the time that it is given, and ends it when that is over."""

    class OverError(Exception):
        """Time is up."""

    def __init__(self, optimizer: torch.optim.Optimizer, seconds: float, device: str) -> None:
        self._optimizer, self._rate = optimizer, optimizer.param_groups[0]["lr"]
        self._device, self._seconds, self.steps = device, seconds, 0
        self._begun = seconds_of_work(device)

    def tick(self) -> None:
        """Sets the rate for this step."""
        share = (seconds_of_work(self._device) - self._begun) / self._seconds
        if share > 1:
            raise Clock.OverError
        self.steps += 1
        warm = min(1.0, self.steps / 200)
        self._optimizer.param_groups[0]["lr"] = (
            self._rate * warm * (0.01 + 0.99 * math.cos(share * math.pi / 2) ** 2)
        )


def on_mnist(minutes: float, device: str, num_images: int, seed: int) -> dict[str, object]:
    """One run on MNIST's 256 levels."""
    train, test = data.mnist("train"), data.mnist("test")
    x, held_out = (data.quantize(images, 256).to(device) for images in (train.images, test.images))
    large = device != "cpu"
    torch.manual_seed(seed)
    flow = flows.image_flow(
        (1, 28, 28),
        num_channels=96 if large else 24,
        num_blocks=3 if large else 1,
        num_steps=8 if large else 3,
    )
    model = flows.Dequantized(flow, 256, margin=1e-3).to(device)
    model.start(x[:256], generator=seeded(seed, device=device))
    adam = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-2, fused=True)
    clock = Clock(adam, 60 * minutes, device)

    def loss(x: Tensor, *, generator: torch.Generator) -> Tensor:
        clock.tick()
        return -model.elbo(x, generator=generator).mean()

    with contextlib.suppress(Clock.OverError):
        fit(model, x, loss, adam, epochs=10_000, batch_size=128 if large else 64, max_grad_norm=100.0, device=device,
            generator=seeded(seed), progress=False)  # fmt: skip
    some = held_out[:num_images]
    elbo, many = bounds(model, some, 16 if large else 4, batch_size=500)
    return {
        "data": train.source, "minutes": minutes, "device": device, "steps": clock.steps,
        "parameters": sum(p.numel() for p in model.parameters()),
        "elbo": elbo, "many draws": many, "draws": 16 if large else 4, "test images": len(some),
    }  # fmt: skip


def main() -> None:
    """Measures what the command line asks for, prints it and writes it to `results/`."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("digits", "mnist"))
    parser.add_argument("--seeds", type=int, default=5, help="how many, of the digits")
    parser.add_argument(
        "--minutes", type=float, default=120.0, help="of training on MNIST: of processor time, or of a GPU"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for MNIST")
    parser.add_argument("--images", type=int, default=2000, help="of MNIST's test set, on which it is judged")
    parser.add_argument("--rehearse", action="store_true", help="print, and keep nothing")
    chosen = parser.parse_args()
    report = _print_only if chosen.rehearse else keep
    if chosen.what == "mnist":
        found = on_mnist(chosen.minutes, chosen.device, chosen.images, 0)
        text = table(["MNIST 28×28, 256 levels", ""], [[key, _shown(value)] for key, value in found.items()])
        text += "\n\nBits per dimension; both are bounds on the probability of the levels. "
        text += "Minutes are of the processor, or of a GPU."
        report(f"flows_mnist_{chosen.device}", text, found)
        return
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for seed in range(FIRST_SEED, FIRST_SEED + chosen.seeds):
        for kind, each in runs.items():
            each.append(on_digits(kind, seed))
        # After every seed: a run that is cut short leaves what it has seen, and says how many seeds that is.
        rows = [[kind, *(_mean(each, name) for name in each[0])] for kind, each in runs.items()]
        header = ["8×8 digits, 17 levels, bits/dim", *next(iter(runs.values()))[0]]
        seeds = list(range(FIRST_SEED, seed + 1))
        text = table(header, rows) + f"\n\nMean ± standard error over seeds {seeds}; both are bounds."
        report("flows_digits", text, runs)


def _print_only(name: str, text: str, numbers: object) -> None:
    print(text)


def _mean(runs: list[dict[str, float]], name: str) -> str:
    values = [run[name] for run in runs]
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3f} ± {error:.3f}"


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
