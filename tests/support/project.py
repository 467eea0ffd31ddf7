"""What pyproject.toml asks for."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def asked_for(*extras: str) -> list[str]:
    """Returns what the course itself and some of its extras ask for, and the extras on which those build."""
    texts, waiting = list(PROJECT["dependencies"]), list(extras)
    while waiting:
        for text in PROJECT["optional-dependencies"][waiting.pop(0)]:
            requirement = Requirement(text)
            if requirement.name == PROJECT["name"]:
                waiting += sorted(requirement.extras)
            else:
                texts.append(text)
    return texts
