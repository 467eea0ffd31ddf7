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
from collections.abc import Collection
from pathlib import Path

from vaeedu_grader.sandbox import bubble, watch
from vaeedu_grader.sandbox.cgroups import Group
from vaeedu_grader.sandbox.channel import Channel, Closed, Flood, Garbled, Late
from vaeedu_grader.sandbox.model import Limits, SandboxError
from vaeedu_grader.sandbox.package import template

# The library comes first: nothing that lies elsewhere can take its place.
_PROGRAM = "import sys; sys.path.insert(0, {!r}); from sandbox_inside.kernel import main; main()"
# What most cells need; imported while the sandbox waits for its submission.
IMPORTS = ("numpy", "torch", "vaeedu.data", "sandbox_inside.emit", "vaeedu.plotting")
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


class Prepared:
    """A sandbox with nothing of any student's in it, started and waiting; for one submission, then it is ended.

    Use it in a `with` block, in the thread that made it: it ends with that thread.

    Args:
        limits: What the submission may use.
        sealed: Modules of the library that are absent inside.
        unsafe: Whether to start a plain process instead, with a warning.
        imports: Packages to import while it waits.

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
    ) -> None:
        self.limits, self.unsafe, self.used = limits or Limits(), unsafe, False
        self.versions: dict[str, str] = {}
        self._imports, self._sealed = tuple(imports), tuple(sealed)
        self._folder: Path | None = None
        self._first: int | None = None
        self._handle: int | None = None
        self._group: Group | None = None
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        package = template(sealed)
        try:
            if unsafe:
                self._start_plainly(package)
            else:
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
        if self._process is not None and self._process.stderr is not None:
            self._process.stderr.close()  # nothing that runs inside may fill it up
        if self._first is not None:
            watch.limit(self._first, self._resources())
            self._count_together(self._first)
        self.versions = versions

    def over(self) -> str:
        """Says which limit all of its processes together are over; empty if none."""
        if self._first is None:
            return ""
        limit = watch.over(self._first, self.limits, () if self.unsafe else bubble.WRITABLE)
        return limit or (
            "memory_bytes" if self._group is not None and self._group.killed_for_memory() else ""
        )

    def close(self) -> None:
        """Ends all of its processes, and removes what they left."""
        if self._process is not None:
            self._kill()
            if self._process.stderr is not None:
                self._process.stderr.close()
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._handle is not None:
            self._wait_for_end(self._handle)
            self._handle = None
        if self._group is not None:
            self._group.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, package: Path) -> None:
        # Nothing of it is in a folder that a student's code can write to, and the environment is all its own.
        inside = self._program(bubble.PACKAGE)
        places = {
            "HOME": bubble.HOME,
            "TMPDIR": "/tmp",
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        }
        environment = {**_ENVIRONMENT, **places, "MPLCONFIGDIR": f"{bubble.HOME}/matplotlib"}
        read, write = os.pipe()
        command = bubble.command(package, inside, environment, self.limits, info=write)
        try:
            # Bubblewrap's own environment could be read from inside: it gets none.
            self._open(command.arguments, "/", {}, files=command.files)
        finally:
            command.close()
            with os.fdopen(read, "rb") as pipe:
                told = pipe.read(4096)
        # Where there is no answer it has failed, and `wait` will say why.
        with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
            self._first = int(json.loads(told)["child-pid"])
            self._handle = os.pidfd_open(self._first)

    def _start_plainly(self, package: Path) -> None:
        sys.stderr.write(_UNSAFE)
        self._folder = Path(tempfile.mkdtemp(prefix="vaeedu-unsafe-"))
        home, work = str(self._folder / "home"), self._folder / "work"
        work.mkdir()
        environment = {"HOME": home, "TMPDIR": str(self._folder), "MPLCONFIGDIR": f"{home}/matplotlib"}
        environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        self._open(self._program(str(package)), str(work), {**_ENVIRONMENT, **environment})
        self._first = self._process.pid if self._process else None

    def _open(
        self,
        command: list[str],
        folder: str,
        environment: dict[str, str],
        *,
        files: Collection[int] = (),
    ) -> None:
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
        pipes = [pipe for pipe in (self._process.stdin, self._process.stdout) if pipe is not None]
        write, read = (os.dup(pipe.fileno()) for pipe in pipes)
        for pipe in pipes:
            pipe.close()
        most = self.limits.answer_bytes + self.limits.output_bytes + 4096
        self._channel = Channel(write, read, most_body=most, most_total=self.limits.flood_bytes)

    def _resources(self) -> dict[int, int]:
        return watch.resources(self.limits, count_processes=not self.unsafe)

    def _program(self, package: str) -> list[str]:
        """The command line of the program inside, with all that it is told as JSON."""
        settings = {
            "imports": self._imports,
            "sealed": self._sealed,
            "answer_bytes": self.limits.answer_bytes,
            "matplotlib": f"{package}/matplotlib",
            "resources": list(self._resources().items()),
        }
        return [sys.executable, "-I", "-B", "-c", _PROGRAM.format(package), json.dumps(settings)]

    def _count_together(self, first: int) -> None:
        """Puts all processes into a control group, where there can be one."""
        if not self.unsafe:
            with contextlib.suppress(OSError):
                self._group = Group(self.limits, len(bubble.WRITABLE))
                self._group.add(watch.family(first))

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
        if self._process is None or self._process.stderr is None:
            return "it said nothing"
        text = self._process.stderr.read(4000).decode("utf-8", "replace").strip()
        line = text.rpartition("\n")[2] or "it said nothing"
        hint = (
            ". May unprivileged users make user namespaces here? See the instructor's guide"
            if "bwrap" in line
            else ""
        )
        return line + hint
