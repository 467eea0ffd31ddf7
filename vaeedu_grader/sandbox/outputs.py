"""From what a cell sends to nbformat outputs: strict about types, bounded in size, nothing that a browser executes.

HTML, SVG and JavaScript of a student's would run in the instructor's browser, with the instructor's rights, wherever
the marked notebook is shown. They are left out; whatever has such a form has a plain text beside it.
"""

import json
import re
from typing import Any

from vaeedu_grader.sandbox.channel import Garbled, Message
from vaeedu_grader.sandbox.model import CellResult

_PICTURES = ("image/png", "image/jpeg")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]*")
_CUT = "\n[The rest of this cell's output was left out: it was too long.]\n"
_MOST_COUNT = 10**6
# What an output, and a line of a traceback, use up beside their text: empty ones fill a notebook, too.
_EACH, _LINE = 256, 8


class Collector:
    """Puts one cell's messages together.

    Args:
        result: Where the outputs go.
        room: Bytes of output that may be kept.
    """

    def __init__(self, result: CellResult, room: int) -> None:
        self._result, self._room = result, room
        self._pieces: list[bytes] = []
        self._stream = ""
        self.cut, self._has_error = False, False

    @property
    def room(self) -> int:
        """Bytes that may still be kept."""
        return max(self._room, 0)

    def add(self, message: Message) -> None:
        """Takes in a message, or raises `Garbled`."""
        kind, body = message.header.get("kind"), message.body
        if kind == "stream":
            self._add_text(message.header.get("name"), body)
        elif kind in ("display", "result"):
            self._add_bundle(str(kind), message)
        elif kind == "error":
            self._add_error(body)
        elif kind == "clear":
            self._pieces, self._stream = [], ""
            self._result.outputs.clear()
            self._has_error = False
        elif kind == "answers":
            self._result.answers += 1
            self._result.emitted = body if self._result.answers == 1 else None
        else:
            raise Garbled(f"a message of kind {str(kind)[:40]}")

    def finish(self) -> None:
        """Writes down what is still held back, and a note where something was left out."""
        self._end_stream()
        if self.cut:
            self._result.outputs.append({"output_type": "stream", "name": "stdout", "text": _CUT})

    def _add_text(self, name: object, body: bytes) -> None:
        if name not in ("stdout", "stderr"):
            raise Garbled(f"a stream {str(name)[:40]}")
        if name != self._stream:
            self._end_stream()
            self._stream = str(name)
            self._room -= _EACH
        kept = body[: self.room]
        self.cut = self.cut or len(kept) < len(body)
        self._room -= len(body)
        if kept:
            self._pieces.append(kept)

    def _end_stream(self) -> None:
        text = b"".join(self._pieces).decode("utf-8", "replace")
        if text:
            self._result.outputs.append({"output_type": "stream", "name": self._stream, "text": text})
        self._pieces, self._stream = [], ""

    def _add_bundle(self, kind: str, message: Message) -> None:
        data = {mime: value for mime, part in _parts(message) if (value := _shown(mime, part)) is not None}
        if not data or not self._fits(_EACH + sum(map(len, data.values()))):
            return
        output: dict[str, Any] = {"output_type": "display_data", "data": data, "metadata": _metadata(data)}
        count = message.header.get("count")
        if kind == "result" and _is_count(count):
            output = {**output, "output_type": "execute_result", "execution_count": count}
        self._result.outputs.append(output)

    def _add_error(self, body: bytes) -> None:
        try:
            report = json.loads(body)
            ename, evalue, lines = report["ename"], report["evalue"], report["traceback"]
            texts = [_clean(ename), _clean(evalue), *map(_clean, lines)]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Garbled("an error that is none") from error
        if not self._fits(_EACH + sum(_LINE + len(text) for text in texts)):
            if self._has_error:
                return
            texts = [texts[0][:200], texts[1][:200]]  # one error is always kept: it costs the points
        self._has_error = True
        self._result.outputs.append(
            {"output_type": "error", "ename": texts[0], "evalue": texts[1], "traceback": texts[2:]}
        )

    def _fits(self, size: int) -> bool:
        """Uses up room, and says whether there was enough."""
        self._end_stream()
        fits = size <= self.room
        self._room -= size if fits else 0
        self.cut = self.cut or not fits
        return fits


def take_count(value: object) -> int | None:
    """Returns an execution count, or None where it is none."""
    return int(value) if _is_count(value) else None  # type: ignore[call-overload]


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST_COUNT


def _parts(message: Message) -> list[tuple[str, bytes]]:
    sizes, body, start = message.header.get("parts"), message.body, 0
    if not isinstance(sizes, list):
        raise Garbled("a display without parts")
    found = []
    for entry in sizes:
        if not (isinstance(entry, list) and len(entry) == 2 and _is_size(entry[1], len(body) - start)):
            raise Garbled("a display whose parts do not fit")
        found.append((str(entry[0]), body[start : start + entry[1]]))
        start += entry[1]
    return found


def _is_size(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _shown(mime: str, part: bytes) -> str | None:
    if mime == "text/plain":
        return part.decode("utf-8", "replace")
    # A picture's text lands inside an HTML attribute: it must be base64 and nothing else.
    if mime in _PICTURES and _BASE64.fullmatch(part):
        return part.decode("ascii")
    return None


def _metadata(data: dict[str, str]) -> dict[str, Any]:
    """What a picture's author says of it, for pages that show the picture; an object's own name says nothing."""
    alt = data.get("text/plain", "").strip()
    return {mime: {"alt": alt} for mime in _PICTURES if mime in data and alt and not alt.startswith("<")}


def _clean(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError
    return text.encode("utf-8", "replace").decode("utf-8")
