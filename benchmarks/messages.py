"""What do wrong answers hear that nobody planned for? Marks they lose, and whether a known mistake is named.

Run it with `python benchmarks/messages.py [FOLDER] [--only 03] [--all] [--trainings]`. The folder has a file for each
assignment, `NN_topic.py`, whose list `WRONG` holds (exercise, the mistake in a sentence, function), written by somebody
who has seen the assignment only; by default `benchmarks/wrong_answers`, most of which the authors of the messages have
read since. `benchmarks/wrong_answers/second_reader` holds those of another person, written when the messages stood.
The table for a list that is kept here is written to `benchmarks/results`. Whether what is named is true,
a person must say: each is printed beside what was done.
"""

import argparse
import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from common import RESULTS, keep, table

COURSE = Path(__file__).resolve().parents[1]
LISTS = COURSE / "benchmarks" / "wrong_answers"
# Hidden inputs are drawn for each submission: a mistake must lose its marks on each of these draws.
_SEEDS = (b"0", b"1", b"2")
_KEYS: dict[str, list[Any]] = {}


class Told(NamedTuple):
    """What became of one wrong answer."""

    exercise: str
    mistake: str
    part: str
    lost: bool
    is_named: bool
    message: str


def main() -> int:
    """Prints what each wrong answer hears, and the shares; returns 1 if one of them keeps all its marks."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=LISTS)
    parser.add_argument("--only", default="", help="the beginning of an assignment's name")
    parser.add_argument("--all", action="store_true", help="print also those that are named")
    parser.add_argument(
        "--trainings", action="store_true", help="also exercises with a goal, which take minutes"
    )
    options = parser.parse_args()
    folder = options.folder.resolve()
    os.chdir(COURSE)
    warnings.simplefilter("ignore")
    from vaeedu_grader.authoring.course import assignments, exercises

    rows, unpunished = [], 0
    for name in assignments(COURSE):
        path = folder / f"{name}.py"
        if not name.startswith(options.only) or not path.is_file():
            continue
        described = exercises(COURSE, name)
        found = [
            told(described[exercise], mistake, function)
            for exercise, mistake, function in _wrong_answers(path)
            if described[exercise].goal is None or options.trainings
        ]
        for each in found:
            if options.all or not each.is_named or not each.lost:
                print(_described(each))
        unpunished += sum(not each.lost for each in found)
        rows += [
            [name[:2], exercise, *_shares([each for each in found if each.exercise == exercise])]
            for exercise in dict.fromkeys(each.exercise for each in found)
        ]
        rows.append([f"**{name}**", "", *_shares(found)])
    columns = ["assignment", "exercise", "wrong answers", "lose marks", "a mistake is named", "share"]
    if folder.is_relative_to(LISTS):
        name = "_".join(["messages", *folder.relative_to(LISTS).parts])
        rows = _with_others(name, rows)
        keep(name, table(columns, rows), rows)
    else:
        print(table(columns, rows))
    return int(unpunished > 0)


def _with_others(name: str, rows: list[list[Any]]) -> list[list[Any]]:
    """The rows, and between them those that are kept of assignments that were not looked at now."""
    path = RESULTS / f"{name}.json"
    kept = json.loads(path.read_text())["numbers"] if path.is_file() else []
    now = {_number(row) for row in rows}
    return sorted([*rows, *(row for row in kept if _number(row) not in now)], key=_number)


def _number(row: list[Any]) -> str:
    """The assignment's number, `08`, of a row of it or of its total, `**08_topic**`."""
    return str(row[0]).strip("*")[:2]


def told(exercise: Any, mistake: str, function: Any) -> Told:
    """Runs a wrong answer on what students see and, where it passes, on what is hidden."""
    from vaeedu.feedback.judge import judge
    from vaeedu.feedback.run import run_all

    def message(key: Any, **options: Any) -> str:
        answers = run_all(function, key.inputs, num_outputs=len(key.outputs), time_limit=3 * key.seconds)
        return judge(answers, key, **options).message

    visible, *hidden = _keys(exercise)
    text, part = message(visible, show_case=True), "visible"
    hidden_texts = [message(each) for each in hidden]
    if not text:
        text, part = next(filter(None, hidden_texts), ""), "hidden"
    known = [wrong.message for wrong in exercise.wrong]
    return Told(exercise.name, mistake, part, all(hidden_texts), any(m in text for m in known), text)


def _keys(exercise: Any) -> list[Any]:
    """The visible key and those of the hidden draws; made once, however many answers are tried."""
    from vaeedu_grader.authoring.exercise import answer_key, fresh_key

    if exercise.name not in _KEYS:
        hidden = (
            [fresh_key(exercise, "hidden", seed) for seed in _SEEDS]
            if exercise.goal is None
            else [answer_key(exercise, "hidden")]
        )
        _KEYS[exercise.name] = [answer_key(exercise, "visible"), *hidden]
    return _KEYS[exercise.name]


def _wrong_answers(path: Path) -> list[tuple[str, str, Any]]:
    spec = importlib.util.spec_from_file_location(f"wrong_{path.stem[:2]}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} must be a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return list(module.WRONG)


def _described(each: Told) -> str:
    marks = "loses" if each.lost else "KEEPS ITS MARKS"
    kind = "named" if each.is_named else "NOT NAMED"
    lines = "\n".join(f"    {line}" for line in each.message.split("\n")[1:])
    return f"{each.exercise}: {each.mistake}\n  [{marks}, {kind}, {each.part}]\n{lines}\n"


def _shares(found: list[Told]) -> list[object]:
    named = sum(each.is_named for each in found)
    lost = sum(each.lost for each in found)
    return [len(found), lost, named, f"{named / max(len(found), 1):.0%}"]


if __name__ == "__main__":
    raise SystemExit(main())
