"""Diffusion, measured: bits on digits of 17 levels, and samples of MNIST that a classifier reads.

    python benchmarks/diffusion.py digits                        five seeds: bits, the untrained law, 20 steps for 1000
    python benchmarks/diffusion.py mnist --minutes 120           MNIST 28×28: does a classifier find all ten digits?
    python benchmarks/diffusion.py mnist --minutes 20 --device cuda

`digits`: a Bayes denoiser (its network says what the context makes probable, Bayes' rule the rest) is to have at most
2.15 bits a dimension on held-out digits at T = 1000; untrained it is to be within 0.06 of independent pixels there, and
not better. Sampling in 20 steps (DDIM) is compared with 1000: seconds, and the Fréchet distance of a classifier's
features, whose floor is that of two halves of real data of the same size. Settings were chosen on seed 0, which is not
among those reported.

`mnist`: a U-Net trained by v-prediction on the cosine schedule, images padded to 32×32, sampled by DDIM; the
classifier is trained in the run. All ten digits are to be found, each in at least 2 % of the samples, with a mean
confidence of at least 0.9.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch
from common import keep, seconds_of_work, table
from torch import Tensor, nn
from torch.nn import functional

from vaeedu import data, diffusion, metrics
from vaeedu.sampling import seeded
from vaeedu.training import fit

FIRST_SEED = 1  # seed 0 was used to choose the settings
L, SHAPE, D = 17, (1, 8, 8), 64
EVEN = diffusion.Schedule.log_linear(1000)


def bits(denoiser: diffusion.BayesDenoiser, x: Tensor, num_steps: int, num_times: int | None) -> float:
    """Bits a dimension of the bound, with so many steps, on images on their levels' values."""
    schedule = diffusion.Schedule.log_linear(num_steps)
    model = diffusion.Diffusion(denoiser, schedule, event_shape=SHAPE, decoder=denoiser.belief).eval()
    with torch.no_grad():
        values = model.elbo(x, num_times=num_times, generator=seeded(99))
    return -float(values.mean()) / D / math.log(2)


def classifier_of(x: Tensor, y: Tensor, network: nn.Sequential, epochs: int) -> nn.Sequential:
    """Trains a classifier; the layer before its last is what features are."""

    def loss(x: Tensor, y: Tensor, *, generator: torch.Generator) -> Tensor:
        return functional.cross_entropy(network(x), y)

    fit(network, (x, y), loss, torch.optim.Adam(network.parameters(), 2e-3), epochs=epochs, batch_size=64,
        generator=seeded(0), progress=False)  # fmt: skip
    return network.eval()


def bound_loss(model: diffusion.Diffusion, denoiser: diffusion.BayesDenoiser) -> Callable[..., Tensor]:
    """The bound's sum at one step a datum, and a tenth of the levels' cross-entropy."""
    T = EVEN.num_steps

    def loss(x: Tensor, *, generator: torch.Generator) -> Tensor:
        B = len(x)
        u = (torch.rand(1, generator=generator) + torch.arange(B) / B) % 1
        t = 2 + (u * (T - 1)).long().clamp(max=T - 2)
        belief = denoiser.belief(model.noised(x, t, generator=generator), EVEN.log_snr[t].float())
        weight = 0.5 * (T - 1) * (EVEN.snr(t - 1) - EVEN.snr(t)).float()
        squares = (x - belief.mean).square().flatten(1).sum(dim=1)
        return (weight * squares - 0.1 * belief.log_prob(x)).mean() / D

    return loss


