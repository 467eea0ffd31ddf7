"""Finding the library's own code in what a student hands in, where an exercise asks the student to write it.

Two functions are the same here if they differ in local names, comments, docstrings and annotations alone.
"""

import ast
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

import vaeedu
from vaeedu_grader.intake.plain import plain

# Shorter functions look alike without having been copied.
_LEAST_CHARACTERS = 150
_LIBRARY = Path(vaeedu.__file__).parent


def brought_along(sources: Mapping[str, str], sealed: Collection[str]) -> dict[str, str]:
    """Says which texts hold functions of modules that are sealed.

    Args:
        sources: Python source texts by name; what is no Python has no functions.
        sealed: Modules of the library, such as "vaeedu.pca".

    Returns:
        For each text that has such a function, the function's name in the library.

    >>> import inspect
    >>> from vaeedu.pca import missing
    >>> sorted(brought_along({"mine.py": inspect.getsource(missing), "other.py": "x = 1"}, ["vaeedu.pca"]))
    ['mine.py']
    """
    known = _of_library(tuple(sorted(sealed)))
    if not known:
        return {}
    found = {name: [code for code in _functions(text) if code in known] for name, text in sources.items()}
    return {name: known[codes[0]] for name, codes in found.items() if codes}


@lru_cache
def _of_library(sealed: tuple[str, ...]) -> dict[str, str]:
    known: dict[str, str] = {}
    for module in sealed:
        path = _LIBRARY.joinpath(*module.split(".")[1:])
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
            for code, name in _functions(file.read_text(encoding="utf-8")).items():
                known.setdefault(code, f"{module}: {name}")
    return known


def _functions(source: str) -> dict[str, str]:
    """The functions of a text that are long enough to tell: their plain code, and their names."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {
        code: node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and len(code := plain(ast.unparse(node))) >= _LEAST_CHARACTERS
    }
