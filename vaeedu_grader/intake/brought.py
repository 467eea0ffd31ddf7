"""Finding the library's own code in what a student hands in, where an exercise asks the student to write it.

Two functions are the same here if they differ in names, comments, docstrings and annotations alone.
"""

import ast
import hashlib
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import vaeedu

# Shorter functions look alike without having been copied.
_LEAST_NODES = 60
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
    found = (
        {name: [d for d in _digests(text) if d in known] for name, text in sources.items()} if known else {}
    )
    return {name: known[digests[0]] for name, digests in found.items() if digests}


@lru_cache
def _of_library(sealed: tuple[str, ...]) -> dict[str, str]:
    known: dict[str, str] = {}
    for module in sealed:
        path = _LIBRARY.joinpath(*module.split(".")[1:])
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
            for digest, name in _digests(file.read_text(encoding="utf-8")).items():
                known.setdefault(digest, f"{module}: {name}")
    return known


def _digests(source: str) -> dict[str, str]:
    """The functions of a text that are long enough to tell, by what they do."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {
        hashlib.sha256(" ".join(parts).encode()).hexdigest(): node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and len(parts := list(_shape(node))) >= _LEAST_NODES
    }


def _shape(function: ast.FunctionDef) -> Iterator[str]:
    """What a function consists of, each of its own names by the order in which it comes."""
    numbers: dict[str, int] = {}
    body = function.body[ast.get_docstring(function) is not None :]
    waiting: list[ast.AST] = [*reversed(body)]
    while waiting:
        node = waiting.pop()
        yield type(node).__name__
        if isinstance(node, ast.Name):
            yield str(numbers.setdefault(node.id, len(numbers)))
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword):
            yield str(node.arg)
        elif isinstance(node, ast.Constant):
            yield repr(node.value)
        skipped = {id(node.annotation)} if isinstance(node, ast.AnnAssign) else set()
        waiting += [child for child in reversed(list(ast.iter_child_nodes(node))) if id(child) not in skipped]
