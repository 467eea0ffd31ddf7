"""Code that wants out, or wants everything for itself: it gets a status, in bounded time, and changes nothing."""

import ast
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import sandboxes
from support.sandboxes import MIB, obstacle, run, statuses, text

import vaeedu
from vaeedu_grader.sandbox import Cell, Prepared, bubble, package, run_cells, watch

AFTER = "print('still here')"


def processes():
    """The processes of this machine, without those that have ended and are only still listed."""
    found = set()
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(int(name))
    return found


@pytest.fixture
def nothing_survives(monkeypatch):
    """No process that began in the test in a sandbox of its is there after it."""
    started = []
    old = Prepared.close

    def close(prepared):
        if prepared._process is not None:
            started.extend(watch.family(prepared._process.pid))
        old(prepared)

    monkeypatch.setattr(Prepared, "close", close)
    yield
    assert not set(started) & processes()


@pytest.fixture(autouse=True, params=["forked", pytest.param("alone", marks=pytest.mark.slow)])
def way(request, monkeypatch):
    """Both ways in which the program in a sandbox starts."""
    monkeypatch.setattr(sandboxes, "FORKS", request.param == "forked")


pytestmark = pytest.mark.usefixtures("nothing_survives")


@pytest.mark.parametrize(
    "attack",
    [
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os; os.closerange(3, 4096)",
        "import ctypes; ctypes.string_at(0)",
        "import os\nfor pid in range(1, 99):\n    if os.path.exists(f'/proc/{pid}'): os.kill(pid, 9)",
    ],
    ids=["exit", "sigkill", "closed files", "crash", "kills all it sees"],
)
def test_a_cell_that_ends_its_own_process_ends_the_run(attack):
    done = run("print(1)", attack, AFTER)
    assert (done.status, done.limits_hit) == ("killed", ())  # it was not waited for
    assert statuses(done) == ["ok", "ended", "not run"]
    assert text(done) == "1\n"


