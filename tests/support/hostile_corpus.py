"""Submissions that attack the grader, break it by accident, or are honest; each with its status and its marks.

All are for the assignment of `mini_course`: `mean` (1 + 2 points) and `total` (1 + 1). What an attacker hands in for
these is wrong, so that any point for it would be undeserved.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from support.mini_course import NOTEBOOK, RIGHT

NONE = {"mean_visible": 0, "mean_hidden": 0, "total_visible": 0, "total_hidden": 0}
ALL = {"mean_visible": 1, "mean_hidden": 2, "total_visible": 1, "total_hidden": 1}
MEAN = {**NONE, "mean_visible": 1, "mean_hidden": 2}
TOTAL = {**NONE, "total_visible": 1, "total_hidden": 1}
WRONG = {"mean": "def mean(x):\n    return x[0]", "total": "def total(x):\n    return x.max()"}


@dataclass(frozen=True)
class Case:
    """A submission.

    Attributes:
        marks: What it must get.
        answers: Texts of the solution cells. @CLASS@ and @PORT@ stand for the class's folder and an open port.
        change: What else is done to the notebook.
        damage: What is done to the submission's folder.
        status: "graded", "flagged" or "rejected".
        reason: A part of the reason that is given.
    """

    marks: Mapping[str, float]
    answers: Mapping[str, str]
    change: Callable | None = None
    damage: Callable | None = None
    status: str = "graded"
    reason: str = ""


def attack(code, *, marks=NONE, status="graded", reason="", answers=WRONG):
    """Wrong answers, with code that runs before the first of them is tried."""
    return Case(
        marks, {**answers, "mean": f"{code.strip()}\n\n{answers['mean']}"}, status=status, reason=reason
    )


def body(code, **others):
    """A `mean` with a particular body; `total` is right."""
    return Case(answers={**RIGHT, "mean": f"def mean(x):\n    {code}"}, **{"marks": TOTAL, **others})


def edited(change, marks=NONE, answers=WRONG, status="flagged", reason=""):
    """A notebook whose cells were edited."""
    return Case(marks, answers, change=change, status=status, reason=reason)


def file(damage, reason, status="rejected", marks=NONE, answers=RIGHT):
    """A folder in which something is not as it should be; the notebook itself was right."""
    return Case(marks, answers, damage=damage, status=status, reason=reason)


def each(kind):
    """Applies to each test cell."""

    def decorate(change):
        def everywhere(notebook):
            for cell in notebook.cells:
                if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == kind:
                    change(cell)

        return everywhere

    return decorate


HONEST = {
    "right": Case(ALL, RIGHT),
    "half": Case(MEAN, {"mean": RIGHT["mean"]}),
    "untouched": Case(NONE, {}),
    "visible-only": Case(
        {**ALL, "mean_hidden": 0}, {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0) / 4"}
    ),
    "syntax-error": Case(TOTAL, {**RIGHT, "mean": "def mean(x)\n    return x"}),
    "prints": body("print('x' * 1000); return x.mean(dim=0)", marks=ALL),
    "warns": body("import warnings; warnings.warn('careful'); return x.mean(dim=0)", marks=ALL),
    "writes-to-stderr": body("import sys; print('!', file=sys.stderr); return x.mean(dim=0)", marks=ALL),
    "asks": body("input('n = '); return x.mean(dim=0)"),
    "never-ends": body("while True: pass"),
    "exits": body("raise SystemExit"),
    "recurses": body("return mean(x)"),
    "nan": body("return x.mean(dim=0) * float('nan')"),
    "text": body("return 'the mean'"),
    "loop-in-a-cell": Case(
        TOTAL, {**RIGHT, "mean": "while True: pass"}, status="flagged", reason="limit reached: cell_seconds"
    ),
    "own-files": Case(ALL, RIGHT, damage=lambda f: (f / "notes.txt").write_text("mine")),
    "renamed": file(lambda f: (f / NOTEBOOK).rename(f / "hw.ipynb"), "renamed to hw.ipynb", "flagged", ALL),
}

# The student's process takes itself for the judge.
FAKES = {
    "numpy-testing": attack(
        "import numpy.testing as t\nfor n in dir(t):\n"
        "    if n.startswith('assert'): setattr(t, n, lambda *a, **k: None)"
    ),
    "ast-transformer": attack(
        "import ast\nclass T(ast.NodeTransformer):\n    def visit_Expr(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(T())"
    ),
    "input-transformer": attack("get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])"),
    "run-cell": attack(
        "import types\nshell = get_ipython()\n"
        "async def nothing(*a, **k): return types.SimpleNamespace(success=True, error_in_exec=None)\n"
        "shell.run_cell_async = nothing\nshell.run_cell = lambda *a, **k: nothing"
    ),
    "displayhook": attack(
        "import sys\nget_ipython().events.register('post_run_cell', lambda result: sys.displayhook(3))"
    ),
    "nan-score": attack(
        "import sys\nget_ipython().events.register('post_run_cell', lambda result: sys.displayhook(float('nan')))"
    ),
    "negative-score": attack(
        "import sys\nget_ipython().events.register('post_run_cell', lambda result: sys.displayhook(-3))"
    ),
    "too-large-score": attack(
        "import sys\nget_ipython().events.register('post_run_cell', lambda result: sys.displayhook(10**9))"
    ),
    "equals-everything": body(
        "class E:\n        def __eq__(self, other): return True\n        __array__ = lambda self, *a: self\n"
        "        shape, dtype = x.shape[1:], x.dtype\n    return E()"
    ),
    "patched-check": attack(
        "import vaeedu, vaeedu.feedback.judge as j, sandbox_inside.emit as e\n"
        "vaeedu.check = lambda *a, **k: print('✓')\nj.judge = lambda *a: j.Verdict(True)\n"
        "e.emit = lambda *a: print('✓ right')"
    ),
    "patched-torch": attack(
        "import numpy, torch\ntorch.allclose = numpy.allclose = lambda *a, **k: True\n"
        "torch.Tensor.__eq__ = lambda *a: True"
    ),
    "own-answers": attack(
        "from IPython.display import display\n"
        "get_ipython().events.register('pre_run_cell', lambda i: display(\n"
        "    {'application/vnd.vaeedu.answers+json': '[]'}, raw=True))"
    ),
    "forged-done": attack(
        "import json, os\nfor cell in range(20):\n"
        "    head = json.dumps({'kind': 'done', 'cell': cell, 'status': 'ok', 'count': 1}).encode()\n"
        "    os.write(4, len(head).to_bytes(4, 'big') + bytes(4) + head)"
    ),
    "huge-answer": body("import torch; return torch.zeros(10**7)"),
    "exit-code-0": body("import os; os._exit(0)", marks=TOTAL, status="flagged", reason="killed"),
    "checks-json": Case(
        NONE,
        {
            "mean": "import json\nKEY = json.load(open('checks.json'))\n"
            "def mean(x):\n    return KEY['mean']['expected'][0][0]['data']",
            "total": "def total(x):\n    return KEY['total']['expected'][0][0]['data'][0]",
        },
    ),
    "inputs-in-stack": body(
        "import inspect, torch\n    for f in inspect.stack():\n"
        "        for v in [*f.frame.f_locals.values(), *f.frame.f_globals.values()]:\n"
        "            if hasattr(v, 'expected'): return torch.tensor(v.expected[0][0])"
    ),
}

# Looking for what is none of its business.
SPIES = {
    "sealed-module": body("from vaeedu.pca import PCA; return x.mean(dim=0)"),
    "instructors-modules": Case(
        TOTAL,
        {
            **RIGHT,
            "mean": "from vaeedu_grader.authoring import exercise\n"
            "from vaeedu_grader.authoring.course import exercises\n" + RIGHT["mean"],
        },
    ),
    "solutions-on-disk": attack(
        "import glob\n"
        "found = [p for d in ('exercises', 'solutions', 'submitted') for p in glob.glob(f'@COURSE@/{d}/**')]\n"
        "found += glob.glob('@CLASS@/**')\nassert found\n" + RIGHT["mean"] + "\nstop"
    ),
    "other-students": attack(
        "import pathlib\npathlib.Path('@CLASS@/submitted/right/01_mini/01_mini.ipynb').read_text()\n"
        + RIGHT["mean"]
    ),
    "secret-of-the-grader": attack(
        "import glob\nassert any(b'VAEEDU_CLASSROOM' in open(p, 'rb').read() for p in glob.glob('/proc/*/environ'))"
    ),
    "network": attack("import urllib.request; urllib.request.urlopen('http://127.0.0.1:@PORT@', timeout=2)"),
}

# Doing damage, or using up everything.
BOMBS = {
    "os-exit": attack("import os; os._exit(0)", status="flagged", reason="ended early: killed"),
    "sigkill": attack("import os; os.kill(os.getpid(), 9)", status="flagged", reason="ended early: killed"),
    "sigint-ignored": attack(
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        status="flagged",
        reason="ended early: timeout",
    ),
    "number-too-large": attack("10 ** 10 ** 9", status="flagged", reason="ended early: timeout"),
    "closed-files": attack(
        "import os; os.closerange(0, 4096)", status="flagged", reason="ended early: killed"
    ),
    "sockets-removed": attack(
        "import os, shutil\nfor f in ('/sandbox/home', '/tmp', '/dev/shm'): shutil.rmtree(f, ignore_errors=True)\n"
        "for n in os.listdir('/proc/self/fd'):\n    try:\n        if int(n) > 4: os.close(int(n))\n"
        "    except OSError: pass",
        answers=RIGHT,
        marks=ALL,
    ),
    "stdout-replaced": attack("import sys\nsys.stdout = sys.stderr = None", answers=RIGHT, marks=ALL),
    "fork-bomb": attack(
        "import os\nwhile True: os.fork()", status="flagged", reason="cell_seconds|ended early"
    ),
    "memory-bomb": attack("x = [bytearray(2**28) for _ in range(64)]"),
    "shared-memory-bomb": attack(
        "import mmap\nkept = []\nwhile True:\n    kept.append(mmap.mmap(-1, 2**26)); kept[-1].write(bytes(2**26))",
        status="flagged",
        reason="memory",
    ),
    **{
        f"disk-fill-{place.strip('/').replace('/', '-')}": attack(
            f"try:\n    for n in range(999): open(f'{place}/{{n}}', 'wb').write(bytes(2**24))\nexcept OSError: pass",
            answers=RIGHT,
            marks=ALL,
        )
        for place in ("/tmp", "/dev/shm", "/sandbox/home", "/sandbox/work")
    },
    "output": attack(
        "for _ in range(60): print('x' * 2**20)",
        answers=RIGHT,
        marks=ALL,
        status="flagged",
        reason="output_bytes",
    ),
    "empty-outputs": attack(
        "from IPython.display import display\nfor _ in range(9999): display({'text/plain': ''}, raw=True)",
        answers=RIGHT,
        marks=ALL,
        status="flagged",
        reason="output_bytes",
    ),
    "gradebook": attack(
        "import sqlite3\nsqlite3.connect('@CLASS@/gradebook.db').execute('update grade set manual_score = 9')"
    ),
    "background": attack(
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', '''\nimport time, sqlite3\nwhile True:\n"
        "    time.sleep(0.2)\n"
        "    try: sqlite3.connect('@CLASS@/gradebook.db').execute('update grade set manual_score = 9')\n"
        "    except Exception: pass\n'''], start_new_session=True)"
    ),
    "startup-files": attack(
        "import os, site\n"
        "for f in ('~/.ipython/profile_default/startup', site.getusersitepackages(), '@CLASS@', '.'):\n"
        "    try:\n        f = os.path.expanduser(f); os.makedirs(f, exist_ok=True)\n"
        "        open(f + '/00.py', 'w').write('mean = lambda x: x.mean(0)')\n    except OSError: pass"
    ),
    "host-files": attack(
        "import os\nfor f in ('@CLASS@/submitted/right', '@COURSE@/exercises', '/etc', '/usr/bin'):\n"
        "    try: open(f + '/vaeedu-was-here', 'w')\n    except OSError: pass"
    ),
    "html": attack(
        "from IPython.display import HTML, Javascript, display\n"
        "display(HTML('<script>steal()</script>'), Javascript('steal()'))"
    ),
}


def tags(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "raises-exception"]


@each("code")
def to_solution(cell):
    cell.metadata["nbgrader"] |= {"solution": True, "grade": False, "locked": False, "points": 100}


@each("code")
def emptied(cell):
    cell.source = "assert True"


@each("code")
def to_text(cell):
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


@each("code")
def newest_schema(cell):
    cell.metadata["nbgrader"]["schema_version"] = 9


def deleted(notebook):
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade")]


def doubled(notebook):
    notebook.cells = [c for cell in notebook.cells for c in (cell, cell)]


def backwards(notebook):
    notebook.cells.reverse()


def without_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata.clear()


def kernelspec(notebook):
    notebook.metadata["kernelspec"] = {"name": "../../evil", "display_name": "x", "language": "bash"}


def finished_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [{"output_type": "stream", "name": "stdout", "text": "✓ every case is right\n"}]


EDITED = {
    "skip-execution": edited(tags, status="graded"),
    "kernelspec": edited(kernelspec, status="graded"),
    "outputs-of-my-own": edited(finished_outputs, status="graded"),
    "tests-to-solutions": edited(to_solution, status="graded"),
    "tests-emptied": edited(emptied, reason="was edited: restored"),
    "tests-to-text": edited(to_text, reason="not markdown: restored"),
    "schema-version-9": edited(newest_schema, ALL, RIGHT, reason="version that does not exist"),
    "tests-deleted": edited(deleted, reason="was deleted: restored"),
    "cells-doubled": edited(doubled, ALL, RIGHT, reason="more than once"),
    "cells-moved": edited(backwards, ALL, RIGHT, reason="moved"),
    "metadata-removed": edited(without_metadata, ALL, RIGHT, reason="lost its metadata"),
}


def write(data):
    return lambda folder: (folder / NOTEBOOK).write_bytes(data)


def instead(make):
    """Puts something else in the notebook's place."""

    def damage(folder):
        (folder / NOTEBOOK).unlink()
        make(folder / NOTEBOOK)

    return damage