def digits(seed: int, epochs: int, num_samples: int) -> dict[str, float]:
    """One run on the digits."""
    (train, classes), (test, _) = data.digits("train"), data.digits("test")
    levels, levels_test = data.quantize(train, L), data.quantize(test, L)
    x, x_test = (diffusion.levels_to_values(v, L) for v in (levels, levels_test))
    torch.manual_seed(seed)
    network = diffusion.ResidualMLP(SHAPE, L, num_hidden=256, dropout=0.1)
    denoiser = diffusion.BayesDenoiser(diffusion.FromMarginals(network, levels, L), L)
    model = diffusion.Diffusion(denoiser, EVEN, event_shape=SHAPE, decoder=denoiser.belief)
    share = denoiser.network.log_share.double().expand(len(levels_test), *SHAPE, L)
    independent = -float(share.gather(-1, levels_test[..., None]).mean()) / math.log(2)
    untrained = bits(denoiser, x_test, 1000, 200)
    adam = torch.optim.Adam(model.parameters(), 2e-3, fused=True)
    fall = torch.optim.lr_scheduler.LambdaLR(adam, lambda epoch: max(0.03, 1 - epoch / epochs))
    begun = time.process_time()
    fit(model, x, bound_loss(model, denoiser), adam, epochs=epochs, generator=seeded(seed), scheduler=fall,
        max_grad_norm=5.0, progress=False)  # fmt: skip
    seconds = time.process_time() - begun
    model.eval()
    torch.manual_seed(0)
    reader = nn.Sequential(
        nn.Flatten(), nn.Linear(D, 64), nn.ReLU(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10)
    )
    classifier_of(x, classes, reader, 15)
    order = torch.randperm(len(x), generator=seeded(seed))
    real, other = x[order[:num_samples]], x[order[num_samples : 2 * num_samples]]
    found = {
        "independent pixels, bits": independent,
        "untrained, T = 1000, bits": untrained,
        "T = 50, bits": bits(denoiser, x_test, 50, None),
        "T = 200, bits": bits(denoiser, x_test, 200, None),
        "T = 1000, bits": bits(denoiser, x_test, 1000, 250),
        "training, CPU seconds": seconds,
        "Fréchet, two real halves": distance(reader, other, real),
    }
    for name, num_steps, eta in (("DDIM, 20 steps", 20, 0.0), ("ancestral, 1000 steps", 1000, 1.0)):
        begun = time.process_time()
        drawn = model.sample(num_samples, num_steps=num_steps, eta=eta, generator=seeded(seed))
        found[f"{name}, ms a sample"] = 1000 * (time.process_time() - begun) / num_samples
        found[f"Fréchet, {name}"] = distance(reader, drawn, real)
    found["ratio of times"] = (
        found["ancestral, 1000 steps, ms a sample"] / found["DDIM, 20 steps, ms a sample"]
    )
    found["loss of Fréchet distance"] = (
        found["Fréchet, DDIM, 20 steps"] - found["Fréchet, ancestral, 1000 steps"]
    )
    return found


def distance(reader: nn.Sequential, a: Tensor, b: Tensor) -> float:
    """The Fréchet distance of features, of images rounded to their levels."""
    with torch.no_grad():
        rounded = [diffusion.levels_to_values(diffusion.values_to_levels(v, L), L) for v in (a, b)]
        return metrics.frechet_distance(*(reader[:-1](v) for v in rounded))


