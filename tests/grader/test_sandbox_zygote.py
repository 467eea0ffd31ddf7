"""Sandboxes whose program is a fork: it has nothing of where it comes from, and what others have of it is their own."""

import ast
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import sandboxes
from support.sandboxes import obstacle, run, statuses, text

from vaeedu_grader.marking import pool
from vaeedu_grader.marking.job import Job
from vaeedu_grader.sandbox import Cell, Prepared, bubble, run_cells, zygote
from vaeedu_grader.sandbox.launch import INSIDE

SEALED = ("vaeedu.divergences",)


@pytest.fixture(autouse=True)
def possible():
    if obstacle():
        pytest.skip(obstacle())


def both(*sources, **others):
    """What cells print in a fork, and in a program that started by itself."""
    forked = run(*sources, **others)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sandboxes, "FORKS", False)
        alone = run(*sources, **others)
    return forked, alone


# What a program can see of itself and of what is around it, without what is another each time.
LOOK = """
import os, resource, signal, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
for name in ("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
             "SigBlk", "SigIgn", "SigCgt", "Threads", "Umask"):
    print(name, status[name].split())
print(sorted(os.environ.items()))
print(os.getcwd(), sorted(os.listdir("/")), sorted(os.listdir("/proc/self/fd")))
print(open("/proc/self/mountinfo").read().count("\\n"), os.uname().nodename)
print(sys.argv, sys.path, sys.flags, sys.executable, sys.prefix)
print([getattr(f, '__name__', type(f)) for f in sys.meta_path])
print([resource.getrlimit(getattr(resource, n)) for n in sorted(dir(resource)) if n.startswith("RLIMIT_")])
print([signal.getsignal(n) for n in (2, 13, 15, 17)], os.access("/proc/self/mem", os.W_OK))
"""
MODULES = """
import inspect, sys, vaeedu.files, sandbox_inside.kernel as kernel, numpy
for module in (vaeedu.files, kernel, numpy):
    spec = module.__spec__
    print(module.__file__, module.__cached__, spec.origin, spec.cached, type(spec.loader), sorted(vars(spec.loader)))
    print(getattr(module, "__path__", None), type(module.__loader__))
print(vaeedu.__path__, inspect.getsource(vaeedu.files)[:30], vaeedu.files.write_whole.__code__.co_filename)
print([name for name in sys.path_importer_cache if "vaeedu/sandbox" in name])
print(sorted(n for n in sys.modules if n.startswith("vaeedu")))
import vaeedu.course
print(vaeedu.course.__file__)
"""


def test_a_fork_sees_what_a_program_of_its_own_sees():
    forked, alone = both(LOOK, MODULES, imports=("numpy",))
    assert statuses(forked) == ["ok", "ok"], text(forked, 0) + text(forked, 1)
    for cell in (0, 1):
        assert text(forked, cell).splitlines() == text(alone, cell).splitlines()


FROM_OUTSIDE = """
import ctypes, glob, os
libc = ctypes.CDLL(None, use_errno=True)
print(os.getppid(), [p for p in os.listdir("/proc") if p.isdigit()] == sorted({"1", "2", str(os.getpid())}, key=int))
print({os.readlink(f"/proc/self/ns/{n}") == os.readlink(f"/proc/2/ns/{n}") for n in os.listdir("/proc/self/ns")})
for pid in (1, 2, os.getpid()):
    for name in os.listdir("/proc/self/ns"):
        try:
            number = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        assert (libc.setns(number, 0), ctypes.get_errno()) == (-1, 1), (pid, name)
        os.close(number)
pidfd = libc.syscall(434, 1, 0)
print(libc.setns(pidfd, 0x20000), os.stat("/proc/self/root") == os.stat("/") == os.stat("/.."))
"""
FILES = """
import os
kinds = {os.readlink(f"/proc/self/fd/{n}").partition(":")[0] for n in os.listdir("/proc/self/fd") if int(n) < 7}
print(sorted(kinds))
for mode in (os.O_WRONLY, os.O_RDWR):
    try:
        os.open("/proc/self/exe", mode)
        print("open")
    except OSError:
        pass
try:
    mapped = "/proc/self/map_files"
    print(os.open(f"{mapped}/{os.listdir(mapped)[0]}", os.O_RDONLY))
except OSError:
    print("closed")
"""


def test_there_is_no_way_back_to_where_a_fork_comes_from():
    done = run(FROM_OUTSIDE, FILES)
    assert statuses(done) == ["ok", "ok"], text(done, 0) + text(done, 1)
    assert text(done, 0) == "0 True\n{True}\n-1 True\n"
    assert text(done, 1) == "['/dev/null', 'pipe']\nclosed\n"


# After the copy of Python has ended, and with it what keeps a running file from being written to.
LATER = """
import fcntl, os
print(fcntl.fcntl(os.open("/proc/self/exe", os.O_RDONLY), fcntl.F_GET_SEALS))
exe = os.open("/proc/self/exe", os.O_PATH)
os.set_inheritable(exe, True)
script = f'''
for i in 1 2 3; do (: >> /proc/self/fd/{exe}) 2>/dev/null && echo written; done; echo done
'''
if (child := os.fork()) == 0:
    os.dup2(2, 1)
    os.execv("/bin/sh", ["sh", "-c", script])
_ = os.waitpid(child, 0)
"""


def test_what_a_fork_runs_cannot_be_changed():
    before = Path(sys.executable).resolve().read_bytes()
    # Sealed, so that it matters to nobody who owns the file.
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    assert text(run(LATER)) == f"{seals}\ndone\n"
    assert Path(sys.executable).resolve().read_bytes() == before


