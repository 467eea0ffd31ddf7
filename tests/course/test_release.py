"""assignments/ is what `vaeedu release` makes, and holds nothing that students must not see."""

import inspect
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbgrader.converters import GenerateAssignment
from support.handed_in import put
from traitlets.config import PyFileConfigLoader

from vaeedu_grader.authoring.cells import with_tests
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.authoring.exercise import PARTS
from vaeedu_grader.authoring.readme import BEGIN, END, with_table, write_readme
from vaeedu_grader.authoring.release import add_checks, check_notebook, release

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
SOURCE = ROOT / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
each = pytest.mark.parametrize("assignment", assignments(ROOT))


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """The configuration changes these; monkeypatch puts them back. No class of this checkout is touched."""
    monkeypatch.setenv("VAEEDU_COURSE", str(ROOT))
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(tmp_path / "class"))
    monkeypatch.setenv("PATH", os.environ["PATH"])


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def code_cells(path):
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"}


def source(assignment):
    return ROOT / "solutions" / assignment / f"{assignment}.ipynb"


def solved(assignment):
    """The instructor's notebook with the exercises' tests in it, as nbgrader gets it."""
    notebook = nbformat.read(source(assignment), as_version=4)
    return with_tests(notebook, assignment, exercises(ROOT, assignment))


@each
def test_the_committed_assignment_is_what_release_makes(assignment, tmp_path):
    made = release(ROOT, assignment, tmp_path)
    committed = contents(ROOT / "assignments" / assignment)
    assert sorted(committed) == sorted([f"{assignment}.ipynb", "checks.json"])
    for name, data in contents(made).items():
        assert data == committed[name], f"assignments/{assignment}/{name} is out of date: run `make release`"


def test_what_is_committed_are_the_assignments_that_have_a_source():
    assert sorted(path.name for path in (ROOT / "assignments").iterdir()) == assignments(ROOT)


def test_readme_lists_what_there_is():
    text = (ROOT / "README.md").read_text("utf-8")
    assert with_table(text, ROOT) == text, "README.md's table is out of date: run `make release`"
    for path in (ROOT / "lectures").glob("*.ipynb"):
        assert text.count(f"](lectures/{path.name}): ") == 1
    for name in assignments(ROOT):
        points = sum(c.metadata.get("nbgrader", {}).get("points", 0) for c in solved(name).cells)
        assert f"exercises, {points} points](assignments/{name}/{name}.ipynb)" in text


def test_readmes_table_is_made_from_the_notebooks(tmp_path):
    (tmp_path / "lectures").mkdir()
    lecture = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 3 · A title\n\nText.")])
    nbformat.write(lecture, tmp_path / "lectures" / "03_a.ipynb")
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    with pytest.raises(
        ValueError, match=r"lectures/03_a.ipynb must begin with a heading and have metadata vaeedu"
    ):
        write_readme(tmp_path)
    lecture.metadata.vaeedu = {"summary": "what it is about"}
    nbformat.write(lecture, tmp_path / "lectures" / "03_a.ipynb")
    assert write_readme(tmp_path)
    assert not write_readme(tmp_path)
    before, _, after = readme.read_text().partition(
        "| 3 | [A title](lectures/03_a.ipynb): what it is about | |\n"
    )
    assert (before.startswith("before\n"), "old" in before, after) == (True, False, f"{END}\nafter\n")
    with pytest.raises(ValueError, match=r"README.md must have the lines <!-- .* but has not"):
        with_table("no table", tmp_path)


