"""Is this machine ready for the course? One report, with a verdict and what to mend; and how many threads suit it."""

import importlib.metadata
import math
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

# Beyond this the small tensors of the lectures gain nothing.
_MOST_THREADS = 4
_CGROUP = Path("/sys/fs/cgroup")
_COURSE = {"extra": "course"}  # readers need what the extra "course" asks for, not the test tools


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
    mend = "" if ok else f"The course needs Python {allowed}: make lab PYTHON=python3.12"
    return Finding(ok, f"Python {version}", mend)


def _packages() -> list[Finding]:
    needed = [Requirement(line) for line in importlib.metadata.requires("vaeedu") or []]
    needed = [r for r in needed if r.marker is None or r.marker.evaluate(_COURSE)]
    wrong = [finding for requirement in needed if (finding := _package(requirement)) is not None]
    good = Finding(
        True, f"{len(needed) - len(wrong)} of {len(needed)} packages installed, in versions that fit"
    )
    return [good, *wrong]


def _package(requirement: Requirement) -> Finding | None:
    """Returns what is wrong with an installed package, or None."""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(False, f"{requirement.name} is not installed", "Close JupyterLab and run: make lab")
    if requirement.specifier.contains(version, prereleases=True):
        return None
    text = f"{requirement.name} is {version}, but the course needs {requirement.specifier}"
    return Finding(False, text, "Close JupyterLab and run: make lab")


def _torch() -> Finding:
    try:
        import torch

        product = torch.linalg.solve(2 * torch.eye(3), torch.ones(3)).sum()
        ok = abs(float(product) - 1.5) < 1e-6
    except Exception as error:  # whatever a broken build does, the report goes on
        return Finding(False, f"PyTorch does not work ({error})", "Run: make clean, then make lab")
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU, and none is needed"
    mend = "" if ok else "It computes wrong numbers. Run: make clean, then make lab"
    return Finding(
        ok, f"PyTorch {torch.__version__} computes, on {torch.get_num_threads()} threads; {where}", mend
    )


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
    passively: the environment variable `OMP_WAIT_POLICY` is `passive`, as `make lab` sets it. A number that was chosen
    by `OMP_NUM_THREADS` stays.

    Returns:
        The number of threads.

    >>> use_threads() >= 1
    True
    """
    import torch

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
