"""What a sandbox's processes use, seen and limited from outside, where nothing inside can touch it."""

import contextlib
import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaeedu_grader.sandbox.model import Limits

_PROC = Path("/proc")


def family(*roots: int) -> Iterator[int]:
    """Processes and all that descend from them; those that end meanwhile are left out."""
    waiting = list(roots)
    while waiting:
        yield (parent := waiting.pop())
        with contextlib.suppress(OSError, ValueError):
            for task in os.listdir(_PROC / str(parent) / "task"):
                children = (_PROC / str(parent) / "task" / task / "children").read_text()
                waiting += map(int, children.split())


def resources(limits: Limits, *, count_processes: bool) -> dict[int, int]:
    """The limits that the kernel keeps for each process, by their numbers in `resource`.

    Args:
        limits: The limits.
        count_processes: Whether to limit the number of processes. Without a sandbox all of the user's would count.
    """
    values = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_DATA: limits.memory_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_MEMLOCK: 0,
    }
    return values | ({resource.RLIMIT_NPROC: limits.processes} if count_processes else {})


def limit(roots: Sequence[int], values: dict[int, int]) -> None:
    """Sets the limits of a family from outside, where that is allowed.

    The program inside sets its own as well. This is for the first process, which bubblewrap leaves in the sandbox: a
    student's code must gain nothing by taking it over.
    """
    for member in family(*roots):
        for kind, value in values.items():
            # Root in a container may lack the right to do so.
            with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
                resource.prlimit(member, kind, (value, value))


def over(roots: Sequence[int], limits: Limits, folders: tuple[str, ...]) -> str:
    """Says which limit a family as a whole is over, by its name in `Limits`; empty if none.

    Args:
        roots: The first process, and what has come into the sandbox from outside.
        limits: The limits.
        folders: The sandbox's folders in memory; none where there is no sandbox, and so no network of its own.
    """
    members, first = list(family(*roots)), roots[0]
    # What processes share counts for each of them here; only where that is too much, a closer look is worth its time.
    if sum(map(_resident, members)) > limits.memory_bytes and sum(map(_share, members)) > limits.memory_bytes:
        return "memory_bytes"
    if folders and _sockets(first) > limits.sockets:
        return "sockets"
    for folder in folders:
        with contextlib.suppress(OSError):
            space = os.statvfs(f"/proc/{first}/root{folder}")
            if space.f_files - space.f_ffree > limits.tmp_files:
                return "tmp_files"
    return ""


def _sockets(pid: int) -> int:
    """How many sockets there are in the process's network, which is the sandbox's own, those on their way included."""
    try:
        first = (_PROC / str(pid) / "net" / "sockstat").read_text().splitlines()[0]
        return int(first.split()[-1])
    except (OSError, IndexError, ValueError):
        return 0


def _resident(pid: int) -> int:
    try:
        pages = (_PROC / str(pid) / "statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


def _share(pid: int) -> int:
    """Its memory; of what several processes share, its part."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return _resident(pid)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
