"""Every lecture as it is committed: tidy, linked, its figures described, its drawing folded, its findings claimed.

Each is run by tests/browser/test_lab.py, where a student would run it; here on other seeds and on all of MNIST.
"""

import ast
import os
import re
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from support.folding import only_draw

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import claims  # noqa: E402

from vaeedu import way  # noqa: E402

LECTURES = sorted((ROOT / "lectures").glob("*.ipynb"))
ON_MNIST = [path for path in LECTURES[1:] if "data.mnist(" in path.read_text("utf-8")]
MOST_LINES = 25


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_the_first_cell_for_another_machine_installs_the_wheel_beside_it(tmp_path, monkeypatch):
    texts = [
        cell.source for cell in nbformat.read(LECTURES[0], as_version=4).cells if cell.cell_type == "markdown"
    ]
    texts.append((ROOT / "docs" / "elsewhere.md").read_text("utf-8"))
    first, again = [
        code for text in texts for code in re.findall(r"```python\n(import pathlib.*?)```", text, re.DOTALL)
    ]
    assert first == again
    folder = tmp_path / "with a space"
    folder.mkdir()
    monkeypatch.chdir(folder)
    asked = []
    monkeypatch.setattr("subprocess.run", lambda command, check: asked.append(command))
    with pytest.raises(ValueError, match="not enough values"):
        exec(first, {})
    (folder / "vaeedu-0.1.0-py3-none-any.whl").touch()
    exec(first, {})
    ((*command, wanted),) = asked
    assert command == [sys.executable, "-m", "pip", "install", "--quiet"]
    requirement = Requirement(wanted)
    assert (requirement.name, requirement.extras) == ("vaeedu", {"notebook"})
    assert requirement.url.endswith("/with%20a%20space/vaeedu-0.1.0-py3-none-any.whl")


def test_readme_leads_to_every_lecture():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert set(re.findall(r"\]\(lectures/([^)]+)\)", readme)) == {path.name for path in LECTURES}


def test_the_first_page_shows_the_way_as_the_lectures_themselves_say_it():
    assert any(cell.source.endswith("way.table()") for cell in code_cells(LECTURES[0]))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in way.table(ROOT).splitlines()[2:]]
    assert len(rows) == len(LECTURES) - 1
    for path, row in zip(LECTURES[1:], rows, strict=True):
        number, lecture, minutes, builds_on, _, do = row
        opening = nbformat.read(path, as_version=4).cells[0].source
        assert opening.startswith(f"# {number} · {lecture[1:].partition(']')[0]}\n")
        assert lecture.endswith(f"]({path.name})")
        said = opening.partition("**Time**: about ")[2].replace("two hours", "120 minutes")
        assert said.startswith(f"{minutes.removesuffix(' min')} minutes")
        first = opening.partition("**Read first**:")[2]
        linked = {int(name) for name in re.findall(r"\]\((\d\d)_", first)}
        assert set(map(int, re.findall(r"\d+", builds_on))) <= linked - {int(number)}, first
        assert all(n < int(number) for n in linked)
        assert do == f"[exercises](../assignments/{path.stem}/{path.name})"
    built = {int(row[0]): row[3] for row in rows}
    assert built[7] == "2, 4, 5, 6"
    # As the first page says; lecture 3 names lecture 2 as not needed.
    assert [number for number, on in built.items() if on == "–"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "then"), list(pairwise([*LECTURES[1:], None])), ids=lambda path: getattr(path, "stem", "end")
)
def test_it_ends_with_the_way_on_to_its_assignment_and_the_next_lecture(path, then):
    way_on = nbformat.read(path, as_version=4).cells[-1].source.rpartition("**Next**: ")[2].partition("\n")[0]
    links = re.findall(r"\]\(([^)]+)\)", way_on)
    assert links == [f"../assignments/{path.stem}/{path.name}", *([then.name] if then else [])]


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


WORDS_OF_A_LABEL = 6


