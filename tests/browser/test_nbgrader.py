"""nbgrader's own buttons: Validate for the student, formgrader for the instructor."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from support import driving

from vaeedu_grader.authoring.cells import with_tests
from vaeedu_grader.authoring.course import exercises

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

ASSIGNMENT = "02_linear_latent_variable_models"


def validate(page, lab, path):
    """Presses the button and returns what the dialog says."""
    notebook = driving.open_notebook(page, lab, path)
    notebook.get_by_role("button", name="Validate").click()
    dialog = page.locator(driving.DIALOG)
    dialog.get_by_text("Validation Results").wait_for(timeout=5 * driving.IN_MINUTES)
    return dialog.inner_text()


def test_validate_says_that_an_untouched_notebook_fails(page, lab):
    said = validate(page, lab, f"assignments/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
    assert "failed" in said
    assert "passes all the tests" not in said


def test_validate_says_that_the_solution_passes(page, lab, course):
    folder = course / "solutions" / ASSIGNMENT
    solution = nbformat.read(folder / f"{ASSIGNMENT}.ipynb", as_version=4)
    nbformat.write(with_tests(solution, ASSIGNMENT, exercises(course, ASSIGNMENT)), folder / "tested.ipynb")
    try:
        said = validate(page, lab, f"solutions/{ASSIGNMENT}/tested.ipynb")
    finally:
        (folder / "tested.ipynb").unlink()
    assert "Success! Your notebook passes all the tests." in said


@pytest.fixture(scope="session")
def graded(course, classroom):
    """A class of one, who handed in the solution; autograded by nbgrader in the copy of the course."""
    shutil.copytree(course / "solutions" / ASSIGNMENT, classroom / "submitted" / "ada" / ASSIGNMENT)
    nbgrader(course, classroom, "generate_assignment", ASSIGNMENT, "--force")
    nbgrader(course, classroom, "autograde", ASSIGNMENT, "--create")


def nbgrader(course, classroom, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    environment = os.environ | {"VAEEDU_CLASSROOM": str(classroom)}
    result = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def test_formgrader_shows_assignments_and_submissions(page, lab, graded):
    driving.open_notebook(page, lab, driving.START)
    driving.menu(page, "Nbgrader", "Formgrader")
    formgrader = page.frame_locator("iframe[src*=formgrader]")
    row = formgrader.get_by_role("row").filter(has=formgrader.get_by_role("link", name=ASSIGNMENT))
    submissions = row.get_by_role("link", name="1", exact=True)
    driving.in_front(page, "Formgrader", submissions)
    submissions.click()
    submission = formgrader.get_by_role("row").filter(has_text="ada")
    submission.wait_for()
    # The written answer waits for a person; everything else has full marks.
    assert "needs manual grading" in submission.inner_text()
    assert "18 / 20" in submission.inner_text()
    assert page.went_out == []
