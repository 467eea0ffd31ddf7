"""`vaeedu similar`: pairs of submissions whose code is alike once names, layout, comments and docstrings are gone.

Copydetect (B. Lingenfelter) compares fingerprints of the code, as in Schleimer, Wilkerson and Aiken, *Winnowing: local
algorithms for document fingerprinting*, 2003. What was given out is left out, and what many have in common tells
nothing. That two are alike is a reason to look, and no proof.
"""

import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from copydetect import CodeFingerprint, compare_files
from copydetect.utils import get_token_coverage

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.intake.plain import plain

# How many characters in a row are compared. Each of them is looked at, so that the same files give the same numbers.
_LENGTH, _WINDOW = 30, 1
# What this share of a class has in common, and at least so many of it, is how the exercise is solved.
_COMMON, _LEAST_COMMON = 0.2, 4
# Of submissions put together from the 432 right answers of ours, the most alike share 0.38; copies that are renamed and
# written anew share 1.
THRESHOLD = 0.5
# Less than this is too little to tell.
_LEAST_CHARACTERS = 150


@dataclass(frozen=True)
class Pair:
    """Two submissions that are alike.

    Attributes:
        students: Whose they are.
        share: How much of the shorter one is in the other, from 0 to 1.
        characters: How many characters of it, without names, spaces and comments.
    """

    students: tuple[str, str]
    share: float
    characters: int


def similar(assignment: Assignment, threshold: float = THRESHOLD) -> list[Pair]:
    """Compares everybody's submission that could be graded with every other, the most alike first.

    Args:
        assignment: The assignment, which has been graded.
        threshold: What share of the shorter one must be in the other.

    Raises:
        ValueError: The threshold is no share, or there are no two submissions.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be more than 0 and at most 1, but is {threshold}")
    store, codes = Store(assignment), {}
    for student in store.students():
        outcome = store.outcome(student)
        if outcome is not None and outcome["status"] in ("graded", "flagged"):
            codes[student] = list(_written(outcome["notebook"]))
    if len(codes) < 2:
        raise ValueError(
            f"two submissions of {assignment.name} must have been graded, but {len(codes)} has: "
            f"vaeedu grade {assignment.name}"
        )
    released = [cell["source"] for cell in _cells(assignment)]
    return pairs(codes, released, threshold)


def pairs(codes: Mapping[str, Sequence[str]], released: Sequence[str], threshold: float) -> list[Pair]:
    """Compares the code of each student, cell by cell as it was written, with that of every other."""
    texts = {student: "\n".join(map(plain, sources)) for student, sources in codes.items()}
    prints = {student: _fingerprint(text) for student, text in texts.items()}
    counts = Counter(part for fingerprint in prints.values() for part in fingerprint.hashes)
    usual = max(_LEAST_COMMON, _COMMON * len(texts))
    common = {part for part, count in counts.items() if count >= usual}
    common |= _fingerprint("\n".join(map(plain, released))).hashes
    for fingerprint in prints.values():
        _leave_out(fingerprint, common)
    found = []
    for a, b in combinations(sorted(prints), 2):
        overlap, shares, _ = compare_files(prints[a], prints[b])
        if max(shares) >= threshold and overlap >= _LEAST_CHARACTERS:
            found.append(Pair((a, b), float(max(shares)), int(overlap)))
    return sorted(found, key=lambda pair: (-pair.share, -pair.characters, pair.students))


def _fingerprint(text: str) -> CodeFingerprint:
    return CodeFingerprint("", _LENGTH, _WINDOW, filter=False, fp=io.StringIO(text))


def _leave_out(fingerprint: CodeFingerprint, common: Collection[Any]) -> None:
    """Takes parts out of a fingerprint; Copydetect's own way fails where a part is there twice."""
    left = {part: places for part, places in fingerprint.hash_idx.items() if part not in common}
    length = len(fingerprint.filtered_code)
    fingerprint.hashes, fingerprint.hash_idx = set(left), left
    fingerprint.token_coverage = get_token_coverage(left, _LENGTH, length) if left else 0


def _written(notebook: Mapping[str, Any]) -> Iterator[str]:
    """The code that the student wrote: in the cells for it, and in cells of their own."""
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and (tags.get("solution") or not tags):
            yield cell["source"]


def _cells(assignment: Assignment) -> list[Any]:
    import nbformat

    return [c for c in nbformat.read(assignment.notebook, as_version=4).cells if c.cell_type == "code"]
