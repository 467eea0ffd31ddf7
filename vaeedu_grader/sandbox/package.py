"""The course's library as a sandbox has it: without what tells answers, and without what an exercise asks for."""

import atexit
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

import vaeedu
from vaeedu_grader.sandbox.inside import SEALED
from vaeedu_grader.sandbox.model import SandboxError

_ABSENT = "cli"
_KEPT_SECONDS = 30 * 24 * 3600
_SOURCE = Path(vaeedu.__file__).parent
# The program that runs cells; in the sandbox a package of its own, so that nothing else of the grader is there.
_INSIDE = Path(__file__).parent / "inside"
INSIDE = "sandbox_inside"
_ONCE = "import compileall, sys; compileall.compile_dir(sys.argv[1], quiet=2); import matplotlib.font_manager"


def template(sealed: Collection[str] = ()) -> Path:
    """Returns a folder with the library as a sandbox is to have it; made once, and kept in the user's cache.

    Args:
        sealed: Modules, such as "vaeedu.pca", that raise an ImportError saying that the exercise asks for them.

    Raises:
        ValueError: There is no such module in the library.
    """
    name = _fingerprint(sealed)
    for place in _places():
        folder = place / name
        if os.path.isdir(folder):  # unlike Path.is_dir, it takes a folder that cannot be looked into for none
            with contextlib.suppress(OSError):
                os.utime(folder)
            return folder
        try:
            place.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix="new-", dir=place))
        except OSError:
            continue
        try:
            _remove_old(place)
            _fill(made, sealed)
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process has made it at the same time
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return folder
    raise SandboxError("there is no folder to put the sandbox's library in: set XDG_CACHE_HOME to one")


def _places() -> Iterator[Path]:
    """Where to keep it: the user's cache or, where that cannot be written to, a folder until this process ends."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    yield cache / "vaeedu" / "sandbox"
    yield _temporary()


@lru_cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vaeedu-library-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _remove_old(place: Path) -> None:
    """Removes what was made of earlier versions of the library and has not been used for a month."""
    for folder in place.iterdir():
        if folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _fingerprint(sealed: Collection[str]) -> str:
    digest = hashlib.sha256(repr((sys.version, sorted(sealed))).encode())
    for name, path in _files():
        digest.update(repr(name).encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def _files() -> list[tuple[str, Path]]:
    """Each file that a sandbox has, with its name there: files alone, so that an empty folder is no package there."""
    roots = {"vaeedu": _SOURCE, INSIDE: _INSIDE}
    found = [
        (f"{package}/{path.relative_to(root)}", path)
        for package, root in roots.items()
        for path in root.rglob("*")
    ]
    return sorted((name, path) for name, path in found if path.is_file() and not _is_left_out(name))


def _is_left_out(name: str) -> bool:
    return name.startswith(f"vaeedu/{_ABSENT}/") or "__pycache__" in name or name.endswith(".pyc")


def _fill(folder: Path, sealed: Collection[str]) -> None:
    for name, path in _files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    for name in sealed:
        _seal(folder / "vaeedu", name)
    # So that no sandbox does these again.
    done = subprocess.run(
        [sys.executable, "-I", "-c", _ONCE, str(folder)],
        env={"MPLCONFIGDIR": str(folder / "matplotlib"), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SandboxError(
            f"the library could not be made ready for the sandbox: {done.stderr.strip()[-200:]}"
        )
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def _seal(target: Path, name: str) -> None:
    first, *rest = name.split(".")
    path = target.joinpath(*rest)
    if (
        first != "vaeedu"
        or not rest
        or rest[0] == "feedback"
        or not (path.is_dir() or path.with_suffix(".py").is_file())
    ):
        raise ValueError(f"sealed must name modules of the library, such as 'vaeedu.pca', but names {name!r}")
    if path.is_dir():
        shutil.rmtree(path)
    path.with_suffix(".py").write_text(f"raise ImportError({SEALED.format(name=name)!r})\n", encoding="utf-8")