def test_links_to_colab_and_binder_come_from_one_setting(tmp_path):
    lecture = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# 7 · Models")], metadata={"vaeedu": {"summary": "all"}}
    )
    put(tmp_path, **{"lectures/07_models.ipynb": nbformat.writes(lecture)})

    def row(repository):
        put(tmp_path, **{"pyproject.toml": f'[tool.vaeedu]\nrepository = "{repository}"\n'})
        return with_table(f"{BEGIN}\n{END}", tmp_path).splitlines()[3]

    bare = row("")
    assert bare == "| 7 | [Models](lectures/07_models.ipynb): all | |"
    linked = row("https://github.com/some-one/vae.edu.git")
    assert (
        linked
        == row("https://github.com/some-one/vae.edu/")
        == bare.replace(
            ": all",
            " ([Colab](https://colab.research.google.com/github/some-one/vae.edu/blob/main/lectures/07_models.ipynb), "
            "[Binder](https://mybinder.org/v2/gh/some-one/vae.edu/main?labpath=lectures%2F07_models.ipynb)): all",
        )
    )
    for wrong in ("https://example.org/a/b", "https://github.com/a", "a/b"):
        with pytest.raises(ValueError, match=r"must be like https://github.com/OWNER/NAME, or empty, but is"):
            row(wrong)
    (tmp_path / "pyproject.toml").unlink()
    assert with_table(f"{BEGIN}\n{END}", tmp_path).splitlines()[3] == bare


@each
def test_nothing_of_the_instructors_side_reaches_students(assignment):
    described = exercises(ROOT, assignment)
    text = b"\n".join(contents(ROOT / "assignments" / assignment).values()).decode()
    for phrase in (
        "BEGIN SOLUTION",
        "END SOLUTION",
        "HIDDEN TESTS",
        "vaeedu_grader",
        "grade(",
        "exercises/",
    ):
        assert phrase not in text
    for exercise in described.values():
        mistakes = {wrong.function.__name__: wrong for wrong in exercise.wrong}
        names = {function.__name__ for function in exercise.alternatives} | set(mistakes)
        # The fit with the bug is shown on purpose, and the reference has the name that students write.
        assert not [name for name in names - {"buggy_ppca_fit"} if name in text]
        for wrong in mistakes.values():
            written = json.dumps(wrong.message, ensure_ascii=False)
            assert (written in text) == ("visible" in wrong.loses), written


@each
def test_solutions_are_cut_out_of_the_notebook(assignment):
    cells = {cell.id: cell for cell in solved(assignment).cells if cell.cell_type == "code"}
    released = code_cells(ROOT / "assignments" / assignment / f"{assignment}.ipynb")
    assert list(cells) == list(released)
    text = "\n".join(cell.source for cell in released.values())
    cut = 0
    shown_on_purpose = "\n".join(cell.source for name, cell in cells.items() if name.startswith("buggy_"))
    for cell in cells.values():
        inside = False
        for line in map(str.strip, cell.source.splitlines()):
            inside = (inside or "### BEGIN" in line) and "### END" not in line
            # Short lines may occur elsewhere by chance.
            if inside and len(line) > 30 and "###" not in line and line not in shown_on_purpose:
                assert line not in text
                cut += 1
    assert cut > 20
    for exercise in exercises(ROOT, assignment).values():
        assert "raise NotImplementedError()" in released[exercise.name].source
        assert exercise.signature in released[exercise.name].source


@each
def test_the_points_add_up_and_some_are_given_by_hand(assignment):
    cells = [c.metadata.nbgrader for c in solved(assignment).cells if "nbgrader" in c.metadata]
    assert 15 <= sum(cell.points for cell in cells if cell.grade) <= 20
    assert [cell.points for cell in cells if cell.grade and cell.solution] == [2]


def test_the_fit_with_the_bug_is_the_one_that_is_recognised():
    fit = exercises(ROOT, ASSIGNMENT)["ppca_fit"]
    (buggy,) = [w.function for w in fit.wrong if w.function.__name__ == "buggy_ppca_fit"]
    assert code_cells(SOURCE)["buggy_ppca_fit"].source == inspect.getsource(buggy).strip()


