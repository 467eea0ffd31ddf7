"""`make gpu-check`: runs the tests that need a GPU, then the GPU's benchmarks, and keeps what they find.

    python3 tools/gpu_check.py [--seconds 300]   # trains for five minutes instead of less than two
    python3 tools/gpu_check.py --rehearse        # goes through all of it at a tiny size on the CPU, and keeps nothing

Any python3 will do that has PyTorch, numpy, scipy, scikit-learn, matplotlib, tqdm, jaxtyping and pytest: neither the
course nor its test tools need to be installed, and nothing is downloaded. Each step has a time limit, together eight
minutes; one that fails or is stopped does not keep the others from running.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
NEEDED = ("numpy", "scipy", "sklearn", "matplotlib", "tqdm", "jaxtyping")
TEST_SECONDS, SAMPLING_SECONDS, TRAINING_SECONDS = 140, 110, 100
# Choosing between float32, bfloat16 and compiled steps before the training, and the test images after it.
AROUND_TRAINING_SECONDS = 130
REHEARSAL_SECONDS = (
    600  # of each step; it is about what runs, on however busy a machine, and takes half a minute
)


@dataclass(frozen=True)
class Step:
    """One part of the check.

    Attributes:
        name: What is shown.
        command: What is run; empty where this machine lacks something for it.
        limit: Seconds after which it is stopped.
        lacking: What this machine lacks for it, in words.
    """

    name: str
    command: "tuple[str, ...]"
    limit: float
    lacking: str = ""


def main(arguments: Sequence[str] = ()) -> int:
    """Returns the exit code: 0 where all is well or there is no GPU."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=TRAINING_SECONDS, help="of training")
    parser.add_argument("--rehearse", action="store_true", help="at a tiny size on the CPU")
    parser.add_argument("--only-tests", action="store_true", help="the first step alone")
    options = parser.parse_args(arguments)
    if options.only_tests:
        return run_tests(BENCHMARKS / "results", pytest_command())
    import torch

    if options.rehearse:
        return run_all(rehearsal())
    if not torch.cuda.is_available():
        print(f"gpu-check: {absence(torch.version.cuda)}; --rehearse goes through it on the CPU")
        return 0
    return run_all(check(options.seconds))


def absence(cuda: "str | None") -> str:
    """Says in one line why there is nothing to check."""
    if cuda is None:
        return (
            "this PyTorch is built without CUDA, so nothing was checked "
            "(pytorch.org/get-started tells how to install one with CUDA)"
        )
    return f"PyTorch finds no CUDA device (it is built for CUDA {cuda}), so nothing was checked"


def check(seconds: float = TRAINING_SECONDS) -> "list[Step]":
    """Lists what is done on a GPU."""
    gpu = str(BENCHMARKS / "gpu.py")
    mnist = "" if data_folder() else "no MNIST files: set VAEEDU_DATA to the folder above mnist/"
    training = (sys.executable, gpu, "training", "--seconds", f"{seconds:g}")
    return [
        Step("tests", (sys.executable, __file__, "--only-tests"), TEST_SECONDS, lacking("pytest", *NEEDED)),
        Step("sampling", (sys.executable, gpu, "sampling"), SAMPLING_SECONDS, lacking(*NEEDED)),
        Step("training", training, seconds + AROUND_TRAINING_SECONDS, lacking(*NEEDED) or mnist),
    ]


def rehearsal() -> "list[Step]":
    """Lists what is done without a GPU: its tests are collected, and skip; its benchmarks run at a tiny size."""
    gpu = str(BENCHMARKS / "gpu.py")
    return [
        Step("tests", tuple(pytest_command()), REHEARSAL_SECONDS, lacking("pytest", *NEEDED)),
        Step("benchmarks", (sys.executable, gpu, "--rehearse"), REHEARSAL_SECONDS, lacking(*NEEDED)),
    ]


def lacking(*modules: str) -> str:
    """Says which of these modules this Python lacks; nothing where it has them all."""
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"{sys.executable} has no {', '.join(absent)}" if absent else ""


def run_all(steps: Sequence[Step]) -> int:
    """Runs steps one after another, says how each ended, and returns the first exit code that is not 0."""
    codes, ends = [], []
    for step in steps:
        if step.lacking:
            ends.append(f"{step.name}: left out: {step.lacking}")
            continue
        start = time.perf_counter()
        print(f"gpu-check: {step.name}, at most {step.limit:g} s", flush=True)
        try:
            code = subprocess.run(step.command, cwd=ROOT, env=surroundings(), timeout=step.limit).returncode
            end = "passed" if code == 0 else f"FAILED with exit code {code}"
        except subprocess.TimeoutExpired:
            code, end = 124, "STOPPED at its time limit"
        codes.append(code)
        ends.append(f"{step.name}: {end} after {time.perf_counter() - start:.0f} s")
    print("\n".join(f"gpu-check: {end}" for end in ends), flush=True)
    return next((code for code in codes if code), 0)


def surroundings() -> "dict[str, str]":
    """Returns the environment of each step: the course is found without being installed, and so is MNIST."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    mine = {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if folder := data_folder():
        mine["VAEEDU_DATA"] = str(folder)
    return {**os.environ, **mine}


def data_folder() -> "Path | None":
    """Returns the folder above the published MNIST files, if it is at hand."""
    named = os.environ.get("VAEEDU_DATA")
    places = [Path(named).expanduser()] if named else [ROOT.parent / "shared/data", ROOT / "shared/data"]
    return next((place for place in places if (place / "mnist/train-images-idx3-ubyte.gz").is_file()), None)


def pytest_command(marker: str = "gpu", paths: Sequence[str] = ()) -> "list[str]":
    """Returns the command that runs the tests with a marker, with pytest alone: no plugin of it is needed.

    The machine's versions are not those that the course is tested with, so that warnings are shown, and no errors.
    """
    command = [sys.executable, "-m", "pytest", "-m", marker, "--import-mode=importlib", "-ra"]
    return [*command, "-o", "addopts=", "-o", "filterwarnings=default", *(paths or marked_files(marker))]


def marked_files(marker: str = "gpu") -> "list[str]":
    """Lists the test files that use a marker: others may import what this machine lacks."""
    used = re.compile(rf"^(\s*@|pytestmark = )pytest\.mark\.{marker}\b", re.MULTILINE)
    return [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if used.search(path.read_text(encoding="utf-8"))
    ]


def run_tests(results: Path, command: Sequence[str]) -> int:
    """Runs pytest; keeps how many tests passed in `gpu_tests.json`, and returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        start = time.perf_counter()
        code = subprocess.run([*command, f"--junitxml={report}"], cwd=ROOT).returncode
        took = time.perf_counter() - start
        counts = count(report)
    results.mkdir(exist_ok=True)
    content = {"machine": machine(), "seconds": round(took, 1), "exit_code": code, **counts}
    (results / "gpu_tests.json").write_text(json.dumps(content, indent=1) + "\n")
    return code


def count(report: Path) -> "dict[str, object]":
    """Counts the tests in a JUnit report, and names those that failed."""
    if not report.exists():
        return {}
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return {
        "passed": len(cases) - len(failed) - len(skipped),
        "skipped": len(skipped),
        "failed": [f"{case.get('classname')}::{case.get('name')}" for case in failed],
    }


def machine() -> "dict[str, str]":
    """Describes the machine as the benchmarks do."""
    sys.path.insert(0, str(BENCHMARKS))
    import common

    return common.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
