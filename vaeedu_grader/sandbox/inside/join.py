"""Going into a sandbox that is there already, and leaving behind all that would be a way out again.

What `nsenter` does, and then what bubblewrap does for the processes that it starts: no rights, no way to get any, a
filter for system calls, limits, and no open file but the pipes.
"""

import ctypes
import os
import resource
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# CLONE_NEW… of user, mount, pid, net, ipc and uts; of the control group where the sandbox has one of its own.
_NAMESPACES, _GROUP = 0x10000000 | 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000, 0x02000000
_DUMPABLE, _SECCOMP, _DROP_BOUND, _NO_NEW_RIGHTS, _AMBIENT = 4, 22, 24, 38, 47
_FILTER, _CLEAR_ALL = 2, 4
_CAPSET = {"x86_64": 126, "aarch64": 91}
_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def enter(process: int, handle: int, user: int | None) -> None:
    """Goes into all of a sandbox's namespaces; what is forked then is in its process namespace, too.

    Args:
        process: A process of the sandbox, in which nothing of a student's has run yet.
        handle: An open pidfd of it.
        user: The user who made the sandbox, where root does this; None where it is this process's own.
    """
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    wanted = _NAMESPACES
    if os.readlink(f"/proc/{process}/ns/cgroup") != os.readlink("/proc/self/ns/cgroup"):
        wanted |= _GROUP
    root = os.stat(f"/proc/{process}/root")
    _call(_libc.setns, handle, wanted)
    if not os.path.samestat(root, os.stat("/")):
        raise OSError("the sandbox's files are not those it shows")


def give_up_all(values: Sequence[tuple[int, int]], program: bytes) -> None:
    """Gives up every right, for good, and sets limits; checks afterwards that it is so.

    Args:
        values: Limits, by their numbers in `resource`.
        program: The filter for system calls; empty for none.
    """
    for kind, value in values:
        resource.setrlimit(kind, (value, value))
    _call(_libc.prctl, _AMBIENT, _CLEAR_ALL, 0, 0, 0)
    for right in range(_last_right() + 1):
        _call(_libc.prctl, _DROP_BOUND, right, 0, 0, 0)
    head, none = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    _call(_libc.syscall, ctypes.c_long(_CAPSET[os.uname().machine]), head, none)
    _call(_libc.prctl, _NO_NEW_RIGHTS, 1, 0, 0, 0)
    # As a program that was started inside would be: else its own folder in /proc were closed to it.
    _call(_libc.prctl, _DUMPABLE, 1, 0, 0, 0)
    if program:
        _call(_libc.prctl, _SECCOMP, _FILTER, ctypes.byref(_filter(program)), 0, 0)
    _check(bool(program))


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_char_p)]


def _filter(program: bytes) -> _Filter:
    return _Filter(len(program) // 8, program)


def _last_right() -> int:
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text())


def _check(filtered: bool) -> None:
    lines = Path("/proc/self/status").read_text().splitlines()
    status: Mapping[str, Any] = {name: value.split() for name, _, value in (x.partition(":") for x in lines)}
    expected = {f"Cap{kind}": ["0" * 16] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")}
    expected |= {"NoNewPrivs": ["1"], "Uid": ["1000"] * 4, "Gid": ["1000"] * 4}
    if filtered:
        expected["Seccomp"] = ["2"]
    wrong = [f"{name} {status.get(name)}" for name, value in expected.items() if status.get(name) != value]
    if wrong:
        raise OSError(f"rights were left: {', '.join(wrong)}")


def _call(function: Any, *arguments: Any) -> None:
    # Whole words: where there are fewer bits, the kernel would read what happens to lie beside them.
    words = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if function(*words) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")
