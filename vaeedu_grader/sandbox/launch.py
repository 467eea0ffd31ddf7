"""Starting the program inside a sandbox, ahead of time if wanted, and ending it with all that it has started."""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, cast

from vaeedu_grader.sandbox import bubble, watch
from vaeedu_grader.sandbox.cgroups import Group
from vaeedu_grader.sandbox.channel import Channel, Closed, Flood, Garbled, Late
from vaeedu_grader.sandbox.model import Limits, SandboxError
from vaeedu_grader.sandbox.package import template
from vaeedu_grader.sandbox.zygote import Unusable, Zygote

# The library comes first: nothing that lies elsewhere can take its place.
_PROGRAM = "import sys; sys.path.insert(0, {!r}); from sandbox_inside.kernel import main; main()"
# What most cells need; imported while the sandbox waits for its submission.
IMPORTS = ("numpy", "torch", "vaeedu.data", "sandbox_inside.emit", "vaeedu.plotting")
# The first program of a sandbox that a fork goes into: says that everything is set up, and waits for its input's end.
_IDLE = ("/bin/sh", "-c", "echo; read end")
_START_SECONDS = 120.0
_END_SECONDS = 10.0
_UNSAFE = "vaeedu: warning: --unsafe: submissions run WITHOUT a sandbox; they can read and change whatever you can\n"
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # The data are small: more threads would cost more than they gain.
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# All of the environment that a program in a sandbox has.
INSIDE = {
    **_ENVIRONMENT,
    "HOME": bubble.HOME,
    "TMPDIR": "/tmp",
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    "MPLCONFIGDIR": f"{bubble.HOME}/matplotlib",
}


