"""`vaeedu new-wrong`: from a wrong answer that no known mistake explains to a wrong variant in `exercises/`."""

import ast
import textwrap
from pathlib import Path

from vaeedu.files import write_whole
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.report.findings import findings, of_exercise, unnamed

_MESSAGE = "SAY WHICH IDEA IS WRONG, AND WHICH FORMULA TO LOOK AT, IN 40 TO 260 CHARACTERS"


def new_wrong(assignment: Assignment, exercise: str, number: int) -> str:
    """Adds a wrong variant to an exercise's description; its message is left to write.

    Args:
        assignment: The assignment.
        exercise: The exercise's name.
        number: Which of its unexplained answers, as the report counts them, from 1.

    Returns:
        The name of the function that was added.

    Raises:
        ValueError: There is no such exercise or answer, or its description cannot be added to.
    """
    if exercise not in assignment.exercises:
        raise ValueError(f"exercise must be one of {', '.join(assignment.exercises)}, but is {exercise!r}")
    answers = unnamed(of_exercise(findings(assignment), exercise))
    if not 1 <= number <= len(answers):
        raise ValueError(
            f"number must be one of the {len(answers)} answers to {exercise} that no mistake explains, but is {number}"
        )
    path = assignment.described
    text, name = with_wrong(path, exercise, answers[number - 1].code)
    write_whole(path, text.encode())
    return name


def with_wrong(path: Path, exercise: str, code: str) -> tuple[str, str]:
    """Returns the text of a file of exercises with one more wrong variant, and the variant's name."""
    text = path.read_text(encoding="utf-8")
    statement, wrong = _found(path, ast.parse(text), exercise)
    name = _free_name(f"{exercise}_wrong", text)
    tree = ast.parse(code)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == exercise:
            node.name = name
    if not any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body):
        raise ValueError(f"the answer must define {exercise} with def, but does not: write it by hand")
    function = textwrap.dedent(ast.unparse(tree))
    start = _offset(text, statement.lineno, 0)
    end = _offset(text, wrong.end_lineno or 0, (wrong.end_col_offset or 0) - 1)
    listed = text[start:end].rstrip()
    comma = "" if listed.endswith((",", "(")) else ","
    added = f'{comma}\n        Wrong({name}, "{_MESSAGE}"),\n    '
    return f"{text[:start]}{function}\n\n\n{listed}{added}{text[end:]}", name


def _offset(text: str, line: int, column: int) -> int:
    """Where a line, from 1, and a column of it, in bytes, are in a text."""
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())


def _found(path: Path, tree: ast.Module, exercise: str) -> tuple[ast.stmt, ast.Tuple]:
    """The statement that describes an exercise, and its tuple of wrong variants."""
    for statement in tree.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                name, wrong = given.get("name"), given.get("wrong")
                if isinstance(name, ast.Constant) and name.value == exercise and isinstance(wrong, ast.Tuple):
                    return statement, wrong
    raise ValueError(f"{path.name} must describe {exercise} with wrong=(…), but does not: write it by hand")


def _free_name(base: str, text: str) -> str:
    number = 1
    while f"{base}_{number}" in text:
        number += 1
    return f"{base}_{number}"
