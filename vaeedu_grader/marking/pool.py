"""Running jobs beside each other: each in a process of its own, on this machine or on a Dask cluster."""

import contextlib
import ctypes
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import connection, forkserver, util
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, NamedTuple

from vaeedu_grader.marking.job import Job, own_imports, trial, work, zygote_for
from vaeedu_grader.sandbox.zygote import Zygote

# A job whose process disappears, say because the machine ran out of memory, is tried this often.
_TRIES = 2
# The sandbox ends a notebook well before this; it is for what nobody has thought of.
SECONDS = 4 * 3600.0
# What every job imports sooner or later.
_IMPORTS = ("torch.fx.experimental.symbolic_shapes", "vaeedu_grader.authoring.slips", "nbgrader.utils")
_ALONE = "vaeedu: each sandbox imports everything by itself, which is slower: {}\n"


class Done(NamedTuple):
    """A job, and its outcome as JSON; None where its process ended without one."""

    job: Job
    outcome: bytes | None


class _Started(NamedTuple):
    job: Job
    tries: int
    process: ForkServerProcess


def run_local(jobs: Sequence[Job], workers: int, *, seconds: float = SECONDS) -> Iterator[Done]:
    """Runs jobs in processes of this machine, and yields each when it is done.

    The processes are forked from one that has imported what they need. They end when this one does, however it ends.
    While some run, the next make their sandboxes ready, and wait.

    Args:
        jobs: What to do.
        workers: How many run at a time.
        seconds: When to give up on a job.
    """
    if not jobs:
        return
    with _zygote(jobs) as zygote:
        yield from _run_local(jobs, workers, seconds, zygote)


@contextlib.contextmanager
def _zygote(jobs: Sequence[Job]) -> Iterator[Zygote | None]:
    """What the sandboxes of jobs by the same sources are forked from; None where this machine cannot do so."""
    if jobs[0].unsafe or len({(job.source, job.described) for job in jobs}) > 1:
        yield None
        return
    with contextlib.ExitStack() as kept:
        try:
            zygote = kept.enter_context(zygote_for(jobs[0]))
        except ValueError:  # the course's fault, as each job will say
            yield None
            return
        _context(jobs[0])  # both import at the same time
        reason = trial(jobs[0], zygote)
        if reason:
            sys.stderr.write(_ALONE.format(reason))
        yield None if reason else zygote


def _context(job: Job) -> ForkServerContext:
    """Where the processes come from: a server that begins to import what jobs such as this one need, if it has not."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([Job.__module__, __name__, *_IMPORTS, *own_imports(job)])
    forkserver.ensure_running()
    return context


def _run_local(jobs: Sequence[Job], workers: int, seconds: float, zygote: Zygote | None) -> Iterator[Done]:
    context = _context(jobs[0])
    waiting = deque((job, 1) for job in jobs)
    started: dict[Any, _Started] = {}
    deadlines: dict[Any, float] = {}  # of those that run
    done: list[Done] = []
    ahead = max(workers // 2, 1)
    try:
        while True:
            while waiting and len(started) < workers + ahead:
                pipe, one = _start(context, zygote, *waiting.popleft())
                started[pipe] = one
            for pipe in [pipe for pipe in started if pipe not in deadlines][: workers - len(deadlines)]:
                _let_go(pipe)
                deadlines[pipe] = time.monotonic() + seconds
            # Only now, so that the next run while this process is busy with what these have found.
            yield from done
            done = []
            if not started:
                return
            for pipe in _ready(started, deadlines):
                one = started.pop(pipe)
                deadlines.pop(pipe, None)
                outcome = _finish(pipe, one.process)
                if outcome is None and one.tries < _TRIES:
                    waiting.append((one.job, one.tries + 1))
                else:
                    done.append(Done(one.job, outcome))
    finally:
        for pipe, one in started.items():
            one.process.kill()
            _finish(pipe, one.process)


def run_cluster(jobs: Sequence[Job], address: str) -> Iterator[Done]:
    """Runs jobs on a Dask cluster, and yields each when it is done.

    A job whose worker is killed is given to another; its outcome is the same, and counts once.

    Args:
        jobs: What to do.
        address: The scheduler, such as "tcp://127.0.0.1:8786".

    Raises:
        ValueError: Dask's `distributed` is not installed, or nobody answers at the address.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ValueError("--cluster needs Dask: install it with pip install 'vaeedu[cluster]'") from None
    try:
        client = Client(address, timeout=20, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"cluster must be a Dask scheduler's address, but {address!r}: {error}") from error
    with client:
        by_key = {f"vaeedu-{job.key}": job for job in jobs}
        # A future's key is the job's: the same job is never done twice at a time.
        futures = [
            client.submit(work_apart, j.to_json(), key=key, retries=_TRIES) for key, j in by_key.items()
        ]
        for future in as_completed(futures, loop=client.loop):
            outcome = future.result() if future.status == "finished" else None
            yield Done(by_key[future.key], outcome)
            future.release()


