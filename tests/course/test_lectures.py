"""Every lecture: tidy as committed, and run from top to bottom in a clean kernel without a network."""

import ast
import os
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[2]
LECTURES = sorted((ROOT / "lectures").glob("*.ipynb"))
WITH_MNIST = [path for path in LECTURES if "data.mnist_at_hand()" in path.read_text("utf-8")]
MOST_LINES = 25


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_are_lectures():
    topics = {
        "00_start_here",
        "02_linear_latent_variable_models",
        "03_information_and_divergence",
        "04_approximate_inference",
        "05_monte_carlo_gradients",
        "06_autoencoders",
        "07_variational_autoencoders",
        "10_autoregressive_models",
    }
    assert topics <= {path.stem for path in LECTURES}


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_committed_without_outputs_in_short_cells(path):
    for number, cell in enumerate(code_cells(path)):
        assert cell.outputs == [], f"code cell {number} has outputs"
        assert cell.execution_count is None, f"code cell {number} has an execution count"
        assert cell.source.count("\n") < MOST_LINES, f"code cell {number} is too long to take in at once"


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_every_figure_has_alternative_text_and_a_title(path):
    for cell in code_cells(path):
        calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "show":
                assert "alt" in {keyword.arg for keyword in call.keywords}, cell.source
                assert "title" in cell.source, cell.source


def assigned(tree):
    """The names that a cell assigns at its top level: not those of a comprehension or inside a function."""
    inner = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif not isinstance(node, inner):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            yield from assigned(node)


def read_by(name, functions):
    """The global names that a function reads, and those that the notebook's functions it calls do."""
    found, waiting = set(), [name]
    while waiting:
        function = functions.get(waiting.pop())
        if function is not None and function.name not in found:
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
            own |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
            read = {node.id for node in names if isinstance(node.ctx, ast.Load)} - own
            found |= {function.name, *read}
            waiting += read
    return found


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_no_later_cell_takes_away_a_name_that_a_slider_needs(path):
    trees = [ast.parse(cell.source) for cell in code_cells(path)]
    nodes = [list(ast.walk(tree)) for tree in trees]
    functions = {n.name: n for cell in nodes for n in cell if isinstance(n, ast.FunctionDef)}
    for i, cell in enumerate(nodes):
        for call in (n for n in cell if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
            if call.func.attr in ("slider", "sliders", "pad") and isinstance(call.args[1], ast.Name):
                needed = read_by(call.args[1].id, functions)
                for later in trees[i + 1 :]:
                    assert needed.isdisjoint(assigned(later)), ast.unparse(later)[:200]


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_links_to_other_files_of_the_course_lead_somewhere(path):
    import re

    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#:]+)\)", cell.source):
                assert (path.parent / target).exists(), target


def run(path, tmp_path, monkeypatch, mnist):
    """Executes a lecture in a kernel that has no cache, no network and, unless asked for, no MNIST."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nobody listens there
    if not mnist:
        monkeypatch.delenv("VAEEDU_DATA", raising=False)
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    start = time.perf_counter()
    settings = Config(
        KernelManager={"transport_encryption": "auto"}
    )  # without it a kernel warns on the terminal
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where, config=settings).execute()
    print(f"\n{path.stem}{' with MNIST' * mnist}: {time.perf_counter() - start:.0f} s")
    return notebook


def stderr(notebook):
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stderr")


@pytest.mark.slow
@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_runs_from_a_clean_kernel_offline(path, tmp_path, monkeypatch, capsys):
    with capsys.disabled():
        notebook = run(path, tmp_path, monkeypatch, mnist=False)
    assert stderr(notebook) == ""


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("path", WITH_MNIST, ids=lambda path: path.stem)
def test_runs_with_mnist(path, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAEEDU_DATA", str(Path(os.environ["VAEEDU_DATA"]).resolve()))
    with capsys.disabled():
        notebook = run(path, tmp_path, monkeypatch, mnist=True)
    assert stderr(notebook) == ""