MEMORY = """
import re
needles = [re.compile(n) for n in NEEDLES]
found = set()
with open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in open("/proc/self/maps"):
        start, end, rights = re.match(r"(\\w+)-(\\w+) (\\S+)", line).groups()
        if rights[0] != "r" or "[v" in line or " /" in line:  # files are those of the sandbox
            continue
        position, end = int(start, 16), int(end, 16)
        while position < end:
            memory.seek(position)
            try:
                piece = memory.read(min(2**22, end - position))
            except OSError:
                break
            found |= {number for number, needle in enumerate(needles) if needle.search(piece)}
            position += max(len(piece) - 64, 1) if position + len(piece) < end else len(piece)
print(sorted(found))
"""


def searching_for(needles):
    """A cell that looks for bytes in its whole memory; its own text, and what it makes of it, are not those bytes."""
    return MEMORY.replace("NEEDLES", repr([needle[:-1] + b"[" + needle[-1:] + b"]" for needle in needles]))


def test_its_memory_holds_nothing_that_a_sandbox_does_not(monkeypatch):
    # A constant of the sealed module's own text, and one of the grader's, and of its environment.
    monkeypatch.setenv("VAEEDU_TEST_SECRET", "s3cr3t-of-the-grader")
    sealed = Path(bubble.__file__).parents[2] / "vaeedu" / "divergences"
    source = "".join(path.read_text() for path in sorted(sealed.rglob("*.py")))
    assert "kl_multivariate_normal" in source
    needles = [
        b"s3cr3t-of-the-grader",
        b"kl_multivariate_normal",
        b"def make_keys",
        b"What decides the outcome, as a hash",
    ]
    done = run(
        searching_for(needles),
        searching_for([b"def _kl_of_nothing", b"_draw_other_numbers"]),  # it finds what is there
        "import vaeedu.divergences",
        sealed=SEALED,
        imports=("numpy", "vaeedu.divergences", "vaeedu.sampling", "vaeedu_grader.marking.job"),
    )
    assert statuses(done) == ["ok", "ok", "error"], text(done)
    assert text(done) == "[]\n"
    assert text(done, 1) == "[1]\n"
    assert "is not there while your work is graded" in text(done, 2)


DRAWS = """
import random, secrets, tempfile, uuid, numpy
print([random.random(), float(numpy.random.rand()), secrets.token_hex(4), str(uuid.uuid4()), tempfile.mktemp()])
"""


def test_no_two_forks_draw_the_same_numbers():
    first, second = (ast.literal_eval(text(run(DRAWS, imports=("numpy",)))) for _ in range(2))
    assert not set(first) & set(second)


def test_what_one_fork_changes_no_other_sees():
    kept = (
        "import os, sys, vaeedu\nvaeedu.LEFT = sys.LEFT = 1; os.environ['LEFT'] = '1'\nsys.modules['math'] = None\n"
        "import ctypes; ctypes.memset(id(12345), 0, 8)"
    )
    assert statuses(run(kept))[0] in ("ok", "error")
    look = "import os, sys, math, vaeedu; print(hasattr(vaeedu, 'LEFT'), hasattr(sys, 'LEFT'), 'LEFT' in os.environ)"
    assert text(run(look)) == "False False False\n"


def test_a_zygote_that_ends_costs_nobody_anything():
    with zygote.started((), INSIDE) as made:
        with Prepared(zygote=made, imports=()) as before:
            before.wait()
            os.kill(made.number, signal.SIGKILL)
            assert (run_cells([Cell("a", "print(1)")], prepared=before).status, before.why_alone) == (
                "finished",
                "",
            )
        with Prepared(zygote=made, imports=()) as after:
            assert run_cells([Cell("a", "print(1)")], prepared=after).status == "finished"
            assert after.why_alone


def test_a_fork_has_nothing_that_is_sealed():
    with Prepared(zygote=sandboxes.zygote(), imports=(), sealed=SEALED) as prepared:
        assert "sealed" in prepared.why_alone
        done = run_cells([Cell("a", "import vaeedu.divergences")], prepared=prepared)
    assert statuses(done) == ["error"]


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        ("kept = open(os.devnull)", "left a file open: /"),
        ("threading.Thread(target=event.wait).start()", "started a thread"),
    ],
)
def test_a_zygote_that_cannot_be_forked_says_why(left, problem):
    # In a process of its own: that of the tests has threads and files of others.
    program = (
        "import os, socket, threading; from vaeedu_grader.sandbox.inside.zygote import _check_fit\n"
        f"event = threading.Event(); ours = socket.socketpair()[0]; _check_fit(ours); {left}\n"
        "try:\n    _check_fit(ours)\nexcept RuntimeError as error:\n    print(error)\nevent.set()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert problem in done.stdout


def test_where_there_can_be_none_it_is_said_once_and_all_is_graded_as_well(monkeypatch, capsys):
    job = Job("01_a", "", "", "", {}, "{}", "EXERCISES = ()")
    monkeypatch.setattr(pool, "trial", lambda job, zygote: "it is too small")
    monkeypatch.setattr(pool, "_context", lambda job: None)
    monkeypatch.setattr(pool, "zygote_for", lambda job: contextlib.nullcontext("a zygote"))
    with pool._zygote([job, job]) as made:
        assert made is None
    assert capsys.readouterr().err == (
        "vaeedu: each sandbox imports everything by itself, which is slower: it is too small\n"
    )
    monkeypatch.setattr(pool, "trial", lambda job, zygote: "")
    with pool._zygote([job, job]) as made:
        assert made == "a zygote"