def titles(tree):
    """The expressions that a cell gives to figures as titles."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in ("set_title", "suptitle") and call.args:
            yield call.args[0]
        yield from (keyword.value for keyword in call.keywords if keyword.arg == "title")


def sentences(expression):
    """The texts in an expression that are longer than a label and do not pass through `claim`."""
    if isinstance(expression, ast.Call) and ast.unparse(expression.func).endswith("claim"):
        return
    if isinstance(expression, (ast.Constant, ast.JoinedStr)):
        parts = expression.values if isinstance(expression, ast.JoinedStr) else [expression]
        fixed = " ".join(
            part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
        if len(re.findall(r"[^\W\d_]+", re.sub(r"\$.*?\$", "", fixed))) > WORDS_OF_A_LABEL:
            yield fixed
        return
    for child in ast.iter_child_nodes(expression):
        yield from sentences(child)


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_a_title_that_is_a_sentence_is_a_claim_that_the_run_is_asked_about(path):
    for cell in code_cells(path):
        for title in titles(ast.parse(cell.source)):
            for text in sentences(title):
                pytest.fail(f"pass it through plotting.claim(seen, …), or shorten it to a label: {text!r}")


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("'Training images'", []),
        ("'It climbs without end and buys nothing'", ["It climbs without end and buys nothing"]),
        ("claim(x > 0, 'It climbs without end and buys nothing')", []),
        ("plotting.claim(x > 0, f'It climbs without end and buys the code {x}')", []),
        ("a if b else 'It climbs without end and buys nothing'", ["It climbs without end and buys nothing"]),
        ("'$a b c d e f g h$ of the data'", []),
    ],
)  # fmt: skip
def test_a_long_title_counts_as_a_sentence(title, found):
    tree = ast.parse(f"axes.set_title({title})")
    assert [text for each in titles(tree) for text in sentences(each)] == found


@pytest.mark.parametrize("path", LECTURES[1:], ids=lambda path: path.stem)
def test_the_number_of_threads_is_chosen_once_and_first(path):
    cells = code_cells(path)
    assert cells[0].source.count("environment.use_threads()") == 1
    assert not any("set_num_threads" in cell.source for cell in cells)


@pytest.mark.parametrize("path", LECTURES[1:], ids=lambda path: path.stem)
def test_a_lecture_on_mnist_says_which_set_it_has_before_it_trains(path):
    cells = [cell.source for cell in code_cells(path)]
    loads = [i for i, source in enumerate(cells) if "data.mnist" in source]
    assert all(".source)" in cells[i] for i in loads[:1]), "print(data.mnist(…).source), where it is loaded"


def printed(notebook, stream):
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == stream)


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("path", LECTURES[1:], ids=lambda path: path.stem)
def test_what_it_says_holds_on_other_seeds(path, seed):
    outcome = claims.run(path, seed=seed)
    assert outcome.not_seen == []
    assert printed(outcome.notebook, "stderr") == ""


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.data
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("path", ON_MNIST, ids=lambda path: path.stem)
def test_what_it_says_holds_on_all_of_mnist(path):
    outcome = claims.run(path, data=os.environ["VAEEDU_DATA"], timeout=7200)
    assert outcome.not_seen == []
    assert printed(outcome.notebook, "stderr") == ""


SAYS_TWO_THINGS = """
from vaeedu.plotting import claim
from vaeedu.sampling import seeded

print(claim(True, "this is so"))
print(claim(seeded(0).initial_seed() == 1000, "the seed is another"))
"""


@pytest.mark.slow
def test_a_run_notes_what_was_claimed_and_what_was_not_seen(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SAYS_TWO_THINGS.strip())])
    nbformat.write(notebook, tmp_path / "a.ipynb")
    assert claims.run(tmp_path / "a.ipynb", seed=1).not_seen == []
    outcome = claims.run(tmp_path / "a.ipynb")
    assert outcome.claims == [(True, "this is so"), (False, "the seed is another")]
    assert outcome.not_seen == ["the seed is another"]
    assert "NotSeen: this run does not show that “the seed is another”" in printed(outcome.notebook, "stderr")
