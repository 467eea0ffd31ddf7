"""Reading a submitted notebook's bytes: what leaves here is text, cell by cell, whatever was sent."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

_MIB = 2**20
MOST_CELLS, MOST_SOURCE_BYTES, MOST_DEPTH, MOST_CONTAINERS = 2000, 4 * _MIB, 40, 2_000_000
NAME = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")

_CELL_TYPES = ("code", "markdown", "raw")
_SCHEMA_VERSIONS = (1, 2, 3)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_HALF = re.compile("[\ud800-\udfff]")
_PICTURES = ("image/png", "image/jpeg")


class Rejected(Exception):  # noqa: N818 - what happens to a submission, not an error of the program's
    """A submission that cannot be taken in; the message says why, and what the student can do."""


@dataclass
class Notes:
    """What the instructor should know, each once."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Adds a remark."""
        if text not in self.texts:
            self.texts.append(text)


class Reader:
    """Reads one notebook, and keeps what is known to be harmless.

    Args:
        name: What to call it.
        notes: Where remarks go.
    """

    def __init__(self, name: str, notes: Notes) -> None:
        self._name, self._notes = name, notes

    def read(self, data: bytes) -> dict[str, Any]:
        """Returns its cells as plain JSON, or raises `Rejected`."""
        value = self._parse(data)
        if not isinstance(value, dict) or not isinstance(value.get("cells"), list):
            if isinstance(value, dict) and "worksheets" in value:
                self._reject("is of an old format: open it in JupyterLab and save it again")
            self._reject("has no cells: hand in the file that JupyterLab saves")
        if type(value.get("nbformat")) is not int or value["nbformat"] != 4:
            self._reject(
                f"must be of notebook format 4, but is of {shown(str(value.get('nbformat'))[:20])}: save it again"
            )
        if len(value["cells"]) > MOST_CELLS:
            self._reject(f"may have {MOST_CELLS} cells at most, but has {len(value['cells'])}")
        cells = [self._cell(cell) for cell in value["cells"]]
        if sum(len(cell["source"]) for cell in cells) > MOST_SOURCE_BYTES:
            self._reject(f"has more than {MOST_SOURCE_BYTES // _MIB} MiB of text")
        return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

    def _reject(self, reason: str) -> NoReturn:
        raise Rejected(f"{self._name} {reason}")

    def _parse(self, data: bytes) -> Any:
        if not data.strip():
            self._reject("is empty: save it in JupyterLab and hand it in again")
        if data.count(b"[") + data.count(b"{") > MOST_CONTAINERS:
            self._reject("is too complicated: clear its outputs")
        try:
            text = data.decode("utf-8-sig")
            # NaN, which JSON has not and Python writes: it may stand in an output, and outputs are not read.
            value = json.loads(text, parse_constant=lambda name: None)
        except UnicodeDecodeError:
            self._reject("must be UTF-8 text, but is not: hand in the file that JupyterLab saves")
        except RecursionError:
            self._reject("is nested too deeply: clear its outputs")
        except ValueError as error:
            # The words after the colon quote nothing of the file's.
            where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "a number"
            self._reject(f"is damaged ({where}): hand in the file that JupyterLab saves")
        if not _is_shallow(value):
            self._reject("is nested too deeply: clear its outputs")
        return value

    def _cell(self, cell: object) -> dict[str, Any]:
        if not isinstance(cell, dict):
            self._reject("has a cell that is neither code nor text: hand in the file that JupyterLab saves")
        kept: dict[str, Any] = {
            "cell_type": self._type(cell),
            "source": self._text(cell.get("source")),
            "metadata": self._metadata(cell.get("metadata")),
        }
        if isinstance(cell.get("id"), str) and _ID.fullmatch(cell["id"]):
            kept["id"] = cell["id"]
        pictures = _pictures(cell.get("attachments")) if kept["cell_type"] == "markdown" else {}
        return {**kept, "attachments": pictures} if pictures else kept

    def _type(self, cell: Mapping[str, Any]) -> str:
        """A cell's type; one that no notebook has, or a cell without a text, is kept as raw text."""
        if cell.get("cell_type") not in _CELL_TYPES:
            self._notes.add("has a cell that is neither code nor text: kept as raw text")
            return "raw"
        return str(cell["cell_type"]) if _lines(cell.get("source")) is not None else "raw"

    def _text(self, source: object) -> str:
        lines = _lines(source)
        if lines is None:
            self._notes.add("has a cell without text: kept as an empty one")
            return ""
        text = re.sub(r"\r\n?", "\n", "".join(lines))  # the ends of lines as JupyterLab writes them
        if not is_text(text):
            self._notes.add("holds halves of characters: replaced by question marks")
        return text.encode("utf-8", "replace").decode("utf-8")

    def _metadata(self, metadata: object) -> dict[str, Any]:
        """Keeps the cell's name; what its metadata say otherwise is for the instructor's notebook to say."""
        nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        if not isinstance(nbgrader, dict):
            return {}
        if nbgrader.get("schema_version", 3) not in _SCHEMA_VERSIONS:
            self._notes.add("was edited: a cell's metadata are of a version that does not exist")
        name = nbgrader.get("grade_id")
        if not isinstance(name, str) or not NAME.fullmatch(name) or not is_text(name):
            return {}
        return {"nbgrader": {"grade_id": name}}


def _lines(source: object) -> list[str] | None:
    lines: list[Any] = source if isinstance(source, list) else [source]
    return lines if all(isinstance(line, str) for line in lines) else None


def _is_shallow(value: object) -> bool:
    level: Sequence[object] = [value]
    for _ in range(MOST_DEPTH):
        containers = [item for item in level if isinstance(item, (dict, list))]
        if not containers:
            return True
        level = [i for c in containers for i in (c.values() if isinstance(c, dict) else c)]
    return False


def _pictures(attachments: object) -> dict[str, dict[str, str]]:
    """The pictures pasted into a written answer: PNG and JPEG only, which cannot hold anything that runs."""
    kept: dict[str, dict[str, str]] = {}
    for name, forms in attachments.items() if isinstance(attachments, dict) else ():
        for mime in _PICTURES if isinstance(forms, dict) and NAME.fullmatch(name) and is_text(name) else ():
            if isinstance(forms.get(mime), str) and _BASE64.fullmatch(forms[mime]):
                kept.setdefault(name, {})[mime] = forms[mime]
    return kept


def is_text(text: str) -> bool:
    """Says whether text can be written down: half a surrogate pair cannot."""
    return _HALF.search(text) is None


def shown(name: str) -> str:
    """A file's name, as it may be shown in a terminal and on a web page."""
    return re.sub(r"[^\w .,()+=@~-]", "?", name)[:80]
