"""Where a copy of the course lies, and which of its assignments somebody means."""

import difflib
from collections.abc import Collection, Iterable
from pathlib import Path

FIRST_PAGE = Path("lectures", "00_start_here.ipynb")


def folder(start: Path | None = None) -> Path | None:
    """Returns the nearest folder, `start` or one above it, that is a copy of the course; None if none is.

    Args:
        start: Where to begin; by default the current folder.
    """
    start = (start or Path.cwd()).resolve()
    return next((place for place in (start, *start.parents) if (place / FIRST_PAGE).is_file()), None)


def assignment(text: str, known: Iterable[str]) -> str:
    """Returns the name of the assignment that is meant: by its name, or by its number, with or without the zero.

    Args:
        text: What somebody wrote.
        known: The names of all assignments.

    Raises:
        ValueError: There is none of that name or number.

    >>> assignment("3", ["02_linear_latent_variable_models", "03_information_and_divergence"])
    '03_information_and_divergence'
    """
    known = list(known)
    if text in known:
        return text
    number = f"{int(text):02}" if text.isascii() and text.isdigit() else text
    found = [name for name in known if name.partition("_")[0] == number]
    if len(found) == 1:
        return found[0]
    raise ValueError(
        f"assignment must be one of {', '.join(known) or '(none found)'}, but is {text!r}{did_you_mean(text, known)}"
    )


def did_you_mean(text: str, known: Collection[str]) -> str:
    """Returns the end of a message about a name that is none: which known one it resembles, if it does.

    >>> did_you_mean("grad", ["grade", "train"])
    ": did you mean 'grade'?"
    """
    nearest = difflib.get_close_matches(text, known, n=1)
    return f": did you mean {nearest[0]!r}?" if nearest else ""
