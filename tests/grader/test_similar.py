"""`vaeedu similar`: copies are found however they are renamed, and honest answers are left alone."""

import ast
from itertools import combinations

import nbformat
import pytest
from support.mini_course import ROOT

from vaeedu_grader.authoring.answered import source_of
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.intake.plain import plain
from vaeedu_grader.report.similar import THRESHOLD, pairs


def honest(assignment):
    """Students who have solved each exercise each in another way: the right answers of ours."""
    described = exercises(ROOT, assignment).values()
    answers = {e.name: (e.reference, *e.alternatives) for e in described}
    return {
        f"student {i}": [source_of(found[i], name) for name, found in answers.items() if i < len(found)]
        for i in range(4)
    }


def released(assignment):
    path = ROOT / "assignments" / assignment / f"{assignment}.ipynb"
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


class Renamed(ast.NodeTransformer):
    """Gives each argument and each variable another name."""

    def __init__(self, tree):
        stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.names = stored | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}

    def visit_Name(self, node):
        return ast.Name(f"my_{node.id}", node.ctx) if node.id in self.names else node

    def visit_arg(self, node):
        return ast.arg(f"my_{node.arg}")


def copied(source):
    """A copy in other clothes: renamed, laid out anew, with a comment and a docstring of its own."""
    tree = ast.parse(source)
    lines = ast.unparse(Renamed(tree).visit(tree)).splitlines()
    return "\n\n".join(["# all mine", lines[0], '    """Mine."""', *lines[1:]])


@pytest.mark.parametrize("assignment", assignments(ROOT))
def test_honest_answers_are_left_alone_and_a_copy_is_found(assignment):
    codes = honest(assignment)
    assert pairs(codes, released(assignment), THRESHOLD) == []
    codes["copy"] = [copied(source) for source in reversed(codes["student 1"])]
    (found,) = pairs(codes, released(assignment), THRESHOLD)
    assert found.students == ("copy", "student 1")
    assert found.share > 0.9


def test_enough_honest_answers_were_compared():
    assert sum(len(sources) for a in assignments(ROOT) for sources in honest(a).values()) >= 200


def test_what_was_given_out_and_what_many_write_tells_nothing():
    usual = honest("02_linear_latent_variable_models")["student 0"]
    two = {"ada": usual, "bob": usual}
    assert len(pairs(two, [], THRESHOLD)) == 1
    assert pairs(two, usual, THRESHOLD) == []  # it was given out
    others = {f"other {i}": ["def f(x):\n    return x"] for i in range(10)}
    assert [pair.students for pair in pairs(two | others, [], THRESHOLD)] == [("ada", "bob")]
    many = two | {f"usual {i}": usual for i in range(3)}
    assert pairs(many | others, [], THRESHOLD) == []  # five of fifteen have it


def test_too_little_tells_nothing_and_what_is_no_python_stops_nobody():
    assert (
        pairs({"ada": ["def f(x):\n    return x.sum()"], "bob": ["def f(x):\n    return x.sum()"]}, [], 0.1)
        == []
    )
    assert pairs({"ada": ["def f(x:"], "bob": [""], "cem": ["%matplotlib inline"]}, [], 0.1) == []


@pytest.mark.parametrize(
    "other",
    [
        "def f(rows):\n  return torch.exp(rows)",
        "def f(x: Tensor) -> Tensor:\n    '''Doc.'''\n    # why\n    return torch.exp( x )",
    ],
)
def test_plain_code_forgets_what_is_soon_changed(other):
    assert plain(other) == plain("def f(x):\n    return torch.exp(x)")


@pytest.mark.parametrize(
    "other", ["def f(x):\n    return torch.log(x)", "def f(x):\n    return torch.exp(x + 1)"]
)
def test_plain_code_keeps_what_it_does(other):
    assert plain(other) != plain("def f(x):\n    return torch.exp(x)")


def test_each_pair_is_listed_once_and_the_most_alike_first():
    codes = honest("13_adversarial_nets")
    three = {
        "a": codes["student 0"],
        "b": codes["student 0"],
        "c": [*codes["student 0"][:5], *codes["student 1"][5:]],
    }
    found = pairs(three, [], 0.2)
    assert sorted(pair.students for pair in found) == list(combinations("abc", 2))
    assert found[0].students == ("a", "b")
    assert [pair.share for pair in found] == sorted((pair.share for pair in found), reverse=True)
