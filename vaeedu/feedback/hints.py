"""For those who read alone: hints in three stages, and the reference with its explanation after an attempt.

Hints and explanations are read from `exercises/hints/`, references from the notebooks in `solutions/`: a copy of the
course that an instructor hands out has neither of the two.
"""

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from vaeedu.course import folder
from vaeedu.feedback import progress
from vaeedu.text import Markdown

STAGES = ("Idea", "Formula", "First line")
_WHY = "Why"
_PARTS = (*STAGES, _WHY)
_PART = re.compile(rf"^\*\*({'|'.join(_PARTS)})\.\*\*", re.MULTILINE)
_MARK = re.compile(r"\s*### (?:BEGIN|END) SOLUTION\s*")

# How many stages of each exercise's hint this process has shown.
_shown: dict[str, int] = {}


class NotHere(ValueError):  # noqa: N818 - what a reader sees, and it is no fault of theirs
    """A hint or a solution cannot be shown; the message says why, and what to do."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines in place of a traceback, all of which would be library code.
        return str(self).split("\n")


@dataclass(frozen=True)
class Help:
    """What `exercises/hints/` says about an exercise.

    Attributes:
        assignment: The assignment's name.
        parts: The texts by what they are: the three stages, and why the reference is right.
    """

    assignment: str
    parts: dict[str, str]


def hint(name: str, *, stage: int | None = None) -> Markdown:
    """Gives a hint for an exercise: the idea, then the formula, then the first line of code.

    Args:
        name: The exercise's name.
        stage: 1, 2 or 3; by default one more than was shown last, up to 3.

    Returns:
        The hint, which a notebook shows formatted.

    Raises:
        ValueError: There is no such exercise or stage, or this copy of the course has no hints.
    """
    found = _help(name)[1]
    if stage not in (None, 1, 2, 3):
        raise NotHere(f"stage must be 1 (idea), 2 (formula) or 3 (first line), but is {stage!r}")
    _shown[name] = stage or min(_shown.get(name, 0) + 1, len(STAGES))
    number = _shown[name]
    part = STAGES[number - 1]
    after = (
        f'One stage more: `vaeedu.hint("{name}")` again.'
        if number < len(STAGES)
        else f'This was the last one. When `vaeedu.check` has seen an attempt of yours: `vaeedu.solution("{name}")`.'
    )
    return Markdown(
        f"**{name}, hint {number} of {len(STAGES)}: {part.lower()}.** {found.parts[part]}\n\n*{after}*"
    )


def solution(name: str, *, anyway: bool = False) -> Markdown:
    """Gives the reference of an exercise, and why it is right, once `vaeedu.check` has seen an attempt.

    Args:
        name: The exercise's name.
        anyway: Whether to show it without an attempt.

    Returns:
        Code and explanation, which a notebook shows formatted.

    Raises:
        ValueError: There was no attempt yet, there is no such exercise, or this copy of the course has no solutions.
    """
    course, found = _help(name)
    if not anyway and progress.state(course, found.assignment, name) is None:
        raise NotHere(
            f"{name} has not been tried yet: write an answer, wrong or right, and run vaeedu.check on it first. "
            f'You learn most from the attempt. vaeedu.hint("{name}") helps to begin.\n'
            f'If you want to see the reference all the same: vaeedu.solution("{name}", anyway=True)'
        )
    code = reference(course, found.assignment, name)
    return Markdown(
        f"**{name}: a right answer**\n\n```python\n{code}\n```\n\n**Why it is right.** {found.parts[_WHY]}"
    )


def reference(course: Path, assignment: str, name: str) -> str:
    """Returns the reference of an exercise as its solution notebook has it, without nbgrader's marks.

    Raises:
        ValueError: There is no such notebook, or no such cell in it.
    """
    path = course / "solutions" / assignment / f"{assignment}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        (cell,) = (c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == name)
        lines = "".join(cell["source"]).splitlines()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotHere(
            f"the solution of {name} must be in {path}, but cannot be read ({type(error).__name__}): "
            "copy the course's folder again"
        ) from error
    return "\n".join(line for line in lines if not _MARK.fullmatch(line))


def read_hints(path: Path) -> dict[str, Help]:
    """Reads a file of `exercises/hints/`: what it says about each exercise, by name.

    Raises:
        ValueError: An exercise lacks a part, or has one twice.
    """
    sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return dict(_section(path, text) for text in sections)


def _section(path: Path, text: str) -> tuple[str, Help]:
    name, _, body = text.partition("\n")
    pieces = _PART.split(body)[1:]
    found, texts = pieces[::2], [piece.strip() for piece in pieces[1::2]]
    if tuple(found) != _PARTS or not all(texts):
        raise ValueError(
            f"{path.name}: {name} must have the parts {', '.join(_PARTS)}, in this order, but has "
            f"{', '.join(found) or 'none'}"
        )
    return name.strip(), Help(path.stem, dict(zip(found, texts, strict=True)))


def _help(name: str) -> tuple[Path, Help]:
    course = folder()
    files = sorted(course.glob("exercises/hints/[0-9]*.md")) if course else []
    if course is None or not files:
        raise NotHere(
            "hints and solutions must lie in the course's folder, below which the notebook runs, but there are none: "
            "copies of the course that an instructor hands out have no hints, so ask there"
        )
    known = {name: found for path in files for name, found in read_hints(path).items()}
    if name not in known:
        near = difflib.get_close_matches(str(name), known) or list(known)[:3]
        raise NotHere(
            f"name must be that of an exercise, such as {', '.join(map(repr, near))}, but is {name!r}"
        )
    return course, known[name]
