"""nbgrader's settings for this course: `solutions/` becomes `assignments/`; all of a class lies in `classroom/`.

Read by nbgrader's commands, by the formgrader and Validate buttons of a JupyterLab started in this folder, and by
the `vaeedu` command. VAEEDU_CLASSROOM puts the class somewhere else.
"""

import os
import sys
from pathlib import Path

from nbgrader.converters import GenerateAssignment

from vaeedu_grader.marking.autograde import vet_first

course = Path(__file__).resolve().parent
classroom = Path(os.environ.get("VAEEDU_CLASSROOM") or course / "classroom").resolve()
# SQLite makes the gradebook, but not the folder around it. What is in there is nobody else's business.
classroom.mkdir(mode=0o700, parents=True, exist_ok=True)

# Kernels inherit this: the hidden tests find exercises/ by it, and vaeedu.check the checks.json that was released.
os.environ["VAEEDU_COURSE"] = str(course)

# nbgrader runs `alembic` as a command: it is found even where the environment is used without being activated.
programs = str(Path(sys.executable).parent)
if programs not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"

c.CourseDirectory.course_id = "vaeedu"
c.CourseDirectory.root = str(course)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.submitted_directory = str(classroom / "submitted")
c.CourseDirectory.autograded_directory = str(classroom / "autograded")
c.CourseDirectory.feedback_directory = str(classroom / "feedback")
# VAEEDU_DB_URL names another database, such as postgresql+psycopg://teacher@host/gradebook.
c.CourseDirectory.db_url = os.environ.get("VAEEDU_DB_URL") or f"sqlite:///{classroom / 'gradebook.db'}"

# The test cells of the exercises are made from exercises/, before nbgrader looks at the notebook.
c.AddTests.course = str(course)
# Said as a whole: nbgrader's command reads this file twice, and would have them twice of what is prepended.
usual = GenerateAssignment.preprocessors.default()
c.GenerateAssignment.preprocessors = ["vaeedu_grader.authoring.cells.AddTests", *usual]

# The formgrader's Generate button replaces an assignment's folder by nbgrader's part of it; this adds checks.json.
c.GenerateAssignment.post_convert_hook = "vaeedu_grader.authoring.release.add_checks"

# `nbgrader autograde` and the formgrader's button grade as `vaeedu grade` does: the submission is looked through first,
# then graded in a sandbox; nbgrader only writes down the marks. A whole class is graded faster by `vaeedu grade`.
vet_first()
c.Autograde.sanitize_preprocessors = ["vaeedu_grader.marking.autograde.GradeInSandbox"]
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# What students write into text cells is shown in the formgrader and in feedback without anything that runs. nbgrader's
# pages put every text through the first filter last, and what is in raw cells through the second.
c.HTMLExporter.filters = {
    "strip_files_prefix": "vaeedu_grader.pages.clean",
    "clean_html": "vaeedu_grader.pages.clean",
}
# Feedback pages name exercises, say right or not right in words, and whether anything waits to be marked.
c.GenerateFeedback.exporter_class = "vaeedu_grader.feedback_page.exporter.FeedbackExporter"
c.GenerateFeedback.preprocessors = ["vaeedu_grader.feedback_page.summary.Summary"]
# Kernels warn on the terminal that their sockets, which are local, are not encrypted (Validate runs one).
c.Execute.timeout = 60
c.Execute.extra_arguments = ["--log-level=ERROR"]

# The formgrader warns on the terminal that it cannot debug itself; nobody asked it to.
c.FormgradeExtension.debug = False
