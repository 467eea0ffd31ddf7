"""The same marks on a cluster whose workers are killed, and in a gradebook in a real PostgreSQL server."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, RIGHT, hand_in, vaeedu, vaeedu_process

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SUMMED = {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0)"}
SECRET = "cd" * 32


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return mini.make_course(tmp_path_factory.mktemp("course"))


def a_class(course, room, number=4):
    for i in range(number):
        hand_in(course, room, f"s{i}", SUMMED if i % 2 else RIGHT, timestamp="2026-01-02 03:04:05 UTC")
    (room / "graded").mkdir()
    (room / "graded" / ".secret").write_text(SECRET)  # the same inputs everywhere
    return room


def verdicts(room):
    """What was decided about every cell of everybody."""
    outcomes = [json.loads(p.read_text()) for p in (room / "graded" / ASSIGNMENT).glob("*.json")]
    return {o["student"]: (o["scores"], o["record"]["verdicts"], o["record"]["seed"]) for o in outcomes}


@pytest.fixture(scope="module")
def serial(course, tmp_path_factory):
    room = a_class(course, tmp_path_factory.mktemp("serial") / "class")
    done = vaeedu(course, room, "grade", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    return room


def url(room):
    return f"sqlite:///{room / 'gradebook.db'}"


def test_in_parallel_the_marks_are_the_same(course, serial, tmp_path):
    room = a_class(course, tmp_path / "class")
    done = vaeedu(course, room, "grade", ASSIGNMENT, "--jobs", "3")
    assert done.returncode == 0, done.stderr
    assert verdicts(room) == verdicts(serial)
    assert mini.scores(url(room)) == mini.scores(url(serial))


@contextlib.contextmanager
def running(*command, **options):
    process = subprocess.Popen(
        [*command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def worker(address, folder):
    return running(
        *(sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_worker", address, "--nthreads=1"),
        *("--no-nanny", "--no-dashboard", "--host=127.0.0.1", f"--local-directory={folder}"),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_on_a_cluster_whose_workers_are_killed_the_marks_are_the_same(course, serial, tmp_path):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    room = a_class(course, tmp_path / "class")
    scheduler = (sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_scheduler")
    options = ("--host=127.0.0.1", "--port=0", "--no-dashboard", "--no-show")
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(running(*scheduler, *options))
        address = ""
        while not address:
            line = process.stderr.readline()
            assert line, "the scheduler ended"
            found = re.search(r"Scheduler at:\s+(tcp://127\.0\.0\.1:\d+)", line)
            address = found[1] if found else ""
        first = stack.enter_context(worker(address, tmp_path))
        grading = vaeedu_process(course, room, "grade", ASSIGNMENT, "--cluster", address, wait=False)
        while not list((room / "graded" / ASSIGNMENT).glob("*.json")):
            assert grading.poll() is None, grading.communicate()
            time.sleep(0.2)
        os.killpg(first.pid, signal.SIGKILL)  # in the middle of the next submission
        stack.enter_context(worker(address, tmp_path))
        out, err = grading.communicate()
    assert grading.returncode == 0, err
    assert out.splitlines()[-1] == "4 graded"
    assert verdicts(room) == verdicts(serial)
    assert mini.scores(url(room)) == mini.scores(url(serial))


def postgresql_programs():
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folders += [Path(found).resolve().parent] if found else []
    needed = ("initdb", "postgres", "pg_isready", "createdb")
    usable = [folder for folder in folders if all((folder / name).is_file() for name in needed)]
    return usable[-1] if usable else None


@pytest.fixture
def server(tmp_path_factory):
    """A PostgreSQL server of the test's own, that listens on a socket file only."""
    programs = postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt install postgresql")
    pytest.importorskip("psycopg", reason="the extra 'postgresql' is not installed")
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    user = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = {"user": "postgres", "group": "postgres"}
        shutil.chown(folder, "postgres", "postgres")
    try:
        data = folder / "data"
        command = [programs / "initdb", "-D", data, "-U", "teacher", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, **user)
        with running(
            *(programs / "postgres", "-D", data, "-k", folder, "-F", "-c", "listen_addresses="),
            cwd=folder,
            **user,
        ):
            ready = [programs / "pg_isready", "-h", folder, "-q"]
            for _ in range(300):
                if subprocess.run(ready, check=False).returncode == 0:
                    break
                time.sleep(0.1)
            else:
                pytest.fail("the server did not start")
            subprocess.run(
                [programs / "createdb", "-h", folder, "-U", "teacher", "gradebook"], check=True, cwd=folder
            )
            yield f"postgresql+psycopg://teacher@/gradebook?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_gradebook_in_postgresql_has_the_same_marks(course, serial, tmp_path, server):
    room = a_class(course, tmp_path / "class")
    for _ in range(2):
        done = vaeedu(course, room, "grade", ASSIGNMENT, VAEEDU_DB_URL=server)
        assert done.returncode == 0, done.stderr[-3000:]
    assert not (room / "gradebook.db").exists()
    assert mini.scores(server) == mini.scores(url(serial))
    hand_in(course, room, "s0", SUMMED, timestamp="2026-01-02 03:04:05 UTC")
    assert vaeedu(course, room, "grade", ASSIGNMENT, VAEEDU_DB_URL=server).returncode == 0
    assert mini.scores(server)["s0", "mean_hidden"][0] == 0
