"""Starting the program inside a sandbox, ahead of time if wanted, and ending it with all that it has started."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from vaeedu.grading.sandbox.channel import Channel, Closed, Flood, Garbled, Late
from vaeedu.grading.sandbox.model import Limits, SandboxError
from vaeedu.grading.sandbox.package import copy_package

_PROGRAM = Path(__file__).with_name("inside.py")
# What most cells need; imported while the sandbox waits for its submission.
IMPORTS = ("numpy", "torch")
_START_SECONDS = 120.0
_UNSAFE = "vaeedu: warning: --unsafe: submissions run WITHOUT a sandbox; they can read and change whatever you can\n"


class Prepared:
    """A sandbox with nothing of any student's in it, started and waiting; for one submission, then it is ended.

    Use it in a `with` block, in the thread that made it: it ends with that thread.

    Args:
        limits: What the submission may use.
        sealed: Modules of the library that are absent inside.
        unsafe: Whether to start a plain process instead, with a warning.

    Raises:
        SandboxError: It cannot be set up on this machine; the message says why.
    """

    def __init__(
        self, limits: Limits | None = None, *, sealed: Collection[str] = (), unsafe: bool = False
    ) -> None:
        self.limits, self.sealed, self.unsafe = limits or Limits(), frozenset(sealed), unsafe
        self.versions: dict[str, str] = {}
        self.used = False
        self._folder = Path(tempfile.mkdtemp(prefix="vaeedu-sandbox-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        try:
            self._start()
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
        assert self._channel is not None
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
            self.versions = {str(name): str(number) for name, number in json.loads(message.body).items()}
        except (Closed, Late, Garbled, Flood, ValueError) as error:
            raise SandboxError(f"the sandbox did not start: {self._complaint()}") from error

    def close(self) -> None:
        """Ends all of its processes, and removes what they left."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stderr is not None:
                self._process.stderr.close()
        if self._channel is not None:
            self._channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        package, work = self._folder / "package", self._folder / "work"
        package.mkdir()
        work.mkdir()
        copy_package(package, self.sealed)
        sys.stderr.write(_UNSAFE)
        settings = json.dumps({"paths": [str(package)], "imports": IMPORTS})
        command = [sys.executable, "-I", "-B", str(_PROGRAM), settings]
        environment = {**_ENVIRONMENT, "HOME": str(work), "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        self._process = subprocess.Popen(
            command,
            cwd=work,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        write, read = self._process.stdin, self._process.stdout
        assert write is not None
        assert read is not None
        self._channel = Channel(
            os.dup(write.fileno()),
            os.dup(read.fileno()),
            most_body=self.limits.answer_bytes + 4096,
            most_total=self.limits.flood_bytes,
        )
        write.close()
        read.close()

    def _complaint(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        text = self._process.stderr.read(2000).decode("utf-8", "replace").strip()
        return text.rpartition("\n")[2] or "it said nothing"


_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # The data are small: more threads would cost more than they gain.
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
