"""Wrong solutions, described by what differs from a right one: small slips, of which an exercise has many."""

import inspect
import linecache
import textwrap
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from vaeedu_grader.authoring.exercise import PARTS, Function, Wrong


def slip(
    right: Function,
    changes: Mapping[str, str],
    message: str,
    *,
    loses: tuple[str, ...] = PARTS,
    variants: Sequence[Mapping[str, str]] = (),
) -> Wrong:
    """Describes a mistake by changes to the text of a solution.

    Args:
        right: The solution.
        changes: What stands in its text once, and what stands there instead.
        message: What to tell who made the mistake.
        loses: The parts that fail.
        variants: Other changes that are the same mistake.

    Raises:
        ValueError: A piece of text is not there exactly once.
    """
    return Wrong(edited(right, changes), message, loses, variants=tuple(edited(right, v) for v in variants))


def edited(function: Function, changes: Mapping[str, str]) -> Function:
    """Returns a function with another text, whose source can be read like that of any other.

    >>> edited(edited, {"TEXT": "text"})
    Traceback (most recent call last):
    ...
    ValueError: 'TEXT' must stand once in edited, but stands there 2 times
    """
    name = getattr(function, "__name__", "function")
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes.items():
        if source.count(old) != 1:
            raise ValueError(f"{old!r} must stand once in {name}, but stands there {source.count(old)} times")
        source = source.replace(old, new)
    own = f"{name}_{zlib.crc32(repr(sorted(changes.items())).encode()):08x}"
    source = source.replace(f"def {name}(", f"def {own}(", 1)
    file = f"<{own}>"
    # Where `inspect` looks for a source.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, Any] = dict(getattr(function, "__globals__", {}))
    exec(compile(source, file, "exec"), names)
    made: Function = names[own]
    return made
