"""What generated strings are worth: how many are molecules, how many of these differ, how many are new."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from vaeedu.sequences.smiles import InvalidSmiles
from vaeedu.sequences.valence import parse


class Quality(NamedTuple):
    """Shares in [0, 1]; none of them says much without the others.

    Attributes:
        validity: Strings that are molecules, of all.
        uniqueness: Different molecules, of the valid strings; 0 where none is valid.
        novelty: Those that are not among the known ones, of the different molecules; 0 where there is none.
    """

    validity: float
    uniqueness: float
    novelty: float


def quality(strings: Sequence[str], known: Collection[str] = ()) -> Quality:
    """Measures generated strings.

    Args:
        strings: What was generated, invalid ones and repetitions included.
        known: `identities` of the training set's strings.

    Raises:
        ValueError: There is no string.

    Reference:
        Polykovskiy et al. (2020), Molecular sets (MOSES), section on metrics.

    >>> quality(["CCO", "OCC", "CC(", "CCN"], known=identities(["CCN"]))
    Quality(validity=0.75, uniqueness=0.6666666666666666, novelty=0.5)
    """
    if not strings:
        raise ValueError("strings must hold at least one string, but is empty")
    valid = [found for found in map(_identity, strings) if found is not None]
    different = set(valid)
    return Quality(
        len(valid) / len(strings),
        len(different) / len(valid) if valid else 0.0,
        len(different - set(known)) / len(different) if different else 0.0,
    )


def identities(strings: Sequence[str]) -> set[str]:
    """Returns texts by which the valid ones among strings are known again: see `Molecule.identity`."""
    return {found for found in map(_identity, strings) if found is not None}


def _identity(string: str) -> str | None:
    try:
        return parse(string).identity()
    except InvalidSmiles:
        return None
