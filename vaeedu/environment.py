"""Is this machine ready for the course? One report, with a verdict and what to mend; and how many threads suit it."""

import importlib.metadata
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from vaeedu import course

# Beyond this the small tensors of the lectures gain nothing.
_MOST_THREADS = 4
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        ok: Whether it is as it should be.
        text: What was found.
        mend: What to do about it; empty where `ok`.
    """

    ok: bool
    text: str
    mend: str = ""


def report() -> str:
    """Returns what was found on this machine, a line each, and a verdict.

    >>> print(report())
    ✓ Python ...
    """
    findings = [_python(), *_packages(), _torch(), *_extras()]
    lines = [f"{'✓' if f.ok else '✗'} {f.text}{f.mend and '. ' + f.mend}" for f in findings]
    wrong = sum(not f.ok for f in findings)
    verdict = (
        "Everything is in place." if not wrong else f"{wrong} thing{'s' * (wrong > 1)} to mend: see ✗ above."
    )
    return "\n".join([*lines, "", verdict])


def _python() -> Finding:
    version, allowed = platform.python_version(), importlib.metadata.metadata("vaeedu")["Requires-Python"]
    ok = SpecifierSet(allowed).contains(version, prereleases=True)
    how = _set_up("Install one of these", "3.12") or "Install one of these, and the course in it"
    return Finding(ok, f"Python {version}", "" if ok else f"The course needs Python {allowed}. {how}")


def _packages() -> list[Finding]:
    # Readers need what notebooks ask for, and in a copy of the course JupyterLab and nbgrader; never the test tools.
    extras = ("notebook",) if course.folder() is None else ("notebook", "course")
    needed = [Requirement(line) for line in importlib.metadata.requires("vaeedu") or []]
    needed = [r for r in needed if r.name != "vaeedu" and _is_asked_for(r, extras)]
    wrong = [finding for requirement in needed if (finding := _package(requirement)) is not None]
    good = Finding(
        True, f"{len(needed) - len(wrong)} of {len(needed)} packages installed, in versions that fit"
    )
    return [good, *wrong]


def _is_asked_for(requirement: Requirement, extras: Sequence[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def _package(requirement: Requirement) -> Finding | None:
    """Returns what is wrong with an installed package, or None."""
    name, allowed = requirement.name, requirement.specifier
    mend = _set_up() or f'Run: %pip install "{name}{allowed}", and restart the kernel'
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(False, f"{name} is not installed", mend)
    if allowed.contains(version, prereleases=True):
        return None
    return Finding(False, f"{name} is {version}, but the course needs {allowed}", mend)


def _set_up(first: str = "Close JupyterLab", python: str = "") -> str:
    """How the copy of the course that this runs in is set up again; empty where there is none."""
    found = course.folder()
    if found is None or not (found / "tools" / "setup_env.py").is_file():
        return ""
    if os.name != "nt" and (found / "Makefile").is_file():
        return f"{first} and run: make lab{python and f' PYTHON=python{python}'}"
    launcher = f"py{python and f' -{python}'}" if os.name == "nt" else f"python{python or 3}"
    return f"{first} and run: {launcher} tools/setup_env.py --lab"


def _torch() -> Finding:
    mend = (
        _set_up("Close JupyterLab, remove the folder .venv")
        or "Install it anew: %pip install --force-reinstall torch"
    )
    try:
        import torch

        product = torch.linalg.solve(2 * torch.eye(3), torch.ones(3)).sum()
        ok = abs(float(product) - 1.5) < 1e-6
    except Exception as error:  # whatever a broken build does, the report goes on
        return Finding(False, f"PyTorch does not work ({error})", mend)
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU, and none is needed"
    text = f"PyTorch {torch.__version__} computes, on {torch.get_num_threads()} threads; {where}"
    return Finding(ok, text, "" if ok else f"It computes wrong numbers. {mend}")


def _extras() -> list[Finding]:
    from vaeedu import data

    mnist = (
        "MNIST is at hand, in full"
        if data.mnist_at_hand()
        else "MNIST is at hand as the small set that comes with the course; lecture 00 says how to get all of it"
    )
    return [Finding(True, mnist)]


def use_threads() -> int:
    """Lets torch use as many threads as suit the lectures' small tensors on this machine; each lecture calls it once.

    That is one for each processor that this process may use, at most four: a hub gives a student one or two of its
    many, and torch would start a thread for each of the many. Threads that wait for each other by spinning take the
    processors away from each other as soon as anything else runs on the machine, and a small training then takes more
    than twice as long as with one thread (`benchmarks/threads.py`). So there is more than one only where threads wait
    passively: the environment variable `OMP_WAIT_POLICY` is `passive`, as `vaeedu lab` sets it. A number that was
    chosen by `OMP_NUM_THREADS` stays.

    A lecture's own training loops also find their memory kept, as those of `training.fit` do
    (`training.devices.keep_freed_memory`).

    Returns:
        The number of threads.

    >>> use_threads() >= 1
    True
    """
    import torch

    from vaeedu.training.devices import keep_freed_memory

    keep_freed_memory()
    if not os.environ.get("OMP_NUM_THREADS"):
        passive = os.environ.get("OMP_WAIT_POLICY", "").lower() == "passive"
        torch.set_num_threads(min(_processors(), _MOST_THREADS) if passive else 1)
    return torch.get_num_threads()


def _processors() -> int:
    """How many processors this process may keep busy: what it is bound to, and what its container's share comes to."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, _share()))


def _share() -> int:
    """The container's share of processors, rounded up; without a limit, as many as there are."""
    unlimited = os.cpu_count() or 1
    try:
        quota, period = (_CGROUP / "cpu.max").read_text("ascii").split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or "max"
        return unlimited
