"""What a submission brings along never answers for a module of the library that is sealed."""

import inspect
import re

import nbformat
import pytest
from support.mini_course import ROOT
from support.sandboxes import run, statuses, text

import vaeedu
from vaeedu import pca
from vaeedu_grader.intake.brought import brought_along
from vaeedu_grader.marking.job import _without_the_library

SEALED = ("vaeedu.pca",)
SOURCE = inspect.getsource(pca.principal)
# What was tried: the library's own files beside the notebook, put back together as the module that is missing.
ATTACK = """
import pathlib, sys, vaeedu
home = pathlib.Path("brought")
(home / "pca").mkdir(parents=True, exist_ok=True)
(home / "pca/__init__.py").write_text("answer = 42")
vaeedu.__path__.insert(0, str(home))
sys.modules.pop("vaeedu.pca", None)
{}
{}
print(vaeedu.pca.answer)
"""


BEFORE = (
    "",
    "sys.meta_path[:] = [finder for finder in sys.meta_path if 'PathFinder' in repr(finder)]",
    "import importlib; importlib.invalidate_caches(); sys.path_importer_cache.clear()",
)
IMPORTS = (
    "import vaeedu.pca",
    "from vaeedu import pca",
    "import importlib; importlib.import_module('vaeedu.pca')",
    "from importlib import util; util.find_spec('vaeedu.pca').loader.load_module('vaeedu.pca')",
)


def test_no_module_that_is_brought_along_answers_for_a_sealed_one():
    cells = [ATTACK.format(before, IMPORTS[0]) for before in BEFORE]
    cells += [ATTACK.format("", statement) for statement in IMPORTS[1:]]
    done = run(*cells, ATTACK.format("", IMPORTS[0]).replace("pca", "own"), sealed=SEALED)
    assert statuses(done) == ["error"] * len(cells) + ["ok"]
    assert all("the exercise asks you to write it yourself" in text(done, i) for i in range(len(cells)))
    assert text(done, len(cells)) == "42\n"  # the attack is one where nothing is sealed


def test_the_sealed_names_parts_are_sealed_and_no_others():
    cells = [f"import {name}" for name in ("vaeedu.pca.em", "vaeedu.pcas", "vaeedu.data")]
    done = run("import vaeedu; vaeedu.__path__.insert(0, '.')", *cells, sealed=SEALED, files={"pcas.py": b""})
    assert statuses(done) == ["ok", "error", "ok", "ok"]


def renamed(source):
    """The same functions in other words: names, comments and docstrings changed, annotations gone."""
    changed = re.sub(r"\bscores\b", "s", re.sub(r"\bx\b", "rows", source))
    return "# mine\n" + re.sub(r'(?s)""".*?"""', '"""Mine."""', changed)


@pytest.mark.parametrize("change", [str, renamed])
def test_the_librarys_functions_are_recognised(change):
    found = brought_along(
        {"a.py": change(SOURCE), "b.txt": change(SOURCE), "c.py": "x = 1", "d.csv": "1,2"}, SEALED
    )
    assert set(found) == {"a.py", "b.txt"}
    assert all(what.startswith("vaeedu.pca: ") for what in found.values())


def test_a_module_that_is_one_file_is_recognised_too():
    assert brought_along({"a.py": inspect.getsource(vaeedu.audio)}, ["vaeedu.audio"])


def test_nothing_is_looked_for_where_nothing_is_sealed():
    assert brought_along({"a.py": SOURCE}, ()) == {}
    assert brought_along({"a.py": SOURCE}, ["vaeedu.gan"]) == {}


@pytest.mark.parametrize("path", sorted((ROOT / "exercises").glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_no_right_answer_of_ours_is_taken_for_the_librarys(path):
    from vaeedu_grader.authoring.course import load_exercises

    sealed = load_exercises(path)[1]
    assert brought_along({"answers": path.read_text(encoding="utf-8")}, sealed) == {}


def test_files_are_left_out_and_cells_are_remarked_on():
    cells = [nbformat.v4.new_code_cell(SOURCE, id="mine"), nbformat.v4.new_markdown_cell(SOURCE, id="said")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    files = {"pca_help.py": SOURCE.encode(), "data.csv": b"1,2", "p.png": b"\x89PNG\xff"}
    left, remarks = _without_the_library(files, notebook, SEALED)
    assert set(left) == {"data.csv", "p.png"}
    assert [remark.split(" holds ")[0] for remark in remarks] == ["pca_help.py", "mine"]
    assert remarks[0].endswith("left out")
