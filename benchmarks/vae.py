"""Variational autoencoders on dynamically binarised MNIST, against published numbers and figures.

Runs, named on the command line (none: `mlp`), one after another; each goes on from its checkpoint if it has one:

- `mlp`: 784-400-20, 100 epochs. `burda`: the 200-200/50 architecture of Burda et al. (2016), on a schedule of the same
  shape as theirs, 2^i instead of 3^i epochs at rate i. Test ELBO and −L₅₀₀₀; only the latter compares with their VAE's
  86.76 nats. `iwae`: the same with their IWAE objective, k = 50 (84.78), which asks for `--full`.
- `aevb`: the bound against training points for K = 3, 5, 10, 20, 200, the axes of figure 2 of Kingma and Welling
  (2014), beside wake–sleep: 10⁶ points for all, then 10⁷. `samples`: what they dream, and the plane of K = 2.

`--full` runs the published schedules (`burda`, `iwae`: 3280 epochs; `aevb`: 10⁸ points) and wants a GPU:

    python benchmarks/vae.py burda iwae aevb samples --full

`--evaluate` trains nothing and evaluates the checkpoints as they are, also those of a run under way.
"""

import argparse
import contextlib
import io
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from common import RESULTS, keep, table
from matplotlib.figure import Figure
from PIL import Image

from vaeedu import bounds, data, plotting
from vaeedu.training import fit
from vaeedu.vae import VAE, mlp_vae

SEED = 0
AEVB_LATENTS = (3, 5, 10, 20, 200)
PICTURED = (2, 5, 10, 20)
NUM_POINTS = 60_000
BINARISATION = "Pixels are drawn afresh each epoch (dynamic); the test images once, with seed 1."


@dataclass(frozen=True)
class Recipe:
    """How to train one model.

    Attributes:
        num_hidden: Units of the encoder's hidden layers.
        num_latents: K.
        batch_size: Images a step.
        epochs: Passes through the 60 000 images.
        optimizer: Makes it.
        factor: Maps an epoch to what its learning rate is multiplied by.
        objective: `"elbo"`, `"iwae"` (k = 50) or `"wake_sleep"`.
    """

    num_hidden: tuple[int, ...]
    num_latents: int
    batch_size: int
    epochs: int
    optimizer: Callable[..., torch.optim.Optimizer]
    factor: Callable[[int], float] = lambda epoch: 1.0
    objective: str = "elbo"