class Prepared:
    """A sandbox with nothing of any student's in it, started and waiting; for one submission, then it is ended.

    Use it in a `with` block, in the thread that made it: it ends with that thread.

    Args:
        limits: What the submission may use.
        sealed: Modules of the library that are absent inside.
        unsafe: Whether to start a plain process instead, with a warning.
        imports: Packages to import while it waits.
        zygote: A process that has imported these already, with the same modules sealed. The program inside is then a
            fork of it; where this machine cannot do so, it is a new one as without, and `why_alone` says why.

    Raises:
        SandboxError: It cannot be set up on this machine; the message says why.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        sealed: Collection[str] = (),
        unsafe: bool = False,
        imports: Collection[str] = IMPORTS,
        zygote: Zygote | None = None,
    ) -> None:
        self.limits, self.unsafe, self.used = limits or Limits(), unsafe, False
        self.versions: dict[str, str] = {}
        self._imports, self._sealed = tuple(imports), tuple(sealed)
        self._folder: Path | None = None
        self._first: int | None = None
        # The first process, and the fork, which is nobody's child inside.
        self._roots: list[int] = []
        self._user: int | None = None
        self._idle: IO[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self.why_alone = "" if zygote else "it was not asked for"
        self._handle: int | None = None
        self._group: Group | None = None
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        package = template(sealed)
        try:
            if unsafe:
                self._start_plainly(package)
            elif zygote is None or not self._start_forked(package, zygote):
                self._start(package)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Prepared":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def channel(self) -> Channel:
        """The way to talk to it."""
        if self._channel is None:
            raise SandboxError("the sandbox has been ended: prepare another one")
        return self._channel

    def wait(self) -> None:
        """Waits until it is ready, and sets its limits.

        Raises:
            SandboxError: It did not start.
        """
        if self.versions:
            return
        try:
            message = self.channel.receive(deadline=time.monotonic() + _START_SECONDS)
            versions = {str(name): str(number) for name, number in json.loads(message.body).items()}
        except (Closed, Late, Garbled, Flood, ValueError) as error:
            raise SandboxError(f"the sandbox did not start: {self._complaint()}") from error
        if self._complaints is not None:
            self._complaints.close()  # nothing that runs inside may fill it up
        if self._roots:
            watch.limit(self._roots, self._resources())
            self._count_together()
        self.versions = versions

    def over(self) -> str:
        """Says which limit all of its processes together are over; empty if none."""
        if not self._roots:
            return ""
        limit = watch.over(self._roots, self.limits, () if self.unsafe else bubble.WRITABLE)
        return limit or (
            "memory_bytes" if self._group is not None and self._group.killed_for_memory() else ""
        )

    def close(self) -> None:
        """Ends all of its processes, and removes what they left."""
        self._end()
        if self._group is not None:
            self._group.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        """Ends all processes there are, and closes what leads to them."""
        self._kill()
        for pipe in (self._complaints, self._idle, self._channel):
            if pipe is not None:
                pipe.close()
        self._channel = None
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._wait_for_end(handle)

    def _start(self, package: Path) -> None:
        """Starts the program inside a sandbox."""
        inside = [*_python(bubble.PACKAGE), json.dumps(self._settings(bubble.PACKAGE))]
        self._talk(*self._enclose(package, inside))

    def _start_forked(self, package: Path, zygote: Zygote) -> bool:
        """Starts a sandbox in which nothing happens, and has a fork go into it; says whether it did."""
        if set(zygote.sealed) != set(self._sealed):
            self.why_alone = "other modules are sealed here than in what it would be a fork of"
            return False
        self._idle, ready = self._enclose(package, _IDLE)
        deadline = time.monotonic() + _START_SECONDS
        (inside_in, ours_out), (ours_in, inside_out), (complaints, complain) = os.pipe(), os.pipe(), os.pipe()
        try:
            with ready:
                idle = self._idle_process(ready, deadline)
            fork = zygote.fork(
                idle,
                (inside_in, inside_out, complain),
                user=self._user,
                settings=self._settings(bubble.PACKAGE),
                deadline=deadline,
            )
        except Unusable as reason:
            for number in (ours_out, ours_in, complaints):
                os.close(number)
            self._end()
            self._process, self._first, self._roots, self._idle = None, None, [], None
            self.why_alone = str(reason)
            return False
        finally:
            for number in (inside_in, inside_out, complain):
                os.close(number)
        self._roots.append(fork)
        if self._complaints is not None:
            self._complaints.close()
        self._complaints = os.fdopen(complaints, "rb")
        self._talk(os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb"))
        return True

    def _idle_process(self, ready: IO[bytes], deadline: float) -> int:
        """Waits until a sandbox is set up, and returns the number of the program that waits in it."""
        poll = select.poll()
        poll.register(ready, select.POLLIN)
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000) or not ready.read(1):
            raise Unusable("the sandbox did not start")
        try:
            _, idle = watch.family(*self._roots)  # bubblewrap's own, and the one that it has started
        except ValueError:
            raise Unusable("this machine does not say which processes a sandbox has") from None
        return idle

    def _enclose(self, package: Path, inside: Sequence[str]) -> tuple[IO[bytes], IO[bytes]]:
        """Starts a program inside a sandbox, and returns the pipes to it and from it."""
        read, write = os.pipe()
        command = bubble.command(package, inside, INSIDE, self.limits, info=write)
        try:
            # Bubblewrap's own environment could be read from inside: it gets none.
            pipes = self._open(command.arguments, "/", {}, files=command.files)
        finally:
            command.close()
            with os.fdopen(read, "rb") as pipe:
                told = pipe.read(4096)
        self._user = command.user
        # Where there is no answer it has failed, and `wait` will say why.
        with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
            self._first = int(json.loads(told)["child-pid"])
            self._roots = [self._first]
            self._handle = os.pidfd_open(self._first)
        return pipes

    def _start_plainly(self, package: Path) -> None:
        sys.stderr.write(_UNSAFE)
        self._folder = Path(tempfile.mkdtemp(prefix="vaeedu-unsafe-"))
        home, work = str(self._folder / "home"), self._folder / "work"
        work.mkdir()
        environment = {"HOME": home, "TMPDIR": str(self._folder), "MPLCONFIGDIR": f"{home}/matplotlib"}
        environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        inside = [*_python(str(package)), json.dumps(self._settings(str(package)))]
        self._talk(*self._open(inside, str(work), {**_ENVIRONMENT, **environment}))
        self._first = self._process.pid if self._process else None
        self._roots = [self._first] if self._first else []

    def _open(
        self,
        command: list[str],
        folder: str,
        environment: dict[str, str],
        *,
        files: Collection[int] = (),
    ) -> tuple[IO[bytes], IO[bytes]]:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=files,
        )
        to, of, self._complaints = self._process.stdin, self._process.stdout, self._process.stderr
        return cast("IO[bytes]", to), cast("IO[bytes]", of)

    def _talk(self, write: IO[bytes], read: IO[bytes]) -> None:
        """Makes the two pipes the way to talk to the program inside."""
        with write, read:
            numbers = os.dup(write.fileno()), os.dup(read.fileno())
        most = self.limits.answer_bytes + self.limits.output_bytes + 4096
        self._channel = Channel(*numbers, most_body=most, most_total=self.limits.flood_bytes)

    def _resources(self) -> dict[int, int]:
        return watch.resources(self.limits, count_processes=not self.unsafe)

    def _settings(self, package: str) -> dict[str, object]:
        """What the program inside is told, as JSON holds it."""
        return {
            "imports": self._imports,
            "sealed": self._sealed,
            "answer_bytes": self.limits.answer_bytes,
            "matplotlib": f"{package}/matplotlib",
            "resources": list(self._resources().items()),
        }

    def _count_together(self) -> None:
        """Puts all processes into a control group, where there can be one."""
        if not self.unsafe:
            with contextlib.suppress(OSError):
                self._group = Group(self.limits, len(bubble.WRITABLE))
                self._group.add(watch.family(*self._roots))

    def _kill(self) -> None:
        if self._process is None:
            return
        if self._handle is not None and not self.unsafe:
            # The end of its first process is that of all others in a sandbox; bubblewrap then cleans up and ends too.
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
                self._process.wait(_END_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _wait_for_end(self, handle: int) -> None:
        """Waits until the sandbox's first process has ended, which it does after all others."""
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        ended = poll.poll(_END_SECONDS * 1000)
        os.close(handle)
        if not ended:
            raise SandboxError(f"the sandbox's process {self._first} could not be ended: look at it with ps")

    def _complaint(self) -> str:
        self._kill()
        if self._complaints is None:
            return "it said nothing"
        text = self._complaints.read(4000).decode("utf-8", "replace").strip()
        line = text.rpartition("\n")[2] or "it said nothing"
        hint = (
            ". May unprivileged users make user namespaces here? See the instructor's guide"
            if "bwrap" in line
            else ""
        )
        return line + hint


def _python(package: str) -> list[str]:
    """The start of the command line of the program inside, whose last argument is what it is told."""
    return [sys.executable, "-I", "-B", "-c", _PROGRAM.format(package)]
