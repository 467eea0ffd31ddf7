"""Grading one submission: from its files to a marked notebook and a record, as plain data in both directions.

A job holds all that it needs, runs in a process of its own, touches no gradebook and no other submission, and gives the
same marks whenever and wherever it runs. `python -m vaeedu_grader.marking.job` reads a job and writes its outcome.
"""

import ast
import base64
import contextlib
import json
import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import nbformat

from vaeedu.feedback.judge import Verdict
from vaeedu.feedback.wire import printable
from vaeedu_grader.authoring.course import read_exercises
from vaeedu_grader.authoring.exercise import PARTS, Exercise
from vaeedu_grader.intake.brought import brought_along
from vaeedu_grader.intake.files import Rejected, take_notebook
from vaeedu_grader.intake.rebuild import rebuild
from vaeedu_grader.marking.verdicts import (
    cells_of_one,
    cells_to_run,
    graded_name,
    lost_to_a_limit,
    make_keys,
    mark,
    mark_again,
    refuse,
    seconds_of_test,
)
from vaeedu_grader.sandbox import Cell, Limits, Prepared, Run, run_cells
from vaeedu_grader.sandbox.launch import INSIDE
from vaeedu_grader.sandbox.zygote import Zygote, started

# An interrupted cell has this long to write its traceback, which takes seconds where many jobs share a processor.
_GRACE_SECONDS = 20.0
# Processor time runs faster than time does where a student starts threads; it must not be up before that is.
_THREADS = 4
STATUSES = ("graded", "flagged", "rejected", "failed")


@dataclass(frozen=True)
class Job:
    """One submission to grade.

    Attributes:
        assignment: The assignment's name.
        student: The student's name.
        key: What decides the outcome, as a hash; an outcome with the same key need not be made again.
        seed: What the fresh inputs are drawn from, hexadecimal.
        files: The submission's files by name.
        source: The released notebook, JSON.
        own_tests: The text of an instructor's own test cells, with what is hidden from students.
        described: The text of the assignment's file in `exercises/`.
        support: Other files of the assignment, for the notebook to read.
        rejected: Why the submission is not taken, found while reading its files; empty if it is.
        unsafe: Whether to run without a sandbox.
        limits: Limits that differ from the usual ones.
    """

    assignment: str
    student: str
    key: str
    seed: str
    files: Mapping[str, bytes]
    source: str
    described: str
    own_tests: Mapping[str, str] = field(default_factory=dict)
    support: Mapping[str, bytes] = field(default_factory=dict)
    rejected: str = ""
    unsafe: bool = False
    limits: Mapping[str, int | float] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Writes the job as JSON."""
        return json.dumps(
            {**asdict(self), "files": _text(self.files), "support": _text(self.support)}
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Job":
        """Reads back what `to_json` wrote."""
        value = json.loads(data)
        return cls(**{**value, "files": _bytes(value["files"]), "support": _bytes(value["support"])})


def grade(
    job: Job, wait: Callable[[], object] = lambda: None, zygote: Zygote | None = None
) -> dict[str, Any]:
    """Grades a submission.

    Args:
        job: The submission and what it is graded by.
        wait: Called when everything is ready and before anything of the student's is run: returns when it may be.
        zygote: What the program in the sandbox is to be a fork of, from `zygote_for` such a job; None for none.

    Returns:
        The outcome, plain JSON: student, status (one of `STATUSES`), reasons, the marked notebook, the scores by test
        cell (None where somebody must mark by hand), and the record: times, versions, limits hit, seed, verdicts.
    """
    started = datetime.now(UTC)
    source = nbformat.reads(job.source, as_version=4)
    try:
        if job.rejected:
            raise Rejected(job.rejected)
        submitted = take_notebook(job.files, source, job.assignment)
    except Rejected as rejected:
        refuse(source, f"This submission could not be graded: {rejected}")
        return _outcome(job, "rejected", [str(rejected)], source, {}, started)
    rebuilt = rebuild(source, submitted.notebook)
    notebook = rebuilt.notebook
    for cell in notebook.cells:
        cell.source = job.own_tests.get(graded_name(cell), cell.source)
    verdicts, run, again = _run(job, source, notebook, wait, zygote)
    reasons = [*submitted.notes, *rebuilt.flags, *_remarks(run), *again]
    outcome = _outcome(job, "flagged" if reasons else "graded", reasons, notebook, verdicts, started)
    outcome["record"] |= {
        "run": run.status,
        "limits_hit": list(run.limits_hit),
        "seconds": round(run.seconds, 3),
        "versions": dict(run.versions),
        "unsafe": run.unsafe,
        "cells": [{"id": c.id, "status": c.status, "seconds": round(c.seconds, 3)} for c in run.cells],
    }
    return outcome


def failed(job: Job, reason: str) -> dict[str, Any]:
    """Returns the outcome of a job that could not be done, through no fault of the student's."""
    source = nbformat.reads(job.source, as_version=4)
    refuse(source, "This submission has not been graded yet.")
    return _outcome(job, "failed", [reason], source, {}, datetime.now(UTC))


