"""`make gpu-check`: runs the tests that need a GPU, then the GPU's benchmarks, and keeps what they find.

Arguments are handed on to benchmarks/gpu.py: `--seconds 300` trains for five minutes instead of twenty.
"""

import json
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"


def main(arguments: Sequence[str] = ()) -> int:
    """Returns the exit code: 0 where all is well or there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        print(f"gpu-check: {absence(torch.version.cuda)}")
        return 0
    tests = run_tests(BENCHMARKS / "results")
    print(f"gpu-check: the tests {'FAILED' if tests else 'passed'}; now the benchmarks", flush=True)
    benchmarks = subprocess.run([sys.executable, str(BENCHMARKS / "gpu.py"), *arguments], cwd=ROOT).returncode
    return tests or benchmarks


def absence(cuda: "str | None") -> str:
    """Says in one line why there is nothing to check."""
    if cuda is None:
        return (
            "this PyTorch is built without CUDA, so nothing was checked "
            "(pytorch.org/get-started tells how to install one with CUDA)"
        )
    return f"PyTorch finds no CUDA device (it is built for CUDA {cuda}), so nothing was checked"


def run_tests(results: Path, marker: str = "gpu", options: Sequence[str] = ()) -> int:
    """Runs the tests with a marker; keeps how many passed in `gpu_tests.json`, and returns pytest's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", marker, f"--junitxml={report}", *options]
        start = time.perf_counter()
        code = subprocess.run(command, cwd=ROOT).returncode
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
