"""From a rebuilt notebook to a marked one: what to ask in the sandbox, and what its answers are worth.

Marks are written as nbgrader expects them, in the test cells' outputs: an error there costs the cell's points, anything
else gives them.
"""

import copy
import hmac
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

from vaeedu.feedback.judge import Verdict, judge
from vaeedu.feedback.key import AnswerKey
from vaeedu.feedback.wire import pack_cases, unpack_answers
from vaeedu_grader.authoring.exercise import PARTS, Exercise, fresh_key
from vaeedu_grader.intake.needed import needed
from vaeedu_grader.sandbox import Cell, CellResult, Limits, Run

# What is said of a marked cell from which no answers came, by how its run ended.
_NO_ANSWERS = {
    "interrupted": "it was stopped because it took too long.",
    "ended": "the program that runs the notebook ended in it ({run}).",
    "not run": "it was not reached, because the notebook's program had ended before ({run}).",
}
_ENDS = {
    "timeout": "the time for the whole notebook was up",
    "memory": "it asked for more memory than there is",
    "output": "it wrote far too much output",
    "killed": "it ended itself, or was ended by the system",
    "protocol": "it sent what no notebook sends",
}
# The same in the words of a remark.
_LACKED = {
    "interrupted": "took too long",
    "ended": "ended the notebook",
    "not run": "was not reached",
}
_NO_MEMORY = re.compile(r"MemoryError|can't allocate memory")
_PRINTED = 4000
_WRAPPER = textwrap.TextWrapper(90, break_on_hyphens=False, expand_tabs=False, replace_whitespace=False)
# A call may take this many times as long as it may for `vaeedu.check`: the machine may be busy with other submissions.
PATIENCE = 3.0
# What a test cell may take beside its calls, to unpack the inputs and pack the answers.
_BESIDE_SECONDS = 30.0


def make_keys(described: Mapping[str, Exercise], seed: bytes) -> dict[str, AnswerKey]:
    """Makes fresh answer keys for one submission, by the name of their test cell.

    Args:
        described: The assignment's exercises.
        seed: What nobody but the course knows, and is another for each submission.
    """
    return {
        f"{name}_{part}": fresh_key(exercise, part, hmac.digest(seed, name.encode(), "sha256"))
        for name, exercise in described.items()
        for part in PARTS
    }


