"""The tested versions fit together on every Python that the README names: pip's question, answered from metadata."""

import functools
import importlib.metadata
import re
from collections.abc import Iterator, Mapping
from email.message import Message
from unittest import mock

import pytest
import setup_env
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from support.project import asked_for
from support.pythons import pythons_of_this_machine
from support.tiny import ROOT

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
            if name in installed():
                texts = installed()[name].get_all("Requires-Dist") or []
                waiting += [(Requirement(text), name, wanted) for text in texts]


def misfits(tested: Mapping[str, str], python: str) -> list[str]:
    """Says what keeps pip from installing the tested versions under a Python."""
    wrong = set()
    for requirement, asker in needed(asked_for("course", "dev"), environment_of(python)):
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
    found = installed().get(name)  # a constraint asks for nothing; another platform may need it
    if found is None or found["Version"].partition("+")[0] != version:
        return ""
    return found["Requires-Python"] or ""


@functools.cache
def installed() -> dict[str, Message]:
    """The metadata of what is installed here, by name."""
    found = (distribution.metadata for distribution in importlib.metadata.distributions())
    return {canonicalize_name(metadata["Name"]): metadata for metadata in found}


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


def test_a_version_for_later_pythons_only_is_named():
    later = Message()
    later["Version"], later["Requires-Python"] = pins()["tqdm"], ">=3.11.5"
    complaint = f"tqdm {pins()['tqdm']} needs Python >=3.11.5"
    with mock.patch.dict(installed(), tqdm=later):
        assert complaint in misfits(pins(), "3.11.2")
        assert complaint not in misfits(pins(), "3.11.5")


def test_the_readme_names_the_pythons_that_will_do():
    *first, last = [f"{major}.{minor}" for major, minor in setup_env.SUPPORTED]
    assert f"Python {', '.join(first)} or {last}" in (ROOT / "README.md").read_text(encoding="utf-8")
