"""Makes a hub's folders and its environment; run by root from a clone of the course that students cannot read.

    python3 hub/set_up.py teacher

Below /srv/vaeedu (VAEEDU_HUB names another folder): `env/` has the course's packages, for everybody; `course/` is the
instructor's, and closed to others; `exchange/` is where assignments and submissions change hands; `state/` is the
hub's own. Run again after an update: it replaces packages and settings, and nothing that people made.
"""

import argparse
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import jupyter_settings  # noqa: E402

# nbgrader's extensions, on the server and in JupyterLab: students have the list of assignments, instructors the
# formgrader, too. The list of courses is for hubs that have several.
STUDENTS = {"assignment_list": True, "course_list": False, "formgrader": False}
INSTRUCTOR = {"formgrader": True}
# The formgrader's page stands in a frame within JupyterLab, which JupyterHub forbids. Pages of the same address may
# frame it now: on a hub without subdomains that is every user's server, so an instructor opens no student's.
FRAMED = {"tornado_settings": {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}}
COURSE_ID = "vaeedu"


def main(arguments: "list[str]") -> int:
    """Sets up; the exit status is 0, or 2 after one line that says what to do."""
    parser = argparse.ArgumentParser(prog="set_up.py", description="Make a hub's folders and environment.")
    parser.add_argument("instructor", help="the instructor's user name on this machine")
    parser.add_argument(
        "--environment", type=Path, help="install into this one, such as /opt/tljh/user, not into env/"
    )
    options = parser.parse_args(arguments)
    hub = Path(os.environ.get("VAEEDU_HUB", "/srv/vaeedu")).resolve()
    try:
        owner = instructor(options.instructor)
        make_folders(hub, owner)
        environment = options.environment or hub / "env"
        install(environment)
        configure(hub, environment)
    except ValueError as error:
        print(f"set_up.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"set_up.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"set_up.py: `{' '.join(map(str, error.cmd[:4]))} …` failed: see above", file=sys.stderr)
        return 2
    print(f"{hub} is ready. What comes next: docs/hub.md")
    return 0


def instructor(name: str) -> pwd.struct_passwd:
    """Looks the instructor up, and refuses what cannot or must not be."""
    if os.geteuid() != 0:
        raise ValueError("expected to be run by root, who owns what a class shares: run it with sudo")
    try:
        owner = pwd.getpwnam(name)
    except KeyError:
        raise ValueError(f"expected a user of this machine, got {name!r}: add it with useradd -m") from None
    if owner.pw_uid == 0:
        raise ValueError(
            "expected an instructor who is not root: in the formgrader students' work is looked at"
        )
    return owner


def make_folders(hub: Path, owner: pwd.struct_passwd) -> None:
    """Makes the folders with the modes that keep the class apart."""
    # Whoever may rename things in it can put a folder of theirs in place of another: only owners may (the first 1).
    for folder, mode in ((hub, 0o755), (hub / "exchange", 0o1777), (hub / "state", 0o700)):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    course = hub / "course"
    course.mkdir(mode=0o700, exist_ok=True)
    if course.stat().st_uid not in (0, owner.pw_uid):
        other = pwd.getpwuid(course.stat().st_uid).pw_name
        raise ValueError(
            f"expected {course} to be {owner.pw_name}'s, but it is {other}'s: name the right instructor"
        )
    os.chown(course, owner.pw_uid, owner.pw_gid)
    course.chmod(0o700)


def install(environment: Path) -> None:
    """Installs the course's packages and JupyterHub, as they were tested."""
    python = environment / "bin" / "python"
    if not python.exists():
        check_python(Path(sys.executable).resolve())
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    command = [python, "-m", "pip", "install", "--no-input", "-c", "constraints.txt"]
    # The course itself anew, whatever its version says: an update changes it.
    subprocess.run([*command, ".[course,hub]"], cwd=ROOT, check=True)
    subprocess.run([*command, "--no-deps", "--force-reinstall", "."], cwd=ROOT, check=True)


def check_python(python: Path) -> None:
    """Refuses a Python that lies in somebody's closed folder: users could not start what is installed for them."""
    closed = [folder for folder in python.parents if not folder.stat().st_mode & 0o001]
    if closed:
        raise ValueError(
            f"expected a Python that every user may start, but {python} is behind {closed[-1]}, which is closed: "
            "run this with the system's, such as /usr/bin/python3"
        )


def configure(hub: Path, environment: Path) -> None:
    """Writes settings: for everybody into the environment, for the instructor beside it."""
    jupyter_settings.write(ROOT, environment)
    everybody = environment / "etc" / "jupyter"
    switch(everybody, STUDENTS, {})
    write(
        everybody / "nbgrader_config.py",
        f"c = get_config()\nc.CourseDirectory.course_id = {COURSE_ID!r}\nc.Exchange.root = {str(hub / 'exchange')!r}\n",
    )
    switch(hub / "instructor", INSTRUCTOR, FRAMED)
    # For another hub's configuration: The Littlest JupyterHub does not see root's home.
    write(hub / "class_config.py", (ROOT / "hub" / "class_config.py").read_text(encoding="utf-8"))


def switch(folder: Path, extensions: "dict[str, bool]", more: "dict[str, Any]") -> None:
    """Writes into a folder of Jupyter's settings which of nbgrader's extensions are on, and more; others stay."""
    path = folder / "jupyter_server_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    server = settings.setdefault("ServerApp", {})
    server.update(more)
    switches = server.setdefault("jpserver_extensions", {})
    switches.update({f"nbgrader.server_extensions.{name}": on for name, on in extensions.items()})
    write(path, json.dumps(settings, indent=2) + "\n")
    disabled = {f"@jupyter/nbgrader:{name.replace('_', '-')}": not on for name, on in extensions.items()}
    page = {"disabledExtensions": disabled}
    write(folder / "labconfig" / "page_config.json", json.dumps(page, indent=2) + "\n")


def write(path: Path, text: str) -> None:
    """Writes a file that everybody may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
