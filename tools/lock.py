"""Makes `uv.lock` from `constraints.txt`: the tested versions, and what other systems need besides, for users of uv.

Usage: python tools/lock.py
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Writes the lock; the exit status is 0, or uv's."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        # uv takes constraints from pyproject.toml only. Once they have decided the versions, the lock stands without.
        constrained = f"{project}\n[tool.uv]\nconstraint-dependencies = {[pin for pin in pins if pin]}\n"
        Path(folder, "pyproject.toml").write_text(constrained, encoding="utf-8")
        if status := uv("lock", "--directory", folder, "--default-index", "https://pypi.org/simple"):
            return status
        made = Path(folder, "uv.lock").read_text(encoding="utf-8")
    made, times = re.subn(r"\[manifest\]\nconstraints = \[\n.*?\n\]\n\n", "", made, count=1, flags=re.DOTALL)
    if times != 1:
        print("uv wrote a lock without the constraints: look at its new format", file=sys.stderr)
        return 1
    fresh = ROOT / "uv.lock.new"
    fresh.write_text(made, encoding="utf-8", newline="\n")
    os.replace(fresh, ROOT / "uv.lock")
    return uv("lock", "--directory", str(ROOT), "--check")


def uv(*arguments: str) -> int:
    """Runs uv without anybody's own settings, and returns its exit status."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    return subprocess.run([sys.executable, "-m", "uv", "--no-config", *arguments], env=settings).returncode


if __name__ == "__main__":
    sys.exit(main())
