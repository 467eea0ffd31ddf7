"""Scripts that the site and the slides keep with them, from npm: nothing in them asks another machine for anything.

Versions and checksums stand in `docs/packages.json`. What was fetched once is kept in `build/vendor`.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from pages.errors import SiteError

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "packages.json"
FOLDER = ROOT / "build" / "vendor"


def fetch(listed: Path = LIST, folder: Path = FOLDER) -> Path:
    """Returns the folder that holds every listed file, fetching the packages that are not there.

    Raises:
        SiteError: npm is missing or fails, a package is not the one listed, or it lacks a listed file.
    """
    for package in json.loads(listed.read_text("utf-8")):
        place = folder / f"{package['name'].replace('/', '__')}@{package['version']}"
        if not place.is_dir():
            _fetch_one(package, place)
    return folder


def copy(target: Path, only: tuple[str, ...], listed: Path = LIST, folder: Path = FOLDER) -> None:
    """Copies the listed files of some packages, each to the place that the list gives it below `target`."""
    for package in json.loads(listed.read_text("utf-8")):
        if package["name"] in only:
            place = folder / f"{package['name'].replace('/', '__')}@{package['version']}"
            for source, name in package["files"].items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                if (place / source).is_dir():
                    shutil.copytree(place / source, target / name, dirs_exist_ok=True)
                else:
                    shutil.copyfile(place / source, target / name)


def _fetch_one(package: dict, place: Path) -> None:
    wanted = f"{package['name']}@{package['version']}"
    with tempfile.TemporaryDirectory() as scratch:
        archive = _pack(wanted, Path(scratch))
        check(archive, package["integrity"], wanted)
        unpacked = Path(scratch) / "unpacked"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        absent = [name for name in package["files"] if not (unpacked / "package" / name).exists()]
        if absent:
            raise SiteError(f"{wanted} has no {absent[0]}: correct its files in {LIST.name}")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(unpacked / "package", place.with_name(place.name + ".new"), dirs_exist_ok=True)
        place.with_name(place.name + ".new").rename(place)


def _pack(wanted: str, scratch: Path) -> Path:
    if shutil.which("npm") is None:
        raise SiteError(
            "the site keeps scripts from npm with it, but there is no npm: install Node.js (Debian: npm)"
        )
    command = ["npm", "pack", wanted, "--silent", "--ignore-scripts", "--pack-destination", str(scratch)]
    result = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
    archives = list(scratch.glob("*.tgz"))
    if result.returncode != 0 or len(archives) != 1:
        said = (result.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise SiteError(f"npm could not fetch {wanted} ({said}): is there a network?")
    return archives[0]


def check(archive: Path, integrity: str, wanted: str) -> None:
    """Compares a package with the checksum that the list has for it.

    Raises:
        SiteError: It is another.
    """
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != integrity:
        raise SiteError(
            f"{wanted} is not the package that {LIST.name} lists: its checksum is {found}, not {integrity}; "
            "do not use it before you know why"
        )