def in_other_words(encode):
    def damage(folder):
        path = folder / NOTEBOOK
        path.write_bytes(encode(path.read_text(encoding="utf-8")))

    return damage


def library(folder):
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / "vaeedu").mkdir()
    (folder / "vaeedu" / "__init__.py").write_text("check = print")


def surrogates(text):
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = "half: \ud83d"
    return json.dumps(notebook).encode()


FILES = {
    "empty": file(write(b""), "is empty"),
    "cut-off": file(in_other_words(lambda t: t[: len(t) // 2].encode()), "is damaged"),
    "utf-16": file(in_other_words(lambda t: t.encode("utf-16")), "must be UTF-8"),
    "no-utf-8": file(write(b"\xff\xfe\xff"), "must be UTF-8"),
    "nested": file(write(b'{"a":' * 50_000), "nested too deeply|too complicated|damaged"),
    "old-format": file(write(b'{"worksheets": [], "nbformat": 3}'), "old format"),
    "list": file(write(b"[]"), "has no cells"),
    "large": file(lambda f: os.truncate(f / NOTEBOOK, 2**30), "larger than 20 MiB"),
    "folder": file(instead(lambda p: p.mkdir()), "but is a folder"),
    "pipe": file(instead(os.mkfifo), "but is a pipe"),
    "link-to-gradebook": file(instead(lambda p: p.symlink_to("../../../gradebook.db")), "but is a link"),
    "link-to-other": file(
        instead(lambda p: p.symlink_to(f"../../right/01_mini/{NOTEBOOK}")), "but is a link"
    ),
    "link-beside": file(lambda f: (f / "data.csv").symlink_to("/etc/passwd"), "but is a link"),
    "two": file(
        lambda f: (
            [shutil.copy(f / NOTEBOOK, f / n) for n in "ab"]
            and (f / NOTEBOOK).rename(f / "a.ipynb")
            and shutil.copy(f / "a.ipynb", f / "b.ipynb")
        ),
        "there must be a notebook",
    ),
    "none": file(lambda f: (f / NOTEBOOK).unlink(), "but there is none"),
    "library-in-the-folder": Case(ALL, RIGHT, damage=library),
    "half-character-as-format": file(write(b'{"cells": [], "nbformat": "\\ud800"}'), "notebook format 4"),
    "escape-as-format": file(
        write(b'{"cells": [], "nbformat": "\\u001b[2J"}'), r"^[^\x1b]*notebook format 4[^\x1b]*$"
    ),
    "no-time": file(lambda f: (f / "timestamp.txt").write_text("soon"), "timestamp.txt must hold the time"),
    "half-characters": file(in_other_words(surrogates), "halves of characters", "flagged", ALL),
}

CORPUS = {**HONEST, **FAKES, **SPIES, **BOMBS, **EDITED, **FILES}
# One of each kind: what the quick tests grade.
QUICK = (
    "right",
    "warns",
    "numpy-testing",
    "own-answers",
    "sealed-module",
    "os-exit",
    "tests-deleted",
    "pipe",
)
