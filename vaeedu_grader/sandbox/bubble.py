"""The command line that puts a program into a bubblewrap sandbox: what it sees, and nothing else.

Nothing on the host can be written to, so that nothing on it can be changed or filled up. Where root grades, the sandbox
is made by a user that owns nothing.
"""

import os
import resource
import secrets
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vaeedu_grader.authoring.course import course_root
from vaeedu_grader.sandbox import seccomp, watch
from vaeedu_grader.sandbox.model import Limits, SandboxError

# Numbers of users who own nothing, and are no accounts that anything else runs as; each sandbox takes another, so that
# none counts as, or can touch, another one's processes.
USERS = range(63000, 64000)
PACKAGE, WORK, HOME = "/sandbox/package", "/sandbox/work", "/sandbox/home"
WRITABLE = ("/tmp", HOME, WORK, "/dev/shm")

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_SETTINGS = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")
_ACCOUNTS = b"student:x:1000:1000::/sandbox/home:/bin/sh\n"
# What util-linux's prlimit calls them.
_OPTIONS = {
    resource.RLIMIT_CORE: "core",
    resource.RLIMIT_CPU: "cpu",
    resource.RLIMIT_DATA: "data",
    resource.RLIMIT_FSIZE: "fsize",
    resource.RLIMIT_MEMLOCK: "memlock",
    resource.RLIMIT_NOFILE: "nofile",
    resource.RLIMIT_NPROC: "nproc",
}
_INSTALL = (
    "grading runs submissions in a bubblewrap sandbox, but {problem}: install it with 'apt install bubblewrap' "
    "(Debian, Ubuntu) or 'dnf install bubblewrap' (Fedora), version 0.8 or newer, or pass --unsafe"
)
_ISOLATED = [
    *(
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ),
    *("--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"),
    *("--uid", "1000", "--gid", "1000", "--hostname", "sandbox"),
]


@dataclass
class Command:
    """A command line, the open files it needs, and the user who runs it, if that is another than this process's."""

    arguments: list[str]
    files: list[int]
    user: int | None = None

    def close(self) -> None:
        """Closes the files, which the sandbox has by then."""
        for number in self.files:
            os.close(number)
        self.files.clear()


@lru_cache
def program() -> str:
    """Returns where bubblewrap is.

    Raises:
        SandboxError: It is not there, or too old; the message says how to install it.
    """
    path = shutil.which("bwrap")
    if path is None:
        raise SandboxError(_INSTALL.format(problem="there is no bwrap"))
    known = subprocess.run([path, "--help"], capture_output=True, text=True, check=False).stdout
    if "--disable-userns" not in known or "--size" not in known:
        raise SandboxError(_INSTALL.format(problem=f"{path} is too old"))
    return path


def command(
    package: Path, inside: Sequence[str], environment: dict[str, str], limits: Limits, *, info: int
) -> Command:
    """Returns the command that runs a program in a sandbox.

    Args:
        package: The folder to show as `PACKAGE`.
        inside: The program and its arguments, as seen from inside.
        environment: All of its environment variables.
        limits: For the sizes of the folders that can be written to.
        info: An open file to write the first process's number to.
    """
    path = program()
    root = os.geteuid() == 0
    # Where the sandbox's user is not its own, all processes of that user would count.
    made = Command(
        [*_limited(limits, count_processes=root), path, *_ISOLATED, "--info-fd", str(info)], [info]
    )
    for name, value in environment.items():
        made.arguments += ["--setenv", name, value]
    made.arguments += ["--proc", "/proc", "--dev", "/dev"]
    layers = sorted(_layers(package), key=lambda layer: layer[0].count("/"))
    for place, shown in layers:
        made.arguments += _layer(place, shown, limits)
    for name, content in (("passwd", _ACCOUNTS), ("group", b"student:x:1000:\n")):
        made.arguments += ["--ro-bind-data", str(_pipe(made, content)), f"/etc/{name}"]
    # These are in memory too, and would have no limit.
    for place in [
        "/dev",
        *(place for place, shown in layers if shown is None and place not in WRITABLE),
        "/",
    ]:
        made.arguments += ["--remount-ro", place]
    made.arguments += ["--chdir", WORK]
    rules = seccomp.open_program()
    if rules is not None:
        made.files.append(rules)
        made.arguments += ["--seccomp", str(rules)]
    made.arguments += ["--", *inside]
    if root:
        made.user = USERS[secrets.randbelow(len(USERS))]
        made.arguments = [
            *as_another_user([shown for _, shown in layers if shown], made.user),
            *made.arguments,
        ]
    return made


