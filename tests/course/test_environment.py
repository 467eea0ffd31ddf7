"""environment.yml, CITATION.cff, constraints.txt and the package's own metadata agree."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from support.project import PROJECT, asked_for

import vaeedu

ROOT = Path(__file__).resolve().parents[2]
# The only distribution of the course whose name on conda-forge is another.
CONDA_NAMES = {"torch": "pytorch"}
# What conda-forge does not have comes from PyPI.
PYPI_ONLY = {"copydetect", "hershey-fonts", "latex2mathml"}


def by_name(requirements):
    """Maps canonical names to specifier sets; a name given twice would hide one of them."""
    parsed = [Requirement(text) for text in requirements]
    names = [canonicalize_name(requirement.name) for requirement in parsed]
    assert len(names) == len(set(names)), f"given twice: {sorted(names)}"
    return {name: requirement.specifier for name, requirement in zip(names, parsed, strict=True)}


@pytest.fixture(scope="module")
def conda():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def conda_packages(conda):
    return by_name(entry for entry in conda["dependencies"] if isinstance(entry, str))


def test_conda_has_the_same_packages_in_the_same_ranges(conda, conda_packages):
    wanted = by_name(asked_for("course"))
    renamed = {CONDA_NAMES.get(name, name): ranges for name, ranges in wanted.items()}
    found = {name: ranges for name, ranges in conda_packages.items() if name not in ("python", "pip")}
    from_pypi = by_name(conda["dependencies"][-1]["pip"][:-1])
    assert from_pypi.keys() == PYPI_ONLY
    assert found | from_pypi == renamed


def test_conda_has_the_same_python(conda_packages):
    assert conda_packages["python"] == SpecifierSet(PROJECT["requires-python"])


def test_conda_installs_the_course_itself_last(conda, conda_packages):
    # pip must be asked for by name, or conda warns and picks one.
    assert "pip" in conda_packages
    assert conda["dependencies"][-1]["pip"][-1] == "-e ."
    assert conda["name"] == PROJECT["name"]


def test_the_classifiers_and_the_linter_name_the_supported_pythons():
    supported = [
        Version(f"3.{minor}")
        for minor in range(30)
        if f"3.{minor}" in SpecifierSet(PROJECT["requires-python"])
    ]
    prefix = "Programming Language :: Python :: "
    assert [
        Version(c.removeprefix(prefix)) for c in PROJECT["classifiers"] if c.startswith(prefix)
    ] == supported
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    oldest = supported[0]
    assert tools["ruff"]["target-version"] == f"py{oldest.major}{oldest.minor}"
    assert tools["mypy"]["python_version"] == str(oldest)


def constraints():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return by_name(line for line in lines if line.strip())


def test_every_dependency_is_pinned_within_its_range():
    pins = constraints()
    for name, allowed in by_name(asked_for("course", "dev")).items():
        (pin,) = pins[name]
        assert pin.operator == "=="
        assert pin.version in allowed, f"{name} is tested as {pin.version}, outside {allowed}"


def test_what_runs_is_what_constraints_say():
    for name, pin in constraints().items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # a constraint asks for nothing; another platform may need it
        assert installed in pin


def test_binder_installs_the_tested_versions_of_what_readers_need():
    lines = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[-2:] == [
        "-c ../constraints.txt",
        "-e .[course]",
    ]  # the first from its own folder, the second from here
    runtime = (ROOT / ".binder" / "runtime.txt").read_text(encoding="ascii").strip()
    assert runtime.removeprefix("python-") in SpecifierSet(PROJECT["requires-python"])


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert vaeedu.__version__ == PROJECT["version"] == str(citation["version"])
    assert importlib.metadata.version("vaeedu") == vaeedu.__version__


def test_the_citation_has_what_its_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["license"] in PROJECT["license"].split(" AND ")


def test_the_licence_says_which_part_of_the_course_is_what():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in text
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in text
    code, _, words = text.partition("Text and figures, under")
    named = set(re.findall(r"[.\w]+/", code))
    for folder in (
        "vaeedu",
        "vaeedu_grader",
        "exercises",
        "hub",
        "tests",
        "tools",
        "benchmarks",
        ".ci",
        "lectures",
        "solutions",
        "assignments",
    ):
        assert f"{folder}/" in named
    assert "docs/" in words
