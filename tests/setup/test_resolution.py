"""The tested versions can be installed on every system and Python that the README names, as wheels only.

`uv.lock` is uv's answer for all of them at once; here it is read, without a network. The slow tests ask uv again, for
one after the other; nothing is fetched but metadata, from uv's cache where it is there, else from the package index.
"""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib

import pytest
import setup_env
from packaging import tags
from packaging.markers import Marker
from packaging.utils import canonicalize_name, parse_wheel_filename
from support.tiny import ROOT

PYTHONS = [f"{major}.{minor}.0" for major, minor in setup_env.SUPPORTED]
SYSTEMS = {
    "Linux": "x86_64-manylinux_2_28",
    "Linux on Arm": "aarch64-manylinux_2_28",
    "Windows": "x86_64-pc-windows-msvc",
    "macOS 14": "aarch64-apple-darwin",
}
_UNREACHABLE = re.compile(r"[Nn]etwork|[Cc]onnect|dns error|error sending request|timed out|[Oo]ffline")


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def uv(*arguments, **variables):
    command = [sys.executable, "-m", "uv", "--no-config", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True)


# What uv.lock says


def read_lock():
    return tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]


def platforms(system):
    """The tags of a system's wheels, the newest first."""
    if system == "Windows":
        return ["win_amd64"]
    if system == "macOS 14":
        return list(tags.mac_platforms((14, 0), "arm64"))
    machine = {"Linux": "x86_64", "Linux on Arm": "aarch64"}[system]
    names = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    numbered = [[f"manylinux_2_{minor}", names.get(minor)] for minor in range(28, 4, -1)]
    return [f"{name}_{machine}" for pair in numbered for name in pair if name] + [f"linux_{machine}"]


def accepted(python, system):
    """The tags of the wheels that pip takes there."""
    version = tuple(map(int, python.split(".")[:2]))
    interpreter, names = f"cp{version[0]}{version[1]}", platforms(system)
    return {
        *tags.cpython_tags(version, [interpreter], names),
        *tags.compatible_tags(version, interpreter, names),
    }


def markers(python, system):
    sys_platform, os_name, platform_system, machine = {
        "Linux": ("linux", "posix", "Linux", "x86_64"),
        "Linux on Arm": ("linux", "posix", "Linux", "aarch64"),
        "Windows": ("win32", "nt", "Windows", "AMD64"),
        "macOS 14": ("darwin", "posix", "Darwin", "arm64"),
    }[system]
    return {
        "python_version": python.rpartition(".")[0], "python_full_version": python, "sys_platform": sys_platform,
        "os_name": os_name, "platform_system": platform_system, "platform_machine": machine,
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
    }  # fmt: skip


def chosen(packages, python, system):
    """What uv would install: the course, with everything that testing it needs, and what those need."""
    environment, by_name = markers(python, system), {}
    for package in packages:
        by_name.setdefault(package["name"], []).append(package)
    waiting, seen = [("vaeedu", ("course", "dev", "chemistry"))], {}
    while waiting:
        name, extras = waiting.pop()
        (package,) = (p for p in by_name[name] if _applies(p.get("resolution-markers"), environment))
        asked = [*package.get("dependencies", ())] if name not in seen else []
        for extra in extras:
            if extra not in seen.setdefault(name, (package, set()))[1]:
                seen[name][1].add(extra)
                asked += package.get("optional-dependencies", {}).get(extra, ())
        seen.setdefault(name, (package, set()))
        waiting += [
            (each["name"], tuple(each.get("extra", ())))
            for each in asked
            if _applies([each["marker"]] if "marker" in each else None, environment)
        ]
    return {name: package for name, (package, _) in seen.items() if name != "vaeedu"}


def _applies(texts, environment):
    return texts is None or any(Marker(text).evaluate(environment) for text in texts)