def zygote_for(job: Job) -> AbstractContextManager[Zygote]:
    """Starts a process from which the sandboxes of this job, and of all others by the same sources, can be forked.

    What is described is read but not run, which may go wrong: that is for a process of the job's own. Where it says
    otherwise then what is sealed, the job's sandbox does without.
    """
    return started(_imports(job), INSIDE, sealed=_said_to_be_sealed(job.described))


def _said_to_be_sealed(described: str) -> tuple[str, ...]:
    """The library's modules that are sealed, where that is written out."""
    found: tuple[str, ...] = ()
    with contextlib.suppress(SyntaxError, ValueError, TypeError):
        for node in ast.parse(described).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SEALED":
                found = tuple(f"vaeedu.{name}" for name in ast.literal_eval(node.value))
    return found


def trial(job: Job, zygote: Zygote) -> str:
    """Returns why this machine cannot fork a sandbox from a zygote; empty if it can."""
    with Prepared(sealed=zygote.sealed, imports=_imports(job), zygote=zygote) as prepared:
        prepared.wait()
        return prepared.why_alone


def _run(
    job: Job, source: Any, notebook: Any, wait: Callable[[], object], zygote: Zygote | None
) -> tuple[dict[str, Verdict], Run, list[str]]:
    """Runs and marks a notebook; returns the verdicts, the run, and what to say of a second try."""
    described, sealed = read_exercises(f"exercises/{job.assignment}.py", job.described)
    limits, imports = _limits(job, described), _imports(job)
    beside, brought = _without_the_library(_beside(job.files), notebook, sealed)
    files = {**beside, **job.support}
    prepare = partial(Prepared, limits, sealed=sealed, unsafe=job.unsafe, imports=imports, zygote=zygote)
    with prepare() as prepared:
        keys = make_keys(described, bytes.fromhex(job.seed))
        prepared.wait()
        wait()
        run = run_cells(_timed(job, cells_to_run(notebook, keys)), files=files, prepared=prepared)
    verdicts, remarks = mark(notebook, run, keys), brought
    # What one exercise uses up may not cost another its points: each is tried again, with a sandbox of its own.
    for exercise, what in lost_to_a_limit(run, notebook, keys).items():
        with prepare() as prepared:
            cells = _timed(job, cells_of_one(notebook, source, keys, exercise))
            alone = run_cells(cells, files=files, prepared=prepared)
        found = mark_again(notebook, alone, keys)
        verdicts |= found
        right = all(verdicts[f"{exercise}_{part}"].passed for part in PARTS)
        remarks.append(f"{exercise} {what}: tried again by itself, {'right' if right else 'not right'}")
        ended = [cell.id for cell in alone.cells if cell.status == "ended"]
        if ended and not any(
            keys[name].name == exercise for name in _test_names(notebook, ended) if name in keys
        ):
            break  # it is no exercise that ends the notebook, and so it will again
    return verdicts, run, remarks


def _timed(job: Job, cells: list[Cell]) -> list[Cell]:
    """Cells with a time of their own, unless the job says how long each may take."""
    return [cell._replace(seconds=None) for cell in cells] if "cell_seconds" in job.limits else cells


def _test_names(notebook: Any, ids: list[str]) -> list[str]:
    return [graded_name(cell) for cell in notebook.cells if cell.id in ids]


def _imports(job: Job) -> tuple[str, ...]:
    """What the released notebook imports, and its test cells: the sandbox does so while it waits for the submission."""
    found = dict.fromkeys(["sandbox_inside.emit"])
    for cell in nbformat.reads(job.source, as_version=4).cells:
        if cell.cell_type == "code":
            with contextlib.suppress(
                SyntaxError
            ):  # a cell with magics: what it imports, it will import itself
                found |= dict.fromkeys(_imported(ast.parse(cell.source)))
    return tuple(found)


