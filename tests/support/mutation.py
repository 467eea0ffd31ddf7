"""Importing a package of the library with one deliberate mistake in it, to see that the tests' laws notice."""

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

import vaeedu

Law = Callable[..., None]
# What a law that does not hold raises: the second is how `pytest.raises` and `pytest.warns` say so.
BROKEN = (AssertionError, pytest.fail.Exception)


def law_tests(package: str, mutants: Sequence[tuple]) -> tuple[Callable[..., None], Callable[..., None]]:
    """Makes the two tests that a table of mutants asks for: the package keeps its laws, each mutant breaks one.

    Args:
        package: The name of a package in `vaeedu`.
        mutants: Rows of a law, which takes the package and asserts; the module; the text to be replaced in it, which is
            there once; what replaces it; and, where it is the library's own validation that is to notice, the error
            that it raises then.
    """

    @pytest.mark.parametrize("law", dict.fromkeys(law for law, *_ in mutants))
    def test_the_laws_hold(law):
        law(importlib.import_module(f"vaeedu.{package}"))

    # What a mistake keeps from converging warns of it; that is for the law to notice, not for the warning.
    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    @pytest.mark.parametrize("row", mutants, ids=[f"{law.__name__}-{module}" for law, module, *_ in mutants])
    def test_each_mistake_breaks_a_law(row):
        law, module, right, wrong, *killed_by = row
        with mutant(package, module, right, wrong) as mistaken:
            assert_broken(law, mistaken, killed_by=tuple(killed_by))

    return test_the_laws_hold, test_each_mistake_breaks_a_law


def assert_broken(law: Law, *args: object, killed_by: tuple[type[Exception], ...] = ()) -> None:
    """Passes where `law(*args)` does not hold.

    A crash is no broken law: it would hide that nothing looks at the number that has become wrong.

    Args:
        law: Asserts something about its arguments.
        *args: The package with the mistake, and what else the law takes.
        killed_by: Errors that count beside a failed assertion.
    """
    try:
        law(*args)
    except (*BROKEN, *killed_by):
        return
    except Exception as error:
        raise RuntimeError(
            f"the mutant crashed in {law.__name__} with {type(error).__name__}, so no law has noticed it: make a "
            "mistake that runs, a law that asserts, or name the error in the table if the library raises it on purpose"
        ) from error
    pytest.fail(f"the mutant lives: {law.__name__} holds in spite of the mistake")


@contextlib.contextmanager
def mutant(package: str, module: str, right: str, wrong: str) -> Iterator[ModuleType]:
    """Imports `vaeedu.<package>` afresh, with `right` replaced by `wrong` in its module `module` (`a.b` for a/b.py).

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
    finder = _Plain(full, {f"{full}.{module}": source.replace(right, wrong)})
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(full)
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{full}.")]:
            del sys.modules[name]
        sys.modules.update(saved)
        setattr(vaeedu, package, saved[full]) if full in saved else None


class _Plain(importlib.abc.MetaPathFinder):
    """Finds the modules of one package as they are, or with other source.

    It passes by the hook with which pytest has types checked: what a checked shape stops, no law has looked at; and
    checks cost more than many a law.
    """

    def __init__(self, package: str, changed: dict[str, str]) -> None:
        self._package, self._changed = package, changed

    def find_spec(self, name, path=None, target=None):
        if not f"{name}.".startswith(f"{self._package}."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if name in self._changed:
            spec.loader = _Changed(name, spec.origin, self._changed[name])
        return spec


class _Changed(SourceFileLoader):
    """Loads a module from other source than its file's, which is still what tracebacks show."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname):
        return compile(self._source, self.path, "exec")
