"""Lectures with their outputs, in `build/executed`: written by whoever runs them, and read by the site.

Each has the digest of the text that was run. One whose digest is another is out of date, and counts as absent.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "executed"
STATE = "application/vnd.jupyter.widget-state+json"
STATE_VERSION = {"version_major": 2, "version_minor": 0}
VERSION = 2  # of what a run keeps: another number makes earlier runs out of date


def digest(notebook: Any) -> str:
    """Names what a notebook says and runs."""
    text = "\x1f".join(f"{cell.cell_type}\x1e{cell.source}" for cell in notebook.cells)
    return hashlib.sha256(f"{VERSION}\x1d{text}".encode()).hexdigest()[:16]


def read(path: Path, folder: Path = FOLDER) -> Any | None:
    """Returns a lecture's run, or None where there is none of the lecture as it is now.

    Args:
        path: The lecture, without outputs.
        folder: Where runs are.
    """
    try:
        run = nbformat.read(folder / path.name, as_version=4)
    except (OSError, ValueError):  # absent, or cut short
        return None
    source = nbformat.read(path, as_version=4)
    kept = run.metadata.get("vaeedu", {}).get("executed")
    return run if kept == digest(source) == digest(run) else None


def keep(path: Path, run: Any, recorded: Path, folder: Path = FOLDER) -> None:
    """Writes a lecture's run, whole or not at all.

    Args:
        path: The lecture, without outputs.
        run: The same notebook with outputs.
        recorded: What `played.record` wrote.
        folder: Where runs are.
    """
    now = digest(nbformat.read(path, as_version=4))
    if digest(run) != now:
        raise ValueError(f"{path.name} was changed while it ran: run it again")
    widgets = json.loads(recorded.read_text("utf-8"))
    run.metadata["widgets"] = {STATE: {**STATE_VERSION, "state": widgets["state"]}}
    run.metadata.setdefault("vaeedu", {})
    run.metadata["vaeedu"]["films"] = widgets["films"]
    run.metadata["vaeedu"]["executed"] = now
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{path.name}.{os.getpid()}"
    nbformat.write(run, unfinished)
    os.replace(unfinished, folder / path.name)


def recorder(recorded: Path) -> str:
    """Returns the code that a lecture's kernel runs last."""
    tools = str(ROOT / "tools")
    return (
        f"import sys as _sys\n_sys.path.insert(0, {tools!r})\n"
        f"from pages import played as _played\n_played.record({str(recorded)!r})"
    )


def execute(path: Path, folder: Path = FOLDER) -> None:
    """Runs a lecture in a clean kernel, which finds no data, cache, settings or network of ours; keeps the run."""
    run = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as scratch:
        recorded = Path(scratch) / "widgets.json"
        run.cells.append(nbformat.v4.new_code_cell(recorder(recorded)))
        # Without it a kernel warns on the terminal.
        settings = Config(KernelManager={"transport_encryption": "auto"})
        with mock.patch.dict(os.environ, _surroundings(scratch)):
            os.environ.pop("VAEEDU_DATA", None)
            NotebookClient(
                run,
                timeout=3600,
                kernel_name="python3",
                resources={"metadata": {"path": str(path.parent)}},
                store_widget_state=False,
                config=settings,
            ).execute()
        run.cells.pop()
        keep(path, run, recorded, folder)


def _surroundings(scratch: str) -> dict[str, str]:
    nobody = "http://127.0.0.1:9"  # nobody listens there
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nobody)
    return {**proxies, "HOME": scratch, "XDG_CACHE_HOME": f"{scratch}/cache", "OMP_WAIT_POLICY": "passive"}


def missing(lectures: Iterable[Path], folder: Path = FOLDER) -> list[Path]:
    """Returns the lectures that have no run of their text as it is now."""
    return [path for path in lectures if read(path, folder) is None]
