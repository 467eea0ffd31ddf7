"""The grader itself, graded: does it decide rightly about every known mistake and every other right solution?

The i-th mistakes of an assignment's exercises share a submission, and so do the i-th alternatives. Each test cell is a
decision: its points must be right, and where a mistake costs them, the message must be that mistake's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.answered import filled_in, source_of
from vaeedu_grader.authoring.exercise import PARTS, Exercise, Wrong
from vaeedu_grader.gradebook.classroom import Classroom
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.intake.files import take_notebook
from vaeedu_grader.intake.needed import needed
from vaeedu_grader.intake.rebuild import rebuild
from vaeedu_grader.marking.grade import grade_class
from vaeedu_grader.marking.result import Settings
from vaeedu_grader.marking.verdicts import cells_to_run, graded_name, make_keys, mark
from vaeedu_grader.sandbox import Cell, Limits, Run, run_cells

# What is not asked here: how long it takes when many submissions are run one after another.
_LIMITS = Limits(
    wall_seconds=7200.0, cpu_seconds=7200, cell_seconds=1200.0, grace_seconds=60.0, total_output_bytes=2**28
)
# A notebook begins with nothing of the one before it.
_FORGET = "get_ipython().reset(new_session=False)"
# Forgetting ends with a search for garbage, which shall not go through all that is imported each time.
_SETTLE = "__import__('gc').freeze()"


@dataclass(frozen=True)
class Decision:
    """What the grader decided about one test cell, and what it should have decided."""

    assignment: str
    solution: str
    cell: str
    expected: float
    actual: float
    message: str
    told: str

    @property
    def is_right(self) -> bool:
        """Whether the points are right, and what was said is what the mistake calls for."""
        return self.actual == self.expected and self.told == self.message


def decisions(assignment: Assignment, settings: Settings, *, only: slice = slice(None)) -> Iterator[Decision]:
    """Hands in every mistake and every alternative, grades them as a class's, and yields each decision.

    Args:
        assignment: The assignment; its classroom must be empty.
        settings: How to grade.
        only: Which of the submissions to take.
    """
    packs = dict(list(_packs(assignment.exercises).items())[only])
    Classroom(assignment).generate()
    for student, pack in packs.items():
        folder = assignment.submission(student)
        folder.mkdir(parents=True)
        nbformat.write(_answered(assignment, pack), folder / assignment.file)
    store = Store(assignment)
    for result in grade_class(assignment, settings):
        verdicts = (store.outcome(result.student) or {})["record"].get("verdicts", {})
        messages = {name: verdict["message"] for name, verdict in verdicts.items()}
        yield from _decisions(assignment, packs[result.student], result.scores, messages)


def decisions_in_one_sandbox(assignment: Assignment, seed: bytes) -> Iterator[Decision]:
    """Takes the same submissions the same way, but all to one sandbox, and with one set of fresh inputs.

    Most of a submission's time is that of its sandbox's start. Each is taken in, rebuilt, run without the names of the
    others, asked, marked and scored as in a class. What is left out is the class (folders, jobs, gradebook) and those
    cells of the assignment's that no answer needs: what they draw and train would be the same each time.

    Args:
        assignment: The assignment; its class, if there is one, is left alone.
        seed: What the fresh inputs are drawn from.
    """
    packs = list(_packs(assignment.exercises).values())
    keys = make_keys(assignment.exercises, seed)
    notebooks = [_taken(assignment, pack) for pack in packs]
    cells = [Cell("settle", _SETTLE)] + [
        Cell(_within(number, cell.id), cell.source)
        for number, notebook in enumerate(notebooks)
        for cell in (Cell("forget", _FORGET), *cells_to_run(notebook, keys))
    ]
    files = {path.name: path.read_bytes() for path in assignment.published.parent.glob("*.json")}
    run = run_cells(cells, files=files, limits=_LIMITS, sealed=assignment.sealed)
    for number, (pack, notebook) in enumerate(zip(packs, notebooks, strict=True)):
        verdicts = mark(notebook, _part(run, number), keys)
        scores = {name: float(determine_grade(c)[0]) for c in notebook.cells if (name := graded_name(c))}
        messages = {name: verdict.message for name, verdict in verdicts.items()}
        yield from _decisions(assignment, pack, scores, messages)


def _answered(assignment: Assignment, pack: Mapping[str, Wrong]) -> NotebookNode:
    """A submission: the published notebook with a pack's solutions in it."""
    answers = {name: source_of(solution.function, name) for name, solution in pack.items()}
    return filled_in(assignment.published, answers)


def _taken(assignment: Assignment, pack: Mapping[str, Wrong]) -> NotebookNode:
    """A submission when it has been taken in and rebuilt, without the cells that no answer needs."""
    files = {assignment.file: nbformat.writes(_answered(assignment, pack)).encode()}
    source = _answered(assignment, {})
    notebook = rebuild(source, take_notebook(files, source, assignment.name).notebook).notebook
    given = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    notebook.cells = needed(given, lambda cell: bool(graded_name(cell) or cell.metadata.nbgrader.solution))
    return notebook


def _within(number: int, cell: str) -> str:
    return f"{number}/{cell}"


def _part(run: Run, number: int) -> Run:
    """One notebook's part of a run of several."""
    start = _within(number, "")
    ours = [cell for cell in run.cells if cell.id.startswith(start)]
    return replace(run, cells=tuple(replace(cell, id=cell.id.removeprefix(start)) for cell in ours))


def _packs(described: Mapping[str, Exercise]) -> dict[str, dict[str, Wrong]]:
    """Submissions by name, each with a solution for some exercises; a right one is a mistake that loses nothing."""
    found = {}
    for kind in ("wrong", "right"):
        columns = [[(name, s) for s in _solutions(exercise, kind)] for name, exercise in described.items()]
        for number, row in enumerate(zip_longest(*columns)):
            found[f"{kind}{number}"] = dict(entry for entry in row if entry)
    return found


def _solutions(exercise: Exercise, kind: str) -> list[Wrong]:
    if kind == "wrong":
        return list(exercise.wrong)
    return [Wrong(function, "", ()) for function in (exercise.reference, *exercise.alternatives)]


def _decisions(
    assignment: Assignment,
    pack: Mapping[str, Wrong],
    scores: Mapping[str, float],
    messages: Mapping[str, str],
) -> Iterator[Decision]:
    for name, solution in pack.items():
        for part in PARTS:
            cell, loses = f"{name}_{part}", part in solution.loses
            said = messages.get(cell, "nothing")
            yield Decision(
                assignment=assignment.name,
                solution=getattr(solution.function, "__name__", "?"),
                cell=cell,
                expected=0.0 if loses else float(assignment.exercises[name].points[part]),
                actual=scores.get(cell, -1.0),
                message=solution.message if loses else "",
                told=said.partition("\n")[2] if said else "",
            )