def burda(base: int, objective: str) -> Recipe:
    """The recipe of Burda et al. (2016), section 5 and appendix: eight rates, `base`^i epochs at the i-th."""
    last = [sum(base**j for j in range(i + 1)) for i in range(8)]  # epochs done when the i-th rate ends

    def factor(epoch: int) -> float:
        return 10 ** (-next((i for i in range(8) if epoch < last[i]), 7) / 7)

    def adam(parameters: Iterator[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-4, fused=True)

    return Recipe((200, 200), 50, 20, last[-1], adam, factor, objective)


def aevb(num_latents: int, points: float, objective: str) -> Recipe:
    """The network and batches of Kingma and Welling (2014), section 5: 500 hidden units, 100 images.

    Adam instead of their Adagrad: from Glorot's weights, Adagrad's first steps throw wake–sleep far off.
    """
    epochs = math.ceil(points / NUM_POINTS)
    return Recipe(
        (500,),
        num_latents,
        100,
        epochs,
        lambda p: torch.optim.Adam(p, lr=3e-4, fused=True),
        objective=objective,
    )


def recipes(full: bool) -> dict[str, Recipe]:
    """The runs that train a single model."""
    base = 3 if full else 2
    adam = lambda p: torch.optim.Adam(p, lr=1e-3, fused=True)  # noqa: E731
    return {
        "mlp": Recipe((400,), 20, 128, 100, adam),
        "burda": burda(base, "elbo"),
        "iwae": burda(base, "iwae"),
    }


class Run:
    """One model's training and evaluation, with its files in a folder.

    The curve is written after every look, so that it can be read while the run goes on.
    """

    def __init__(
        self, name: str, recipe: Recipe, folder: Path, images: dict[str, torch.Tensor], device: str
    ) -> None:
        self.name, self.recipe, self._images, self._device = name, recipe, images, device
        self._checkpoint, self._curve_file = folder / f"{name}.pt", folder / f"{name}_curve.json"
        torch.manual_seed(SEED)  # for the initial weights
        self.model = mlp_vae((1, 28, 28), num_latents=recipe.num_latents, num_hidden=recipe.num_hidden)
        initialise(self.model, images["train"])
        self._optimizer = recipe.optimizer(self.model.parameters())
        self._last_look = time.perf_counter()

    @property
    def curve(self) -> list[dict[str, float]]:
        """What was seen so far: epoch, training points, seconds, and bounds in nats."""
        return json.loads(self._curve_file.read_text()) if self._curve_file.exists() else []

    def train(self) -> "Run":
        """Trains, or goes on training, to the recipe's last epoch."""
        scheduler = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self.recipe.factor)
        self._last_look = time.perf_counter()
        fit(
            self.model,
            self._images["train"],
            self.loss,
            self._optimizer,
            epochs=self.recipe.epochs,
            batch_size=self.recipe.batch_size,
            transform=lambda x, generator: data.binarize(x, "dynamic", generator=generator),
            generator=torch.Generator().manual_seed(SEED),
            validate=self._look,
            checkpoint=self._checkpoint,
            device=self._device,
            scheduler=scheduler,
            progress=False,
        )
        return self

    def load(self) -> "Run":
        """Takes the weights of the checkpoint, whether or not the run has ended."""
        state = torch.load(self._checkpoint, weights_only=True, map_location="cpu")
        self.model.load_state_dict(state["state"]["model"])
        return self

    def loss(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """The objective's batch mean."""
        match self.recipe.objective:
            case "elbo":
                return -self.model.elbo(x, generator=generator).mean()
            case "iwae":
                return -self.model.iwae_bound(x, num_samples=50, generator=generator).mean()
        parts = self.model.encoder, self.model.decoder, self.model.prior
        wake, sleep = bounds.wake_sleep(x, *parts, generator=generator)
        return (wake + sleep).mean()

    @torch.no_grad()
    def _look(self) -> float:
        """Adds a point to the curve if one is due; returns −ELBO on 1 000 test images."""
        steps = int(next(iter(self._optimizer.state.values()))["step"])
        epoch = steps // math.ceil(NUM_POINTS / self.recipe.batch_size)
        test = self._on_device(self._images["test"][:1000])
        elbo = float(self.model.elbo(test, generator=self._generator()).mean())
        if is_due(epoch) or epoch == self.recipe.epochs:
            train = self._on_device(self._images["seen"])
            done = [point for point in self.curve if point["epoch"] < epoch]
            elapsed = time.perf_counter() - self._last_look + (done[-1]["seconds"] if done else 0.0)
            point = {
                "epoch": epoch,
                "points": epoch * NUM_POINTS,
                "seconds": round(elapsed, 1),
                "train_elbo": float(self.model.elbo(train, generator=self._generator()).mean()),
                "test_elbo": elbo,
                "nll_100": -float(
                    self.model.iwae_bound(test, num_samples=100, generator=self._generator()).mean()
                ),
            }
            self._curve_file.write_text(json.dumps([*done, point]))
            print(f"{self.name}: {point}", flush=True)
            self._last_look = time.perf_counter()
        return -elbo

    @torch.no_grad()
    def evaluate(self, num_samples: int = 5000) -> dict[str, float]:
        """Computes the bounds on all 10 000 test images."""
        self.model.to(self._device if self._device != "auto" else "cpu")
        start, elbos, nlls = time.perf_counter(), [], []
        for x in self._on_device(self._images["test"]).split(1000):
            elbos.append(self.model.elbo(x, num_samples=10, generator=self._generator()))
            nlls.append(-self.model.iwae_bound(x, num_samples=num_samples, generator=self._generator()))
            print(
                f"{self.name}: −L_{num_samples} of an image {float(torch.cat(nlls).mean()):.2f} nats",
                flush=True,
            )
        nll = torch.cat(nlls).double()
        return {
            "test_elbo": float(torch.cat(elbos).double().mean()),
            "num_samples": num_samples,
            "nll": float(nll.mean()),
            "standard_error": float(nll.std() / len(nll) ** 0.5),
            "evaluation_seconds": time.perf_counter() - start,
        }

    def _on_device(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(next(self.model.parameters()).device)

    def _generator(self) -> torch.Generator:
        return torch.Generator(next(self.model.parameters()).device).manual_seed(SEED)


def initialise(model: VAE, x: torch.Tensor) -> None:
    """Sets weights by Glorot and Bengio (2010), biases to zero, and those of the pixels to the data's log-odds."""
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    pixels = [layer for layer in model.decoder.modules() if isinstance(layer, torch.nn.Linear)][-1]
    with torch.no_grad():
        pixels.bias.copy_(x.mean(dim=0).clamp(0.001, 0.999).logit().flatten())


def is_due(epoch: int) -> bool:
    """Whether the curve has a point after this epoch: all up to 5, then about eight a decade."""
    steps = 8 * math.log10(epoch)
    return epoch <= 5 or math.floor(steps) > math.floor(8 * math.log10(epoch - 1))


def mnist() -> dict[str, torch.Tensor]:
    """Grey training images; binary test images; and 1 000 binary training images to look at."""
    train, test = data.mnist("train")[0], data.mnist("test")[0]
    draw = torch.Generator().manual_seed(1)
    return {
        "train": train,
        "test": data.binarize(test, "dynamic", generator=draw),
        "seen": data.binarize(train[:1000], "dynamic", generator=draw),
    }


def report_single(name: str, run: Run, numbers: dict[str, float], full: bool) -> None:
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
        f"{'' if full or name == 'mlp' else ' (the published schedule has 3280)'}.\n\n"
        f"All 10 000 test images: **−ELBO {-numbers['test_elbo']:.2f}, "
        f"−L({numbers['num_samples']:.0f}) {numbers['nll']:.2f}** "
        f"(± {numbers['standard_error']:.2f}, the standard error over images). "
        "Burda et al. (2016), 200-200/50, −L₅₀₀₀: VAE 86.76, IWAE with k = 50 84.78.\n\n"
        "On the way, on the first 1 000 images of each set, one sample an image:\n\n"
        + table(["epoch", "seconds", "training −ELBO", "test −ELBO", "test −L₁₀₀"], rows)
    )
    keep(f"vae_{name}", text, {"layers": layers, "epochs": done, **numbers, "curve": curve})
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
    save(figure, f"vae_{name}")


def run_aevb(make: Callable[[str, Recipe], Run], full: bool, train: bool) -> None:
    """Trains all sizes, fewer points first, and draws the figure after each round."""
    for points in (1e6, 1e7, 1e8) if full else (1e6, 1e7):
        curves = {}
        for objective in ("elbo", "wake_sleep"):
            for K in (2, *AEVB_LATENTS) if objective == "elbo" else AEVB_LATENTS:
                run = make(f"aevb_{objective}_{K}", aevb(K, points, objective))
                curves[objective, K] = (run.train() if train else run).curve
        report_aevb(curves)


def report_aevb(curves: dict[tuple[str, int], list[dict[str, float]]]) -> None:
    """Keeps the figure, and a table of where each curve ends."""
    curves = {key: curve for key, curve in curves.items() if curve}
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
        f"{BINARISATION} Adam with step size 0.0003, batches of 100, seed {SEED}. ELBO in nats per image on the first "
        "1 000 images of each set, one sample an image, KL in closed form. The whole curves are in the JSON and in "
        "`vae_aevb.png`: the axes of figure 2 of Kingma and Welling (2014), which curves below −160 nats leave.\n\n"
        + table(["K", "algorithm", "training points", "seconds", "training ELBO", "test ELBO"], rows)
    )
    keep("vae_aevb", text, {f"{objective}_{K}": curve for (objective, K), curve in curves.items()})


def report_samples(make: Callable[[str, Recipe], Run]) -> None:
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


def save(figure: Figure, name: str, *, grey: bool = False) -> None:
    """Writes a figure to the results, where it must stay small: one of images without its colours."""
    RESULTS.mkdir(exist_ok=True)
    drawn = Image.open(io.BytesIO(plotting.png(figure)))
    drawn.convert("L" if grey else "RGB").save(RESULTS / f"{name}.png", optimize=True)


def main() -> None:
    """Does the runs that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
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
    if "iwae" in runs and not options.full:
        parser.error("iwae takes 50 samples an image: it asks for --full and a GPU")
    folder = options.folder / ("full" if options.full else "cpu")
    folder.mkdir(parents=True, exist_ok=True)
    images = mnist()

    def make(name: str, recipe: Recipe) -> Run:
        return Run(name, recipe, folder, images, options.device)

    for name in runs:
        if name == "aevb":
            run_aevb(make, options.full, train=not options.evaluate)
        elif name == "samples":
            report_samples(make)
        else:
            run = make(name, recipes(options.full)[name])
            run = run.load() if options.evaluate else run.train()
            report_single(name, run, run.evaluate(options.num_samples), options.full)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
