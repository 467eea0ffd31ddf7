"""Does each lecture show what it says? Each is run from a clean kernel, on other seeds and on other data.

The table has, for each run, its seconds, how many claims it made (`plotting.claim`), and those that it did not show.
It keeps the rows of earlier runs, as long as the lecture's code is the same; of changes in the library it knows
nothing.
`--lectures 06 07`, `--seeds 0 1 2` and `--data small full` choose what is run; by default every lecture on three seeds
and the small MNIST, and those that use MNIST on the full set, too. Needs no network.
"""

import argparse
import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from common import RESULTS, keep, table
from nbclient import NotebookClient
from traitlets.config import Config

LECTURES = Path(__file__).resolve().parents[1] / "lectures"
# Run before a lecture's own cells: every seed that it names is another one, and claims are written down.
FIRST = """
import json as _json, numpy as _numpy, torch as _torch
from vaeedu import plotting as _plotting, sampling as _sampling

_shift, _record, _seeded, _manual_seed, _rng, _claim = (
    {shift}, {record!r}, _sampling.seeded, _torch.manual_seed, _numpy.random.default_rng, _plotting.claim
)
_sampling.seeded = lambda seed=0, *args, **options: _seeded(seed + _shift, *args, **options)
_torch.manual_seed = lambda seed: _manual_seed(seed + _shift)
_numpy.random.default_rng = lambda seed=0: _rng(seed + _shift if isinstance(seed, int) else seed)


def _recorded(seen, text):
    with open(_record, "a", encoding="utf-8") as _file:
        _file.write(_json.dumps([bool(seen), text]) + chr(10))
    return _claim(seen, text)


_plotting.claim = _recorded
"""


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes:
        notebook: With its outputs.
        seconds: From the first cell to the last.
        claims: Each sentence, and whether the run showed it.
    """

    notebook: Any
    seconds: float
    claims: list[tuple[bool, str]]

    @property
    def not_seen(self) -> list[str]:
        """The sentences that the run did not show."""
        return [text for seen, text in self.claims if not seen]


def run(
    path: Path, *, seed: int = 0, data: str | None = None, first: str = "", timeout: float = 3600
) -> Outcome:
    """Executes a lecture in a kernel without cache and network.

    Args:
        path: The notebook.
        seed: 0 for the seeds as written, else others.
        data: The folder for `VAEEDU_DATA`; None for what comes with the course.
        first: Code to run before the lecture's.
        timeout: Seconds that a cell may take.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "claims.jsonl"
        record.touch()
        setup = FIRST.format(shift=1000 * seed, record=str(record)) + first
        notebook.cells.insert(0, nbformat.v4.new_code_cell(setup.strip()))
        resources = {"metadata": {"path": str(path.parent)}}
        # Without it a kernel warns on the terminal.
        settings = Config(KernelManager={"transport_encryption": "auto"})
        begun = time.perf_counter()
        with mock.patch.dict(os.environ, _surroundings(folder, data)):
            if data is None:
                os.environ.pop("VAEEDU_DATA", None)
            client = NotebookClient(
                notebook, timeout=timeout, kernel_name="python3", resources=resources, config=settings
            )
            client.execute()
        claims = [tuple(json.loads(line)) for line in record.read_text("utf-8").splitlines()]
    return Outcome(notebook, time.perf_counter() - begun, claims)


def _surroundings(folder: str, data: str | None) -> Mapping[str, str]:
    nobody = "http://127.0.0.1:9"  # nobody listens there
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nobody)
    places = {"HOME": folder, "XDG_CACHE_HOME": f"{folder}/cache", "OMP_WAIT_POLICY": "passive"}
    return {**proxies, **places, **({} if data is None else {"VAEEDU_DATA": str(Path(data).resolve())})}


def plan(lectures: list[str], seeds: list[int], sets: list[str]) -> list[tuple[Path, str, int]]:
    """What to run: every seed on the small data, and on the full where a lecture uses MNIST."""
    paths = [p for p in sorted(LECTURES.glob("*.ipynb")) if not lectures or p.name[:2] in lectures]
    return [
        (path, name, seed)
        for path in paths
        for name in sets
        if name == "small" or "data.mnist(" in path.read_text("utf-8")
        for seed in seeds
    ]


def digest(path: Path) -> str:
    """Names what a lecture runs, in which every claim is: a row of other code is out of date."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\x1f".join(cell.source for cell in cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def kept_rows() -> list[dict[str, Any]]:
    """Reads the rows of earlier runs that are of the lectures as they are now."""
    path = RESULTS / "claims.json"
    rows = json.loads(path.read_text("utf-8"))["numbers"] if path.is_file() else []
    now = {lecture.stem: digest(lecture) for lecture in LECTURES.glob("*.ipynb")}
    return [row for row in rows if now.get(row["lecture"]) == row["text"]]


def keep_row(row: dict[str, Any]) -> None:
    """Writes the table anew, with one more row, or with this one in the place of an earlier one."""
    place = ("lecture", "data", "seed")
    rows = {tuple(r[name] for name in place): r for r in [*kept_rows(), row]}
    numbers = [rows[key] for key in sorted(rows)]
    header = (*place, "seconds", "claims")
    lines = [(*(r[name] for name in header), "; ".join(r["not seen"]) or "all seen") for r in numbers]
    with contextlib.redirect_stdout(None):
        keep("claims", table((*header, "not seen"), lines), numbers)


def main() -> None:
    """Runs what is asked for, and keeps each row as soon as it is there."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__.splitlines()[0])
    parser.add_argument("--lectures", nargs="*", default=[], help="their numbers, such as 06")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--data", nargs="+", choices=("small", "full"), default=["small", "full"])
    options = parser.parse_args()
    folder = os.environ.get("VAEEDU_DATA")
    if folder is None:
        options.data = [name for name in options.data if name != "full"]
    for path, name, seed in plan(options.lectures, options.seeds, options.data):
        text = digest(path)
        outcome = run(path, seed=seed, data=folder if name == "full" else None)
        row = {
            "lecture": path.stem,
            "data": name,
            "seed": seed,
            "text": text,
            "seconds": round(outcome.seconds),
        }
        row |= {"claims": len(outcome.claims), "not seen": outcome.not_seen}
        keep_row(row)
        print(*row.values(), sep=" | ", flush=True)


if __name__ == "__main__":
    main()