@each
def test_notebooks_are_tidy(assignment):
    for path in (source(assignment), ROOT / "assignments" / assignment / f"{assignment}.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        for cell in notebook.cells:
            assert len(cell.source.splitlines()) <= 20, cell.id
            assert cell.id == cell.metadata.get("nbgrader", {}).get("grade_id", cell.id)
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None


@cache
def executed(assignment):
    """Runs the students' notebook as it is and then the instructor's; returns the errors of both, by cell."""
    with tempfile.TemporaryDirectory() as folder:
        homework = shutil.copytree(ROOT / "assignments" / assignment, Path(folder, "homework"))
        instructors = Path(folder, "with tests.ipynb")
        nbformat.write(solved(assignment), instructors)
        untouched = (homework / f"{assignment}.ipynb", homework)
        told = [*untouched, instructors, ROOT / "solutions" / assignment]
        command = [sys.executable, "-c", RUN, *map(str, told)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


# Both in one kernel, whose start takes longer than most notebooks do. Between them it forgets all names, and the first
# has none of the solutions. rfc3987_syntax: see vaeedu_grader/__init__.py.
RUN = """
import json, sys
sys.modules["rfc3987_syntax"] = None
import nbformat
from nbclient import NotebookClient

both = nbformat.v4.new_notebook()
counts = []
for path, folder in zip(sys.argv[1::2], sys.argv[2::2]):
    notebook = nbformat.read(path, as_version=4)
    both.metadata = notebook.metadata
    begin = f"get_ipython().reset(new_session=False)\\n__import__('os').chdir({folder!r})"
    both.cells += [nbformat.v4.new_code_cell(begin), *notebook.cells]
    counts.append(len(notebook.cells) + 1)
names = [cell.get("id") for cell in both.cells]
for number, cell in enumerate(both.cells):
    cell.id = str(number)
NotebookClient(both, timeout=300, allow_errors=True).execute()

def errors(begin, end):
    return {
        name: [o.get("evalue") or o.get("text", "") for o in cell.outputs if "evalue" in o or o.get("name") == "stderr"]
        for name, cell in list(zip(names, both.cells))[begin:end] if cell.cell_type == "code"
    }

json.dump([errors(0, counts[0]), errors(counts[0], None)], sys.stdout)
"""


@pytest.mark.slow
@each
def test_the_solutions_run_without_an_error(assignment):
    _, errors = executed(assignment)
    tests = {f"{name}_{part}" for name in exercises(ROOT, assignment) for part in PARTS}
    assert tests <= set(errors)
    assert {cell: found for cell, found in errors.items() if found} == {}


@pytest.mark.slow
@each
def test_the_untouched_assignment_fails_in_its_visible_tests_only_and_kindly(assignment):
    errors, _ = executed(assignment)
    failed = {cell: found for cell, found in errors.items() if found}
    assert sorted(failed) == sorted(f"{name}_visible" for name in exercises(ROOT, assignment))
    assert all(
        "Not written yet: replace `raise NotImplementedError()`" in found[0] for found in failed.values()
    )


@pytest.fixture
def broken_course(tmp_path):
    """A copy of the course that tests may damage."""
    course = tmp_path / "course"
    for name in ("solutions", "exercises", "assignments"):
        shutil.copytree(ROOT / name, course / name)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    return course


def edit(course, change):
    path = course / "solutions" / ASSIGNMENT / SOURCE.name
    notebook = nbformat.read(path, as_version=4)
    change({cell.id: cell for cell in notebook.cells})
    nbformat.write(notebook, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["setup"].metadata.nbgrader.update(grade_id="als_sweep_hidden"),
            "must have no test cell als_sweep_hidden, but has one: it is made from exercises/, delete it",
        ),
        (
            lambda c: c["als_sweep"].metadata.pop("nbgrader"),
            r"must have a solution cell als_sweep with the line 'def als_sweep\(x, W\):'",
        ),
        (
            lambda c: c["als_sweep"].metadata.nbgrader.update(solution=False),
            "must have a solution cell als_sweep with the line",
        ),
        (
            lambda c: c["als_sweep"].update(source="def als(x): ..."),
            "must have a solution cell als_sweep with the line",
        ),
    ],
)
def test_a_notebook_that_disagrees_with_its_exercises_is_refused(broken_course, change, message):
    edit(broken_course, change)
    with pytest.raises(ValueError, match=message):
        check_notebook(broken_course, ASSIGNMENT)


