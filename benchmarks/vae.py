"""Variational autoencoders on dynamically binarised MNIST, against published numbers and figures.

Runs, named on the command line (none: `mlp`), one after another; each goes on from its checkpoint if it has one:

- `mlp`: 784-400-20, 100 epochs. `burda`: the 200-200/50 architecture and the schedule of Burda et al. (2016). Test ELBO
  and −L₅₀₀₀; only the latter compares with their VAE's 86.76 nats. `iwae`: the same with their IWAE objective, k = 50
  (84.78). Both ask for `--full`; `vae_burda.py` has a schedule for a laptop.
- `aevb`: the bound against training points for K = 3, 5, 10, 20, 200, the axes of figure 2 of Kingma and Welling
  (2014), beside wake–sleep: 10⁶ points for all, then 10⁷. Wake–sleep's step sizes are those of `WAKE_SLEEP_RATES`
  (`vae_aevb.py`) with the highest training ELBO after 6·10⁵ points. `samples`: what they dream, and the plane of K = 2.

`--full` runs the published schedules (`burda`, `iwae`: 3280 epochs; `aevb`: 10⁸ points) and wants a GPU:

    python benchmarks/vae.py burda iwae aevb samples --full

`--evaluate` trains nothing and evaluates the checkpoints as they are, also those of a run under way.
"""

import argparse
import contextlib
from pathlib import Path

import torch
import vae_aevb
from common import keep, table
from matplotlib.figure import Figure
from vae_runs import BINARISATION, SEED, Recipe, Run, mnist, save

from vaeedu import plotting
from vaeedu.vae import VAE


def burda(objective: str) -> Recipe:
    """The recipe of Burda et al. (2016), section 5 and appendix: eight rates, 3^i epochs at the i-th."""
    last = [sum(3**j for j in range(i + 1)) for i in range(8)]  # epochs done when the i-th rate ends

    def factor(epoch: int) -> float:
        return 10 ** (-next((i for i in range(8) if epoch < last[i]), 7) / 7)

    def adam(model: VAE) -> torch.optim.Optimizer:
        return torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-4, fused=True)

    return Recipe((200, 200), 50, 20, last[-1], adam, factor, objective)


def recipes() -> dict[str, Recipe]:
    """The runs that train a single model."""
    adam = lambda model: torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)  # noqa: E731
    return {
        "mlp": Recipe((400,), 20, 128, 100, adam),
        "burda": burda("elbo"),
        "iwae": burda("iwae"),
    }


def report_single(name: str, run: Run, numbers: dict[str, float]) -> None:
    """Keeps the numbers and the learning curve of a single model."""
    curve, recipe = run.curve, run.recipe
    done = curve[-1]["epoch"] if curve else 0
    layers = "-".join(map(str, (784, *recipe.num_hidden, recipe.num_latents)))
    rows = [
        [
            p["epoch"],
            f"{p['seconds']:.0f}",
            f"{-p['train_elbo']:.2f}",
            f"{-p['test_elbo']:.2f}",
            f"{p['nll_100']:.2f}",
        ]
        for p in curve
    ]
    text = (
        f"# {name}: VAE {layers} on MNIST, tanh, Bernoulli likelihood, objective {recipe.objective}\n\n"
        f"{BINARISATION} Nats per image, seed {SEED}, batches of {recipe.batch_size}; {done} of {recipe.epochs} epochs"
        ".\n\n"
        f"All 10 000 test images: **−ELBO {-numbers['test_elbo']:.2f}, "
        f"−L({numbers['num_samples']:.0f}) {numbers['nll']:.2f}** "
        f"(± {numbers['standard_error']:.2f}, the standard error over images). "
        "Burda et al. (2016), 200-200/50, −L₅₀₀₀: VAE 86.76, IWAE with k = 50 84.78.\n\n"
        "On the way, on the first 1 000 images of each set, one sample an image:\n\n"
        + table(["epoch", "seconds", "training −ELBO", "test −ELBO", "test −L₁₀₀"], rows)
    )
    kept = f"vae_{name}" if name == "mlp" else f"vae_{name}_published"
    keep(kept, text, {"layers": layers, "epochs": done, **numbers, "curve": curve})
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes = figure.subplots()
    epochs = [p["epoch"] for p in curve]
    axes.semilogx(epochs, [-p["test_elbo"] for p in curve], color=plotting.BLUE, label="−ELBO, test")
    axes.semilogx(
        epochs, [-p["train_elbo"] for p in curve], color=plotting.BLUE, ls=":", label="−ELBO, training"
    )
    axes.semilogx(epochs, [p["nll_100"] for p in curve], color=plotting.ORANGE, label="−L₁₀₀, test")
    axes.axhline(86.76, color=plotting.BLACK, lw=0.8, ls="--", label="−L₅₀₀₀, Burda et al. (2016)")
    axes.set(
        xlabel="epochs", ylabel="nats per image", title=f"{layers}: {numbers['nll']:.1f} nats at the end"
    )
    axes.legend()
    save(figure, kept)


def main() -> None:
    """Does the runs that the command line names."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ("mlp", "burda", "iwae", "aevb", "samples")
    parser.add_argument("runs", nargs="*", default="mlp", choices=names, metavar="run", help=", ".join(names))
    parser.add_argument("--full", action="store_true", help="the published schedules, for a GPU")
    parser.add_argument(
        "--evaluate", action="store_true", help="train nothing; evaluate the checkpoints as they are"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(__file__).parent / "runs", help="checkpoints and curves"
    )
    parser.add_argument("--device", default="auto", help="where to train, such as cuda:1")
    parser.add_argument("--num-samples", type=int, default=5000, help="of −L in the final evaluation")
    options = parser.parse_args()
    runs = (
        [options.runs] if isinstance(options.runs, str) else options.runs
    )  # argparse checks a default as one word
    if not options.full and (long := {"burda", "iwae"}.intersection(runs)):
        parser.error(
            f"{' and '.join(sorted(long))} asks for --full and a GPU: 3280 epochs of batches of 20; "
            "use benchmarks/vae_burda.py on a CPU"
        )
    folder = options.folder / ("full" if options.full else "cpu")
    folder.mkdir(parents=True, exist_ok=True)
    images = mnist()

    def make(name: str, recipe: Recipe) -> Run:
        return Run(name, recipe, folder, images, options.device)

    for name in runs:
        if name == "aevb":
            vae_aevb.run_aevb(make, options.full, train=not options.evaluate)
        elif name == "samples":
            vae_aevb.report_samples(make)
        else:
            run = make(name, recipes()[name])
            run = run.load() if options.evaluate else run.train()
            report_single(name, run, run.evaluate(options.num_samples))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
