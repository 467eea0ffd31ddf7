"""Every lecture as it is committed: tidy, linked, its figures described, its drawing folded; and run with MNIST.

Without MNIST each is run by tests/browser/test_lab.py, where a student would run it.
"""

import ast
import os
import re
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from support.folding import only_draw
from traitlets.config import Config

ROOT = Path(__file__).parents[2]
LECTURES = sorted((ROOT / "lectures").glob("*.ipynb"))
WITH_MNIST = [path for path in LECTURES if "data.mnist_at_hand()" in path.read_text("utf-8")]
MOST_LINES = 25


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_readme_leads_to_every_lecture():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert set(re.findall(r"\]\(lectures/([^)]+)\)", readme)) == {path.name for path in LECTURES}


def test_the_first_page_has_the_topic_of_every_lecture_under_its_number():
    trees = [ast.parse(cell.source) for cell in code_cells(LECTURES[0])]
    (topics,) = (
        ast.literal_eval(node.value)
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "topics"
    )
    for path in LECTURES[1:]:
        title = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]
        number = int(path.name[:2])
        assert title.startswith(f"# {number} · "), title
        assert number in topics, f"lecture 00 does not list {title}"


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
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#:]+)\)", cell.source):
                assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_what_only_draws_is_folded_and_nothing_else(path):
    cells = code_cells(path)
    for cell, draws in zip(cells, only_draw([cell.source for cell in cells]), strict=True):
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        advice = "fold it: View → Collapse Selected Code" if draws else "it has something to read: unfold it"
        assert folded == draws, f"{advice}\n{cell.source}"
        assert ("hide-input" in cell.metadata.get("tags", [])) == draws, f"the tag hide-input\n{cell.source}"


PICTURE = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot(values)"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["values = [1, 2]", PICTURE], [False, True]),
        (["values = [1, 2]", PICTURE + "\nprint(values)"], [False, False]),
        (["values = [1, 2]", PICTURE + "\nlargest = max(values)", "largest + 1"], [False, False, False]),
        (["values = [1, 2]", PICTURE + "\nlargest = max(values)", "largest = 3\nlargest + 1"], [False, True, False]),
        (["values = [1, 2]", "def draw(axes):\n    axes.plot(values)", PICTURE + "\ndraw(axes)"], [False, True, True]),
        (["from vaeedu import pca, plotting", "plotting.show_source(pca.em_step)"], [False, False]),
        (["from vaeedu import plotting\nfrom vaeedu.training import fit", "plotting.show(fit())"], [False, False]),
        (["def f(axes):\n    return g()\n\n\ndef g():\n    return 1", "g()"], [False, False]),
    ],
)  # fmt: skip
def test_a_cell_that_computes_or_says_something_does_not_only_draw(sources, expected):
    assert only_draw(sources) == expected


# Run before a lecture's own cells: it breaks on a thousand images where it would on all, and soon.
FEWER = """
from vaeedu import data as _data

_all_of_mnist = _data.mnist
_data.mnist = lambda *args, **options: tuple(part[:1000] for part in _all_of_mnist(*args, **options))
"""


def run(path, tmp_path, monkeypatch, first=""):
    """Executes a lecture in a kernel that has MNIST, but no cache and no network; `first` runs before its cells."""
    monkeypatch.setenv("VAEEDU_DATA", str(Path(os.environ["VAEEDU_DATA"]).resolve()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nobody listens there
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first.strip()))
    where = {"metadata": {"path": str(path.parent)}}
    settings = Config(
        KernelManager={"transport_encryption": "auto"}
    )  # without it a kernel warns on the terminal
    start = time.perf_counter()
    NotebookClient(notebook, timeout=1800, kernel_name="python3", resources=where, config=settings).execute()
    print(f"{path.stem} with MNIST: {time.perf_counter() - start:.0f} s")
    return notebook


def printed(notebook, stream):
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == stream)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", [FEWER, pytest.param("", marks=pytest.mark.full)], ids=["fewer", "all"])
@pytest.mark.parametrize("path", WITH_MNIST, ids=lambda path: path.stem)
def test_runs_with_mnist(path, first, tmp_path, monkeypatch):
    notebook = run(path, tmp_path, monkeypatch, first)
    assert printed(notebook, "stderr") == ""
