"""`vaeedu lab`, `vaeedu check` and `vaeedu completion`: what a reader of the course needs, on every system."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from vaeedu import course

# Jupyter's settings for the course, so that nothing of the user's own is touched; a user's choices in JupyterLab still
# win over them. In page_config.json: nbgrader's two lists serve classes that hand in through an exchange folder on a
# shared machine; jupyter_server_config.json switches them off in the server, before what nbgrader put into
# jupyter_server_config.d/, which switches everything on, and wins. The sockets of kernels are encrypted, since on a
# shared machine others could listen in; without that every kernel starts with a warning that says so. Nothing looks
# for news or updates. A notebook that names no kernel gets Python instead of a dialog, and who runs a cell before the
# kernel is there is told so, where otherwise nothing happens at all.
SETTINGS = Path(__file__).with_name("jupyter")
SHELLS = ("bash", "zsh", "tcsh")
_COMPLETION = """Prints what makes a shell complete the words of this command. For bash, once and for all:
vaeedu completion bash > ~/.local/share/bash-completion/completions/vaeedu"""


def add_commands(parser: argparse.ArgumentParser, commands: Any) -> None:
    """Adds them to the parser's commands."""
    lab = commands.add_parser(
        "lab",
        help="open the course in JupyterLab",
        description="Opens JupyterLab at the course's first page; outside the course, in the current folder. "
        "Options that are not listed here, such as --no-browser, are JupyterLab's.",
    )
    lab.set_defaults(run=_lab, passed_on=[])

    check = commands.add_parser(
        "check",
        help="try an assignment's visible tests before handing it in",
        description="Runs an assignment's notebook from top to bottom, and then its visible tests.",
    )
    check.add_argument("assignment", metavar="ASSIGNMENT", help="its number, its name, or its folder")
    check.set_defaults(run=_check)

    completion = commands.add_parser(
        "completion", help="print what makes a shell complete this command", description=_COMPLETION
    )
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    completion.set_defaults(run=lambda options: _completion(parser, options.shell))


def _lab(options: argparse.Namespace) -> int:
    try:
        from jupyterlab.labapp import LabApp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "jupyterlab":
            raise
        raise ValueError(
            "JupyterLab must be installed, but is not: pip install jupyterlab, "
            "or open the notebooks in what you have"
        ) from None
    found = course.folder()
    os.environ.update(jupyter_environment(os.environ, found))
    LabApp.launch_instance(lab_arguments(found, options.passed_on))
    return 0


def lab_arguments(found: Path | None, given: list[str]) -> list[str]:
    """Returns JupyterLab's command line: the user's own options come last, and win."""
    page = f"/lab/tree/{course.FIRST_PAGE.as_posix()}" if found else "/lab"
    # Root is asked for by many containers; Jupyter refuses it unless it is told so. Windows has no such user.
    as_root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    return [f"--ServerApp.root_dir={found or Path.cwd()}", f"--LabApp.default_url={page}", *as_root, *given]


def jupyter_environment(present: Any, found: Path | None) -> dict[str, str]:
    """Returns the variables that JupyterLab and its kernels are to have besides those that are there.

    Args:
        present: The variables that are there.
        found: The copy of the course, or None.
    """
    paths = [str(SETTINGS), *filter(None, [present.get("JUPYTER_CONFIG_PATH")])]
    changed = {"JUPYTER_CONFIG_PATH": os.pathsep.join(paths), "JUPYTER_PREFER_ENV_PATH": "1"}
    if "OMP_WAIT_POLICY" not in present:
        # Threads that spin while they wait take the processors from each other (vaeedu/environment.py).
        changed["OMP_WAIT_POLICY"] = "passive"
    if "JUPYTER_CONFIG_DIR" not in present and found and _is_the_courses_own(found):
        # In the course's own environment a user's settings stay out of the course, and it out of theirs.
        changed["JUPYTER_CONFIG_DIR"] = str(Path(sys.prefix, "etc", "jupyter-user"))
    return changed


def _is_the_courses_own(found: Path) -> bool:
    return Path(sys.prefix).resolve() == (found / ".venv").resolve()


def _check(options: argparse.Namespace) -> int:
    from vaeedu.feedback.rehearsal import report

    return report(options.assignment)


def _completion(parser: argparse.ArgumentParser, shell: str) -> int:
    import shtab

    print(shtab.complete(parser, shell))
    return 0
