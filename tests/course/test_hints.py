"""Every exercise has hints in three stages and an explanation, and they do not give away what comes later."""

import ast
import re
import textwrap
from functools import cache
from pathlib import Path

import pytest

from vaeedu.feedback.hints import read_hints, reference
from vaeedu_grader.authoring.course import assignments, exercises

ROOT = Path(__file__).resolve().parents[2]
each_assignment = pytest.mark.parametrize("assignment", assignments(ROOT))
# Shorter lines of a reference say nothing that a formula does not say.
TELLING = 30


@cache
def hints(assignment):
    return read_hints(ROOT / "exercises" / "hints" / f"{assignment}.md")


def body(assignment, name):
    """The reference's statements, as they would come out of ast: without comments and docstring."""
    (function,) = ast.parse(reference(ROOT, assignment, name)).body
    return [ast.unparse(statement) for statement in function.body[1:]]


def first_line(parts):
    return re.fullmatch(r"`([^`]+)`", parts["First line"])[1]


@each_assignment
def test_every_exercise_has_them_in_the_order_of_the_assignment(assignment):
    described = exercises(ROOT, assignment)
    assert list(hints(assignment)) == list(described)
    for name, found in hints(assignment).items():
        assert found.assignment == assignment
        reference_ = reference(ROOT, assignment, name)
        assert described[name].signature in reference_
        for part in ("Idea", "Formula", "Why"):
            assert 20 <= len(found.parts[part]) <= 900, (name, part)
        assert len(re.findall(r"[.?](?:\s|$)", found.parts["Why"])) >= 2, name


@each_assignment
def test_the_first_line_is_a_line_of_code_and_not_the_answer(assignment):
    for name, found in hints(assignment).items():
        line = first_line(found.parts)
        assert not line.startswith("return "), name
        (statement,) = ast.parse(textwrap.dedent(line)).body
        # Its names are there: arguments of the exercise, or what the notebook imports.
        arguments = set(re.findall(r"\w+", exercises(ROOT, assignment)[name].signature))
        bound = {
            n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        read = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)} - bound
        known = arguments | {"torch", "math", "np", "F", "len", "set", "range", "chr", "min", "_", "code"}
        earlier = "\n".join(body(assignment, name)).partition(ast.unparse(statement))[0]
        assert read <= known | set(re.findall(r"\w+", earlier)), (name, read - known)
        assert len(body(assignment, name)) > 1, name


@each_assignment
def test_what_is_said_early_does_not_hold_what_comes_late(assignment):
    for name, found in hints(assignment).items():
        early = found.parts["Idea"] + found.parts["Formula"]
        for statement in body(assignment, name):
            for line in map(str.strip, statement.splitlines()):
                assert len(line) < TELLING or line not in early, (name, line)
        assert not re.search(r"torch\.|\.sum\(|\bdim=", found.parts["Idea"]), name


@each_assignment
def test_formulas_are_closed(assignment):
    """An open dollar or brace would show the rest of the hint as source."""
    for name, found in hints(assignment).items():
        for part, text in found.parts.items():
            plain = re.sub(r"`[^`]*`", "", text)
            assert plain.count("$") % 2 == 0, (name, part)
            for formula in plain.split("$")[1::2]:
                braces = re.sub(r"\\[{}]", "", formula)
                assert braces.count("{") == braces.count("}"), (name, part, formula)
                lefts, rights = (re.findall(rf"\\{side}\b", formula) for side in ("left", "right"))
                assert len(lefts) == len(rights), (name, formula)
