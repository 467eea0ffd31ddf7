"""Edits of generated faces, scored against the truth: what σ, a map of σ, more steps and curved edits do.

    python benchmarks/faces.py                       four models, three seeds, as long as the lecture trains (minutes)
    python benchmarks/faces.py --epochs 24 --seeds 3  longer

For each model: squared error and KL (nats) on new faces, R² of the smile, and edits of all eleven factors by half a
range: straight, along orthogonalised directions, and curved, by the mean code as a quadratic function of the factors,
which are read from the code. A convolutional judge reads the pictures. The least hit: the least share of faces whose
wanted factor moved as it should by at least a quarter of what was asked; stray: the largest mean change of a factor
that was to stay; good: with at least 95 % and less than 0.15. The last row is the judge's own: there the truth was
edited, and drawn. Means and standard errors over seeds; settings were chosen on seeds below 10.
"""

import argparse
import math
import time
from typing import Any

import torch
from common import keep, mean_and_error, table
from torch import Tensor, nn
from torch.distributions import kl_divergence

from vaeedu import data, directions, networks, vae
from vaeedu.sampling import seeded
from vaeedu.training import fit

FIRST_SEED = 10
NAMES = data.FACE_FACTORS
SMILE = NAMES.index("smile")
GOOD = f"of {len(NAMES)} good"
DRAWN, TRUTH = "drawn anew", "of the truth"
KINDS = ("straight", "curved", TRUTH)


def sigma_map() -> Tensor:
    """Returns 0.1 for most pixels, a third of the variance where the head is, a ninth around the mouth."""
    sigma = torch.full((32, 32), 0.1)
    sigma[6:28, 4:28] = 0.1 / 3**0.5
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
) -> dict[str, float]:
    """Returns the numbers of one row, for one seed."""
    faces, truth = new
    z = torch.cat([model.posterior(part).mean for part in x.split(500)])
    q = model.posterior(faces)
    reader, shown = directions.Reader().fit(z, a), model.likelihood(q.mean).mean
    asked = change_asked(truth)
    before = judge(shown)

    def score(codes: list[Tensor]) -> dict[str, float]:
        return effects(before, [judge(model.likelihood(z).mean) for z in codes], asked)

    straight, curved = (
        score(edited)
        for edited in (straight_edits(z, a, reader, q.mean, asked), curved_edits(z, a, reader, q.mean, asked))
    )
    return {
        "squared error": float((shown - faces).square().sum(dim=(1, 2, 3)).mean()),
        "KL": float(kl_divergence(q, model.prior()).mean()),
        "R² smile": float(directions.r_squared(reader(q.mean), truth)[SMILE]),
        **{f"straight: {name}": value for name, value in straight.items()},
        **{f"curved: {name}": value for name, value in curved.items()},
    }


def change_asked(truth: Tensor) -> Tensor:
    """Half a range, up where a factor is below ½ and down where it is above, `(F, B)`."""
    return torch.where(truth < 0.5, 0.5, -0.5).T


def straight_edits(
    z: Tensor, a: Tensor, reader: directions.Reader, codes: Tensor, asked: Tensor
) -> list[Tensor]:
    """Along directions by regression, without what a linear reader sees of the other factors."""
    W, D = reader.weights_, directions.regression(z, a)
    alone = [directions.orthogonalize(D[f], W[torch.arange(len(W)) != f]) for f in range(len(W))]
    return [codes + asked[f][:, None] * d / (W[f] @ d) for f, d in enumerate(alone)]


def curved_edits(
    z: Tensor, a: Tensor, reader: directions.Reader, codes: Tensor, asked: Tensor
) -> list[Tensor]:
    """As the mean code changes with the factor, from the factors that are read from a code."""
    mean, read = directions.QuadraticMean().fit(z, a), reader(codes).clamp(0, 1)
    return [mean.edit(codes, read, f, asked[f]) for f in range(len(asked))]


def effects(before: Tensor, after: list[Tensor], asked: Tensor) -> dict[str, float]:
    """What the judge saw."""
    found = directions.edit_effects(before, torch.stack(after), asked, least=0.25)
    good = (found.hit >= 0.95) & (found.stray < 0.15)
    return {
        "least hit": float(found.hit.min()),
        "largest stray": float(found.stray.max()),
        GOOD: float(good.sum()),
    }


@torch.no_grad()
def judges_own(judge: nn.Module, new: tuple[Tensor, Tensor]) -> dict[str, float]:
    """What the judge sees where the truth is edited, and drawn."""
    faces, truth = new
    asked, after = change_asked(truth), []
    for f in range(len(NAMES)):
        edited = truth.clone()
        edited[:, f] += asked[f]
        after.append(judge(data.draw_faces(edited)))
    return {f"{TRUTH}: {name}": value for name, value in effects(judge(faces), after, asked).items()}


def summary(runs: list[dict[str, float]], name: str) -> str:
    """Mean ± standard error over seeds, where there is such a number."""
    return mean_and_error([run[name] for run in runs]) if name in runs[0] else ""


def report(values: dict[str, list[dict[str, float]]], options: dict[str, Any]) -> None:
    """Keeps the table."""
    shared, scored = ["squared error", "KL", "R² smile", "CPU s"], ["least hit", "largest stray", GOOD]
    rows = [
        [name, kind, *(summary(runs, column) for column in [*shared, *(f"{kind}: {c}" for c in scored)])]
        for name, runs in values.items()
        for kind in KINDS
        if f"{kind}: {GOOD}" in runs[0]
    ]
    text = (
        f"# Edits of new faces, scored against the truth\n\n{options['seeds']} seeds, {options['faces']} faces, "
        f"{options['epochs']} epochs, {options['channels']} channels; mean ± standard error. KL in nats.\n\n"
        f"{table(['σ', 'edits', *shared, *scored], rows)}"
    )
    keep(f"faces_{options['epochs']}", text, {"options": options, "values": values})


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
    values: dict[str, list[dict[str, float]]] = {name: [] for name in [*chosen, DRAWN]}
    for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
        x, a = data.faces(options.faces, generator=seeded(seed))
        new = data.faces(1000, generator=seeded(1000 + seed))
        torch.manual_seed(seed)
        judge = make_judge(x, a, seed)
        values[DRAWN].append(judges_own(judge, new))
        for name in chosen:
            torch.manual_seed(seed)
            model = vae.fully_conv_vae((3, 32, 32), num_channels=options.channels, scale=scales[name])
            start = time.process_time()
            train(model, x, options.epochs, seed)
            seconds = time.process_time() - start
            values[name].append({**measure(model, judge, x, a, new), "CPU s": seconds})
            print(seed, name, values[name][-1], flush=True)
    report(values, vars(options))


if __name__ == "__main__":
    main()
