"""Hints come in three stages, the reference after an attempt; a copy without them says so."""

import io
import shutil
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import vaeedu
from vaeedu.feedback import hints, progress
from vaeedu.feedback.hints import NotHere, read_hints, reference

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
NAME = "als_sweep"
PARTS = "**Idea.** One.\n\n**Formula.** $x$.\n\n**First line.** `a = 1`\n\n**Why.** So."


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A whole course with one assignment, as a reader alone has it."""
    for name in (
        "lectures/00_start_here.ipynb",
        f"assignments/{ASSIGNMENT}/checks.json",
        f"solutions/{ASSIGNMENT}/{ASSIGNMENT}.ipynb",
        f"exercises/hints/{ASSIGNMENT}.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path / "assignments" / ASSIGNMENT)
    monkeypatch.setattr(hints, "_shown", {})
    monkeypatch.setattr(progress, "_seen", {})
    return tmp_path


def test_each_call_says_one_stage_more(course):
    parts = read_hints(course / "exercises" / "hints" / f"{ASSIGNMENT}.md")[NAME].parts
    for number, stage in ((1, "Idea"), (2, "Formula"), (3, "First line"), (3, "First line")):
        shown = vaeedu.hint(NAME)
        assert shown.startswith(f"**{NAME}, hint {number} of 3: {stage.lower()}.** {parts[stage]}\n\n")
    assert "the last one" in shown
    assert parts["Idea"] in vaeedu.hint(NAME, stage=1)
    assert parts["Formula"] in vaeedu.hint(NAME)  # it goes on from there
    assert repr(shown) == shown._repr_markdown_() == str(shown)


def test_what_does_not_exist_is_named(course):
    with pytest.raises(ValueError, match=r"stage must be 1 .* but is 4"):
        vaeedu.hint(NAME, stage=4)
    with pytest.raises(
        ValueError, match=r"name must be that of an exercise, such as .*'als_sweep'.* but is 'als'"
    ):
        vaeedu.hint("als")
    with pytest.raises(ValueError, match="name must be that of an exercise, such as 'center_and_project'"):
        vaeedu.solution("1")


def test_the_solution_comes_after_an_attempt(course):
    with pytest.raises(NotHere, match="als_sweep has not been tried yet: write an answer, wrong or right"):
        vaeedu.solution(NAME)

    def als_sweep(x, W):
        raise NotImplementedError

    with pytest.raises(vaeedu.feedback.CheckFailed):
        vaeedu.check(NAME, als_sweep)
    with pytest.raises(NotHere, match="has not been tried yet"):
        vaeedu.solution(NAME)  # the untouched skeleton is no attempt
    early = vaeedu.solution(NAME, anyway=True)
    with pytest.raises(vaeedu.feedback.CheckFailed):
        vaeedu.check(NAME, lambda x, W: (x @ W, W))
    assert vaeedu.solution(NAME) == early
    progress._seen.clear()  # another kernel, on another day
    assert vaeedu.solution(NAME) == early
    assert reference(course, ASSIGNMENT, NAME) in early
    assert "def als_sweep(x, W):" in early
    assert "SOLUTION" not in early
    assert read_hints(course / "exercises" / "hints" / f"{ASSIGNMENT}.md")[NAME].parts["Why"] in early


def test_in_a_notebook_only_the_message_shows(course, monkeypatch):
    shell, shown = InteractiveShell(), io.StringIO()
    monkeypatch.setattr("sys.stdout", shown)
    shell.run_cell(f"import vaeedu; vaeedu.solution({NAME!r})")
    assert shown.getvalue().startswith("als_sweep has not been tried yet")
    assert "Traceback" not in shown.getvalue()


def test_a_copy_that_was_handed_out_has_none_and_says_so(course):
    shutil.rmtree(course / "exercises")
    shutil.rmtree(course / "solutions")
    for ask in (vaeedu.hint, vaeedu.solution):
        with pytest.raises(NotHere, match="copies of the course that an instructor hands out have no hints"):
            ask(NAME)


def test_a_solution_that_cannot_be_read_is_named(course):
    (course / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").write_text("{")
    with pytest.raises(NotHere, match=r"the solution of als_sweep must be in .* but cannot be read"):
        vaeedu.solution(NAME, anyway=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PARTS.replace("**Why.** So.", ""), "Idea, Formula, First line"),
        (PARTS.replace("**Formula.** $x$.", "**Formula.**"), "Idea, Formula, First line, Why"),
        (f"{PARTS}\n\n**Why.** Twice.", "Idea, Formula, First line, Why, Why"),
        ("Nothing.", "none"),
    ],
)
def test_hints_without_a_part_are_refused(tmp_path, text, found):
    (tmp_path / "a.md").write_text(f"# Hints\n\n## f\n\n{text}\n")
    with pytest.raises(ValueError, match=f"a.md: f must have the parts Idea, .* but has {found}$"):
        read_hints(tmp_path / "a.md")
    (tmp_path / "a.md").write_text(f"# Hints\n\n## f\n\n{PARTS}\n\n## g\n\n{PARTS}\n")
    assert list(read_hints(tmp_path / "a.md")) == ["f", "g"]
