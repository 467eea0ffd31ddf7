"""What the runs of `vae.py` share: the data, a recipe, and a model that is trained by it, looked at and evaluated."""

import io
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from common import RESULTS
from matplotlib.figure import Figure
from PIL import Image

from vaeedu import bounds, data, plotting
from vaeedu.training import fit
from vaeedu.vae import VAE, mlp_vae

SEED = 0
NUM_POINTS = 60_000
BINARISATION = "Pixels are drawn afresh each epoch (dynamic); the test images once, with seed 1."
Point = dict[str, float]  # of a learning curve


@dataclass(frozen=True)
class Recipe:
    """How to train one model.

    Attributes:
        num_hidden: Units of the encoder's hidden layers.
        num_latents: K.
        batch_size: Images a step.
        epochs: Passes through the 60 000 images.
        optimizer: Makes it for a model.
        factor: Maps an epoch to what its learning rate is multiplied by.
        objective: `"elbo"`, `"iwae"` (k = 50) or `"wake_sleep"`.
    """

    num_hidden: tuple[int, ...]
    num_latents: int
    batch_size: int
    epochs: int
    optimizer: Callable[[VAE], torch.optim.Optimizer]
    factor: Callable[[int], float] = lambda epoch: 1.0
    objective: str = "elbo"


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
        self._optimizer = recipe.optimizer(self.model)
        self._last_look = time.perf_counter()

    @property
    def curve(self) -> list[Point]:
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
                "test_kl": float(
                    bounds.kl_per_dimension(test, self.model.encoder, self.model.prior).sum(1).mean()
                ),
                "ink_dreamt": float(self.model.sample(1000, mean=True, generator=self._generator()).mean()),
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


def save(figure: Figure, name: str, *, grey: bool = False) -> None:
    """Writes a figure to the results, where it must stay small: one of images without its colours."""
    RESULTS.mkdir(exist_ok=True)
    drawn = Image.open(io.BytesIO(plotting.png(figure)))
    drawn.convert("L" if grey else "RGB").save(RESULTS / f"{name}.png", optimize=True)
