"""A VAE of molecules' strings: validity with uniqueness, novelty and KL, and exact reconstruction, while it trains.

    python benchmarks/molecules.py --minutes 60                      SMILES; ZINC where it is at hand, else the grammar
    python benchmarks/molecules.py --minutes 60 --notation selfies   the same molecules in SELFIES
    python benchmarks/molecules.py --minutes 60 --spellings 0        without other spellings of the same molecules

`minutes` are of one processor, or of the clock on a GPU; 120 are an hour of two cores. The name of a result has them:
a run that is shorter is a short run, and no claim about a long one. It needs the extra chemistry (RDKit and selfies).

A molecule has many SMILES. With 18 000 strings a decoder of this size soon knows them by heart, so training sees
`spellings` more of each molecule, written from another atom on. β begins small, so that the code is used before it
costs, and rises when the decoder can read it, so that codes come to lie as the prior has them. Settings were tried on
the molecules held out as `valid`, and the curve is of these; the table is of those held out as `test`.

Every string of SELFIES' tokens is read as a molecule, but for those that leave nothing: an empty one counts as invalid.
"""

import argparse
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from common import RESULTS, Budget, keep, like_length, table
from matplotlib.figure import Figure
from torch import Tensor, nn

from vaeedu import data, plotting, sequences
from vaeedu.sampling import seeded
from vaeedu.training import default_device, devices

TEMPERATURES = (0.0, 0.5, 1.0)
FIRST_BETA = 0.04
RISE = (0.4, 0.8)  # β rises between these shares of the time
RATE = 3e-3


class Strings(NamedTuple):
    """Molecules in one notation: those to train on, with other spellings, and those held out."""

    source: str
    seen: list[str]
    spelled: list[str]
    valid: list[str]
    test: list[str]


def molecules(notation: str, spellings: int) -> Strings:
    """Loads ZINC's molecules, or the grammar's, and writes them in the notation."""
    if data.zinc_at_hand():
        source, (seen, valid, test) = "ZINC", (data.zinc(name) for name in ("train", "valid", "test"))
    else:
        every = list(dict.fromkeys(data.molecules(20_000, generator=seeded(0))))
        source, seen, valid, test = "the grammar", every[:-1000], every[-1000:-500], every[-500:]
    spelled = [*seen, *other_spellings(seen, spellings)]
    if notation == "selfies":
        import selfies

        seen, spelled, valid, test = (
            [selfies.encoder(s) for s in group] for group in (seen, spelled, valid, test)
        )
    return Strings(source, seen, spelled, valid, test)


def other_spellings(strings: Sequence[str], count: int) -> list[str]:
    """Writes each molecule `count` times, from an atom and in an order drawn at random."""
    if not count:
        return []
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    chance, found = random.Random(0), []
    for string in strings:
        molecule = Chem.MolFromSmiles(string)
        found += Chem.MolToRandomSmilesVect(molecule, count, randomSeed=chance.randrange(2**31))
    return found


def smiles(strings: Sequence[str], notation: str) -> list[str]:
    """Returns what the strings are in SMILES."""
    if notation == "smiles":
        return list(strings)
    import selfies

    return [selfies.decoder(s) for s in strings]


def properties(strings: Sequence[str]) -> dict[str, float]:
    """What chemists would look at first: rings of unusual size, and drug-likeness (QED, in [0, 1])."""
    from rdkit import Chem
    from rdkit.Chem import QED

    found = [m for m in map(Chem.MolFromSmiles, strings) if m is not None and m.GetNumAtoms()]
    odd = [any(len(ring) not in (5, 6) for ring in m.GetRingInfo().AtomRings()) for m in found]
    return {
        "odd rings": sum(odd) / max(1, len(found)),
        "QED": sum(map(QED.qed, found)) / max(1, len(found)),
        "atoms": sum(m.GetNumHeavyAtoms() for m in found) / max(1, len(found)),
    }