def as_another_user(needed: Sequence[Path], user: int) -> list[str]:
    """The start of a command line that lets root run the rest as another user, who can reach what is needed.

    Python often lies below /root, where nobody else may look. In a view of the file system that only this command has,
    an empty folder takes the place of such a one, with what is needed in it and nothing else.

    Args:
        needed: Folders that the rest needs.
        user: The user's number.
    """
    closed = {top for folder in needed if (top := _closed_above(folder)) is not None}
    line = [program(), "--die-with-parent", "--dev-bind", "/", "/"]
    for top in sorted(closed):
        line += ["--perms", "0755", "--tmpfs", str(top)]
        for folder in sorted(folder for folder in needed if folder.is_relative_to(top)):
            for between in reversed([p for p in folder.parents if p != top and p.is_relative_to(top)]):
                line += ["--perms", "0755", "--dir", str(between)]
            line += ["--ro-bind", str(folder), str(folder)]
    return [*line, "--", _tool("setpriv"), f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]


def _limited(limits: Limits, *, count_processes: bool) -> list[str]:
    """The start of a command line that limits the rest: bubblewrap itself too, whose first process stays inside."""
    values = watch.resources(limits, count_processes=count_processes)
    return [_tool("prlimit"), *(f"--{_OPTIONS[kind]}={value}" for kind, value in values.items()), "--"]


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SandboxError(f"grading needs {name}: install it with 'apt install util-linux'")
    return path


def _closed_above(folder: Path) -> Path | None:
    """The outermost folder on the way to another that not everybody may pass through."""
    for above in reversed(folder.parents):
        if not above.stat().st_mode & 0o001:
            return above
    return None


def _layers(package: Path) -> Iterator[tuple[str, Path | None]]:
    """What is shown where; None for an empty folder, whether to write into or to hide what is there."""
    shown = [Path(path) for path in _SYSTEM if Path(path).exists()]
    shown += [Path("/etc", name) for name in _SETTINGS if Path("/etc", name).exists()]
    shown += python_folders()
    yield from ((str(path), path) for path in shown)
    yield from ((place, None) for place in WRITABLE)
    yield PACKAGE, package
    for hidden in _hidden():
        if any(hidden != path and hidden.is_relative_to(path) for path in shown):
            yield str(hidden), None


def python_folders() -> list[Path]:
    """The folders that Python and its packages are in."""
    folders = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    folders |= {str(Path(sys.executable).resolve().parent.parent)}
    folders |= {path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")}
    folders |= {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    paths = {Path(folder) for folder in folders} | {Path(folder).resolve() for folder in folders}
    kept = [p for p in sorted(paths) if p.is_dir() and not any(p.is_relative_to(s) for s in _SYSTEM)]
    return [p for p in kept if not any(p != other and p.is_relative_to(other) for other in kept)]


def _hidden() -> Iterator[Path]:
    """What may lie within a folder that is shown, but must not be seen: the course, the library and the grader."""
    source = Path(__file__).resolve().parents[2]
    if source.name in ("site-packages", "dist-packages"):
        yield from (source / "vaeedu", source / "vaeedu_grader")
    else:
        yield source
    try:
        yield course_root()
    except ValueError:
        return


def _layer(place: str, shown: Path | None, limits: Limits) -> list[str]:
    if shown is None:
        return ["--perms", "0700", "--size", str(limits.tmp_bytes), "--tmpfs", place]
    if shown.is_symlink():
        return ["--symlink", str(shown.readlink()), place]
    return ["--ro-bind", str(shown), place]


def _pipe(made: Command, content: bytes) -> int:
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    made.files.append(read)
    return read
