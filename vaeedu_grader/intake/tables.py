"""Tables that come from a spreadsheet, rosters and times of submission, or go into one."""

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# What spreadsheets put between columns, by country.
_SEPARATORS = ",;\t"
_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        number: Which line of the file it begins in, from 1.
        values: What stands there, by column, without blanks around it.
    """

    number: int
    values: dict[str, str]


def read_table(path: Path, *, required: str, optional: Collection[str] = ()) -> list[Row]:
    """Reads a table with a line of column names, as Excel, LibreOffice and learning platforms save it.

    Its text may be UTF-8 with or without a mark, UTF-16 with one, or Windows' (cp1252); commas, semicolons or tabs
    stand between its columns, whose names may be written in any case.

    Args:
        path: The file.
        required: The column that each line must have something in.
        optional: Columns that there may be; others are left out.

    Raises:
        ValueError: The file is no such table; the message names the line.
    """
    lines = _text(path).splitlines(keepends=True)
    head = next((line for line in lines if line.strip()), "")
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator, strict=True)
    names: list[str] = []
    rows = []
    try:
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if not any(values):
                continue
            if not names:
                names = [value.casefold().replace(" ", "_") for value in values]
                _check_names(path, names, required, optional)
                continue
            rows.append(_row(path, reader.line_num, names, values, required))
    except csv.Error as error:
        raise ValueError(f"{path.name}, line {reader.line_num}: {error}") from None
    if not names:
        raise ValueError(f"{path.name} must have a line of column names, with {required!r}, but is empty")
    kept = {required, *optional}
    return [Row(row.number, {n: v for n, v in row.values.items() if n in kept}) for row in rows]


def read_times(path: Path) -> dict[str, datetime]:
    """Reads when students handed in: a table with the columns `id` and `time`.

    Returns:
        The times by id, in UTC.

    Raises:
        ValueError: A time is none, has no time zone, or a student has two.
    """
    times: dict[str, datetime] = {}
    for row in read_table(path, required="id", optional=("time",)):
        where = f"{path.name}, line {row.number}"
        time = read_time(f"{where}: time", row.values.get("time", ""))
        if times.setdefault(row.values["id"], time) != time:
            raise ValueError(f"{where}: {row.values['id']!r} must have one time, but has two")
    return times


def read_time(name: str, text: str) -> datetime:
    """Reads a point in time, such as 2026-01-31T23:59+01:00 or 2026-01-31 22:59 UTC, and returns it in UTC.

    Args:
        name: What to call it in an error.
        text: The time, with its zone.

    Raises:
        ValueError: It is none, or does not say its zone.
    """
    try:
        time = datetime.fromisoformat(text.removesuffix(" UTC") + "+00:00" * text.endswith(" UTC"))
    except ValueError:
        raise ValueError(f"{name} must be like 2026-01-31T23:59:00+01:00, but is {text!r}") from None
    if time.tzinfo is None:
        raise ValueError(f"{name} must say its zone, such as {text}+01:00 or {text}Z, but is {text!r}")
    return time.astimezone(UTC)


def spreadsheet_cell(text: str) -> str:
    """Returns a text as no spreadsheet takes it for a formula, for tables that somebody will open in one.

    >>> spreadsheet_cell("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} must be a table that can be read, but: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise ValueError(f"{path.name} must be a table of at most {_MOST_BYTES // 2**20} MiB, but is larger")
    for encoding in ["utf-16"] if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError(f"{path.name} must be text, with commas or semicolons between columns: save it as CSV")


def _check_names(path: Path, names: list[str], required: str, optional: Collection[str]) -> None:
    if required not in names:
        known = ", ".join([required, *optional])
        raise ValueError(
            f"{path.name} must begin with the names of its columns, one of them {required!r} "
            f"(of {known}), but begins with {', '.join(names)[:80]!r}"
        )
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"{path.name} must have one column {twice[0]!r}, but has several")


def _row(path: Path, number: int, names: list[str], values: list[str], required: str) -> Row:
    if len(values) > len(names) and any(values[len(names) :]):
        raise ValueError(
            f"{path.name}, line {number}: there must be {len(names)} columns, but there are {len(values)}"
        )
    row = dict(zip(names, values, strict=False))
    if not row.get(required):
        raise ValueError(f"{path.name}, line {number}: there must be something in the column {required!r}")
    return Row(number, row)