@pytest.mark.parametrize("ignored", [False, True], ids=["", "interrupts ignored by the grader"])
def test_a_loop_without_end_costs_its_own_cell_only(ignored):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:
        done = run("while True:\n    pass", AFTER, cell_seconds=4.0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert statuses(done) == ["interrupted", "ok"]
    assert (done.status, done.limits_hit) == ("finished", ("cell_seconds",))
    assert done.cells[0].outputs[-1]["ename"] == "KeyboardInterrupt"


@pytest.mark.parametrize(
    "attack",
    [
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException: pass",
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", marks=pytest.mark.slow),
        pytest.param(
            "import os, time\nos.dup2(os.open('/dev/null', 1), 4)\nwhile True: time.sleep(1)",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["ignores", "catches", "stops", "says nothing"],
)
def test_what_cannot_be_interrupted_is_ended_from_outside(attack):
    done = run(attack, AFTER, cell_seconds=1.5, grace_seconds=1.5)
    assert (done.status, done.limits_hit) == ("timeout", ("cell_seconds", "grace_seconds"))
    assert statuses(done) == ["ended", "not run"]
    assert done.seconds < 60


def test_an_interrupt_leaves_no_half_message():
    loop = "import os, sys\nwhile True:\n    print('x' * 50_000)"
    done = run(loop, AFTER, cell_seconds=1.0, output_bytes=64 * MIB, total_output_bytes=64 * MIB)
    assert statuses(done)[1] == "ok" or done.status == "output"


def test_all_cells_together_have_a_time_limit():
    done = run("1", "2", "import time; time.sleep(600)", "4", "5", wall_seconds=5.0)
    assert (done.status, done.limits_hit) == ("timeout", ("wall_seconds",))
    assert statuses(done) == ["ok", "ok", "ended", "not run", "not run"]
    assert done.seconds < 60


def test_processor_time_is_limited():
    done = run(
        "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        cpu_seconds=1,
    )
    assert (done.status, done.limits_hit) == ("killed", ())


FORK_BOMB = """
import os, time
born = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        born += 1
except BlockingIOError:
    print(born)
"""


def test_a_fork_bomb_reaches_a_limit():
    done = run(FORK_BOMB, AFTER, processes=40)
    assert statuses(done) == ["ok", "ok"]
    assert 5 < int(text(done)) < 40


def test_threads_count_as_processes():
    bomb = (
        "import threading, time\nfor n in range(500):\n"
        "    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )
    done = run(bomb, AFTER, processes=40)
    assert statuses(done) == ["error", "ok"]
    assert "can't start new thread" in text(done)


def test_memory_of_one_process_is_limited():
    done = run("x = bytearray(400 * 2**20)", AFTER, memory_bytes=300 * MIB)
    assert done.cells[0].outputs[-1]["ename"] == "MemoryError"
    assert statuses(done) == ["error", "ok"]


SHARED = """
import mmap
kept = []
while True:
    kept.append(mmap.mmap(-1, 2**24))
    kept[-1].write(bytes(2**24))
"""
SEVERAL = """
import os, time
for n in range(6):
    if os.fork() == 0:
        x = b"x" * (100 * 2**20)
        time.sleep(60)
time.sleep(60)
"""


@pytest.mark.parametrize("bomb", [SHARED, SEVERAL], ids=["shared", "several processes"])
@pytest.mark.parametrize("groups", [True, False], ids=["control group", "watched"])
def test_memory_of_all_together_is_limited(bomb, groups, monkeypatch):
    if not groups:
        monkeypatch.setattr(Prepared, "_count_together", lambda *_: None)
    done = run(bomb, AFTER, memory_bytes=300 * MIB)
    assert (done.status, done.limits_hit) == ("memory", ("memory_bytes",))


FILL = """
import json, os, sys
sizes = {}
for line in open("/proc/mounts"):
    _, place, kind, options = line.split()[:4]
    if not os.path.isdir(place) or not os.access(place, os.W_OK):
        continue
    total, number = 0, 0
    try:
        while total < 2**26:
            with open(f"{place}/{number}", "wb", buffering=0) as file:
                number += 1
                for _ in range(16):
                    total += file.write(bytes(2**16))
    except OSError as error:
        sizes[place] = total
print(json.dumps(sizes))
"""


def test_memory_in_sockets_has_a_bound():
    # It belongs to no process: without control groups nothing else would count it.
    fill = """
import os, socket, time
for child in range(20):
    if os.fork() == 0:
        kept = []
        for i in range(60):
            kept.append(socket.socketpair())
        time.sleep(60)
time.sleep(60)
"""
    done = run(fill, "1")
    assert (done.status, done.limits_hit) == ("memory", ("sockets",))
    few = run("import socket; kept = [socket.socketpair() for i in range(50)]", "1")
    assert few.status == "finished"


def test_every_folder_that_can_be_written_to_is_bounded():
    done = run(FILL, AFTER, tmp_bytes=4 * MIB, file_bytes=2 * MIB)
    assert statuses(done) == ["ok", "ok"]
    sizes = {place: size for place, size in json.loads(text(done)).items() if size}
    assert sorted(sizes) == sorted(bubble.WRITABLE)
    assert all(3 * MIB < size <= 4 * MIB for size in sizes.values())


WRITABLE = """
import os
from pathlib import Path
found = []
for folder, folders, files in os.walk("/"):
    if folder.startswith(("/proc/", "/usr/share", "/usr/lib")):
        folders.clear()
    try:
        Path(folder, "probe").touch()
        found.append(folder)
    except OSError:
        pass
print(*found, sep="\\n")
"""


def above_python_in_tmp():
    """The folders in the sandbox's own /tmp that lead to the Python it shows, where the course is kept below /tmp."""
    return [str(folder) for folder in Path(sys.prefix).parents if Path("/tmp") in folder.parents]


def test_no_other_folder_can_be_written_to():
    done = run(WRITABLE)
    tops = {
        folder
        for folder in text(done).splitlines()
        if not Path(folder).parent.as_posix().startswith(bubble.HOME)
    }
    tops -= {f"{bubble.HOME}/.ipython", f"{bubble.HOME}/matplotlib"}
    assert tops - set(above_python_in_tmp()) == set(bubble.WRITABLE)


def test_many_empty_files_are_too_many():
    done = run(
        "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close(); n += 1",
        AFTER,
        tmp_files=2000,
    )
    assert (done.status, done.limits_hit) == ("memory", ("tmp_files",))


def test_files_and_their_sizes_are_limited():
    done = run(
        "kept = [open('/dev/null') for _ in range(1000)]",
        "kept = []; open('/tmp/large', 'wb').write(bytes(2**22))",
        AFTER,
        open_files=64,
        file_bytes=MIB,
    )
    assert "Too many open files" in done.cells[0].outputs[-1]["evalue"]
    assert "File too large" in done.cells[1].outputs[-1]["evalue"]
    assert statuses(done) == ["error", "error", "ok"]


BACKGROUND = """
import os, subprocess
subprocess.Popen(["sleep", "1000"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "1000"])
    os._exit(0)
"""


def test_no_background_process_survives():
    if obstacle():
        pytest.skip(obstacle())
    prepared = Prepared(imports=())
    prepared.wait()
    seen = []
    old = prepared.over
    prepared.over = lambda: seen.extend(watch.family(prepared._first)) or old()
    run_cells([Cell("a", BACKGROUND), Cell("b", "import time; time.sleep(0.5)")], prepared=prepared)
    assert len(set(seen)) >= 4
    assert not set(seen) & processes()


def test_a_grader_that_is_killed_takes_its_sandbox_along():
    if obstacle():
        pytest.skip(obstacle())
    program = (
        "import time\nfrom vaeedu_grader.sandbox import Prepared\n"
        "prepared = Prepared(imports=())\nprepared.wait()\nprint(prepared._first, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as grader:
        first = int(grader.stdout.readline())
        grader.kill()
    end = time.monotonic() + 60
    while first in processes() and time.monotonic() < end:
        time.sleep(0.05)
    assert first not in processes()
    run("1")  # which removes the control group that was left behind, where there is one
    assert not list(Path("/sys/fs/cgroup").rglob(f"vaeedu-{grader.pid}-*"))


def test_there_is_no_network():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0vaeedu-{os.getpid()}")
        abstract.listen()
        done = run(
            f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=1)",
            "socket.create_connection(('192.0.2.1', 80), timeout=1)",
            f"socket.socket(socket.AF_UNIX).connect('\\0vaeedu-{os.getpid()}')",
            "socket.socket(40, socket.SOCK_STREAM)",
        )
    assert statuses(done) == ["error"] * 4
    assert "Connection refused" in text(done, 0)
    assert "unreachable" in text(done, 1)
    assert "Connection refused" in text(done, 2)
    assert "not supported" in text(done, 3)


def test_namespaces_and_rights_are_out_of_reach():
    done = run(
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.unshare(0x10000000), ctypes.get_errno())",
        "print(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno())",
        "print(libc.ptrace(16, 1, 0, 0), ctypes.get_errno())",
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')])",
        "print(open('/proc/self/status').read().split('NoNewPrivs:')[1].split()[0], os.getuid())",
        "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))",
        "open('/proc/sys/kernel/core_pattern', 'w').write('|/x')",
    )
    assert [text(done, i) for i in range(3)] == ["-1 1\n"] * 3
    assert set(eval(text(done, 3))) == {"0" * 16}
    assert text(done, 4) == "1 1000\n"
    assert "not allowed to raise maximum limit" in text(done, 5)
    assert done.cells[6].status == "error"


def test_the_first_process_is_limited_as_the_others_are():
    # It is bubblewrap's, and could be taken over through /proc/1/mem.
    done = run(
        "a, b = (open(f'/proc/{p}/limits').read() for p in (1, 'self'))\n"
        "print([x for x, y in zip(a.splitlines(), b.splitlines()) if x != y])"
    )
    assert text(done) == "[]\n"


def test_the_environment_is_empty_of_the_graders_own(monkeypatch):
    monkeypatch.setenv("VAEEDU_TEST_SECRET", "s3cr3t")
    done = run(
        "import glob, os\nprint(sorted(os.environ))\n"
        "print(any(b's3cr3t' in open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/environ')))"
    )
    assert "False" in text(done)
    assert "VAEEDU" not in text(done)


SEARCH = """
import os
found = []
for folder, folders, files in os.walk("/"):
    if folder.startswith(("/proc", "/usr", "/sys")):
        folders.clear()
        continue
    found += [os.path.join(folder, name) for name in [*folders, *files]]
names = "exercises solutions nbgrader_config.py gradebook.db classroom vaeedu_grader".split()
names += "hidden_tests.py demo.py exercise.py job.py".split()
names += ["02_linear_latent_variable_models.ipynb", "02_linear_latent_variable_models.py"]
print([path for path in found if os.path.basename(path) in names and "site-packages" not in path])
print([path for path in found if "vaeedu_grader" in path])
import vaeedu
library = os.path.dirname(vaeedu.__file__)
print(os.listdir(os.path.dirname(library)))
print([name for name in os.listdir(library) if name != "__pycache__"])
"""


def test_nothing_that_tells_answers_is_there():
    done = run(SEARCH)
    answers, grader, packages, library = map(ast.literal_eval, text(done).splitlines())
    assert answers == grader == []
    assert set(packages) == {"vaeedu", package.INSIDE, "matplotlib"}
    root = Path(vaeedu.__file__).parent
    files = {path.relative_to(root).parts for path in root.rglob("*") if path.is_file()}
    assert set(library) == {parts[0] for parts in files if "__pycache__" not in parts} - {"cli"}


def test_what_one_student_leaves_behind_is_not_there_for_the_next():
    leave = """
import os, site, sys
for folder in ("~/.ipython/profile_default/startup", "/tmp", "/dev/shm", ".", site.getusersitepackages()):
    folder = os.path.expanduser(folder)
    try:
        os.makedirs(folder, exist_ok=True)
        for name in ("usercustomize.py", "sitecustomize.py", "00.py"):
            open(os.path.join(folder, name), "w").write("import builtins; builtins.LEFT = 1")
    except OSError as error:
        print(error)
"""
    look = (
        "import builtins, os\n"
        "print(hasattr(builtins, 'LEFT'), os.listdir('/tmp'), os.listdir('/dev/shm'), os.listdir('.'))"
    )
    assert statuses(run(leave)) == ["ok"]
    there = [Path(folder).name for folder in above_python_in_tmp()[-1:]]
    assert text(run(look)) == f"False {there} [] []\n"


def test_files_of_a_students_take_no_librarys_place():
    files = {
        "numpy.py": b"stolen = 1",
        "vaeedu.py": b"stolen = 1",
        "json.py": b"stolen = 1",
        "helper.py": b"x = 5",
    }
    done = run(
        "import numpy, vaeedu, json, helper; print([hasattr(m, 'stolen') for m in (numpy, vaeedu, json)], helper.x)",
        files=files,
    )
    assert text(done) == "[False, False, False] 5\n"
