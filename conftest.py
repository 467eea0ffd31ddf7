"""What holds for every test, and for every example in a docstring."""

import gc
import os
import signal
import sys

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


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Lets the tests run without pytest-timeout, whose setting pyproject.toml has (tools/gpu_check.py)."""
    if not pluginmanager.hasplugin("timeout"):
        parser.addini("timeout", "seconds a test may take; nothing enforces it here")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the dearest tests first, and tells pytest-xdist which belong to one worker."""
    items.sort(key=_rank)
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            if item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: garbage is looked for among what the tests make."""
    gc.freeze()
    gc.enable()


def _rank(item: pytest.Item) -> int:
    return next((i for i, prefix in enumerate(DEAREST) if item.nodeid.startswith(prefix)), len(DEAREST))


def _group(item: pytest.Item) -> str:
    """The tests of a file go together, because they share fixtures and caches; not so the long ones.

    Those of one exercise go together, too: they share its answer key.
    """
    path = item.nodeid.partition("::")[0]
    if path.startswith(APART):
        return "apart"
    fixtures = getattr(item, "_fixtureinfo", None)
    shares = fixtures and any(
        definition.scope != "function" and definition.baseid.startswith("tests/")
        for definitions in fixtures.name2fixturedefs.values()
        for definition in definitions
    )
    if item.get_closest_marker("slow") and not shares:
        return item.nodeid
    parameters = getattr(item, "callspec", None)
    exercise = parameters.params.get("exercise") if parameters else None
    return f"{path} {getattr(exercise, 'name', exercise)}" if exercise is not None else path


@pytest.fixture(autouse=True)
def _a_known_seed() -> None:
    """Seeds torch's global generator, so that what a test or an example draws from it does not depend on the others."""
    torch.manual_seed(0)