def work_apart(data: bytes) -> bytes | None:
    """Does a job in a process of its own, as a Dask worker is asked to."""
    command = [sys.executable, "-W", "ignore", "-m", "vaeedu_grader.marking.job"]
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=SECONDS)
    return done.stdout if done.returncode == 0 else None


def die_with_parent() -> None:
    """Has the system kill this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _start(context: ForkServerContext, zygote: Zygote | None, job: Job, tries: int) -> tuple[Any, _Started]:
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_child, args=(theirs, util.get_temp_dir(), os.getpid(), zygote), daemon=True
    )
    process.start()
    theirs.close()
    ours.send_bytes(job.to_json())
    return ours, _Started(job, tries, process)


def _let_go(pipe: Any) -> None:
    with contextlib.suppress(OSError):  # a process that has ended: its pipe will say so
        pipe.send_bytes(b"go")


def _child(pipe: Any, folder: str, grader: int, zygote: Zygote | None) -> None:
    """Does one job.

    Args:
        pipe: To the process that wants it done.
        folder: Where that process has its sockets; it cannot clear up there if it is killed.
        grader: The process's number.
        zygote: What the sandbox's program is to be a fork of; None for none.
    """
    die_with_parent()
    # Ctrl-C is for the process that started us. (The sandbox would inherit SIG_IGN, and its cells could not be
    # interrupted then; it does not inherit a handler.)
    signal.signal(signal.SIGINT, lambda number, frame: None)

    def wait() -> None:
        try:
            pipe.recv_bytes()
        except (EOFError, OSError):
            _end(folder, grader)
        threading.Thread(target=_end_with, args=(pipe, folder, grader), daemon=True).start()

    pipe.send_bytes(work(pipe.recv_bytes(), wait, zygote))


def _end(folder: str, grader: int) -> None:
    if not _is_running(grader):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _is_running(process: int) -> bool:
    """Whether there is such a process, and it has not ended without anybody having asked yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _end_with(pipe: Any, folder: str, grader: int) -> None:
    """Ends this process when the other end of its pipe is closed, which happens when the process there is killed.

    The server that forks these processes stays as long as one of them does, so its end tells nothing.
    """
    with contextlib.suppress(EOFError, OSError):
        pipe.recv_bytes()
    _end(folder, grader)


def _ready(started: dict[Any, _Started], deadlines: dict[Any, float]) -> list[Any]:
    """Waits for a process to answer or end; those whose time is up are killed first."""
    first = min(deadlines.values())
    ready = connection.wait(list(started), timeout=max(first - time.monotonic(), 0))
    for pipe, deadline in deadlines.items():
        if time.monotonic() > deadline and pipe not in ready:
            started[pipe].process.kill()
            ready.append(pipe)
    return ready


def _finish(pipe: Any, process: ForkServerProcess) -> bytes | None:
    try:
        with pipe:
            outcome: bytes | None = pipe.recv_bytes()
    except (EOFError, OSError):
        outcome = None
    process.join()
    process.close()
    return outcome