class Run:
    """One training, and what is measured on the way."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.device = options, default_device()
        self.strings = molecules(options.notation, options.spellings)
        everything = [*self.strings.spelled, *self.strings.valid, *self.strings.test]
        self.tokenizer = sequences.Tokenizer(everything)
        self.longest = max(len(sequences.split(s)) for s in everything) + 1
        torch.manual_seed(options.seed)
        self.model = sequences.StringVAE(
            len(self.tokenizer),
            options.latents,
            num_hidden=options.hidden,
            num_encoder_hidden=options.hidden // 2,
        ).to(self.device)
        self.generator = seeded(options.seed, device=self.device)
        self.known = sequences.identities(smiles(self.strings.seen, options.notation))

    def encode(self, strings: list[str]) -> Tensor:
        """Returns rows of tokens."""
        return self.tokenizer.encode(strings, num_steps=self.longest)

    def beta(self, progress: float) -> float:
        """β after this share of the time: small at first, then up to its last value."""
        begin, end = RISE
        rise = min(1.0, max(0.0, (progress - begin) / (end - begin)))
        return FIRST_BETA * min(1.0, 8 * progress) + (self.options.beta - FIRST_BETA) * rise

    def train(self) -> tuple[list[dict[str, Any]], int]:
        """Trains for so long, in batches of strings of like length; returns the curve and the steps."""
        x = self.encode(self.strings.spelled)
        lengths, order = (x != 0).sum(dim=1), seeded(self.options.seed)
        optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE, fused=True)
        precision = "bfloat16" if devices.has_bfloat16(self.device) else "float32"
        autocast = devices.autocast(precision, self.device)
        curve: list[dict[str, Any]] = []
        budget, steps = Budget(self.options.minutes, self.device.type), 0
        for batch in like_length(lengths, order):
            progress = budget.progress
            if progress >= 1:
                break
            if budget.spent >= 2 ** len(curve):
                with budget.pause():
                    curve.append({"minutes": budget.spent, **self.measure(self.strings.valid, 500)})
                    print(curve[-1], flush=True)
            for group in optimizer.param_groups:
                group["lr"] = RATE * max(0.02, min(1.0, 1.25 * (1 - progress)))
            optimizer.zero_grad()
            with autocast():
                bound = self.model.elbo(
                    x[batch].to(self.device), beta=self.beta(progress), generator=self.generator
                )
            (-bound.mean() / 16).backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
            steps += 1
        return curve, steps

    @torch.no_grad()
    def measure(self, held_out: list[str], count: int) -> dict[str, Any]:
        """KL and exact reconstruction of held-out strings, and what draws from the prior are worth."""
        held_out, model = held_out[:count], self.model
        x = self.encode(held_out).to(self.device)
        q = model.posterior(x)
        again = self.tokenizer.decode(model.reconstruct(x))
        found: dict[str, Any] = {
            "KL": float(model.kl(x).mean()),
            "reconstruction": -float(model.log_likelihood(x, q.mean).mean()),
            "exact": sum(a == b for a, b in zip(again, held_out, strict=True)) / len(held_out),
        }
        for temperature in TEMPERATURES:
            drawn = self.draw(count, temperature)
            found[f"T = {temperature:g}"] = sequences.quality(drawn, self.known)._asdict()
        return found

    def draw(self, count: int, temperature: float) -> list[str]:
        """Draws strings from the prior, and returns them as SMILES."""
        rows = self.model.sample(
            count,
            temperature=temperature,
            num_steps=self.longest + 20,
            generator=seeded(1, device=self.device),
        )
        return smiles(self.tokenizer.decode(rows), self.options.notation)


def draw_curve(curve: Sequence[dict[str, Any]]) -> Figure:
    """KL on the left, shares on the right, against minutes; where β rises is shaded."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    minutes = [point["minutes"] for point in curve]
    left.semilogx(minutes, [p["KL"] for p in curve], "o-", color=plotting.BLUE, label="KL")
    left.semilogx(
        minutes,
        [p["reconstruction"] for p in curve],
        "s-",
        color=plotting.ORANGE,
        label="−log p(x|z), at q's mean",
    )
    left.set(xlabel="minutes of one processor", ylabel="nats a string, held out")
    lines = {
        "exact reconstruction": ([p["exact"] for p in curve], "s-", plotting.ORANGE),
        **{
            f"validity, temperature {t:g}": (
                [p[f"T = {t:g}"]["validity"] for p in curve],
                style,
                plotting.BLUE,
            )
            for t, style in zip(TEMPERATURES, ("o-", "^--", "v:"), strict=True)
        },
    }
    for name, (values, style, color) in lines.items():
        right.semilogx(minutes, [100 * v for v in values], style, color=color, label=name)
    right.set(xlabel="minutes of one processor", ylabel="%", ylim=(0, 104))
    for axes in (left, right):
        axes.axvspan(*(share * minutes[-1] for share in RISE), color="0.92", label="β rises")
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
    left.legend(loc="best")
    right.legend(loc="upper left", fontsize=7)
    return figure


def report(run: Run, curve: list[dict[str, Any]], steps: int) -> None:
    """Keeps the table of the test strings, and the curve."""
    options, final = run.options, run.measure(run.strings.test, 1000)
    rows, chemistry = [], {}
    for temperature in TEMPERATURES:
        shares = [f"{100 * share:.1f} %" for share in final[f"T = {temperature:g}"].values()]
        drawn = [s for s in run.draw(1000, temperature) if sequences.is_valid(s)]
        rows.append(
            (f"drawn at temperature {temperature:g}", *shares, *_chemistry(drawn, chemistry, temperature))
        )
    rows.append(
        (
            "training set",
            "",
            "",
            "",
            *_chemistry(smiles(run.strings.seen[:1000], options.notation), chemistry, "data"),
        )
    )
    curve.append({"minutes": options.minutes, **run.measure(run.strings.valid, 500)})
    text = (
        f"# A VAE of {run.strings.source}'s molecules in {options.notation.upper()}, {options.minutes:g} minutes\n\n"
        f"{steps} steps of 100 strings; {options.spellings} more spellings of each molecule; β from {FIRST_BETA:g} to "
        f"{options.beta:g}. KL {final['KL']:.1f} nats a string; **{100 * final['exact']:.1f} %** of held-out strings "
        f"are reconstructed exactly.\n\n"
        + table(
            ("strings", "validity", "uniqueness", "novelty", "with rings of other than 5 or 6", "QED"), rows
        )
    )
    source = "zinc" if data.zinc_at_hand() else "grammar"
    name = f"molecules_{source}_{options.notation}_{options.minutes:g}min"
    keep(name, text, {"curve": curve, "test": final, "steps": steps, "properties": chemistry})
    (RESULTS / f"{name}.png").write_bytes(plotting.png(draw_curve(curve)))


def _chemistry(strings: list[str], kept: dict[str, Any], name: object) -> tuple[str, str]:
    kept[str(name)] = found = properties(strings)
    return f"{100 * found['odd rings']:.1f} %", f"{found['QED']:.2f}"


def main() -> None:
    """Trains, measures, and keeps what was found."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--notation", choices=("smiles", "selfies"), default="smiles")
    parser.add_argument("--beta", type=float, default=0.35, help="the KL term's last weight")
    parser.add_argument("--spellings", type=int, default=10, help="more ways to write each molecule")
    parser.add_argument(
        "--hidden", type=int, default=320, help="units of the decoder, twice those of the encoder"
    )
    parser.add_argument("--latents", type=int, default=56)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    run = Run(options)
    report(run, *run.train())


if __name__ == "__main__":
    main()
