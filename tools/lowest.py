"""Tries the oldest packages that pyproject.toml admits: installs them in build/lowest, and runs tests with them.

Usage: python tools/lowest.py [PYTEST_ARGUMENT ...]

torch alone is of the tested version: other builds of it are large, and most Pythons have none that is old. What
nothing here asks for directly is of the newest version; so warnings about it are no errors.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Every example imports its module; the others go through the command line, notebooks, pages and the gradebook.
TESTS = (
    *(
        "vaeedu",
        "vaeedu_grader",
        "tests/cli",
        "tests/feedback",
        "tests/test_plotting.py",
        "tests/test_widgets.py",
    ),
    *(
        "tests/grader/test_feedback_page.py",
        "tests/grader/test_classroom.py",
        "tests/grader/test_hand_out.py",
    ),
    *("tests/grader/test_report.py", "tests/grader/test_similar.py", "tests/course/test_new_assignment.py"),
    *("tests/sequences/test_chemistry.py", "tests/test_environment_report.py"),
)


def main(arguments: Sequence[str]) -> int:
    """Installs and tests; the exit status is the first that is not 0."""
    folder = ROOT / "build" / "lowest"
    venv.create(folder, clear=True, with_pip=True)
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    tested = {line.partition("==")[0]: line for line in (ROOT / "constraints.txt").read_text("utf-8").split()}
    # By pip, so that its settings hold: they name the build of torch that somebody wants.
    commands = [[python, "-m", "pip", "install", "--quiet", tested["torch"]]]
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--python",
        python,
        "--resolution",
        "lowest-direct",
    ]
    commands += [[*install, "--override", "-", "-e", ".[course,dev]"]]
    commands += [[python, "-m", "pytest", "-o", "filterwarnings=", "-W", "ignore", *(arguments or TESTS)]]
    for command in commands:
        override = f"{tested['torch']}\n" if "--override" in command else None
        status = subprocess.run(command, cwd=ROOT, input=override, text=True).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
