"""Reading SMILES: from a string to atoms and bonds, by the rules of the notation alone."""

import re

from vaeedu.sequences.molecule import SYMBOLS, Atom, Bond, Molecule

_BRACKET = re.compile(
    r"\[(?P<isotope>\d+)?(?P<symbol>[A-Z][a-z]?|as|se|te|si|[bcnops])(?P<chiral>@@?)?"
    r"(?P<hydrogens>H\d?)?(?P<charge>\+\d+|-\d+|\++|-+)?(?::\d+)?\]"
)
_TOKEN = re.compile(r"\[[^\]]*\]|Br|Cl|%\d\d|.", re.DOTALL)
_ORGANIC = {"B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I", "b", "c", "n", "o", "p", "s"}
_ORDERS = {"-": 1.0, "=": 2.0, "#": 3.0, "$": 4.0, ":": 1.5}

_SIDES = {"/", "\\"}  # which side of a double bond an atom lies on; else a bond like one that is not written


class InvalidSmiles(ValueError):  # noqa: N818 (what it says, not that it is an error)
    """A string that is no molecule; the message says which rule it breaks."""


def split(smiles: str) -> list[str]:
    """Cuts a SMILES string into tokens: `Cl`, `Br`, what is in brackets, and `%12` are one each.

    >>> split("Clc1cc[nH]c1")
    ['Cl', 'c', '1', 'c', 'c', '[nH]', 'c', '1']
    """
    return _TOKEN.findall(smiles)


def read(smiles: str) -> Molecule:
    """Reads atoms and bonds; whether the atoms can have these bonds is not asked.

    Raises:
        InvalidSmiles: The string breaks a rule of the notation.
    """
    return _Reader(smiles).molecule


class _Reader:
    """Goes through the tokens once, and remembers where it is: the last atom, open branches and open rings."""

    def __init__(self, smiles: str) -> None:
        self.molecule = Molecule()
        self.last: int | None = None
        self.bond: str | None = None  # a bond symbol that still waits for its atom
        self.branches: list[int] = []
        self.rings: dict[int, tuple[int, str | None]] = {}
        self.bound: dict[tuple[int, int], bool] = {}
        self.before, self.previous = "", ""  # the two tokens that came last
        for token in split(smiles):
            self._take(token)
            self.before, self.previous = self.previous, token
        self._finish(smiles)

    def _take(self, token: str) -> None:
        if token in _ORGANIC:
            self._atom(Atom(token.capitalize(), aromatic=token.islower()))
        elif token[0] == "[":
            self._atom(_bracket_atom(token))
        elif token.isdigit() or token[0] == "%":
            self._ring(token)
        elif token in _ORDERS or token in _SIDES:
            if self.last is None or self.bond is not None:
                raise InvalidSmiles(f"the bond {token!r} must follow an atom, and be the only one there")
            self.bond = token
        elif token == "(":
            if self.last is None or self.bond is not None or self.previous == "(":
                raise InvalidSmiles("a branch must begin after an atom")
            self.branches.append(self.last)
        elif token == ")":
            if not self.branches or self.bond is not None or self.previous == "(":
                raise InvalidSmiles("a closing parenthesis must end a branch that has atoms")
            self.last = self.branches.pop()
        elif token == ".":
            if self.last is None or self.bond is not None:
                raise InvalidSmiles("a dot must stand between two molecules")
            self.last = None
        else:
            raise InvalidSmiles(f"{token!r} is no token of SMILES")

    def _atom(self, atom: Atom) -> None:
        self.molecule.atoms.append(atom)
        here = len(self.molecule.atoms) - 1
        if self.last is not None:
            self._connect(self.last, here, self.bond)
        self.last, self.bond = here, None

    def _ring(self, token: str) -> None:
        digits = token.lstrip("%")
        if not digits.isascii() or not digits.isdigit() or (token[0] == "%" and len(token) != 3):
            raise InvalidSmiles(f"{token!r} is no ring number")
        if self.last is None or self.previous == "(" or (self.bond is not None and self.before == "("):
            raise InvalidSmiles("the number of a ring must follow an atom")
        number = int(digits)
        if number not in self.rings:
            self.rings[number] = (self.last, self.bond)
        else:
            start, bond = self.rings.pop(number)
            if bond in _ORDERS and self.bond in _ORDERS and bond != self.bond:
                raise InvalidSmiles(
                    f"ring {number} is opened with the bond {bond} and closed with {self.bond}"
                )
            self._connect(start, self.last, bond if bond in _ORDERS else self.bond)
        self.bond = None

    def _connect(self, start: int, end: int, bond: str | None) -> None:
        if start == end or (min(start, end), max(start, end)) in self.bound:
            raise InvalidSmiles("two atoms can be bound once, and no atom to itself")
        self.bound[min(start, end), max(start, end)] = True
        a, b = self.molecule.atoms[start], self.molecule.atoms[end]
        order = _ORDERS.get(bond or "", 1.5 if a.aromatic and b.aromatic else 1.0)
        self.molecule.bonds.append(Bond(start, end, order))

    def _finish(self, smiles: str) -> None:
        if not self.molecule.atoms or self.last is None:
            raise InvalidSmiles(f"a molecule must begin and end with an atom, but the string is {smiles!r}")
        if self.bond is not None:
            raise InvalidSmiles(f"the bond {self.bond!r} at the end leads nowhere")
        if self.branches:
            raise InvalidSmiles(f"{len(self.branches)} branches are not closed")
        if self.rings:
            raise InvalidSmiles(f"the rings {sorted(self.rings)} are not closed")


def _bracket_atom(token: str) -> Atom:
    match = _BRACKET.fullmatch(token)
    if match is None or match["symbol"].capitalize() not in SYMBOLS:
        raise InvalidSmiles(f"{token!r} is no atom in brackets")
    hydrogens, charge = match["hydrogens"] or "", match["charge"] or ""
    sign = -1 if charge.startswith("-") else 1
    amount = int(charge[1:]) if charge[1:].isdigit() else len(charge)
    return Atom(
        match["symbol"].capitalize(),
        aromatic=match["symbol"].islower(),
        charge=sign * amount,
        hydrogens=int(hydrogens[1:] or 1) if hydrogens else 0,
        bracket=True,
    )
