"""How JupyterLab behaves in the course: `vaeedu lab` and whatever else starts it in `.venv` read the same files."""

import shutil
from pathlib import Path

# What each setting is for stands in vaeedu/cli/reading.py.
FILES = Path("vaeedu", "cli", "jupyter")


def texts(root: Path) -> dict[str, str]:
    """Returns the files' contents by name."""
    folder = root / FILES
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.json"))
    }


def write(root: Path, venv: Path) -> None:
    """Copies the files into a virtual environment."""
    shutil.copytree(root / FILES, venv / "etc" / "jupyter", dirs_exist_ok=True)
