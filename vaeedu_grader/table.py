"""What `vaeedu grade` prints: how far it is while it works, then a table and a summary."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from vaeedu.feedback.wire import printable
from vaeedu_grader.marking.result import Result


def print_class(grade: Callable[[Callable[[int], object]], Iterator[Result]]) -> int:
    """Prints results as a table with a summary and, while they come, how many there are and how long it will take.

    Args:
        grade: Yields the results, after it has told the function that it is given how many there will be.

    Returns:
        The exit code: 0 if every submission has a status other than "failed", else 1.
    """
    progress = Progress()
    rows = []
    try:
        for result in grade(progress.begin):
            rows.append(result)
            progress.step(result)
    finally:
        progress.end()
    names = {row.student: printable(row.student) for row in rows}
    width = max(map(len, names.values()), default=7)
    print(f"{'student':{width}}  status    points  by hand  remarks")
    for row in sorted(rows, key=lambda row: row.student):
        remarks = "; ".join(row.reasons)
        name = names[row.student]
        line = f"{name:{width}}  {row.status:8}  {row.total:6g}  {len(row.waiting) or '':>7}  {remarks}"
        print(line.rstrip())
    counts = {status: sum(row.status == status for row in rows) for status in {row.status for row in rows}}
    print(", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "no submissions")
    return int("failed" in counts)


class Progress:
    """Says on the standard error output how far a class is: a bar on a terminal, elsewhere a line for each submission.

    Args:
        clock: Gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, 0.0
        self._total, self._done = 0, 0
        self._bar: Any = None

    def begin(self, total: int) -> None:
        """Begins to count."""
        self._total, self._start = total, self._clock()
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="submission", file=sys.stderr)

    def step(self, result: Result) -> None:
        """Counts a submission that is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        elif result.status != "missing":
            line = f"{self._done}/{self._total} {printable(result.student)}: {result.status}{self._left()}"
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Stops counting, also before the last."""
        if self._bar is not None:
            self._bar.close()

    def _left(self) -> str:
        """How long the rest will take, if each takes as long as those before."""
        seconds = (self._clock() - self._start) / self._done * (self._total - self._done)
        if seconds < 1:
            return ""
        return f", about {seconds:.0f} s left" if seconds < 100 else f", about {seconds / 60:.0f} min left"