def without_a_wheel(packages, python, system):
    """Names what would have to be compiled there."""
    allowed = accepted(python, system)
    return [
        name
        for name, package in chosen(packages, python, system).items()
        if not any(
            parse_wheel_filename(wheel["url"].rpartition("/")[2])[3] & allowed
            for wheel in package.get("wheels", ())
        )
    ]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_everything_has_a_wheel(python, system):
    packages = read_lock()
    assert without_a_wheel(packages, python, system) == []
    found = chosen(packages, python, system)
    assert {"torch", "numpy", "jupyterlab", "nbgrader", "pytest", "rdkit"} <= found.keys()
    assert ("pywinpty" in found) == (system == "Windows")
    assert ("nvidia-cublas" in found) == (system == "Linux" or system == "Linux on Arm")


def test_a_version_without_a_wheel_for_a_system_is_named():
    packages = read_lock()
    for package in packages:
        if package["name"] == "numpy":
            package["wheels"] = [wheel for wheel in package["wheels"] if "cp314-win" not in wheel["url"]]
    assert without_a_wheel(packages, "3.14.0", "Windows") == ["numpy"]
    assert without_a_wheel(packages, "3.13.0", "Windows") == []


def locked():
    found = {}
    for package in read_lock():
        found.setdefault(canonicalize_name(package["name"]), set()).add(package["version"])
    return found


def test_the_lock_has_the_tested_versions_and_no_others():
    found = locked()
    assert {name: found[name] for name in pins() if name in found} == {
        name: {version} for name, version in pins().items() if name in found
    }
    assert len(found.keys() & pins().keys()) > 0.95 * len(pins())


def test_what_runs_is_what_is_locked():
    for name, versions in locked().items():
        try:
            installed = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue  # another system needs it
        if name not in ("setuptools", "pip"):  # a virtual environment brings its own
            assert {installed} == versions


def test_the_lock_is_that_of_pyproject(tmp_path):
    done = uv("lock", "--check", "--offline", UV_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, f"uv.lock is out of date, run `make lock`: {done.stderr}"


def test_the_lock_names_the_public_index_only():
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r'registry = "([^"]*)"', text)) == {"https://pypi.org/simple"}
    assert set(re.findall(r'url = "(https?://[^/]*|[^h][^"]*)', text)) == {"https://files.pythonhosted.org"}


# uv asked again


def resolved(python, system, constraints="constraints.txt"):
    """Returns the versions that would be installed, and why not, if they cannot be."""
    command = [
        "pip",
        "compile",
        "pyproject.toml",
        "--quiet",
        "--no-annotate",
        "--no-header",
        "-c",
        str(constraints),
    ]
    command += ["--extra", "course", "--extra", "dev", "--extra", "chemistry", "--only-binary", ":all:"]
    command += ["--python-version", python, "--python-platform", SYSTEMS[system]]
    for where in (["--offline"], []):
        done = uv(*command, *where, MACOSX_DEPLOYMENT_TARGET="14.0")
        if done.returncode == 0:
            break
    else:
        if _UNREACHABLE.search(done.stderr) and "No solution found" not in done.stderr:
            pytest.skip(
                f"no package index can be reached, and uv's cache is empty: {done.stderr.split(chr(10))[0]}"
            )
    lines = re.findall(r"^([\w.-]+)==(\S+)", done.stdout, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}, done.stderr


@pytest.mark.slow
@pytest.mark.full  # uv.lock answers the same, without a network
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_uv_resolves_the_tested_versions(python, system):
    versions, why_not = resolved(python, system)
    assert "torch" in versions, why_not
    tested = pins()
    assert {name: versions[name] for name in versions if name in tested} == {
        name: tested[name] for name in versions if name in tested
    }


@pytest.mark.slow
@pytest.mark.full
def test_uv_notices_a_version_without_a_wheel_for_a_system(tmp_path):
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    older = re.sub(r"^numpy==.*$", "numpy==1.26.4", text, flags=re.MULTILINE)  # from before Python 3.13
    (tmp_path / "older.txt").write_text(older)
    versions, why_not = resolved(PYTHONS[-1], "Windows", tmp_path / "older.txt")
    assert versions == {}
    assert "numpy" in why_not