def cells_to_run(notebook: NotebookNode, keys: Mapping[str, AnswerKey]) -> list[Cell]:
    """Lists a notebook's code cells, with those that `keys` decide replaced by cells that send answers away."""
    return [
        _asking(cell.id, keys[name]) if (name := graded_name(cell)) in keys else Cell(cell.id, cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def seconds_of_test(call_seconds: float, cases: int) -> float:
    """How long a test cell may take: each of its calls as long as a call may, and some time beside them."""
    return max(Limits.cell_seconds, PATIENCE * call_seconds * cases + _BESIDE_SECONDS)


def graded_name(cell: NotebookNode) -> str:
    """The name of a test cell; empty for any other cell."""
    nbgrader = cell.metadata.get("nbgrader", {})
    is_test = nbgrader.get("grade") and not nbgrader.get("solution")
    return str(nbgrader["grade_id"]) if is_test and cell.cell_type == "code" else ""


def mark(notebook: NotebookNode, run: Run, keys: Mapping[str, AnswerKey]) -> dict[str, Verdict]:
    """Writes a run's outputs into the notebook, and into its test cells what they are worth.

    Args:
        notebook: The notebook whose cells were run; its outputs are set.
        run: What came out of the sandbox.
        keys: What is right, by the names of the test cells.

    Returns:
        The verdicts by test cell, without those of an instructor's own test cells, which mark themselves.
    """
    results, verdicts = {result.id: result for result in run.cells}, {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        result, name = results[cell.id], graded_name(cell)
        cell.execution_count = result.execution_count
        if name in keys:
            verdicts[name] = _verdict(result, run, keys[name])
            cell.outputs = _nodes([*_printed(result.outputs), _told(verdicts[name], keys[name])])
        else:
            own = _self_marked(result, run, float(cell.metadata.nbgrader.points)) if name else result.outputs
            cell.outputs = _nodes(own)
    return verdicts


def lost_to_a_limit(run: Run, notebook: NotebookNode, keys: Mapping[str, AnswerKey]) -> dict[str, str]:
    """Finds exercises whose answers did not come, or not all, for want of memory or time or the process itself.

    It may have been another exercise that used them up; what merely computed too long has done so by itself.

    Returns:
        What became of each, in words, by the exercise's name.
    """
    results = {result.id: result for result in run.cells}
    found: dict[str, str] = {}
    for cell in notebook.cells:
        name = graded_name(cell)
        if name in keys and (what := _what_it_lacked(results[cell.id], keys[name])):
            found.setdefault(keys[name].name, what)
    return found


def _what_it_lacked(result: CellResult, key: AnswerKey) -> str:
    if result.emitted is None:
        return _LACKED.get(result.status, "")
    try:
        answers = unpack_answers(result.emitted, key.inputs)
    except ValueError:
        return ""
    failures = [answer.failure for answer in answers if answer.failure is not None]
    if any(f.kind == "raised" and _NO_MEMORY.search(f.message) for f in failures):
        return "ran out of memory"
    return "waited too long" if any(f.kind == "stuck" for f in failures) else ""


def cells_of_one(
    notebook: NotebookNode, released: NotebookNode, keys: Mapping[str, AnswerKey], exercise: str
) -> list[Cell]:
    """Lists what one exercise needs to be tried by itself: all solutions, the student's own cells, and its tests.

    Of the cells that were given out, those stay that define something which one of these uses; figures do not.
    """
    given = {cell.source for cell in released.cells}
    ours = {name: key for name, key in keys.items() if key.name == exercise}

    def stays(cell: NotebookNode) -> bool:
        if name := graded_name(cell):
            return name in ours
        return bool(cell.metadata.get("nbgrader", {}).get("solution")) or cell.source not in given

    kept = copy.copy(notebook)
    others = [cell for cell in notebook.cells if not graded_name(cell) or graded_name(cell) in ours]
    kept.cells = needed(others, stays)
    return cells_to_run(kept, ours)


def mark_again(notebook: NotebookNode, run: Run, keys: Mapping[str, AnswerKey]) -> dict[str, Verdict]:
    """Writes into a marked notebook what another run has answered, and returns the verdicts about that."""
    results, verdicts = {result.id: result for result in run.cells}, {}
    for cell in notebook.cells:
        name = graded_name(cell)
        if name in keys and cell.id in results and results[cell.id].emitted is not None:
            verdicts[name] = _verdict(results[cell.id], run, keys[name])
            cell.outputs = _nodes([*_printed(results[cell.id].outputs), _told(verdicts[name], keys[name])])
    return verdicts


def refuse(notebook: NotebookNode, reason: str) -> None:
    """Writes into every test cell of a notebook that it was not run, and why."""
    for cell in notebook.cells:
        if graded_name(cell):
            cell.outputs = _nodes([_error("NotGraded", reason)])


def _asking(cell: str, key: AnswerKey) -> Cell:
    call = f"{key.name!r}), {pack_cases(key.inputs)!r}, {len(key.outputs)}, {PATIENCE * key.seconds!r}"
    # One expression, so that the notebook's own names stay as they are.
    source = f"__import__('sandbox_inside.emit', fromlist=['emit']).emit(globals().get({call})"
    return Cell(cell, source, seconds_of_test(key.seconds, len(key.inputs)))


def _verdict(result: CellResult, run: Run, key: AnswerKey) -> Verdict:
    """The one place where a submission's points are decided: by arrays, outside the sandbox."""
    if result.emitted is None:
        return Verdict(False, f"✗ {key.name}: no answers came from this cell: {_why_none(result, run)}")
    try:
        answers = unpack_answers(result.emitted, key.inputs)
    except ValueError as error:
        return Verdict(False, f"✗ {key.name}: what this cell sent cannot be used: {error}")
    return judge(answers, key)


def _why_none(result: CellResult, run: Run) -> str:
    if result.answers > 1:
        return "it sent several, and one set is expected."
    errors = [f"{o['ename']}: {o['evalue']}" for o in result.outputs if o["output_type"] == "error"]
    if result.status in _NO_ANSWERS:
        return _NO_ANSWERS[result.status].format(run=_ENDS.get(run.status, run.status))
    return f"it stopped with {errors[-1][:500]}" if errors else "the notebook has changed how cells are run."


def _printed(outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the student's function printed while it was tried, cut short."""
    text = "".join(o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout")
    cut = text if len(text) <= _PRINTED else f"{text[:_PRINTED]}\n[cut]\n"
    return [_stdout(cut)] if cut else []


def _told(verdict: Verdict, key: AnswerKey) -> dict[str, Any]:
    if verdict.passed:
        return _stdout(f"✓ {key.name}: every case is right\n")
    return _error("CheckFailed", verdict.message)


def _self_marked(result: CellResult, run: Run, points: float) -> list[dict[str, Any]]:
    """An instructor's own test cell: what it put out decides, but only if it came to its end, and within its points."""
    outputs = [dict(output) for output in result.outputs]
    if result.status in _NO_ANSWERS:
        reason = _NO_ANSWERS[result.status].format(run=_ENDS.get(run.status, run.status))
        return [*outputs, _error("NotGraded", f"This cell did not come to its end: {reason}")]
    if result.status != "ok" and not any(output["output_type"] == "error" for output in outputs):
        outputs.append(_error("NotGraded", "This cell stopped with an error."))
    for output in outputs:
        if output["output_type"] == "execute_result":
            score = _number(output["data"].get("text/plain"))
            # nbgrader gives all points for NaN and for negative numbers, and stops at one that is too large.
            if score is not None and not 0.0 <= score <= points:
                outputs.insert(
                    0, _error("NotGraded", f"This cell's score must be 0 to {points:g}, but is {score}.")
                )
                break
    return outputs


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str) else math.nan
    except ValueError:
        return None


def _stdout(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def _error(name: str, message: str) -> dict[str, Any]:
    # nbgrader's pages show the traceback, and cut off what is too wide for them.
    lines = [part for line in message.split("\n") for part in _WRAPPER.wrap(line) or [""]]
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": lines}


def _nodes(outputs: Sequence[Mapping[str, Any]]) -> list[NotebookNode]:
    from nbformat import from_dict

    return [from_dict(dict(output)) for output in outputs]
