"""Imports the library from where it lies outside of a sandbox, under the places where it lies inside.

A zygote imports outside what its forks use inside. Tracebacks, `inspect.getsource` and what is imported later must find
there what they would find had it been imported there.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType

_OURS = ("vaeedu", "sandbox_inside")
_HIDDEN = "vaeedu_grader"  # it can be imported outside, and is not there inside


class Shown(MetaPathFinder):
    """Finds the library's modules; it is the first of Python's finders until `leave` is called.

    Args:
        real: The folder that the library's packages are in.
        place: The folder that they are in inside a sandbox.
    """

    def __init__(self, real: str, place: str) -> None:
        self._real, self._place = real, place
        self._loaders: list[_Loader] = []
        sys.meta_path.insert(0, self)
        sys.path[0] = place
        for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
            del sys.modules[name]  # these have come from outside

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Finds a module of the library, as Python asks for it."""
        first = name.partition(".")[0]
        if first == _HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if first not in _OURS:
            return None
        folders = [self._real] if path is None else [self.real(folder) for folder in path]
        found = PathFinder.find_spec(name, folders)
        if found is None or not isinstance(found.loader, SourceFileLoader) or found.origin is None:
            return found
        origin = self._shown(found.origin)
        loader = _Loader(name, origin, self)
        self._loaders.append(loader)
        places = found.submodule_search_locations
        inner = None if places is None else [self._shown(place) for place in places]
        return spec_from_file_location(name, origin, loader=loader, submodule_search_locations=inner)

    def real(self, path: str) -> str:
        """Where a file lies outside."""
        return path.replace(self._place, self._real, 1) if path.startswith(self._place) else path

    def _shown(self, path: str) -> str:
        return path.replace(self._real, self._place, 1)

    def leave(self) -> None:
        """Leaves everything as it is where the library was imported inside."""
        sys.meta_path.remove(self)
        for loader in self._loaders:
            del loader._shown
            loader.__class__ = SourceFileLoader  # type: ignore[assignment]
        for path in [path for path in sys.path_importer_cache if path.startswith((self._real, self._place))]:
            del sys.path_importer_cache[path]


class _Loader(SourceFileLoader):
    """Reads from outside what it says is inside."""

    def __init__(self, name: str, path: str, shown: Shown) -> None:
        super().__init__(name, path)
        self._shown = shown

    def get_data(self, path: str) -> bytes:
        return super().get_data(self._shown.real(path))

    def path_stats(self, path: str) -> dict[str, float]:
        return dict(super().path_stats(self._shown.real(path)))
