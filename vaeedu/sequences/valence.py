"""Whether atoms can have the bonds that a string gives them: valences, rings and aromatic systems."""

from vaeedu.sequences.molecule import SYMBOLS, Atom, Bond, Molecule
from vaeedu.sequences.smiles import InvalidSmiles, read

# How many bonds a neutral atom can have; elements that are not here are not judged.
VALENCES = {
    "H": (1,), "He": (0,), "Be": (2,), "B": (3,), "C": (4,), "N": (3,), "O": (2,), "F": (1,), "Ne": (0,), "Si": (4,),
    "P": (3, 5), "S": (2, 4, 6), "Cl": (1,), "Ar": (0,), "Ge": (4,), "As": (3, 5), "Se": (2, 4, 6), "Br": (1,),
    "Kr": (0,), "Sn": (2, 4), "Sb": (3, 5), "Te": (2, 4, 6), "I": (1, 3, 5), "Xe": (0, 2, 4, 6),
}  # fmt: skip

_SURPLUS = 1.5


def parse(smiles: str) -> Molecule:
    """Reads a SMILES string, and makes sure that it is a molecule.

    The rules: brackets, branches and rings are closed; no atom has more bonds than its valence, where a charged atom
    has that of the neutral atom with as many electrons; atoms in lower case lie in rings, in which single and double
    bonds can alternate so that each atom that needs a double bond has one.

    Args:
        smiles: The string.

    Returns:
        Its atoms, with the hydrogens that are not written, and its bonds.

    Raises:
        InvalidSmiles: (a ValueError) It breaks a rule; the message says which.

    Reference:
        Weininger (1988), SMILES, a chemical language and information system.

    >>> parse("CC(=O)O").atoms[0].hydrogens
    3
    >>> parse("C(C)(C)(C)(C)C")
    Traceback (most recent call last):
    ...
    vaeedu.sequences.smiles.InvalidSmiles: atom 1, C, has 5 bonds, but can have at most 4
    """
    molecule = read(smiles)
    in_ring = _ring_bonds(molecule)
    for bond, ring in zip(molecule.bonds, in_ring, strict=True):
        a, b = molecule.atoms[bond.start], molecule.atoms[bond.end]
        if bond.order == 1.5 and not ring and a.aromatic and b.aromatic:
            bond.order = 1.0  # between two aromatic rings
    around = molecule.neighbours()
    _separate_charges(molecule, around)
    ringed = {
        i for bond, ring in zip(molecule.bonds, in_ring, strict=True) if ring for i in (bond.start, bond.end)
    }
    needy = set()
    for i, atom in enumerate(molecule.atoms):
        if atom.aromatic and i not in ringed:
            raise InvalidSmiles(
                f"atom {i + 1}, {atom.symbol.lower()}, is written as aromatic but lies in no ring"
            )
        if _fill(i, atom, [bond.order for _, bond in around[i]]):
            needy.add(i)
    partners = {i: [j for j, bond in around[i] if j in needy and bond.order == 1.5] for i in needy}
    if not _pair_up(partners):
        raise InvalidSmiles("single and double bonds cannot alternate around its aromatic rings")
    return molecule


def problem(smiles: str) -> str | None:
    """Returns which rule a SMILES string breaks, or None where it is a molecule: see `parse`.

    >>> problem("c1cccc1")
    'single and double bonds cannot alternate around its aromatic rings'
    """
    try:
        parse(smiles)
    except InvalidSmiles as error:
        return str(error)
    return None


def is_valid(smiles: str) -> bool:
    """Says whether a SMILES string is a molecule: see `parse`.

    >>> is_valid("c1ccccc1"), is_valid("c1ccccc")
    (True, False)
    """
    return problem(smiles) is None


def _valences(atom: Atom) -> tuple[int, ...] | None:
    """Those of the neutral atom with as many electrons; None where nothing is known."""
    if atom.symbol not in VALENCES:
        return None
    number = SYMBOLS.index(atom.symbol) + 1
    electrons = number - atom.charge
    heavy_halide = (number in (15, 16) and electrons > 16) or (number in (33, 34) and electrons > 34)
    if heavy_halide:  # as many electrons as a halogen, but the many bonds of the atom itself
        return tuple(v + atom.charge for v in VALENCES[atom.symbol] if v + atom.charge >= 0)
    if electrons < 0:
        return (0,)
    return VALENCES.get(SYMBOLS[electrons - 1]) if 0 < electrons <= len(SYMBOLS) else None


