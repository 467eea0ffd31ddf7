"""`vaeedu grade`: a whole class's submissions, each graded in a process of its own, one writer for the gradebook."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.utils import parse_utc

import vaeedu
from vaeedu_grader.authoring.course import exercises, exercises_file
from vaeedu_grader.authoring.exercise import PARTS
from vaeedu_grader.gradebook.classroom import Classroom
from vaeedu_grader.gradebook.nbgrader import GradingError
from vaeedu_grader.gradebook.store import Store, digest_of
from vaeedu_grader.gradebook.writer import Writer
from vaeedu_grader.intake.files import Rejected, read_files
from vaeedu_grader.marking.job import Job, failed
from vaeedu_grader.marking.pool import Done, run_cluster, run_local
from vaeedu_grader.marking.verdicts import graded_name
from vaeedu_grader.sandbox.bubble import program

# Raised whenever the same submission would be graded differently: all are graded again then.
_VERSION = 2
_MOST_TIMESTAMP = 100


@dataclass(frozen=True)
class Settings:
    """How a class is graded.

    Attributes:
        students: Whose submissions; None for everybody's.
        workers: How many processes of this machine work at a time.
        cluster: A Dask scheduler's address, to use instead; empty for none.
        unsafe: Whether to run without a sandbox.
        limits: The sandbox's limits that differ from the usual ones.
    """

    students: tuple[str, ...] | None = None
    workers: int = 1
    cluster: str = ""
    unsafe: bool = False
    limits: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Result:
    """What a student's submission came to.

    Attributes:
        student: Whose it is.
        status: "graded", "flagged", "rejected", "failed" or "missing".
        scores: Points by test cell and written answer, without those that wait for marking by hand.
        waiting: The names of what waits for marking by hand.
        reasons: What the instructor should know.
    """

    student: str
    status: str
    scores: dict[str, float]
    waiting: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum of the points given so far."""
        return sum(self.scores.values())


@dataclass(frozen=True)
class _Submission:
    job: Job
    digest: str
    timestamp: str


def grade_class(course: Path, assignment: str, settings: Settings | None = None) -> Iterator[Result]:
    """Grades the submissions of an assignment, and yields each student's result when the gradebook has it.

    What has been graded before, by the same source, is not graded again. Killed at any point and started again, it ends
    with the same gradebook.

    Args:
        course: The course's folder.
        assignment: The assignment's name.
        settings: Whose submissions, and how.

    Raises:
        ValueError: There is no such assignment or student, or another run is going on.
        SandboxError: No sandbox can be made on this machine.
        GradingError: nbgrader refused the assignment.
    """
    settings = settings or Settings()
    exercises_file(course, assignment)
    if not settings.unsafe and not settings.cluster:
        program()  # says how to install it where it is missing
    room = Classroom(course, assignment)
    store = Store(room.folder, assignment)
    with store.only_writer(), Writer(course, assignment) as writer:
        room.generate_if_needed(writer.has_assignment())
        submissions = _submissions(course, room, store, settings)
        missing = _missing(room, settings, submissions)
        todo = []
        for student, submission in submissions.items():
            outcome = store.outcome(student)
            if outcome is not None and outcome["key"] == submission.job.key and outcome["status"] != "failed":
                yield _merged(writer, store, submission, outcome)
            else:
                todo.append(submission.job)
                if store.merged(student).get("digest") != submission.digest:
                    writer.invalidate(student)
        for done in _run(todo, settings):
            outcome = _read(done)
            store.save(outcome)
            yield _merged(writer, store, submissions[done.job.student], outcome)
        yield from (Result(student, "missing", {}, (), ("nothing submitted",)) for student in missing)


def grade_one(course: Path, assignment: str, student: str) -> dict[str, Any]:
    """Grades one submission for nbgrader's own `autograde`, which then writes the gradebook itself.

    Returns:
        The outcome.
    """
    room = Classroom(course, assignment)
    store = Store(room.folder, assignment)
    with store.only_writer(), Writer(course, assignment) as writer:
        room.generate_if_needed(writer.has_assignment())
        submission = _submissions(course, room, store, Settings(students=(student,)))[student]
        outcome = store.outcome(student)
        if outcome is None or outcome["key"] != submission.job.key or outcome["status"] == "failed":
            (done,) = run_local([submission.job], 1)
            outcome = _read(done)
            store.save(outcome)
        if store.merged(student).get("digest") != submission.digest:
            writer.take_back(outcome)
        if not submission.timestamp:
            writer.forget_time(student)
        store.set_merged(outcome, submission.digest)
        return outcome


