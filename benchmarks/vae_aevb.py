"""The bound against training points, beside wake–sleep: the runs `aevb` and `samples` of `vae.py`."""

import math
from collections.abc import Callable

import torch
from common import keep, table
from matplotlib.figure import Figure
from vae_runs import BINARISATION, NUM_POINTS, SEED, Point, Recipe, Run, save

from vaeedu import data, plotting
from vaeedu.vae import VAE

AEVB_LATENTS = (3, 5, 10, 20, 200)
PICTURED = (2, 5, 10, 20)
DREAMING = 20  # the fewest latents with which wake–sleep fell apart
WAKE_SLEEP_RATES = ((3e-4, 3e-4), (1e-3, 3e-4), (1e-3, 1e-4), (3e-3, 3e-4), (3e-3, 3e-5))  # encoder, decoder
TRIAL_POINTS = 6e5  # before this, runs that fall apart later still look well
Trials = dict[tuple[float, float], list[Point]]  # for each pair of step sizes, how its curve begins
Make = Callable[[str, Recipe], Run]


def aevb(
    num_latents: int, points: float, objective: str, rates: tuple[float, float] = (3e-4, 3e-4)
) -> Recipe:
    """The network and batches of Kingma and Welling (2014), section 5: 500 hidden units, 100 images.

    Adam instead of their Adagrad: from Glorot's weights, Adagrad's first steps throw wake–sleep far off.
    """

    def adam(model: VAE) -> torch.optim.Optimizer:
        parts = zip((model.encoder, model.decoder), rates, strict=True)
        groups = [{"params": list(part.parameters()), "lr": rate} for part, rate in parts]
        return torch.optim.Adam(groups, fused=True)

    return Recipe((500,), num_latents, 100, math.ceil(points / NUM_POINTS), adam, objective=objective)


def run_aevb(make: Make, full: bool, train: bool) -> None:
    """Trains all sizes, fewer points first, and draws the figure after each round."""
    trials = {K: try_rates(make, K, train) for K in AEVB_LATENTS}
    for points in (1e6, 1e7, 1e8) if full else (1e6, 1e7):
        runs = {("elbo", K): make(f"aevb_elbo_{K}", aevb(K, points, "elbo")) for K in (2, *AEVB_LATENTS)}
        for K, curves in trials.items():
            runs["wake_sleep", K] = wake_sleep_run(make, K, points, best_rates(curves))
        report_aevb({key: (run.train() if train else run).curve for key, run in runs.items()}, trials)
        draw_dreams(make, trials)


def wake_sleep_run(make: Make, K: int, points: float, rates: tuple[float, float]) -> Run:
    """Makes a run of wake–sleep, named after its size and its two step sizes."""
    return make("_".join(map(str, ("aevb_wake_sleep", K, *rates))), aevb(K, points, "wake_sleep", rates))


def try_rates(make: Make, K: int, train: bool) -> dict[tuple[float, float], list[Point]]:
    """Returns the first part of wake–sleep's curve for each pair of step sizes."""
    curves = {}
    for rates in WAKE_SLEEP_RATES:
        run = wake_sleep_run(make, K, TRIAL_POINTS, rates)
        if train and not any(point["points"] >= TRIAL_POINTS for point in run.curve):
            run.train()
        curves[rates] = [point for point in run.curve if point["points"] <= TRIAL_POINTS]
    return curves


def best_rates(curves: Trials) -> tuple[float, float]:
    """Returns the step sizes whose trial ended with the highest ELBO on training images."""
    return max(curves, key=lambda rates: curves[rates][-1]["train_elbo"] if curves[rates] else -math.inf)


