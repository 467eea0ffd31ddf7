"""An epoch of a VAE on MNIST with `fit` against the loop that tutorials teach: same model, batch size and threads.

The tutorials' loop is a per-item dataset with `DataLoader`, plain Adam and `.item()` at each step; `fit` hands over
whole batches by index and has fused Adam. Both run at batch size 128 on two threads, `fit` in float32 as the tutorials'
loop, and in bfloat16 where the processor has it. The last row of each model is the least that an epoch can take: the
same steps in float32 on one batch that is already there, without data path, loop or records. Run:
`python benchmarks/training.py [--images 60000] [--rounds 3] [--conv-images 6000]`.
"""

import argparse
import math
from collections.abc import Callable

import numpy as np
import torch
from common import keep, median_seconds, table
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from vaeedu import data
from vaeedu.training import batches, devices, fit
from vaeedu.vae import VAE, conv_vae, mlp_vae

BATCH_SIZE = 128


class TutorialMNIST(Dataset):
    """MNIST as the usual dataset class has it: bytes in memory, each item made an image, then a float tensor.

    The conversions are those of torchvision's `MNIST` with `transforms.ToTensor()`, written out step by step.
    """

    def __init__(self, levels: torch.Tensor, labels: torch.Tensor, *, binarize: bool) -> None:
        self.levels, self.labels, self.binarize = levels, labels, binarize

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image, label = Image.fromarray(self.levels[index].numpy()), int(self.labels[index])
        pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
        pixels = (
            pixels.view(image.size[1], image.size[0], len(image.getbands())).permute(2, 0, 1).contiguous()
        )
        x = pixels.to(dtype=torch.get_default_dtype()).div(255)
        return torch.bernoulli(x) if self.binarize else x, label


def tutorial_epoch(model: VAE, dataset: Dataset) -> float:
    """One epoch as tutorials write it; returns its mean loss."""
    loader = DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    total = 0.0
    for x, _ in loader:
        optimizer.zero_grad()
        loss = negative_elbo(model, x)
        loss.backward()
        total += loss.item() * len(x)
        optimizer.step()
    return total / len(loader.dataset)


def fit_epoch(model: VAE, x: torch.Tensor, *, binarize: bool, precision: str = "float32") -> float:
    """The same epoch with `fit`; returns its mean loss."""
    history = fit(
        model,
        x,
        lambda x, generator: negative_elbo(model, x, generator),
        torch.optim.Adam(model.parameters(), lr=1e-3, fused=True),
        epochs=1,
        batch_size=BATCH_SIZE,
        transform=_draw if binarize else None,
        generator=torch.Generator().manual_seed(0),
        precision=precision,
        device="cpu",
        progress=False,
    )
    return history.loss[0]


