"""What a SMILES string says: atoms and bonds, and what can be counted from them."""

from dataclasses import dataclass, field

import numpy as np

# Symbols in the order of their numbers: hydrogen is 1.
_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og"
)
SYMBOLS = _SYMBOLS.split()
# Grams per mole, of what organic molecules are made of.
WEIGHTS = {
    "H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Si": 28.085, "P": 30.974,
    "S": 32.06, "Cl": 35.45, "Se": 78.971, "Br": 79.904, "I": 126.904,
}  # fmt: skip


@dataclass
class Atom:
    """An atom as it is written.

    Attributes:
        symbol: `"C"`, also where the string has `c`.
        aromatic: Whether it is written in lower case.
        charge: In units of the proton's.
        hydrogens: Those that the string does not show as atoms of their own.
        bracket: Whether it stands in brackets, and therefore says itself how many hydrogens it has.
    """

    symbol: str
    aromatic: bool = False
    charge: int = 0
    hydrogens: int = 0
    bracket: bool = False


@dataclass
class Bond:
    """A bond between atoms `start` and `end`; order 1.5 is an aromatic one."""

    start: int
    end: int
    order: float


@dataclass
class Molecule:
    """Atoms and bonds of a valid SMILES string; `vaeedu.sequences.parse` makes it.

    >>> from vaeedu.sequences import parse
    >>> ibuprofen = parse("CC(C)CC1=CC=C(C=C1)C(C)C(=O)O")
    >>> len(ibuprofen.atoms), round(ibuprofen.weight(), 2)
    (15, 206.28)
    """

    atoms: list[Atom] = field(default_factory=list)
    bonds: list[Bond] = field(default_factory=list)

    def neighbours(self) -> list[list[tuple[int, Bond]]]:
        """Returns, for each atom, the atoms that it is bound to, each with the bond."""
        found: list[list[tuple[int, Bond]]] = [[] for _ in self.atoms]
        for bond in self.bonds:
            found[bond.start].append((bond.end, bond))
            found[bond.end].append((bond.start, bond))
        return found

    def weight(self) -> float:
        """Computes the molar mass in g/mol, hydrogens included.

        Raises:
            ValueError: An atom's mass is not in the table.
        """
        unknown = sorted({a.symbol for a in self.atoms} - WEIGHTS.keys())
        if unknown:
            raise ValueError(
                f"weight knows the masses of {', '.join(WEIGHTS)}, but the molecule has {unknown}"
            )
        return sum(WEIGHTS[a.symbol] + a.hydrogens * WEIGHTS["H"] for a in self.atoms)

    def num_rings(self) -> int:
        """Counts independent rings: bonds − atoms + pieces."""
        return len(self.bonds) - len(self.atoms) + len(set(self._pieces()))

    def identity(self) -> str:
        """Returns a text that is the same however the molecule is written, up to aromatic against alternating bonds.

        Each atom begins with its own description, and in each round takes in those of its neighbours (Weisfeiler and
        Leman's refinement); the text lists what all atoms end with. Equal molecules have equal texts. Molecules that
        differ nearly always have other texts; left and right hands are not told apart.
        """
        around = self.neighbours()
        labels = [f"{a.symbol}{'a' * a.aromatic}{a.charge:+d}H{a.hydrogens}" for a in self.atoms]
        for _ in range(len(self.atoms)):
            texts = [
                (labels[i], *sorted((labels[j], bond.order) for j, bond in around[i]))
                for i in range(len(self.atoms))
            ]
            rank = {text: f"{n}" for n, text in enumerate(sorted(set(texts), key=repr))}
            refined = [f"{rank[text]}" for text in texts]
            if len(set(refined)) == len(set(labels)):
                break
            labels = refined
        atoms = sorted(f"{a.symbol}{'a' * a.aromatic}{a.charge:+d}H{a.hydrogens}" for a in self.atoms)
        pairs = sorted(
            "{}~{}~{}".format(*sorted((labels[b.start], labels[b.end])), b.order) for b in self.bonds
        )
        return ",".join(atoms) + "|" + ",".join(pairs)

    def _pieces(self) -> list[int]:
        """The smallest atom that each atom is connected to."""
        piece = list(range(len(self.atoms)))
        for _ in self.atoms:
            for b in self.bonds:
                piece[b.start] = piece[b.end] = min(piece[b.start], piece[b.end])
        return piece


def layout(molecule: Molecule, *, num_rounds: int = 200) -> np.ndarray:
    r"""Places atoms in the plane so that distances on paper are near those along bonds.

    It lowers $\sum_{i<j} d_{ij}^{-2} (\|x_i - x_j\| - d_{ij})^2$, where $d_{ij}$ counts bonds, by majorisation:
    each round moves all atoms to where their neighbours' wishes balance. Separate pieces are kept a few bonds apart.

    Args:
        molecule: Of A atoms.
        num_rounds: How often all atoms are moved.

    Returns:
        `(A, 2)`, in units of a bond.

    Reference:
        Gansner, Koren and North (2004), Graph drawing by stress majorization.

    >>> from vaeedu.sequences import parse
    >>> places = layout(parse("C1CCCCC1"))
    >>> bool(0.9 < np.linalg.norm(places[0] - places[1]) < 1.2)
    True
    """
    A = len(molecule.atoms)
    d = np.full((A, A), np.inf)
    np.fill_diagonal(d, 0)
    for bond in molecule.bonds:
        d[bond.start, bond.end] = d[bond.end, bond.start] = 1
    for k in range(A):  # Floyd and Warshall
        d = np.minimum(d, d[:, k : k + 1] + d[k : k + 1])
    # Ends of a bent pair of bonds are √3 apart, not 2.
    d = np.where(np.isinf(d), 6.0, np.where(d == 2, 3**0.5, d))
    angle = 2.4 * np.arange(A)  # a spiral, no two atoms in one place
    x = np.sqrt(np.arange(A) + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    weight = np.divide(1, d**2, out=np.zeros_like(d), where=d > 0)
    for _ in range(num_rounds):
        apart = x[:, None] - x[None]
        distance = np.linalg.norm(apart, axis=2) + np.eye(A)
        wished = x[None] + apart * (d / distance)[..., None]
        x = (weight[..., None] * wished).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)[:, None]
    return x