def _fill(i: int, atom: Atom, orders: list[float]) -> bool:
    """Gives an atom the hydrogens that are not written; says whether it needs a double bond in an aromatic ring."""
    valences = _valences(atom)
    if valences is None:
        return False
    single = sum(1 if order == 1.5 else order for order in orders)  # an aromatic bond is one at least
    total = sum(orders) + atom.hydrogens
    # Counted as 1.5, aromatic bonds are up to 1.5 too many where the atom gives the ring two electrons, as in [nH].
    most = max(valences) + (
        atom.aromatic and 3 in orders
    )  # as RDKit, which is not strict about a triple bond there
    if single + atom.hydrogens > most or total > max(valences) + _SURPLUS:
        raise InvalidSmiles(
            f"atom {i + 1}, {atom.symbol}, has {total:g} bonds, but can have at most {max(valences)}"
        )
    if not atom.aromatic:
        if 1.5 in orders:
            raise InvalidSmiles(f"atom {i + 1}, {atom.symbol}, has an aromatic bond but is not aromatic")
        atom.hydrogens += 0 if atom.bracket else next(v for v in valences if v >= total) - int(total)
        return False
    below = [v for v in valences if v <= total and total - v <= _SURPLUS]
    valence = max(below) if below else next(v for v in valences if v >= total)
    room = valence - atom.hydrogens - int(single)
    if not atom.bracket:
        spare = 1 if 1.5 in orders else 0  # for the double bond
        atom.hydrogens += max(room - spare, 0)
        room = min(room, spare)
    return room >= 1


def _ring_bonds(molecule: Molecule) -> list[bool]:
    """Says of each bond whether it lies in a ring: whether its ends stay connected without it."""
    around = molecule.neighbours()
    entered, lowest = [-1] * len(molecule.atoms), [0] * len(molecule.atoms)
    bridges: set[int] = set()
    for root in range(len(molecule.atoms)):
        if entered[root] >= 0:
            continue
        entered[root] = lowest[root] = sum(e >= 0 for e in entered)
        stack: list[tuple[int, Bond | None, int]] = [(root, None, 0)]
        count = entered[root] + 1
        while stack:
            here, came_by, step = stack.pop()
            if step < len(around[here]):
                stack.append((here, came_by, step + 1))
                there, bond = around[here][step]
                if bond is came_by:
                    continue
                if entered[there] >= 0:
                    lowest[here] = min(lowest[here], entered[there])
                else:
                    entered[there] = lowest[there] = count
                    count += 1
                    stack.append((there, bond, 0))
            elif came_by is not None:
                parent = came_by.start if came_by.end == here else came_by.end
                lowest[parent] = min(lowest[parent], lowest[here])
                if lowest[here] > entered[parent]:
                    bridges.add(id(came_by))
    return [id(bond) not in bridges for bond in molecule.bonds]


def _pair_up(partners: dict[int, list[int]]) -> bool:
    """Says whether all atoms can be paired, each with a partner: tries the one with the least choice first."""
    if not partners:
        return True
    first = min(partners, key=lambda i: len(partners[i]))
    for second in partners[first]:
        rest = {
            i: [j for j in those if j not in (first, second)]
            for i, those in partners.items()
            if i not in (first, second)
        }
        if _pair_up(rest):
            return True
    return False


def _separate_charges(molecule: Molecule, around: list[list[tuple[int, Bond]]]) -> None:
    """Rewrites nitrogen with five bonds, as in N(=O)=O, with charges: a habit of many files, taken as it is meant."""
    for i, atom in enumerate(molecule.atoms):
        if atom.symbol != "N" or atom.charge:
            continue
        total = sum(bond.order for _, bond in around[i]) + atom.hydrogens
        if total != 5:
            continue
        for j, bond in around[i]:
            other = molecule.atoms[j]
            oxygen = other.symbol == "O" and bond.order == 2 and not other.charge
            nitrogen = other.symbol == "N" and bond.order == 3 and not other.charge
            if oxygen or nitrogen:
                bond.order -= 1
                atom.charge, other.charge = 1, -1
                break
