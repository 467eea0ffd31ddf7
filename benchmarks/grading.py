"""How long does grading take? The same honest submissions, through stock nbgrader and through `vaeedu grade`.

`python benchmarks/grading.py [--submissions N] [--repeats R]` compares them: each is one run over the whole class, one
after another on the same machine, in turn, R times. Stock nbgrader runs the notebooks as they are, in plain kernels,
with the hidden tests in them; beside them stands what the students' cells take by themselves. `--growth 25 50 100`
shows how grading grows in submissions and jobs; with `--alone-up-to 50` one job leaves out the 100.

Beside the time stands what all processes together computed, which says more where a machine has other things to do.
"""

import argparse
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from common import RESULTS, keep, table

COURSE = Path(__file__).resolve().parents[1]
ASSIGNMENT = "02_linear_latent_variable_models"
MANY = 10_000

HAND_IN = """
import sys
from pathlib import Path
import nbformat
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.answered import filled_in, source_of
from vaeedu_grader.gradebook.classroom import Classroom

assignment, number = Assignment(Path(sys.argv[1]), sys.argv[2]), int(sys.argv[3])
Classroom(assignment).generate()
for i in range(number):
    right = {e.name: (e.reference, *e.alternatives) for e in assignment.exercises.values()}
    answers = {name: source_of(f[i % len(f)], name) for name, f in right.items()}
    folder = assignment.submission(f"s{i:03}")
    folder.mkdir(parents=True)
    nbformat.write(filled_in(assignment.notebook, answers), folder / assignment.notebook.name)
"""
STOCK = """
import sys
from pathlib import Path
from vaeedu_grader.assignment import configuration
from vaeedu_grader.gradebook import nbgrader

config = configuration(Path(sys.argv[1]))
del config.Autograde["sanitize_preprocessors"], config.Autograde["autograde_preprocessors"]
api = nbgrader.api(config)
with nbgrader.quiet():
    for i in range(int(sys.argv[3])):
        nbgrader.succeed(api.autograde(sys.argv[2], f"s{i:03}"))
"""
OURS = (
    "import sys; from vaeedu.cli import main; sys.exit(main(['grade', sys.argv[2], '--jobs', sys.argv[4]]))"
)

CELLS = """
import gc, os, sys
from pathlib import Path
import nbformat
import vaeedu.data, vaeedu.pca, vaeedu.plotting
from IPython.core.interactiveshell import InteractiveShell
from vaeedu_grader.assignment import Assignment

gc.collect()
gc.freeze()  # as the grader's own processes do: collections need not look through all of torch
assignment, shell = Assignment(Path(sys.argv[1]), sys.argv[2]), InteractiveShell.instance()
for i in range(int(sys.argv[3])):
    notebook = assignment.submission(f"s{i:03}") / assignment.notebook.name
    os.chdir(notebook.parent)
    shell.reset(new_session=False)
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            shell.run_cell(cell.source).raise_error()
"""


class Measured(NamedTuple):
    """What one run took: seconds, processor seconds of all its processes, points in the end, peak memory in MiB."""

    seconds: float
    processor: float
    points: float
    mebibytes: float


def run(program: str, number: int, *arguments: str) -> Measured:
    """Hands in a class, and runs a program on it."""
    with tempfile.TemporaryDirectory(prefix="vaeedu-benchmark-") as folder:
        environment = {**os.environ, "VAEEDU_CLASSROOM": folder, "OMP_NUM_THREADS": "1"}
        common = [str(COURSE), ASSIGNMENT, str(number), *arguments]
        subprocess.run([sys.executable, "-W", "ignore", "-c", HAND_IN, *common], env=environment, check=True)
        before, start = processor_seconds(), time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program, *common],
            env=environment,
            cwd=COURSE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        peak = Peak(process.pid)
        status = process.wait()
        seconds = time.perf_counter() - start
        mebibytes = peak.stop()
        if status:
            raise SystemExit(f"grading ended with {status}")
        return Measured(seconds, processor_seconds() - before, points(Path(folder)), mebibytes)