def report_aevb(curves: dict[tuple[str, int], list[Point]], trials: dict[int, Trials]) -> None:
    """Keeps the figure, a table of where each curve ends, and one of the step sizes tried for wake–sleep."""
    curves = {key: curve for key, curve in curves.items() if curve}
    draw_aevb(curves)
    rows = [
        [
            K,
            {"elbo": "AEVB", "wake_sleep": "wake–sleep"}[objective],
            f"{c[-1]['points']:.1e}",
            f"{c[-1]['seconds']:.0f}",
        ]
        + [f"{c[-1][key]:.2f}" for key in ("train_elbo", "test_elbo")]
        for (objective, K), c in sorted(curves.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    text = (
        "# The bound against training points, MNIST, 784-500-K, tanh, Bernoulli likelihood\n\n"
        f"{BINARISATION} Adam, batches of 100, seed {SEED}; step size 0.0003 for AEVB, and for wake–sleep as below. "
        "ELBO in nats per image on the first 1 000 images of each set, one sample an image, KL in closed form. The "
        "whole curves are in the JSON and in `vae_aevb.png`: the axes of figure 2 of Kingma and Welling (2014), which "
        "curves below −160 nats leave. Seconds are of runs with one thread or two, beside others on the machine.\n\n"
        + table(["K", "algorithm", "training points", "seconds", "training ELBO", "test ELBO"], rows)
        + "\n\n"
        + report_trials(trials)
    )
    kept = {f"{objective}_{K}": curve for (objective, K), curve in curves.items()}
    tried = {
        f"{K}": {"_".join(map(str, rates)): c for rates, c in found.items()} for K, found in trials.items()
    }
    keep("vae_aevb", text, {**kept, "wake_sleep_trials": tried})


def draw_aevb(curves: dict[tuple[str, int], list[Point]]) -> None:
    """Draws the bound against training points, a panel for each K."""
    figure = Figure(figsize=(11, 2.8), layout="constrained")
    for axes, K in zip(
        figure.subplots(1, len(AEVB_LATENTS), sharex=True, sharey=True), AEVB_LATENTS, strict=True
    ):
        for objective, colour, label in (
            ("elbo", plotting.BLUE, "AEVB"),
            ("wake_sleep", plotting.GREEN, "wake–sleep"),
        ):
            curve = curves.get((objective, K), [])
            points = [p["points"] for p in curve]
            axes.semilogx(points, [p["test_elbo"] for p in curve], color=colour, label=f"{label}, test")
            axes.semilogx(
                points, [p["train_elbo"] for p in curve], color=colour, ls=":", label=f"{label}, training"
            )
        axes.set(title=f"K = {K}", xlabel="training points", ylim=(-160, -90))
    figure.axes[0].set_ylabel("ELBO (nats per image)")
    figure.axes[0].legend(fontsize="x-small")
    save(figure, "vae_aevb")


def report_trials(trials: dict[int, Trials]) -> str:
    """Returns what there is to say of wake–sleep's step sizes."""
    rows = []
    for K, found in trials.items():
        for rates, curve in found.items():
            if curve:
                p, mark = curve[-1], "←" if rates == best_rates(found) else ""
                numbers = [f"{p[key]:.1f}" for key in ("train_elbo", "test_elbo", "test_kl")]
                rows.append(
                    [K, *map(str, rates), f"{p['points']:.0e}", *numbers, f"{p['ink_dreamt']:.3f}", mark]
                )
    header = [
        "K",
        "step size of the encoder",
        "of the decoder",
        "training points",
        "training ELBO",
        "test ELBO",
        "KL",
    ]
    return (
        "## The step sizes of wake–sleep\n\n"
        "Nothing in wake–sleep ties the codes of data to the prior: awake, the decoder learns from the codes of data "
        "alone, and asleep, the encoder from dreams alone. Where the decoder learns faster than the encoder follows, "
        "the codes of data leave the prior (their KL grows), what is dreamt from the prior looks less and less like "
        f"data (the mean pixel of the training images is {float(data.mnist('train')[0].mean()):.3f}), and the encoder "
        "learns from that. The more latents, the worse. So each K takes the pair of step sizes with the highest "
        "training ELBO at the end of a trial (←), much as Kingma and Welling chose theirs. `vae_wake_sleep.png` shows "
        f"the dreams for K = {DREAMING}.\n\n" + table([*header, "mean pixel of dreams", ""], rows)
    )


def draw_dreams(make: Make, trials: dict[int, Trials]) -> None:
    """Draws what wake–sleep dreams with each pair of step sizes, from the checkpoints as they are."""
    K = DREAMING
    figure = Figure(figsize=(11, 2.7), layout="constrained")
    for axes, rates in zip(figure.subplots(1, len(trials[K])), trials[K], strict=True):
        run = wake_sleep_run(make, K, TRIAL_POINTS, rates).load()
        images = run.model.sample(36, mean=True, generator=torch.Generator().manual_seed(SEED))
        plotting.draw_images(axes, images[:, 0], 6)
        encoder, decoder = rates
        axes.set_title(
            f"encoder {encoder:g}, decoder {decoder:g}\n{run.curve[-1]['points']:.1e} points", fontsize=9
        )
    figure.suptitle(f"Wake–sleep, K = {K}: dreams fade where the encoder learns no faster than the decoder")
    save(figure, "vae_wake_sleep", grey=True)


def report_samples(make: Make) -> None:
    """Draws samples for each K, and the latent plane for K = 2, from the checkpoints that `aevb` left."""
    models = {K: make(f"aevb_elbo_{K}", aevb(K, 1e6, "elbo")).load() for K in PICTURED}
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    for axes, (K, run) in zip(figure.subplots(1, len(models)), models.items(), strict=True):
        images = run.model.sample(64, mean=True, generator=torch.Generator().manual_seed(SEED))
        plotting.draw_images(axes, images[:, 0], 8)
        axes.set_title(f"K = {K}, test ELBO {run.curve[-1]['test_elbo']:.0f} nats")
    save(figure, "vae_samples", grey=True)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    plotting.draw_images(axes, models[2].model.manifold(20).flatten(0, 1)[:, 0], 20)
    axes.set(title="The latent plane at equal steps of probability", xlabel="z₁ →", ylabel="z₂ →")
    save(figure, "vae_manifold", grey=True)
