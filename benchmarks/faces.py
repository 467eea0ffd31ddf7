"""Edits of generated faces, scored against the truth: what σ, a map of σ and more steps do.

    python benchmarks/faces.py                       four models, three seeds, as long as the lecture trains (minutes)
    python benchmarks/faces.py --epochs 24 --seeds 3  longer

For each model: squared error and KL (nats) on new faces, R² of the smile, and over all eleven factors the edits along
orthogonalised directions by half a range, read by a convolutional judge: the least share of faces whose wanted factor
moved as it should by at least a quarter of what was asked, the largest mean change of a factor that was to stay, and
how many factors have at least 95 % and less than 0.15. Means and standard errors over seeds; settings were chosen on
seeds below 10.
"""

import argparse
import math
import statistics
import time

import torch
from common import keep, table
from torch import Tensor, nn
from torch.distributions import kl_divergence

from vaeedu import data, directions, networks, vae
from vaeedu.sampling import seeded
from vaeedu.training import fit

FIRST_SEED = 10
NAMES = data.FACE_FACTORS
SMILE = NAMES.index("smile")


def sigma_map() -> Tensor:
    """Returns 0.1 for most pixels, a third of the variance around the eyes, a ninth around the mouth."""
    sigma = torch.full((32, 32), 0.1)
    sigma[10:20, 7:25] = 0.1 / 3**0.5
    sigma[20:29, 8:24] = 0.1 / 9**0.5
    return sigma


def train(model: vae.VAE, x: Tensor, epochs: int, seed: int) -> None:
    """Trains a model as the lecture does."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, fused=True)

    def rate(epoch: int) -> float:
        return 0.3 if epoch == 0 else (1 + math.cos(math.pi * (epoch - 0.5) / epochs)) / 2

    fit(
        model,
        x,
        lambda x, generator: -model.elbo(x, generator=generator).mean(),
        optimizer,
        epochs=epochs,
        batch_size=24,
        scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, rate),
        generator=seeded(seed),
        progress=False,
        max_grad_norm=1000.0,
    )
    model.eval()


def make_judge(x: Tensor, a: Tensor, seed: int) -> nn.Module:
    """Trains a network to read factors off drawn faces."""
    judge = networks.fully_conv_encoder((3, 32, 32), len(NAMES), num_channels=8)
    optimizer = torch.optim.Adam(judge.parameters(), lr=1e-2)
    fit(
        judge,
        (x, a),
        lambda x, a, generator: (judge(x) - a).square().mean(),
        optimizer,
        epochs=8,
        batch_size=32,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8),
        generator=seeded(seed),
        progress=False,
    )
    return judge.eval()


@torch.no_grad()
def measure(
    model: vae.VAE, judge: nn.Module, x: Tensor, a: Tensor, new: tuple[Tensor, Tensor]
) -> list[float]:
    """Returns the numbers of one row, for one seed."""
    faces, truth = new
    z = torch.cat([model.posterior(part).mean for part in x.split(500)])
    q = model.posterior(faces)
    reader = directions.Reader().fit(z, a)
    W, D = reader.weights_, directions.regression(z, a)
    shown = model.likelihood(q.mean).mean
    asked = torch.where(truth < 0.5, 0.5, -0.5).T
    after = []
    for f in range(len(NAMES)):
        d = directions.orthogonalize(D[f], W[torch.arange(len(NAMES)) != f])
        after.append(judge(model.likelihood(q.mean + asked[f][:, None] * d / (W[f] @ d)).mean))
    effects = directions.edit_effects(judge(shown), torch.stack(after), asked, least=0.25)
    return [
        float((shown - faces).square().sum(dim=(1, 2, 3)).mean()),
        float(kl_divergence(q, model.prior()).mean()),
        float(directions.r_squared(reader(q.mean), truth)[SMILE]),
        float(effects.hit.min()),
        float(effects.stray.max()),
        float(((effects.hit >= 0.95) & (effects.stray < 0.15)).sum()),
    ]


def main() -> None:
    """Runs all models on all seeds, and keeps the table."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--faces", type=int, default=6000)
    parser.add_argument("--channels", type=int, default=12)
    parser.add_argument("--only", nargs="*", help="names of models, such as map")
    options = parser.parse_args()
    scales: dict[str, str | float | Tensor] = {
        "0.5": 0.5,
        "learned": "learned",
        "0.1": 0.1,
        "map": sigma_map(),
    }
    chosen = options.only or list(scales)
    values: dict[str, list[list[float]]] = {name: [] for name in chosen}
    seconds: dict[str, list[float]] = {name: [] for name in chosen}
    for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
        x, a = data.faces(options.faces, generator=seeded(seed))
        new = data.faces(1000, generator=seeded(1000 + seed))
        torch.manual_seed(seed)
        judge = make_judge(x, a, seed)
        for name in chosen:
            torch.manual_seed(seed)
            model = vae.fully_conv_vae((3, 32, 32), num_channels=options.channels, scale=scales[name])
            start = time.process_time()
            train(model, x, options.epochs, seed)
            seconds[name].append(time.process_time() - start)
            values[name].append(measure(model, judge, x, a, new))
            print(seed, name, [round(v, 3) for v in values[name][-1]], flush=True)
    rows = []
    for name, runs in values.items():
        cells = []
        for column in zip(*runs, strict=True):
            spread = statistics.stdev(column) / len(column) ** 0.5 if len(column) > 1 else math.nan
            cells.append(f"{statistics.mean(column):.3g} ± {spread:.1g}")
        rows.append([name, *cells, f"{statistics.mean(seconds[name]):.0f}"])
    header = ["σ", "squared error", "KL", "R² smile", "least hit", "largest stray", "of 11 good", "CPU s"]
    text = (
        f"# Edits of new faces, scored against the truth\n\n{options.seeds} seeds, {options.faces} faces, "
        f"{options.epochs} epochs, {options.channels} channels; mean ± standard error. KL in nats.\n\n"
        f"{table(header, rows)}"
    )
    keep(f"faces_{options.epochs}", text, {"options": vars(options), "values": values})


if __name__ == "__main__":
    main()
