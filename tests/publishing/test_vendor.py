"""Scripts from npm are those that are listed, or none."""

import base64
import hashlib
import io
import json
import os
import tarfile

import pytest
from pages import vendor
from pages.errors import SiteError

SCRIPT = b"console.log('here')"


def packed(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name.replace('_', '.')}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


GOOD = packed(x_js=SCRIPT)  # once: it has the time in it


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A program in npm's place, which packs what it is given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def install(archive, status=0):
        (folder / "a.tgz").write_bytes(archive)
        text = f'#!/bin/sh\necho "$*" >> {folder}/asked\necho "no such host" >&2\n'
        text += f"[ {status} = 0 ] || exit {status}\ncp {folder}/a.tgz .\n"
        (folder / "npm").write_text(text)
        (folder / "npm").chmod(0o755)
        return folder / "asked"

    return install


@pytest.fixture
def listed(tmp_path):
    def write(archive, **files):
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
        package = {
            "name": "@a/b",
            "version": "1.2.3",
            "integrity": integrity,
            "files": files or {"x.js": "b/x.js"},
        }
        (tmp_path / "packages.json").write_text(json.dumps([package]))
        return tmp_path / "packages.json"

    return write


def test_a_listed_package_is_fetched_once_and_its_files_copied(npm, listed, tmp_path):
    archive = packed(x_js=SCRIPT, y_js=b"")
    asked, wanted = npm(archive), listed(archive)
    for _ in range(2):
        vendor.fetch(wanted, tmp_path / "vendor")
    (line,) = asked.read_text().splitlines()
    assert line.startswith("pack @a/b@1.2.3 ")
    assert "--ignore-scripts" in line
    vendor.copy(tmp_path / "static", ("@a/b",), wanted, tmp_path / "vendor")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "static" / "b").iterdir()] == [
        ("x.js", SCRIPT)
    ]


@pytest.mark.parametrize(
    ("sent", "status", "files", "message"),
    [
        (
            packed(x_js=b"other"),
            0,
            {"x.js": "x.js"},
            r"@a/b@1\.2\.3 is not the package that packages\.json lists",
        ),
        (GOOD, 1, {"x.js": "x.js"}, r"npm could not fetch @a/b@1\.2\.3 \(no such host\): is there a network"),
        (GOOD, 0, {"z.js": "z.js"}, r"@a/b@1\.2\.3 has no z\.js: correct its files"),
    ],
)
def test_another_package_a_failure_or_an_absent_file_leaves_nothing(
    npm, listed, tmp_path, sent, status, files, message
):
    npm(sent, status)
    with pytest.raises(SiteError, match=message):
        vendor.fetch(listed(GOOD, **files), tmp_path / "vendor")
    assert not list((tmp_path / "vendor").glob("*"))


def test_without_npm_it_says_what_to_install(listed, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SiteError, match=r"there is no npm: install Node\.js"):
        vendor.fetch(listed(GOOD), tmp_path / "vendor")
