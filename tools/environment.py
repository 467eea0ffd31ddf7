"""What a finished `.venv` is, and how it is made.

A stamp inside `.venv` says for which folder, with which Python and from which list of packages it was made. It is
removed before anything is changed and written after everything else, so a `.venv` without one is half-made, and is
built again from nothing.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import installation
import jupyter_settings
import systems
from installation import SetupError

STAMP = "vaeedu-setup.json"
STAGES = ("course", "dev")  # each holds the one before it


class Plan(NamedTuple):
    """What is to be done: "rebuild" or "update", why, and how much to install."""

    action: str
    why: str
    stage: str


def main(arguments: Sequence[str], chosen_by_user: bool) -> int:
    """Runs the set-up, and what was asked for after it; the exit status is that one's.

    Of the set-up it is 0, or 2 after one line on stderr, or 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog="setup_env.py", allow_abbrev=False, description="Make .venv and install the course in it."
    )
    parser.add_argument("--dev", action="store_true", help="also install what testing the course needs")
    then = parser.add_mutually_exclusive_group()
    then.add_argument(
        "--lab", action="store_true", help="then open the course in JupyterLab, with its options"
    )
    then.add_argument("--check", metavar="03", help="then try an assignment's visible tests")
    then.add_argument("--test", action="store_true", help="then run the fast tests, with pytest's options")
    options, others = parser.parse_known_args(arguments)
    if others and not (options.lab or options.test):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    root = Path(__file__).resolve().parents[1]
    systems.stop_like_ctrl_c()
    try:
        set_up(root, "dev" if options.dev or options.test else "course", chosen_by_user)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nset-up interrupted: the next run starts again", file=sys.stderr)
        return 130
    return run(root, follow_up(options, others))


def follow_up(options: argparse.Namespace, others: Sequence[str]) -> list[str]:
    """Returns the module, with its arguments, that was asked for after the set-up; empty where nothing was."""
    if options.lab:
        return ["vaeedu.cli", "lab", *others]
    if options.check is not None:
        return ["vaeedu.cli", "check", options.check]
    return ["pytest", *others] if options.test else []


def run(root: Path, module: Sequence[str]) -> int:
    """Runs a module in the environment, as `make` would: nothing of the user's own Python gets into it."""
    if not module:
        return 0
    kept_out = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
    variables = {name: value for name, value in os.environ.items() if name not in kept_out}
    variables["JUPYTER_CONFIG_DIR"] = str(root / ".venv" / "etc" / "jupyter-user")
    process = subprocess.Popen(
        [str(systems.python_of(root / ".venv")), "-m", *module], cwd=root, env=variables
    )
    # Ctrl-C goes to both; what it means is for the program to say: JupyterLab asks first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    except KeyboardInterrupt:  # this is what the other signals have been made into
        process.terminate()
        process.wait()
        return 130


def set_up(root: Path, stage: str, chosen_by_user: bool) -> None:
    """Brings `root/.venv` to `stage`, doing nothing where it already is."""
    if make_plan(root, stage, chosen_by_user) is None:
        return
    with systems.only_one(root):
        plan = make_plan(root, stage, chosen_by_user)  # whoever was waited for may have done it
        if plan is not None:
            begun = time.monotonic()
            print(f"Setting up {root / '.venv'}: {plan.why}. This can take some minutes.", flush=True)
            carry_out(plan, root)
            print(f"Set up in {time.monotonic() - begun:.0f} s.", flush=True)


def carry_out(plan: Plan, root: Path) -> None:
    """Does what `plan` says; a failure at any point leaves no stamp."""
    venv = root / ".venv"
    installation.make_writable_folder(venv)
    (venv / STAMP).unlink(missing_ok=True)
    if plan.action == "rebuild":
        installation.create(venv)
    extras = STAGES[: STAGES.index(plan.stage) + 1]
    installation.install(root, extras)
    jupyter_settings.write(root, venv)
    installation.verify(root)
    still_wrong = first_fault(root, plan.stage)
    if still_wrong is not None:
        raise SetupError(
            f"pip finished, but {still_wrong}: run the same command again to build .venv from nothing"
        )
    write_stamp(root, plan.stage)


