"""What `vaeedu grade` prints: a progress bar while it works, then a table and a summary."""

import sys
from collections.abc import Iterator

from vaeedu_grader.marking.grade import Result


def print_class(results: Iterator[Result], count: int | None = None) -> int:
    """Prints results as a table with a summary, and a progress bar on a terminal.

    Returns:
        The exit code: 0 if every submission has a status other than "failed", else 1.
    """
    from tqdm import tqdm

    rows = list(tqdm(results, total=count, unit="submission", disable=None, file=sys.stderr))
    width = max([len(row.student) for row in rows], default=7)
    print(f"{'student':{width}}  status    points  by hand  remarks")
    for row in sorted(rows, key=lambda row: row.student):
        remarks = "; ".join(row.reasons)
        line = (
            f"{row.student:{width}}  {row.status:8}  {row.total:6g}  {len(row.waiting) or '':>7}  {remarks}"
        )
        print(line.rstrip())
    counts = {status: sum(row.status == status for row in rows) for status in {row.status for row in rows}}
    print(", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "no submissions")
    return int("failed" in counts)