def least_epoch(model: VAE, x: torch.Tensor) -> float:
    """As many steps as an epoch has, all on its first batch; returns the last loss."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    batch, generator = x[:BATCH_SIZE].clone(), torch.Generator().manual_seed(0)
    for _ in range(math.ceil(len(x) / BATCH_SIZE)):
        optimizer.zero_grad()
        loss = negative_elbo(model, batch, generator)
        loss.backward()
        optimizer.step()
    return loss.item()


def _draw(x: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    return data.binarize(x, "dynamic", generator=generator)


def negative_elbo(model: VAE, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """The loss of both: Bernoulli cross-entropy, grey values allowed as tutorials do, and the analytic KL."""
    q = model.posterior(x)
    mu, sigma = q.base_dist.loc, q.base_dist.scale
    z = mu + sigma * torch.randn(mu.shape, generator=generator)
    logits = model.likelihood(z).base_dist.logits
    reconstruction = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    kl = 0.5 * (mu.square() + sigma.square() - 1 - 2 * sigma.log()).sum()
    return (reconstruction + kl) / len(x)


def handing_over(x: torch.Tensor, rounds: int) -> dict[str, float]:
    """Times the data path alone, in microseconds an image: without a model, all that is left of an epoch."""
    dataset = TutorialMNIST((x[:, 0] * 255).round().byte(), torch.zeros(len(x)), binarize=False)

    def by_index() -> None:
        for index in torch.randperm(len(x)).split(BATCH_SIZE):
            batches.take((x,), index)

    def item_by_item() -> None:
        for _ in DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True):
            pass

    by_index()
    seconds = median_seconds({"fit": by_index, "tutorial": item_by_item}, rounds)
    return {name: 1e6 * value / len(x) for name, value in seconds.items()}


def compare(make_model: Callable[[], VAE], x: torch.Tensor, rounds: int, *, binarize: bool) -> dict:
    """Times an epoch of each loop, each time on a fresh model with the same weights."""
    dataset = TutorialMNIST((x[:, 0] * 255).round().byte(), torch.zeros(len(x)), binarize=binarize)
    losses: dict[str, float] = {}

    def timed(name: str, epoch: Callable[[VAE], float], layout: torch.memory_format) -> Callable[[], None]:
        def run() -> None:
            torch.manual_seed(0)
            losses[name] = epoch(make_model().to(memory_format=layout))

        return run

    def by_fit(precision: str) -> Callable[[VAE], float]:
        return lambda model: fit_epoch(model, x, binarize=binarize, precision=precision)

    plain, channels_last = torch.contiguous_format, torch.channels_last
    functions = {
        "tutorial": timed("tutorial", lambda model: tutorial_epoch(model, dataset), plain),
        "fit, float32": timed("fit, float32", by_fit("float32"), plain),
    }
    has_bfloat16 = devices.has_bfloat16(torch.device("cpu"))
    if has_bfloat16:
        functions["fit, bfloat16"] = timed("fit, bfloat16", by_fit("bfloat16"), plain)
    if has_bfloat16 and any(isinstance(layer, torch.nn.Conv2d) for layer in make_model().modules()):
        name = "fit, bfloat16, channels last"
        functions[name] = timed(name, by_fit("bfloat16"), channels_last)
    functions["least possible"] = timed("least possible", lambda model: least_epoch(model, x), plain)
    warm = x[: 4 * BATCH_SIZE]
    fit_epoch(make_model(), warm, binarize=binarize)
    seconds = median_seconds(functions, rounds)
    return {
        name: {"seconds": value, "loss": losses[name], "speed": seconds["tutorial"] / value}
        for name, value in seconds.items()
    }


def main() -> None:
    """Runs the comparison and keeps its table."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--images", type=int, default=60_000, help="of an epoch of the dense VAE")
    parser.add_argument("--conv-images", type=int, default=6_000, help="of an epoch of the convolutional VAE")
    parser.add_argument("--rounds", type=int, default=3, help="epochs timed of each loop, in turn")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    x = data.mnist("train")[0]
    dense = lambda: mlp_vae((1, 28, 28))  # noqa: E731
    results = {
        "dense VAE, grey pixels": compare(dense, x[: options.images], options.rounds, binarize=False),
        "dense VAE, pixels binarised": compare(dense, x[: options.images], options.rounds, binarize=True),
        "convolutional VAE, pixels binarised": compare(
            lambda: conv_vae((1, 28, 28)), x[: options.conv_images], options.rounds, binarize=True
        ),
    }
    path = handing_over(x[: options.images], max(options.rounds, 3))
    rows = [
        [model, loop, f"{r['seconds']:.2f}", f"{r['speed']:.2f}", f"{r['loss']:.1f}"]
        for model, loops in results.items()
        for loop, r in loops.items()
    ]
    header = ["model", "loop", "seconds an epoch", "speed (tutorial = 1)", "training loss, nats an image"]
    text = (
        f"# An epoch of MNIST: `fit` against the tutorials' loop\n\n"
        f"Batch size {BATCH_SIZE}; {options.images} images an epoch, {options.conv_images} for the convolutional VAE; "
        f"medians of {options.rounds} epochs, loops timed in turn, seed 0. The last row of each model is the least "
        f"that an epoch can take in float32: its steps on one batch that is already there (and its last loss).\n\n"
        f"{table(header, rows)}\n\n"
        f"The data path alone: {path['fit']:.2f} µs an image by index, {path['tutorial']:.1f} µs item by item: "
        f"{path['tutorial'] / path['fit']:.0f}×."
    )
    keep("training", text, {"epochs": results, "microseconds_per_image": path, "options": vars(options)})


if __name__ == "__main__":
    main()