def make_plan(root: Path, stage: str, chosen_by_user: bool) -> Plan | None:
    """Returns None where `.venv` is finished, else what to do about it.

    A finished `.venv` keeps its Python, whatever `python3` means today, unless the user asks for another by name.
    """
    venv = root / ".venv"
    if not venv.exists():
        return Plan("rebuild", "there is none yet", stage)
    stamp = read_stamp(root)
    if stamp is None:
        return Plan("rebuild", "the last set-up did not finish", stage)
    stage = max(stage, stamp["stage"], key=STAGES.index)  # nobody loses their test tools by opening a lecture
    if stamp["root"] != str(root):
        return Plan("rebuild", "the course was moved", stage)
    interpreter = systems.interpreter_of(venv)
    if interpreter != stamp["interpreter"] or not os.access(interpreter, os.X_OK):
        return Plan("rebuild", "the Python it was made with has gone", stage)
    if chosen_by_user and interpreter != os.path.realpath(installation.base_python()):
        return Plan("rebuild", "another Python was asked for", stage)
    if stamp["packages"] != fingerprint(root):
        return Plan("update", "the packages to install have changed", stage)
    if stamp["stage"] != stage:
        return Plan("update", "the tools for testing are to be added", stage)
    fault = first_fault(root, stage)
    return None if fault is None else Plan("update", fault, stage)


def first_fault(root: Path, stage: str) -> str | None:
    """Returns which direct dependency is absent or not of the tested version, or None; pip is not started."""
    folder = systems.packages_of(root / ".venv") or root
    for name, tested in direct_dependencies(root, stage).items():
        found = installed_version(name, folder)
        if found is None:
            return f"{name} is missing"
        if tested is not None and found.partition("+")[0] != tested:  # torch 2.13.0+cpu is torch 2.13.0
            return f"{name} is {found}, not the tested {tested}"
    return None


def direct_dependencies(root: Path, stage: str) -> dict[str, str | None]:
    """Returns what pyproject.toml asks for up to `stage`, and the course itself, with the tested versions."""
    project = read_pyproject(root)["project"]
    requirements = [project["name"], *project.get("dependencies", ())]
    extras, waiting = project.get("optional-dependencies", {}), list(STAGES[: STAGES.index(stage) + 1])
    for extra in waiting:  # it grows: an extra may build on others, as "vaeedu[notebook]"
        requirements += extras.get(extra, ())
        waiting += [
            name
            for requirement in extras.get(extra, ())
            if (built_on := re.fullmatch(rf"{re.escape(project['name'])}\[(.*)\]", requirement))
            for name in re.split(r"\s*,\s*", built_on[1])
        ]
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {
        normal(name): version.strip() for name, equals, version in (line.partition("==") for line in lines)
    }
    names = [normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]) for requirement in requirements]
    return {name: pins.get(name) for name in names}


def installed_version(name: str, folder: Path) -> str | None:
    """Returns the version of a distribution in `folder`, or None where it or its records are missing."""
    for distribution in importlib.metadata.distributions(name=name, path=[str(folder)]):
        # An installation that was cut short has metadata but no RECORD of its files.
        if distribution.metadata["Version"] and distribution.read_text("RECORD") is not None:
            return distribution.version
    return None


def fingerprint(root: Path) -> str:
    """Returns a hash of all that decides what is installed.

    Most of pyproject.toml configures tools: a changed lint rule is no reason to install anything.
    """
    pyproject = read_pyproject(root)
    parts = [
        pyproject.get("build-system"),
        pyproject["project"],
        pyproject.get("tool", {}).get("setuptools"),
        (root / "constraints.txt").read_text(encoding="utf-8"),
        jupyter_settings.texts(root),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_pyproject(root: Path) -> dict[str, Any]:
    """Parses pyproject.toml, which a merge may have left unreadable."""
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"pyproject.toml is not valid TOML ({error}): mend it there") from None


def read_stamp(root: Path) -> dict[str, str] | None:
    """Returns what the last set-up recorded when it had finished, or None."""
    try:
        stamp = json.loads((root / ".venv" / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fields = {"root", "interpreter", "packages", "stage"}
    return stamp if isinstance(stamp, dict) and stamp.keys() == fields and stamp["stage"] in STAGES else None


def write_stamp(root: Path, stage: str) -> None:
    """Records that `.venv` is finished, in one step: a stamp is whole or absent."""
    stamp = {
        "root": str(root),
        "interpreter": systems.interpreter_of(root / ".venv"),
        "packages": fingerprint(root),
        "stage": stage,
    }
    unfinished = root / ".venv" / (STAMP + ".new")
    unfinished.write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
    os.replace(unfinished, root / ".venv" / STAMP)


def normal(name: str) -> str:
    """Returns a distribution's name spelled so that two can be compared."""
    return re.sub(r"[-_.]+", "-", name).strip().lower()
