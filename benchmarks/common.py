"""What the benchmark scripts share: fair timing, peak memory, the machine's description, and a table that is kept."""

import json
import math
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy
import scipy
import sklearn
import torch
from torch import Tensor

RESULTS = Path(__file__).parent / "results"


def median_seconds(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Times functions in turn, round after round, so that what else the machine does falls on all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def seconds_of_work(device: str) -> float:
    """A clock of training: processor time on a CPU, so that what else the machine does costs no steps; else time.

    An hour of two cores is 120 minutes of it.
    """
    return time.process_time() if device == "cpu" else time.monotonic()


class Budget:
    """So many minutes of work, by `seconds_of_work`, from now on; what happens in a pause is not counted."""

    def __init__(self, minutes: float, device: str) -> None:
        self._seconds, self._device, self._begun = 60 * minutes, device, seconds_of_work(device)

    @property
    def spent(self) -> float:
        """Minutes so far."""
        return (seconds_of_work(self._device) - self._begun) / 60

    @property
    def progress(self) -> float:
        """The share that is spent: 1 and more when it is time to stop."""
        return 60 * self.spent / self._seconds

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Leaves out what is done meanwhile, such as measuring."""
        paused = seconds_of_work(self._device)
        yield
        self._begun += seconds_of_work(self._device) - paused


def like_length(
    lengths: Tensor, generator: torch.Generator, *, batch_size: int = 100, pool: int = 2000
) -> Iterator[Tensor]:
    """Returns indices of batches without end, each of sequences of like length, so that little is padding.

    Each time `pool` sequences are drawn, sorted by length and cut into batches.
    """
    while True:
        drawn = torch.randperm(len(lengths), generator=generator)[:pool]
        yield from drawn[lengths[drawn].argsort()].split(batch_size)


def mean_and_error(values: Sequence[float]) -> str:
    """Writes a mean over seeds, with its standard error where they differ."""
    if len(set(values)) == 1:
        return f"{values[0]:.3g}"
    return f"{statistics.mean(values):.3g} ± {statistics.stdev(values) / math.sqrt(len(values)):.1g}"


def peak_extra_mebibytes(function: Callable[[], object]) -> float | None:
    """Measures how far a call raises the process's resident memory above where it began (Linux; else None)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark to the present size
    except OSError:
        return None
    before = _high_water_mark()
    function()
    return (_high_water_mark() - before) / 1024


def _high_water_mark() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def machine() -> dict[str, str]:
    """Describes what a number was measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next(
            (s.split(":")[1].strip() for s in info.read_text().splitlines() if s.startswith("model name")),
            cpu,
        )
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "cpu": cpu,
        **({"gpu": gpu, "cuda": str(torch.version.cuda)} if gpu else {}),
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lays out a Markdown table."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def keep(name: str, text: str, numbers: object) -> None:
    """Prints a result and writes it to `results/`: the text as Markdown, the numbers as JSON, both with the machine."""
    described = ", ".join(f"{key} {value}" for key, value in machine().items())
    report = f"{text}\n\nMeasured on: {described}.\n"
    print(report)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(report)
    (RESULTS / f"{name}.json").write_text(
        json.dumps({"machine": machine(), "numbers": numbers}, indent=1) + "\n"
    )
