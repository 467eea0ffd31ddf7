"""Molecules as SMILES strings: a small grammar of one's own, and ZINC where the reader has it."""

import csv
import os
from pathlib import Path

import torch

from vaeedu import require, sampling

# `{}` is a place for a substituent. Each scaffold is a chain of atoms with rings, each group begins with the atom by
# which it is bound; what follows a group in a branch closes it.
_SCAFFOLDS = (
    "c1ccc({})cc1", "c1ccc({})c({})c1", "c1cc({})cc({})c1", "c1ccc({})nc1", "c1cnc({})nc1", "c1cc({})oc1",
    "c1cc({})sc1", "C1CCN({})CC1", "C1CCC({})CC1", "C1COCCN1{}", "C1CC1{}", "c1ccc2c(c1)cc({})[nH]2",
)  # fmt: skip
_ENDS = ("C", "CC", "C(C)C", "O", "OC", "N", "F", "Cl", "Br", "C#N", "C(F)(F)F", "C(=O)O", "C(N)=O", "S(C)(=O)=O",
         "[N+](=O)[O-]")  # fmt: skip
_LINKS = ("C{}", "CC{}", "O{}", "OC{}", "N{}", "C(=O){}", "C(=O)N{}", "NC(=O){}", "S(=O)(=O)N{}", "C(C){}")
# Rings as substituents, with a number that no scaffold uses.
_RINGS = ("c3ccccc3", "c3ccc({})cc3", "c3ccncc3", "c3cccs3", "C3CCCC3", "N3CCOCC3", "N3CCCCC3")
_DEPTH = 3


def molecules(num_strings: int, *, generator: torch.Generator | None = None) -> list[str]:
    """Writes molecules as SMILES strings, by a small grammar: a ring, and on it groups, chains and other rings.

    All are valid by construction. They look like small drugs, and follow no chemistry beyond that: whether one
    can be made, or would last a second, is not asked. Strings may repeat.

    Args:
        num_strings: N.
        generator: The source of randomness; None is torch's global one.

    Returns:
        N strings.

    Raises:
        ValueError: `num_strings` is no positive whole number.

    >>> molecules(2, generator=torch.Generator().manual_seed(0))  # doctest: +SKIP
    ['C1CCN(CC)CC1', 'c1ccc(C(=O)O)nc1']
    """
    N = require.positive_int("num_strings", num_strings)
    writer = _Writer(generator)
    return [writer.fill(writer.choice(_SCAFFOLDS), _DEPTH, ring=True) for _ in range(N)]


def zinc(split: str = "train") -> list[str]:
    """Loads 20 000 molecules of ZINC as SMILES strings, where the reader has them: `$VAEEDU_DATA/smiles/zinc_20k.csv`.

    Args:
        split: `"train"` (18 000 strings), `"valid"` or `"test"` (1 000 each); every twentieth is for one of these.

    Raises:
        ValueError: `split` is unknown, or the file is not there.

    Reference:
        Irwin and Shoichet (2005), ZINC: a free database of commercially available compounds for virtual screening.
    """
    require.choice("split", split, ("train", "valid", "test"))
    path = _zinc_file()
    if path is None or not path.is_file():
        raise ValueError(
            "VAEEDU_DATA must name a folder with smiles/zinc_20k.csv, but the file is not there: put it there, or use "
            "molecules"
        )
    with path.open(encoding="utf-8", newline="") as file:
        strings = [row["smiles"] for row in csv.DictReader(file)]
    held_out = {"valid": (7,), "test": (13,)}
    chosen = held_out.get(split, tuple(set(range(20)) - {7, 13}))
    return [s for i, s in enumerate(strings) if i % 20 in chosen]


def zinc_at_hand() -> bool:
    """Says whether `$VAEEDU_DATA/smiles/zinc_20k.csv` is there.

    >>> isinstance(zinc_at_hand(), bool)
    True
    """
    path = _zinc_file()
    return path is not None and path.is_file()


def _zinc_file() -> Path | None:
    root = os.environ.get("VAEEDU_DATA")
    return Path(root) / "smiles" / "zinc_20k.csv" if root else None


class _Writer:
    """Replaces places by groups, each drawn at random."""

    def __init__(self, generator: torch.Generator | None) -> None:
        self._generator = generator
        self._draws: list[float] = []

    def choice(self, options: tuple[str, ...]) -> str:
        return options[int(self._uniform() * len(options))]

    def fill(self, pattern: str, depth: int, *, ring: bool) -> str:
        """Fills a pattern's places; `ring` says whether a substituent may be a ring."""
        while "{}" in pattern:
            group = self._group(depth, ring=ring)
            ring = ring and "3" not in group  # one ring beside the scaffold: its number is used once
            pattern = pattern.replace("{}", group, 1)
        return pattern

    def _group(self, depth: int, *, ring: bool) -> str:
        u = self._uniform()
        if depth == 0 or u < 0.5:
            return self.choice(_ENDS)
        if ring and u < 0.7:
            return self.fill(self.choice(_RINGS), 0, ring=False)
        return self.fill(self.choice(_LINKS), depth - 1, ring=ring)

    def _uniform(self) -> float:
        if not self._draws:  # many at once: a draw alone costs more than what is done with it
            like = torch.zeros((), dtype=torch.float64)
            self._draws = sampling.uniform((1024,), like=like, generator=self._generator).tolist()
        return self._draws.pop()
