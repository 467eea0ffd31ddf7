"""The grader's end of a zygote: starting it, asking it for a fork in a sandbox, ending it."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaeedu_grader.sandbox import bubble, seccomp
from vaeedu_grader.sandbox.package import template

_PROGRAM = (
    "import sys; sys.path.insert(0, {real!r}); from sandbox_inside.shown import Shown; "
    "shown = Shown({real!r}, {place!r}); from sandbox_inside.zygote import main; main(shown)"
)
_MOST_ANSWER = 4096


class Unusable(Exception):  # noqa: N818 - nothing is wrong: there is another way
    """There can be no fork in this sandbox; the message says why."""


@dataclass(frozen=True)
class Zygote:
    """A process that has imported what the submissions of an assignment need; it can be handed on to other processes.

    Attributes:
        control: A socket to ask it through.
        number: Its process's number.
        sealed: Modules of the library that it does not have.
    """

    control: socket.socket
    number: int
    sealed: tuple[str, ...] = ()

    def fork(
        self,
        process: int,
        pipes: Sequence[int],
        *,
        user: int | None,
        settings: Mapping[str, Any],
        deadline: float,
    ) -> int:
        """Starts the program inside a sandbox, as a fork.

        Args:
            process: A process in the sandbox, in which nothing of a student's has run yet.
            pipes: What the program is to have as standard input, output and error.
            user: The user who made the sandbox, if that is not this process's own.
            settings: What the program inside is told.
            deadline: When to give up.

        Returns:
            The fork's number.

        Raises:
            Unusable: It could not.
        """
        request = {
            "process": process,
            "user": user,
            "folder": bubble.WORK,
            "filter": (seccomp.program() or b"").hex(),
            "settings": settings,
        }
        read, write = os.pipe()
        try:
            handle = os.pidfd_open(process)
            try:
                data = json.dumps(request).encode()
                socket.send_fds(self.control, [data], [*pipes, handle, write])
            finally:
                os.close(handle)
                os.close(write)
            answer = _read(read, deadline)
        except OSError as error:
            raise Unusable(str(error)) from error
        finally:
            os.close(read)
        if "process" not in answer:
            raise Unusable(str(answer.get("error", "it has ended")))
        return int(answer["process"])


@contextlib.contextmanager
def started(
    imports: Collection[str], environment: Mapping[str, str], *, sealed: Collection[str] = ()
) -> Iterator[Zygote]:
    """Starts a zygote, which ends with the block, or with this process.

    Args:
        imports: What it imports.
        environment: All of the environment that the program inside has.
        sealed: Modules of the library that it must not have.
    """
    real = str(template(sealed))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, _copy_of_python() as python:
        settings = {
            "imports": list(imports),
            "matplotlib": f"{real}/matplotlib",
            "control": theirs.fileno(),
            "parent": os.getpid(),
            "environment": dict(environment),
        }
        program = _PROGRAM.format(real=real, place=bubble.PACKAGE)
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", program, json.dumps(settings)],
            executable=f"/proc/self/fd/{python}",
            cwd="/",
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[theirs.fileno(), python],
        )
        theirs.close()
        try:
            yield Zygote(ours, process.pid, tuple(sealed))
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _copy_of_python() -> Iterator[int]:
    """A copy of Python in memory that nobody can change.

    A fork could reach the file that it runs through /proc/self/exe, past the sandbox's borders; who grades as the user
    that owns it would lend a student the right to write to it.
    """
    copy = os.memfd_create("python", os.MFD_ALLOW_SEALING)
    try:
        with (
            Path(sys.executable).resolve().open("rb") as original,
            os.fdopen(copy, "wb", closefd=False) as file,
        ):
            shutil.copyfileobj(original, file)
        # Named here, because other systems than Linux have none.
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, seals)
        # Opened anew: what is open to be written to cannot be run.
        read = os.open(f"/proc/self/fd/{copy}", os.O_RDONLY)
    finally:
        os.close(copy)
    try:
        yield read
    finally:
        os.close(read)


def _read(pipe: int, deadline: float) -> dict[str, Any]:
    """What is answered; empty if nothing is."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
        raise TimeoutError("it did not answer in time")
    data = os.read(pipe, _MOST_ANSWER)
    answer: dict[str, Any] = json.loads(data) if data else {}
    return answer