def _read(done: Done) -> dict[str, Any]:
    if not done.outcome:
        return failed(done.job, "its process ended without an outcome")
    outcome: dict[str, Any] = json.loads(done.outcome)
    return outcome


def _run(jobs: Sequence[Job], settings: Settings) -> Iterator[Done]:
    if not jobs:
        return iter(())
    if settings.cluster:
        return run_cluster(jobs, settings.cluster)
    return run_local(jobs, settings.workers)


def _merged(writer: Writer, store: Store, submission: _Submission, outcome: dict[str, Any]) -> Result:
    """Brings the gradebook up to date; what nbgrader refuses of one student's must not stop the others."""
    try:
        _merge(writer, store, submission, outcome)
    except GradingError as error:
        return Result(outcome["student"], "failed", {}, (), (f"the gradebook does not take it: {error}",))
    return _result(outcome)


def _merge(writer: Writer, store: Store, submission: _Submission, outcome: dict[str, Any]) -> None:
    """Brings the gradebook up to date with an outcome, unless it is already."""
    note = store.merged(outcome["student"])
    if note.get("key") == outcome["key"] and writer.agrees(outcome, submission.timestamp):
        return
    is_new = note.get("digest") != submission.digest
    writer.merge(outcome, timestamp=submission.timestamp, is_new=is_new)
    store.set_merged(outcome, submission.digest)


def _result(outcome: dict[str, Any]) -> Result:
    scores = {name: float(score) for name, score in outcome["scores"].items() if score is not None}
    waiting = tuple(name for name, score in outcome["scores"].items() if score is None)
    return Result(outcome["student"], outcome["status"], scores, waiting, tuple(outcome["reasons"]))


def _submissions(course: Path, room: Classroom, store: Store, settings: Settings) -> dict[str, _Submission]:
    """Reads the submissions there are, or of the students asked for."""
    folders = {path.parent.name: path for path in (room.folder / "submitted").glob(f"*/{room.assignment}")}
    for student in settings.students or ():
        if student not in folders and student not in room.students():
            raise ValueError(f"student must be one with a submission or in the roster, but is {student!r}")
    described = exercises_file(course, room.assignment)
    source = (room.released / f"{room.assignment}.ipynb").read_text(encoding="utf-8")
    own_tests = _own_tests(course, room.assignment)
    support = {
        p.name: p.read_bytes() for p in room.released.iterdir() if p.is_file() and p.suffix != ".ipynb"
    }
    found = {}
    for student in sorted(folders):
        if settings.students is not None and student not in settings.students:
            continue
        try:
            files, rejected = read_files(folders[student]), ""
            timestamp = _timestamp(files.get("timestamp.txt", b""))
        except Rejected as error:
            files, rejected, timestamp = {}, str(error), ""
        digest = digest_of(files, rejected)
        files.pop("timestamp.txt", None)
        job = Job(
            assignment=room.assignment,
            student=student,
            key="",
            seed=store.seed(digest),
            files=files,
            source=source,
            own_tests=own_tests,
            described=described.read_text(encoding="utf-8"),
            support=support,
            rejected=rejected,
            unsafe=settings.unsafe,
            limits=dict(settings.limits),
        )
        found[student] = _Submission(_with_key(job), digest, timestamp)
    return found


def _timestamp(data: bytes) -> str:
    """Returns when a submission came, as nbgrader can read it; empty if nobody wrote it down."""
    text = data[:_MOST_TIMESTAMP].decode("ascii", "replace").strip()
    try:
        parse_utc(text or None)
    except (ValueError, OverflowError, TypeError):
        raise Rejected("timestamp.txt must hold the time of the submission, but does not") from None
    return text


def _with_key(job: Job) -> Job:
    parts = [str(_VERSION), vaeedu.__version__]
    total = hashlib.sha256(job.to_json() + json.dumps(parts).encode())
    return Job(**{**{name: getattr(job, name) for name in asdict(job)}, "key": total.hexdigest()})


def _own_tests(course: Path, assignment: str) -> dict[str, str]:
    """The texts of an instructor's own test cells, which mark themselves.

    What the course's exercises decide needs no test in the notebook, and a student's process gets none to see.
    """
    path = course / "solutions" / assignment / f"{assignment}.ipynb"
    ours = {f"{name}_{part}" for name in exercises(course, assignment) for part in PARTS}
    cells = nbformat.read(path, as_version=4).cells
    return {name: c.source for c in cells if (name := graded_name(c)) and name not in ours}


def _missing(room: Classroom, settings: Settings, submissions: dict[str, _Submission]) -> list[str]:
    asked = room.students() if settings.students is None else set(settings.students)
    return sorted(asked - submissions.keys())
