"""`vaeedu grade`: a whole class's submissions, each graded in a process of its own, one writer for the gradebook."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.classroom import Classroom
from vaeedu_grader.gradebook.nbgrader import GradingError
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.gradebook.writer import Writer
from vaeedu_grader.marking.job import Job, failed
from vaeedu_grader.marking.pool import Done, run_cluster, run_local
from vaeedu_grader.marking.result import Result, Settings
from vaeedu_grader.marking.submission import Submission, blank_job, read_submission
from vaeedu_grader.marking.unchanged import Before
from vaeedu_grader.sandbox.bubble import program

__all__ = ["Result", "Settings", "grade_class", "grade_one"]


def grade_class(
    assignment: Assignment,
    settings: Settings | None = None,
    begin: Callable[[int], object] = lambda total: None,
) -> Iterator[Result]:
    """Grades the submissions of an assignment, and yields each student's result when the gradebook has it.

    What has been graded before, by the same source, is not graded again. Killed at any point and started again, it ends
    with the same gradebook.

    Args:
        assignment: The assignment.
        settings: Whose submissions, and how.
        begin: Called once, with how many results there will be.

    Raises:
        ValueError: There is no such student, or another run is going on.
        SandboxError: No sandbox can be made on this machine.
        GradingError: nbgrader refused the assignment.
    """
    settings = settings or Settings()
    if not settings.unsafe and not settings.cluster:
        program()  # says how to install it where it is missing
    results: list[Result] = []
    before = Before(assignment, settings)
    for result in _graded(assignment, settings, begin):
        results.append(result)
        yield result
    before.remember(results)


def _graded(assignment: Assignment, settings: Settings, begin: Callable[[int], object]) -> Iterator[Result]:
    with _class(assignment) as (room, store, writer):
        submissions = _submissions(assignment, room, store, settings)
        missing = _missing(room, settings, submissions)
        same = _same_files(
            assignment.notebook.read_bytes(),
            {student: each.job.files for student, each in submissions.items()},
        )
        begin(len(submissions) + len(missing))
        todo = []
        for student, submission in submissions.items():
            outcome = None if student in settings.again else _known(store, submission)
            if outcome is not None:
                yield _remarked(_merged(writer, store, submission, outcome), same)
            else:
                todo.append(submission.job)
                if store.merged(submission.job.student).get("digest") != submission.digest:
                    writer.invalidate(submission.job.student)
        for done in _run(todo, settings):
            outcome = _kept(store, done, submissions[done.job.student])
            yield _remarked(_merged(writer, store, submissions[done.job.student], outcome), same)
        yield from (Result(student, "missing", {}, (), ("nothing submitted",)) for student in missing)


def grade_one(assignment: Assignment, student: str) -> dict[str, Any]:
    """Grades one submission for nbgrader's own `autograde`, which then writes the gradebook itself.

    Returns:
        The outcome.
    """
    with _class(assignment) as (room, store, writer):
        submission = _submissions(assignment, room, store, Settings(students=(student,)))[student]
        outcome = _known(store, submission)
        if outcome is None:
            (done,) = run_local([submission.job], 1)
            outcome = _kept(store, done, submission)
        if store.merged(student).get("digest") != submission.digest:
            writer.take_back(outcome)
            writer.flag(outcome)
        if not submission.timestamp:
            writer.forget_time(student)
        store.set_merged(outcome, submission.digest)
        return outcome


@contextlib.contextmanager
def _class(assignment: Assignment) -> Iterator[tuple[Classroom, Store, Writer]]:
    """The class, ready to be graded, for one run at a time."""
    room, store = Classroom(assignment), Store(assignment)
    with store.only_writer(), Writer(assignment) as writer:
        room.generate_if_needed(writer.has_assignment())
        yield room, store, writer


def _known(store: Store, submission: Submission) -> dict[str, Any] | None:
    """The outcome of an earlier run, if it is one of this very job."""
    outcome = store.outcome(submission.job.student)
    fits = outcome is not None and outcome["key"] == submission.job.key and outcome["status"] != "failed"
    return outcome if fits else None


def _kept(store: Store, done: Done, submission: Submission) -> dict[str, Any]:
    """The outcome of a job that was just done, written down, with how many submissions there have been and when."""
    outcome: dict[str, Any] = failed(done.job, "its process ended without an outcome")
    if done.outcome:
        outcome = json.loads(done.outcome)
    before = (store.outcome(done.job.student) or {}).get("record", {})
    others = before.get("attempts", 0) - (before.get("seed") == done.job.seed)
    outcome["record"] |= {"attempts": max(others, 0) + 1, "handed_in": submission.timestamp}
    store.save(outcome)
    return outcome


def _run(jobs: Sequence[Job], settings: Settings) -> Iterator[Done]:
    if not jobs:
        return iter(())
    if settings.cluster:
        return run_cluster(jobs, settings.cluster)
    return run_local(jobs, settings.workers)


def _merged(writer: Writer, store: Store, submission: Submission, outcome: dict[str, Any]) -> Result:
    """Brings the gradebook up to date; what nbgrader refuses of one student's must not stop the others."""
    try:
        _merge(writer, store, submission, outcome)
    except GradingError as error:
        return Result(outcome["student"], "failed", {}, (), (f"the gradebook does not take it: {error}",))
    return _result(outcome)


