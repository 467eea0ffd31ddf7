"""Sequence VAEs: the checker against RDKit, sketches in nats a point, molecules by validity, uniqueness and novelty.

    python benchmarks/sequences.py checker                      the rules against RDKit; needs the extra chemistry
    python benchmarks/sequences.py sketches --minutes 5         Hershey's glyphs; a VAE, and a decoder without a code
    python benchmarks/sequences.py sketches --name aaron_sheep --minutes 60      a file in $VAEEDU_DATA/sketch
    python benchmarks/sequences.py strings --minutes 60 --beta 0.05     ZINC where it is at hand, else the grammar

`minutes` are CPU minutes of one thread, or of the clock on a GPU. A name of the result says the minutes: a run that is
shorter than 60 is a short run, and no claim about a long one.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator

import torch
from common import keep, table
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
    clock = time.perf_counter if x.is_cuda else time.process_time
    begun, steps = clock(), 0
    while True:
        pool = torch.randperm(len(x), generator=generator)[:2000]
        pool = pool[lengths[pool].argsort()]
        for batch in pool.split(100):
            progress = (clock() - begun) / (60 * minutes)
            if progress >= 1:
                return steps
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * max(0.02, 1 - progress)
            optimizer.zero_grad()
            (-bound(x[batch.to(x.device)], progress).mean() / 16).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            steps += 1


def sketches(options: argparse.Namespace) -> None:
    """Nats a point of held-out sketches: a VAE with free bits and annealing, beside a decoder without a code."""
    device = default_device()
    load = data.glyphs if options.name == "glyphs" else lambda split: data.sketches(options.name, split)
    train_set, test_set = load("train"), load("test")
    drawn_anew = [s for i in range(4) for s in data.jitter(train_set, generator=seeded(i))]
    longest = max(map(len, [*train_set, *test_set])) + 1
    x, x_test = (sequences.to_stroke5(s, num_steps=longest).to(device) for s in (drawn_anew, test_set))
    lengths, points = sequences.num_points(x).cpu(), int(sequences.num_points(x_test).sum())
    rows, numbers = [], {}
    for name, K in (("no code", 0), ("VAE", 32)):
        torch.manual_seed(options.seed)
        model = sequences.SketchVAE(K, num_hidden=options.hidden, num_components=10).to(device)
        g = seeded(options.seed, device=device)

        def bound(
            batch: Tensor, progress: float, model: sequences.SketchVAE = model, g: object = g
        ) -> Tensor:
            return model.elbo(batch, beta=min(1.0, 2 * progress), free_nats=options.free_nats, generator=g)

        steps = train(
            model,
            x,
            lengths,
            bound,
            minutes=options.minutes,
            learning_rate=3e-3,
            generator=seeded(options.seed),
        )
        with torch.no_grad():
            parts = x_test.split(100)
            nats = -sum(float(model.elbo(part, generator=g).sum()) for part in parts) / points
            kl = sum(float(model.kl(part).sum()) for part in parts) / len(x_test) if K else 0.0
        numbers[name] = {"nats a point": nats, "KL": kl, "steps": steps}
        rows.append((name, f"{nats:.3f}", f"{kl:.2f}", steps))
    title = f"# Sketches: {options.name}, {options.minutes:g} minutes a model"
    text = f"{title}\n\nHeld-out sketches; −ELBO at β = 1.\n\n"
    header = ("model", "nats a point", "KL, nats a sketch", "steps")
    keep(f"sequences_{options.name}_{options.minutes:g}min", text + table(header, rows), numbers)


def strings(options: argparse.Namespace) -> None:
    """Validity, uniqueness and novelty of draws from the prior, KL, and exact reconstruction of held-out strings."""
    device, real = default_device(), data.zinc_at_hand()
    every = data.zinc() if real else list(dict.fromkeys(data.molecules(20000, generator=seeded(0))))
    held_out = data.zinc("test") if real else every[-500:]
    seen = every if real else every[:-500]
    tokenizer = sequences.Tokenizer([*seen, *held_out])
    longest = max(len(sequences.split(s)) for s in [*seen, *held_out]) + 1
    x, x_test = (tokenizer.encode(s, num_steps=longest).to(device) for s in (seen, held_out))
    torch.manual_seed(options.seed)
    model = sequences.StringVAE(len(tokenizer), 32, num_hidden=options.hidden).to(device)
    g = seeded(options.seed, device=device)

    def bound(batch: Tensor, progress: float) -> Tensor:
        return model.elbo(batch, beta=options.beta * min(1.0, 2 * progress), generator=g)

    lengths = (x != 0).sum(dim=1).cpu()
    steps = train(
        model, x, lengths, bound, minutes=options.minutes, learning_rate=3e-3, generator=seeded(options.seed)
    )
    known = sequences.identities(seen)
    with torch.no_grad():
        kl = float(model.kl(x_test).mean())
    again = tokenizer.decode(model.reconstruct(x_test))
    exact = sum(a == b for a, b in zip(again, held_out, strict=True)) / len(held_out)
    rows, numbers = [], {"KL": kl, "exact": exact, "steps": steps}
    for temperature in (0.0, 0.5, 1.0):
        drawn = model.sample(1000, temperature=temperature, num_steps=longest + 20, generator=g)
        found = sequences.quality(tokenizer.decode(drawn), known)
        numbers[f"temperature {temperature}"] = found._asdict()
        rows.append((temperature, *(f"{100 * share:.1f} %" for share in found)))
    source = "ZINC" if real else "the grammar"
    text = (
        f"# Strings of {source}: β = {options.beta:g}, {options.minutes:g} minutes\n\n{steps} steps. "
        f"KL {kl:.1f} nats a string; {100 * exact:.1f} % of held-out strings are reconstructed exactly.\n\n"
    )
    name = f"sequences_{'zinc' if real else 'grammar'}_{options.minutes:g}min"
    keep(name, text + table(("temperature", "validity", "uniqueness", "novelty"), rows), numbers)


RUNS = {"checker": checker, "sketches": sketches, "strings": strings}


def main() -> None:
    """Runs what is asked for, and keeps the table."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=RUNS)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--name", default="glyphs", help="glyphs, or a file in $VAEEDU_DATA/sketch")
    parser.add_argument("--beta", type=float, default=0.05, help="of the strings' KL term, after annealing")
    parser.add_argument("--free-nats", type=float, default=8.0, help="of the sketches' KL term")
    parser.add_argument("--hidden", type=int, default=256, help="units of the decoder")
    parser.add_argument("--strings", type=int, default=10000, help="how many the checker is asked about")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    RUNS[options.what](options)


if __name__ == "__main__":
    main()
