"""A case written out for people, to be tried by hand: its inputs, what came, and what is right."""

from collections.abc import Sequence

import numpy as np

from vaeedu.feedback.arrays import Array
from vaeedu.feedback.key import AnswerKey

# Of a larger array, this many entries at each edge are shown.
_ENTRIES, _EDGE, _WIDTH, _DIGITS = 24, 2, 100, 5


def written_out(outputs: Sequence[Array], key: AnswerKey, case: int) -> list[str]:
    """Writes out a case of a key whose inputs anybody may see.

    Args:
        outputs: What a function answered, one array for each of the key's outputs.
        key: The cases.
        case: Which one.

    Returns:
        Lines of text; of large arrays only the edges.
    """
    lines = ["The smallest case that fails:"]
    lines += [_line(name, value) for name, value in key.inputs[case].items()]
    for output, came, right in zip(key.outputs, outputs, key.expected[case], strict=True):
        lines += [_line(f"your {output.name}", came), _line(f"right {output.name}", right)]
    return lines


def _line(name: str, value: object) -> str:
    start = f"  {name} = "
    if not isinstance(value, np.ndarray):
        return f"{start}{value:g}" if isinstance(value, float) else f"{start}{value}"
    text = np.array2string(
        value,
        max_line_width=_WIDTH,
        precision=_DIGITS,
        threshold=_ENTRIES,
        edgeitems=_EDGE,
        separator=", ",
        prefix=start,
        floatmode="maxprec",
        suppress_small=False,
    )
    return f"{start}{text}"
