"""The files of a run's folder, each written whole or not at all."""

import json
from pathlib import Path
from typing import Any

from vaeedu.files import write_whole

SETTINGS, CHECKPOINT, HISTORY, RESULTS = "settings.json", "checkpoint.pt", "history.json", "results.json"


def write_json(path: Path, content: Any) -> None:
    """Writes plain values, in place of what the file held."""
    write_whole(path, (json.dumps(content, indent=1) + "\n").encode())


def read_settings(folder: Path) -> dict[str, Any]:
    """Returns the settings with which a run was started.

    Raises:
        ValueError: The folder holds none, or they are damaged.
    """
    path = folder / SETTINGS
    if not path.is_file():
        raise ValueError(
            f"{folder} must be a folder that vaeedu train wrote, but holds no {SETTINGS}: name another folder"
        )
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is damaged: restore it, or train into another folder")
    return settings


def claim(folder: Path, settings: dict[str, Any], *, write: bool) -> None:
    """Makes the folder this run's, or checks that it is.

    Settings without a checkpoint are those of a run that never got anywhere: they are overwritten, if a run's they are.

    Raises:
        ValueError: It is another run's, or holds somebody's own files of those names.
    """
    if (folder / CHECKPOINT).exists():
        earlier = read_settings(folder)
        names = [name for name in {**earlier, **settings} if earlier.get(name) != settings.get(name)]
        if names:
            differing = "; ".join(
                f"{n} was {_told(earlier.get(n))}, and now is {_told(settings.get(n))}" for n in names
            )
            raise ValueError(
                f"{folder} holds another run ({differing}): use its settings to go on with it, or another --output"
            )
    elif write:
        _refuse_what_is_no_runs(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SETTINGS, settings)


def _told(value: Any) -> str:
    return "not set" if value is None else repr(value)


def give_up(folder: Path) -> None:
    """Takes back a claim that came to nothing: a run that was refused before its first checkpoint leaves no trace."""
    if not (folder / CHECKPOINT).exists():
        (folder / SETTINGS).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _refuse_what_is_no_runs(folder: Path) -> None:
    """Keeps files that only have the same names, such as an editor's settings.json, from being overwritten."""
    there = [name for name in (SETTINGS, HISTORY, RESULTS) if (folder / name).exists()]
    if there and not (SETTINGS in there and _is_a_runs(folder / SETTINGS)):
        raise ValueError(
            f"{folder} must be new, empty or a run's folder, but holds {there[0]} without a run: name another --output"
        )


def _is_a_runs(path: Path) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(found, dict) and {"model", "data", "seed"} <= found.keys()


def set_aside(path: Path) -> Path | None:
    """Keeps what a file holds under the first free name `…-1`, `…-2`, …, and returns that; None if there is no file.

    The file itself stays, until something is written in its place.
    """
    if not path.exists():
        return None
    number = 1
    while (aside := path.with_stem(f"{path.stem}-{number}")).exists():
        number += 1
    write_whole(aside, path.read_bytes())
    return aside
