"""Sequences: the checker of SMILES against RDKit, and sketches in nats a point.

    python benchmarks/sequences.py checker                      the rules against RDKit; needs the extra chemistry
    python benchmarks/sequences.py sketches --minutes 5         Hershey's glyphs: a decoder without a code, and VAEs
    python benchmarks/sequences.py sketches --name aaron_sheep --minutes 60      a file in $VAEEDU_DATA/sketch

`minutes` are of one processor, or of the clock on a GPU, for each of the three models. The name of a result has them: a
run that is shorter than 60 is a short run, and no claim about a long one. Molecules are in `molecules.py`.
"""

import argparse
import random
from collections.abc import Callable, Iterator

import torch
from common import Budget, keep, like_length, table
from torch import Tensor, nn

from vaeedu import data, sequences
from vaeedu.sampling import seeded
from vaeedu.training import default_device


def checker(options: argparse.Namespace) -> None:
    """How often the rules and RDKit agree, on valid and on corrupted strings."""
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    count = options.strings
    given = data.zinc()[:count] if data.zinc_at_hand() else data.molecules(count, generator=seeded(0))
    rows, numbers = [], {}
    for name, strings in (
        ("valid", given),
        ("corrupted", list(corrupted(given, random.Random(options.seed)))),
    ):
        theirs = [bool(s) and Chem.MolFromSmiles(s) is not None for s in strings]
        different = [s for s, t in zip(strings, theirs, strict=True) if sequences.is_valid(s) != t]
        numbers[name] = {
            "strings": len(strings),
            "valid for RDKit": sum(theirs),
            "judged differently": different,
        }
        rows.append((name, len(strings), sum(theirs), f"{100 * (1 - len(different) / len(strings)):.2f} %"))
    source = "ZINC" if data.zinc_at_hand() else "the grammar"
    text = f"# The checker against RDKit\n\nStrings of {source}.\n\n"
    keep(
        "sequences_checker",
        text + table(("strings", "number", "valid for RDKit", "agreement"), rows),
        numbers,
    )


def corrupted(strings: list[str], chance: random.Random) -> Iterator[str]:
    """Each string with one to three mistakes, of characters or tokens: left out, put in, another, swapped, cut off."""
    tokens = sorted({token for s in strings for token in sequences.split(s)})
    characters = sorted({c for s in strings for c in s})
    for string in strings:
        by_character = chance.random() < 0.5
        parts = list(string) if by_character else sequences.split(string)
        alphabet = characters if by_character else tokens
        for _ in range(chance.choice([1, 1, 2, 3])):
            if not parts:
                break
            i, j = chance.randrange(len(parts)), chance.randrange(len(parts))
            match chance.randrange(5):
                case 0:
                    del parts[i]
                case 1:
                    parts.insert(i, chance.choice(alphabet))
                case 2:
                    parts[i] = chance.choice(alphabet)
                case 3:
                    parts[i], parts[j] = parts[j], parts[i]
                case _:
                    parts = parts[:i]
        yield "".join(parts)


def train(
    model: nn.Module,
    x: Tensor,
    lengths: Tensor,
    bound: Callable[[Tensor, float], Tensor],
    *,
    minutes: float,
    learning_rate: float,
    generator: torch.Generator,
) -> int:
    """Trains for so long, batches of sequences of like length; `bound(batch, progress)` is maximised. Returns steps."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    budget, steps = Budget(minutes, x.device.type), 0
    for batch in like_length(lengths, generator):
        progress = budget.progress
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * max(0.02, 1 - progress)
        optimizer.zero_grad()
        (-bound(x[batch.to(x.device)], progress).mean() / 16).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        steps += 1
    return steps


def sketches(options: argparse.Namespace) -> None:
    """Nats a point of held-out sketches: VAEs with and without free bits, beside a decoder without a code."""
    device = default_device()
    load = data.glyphs if options.name == "glyphs" else lambda split: data.sketches(options.name, split)
    train_set, test_set = load("train"), load("test")
    drawn_anew = [s for i in range(4) for s in data.jitter(train_set, generator=seeded(i))]
    longest = max(map(len, [*train_set, *test_set])) + 1
    x, x_test = (sequences.to_stroke5(s, num_steps=longest).to(device) for s in (drawn_anew, test_set))
    lengths, points = sequences.num_points(x).cpu(), int(sequences.num_points(x_test).sum())
    rows, numbers = [], {}
    for name, K, free_nats in (
        ("no code", 0, 0.0), ("VAE", 32, 0.0), (f"VAE, {options.free_nats:g} free nats", 32, options.free_nats),
    ):  # fmt: skip
        torch.manual_seed(options.seed)
        model = sequences.SketchVAE(K, num_hidden=options.hidden, num_components=10).to(device)
        noise = seeded(options.seed, device=device)

        def bound(
            batch: Tensor,
            progress: float,
            model: sequences.SketchVAE = model,
            free_nats: float = free_nats,
            noise: torch.Generator = noise,
        ) -> Tensor:
            return model.elbo(batch, beta=min(1.0, 2 * progress), free_nats=free_nats, generator=noise)

        order = seeded(options.seed)
        steps = train(model, x, lengths, bound, minutes=options.minutes, learning_rate=3e-3, generator=order)
        found = held_out(model, x_test, points)
        numbers[name] = {**found, "steps": steps}
        rows.append((name, *(f"{value:.3f}" for value in found.values()), steps))
        print(*rows[-1], flush=True)
    text = (
        f"# Sketches: {options.name}, {options.minutes:g} minutes a model\n\n{len(test_set)} held-out sketches, "
        f"{points / len(test_set):.0f} points each; −ELBO at β = 1, of ten draws. Nats a point may be below 0: a "
        "density may be above 1. The last but one column is what a point costs where each sketch has the code of the "
        "next.\n\n"
    )
    header = ("model", "nats a point", "KL, nats a sketch", "nats a point, another's code", "steps")
    keep(f"sequences_{options.name}_{options.minutes:g}min", text + table(header, rows), numbers)


@torch.no_grad()
def held_out(model: sequences.SketchVAE, x: Tensor, points: int) -> dict[str, float]:
    """Nats a point, KL, and what a point costs with its own code's place taken by that of the next sketch."""
    if not model.num_latents:
        nats = -float(model.elbo(x).sum()) / points
        return {"nats a point": nats, "KL": 0.0, "another's code": nats}
    noise = seeded(1, device=x.device)
    nats = -sum(float(model.elbo(x, generator=noise).sum()) for _ in range(10)) / 10 / points
    kl = float(model.kl(x).mean())
    others = model.log_likelihood(x, model.posterior(x).mean.roll(1, 0))
    wrong = (kl * len(x) - float(others.sum())) / points
    return {"nats a point": nats, "KL": kl, "another's code": wrong}


RUNS = {"checker": checker, "sketches": sketches}


def main() -> None:
    """Runs what is asked for, and keeps the table."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=RUNS)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--name", default="glyphs", help="glyphs, or a file in $VAEEDU_DATA/sketch")
    parser.add_argument("--free-nats", type=float, default=8.0, help="of the third model's KL term")
    parser.add_argument("--hidden", type=int, default=256, help="units of the decoder")
    parser.add_argument("--strings", type=int, default=10000, help="how many the checker is asked about")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    RUNS[options.what](options)


if __name__ == "__main__":
    main()