def own_imports(job: Job) -> tuple[str, ...]:
    """What the description of the exercises imports, and so whoever grades by it."""
    with contextlib.suppress(SyntaxError):  # the job will say so
        return tuple(dict.fromkeys(_imported(ast.parse(job.described))))
    return ()


def _imported(tree: ast.AST) -> Iterator[str]:
    """The names that import statements give; what follows `from … import` may be a module, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _limits(job: Job, described: Mapping[str, Exercise]) -> Limits:
    """The time for all cells is the sum of what each may take: whatever is stopped has used up nobody else's.

    A student's own additional cells have no part in the sum, which would otherwise be theirs to choose.
    """
    tests = [seconds_of_test(e.seconds, len(e.cases[part])) for e in described.values() for part in PARTS]
    grace = job.limits.get("grace_seconds", _GRACE_SECONDS)
    source = nbformat.reads(job.source, as_version=4).cells
    others = [Limits.cell_seconds] * (sum(cell.cell_type == "code" for cell in source) - len(tests))
    wall = sum(job.limits.get("cell_seconds", seconds) + grace for seconds in [*tests, *others])
    limits = {
        "grace_seconds": grace,
        "wall_seconds": wall,
        "cpu_seconds": math.ceil(_THREADS * wall),
        **job.limits,
    }
    return Limits(**limits)  # type: ignore[arg-type]


def _beside(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a student has sent with the notebook, for it to read; the assignment's own files come before these."""
    return {name: data for name, data in files.items() if not name.lower().endswith(".ipynb")}


def _without_the_library(
    files: Mapping[str, bytes], notebook: Any, sealed: Collection[str]
) -> tuple[dict[str, bytes], list[str]]:
    """Leaves out files with the library's own code of what an exercise asks for; says so, and of cells that have it."""
    texts = {name: data.decode("utf-8", "replace") for name, data in files.items()}
    found = brought_along(texts, sealed)
    remarks = [
        f"{name} holds the library's own code ({what}), which the exercise asks for: left out"
        for name, what in found.items()
    ]
    cells = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}
    remarks += [
        f"{cell} holds the library's own code ({what}), which the exercise asks for: look at it"
        for cell, what in brought_along(cells, sealed).items()
    ]
    return {name: data for name, data in files.items() if name not in found}, remarks


def _remarks(run: Run) -> list[str]:
    last = [cell.id for cell in run.cells if cell.status == "ended"]
    where = f" in {last[0]}" if last else ""
    ended = [] if run.status == "finished" else [f"the notebook was ended early: {run.status}{where}"]
    slow = [cell.id for cell in run.cells if cell.status == "interrupted"]
    places = {"cell_seconds": f" in {', '.join(slow)}"} if slow else {}
    return ended + [f"limit reached: {name}{places.get(name, '')}" for name in run.limits_hit]


def _outcome(
    job: Job,
    status: str,
    reasons: list[str],
    notebook: Any,
    verdicts: Mapping[str, Verdict],
    started: datetime,
) -> dict[str, Any]:
    from nbgrader.utils import determine_grade

    graded = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")]
    # One line each, that cannot steer the terminal it is shown in.
    reasons = [" ".join(printable(reason).split()) for reason in reasons]
    notebook.metadata["vaeedu"] = {"status": status, "reasons": reasons}
    return {
        "student": job.student,
        "assignment": job.assignment,
        "key": job.key,
        "status": status,
        "reasons": reasons,
        "scores": {c.metadata.nbgrader.grade_id: determine_grade(c)[0] for c in graded},
        "notebook": notebook,
        "record": {
            "seed": job.seed,
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "verdicts": {name: asdict(verdict) for name, verdict in verdicts.items()},
            "own_tests": [n for c in graded if (n := graded_name(c)) in job.own_tests],
        },
    }


def _text(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(data).decode() for name, data in files.items()}


def _bytes(files: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(data) for name, data in files.items()}


def work(data: bytes, wait: Callable[[], object] = lambda: None, zygote: Zygote | None = None) -> bytes:
    """Grades a job given as JSON, and returns the outcome as JSON; a fault of the course's is an outcome, too."""
    job = Job.from_json(data)
    try:
        outcome = grade(job, wait, zygote)
    except Exception as error:  # whatever happens here is no reason to stop the others
        outcome = failed(job, f"{type(error).__name__}: {error}")
    return json.dumps(outcome).encode()


if __name__ == "__main__":
    # Whatever is printed while grading must not mix with the outcome.
    output, sys.stdout = sys.stdout.buffer, sys.stderr
    output.write(work(sys.stdin.buffer.read()))