def mnist(minutes: float, device: str, num_samples: int) -> dict[str, float | list[int]]:
    """Trains for so long, and lets a classifier read the samples."""
    train, test = data.mnist("train"), data.mnist("test")
    print(train.source)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 5, 2, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    torch.manual_seed(0)
    classifier_of(train.images, train.labels, network, 3)
    with torch.no_grad():
        right = float((network(test.images).argmax(dim=1) == test.labels).double().mean())
    x = functional.pad(2 * train.images - 1, (2, 2, 2, 2), value=-1.0)
    torch.manual_seed(FIRST_SEED)
    unet = diffusion.UNet((1, 32, 32), num_channels=64 if device == "cuda" else 32)
    schedule = diffusion.Schedule.cosine(1000)
    model = diffusion.Diffusion(diffusion.VelocityPrediction(unet), schedule, event_shape=(1, 32, 32)).to(
        device
    )
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
    adam = torch.optim.Adam(model.parameters(), 1e-3)
    generator, x = torch.Generator(device).manual_seed(FIRST_SEED), x.to(device)
    begun, num_steps = seconds_of_work(device), 0
    while (passed := (seconds_of_work(device) - begun) / (60 * minutes)) < 1:
        batch = x[torch.randint(len(x), (64,), generator=generator, device=device)]
        t = torch.randint(1, 1001, (len(batch),), generator=generator, device=device)
        x_t, log_snr = model.noised(batch, t, generator=generator), schedule.log_snr[t.cpu()].to(x)
        wanted = diffusion.velocity_from_data(batch, x_t, log_snr)
        loss = (unet(x_t, log_snr) - wanted).square().mean()
        for group in adam.param_groups:
            group["lr"] = 1e-3 * min(1.0, (num_steps + 1) / 100, 2 - 2 * passed)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        average.update_parameters(model)
        num_steps += 1
    drawn = average.module.sample(
        num_samples, num_steps=50, eta=0.0, batch_size=200, generator=generator
    ).cpu()
    with torch.no_grad():
        p = network(((drawn[:, :, 2:-2, 2:-2] + 1) / 2).clamp(0, 1)).softmax(dim=1)
    counts = torch.bincount(p.argmax(dim=1), minlength=10).tolist()
    return {
        "steps of training": num_steps,
        "last loss, v": float(loss.detach()),
        "classifier right on test images": right,
        "classes in at least 2 % of samples": sum(n >= 0.02 * num_samples for n in counts),
        "mean confidence": float(p.max(dim=1).values.mean()),
        "counts": counts,
    }


def main() -> None:
    """Runs what is asked for, and keeps the table."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, of the digits")
    parser.add_argument("--epochs", type=int, default=25, help="of the digits")
    parser.add_argument("--samples", type=int, default=250, help="how many are drawn")
    parser.add_argument(
        "--minutes", type=float, default=120, help="of training on MNIST: of processor time, or of a GPU"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="of MNIST")
    options = parser.parse_args()
    if options.what == "mnist":
        outcome = mnist(options.minutes, options.device, options.samples)
        note = "" if options.minutes >= 20 else " A rehearsal, not the run that the script is made for."
        text = (
            f"# MNIST 28×28, {options.minutes:g} minutes of training ({options.device})\n\nMinutes of "
            f"{'processor time' if options.device == 'cpu' else 'a GPU'}. One seed, "
            f"{options.samples} samples.{note}\n\n{table(('', 'found'), list(outcome.items()))}"
        )
        keep("diffusion_mnist" if options.minutes >= 20 else "diffusion_mnist_short", text, outcome)
        return
    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
        found.append(digits(seed, options.epochs, options.samples))
        report(found, options.epochs)  # a run that is cut short leaves the seeds that it had


def report(found: list[dict[str, float]], epochs: int) -> None:
    """Keeps the table of the seeds so far."""
    lines = []
    for name in found[0]:
        values = [outcome[name] for outcome in found]
        spread = f" ± {statistics.stdev(values) / math.sqrt(len(values)):.3f}" if len(values) > 1 else ""
        lines.append((name, f"{statistics.mean(values):.3f}{spread}", f"{max(values):.3f}"))
    bits_all = [outcome["T = 1000, bits"] for outcome in found]
    law = [outcome["untrained, T = 1000, bits"] - outcome["independent pixels, bits"] for outcome in found]
    asked = {
        "at most 2.15 bits on every seed": max(bits_all) <= 2.15,
        "untrained, within 0.06 of independent pixels": all(-0.01 < gap < 0.06 for gap in law),
    }
    verdicts = "; ".join(f"{what}: {'met' if met else 'not met'}" for what, met in asked.items())
    text = (
        f"# Digits, 17 levels, held out: bits a dimension and few steps\n\nSeeds from {FIRST_SEED} on: {len(found)}. "
        f"{epochs} epochs; mean ± standard error, and the largest. Asked for {verdicts}.\n\n"
        f"{table(('', 'mean', 'largest'), lines)}"
    )
    keep("diffusion_digits", text, found)


if __name__ == "__main__":
    main()
