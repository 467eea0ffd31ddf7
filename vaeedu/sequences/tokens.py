"""Strings as rows of whole numbers."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Int64
from torch import Tensor

from vaeedu import require
from vaeedu.sequences.smiles import split


class Tokenizer:
    """Turns SMILES strings into tokens, and tokens into numbers; 0 is the end, and fills what is left of a row.

    `Cl`, `Br` and what stands in brackets are one token each: to split `Cl` would make a carbon of it.

    Args:
        strings: Every token that occurs in them gets a number, in alphabetical order from 1 on.

    Raises:
        ValueError: There is no string.

    >>> tokenizer = Tokenizer(["CCO", "CCl", "c1cc[nH]c1"])
    >>> tokenizer.tokens
    ('', '1', 'C', 'Cl', 'O', '[nH]', 'c')
    >>> tokenizer.encode(["CCO", "CCl"])
    tensor([[2, 2, 4, 0],
            [2, 3, 0, 0]])
    >>> tokenizer.decode(tokenizer.encode(["CCO", "CCl"]))
    ['CCO', 'CCl']
    >>> len(split("CC(C)CC1=CC=C(C=C1)C(C)C(=O)O"))  # ibuprofen
    29
    """

    def __init__(self, strings: Iterable[str]) -> None:
        found = {token for string in strings for token in split(string)}
        if not found:
            raise ValueError("strings must hold at least one string that is not empty, but there is none")
        self.tokens = ("", *sorted(found))
        self.index = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, strings: Sequence[str], *, num_steps: int | None = None) -> Int64[Tensor, "N T"]:
        """Turns strings into rows that end with at least one 0, `(N, T)`.

        Args:
            strings: N of them.
            num_steps: T, more than the longest has tokens; None is one more.

        Raises:
            ValueError: There is no string, one has a token that has no number, or `num_steps` is too small.
        """
        if not strings:
            raise ValueError("strings must hold at least one string, but is empty")
        rows = [split(string) for string in strings]
        unknown = sorted({token for row in rows for token in row} - self.index.keys())
        if unknown:
            raise ValueError(
                f"strings must hold known tokens, but hold {unknown}: make the Tokenizer of all strings"
            )
        longest = max(map(len, rows))
        T = longest + 1 if num_steps is None else require.positive_int("num_steps", num_steps)
        if longest >= T:
            raise ValueError(
                f"num_steps must be more than the longest string's {longest} tokens, but is {num_steps}"
            )
        return torch.tensor([[self.index[t] for t in row] + [0] * (T - len(row)) for row in rows])

    def decode(self, rows: Int64[Tensor, "N T"]) -> list[str]:
        """Turns rows into strings, each up to its first 0: the inverse of `encode`."""
        strings = []
        for row in rows.tolist():
            end = row.index(0) if 0 in row else len(row)
            strings.append("".join(self.tokens[i] for i in row[:end]))
        return strings