def _merge(writer: Writer, store: Store, submission: Submission, outcome: dict[str, Any]) -> None:
    """Brings the gradebook up to date with an outcome, unless it is already."""
    note = store.merged(outcome["student"])
    if note.get("key") == outcome["key"] and writer.agrees(outcome, submission.timestamp, submission.secret):
        return
    is_new = note.get("digest") != submission.digest
    writer.merge(outcome, timestamp=submission.timestamp, secret=submission.secret, is_new=is_new)
    store.set_merged(outcome, submission.digest)


def _result(outcome: dict[str, Any]) -> Result:
    scores = {name: float(score) for name, score in outcome["scores"].items() if score is not None}
    waiting = tuple(name for name, score in outcome["scores"].items() if score is None)
    return Result(outcome["student"], outcome["status"], scores, waiting, tuple(outcome["reasons"]))


def _submissions(
    assignment: Assignment, room: Classroom, store: Store, settings: Settings
) -> dict[str, Submission]:
    """Reads the submissions there are, or of the students asked for."""
    folders = assignment.classroom.glob(f"submitted/*/{assignment.name}")
    present = sorted(path.parent.name for path in folders)
    for student in settings.students or ():
        if student not in present and student not in room.students():
            raise ValueError(f"student must be one with a submission or in the roster, but is {student!r}")
    asked = [name for name in present if settings.students is None or name in settings.students]
    blank = blank_job(assignment, unsafe=settings.unsafe, limits=dict(settings.limits))
    return {student: read_submission(assignment, store, student, blank) for student in asked}


def _same_files(untouched: bytes, handed_in: Mapping[str, Mapping[str, bytes]]) -> dict[str, str]:
    """For each student whose notebook is another's byte for byte, a remark; the untouched one is nobody's work."""
    owners: dict[bytes, list[str]] = {}
    for student, files in handed_in.items():
        for data in {data for name, data in files.items() if name.lower().endswith(".ipynb")} - {untouched}:
            owners.setdefault(data, []).append(student)
    return {
        student: f"the same notebook, byte for byte, as {', '.join(other for other in same if other != student)}"
        for same in owners.values()
        for student in same
        if len(same) > 1
    }


def _remarked(result: Result, remarks: dict[str, str]) -> Result:
    more = (remarks[result.student],) if result.student in remarks else ()
    return replace(result, reasons=(*result.reasons, *more))


def _missing(room: Classroom, settings: Settings, submissions: dict[str, Submission]) -> list[str]:
    asked = room.students() if settings.students is None else set(settings.students)
    return sorted(asked - submissions.keys())
