"""`vaeedu grade --explain`: how a student's marks came about, from the record that grading left."""

from typing import Any

from vaeedu.feedback.wire import printable
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.store import Store


def explain(assignment: Assignment, student: str) -> str:
    """Tells a student's record as text.

    Args:
        assignment: The assignment.
        student: The student's name.

    Raises:
        ValueError: Nothing of the student's has been graded.
    """
    store = Store(assignment)
    outcome = store.outcome(student)
    if outcome is None:
        raise ValueError(
            f"student must be one whose {assignment.name} has been graded, but {student!r} is not"
        )
    in_gradebook = store.merged(student).get("key") == outcome["key"]
    lines = [
        f"{student}, {assignment.name}: {outcome['status']}",
        *(f"  {reason}" for reason in outcome["reasons"]),
        f"in the gradebook: {'yes' if in_gradebook else 'not yet'}",
        *_run_lines(outcome["record"]),
        "",
        *_mark_lines(outcome),
    ]
    return printable("\n".join(lines))


def _run_lines(record: dict[str, Any]) -> list[str]:
    lines = [f"graded: {record['started']} to {record['finished']}", f"seed: {record['seed']}"]
    if "run" in record:
        where = "WITHOUT a sandbox (--unsafe)" if record["unsafe"] else "in a sandbox"
        versions = ", ".join(f"{name} {number}" for name, number in sorted(record["versions"].items()))
        slowest = max(record["cells"], key=lambda cell: cell["seconds"], default={"id": "", "seconds": 0.0})
        lines += [
            f"run {where}: {record['run']} after {record['seconds']:.1f} s, "
            f"the longest cell was {slowest['id']} with {slowest['seconds']:.1f} s",
            f"limits reached: {', '.join(record['limits_hit']) or 'none'}",
            f"versions: {versions}",
        ]
    return lines


def _mark_lines(outcome: dict[str, Any]) -> list[str]:
    verdicts, own = outcome["record"]["verdicts"], set(outcome["record"]["own_tests"])
    lines = []
    for name, score in outcome["scores"].items():
        points = "by hand" if score is None else f"{score:g}"
        aside = "  (marks itself: an instructor's own test)" if name in own else ""
        lines.append(f"{points:>8}  {name}{aside}")
        message = verdicts.get(name, {}).get("message", "")
        lines += [f"          {line}" for line in message.splitlines()]
    return lines
