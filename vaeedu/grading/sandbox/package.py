"""The course's library as a sandbox has it: without what tells answers, and without what an exercise asks for."""

import compileall
import shutil
from collections.abc import Collection
from pathlib import Path

import vaeedu
from vaeedu.grading.sandbox.model import SandboxError

# Of grading/, what `vaeedu.check` needs: it compares with the visible answers in checks.json, and knows no others.
STUDENT_SIDE = ("__init__", "answers", "compare", "emit", "judge", "key", "plain", "run", "student")
_ABSENT = ("cli.py", "grading")
_SEALED = (
    "raise ImportError(\n"
    '    "{name} is not there while your work is graded: the exercise asks you to write it yourself"\n'
    ")\n"
)


def copy_package(folder: Path, sealed: Collection[str] = ()) -> Path:
    """Copies the library into a folder, for a sandbox to use.

    Args:
        folder: Where to; the package's folder is made in it.
        sealed: Modules, such as "vaeedu.pca", that raise an ImportError saying that the exercise asks for them.

    Returns:
        The folder.

    Raises:
        ValueError: There is no such module in the library.
    """
    source, target = Path(vaeedu.__file__).parent, folder / "vaeedu"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(source, target, ignore=lambda at, names: _left_out(source, at, ignored(at, names)))
    (target / "grading").mkdir()
    for name in STUDENT_SIDE:
        shutil.copy2(source / "grading" / f"{name}.py", target / "grading")
    for name in sealed:
        _seal(target, name)
    # So that no sandbox compiles them again; what is there is never changed.
    if not compileall.compile_dir(target, quiet=2, workers=1):
        raise SandboxError(
            "the library could not be compiled for the sandbox: see python -m compileall vaeedu"
        )
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _left_out(source: Path, at: str, ignored: set[str]) -> set[str]:
    return ignored | set(_ABSENT) if Path(at) == source else ignored


def _seal(target: Path, name: str) -> None:
    first, *rest = name.split(".")
    path = target.joinpath(*rest)
    if first != "vaeedu" or not rest or not (path.is_dir() or path.with_suffix(".py").is_file()):
        raise ValueError(f"sealed must name modules of the library, such as 'vaeedu.pca', but names {name!r}")
    if path.is_dir():
        shutil.rmtree(path)
    path.with_suffix(".py").write_text(_SEALED.format(name=name), encoding="utf-8")
