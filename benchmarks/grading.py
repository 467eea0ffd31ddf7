"""How long does grading take? The same honest submissions, through stock nbgrader and through `vaeedu grade`.

Run it with `python benchmarks/grading.py [--submissions N]`. Each is one run over the whole class, one after another on
the same machine. Stock nbgrader runs the notebooks as they are, in plain kernels, with the hidden tests in them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from common import keep, table

COURSE = Path(__file__).resolve().parents[1]
ASSIGNMENT = "02_linear_latent_variable_models"

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
    folder = assignment.submission(f"s{i:02}")
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
        nbgrader.succeed(api.autograde(sys.argv[2], f"s{i:02}"))
"""
OURS = (
    "import sys; from vaeedu.cli import main; sys.exit(main(['grade', sys.argv[2], '--jobs', sys.argv[4]]))"
)


def run(program: str, number: int, *arguments: str) -> tuple[float, float, float]:
    """Hands in a class, runs a program on it, and returns seconds, the sum of points, and the peak memory in MiB."""
    with tempfile.TemporaryDirectory(prefix="vaeedu-benchmark-") as folder:
        environment = {**os.environ, "VAEEDU_CLASSROOM": folder, "OMP_NUM_THREADS": "1"}
        common = [str(COURSE), ASSIGNMENT, str(number), *arguments]
        subprocess.run([sys.executable, "-W", "ignore", "-c", HAND_IN, *common], env=environment, check=True)
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program, *common],
            env=environment,
            cwd=COURSE,
            stdout=subprocess.DEVNULL,
        )
        peak = Peak(process.pid)
        status = process.wait()
        seconds = time.perf_counter() - start
        if status:
            raise SystemExit(f"grading ended with {status}")
        return seconds, points(Path(folder)), peak.stop()


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


def main() -> None:
    """Runs the comparison and keeps its table."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=40)
    number = parser.parse_args().submissions
    ways = {"stock nbgrader": (STOCK,), "vaeedu grade": (OURS, "1"), "vaeedu grade --jobs 2": (OURS, "2")}
    measured = {}
    for name, (program, *arguments) in ways.items():
        measured[name] = run(program, number, *arguments)
        print(name, *(f"{value:.1f}" for value in measured[name]), flush=True)
    stock = measured["stock nbgrader"][0]
    rows = [
        [name, f"{seconds / number:.2f}", f"{stock / seconds:.2f}", f"{memory:.0f}", f"{marks:g}"]
        for name, (seconds, marks, memory) in measured.items()
    ]
    text = (
        f"# Grading {number} honest submissions of assignment 2\n\nOne run each, one after another.\n\n"
        + table(
            ["", "seconds a submission", "times stock's speed", "peak memory (MiB)", "points given"], rows
        )
    )
    names = ("seconds", "points", "peak_mebibytes")
    keep("grading", text, {n: dict(zip(names, m, strict=True)) for n, m in measured.items()})


if __name__ == "__main__":
    main()