def test_tests_stand_where_their_exercise_ends_and_have_its_points():
    cells = solved(ASSIGNMENT).cells
    places = {cell.id: place for place, cell in enumerate(cells)}
    for name, exercise in exercises(ROOT, ASSIGNMENT).items():
        visible, hidden = cells[places[f"{name}_visible"]], cells[places[f"{name}_hidden"]]
        assert places[hidden.id] == places[visible.id] + 1 > places[name] + 1
        assert [c.metadata.nbgrader.points for c in (visible, hidden)] == list(exercise.points.values())
        # Nothing between the solution and its tests begins another exercise; what follows does.
        between = cells[places[name] + 1 : places[visible.id]]
        assert not [
            c for c in between if c.source.startswith("## ") or (c.id in places and c.id.endswith("_hidden"))
        ]
        assert hidden is cells[-1] or cells[places[hidden.id] + 1].source.startswith("## ")


def test_an_exercise_that_nothing_follows_has_its_tests_last():
    notebook = solved(ASSIGNMENT)
    last = list(exercises(ROOT, ASSIGNMENT))[-1]
    ids = [cell.id for cell in notebook.cells]
    notebook.cells = notebook.cells[: ids.index(last) + 1]
    notebook.cells = [cell for cell in notebook.cells if not cell.id.endswith(tuple(PARTS))]
    made = with_tests(notebook, ASSIGNMENT, exercises(ROOT, ASSIGNMENT))
    assert [cell.id for cell in made.cells[-3:]] == [last, f"{last}_visible", f"{last}_hidden"]
    assert len(notebook.cells) == len(made.cells) - 2 * len(exercises(ROOT, ASSIGNMENT))


def test_the_button_that_generates_adds_the_tests_too(tmp_path):
    config = PyFileConfigLoader(str(ROOT / "nbgrader_config.py")).load_config()
    assert config.AddTests.course == str(ROOT)
    found = GenerateAssignment(config=config).preprocessors
    assert found[0] == "vaeedu_grader.authoring.cells.AddTests"
    assert found[1:] == GenerateAssignment().preprocessors


def test_a_failed_release_leaves_the_old_one(broken_course):
    from vaeedu_grader.gradebook.nbgrader import GradingError

    before = contents(broken_course / "assignments")
    edit(
        broken_course,
        lambda c: c["ppca_fit"].update(source=c["ppca_fit"].source.replace("### END SOLUTION", "")),
    )
    with pytest.raises(GradingError, match="no end solution statement found"):
        release(broken_course, ASSIGNMENT)
    assert contents(broken_course / "assignments") == before
    assert sorted(path.name for path in (broken_course / "assignments").iterdir()) == assignments(ROOT)


def test_release_replaces_what_was_there_and_touches_no_class(broken_course, tmp_path):
    target = broken_course / "assignments" / ASSIGNMENT
    before = contents(target)
    (target / "left over.txt").touch()
    (target / "checks.json").write_text("old")
    release(broken_course, ASSIGNMENT)
    assert contents(target) == before
    assert sorted(path.name for path in target.parent.iterdir()) == assignments(ROOT)
    assert not any((tmp_path / "class").rglob("*"))


def test_a_swap_that_fails_puts_the_old_folder_back(broken_course, monkeypatch):
    before = contents(broken_course / "assignments")
    rename = Path.rename

    def fail(self, target):
        if self.name == "new":
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="disk full"):
        release(broken_course, ASSIGNMENT)
    assert contents(broken_course / "assignments") == before


def test_the_classroom_is_made_for_its_owner_only(tmp_path):
    PyFileConfigLoader(str(ROOT / "nbgrader_config.py")).load_config()
    assert stat.S_IMODE((tmp_path / "class").stat().st_mode) == 0o700


def test_unknown_assignments_are_refused(tmp_path):
    with pytest.raises(ValueError, match=f"assignment must be one of .*{ASSIGNMENT}.*but is 'nope'"):
        release(ROOT, "nope", tmp_path)


def test_the_formgraders_button_gets_its_checks_from_the_hook(broken_course, monkeypatch):
    monkeypatch.setenv("VAEEDU_COURSE", str(broken_course))
    checks = broken_course / "assignments" / ASSIGNMENT / "checks.json"
    before = checks.read_bytes()
    checks.unlink()
    add_checks(assignment=ASSIGNMENT, student=".", notebooks=[])
    assert checks.read_bytes() == before
    assert (
        'post_convert_hook = "vaeedu_grader.authoring.release.add_checks"'
        in (ROOT / "nbgrader_config.py").read_text()
    )
