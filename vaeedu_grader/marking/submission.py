"""From a student's folder to a job: what a class's submissions have in common is read once, the rest for each."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import nbformat
from nbgrader.utils import parse_utc

import vaeedu
from vaeedu.feedback.examine import CHECKS
from vaeedu.feedback.key import read_names
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.exercise import PARTS
from vaeedu_grader.gradebook.store import Store, digest_of
from vaeedu_grader.gradebook.writer import SECRET
from vaeedu_grader.intake.files import Rejected, read_files
from vaeedu_grader.marking.job import Job
from vaeedu_grader.marking.result import VERSION
from vaeedu_grader.marking.verdicts import graded_name

_MOST_TIMESTAMP, _MOST_SECRET = 100, 1000


@dataclass(frozen=True)
class Submission:
    """What a student handed in.

    Attributes:
        job: How it is to be graded.
        digest: A hash of its files.
        timestamp: When it came, as nbgrader writes it; empty if nobody knows.
        secret: By what nbgrader's exchange gives feedback back; empty if the submission came another way.
    """

    job: Job
    digest: str
    timestamp: str
    secret: str = ""


def blank_job(
    assignment: Assignment, *, unsafe: bool = False, limits: Mapping[str, int | float] | None = None
) -> Job:
    """Returns the job of nobody in particular: all that the submissions of an assignment are graded by."""
    released = [path for path in assignment.released.iterdir() if path.is_file()]
    return Job(
        assignment=assignment.name,
        student="",
        key="",
        seed="",
        files={},
        source=assignment.notebook.read_text(encoding="utf-8"),
        described=assignment.described.read_text(encoding="utf-8"),
        own_tests=_own_tests(assignment),
        support={path.name: path.read_bytes() for path in released if path.suffix != ".ipynb"},
        unsafe=unsafe,
        limits=limits or {},
    )


def read_submission(assignment: Assignment, store: Store, student: str, blank: Job) -> Submission:
    """Reads a student's folder; what cannot be taken is a job, too, whose outcome says why."""
    try:
        files, rejected = read_files(assignment.submission(student)), ""
        timestamp = _timestamp(files.get("timestamp.txt", b""))
    except Rejected as error:
        files, rejected, timestamp = {}, str(error), ""
    secret = files.pop(SECRET, b"")[:_MOST_SECRET].decode("ascii", "replace")
    digest = digest_of(files, rejected)
    files.pop("timestamp.txt", None)
    job = replace(blank, student=student, seed=store.seed(digest), files=files, rejected=rejected)
    return Submission(replace(job, key=_key(job)), digest, timestamp, secret)


def _timestamp(data: bytes) -> str:
    """Returns when a submission came, as nbgrader can read it; empty if nobody wrote it down."""
    text = data[:_MOST_TIMESTAMP].decode("ascii", "replace").strip()
    try:
        parse_utc(text or None)
    except (ValueError, OverflowError, TypeError):
        raise Rejected("timestamp.txt must hold the time of the submission, but does not") from None
    return text


def _key(job: Job) -> str:
    """A hash of all that decides a job's outcome."""
    return hashlib.sha256(job.to_json() + json.dumps([str(VERSION), vaeedu.__version__]).encode()).hexdigest()


def _own_tests(assignment: Assignment) -> dict[str, str]:
    """The texts of an instructor's own test cells, which mark themselves.

    What the course's exercises decide needs no test in the notebook, and a student's process gets none to see.
    """
    # Read from what was baked of them: the exercises themselves import PyTorch.
    names = read_names(assignment.released / CHECKS)
    ours = {f"{name}_{part}" for name in names for part in PARTS}
    cells = nbformat.read(assignment.source, as_version=4).cells
    return {name: c.source for c in cells if (name := graded_name(c)) and name not in ours}
