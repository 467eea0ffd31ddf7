"""Imports only go down the rows of the design's table, never in a circle, and load nothing that is not needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vaeedu

PACKAGE = Path(vaeedu.__file__).parent

# The rows of the design's import table. What stands in one row knows nothing of the rows above, or of its
# neighbours; the modules of one package, such as `pca`, may know each other. `environment` and `way` are no topics:
# like `cli`, they look at everything.
ROWS = {
    5: ("cli", "environment", "way"),
    4: ("widgets", "training", "feedback"),
    3: (
        "autoencoders",
        "vae",
        "semisupervised",
        "autoregressive",
        "pixelcnn",
        "boltzmann",
        "wavenet",
        "gan",
        "flows",
        "sequences",
        "diffusion",
    ),
    2: ("pca", "classifiers", "outliers", "inference", "bounds", "directions", "disentanglement", "metrics"),
    1: ("data", "networks", "divergences", "gradients", "plotting", "audio"),
    0: ("sampling", "require", "files", "terminal", "text", "course"),
}
ROW_OF = {name: row for row, names in ROWS.items() for name in names}


def imports(source, path):
    """The top-level names below `vaeedu` that the source of `vaeedu/<path>` imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [".".join([*_base(node, path), alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == "vaeedu" and rest and rest[0] != "__version__":
                # The functions that the package itself offers.
                yield "feedback" if rest[0] in ("check", "hint", "solution") else rest[0]


def _base(node, path):
    here = ["vaeedu", *Path(path).parts]
    above = here[: len(here) - node.level] if node.level else []
    return [*above, *(node.module.split(".") if node.module else [])]


def breaches(source, path):
    """What in the source of `vaeedu/<path>` goes against the table, in words."""
    own = Path(path).parts[0].removesuffix(".py")
    if own not in ROW_OF:
        return [f"{own} is in no row of the table: add it to the design and to this test"]
    return [
        f"vaeedu/{path} (row {ROW_OF[own]}) imports {other} (row {ROW_OF.get(other)})"
        for other in imports(source, path)
        if other != own and ROW_OF.get(other, 99) >= ROW_OF[own]
    ]


def modules():
    return sorted(
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path.parent != PACKAGE or path.stem != "__init__"
    )


@pytest.mark.parametrize("path", modules())
def test_imports_only_go_down(path):
    assert breaches((PACKAGE / path).read_text(encoding="utf-8"), path) == []


def test_the_library_knows_nothing_of_the_grader():
    found = [
        f"{path}: {name}"
        for path in ["__init__.py", *modules()]
        for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        if name.partition(".")[0] == "vaeedu_grader"
    ]
    assert found == []


def test_the_table_names_the_modules_that_there_are():
    assert {Path(path).parts[0].removesuffix(".py") for path in modules()} == ROW_OF.keys()


def test_there_is_something_to_check():
    assert {"require/tensors.py", "sampling/draws.py", "data/__init__.py"} <= set(modules())


def test_the_package_itself_imports_none_of_its_modules():
    assert list(imports((PACKAGE / "__init__.py").read_text(encoding="utf-8"), "__init__.py")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("sampling.py", "from vaeedu import data"),
        ("sampling.py", "import vaeedu.data.images"),
        ("sampling.py", "from vaeedu.data import digits"),
        ("sampling.py", "from .data import digits"),
        ("sampling.py", "from . import pca"),
        ("sampling.py", "from vaeedu import require"),
        ("pca/moments.py", "from .. import training"),
        ("pca/moments.py", "from ..bounds import elbo"),
        ("data/toys.py", "def f():\n    if True:\n        from vaeedu.plotting import show"),
        ("training.py", "from vaeedu import check"),
        ("pca/moments.py", "from vaeedu import utilities"),
        ("utilities.py", "import torch"),
    ],
)
def test_a_breach_is_found(path, source):
    assert len(breaches(source, path)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("data/toys.py", "from vaeedu import require, sampling\nfrom vaeedu.data.pixels import quantize"),
        ("data/toys.py", "from .pixels import quantize\nfrom ..sampling import normal\nfrom . import images"),
        ("data/__init__.py", "from . import toys"),
        ("cli.py", "import vaeedu\nfrom vaeedu import __version__\nfrom vaeedu.vae import VAE"),
        ("require.py", "import torch, sklearn.pca\nfrom numpy import data"),
    ],
)
def test_what_is_allowed_is_no_breach(path, source):
    assert breaches(source, path) == []


HEAVY = "matplotlib sklearn scipy PIL pooch requests ipywidgets IPython beartype"
NO_TENSORS = "torch numpy matplotlib sklearn scipy PIL pooch ipywidgets IPython jaxtyping nbgrader"
UNWANTED = {
    "vaeedu": NO_TENSORS,
    "vaeedu.cli": NO_TENSORS,
    "vaeedu.pca": HEAVY.replace(" scipy", ""),
    **dict.fromkeys(
        [
            "vaeedu.networks",
            "vaeedu.autoencoders",
            "vaeedu.inference",
            "vaeedu.gradients",
            "vaeedu.bounds",
            "vaeedu.vae",
            "vaeedu.divergences",
            "vaeedu.training",
            "vaeedu.pixelcnn",
            "vaeedu.wavenet",
            "vaeedu.audio",
            "vaeedu.autoregressive",
            "vaeedu.boltzmann",
            "vaeedu.sequences",
            "vaeedu.flows",
            "vaeedu.classifiers",
            "vaeedu.outliers",
            "vaeedu.directions",
            "vaeedu.diffusion",
            "vaeedu.disentanglement",
            "vaeedu.data",
        ],
        HEAVY,
    ),
    # A machine that only measures and draws (tools/gpu_check.py) has no IPython, and none of what shows widgets.
    "vaeedu.plotting": "sklearn pooch requests ipywidgets IPython beartype",
}
# Each module is imported in a process of its own, the copy of one that has imported no more than torch.
PROGRAM = """
import importlib, os, sys

def report(module):
    if os.fork() == 0:
        importlib.import_module(module)
        print(module, *sys.modules, flush=True)
        os._exit(0)
    os.wait()

for module in {light}: report(module)
import torch
for module in {others}: report(module)
"""


@pytest.fixture(scope="module")
def loaded():
    """What importing each module alone has loaded."""
    light = [module for module, unwanted in UNWANTED.items() if unwanted == NO_TENSORS]
    program = PROGRAM.format(light=light, others=[module for module in UNWANTED if module not in light])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return {line.split()[0]: set(line.split()) for line in done.stdout.splitlines()}


@pytest.mark.parametrize("module", UNWANTED)
def test_a_fresh_interpreter_loads_no_more_than_it_needs(module, loaded):
    assert loaded[module] & set(UNWANTED[module].split()) == set()
    assert ("torch" in loaded[module]) == (UNWANTED[module] != NO_TENSORS)


def test_the_lazy_package_finds_its_modules():
    program = "import vaeedu; print(vaeedu.data.two_moons(3).shape, 'data' in dir(vaeedu))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "torch.Size([3, 2]) True"


def test_the_lazy_package_refuses_an_unknown_name():
    with pytest.raises(AttributeError, match="module 'vaeedu' has no attribute 'nonsense'"):
        vaeedu.nonsense  # noqa: B018


# Circles. Importing a module also runs the packages that it lies in; these are no edges here, or all would be circles.
def module_sources(package):
    """The source of each module in the folder `package`, by its dotted name; a package's is that of its `__init__`."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if path.stem == "__init__" else parts), path.read_text(encoding="utf-8")


def import_graph(sources):
    """The modules that each module imports, at the top, in functions and under TYPE_CHECKING alike."""
    packages = {name.rpartition(".")[0] for name in sources}
    return {
        name: {
            target
            for node in ast.walk(ast.parse(source))
            for target in _targets(node, [*name.split("."), *[""] * (name in packages)], sources.keys())
        }
        for name, source in sources.items()
    }


def _targets(node, here, known):
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names} & known
    if not isinstance(node, ast.ImportFrom):
        return set()
    above = here[: len(here) - node.level] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    names = {f"{base}.{alias.name}" for alias in node.names}
    # `from package import module` is of the module, not of the package.
    return (names if names <= known else names | {base}) & known


def circles(graph):
    """Groups of modules that reach each other."""
    reached = {name: set(targets) for name, targets in graph.items()}
    for middle in graph:
        for seen in reached.values():
            if middle in seen:
                seen |= reached[middle]
    in_circles = [name for name in graph if name in reached[name]]
    return {frozenset(b for b in in_circles if b in reached[a] and a in reached[b]) for a in in_circles}


@pytest.mark.parametrize("package", ["vaeedu", "vaeedu_grader"])
def test_there_is_no_import_circle(package):
    graph = import_graph(dict(module_sources(PACKAGE.parent / package)))
    assert len(graph) > 20
    assert [sorted(circle) for circle in circles(graph)] == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"p.a": "from p import b", "p.b": "from p.a import f"}, [{"p.a", "p.b"}]),
        (
            {"p.a": "def f():\n    import p.b", "p.b": "from p.c import f", "p.c": "from . import a"},
            [{"p.a", "p.b", "p.c"}],
        ),
        ({"p.a": "from p.b import f", "p.b": "if TYPE_CHECKING:\n    from .a import F"}, [{"p.a", "p.b"}]),
        ({"p": "from p.a import f", "p.a": "from p import f"}, [{"p", "p.a"}]),
        ({"p": "from .a import f", "p.a": "from . import f"}, [{"p", "p.a"}]),
        ({"p": "from p import a", "p.a": "from p import b", "p.b": "from os import path"}, []),
        ({"p.a": "from p import b, c", "p.b": "from p.c import f", "p.c": ""}, []),
    ],
)
def test_a_circle_is_found(sources, expected):
    assert circles(import_graph(sources)) == set(map(frozenset, expected))
