"""The tested versions fit together on every Python that the README names: pip's question, answered from metadata."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator, Mapping

import pytest
import setup_env
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from support.pythons import pythons_of_this_machine
from support.tiny import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# pip brings it along where a package asks for it; which one is never what a lecture shows.
UNPINNED = {"setuptools"}


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def environment_of(version: str) -> dict[str, str]:
    """What markers see on this machine under another Python."""
    short = ".".join(version.split(".")[:2])
    return {**default_environment(), "python_full_version": version, "python_version": short}


def needed(requirements: list[str], environment: Mapping[str, str]) -> Iterator[tuple[Requirement, str]]:
    """Walks all that is needed, each requirement with who has it, as pip does; what is absent ends the walk."""
    waiting, seen = [(Requirement(text), "the course", "") for text in requirements], set()
    while waiting:
        requirement, asker, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        yield requirement, asker
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            try:
                texts = importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:
                continue
            waiting += [(Requirement(text), name, wanted) for text in texts]


def misfits(tested: Mapping[str, str], python: str) -> list[str]:
    """Says what keeps pip from installing the tested versions under a Python."""
    extras = PROJECT["optional-dependencies"]
    wrong = set()
    asked = [*PROJECT["dependencies"], *extras["course"], *extras["dev"]]
    for requirement, asker in needed(asked, environment_of(python)):
        name = canonicalize_name(requirement.name)
        if name in UNPINNED:
            continue
        if name not in tested:
            wrong.add(f"{name}, which {asker} needs, has no tested version")
        elif not requirement.specifier.contains(tested[name], prereleases=True):
            wrong.add(f"{asker} needs {requirement}, but {tested[name]} is tested")
    for name, version in tested.items():
        allowed = requires_python(name, version)
        if not SpecifierSet(allowed).contains(python):
            wrong.add(f"{name} {version} needs Python {allowed}")
    return sorted(wrong)


def requires_python(name: str, version: str) -> str:
    """What the tested version says it runs on; empty where another one is installed, or none."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""  # a constraint asks for nothing; another platform may need it
    return (metadata["Requires-Python"] or "") if metadata["Version"].partition("+")[0] == version else ""


# The first release of each Python that is promised, and what this machine has of them.
FOUND = {
    python
    for python in pythons_of_this_machine().values()
    if tuple(map(int, python.split(".")[:2])) in setup_env.SUPPORTED
}
PROMISED = {f"{major}.{minor}.0" for major, minor in setup_env.SUPPORTED}


@pytest.mark.parametrize("python", sorted(FOUND | PROMISED))
def test_the_tested_versions_fit_together_on(python):
    assert misfits(pins(), python) == []


@pytest.mark.parametrize(
    ("name", "version", "complaint"),
    [
        ("numpy", "1.0", "needs numpy.*, but 1.0 is tested"),
        ("traitlets", None, "traitlets, which .* needs, has no tested version"),
    ],
)
def test_a_version_that_does_not_fit_is_named(name, version, complaint):
    changed = {**pins(), name: version}
    if version is None:
        del changed[name]
    assert re.search(complaint, "\n".join(misfits(changed, "3.11.2")))


def test_a_version_for_later_pythons_only_is_named(monkeypatch):
    monkeypatch.setattr(
        importlib.metadata, "metadata", lambda name: {"Version": "1", "Requires-Python": ">=3.11.5"}
    )
    assert misfits({**pins(), "tqdm": "1"}, "3.11.5")[-1:] != ["tqdm 1 needs Python >=3.11.5"]
    assert "tqdm 1 needs Python >=3.11.5" in misfits({**pins(), "tqdm": "1"}, "3.11.2")


def test_the_readme_names_the_pythons_that_will_do():
    *first, last = [f"{major}.{minor}" for major, minor in setup_env.SUPPORTED]
    assert f"Python {', '.join(first)} or {last}" in (ROOT / "README.md").read_text(encoding="utf-8")
