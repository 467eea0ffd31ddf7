"""A control group for a sandbox, where this machine lets us make one: the kernel then counts everything it uses.

Without one the limits of `watch` stand alone: each process has its own, and their sum is looked at five times a second.
"""

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from vaeedu_grader.sandbox.model import Limits

_NEEDED = {"memory", "pids"}
# Where there can be one for processors, a submission gets one processor, however many processes it starts.
_WANTED = "cpu"
_PERIOD = 100_000  # microseconds, of each of which so many may be used


class Group:
    """A control group, of either version, that is empty when it is made.

    Args:
        limits: What its processes may use together.
        folders: How many folders in memory they have; these count here.
        proc: Where the kernel says which groups there are.

    Raises:
        OSError: None can be made here.
    """

    def __init__(self, limits: Limits, folders: int, *, proc: Path = Path("/proc/self")) -> None:
        self._made: list[Path] = []
        memory = limits.memory_bytes + folders * limits.tmp_bytes
        # Bubblewrap's own two processes count as well.
        settings: dict[str, int | str] = {
            "memory.max": memory,
            "memory.swap.max": 0,
            "memory.oom.group": 1,
            "memory.limit_in_bytes": memory,
            "memory.memsw.limit_in_bytes": memory,
            "pids.max": limits.processes + 2,
            "cpu.max": f"{_PERIOD} {_PERIOD}",
            "cpu.cfs_period_us": _PERIOD,
            "cpu.cfs_quota_us": _PERIOD,
        }
        name = f"vaeedu-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            for parent in _parents(proc):
                self._make(parent, name, settings)
        except OSError:
            self.close()
            raise
        if not self._made:
            raise FileNotFoundError("no control groups with memory and pids")
        with contextlib.suppress(OSError, KeyError):  # the other limits stand without it
            self._make(_of_processors(proc), name, settings)

    def add(self, processes: Iterable[int]) -> None:
        """Moves processes here; what they start from now on is born here."""
        for folder in self._made:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    (folder / "cgroup.procs").write_text(str(process))

    def killed_for_memory(self) -> bool:
        """Says whether the kernel has ended a process of the group because its memory was used up."""
        for folder in self._made:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError):
                    counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                    if int(counts.get("oom_kill", 0)):
                        return True
        return False

    def close(self) -> None:
        """Removes the group, whose processes have ended."""
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._made.clear()

    def _make(self, parent: Path, name: str, settings: dict[str, int | str]) -> None:
        _remove_orphans(parent)
        folder = parent / name
        folder.mkdir()
        self._made.append(folder)
        self._set(folder, settings)

    @staticmethod
    def _set(folder: Path, settings: dict[str, int | str]) -> None:
        for name, value in settings.items():
            if (folder / name).exists():
                # Which of these there are depends on the kernel's settings; memory itself must be limited.
                may_fail = any(part in name for part in ("swap", "memsw", "cpu."))
                with contextlib.suppress(OSError) if may_fail else contextlib.nullcontext():
                    (folder / name).write_text(str(value))


def _remove_orphans(parent: Path) -> None:
    """Removes the groups of graders that were killed; the kernel refuses where there are still processes."""
    for folder in parent.glob("vaeedu-*-*"):
        with contextlib.suppress(OSError):
            if not Path("/proc", folder.name.split("-")[1]).exists():
                folder.rmdir()


def _parents(proc: Path) -> list[Path]:
    """The folders to make a group in: one where all is in one hierarchy, or one for each of memory and pids."""
    places = dict(_own_groups(proc))
    mounted = dict(_mounts(proc))
    if places.keys() & mounted.keys() >= _NEEDED:
        return [mounted[name] / places[name].lstrip("/") for name in sorted(_NEEDED)]
    if "" not in places or "" not in mounted:
        return []
    top = mounted[""]
    own = top / places[""].lstrip("/")
    for folder in [own, *own.parents]:
        if not folder.is_relative_to(top):
            break
        # Where processes are, none but the topmost group can have groups with limits below it.
        given = folder / "cgroup.subtree_control"
        if given.is_file() and set(given.read_text().split()) >= _NEEDED and os.access(folder, os.W_OK):
            return [folder]
    return []


def _of_processors(proc: Path) -> Path:
    """The folder to make another group in where processors have a hierarchy of their own, as in version 1."""
    return dict(_mounts(proc))[_WANTED] / dict(_own_groups(proc))[_WANTED].lstrip("/")


def _own_groups(proc: Path) -> Iterator[tuple[str, str]]:
    """This process's group by controller; the name of the one hierarchy of version 2 is empty."""
    for line in (proc / "cgroup").read_text().splitlines():
        _, controllers, place = line.split(":", 2)
        for name in controllers.split(","):
            yield name, place


def _mounts(proc: Path) -> Iterator[tuple[str, Path]]:
    """Where the hierarchies are, by controller."""
    for line in (proc / "mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split()[:3]
        place = Path(before.split()[4])
        if kind == "cgroup2":
            yield "", place
        elif kind == "cgroup":
            for name in {*_NEEDED, _WANTED} & set(options.split(",")):
                yield name, place
