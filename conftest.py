"""What holds for every test, and for every example in a docstring."""

import gc
import os
import re
import signal
import sys
from typing import Any

# One thread a process, so that two workers share two cores in peace and sums are added up in the same order
# everywhere. Said before torch and numpy are loaded; what a test starts inherits it.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
# Millions of objects that live on are loaded while tests are collected: looking through them for garbage takes seconds.
gc.disable()

import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)
# jsonschema, and so nbformat, takes it where it is there, to check a format that no notebook has; importing it compiles
# a grammar for seconds.
sys.modules.setdefault("rfc3987_syntax", None)
# A shell that starts its tests in the background has Ctrl-C ignored, and all that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests that drive a browser, start a PostgreSQL server or lean on a sandbox's clock: one worker has them all, so that
# they never meet.
APART = ("tests/browser/", "tests/grader/test_sandbox_", "tests/grader/test_elsewhere.py")
# Each test of these files is long, and shares nothing with the others: they need not stay together.
BY_THEMSELVES = (
    "tests/course/test_lectures.py",
    "tests/course/test_release.py",
    "tests/course/test_grading_cycle.py",
)
# The first adds users to this machine; the second finds out whether anything below /etc has changed.
ONE_MACHINE = ("tests/hub/test_circle.py", "tests/grader/test_hostile.py")
# These try one small course, set up once.
TOGETHER = tuple(
    f"tests/setup/test_{name}.py" for name in ("container", "faults", "plan", "systems", "whole_way")
)
# Where the time goes: these start first, so that no worker is left with a long test at the end.
DEAREST = (
    *APART,
    "tests/course/test_exercises.py",
    "tests/course/",
    "tests/grader/",
    "tests/setup/",
    "tests/training/",
    "tests/autoencoders/",
    "tests/divergences/",
    "tests/cli/",
)
# The exercise, or the assignment, that a test's parameters end with: its tests share its answer keys, or its notebooks.
_SHARING = re.compile(r"test_(?:exercises|release)\.py.*?(\d\d[-_]\w+)\]$")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Lets the tests run without pytest-timeout, whose setting pyproject.toml has (tools/gpu_check.py)."""
    if not pluginmanager.hasplugin("timeout"):
        parser.addini("timeout", "seconds a test may take; nothing enforces it here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the dearest tests first."""
    items.sort(key=_rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tells pytest-xdist which tests belong to one worker; marks cannot, for it knows tests by their names only."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return Groups(config, log)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: garbage is looked for among what the tests make."""
    gc.freeze()
    gc.enable()


def _rank(item: pytest.Item) -> int:
    return next((i for i, prefix in enumerate(DEAREST) if item.nodeid.startswith(prefix)), len(DEAREST))


def _group(nodeid: str) -> str:
    """The tests of a file go together, because they share fixtures and caches, but for those named above."""
    if nodeid.startswith(APART):
        return "apart"
    if nodeid.startswith(ONE_MACHINE):
        return "one machine"
    if nodeid.startswith(TOGETHER):
        return "together"
    if sharing := _SHARING.search(nodeid):
        return sharing[1]
    return nodeid if nodeid.startswith(BY_THEMSELVES) else nodeid.partition("::")[0]


@pytest.fixture(autouse=True)
def _a_known_seed() -> None:
    """Seeds torch's global generator, so that what a test or an example draws from it does not depend on the others."""
    torch.manual_seed(0)
