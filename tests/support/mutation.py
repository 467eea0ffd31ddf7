"""Importing a package of the library with one deliberate mistake in it, to see that the tests' laws notice."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import vaeedu


@contextlib.contextmanager
def mutant(package: str, module: str, right: str, wrong: str) -> Iterator[ModuleType]:
    """Imports `vaeedu.<package>` afresh, with `right` replaced by `wrong` in `vaeedu/<package>/<module>.py`.

    The package that others imported is back afterwards.
    """
    full = f"vaeedu.{package}"
    path = Path(vaeedu.__file__).parent / package / f"{module.replace('.', '/')}.py"
    source = path.read_text(encoding="utf-8")
    if source.count(right) != 1:
        raise ValueError(
            f"{path.name} must hold {right!r} exactly once, but does {source.count(right)} times"
        )
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if f"{name}.".startswith(f"{full}.")}
    finder = _Mutating(f"{full}.{module}", source.replace(right, wrong), str(path))
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(full)
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{full}.")]:
            del sys.modules[name]
        sys.modules.update(saved)
        setattr(vaeedu, package, saved[full]) if full in saved else None


class _Mutating(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and gives it other source."""

    def __init__(self, name: str, source: str, path: str) -> None:
        self._name, self._source, self._path = name, source, path

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self._name else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self._source, self._path, "exec"), module.__dict__)