def processor_seconds() -> float:
    """What all processes computed that this one has started, and that have ended."""
    while psutil.Process().children():
        os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def adopt_orphans() -> None:
    """Has processes whose parents have ended become children of this one, so that what they computed counts."""
    become_subreaper = 36
    ctypes.CDLL(None).prctl(become_subreaper, 1)


def points(folder: Path) -> float:
    """The sum of everybody's points in a gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return sum(s.score for s in gradebook.assignment_submissions(ASSIGNMENT))


class Peak:
    """Watches how much memory a process and all that it starts use together (shared pages counted once)."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._ends = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Ends watching, and returns the most, in MiB."""
        self._ends.set()
        self._thread.join()
        return self._most / 2**20

    def _watch(self) -> None:
        while not self._ends.wait(0.5):
            total = 0
            try:
                first = psutil.Process(self._pid)
                for process in [first, *first.children(recursive=True)]:
                    total += process.memory_full_info().pss
            except psutil.Error:
                continue
            self._most = max(self._most, total)


def compare(number: int, repeats: int) -> None:
    """Compares stock nbgrader with one job and with two, and keeps the table."""
    ways = {
        "stock nbgrader": (STOCK,),
        "vaeedu grade": (OURS, "1"),
        "vaeedu grade --jobs 2": (OURS, "2"),
        "their cells alone": (CELLS,),
    }
    measured: dict[str, list[Measured]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, (program, *arguments) in ways.items():
            measured[name].append(run(program, number, *arguments))
            print(name, *(f"{value:.1f}" for value in measured[name][-1]), flush=True)
    keep_comparison(number, measured)


def keep_comparison(number: int, measured: dict[str, list[Measured]]) -> None:
    """Keeps the table of a comparison."""
    stock = measured["stock nbgrader"]
    rows = []
    for name, runs in measured.items():
        middle = Measured(*map(statistics.median, zip(*runs, strict=True)))
        faster = statistics.median(s.seconds / r.seconds for s, r in zip(stock, runs, strict=True))
        rows.append([
            name, f"{middle.seconds / number:.2f}", f"{faster:.2f}", f"{middle.processor / number:.2f}",
            f"{middle.mebibytes:.0f}", f"{middle.points:g}",
        ])  # fmt: skip
    load = os.getloadavg()[2]
    text = (
        f"# Grading {number} honest submissions of assignment 2\n\n"
        f"Runs of each: {len(stock)}, in turn; medians, and the median of the ratios to stock nbgrader's run of the "
        "same turn. The start of a run is part of it. What else the machine does (its load in the last quarter of an "
        f"hour was {load:.0f}) makes the seconds longer, and hardly the processor's seconds.\n\nThe last row marks "
        "nothing: one process runs the cells of all submissions, one after another. It is about what any grader at "
        "one job has to do at least: half of this class has answers that loop over examples, and all draw figures.\n\n"
        + table(
            ["", "seconds a submission", "times stock's speed", "processor seconds a submission",
             "peak memory (MiB)", "points given"],
            rows,
        )
    )  # fmt: skip
    keep("grading", text, {name: [r._asdict() for r in runs] for name, runs in measured.items()})


def growth(sizes: list[int], alone_up_to: int) -> None:
    """Measures how grading grows, and keeps a table and a figure; says what many would take."""
    measured: dict[tuple[int, int], Measured] = {}
    for number in sizes:
        for jobs in (1, 2) if number <= alone_up_to else (2,):
            measured[number, jobs] = run(OURS, number, str(jobs))
            print(number, jobs, *(f"{value:.1f}" for value in measured[number, jobs]), flush=True)
    keep_growth(measured)


def keep_growth(measured: dict[tuple[int, int], Measured]) -> None:
    """Keeps the table and the figure of how grading grows."""
    rows = [
        [number, jobs, f"{m.seconds:.0f}", f"{m.seconds / number:.2f}", f"{m.processor / number:.2f}",
         f"{m.mebibytes:.0f}"]
        for (number, jobs), m in measured.items()
    ]  # fmt: skip
    lines = {jobs: {n: m for (n, j), m in measured.items() if j == jobs} for jobs in (1, 2)}
    start, each = line({number: m.processor for number, m in lines[1].items()})
    job = max(lines[2][number].mebibytes - one.mebibytes for number, one in lines[1].items())
    text = (
        "# How grading grows\n\nHonest submissions of assignment 2, one run for each row. What else the machine "
        f"does (its load in the last quarter of an hour was {os.getloadavg()[2]:.0f}) makes the seconds longer, and "
        "hardly the processor's seconds.\n\n"
        + table(["submissions", "jobs", "seconds", "seconds a submission", "processor seconds a submission",
                 "peak memory (MiB)"], rows)
        + f"\n\nProcessor time at one job: {start:.1f} s for a run and {each:.2f} s for a submission (least squares). "
        f"A second job takes at most {job:.0f} MiB more.\n\n"
        f"**{MANY:,} submissions on a Dask cluster, on paper**, from these costs: {MANY * each / 3600:.1f} hours of a "
        f"processor; with 64 workers on 64 processors {MANY * each / 64 / 60:.0f} minutes. "
        "A worker there starts each submission anew, without a process to fork from: add the start of a run for each "
        f"submission to be on the safe side, {MANY * (each + start) / 64 / 60:.0f} minutes.\n"
    )  # fmt: skip
    draw(lines)
    keep(
        "grading_growth", text, {f"{n} submissions, {j} jobs": m._asdict() for (n, j), m in measured.items()}
    )


def line(values: dict[int, float]) -> tuple[float, float]:
    """The start and the slope of the line through values, by least squares; one value is all slope."""
    if len(values) == 1:
        ((number, value),) = values.items()
        return 0.0, value / number
    slope, start = statistics.linear_regression(list(values), list(values.values()))
    return start, slope


def draw(lines: dict[int, dict[int, Measured]]) -> None:
    """Draws time and memory against the number of submissions."""
    from matplotlib.figure import Figure

    from vaeedu.plotting import BLUE, RED, use_style

    use_style()
    figure = Figure(figsize=(8, 3.2))
    left, right = figure.subplots(1, 2)
    for (jobs, runs), colour, mark in zip(lines.items(), (BLUE, RED), "os", strict=True):
        label = f"{jobs} job{'s' if jobs > 1 else ''}"
        sizes = list(runs)
        left.plot(sizes, [m.processor for m in runs.values()], color=colour, marker=mark, label=label)
        left.plot(
            sizes, [m.seconds for m in runs.values()], color=colour, marker=mark, linestyle=":", alpha=0.6
        )
        right.plot(sizes, [m.mebibytes for m in runs.values()], color=colour, marker=mark, label=label)
    left.set(xlabel="submissions", ylabel="seconds", xlim=(0, None), ylim=(0, None))
    left.set_title("Processor's time (dotted: the clock's)")
    right.set(xlabel="submissions", ylabel="peak memory (MiB)", xlim=(0, None))
    right.set_ylim(0, 1.1 * max(m.mebibytes for runs in lines.values() for m in runs.values()))
    right.set_title("Memory of all processes together")
    for axis in (left, right):
        axis.legend()
    figure.savefig(RESULTS / "grading_growth.png", dpi=120)


def main() -> None:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument(
        "--growth", type=int, nargs="*", metavar="N", help="25 50 100 200 500 if none is named"
    )
    parser.add_argument(
        "--alone-up-to", type=int, metavar="N", default=1000, help="the most submissions for one job"
    )
    options = parser.parse_args()
    adopt_orphans()
    if options.growth is None:
        compare(options.submissions, options.repeats)
    elif options.growth and min(options.growth) > options.alone_up_to:
        parser.error(
            f"--alone-up-to must leave one job a size of {options.growth}, but is {options.alone_up_to}"
        )
    else:
        growth(options.growth or [25, 50, 100, 200, 500], options.alone_up_to)


if __name__ == "__main__":
    main()
