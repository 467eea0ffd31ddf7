"""Honest notebooks run as in Jupyter, and what they put out arrives: text, pictures, errors, answers."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import nbformat
import pytest
from support.sandboxes import LIMITS, MIB, obstacle, run, statuses, text

from vaeedu.feedback.wire import MIME
from vaeedu_grader.sandbox import Cell, Limits, Prepared, SandboxError, bubble, package, run_cells

SHOW = "from IPython.display import display\n"
EMIT = SHOW + f"display({{{MIME!r}: %s}}, raw=True)"


@pytest.fixture(params=[False, True], ids=["sandbox", "unsafe"])
def unsafe(request):
    return request.param


def valid(run):
    """Makes sure that a notebook may hold these outputs."""
    for cell in run.cells:
        outputs = [nbformat.from_dict(output) for output in cell.outputs]
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=outputs)])
        nbformat.validate(made)
        assert nbformat.writes(made).encode("utf-8")
    return run


def test_cells_run_as_in_jupyter(unsafe):
    done = valid(
        run(
            "x = 5\nprint('a', end='')\nprint('b')\nx",
            "import sys; print('warning', file=sys.stderr); _",
            "def f(:",
            "1 / (x - 5)",
            "import asyncio; await asyncio.sleep(0); x;",
            "%timeit -n1 -r1 pass",
            "!echo from a shell",
            "import subprocess; subprocess.run(['echo', 'from a program']); print('and on')",
            "raise SystemExit",
            "input('?')",
            "print(open('data.csv').read(), open('more/deep/data.csv').read(), end='')",
            unsafe=unsafe,
            files={"data.csv": b"1,2\n", "more/deep/data.csv": b"3,4\n"},
        )
    )
    assert done.status == "finished"
    assert statuses(done) == ["ok", "ok", "error", "error", "ok", "ok", "ok", "ok", "error", "error", "ok"]
    assert done.cells[0].outputs == [
        {"output_type": "stream", "name": "stdout", "text": "ab\n"},
        {"output_type": "execute_result", "data": {"text/plain": "5"}, "metadata": {}, "execution_count": 1},
    ]
    assert done.cells[1].outputs[0] == {"output_type": "stream", "name": "stderr", "text": "warning\n"}
    assert [cell.execution_count for cell in done.cells] == list(range(1, 12))
    errors = [
        output["ename"] for cell in done.cells for output in cell.outputs if output["output_type"] == "error"
    ]
    assert errors == ["SyntaxError", "ZeroDivisionError", "SystemExit", "EOFError"]
    assert "1 / (x - 5)" in "".join(done.cells[3].outputs[-1]["traceback"])
    assert text(done, 6).strip() == "from a shell"
    # A program's output does not come the way that print's does, which writes its line's end on its own.
    assert text(done, 7) in (
        "and on\nfrom a program\n",
        "from a program\nand on\n",
        "and onfrom a program\n\n",
    )
    assert text(done, 10) == "1,2\n 3,4\n"
    assert (done.unsafe, done.versions["python"]) == (unsafe, ".".join(map(str, sys.version_info[:3])))


def test_pictures_arrive_and_what_a_browser_would_run_does_not():
    done = valid(
        run(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
            "class Rich:\n    __repr__ = lambda self: 'plain'\n    _repr_html_ = lambda self: '<script>'\nRich()",
            SHOW
            + "display({'text/html': '<script>', 'image/svg+xml': '<svg/>', 'application/javascript': 'x'}, raw=True)",
            SHOW + "display({'image/png': '\"><script>x</script>'}, raw=True)",
            SHOW + "for i in range(3): display(i); print(i)\n"
            "from IPython.display import clear_output; clear_output(); print(9)",
        )
    )
    assert set(done.cells[0].outputs[-1]["data"]) == {"image/png", "text/plain"}
    assert done.cells[1].outputs[0]["data"] == {"text/plain": "plain"}
    assert done.cells[2].outputs == done.cells[3].outputs == []
    assert text(done, 4) == "9\n"
    assert "stderr" not in str([cell.outputs for cell in done.cells])  # no complaint about fonts


def test_answers_arrive_as_they_were_sent(unsafe):
    done = run(EMIT % "'[1, 2]'", "5", EMIT % "{'a': 1}", unsafe=unsafe)
    assert done.emitted == {"cell0": b"[1, 2]", "cell2": b'{"a": 1}'}
    assert [cell.outputs for cell in done.cells[::2]] == [[], []]


def test_two_messages_of_answers_are_none():
    done = run(EMIT % "'1'" + "\n" + EMIT % "'2'", EMIT % "'3'")
    assert done.emitted == {"cell1": b"3"}
    assert [cell.answers for cell in done.cells] == [2, 1]


def test_answers_that_are_too_large_are_an_error_of_their_cell():
    done = run(EMIT % "'x' * (3 * 2**20)", EMIT % "'1'", answer_bytes=MIB)
    assert statuses(done) == ["error", "ok"]
    assert "the answer is too large: 3,145,728 bytes, of 1,048,576 at most" in text(done)
    assert done.emitted == {"cell1": b"1"}


def test_values_that_are_too_large_to_show_are_cut():
    done = valid(run("'z' * 2**25", "display({'image/png': 'A' * 2**24}, raw=True)", "2", output_bytes=MIB))
    assert done.status == "finished"
    assert text(done).startswith("'zzz")
    assert MIB - 1000 < len(text(done)) < MIB + 200
    assert (done.cells[1].outputs, text(done, 2)) == ([], "2")


def test_output_is_bounded_and_the_rest_is_left_out(unsafe):
    done = valid(
        run(
            "for _ in range(60):\n    print('x' * 2**20)",
            "import os\nfor _ in range(60):\n    os.write(1, b'y' * 2**20)",
            "z = 'z' * 2**21\nz",
            "raise ValueError('w' * 2**21)",
            "print('after')",
            output_bytes=MIB,
            unsafe=unsafe,
        )
    )
    assert (done.status, done.limits_hit) == ("finished", ("output_bytes",))
    assert [len(text(done, i)) <= MIB + 200 for i in range(4)] == [True] * 4
    assert ["left out" in text(done, i) for i in range(3)] == [True] * 3
    assert text(done, 0).startswith("x" * (MIB - 256))  # an output uses up a little beside its text
    assert done.cells[3].outputs[0]["ename"] == "ValueError"
    assert text(done, 4) == "after\n"


def test_all_output_together_is_bounded():
    done = run(*["print('x' * 60_000)"] * 4, output_bytes=100_000, total_output_bytes=150_000)
    assert [len(text(done, i)) > 60_000 for i in range(4)] == [True, True, False, False]
    assert statuses(done) == ["ok"] * 4


@pytest.mark.parametrize(
    ("attack", "status"),
    [
        ("while True: os.write(4, b'\\0\\0\\0\\x02\\0\\0\\xff\\xff{}' + bytes(65535))", "output"),
        ("os.write(4, b'garbage' * 100)", "protocol"),
        ("os.write(4, b'\\0\\0\\x0f\\0\\0\\0\\0\\0' + b'[' * 3840)", "protocol"),
        ("os.write(4, b'\\0\\0\\0\\x02\\0\\0\\0\\0[]')", "protocol"),
        ("os.write(4, b'\\xff' * 8)", "protocol"),
    ],
    ids=["flood", "garbage", "nested", "no object", "huge"],
)
def test_what_no_kernel_says_ends_the_run(attack, status):
    done = run("import os", attack + "\nimport time; time.sleep(1)", "1", flood_bytes=32 * MIB)
    assert done.status == status
    assert statuses(done) == ["ok", "ended", "not run"]


def test_words_about_another_cell_do_not_count():
    message = json.dumps({"kind": "done", "cell": 1, "status": "ok", "count": 1})
    forged = (
        f"import os\nhead = {message!r}.encode()\nos.write(4, len(head).to_bytes(4, 'big') + bytes(4) + head)"
    )
    done = run(forged, "import time; time.sleep(0.3); 7")
    assert statuses(done) == ["ok", "ok"]
    assert done.cells[1].seconds > 0.2
    assert text(done, 1) == "7"


def test_a_null_byte_is_an_error_of_its_cell():
    assert statuses(run("x = 1\x00", "print(2)")) == ["error", "ok"]


def test_halves_of_characters_do_no_harm():
    done = valid(
        run("print('\\ud83d'); '\\ud83d'", "raise ValueError('\\ud83d')", EMIT % "'\\ud83d'", "# \ud83d\n5")
    )
    assert text(done) == "?\n'\\ud83d'"
    assert done.cells[1].outputs[0]["evalue"] == "?"
    assert done.emitted == {"cell2": b"?"}
    assert text(done, 3) == "5"


def test_sealed_modules_say_that_the_exercise_asks_for_them(unsafe):
    done = run(
        "import vaeedu.pca",
        "from vaeedu.divergences.gaussian import kl_normal",
        "from vaeedu import sampling; sampling.normal",
        "import vaeedu; vaeedu.check",
        sealed=("vaeedu.pca", "vaeedu.divergences.gaussian"),
        unsafe=unsafe,
    )
    assert statuses(done) == ["error", "error", "ok", "ok"]
    assert text(done, 0) == (
        "vaeedu.pca is not there while your work is graded: the exercise asks you to write it yourself"
    )
    assert done.cells[1].outputs[0]["ename"] == "ImportError"


@pytest.mark.parametrize("name", ["pca", "vaeedu", "vaeedu.nonsense", "vaeedu.feedback", "os.path"])
def test_only_modules_of_the_library_can_be_sealed(name):
    with pytest.raises(ValueError, match="sealed must name modules of the library"):
        run_cells([], sealed=[name], unsafe=True)


@pytest.mark.parametrize("name", ["", ".", "..", "a/../b", "a//b", "../a", "/etc/passwd", "a/", "a\0b"])
def test_files_lie_below_the_notebooks_folder(name):
    with pytest.raises(ValueError, match="files must have names below the notebook's folder"):
        run_cells([], files={name: b""}, unsafe=True)


def test_limits_are_positive():
    with pytest.raises(ValueError, match="wall_seconds must be positive, but is 0"):
        Limits(wall_seconds=0.0)


def test_a_sandbox_is_for_one_submission(capsys):
    prepared = Prepared(unsafe=True, imports=())
    run_cells([Cell("a", "1")], prepared=prepared)
    with pytest.raises((ValueError, SandboxError)):
        run_cells([Cell("a", "1")], prepared=prepared)
    assert capsys.readouterr().err.count("--unsafe: submissions run WITHOUT a sandbox") == 1


@pytest.fixture
def look_again():
    """Lets the sandbox look for bubblewrap anew, in the test and after it."""
    bubble.program.cache_clear()
    yield
    bubble.program.cache_clear()


@pytest.mark.usefixtures("look_again")
def test_without_bubblewrap_there_is_a_line_that_says_how_to_get_it(monkeypatch, tmp_path):
    for tool in ("prlimit", "setpriv"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"there is no bwrap: install it with 'apt install bubblewrap'"):
        run_cells([])
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho --unshare-all\n")
    old.chmod(0o755)
    bubble.program.cache_clear()
    with pytest.raises(SandboxError, match="is too old: install it"):
        run_cells([])
    old.write_text("#!/bin/sh\necho --disable-userns --size; echo 'bwrap: No permissions' >&2; exit 1\n")
    with pytest.raises(SandboxError, match=r"did not start: bwrap: No permissions.*user namespaces"):
        run_cells([])


def _made(folder: Path) -> str:
    """Stands in for `mkdtemp`, but without a folder for it there is an error: what a killed process leaves behind."""
    folder.mkdir(parents=True)
    return str(folder)


def test_the_library_is_made_once_and_again_when_it_changes(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *, prefix, dir: _made(Path(dir) / f"{prefix}1"))
    first = package.template()
    assert first == package.template()
    assert first.is_relative_to(tmp_path)
    assert package.template(["vaeedu.pca"]) != first
    assert {path.name for path in first.parent.iterdir()} == {
        first.name,
        package.template(["vaeedu.pca"]).name,
    }
    os.utime(first, (0, 0))
    package.template(["vaeedu.sampling"])
    assert not first.exists()


def test_it_is_made_again_when_any_of_its_files_changes_and_has_no_folder_without_files(
    monkeypatch, tmp_path
):
    library = tmp_path / "vaeedu"
    for name in ("a.py", "data/numbers.npz", "cli/secret.py", "data/__pycache__/old.pyc"):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text("")
    (library / "left_behind" / "__pycache__").mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(package, "_SOURCE", library)
    first = package.template()
    made = {
        str(path.relative_to(first))
        for path in (first / "vaeedu").rglob("*")
        if "__pycache__" not in path.parts
    }
    assert made == {"vaeedu/a.py", "vaeedu/data", "vaeedu/data/numbers.npz"}
    (library / "cli" / "secret.py").write_text("other")
    assert package.template() == first
    (library / "data" / "numbers.npz").write_text("other")
    second = package.template()
    assert second != first
    assert (second / "vaeedu" / "data" / "numbers.npz").read_text() == "other"


def test_where_the_cache_cannot_be_written_to_the_library_lies_elsewhere(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert (package.template() / "vaeedu" / "files.py").is_file()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_works_for_a_user_without_rights(tmp_path):
    if obstacle():
        pytest.skip(obstacle())
    program = (
        "import os; from vaeedu_grader.sandbox import *\n"
        "done = run_cells([Cell('a', 'import os; print(os.getuid())'), Cell('b', 'while True: pass')],\n"
        "    prepared=Prepared(Limits(cell_seconds=3.0, grace_seconds=60.0), imports=()))\n"
        "print(os.getuid(), done.status, done.limits_hit, done.cells[0].outputs[0]['text'])"
    )
    tmp_path.chmod(0o777)
    root = Path(package.__file__).parents[2]
    needed = [*bubble.python_folders(), root]
    command = [*bubble.as_another_user(needed, 12345), sys.executable, "-c", program]
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "TMPDIR": "/tmp",
        "PYTHONPATH": str(root),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[0] == "12345 finished ('cell_seconds',) 1000", done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_attacks_fail_in_the_same_way_for_a_user_without_rights():
    if obstacle():
        pytest.skip(obstacle())
    root = Path(package.__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        command = [
            *bubble.as_another_user([*bubble.python_folders(), root], 12345),
            sys.executable,
            "-m",
            "pytest",
        ]
        command += [
            "-q",
            "-p",
            "no:cacheprovider",
            f"--basetemp={folder}/t",
            "tests/grader/test_sandbox_attacks.py",
            "tests/grader/test_sandbox_zygote.py",
        ]
        environment = {**os.environ, "HOME": folder, "TMPDIR": "/tmp", "PYTHONPATH": str(root)}
        done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_course_inside_a_folder_that_is_shown_is_hidden(monkeypatch):
    root = Path(package.__file__).parents[2]
    monkeypatch.setattr(bubble, "python_folders", lambda real=bubble.python_folders: [root.parent, *real()])
    done = run(f"import os; print(os.path.isdir({str(root)!r}) and os.listdir({str(root)!r}))")
    # A Python of the course's own is in there, and may be seen.
    assert set(ast.literal_eval(text(done))) <= {Path(sys.prefix).name}


def test_several_sandboxes_run_beside_each_other():
    if obstacle():
        pytest.skip(obstacle())
    found = {}

    def work(name):
        found[name] = run(
            f"import time; open('/tmp/x', 'w').write({name!r}); time.sleep(0.3)",
            "print(open('/tmp/x').read())",
        )

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: text(done, 1).strip() for name, done in found.items()} == {name: name for name in "abc"}


def test_limits_in_tests_are_below_the_usual_ones():
    assert all(value < getattr(Limits, name) for name, value in LIMITS.items())


def test_there_are_no_hints_in_a_sandbox():
    done = run("import vaeedu\nvaeedu.hint('als_sweep')", "vaeedu.solution('als_sweep', anyway=True)")
    assert statuses(done) == ["error", "error"]
    for cell in (0, 1):
        assert "hints and solutions must lie in the course's folder" in text(done, cell)


def test_what_an_author_says_of_a_picture_comes_out_with_it(unsafe):
    picture = {"image/png": "iVBORw0KGgo=", "text/plain": "<a picture>"}
    told = [{"image/png": {"alt": "A line."}}, {"alt": 3, "image/png": {"alt": 3}}, None]
    done = valid(
        run(*(f"{SHOW}display({picture}, raw=True, metadata={each})" for each in told), unsafe=unsafe)
    )
    assert [cell.outputs[0]["metadata"] for cell in done.cells] == [{"image/png": {"alt": "A line."}}, {}, {}]
